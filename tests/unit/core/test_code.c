// SPDX-License-Identifier: Apache-2.0
/*
 * test_code.c - are codes uniform (A1), bound to everything (A7), and the same
 * wherever they are derived (A8)?
 *
 * The samples are fixed by their nonces, so a bound that holds once holds
 * always; the bounds are those of chance at about one in a million.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/code.h"
#include "support/test.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

enum { SAMPLE = 1000000, BUCKETS = 1000 };

static struct keyring *ring;

static int set_up(void **state)
{
	struct diag d;

	(void)state;
	return keyring_parse(span_of("b: " HEX_B "\na: " HEX_A), &ring, &d);
}

static int tear_down(void **state)
{
	(void)state;
	keyring_free(ring);
	return 0;
}

static struct code_binding binding(uint8_t nonce[CODE_NONCE_BYTES], uint32_t i)
{
	memset(nonce, 0, CODE_NONCE_BYTES);
	memcpy(nonce, &i, sizeof(i));
	return (struct code_binding){
		.key_id = "a",
		.application = "app_1",
		.verification = "ver_00aabbccdd",
		.nonce = nonce,
		.number = "+14155550100",
		.purpose = "login",
		.amount = "12.50",
		.currency = "EUR",
		.payee = "Acme",
	};
}

static void derive(const struct code_binding *b, unsigned length, bool even,
		   char out[CODE_BYTES])
{
	assert_int_equal(code_derive(ring, b, length, even, out), 0);
}

static double chi_square(const unsigned *seen, size_t n, double expected)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double off = seen[i] - expected;

		sum += off * off / expected;
	}
	return sum;
}

TEST(a_million_codes_are_uniform_in_every_place_and_as_wholes)
{
	static unsigned digit[6][10], bucket[BUCKETS], pair[100];
	uint8_t nonce[CODE_NONCE_BYTES];
	char code[CODE_BYTES];

	for (uint32_t i = 0; i < SAMPLE; i++) {
		struct code_binding b = binding(nonce, i);

		derive(&b, 6, false, code);
		for (size_t at = 0; at < 6; at++)
			digit[at][code[at] - '0']++;
		bucket[strtoul(code, NULL, 10) / (SAMPLE / BUCKETS)]++;
		pair[(code[4] - '0') * 10 + code[5] - '0']++;
	}

	/* 9 degrees of freedom: over 45 is one in a million */
	for (size_t at = 0; at < 6; at++)
		assert_true(chi_square(digit[at], 10, SAMPLE / 10.0) < 45);
	/* 999 and 99: five standard deviations */
	assert_true(chi_square(bucket, BUCKETS, SAMPLE / 1000.0) < 1223);
	assert_true(chi_square(pair, 100, SAMPLE / 100.0) < 170);
}

TEST(leading_zeros_are_kept)
{
	uint8_t nonce[CODE_NONCE_BYTES];
	char code[CODE_BYTES];
	unsigned zeros = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		struct code_binding b = binding(nonce, i);

		derive(&b, 6, false, code);
		assert_int_equal(strlen(code), 6);
		zeros += code[0] == '0';
	}

	assert_in_range(zeros, 800, 1200);
}

TEST(every_length_from_four_to_ten_is_made_and_no_other)
{
	uint8_t nonce[CODE_NONCE_BYTES];
	struct code_binding b = binding(nonce, 1);
	char code[CODE_BYTES] = "kept";

	assert_int_equal(code_derive(ring, &b, 3, false, code), -EINVAL);
	assert_int_equal(code_derive(ring, &b, 11, false, code), -EINVAL);
	assert_int_equal(code_derive(ring, &b, 0, false, code), -EINVAL);
	assert_string_equal(code, "kept");
	for (unsigned n = 4; n <= 10; n++) {
		derive(&b, n, n % 2, code);
		assert_int_equal(strlen(code), n);
		assert_int_equal(strspn(code, "0123456789"), n);
	}
}

TEST(even_codes_have_no_equal_neighbours_and_are_uniform_among_those)
{
	static unsigned first[10], step[100];
	uint8_t nonce[CODE_NONCE_BYTES];
	char code[CODE_BYTES];
	const unsigned n = 200000;

	for (uint32_t i = 0; i < n; i++) {
		struct code_binding b = binding(nonce, i);

		derive(&b, 7, true, code);
		for (size_t at = 1; at < 7; at++)
			assert_true(code[at] != code[at - 1]);
		first[code[0] - '0']++;
		step[(code[5] - '0') * 10 + code[6] - '0']++;
	}

	assert_true(chi_square(first, 10, n / 10.0) < 45);
	for (size_t i = 0; i < 10;
	     i++) /* what cannot be, counted as expected */
		step[i * 11] = n / 90;
	assert_true(chi_square(step, 100, n / 90.0) < 170);
}

TEST(the_same_binding_gives_the_same_code_on_every_node)
{
	AUTO(keyring) *other = NULL;
	uint8_t nonce[CODE_NONCE_BYTES];
	struct code_binding b = binding(nonce, 7);
	char here[CODE_BYTES], there[CODE_BYTES];
	struct diag d;

	assert_int_equal(keyring_parse(span_of("a: " HEX_A), &other, &d), 0);

	derive(&b, 8, false, here);
	assert_int_equal(code_derive(other, &b, 8, false, there), 0);
	assert_string_equal(here, there);
}

