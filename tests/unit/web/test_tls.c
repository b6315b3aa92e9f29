// SPDX-License-Identifier: Apache-2.0
/*
 * test_tls.c - HTTPS, served directly: which versions, and with whose key.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/test.h"
#include "unit/web/certificate.h"
#include "unit/web/fixture.h"

static struct {
	struct certificate files;
	struct web *web;
} tls;

static void on_hello(struct web_request *r, void *ctx)
{
	(void)ctx;
	fixture_say(r, 200, "hello");
}

static void on_later(struct web_request *r, void *ctx)
{
	struct span body = web_body(r);

	(void)ctx;
	web_defer(r);
	web_answer(r, &(struct web_answer){.status = 200, .body = body});
}

static const struct web_route routes[] = {
	{"GET", "/hello", on_hello, .slash = false},
	{"POST", "/later", on_later, .slash = false},
	{0}};

static int set_up(void **state)
{
	struct web_params params = {.listen = "127.0.0.1:0",
				    .threads = 1,
				    .routes = routes,
				    .trouble = fixture_trouble,
				    .tls_cert = tls.files.cert,
				    .tls_key = tls.files.key};
	struct diag d = {0};

	(void)state;
	certificate_make(&tls.files, "localhost", 1);
	if (web_start(&params, &tls.web, &d))
		fail_msg("%s", d.message);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	web_stop(tls.web);
	certificate_remove(&tls.files);
	return 0;
}

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	buf_add(ctx, p, size * n);
	return n;
}

/* With at most this version of TLS; the status, or 0. */
static long ask(long version, struct buf *out)
{
	CURL *c = curl_easy_init();
	char url[64];
	long status = 0;

	assert_non_null(c);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/hello",
		       web_port(tls.web));
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, 10L);
	(void)curl_easy_setopt(c, CURLOPT_SSLVERSION, version);
	/* what the library would refuse by itself, the server must refuse */
	(void)curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST,
			       "DEFAULT:@SECLEVEL=0");
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
	if (curl_easy_perform(c) == CURLE_OK)
		(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	return status;
}

TEST(it_speaks_tls_1_2_and_1_3)
{
	AUTO_BUF(said, 1024);

	assert_int_equal(ask(CURL_SSLVERSION_TLSv1_2 |
				     CURL_SSLVERSION_MAX_TLSv1_2,
			     &said),
			 200);
	assert_true(span_is(buf_view(&said), "hello"));
	assert_int_equal(ask(CURL_SSLVERSION_TLSv1_3, &said), 200);
}

TEST(bodies_and_late_answers_go_through_it)
{
	AUTO_BUF(said, 1 << 20);
	CURL *c = curl_easy_init();
	char *body = b_zero(1, WEB_BODY_MAX + 1);
	char url[64];

	memset(body, 'b', WEB_BODY_MAX);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/later",
		       web_port(tls.web));
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &said);
	for (int i = 0; i < 10; i++) {
		buf_reset(&said);
		assert_int_equal(curl_easy_perform(c), CURLE_OK);
		assert_true(span_is(buf_view(&said), body));
	}
	curl_easy_cleanup(c);
	free(body);
}

TEST(it_does_not_speak_what_is_older)
{
	AUTO_BUF(said, 1024);

	assert_int_equal(ask(CURL_SSLVERSION_TLSv1_0 |
				     CURL_SSLVERSION_MAX_TLSv1_1,
			     &said),
			 0);
}

TEST(a_key_that_is_none_is_told)
{
	struct web_params params = {.listen = "127.0.0.1:0",
				    .routes = routes,
				    .trouble = fixture_trouble,
				    .tls_cert = tls.files.cert,
				    .tls_key = tls.files.cert};
	struct web *second = NULL;
	struct diag d = {0};

	assert_int_equal(web_start(&params, &second, &d), -EINVAL);
	assert_null(second);
	assert_non_null(strstr(d.message, "the web server does not start"));
	params.tls_key = NULL;
	assert_int_equal(web_start(&params, &second, &d), -EINVAL);
	assert_string_equal(d.field, "tls_key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_speaks_tls_1_2_and_1_3),
		cmocka_unit_test(bodies_and_late_answers_go_through_it),
		cmocka_unit_test(it_does_not_speak_what_is_older),
		cmocka_unit_test(a_key_that_is_none_is_told),
	};

	return cmocka_run_group_tests_name("web/tls", tests, set_up, tear_down);
}
