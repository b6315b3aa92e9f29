// SPDX-License-Identifier: Apache-2.0
/*
 * browser.h - a telephone that is a page: it rings by server-sent events, plays
 * a WAV file per prompt, and posts its keys.
 *
 * The telephone lives on the line thread.  The page's side (api/phone.c) runs
 * on web threads: each function here that says "any thread" posts to the line.
 * Whoever holds a session hears codes, so sessions and call ids are random and
 * nothing that is said or pressed is logged.
 */
#pragma once

#include "base/buf.h"
#include "base/random.h"
#include "tel/tel.h"

/* The sandbox number that a server's page has. */
#define TEL_BROWSER_NUMBER "+15555550100"

struct tel_browser;

enum {
	TEL_BROWSER_SESSIONS_MAX = 64,
	TEL_BROWSER_CALLS_MAX =
		64,                /* at once; more is -EBUSY for the dialler */
	TEL_BROWSER_ID_BYTES = 33, /* 128 random bits as hex, with NUL */
	TEL_BROWSER_SOUNDS_MAX = 8, /* WAV files kept per call */
	TEL_BROWSER_EVENT_MAX = 16 << 10,
	TEL_BROWSER_ACTIONS_MAX = 256, /* taken, not yet acted on */
	TEL_BROWSER_KEYS_A_SECOND = 15,
	TEL_BROWSER_GRACE_MS = 5000, /* for a page to come back to its call */
	TEL_BROWSER_PLAYED_MS =
		3000, /* after a sound's end, for it to say so */
};

/* `number`: the one number that this telephone serves.  *phone lives as long as
 * *out; nothing may call it from elsewhere when *out is freed. */
MUST_CHECK int tel_browser_new(struct loop *loop, struct rng *rng,
			       const char *number, struct tel_browser **phone,
			       struct tel **out);

/*
 * The page opens its event stream.  send() is called on the line thread, under
 * a lock, with an event's name and one line of JSON:
 *   ready     {"page":id,"number":"+1...","call":id or null}   this is you
 *   ring      {"call":id,"from":"+1...","left_ms":n}
 *   ring_over {"call":id,"why":word}              answered elsewhere, given up
 *   play      {"call":id,"play":n,"ms":n,"at_ms":n,"captions":[[ms,text],...]}
 *   stop      {"call":id,"play":n}
 *   ended     {"call":id,"why":word}
 * A call that rings already is told at once.  `session` names one that was
 * lost less than TEL_BROWSER_GRACE_MS ago, or is "": then, or if it is not
 * known any more, a new one is made.  Any thread.  -EBUSY: too many.
 */
typedef void tel_browser_send_h(const char *event, const char *json, void *ctx);
MUST_CHECK int tel_browser_attach(struct tel_browser *phone,
				  tel_browser_send_h *send, void *ctx,
				  char session[TEL_BROWSER_ID_BYTES]);
/* send() with this ctx is not called after it returns.  (If the page came back
 * with another ctx meanwhile, that one stays.) */
void tel_browser_detach(struct tel_browser *phone, const char *session,
			const void *ctx);

/*
 * What the page does to a call.  Any thread.  0: taken (the line acts on it);
 * -ENOENT: no such call, or not this session's; -EINVAL: not possible now;
 * -EAGAIN: too much at once.  What a page says of times is believed within what
 * can be true: nothing is played faster than it takes.
 */
enum tel_browser_act {
	TEL_BROWSER_ANSWER,
	TEL_BROWSER_DECLINE,
	TEL_BROWSER_HANG_UP,
	TEL_BROWSER_KEY,    /* key, and at_ms into play (0: before any) */
	TEL_BROWSER_PLAYED, /* play */
};
struct tel_browser_action {
	enum tel_browser_act act;
	char key;
	uint32_t play;
	unsigned at_ms;
};
MUST_CHECK int tel_browser_do(struct tel_browser *phone, const char *session,
			      const char *call,
			      const struct tel_browser_action *action);

/* The WAV file of one prompt of a call.  Any thread. */
MUST_CHECK int tel_browser_sound(struct tel_browser *phone, const char *session,
				 const char *call, uint32_t play,
				 struct buf *wav);
