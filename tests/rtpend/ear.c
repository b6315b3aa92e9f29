// SPDX-License-Identifier: Apache-2.0
/*
 * ear.c - see ear.h.
 *
 * Packets are lost, doubled and late, so a clip is not followed frame by frame.
 * Each frame that is some clip's says when that clip began if it is being
 * played; a beginning on which enough frames agree is one.
 */
#include "rtpend/ear.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/clip.h"

enum {
	LATE_FRAMES = 4,     /* so much later a packet may still come */
	ENOUGH_PERCENT = 25, /* of a clip's frames, where half are lost */
};

static uint32_t hash(const uint8_t *frame)
{
	uint32_t h = 2166136261; /* FNV-1a */

	for (size_t i = 0; i < EAR_SAMPLES; i++)
		h = (h ^ frame[i]) * 16777619;
	return h % EAR_TABLE;
}

static bool is_silence(const uint8_t *frame)
{
	for (size_t i = 0; i < EAR_SAMPLES; i++)
		if (frame[i] != g711_silence(G711_PCMU) &&
		    frame[i] != g711_silence(G711_PCMA))
			return false;
	return true;
}

static void learn_frame(struct ear_clips *c, const uint8_t *bytes, size_t clip,
			size_t at)
{
	uint32_t h = hash(bytes);

	while (c->table[h].bytes)
		h = (h + 1) % EAR_TABLE;
	c->table[h] = (struct ear_frame){bytes, (uint8_t)clip, (uint8_t)at};
}

int ear_learn(struct ear_clips *c, struct speech *sp, const char *language)
{
	for (size_t i = 0; i < EAR_CLIPS; i++) {
		struct clip *clip = speech_digit(
			sp, language, (char)('0' + i / 2), i % 2 == 1);

		if (!clip || clip_frames(clip) > EAR_FRAMES_MAX)
			return -E2BIG;
		c->clips[i] = clip;
		for (size_t k = 0; k < clip_frames(clip); k++) {
			const uint8_t *u = clip_frame(clip, G711_PCMU, k);

			if (is_silence(u))
				continue;
			c->audible[i]++;
			learn_frame(c, u, i, k);
			learn_frame(c, clip_frame(clip, G711_PCMA, k), i, k);
		}
	}
	return 0;
}

/* --- live ------------------------------------------------------------------------ */

static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static unsigned ms_since_first(const struct ear *e, uint32_t ts)
{
	return (ts - e->first) / (EAR_HZ / 1000);
}

static uint32_t end_of(const struct ear *e, const struct ear_guess *g)
{
	return g->start +
	       (uint32_t)clip_frames(e->known->clips[g->clip]) * EAR_SAMPLES;
}

/* In 1/1000 of what can be heard of it. */
static unsigned weight(const struct ear *e, const struct ear_guess *g)
{
	return (unsigned)__builtin_popcountll(g->got) * 1000 /
	       e->known->audible[g->clip];
}

static void guess(struct ear *e, const struct ear_frame *f, uint32_t ts)
{
	uint32_t start = ts - (uint32_t)f->at * EAR_SAMPLES;
	struct ear_guess *g = NULL, *least = NULL;

	for (size_t i = 0; i < EAR_GUESSES; i++) {
		struct ear_guess *at = &e->guesses[i];

		if (at->used && at->clip == f->clip && at->start == start)
			g = at;
		if (!least || !at->used ||
		    (least->used && weight(e, at) < weight(e, least)))
			least = at;
	}
	if (!g) {
		g = least;
		*g = (struct ear_guess){true, f->clip, start, 0};
	}
	g->got |= UINT64_C(1) << f->at;
}

/* Another clip explains the same frames better. */
static bool is_beaten(const struct ear *e, const struct ear_guess *g)
{
	for (size_t i = 0; i < EAR_GUESSES; i++) {
		const struct ear_guess *o = &e->guesses[i];

		if (o != g && o->used && is_before(o->start, end_of(e, g)) &&
		    is_before(g->start, end_of(e, o)) &&
		    (weight(e, o) > weight(e, g) ||
		     (weight(e, o) == weight(e, g) && o < g)))
			return true;
	}
	return false;
}

static void settle(struct ear *e, struct ear_guess *g)
{
	const struct ear_heard h = {
		.kind = EAR_DIGIT,
		.digit = (char)('0' + g->clip / 2),
		.at_ms = ms_since_first(e, g->start),
		.got = (unsigned)__builtin_popcountll(g->got),
		.of = e->known->audible[g->clip],
	};
	bool is_it = weight(e, g) >= ENOUGH_PERCENT * 10 && !is_beaten(e, g);

	if (is_it)
		e->heard(&h, e->ctx);
	/* who lost to it must not come back when it is gone */
	for (size_t i = 0; is_it && i < EAR_GUESSES; i++) {
		struct ear_guess *o = &e->guesses[i];

		if (o->used && is_before(o->start, end_of(e, g)) &&
		    is_before(g->start, end_of(e, o)))
			o->used = false;
	}
	g->used = false;
}

static struct ear_guess *earliest(struct ear *e)
{
	struct ear_guess *first = NULL;

	for (size_t i = 0; i < EAR_GUESSES; i++) {
		struct ear_guess *g = &e->guesses[i];

		if (g->used &&
		    is_before(end_of(e, g) + LATE_FRAMES * EAR_SAMPLES,
			      e->newest) &&
		    (!first || is_before(g->start, first->start)))
			first = g;
	}
	return first;
}

