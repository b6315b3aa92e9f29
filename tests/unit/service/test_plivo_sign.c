// SPDX-License-Identifier: Apache-2.0
/* test_plivo_sign.c - signatures that Plivo's own clients accept: the vectors
 * of their tests. */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "service/plivo_sign.h"

static const char nonce[] = "31627761595286130198";
static const char token[] = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4";
static const char plain_url[] =
	"https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml";
static const char url_with_query[] =
	"https://plivobin.non-prod.plivops.com/api/v1/validate_signature03.xml"
	"/?a=b&c=d";

#define CALL "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36"
static const struct plivo_pair form[] = {
	{"Direction", "outbound"},
	{"From", "19792014278"},
	{"ALegUUID", CALL},
	{"ALegRequestUUID", CALL},
	{"CallUUID", CALL},
	{"RequestUUID", CALL},
	{"CallStatus", "in-progress"},
	{"BillRate", "0.002"},
	{"ParentAuthID", "MANWVLYTK4ZWU1YTY4QA"},
	{"To", "sip:PlivoSignature382029104058171078704104"
	       "@phone-qa.voice.plivodev.com"},
	{"SIP-H-To", "<sip:PlivoSignature382029104058171078704104"
		     "@52.9.11.55;transport=udp>;tag=1"},
	{"SessionStart", "2020-04-08 11:34:33.238707"},
	{"Event", "StartApp"},
};

static void signs(const char *method, const char *url, const char *expected)
{
	const struct plivo_signed what = {.method = method,
					  .url = url,
					  .form = form,
					  .form_count = COUNT_OF(form)};
	char out[PLIVO_SIGNATURE_BYTES];

	assert_int_equal(service_plivo_v3(span_of(token), &what, nonce, out),
			 0);
	assert_string_equal(out, expected);
}

TEST(version_2_agrees_with_its_vector)
{
	char out[PLIVO_SIGNATURE_BYTES];

	assert_int_equal(service_plivo_v2(span_of("my_auth_token"),
					  "https://answer.url", "12345", out),
			 0);
	assert_string_equal(out,
			    "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc=");
}

TEST(version_3_agrees_with_its_four_vectors)
{
	signs("POST", url_with_query,
	      "k7Pusd4OxCIjR5IfA9iedDNu/h/gbdYqdzG/MiYtd1c=");
	signs("GET", url_with_query,
	      "UBq8jAtd32wR8EK9VgxbBn4n5rpI/l1H9iN4WfSEHFQ=");
	signs("POST", plain_url,
	      "iAjE5QqI37mbkYe4w3jTMudqEzbDufdqi7sYwTu64e0=");
	signs("GET", plain_url, "i/MQsaQSAd6fiKhOh2qeeeLHZ9faldADSb3/7+Akfbc=");
}

TEST(a_port_is_signed_or_left_out)
{
	struct plivo_signed what = {.method = "POST",
				    .url = "http://localhost:8080/hook"};
	const struct plivo_signed plain = {.method = "POST",
					   .url = "http://localhost/hook"};
	char with[PLIVO_SIGNATURE_BYTES], without[PLIVO_SIGNATURE_BYTES];
	char expected[PLIVO_SIGNATURE_BYTES];
	struct span key = span_of(token);

	assert_int_equal(service_plivo_v3(key, &what, nonce, with), 0);
	what.without_port = true;
	assert_int_equal(service_plivo_v3(key, &what, nonce, without), 0);
	assert_int_equal(service_plivo_v3(key, &plain, nonce, expected), 0);

	assert_string_not_equal(with, without);
	assert_string_equal(without, expected);
	assert_true(service_plivo_has_port(what.url));
	assert_false(service_plivo_has_port(plain.url));
	assert_false(service_plivo_has_port("https://h.example:443/hook"));
	assert_true(service_plivo_has_port("https://[2001:db8::1]:444/hook"));
	assert_false(service_plivo_has_port("https://[2001:db8::1]/hook"));
}

TEST(what_is_no_address_is_not_signed)
{
	static const char *const urls[] = {"", "answer.url", "ftp://a/b",
					   "https://", "https:///path"};
	char out[PLIVO_SIGNATURE_BYTES];

	for (size_t i = 0; i < COUNT_OF(urls); i++)
		assert_int_equal(service_plivo_v2(span_of(token), urls[i],
						  nonce, out),
				 -EINVAL);
}

TEST(too_many_parameters_are_refused)
{
	static struct plivo_pair many[PLIVO_PAIRS_MAX + 1];
	struct plivo_signed what = {.method = "POST",
				    .url = "https://a.example/",
				    .form = many,
				    .form_count = COUNT_OF(many)};
	char out[PLIVO_SIGNATURE_BYTES];

	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = (struct plivo_pair){"a", "b"};

	assert_int_equal(service_plivo_v3(span_of(token), &what, nonce, out),
			 -E2BIG);
	what.form_count--;
	assert_int_equal(service_plivo_v3(span_of(token), &what, nonce, out),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2_agrees_with_its_vector),
		cmocka_unit_test(version_3_agrees_with_its_four_vectors),
		cmocka_unit_test(a_port_is_signed_or_left_out),
		cmocka_unit_test(what_is_no_address_is_not_signed),
		cmocka_unit_test(too_many_parameters_are_refused),
	};

	return cmocka_run_group_tests_name("service/plivo_sign", tests, NULL,
					   NULL);
}
