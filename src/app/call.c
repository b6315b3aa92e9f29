// SPDX-License-Identifier: Apache-2.0
/*
 * call.c - `voiceotp call`: a verification through the API of a running
 * server, with its progress shown.
 *
 * It uses nothing but the public API, so it is also the smallest client that
 * follows a call by its events.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/file.h"
#include "base/json.h"
#include "web/client.h"

#define DEFAULT_URL "http://127.0.0.1:8080"
#define DEV_TOKEN "var/dev.token"

enum { ANSWER_MS = 30000, TOKEN_MAX = 512, URL_MAX = 1024 };

struct calling {
	const char *url, *token;
	char token_text[TOKEN_MAX], id[VERIFICATION_ID_BYTES];
	bool json;
	/* of the event being read */
	char event[48];
	/* what has been seen */
	bool ended, approved, spoken, final;
};

static int find_server(struct calling *c)
{
	AUTO_BUF(text, TOKEN_MAX - 1);
	struct span token;

	/* before there are threads */
	c->url = getenv("VOICEOTP_URL");     // NOLINT(concurrency-mt-unsafe)
	c->token = getenv("VOICEOTP_TOKEN"); // NOLINT(concurrency-mt-unsafe)
	if (!c->url || !*c->url)
		c->url = DEFAULT_URL;
	if (c->token && *c->token)
		return 0;
	if (file_read(DEV_TOKEN, &text)) {
		(void)fprintf(stderr,
			      "voiceotp: no token: set VOICEOTP_TOKEN "
			      "(`voiceotp key add` makes one); " DEV_TOKEN
			      " of a --dev server is not here\n");
		return -ENOENT;
	}
	token = span_trim(buf_view(&text));
	(void)snprintf(c->token_text, sizeof(c->token_text), "%.*s",
		       (int)token.n, token.p);
	c->token = c->token_text;
	return 0;
}

/* A problem document, as a sentence. */
static int refused(long status, const struct buf *body)
{
	AUTO_JSON json_t *o = NULL;
	const char *code = "", *detail = "", *field = "";

	if (js_parse(buf_view(body), &o, NULL) == 0) {
		if (js_get_text(o, "code", 64, &code, NULL) ||
		    js_get_text(o, "detail", 512, &detail, NULL) ||
		    js_get_text(o, "field", 128, &field, NULL))
			detail = "the answer makes no sense";
	}
	(void)fprintf(stderr, "voiceotp: refused (%ld%s%s)%s%s: %s\n", status,
		      *code ? " " : "", code, *field ? " " : "", field, detail);
	return APP_FAILED;
}

static void say(const struct calling *c, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
static void say(const struct calling *c, const char *fmt, ...)
{
	va_list ap;

	if (c->json)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)fflush(stdout);
}

/* --- creating ------------------------------------------------------------------ */

struct wanted {
	const char *to, *flow, *purpose, *client_ip;
};

static char *request_body(const struct wanted *w)
{
	AUTO_JSON json_t *o = json_object();

	(void)json_object_set_new(o, "to", json_string(w->to));
	if (w->flow)
		(void)json_object_set_new(o, "flow", json_string(w->flow));
	(void)json_object_set_new(o, "purpose", json_string(w->purpose));
	if (w->client_ip)
		(void)json_object_set_new(o, "client_ip",
					  json_string(w->client_ip));
	return js_text(o);
}

static int show_created(struct calling *c, struct span text)
{
	AUTO_JSON json_t *o = NULL;
	const char *id = "", *from = "", *expires = "", *code = NULL;

	if (js_parse(text, &o, NULL) ||
	    js_get_text(o, "id", sizeof(c->id) - 1, &id, NULL) ||
	    js_get_text(o, "from", 64, &from, NULL) ||
	    js_get_text(o, "expires_at", 64, &expires, NULL) ||
	    js_get_text(o, "code", 16, &code, NULL) || !*id) {
		(void)fprintf(stderr, "voiceotp: the server's answer makes no "
				      "sense: is it a voiceotp server?\n");
		return -EPROTO;
	}
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	say(c, "%s  calling from %s, valid until %s\n", id, from, expires);
	if (code)
		say(c, "type this code on the phone: %s\n", code);
	return 0;
}

static int create(struct calling *c, const struct wanted *w)
{
	AUTO_FREE char *json = request_body(w);
	AUTO_BUF(body, WEB_CLIENT_BODY_MAX);
	char url[URL_MAX];
	long status = 0;
	struct diag d = {0};
	const struct web_ask ask = {.method = "POST",
				    .url = url,
				    .token = c->token,
				    .json = json,
				    .timeout_ms = ANSWER_MS};

	(void)snprintf(url, sizeof(url), "%s/v1/verifications", c->url);
	if (web_fetch(&ask, &status, &body, &d))
		return app_fail(NULL, &d);
	if (status != 201)
		return refused(status, &body);
	return show_created(c, buf_view(&body)) ? APP_FAILED : APP_FINE;
}

