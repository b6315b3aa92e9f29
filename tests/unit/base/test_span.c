// SPDX-License-Identifier: Apache-2.0
/*
 * test_span.c - is text without a terminator read to its end and no further?
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/span.h"

#define BYTES(s) span_make(s, sizeof(s) - 1)

TEST(null_is_the_empty_span)
{
	struct span s = span_of(NULL);

	assert_null(s.p);
	assert_int_equal(s.n, 0);
	assert_true(span_is(s, ""));
	assert_false(span_is(s, "a"));
	assert_true(span_starts(s, ""));
}

TEST(comparison_ends_with_the_span)
{
	struct span s = span_make("INVITED", 6);

	assert_true(span_is(s, "INVITE"));
	assert_false(span_is(s, "INVITED"));
	assert_false(span_is(s, "INVIT"));
	assert_true(span_starts(s, "INV"));
	assert_false(span_starts(s, "INVITED"));
}

TEST(trimming_takes_blanks_from_both_ends_only)
{
	assert_true(span_is(span_trim(span_of(" \t a b\r\n")), "a b"));
	assert_true(span_is(span_trim(span_of("  ")), ""));
	assert_true(span_is(span_trim(span_of(NULL)), ""));
}

TEST(cutting_gives_every_part_and_then_ends)
{
	struct span rest = span_of("a,,b"), head;

	assert_true(span_cut(&rest, ',', &head));
	assert_true(span_is(head, "a"));
	assert_true(span_cut(&rest, ',', &head));
	assert_true(span_is(head, ""));
	assert_true(span_cut(&rest, ',', &head));
	assert_true(span_is(head, "b"));
	assert_false(span_cut(&rest, ',', &head));
	assert_true(span_is(head, "b"));
}

TEST(a_separator_at_the_end_leaves_an_empty_part)
{
	struct span rest = span_of("a,"), head;

	assert_true(span_cut(&rest, ',', &head));
	assert_true(span_cut(&rest, ',', &head));
	assert_int_equal(head.n, 0);
	assert_false(span_cut(&rest, ',', &head));
}

TEST(numbers_are_digits_within_a_limit)
{
	uint64_t n = 7;

	assert_int_equal(span_uint(span_of("0"), 9, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(span_uint(span_of("0065535"), 65535, &n), 0);
	assert_int_equal(n, 65535);
	assert_int_equal(
		span_uint(span_of("18446744073709551615"), UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(span_uint(span_of("65536"), 65535, &n), -ERANGE);
	assert_int_equal(span_uint(span_of("18446744073709551616"), UINT64_MAX,
				   &n),
			 -ERANGE);
	assert_true(n == UINT64_MAX);
}

TEST(what_is_no_number_is_refused)
{
	static const char *const bad[] = {"",    "-1",
					  "+1",  " 1",
					  "1 ",  "0x1",
					  "1.0", "99999999999999999999x"};
	uint64_t n = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(span_uint(span_of(bad[i]), 9, &n), -EINVAL);
	assert_int_equal(n, 7);
}

TEST(well_formed_utf8_is_known)
{
	assert_true(span_utf8(span_of(NULL)));
	assert_true(span_utf8(BYTES("plain")));
	assert_true(span_utf8(BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x9e")));
	assert_true(span_utf8(BYTES("\xed\x9f\xbf\xee\x80\x80")));
	assert_true(span_utf8(BYTES("\xf4\x8f\xbf\xbf")));
}

TEST(ill_formed_utf8_is_refused)
{
	assert_false(span_utf8(BYTES("a\0b")));
	assert_false(span_utf8(BYTES("\x80")));
	assert_false(span_utf8(BYTES("\xc0\x80")));
	assert_false(span_utf8(BYTES("\xc1\xbf")));
	assert_false(span_utf8(BYTES("\xe0\x9f\xbf")));
	assert_false(span_utf8(BYTES("\xed\xa0\x80")));
	assert_false(span_utf8(BYTES("\xf0\x8f\xbf\xbf")));
	assert_false(span_utf8(BYTES("\xf4\x90\x80\x80")));
	assert_false(span_utf8(BYTES("\xf5\x80\x80\x80")));
	assert_false(span_utf8(BYTES("\xe2\x82")));
	assert_false(span_utf8(BYTES("\xe2\x82q")));
	assert_false(span_utf8(BYTES("\xc3")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_the_empty_span),
		cmocka_unit_test(comparison_ends_with_the_span),
		cmocka_unit_test(trimming_takes_blanks_from_both_ends_only),
		cmocka_unit_test(cutting_gives_every_part_and_then_ends),
		cmocka_unit_test(a_separator_at_the_end_leaves_an_empty_part),
		cmocka_unit_test(numbers_are_digits_within_a_limit),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(well_formed_utf8_is_known),
		cmocka_unit_test(ill_formed_utf8_is_refused),
	};

	return cmocka_run_group_tests_name("base/span", tests, NULL, NULL);
}
