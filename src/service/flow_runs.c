// SPDX-License-Identifier: Apache-2.0
/*
 * flow_runs.c - what tests of flows did and do: in memory, for a while.
 *
 * A test counts for nothing, so nothing of it is stored: its run is known to
 * the node that ran it.  What is kept was redacted by the run itself.  Those
 * that are over make room for newer ones, of their own application first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/flow_own_priv.h"
#include "service/flow_trial_priv.h"

enum {
	STEPS_MAX = FLOW_TRACE_MAX, /* bytes of one run's steps */
	PAGE_BYTES = 64 << 10,      /* of steps told in one go */
	EVENT_ROOM = 512,           /* what stands around a step */
};

struct kept {
	struct link link;
	struct service_run run;
	char application[VERIFICATION_APP_BYTES];
	struct step {
		int64_t time_ms;
		char *json;
	} * steps;
	size_t count, bytes;
	/* how it ended */
	enum outcome_leg leg;
	enum flow_end_reason reason;
	char node[FLOW_NAME_MAX + 1];
};

struct service_runs {
	pthread_mutex_t lock; /* over these: */
	struct link all;      /* the oldest first */
};

struct service_runs *service_runs_new(void)
{
	struct service_runs *runs = b_zero(1, sizeof(*runs));

	(void)pthread_mutex_init(&runs->lock, NULL);
	ll_init(&runs->all);
	return runs;
}

static void forget(struct kept *k)
{
	ll_remove(&k->link);
	for (size_t i = 0; i < k->count; i++)
		free(k->steps[i].json);
	free(k->steps);
	service_run_free(&k->run);
	free(k);
}

void service_runs_free(struct service_runs *runs)
{
	if (!runs)
		return;
	ll_each_safe (at, &runs->all)
		forget(ll_entry(at, struct kept, link));
	(void)pthread_mutex_destroy(&runs->lock);
	free(runs);
}

void service_run_free(struct service_run *r)
{
	free(r->trace);
	r->trace = NULL;
}

/* --- finding; with the lock ----------------------------------------------------- */

static struct service_runs *lock(struct service *sv)
{
	(void)pthread_mutex_lock(&sv->own->runs->lock);
	return sv->own->runs;
}

static void unlock(struct service_runs *runs)
{
	(void)pthread_mutex_unlock(&runs->lock);
}

static bool goes(const struct kept *k)
{
	return k->run.state == SERVICE_RUN_GOES;
}

static struct kept *find(struct service_runs *runs, const char *id)
{
	ll_each (at, &runs->all) {
		struct kept *k = ll_entry(at, struct kept, link);

		if (strcmp(k->run.id, id) == 0)
			return k;
	}
	return NULL;
}

static bool is_old(const struct service *sv, const struct kept *k)
{
	return !goes(k) && k->run.ended_ms + SERVICE_FLOW_RUN_KEPT_MS <=
				   clock_wall_ms(sv->p.clock);
}

static struct kept *find_theirs(struct service *sv, struct service_runs *runs,
				const struct service_run_name *name)
{
	struct kept *k = find(runs, name->id);

	return k && strcmp(k->application, name->who.application) == 0 &&
			       strcmp(k->run.flow, name->flow) == 0 &&
			       !is_old(sv, k)
		       ? k
		       : NULL;
}

/* --- making room ------------------------------------------------------------------ */

/* Of those that are over: how many, and the oldest. */
static size_t count_over(struct service_runs *runs, const char *application,
			 struct kept **oldest)
{
	size_t n = 0;

	ll_each (at, &runs->all) {
		struct kept *k = ll_entry(at, struct kept, link);

		if (goes(k) ||
		    (application && strcmp(k->application, application) != 0))
			continue;
		if (n++ == 0)
			*oldest = k;
	}
	return n;
}

static void make_room(struct service *sv, struct service_runs *runs,
		      const char *application)
{
	struct kept *oldest = NULL;

	ll_each_safe (at, &runs->all) {
		struct kept *k = ll_entry(at, struct kept, link);

		if (is_old(sv, k))
			forget(k);
	}
	while (count_over(runs, application, &oldest) >=
		       SERVICE_FLOW_RUNS_KEPT ||
	       count_over(runs, NULL, &oldest) >= SERVICE_FLOW_RUNS_ALL)
		forget(oldest);
}

static size_t count_real(const struct service_runs *runs)
{
	size_t n = 0;

	ll_each (at, &runs->all) {
		const struct kept *k = ll_entry(at, struct kept, link);

		n += goes(k) && k->run.real;
	}
	return n;
}

int service_runs_add(struct service *sv, const char *application,
		     struct service_run *r)
{
	struct service_runs *runs = lock(sv);
	struct kept *k;

