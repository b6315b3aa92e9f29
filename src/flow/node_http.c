// SPDX-License-Identifier: Apache-2.0
/*
 * node_http.c - ask an application, before a call or in one.
 *
 * Where it asks is written out: a value may fill in the path, percent-encoded,
 * but never the scheme, the host or the port, so a drawing's author decides
 * whom this server talks to, and the checker can judge it.  No secret gets into
 * a request.  The host does the asking, with the time that the node gives it;
 * a belt of our own ends the run if the host never answers.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "flow/http_priv.h"
#include "flow/run_priv.h"

enum {
	HEADERS_MAX = 16,
	URL_MAX = 2048,
	HEADER_MAX = 1024, /* bytes of a value, filled in */
	TIMEOUT_MIN_MS = 100,
	TIMEOUT_MAX_MS = 10000,
	TIMEOUT_MS = 5000,
	BELT_MS = 5000, /* behind the timeout, which is the host's to keep */
	WHY_MAX = 160,
};
enum { GIVES_STATUS };

struct config {
	const char *method;
	struct flow_template *url;
	struct {
		const char *name;
		struct flow_template *value;
	} headers[HEADERS_MAX];
	size_t headers_count;
	struct flow_body *body; /* NULL: none */
	unsigned timeout_ms;
	bool sign;
	struct flow_script waiting;
};

struct state {
	const char *trigger; /* the answer is here; NULL: not yet */
};

/* --- the document ------------------------------------------------------------------- */

/* Scheme and authority: "https://host:8443" of "https://host:8443/x". */
static size_t origin(const char *url)
{
	const char *host = strstr(url, "://");

	if (!host)
		return 0;
	host += 3;
	return (size_t)(host - url) + strcspn(host, "/?#");
}

