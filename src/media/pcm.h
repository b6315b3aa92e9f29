// SPDX-License-Identifier: Apache-2.0
/*
 * pcm.h - sound as samples: signed 16 bit, mono, 8 kHz, as telephones have it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

enum {
	PCM_RATE = 8000,
	PCM_MS_MAX = 120 * 1000, /* nothing we say is longer */
};

struct pcm {
	int16_t *samples; /* owned: pcm_free() */
	size_t count;
};

static inline size_t pcm_samples(unsigned ms)
{
	return (size_t)ms * (PCM_RATE / 1000);
}

void pcm_free(struct pcm *p); /* leaves it empty; empty is fine */

/*
 * Read a WAV file's bytes: RIFF, PCM 16 bit, mono or stereo (averaged), any
 * rate; resampled to 8 kHz (band-limited).  A data chunk whose length is false
 * (0, or past the end: what a voice writes to a pipe) is read to the end.
 * -EINVAL: not such a file.  -E2BIG: longer than PCM_MS_MAX.
 */
MUST_CHECK int wav_read(struct span bytes, struct pcm *out);

/* Append a complete 8 kHz 16 bit mono WAV file. */
void wav_write(struct buf *b, const int16_t *samples, size_t count);
