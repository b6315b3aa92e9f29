// SPDX-License-Identifier: Apache-2.0
/*
 * request.c - one request: received whole, handled, released.
 *
 * libmicrohttpd calls web_on_request() first with the headers, then with
 * pieces of the body, then without any: only then is the handler called,
 * because 0.9.75 cannot answer during an upload.  A body that is too large is
 * read and thrown away up to a cap, so that its sender gets to read the answer.
 *
 * Two parties may know a request: its connection, and whoever carries it on
 * after web_defer().  The last one frees it.  What may be asked after that is
 * copied here, because the connection goes its own way once a deadline has
 * answered in the other's place.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "web/web_priv.h"

enum { BODY_KEPT_MAX = 8 << 10 }; /* memory of an idle connection */

static size_t aligned(size_t n)
{
	size_t unit = _Alignof(max_align_t);

	return (n + unit - 1) / unit * unit;
}

void *web_alloc(struct web_request *r, size_t n)
{
	size_t size = aligned(n ? n : 1);
	struct web_piece *piece;
	void *at;

	if (size <= sizeof(r->arena) - r->used) {
		at = r->arena + r->used;
		r->used += size;
		memset(at, 0, size);
		return at;
	}
	r->allocated += size;
	assert(r->allocated <= WEB_ALLOC_MAX);
	piece = b_zero(1, sizeof(*piece) + size);
	piece->next = r->pieces;
	piece->size = size;
	r->pieces = piece;
	return piece->bytes;
}

/* A6: what was asked or answered may have held a code, or its sound, and so may
 * what a handler kept of it.  The answer may lie in any of these. */
static void wipe(struct web_request *r)
{
	crypto_wipe(r->body.p, r->body.n);
	if (r->answer)
		crypto_wipe(r->answer, r->answer_n);
	crypto_wipe(r->arena, r->used);
	for (struct web_piece *p = r->pieces; p; p = p->next)
		crypto_wipe(p->bytes, p->size);
}

/* As new, but for the memory that it brings. */
static void renew(struct web_request *r)
{
	size_t keep = offsetof(struct web_request, pieces);
	struct buf body = r->body;

	wipe(r);
	while (r->pieces) {
		struct web_piece *next = r->pieces->next;

		free(r->pieces);
		r->pieces = next;
	}
	free(r->owned);
	memset(r, 0, keep);
	r->used = r->allocated = 0;
	r->body = body;
	if (r->body.cap > BODY_KEPT_MAX)
		buf_free(&r->body);
	buf_reset(&r->body);
}

struct web_request *web_request_new(struct web_conn *c)
{
	struct web_request *r = KEEP(c->spare);

	if (!r) {
		r = b_zero(1, sizeof(*r));
		buf_init(&r->body, WEB_BODY_MAX);
	}
	atomic_init(&r->refs, 1);
	atomic_init(&r->claimed, false);
	r->letter.kind = WEB_LETTER_ANSWER;
	ll_init(&r->letter.link);
	r->conn = c;
	r->worker = c->worker;
	memcpy(r->peer, c->peer, sizeof(r->peer));
	return r;
}

static void request_free(struct web_request *r)
{
	renew(r);
	buf_free(&r->body);
	free(r);
}

void web_request_unref(struct web_request *r)
{
	if (atomic_fetch_sub(&r->refs, 1) == 1)
		request_free(r);
}

/* The connection is done with it; alone with it, it keeps the memory. */
static void release(struct web_conn *c, struct web_request *r)
{
	c->request = NULL;
	r->conn = NULL;
	if (atomic_load(&r->refs) == 1 && !c->spare) {
		renew(r);
		atomic_init(&r->refs, 1);
		c->spare = r;
	} else {
		web_request_unref(r);
	}
}

void web_request_trouble(struct web_request *r, enum web_trouble t)
{
	const struct web_params *p = &r->worker->web->params;

	r->worker->troubled = r;
	p->trouble(r, t, p->ctx);
	r->worker->troubled = NULL;
	assert(r->answered);
}

/* --- libmicrohttpd's side --------------------------------------------------- */

static void refuse(struct web_request *r, enum web_trouble t)
{
	r->refused = true;
	r->trouble = t;
	r->body_max = 0;
}

void *web_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct web_worker *w = cls;
	struct web_conn *c =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
			->socket_context;
	struct web_request *r = web_request_new(c);

	atomic_fetch_add_explicit(&w->requests, 1, memory_order_relaxed);
	c->request = r;
	/* a NUL would end the text that it stands in, unseen */
	if (strlen(uri) > WEB_URL_MAX || strstr(uri, "%00"))
		refuse(r, WEB_BAD_REQUEST);
	return r;
}

/* Larger than may be drained, or its sender asks first: answer at once. */
static bool hopeless(struct web_request *r, struct MHD_Connection *mhd)
{
	const char *length = MHD_lookup_connection_value(
		mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t n = 0;

	if (!length)
		return false;
	if (span_uint(span_of(length), WEB_DRAIN_MAX, &n) != 0)
		return true;
	return n > r->body_max &&
	       MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
					   MHD_HTTP_HEADER_EXPECT) != NULL;
}

static enum MHD_Result turn_away(struct web_request *r, enum web_trouble t)
{
	r->handled = true;
	atomic_store(&r->claimed, true);
	web_request_trouble(r, t);
	return web_answer_queue(r);
}

