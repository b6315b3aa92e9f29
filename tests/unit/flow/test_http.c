// SPDX-License-Identifier: Apache-2.0
/*
 * test_http.c - asking an application, before a call and in one.
 */
#include <errno.h>

#include "support/flow_bench.h"

#define START(params)                                                    \
	"{'id':'Start','type':'start','config':{'params':[" params "]}," \
	"'on':{'api_request':'Hook'}},"
#define HOOK(config)                                                          \
	"{'id':'Hook','type':'http','config':{'url':'https://app.example/h'"  \
	"," config "},'on':{'ok':'Good','client_error':'Bad','server_error':" \
	"'Broken','timeout':'Late'}},"
#define ENDS                                                          \
	"{'id':'Good','type':'hangup'},{'id':'Bad','type':'hangup'}," \
	"{'id':'Broken','type':'hangup'},{'id':'Late','type':'hangup'}"

/* Begin is an http node in a call, then `text` is said. */
#define IN_CALL(config, text)                                                \
	"{'id':'Begin','type':'http','config':{'url':'https://app.example/'" \
	"," config "},'on':{'ok':'Say','client_error':'Bye','server_error':" \
	"'Bye','timeout':'Bye'}}," BENCH_SAY("Say", text, "Bye")

static void run(struct bench *b, const char *nodes)
{
	bench_flow(b, nodes);
	bench_start(b);
	bench_finish(b, 1000);
}

/* --- what is asked ---------------------------------------------------------------- */

TEST(it_posts_json_before_any_call)
{
	struct bench *b = *state;

	run(b, START("") HOOK("'body':{'id':'{{verification.id}}','n':[1,true,"
			      "null,'x{{verification.attempt}}y']}") ENDS);

	bench_assert_end(b, FLOW_HANGUP, "Good");
	assert_int_equal(b->asks_count, 1);
	assert_int_equal(b->dials, 0);
	assert_string_equal(b->asks[0].method, "POST");
	assert_string_equal(b->asks[0].url, "https://app.example/h");
	assert_string_equal(b->asks[0].body, "{\"id\":\"ver_test\",\"n\":[1,"
					     "true,null,\"x1y\"]}");
	assert_string_equal(b->asks[0].type, "application/json");
	assert_int_equal(b->asks[0].timeout_ms, 5000);
	assert_false(b->asks[0].sign);
}

TEST(a_get_has_no_body_and_what_is_configured_is_passed_on)
{
	struct bench *b = *state;

	run(b,
	    START("") HOOK("'method':'GET','timeout_ms':700,'sign':true,"
			   "'headers':{'x-id':'{{call.id}}','x-b':'2'}") ENDS);

	assert_string_equal(b->asks[0].method, "GET");
	assert_string_equal(b->asks[0].body, "");
	assert_string_equal(b->asks[0].type, "");
	assert_string_equal(b->asks[0].headers, "x-id: call_test\nx-b: 2\n");
	assert_int_equal(b->asks[0].timeout_ms, 700);
	assert_true(b->asks[0].sign);
}

/* A value with all that could end what it stands in. */
static const char NASTY[] = "a\"b\\c\r\nX: y{{verification.code}}\u00e9/?#&";

TEST(a_value_stays_within_what_it_stands_in)
{
	struct bench *b = *state;
	AUTO_JSON json_t *params = json_pack("{s:s}", "x", NASTY);

	b->params.params = params;
	run(b, START("{'name':'x'}") "{'id':'Hook','type':'http','config':{"
				     "'url':'https://app.example/{{Start.http."
				     "params.x}}/end','headers':{'x':'{{Start."
				     "http.params.x}}'},'body':{'x':'{{Start."
				     "http.params.x}}'}},'on':{'ok':'Bye'}}");

	assert_string_equal(b->asks[0].url,
			    "https://app.example/a%22b%5Cc%0D%0AX%3A%20y%7B%7B"
			    "verification.code%7D%7D%C3%A9%2F%3F%23%26/end");
	assert_string_equal(
		b->asks[0].headers,
		"x: a\"b\\c  X: y{{verification.code}}\u00e9/?#&\n");
	assert_string_equal(b->asks[0].body,
			    "{\"x\":\"a\\\"b\\\\c\\r\\nX: "
			    "y{{verification.code}}\u00e9/?#&\"}");
}

TEST(a_value_cannot_lead_upwards)
{
	struct bench *b = *state;
	AUTO_JSON json_t *params = json_pack("{s:s}", "x", "..");

	b->params.params = params;
	run(b, START("{'name':'x'}") "{'id':'Hook','type':'http','config':{"
				     "'url':'https://app.example/a/{{Start."
				     "http.params.x}}/b'},'on':{'ok':'Bye',"
				     "'client_error':'Bad'}}," ENDS);

	assert_int_equal(b->asks_count, 0);
	bench_assert_end(b, FLOW_HANGUP, "Bad");
}

