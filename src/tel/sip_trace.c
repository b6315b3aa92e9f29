// SPDX-License-Identifier: Apache-2.0
/*
 * sip_trace.c - a call's signalling as text, blanked.
 *
 * A trace is read by people who look for a fault, is stored with the call, and
 * so must hold nothing that a log may not: a message is taken line by line and
 * only what is known to be harmless stays as it was.  Of a body, only SDP is
 * kept; INFO carries keys.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "tel/sip_priv.h"

enum {
	NUMBER_MIN = 7, /* digits that are a number wherever they stand */
	SHORT_MIN = 3,  /* ... and in the user part of an address */
	SHOWN = 2,
	OCTETS = 4,
	OCTET_MAX = 255,
};

static const char blanked[] = "[blanked]";
static const char cut[] = "[the rest was cut]\n";

struct tsip_trace {
	struct buf text;
	bool full;
};

/* How a header's value is kept. */
enum keep { KEEP_BLANKED, KEEP_WHOLE, KEEP_NOTHING };

static const struct {
	const char *name;
	enum keep keep;
} headers[] = {
	{"Authorization", KEEP_NOTHING},
	{"Proxy-Authorization", KEEP_NOTHING},
	{"Authentication-Info", KEEP_NOTHING},
	{"Proxy-Authentication-Info", KEEP_NOTHING},
	{"Identity", KEEP_NOTHING}, /* its token names both numbers */
	{"Accept", KEEP_WHOLE},
	{"Allow", KEEP_WHOLE},
	{"Call-ID", KEEP_WHOLE},
	{"Content-Length", KEEP_WHOLE},
	{"Content-Type", KEEP_WHOLE},
	{"CSeq", KEEP_WHOLE},
	{"Date", KEEP_WHOLE},
	{"Expires", KEEP_WHOLE},
	{"Max-Forwards", KEEP_WHOLE},
	{"Min-SE", KEEP_WHOLE},
	{"Proxy-Authenticate", KEEP_WHOLE},
	{"RAck", KEEP_WHOLE},
	{"Require", KEEP_WHOLE},
	{"Retry-After", KEEP_WHOLE},
	{"RSeq", KEEP_WHOLE},
	{"Server", KEEP_WHOLE},
	{"Session-Expires", KEEP_WHOLE},
	{"Supported", KEEP_WHOLE},
	{"Timestamp", KEEP_WHOLE},
	{"User-Agent", KEEP_WHOLE},
	{"Via", KEEP_WHOLE},
	{"WWW-Authenticate", KEEP_WHOLE},
	{"c", KEEP_WHOLE},
	{"i", KEEP_WHOLE},
	{"k", KEEP_WHOLE},
	{"l", KEEP_WHOLE},
	{"v", KEEP_WHOLE},
	{"x", KEEP_WHOLE},
	{"y", KEEP_NOTHING},
};

static bool same(struct span s, const char *text)
{
	return s.n == strlen(text) && !strncasecmp(s.p, text, s.n);
}

static enum keep how(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		if (same(name, headers[i].name))
			return headers[i].keep;
	return KEEP_BLANKED;
}

/* --- numbers ------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Four numbers up to 255: an address, whatever else it looks like. */
static bool is_address(struct span run)
{
	size_t octets = 0;
	struct span octet;

	while (span_cut(&run, '.', &octet)) {
		uint64_t value;

		if (++octets > OCTETS || span_uint(octet, OCTET_MAX, &value))
			return false;
	}
	return octets == OCTETS;
}

/* A run of digits from `at`, with what people part them by (RFC 3966 5.1.1). */
static size_t run_bytes(const char *at, const char *end, size_t *digits)
{
	const char *last = at;

	*digits = 0;
	for (const char *p = at; p < end; p++) {
		if (is_digit(*p)) {
			++*digits;
			last = p;
		} else if (!strchr("-.() ", *p) || *p == '\0') {
			break;
		}
	}
	return (size_t)(last - at) + 1;
}

static void add_run(struct buf *b, struct span run, size_t digits, size_t min)
{
	if (digits < min || is_address(run)) {
		buf_span(b, run);
		return;
	}
	for (size_t i = 0; i < run.n; i++) {
		bool hide = is_digit(run.p[i]) && digits-- > SHOWN;

		buf_byte(b, hide ? 'x' : (unsigned char)run.p[i]);
	}
}

static void add_text(struct buf *b, struct span s, size_t min)
{
	const char *end = s.p + s.n;

	while (s.n > 0) {
		size_t digits, n = 1;

		if (!is_digit(*s.p)) {
			buf_byte(b, (unsigned char)*s.p);
		} else {
			n = run_bytes(s.p, end, &digits);
			add_run(b, span_make(s.p, n), digits, min);
		}
		s = span_make(s.p + n, (size_t)(end - s.p) - n);
	}
}

