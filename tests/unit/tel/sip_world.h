// SPDX-License-Identifier: Apache-2.0
/*
 * sip_world.h - a telephone with one trunk, the trunk's far end, and all that
 * they told: signalling on a clock that the test owns, sound in real time.
 */
#pragma once

#include "media/pump.h"
#include "support/sip_peer.h"
#include "tel/sip.h"

enum {
	WORLD_EVENTS_MAX = 64,
	WORLD_NEWS_MAX = 16,
	WORLD_PATIENCE_MS = 10 * 1000, /* of UNTIL, in real time */
	WORLD_TRACE_BYTES = 64 << 10,
	WORLD_RING_MS = 5000,
};

struct world_event {
	struct tel_event ev; /* without its pointers */
	bool media, forwarded;
	struct pump_stats stats;
};

struct sip_world {
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct pump *pump;
	struct tel_sip *sip;
	struct tel *tel;
	struct sip_peer *peer;
	struct tel_sip_trunk
		conf; /* a test changes it before sip_world_open() */
	const char *advertise, *advertise_media; /* the same */
	tel_sip_lookup_h *lookup;                /* ... */
	void *lookup_ctx;
	struct tel_call *call;
	struct world_event events[WORLD_EVENTS_MAX];
	size_t count;
	struct tel_sip_news news[WORLD_NEWS_MAX];
	size_t news_count;
	char *trace;
	enum tel_event_kind close_at; /* close the call inside this event */
	bool closes, hangs_up;
};

/* In two steps: between them, w->conf may be changed. */
void sip_world_make(struct sip_world *w);
void sip_world_open(struct sip_world *w);
/* Waits until nothing is left of any call. */
void sip_world_close(struct sip_world *w);

void sip_world_turn(struct sip_world *w);
void sip_world_advance(struct sip_world *w, int64_t ms);
void sip_world_dial(struct sip_world *w); /* the far end has the INVITE */
void sip_world_try(struct sip_world *w);  /* whoever has it */
int64_t sip_world_real_ms(void);
void sip_world_wait(struct sip_world *w, int64_t since_ms, const char *what);

/* How many of a kind came; the last one of it (a test's failure if none). */
unsigned sip_world_saw(const struct sip_world *w, enum tel_event_kind kind);
const struct world_event *sip_world_last(const struct sip_world *w,
					 enum tel_event_kind kind);

/* Both steps.  An answer to the INVITE.  200 with sound, and its ACK.  All of
 * it: a call that was answered. */
void sip_world_begin(struct sip_world *w);
void sip_world_say(struct sip_world *w, int code, const char *headers);
void sip_world_pick_up(struct sip_world *w, const char *lines);
void sip_world_talk(struct sip_world *w);
/* It ends so, once, and nothing comes after it. */
void sip_world_ends(struct sip_world *w, enum tel_cause cause, int code,
		    int q850);

/* Turn until it holds; the test fails where it does not in time. */
#define UNTIL(w, what)                                      \
	for (int64_t since_ = sip_world_real_ms(); !(what); \
	     sip_world_wait(w, since_, #what)) {            \
	}
