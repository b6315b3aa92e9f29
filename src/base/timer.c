// SPDX-License-Identifier: Apache-2.0
/*
 * timer.c - one heap of timers on a clock that tests own.
 *
 * A heap of four children per node: half as deep as a binary one, and the
 * four are neighbours in memory.  The timer remembers its place, so stopping
 * one of a hundred thousand costs a few steps and no search.
 */
#include "base/timer.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"

enum { CHILDREN = 4, FIRST_ROOM = 64 };

struct timers {
	struct clock *clock;
	struct timer **heap; /* heap[i - 1] is the timer whose place is i */
	size_t count, room;
	_Atomic size_t shown; /* count, for other threads */
	uint64_t order;
};

struct timers *timers_new(struct clock *c)
{
	struct timers *t = b_zero(1, sizeof(*t));

	t->clock = c;
	return t;
}

void timers_free(struct timers *t)
{
	if (!t)
		return;
	free(t->heap);
	free(t);
}

static void show(struct timers *t)
{
	atomic_store_explicit(&t->shown, t->count, memory_order_relaxed);
}

static bool sooner(const struct timer *a, const struct timer *b)
{
	return a->due_ms < b->due_ms ||
	       (a->due_ms == b->due_ms && a->order < b->order);
}

static void place(struct timers *t, size_t at, struct timer *tm)
{
	t->heap[at - 1] = tm;
	tm->at = at;
}

static void rise(struct timers *t, size_t at, struct timer *tm)
{
	while (at > 1) {
		size_t parent = (at - 2) / CHILDREN + 1;

		if (!sooner(tm, t->heap[parent - 1]))
			break;
		place(t, at, t->heap[parent - 1]);
		at = parent;
	}
	place(t, at, tm);
}

static void sink(struct timers *t, size_t at, struct timer *tm)
{
	for (;;) {
		size_t child = (at - 1) * CHILDREN + 2;
		size_t end = child + CHILDREN, least = child;

		if (child > t->count)
			break;
		if (end > t->count + 1)
			end = t->count + 1;
		while (++child < end)
			if (sooner(t->heap[child - 1], t->heap[least - 1]))
				least = child;
		if (!sooner(t->heap[least - 1], tm))
			break;
		place(t, at, t->heap[least - 1]);
		at = least;
	}
	place(t, at, tm);
}

void timer_stop(struct timers *t, struct timer *tm)
{
	size_t at = tm->at;
	struct timer *last;

	if (at == 0)
		return;
	assert(at <= t->count && t->heap[at - 1] == tm);
	tm->at = 0;
	last = t->heap[--t->count];
	show(t);
	if (last == tm)
		return;
	/* the last one fills the hole; it may belong above or below it */
	rise(t, at, last);
	sink(t, last->at, last);
}

void timer_set(struct timers *t, struct timer *tm, int64_t after_ms,
	       timer_h *fire, void *ctx)
{
	int64_t now = clock_mono_ms(t->clock);

	timer_stop(t, tm);
	if (after_ms < 0)
		after_ms = 0;
	if (__builtin_add_overflow(now, after_ms, &tm->due_ms))
		tm->due_ms = INT64_MAX;
	tm->fire = fire;
	tm->ctx = ctx;
	tm->order = ++t->order;
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : FIRST_ROOM;
		t->heap = b_grow(t->heap, t->room, sizeof(struct timer *));
	}
	t->count++;
	show(t);
	rise(t, t->count, tm);
}

size_t timers_turn(struct timers *t)
{
	int64_t now = clock_mono_ms(t->clock);
	uint64_t newest = t->order;
	size_t fired = 0;

	/* What a handler sets waits for the next turn, even when it is due now:
	 * it sorts behind all that was due, so seeing one means being done. */
	while (t->count > 0) {
		struct timer *tm = t->heap[0];

		if (tm->due_ms > now || tm->order > newest)
			break;
		timer_stop(t, tm);
		fired++;
		tm->fire(tm->ctx);
	}
	return fired;
}

int64_t timers_wait_ms(const struct timers *t)
{
	int64_t left;

	if (t->count == 0)
		return -1;
	left = t->heap[0]->due_ms - clock_mono_ms(t->clock);
	return left > 0 ? left : 0;
}

size_t timers_count(const struct timers *t)
{
	return atomic_load_explicit(&t->shown, memory_order_relaxed);
}
