// SPDX-License-Identifier: Apache-2.0
/*
 * test_params.c - what callers hand in, in all the ways that they write it.
 */
#include <errno.h>

#include "support/flow_bench.h"

static const char FLOW[] =
	"{'id':'Start','type':'start','config':{'params':[{'name':'from',"
	"'sample':'+15671234567'},{'name':'to','required':true},{'name':'otp',"
	"'secret':true,'sample':'482913'}]},'on':{'api_request':'Call'}},"
	"{'id':'Call','type':'call','config':{'from':"
	"'{{Start.http.params.from}}','to':'{{Start.http.params.to}}'},"
	"'on':{'answered':'Say'}},"
	"{'id':'Say','type':'play','config':{'speech':{'kind':'ssml','ssml':"
	"'<speak><say-as interpret-as=\\'digits\\'>{{Start.http.params.otp}}"
	"</say-as></speak>'}},'on':{'completed':'Bye'}}";

/* What `params` (with ' for ") becomes, as compact text; "!x" names the field
 * of the error. */
static void assert_read(const struct bench *b, const char *params,
			const char *expected)
{
	AUTO_JSON json_t *in = NULL, *out = NULL;
	AUTO_BUF(quoted, 8 << 10);
	struct diag d = {0};
	int err;

	buf_str(&quoted, params);
	for (size_t i = 0; i < quoted.n; i++)
		if (quoted.p[i] == '\'')
			quoted.p[i] = '"';
	assert_int_equal(js_parse(buf_view(&quoted), &in, &d), 0);
	err = flow_params_read(b->flow, in, &out, &d);
	if (*expected == '!') {
		assert_int_equal(err, -EINVAL);
		assert_string_equal(d.field, expected + 1);
		assert_null(out);
	} else {
		assert_int_equal(err, 0);
		AUTO_FREE char *text = js_text(out);
		assert_string_equal(text, expected);
	}
}

TEST(a_flow_says_what_it_takes)
{
	struct bench *b = *state;
	struct flow_param p;

	bench_flow(b, FLOW);

	assert_true(flow_param(b->flow, 0, &p));
	assert_string_equal(p.name, "from");
	assert_string_equal(p.sample, "+15671234567");
	assert_false(p.required);
	assert_false(p.secret);
	assert_true(flow_param(b->flow, 1, &p));
	assert_string_equal(p.name, "to");
	assert_string_equal(p.sample, "");
	assert_true(p.required);
	assert_true(flow_param(b->flow, 2, &p));
	assert_true(p.secret);
	assert_false(flow_param(b->flow, 3, &p));
}

TEST(a_flow_may_take_nothing)
{
	struct bench *b = *state;
	AUTO_JSON json_t *out = NULL;
	struct flow_param p;
	struct diag d = {0};

	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));

	assert_false(flow_param(b->flow, 0, &p));
	assert_int_equal(flow_params_read(b->flow, NULL, &out, &d), 0);
	assert_int_equal(json_object_size(out), 0);
}

TEST(numbers_are_plain_decimals)
{
	struct bench *b = *state;

	bench_flow(b, FLOW);

	assert_read(b, "{'to':15671234567,'otp':482913}",
		    "{\"otp\":\"482913\",\"to\":\"15671234567\"}");
	assert_read(b, "{'to':'x','otp':7}", "{\"otp\":\"7\",\"to\":\"x\"}");
	assert_read(b, "{'to':'x','otp':'000042'}",
		    "{\"otp\":\"000042\",\"to\":\"x\"}");
	assert_read(b, "{'to':1.5671234567e10}", "{\"to\":\"15671234567\"}");
	assert_read(b, "{'to':0.1}", "{\"to\":\"0.1\"}");
	assert_read(b, "{'to':-0.0}", "{\"to\":\"0\"}");
	assert_read(b, "{'to':-12}", "{\"to\":\"-12\"}");
	assert_read(b, "{'to':1e300}", "!to");
}

TEST(null_and_empty_are_absent)
{
	struct bench *b = *state;
	AUTO_JSON json_t *out = NULL;
	struct diag d = {0};

	bench_flow(b, FLOW);

	assert_read(b, "{'to':'x','otp':null,'from':''}", "{\"to\":\"x\"}");
	assert_read(b, "{'to':null}", "!to");
	assert_read(b, "{'to':''}", "!to");
	assert_read(b, "{}", "!to");
	assert_int_equal(flow_params_read(b->flow, NULL, &out, &d), -EINVAL);
	assert_string_equal(d.field, "to");
}

TEST(what_is_neither_text_nor_number_is_named)
{
	struct bench *b = *state;
	AUTO_JSON json_t *list = json_array(), *out = NULL;
	struct diag d = {0};

	bench_flow(b, FLOW);

	assert_read(b, "{'to':'x','otp':true}", "!otp");
	assert_read(b, "{'to':{'a':1}}", "!to");
	assert_read(b, "{'to':['x']}", "!to");
	assert_read(b, "{'to':'x','what':'y'}", "!what");
	assert_int_equal(flow_params_read(b->flow, list, &out, &d), -EINVAL);
}

