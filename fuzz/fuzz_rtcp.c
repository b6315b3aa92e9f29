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

static void same(const struct rtcp_heard *a, const struct rtcp_heard *b)
{
	assert(a->ssrc == b->ssrc && a->sr == b->sr);
	assert(a->bye == b->bye && a->ntp == b->ntp);
	assert(a->has_block == b->has_block);
	same_block(&a->block, &b->block);
}

static void written_is_read(const struct rtcp_heard *heard)
{
	const struct rtcp_report r = {
		.ssrc = heard->ssrc,
		.sends = heard->sr,
		.ntp = heard->ntp,
		.has_block = heard->has_block,
		.block = heard->block,
		.cname = "somebody",
		.bye = heard->bye,
	};
	uint8_t bytes[RTCP_COMPOUND_MAX];
	struct rtcp_heard again;
	size_t n = rtcp_write(&r, bytes);

	assert(n <= sizeof(bytes) && n % 4 == 0);
	assert(rtcp_read(span_make(bytes, n), US, &again) == 0);
	same(heard, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp_heard heard;

	if (rtcp_read(span_make(data, size), US, &heard) != 0)
		return 0;
	assert(!heard.has_block || heard.block.ssrc == US);
	assert(heard.block.lost >= -0x800000 && heard.block.lost <= 0x7fffff);
	written_is_read(&heard);
	return 0;
}
