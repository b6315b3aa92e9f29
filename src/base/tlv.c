// SPDX-License-Identifier: Apache-2.0
/*
 * tlv.c - records as tag, length, value: compact, and open to new fields.
 *
 * Tag: one byte.  Length: base-128, low bits first.  There is one way only to
 * write a number, so a record has one form and may be compared as bytes.
 */
#include "base/tlv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { VARINT_MAX = 10 /* bytes: 64 bits, 7 each */ };

static size_t varint(uint64_t value, uint8_t out[VARINT_MAX])
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[n++] = (uint8_t)value;
	return n;
}

void tlv_bytes(struct buf *b, unsigned tag, const void *p, size_t n)
{
	uint8_t head[1 + VARINT_MAX];
	size_t head_n = 1;

	assert(tag >= 1 && tag <= 255);
	if (n == 0)
		return;
	head[0] = (uint8_t)tag;
	head_n += varint(n, head + 1);
	buf_add(b, head, head_n);
	buf_add(b, p, n);
}

void tlv_int(struct buf *b, unsigned tag, int64_t value)
{
	uint8_t bytes[VARINT_MAX];
	uint64_t zigzag = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);

	if (value != 0)
		tlv_bytes(b, tag, bytes, varint(zigzag, bytes));
}

void tlv_text(struct buf *b, unsigned tag, const char *s)
{
	if (s)
		tlv_bytes(b, tag, s, strlen(s));
}

/* Take a number from the front of *s. */
static int take(struct span *s, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s->n && i < VARINT_MAX; i++) {
		uint8_t byte = (uint8_t)s->p[i];

		if (i == VARINT_MAX - 1 && byte > 1)
			return -EBADMSG; /* over 64 bits */
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (byte == 0 && i > 0)
			return -EBADMSG; /* longer than it need be */
		*s = span_make(s->p + i + 1, s->n - i - 1);
		*out = value;
		return 0;
	}
	return -EBADMSG;
}

int tlv_next(struct span *rest, struct tlv *field)
{
	struct span at = *rest;
	unsigned tag;
	uint64_t n;

	if (at.n == 0)
		return 0;
	tag = (uint8_t)at.p[0];
	at = span_make(at.p + 1, at.n - 1);
	if (tag == 0 || take(&at, &n) || n > at.n)
		return -EBADMSG;
	field->tag = tag;
	field->bytes = span_make(at.p, (size_t)n);
	*rest = span_make(at.p + n, at.n - (size_t)n);
	return 1;
}

int tlv_get_int(const struct tlv *field, int64_t *out)
{
	struct span at = field->bytes;
	uint64_t zigzag;

	if (take(&at, &zigzag) || at.n > 0)
		return -EBADMSG;
	*out = (int64_t)((zigzag >> 1) ^ (zigzag & 1 ? UINT64_MAX : 0));
	return 0;
}

int tlv_get_text(const struct tlv *field, char *out, size_t size)
{
	struct span s = field->bytes;

	if (s.n >= size || (s.n > 0 && memchr(s.p, '\0', s.n)))
		return -EBADMSG;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return 0;
}

int tlv_get_bytes(const struct tlv *field, void *out, size_t n)
{
	if (field->bytes.n != n)
		return -EBADMSG;
	if (n > 0)
		memcpy(out, field->bytes.p, n);
	return 0;
}
