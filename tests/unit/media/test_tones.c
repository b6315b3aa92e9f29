// SPDX-License-Identifier: Apache-2.0
/*
 * test_tones.c - are keys heard in the sound, and only keys?
 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "media/keys.h"
#include "support/test.h"

enum {
	FRAME = 160,
	RATE = 8000,
	TONE = 640,  /* 80 ms */
	PAUSE = 640, /* after each */
	LOUD = 3000, /* of each of both tones: about -15 dBm0 */
};

struct sound {
	enum g711_codec codec;
	double amplitude;
	unsigned noise; /* the most, either way */
	struct rng *rng;
	struct keys_tones *ear;
	uint8_t frame[FRAME];
	size_t at;
	char heard[64];
	size_t count;
};

static void begin(struct sound *s, enum g711_codec codec, double amplitude,
		  unsigned noise)
{
	*s = (struct sound){
		.codec = codec,
		.amplitude = amplitude,
		.noise = noise,
		.rng = rng_seeded(23),
		.ear = keys_tones_new(),
	};
}

static void end(struct sound *s)
{
	rng_free(s->rng);
	keys_tones_free(s->ear);
}

static void sample(struct sound *s, double value)
{
	char keys[9];

	value += (double)rng_below(s->rng, 2 * s->noise + 1) - s->noise;
	s->frame[s->at++] = g711_encode(s->codec, (int16_t)lrint(value));
	if (s->at < FRAME)
		return;
	s->at = 0;
	keys_tones_take(s->ear, s->codec, span_make(s->frame, FRAME), keys);
	for (size_t i = 0; keys[i] && s->count < sizeof(s->heard) - 1; i++)
		s->heard[s->count++] = keys[i];
}

static void two_tones(struct sound *s, double low, double high, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sample(s, s->amplitude * (sin(2 * M_PI * low * i / RATE) +
					  sin(2 * M_PI * high * i / RATE)));
}

static void say(struct sound *s, const char *keys, unsigned length)
{
	static const double low[] = {697, 770, 852, 941};
	static const double high[] = {1209, 1336, 1477, 1633};
	static const char pad[] = "123A456B789C*0#D";

	for (; *keys; keys++) {
		size_t at = (size_t)(strchr(pad, *keys) - pad);

		two_tones(s, low[at / 4], high[at % 4], length);
		two_tones(s, 0, 0, PAUSE);
	}
}

static void all_are_heard(enum g711_codec codec, double amplitude,
			  unsigned noise)
{
	struct sound s;

	begin(&s, codec, amplitude, noise);
	say(&s, "0123456789*#", TONE);

	assert_string_equal(s.heard, "0123456789*#");
	end(&s);
}

TEST(every_key_is_heard_through_pcmu)
{
	all_are_heard(G711_PCMU, LOUD, 0);
}

TEST(every_key_is_heard_through_pcma)
{
	all_are_heard(G711_PCMA, LOUD, 0);
}

TEST(noise_hides_no_key)
{
	all_are_heard(G711_PCMU, LOUD, 500);
	all_are_heard(G711_PCMA, LOUD, 500);
}

TEST(a_quiet_line_hides_no_key)
{
	all_are_heard(G711_PCMU, LOUD / 10.0, 10);
	all_are_heard(G711_PCMA, LOUD / 10.0, 10);
}

TEST(a_key_that_is_held_is_told_once)
{
	struct sound s;

	begin(&s, G711_PCMA, LOUD, 100);
	say(&s, "7", RATE);

	assert_string_equal(s.heard, "7");
	end(&s);
}

TEST(the_same_key_twice_is_two_keys)
{
	struct sound s;

	begin(&s, G711_PCMU, LOUD, 100);
	say(&s, "1122", TONE);

	assert_string_equal(s.heard, "1122");
	end(&s);
}

TEST(the_four_letters_are_no_keys)
{
	struct sound s;

	begin(&s, G711_PCMU, LOUD, 0);
	say(&s, "A1B2C3D4", TONE);

	assert_string_equal(s.heard, "1234");
	end(&s);
}

TEST(silence_noise_and_a_ringing_tone_are_no_keys)
{
	struct sound s;

	begin(&s, G711_PCMA, LOUD, 0);
	two_tones(&s, 0, 0, RATE);
	two_tones(&s, 425, 425, RATE);
	two_tones(&s, 350, 440, RATE);
	s.noise = 8000;
	two_tones(&s, 0, 0, 10 * RATE);

	assert_string_equal(s.heard, "");
	end(&s);
}

TEST(a_frame_of_any_length_is_taken)
{
	struct keys_tones *ear = keys_tones_new();
	uint8_t bytes[1500];
	char keys[9];

	memset(bytes, g711_silence(G711_PCMU), sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n += 37) {
		keys_tones_take(ear, G711_PCMU, span_make(bytes, n), keys);
		assert_string_equal(keys, "");
	}
	keys_tones_free(ear);
	keys_tones_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_heard_through_pcmu),
		cmocka_unit_test(every_key_is_heard_through_pcma),
		cmocka_unit_test(noise_hides_no_key),
		cmocka_unit_test(a_quiet_line_hides_no_key),
		cmocka_unit_test(a_key_that_is_held_is_told_once),
		cmocka_unit_test(the_same_key_twice_is_two_keys),
		cmocka_unit_test(the_four_letters_are_no_keys),
		cmocka_unit_test(silence_noise_and_a_ringing_tone_are_no_keys),
		cmocka_unit_test(a_frame_of_any_length_is_taken),
	};

	return cmocka_run_group_tests_name("media/tones", tests, NULL, NULL);
}