static void look_back(struct ear *e)
{
	struct ear_heard quiet = {.kind = EAR_QUIET};
	struct ear_guess *g;

	while ((g = earliest(e)))
		settle(e, g);
	if (!e->talking ||
	    e->newest - e->loudest < EAR_QUIET_MS * (EAR_HZ / 1000))
		return;
	e->talking = false;
	quiet.at_ms = ms_since_first(e, e->loudest);
	e->heard(&quiet, e->ctx);
}

void ear_take(struct ear *e, uint32_t ts, const uint8_t frame[EAR_SAMPLES])
{
	const struct ear_frame *f;

	if (!e->begun)
		e->first = e->newest = ts;
	e->begun = true;
	if (is_before(e->newest, ts))
		e->newest = ts;
	if (!is_silence(frame)) {
		e->talking = true;
		if (is_before(e->loudest, ts) || e->loudest == 0)
			e->loudest = ts;
		for (uint32_t h = hash(frame); (f = &e->known->table[h])->bytes;
		     h = (h + 1) % EAR_TABLE)
			if (memcmp(f->bytes, frame, EAR_SAMPLES) == 0)
				guess(e, f, ts);
	}
	look_back(e);
}

/* --- a recording ------------------------------------------------------------------ */

/*
 * First a part of a clip, the loudest, is moved over the recording in whole
 * numbers; where it fits at all, the whole clip is compared.
 */
enum {
	PART = 320,
	HALVINGS = 5,
	MAYBE = 3600, /* 0.60 squared, in 1/10000 */
	SURE = 8100,  /* 0.90 squared */
};

struct template
{
	int16_t part[PART], *whole;
	size_t count, part_at;
	int64_t part_energy;
};

struct match {
	size_t at, count;
	char digit;
	double alike;
};

struct search {
	const struct pcm *p;
	int16_t *small; /* p's, halved so often that sums of products fit */
	struct match *matches;
	size_t count, room;
};

static int64_t product(const int16_t *a, const int16_t *b)
{
	int32_t sum = 0;

	for (size_t i = 0; i < PART; i++)
		sum += a[i] * b[i];
	return sum;
}

static void template_of(struct clip *clip, struct template *t)
{
	t->count = clip_frames(clip) * EAR_SAMPLES;
	t->whole = b_zero(t->count, sizeof(*t->whole));
	for (size_t i = 0; i < t->count; i++)
		t->whole[i] = g711_decode(
			G711_PCMU,
			clip_frame(clip, G711_PCMU,
				   i / EAR_SAMPLES)[i % EAR_SAMPLES]);
	t->part_energy = 0;
	for (size_t at = 0; at + PART <= t->count; at += EAR_SAMPLES / 2) {
		int16_t part[PART];
		int64_t energy;

		for (size_t i = 0; i < PART; i++)
			part[i] = (int16_t)(t->whole[at + i] >> HALVINGS);
		energy = product(part, part);
		if (energy <= t->part_energy)
			continue;
		memcpy(t->part, part, sizeof(part));
		t->part_energy = energy;
		t->part_at = at;
	}
}

/* The cosine of the angle between them: 1 where one is the other, louder. */
static double alike(const int16_t *a, const int16_t *b, size_t n)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	if (ab <= 0 || aa <= 0 || bb <= 0)
		return 0;
	return ab * ab / (aa * bb); /* squared: no root is needed */
}

static bool maybe(int64_t ab, int64_t aa, int64_t bb)
{
	return ab > 0 && aa > PART && ab * ab > aa / 100 * (bb / 100) * MAYBE;
}

static void keep(struct search *s, const struct match *m)
{
	for (size_t i = 0; i < s->count; i++) {
		struct match *o = &s->matches[i];

		if (m->at >= o->at + o->count || o->at >= m->at + m->count)
			continue;
		if (m->alike > o->alike)
			*o = *m;
		return;
	}
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->matches = b_grow(s->matches, s->room, sizeof(*s->matches));
	}
	s->matches[s->count++] = *m;
}

static void search_one(struct search *s, const struct template *t, char digit)
{
	int64_t energy;

	if (s->p->count < t->count)
		return;
	energy = product(s->small + t->part_at, s->small + t->part_at);
	for (size_t at = 0; at + t->count <= s->p->count; at++) {
		const int16_t *here = s->small + at + t->part_at;
		struct match m = {at, t->count, digit, 0};

		if (maybe(product(t->part, here), energy, t->part_energy)) {
			m.alike = alike(t->whole, s->p->samples + at, t->count);
			if (m.alike * 10000 >= SURE)
				keep(s, &m);
		}
		energy += here[PART] * here[PART] - here[0] * here[0];
	}
}

static int earlier_first(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

void ear_search(const struct ear_clips *c, const struct pcm *p,
		ear_found_h *found, void *ctx)
{
	struct search s = {.p = p};

	s.small = b_zero(p->count + PART + 1, sizeof(*s.small));
	for (size_t i = 0; i < p->count; i++)
		s.small[i] = (int16_t)(p->samples[i] >> HALVINGS);
	for (size_t i = 0; i < EAR_CLIPS; i++) {
		struct template t = {.whole = NULL};

		template_of(c->clips[i], &t);
		search_one(&s, &t, (char)('0' + i / 2));
		free(t.whole);
	}
	if (s.count > 0)
		qsort(s.matches, s.count, sizeof(*s.matches), earlier_first);
	for (size_t i = 0; i < s.count; i++)
		found(s.matches[i].digit,
		      (unsigned)(s.matches[i].at / (EAR_HZ / 1000)),
		      s.matches[i].alike, ctx);
	free(s.matches);
	free(s.small);
}
