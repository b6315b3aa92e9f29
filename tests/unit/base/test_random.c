// SPDX-License-Identifier: Apache-2.0
/*
 * test_random.c - repeatable where asked, even everywhere.
 */
#include "support/test.h"

#include <string.h>

#include "base/random.h"

TEST(one_seed_gives_one_sequence)
{
	AUTO(rng) *a = rng_seeded(7), *b = rng_seeded(7), *c = rng_seeded(8);
	uint8_t from_a[33], from_b[33], from_c[33];

	rng_fill(a, from_a, sizeof(from_a));
	rng_fill(b, from_b, sizeof(from_b));
	rng_fill(c, from_c, sizeof(from_c));

	assert_memory_equal(from_a, from_b, sizeof(from_a));
	assert_memory_not_equal(from_a, from_c, sizeof(from_a));
}

TEST(the_sequence_is_splitmix64)
{
	AUTO(rng) *r = rng_seeded(0);
	uint64_t first;

	rng_fill(r, &first, sizeof(first));

	assert_true(first == UINT64_C(0xe220a8397b1dcdaf));
}

TEST(the_kernel_does_not_repeat_itself)
{
	uint8_t a[32], b[32];

	rng_fill(rng_system(), a, sizeof(a));
	rng_fill(rng_system(), b, sizeof(b));

	assert_memory_not_equal(a, b, sizeof(a));
	rng_free(rng_system());
	rng_free(NULL);
}

TEST(below_one_is_zero)
{
	AUTO(rng) *r = rng_seeded(1);

	for (int i = 0; i < 100; i++)
		assert_int_equal(rng_below(r, 1), 0);
}

TEST(every_digit_comes_about_as_often)
{
	AUTO(rng) *r = rng_seeded(1);
	unsigned seen[10] = {0};

	for (int i = 0; i < 100000; i++)
		seen[rng_below(r, 10)]++;
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 9500, 10500);
}

/* Two thirds of the range: the plain remainder would favour the lower half. */
TEST(a_large_range_is_not_lopsided)
{
	const uint32_t n = 0xaaaaaaab;
	AUTO(rng) *r = rng_seeded(2);
	unsigned low = 0;

	for (int i = 0; i < 100000; i++)
		low += rng_below(r, n) < n / 2;
	assert_in_range(low, 49000, 51000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_seed_gives_one_sequence),
		cmocka_unit_test(the_sequence_is_splitmix64),
		cmocka_unit_test(the_kernel_does_not_repeat_itself),
		cmocka_unit_test(below_one_is_zero),
		cmocka_unit_test(every_digit_comes_about_as_often),
		cmocka_unit_test(a_large_range_is_not_lopsided),
	};

	return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
