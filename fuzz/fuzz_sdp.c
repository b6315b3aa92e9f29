// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_sdp.c - an offer or answer of a far end.
 *
 * What was read must make sense to the pump, and must be answerable; an answer
 * of ours must be SDP itself.
 */
#include "tel/sip_text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct span offer, const struct pump_far *far,
		   enum tsip_sdp_direction theirs)
{
	const struct tsip_sdp_ours ours = {
		.address = "192.0.2.1",
		.port = 30000,
		.ptime_ms = far->ptime_ms,
		.direction = tsip_sdp_reply(theirs),
		.events = true,
		.offer = offer,
		.agreed = far,
	};
	char out[TSIP_SDP_MAX];
	struct pump_far again;
	enum tsip_sdp_direction d;

	if (tsip_sdp_write(&ours, out, sizeof(out)) != 0)
		return; /* too many media */
	assert(tsip_sdp_read(span_of(out), &again, &d) == 0);
	assert(again.codec == far->codec && again.audio_pt == far->audio_pt);
	assert(d == ours.direction);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span sdp = span_make(data, size);
	struct pump_far far;
	enum tsip_sdp_direction theirs;

	if (tsip_sdp_read(sdp, &far, &theirs) != 0)
		return 0;
	assert(far.ptime_ms >= 20 && far.ptime_ms <= 60);
	assert(far.ptime_ms % 20 == 0);
	assert(far.rtp.ss_family == AF_INET || far.rtp.ss_family == AF_INET6);
	assert(far.audio_pt < 128 && far.event_pt < 128);
	answer(sdp, &far, theirs);
	return 0;
}
