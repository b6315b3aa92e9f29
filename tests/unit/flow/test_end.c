// SPDX-License-Identifier: Apache-2.0
/*
 * test_end.c - the ways in which a run ends, and what it leaves behind.
 */
#include "support/flow_bench.h"

/* --- the ends ---------------------------------------------------------------------------------- */

TEST(the_callee_ends_the_run_from_a_play)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello out there.", "Bye"));
	bench_answer(b);
	bench_go(b, 1000);
	bench_put_down(b);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Begin");
	assert_int_equal(b->end.leg, LEG_ANSWERED);
}

TEST(media_that_is_lost_is_a_network_error)
{
	struct bench *b = *state;

	bench_built_in(b, "speak");
	bench_answer(b);
	bench_go(b, 1000);
	bench_tell(b, &(struct tel_event){.kind = TEL_ENDED,
					  .cause = TEL_UNREACHABLE});

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Check");
	assert_int_equal(b->end.leg, LEG_NETWORK_ERROR);
}

TEST(a_network_that_says_nothing_is_a_network_error)
{
	struct bench *b = *state;

	bench_built_in(b, "speak");
	bench_start(b);
	bench_tell(b, &(struct tel_event){.kind = TEL_ENDED,
					  .cause = TEL_UNREACHABLE});

	bench_assert_end(b, FLOW_HANGUP, "End");
	assert_int_equal(b->end.leg, LEG_NETWORK_ERROR);
}

TEST(a_hangup_may_have_a_reason)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'hangup','config':{'reason':"
			   "'enough said'}}");
	bench_answer(b);
	bench_finish(b, 100);

	assert_non_null(strstr(b->trace, "enough said"));
}

TEST(the_callee_ends_the_run_from_an_input)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_hear_out(b);
	bench_put_down(b);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Begin");
}

TEST(the_callee_ends_the_run_while_the_host_thinks)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	b->mute = true;
	bench_keys(b, "482913");
	assert_int_equal(b->verified, 1);
	bench_put_down(b);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Check");
}

TEST(an_open_trigger_ends_the_run)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'repeat','config':{'max':1},"
			   "'on':{'again':'Bye'}}");
	bench_flow(b, "{'id':'Start','type':'start','on':{'api_request':"
		      "'Call'}},{'id':'Call','type':'call','config':{'to':"
		      "'{{verification.to}}'}}");
	bench_start(b);
	bench_pick_up(b);
	bench_finish(b, 1000);

	bench_assert_end(b, FLOW_UNCONNECTED, "Call");
}

TEST(steps_are_counted_as_a_belt)
{
	struct bench *b = *state;
	AUTO_BUF(text, 4096);

	buf_str(&text,
		"{\"format\":\"voiceflow/1\",\"name\":\"T\",\"start\":\"S\","
		"\"limits\":{\"max_steps\":5},\"nodes\":[{\"id\":\"S\","
		"\"type\":\"start\",\"on\":{\"api_request\":\"R\"}},{\"id\":"
		"\"R\",\"type\":\"repeat\",\"config\":{\"max\":9},\"on\":{"
		"\"again\":\"R\",\"done\":\"E\"}},{\"id\":\"E\",\"type\":"
		"\"hangup\"}]}");
	struct flow_findings findings;
	assert_int_equal(flow_load(buf_view(&text), NULL, &b->flow, &findings),
			 0);
	flow_findings_free(&findings);
	bench_start(b);

	bench_assert_end(b, FLOW_STEP_LIMIT, "R");
}

TEST(a_call_has_a_longest_time)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'input','config':{'max_digits"
			   "':1,'first_digit_timeout_ms':60000,'tries':5},"
			   "'on':{'input':'Bye','no_input':'Bye'}}");
	bench_answer(b);
	bench_go(b, 109900);
	assert_false(b->over);
	bench_go(b, 200);

	bench_assert_end(b, FLOW_TIME_LIMIT, "Begin");
}

