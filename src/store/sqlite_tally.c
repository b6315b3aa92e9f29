// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_tally.c - the rows that counters are in.
 *
 * A name is often counted in several windows at once, so these share a row: to
 * look three times for one number in a tree of all numbers, and to change three
 * of its pages, was the greater half of what a create costs.  A row is of a
 * name and a day, in which all its windows end; a window that no day is a
 * multiple of has a row of its own, and so has the sum of a name's holds.  The
 * end of a row's day is in front of its key, so what is over lies together and
 * is swept without an index.
 *
 * Most counters of a call are of places and askers, which it shares with the
 * calls of the same moment.  So the rows that a batch changes are remembered,
 * and each is written once, in the same transaction, before it commits: a
 * counter that all changes of a batch take costs what it costs one of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "store/sqlite_priv.h"

enum {
	DAY_MS = 24 * 60 * 60 * 1000,
	FIGURES = 3,       /* of a window, in the text of a row */
	FIGURE_BYTES = 20, /* of an int64_t that is not negative, and a space */
	TEXT_BYTES = STORE_WINDOWS_MAX * FIGURES * FIGURE_BYTES + 1,
};

int64_t store_tally_end(int64_t ends_ms, int64_t window_ms)
{
	if (window_ms == 0 || DAY_MS % window_ms != 0)
		return ends_ms;
	return ends_ms > INT64_MAX - DAY_MS
		       ? ends_ms
		       : store_window_end(ends_ms - 1, DAY_MS);
}

struct store_window *store_tally_find(struct store_tally *t, int64_t window_ms,
				      int64_t ends_ms)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->window[i].window_ms == window_ms &&
		    t->window[i].ends_ms == ends_ms)
			return &t->window[i];
	return NULL;
}

static bool is_over(const struct store_window *w, int64_t now_ms)
{
	return w->ends_ms > 0 && w->ends_ms <= now_ms;
}

/* What is over makes room for what is new. */
struct store_window *store_tally_add(struct store_tally *t, int64_t window_ms,
				     int64_t ends_ms, int64_t now_ms)
{
	size_t i = 0;

	while (i < t->count && !is_over(&t->window[i], now_ms))
		i++;
	if (i == STORE_WINDOWS_MAX)
		return NULL;
	if (i == t->count)
		t->count++;
	t->window[i] = (struct store_window){window_ms, ends_ms, 0};
	return &t->window[i];
}

/* --- the text of a row ------------------------------------------------------- */

static char *put_figure(char *to, int64_t v)
{
	char digits[FIGURE_BYTES];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*to++ = digits[--n];
	*to++ = ' ';
	return to;
}

static size_t print(const struct store_tally *t, char out[TEXT_BYTES])
{
	char *to = out;

	for (size_t i = 0; i < t->count; i++) {
		to = put_figure(to, t->window[i].window_ms);
		to = put_figure(to, t->window[i].ends_ms);
		to = put_figure(to, t->window[i].used);
	}
	return (size_t)(to - out);
}

static bool take_figure(struct span *rest, int64_t *out)
{
	struct span figure;
	uint64_t v = 0;

	if (!span_cut(rest, ' ', &figure) ||
	    span_uint(figure, INT64_MAX, &v) != 0)
		return false;
	*out = (int64_t)v;
	return true;
}

int store_tally_parse(struct store_tally *t, struct span text)
{
	t->count = 0;
	while (text.n) {
		struct store_window w;

		if (t->count == STORE_WINDOWS_MAX ||
		    !take_figure(&text, &w.window_ms) ||
		    !take_figure(&text, &w.ends_ms) ||
		    !take_figure(&text, &w.used))
			return -EIO; /* somebody altered it */
		t->window[t->count++] = w;
	}
	return 0;
}

/* --- rows -------------------------------------------------------------------- */

static sqlite3_stmt *use_row(struct store_lite *s, enum store_sql which,
			     const struct store_tally *t)
{
	sqlite3_stmt *st = store_conn_use(&s->writer, which);

	(void)sqlite3_bind_int64(st, 1, t->ends_ms);
	store_conn_bind_text(st, 2, t->name);
	return st;
}

static int read_row(struct store_lite *s, struct store_tally *t)
{
	sqlite3_stmt *st = use_row(s, SQL_COUNTER_GET, t);
	int n = store_conn_step(&s->writer, st), err;

	if (n <= 0)
		return n;
	t->stored = true;
	err = store_tally_parse(t, span_of(store_conn_text(st, 0)));
	(void)sqlite3_reset(st);
	return err;
}

static bool is_empty(const struct store_tally *t)
{
	return t->ends_ms == 0 && t->count == 1 && t->window[0].used == 0;
}

static int write_row(struct store_lite *s, const struct store_tally *t)
{
	char text[TEXT_BYTES];
	sqlite3_stmt *st;

	if (is_empty(t))
		return t->stored ? store_conn_run(&s->writer,
						  use_row(s, SQL_COUNTER_DELETE,
							  t))
				 : 0;
	st = use_row(s, t->stored ? SQL_COUNTER_SET : SQL_COUNTER_ADD, t);
	(void)sqlite3_bind_text(st, 3, text, (int)print(t, text),
				SQLITE_STATIC);
	return store_conn_run(&s->writer, st);
}

/* --- the rows of a batch ------------------------------------------------------- */

bool store_tally_same(const struct store_tally *a, const struct store_tally *b)
{
	return a->ends_ms == b->ends_ms && strcmp(a->name, b->name) == 0;
}

/* FNV-1a */
static uint32_t hash_row(const struct store_tally *t)
{
	uint32_t h = 2166136261U ^ (uint32_t)(t->ends_ms / 1000);

	for (const char *c = t->name; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619U;
	return h ^ h >> 15;
}

/* The slot of a row, or the free one where it would be. */
static uint16_t *find_slot(struct store_tallies *k, const struct store_tally *t)
{
	size_t at = hash_row(t) % COUNT_OF(k->slot);

	while (k->slot[at] &&
	       !store_tally_same(&k->row[k->slot[at] - 1].tally, t))
		at = (at + 1) % COUNT_OF(k->slot);
	return &k->slot[at];
}

/* A row but for its name, which is in two places. */
static void copy(struct store_tally *to, const struct store_tally *from)
{
	to->ends_ms = from->ends_ms;
	to->stored = from->stored;
	to->count = from->count;
	memcpy(to->window, from->window, from->count * sizeof(*from->window));
}

int store_lite_load_tally(struct store_lite *s, struct store_tally *t)
{
	uint16_t place = *find_slot(&s->tallies, t);

	if (!place)
		return read_row(s, t);
	copy(t, &s->tallies.row[place - 1].tally);
	return 0;
}

void store_lite_save_tally(struct store_lite *s, const struct store_tally *t)
{
	struct store_tallies *k = &s->tallies;
	uint16_t *slot = find_slot(k, t);

	if (!*slot) {
		*slot = (uint16_t)++k->count;
		k->row[*slot - 1].tally.name = k->row[*slot - 1].name;
		memcpy(k->row[*slot - 1].name, t->name, strlen(t->name) + 1);
	}
	copy(&k->row[*slot - 1].tally, t);
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
		err = write_row(s, &s->tallies.row[i].tally);
	store_lite_forget_tallies(s);
	return err;
}

int store_lite_room_for_tallies(struct store_lite *s)
{
	size_t room = COUNT_OF(s->tallies.row) - s->tallies.count;

	return room < STORE_CLAIMS_MAX ? store_lite_write_tallies(s) : 0;
}