/* --- how it is answered -------------------------------------------------------------- */

static void assert_answer(struct bench *b, struct bench_answer answer,
			  const char *node)
{
	b->http[0] = answer;
	run(b, START("") HOOK("'sign':false") ENDS);
	bench_assert_end(b, FLOW_HANGUP, node);
}

TEST(two_hundreds_are_ok)
{
	assert_answer(*state, (struct bench_answer){.status = 204}, "Good");
}

TEST(a_redirect_is_the_client_s_error)
{
	assert_answer(*state, (struct bench_answer){.status = 302}, "Bad");
}

TEST(four_hundreds_are_the_client_s_error)
{
	assert_answer(*state, (struct bench_answer){.status = 404}, "Bad");
}

TEST(five_hundreds_are_the_server_s_error)
{
	assert_answer(*state, (struct bench_answer){.status = 503}, "Broken");
}

TEST(nobody_there_is_the_server_s_error)
{
	struct bench *b = *state;

	assert_answer(b, (struct bench_answer){.why = "unreachable"}, "Broken");
	assert_non_null(strstr(b->trace, "\"error\":\"unreachable\""));
}

TEST(who_may_not_be_asked_is_a_client_error)
{
	assert_answer(*state, (struct bench_answer){.unasked = true}, "Bad");
}

TEST(no_answer_in_time_is_a_timeout)
{
	assert_answer(*state, (struct bench_answer){.timeout = true}, "Late");
}

TEST(a_server_that_asks_nobody_says_so)
{
	struct bench *b = *state;
	struct flow_host host = *b->params.host;

	host.http = NULL;
	b->params.host = &host;
	run(b, START("") HOOK("'sign':false") ENDS);

	bench_assert_end(b, FLOW_HANGUP, "Bad");
}

TEST(a_host_that_never_answers_does_not_hold_a_run)
{
	struct bench *b = *state;

	b->http_waits = true;
	bench_flow(b, START("") HOOK("'timeout_ms':10000") ENDS);
	bench_start(b);
	bench_go(b, 14900);
	assert_false(b->over);
	bench_go(b, 200);

	bench_assert_end(b, FLOW_FAILED, "Hook");
}

/* --- what it gives ------------------------------------------------------------------------ */

static void assert_said(struct bench *b, const char *answer, const char *text,
			const char *said)
{
	AUTO_BUF(nodes, 4096);

	b->http[0] = (struct bench_answer){.status = 200, .body = answer};
	buf_printf(&nodes,
		   "{'id':'Begin','type':'http','config':{'url':"
		   "'https://app.example/'},'on':{'ok':'Say'}},"
		   "{'id':'Say','type':'play','config':{'speech':{'kind':"
		   "'text','text':'%s'}},'on':{'completed':'Bye'}}",
		   text);
	bench_call_flow(b, nodes.p);
	bench_answer(b);
	bench_await_plays(b, 1);
	bench_hear_out(b);
	bench_finish(b, 1000);
	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_string_equal(b->plays[0].caption, said);
}

TEST(what_a_template_names_of_the_answer_is_there)
{
	assert_said(*state,
		    "{\"user\":{\"name\":\"Ada\",\"tags\":[\"x\",\"blue\"]},"
		    "\"n\":7,\"f\":0.5,\"yes\":true}",
		    "{{Begin.body.user.name}} {{Begin.body.user.tags.1}} "
		    "{{Begin.body.n}} {{Begin.body.f}} {{Begin.body.yes}} "
		    "{{Begin.status}}",
		    "Ada blue 7 0.5 true 200");
}

TEST(what_the_answer_lacks_is_not_set)
{
	assert_said(*state, "{\"a\":null,\"b\":{},\"c\":[1],\"e\":\"here\"}",
		    "{{Begin.body.a}}{{Begin.body.b}}{{Begin.body.c}}"
		    "{{Begin.body.c.9}}{{Begin.body.d.x}}"
		    "{{Begin.body.f | default:\\'none\\'}} {{Begin.body.e}}",
		    "none here");
}

TEST(what_is_not_json_gives_nothing)
{
	struct bench *b = *state;

	assert_said(b, "<html>", "Hello {{Begin.body.a}}.", "Hello .");
	assert_non_null(strstr(b->trace, "\"body\":\"not JSON\""));
}

