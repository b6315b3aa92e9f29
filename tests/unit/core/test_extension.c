// SPDX-License-Identifier: Apache-2.0
/*
 * test_extension.c - which texts are dialled behind a switchboard, and how long
 * that takes.
 */
#include "core/extension.h"

#include <string.h>

#include "base/attr.h"
#include "support/test.h"

TEST(keys_and_pauses_take_their_time)
{
	(void)state;
	assert_int_equal(number_extension_ms("1"), 200);
	assert_int_equal(number_extension_ms("0123456789*#ABCD"), 16 * 200);
	assert_int_equal(number_extension_ms("ww1234#"), 1000 + 5 * 200);
	assert_int_equal(number_extension_ms("1W2"), 1000 + 2 * 200);
}

TEST(what_is_no_key_and_no_pause_is_refused)
{
	static const char *const bad[] = {"",   "w",    "wW",  "12 3", "1,2",
					  "1a", "+123", "1.2", "E",    "1\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(number_extension_ms(bad[i]), 0);
}

TEST(it_has_an_end_in_characters_and_in_seconds)
{
	char text[NUMBER_EXTENSION_BYTES + 1] = "";

	(void)state;
	memset(text, '7', NUMBER_EXTENSION_BYTES - 1);
	assert_int_equal(number_extension_ms(text), 32 * 200);
	text[NUMBER_EXTENSION_BYTES - 1] = '7';
	assert_int_equal(number_extension_ms(text), 0);
	assert_int_equal(number_extension_ms("WWWWWWWWWWWWWWWWWWW11111"),
			 NUMBER_EXTENSION_MS_MAX);
	assert_int_equal(number_extension_ms("WWWWWWWWWWWWWWWWWWW111111"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_pauses_take_their_time),
		cmocka_unit_test(what_is_no_key_and_no_pause_is_refused),
		cmocka_unit_test(it_has_an_end_in_characters_and_in_seconds),
	};

	return cmocka_run_group_tests_name("core/extension", tests, NULL, NULL);
}
