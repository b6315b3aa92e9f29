// SPDX-License-Identifier: Apache-2.0
/*
 * phone.c - the page that is a telephone, over HTTP.
 *
 * A request is believed when it names this server (a rebound name does not),
 * comes from a page of ours (another origin's does not), and carries the cookie
 * that a one-time token was exchanged for.  What it may do to a call is the
 * telephone's to say: it knows whose call it is.
 *
 * Locks: a stream's own is taken before the telephone's, never after; the
 * telephone holds its lock while it sends, so sending takes none of ours.
 */
#include "api/phone.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum {
	PHONE_FILE_MAX = 256 << 10,
	PHONE_COOKIES_MAX = 64, /* browsers that may be the phone; then the
				   oldest has to use a new link */
	PHONE_SECRET_BYTES = 16,
	PHONE_SECRET_TEXT = 2 * PHONE_SECRET_BYTES + 1,
	PHONE_ORIGIN_BYTES = 256,
	PHONE_BODY_MAX = 1024,
	PHONE_WAV_MAX = 2 << 20, /* PLAYLIST_MS_MAX of it, and a header */
	PHONE_PATH_MAX = 512,
};

#define PHONE_COOKIE "voiceotp_phone"

struct page_file {
	const char *path, *name, *type;
	struct buf text;
};

struct api_phone {
	struct api_phone_params params;
	struct page_file files[3];
	pthread_mutex_t lock; /* guards what follows */
	char origin[PHONE_ORIGIN_BYTES];
	char token[PHONE_SECRET_TEXT];
	char cookies[PHONE_COOKIES_MAX][PHONE_SECRET_TEXT];
	size_t next_cookie;
};

/* A page's event stream, from its opening to its close. */
struct phone_stream {
	struct tel_browser *browser;
	struct web_stream *web;
	char page[TEL_BROWSER_ID_BYTES];
	pthread_mutex_t lock;
	bool open;     /* `web` is ours to close */
	bool attached; /* the telephone sends here */
	bool closed;   /* on_closed() has been */
};

/* --- answers ------------------------------------------------------------- */

