// SPDX-License-Identifier: Apache-2.0
/*
 * clip.h - a piece of speech, encoded once, played by any number of calls.
 *
 * Immutable.  References are atomic: a clip may be shared by all threads.
 * Both codecs are kept, so that a call costs no encoding.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "media/g711.h"
#include "media/pcm.h"

struct clip;

enum {
	CLIP_FRAME_MS = 20,
	CLIP_FRAME_BYTES = 160, /* one byte a sample in either codec */
	CLIP_CAPTION_MAX = 600, /* bytes; longer ones are cut at a character */
};

/*
 * Encode `pcm`, padded with silence to whole frames.  `caption` is what is
 * said, as text for people who read instead of listening.
 */
struct clip *clip_new(const struct pcm *pcm, const char *caption);
struct clip *clip_ref(struct clip *c);
void clip_unref(struct clip *c); /* NULL is fine */

size_t clip_frames(const struct clip *c);
static inline unsigned clip_ms(const struct clip *c)
{
	return (unsigned)clip_frames(c) * CLIP_FRAME_MS;
}
/* CLIP_FRAME_BYTES bytes; i < clip_frames(). */
const uint8_t *clip_frame(const struct clip *c, enum g711_codec codec,
			  size_t i);
const char *clip_caption(const struct clip *c);

CLEANUP(clip, clip_unref)
