// SPDX-License-Identifier: Apache-2.0
/*
 * blocking.h - the store's operations, for tests that want to wait for them.
 *
 * Each submits, waits for done and gives back a copy of what it was given.
 * An error of the call itself is in `err` too.  Any thread but the store's.
 */
#pragma once

#include "store/store.h"

/* A change with up to six keys of one kind or another. */
struct bl_change {
	unsigned partition;
	const struct store_key *keys;
	size_t count;
	store_apply_h *apply;
	void *ctx;
};
struct store_result bl_change(struct store *st, const struct bl_change *c);

/* Sets, reads and counts single records, values as text. */
int bl_put(struct store *st, unsigned partition, const char *kind,
	   const char *id, const char *value);
int bl_put_indexed(struct store *st, const struct store_key *key,
		   const char *value, const struct store_index *index);
int bl_delete(struct store *st, unsigned partition, const char *kind,
	      const char *id);
/* "": there is none. */
struct bl_text {
	int err;
	bool there;
	char text[256];
};
struct bl_text bl_get(struct store *st, unsigned partition, const char *kind,
		      const char *id);

struct bl_page {
	int err;
	size_t count;
	char ids[STORE_PAGE_MAX][STORE_ID_MAX + 1];
	char values[STORE_PAGE_MAX][64];
	int64_t times[STORE_PAGE_MAX];
	unsigned partitions[STORE_PAGE_MAX];
	bool more;
	char next[STORE_CURSOR_BYTES];
};
void bl_list(struct store *st, const struct store_query *q,
	     struct bl_page *out);

struct bl_events {
	int err;
	size_t count;
	char cursors[STORE_PAGE_MAX][STORE_CURSOR_BYTES];
	char types[STORE_PAGE_MAX][STORE_ID_MAX + 1];
	char texts[STORE_PAGE_MAX][64];
	int64_t times[STORE_PAGE_MAX];
};
void bl_follow(struct store *st, const char *topic, const char *cursor,
	       size_t max, struct bl_events *out);

struct bl_leases {
	int err;
	size_t count;
	struct store_lease leases[STORE_PAGE_MAX];
};
void bl_lease(struct store *st, enum store_lane lane, size_t max,
	      int64_t lease_ms, struct bl_leases *out);
int bl_renew(struct store *st, const struct store_lease *lease,
	     int64_t lease_ms);

struct store_result bl_reserve(struct store *st, const struct store_counter *c,
			       size_t count);
int bl_release(struct store *st, const struct store_counter *c, size_t count,
	       int64_t at_ms);
/* How much of one counter is used; negative: an error. */
int64_t bl_used(struct store *st, const struct store_counter *c);

/* Until nothing is removed any more; how much was. */
unsigned bl_sweep(struct store *st, int64_t events_older_than_ms);
