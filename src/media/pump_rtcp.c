// SPDX-License-Identifier: Apache-2.0
/*
 * pump_rtcp.c - reports, ours and theirs (RFC 3550 6).
 *
 * There are two parties to a call, so the bandwidth rules of 6.2 come down to
 * one report each five seconds, at no fixed beat.
 */
#include <string.h>
#include <time.h>

#include "media/pump_priv.h"

enum {
	TYPE_FIRST = 192, /* RFC 5761 4: what is no RTP beside it */
	TYPE_LAST = 223,
	SECOND_US = 1000 * 1000,
	UNIT = 65536, /* of a report's times, in a second */
	RTT_MAX_US = 60 * SECOND_US,
	SSRC_AT = 4,
};

bool pump_rtcp_is(struct span packet)
{
	return packet.n >= 2 && (uint8_t)packet.p[1] >= TYPE_FIRST &&
	       (uint8_t)packet.p[1] <= TYPE_LAST;
}

static uint64_t ntp_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return rtcp_ntp((int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000);
}

/* The 32 bits in the middle: seconds and 1/65536 of them. */
static uint32_t middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

/* --- ours ------------------------------------------------------------------------- */

void pump_rtcp_plan(struct pump *p, struct pump_stream *s, int64_t now_ms)
{
	/* 6.3.1: between half and one and a half of it */
	s->rtcp_ms = now_ms + p->rtcp_ms / 2 +
		     (int64_t)(pump_dice(p) % (uint64_t)p->rtcp_ms);
}

static void about_source(struct pump_stream *s, struct rtcp_block *b)
{
	b->ssrc = s->source_ssrc;
	b->fraction = rtp_source_fraction(&s->from);
	b->lost = (int32_t)rtp_source_lost(&s->from);
	b->highest = rtp_source_highest(&s->from);
	b->jitter = s->from.jitter / 16;
	b->last_sr = s->sr_middle;
	b->delay = s->sr_middle ? (uint32_t)((pump_now_us() - s->sr_heard_us) *
					     UNIT / SECOND_US)
				: 0;
}

/* Where reports go: beside the sound, also when that goes to a locked source
 * whose SDP named a place behind a NAT. */
static struct pump_addr where(const struct pump_stream *s)
{
	struct pump_addr to = s->way.rtcp;

	if (s->placed && !pump_addr_equal(&s->source, &s->way.rtp)) {
		to = s->source;
		if (!s->way.mux)
			to.port++;
	}
	return to;
}

void pump_rtcp_send(struct pump *p, struct pump_stream *s, bool bye)
{
	const struct pump_hot *h = &p->hot[s->index];
	const struct pump_port *port = &p->ports.at[s->port];
	struct rtcp_report r = {.ssrc = h->ssrc,
				.sends = h->flags & PUMP_SENDS && h->sent > 0,
				.cname = s->cname,
				.bye = bye};
	struct pump_addr to = where(s);
	struct sockaddr_storage at;
	uint8_t packet[RTCP_COMPOUND_MAX];
	socklen_t at_len;
	size_t n;

	if (to.port == 0)
		return;
	if (r.sends) {
		r.ntp = ntp_now();
		/* the next packet's, but for at most one tick */
		r.rtp_ts = h->ts;
		r.packets = h->sent;
		r.bytes = (uint32_t)pump_sent_bytes(p, s);
	}
	r.has_block = s->locked && s->from.begun;
	if (r.has_block)
		about_source(s, &r.block);
	n = rtcp_write(&r, packet);
	at_len = pump_addr_to(&p->ports, &to, &at);
	(void)sendto(s->way.mux ? port->rtp : port->rtcp, packet, n,
		     MSG_DONTWAIT, (struct sockaddr *)&at, at_len);
}

/* --- theirs ------------------------------------------------------------------------- */

/* Whose SSRC a compound packet begins with. */
static bool sender(struct span packet, uint32_t *out)
{
	const uint8_t *b = (const uint8_t *)packet.p + SSRC_AT;

	if (packet.n < SSRC_AT + sizeof(*out))
		return false;
	*out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
	return true;
}

/* The one it is from: by its SSRC, or the only one that has none yet. */
static struct pump_stream *find(struct pump *p, const struct pump_key *k,
				uint32_t ssrc)
{
	struct pump_stream *open = NULL, *s;
	uint32_t at = UINT32_MAX;
	unsigned opens = 0;

	while ((s = pump_table_next(&p->table, k, &at))) {
		if (s->locked && s->source_ssrc == ssrc)
			return s;
		if (!s->locked) {
			open = s;
			opens++;
		}
	}
	return opens == 1 ? open : NULL;
}

static void take_block(struct pump_stream *s, const struct rtcp_block *b,
		       int64_t at_us)
{
	int64_t age_us = pump_now_us() - at_us;
	uint32_t now =
		middle(ntp_now()) - (uint32_t)(age_us * UNIT / SECOND_US);
	int32_t round = (int32_t)(now - b->last_sr - b->delay);
	int64_t rtt_us = (int64_t)round * SECOND_US / UNIT;

	s->stats.reported = true;
	s->stats.far_lost = b->lost;
	s->stats.far_jitter_us =
		(unsigned)((uint64_t)b->jitter * SECOND_US / RTP_HZ);
	if (b->last_sr != 0 && rtt_us >= 0 && rtt_us < RTT_MAX_US)
		s->stats.rtt_us = rtt_us > 0 ? (unsigned)rtt_us : 1;
}

static void take(struct pump *p, struct pump_stream *s,
		 const struct rtcp_heard *r, int64_t at_us)
{
	struct pump_note lost = {.kind = PUMP_LOST};

	s->heard_ms = at_us / 1000;
	if (r->sr) {
		s->sr_middle = middle(r->ntp);
		s->sr_heard_us = at_us;
	}
	if (r->has_block)
		take_block(s, &r->block, at_us);
	if (r->bye && !s->lost_told)
		s->lost_told = pump_tell(p, s, &lost);
}

void pump_rtcp_heard(struct pump *p, uint16_t port, enum pump_door door,
		     const struct pump_addr *from, struct span packet,
		     int64_t at_us)
{
	struct pump_key k = {.from = from, .port = port, .door = door};
	struct pump_addr beside = *from;
	struct pump_stream *s = NULL;
	struct rtcp_heard r;
	uint32_t ssrc;

	if (sender(packet, &ssrc)) {
		s = find(p, &k, ssrc);
		if (!s && door == PUMP_RTCP) {
			/* from above a source that no SDP named */
			beside.port--;
			k = (struct pump_key){.from = &beside,
					      .port = port,
					      .door = PUMP_RTP};
			s = find(p, &k, ssrc);
		}
	}
	if (!s || rtcp_read(packet, p->hot[s->index].ssrc, &r)) {
		pump_strange(p, s, 1);
		return;
	}
	take(p, s, &r, at_us);
}
