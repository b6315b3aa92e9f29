// SPDX-License-Identifier: Apache-2.0
/*
 * sip_text.h - what a SIP call reads and writes besides SIP itself: digests,
 * SDP, and the headers that say why.
 *
 * Pure: any thread, no libre, nothing kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"
#include "media/pump.h"

enum {
	TSIP_SDP_MAX = 2048,      /* bytes of what we write */
	TSIP_REST_MS = 30 * 1000, /* a 503 whose Retry-After says nothing */
};

/* --- sip_auth.c ------------------------------------------------------------------------ */

struct tsip_digest { /* one challenge; texts point into the header */
	struct span realm, nonce, opaque, algorithm, qop;
	bool stale, proxy;
};
/*
 * The best challenge of a 401 or 407: SHA-256 before MD5, whatever the order;
 * -ENOENT: none that we can answer.  Pure.
 */
MUST_CHECK int tsip_digest_pick(struct span header, struct tsip_digest *best);
struct tsip_digest_ask {
	const char *user, *password, *method, *uri;
	struct span body; /* for qop auth-int alone */
	uint32_t nc;
	const char *cnonce;
};
/* The value of Authorization or Proxy-Authorization; -EOPNOTSUPP. */
MUST_CHECK int tsip_digest_answer(const struct tsip_digest *d,
				  const struct tsip_digest_ask *ask, char *out,
				  size_t size);

/* --- sip_sdp.c --------------------------------------------------------------------------- */

struct tsip_sdp_ours {
	const char *address; /* advertised */
	unsigned port;
	enum g711_codec first;
	bool both; /* the other codec is offered as well */
	unsigned ptime_ms;
	uint64_t session, version;
	enum tsip_sdp_direction {
		TSIP_SDP_SENDRECV,
		TSIP_SDP_SENDONLY,
		TSIP_SDP_RECVONLY,
		TSIP_SDP_INACTIVE
	} direction;
	bool events; /* telephone-event */
	/* Answering: what is answered, and what of it was agreed on (payload
	 * types as theirs says).  p NULL: this is an offer. */
	struct span offer;
	const struct pump_far *agreed;
};
/* The offer or answer, NUL-terminated; -E2BIG.  An answer has as many media as
 * the offer; all but the first audio that we take are refused. */
MUST_CHECK int tsip_sdp_write(const struct tsip_sdp_ours *o, char *out,
			      size_t size);
/* What theirs means for the pump; networks is not touched.  -EINVAL: no SDP;
 * -ENOTSUP: no audio that we have, or several media of which the audio is
 * refused (port 0).  Address 0.0.0.0: it holds us, and rtp is of no use. */
MUST_CHECK int tsip_sdp_read(struct span sdp, struct pump_far *far,
			     enum tsip_sdp_direction *theirs);
enum tsip_sdp_direction tsip_sdp_reply(enum tsip_sdp_direction theirs);

/* --- sip_cause.c --------------------------------------------------------------------------- */

/* Texts of headers.  Case does not matter. */
bool tsip_text_is(struct span s, const char *word);
/* As span_cut(), but a `sep` in quotes or angle brackets is none. */
bool tsip_text_cut(struct span *rest, char sep, struct span *item);
/* "name=value" among what `sep` parts; quotes are kept. */
bool tsip_text_param(struct span params, char sep, const char *name,
		     struct span *value);

/* Reason: Q.850;cause=16 (RFC 3326); 0: there is none.  Pure.  Several headers
 * of a name come joined by commas, here and below. */
int tsip_cause_q850(struct span reason);
/* Retry-After in ms; -1: no such header (p is NULL). */
int64_t tsip_cause_retry_ms(struct span header);
/* Does a History-Info or Diversion say that it was forwarded? */
bool tsip_cause_forwarded(struct span history_info, struct span diversion);
