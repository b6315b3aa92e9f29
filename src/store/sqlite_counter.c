// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_counter.c - counters in windows, and holds.
 *
 * All that a change claims is first computed in memory, in its order, so that
 * two claims on one counter see each other and a refusal writes nothing.  The
 * sum of a name's holds is kept beside them (a counter with the end 0), so
 * reserving does not add up a thousand calls; expired holds are taken out of
 * their sums before any of a change's holds is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite_priv.h"

enum { EXPIRE_PIECE = 256 };

static sqlite3_stmt *use_hold(struct store_lite *s, enum store_sql which,
			      const struct store_hold *h)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, which);

	store_conn_bind_text(st, 1, h->name);
	store_conn_bind_text(st, 2, h->holder);
	return st;
}

static int run(struct store_lite *s, sqlite3_stmt *st)
{
	return store_conn_run(&s->writer, st);
}

static int load_hold(struct store_lite *s, struct store_hold *h)
{
	sqlite3_stmt *st = use_hold(s, SQL_HOLD_GET, h);
	int n = store_conn_step(&s->writer, st);

	if (n <= 0)
		return n;
	h->stored = true;
	h->amount = sqlite3_column_int64(st, 0);
	h->expires_ms = sqlite3_column_int64(st, 1);
	(void)sqlite3_reset(st);
	return 0;
}

static int save_hold(struct store_lite *s, const struct store_hold *h)
{
	sqlite3_stmt *st;

	if (h->amount == 0)
		return h->stored ? run(s, use_hold(s, SQL_HOLD_DELETE, h)) : 0;
	if (h->expires_ms < s->holds_due)
		s->holds_due = h->expires_ms;
	if (h->stored) {
		st = use_hold(s, SQL_HOLD_EXTEND, h);
		(void)sqlite3_bind_int64(st, 3, h->expires_ms);
		return run(s, st);
	}
	st = use_hold(s, SQL_HOLD_ADD, h);
	(void)sqlite3_bind_int64(st, 3, h->amount);
	(void)sqlite3_bind_int64(st, 4, h->expires_ms);
	return run(s, st);
}

/* --- what a change touches ----------------------------------------------------- */

static int tally_of(struct store_lite *s, struct store_sums *sums,
		    const char *name, int64_t ends_ms, struct store_tally **out)
{
	const struct store_tally like = {.name = name, .ends_ms = ends_ms};
	struct store_tally *t;

	for (size_t i = 0; i < sums->tallies; i++) {
		t = &sums->tally[i];
		if (store_tally_same(t, &like)) {
			*out = t;
			return 0;
		}
	}
	t = &sums->tally[sums->tallies++];
	t->name = name;
	t->ends_ms = ends_ms;
	t->stored = t->changed = false;
	t->count = 0;
	*out = t;
	return store_lite_load_tally(s, t);
}

static int hold_of(struct store_lite *s, struct store_sums *sums,
		   const struct store_counter *c, struct store_hold **out)
{
	struct store_hold *h;

	for (size_t i = 0; i < sums->holds; i++) {
		h = &sums->hold[i];
		if (strcmp(h->name, c->name) == 0 &&
		    strcmp(h->holder, c->holder) == 0) {
			*out = h;
			return 0;
		}
	}
	h = &sums->hold[sums->holds++];
	*h = (struct store_hold){.name = c->name, .holder = c->holder};
	*out = h;
	return load_hold(s, h);
}

/* Adds to a counter; EDQUOT when that would be over the limit. */
static int take(struct store_window *w, const struct store_counter *c)
{
	int64_t sum;

	if (__builtin_add_overflow(w->used, c->amount, &sum) || sum > c->limit)
		return EDQUOT;
	w->used = sum;
	return 0;
}

static void give(struct store_window *w, int64_t amount)
{
	w->used = amount < w->used ? w->used - amount : 0;
}

/* The window of a row, new if need be. */
static int window_of(const struct store_lite *s, struct store_tally *t,
		     int64_t window_ms, int64_t ends_ms,
		     struct store_window **out)
{
	*out = store_tally_find(t, window_ms, ends_ms);
	if (!*out)
		*out = store_tally_add(t, window_ms, ends_ms, s->tx.now_ms);
	return *out ? 0 : E2BIG;
}

static int release_window(struct store_lite *s, struct store_sums *sums,
			  const struct store_claim *k)
{
	const struct store_counter *c = &k->counter;
	int64_t ends_ms = store_window_end(k->at_ms, c->window_ms);
	struct store_window *w = NULL;
	struct store_tally *t;
	int err = tally_of(s, sums, c->name,
			   store_tally_end(ends_ms, c->window_ms), &t);

	w = err ? NULL : store_tally_find(t, c->window_ms, ends_ms);
	if (w && w->used) {
		give(w, c->amount);
		t->changed = true;
	}
	return err;
}

static int claim_window(struct store_lite *s, struct store_sums *sums,
			const struct store_claim *k, struct store_result *r)
{
	const struct store_counter *c = &k->counter;
	int64_t ends_ms = store_window_end(s->tx.now_ms, c->window_ms);
	struct store_window *w = NULL;
	struct store_tally *t;
	int err = tally_of(s, sums, c->name,
			   store_tally_end(ends_ms, c->window_ms), &t);

	if (!err)
		err = window_of(s, t, c->window_ms, ends_ms, &w);
	if (err)
		return err;
	err = take(w, c);
	t->changed = true;
	if (err && c->amount <= c->limit)
		r->retry_ms = ends_ms - s->tx.now_ms;
	return err;
}

