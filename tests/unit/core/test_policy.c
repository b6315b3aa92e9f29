// SPDX-License-Identifier: Apache-2.0
/*
 * test_policy.c - is only what was allowed called, and does each no say which
 * setting would allow it (E1-E4, B5, B11)?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "support/test.h"

#define HASH "00112233445566778899aabbccddeeff"

static struct policy policy;
static struct prices *prices;
static struct number number;
static struct policy_request request;
static struct policy_answer answer;

static void number_is(const char *e164, const char *region,
		      enum number_type type)
{
	number = (struct number){.country_code = 1,
				 .type = type,
				 .valid = type != NUMBER_UNKNOWN};
	(void)snprintf(number.e164, sizeof(number.e164), "%s", e164);
	(void)snprintf(number.region, sizeof(number.region), "%s", region);
}

static void load(const char *csv)
{
	struct diag d;

	assert_int_equal(prices_parse(span_of(csv), "USD", &prices, &d), 0);
	policy.prices = prices;
}

static int set_up(void **state)
{
	(void)state;
	policy_defaults(&policy);
	if (policy_allow(&policy, "US", NULL))
		return -1;
	number_is("+14155550100", "US", NUMBER_FIXED_OR_MOBILE);
	request = (struct policy_request){
		.number = &number,
		.application = "app_1",
		.key_id = "key_1",
		.number_hash = HASH,
		.client_net = "198.51.100.7",
		.flow = "speak",
		.purpose = "login",
		.now = 1700000000000,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	policy_end(&policy);
	prices_free(prices);
	prices = NULL;
	return 0;
}

static enum policy_verdict ask(void)
{
	policy_ask(&policy, &request, &answer);
	if (answer.verdict == POLICY_ALLOWED) {
		assert_string_equal(answer.rule, "");
		assert_string_equal(answer.sentence, "");
	} else {
		assert_true(answer.rule[0] && answer.sentence[0]);
		assert_int_equal(answer.counters_count, 0);
		assert_null(strstr(answer.sentence, "4155550100"));
	}
	return answer.verdict;
}

static size_t find(const char *rule)
{
	size_t i = 0;

	while (i < answer.counters_count &&
	       strcmp(answer.counters[i].rule, rule) != 0)
		i++;
	return i;
}

static bool counted(const char *rule)
{
	return find(rule) < answer.counters_count;
}

static const struct policy_counter *counter(const char *rule)
{
	assert_true(counted(rule));
	return &answer.counters[find(rule)];
}

/* --- what is called at all ----------------------------------------------------- */

TEST(an_allowed_number_is_allowed)
{
	assert_int_equal(ask(), POLICY_ALLOWED);
}

TEST(nothing_is_called_where_no_country_is_listed)
{
	policy_end(&policy);

	assert_int_equal(ask(), POLICY_COUNTRY);
	assert_string_equal(answer.rule, "countries");
	assert_non_null(strstr(answer.sentence, "add US to `countries`"));
}

TEST(plus_one_is_not_one_country)
{
	number_is("+16135550123", "CA", NUMBER_FIXED_OR_MOBILE);
	assert_int_equal(ask(), POLICY_COUNTRY);
	number_is("+18763123456", "JM", NUMBER_MOBILE);
	assert_int_equal(ask(), POLICY_COUNTRY);
	number_is("+13275550123", "ZZ", NUMBER_UNKNOWN);
	assert_int_equal(ask(), POLICY_COUNTRY);
	assert_non_null(strstr(answer.sentence, "number_overlay"));
}

TEST(groups_of_countries_can_be_allowed)
{
	struct diag d;

	assert_int_equal(policy_allow(&policy, "EU", &d), 0);
	assert_int_equal(policy.countries_count, 1 + 27);
	assert_int_equal(policy_allow(&policy, "EEA", &d), 0);
	assert_int_equal(policy.countries_count, 1 + 30);
	assert_int_equal(policy_allow(&policy, "NANP", &d), 0);
	assert_int_equal(policy_allow(&policy, "CA", &d), 0);
	number_is("+4930123456", "DE", NUMBER_FIXED);
	assert_int_equal(ask(), POLICY_ALLOWED);
	number_is("+16135550123", "CA", NUMBER_FIXED_OR_MOBILE);
	assert_int_equal(ask(), POLICY_ALLOWED);
	number_is("+442079460000", "GB", NUMBER_FIXED);
	assert_int_equal(ask(), POLICY_COUNTRY);
}

