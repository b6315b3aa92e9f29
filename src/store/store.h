// SPDX-License-Identifier: Apache-2.0
/*
 * store.h - where records wait, atomically.
 *
 * Records are small documents in named kinds.  What must change together lives
 * in one partition, and one store_change() is one atomic step there.  Nothing
 * here is shaped like one database: the same door serves an embedded file and
 * a cluster of servers, so there are no joins, no transactions over partitions
 * and no reads that lock.
 *
 * Every operation is asynchronous.  The caller is never blocked; `done` runs
 * on a thread of the store's, once, after what it reports is durable, and must
 * hand over (post, or answer a suspended request) rather than work there.
 * What a done handler is given lives until it returns.  `ctx` must stay until
 * done.  Any thread may call any operation.
 *
 * Errors that done may see: -ENOSPC (the disk is full), -EIO (the store is
 * unwell), -ESHUTDOWN (it is closing), -EAGAIN (its queue is full): nothing was
 * changed.  Others are listed with their operation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/span.h"

struct store;
struct store_tx; /* one change being made */

enum {
	STORE_PARTITIONS = 256,
	STORE_KEYS_MAX = 6,
	STORE_COUNTERS_MAX = 20,
	STORE_WINDOWS_MAX = 8, /* of one name, current at the same time */
	STORE_EVENTS_MAX = 8,
	STORE_MOVES_MAX = 8, /* pushes, fences and acks of one change */
	STORE_ID_MAX = 95,   /* bytes of a record's id, topic, counter name */
	STORE_KIND_MAX = 23, /* bytes */
	STORE_VALUE_MAX = 256 << 10, /* bytes of one record */
	STORE_EVENT_MAX = 4 << 10,   /* bytes of one event */
	STORE_PAGE_MAX = 200,        /* records or events in one page */
	STORE_WAITING_MAX = 65536,   /* operations queued; more is -EAGAIN */
	STORE_CURSOR_BYTES = 48,     /* text of a cursor, with NUL */
	STORE_LABEL_MAX = 23,        /* bytes of an index label */
};

struct store_params {
	const char *url;     /* "sqlite:path"; for tests also "?vfs=name" */
	struct clock *clock; /* borrowed */
	const char *node;    /* this node's name, in leases */
	/* The command line beside a running server: everything but leasing
	 * (-EPERM) works, nothing is made or migrated, and no claim is laid to
	 * the store.  Without it a second open is refused. */
	bool guest;
};

/* Opens, migrates, starts its threads.  Where a store has one user at a time,
 * leases of the one before are over.  d says what is wrong: not a store of
 * ours, a newer schema, no permission, a full disk, in use by another. */
MUST_CHECK int store_open(const struct store_params *params, struct store **out,
			  struct diag *d);
/* Finishes what is queued, then closes.  NULL is fine. */
void store_close(struct store *st);

/* --- change -------------------------------------------------------------- */

struct store_key {
	const char *kind, *id;
};

/*
 * What done handlers get.  For a change: `err` is 0 when it was committed (or
 * when apply asked for nothing), apply's own negative return when it refused,
 * -EDQUOT when a counter was over its limit (`counter` is its place in the
 * order of store_tx_reserve(), `retry_ms` when it has room again, 0: unknown),
 * -ESTALE when a fence was old.
 */
struct store_result {
	int err;
	unsigned counter;
	int64_t retry_ms;
	char counter_name[STORE_ID_MAX + 1];
};
typedef void store_done_h(const struct store_result *r, void *ctx);

/*
 * A pure function of what it reads: it may be run again when somebody wrote
 * first, so it must begin afresh each time and touch nothing but `ctx`.
 * 0: commit what was asked for; negative: change nothing.  Runs on the store's
 * thread: no locks, no I/O, microseconds.
 */
typedef int store_apply_h(struct store_tx *tx, void *ctx);

/* ctx goes to apply and to done.  The keys' text is copied; no key twice.  What
 * apply asks for over a limit fails the change with -E2BIG, nonsense with
 * -EINVAL.  Here and below, bad arguments are -E2BIG or -EINVAL at once; after
 * any error that is returned, done never runs. */
