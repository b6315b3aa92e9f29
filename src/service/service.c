// SPDX-License-Identifier: Apache-2.0
/*
 * service.c - the whole: made, fed with rules, drained, freed.
 */
#include "service/service.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/flow_trial_priv.h"
#include "service/service_priv.h"

enum {
	MADE_UP_TTL_MS = VERIFICATION_LIFE_MS,
	MADE_UP_DIGITS = 6,
};

/* --- rules -------------------------------------------------------------------- */

static struct service_box *box_new(const struct service_rules *rules)
{
	struct service_box *box = b_zero(1, sizeof(*box));

	atomic_init(&box->refs, 1);
	box->rules = rules;
	return box;
}

struct service_box *service_rules_take(struct service *sv)
{
	struct service_box *box;

	(void)pthread_mutex_lock(&sv->rules_lock);
	box = sv->rules;
	atomic_fetch_add(&box->refs, 1);
	(void)pthread_mutex_unlock(&sv->rules_lock);
	return box;
}

void service_rules_drop(struct service_box *box)
{
	if (!box || atomic_fetch_sub(&box->refs, 1) != 1)
		return;
	if (box->released)
		box->released(box->rules, box->ctx);
	free(box);
}

void service_reload(struct service *sv, const struct service_rules *rules,
		    void (*released)(const struct service_rules *old,
				     void *ctx),
		    void *ctx)
{
	struct service_box *new = box_new(rules), *old;

	(void)pthread_mutex_lock(&sv->rules_lock);
	old = sv->rules;
	old->released = released;
	old->ctx = ctx;
	sv->rules = new;
	(void)pthread_mutex_unlock(&sv->rules_lock);
	atomic_store(&sv->retention_ms, rules->retention_ms);
	service_rules_drop(old);
	service_lease_soon(sv);
}

/* --- room for calls ----------------------------------------------------------------- */

static int slots_max(struct service *sv)
{
	struct service_box *box = service_rules_take(sv);
	int n = (int)box->rules->max_calls;

	service_rules_drop(box);
	return n;
}

int service_slots_take(struct service *sv, int n)
{
	int max = slots_max(sv), used = atomic_load(&sv->slots), got;

	do {
		got = max - used < n ? max - used : n;
		if (got <= 0 || atomic_load(&sv->draining))
			return 0;
	} while (!atomic_compare_exchange_weak(&sv->slots, &used, used + got));
	return got;
}

bool service_slot_take(struct service *sv)
{
	if (service_slots_take(sv, 1) == 1)
		return true;
	atomic_store(&sv->turned_away, true);
	return false;
}

static void look_if_drained(void *ctx);

void service_slots_drop(struct service *sv, int n)
{
	if (n == 0)
		return;
	atomic_fetch_sub(&sv->slots, n);
	if (atomic_load(&sv->ended))
		return;
	if (atomic_load(&sv->draining))
		loop_call(sv->p.line, look_if_drained, sv);
	else if (atomic_exchange(&sv->turned_away, false))
		service_lease_soon(sv);
}

/* --- operations that come back ---------------------------------------------------------- */

void service_out_begin(struct service *sv)
{
	(void)pthread_mutex_lock(&sv->out_lock);
	sv->out_store++;
	sv->out_line++;
	(void)pthread_mutex_unlock(&sv->out_lock);
}

void service_out_came_back(struct service *sv)
{
	(void)pthread_mutex_lock(&sv->out_lock);
	if (--sv->out_store == 0)
		(void)pthread_cond_signal(&sv->out_none);
	(void)pthread_mutex_unlock(&sv->out_lock);
}

void service_out_ended(struct service *sv)
{
	bool last;

	(void)pthread_mutex_lock(&sv->out_lock);
	last = --sv->out_line == 0;
	(void)pthread_mutex_unlock(&sv->out_lock);
	if (last && atomic_load(&sv->draining))
		loop_call(sv->p.line, look_if_drained, sv);
}

/* What was under way when it ended: it comes back, and does no more than that.
 * The line has stopped, so this thread turns it. */
static void wait_for_rest(struct service *sv)
{
	bool out = true;

	while (out) {
		(void)loop_turn(sv->p.line);
		(void)pthread_mutex_lock(&sv->out_lock);
		while (sv->out_store)
			(void)pthread_cond_wait(&sv->out_none, &sv->out_lock);
		out = sv->out_line > 0;
		(void)pthread_mutex_unlock(&sv->out_lock);
	}
}

