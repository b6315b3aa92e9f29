// SPDX-License-Identifier: Apache-2.0
/*
 * cancel.c - the application does not want it any more.
 *
 * A call that waits is taken from the queue in the same change; one that rings
 * or talks is told afterwards, and hangs up.
 */
#include <errno.h>

#include "service/service_priv.h"

/* Calls that nobody has dialled yet will not be. */
static void drop_queued(struct store_tx *tx, struct service_errand *e)
{
	struct verification *v = &e->pair.v;

	for (size_t i = 0; i < v->legs_count; i++) {
		struct verification_leg *leg = &v->legs[i];
		const struct verification_news news = {
			.event = EVENT_ENDED,
			.leg = leg->id,
			.outcome = LEG_CANCELED,
		};

		if (leg->state != VERIFICATION_LEG_QUEUED ||
		    !verification_deliver(v, &e->pair.n, &news, e->now))
			continue;
		store_tx_ack(tx, leg->id);
		service_event(tx, v, outcome_event_text(EVENT_ENDED), leg,
			      e->now);
		service_give_back(tx, e->sv, &e->rules->rules->policy, v, leg);
	}
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct service_errand *e = ctx;
	struct verification *v = &e->pair.v;
	int err = service_errand_read(tx, e);

	if (err || v->status == STATUS_CANCELED)
		return err; /* once more is fine */
	if (!verification_cancel(v, &e->pair.n, e->now)) {
		service_refuse(&e->no, "conflict", "",
			       "this verification is over: %s",
			       outcome_status_text(v->status == STATUS_PENDING
							   ? STATUS_EXPIRED
							   : v->status));
		return -EPERM;
	}
	service_event_status(tx, v, e->now);
	drop_queued(tx, e);
	service_pair_write(tx, e->sv, true, &e->pair);
	return 0;
}

static void canceled(const struct store_result *r, void *ctx)
{
	struct service_errand *e = ctx;

	e->result = *r;
	if (r->err == 0 && service_is_calling(&e->pair.v))
		service_settle(e->sv, e->id, e->pair.v.status);
	service_errand_end(e);
}

void service_cancel(struct service *sv, const struct service_who *who,
		    const char *id, service_done_h *done, void *ctx)
{
	service_errand_run(service_errand_new(sv, who, id, done, ctx), apply,
			   canceled);
}
