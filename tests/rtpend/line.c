// SPDX-License-Identifier: Apache-2.0
/*
 * line.c - see line.h.  RFC 3550, RFC 3551, RFC 4733, and `rtpdump` for the
 * recording, so that any tool reads it.
 */
#include "rtpend/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	HEADER = 12,
	PT_PCMU = 0,
	PT_PCMA = 8,
	PT_EVENT = 101,
	PORT_MAX = 65534,
	SILENCE_PCMU = 0xff,
	SILENCE_PCMA = 0xd5,
	EVENT_VOLUME = 10,
	END_PACKETS = 3, /* RFC 4733 2.5.1.4 */
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	TONE_LEVEL = 8000,
	US = 1000000,
};

int64_t line_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * US + t.tv_nsec / 1000;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* --- sockets ----------------------------------------------------------------------- */

static int bound(unsigned port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at))) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static int open_ports(struct line *l, unsigned from)
{
	for (unsigned port = from & ~1U; port < PORT_MAX; port += 2) {
		l->rtp = bound(port);
		if (l->rtp < 0)
			continue;
		l->rtcp = bound(port + 1);
		if (l->rtcp >= 0) {
			l->port = port;
			return 0;
		}
		(void)close(l->rtp);
	}
	l->rtp = -1;
	return -EADDRINUSE;
}

int line_open(struct line *l, unsigned from, uint64_t chance)
{
	int err = open_ports(l, from);

	if (err)
		return err;
	l->in = l->conf.in;
	l->out = l->conf.out;
	l->ssrc = (uint32_t)(chance >> 16);
	l->seq = (uint16_t)chance;
	l->ts = (uint32_t)(chance * UINT64_C(0x9e3779b9));
	if (!l->conf.record[0])
		return 0;
	l->record = fopen(l->conf.record, "we");
	if (!l->record)
		return -errno;
	l->record_us = line_now_us();
	(void)fprintf(l->record, "#!rtpplay1.0 127.0.0.1/%u\n", l->port);
	/* struct timeval (0), source, port, padding */
	(void)fwrite((uint8_t[16]){0}, 16, 1, l->record);
	return 0;
}

void line_close(struct line *l)
{
	if (l->rtp >= 0)
		(void)close(l->rtp);
	if (l->rtcp >= 0)
		(void)close(l->rtcp);
	if (l->record)
		(void)fclose(l->record);
	l->rtp = l->rtcp = -1;
	l->record = NULL;
}

/* --- what comes in ------------------------------------------------------------------ */

static void write_down(struct line *l, const uint8_t *p, size_t n, bool rtcp)
{
	uint8_t head[8];

	if (!l->record)
		return;
	put16(head, (uint32_t)(n + sizeof(head)));
	put16(head + 2, rtcp ? 0 : (uint32_t)n);
	put32(head + 4, (uint32_t)((line_now_us() - l->record_us) / 1000));
	(void)fwrite(head, sizeof(head), 1, l->record);
	(void)fwrite(p, n, 1, l->record);
}

static void first_packet(struct line *l, uint32_t seq, uint32_t ts)
{
	struct line_heard *h = &l->heard;

	h->first_us = line_now_us();
	h->first_seq = h->top_seq = seq;
	h->first_ts = ts;
	l->begins_us = h->first_us + l->conf.late_ms * INT64_C(1000);
}

/* Its number, without the turns of 16 bits. */
static uint32_t long_seq(const struct line_heard *h, const uint8_t *p)
{
	return h->top_seq +
	       (uint32_t)(int16_t)(get16(p + 2) - (h->top_seq & 0xffff));
}

static void count_time(struct line_heard *h, uint32_t seq, uint32_t ts)
{
	int64_t now = line_now_us();
	int64_t due = h->first_us +
		      (int64_t)(seq - h->first_seq) * LINE_TICK_MS * 1000;

	h->last_us = now;
	if (now - due > h->late_us)
		h->late_us = now - due;
	if (due - now > h->early_us)
		h->early_us = due - now;
	h->bad_times += ts - h->first_ts != (seq - h->first_seq) * EAR_SAMPLES;
}