/* --- making one ------------------------------------------------------------------------------ */

static void watch(const char *topic, void *ctx)
{
	struct service *sv = ctx;

	if (strcmp(topic, SERVICE_AUDIT_TOPIC) == 0)
		service_keys_changed(sv);
	else if (sv->woken)
		sv->woken(topic, sv->woken_ctx);
	service_hooks_woken(sv, topic);
}

void service_on_event(struct service *sv,
		      void (*woken)(const char *topic, void *ctx), void *ctx)
{
	sv->woken_ctx = ctx;
	sv->woken = woken;
}

/* Like a record that is pending, of a size like others, and nobody's. */
static void make_up(struct service *sv)
{
	struct verification *v = &sv->made_up;

	*v = (struct verification){
		.id = "ver_00000000000000000000000000000000",
		.application = "~",
		.key_id = "key_00000000000000000000",
		.number_hash = "00000000000000000000000000000000",
		.country = "ZZ",
		.prefix6 = "000000",
		.last4 = "0000",
		.code_length = MADE_UP_DIGITS,
		.purpose = "login",
		.flow = "speak",
		.flow_version = 1,
		.language = "en",
		.brand = "Acme",
		.ttl_ms = MADE_UP_TTL_MS,
		.wrong_max = VERIFICATION_WRONG,
		.number_sealed_n = KEYRING_SEALED_MAX / 2,
		.legs_count = 1,
		.legs = {{.id = "call_00000000000000000000000000000000",
			  .state = VERIFICATION_LEG_ANSWERED,
			  .human = true,
			  .spoken = true}},
	};
	(void)snprintf(v->ring_key, sizeof(v->ring_key), "%s",
		       keyring_maker(sv->p.ring));
	v->created_ms = clock_wall_ms(sv->p.clock);
	rng_fill(sv->p.rng, v->nonce, sizeof(v->nonce));
	v->epoch = atomic_load(&sv->epoch);
}

static void init_locks(struct service *sv)
{
	int err = pthread_mutex_init(&sv->rules_lock, NULL);

	if (!err)
		err = pthread_rwlock_init(&sv->keys_lock, NULL);
	if (!err)
		err = pthread_mutex_init(&sv->out_lock, NULL);
	if (!err)
		err = pthread_cond_init(&sv->out_none, NULL);
	if (!err)
		err = pthread_mutex_init(&sv->lines_lock, NULL);
	assert(!err);
}

static struct service *make(const struct service_params *params)
{
	struct service *sv = b_zero(1, sizeof(*sv));

	assert(params->tels_count <= SERVICE_TELS_MAX);
	init_locks(sv);
	sv->p = *params;
	if (params->tels_count)
		memcpy(sv->tels, params->tels,
		       params->tels_count * sizeof(sv->tels[0]));
	sv->p.tels = sv->tels;
	(void)snprintf(sv->node, sizeof(sv->node), "%s", params->node);
	sv->p.node = sv->node;
	sv->flows = map_new();
	sv->rules = box_new(params->rules);
	atomic_store(&sv->retention_ms, params->rules->retention_ms);
	ll_init(&sv->attempts);
	service_lines_start(sv);
	service_hooks_start(sv);
	return sv;
}

int service_new(const struct service_params *params, struct service **out,
		struct diag *d)
{
	AUTO(service) *sv = make(params);
	int err = service_flows_load(sv, d);

	if (!err)
		err = service_own_flows_start(sv, d);

	if (!err)
		err = service_meta_start(sv, d);
	if (!err)
		err = service_keys_load(sv, d);
	if (err)
		return err;
	make_up(sv);
	err = service_decoys_start(sv, d);
	if (err)
		return err;
	store_watch(sv->p.store, watch, sv);
	service_keep_start(sv);
	*out = KEEP(sv);
	return 0;
}

/* --- the end ----------------------------------------------------------------------------------- */

