// SPDX-License-Identifier: Apache-2.0
/*
 * client.c - web_fetch() over libcurl's easy interface.
 */
#include "web/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fetch {
	const struct web_ask *ask;
	CURL *curl;
	struct buf *body;
	struct buf line; /* the begun line of a stream */
	int ended;       /* line() has had enough */
};

static size_t give_lines(struct fetch *f, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			buf_byte(&f->line, (unsigned char)p[i]);
			continue;
		}
		if (f->line.err == 0 &&
		    f->ask->line(buf_view(&f->line), f->ask->ctx)) {
			f->ended = 1;
			return 0;
		}
		buf_reset(&f->line);
	}
	return n;
}

static size_t took(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	long status = 0;

	n *= size;
	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	if (f->ask->line && status == 200)
		return give_lines(f, p, n);
	buf_add(f->body, p, n);
	return f->body->err ? 0 : n;
}

static struct curl_slist *headers(const struct web_ask *ask)
{
	struct curl_slist *list = NULL;
	AUTO_BUF(text, 8192);

	list = curl_slist_append(list, "Expect:");
	if (ask->json)
		list = curl_slist_append(list,
					 "Content-Type: application/json");
	if (ask->token) {
		buf_printf(&text, "Authorization: Bearer %s", ask->token);
		if (!text.err)
			list = curl_slist_append(list, text.p);
	}
	return list;
}

static void set_up(struct fetch *f, struct curl_slist *list)
{
	const struct web_ask *ask = f->ask;
	CURL *c = f->curl;

	(void)curl_easy_setopt(c, CURLOPT_URL, ask->url);
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, ask->method);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			       (long)WEB_CLIENT_CONNECT_MS);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ask->timeout_ms);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, took);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	if (ask->json)
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, ask->json);
}

int web_fetch(const struct web_ask *ask, long *status, struct buf *body,
	      struct diag *d)
{
	struct fetch f = {.ask = ask, .body = body};
	struct curl_slist *list;
	CURLcode res;

	f.curl = curl_easy_init();
	if (!f.curl)
		return -ENOMEM;
	buf_init(&f.line, WEB_CLIENT_BODY_MAX);
	list = headers(ask);
	set_up(&f, list);
	res = curl_easy_perform(f.curl);
	if (res == CURLE_OK || f.ended)
		(void)curl_easy_getinfo(f.curl, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(list);
	curl_easy_cleanup(f.curl);
	buf_free(&f.line);
	if (res == CURLE_OK || f.ended)
		return 0;
	(void)diag_set(d, "%s: %s", ask->url, curl_easy_strerror(res));
	return res == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}
