// SPDX-License-Identifier: Apache-2.0
/*
 * code.c - the one-time code: derived, never stored (A1, A6, A7).
 *
 * The stream is HMAC-SHA256 in counter mode (NIST SP 800-108): block i is
 * HMAC(key, i || text), where the text names this use, then gives every field
 * of the binding with its length in front.
 */
#include "core/code.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "base/random.h"

enum {
	COUNTER_BYTES = 4,
	TEXT_MAX = 1024, /* of a binding; what a record can hold is half */
	/* Bytes from here on are passed over, or 0 to 5 would come more often. */
	FAIR = 250,
	DIGITS = 10,
	/* 10 digits need 11 bytes or so; running out of 64 blocks does not
	 * happen, and if it did, the key or libcrypto would be broken */
	BLOCKS_MAX = 64,
	HUMAN_KEYS = 8, /* 1 to 8: 9 and 0 mean something else */
};

struct text {
	uint8_t bytes[TEXT_MAX];
	size_t n;
	bool full;
};

static void add(struct text *t, const void *p, size_t n)
{
	if (t->full || n > TEXT_MAX - t->n) {
		t->full = true;
		return;
	}
	if (n > 0)
		memcpy(t->bytes + t->n, p, n);
	t->n += n;
}

static void add_number(struct text *t, uint32_t v)
{
	uint8_t be[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
			(uint8_t)(v >> 8), (uint8_t)v};

	add(t, be, sizeof(be));
}

static void add_field(struct text *t, const void *p, size_t n)
{
	if (n > TEXT_MAX) {
		t->full = true;
		return;
	}
	add_number(t, (uint32_t)n);
	add(t, p, n);
}

static void add_text(struct text *t, const char *s)
{
	add_field(t, s, s ? strlen(s) : 0);
}

static void encode(struct text *t, const struct code_binding *b,
		   unsigned length, bool even)
{
	add_number(t, 0); /* the counter's place */
	add_text(t, "voiceotp 1 one-time code");
	add_number(t, length);
	add_number(t, even);
	add_text(t, b->application);
	add_text(t, b->verification);
	add_field(t, b->nonce, CODE_NONCE_BYTES);
	add_text(t, b->number);
	add_text(t, b->purpose);
	add_text(t, b->amount);
	add_text(t, b->currency);
	add_text(t, b->payee);
}

struct stream {
	const uint8_t *key;
	struct text *text;
	uint8_t block[CRYPTO_HASH_BYTES];
	size_t at;
	uint32_t counter;
};

static unsigned next_byte(struct stream *s)
{
	if (s->at == sizeof(s->block)) {
		uint32_t i = ++s->counter;

		assert(i <= BLOCKS_MAX);
		s->text->bytes[0] = (uint8_t)(i >> 24);
		s->text->bytes[1] = (uint8_t)(i >> 16);
		s->text->bytes[2] = (uint8_t)(i >> 8);
		s->text->bytes[3] = (uint8_t)i;
		crypto_hmac(s->key, s->text->bytes, s->text->n, s->block);
		s->at = 0;
	}
	return s->block[s->at++];
}

/* Uniform over the digits that are not `but` (none: 0). */
static char next_digit(struct stream *s, char but)
{
	for (;;) {
		unsigned byte = next_byte(s);
		char digit = (char)('0' + byte % DIGITS);

		if (byte < FAIR && digit != but)
			return digit;
	}
}

int code_derive(const struct keyring *ring, const struct code_binding *b,
		unsigned length, bool even, char out[CODE_BYTES])
{
	const uint8_t *key = keyring_key(ring, b->key_id, KEYRING_CODE);
	struct text text = {.n = 0};
	struct stream s = {.key = key, .text = &text, .at = sizeof(s.block)};
	char last = '\0';

	if (length < CODE_DIGITS_MIN || length > CODE_DIGITS_MAX)
		return -EINVAL;
	if (!key)
		return -ENOKEY;
	encode(&text, b, length, even);
	if (text.full)
		return -EINVAL;
	for (unsigned i = 0; i < length; i++) {
		out[i] = next_digit(&s, last);
		if (even)
			last = out[i];
	}
	out[length] = '\0';
	crypto_wipe(&s, sizeof(s));
	crypto_wipe(&text, sizeof(text));
	return 0;
}

void code_human(struct rng *r, unsigned length, char *out)
{
	for (unsigned i = 0; i < length; i++)
		out[i] = (char)('1' + rng_below(r, HUMAN_KEYS));
	out[length] = '\0';
}
