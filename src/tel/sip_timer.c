// SPDX-License-Identifier: Apache-2.0
/*
 * sip_timer.c - libre's nine timer functions over base/timer.
 *
 * libre's own list costs a walk over all later timers for each one that is
 * set, and follows the wall clock.  All nine functions of re_tmr.h stand here,
 * so the linker takes these and leaves libre's file out: SIP timers lie in the
 * loop's heap, run on its clock, and tests own that.
 *
 * re_main() asks two of the nine for how long to sleep and calls one after
 * each sleep.  That is where the loop is turned: libre's poll is its sleep.
 */
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tel/sip_priv.h"

/* re_main() takes 0 for "without end" and cuts the rest to an int: this is
 * the 64-bit number that it does not take for 0, and epoll_wait() does. */
static const uint64_t at_once = 1ULL << 32;

/* libre has one instance for all threads that asked for none of their own, so
 * there is one of these. */
static struct {
	struct loop *loop;
	bool once; /* look at the sockets, turn the loop, and come back */
	bool ran;
} line;

/* A timer of libre's in our heap; tmr->le.data points here while it runs. */
struct running {
	struct link link;
	struct timer timer;
	struct tmr *tmr;
};

static struct link all = {&all, &all};

void tsip_timer_use(struct loop *l)
{
	line.loop = l;
}

static struct timers *heap(void)
{
	return line.loop ? loop_timers(line.loop) : NULL;
}

void tmr_init(struct tmr *tmr)
{
	if (tmr)
		*tmr = (struct tmr){.th = NULL};
}

void tmr_cancel(struct tmr *tmr)
{
	struct running *r;

	/* a timer that does not run may never have been initialised */
	if (!tmr || !tmr->th)
		return;
	r = tmr->le.data;
	tmr->th = NULL;
	tmr->le.data = NULL;
	if (heap())
		timer_stop(heap(), &r->timer);
	ll_remove(&r->link);
	free(r);
}

static void fire(void *ctx)
{
	struct running *r = ctx;
	struct tmr *tmr = r->tmr;
	tmr_h *th = tmr->th;
	void *arg = tmr->arg;

	tmr->th = NULL;
	tmr->le.data = NULL;
	ll_remove(&r->link);
	free(r);
	th(arg);
}

void tsip_timer_expire(void)
{
	size_t left = 0;

	ll_each (at, &all)
		left++;
	/* what is set meanwhile stands behind them */
	while (left-- > 0 && !ll_empty(&all)) {
		struct running *r =
			ll_entry(ll_first(&all), struct running, link);

		timer_stop(heap(), &r->timer);
		fire(r);
	}
}

void tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg)
{
	struct running *r;

	if (!tmr)
		return;
	tmr_cancel(tmr);
	if (!th || !heap())
		return;
	if (delay > INT_MAX)
		delay = INT_MAX;
	r = b_zero(1, sizeof(*r));
	r->tmr = tmr;
	ll_append(&all, &r->link);
	tmr->le.data = r;
	tmr->th = th;
	tmr->arg = arg;
	timer_set(heap(), &r->timer, (int64_t)delay, fire, r);
	tmr->jfs = (uint64_t)r->timer.due_ms;
}

uint64_t tmr_jiffies(void)
{
	const struct clock *c =
		line.loop ? loop_clock(line.loop) : clock_real();

	return (uint64_t)clock_mono_ms(c);
}

uint64_t tmr_get_expire(const struct tmr *tmr)
{
	uint64_t now = tmr_jiffies();

	return tmr && tmr->th && tmr->jfs > now ? tmr->jfs - now : 0;
}

/* What re_main() sleeps: 0 is without end. */
uint64_t tmr_next_timeout(struct list *tmrl)
{
	int64_t wait_ms;

	(void)tmrl;
	if (line.once || !line.loop)
		return at_once;
	wait_ms = loop_rest_begin(line.loop);
	if (wait_ms < 0)
		return 0;
	if (wait_ms == 0)
		return at_once;
	return (uint64_t)(wait_ms < INT_MAX ? wait_ms : INT_MAX);
}

/* What re_main() does after each sleep. */
void tmr_poll(struct list *tmrl)
{
	bool stopped;

	(void)tmrl;
	if (!line.loop) {
		re_cancel();
		return;
	}
	loop_rest_end(line.loop);
	/* asked first, so that what was posted before the stop still runs */
	stopped = !line.once && loop_stopped(line.loop);
	if (loop_turn(line.loop))
		line.ran = true;
	if (stopped || line.once)
		re_cancel();
}

int tmr_status(struct re_printf *pf, void *unused)
{
	(void)unused;
	return re_hprintf(pf, "%zu timers in the loop's heap\n",
			  heap() ? timers_count(heap()) : (size_t)0);
}

void tmr_debug(void)
{
	(void)re_fprintf(stderr, "%H", tmr_status, NULL);
}

void tsip_timer_run(void)
{
	line.once = false;
	(void)re_main(NULL);
}

bool tsip_timer_turn(void)
{
	uint64_t heard = tsip_gate_heard();

	line.once = true;
	line.ran = false;
	(void)re_main(NULL);
	line.once = false;
	return line.ran || tsip_gate_heard() != heard;
}

/* Any part of libre that sets a timer will do; this one sets it at once. */
bool tsip_timer_is_ours(void)
{
	struct stun_keepalive *probe = NULL;
	size_t before, during, after;

	if (!heap())
		return false;
	before = timers_count(heap());
	if (stun_keepalive_alloc(&probe, IPPROTO_TCP, NULL, 0, NULL, NULL, NULL,
				 NULL))
		return false;
	stun_keepalive_enable(probe, 1);
	during = timers_count(heap());
	(void)mem_deref(probe);
	after = timers_count(heap());
	return during == before + 1 && after == before;
}
