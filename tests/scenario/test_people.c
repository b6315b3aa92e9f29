// SPDX-License-Identifier: Apache-2.0
/*
 * test_people.c - machines, people who did not ask, and what is kept of them.
 */
#include <stdio.h>
#include <string.h>

#include "support/world.h"

#define SOMEBODY "+12025550110"

static void be(struct world *w, enum tel_script script)
{
	for (size_t i = 0; i < w->numbers_count; i++)
		if (strcmp(w->numbers[i].to, SOMEBODY) == 0) {
			w->numbers[i].script = script;
			return;
		}
	world_script(w, SOMEBODY, script);
}

static void wait_for_counters(struct world *w)
{
	world_pass(w, SECONDS(31));
}

TEST(after_a_machine_the_number_gets_five_digits_in_every_application)
{
	struct world *w = *state;
	struct answer first, second, other;

	be(w, TEL_SCRIPT_WRONG);
	first = world_create(w, SOMEBODY, "speak");
	assert_int_equal(first.v.human_digits, 3);
	first = world_until_ended(w, first.v.id);
	assert_int_equal(first.v.legs[0].outcome, LEG_MACHINE_SUSPECTED);

	wait_for_counters(w);
	be(w, TEL_SCRIPT_LISTEN);
	second = world_create(w, SOMEBODY, "speak");
	second = world_until_ended(w, second.v.id);
	wait_for_counters(w);
	(void)snprintf(w->who.application, sizeof(w->who.application), "other");
	other = world_create(w, SOMEBODY, "speak");

	assert_int_equal(second.v.human_digits, 5);
	assert_int_equal(second.v.legs[0].outcome, LEG_ANSWERED);
	assert_int_equal(other.v.human_digits, 5);
}

TEST(five_digits_are_forgotten_after_thirty_days)
{
	struct world *w = *state;
	struct answer a;

	be(w, TEL_SCRIPT_WRONG);
	a = world_create(w, SOMEBODY, "speak");
	(void)world_until_ended(w, a.v.id);
	world_skip(w, DAYS(31));

	assert_int_equal(world_create(w, SOMEBODY, "speak").v.human_digits, 3);
}

TEST(plain_is_refused_where_a_machine_answered_lately)
{
	struct world *w = *state;
	struct answer a;

	be(w, TEL_SCRIPT_WRONG);
	a = world_create(w, SOMEBODY, "speak");
	(void)world_until_ended(w, a.v.id);
	wait_for_counters(w);

	a = world_create(w, SOMEBODY, "plain");
	assert_string_equal(a.no.code, "invalid_field");
	assert_string_equal(a.no.rule, "flow.plain");
}

TEST(plain_is_refused_where_the_last_call_was_forwarded)
{
	struct world *w = *state;
	struct answer a;

	be(w, TEL_SCRIPT_FORWARDED);
	a = world_create(w, SOMEBODY, "speak");
	a = world_until_ended(w, a.v.id);
	assert_true(a.v.legs[0].forwarded);
	wait_for_counters(w);

	a = world_create(w, SOMEBODY, "plain");
	assert_string_equal(a.no.code, "number_blocked");
}

TEST(nine_cancels_and_the_number_pauses_for_that_application)
{
	struct world *w = *state;
	struct answer first, a;
	char told[512];

	be(w, TEL_SCRIPT_REPORT);
	first = world_create(w, SOMEBODY, "speak");
	a = world_until_ended(w, first.v.id);
	assert_int_equal(a.v.status, STATUS_REPORTED);
	world_events(w, first.v.id, told, sizeof(told));
	assert_non_null(strstr(told, "verification.reported call.ended"));
	wait_for_counters(w);

	a = world_create(w, SOMEBODY, "speak");
	assert_string_equal(a.no.code, "rate_limited");
	assert_string_equal(a.no.rule, "number.reported");
	assert_true(a.no.retry_ms > MINUTES(10));
	(void)snprintf(w->who.application, sizeof(w->who.application), "other");
	assert_false(world_create(w, SOMEBODY, "speak").refused);
	(void)snprintf(w->who.application, sizeof(w->who.application), "shop");
	world_skip(w, MINUTES(15));
	assert_false(world_create(w, SOMEBODY, "speak").refused);
}

TEST(a_report_is_counted_against_the_client_that_asked)
{
	struct world *w = *state;
	struct service_create req = {
		.who = w->who, .to = SOMEBODY, .client_ip = "2001:db8::1"};
	struct answer a;

	be(w, TEL_SCRIPT_REPORT);
	w->rules.policy.client.count = 3;
	a = world_ask(w, &req);
	(void)world_until_ended(w, a.v.id);

	/* one for the create, two for the report; the /64 is one client */
	req.to = "+15555550110";
	req.client_ip = "2001:db8::2";
	a = world_ask(w, &req);
	assert_string_equal(a.no.code, "rate_limited");
	assert_string_equal(a.no.rule, "limits.client_per_hour");
	req.client_ip = "192.0.2.1";
	assert_false(world_ask(w, &req).refused);
}

TEST(a_right_code_forgets_the_failures)
{
	struct world *w = *state;
	struct answer a;
	char code[CODE_BYTES];

	be(w, TEL_SCRIPT_LISTEN);
	a = world_create(w, SOMEBODY, "speak");
	world_code(w, &a.v, code);
	(void)world_until_ended(w, a.v.id);
	assert_int_equal(world_check(w, a.v.id, "0").result, CHECK_WRONG);
	assert_int_equal(world_check(w, a.v.id, "1").result, CHECK_WRONG);
	assert_int_equal(world_check(w, a.v.id, code).result, CHECK_APPROVED);
	wait_for_counters(w);

	a = world_create(w, SOMEBODY, "speak");
	(void)world_until_ended(w, a.v.id);
	assert_int_equal(world_check(w, a.v.id, "0").result, CHECK_WRONG);
	assert_int_equal(world_check(w, a.v.id, "1").result, CHECK_WRONG);
}

TEST(failures_go_on_across_verifications)
{
	struct world *w = *state;
	struct answer a;

	be(w, TEL_SCRIPT_LISTEN);
	a = world_create(w, SOMEBODY, "speak");
	(void)world_until_ended(w, a.v.id);
	(void)world_check(w, a.v.id, "0");
	(void)world_check(w, a.v.id, "1");
	(void)world_check(w, a.v.id, "2");

	wait_for_counters(w);
	world_skip(w, SECONDS(60));
	a = world_create(w, SOMEBODY, "speak");
	(void)world_until_ended(w, a.v.id);
	/* the fourth in a row: the next must wait */
	assert_int_equal(world_check(w, a.v.id, "0").result, CHECK_WRONG);
	assert_int_equal(world_check(w, a.v.id, "0").result, CHECK_LOCKED);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(after_a_machine_the_number_gets_five_digits_in_every_application),
		CASE(five_digits_are_forgotten_after_thirty_days),
		CASE(plain_is_refused_where_a_machine_answered_lately),
		CASE(plain_is_refused_where_the_last_call_was_forwarded),
		CASE(nine_cancels_and_the_number_pauses_for_that_application),
		CASE(a_report_is_counted_against_the_client_that_asked),
		CASE(a_right_code_forgets_the_failures),
		CASE(failures_go_on_across_verifications),
	};

	return cmocka_run_group_tests_name("scenario/people", tests,
					   world_voices, world_no_voices);
}
