// SPDX-License-Identifier: Apache-2.0
/*
 * test_mem.c - is there always something to free, however odd the size?
 */
#include "support/test.h"

#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

TEST(new_memory_is_zero)
{
	static const char zeroes[64];
	AUTO_FREE char *p = b_zero(8, 8);

	assert_memory_equal(p, zeroes, 64);
}

TEST(no_size_is_no_failure)
{
	AUTO_FREE char *none = b_zero(0, 8), *grown = b_grow(NULL, 0, 1);

	assert_non_null(none);
	assert_non_null(grown);
}

TEST(growing_keeps_what_is_there)
{
	AUTO_FREE char *p = b_strdup("abc");

	p = b_grow(p, 1000, 4);

	assert_string_equal(p, "abc");
}

TEST(a_copy_of_nothing_is_null)
{
	AUTO_FREE char *two = b_copy("xyz", 2);

	assert_null(b_copy("xyz", 0));
	assert_null(b_strdup(NULL));
	assert_memory_equal(two, "xy", 2);
}

TEST(part_of_a_text_is_terminated)
{
	AUTO_FREE char *part = b_strndup("abcdef", 3);
	AUTO_FREE char *whole = b_strndup("ab", 9);
	AUTO_FREE char *none = b_strndup(NULL, 0);

	assert_string_equal(part, "abc");
	assert_string_equal(whole, "ab");
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_is_zero),
		cmocka_unit_test(no_size_is_no_failure),
		cmocka_unit_test(growing_keeps_what_is_there),
		cmocka_unit_test(a_copy_of_nothing_is_null),
		cmocka_unit_test(part_of_a_text_is_terminated),
	};

	return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
