// SPDX-License-Identifier: Apache-2.0
/*
 * key_tone.c - a key as two tones (ITU-T Q.23): the sound of what is pressed.
 *
 * A far end that takes telephone-events gets those in place of it (pump_key.c);
 * to any other, and to a page, this is the key.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/clip.h"
#include "media/keys.h"

enum {
	LOW = 7950,   /* of 32767: -9 dBm0, and */
	HIGH = 10000, /* -7 dBm0: the line takes more of the higher one */
	RAMP = 16,    /* samples from silence to sound: no click */
};

struct clip *keys_tone(char key, unsigned ms)
{
	static const double rows[] = {697, 770, 852, 941};
	static const double columns[] = {1209, 1336, 1477, 1633};
	static const char pad[] = "123A456B789C*0#D";
	const char *at = key ? strchr(pad, key) : NULL;
	struct pcm pcm = {.count = pcm_samples(ms)};
	struct clip *c;

	assert(at && pcm.count > 2 * (size_t)RAMP);
	pcm.samples = b_zero(pcm.count, sizeof(*pcm.samples));
	for (size_t i = 0; i < pcm.count; i++) {
		double t = 2 * M_PI * (double)i / PCM_RATE;
		size_t edge = i < pcm.count - i ? i : pcm.count - i;
		double level = edge < RAMP ? (double)edge / RAMP : 1;

		pcm.samples[i] = (int16_t)lrint(
			level * (LOW * sin(rows[(at - pad) / 4] * t) +
				 HIGH * sin(columns[(at - pad) % 4] * t)));
	}
	c = clip_new(&pcm, NULL);
	free(pcm.samples);
	return c;
}