static void take_rtp(const uint8_t *p, size_t n, void *ctx)
{
	struct line *l = ctx;
	struct line_heard *h = &l->heard;
	uint32_t seq, ts, slot;

	if (n != HEADER + EAR_SAMPLES || p[0] != 0x80) {
		h->odd++;
		return;
	}
	ts = get32(p + 4);
	if (h->packets++ == 0)
		first_packet(l, get16(p + 2), ts);
	if (h->sources == 0 || h->ssrc != get32(p + 8))
		h->sources++;
	h->ssrc = get32(p + 8);
	h->markers += p[1] >> 7;
	h->pts[(p[1] & 0x7f) / 64] |= UINT64_C(1) << (p[1] & 0x3f);
	seq = long_seq(h, p);
	slot = seq % LINE_SEEN;
	if (h->seen[slot / 8] & 1U << slot % 8) {
		h->doubles++;
		return;
	}
	h->seen[slot / 8] |= (uint8_t)(1U << slot % 8);
	if ((int32_t)(seq - h->top_seq) < 0)
		h->overtaken++;
	else
		h->top_seq = seq;
	count_time(h, seq, ts);
	ear_take(&l->ear, ts, p + HEADER);
}

static void take_rtcp(struct line *l, const uint8_t *p, size_t n)
{
	while (n >= 4) {
		size_t bytes = 4 * ((size_t)get16(p + 2) + 1);

		if (p[0] >> 6 != 2 || bytes > n) {
			l->heard.odd++;
			return;
		}
		l->heard.sender_reports += p[1] == RTCP_SR;
		l->heard.cnames += p[1] == RTCP_SDES;
		l->heard.byes += p[1] == RTCP_BYE;
		p += bytes;
		n -= bytes;
	}
}

/* RFC 4961: where it comes from is where ours goes. */
static bool is_theirs(struct line *l, const struct sockaddr_in *from)
{
	if (!l->has_far)
		line_set_far(l, from);
	if (from->sin_addr.s_addr == l->far.sin_addr.s_addr &&
	    from->sin_port == l->far.sin_port)
		return true;
	l->heard.strange++;
	if (l->conf.follows)
		line_set_far(l, from);
	return l->conf.follows;
}

void line_read(struct line *l)
{
	uint8_t p[WIRE_PACKET_MAX];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(l->rtp, p, sizeof(p), 0, (struct sockaddr *)&from,
			     &len)) >= 0) {
		if (!is_theirs(l, &from))
			continue;
		write_down(l, p, (size_t)n, false);
		wire_put(&l->in, p, (size_t)n, take_rtp, l);
	}
	while ((n = recv(l->rtcp, p, sizeof(p), 0)) >= 0) {
		write_down(l, p, (size_t)n, true);
		take_rtcp(l, p, (size_t)n);
	}
}

void line_set_far(struct line *l, const struct sockaddr_in *far)
{
	l->far = *far;
	l->has_far = true;
}

/* --- what goes out --------------------------------------------------------------------- */

static void send_rtp(const uint8_t *p, size_t n, void *ctx)
{
	struct line *l = ctx;

	/* a port that is closed already is no business of ours */
	(void)sendto(l->rtp, p, n, 0, (const struct sockaddr *)&l->far,
		     sizeof(l->far));
	l->sent++;
}

static void put_header(struct line *l, uint8_t *p, unsigned pt, uint32_t ts)
{
	p[0] = 0x80;
	p[1] = (uint8_t)(pt | (l->begun ? 0 : 0x80));
	put16(p + 2, l->seq++);
	put32(p + 4, ts);
	put32(p + 8, l->ssrc);
	l->begun = true;
}

/* Q.23: a row and a column. */
static void put_tone(const struct line *l, char key, uint8_t *frame)
{
	static const char KEYS[] = "123456789*0#";
	static const double ROWS[] = {697, 770, 852, 941};
	static const double COLUMNS[] = {1209, 1336, 1477};
	size_t k = (size_t)(strchr(KEYS, key) - KEYS);

	for (unsigned i = 0; i < EAR_SAMPLES; i++) {
		double t = 2 * M_PI * (l->key_ticks * EAR_SAMPLES + i) / EAR_HZ;
		double v = sin(ROWS[k / 3] * t) + sin(COLUMNS[k % 3] * t);

		frame[i] = g711_encode(l->conf.pcma ? G711_PCMA : G711_PCMU,
				       (int16_t)(TONE_LEVEL * v));
	}
}

