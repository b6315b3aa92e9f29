// SPDX-License-Identifier: Apache-2.0
/*
 * test_keyring.c - is the ring read strictly, kept whole, and told apart from
 * another one?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/keyring.h"
#include "support/test.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_C "fe0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct keyring *ring(const char *text)
{
	struct keyring *k = NULL;
	struct diag d = {0};

	assert_int_equal(keyring_parse(span_of(text), &k, &d), 0);
	assert_non_null(k);
	return k;
}

static struct diag refused(const char *text)
{
	struct keyring *untouched = (struct keyring *)0x1, *k = untouched;
	struct diag d = {0};

	assert_int_equal(keyring_parse(span_of(text), &k, &d), -EINVAL);
	assert_ptr_equal(k, untouched);
	assert_null(strstr(d.message, HEX_A));
	return d;
}

TEST(the_first_key_makes_and_the_last_hashes)
{
	AUTO(keyring) *two = ring("new: " HEX_B "\nold: " HEX_A "\n");
	AUTO(keyring) *one = ring("old: " HEX_A "\n");

	assert_string_equal(keyring_maker(two), "new");
	assert_memory_equal(keyring_key(two, NULL, KEYRING_CODE),
			    keyring_key(two, "new", KEYRING_CODE), 32);
	assert_memory_equal(keyring_key(two, NULL, KEYRING_NUMBER_HASH),
			    keyring_key(one, NULL, KEYRING_NUMBER_HASH), 32);
	assert_memory_equal(keyring_key(two, NULL, KEYRING_TOKEN),
			    keyring_key(one, NULL, KEYRING_TOKEN), 32);
	assert_memory_equal(keyring_key(two, "old", KEYRING_CODE),
			    keyring_key(one, "old", KEYRING_CODE), 32);
	assert_null(keyring_key(two, "older", KEYRING_CODE));
}

TEST(each_use_has_a_key_of_its_own_and_none_is_the_key)
{
	AUTO(keyring) *k = ring("a: " HEX_A);
	uint8_t raw[32];

	assert_int_equal(crypto_unhex(span_of(HEX_A), raw, 32), 0);

	for (int i = 0; i < KEYRING_USES; i++) {
		const uint8_t *x = keyring_key(k, NULL, (enum keyring_use)i);

		assert_memory_not_equal(x, raw, 32);
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(
				x, keyring_key(k, NULL, (enum keyring_use)j),
				32);
	}
}

TEST(comments_blanks_carriage_returns_and_capitals_are_fine)
{
	AUTO(keyring) *k = ring("# the ring\r\n\r\n  a :  "
				"000102030405060708090A0B0C0D0E0F"
				"101112131415161718191A1B1C1D1E1F \r\n");
	AUTO(keyring) *same = ring("a: " HEX_A);

	assert_memory_equal(keyring_key(k, "a", KEYRING_CODE),
			    keyring_key(same, "a", KEYRING_CODE), 32);
}

TEST(what_is_wrong_is_told_with_line_and_column)
{
	static const struct {
		const char *text;
		int line, column;
	} cases[] = {
		{"", 0, 0},
		{"# nothing but this\n", 0, 0},
		{"a: " HEX_A "\nno colon here\n", 2, 1},
		{"a: " HEX_A "\n  b: 1234\n", 2, 6},
		{"a: " HEX_A "0\n", 1, 4},
		{"a:\n", 1, 3},
		{": " HEX_A "\n", 1, 1},
		{"a b: " HEX_A "\n", 1, 1},
		{"seventeen-letters: " HEX_A "\n", 1, 1},
		{"a: " HEX_A "\na: " HEX_B "\n", 2, 1},
		{"a: " HEX_A "\nb: " HEX_A "\n", 2, 1},
		{"a: g00102030405060708090a0b0c0d0e0f1011121314151617"
		 "18191a1b1c1d1e1f\n",
		 1, 4},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct diag d = refused(cases[i].text);

		assert_int_equal(d.line, cases[i].line);
		assert_int_equal(d.column, cases[i].column);
		assert_true(d.message[0] != '\0');
	}
}

TEST(a_duplicate_names_the_line_of_the_other)
{
	struct diag d = refused("a: " HEX_A "\n\na: " HEX_B "\n");

	assert_non_null(strstr(d.message, "line 1"));
}

TEST(seventeen_keys_are_too_many)
{
	AUTO_BUF(text, 8192);

	for (unsigned i = 0; i < 17; i++)
		buf_printf(&text, "k%u: %064x\n", i, i + 1);

	assert_int_equal(refused(text.p).line, 17);
}

TEST(a_file_that_is_too_large_is_refused_unread)
{
	AUTO_BUF(text, 16384);

	for (unsigned i = 0; i <= KEYRING_TEXT_MAX; i++)
		buf_byte(&text, '#');

	(void)refused(text.p);
}

TEST(a_made_ring_can_be_read_and_no_two_are_alike)
{
	AUTO(rng) *r = rng_seeded(1);
	AUTO_BUF(one, 1024);
	AUTO_BUF(two, 1024);
	AUTO(keyring) *k = NULL;
	struct diag d;

	keyring_make(r, &one);
	keyring_make(r, &two);

	assert_int_equal(keyring_parse(buf_view(&one), &k, &d), 0);
	assert_string_equal(keyring_maker(k), "k1");
	assert_string_not_equal(one.p, two.p);
}

TEST(rotation_puts_a_new_key_in_front_and_keeps_the_rest)
{
	static const char old[] = "# mine\nk7: " HEX_B "\nfirst: " HEX_A "\n";
	AUTO(rng) *r = rng_seeded(2);
	AUTO_BUF(text, 8192);
	AUTO(keyring) *before = ring(old);
	AUTO(keyring) *after = NULL;
	struct diag d = {0};
	char a[KEYRING_HASH_BYTES], b[KEYRING_HASH_BYTES];

	assert_int_equal(keyring_rotate(span_of(old), r, &text, &d), 0);
	assert_int_equal(keyring_parse(buf_view(&text), &after, &d), 0);

	assert_string_equal(keyring_maker(after), "k8");
	assert_non_null(strstr(text.p, old));
	assert_memory_equal(keyring_key(before, "k7", KEYRING_CODE),
			    keyring_key(after, "k7", KEYRING_CODE), 32);
	keyring_hash_number(before, "+14155550100", a);
	keyring_hash_number(after, "+14155550100", b);
	assert_string_equal(a, b);
}

TEST(a_full_or_broken_ring_does_not_rotate)
{
	AUTO(rng) *r = rng_seeded(2);
	AUTO_BUF(full, 8192);
	AUTO_BUF(out, 8192);
	struct diag d = {0};

	for (unsigned i = 0; i < 16; i++)
		buf_printf(&full, "k%u: %064x\n", i, i + 1);

	assert_int_equal(keyring_rotate(buf_view(&full), r, &out, &d), -EINVAL);
	assert_int_equal(keyring_rotate(span_of("a: b"), r, &out, &d), -EINVAL);
	assert_int_equal(out.n, 0);
}

static int fits(const struct keyring *k, const char *known, char *now,
		struct diag *d)
{
	AUTO_BUF(b, 1024);
	int err;

	*d = (struct diag){0};
	err = keyring_fits(k, known, &b, d);
	if (!err)
		(void)snprintf(now, 1024, "%s", b.p);
	return err;
}

TEST(a_new_store_takes_any_ring_and_knows_it_from_then_on)
{
	AUTO(keyring) *k = ring("a: " HEX_A);
	AUTO(keyring) *other = ring("a: " HEX_B);
	char known[1024], again[1024];
	struct diag d;

	assert_int_equal(fits(k, "", known, &d), 0);
	assert_int_equal(fits(k, known, again, &d), 0);
	assert_string_equal(known, again);
	assert_null(strstr(known, "00010203"));

	assert_int_equal(fits(other, known, again, &d), -EINVAL);
	assert_non_null(strstr(d.message, "a"));
}

TEST(a_rotated_ring_fits_and_one_that_lost_a_key_does_not)
{
	AUTO(keyring) *one = ring("a: " HEX_A);
	AUTO(keyring) *two = ring("b: " HEX_B "\na: " HEX_A);
	AUTO(keyring) *lost = ring("b: " HEX_B);
	char known[1024], wider[1024], now[1024];
	struct diag d;

	assert_int_equal(fits(one, "", known, &d), 0);
	assert_int_equal(fits(two, known, wider, &d), 0);

	assert_int_equal(fits(lost, wider, now, &d), -EINVAL);
	assert_non_null(strstr(d.message, "a is missing"));
	assert_int_equal(fits(one, wider, now, &d), -EINVAL);
	assert_non_null(strstr(d.message, "b is missing"));
}

TEST(the_oldest_key_must_stay_the_oldest)
{
	AUTO(keyring) *right = ring("b: " HEX_B "\na: " HEX_A);
	AUTO(keyring) *turned = ring("a: " HEX_A "\nb: " HEX_B);
	AUTO(keyring) *below = ring("b: " HEX_B "\na: " HEX_A "\nc: " HEX_C);
	char known[1024], now[1024];
	struct diag d;

	assert_int_equal(fits(right, "", known, &d), 0);

	assert_int_equal(fits(turned, known, now, &d), -EINVAL);
	assert_int_equal(fits(below, known, now, &d), -EINVAL);
}

TEST(a_damaged_note_is_refused_and_not_believed)
{
	AUTO(keyring) *k = ring("a: " HEX_A);
	char now[1024];
	struct diag d;

	assert_int_equal(fits(k, "a", now, &d), -EINVAL);
	assert_int_equal(fits(k, "a=", now, &d), -EINVAL);
	assert_int_equal(fits(k, "=0011", now, &d), -EINVAL);
	assert_int_equal(fits(k, "a very long id that is none=00", now, &d),
			 -EINVAL);
}

TEST(what_is_sealed_can_be_opened_also_after_a_rotation)
{
	AUTO(keyring) *one = ring("a: " HEX_A);
	AUTO(keyring) *two = ring("b: " HEX_B "\na: " HEX_A);
	AUTO(keyring) *other = ring("b: " HEX_B);
	struct span bound = span_of("ver_1"), plain = span_of("+14155550100");
	uint8_t sealed[KEYRING_SEALED_MAX];
	char out[32] = "";
	struct span s;
	size_t n;

	assert_int_equal(keyring_seal(one, KEYRING_NUMBER_SEAL, bound, plain,
				      sealed, &n),
			 0);
	s = span_make(sealed, n);

	assert_int_equal(keyring_open(two, KEYRING_NUMBER_SEAL, bound, s, out,
				      sizeof(out)),
			 0);
	assert_string_equal(out, "+14155550100");
	assert_int_equal(keyring_open(other, KEYRING_NUMBER_SEAL, bound, s, out,
				      sizeof(out)),
			 -ENOKEY);
	assert_int_equal(keyring_open(one, KEYRING_CODE_SEAL, bound, s, out,
				      sizeof(out)),
			 -EBADMSG);
	assert_int_equal(keyring_open(one, KEYRING_NUMBER_SEAL,
				      span_of("ver_2"), s, out, sizeof(out)),
			 -EBADMSG);
	assert_int_equal(keyring_open(one, KEYRING_NUMBER_SEAL, bound, s, out,
				      12),
			 -E2BIG);
}

TEST(a_seal_that_was_altered_or_cut_anywhere_does_not_open)
{
	AUTO(keyring) *k = ring("a: " HEX_A);
	struct span bound = span_of("ver_1");
	uint8_t sealed[KEYRING_SEALED_MAX];
	char out[64];
	size_t n;

	assert_int_equal(keyring_seal(k, KEYRING_CODE_SEAL, bound,
				      span_of("482913"), sealed, &n),
			 0);

	for (size_t i = 0; i < n; i++) {
		struct span s = span_make(sealed, n);

		sealed[i] ^= 0x40;
		assert_true(keyring_open(k, KEYRING_CODE_SEAL, bound, s, out,
					 sizeof(out)) < 0);
		sealed[i] ^= 0x40;
		assert_true(keyring_open(k, KEYRING_CODE_SEAL, bound,
					 span_make(sealed, i), out,
					 sizeof(out)) < 0);
	}
}

TEST(a_long_text_opens_for_its_own_use_and_record_only)
{
	AUTO(keyring) *k = ring("k1: " HEX_A "\n");
	AUTO_BUF(plain, 8 << 10);
	AUTO_BUF(sealed, 9 << 10);
	AUTO_BUF(out, 9 << 10);
	struct span a = span_of("ver_a"), b = span_of("ver_b");

	while (plain.n < plain.max)
		buf_byte(&plain, 'p');
	keyring_seal_text(k, KEYRING_PARAM_SEAL, a, buf_view(&plain), &sealed);
	assert_int_equal(sealed.err, 0);
	assert_null(memmem(sealed.p, sealed.n, "pppp", 4));

	assert_int_equal(keyring_open_text(k, KEYRING_PARAM_SEAL, b,
					   buf_view(&sealed), &out),
			 -EBADMSG);
	assert_int_equal(keyring_open_text(k, KEYRING_CODE_SEAL, a,
					   buf_view(&sealed), &out),
			 -EBADMSG);
	assert_int_equal(keyring_open_text(k, KEYRING_PARAM_SEAL, a,
					   span_make(sealed.p, 20), &out),
			 -EBADMSG);
	assert_int_equal(out.n, 0);
	assert_int_equal(keyring_open_text(k, KEYRING_PARAM_SEAL, a,
					   buf_view(&sealed), &out),
			 0);
	assert_int_equal(out.n, plain.n);
	assert_memory_equal(out.p, plain.p, plain.n);
}

TEST(a_text_that_would_not_fit_is_not_sealed)
{
	AUTO(keyring) *k = ring("sixteen-letters_: " HEX_A);
	uint8_t sealed[KEYRING_SEALED_MAX];
	char text[128];
	size_t n = 0, most = 0;

	memset(text, '7', sizeof(text));
	while (most < sizeof(text) &&
	       keyring_seal(k, KEYRING_CODE_SEAL, span_of(""),
			    span_make(text, most), sealed, &n) == 0)
		most++;

	assert_int_equal(n, KEYRING_SEALED_MAX);
	assert_true(most > 40);
	assert_int_equal(keyring_seal(k, KEYRING_CODE_SEAL, span_of(""),
				      span_make(text, most), sealed, &n),
			 -E2BIG);
}

TEST(a_hash_is_keyed_and_one_number_has_one)
{
	AUTO(keyring) *one = ring("a: " HEX_A);
	AUTO(keyring) *other = ring("a: " HEX_B);
	char a[KEYRING_HASH_BYTES], b[KEYRING_HASH_BYTES];

	keyring_hash_number(one, "+14155550100", a);
	keyring_hash_number(one, "+14155550100", b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), 32);
	keyring_hash_number(one, "+14155550101", b);
	assert_string_not_equal(a, b);
	keyring_hash_number(other, "+14155550100", b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_key_makes_and_the_last_hashes),
		cmocka_unit_test(
			each_use_has_a_key_of_its_own_and_none_is_the_key),
		cmocka_unit_test(
			comments_blanks_carriage_returns_and_capitals_are_fine),
		cmocka_unit_test(what_is_wrong_is_told_with_line_and_column),
		cmocka_unit_test(a_duplicate_names_the_line_of_the_other),
		cmocka_unit_test(seventeen_keys_are_too_many),
		cmocka_unit_test(a_file_that_is_too_large_is_refused_unread),
		cmocka_unit_test(a_made_ring_can_be_read_and_no_two_are_alike),
		cmocka_unit_test(
			rotation_puts_a_new_key_in_front_and_keeps_the_rest),
		cmocka_unit_test(a_full_or_broken_ring_does_not_rotate),
		cmocka_unit_test(
			a_new_store_takes_any_ring_and_knows_it_from_then_on),
		cmocka_unit_test(
			a_rotated_ring_fits_and_one_that_lost_a_key_does_not),
		cmocka_unit_test(the_oldest_key_must_stay_the_oldest),
		cmocka_unit_test(a_damaged_note_is_refused_and_not_believed),
		cmocka_unit_test(
			what_is_sealed_can_be_opened_also_after_a_rotation),
		cmocka_unit_test(
			a_seal_that_was_altered_or_cut_anywhere_does_not_open),
		cmocka_unit_test(
			a_long_text_opens_for_its_own_use_and_record_only),
		cmocka_unit_test(a_text_that_would_not_fit_is_not_sealed),
		cmocka_unit_test(a_hash_is_keyed_and_one_number_has_one),
	};

	return cmocka_run_group_tests_name("core/keyring", tests, NULL, NULL);
}