/* Is the beginning of the URL, up to the path at least, written out? */
static bool is_fixed(const struct flow_template *t)
{
	const char *first = t->count > 0 ? t->parts[0].literal : NULL;

	return first && (t->count == 1 || first[origin(first)] != '\0');
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static const char *judge_url(const struct flow_template *t)
{
	const char *first = t->parts[0].literal;

	if (!is_fixed(t))
		return "its scheme and host must be written out, up to the "
		       "first / of the path";
	if (strncasecmp(first, "https://", 8) != 0 &&
	    strncasecmp(first, "http://", 7) != 0)
		return "must begin with https:// or http://";
	if (memchr(first, '@', origin(first)))
		return "must not hold a user or a password";
	for (size_t i = 0; i < t->count; i++)
		if (t->parts[i].literal && !is_printable(t->parts[i].literal))
			return "must not hold blanks";
	return NULL;
}

static void parse_url(const struct flow_at *at, const json_t *config,
		      struct config *c)
{
	const struct flow_world *w = at->world;
	struct diag d = {0};
	const char *wrong;

	c->url = flow_template_at(at, config, "url", FLOW_PLACE_URL, true);
	if (!c->url)
		return;
	wrong = c->url->count > 0 ? judge_url(c->url) : "is empty";
	if (!wrong && w->check_url &&
	    w->check_url(c->url->parts[0].literal, w->ctx, &d))
		wrong = d.message;
	if (wrong)
		flow_find(at, "url", FLOW_IS_ERROR("bad_url"), "%s", wrong);
}

static void parse_method(const struct flow_at *at, const json_t *config,
			 struct config *c)
{
	static const char *const METHODS[] = {"POST", "GET", "PUT", "DELETE"};
	const char *method = flow_text(at, config, "method", 16, false);

	c->method = METHODS[0];
	if (!method)
		return;
	for (size_t i = 0; i < COUNT_OF(METHODS); i++) {
		if (strcmp(METHODS[i], method) == 0) {
			c->method = METHODS[i];
			return;
		}
	}
	flow_find(at, "method", FLOW_IS_ERROR("bad_value"),
		  "must be GET, POST, PUT or DELETE");
}

/* RFC 9110 5.6.2, token. */
static bool is_token(const char *name)
{
	static const char TOKEN[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789!#$%&'*+-.^_`|~";

	return *name && strspn(name, TOKEN) == strlen(name);
}

/* What the request itself says, and what its signature is made of. */
static bool is_ours(const char *name)
{
	static const char *const OURS[] = {"host",         "content-length",
					   "content-type", "connection",
					   "keep-alive",   "transfer-encoding",
					   "trailer",      "upgrade",
					   "expect"};

	for (size_t i = 0; i < COUNT_OF(OURS); i++)
		if (strcasecmp(OURS[i], name) == 0)
			return true;
	return strncasecmp(name, "webhook-", 8) == 0 ||
	       strncasecmp(name, "proxy-", 6) == 0;
}

static void parse_header(const struct flow_at *at, const json_t *headers,
			 const char *name, struct config *c)
{
	if (strnlen(name, FLOW_NAME_MAX + 1) > FLOW_NAME_MAX ||
	    !is_token(name) || is_ours(name)) {
		flow_find(at, name, FLOW_IS_ERROR("bad_value"),
			  "is no name of a header that a flow may set");
		return;
	}
	c->headers[c->headers_count].value =
		flow_template_at(at, headers, name, FLOW_PLACE_PLAIN, true);
	c->headers[c->headers_count++].name = flow_keep_text(at->flow, name);
}

static void parse_headers(const struct flow_at *at, const json_t *config,
			  struct config *c)
{
	json_t *headers = flow_object(at, config, "headers");
	struct flow_at list = flow_at_key(at, "headers");
	const char *name;
	json_t *v;

	if (json_object_size(headers) > HEADERS_MAX) {
		flow_find(at, "headers", FLOW_IS_ERROR("bad_range"),
			  "must have at most %d members", HEADERS_MAX);
		return;
	}
	json_object_foreach(headers, name, v)
		parse_header(&list, headers, name, c);
}

/* A phrase, or a speech. */
static void parse_waiting(const struct flow_at *at, const json_t *config,
			  struct config *c)
{
	static const struct flow_phrase_key PHRASE = {.key = "while_waiting"};

	if (json_is_object(json_object_get(config, PHRASE.key)))
		flow_speech_at(at, config, PHRASE.key, false, &c->waiting);
	else
		flow_phrases_at(at, config, &PHRASE, &c->waiting);
}

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"url",           "method",
					    "headers",       "body",
					    "timeout_ms",    "sign",
					    "while_waiting", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));

	at->node->config = c;
	flow_known(at, config, KNOWN);
	parse_url(at, config, c);
	parse_method(at, config, c);
	parse_headers(at, config, c);
	c->body = flow_body_at(at, config, "body");
	if (c->body && strcmp(c->method, "GET") == 0)
		flow_find(at, "body", FLOW_IS_ERROR("bad_value"),
			  "a GET has none");
	c->timeout_ms = (unsigned)flow_int(at, config, "timeout_ms",
					   (struct flow_range){TIMEOUT_MIN_MS,
							       TIMEOUT_MAX_MS,
							       TIMEOUT_MS});
	c->sign = flow_bool(at, config, "sign", false);
	parse_waiting(at, config, c);
}

/* --- asking -------------------------------------------------------------------------- */

/* A request with its parts filled in. */
struct request {
	struct buf url, body, values[HEADERS_MAX];
	struct flow_http_header headers[HEADERS_MAX + 1];
};

static void request_free(struct request *r)
{
	flow_run_wipe(&r->url);
	flow_run_wipe(&r->body);
	for (size_t i = 0; i < HEADERS_MAX; i++)
		flow_run_wipe(&r->values[i]);
}

/* A line's end in a value would begin another header. */
static void make_one_line(struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if ((unsigned char)b->p[i] < ' ' || b->p[i] == 0x7f)
			b->p[i] = ' ';
}

static int fill_in(struct flow_run *run, const struct config *c,
		   struct request *r)
{
	int err;

	buf_init(&r->url, URL_MAX);
	buf_init(&r->body, FLOW_BODY_MAX);
	err = flow_run_expand(run, c->url, &r->url);
	for (size_t i = 0; i < c->headers_count && !err; i++) {
		buf_init(&r->values[i], HEADER_MAX);
		err = flow_run_expand(run, c->headers[i].value, &r->values[i]);
		if (err)
			return err;
		make_one_line(&r->values[i]);
		r->headers[i] = (struct flow_http_header){c->headers[i].name,
							  r->values[i].p};
	}
	if (!err && c->body)
		err = flow_body_fill(run, c->body, &r->body);
	return err;
}

