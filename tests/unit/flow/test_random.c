// SPDX-License-Identifier: Apache-2.0
/*
 * test_random.c - whatever is drawn and whatever happens, a run ends.
 *
  * Flows are drawn at random: edges lead forward, but for those that something
 * counts.  Some try to let a secret out; the checker must refuse them.  The rest
 * are run: people do anything, applications answer anything, and neither the
 * code nor a secret parameter is in what leaves the run.
 */
#include <errno.h>

#include "support/flow_bench.h"

enum {
	FLOWS = 1500,
	NODES_MAX = 14,
	END_MS = 400000, /* ringing, the belt of 110 s, last words: far less */
};

/* Long enough not to be typed by chance. */
#define OTP "7350194268"

static unsigned below(struct bench *b, unsigned n)
{
	return rng_below(b->rng, n);
}

/* A node behind `at`; the last but one is N<count - 1>, then Bye. */
static void forward(struct bench *b, struct buf *to, unsigned at,
		    unsigned count)
{
	unsigned target = at + 1 + below(b, count - at);

	if (target >= count)
		buf_str(to, "'Bye'");
	else if (target == 0)
		buf_str(to, "'Begin'");
	else
		buf_printf(to, "'N%u'", target);
}

/* Any node behind the call: only for edges that are counted. */
static void anywhere(struct bench *b, struct buf *to, unsigned count)
{
	unsigned target = below(b, count);

	if (target == 0)
		buf_str(to, "'Begin'");
	else
		buf_printf(to, "'N%u'", target);
}

/* config and triggers; a trigger with + may lead back. */
static const struct {
	const char *type, *config;
	const char *triggers[6];
} KINDS[] = {
	{"play",
	 "'speech':{'kind':'recording','prompt':'common.goodbye'},'times':2",
	 {"completed", "failed"}},
	{"play",
	 "'speech':{'kind':'ssml','ssml':'<speak>Code <say-as interpret-as="
	 "\\'digits\\'>{{verification.code}}</say-as></speak>'},'barge_in':"
	 "true",
	 {"completed"}},
	{"input",
	 "'max_digits':'code','restart_key':'*','tries':2,'prompt':{'kind':"
	 "'recording','prompt':'keypad.type'}",
	 {"input", "no_input"}},
	{"input",
	 "'max_digits':3,'finish_key':'#','barge_in':false,'prompt':{'kind':"
	 "'recording','prompt':'keypad.type'}",
	 {"input", "no_input"}},
	{"verify",
	 "'input':'1{{verification.attempt}}'",
	 {"match", "+mismatch", "expired", "too_many"}},
	{"repeat", "'max':3", {"+again", "done"}},
	{"repeat", "'max':9", {"+again", "done"}},
	{"set", "'values':{'x':'{{verification.attempt}}'}", {"next"}},
	{"branch",
	 "'cases':[{'name':'a','left':'{{verification.attempt}}','op':'equals',"
	 "'right':'1'},"
	 "{'name':'b','left':'{{call.id}}','op':'contains','right':'z'}]",
	 {"a", "b", "otherwise"}},
	{"human-check",
	 "'intro':'common.not_you'",
	 {"passed", "suspected", "no_input", "reported"}},
	{"speak-code", "'times':2", {"completed", "reported"}},
	{"http",
	 "'url':'https://app.example/{{verification.attempt}}?x={{vars.x}}',"
	 "'headers':{'x':'{{vars.x}}'},'body':{'a':['{{Call.status}}',"
	 "'{{vars.x}}']},'while_waiting':'common.goodbye'",
	 {"ok", "client_error", "server_error", "timeout"}},
	{"http",
	 "'url':'https://app.example/','method':'GET'",
	 {"ok", "client_error", "server_error", "timeout"}},
	{"play",
	 "'speech':{'kind':'ssml','ssml':'<speak><say-as interpret-as="
	 "\\'spell-out\\'>{{Start.http.params.otp}}</say-as></speak>'}",
	 {"completed", "failed"}},
	{"verify",
	 "'input':'{{Start.http.params.otp}}'",
	 {"match", "+mismatch", "expired", "too_many"}},
	{"hangup", "", {NULL}},
	/* what must be refused */
	{"http",
	 "'url':'https://app.example/{{Start.http.params.otp}}'",
	 {"ok"}},
	{"http",
	 "'url':'https://app.example/','headers':{'x':'{{verification.code | "
	 "spaced}}'}",
	 {"ok"}},
	{"http",
	 "'url':'https://app.example/','body':[{'x':'{{Start.http.params.otp "
	 "| digits}}'}]",
	 {"ok"}},
	{"set", "'values':{'x':'{{Start.http.params.otp}}'}", {"next"}},
	{"branch",
	 "'cases':[{'name':'a','left':'{{verification.code}}','op':'equals',"
	 "'right':'1'}]",
	 {"a", "otherwise"}},
	{"play",
	 "'speech':{'kind':'text','text':'{{Start.http.params.otp}}'}",
	 {"completed"}},
	{"play",
	 "'speech':{'kind':'ssml','ssml':'<speak>{{verification.code}}</speak>'"
	 "}",
	 {"completed"}},
};
enum { LEAKS = 7 };