/* On the line, whenever something has ended. */
static void look_if_drained(void *ctx)
{
	struct service *sv = ctx;
	void (*drained)(void *) = sv->drained;
	bool out;

	/* The line's half alone: the store's may be a moment behind it, and
	 * would wake nobody.  service_free() waits for that one. */
	(void)pthread_mutex_lock(&sv->out_lock);
	out = sv->out_line > 0;
	(void)pthread_mutex_unlock(&sv->out_lock);
	if (out || atomic_load(&sv->slots) > 0 || !drained)
		return;
	sv->drained = NULL;
	timer_stop(loop_timers(sv->p.line), &sv->drain_timer);
	drained(sv->drained_ctx);
}

static void say_goodbye(void *ctx)
{
	service_attempts_stop(ctx);
	service_hooks_stop(ctx);
}

struct draining {
	struct service *sv;
	int64_t ms;
	void (*drained)(void *ctx);
	void *ctx;
};

static void drain(void *ctx)
{
	struct draining *d = ctx;
	struct service *sv = d->sv;

	sv->drained = d->drained;
	sv->drained_ctx = d->ctx;
	service_keep_stop(sv);
	service_attempts_return(sv);
	service_lives_stop(sv);
	service_hooks_drain(sv);
	timer_set(loop_timers(sv->p.line), &sv->drain_timer, d->ms, say_goodbye,
		  sv);
	free(d);
	look_if_drained(sv);
}

void service_drain(struct service *sv, int64_t ms, void (*drained)(void *ctx),
		   void *ctx)
{
	struct draining *d = b_zero(1, sizeof(*d));

	d->sv = sv;
	d->ms = ms;
	d->drained = drained;
	d->ctx = ctx;
	atomic_store(&sv->draining, true);
	loop_call(sv->p.line, drain, d);
}

void service_free(struct service *sv)
{
	if (!sv)
		return;
	atomic_store(&sv->draining, true);
	atomic_store(&sv->ended, true);
	if (sv->keys)
		store_watch(sv->p.store, NULL, NULL);
	service_keep_stop(sv);
	timer_stop(loop_timers(sv->p.line), &sv->drain_timer);
	service_own_flows_stop(sv);
	service_attempts_cut(sv);
	service_lives_cut(sv);
	service_hooks_stop(sv);
	wait_for_rest(sv);
	service_attempts_free(sv);
	service_hooks_free(sv);
	service_flows_free(sv);
	service_own_flows_free(sv);
	service_keys_free(sv);
	service_rules_drop(sv->rules);
	(void)pthread_mutex_destroy(&sv->rules_lock);
	(void)pthread_rwlock_destroy(&sv->keys_lock);
	(void)pthread_mutex_destroy(&sv->out_lock);
	(void)pthread_cond_destroy(&sv->out_none);
	(void)pthread_mutex_destroy(&sv->lines_lock);
	free(sv);
}

/* --- figures -------------------------------------------------------------------------------------- */

void service_reached(struct service *sv, const struct verification *v)
{
	atomic_fetch_add(&sv->figures.statuses[v->status], 1);
	log_info("verification.ended", "id", LOG_S(v->id), "status",
		 LOG_S(outcome_status_text(v->status)), "flow", LOG_S(v->flow),
		 "country", LOG_S(v->country), NULL);
}

static uint64_t at_least_0(int n)
{
	return n > 0 ? (uint64_t)n : 0;
}

void service_stats(struct service *sv, struct service_stats *out)
{
	struct service_figures *f = &sv->figures;
	struct store_stats store;

	store_stats(sv->p.store, &store);
	*out = (struct service_stats){
		.created = atomic_load(&f->created),
		.refused = atomic_load(&f->refused),
		.calls_now = at_least_0(atomic_load(&f->calling)),
		.queued_now = at_least_0(atomic_load(&f->waiting)),
		.timers = timers_count(loop_timers(sv->p.line)),
		.setup_ms_sum = atomic_load(&f->setup_ms_sum),
		.setup_count = atomic_load(&f->setup_count),
		.ready = store.healthy && sv->p.tels_count > 0 &&
			 speech_is_open(sv->p.speech, "en") &&
			 !atomic_load(&sv->draining),
	};
	for (size_t i = 0; i < CHECK_COUNT; i++)
		out->checks[i] = atomic_load(&f->checks[i]);
	for (size_t i = 0; i < LEG_COUNT; i++)
		out->legs[i] = atomic_load(&f->legs[i]);
	for (size_t i = 0; i < STATUS_COUNT; i++)
		out->statuses[i] = atomic_load(&f->statuses[i]);
}
