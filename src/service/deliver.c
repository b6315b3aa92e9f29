// SPDX-License-Identifier: Apache-2.0
/*
 * deliver.c - one call, from its lease to its end: the flow's host.
 *
 * An attempt is dialled at most once: DIALING is committed under the lease's
 * fence before the telephone hears of it, and an attempt that is found in that
 * state or a later one has no call any more, only an end: interrupted.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/attempt_priv.h"

static struct timers *timers_of(const struct attempt *a)
{
	return loop_timers(a->sv->p.line);
}

static void set_state(struct attempt *a, enum attempt_state to)
{
	struct service_figures *f = &a->sv->figures;
	static const bool waits[] = {[ATTEMPT_FETCHING] = true,
				     [ATTEMPT_WAITING] = true,
				     [ATTEMPT_GONE] = false};
	bool waited = waits[a->state], calling = a->state == ATTEMPT_CALLING;

	assert(to > a->state);
	if (waited && to > ATTEMPT_WAITING)
		atomic_fetch_sub(&f->waiting, 1);
	if (to == ATTEMPT_CALLING)
		atomic_fetch_add(&f->calling, 1);
	else if (calling)
		atomic_fetch_sub(&f->calling, 1);
	a->state = to;
}

/* --- the end --------------------------------------------------------------------- */

static void drop_steps(struct link *steps)
{
	ll_each_safe (at, steps) {
		struct attempt_step *s =
			ll_entry(at, struct attempt_step, link);

		crypto_wipe(s->digits, sizeof(s->digits));
		free(s->trace);
		free(s->run);
		free(s);
	}
	ll_init(steps);
}

void service_attempt_close(struct attempt *a)
{
	struct service *sv = a->sv;

	if (a->state != ATTEMPT_GONE) {
		set_state(a, ATTEMPT_GONE);
		timer_stop(timers_of(a), &a->renew);
		timer_stop(timers_of(a), &a->retry);
		timer_stop(timers_of(a), &a->late);
		service_web_drop(&a->web);
		flow_run_free(a->run);
		a->run = NULL;
		service_attempt_leave(a);
		ll_remove(&a->link);
		service_slots_drop(sv, 1);
	}
	if (a->busy || a->renewal || a->finding)
		return; /* it comes back, and comes here */
	service_flow_unref(a->flow);
	free(a->end.trace);
	drop_steps(&a->waiting);
	drop_steps(&a->flying);
	verification_free(&a->v);
	service_pair_free(&a->pair);
	service_rules_drop(a->rules);
	crypto_wipe(a->number, sizeof(a->number));
	free(a);
}

void service_attempt_lost(struct attempt *a)
{
	log_warn("call.lease_lost", "id", LOG_S(a->lease.ref), "call",
		 LOG_S(a->lease.id), NULL);
	service_attempt_close(a);
}

static void end(struct attempt *a, enum outcome_leg leg)
{
	struct attempt_step *s = service_attempt_step(a, ATTEMPT_END);

	s->leg = leg;
	s->run = a->end.trace;
	a->end.trace = NULL;
	s->denied = a->asking.denied ? a->asking.reason : NULL;
	if (a->state < ATTEMPT_ENDING)
		set_state(a, ATTEMPT_ENDING);
	service_attempt_write(a);
}

/* Back to the queue, for another time or another node. */
static void give_up_lease(struct attempt *a, int64_t wait_ms)
{
	struct attempt_step *s = service_attempt_step(a, ATTEMPT_RETURN);

	s->not_before_ms = clock_wall_ms(a->sv->p.clock) + wait_ms;
	set_state(a, ATTEMPT_ENDING);
	service_attempt_write(a);
}

/* --- the lease ---------------------------------------------------------------------- */

struct attempt_renewal {
	struct attempt *a;
	struct store_lease lease;
	int err;
	struct post post;
};

static void renew(void *ctx);

static void renew_later(struct attempt *a)
{
	timer_set(timers_of(a), &a->renew, SERVICE_LEASE_MS / 3, renew, a);
}

