// SPDX-License-Identifier: Apache-2.0
/*
 * tel.h - a telephone: dial, play, hear keys, hang up.
 *
 * A caller cannot tell a trunk from a page in a browser from a script.  All of
 * it belongs to the line thread: a driver posts what it learns elsewhere to
 * the loop that it was made with, and events come from the loop, never from
 * inside a call of ours.
 *
 * A call is owned by whoever dialled it.  tel_call_close() ends it at any time;
 * no event follows.  After TEL_ENDED it must still be closed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/timer.h"
#include "media/playlist.h"

struct pump_stats; /* media/pump.h */
struct tel;        /* one telephone: a driver with its state */
struct tel_call;   /* one leg */

enum {
	TEL_NUMBER_BYTES = 24, /* E.164 text with plus and NUL */
	TEL_NAME_BYTES = 32,
};

enum tel_event_kind {
	TEL_RINGING,     /* 180, or the page rings */
	TEL_EARLY_MEDIA, /* sound before an answer: never an answer (B1) */
	TEL_FORWARDED,   /* 181, History-Info, Diversion (B11) */
	TEL_ANSWERED,
	TEL_KEY,
	TEL_PLAYED, /* a playlist came to its end */
	TEL_ENDED,  /* always the last */
};

/* Why a leg ended, before the outcome table makes a word of it. */
enum tel_cause {
	TEL_HUNG_UP,     /* by the far end, after the answer */
	TEL_WE_HUNG_UP,  /* tel_call_hang_up() */
	TEL_NO_ANSWER,   /* the ring limit passed */
	TEL_REFUSED,     /* a final answer: sip_code, q850 */
	TEL_UNREACHABLE, /* no answer from the network, media lost */
};

struct tel_event {
	enum tel_event_kind kind;
	/* TEL_KEY: one of 0-9 * #, and how much of the playlist with id
	 * play_id had been played when it was pressed.  TEL_PLAYED: play_id. */
	char key;
	uint32_t play_id;
	unsigned played_ms;
	/* TEL_ENDED */
	enum tel_cause cause;
	int sip_code, q850;              /* 0 where there is none */
	const struct tel_record *record; /* or NULL: there is none */
};

/* What is known of a call once it is over; lives during the event. */
struct tel_record {
	const struct pump_stats *media; /* NULL: it had none */
	bool forwarded;
	const char *trace; /* its signalling as text, blanked; NULL: not asked
			    * for */
};

typedef void tel_event_h(const struct tel_event *ev, void *ctx);

struct tel_params {
	const char *call_id;   /* ours, for records; not secret */
	const char *to, *from; /* E.164 with plus */
	const char *language;  /* of what will be said */
	unsigned ring_ms;      /* ring limit */
	bool trace;            /* keep its signalling for the record */
	tel_event_h *event;
	void *ctx;
};

/* Is there any sense in dialling? */
enum tel_state {
	TEL_UP,
	TEL_RESTING, /* it asked to be left alone for a while (Retry-After) */
	TEL_DOWN,    /* it does not answer */
};

/* What a driver provides; `state` is what its maker gave tel_new().  A call's
 * first member is a struct tel_call. */
struct tel_driver {
	const char *name; /* as in records: "trunk", "page", "script" */
	int (*dial)(void *state, const struct tel_params *params,
		    struct tel_call **out);
	/* May this telephone ring that number at all?  Any thread. */
	bool (*serves)(void *state, const char *to);
	/* NULL: always TEL_UP.  Any thread. */
	enum tel_state (*state)(void *state);
	int (*play)(struct tel_call *call, struct playlist *p, uint32_t id);
	void (*stop)(struct tel_call *call);
	void (*hang_up)(struct tel_call *call);
	void (*close)(struct tel_call *call);
	void (*free)(void *state);
};

struct tel_call {
	const struct tel_driver *driver;
};

struct tel *tel_new(const struct tel_driver *driver, void *state);
void tel_free(struct tel *t); /* NULL is fine; its calls were closed before */
const char *tel_name(const struct tel *t);
bool tel_serves(const struct tel *t, const char *to); /* any thread */
enum tel_state tel_state(const struct tel *t);        /* any thread */

/* --- places: so many calls at once, so many a second ------------------------- */

struct tel_limits {
	unsigned per_second, calls; /* 0: no limit */
};
/* Before it is used; `l` is the line's.  Whoever makes a telephone without it
 * has places without end, and nobody may ask for one. */
void tel_limit(struct tel *t, struct loop *l, const struct tel_limits *limits);

typedef void tel_place_h(int err, void *ctx);

/* Whoever wants to dial takes a place first, waits in line for it, and keeps it
 * until the call was closed.  Lives inside its owner. */
struct tel_place {
	struct link link;
	struct tel *tel; /* NULL: neither waits nor has one */
	struct timer timer;
	tel_place_h *ready;
	void *ctx;
	bool held;
};
/*
 * ready() comes from the loop, once, in order of asking: 0: the place is held,
 * dial.  -ETIME: there was none within max_wait_ms, or it was clear at once
 * that there would be none.  -EHOSTUNREACH: the telephone is not TEL_UP, or
 * ceased to be while this waited.
 */
void tel_place_take(struct tel *t, struct tel_place *p, int64_t max_wait_ms,
		    tel_place_h *ready, void *ctx);
/* At any time, also on zeros; no ready() after it. */
void tel_place_drop(struct tel_place *p);
/* The driver: its state has changed, those who wait should know. */
void tel_state_changed(struct tel *t);

/* --- calls ------------------------------------------------------------------- */

/*
 * 0: *out is the caller's, and events come.  -EBUSY: no room (calls per
 * second, concurrent calls).  -EHOSTUNREACH: no such place.  Strings are copied.
 */
MUST_CHECK int tel_dial(struct tel *t, const struct tel_params *params,
			struct tel_call **out);

/*
 * Play `p` from its start in place of whatever plays; keeps a reference.  Its
 * keys are pressed: as telephone-events where the far end takes those, and in
 * sound otherwise.
 * TEL_PLAYED with `id` comes at its end, not if it was replaced or stopped.
 * -ENOTCONN: not answered, or ended.
 */
MUST_CHECK int tel_call_play(struct tel_call *call, struct playlist *p,
			     uint32_t id);
void tel_call_stop(struct tel_call *call); /* silence */
/* TEL_ENDED with TEL_WE_HUNG_UP follows (CANCEL or BYE). */
void tel_call_hang_up(struct tel_call *call);
void tel_call_close(struct tel_call *call); /* NULL is fine */

CLEANUP(tel, tel_free)
