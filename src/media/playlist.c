// SPDX-License-Identifier: Apache-2.0
/*
 * playlist.c - clips and silences in a row.
 *
 * A silence is an item without a clip, so a second of it costs nothing.
 */
#include "media/playlist.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "media/keys.h"
#include "media/media_priv.h"

struct item {
	struct clip *clip; /* NULL: silence */
	uint32_t frames;
	char key; /* NUL: none */
};

struct playlist {
	atomic_uint refs;
	struct item *items;
	size_t count, room;
	size_t frames;
	size_t mark; /* in frames */
	size_t keys;
};

enum {
	FIRST_ROOM = 16,
	FRAMES_MAX = PLAYLIST_MS_MAX / CLIP_FRAME_MS,
	/* Digits whose beginnings are this much further apart than the
	 * nearest ones of the list begin a new group (B6 pauses 400 ms). */
	GROUP_FRAMES = 300 / CLIP_FRAME_MS,
};

#define TEN(b) b, b, b, b, b, b, b, b, b, b
#define FORTY(b) TEN(b), TEN(b), TEN(b), TEN(b)
#define FRAME_OF(b) FORTY(b), FORTY(b), FORTY(b), FORTY(b)
static const uint8_t silence_pcmu[] = {FRAME_OF(0xff)};
static const uint8_t silence_pcma[] = {FRAME_OF(0xd5)};
_Static_assert(sizeof(silence_pcmu) == CLIP_FRAME_BYTES, "one frame");

struct playlist *playlist_new(void)
{
	struct playlist *p = b_zero(1, sizeof(*p));

	atomic_init(&p->refs, 1);
	return p;
}

struct playlist *playlist_ref(struct playlist *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void playlist_unref(struct playlist *p)
{
	if (!p ||
	    atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < p->count; i++)
		clip_unref(p->items[i].clip);
	if (p->items)
		crypto_wipe(p->items, p->room * sizeof(*p->items));
	free(p->items);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

static bool fits(const struct playlist *p, size_t items, size_t frames)
{
	return items <= PLAYLIST_ITEMS_MAX - p->count &&
	       frames <= FRAMES_MAX - p->frames;
}

static void grow(struct playlist *p)
{
	size_t room = p->room ? p->room * 2 : FIRST_ROOM;
	struct item *items = b_zero(room, sizeof(*items));

	/* not realloc: it would leave a copy of the old order behind */
	if (p->items) {
		memcpy(items, p->items, p->count * sizeof(*items));
		crypto_wipe(p->items, p->room * sizeof(*p->items));
		free(p->items);
	}
	p->items = items;
	p->room = room;
}

static void add(struct playlist *p, struct clip *c, size_t frames)
{
	if (p->count == p->room)
		grow(p);
	p->items[p->count++] = (struct item){.clip = c ? clip_ref(c) : NULL,
					     .frames = (uint32_t)frames};
	p->frames += frames;
}

int playlist_add(struct playlist *p, struct clip *c)
{
	if (!fits(p, 1, clip_frames(c)))
		return -E2BIG;
	add(p, c, clip_frames(c));
	return 0;
}

int playlist_silence(struct playlist *p, unsigned ms)
{
	size_t frames = ms / CLIP_FRAME_MS + (ms % CLIP_FRAME_MS != 0);

	if (frames == 0)
		return 0;
	if (!fits(p, 1, frames))
		return -E2BIG;
	add(p, NULL, frames);
	return 0;
}

/* The same key sounds the same. */
static struct clip *tone_of(const struct playlist *p, char key, unsigned ms)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].key == key && clip_ms(p->items[i].clip) == ms)
			return clip_ref(p->items[i].clip);
	return keys_tone(key, ms);
}

int playlist_key(struct playlist *p, char key, unsigned ms)
{
	AUTO(clip) *tone = NULL;
	int err;

	if (keys_pad_event(key) < 0)
		return -EINVAL;
	tone = tone_of(p, key, ms);
	err = playlist_add(p, tone);
	if (err)
		return err;
	p->items[p->count - 1].key = key;
	p->keys++;
	return 0;
}

int playlist_append(struct playlist *p, const struct playlist *tail)
{
	size_t before = p->frames, items = tail->count;

	if (!fits(p, items, tail->frames))
		return -E2BIG;
	if (tail->mark > 0)
		p->mark = before + tail->mark;
	for (size_t i = 0; i < items; i++) {
		add(p, tail->items[i].clip, tail->items[i].frames);
		p->items[p->count - 1].key = tail->items[i].key;
	}
	p->keys += tail->keys;
	return 0;
}

void playlist_mark(struct playlist *p)
{
	p->mark = p->frames;
}

unsigned playlist_mark_ms(const struct playlist *p)
{
	return (unsigned)p->mark * CLIP_FRAME_MS;
}

