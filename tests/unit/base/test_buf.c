// SPDX-License-Identifier: Apache-2.0
/*
 * test_buf.c - does a buffer grow to its limit, and say so there?
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"

TEST(parts_add_up_and_are_terminated)
{
	AUTO_BUF(b, 1000);

	buf_str(&b, "a");
	buf_add(&b, "bcX", 2);
	buf_byte(&b, 'd');
	buf_span(&b, span_make("efX", 2));
	buf_printf(&b, "%d-%s", 7, "g");

	assert_int_equal(b.err, 0);
	assert_string_equal(b.p, "abcdef7-g");
	assert_int_equal(b.n, 9);
}

TEST(exactly_the_limit_fits)
{
	AUTO_BUF(b, 4);

	buf_str(&b, "abcd");
	buf_str(&b, "");

	assert_int_equal(b.err, 0);
	assert_string_equal(b.p, "abcd");
}

TEST(what_does_not_fit_is_left_out_with_all_that_follows)
{
	AUTO_BUF(b, 4);

	buf_str(&b, "abc");
	buf_str(&b, "de");
	buf_str(&b, "f");

	assert_int_equal(b.err, -E2BIG);
	assert_string_equal(b.p, "abc");
	assert_int_equal(b.n, 3);
}

TEST(a_printed_text_fits_whole_or_not_at_all)
{
	AUTO_BUF(b, 4);

	buf_str(&b, "a");
	buf_printf(&b, "%d", 12345);

	assert_int_equal(b.err, -E2BIG);
	assert_string_equal(b.p, "a");
}

TEST(many_small_parts_grow_a_large_whole)
{
	AUTO_BUF(b, 100000);

	for (int i = 0; i < 100000; i++)
		buf_byte(&b, (unsigned)('a' + i % 26));
	assert_int_equal(b.err, 0);
	assert_int_equal(strlen(b.p), 100000);
	assert_true(b.cap <= b.max + 1);
	buf_byte(&b, 'z');
	assert_int_equal(b.err, -E2BIG);
}

TEST(json_text_is_escaped)
{
	AUTO_BUF(b, 100);

	buf_json(&b, span_make("q\" b\\ \n\r\t\b\f\x01\0/\x7f", 15));

	assert_string_equal(
		b.p, "\"q\\\" b\\\\ \\n\\r\\t\\b\\f\\u0001\\u0000/\x7f\"");
}

TEST(json_keeps_utf8_and_replaces_what_is_not)
{
	AUTO_BUF(b, 100);

	buf_json(&b, span_of("\xc3\xa9\xf0\x9f\x93\x9e|\xff|\xe2\x82"));

	assert_string_equal(b.p, "\"\xc3\xa9\xf0\x9f\x93\x9e|\xef\xbf\xbd|"
				 "\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(json_over_the_limit_is_an_error)
{
	AUTO_BUF(b, 10);

	buf_json(&b, span_of("\n\n\n\n\n\n\n\n"));

	assert_int_equal(b.err, -E2BIG);
}

TEST(an_empty_buffer_has_a_view)
{
	AUTO_BUF(b, 10);

	assert_non_null(buf_view(&b).p);
	assert_int_equal(buf_view(&b).n, 0);
	buf_str(&b, "xy");
	assert_true(span_is(buf_view(&b), "xy"));
}

TEST(taken_text_is_the_callers)
{
	AUTO_FREE char *first = NULL, *second = NULL;
	AUTO_BUF(b, 10);

	buf_str(&b, "one");
	first = buf_take(&b);
	second = buf_take(&b);
	buf_str(&b, "two");

	assert_string_equal(first, "one");
	assert_string_equal(second, "");
	assert_string_equal(b.p, "two");
	assert_int_equal(b.max, 10);
}

TEST(a_reset_forgets_text_and_error)
{
	struct buf b;

	buf_init(&b, 2);
	buf_str(&b, "abc");
	assert_int_equal(b.err, -E2BIG);
	buf_reset(&b);
	buf_str(&b, "ab");
	assert_int_equal(b.err, 0);
	buf_reset(&b);
	assert_string_equal(b.p, "");
	buf_free(&b);
	assert_null(b.p);
	buf_str(&b, "abc");
	assert_int_equal(b.err, -E2BIG);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_add_up_and_are_terminated),
		cmocka_unit_test(exactly_the_limit_fits),
		cmocka_unit_test(
			what_does_not_fit_is_left_out_with_all_that_follows),
		cmocka_unit_test(a_printed_text_fits_whole_or_not_at_all),
		cmocka_unit_test(many_small_parts_grow_a_large_whole),
		cmocka_unit_test(json_text_is_escaped),
		cmocka_unit_test(json_keeps_utf8_and_replaces_what_is_not),
		cmocka_unit_test(json_over_the_limit_is_an_error),
		cmocka_unit_test(an_empty_buffer_has_a_view),
		cmocka_unit_test(taken_text_is_the_callers),
		cmocka_unit_test(a_reset_forgets_text_and_error),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
