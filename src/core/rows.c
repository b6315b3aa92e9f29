// SPDX-License-Identifier: Apache-2.0
/*
 * rows.c - tables by prefix of a number: reading them, looking up in them.
 *
 * Sorted by length and then by digits, so a look-up is one binary search for
 * each length that occurs: a microsecond in 200,000 rows, and nothing to
 * balance or to walk by pointers.
 */
#include "core/rows_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { LENGTH_SHIFT = 56, FIRST_ROOM = 64 };

/* --- lines ------------------------------------------------------------------ */

static struct span without_mark(struct span s)
{
	const char mark[] = "\xef\xbb\xbf"; /* what some editors put in front */

	return span_starts(s, mark) ? span_make(s.p + 3, s.n - 3) : s;
}

static int cut_cells(struct core_line *l, struct span line, struct diag *d)
{
	struct span rest = line, cell;

	l->count = 0;
	while (span_cut(&rest, ',', &cell)) {
		struct core_cell *c = &l->cells[l->count];

		if (l->count == CORE_CELLS_MAX)
			return diag_at(d, l->number, (int)(cell.p - line.p) + 1,
				       "more than %d values in a row",
				       CORE_CELLS_MAX);
		c->text = span_trim(cell);
		c->column = (int)(c->text.p - line.p) + 1;
		l->count++;
	}
	return 1;
}

int core_line_next(struct core_line *l, struct diag *d)
{
	struct span line;

	while (span_cut(&l->rest, '\n', &line)) {
		struct span body;

		if (l->number++ == 0)
			line = without_mark(line);
		body = span_trim(line);
		if (body.n == 0 || body.p[0] == '#')
			continue;
		if (!span_utf8(line))
			return diag_at(d, l->number, 1, "not a text file");
		return cut_cells(l, line, d);
	}
	return 0;
}

/* --- the table -------------------------------------------------------------- */

static uint64_t key_of(const char *digits, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + (uint64_t)(digits[i] - '0');
	return (uint64_t)n << LENGTH_SHIFT | value;
}

static bool good(struct span prefix)
{
	if (prefix.n == 0 || prefix.n > CORE_PREFIX_MAX || prefix.p[0] == '0')
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (prefix.p[i] < '0' || prefix.p[i] > '9')
			return false;
	return true;
}

int core_table_add(struct core_table *t, const struct core_line *l,
		   int64_t value, size_t max, struct diag *d)
{
	const struct core_cell *cell = &l->cells[0];
	struct core_prefix *p;

	if (!good(cell->text))
		return diag_at(d, l->number, cell->column,
			       "a prefix is 1 to %d digits with the country "
			       "code in front, without plus",
			       CORE_PREFIX_MAX);
	if (t->count == max)
		return diag_at(d, l->number, cell->column, "more than %zu rows",
			       max);
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : FIRST_ROOM;
		t->items = b_grow(t->items, t->room, sizeof(*t->items));
	}
	p = &t->items[t->count++];
	*p = (struct core_prefix){
		.key = key_of(cell->text.p, cell->text.n),
		.value = value,
		.line = l->number,
	};
	memcpy(p->text, cell->text.p, cell->text.n);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct core_prefix *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

int core_table_seal(struct core_table *t, struct diag *d)
{
	if (t->count > 1)
		qsort(t->items, t->count, sizeof(*t->items), by_key);
	for (size_t i = 1; i < t->count; i++) {
		const struct core_prefix *p = &t->items[i];

		if (p->key == p[-1].key)
			return diag_at(d, p->line, 1,
				       "prefix %s stands on line %d already",
				       p->text, p[-1].line);
	}
	for (size_t n = 0, at = 0; n < COUNT_OF(t->begin); n++) {
		while (at < t->count && t->items[at].key >> LENGTH_SHIFT < n)
			at++;
		t->begin[n] = at;
	}
	return 0;
}

static const struct core_prefix *find_of_length(const struct core_table *t,
						const char *digits, size_t n)
{
	size_t low = t->begin[n], high = t->begin[n + 1];
	uint64_t key;

	if (low == high)
		return NULL;
	key = key_of(digits, n);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->items[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < t->begin[n + 1] && t->items[low].key == key)
		return &t->items[low];
	return NULL;
}

const struct core_prefix *core_table_find(const struct core_table *t,
					  const char *e164)
{
	const char *digits = *e164 == '+' ? e164 + 1 : e164;
	size_t n = strspn(digits, "0123456789");

	if (digits[n] != '\0')
		return NULL;
	for (n = n < CORE_PREFIX_MAX ? n : CORE_PREFIX_MAX; n > 0; n--) {
		const struct core_prefix *p = find_of_length(t, digits, n);

		if (p)
			return p;
	}
	return NULL;
}

void core_table_free(struct core_table *t)
{
	free(t->items);
	*t = (struct core_table){0};
}
