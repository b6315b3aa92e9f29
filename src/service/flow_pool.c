// SPDX-License-Identifier: Apache-2.0
/*
 * flow_pool.c - threads for what may wait: a few, each with a queue that ends.
 *
 * One pool for each kind of work, so that a call does not wait for somebody's
 * large document, and neither waits for a test.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "service/flow_own_priv.h"

enum { THREADS_MAX = 2, NAME_BYTES = 16 };

static const struct {
	const char *name;
	unsigned threads;
	size_t waiting; /* at most; a call's question has the queue's size */
} kinds[SERVICE_FLOW_POOLS] = {
	[SERVICE_FLOW_DOCUMENTS] = {"flows", 1, 256},
	[SERVICE_FLOW_FINDS] = {"flow-find", 1, 16384},
	[SERVICE_FLOW_TESTING] = {"flow-test", 2, SERVICE_FLOW_TESTS_WAITING},
};

struct service_flow_threads {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct link jobs;
	size_t count;
	bool stopping;
	unsigned threads;
	pthread_t at[THREADS_MAX];
	const char *name;
	size_t waiting_max;
};

static struct service_flow_job *take(struct service_flow_threads *p)
{
	struct service_flow_job *job = NULL;

	(void)pthread_mutex_lock(&p->lock);
	while (ll_empty(&p->jobs) && !p->stopping)
		(void)pthread_cond_wait(&p->more, &p->lock);
	if (!ll_empty(&p->jobs)) {
		job = ll_entry(ll_first(&p->jobs), struct service_flow_job,
			       link);
		ll_remove(&job->link);
		p->count--;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return job;
}

static bool is_stopping(struct service_flow_threads *p)
{
	bool yes;

	(void)pthread_mutex_lock(&p->lock);
	yes = p->stopping;
	(void)pthread_mutex_unlock(&p->lock);
	return yes;
}

static void *work(void *ctx)
{
	struct service_flow_threads *p = ctx;
	struct service_flow_job *job;

	(void)pthread_setname_np(pthread_self(), p->name);
	while ((job = take(p)) != NULL)
		job->run(job, is_stopping(p));
	return NULL;
}

static void turned_away(void *ctx)
{
	struct service_flow_job *job = ctx;

	job->run(job, true);
}

void service_flow_submit(enum service_flow_pool pool, struct service *sv,
			 struct service_flow_job *job)
{
	struct service_flow_threads *p = sv->own->pools[pool];
	bool full;

	job->sv = sv;
	(void)pthread_mutex_lock(&p->lock);
	full = p->stopping || p->count >= p->waiting_max;
	if (!full) {
		ll_append(&p->jobs, &job->link);
		p->count++;
		(void)pthread_cond_signal(&p->more);
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (full)
		loop_call(sv->p.line, turned_away, job);
}

struct service_flow_threads *service_flow_threads_new(
	enum service_flow_pool kind, struct diag *d)
{
	struct service_flow_threads *p = b_zero(1, sizeof(*p));
	int err = pthread_mutex_init(&p->lock, NULL);

	if (!err)
		err = pthread_cond_init(&p->more, NULL);
	assert(!err);
	ll_init(&p->jobs);
	p->name = kinds[kind].name;
	p->waiting_max = kinds[kind].waiting;
	while (!err && p->threads < kinds[kind].threads) {
		err = pthread_create(&p->at[p->threads], NULL, work, p);
		p->threads += !err;
	}
	if (!err)
		return p;
	(void)diag_set(d, "a thread for flows cannot be started: %s",
		       strerrordesc_np(err));
	service_flow_threads_stop(p);
	service_flow_threads_free(p);
	return NULL;
}

void service_flow_threads_stop(struct service_flow_threads *p)
{
	if (!p)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stopping = true;
	(void)pthread_cond_broadcast(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
	while (p->threads > 0)
		(void)pthread_join(p->at[--p->threads], NULL);
}

void service_flow_threads_free(struct service_flow_threads *p)
{
	if (!p)
		return;
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->more);
	free(p);
}