static void renewal_back(void *ctx)
{
	struct attempt_renewal *r = ctx;
	struct attempt *a = r->a;
	bool same = strcmp(r->lease.id, a->lease.id) == 0;
	int err = r->err;

	free(r);
	a->renewal = NULL;
	service_out_ended(a->sv);
	if (a->state == ATTEMPT_GONE) {
		service_attempt_close(a);
		return;
	}
	if (atomic_load(&a->sv->ended))
		return;
	if (err == -ESTALE && same && ll_empty(&a->flying)) {
		service_attempt_lost(a);
		return;
	}
	if (err == 0)
		a->lease_until_ms =
			clock_mono_ms(a->sv->p.clock) + SERVICE_LEASE_MS;
	else if (clock_mono_ms(a->sv->p.clock) >= a->lease_until_ms) {
		service_attempt_lost(a);
		return;
	}
	renew_later(a);
}

static void renewed(const struct store_result *r, void *ctx)
{
	struct attempt_renewal *n = ctx;
	struct service *sv = n->a->sv;

	n->err = r->err;
	loop_post(sv->p.line, &n->post, renewal_back, n);
	service_out_came_back(sv);
}

static void renew(void *ctx)
{
	struct attempt *a = ctx;
	struct attempt_renewal *n = b_zero(1, sizeof(*n));
	int err;

	n->a = a;
	n->lease = a->lease;
	a->renewal = n;
	service_out_begin(a->sv);
	err = store_renew(a->sv->p.store, &n->lease, SERVICE_LEASE_MS, renewed,
			  n);
	if (err)
		renewed(&(struct store_result){.err = err}, n);
}

/* --- the flow's host ------------------------------------------------------------------ */

static void host_news(void *ctx, const struct flow_news *news)
{
	struct attempt *a = ctx;
	struct attempt_step *s;

	if (news->event == EVENT_DIALING)
		return; /* that was written before it was true */
	s = service_attempt_step(a, ATTEMPT_NEWS);
	s->event = news->event;
	s->leg = news->leg;
	s->sip_code = news->sip_code;
	s->q850 = news->q850;
	s->early_media = news->early_media;
	s->route = a->tel ? a->tel->route : NULL;
	s->media = news->media;
	if (news->trace && a->v.trace)
		s->trace = service_trace_mask(news->trace, &a->v, a->number);
	service_attempt_write(a);
}

static void host_verify(void *ctx, struct flow_run *run, const char *digits,
			flow_answer_h *done)
{
	struct attempt *a = ctx;
	struct attempt_step *s = service_attempt_step(a, ATTEMPT_VERIFY);

	(void)run;
	s->done = done;
	if (strnlen(digits, sizeof(s->digits)) < sizeof(s->digits))
		(void)snprintf(s->digits, sizeof(s->digits), "%s", digits);
	service_attempt_write(a);
}

static int host_code(void *ctx, char out[CODE_BYTES])
{
	struct attempt *a = ctx;

	return service_code(a->sv->p.ring, &a->v, out);
}

/* What a run that dialled nobody means. */
static enum outcome_leg undialled(const struct attempt *a)
{
	if (a->v.status == STATUS_CANCELED || a->v.status == STATUS_REPORTED)
		return LEG_CANCELED;
	if (a->dial_no == -ETIME || a->v.status == STATUS_EXPIRED)
		return LEG_EXPIRED;
	return LEG_NOT_CALLED;
}

static void run_is_over(struct attempt *a)
{
	bool dialled = a->state == ATTEMPT_CALLING;

	if (!dialled && a->dial_no == -EBUSY)
		give_up_lease(a, SERVICE_BUSY_MS);
	else if (!dialled)
		end(a, undialled(a));
	else
		end(a, a->end.leg);
}

static void host_step(void *ctx, const char *json)
{
	const struct attempt *a = ctx;

	service_step_tell(a->sv, &a->v, a->lease.id, json);
}

