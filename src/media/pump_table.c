// SPDX-License-Identifier: Apache-2.0
/*
 * pump_table.c - streams by local port and source address.
 *
 * Open addressing, linear, a quarter full at most, entries moved back when one
 * goes: a packet of nobody's is known as such by one look.  The seed is random,
 * so that nobody can choose addresses that fall together.
 */
#include "media/pump_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ENTRIES_PER_STREAM = 3, ROOM = 4 };

void pump_table_make(struct pump_table *t, unsigned streams, uint64_t seed)
{
	uint32_t size = 64;

	while (size < streams * ENTRIES_PER_STREAM * ROOM)
		size *= 2;
	t->at = b_zero(size, sizeof(*t->at));
	t->mask = size - 1;
	t->seed = seed;
}

void pump_table_end(struct pump_table *t)
{
	free(t->at);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

uint32_t pump_table_hash(const struct pump_table *t, const struct pump_key *k)
{
	uint64_t a, b, h;

	memcpy(&a, k->from->ip, sizeof(a));
	memcpy(&b, k->from->ip + sizeof(a), sizeof(b));
	h = mix(mix(t->seed, a), b);
	h = mix(h, (uint64_t)k->from->port << 32 | (uint64_t)k->port << 8 |
			   k->door);
	return (uint32_t)(h >> 32);
}

static bool is(const struct pump_entry *e, uint32_t hash,
	       const struct pump_key *k)
{
	return e->hash == hash && e->port == k->port && e->door == k->door &&
	       pump_addr_equal(&e->from, k->from);
}

void pump_table_put(struct pump_table *t, const struct pump_key *k,
		    struct pump_stream *s)
{
	uint32_t hash = pump_table_hash(t, k);
	uint32_t i = hash & t->mask;

	while (t->at[i].s)
		i = (i + 1) & t->mask;
	t->at[i] = (struct pump_entry){.hash = hash,
				       .s = s,
				       .from = *k->from,
				       .port = k->port,
				       .door = (uint8_t)k->door};
}

/* Everything behind a hole that may stand nearer to its place moves up. */
static void close_hole(struct pump_table *t, uint32_t hole)
{
	uint32_t i = hole;

	for (;;) {
		i = (i + 1) & t->mask;
		if (!t->at[i].s)
			break;
		if (((i - t->at[i].hash) & t->mask) >= ((i - hole) & t->mask)) {
			t->at[hole] = t->at[i];
			hole = i;
		}
	}
	t->at[hole].s = NULL;
}

void pump_table_drop(struct pump_table *t, const struct pump_key *k,
		     const struct pump_stream *s)
{
	uint32_t hash = pump_table_hash(t, k);

	for (uint32_t i = hash & t->mask; t->at[i].s; i = (i + 1) & t->mask)
		if (t->at[i].s == s && is(&t->at[i], hash, k)) {
			close_hole(t, i);
			return;
		}
	assert(false); /* what is dropped was put */
}

struct pump_stream *pump_table_next(const struct pump_table *t,
				    const struct pump_key *k, uint32_t *at)
{
	uint32_t hash = pump_table_hash(t, k);
	uint32_t i = *at == UINT32_MAX ? hash & t->mask : (*at + 1) & t->mask;

	for (; t->at[i].s; i = (i + 1) & t->mask)
		if (is(&t->at[i], hash, k)) {
			*at = i;
			return t->at[i].s;
		}
	return NULL;
}
