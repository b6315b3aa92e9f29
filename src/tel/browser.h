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

struct tel_browser;

enum {
	TEL_BROWSER_SESSIONS_MAX = 64,
	TEL_BROWSER_CALLS_MAX =
		64,                /* at once; more is -EBUSY for the dialler */
	TEL_BROWSER_ID_BYTES = 33, /* 128 random bits as hex, with NUL */
	TEL_BROWSER_SOUNDS_MAX = 8, /* WAV files kept per call */
	TEL_BROWSER_EVENT_MAX = 16 << 10,
};

/* `number`: the one number that this telephone serves. */
MUST_CHECK int tel_browser_new(struct loop *loop, struct rng *rng,
			       const char *number, struct tel_browser **phone,
			       struct tel **out);

/*
 * The page opens its event stream.  send() is called on the line thread with
 * an event's name and one line of JSON: `ring`, `play`, `stop`, `ended`,
 * `ring_over`; a call that rings already is told at once.  Any thread.
 * detach: send() is not called after it returns.
 */
typedef void tel_browser_send_h(const char *event, const char *json, void *ctx);
MUST_CHECK int tel_browser_attach(struct tel_browser *phone,
				  tel_browser_send_h *send, void *ctx,
				  char session[TEL_BROWSER_ID_BYTES]);
void tel_browser_detach(struct tel_browser *phone, const char *session);

/*
 * What the page does to a call.  Any thread.  0: taken (the line acts on it);
 * -ENOENT: no such call, or not this session's; -EINVAL: not possible now.
 */
enum tel_browser_act {
	TEL_BROWSER_ANSWER,
	TEL_BROWSER_DECLINE,
	TEL_BROWSER_HANG_UP,
	TEL_BROWSER_KEY,    /* key, and at_ms into play */
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
