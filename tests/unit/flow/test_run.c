// SPDX-License-Identifier: Apache-2.0
/*
 * test_run.c - from node to node: before the dial, the dial, and what is said.
 */
#include <errno.h>

#include "support/flow_bench.h"

/* --- before the dial ------------------------------------------------------------- */

TEST(nothing_is_dialled_before_the_voices_are_ready)
{
	struct bench *b = *state;
	struct diag d = {0};

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	b->params.flow = b->flow;
	assert_int_equal(flow_run_start(&b->params, &b->run, &d), 0);

	assert_int_equal(b->asked, 0);
	assert_int_equal(b->dials, 0);
}

TEST(the_host_is_asked_before_the_dial_and_told_where_to)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);

	assert_int_equal(b->asked, 1);
	assert_int_equal(b->dials, 1);
	assert_string_equal(b->to, BENCH_TO);
	assert_string_equal(b->from, "+15671234567");
	assert_string_equal(b->route, "default");
	assert_string_equal(b->language, "en");
	assert_int_equal(b->ring_ms, 28000);
}

TEST(a_call_that_comes_too_late_is_not_dialled)
{
	struct bench *b = *state;

	b->may_dial = -ETIME;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);

	bench_assert_end(b, FLOW_NOT_DIALED, "Call");
	assert_int_equal(b->end.leg, LEG_EXPIRED);
	assert_int_equal(b->dials, 0);
}

TEST(a_call_that_is_refused_is_not_dialled)
{
	struct bench *b = *state;

	b->may_dial = -EPERM;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);

	bench_assert_end(b, FLOW_NOT_DIALED, "Call");
	assert_int_equal(b->end.leg, LEG_NOT_CALLED);
	assert_int_equal(b->dials, 0);
}

TEST(only_the_number_of_the_verification_is_dialled)
{
	struct bench *b = *state;

	bench_flow(b, "{'id':'Start','type':'start','on':{'api_request':"
		      "'Call'}},{'id':'Call','type':'call','config':{'to':"
		      "'+19005550000'},'on':{'answered':'Bye'}}");
	bench_start(b);

	bench_assert_end(b, FLOW_NOT_DIALED, "Call");
	assert_int_equal(b->asked, 0);
	assert_null(strstr(b->trace, "19005550000"));
}

TEST(what_cannot_be_said_fails_before_the_dial)
{
	struct bench *b = *state;
	struct diag d = {0};

	b->params.brand = "";
	bench_built_in(b, "speak");
	b->params.flow = b->flow;

	assert_int_equal(flow_run_start(&b->params, &b->run, &d), -EINVAL);
	assert_null(b->run);
	assert_int_equal(b->dials, 0);
}

TEST(a_voice_that_is_missing_fails_before_the_dial)
{
	static const struct speech_choice none[] = {{NULL, NULL}};
	const struct speech_params params = {
		.choices = none, .espeak_ng = "/nonexistent/espeak-ng"};
	struct bench *b = *state;
	struct diag d = {0};

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	assert_int_equal(speech_new(&params, &b->params.speech, &d), 0);
	bench_start(b);
	speech_free(b->params.speech);

	bench_assert_end(b, FLOW_FAILED, "");
	assert_int_equal(b->dials, 0);
}

static const char PARAMS[] =
	"{'id':'Start','type':'start','config':{'params':[{'name':'who',"
	"'required':true},{'name':'otp','secret':true,'sample':'000000'},"
	"{'name':'note'}]},'on':{'api_request':'Call'}},"
	"{'id':'Call','type':'call','config':{'to':'{{verification.to}}'},"
	"'on':{'answered':'Begin'}},"
	"{'id':'Begin','type':'play','config':{'speech':{'kind':'ssml','ssml':"
	"'<speak>Hello {{Start.http.params.who}}. <say-as interpret-as=\\'"
	"digits\\'>{{Start.http.params.otp}}</say-as></speak>'}},"
	"'on':{'completed':'Bye'}}";

