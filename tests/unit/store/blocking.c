// SPDX-License-Identifier: Apache-2.0
/*
 * blocking.c - submit, wait, copy.
 */
#include "unit/store/blocking.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* One operation that somebody waits for. */
struct wait {
	pthread_mutex_t lock;
	pthread_cond_t ran;
	bool done;
	struct store_result result;
	void *out; /* where a page goes */
	store_apply_h *apply;
	void *ctx;
};

static void wait_init(struct wait *w, void *out)
{
	memset(w, 0, sizeof(*w));
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->ran, NULL);
	w->out = out;
}

static void wake(struct wait *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->done = true;
	(void)pthread_cond_signal(&w->ran);
	(void)pthread_mutex_unlock(&w->lock);
}

/* `err`: what submitting said; done runs only when that is 0. */
static void wait_for(struct wait *w, int err)
{
	(void)pthread_mutex_lock(&w->lock);
	while (!err && !w->done)
		(void)pthread_cond_wait(&w->ran, &w->lock);
	(void)pthread_mutex_unlock(&w->lock);
	if (err)
		w->result.err = err;
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->ran);
}

static void plain_done(const struct store_result *r, void *ctx)
{
	struct wait *w = ctx;

	w->result = *r;
	wake(w);
}

static int apply_inner(struct store_tx *tx, void *ctx)
{
	const struct wait *w = ctx;

	return w->apply(tx, w->ctx);
}

struct store_result bl_change(struct store *st, const struct bl_change *c)
{
	struct wait w;

	wait_init(&w, NULL);
	w.apply = c->apply;
	w.ctx = c->ctx;
	wait_for(&w, store_change(st, c->partition, c->keys, c->count,
				  apply_inner, plain_done, &w));
	return w.result;
}

/* --- single records ------------------------------------------------------- */

struct put {
	const char *value; /* NULL: delete */
	const struct store_index *index;
};

static int apply_put(struct store_tx *tx, void *ctx)
{
	const struct put *p = ctx;

	if (p->value)
		store_tx_put(tx, 0, span_of(p->value), p->index);
	else
		store_tx_delete(tx, 0);
	return 0;
}

static int put(struct store *st, unsigned partition,
	       const struct store_key *key, struct put *p)
{
	return bl_change(st, &(struct bl_change){.partition = partition,
						 .keys = key,
						 .count = 1,
						 .apply = apply_put,
						 .ctx = p})
		.err;
}

int bl_put(struct store *st, unsigned partition, const char *kind,
	   const char *id, const char *value)
{
	return put(st, partition, &(struct store_key){kind, id},
		   &(struct put){.value = value});
}

int bl_put_indexed(struct store *st, const struct store_key *key,
		   const char *value, const struct store_index *index)
{
	return put(st, 0, key, &(struct put){.value = value, .index = index});
}

int bl_delete(struct store *st, unsigned partition, const char *kind,
	      const char *id)
{
	return put(st, partition, &(struct store_key){kind, id},
		   &(struct put){0});
}

static void copy_span(char *to, size_t size, struct span s)
{
	(void)snprintf(to, size, "%.*s", (int)s.n, s.n ? s.p : "");
}

static void got(int err, const struct store_record *records, size_t count,
		const char *next, void *ctx)
{
	struct wait *w = ctx;
	struct bl_text *out = w->out;

	(void)next;
	out->err = err;
	out->there = count == 1;
	if (count == 1)
		copy_span(out->text, sizeof(out->text), records[0].value);
	wake(w);
}

struct bl_text bl_get(struct store *st, unsigned partition, const char *kind,
		      const char *id)
{
	struct bl_text out = {0};
	struct wait w;
	int err;

	wait_init(&w, &out);
	err = store_get(st, partition, kind, id, got, &w);
	wait_for(&w, err);
	if (err)
		out.err = err;
	return out;
}

/* --- pages ------------------------------------------------------------------ */

