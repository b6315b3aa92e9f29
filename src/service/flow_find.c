// SPDX-License-Identifier: Apache-2.0
/*
 * flow_find.c - the flow that is to be run: in memory, or read and compiled.
 *
 * A version never changes, so what was compiled stays until there is no room
 * for it.  Which version is published does change, so that is believed for a
 * moment only; a change on this node ends the moment at once.  Nobody waits on
 * a loop: who finds nothing in memory is called again when it is there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/flow_own_priv.h"
#include "service/flow_trial_priv.h"

struct head {
	char application[VERIFICATION_APP_BYTES]; /* "": there is no flow */
	unsigned published;
	int64_t read_ms; /* monotonic */
};

/* --- references ------------------------------------------------------------------ */

struct service_flow *service_flow_new(const char *id, unsigned version,
				      struct flow *flow)
{
	struct service_flow *f = b_zero(1, sizeof(*f));

	atomic_init(&f->refs, 1);
	f->flow = flow;
	f->version = version;
	(void)snprintf(f->id, sizeof(f->id), "%s", id);
	ll_init(&f->used);
	return f;
}

struct service_flow *service_flow_ref(struct service_flow *f)
{
	atomic_fetch_add(&f->refs, 1);
	return f;
}

void service_flow_unref(struct service_flow *f)
{
	if (!f || atomic_fetch_sub(&f->refs, 1) != 1)
		return;
	flow_unref(f->flow);
	free(f->text);
	free(f);
}

/* --- memory; under the lock ------------------------------------------------------- */

static void drop_version(struct service_own_flows *own, struct service_flow *f)
{
	char key[SERVICE_FLOW_KEY_BYTES];

	service_flow_key(f->id, f->version, key);
	(void)map_remove(own->versions, key);
	ll_remove(&f->used);
	service_flow_unref(f);
}

static void keep_version(struct service_own_flows *own, struct service_flow *f)
{
	char key[SERVICE_FLOW_KEY_BYTES];
	struct service_flow *old;
	struct link *oldest;

	service_flow_key(f->id, f->version, key);
	old = map_get(own->versions, key);
	if (old)
		drop_version(own, old);
	oldest = ll_first(&own->used);
	if (oldest && map_count(own->versions) >= SERVICE_FLOW_CACHE_MAX)
		drop_version(own, ll_entry(oldest, struct service_flow, used));
	(void)map_put(own->versions, key, service_flow_ref(f));
	ll_append(&own->used, &f->used);
}

static void free_head(const char *key, void *value, void *ctx)
{
	(void)key;
	(void)ctx;
	free(value);
}

static void forget_heads(struct service_own_flows *own)
{
	map_each(own->heads, free_head, NULL);
	map_free(own->heads);
	own->heads = map_new();
}

static void keep_head(struct service_own_flows *own, const char *id,
		      const struct head *head)
{
	if (map_count(own->heads) >= SERVICE_FLOW_HEADS_MAX)
		forget_heads(own);
	free(map_put(own->heads, id, b_copy(head, sizeof(*head))));
}

static const struct head *fresh_head(const struct service *sv, const char *id)
{
	const struct head *h = map_get(sv->own->heads, id);

	if (h &&
	    clock_mono_ms(sv->p.clock) - h->read_ms >= SERVICE_FLOW_FRESH_MS)
		return NULL;
	return h;
}

/* A call that has begun asks nobody what is published. */
static bool may_run(const struct service *sv, const struct service_flow_want *w,
		    unsigned *version, int *why)
{
	const struct head *h;

	*version = w->version;
	if (w->begun)
		return true;
	h = fresh_head(sv, w->id);
	*why = h ? -ENOENT : -EAGAIN;
	if (!h || h->published == 0 || w->version > h->published ||
	    strcmp(h->application, w->application) != 0)
		return false;
	if (*version == 0)
		*version = h->published;
	return true;
}

static struct service_flow *look(struct service *sv,
				 const struct service_flow_want *w, int *why)
{
	char key[SERVICE_FLOW_KEY_BYTES];
	struct service_flow *f;
	unsigned version;

	if (!may_run(sv, w, &version, why))
		return NULL;
	service_flow_key(w->id, version, key);
	f = map_get(sv->own->versions, key);
	*why = f ? -ENOENT : -EAGAIN;
	if (!f || strcmp(f->application, w->application) != 0)
		return NULL;
	ll_remove(&f->used);
	ll_append(&sv->own->used, &f->used);
	return service_flow_ref(f);
}

struct service_flow *service_flow_take(struct service *sv,
				       const struct service_flow_want *w,
				       int *why)
{
	struct service_flow *f = map_get(sv->flows, w->id);

	*why = -ENOENT;
	if (f)
		return w->begun || w->version == 0 || w->version == f->version
			       ? service_flow_ref(f)
			       : NULL;
	if (!service_flow_is_own(w->id))
		return NULL;
	(void)pthread_mutex_lock(&sv->own->lock);
	f = look(sv, w, why);
	(void)pthread_mutex_unlock(&sv->own->lock);
	return f;
}

void service_flow_forget(struct service *sv, const char *id)
{
	struct service_own_flows *own = sv->own;

	(void)pthread_mutex_lock(&own->lock);
	own->generation++;
	free(map_remove(own->heads, id));
	(void)pthread_mutex_unlock(&own->lock);
}

/* --- reading it, on a thread of ours ------------------------------------------------- */

