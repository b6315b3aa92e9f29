// SPDX-License-Identifier: Apache-2.0
/*
 * polly_http.c - one signed request to Amazon Polly.
 *
 * libcurl signs (AWS Signature Version 4).  Of 7.88, which Debian 12 has: the
 * hash of the body is asked of us as a header, so that it is signed and sent;
 * and a header that is only to be left out ("Expect:") would be signed as if
 * it were sent, so there is none.
 *
 * The multi interface, because the program may stop in the middle of it.  No
 * proxy of the environment is heeded, and no redirect: what is sent is for the
 * one host that the settings name.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "speech/polly_priv.h"

enum {
	LOOK_MS = 50, /* how often the clock is asked */
	URL_BYTES = 512,
	HEADER_MAX = 8 << 10, /* a session's token has some kilobytes */
};

struct speech_polly_line {
	CURLM *multi;
};

struct speech_polly_line *speech_polly_line_new(void)
{
	struct speech_polly_line *l = b_zero(1, sizeof(*l));

	l->multi = curl_multi_init();
	return l;
}

void speech_polly_line_free(struct speech_polly_line *l)
{
	if (!l)
		return;
	if (l->multi)
		(void)curl_multi_cleanup(l->multi);
	free(l);
}

static size_t took(char *p, size_t size, size_t n, void *ctx)
{
	struct buf *to = ctx;

	buf_add(to, p, size * n);
	return to->err ? 0 : size * n;
}

static struct curl_slist *headers(const struct speech_polly *p,
				  const char *body)
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	char hex[2 * CRYPTO_HASH_BYTES + 1];
	struct buf line = {.max = HEADER_MAX};
	struct curl_slist *list =
		curl_slist_append(NULL, "Content-Type: application/json");

	crypto_sha256(body, strlen(body), hash);
	crypto_hex(hash, sizeof(hash), hex);
	buf_printf(&line, "x-amz-content-sha256: %s", hex);
	list = curl_slist_append(list, line.p);
	if (p->token && *p->token) {
		buf_reset(&line);
		buf_printf(&line, "x-amz-security-token: %s", p->token);
		if (!line.err)
			list = curl_slist_append(list, line.p);
	}
	if (line.p)
		crypto_wipe(line.p, line.n);
	buf_free(&line);
	return list;
}

static void set_up(CURL *c, const struct speech_polly *p, const char *body,
		   struct curl_slist *list, struct buf *answer)
{
	char url[URL_BYTES], scope[URL_BYTES];

	if (p->endpoint)
		(void)snprintf(url, sizeof(url), "%s/v1/speech", p->endpoint);
	else
		(void)snprintf(url, sizeof(url),
			       "https://polly.%s.amazonaws.com/v1/speech",
			       p->region);
	(void)snprintf(scope, sizeof(scope), "aws:amz:%s:polly", p->region);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_AWS_SIGV4, scope);
	(void)curl_easy_setopt(c, CURLOPT_USERNAME, p->key_id);
	(void)curl_easy_setopt(c, CURLOPT_PASSWORD, p->secret);
	(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT,
			       "voiceotp/" VOICEOTP_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, took);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
}

/* Until it is done, time is up, or the program stops. */
static int wait_for(CURLM *multi, const struct voice_limits *limits,
		    int64_t deadline, CURLcode *result)
{
	struct curl_waitfd stop = {.fd = limits->stop_fd,
				   .events = CURL_WAIT_POLLIN};
	int running = 1, left, ready;

	for (;;) {
		struct CURLMsg *m;

		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return -EIO;
		m = curl_multi_info_read(multi, &left);
		if (m && m->msg == CURLMSG_DONE) {
			*result = m->data.result;
			return 0;
		}
		if (clock_mono_ms(limits->clock) >= deadline)
			return -ETIMEDOUT;
		stop.revents = 0;
		if (curl_multi_poll(multi, &stop, limits->stop_fd >= 0, LOOK_MS,
				    &ready) != CURLM_OK)
			return -EIO;
		if (stop.revents)
			return -ECANCELED;
	}
}

static void keep(char to[POLLY_ERROR_BYTES], const char *from)
{
	/* "InvalidSsmlException:http://..." and "audio/pcm; ..." */
	size_t n = from ? strcspn(from, ":; ") : 0;

	if (n >= POLLY_ERROR_BYTES)
		n = POLLY_ERROR_BYTES - 1;
	memcpy(to, from ? from : "", n);
	to[n] = '\0';
}

static void read_head(CURL *c, struct speech_polly_answer *out)
{
	struct curl_header *h;
	char *type = NULL;

	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	(void)curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
	keep(out->type, type);
	if (curl_easy_header(c, "x-amzn-errortype", 0, CURLH_HEADER, -1, &h) ==
	    CURLHE_OK)
		keep(out->error, h->value);
}

static int judge(CURL *c, int err, CURLcode result,
		 struct speech_polly_answer *out, struct diag *d)
{
	if (err == -ETIMEDOUT)
		(void)diag_set(d, "did not answer in time");
	else if (err == -EIO)
		(void)diag_set(d, "could not be asked");
	if (err)
		return err;
	if (out->body.err) {
		(void)diag_set(d, "answered with more than %zu bytes",
			       out->body.max);
		return -EIO;
	}
	if (result != CURLE_OK) {
		(void)diag_set(d, "%s", curl_easy_strerror(result));
		return -EIO;
	}
	read_head(c, out);
	return 0;
}

int speech_polly_ask(struct speech_polly_line *l,
		     const struct speech_polly_question *q,
		     struct speech_polly_answer *out, struct diag *d)
{
	struct curl_slist *list = headers(q->polly, q->body);
	CURL *c = curl_easy_init();
	CURLcode result = CURLE_OK;
	int err = -EIO;

	out->status = 0;
	out->type[0] = out->error[0] = '\0';
	buf_reset(&out->body);
	if (c && l->multi) {
		set_up(c, q->polly, q->body, list, &out->body);
		if (curl_multi_add_handle(l->multi, c) == CURLM_OK) {
			err = wait_for(l->multi, q->limits, q->deadline,
				       &result);
			err = judge(c, err, result, out, d);
			(void)curl_multi_remove_handle(l->multi, c);
		}
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(list);
	return err;
}
