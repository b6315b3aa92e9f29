// SPDX-License-Identifier: Apache-2.0
/*
 * test_crypto.c - the published vectors, and everything that must be refused.
 */
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/crypto.h"

#define BYTES(s) span_make(s, sizeof(s) - 1)

static const uint8_t key_a[CRYPTO_KEY_BYTES] = {1, 2, 3};
static const uint8_t key_b[CRYPTO_KEY_BYTES] = {1, 2, 4};

static void assert_hex(const uint8_t hash[CRYPTO_HASH_BYTES], const char *hex)
{
	char got[2 * CRYPTO_HASH_BYTES + 1];

	crypto_hex(hash, CRYPTO_HASH_BYTES, got);
	assert_string_equal(got, hex);
}

/* RFC 2104 fills a short key up with zeroes and hashes a long one, so keys of
 * any length can be put in our one length. */
static void assert_hmac(struct span key, struct span data, const char *hex)
{
	uint8_t padded[CRYPTO_KEY_BYTES] = {0}, out[CRYPTO_HASH_BYTES];

	if (key.n <= sizeof(padded))
		memcpy(padded, key.p, key.n);
	else
		crypto_sha256(key.p, key.n, padded);
	crypto_hmac(padded, data.p, data.n, out);
	assert_hex(out, hex);
}

/* FIPS 180-2 B.1 and the empty message. */
TEST(sha256_agrees_with_its_standard)
{
	uint8_t out[CRYPTO_HASH_BYTES];

	crypto_sha256("abc", 3, out);
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad");
	crypto_sha256(NULL, 0, out);
	assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test cases 1 to 4, 6 and 7 (5 is about truncation). */
TEST(hmac_agrees_with_rfc_4231)
{
	char key[131], data[50], counting[25];

	memset(key, 0x0b, 20);
	assert_hmac(span_make(key, 20), BYTES("Hi There"),
		    "b0344c61d8db38535ca8afceaf0bf12b"
		    "881dc200c9833da726e9376c2e32cff7");
	assert_hmac(BYTES("Jefe"), BYTES("what do ya want for nothing?"),
		    "5bdcc146bf60754e6a042426089575c7"
		    "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	assert_hmac(span_make(key, 20), span_make(data, sizeof(data)),
		    "773ea91e36800e46854db8ebd09181a7"
		    "2959098b3ef8c122d9635514ced565fe");
	for (int i = 0; i < 25; i++)
		counting[i] = (char)(i + 1);
	memset(data, 0xcd, sizeof(data));
	assert_hmac(span_make(counting, 25), span_make(data, sizeof(data)),
		    "82558a389a443c0ea4cc819899f2083a"
		    "85f0faa3e578f8077a2e3ff46729665b");
	assert_hmac(span_make(key, sizeof(key)),
		    BYTES("Test Using Larger Than Block-Size Key - "
			  "Hash Key First"),
		    "60e431591ee0b67f0d8a26aacbf5b77f"
		    "8e0bc6213728c5140546040f0ee37f54");
	assert_hmac(span_make(key, sizeof(key)),
		    BYTES("This is a test using a larger than block-size key "
			  "and a larger than block-size data. The key needs "
			  "to be hashed before being used by the HMAC "
			  "algorithm."),
		    "9b09ffa71b942fcb27635fbcd5b0e944"
		    "bfdc63644f0713938a7f51535c3a35e2");
}

TEST(hmac_does_not_mix_up_keys)
{
	uint8_t a[CRYPTO_HASH_BYTES], b[CRYPTO_HASH_BYTES];
	uint8_t again[CRYPTO_HASH_BYTES];

	crypto_hmac(key_a, "x", 1, a);
	crypto_hmac(key_b, "x", 1, b);
	assert_memory_not_equal(a, b, sizeof(a));
	crypto_hmac(key_a, "x", 1, again);
	assert_memory_equal(a, again, sizeof(a));
	crypto_hmac(key_a, "x", 1, again);
	assert_memory_equal(a, again, sizeof(a));
	crypto_hmac(key_a, NULL, 0, b);
	crypto_hmac(key_a, "", 0, again);
	assert_memory_equal(b, again, sizeof(a));
}

static void *hmac_elsewhere(void *out)
{
	for (int i = 0; i < 1000; i++) {
		crypto_hmac(key_b, "y", 1, out);
		crypto_hmac(key_a, "x", 1, out);
	}
	return NULL;
}

TEST(threads_hash_side_by_side)
{
	uint8_t here[CRYPTO_HASH_BYTES], there[4][CRYPTO_HASH_BYTES];
	pthread_t threads[4];

	crypto_hmac(key_a, "x", 1, here);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						hmac_elsewhere, there[i]),
				 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_memory_equal(here, there[i], sizeof(here));
	}
}

