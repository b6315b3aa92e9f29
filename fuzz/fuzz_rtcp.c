// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_rtcp.c - reports from strangers: what is said of us was in the packet,
 * and what we write of it is read the same.
 */
#include <assert.h>
#include <string.h>

#include "media/rtcp.h"

enum { US = 0x11223344 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_block(const struct rtcp_block *a, const struct rtcp_block *b)
{
	assert(a->ssrc == b->ssrc && a->fraction == b->fraction);
	assert(a->lost == b->lost && a->highest == b->highest);
	assert(a->jitter == b->jitter && a->last_sr == b->last_sr);
	assert(a->delay == b->delay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[RTCP_COMPOUND_MAX];
	struct rtcp_heard heard, again;
	struct rtcp_report r;

	if (rtcp_read(span_make(data, size), US, &heard) != 0)
		return 0;
	assert(!heard.has_block || heard.block.ssrc == US);
	assert(heard.block.lost >= -0x800000 && heard.block.lost <= 0x7fffff);
	r = (struct rtcp_report){
		.ssrc = heard.ssrc,
		.sends = heard.sr,
		.ntp = heard.ntp,
		.has_block = heard.has_block,
		.block = heard.block,
		.cname = "somebody",
		.bye = heard.bye,
	};
	size = rtcp_write(&r, bytes);
	assert(size <= sizeof(bytes) && size % 4 == 0);
	assert(rtcp_read(span_make(bytes, size), US, &again) == 0);
	assert(again.ssrc == heard.ssrc && again.sr == heard.sr);
	assert(again.bye == heard.bye && again.ntp == heard.ntp);
	assert(again.has_block == heard.has_block);
	same_block(&again.block, &heard.block);
	return 0;
}
