// SPDX-License-Identifier: Apache-2.0
/*
 * sip_call_priv.h - one call, as its two files see it.
 *
 *   sip_invite.c   from the INVITE to its final answer, and challenges: libre's
 *                  handlers
 *   sip_call.c     the telephone's driver, events, sound, keys, the end
 *
 * A call is owned by who dialled it until tel_call_close(); after that by the
 * pump's stream, whose last event names it.
 */
#pragma once

#include "tel/sip_priv.h"

enum {
	TSIP_SILENT_MS = 10 * 1000, /* not even a 100: nobody is there */
	TSIP_SETUP_MS = 40 * 1000,  /* until it rings, or a refusal comes */
	TSIP_RING_MS = 28 * 1000,   /* where the caller has no limit */
	TSIP_STATS_MS = 500,        /* waited for the pump's last figures */
	TSIP_LOST_MS = 2000, /* an RTCP BYE goes before the BYE by so much */
	TSIP_ID_BYTES = 128, /* of a Call-ID of libre's */
	TSIP_AUTH_MAX = 2048,
	TSIP_INFO_KEYS_PER_SECOND = 15, /* C7 */
};

enum tsip_call_state {
	TSIP_DIALLED,
	TSIP_RINGING, /* the ring limit runs */
	TSIP_UP,
	TSIP_ENDING, /* over; the pump's figures are awaited */
	TSIP_ENDED,  /* TEL_ENDED was told */
	TSIP_CLOSED, /* nobody owns it: the pump's last event is awaited */
	TSIP_STATES
};

/* What was answered to challenges: by the callee (401), by proxies (407). */
enum tsip_auth_kind { TSIP_AUTH_WWW, TSIP_AUTH_PROXY, TSIP_AUTHS };
struct tsip_auth {
	unsigned answered;
	char *challenge; /* the last one, as it came */
	char *nonce;     /* of it */
	char *header;    /* its line, with CRLF */
};

struct tsip_login; /* what libre asks for credentials */

struct tsip_call {
	struct tel_call base;
	struct link link;
	struct tsip_trunk *trunk;
	struct tsip_where *where;     /* the trunk's addresses when it began */
	struct sockaddr_storage peer; /* where the INVITE went */
	enum tsip_call_state state;
	tel_event_h *event;
	void *ctx;
	unsigned ring_ms;

	struct sipsess *session;
	struct tsip_login *login;
	char id[TSIP_ID_BYTES]; /* Call-ID; "" where there is none yet */
	struct tsip_trunk_words *words; /* NULL once it was answered */
	struct tsip_auth auths[TSIP_AUTHS];
	char *bye_headers;  /* NULL: nobody asked who we are */
	struct timer limit; /* silence, set-up, ring, the longest call */
	struct timer grace; /* lost media; the pump's figures */
	/* what was told, or came, once */
	bool heard, rings, early, forwarded;
	int bye_q850;
	unsigned redirects;     /* followed */
	uint32_t redirect_cseq; /* of the last: it may come again */

	struct pump_stream *stream; /* NULL once it is gone */
	struct pump_far far;        /* what was agreed, or said early */
	bool has_far, connected;
	uint64_t sdp_session, sdp_version;

	/* where a key by INFO fell: the pump is not asked for it */
	uint32_t play_id;
	int64_t play_began_ms, play_over_ms;
	int64_t info_second_ms;
	unsigned info_keys;

	struct tel_event end;
	struct tel_record record;
	struct pump_stats stats;
	struct tsip_trace *trace;
};

/* --- sip_invite.c ------------------------------------------------------------- */

/* The first INVITE, or the next with what was challenged. */
MUST_CHECK int tsip_invite(struct tsip_call *c);
/* Leave libre's session: CANCEL, BYE or nothing, as its state wants it.  The
 * Call-ID is still known, for the trace. */
void tsip_invite_leave(struct tsip_call *c);
void tsip_invite_free(struct tsip_call *c); /* what only an INVITE needs */
void tsip_invite_forget(struct tsip_call *c);

/* --- sip_call.c ----------------------------------------------------------------- */

void tsip_call_set_state(struct tsip_call *c, enum tsip_call_state to);
/* False: the owner has ended it meanwhile. */
bool tsip_call_tell(struct tsip_call *c, const struct tel_event *ev);
struct timers *tsip_call_timers(const struct tsip_call *c);
int64_t tsip_call_now(const struct tsip_call *c);
/* It is over: TEL_ENDED follows. */
void tsip_call_end(struct tsip_call *c, enum tel_cause cause, int sip_code,
		   int q850);
/* An offer of ours; -E2BIG. */
MUST_CHECK int tsip_call_write(struct tsip_call *c, char *out, size_t size);
/* An SDP of theirs: what it means for this call.  As tsip_sdp_read(). */
MUST_CHECK int tsip_call_read(const struct tsip_call *c, struct span sdp,
			      struct pump_far *far,
			      enum tsip_sdp_direction *theirs);
/* Sound goes there from here on. */
MUST_CHECK int tsip_call_connect(struct tsip_call *c,
				 const struct pump_far *far);