struct bring {
	struct service_flow_job job;
	char id[VERIFICATION_FLOW_BYTES];
	unsigned version;
	bool begun;
	service_brought_h *done;
	void *ctx;
};

static int read_head(struct service *sv, const char *id, struct head *head)
{
	struct service_own_flows *own = sv->own;
	struct service_flow_record r = {0};
	unsigned long generation;
	int err;

	(void)pthread_mutex_lock(&own->lock);
	generation = own->generation;
	(void)pthread_mutex_unlock(&own->lock);
	*head = (struct head){.read_ms = clock_mono_ms(sv->p.clock)};
	err = service_flow_load_record(sv, id, &r);
	if (err && err != -ENOENT)
		return err;
	(void)snprintf(head->application, sizeof(head->application), "%s",
		       r.application);
	head->published = r.head.published;
	(void)pthread_mutex_lock(&own->lock);
	if (generation == own->generation)
		keep_head(own, id, head);
	(void)pthread_mutex_unlock(&own->lock);
	return 0;
}

static bool is_kept(struct service *sv, const char *id, unsigned version)
{
	char key[SERVICE_FLOW_KEY_BYTES];
	bool kept;

	service_flow_key(id, version, key);
	(void)pthread_mutex_lock(&sv->own->lock);
	kept = map_get(sv->own->versions, key) != NULL;
	(void)pthread_mutex_unlock(&sv->own->lock);
	return kept;
}

static int compile(struct service *sv, const char *id, unsigned version,
		   const char *text, struct flow **out)
{
	const struct flow_world world = service_flow_world(sv);
	struct flow_findings findings = {0};
	int err = flow_load(span_of(text), &world, out, &findings);

	if (err)
		log_error("flow.not_loaded", "flow", LOG_S(id), "version",
			  LOG_I(version), "why",
			  LOG_S(findings.count ? findings.items[0].message
					       : "it is no flow"),
			  NULL);
	flow_findings_free(&findings);
	return err;
}

static int read_version(struct service *sv, const char *id, unsigned version)
{
	struct service_flow_version v;
	struct service_flow *f;
	struct flow *flow = NULL;
	char *text = NULL;
	int err;

	if (is_kept(sv, id, version))
		return 0;
	err = service_flow_load_version(sv, id, version, &v);
	if (!err)
		err = service_flow_load_text(sv, id, version, &text);
	if (!err)
		err = compile(sv, id, version, text, &flow);
	free(text);
	if (err)
		return err;
	f = service_flow_new(id, version, flow);
	(void)snprintf(f->application, sizeof(f->application), "%s",
		       v.application);
	(void)pthread_mutex_lock(&sv->own->lock);
	keep_version(sv->own, f);
	(void)pthread_mutex_unlock(&sv->own->lock);
	service_flow_unref(f);
	return 0;
}

static int bring(struct service *sv, const struct bring *b)
{
	struct head head = {.published = b->version};
	int err = b->begun ? 0 : read_head(sv, b->id, &head);

	if (err)
		return err;
	if (head.published == 0 || b->version > head.published)
		return -ENOENT;
	return read_version(sv, b->id,
			    b->version ? b->version : head.published);
}

static void run_bring(struct service_flow_job *job, bool no)
{
	struct bring *b = ll_entry(job, struct bring, job);
	int err = no ? -EAGAIN : bring(job->sv, b);

	b->done(err, b->ctx);
	free(b);
}

void service_flow_bring(struct service *sv, const struct service_flow_want *w,
			service_brought_h *done, void *ctx)
{
	struct bring *b = b_zero(1, sizeof(*b));

	(void)snprintf(b->id, sizeof(b->id), "%s", w->id);
	b->version = w->version;
	b->begun = w->begun;
	b->done = done;
	b->ctx = ctx;
	b->job.run = run_bring;
	service_flow_submit(SERVICE_FLOW_FINDS, sv, &b->job);
}

/* --- the whole ---------------------------------------------------------------------- */

int service_own_flows_start(struct service *sv, struct diag *d)
{
	struct service_own_flows *own = b_zero(1, sizeof(*own));
	int err = pthread_mutex_init(&own->lock, NULL);

	if (err) {
		free(own);
		return -err;
	}
	own->heads = map_new();
	own->versions = map_new();
	ll_init(&own->used);
	ll_init(&own->lives);
	own->runs = service_runs_new();
	sv->own = own;
	for (size_t i = 0; i < SERVICE_FLOW_POOLS; i++) {
		own->pools[i] =
			service_flow_threads_new((enum service_flow_pool)i, d);
		if (!own->pools[i])
			return -EAGAIN;
	}
	return 0;
}

void service_own_flows_stop(struct service *sv)
{
	if (!sv->own)
		return;
	for (size_t i = 0; i < SERVICE_FLOW_POOLS; i++)
		service_flow_threads_stop(sv->own->pools[i]);
}

void service_own_flows_free(struct service *sv)
{
	struct service_own_flows *own = sv->own;

	if (!own)
		return;
	for (size_t i = 0; i < SERVICE_FLOW_POOLS; i++)
		service_flow_threads_free(own->pools[i]);
	ll_each_safe (at, &own->used)
		drop_version(own, ll_entry(at, struct service_flow, used));
	map_free(own->versions);
	forget_heads(own);
	map_free(own->heads);
	service_runs_free(own->runs);
	(void)pthread_mutex_destroy(&own->lock);
	free(own);
	sv->own = NULL;
}
