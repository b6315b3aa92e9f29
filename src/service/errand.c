// SPDX-License-Identifier: Apache-2.0
/*
 * errand.c - what is done to one's own verification by its id.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

struct service_errand *service_errand_new(struct service *sv,
					  const struct service_who *who,
					  const char *id, service_done_h *done,
					  void *ctx)
{
	struct service_errand *e = b_zero(1, sizeof(*e));

	e->sv = sv;
	e->rules = service_rules_take(sv);
	e->done = done;
	e->ctx = ctx;
	memcpy(e->application, who->application, sizeof(e->application));
	(void)snprintf(e->id, sizeof(e->id), "%s", id ? id : "");
	return e;
}

static void end_on_line(void *ctx)
{
	service_errand_end(ctx);
}

void service_errand_run(struct service_errand *e, store_apply_h *apply,
			store_done_h *done)
{
	struct service_place place;
	const struct store_key keys[] = {
		[SERVICE_AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION, e->id},
		[SERVICE_AT_NUMBER] = {SERVICE_KIND_NUMBER, place.number_key},
		[SERVICE_AT_PHONE] = {SERVICE_KIND_PHONE, place.phone_key},
	};
	int err = -ENOENT;

	service_place_find(e->sv->p.ring, e->application, e->id, &place);
	e->partition = place.partition;
	if (place.well_formed)
		err = store_change(e->sv->p.store, place.partition, keys,
				   COUNT_OF(keys), apply, done, e);
	if (err) {
		e->result.err = err;
		loop_call(e->sv->p.line, end_on_line, e);
	}
}

int service_errand_read(const struct store_tx *tx, struct service_errand *e)
{
	int err = service_pair_read(tx, true, &e->pair);

	e->now = store_tx_now(tx);
	if (err)
		return err;
	if (!e->pair.found ||
	    strcmp(e->pair.v.application, e->application) != 0)
		return -ENOENT;
	return 0;
}

void service_errand_end(struct service_errand *e)
{
	int err = e->result.err;
	struct service_opened o;

	if (err == -ENOENT)
		service_refuse(&e->no, "not_found", "",
			       "there is no such verification");
	else if (err == -EDQUOT)
		service_refuse_counter(&e->no, &e->answer, &e->own, &e->result);
	else if (err && err != -EPERM)
		service_refuse_store(&e->no, err);
	if (err) {
		e->done(&e->no, NULL, e->ctx);
	} else {
		service_view_open(e->sv, &e->pair.v, e->now, &o);
		e->done(NULL, &o.view, e->ctx);
	}
	if (e->slot)
		service_slots_drop(e->sv, 1);
	service_rules_drop(e->rules);
	service_pair_free(&e->pair);
	free(e);
}
