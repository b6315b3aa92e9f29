// SPDX-License-Identifier: Apache-2.0
/*
 * remote.c - a running server, asked through its public API like by anybody.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/file.h"
#include "base/json.h"
#include "web/client.h"

#define DEFAULT_URL "http://127.0.0.1:8080"
#define DEV_TOKEN "var/dev.token"

int app_remote_find(struct app_remote *r)
{
	AUTO_BUF(text, APP_TOKEN_MAX - 1);
	struct span token;

	/* before there are threads */
	r->url = getenv("VOICEOTP_URL");     // NOLINT(concurrency-mt-unsafe)
	r->token = getenv("VOICEOTP_TOKEN"); // NOLINT(concurrency-mt-unsafe)
	if (!r->url || !*r->url)
		r->url = DEFAULT_URL;
	if (r->token && *r->token)
		return 0;
	if (file_read(DEV_TOKEN, &text)) {
		(void)fprintf(stderr,
			      "voiceotp: no token: set VOICEOTP_TOKEN "
			      "(`voiceotp key add` makes one); " DEV_TOKEN
			      " of a --dev server is not here\n");
		return -ENOENT;
	}
	token = span_trim(buf_view(&text));
	(void)snprintf(r->token_text, sizeof(r->token_text), "%.*s",
		       (int)token.n, token.p);
	r->token = r->token_text;
	return 0;
}

int app_remote_refused(long status, const struct buf *body)
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

int app_remote_senseless(void)
{
	(void)fprintf(stderr, "voiceotp: the server's answer makes no sense: "
			      "is it a voiceotp server?\n");
	return APP_FAILED;
}

int app_remote_ask(const struct app_remote *r, const char *method,
		   const char *path, const char *json, long *status,
		   struct buf *body)
{
	char url[APP_URL_MAX];
	struct diag d = {0};
	const struct web_ask ask = {.method = method,
				    .url = url,
				    .token = r->token,
				    .json = json,
				    .timeout_ms = APP_ANSWER_MS};

	(void)snprintf(url, sizeof(url), "%s%s", r->url, path);
	return web_fetch(&ask, status, body, &d) ? app_fail(NULL, &d)
						 : APP_FINE;
}

/* --- events ------------------------------------------------------------------------ */

struct reading {
	char event[48];
	app_event_h *happened;
	void *ctx;
	bool over;
};

/* One line of the event stream. */
static int line(struct span l, void *ctx)
{
	struct reading *e = ctx;

	if (l.n > 0 && l.p[l.n - 1] == '\r')
		l.n--;
	if (span_starts(l, "event:")) {
		l = span_trim(span_make(l.p + 6, l.n - 6));
		(void)snprintf(e->event, sizeof(e->event), "%.*s", (int)l.n,
			       l.p);
	} else if (span_starts(l, "data:")) {
		l = span_trim(span_make(l.p + 5, l.n - 5));
		e->over = e->happened(e->event, l, e->ctx);
	}
	return e->over;
}

int app_remote_follow(const struct app_remote *r, const char *path,
		      app_event_h *happened, void *ctx)
{
	AUTO_BUF(body, WEB_CLIENT_BODY_MAX);
	struct reading e = {.happened = happened, .ctx = ctx};
	char url[APP_URL_MAX];
	long status = 0;
	struct diag d = {0};
	const struct web_ask ask = {.method = "GET",
				    .url = url,
				    .token = r->token,
				    .timeout_ms = VERIFICATION_LIFE_MS +
						  APP_ANSWER_MS,
				    .line = line,
				    .ctx = &e};

	(void)snprintf(url, sizeof(url), "%s%s", r->url, path);
	if (web_fetch(&ask, &status, &body, &d))
		return app_fail(NULL, &d);
	if (status != 200)
		return app_remote_refused(status, &body);
	if (!e.over) {
		(void)fprintf(stderr,
			      "voiceotp: the server ended the event stream "
			      "before the call's end\n");
		return APP_FAILED;
	}
	return APP_FINE;
}
