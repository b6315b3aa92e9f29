// SPDX-License-Identifier: Apache-2.0
/*
 * rtp.c - RTP headers as bytes, and the receiver's counting of RFC 3550's
 * appendix.
 *
 * Three things differ from the appendix.  A source that changes its SSRC (a call
 * that was handed on behind a border controller) is begun anew as after a
 * jump: with its second packet in a row.  And packets of one timestamp count
 * once for jitter: a telephone-event repeats its own for as long as the key is
 * held, which says nothing about the network.  And a timestamp that leaps by
 * seconds is a sender that began a new count, not a network that trembled.
 */
#include "media/rtp.h"

#include <errno.h>
#include <stdlib.h>

#include "media/media_priv.h"

enum {
	VERSION = 2,
	VERSION_SHIFT = 6,
	PADDING = 0x20,
	EXTENSION = 0x10,
	CSRC_COUNT = 0x0f,
	MARKER = 0x80,
	WORD = 4,

	/* RFC 3550 A.1 */
	SEQ_MOD = 1 << 16,
	DROPOUT_MAX = 3000,
	MISORDER_MAX = 100,
	NO_SEQ = SEQ_MOD + 1, /* what no packet has */

	LEAP = 10 * RTP_HZ, /* no jitter is as large */

	FRACTION_ONE = 256,
	FRACTION_MAX = 255,
};

void rtp_write(const struct rtp_header *h, uint8_t out[RTP_HEADER_BYTES])
{
	out[0] = VERSION << VERSION_SHIFT;
	out[1] = (uint8_t)((h->marker ? MARKER : 0) | (h->pt & ~MARKER));
	media_put16(out + 2, h->seq);
	media_put32(out + 4, h->ts);
	media_put32(out + 8, h->ssrc);
}

/* The bytes of header, CSRCs and extension; 0: more than there are. */
static size_t head_bytes(const uint8_t *p, size_t n)
{
	size_t head = RTP_HEADER_BYTES + (size_t)(p[0] & CSRC_COUNT) * WORD;

	if (p[0] & EXTENSION) {
		if (n < head + WORD)
			return 0;
		head += WORD + (size_t)media_get16(p + head + 2) * WORD;
	}
	return head <= n ? head : 0;
}

int rtp_read(struct span packet, struct rtp_header *h, struct span *payload)
{
	const uint8_t *p = (const uint8_t *)packet.p;
	size_t head, end = packet.n;

	if (packet.n < RTP_HEADER_BYTES || p[0] >> VERSION_SHIFT != VERSION)
		return -EBADMSG;
	head = head_bytes(p, packet.n);
	if (head == 0)
		return -EBADMSG;
	if (p[0] & PADDING) {
		if (head == end || p[end - 1] == 0 || p[end - 1] > end - head)
			return -EBADMSG;
		end -= p[end - 1];
	}
	*h = (struct rtp_header){
		.marker = (p[1] & MARKER) != 0,
		.pt = p[1] & ~MARKER,
		.seq = media_get16(p + 2),
		.ts = media_get32(p + 4),
		.ssrc = media_get32(p + 8),
	};
	*payload = span_make(p + head, end - head);
	return 0;
}

/* --- what came from one source ---------------------------------------------------- */

static void begin(struct rtp_source *s, const struct rtp_header *h,
		  uint32_t arrived)
{
	*s = (struct rtp_source){
		.begun = true,
		.ssrc = h->ssrc,
		.base_seq = h->seq,
		.max_seq = h->seq,
		.bad_seq = NO_SEQ,
		.ts = h->ts,
		.transit = (int32_t)(arrived - h->ts),
	};
}

/* RFC 3550 A.1.  False: not to be counted. */
static bool count(struct rtp_source *s, const struct rtp_header *h,
		  uint32_t arrived)
{
	uint16_t ahead = (uint16_t)(h->seq - s->max_seq);
	bool jump = ahead >= DROPOUT_MAX && ahead <= SEQ_MOD - MISORDER_MAX;

	if (h->ssrc != s->ssrc || jump) {
		if (h->seq != s->bad_seq) {
			s->bad_seq = (uint32_t)(h->seq + 1) % SEQ_MOD;
			return false;
		}
		begin(s, h, arrived);
	} else if (ahead < DROPOUT_MAX) {
		if (h->seq < s->max_seq)
			s->cycles += SEQ_MOD;
		s->max_seq = h->seq;
	} /* else late or doubled: counted, and no more */
	return true;
}

/* RFC 3550 A.8 */
static void measure(struct rtp_source *s, const struct rtp_header *h,
		    uint32_t arrived)
{
	int32_t transit = (int32_t)(arrived - h->ts);
	int64_t apart;

	if (h->ts == s->ts)
		return;
	apart = (int32_t)((uint32_t)transit - (uint32_t)s->transit);
	s->ts = h->ts;
	s->transit = transit;
	if (llabs(apart) < LEAP)
		s->jitter += (uint32_t)llabs(apart) - ((s->jitter + 8) >> 4);
}

bool rtp_source_take(struct rtp_source *s, const struct rtp_header *h,
		     uint32_t arrived)
{
	if (!s->begun)
		begin(s, h, arrived);
	else if (!count(s, h, arrived))
		return false;
	s->received++;
	measure(s, h, arrived);
	return true;
}

uint32_t rtp_source_highest(const struct rtp_source *s)
{
	return s->cycles + s->max_seq;
}

static uint64_t expected(const struct rtp_source *s)
{
	if (!s->begun)
		return 0;
	return (uint64_t)s->cycles + s->max_seq - s->base_seq + 1;
}

int64_t rtp_source_lost(const struct rtp_source *s)
{
	return (int64_t)(expected(s) - s->received);
}

/* RFC 3550 A.3 */
uint8_t rtp_source_fraction(struct rtp_source *s)
{
	uint64_t all = expected(s);
	int64_t due = (int64_t)(all - s->expected_prior);
	int64_t lost = due - (int64_t)(s->received - s->received_prior);
	int64_t fraction;

	s->expected_prior = all;
	s->received_prior = s->received;
	if (due <= 0 || lost <= 0)
		return 0;
	fraction = lost * FRACTION_ONE / due;
	return (uint8_t)(fraction > FRACTION_MAX ? FRACTION_MAX : fraction);
}
