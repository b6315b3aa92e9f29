// SPDX-License-Identifier: Apache-2.0
/*
 * commit.c - what happens on the line, written down in order.
 *
 * Every change holds only under the fence of the lease: a node that was taken
 * for dead writes nothing more.  A store that refuses is asked again as long as
 * the lease lasts; after that, whoever takes the lease says how the call ended.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/attempt_priv.h"

struct work { /* one run of apply */
	struct store_tx *tx;
	struct attempt *a;
	const struct policy *policy;
	int64_t now;
	const char *leg; /* the id of the leg that the steps are about */
};

struct attempt_step *service_attempt_step(struct attempt *a,
					  enum attempt_step_kind kind)
{
	struct attempt_step *s = b_zero(1, sizeof(*s));

	s->kind = kind;
	ll_append(&a->waiting, &s->link);
	return s;
}

/* --- inside the change --------------------------------------------------------------- */

static void end_leg(struct work *w, const struct attempt_step *s)
{
	struct verification *v = &w->a->pair.v;
	struct verification_news news = {
		.event = EVENT_ENDED,
		.leg = w->leg,
		.outcome = s->leg,
		.sip_code = s->sip_code,
		.q850 = s->q850,
		.early_media = s->early_media,
		.media = s->media.known ? &s->media : NULL,
	};
	struct verification_leg *leg;

	if (s->trace)
		service_trace_add(w->tx, SERVICE_AT_TRACE, w->a->sv, v, w->leg,
				  s->trace);
	/* our goodbye after a cancel is no interruption */
	if (s->leg == LEG_INTERRUPTED && v->status == STATUS_CANCELED)
		news.outcome = LEG_CANCELED;
	if (!verification_deliver(v, &w->a->pair.n, &news, w->now))
		return;
	leg = verification_leg_find(v, w->leg);
	service_give_back(w->tx, w->a->sv, w->policy, v, leg);
	service_event(w->tx, v, outcome_event_text(EVENT_ENDED), leg, w->now);
}

/* The application would not have it called (E7): then it is over. */
static void deny(struct work *w, const struct attempt_step *s)
{
	struct verification *v = &w->a->pair.v;

	if (!verification_forbid(v, &w->a->pair.n, w->now))
		return;
	service_event_denied(w->tx, v, s->denied, w->now);
}

/* Another telephone may have taken over from the one that was committed. */
static void note_route(struct work *w, const char *route)
{
	struct verification_leg *leg =
		verification_leg_find(&w->a->pair.v, w->leg);

	if (leg && route)
		(void)snprintf(leg->route, sizeof(leg->route), "%s", route);
}

static void take_news(struct work *w, const struct attempt_step *s)
{
	struct verification *v = &w->a->pair.v;
	const struct verification_news news = {.event = s->event,
					       .leg = w->leg};
	enum outcome_status was = v->status;

	note_route(w, s->route);
	if (s->event == EVENT_ENDED) {
		end_leg(w, s);
		return;
	}
	if (!verification_deliver(v, &w->a->pair.n, &news, w->now))
		return;
	if (v->status != was)
		service_event_status(w->tx, v, w->now);
	else
		service_event(w->tx, v, outcome_event_text(s->event),
			      verification_leg_find(v, w->leg), w->now);
	if (s->event == EVENT_REPORTED)
		service_count_report(w->tx, w->a->sv, w->policy, v);
}

static void verify(struct work *w, struct attempt_step *s)
{
	struct service_pair *p = &w->a->pair;
	struct verification_attempt attempt = {.code = s->digits,
					       .keypad = true};
	enum outcome_status was = p->v.status;
	unsigned left = 0;

	s->result = (int)service_check_run(w->tx, w->a->sv, p, &attempt, &left);
	s->detail = left;
	if (p->v.status != was)
		service_event_status(w->tx, &p->v, w->now);
}

static void hold(struct work *w, const struct verification_leg *leg)
{
	int64_t ms = w->a->rules->rules->ring_ms + POLICY_CALL_MS +
		     SERVICE_HOLD_SPARE_MS;

	for (size_t i = 0; i < w->a->answer.counters_count; i++) {
		struct store_counter c;

		if (!w->a->answer.counters[i].hold)
			continue;
		service_counter(&w->a->answer.counters[i], leg->id, ms, &c);
		store_tx_reserve(w->tx, &c);
	}
}