TEST(an_answer_that_is_too_large_gives_nothing)
{
	struct bench *b = *state;
	AUTO_BUF(body, 70 << 10);

	buf_str(&body, "{\"a\":\"x\",\"b\":\"");
	while (body.n <= 64 << 10)
		buf_byte(&body, 'x');
	buf_str(&body, "\"}");
	assert_said(b, body.p, "Hello {{Begin.body.a}}.", "Hello .");
	assert_non_null(strstr(b->trace, "\"body\":\"too large\""));
}

TEST(a_value_that_is_too_long_is_not_set)
{
	struct bench *b = *state;
	AUTO_BUF(body, 4096);

	buf_str(&body, "{\"a\":\"");
	for (int i = 0; i <= FLOW_VALUE_MAX; i++)
		buf_byte(&body, 'x');
	buf_str(&body, "\"}");
	assert_said(b, body.p, "Hello {{Begin.body.a}}.", "Hello .");
}

TEST(a_second_answer_replaces_the_first)
{
	struct bench *b = *state;

	b->http[0] =
		(struct bench_answer){.status = 200, .body = "{\"a\":\"one\"}"};
	b->http[1] = (struct bench_answer){.status = 500, .body = ""};
	run(b,
	    START("{'name':'n'}") "{'id':'Hook','type':'http','config':{'url':"
				  "'https://app.example/"
				  "','body':'{{Hook.body.a | "
				  "default:\\'none\\'}}'},'on':{'ok':'Again',"
				  "'server_error':'Again'}},{'id':'Again','"
				  "type':"
				  "'repeat','config':{'max':2},'on':{'again':'"
				  "Hook',"
				  "'done':'Bye'}}");

	assert_int_equal(b->asks_count, 3);
	assert_string_equal(b->asks[0].body, "\"none\"");
	assert_string_equal(b->asks[1].body, "\"one\"");
	assert_string_equal(b->asks[2].body, "\"none\"");
}

TEST(the_trace_shows_where_it_went_and_blanks_what_it_got)
{
	struct bench *b = *state;
	AUTO_JSON json_t *params = json_pack("{s:s}", "n", "15005550006");

	b->params.params = params;
	b->http[0] = (struct bench_answer){
		.status = 200,
		.body = "{\"pin\":\"99482913\",\"name\":\"Ada\"}"};
	run(b, START("{'name':'n'}") "{'id':'Hook','type':'http','config':{"
				     "'url':'https://app.example/u/{{Start."
				     "http.params.n}}?key=topsecret'},'on':{"
				     "'ok':'Set'}},{'id':'Set','type':'set',"
				     "'config':{'values':{'a':'{{Hook.body."
				     "pin}}','b':'{{Hook.body.name}}'}},'on':"
				     "{'next':'Bye'}}");

	assert_non_null(strstr(b->trace, "\"method\":\"POST\""));
	assert_non_null(strstr(
		b->trace, "\"url\":\"https://app.example/u/[11 digits]\""));
	assert_null(strstr(b->trace, "topsecret"));
	assert_non_null(strstr(b->trace, "\"body.pin\":\"[8 digits]\""));
	assert_non_null(strstr(b->trace, "\"body.name\":\"Ada\""));
	assert_null(strstr(b->trace, "99482913"));
	assert_null(strstr(b->trace, "15005550006"));
}

TEST(the_trace_blanks_numbers_however_they_are_written)
{
	struct bench *b = *state;

	b->http[0] = (struct bench_answer){
		.status = 200,
		.body = "{\"a\":\"your code is 482 913.\","
			"\"b\":\"4-8-2-9-1-3\","
			"\"c\":\"call +1 (500) 555-0006 or 12 of 30\"}"};
	run(b, START("{'name':'n'}") "{'id':'Hook','type':'http','config':{"
				     "'url':'https://app.example/'},'on':{"
				     "'ok':'Set'}},{'id':'Set','type':'set',"
				     "'config':{'values':{'a':'{{Hook.body.a}}'"
				     ",'b':"
				     "'{{Hook.body.b}}','c':'{{Hook.body.c}}'}}"
				     ",'on':"
				     "{'next':'Bye'}}");

	assert_non_null(
		strstr(b->trace, "\"body.a\":\"your code is [6 digits].\""));
	assert_non_null(strstr(b->trace, "\"b\":\"[6 digits]\""));
	assert_non_null(
		strstr(b->trace, "\"c\":\"call +[11 digits] or 12 of 30\""));
	assert_null(strstr(b->trace, "913"));
	assert_null(strstr(b->trace, "9-1"));
	assert_null(strstr(b->trace, "555"));
}

/* --- in a call --------------------------------------------------------------------------- */

