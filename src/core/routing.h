// SPDX-License-Identifier: Apache-2.0
/*
 * routing.h - which trunks are asked for a number, in which order.
 *
 * Pure: the longest prefix that matches wins, and only its trunks are asked.
 * Immutable once made; any thread may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"

struct routing;

enum {
	ROUTING_TRUNKS_MAX = 8, /* of one prefix */
	ROUTING_ROWS_MAX = 1000,
	ROUTING_PREFIX_BYTES = 17, /* "+" and digits */
	ROUTING_NAME_BYTES = 32,
};

struct routing *routing_new(void);
void routing_free(struct routing *r); /* NULL is fine */
/* "+" matches every number.  -EINVAL: no prefix, or there is one already; d
 * says so.  Texts are copied. */
MUST_CHECK int routing_add(struct routing *r, const char *prefix,
			   const char *const *trunks, size_t count,
			   struct diag *d);
/* The names for an E.164 number, in order; 0: none serves it.  They live as
 * long as `r`. */
size_t routing_find(const struct routing *r, const char *e164,
		    const char *out[ROUTING_TRUNKS_MAX]);

CLEANUP(routing, routing_free)
