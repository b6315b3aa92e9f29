// SPDX-License-Identifier: Apache-2.0
/*
 * sip_sdp.c - offers and answers (RFC 3264, 4566): one audio, G.711, keys.
 *
 * All that a call needs is an address, a codec and a direction, so this reads
 * line by line and keeps nothing of what it does not know.  Reading and
 * answering walk over the same media lines with the same eyes: what was taken
 * when reading is what is accepted when answering.
 */
#include "tel/sip_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "media/rtp.h"

enum {
	MEDIA_MAX = 16,   /* m-lines answered; an offer with more is refused */
	FORMATS_MAX = 32, /* payload types looked at in one */
	PORT_MAX = 65535,
	PT_MAX = 127,
	PTIME_READ_MAX = 10000,
	PTIME_MS = 20,
	PTIME_STEP_MS = 20,
	PTIME_MOST_MS = 60,
};

/* One line "x=value"; blank lines are skipped.  A line that is none ends it. */
static bool next_line(struct span *rest, char *type, struct span *value)
{
	struct span line;

	while (span_cut(rest, '\n', &line)) {
		line = span_trim(line);
		if (line.n == 0)
			continue;
		if (line.n < 2 || line.p[1] != '=')
			return false;
		*type = line.p[0];
		*value = span_make(line.p + 2, line.n - 2);
		return true;
	}
	return false;
}

/* The next word; false: there is none. */
static bool word(struct span *rest, struct span *out)
{
	*rest = span_trim(*rest);
	if (rest->n == 0)
		return false;
	(void)span_cut(rest, ' ', out);
	return true;
}

static int number(struct span s, uint64_t max, unsigned *out)
{
	uint64_t n;

	if (span_uint(s, max, &n) != 0)
		return -EINVAL;
	*out = (unsigned)n;
	return 0;
}

/* --- addresses -------------------------------------------------------------------- */

/* "IN IP4 192.0.2.1", also with a TTL or a count behind a slash. */
static int address(struct span value, struct sockaddr_storage *out)
{
	struct span net, type, text, host;
	char literal[INET6_ADDRSTRLEN];
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;

	if (!word(&value, &net) || !word(&value, &type) || !word(&value, &text))
		return -EINVAL;
	(void)span_cut(&text, '/', &host);
	if (!tsip_text_is(net, "IN") || host.n >= sizeof(literal))
		return -ENOTSUP;
	memcpy(literal, host.p, host.n);
	literal[host.n] = '\0';
	memset(out, 0, sizeof(*out));
	if (tsip_text_is(type, "IP4") &&
	    inet_pton(AF_INET, literal, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		return IN_MULTICAST(ntohl(in4->sin_addr.s_addr)) ? -ENOTSUP : 0;
	}
	if (tsip_text_is(type, "IP6") &&
	    inet_pton(AF_INET6, literal, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		return IN6_IS_ADDR_MULTICAST(&in6->sin6_addr) ? -ENOTSUP : 0;
	}
	return -ENOTSUP; /* a name: nothing is looked up in the middle of a call
			  */
}

static void set_port(struct sockaddr_storage *a, unsigned port)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)(void *)a)->sin_port =
			htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)(void *)a)->sin6_port =
			htons((uint16_t)port);
}

static bool is_any(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)a)
			       ->sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(
		&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

/* --- media ------------------------------------------------------------------------- */

/* What a media line and the lines under it say. */
struct media {
	struct span kind, transport, formats;
	unsigned port;
	int address_err; /* -ENOENT: none was given */
	struct sockaddr_storage address;
	enum tsip_sdp_direction direction;
	unsigned ptime_ms, maxptime_ms; /* 0: not said */
	struct span rtcp;
	/* of its formats, in their order */
	struct format {
		uint8_t pt;
		enum {
			FORMAT_UNKNOWN,
			FORMAT_PCMU,
			FORMAT_PCMA,
			FORMAT_EVENT
		} is;
	} list[FORMATS_MAX];
	size_t count;
};

static bool is_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ')
			return false;
	}
	return true;
}

static int begin_media(struct media *m, const struct media *session,
		       struct span value)
{
	struct span port, number_text, one;

