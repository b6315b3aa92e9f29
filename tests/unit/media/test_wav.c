// SPDX-License-Identifier: Apache-2.0
/*
 * test_wav.c - files that voices write, and what is not such a file.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/pcm.h"
#include "support/test.h"

enum { FILE_MAX = 64 << 20 };

struct shape {
	unsigned format, channels, rate, bits;
	uint32_t claimed; /* length in the data chunk; 0 is what pipes give */
};
static const struct shape plain = {1, 1, PCM_RATE, 16, 0};

static void u16(struct buf *b, unsigned v)
{
	buf_byte(b, v & 0xff);
	buf_byte(b, v >> 8 & 0xff);
}

static void u32(struct buf *b, uint32_t v)
{
	u16(b, v & 0xffff);
	u16(b, v >> 16);
}

static void format_chunk(struct buf *b, const struct shape *s)
{
	buf_str(b, "fmt ");
	u32(b, 16);
	u16(b, s->format);
	u16(b, s->channels);
	u32(b, s->rate);
	u32(b, s->rate * s->channels * s->bits / 8);
	u16(b, s->channels * s->bits / 8);
	u16(b, s->bits);
}

static void riff(struct buf *b)
{
	buf_str(b, "RIFF");
	u32(b, 0);
	buf_str(b, "WAVE");
}

static void file_head(struct buf *b, const struct shape *s)
{
	riff(b);
	format_chunk(b, s);
	buf_str(b, "data");
	u32(b, s->claimed);
}

/* `ms` of a sine in every channel. */
static void file_sine(struct buf *b, const struct shape *s, unsigned ms,
		      double hertz)
{
	file_head(b, s);
	for (size_t i = 0; i < (size_t)s->rate * ms / 1000; i++) {
		double t = (double)i / s->rate;
		long v = lrint(8000 * sin(2 * M_PI * hertz * t));

		for (unsigned c = 0; c < s->channels; c++)
			u16(b, (uint16_t)v);
	}
}

/* How strong one frequency is in the middle of a sound (Goertzel). */
static double strength(const struct pcm *p, double hertz)
{
	double w = 2 * M_PI * hertz / PCM_RATE, a = 0, b = 0;
	size_t from = p->count / 4, n = p->count / 2;

	for (size_t i = from; i < from + n; i++) {
		double next = p->samples[i] + 2 * cos(w) * a - b;

		b = a;
		a = next;
	}
	return 2 * sqrt(a * a + b * b - 2 * cos(w) * a * b) / (double)n;
}

TEST(what_is_written_is_read_back)
{
	const int16_t said[] = {0, 1, -1, 32767, -32768, 1234};
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	wav_write(&b, said, 6);
	assert_int_equal(b.n, 44 + sizeof(said));
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_int_equal(pcm.count, 6);
	assert_memory_equal(pcm.samples, said, sizeof(said));
	pcm_free(&pcm);
}

static size_t read_with_claim(uint32_t claimed)
{
	struct shape s = plain;
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};
	size_t count;

	s.claimed = claimed;
	file_sine(&b, &s, 100, 440);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);
	count = pcm.count;
	pcm_free(&pcm);
	return count;
}

TEST(a_false_length_is_read_to_the_end)
{
	assert_int_equal(read_with_claim(0), 800);
	assert_int_equal(read_with_claim(0x7ffff000), 800);
	assert_int_equal(read_with_claim(0xffffffff), 800);
}

TEST(a_true_length_leaves_out_what_follows)
{
	assert_int_equal(read_with_claim(200), 100);
}

TEST(stereo_is_averaged)
{
	const struct shape s = {1, 2, PCM_RATE, 16, 0};
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	file_head(&b, &s);
	u16(&b, 1000);
	u16(&b, (uint16_t)-400);
	u16(&b, (uint16_t)-32768);
	u16(&b, (uint16_t)-32768);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_int_equal(pcm.count, 2);
	assert_int_equal(pcm.samples[0], 300);
	assert_int_equal(pcm.samples[1], -32768);
	pcm_free(&pcm);
}

