// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_queue.c - things that wait to be done by one node at a time.
 *
 * `due` is when a thing may next be leased: the end of its rest, or of the
 * lease that it is under.  The fence only ever grows with the thing, so a node
 * that lost its lease without noticing cannot write any more once another one
 * took it; a lease that merely ran out still holds until somebody does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

static int64_t later(int64_t now_ms, int64_t by_ms)
{
	return by_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + by_ms;
}

static sqlite3_stmt *use(struct store_lite *s, enum store_sql which,
			 unsigned partition, const char *id)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, which);

	(void)sqlite3_bind_int(st, 1, (int)partition);
	store_conn_bind_text(st, 2, id);
	return st;
}

static int run(struct store_lite *s, sqlite3_stmt *st)
{
	return store_conn_run(&s->writer, st);
}

/* 1: it is there; its fence, and whether somebody leased it. */
static int look(struct store_lite *s, unsigned partition, const char *id,
		uint64_t *fence, bool *leased)
{
	sqlite3_stmt *st = use(s, SQL_QUEUE_GET, partition, id);
	int n = store_conn_step(&s->writer, st);

	if (n <= 0)
		return n;
	*fence = (uint64_t)sqlite3_column_int64(st, 0);
	*leased = sqlite3_column_type(st, 1) != SQLITE_NULL;
	(void)sqlite3_reset(st);
	return 1;
}

/* 0: leased with this fence; ESTALE: not. */
static int check_fence(struct store_lite *s, unsigned partition, const char *id,
		       uint64_t fence)
{
	uint64_t is = 0;
	bool leased = false;
	int n = look(s, partition, id, &is, &leased);

	if (n < 0)
		return n;
	return n == 1 && leased && is == fence ? 0 : ESTALE;
}

/* --- inside a change -------------------------------------------------------- */

int store_lite_check_moves(struct store_lite *s, unsigned partition)
{
	const struct store_tx *tx = &s->tx;
	int err = 0;

	for (size_t i = 0; i < tx->moves && !err; i++)
		if (tx->move[i].what == STORE_FENCE)
			err = check_fence(s, partition, tx->move[i].push.id,
					  tx->move[i].fence);
	return err;
}

/* New, or again: then the fences go on, and a lease that was on it ends. */
static int push(struct store_lite *s, unsigned partition,
		const struct store_push *p)
{
	int64_t due = p->lease_ms ? later(s->tx.now_ms, p->lease_ms) : 0;
	sqlite3_stmt *st =
		use(s, p->gently ? SQL_QUEUE_PUSH_GENTLY : SQL_QUEUE_PUSH,
		    partition, p->id);

	if (due < p->not_before_ms)
		due = p->not_before_ms;
	(void)sqlite3_bind_int64(st, 3, due);
	(void)sqlite3_bind_int(st, 4, p->lease_ms ? 1 : 0);
	store_conn_bind_text(st, 5, p->lease_ms ? s->node : NULL);
	store_conn_bind_text(st, 6, p->ref);
	(void)sqlite3_bind_int(st, 7, (int)p->lane);
	return run(s, st);
}

int store_lite_write_moves(struct store_lite *s, unsigned partition)
{
	const struct store_tx *tx = &s->tx;
	int err = 0;

	for (size_t i = 0; i < tx->moves && !err; i++) {
		const struct store_move *m = &tx->move[i];

		if (m->what == STORE_PUSH)
			err = push(s, partition, &m->push);
		else if (m->what == STORE_ACK)
			err = run(s, use(s, SQL_QUEUE_DELETE, partition,
					 m->push.id));
	}
	return err;
}

/* --- leases ------------------------------------------------------------------- */

static int find_due(struct store_lite *s, struct store_op *op, int64_t now_ms)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st = store_conn_use(c, SQL_QUEUE_DUE);
	int n;

	(void)sqlite3_bind_int(st, 1, (int)op->of.lease.lane);
	(void)sqlite3_bind_int64(st, 2, now_ms);
	(void)sqlite3_bind_int64(st, 3, (int64_t)op->count);
	while ((n = store_conn_step(c, st)) > 0) {
		struct store_lease *l = &op->leased[op->leased_count++];

		l->partition = (unsigned)sqlite3_column_int(st, 0);
		(void)snprintf(l->id, sizeof(l->id), "%s",
			       store_conn_text(st, 1));
		(void)snprintf(l->ref, sizeof(l->ref), "%s",
			       store_conn_text(st, 2));
		l->fence = (uint64_t)sqlite3_column_int64(st, 3) + 1;
	}
	return n;
}

int store_lite_lease(struct store_lite *s, struct store_op *op)
{
	int64_t now_ms = clock_wall_ms(s->clock);
	int err;

	op->leased = b_zero(op->count, sizeof(*op->leased));
	err = find_due(s, op, now_ms);
	for (size_t i = 0; i < op->leased_count && !err; i++) {
		const struct store_lease *l = &op->leased[i];
		sqlite3_stmt *st = use(s, SQL_QUEUE_LEASE, l->partition, l->id);

		(void)sqlite3_bind_int64(st, 3,
					 later(now_ms, op->of.lease.lease_ms));
		(void)sqlite3_bind_int64(st, 4, (int64_t)l->fence);
		store_conn_bind_text(st, 5, s->node);
		err = run(s, st);
	}
	return err;
}

int store_lite_renew(struct store_lite *s, struct store_op *op)
{
	int err = check_fence(s, op->partition, op->of.lease.id,
			      op->of.lease.fence);
	sqlite3_stmt *st;

	if (err == ESTALE)
		op->result.err = -ESTALE;
	if (err)
		return err > 0 ? 0 : err;
	st = use(s, SQL_QUEUE_RENEW, op->partition, op->of.lease.id);
	(void)sqlite3_bind_int64(
		st, 3, later(clock_wall_ms(s->clock), op->of.lease.lease_ms));
	return run(s, st);
}
