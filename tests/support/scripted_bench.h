// SPDX-License-Identifier: Apache-2.0
/*
 * scripted_bench.h - one scripted telephone on a clock of ours, one call on it,
 * and what came of it.
 *
 * The digits are tones of our own, which begin with silence like real ones.
 */
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "support/test.h"
#include "tel/scripted.h"

enum {
	START_MS = 1000000, /* of a manual clock */
	DIGIT_MS = 400,
	GAP_MS = 500,   /* behind a digit */
	GROUP_MS = 400, /* more, behind three */
	EVENTS_MAX = 256,
	RING_LIMIT_MS = 28000,
};

struct seen {
	struct tel_event ev;
	int64_t at_ms; /* since the dial */
};

/* One telephone, one call on it, and what came of it. */
static struct bench {
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct clip *digits[10], *fallen[10], *word;
	struct tel *tel;
	struct tel_call *call;
	struct seen seen[EVENTS_MAX];
	size_t count;
	char keys[EVENTS_MAX];
	char heard[EVENTS_MAX];
	size_t heard_count;
	enum tel_script script;
	const char *types;
	enum tel_event_kind close_at; /* close the call in this event */
	bool closes;
} bench;

static inline struct clip *tone(double hertz, unsigned ms, const char *caption)
{
	struct pcm pcm = {b_zero(pcm_samples(ms), 2), pcm_samples(ms)};
	struct clip *c;

	/* 100 ms of silence first: all of them begin alike */
	for (size_t i = pcm_samples(100); i < pcm.count; i++) {
		double t = (double)i / PCM_RATE;

		pcm.samples[i] = (int16_t)lrint(8000 * sin(6.28 * hertz * t));
	}
	c = clip_new(&pcm, caption);
	pcm_free(&pcm);
	return c;
}

static inline void on_event(const struct tel_event *ev, void *ctx)
{
	struct seen *s = &bench.seen[bench.count++];

	(void)ctx;
	assert_true(bench.count < EVENTS_MAX);
	s->ev = *ev;
	s->at_ms = clock_mono_ms(bench.clock) - START_MS;
	if (ev->kind == TEL_KEY)
		bench.keys[strlen(bench.keys)] = ev->key;
	if (bench.closes && ev->kind == bench.close_at) {
		tel_call_close(bench.call);
		bench.call = NULL;
	}
}

static inline void on_heard(const char *call_id, char digit, void *ctx)
{
	(void)ctx;
	assert_string_equal(call_id, "call-1");
	bench.heard[bench.heard_count++] = digit;
}

static inline int the_script(const char *to, void *ctx)
{
	(void)ctx;
	return strcmp(to, "+1000") == 0 ? (int)bench.script : -1;
}

static inline const char *what_to_type(const char *call_id, void *ctx)
{
	(void)ctx;
	assert_string_equal(call_id, "call-1");
	return bench.types;
}

static inline void open_tel(struct tel_scripted_params params)
{
	struct tel_ear ears[20];

	for (size_t i = 0; i < 10; i++) {
		ears[i] = (struct tel_ear){(char)('0' + i), bench.digits[i]};
		ears[10 + i] =
			(struct tel_ear){(char)('0' + i), bench.fallen[i]};
	}
	params.loop = bench.loop;
	params.rng = bench.rng;
	params.ears = ears;
	params.ears_count = COUNT_OF(ears);
	assert_int_equal(tel_scripted_new(&params, &bench.tel), 0);
}

static inline int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.clock = clock_manual(1700000000000);
	bench.loop = loop_new(bench.clock);
	bench.rng = rng_seeded(1);
	for (unsigned i = 0; i < 10; i++) {
		char caption[] = {(char)('0' + i), '\0'};

		bench.digits[i] = tone(300 + 50 * i, DIGIT_MS, caption);
		bench.fallen[i] = tone(1300 + 50 * i, DIGIT_MS, caption);
	}
	bench.word = tone(200, 1000, "word");
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	tel_call_close(bench.call);
	tel_free(bench.tel);
	for (unsigned i = 0; i < 10; i++) {
		clip_unref(bench.digits[i]);
		clip_unref(bench.fallen[i]);
	}
	clip_unref(bench.word);
	rng_free(bench.rng);
	loop_free(bench.loop);
	clock_free(bench.clock);
	return 0;
}

