// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_sweep.c - what is over goes, a piece at a time.
 *
 * A piece is small enough to share a batch with changes that somebody waits
 * for.  The number of the newest event that went is kept: a follower whose
 * cursor is before it may have missed something, and is told.
 */
#include <stdio.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

enum { PIECE = 256 };

static int delete_records(struct store_lite *s, int64_t now_ms,
			  unsigned *removed)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st = store_conn_use(c, SQL_RECORD_SWEEP);
	int err;

	(void)sqlite3_bind_int64(st, 1, now_ms);
	(void)sqlite3_bind_int(st, 2, PIECE);
	err = store_conn_run(c, st);
	if (!err)
		*removed += (unsigned)sqlite3_changes(c->h);
	return err;
}

/* The rows that are over, one by one: as one statement, sqlite would look at
 * all rows of a day to delete some of them. */
struct over {
	int64_t ends_ms;
	char name[STORE_ID_MAX + 1];
};

static int find_over(struct store_lite *s, int64_t now_ms, struct over *found,
		     size_t *count)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st = store_conn_use(c, SQL_COUNTER_OVER);
	int n;

	*count = 0;
	(void)sqlite3_bind_int64(st, 1, now_ms);
	(void)sqlite3_bind_int(st, 2, PIECE);
	while ((n = store_conn_step(c, st)) > 0) {
		struct over *o = &found[(*count)++];

		o->ends_ms = sqlite3_column_int64(st, 0);
		(void)snprintf(o->name, sizeof(o->name), "%s",
			       store_conn_text(st, 1));
	}
	return n;
}

static int delete_counters(struct store_lite *s, int64_t now_ms,
			   unsigned *removed)
{
	struct store_conn *c = &s->writer;
	struct over found[PIECE];
	size_t count = 0;
	int err = store_lite_write_tallies(s);

	if (!err)
		err = find_over(s, now_ms, found, &count);
	for (size_t i = 0; i < count && !err; i++) {
		sqlite3_stmt *st = store_conn_use(c, SQL_COUNTER_DELETE);

		(void)sqlite3_bind_int64(st, 1, found[i].ends_ms);
		store_conn_bind_text(st, 2, found[i].name);
		err = store_conn_run(c, st);
	}
	*removed += (unsigned)count;
	return err;
}

static int forget_topic(struct store_lite *s, const char *topic, int64_t seq)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, SQL_TOPIC_DELETE);

	store_conn_bind_text(st, 1, topic);
	(void)sqlite3_bind_int64(st, 2, seq);
	return store_conn_run(&s->writer, st);
}

/* Events are in the order of their time, so the old ones are the first. */
static int forget_topics(struct store_lite *s, int64_t before_ms, int64_t *last,
			 unsigned *removed)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st = store_conn_use(c, SQL_EVENT_OLDEST);
	int n, err = 0;

	(void)sqlite3_bind_int(st, 1, PIECE);
	while ((n = store_conn_step(c, st)) > 0) {
		int64_t seq = sqlite3_column_int64(st, 0);

		if (err || sqlite3_column_int64(st, 1) >= before_ms)
			break;
		for (int column = 2; column <= 3 && !err; column++)
			if (sqlite3_column_type(st, column) != SQLITE_NULL)
				err = forget_topic(
					s, store_conn_text(st, column), seq);
		*last = seq;
		(*removed)++;
	}
	if (n > 0)
		(void)sqlite3_reset(st);
	return n < 0 ? n : err;
}

static int delete_events(struct store_lite *s, int64_t before_ms,
			 unsigned *removed)
{
	static const enum store_sql after[] = {SQL_EVENT_DELETE,
					       SQL_EVENT_GONE};
	int64_t last = 0;
	int err = forget_topics(s, before_ms, &last, removed);

	for (size_t i = 0; i < COUNT_OF(after) && last && !err; i++) {
		sqlite3_stmt *st = store_conn_use(&s->writer, after[i]);

		(void)sqlite3_bind_int64(st, 1, last);
		err = store_conn_run(&s->writer, st);
	}
	return err;
}

int store_lite_sweep(struct store_lite *s, struct store_op *op)
{
	int64_t now_ms = clock_wall_ms(s->clock);
	int64_t age_ms = op->of.sweep.events_older_than_ms;
	unsigned removed = 0;
	int err = delete_records(s, now_ms, &removed);

	if (!err)
		err = delete_counters(s, now_ms, &removed);
	if (!err)
		err = store_lite_expire_holds(s, now_ms, &removed);
	if (!err && age_ms)
		err = delete_events(s, now_ms - age_ms, &removed);
	op->result.counter = removed;
	return err;
}
