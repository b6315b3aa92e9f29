// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_read.c - the thread that reads.
 *
 * What queued is read in one snapshot, taken after it was taken from the
 * inbox: so a read sees every change whose done ran before it was asked for.
 * Snapshots are kept short, because the log cannot begin again under one; a
 * list that has far to go continues in the next.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

/* --- copies ------------------------------------------------------------------- */

void *store_kept_add(struct store_kept *k, const void *p, size_t n)
{
	return k->p[k->count++] = b_copy(p, n);
}

const char *store_kept_text(struct store_kept *k, const char *s)
{
	return store_kept_add(k, s, strlen(s) + 1);
}

void store_kept_free(struct store_kept *k)
{
	for (size_t i = 0; i < k->count; i++)
		free(k->p[i]);
	k->count = 0;
}

/* --- one record -------------------------------------------------------------- */

static int get(struct store_lite *s, const struct store_op *op,
	       sqlite3_stmt **row)
{
	struct store_conn *c = &s->reader;
	const struct store_key *key = &op->of.change.keys[0];
	int kind = store_conn_kind(c, key->kind);
	sqlite3_stmt *st;

	if (kind <= 0)
		return kind;
	st = store_conn_use(c, SQL_RECORD_GET);
	(void)sqlite3_bind_int(st, 1, (int)op->partition);
	(void)sqlite3_bind_int(st, 2, kind);
	store_conn_bind_text(st, 3, key->id);
	*row = st;
	return store_conn_step(c, st);
}

static void run_get(struct store_lite *s, struct store_op *op)
{
	const struct store_key *key = &op->of.change.keys[0];
	struct store_record r = {
		.partition = op->partition, .kind = key->kind, .id = key->id};
	sqlite3_stmt *st = NULL;
	int n = get(s, op, &st);

	if (n <= 0) {
		op->done.records(n, NULL, 0, NULL, op->ctx);
		return;
	}
	r.time_ms = sqlite3_column_int64(st, 2);
	r.value = span_make(sqlite3_column_blob(st, 1),
			    (size_t)sqlite3_column_bytes(st, 1));
	op->done.records(0, &r, 1, NULL, op->ctx);
	(void)sqlite3_reset(st);
}

/* --- events ------------------------------------------------------------------- */

struct page {
	struct store_kept kept;
	size_t count;
	struct store_event events[STORE_PAGE_MAX];
};

static void add_event(struct page *p, sqlite3_stmt *st)
{
	struct store_event *e = &p->events[p->count++];
	size_t n = (size_t)sqlite3_column_bytes(st, 3);

	store_cursor_event(sqlite3_column_int64(st, 0), e->cursor);
	e->time_ms = sqlite3_column_int64(st, 1);
	e->type = store_kept_text(&p->kept, store_conn_text(st, 2));
	e->json = span_make(
		store_kept_add(&p->kept, sqlite3_column_blob(st, 3), n), n);
}

/* The newest there was, and the newest that is gone. */
static int find_ends(struct store_lite *s, int64_t *newest, int64_t *gone)
{
	struct store_conn *c = &s->reader;
	sqlite3_stmt *st = store_conn_use(c, SQL_EVENT_ENDS);
	int n = store_conn_step(c, st);

	if (n < 0)
		return n;
	*newest = sqlite3_column_int64(st, 0);
	*gone = sqlite3_column_int64(st, 1);
	if (*newest < *gone)
		*newest = *gone;
	(void)sqlite3_reset(st);
	return 0;
}

/* -ERANGE, -EINVAL: what the cursor deserves. */
static int check_place(struct store_lite *s, const struct store_op *op)
{
	int64_t behind = op->of.follow.behind, newest, gone;
	int err;

	if (op->of.follow.bad_cursor)
		return -EINVAL;
	if (behind < 0)
		return 0; /* from the oldest kept */
	err = find_ends(s, &newest, &gone);
	if (err)
		return err;
	if (behind < gone)
		return -ERANGE;
	return behind > newest ? -EINVAL : 0;
}

/* The one entry that says where the events end now. */
static int mark_end(struct store_lite *s, struct page *p)
{
	int64_t newest, gone;
	int err = find_ends(s, &newest, &gone);

	if (err)
		return err;
	p->events[0] = (struct store_event){.type = "", .json = span_of("")};
	store_cursor_event(newest, p->events[0].cursor);
	p->count = 1;
	return 0;
}

static int gather_events(struct store_lite *s, const struct store_op *op,
			 struct page *p)
{
	struct store_conn *c = &s->reader;
	sqlite3_stmt *st = store_conn_use(c, SQL_EVENT_FOLLOW);
	int n;

	store_conn_bind_text(st, 1, op->of.follow.topic);
	(void)sqlite3_bind_int64(st, 2, op->of.follow.behind);
	(void)sqlite3_bind_int64(st, 3, (int64_t)op->count);
	while ((n = store_conn_step(c, st)) > 0)
		add_event(p, st);
	return n;
}