static int start_with(struct bench *b, const char *params, struct diag *d)
{
	AUTO_JSON json_t *o = NULL;

	assert_int_equal(js_parse(span_of(params), &o, d), 0);
	b->params.flow = b->flow;
	b->params.params = o;
	return flow_run_start(&b->params, &b->run, d);
}

TEST(a_required_parameter_must_be_there)
{
	struct bench *b = *state;
	struct diag d = {0};

	bench_flow(b, PARAMS);

	assert_int_equal(start_with(b, "{\"otp\":\"1\"}", &d), -EINVAL);
	assert_string_equal(d.field, "who");
	assert_null(b->run);
}

TEST(a_parameter_must_be_text_and_known)
{
	struct bench *b = *state;
	struct diag d = {0};

	bench_flow(b, PARAMS);

	assert_int_equal(start_with(b, "{\"who\":1}", &d), -EINVAL);
	assert_string_equal(d.field, "who");
	assert_int_equal(start_with(b, "{\"who\":\"x\",\"what\":\"y\"}", &d),
			 -EINVAL);
	assert_string_equal(d.field, "what");
}

TEST(parameters_are_spoken_and_secrets_are_not_traced)
{
	struct bench *b = *state;
	AUTO_JSON json_t *params =
		json_pack("{s:s,s:s}", "who", "Ada & Co", "otp", "771234");

	bench_flow(b, PARAMS);
	b->params.params = params;
	bench_answer(b);
	bench_hear_out(b);
	bench_finish(b, 1000);

	assert_int_equal(bench_count_said(b, "Ada & Co"), 1);
	assert_int_equal(bench_count_said(b, "771234") +
				 bench_count_said(b, "771 234"),
			 1);
	assert_null(strstr(b->trace, "771234"));
	assert_non_null(strstr(b->trace, "\"otp\":\"[secret]\""));
	assert_non_null(strstr(b->trace, "Ada & Co"));
}

TEST(a_secret_that_is_no_digits_is_never_said)
{
	struct bench *b = *state;
	AUTO_JSON json_t *params =
		json_pack("{s:s,s:s}", "who", "Ada", "otp", "swordfish");
	struct diag d = {0};

	bench_flow(b, PARAMS);
	b->params.params = params;
	b->params.flow = b->flow;

	assert_int_equal(flow_run_start(&b->params, &b->run, &d), -EINVAL);
}

/* --- the call ---------------------------------------------------------------------- */

static void assert_leg(struct bench *b, int sip, int q850, enum outcome_leg leg,
		       const char *trigger)
{
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_ring(b);
	bench_refuse(b, sip, q850);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_int_equal(b->end.leg, leg);
	assert_true(bench_took(b, "Call", trigger));
	assert_int_equal(b->plays_count, 0);
	assert_int_equal(b->news[b->news_count - 1].event, EVENT_ENDED);
	assert_int_equal(b->news[b->news_count - 1].leg, leg);
	assert_int_equal(b->news[b->news_count - 1].sip_code, sip);
}

TEST(busy_is_busy)
{
	assert_leg(*state, 486, 17, LEG_BUSY, "busy");
}

TEST(nobody_there_is_no_answer)
{
	assert_leg(*state, 0, 0, LEG_NO_ANSWER, "no_answer");
}

TEST(declined_is_rejected)
{
	assert_leg(*state, 603, 21, LEG_DECLINED, "rejected");
}

TEST(blocked_is_rejected)
{
	assert_leg(*state, 608, 0, LEG_BLOCKED, "rejected");
}

TEST(no_such_number_is_failed)
{
	assert_leg(*state, 404, 1, LEG_UNALLOCATED, "failed");
}

TEST(a_telephone_without_room_is_failed)
{
	struct bench *b = *state;

	b->dial_error = -EBUSY;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_true(bench_took(b, "Call", "failed"));
	assert_true(bench_has_news(b, EVENT_ENDED));
}

