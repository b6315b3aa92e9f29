// SPDX-License-Identifier: Apache-2.0
/*
 * stream.c - an answer that goes on: server-sent events.
 *
 * Any thread writes into a bounded buffer; the worker's libmicrohttpd reads
 * from it.  A reader callback that has nothing to give would be called again
 * at once, so it suspends its connection, and the next letter resumes it.  A
 * suspended connection does not notice that the other side hung up: the
 * worker's own epoll watches for that.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/web_priv.h"

enum { BLOCK_BYTES = 4 << 10 }; /* libmicrohttpd's piece of a chunked body */

struct web_stream {
	struct web_letter letter;
	atomic_uint refs; /* the caller's, the connection's, a letter's */
	struct web_worker *worker;
	web_closed_h *closed;
	void *ctx;
	/* the worker's thread */
	struct web_conn *conn;
	bool suspended;
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t told;
	struct buf waiting;
	size_t from; /* of `waiting`: what was read already */
	enum { OPEN, ENDED /* by its owner */, LOST /* by its reader */ } life;
	web_closed_h *drained; /* NULL: nobody waits for that */
	void *drained_ctx;
	bool telling; /* closed() or drained() is running */
	bool posted;
};

static void stream_free(struct web_stream *s)
{
	buf_free(&s->waiting);
	(void)pthread_cond_destroy(&s->told);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static void unref(struct web_stream *s)
{
	if (atomic_fetch_sub(&s->refs, 1) == 1)
		stream_free(s);
}

static bool full(const struct web_worker *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < w->web->count; i++)
		n += atomic_load_explicit(&w->web->workers[i].streams,
					  memory_order_relaxed);
	return n >= WEB_STREAMS_MAX;
}

int web_stream_open(struct web_request *r, const struct web_header_out *headers,
		    web_closed_h *closed, void *ctx, struct web_stream **out)
{
	struct web_worker *w = r->worker;
	struct web_stream *s;

	if (full(w))
		return -EAGAIN;
	s = b_zero(1, sizeof(*s));
	s->letter.kind = WEB_LETTER_STREAM;
	ll_init(&s->letter.link);
	atomic_init(&s->refs, 2);
	s->worker = w;
	s->closed = closed;
	s->ctx = ctx;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->told, NULL);
	buf_init(&s->waiting, WEB_STREAM_BUFFER_MAX);
	/* with a first piece of body the head leaves at once */
	buf_str(&s->waiting, ":\n\n");
	atomic_fetch_add_explicit(&w->streams, 1, memory_order_relaxed);
	if (web_answer_stream(r, s, headers, out))
		return 0;
	/* nobody else knows it; the request is still the caller's to answer */
	atomic_fetch_sub_explicit(&w->streams, 1, memory_order_relaxed);
	stream_free(s);
	return -ESHUTDOWN;
}

/* Under the lock: true if a letter must be posted, which then holds a ref. */
static bool wants_post(struct web_stream *s)
{
	if (s->posted)
		return false;
	s->posted = true;
	atomic_fetch_add(&s->refs, 1);
	return true;
}

static void make_room(struct web_stream *s)
{
	struct buf *b = &s->waiting;

	if (s->from == 0)
		return;
	memmove(b->p, b->p + s->from, b->n - s->from);
	b->n -= s->from;
	s->from = 0;
}

static void add_line(struct buf *b, const char *field, struct span value)
{
	assert(!value.n || !memchr(value.p, '\n', value.n));
	buf_str(b, field);
	buf_span(b, value);
	buf_byte(b, '\n');
}

void web_stream_event(struct web_stream *s, const char *id, const char *event,
		      struct span data)
{
	bool post = false;