TEST(nothing_is_said_after_the_deadline)
{
	struct bench *b = *state;

	b->params.deadline_ms = clock_wall_ms(b->clock) + 4000;
	bench_call_flow(b, "{'id':'Begin','type':'play','config':{'speech':{"
			   "'kind':'text','text':'Hello out there.'},'times':5"
			   "},'on':{'completed':'Bye'}}");
	bench_answer(b);
	bench_go(b, 1900);
	assert_true(bench_sounds(b));
	bench_go(b, 200);

	assert_false(bench_sounds(b));
	bench_assert_end(b, FLOW_TIME_LIMIT, "Begin");
}

TEST(the_deadline_ends_the_ringing)
{
	struct bench *b = *state;

	b->params.deadline_ms = clock_wall_ms(b->clock) + 4000;
	bench_built_in(b, "speak");
	bench_start(b);
	bench_ring(b);
	bench_go(b, 4100);

	bench_assert_end(b, FLOW_TIME_LIMIT, "Call");
	assert_int_equal(b->end.leg, LEG_EXPIRED);
}

TEST(a_deadline_that_is_over_dials_nothing)
{
	struct bench *b = *state;

	b->params.deadline_ms = clock_wall_ms(b->clock) - 1;
	bench_built_in(b, "speak");
	bench_start(b);

	assert_true(b->over);
	assert_int_equal(b->end.leg, LEG_EXPIRED);
	assert_int_equal(b->dials, 0);
}

TEST(a_stop_says_goodbye)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello out there.", "Bye"));
	bench_answer(b);
	bench_go(b, 1000);
	flow_run_stop(b->run);
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_STOPPED, "Begin");
	assert_int_equal(bench_count_said(b, "We have to end this call"), 1);
	assert_true(bench_last(b)->whole);
}

TEST(the_deadline_cuts_last_words_off)
{
	struct bench *b = *state;

	b->params.deadline_ms = clock_wall_ms(b->clock) + 4000;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello out there.", "Bye"));
	bench_answer(b);
	bench_go(b, 1000);
	flow_run_stop(b->run);
	bench_go(b, 1100);

	assert_true(b->over);
	assert_false(bench_last(b)->whole);
}

TEST(a_second_wish_changes_nothing)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello out there.", "Bye"));
	bench_answer(b);
	flow_run_stop(b->run);
	flow_run_stop(b->run);
	flow_run_settle(b->run);
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_STOPPED, "Begin");
	assert_int_equal(bench_count_said(b, "We have to end this call"), 1);
}

TEST(a_settled_run_that_rings_hangs_up)
{
	struct bench *b = *state;

	bench_built_in(b, "speak");
	bench_start(b);
	bench_ring(b);
	flow_run_settle(b->run);
	bench_finish(b, 100);

	assert_int_equal(b->end.leg, LEG_CANCELED);
}

TEST(an_answer_that_comes_too_late_is_nobodys)
{
	struct bench *b = *state;

	b->verify[0] = CHECK_APPROVED;
	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "48291");
	/* the last key and the end, before the host has answered */
	bench_key_and_put_down(b, '3');
	bench_finish(b, 100);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Check");
}

TEST(a_stop_while_it_rings_hangs_up)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_ring(b);
	flow_run_stop(b->run);
	bench_finish(b, 100);

	bench_assert_end(b, FLOW_STOPPED, "Call");
	assert_int_equal(b->end.leg, LEG_INTERRUPTED);
}

TEST(a_stop_before_the_dial_dials_nothing)
{
	struct bench *b = *state;
	struct diag d = {0};

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	b->params.flow = b->flow;
	assert_int_equal(flow_run_start(&b->params, &b->run, &d), 0);
	flow_run_stop(b->run);
	bench_finish(b, 100);

	bench_assert_end(b, FLOW_STOPPED, "");
	assert_int_equal(b->dials, 0);
}

TEST(a_settled_run_lets_the_sentence_end)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'play','config':{'speech':{"
			   "'kind':'text','text':'Hello out there.'},'times':5"
			   "},'on':{'completed':'Bye'}}");
	bench_answer(b);
	bench_go(b, 1000);
	flow_run_settle(b->run);
	assert_true(bench_sounds(b));
	bench_finish(b, 5000);

	bench_assert_end(b, FLOW_STOPPED, "Begin");
	assert_int_equal(b->plays_count, 1);
	assert_true(b->plays[0].whole);
}

