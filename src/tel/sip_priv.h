// SPDX-License-Identifier: Apache-2.0
/*
 * sip_priv.h - the parts of the SIP telephone; the only header that includes
 * libre.
 *
 *   sip_timer.c   libre's nine timer functions over base/timer
 *   sip_line.c    libre's instance and the line's loop: sockets, wake, self-test
 *   sip_gate.c    what libre is shown and what not: sources, redirects, names
 *   sip_stray.c   requests and answers that belong to no call of libre's:
 *                 forked 2xx, UPDATE, OPTIONS, INFO, calls to us
 *   sip_way.c     where the requests of a dialog go
 *   sip_log.c     what libre prints, caught and bounded
 *   sip_trace.c   a call's signalling as text, blanked
 *   sip_trunk.c   a trunk: numbers, headers, state, pings, rests
 *   sip_where.c   its addresses, and when they change
 *   sip_names.c   the thread that looks names up
 *   sip_auth.c    digests, MD5 and SHA-256 (RFC 7616, 8760): sip_text.h
 *   sip_sdp.c     offers and answers (RFC 3264, 4566): sip_text.h
 *   sip_cause.c   Reason, Q.850, Retry-After, History-Info, Diversion: there too
 *   sip_call.c    one call: INVITE to its end
 *
 * Everything is the line's thread, but for what sip_names.c does.  Texts out of a message are copied before
 * its handler returns.
 */
#pragma once

#include <re/re.h>

#include <stdatomic.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timer.h"
#include "tel/sip.h"
#include "tel/sip_text.h"

enum {
	TSIP_CALLS_MAX = PUMP_STREAMS_MAX,
	TSIP_TABLE = 1 << 15, /* buckets of libre's tables */
	TSIP_DATAGRAM_MAX = 8192,
	TSIP_PING_FAILS = 2,      /* unanswered pings make a trunk TEL_DOWN */
	TSIP_PING_WAIT_MS = 5000, /* then a ping counts as unanswered */
	TSIP_UNAUTHORIZED_MS = 60 * 1000, /* rest of a trunk that refuses us */
	TSIP_REST_MAX_MS = 600 * 1000,    /* ... or says more than this */
	TSIP_STRAYS_MAX = 2048, /* legs that nobody asked for, being ended */
	TSIP_REDIRECTS_MAX = 3, /* followed for one call, where allowed */
	TSIP_ADDRESSES_MAX = 8, /* of one name */
	TSIP_NAME_MS = 5 * 60 * 1000,   /* between lookups of a name */
	TSIP_NAME_AGAIN_MS = 10 * 1000, /* ... when one failed, or its trunk */
	TSIP_BACKS_MAX = 1024,          /* addresses of one trunk in its life */
	TSIP_NAMES_END_S = 1,           /* waited for a lookup when we close */
	TSIP_LOG_PER_MINUTE = 20,       /* lines of libre's own */
	TSIP_HEADER_MAX = 1024,
	TSIP_USER_BYTES = 128,
	TSIP_CALL_MS = 15 * 60 * 1000, /* the longest call of all */
};

struct tsip_call;
struct tsip_names;

/* The addresses of one answer, while calls of its time are there. */
struct tsip_where {
	struct tsip_trunk *trunk;
	struct tsip_where *older;
	struct sockaddr_storage at[TSIP_ADDRESSES_MAX];
	size_t count, used; /* of the newest: requests go to at[used] */
	unsigned calls;
	struct timer linger;
};

/* An address as a request's next hop.  libre's dialogs point into it and may
 * outlive what knows of them, so it stays as long as the line. */
struct tsip_back {
	struct tsip_back *older;
	struct sockaddr_storage peer;
	char text[NET_TEXT_BYTES + 24]; /* "sip:address:port" and TCP */
	struct uri uri;                 /* points into the text */
};

/* One trunk, with what it is doing. */
struct tsip_trunk {
	struct tel_sip *sip;
	size_t index;
	struct tel_sip_trunk conf; /* its texts are owned */
	struct tel *tel;
	struct sockaddr_storage peer; /* where requests go */
	struct net_list heard;        /* conf.sources; and all of `where` */
	struct tsip_where *where;     /* newest first; NULL: not known */
	char name[TEL_SIP_URI_BYTES]; /* to be looked up; "": an address */
	unsigned name_port;
	bool asking, soon;   /* it is being looked up; will be, before time */
	struct timer lookup; /* the next */
	bool routed;
	char route[TEL_SIP_URI_BYTES]; /* "sip:address:port" of a Route (libre
					* adds <> and ;lr), or "" */
	struct tsip_back *backs;       /* of all its peers so far */
	const struct tsip_back *back;  /* of this one */
	_Atomic enum tel_state state;
	enum tel_sip_why why; /* of that state */
	struct timer rest, ping;
	unsigned unanswered; /* pings, or calls, in a row */
	struct link pings;   /* under way, ours and those asked for */
};