	(void)pthread_mutex_lock(&s->lock);
	if (s->life == OPEN) {
		make_room(s);
		if (id)
			add_line(&s->waiting, "id: ", span_of(id));
		if (event)
			add_line(&s->waiting, "event: ", span_of(event));
		add_line(&s->waiting, "data: ", data);
		buf_byte(&s->waiting, '\n');
		post = wants_post(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (post)
		web_worker_post(s->worker, &s->letter);
}

void web_stream_close(struct web_stream *s)
{
	bool post;

	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	if (s->life == OPEN)
		s->life = ENDED;
	/* closed() may itself be what closes */
	while (s->telling && web_worker_here() != s->worker)
		(void)pthread_cond_wait(&s->told, &s->lock);
	/* with the connection gone there is nobody to tell, nor a worker */
	post = s->life == ENDED && wants_post(s);
	(void)pthread_mutex_unlock(&s->lock);
	if (post)
		web_worker_post(s->worker, &s->letter);
	unref(s);
}

/* --- the worker's side -------------------------------------------------------- */

static void resume(struct web_stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->conn->mhd);
}

/* With `telling` set; on return it is not. */
static void tell(struct web_stream *s, web_closed_h *what, void *ctx)
{
	what(ctx);
	(void)pthread_mutex_lock(&s->lock);
	s->telling = false;
	(void)pthread_cond_broadcast(&s->told);
	(void)pthread_mutex_unlock(&s->lock);
}

void web_stream_lost(struct web_stream *s)
{
	bool open;

	(void)pthread_mutex_lock(&s->lock);
	open = s->life == OPEN;
	s->telling = open;
	s->life = LOST;
	(void)pthread_mutex_unlock(&s->lock);
	if (open)
		tell(s, s->closed, s->ctx);
	resume(s);
}

/* Whoever waits for it is told that nothing waits any more. */
static void tell_drained(struct web_stream *s)
{
	web_closed_h *drained = NULL;

	(void)pthread_mutex_lock(&s->lock);
	if (s->life == OPEN && s->waiting.n == s->from)
		drained = KEEP(s->drained);
	s->telling = drained != NULL;
	(void)pthread_mutex_unlock(&s->lock);
	if (drained)
		tell(s, drained, s->drained_ctx);
}

void web_stream_when_drained(struct web_stream *s, web_closed_h *drained,
			     void *ctx)
{
	bool post = false;

	(void)pthread_mutex_lock(&s->lock);
	if (s->life == OPEN) {
		s->drained = drained;
		s->drained_ctx = ctx;
		post = wants_post(s);
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (post)
		web_worker_post(s->worker, &s->letter);
}

void web_stream_letter(struct web_letter *letter)
{
	struct web_stream *s = ll_entry(letter, struct web_stream, letter);
	bool slow;

	(void)pthread_mutex_lock(&s->lock);
	s->posted = false;
	slow = s->life == OPEN && s->waiting.err != 0;
	(void)pthread_mutex_unlock(&s->lock);
	if (slow)
		web_stream_lost(s);
	tell_drained(s);
	resume(s);
	unref(s);
}

void web_stream_ping(struct web_stream *s)
{
	(void)pthread_mutex_lock(&s->lock);
	if (s->life == OPEN && s->waiting.n == s->from) {
		make_room(s);
		buf_str(&s->waiting, ": ping\n\n");
	}
	(void)pthread_mutex_unlock(&s->lock);
	resume(s);
}

/* Under the lock. */
static ssize_t read_some(struct web_stream *s, char *to, size_t max)
{
	size_t n = s->waiting.n - s->from;

	if (s->life == LOST)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0)
		return s->life == ENDED ? MHD_CONTENT_READER_END_OF_STREAM : 0;
	if (n > max)
		n = max;
	memcpy(to, s->waiting.p + s->from, n);
	s->from += n;
	if (s->from == s->waiting.n) {
		buf_reset(&s->waiting);
		s->from = 0;
	}
	return (ssize_t)n;
}

static ssize_t on_read(void *cls, uint64_t at, char *to, size_t max)
{
	struct web_stream *s = cls;
	ssize_t n;

	(void)at;
	(void)pthread_mutex_lock(&s->lock);
	n = read_some(s, to, max);
	(void)pthread_mutex_unlock(&s->lock);
	if (n > 0) {
		web_conn_enter(s->conn, WEB_STREAMING);
		tell_drained(s);
	} else if (n == 0) {
		/* a letter that was posted since is opened after this turn */
		s->suspended = true;
		MHD_suspend_connection(s->conn->mhd);
	}
	return n;
}

struct MHD_Response *web_stream_response(struct web_stream *s,
					 struct web_conn *c)
{
	s->conn = c;
	web_conn_watch(c, true);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
						 on_read, s, NULL);
}

void web_stream_drop(struct web_stream *s)
{
	if (!s)
		return;
	atomic_fetch_sub_explicit(&s->worker->streams, 1, memory_order_relaxed);
	unref(s);
}