static void listed(int err, const struct store_record *records, size_t count,
		   const char *next, void *ctx)
{
	struct wait *w = ctx;
	struct bl_page *out = w->out;

	out->err = err;
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(out->ids[i], sizeof(out->ids[i]), "%s",
			       records[i].id);
		copy_span(out->values[i], sizeof(out->values[i]),
			  records[i].value);
		out->times[i] = records[i].time_ms;
		out->partitions[i] = records[i].partition;
	}
	out->more = next != NULL;
	(void)snprintf(out->next, sizeof(out->next), "%s", next ? next : "");
	wake(w);
}

void bl_list(struct store *st, const struct store_query *q, struct bl_page *out)
{
	struct wait w;
	int err;

	out->count = 0;
	wait_init(&w, out);
	err = store_list(st, q, listed, &w);
	wait_for(&w, err);
	if (err)
		out->err = err;
}

static void followed(int err, const struct store_event *events, size_t count,
		     void *ctx)
{
	struct wait *w = ctx;
	struct bl_events *out = w->out;

	out->err = err;
	out->count = count;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(out->cursors[i], sizeof(out->cursors[i]), "%s",
			       events[i].cursor);
		(void)snprintf(out->types[i], sizeof(out->types[i]), "%s",
			       events[i].type);
		copy_span(out->texts[i], sizeof(out->texts[i]), events[i].json);
		out->times[i] = events[i].time_ms;
	}
	wake(w);
}

void bl_follow(struct store *st, const char *topic, const char *cursor,
	       size_t max, struct bl_events *out)
{
	struct wait w;
	int err;

	out->count = 0;
	wait_init(&w, out);
	err = store_follow(st, topic, cursor, max, followed, &w);
	wait_for(&w, err);
	if (err)
		out->err = err;
}

/* --- queue ------------------------------------------------------------------- */

static void leased(int err, const struct store_lease *leases, size_t count,
		   void *ctx)
{
	struct wait *w = ctx;
	struct bl_leases *out = w->out;

	out->err = err;
	out->count = count;
	for (size_t i = 0; i < count; i++)
		out->leases[i] = leases[i];
	wake(w);
}

void bl_lease(struct store *st, enum store_lane lane, size_t max,
	      int64_t lease_ms, struct bl_leases *out)
{
	struct wait w;
	int err;

	out->count = 0;
	wait_init(&w, out);
	err = store_lease(st, lane, max, lease_ms, leased, &w);
	wait_for(&w, err);
	if (err)
		out->err = err;
}

int bl_renew(struct store *st, const struct store_lease *lease,
	     int64_t lease_ms)
{
	struct wait w;

	wait_init(&w, NULL);
	wait_for(&w, store_renew(st, lease, lease_ms, plain_done, &w));
	return w.result.err;
}

/* --- counters ------------------------------------------------------------------ */

struct store_result bl_reserve(struct store *st, const struct store_counter *c,
			       size_t count)
{
	struct wait w;

	wait_init(&w, NULL);
	wait_for(&w, store_reserve(st, c, count, plain_done, &w));
	return w.result;
}

int bl_release(struct store *st, const struct store_counter *c, size_t count,
	       int64_t at_ms)
{
	struct wait w;

	wait_init(&w, NULL);
	wait_for(&w, store_release(st, c, count, at_ms, plain_done, &w));
	return w.result.err;
}

static void counted(int err, const int64_t *used, size_t count, void *ctx)
{
	struct wait *w = ctx;

	*(int64_t *)w->out = err || count != 1 ? err : used[0];
	wake(w);
}

int64_t bl_used(struct store *st, const struct store_counter *c)
{
	int64_t used = 0;
	struct wait w;
	int err;

	wait_init(&w, &used);
	err = store_count(st, c, 1, counted, &w);
	wait_for(&w, err);
	return err ? err : used;
}

unsigned bl_sweep(struct store *st, int64_t events_older_than_ms)
{
	unsigned total = 0;

	for (;;) {
		struct wait w;

		wait_init(&w, NULL);
		wait_for(&w,
			 store_sweep(st, events_older_than_ms, plain_done, &w));
		if (w.result.err || w.result.counter == 0)
			return total;
		total += w.result.counter;
	}
}