static void host_over(void *ctx, const struct flow_end *flow_end)
{
	struct attempt *a = ctx;

	a->end.reason = flow_end->reason;
	a->end.leg = flow_end->leg;
	free(a->end.trace);
	a->end.trace = b_strdup(flow_end->trace);
	service_web_drop(&a->web);
	log_debug("flow.over", "id", LOG_S(a->v.id), "reason",
		  LOG_S(flow_end_text(flow_end->reason)), "node",
		  LOG_S(flow_end->node ? flow_end->node : ""), NULL);
	flow_run_free(a->run); /* the last that it does: it may be freed here */
	a->run = NULL;
	service_attempt_leave(a);
	if (a->state < ATTEMPT_ENDING)
		run_is_over(a);
}

static void host_http(void *ctx, struct flow_run *run,
		      const struct flow_http *ask, flow_http_h *done)
{
	struct attempt *a = ctx;
	const struct service_web_name name = {.application = a->v.application,
					      .about = a->lease.id};

	service_web_ask(&a->web, &name, run, ask, done);
}

static const struct flow_host host = {
	.may_dial = service_attempt_may_dial,
	.another = service_attempt_another,
	.dial = service_attempt_dial,
	.news = host_news,
	.verify = host_verify,
	.code = host_code,
	.http = host_http,
	.step = host_step,
	.over = host_over,
};

/* --- beginning ------------------------------------------------------------------------- */

static void too_late(void *ctx)
{
	struct attempt *a = ctx;

	if (a->run)
		flow_run_expire(a->run);
}

/* A2: an answer moves the end, and nothing is spoken behind it (B2). */
static void watch_deadline(struct attempt *a)
{
	int64_t left = a->v.expires_ms - clock_wall_ms(a->sv->p.clock);

	timer_set(timers_of(a), &a->late, left > 0 ? left : 0, too_late, a);
}

static void amount_text(const struct verification *v, char *out, size_t size)
{
	(void)snprintf(out, size, "%s%s%s", v->amount,
		       v->amount[0] && v->currency[0] ? " " : "",
		       v->amount[0] ? v->currency : "");
}

static int start_flow(struct attempt *a, const struct service_rules *rules,
		      struct diag *d)
{
	const struct verification *v = &a->v;
	char amount[VERIFICATION_AMOUNT_BYTES + sizeof(v->currency) + 1];
	AUTO_JSON json_t *given = NULL;
	int err;
	struct flow_params params = {
		.deadline_ms = v->created_ms + VERIFICATION_LIFE_MS,
		.host = &host,
		.ctx = a,
		.loop = a->sv->p.line,
		.rng = a->sv->p.rng,
		.speech = a->sv->p.speech,
		.phrases = a->sv->p.phrases,
		.verification_id = v->id,
		.call_id = a->lease.id,
		.to = a->number,
		.from = v->from,
		.language = v->language,
		.purpose = v->purpose,
		.brand = v->brand,
		.amount = amount,
		.payee = v->payee,
		.send_digits = v->send_digits,
		.callback = rules->callback,
		.attempt = (unsigned)v->legs_count,
		.code_length = v->code_length,
		.human_digits = v->human_digits,
		.ring_ms = rules->ring_ms,
		.mode = "live",
		.version = v->flow_version,
	};

	if (service_number_open(a->sv->p.ring, v, a->number) != 0)
		return diag_set(d, "its number cannot be opened");
	if (service_params_open(a->sv->p.ring, v, &given) != 0)
		return diag_set(d, "its parameters cannot be opened");
	amount_text(v, amount, sizeof(amount));
	params.flow = a->flow->flow;
	params.params = given;
	err = flow_run_start(&params, &a->run, d);
	service_params_forget(given); /* the run has its own by now */
	return err;
}

static void run_flow(struct attempt *a)
{
	struct service_box *box = service_rules_take(a->sv);
	struct diag d = {0};
	int err = start_flow(a, box->rules, &d);

	service_rules_drop(box);
	if (err == -EAGAIN) { /* too many have words to be rendered just now */
		give_up_lease(a, SERVICE_BUSY_MS);
		return;
	}
	if (err) {
		log_error("call.not_started", "id", LOG_S(a->v.id), "why",
			  LOG_S(d.message), NULL);
		end(a, LEG_NOT_CALLED);
		return;
	}
	watch_deadline(a);
}

