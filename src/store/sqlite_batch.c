// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_batch.c - the thread that writes.
 *
 * Whatever queued while the last commit ran is the next transaction.  An
 * operation is checked whole before its first write, so one that refuses
 * leaves nothing behind and needs no savepoint; when a write itself fails, the
 * disk is full or worse, and the whole batch is undone and told so.  done runs
 * only after COMMIT, which with synchronous=FULL means after fsync.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

/* --- what is remembered ----------------------------------------------------- */

static int remember(struct store_lite *s)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, SQL_EVENT_ENDS);
	int64_t newest, gone;
	int n;

	s->holds_due = 0; /* look at the next one */
	s->writer.kinds = 0;
	n = store_conn_step(&s->writer, st);
	if (n < 0)
		return n; /* a gap in the events' numbers does no harm */
	newest = sqlite3_column_int64(st, 0);
	gone = sqlite3_column_int64(st, 1);
	(void)sqlite3_reset(st);
	s->next_seq = (newest > gone ? newest : gone) + 1;
	return 0;
}

/* A guest of this file, in another process, may have written in between. */
static int look_for_others(struct store_lite *s)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, SQL_OTHERS);
	int n = store_conn_step(&s->writer, st);
	int64_t others;

	if (n < 0)
		return n;
	others = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	if (others == s->others)
		return 0;
	s->others = others;
	return remember(s);
}

/* --- topics to tell ----------------------------------------------------------- */

static void note_topic(struct store_lite *s, const char *topic)
{
	size_t n = strlen(topic);

	if (s->batch_topics == s->topics_room) {
		s->topics_room = s->topics_room ? 2 * s->topics_room : 64;
		s->topics =
			b_grow(s->topics, s->topics_room, sizeof(*s->topics));
	}
	memcpy(s->topics[s->batch_topics++], topic, n + 1);
}

