// SPDX-License-Identifier: Apache-2.0
/*
 * buf.c - bytes that grow up to a limit.
 *
 * There is no way to make one without a limit, because most of what is put
 * into one is as long as a stranger likes.
 */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_BYTES = 64 };

void buf_init(struct buf *b, size_t max)
{
	assert(max < SIZE_MAX / 2);
	*b = (struct buf){.max = max};
}

/* Make room for n bytes and the NUL, or refuse for good. */
static bool room(struct buf *b, size_t n)
{
	size_t cap, need;

	if (b->err)
		return false;
	if (n > b->max - b->n) {
		b->err = -E2BIG;
		return false;
	}
	need = b->n + n + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap ? b->cap * 2 : FIRST_BYTES;
	if (cap > b->max + 1)
		cap = b->max + 1;
	if (cap < need)
		cap = need;
	b->p = b_grow(b->p, cap, 1);
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_span(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

void buf_byte(struct buf *b, unsigned c)
{
	unsigned char byte = (unsigned char)c;

	buf_add(b, &byte, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	/* measured first, so that a text that does not fit leaves no half */
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if (!room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

/* How many bytes at the front of s are one character beyond ASCII, or 0. */
static size_t wide(struct span s)
{
	for (size_t n = 2; n <= 4 && n <= s.n; n++)
		if (span_utf8(span_make(s.p, n)))
			return n;
	return 0;
}

static void escape(struct buf *b, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		buf_printf(b, "\\%c", to[at - from]);
	else
		buf_printf(b, "\\u%04x", (unsigned)c);
}

/* Bytes at the front of s that JSON takes as they are. */
static size_t plain(struct span s)
{
	size_t i = 0;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = 1;

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		if (c >= 0x80)
			n = wide(span_make(s.p + i, s.n - i));
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

void buf_json(struct buf *b, struct span s)
{
	buf_byte(b, '"');
	while (s.n > 0 && !b->err) {
		size_t n = plain(s);

		buf_add(b, s.p, n);
		if (n < s.n) {
			unsigned char c = (unsigned char)s.p[n++];

			/* what is no UTF-8 becomes U+FFFD: JSON stays JSON */
			if (c >= 0x80)
				buf_str(b, "\xef\xbf\xbd");
			else
				escape(b, c);
		}
		s = span_make(s.p + n, s.n - n);
	}
	buf_byte(b, '"');
}

struct span buf_view(const struct buf *b)
{
	return span_make(b->p ? b->p : "", b->n);
}

char *buf_take(struct buf *b)
{
	char *text = b->p ? b->p : b_strdup("");

	buf_init(b, b->max);
	return text;
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->err = 0;
	if (b->p)
		b->p[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){.max = b->max};
}