static void assert_resampled(unsigned rate)
{
	const struct shape s = {1, 1, rate, 16, 0};
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	file_sine(&b, &s, 1000, 440);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_in_range(pcm.count, PCM_RATE - 8, PCM_RATE);
	assert_true(fabs(strength(&pcm, 440) - 8000) < 80);
	assert_true(strength(&pcm, 880) < 40);
	pcm_free(&pcm);
}

TEST(any_rate_becomes_8_kHz_at_the_same_pitch)
{
	const unsigned rates[] = {4000, 11025, 16000, 22050, 44100, 48000};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		assert_resampled(rates[i]);
}

TEST(what_8_kHz_cannot_carry_is_taken_out_not_folded_down)
{
	const struct shape s = {1, 1, 16000, 16, 0};
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	file_sine(&b, &s, 1000, 5000);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_true(strength(&pcm, 3000) < 8);
	pcm_free(&pcm);
}

TEST(unknown_chunks_are_skipped)
{
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	riff(&b);
	buf_str(&b, "LIST");
	u32(&b, 3); /* odd: padded */
	buf_str(&b, "abc");
	buf_byte(&b, 0);
	format_chunk(&b, &plain);
	buf_str(&b, "data");
	u32(&b, 2);
	u16(&b, 7);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_int_equal(pcm.count, 1);
	assert_int_equal(pcm.samples[0], 7);
	pcm_free(&pcm);
}

TEST(a_file_that_says_nothing_is_an_empty_sound)
{
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	file_head(&b, &plain);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);

	assert_int_equal(pcm.count, 0);
	pcm_free(&pcm);
}

static int read_shape(const struct shape *s)
{
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {.count = 42};
	int err;

	file_head(&b, s);
	buf_str(&b, "12345678");
	err = wav_read(buf_view(&b), &pcm);
	assert_int_equal(pcm.count, 42);
	return err;
}

TEST(formats_that_no_voice_writes_are_refused_and_out_is_untouched)
{
	const struct shape bad[] = {
		{7, 1, 8000, 8, 0}, /* mu-law */
		{1, 1, 8000, 8, 0},        {1, 1, 8000, 24, 0},
		{1, 0, 8000, 16, 0},       {1, 6, 8000, 16, 0},
		{1, 1, 0, 16, 0},          {1, 1, 999, 16, 0},
		{1, 1, 0xffffffff, 16, 0}, {3, 1, 8000, 32, 0},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_shape(&bad[i]), -EINVAL);
}

TEST(no_prefix_of_a_file_reads_out_of_bounds)
{
	AUTO_BUF(b, FILE_MAX);

	file_sine(&b, &plain, 1, 440);
	for (size_t n = 0; n < b.n; n++) {
		/* a copy of its own, so that ASan sees a byte too far */
		char *cut = malloc(n + 1);
		struct pcm pcm = {0};
		int err;

		assert_non_null(cut);
		memcpy(cut, b.p, n);
		err = wav_read(span_make(cut, n), &pcm);
		assert_int_equal(err, n < 44 ? -EINVAL : 0);
		pcm_free(&pcm);
		free(cut);
	}
}

TEST(longer_than_anything_we_say_is_refused)
{
	AUTO_BUF(b, FILE_MAX);
	struct pcm pcm = {0};

	file_sine(&b, &plain, PCM_MS_MAX, 440);
	assert_int_equal(wav_read(buf_view(&b), &pcm), 0);
	pcm_free(&pcm);
	u16(&b, 0);
	assert_int_equal(wav_read(buf_view(&b), &pcm), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_false_length_is_read_to_the_end),
		cmocka_unit_test(a_true_length_leaves_out_what_follows),
		cmocka_unit_test(stereo_is_averaged),
		cmocka_unit_test(any_rate_becomes_8_kHz_at_the_same_pitch),
		cmocka_unit_test(
			what_8_kHz_cannot_carry_is_taken_out_not_folded_down),
		cmocka_unit_test(unknown_chunks_are_skipped),
		cmocka_unit_test(a_file_that_says_nothing_is_an_empty_sound),
		cmocka_unit_test(
			formats_that_no_voice_writes_are_refused_and_out_is_untouched),
		cmocka_unit_test(no_prefix_of_a_file_reads_out_of_bounds),
		cmocka_unit_test(longer_than_anything_we_say_is_refused),
	};

	return cmocka_run_group_tests_name("media/wav", tests, NULL, NULL);
}
