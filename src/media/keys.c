// SPDX-License-Identifier: Apache-2.0
/*
 * keys.c - telephone-events into keys: each press once, whatever the network
 * did to its packets.
 *
 * A press is known by SSRC and timestamp (RFC 4733 2.1), never by marker or
 * end bit: either may be lost.  Known ones stay in a ring; what leaves it is
 * remembered as a border, so that not even a packet that comes seconds late
 * presses a key a second time.
 *
 * A key held longer than a 16 bit duration can say goes on as a new event
 * (2.5.1.3): it begins where the last one reached its most, without a marker.
 */
#include "media/keys.h"

#include <errno.h>
#include <string.h>

#include "media/media_priv.h"

enum {
	END = 0x80,
	VOLUME = 0x3f,
	SECOND_MS = 1000,
	LATE = 10 * RTP_HZ,     /* older than this: a sender begun anew */
	LONG_DURATION = 0xf000, /* near its most: may go on as a new event */
	DURATION_MOST = 0xffff,
};

static const char names[] = "0123456789*#";
static const char pad[] = "0123456789*#ABCD"; /* RFC 4733 3.2 */

int keys_event_read(struct span payload, struct keys_event *out)
{
	const uint8_t *p = (const uint8_t *)payload.p;

	if (payload.n < KEYS_EVENT_BYTES)
		return -EBADMSG;
	*out = (struct keys_event){
		.event = p[0],
		.end = (p[1] & END) != 0,
		.volume = p[1] & VOLUME,
		.duration = media_get16(p + 2),
	};
	return 0;
}

void keys_event_write(const struct keys_event *e, uint8_t out[KEYS_EVENT_BYTES])
{
	out[0] = e->event;
	out[1] = (uint8_t)((e->end ? END : 0) | (e->volume & VOLUME));
	media_put16(out + 2, e->duration);
}

char keys_event_key(uint8_t event)
{
	if (event >= sizeof(names) - 1)
		return '\0';
	return names[event];
}

int keys_key_event(char key)
{
	const char *at = key ? strchr(names, key) : NULL;

	return at ? (int)(at - names) : -1;
}

int keys_pad_event(char key)
{
	const char *at = key ? strchr(pad, key) : NULL;

	return at ? (int)(at - pad) : -1;
}

static struct keys_known *find(struct keys *k, uint32_t ssrc, uint32_t ts)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->known[i].ts == ts && k->known[i].ssrc == ssrc)
			return &k->known[i];
	return NULL;
}

/* It left the ring long ago. */
static bool is_forgotten(const struct keys *k, const struct rtp_header *h)
{
	return k->count == KEYS_KNOWN && k->forgotten.ssrc == h->ssrc &&
	       k->forgotten.ts - h->ts < LATE;
}

/* The event whose long press this one continues, or NULL. */
static struct keys_known *continued(struct keys *k, const struct rtp_header *h,
				    uint8_t event)
{
	if (h->marker)
		return NULL;
	for (size_t i = 0; i < k->count; i++) {
		struct keys_known *known = &k->known[i];
		uint32_t apart = h->ts - known->ts;

		if (known->ssrc == h->ssrc && known->event == event &&
		    known->duration >= LONG_DURATION &&
		    apart >= known->duration && apart <= DURATION_MOST)
			return known;
	}
	return NULL;
}

static void remember(struct keys *k, const struct keys_known *one)
{
	struct keys_known *place = &k->known[k->next];

	if (k->count < KEYS_KNOWN)
		k->count++;
	/* the latest of one source: those that leave may be out of order */
	else if (k->forgotten.ssrc != place->ssrc ||
		 place->ts - k->forgotten.ts < (uint32_t)INT32_MAX)
		k->forgotten = *place;
	*place = *one;
	k->next = (k->next + 1) % KEYS_KNOWN;
}

/* A hand is slower: more than this is a fault, or an attack. */
static bool too_many(struct keys *k, int64_t now_ms)
{
	if (k->in_second == 0 || now_ms - k->second_ms >= SECOND_MS) {
		k->second_ms = now_ms;
		k->in_second = 0;
	}
	if (k->in_second >= KEYS_PER_SECOND)
		return true;
	k->in_second++;
	return false;
}

char keys_take(struct keys *k, const struct rtp_header *h, struct span payload,
	       int64_t now_ms)
{
	struct keys_known one = {.ssrc = h->ssrc, .ts = h->ts}, *known;
	struct keys_event e;
	bool goes_on;
	char key;

	if (keys_event_read(payload, &e) != 0)
		return '\0';
	known = find(k, h->ssrc, h->ts);
	if (known) {
		if (e.duration > known->duration)
			known->duration = e.duration;
		return '\0';
	}
	if (is_forgotten(k, h))
		return '\0';
	one.event = e.event;
	one.duration = e.duration;
	goes_on = continued(k, h, e.event) != NULL;
	remember(k, &one);
	if (goes_on)
		return '\0';
	key = keys_event_key(e.event);
	if (key && !too_many(k, now_ms))
		return key;
	k->dropped++;
	return '\0';
}
