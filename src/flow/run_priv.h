// SPDX-License-Identifier: Apache-2.0
/*
 * run_priv.h - a run as its node drivers see it.
 *
 * A driver is entered, is told what happens, and in the end fires one of its
 * triggers.  Firing only takes note: the run goes on from the loop, so nothing
 * that a driver holds goes away under its feet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/timer.h"
#include "core/extension.h"
#include "flow/flow_priv.h"

enum {
	FLOW_SAYS_MAX = 8,         /* parts of one saying */
	FLOW_FIRST_PAUSE_MS = 800, /* B9: before the first word */
	FLOW_LINE_GAP_MS = 100, /* more than speech leaves, between phrases */
	FLOW_BYE_MS = 5000,     /* a telephone that does not say TEL_ENDED */
};

/* --- what happens to a node ------------------------------------------------------- */

struct flow_happening {
	enum {
		FLOW_PLAYED, /* what was said has been heard out */
		FLOW_MARK,   /* ... up to its mark */
		FLOW_KEY,
		FLOW_TIMER,  /* flow_run_wait() */
		FLOW_TEL,    /* call nodes: TEL_ANSWERED, TEL_ENDED */
		FLOW_ANSWER, /* of the host */
		FLOW_UNSAID, /* what was to be said cannot be */
	} what;
	char key;
	bool counts; /* pressed after the mark, or with nothing playing */
	int64_t after_mark_ms; /* negative: so long before it */
	enum outcome_leg leg;  /* FLOW_TEL: ANSWERED, or how it ended */
	int result;            /* FLOW_ANSWER */
	int64_t detail;
	const struct flow_http_answer *http; /* FLOW_ANSWER to an http node */
};

/* --- what a node may do -------------------------------------------------------------- */

const void *flow_run_config(const struct flow_run *run);
void *flow_run_state(struct flow_run *run);

/* One part of what is said: a pause, then the lines of a script. */
struct flow_says {
	unsigned pause_ms;
	const struct flow_script *script; /* NULL: the pause alone */
	const char *digits;   /* for {digits}; stays until it was said */
	const char *language; /* NULL: the run's */
	enum speech_pace pace;
	bool mark; /* behind this */
};
/* FLOW_PLAYED follows, FLOW_MARK before it where there is one, or FLOW_UNSAID.
 * What is being said is replaced. */
void flow_run_say(struct flow_run *run, const struct flow_says *says, size_t n);
void flow_run_hush(struct flow_run *run); /* at once; no FLOW_PLAYED */
bool flow_run_is_talking(const struct flow_run *run);
unsigned flow_run_mark_ms(const struct flow_run *run); /* of what is said */

void flow_run_wait(struct flow_run *run, int64_t ms); /* one at a time */
void flow_run_unwait(struct flow_run *run);
int64_t flow_run_now(const struct flow_run *run); /* monotonic */

void flow_run_fire(struct flow_run *run, const char *trigger);
/* The end.  FLOW_FAILED says so first, where somebody listens. */
void flow_run_end(struct flow_run *run, enum flow_end_reason reason);

/* Is a call up? */
bool flow_run_is_up(const struct flow_run *run);
/* Is that trigger connected? */
bool flow_run_leads(const struct flow_run *run, const char *trigger);

/* Fill in a template.  Wipe with flow_run_wipe() what may be secret. */
MUST_CHECK int flow_run_expand(struct flow_run *run,
			       const struct flow_template *t, struct buf *out);
void flow_run_wipe(struct buf *b);
/* The node's i-th value. */
void flow_run_give(struct flow_run *run, size_t i, const char *text);
void flow_run_give_int(struct flow_run *run, size_t i, int64_t value);
void flow_run_put(struct flow_run *run, int slot, const char *text);
/* What templates named of it, where it is open: "body.x"; NULL: there are no
 * more.  And its value; NULL: it has none. */