struct tel_sip {
	struct tel_sip_params p; /* its texts are owned */
	struct sip *sip;         /* libre's */
	struct sipsess_sock *sessions;
	struct sip_lsnr *answers, *requests;
	struct sockaddr_storage laddr;
	struct tsip_trunk trunks[TEL_SIP_TRUNKS_MAX];
	size_t trunks_count;
	struct link calls;
	struct map *by_id;          /* Call-ID -> struct tsip_call */
	struct tsip_call *dialling; /* its Call-ID is not known yet */
	unsigned call_count;
	struct tsip_names *names; /* NULL: no trunk has a name */
	atomic_uint unsaid; /* dialogs whose far end may not know its end yet */
	int wake[2];        /* a pipe or one eventfd: the loop was posted to */
};

/* --- sip_timer.c ------------------------------------------------------------------ */

/* The loop whose heap libre's timers are in from here on; NULL: none. */
void tsip_timer_use(struct loop *l);
/* Does libre run on ours?  A timer of its kind must show up in our heap. */
bool tsip_timer_is_ours(void);
/* All of libre's timers fire now: what waits for one is over. */
void tsip_timer_expire(void);
/* Turn the loop until loop_stop(); once, without waiting: true if anything
 * ran. */
void tsip_timer_run(void);
bool tsip_timer_turn(void);

/* --- sip_line.c --------------------------------------------------------------------- */

/* Libre's instance, its sockets, the gate, listeners; d names the setting.
 * One at a time in a process (-EBUSY); the calling thread need not be the one
 * that runs it, as long as no two use it at once. */
MUST_CHECK int tsip_line_open(struct tel_sip *s, struct diag *d);
void tsip_line_close(struct tel_sip *s);

/* --- sip_gate.c --------------------------------------------------------------------- */

/* In front of libre's parser: every datagram, every connection.  A source that
 * is no trunk's is not answered (C5).  Before the sockets: */
void tsip_gate_open(struct tel_sip *s);
/* ... and once they have their ports, the name that others see in Via and
 * Contact (C9).  -EINVAL: d. */
MUST_CHECK int tsip_gate_name(struct tel_sip *s, struct diag *d);
void tsip_gate_close(struct tel_sip *s);
/* Pure: is it worth the parser's time? */
bool tsip_gate_is_sip(struct span datagram);
uint64_t tsip_gate_heard(void); /* how much got through so far */
void tsip_gate_address(const struct sa *from, struct sockaddr_storage *to);
/* Whose address is it?  NULL: nobody's. */
struct tsip_trunk *tsip_gate_trunk(struct tel_sip *s,
				   const struct sockaddr_storage *from);
/* ... of a message while it is being heard; NULL: there is no line. */
struct tsip_trunk *tsip_gate_source(const struct sip_msg *msg);
/* libre follows 3xx by itself.  Where a trunk does not allow it, the gate hands
 * libre another status in its place; this gives the true one back. */
uint16_t tsip_gate_status(const struct sip_msg *msg);

/* --- sip_stray.c -------------------------------------------------------------------- */

MUST_CHECK int tsip_stray_open(struct tel_sip *s); /* before sipsess_listen() */
void tsip_stray_close(struct tel_sip *s);
/* A message has left: an ACK says which legs are libre's. */
void tsip_stray_sent(struct tel_sip *s, struct span message);
/* A 2xx that libre makes no call of: if it was not even acknowledged, that leg
 * gets its ACK and a BYE. */
void tsip_stray_end(struct tel_sip *s, const struct sip_msg *msg);

/* --- sip_way.c ---------------------------------------------------------------------- */

/* That address of the trunk's; one that was seen before is the same. */
const struct tsip_back *tsip_way_back(struct tsip_trunk *t,
				      const struct sockaddr_storage *peer);
void tsip_way_free(struct tsip_trunk *t); /* when libre is closed */
/* Can a request be sent to that address, as it stands? */
bool tsip_way_leads(const struct tel_sip *s, const struct uri *uri);

/* --- sip_log.c ------------------------------------------------------------------------ */

/* What libre writes to standard error becomes log lines, few a minute. */
void tsip_log_catch(void);
void tsip_log_release(void);

/* --- sip_trace.c ---------------------------------------------------------------------- */

struct tsip_trace;
struct tsip_trace *tsip_trace_new(void);
void tsip_trace_free(struct tsip_trace *t); /* NULL is fine */
/* A message: credentials, keys, codes and all but the last two digits of
 * numbers are blanked before it is kept. */
void tsip_trace_add(struct tsip_trace *t, bool sent, int64_t wall_ms,
		    struct span message);
/* Text of anybody's: all but the last two digits of numbers, and passwords. */
void tsip_trace_blank(struct buf *b, struct span s);
const char *tsip_trace_text(struct tsip_trace *t);
/* libre's handler for all messages; finds the call by its Call-ID. */
void tsip_trace_open(struct tel_sip *s);

