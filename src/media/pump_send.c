// SPDX-License-Identifier: Apache-2.0
/*
 * pump_send.c - a phase's packets.
 *
 * Header and sound are copied side by side into one buffer: that is cheaper
 * than to let the kernel gather them.  A batch is for one socket; the members
 * of a phase stand in order of ports.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/pump_priv.h"

enum { ROUND = 16, SPACE = PUMP_PACKET_BYTES + ROUND, LATE_FIGURE_US = 5000 };

struct pump_batch {
	unsigned count;
	size_t used; /* bytes */
	uint16_t port;
	uint8_t silence[2][CLIP_FRAME_BYTES];
	uint16_t index[PUMP_BATCH]; /* whose */
	struct mmsghdr msg[PUMP_BATCH];
	struct iovec iov[PUMP_BATCH];
	struct sockaddr_in6 to[PUMP_BATCH]; /* or sockaddr_in */
	uint8_t bytes[PUMP_BATCH * SPACE];
};

struct pump_batch *pump_batch_new(struct pump *p)
{
	struct pump_batch *b = b_zero(1, sizeof(*b));
	bool v4 = p->ports.family == AF_INET;

	for (int codec = G711_PCMU; codec <= G711_PCMA; codec++)
		memset(b->silence[codec], g711_silence((enum g711_codec)codec),
		       CLIP_FRAME_BYTES);
	for (unsigned i = 0; i < PUMP_BATCH; i++)
		b->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &b->to[i],
			.msg_namelen = v4 ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
		};
	return b;
}

void pump_batch_free(struct pump_batch *b)
{
	free(b);
}

/* --- leaving ---------------------------------------------------------------------- */

static void left(struct pump *p, uint16_t index, size_t bytes, uint32_t late_us)
{
	struct pump_hot *h = &p->hot[index];

	h->sent++;
	if (bytes == RTP_HEADER_BYTES + KEYS_EVENT_BYTES) /* see sent_bytes() */
		p->streams[index]->bytes_before -=
			h->frames * (uint64_t)CLIP_FRAME_BYTES -
			KEYS_EVENT_BYTES;
	if (late_us > h->late_us)
		h->late_us = late_us;
	if (!(h->flags & PUMP_HAS_BEGUN)) {
		struct pump_note n = {.kind = PUMP_BEGAN};

		h->flags |= PUMP_HAS_BEGUN;
		(void)pump_tell(p, p->streams[index], &n);
	}
}

/* A packet that the kernel does not take is dropped like one that the network
 * loses: there is no later for sound. */
static void flush(struct pump *p, int64_t due_us)
{
	struct pump_batch *b = p->batch;
	int64_t late = pump_now_us() - due_us;
	uint32_t late_us = late > 0 ? (uint32_t)late : 0;
	unsigned done = 0, sent = 0;

	while (done < b->count) {
		int n = sendmmsg(p->ports.at[b->port].rtp, b->msg + done,
				 b->count - done, MSG_DONTWAIT);

		if (n <= 0) {
			done++; /* the first of them was refused */
			continue;
		}
		for (unsigned i = done; i < done + (unsigned)n; i++)
			left(p, b->index[i], b->iov[i].iov_len, late_us);
		done += (unsigned)n;
		sent += (unsigned)n;
	}
	pump_count(&p->packets_sent, sent);
	if (late > LATE_FIGURE_US)
		pump_count(&p->late_5ms, sent);
	b->count = 0;
	b->used = 0;
}

/* --- making ------------------------------------------------------------------------- */

static void set_to(const struct pump *p, struct pump_batch *b,
		   const struct pump_hot *h)
{
	struct sockaddr_in6 *to = &b->to[b->count];

	if (p->ports.family == AF_INET) {
		struct sockaddr_in *in = (void *)to;

		in->sin_family = AF_INET;
		in->sin_port = htons(h->port);
		memcpy(&in->sin_addr, h->ip + 12, 4);
	} else {
		to->sin6_family = AF_INET6;
		to->sin6_port = htons(h->port);
		memcpy(&to->sin6_addr, h->ip, sizeof(h->ip));
	}
}

