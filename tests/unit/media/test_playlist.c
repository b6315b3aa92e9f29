// SPDX-License-Identifier: Apache-2.0
/*
 * test_playlist.c - what is played is what was put in, in that order.
 */
#include "media/playlist.h"

#include <errno.h>
#include <string.h>

#include "support/test.h"

enum { FILE_MAX = 4 << 20 };

/* `frames` frames of one loudness. */
static struct clip *tone(size_t frames, int16_t level, const char *caption)
{
	static int16_t samples[CLIP_FRAME_BYTES * 100];
	struct pcm pcm = {samples, frames * CLIP_FRAME_BYTES};

	for (size_t i = 0; i < pcm.count; i++)
		samples[i] = level;
	return clip_new(&pcm, caption);
}

static void add(struct playlist *p, size_t frames, int16_t level,
		const char *caption)
{
	AUTO(clip) *c = tone(frames, level, caption);

	assert_int_equal(playlist_add(p, c), 0);
}

static void assert_frames(const struct playlist *p, struct playlist_cursor *at,
			  enum g711_codec codec, size_t n, uint8_t byte)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *f = playlist_next(p, at, codec);

		assert_non_null(f);
		for (size_t k = 0; k < CLIP_FRAME_BYTES; k++)
			assert_int_equal(f[k], byte);
	}
}

TEST(frames_come_in_order_and_then_no_more)
{
	AUTO(playlist) *p = playlist_new();

	add(p, 2, 1000, "a");
	assert_int_equal(playlist_silence(p, 50), 0); /* 3 frames */
	add(p, 0, 0, "nothing");
	add(p, 1, -1000, "b");
	assert_int_equal(playlist_ms(p), 120);

	for (int codec = G711_PCMU; codec <= G711_PCMA; codec++) {
		struct playlist_cursor at = {0};

		assert_frames(p, &at, codec, 2, g711_encode(codec, 1000));
		assert_frames(p, &at, codec, 3, g711_silence(codec));
		assert_frames(p, &at, codec, 1, g711_encode(codec, -1000));
		assert_null(playlist_next(p, &at, codec));
		assert_null(playlist_next(p, &at, codec));
	}
}

TEST(an_empty_list_is_over_at_once)
{
	AUTO(playlist) *p = playlist_new();
	struct playlist_cursor at = {0};

	assert_int_equal(playlist_silence(p, 0), 0);
	assert_int_equal(playlist_ms(p), 0);
	assert_null(playlist_next(p, &at, G711_PCMU));
}

TEST(the_mark_is_where_it_was_set)
{
	AUTO(playlist) *p = playlist_new();

	assert_int_equal(playlist_mark_ms(p), 0);
	add(p, 2, 1000, "digits");
	playlist_mark(p);
	add(p, 3, 1000, "the rest");
	assert_int_equal(playlist_mark_ms(p), 40);
}

TEST(appending_moves_the_mark_along)
{
	AUTO(playlist) *p = playlist_new();
	AUTO(playlist) *marked = playlist_new();
	AUTO(playlist) *unmarked = playlist_new();

	add(p, 2, 1000, "a");
	add(marked, 1, 2000, "b");
	playlist_mark(marked);
	add(unmarked, 5, 3000, "c");

	assert_int_equal(playlist_append(p, marked), 0);
	assert_int_equal(playlist_append(p, unmarked), 0);
	assert_int_equal(playlist_mark_ms(p), 60);
	assert_int_equal(playlist_ms(p), 160);
}

TEST(a_list_may_be_appended_to_itself)
{
	AUTO(playlist) *p = playlist_new();
	struct playlist_cursor at = {0};

	for (int i = 0; i < 16; i++)
		add(p, 1, 1000, "a");
	assert_int_equal(playlist_append(p, p), 0);

	assert_frames(p, &at, G711_PCMU, 32, g711_encode(G711_PCMU, 1000));
	assert_null(playlist_next(p, &at, G711_PCMU));
}

TEST(the_limits_hold_and_nothing_is_added_past_them)
{
	AUTO(playlist) *many = playlist_new();
	AUTO(playlist) *longest = playlist_new();
	AUTO(clip) *c = tone(1, 0, "");

	for (int i = 0; i < PLAYLIST_ITEMS_MAX; i++)
		assert_int_equal(playlist_add(many, c), 0);
	assert_int_equal(playlist_add(many, c), -E2BIG);
	assert_int_equal(playlist_silence(many, 20), -E2BIG);
	assert_int_equal(playlist_append(many, many), -E2BIG);
	assert_int_equal(playlist_ms(many), PLAYLIST_ITEMS_MAX * 20);

	assert_int_equal(playlist_silence(longest, PLAYLIST_MS_MAX), 0);
	assert_int_equal(playlist_add(longest, c), -E2BIG);
	assert_int_equal(playlist_silence(longest, 1), -E2BIG);
	assert_int_equal(playlist_silence(longest, UINT32_MAX), -E2BIG);
	assert_int_equal(playlist_ms(longest), PLAYLIST_MS_MAX);
}

