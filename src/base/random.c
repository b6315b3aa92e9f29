// SPDX-License-Identifier: Apache-2.0
/*
 * random.c - randomness, handed in.
 *
 * Whoever needs chance is given a source, so a test can give a repeatable
 * one; nothing in the program reaches for a global generator.
 */
#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

struct rng {
	bool seeded;
	uint64_t state;
};

struct rng *rng_system(void)
{
	static struct rng kernel; /* never written, so any thread */

	return &kernel;
}

struct rng *rng_seeded(uint64_t seed)
{
	struct rng *r = b_zero(1, sizeof(*r));

	r->seeded = true;
	r->state = seed;
	return r;
}

void rng_free(struct rng *r)
{
	if (r && r->seeded)
		free(r);
}

static void from_kernel(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort(); /* no chance, no codes: nothing to serve */
		p += got;
		n -= (size_t)got;
	}
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, also 0. */
static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void rng_fill(struct rng *r, void *p, size_t n)
{
	uint8_t *to = p;

	if (!r->seeded) {
		from_kernel(to, n);
		return;
	}
	while (n > 0) {
		uint64_t word = split_mix(&r->state);
		size_t some = n < sizeof(word) ? n : sizeof(word);

		memcpy(to, &word, some);
		to += some;
		n -= some;
	}
}

/* Lemire, "Fast Random Integer Generation in an Interval" (2019): the draws
 * that would favour some numbers are thrown away. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint32_t draw, unfair;
	uint64_t wide;

	assert(n > 0);
	unfair = (uint32_t)-n % n;
	do {
		rng_fill(r, &draw, sizeof(draw));
		wide = (uint64_t)draw * n;
	} while ((uint32_t)wide < unfair);
	return (uint32_t)(wide >> 32);
}