int store_lite_write_events(struct store_lite *s)
{
	struct store_conn *c = &s->writer;
	const struct store_tx *tx = &s->tx;
	int err = 0;

	for (size_t i = 0; i < tx->events && !err; i++) {
		const struct store_append *e = &tx->event[i];
		const char *const topics[] = {e->topic, e->topic2};
		sqlite3_stmt *st = store_conn_use(c, SQL_EVENT_ADD);

		(void)sqlite3_bind_int64(st, 1, s->next_seq);
		(void)sqlite3_bind_int64(st, 2, tx->now_ms);
		store_conn_bind_text(st, 3, e->topic);
		store_conn_bind_text(st, 4, e->topic2);
		store_conn_bind_text(st, 5, e->type);
		(void)sqlite3_bind_blob(st, 6, e->json.p, (int)e->json.n,
					SQLITE_STATIC);
		err = store_conn_run(c, st);
		for (size_t t = 0; t < 2 && topics[t] && !err; t++) {
			st = store_conn_use(c, SQL_TOPIC_ADD);
			store_conn_bind_text(st, 1, topics[t]);
			(void)sqlite3_bind_int64(st, 2, s->next_seq);
			err = store_conn_run(c, st);
			note_topic(s, topics[t]);
		}
		s->next_seq++;
	}
	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Under the lock, so that a watcher that was taken away is at work no more. */
static void tell_topics(struct store_lite *s)
{
	if (s->batch_topics == 0)
		return;
	qsort(s->topics, s->batch_topics, sizeof(*s->topics), by_text);
	(void)pthread_mutex_lock(&s->watch_lock);
	for (size_t i = 0; i < s->batch_topics && s->watch; i++)
		if (i == 0 || strcmp(s->topics[i], s->topics[i - 1]) != 0)
			s->watch(s->topics[i], s->watch_ctx);
	(void)pthread_mutex_unlock(&s->watch_lock);
}

/* --- one batch ------------------------------------------------------------------ */

static int run_op(struct store_lite *s, struct store_op *op)
{
	switch (op->kind) {
	case STORE_OP_CHANGE:
		return store_lite_change(s, op);
	case STORE_OP_LEASE:
		return store_lite_lease(s, op);
	case STORE_OP_RENEW:
		return store_lite_renew(s, op);
	case STORE_OP_SWEEP:
		return store_lite_sweep(s, op);
	case STORE_OP_GET:
	case STORE_OP_LIST:
	case STORE_OP_FOLLOW:
	case STORE_OP_COUNT:
		break;
	}
	abort(); /* reads have an inbox of their own */
}

static int run(struct store_lite *s, enum store_sql which)
{
	return store_conn_run(&s->writer, store_conn_use(&s->writer, which));
}

static int run_all(struct store_lite *s, const struct link *ops)
{
	int err = run(s, SQL_BEGIN);

	if (!err)
		err = look_for_others(s);
	if (err)
		return err;
	ll_each (l, ops) {
		err = run_op(s, ll_entry(l, struct store_op, link));
		if (err)
			return err;
	}
	err = store_lite_write_tallies(s);
	return err ? err : run(s, SQL_COMMIT);
}

/* Everybody in the batch hears why; what was remembered may be of the undone
 * transaction. */
static void undo(struct store_lite *s, const struct link *ops, int err)
{
	if (!sqlite3_get_autocommit(s->writer.h))
		(void)run(s, SQL_ROLLBACK);
	s->others = -1; /* remember again */
	store_lite_forget_tallies(s);
	s->batch_topics = 0;
	ll_each (l, ops) {
		struct store_op *op = ll_entry(l, struct store_op, link);

		memset(&op->result, 0, sizeof(op->result));
		op->result.err = err;
		op->leased_count = 0;
	}
}

static void finish(struct store_op *op)
{
	if (op->kind == STORE_OP_LEASE)
		op->done.leases(op->result.err, op->leased, op->leased_count,
				op->ctx);
	else
		op->done.plain(&op->result, op->ctx);
	store_op_free(op);
}

static void run_batch(struct store_lite *s, const struct link *ops,
		      size_t count)
{
	sqlite3_int64 before = sqlite3_total_changes64(s->writer.h);
	int err;

	s->batch_topics = 0;
	err = run_all(s, ops);
	if (err)
		undo(s, ops, err);
	atomic_fetch_add(&s->batches, 1);
	atomic_fetch_add(&s->operations, count);
	if (err)
		atomic_fetch_add(&s->failures, count);
	/* one that had nothing to write says nothing about the disk */
	if (err || sqlite3_total_changes64(s->writer.h) != before)
		atomic_store(&s->healthy, err == 0);
	atomic_fetch_sub(&s->waiting, count);
}

/* Moves up to a batch from the backlog. */
static size_t next_batch(struct store_lite *s, struct link *ops)
{
	size_t n = 0;

	while (n < STORE_SQL_BATCH_MAX && !ll_empty(&s->backlog)) {
		struct link *l = ll_first(&s->backlog);

		ll_remove(l);
		ll_append(ops, l);
		n++;
	}
	return n;
}

static int log_grew(void *ctx, sqlite3 *h, const char *name, int pages)
{
	struct store_lite *s = ctx;

	(void)h;
	(void)name;
	atomic_store(&s->wal_bytes,
		     (uint64_t)pages * (STORE_SQL_PAGE_BYTES + 24));
	return SQLITE_OK;
}

void *store_lite_batches(void *ctx)
{
	struct store_lite *s = ctx;

	(void)sqlite3_wal_hook(s->writer.h, log_grew, s);
	while (!ll_empty(&s->backlog) ||
	       store_inbox_take(&s->writes, &s->backlog)) {
		struct link ops;
		size_t count;

		ll_init(&ops);
		count = next_batch(s, &ops);
		run_batch(s, &ops, count);
		ll_each_safe (l, &ops)
			finish(ll_entry(l, struct store_op, link));
		tell_topics(s);
		store_lite_log_grew(s);
	}
	return NULL;
}