/* The version may have to be read: the call goes on when it is there. */
struct finding {
	struct attempt *a;
	struct service *sv;
	char application[VERIFICATION_APP_BYTES], id[VERIFICATION_FLOW_BYTES];
	struct service_flow_want want;
	int err;
	struct service_flow *flow;
	struct post post;
};

static void no_flow(struct attempt *a, int err)
{
	if (err != -ENOENT && err != -EINVAL) { /* the store, or too many */
		give_up_lease(a, SERVICE_BUSY_MS);
		return;
	}
	log_error("call.no_flow", "id", LOG_S(a->v.id), "flow",
		  LOG_S(a->v.flow), "version", LOG_I(a->v.flow_version), NULL);
	end(a, LEG_NOT_CALLED);
}

static void found_posted(void *ctx)
{
	struct finding *f = ctx;
	struct attempt *a = f->a;
	int err = f->err;

	a->finding = false;
	a->flow = f->flow;
	free(f);
	service_out_ended(a->sv);
	if (a->state == ATTEMPT_GONE)
		service_attempt_close(a);
	else if (a->state != ATTEMPT_WAITING || atomic_load(&a->sv->ended))
		return; /* it has found its end meanwhile */
	else if (a->v.status != STATUS_PENDING)
		end(a, undialled(a));
	else if (atomic_load(&a->sv->draining))
		give_up_lease(a, 0);
	else if (err)
		no_flow(a, err);
	else
		run_flow(a);
}

static void found(int err, void *ctx)
{
	struct finding *f = ctx;
	struct service *sv = f->sv;

	f->err = err;
	if (!err)
		f->flow = service_flow_take(sv, &f->want, &f->err);
	if (f->flow)
		f->err = 0;
	loop_post(sv->p.line, &f->post, found_posted, f);
	service_out_came_back(sv);
}

static void find_flow(struct attempt *a, const struct service_flow_want *want)
{
	struct finding *f = b_zero(1, sizeof(*f));

	f->a = a;
	f->sv = a->sv;
	f->want = *want;
	(void)snprintf(f->id, sizeof(f->id), "%s", want->id);
	(void)snprintf(f->application, sizeof(f->application), "%s",
		       want->application);
	f->want.id = f->id;
	f->want.application = f->application;
	a->finding = true;
	service_out_begin(a->sv);
	service_flow_bring(a->sv, &f->want, found, f);
}

static void start(struct attempt *a)
{
	const struct service_flow_want want = {.application = a->v.application,
					       .id = a->v.flow,
					       .version = a->v.flow_version,
					       .begun = true};
	int why = 0;

	a->flow = service_flow_take(a->sv, &want, &why);
	if (a->flow) {
		run_flow(a);
		return;
	}
	if (why == -EAGAIN)
		find_flow(a, &want);
	else
		no_flow(a, why);
}

static void begin(struct attempt *a)
{
	struct verification *v = &a->v;
	const struct verification_leg *leg =
		verification_leg_find(v, a->lease.id);

	if (a->settled != STATUS_PENDING)
		v->status = a->settled; /* after it was read */
	if (a->state == ATTEMPT_FETCHING)
		set_state(a, ATTEMPT_WAITING);
	renew_later(a);
	if (!leg || leg->state == VERIFICATION_LEG_ENDED)
		end(a,
		    LEG_NONE); /* nothing is left but its place in the queue */
	else if (leg->state != VERIFICATION_LEG_QUEUED)
		end(a, LEG_INTERRUPTED);
	else if (v->status != STATUS_PENDING)
		end(a, undialled(a));
	else if (atomic_load(&a->sv->draining))
		give_up_lease(a, 0);
	else
		start(a);
}

