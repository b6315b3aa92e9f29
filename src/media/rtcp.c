// SPDX-License-Identifier: Apache-2.0
/*
 * rtcp.c - RTCP as bytes: a compound packet written whole, read part by part.
 *
 * Reading follows RFC 3550 A.2 to the letter: a packet whose lengths do not
 * add up is refused whole, so that nothing half-read moves a figure or, by a
 * BYE, ends a call.
 */
#include "media/rtcp.h"

#include <errno.h>
#include <string.h>

#include "media/media_priv.h"

enum {
	VERSION = 2,
	VERSION_SHIFT = 6,
	PADDING = 0x20,
	COUNT = 0x1f, /* of blocks, chunks or sources */
	WORD = 4,
	HEAD = 4, /* bytes before each packet's body */

	SR = 200,
	RR = 201,
	SDES = 202,
	BYE = 203,

	SDES_CNAME = 1,
	SSRC_BYTES = 4,
	SENDER_BYTES = 20, /* what an SR has and an RR has not */
	BLOCK_BYTES = 24,
	LOST_MAX = 0x7fffff,
	LOST_MIN = -0x800000,

	US_PER_S = 1000000,
};

static const int64_t NTP_EPOCH_S = 2208988800; /* from 1900 to 1970 */

/* --- writing ----------------------------------------------------------------------- */

/* Close the packet that began at `head` and ends at `end`; returns `end`. */
static uint8_t *close_packet(uint8_t *head, uint8_t *end, unsigned type,
			     unsigned count)
{
	head[0] = (uint8_t)(VERSION << VERSION_SHIFT | count);
	head[1] = (uint8_t)type;
	media_put16(head + 2, (uint16_t)((end - head) / WORD - 1));
	return end;
}

static uint8_t *put(uint8_t *to, uint32_t n)
{
	media_put32(to, n);
	return to + WORD;
}

static uint8_t *write_block(uint8_t *to, const struct rtcp_block *b)
{
	int32_t lost = b->lost > LOST_MAX   ? LOST_MAX
		       : b->lost < LOST_MIN ? LOST_MIN
					    : b->lost;

	to = put(to, b->ssrc);
	to = put(to, (uint32_t)b->fraction << 24 | ((uint32_t)lost & 0xffffff));
	to = put(to, b->highest);
	to = put(to, b->jitter);
	to = put(to, b->last_sr);
	return put(to, b->delay);
}

static uint8_t *write_report(uint8_t *head, const struct rtcp_report *r)
{
	uint8_t *to = put(head + HEAD, r->ssrc);

	if (r->sends) {
		to = put(to, (uint32_t)(r->ntp >> 32));
		to = put(to, (uint32_t)r->ntp);
		to = put(to, r->rtp_ts);
		to = put(to, r->packets);
		to = put(to, r->bytes);
	}
	if (r->has_block)
		to = write_block(to, &r->block);
	return close_packet(head, to, r->sends ? SR : RR, r->has_block);
}

static uint8_t *write_cname(uint8_t *head, const struct rtcp_report *r)
{
	uint8_t *to = put(head + HEAD, r->ssrc);
	size_t n = strnlen(r->cname, RTCP_CNAME_BYTES - 1);

	*to++ = SDES_CNAME;
	*to++ = (uint8_t)n;
	memcpy(to, r->cname, n);
	to += n;
	do /* a chunk ends with a zero, and on a whole word */
		*to++ = 0;
	while ((to - head) % WORD != 0);
	return close_packet(head, to, SDES, 1);
}

size_t rtcp_write(const struct rtcp_report *r, uint8_t out[RTCP_COMPOUND_MAX])
{
	uint8_t *to = write_report(out, r);

	if (r->cname)
		to = write_cname(to, r);
	if (r->bye)
		to = close_packet(to, put(to + HEAD, r->ssrc), BYE, 1);
	return (size_t)(to - out);
}

/* --- reading ------------------------------------------------------------------------ */

struct part { /* of a compound packet */
	unsigned type, count;
	const uint8_t *body;
	size_t n;
};

