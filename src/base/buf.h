// SPDX-License-Identifier: Apache-2.0
/*
 * buf.h - bytes that grow up to a limit.
 *
 * The limit is mandatory.  The first thing that does not fit sets `err` to
 * -E2BIG and everything after it is ignored, so a writer may add many parts
 * and ask once.  `p` is always NUL-terminated behind `n` once anything was
 * added.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

struct buf {
	char *p;
	size_t n, cap, max;
	int err; /* 0, or -E2BIG */
};

void buf_init(struct buf *b, size_t max);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_span(struct buf *b, struct span s);
void buf_byte(struct buf *b, unsigned c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_json(struct buf *b, struct span s); /* quoted and escaped, RFC 8259 */
struct span buf_view(const struct buf *b);
char *buf_take(struct buf *b); /* the caller owns the text; b is empty again */
void buf_reset(struct buf *b); /* n = 0, err = 0, memory kept */
void buf_free(struct buf *b);  /* memory given back; the limit stays */

static inline void buf_auto_(struct buf *b)
{
	buf_free(b);
}
/* AUTO_BUF(b, MAX);  a buffer on the stack, freed at the end of scope. */
#define AUTO_BUF(name, limit) \
	__attribute__((cleanup(buf_auto_))) struct buf name = {.max = (limit)}