TEST(a_word_that_is_no_country_is_refused)
{
	static const char *const words[] = {"",   "us", "USA",     "XX",
					    "ZZ", "eu", "Germany", "02"};
	struct diag d;

	for (size_t i = 0; i < COUNT_OF(words); i++)
		assert_int_equal(policy_allow(&policy, words[i], &d), -EINVAL);
	assert_int_equal(policy.countries_count, 1);
}

TEST(costly_types_are_refused_by_default_and_named)
{
	static const enum number_type costly[] = {
		NUMBER_PREMIUM,   NUMBER_SHARED_COST, NUMBER_PERSONAL,
		NUMBER_PAGER,     NUMBER_UAN,         NUMBER_VOICEMAIL,
		NUMBER_SATELLITE,
	};

	for (size_t i = 0; i < COUNT_OF(costly); i++) {
		number_is("+14155550100", "US", costly[i]);
		assert_int_equal(ask(), POLICY_TYPE);
		assert_string_equal(answer.rule, "number_types");
		assert_non_null(
			strstr(answer.sentence, number_type_text(costly[i])));
		policy.types[costly[i]] = true;
		assert_int_equal(ask(), POLICY_ALLOWED);
	}
}

TEST(the_codes_of_no_country_are_refused_by_default)
{
	static const char *const texts[] = {
		"+870773111632", "+878101234567890", "+881612345678",
		"+88213300655",  "+883510012345",    "+979123456789",
		"+80012345678",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(number_parse(span_of(texts[i]), NULL, &number,
					      NULL),
				 NUMBER_OK);
		assert_int_not_equal(ask(), POLICY_ALLOWED);
	}
}

TEST(an_unknown_number_is_called_where_a_price_row_covers_it)
{
	number_is("+14155550100", "US", NUMBER_UNKNOWN);
	assert_int_equal(ask(), POLICY_NUMBER_INVALID);
	assert_string_equal(answer.rule, "prices");

	load("prefix,price\n1415,0.01\n");
	assert_int_equal(ask(), POLICY_ALLOWED);
	number_is("+12125550100", "US", NUMBER_UNKNOWN);
	assert_int_equal(ask(), POLICY_NUMBER_INVALID);
}

/* --- the sandbox -------------------------------------------------------------------- */

TEST(sandbox_numbers_exist_where_switched_on)
{
	assert_true(number_sandbox(span_of("+15555550111"), &number));
	assert_int_equal(ask(), POLICY_NUMBER_INVALID);
	assert_string_equal(answer.rule, "sandbox");

	policy.sandbox = true;
	assert_int_equal(ask(), POLICY_ALLOWED);
}

TEST(a_sandbox_number_is_counted_for_who_asks_and_for_nothing_else)
{
	policy.sandbox = true;
	policy.cap_call = policy.cap_day = 1;
	assert_true(number_sandbox(span_of("+15555550111"), &number));

	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_true(answer.price_known);
	assert_int_equal(answer.price_call, 0);
	assert_int_equal(answer.counters_count, 2);
	assert_true(counted("limits.client_per_hour"));
	assert_true(counted("limits.key_per_hour"));
}

TEST(in_dev_nothing_but_the_sandbox_is_called)
{
	policy.sandbox = policy.sandbox_only = true;

	assert_int_equal(ask(), POLICY_COUNTRY);
	assert_true(number_sandbox(span_of("+15555550100"), &number));
	assert_int_equal(ask(), POLICY_ALLOWED);
}

/* --- purposes ------------------------------------------------------------------------ */

static enum policy_verdict with(const char *flow, const char *purpose)
{
	request.flow = flow;
	request.purpose = purpose;
	return ask();
}

