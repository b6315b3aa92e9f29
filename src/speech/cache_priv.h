// SPDX-License-Identifier: Apache-2.0
/*
 * cache_priv.h - clips that were made before: in memory, and fixed ones on disk.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/diag.h"
#include "media/clip.h"
#include "speech/utterance_priv.h"

struct speech_cache;

#define SPEECH_CACHE_SUFFIX ".clip" /* behind the key in hexadecimal */

/* SHA-256 of everything that the sound depends on. */
struct speech_key {
	uint8_t hash[CRYPTO_HASH_BYTES];
};
void speech_cache_key(const char *voice, const char *language,
		      struct speech_style style, const char *text,
		      struct speech_key *out);

/* dir NULL: memory only.  It is made if need be. */
MUST_CHECK int speech_cache_new(const char *dir, struct speech_cache **out,
				struct diag *d);
void speech_cache_free(struct speech_cache *c); /* NULL is fine */

/* A reference for the caller, or NULL.  Any thread. */
struct clip *speech_cache_get(struct speech_cache *c,
			      const struct speech_key *key);
/* Keep a reference, unless it is larger than the cache.  Any thread. */
void speech_cache_put(struct speech_cache *c, const struct speech_key *key,
		      struct clip *clip);

/* From disk; -ENOENT also when the file is damaged: it is removed then.  The
 * render thread's, as the next. */
MUST_CHECK int speech_cache_load(struct speech_cache *c,
				 const struct speech_key *key, struct pcm *out);
/* A cache that cannot be written (a full disk) costs time, not calls: nothing
 * is said about it. */
void speech_cache_store(struct speech_cache *c, const struct speech_key *key,
			const struct pcm *pcm);

/* Remove what is half-written, then the least recently used files until what
 * is left has at most `max` bytes.  Returns how many it has. */
size_t speech_disk_tidy(const char *dir, size_t max);