/* The list has come to its end: the line hears of it and gets it back. */
static void played(struct pump *p, uint16_t index)
{
	struct pump_stream *s = p->streams[index];
	struct pump_note n = {.kind = PUMP_PLAYED,
			      .id = s->playing->id,
			      .serial = s->playing->serial};

	if (!pump_tell(p, s, &n))
		return; /* the line is far behind: again next time */
	p->hot[index].list = NULL;
	pump_give_back(p, s->playing);
	s->playing = NULL;
}

const uint8_t *pump_sound(struct pump *p, uint16_t index)
{
	struct pump_hot *h = &p->hot[index];
	struct playlist_cursor at = {h->item, h->frame};
	const uint8_t *frame;

	if (h->list) {
		frame = playlist_next(h->list, &at, h->codec);
		if (frame) {
			h->item = (uint32_t)at.item;
			h->frame = (uint32_t)at.frame;
			h->played++;
			return frame;
		}
		played(p, index);
	}
	return p->batch->silence[h->codec];
}

/* A packet's sound. */
static size_t say(struct pump *p, uint16_t index, uint8_t *to)
{
	struct pump_hot *h = &p->hot[index];
	size_t n = 0;

	for (unsigned i = 0; i < h->frames; i++, n += CLIP_FRAME_BYTES)
		memcpy(to + n,
		       h->flags & PUMP_KEYS && pump_key_here(p, index)
			       ? p->batch->silence[h->codec]
			       : pump_sound(p, index),
		       CLIP_FRAME_BYTES);
	h->ts += h->frames * (uint32_t)CLIP_FRAME_BYTES;
	h->wait = h->frames - 1;
	h->flags &= (uint8_t)~PUMP_MARKS;
	return n;
}

static void make(struct pump *p, uint16_t index)
{
	struct pump_batch *b = p->batch;
	struct pump_hot *h = &p->hot[index];
	struct rtp_header head = {.marker = h->flags & PUMP_MARKS,
				  .pt = h->pt,
				  .seq = h->seq++,
				  .ts = h->ts,
				  .ssrc = h->ssrc};
	uint8_t *to = b->bytes + b->used;
	size_t n = RTP_HEADER_BYTES;

	if (h->flags & PUMP_KEYS &&
	    pump_key_next(p, index, &head, to + RTP_HEADER_BYTES)) {
		h->ts += CLIP_FRAME_BYTES;
		h->flags |= PUMP_MARKS; /* sound begins anew behind it */
		n += KEYS_EVENT_BYTES;
	} else {
		n += say(p, index, to + n);
	}
	rtp_write(&head, to);

	b->iov[b->count] = (struct iovec){to, n};
	set_to(p, b, h);
	b->index[b->count] = index;
	b->used += (n + ROUND - 1) / ROUND * ROUND;
	b->count++;
}

void pump_send_phase(struct pump *p, struct pump_phase *ph, int64_t due_us)
{
	struct pump_batch *b = p->batch;

	for (unsigned i = 0; i < ph->count; i++) {
		struct pump_member m = ph->members[i];
		struct pump_hot *h = &p->hot[m.index];

		if (i + 2 < ph->count)
			__builtin_prefetch(&p->hot[ph->members[i + 2].index],
					   1);
		if (h->wait > 0) {
			h->wait--;
			continue;
		}
		if (!(h->flags & PUMP_SENDS)) {
			h->ts += CLIP_FRAME_BYTES; /* time goes on */
			continue;
		}
		if (b->count > 0 &&
		    (b->port != m.port || b->count == PUMP_BATCH))
			flush(p, due_us);
		b->port = m.port;
		make(p, m.index);
	}
	if (b->count > 0)
		flush(p, due_us);
}

void pump_skip_phase(struct pump *p, struct pump_phase *ph, uint32_t n)
{
	for (unsigned i = 0; i < ph->count; i++) {
		struct pump_hot *h = &p->hot[ph->members[i].index];

		h->ts += n * CLIP_FRAME_BYTES;
		if (!(h->flags & PUMP_SENDS))
			continue;
		h->flags |= PUMP_MARKS; /* RFC 3551 4.1: there was a gap */
		p->streams[ph->members[i].index]->stats.skipped +=
			n / h->frames;
		pump_count(&p->skipped, n / h->frames);
	}
}

uint64_t pump_sent_bytes(const struct pump *p, const struct pump_stream *s)
{
	const struct pump_hot *h = &p->hot[s->index];

	return s->bytes_before + (uint64_t)(h->sent - s->sent_before) *
					 h->frames * CLIP_FRAME_BYTES;
}