MUST_CHECK int store_change(struct store *st, unsigned partition,
			    const struct store_key *keys, size_t count,
			    store_apply_h *apply, store_done_h *done,
			    void *ctx);

/* Inside apply.  `key` is the place in the keys given to store_change(). */
int64_t store_tx_now(
	const struct store_tx *tx); /* wall ms, one for the change */
bool store_tx_get(const struct store_tx *tx, size_t key, struct span *value);

/* What can be found by.  Zero or empty is not indexed. */
struct store_index {
	int64_t time_ms;    /* order of lists, newest first */
	const char *owner;  /* the application */
	const char *hash;   /* of the number, hex */
	const char *label;  /* status */
	const char *group;  /* country */
	int64_t expires_ms; /* swept within ten minutes after; 0: never */
};
/* The index may be NULL: not in any list, kept for ever. */
void store_tx_put(struct store_tx *tx, size_t key, struct span value,
		  const struct store_index *index);
void store_tx_delete(struct store_tx *tx, size_t key);

/* Append an event.  Topics are what followers name; sequence numbers are given
 * in commit order.  At most two topics (verification, application). */
void store_tx_event(struct store_tx *tx, const char *topic, const char *topic2,
		    const char *type, struct span json);

/*
 * A counter: `amount` more in the window of window_ms that is current (windows
 * are aligned to 1970-01-01T00:00Z), refused when the sum would pass `limit`.
 * One name in windows of several lengths is so many counters, and they cost
 * little more than one.
 * A hold has window_ms 0: it counts until store_release(), or ttl_ms at the
 * latest, so a crash fails closed.  `holder` names a hold (an attempt's id):
 * holding twice with one name counts once.  All of a change's counters or none
 * are taken, together with its writes.
 */
struct store_counter {
	const char *name;
	int64_t amount, limit;
	int64_t window_ms;
	const char *holder;
	int64_t ttl_ms;
};
void store_tx_reserve(struct store_tx *tx, const struct store_counter *c);
/* Give back: the same name, amount and window (as of at_ms), or the holder. */
void store_tx_release(struct store_tx *tx, const struct store_counter *c,
		      int64_t at_ms);

/* --- the queue, part of a partition --------------------------------------- */

/*
 * A queued thing has an id (an attempt, an expiry), a ref (the record that it
 * is about), a lane, and a time before which it rests.  lease_ms > 0: it is
 * this node's from the start, for so long; its fence is then 1.  Pushing an id
 * that is queued already replaces its time, ref and lane, and ends a lease that
 * is on it; its fences go on.  An acked id is never used again.
 *
 * gently: what is queued already only comes sooner than it would have, unless
 * it is leased: then nothing changes, and whoever holds it looks once more
 * after giving it back.
 */
enum store_lane {
	STORE_CALLS,  /* attempts: taken by a node that has room for a call */
	STORE_TIMERS, /* what falls due: expiries */
	STORE_HOOKS,  /* who is to be told something */
	STORE_LANES
};
struct store_push {
	enum store_lane lane;
	const char *id, *ref;
	int64_t not_before_ms, lease_ms;
	bool gently; /* without a lease_ms */
};
void store_tx_push(struct store_tx *tx, const struct store_push *push);
/* The rest of the change holds only if `id` was leased with this fence before
 * it, and nobody took it since; otherwise the change fails with -ESTALE. */
void store_tx_fence(struct store_tx *tx, const char *id, uint64_t fence);
void store_tx_ack(struct store_tx *tx,
		  const char *id); /* gone; absent is fine */

struct store_lease {
	unsigned partition;
	uint64_t fence;
	char id[STORE_ID_MAX + 1], ref[STORE_ID_MAX + 1];
};
typedef void store_leases_h(int err, const struct store_lease *leases,
			    size_t count, void *ctx);
