// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_list.c - a page of records, newest first.
 *
 * One index leads, the most selective of those asked for, and what else
 * narrows is compared row by row.  When few rows match that may take long, so
 * a list works in turns: after so many rows it keeps what it found and its
 * place, and lets the other reads through.  A place is a time and a record's
 * number, which never changes, so records that come and go between two pages
 * neither repeat nor hide others.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

enum { ROWS_A_TURN = 2048 };

/* Columns of the lists' statements. */
enum { N, TIME, PARTITION, ID, OWNER, HASH, LABEL, GROUP, VALUE };

/* What was found so far. */
struct gathered {
	size_t count;
	bool more;
	struct store_place last;
	struct store_kept kept;
	struct store_record records[STORE_PAGE_MAX];
};

static enum store_sql leading(const struct store_query *q)
{
	if (q->hash)
		return SQL_LIST_HASH;
	return q->owner ? SQL_LIST_OWNER : SQL_LIST_TIME;
}

static sqlite3_stmt *bind(struct store_conn *c, const struct store_op *op,
			  int kind)
{
	const struct store_query *q = &op->of.list.query;
	struct store_place from = op->of.list.place;
	enum store_sql which = leading(q);
	sqlite3_stmt *st = store_conn_use(c, which);

	if (q->until_ms && from.time_ms >= q->until_ms)
		from = (struct store_place){q->until_ms, 0};
	(void)sqlite3_bind_int(st, 1, kind);
	(void)sqlite3_bind_int64(st, 2, from.time_ms);
	(void)sqlite3_bind_int64(st, 3, from.n);
	(void)sqlite3_bind_int64(st, 4, q->since_ms);
	if (which == SQL_LIST_HASH)
		store_conn_bind_text(st, 5, q->hash);
	else if (which == SQL_LIST_OWNER)
		store_conn_bind_text(st, 5, q->owner);
	return st;
}

static bool is(sqlite3_stmt *st, int column, const char *asked)
{
	return !asked || strcmp(store_conn_text(st, column), asked) == 0;
}

static bool matches(sqlite3_stmt *st, const struct store_query *q)
{
	return is(st, OWNER, q->owner) && is(st, HASH, q->hash) &&
	       is(st, LABEL, q->label) && is(st, GROUP, q->group);
}

static void add(struct gathered *g, sqlite3_stmt *st, const char *kind)
{
	struct store_record *r = &g->records[g->count++];
	size_t n = (size_t)sqlite3_column_bytes(st, VALUE);

	*r = (struct store_record){
		.partition = (unsigned)sqlite3_column_int(st, PARTITION),
		.kind = kind,
		.id = store_kept_text(&g->kept, store_conn_text(st, ID)),
		.time_ms = sqlite3_column_int64(st, TIME),
	};
	r->value = span_make(
		store_kept_add(&g->kept, sqlite3_column_blob(st, VALUE), n), n);
	g->last = (struct store_place){r->time_ms, sqlite3_column_int64(st, N)};
}

/* 1: more to look at; 0: the page is complete. */
static int turn(struct store_lite *s, struct store_op *op, struct gathered *g,
		int kind)
{
	struct store_conn *c = &s->reader;
	const struct store_query *q = &op->of.list.query;
	sqlite3_stmt *st = bind(c, op, kind);
	int n, rows = 0;

	while ((n = store_conn_step(c, st)) > 0) {
		if (rows++ == ROWS_A_TURN)
			break;
		if (matches(st, q) && g->count == op->count) {
			g->more = true;
			break;
		}
		if (matches(st, q))
			add(g, st, q->kind);
		op->of.list.place.time_ms = sqlite3_column_int64(st, TIME);
		op->of.list.place.n = sqlite3_column_int64(st, N);
	}
	if (n > 0)
		(void)sqlite3_reset(st);
	return n > 0 && !g->more ? 1 : n < 0 ? n : 0;
}

static void finish(struct store_op *op, int err)
{
	struct gathered *g = op->of.list.gathered;
	char next[STORE_CURSOR_BYTES];

	if (g && !err) {
		store_cursor_list(&g->last, next);
		op->done.records(0, g->records, g->count, g->more ? next : NULL,
				 op->ctx);
	} else {
		op->done.records(err, NULL, 0, NULL, op->ctx);
	}
	if (g)
		store_kept_free(&g->kept);
	free(g);
	op->of.list.gathered = NULL;
}

bool store_lite_list(struct store_lite *s, struct store_op *op)
{
	int kind, n;

	if (op->of.list.bad_cursor) {
		finish(op, -EINVAL);
		return false;
	}
	kind = store_conn_kind(&s->reader, op->of.list.query.kind);
	if (kind <= 0) {
		finish(op, kind);
		return false;
	}
	if (!op->of.list.gathered)
		op->of.list.gathered = b_zero(1, sizeof(struct gathered));
	n = turn(s, op, op->of.list.gathered, kind);
	if (n > 0)
		return true;
	finish(op, n);
	return false;
}

void store_lite_list_drop(struct store_op *op, int err)
{
	finish(op, err);
}