/* What stands between "sip:" and "@": a number, or a name and a password. */
static void add_user(struct buf *b, struct span user)
{
	struct span name;

	if (!span_cut(&user, ':', &name))
		return;
	add_text(b, name, SHORT_MIN);
	if (user.p)
		buf_printf(b, ":%s", blanked);
}

static size_t scheme_bytes(struct span s)
{
	static const char *const schemes[] = {"sip:", "sips:", "tel:"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (s.n >= n && !strncasecmp(s.p, schemes[i], n))
			return n;
	}
	return 0;
}

static bool ends_address(char c)
{
	return c == '<' || c == '>' || c == '\t' || c == '"' || c == ',' ||
	       c == '?';
}

/* What stands between "sip:" and "@"; 0: only a host does. */
static size_t user_bytes(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '@')
			return i;
		if (ends_address(s.p[i]) || s.p[i] == ' ')
			return 0;
	}
	return 0;
}

/* A tel: address has no host; people put blanks into it. */
static size_t tel_bytes(struct span s)
{
	size_t n = 0;

	while (n < s.n && !ends_address(s.p[n]))
		n++;
	return n;
}

/* "sip:user" at the start of `s`; 0: it is none. */
static size_t add_address(struct buf *b, struct span s)
{
	size_t scheme = scheme_bytes(s), user;
	struct span rest;

	if (scheme == 0)
		return 0;
	buf_add(b, s.p, scheme);
	rest = span_make(s.p + scheme, s.n - scheme);
	if (tolower((unsigned char)*s.p) == 't') {
		user = tel_bytes(rest);
		add_text(b, span_make(rest.p, user), SHORT_MIN);
	} else {
		user = user_bytes(rest);
		add_user(b, span_make(rest.p, user));
	}
	return scheme + user;
}

/* ";tag=x" at the start of `s`: how dialogs are told apart; 0: it is none. */
static size_t add_tag(struct buf *b, struct span s)
{
	static const char name[] = ";tag=";
	size_t n = sizeof(name) - 1;

	if (s.n < n || strncasecmp(s.p, name, n) != 0)
		return 0;
	while (n < s.n && !strchr(";,> ", s.p[n]))
		n++;
	buf_add(b, s.p, n);
	return n;
}

/* A value that may hold addresses and numbers anywhere. */
void tsip_trace_blank(struct buf *b, struct span s)
{
	struct span plain = span_make(s.p, 0);

	while (plain.n < s.n) {
		struct span at = span_make(s.p + plain.n, s.n - plain.n);
		size_t n;

		if (scheme_bytes(at) == 0 && *at.p != ';') {
			plain.n++;
			continue;
		}
		add_text(b, plain, NUMBER_MIN);
		n = add_address(b, at);
		if (n == 0)
			n = add_tag(b, at);
		if (n == 0)
			buf_byte(b, (unsigned char)at.p[n++]);
		s = span_make(at.p + n, at.n - n);
		plain = span_make(s.p, 0);
	}
	add_text(b, plain, NUMBER_MIN);
}

/* --- messages ------------------------------------------------------------------- */

/* One line without its end; a folded one goes on as the line before it. */
static void add_header(struct buf *b, struct span line, enum keep *keep)
{
	struct span value = line, name = span_make(line.p, 0);

	if (line.n == 0 || (*line.p != ' ' && *line.p != '\t')) {
		*keep = KEEP_BLANKED;
		if (span_cut(&value, ':', &name) && value.p)
			*keep = how(span_trim(name));
		else
			name.n = 0;
	}
	if (name.n == 0)
		value = line;
	if (name.n > 0) {
		buf_span(b, name);
		buf_byte(b, ':');
	}
	switch (*keep) {
	case KEEP_WHOLE:
		buf_span(b, value);
		break;
	case KEEP_NOTHING:
		buf_printf(b, " %s", blanked);
		break;
	case KEEP_BLANKED:
		tsip_trace_blank(b, value);
		break;
	}
	buf_byte(b, '\n');
}

static struct span next_line(struct span *rest)
{
	struct span line;

