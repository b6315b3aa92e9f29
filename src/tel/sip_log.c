// SPDX-License-Identifier: Apache-2.0
/*
 * sip_log.c - what libre prints, caught and bounded.
 *
 * libre writes to standard error whatever a far end provokes: decode errors,
 * unhandled requests with their whole URI.  Our own log goes there too, so the
 * descriptor cannot be turned away.  Instead the linker leads libre's three
 * printing functions here (--wrap in meson.build): a few lines a minute become
 * log lines without numbers, the others are counted.
 */
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "tel/sip_priv.h"

enum {
	LINE_BYTES = 256, /* of what libre says at once */
	WINDOW_MS = 60 * 1000,
	RUN_MIN = 5, /* digits in a row: shorter ones are ports and statuses */
	SHOWN = 2,   /* ... and so many of them stay */
	WARNING = 4, /* DBG_WARNING of re_dbg.h, which wants to be a macro */
};

/* Re-routed by the linker: --wrap=NAME calls __wrap_NAME. */
int tsip_wrap_fprintf(FILE *stream, const char *fmt,
		      ...) __asm__("__wrap_re_fprintf");
int tsip_wrap_printf(const char *fmt, ...) __asm__("__wrap_re_printf");
void tsip_wrap_dbg(int level, const char *fmt,
		   ...) __asm__("__wrap_dbg_printf");

static struct {
	bool caught;
	int64_t since_ms; /* the minute that is being counted */
	unsigned lines, dropped;
} state;

void tsip_log_catch(void)
{
	state.caught = true;
	state.since_ms = clock_mono_ms(clock_real());
	state.lines = state.dropped = 0;
}

void tsip_log_release(void)
{
	state.caught = false;
}

/* All but the last two digits of each long run, separators or not: a number
 * may be written +1-415-555-0100.  Dots part the bytes of an address. */
static void blank(char *text)
{
	char *run = NULL, *last[SHOWN] = {NULL};
	size_t digits = 0;

	for (char *at = text;; at++) {
		if (isdigit((unsigned char)*at)) {
			if (!run)
				run = at;
			last[digits++ % SHOWN] = at;
			continue;
		}
		if (run && *at && strchr("-() ", *at) &&
		    isdigit((unsigned char)at[1]))
			continue;
		if (digits >= RUN_MIN)
			for (char *d = run; d < at; d++)
				if (isdigit((unsigned char)*d) &&
				    d != last[0] && d != last[1])
					*d = 'x';
		run = NULL;
		digits = 0;
		if (!*at)
			return;
	}
}

static bool allowed(unsigned *dropped)
{
	int64_t now = clock_mono_ms(clock_real());

	if (now - state.since_ms >= WINDOW_MS) {
		state.since_ms = now;
		state.lines = 0;
	}
	if (state.lines >= TSIP_LOG_PER_MINUTE) {
		state.dropped++;
		return false;
	}
	state.lines++;
	*dropped = state.dropped;
	state.dropped = 0;
	return true;
}

static int say(FILE *stream, const char *fmt, va_list ap)
{
	char text[LINE_BYTES];
	unsigned dropped = 0;
	int n;

	if (!state.caught)
		return re_vfprintf(stream, fmt, ap);
	if (!allowed(&dropped))
		return 0;
	n = re_vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0) /* longer than that: what fits is there */
		n = (int)strnlen(text, sizeof(text) - 1);
	text[n] = '\0';
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	blank(text);
	if (n > 0)
		log_warn("sip.library", "text", LOG_S(text), "dropped",
			 LOG_I(dropped), NULL);
	return n;
}

int tsip_wrap_fprintf(FILE *stream, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = stream == stderr || stream == stdout ? say(stream, fmt, ap)
						 : re_vfprintf(stream, fmt, ap);
	va_end(ap);
	return n;
}

int tsip_wrap_printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = say(stdout, fmt, ap);
	va_end(ap);
	return n;
}

void tsip_wrap_dbg(int level, const char *fmt, ...)
{
	va_list ap;

	if (level > WARNING)
		return;
	va_start(ap, fmt);
	(void)say(stderr, fmt, ap);
	va_end(ap);
}
