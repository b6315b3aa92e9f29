// SPDX-License-Identifier: Apache-2.0
/*
 * test_number.c - is it a number, whose, of what kind (E1)?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/random.h"
#include "core/number.h"
#include "support/test.h"

static struct number parsed(const char *text, const struct number_plan *plan)
{
	struct number n = {0};
	struct diag d = {0};

	assert_int_equal(number_parse(span_of(text), plan, &n, &d), NUMBER_OK);
	return n;
}

TEST(numbers_of_the_world_have_their_country_and_type)
{
	static const struct {
		const char *text, *region;
		unsigned code;
		enum number_type type;
	} cases[] = {
		{"+14155550100", "US", 1, NUMBER_FIXED_OR_MOBILE},
		{"+16135550123", "CA", 1, NUMBER_FIXED_OR_MOBILE},
		{"+18763123456", "JM", 1, NUMBER_MOBILE},
		{"+442079460000", "GB", 44, NUMBER_FIXED},
		{"+447911123456", "GG", 44, NUMBER_MOBILE},
		{"+4915123456789", "DE", 49, NUMBER_MOBILE},
		{"+390669812345", "VA", 39, NUMBER_FIXED},
		{"+19002345678", "US", 1, NUMBER_PREMIUM},
		{"+18002345678", "US", 1, NUMBER_TOLL_FREE},
		{"+39840123456", "IT", 39, NUMBER_SHARED_COST},
		{"+445612345678", "GB", 44, NUMBER_VOIP},
		{"+447012345678", "GB", 44, NUMBER_PERSONAL},
		{"+447640123456", "GB", 44, NUMBER_PAGER},
		{"+445512345678", "GB", 44, NUMBER_UAN},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct number n = parsed(cases[i].text, NULL);

		assert_string_equal(n.e164, cases[i].text);
		assert_string_equal(n.region, cases[i].region);
		assert_int_equal(n.country_code, cases[i].code);
		assert_int_equal(n.type, cases[i].type);
		assert_true(n.valid);
	}
}

TEST(codes_of_no_country_are_what_a_call_to_them_costs)
{
	static const struct {
		const char *text;
		enum number_type type;
	} cases[] = {
		{"+870773111632", NUMBER_SATELLITE},
		{"+881612345678", NUMBER_SATELLITE},
		{"+88213300655", NUMBER_SATELLITE},
		{"+883510012345", NUMBER_SATELLITE},
		{"+88812345678901", NUMBER_SATELLITE},
		{"+878101234567890", NUMBER_PERSONAL},
		{"+979123456789", NUMBER_PREMIUM},
		{"+80012345678", NUMBER_TOLL_FREE},
		{"+80812345678", NUMBER_SHARED_COST},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct number n;
		enum number_verdict v =
			number_parse(span_of(cases[i].text), NULL, &n, NULL);

		/* some of these plans have no numbers any more */
		if (v == NUMBER_IMPOSSIBLE && i == 4)
			continue;
		assert_int_equal(v, NUMBER_OK);
		assert_string_equal(n.region, "001");
		assert_int_equal(n.type, cases[i].type);
	}
}

TEST(one_telephone_has_one_text_however_it_is_written)
{
	static const char *const ways[] = {
		"+447911123456",        "447911123456",    "+44 7911 123456",
		" +44 (7911) 123-456 ", "+44.7911.123456", "+4407911123456",
		"+44 (0)7911 123456",
	};

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		assert_string_equal(parsed(ways[i], NULL).e164,
				    "+447911123456");
}

TEST(what_is_not_e164_is_not_a_number)
{
	static const char *const texts[] = {
		"",
		" ",
		"+",
		"abc",
		"+1415555O100",
		"1-800-FLOWERS",
		"++14155550100",
		"+1+4155550100",
		"(+1)4155550100",
		"00442079460000",
		"02079460000",
		"+04155550100",
		"+14155550100x12",
		"+14155550100;ext=1",
		"tel:+14155550100",
		"sip:14155550100@example.com",
		"+1415555\t0100",
		"+1415555\n0100",
		"\xef\xbc\x8b\xef\xbc\x91\xef\xbc\x94",
		"+14155550100,,1234",
		"+1 415 555 0100 .......................................",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct number n = {.country_code = 77};
		struct diag d = {0};

		assert_int_equal(number_parse(span_of(texts[i]), NULL, &n, &d),
				 NUMBER_NOT_A_NUMBER);
		assert_true(d.message[0] != '\0');
		assert_int_equal(n.country_code, 77);
	}
	assert_int_equal(number_parse(span_make("+1415\0005550100", 13), NULL,
				      &(struct number){0}, NULL),
			 NUMBER_NOT_A_NUMBER);
}

