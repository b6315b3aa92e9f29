// SPDX-License-Identifier: Apache-2.0
/*
 * again.c - call again: the same code, the same flow, the same end (A5).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

static void name_rule(struct service_errand *e)
{
	(void)snprintf(e->no.rule, sizeof(e->no.rule), "sends");
	e->no.retry_ms = e->pair.v.expires_ms - e->now;
}

static bool sends_left(struct service_errand *e)
{
	const struct verification *v = &e->pair.v;
	unsigned asked = v->asked ? v->asked : (unsigned)v->legs_count;

	if (asked < e->sends)
		return true;
	service_refuse(&e->no, "rate_limited", "to",
		       "it was called %u times already", asked);
	name_rule(e);
	return false;
}

/* Who gives a code wants that one heard, and no other that is still live. */
static bool gives_another_code(const struct service_errand *e)
{
	char code[CODE_BYTES];
	bool same;

	if (!e->wish->v.code_given)
		return false;
	same = service_code(e->sv->p.ring, &e->pair.v, code) == 0 &&
	       strlen(code) == strlen(e->wish->code) &&
	       crypto_equal(code, e->wish->code, strlen(code));
	crypto_wipe(code, sizeof(code));
	return !same;
}

/* Another extension is another telephone: what is sent there is another code.
 * So is what is paid, to whom and what for: the call says it, and the code is
 * bound to it (A7). */
static bool is_another(const struct service_errand *e)
{
	const struct verification *v = &e->pair.v;
	const struct verification *w = e->wish ? &e->wish->v : NULL;

	return w && (strcmp(v->send_digits, w->send_digits) != 0 ||
		     strcmp(v->purpose, w->purpose) != 0 ||
		     strcmp(v->amount, w->amount) != 0 ||
		     strcmp(v->currency, w->currency) != 0 ||
		     strcmp(v->payee, w->payee) != 0 || gives_another_code(e));
}

static bool may_call(struct service_errand *e)
{
	const struct verification *v = &e->pair.v;

	if (e->sending && v->epoch != atomic_load(&e->sv->epoch)) {
		service_refuse(&e->no, "conflict", "", "its code is void");
		return false;
	}
	switch (verification_may_call(v, e->now)) {
	case VERIFICATION_CALL:
		break;
	case VERIFICATION_OVER:
		service_refuse(&e->no, "conflict", "",
			       "this verification is over: %s",
			       outcome_status_text(v->status));
		return false;
	case VERIFICATION_TOO_LATE:
		service_refuse(&e->no, "conflict", "",
			       "too little of its time is left for a call");
		return false;
	case VERIFICATION_BUSY:
		service_refuse(&e->no, "conflict", "",
			       "a call is waiting or under way");
		return false;
	case VERIFICATION_TOO_OFTEN:
		service_refuse(&e->no, "rate_limited", "",
			       "it was called %d times already",
			       VERIFICATION_LEGS_MAX);
		if (e->sending)
			name_rule(e);
		return false;
	}
	return !e->sending || sends_left(e);
}

/* The number's own reasons: they may have come with another verification. */
static bool may_ring(struct service_errand *e)
{
	const struct verification_number *n = &e->pair.n;

	if (e->pair.v.sandbox)
		return true;
	if (n->blocked)
		service_refuse_create(&e->no, VERIFICATION_BLOCKED, 0);
	else if (n->paused_until_ms > e->now)
		service_refuse_create(&e->no, VERIFICATION_PAUSED,
				      n->paused_until_ms - e->now);
	else
		return true;
	return false;
}

static bool may_spend(struct service_errand *e)
{
	const struct policy *policy = &e->rules->rules->policy;
	struct service_ask ask;
	char to[NUMBER_BYTES];

	if (service_number_open(e->sv->p.ring, &e->pair.v, to) != 0) {
		service_refuse(&e->no, "conflict", "", "its number was erased");
		return false;
	}
	service_ask_of(policy, &e->pair.v, to, &ask);
	ask.request.now = e->now;
	(void)service_ask_past(&e->pair.n, e->now, &ask.request);
	policy_ask_again(policy, &ask.request, &e->answer);
	return service_allowed(&e->answer, &e->no);
}

static void write(struct store_tx *tx, struct service_errand *e)
{
	struct verification *v = &e->pair.v;
	struct verification_leg *leg;

	service_call_id_of(v, e->call_id);
	leg = verification_add_leg(v, e->call_id, e->now);
	v->asked = (v->asked ? v->asked : (unsigned)v->legs_count - 1) + 1;
	leg->price_micro = e->answer.price_call;
	service_reserve(tx, &e->answer);
	service_own_reserve(tx, &e->own);
	store_tx_push(tx, &(struct store_push){
				  .lane = STORE_CALLS,
				  .id = leg->id,
				  .ref = v->id,
				  .not_before_ms = e->now,
				  .lease_ms = e->slot ? SERVICE_LEASE_MS : 0,
			  });
	service_pair_write(tx, e->sv, true, &e->pair);
}

/* One of another epoch, or past its end, is as good as over. */
static bool has_call(const struct service_errand *e)
{
	const struct verification *v = &e->pair.v;

	return v->epoch == atomic_load(&e->sv->epoch) &&
	       v->expires_ms > e->now &&
	       verification_may_call(v, e->now) == VERIFICATION_BUSY;
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct service_errand *e = ctx;
	int err = service_errand_read(tx, e);

	e->dials = false;
	if (err)
		return err;
	if (is_another(e)) {
		service_refuse(&e->no, "conflict", "", "it is another");
		return -EPERM;
	}
	if (e->sending && has_call(e))
		return 0;
	if (!may_call(e) || !may_ring(e) || !may_spend(e))
		return -EPERM;
	e->dials = true;
	write(tx, e);
	return 0;
}

static void called(const struct store_result *r, void *ctx)
{
	struct service_errand *e = ctx;
	struct store_lease lease = {.partition = e->partition, .fence = 1};
	struct verification v = {0};
	struct service *sv = e->sv;
	bool start = r->err == 0 && e->dials && e->slot;

	e->result = *r;
	if (start) {
		memcpy(lease.id, e->call_id, sizeof(e->call_id));
		memcpy(lease.ref, e->id, sizeof(e->id));
		v = verification_copy(&e->pair.v);
		e->slot = false;
	}
	service_errand_end(e);
	if (start)
		service_deliver(sv, &lease, &v);
}

static void run(struct service_errand *e)
{
	e->slot = service_slot_take(e->sv);
	service_errand_run(e, apply, called);
}

void service_call(struct service *sv, const struct service_who *who,
		  const char *id, service_done_h *done, void *ctx)
{
	struct service_errand *e = service_errand_new(sv, who, id, done, ctx);

	service_call_id(sv, e->call_id);
	run(e);
}

void service_call_once_more(struct service *sv,
			    const struct service_sending *req,
			    service_done_h *done, void *ctx)
{
	struct service_errand *e =
		service_errand_new(sv, req->who, req->id, done, ctx);

	e->sending = true;
	e->sends = req->sends;
	e->wish = req->wish;
	memcpy(e->call_id, req->call_id, sizeof(e->call_id));
	e->own = *req->own;
	run(e);
}
