// SPDX-License-Identifier: Apache-2.0
/*
 * sip.h - trunks: telephones that are reached by SIP.
 *
 * One libre instance lives on the line's thread and carries every trunk; each
 * trunk is a struct tel of its own.  Only the files tel/sip_*.c see libre, and
 * none of its objects leaves that thread.  Sound is the pump's.
 *
 * RFC 3261, 3264, 3326, 3581, 4028, 5806; what libre 1.1.0 lacks is
 * closed in here (ARCHITECTURE.md, "The telephone").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/loop.h"
#include "base/net.h"
#include "base/random.h"
#include "media/g711.h"
#include "media/pump.h"
#include "tel/tel.h"

struct tel_sip;

enum {
	TEL_SIP_TRUNKS_MAX = 14,
	TEL_SIP_FROMS_MAX = 32, /* caller ids of one trunk */
	TEL_SIP_URI_BYTES = 256,
	TEL_SIP_NAME_BYTES = 32,
	TEL_SIP_TRACE_MAX = 32 << 10, /* bytes kept of one call's signalling */
};

enum tel_sip_transport { TEL_SIP_UDP, TEL_SIP_TCP };

/* How a number stands in the request (C10). */
enum tel_sip_format {
	TEL_SIP_E164,     /* 14155550100 */
	TEL_SIP_PLUS,     /* +14155550100 */
	TEL_SIP_NATIONAL, /* without country_code, and national_prefix first */
};

enum tel_sip_redirects { TEL_SIP_NO_REDIRECTS, TEL_SIP_FOLLOW_REDIRECTS };

/* One trunk, as the settings say it.  Texts are "" where they are not set, and
 * are copied. */
struct tel_sip_trunk {
	const char *name;
	const char *host; /* an address, or a name to be resolved */
	unsigned port;    /* 0: the transport's */
	enum tel_sip_transport transport;
	const char *outbound_proxy;  /* "host:port" or "" */
	const char *user, *password; /* of its digest challenge */
	const char *const *from;     /* caller ids, E.164 */
	size_t from_count;
	const char *from_user, *from_domain; /* in place of the caller id's */
	enum tel_sip_format format;
	const char *prefix;          /* before a called number: a tech prefix */
	const char *country_code;    /* of TEL_SIP_NATIONAL, digits */
	const char *national_prefix; /* ... and what stands in its place: "0" */
	bool pai;     /* P-Asserted-Identity with the caller id (RFC 3325) */
	bool privacy; /* Privacy: id (RFC 3323) */
	enum tel_sip_redirects redirects;
	struct net_list sources; /* heard besides its own address (C5) */
	struct net_list media;   /* where its sound may come from (C6) */
	enum g711_codec codec;   /* offered first */
	unsigned keys;           /* of enum pump_keys, and: */
	bool info_keys;          /* keys by SIP INFO are heard too */
	unsigned calls_per_second, max_calls; /* 0: no limit */
	unsigned ping_ms; /* between OPTIONS; 0: none are sent */
};

enum tel_sip_why {
	TEL_SIP_ANSWERS,      /* up */
	TEL_SIP_ASKED,        /* 503 with Retry-After: until_ms */
	TEL_SIP_SILENT,       /* its pings stay unanswered */
	TEL_SIP_UNKNOWN,      /* its name does not resolve, and never did */
	TEL_SIP_UNAUTHORIZED, /* it refuses our credentials */
};
/* On the line's thread, whenever a trunk's state changes. */
struct tel_sip_news {
	const char *trunk;
	enum tel_state state;
	enum tel_sip_why why;
	int sip_code;
	int64_t rests_ms; /* TEL_SIP_ASKED: how long */
};
typedef void tel_sip_news_h(const struct tel_sip_news *news, void *ctx);

/* The addresses of a name, of `family` (AF_UNSPEC: any), without ports: how
 * many, at most max; 0 or less: it does not resolve.  On a thread of its own,
 * where it may block; one that has not returned a moment after tel_sip_free()
 * was called is left alone, and its ctx must stay. */
typedef int tel_sip_lookup_h(const char *host, sa_family_t family,
			     struct sockaddr_storage *out, int max, void *ctx);

struct tel_sip_params {
	struct loop *loop;
	struct rng *rng;
	struct pump *pump;
	const char *listen; /* "127.0.0.1:5060": a concrete address */
	const char
		*advertise; /* host[:port] that others see (C9); "" the same */
	const char *advertise_media; /* address in our SDP; "" the pump's */
	const char *media;           /* the pump's address */
	bool tcp; /* TCP besides UDP; set by any trunk that wants it */
	const struct tel_sip_trunk *trunks;
	size_t trunks_count;
	tel_sip_news_h *news;
	void *ctx;
	tel_sip_lookup_h *lookup; /* NULL: getaddrinfo() */
	void *lookup_ctx;
};
/*
 * -EADDRINUSE, -EADDRNOTAVAIL, -EINVAL: d says which setting.  The calling
 * thread need not be the line's; what follows "the line's" below is.  A trunk
 * whose host is a name is TEL_DOWN until that was looked up, and comes up by
 * itself.
 */
MUST_CHECK int tel_sip_new(const struct tel_sip_params *p, struct tel_sip **out,
			   struct diag *d);
/* In place of loop_run() on the line's thread, until loop_stop(). */
void tel_sip_run(struct tel_sip *s);
/* Tests: turn the loop and look at the sockets once, without waiting. */
bool tel_sip_turn(struct tel_sip *s);
void tel_sip_free(struct tel_sip *s); /* after its tels; NULL is fine */

/* Any thread: how many far ends have a call, or have not confirmed its end.  Who
 * stops the line earlier may leave one up whose BYE was lost. */
unsigned tel_sip_unsaid(const struct tel_sip *s);

/* The trunk's telephone, to be freed with tel_free() before the whole. */
struct tel *tel_sip_tel(struct tel_sip *s, size_t trunk);
/* Is `from` one of its caller ids?  NULL or "": no.  Any thread. */
bool tel_sip_may_show(const struct tel_sip_trunk *t, const char *from);

/* What `voiceotp trunk test` asks: one OPTIONS now; done() once on the line's
 * thread, sip_code 0 when nothing came (err says why; -ENOENT: its name does
 * not resolve). */
typedef void tel_sip_pinged_h(int err, int sip_code, const char *reason,
			      int64_t took_us, void *ctx);
void tel_sip_ping(struct tel_sip *s, size_t trunk, tel_sip_pinged_h *done,
		  void *ctx);

CLEANUP(tel_sip, tel_sip_free)