static void run_follow(struct store_lite *s, struct store_op *op)
{
	struct page *p = b_zero(1, sizeof(*p));
	int err = check_place(s, op);

	if (!err)
		err = op->of.follow.at_end ? mark_end(s, p)
					   : gather_events(s, op, p);
	op->done.events(err, p->events, err ? 0 : p->count, op->ctx);
	store_kept_free(&p->kept);
	free(p);
}

/* --- counters ------------------------------------------------------------------- */

static int count_hold(struct store_lite *s, const struct store_counter *k,
		      int64_t now_ms, int64_t *used)
{
	struct store_conn *c = &s->reader;
	sqlite3_stmt *st = store_conn_use(c, SQL_HOLD_SUM);
	int n;

	store_conn_bind_text(st, 1, k->name);
	(void)sqlite3_bind_int64(st, 2, now_ms);
	n = store_conn_step(c, st);
	if (n <= 0)
		return n;
	*used = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return 0;
}

static int count_window(struct store_lite *s, const struct store_counter *k,
			int64_t now_ms, int64_t *used)
{
	struct store_conn *c = &s->reader;
	sqlite3_stmt *st = store_conn_use(c, SQL_COUNTER_GET);
	int64_t ends_ms = store_window_end(now_ms, k->window_ms);
	const struct store_window *w;
	struct store_tally t;
	int n, err;

	(void)sqlite3_bind_int64(st, 1, store_tally_end(ends_ms, k->window_ms));
	store_conn_bind_text(st, 2, k->name);
	n = store_conn_step(c, st);
	if (n <= 0)
		return n;
	err = store_tally_parse(&t, span_of(store_conn_text(st, 0)));
	(void)sqlite3_reset(st);
	w = err ? NULL : store_tally_find(&t, k->window_ms, ends_ms);
	if (w)
		*used = w->used;
	return err;
}

static void run_count(struct store_lite *s, struct store_op *op)
{
	int64_t used[STORE_COUNTERS_MAX] = {0};
	int64_t now_ms = clock_wall_ms(s->clock);
	int err = 0;

	for (size_t i = 0; i < op->counter_count && !err; i++)
		err = op->counters[i].window_ms
			      ? count_window(s, &op->counters[i], now_ms,
					     &used[i])
			      : count_hold(s, &op->counters[i], now_ms,
					   &used[i]);
	op->done.counts(err, used, err ? 0 : op->counter_count, op->ctx);
}

/* --- the thread -------------------------------------------------------------------- */

/* True: it goes on in the next snapshot. */
static bool run_op(struct store_lite *s, struct store_op *op)
{
	switch (op->kind) {
	case STORE_OP_GET:
		run_get(s, op);
		return false;
	case STORE_OP_FOLLOW:
		run_follow(s, op);
		return false;
	case STORE_OP_COUNT:
		run_count(s, op);
		return false;
	case STORE_OP_LIST:
		return store_lite_list(s, op);
	case STORE_OP_CHANGE:
	case STORE_OP_LEASE:
	case STORE_OP_RENEW:
	case STORE_OP_SWEEP:
		break;
	}
	abort(); /* changes have an inbox of their own */
}

/* No snapshot could be taken. */
static void refuse(struct store_op *op, int err)
{
	if (op->kind == STORE_OP_FOLLOW)
		op->done.events(err, NULL, 0, op->ctx);
	else if (op->kind == STORE_OP_COUNT)
		op->done.counts(err, NULL, 0, op->ctx);
	else if (op->kind == STORE_OP_LIST)
		store_lite_list_drop(op, err);
	else
		op->done.records(err, NULL, 0, NULL, op->ctx);
}

static int run(struct store_lite *s, enum store_sql which)
{
	return store_conn_run(&s->reader, store_conn_use(&s->reader, which));
}

static void run_snapshot(struct store_lite *s, struct link *backlog)
{
	struct link ops;
	size_t n = 0;
	int err;

	ll_init(&ops);
	while (n++ < STORE_SQL_READS_MAX && !ll_empty(backlog)) {
		struct link *l = ll_first(backlog);

		ll_remove(l);
		ll_append(&ops, l);
	}
	store_ckpt_let_by(&s->ckpt);
	err = run(s, SQL_SNAPSHOT);
	ll_each_safe (l, &ops) {
		struct store_op *op = ll_entry(l, struct store_op, link);

		ll_remove(l);
		if (!err && run_op(s, op)) {
			ll_append(backlog, l);
			continue;
		}
		if (err)
			refuse(op, err);
		store_op_free(op);
		atomic_fetch_sub(&s->waiting, 1);
	}
	if (!sqlite3_get_autocommit(s->reader.h))
		(void)run(s, SQL_COMMIT);
	if (!sqlite3_get_autocommit(s->reader.h))
		(void)run(s, SQL_ROLLBACK);
}

void *store_lite_reads(void *ctx)
{
	struct store_lite *s = ctx;
	struct link backlog;

	ll_init(&backlog);
	while (!ll_empty(&backlog) || store_inbox_take(&s->reads, &backlog))
		run_snapshot(s, &backlog);
	return NULL;
}