static void ask_again(struct work *w, int64_t at_ms)
{
	struct service_ask ask;

	service_ask_of(w->policy, &w->a->pair.v, w->a->number, &ask);
	ask.request.now = at_ms;
	(void)service_ask_past(&w->a->pair.n, w->now, &ask.request);
	policy_ask_again(w->policy, &ask.request, &w->a->answer);
}

/* A flow that tries once more makes a further leg, which is leased, counted and
 * paid for like any other.  One that only goes another way rings nobody a second
 * time, so it is none of the number's calls. */
static int add_leg(struct work *w, struct attempt_step *s)
{
	struct verification *v = &w->a->pair.v;
	struct verification_leg *leg;

	if (verification_may_call(v, w->now) != VERIFICATION_CALL)
		return -EPERM;
	service_call_id_of(v, s->call_id);
	leg = verification_add_leg(v, s->call_id, w->now);
	leg->price_micro = w->a->answer.price_call;
	if (s->another)
		service_reserve_money(w->tx, &w->a->answer);
	else
		service_reserve(w->tx, &w->a->answer);
	store_tx_ack(w->tx, w->a->lease.id);
	store_tx_push(w->tx, &(struct store_push){
				     .lane = STORE_CALLS,
				     .id = leg->id,
				     .ref = v->id,
				     .not_before_ms = w->now,
				     .lease_ms = SERVICE_LEASE_MS,
			     });
	s->further = true;
	w->leg = leg->id;
	return 0;
}

static int may_dial(struct work *w, struct attempt_step *s)
{
	struct verification *v = &w->a->pair.v;
	struct verification_leg *leg = verification_leg_find(v, w->leg);
	struct verification_news news = {
		.event = EVENT_DIALING,
		.route = w->a->tel ? w->a->tel->route : "",
	};
	int err = 0;

	if (!leg || !w->a->tel || v->epoch != atomic_load(&w->a->sv->epoch))
		return -EPERM;
	ask_again(w, w->now);
	s->further = false;
	if (w->a->answer.verdict != POLICY_ALLOWED)
		return -EPERM; /* the rules have changed meanwhile */
	if (leg->state == VERIFICATION_LEG_ENDED)
		err = add_leg(w, s);
	if (err)
		return err;
	news.leg = w->leg;
	if (!verification_deliver(v, &w->a->pair.n, &news, w->now))
		return v->status == STATUS_PENDING ? -ETIME : -EPERM;
	leg = verification_leg_find(v, w->leg);
	hold(w, leg);
	service_event(w->tx, v, outcome_event_text(EVENT_DIALING), leg, w->now);
	return 0;
}

static void take_step(struct work *w, struct attempt_step *s)
{
	struct attempt *a = w->a;

	switch (s->kind) {
	case ATTEMPT_DIAL:
		s->result = may_dial(w, s);
		break;
	case ATTEMPT_NEWS:
		take_news(w, s);
		break;
	case ATTEMPT_VERIFY:
		verify(w, s);
		break;
	case ATTEMPT_END:
		if (s->run)
			service_run_add(w->tx, SERVICE_AT_RUNS, a->sv,
					&a->pair.v, w->leg, s->run);
		end_leg(w, s);
		if (s->denied)
			deny(w, s);
		store_tx_ack(w->tx, a->lease.id);
		break;
	case ATTEMPT_RETURN:
		store_tx_push(w->tx, &(struct store_push){
					     .lane = STORE_CALLS,
					     .id = a->lease.id,
					     .ref = a->lease.ref,
					     .not_before_ms = s->not_before_ms,
				     });
		break;
	}
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct attempt *a = ctx;
	struct work w = {.tx = tx,
			 .a = a,
			 .policy = &a->rules->rules->policy,
			 .now = store_tx_now(tx),
			 .leg = a->lease.id};
	int err = service_pair_read(tx, true, &a->pair);

	if (err)
		return err;
	store_tx_fence(tx, a->lease.id, a->lease.fence);
	a->missing = !a->pair.found;
	if (a->missing) { /* erased */
		store_tx_ack(tx, a->lease.id);
		return 0;
	}
	a->was = a->pair.v.status;
	a->foreign = a->was != STATUS_PENDING;
	ll_each (at, &a->flying)
		take_step(&w, ll_entry(at, struct attempt_step, link));
	service_pair_write(tx, a->sv, true, &a->pair);
	return 0;
}

/* --- around it ----------------------------------------------------------------------------- */

static void write_again(void *ctx)
{
	service_attempt_write(ctx);
}

