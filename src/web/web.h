// SPDX-License-Identifier: Apache-2.0
/*
 * web.h - HTTP in: requests come to handlers, answers go back, from any thread.
 *
 * Over libmicrohttpd with epoll and a pool of workers.  No web thread ever
 * waits: a handler that has its answer answers; one that has not defers first,
 * and whoever learns the answer gives it, once, from any thread.  This room
 * keeps the limits (D6) and a deadline for every request; it has no opinion on
 * what is said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/net.h"
#include "base/span.h"

struct web;         /* a server */
struct web_request; /* one request, until it is answered */
struct web_stream;  /* an answer that goes on: server-sent events */

enum {
	WEB_BODY_MAX = 64 << 10, /* bytes; more is 413, also when chunked */
	WEB_DRAIN_MAX = 1 << 20, /* read and thrown away before that answer */
	WEB_HEADERS_MAX = 16 << 10,
	WEB_URL_MAX = 4 << 10,
	WEB_PATH_PARTS = 4, /* `{}` in a pattern */
	WEB_FORM_MAX = 128, /* pairs of a form */
	WEB_CONNECTIONS_MAX = 4096,
	WEB_REQUEST_MS = 10000, /* to send a whole request, from the last answer
				 * or, with a body, from the headers */
	WEB_ANSWER_MS = 20000,  /* for us to answer a deferred one: then 503 */
	WEB_STREAMS_MAX = 1024,
	WEB_STREAM_BUFFER_MAX = 256 << 10, /* a slower reader is closed */
	WEB_PING_MS = 15000,               /* `: ping` in an idle stream */
};

typedef void web_handler_h(struct web_request *r, void *ctx);

struct web_route {
	const char *method; /* "GET", ...; HEAD is answered by GET's handler */
	/* "/v1/verifications/{}/check"; of a path, %2B and "+" are a plus */
	const char *pattern;
	web_handler_h *handler;
	/* 0: WEB_BODY_MAX */
	size_t body_max;
	bool slash; /* one "/" behind the path is as good */
};

/* Answers that this room must give by itself; the upper room words them. */
enum web_trouble {
	WEB_NOT_FOUND,
	WEB_METHOD_NOT_ALLOWED, /* Allow is added */
	WEB_BODY_TOO_LARGE,
	WEB_TIMED_OUT, /* deadline of a deferred request: 503 */
	WEB_OVERLOADED,
	WEB_BAD_REQUEST,
};

struct web_params {
	const char *listen; /* "127.0.0.1:8080", "[::1]:8080"; port 0: any */
	unsigned threads;   /* 0: one per core, at most 4 */
	const char *tls_cert, *tls_key; /* PEM files; NULL: plain HTTP */
	const struct web_route *routes; /* ended by { NULL }; borrowed */
	void (*trouble)(struct web_request *r, enum web_trouble t, void *ctx);
	struct clock *clock;
	void *ctx; /* for handlers and trouble */
	/* Proxies whose Forwarded (RFC 7239) and X-Forwarded-* are believed;
	 * NULL: nobody's are.  Borrowed. */
	const struct net_list *proxies;
};

/* -EADDRINUSE, -EACCES, -EINVAL...: d says it in words, with the address. */
MUST_CHECK int web_start(const struct web_params *params, struct web **out,
			 struct diag *d);
/* No new connections; requests under way may still be answered. */
void web_quiesce(struct web *w);
/* Streams end, what is deferred is answered as WEB_OVERLOADED, threads stop. */
void web_stop(struct web *w); /* NULL is fine */
unsigned web_port(const struct web *w);

/* --- the request; valid until answered ------------------------------------ */

const char *web_method(const struct web_request *r);
const char *web_path(const struct web_request *r); /* without query */
struct span web_part(const struct web_request *r, unsigned i); /* {} number i */
const char *web_header(const struct web_request *r,
		       const char *name);                             /* NULL */