/*
 * The vectors of RFC 5869 have input keys of other lengths than ours.  2.2 and
 * 2.3 say what it is without salt: the key of the first HMAC is zeroes, and
 * one block of output is enough.
 */
TEST(subkeys_agree_with_rfc_5869)
{
	static const uint8_t no_salt[CRYPTO_KEY_BYTES];
	uint8_t prk[CRYPTO_HASH_BYTES], want[CRYPTO_HASH_BYTES];
	uint8_t got[CRYPTO_KEY_BYTES], key[CRYPTO_KEY_BYTES];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	crypto_hmac(no_salt, key, sizeof(key), prk);
	crypto_hmac(prk, "code\x01", 5, want);
	crypto_subkey(key, "code", got);
	assert_memory_equal(got, want, sizeof(got));
	/* and an implementation that is not ours */
	assert_hex(got, "27ed8b06199c972b481bef5d83924e2e"
			"bb77316c8b384b98be4ca33736e63d0d");
	crypto_hmac(prk, "\x01", 1, want);
	crypto_subkey(key, "", got);
	assert_memory_equal(got, want, sizeof(got));
}

TEST(subkeys_differ_by_label_and_key)
{
	uint8_t a[CRYPTO_KEY_BYTES], b[CRYPTO_KEY_BYTES];

	crypto_subkey(key_a, "code", a);
	crypto_subkey(key_a, "seal", b);
	assert_memory_not_equal(a, b, sizeof(a));
	crypto_subkey(key_b, "code", b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* The GCM specification (McGrew, Viega 2005), test case 16, read by opening. */
TEST(opening_agrees_with_the_gcm_test_case)
{
	uint8_t key[CRYPTO_KEY_BYTES], sealed[60 + CRYPTO_SEAL_BYTES];
	uint8_t bound[20], want[60], got[60];

	assert_int_equal(crypto_unhex(BYTES("feffe9928665731c6d6a8f9467308308"
					    "feffe9928665731c6d6a8f9467308308"),
				      key, sizeof(key)),
			 0);
	assert_int_equal(crypto_unhex(BYTES("feedfacedeadbeeffeedfacedeadbeef"
					    "abaddad2"),
				      bound, sizeof(bound)),
			 0);
	assert_int_equal(crypto_unhex(BYTES("cafebabefacedbaddecaf888"
					    "522dc1f099567d07f47f37a32a84427d"
					    "643a8cdcbfe5c0c97598a2bd2555d1aa"
					    "8cb08e48590dbb3da7b08b1056828838"
					    "c5f61e6393ba7a0abcc9f662"
					    "76fc6ece0f4e1768cddf8853bb2d551b"),
				      sealed, sizeof(sealed)),
			 0);
	assert_int_equal(crypto_unhex(BYTES("d9313225f88406e5a55909c5aff5269a"
					    "86a7a9531534f7da2e4c303d8a318a72"
					    "1c3c0c95956809532fcf0e2449a6b525"
					    "b16aedf5aa0de657ba637b39"),
				      want, sizeof(want)),
			 0);

	assert_int_equal(crypto_open(key, span_make(bound, sizeof(bound)),
				     sealed, sizeof(sealed), got),
			 0);
	assert_memory_equal(got, want, sizeof(want));
}

TEST(what_was_sealed_opens)
{
	uint8_t sealed[5 + CRYPTO_SEAL_BYTES], again[5 + CRYPTO_SEAL_BYTES];
	char text[6] = "";

	crypto_seal(key_a, span_of("id"), "hello", 5, sealed);
	crypto_seal(key_a, span_of("id"), "hello", 5, again);

	assert_memory_not_equal(sealed, again, sizeof(sealed));
	assert_int_equal(crypto_open(key_a, span_of("id"), sealed,
				     sizeof(sealed), text),
			 0);
	assert_string_equal(text, "hello");
}

TEST(nothing_can_be_sealed_too)
{
	uint8_t sealed[CRYPTO_SEAL_BYTES];

	crypto_seal(key_a, span_of(NULL), NULL, 0, sealed);

	assert_int_equal(crypto_open(key_a, span_of(NULL), sealed,
				     sizeof(sealed), NULL),
			 0);
	sealed[CRYPTO_SEAL_BYTES - 1] ^= 1;
	assert_int_equal(crypto_open(key_a, span_of(NULL), sealed,
				     sizeof(sealed), NULL),
			 -EBADMSG);
}

TEST(one_altered_bit_anywhere_is_noticed)
{
	static const char wiped[5];
	uint8_t sealed[5 + CRYPTO_SEAL_BYTES];

	crypto_seal(key_a, span_of("id"), "hello", 5, sealed);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		char text[5] = {0};

		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(crypto_open(key_a, span_of("id"), sealed,
					     sizeof(sealed), text),
				 -EBADMSG);
		assert_memory_equal(text, wiped, sizeof(text));
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

TEST(another_key_another_binding_or_a_cut_does_not_open)
{
	uint8_t sealed[5 + CRYPTO_SEAL_BYTES];
	char text[sizeof(sealed)];

	crypto_seal(key_a, span_of("id"), "hello", 5, sealed);

	assert_int_equal(crypto_open(key_b, span_of("id"), sealed,
				     sizeof(sealed), text),
			 -EBADMSG);
	assert_int_equal(crypto_open(key_a, span_of("ie"), sealed,
				     sizeof(sealed), text),
			 -EBADMSG);
	assert_int_equal(crypto_open(key_a, span_of(NULL), sealed,
				     sizeof(sealed), text),
			 -EBADMSG);
	for (size_t n = 0; n < sizeof(sealed); n++)
		assert_int_equal(crypto_open(key_a, span_of("id"), sealed, n,
					     text),
				 -EBADMSG);
}

TEST(equality_looks_at_every_byte)
{
	assert_true(crypto_equal("abc", "abc", 3));
	assert_true(crypto_equal("abc", "xyz", 0));
	assert_false(crypto_equal("abc", "abd", 3));
	assert_false(crypto_equal("abc", "bbc", 3));
}

TEST(wiped_is_zero)
{
	static const char zeroes[8];
	char secret[8] = "secret!";

	crypto_wipe(secret, sizeof(secret));

	assert_memory_equal(secret, zeroes, sizeof(secret));
}

TEST(hex_is_exact_in_length_and_lower_case)
{
	uint8_t out[2] = {7, 7};

	assert_int_equal(crypto_unhex(BYTES("00fe"), out, 2), 0);
	assert_memory_equal(out, "\x00\xfe", 2);
	assert_int_equal(crypto_unhex(BYTES(""), out, 0), 0);
	assert_int_equal(crypto_unhex(BYTES("00FE"), out, 2), -EINVAL);
	assert_int_equal(crypto_unhex(BYTES("00fg"), out, 2), -EINVAL);
	assert_int_equal(crypto_unhex(BYTES("00f"), out, 2), -EINVAL);
	assert_int_equal(crypto_unhex(BYTES("00f"), out, 1), -EINVAL);
	assert_int_equal(crypto_unhex(BYTES("00fe00"), out, 2), -EINVAL);
	assert_int_equal(crypto_unhex(BYTES("0x11"), out, 2), -EINVAL);
	assert_memory_equal(out, "\x00\xfe", 2);
}

/* RFC 4648 10, in the alphabet of its section 5 and without padding. */
TEST(base64url_agrees_with_rfc_4648)
{
	static const char *const fronts[] = {
		"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
	char text[16], back[16];

	for (size_t n = 0; n < COUNT_OF(fronts); n++) {
		crypto_base64url("foobar", n, text);
		assert_string_equal(text, fronts[n]);
		assert_int_equal(crypto_unbase64url(span_of(text), back, n), 0);
		assert_memory_equal(back, "foobar", n);
	}
	crypto_base64url("\xfb\xff\xfe", 3, text);
	assert_string_equal(text, "-__-");
	assert_int_equal(crypto_unbase64url(span_of(text), back, 3), 0);
	assert_memory_equal(back, "\xfb\xff\xfe", 3);
}

TEST(other_forms_of_base64_are_refused)
{
	char out[4] = "abc";

	assert_int_equal(crypto_unbase64url(BYTES("Zg=="), out, 1), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("+//+"), out, 3), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("Zm9 "), out, 3), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("Zm9v\n"), out, 3), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("Zm9v"), out, 2), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("Zm9"), out, 3), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("Z"), out, 0), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES(""), out, 1), -EINVAL);
	/* bits left over that are not zero: a second text for one value */
	assert_int_equal(crypto_unbase64url(BYTES("Zh"), out, 1), -EINVAL);
	assert_int_equal(crypto_unbase64url(BYTES("Zm9"), out, 2), -EINVAL);
	assert_string_equal(out, "abc");
}