unsigned playlist_ms(const struct playlist *p)
{
	return (unsigned)p->frames * CLIP_FRAME_MS;
}

/* To the item that the next frame is of; NULL: there is none. */
static const struct item *advance(const struct playlist *p,
				  struct playlist_cursor *at)
{
	while (at->item < p->count && at->frame == p->items[at->item].frames) {
		at->item++;
		at->frame = 0;
	}
	return at->item < p->count ? &p->items[at->item] : NULL;
}

char playlist_key_at(const struct playlist *p, struct playlist_cursor at,
		     uint32_t *left)
{
	const struct item *it = advance(p, &at);

	if (!it || !it->key)
		return '\0';
	*left = it->frames - (uint32_t)at.frame;
	return it->key;
}

size_t playlist_keys(const struct playlist *p, char out[PLAYLIST_KEYS_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < p->count && p->keys; i++)
		if (p->items[i].key && n < PLAYLIST_KEYS_MAX)
			out[n++] = p->items[i].key;
	out[n] = '\0';
	return p->keys;
}

const uint8_t *playlist_next(const struct playlist *p,
			     struct playlist_cursor *at, enum g711_codec codec)
{
	if (!advance(p, at))
		return NULL;
	if (!p->items[at->item].clip) {
		at->frame++;
		return codec == G711_PCMU ? silence_pcmu : silence_pcma;
	}
	return clip_frame(p->items[at->item].clip, codec, at->frame++);
}

void playlist_wav(const struct playlist *p, struct buf *out)
{
	struct playlist_cursor at = {0};
	const uint8_t *frame;
	int16_t samples[CLIP_FRAME_BYTES];

	wav_head(out, p->frames * CLIP_FRAME_BYTES);
	while ((frame = playlist_next(p, &at, G711_PCMU))) {
		for (size_t i = 0; i < CLIP_FRAME_BYTES; i++)
			samples[i] = g711_decode(G711_PCMU, frame[i]);
		wav_samples(out, samples, CLIP_FRAME_BYTES);
	}
	crypto_wipe(samples, sizeof(samples));
}

static bool is_digit(const struct item *it)
{
	const char *s = it->clip ? clip_caption(it->clip) : "";

	return s[0] >= '0' && s[0] <= '9' && s[1] == '\0';
}

/* From the beginning of digit i to that of the digit behind it with only
 * silence between, in frames; 0: no such digit, *next is left alone. */
static size_t spacing(const struct playlist *p, size_t i, size_t *next)
{
	size_t frames = p->items[i].frames;

	for (i++; i < p->count; i++) {
		if (is_digit(&p->items[i])) {
			*next = i;
			return frames;
		}
		if (p->items[i].clip)
			break;
		frames += p->items[i].frames;
	}
	return 0;
}

static size_t closest_spacing(const struct playlist *p)
{
	size_t least = SIZE_MAX, ignored;

	for (size_t i = 0; i < p->count; i++) {
		size_t s = is_digit(&p->items[i]) ? spacing(p, i, &ignored) : 0;

		if (s > 0 && s < least)
			least = s;
	}
	return least;
}

static void cue_keys(const struct playlist *p, unsigned at_ms,
		     playlist_cue_h *each, void *ctx)
{
	static const char head[] = "keys sent: ";
	char text[sizeof(head) + PLAYLIST_KEYS_MAX];

	memcpy(text, head, sizeof(head));
	(void)playlist_keys(p, text + sizeof(head) - 1);
	each(at_ms, text, false, ctx);
}

void playlist_cues(const struct playlist *p, playlist_cue_h *each, void *ctx)
{
	size_t closest = closest_spacing(p);
	size_t joined = SIZE_MAX; /* the digit that belongs to the last one */
	size_t frames = 0;
	bool shown = false;

	for (size_t i = 0; i < p->count; i++) {
		const struct item *it = &p->items[i];
		size_t next = SIZE_MAX, s;

		if (it->key && !shown)
			cue_keys(p, (unsigned)frames * CLIP_FRAME_MS, each,
				 ctx);
		shown = shown || it->key;
		if (it->clip && *clip_caption(it->clip))
			each((unsigned)frames * CLIP_FRAME_MS,
			     clip_caption(it->clip), i == joined, ctx);
		frames += it->frames;
		s = is_digit(it) ? spacing(p, i, &next) : 0;
		if (s > 0 && s < closest + GROUP_FRAMES)
			joined = next;
	}
}

static void add_cue(unsigned at_ms, const char *text, bool joined, void *ctx)
{
	struct buf *out = ctx;

	(void)at_ms;
	if (!joined && out->n > 0)
		buf_byte(out, ' ');
	buf_str(out, text);
}

void playlist_caption(const struct playlist *p, struct buf *out)
{
	playlist_cues(p, add_cue, out);
}
