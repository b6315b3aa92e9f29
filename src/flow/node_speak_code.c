// SPDX-License-Identifier: Apache-2.0
/*
 * node_speak_code.c - the code, digit by digit, and again for who wants it.
 *
 * It counts as spoken when it has been heard whole once: that is where the
 * saying has its mark.  What comes behind says nothing new, so from there on a
 * key is an answer, and before it is not.  `9` is an answer at any time: this
 * is no place where digits are data.
 */
#include "base/mem.h"
#include "flow/run_priv.h"

enum {
	TIMES_MAX = 3,
	REPEATS_MAX = 3,
	CHOOSE_MS = 8000,  /* to press 1 or 2 */
	SENTENCE_MS = 200, /* from one saying of the code to the next */
	SHORT_MS = 100,
};
enum { GIVES_REPEATS };

struct config {
	unsigned times, repeats;
	struct flow_script warning, first, again, once_more, menu;
};

struct state {
	unsigned repeats;
	enum speech_pace pace;
};

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"times", "repeats", "warning",
					    "first", "again",   "once_more",
					    "menu",  NULL};
	static const struct flow_phrase_key KEYS[] = {
		{.key = "warning", .otherwise = "speak.warning"},
		{.key = "first", .otherwise = "speak.code_first", .code = true},
		{.key = "again", .otherwise = "speak.again", .code = true},
		{.key = "once_more", .otherwise = "speak.again", .code = true},
		{.key = "menu", .otherwise = "speak.menu"},
	};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));
	struct flow_script *const scripts[] = {
		&c->warning, &c->first, &c->again, &c->once_more, &c->menu};

	at->node->config = c;
	flow_known(at, config, KNOWN);
	c->times = (unsigned)flow_int(at, config, "times",
				      (struct flow_range){1, TIMES_MAX, 2});
	c->repeats = (unsigned)flow_int(at, config, "repeats",
					(struct flow_range){0, REPEATS_MAX,
							    REPEATS_MAX});
	for (size_t i = 0; i < COUNT_OF(KEYS); i++)
		flow_phrases_at(at, config, &KEYS[i], scripts[i]);
}

/* The n-th time that it is said. */
static struct flow_says code(const struct config *c, const struct state *s,
			     unsigned n)
{
	const struct flow_script *const scripts[TIMES_MAX] = {
		&c->first, &c->again, &c->once_more};

	return (struct flow_says){.pause_ms = SENTENCE_MS,
				  .script = scripts[n],
				  .pace = s->pace,
				  .mark = n == 0};
}

static bool has_menu(const struct config *c, const struct state *s)
{
	return s->repeats < c->repeats;
}

/* Asked for again it is said once: that is what was missed. */
static void say(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	const struct state *s = flow_run_state(run);
	struct flow_says says[2 + TIMES_MAX];
	unsigned times = s->repeats == 0 ? c->times : 1;
	size_t n = 0;

	if (s->repeats == 0)
		says[n++] = (struct flow_says){.pause_ms = SHORT_MS,
					       .script = &c->warning};
	for (unsigned i = 0; i < times; i++)
		says[n++] = code(c, s, i);
	if (has_menu(c, s))
		says[n++] = (struct flow_says){.pause_ms = SENTENCE_MS,
					       .script = &c->menu};
	flow_run_say(run, says, n);
}

static void done(struct flow_run *run, const char *trigger)
{
	const struct state *s = flow_run_state(run);

	flow_run_give_int(run, GIVES_REPEATS, s->repeats);
	flow_run_out_int(run, "repeats", s->repeats);
	flow_run_fire(run, trigger);
}

static void enter(struct flow_run *run)
{
	say(run);
}

static void take_key(struct flow_run *run, const struct flow_happening *ev)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);

	if (ev->key == '9') {
		flow_run_hush(run);
		flow_run_judge(run, LEG_REPORTED);
		done(run, "reported");
	} else if (ev->counts && has_menu(c, s) &&
		   (ev->key == '1' || ev->key == '2')) {
		flow_run_unwait(run);
		s->repeats++;
		s->pace = ev->key == '2' ? SPEECH_SLOW : SPEECH_NORMAL;
		say(run);
	}
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	const struct config *c = flow_run_config(run);
	const struct state *s = flow_run_state(run);

	switch (ev->what) {
	case FLOW_MARK:
		flow_run_spoken(run);
		return;
	case FLOW_PLAYED:
		if (has_menu(c, s))
			flow_run_wait(run, CHOOSE_MS);
		else
			done(run, "completed");
		return;
	case FLOW_KEY:
		take_key(run, ev);
		return;
	case FLOW_TIMER:
		done(run, "completed");
		return;
	case FLOW_UNSAID:
		flow_run_end(run, FLOW_FAILED);
		return;
	case FLOW_TEL:
	case FLOW_ANSWER:
		return;
	}
}

const struct flow_driver flow_speak_code = {
	.type = "speak-code",
	.triggers = (const char *const[]){"completed", "reported", NULL},
	.gives = (const struct flow_gives[]){{"repeats", "0", NULL},
					     {NULL, NULL, NULL}},
	.speaks = true,
	.says_code = true,
	.state_bytes = sizeof(struct state),
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
