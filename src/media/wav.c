// SPDX-License-Identifier: Apache-2.0
/*
 * wav.c - RIFF files in and out.
 *
 * Voices write to a pipe and cannot go back to fill in a length, so the one in
 * the data chunk is believed only where it can be true.  Resampling is done in
 * blocks: a file's length costs memory once, at 8 kHz.
 */
#include <assert.h>
#include <errno.h>
#include <samplerate.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "media/media_priv.h"
#include "media/pcm.h"

enum {
	WAV_CHANNELS_MAX = 2,
	WAV_RATE_MIN = 1000, /* libsamplerate's ratio is limited to 256 */
	WAV_RATE_MAX = 384000,
	WAV_FORMAT_PCM = 1,
	WAV_FORMAT_EXTENSIBLE = 0xfffe,
	RIFF_BYTES = 12, /* "RIFF" length "WAVE" */
	CHUNK_BYTES = 8, /* name length */
	FORMAT_BYTES = 16,
	SUBFORMAT_AT = 24, /* in an extensible format chunk */
	BLOCK = 4096,      /* samples resampled at once */
	WRITE_BLOCK = 160, /* samples written at once */
};

struct wav {
	unsigned channels, rate;
	struct span data; /* whole frames */
};

static unsigned u16_at(const char *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return b[0] | (unsigned)b[1] << 8;
}