static const struct web_header_out headers_of_all[] = {
	{"Cache-Control", "no-store"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{NULL, NULL}};

static const struct web_header_out headers_of_pages[] = {
	{"Cache-Control", "no-store"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; "
	 "connect-src 'self'; media-src 'self'; img-src 'self' data:; "
	 "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
	{NULL, NULL}};

static void answer(struct web_request *r, unsigned status)
{
	web_answer(r, &(struct web_answer){.status = status,
					   .headers = headers_of_all});
}

static void refuse(struct web_request *r, const char *code, const char *detail)
{
	api_problem(r, &(struct api_problem){.code = code, .detail = detail});
}

/* --- who asks ------------------------------------------------------------ */

static void lock(struct api_phone *p)
{
	int err = pthread_mutex_lock(&p->lock);

	assert(!err);
}

static void unlock(struct api_phone *p)
{
	int err = pthread_mutex_unlock(&p->lock);

	assert(!err);
}

static struct span without_port(struct span host)
{
	for (size_t i = host.n; i > 0; i--) {
		char c = host.p[i - 1];

		if (c == ':')
			return span_make(host.p, i - 1);
		if (c < '0' || c > '9')
			break;
	}
	return host;
}

/* "192.0.2.1" or "[2001:db8::1]": what a name server cannot move. */
static bool is_address(struct span host)
{
	char text[INET6_ADDRSTRLEN + 1];
	uint8_t address[sizeof(struct in6_addr)];
	int family = AF_INET;

	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = span_make(host.p + 1, host.n - 2);
		family = AF_INET6;
	}
	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(family, text, address) == 1;
}

/* Is `host` a name of this server?  Otherwise some name was made to point
 * here, and the page that asks is its owner's. */
static bool is_our_host(const char *origin, const char *host)
{
	const char *ours = strstr(origin, "://");
	struct span name;

	if (!ours || !host)
		return false;
	name = without_port(span_of(host));
	return strcmp(ours + 3, host) == 0 || span_is(name, "localhost") ||
	       is_address(name);
}

/* Does it come from a page of this very host, if it comes from a page?  A proxy
 * may ask under a host of its own: then the page is where others reach us. */
static bool is_our_page(const char *origin, const struct web_request *r)
{
	const char *from = web_header(r, "Origin");
	const char *site = web_header(r, "Sec-Fetch-Site");
	char ours[PHONE_ORIGIN_BYTES + 16];

	if (site && strcmp(site, "same-origin") != 0)
		return false;
	if (!from)
		return strcmp(web_method(r), "POST") != 0;
	(void)snprintf(ours, sizeof(ours), "%s://%s",
		       web_is_secure(r) ? "https" : "http",
		       web_header(r, "Host"));
	return strcmp(from, ours) == 0 || strcmp(from, origin) == 0;
}

/* `page`: it is a page or what belongs to it, which a link may lead to. */
static bool is_refused(struct api_phone *p, struct web_request *r, bool page)
{
	char origin[PHONE_ORIGIN_BYTES];

	if (!p) {
		refuse(r, "not_found", "there is no phone page here");
		return true;
	}
	lock(p);
	memcpy(origin, p->origin, sizeof(origin));
	unlock(p);
	if (!is_our_host(origin, web_header(r, "Host"))) {
		refuse(r, "wrong_origin",
		       "this server does not go by that name");
		return true;
	}
	if (!page && !is_our_page(origin, r)) {
		refuse(r, "wrong_origin", NULL);
		return true;
	}
	return false;
}

static bool is_known_cookie(struct api_phone *p, struct span value)
{
	bool known = false;

	if (value.n != PHONE_SECRET_TEXT - 1)
		return false;
	lock(p);
	for (size_t i = 0; i < PHONE_COOKIES_MAX; i++)
		known = (p->cookies[i][0] != '\0' &&
			 crypto_equal(p->cookies[i], value.p, value.n)) ||
			known;
	unlock(p);
	return known;
}

static bool has_session(struct api_phone *p, const struct web_request *r)
{
	struct span rest = span_of(web_header(r, "Cookie")), pair;

	while (span_cut(&rest, ';', &pair)) {
		struct span name, value = span_trim(pair);

		if (span_cut(&value, '=', &name) &&
		    span_is(name, PHONE_COOKIE) && is_known_cookie(p, value))
			return true;
	}
	return false;
}

/* As is_refused(), and without a session. */
static bool is_stranger(struct api_phone *p, struct web_request *r)
{
	if (is_refused(p, r, false))
		return true;
	if (has_session(p, r))
		return false;
	refuse(r, "no_phone_session", "open the link that the server printed");
	return true;
}

/* --- the page ------------------------------------------------------------ */

void api_phone_page(struct api_phone *p, struct web_request *r)
{
	if (is_refused(p, r, true))
		return;
	for (size_t i = 0; i < COUNT_OF(p->files); i++) {
		const struct page_file *f = &p->files[i];

		if (strcmp(web_path(r), f->path) != 0)
			continue;
		web_answer(r,
			   &(struct web_answer){.status = 200,
						.type = f->type,
						.body = buf_view(&f->text),
						.headers = headers_of_pages});
		return;
	}
	refuse(r, "not_found", "there is no such page");
}

/* --- the session --------------------------------------------------------- */

static void make_secret(struct api_phone *p, char text[PHONE_SECRET_TEXT])
{
	uint8_t secret[PHONE_SECRET_BYTES];

	rng_fill(p->params.rng, secret, sizeof(secret));
	crypto_hex(secret, sizeof(secret), text);
	crypto_wipe(secret, sizeof(secret));
}

/* An object of JSON with these members only, or NULL after an answer. */
static json_t *body_of(struct web_request *r, const char *const known[])
{
	struct span type = span_of(web_header(r, "Content-Type")), kind;
	struct span body = web_body(r);
	json_t *o;

	if (!span_cut(&type, ';', &kind) ||
	    !span_is(span_trim(kind), "application/json")) {
		refuse(r, "unsupported_media_type", NULL);
		return NULL;
	}
	if (body.n <= PHONE_BODY_MAX && js_parse(body, &o, NULL) == 0) {
		if (json_is_object(o) && !js_unknown(o, known))
			return o;
		json_decref(o);
	}
	refuse(r, "invalid_json", "the body is not what was expected");
	return NULL;
}

/* Use the token up: 0, with the next one and a cookie, if it is the one. */
static int exchange(struct api_phone *p, const char *token,
		    char cookie[PHONE_SECRET_TEXT],
		    char next[PHONE_SECRET_TEXT])
{
	int err = -EACCES;

	lock(p);
	if (strlen(token) == PHONE_SECRET_TEXT - 1 &&
	    crypto_equal(token, p->token, PHONE_SECRET_TEXT)) {
		make_secret(p, p->token);
		memcpy(next, p->token, PHONE_SECRET_TEXT);
		make_secret(p, cookie);
		memcpy(p->cookies[p->next_cookie], cookie, PHONE_SECRET_TEXT);
		p->next_cookie = (p->next_cookie + 1) % PHONE_COOKIES_MAX;
		err = 0;
	}
	unlock(p);
	return err;
}

static void answer_cookie(struct web_request *r, const char *cookie)
{
	struct web_header_out headers[COUNT_OF(headers_of_all) + 1];
	const char *from = web_header(r, "Origin");
	bool secure =
		web_is_secure(r) || (from && strncmp(from, "https:", 6) == 0);
	char text[256];

	(void)snprintf(text, sizeof(text),
		       PHONE_COOKIE
		       "=%s; Path=/phone; HttpOnly; SameSite=Strict%s",
		       cookie, secure ? "; Secure" : "");
	headers[0] = (struct web_header_out){"Set-Cookie", text};
	memcpy(headers + 1, headers_of_all, sizeof(headers_of_all));
	web_answer(r, &(struct web_answer){.status = 204, .headers = headers});
	crypto_wipe(text, sizeof(text));
}

/* {"token": "..."} makes this browser the phone; {} asks whether it is. */
void api_phone_session(struct api_phone *p, struct web_request *r)
{
	static const char *const known[] = {"token", NULL};
	char cookie[PHONE_SECRET_TEXT], next[PHONE_SECRET_TEXT];
	const char *token = NULL;
	AUTO_JSON json_t *o = NULL;

	if (is_refused(p, r, false))
		return;
	o = body_of(r, known);
	if (!o)
		return;
	if (js_get_text(o, "token", PHONE_SECRET_TEXT, &token, NULL) == 0 &&
	    token && exchange(p, token, cookie, next) == 0) {
		answer_cookie(r, cookie);
		p->params.link(next, p->params.ctx);
		crypto_wipe(cookie, sizeof(cookie));
		crypto_wipe(next, sizeof(next));
		return;
	}
	/* the link of before, opened again where it was used */
	if (!is_stranger(p, r))
		answer(r, 204);
}

/* --- events -------------------------------------------------------------- */

static void free_stream(struct phone_stream *s)
{
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static void on_event(const char *event, const char *json, void *ctx)
{
	const struct phone_stream *s = ctx;

	web_stream_event(s->web, NULL, event, span_of(json));
}

/* The page went away, at worst before its stream was known to be open: then
 * whoever opened it ends it. */
static void on_closed(void *ctx)
{
	struct phone_stream *s = ctx;
	bool open;

	(void)pthread_mutex_lock(&s->lock);
	if (s->attached)
		tel_browser_detach(s->browser, s->page, s);
	s->attached = false;
	s->closed = true;
	open = s->open;
	(void)pthread_mutex_unlock(&s->lock);
	if (open) {
		web_stream_close(s->web);
		free_stream(s);
	}
}

/* The stream is open; let the telephone use it, unless it is closed by now. */
static void attach(struct phone_stream *s)
{
	bool closed;

	(void)pthread_mutex_lock(&s->lock);
	closed = s->closed;
	s->open = true;
	if (!closed)
		s->attached = tel_browser_attach(s->browser, on_event, s,
						 s->page) == 0;
	if (!closed && !s->attached)
		web_stream_event(s->web, NULL, "full", span_of("{}"));
	(void)pthread_mutex_unlock(&s->lock);
	if (closed) {
		web_stream_close(s->web);
		free_stream(s);
	}
}

void api_phone_events(struct api_phone *p, struct web_request *r)
{
	const char *page;
	struct phone_stream *s;

	if (is_stranger(p, r))
		return;
	s = b_zero(1, sizeof(*s));
	s->browser = p->params.browser;
	(void)pthread_mutex_init(&s->lock, NULL);
	page = web_query(r, "page");
	(void)snprintf(s->page, sizeof(s->page), "%s", page ? page : "");
	if (web_stream_open(r, headers_of_all, on_closed, s, &s->web)) {
		free_stream(s);
		refuse(r, "overloaded", "too many pages are open");
		return;
	}
	attach(s);
}

/* --- calls --------------------------------------------------------------- */

static bool name_act(struct span name, enum tel_browser_act *act)
{
	static const struct {
		const char *name;
		enum tel_browser_act act;
	} table[] = {
		{"answer", TEL_BROWSER_ANSWER},
		{"decline", TEL_BROWSER_DECLINE},
		{"hangup", TEL_BROWSER_HANG_UP},
		{"key", TEL_BROWSER_KEY},
		{"played", TEL_BROWSER_PLAYED},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		if (span_is(name, table[i].name)) {
			*act = table[i].act;
			return true;
		}
	}
	return false;
}

static bool read_part(const struct web_request *r, unsigned i, char *out,
		      size_t n)
{
	struct span part = web_part(r, i);

	if (part.n >= n)
		return false;
	memcpy(out, part.p, part.n);
	out[part.n] = '\0';
	return true;
}

static int read_action(const json_t *o, const char **page,
		       struct tel_browser_action *a)
{
	int64_t play = 0, at_ms = 0;
	const char *key = "";
	int err = js_get_text(o, "page", TEL_BROWSER_ID_BYTES, page, NULL);

	if (!err)
		err = js_get_text(o, "key", 1, &key, NULL);
	if (!err)
		err = js_get_int(o, "play", 0, UINT32_MAX, &play, NULL);
	if (!err)
		err = js_get_int(o, "at_ms", 0, PLAYLIST_MS_MAX, &at_ms, NULL);
	if (err)
		return err;
	a->key = key[0];
	a->play = (uint32_t)play;
	a->at_ms = (unsigned)at_ms;
	return *page ? 0 : -EINVAL;
}

static void answer_act(struct web_request *r, int err)
{
	switch (err) {
	case 0:
		answer(r, 204);
		return;
	case -ENOENT:
		refuse(r, "not_found", "there is no such call");
		return;
	case -EAGAIN:
		refuse(r, "rate_limited", "keys come too fast");
		return;
	default:
		refuse(r, "conflict", "the call is not there yet, or past it");
	}
}

void api_phone_act(struct api_phone *p, struct web_request *r)
{
	static const char *const known[] = {"page", "key", "play", "at_ms",
					    NULL};
	struct tel_browser_action a = {0};
	char call[TEL_BROWSER_ID_BYTES];
	const char *page = NULL;
	AUTO_JSON json_t *o = NULL;

	if (is_stranger(p, r))
		return;
	o = body_of(r, known);
	if (!o)
		return;
	if (read_action(o, &page, &a)) {
		refuse(r, "invalid_json", "the body is not what was expected");
		return;
	}
	if (!name_act(web_part(r, 1), &a.act) ||
	    !read_part(r, 0, call, sizeof(call)))
		answer_act(r, -ENOENT);
	else
		answer_act(r,
			   tel_browser_do(p->params.browser, page, call, &a));
}

void api_phone_sound(struct api_phone *p, struct web_request *r)
{
	AUTO_BUF(wav, PHONE_WAV_MAX);
	char call[TEL_BROWSER_ID_BYTES];
	uint64_t play = 0;
	const char *page;

	if (is_stranger(p, r))
		return;
	page = web_query(r, "page");
	if (!page || !read_part(r, 0, call, sizeof(call)) ||
	    span_uint(web_part(r, 1), UINT32_MAX, &play) ||
	    tel_browser_sound(p->params.browser, page, call, (uint32_t)play,
			      &wav)) {
		refuse(r, "not_found", "there is no such sound");
		return;
	}
	/* not owned: a code's sound is wiped here as soon as it was copied */
	web_answer(r, &(struct web_answer){.status = 200,
					   .type = "audio/wav",
					   .body = buf_view(&wav),
					   .headers = headers_of_all});
	crypto_wipe(wav.p, wav.n);
}

/* --- making it ----------------------------------------------------------- */

static int read_file(const char *dir, struct page_file *f, struct diag *d)
{
	char path[PHONE_PATH_MAX];
	char why[96];
	int err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, f->name) >=
	    (int)sizeof(path))
		return diag_set(d, "%s: the path is too long", dir);
	buf_init(&f->text, PHONE_FILE_MAX);
	err = file_read(path, &f->text);
	if (err)
		(void)diag_set(d, "%s: %s", path,
			       strerror_r(-err, why, sizeof(why)));
	return err;
}

