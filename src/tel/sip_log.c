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
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "tel/sip_priv.h"

enum {
	LINE_BYTES = 1024, /* of what libre says at once */
	/* blanking adds a word where a password was */
	BLANKED_BYTES = 2 * LINE_BYTES,
	WINDOW_MS = 60 * 1000,
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
	uint64_t since_ms; /* the minute that is being counted */
	unsigned lines, dropped;
} state;

void tsip_log_catch(void)
{
	state.caught = true;
	state.since_ms = tmr_jiffies();
	state.lines = state.dropped = 0;
}

void tsip_log_release(void)
{
	state.caught = false;
}

static bool allowed(unsigned *dropped)
{
	uint64_t now = tmr_jiffies();

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
	char text[LINE_BYTES] = "";
	AUTO_BUF(line, BLANKED_BYTES);
	struct span said;
	unsigned dropped = 0;
	int n;

	if (!state.caught)
		return re_vfprintf(stream, fmt, ap);
	if (!allowed(&dropped))
		return 0;
	n = re_vsnprintf(text, sizeof(text), fmt, ap);
	said = span_trim(span_make(text, strnlen(text, sizeof(text))));
	tsip_trace_blank(&line, said);
	if (n < 0) /* libre leaves out the part that does not fit */
		buf_str(&line, "[cut]");
	if (line.n > 0)
		log_warn("sip.library", "text", LOG_S(line.p), "dropped",
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
