// SPDX-License-Identifier: Apache-2.0
/*
 * crypto.c - the few primitives we use, over OpenSSL's libcrypto.
 *
 * Looking an algorithm up by name and building a context cost more than the
 * hashing of a short text.  So algorithms are looked up once, and each thread
 * keeps its contexts; the HMAC one also keeps its last key, since callers
 * mostly use one key again and again.
 */
#include "base/crypto.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

enum { NO_DIGIT = 255 };

/* What one thread keeps. */
struct kit {
	EVP_MAC_CTX *mac;
	EVP_CIPHER_CTX *cipher;
	bool keyed;
	uint8_t key[CRYPTO_KEY_BYTES]; /* of mac, if keyed */
};

static EVP_MD *sha256;
static EVP_MAC *hmac;
static EVP_KDF *hkdf;
static EVP_CIPHER *gcm;
static pthread_key_t kit_key; /* only so that kits end with their threads */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread struct kit *own_kit;

/* A libcrypto that fails leaves no safe way to go on. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

/* Not OPENSSL_cleanse(): what that writes, no sanitizer sees. */
void crypto_wipe(void *p, size_t n)
{
	if (n == 0)
		return;
	memset(p, 0, n);
	/* somebody might look: so it is not left out */
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void kit_end(void *p)
{
	struct kit *k = p;

	EVP_MAC_CTX_free(k->mac);
	EVP_CIPHER_CTX_free(k->cipher);
	crypto_wipe(k, sizeof(*k));
	free(k);
	own_kit = NULL;
}

static void look_up(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	must(sha256 && hmac && hkdf && gcm);
	must(pthread_key_create(&kit_key, kit_end) == 0);
}

static void prepare(void)
{
	must(pthread_once(&once, look_up) == 0);
}

static OSSL_PARAM digest_param(void)
{
	static char name[] = "SHA256";

	return OSSL_PARAM_construct_utf8_string(OSSL_ALG_PARAM_DIGEST, name, 0);
}

static struct kit *kit(void)
{
	OSSL_PARAM params[] = {digest_param(), OSSL_PARAM_construct_end()};
	struct kit *k = own_kit;

	if (k)
		return k;
	prepare();
	k = b_zero(1, sizeof(*k));
	k->mac = EVP_MAC_CTX_new(hmac);
	k->cipher = EVP_CIPHER_CTX_new();
	must(k->mac && k->cipher);
	must(EVP_MAC_CTX_set_params(k->mac, params));
	must(pthread_setspecific(kit_key, k) == 0);
	own_kit = k;
	return k;
}

void crypto_sha256(const void *p, size_t n, uint8_t out[CRYPTO_HASH_BYTES])
{
	prepare();
	must(EVP_Digest(p, n, out, NULL, sha256, NULL));
}

void crypto_hmac(const uint8_t key[CRYPTO_KEY_BYTES], const void *p, size_t n,
		 uint8_t out[CRYPTO_HASH_BYTES])
{
	struct kit *k = kit();
	size_t out_n = 0;

	if (k->keyed && crypto_equal(k->key, key, sizeof(k->key))) {
		must(EVP_MAC_init(k->mac, NULL, 0, NULL));
	} else {
		must(EVP_MAC_init(k->mac, key, CRYPTO_KEY_BYTES, NULL));
		memcpy(k->key, key, sizeof(k->key));
		k->keyed = true;
	}
	must(n == 0 || EVP_MAC_update(k->mac, p, n));
	must(EVP_MAC_final(k->mac, out, &out_n, CRYPTO_HASH_BYTES));
	must(out_n == CRYPTO_HASH_BYTES);
}

void crypto_hmac_with(struct span key, const void *p, size_t n,
		      uint8_t out[CRYPTO_HASH_BYTES])
{
	/* NULL would be "the key of before" */
	const void *bytes = key.n > 0 ? (const void *)key.p : "";
	struct kit *k = kit();
	size_t out_n = 0;

	k->keyed = false;
	must(EVP_MAC_init(k->mac, bytes, key.n, NULL));
	must(n == 0 || EVP_MAC_update(k->mac, p, n));
	must(EVP_MAC_final(k->mac, out, &out_n, CRYPTO_HASH_BYTES));
	must(out_n == CRYPTO_HASH_BYTES);
}

void crypto_subkey(const uint8_t key[CRYPTO_KEY_BYTES], const char *label,
		   uint8_t out[CRYPTO_KEY_BYTES])
{
	uint8_t ikm[CRYPTO_KEY_BYTES];
	char *info = b_strdup(label);
	EVP_KDF_CTX *ctx;
	OSSL_PARAM params[4];

	/* parameters want writable memory, though nothing is written */
	memcpy(ikm, key, sizeof(ikm));
	prepare();
	ctx = EVP_KDF_CTX_new(hkdf);
	must(ctx);
	params[0] = digest_param();
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm,
						      sizeof(ikm));
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
						      strlen(info));
	params[3] = OSSL_PARAM_construct_end();
	must(EVP_KDF_derive(ctx, out, CRYPTO_KEY_BYTES, params) > 0);
	EVP_KDF_CTX_free(ctx);
	crypto_wipe(ikm, sizeof(ikm));
	free(info);
}

