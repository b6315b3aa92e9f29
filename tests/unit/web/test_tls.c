// SPDX-License-Identifier: Apache-2.0
/*
 * test_tls.c - HTTPS, served directly: which versions, and with whose key.
 */
#include <curl/curl.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/test.h"
#include "unit/web/fixture.h"

enum { DAY_S = 24 * 3600, PATH_BYTES = 64 };

static struct {
	char dir[PATH_BYTES / 2], cert[PATH_BYTES], key[PATH_BYTES];
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

static void write_files(EVP_PKEY *key, X509 *cert)
{
	FILE *f = fopen(tls.key, "we");

	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
	f = fopen(tls.cert, "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	(void)fclose(f);
}

/* A certificate for 127.0.0.1, signed by itself. */
static void make_files(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S);
	(void)X509_set_pubkey(cert, key);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)"test", -1, -1,
					 0);
	(void)X509_set_issuer_name(cert, name);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	write_files(key, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static int set_up(void **state)
{
	struct web_params params = {.listen = "127.0.0.1:0",
				    .threads = 1,
				    .routes = routes,
				    .trouble = fixture_trouble,
				    .tls_cert = tls.cert,
				    .tls_key = tls.key};
	struct diag d = {0};

	(void)state;
	(void)snprintf(tls.dir, sizeof(tls.dir), "/tmp/voiceotp-tls-XXXXXX");
	assert_non_null(mkdtemp(tls.dir));
	(void)snprintf(tls.cert, sizeof(tls.cert), "%s/cert.pem", tls.dir);
	(void)snprintf(tls.key, sizeof(tls.key), "%s/key.pem", tls.dir);
	make_files();
	if (web_start(&params, &tls.web, &d))
		fail_msg("%s", d.message);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	web_stop(tls.web);
	(void)unlink(tls.cert);
	(void)unlink(tls.key);
	(void)rmdir(tls.dir);
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
				    .tls_cert = tls.cert,
				    .tls_key = tls.cert};
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