static uint32_t u32_at(const char *p)
{
	return u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

static int read_format(struct span chunk, struct wav *w)
{
	unsigned format;

	if (chunk.n < FORMAT_BYTES)
		return -EINVAL;
	format = u16_at(chunk.p);
	if (format == WAV_FORMAT_EXTENSIBLE && chunk.n >= SUBFORMAT_AT + 2)
		format = u16_at(chunk.p + SUBFORMAT_AT);
	w->channels = u16_at(chunk.p + 2);
	w->rate = u32_at(chunk.p + 4);
	if (format != WAV_FORMAT_PCM || u16_at(chunk.p + 14) != 16)
		return -EINVAL;
	if (w->channels < 1 || w->channels > WAV_CHANNELS_MAX)
		return -EINVAL;
	if (w->rate < WAV_RATE_MIN || w->rate > WAV_RATE_MAX)
		return -EINVAL;
	return 0;
}

/* Find the format and the data; everything else is skipped. */
static int read_chunks(struct span bytes, struct wav *w)
{
	struct span at;

	if (bytes.n < RIFF_BYTES || memcmp(bytes.p, "RIFF", 4) != 0 ||
	    memcmp(bytes.p + 8, "WAVE", 4) != 0)
		return -EINVAL;
	at = span_make(bytes.p + RIFF_BYTES, bytes.n - RIFF_BYTES);

	while (at.n >= CHUNK_BYTES) {
		struct span body =
			span_make(at.p + CHUNK_BYTES, at.n - CHUNK_BYTES);
		uint32_t claimed = u32_at(at.p + 4);
		size_t padded = (size_t)claimed + (claimed & 1);

		if (memcmp(at.p, "data", 4) == 0) {
			if (w->channels == 0)
				return -EINVAL; /* before its format */
			if (claimed != 0 && claimed < body.n)
				body.n = claimed;
			body.n -= body.n % (2 * (size_t)w->channels);
			w->data = body;
			return 0;
		}
		if (padded > body.n)
			return -EINVAL;
		if (memcmp(at.p, "fmt ", 4) == 0) {
			int err = read_format(span_make(body.p, claimed), w);

			if (err)
				return err;
		}
		at = span_make(body.p + padded, body.n - padded);
	}
	return -EINVAL;
}

static int16_t frame_at(const struct wav *w, size_t i)
{
	const char *p = w->data.p + i * 2 * w->channels;
	int left = (int16_t)u16_at(p);

	if (w->channels == 1)
		return (int16_t)left;
	return (int16_t)((left + (int16_t)u16_at(p + 2)) / 2);
}

static void copy(const struct wav *w, size_t frames, struct pcm *out)
{
	for (size_t i = 0; i < frames; i++)
		out->samples[i] = frame_at(w, i);
	out->count = frames;
}

static size_t fill(const struct wav *w, size_t from, size_t frames,
		   float block[BLOCK])
{
	size_t n = frames - from < BLOCK ? frames - from : BLOCK;

	for (size_t i = 0; i < n; i++)
		block[i] = (float)frame_at(w, from + i) / 32768.0F;
	return n;
}

/* out->samples has room for `room` samples. */
static int resample(const struct wav *w, size_t frames, size_t room,
		    struct pcm *out)
{
	float in[BLOCK], made[BLOCK];
	int err = 0;
	SRC_STATE *src = src_new(SRC_SINC_BEST_QUALITY, 1, &err);
	SRC_DATA d = {.data_in = in,
		      .data_out = made,
		      .output_frames = BLOCK,
		      .src_ratio = (double)PCM_RATE / w->rate};
	size_t taken = 0;

	if (!src)
		return -ENOMEM;
	do {
		size_t n = fill(w, taken, frames, in);

		d.input_frames = (long)n;
		d.end_of_input = taken + n == frames;
		if (src_process(src, &d) != 0) {
			err = -EINVAL;
			break;
		}
		taken += (size_t)d.input_frames_used;
		n = (size_t)d.output_frames_gen;
		if (n > room - out->count)
			n = room - out->count;
		src_float_to_short_array(made, out->samples + out->count,
					 (int)n);
		out->count += n;
	} while (taken < frames || d.output_frames_gen > 0);
	(void)src_delete(src);
	return err;
}

int wav_read(struct span bytes, struct pcm *out)
{
	struct wav w = {0};
	struct pcm pcm = {0};
	size_t frames, room;
	int err;

	err = read_chunks(bytes, &w);
	if (err)
		return err;
	frames = w.data.n / (2 * (size_t)w.channels);
	if (frames > (uint64_t)w.rate * PCM_MS_MAX / 1000)
		return -E2BIG;

	room = (size_t)(((uint64_t)frames * PCM_RATE + w.rate - 1) / w.rate);
	if (room > 0) {
		pcm.samples = b_zero(room, sizeof(*pcm.samples));
		if (w.rate == PCM_RATE)
			copy(&w, frames, &pcm);
		else
			err = resample(&w, frames, room, &pcm);
	}
	if (err)
		pcm_free(&pcm);
	else
		*out = pcm;
	return err;
}

static void add_u16(struct buf *b, unsigned v)
{
	buf_byte(b, v & 0xff);
	buf_byte(b, v >> 8 & 0xff);
}

static void add_u32(struct buf *b, uint32_t v)
{
	add_u16(b, v & 0xffff);
	add_u16(b, v >> 16);
}

void wav_head(struct buf *b, size_t count)
{
	assert(count <= pcm_samples(PCM_MS_MAX));
	buf_str(b, "RIFF");
	add_u32(b, (uint32_t)(36 + count * 2));
	buf_str(b, "WAVEfmt ");
	add_u32(b, FORMAT_BYTES);
	add_u16(b, WAV_FORMAT_PCM);
	add_u16(b, 1); /* channel */
	add_u32(b, PCM_RATE);
	add_u32(b, PCM_RATE * 2); /* bytes a second */
	add_u16(b, 2);            /* bytes a frame */
	add_u16(b, 16);           /* bits a sample */
	buf_str(b, "data");
	add_u32(b, (uint32_t)(count * 2));
}

void wav_samples(struct buf *b, const int16_t *samples, size_t count)
{
	uint8_t bytes[2 * WRITE_BLOCK];

	for (size_t i = 0; i < count; i += WRITE_BLOCK) {
		size_t n = count - i < WRITE_BLOCK ? count - i : WRITE_BLOCK;

		for (size_t k = 0; k < n; k++) {
			uint16_t v = (uint16_t)samples[i + k];

			bytes[2 * k] = (uint8_t)(v & 0xff);
			bytes[2 * k + 1] = (uint8_t)(v >> 8);
		}
		buf_add(b, bytes, 2 * n);
	}
	crypto_wipe(bytes, sizeof(bytes)); /* it may have been a code */
}

void wav_write(struct buf *b, const int16_t *samples, size_t count)
{
	wav_head(b, count);
	wav_samples(b, samples, count);
}
