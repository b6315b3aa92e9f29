// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_keyring.c - the file of keys, the store's note about it, and sealed
 * texts that somebody may have written into the store.
 */
#include <assert.h>
#include <string.h>

#include "core/keyring.h"

enum { NOTE_MAX = 1024, RING_MAX = 2 * KEYRING_TEXT_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char own[] = "b: 1102030405060708090a0b0c0d0e0f10"
			  "1112131415161718191a1b1c1d1e1f20\n"
			  "a: 0102030405060708090a0b0c0d0e0f10"
			  "1112131415161718191a1b1c1d1e1f20\n";

/* A ring that was read makes, fits itself, and can be rotated. */
static void use(const struct keyring *k, struct span text)
{
	AUTO_BUF(note, NOTE_MAX);
	AUTO_BUF(again, NOTE_MAX);
	AUTO_BUF(turned, RING_MAX);
	AUTO(rng) *r = rng_seeded(1);
	struct diag d = {0};

	assert(keyring_key(k, keyring_maker(k), KEYRING_CODE));
	assert(keyring_fits(k, "", &note, &d) == 0);
	assert(keyring_fits(k, note.p, &again, &d) == 0);
	assert(strcmp(note.p, again.p) == 0);
	if (keyring_rotate(text, r, &turned, &d) != 0)
		assert(d.message[0] != '\0');
}

static void against(const struct keyring *k, struct span text)
{
	AUTO_BUF(note, NOTE_MAX);
	char known[NOTE_MAX], out[KEYRING_SEALED_MAX];
	struct diag d = {0};

	if (text.n < sizeof(known)) {
		if (text.n > 0)
			memcpy(known, text.p, text.n);
		known[text.n] = '\0';
		(void)!keyring_fits(k, known, &note, &d);
	}
	assert(keyring_open(k, KEYRING_NUMBER_SEAL, span_of(""), text, out,
			    sizeof(out)) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);
	AUTO(keyring) *k = NULL;
	AUTO(keyring) *mine = NULL;
	struct diag d = {0};

	if (keyring_parse(text, &k, &d) == 0)
		use(k, text);
	else
		assert(d.message[0] != '\0');
	assert(keyring_parse(span_of(own), &mine, &d) == 0);
	against(mine, text);
	return 0;
}