/* Up to `max` (<= STORE_PAGE_MAX) things whose time has come and that nobody
 * holds, or whose lease ran out; each with a fence higher than any before. */
MUST_CHECK int store_lease(struct store *st, enum store_lane lane, size_t max,
			   int64_t lease_ms, store_leases_h *done, void *ctx);
/* -ESTALE: somebody else has it, or it is gone. */
MUST_CHECK int store_renew(struct store *st, const struct store_lease *lease,
			   int64_t lease_ms, store_done_h *done, void *ctx);

/* --- counters by themselves ---------------------------------------------- */

MUST_CHECK int store_reserve(struct store *st, const struct store_counter *c,
			     size_t count, store_done_h *done, void *ctx);
MUST_CHECK int store_release(struct store *st, const struct store_counter *c,
			     size_t count, int64_t at_ms, store_done_h *done,
			     void *ctx);
typedef void store_counts_h(int err, const int64_t *used, size_t count,
			    void *ctx);
/* How much of each is used now; changes nothing. */
MUST_CHECK int store_count(struct store *st, const struct store_counter *c,
			   size_t count, store_counts_h *done, void *ctx);

/* --- reading -------------------------------------------------------------- */

struct store_record {
	unsigned partition;
	const char *kind, *id;
	int64_t time_ms;
	struct span value;
};
typedef void store_records_h(int err, const struct store_record *records,
			     size_t count, const char *next, void *ctx);

/* One record: count is 0 when there is none.  Sees every change whose done ran
 * before the call. */
MUST_CHECK int store_get(struct store *st, unsigned partition, const char *kind,
			 const char *id, store_records_h *done, void *ctx);

/*
 * Records of a kind, newest first.  Each member that is set narrows.  `cursor`
 * (NULL: from the start) is the `next` of the page before; next is NULL at the
 * end.  -EINVAL in done: not a cursor of ours.
 */
struct store_query {
	const char *kind;
	const char *owner, *hash, *label, *group;
	int64_t since_ms, until_ms; /* since <= time < until; 0: open */
	size_t limit;               /* 1..STORE_PAGE_MAX */
	const char *cursor;
};
MUST_CHECK int store_list(struct store *st, const struct store_query *q,
			  store_records_h *done, void *ctx);

struct store_event {
	char cursor[STORE_CURSOR_BYTES]; /* resume behind this one */
	int64_t time_ms;
	const char *type;
	struct span json;
};
typedef void store_events_h(int err, const struct store_event *events,
			    size_t count, void *ctx);
/*
 * Events of a topic behind `cursor` ("": from the oldest kept), oldest first,
 * at most `max`.  "end": one entry without a type, whose cursor is where the
 * events end now.  -ERANGE: the cursor is too old, events behind it are gone;
 * -EINVAL: not a cursor.
 */
MUST_CHECK int store_follow(struct store *st, const char *topic,
			    const char *cursor, size_t max,
			    store_events_h *done, void *ctx);
/* Called on the store's thread after each commit with each topic that got an
 * event.  One per store; set before traffic.  store_watch() waits for the one
 * before, if that is being called: hold no lock there that it takes. */
typedef void store_watch_h(const char *topic, void *ctx);
void store_watch(struct store *st, store_watch_h *watch, void *ctx);

/* --- keeping -------------------------------------------------------------- */

/* Remove what expired (records, holds, and counters: at the end of the day that
 * their windows are in, UTC, or of a window that is in none) and events older
 * than that many ms (0: none), a bounded piece at a time; done gets the number
 * removed in `counter`; call again while that is not 0. */
MUST_CHECK int store_sweep(struct store *st, int64_t events_older_than_ms,
			   store_done_h *done, void *ctx);

/* For /metrics and health; any thread, no I/O. */
struct store_stats {
	uint64_t batches, operations, failures;
	uint64_t waiting;   /* operations queued now */
	uint64_t wal_bytes; /* 0 where there is none */
	bool healthy; /* the last batch that wrote anything was committed */
};
void store_stats(const struct store *st, struct store_stats *out);

CLEANUP(store, store_close)