static inline void dial_number(const char *to)
{
	const struct tel_params params = {.call_id = "call-1",
					  .to = to,
					  .from = "+2000",
					  .language = "en",
					  .ring_ms = RING_LIMIT_MS,
					  .event = on_event};

	assert_int_equal(tel_dial(bench.tel, &params, &bench.call), 0);
	assert_int_equal(bench.count, 0);
}

static inline void dial(enum tel_script script)
{
	bench.script = script;
	open_tel((struct tel_scripted_params){.script = the_script,
					      .heard = on_heard,
					      .types = what_to_type});
	dial_number("+1000");
}

static inline void go(int64_t ms)
{
	loop_advance(bench.loop, ms);
}

/* Until the answer, which a person gives 2 s after the dial. */
static inline void dial_and_answer(enum tel_script script)
{
	dial(script);
	go(2000);
	assert_int_equal(bench.seen[bench.count - 1].ev.kind, TEL_ANSWERED);
}

static inline const struct seen *last(void)
{
	assert_true(bench.count > 0);
	return &bench.seen[bench.count - 1];
}

static inline size_t place_of(enum tel_event_kind kind)
{
	size_t i = 0;

	while (i < bench.count && bench.seen[i].ev.kind != kind)
		i++;
	return i;
}

static inline bool has(enum tel_event_kind kind)
{
	return place_of(kind) < bench.count;
}

static inline const struct seen *first_of(enum tel_event_kind kind)
{
	assert_true(has(kind));
	return &bench.seen[place_of(kind)];
}

static inline void assert_ended(enum tel_cause cause, int64_t at_ms)
{
	assert_int_equal(last()->ev.kind, TEL_ENDED);
	assert_int_equal(last()->ev.cause, cause);
	assert_int_equal(last()->at_ms, at_ms);
}

static inline void assert_goes_on(void)
{
	assert_false(has(TEL_ENDED));
}

/* --- sounds: w is a word of a second, _ a second of silence, | the mark ---- */

static inline void say_digit(struct playlist *p, const char *at)
{
	size_t d = (size_t)(*at - '0');
	bool ends = at[1] < '0' || at[1] > '9';

	assert_int_equal(
		playlist_add(p, ends ? bench.fallen[d] : bench.digits[d]), 0);
	if (!ends)
		assert_int_equal(playlist_silence(p, GAP_MS), 0);
}

static inline struct playlist *sound(const char *text)
{
	struct playlist *p = playlist_new();

	for (const char *at = text; *at; at++) {
		switch (*at) {
		case 'w':
			assert_int_equal(playlist_add(p, bench.word), 0);
			break;
		case '_':
			assert_int_equal(playlist_silence(p, 1000), 0);
			break;
		case ',':
			assert_int_equal(playlist_silence(p, GAP_MS + GROUP_MS),
					 0);
			break;
		case '|':
			playlist_mark(p);
			break;
		default:
			say_digit(p, at);
		}
	}
	return p;
}

/* Start a sound; its length in ms. */
static inline unsigned play(const char *text, uint32_t id)
{
	AUTO(playlist) *p = sound(text);
	size_t before = bench.count;

	assert_int_equal(tel_call_play(bench.call, p, id), 0);
	assert_int_equal(bench.count, before); /* never from inside */
	return playlist_ms(p);
}

/* Say it all; *how long it took in ms. */
static inline unsigned say(const char *text, uint32_t id)
{
	unsigned ms = play(text, id);

	go(ms);
	return ms;
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
