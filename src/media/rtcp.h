// SPDX-License-Identifier: Apache-2.0
/*
 * rtcp.h - RTCP as bytes: SR, RR, SDES (CNAME), BYE (RFC 3550 6).
 *
 * Pure: any thread.  A compound packet is written whole and read report by
 * report; anything else in one (APP, feedback) is skipped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

enum {
	RTCP_CNAME_BYTES = 24,   /* with NUL: random, RFC 7022 */
	RTCP_COMPOUND_MAX = 256, /* bytes of what we write */
};

struct rtcp_block { /* about one source */
	uint32_t ssrc;
	uint8_t fraction;                         /* lost, in 1/256 */
	int32_t lost;                             /* 24 bits, signed */
	uint32_t highest, jitter, last_sr, delay; /* delay in 1/65536 s */
};

struct rtcp_report {
	uint32_t ssrc; /* whose */
	bool sends;    /* SR: the next five are meant */
	uint64_t ntp;  /* 32.32 fixed point */
	uint32_t rtp_ts, packets, bytes;
	bool has_block;
	struct rtcp_block block;
	const char *cname; /* SDES; NULL: none */
	bool bye;
};

/* Returns its length. */
size_t rtcp_write(const struct rtcp_report *r, uint8_t out[RTCP_COMPOUND_MAX]);

/* What a compound packet says that matters here. */
struct rtcp_heard {
	uint32_t ssrc; /* of its first report */
	bool sr, bye;
	uint64_t ntp;   /* of the SR */
	bool has_block; /* about us */
	struct rtcp_block block;
};
/* `us`: our SSRC.  -EBADMSG: not RTCP, or its lengths lie. */
MUST_CHECK int rtcp_read(struct span packet, uint32_t us,
			 struct rtcp_heard *out);

uint64_t rtcp_ntp(int64_t wall_us); /* since 1970 */
