// SPDX-License-Identifier: Apache-2.0
/*
 * crypto.h - the few primitives we use, over OpenSSL's libcrypto.
 *
 * Any thread.  Nothing here fails for reasons of input except opening a seal
 * and decoding text; a failing libcrypto aborts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

enum {
	CRYPTO_HASH_BYTES = 32,
	CRYPTO_KEY_BYTES = 32,
	CRYPTO_NONCE_BYTES = 12,
	CRYPTO_TAG_BYTES = 16,
	/* what crypto_seal() adds to a plain text: nonce and tag */
	CRYPTO_SEAL_BYTES = CRYPTO_NONCE_BYTES + CRYPTO_TAG_BYTES,
};

bool crypto_equal(const void *a, const void *b, size_t n); /* constant time */
void crypto_wipe(void *p, size_t n); /* not optimised away */

void crypto_sha256(const void *p, size_t n, uint8_t out[CRYPTO_HASH_BYTES]);
void crypto_hmac(const uint8_t key[CRYPTO_KEY_BYTES], const void *p, size_t n,
		 uint8_t out[CRYPTO_HASH_BYTES]); /* HMAC-SHA256, RFC 2104 */
/* The same with a key of any length, as others' protocols have it. */
void crypto_hmac_with(struct span key, const void *p, size_t n,
		      uint8_t out[CRYPTO_HASH_BYTES]);
/* HKDF-SHA256 (RFC 5869) without salt: a sub-key of `key` named by `label`. */
void crypto_subkey(const uint8_t key[CRYPTO_KEY_BYTES], const char *label,
		   uint8_t out[CRYPTO_KEY_BYTES]);

/*
 * AES-256-GCM with a random nonce in front and the tag behind; `bound` is
 * authenticated, not stored.  out has room for n + CRYPTO_SEAL_BYTES.
 */
void crypto_seal(const uint8_t key[CRYPTO_KEY_BYTES], struct span bound,
		 const void *p, size_t n, void *out);
/* out has room for n - CRYPTO_SEAL_BYTES.  -EBADMSG: not ours, or altered. */
MUST_CHECK int crypto_open(const uint8_t key[CRYPTO_KEY_BYTES],
			   struct span bound, const void *p, size_t n,
			   void *out);

/* Text forms.  hex: lower case, 2n+1 bytes out.  base64url: RFC 4648 5, no
 * padding, (n*4+2)/3+1 bytes out.  The readers refuse anything else: -EINVAL. */
void crypto_hex(const void *p, size_t n, char *out);
MUST_CHECK int crypto_unhex(struct span text, void *out, size_t n);
void crypto_base64url(const void *p, size_t n, char *out);
MUST_CHECK int crypto_unbase64url(struct span text, void *out, size_t n);
/* RFC 4648 4, padded, in one line: (n+2)/3*4+1 bytes out. */
void crypto_base64(const void *p, size_t n, char *out);
