// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_counter.c - counters in windows, and holds.
 *
 * All that a change claims is first computed in memory, in its order, so that
 * two claims on one counter see each other and a refusal writes nothing.  The
 * sum of a name's holds is kept beside them (a counter with the end 0), so
 * reserving does not add up a thousand calls; expired holds are taken out of
 * their sums before any of a change's holds is looked at.
 *
 * Most counters of a call are of places and askers, which it shares with the
 * calls of the same moment.  So the rows that a batch changes are remembered,
 * and each is written once, in the same transaction, before it commits: a
 * counter that all changes of a batch take costs what it costs one of them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite_priv.h"

enum { EXPIRE_PIECE = 256 };

/* --- rows ------------------------------------------------------------------- */

static sqlite3_stmt *use_counter(struct store_lite *s, enum store_sql which,
				 const struct store_tally *t)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, which);

	(void)sqlite3_bind_int64(st, 1, t->ends_ms);
	store_conn_bind_text(st, 2, t->name);
	(void)sqlite3_bind_int64(st, 3, t->window_ms);
	return st;
}

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

static int read_tally(struct store_lite *s, struct store_tally *t)
{
	sqlite3_stmt *st = use_counter(s, SQL_COUNTER_GET, t);
	int n = store_conn_step(&s->writer, st);

	if (n <= 0)
		return n;
	t->stored = true;
	t->used = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return 0;
}

static int write_tally(struct store_lite *s, const struct store_tally *t)
{
	sqlite3_stmt *st;

	if (t->ends_ms == 0 && t->used == 0)
		return t->stored ? run(s, use_counter(s, SQL_COUNTER_DELETE, t))
				 : 0;
	st = use_counter(s, t->stored ? SQL_COUNTER_SET : SQL_COUNTER_ADD, t);
	(void)sqlite3_bind_int64(st, 4, t->used);
	return run(s, st);
}

/* --- the rows of a batch ------------------------------------------------------- */

static bool same_row(const struct store_tally *a, const struct store_tally *b)
{
	return a->ends_ms == b->ends_ms && a->window_ms == b->window_ms &&
	       strcmp(a->name, b->name) == 0;
}

/* FNV-1a */
static uint32_t hash_row(const struct store_tally *t)
{
	uint32_t h = 2166136261U ^ (uint32_t)(t->window_ms / 1000) ^
		     (uint32_t)(t->ends_ms / 1000);

	for (const char *c = t->name; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619U;
	return h ^ h >> 15;
}

/* The slot of a row, or the free one where it would be. */
static uint16_t *find_slot(struct store_tallies *k, const struct store_tally *t)
{
	size_t at = hash_row(t) % COUNT_OF(k->slot);

	while (k->slot[at] && !same_row(&k->row[k->slot[at] - 1].tally, t))
		at = (at + 1) % COUNT_OF(k->slot);
	return &k->slot[at];
}

static int load_tally(struct store_lite *s, struct store_tally *t)
{
	uint16_t place = *find_slot(&s->tallies, t);

	if (!place)
		return read_tally(s, t);
	t->stored = s->tallies.row[place - 1].tally.stored;
	t->used = s->tallies.row[place - 1].tally.used;
	return 0;
}

void store_lite_forget_tallies(struct store_lite *s)
{
	if (s->tallies.count)
		memset(s->tallies.slot, 0, sizeof(s->tallies.slot));
	s->tallies.count = 0;
}

int store_lite_write_tallies(struct store_lite *s)
{
	int err = 0;

	for (size_t i = 0; i < s->tallies.count && !err; i++)
		err = write_tally(s, &s->tallies.row[i].tally);
	store_lite_forget_tallies(s);
	return err;
}

/* Before the first row of a change is loaded: what it knows of its rows must
 * hold until it has saved them all. */
static int make_room(struct store_lite *s)
{
	size_t room = COUNT_OF(s->tallies.row) - s->tallies.count;

	return room < STORE_CLAIMS_MAX ? store_lite_write_tallies(s) : 0;
}

static void save_tally(struct store_lite *s, const struct store_tally *t)
{
	struct store_tallies *k = &s->tallies;
	uint16_t *slot = find_slot(k, t);

	if (!*slot) {
		*slot = (uint16_t)++k->count;
		k->row[*slot - 1].tally = *t;
		k->row[*slot - 1].tally.name = k->row[*slot - 1].name;
		memcpy(k->row[*slot - 1].name, t->name, strlen(t->name) + 1);
	}
	k->row[*slot - 1].tally.used = t->used;
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
		    const struct store_tally *like, struct store_tally **out)
{
	struct store_tally *t;

	for (size_t i = 0; i < sums->tallies; i++) {
		t = &sums->tally[i];
		if (same_row(t, like)) {
			*out = t;
			return 0;
		}
	}
	t = &sums->tally[sums->tallies++];
	*t = *like;
	*out = t;
	return load_tally(s, t);
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
static int take(struct store_tally *t, const struct store_counter *c)
{
	int64_t sum;

	if (__builtin_add_overflow(t->used, c->amount, &sum) || sum > c->limit)
		return EDQUOT;
	t->used = sum;
	t->changed = true;
	return 0;
}

static void give(struct store_tally *t, int64_t amount)
{
	t->used = amount < t->used ? t->used - amount : 0;
	t->changed = true;
}

static int claim_window(struct store_lite *s, struct store_sums *sums,
			const struct store_claim *k, struct store_result *r)
{
	const struct store_counter *c = &k->counter;
	int64_t at = k->release ? k->at_ms : s->tx.now_ms;
	const struct store_tally like = {
		.name = c->name,
		.window_ms = c->window_ms,
		.ends_ms = store_window_end(at, c->window_ms),
	};
	struct store_tally *t;
	int err = tally_of(s, sums, &like, &t);

	if (err)
		return err;
	if (k->release) {
		if (t->used)
			give(t, c->amount);
		return 0;
	}
	err = take(t, c);
	if (err && c->amount <= c->limit)
		r->retry_ms = t->ends_ms - s->tx.now_ms;
	return err;
}

static int claim_hold(struct store_lite *s, struct store_sums *sums,
		      const struct store_claim *k)
{
	const struct store_counter *c = &k->counter;
	const struct store_tally like = {.name = c->name};
	int64_t until = c->ttl_ms > INT64_MAX - s->tx.now_ms
				? INT64_MAX
				: s->tx.now_ms + c->ttl_ms;
	struct store_tally *t;
	struct store_hold *h = NULL;
	int err = tally_of(s, sums, &like, &t);

	if (!err)
		err = hold_of(s, sums, c, &h);
	if (err)
		return err;
	if (k->release) {
		if (h->amount)
			give(t, h->amount);
		h->changed = true;
		h->amount = 0;
		return 0;
	}
	if (h->amount == 0) {
		err = take(t, c);
		if (err)
			return err;
		h->amount = c->amount;
	}
	if (until > h->expires_ms)
		h->expires_ms = until;
	h->changed = true;
	return 0;
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
		err = make_room(s);
	for (size_t i = 0; i < tx->claims && !err; i++) {
		const struct store_claim *k = &tx->claim[i];

		err = k->counter.window_ms ? claim_window(s, sums, k, r)
					   : claim_hold(s, sums, k);
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
			save_tally(s, &sums->tally[i]);
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
	int err = make_room(s);

	if (!err)
		err = load_tally(s, &t);
	if (err)
		return err;
	give(&t, e->amount);
	save_tally(s, &t);
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