/* True: it lets a secret out. */
static bool draw_node(struct bench *b, struct buf *to, unsigned at,
		      unsigned count)
{
	unsigned honest = COUNT_OF(KINDS) - LEAKS;
	unsigned kind =
		below(b, 40) == 0 ? honest + below(b, LEAKS) : below(b, honest);
	bool first = true;

	if (at == 0)
		buf_str(to, "{'id':'Begin',");
	else
		buf_printf(to, ",{'id':'N%u',", at);
	buf_printf(to, "'type':'%s','config':{%s}", KINDS[kind].type,
		   KINDS[kind].config);
	for (const char *const *t = KINDS[kind].triggers; *t; t++) {
		const char *name = **t == '+' ? *t + 1 : *t;

		if (below(b, 10) == 0)
			continue; /* not connected */
		buf_str(to, first ? ",'on':{" : ",");
		first = false;
		buf_printf(to, "'%s':", name);
		if (**t == '+')
			anywhere(b, to, count);
		else
			forward(b, to, at, count);
	}
	buf_str(to, first ? "}" : "}}");
	return kind >= honest;
}

/* False: the checker refuses it, as it must. */
static bool draw(struct bench *b)
{
	unsigned count = 1 + below(b, NODES_MAX);
	struct flow_world world = test_world(b->phrases);
	struct flow_findings findings;
	AUTO_BUF(text, 32 << 10);
	bool leaks = false;
	int err;

	buf_str(&text,
		"{'format':'voiceflow/1','name':'Test','start':'Start',"
		"'nodes':[{'id':'Start','type':'start','config':{'params':[{"
		"'name':'otp','secret':true}]},'on':{'api_request':'Call'}},"
		"{'id':'Call','type':'call','config':{'to':'{{verification."
		"to}}'},'on':{'answered':'Begin','busy':'Bye','no_answer':"
		"'Bye','rejected':'Bye','failed':'Bye'}},"
		"{'id':'X','type':'set','config':{'values':{'x':'x'}}},");
	for (unsigned i = 0; i < count; i++)
		leaks |= draw_node(b, &text, i, count);
	buf_str(&text, ",{'id':'Bye','type':'hangup'}]}");
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\'')
			text.p[i] = '"';
	err = flow_load(buf_view(&text), &world, &b->flow, &findings);
	flow_findings_free(&findings);
	assert_int_equal(err, leaks ? -EINVAL : 0);
	return err == 0;
}

