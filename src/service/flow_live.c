// SPDX-License-Identifier: Apache-2.0
/*
 * flow_live.c - a flow is tried in real time, on the line: the page rings and a
 * person hears the draft, or one that is played takes as long as people do.
 *
 * A run like a call's, without all that makes a call count.  A trial is held by
 * nothing but the line's list; whoever wants it to end says its run's id.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "service/flow_own_priv.h"
#include "service/flow_trial_priv.h"

struct tel *service_live_page(const struct service *sv)
{
	for (size_t i = 0; i < sv->p.tels_count; i++)
		if (strcmp(tel_name(sv->p.tels[i].tel), "page") == 0)
			return sv->p.tels[i].tel;
	return NULL;
}

/* --- the end ------------------------------------------------------------------------ */

static void live_free(struct service_trial *t)
{
	struct service *sv = t->sv;

	ll_remove(&t->link);
	service_trial_stop(t);
	service_trial_end(t);
	/* parameters may be secret */
	for (size_t i = 0; i < t->owned_count; i++) {
		crypto_wipe(t->owned[i], strlen(t->owned[i]));
		free(t->owned[i]);
	}
	free(t->want);
	free(t);
	service_out_ended(sv); /* of service_live_start() */
}

static void is_over(struct service_trial *t, const struct flow_end *end)
{
	(void)end;
	live_free(t);
}

static void fails(struct service_trial *t, const char *why)
{
	service_runs_failed(t->sv, t->run_id, why);
	live_free(t);
}

/* --- the beginning ------------------------------------------------------------------- */

static void begin(void *ctx)
{
	struct service_trial *t = ctx;
	struct service *sv = t->sv;
	bool person = t->want->outcome == SERVICE_FLOW_ANSWERED;
	struct diag d = {0};
	int err;

	ll_append(&sv->own->lives, &t->link);
	if (atomic_load(&sv->draining)) {
		fails(t, "the server stops");
		return;
	}
	if (!service_runs_has(sv, t->run_id)) {
		live_free(t); /* cut before it began */
		return;
	}
	err = service_trial_start(
		t, t->want->page && person ? service_live_page(sv) : NULL, &d);
	if (err == -EAGAIN)
		fails(t, "the voices had no time for it");
	else if (err)
		fails(t, *d.message ? d.message : "it cannot begin");
}

void service_live_start(struct service_trial *t)
{
	struct service *sv = t->sv;

	t->loop = sv->p.line;
	t->over = is_over;
	ll_init(&t->link);
	service_out_begin(sv);
	loop_post(sv->p.line, &t->post, begin, t);
	service_out_came_back(sv);
}

/* --- from outside ---------------------------------------------------------------------- */

struct cut {
	struct service *sv;
	char id[SERVICE_RUN_ID_BYTES];
};

static void cut_posted(void *ctx)
{
	struct cut *c = ctx;
	struct service *sv = c->sv;

	ll_each_safe (at, &sv->own->lives) {
		struct service_trial *t =
			ll_entry(at, struct service_trial, link);

		if (strcmp(t->run_id, c->id) == 0)
			live_free(t);
	}
	free(c);
	service_out_ended(sv);
}

void service_live_cut(struct service *sv, const char *run_id)
{
	struct cut *c = b_zero(1, sizeof(*c));

	c->sv = sv;
	(void)snprintf(c->id, sizeof(c->id), "%s", run_id);
	service_out_begin(sv);
	loop_call(sv->p.line, cut_posted, c);
	service_out_came_back(sv);
}

void service_lives_stop(struct service *sv)
{
	ll_each_safe (at, &sv->own->lives) {
		struct service_trial *t =
			ll_entry(at, struct service_trial, link);

		flow_run_stop(t->run);
	}
}

void service_lives_cut(struct service *sv)
{
	if (!sv->own)
		return;
	ll_each_safe (at, &sv->own->lives)
		fails(ll_entry(at, struct service_trial, link),
		      "the server stops");
}
