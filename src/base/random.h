// SPDX-License-Identifier: Apache-2.0
/*
 * random.h - randomness, handed in.
 *
 * rng_system() asks the kernel (getrandom).  Tests own a seeded one, except
 * for codes, which come from nonces that the system's source made.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct rng;

struct rng *rng_system(void);          /* any thread; never freed */
struct rng *rng_seeded(uint64_t seed); /* one thread; repeatable, no secret */
void rng_free(struct rng *r);          /* NULL and the system's are fine */

/* Aborts if the kernel fails. */
void rng_fill(struct rng *r, void *p, size_t n);
uint32_t rng_below(struct rng *r, uint32_t n); /* uniform in 0..n-1; n > 0 */

CLEANUP(rng, rng_free)
