// SPDX-License-Identifier: Apache-2.0
/*
 * test_g711.c - are these the values of ITU-T G.711?
 */
#include "media/g711.h"

#include <stdlib.h>

#include "support/test.h"

/* The decision values of G.711 tables 2a and 1a, in 16 bit. */
struct known {
	int16_t sample;
	uint8_t byte;
};

static void assert_known(enum g711_codec codec, const struct known *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(g711_encode(codec, k[i].sample), k[i].byte);
}

TEST(pcmu_gives_the_known_bytes)
{
	const struct known values[] = {
		{0, 0xff},      {3, 0xff},      {4, 0xfe},     {-5, 0x7e},
		{1000, 0xce},   {-1000, 0x4e},  {8000, 0xa0},  {-8000, 0x20},
		{32124, 0x80},  {-32124, 0x00}, {32635, 0x80}, {32767, 0x80},
		{-32768, 0x00}, {123, 0xf0},
	};

	assert_known(G711_PCMU, values, sizeof(values) / sizeof(values[0]));
}

TEST(pcma_gives_the_known_bytes)
{
	const struct known values[] = {
		{0, 0xd5},     {15, 0xd5},    {16, 0xd4},    {-1, 0x55},
		{-17, 0x54},   {1000, 0xfa},  {-1000, 0x7a}, {8000, 0x8a},
		{-8000, 0x0a}, {32256, 0xaa}, {32767, 0xaa}, {-32768, 0x2a},
	};

	assert_known(G711_PCMA, values, sizeof(values) / sizeof(values[0]));
}

TEST(the_ends_of_the_scales_decode_as_published)
{
	assert_int_equal(g711_decode(G711_PCMU, 0x00), -32124);
	assert_int_equal(g711_decode(G711_PCMU, 0x80), 32124);
	assert_int_equal(g711_decode(G711_PCMU, 0xff), 0);
	assert_int_equal(g711_decode(G711_PCMU, 0x7f), 0);
	assert_int_equal(g711_decode(G711_PCMA, 0xd5), 8);
	assert_int_equal(g711_decode(G711_PCMA, 0x55), -8);
	assert_int_equal(g711_decode(G711_PCMA, 0xaa), 32256);
	assert_int_equal(g711_decode(G711_PCMA, 0x2a), -32256);
}

TEST(every_byte_survives_being_decoded_and_encoded)
{
	for (unsigned b = 0; b < 256; b++) {
		/* G.711 has a second zero in PCMU */
		unsigned expected = b == 0x7f ? 0xff : b;

		assert_int_equal(
			g711_encode(G711_PCMU,
				    g711_decode(G711_PCMU, (uint8_t)b)),
			expected);
		assert_int_equal(
			g711_encode(G711_PCMA,
				    g711_decode(G711_PCMA, (uint8_t)b)),
			b);
	}
}

static void assert_close(enum g711_codec codec, int sample)
{
	int back = g711_decode(codec, g711_encode(codec, (int16_t)sample));
	int size = abs(sample);

	/* half a step: 1/32 of the magnitude, and the smallest step */
	assert_true(abs(back - sample) <= size / 32 + 16);
}

TEST(every_sample_comes_back_within_half_a_step)
{
	for (int s = -32635; s <= 32635; s++) {
		assert_close(G711_PCMU, s);
		assert_close(G711_PCMA, s);
	}
}

TEST(silence_is_the_byte_of_zero)
{
	assert_int_equal(g711_silence(G711_PCMU), g711_encode(G711_PCMU, 0));
	assert_int_equal(g711_silence(G711_PCMA), g711_encode(G711_PCMA, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcmu_gives_the_known_bytes),
		cmocka_unit_test(pcma_gives_the_known_bytes),
		cmocka_unit_test(the_ends_of_the_scales_decode_as_published),
		cmocka_unit_test(every_byte_survives_being_decoded_and_encoded),
		cmocka_unit_test(every_sample_comes_back_within_half_a_step),
		cmocka_unit_test(silence_is_the_byte_of_zero),
	};

	return cmocka_run_group_tests_name("media/g711", tests, NULL, NULL);
}
