// SPDX-License-Identifier: Apache-2.0
/*
 * node_human_check.c - is there a person who listens (B4)?
 *
 * Digits from 1 to 8 are spoken, and must be pressed.  A mailbox speaks its
 * greeting into our words, and a greeting can hold key tones, any and at any
 * time.  So keys are judged strictly, in ways that a person does not meet:
 *
 *  - Only keys after the last digit was played are an answer.  The first keys
 *    are it, not some keys in a row further on, and another key within
 *    GUARD_MS behind them makes it wrong.
 *  - One wrong answer is forgiven, and the offer after it has STRICT digits.
 *  - More than EARLY_MAX keys before their time are noise: the next offer is
 *    STRICT too, and a shorter one that is under way is not judged, but made
 *    again.
 *
 * How often can keys that know nothing of the digits pass?  Digits are drawn
 * evenly and anew for each offer, so a judged answer of n keys is right once in
 * 8^n, whatever the keys are.  At most two answers are judged in a call, and
 * the second is never shorter than five:
 *
 *     1/8^3 + 1/8^5 = 1/512 + 1/32768 = 1/504 < 1/500.
 *
 * That is the worst greeting there is, one that presses three keys just after
 * our last digit.  Keys at random times are mostly early, or too many.
 *
 * `9` says "that was not me" (B8), from the end of the words that say so; who
 * knows them already may press it sooner.  A greeting should not be able to, so
 * it counts where no other key was heard yet, or as the first key of an answer,
 * and only if no other key follows within ALONE_MS.  Who presses it and puts
 * the phone down meant it.
 */
#include <string.h>

#include "base/mem.h"
#include "core/code.h"
#include "flow/run_priv.h"

enum {
	OFFERS_MAX = 3,
	DIGITS_MIN = 3,
	STRICT = 5,
	WRONG_MAX = 1, /* forgiven */
	EARLY_MAX = 3, /* somebody who presses along with the digits */
	WINDOW_MAX_S = 35,
	WINDOW_MIN_S = 10,
	KEY_MS = 10000,    /* to press a key */
	KEY_MIN_MS = 5000, /* ... where the window is nearly over */
	GUARD_MS = 700,
	ALONE_MS = 1200,
	INVITED_MS = 2000, /* "press nine, or hang up": before its end */
	INTRO_GAP_MS = 200,
};
enum { GIVES_PRESSED };

struct config {
	unsigned offers, digits, window_ms;
	struct flow_script intro, ask, silence, wrong, goodbye;
};

enum phase { INTRO, OFFER, GOODBYE };

struct state {
	enum phase phase;
	unsigned offers, wrong; /* made; judged wrong */
	unsigned early; /* keys before their time in this offer, or the intro */
	unsigned early_in_all, early_nines;
	unsigned pressed;
	bool strict;
	enum { NO_NINE, EARLY_NINE, NINE } nine; /* waits to be alone */
	bool surplus;                            /* a key too many */
	char wanted[STRICT + 1], keys[STRICT + 1];
	size_t digits, count;
	int64_t first_ms;    /* when the first offer began */
	const char *verdict; /* the trigger, after the goodbye */
};

static const struct flow_line ENGLISH_LINE = {
	.kind = FLOW_LINE_PHRASE,
	.options = {"english.offer"},
	.options_count = 1,
};
static const struct flow_script ENGLISH_OFFER = {{&ENGLISH_LINE}, 1};

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"offers", "digits",  "window_s",
					    "intro",  "ask",     "silence",
					    "wrong",  "goodbye", NULL};
	static const struct flow_phrase_key KEYS[] = {
		{.key = "intro"},
		{.key = "ask", .otherwise = "check.first", .digits = true},
		{.key = "silence",
		 .otherwise = "check.silence",
		 .digits = true},
		{.key = "wrong", .otherwise = "check.wrong", .digits = true},
		{.key = "goodbye", .otherwise = "check.goodbye"},
	};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));
	struct flow_script *const scripts[] = {&c->intro, &c->ask, &c->silence,
					       &c->wrong, &c->goodbye};

	at->node->config = c;
	flow_known(at, config, KNOWN);
	c->offers = (unsigned)flow_int(at, config, "offers",
				       (struct flow_range){1, OFFERS_MAX,
							   OFFERS_MAX});
	c->digits = (unsigned)flow_int(at, config, "digits",
				       (struct flow_range){DIGITS_MIN, STRICT,
							   DIGITS_MIN});
	c->window_ms =
		1000 * (unsigned)flow_int(at, config, "window_s",
					  (struct flow_range){WINDOW_MIN_S,
							      WINDOW_MAX_S,
							      WINDOW_MAX_S});
	for (size_t i = 0; i < COUNT_OF(KEYS); i++)
		flow_phrases_at(at, config, &KEYS[i], scripts[i]);
}

