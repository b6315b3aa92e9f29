// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_auth.c - digests: are they those of the RFCs, and is the best
 * challenge taken whatever the order?
 */
#include "tel/sip_text.h"

#include <errno.h>
#include <string.h>

#include "support/test.h"

enum { ANSWER_BYTES = 1024 };

/* RFC 7616 3.9.1 */
#define HTTP_REALM "realm=\"http-auth@example.org\", "
#define HTTP_REST                                                  \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", " \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
static const struct tsip_digest_ask mufasa = {
	.user = "Mufasa",
	.password = "Circle of Life",
	.method = "GET",
	.uri = "/dir/index.html",
	.nc = 1,
	.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
};

static struct tsip_digest pick(const char *header)
{
	struct tsip_digest d = {0};

	assert_int_equal(tsip_digest_pick(span_of(header), &d), 0);
	return d;
}

static void says(const char *header, const struct tsip_digest_ask *ask,
		 const char *part)
{
	struct tsip_digest d = pick(header);
	char out[ANSWER_BYTES];

	assert_int_equal(tsip_digest_answer(&d, ask, out, sizeof(out)), 0);
	if (!strstr(out, part))
		fail_msg("no %s in %s", part, out);
}

TEST(the_md5_example_of_the_rfc_comes_out)
{
	const char *challenge =
		"Digest " HTTP_REALM
		"qop=\"auth, auth-int\", algorithm=MD5, " HTTP_REST;

	says(challenge, &mufasa,
	     "response=\"8ca523f5e9506fed4657c9700eebdbec\"");
	says(challenge, &mufasa, "qop=auth, nc=00000001");
	says(challenge, &mufasa,
	     "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
}

TEST(the_sha256_example_of_the_rfc_comes_out)
{
	says("Digest " HTTP_REALM
	     "qop=\"auth, auth-int\", algorithm=SHA-256, " HTTP_REST,
	     &mufasa,
	     "response=\"753927fa0e85d155564e2e272a28d1802ca10daf449"
	     "6794697cf8db5856cb6c1\"");
}

TEST(a_challenge_without_qop_is_answered_as_rfc_2069_did)
{
	/* RFC 2069 2.4, with the response of its errata */
	struct tsip_digest_ask ask = mufasa;

	ask.password = "CircleOfLife";
	says("Digest realm=\"testrealm@host.com\", "
	     "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
	     "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	     &ask, "response=\"1949323746fe6a43ef61f9606e7febea\"");
}

TEST(auth_int_alone_is_answered_with_the_body)
{
	/* RFC 2617 3.2.2.3, by hand: H(A2) has H(body) behind the uri */
	struct tsip_digest_ask ask = mufasa;
	const char *challenge = "Digest " HTTP_REALM
				"qop=\"auth-int\", algorithm=MD5, " HTTP_REST;
	char one[ANSWER_BYTES], two[ANSWER_BYTES];
	struct tsip_digest d = pick(challenge);

	says(challenge, &ask, "qop=auth-int");
	assert_int_equal(tsip_digest_answer(&d, &ask, one, sizeof(one)), 0);
	ask.body = span_of("v=0");
	assert_int_equal(tsip_digest_answer(&d, &ask, two, sizeof(two)), 0);

	assert_string_not_equal(one, two);
}

TEST(sha256_is_taken_before_md5_whatever_the_order)
{
	const char *orders[] = {
		"Digest realm=\"a\", nonce=\"m\", algorithm=MD5, "
		"Digest realm=\"a\", nonce=\"s\", algorithm=SHA-256",
		"Digest realm=\"a\", nonce=\"s\", algorithm=sha-256,"
		"Digest realm=\"a\",nonce=\"m\"",
		"Basic realm=\"x\", Digest nonce=\"s\", realm=\"a\", "
		"algorithm=\"SHA-256\", Negotiate, "
		"Digest realm=\"a\", nonce=\"m\"",
	};

	for (size_t i = 0; i < COUNT_OF(orders); i++)
		assert_true(span_is(pick(orders[i]).nonce, "s"));
}

TEST(an_algorithm_that_we_lack_is_passed_over)
{
	struct tsip_digest d = pick(
		"Digest realm=\"a\", nonce=\"x\", algorithm=SHA-512-256, "
		"Digest realm=\"a\", nonce=\"m\", algorithm=MD5, stale=TRUE");

	assert_true(span_is(d.nonce, "m"));
	assert_true(d.stale);
}

TEST(what_cannot_be_answered_is_not_picked)
{
	const char *const none[] = {
		"",
		"Basic realm=\"a\"",
		"Digest realm=\"a\"",
		"Digest nonce=\"a\"",
		"Digest realm=\"a\", nonce=\"\"",
		"Digest realm=\"a\", nonce=\"b\", algorithm=SHA-512",
		"Digest realm=\"a\", nonce=\"b\", qop=\"token\"",
		"Digest realm=\"a\r\nVia: b\", nonce=\"b\"",
		"Digest realm=\"a\", nonce=b\"c",
		"Digest realm=\"a\", nonce=\"b\\",
		"realm=\"a\", nonce=\"b\"",
	};
	struct tsip_digest d = {.proxy = true};

	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(tsip_digest_pick(span_of(none[i]), &d),
				 -ENOENT);
	assert_true(d.proxy);
}

TEST(an_escaped_realm_is_hashed_bare_and_written_escaped)
{
	struct tsip_digest d =
		pick("Digest realm=\"a\\\"b\", nonce=\"n\", qop=\"auth\"");
	struct tsip_digest_ask ask = mufasa;
	char out[ANSWER_BYTES];

	ask.user = "o\"k";
	assert_int_equal(tsip_digest_answer(&d, &ask, out, sizeof(out)), 0);

	assert_non_null(strstr(out, "realm=\"a\\\"b\""));
	assert_non_null(strstr(out, "username=\"o\\\"k\""));
}

TEST(an_answer_that_does_not_fit_is_refused)
{
	struct tsip_digest d = pick("Digest realm=\"a\", nonce=\"n\"");
	char out[16];

	assert_int_equal(tsip_digest_answer(&d, &mufasa, out, sizeof(out)),
			 -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_md5_example_of_the_rfc_comes_out),
		cmocka_unit_test(the_sha256_example_of_the_rfc_comes_out),
		cmocka_unit_test(
			a_challenge_without_qop_is_answered_as_rfc_2069_did),
		cmocka_unit_test(auth_int_alone_is_answered_with_the_body),
		cmocka_unit_test(sha256_is_taken_before_md5_whatever_the_order),
		cmocka_unit_test(an_algorithm_that_we_lack_is_passed_over),
		cmocka_unit_test(what_cannot_be_answered_is_not_picked),
		cmocka_unit_test(
			an_escaped_realm_is_hashed_bare_and_written_escaped),
		cmocka_unit_test(an_answer_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("tel/sip_auth", tests, NULL, NULL);
}
