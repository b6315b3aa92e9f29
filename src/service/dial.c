// SPDX-License-Identifier: Apache-2.0
/*
 * dial.c - how a call gets out: which telephone, a place on it, and another
 * way when that one was at fault (B10).
 *
 * A trunk is asked for a place before the dial is committed, so what waits
 * there waits as a call that was not made: it can still expire, be canceled, or
 * go to another node.  The place is kept until the call is closed.
 */
#include <assert.h>
#include <errno.h>

#include "service/attempt_priv.h"

enum { SIP_SERVER_FAILED = 500, SIP_SERVER_FAILED_LAST = 599 };

static unsigned bit(size_t i)
{
	return 1U << i;
}
static_assert((int)SERVICE_TELS_MAX <= 32, "a bit for each");

static struct service_line *line_of(const struct attempt *a)
{
	return service_line_of(a->sv, a->tel);
}

static void count_as(struct attempt *a, int counts)
{
	struct attempt_routes *r = &a->routes;

	if (r->counts == ATTEMPT_IN_LINE)
		atomic_fetch_sub(&line_of(a)->waiting, 1);
	else if (r->counts == ATTEMPT_ON_LINE)
		atomic_fetch_sub(&line_of(a)->calls, 1);
	r->counts = counts;
	if (counts == ATTEMPT_IN_LINE)
		atomic_fetch_add(&line_of(a)->waiting, 1);
	else if (counts == ATTEMPT_ON_LINE)
		atomic_fetch_add(&line_of(a)->calls, 1);
}

void service_attempt_leave(struct attempt *a)
{
	service_attempt_ask_no_more(a);
	count_as(a, ATTEMPT_APART);
	tel_place_drop(&a->routes.place);
}

/* --- may it? -------------------------------------------------------------------- */

static void ask_store(struct attempt *a)
{
	struct attempt_step *s = service_attempt_step(a, ATTEMPT_DIAL);

	s->done = a->routes.done;
	s->another = a->routes.again;
	a->routes.again = false;
	service_call_id(a->sv, s->call_id);
	service_attempt_write(a);
}

/* Until the last moment to dial (A2); negative: it has passed. */
static int64_t left_ms(const struct attempt *a)
{
	return verification_dial_until(&a->v) - clock_wall_ms(a->sv->p.clock);
}

static void placed(int err, void *ctx);

/* False: every trunk was asked. */
static bool seek_place(struct attempt *a)
{
	struct attempt_routes *r = &a->routes;

	for (size_t i = 0; i < r->found.count; i++) {
		if ((r->tried | r->full) & bit(i))
			continue;
		a->tel = r->found.at[i];
		r->at = i;
		count_as(a, ATTEMPT_IN_LINE);
		tel_place_take(a->tel->tel, &r->place, left_ms(a), placed, a);
		return true;
	}
	return false;
}

static void placed(int err, void *ctx)
{
	struct attempt *a = ctx;
	struct attempt_routes *r = &a->routes;

	count_as(a, ATTEMPT_APART);
	if (err == 0) {
		ask_store(a);
		return;
	}
	r->full |= bit(r->at);
	if (seek_place(a))
		return;
	r->again = false;
	a->dial_no = left_ms(a) > 0 ? -EBUSY : -ETIME;
	r->done(a->run, a->dial_no, 0);
}

static void find_routes(struct attempt *a)
{
	struct service_box *box = service_rules_take(a->sv);

	service_routes_find(a->sv, box->rules, a->number, &a->routes.found);
	service_rules_drop(box);
	a->routes.tried = 0;
}

void service_attempt_may_dial(void *ctx, struct flow_run *run,
			      flow_answer_h *done)
{
	struct attempt *a = ctx;

	(void)run;
	service_attempt_leave(a);
	a->routes.done = done;
	/* another way is no other call: it was asked for already */
	if (a->routes.again || left_ms(a) < 0 || !service_attempt_ask(a))
		service_attempt_go_on(a);
}

void service_attempt_go_on(struct attempt *a)
{
	struct attempt_routes *r = &a->routes;

	if (!r->again)
		find_routes(a);
	r->full = 0;
	a->tel = r->found.count ? r->found.at[0] : NULL;
	/* the store refuses what comes too late, and says so */
	if (!a->tel || !a->tel->trunk || left_ms(a) < 0 || !seek_place(a))
		ask_store(a);
}

/* --- the dial --------------------------------------------------------------------- */

static int dial_trunk(struct attempt *a, const struct tel_params *params,
		      struct tel_call **out)
{
	int err;

	a->routes.tried |= bit(a->routes.at);
	atomic_fetch_add(&line_of(a)->dials, 1);
	err = tel_dial(a->tel->tel, params, out);
	if (!err)
		count_as(a, ATTEMPT_ON_LINE);
	return err;
}

/* What serves a number by itself stands in for its like. */
static int dial_any(struct attempt *a, const struct tel_params *params,
		    struct tel_call **out)
{
	const struct service_routes *found = &a->routes.found;
	int err = -EHOSTUNREACH;

	for (size_t i = 0; err && i < found->count; i++) {
		a->tel = found->at[i];
		err = tel_dial(a->tel->tel, params, out);
	}
	return err;
}

int service_attempt_dial(void *ctx, const struct tel_params *params,
			 const char *route, struct tel_call **out)
{
	struct attempt *a = ctx;
	struct tel_params p = *params;

	(void)route; /* the one that was committed, or what stands in for it */
	p.call_id = a->lease.id;
	p.trace = a->v.trace;
	if (!a->tel)
		return -EHOSTUNREACH;
	return a->tel->trunk ? dial_trunk(a, &p, out) : dial_any(a, &p, out);
}

/* --- another way ------------------------------------------------------------------- */

static bool by_fault(const struct flow_news *how)
{
	bool server = how->sip_code >= SIP_SERVER_FAILED &&
		      how->sip_code <= SIP_SERVER_FAILED_LAST;

	if (how->cause != TEL_REFUSED && how->cause != TEL_UNREACHABLE)
		return false;
	return server || !how->rang; /* who rang was reached */
}

static bool has_another(const struct attempt *a)
{
	const struct attempt_routes *r = &a->routes;

	for (size_t i = 0; i < r->found.count; i++)
		if (!(r->tried & bit(i)) &&
		    tel_state(r->found.at[i]->tel) == TEL_UP)
			return true;
	return false;
}

bool service_attempt_another(void *ctx, const struct flow_news *how)
{
	struct attempt *a = ctx;
	struct attempt_routes *r = &a->routes;
	enum outcome_again again;

	if (!a->tel || !a->tel->trunk || !by_fault(how))
		return false;
	again = outcome_another_route(how->sip_code, how->q850);
	if (again == OUTCOME_STAYS)
		return false;
	atomic_fetch_add(&line_of(a)->faults, 1);
	if ((again == OUTCOME_ONCE && r->once) || !has_another(a) ||
	    a->v.legs_count == VERIFICATION_LEGS_MAX)
		return false;
	if (again == OUTCOME_ONCE)
		r->once = true;
	r->again = true;
	return true;
}
