// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_priv.h - the parts of the sqlite driver, to each other.
 *
 * Three threads, each with a connection of its own: the batch thread is the
 * only one that writes, the reading thread takes short snapshots, the
 * checkpoint thread moves what is in the log into the file.  What is behind
 * a mutex says so; everything else belongs to the thread named with it.
 */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/store_priv.h"

enum {
	STORE_SQL_KINDS_MAX = 255,
	STORE_SQL_BATCH_MAX = 512, /* operations in one transaction */
	STORE_SQL_READS_MAX = 64,  /* reads in one snapshot */
	STORE_SQL_PATH_MAX = 900,
	STORE_SQL_MASKS = 64, /* sets of the six indexed columns */
	STORE_SQL_PAGE_BYTES = 4096,
	STORE_SQL_TALLIES_MAX = 1024, /* rows remembered in a batch */
};

enum store_sql {
#define S(name, text) SQL_##name,
#include "store/sqlite_sql.def"
#undef S
	SQL_COUNT
};

/* One connection and what was prepared on it.  One thread. */
struct store_conn {
	sqlite3 *h;
	sqlite3_stmt *st[SQL_COUNT];
	sqlite3_stmt *update[STORE_SQL_MASKS];
	/* kinds by their number less one, as far as this connection knows */
	char kind[STORE_SQL_KINDS_MAX][STORE_KIND_MAX + 1];
	size_t kinds;
};

/* Operations on their way to a thread. */
struct store_inbox {
	pthread_mutex_t lock; /* over everything here */
	pthread_cond_t filled;
	struct link ops;
	bool closed, sleeping;
};

/* How the batch thread and the checkpoint thread meet. */
struct store_ckpt {
	pthread_mutex_t lock; /* over these: */
	pthread_cond_t wanted, done;
	enum { CKPT_NONE, CKPT_PASSIVE, CKPT_RESTART } want;
	bool stop;
	/* set by the checkpoint thread: little is left, now would be good */
	atomic_bool restart_due;
	/* a restarting one is on: the reading thread stays out of the log */
	atomic_bool quiet;
	/* the batch thread's */
	int64_t next_passive, next_restart; /* bytes of log */
};

struct store_window {
	int64_t window_ms, ends_ms, used;
};
/* A row of counters: see sqlite_tally.c. */
struct store_tally {
	const char *name;
	int64_t ends_ms; /* of the row; 0: the sum of a name's holds */
	bool stored, changed;
	size_t count;
	struct store_window window[STORE_WINDOWS_MAX];
};
/* The rows of counters that a batch changed and has not written yet. */
struct store_tallies {
	size_t count;
	/* by hash: the place of a row and 1; 0: free */
	uint16_t slot[4 * STORE_SQL_TALLIES_MAX];
	struct {
		struct store_tally tally; /* its name is this one: */
		char name[STORE_ID_MAX + 1];
	} row[STORE_SQL_TALLIES_MAX];
};

struct store_lite {
	struct store base;
	struct clock *clock;
	char *node, *path, *vfs;
	bool guest;
	int lock_fd; /* -1: a guest's */

	struct store_conn writer, reader, checkpointer;
	pthread_t batch_thread, read_thread, ckpt_thread;
	struct store_inbox writes, reads;
	struct store_ckpt ckpt;

	/* the batch thread's */
	struct store_tx tx;
	struct store_tallies tallies;
	int64_t others; /* changes when another connection wrote */
	/* of what is in the database, remembered: */
	int64_t next_seq;    /* of the next event */
	int64_t holds_due;   /* no hold expires before this */
	struct link backlog; /* taken from the inbox, not yet run */
	size_t batch_topics; /* in topics[], for the watcher */
	char (*topics)[STORE_ID_MAX + 1];
	size_t topics_room;

	pthread_mutex_t watch_lock;
	store_watch_h *watch;
	void *watch_ctx;

	atomic_uint_fast64_t batches, operations, failures, waiting, wal_bytes;
	atomic_bool healthy;
};

static inline struct store_lite *store_lite_of(struct store *st)
{
	return (struct store_lite *)(void *)st;
}

/* --- sqlite_conn.c: a connection and its statements ------------------------ */

MUST_CHECK int store_conn_open(const struct store_lite *s, struct store_conn *c,
			       int cache_kib, struct diag *d);
void store_conn_close(struct store_conn *c);
/* What a result code means: 0, -ENOSPC or -EIO. */
int store_conn_err(const struct store_conn *c, int rc);
/* The same while opening, with a sentence in d. */
int store_conn_refuse(const struct store_conn *c, int rc, struct diag *d);
/* The statement, ready to be bound; NULL if it cannot be prepared, which
 * store_conn_step() takes and reports. */
sqlite3_stmt *store_conn_use(struct store_conn *c, enum store_sql which);
/* 1: a row; 0: at the end, and reset; negative: failed, and reset. */
MUST_CHECK int store_conn_step(const struct store_conn *c, sqlite3_stmt *st);
/* Steps to the end; rows are ignored. */
MUST_CHECK int store_conn_run(const struct store_conn *c, sqlite3_stmt *st);
/* NULL and "" are bound as NULL.  The text stays the caller's. */
void store_conn_bind_text(sqlite3_stmt *st, int at, const char *s);
const char *store_conn_text(sqlite3_stmt *st, int column); /* never NULL */
/* The number of a kind: 0 when there is none; negative: failed. */
MUST_CHECK int store_conn_kind(struct store_conn *c, const char *name);
/* The same, but it is added when absent.  -E2BIG: too many. */
MUST_CHECK int store_conn_kind_add(struct store_conn *c, const char *name);

