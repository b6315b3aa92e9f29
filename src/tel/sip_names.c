// SPDX-License-Identifier: Apache-2.0
/*
 * sip_names.c - names are looked up here, and nowhere else.
 *
 * getaddrinfo() may block for as long as a name server is silent, so it has a
 * thread of its own and the line never waits for it.  There is one of it: each
 * trunk asks for one name at a time, and names of one machine share their
 * servers anyway.
 *
 * It cannot be interrupted either.  Who closes waits a moment; a thread that
 * has not come back by then is left to itself, tells nobody anything anymore,
 * and frees what it has when it does come back.
 */
#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "tel/sip_priv.h"

struct tsip_names {
	struct loop *loop;
	tel_sip_lookup_h *look_up;
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t told;  /* a question, the end asked for, its end */
	struct link asked, answered;
	bool ending, ended;
	bool left; /* nobody waits for the thread: it frees this */
};

struct question {
	struct link link; /* asked, then with nobody, then answered */
	struct post post;
	struct tsip_names *names;
	char host[TEL_SIP_URI_BYTES];
	sa_family_t family;
	struct sockaddr_storage found[TSIP_ADDRESSES_MAX];
	int count;
	tsip_names_h *done;
	void *ctx;
};

static void lock(struct tsip_names *n)
{
	int err = pthread_mutex_lock(&n->lock);

	assert(!err);
}

static void unlock(struct tsip_names *n)
{
	int err = pthread_mutex_unlock(&n->lock);

	assert(!err);
}

static int system_lookup(const char *host, sa_family_t family,
			 struct sockaddr_storage *out, int max, void *ctx)
{
	/* one of each address */
	const struct addrinfo want = {.ai_family = family,
				      .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	int n = 0;

	(void)ctx;
	if (getaddrinfo(host, NULL, &want, &found) != 0)
		return 0;
	for (const struct addrinfo *at = found; at && n < max;
	     at = at->ai_next) {
		if (at->ai_addrlen > sizeof(*out))
			continue;
		memset(&out[n], 0, sizeof(*out));
		memcpy(&out[n++], at->ai_addr, at->ai_addrlen);
	}
	freeaddrinfo(found);
	return n;
}

/* --- its thread ----------------------------------------------------------------- */

static void on_answer(void *ctx)
{
	struct question *q = ctx;

	lock(q->names);
	ll_remove(&q->link);
	unlock(q->names);
	q->done(q->found, q->count, q->ctx);
	free(q);
}

static void drop(struct link *questions)
{
	ll_each_safe (at, questions) {
		struct question *q = ll_entry(at, struct question, link);

		ll_remove(at);
		free(q);
	}
}

static void destroy(struct tsip_names *n)
{
	drop(&n->asked);
	(void)pthread_cond_destroy(&n->told);
	(void)pthread_mutex_destroy(&n->lock);
	free(n);
}

/* With the lock held, but for the time of the lookup. */
static void answer(struct tsip_names *n, struct question *q)
{
	ll_remove(&q->link);
	unlock(n);
	q->count = n->look_up(q->host, q->family, q->found, TSIP_ADDRESSES_MAX,
			      n->ctx);
	lock(n);
	if (n->ending) {
		free(q);
		return;
	}
	ll_append(&n->answered, &q->link);
	loop_post(n->loop, &q->post, on_answer, q);
}

static void *run(void *ctx)
{
	struct tsip_names *n = ctx;
	struct link *at;
	bool left;

	lock(n);
	while (!n->ending) {
		at = ll_first(&n->asked);
		if (at)
			answer(n, ll_entry(at, struct question, link));
		else
			(void)pthread_cond_wait(&n->told, &n->lock);
	}
	n->ended = true;
	left = n->left;
	(void)pthread_cond_broadcast(&n->told);
	unlock(n);
	if (left)
		destroy(n);
	return NULL;
}

/* Signals are for other threads. */
static int begin(struct tsip_names *n)
{
	sigset_t all, before;
	int err;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&n->thread, NULL, run, n);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/* --- the line's thread -------------------------------------------------------------- */

int tsip_names_new(struct loop *l, tel_sip_lookup_h *look_up, void *ctx,
		   struct tsip_names **out)
{
	struct tsip_names *n = b_zero(1, sizeof(*n));
	pthread_condattr_t attr;
	int err;

	n->loop = l;
	n->look_up = look_up ? look_up : system_lookup;
	n->ctx = ctx;
	ll_init(&n->asked);
	ll_init(&n->answered);
	err = pthread_mutex_init(&n->lock, NULL);
	if (!err)
		err = pthread_condattr_init(&attr);
	if (!err)
		err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (!err)
		err = pthread_cond_init(&n->told, &attr);
	assert(!err);
	(void)pthread_condattr_destroy(&attr);
	err = begin(n);
	if (err) {
		destroy(n);
		return err;
	}
	*out = n;
	return 0;
}

void tsip_names_ask(struct tsip_names *n, const char *host, sa_family_t family,
		    tsip_names_h *done, void *ctx)
{
	struct question *q = b_zero(1, sizeof(*q));
	size_t length = strlen(host);

	assert(length < sizeof(q->host));
	memcpy(q->host, host, length + 1);
	q->names = n;
	q->family = family;
	q->done = done;
	q->ctx = ctx;
	lock(n);
	ll_append(&n->asked, &q->link);
	(void)pthread_cond_broadcast(&n->told);
	unlock(n);
}

/* With the lock held. */
static void wait_for_end(struct tsip_names *n)
{
	struct timespec until;
	int err = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TSIP_NAMES_END_S;
	while (!n->ended && !err)
		err = pthread_cond_timedwait(&n->told, &n->lock, &until);
}

void tsip_names_free(struct tsip_names *n)
{
	bool ended;

	if (!n)
		return;
	lock(n);
	n->ending = true;
	(void)pthread_cond_broadcast(&n->told);
	ll_each_safe (at, &n->answered)
		loop_unpost(n->loop,
			    &ll_entry(at, struct question, link)->post);
	drop(&n->answered);
	wait_for_end(n);
	ended = n->ended;
	n->left = !ended;
	if (!ended)
		(void)pthread_detach(n->thread);
	unlock(n);
	if (ended) {
		(void)pthread_join(n->thread, NULL);
		destroy(n);
	}
}