TEST(a_route_s_fault_makes_the_same_node_dial_again)
{
	struct bench *b = *state;

	b->routes = 1;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_refuse(b, 503, 34);
	assert_int_equal(b->fault.cause, TEL_REFUSED);
	assert_int_equal(b->fault.sip_code, 503);
	assert_int_equal(b->fault.q850, 34);
	assert_false(b->fault.rang);
	assert_int_equal(b->dials, 2);
	assert_int_equal(b->asked, 2);
	bench_ring(b);
	bench_pick_up(b);
	bench_finish(b, 60000);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_int_equal(b->end.leg, LEG_ANSWERED);
	assert_true(bench_took(b, "Call", "answered"));
	assert_false(bench_took(b, "Call", "failed"));
}

TEST(the_trigger_is_of_the_last_leg)
{
	struct bench *b = *state;

	b->routes = 2;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_refuse(b, 503, 0);
	bench_refuse(b, 404, 0);
	bench_ring(b);
	bench_refuse(b, 486, 17);

	assert_int_equal(b->dials, 3);
	assert_true(b->fault.rang);
	assert_int_equal(b->end.leg, LEG_BUSY);
	assert_true(bench_took(b, "Call", "busy"));
}

TEST(a_no_to_the_next_dial_leaves_the_word_to_the_last_leg)
{
	struct bench *b = *state;

	b->routes = 1;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	b->may_dial = -EBUSY;
	bench_refuse(b, 503, 0);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_int_equal(b->dials, 1);
	assert_int_equal(b->end.leg, LEG_CONGESTION);
	assert_true(bench_took(b, "Call", "failed"));
}

TEST(a_stop_between_two_routes_ends_it)
{
	struct bench *b = *state;

	b->routes = 1;
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	b->mute = true;
	bench_refuse(b, 503, 0);
	assert_int_equal(b->asked, 2);
	flow_run_settle(b->run);
	bench_await_over(b);

	assert_int_equal(b->end.reason, FLOW_STOPPED);
	assert_int_equal(b->dials, 1);
}

TEST(early_media_is_no_answer)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_ring(b);
	bench_tell(b, &(struct tel_event){.kind = TEL_EARLY_MEDIA});
	bench_go(b, 20000);

	assert_int_equal(b->plays_count, 0);
	assert_false(bench_has_news(b, EVENT_ANSWERED));
}

TEST(a_forwarded_call_is_told)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_start(b);
	bench_tell(b, &(struct tel_event){.kind = TEL_FORWARDED});

	assert_true(bench_has_news(b, EVENT_FORWARDED));
}

TEST(news_come_in_order)
{
	static const enum outcome_event expected[] = {
		EVENT_RINGING, EVENT_ANSWERED, EVENT_ENDED};
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_answer(b);
	bench_finish(b, 10000);

	assert_int_equal(b->news_count, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		assert_int_equal(b->news[i].event, expected[i]);
	assert_int_equal(b->end.leg, LEG_ANSWERED);
}

TEST(a_second_call_may_follow_the_first)
{
	struct bench *b = *state;

	bench_flow(b, "{'id':'Start','type':'start','on':{'api_request':"
		      "'Call'}},{'id':'Call','type':'call','config':{'to':"
		      "'{{verification.to}}','ring_timeout_s':10,'route':"
		      "'default'},'on':{'answered':'Bye','no_answer':'Again'}}"
		      ",{'id':'Again','type':'repeat','config':{'max':1},'on':"
		      "{'again':'Call','done':'Bye'}}");
	bench_start(b);
	assert_int_equal(b->ring_ms, 10000);
	bench_refuse(b, 0, 0);
	assert_int_equal(b->dials, 2);
	bench_refuse(b, 0, 0);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_int_equal(b->dials, 2);
	assert_true(bench_took(b, "Again", "done"));
}

/* --- saying ---------------------------------------------------------------------------- */

TEST(the_first_word_waits_for_the_ear)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	bench_answer(b);

	assert_int_equal(b->plays_count, 1);
	assert_true(bench_last(b)->ms > 800);
}

TEST(play_says_it_as_often_as_asked)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'play','config':{'speech':{"
			   "'kind':'text','text':'Hello.'},'times':3,'gap_ms':"
			   "1000},'on':{'completed':'Bye'}}");
	bench_answer(b);
	bench_finish(b, 20000);

	assert_int_equal(bench_count_said(b, "Hello."), 3);
	assert_int_equal(b->plays[1].ms, b->plays[2].ms);
	assert_true(b->plays[1].ms > 1000);
}