	if (!span_cut(rest, '\n', &line))
		return span_make("", 0);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool says_sdp(struct span value)
{
	struct span name;

	if (!span_cut(&value, ':', &name) || !value.p)
		return false;
	name = span_trim(name);
	value = span_trim(value);
	return (same(name, "Content-Type") || same(name, "c")) &&
	       value.n >= sizeof("application/sdp") - 1 &&
	       !strncasecmp(value.p, "application/sdp",
			    sizeof("application/sdp") - 1);
}

/* "o=user id version ...": the user may be a number. */
static void add_origin(struct buf *b, struct span line)
{
	struct span user;

	if (!span_cut(&line, ' ', &user))
		return;
	add_text(b, user, SHORT_MIN);
	if (!line.p)
		return;
	buf_byte(b, ' ');
	buf_span(b, line);
}

/* Session ids and ports stay; keys, names and numbers do not. */
static void add_sdp(struct buf *b, struct span body)
{
	while (body.p && body.n > 0) {
		struct span line = next_line(&body);

		if (span_starts(line, "a=crypto") || span_starts(line, "k="))
			buf_printf(b, "%.2s%s", line.p, blanked);
		else if (span_starts(line, "o="))
			add_origin(b, line);
		else if (span_starts(line, "m=") || span_starts(line, "c=") ||
			 span_starts(line, "t=") || span_starts(line, "a=") ||
			 span_starts(line, "v="))
			buf_span(b, line);
		else
			tsip_trace_blank(b, line);
		buf_byte(b, '\n');
	}
}

static void add_message(struct buf *b, struct span m)
{
	struct span first = next_line(&m);
	bool info =
		span_starts(first, "INFO ") || span_starts(first, "MESSAGE ");
	bool sdp = false;
	enum keep keep = KEEP_BLANKED;

	/* "sip:" is looked for in it, "SIP/2.0" is not a number */
	tsip_trace_blank(b, first);
	buf_byte(b, '\n');
	while (m.p) {
		struct span line = next_line(&m);

		if (line.n == 0)
			break;
		if (says_sdp(line))
			sdp = true;
		add_header(b, line, &keep);
	}
	if (!m.p || m.n == 0)
		return;
	buf_byte(b, '\n');
	if (sdp && !info)
		add_sdp(b, m);
	else
		buf_printf(b, "%s\n", blanked);
}

struct tsip_trace *tsip_trace_new(void)
{
	struct tsip_trace *t = b_zero(1, sizeof(*t));

	/* one message may grow by what blanking adds; the text ends at the
	 * limit all the same */
	buf_init(&t->text, TEL_SIP_TRACE_MAX);
	return t;
}

void tsip_trace_free(struct tsip_trace *t)
{
	if (!t)
		return;
	buf_free(&t->text);
	free(t);
}

void tsip_trace_add(struct tsip_trace *t, bool sent, int64_t wall_ms,
		    struct span message)
{
	char now[CLOCK_TEXT_BYTES];
	size_t before = t->text.n;

	if (t->full)
		return;
	/* room is kept for saying that there is no more */
	t->text.max = TEL_SIP_TRACE_MAX - sizeof(cut);
	clock_text(wall_ms, now);
	buf_printf(&t->text, "%s %s\n", now, sent ? "sent" : "received");
	add_message(&t->text, message);
	buf_byte(&t->text, '\n');
	if (!t->text.err)
		return;
	t->full = true;
	t->text.n = before;
	t->text.err = 0;
	t->text.max = TEL_SIP_TRACE_MAX;
	buf_str(&t->text, cut);
}

const char *tsip_trace_text(struct tsip_trace *t)
{
	return t->text.p ? t->text.p : "";
}

/* --- all messages --------------------------------------------------------------------- */

static struct span call_id(struct span m)
{
	(void)next_line(&m);
	while (m.p) {
		struct span value = next_line(&m), name;

		if (value.n == 0)
			break;
		if (!span_cut(&value, ':', &name) || !value.p)
			continue;
		name = span_trim(name);
		if (same(name, "Call-ID") || same(name, "i"))
			return span_trim(value);
	}
	return span_make("", 0);
}

/* NOLINTNEXTLINE(readability-function-size): libre's signature */
static void on_message(bool tx, enum sip_transp tp, const struct sa *src,
		       const struct sa *dst, const uint8_t *pkt, size_t len,
		       void *arg)
{
	struct tel_sip *s = arg;
	struct span m = span_make(pkt, len);
	struct tsip_call *c;
	struct tsip_trace *t;

	(void)tp;
	(void)src;
	(void)dst;
	if (tx)
		tsip_stray_sent(s, m);
	c = tsip_call_find(s, call_id(m));
	t = c ? tsip_call_trace(c) : NULL;
	if (t)
		tsip_trace_add(t, tx, clock_wall_ms(loop_clock(s->p.loop)), m);
}

void tsip_trace_open(struct tel_sip *s)
{
	sip_set_trace_handler(s->sip, on_message);
}