	*m = *session;
	if (!is_printable(value))
		return -EINVAL; /* an answer repeats it */
	if (!word(&value, &m->kind) || !word(&value, &port) ||
	    !word(&value, &m->transport))
		return -EINVAL;
	(void)span_cut(&port, '/', &number_text); /* "49170/2" */
	if (number(number_text, PORT_MAX, &m->port) != 0)
		return -EINVAL;
	m->formats = span_trim(value);
	while (m->count < FORMATS_MAX && word(&value, &one)) {
		struct format f = {0};
		unsigned pt;

		if (number(one, PT_MAX, &pt) != 0)
			continue; /* of another transport */
		f.pt = (uint8_t)pt;
		if (pt == RTP_PT_PCMU || pt == RTP_PT_PCMA)
			f.is = pt == RTP_PT_PCMU ? FORMAT_PCMU : FORMAT_PCMA;
		m->list[m->count++] = f;
	}
	return 0;
}

/* "101 telephone-event/8000" */
static void take_rtpmap(struct media *m, struct span value)
{
	static const struct {
		const char *name;
		int is;
	} known[] = {
		{"PCMU/8000", FORMAT_PCMU},
		{"PCMU/8000/1", FORMAT_PCMU},
		{"PCMA/8000", FORMAT_PCMA},
		{"PCMA/8000/1", FORMAT_PCMA},
		{"telephone-event/8000", FORMAT_EVENT},
	};
	struct span pt_text, name;
	unsigned pt;

	if (!word(&value, &pt_text) || !word(&value, &name) ||
	    number(pt_text, PT_MAX, &pt) != 0)
		return;
	for (size_t i = 0; i < m->count; i++) {
		if (m->list[i].pt != pt)
			continue;
		m->list[i].is = FORMAT_UNKNOWN;
		for (size_t k = 0; k < COUNT_OF(known); k++) {
			if (tsip_text_is(name, known[k].name))
				m->list[i].is = known[k].is;
		}
	}
}

static unsigned leading_ms(struct span value)
{
	size_t n = 0;
	unsigned ms;

	while (n < value.n && value.p[n] >= '0' && value.p[n] <= '9')
		n++;
	value.n = n;
	return number(value, PTIME_READ_MAX, &ms) == 0 ? ms : 0;
}

static void take_attribute(struct media *m, struct span value)
{
	static const struct {
		const char *name;
		enum tsip_sdp_direction is;
	} directions[] = {
		{"sendrecv", TSIP_SDP_SENDRECV},
		{"sendonly", TSIP_SDP_SENDONLY},
		{"recvonly", TSIP_SDP_RECVONLY},
		{"inactive", TSIP_SDP_INACTIVE},
	};
	struct span name;

	(void)span_cut(&value, ':', &name);
	name = span_trim(name);
	value = span_trim(value);
	for (size_t i = 0; i < COUNT_OF(directions); i++) {
		if (tsip_text_is(name, directions[i].name))
			m->direction = directions[i].is;
	}
	if (tsip_text_is(name, "rtpmap"))
		take_rtpmap(m, value);
	else if (tsip_text_is(name, "ptime"))
		m->ptime_ms = leading_ms(value);
	else if (tsip_text_is(name, "maxptime"))
		m->maxptime_ms = leading_ms(value);
	else if (tsip_text_is(name, "rtcp"))
		m->rtcp = value;
}

static void take_line(struct media *m, char type, struct span value)
{
	if (type == 'c')
		m->address_err = address(value, &m->address);
	else if (type == 'a')
		take_attribute(m, value);
}

/* --- walking ------------------------------------------------------------------------- */

struct walk {
	struct span rest;
	struct media session;
	struct span next; /* the m-line that the last one ended at */
};

/* -EINVAL: this is no SDP. */
static int walk_begin(struct walk *w, struct span sdp)
{
	struct span value;
	char type;

	*w = (struct walk){.rest = sdp, .session.address_err = -ENOENT};
	if (!next_line(&w->rest, &type, &value) || type != 'v' ||
	    !span_is(value, "0"))
		return -EINVAL;
	while (next_line(&w->rest, &type, &value)) {
		if (type == 'm') {
			w->next = value;
			return 0;
		}
		take_line(&w->session, type, value);
	}
	return -EINVAL;
}

/* 1: *m is the next; 0: there is none; -EINVAL. */
static int walk_media(struct walk *w, struct media *m)
{
	struct span value;
	char type;
	int err;

	if (!w->next.p)
		return 0;
	err = begin_media(m, &w->session, w->next);
	w->next = (struct span){0};
	if (err)
		return err;
	while (next_line(&w->rest, &type, &value)) {
		if (type == 'm') {
			w->next = value;
			break;
		}
		take_line(m, type, value);
	}
	return 1;
}

