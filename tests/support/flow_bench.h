// SPDX-License-Identifier: Apache-2.0
/*
 * flow_bench.h - a run under test: a host that writes everything down, real speech,
 * a clock of ours, and a phone that is in the test's hand.
 *
 * The phone does what it is told, when it is told; what is played takes as long
 * as it takes.  Instead of it a test may plug in another telephone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/flow_world.h"

enum {
	BENCH_NEWS_MAX = 256,
	BENCH_PLAYS_MAX = 128,
	BENCH_STEPS_MAX = 256,
	BENCH_ASKS_MAX = 256,
	BENCH_WALL_MS = 1000, /* times 1.7e9: when the bench's clock starts */
};
#define BENCH_CODE "482913"
#define BENCH_TO "+15005550006"
#define BENCH_BRAND "Acme"

struct bench_news {
	enum outcome_event event;
	enum outcome_leg leg;
	int sip_code;
	int64_t at_ms;
};

/* What was said, and when. */
struct bench_play {
	char caption[1024];
	uint32_t id;
	unsigned ms, mark_ms;
	int64_t at_ms;
	bool whole; /* it was not cut off */
};

/* What was asked by HTTP, and how that is answered. */
struct bench_ask {
	char method[16], url[2100], headers[1024], body[4096], type[32];
	int64_t timeout_ms, at_ms;
	bool sign;
};
struct bench_answer {
	unsigned status;
	bool timeout, unasked;
	const char *why, *body;
};

struct bench {
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct speech *speech;
	struct phrases *phrases;
	struct flow *flow;
	struct flow_run *run;
	/* the host's answers; set before they are asked for */
	struct flow_params params;
	const char *code;
	int may_dial;    /* what may_dial() answers */
	bool mute;       /* ... or does it never? */
	int dial_error;  /* of dial() */
	unsigned routes; /* further ones that another() may name */
	enum outcome_check verify[8];
	int64_t verify_left[8];
	int verify_error;
	struct bench_answer http[8]; /* in turn */
	bool http_waits;             /* for bench_http_answer() */
	struct tel *tel;             /* NULL: the phone in the hand */
	/* what was seen */
	unsigned dials, asked, verified;
	struct bench_ask asks[BENCH_ASKS_MAX];
	size_t asks_count;
	flow_http_h *http_done; /* the host owes it an answer */
	struct flow_news fault; /* another() was asked with */
	char digits[8][40];     /* what verify() was given */
	char to[24], from[24], route[32], language[16];
	unsigned ring_ms;
	struct bench_news news[BENCH_NEWS_MAX];
	size_t news_count;
	struct bench_play plays[BENCH_PLAYS_MAX];
	size_t plays_count;
	char *steps[BENCH_STEPS_MAX];
	size_t steps_count;
	bool over;
	struct flow_end end; /* trace: owned */
	char *trace;
	/* the phone */
	struct bench_call *call;
};

/* For a group: speech and scripts are opened once. */
int bench_open(void **state);
int bench_close(void **state);
/* For each test: *state is its struct bench. */
int bench_setup(void **state);
int bench_teardown(void **state);
#define WITH_BENCH(test) \
	cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

/* --- flows and runs ---------------------------------------------------------- */

void bench_built_in(struct bench *b, const char *name);
/* A document's nodes in JSON, with ' for "; "Start" and "Bye" (hangup) come by
 * themselves. */
void bench_flow(struct bench *b, const char *nodes);
/* The same with further fields of the document before its nodes. */
void bench_document(struct bench *b, const char *fields, const char *nodes);
/* The same, with an answered call before it: the first node is "Begin". */
void bench_call_flow(struct bench *b, const char *nodes);
/* For bench_call_flow(): asks for the code, verifies it, says what came. */
extern const char BENCH_CODE_INPUT[];
/* A node that says a text. */
#define BENCH_SAY(id, text, to)                                    \
	"{'id':'" id "','type':'play','config':{'speech':{'kind':" \
	"'text','text':'" text "'}},'on':{'completed':'" to "'}}"
void bench_start(struct bench *b);  /* and until it dials, or is over */
void bench_answer(struct bench *b); /* start, ring, answer */
void bench_go(struct bench *b, int64_t ms);
void bench_forget(struct bench *b); /* what came of the last run */
/* Until it is over; fails the test after `ms`. */
void bench_finish(struct bench *b, int64_t ms);

/* --- the phone in the hand ----------------------------------------------------- */

void bench_ring(struct bench *b);
void bench_pick_up(struct bench *b);
void bench_key(struct bench *b, char key);
void bench_keys(struct bench *b, const char *keys); /* 300 ms apart */
void bench_put_down(struct bench *b);
void bench_key_and_put_down(struct bench *b, char key);
void bench_refuse(struct bench *b, int sip_code, int q850);
void bench_go_dead(struct bench *b); /* it says nothing any more */
void bench_tell(struct bench *b, const struct tel_event *ev);
bool bench_sounds(const struct bench *b);
struct playlist *bench_sound(const struct bench *b); /* borrowed */
/* Until the next play has begun; until what sounds has ended. */
void bench_hear(struct bench *b);
void bench_await_over(struct bench *b);
/* Until so many plays have begun; a voice must speak first. */
void bench_await_plays(struct bench *b, size_t count);
void bench_hear_out(struct bench *b);
void bench_hear_to_mark(struct bench *b);
/* The digits at the end of the last caption. */
void bench_asked_digits(const struct bench *b, char out[16]);

/* The answer that was waited for. */
void bench_http_answer(struct bench *b, const struct bench_answer *a);

/* --- what came of it ------------------------------------------------------------- */

bool bench_has_news(const struct bench *b, enum outcome_event event);
size_t bench_count_said(const struct bench *b, const char *part);
const struct bench_play *bench_last(const struct bench *b);
void bench_assert_end(const struct bench *b, enum flow_end_reason reason,
		      const char *node);
/* Does the trace have a step of that node with that trigger? */
bool bench_took(const struct bench *b, const char *node, const char *trigger);