TEST(keypad_is_refused_for_login_payment_and_number_change)
{
	assert_int_equal(with("keypad", "login"), POLICY_PURPOSE);
	assert_int_equal(with("keypad", "payment"), POLICY_PURPOSE);
	assert_int_equal(with("keypad", "number_change"), POLICY_PURPOSE);
	assert_int_equal(with("keypad", NULL), POLICY_PURPOSE);
	assert_int_equal(with("keypad", ""), POLICY_PURPOSE);
	assert_int_equal(with("keypad", "signup"), POLICY_ALLOWED);
	assert_int_equal(with("keypad", "delivery"), POLICY_ALLOWED);
	request.keypad_confirms = true;
	assert_int_equal(with("flw_mine", "login"), POLICY_PURPOSE);
	assert_int_equal(with("flw_mine", "signup"), POLICY_ALLOWED);
}

TEST(plain_is_refused_for_payment_number_change_forwarded_and_machines)
{
	assert_int_equal(with("plain", "login"), POLICY_ALLOWED);
	assert_int_equal(with("plain", "payment"), POLICY_PURPOSE);
	assert_int_equal(with("plain", "number_change"), POLICY_PURPOSE);
	request.forwarded_before = true;
	assert_int_equal(with("plain", "login"), POLICY_FORWARDED);
	request.forwarded_before = false;
	request.machine_suspected = true;
	assert_int_equal(with("plain", "login"), POLICY_PURPOSE);
	request.machine_suspected = false;
	request.no_human_check = true;
	assert_int_equal(with("flw_mine", "payment"), POLICY_PURPOSE);
	assert_int_equal(with("flw_mine", "login"), POLICY_ALLOWED);
}

TEST(speak_and_reverse_are_fine_for_every_purpose)
{
	request.forwarded_before = request.machine_suspected = true;

	assert_int_equal(with("speak", "payment"), POLICY_ALLOWED);
	assert_int_equal(with("speak", "number_change"), POLICY_ALLOWED);
	assert_int_equal(with("reverse", "login"), POLICY_ALLOWED);
	policy.deny_forwarded = true;
	assert_int_equal(with("speak", "login"), POLICY_FORWARDED);
}

/* --- money ------------------------------------------------------------------------------ */

TEST(the_price_is_that_of_the_longest_call)
{
	load("prefix,price\n1,0.02\n1415,0.03\n");

	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_true(answer.price_known);
	assert_int_equal(answer.price_per_minute, 30000);
	assert_int_equal(answer.price_call, 60000);
}

TEST(without_caps_a_price_need_not_be_known)
{
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_false(answer.price_known);
	assert_false(counted("caps.hour"));
}

TEST(with_any_cap_a_number_without_a_price_is_refused)
{
	int64_t *const caps[] = {&policy.cap_call, &policy.cap_hour,
				 &policy.cap_day, &policy.cap_app_hour,
				 &policy.cap_app_day};

	for (size_t i = 0; i < COUNT_OF(caps); i++) {
		*caps[i] = 1000000000;
		assert_int_equal(ask(), POLICY_PRICE);
		*caps[i] = 0;
	}
	policy.cap_day = 1000000000;
	load("prefix,price\n44,0.02\n");
	assert_int_equal(ask(), POLICY_PRICE);
}

TEST(a_call_over_the_cap_per_call_is_refused)
{
	load("prefix,price\n1,0.02\n");

	policy.cap_call = 40000;
	assert_int_equal(ask(), POLICY_ALLOWED);
	policy.cap_call = 39999;
	assert_int_equal(ask(), POLICY_CAP_CALL);
	assert_string_equal(answer.rule, "caps.call");
}