/* --- sip_trunk.c ---------------------------------------------------------------------- */

/* Copies the settings and makes its telephone.  -EINVAL: d says why, and there
 * is nothing to close. */
MUST_CHECK int tsip_trunk_open(struct tel_sip *s, size_t index,
			       const struct tel_sip_trunk *conf,
			       struct diag *d);
void tsip_trunk_start(struct tsip_trunk *t); /* lookups, pings */
/* Its calls are closed and its telephone may be freed already. */
void tsip_trunk_close(struct tsip_trunk *t);
/* A called number as this trunk wants it; -E2BIG. */
MUST_CHECK int tsip_trunk_number(const struct tel_sip_trunk *conf,
				 const char *e164, char *out, size_t size);
/* The request's To (its URI), From, and further headers with their CRLFs. */
struct tsip_trunk_words {
	char to[TEL_SIP_URI_BYTES], from[TEL_SIP_URI_BYTES];
	char user[TSIP_USER_BYTES]; /* of our Contact */
	char headers[TSIP_HEADER_MAX];
};
MUST_CHECK int tsip_trunk_words(const struct tsip_trunk *t, const char *to,
				const char *from, struct tsip_trunk_words *out);
/* What a call's end says about the trunk itself: 503 (retry_ms as
 * tsip_cause_retry_ms() has it), 401 and 407 that credentials did not help, 0
 * for silence; any other answer says that it is there. */
void tsip_trunk_learns(struct tsip_trunk *t, int sip_code, int64_t retry_ms);
void tsip_trunk_ping(struct tsip_trunk *t, tel_sip_pinged_h *done, void *ctx);
/* Its peer is another, or known for the first time.  Its name does not
 * resolve. */
void tsip_trunk_moved(struct tsip_trunk *t, bool first);
void tsip_trunk_unknown(struct tsip_trunk *t);

/* --- sip_where.c ---------------------------------------------------------------------- */

/* Where the settings say that it is: conf is there.  -EINVAL: d. */
MUST_CHECK int tsip_where_open(struct tsip_trunk *t, struct diag *d);
void tsip_where_start(struct tsip_trunk *t); /* s->names is there */
/* The names are closed, its calls are gone. */
void tsip_where_close(struct tsip_trunk *t);
/* What is known now goes on being heard until release, and a little longer.
 * There must be something: t->where. */
struct tsip_where *tsip_where_hold(struct tsip_trunk *t);
void tsip_where_release(struct tsip_where *w); /* NULL is fine */
/* A request to that address was not answered: the next one is used, and the
 * name is asked for soon.  False: it is not in use anymore, and this says
 * nothing new about the trunk. */
bool tsip_where_failed(struct tsip_trunk *t,
		       const struct sockaddr_storage *peer);

/* --- sip_names.c ---------------------------------------------------------------------- */

/* -EAGAIN: there is no thread.  look_up NULL: getaddrinfo(). */
MUST_CHECK int tsip_names_new(struct loop *l, tel_sip_lookup_h *look_up,
			      void *ctx, struct tsip_names **out);
/* From the loop, once, unless all is freed before. */
typedef void tsip_names_h(const struct sockaddr_storage *found, int count,
			  void *ctx);
void tsip_names_ask(struct tsip_names *n, const char *host, sa_family_t family,
		    tsip_names_h *done, void *ctx);
/* Waits at most TSIP_NAMES_END_S for a lookup under way; NULL is fine. */
void tsip_names_free(struct tsip_names *n);

/* --- sip_call.c ------------------------------------------------------------------------------ */

struct tsip_call *tsip_call_find(struct tel_sip *s, struct span call_id);
struct tsip_trace *tsip_call_trace(
	struct tsip_call *c); /* NULL: not asked for */
/* An offer in a re-INVITE or UPDATE: takes it, and the answer to it in `out`.
 * -EINVAL, -ENOTSUP as tsip_sdp_read(). */
MUST_CHECK int tsip_call_offer(struct tsip_call *c, struct span sdp, char *out,
			       size_t size);
/* May this 3xx be followed?  It is counted: TSIP_REDIRECTS_MAX. */
bool tsip_call_follows(struct tsip_call *c, const struct sip_msg *msg);
/* A BYE, before libre sees it: libre does not say what its Reason was. */
void tsip_call_bye(struct tsip_call *c, const struct sip_msg *msg);
/* A key by INFO (RFC 6086; application/dtmf-relay, application/dtmf). */
void tsip_call_info(struct tsip_call *c, const struct sip_msg *msg);
/* Those that were closed and wait for the pump alone: nothing comes anymore. */
void tsip_call_forget(struct tsip_trunk *t);
/* The trunk's tel driver. */
extern const struct tel_driver tsip_call_driver;
