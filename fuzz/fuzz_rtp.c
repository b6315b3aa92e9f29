// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_rtp.c - packets from strangers: what is read lies inside the packet, and
 * no order of arrival makes the counts contradict each other.
 *
 * The input is packets, each behind one byte of its length.
 */
#include <assert.h>

#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void written_is_read(const struct rtp_header *h)
{
	uint8_t bytes[RTP_HEADER_BYTES];
	struct rtp_header again;
	struct span none;

	rtp_write(h, bytes);
	assert(rtp_read(span_make(bytes, sizeof(bytes)), &again, &none) == 0);
	assert(again.marker == h->marker && again.pt == h->pt);
	assert(again.seq == h->seq && again.ts == h->ts);
	assert(again.ssrc == h->ssrc && none.n == 0);
}

static void adds_up(const struct rtp_source *s, const struct rtp_header *h)
{
	assert(s->ssrc == h->ssrc);
	assert((uint16_t)rtp_source_highest(s) == s->max_seq);
	assert(rtp_source_lost(s) + (int64_t)s->received >= 1);
}

static void look_at(struct rtp_source *s, struct span packet, uint32_t now)
{
	uint64_t before = s->received;
	struct rtp_header h;
	struct span payload;

	if (rtp_read(packet, &h, &payload) != 0)
		return;
	assert(payload.p >= packet.p + RTP_HEADER_BYTES);
	assert(payload.p + payload.n <= packet.p + packet.n);
	written_is_read(&h);
	if (!rtp_source_take(s, &h, now)) {
		assert(s->received == before);
		return;
	}
	assert(s->received == before + 1 || s->received == 1);
	adds_up(s, &h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_source s = {0};
	uint32_t now = 0;

	while (size > 0) {
		size_t n = data[0] < size - 1 ? data[0] : size - 1;

		look_at(&s, span_make(data + 1, n), now);
		now += data[0];
		if (data[0] & 1)
			(void)rtp_source_fraction(&s);
		data += n + 1;
		size -= n + 1;
	}
	return 0;
}