static bool is_first_key(const struct state *s)
{
	return s->early == 0 && s->count == 0 && s->nine == NO_NINE;
}

/* --- what is said --------------------------------------------------------------------- */

static void introduce(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);
	const struct flow_says says[] = {
		{.script = &c->intro, .mark = true},
		{.pause_ms = INTRO_GAP_MS,
		 .script = &ENGLISH_OFFER,
		 .language = "en"},
	};

	s->phase = INTRO;
	s->early = 0;
	flow_run_say(run, says, flow_run_has_english(run) ? 2 : 1);
}

static void offer(struct flow_run *run, const struct flow_script *script)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);
	unsigned digits = flow_run_human_digits(run);
	struct flow_says says = {.pause_ms = INTRO_GAP_MS,
				 .script = script,
				 .digits = s->wanted,
				 .mark = true};

	if (s->early > EARLY_MAX)
		s->strict = true;
	if (digits < c->digits)
		digits = c->digits;
	s->digits = s->strict || digits > STRICT ? STRICT : digits;
	code_human(flow_run_rng(run), (unsigned)s->digits, s->wanted);
	if (s->offers++ == 0)
		s->first_ms = flow_run_now(run);
	s->phase = OFFER;
	s->early = 0;
	s->count = 0;
	s->surplus = false;
	flow_run_say(run, &says, 1);
}

static void end(struct flow_run *run, const char *verdict)
{
	const struct state *s = flow_run_state(run);

	flow_run_give_int(run, GIVES_PRESSED, s->pressed);
	flow_run_out_int(run, "offers", s->offers);
	flow_run_out_int(run, "wrong", s->wrong);
	flow_run_out_int(run, "early_keys", s->early_in_all);
	flow_run_fire(run, verdict);
}

static void give_up(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);
	const struct flow_says says = {.script = &c->goodbye};

	/* nobody there, or nobody who listens */
	s->verdict = s->pressed > 0 ? "suspected" : "no_input";
	s->phase = GOODBYE;
	flow_run_judge(run, LEG_MACHINE_SUSPECTED);
	if (c->goodbye.count > 0)
		flow_run_say(run, &says, 1);
	else
		end(run, s->verdict);
}

static void report(struct flow_run *run)
{
	flow_run_hush(run);
	flow_run_judge(run, LEG_REPORTED);
	end(run, "reported");
}

/* --- offers ------------------------------------------------------------------------------ */

/* Nothing was pressed, or nothing that can be judged. */
static void offer_again(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);

	if (s->offers < c->offers &&
	    flow_run_now(run) - s->first_ms <= c->window_ms)
		offer(run, &c->silence);
	else
		give_up(run);
}

/* So long may the first key take that the offers still fit the window. */
static void listen_first(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	const struct state *s = flow_run_state(run);
	int64_t left = (int64_t)c->offers - s->offers;
	int64_t wait = KEY_MS, slack;

	if (left > 0) {
		slack = c->window_ms - (flow_run_now(run) - s->first_ms) -
			(left - 1) * (int64_t)flow_run_mark_ms(run);
		if (slack / left < wait)
			wait = slack / left;
		if (wait < KEY_MIN_MS)
			wait = KEY_MIN_MS;
	}
	flow_run_wait(run, wait);
}

static void judge(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);

	if (s->early > EARLY_MAX && s->digits < STRICT) {
		offer_again(run);
		return;
	}
	if (!s->surplus && memcmp(s->keys, s->wanted, s->digits) == 0) {
		flow_run_human(run);
		end(run, "passed");
		return;
	}
	s->strict = true;
	++*flow_run_counter(run);
	if (s->wrong++ < WRONG_MAX)
		offer(run, &c->wrong);
	else
		give_up(run);
}

/* --- keys --------------------------------------------------------------------------------- */

static void clear(struct flow_run *run)
{
	struct state *s = flow_run_state(run);

	s->count = 0;
	flow_run_wait(run, KEY_MS);
}

static void take_digit(struct flow_run *run, char key)
{
	struct state *s = flow_run_state(run);

	if (s->count == s->digits) {
		s->surplus = true;
		judge(run);
		return;
	}
	s->keys[s->count++] = key;
	flow_run_wait(run, s->count == s->digits ? GUARD_MS : KEY_MS);
}

static void answer(struct flow_run *run, char key)
{
	struct state *s = flow_run_state(run);

	flow_run_hush(run);
	if (key == '*')
		clear(run);
	else if (key != '#')
		take_digit(run, key);
	else if (s->count == s->digits)
		judge(run);
}