/* --- following ------------------------------------------------------------------- */

static const struct {
	const char *event, *text;
} sentences[] = {
	{"call.dialing", "dialing"},
	{"call.ringing", "ringing"},
	{"call.forwarded", "forwarded to another number"},
	{"call.answered", "answered"},
	{"call.human", "a person pressed the three keys"},
	{"call.spoken", "the code was spoken, or asked for, to the end"},
	{"call.key_wrong", "wrong keys"},
	{"call.machine_suspected", "a machine, it seems"},
	{"verification.approved", "approved"},
	{"verification.failed", "failed: too many wrong codes"},
	{"verification.expired", "expired"},
	{"verification.canceled", "canceled"},
	{"verification.reported", "reported: the person did not ask for it"},
};

static void show(struct calling *c, const char *event, const json_t *data)
{
	const char *outcome = "unknown";
	json_t *call = NULL;

	if (strcmp(event, "call.ended") == 0) {
		if (js_get_object(data, "call", &call, NULL) ||
		    js_get_text(call, "outcome", 64, &outcome, NULL))
			outcome = "unknown";
		say(c, "call ended: %s\n", outcome);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(sentences); i++)
		if (strcmp(sentences[i].event, event) == 0)
			say(c, "%s\n", sentences[i].text);
}

static int happened(struct calling *c, struct span data)
{
	AUTO_JSON json_t *o = NULL;

	if (js_parse(data, &o, NULL))
		return 0;
	if (c->json) {
		(void)printf("%.*s\n", (int)data.n, data.p);
		(void)fflush(stdout);
	}
	show(c, c->event, o);
	c->approved |= strcmp(c->event, "verification.approved") == 0;
	c->spoken |= strcmp(c->event, "call.spoken") == 0;
	c->ended |= strcmp(c->event, "call.ended") == 0;
	c->final |= strncmp(c->event, "verification.", 13) == 0 &&
		    strcmp(c->event, "verification.created") != 0;
	return c->ended;
}

/* One line of the event stream. */
static int line(struct span l, void *ctx)
{
	struct calling *c = ctx;

	if (l.n > 0 && l.p[l.n - 1] == '\r')
		l.n--;
	if (span_starts(l, "event:")) {
		l = span_trim(span_make(l.p + 6, l.n - 6));
		(void)snprintf(c->event, sizeof(c->event), "%.*s", (int)l.n,
			       l.p);
		return 0;
	}
	if (span_starts(l, "data:"))
		return happened(c, span_trim(span_make(l.p + 5, l.n - 5)));
	return 0;
}

static int follow(struct calling *c)
{
	AUTO_BUF(body, WEB_CLIENT_BODY_MAX);
	char url[URL_MAX];
	long status = 0;
	struct diag d = {0};
	const struct web_ask ask = {.method = "GET",
				    .url = url,
				    .token = c->token,
				    .timeout_ms =
					    VERIFICATION_LIFE_MS + ANSWER_MS,
				    .line = line,
				    .ctx = c};

	(void)snprintf(url, sizeof(url), "%s/v1/verifications/%s/events",
		       c->url, c->id);
	if (web_fetch(&ask, &status, &body, &d))
		return app_fail(NULL, &d);
	if (status != 200)
		return refused(status, &body);
	if (!c->ended) {
		(void)fprintf(stderr,
			      "voiceotp: the server ended the event stream "
			      "before the call's end\n");
		return APP_FAILED;
	}
	return c->approved || c->spoken ? APP_FINE : APP_FAILED;
}

int app_call(int argc, char **argv)
{
	struct calling c = {0};
	/* not login: flow `keypad` proves too little for that (B5) */
	struct wanted w = {.purpose = "signup"};
	bool wait = false;
	const struct app_option options[] = {
		{.name = "--flow", .value = &w.flow},
		{.name = "--purpose", .value = &w.purpose},
		{.name = "--client-ip", .value = &w.client_ip},
		{.name = "--wait", .flag = &wait},
		{.name = "--json", .flag = &c.json},
		{0},
	};
	int res;

	if (!app_options("call", argc, argv, options, &w.to, 1))
		return APP_USAGE;
	if (!w.to)
		return app_usage("call", "which number?");
	if (find_server(&c))
		return APP_FAILED;
	res = create(&c, &w);
	if (res == APP_FINE && wait)
		res = follow(&c);
	return res;
}
