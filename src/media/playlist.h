// SPDX-License-Identifier: Apache-2.0
/*
 * playlist.h - what one `play` says: clips and silences, in order.
 *
 * Filled by one thread, then handed over and never changed: from there on it
 * may be read by any thread.  References are atomic.  The order of digit clips
 * may be a secret, so the list is wiped when its last reference goes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "media/clip.h"

struct playlist;

enum {
	PLAYLIST_ITEMS_MAX = 512,
	PLAYLIST_MS_MAX = PCM_MS_MAX,
	PLAYLIST_KEYS_MAX = 32, /* of those that are shown */
};

struct playlist *playlist_new(void);
struct playlist *playlist_ref(struct playlist *p);
void playlist_unref(struct playlist *p); /* NULL is fine */

/* -E2BIG past a limit above; nothing is added then. */
MUST_CHECK int playlist_add(struct playlist *p, struct clip *c); /* refs c */
MUST_CHECK int playlist_silence(struct playlist *p,
				unsigned ms); /* in 20s, up */
/* A key, pressed so long: one of 0-9 * # A-D.  A wire that has events for keys
 * carries those, any other the tones; a caption has all keys of the list where
 * its first one is.  -EINVAL: no such key. */
MUST_CHECK int playlist_key(struct playlist *p, char key, unsigned ms);
/* Everything of `tail`, its mark too. */
MUST_CHECK int playlist_append(struct playlist *p, const struct playlist *tail);

/*
 * The mark: what comes after it tells the listener nothing new.  Keys are
 * compared with it: a key before the mark answers a question not yet asked.
 * 0 until set: every key counts.
 */
void playlist_mark(struct playlist *p); /* here: behind what was added so far */
unsigned playlist_mark_ms(const struct playlist *p);

unsigned playlist_ms(const struct playlist *p);

/* Walk it frame by frame. */
struct playlist_cursor {
	size_t item, frame;
};
/* The next frame (CLIP_FRAME_BYTES, silence included), or NULL at the end. */
const uint8_t *playlist_next(const struct playlist *p,
			     struct playlist_cursor *at, enum g711_codec codec);

/* The key that the next frame is of, or NUL; *left: frames to its end. */
char playlist_key_at(const struct playlist *p, struct playlist_cursor at,
		     uint32_t *left);
/* Its keys as text; how many there are. */
size_t playlist_keys(const struct playlist *p, char out[PLAYLIST_KEYS_MAX + 1]);

/* The whole as a WAV file, and as a caption (parts joined by blanks, digits of
 * one group joined to a group): for a phone that is a page.  A digit is a clip
 * whose caption is one. */
void playlist_wav(const struct playlist *p, struct buf *out);
void playlist_caption(const struct playlist *p, struct buf *out);

/* The caption in parts, each when its clip begins: who reads must not know
 * earlier than who listens.  `joined`: no blank between it and the last. */
typedef void playlist_cue_h(unsigned at_ms, const char *text, bool joined,
			    void *ctx);
void playlist_cues(const struct playlist *p, playlist_cue_h *each, void *ctx);

CLEANUP(playlist, playlist_unref)