static const struct format *find_format(const struct media *m, bool event)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->list[i].is == FORMAT_UNKNOWN)
			continue;
		if ((m->list[i].is == FORMAT_EVENT) == event)
			return &m->list[i];
	}
	return NULL;
}

static bool can_take(const struct media *m)
{
	return tsip_text_is(m->kind, "audio") &&
	       tsip_text_is(m->transport, "RTP/AVP") && m->port != 0 &&
	       m->address_err == 0 && find_format(m, false);
}

/* --- reading -------------------------------------------------------------------------- */

/* What they want to get in one packet, as near as we can. */
static unsigned ptime_of(const struct media *m)
{
	unsigned ms = m->ptime_ms ? m->ptime_ms : PTIME_MS;

	if (m->maxptime_ms && m->maxptime_ms < ms)
		ms = m->maxptime_ms;
	if (ms > PTIME_MOST_MS)
		return PTIME_MOST_MS;
	ms -= ms % PTIME_STEP_MS;
	return ms ? ms : PTIME_MS;
}

/* RFC 3605: "53020" or "53020 IN IP4 192.0.2.1"; else the port above. */
static void set_rtcp(const struct media *m, struct pump_far *far)
{
	struct span value = m->rtcp, port_text;
	struct sockaddr_storage other;
	unsigned port;

	far->rtcp = far->rtp;
	set_port(&far->rtcp, m->port < PORT_MAX ? m->port + 1 : 0);
	if (!word(&value, &port_text) ||
	    number(port_text, PORT_MAX, &port) != 0 || port == 0)
		return;
	if (address(value, &other) == 0)
		far->rtcp = other;
	set_port(&far->rtcp, port);
}

static enum tsip_sdp_direction held(enum tsip_sdp_direction d)
{
	return d == TSIP_SDP_SENDRECV || d == TSIP_SDP_SENDONLY
		       ? TSIP_SDP_SENDONLY
		       : TSIP_SDP_INACTIVE;
}

static void set_far(const struct media *m, struct pump_far *far,
		    enum tsip_sdp_direction *theirs)
{
	const struct format *audio = find_format(m, false);
	const struct format *event = find_format(m, true);
	enum tsip_sdp_direction d = m->direction;

	far->rtp = m->address;
	set_port(&far->rtp, m->port);
	set_rtcp(m, far);
	far->codec = audio->is == FORMAT_PCMU ? G711_PCMU : G711_PCMA;
	far->audio_pt = audio->pt;
	far->event_pt = event ? event->pt : 0;
	far->keys = event ? PUMP_KEYS_EVENTS : PUMP_KEYS_NONE;
	far->ptime_ms = ptime_of(m);
	if (is_any(&m->address))
		d = held(d); /* RFC 2543: nothing is to be sent there */
	far->send = d == TSIP_SDP_SENDRECV || d == TSIP_SDP_RECVONLY;
	far->receive = d == TSIP_SDP_SENDRECV || d == TSIP_SDP_SENDONLY;
	*theirs = d;
}

int tsip_sdp_read(struct span sdp, struct pump_far *far,
		  enum tsip_sdp_direction *theirs)
{
	struct walk w;
	struct media m;
	int more, err = walk_begin(&w, sdp);

	if (err)
		return err;
	for (unsigned i = 0; i < MEDIA_MAX; i++) {
		more = walk_media(&w, &m);
		if (more < 0)
			return more;
		if (more == 0)
			return -ENOTSUP;
		if (can_take(&m)) {
			set_far(&m, far, theirs);
			return 0;
		}
	}
	return -ENOTSUP;
}

enum tsip_sdp_direction tsip_sdp_reply(enum tsip_sdp_direction theirs)
{
	switch (theirs) { /* RFC 3264 6.1 */
	case TSIP_SDP_SENDONLY:
		return TSIP_SDP_RECVONLY;
	case TSIP_SDP_RECVONLY:
		return TSIP_SDP_SENDONLY;
	case TSIP_SDP_INACTIVE:
		return TSIP_SDP_INACTIVE;
	case TSIP_SDP_SENDRECV:
		break;
	}
	return TSIP_SDP_SENDRECV;
}

