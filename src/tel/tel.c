// SPDX-License-Identifier: Apache-2.0
/*
 * tel.c - from the door to the driver behind it, and the line of those who wait
 * in front of it for a place.
 *
 * The rate is a schedule (GCRA) without a burst: an operator counts calls in
 * any one second, so places are given one by one, and the k-th and the one
 * after so many a second are never less than a second apart.  The line is
 * strictly in order of asking; whoever is told anything is told by a timer.
 */
#include "tel/tel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
	SECOND_US = 1000 * 1000,
	MS_US = 1000,
};

struct tel {
	const struct tel_driver *driver;
	void *state;
	struct loop *loop; /* NULL: without limits */
	struct tel_limits limits;
	struct link line;     /* of places that wait */
	size_t line_count;    /* of them */
	unsigned held;        /* places that were given */
	int64_t next_us;      /* when the schedule has the next one */
	struct timer advance; /* runs only while somebody waits for that */
};

struct tel *tel_new(const struct tel_driver *driver, void *state)
{
	struct tel *t = b_zero(1, sizeof(*t));

	t->driver = driver;
	t->state = state;
	ll_init(&t->line);
	return t;
}

void tel_free(struct tel *t)
{
	if (!t)
		return;
	assert(ll_empty(&t->line) && t->held == 0);
	t->driver->free(t->state);
	free(t);
}

const char *tel_name(const struct tel *t)
{
	return t->driver->name;
}

bool tel_serves(const struct tel *t, const char *to)
{
	return t->driver->serves(t->state, to);
}

enum tel_state tel_state(const struct tel *t)
{
	return t->driver->state ? t->driver->state(t->state) : TEL_UP;
}

/* --- places ------------------------------------------------------------------ */

void tel_limit(struct tel *t, struct loop *l, const struct tel_limits *limits)
{
	assert(ll_empty(&t->line) && t->held == 0);
	t->loop = l;
	t->limits = *limits;
}

static int64_t gap_us(const struct tel *t)
{
	unsigned n = t->limits.per_second;

	return n ? (SECOND_US + n - 1) / n : 0;
}

static int64_t now_us(const struct tel *t)
{
	return clock_mono_ms(loop_clock(t->loop)) * MS_US;
}

/* How long until the schedule has a place for the one behind `ahead` others. */
static int64_t schedule_ms(const struct tel *t, size_t ahead)
{
	int64_t now = now_us(t), at = t->next_us > now ? t->next_us : now;

	/* The clock has milliseconds: a place is due within its own. */
	return (at + (int64_t)ahead * gap_us(t)) / MS_US - now / MS_US;
}

static void leave_line(struct tel_place *p)
{
	ll_remove(&p->link);
	p->tel->line_count--;
}

static void no_place(struct tel_place *p, int err)
{
	p->tel = NULL;
	p->held = false;
	p->ready(err, p->ctx);
}

static void out_of_time(void *ctx)
{
	no_place(ctx, -ETIME);
}

static void out_of_reach(void *ctx)
{
	no_place(ctx, -EHOSTUNREACH);
}

static void serve_line(struct tel *t);

static void waited_too_long(void *ctx)
{
	struct tel_place *p = ctx;
	struct tel *t = p->tel;

	serve_line(t); /* the very last moment may be its turn */
	if (ll_empty(&p->link))
		return;
	leave_line(p);
	no_place(p, -ETIME);
}

static void place_is_ready(void *ctx)
{
	struct tel_place *p = ctx;
	struct tel *t = p->tel;

	if (tel_state(t) == TEL_UP) {
		p->ready(0, p->ctx);
		return;
	}
	t->held--;
	serve_line(t);
	no_place(p, -EHOSTUNREACH);
}

/* To be told from the loop. */
static void tell_soon(struct tel_place *p, timer_h *what)
{
	timer_set(loop_timers(p->tel->loop), &p->timer, 0, what, p);
}

static void give(struct tel *t, struct tel_place *p)
{
	int64_t now = now_us(t);

	t->next_us = (t->next_us > now ? t->next_us : now) + gap_us(t);
	t->held++;
	p->held = true;
	tell_soon(p, place_is_ready);
}

static void advance(void *ctx)
{
	serve_line(ctx);
}

/* Gives what there is to give, to the first in line; nobody is told here. */
static void serve_line(struct tel *t)
{
	bool up = tel_state(t) == TEL_UP;
	struct link *first;

	while ((first = ll_first(&t->line)) != NULL) {
		struct tel_place *p = ll_entry(first, struct tel_place, link);
		int64_t wait_ms = schedule_ms(t, 0);

		if (up && t->limits.calls && t->held >= t->limits.calls)
			break; /* a place that is dropped comes here */
		if (up && wait_ms > 0) {
			timer_set(loop_timers(t->loop), &t->advance, wait_ms,
				  advance, t);
			return;
		}
		leave_line(p);
		if (up)
			give(t, p);
		else
			tell_soon(p, out_of_reach);
	}
	timer_stop(loop_timers(t->loop), &t->advance);
}

void tel_place_take(struct tel *t, struct tel_place *p, int64_t max_wait_ms,
		    tel_place_h *ready, void *ctx)
{
	assert(t->loop);
	*p = (struct tel_place){.tel = t, .ready = ready, .ctx = ctx};
	ll_init(&p->link);
	if (tel_state(t) != TEL_UP) {
		tell_soon(p, out_of_reach);
		return;
	}
	/* those in front have their turns of the schedule */
	if (schedule_ms(t, t->line_count) > max_wait_ms) {
		tell_soon(p, out_of_time);
		return;
	}
	ll_append(&t->line, &p->link);
	t->line_count++;
	timer_set(loop_timers(t->loop), &p->timer, max_wait_ms, waited_too_long,
		  p);
	serve_line(t);
}

void tel_place_drop(struct tel_place *p)
{
	struct tel *t = p->tel;

	if (!t)
		return;
	timer_stop(loop_timers(t->loop), &p->timer);
	p->tel = NULL;
	if (p->held)
		t->held--;
	else if (!ll_empty(&p->link)) {
		ll_remove(&p->link);
		t->line_count--;
	}
	p->held = false;
	serve_line(t);
}

void tel_state_changed(struct tel *t)
{
	if (t->loop)
		serve_line(t);
}

/* --- calls ------------------------------------------------------------------- */

int tel_dial(struct tel *t, const struct tel_params *params,
	     struct tel_call **out)
{
	struct tel_call *call;
	int err;

	if (!tel_serves(t, params->to))
		return -EHOSTUNREACH;
	err = t->driver->dial(t->state, params, &call);
	if (err)
		return err;
	call->driver = t->driver;
	*out = call;
	return 0;
}

int tel_call_play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	return call->driver->play(call, p, id);
}

void tel_call_stop(struct tel_call *call)
{
	call->driver->stop(call);
}

void tel_call_hang_up(struct tel_call *call)
{
	call->driver->hang_up(call);
}

void tel_call_close(struct tel_call *call)
{
	if (call)
		call->driver->close(call);
}