TEST(a_key_ends_a_play_that_lets_it)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'play','config':{'speech':{"
			   "'kind':'text','text':'Hello out there.'},'times':2"
			   ",'barge_in':true},'on':{'completed':'Bye'}}");
	bench_answer(b);
	bench_go(b, 1000);
	bench_key(b, '5');

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_false(b->plays[0].whole);
}

TEST(a_key_does_not_end_other_plays)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_SAY("Begin", "Hello out there.", "Bye"));
	bench_answer(b);
	bench_go(b, 1000);
	bench_keys(b, "59#");
	bench_finish(b, 10000);

	assert_true(b->plays[0].whole);
}

TEST(the_document_may_have_a_language_of_its_own)
{
	struct bench *b = *state;

	b->params.language = "de";
	bench_call_flow(b, "{'id':'Begin','type':'play','config':{'speech':{"
			   "'kind':'recording','prompt':'common.goodbye'}},"
			   "'on':{'completed':'Bye'}}");
	bench_answer(b);

	assert_string_equal(b->language, "de");
	assert_int_equal(bench_count_said(b, "Auf Wiederh\u00f6ren."), 1);
}

TEST(what_a_verification_lacks_is_not_said)
{
	struct bench *b = *state;
	static const char NODES[] =
		"{'id':'Begin','type':'play','config':{'speech':{'kind':"
		"'recording','prompt':[['speak.greeting_payment',"
		"'speak.greeting_amount','speak.greeting'],'common.callback',"
		"'common.goodbye']}},'on':{'completed':'Bye'}}";

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_finish(b, 30000);

	assert_int_equal(bench_count_said(b, "sign-in code"), 1);
	assert_int_equal(bench_count_said(b, "payment"), 0);
	assert_int_equal(bench_count_said(b, "questions"), 0);
}

TEST(what_a_verification_has_is_said)
{
	struct bench *b = *state;

	b->params.amount = "25 euros";
	b->params.callback = "+15671234567";
	bench_call_flow(
		b, "{'id':'Begin','type':'play','config':{'speech':{'kind':"
		   "'recording','prompt':[['speak.greeting_payment',"
		   "'speak.greeting_amount','speak.greeting'],'common.callback"
		   "']}},'on':{'completed':'Bye'}}");
	bench_answer(b);
	bench_finish(b, 60000);

	assert_int_equal(bench_count_said(b, "25 euros"), 1);
	assert_int_equal(bench_count_said(b, "questions"), 1);
}

TEST(a_document_speaks_its_own_language)
{
	struct bench *b = *state;

	bench_document(b, "'language':'de-DE',",
		       "{'id':'Begin','type':'play','config':{'speech':{'kind"
		       "':'text','text':'Guten Tag.'}},'on':{'completed':'Bye'"
		       "}}");
	bench_answer(b);
	bench_finish(b, 10000);

	assert_int_equal(bench_count_said(b, "Guten Tag."), 1);
}

static const struct speech_choice ENGLISH_ALONE[] = {{"en", "flite:rms"},
						     {NULL, NULL}};

/* English can be spoken, and nothing else. */
static void lose_espeak(struct bench *b)
{
	const struct speech_params params = {.choices = ENGLISH_ALONE,
					     .phrases = b->phrases,
					     .espeak_ng =
						     "/nonexistent/espeak-ng"};
	struct diag d = {0};

	assert_int_equal(speech_new(&params, &b->params.speech, &d), 0);
	assert_int_equal(speech_open(b->params.speech, "en", &d), 0);
}

static const char UNSAYABLE[] =
	"{'id':'Begin','type':'set','config':{'values':{'x':'etwas'}},'on':{"
	"'next':'Say'}},{'id':'Say','type':'play','config':{'speech':{'kind':"
	"'text','text':'Guten Tag {{vars.x}}.'}},'on':{'completed':'Bye'%s}}";

