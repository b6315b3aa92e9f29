// SPDX-License-Identifier: Apache-2.0
/*
 * web_priv.h - what the files of this room share.
 *
 * Each worker owns a daemon of libmicrohttpd, polled by the worker itself, and
 * all connections of that daemon: everything below belongs to the worker's
 * thread, except where it says otherwise.  From outside come only letters.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/timer.h"
#include "web/web.h"

enum {
	WEB_SEGMENTS_MAX = 8, /* of a path that a route may have */
	WEB_PEER_BYTES = 48,
	WEB_ARENA_BYTES = 2 << 10, /* the first piece; more is allocated */
	WEB_ALLOC_MAX = 1 << 20,   /* of one request, in all */
	WEB_IDLE_S = 30, /* libmicrohttpd's own, against half-dead readers */
	WEB_THREADS_MAX = 64,
	WEB_WORKERS_DEFAULT_MAX = 4,
};

/* --- routes --------------------------------------------------------------- */

struct web_routes;
struct web_match {
	const struct web_route *route; /* NULL: no such method */
	const char *allow;             /* of the path; NULL: no such path */
	struct span parts[WEB_PATH_PARTS];
};
/* -EINVAL: a pattern that cannot be; d says which. */
MUST_CHECK int web_routes_new(const struct web_route *routes,
			      struct web_routes **out, struct diag *d);
void web_routes_free(struct web_routes *r); /* NULL is fine */
void web_routes_find(const struct web_routes *r, const char *method,
		     struct span path, struct web_match *out);

/* --- connections ----------------------------------------------------------- */

/* What a connection waits for.  Each wait has one length, so a list in the
 * order of arrival is in the order of deadlines. */
enum web_phase {
	WEB_RECEIVING, /* a request; at its deadline the connection is shut */
	WEB_ANSWERING, /* deferred; then 503 */
	WEB_SENDING,   /* the answer; then shut */
	WEB_STREAMING, /* events; then a ping */
	WEB_PHASES
};

struct web_worker;

struct web_conn {
	struct link link; /* in its worker's list of the phase */
	enum web_phase phase;
	int64_t due_ms;
	struct web_worker *worker;
	struct MHD_Connection *mhd;
	int fd;
	bool watched;                /* for hanging up, while it streams */
	struct web_request *request; /* the one under way */
	struct web_request *spare;   /* its memory is used again */
	char peer[WEB_PEER_BYTES];
};

/* --- letters to a worker, from any thread ---------------------------------- */

enum web_letter_kind {
	WEB_LETTER_ANSWER,
	WEB_LETTER_STREAM,
	WEB_LETTER_SOCKET
};
struct web_letter {
	struct link link;
	enum web_letter_kind kind;
};

/* --- requests --------------------------------------------------------------- */

struct web_piece {
	struct web_piece *next;
	size_t size;
	max_align_t bytes[];
};

struct web_request {
	struct web_letter letter; /* when its answer is there */
	atomic_uint refs;    /* the connection's, and of who carries it on */
	atomic_bool claimed; /* somebody answers, or has */
	struct web_worker *worker;
	struct web_conn *conn;
	bool matched, handled, deferred, answered, queued;
	bool refused; /* with `trouble`, when it was received */
	bool too_large;
	enum web_trouble trouble;
	struct web_match match;
	const char *method;
	struct span path; /* terminated */
	char peer[WEB_PEER_BYTES], client[WEB_PEER_BYTES];
	bool secure; /* the client spoke https */
	struct buf body;
	size_t body_max, drained;
	int64_t handled_ms;
	struct timer hold; /* its answer waits for the grid */
	/* the answer, once claimed */
	unsigned status, grid_ms;
	const char *type;
	char *answer; /* in `owned`, or in the arena */
	size_t answer_n;
	char *owned;
	struct web_header_out *headers;
	struct web_stream *stream;
	/* memory that goes with it */
	struct web_piece *pieces;
	size_t used, allocated;
	_Alignas(max_align_t) char arena[WEB_ARENA_BYTES];
};

struct web_request *web_request_new(struct web_conn *c);
void web_request_unref(struct web_request *r); /* any thread */
/* For a request that must be answered by this room; claimed by the caller. */
void web_request_trouble(struct web_request *r, enum web_trouble t);
/* The answer is there: give it to libmicrohttpd. */
enum MHD_Result web_answer_queue(struct web_request *r);

/* A stream is the answer; false: too late for one. */
bool web_answer_stream(struct web_request *r, struct web_stream *s,
		       const struct web_header_out *headers,
		       struct web_stream **out);
/* The answer of a deferred request is there: its worker goes on with it, or
 * holds it back a little. */
void web_answer_resume(struct web_request *r);
void web_answer_hold(struct web_request *r);

/* libmicrohttpd's callbacks; cls is the worker. */
void *web_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result web_on_request(void *cls, struct MHD_Connection *mhd,
			       const char *url, const char *method,
			       const char *version, const char *upload,
			       size_t *upload_n, void **con_cls);
void web_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
		      enum MHD_RequestTerminationCode why);
void web_on_connection(void *cls, struct MHD_Connection *mhd,
		       void **socket_context,
		       enum MHD_ConnectionNotificationCode what);

/* The headers are there: who asked, and how (came.c). */
void web_request_came(struct web_request *r);

/* --- streams ----------------------------------------------------------------- */

struct MHD_Response *web_stream_response(struct web_stream *s,
					 struct web_conn *c);
void web_stream_letter(struct web_letter *letter); /* the worker got it */
void web_stream_ping(struct web_stream *s);
/* The reader is gone, or we stop: what waits goes out no more. */
void web_stream_lost(struct web_stream *s);
/* The connection is done with it; NULL is fine. */
void web_stream_drop(struct web_stream *s);

/* --- workers ------------------------------------------------------------------ */

struct web_worker {
	struct web *web;
	unsigned index;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	bool running; /* there is a thread to join */
	int epoll, wake;
	struct timers *timers; /* of answers that wait for their grid */
	struct link phases[WEB_PHASES];
	struct web_request *troubled; /* being answered by this room, now */
	struct link mine;             /* letters of this thread's own */
	bool adopted;                 /* libmicrohttpd took the connection */
	bool accepting;
	int64_t accept_again_ms; /* 0: not paused */
	int64_t now_ms;          /* of this turn */
	/* any thread, under the lock */
	pthread_mutex_t lock;
	struct link inbox;
	bool woken;
	/* any thread */
	atomic_uint conns;
	atomic_uint_fast64_t requests, by_class[6], deferred, streams;
};

struct web {
	struct web_params params;
	struct web_routes *routes;
	struct buf cert, key;
	int listener;
	unsigned port;
	unsigned count;
	atomic_bool quiet, stopping;
	struct web_worker *workers;
};

/* The worker whose thread this is, or NULL. */
struct web_worker *web_worker_here(void);
void web_worker_post(struct web_worker *w, struct web_letter *letter);
void web_conn_enter(struct web_conn *c, enum web_phase phase);
/* From epoll: the other side of a streaming connection hung up. */
void web_conn_watch(struct web_conn *c, bool on);

MUST_CHECK int web_worker_start(struct web_worker *w, struct diag *d);
void web_worker_wake(struct web_worker *w); /* any thread */
void web_worker_stop(struct web_worker *w); /* after web->stopping is set */
