// SPDX-License-Identifier: Apache-2.0
/*
 * map.c - text to pointer.
 *
 * Keys may be chosen by strangers, so the hash is SipHash-2-4 under a key of
 * this process: nobody outside can make all keys fall into one chain.
 */
#include "base/map.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

enum { FIRST_CHAINS = 16 /* a power of two */ };

struct entry {
	struct entry *next;
	uint64_t hash;
	void *value;
	char key[];
};

struct map {
	struct entry **chains;
	size_t chain_count, count;
};

static uint64_t secret[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose_secret(void)
{
	rng_fill(rng_system(), secret, sizeof(secret));
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

/* Aumasson, Bernstein: SipHash, a fast short-input PRF (2012). */
static uint64_t hash_of(const char *key, size_t n)
{
	struct sip s = {.v0 = secret[0] ^ 0x736f6d6570736575,
			.v1 = secret[1] ^ 0x646f72616e646f6d,
			.v2 = secret[0] ^ 0x6c7967656e657261,
			.v3 = secret[1] ^ 0x7465646279746573};
	uint64_t word, last = (uint64_t)n << 56;

	for (; n >= sizeof(word); key += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		sip_word(&s, word);
	}
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)(unsigned char)key[i] << (8 * i);
	sip_word(&s, last);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct map *map_new(void)
{
	struct map *m = b_zero(1, sizeof(*m));

	(void)pthread_once(&once, choose_secret);
	m->chain_count = FIRST_CHAINS;
	m->chains = b_zero(m->chain_count, sizeof(struct entry *));
	return m;
}

void map_free(struct map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->chain_count; i++) {
		for (struct entry *e = m->chains[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(m->chains);
	free(m);
}

/* Where the pointer to the entry of this key is, or would be put. */
static struct entry **find(const struct map *m, const char *key, uint64_t hash)
{
	struct entry **at = &m->chains[hash & (m->chain_count - 1)];

	while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
		at = &(*at)->next;
	return at;
}

static void widen(struct map *m)
{
	size_t count = m->chain_count * 2;
	struct entry **chains = b_zero(count, sizeof(struct entry *));

	for (size_t i = 0; i < m->chain_count; i++) {
		for (struct entry *e = m->chains[i], *next; e; e = next) {
			struct entry **to = &chains[e->hash & (count - 1)];

			next = e->next;
			e->next = *to;
			*to = e;
		}
	}
	free(m->chains);
	m->chains = chains;
	m->chain_count = count;
}

void *map_get(const struct map *m, const char *key)
{
	const struct entry *e = *find(m, key, hash_of(key, strlen(key)));

	return e ? e->value : NULL;
}

void *map_put(struct map *m, const char *key, void *value)
{
	size_t n = strlen(key);
	uint64_t hash = hash_of(key, n);
	struct entry **at = find(m, key, hash);
	struct entry *e = *at;

	if (e) {
		void *old = e->value;

		e->value = value;
		return old;
	}
	e = b_zero(1, sizeof(*e) + n + 1);
	e->hash = hash;
	e->value = value;
	memcpy(e->key, key, n);
	*at = e;
	if (++m->count > m->chain_count)
		widen(m);
	return NULL;
}

void *map_remove(struct map *m, const char *key)
{
	struct entry **at = find(m, key, hash_of(key, strlen(key)));
	struct entry *e = *at;
	void *old;

	if (!e)
		return NULL;
	old = e->value;
	*at = e->next;
	free(e);
	m->count--;
	return old;
}

size_t map_count(const struct map *m)
{
	return m->count;
}

void map_each(const struct map *m, map_each_h *each, void *ctx)
{
	for (size_t i = 0; i < m->chain_count; i++) {
		for (struct entry *e = m->chains[i], *next; e; e = next) {
			next = e->next;
			each(e->key, e->value, ctx);
		}
	}
}
