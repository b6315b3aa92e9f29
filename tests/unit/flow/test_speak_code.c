// SPDX-License-Identifier: Apache-2.0
/*
 * test_speak_code.c - the code: how often, when it counts as spoken, and what
 * keys do while it is said.
 */
#include "flow/run_priv.h"
#include "support/flow_bench.h"

#define SPOKEN_CODE "482 913"

static const char NODES[] =
	"{'id':'Begin','type':'speak-code','on':{'completed':'Bye','reported':"
	"'Sorry'}},"
	"{'id':'Sorry','type':'play','config':{'speech':{'kind':'recording',"
	"'prompt':'common.reported'}},'on':{'completed':'Bye'}}";

static void begin(struct bench *b)
{
	bench_call_flow(b, NODES);
	bench_answer(b);
}

TEST(the_code_is_said_twice_behind_its_warning)
{
	struct bench *b = *state;

	begin(b);

	assert_int_equal(bench_count_said(b, SPOKEN_CODE), 2);
	assert_non_null(strstr(b->plays[0].caption, "Never tell anyone"));
	assert_non_null(strstr(b->plays[0].caption, "Again:"));
	assert_non_null(strstr(b->plays[0].caption, "press one"));
}

TEST(the_code_is_gone_once_it_is_sound)
{
	static const char nothing[CODE_BYTES];
	struct bench *b = *state;

	begin(b);

	assert_memory_equal(b->run->code, nothing, sizeof(nothing));
}

TEST(it_is_spoken_when_it_was_heard_whole_once)
{
	struct bench *b = *state;

	begin(b);
	bench_go(b, bench_last(b)->mark_ms - 100);
	assert_false(bench_has_news(b, EVENT_SPOKEN));
	bench_go(b, 200);

	assert_true(bench_has_news(b, EVENT_SPOKEN));
	assert_true(bench_last(b)->mark_ms < bench_last(b)->ms / 2 + 3000);
}

TEST(who_hangs_up_before_has_not_heard_it)
{
	struct bench *b = *state;

	begin(b);
	bench_go(b, bench_last(b)->mark_ms - 100);
	bench_put_down(b);

	assert_false(b->end.spoken);
	assert_int_equal(b->end.leg, LEG_HUNG_UP_EARLY);
}

TEST(who_hangs_up_after_has_heard_it)
{
	struct bench *b = *state;

	begin(b);
	bench_go(b, bench_last(b)->mark_ms + 20);
	bench_put_down(b);

	assert_true(b->end.spoken);
	assert_int_equal(b->end.leg, LEG_ANSWERED);
}

TEST(without_a_choice_it_is_completed)
{
	struct bench *b = *state;

	begin(b);
	bench_hear_out(b);
	bench_go(b, 7900);
	assert_false(b->over);
	bench_go(b, 200);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_true(bench_took(b, "Begin", "completed"));
}

TEST(one_says_it_again_two_slower)
{
	struct bench *b = *state;
	unsigned again;

	begin(b);
	bench_hear_out(b);
	bench_go(b, 1000);
	bench_key(b, '1');
	again = bench_last(b)->ms;
	assert_int_equal(bench_count_said(b, SPOKEN_CODE), 3);
	bench_hear_out(b);
	bench_key(b, '2');

	assert_int_equal(bench_count_said(b, SPOKEN_CODE), 4);
	/* five steps of 0.4 s more, and 0.2 s between the groups */
	assert_true(bench_last(b)->ms > again + 1500);
}

TEST(a_choice_may_interrupt_what_is_not_new)
{
	struct bench *b = *state;

	begin(b);
	bench_key(b, '1'); /* before it was said: no answer to anything */
	assert_int_equal(b->plays_count, 1);
	bench_go(b, bench_last(b)->mark_ms + 500);
	bench_key(b, '1');

	assert_int_equal(b->plays_count, 2);
	assert_false(b->plays[0].whole);
}

TEST(it_is_repeated_three_times_at_most)
{
	struct bench *b = *state;

	begin(b);
	for (int i = 0; i < 3; i++) {
		bench_hear_out(b);
		bench_key(b, '1');
	}
	assert_null(strstr(bench_last(b)->caption, "press one"));
	bench_hear_out(b);
	bench_finish(b, 1000);

	assert_int_equal(bench_count_said(b, SPOKEN_CODE), 5);
	assert_non_null(strstr(b->trace, "\"repeats\":3"));
}

TEST(other_keys_say_nothing)
{
	struct bench *b = *state;

	begin(b);
	bench_hear_out(b);
	bench_keys(b, "345678*#0");

	assert_int_equal(b->plays_count, 1);
}

TEST(nine_reports_at_any_time)
{
	struct bench *b = *state;

	begin(b);
	bench_go(b, 1500);
	bench_key(b, '9');
	bench_finish(b, 20000);

	assert_true(bench_has_news(b, EVENT_REPORTED));
	assert_int_equal(b->end.leg, LEG_REPORTED);
	assert_int_equal(bench_count_said(b, "We have cancelled it"), 1);
	assert_true(bench_took(b, "Begin", "reported"));
}

TEST(times_and_phrases_are_the_documents)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'speak-code','config':{'times'"
			   ":3,'repeats':0,'warning':[],'first':"
			   "'plain.code_first','again':'plain.again',"
			   "'once_more':'plain.once_more'},'on':{'completed':"
			   "'Bye','reported':'Bye'}}");
	bench_answer(b);
	assert_int_equal(bench_count_said(b, SPOKEN_CODE), 3);
	assert_non_null(strstr(b->plays[0].caption, "Once more:"));
	assert_null(strstr(b->plays[0].caption, "press one"));
	bench_hear_out(b);
	bench_finish(b, 100);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
}

TEST(longer_codes_are_said_whole)
{
	struct bench *b = *state;

	b->code = "0123456789";
	b->params.code_length = 10;
	begin(b);

	assert_int_equal(bench_count_said(b, "012 345 6789"), 2);
}

TEST(the_code_is_spelt_in_a_text_that_asks_for_it)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'play','config':{'speech':{"
			   "'kind':'ssml','ssml':'<speak>Code <say-as "
			   "interpret-as=\\'digits\\'>{{verification.code}}"
			   "</say-as></speak>'}},'on':{'completed':'Bye'}}");
	bench_answer(b);
	bench_finish(b, 20000);

	assert_int_equal(bench_count_said(b, SPOKEN_CODE), 1);
	assert_null(strstr(b->trace, BENCH_CODE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(the_code_is_said_twice_behind_its_warning),
		WITH_BENCH(the_code_is_gone_once_it_is_sound),
		WITH_BENCH(it_is_spoken_when_it_was_heard_whole_once),
		WITH_BENCH(who_hangs_up_before_has_not_heard_it),
		WITH_BENCH(who_hangs_up_after_has_heard_it),
		WITH_BENCH(without_a_choice_it_is_completed),
		WITH_BENCH(one_says_it_again_two_slower),
		WITH_BENCH(a_choice_may_interrupt_what_is_not_new),
		WITH_BENCH(it_is_repeated_three_times_at_most),
		WITH_BENCH(other_keys_say_nothing),
		WITH_BENCH(nine_reports_at_any_time),
		WITH_BENCH(times_and_phrases_are_the_documents),
		WITH_BENCH(longer_codes_are_said_whole),
		WITH_BENCH(the_code_is_spelt_in_a_text_that_asks_for_it),
	};

	return cmocka_run_group_tests_name("flow/speak_code", tests, bench_open,
					   bench_close);
}
