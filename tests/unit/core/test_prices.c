// SPDX-License-Identifier: Apache-2.0
/*
 * test_prices.c - is a price file read strictly, and looked up by the longest
 * prefix (E4)?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "core/prices.h"
#include "support/test.h"

static struct prices *prices(const char *csv)
{
	struct prices *p = NULL;
	struct diag d = {0};

	assert_int_equal(prices_parse(span_of(csv), NULL, &p, &d), 0);
	return p;
}

static struct diag refused(const char *csv, const char *currency)
{
	struct prices *untouched = (struct prices *)0x1, *p = untouched;
	struct diag d = {0};

	assert_int_equal(prices_parse(span_of(csv), currency, &p, &d), -EINVAL);
	assert_ptr_equal(p, untouched);
	assert_true(d.message[0] != '\0');
	return d;
}

static int64_t price(const struct prices *p, const char *e164)
{
	int64_t micro;

	return prices_per_minute(p, e164, &micro, NULL) == 0 ? micro : -1;
}

TEST(the_longest_prefix_wins_in_any_order_of_the_file)
{
	AUTO(prices) *p = prices("prefix,price,currency\n"
				 "1415555,0.5,USD\n"
				 "1,0.01,USD\n"
				 "1415,0.02,USD\n"
				 "44,0.03,USD\n");
	const char *prefix = NULL;
	int64_t micro;

	assert_int_equal(price(p, "+14155550100"), 500000);
	assert_int_equal(price(p, "14155450100"), 20000);
	assert_int_equal(price(p, "+12125550100"), 10000);
	assert_int_equal(price(p, "+442079460000"), 30000);
	assert_int_equal(price(p, "+4930123456"), -1);
	assert_int_equal(prices_per_minute(p, "+14155550100", &micro, &prefix),
			 0);
	assert_string_equal(prefix, "1415555");
	assert_string_equal(prices_currency(p), "USD");
}

TEST(what_is_no_number_has_no_price)
{
	AUTO(prices) *p = prices("prefix,price,currency\n1,0.01,USD\n");

	assert_int_equal(price(p, ""), -1);
	assert_int_equal(price(p, "+"), -1);
	assert_int_equal(price(p, "+1 415"), -1);
	assert_int_equal(price(p, "1x"), -1);
	assert_int_equal(price(p, "++1"), -1);
	assert_int_equal(price(p, "+1415555010000000000000000"), 10000);
}

TEST(an_empty_list_is_fine_and_prices_nothing)
{
	AUTO(prices) *p = NULL;
	struct diag d;

	assert_int_equal(prices_parse(span_of("prefix,price\n"), "EUR", &p, &d),
			 0);

	assert_int_equal(price(p, "+14155550100"), -1);
	assert_string_equal(prices_currency(p), "EUR");
}

TEST(blanks_comments_a_mark_and_carriage_returns_are_passed_over)
{
	AUTO(prices) *p = prices("\xef\xbb\xbf# carrier, January\r\n"
				 " prefix , price , currency \r\n"
				 "\r\n"
				 " 44 , 0.0125 , GBP \r\n"
				 "# the end\r\n");

	assert_int_equal(price(p, "+442079460000"), 12500);
	assert_string_equal(prices_currency(p), "GBP");
}

TEST(what_is_wrong_is_told_with_line_and_column)
{
	static const struct {
		const char *csv;
		int line, column;
	} cases[] = {
		{"", 1, 1},
		{"# only this\n", 1, 1},
		{"1,0.01\n", 1, 1},
		{"prefix\n", 1, 1},
		{"prefix,rate\n", 1, 8},
		{"prefix,price,currency,note\n", 1, 23},
		{"prefix,price,a,b,c\n", 1, 18},
		{"prefix,price\n1,0.01,USD\n", 2, 1},
		{"prefix,price,currency\n1,0.01\n", 2, 1},
		{"prefix,price\n+1,0.01\n", 2, 1},
		{"prefix,price\n01,0.01\n", 2, 1},
		{"prefix,price\n1a,0.01\n", 2, 1},
		{"prefix,price\n,0.01\n", 2, 1},
		{"prefix,price\n1234567890123456,0.01\n", 2, 1},
		{"prefix,price\n1, -0.01\n", 2, 4},
		{"prefix,price\n1,\n", 2, 3},
		{"prefix,price\n1,0,01\n", 2, 1},
		{"prefix,price\n1,1e3\n", 2, 3},
		{"prefix,price\n1,0.0000001\n", 2, 3},
		{"prefix,price\n1,\"0.01\"\n", 2, 3},
		{"prefix,price,currency\n1,0.01,usd\n", 2, 8},
		{"prefix,price,currency\n1,0.01,US\n", 2, 8},
		{"prefix,price,currency\n1,1,USD\n44,1,EUR\n", 3, 6},
		{"prefix,price\n1,0.\xff\n", 2, 1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct diag d = refused(cases[i].csv, "USD");

		assert_int_equal(d.line, cases[i].line);
		assert_int_equal(d.column, cases[i].column);
	}
}

TEST(a_prefix_that_comes_twice_names_both_lines)
{
	struct diag d =
		refused("prefix,price\n1,0.01\n44,0.02\n1,0.03\n", "USD");

	assert_int_equal(d.line, 4);
	assert_non_null(strstr(d.message, "line 2"));
}

TEST(the_settings_and_the_file_must_agree_on_the_currency)
{
	struct diag d = refused("prefix,price,currency\n1,0.01,EUR\n", "USD");

	assert_non_null(strstr(d.message, "USD"));
	(void)refused("prefix,price\n1,0.01\n", NULL);
	(void)refused("prefix,price\n1,0.01\n", "");
	(void)refused("prefix,price\n1,0.01\n", "dollar");
}

TEST(a_file_over_the_limits_is_refused)
{
	AUTO_BUF(csv, PRICES_FILE_MAX + 1024);
	struct prices *p = NULL;
	struct diag d = {0};

	buf_str(&csv, "prefix,price\n");
	for (int i = 0; i <= PRICES_ROWS_MAX; i++)
		buf_printf(&csv, "%d,0.01\n", 1000000 + i);
	assert_int_equal(prices_parse(buf_view(&csv), "USD", &p, &d), -EINVAL);
	assert_int_equal(d.line, PRICES_ROWS_MAX + 2);

	while (csv.n <= PRICES_FILE_MAX)
		buf_str(&csv,
			"# .............................................");
	assert_int_equal(prices_parse(buf_view(&csv), "USD", &p, &d), -EINVAL);
	assert_null(p);
}

TEST(amounts_are_plain_decimals)
{
	static const struct {
		const char *text;
		int64_t micro;
	} good[] = {
		{"0", 0},
		{"1.5", 1500000},
		{"0.000001", 1},
		{"00.10", 100000},
		{"9000000", 9000000000000},
		{"9000000.000000", 9000000000000},
	};
	static const char *const bad[] = {
		"",
		".",
		".5",
		"1.",
		"-1",
		"+1",
		"1,5",
		"1 ",
		"0x1",
		"9000000.000001",
		"1.2.3",
		"1.-5",
		"99999999999999999999999999",
		"inf",
		"1.1234567",
	};
	int64_t micro = 77;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(prices_amount(span_of(bad[i]), &micro),
				 -EINVAL);
	assert_int_equal(prices_amount((struct span){0}, &micro), -EINVAL);
	assert_int_equal(micro, 77);
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(prices_amount(span_of(good[i].text), &micro),
				 0);
		assert_int_equal(micro, good[i].micro);
	}
}

TEST(each_begun_minute_costs_a_whole_one)
{
	assert_int_equal(prices_of(1500000, 0), 0);
	assert_int_equal(prices_of(1500000, -5), 0);
	assert_int_equal(prices_of(1500000, 1), 1500000);
	assert_int_equal(prices_of(1500000, 60000), 1500000);
	assert_int_equal(prices_of(1500000, 60001), 3000000);
	assert_int_equal(prices_of(1500000, 110000), 3000000);
	assert_int_equal(prices_of(9000000000000, INT64_MAX), INT64_MAX);
}

/* Against the obvious: try every row. */
TEST(any_look_up_finds_what_a_walk_over_the_rows_finds)
{
	enum { ROWS = 2000, ASKED = 20000, TEXT_BYTES = 16 };
	static char row[ROWS][TEXT_BYTES];
	AUTO(rng) *r = rng_seeded(11);
	AUTO(prices) *p = NULL;
	AUTO_BUF(csv, 1 << 20);
	struct diag d = {0};
	size_t rows = 0;

	buf_str(&csv, "prefix,price\n");
	while (rows < ROWS) {
		char text[TEXT_BYTES];
		bool twice = false;

		(void)snprintf(text, sizeof(text), "%u",
			       1 + rng_below(r, rng_below(r, 2) ? 200 : 30000));
		for (size_t i = 0; i < rows; i++)
			twice = twice || strcmp(row[i], text) == 0;
		if (twice)
			continue;
		(void)snprintf(row[rows], TEXT_BYTES, "%s", text);
		buf_printf(&csv, "%s,%zu\n", text, rows);
		rows++;
	}
	assert_int_equal(prices_parse(buf_view(&csv), "USD", &p, &d), 0);

	for (int n = 0; n < ASKED; n++) {
		char number[TEXT_BYTES];
		int64_t best = -1;
		size_t best_n = 0;

		(void)snprintf(number, sizeof(number), "%u",
			       1 + rng_below(r, 300000));
		for (size_t i = 0; i < rows; i++) {
			size_t len = strlen(row[i]);

			if (len > best_n && strncmp(row[i], number, len) == 0) {
				best = (int64_t)i * PRICES_UNIT;
				best_n = len;
			}
		}
		assert_int_equal(price(p, number), best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_longest_prefix_wins_in_any_order_of_the_file),
		cmocka_unit_test(what_is_no_number_has_no_price),
		cmocka_unit_test(an_empty_list_is_fine_and_prices_nothing),
		cmocka_unit_test(
			blanks_comments_a_mark_and_carriage_returns_are_passed_over),
		cmocka_unit_test(what_is_wrong_is_told_with_line_and_column),
		cmocka_unit_test(a_prefix_that_comes_twice_names_both_lines),
		cmocka_unit_test(
			the_settings_and_the_file_must_agree_on_the_currency),
		cmocka_unit_test(a_file_over_the_limits_is_refused),
		cmocka_unit_test(amounts_are_plain_decimals),
		cmocka_unit_test(each_begun_minute_costs_a_whole_one),
		cmocka_unit_test(
			any_look_up_finds_what_a_walk_over_the_rows_finds),
	};

	return cmocka_run_group_tests_name("core/prices", tests, NULL, NULL);
}