TEST(base64_agrees_with_rfc_4648)
{
	static const char *const pairs[][2] = {{"", ""},
					       {"f", "Zg=="},
					       {"fo", "Zm8="},
					       {"foo", "Zm9v"},
					       {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="},
					       {"foobar", "Zm9vYmFy"},
					       {"\xfb\xff", "+/8="}};
	char out[16];

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		crypto_base64(pairs[i][0], strlen(pairs[i][0]), out);
		assert_string_equal(out, pairs[i][1]);
	}
}

/* RFC 4231 4.2 to 4.7: keys of 20, 4 and 131 bytes; and none at all. */
TEST(hmac_takes_keys_of_any_length)
{
	uint8_t key[131], out[CRYPTO_HASH_BYTES];
	char hex[2 * CRYPTO_HASH_BYTES + 1];

	memset(key, 0x0b, 20);
	crypto_hmac_with(span_make(key, 20), "Hi There", 8, out);
	crypto_hex(out, sizeof(out), hex);
	assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b"
				 "881dc200c9833da726e9376c2e32cff7");
	crypto_hmac_with(span_of("Jefe"), "what do ya want for nothing?", 28,
			 out);
	crypto_hex(out, sizeof(out), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c7"
				 "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	crypto_hmac_with(
		span_make(key, sizeof(key)),
		"Test Using Larger Than Block-Size Key - Hash Key First", 54,
		out);
	crypto_hex(out, sizeof(out), hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f"
				 "8e0bc6213728c5140546040f0ee37f54");
	crypto_hmac_with((struct span){0}, "", 0, out);
	crypto_hex(out, sizeof(out), hex);
	assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5"
				 "ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_agrees_with_its_standard),
		cmocka_unit_test(hmac_agrees_with_rfc_4231),
		cmocka_unit_test(hmac_does_not_mix_up_keys),
		cmocka_unit_test(hmac_takes_keys_of_any_length),
		cmocka_unit_test(threads_hash_side_by_side),
		cmocka_unit_test(subkeys_agree_with_rfc_5869),
		cmocka_unit_test(subkeys_differ_by_label_and_key),
		cmocka_unit_test(opening_agrees_with_the_gcm_test_case),
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(nothing_can_be_sealed_too),
		cmocka_unit_test(one_altered_bit_anywhere_is_noticed),
		cmocka_unit_test(
			another_key_another_binding_or_a_cut_does_not_open),
		cmocka_unit_test(equality_looks_at_every_byte),
		cmocka_unit_test(wiped_is_zero),
		cmocka_unit_test(hex_is_exact_in_length_and_lower_case),
		cmocka_unit_test(base64url_agrees_with_rfc_4648),
		cmocka_unit_test(other_forms_of_base64_are_refused),
		cmocka_unit_test(base64_agrees_with_rfc_4648),
	};

	return cmocka_run_group_tests_name("base/crypto", tests, NULL, NULL);
}