	if (r->real && count_real(runs) >= SERVICE_FLOW_TESTS_WAITING) {
		unlock(runs);
		return -EAGAIN;
	}
	make_room(sv, runs, application);
	service_flow_id_make(sv, "run_", r->id);
	k = b_zero(1, sizeof(*k));
	k->run = *r;
	(void)snprintf(k->application, sizeof(k->application), "%s",
		       application);
	ll_append(&runs->all, &k->link);
	unlock(runs);
	return 0;
}

/* --- what happens to one --------------------------------------------------------------- */

static void wake(struct service *sv, const char *id)
{
	if (sv->woken)
		sv->woken(id, sv->woken_ctx);
}

static void add_step(struct kept *k, int64_t now, const char *json)
{
	size_t n = strlen(json);

	/* a trace is cut in the same way */
	if (k->count >= FLOW_STEPS_MAX || k->bytes + n > STEPS_MAX)
		return;
	k->steps = b_grow(k->steps, k->count + 1, sizeof(*k->steps));
	k->steps[k->count++] = (struct step){now, b_strdup(json)};
	k->bytes += n;
}

void service_runs_step(struct service *sv, const char *id, const char *json)
{
	struct service_runs *runs = lock(sv);
	struct kept *k = find(runs, id);

	if (k)
		add_step(k, clock_wall_ms(sv->p.clock), json);
	unlock(runs);
	wake(sv, id);
}

void service_runs_over(struct service *sv, const char *id,
		       const struct flow_end *end)
{
	struct service_runs *runs = lock(sv);
	struct kept *k = find(runs, id);

	if (k) {
		k->run.state = SERVICE_RUN_OVER;
		k->run.ended_ms = clock_wall_ms(sv->p.clock);
		k->run.trace = b_strdup(end->trace);
		k->leg = end->leg;
		k->reason = end->reason;
		(void)snprintf(k->node, sizeof(k->node), "%s",
			       end->node ? end->node : "");
	}
	unlock(runs);
	wake(sv, id);
}

static void end_failed(struct service *sv, struct kept *k, const char *why)
{
	k->run.state = SERVICE_RUN_FAILED;
	k->run.ended_ms = clock_wall_ms(sv->p.clock);
	(void)snprintf(k->run.why, sizeof(k->run.why), "%s", why);
}

void service_runs_failed(struct service *sv, const char *id, const char *why)
{
	struct service_runs *runs = lock(sv);
	struct kept *k = find(runs, id);

	if (k && goes(k))
		end_failed(sv, k, why);
	unlock(runs);
	wake(sv, id);
}

void service_runs_drop(struct service *sv, const char *id)
{
	struct service_runs *runs = lock(sv);
	struct kept *k = find(runs, id);

	if (k)
		forget(k);
	unlock(runs);
	wake(sv, id);
}

bool service_runs_has(struct service *sv, const char *id)
{
	struct service_runs *runs = lock(sv);
	bool has = find(runs, id) != NULL;

	unlock(runs);
	return has;
}

/* One of a flow, out of the list; its id.  False: there is none. */
static bool take_of_flow(struct service *sv, const char *flow,
			 char id[SERVICE_RUN_ID_BYTES], bool *went)
{
	struct service_runs *runs = lock(sv);
	struct kept *found = NULL;

	ll_each (at, &runs->all) {
		struct kept *k = ll_entry(at, struct kept, link);

		if (strcmp(k->run.flow, flow) == 0)
			found = k;
	}
	if (found) {
		memcpy(id, found->run.id, sizeof(found->run.id));
		*went = goes(found);
		forget(found);
	}
	unlock(runs);
	return found != NULL;
}

void service_runs_drop_flow(struct service *sv, const char *flow)
{
	char id[SERVICE_RUN_ID_BYTES];
	bool went = false;

	while (take_of_flow(sv, flow, id, &went)) {
		if (went)
			service_live_cut(sv, id);
		wake(sv, id);
	}
}

/* --- reading ------------------------------------------------------------------------------ */

/* What there is of a trace before its end. */
static char *trace_so_far(const struct kept *k)
{
	AUTO_BUF(b, 2UL * FLOW_TRACE_MAX);

	buf_str(&b, "{\"flow\":");
	buf_json(&b, span_of(k->run.name));
	buf_str(&b, ",\"mode\":\"test\",\"outcome\":null,\"end\":null,"
		    "\"steps\":[");
	for (size_t i = 0; i < k->count; i++)
		buf_printf(&b, "%s%s", i ? "," : "", k->steps[i].json);
	buf_str(&b, "]}");
	return buf_take(&b);
}