static void send_sound(struct line *l, char tone)
{
	uint8_t p[HEADER + EAR_SAMPLES];

	put_header(l, p, l->conf.pcma ? PT_PCMA : PT_PCMU, l->ts);
	if (tone)
		put_tone(l, tone, p + HEADER);
	else
		memset(p + HEADER, l->conf.pcma ? SILENCE_PCMA : SILENCE_PCMU,
		       EAR_SAMPLES);
	wire_put(&l->out, p, sizeof(p), send_rtp, l);
}

static void send_event(struct line *l, char key, unsigned ticks, bool end)
{
	static const char EVENTS[] = "0123456789*#";
	uint8_t p[HEADER + 4];

	if (ticks == 1)
		l->key_ts = l->ts;
	put_header(l, p, PT_EVENT, l->key_ts);
	if (ticks == 1)
		p[1] |= 0x80;
	p[HEADER] = (uint8_t)(strchr(EVENTS, key) - EVENTS);
	p[HEADER + 1] = (uint8_t)(EVENT_VOLUME | (end ? 0x80 : 0));
	put16(p + HEADER + 2, ticks * EAR_SAMPLES);
	wire_put(&l->out, p, sizeof(p), send_rtp, l);
}

/* The first of the keys, for one tick; false: a pause between two. */
static bool send_key(struct line *l)
{
	unsigned held = l->conf.key_ms / LINE_TICK_MS;
	unsigned all = held + (l->conf.tones ? 0 : END_PACKETS);
	unsigned at = ++l->key_ticks;
	char key = l->keys[0];

	if (at >= all + l->conf.gap_ms / LINE_TICK_MS) {
		memmove(l->keys, l->keys + 1, strlen(l->keys));
		l->key_ticks = 0;
	}
	if (at > all)
		return false;
	if (l->conf.tones)
		send_sound(l, key);
	else
		send_event(l, key, at < held ? at : held, at > held);
	return true;
}

static void report(struct line *l, bool bye)
{
	const struct line_heard *h = &l->heard;
	uint32_t lost = h->top_seq - h->first_seq + 1 -
			(uint32_t)(h->packets - h->doubles);
	uint8_t p[4 + 4 + 24 + 8] = {0x81, RTCP_RR, 0, 7};
	struct sockaddr_in to = l->far;

	put32(p + 4, l->ssrc);
	put32(p + 8, h->ssrc);
	put32(p + 12, lost & 0xffffff);
	put32(p + 16, h->top_seq);
	p[32] = 0x81;
	p[33] = RTCP_BYE;
	p[35] = 1;
	put32(p + 36, l->ssrc);
	to.sin_port = htons((uint16_t)(ntohs(to.sin_port) + 1));
	(void)sendto(l->rtcp, p, bye ? sizeof(p) : sizeof(p) - 8, 0,
		     (const struct sockaddr *)&to, sizeof(to));
}

void line_tick(struct line *l, int64_t now_us)
{
	if (!l->has_far || now_us < l->begins_us)
		return;
	if (l->conf.rtcp_ms > 0 && now_us >= l->reports_us &&
	    l->heard.packets > 0) {
		l->reports_us = now_us + l->conf.rtcp_ms * INT64_C(1000);
		report(l, false);
	}
	if (l->conf.sends && !(l->keys[0] && send_key(l)))
		send_sound(l, 0);
	l->ts += EAR_SAMPLES;
}

int line_press(struct line *l, const char *keys)
{
	size_t n = strlen(l->keys);

	if (n + strlen(keys) > LINE_KEYS_MAX ||
	    keys[strspn(keys, "0123456789*#")])
		return -E2BIG;
	memcpy(l->keys + n, keys, strlen(keys) + 1);
	return 0;
}

void line_bye(struct line *l)
{
	if (l->has_far)
		report(l, true);
}
