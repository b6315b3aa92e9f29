// SPDX-License-Identifier: Apache-2.0
/*
 * test_extension.c - keys for a switchboard come before all that a flow says.
 */
#include <string.h>

#include "support/flow_bench.h"

static void answer(struct bench *b, const char *keys)
{
	b->params.send_digits = keys;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_answer(b);
}

TEST(keys_are_sent_and_then_the_flow_speaks)
{
	struct bench *b = *state;
	const struct bench_play *keys = &b->plays[0], *words = &b->plays[1];

	answer(b, "ww12W#");
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_int_equal(b->plays_count, 2);
	assert_string_equal(keys->caption, "keys sent: 12#");
	assert_int_equal(keys->ms, 1000 + 2 * 200 + 1000 + 200);
	assert_true(keys->whole);
	assert_non_null(strstr(words->caption, "Hello"));
	assert_true(words->at_ms >= keys->at_ms + keys->ms);
	/* how many, not which */
	assert_non_null(strstr(b->trace, "\"keys_sent\":3"));
	assert_null(strstr(b->trace, "12#"));
	assert_null(strstr(b->trace, "ww12"));
}

TEST(the_first_word_waits_for_the_ear_behind_them)
{
	struct bench *b = *state;

	answer(b, "5");
	bench_finish(b, 20000);

	/* B9: a pause is part of what is said, and is not over by then */
	assert_int_equal(b->plays_count, 2);
	assert_true(b->plays[1].ms > 800);
	assert_true(bench_has_news(b, EVENT_ANSWERED));
}

TEST(every_call_of_a_run_sends_them)
{
	struct bench *b = *state;

	b->params.send_digits = "9";
	bench_flow(b,
		   "{'id':'Start','type':'start','on':{'api_request':"
		   "'Call'}},"
		   "{'id':'Call','type':'call','config':{'to':"
		   "'{{verification.to}}'},'on':{'answered':'Bye',"
		   "'busy':'Again','no_answer':'Bye'}},"
		   "{'id':'Again','type':'call','config':{'to':"
		   "'{{verification.to}}'},'on':{'answered':'Say'}}," BENCH_SAY(
			   "Say", "Hello.", "Bye"));
	bench_start(b);
	bench_refuse(b, 486, 0);
	bench_go(b, 10);
	assert_int_equal(b->dials, 2);
	bench_pick_up(b);
	bench_finish(b, 20000);

	assert_string_equal(b->plays[0].caption, "keys sent: 9");
	assert_int_equal(b->plays_count, 2);
}

TEST(keys_pressed_meanwhile_mean_nothing)
{
	struct bench *b = *state;

	answer(b, "WW1");
	bench_key(b, '9');
	bench_key(b, '1');
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_true(bench_took(b, "Call", "answered"));
}

TEST(who_hangs_up_meanwhile_has_hung_up_early)
{
	struct bench *b = *state;

	answer(b, "WW1");
	bench_put_down(b);
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Call");
	assert_int_equal(b->plays_count, 1);
	assert_int_equal(b->dials, 1);
}

TEST(the_deadline_holds_for_them_as_well)
{
	struct bench *b = *state;

	answer(b, "WWWW1");
	flow_run_expire(b->run);
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_TIME_LIMIT, "Call");
	assert_int_equal(b->plays_count, 1);
	assert_false(b->plays[0].whole);
}

TEST(a_stop_says_goodbye_in_their_place)
{
	struct bench *b = *state;

	answer(b, "WWWW1");
	flow_run_stop(b->run);
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_STOPPED, "Call");
	assert_int_equal(b->plays_count, 2);
	assert_false(b->plays[0].whole);
}

TEST(without_any_nothing_waits)
{
	struct bench *b = *state;

	answer(b, "");
	bench_finish(b, 20000);

	assert_int_equal(b->plays_count, 1);
	assert_null(strstr(b->trace, "keys_sent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(keys_are_sent_and_then_the_flow_speaks),
		WITH_BENCH(the_first_word_waits_for_the_ear_behind_them),
		WITH_BENCH(every_call_of_a_run_sends_them),
		WITH_BENCH(keys_pressed_meanwhile_mean_nothing),
		WITH_BENCH(who_hangs_up_meanwhile_has_hung_up_early),
		WITH_BENCH(the_deadline_holds_for_them_as_well),
		WITH_BENCH(a_stop_says_goodbye_in_their_place),
		WITH_BENCH(without_any_nothing_waits),
	};

	return cmocka_run_group_tests_name("flow/extension", tests, bench_open,
					   bench_close);
}