static void arrive(struct attempt *a)
{
	struct service *sv = a->sv;

	ll_append(&sv->attempts, &a->link);
	a->lease_until_ms = clock_mono_ms(sv->p.clock) + SERVICE_LEASE_MS;
	service_out_ended(sv);
}

static void begin_posted(void *ctx)
{
	struct attempt *a = ctx;

	arrive(a);
	if (!atomic_load(&a->sv->ended))
		begin(a);
}

static void fetched_posted(void *ctx)
{
	struct attempt *a = ctx;

	service_out_ended(a->sv);
	a->busy = false;
	if (a->state == ATTEMPT_GONE)
		service_attempt_close(a);
	else if (atomic_load(&a->sv->ended))
		return;
	else if (a->result.err)
		service_attempt_lost(a); /* it is leased again later */
	else
		begin(a);
}

static void fetched(int err, const struct store_record *records, size_t count,
		    const char *next, void *ctx)
{
	struct attempt *a = ctx;
	struct service *sv = a->sv;

	(void)next;
	if (!err && count > 0)
		err = verification_unpack(records->value, &a->v);
	a->result = (struct store_result){.err = err};
	loop_post(sv->p.line, &a->post, fetched_posted, a);
	service_out_came_back(sv);
}

static void fetch_posted(void *ctx)
{
	struct attempt *a = ctx;
	int err;

	arrive(a);
	if (atomic_load(&a->sv->ended))
		return;
	a->busy = true;
	service_out_begin(a->sv);
	err = store_get(a->sv->p.store, a->lease.partition,
			SERVICE_KIND_VERIFICATION, a->lease.ref, fetched, a);
	if (err)
		fetched(err, NULL, 0, NULL, a);
}

void service_deliver(struct service *sv, const struct store_lease *lease,
		     struct verification *v)
{
	struct attempt *a = b_zero(1, sizeof(*a));

	a->sv = sv;
	a->web = (struct service_web){.sv = sv, .loop = sv->p.line};
	a->lease = *lease;
	ll_init(&a->link);
	ll_init(&a->waiting);
	ll_init(&a->flying);
	atomic_fetch_add(&sv->figures.waiting, 1);
	if (v) {
		a->v = *v;
		*v = (struct verification){0};
	}
	service_out_begin(sv);
	loop_post(sv->p.line, &a->post, v ? begin_posted : fetch_posted, a);
	service_out_came_back(sv);
}

/* --- what was written -------------------------------------------------------------------- */

static void log_end(struct attempt *a, const struct verification_leg *leg)
{
	char number[LOG_NUMBER_BYTES];

	log_number(a->number, a->v.country_code, number);
	log_info("call.ended", "id", LOG_S(a->v.id), "call", LOG_S(leg->id),
		 "outcome", LOG_S(outcome_leg_text(leg->outcome)), "route",
		 LOG_S(leg->route), "to", LOG_S(a->number[0] ? number : ""),
		 "sip_code", LOG_I(leg->sip_code), NULL);
}

static void count_end(struct attempt *a)
{
	const struct verification_leg *leg =
		verification_leg_find(&a->v, a->lease.id);

	if (!leg || a->landed_end || leg->state != VERIFICATION_LEG_ENDED)
		return;
	a->landed_end = true;
	atomic_fetch_add(&a->sv->figures.legs[leg->outcome], 1);
	log_end(a, leg);
}

static void dialled(struct attempt *a, const struct attempt_step *s)
{
	const struct verification_leg *leg;

	if (s->further) {
		memcpy(a->lease.id, s->call_id, sizeof(s->call_id));
		a->lease.fence = 1;
		a->lease_until_ms =
			clock_mono_ms(a->sv->p.clock) + SERVICE_LEASE_MS;
		a->landed_end = false;
	}
	if (a->state < ATTEMPT_CALLING)
		set_state(a, ATTEMPT_CALLING);
	leg = verification_leg_find(&a->v, a->lease.id);
	if (!leg)
		return;
	atomic_fetch_add(&a->sv->figures.setup_ms_sum,
			 (uint64_t)(leg->dialed_ms - leg->queued_ms));
	atomic_fetch_add(&a->sv->figures.setup_count, 1);
}

