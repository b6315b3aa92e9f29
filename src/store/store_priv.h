// SPDX-License-Identifier: Apache-2.0
/*
 * store_priv.h - what the door and its drivers share.
 *
 * The door (store.c) checks every argument against its limit and copies it
 * into one `struct store_op` on the heap; a driver only ever sees operations
 * that are well-formed.  What apply asks for is collected in a `struct
 * store_tx` (tx.c) without touching any database, so each driver can validate
 * the whole of it before its first write.
 */
#pragma once

#include "base/list.h"
#include "store/store.h"

enum {
	STORE_CLAIMS_MAX = 2 * STORE_COUNTERS_MAX, /* reserved and released */
	STORE_URL_MAX = 1024,
};

enum store_op_kind {
	STORE_OP_CHANGE,
	STORE_OP_LEASE,
	STORE_OP_RENEW,
	STORE_OP_SWEEP,
	/* from here on nothing is written */
	STORE_OP_GET,
	STORE_OP_LIST,
	STORE_OP_FOLLOW,
	STORE_OP_COUNT,
};

/* Where a list goes on: behind this record, in its order. */
struct store_place {
	int64_t time_ms, n;
};

/* One operation on its way.  Everything it points to is in its own block. */
struct store_op {
	struct link link;
	enum store_op_kind kind;
	unsigned partition;
	size_t count; /* keys given; records, events or leases wanted */
	void *ctx;
	union {
		store_done_h *plain;
		store_leases_h *leases;
		store_records_h *records;
		store_events_h *events;
		store_counts_h *counts;
	} done;
	union {
		struct {
			store_apply_h *apply;
			void *apply_ctx;
			struct store_key keys[STORE_KEYS_MAX];
		} change;
		struct {
			enum store_lane lane;
			int64_t lease_ms;
			const char *id; /* of the one to renew */
			uint64_t fence;
		} lease;
		struct {
			int64_t events_older_than_ms;
		} sweep;
		struct {
			struct store_query query; /* cursor is NULL: */
			struct store_place place; /* it was read into this */
			bool bad_cursor;
			void *gathered; /* the driver's, between its turns */
		} list;
		struct {
			const char *topic;
			int64_t behind; /* sequence number */
			bool at_end, bad_cursor;
		} follow;
	} of;
	struct store_counter *counters; /* reserve, release, count */
	size_t counter_count;
	bool release;
	int64_t at_ms;
	struct store_result result;
	struct store_lease *leased; /* the driver's; freed with the operation */
	size_t leased_count;
};

void store_op_free(struct store_op *op);

/* --- what one change asks for -------------------------------------------- */

struct store_seen {
	bool there;
	struct span value;
	struct store_index index; /* texts are "" where not set */
	int64_t n;                /* the driver's number for the record */
	int kind;                 /* and for its kind; 0: none yet */
};

struct store_write {
	enum { STORE_KEEP, STORE_PUT, STORE_DELETE } what;
	struct span value;
	struct store_index index; /* texts are never NULL */
};

struct store_append {
	const char *topic, *topic2, *type; /* topic2 may be NULL */
	struct span json;
};

struct store_claim {
	struct store_counter counter;
	bool release;
	int64_t at_ms;
	unsigned place; /* among the reserved */
};

struct store_move {
	enum { STORE_PUSH, STORE_FENCE, STORE_ACK } what;
	struct store_push push; /* its id is what all have */
	uint64_t fence;
};

struct store_block;

struct store_tx {
	int64_t now_ms;
	int err; /* of the first thing that broke a limit */
	size_t keys;
	struct store_seen seen[STORE_KEYS_MAX];
	struct store_write write[STORE_KEYS_MAX];
	size_t events, claims, reserves, moves;
	struct store_append event[STORE_EVENTS_MAX];
	struct store_claim claim[STORE_CLAIMS_MAX];
	struct store_move move[STORE_MOVES_MAX];
	struct store_block *blocks; /* copies of what was asked for */
};

/* A driver keeps one and begins it again for every change. */
void store_tx_begin(struct store_tx *tx, int64_t now_ms, size_t keys);
void store_tx_end(struct store_tx *tx); /* gives all memory back */
/* A copy that lives until the next store_tx_begin(); NULL when n is 0. */
void *store_tx_keep(struct store_tx *tx, const void *p, size_t n);
const char *store_tx_keep_text(struct store_tx *tx, const char *s);

/* --- drivers -------------------------------------------------------------- */

struct store {
	const struct store_driver *driver;
};

struct store_driver {
	const char *name; /* the url's scheme */
	/* `where` is the url behind "name:". */
	int (*open)(const struct store_params *params, const char *where,
		    struct store **out, struct diag *d);
	void (*close)(struct store *st);
	/* Takes the operation, and frees it after its done ran.  On error
	 * (-EAGAIN, -ESHUTDOWN) it stays the caller's. */
	int (*submit)(struct store *st, struct store_op *op);
	void (*watch)(struct store *st, store_watch_h *watch, void *ctx);
	void (*stats)(const struct store *st, struct store_stats *out);
};

extern const struct store_driver store_sqlite;

/* --- cursors -------------------------------------------------------------- */

void store_cursor_list(const struct store_place *at,
		       char out[STORE_CURSOR_BYTES]);
MUST_CHECK int store_cursor_read_list(const char *text, struct store_place *at);
void store_cursor_event(int64_t seq, char out[STORE_CURSOR_BYTES]);
MUST_CHECK int store_cursor_read_event(const char *text, int64_t *seq);

/* The end of the window that at_ms lies in: it counts in [end - window, end) */
static inline int64_t store_window_end(int64_t at_ms, int64_t window_ms)
{
	return at_ms - at_ms % window_ms + window_ms;
}
