// SPDX-License-Identifier: Apache-2.0
/*
 * node_input.c - digits from the keypad.
 *
 * Two times to wait, because they are two things: to find the phone's keypad
 * takes long, to go on typing does not.  For a code (max_digits "code": as
 * many as the verification's code has) both are 10 s, because its digits are
 * looked up one by one (B6).
 *
 * Keys are taken from the first moment.  Where a prompt must be heard out
 * (barge_in false: a warning), they are kept until it is over.
 */
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "flow/run_priv.h"

enum {
	DIGITS_MAX = 32,
	FIRST_MS = 8000,
	BETWEEN_MS = 3000,
	CODE_MS = 10000, /* B6: a key may take so long */
	WAIT_MIN_MS = 500,
	WAIT_MAX_MS = 60000,
	TRIES_MAX = 5,
};
enum { GIVES_DIGITS, GIVES_COUNT, GIVES_FINISHED_BY };

struct config {
	unsigned min, max; /* 0: the code's length */
	unsigned first_ms, between_ms, tries;
	char finish_key, restart_key; /* 0: none */
	struct flow_script prompt, invalid_prompt;
	bool barge_in;
};

struct state {
	char digits[DIGITS_MAX + 1];
	size_t count;
	unsigned min, max, tries;
	enum { OPEN, FULL } entry; /* FULL: when the prompt is over */
};

/* --- the document ------------------------------------------------------------------- */

/* 1 to 32, or the word "code". */
static unsigned parse_digits(const struct flow_at *at, const json_t *config,
			     const char *key, unsigned otherwise)
{
	const json_t *v = json_object_get(config, key);

	if (json_is_string(v) && strcmp(json_string_value(v), "code") == 0)
		return 0;
	return (unsigned)flow_int(
		at, config, key, (struct flow_range){1, DIGITS_MAX, otherwise});
}

static char parse_key(const struct flow_at *at, const json_t *config,
		      const char *key)
{
	const char *text = flow_text(at, config, key, 1, false);

	if (!text || !*text)
		return 0;
	if (*text == '#' || *text == '*')
		return *text;
	flow_find(at, key, FLOW_IS_ERROR("bad_value"), "must be # or *");
	return 0;
}

static void parse_times(const struct flow_at *at, const json_t *config,
			struct config *c)
{
	bool code = c->max == 0;

	c->first_ms = (unsigned)flow_int(
		at, config, "first_digit_timeout_ms",
		(struct flow_range){WAIT_MIN_MS, WAIT_MAX_MS,
				    code ? CODE_MS : FIRST_MS});
	c->between_ms = (unsigned)flow_int(
		at, config, "inter_digit_timeout_ms",
		(struct flow_range){WAIT_MIN_MS, WAIT_MAX_MS,
				    code ? CODE_MS : BETWEEN_MS});
	c->tries = (unsigned)flow_int(at, config, "tries",
				      (struct flow_range){1, TRIES_MAX, 1});
}

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"max_digits",
					    "min_digits",
					    "first_digit_timeout_ms",
					    "inter_digit_timeout_ms",
					    "finish_key",
					    "restart_key",
					    "tries",
					    "prompt",
					    "invalid_prompt",
					    "secret",
					    "barge_in",
					    NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));
	struct flow_slot *digits =
		&at->flow->slots[at->node->sets[GIVES_DIGITS]];

	at->node->config = c;
	flow_known(at, config, KNOWN);
	if (!json_object_get(config, "max_digits"))
		flow_find(at, "max_digits", FLOW_IS_ERROR("missing_field"),
			  "\"max_digits\" is missing");
	c->max = parse_digits(at, config, "max_digits", DIGITS_MAX);
	c->min = parse_digits(at, config, "min_digits", c->max == 0 ? 0 : 1);
	if (c->max > 0 && (c->min == 0 || c->min > c->max))
		flow_find(at, "min_digits", FLOW_IS_ERROR("bad_range"),
			  "must be at most max_digits");
	parse_times(at, config, c);
	c->finish_key = parse_key(at, config, "finish_key");
	c->restart_key = parse_key(at, config, "restart_key");
	if (c->finish_key && c->finish_key == c->restart_key)
		flow_find(at, "restart_key", FLOW_IS_ERROR("bad_value"),
			  "is the finish_key already");
	flow_speech_at(at, config, "prompt", false, &c->prompt);
	flow_speech_at(at, config, "invalid_prompt", false, &c->invalid_prompt);
	c->barge_in = flow_bool(at, config, "barge_in", true);
	digits->secret = flow_bool(at, config, "secret", true);
	if (!digits->secret && c->max == 0) {
		flow_find(at, "secret", FLOW_IS_ERROR("bad_value"),
			  "the code is secret");
		digits->secret = true;
	}
	digits->show = FLOW_SHOW_DIGITS;
}

