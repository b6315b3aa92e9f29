// SPDX-License-Identifier: Apache-2.0
/*
 * hooks.c - the whole of them: how many at once, and when to look.
 *
 * Every event of a verification that somebody is told of has pushed its row; the
 * store says on its thread that something was committed, and the line looks at
 * the queue, once for however much happened meanwhile.
 */
#include "service/hooks.h"

#include <stdio.h>
#include <string.h>

#include "service/hook_priv.h"

void service_hooks_start(struct service *sv)
{
	sv->hooks = b_zero(1, sizeof(*sv->hooks));
	ll_init(&sv->hooks->tellings);
	sv->hooks->crowds = map_new();
}

void service_hooks_free(struct service *sv)
{
	if (sv->hooks)
		map_free(sv->hooks->crowds);
	free(sv->hooks);
	sv->hooks = NULL;
}

/* --- looking ------------------------------------------------------------------- */

static void look(void *ctx)
{
	struct service *sv = ctx;

	atomic_store(&sv->hooks->kicked, false);
	if (!atomic_load(&sv->ended))
		service_lease_hooks(sv);
	service_out_ended(sv);
}

void service_hooks_woken(struct service *sv, const char *topic)
{
	struct service_hooks *all = sv->hooks;

	if (!sv->p.outbound || !span_starts(span_of(topic), "ver_") ||
	    !atomic_load(&all->used) || atomic_exchange(&all->kicked, true))
		return;
	service_out_begin(sv);
	service_out_came_back(sv);
	loop_call(sv->p.line, look, sv);
}

static void look_now(void *ctx)
{
	service_lease_hooks(ctx);
}

void service_hooks_look_in(struct service *sv, int64_t ms)
{
	struct timer *busy = &sv->hooks->busy;

	if (!timer_is_set(busy))
		timer_set(loop_timers(sv->p.line), busy, ms, look_now, sv);
}

int service_hooks_room(struct service *sv)
{
	struct service_hooks *all = sv->hooks;
	int n = SERVICE_HOOKS_RUNNING_MAX - all->running;

	if (!sv->p.outbound)
		return 0;
	all->turned_away = n <= 0;
	if (n <= 0)
		return 0;
	if (n > SERVICE_LEASES_MAX)
		n = SERVICE_LEASES_MAX;
	all->running += n;
	return n;
}

void service_hooks_unused(struct service *sv, int n)
{
	struct service_hooks *all = sv->hooks;

	all->running -= n;
	if (n == 0 || !all->turned_away || atomic_load(&sv->ended))
		return;
	all->turned_away = false;
	service_lease_hooks(sv);
}

/* --- where to, and how often ------------------------------------------------------ */

void service_hook_url(struct service *sv, const struct hook *h,
		      char out[VERIFICATION_URL_BYTES])
{
	struct service_app a = {0};

	if (!h->url[0])
		(void)service_app_find(sv, h->application, &a);
	(void)snprintf(out, VERIFICATION_URL_BYTES, "%s",
		       h->url[0] ? h->url : a.webhook);
}

bool service_hook_wanted(struct service *sv, const struct service_create *req,
			 struct verification *v)
{
	const struct service_hook_form *form =
		service_hook_form_find(req->webhook_form);
	struct service_app a;

	v->hook = 0;
	if (!form)
		return false;
	if (!sv->p.outbound)
		return true;
	if (!v->webhook[0] &&
	    (!service_app_find(sv, req->who.application, &a) || !a.webhook[0]))
		return true;
	v->hook = service_hook_form_number(form);
	atomic_store(&sv->hooks->used, true);
	return true;
}

void service_hook_stats(const struct service *sv,
			struct service_hook_stats *out)
{
	const struct service_hooks *all = sv->hooks;

	*out = (struct service_hook_stats){
		.told = atomic_load(&all->figures.told),
		.tries = atomic_load(&all->figures.tries),
		.failed = atomic_load(&all->figures.failed),
		.asked = atomic_load(&all->figures.asked),
		.denied = atomic_load(&all->figures.denied),
		.unanswered = atomic_load(&all->figures.unanswered),
		.running = atomic_load(&all->figures.running),
	};
	for (size_t i = 0; i < SERVICE_HOOK_STATES; i++)
		out->ends[i] = atomic_load(&all->figures.ends[i]);
}
