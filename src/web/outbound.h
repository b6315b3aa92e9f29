// SPDX-License-Identifier: Apache-2.0
/*
 * outbound.h - HTTP out for a server: many requests at once, to addresses that
 * others chose.
 *
 * A URL that came from outside is a way into the operator's own network.  So a
 * name is resolved once, every address that it has is looked at, and the
 * connection goes to one that was looked at; a redirect is an answer like any
 * other, and no proxy of the environment is heeded.  What is private,
 * loopback, link-local, multicast or otherwise not for everybody (RFC 6890; an
 * IPv4 address within an IPv6 one is taken for the IPv4 one) is refused unless
 * it is allowed by name or network.
 *
 * A name is refused when any of its addresses is: of an honest receiver every
 * address may be asked.
 *
 * One thread over libcurl's multi interface, and a few for names.  Nobody waits
 * for a slow receiver: what runs is bounded, in all and for each host, and hosts
 * take turns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/loop.h"
#include "base/span.h"

struct outbound;
struct outbound_call; /* one request, until it is done */

enum {
	OUTBOUND_URL_MAX = 2048,       /* bytes */
	OUTBOUND_BODY_MAX = 256 << 10, /* of a request */
	OUTBOUND_ANSWER_MAX = 2 << 20, /* of an answer (D7) */
	OUTBOUND_MS = 10 * 1000,       /* for the whole of it (D7) */
	OUTBOUND_CONNECT_MS = 3 * 1000,
	OUTBOUND_HEADERS_MAX = 32,
	OUTBOUND_ADDRESSES_MAX = 16,  /* of one name that are looked at */
	OUTBOUND_WAITING_MAX = 8192,  /* more is OUTBOUND_FULL */
	OUTBOUND_HELD_MAX = 64 << 20, /* bytes of bodies; the same */
	OUTBOUND_RUNNING_MAX = 256,
	OUTBOUND_RUNNING_PER_HOST = 16, /* to one host and port */
};

/* The addresses of a name, without ports: how many, at most max; 0 or less: it
 * does not resolve.  On a thread for names, where it may block; several names at
 * once, one name once. */
typedef int outbound_lookup_h(const char *host, struct sockaddr_storage *out,
			      int max, void *ctx);

struct outbound_params {
	/* Borrowed.  For took_ms alone: a limit of time on what comes over a
	 * network is the machine's own time. */
	struct clock *clock;
	/* Names of hosts ("hooks.internal"), addresses and networks
	 * ("10.0.0.0/8") that may be asked although they are not public. */
	const char *const *allow;
	size_t allow_count;
	const char *ca_file;       /* NULL: the system's */
	outbound_lookup_h *lookup; /* NULL: getaddrinfo() */
	void *lookup_ctx;
};

/* Is it one of those?  -EINVAL: d says why not. */
MUST_CHECK int outbound_rule(const char *text, struct diag *d);

/* -EINVAL: d says which of `allow` is nothing of the kind. */
MUST_CHECK int outbound_new(const struct outbound_params *params,
			    struct outbound **out, struct diag *d);
/* What has not been answered is done with OUTBOUND_CLOSED.  NULL is fine. */
void outbound_free(struct outbound *o);

/*
 * Could this ever be asked?  http or https, a host, no user in it, and no
 * literal address that is refused; a name is not resolved for that.  -EINVAL
 * with d in words for whoever wrote the URL.  Any thread; o may be NULL: then
 * nothing private is allowed.
 */
MUST_CHECK int outbound_check(const struct outbound *o, const char *url,
			      struct diag *d);

enum outbound_fault {
	OUTBOUND_ANSWERED,   /* `status` says how, redirects among it */
	OUTBOUND_BAD_URL,    /* or a method, header, body that cannot be sent */
	OUTBOUND_REFUSED,    /* an address that may not be asked */
	OUTBOUND_UNRESOLVED, /* the name has no address */
	OUTBOUND_UNREACHABLE,
	OUTBOUND_BAD_TLS, /* certificate, name or protocol */
	OUTBOUND_TIMEOUT,
	OUTBOUND_TOO_LARGE, /* more than answer_max */
	OUTBOUND_BROKEN,    /* it broke off, or is no HTTP */
	OUTBOUND_FULL,      /* OUTBOUND_WAITING_MAX wait already */
	OUTBOUND_CLOSED,
};
const char *outbound_fault_text(enum outbound_fault f); /* "timeout", ... */

struct outbound_header {
	const char *name, *value;
};
/* Copied; its copies are wiped afterwards. */
struct outbound_request {
	const char *method, *url;
	const struct outbound_header *headers; /* ended by { NULL }, or NULL */
	struct span body;
	/* From here to done, waiting included.  0: OUTBOUND_MS, also the most */
	int64_t timeout_ms;
	size_t answer_max; /* 0: OUTBOUND_ANSWER_MAX, the same */
};
struct outbound_answer { /* lives until done returns */
	enum outbound_fault fault;
	const char *why;  /* the fault in words, "" where there is none */
	unsigned status;  /* 0 without an answer */
	const char *type; /* Content-Type, "" where there is none */
	struct span body;
	int64_t took_ms;
};
typedef void outbound_done_h(const struct outbound_answer *a, void *ctx);

/*
 * Ask; any thread.  done comes once: on `loop`, never from inside this call; or
 * where loop is NULL on a thread of this room, where it must only hand over.
 * *out may be NULL.
 */
void outbound_send(struct outbound *o, const struct outbound_request *r,
		   struct loop *loop, outbound_done_h *done, void *ctx,
		   struct outbound_call **out);
/* On the loop's thread, before its done came: done does not come, and the
 * request is given up.  Also after outbound_free().  Not where loop was NULL.
 * NULL is fine. */
void outbound_cancel(struct outbound_call *c);

/* What was asked and is neither of the others was given up, or still is. */
struct outbound_stats {
	uint64_t asked, answered, failed, refused;
	uint64_t waiting, running; /* now */
};
void outbound_stats(const struct outbound *o, struct outbound_stats *out);

CLEANUP(outbound, outbound_free)