/* --- the run ---------------------------------------------------------------------------- */

/* Where nothing speaks the code, being asked for it is what counts (A4). */
static void asked(struct flow_run *run)
{
	const struct flow *f = flow_run_flow(run);

	if (f->asks_code && !f->says_code)
		flow_run_spoken(run);
}

static void listen(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	const struct state *s = flow_run_state(run);

	flow_run_wait(run, s->count == 0 ? c->first_ms : c->between_ms);
}

static void start_again(struct state *s)
{
	crypto_wipe(s->digits, sizeof(s->digits));
	s->count = 0;
	s->entry = OPEN;
}

static void ask(struct flow_run *run, const struct flow_script *prompt)
{
	struct state *s = flow_run_state(run);
	const struct flow_says says = {.script = prompt};

	start_again(s);
	s->tries++;
	if (prompt->count > 0)
		flow_run_say(run, &says, 1);
	else
		listen(run);
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);

	s->max = c->max ? c->max : flow_run_code_length(run);
	s->min = c->min ? c->min : s->max;
	ask(run, &c->prompt);
}

static void give(struct flow_run *run, const char *finished_by)
{
	const struct state *s = flow_run_state(run);

	flow_run_give(run, GIVES_DIGITS, s->digits);
	flow_run_give_int(run, GIVES_COUNT, (int64_t)s->count);
	flow_run_give(run, GIVES_FINISHED_BY, finished_by);
	flow_run_out(run, "digits", s->digits, FLOW_SHOW_DIGITS);
	flow_run_out(run, "finished_by", finished_by, FLOW_SHOW_TEXT);
	flow_run_out_int(run, "tries", s->tries);
}

static void give_input(struct flow_run *run, const char *finished_by)
{
	asked(run);
	flow_run_hush(run);
	give(run, finished_by);
	flow_run_fire(run, "input");
}

/* Too few, or nothing. */
static void try_again(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);

	if (s->tries < c->tries) {
		ask(run, c->invalid_prompt.count > 0 ? &c->invalid_prompt
						     : &c->prompt);
		return;
	}
	give(run, "timeout");
	flow_run_fire(run, "no_input");
}

static void finish(struct flow_run *run, const char *finished_by)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);

	flow_run_unwait(run);
	if (flow_run_is_talking(run) && !c->barge_in)
		s->entry = FULL;
	else if (s->count >= s->min)
		give_input(run, finished_by);
	else
		try_again(run);
}

/* What a key did to the entry. */
enum effect { NOTHING, CHANGED, FINISHED };

static enum effect take(const struct config *c, struct state *s, char key)
{
	if (key == c->restart_key) {
		start_again(s);
		return CHANGED;
	}
	if (s->entry == FULL)
		return NOTHING;
	if (key == c->finish_key)
		return FINISHED;
	if (key == '#' || key == '*')
		return NOTHING;
	s->digits[s->count++] = key;
	return s->count == s->max ? FINISHED : CHANGED;
}

static void key_pressed(struct flow_run *run, char key)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);
	enum effect effect = take(c, s, key);

	if (effect == FINISHED) {
		finish(run, key == '#' ? "#" : key == '*' ? "*" : "max_digits");
		return;
	}
	if (effect == NOTHING)
		return;
	if (c->barge_in)
		flow_run_hush(run);
	if (!flow_run_is_talking(run))
		listen(run);
}

/* The prompt was heard: from here on time runs. */
static void prompted(struct flow_run *run)
{
	const struct state *s = flow_run_state(run);

	asked(run);
	if (s->entry == FULL)
		finish(run, s->count == s->max ? "max_digits" : "finish_key");
	else
		listen(run);
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	switch (ev->what) {
	case FLOW_KEY:
		key_pressed(run, ev->key);
		return;
	case FLOW_PLAYED:
		prompted(run);
		return;
	case FLOW_TIMER:
		finish(run, "timeout");
		return;
	case FLOW_UNSAID:
		flow_run_end(run, FLOW_FAILED);
		return;
	case FLOW_MARK:
	case FLOW_TEL:
	case FLOW_ANSWER:
		return;
	}
}

const struct flow_driver flow_input = {
	.type = "input",
	.triggers = (const char *const[]){"input", "no_input", NULL},
	.gives =
		(const struct flow_gives[]){{"digits", "000000", "input"},
					    {"count", "6", NULL},
					    {"finished_by", "max_digits", NULL},
					    {NULL, NULL, NULL}},
	.speaks = true,
	.state_bytes = sizeof(struct state),
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
