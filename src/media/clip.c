// SPDX-License-Identifier: Apache-2.0
/*
 * clip.c - a clip is one block of memory: both codecs' frames, then the words.
 */
#include "media/clip.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct clip {
	atomic_uint refs;
	size_t frames;
	const char *caption;
	uint8_t sound[]; /* PCMU, PCMA, caption */
};

/* How much of a caption is kept: never half a character. */
static size_t caption_length(const char *caption)
{
	size_t n = strlen(caption);

	if (n <= CLIP_CAPTION_MAX)
		return n;
	n = CLIP_CAPTION_MAX;
	while (n > 0 && ((uint8_t)caption[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void encode(uint8_t *to, size_t room, const struct pcm *pcm,
		   enum g711_codec codec)
{
	for (size_t i = 0; i < pcm->count; i++)
		to[i] = g711_encode(codec, pcm->samples[i]);
	memset(to + pcm->count, g711_silence(codec), room - pcm->count);
}

struct clip *clip_new(const struct pcm *pcm, const char *caption)
{
	size_t frames = (pcm->count + CLIP_FRAME_BYTES - 1) / CLIP_FRAME_BYTES;
	size_t bytes = frames * CLIP_FRAME_BYTES;
	size_t words = caption ? caption_length(caption) : 0;
	struct clip *c;

	assert(pcm->count <= pcm_samples(PCM_MS_MAX));
	c = b_zero(1, sizeof(*c) + 2 * bytes + words + 1);
	atomic_init(&c->refs, 1);
	c->frames = frames;
	encode(c->sound, bytes, pcm, G711_PCMU);
	encode(c->sound + bytes, bytes, pcm, G711_PCMA);
	if (words > 0)
		memcpy(c->sound + 2 * bytes, caption, words);
	c->caption = (const char *)(c->sound + 2 * bytes);
	return c;
}

struct clip *clip_ref(struct clip *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void clip_unref(struct clip *c)
{
	if (c &&
	    atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
		free(c);
}

size_t clip_frames(const struct clip *c)
{
	return c->frames;
}

const uint8_t *clip_frame(const struct clip *c, enum g711_codec codec, size_t i)
{
	size_t at = codec == G711_PCMU ? i : c->frames + i;

	assert(i < c->frames);
	return c->sound + at * CLIP_FRAME_BYTES;
}

const char *clip_caption(const struct clip *c)
{
	return c->caption;
}
