// SPDX-License-Identifier: Apache-2.0
/*
 * pump_key.c - keys that we press: telephone-events in place of sound.
 *
 * While a key of the list is due, each tick sends one packet of its event: the
 * time at which it began, and how long it has been held by now, this tick
 * included (RFC 4733 2.5.1.2).  The last one says that it has ended and is sent
 * three times, a tick apart (2.5.1.4); a key that begins earlier cuts that
 * short.  Sound goes on behind it with a marker.  Where the far end takes no
 * events, none of this happens: the list has the tones.
 */
#include "media/pump_priv.h"

enum {
	VOLUME = 8, /* -dBm0, as key_tone.c has it */
	ENDS = 3,
};

static struct playlist_cursor here(const struct pump_hot *h)
{
	return (struct playlist_cursor){h->item, h->frame};
}

void pump_key_begin(struct pump *p, struct pump_stream *s)
{
	struct pump_hot *h = &p->hot[s->index];
	bool events = (s->way.keys & PUMP_KEYS_EVENTS) != 0;
	char keys[PLAYLIST_KEYS_MAX + 1];

	if (!events)
		s->press = (struct pump_press){0};
	if (events && (s->press.held || s->press.ends > 0 ||
		       (h->list && playlist_keys(h->list, keys) > 0)))
		h->flags |= PUMP_KEYS;
	else
		h->flags &= (uint8_t)~PUMP_KEYS;
}

void pump_key_release(struct pump_stream *s)
{
	if (s->press.held)
		s->press.ends = ENDS;
	s->press.held = false;
}

bool pump_key_here(const struct pump *p, uint16_t index)
{
	const struct pump_hot *h = &p->hot[index];
	uint32_t left;

	return h->list && playlist_key_at(h->list, here(h), &left);
}

/* One tick more of it. */
static void hold(struct pump_press *press, const struct pump_hot *h, char key,
		 uint32_t left)
{
	if (!press->held)
		*press = (struct pump_press){
			.held = true,
			.event = (uint8_t)keys_pad_event(key),
			.ts = h->ts};
	press->duration = (uint16_t)(press->duration + CLIP_FRAME_BYTES);
	if (left == 1) {
		press->held = false;
		press->ends = ENDS;
	}
}

bool pump_key_next(struct pump *p, uint16_t index, struct rtp_header *head,
		   uint8_t payload[KEYS_EVENT_BYTES])
{
	struct pump_stream *s = p->streams[index];
	struct pump_hot *h = &p->hot[index];
	struct pump_press *press = &s->press;
	uint32_t left = 0;
	char key = '\0';

	if (h->list)
		key = playlist_key_at(h->list, here(h), &left);
	if (!key && press->ends == 0) {
		if (!h->list)
			h->flags &= (uint8_t)~PUMP_KEYS;
		return false;
	}
	head->marker = key && !press->held;
	if (key)
		hold(press, h, key, left);
	(void)pump_sound(p, index); /* the list goes on */
	head->pt = s->way.event_pt;
	head->ts = press->ts;
	keys_event_write(&(struct keys_event){.event = press->event,
					      .end = press->ends > 0,
					      .volume = VOLUME,
					      .duration = press->duration},
			 payload);
	if (press->ends > 0)
		press->ends--;
	return true;
}
