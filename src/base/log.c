// SPDX-License-Identifier: Apache-2.0
/*
 * log.c - one JSON object per line, to stderr.
 *
 * A line is made on the stack and leaves in one write(2), so lines of several
 * threads never mix and logging takes no lock.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char cut_mark[] = ",\"cut\":true";
static const char line_end[] = "}\n";

enum {
	/* room that is kept for saying how the line ends */
	END_BYTES = sizeof(cut_mark) - 1 + sizeof(line_end) - 1,
	HIDDEN_DIGITS = 4, /* of a number that shows its last two */
	SHOWN_DIGITS = 2,
};

static _Atomic int threshold = LOG_INFO;
static _Atomic int target = STDERR_FILENO;

void log_threshold(enum log_level least)
{
	atomic_store(&threshold, (int)least);
}

void log_to(int fd)
{
	atomic_store(&target, fd);
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_DEBUG] = "debug",
		[LOG_INFO] = "info",
		[LOG_WARN] = "warn",
		[LOG_ERROR] = "error",
	};

	return names[level];
}

/* True if it fitted; else the line is as it was before. */
static bool try_field(struct buf *b, const char *name,
		      const struct log_value *v, size_t text_bytes)
{
	size_t before = b->n;

	buf_byte(b, ',');
	buf_json(b, span_of(name));
	buf_byte(b, ':');
	if (v->kind == LOG_IS_INT)
		buf_printf(b, "%lld", (long long)v->number);
	else if (v->text)
		buf_json(b, span_make(v->text, text_bytes));
	else
		buf_str(b, "null");
	if (!b->err)
		return true;
	b->err = 0;
	b->n = before;
	return false;
}

/* Half a text is better than none; false if anything had to go. */
static bool field(struct buf *b, const char *name, const struct log_value *v)
{
	bool text = v->kind == LOG_IS_TEXT && v->text;
	size_t n = text ? strlen(v->text) : 0;

	if (try_field(b, name, v, n))
		return true;
	if (n > LOG_LINE_MAX)
		n = LOG_LINE_MAX;
	while (n > 0 && !try_field(b, name, v, n / 2))
		n /= 2;
	return false;
}

static void send_line(const struct buf *b)
{
	int fd = atomic_load(&target);

	/* a log that cannot be written has nobody to tell */
	while (write(fd, b->p, b->n) < 0 && errno == EINTR)
		;
}

void log_write(enum log_level level, const char *event, ...)
{
	char line[LOG_LINE_MAX + 1], now[CLOCK_TEXT_BYTES];
	/* never grows: it has all that its limit allows */
	struct buf b = {.p = line, .cap = sizeof(line)};
	const char *name;
	bool whole;
	va_list ap;

	if ((int)level < atomic_load(&threshold))
		return;
	b.max = LOG_LINE_MAX - END_BYTES;
	clock_text(clock_wall_ms(clock_real()), now);
	buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\"", now,
		   level_name(level));
	whole = field(&b, "event", LOG_S(event));
	va_start(ap, event);
	while ((name = va_arg(ap, const char *)) != NULL)
		whole = field(&b, name, va_arg(ap, struct log_value *)) &&
			whole;
	va_end(ap);
	b.max = LOG_LINE_MAX;
	if (!whole)
		buf_str(&b, cut_mark);
	buf_str(&b, line_end);
	send_line(&b);
}

void log_number(const char *e164, unsigned country_code,
		char out[LOG_NUMBER_BYTES])
{
	struct span s = span_of(e164);
	const char *tail = "";
	char code[16] = "";

	/* a short number would be told by its ends alone */
	(void)snprintf(code, sizeof(code), "+%u", country_code);
	if (country_code == 0 || !span_starts(s, code))
		code[0] = '\0';
	if (s.n >= strlen(code) + HIDDEN_DIGITS + SHOWN_DIGITS)
		tail = e164 + s.n - SHOWN_DIGITS;
	(void)snprintf(out, LOG_NUMBER_BYTES, "%s...%s", code, tail);
}