static void count_early(struct state *s, char key)
{
	s->early++;
	s->early_in_all++;
	s->early_nines += key == '9';
}

/* Nothing but nines was pressed so far. */
static bool only_nines(const struct state *s)
{
	return s->early_in_all == s->early_nines && s->count == 0 &&
	       s->wrong == 0;
}

static bool is_report(const struct state *s, const struct flow_happening *ev)
{
	bool invited = s->phase == OFFER || ev->after_mark_ms >= -INVITED_MS;
	bool answers = s->phase == OFFER && ev->counts && is_first_key(s) &&
		       s->early_in_all <= EARLY_MAX;

	return ev->key == '9' && s->nine == NO_NINE &&
	       (answers || (invited && only_nines(s)));
}

/* It was not alone, so it was a key like any other. */
static void drop_nine(struct flow_run *run)
{
	struct state *s = flow_run_state(run);
	bool counted = s->nine == NINE;

	s->nine = NO_NINE;
	flow_run_unwait(run);
	if (counted)
		answer(run, '9');
	else
		count_early(s, '9');
}

/* The offer starts again, in a language that was asked for. */
static void speak_english(struct flow_run *run)
{
	struct state *s = flow_run_state(run);

	flow_run_unwait(run);
	flow_run_speak_english(run);
	if (s->offers > 0)
		s->offers--;
	introduce(run);
}

static void after_intro(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);

	offer(run, &c->ask);
}

/* An early nine that was not one held up what was to come. */
static void go_on(struct flow_run *run)
{
	const struct state *s = flow_run_state(run);

	if (flow_run_is_talking(run) || s->nine != NO_NINE)
		return;
	if (s->phase == INTRO && s->early_nines > 0 && only_nines(s))
		report(run);
	else if (s->phase == INTRO)
		after_intro(run);
	else if (s->count == 0)
		listen_first(run);
}

static void take_key(struct flow_run *run, const struct flow_happening *ev)
{
	struct state *s = flow_run_state(run);
	bool counts = s->phase == OFFER && ev->counts;

	if (s->phase == GOODBYE)
		return;
	s->pressed++;
	if (s->nine != NO_NINE && ev->key == '9') {
		report(run);
		return;
	}
	if (s->nine != NO_NINE)
		drop_nine(run);
	if (is_report(s, ev)) {
		s->nine = counts ? NINE : EARLY_NINE;
		flow_run_wait(run, ALONE_MS);
	} else if (ev->key == '0' && is_first_key(s) &&
		   flow_run_has_english(run)) {
		speak_english(run);
	} else if (counts) {
		answer(run, ev->key);
	} else {
		count_early(s, ev->key);
		go_on(run);
	}
}

/* --- what happens ---------------------------------------------------------------------------- */

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);

	struct state *s = flow_run_state(run);

	/* whoever was here before, and was wrong, is not a new call */
	s->strict = *flow_run_counter(run) > 0;
	if (c->intro.count > 0)
		introduce(run);
	else
		after_intro(run);
}

static void waited(struct flow_run *run)
{
	const struct state *s = flow_run_state(run);

	if (s->nine != NO_NINE)
		report(run);
	else if (s->count == s->digits)
		judge(run);
	else
		offer_again(run);
}

static void played(struct flow_run *run)
{
	const struct state *s = flow_run_state(run);

	if (s->phase == GOODBYE)
		end(run, s->verdict);
	else
		go_on(run);
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	const struct state *s = flow_run_state(run);

	switch (ev->what) {
	case FLOW_PLAYED:
		played(run);
		return;
	case FLOW_KEY:
		take_key(run, ev);
		return;
	case FLOW_TIMER:
		waited(run);
		return;
	case FLOW_TEL: /* the phone was put down */
		if (s->phase != GOODBYE &&
		    (s->nine != NO_NINE ||
		     (s->early_nines > 0 && only_nines(s))))
			flow_run_judge(run, LEG_REPORTED);
		return;
	case FLOW_UNSAID:
		flow_run_end(run, FLOW_FAILED);
		return;
	case FLOW_MARK:
	case FLOW_ANSWER:
		return;
	}
}

const struct flow_driver flow_human_check = {
	.type = "human-check",
	.triggers = (const char *const[]){"passed", "suspected", "no_input",
					  "reported", NULL},
	.gives = (const struct flow_gives[]){{"digits_pressed", "3", NULL},
					     {NULL, NULL, NULL}},
	.human = "passed",
	.speaks = true,
	.state_bytes = sizeof(struct state),
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