TEST(a_settled_run_in_silence_hangs_up)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_hear_out(b);
	flow_run_settle(b->run);
	bench_finish(b, 100);

	bench_assert_end(b, FLOW_STOPPED, "Begin");
}

TEST(who_settled_it_has_words_of_its_own)
{
	struct bench *b = *state;

	b->verify[0] = CHECK_APPROVED;
	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "482913");
	flow_run_settle(b->run); /* as the service does on every approval */
	bench_finish(b, 10000);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_int_equal(bench_count_said(b, "Good."), 1);
}

TEST(a_run_can_be_freed_at_any_time)
{
	struct bench *b = *state;
	struct diag d = {0};

	bench_built_in(b, "speak");
	b->params.flow = b->flow;
	assert_int_equal(flow_run_start(&b->params, &b->run, &d), 0);
	flow_run_free(b->run);
	b->run = NULL;
	bench_go(b, 100);
	b->asked = 0;
	bench_answer(b);
	bench_go(b, 1000);
	flow_run_free(b->run);
	b->run = NULL;

	assert_null(b->call);
	assert_false(b->over);
}

TEST(a_telephone_that_says_no_end_is_left)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_go_dead(b);
	flow_run_stop(b->run);
	bench_go(b, 4900);
	assert_false(b->over);
	bench_finish(b, 200);

	assert_true(bench_has_news(b, EVENT_ENDED));
}

/* --- the trace --------------------------------------------------------------------------------- */

TEST(a_trace_is_json_and_holds_no_number)
{
	struct bench *b = *state;
	AUTO_JSON json_t *trace = NULL;
	struct diag d = {0};

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "482913");
	bench_finish(b, 10000);

	assert_int_equal(js_parse(span_of(b->trace), &trace, &d), 0);
	assert_int_equal(json_array_size(json_object_get(trace, "steps")),
			 b->steps_count);
	assert_null(strstr(b->trace, "5005550006"));
	assert_non_null(strstr(b->trace, "+15005\u2022\u2022\u2022006"));
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(trace, "end"), "reason")),
			    "hangup");
	for (size_t i = 0; i < b->steps_count; i++) {
		AUTO_JSON json_t *step = NULL;

		assert_int_equal(js_parse(span_of(b->steps[i]), &step, &d), 0);
		assert_int_equal(json_integer_value(json_object_get(step, "n")),
				 i + 1);
	}
}

/* A row for each test is no complexity. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(the_callee_ends_the_run_from_a_play),
		WITH_BENCH(media_that_is_lost_is_a_network_error),
		WITH_BENCH(a_network_that_says_nothing_is_a_network_error),
		WITH_BENCH(a_hangup_may_have_a_reason),
		WITH_BENCH(the_callee_ends_the_run_from_an_input),
		WITH_BENCH(the_callee_ends_the_run_while_the_host_thinks),
		WITH_BENCH(an_open_trigger_ends_the_run),
		WITH_BENCH(steps_are_counted_as_a_belt),
		WITH_BENCH(a_call_has_a_longest_time),
		WITH_BENCH(nothing_is_said_after_the_deadline),
		WITH_BENCH(the_deadline_ends_the_ringing),
		WITH_BENCH(a_deadline_that_is_over_dials_nothing),
		WITH_BENCH(a_stop_says_goodbye),
		WITH_BENCH(the_deadline_cuts_last_words_off),
		WITH_BENCH(a_second_wish_changes_nothing),
		WITH_BENCH(a_settled_run_that_rings_hangs_up),
		WITH_BENCH(an_answer_that_comes_too_late_is_nobodys),
		WITH_BENCH(a_stop_while_it_rings_hangs_up),
		WITH_BENCH(a_stop_before_the_dial_dials_nothing),
		WITH_BENCH(a_settled_run_lets_the_sentence_end),
		WITH_BENCH(a_settled_run_in_silence_hangs_up),
		WITH_BENCH(who_settled_it_has_words_of_its_own),
		WITH_BENCH(a_run_can_be_freed_at_any_time),
		WITH_BENCH(a_telephone_that_says_no_end_is_left),
		WITH_BENCH(a_trace_is_json_and_holds_no_number),
	};

	return cmocka_run_group_tests_name("flow/end", tests, bench_open,
					   bench_close);
}