TEST(a_wrong_length_or_country_code_is_impossible_and_not_repeated)
{
	static const char *const texts[] = {
		"+1415555010",
		"+141555501000",
		"+12",
		"+9991234567",
		"+2101234567",
		"+4420",
		"+1234567890123456",
		"+12345678901234567890123456",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct number n;
		struct diag d = {0};

		assert_int_equal(number_parse(span_of(texts[i]), NULL, &n, &d),
				 NUMBER_IMPOSSIBLE);
		assert_true(d.message[0] != '\0');
		assert_null(strpbrk(d.message, "0123456789"));
	}
}

TEST(a_possible_number_that_no_plan_knows_is_of_unknown_type)
{
	struct number n = parsed("+13275550123", NULL);

	assert_false(n.valid);
	assert_int_equal(n.type, NUMBER_UNKNOWN);
	/* +1 is not one country */
	assert_string_equal(n.region, "ZZ");
	/* +44 is one, with its islands */
	n = parsed("+447700900123", NULL);
	assert_int_equal(n.type, NUMBER_UNKNOWN);
	assert_string_equal(n.region, "GB");
}

TEST(the_overlay_wins_by_its_longest_prefix)
{
	AUTO(number_plan) *plan = NULL;
	struct diag d = {0};
	struct number n;

	assert_int_equal(
		number_plan_parse(span_of("# ours\nprefix,region,type\n"
					  "1,US,unknown\n"
					  "1327,US,fixed_line_or_mobile\n"
					  "1327555,US,premium_rate\n"
					  "447911,GB,voip\n"),
				  &plan, &d),
		0);

	n = parsed("+13274550123", plan);
	assert_true(n.valid);
	assert_string_equal(n.region, "US");
	assert_int_equal(n.type, NUMBER_FIXED_OR_MOBILE);
	assert_int_equal(parsed("+13275550123", plan).type, NUMBER_PREMIUM);
	n = parsed("+447911123456", plan);
	assert_int_equal(n.type, NUMBER_VOIP);
	assert_string_equal(n.region, "GB");
	n = parsed("+14155550100", plan);
	assert_false(n.valid);
	assert_int_equal(n.type, NUMBER_UNKNOWN);
	assert_int_equal(parsed("+4930123456", plan).type, NUMBER_FIXED);
}

TEST(a_bad_overlay_is_told_with_line_and_column)
{
	static const struct {
		const char *csv;
		int line, column;
	} cases[] = {
		{"1327,US\n", 1, 1},
		{"1327,US,mobile,x\n", 1, 1},
		{"x,US,mobile\n", 1, 1},
		{"+1,US,mobile\n", 1, 1},
		{"1327,USA,mobile\n", 1, 6},
		{"1327,us,mobile\n", 1, 6},
		{"1327,XX,mobile\n", 1, 6},
		{"1327,US,cell\n", 1, 9},
		{"1327,US,sandbox\n", 1, 9},
		{"1327,US,mobile\n1327,CA,mobile\n", 2, 1},
		{"1327,US,mobile\nprefix,region,type\n", 2, 8},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct number_plan *p = NULL;
		struct diag d = {0};

		assert_int_equal(number_plan_parse(span_of(cases[i].csv), &p,
						   &d),
				 -EINVAL);
		assert_null(p);
		assert_int_equal(d.line, cases[i].line);
		assert_int_equal(d.column, cases[i].column);
	}
}

/* packaging/numbers.csv: every row corrects the library that is installed. */
TEST(the_overlay_that_is_shipped_makes_newer_area_codes_callable)
{
	static const char *const newer[] = {
		"+12275550123", "+13275550123", "+13505550123", "+13695550123",
		"+14365550123", "+14725550123", "+16455550123", "+16865550123",
		"+17285550123", "+17305550123", "+18355550123", "+19835550123",
	};
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	AUTO(number_plan) *plan = NULL;
	AUTO_BUF(csv, 1 << 20);
	struct diag d = {0};
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/packaging/numbers.csv",
		       source ? source : ".");
	assert_int_equal(file_read(path, &csv), 0);
	assert_int_equal(number_plan_parse(buf_view(&csv), &plan, &d), 0);

	for (size_t i = 0; i < COUNT_OF(newer); i++) {
		struct number n = parsed(newer[i], plan);

		assert_true(n.valid);
		assert_string_equal(n.region, "US");
		assert_int_equal(n.type, NUMBER_FIXED_OR_MOBILE);
	}
	assert_string_equal(parsed("+19425550123", plan).region, "CA");
	assert_string_equal(parsed("+12425550123", plan).region, "BS");
}