const char *flow_run_open(const struct flow_run *run, size_t i);
void flow_run_give_open(struct flow_run *run, size_t i, const char *text);
/* Does any template name the node's i-th value? */
bool flow_run_uses(const struct flow_run *run, size_t i);
/* How often this node was counted; its to change. */
unsigned *flow_run_counter(struct flow_run *run);

/* For the trace: what went in, what came out. */
void flow_run_in(struct flow_run *run, const char *key, const char *value,
		 enum flow_show show);
void flow_run_out(struct flow_run *run, const char *key, const char *value,
		  enum flow_show show);
void flow_run_out_int(struct flow_run *run, const char *key, int64_t value);
void flow_run_show_params(struct flow_run *run);

void flow_run_news(struct flow_run *run, enum outcome_event event,
		   enum outcome_leg leg);
/* This is what became of the leg: REPORTED or MACHINE_SUSPECTED. */
void flow_run_judge(struct flow_run *run, enum outcome_leg leg);
void flow_run_human(struct flow_run *run);
void flow_run_spoken(struct flow_run *run); /* heard whole, or asked for */
bool flow_run_was_spoken(const struct flow_run *run);
void flow_run_matched(struct flow_run *run);

unsigned flow_run_code_length(const struct flow_run *run);
unsigned flow_run_human_digits(const struct flow_run *run);
struct rng *flow_run_rng(const struct flow_run *run);
const struct flow *flow_run_flow(const struct flow_run *run);
const struct flow_driver *flow_run_driver(const struct flow_run *run);
int64_t flow_run_wall(const struct flow_run *run);
int flow_run_sip_code(const struct flow_run *run);
const char *flow_run_number(const struct flow_run *run); /* the called one */
/* Another language may be offered: English, in a call of another. */
bool flow_run_has_english(const struct flow_run *run);
void flow_run_speak_english(struct flow_run *run);

/* For the call node and the verify node.  FLOW_ANSWER follows each ask. */
void flow_run_may_dial(struct flow_run *run);
/* The leg ended unanswered: is there another way to ring? */
bool flow_run_another(struct flow_run *run);
void flow_run_verify(struct flow_run *run, const char *digits);
/* False: the host does no such thing, and nothing follows. */
bool flow_run_http(struct flow_run *run, const struct flow_http *ask);
struct flow_dial {
	const char *to, *from, *route;
	unsigned ring_ms; /* 0: the host's */
};
MUST_CHECK int flow_run_dial(struct flow_run *run, const struct flow_dial *d);
/* ... failed: there was no leg, and this is what it is noted as. */
void flow_run_undialed(struct flow_run *run, enum outcome_leg leg);
/* The end, without a call: it was refused, or came too late. */
void flow_run_refused(struct flow_run *run, enum outcome_leg leg);

/* --- the run itself, for run.c, talk.c and trace.c ------------------------------------- */

enum run_state {
	RUN_PREPARING, /* voices render what will be said */
	RUN_GOING,
	RUN_LAST_WORDS, /* when they were heard, we hang up */
	RUN_HANGING_UP,
	RUN_OVER,
	RUN_STATES
};

struct flow_trace {
	struct buf steps, in, out; /* of the whole; of the step under way */
	unsigned count;
	int64_t began_ms, step_ms;
	bool cut;
};

/* Utterances that a voice works on, and that hold what it said. */
struct flow_prep {
	struct flow_run *run; /* NULL: nobody waits any more */
	struct utterance **items;
	size_t count;
	bool pending;
	unsigned *voicing; /* the host's count, or NULL */
};

/* A leg of the run. */
struct flow_leg {
	struct tel_call *call;
	bool answered, ended, rang, early_media;
	enum tel_cause cause;
	int sip_code, q850;
	uint32_t keys_id; /* of the keys for a switchboard; 0: none sound */
	/* monotonic; behind those keys, where there are any */
	int64_t answered_ms;
};