/* Ready the cipher under key and nonce, and feed it what is bound. */
static EVP_CIPHER_CTX *begin(const uint8_t *key, const uint8_t *nonce,
			     struct span bound, bool seal)
{
	EVP_CIPHER_CTX *c = kit()->cipher;
	int n;

	assert(bound.n <= INT_MAX);
	must(EVP_CipherInit_ex2(c, gcm, key, nonce, seal, NULL));
	must(bound.n == 0 ||
	     EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)bound.p,
			      (int)bound.n));
	return c;
}

void crypto_seal(const uint8_t key[CRYPTO_KEY_BYTES], struct span bound,
		 const void *p, size_t n, void *out)
{
	uint8_t *nonce = out, *text = nonce + CRYPTO_NONCE_BYTES;
	EVP_CIPHER_CTX *c;
	int done = 0;

	assert(n <= INT_MAX - CRYPTO_SEAL_BYTES);
	rng_fill(rng_system(), nonce, CRYPTO_NONCE_BYTES);
	c = begin(key, nonce, bound, true);
	must(n == 0 || EVP_CipherUpdate(c, text, &done, p, (int)n));
	must((size_t)done == n);
	must(EVP_CipherFinal_ex(c, text + n, &done));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_BYTES,
				 text + n));
}

int crypto_open(const uint8_t key[CRYPTO_KEY_BYTES], struct span bound,
		const void *p, size_t n, void *out)
{
	const uint8_t *nonce = p;
	uint8_t tag[CRYPTO_TAG_BYTES], none[1];
	EVP_CIPHER_CTX *c;
	size_t text_n;
	int done = 0;

	if (n < CRYPTO_SEAL_BYTES || n > INT_MAX)
		return -EBADMSG;
	text_n = n - CRYPTO_SEAL_BYTES;
	memcpy(tag, nonce + CRYPTO_NONCE_BYTES + text_n, sizeof(tag));
	c = begin(key, nonce, bound, false);
	must(text_n == 0 ||
	     EVP_CipherUpdate(c, out, &done, nonce + CRYPTO_NONCE_BYTES,
			      (int)text_n));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag));
	if (EVP_CipherFinal_ex(c, none, &done) > 0)
		return 0;
	/* what a forger made us decrypt is for nobody to see */
	if (text_n > 0)
		crypto_wipe(out, text_n);
	return -EBADMSG;
}

void crypto_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[from[i] >> 4];
		*out++ = digits[from[i] & 15];
	}
	*out = '\0';
}

/* The value of a digit, or NO_DIGIT. */
static unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NO_DIGIT;
}

int crypto_unhex(struct span text, void *out, size_t n)
{
	uint8_t *to = out;

	if (text.n % 2 != 0 || text.n / 2 != n)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++)
		if (hex_digit(text.p[i]) == NO_DIGIT)
			return -EINVAL;
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(hex_digit(text.p[2 * i]) << 4 |
				  hex_digit(text.p[2 * i + 1]));
	return 0;
}

void crypto_base64url(const void *p, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789-_";
	const uint8_t *from = p;
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | from[i];
		for (have += 8; have >= 6; have -= 6)
			*out++ = digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = digits[bits << (6 - have) & 63];
	*out = '\0';
}

static unsigned base64url_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '-' ? 62 : c == '_' ? 63 : NO_DIGIT;
}

/* Length, alphabet, and nothing hidden in the bits that the last digit has
 * over: each text then has one reading, and each reading one text. */
static bool base64url_is_good(struct span text, size_t n)
{
	size_t spare = text.n * 6 - n * 8;

	if (text.n != n / 3 * 4 + (n % 3 * 4 + 2) / 3)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (base64url_digit(text.p[i]) == NO_DIGIT)
			return false;
	return spare == 0 ||
	       (base64url_digit(text.p[text.n - 1]) & ((1u << spare) - 1)) == 0;
}

int crypto_unbase64url(struct span text, void *out, size_t n)
{
	uint8_t *to = out;
	unsigned bits = 0, have = 0;

	if (!base64url_is_good(text, n))
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		bits = bits << 6 | base64url_digit(text.p[i]);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*to++ = (uint8_t)(bits >> have);
		}
	}
	return 0;
}

void crypto_base64(const void *p, size_t n, char *out)
{
	assert(n <= INT_MAX / 2);
	if (n == 0)
		*out = '\0';
	else
		(void)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
}