int api_phone_new(const struct api_phone_params *params, struct api_phone **out,
		  struct diag *d)
{
	static const struct page_file files[] = {
		{.path = "/phone",
		 .name = "index.html",
		 .type = "text/html; charset=utf-8"},
		{.path = "/phone/phone.js",
		 .name = "phone.js",
		 .type = "text/javascript; charset=utf-8"},
		{.path = "/phone/phone.css",
		 .name = "phone.css",
		 .type = "text/css; charset=utf-8"},
	};
	AUTO(api_phone) *p = b_zero(1, sizeof(*p));
	int err = pthread_mutex_init(&p->lock, NULL);

	assert(!err);
	p->params = *params;
	p->params.dir = NULL; /* not ours to keep */
	p->params.origin = NULL;
	memcpy(p->files, files, sizeof(files));
	for (size_t i = 0; !err && i < COUNT_OF(p->files); i++)
		err = read_file(params->dir, &p->files[i], d);
	if (err)
		return err;
	api_phone_set_origin(p, params->origin);
	make_secret(p, p->token);
	params->link(p->token, params->ctx);
	*out = KEEP(p);
	return 0;
}

void api_phone_free(struct api_phone *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < COUNT_OF(p->files); i++)
		buf_free(&p->files[i].text);
	(void)pthread_mutex_destroy(&p->lock);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

void api_phone_set_origin(struct api_phone *p, const char *origin)
{
	lock(p);
	(void)snprintf(p->origin, sizeof(p->origin), "%s", origin);
	unlock(p);
}
