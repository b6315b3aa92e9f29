// SPDX-License-Identifier: Apache-2.0
/*
 * sound.c - make what a voice said fit for a telephone.
 *
 * Voices differ in loudness and in the silence around what they say, and both
 * would be heard where clips are put together: so a clip begins and ends with
 * its sound, and all clips are equally loud.
 */
#include "speech/sound_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "speech/utterance_priv.h"

enum {
	BLOCK = PCM_RATE / 100, /* 10 ms: what loudness is measured over */
	MARGIN_BEFORE = 2,      /* blocks kept around the sound */
	MARGIN_AFTER = 4,
	FADE = PCM_RATE / 200, /* 5 ms: a cut is no click */
	LOW_HZ = 200,          /* a telephone has nothing below */
	TREBLE_HZ = 1500,
};
static const double quiet = 0.01;  /* -40 dB below the loudest block */
static const double level = 0.158; /* -16 dBFS: mean of what is not quiet */
static const double ceiling = 0.9; /* no sample is louder */

static int16_t to_sample(double x)
{
	return (int16_t)lrint(fmax(INT16_MIN, fmin(INT16_MAX, x)));
}

static double block_power(const int16_t *s, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)s[i] * s[i];
	return n ? sum / (double)n : 0;
}

static double loudest(const struct pcm *p)
{
	double most = 0;

	for (size_t i = 0; i + BLOCK <= p->count; i += BLOCK)
		most = fmax(most, block_power(p->samples + i, BLOCK));
	return most;
}

/* A filter of second order: y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2. */
struct biquad {
	double b0, b1, b2, a1, a2;
};

static void filter(struct pcm *p, const struct biquad *f)
{
	/* as if the first sample had been there for ever: no step, no click */
	double x1 = p->count ? p->samples[0] : 0, x2 = x1;
	double y1 = x1 * (f->b0 + f->b1 + f->b2) / (1 + f->a1 + f->a2);
	double y2 = y1;

	for (size_t i = 0; i < p->count; i++) {
		double x = p->samples[i];
		double y = f->b0 * x + f->b1 * x1 + f->b2 * x2 - f->a1 * y1 -
			   f->a2 * y2;

		x2 = x1;
		x1 = x;
		y2 = y1;
		y1 = y;
		p->samples[i] = to_sample(y);
	}
}

/*
 * What is below the telephone's band, a constant offset above all, is not heard
 * and would be measured.  Butterworth.
 */
static void high_pass(struct pcm *p)
{
	const double w = 2 * M_PI * LOW_HZ / PCM_RATE, c = cos(w);
	const double alpha = sin(w) * M_SQRT1_2, a0 = 1 + alpha;
	const struct biquad f = {.b0 = (1 + c) / 2 / a0,
				 .b1 = -(1 + c) / a0,
				 .b2 = (1 + c) / 2 / a0,
				 .a1 = -2 * c / a0,
				 .a2 = (1 - alpha) / a0};

	filter(p, &f);
}

/* A shelf: the treble stays, and the bass goes down by `treble` dB, so that nothing
 * clips.  The loudness is put right afterwards. */
void speech_sound_brighten(struct pcm *p, int treble)
{
	const double w = 2 * M_PI * TREBLE_HZ / PCM_RATE, c = cos(w);
	const double a = pow(10, treble / 40.0), up = a + 1, down = a - 1;
	const double q = 2 * sqrt(a) * sin(w) * M_SQRT1_2;
	const double a0 = up - down * c + q;
	const struct biquad f = {.b0 = (up + down * c + q) / a0 / a,
				 .b1 = -2 * (down + up * c) / a0 / a,
				 .b2 = (up + down * c - q) / a0 / a,
				 .a1 = 2 * (down - up * c) / a0,
				 .a2 = (up - down * c - q) / a0};

	if (treble)
		filter(p, &f);
}

static void trim(struct pcm *p, double threshold)
{
	size_t blocks = p->count / BLOCK, first = 0, last = blocks, from, to;

	while (first < last &&
	       block_power(p->samples + first * BLOCK, BLOCK) < threshold)
		first++;
	while (last > first &&
	       block_power(p->samples + (last - 1) * BLOCK, BLOCK) < threshold)
		last--;
	from = first > MARGIN_BEFORE ? (first - MARGIN_BEFORE) * BLOCK : 0;
	to = last + MARGIN_AFTER < blocks ? (last + MARGIN_AFTER) * BLOCK
					  : p->count;
	memmove(p->samples, p->samples + from, (to - from) * sizeof(int16_t));
	p->count = to - from;
}

static void fade(struct pcm *p)
{
	size_t n = p->count / 2 < FADE ? p->count / 2 : FADE;

	for (size_t i = 0; i < n; i++) {
		double gain = (double)i / FADE;
		int16_t *tail = &p->samples[p->count - 1 - i];

		p->samples[i] = (int16_t)(p->samples[i] * gain);
		*tail = (int16_t)(*tail * gain);
	}
}

/* Mean power of the blocks that are not quiet. */
static double active_power(const struct pcm *p, double threshold)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i + BLOCK <= p->count; i += BLOCK) {
		double power = block_power(p->samples + i, BLOCK);

		if (power < threshold)
			continue;
		sum += power;
		n++;
	}
	return n ? sum / (double)n : 0;
}

/* Loud peaks are bent, not cut: up to half the ceiling nothing changes. */
static double limit(double x)
{
	double knee = ceiling / 2, over = fabs(x) - knee;

	if (over <= 0)
		return x;
	return copysign(knee + (ceiling - knee) * tanh(over / (ceiling - knee)),
			x);
}

static void amplify(struct pcm *p, double gain)
{
	for (size_t i = 0; i < p->count; i++)
		p->samples[i] = to_sample(
			limit(p->samples[i] / 32768.0 * gain) * 32767);
}

int speech_sound_prepare(struct pcm *p, int treble, int volume)
{
	double most, power, gain;

	high_pass(p);
	most = loudest(p);
	if (most < 1)
		return -1;
	trim(p, most * quiet * quiet);
	speech_sound_brighten(p, treble);
	power = active_power(p, most * quiet);
	gain = level * 32768 / sqrt(power > 0 ? power : most);
	gain *= volume == SPEECH_SILENT ? 0 : pow(10, volume / 20.0);
	amplify(p, gain);
	fade(p);
	return 0;
}