TEST(something_is_said_while_the_person_waits)
{
	struct bench *b = *state;

	b->http_waits = true;
	bench_call_flow(b, IN_CALL("'while_waiting':{'kind':'text','text':"
				   "'One moment.'}",
				   "Hello {{Begin.body.name}}."));
	bench_answer(b);
	bench_await_plays(b, 1);
	assert_string_equal(b->plays[0].caption, "One moment.");
	bench_hear_out(b);
	bench_go(b, 1000);
	assert_int_equal(b->plays_count, 1);
	bench_http_answer(b,
			  &(struct bench_answer){.status = 200,
						 .body = "{\"name\":\"Ada\"}"});
	bench_await_plays(b, 2);

	assert_string_equal(b->plays[1].caption, "Hello Ada.");
	assert_true(b->plays[0].whole);
}

TEST(what_is_said_meanwhile_is_heard_out)
{
	struct bench *b = *state;

	b->http_waits = true;
	bench_call_flow(b,
			IN_CALL("'while_waiting':'common.goodbye'", "Hello."));
	bench_answer(b);
	bench_await_plays(b, 1);
	bench_http_answer(b, &(struct bench_answer){.status = 200});
	bench_go(b, 100);
	assert_int_equal(b->plays_count, 1);
	bench_hear_out(b);
	bench_await_plays(b, 2);

	assert_true(b->plays[0].whole);
	assert_string_equal(b->plays[1].caption, "Hello.");
}

TEST(without_a_call_nothing_is_said_meanwhile)
{
	struct bench *b = *state;

	run(b, START("") HOOK("'while_waiting':'common.goodbye'") ENDS);

	bench_assert_end(b, FLOW_HANGUP, "Good");
	assert_int_equal(b->plays_count, 0);
}

TEST(a_hang_up_ends_the_waiting)
{
	struct bench *b = *state;

	b->http_waits = true;
	bench_call_flow(b, IN_CALL("'sign':true", "Hello."));
	bench_answer(b);
	assert_int_equal(b->asks_count, 1);
	bench_put_down(b);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Begin");
}

/* --- what a call gives -------------------------------------------------------------------- */

TEST(a_call_tells_of_itself)
{
	struct bench *b = *state;

	b->params.version = 3;
	bench_call_flow(
		b, "{'id':'Begin','type':'http','config':{'url':"
		   "'https://app.example/','body':['{{Call.status}}',"
		   "'{{Call.country}}','{{Call.answered_at}}','{{Call.route}}',"
		   "'{{flow.name}} {{flow.version}}']},'on':{'ok':'Bye'}}");
	bench_answer(b);
	bench_go(b, 0);

	assert_string_equal(b->asks[0].body,
			    "[\"answered\",\"US\",\"2023-11-14T22:13:22Z\","
			    "\"default\",\"Test 3\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(it_posts_json_before_any_call),
		WITH_BENCH(
			a_get_has_no_body_and_what_is_configured_is_passed_on),
		WITH_BENCH(a_value_stays_within_what_it_stands_in),
		WITH_BENCH(a_value_cannot_lead_upwards),
		WITH_BENCH(two_hundreds_are_ok),
		WITH_BENCH(a_redirect_is_the_client_s_error),
		WITH_BENCH(four_hundreds_are_the_client_s_error),
		WITH_BENCH(five_hundreds_are_the_server_s_error),
		WITH_BENCH(nobody_there_is_the_server_s_error),
		WITH_BENCH(who_may_not_be_asked_is_a_client_error),
		WITH_BENCH(no_answer_in_time_is_a_timeout),
		WITH_BENCH(a_server_that_asks_nobody_says_so),
		WITH_BENCH(a_host_that_never_answers_does_not_hold_a_run),
		WITH_BENCH(what_a_template_names_of_the_answer_is_there),
		WITH_BENCH(what_the_answer_lacks_is_not_set),
		WITH_BENCH(what_is_not_json_gives_nothing),
		WITH_BENCH(an_answer_that_is_too_large_gives_nothing),
		WITH_BENCH(a_value_that_is_too_long_is_not_set),
		WITH_BENCH(a_second_answer_replaces_the_first),
		WITH_BENCH(
			the_trace_shows_where_it_went_and_blanks_what_it_got),
		WITH_BENCH(the_trace_blanks_numbers_however_they_are_written),
		WITH_BENCH(something_is_said_while_the_person_waits),
		WITH_BENCH(what_is_said_meanwhile_is_heard_out),
		WITH_BENCH(without_a_call_nothing_is_said_meanwhile),
		WITH_BENCH(a_hang_up_ends_the_waiting),
		WITH_BENCH(a_call_tells_of_itself),
	};

	return cmocka_run_group_tests_name("flow/http", tests, bench_open,
					   bench_close);
}
