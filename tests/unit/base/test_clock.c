// SPDX-License-Identifier: Apache-2.0
/*
 * test_clock.c - two times, and their written form.
 */
#include "support/test.h"

#include <errno.h>

#include "base/clock.h"

#define SOME_MS INT64_C(1769850307250) /* 2026-01-31T09:05:07.250Z */

static void assert_text(int64_t ms, const char *text)
{
	char got[CLOCK_TEXT_BYTES];

	clock_text(ms, got);
	assert_string_equal(got, text);
}

static void assert_parsed(const char *text, int64_t ms)
{
	int64_t got = -1;

	assert_int_equal(clock_parse(text, &got), 0);
	assert_true(got == ms);
}

TEST(a_manual_clock_moves_when_told)
{
	AUTO(clock) *c = clock_manual(SOME_MS);

	assert_true(clock_is_manual(c));
	assert_int_equal(clock_mono_ms(c), 1000000);
	assert_true(clock_wall_ms(c) == SOME_MS);
	clock_advance(c, 1500);
	assert_int_equal(clock_mono_ms(c), 1001500);
	assert_true(clock_wall_ms(c) == SOME_MS + 1500);
}

TEST(the_real_clock_never_runs_backwards)
{
	struct clock *c = clock_real();
	int64_t mono = clock_mono_ms(c), wall = clock_wall_ms(c);

	assert_false(clock_is_manual(c));
	assert_true(wall > SOME_MS - INT64_C(100000000000));
	for (int i = 0; i < 10000; i++) {
		int64_t next_mono = clock_mono_ms(c);
		int64_t next_wall = clock_wall_ms(c);

		assert_true(next_mono >= mono && next_wall >= wall);
		mono = next_mono;
		wall = next_wall;
	}
}

TEST(freeing_the_real_one_or_none_is_fine)
{
	clock_free(NULL);
	clock_free(clock_real());
	assert_true(clock_wall_ms(clock_real()) > 0);
}

TEST(times_are_written_in_utc_with_milliseconds)
{
	assert_text(SOME_MS, "2026-01-31T09:05:07.250Z");
	assert_text(0, "1970-01-01T00:00:00.000Z");
	assert_text(-1, "1969-12-31T23:59:59.999Z");
	assert_text(INT64_C(951782400000), "2000-02-29T00:00:00.000Z");
}

TEST(years_that_have_no_four_digits_are_held_at_the_ends)
{
	assert_text(INT64_MAX, "9999-12-31T23:59:59.999Z");
	assert_text(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

TEST(what_was_written_can_be_read)
{
	for (int64_t ms = -SOME_MS; ms < 3 * SOME_MS; ms += SOME_MS / 97) {
		char text[CLOCK_TEXT_BYTES];

		clock_text(ms, text);
		assert_parsed(text, ms);
	}
}

TEST(fractions_and_offsets_are_read)
{
	assert_parsed("2026-01-31T09:05:07.25Z", SOME_MS);
	assert_parsed("2026-01-31T09:05:07.2509999999999Z", SOME_MS);
	assert_parsed("2026-01-31t09:05:07z", SOME_MS - 250);
	assert_parsed("2026-01-31T10:35:07.25+01:30", SOME_MS);
	assert_parsed("2026-01-31T01:05:07.25-08:00", SOME_MS);
	assert_parsed("2026-01-31T09:05:07.25-00:00", SOME_MS);
	assert_parsed("2024-02-29T00:00:00Z", INT64_C(1709164800000));
}

TEST(what_is_no_time_is_refused)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-01-31",
		"2026-01-31T09:05:07",
		"2026-01-31 09:05:07Z",
		"2026-01-31T09:05Z",
		"2026-01-31T09:05:07.Z",
		"2026-01-31T09:05:07Z ",
		" 2026-01-31T09:05:07Z",
		"2026-02-29T09:05:07Z",
		"1900-02-29T09:05:07Z",
		"2026-04-31T09:05:07Z",
		"2026-00-10T09:05:07Z",
		"2026-13-10T09:05:07Z",
		"2026-01-00T09:05:07Z",
		"2026-01-31T24:00:00Z",
		"2026-01-31T09:60:07Z",
		"2026-01-31T09:05:60Z",
		"2026-01-31T09:05:07+0100",
		"2026-01-31T09:05:07+24:00",
		"2026-01-31T09:05:07+01:60",
		"+026-01-31T09:05:07Z",
		"20260131T090507Z",
	};
	int64_t ms = 42;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(clock_parse(bad[i], &ms), -EINVAL);
	assert_int_equal(ms, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manual_clock_moves_when_told),
		cmocka_unit_test(the_real_clock_never_runs_backwards),
		cmocka_unit_test(freeing_the_real_one_or_none_is_fine),
		cmocka_unit_test(times_are_written_in_utc_with_milliseconds),
		cmocka_unit_test(
			years_that_have_no_four_digits_are_held_at_the_ends),
		cmocka_unit_test(what_was_written_can_be_read),
		cmocka_unit_test(fractions_and_offsets_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
