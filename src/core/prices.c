// SPDX-License-Identifier: Apache-2.0
/*
 * prices.c - what a call costs, known before it is made (E4).
 *
 * Whatever is not clear in the file is refused: a price that was read wrongly
 * is money, and nobody looks at it again until the bill comes.
 */
#include "core/prices.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "core/rows_priv.h"

enum {
	DECIMALS = 6, /* of PRICES_UNIT */
	MINUTE_MS = 60 * 1000,
};

static const int64_t amount_max = 9000000000000;

struct prices {
	char currency[PRICES_CURRENCY_BYTES];
	struct core_table table;
};

int prices_amount(struct span text, int64_t *micro)
{
	struct span rest = text, whole;
	uint64_t units, part = 0;
	size_t decimals = 0;

	if (!span_cut(&rest, '.', &whole))
		return -EINVAL;
	if (span_uint(whole, (uint64_t)(amount_max / PRICES_UNIT), &units))
		return -EINVAL;
	if (rest.p) {
		decimals = rest.n;
		if (decimals > DECIMALS || span_uint(rest, PRICES_UNIT, &part))
			return -EINVAL;
	}
	for (; decimals < DECIMALS; decimals++)
		part *= 10;
	if ((int64_t)(units * PRICES_UNIT + part) > amount_max)
		return -EINVAL;
	*micro = (int64_t)(units * PRICES_UNIT + part);
	return 0;
}

static bool currency_good(struct span s)
{
	if (s.n != PRICES_CURRENCY_BYTES - 1)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return true;
}

/* *columns: 2 or 3. */
static int read_header(struct core_line *l, size_t *columns, struct diag *d)
{
	static const char *const names[] = {"prefix", "price", "currency"};
	int err = core_line_next(l, d);

	if (err < 0)
		return err;
	if (err == 0)
		return diag_at(d, 1, 1, "empty: no line `prefix,price`");
	for (size_t i = 0; i < l->count; i++)
		if (i >= COUNT_OF(names) ||
		    !span_is(l->cells[i].text, names[i]))
			return diag_at(d, l->number, l->cells[i].column,
				       "the first line is `prefix,price` or "
				       "`prefix,price,currency`");
	if (l->count < 2)
		return diag_at(d, l->number, 1,
			       "the first line has no `price`");
	*columns = l->count;
	return 0;
}

static int read_currency(struct prices *p, const struct core_line *l,
			 struct diag *d)
{
	const struct core_cell *cell = &l->cells[2];

	if (!currency_good(cell->text))
		return diag_at(d, l->number, cell->column,
			       "a currency is three capital letters, like EUR");
	if (p->currency[0] == '\0')
		memcpy(p->currency, cell->text.p, cell->text.n);
	if (!span_is(cell->text, p->currency))
		return diag_at(d, l->number, cell->column,
			       "the currency is %s so far: one for all",
			       p->currency);
	return 0;
}

static int read_row(struct prices *p, const struct core_line *l, size_t columns,
		    struct diag *d)
{
	int64_t micro;
	int err;

	if (l->count != columns)
		return diag_at(d, l->number, l->cells[0].column,
			       "%zu values, where the first line has %zu",
			       l->count, columns);
	if (prices_amount(l->cells[1].text, &micro))
		return diag_at(d, l->number, l->cells[1].column,
			       "a price is a plain decimal with at most %d "
			       "digits behind the point, like 0.0125",
			       DECIMALS);
	err = columns > 2 ? read_currency(p, l, d) : 0;
	if (err)
		return err;
	return core_table_add(&p->table, l, micro, PRICES_ROWS_MAX, d);
}

static int read_all(struct prices *p, struct span csv, struct diag *d)
{
	struct core_line l = {.rest = csv};
	size_t columns = 0;
	int err = read_header(&l, &columns, d);

	if (err)
		return err;
	while ((err = core_line_next(&l, d)) > 0) {
		err = read_row(p, &l, columns, d);
		if (err)
			return err;
	}
	if (err < 0)
		return err;
	if (p->currency[0] == '\0')
		return diag_at(d, 0, 0,
			       "no currency, neither here nor in the settings");
	return core_table_seal(&p->table, d);
}

int prices_parse(struct span csv, const char *currency, struct prices **out,
		 struct diag *d)
{
	AUTO(prices) *p = NULL;
	int err;

	if (csv.n > PRICES_FILE_MAX)
		return diag_at(d, 0, 0, "larger than %d bytes",
			       PRICES_FILE_MAX);
	p = b_zero(1, sizeof(*p));
	if (currency && *currency) {
		if (!currency_good(span_of(currency)))
			return diag_at(d, 0, 0,
				       "the settings' currency is not three "
				       "capital letters");
		memcpy(p->currency, currency, sizeof(p->currency));
	}
	err = read_all(p, csv, d);
	if (err)
		return err;
	*out = KEEP(p);
	return 0;
}

void prices_free(struct prices *p)
{
	if (!p)
		return;
	core_table_free(&p->table);
	free(p);
}

int prices_per_minute(const struct prices *p, const char *e164, int64_t *micro,
		      const char **prefix)
{
	const struct core_prefix *row = core_table_find(&p->table, e164);

	if (!row)
		return -ENOENT;
	*micro = row->value;
	if (prefix)
		*prefix = row->text;
	return 0;
}

int64_t prices_of(int64_t per_minute, int64_t ms)
{
	int64_t minutes = ms / MINUTE_MS + (ms % MINUTE_MS > 0), sum;

	if (ms <= 0)
		return 0;
	if (__builtin_mul_overflow(per_minute, minutes, &sum))
		return INT64_MAX;
	return sum;
}

const char *prices_currency(const struct prices *p)
{
	return p->currency;
}