const char *web_query(const struct web_request *r, const char *name); /* NULL */
/* Calls each(name, value) for every query argument; for refusing unknown ones. */
void web_query_each(const struct web_request *r,
		    void (*each)(const char *name, const char *value,
				 void *ctx),
		    void *ctx);
struct span web_body(const struct web_request *r);
const char *web_peer(
	const struct web_request *r); /* address as text, no port */
/* Who asked: the peer, or, where that is a proxy of ours, the last address that
 * no proxy of ours wrote down.  As text, no port. */
const char *web_client(const struct web_request *r);
/* Did the client speak https, to us or to a proxy of ours? */
bool web_is_secure(const struct web_request *r);
/* Calls each() for every pair of application/x-www-form-urlencoded text,
 * decoded.  -EINVAL: it is none, or holds a NUL or what is no UTF-8; -E2BIG:
 * more than WEB_FORM_MAX pairs.  each() returning not 0 ends it with that. */
typedef int web_pair_h(const char *name, const char *value, void *ctx);
MUST_CHECK int web_form(struct span text, web_pair_h *each, void *ctx);
/* For whoever carries the request on: memory that goes with it. */
void *web_alloc(struct web_request *r, size_t n); /* zeroed */

/* --- the answer ------------------------------------------------------------ */

struct web_header_out {
	const char *name, *value;
};
struct web_answer {
	unsigned status;
	const char *type; /* Content-Type; NULL: none */
	struct span body; /* copied, or handed over when `owned` is set */
	/* malloc()ed memory that body lies in; freed later */
	char *owned;
	const struct web_header_out
		*headers; /* ended by { NULL }; may be NULL */
	/* Of a deferred request: it leaves a multiple of grid_ms after it was
	 * handled, so that its time tells little of what was done.  0: at once. */
	unsigned grid_ms;
};
/* Exactly once for each request, from any thread. */
void web_answer(struct web_request *r, const struct web_answer *a);

/*
 * Before the request is handed to another thread; the handler then returns and
 * must not touch it unless it also gives the answer.  Who carries it on may ask
 * for method, path, parts, body and peer, and may web_alloc(); headers and the
 * query are the handler's alone.  The answer must come, even when it is too
 * late to be sent, because it ends the request's memory.
 */
void web_defer(struct web_request *r);

/*
 * Answer 200 with a text/event-stream.  The stream is the caller's until
 * web_stream_close(); closed(ctx) tells (on any thread, once) that the reader
 * went away or was too slow, after which writes are ignored.  A ping is sent
 * when idle.  closed() may run before this returns, and does not run after
 * web_stream_close() has returned, which waits for it: hold no lock there that
 * closed() takes.  -EAGAIN: WEB_STREAMS_MAX are open; -ESHUTDOWN: answered
 * meanwhile by a deadline or a stop.  The request is then still to be answered.
 */
typedef void web_closed_h(void *ctx);
MUST_CHECK int web_stream_open(struct web_request *r,
			       const struct web_header_out *headers,
			       web_closed_h *closed, void *ctx,
			       struct web_stream **out);
/* One event: id and event may be NULL; data is one line.  Any thread. */
void web_stream_event(struct web_stream *s, const char *id, const char *event,
		      struct span data);
/*
 * Once: drained(ctx), on a thread of this room, when all that was written has
 * been read; for writers who have more than WEB_STREAM_BUFFER_MAX.  Like
 * closed(), it does not run after web_stream_close() has returned; nor does it
 * after closed().
 */
void web_stream_when_drained(struct web_stream *s, web_closed_h *drained,
			     void *ctx);
void web_stream_close(struct web_stream *s); /* NULL is fine */

struct web_stats {
	uint64_t requests, answers_by_class[6];  /* [2] is 2xx */
	uint64_t connections, deferred, streams; /* now */
};
void web_stats(const struct web *w, struct web_stats *out);

CLEANUP(web, web_stop)