/* --- sqlite_vfs.c: the log in few pieces --------------------------------------- */

/* The name of ours over the one so called (NULL: the usual). */
const char *store_lite_vfs(const char *name);

/* --- sqlite_schema.c --------------------------------------------------------- */

/* Makes or migrates; refuses what is not ours or newer. */
MUST_CHECK int store_schema_prepare(struct store_conn *c, bool guest,
				    struct diag *d);

/* --- the batch thread: sqlite_batch.c and what it runs ----------------------- */

/* Each returns 0, with op->result saying how the operation ended, or -ENOSPC
 * or -EIO when a statement failed: then the whole batch is rolled back. */
MUST_CHECK int store_lite_change(struct store_lite *s, struct store_op *op);
MUST_CHECK int store_lite_lease(struct store_lite *s, struct store_op *op);
MUST_CHECK int store_lite_renew(struct store_lite *s, struct store_op *op);
MUST_CHECK int store_lite_sweep(struct store_lite *s, struct store_op *op);
void *store_lite_batches(void *ctx); /* the thread */

/* Parts of a change.  check_*: a positive return is a refusal (an errno). */
MUST_CHECK int store_lite_check_moves(struct store_lite *s, unsigned partition);
MUST_CHECK int store_lite_write_moves(struct store_lite *s, unsigned partition);
MUST_CHECK int store_lite_write_events(struct store_lite *s);

struct store_hold {
	const char *name, *holder;
	int64_t amount, expires_ms; /* amount 0: not held */
	bool stored, changed;
};
/* The counters and holds that a change touches, as they will be. */
struct store_sums {
	size_t tallies, holds;
	struct store_tally tally[STORE_CLAIMS_MAX];
	struct store_hold hold[STORE_CLAIMS_MAX];
};
MUST_CHECK int store_lite_check_claims(struct store_lite *s,
				       struct store_sums *sums,
				       struct store_result *r);
MUST_CHECK int store_lite_write_claims(struct store_lite *s,
				       const struct store_sums *sums);
/* Takes expired holds out of their sums. */
MUST_CHECK int store_lite_expire_holds(struct store_lite *s, int64_t now_ms,
				       unsigned *removed);

/* --- sqlite_tally.c: rows of counters ---------------------------------------- */

/* The end of the row that a window is in. */
int64_t store_tally_end(int64_t ends_ms, int64_t window_ms);
bool store_tally_same(const struct store_tally *a, const struct store_tally *b);
/* NULL: there is none. */
struct store_window *store_tally_find(struct store_tally *t, int64_t window_ms,
				      int64_t ends_ms);
/* A new one, 0.  NULL: the row is full. */
struct store_window *store_tally_add(struct store_tally *t, int64_t window_ms,
				     int64_t ends_ms, int64_t now_ms);
/* -EIO: not the text of a row. */
MUST_CHECK int store_tally_parse(struct store_tally *t, struct span text);
/* The row of this name and end, as the batch has it so far. */
MUST_CHECK int store_lite_load_tally(struct store_lite *s,
				     struct store_tally *t);
/* Before the first row of a change is loaded: what it knows of its rows must
 * hold until it has saved them all. */
MUST_CHECK int store_lite_room_for_tallies(struct store_lite *s);
/* Remembered only: */
void store_lite_save_tally(struct store_lite *s, const struct store_tally *t);
/* What was remembered goes into the database: before it commits, and before
 * anybody looks at all counters. */
MUST_CHECK int store_lite_write_tallies(struct store_lite *s);
void store_lite_forget_tallies(struct store_lite *s); /* it was undone */

MUST_CHECK int store_lite_read_record(struct store_lite *s, unsigned partition,
				      const struct store_key *key,
				      struct store_seen *out);
MUST_CHECK int store_lite_write_record(struct store_lite *s, unsigned partition,
				       const struct store_key *key,
				       const struct store_seen *seen,
				       const struct store_write *w);

/* --- the reading thread: sqlite_read.c, sqlite_list.c ------------------------ */

void *store_lite_reads(void *ctx); /* the thread */
/* Copies for one page: they outlive the rows that they are of. */
struct store_kept {
	size_t count;
	void *p[2 * STORE_PAGE_MAX];
};
void *store_kept_add(struct store_kept *k, const void *p, size_t n);
const char *store_kept_text(struct store_kept *k, const char *s);
void store_kept_free(struct store_kept *k);
/* A turn of a list; true: there is more to do, after others had theirs. */
bool store_lite_list(struct store_lite *s, struct store_op *op);
void store_lite_list_drop(struct store_op *op, int err); /* calls its done */

/* --- the checkpoint thread: sqlite_checkpoint.c -------------------------------- */

void *store_lite_checkpoints(void *ctx); /* the thread */
/* After each commit, on the batch thread: may wait for a checkpoint. */
void store_lite_log_grew(struct store_lite *s);
/* On the reading thread, between snapshots. */
void store_ckpt_let_by(struct store_ckpt *k);
void store_ckpt_stop(struct store_ckpt *k);

/* --- inboxes: sqlite.c --------------------------------------------------------- */

/* Takes all into `to`, waiting for the first; false: closed and empty. */
bool store_inbox_take(struct store_inbox *in, struct link *to);
