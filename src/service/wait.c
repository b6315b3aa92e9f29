// SPDX-License-Identifier: Apache-2.0
/*
 * wait.c - the store's operations, waited for: at start-up, and by commands.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "service/service_priv.h"

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool done;
	int err;
	store_apply_h *apply;
	void *ctx;
	/* records */
	struct service_found *found;
	size_t count;
	char next[STORE_CURSOR_BYTES];
};

static void wait_init(struct waiting *w)
{
	int err = pthread_mutex_init(&w->lock, NULL);

	if (!err)
		err = pthread_cond_init(&w->come, NULL);
	assert(!err);
}

static int wait_for(struct waiting *w)
{
	(void)pthread_mutex_lock(&w->lock);
	while (!w->done)
		(void)pthread_cond_wait(&w->come, &w->lock);
	(void)pthread_mutex_unlock(&w->lock);
	return w->err;
}

static void come(struct waiting *w, int err)
{
	(void)pthread_mutex_lock(&w->lock);
	w->err = err;
	w->done = true;
	(void)pthread_cond_signal(&w->come);
	(void)pthread_mutex_unlock(&w->lock);
}

static void wait_end(struct waiting *w)
{
	(void)pthread_cond_destroy(&w->come);
	(void)pthread_mutex_destroy(&w->lock);
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct waiting *w = ctx;

	return w->apply(tx, w->ctx);
}

static void changed(const struct store_result *r, void *ctx)
{
	come(ctx, r->err);
}

int service_wait_change(struct store *st, unsigned partition,
			const struct store_key *keys, size_t count,
			store_apply_h *change, void *ctx)
{
	struct waiting w = {.apply = change, .ctx = ctx};
	int err;

	wait_init(&w);
	err = store_change(st, partition, keys, count, apply, changed, &w);
	if (!err)
		err = wait_for(&w);
	wait_end(&w);
	return err;
}

static void keep(struct waiting *w, const struct store_record *r)
{
	struct service_found *f;

	w->found = b_grow(w->found, w->count + 1, sizeof(*w->found));
	f = &w->found[w->count++];
	f->partition = r->partition;
	f->id = b_strdup(r->id);
	f->bytes = b_copy(r->value.p, r->value.n);
	f->value = span_make(f->bytes, r->value.n);
}

static void listed(int err, const struct store_record *records, size_t count,
		   const char *next, void *ctx)
{
	struct waiting *w = ctx;

	for (size_t i = 0; !err && i < count; i++)
		keep(w, &records[i]);
	w->next[0] = '\0';
	if (!err && next && strlen(next) < sizeof(w->next))
		memcpy(w->next, next, strlen(next) + 1);
	come(w, err);
}

static int give(struct waiting *w, int err, struct service_found **out,
		size_t *count)
{
	wait_end(w);
	if (err) {
		service_found_free(w->found, w->count);
		return err;
	}
	*out = w->found;
	*count = w->count;
	return 0;
}

int service_wait_list(struct store *st, const struct store_query *q,
		      struct service_found **out, size_t *count)
{
	struct store_query page = *q;
	struct waiting w = {0};
	int err;

	wait_init(&w);
	page.limit = STORE_PAGE_MAX;
	do {
		char cursor[STORE_CURSOR_BYTES];

		memcpy(cursor, w.next, sizeof(cursor));
		page.cursor = cursor[0] ? cursor : NULL;
		w.done = false;
		err = store_list(st, &page, listed, &w);
		if (!err)
			err = wait_for(&w);
	} while (!err && w.next[0]);
	return give(&w, err, out, count);
}

int service_wait_page(struct store *st, const struct store_query *q,
		      char next[STORE_CURSOR_BYTES], struct service_found **out,
		      size_t *count)
{
	struct waiting w = {0};
	int err;

	wait_init(&w);
	err = store_list(st, q, listed, &w);
	if (!err)
		err = wait_for(&w);
	memcpy(next, w.next, STORE_CURSOR_BYTES);
	return give(&w, err, out, count);
}

int service_wait_get(struct store *st, unsigned partition, const char *kind,
		     const char *id, struct service_found **out, size_t *count)
{
	struct waiting w = {0};
	int err;

	wait_init(&w);
	err = store_get(st, partition, kind, id, listed, &w);
	if (!err)
		err = wait_for(&w);
	return give(&w, err, out, count);
}

void service_found_free(struct service_found *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(f[i].id);
		free(f[i].bytes);
	}
	free(f);
}
