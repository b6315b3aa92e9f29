// SPDX-License-Identifier: Apache-2.0
/*
 * pump_tick.c - the thread: its schedule, orders, the slow things.
 *
 * A phase every 5 ms on an absolute schedule, as long as anybody is connected:
 * first what came in is read (a key is compared with what had been sent when
 * it arrived), then what is due is sent, then a tenth of the streams is looked
 * after.  Without streams it sleeps until an order wakes it.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "media/pump_priv.h"

enum {
	SECOND_US = 1000 * 1000,
	SECOND_MS = 1000,
	TICK_US = PUMP_TICK_MS * 1000,
	LATE_US = PUMP_LATE_MS * 1000,
	SMOOTH = 64,  /* phases that an average follows: 320 ms ... */
	ONCE_MAX = 4, /* ... and as many phases does a single stall count */
	/* refused from here on: half a phase of work, or a whole tick behind
	 * the schedule on average; and not any more from half of that */
	FULL_WORK_US = PUMP_PHASE_US / 2,
	FULL_LATE_US = TICK_US,
};

/* --- time ------------------------------------------------------------------------- */

static int64_t read_us(clockid_t which)
{
	struct timespec t;

	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

int64_t pump_now_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

static void wait_until(int64_t us)
{
	struct timespec t = {.tv_sec = us / SECOND_US,
			     .tv_nsec = us % SECOND_US * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) ==
	       EINTR)
		;
}

/* For spreading reports over time, and for nothing that must be unknown. */
uint32_t pump_dice(struct pump *p)
{
	p->dice ^= p->dice << 13;
	p->dice ^= p->dice >> 7;
	p->dice ^= p->dice << 17;
	return (uint32_t)(p->dice >> 32);
}

/* --- who ticks when --------------------------------------------------------------------- */

static void join(struct pump *p, struct pump_stream *s)
{
	struct pump_phase *ph = p->phases;
	unsigned at = 0;

	for (unsigned i = 1; i < PUMP_PHASES; i++)
		if (p->phases[i].count < ph->count)
			ph = &p->phases[i];
	while (at < ph->count && ph->members[at].port <= s->port)
		at++;
	memmove(ph->members + at + 1, ph->members + at,
		(ph->count - at) * sizeof(*ph->members));
	ph->members[at] =
		(struct pump_member){.port = s->port, .index = s->index};
	ph->count++;
	s->phase = (uint8_t)(ph - p->phases);
	s->ticking = true;
	p->streams[s->index] = s;
	p->ticking++;
}

static void leave(struct pump *p, struct pump_stream *s)
{
	struct pump_phase *ph = &p->phases[s->phase];
	unsigned at = 0;

	while (ph->members[at].index != s->index)
		at++;
	ph->count--;
	memmove(ph->members + at, ph->members + at + 1,
		(ph->count - at) * sizeof(*ph->members));
	s->ticking = false;
	p->streams[s->index] = NULL;
	p->ticking--;
}

/* --- orders ----------------------------------------------------------------------------- */

static void stop_playing(struct pump *p, struct pump_stream *s)
{
	p->hot[s->index].list = NULL;
	pump_key_release(s);
	if (s->playing)
		pump_give_back(p, s->playing);
	s->playing = NULL;
}

void pump_aim(struct pump *p, const struct pump_stream *s)
{
	struct pump_hot *h = &p->hot[s->index];
	const struct pump_addr *to = s->placed ? &s->source : &s->way.rtp;

	memcpy(h->ip, to->ip, sizeof(h->ip));
	h->port = to->port;
}

static void connect_it(struct pump *p, struct pump_order *o)
{
	struct pump_stream *s = o->s;
	struct pump_hot *h = &p->hot[s->index];
	bool again = s->ticking;
	bool same = again && pump_addr_equal(&o->way.rtp, &s->way.rtp);

	if (again) {
		s->bytes_before = pump_sent_bytes(p, s);
		s->sent_before = h->sent;
		pump_hear_end(p, s);
	}
	s->way = o->way;
	s->connect = o;
	h->pt = s->way.audio_pt;
	h->codec = (uint8_t)s->way.codec;
	h->frames = s->way.frames;
	if (!s->way.send)
		h->flags &= (uint8_t)~PUMP_SENDS;
	else if (!(h->flags & PUMP_SENDS))
		h->flags |= PUMP_SENDS | PUMP_MARKS;
	pump_key_begin(p, s);
	pump_hear_begin(p, s, same);
	pump_aim(p, s);
	if (again)
		return;
	pump_rtcp_plan(p, s, s->connected_ms);
	join(p, s);
}

static void play(struct pump *p, struct pump_order *o)
{
	struct pump_stream *s = o->s;
	struct pump_hot *h = &p->hot[s->index];

	stop_playing(p, s);
	s->playing = o;
	s->play_id = o->id;
	h->list = o->list;
	h->item = h->frame = 0;
	h->played = 0;
	pump_key_begin(p, s);
}

static void close_it(struct pump *p, struct pump_order *o)
{
	struct pump_stream *s = o->s;
	const struct pump_hot *h = &p->hot[s->index];

	stop_playing(p, s);
	if (s->ticking) {
		pump_rtcp_send(p, s, true);
		pump_hear_end(p, s);
		s->stats.sent = h->sent;
		s->stats.late_us_max = h->late_us;
		leave(p, s);
	}
	pump_hear_close(p, s);
	pump_give_back(p, o); /* nothing of s is touched after this */
}