TEST(sandbox_numbers_are_those_of_the_table_and_no_others)
{
	static const char *const good[] = {"+15555550100", "1 555 555 0110",
					   "+1 (555) 555-0111", "15555550127"};
	static const char *const bad[] = {"+15555550101", "+15555550128",
					  "+14155550100", "+155555501000",
					  "+1555555010",  "x"};
	struct number n;

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_true(number_sandbox(span_of(good[i]), &n));
		assert_int_equal(n.type, NUMBER_SANDBOX);
		assert_string_equal(n.region, "ZZ");
		assert_int_equal(strlen(n.e164), 12);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(number_sandbox(span_of(bad[i]), &n));
}

TEST(a_country_with_one_zone_has_its_name_and_every_country_its_offsets)
{
	int least, most;

	assert_string_equal(parsed("+81312345678", NULL).zone, "Asia/Tokyo");
	assert_string_equal(parsed("+442079460000", NULL).zone,
			    "Europe/London");
	assert_string_equal(parsed("+14155550100", NULL).zone, "");
	number_offsets("JP", &least, &most);
	assert_int_equal(least, 540);
	assert_int_equal(most, 540);
	number_offsets("DE", &least, &most);
	assert_int_equal(least, 60);
	assert_int_equal(most, 120);
	number_offsets("US", &least, &most);
	assert_int_equal(least, -600);
	assert_int_equal(most, -240);
	number_offsets("ZZ", &least, &most);
	assert_int_equal(least, -720);
	assert_int_equal(most, 840);
}

TEST(types_have_texts_that_can_be_read_back)
{
	enum number_type t;

	for (int i = 0; i <= NUMBER_SANDBOX; i++) {
		assert_int_equal(
			number_type_parse(number_type_text((enum number_type)i),
					  &t),
			0);
		assert_int_equal(t, i);
	}
	assert_int_equal(number_type_parse("", &t), -EINVAL);
	assert_int_equal(number_type_parse("Mobile", &t), -EINVAL);
}

TEST(regions_are_iso_3166_in_capitals)
{
	assert_true(number_is_region(span_of("US")));
	assert_true(number_is_region(span_of("001")));
	assert_false(number_is_region(span_of("us")));
	assert_false(number_is_region(span_of("ZZ")));
	assert_false(number_is_region(span_of("EU")));
	assert_false(number_is_region(span_of("")));
}

/* Whatever comes in, what goes out is E.164, and is itself when read again. */
TEST(a_canonical_number_is_its_own_canonical_form)
{
	AUTO(rng) *r = rng_seeded(3);
	unsigned good = 0;

	for (int i = 0; i < 20000; i++) {
		struct number n = {0}, again = {0};
		char text[NUMBER_BYTES];
		size_t len = 8 + rng_below(r, 8);

		text[0] = '+';
		for (size_t at = 1; at < len; at++)
			text[at] = (char)('0' + (int)rng_below(r, 10));
		text[len] = '\0';
		if (number_parse(span_of(text), NULL, &n, NULL) != NUMBER_OK)
			continue;
		good++;
		assert_int_equal(n.e164[0], '+');
		assert_in_range(strlen(n.e164), 4, 16);
		assert_int_equal(strspn(n.e164 + 1, "0123456789"),
				 strlen(n.e164) - 1);
		if (!n.valid)
			continue;
		assert_int_equal(number_parse(span_of(n.e164), NULL, &again,
					      NULL),
				 NUMBER_OK);
		assert_string_equal(n.e164, again.e164);
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			numbers_of_the_world_have_their_country_and_type),
		cmocka_unit_test(
			codes_of_no_country_are_what_a_call_to_them_costs),
		cmocka_unit_test(
			one_telephone_has_one_text_however_it_is_written),
		cmocka_unit_test(what_is_not_e164_is_not_a_number),
		cmocka_unit_test(
			a_wrong_length_or_country_code_is_impossible_and_not_repeated),
		cmocka_unit_test(
			a_possible_number_that_no_plan_knows_is_of_unknown_type),
		cmocka_unit_test(the_overlay_wins_by_its_longest_prefix),
		cmocka_unit_test(a_bad_overlay_is_told_with_line_and_column),
		cmocka_unit_test(
			the_overlay_that_is_shipped_makes_newer_area_codes_callable),
		cmocka_unit_test(
			sandbox_numbers_are_those_of_the_table_and_no_others),
		cmocka_unit_test(
			a_country_with_one_zone_has_its_name_and_every_country_its_offsets),
		cmocka_unit_test(types_have_texts_that_can_be_read_back),
		cmocka_unit_test(regions_are_iso_3166_in_capitals),
		cmocka_unit_test(a_canonical_number_is_its_own_canonical_form),
	};

	return cmocka_run_group_tests_name("core/number", tests, NULL, NULL);
}
