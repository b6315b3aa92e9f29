// SPDX-License-Identifier: Apache-2.0
/*
 * tones.c - keys as two tones in the sound (ITU-T Q.23, Q.24), by spandsp.
 *
 * For far ends that did not offer telephone-events: listening costs about as
 * much processor time as sending.
 */
#include "media/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* not <spandsp.h>: it declares a g711_encode() of its own, and wants libtiff */
/* Each leans on those before it. */
/* clang-format off */
#include <spandsp/telephony.h>
#include <spandsp/logging.h>
#include <spandsp/queue.h>
#include <spandsp/complex.h>
#include <spandsp/dds.h>
#include <spandsp/tone_detect.h>
#include <spandsp/super_tone_rx.h>
#include <spandsp/tone_generate.h>
#include <spandsp/dtmf.h>
/* clang-format on */

#include "base/mem.h"

enum {
	CHUNK = 160,   /* samples decoded at once */
	KEYS_MOST = 8, /* told of one frame */
};

struct keys_tones {
	dtmf_rx_state_t *rx;
};

/* The library fills its tables when the first receiver is made, unlocked. */
static void warm_up(void)
{
	(void)dtmf_rx_free(dtmf_rx_init(NULL, NULL, NULL));
}

struct keys_tones *keys_tones_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct keys_tones *t = b_zero(1, sizeof(*t));

	(void)pthread_once(&once, warm_up);
	t->rx = dtmf_rx_init(NULL, NULL, NULL);
	if (!t->rx)
		abort(); /* out of memory, as b_zero() would */
	return t;
}

void keys_tones_free(struct keys_tones *t)
{
	if (!t)
		return;
	(void)dtmf_rx_free(t->rx);
	free(t);
}

static void listen(struct keys_tones *t, enum g711_codec codec,
		   struct span frame)
{
	int16_t pcm[CHUNK];

	for (size_t at = 0; at < frame.n;) {
		size_t n = frame.n - at < CHUNK ? frame.n - at : CHUNK;

		for (size_t i = 0; i < n; i++)
			pcm[i] = g711_decode(codec, (uint8_t)frame.p[at + i]);
		(void)dtmf_rx(t->rx, pcm, (int)n);
		at += n;
	}
}

void keys_tones_take(struct keys_tones *t, enum g711_codec codec,
		     struct span frame, char out[9])
{
	char heard[KEYS_MOST + 1];
	size_t n, kept = 0;

	listen(t, codec, frame);
	while ((n = dtmf_rx_get(t->rx, heard, KEYS_MOST)) > 0)
		for (size_t i = 0; i < n; i++)
			if (keys_key_event(heard[i]) >= 0 && kept < KEYS_MOST)
				out[kept++] = heard[i]; /* A to D are no keys */
	out[kept] = '\0';
}
