// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_change.c - one change: read, apply, check, and only then write.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

/* Coarse, so that a record whose expiry moves along with each change does not
 * have its entry in that index rewritten each time. */
enum { EXPIRES_STEP_MS = 10 * 60 * 1000 };

/* The indexed columns, as bits of a mask. */
enum {
	COL_TIME = 1,
	COL_EXPIRES = 2,
	COL_OWNER = 4,
	COL_HASH = 8,
	COL_LABEL = 16,
	COL_GROUP = 32,
};

static int64_t coarse(int64_t expires_ms)
{
	if (expires_ms == 0 || expires_ms > INT64_MAX - EXPIRES_STEP_MS)
		return expires_ms;
	return (expires_ms + EXPIRES_STEP_MS - 1) / EXPIRES_STEP_MS *
	       EXPIRES_STEP_MS;
}

/* --- reading ------------------------------------------------------------------ */

static const char *keep_column(struct store_tx *tx, sqlite3_stmt *st,
			       int column)
{
	return store_tx_keep_text(tx, store_conn_text(st, column));
}

static void keep_row(struct store_tx *tx, sqlite3_stmt *st,
		     struct store_seen *out)
{
	const void *p = sqlite3_column_blob(st, 1);
	size_t n = (size_t)sqlite3_column_bytes(st, 1);

	out->there = true;
	out->n = sqlite3_column_int64(st, 0);
	out->value = span_make(store_tx_keep(tx, p, n), n);
	out->index = (struct store_index){
		.time_ms = sqlite3_column_int64(st, 2),
		.owner = keep_column(tx, st, 3),
		.hash = keep_column(tx, st, 4),
		.label = keep_column(tx, st, 5),
		.group = keep_column(tx, st, 6),
		.expires_ms = sqlite3_column_int64(st, 7),
	};
}

int store_lite_read_record(struct store_lite *s, unsigned partition,
			   const struct store_key *key, struct store_seen *out)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st;
	int n;

	out->there = false;
	out->kind = store_conn_kind(c, key->kind);
	if (out->kind <= 0)
		return out->kind;
	st = store_conn_use(c, SQL_RECORD_GET);
	(void)sqlite3_bind_int(st, 1, (int)partition);
	(void)sqlite3_bind_int(st, 2, out->kind);
	store_conn_bind_text(st, 3, key->id);
	n = store_conn_step(c, st);
	if (n <= 0)
		return n;
	keep_row(&s->tx, st, out);
	(void)sqlite3_reset(st);
	return 0;
}

/* --- writing ---------------------------------------------------------------------- */

static void bind_index(sqlite3_stmt *st, int at, const struct store_index *x)
{
	(void)sqlite3_bind_int64(st, at, x->time_ms);
	store_conn_bind_text(st, at + 1, x->owner);
	store_conn_bind_text(st, at + 2, x->hash);
	store_conn_bind_text(st, at + 3, x->label);
	store_conn_bind_text(st, at + 4, x->group);
	(void)sqlite3_bind_int64(st, at + 5, coarse(x->expires_ms));
}

static void bind_value(sqlite3_stmt *st, int at, struct span value)
{
	if (value.n)
		(void)sqlite3_bind_blob(st, at, value.p, (int)value.n,
					SQLITE_STATIC);
	else
		(void)sqlite3_bind_zeroblob(st, at, 0);
}

static int add_record(struct store_lite *s, unsigned partition,
		      const struct store_key *key,
		      const struct store_seen *seen,
		      const struct store_write *w)
{
	struct store_conn *c = &s->writer;
	int kind = seen->kind ? seen->kind : store_conn_kind_add(c, key->kind);
	sqlite3_stmt *st;

	if (kind < 0)
		return kind;
	st = store_conn_use(c, SQL_RECORD_ADD);
	(void)sqlite3_bind_int(st, 1, (int)partition);
	(void)sqlite3_bind_int(st, 2, kind);
	store_conn_bind_text(st, 3, key->id);
	bind_value(st, 4, w->value);
	bind_index(st, 5, &w->index);
	return store_conn_run(c, st);
}

static unsigned changed(const struct store_index *a,
			const struct store_index *b)
{
	unsigned mask = 0;

	if (a->time_ms != b->time_ms)
		mask |= COL_TIME;
	if (a->expires_ms != coarse(b->expires_ms))
		mask |= COL_EXPIRES;
	if (strcmp(a->owner, b->owner) != 0)
		mask |= COL_OWNER;
	if (strcmp(a->hash, b->hash) != 0)
		mask |= COL_HASH;
	if (strcmp(a->label, b->label) != 0)
		mask |= COL_LABEL;
	if (strcmp(a->group, b->group) != 0)
		mask |= COL_GROUP;
	return mask;
}

