// SPDX-License-Identifier: Apache-2.0
/*
 * answer.c - exactly one answer for each request, whoever gives it.
 *
 * An answer may come from any thread; who comes first has claimed the request,
 * and a later one (after a deadline, or after the server stopped) is dropped.
 * The thread that answers only copies and posts a letter: libmicrohttpd's
 * response is made by the worker, so a store that answers a batch of requests
 * is held up little.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/web_priv.h"

enum { BODY_IN_ARENA_MAX = 1 << 10 };

void web_defer(struct web_request *r)
{
	struct web_conn *c = r->conn;

	assert(web_worker_here() == r->worker && !r->deferred && !r->answered);
	r->deferred = true;
	atomic_fetch_add(&r->refs, 1);
	atomic_fetch_add_explicit(&r->worker->deferred, 1,
				  memory_order_relaxed);
	web_conn_enter(c, WEB_ANSWERING);
	/* Letters are opened after the handler has returned, so an answer that
	 * comes sooner than that resumes what is suspended already. */
	MHD_suspend_connection(c->mhd);
}

/* True: the answer is this caller's to give. */
static bool claim(struct web_request *r)
{
	struct web_worker *here = web_worker_here();

	if (here && here->troubled == r)
		return true;
	return !atomic_exchange(&r->claimed, true);
}

static const char *keep_text(struct web_request *r, const char *s)
{
	size_t n = s ? strlen(s) + 1 : 0;

	return s ? memcpy(web_alloc(r, n), s, n) : NULL;
}

static void keep_headers(struct web_request *r,
			 const struct web_header_out *from)
{
	size_t n = 0;

	while (from && from[n].name)
		n++;
	if (n == 0)
		return;
	r->headers = web_alloc(r, (n + 1) * sizeof(*r->headers));
	for (size_t i = 0; i < n; i++) {
		r->headers[i].name = keep_text(r, from[i].name);
		r->headers[i].value = keep_text(r, from[i].value);
	}
}

static void keep(struct web_request *r, const struct web_answer *a)
{
	r->status = a->status;
	r->grid_ms = a->grid_ms;
	r->type = keep_text(r, a->type);
	r->owned = a->owned;
	r->answer_n = a->body.n;
	if (a->owned)
		r->answer = a->owned + (a->body.p - a->owned);
	else if (a->body.n > BODY_IN_ARENA_MAX)
		r->answer = r->owned = b_copy(a->body.p, a->body.n);
	else if (a->body.n > 0)
		r->answer =
			memcpy(web_alloc(r, a->body.n), a->body.p, a->body.n);
	else
		r->answer = r->arena; /* not NULL; nothing is read */
	keep_headers(r, a->headers);
}

/* The request is answered; let its worker know. */
static void hand_in(struct web_request *r)
{
	struct web_worker *here = web_worker_here();

	if (here && here->troubled == r) {
		r->answered = true; /* the worker sees to the rest */
		return;
	}
	if (!r->deferred) {
		assert(here == r->worker);
		r->answered = true;
		return;
	}
	web_worker_post(r->worker, &r->letter);
	web_request_unref(r);
}

void web_answer(struct web_request *r, const struct web_answer *a)
{
	if (!claim(r)) {
		free(a->owned);
		assert(r->deferred);
		web_request_unref(r);
		return;
	}
	keep(r, a);
	hand_in(r);
}

bool web_answer_stream(struct web_request *r, struct web_stream *s,
		       const struct web_header_out *headers,
		       struct web_stream **out)
{
	if (!claim(r))
		return false;
	*out = s; /* before its reader may be told to be gone */
	r->status = MHD_HTTP_OK;
	r->type = "text/event-stream";
	r->stream = s;
	keep_headers(r, headers);
	hand_in(r);
	return true;
}

static void release(void *ctx)
{
	web_answer_resume(ctx);
}

void web_answer_hold(struct web_request *r)
{
	struct web_worker *w = r->worker;
	int64_t grid = r->grid_ms;

	if (!grid || atomic_load(&w->web->stopping))
		web_answer_resume(r);
	else
		timer_set(w->timers, &r->hold,
			  grid - (w->now_ms - r->handled_ms) % grid, release,
			  r);
}

void web_answer_resume(struct web_request *r)
{
	timer_stop(r->worker->timers, &r->hold);
	r->answered = true;
	atomic_fetch_sub_explicit(&r->worker->deferred, 1,
				  memory_order_relaxed);
	MHD_resume_connection(r->conn->mhd);
}

static struct MHD_Response *body_of(struct web_request *r)
{
	if (r->stream)
		return web_stream_response(r->stream, r->conn);
	/* r outlives the response: both end with the request */
	return MHD_create_response_from_buffer(r->answer_n, r->answer,
					       MHD_RESPMEM_PERSISTENT);
}

static void head_of(struct web_request *r, struct MHD_Response *response)
{
	const struct web *web = r->worker->web;

	if (r->type)
		(void)MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	for (const struct web_header_out *h = r->headers; h && h->name; h++)
		(void)MHD_add_response_header(response, h->name, h->value);
	if (r->refused && r->trouble == WEB_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					      r->match.allow);
	if (atomic_load_explicit(&web->quiet, memory_order_relaxed))
		(void)MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONNECTION, "close");
}

enum MHD_Result web_answer_queue(struct web_request *r)
{
	struct MHD_Response *response;
	enum MHD_Result rc;

	if (r->queued)
		return MHD_YES;
	r->queued = true;
	response = body_of(r);
	if (!response)
		return MHD_NO;
	head_of(r, response);
	atomic_fetch_add_explicit(&r->worker->by_class[r->status / 100 % 6], 1,
				  memory_order_relaxed);
	web_conn_enter(r->conn, r->stream ? WEB_STREAMING : WEB_SENDING);
	rc = MHD_queue_response(r->conn->mhd, r->status, response);
	MHD_destroy_response(response);
	return rc;
}
