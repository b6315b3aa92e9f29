// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_keys.c - telephone-events in any order: never more than the promised
 * keys a second, never one that does not exist, and never one at once twice.
 *
 * The input is packets of fourteen bytes: flags, timestamp, payload, and how
 * much time has passed.
 */
#include <assert.h>
#include <string.h>

#include "media/keys.h"

enum { PACKET = 14, FRAMES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct keys keys;
	struct keys_tones *tones;
	int64_t now_ms, second_ms;
	unsigned in_second;
};

static void take(struct world *w, const uint8_t *p)
{
	struct rtp_header h = {
		.marker = p[0] & 1,
		.pt = RTP_PT_EVENT,
		.ssrc = p[0] >> 6,
		.ts = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 |
		      (uint32_t)p[3] << 8 | p[4],
	};
	struct span payload = span_make(p + 5, p[0] >> 1 & 7);
	char key;

	w->now_ms += p[13];
	key = keys_take(&w->keys, &h, payload, w->now_ms);
	if (!key)
		return;
	assert(payload.n >= KEYS_EVENT_BYTES);
	assert(keys_event_key(p[5]) == key && keys_key_event(key) == p[5]);
	assert(keys_take(&w->keys, &h, payload, w->now_ms) == '\0');
	if (w->in_second == 0 || w->now_ms - w->second_ms >= 1000) {
		w->second_ms = w->now_ms;
		w->in_second = 0;
	}
	assert(++w->in_second <= KEYS_PER_SECOND);
}

static void hear(struct keys_tones *t, const uint8_t *data, size_t size)
{
	char out[9];

	keys_tones_take(t, size & 1 ? G711_PCMA : G711_PCMU,
			span_make(data, size), out);
	assert(strspn(out, "0123456789*#") == strlen(out));
	assert(strlen(out) <= 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.tones = keys_tones_new()};

	if (size <= FRAMES_MAX)
		hear(w.tones, data, size);
	for (; size >= PACKET; data += PACKET, size -= PACKET)
		take(&w, data);
	keys_tones_free(w.tones);
	return 0;
}