TEST(caps_reserve_the_price_and_keep_a_part_for_those_approved_lately)
{
	load("prefix,price\n1,0.02\n");
	policy.cap_hour = 1000000;
	policy.cap_app_day = 2000000;

	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_int_equal(counter("caps.hour")->amount, 40000);
	assert_int_equal(counter("caps.hour")->limit, 800000);
	assert_int_equal(counter("caps.hour")->window_ms, 3600000);
	assert_int_equal(counter("caps.application_day")->limit, 1600000);
	assert_string_equal(counter("caps.hour")->code, "budget_exhausted");
	assert_non_null(strstr(counter("caps.application_day")->name, "app_1"));
	assert_false(counted("caps.day"));

	request.approved_lately = true;
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_int_equal(counter("caps.hour")->limit, 1000000);
}

/* E4: an attack costs at most the cap, and the victim still logs in. */
TEST(ten_thousand_strangers_spend_the_cap_at_most_and_a_customer_still_calls)
{
	int64_t spent = 0;
	unsigned calls = 0;

	load("prefix,price\n1,0.02\n");
	policy.cap_hour = 10000000;
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(ask(), POLICY_ALLOWED);
		const struct policy_counter *c = counter("caps.hour");

		if (spent + c->amount <= c->limit) {
			spent += c->amount;
			calls++;
		}
	}
	assert_int_equal(calls, 200);
	assert_int_equal(spent, 8000000);

	request.approved_lately = true;
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_true(spent + counter("caps.hour")->amount <=
		    counter("caps.hour")->limit);
}

TEST(the_kill_switch_stops_everything)
{
	policy.kill_switch = true;

	assert_int_equal(ask(), POLICY_KILLED);
	assert_string_equal(policy_verdict_code(answer.verdict),
			    "budget_exhausted");
}

/* --- counters ------------------------------------------------------------------------------ */

TEST(the_default_limits_are_those_of_e3)
{
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_int_equal(counter("limits.number_per_30s")->limit, 1);
	assert_int_equal(counter("limits.number_per_30s")->window_ms, 30000);
	assert_int_equal(counter("limits.number_per_10min")->limit, 3);
	assert_int_equal(counter("limits.number_per_day")->limit, 10);
	assert_int_equal(counter("limits.client_per_hour")->limit, 5);
	assert_int_equal(counter("limits.prefix_calls")->limit, 3);
	assert_true(counter("limits.prefix_calls")->hold);
	assert_true(counted("limits.prefix4_per_hour"));
	assert_true(counted("limits.prefix8_per_hour"));
	assert_true(counted("limits.country_per_hour"));
	assert_true(counted("limits.key_per_hour"));
	for (size_t i = 0; i < answer.counters_count; i++) {
		assert_string_equal(answer.counters[i].code, "rate_limited");
		assert_int_equal(answer.counters[i].amount, 1);
	}
}

TEST(a_number_is_counted_over_all_applications_and_by_its_hash)
{
	char name[POLICY_NAME_BYTES];

	assert_int_equal(ask(), POLICY_ALLOWED);
	(void)snprintf(name, sizeof(name), "%s",
		       counter("limits.number_per_day")->name);
	assert_non_null(strstr(name, HASH));
	assert_null(strstr(name, "4155550100"));

	request.application = "app_2";
	request.key_id = "key_2";
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_string_equal(counter("limits.number_per_day")->name, name);
}

static bool same(const struct policy_counter *a, const struct policy_counter *b)
{
	return strcmp(a->name, b->name) == 0 && a->hold == b->hold &&
	       a->window_ms == b->window_ms;
}

