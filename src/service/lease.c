// SPDX-License-Identifier: Apache-2.0
/*
 * lease.c - take from the queue what is due: calls while there is room, and
 * what has to expire.
 *
 * A create with room leases its own call, so what is found here was left by a
 * node that had none, or that went away, or rests until its time.
 */
#include <string.h>

#include "base/log.h"
#include "service/service_priv.h"

struct round {
	struct service *sv;
	enum store_lane lane;
	size_t asked, count;
	struct store_lease *leases;
	struct post post;
};

static void ask(struct service *sv, enum store_lane lane);

static void take(struct service *sv, enum store_lane lane,
		 const struct store_lease *lease)
{
	switch (lane) {
	case STORE_CALLS:
		service_deliver(sv, lease, NULL);
		break;
	case STORE_TIMERS:
		service_expire(sv, lease);
		break;
	case STORE_HOOKS:
		service_hooks_tell(sv, lease);
		break;
	case STORE_LANES:
		break;
	}
}

static void give_room_back(struct service *sv, enum store_lane lane, int n)
{
	if (lane == STORE_CALLS)
		service_slots_drop(sv, n);
	else if (lane == STORE_HOOKS)
		service_hooks_unused(sv, n);
}

static void came_back(void *ctx)
{
	struct round *r = ctx;
	struct service *sv = r->sv;
	bool more = r->count == r->asked;

	sv->leasing[r->lane] = false;
	more |= sv->lease_again[r->lane];
	sv->lease_again[r->lane] = false;
	give_room_back(sv, r->lane, (int)(r->asked - r->count));
	for (size_t i = 0; i < r->count; i++)
		take(sv, r->lane, &r->leases[i]);
	if (more)
		ask(sv, r->lane);
	free(r->leases);
	free(r);
	service_out_ended(sv);
}

static void leased(int err, const struct store_lease *leases, size_t count,
		   void *ctx)
{
	struct round *r = ctx;
	struct service *sv = r->sv;

	if (!err && count) {
		r->leases = b_copy(leases, count * sizeof(*leases));
		r->count = count;
	}
	loop_post(sv->p.line, &r->post, came_back, r);
	service_out_came_back(sv);
}

/* The slots are taken before it is asked, so that creates do not fill them
 * meanwhile. */
static size_t room(struct service *sv, enum store_lane lane)
{
	int n = SERVICE_LEASES_MAX;

	if (lane == STORE_CALLS)
		n = service_slots_take(sv, n);
	else if (lane == STORE_HOOKS)
		n = service_hooks_room(sv);
	return (size_t)n;
}

static void ask(struct service *sv, enum store_lane lane)
{
	struct round *r;
	size_t n;

	if (atomic_load(&sv->draining))
		return;
	if (sv->leasing[lane]) {
		sv->lease_again[lane] = lane == STORE_HOOKS;
		return;
	}
	n = room(sv, lane);
	if (n == 0)
		return;
	r = b_zero(1, sizeof(*r));
	r->sv = sv;
	r->lane = lane;
	r->asked = n;
	sv->leasing[lane] = true;
	service_out_begin(sv);
	if (store_lease(sv->p.store, lane, n,
			lane == STORE_HOOKS ? SERVICE_HOOK_LEASE_MS
					    : SERVICE_LEASE_MS,
			leased, r) != 0)
		leased(-1, NULL, 0, r);
}

void service_lease_round(struct service *sv)
{
	ask(sv, STORE_CALLS);
	ask(sv, STORE_TIMERS);
	ask(sv, STORE_HOOKS);
}

void service_lease_hooks(struct service *sv)
{
	ask(sv, STORE_HOOKS);
}

static void ask_calls(void *ctx)
{
	struct service *sv = ctx;

	ask(sv, STORE_CALLS);
	service_out_ended(sv);
}

void service_lease_soon(struct service *sv)
{
	service_out_begin(sv);
	service_out_came_back(sv);
	loop_call(sv->p.line, ask_calls, sv);
}
