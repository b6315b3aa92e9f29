// SPDX-License-Identifier: Apache-2.0
/*
 * diag.c - one clear error: where, which field, what is wrong.
 *
 * One, because the second error of a broken document is mostly a consequence
 * of the first.
 */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

/* A text that was cut to fit must not end in half a character. */
static void drop_half_character(char *s)
{
	size_t n = strlen(s), back = 1;

	while (back < 4 && back < n && ((unsigned char)s[n - back] >> 6) == 2)
		back++;
	if (n > 0 && !span_utf8(span_make(s + n - back, back)))
		s[n - back] = '\0';
}

static int say(struct diag *d, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static int say(struct diag *d, const char *fmt, va_list ap)
{
	(void)vsnprintf(d->message, sizeof(d->message), fmt, ap);
	drop_half_character(d->message);
	return -EINVAL;
}

int diag_set(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -EINVAL;
	va_start(ap, fmt);
	(void)say(d, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int diag_at(struct diag *d, int line, int column, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -EINVAL;
	d->line = line;
	d->column = column;
	va_start(ap, fmt);
	(void)say(d, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int diag_field(struct diag *d, const char *field, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return -EINVAL;
	(void)snprintf(d->field, sizeof(d->field), "%s", field);
	drop_half_character(d->field);
	va_start(ap, fmt);
	(void)say(d, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void diag_text(const struct diag *d, const char *file, char *out, size_t n)
{
	char place[32] = "";

	if (d->line > 0 && d->column > 0)
		(void)snprintf(place, sizeof(place), "%d:%d", d->line,
			       d->column);
	else if (d->line > 0)
		(void)snprintf(place, sizeof(place), "%d", d->line);
	if (!file)
		file = "";
	(void)snprintf(out, n, "%s%s%s%s%s%s%s", file,
		       *file && *place ? ":" : "", place,
		       *file || *place ? ": " : "", d->field,
		       *d->field ? ": " : "", d->message);
	if (n > 0)
		drop_half_character(out);
}