static void say_the_unsayable(struct bench *b, const char *edge)
{
	AUTO_BUF(nodes, 4096);

	lose_espeak(b);
	buf_printf(&nodes, "%.*s%s}}",
		   (int)(strlen(UNSAYABLE) - strlen("%s}}")), UNSAYABLE, edge);
	bench_document(b, "'language':'de',", nodes.p);
	bench_answer(b);
}

TEST(a_voice_that_fails_in_the_call_is_said_and_ends_it)
{
	struct bench *b = *state;

	say_the_unsayable(b, "");
	bench_await_plays(b, 1);
	bench_finish(b, 20000);
	speech_free(b->params.speech);

	bench_assert_end(b, FLOW_FAILED, "Say");
	assert_int_equal(bench_count_said(b, "something went wrong"), 1);
}

TEST(a_voice_that_fails_may_be_an_edge)
{
	struct bench *b = *state;

	say_the_unsayable(b, ",'failed':'Bye'");
	bench_await_over(b);
	speech_free(b->params.speech);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_true(bench_took(b, "Say", "failed"));
}

TEST(a_code_that_cannot_be_made_fails)
{
	struct bench *b = *state;

	b->code = NULL;
	bench_call_flow(b, "{'id':'Begin','type':'speak-code','on':{'completed"
			   "':'Bye','reported':'Bye'}}");
	bench_answer(b);
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_FAILED, "Begin");
	assert_false(b->end.spoken);
}

int main(void) // NOLINT(readability-function-size)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(nothing_is_dialled_before_the_voices_are_ready),
		WITH_BENCH(the_host_is_asked_before_the_dial_and_told_where_to),
		WITH_BENCH(a_call_that_comes_too_late_is_not_dialled),
		WITH_BENCH(a_call_that_is_refused_is_not_dialled),
		WITH_BENCH(only_the_number_of_the_verification_is_dialled),
		WITH_BENCH(what_cannot_be_said_fails_before_the_dial),
		WITH_BENCH(a_voice_that_is_missing_fails_before_the_dial),
		WITH_BENCH(a_required_parameter_must_be_there),
		WITH_BENCH(a_parameter_must_be_text_and_known),
		WITH_BENCH(parameters_are_spoken_and_secrets_are_not_traced),
		WITH_BENCH(a_secret_that_is_no_digits_is_never_said),
		WITH_BENCH(busy_is_busy),
		WITH_BENCH(nobody_there_is_no_answer),
		WITH_BENCH(declined_is_rejected),
		WITH_BENCH(blocked_is_rejected),
		WITH_BENCH(no_such_number_is_failed),
		WITH_BENCH(a_telephone_without_room_is_failed),
		WITH_BENCH(a_route_s_fault_makes_the_same_node_dial_again),
		WITH_BENCH(the_trigger_is_of_the_last_leg),
		WITH_BENCH(
			a_no_to_the_next_dial_leaves_the_word_to_the_last_leg),
		WITH_BENCH(a_stop_between_two_routes_ends_it),
		WITH_BENCH(early_media_is_no_answer),
		WITH_BENCH(a_forwarded_call_is_told),
		WITH_BENCH(news_come_in_order),
		WITH_BENCH(a_second_call_may_follow_the_first),
		WITH_BENCH(the_first_word_waits_for_the_ear),
		WITH_BENCH(play_says_it_as_often_as_asked),
		WITH_BENCH(a_key_ends_a_play_that_lets_it),
		WITH_BENCH(a_key_does_not_end_other_plays),
		WITH_BENCH(the_document_may_have_a_language_of_its_own),
		WITH_BENCH(what_a_verification_lacks_is_not_said),
		WITH_BENCH(what_a_verification_has_is_said),
		WITH_BENCH(a_document_speaks_its_own_language),
		WITH_BENCH(a_voice_that_fails_in_the_call_is_said_and_ends_it),
		WITH_BENCH(a_voice_that_fails_may_be_an_edge),
		WITH_BENCH(a_code_that_cannot_be_made_fails),
	};

	return cmocka_run_group_tests_name("flow/run", tests, bench_open,
					   bench_close);
}