static void do_anything(struct bench *b)
{
	static const char keys[] = "0123456789*#";
	unsigned what = below(b, 400);

	if (what == 0 && b->call)
		bench_put_down(b);
	else if (what == 1)
		flow_run_stop(b->run);
	else if (what == 2)
		flow_run_settle(b->run);
	else if (what < 200 && b->call)
		bench_key(b, keys[below(b, 12)]);
	else
		bench_go(b, below(b, 4000));
}

static void set_the_scene(struct bench *b)
{
	static const unsigned STATUS[] = {200, 200, 404, 500, 0};
	for (size_t i = 0; i < COUNT_OF(b->verify); i++) {
		b->verify[i] = (enum outcome_check)below(b, CHECK_COUNT);
		b->verify_left[i] = below(b, 3);
	}
	b->verify_error = below(b, 10) == 0 ? -EIO : 0;
	if (below(b, 5) == 0)
		b->params.deadline_ms =
			clock_wall_ms(b->clock) + below(b, 60000);
	if (below(b, 3) == 0)
		b->params.language = "de";
	for (size_t i = 0; i < COUNT_OF(b->http); i++)
		b->http[i] = (struct bench_answer){
			.status = STATUS[below(b, COUNT_OF(STATUS))],
			.timeout = below(b, 2) == 0,
			.body = "{\"a\":1}"};
}

static void assert_no_secret(const char *text)
{
	assert_null(strstr(text, OTP));
	assert_null(strstr(text, BENCH_CODE));
}

static void assert_nothing_left(const struct bench *b)
{
	for (size_t i = 0; i < b->asks_count; i++) {
		assert_no_secret(b->asks[i].url);
		assert_no_secret(b->asks[i].headers);
		assert_no_secret(b->asks[i].body);
	}
	for (size_t i = 0; i < b->steps_count; i++)
		assert_no_secret(b->steps[i]);
	assert_no_secret(b->trace);
}

static void assert_well_ended(const struct bench *b)
{
	AUTO_JSON json_t *trace = NULL;
	struct diag d = {0};

	assert_true(b->over);
	assert_null(b->call);
	assert_int_equal(js_parse(span_of(b->trace), &trace, &d), 0);
	assert_true(strlen(b->trace) <= FLOW_TRACE_MAX);
	assert_nothing_left(b);
	assert_null(strstr(b->trace, &BENCH_TO[1]));
	assert_true(b->steps_count <= FLOW_STEPS_MAX + 1);
	if (b->dials > 0)
		assert_int_equal(b->news[b->news_count - 1].event, EVENT_ENDED);
}

/* False: it was refused. */
static bool run_one(uint64_t seed)
{
	AUTO_JSON json_t *params = json_pack("{s:s}", "otp", OTP);
	void *state = NULL;
	struct bench *b;
	int64_t end;

	assert_int_equal(bench_setup(&state), 0);
	b = state;
	rng_free(b->rng);
	b->rng = b->params.rng = rng_seeded(seed);
	if (!draw(b)) {
		b->asked = 1; /* no voice was asked either */
		assert_int_equal(bench_teardown(&state), 0);
		return false;
	}
	b->params.params = params;
	set_the_scene(b);
	bench_start(b);
	if (!b->over && b->call && below(b, 10) > 0)
		bench_pick_up(b);
	else if (!b->over && b->call)
		bench_refuse(b, 486, 17);
	end = clock_mono_ms(b->clock) + END_MS;
	while (!b->over && clock_mono_ms(b->clock) < end)
		do_anything(b);

	assert_well_ended(b);
	assert_int_equal(bench_teardown(&state), 0);
	return true;
}

TEST(every_run_ends_and_keeps_its_secrets)
{
	unsigned ran = 0;

	(void)state;
	for (uint64_t i = 0; i < FLOWS; i++)
		ran += run_one(i);
	assert_true(ran > FLOWS / 2);
	assert_true(ran < FLOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_run_ends_and_keeps_its_secrets),
	};

	return cmocka_run_group_tests_name("flow/random", tests, bench_open,
					   bench_close);
}
