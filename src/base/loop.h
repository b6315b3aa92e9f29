// SPDX-License-Identifier: Apache-2.0
/*
 * loop.h - a thread's turn: things posted to it, then timers that are due.
 *
 * loop_post() is the one way from one thread to another.  Handlers run from
 * the loop, never from inside the call that set them up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/timer.h"

struct loop;
typedef void loop_h(void *ctx);

/* A thing to be run once; lives in its owner's memory until it has run. */
struct post {
	struct link link;
	loop_h *run;
	void *ctx;
};

struct loop *loop_new(struct clock *c); /* the clock is borrowed */
void loop_free(struct loop *l);         /* after it stopped; NULL is fine */

/* Any thread.  `p` must stay until run(ctx) begins, and must not be posted
 * again before that.  Posts run in order. */
void loop_post(struct loop *l, struct post *p, loop_h *run, void *ctx);
/* The owner's thread: it does not run.  Not being posted is fine, as long as
 * its link was ll_init()ed once. */
void loop_unpost(struct loop *l, struct post *p);
/* loop_post() with a post of the loop's own, for those who have no place for it. */
void loop_call(struct loop *l, loop_h *run, void *ctx);

/* The owner's thread: timers of this loop. */
struct timers *loop_timers(struct loop *l);
struct clock *loop_clock(struct loop *l);

/* Run until loop_stop(); the calling thread becomes the owner.  Real clocks. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* any thread */

/*
 * For an owner that sleeps in a poll of its own, in place of loop_run():
 *
 *	loop_own(l, wake, ctx);
 *	while (!loop_stopped(l)) {
 *		(void)loop_turn(l);
 *		wait_ms = loop_rest_begin(l);
 *		... sleep for wait_ms (-1: without end, 0: not at all) ...
 *		loop_rest_end(l);
 *	}
 *
 * wake(ctx) is called by whoever posts while it rests, on that thread, once
 * for one rest; it must not call back into the loop.
 */
void loop_own(struct loop *l, loop_h *wake, void *ctx);
int64_t loop_rest_begin(struct loop *l);
void loop_rest_end(struct loop *l);
bool loop_stopped(struct loop *l); /* clears it: loop_stop() was called */

/* Tests: one turn without waiting; true if anything ran. */
bool loop_turn(struct loop *l);
/* Tests, manual clock: go ms forward, stopping at each timer in between. */
void loop_advance(struct loop *l, int64_t ms);

CLEANUP(loop, loop_free)
