// SPDX-License-Identifier: Apache-2.0
/*
 * ears.c - frames to digits.
 *
 * A digit is heard where a run of frames equals its clip, byte for byte; the
 * longest clip that fits wins, and listening goes on behind it.  Clips begin
 * with more or less silence, and so does everything: they are found by a hash
 * of their first frame that sounds, so a frame that begins no digit costs one
 * look, and then enough silence must have been in front of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "tel/scripted_priv.h"

enum {
	BUCKETS = 256, /* a power of two */
	/* Digits of one number are nearer than this, even when read slowly. */
	RUN_GAP_MS = 2500,
	FIRST_ROOM = 32,
};

struct ear {
	char digit;
	struct clip *clip;
	size_t lead;            /* frames of silence that it begins with */
	const struct ear *next; /* in its bucket, longest first */
};

struct tel_ears {
	struct ear *list;
	size_t count;
	const struct ear *buckets[BUCKETS];
};

static size_t bucket_of(const uint8_t *frame)
{
	uint64_t hash = 0;

	/* every fifth word is enough to tell sounds apart */
	for (size_t i = 0; i < CLIP_FRAME_BYTES; i += 5 * sizeof(hash)) {
		uint64_t word;

		memcpy(&word, frame + i, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
		hash ^= hash >> 29;
	}
	return hash & (BUCKETS - 1);
}

static bool is_silence(const uint8_t *frame)
{
	return frame[0] == g711_silence(G711_PCMU) &&
	       memcmp(frame, frame + 1, CLIP_FRAME_BYTES - 1) == 0;
}

static size_t leading_silence(const struct clip *c)
{
	size_t n = 0;

	while (n < clip_frames(c) && is_silence(clip_frame(c, G711_PCMU, n)))
		n++;
	return n;
}

/* qsort: the shortest first, for they are put in front of each other. */
static int shorter(const void *a, const void *b)
{
	size_t x = clip_frames(((const struct ear *)a)->clip);
	size_t y = clip_frames(((const struct ear *)b)->clip);

	return x < y ? -1 : x > y;
}

int tel_ears_new(const struct tel_ear *ears, size_t count,
		 struct tel_ears **out)
{
	AUTO(tel_ears) *e = b_zero(1, sizeof(*e));

	if (count > 0)
		e->list = b_zero(count, sizeof(*e->list));
	for (size_t i = 0; i < count; i++) {
		size_t lead = leading_silence(ears[i].clip);

		if (lead == clip_frames(ears[i].clip))
			return -EINVAL;
		e->list[e->count++] =
			(struct ear){.digit = ears[i].digit,
				     .clip = clip_ref(ears[i].clip),
				     .lead = lead};
	}
	if (count > 0)
		qsort(e->list, count, sizeof(*e->list), shorter);
	for (size_t i = 0; i < count; i++) {
		struct ear *ear = &e->list[i];
		size_t b =
			bucket_of(clip_frame(ear->clip, G711_PCMU, ear->lead));

		ear->next = e->buckets[b];
		e->buckets[b] = ear;
	}
	*out = KEEP(e);
	return 0;
}

void tel_ears_free(struct tel_ears *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->count; i++)
		clip_unref(e->list[i].clip);
	free(e->list);
	free(e);
}

/* Does the sound of this clip stand at *at?  Then *at is moved behind it. */
static bool is_here(const struct ear *ear, const struct playlist *p,
		    struct playlist_cursor *at)
{
	const struct clip *c = ear->clip;
	struct playlist_cursor ahead = *at;

	for (size_t i = ear->lead; i < clip_frames(c); i++) {
		const uint8_t *frame = playlist_next(p, &ahead, G711_PCMU);

		if (!frame || memcmp(frame, clip_frame(c, G711_PCMU, i),
				     CLIP_FRAME_BYTES) != 0)
			return false;
	}
	*at = ahead;
	return true;
}

/* The digit that sounds from `frame` on, which stands at *at behind so many
 * frames of silence; then *at is moved behind it. */
static const struct ear *digit_here(const struct tel_ears *e,
				    const struct playlist *p,
				    const uint8_t *frame, size_t silence,
				    struct playlist_cursor *at)
{
	const struct ear *ear = e->buckets[bucket_of(frame)];

	while (ear && (ear->lead > silence || !is_here(ear, p, at)))
		ear = ear->next;
	return ear;
}

/* Digits are secrets: growing leaves no copy behind. */
static struct tel_heard *grow(struct tel_heard *list, size_t count, size_t room)
{
	struct tel_heard *more = b_zero(room, sizeof(*more));

	if (count > 0) {
		memcpy(more, list, count * sizeof(*list));
		crypto_wipe(list, count * sizeof(*list));
	}
	free(list);
	return more;
}

size_t tel_ears_listen(const struct tel_ears *e, const struct playlist *p,
		       struct tel_heard **out)
{
	struct playlist_cursor at = {0}, here = {0};
	struct tel_heard *list = NULL;
	size_t count = 0, room = 0, silence = 0;
	unsigned now_ms = 0, last_ms = 0;
	bool word_between = true;
	const uint8_t *frame;

	for (; (frame = playlist_next(p, &at, G711_PCMU)); here = at) {
		bool silent = is_silence(frame);
		const struct ear *ear =
			silent ? NULL : digit_here(e, p, frame, silence, &here);

		if (!ear) {
			word_between = word_between || !silent;
			silence = silent ? silence + 1 : 0;
			now_ms += CLIP_FRAME_MS;
			continue;
		}
		if (count == room) {
			room = room ? 2 * room : FIRST_ROOM;
			list = grow(list, count, room);
		}
		list[count].digit = ear->digit;
		list[count].joined =
			!word_between && now_ms - last_ms < RUN_GAP_MS;
		now_ms += (unsigned)(clip_frames(ear->clip) - ear->lead) *
			  CLIP_FRAME_MS;
		list[count++].end_ms = now_ms;
		last_ms = now_ms;
		word_between = false;
		silence = 0;
		at = here;
	}
	*out = list;
	return count;
}
