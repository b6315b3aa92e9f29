// SPDX-License-Identifier: Apache-2.0
/*
 * loop.c - a thread's turn: things posted to it, then timers that are due.
 *
 * It watches no sockets: those who have some keep their own threads and post,
 * or own the loop and sleep in a poll of their own.  So a mutex, a condition
 * and a list are enough, and a post costs no system call unless the loop is
 * asleep.
 */
#include "base/loop.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

#include "base/mem.h"

struct loop {
	struct clock *clock;
	struct timers *timers;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t roused;
	struct link posts;
	bool asleep, stopped;
	loop_h *wake; /* loop_own(); NULL: it sleeps on the condition */
	void *wake_ctx;
};

/* A post for those who have no place for one. */
struct call {
	struct post post;
	loop_h *run;
	void *ctx;
};

struct loop *loop_new(struct clock *c)
{
	struct loop *l = b_zero(1, sizeof(*l));
	pthread_condattr_t attr;
	int err;

	l->clock = c;
	l->timers = timers_new(c);
	ll_init(&l->posts);
	err = pthread_mutex_init(&l->lock, NULL);
	if (!err)
		err = pthread_condattr_init(&attr);
	if (!err)
		err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(&l->roused, &attr);
	assert(!err);
	(void)pthread_condattr_destroy(&attr);
	return l;
}

static void run_call(void *ctx)
{
	struct call *call = ctx;
	loop_h *run = call->run;
	void *run_ctx = call->ctx;

	free(call);
	run(run_ctx);
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	ll_each_safe (at, &l->posts) {
		struct post *p = ll_entry(at, struct post, link);

		if (p->run == run_call)
			free(p->ctx);
	}
	timers_free(l->timers);
	(void)pthread_cond_destroy(&l->roused);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static void lock(struct loop *l)
{
	int err = pthread_mutex_lock(&l->lock);

	assert(!err);
}

static void unlock(struct loop *l)
{
	int err = pthread_mutex_unlock(&l->lock);

	assert(!err);
}

/* With the lock held: so the owner can take down what wake() uses as soon as
 * nobody posts any more.  Waking once is enough for one sleep. */
static void rouse(struct loop *l)
{
	if (!l->asleep)
		return;
	if (!l->wake) {
		(void)pthread_cond_signal(&l->roused);
		return;
	}
	l->asleep = false;
	l->wake(l->wake_ctx);
}

void loop_post(struct loop *l, struct post *p, loop_h *run, void *ctx)
{
	p->run = run;
	p->ctx = ctx;
	lock(l);
	ll_append(&l->posts, &p->link);
	rouse(l);
	unlock(l);
}

void loop_unpost(struct loop *l, struct post *p)
{
	/* a turn's batch is the owner's as well, and so is this */
	lock(l);
	ll_remove(&p->link);
	unlock(l);
}

void loop_call(struct loop *l, loop_h *run, void *ctx)
{
	struct call *call = b_zero(1, sizeof(*call));

	call->run = run;
	call->ctx = ctx;
	loop_post(l, &call->post, run_call, call);
}

struct timers *loop_timers(struct loop *l)
{
	return l->timers;
}

struct clock *loop_clock(struct loop *l)
{
	return l->clock;
}

/* Run what was posted so far; what that posts is for the next turn. */
static size_t run_posts(struct loop *l, bool *stopped)
{
	struct link batch, *at;
	size_t ran = 0;

	ll_init(&batch);
	lock(l);
	ll_splice(&batch, &l->posts);
	*stopped = l->stopped;
	unlock(l);
	while ((at = ll_first(&batch)) != NULL) {
		struct post *p = ll_entry(at, struct post, link);

		/* from here on the post is its owner's again */
		ll_remove(at);
		ran++;
		p->run(p->ctx);
	}
	return ran;
}

/* Sleep until something is posted, the next timer is due, or the end. */
static void rest(struct loop *l)
{
	int64_t wait_ms = timers_wait_ms(l->timers);
	int64_t until_ms = clock_mono_ms(l->clock) + wait_ms;
	struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
				 .tv_nsec = (long)(until_ms % 1000) * 1000000};
	int err = 0;

	if (wait_ms == 0)
		return;
	lock(l);
	l->asleep = true;
	while (ll_empty(&l->posts) && !l->stopped && !err)
		err = wait_ms < 0 ? pthread_cond_wait(&l->roused, &l->lock)
				  : pthread_cond_timedwait(&l->roused, &l->lock,
							   &until);
	l->asleep = false;
	unlock(l);
}

void loop_run(struct loop *l)
{
	bool stopped = false;

	assert(!clock_is_manual(l->clock));
	/* what was posted before loop_stop() still runs; no timer fires after */
	for (;;) {
		(void)run_posts(l, &stopped);
		if (stopped)
			break;
		(void)timers_turn(l->timers);
		rest(l);
	}
	lock(l);
	l->stopped = false;
	unlock(l);
}

void loop_stop(struct loop *l)
{
	lock(l);
	l->stopped = true;
	rouse(l);
	unlock(l);
}

void loop_own(struct loop *l, loop_h *wake, void *ctx)
{
	lock(l);
	l->asleep = false;
	l->wake = wake;
	l->wake_ctx = ctx;
	unlock(l);
}

int64_t loop_rest_begin(struct loop *l)
{
	int64_t wait_ms = timers_wait_ms(l->timers);

	lock(l);
	if (!ll_empty(&l->posts) || l->stopped)
		wait_ms = 0;
	l->asleep = wait_ms != 0;
	unlock(l);
	return wait_ms;
}

void loop_rest_end(struct loop *l)
{
	lock(l);
	l->asleep = false;
	unlock(l);
}

bool loop_stopped(struct loop *l)
{
	bool stopped;

	lock(l);
	stopped = l->stopped;
	l->stopped = false;
	unlock(l);
	return stopped;
}

bool loop_turn(struct loop *l)
{
	bool stopped;
	size_t ran = run_posts(l, &stopped);

	ran += timers_turn(l->timers);
	return ran > 0;
}

static void settle(struct loop *l)
{
	while (loop_turn(l))
		;
}

void loop_advance(struct loop *l, int64_t ms)
{
	int64_t end = clock_mono_ms(l->clock) + ms;

	settle(l);
	for (;;) {
		int64_t left = end - clock_mono_ms(l->clock);
		int64_t wait = timers_wait_ms(l->timers);

		if (left <= 0)
			return;
		clock_advance(l->clock, wait < 0 || wait > left ? left : wait);
		settle(l);
	}
}