TEST(a_secret_is_one_to_ten_digits)
{
	struct bench *b = *state;

	bench_flow(b, FLOW);

	assert_read(b, "{'to':'x','otp':'1234567890'}",
		    "{\"otp\":\"1234567890\",\"to\":\"x\"}");
	assert_read(b, "{'to':'x','otp':'12345678901'}", "!otp");
	assert_read(b, "{'to':'x','otp':'12a4'}", "!otp");
	assert_read(b, "{'to':'x','otp':-7}", "!otp");
	assert_read(b, "{'to':'x','otp':4829.5}", "!otp");
}

TEST(an_error_does_not_show_the_secret)
{
	struct bench *b = *state;
	AUTO_JSON json_t *in = json_pack("{s:s}", "otp", "swordfish");
	AUTO_JSON json_t *out = NULL;
	struct diag d = {0};

	bench_flow(b, FLOW);
	assert_int_equal(flow_params_read(b->flow, in, &out, &d), -EINVAL);

	assert_null(strstr(d.message, "swordfish"));
}

TEST(a_text_has_a_limit)
{
	struct bench *b = *state;
	AUTO_BUF(text, FLOW_VALUE_MAX + 1);
	AUTO_JSON json_t *in = json_object(), *out = NULL;
	struct diag d = {0};

	bench_flow(b, FLOW);
	for (int i = 0; i < FLOW_VALUE_MAX; i++)
		buf_byte(&text, 'x');
	json_object_set_new(in, "to", json_string(text.p));
	assert_int_equal(flow_params_read(b->flow, in, &out, &d), 0);
	buf_byte(&text, 'x');
	json_object_set_new(in, "to", json_string(text.p));

	AUTO_JSON json_t *none = NULL;
	assert_int_equal(flow_params_read(b->flow, in, &none, &d), -EINVAL);
	assert_string_equal(d.field, "to");
}

/* --- where it rings ------------------------------------------------------------- */

static void assert_destination(const struct bench *b, const char *to,
			       const char *expected)
{
	AUTO_JSON json_t *params = json_pack("{s:s}", "to", to);
	AUTO_BUF(out, 64);
	struct diag d = {0};

	assert_int_equal(flow_destination(b->flow, params, &out, &d), 0);
	assert_string_equal(out.p, expected);
}

TEST(the_first_call_says_whom_it_rings)
{
	struct bench *b = *state;

	bench_flow(b, FLOW);

	assert_destination(b, "+15671234567", "+15671234567");
	assert_destination(b, "15671234567", "+15671234567");
	assert_destination(b, "+1 (567) 123-4567", "+15671234567");
	assert_destination(b, "nobody", "nobody"); /* whoever dials says no */
	assert_destination(b, "911", "911");
}

TEST(a_destination_must_be_known_before_the_run)
{
	struct bench *b = *state;
	AUTO_JSON json_t *none = json_object();
	AUTO_BUF(out, 64);
	struct diag d = {0};

	bench_flow(b, FLOW);
	assert_int_equal(flow_destination(b->flow, none, &out, &d), -EINVAL);
	bench_call_flow(b, BENCH_SAY("Begin", "Hello.", "Bye"));
	assert_int_equal(flow_destination(b->flow, none, &out, &d), -EINVAL);
	bench_flow(b, "{'id':'Start','type':'start','on':{'api_request':"
		      "'Bye'}}");
	assert_int_equal(flow_destination(b->flow, none, &out, &d), -EINVAL);
}

static void run_with(struct bench *b, const char *from, const char *to)
{
	AUTO_JSON json_t *params =
		json_pack("{s:s,s:s,s:s}", "from", from, "to", to, "otp", "7");

	bench_flow(b, FLOW);
	b->params.params = params;
	bench_start(b);
	b->params.params = NULL;
}

TEST(a_number_without_plus_is_the_same_number)
{
	struct bench *b = *state;

	run_with(b, "15671230000", &BENCH_TO[1]);

	assert_int_equal(b->dials, 1);
	assert_string_equal(b->to, BENCH_TO);
	assert_string_equal(b->from, "+15671230000");
}

TEST(another_number_without_plus_is_another)
{
	struct bench *b = *state;

	run_with(b, "15671230000", "15005550007");

	bench_assert_end(b, FLOW_NOT_DIALED, "Call");
	assert_int_equal(b->dials, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_flow_says_what_it_takes),
		WITH_BENCH(a_flow_may_take_nothing),
		WITH_BENCH(numbers_are_plain_decimals),
		WITH_BENCH(null_and_empty_are_absent),
		WITH_BENCH(what_is_neither_text_nor_number_is_named),
		WITH_BENCH(a_secret_is_one_to_ten_digits),
		WITH_BENCH(an_error_does_not_show_the_secret),
		WITH_BENCH(a_text_has_a_limit),
		WITH_BENCH(the_first_call_says_whom_it_rings),
		WITH_BENCH(a_destination_must_be_known_before_the_run),
		WITH_BENCH(a_number_without_plus_is_the_same_number),
		WITH_BENCH(another_number_without_plus_is_another),
	};

	return cmocka_run_group_tests_name("flow/params", tests, bench_open,
					   bench_close);
}