/* sqlite rewrites the entry of every index whose column a statement names, so
 * each set of columns has a statement of its own, made when first needed. */
static sqlite3_stmt *use_update(struct store_conn *c, unsigned mask)
{
	char sql[256];

	if (c->update[mask])
		return c->update[mask];
	(void)snprintf(sql, sizeof(sql),
		       "UPDATE record SET value = ?1%s%s%s%s%s%s WHERE n = ?8",
		       mask & COL_TIME ? ", time = ?2" : "",
		       mask & COL_OWNER ? ", owner = ?3" : "",
		       mask & COL_HASH ? ", hash = ?4" : "",
		       mask & COL_LABEL ? ", label = ?5" : "",
		       mask & COL_GROUP ? ", grp = ?6" : "",
		       mask & COL_EXPIRES ? ", expires = ?7" : "");
	(void)sqlite3_prepare_v3(c->h, sql, -1, SQLITE_PREPARE_PERSISTENT,
				 &c->update[mask], NULL);
	return c->update[mask];
}

static int update_record(struct store_conn *c, const struct store_seen *seen,
			 const struct store_write *w)
{
	unsigned mask = changed(&seen->index, &w->index);
	sqlite3_stmt *st = use_update(c, mask);

	bind_value(st, 1, w->value);
	if (mask)
		bind_index(st, 2, &w->index);
	(void)sqlite3_bind_int64(st, 8, seen->n);
	return store_conn_run(c, st);
}

int store_lite_write_record(struct store_lite *s, unsigned partition,
			    const struct store_key *key,
			    const struct store_seen *seen,
			    const struct store_write *w)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st;

	if (w->what == STORE_PUT)
		return seen->there ? update_record(c, seen, w)
				   : add_record(s, partition, key, seen, w);
	if (w->what == STORE_KEEP || !seen->there)
		return 0;
	st = store_conn_use(c, SQL_RECORD_DELETE);
	(void)sqlite3_bind_int64(st, 1, seen->n);
	return store_conn_run(c, st);
}

/* --- the whole ---------------------------------------------------------------------- */

static int read_keys(struct store_lite *s, const struct store_op *op)
{
	int err = 0;

	store_tx_begin(&s->tx, clock_wall_ms(s->clock), op->count);
	for (size_t i = 0; i < op->count && !err; i++)
		err = store_lite_read_record(s, op->partition,
					     &op->of.change.keys[i],
					     &s->tx.seen[i]);
	return err;
}

static int write_keys(struct store_lite *s, const struct store_op *op)
{
	int err = 0;

	for (size_t i = 0; i < op->count && !err; i++)
		err = store_lite_write_record(s, op->partition,
					      &op->of.change.keys[i],
					      &s->tx.seen[i], &s->tx.write[i]);
	return err;
}

/* Kinds are few and named in the program, so running out is a mistake there;
 * it must not fail the others in the batch. */
static bool kinds_fit(const struct store_lite *s)
{
	size_t kinds = s->writer.kinds;

	for (size_t i = 0; i < s->tx.keys; i++)
		if (s->tx.write[i].what == STORE_PUT && !s->tx.seen[i].kind)
			kinds++;
	return kinds <= STORE_SQL_KINDS_MAX;
}

/* Positive: refused. */
static int check(struct store_lite *s, const struct store_op *op,
		 struct store_sums *sums, struct store_result *r)
{
	int err = store_lite_check_moves(s, op->partition);

	sums->tallies = sums->holds = 0;
	if (err == 0 && !kinds_fit(s))
		err = E2BIG;
	if (err == 0 && s->tx.claims)
		err = store_lite_check_claims(s, sums, r);
	return err;
}

int store_lite_change(struct store_lite *s, struct store_op *op)
{
	struct store_sums sums;
	int err = read_keys(s, op);

	if (err)
		return err;
	err = op->of.change.apply(&s->tx, op->of.change.apply_ctx);
	op->result.err = s->tx.err ? s->tx.err : err;
	if (op->result.err)
		return 0;
	err = check(s, op, &sums, &op->result);
	if (err > 0)
		op->result.err = -err;
	if (err)
		return err > 0 ? 0 : err;
	err = write_keys(s, op);
	if (!err && s->tx.events)
		err = store_lite_write_events(s);
	if (!err && s->tx.claims)
		err = store_lite_write_claims(s, &sums);
	if (!err && s->tx.moves)
		err = store_lite_write_moves(s, op->partition);
	return err;
}
