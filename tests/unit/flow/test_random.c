// SPDX-License-Identifier: Apache-2.0
/*
 * test_random.c - whatever is drawn and whatever happens, a run ends.
 *
 * Flows are drawn at random within what the checker lets through: edges lead
 * forward, but for those that something counts.  Then people do anything.
 */
#include <errno.h>

#include "support/flow_bench.h"

enum {
	FLOWS = 1500,
	NODES_MAX = 14,
	END_MS = 400000, /* ringing, the belt of 110 s, last words: far less */
};

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
	{"hangup", "", {NULL}},
};

static void draw_node(struct bench *b, struct buf *to, unsigned at,
		      unsigned count)
{
	unsigned kind = below(b, COUNT_OF(KINDS));
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
}

static void draw(struct bench *b)
{
	unsigned count = 1 + below(b, NODES_MAX);
	AUTO_BUF(text, 32 << 10);

	for (unsigned i = 0; i < count; i++)
		draw_node(b, &text, i, count);
	bench_call_flow(b, text.p);
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
}

static void assert_well_ended(const struct bench *b)
{
	AUTO_JSON json_t *trace = NULL;
	struct diag d = {0};

	assert_true(b->over);
	assert_null(b->call);
	assert_int_equal(js_parse(span_of(b->trace), &trace, &d), 0);
	assert_true(strlen(b->trace) <= FLOW_TRACE_MAX);
	assert_null(strstr(b->trace, BENCH_CODE));
	assert_null(strstr(b->trace, &BENCH_TO[1]));
	assert_true(b->steps_count <= FLOW_STEPS_MAX + 1);
	if (b->dials > 0)
		assert_int_equal(b->news[b->news_count - 1].event, EVENT_ENDED);
}

static void run_one(uint64_t seed)
{
	void *state = NULL;
	struct bench *b;
	int64_t end;

	assert_int_equal(bench_setup(&state), 0);
	b = state;
	rng_free(b->rng);
	b->rng = b->params.rng = rng_seeded(seed);
	draw(b);
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
}

TEST(every_run_ends)
{
	(void)state;
	for (uint64_t i = 0; i < FLOWS; i++)
		run_one(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_run_ends),
	};

	return cmocka_run_group_tests_name("flow/random", tests, bench_open,
					   bench_close);
}