/* Nothing was changed: the steps wait again, in front. */
static void keep_steps(struct attempt *a)
{
	struct link later;

	ll_init(&later);
	ll_splice(&later, &a->waiting);
	ll_splice(&a->waiting, &a->flying);
	ll_splice(&a->waiting, &later);
}

static void try_again(struct attempt *a)
{
	struct timers *t = loop_timers(a->sv->p.line);

	keep_steps(a);
	if (clock_mono_ms(a->sv->p.clock) >= a->lease_until_ms)
		service_attempt_lost(a);
	else
		timer_set(t, &a->retry, SERVICE_RETRY_MS, write_again, a);
}

static void adopt(struct attempt *a)
{
	struct verification old = a->v;

	if (a->missing)
		return;
	a->v = a->pair.v;
	memset(&a->pair.v, 0, sizeof(a->pair.v));
	a->pair.found = false;
	verification_free(&old);
}

/* A question to dial that a counter refused: no room, at this time. */
static bool answer_full(struct attempt *a)
{
	struct link *at = ll_first(&a->flying);
	struct attempt_step *s;

	if (!at)
		return false;
	s = ll_entry(at, struct attempt_step, link);
	if (s->kind != ATTEMPT_DIAL)
		return false;
	s->result = -EBUSY;
	return true;
}

static void came_back(void *ctx)
{
	struct attempt *a = ctx;
	int err = a->result.err;
	struct link steps;

	service_out_ended(a->sv);
	a->busy = false;
	service_rules_drop(a->rules);
	a->rules = NULL;
	if (a->state == ATTEMPT_GONE) {
		service_attempt_close(a);
		return;
	}
	if (atomic_load(&a->sv->ended))
		return;
	if (err == -ESTALE) {
		service_attempt_lost(a);
		return;
	}
	if (err == -EDQUOT && answer_full(a)) {
		a->foreign = a->missing = false;
	} else if (err) {
		try_again(a);
		return;
	} else {
		adopt(a);
	}
	ll_init(&steps);
	ll_splice(&steps, &a->flying);
	service_attempt_landed(a, &steps);
}

static void done(const struct store_result *r, void *ctx)
{
	struct attempt *a = ctx;
	struct service *sv = a->sv;

	a->result = *r;
	loop_post(sv->p.line, &a->post, came_back, a);
	service_out_came_back(sv);
}

/* What goes into one change: a question to dial goes alone, since a counter may
 * refuse it and everything with it. */
static void choose(struct attempt *a)
{
	struct link *at;

	for (size_t n = 0; n < ATTEMPT_STEPS_MAX; n++) {
		struct attempt_step *s;

		at = ll_first(&a->waiting);
		if (!at)
			return;
		s = ll_entry(at, struct attempt_step, link);
		if (s->kind == ATTEMPT_DIAL && n > 0)
			return;
		ll_remove(at);
		ll_append(&a->flying, at);
		if (s->kind == ATTEMPT_DIAL)
			return;
	}
}

/* How many records take part: the last are not always among them. */
static size_t records_of(const struct attempt *a)
{
	size_t n = SERVICE_AT_TRACE;

	ll_each (at, &a->flying) {
		const struct attempt_step *s =
			ll_entry(at, struct attempt_step, link);

		if (s->run)
			return SERVICE_AT_RUNS + 1;
		if (s->trace)
			n = SERVICE_AT_TRACE + 1;
	}
	return n;
}

void service_attempt_write(struct attempt *a)
{
	struct service_place place;
	size_t count;
	const struct store_key keys[] = {
		[SERVICE_AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION,
					     a->lease.ref},
		[SERVICE_AT_NUMBER] = {SERVICE_KIND_NUMBER, place.number_key},
		[SERVICE_AT_PHONE] = {SERVICE_KIND_PHONE, place.phone_key},
		[SERVICE_AT_TRACE] = {SERVICE_KIND_TRACE, a->lease.ref},
		[SERVICE_AT_RUNS] = {SERVICE_KIND_RUNS, a->lease.ref},
	};
	int err;

	if (a->busy || timer_is_set(&a->retry) || ll_empty(&a->waiting) ||
	    a->state == ATTEMPT_GONE || atomic_load(&a->sv->ended))
		return;
	service_place_find(a->sv->p.ring, a->v.application, a->lease.ref,
			   &place);
	choose(a);
	count = records_of(a);
	a->rules = service_rules_take(a->sv);
	a->busy = true;
	service_out_begin(a->sv);
	err = store_change(a->sv->p.store, a->lease.partition, keys, count,
			   apply, done, a);
	if (err)
		done(&(struct store_result){.err = err}, a);
}