TEST(the_whole_is_a_wav_file)
{
	AUTO(playlist) *p = playlist_new();
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	add(p, 1, 1000, "a");
	assert_int_equal(playlist_silence(p, 20), 0);
	playlist_wav(p, &b);
	assert_int_equal(b.err, 0);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_int_equal(pcm.count, 2 * CLIP_FRAME_BYTES);
	assert_in_range(pcm.samples[0], 970, 1030);
	assert_int_equal(pcm.samples[CLIP_FRAME_BYTES], 0);
	pcm_free(&pcm);
}

/* A digit of 500 ms and what keeps the next one `every_ms` away. */
static void digit(struct playlist *p, const char *which, unsigned every_ms)
{
	add(p, 25, 500, which);
	assert_int_equal(playlist_silence(p, every_ms - 500), 0);
}

TEST(the_caption_joins_words_by_blanks_and_digits_to_groups)
{
	AUTO(playlist) *p = playlist_new();
	AUTO_BUF(b, 1000);

	assert_int_equal(playlist_silence(p, 800), 0);
	add(p, 5, 1000, "Your code is:");
	digit(p, "4", 900);
	digit(p, "8", 900);
	digit(p, "2", 1300);
	digit(p, "9", 900);
	digit(p, "1", 900);
	digit(p, "3", 1300);
	add(p, 5, 1000, "");
	add(p, 5, 1000, "Again:");
	digit(p, "4", 900);
	digit(p, "8", 900);
	playlist_caption(p, &b);

	assert_string_equal(b.p, "Your code is: 482 913 Again: 48");
}

static void note_cue(unsigned at_ms, const char *text, bool joined, void *ctx)
{
	buf_printf(ctx, "%s%s@%u", joined ? "+" : " ", text, at_ms);
}

TEST(a_cue_comes_when_its_clip_begins)
{
	AUTO(playlist) *p = playlist_new();
	AUTO_BUF(b, 1000);

	assert_int_equal(playlist_silence(p, 800), 0);
	add(p, 5, 1000, "Press:");
	digit(p, "4", 900);
	digit(p, "8", 900);
	playlist_cues(p, note_cue, &b);

	assert_string_equal(b.p, " Press:@800 4@900+8@1800");
}

TEST(slow_digits_are_grouped_alike)
{
	AUTO(playlist) *p = playlist_new();
	AUTO_BUF(b, 1000);

	digit(p, "4", 1500);
	digit(p, "8", 1900);
	digit(p, "2", 1500);
	digit(p, "9", 1500);
	playlist_caption(p, &b);

	assert_string_equal(b.p, "48 29");
}

TEST(keys_are_sounds_between_others_and_one_caption)
{
	AUTO(playlist) *p = playlist_new(), *tail = playlist_new();
	struct playlist_cursor at = {0};
	AUTO_BUF(b, 256);
	char keys[PLAYLIST_KEYS_MAX + 1];
	uint32_t left = 0;

	(void)state;
	add(p, 2, 1000, "hello");
	assert_int_equal(playlist_key(p, '1', 60), 0);
	assert_int_equal(playlist_silence(tail, 40), 0);
	assert_int_equal(playlist_key(tail, '#', 40), 0);
	assert_int_equal(playlist_append(p, tail), 0);
	assert_int_equal(playlist_key(p, 'x', 40), -EINVAL);
	assert_int_equal(playlist_key(p, '\0', 40), -EINVAL);

	assert_int_equal(playlist_keys(p, keys), 2);
	assert_string_equal(keys, "1#");
	playlist_caption(p, &b);
	assert_string_equal(b.p, "hello keys sent: 1#");
	for (const char *due = "..111..##"; *due; due++) {
		char key = playlist_key_at(p, at, &left);

		assert_int_equal(key, *due == '.' ? '\0' : *due);
		if (key)
			assert_int_equal(left, strrchr(due, key) - due + 1);
		assert_non_null(playlist_next(p, &at, G711_PCMU));
	}
	assert_int_equal(playlist_key_at(p, at, &left), '\0');
	assert_int_equal(playlist_ms(p), 180);
}

TEST(clips_live_as_long_as_a_list_that_plays_them)
{
	struct playlist *p = playlist_new();
	struct playlist *again = playlist_ref(p);
	struct playlist_cursor at = {0};

	add(p, 1, 1000, "a");
	playlist_unref(p);

	assert_frames(again, &at, G711_PCMU, 1, g711_encode(G711_PCMU, 1000));
	playlist_unref(again);
	playlist_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_in_order_and_then_no_more),
		cmocka_unit_test(an_empty_list_is_over_at_once),
		cmocka_unit_test(the_mark_is_where_it_was_set),
		cmocka_unit_test(appending_moves_the_mark_along),
		cmocka_unit_test(a_list_may_be_appended_to_itself),
		cmocka_unit_test(
			the_limits_hold_and_nothing_is_added_past_them),
		cmocka_unit_test(the_whole_is_a_wav_file),
		cmocka_unit_test(
			the_caption_joins_words_by_blanks_and_digits_to_groups),
		cmocka_unit_test(a_cue_comes_when_its_clip_begins),
		cmocka_unit_test(slow_digits_are_grouped_alike),
		cmocka_unit_test(
			keys_are_sounds_between_others_and_one_caption),
		cmocka_unit_test(clips_live_as_long_as_a_list_that_plays_them),
	};

	return cmocka_run_group_tests_name("media/playlist", tests, NULL, NULL);
}
