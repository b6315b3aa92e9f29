// SPDX-License-Identifier: Apache-2.0
/*
 * wire.h - a bad connection: packets are lost, doubled and overtaken.
 *
 * The same seed does the same to the same packets.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_PACKET_MAX = 1500,
	WIRE_HELD = 4,       /* packets under way at once */
	WIRE_OVERTAKERS = 3, /* at most so many go past one */
};

struct wire {
	unsigned loss, twice, late; /* per cent of the packets */
	uint64_t chance;            /* the seed, then the state */
	struct wire_held {
		size_t n; /* 0: free */
		unsigned waits;
		uint8_t bytes[WIRE_PACKET_MAX];
	} held[WIRE_HELD];
};

typedef void wire_out_h(const uint8_t *packet, size_t n, void *ctx);

/* Whatever comes out at the other end now. */
void wire_put(struct wire *w, const uint8_t *packet, size_t n, wire_out_h *out,
	      void *ctx);