static void copy_out(const struct kept *k, struct service_run *out)
{
	*out = k->run;
	out->trace = k->run.trace ? b_strdup(k->run.trace) : trace_so_far(k);
}

int service_runs_copy(struct service *sv, const char *id,
		      struct service_run *out)
{
	struct service_runs *runs = lock(sv);
	const struct kept *k = find(runs, id);

	if (k)
		copy_out(k, out);
	unlock(runs);
	return k ? 0 : -ENOENT;
}

int service_run_read(struct service *sv, const struct service_run_name *name,
		     struct service_run *out)
{
	struct service_runs *runs = lock(sv);
	const struct kept *k = find_theirs(sv, runs, name);

	if (k)
		copy_out(k, out);
	unlock(runs);
	return k ? 0 : -ENOENT;
}

int service_run_remove(struct service *sv, const struct service_run_name *name,
		       struct service_run *was)
{
	struct service_runs *runs = lock(sv);
	struct kept *k = find_theirs(sv, runs, name);
	bool found = k != NULL, went = k && goes(k);

	if (went)
		end_failed(sv, k, "it was ended by a request");
	if (k) {
		copy_out(k, was);
		forget(k);
	}
	unlock(runs);
	if (went)
		service_live_cut(sv, name->id);
	if (found)
		wake(sv, name->id);
	return found ? 0 : -ENOENT;
}

/* --- its events ------------------------------------------------------------------------------ */

struct told {
	struct store_event events[STORE_PAGE_MAX];
	char *texts[STORE_PAGE_MAX];
	size_t count, bytes;
};

static void head(struct buf *b, const struct kept *k, const char *type,
		 int64_t time_ms)
{
	char when[CLOCK_TEXT_BYTES];

	clock_text(time_ms, when);
	buf_printf(b, "{\"id\":\"%s\",\"type\":\"%s\",\"time\":\"%s\"",
		   k->run.id, type, when);
	buf_printf(b, ",\"flow\":\"%s\"", k->run.flow);
	if (k->run.version)
		buf_printf(b, ",\"version\":%u", k->run.version);
	else
		buf_str(b, ",\"version\":null");
}

static void end_event(struct buf *b, const struct kept *k)
{
	head(b, k, "run.ended", k->run.ended_ms);
	if (k->run.state == SERVICE_RUN_FAILED) {
		buf_str(b, ",\"state\":\"failed\",\"why\":");
		buf_json(b, span_of(k->run.why));
	} else {
		buf_printf(b,
			   ",\"state\":\"ended\",\"outcome\":\"%s\","
			   "\"end\":{\"reason\":\"%s\",\"node\":",
			   outcome_leg_text(k->leg), flow_end_text(k->reason));
		buf_json(b, span_of(k->node));
		buf_byte(b, '}');
	}
	buf_byte(b, '}');
}

/* `at`: so many are told when this one is. */
static void tell(struct told *t, struct buf *b, const char *type, size_t at)
{
	struct store_event *e = &t->events[t->count];

	e->type = type;
	(void)snprintf(e->cursor, sizeof(e->cursor), "%zu", at);
	t->bytes += b->n;
	t->texts[t->count] = buf_take(b);
	e->json = span_of(t->texts[t->count++]);
}

static void collect(const struct kept *k, size_t at, size_t max, struct told *t)
{
	for (; at < k->count && t->count < max && t->bytes < PAGE_BYTES; at++) {
		struct buf b = {.max = STEPS_MAX + EVENT_ROOM};

		head(&b, k, "run.step", k->steps[at].time_ms);
		buf_printf(&b, ",\"step\":%s}", k->steps[at].json);
		tell(t, &b, "run.step", at + 1);
	}
	if (at == k->count && !goes(k) && t->count < max) {
		struct buf b = {.max = EVENT_ROOM + SERVICE_FLOW_RUN_WHY_BYTES +
				       FLOW_NAME_MAX};

		end_event(&b, k);
		tell(t, &b, "run.ended", at + 1);
	}
}

void service_run_events(struct service *sv, const struct service_run_name *name,
			const char *cursor, size_t max, store_events_h *done,
			void *ctx)
{
	struct told *t = b_zero(1, sizeof(*t));
	struct service_runs *runs = lock(sv);
	const struct kept *k = find_theirs(sv, runs, name);
	uint64_t at = 0;
	int err = k ? 0 : -ENOENT;

	if (!err && *cursor)
		err = span_uint(span_of(cursor), FLOW_STEPS_MAX + 1, &at);
	if (!err)
		collect(k, at, max < STORE_PAGE_MAX ? max : STORE_PAGE_MAX, t);
	unlock(runs);
	done(err, t->events, t->count, ctx);
	for (size_t i = 0; i < t->count; i++)
		free(t->texts[i]);
	free(t);
}
