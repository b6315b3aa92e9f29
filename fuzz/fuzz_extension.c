// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_extension.c - an extension that was accepted can be played, in exactly
 * the time that was promised.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/extension.h"
#include "media/playlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int add(struct playlist *p, char c)
{
	unsigned pause = number_extension_pause_ms(c);
	int err;

	if (pause)
		return playlist_silence(p, pause);
	assert(number_extension_key(c));
	err = playlist_key(p, c, NUMBER_KEY_MS);
	return err ? err : playlist_silence(p, NUMBER_KEY_GAP_MS);
}

static void play(const char *text, unsigned ms)
{
	AUTO(playlist) *p = playlist_new();
	char keys[PLAYLIST_KEYS_MAX + 1];
	int err = 0;

	while (*text && !err)
		err = add(p, *text++);
	assert(!err && playlist_ms(p) == ms);
	assert(playlist_keys(p, keys) > 0 && strlen(keys) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = b_strndup((const char *)data, size);
	unsigned ms = number_extension_ms(text);

	if (ms == 0)
		return 0;
	assert(ms <= NUMBER_EXTENSION_MS_MAX);
	assert(strlen(text) < NUMBER_EXTENSION_BYTES);
	play(text, ms);
	return 0;
}
