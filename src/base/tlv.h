// SPDX-License-Identifier: Apache-2.0
/*
 * tlv.h - records as tag, length, value: compact, and open to new fields.
 *
 * A reader skips tags that it does not know, so an older program can read
 * (and will not rewrite) what a newer one wrote.  Integers are zig-zag
 * variable-length; a zero, an empty text and false are not written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

void tlv_int(struct buf *b, unsigned tag, int64_t value); /* tag 1..255 */
void tlv_bytes(struct buf *b, unsigned tag, const void *p, size_t n);
void tlv_text(struct buf *b, unsigned tag, const char *s); /* NULL: nothing */

struct tlv {
	unsigned tag;
	struct span bytes;
};
/* Next field of *rest: 1, 0 at the end, -EBADMSG when cut short. */
MUST_CHECK int tlv_next(struct span *rest, struct tlv *field);
MUST_CHECK int tlv_get_int(const struct tlv *field, int64_t *out);
/* Copy with a terminating NUL; -EBADMSG if it does not fit or holds a NUL. */
MUST_CHECK int tlv_get_text(const struct tlv *field, char *out, size_t size);
/* Exactly n bytes. */
MUST_CHECK int tlv_get_bytes(const struct tlv *field, void *out, size_t n);
