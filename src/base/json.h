// SPDX-License-Identifier: Apache-2.0
/*
 * json.h - jansson, strictly: limits before parsing, one clear error after.
 *
 * The prefix is js_ because jansson owns json_.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

enum { JS_DEPTH_MAX = 16 };

/*
 * Parse a whole text: one value, no duplicate keys, well-formed UTF-8, no NUL
 * in strings, at most JS_DEPTH_MAX deep.  0: the caller owns *out
 * (json_decref).  -EINVAL: d has line, column and a sentence.  Limit the
 * length before you call.
 */
MUST_CHECK int js_parse(struct span text, json_t **out, struct diag *d);

/*
 * Typed members of an object, for documents whose every field is known.
 * Absent gives 0 and leaves *out alone; the wrong type, a string over max
 * bytes or a number out of range is -EINVAL with d->field = key.  The text is
 * borrowed from o.  JSON null counts as a wrong type.
 */
MUST_CHECK int js_get_text(const json_t *o, const char *key, size_t max,
			   const char **out, struct diag *d);
MUST_CHECK int js_get_int(const json_t *o, const char *key, int64_t min,
			  int64_t max, int64_t *out, struct diag *d);
MUST_CHECK int js_get_bool(const json_t *o, const char *key, bool *out,
			   struct diag *d);
MUST_CHECK int js_get_object(const json_t *o, const char *key, json_t **out,
			     struct diag *d);
MUST_CHECK int js_get_array(const json_t *o, const char *key, json_t **out,
			    struct diag *d);
/* The first key of o that is not in the NULL-ended list, or NULL. */
const char *js_unknown(const json_t *o, const char *const known[]);

/* Compact text, keys sorted; free() it. */
char *js_text(const json_t *o);

/* AUTO_JSON json_t *o = NULL; */
static inline void js_auto_(json_t **o)
{
	json_decref(*o);
}
#define AUTO_JSON __attribute__((cleanup(js_auto_)))
