// SPDX-License-Identifier: Apache-2.0
/*
 * routing.c - which trunks are asked for a number, in which order.
 *
 * A number has at most 16 prefixes, so the longest that is there is found by
 * asking for each; the table is never changed once it is in use.
 */
#include "core/routing.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct row {
	char (*names)[ROUTING_NAME_BYTES];
	size_t count;
};

struct routing {
	struct map *rows; /* prefix -> struct row */
};

struct routing *routing_new(void)
{
	struct routing *r = b_zero(1, sizeof(*r));

	r->rows = map_new();
	return r;
}

static void free_row(const char *prefix, void *value, void *ctx)
{
	struct row *row = value;

	(void)prefix;
	(void)ctx;
	free(row->names);
	free(row);
}

void routing_free(struct routing *r)
{
	if (!r)
		return;
	map_each(r->rows, free_row, NULL);
	map_free(r->rows);
	free(r);
}

static bool is_prefix(const char *s)
{
	size_t n = strnlen(s, ROUTING_PREFIX_BYTES);

	return n > 0 && n < ROUTING_PREFIX_BYTES && s[0] == '+' &&
	       strspn(s + 1, "0123456789") == n - 1;
}

static int check_names(const char *prefix, const char *const *trunks,
		       size_t count, struct diag *d)
{
	if (count == 0 || count > ROUTING_TRUNKS_MAX)
		return diag_set(d, "%s: 1 to %d trunks are expected", prefix,
				ROUTING_TRUNKS_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t n = strnlen(trunks[i], ROUTING_NAME_BYTES);

		if (n == 0 || n == ROUTING_NAME_BYTES)
			return diag_set(d, "%s: a name has 1 to %d bytes",
					prefix, ROUTING_NAME_BYTES - 1);
		for (size_t j = 0; j < i; j++)
			if (strcmp(trunks[i], trunks[j]) == 0)
				return diag_set(d, "%s: \"%s\" stands twice",
						prefix, trunks[i]);
	}
	return 0;
}

int routing_add(struct routing *r, const char *prefix,
		const char *const *trunks, size_t count, struct diag *d)
{
	struct row *row;
	int err;

	if (!is_prefix(prefix))
		return diag_set(d,
				"\"%.24s\" is no prefix: + and up to %d digits",
				prefix, ROUTING_PREFIX_BYTES - 2);
	if (map_get(r->rows, prefix))
		return diag_set(d, "%s stands twice", prefix);
	if (map_count(r->rows) == ROUTING_ROWS_MAX)
		return diag_set(d, "there are more than %d prefixes",
				ROUTING_ROWS_MAX);
	err = check_names(prefix, trunks, count, d);
	if (err)
		return err;
	row = b_zero(1, sizeof(*row));
	row->names = b_zero(count, sizeof(*row->names));
	row->count = count;
	for (size_t i = 0; i < count; i++)
		(void)snprintf(row->names[i], ROUTING_NAME_BYTES, "%s",
			       trunks[i]);
	(void)map_put(r->rows, prefix, row);
	return 0;
}

size_t routing_find(const struct routing *r, const char *e164,
		    const char *out[ROUTING_TRUNKS_MAX])
{
	char prefix[ROUTING_PREFIX_BYTES] = "";
	const struct row *row = NULL;

	(void)snprintf(prefix, sizeof(prefix), "%s", e164);
	for (size_t n = strlen(prefix); n > 0 && !row; n--) {
		prefix[n] = '\0';
		row = map_get(r->rows, prefix);
	}
	if (!row)
		return 0;
	for (size_t i = 0; i < row->count; i++)
		out[i] = row->names[i];
	return row->count;
}
