// SPDX-License-Identifier: Apache-2.0
/*
 * keys.h - keys out of what arrives: telephone-events (RFC 4733), tones (Q.23).
 *
 * A telephone-event is many packets that say the same, and any of them may be
 * lost, doubled or late.  A key is therefore known by its RTP timestamp: one
 * key each, told with the first packet that arrives of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"
#include "media/clip.h"
#include "media/g711.h"
#include "media/rtp.h"

enum {
	KEYS_EVENT_BYTES = 4,
	KEYS_PER_SECOND = 15, /* C7: more than a hand can press */
	KEYS_KNOWN = 16,      /* events remembered against late packets */
};

/* --- telephone-events ----------------------------------------------------------- */

struct keys_event { /* RFC 4733 2.3 */
	uint8_t event;
	bool end;
	uint8_t volume; /* -dBm0 */
	uint16_t duration;
};
MUST_CHECK int keys_event_read(struct span payload, struct keys_event *out);
void keys_event_write(const struct keys_event *e,
		      uint8_t out[KEYS_EVENT_BYTES]);
char keys_event_key(uint8_t event); /* 0-9 * #, or NUL: not a key (C7) */
int keys_key_event(char key);       /* 0..11, or -1 */
/* What may be sent: A to D too.  0..15, or -1. */
int keys_pad_event(char key);

struct keys_known {
	uint32_t ssrc, ts;
	uint8_t event;
	uint16_t duration; /* the longest that was said */
};
struct keys {
	struct keys_known known[KEYS_KNOWN]; /* a ring */
	size_t count, next;
	struct keys_known forgotten; /* the last that left the ring */
	int64_t second_ms;           /* since when the following are counted */
	unsigned in_second;
	unsigned dropped; /* events: too many at once, or no key */
};
/* Any bytes may be handed in; NUL: no new key.  now_ms on any steady clock. */
char keys_take(struct keys *k, const struct rtp_header *h, struct span payload,
	       int64_t now_ms);

/* --- tones ------------------------------------------------------------------------ */

/* For far ends without telephone-events: DTMF in the sound itself.  One per
 * call; the owner's thread. */
struct keys_tones;
struct keys_tones *keys_tones_new(void);
void keys_tones_free(struct keys_tones *t); /* NULL is fine */
/* A frame of sound; the keys that became certain in it (at most 8, each once
 * however long it is held), NUL-terminated. */
void keys_tones_take(struct keys_tones *t, enum g711_codec codec,
		     struct span frame, char out[9]);

/* How such a key sounds: one of 0-9 * # A-D, `ms` long.  A new clip, without a
 * caption. */
struct clip *keys_tone(char key, unsigned ms);

CLEANUP(keys_tones, keys_tones_free)