TEST(no_two_counters_of_one_answer_are_the_same)
{
	load("prefix,price\n1,0.02\n");
	policy.cap_hour = policy.cap_day = 1000000;
	policy.cap_app_hour = policy.cap_app_day = 1000000;

	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_int_equal(answer.counters_count, POLICY_COUNTERS_MAX);
	for (size_t i = 0; i < answer.counters_count; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(
				same(&answer.counters[i], &answer.counters[j]));
}

TEST(prefixes_of_a_number_that_is_as_short_are_counted_apart)
{
	number_is("+1415555", "US", NUMBER_FIXED_OR_MOBILE);

	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_string_not_equal(counter("limits.prefix7_per_hour")->name,
				counter("limits.prefix8_per_hour")->name);
}

TEST(prefixes_are_counted_by_their_digits)
{
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_string_equal(counter("limits.prefix4_per_hour")->name, "p:1415");
	assert_string_equal(counter("limits.prefix8_per_hour")->name,
			    "p:14155550");
	assert_string_equal(counter("limits.prefix_calls")->name, "h:14155550");
}

TEST(a_limit_of_zero_is_none)
{
	memset(policy.number, 0, sizeof(policy.number));
	memset(policy.prefix, 0, sizeof(policy.prefix));
	policy.client.count = policy.key.count = policy.country.count = 0;
	policy.prefix_calls = 0;

	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_int_equal(answer.counters_count, 0);
}

TEST(an_unknown_client_is_not_counted_as_one)
{
	request.client_net = "";
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_false(counted("limits.client_per_hour"));
	request.client_net = NULL;
	assert_int_equal(ask(), POLICY_ALLOWED);
	assert_false(counted("limits.client_per_hour"));
}

TEST(a_further_call_takes_the_numbers_counters_and_not_the_askers)
{
	policy_ask_again(&policy, &request, &answer);

	assert_int_equal(answer.verdict, POLICY_ALLOWED);
	assert_true(counted("limits.number_per_30s"));
	assert_true(counted("limits.prefix_calls"));
	assert_false(counted("limits.client_per_hour"));
	assert_false(counted("limits.key_per_hour"));

	policy.kill_switch = true;
	policy_ask_again(&policy, &request, &answer);
	assert_int_equal(answer.verdict, POLICY_KILLED);
	assert_int_equal(answer.counters_count, 0);
}

TEST(names_fit_the_store_whatever_the_parts)
{
	static char net[65], key[65], application[65];

	memset(net, 'n', sizeof(net) - 1);
	memset(key, 'k', sizeof(key) - 1);
	memset(application, 'a', sizeof(application) - 1);
	net[64] = key[64] = application[64] = '\0';
	request.client_net = net;
	request.key_id = key;
	request.application = application;

	assert_int_equal(ask(), POLICY_ALLOWED);
	for (size_t i = 0; i < answer.counters_count; i++)
		assert_in_range(strlen(answer.counters[i].name), 3, 95);
}

/* --- quiet hours ------------------------------------------------------------------------------ */

static int64_t at_utc(int hour, int minute)
{
	return 1700006400000 + ((int64_t)hour * 60 + minute) * 60000;
}

TEST(quiet_hours_are_off_by_default)
{
	for (int hour = 0; hour < 24; hour++) {
		request.now = at_utc(hour, 0);
		assert_int_equal(ask(), POLICY_ALLOWED);
	}
}

TEST(quiet_hours_follow_the_numbers_own_clock_over_midnight)
{
	policy.quiet_from_min = 22 * 60;
	policy.quiet_to_min = 7 * 60;
	request.zone_known = true;
	request.zone_minutes = -8 * 60;

	request.now = at_utc(5, 59); /* 21:59 there */
	assert_int_equal(ask(), POLICY_ALLOWED);
	request.now = at_utc(6, 0);
	assert_int_equal(ask(), POLICY_QUIET);
	assert_int_equal(answer.retry_ms, 9 * 3600000);
	request.now = at_utc(14, 59);
	assert_int_equal(ask(), POLICY_QUIET);
	assert_int_equal(answer.retry_ms, 60000);
	request.now = at_utc(15, 0);
	assert_int_equal(ask(), POLICY_ALLOWED);
}

TEST(quiet_hours_within_a_day_work_too)
{
	policy.quiet_from_min = 60;
	policy.quiet_to_min = 120;
	request.zone_known = true;

	request.now = at_utc(0, 59);
	assert_int_equal(ask(), POLICY_ALLOWED);
	request.now = at_utc(1, 0);
	assert_int_equal(ask(), POLICY_QUIET);
	request.now = at_utc(2, 0);
	assert_int_equal(ask(), POLICY_ALLOWED);
}

TEST(where_the_zone_is_not_known_it_is_quiet_while_it_is_anywhere)
{
	policy.quiet_from_min = 22 * 60;
	policy.quiet_to_min = 7 * 60;

	/* from 22:00 at UTC-4 to 7:00 at UTC-10 */
	request.now = at_utc(1, 59);
	assert_int_equal(ask(), POLICY_ALLOWED);
	request.now = at_utc(2, 0);
	assert_int_equal(ask(), POLICY_QUIET);
	request.now = at_utc(16, 59);
	assert_int_equal(ask(), POLICY_QUIET);
	request.now = at_utc(17, 0);
	assert_int_equal(ask(), POLICY_ALLOWED);
}

TEST(where_nothing_is_known_and_night_is_everywhere_no_time_is_promised)
{
	struct diag d;

	policy.quiet_from_min = 22 * 60;
	policy.quiet_to_min = 7 * 60;
	assert_int_equal(policy_allow(&policy, "001", &d), 0);
	number_is("+14155550100", "001", NUMBER_MOBILE);

	assert_int_equal(ask(), POLICY_QUIET);
	assert_int_equal(answer.retry_ms, 0);
}

TEST(every_verdict_has_a_code_of_the_table)
{
	static const char *const codes[] = {
		"",
		"number_invalid",
		"number_type_not_allowed",
		"country_not_allowed",
		"invalid_field",
		"number_blocked",
		"no_route",
		"budget_exhausted",
		"budget_exhausted",
		"rate_limited",
	};

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		assert_string_equal(policy_verdict_code((enum policy_verdict)i),
				    codes[i]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_allowed_number_is_allowed),
		CASE(nothing_is_called_where_no_country_is_listed),
		CASE(plus_one_is_not_one_country),
		CASE(groups_of_countries_can_be_allowed),
		CASE(a_word_that_is_no_country_is_refused),
		CASE(costly_types_are_refused_by_default_and_named),
		CASE(the_codes_of_no_country_are_refused_by_default),
		CASE(an_unknown_number_is_called_where_a_price_row_covers_it),
		CASE(sandbox_numbers_exist_where_switched_on),
		CASE(a_sandbox_number_is_counted_for_who_asks_and_for_nothing_else),
		CASE(in_dev_nothing_but_the_sandbox_is_called),
		CASE(keypad_is_refused_for_login_payment_and_number_change),
		CASE(plain_is_refused_for_payment_number_change_forwarded_and_machines),
		CASE(speak_and_reverse_are_fine_for_every_purpose),
		CASE(the_price_is_that_of_the_longest_call),
		CASE(without_caps_a_price_need_not_be_known),
		CASE(with_any_cap_a_number_without_a_price_is_refused),
		CASE(a_call_over_the_cap_per_call_is_refused),
		CASE(caps_reserve_the_price_and_keep_a_part_for_those_approved_lately),
		CASE(ten_thousand_strangers_spend_the_cap_at_most_and_a_customer_still_calls),
		CASE(the_kill_switch_stops_everything),
		CASE(the_default_limits_are_those_of_e3),
		CASE(a_number_is_counted_over_all_applications_and_by_its_hash),
		CASE(no_two_counters_of_one_answer_are_the_same),
		CASE(prefixes_of_a_number_that_is_as_short_are_counted_apart),
		CASE(prefixes_are_counted_by_their_digits),
		CASE(a_limit_of_zero_is_none),
		CASE(an_unknown_client_is_not_counted_as_one),
		CASE(a_further_call_takes_the_numbers_counters_and_not_the_askers),
		CASE(names_fit_the_store_whatever_the_parts),
		CASE(quiet_hours_are_off_by_default),
		CASE(quiet_hours_follow_the_numbers_own_clock_over_midnight),
		CASE(quiet_hours_within_a_day_work_too),
		CASE(where_the_zone_is_not_known_it_is_quiet_while_it_is_anywhere),
		CASE(where_nothing_is_known_and_night_is_everywhere_no_time_is_promised),
		CASE(every_verdict_has_a_code_of_the_table),
	};

	return cmocka_run_group_tests_name("core/policy", tests, NULL, NULL);
}