static const char *keep_method(struct web_request *r, const char *method)
{
	const struct web_route *route = r->match.route;
	size_t n = strlen(method) + 1;

	if (route && strcmp(route->method, method) == 0)
		return route->method;
	return memcpy(web_alloc(r, n), method, n);
}

/* The headers are there. */
static enum MHD_Result begin(struct web_request *r, const char *url,
			     const char *method)
{
	struct web *web = r->worker->web;
	struct MHD_Connection *mhd = r->conn->mhd;
	size_t n = strlen(url);
	char *path;

	r->matched = true;
	if (!r->refused) {
		path = web_alloc(r, n + 1);
		memcpy(path, url, n + 1);
		r->path = span_make(path, n);
		web_routes_find(web->routes, method, r->path, &r->match);
	}
	r->method = keep_method(r, method);
	web_request_came(r);
	if (atomic_load(&web->stopping))
		refuse(r, WEB_OVERLOADED);
	else if (!r->refused && !r->match.allow)
		refuse(r, WEB_NOT_FOUND);
	else if (!r->refused && !r->match.route)
		refuse(r, WEB_METHOD_NOT_ALLOWED);
	if (!r->refused)
		r->body_max = r->match.route->body_max
				      ? r->match.route->body_max
				      : WEB_BODY_MAX;
	r->body.max = r->body_max;
	if (hopeless(r, mhd))
		return turn_away(r,
				 r->refused ? r->trouble : WEB_BODY_TOO_LARGE);
	/* a keep-alive connection may have waited long for this request */
	web_conn_enter(r->conn, WEB_RECEIVING);
	return MHD_YES;
}

static enum MHD_Result take(struct web_request *r, const char *p, size_t n)
{
	r->drained += n;
	if (r->drained > r->body_max)
		r->too_large = true;
	if (r->too_large)
		return r->drained > WEB_DRAIN_MAX ? MHD_NO : MHD_YES;
	buf_add(&r->body, p, n);
	return MHD_YES;
}

static void handle(struct web_request *r)
{
	const struct web_params *p = &r->worker->web->params;

	r->handled = true;
	r->handled_ms = r->worker->now_ms;
	if (r->refused || r->too_large) {
		atomic_store(&r->claimed, true);
		web_request_trouble(r, r->refused ? r->trouble
						  : WEB_BODY_TOO_LARGE);
		return;
	}
	r->match.route->handler(r, p->ctx);
	assert(r->answered || r->deferred);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are not ours */
enum MHD_Result web_on_request(void *cls, struct MHD_Connection *mhd,
			       const char *url, const char *method,
			       const char *version, const char *upload,
			       size_t *upload_n, void **con_cls)
{
	struct web_request *r = *con_cls;
	size_t n = *upload_n;

	(void)cls;
	(void)mhd;
	(void)version;
	if (!r->matched)
		return begin(r, url, method);
	if (n > 0) {
		*upload_n = 0;
		return take(r, upload, n);
	}
	if (!r->handled)
		handle(r);
	/* deferred, and now back, or answered at once */
	if (!r->deferred || r->answered)
		return web_answer_queue(r);
	return MHD_YES;
}

void web_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
		      enum MHD_RequestTerminationCode why)
{
	struct web_request *r = *con_cls;
	struct web_conn *c;

	(void)cls;
	(void)mhd;
	(void)why;
	if (!r)
		return;
	c = r->conn;
	*con_cls = NULL;
	if (r->stream) {
		web_conn_watch(c, false);
		web_stream_lost(r->stream);
		web_stream_drop(KEEP(r->stream));
	}
	release(c, r);
	web_conn_enter(c, WEB_RECEIVING);
}

/* --- what a handler may ask --------------------------------------------------- */

/* Headers and the query lie in the connection's memory: only its own thread
 * may look, and only as long as it is known to be there. */
static struct MHD_Connection *connection(const struct web_request *r)
{
	assert(web_worker_here() == r->worker && r->conn);
	return r->conn->mhd;
}

const char *web_method(const struct web_request *r)
{
	return r->method;
}

const char *web_path(const struct web_request *r)
{
	return r->path.p ? r->path.p : "";
}

struct span web_part(const struct web_request *r, unsigned i)
{
	assert(i < WEB_PATH_PARTS);
	return r->match.parts[i];
}

const char *web_header(const struct web_request *r, const char *name)
{
	return MHD_lookup_connection_value(connection(r), MHD_HEADER_KIND,
					   name);
}

const char *web_query(const struct web_request *r, const char *name)
{
	return MHD_lookup_connection_value(connection(r), MHD_GET_ARGUMENT_KIND,
					   name);
}

struct each {
	void (*call)(const char *name, const char *value, void *ctx);
	void *ctx;
};

static enum MHD_Result one_argument(void *cls, enum MHD_ValueKind kind,
				    const char *name, const char *value)
{
	const struct each *e = cls;

	(void)kind;
	e->call(name, value ? value : "", e->ctx);
	return MHD_YES;
}

void web_query_each(const struct web_request *r,
		    void (*each)(const char *name, const char *value,
				 void *ctx),
		    void *ctx)
{
	struct each e = {.call = each, .ctx = ctx};

	(void)MHD_get_connection_values(connection(r), MHD_GET_ARGUMENT_KIND,
					one_argument, &e);
}

struct span web_body(const struct web_request *r)
{
	return buf_view(&r->body);
}

const char *web_peer(const struct web_request *r)
{
	return r->peer;
}

const char *web_client(const struct web_request *r)
{
	return r->client;
}

bool web_is_secure(const struct web_request *r)
{
	return r->secure;
}