static int sum_of(struct store_lite *s, struct store_sums *sums,
		  const char *name, struct store_tally **t,
		  struct store_window **w)
{
	int err = tally_of(s, sums, name, 0, t);

	return err ? err : window_of(s, *t, 0, 0, w);
}

static int claim_hold(struct store_lite *s, struct store_sums *sums,
		      const struct store_claim *k)
{
	const struct store_counter *c = &k->counter;
	int64_t until = c->ttl_ms > INT64_MAX - s->tx.now_ms
				? INT64_MAX
				: s->tx.now_ms + c->ttl_ms;
	struct store_tally *t;
	struct store_window *w = NULL;
	struct store_hold *h = NULL;
	int err = sum_of(s, sums, c->name, &t, &w);

	if (!err)
		err = hold_of(s, sums, c, &h);
	if (err)
		return err;
	t->changed = h->changed = true;
	if (k->release) {
		give(w, h->amount);
		h->amount = 0;
		return 0;
	}
	if (h->amount == 0) {
		err = take(w, c);
		if (err)
			return err;
		h->amount = c->amount;
	}
	if (until > h->expires_ms)
		h->expires_ms = until;
	return 0;
}

static int claim(struct store_lite *s, struct store_sums *sums,
		 const struct store_claim *k, struct store_result *r)
{
	if (k->counter.window_ms == 0)
		return claim_hold(s, sums, k);
	return k->release ? release_window(s, sums, k)
			  : claim_window(s, sums, k, r);
}

static bool any_hold(const struct store_tx *tx)
{
	for (size_t i = 0; i < tx->claims; i++)
		if (tx->claim[i].counter.window_ms == 0)
			return true;
	return false;
}

int store_lite_check_claims(struct store_lite *s, struct store_sums *sums,
			    struct store_result *r)
{
	const struct store_tx *tx = &s->tx;
	unsigned removed = 0;
	int err = 0;

	if (any_hold(tx))
		err = store_lite_expire_holds(s, tx->now_ms, &removed);
	if (!err)
		err = store_lite_room_for_tallies(s);
	for (size_t i = 0; i < tx->claims && !err; i++) {
		const struct store_claim *k = &tx->claim[i];

		err = claim(s, sums, k, r);
		if (err == EDQUOT) {
			r->counter = k->place;
			memcpy(r->counter_name, k->counter.name,
			       strlen(k->counter.name) + 1);
		}
	}
	return err;
}

int store_lite_write_claims(struct store_lite *s, const struct store_sums *sums)
{
	int err = 0;

	for (size_t i = 0; i < sums->tallies; i++)
		if (sums->tally[i].changed)
			store_lite_save_tally(s, &sums->tally[i]);
	for (size_t i = 0; i < sums->holds && !err; i++)
		if (sums->hold[i].changed)
			err = save_hold(s, &sums->hold[i]);
	return err;
}

/* --- expiry ------------------------------------------------------------------------- */

struct expired {
	char name[STORE_ID_MAX + 1], holder[STORE_ID_MAX + 1];
	int64_t amount;
};

static int find_expired(struct store_lite *s, int64_t now_ms,
			struct expired *found, size_t *count)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st = store_conn_use(c, SQL_HOLD_EXPIRED);
	int n;

	*count = 0;
	(void)sqlite3_bind_int64(st, 1, now_ms);
	(void)sqlite3_bind_int(st, 2, EXPIRE_PIECE);
	while ((n = store_conn_step(c, st)) > 0) {
		struct expired *e = &found[(*count)++];

		(void)snprintf(e->name, sizeof(e->name), "%s",
			       store_conn_text(st, 0));
		(void)snprintf(e->holder, sizeof(e->holder), "%s",
			       store_conn_text(st, 1));
		e->amount = sqlite3_column_int64(st, 2);
	}
	return n;
}

static int expire(struct store_lite *s, const struct expired *e)
{
	struct store_tally t = {.name = e->name};
	const struct store_hold h = {
		.name = e->name, .holder = e->holder, .stored = true};
	int err = store_lite_room_for_tallies(s);

	if (!err)
		err = store_lite_load_tally(s, &t);
	if (err)
		return err;
	if (t.count) {
		give(&t.window[0], e->amount);
		store_lite_save_tally(s, &t);
	}
	return save_hold(s, &h);
}

static int next_expiry(struct store_lite *s)
{
	struct store_conn *c = &s->writer;
	sqlite3_stmt *st = store_conn_use(c, SQL_HOLD_NEXT);
	int n = store_conn_step(c, st);

	if (n < 0)
		return n;
	s->holds_due = sqlite3_column_type(st, 0) == SQLITE_NULL
			       ? INT64_MAX
			       : sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return 0;
}

static int expire_all(struct store_lite *s, int64_t now_ms, unsigned *removed)
{
	struct expired found[EXPIRE_PIECE];
	size_t count;
	int err;

	do {
		err = find_expired(s, now_ms, found, &count);
		for (size_t i = 0; i < count && !err; i++)
			err = expire(s, &found[i]);
		*removed += (unsigned)count;
	} while (!err && count == EXPIRE_PIECE);
	return err ? err : next_expiry(s);
}

int store_lite_expire_holds(struct store_lite *s, int64_t now_ms,
			    unsigned *removed)
{
	return s->holds_due > now_ms ? 0 : expire_all(s, now_ms, removed);
}
