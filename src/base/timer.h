// SPDX-License-Identifier: Apache-2.0
/*
 * timer.h - one heap of timers on a clock that tests own.
 *
 * A timer lives inside the thing that waits.  Everything here belongs to the
 * thread that turns the heap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"

struct timers;
typedef void timer_h(void *ctx);

struct timer {
	timer_h *fire;
	void *ctx;
	int64_t due_ms; /* on the heap's monotonic clock */
	size_t at;      /* 1-based place in the heap; 0: not running */
	uint64_t order; /* equal times fire in the order they were set */
};

struct timers *timers_new(struct clock *c); /* the clock is borrowed */
void timers_free(struct timers *t);         /* running timers are forgotten */

/* (Re)start: fire(ctx) from a later timers_turn(), not before after_ms. */
void timer_set(struct timers *t, struct timer *tm, int64_t after_ms,
	       timer_h *fire, void *ctx);
void timer_stop(struct timers *t, struct timer *tm); /* not running is fine */
static inline bool timer_is_set(const struct timer *tm)
{
	return tm->at != 0;
}

/* Fire what is due now; returns how many fired. */
size_t timers_turn(struct timers *t);
/* Milliseconds until the next one, 0 if overdue, -1 if there is none. */
int64_t timers_wait_ms(const struct timers *t);
size_t timers_count(const struct timers *t); /* any thread */

CLEANUP(timers, timers_free)
