// SPDX-License-Identifier: Apache-2.0
/*
 * prices.h - what a call costs, known before it is made (E4).
 *
 * CSV: a header `prefix,price,currency` (currency may be left out and is then
 * the settings'), one row per prefix of digits without plus; price per minute
 * as a decimal.  One currency per file.  Money is int64 micro-units: 1.50 is
 * 1,500,000.  Immutable: any thread.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

struct prices;

enum {
	PRICES_ROWS_MAX = 200000,
	PRICES_FILE_MAX = 16 << 20,
	PRICES_CURRENCY_BYTES = 4,
	PRICES_UNIT = 1000000, /* micro-units in one unit of currency */
};

MUST_CHECK int prices_parse(struct span csv, const char *currency,
			    struct prices **out, struct diag *d);
void prices_free(struct prices *p); /* NULL is fine */

/* Longest match; digits with or without plus.  -ENOENT: no row covers it. */
MUST_CHECK int prices_per_minute(const struct prices *p, const char *e164,
				 int64_t *micro, const char **prefix);
/* A call of ms, each begun minute counted whole. */
int64_t prices_of(int64_t per_minute, int64_t ms);
const char *prices_currency(const struct prices *p);

/* "1.5" -> 1500000.  -EINVAL: not a plain decimal, negative, over 9e12. */
MUST_CHECK int prices_amount(struct span text, int64_t *micro);

CLEANUP(prices, prices_free)
