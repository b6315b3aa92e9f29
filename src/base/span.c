// SPDX-License-Identifier: Apache-2.0
/*
 * span.c - text that is not ours: a pointer and a length, not terminated.
 *
 * Everything that arrives from the network is read through these, so that no
 * parser leans on a NUL that a stranger may have left out.
 */
#include "base/span.h"

#include <errno.h>
#include <string.h>

struct span span_of(const char *s)
{
	return (struct span){.p = s, .n = s ? strlen(s) : 0};
}

struct span span_make(const void *p, size_t n)
{
	return (struct span){.p = p, .n = n};
}

bool span_is(struct span s, const char *text)
{
	size_t n = strlen(text);

	return s.n == n && (n == 0 || memcmp(s.p, text, n) == 0);
}

bool span_starts(struct span s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && (n == 0 || memcmp(s.p, text, n) == 0);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool span_cut(struct span *rest, char sep, struct span *head)
{
	struct span all = *rest;
	const char *at;

	if (!all.p)
		return false;
	at = all.n ? memchr(all.p, sep, all.n) : NULL;
	if (!at) {
		*rest = (struct span){0};
		*head = all;
		return true;
	}
	*rest = span_make(at + 1, all.n - (size_t)(at - all.p) - 1);
	*head = span_make(all.p, (size_t)(at - all.p));
	return true;
}

int span_uint(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	bool over = false;

	if (s.n == 0)
		return -EINVAL;
	/* to the end even when it is too large: 99999x is no number at all */
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9)
			return -EINVAL;
		over = over || __builtin_mul_overflow(value, 10, &value) ||
		       __builtin_add_overflow(value, digit, &value);
	}
	if (over || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/*
 * Bytes of the character that begins with `lead`, and the range of the second
 * byte (RFC 3629 4), which is where overlong forms and surrogates show.
 * 0: nothing begins like this.
 */
static size_t sequence(unsigned lead, unsigned *low, unsigned *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

bool span_utf8(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n;) {
		unsigned low, high;
		size_t n;

		if (p[i] < 0x80) {
			if (p[i++] == 0)
				return false;
			continue;
		}
		n = sequence(p[i], &low, &high);
		if (n == 0 || n > s.n - i)
			return false;
		if (p[i + 1] < low || p[i + 1] > high)
			return false;
		for (size_t k = 2; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}
	return true;
}
