// SPDX-License-Identifier: Apache-2.0
/*
 * rows_priv.h - tables by prefix of a number: reading them, looking up in them.
 *
 * Prices and the number overlay are both lists of `prefix,...` in which the
 * longest prefix wins.  This is what they share: lines of plain CSV (no
 * quoting: no value of ours needs it; # begins a comment), and a sorted table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	CORE_PREFIX_MAX = 15, /* digits of E.164 */
	CORE_CELLS_MAX = 4,
};

struct core_cell {
	struct span text; /* trimmed */
	int column;
};

/* One line of a file; begin with {.rest = file}. */
struct core_line {
	struct span rest;
	int number;
	struct core_cell cells[CORE_CELLS_MAX];
	size_t count;
};
/* Next line that holds something: 1, 0 at the end, -EINVAL with d when it has
 * more than CORE_CELLS_MAX cells or what is no text. */
MUST_CHECK int core_line_next(struct core_line *l, struct diag *d);

struct core_prefix {
	uint64_t key; /* length above, digits as a number below: the order */
	int64_t value;
	int line;
	char text[CORE_PREFIX_MAX + 1];
};

struct core_table {
	struct core_prefix *items;
	size_t count, room;
	size_t begin[CORE_PREFIX_MAX + 2]; /* by length, once sealed */
};

/* -EINVAL with d: not a prefix, or more than `max` rows. */
MUST_CHECK int core_table_add(struct core_table *t, const struct core_line *l,
			      int64_t value, size_t max, struct diag *d);
/* Sort.  -EINVAL with d: the same prefix twice, both lines named. */
MUST_CHECK int core_table_seal(struct core_table *t, struct diag *d);
/* The longest prefix of e164 (with or without plus), or NULL. */
const struct core_prefix *core_table_find(const struct core_table *t,
					  const char *e164);
void core_table_free(struct core_table *t); /* what it owns */
