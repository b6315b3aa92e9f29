// SPDX-License-Identifier: Apache-2.0
/*
 * call.c - `voiceotp call`: a verification through the API of a running
 * server, with its progress shown.
 *
 * It uses nothing but the public API, so it is also the smallest client that
 * follows a call by its events.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/json.h"
#include "web/client.h"

struct calling {
	struct app_remote server;
	char id[VERIFICATION_ID_BYTES];
	bool json;
	/* what has been seen */
	bool approved, spoken;
};

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
	const char *to, *flow, *purpose, *client_ip, *locale, *send_digits;
};

static char *request_body(const struct wanted *w)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{"to", w->to},           {"flow", w->flow},
		{"purpose", w->purpose}, {"client_ip", w->client_ip},
		{"locale", w->locale},   {"send_digits", w->send_digits},
	};
	AUTO_JSON json_t *o = json_object();

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].value)
			(void)json_object_set_new(o, fields[i].name,
						  json_string(fields[i].value));
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
	    js_get_text(o, "code", 16, &code, NULL) || !*id)
		return app_remote_senseless();
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	say(c, "%s  calling from %s, valid until %s\n", id, from, expires);
	if (code)
		say(c, "type this code on the phone: %s\n", code);
	return APP_FINE;
}

static int create(struct calling *c, const struct wanted *w)
{
	AUTO_FREE char *json = request_body(w);
	AUTO_BUF(body, WEB_CLIENT_BODY_MAX);
	long status = 0;

	if (app_remote_ask(&c->server, "POST", "/v1/verifications", json,
			   &status, &body))
		return APP_FAILED;
	if (status != 201)
		return app_remote_refused(status, &body);
	return show_created(c, buf_view(&body));
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

static bool happened(const char *event, struct span data, void *ctx)
{
	struct calling *c = ctx;
	AUTO_JSON json_t *o = NULL;

	if (js_parse(data, &o, NULL))
		return false;
	if (c->json) {
		(void)printf("%.*s\n", (int)data.n, data.p);
		(void)fflush(stdout);
	}
	show(c, event, o);
	c->approved |= strcmp(event, "verification.approved") == 0;
	c->spoken |= strcmp(event, "call.spoken") == 0;
	return strcmp(event, "call.ended") == 0;
}

static int follow(struct calling *c)
{
	char path[APP_URL_MAX];

	(void)snprintf(path, sizeof(path), "/v1/verifications/%s/events",
		       c->id);
	if (app_remote_follow(&c->server, path, happened, c))
		return APP_FAILED;
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
		{.name = "--locale", .value = &w.locale},
		{.name = "--send-digits", .value = &w.send_digits},
		{.name = "--wait", .flag = &wait},
		{.name = "--json", .flag = &c.json},
		{0},
	};
	int res;

	if (!app_options("call", argc, argv, options, &w.to, 1))
		return APP_USAGE;
	if (!w.to)
		return app_usage("call", "which number?");
	if (app_remote_find(&c.server))
		return APP_FAILED;
	res = create(&c, &w);
	if (res == APP_FINE && wait)
		res = follow(&c);
	return res;
}