/* Padding may stand at the end of the last part only.  -EBADMSG: it lies. */
static int unpad(struct part *p, bool last)
{
	size_t n;

	if (!last || p->n == 0)
		return -EBADMSG;
	n = p->body[p->n - 1];
	if (n == 0 || n > p->n || n % WORD != 0)
		return -EBADMSG;
	p->n -= n;
	return 0;
}

static int cut(struct span *rest, struct part *out)
{
	const uint8_t *p = (const uint8_t *)rest->p;
	size_t n;

	if (rest->n < HEAD || p[0] >> VERSION_SHIFT != VERSION)
		return -EBADMSG;
	n = ((size_t)media_get16(p + 2) + 1) * WORD;
	if (n > rest->n)
		return -EBADMSG;
	*out = (struct part){
		.type = p[1],
		.count = p[0] & COUNT,
		.body = p + HEAD,
		.n = n - HEAD,
	};
	*rest = span_make(rest->p + n, rest->n - n);
	return p[0] & PADDING ? unpad(out, rest->n == 0) : 0;
}

static void read_block(const uint8_t *p, struct rtcp_block *out)
{
	uint32_t lost = media_get32(p + 4);

	*out = (struct rtcp_block){
		.ssrc = media_get32(p),
		.fraction = (uint8_t)(lost >> 24),
		.lost = (int32_t)(lost << 8) >> 8, /* its sign is bit 23 */
		.highest = media_get32(p + 8),
		.jitter = media_get32(p + 12),
		.last_sr = media_get32(p + 16),
		.delay = media_get32(p + 20),
	};
}

static int read_report(const struct part *p, uint32_t us,
		       struct rtcp_heard *out)
{
	size_t head = SSRC_BYTES + (p->type == SR ? SENDER_BYTES : 0);

	if (p->n < head + (size_t)p->count * BLOCK_BYTES)
		return -EBADMSG;
	if (p->type == SR && !out->sr) {
		out->sr = true;
		out->ntp = (uint64_t)media_get32(p->body + 4) << 32 |
			   media_get32(p->body + 8);
	}
	for (size_t i = 0; i < p->count && !out->has_block; i++) {
		read_block(p->body + head + i * BLOCK_BYTES, &out->block);
		out->has_block = out->block.ssrc == us;
	}
	return 0;
}

static int read_bye(const struct part *p, struct rtcp_heard *out)
{
	if (p->n < (size_t)p->count * SSRC_BYTES)
		return -EBADMSG;
	for (size_t i = 0; i < p->count; i++)
		if (media_get32(p->body + i * SSRC_BYTES) == out->ssrc)
			out->bye = true;
	return 0;
}

static int read_part(const struct part *p, uint32_t us, struct rtcp_heard *out)
{
	switch (p->type) {
	case SR:
	case RR:
		return read_report(p, us, out);
	case BYE:
		return read_bye(p, out);
	default:
		return 0; /* SDES, APP, feedback: nothing that matters here */
	}
}

int rtcp_read(struct span packet, uint32_t us, struct rtcp_heard *out)
{
	struct rtcp_heard heard = {0};
	struct part p;

	for (bool first = true; first || packet.n > 0; first = false) {
		if (cut(&packet, &p) != 0)
			return -EBADMSG;
		if (first) {
			/* A.2: a report comes first */
			if ((p.type != SR && p.type != RR) || p.n < SSRC_BYTES)
				return -EBADMSG;
			heard.ssrc = media_get32(p.body);
		}
		if (read_part(&p, us, &heard) != 0)
			return -EBADMSG;
	}
	if (!heard.has_block)
		heard.block = (struct rtcp_block){0};
	*out = heard;
	return 0;
}

uint64_t rtcp_ntp(int64_t wall_us)
{
	int64_t s = wall_us / US_PER_S, us = wall_us % US_PER_S;

	if (us < 0) { /* before 1970 */
		us += US_PER_S;
		s--;
	}
	return (uint64_t)(s + NTP_EPOCH_S) << 32 |
	       ((uint64_t)us << 32) / US_PER_S;
}