/* --- writing ---------------------------------------------------------------------------- */

static const char *codec_name(enum g711_codec c)
{
	return c == G711_PCMU ? "PCMU" : "PCMA";
}

static unsigned codec_pt(enum g711_codec c)
{
	return c == G711_PCMU ? RTP_PT_PCMU : RTP_PT_PCMA;
}

static void write_session(const struct tsip_sdp_ours *o, struct buf *b)
{
	const char *type = strchr(o->address, ':') ? "IP6" : "IP4";

	buf_printf(b, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\n",
		   (unsigned long long)o->session,
		   (unsigned long long)o->version, type, o->address);
	buf_printf(b, "c=IN %s %s\r\nt=0 0\r\n", type, o->address);
}

static void write_events(unsigned pt, struct buf *b)
{
	buf_printf(b, "a=rtpmap:%u telephone-event/8000\r\n", pt);
	buf_printf(b, "a=fmtp:%u 0-15\r\n", pt);
}

static void write_end(const struct tsip_sdp_ours *o, struct buf *b)
{
	static const char *const names[] = {
		[TSIP_SDP_SENDRECV] = "sendrecv",
		[TSIP_SDP_SENDONLY] = "sendonly",
		[TSIP_SDP_RECVONLY] = "recvonly",
		[TSIP_SDP_INACTIVE] = "inactive",
	};

	buf_printf(b, "a=ptime:%u\r\na=rtcp:%u\r\na=%s\r\n", o->ptime_ms,
		   o->port + 1, names[o->direction]);
}

static void write_offer(const struct tsip_sdp_ours *o, struct buf *b)
{
	enum g711_codec second = o->first == G711_PCMU ? G711_PCMA : G711_PCMU;

	buf_printf(b, "m=audio %u RTP/AVP %u", o->port, codec_pt(o->first));
	if (o->both)
		buf_printf(b, " %u", codec_pt(second));
	if (o->events)
		buf_printf(b, " %u", (unsigned)RTP_PT_EVENT);
	buf_printf(b, "\r\na=rtpmap:%u %s/8000\r\n", codec_pt(o->first),
		   codec_name(o->first));
	if (o->both)
		buf_printf(b, "a=rtpmap:%u %s/8000\r\n", codec_pt(second),
			   codec_name(second));
	if (o->events)
		write_events(RTP_PT_EVENT, b);
	write_end(o, b);
}

static void write_accepted(const struct tsip_sdp_ours *o, struct buf *b)
{
	const struct pump_far *far = o->agreed;
	bool events = o->events && (far->keys & PUMP_KEYS_EVENTS);

	buf_printf(b, "m=audio %u RTP/AVP %u", o->port, far->audio_pt);
	if (events)
		buf_printf(b, " %u", far->event_pt);
	buf_printf(b, "\r\na=rtpmap:%u %s/8000\r\n", far->audio_pt,
		   codec_name(far->codec));
	if (events)
		write_events(far->event_pt, b);
	write_end(o, b);
}

/* RFC 3264 6: a media line for each of theirs, in their order. */
static int write_answer(const struct tsip_sdp_ours *o, struct buf *b)
{
	struct walk w;
	struct media m;
	bool taken = false;
	int more, err = walk_begin(&w, o->offer);

	if (err)
		return err;
	for (unsigned i = 0; (more = walk_media(&w, &m)) > 0; i++) {
		if (i == MEDIA_MAX)
			return -E2BIG;
		if (!taken && can_take(&m)) {
			taken = true;
			write_accepted(o, b);
			continue;
		}
		buf_str(b, "m=");
		buf_span(b, m.kind);
		buf_str(b, " 0 ");
		buf_span(b, m.transport);
		buf_byte(b, ' ');
		buf_span(b, m.formats);
		buf_str(b, "\r\n");
	}
	if (more < 0)
		return more;
	return taken ? 0 : -ENOTSUP;
}

int tsip_sdp_write(const struct tsip_sdp_ours *o, char *out, size_t size)
{
	AUTO_BUF(b, TSIP_SDP_MAX);
	int err = 0;

	write_session(o, &b);
	if (o->offer.p)
		err = write_answer(o, &b);
	else
		write_offer(o, &b);
	if (err)
		return err;
	if (b.err || b.n >= size)
		return -E2BIG;
	memcpy(out, b.p, b.n + 1);
	return 0;
}
