// SPDX-License-Identifier: Apache-2.0
/*
 * test_sound.c - does a clip begin and end with its sound, and is each as loud
 * as the others?
 */
#include "speech/sound_priv.h"

#include <math.h>
#include <stdlib.h>

#include "speech/utterance_priv.h"
#include "support/test.h"

enum { TONE_HZ = 440, TONE_MS = 300, AROUND_MS = 400 };

/* A tone between two silences, all of it shifted by `offset`. */
static struct pcm tone(double amplitude, int offset, unsigned hertz)
{
	size_t around = pcm_samples(AROUND_MS), n = pcm_samples(TONE_MS);
	struct pcm p = {.count = 2 * around + n};

	p.samples = calloc(p.count, sizeof(*p.samples));
	assert_non_null(p.samples);
	for (size_t i = 0; i < p.count; i++) {
		bool sounds = i >= around && i < around + n;
		double t = (double)i / PCM_RATE;

		p.samples[i] = (int16_t)lrint(
			offset +
			(sounds ? amplitude * sin(2 * M_PI * hertz * t) : 0));
	}
	return p;
}

/* The loudness of the middle, in dB below full scale. */
static double level_of(const struct pcm *p)
{
	size_t from = p->count / 3, to = p->count * 2 / 3;
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += (double)p->samples[i] * p->samples[i];
	return 10 * log10(sum / (double)(to - from) / (32768.0 * 32768.0));
}

TEST(silence_around_the_sound_is_cut)
{
	struct pcm p = tone(8000, 0, TONE_HZ);

	assert_int_equal(speech_sound_prepare(&p, 0, 0), 0);

	assert_in_range(p.count, pcm_samples(TONE_MS),
			pcm_samples(TONE_MS + 80));
	pcm_free(&p);
}

TEST(an_offset_is_no_sound)
{
	struct pcm p = tone(8000, 900, TONE_HZ);

	assert_int_equal(speech_sound_prepare(&p, 0, 0), 0);
	assert_in_range(p.count, pcm_samples(TONE_MS),
			pcm_samples(TONE_MS + 80));
	pcm_free(&p);
}

TEST(faint_and_loud_voices_end_equally_loud)
{
	static const double amplitudes[] = {300, 3000, 30000};

	for (size_t i = 0; i < COUNT_OF(amplitudes); i++) {
		struct pcm p = tone(amplitudes[i], 0, TONE_HZ);

		assert_int_equal(speech_sound_prepare(&p, 0, 0), 0);
		assert_true(fabs(level_of(&p) + 16) < 0.5);
		pcm_free(&p);
	}
}

TEST(volume_is_kept_and_nothing_clips)
{
	struct pcm soft = tone(3000, 0, TONE_HZ), loud = tone(3000, 0, TONE_HZ);
	struct pcm none = tone(3000, 0, TONE_HZ);

	assert_int_equal(speech_sound_prepare(&soft, 0, -12), 0);
	assert_int_equal(speech_sound_prepare(&loud, 0, 6), 0);
	assert_int_equal(speech_sound_prepare(&none, 0, SPEECH_SILENT), 0);

	assert_true(fabs(level_of(&soft) + 28) < 0.5);
	assert_true(level_of(&loud) > -12);
	for (size_t i = 0; i < loud.count; i++)
		assert_in_range(abs(loud.samples[i]), 0, 29500);
	for (size_t i = 0; i < none.count; i++)
		assert_int_equal(none.samples[i], 0);
	pcm_free(&soft);
	pcm_free(&loud);
	pcm_free(&none);
}

/* How much louder 3 kHz ends than 400 Hz beside it, in dB. */
static double balance(int treble)
{
	struct pcm p = tone(4000, 0, 400), high = tone(4000, 0, 3000);
	double low_part = 0, high_part = 0;
	size_t n;

	for (size_t i = 0; i < p.count; i++)
		p.samples[i] = (int16_t)(p.samples[i] + high.samples[i]);
	assert_int_equal(speech_sound_prepare(&p, treble, 0), 0);
	n = p.count / 2;
	for (unsigned k = 0; k < 2; k++) {
		double hertz = k ? 3000 : 400, re = 0, im = 0;

		for (size_t i = n / 2; i < n / 2 + 800; i++) {
			double w = 2 * M_PI * hertz * (double)i / PCM_RATE;

			re += p.samples[i] * cos(w);
			im += p.samples[i] * sin(w);
		}
		*(k ? &high_part : &low_part) = sqrt(re * re + im * im);
	}
	pcm_free(&p);
	pcm_free(&high);
	return 20 * log10(high_part / low_part);
}

TEST(a_dull_voice_is_brightened)
{
	double plain = balance(0);

	assert_true(fabs(balance(9) - plain - 9) < 1);
	assert_true(fabs(balance(-3) - plain + 3) < 1);
}

TEST(what_has_no_sound_is_refused)
{
	struct pcm none = {0}, quiet = tone(0, 0, TONE_HZ);

	assert_int_equal(speech_sound_prepare(&none, 9, 0), -1);
	assert_int_equal(speech_sound_prepare(&quiet, 9, 0), -1);
	pcm_free(&quiet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_around_the_sound_is_cut),
		cmocka_unit_test(an_offset_is_no_sound),
		cmocka_unit_test(faint_and_loud_voices_end_equally_loud),
		cmocka_unit_test(volume_is_kept_and_nothing_clips),
		cmocka_unit_test(a_dull_voice_is_brightened),
		cmocka_unit_test(what_has_no_sound_is_refused),
	};

	return cmocka_run_group_tests_name("speech/sound", tests, NULL, NULL);
}