static void obey(struct pump *p)
{
	struct pump_order *o = pump_orders_take(&p->orders);

	while (o) {
		struct pump_order *next = o->next;

		switch (o->kind) {
		case PUMP_CONNECT:
			connect_it(p, o);
			break;
		case PUMP_PLAY:
			play(p, o);
			break;
		case PUMP_STOP:
			stop_playing(p, o->s);
			pump_give_back(p, o);
			break;
		case PUMP_CLOSE:
			close_it(p, o);
			break;
		}
		o = next;
	}
}

/* --- slow things ------------------------------------------------------------------------ */

static void look_after(struct pump *p, struct pump_stream *s, int64_t now_ms)
{
	struct pump_note lost = {.kind = PUMP_LOST};

	if (s->connect && now_ms - s->connected_ms > PUMP_LATCH_MS)
		pump_hear_settle(p, s);
	if (s->way.send && s->way.receive && !s->lost_told &&
	    now_ms - s->heard_ms >= p->lost_ms)
		s->lost_told = pump_tell(p, s, &lost);
	if (now_ms >= s->rtcp_ms) {
		pump_rtcp_send(p, s, false);
		pump_rtcp_plan(p, s, now_ms);
	}
}

/* Each in its turn: a look at everyone would cost as much as their packets. */
static void look_after_some(struct pump *p, struct pump_phase *ph)
{
	int64_t now_ms = pump_now_us() / 1000;

	for (unsigned i = ph->turn; i < ph->count; i += PUMP_CHECKS)
		look_after(p, p->streams[ph->members[i].index], now_ms);
	ph->turn = (ph->turn + 1) % PUMP_CHECKS;
}

/* --- does it keep up? ---------------------------------------------------------------------- */

/* `sum` is SMOOTH times the average. */
static void follow(int64_t *sum, int64_t us)
{
	int64_t most = (int64_t)ONCE_MAX * PUMP_PHASE_US;

	*sum += (us < most ? us : most) - *sum / SMOOTH;
}

static void measure(struct pump *p, int64_t work_us, int64_t late_us)
{
	int64_t now_ms = pump_now_us() / 1000;
	int64_t share = atomic_load(&p->full) ? 2 : 1;

	follow(&p->work_us, work_us);
	follow(&p->late_us, late_us);
	atomic_store(&p->full,
		     p->work_us / SMOOTH * share > FULL_WORK_US ||
			     p->late_us / SMOOTH * share > FULL_LATE_US);

	if (now_ms - p->second_ms > SECOND_MS) {
		atomic_store(&p->phase_us_max, p->second_max_us);
		p->second_ms = now_ms;
		p->second_max_us = 0;
	}
	if (work_us > p->second_max_us)
		p->second_max_us = work_us;
	if (work_us > atomic_load(&p->phase_us_max))
		atomic_store(&p->phase_us_max, work_us);
}

/* --- the thread --------------------------------------------------------------------------- */

void pump_tick_begin(struct pump *p)
{
	struct sched_param how = {.sched_priority = (int)p->priority};

	(void)pthread_setname_np(pthread_self(), "pump");
	(void)prctl(PR_SET_TIMERSLACK, 1);
	if (p->priority > 0 &&
	    pthread_setschedparam(pthread_self(), SCHED_FIFO, &how) == 0)
		atomic_store(&p->realtime, true);
}

/* Until there is an order. */
static void rest(struct pump *p)
{
	uint64_t ignored;

	p->work_us = p->late_us = 0;
	atomic_store(&p->full, false);
	atomic_store(&p->phase_us_max, 0);
	atomic_store(&p->idle, true);
	if (atomic_load(&p->orders) || atomic_load(&p->stop)) {
		/* whoever came in between may have taken it for asleep */
		if (atomic_exchange(&p->idle, false))
			return;
	}
	while (read(p->wake, &ignored, sizeof(ignored)) < 0 && errno == EINTR)
		;
}

/* What is overdue is not sent in one heap: whole ticks pass in silence, and the
 * sound goes on after them. */
static void skip(struct pump *p, int64_t late_us)
{
	uint32_t ticks = (uint32_t)(late_us / TICK_US);

	for (unsigned i = 0; i < PUMP_PHASES; i++)
		pump_skip_phase(p, &p->phases[i], ticks);
	p->due_us += (int64_t)ticks * TICK_US;
}

void pump_tick(struct pump *p)
{
	struct pump_phase *ph = &p->phases[p->phase];
	int64_t late_us, work_us;

	obey(p);
	if (p->ticking == 0) {
		if (!p->tell)
			rest(p);
		p->due_us = 0;
		return;
	}
	if (p->due_us == 0)
		p->due_us = pump_now_us();
	wait_until(p->due_us);

	work_us = read_us(CLOCK_THREAD_CPUTIME_ID);
	late_us = pump_now_us() - p->due_us;
	if (late_us > LATE_US)
		skip(p, late_us);
	obey(p);
	pump_hear(p, PUMP_HEAR_US);
	pump_send_phase(p, ph, p->due_us);
	look_after_some(p, ph);
	measure(p, read_us(CLOCK_THREAD_CPUTIME_ID) - work_us, late_us);
	p->due_us += PUMP_PHASE_US;
	p->phase = (p->phase + 1) % PUMP_PHASES;
}

void pump_tick_end(struct pump *p)
{
	obey(p);
}
