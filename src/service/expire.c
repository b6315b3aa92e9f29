// SPDX-License-Identifier: Apache-2.0
/*
 * expire.c - what nobody finished in time.
 *
 * A timer is a thing in the store's queue, so it survives the process and any
 * node may serve it.  It may come too early, because an answer moves the end
 * (A2): then it is set again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

struct expiry {
	struct service *sv;
	struct store_lease lease;
	struct service_box *rules;
	struct service_pair pair;
	bool expired, calling;
	char id[VERIFICATION_ID_BYTES];
};

/* The ref names the application as well: with the id it leads to both records
 * of the change. */
void service_timer_push(struct store_tx *tx, const struct verification *v)
{
	char ref[STORE_ID_MAX + 1];

	(void)snprintf(ref, sizeof(ref), "%s %s", v->id, v->application);
	store_tx_push(tx, &(struct store_push){
				  .lane = STORE_TIMERS,
				  .id = v->id,
				  .ref = ref,
				  .not_before_ms = v->expires_ms,
			  });
}

/* A call that still waits will not be made any more. */
static void drop_queued(struct store_tx *tx, struct expiry *x, int64_t now)
{
	struct verification *v = &x->pair.v;

	for (size_t i = 0; i < v->legs_count; i++) {
		struct verification_leg *leg = &v->legs[i];
		const struct verification_news news = {
			.event = EVENT_ENDED,
			.leg = leg->id,
			.outcome = LEG_EXPIRED,
		};

		if (leg->state != VERIFICATION_LEG_QUEUED ||
		    !verification_deliver(v, &x->pair.n, &news, now))
			continue;
		store_tx_ack(tx, leg->id);
		service_event(tx, v, outcome_event_text(EVENT_ENDED), leg, now);
		service_give_back(tx, x->sv, &x->rules->rules->policy, v, leg);
	}
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct expiry *x = ctx;
	struct verification *v = &x->pair.v;
	int64_t now = store_tx_now(tx);
	int err = service_pair_read(tx, true, &x->pair);

	if (err)
		return err;
	x->expired = x->calling = false;
	store_tx_fence(tx, x->lease.id, x->lease.fence);
	if (!x->pair.found || v->status != STATUS_PENDING) {
		store_tx_ack(tx, x->lease.id);
		return 0;
	}
	if (!verification_expire(v, &x->pair.n, now)) {
		service_timer_push(tx, v);
		return 0;
	}
	x->expired = true;
	service_event_status(tx, v, now);
	drop_queued(tx, x, now);
	x->calling = service_is_calling(v);
	service_pair_write(tx, x->sv, true, &x->pair);
	return 0;
}

/* On any error: the lease runs out, and it comes again. */
static void done(const struct store_result *r, void *ctx)
{
	struct expiry *x = ctx;
	struct service *sv = x->sv;

	if (r->err == 0 && x->expired) {
		service_reached(sv, &x->pair.v);
		if (x->calling)
			service_settle(sv, x->id, STATUS_EXPIRED);
	}
	service_pair_free(&x->pair);
	service_rules_drop(x->rules);
	free(x);
	service_out_came_back(sv);
}

void service_expire(struct service *sv, const struct store_lease *lease)
{
	struct expiry *x = b_zero(1, sizeof(*x));
	struct span rest = span_of(lease->ref), id;
	struct service_place place;
	const struct store_key keys[] = {
		[SERVICE_AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION, x->id},
		[SERVICE_AT_NUMBER] = {SERVICE_KIND_NUMBER, place.number_key},
		[SERVICE_AT_PHONE] = {SERVICE_KIND_PHONE, place.phone_key},
	};
	int err;

	x->sv = sv;
	x->lease = *lease;
	x->rules = service_rules_take(sv);
	(void)span_cut(&rest, ' ', &id);
	(void)snprintf(x->id, sizeof(x->id), "%.*s", (int)id.n, id.p);
	service_place_find(sv->p.ring, rest.p ? rest.p : "", x->id, &place);
	service_out_begin(sv);
	err = store_change(sv->p.store, lease->partition, keys, COUNT_OF(keys),
			   apply, done, x);
	if (err)
		done(&(struct store_result){.err = err}, x);
	service_out_ended(sv); /* nothing of it comes to the line */
}
