// SPDX-License-Identifier: Apache-2.0
/*
 * span.h - text that is not ours: a pointer and a length, not terminated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *p;
	size_t n;
};

struct span span_of(const char *s); /* NULL gives the empty span */
struct span span_make(const void *p, size_t n);
bool span_is(struct span s, const char *text);
bool span_starts(struct span s, const char *text);
struct span span_trim(struct span s);

/* Take the text before the first `sep`, and move *rest behind it; the whole of
 * *rest when there is none.  False once *rest is used up (p == NULL). */
bool span_cut(struct span *rest, char sep, struct span *head);

/* Digits only, no sign, no blanks.  -EINVAL: not a number; -ERANGE: > max. */
int span_uint(struct span s, uint64_t max, uint64_t *out);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms), no NUL. */
bool span_utf8(struct span s);