/* What it was asked may be a key: only where it went is shown. */
static void show_request(struct flow_run *run, const struct config *c,
			 const struct request *r)
{
	AUTO_BUF(where, URL_MAX);

	buf_add(&where, r->url.p, strcspn(r->url.p, "?#"));
	flow_run_in(run, "method", c->method, FLOW_SHOW_TEXT);
	flow_run_in(run, "url", where.p, FLOW_SHOW_TEXT);
}

static void leave(struct flow_run *run, const char *trigger)
{
	struct state *s = flow_run_state(run);

	s->trigger = trigger;
	flow_run_unwait(run);
	/* what sounds meanwhile is heard out */
	if (!flow_run_is_talking(run))
		flow_run_fire(run, trigger);
}

/* It was never asked. */
static void not_asked(struct flow_run *run, const char *why)
{
	flow_run_give_int(run, GIVES_STATUS, 0);
	flow_body_forget(run);
	flow_run_out_int(run, "status", 0);
	flow_run_out(run, "error", why, FLOW_SHOW_TEXT);
	leave(run, "client_error");
}

static void say_meanwhile(struct flow_run *run, const struct config *c)
{
	const struct flow_says says = {.script = &c->waiting};

	if (c->waiting.count > 0 && flow_run_is_up(run))
		flow_run_say(run, &says, 1);
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct request r = {0};
	int err = fill_in(run, c, &r);

	if (err) {
		not_asked(run, "a value does not fit");
	} else {
		const struct flow_http ask = {
			.method = c->method,
			.url = r.url.p,
			.headers = r.headers,
			.body = buf_view(&r.body),
			.type = c->body ? "application/json" : NULL,
			.timeout_ms = c->timeout_ms,
			.sign = c->sign,
		};

		show_request(run, c, &r);
		if (flow_run_http(run, &ask)) {
			flow_run_wait(run, (int64_t)c->timeout_ms + BELT_MS);
			say_meanwhile(run, c);
		} else {
			not_asked(run, "this server asks nobody");
		}
	}
	request_free(&r);
}

/* --- the answer ------------------------------------------------------------------------ */

static const char *trigger_of(const struct flow_http_answer *a)
{
	if (a->unasked)
		return "client_error"; /* and it would be the next time */
	if (a->status == 0)
		return a->timeout ? "timeout" : "server_error";
	if (a->status >= 200 && a->status < 300)
		return "ok";
	/* a redirect is not followed: its address was not judged */
	return a->status >= 500 ? "server_error" : "client_error";
}

static void take_answer(struct flow_run *run, const struct flow_http_answer *a)
{
	AUTO_BUF(why, WHY_MAX);

	flow_run_give_int(run, GIVES_STATUS, a->status);
	flow_run_out_int(run, "status", a->status);
	if (a->why && *a->why) {
		buf_add(&why, a->why, strnlen(a->why, WHY_MAX));
		flow_run_out(run, "error", why.p, FLOW_SHOW_TEXT);
	}
	flow_body_read(run, a->body);
	leave(run, trigger_of(a));
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	const struct state *s = flow_run_state(run);

	if (ev->what == FLOW_ANSWER && ev->http)
		take_answer(run, ev->http);
	else if (ev->what == FLOW_TIMER)
		flow_run_end(run, FLOW_FAILED);
	else if ((ev->what == FLOW_PLAYED || ev->what == FLOW_UNSAID) &&
		 s->trigger)
		flow_run_fire(run, s->trigger);
}

const struct flow_driver flow_http = {
	.type = "http",
	.triggers = (const char *const[]){"ok", "client_error", "server_error",
					  "timeout", NULL},
	.optional = (const char *const[]){"client_error", "server_error",
					  "timeout", NULL},
	.gives = (const struct flow_gives[]){{"status", "200", NULL},
					     {NULL, NULL, NULL}},
	.open = "body.",
	.open_on = "ok",
	.state_bytes = sizeof(struct state),
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