struct flow_run {
	struct flow *flow;
	const struct flow_host *host;
	void *ctx;
	struct loop *loop;
	struct rng *rng;
	struct speech *speech;
	const struct phrases *phrases;
	char *call_id, *to, *from, *purpose, *brand, *amount, *payee, *callback;
	char *mode;
	char send_digits[NUMBER_EXTENSION_BYTES];
	char language[SPEECH_LANGUAGE_BYTES];
	char code[CODE_BYTES]; /* while it is put into speech */
	unsigned code_length, human_digits, ring_ms;
	int64_t deadline_ms;

	enum run_state state;
	const struct flow_node *node;
	void *node_state;
	char **values;      /* by slot; NULL: not set */
	unsigned *counters; /* by node */
	unsigned steps;
	const char *fired; /* the trigger, until the next step */
	bool asking;       /* the host owes an answer */

	struct flow_leg leg;
	enum outcome_leg judged; /* LEG_NONE: nothing special */
	bool human, spoken, matched;
	enum { RUN_ON, RUN_STOPPED, RUN_SETTLED, RUN_LATE } wish;

	uint32_t play_id;
	struct playlist *talk; /* while it sounds */
	unsigned talk_mark_ms;
	bool mark_passed;
	struct flow_says says[FLOW_SAYS_MAX];
	size_t says_count;
	struct flow_line own_line; /* of a phrase that no document asked for */
	struct flow_script own_script;
	struct flow_prep *fixed, *saying;
	unsigned *voicing;

	struct timer step, wait, mark, deadline, cap, bye;
	struct flow_end end;
	struct flow_trace trace;
	char *trace_text;
};

void flow_run_happens(struct flow_run *run, const struct flow_happening *ev);
bool flow_run_is_late(const struct flow_run *run);

/* talk.c: say everything in advance; -EAGAIN etc. as speech_prepare(). */
MUST_CHECK int flow_talk_prepare(struct flow_run *run, speech_done_h *done,
				 struct diag *d);
void flow_talk_own(struct flow_run *run, const char *phrase); /* say it */
void flow_talk_forget(struct flow_prep **prep);
void flow_talk_sent(struct flow_prep *p); /* to the voices, */
void flow_talk_back(struct flow_prep *p); /* ... and back */
void flow_talk_played(struct flow_run *run, uint32_t play_id);
void flow_talk_mark(struct flow_run *run);

/* extension.c.  False: there are no keys to send. */
bool flow_extension_send(struct flow_run *run);
/* True: that was the end of them. */
bool flow_extension_sent(struct flow_run *run, uint32_t play_id);

/* values.c */
MUST_CHECK int flow_values_begin(struct flow_run *run,
				 const struct flow_params *p, struct diag *d);
void flow_values_end(struct flow_run *run);
/* The slot's parameter name, or NULL. */
const char *flow_param_name(const struct flow *f, size_t slot);
/* node_start.c */
bool flow_start_requires(const struct flow_node *n, const char *param);
bool flow_start_param(const struct flow *f, size_t i, struct flow_param *out);
/* node_call.c */
const struct flow_template *flow_call_to(const struct flow_node *n);

/* params.c */
enum { FLOW_NUMBER_BYTES = 20 };
/* "15671234567", "+1 567 123-4567" -> "+15671234567".  False: it is none. */
bool flow_number(const char *text, char out[FLOW_NUMBER_BYTES]);
/* A text as it is, a number as its plain decimal.  False: neither. */
bool flow_json_text(const json_t *v, struct buf *out);

/* trace.c */
void flow_trace_begin(struct flow_run *run);
void flow_trace_step(struct flow_run *run, const char *trigger, const char *to);
char *flow_trace_end(struct flow_run *run);
void flow_trace_free(struct flow_trace *t);
void flow_trace_value(struct buf *b, const char *key, const char *value,
		      enum flow_show show);