/* Ended by somebody else: their change said so before ours. */
static void settle(struct attempt *a)
{
	if (!a->run || a->told)
		return;
	a->told = true;
	if (a->v.status == STATUS_CANCELED)
		flow_run_stop(a->run);
	else
		flow_run_settle(a->run);
}

static void answer(struct attempt *a, struct attempt_step *s)
{
	if (s->kind == ATTEMPT_DIAL) {
		a->dial_no = s->result;
		if (s->result == 0)
			dialled(a, s);
		else
			service_attempt_leave(a); /* others may have it */
	}
	if (s->done && a->run)
		s->done(a->run, s->result, s->detail);
}

void service_attempt_landed(struct attempt *a, struct link *steps)
{
	bool closes = a->missing;

	if (a->v.status != a->was && !a->missing && !a->foreign)
		service_reached(a->sv, &a->v);
	count_end(a);
	ll_each (at, steps) {
		struct attempt_step *s =
			ll_entry(at, struct attempt_step, link);

		closes |= s->kind == ATTEMPT_END || s->kind == ATTEMPT_RETURN;
		answer(a, s);
	}
	drop_steps(steps);
	if (closes) {
		service_attempt_close(a);
		return;
	}
	if (a->foreign)
		settle(a);
	if (a->run)
		watch_deadline(a);
	service_attempt_write(a);
}

/* --- from outside -------------------------------------------------------------------------- */

struct news {
	struct service *sv;
	char id[VERIFICATION_ID_BYTES];
	enum outcome_status status;
};

static void settle_posted(void *ctx)
{
	struct news *n = ctx;
	struct service *sv = n->sv;

	ll_each_safe (at, &n->sv->attempts) {
		struct attempt *a = ll_entry(at, struct attempt, link);

		if (strcmp(a->lease.ref, n->id) != 0)
			continue;
		a->settled = n->status;
		if (a->state == ATTEMPT_FETCHING)
			continue; /* it looks when it has the record */
		a->v.status = n->status;
		settle(a);
	}
	free(n);
	service_out_ended(sv);
}

void service_settle(struct service *sv, const char *verification,
		    enum outcome_status status)
{
	struct news *n = b_zero(1, sizeof(*n));

	n->sv = sv;
	n->status = status;
	(void)snprintf(n->id, sizeof(n->id), "%s", verification);
	service_out_begin(sv);
	loop_call(sv->p.line, settle_posted, n);
	service_out_came_back(sv);
}

void service_attempts_stop(struct service *sv)
{
	ll_each_safe (at, &sv->attempts) {
		struct attempt *a = ll_entry(at, struct attempt, link);

		if (a->run)
			flow_run_stop(a->run);
	}
}

void service_attempts_return(struct service *sv)
{
	ll_each_safe (at, &sv->attempts) {
		struct attempt *a = ll_entry(at, struct attempt, link);

		/* a question to dial that is under way may be answered yes */
		if (a->state != ATTEMPT_WAITING || a->busy)
			continue;
		service_web_drop(&a->web);
		flow_run_free(a->run);
		a->run = NULL;
		service_attempt_leave(a);
		drop_steps(&a->waiting);
		give_up_lease(a, 0);
	}
}

void service_attempts_cut(struct service *sv)
{
	ll_each (at, &sv->attempts) {
		struct attempt *a = ll_entry(at, struct attempt, link);

		timer_stop(timers_of(a), &a->renew);
		timer_stop(timers_of(a), &a->retry);
		timer_stop(timers_of(a), &a->late);
		service_web_drop(&a->web);
		flow_run_free(a->run);
		a->run = NULL;
		service_attempt_leave(a);
	}
}

void service_attempts_free(struct service *sv)
{
	ll_each_safe (at, &sv->attempts)
		service_attempt_close(ll_entry(at, struct attempt, link));
	ll_init(&sv->attempts);
}
