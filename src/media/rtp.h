// SPDX-License-Identifier: Apache-2.0
/*
 * rtp.h - RTP headers as bytes (RFC 3550 5.1) and what a receiver counts of
 * them (RFC 3550 6.4.1, A.1, A.3, A.8).
 *
 * Pure: any thread, no memory of its own.  Times are handed in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

enum {
	RTP_HEADER_BYTES = 12, /* without CSRCs and extension: what we send */
	RTP_HZ = 8000,         /* of G.711 and of telephone-events beside it */
	RTP_PT_PCMU = 0,
	RTP_PT_PCMA = 8,
	RTP_PT_EVENT = 101, /* what we offer */
	RTP_PACKET_MAX = 1500,
};

struct rtp_header {
	bool marker;
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
};

void rtp_write(const struct rtp_header *h, uint8_t out[RTP_HEADER_BYTES]);
/*
 * CSRCs, an extension and padding are skipped; *payload points into `packet`.
 * -EBADMSG: not RTP of version 2, or its lengths lie.
 */
MUST_CHECK int rtp_read(struct span packet, struct rtp_header *h,
			struct span *payload);

/* What came from one source. */
struct rtp_source {
	bool begun;
	uint32_t ssrc;
	uint16_t max_seq;
	uint32_t cycles, base_seq, bad_seq;
	uint64_t received;
	uint64_t expected_prior, received_prior; /* of the last report */
	uint32_t ts;                             /* the last one measured */
	int32_t transit;
	uint32_t jitter; /* 16 times, in units of RTP_HZ: A.8 */
};
/* `arrived` in units of RTP_HZ on any steady clock.  False: a stray packet
 * that says nothing yet (A.1: a jump that is not repeated).  After one that is,
 * or a new SSRC, all counts begin anew. */
bool rtp_source_take(struct rtp_source *s, const struct rtp_header *h,
		     uint32_t arrived);
uint32_t rtp_source_highest(const struct rtp_source *s); /* extended */
int64_t rtp_source_lost(const struct rtp_source *s); /* below 0: duplicates */
/* Of what was expected since the last call of this, in 1/256. */
uint8_t rtp_source_fraction(struct rtp_source *s);
