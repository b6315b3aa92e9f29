// SPDX-License-Identifier: Apache-2.0
/*
 * wire.c - see wire.h.  Lateness is counted in packets, not in time: that is
 * what reordering is to a receiver, and it comes out the same each time.
 */
#include "rtpend/wire.h"

#include <stdbool.h>
#include <string.h>

enum { PERCENT = 100 };

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t draw(struct wire *w)
{
	uint64_t z = w->chance += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool happens(struct wire *w, unsigned percent)
{
	return percent > 0 && draw(w) % PERCENT < percent;
}

static bool hold(struct wire *w, const uint8_t *packet, size_t n)
{
	for (size_t i = 0; i < WIRE_HELD; i++) {
		struct wire_held *h = &w->held[i];

		if (h->n > 0)
			continue;
		h->n = n;
		h->waits = 1 + (unsigned)(draw(w) % WIRE_OVERTAKERS);
		memcpy(h->bytes, packet, n);
		return true;
	}
	return false;
}

static void let_go(struct wire *w, wire_out_h *out, void *ctx)
{
	for (size_t i = 0; i < WIRE_HELD; i++) {
		struct wire_held *h = &w->held[i];

		if (h->n == 0 || --h->waits > 0)
			continue;
		out(h->bytes, h->n, ctx);
		h->n = 0;
	}
}

void wire_put(struct wire *w, const uint8_t *packet, size_t n, wire_out_h *out,
	      void *ctx)
{
	if (n > WIRE_PACKET_MAX || happens(w, w->loss))
		return;
	if (happens(w, w->twice))
		out(packet, n, ctx);
	/* who is overtaken by this one is let go after it */
	if (!happens(w, w->late) || !hold(w, packet, n)) {
		out(packet, n, ctx);
		let_go(w, out, ctx);
	}
}
