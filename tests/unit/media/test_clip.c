// SPDX-License-Identifier: Apache-2.0
/*
 * test_clip.c - is a clip what was said, in both codecs, in whole frames?
 */
#include "media/clip.h"

#include <pthread.h>
#include <string.h>

#include "base/attr.h"
#include "base/span.h"
#include "support/test.h"

static struct clip *ramp(size_t count, const char *caption)
{
	static int16_t samples[3 * CLIP_FRAME_BYTES];
	struct pcm pcm = {samples, count};

	for (size_t i = 0; i < COUNT_OF(samples); i++)
		samples[i] = (int16_t)(60 * i);
	return clip_new(&pcm, caption);
}

TEST(a_clip_is_padded_with_silence_to_whole_frames)
{
	AUTO(clip) *c = ramp(CLIP_FRAME_BYTES + 1, "ramp");
	const uint8_t *u = clip_frame(c, G711_PCMU, 1);
	const uint8_t *a = clip_frame(c, G711_PCMA, 1);

	assert_int_equal(clip_frames(c), 2);
	assert_int_equal(clip_ms(c), 40);
	assert_int_equal(u[0], g711_encode(G711_PCMU, 60 * CLIP_FRAME_BYTES));
	assert_int_equal(a[0], g711_encode(G711_PCMA, 60 * CLIP_FRAME_BYTES));
	for (size_t i = 1; i < CLIP_FRAME_BYTES; i++) {
		assert_int_equal(u[i], 0xff);
		assert_int_equal(a[i], 0xd5);
	}
}

TEST(every_sample_is_in_its_place_in_both_codecs)
{
	AUTO(clip) *c = ramp((size_t)2 * CLIP_FRAME_BYTES, "ramp");

	assert_int_equal(clip_frames(c), 2);
	for (size_t i = 0; i < (size_t)2 * CLIP_FRAME_BYTES; i++) {
		size_t f = i / CLIP_FRAME_BYTES, k = i % CLIP_FRAME_BYTES;
		int16_t s = (int16_t)(60 * i);

		assert_int_equal(clip_frame(c, G711_PCMU, f)[k],
				 g711_encode(G711_PCMU, s));
		assert_int_equal(clip_frame(c, G711_PCMA, f)[k],
				 g711_encode(G711_PCMA, s));
	}
}

TEST(nothing_said_is_a_clip_without_frames)
{
	AUTO(clip) *c = ramp(0, NULL);

	assert_int_equal(clip_frames(c), 0);
	assert_string_equal(clip_caption(c), "");
}

TEST(a_long_caption_is_cut_between_characters)
{
	char caption[CLIP_CAPTION_MAX + 10] = "x";
	AUTO(clip) *c = NULL;

	for (size_t i = 1; i + 2 < sizeof(caption); i += 2) {
		caption[i] = '\xc3'; /* a umlaut */
		caption[i + 1] = '\xa4';
	}

	c = ramp(1, caption);

	assert_int_equal(strlen(clip_caption(c)), CLIP_CAPTION_MAX - 1);
	assert_true(span_utf8(span_of(clip_caption(c))));
}

static void *take_and_give(void *clip)
{
	for (int i = 0; i < 10000; i++)
		clip_unref(clip_ref(clip));
	return NULL;
}

TEST(threads_share_a_clip)
{
	AUTO(clip) *c = ramp(1, "shared");
	pthread_t threads[2];

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, take_and_give, c), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	assert_string_equal(clip_caption(c), "shared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clip_is_padded_with_silence_to_whole_frames),
		cmocka_unit_test(every_sample_is_in_its_place_in_both_codecs),
		cmocka_unit_test(nothing_said_is_a_clip_without_frames),
		cmocka_unit_test(a_long_caption_is_cut_between_characters),
		cmocka_unit_test(threads_share_a_clip),
	};

	return cmocka_run_group_tests_name("media/clip", tests, NULL, NULL);
}