/* Computed by an independent program; what is live must stay checkable. */
TEST(the_derivation_never_changes)
{
	uint8_t nonce[CODE_NONCE_BYTES];
	struct code_binding b = binding(nonce, 7);
	char code[CODE_BYTES];

	derive(&b, 10, false, code);
	assert_string_equal(code, "8973045593");
	derive(&b, 10, true, code);
	assert_string_equal(code, "6401384704");
}

static void change_key(struct code_binding *b)
{
	b->key_id = "b";
}
static void change_application(struct code_binding *b)
{
	b->application = "app_2";
}
static void change_verification(struct code_binding *b)
{
	b->verification = "ver_00aabbccde";
}
static void change_number(struct code_binding *b)
{
	b->number = "+14155550101";
}
static void change_purpose(struct code_binding *b)
{
	b->purpose = "payment";
}
static void change_amount(struct code_binding *b)
{
	b->amount = "12.51";
}
static void change_currency(struct code_binding *b)
{
	b->currency = "USD";
}
static void change_payee(struct code_binding *b)
{
	b->payee = NULL;
}
/* the same bytes, cut elsewhere */
static void change_border(struct code_binding *b)
{
	b->purpose = "login12.50";
	b->amount = "";
}
static void change_nothing(struct code_binding *b)
{
	b->payee = "Acme";
}

/* How often codes of four digits stay as they were, of 10,000. */
static unsigned stays(void (*change)(struct code_binding *b))
{
	uint8_t nonce[CODE_NONCE_BYTES];
	char before[CODE_BYTES], after[CODE_BYTES];
	unsigned same = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		struct code_binding b = binding(nonce, i);

		derive(&b, 4, false, before);
		change(&b);
		derive(&b, 4, false, after);
		same += strcmp(before, after) == 0;
	}
	return same;
}

TEST(changing_any_one_part_gives_an_unrelated_code)
{
	static void (*const changes[])(struct code_binding *) = {
		change_key,      change_application, change_verification,
		change_number,   change_purpose,     change_amount,
		change_currency, change_payee,       change_border,
	};

	assert_int_equal(stays(change_nothing), 10000);
	/* one in 10,000 by chance: over 8 of 10,000 is one in a million */
	for (size_t i = 0; i < COUNT_OF(changes); i++)
		assert_in_range(stays(changes[i]), 0, 8);
}

TEST(a_part_that_is_missing_is_the_same_as_an_empty_one)
{
	uint8_t nonce[CODE_NONCE_BYTES];
	struct code_binding with = binding(nonce, 3), without = with;
	char a[CODE_BYTES], b[CODE_BYTES];

	with.payee = "";
	without.payee = NULL;
	derive(&with, 10, false, a);
	derive(&without, 10, false, b);

	assert_string_equal(a, b);
}

TEST(a_key_that_is_not_in_the_ring_makes_nothing)
{
	uint8_t nonce[CODE_NONCE_BYTES];
	struct code_binding b = binding(nonce, 3);
	char code[CODE_BYTES] = "kept";

	b.key_id = "gone";

	assert_int_equal(code_derive(ring, &b, 6, false, code), -ENOKEY);
	assert_string_equal(code, "kept");
}

TEST(a_binding_that_no_record_could_hold_is_refused)
{
	uint8_t nonce[CODE_NONCE_BYTES];
	struct code_binding b = binding(nonce, 3);
	char code[CODE_BYTES], payee[4096];

	memset(payee, 'x', sizeof(payee) - 1);
	payee[sizeof(payee) - 1] = '\0';
	b.payee = payee;

	assert_int_equal(code_derive(ring, &b, 6, false, code), -EINVAL);
}

/* As wholes: a greeting that plays one triple meets each of 512 equally. */
TEST(the_human_check_asks_for_keys_from_1_to_8_evenly)
{
	static unsigned triples[512];
	AUTO(rng) *r = rng_seeded(5);
	const unsigned n = 51200;
	char keys[6];

	for (unsigned i = 0; i < n; i++) {
		code_human(r, 3, keys);
		assert_int_equal(strlen(keys), 3);
		assert_int_equal(strspn(keys, "12345678"), 3);
		triples[(keys[0] - '1') * 64 + (keys[1] - '1') * 8 + keys[2] -
			'1']++;
	}

	/* 511 degrees of freedom: six deviations above the mean */
	assert_true(chi_square(triples, 512, n / 512.0) < 511 + 6 * 32);
	code_human(r, 5, keys);
	assert_int_equal(strspn(keys, "12345678"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_million_codes_are_uniform_in_every_place_and_as_wholes),
		cmocka_unit_test(leading_zeros_are_kept),
		cmocka_unit_test(
			every_length_from_four_to_ten_is_made_and_no_other),
		cmocka_unit_test(
			even_codes_have_no_equal_neighbours_and_are_uniform_among_those),
		cmocka_unit_test(
			the_same_binding_gives_the_same_code_on_every_node),
		cmocka_unit_test(the_derivation_never_changes),
		cmocka_unit_test(changing_any_one_part_gives_an_unrelated_code),
		cmocka_unit_test(
			a_part_that_is_missing_is_the_same_as_an_empty_one),
		cmocka_unit_test(a_key_that_is_not_in_the_ring_makes_nothing),
		cmocka_unit_test(
			a_binding_that_no_record_could_hold_is_refused),
		cmocka_unit_test(
			the_human_check_asks_for_keys_from_1_to_8_evenly),
	};

	return cmocka_run_group_tests_name("core/code", tests, set_up,
					   tear_down);
}
