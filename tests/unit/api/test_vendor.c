// SPDX-License-Identifier: Apache-2.0
/*
 * test_vendor.c - the drop-in faces' ids and words: are they of the shape that
 * vendors' clients take?
 */
#include <stdio.h>
#include <string.h>

#include "api/vendor.h"
#include "base/json.h"
#include "support/http.h"
#include "support/test.h"

static struct {
	struct api api;
	struct web *web;
} bench;

static void on_big(struct web_request *r, void *ctx)
{
	(void)ctx;
	web_answer(r, &(struct web_answer){.status = 204});
}

static const struct web_route routes[] = {
	{.method = "POST",
	 .pattern = "/v1/account/{}/phlo/{}",
	 .handler = on_big},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/Verifications",
	 .handler = on_big},
	{0}};

static int setup(void **state)
{
	static const struct api_example example = {.prefix = "/otp"};
	const struct web_params params = {.listen = "127.0.0.1:0",
					  .threads = 1,
					  .routes = routes,
					  .trouble = api_trouble,
					  .clock = clock_real(),
					  .ctx = &bench.api};
	struct diag d = {0};

	(void)state;
	bench.api = (struct api){.p = {.example = &example}};
	if (web_start(&params, &bench.web, &d))
		fail_msg("%s", d.message);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	web_stop(bench.web);
	return 0;
}

/* --- ids ------------------------------------------------------------------------ */

TEST(a_plivo_account_is_ma_and_18_letters_or_digits)
{
	uint8_t alias[VENDOR_ALIAS_BYTES] = {0};
	char a[VENDOR_PLIVO_ID_BYTES], b[VENDOR_PLIVO_ID_BYTES];

	vendor_plivo_text(alias, a);
	memset(alias, 0xff, sizeof(alias));
	vendor_plivo_text(alias, b);

	assert_string_equal(a, "MAAAAAAAAAAAAAAAAAAA");
	/* 2^128-1 in base 36, the last 18 digits, the smallest first */
	assert_string_equal(b, "MADDZ2W9RVQ0X81YXZF9");
	assert_int_equal(strspn(b, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 20);
}

TEST(a_twilio_account_is_ac_and_32_hex_digits)
{
	const uint8_t alias[VENDOR_ALIAS_BYTES] = {0x01, 0xab, [15] = 0xff};
	char out[VENDOR_TWILIO_ID_BYTES];

	vendor_twilio_text(alias, out);

	assert_string_equal(out, "AC01ab00000000000000000000000000ff");
}

TEST(a_uuid_is_five_groups)
{
	char out[VENDOR_UUID_BYTES];

	vendor_uuid_text("0123456789abcdef0123456789abcdef", out);

	assert_string_equal(out, "01234567-89ab-cdef-0123-456789abcdef");
}

TEST(a_fresh_uuid_is_of_version_4_and_never_the_same)
{
	char a[VENDOR_UUID_BYTES], b[VENDOR_UUID_BYTES];

	vendor_uuid_new(a);
	vendor_uuid_new(b);

	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_string_not_equal(a, b);
}

/* --- errors --------------------------------------------------------------------- */

static const char *const codes[] = {
#define ERROR(code, status, title) #code,
#include "api/errors.def"
#undef ERROR
};

TEST(every_error_of_ours_has_words_in_every_face)
{
	for (int v = 0; v < VENDORS; v++)
		for (size_t i = 0; i < COUNT_OF(codes); i++)
			if (!vendor_error((enum vendor)v, codes[i]))
				fail_msg("face %d has no row for %s", v,
					 codes[i]);
}

TEST(no_error_has_two_rows_in_a_face)
{
	static const struct {
		int vendor;
		const char *code;
	} rows[] = {
#define VENDOR_ERROR(vendor, code, status, number, text) \
	{VENDOR_##vendor, #code},
#define VENDOR_FIELD(vendor, ours, theirs)
#include "api/vendor_errors.def"
#undef VENDOR_ERROR
#undef VENDOR_FIELD
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t k = 0; k < i; k++)
			if (rows[i].vendor == rows[k].vendor &&
			    strcmp(rows[i].code, rows[k].code) == 0)
				fail_msg("%s has two rows", rows[i].code);
}

TEST(plivos_clients_are_never_told_to_send_again_at_once)
{
	static const enum vendor faces[] = {VENDOR_PHLO, VENDOR_PLIVO};

	for (size_t f = 0; f < COUNT_OF(faces); f++)
		for (size_t i = 0; i < COUNT_OF(codes); i++) {
			const struct vendor_error *row =
				vendor_error(faces[f], codes[i]);

			if (row->status >= 500 &&
			    strcmp(row->code, "internal_error") != 0)
				fail_msg("%s is a %u", row->code, row->status);
		}
}

TEST(every_twilio_error_has_a_number)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		assert_true(vendor_error(VENDOR_TWILIO, codes[i])->number > 0);
}

TEST(a_code_that_no_face_knows_has_no_row)
{
	assert_null(vendor_error(VENDOR_PHLO, "of_nobody"));
}

/* --- what the server answers by itself --------------------------------------------- */

static json_t *trouble(const char *method, const char *path, const char *body,
		       int status)
{
	struct http_answer a;
	json_t *o = NULL;

	http_ask(web_port(bench.web), method, path, "", body, &a);
	if (a.status != status)
		fail_msg("%s answered %d", path, a.status);
	assert_string_equal(http_header(&a, "Content-Type"),
			    "application/json");
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	return o;
}

static const char *text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

TEST(an_unknown_phlo_path_is_not_found_in_plivos_words)
{
	AUTO_JSON json_t *o = trouble("GET", "/v1/phlo/a/b/c", NULL, 404);

	assert_string_equal(text(o, "error"), "not found");
	assert_int_equal(strlen(text(o, "api_id")), VENDOR_UUID_BYTES - 1);
	assert_int_equal(json_object_size(o), 2);
}

TEST(a_wrong_method_is_told_in_plivos_words)
{
	AUTO_JSON json_t *o =
		trouble("GET", "/v1/account/MA/phlo/x", NULL, 405);

	assert_string_equal(text(o, "error"), "method not allowed");
}

TEST(a_verify_path_has_plivos_words)
{
	AUTO_JSON json_t *o =
		trouble("GET", "/v1/Account/MA/Verify/Nothing/", NULL, 404);

	assert_string_equal(text(o, "error"), "not found");
}

TEST(a_twilio_path_is_named_without_its_version)
{
	AUTO_JSON json_t *o = trouble("GET", "/v2/Services/VA/No", NULL, 404);

	assert_string_equal(text(o, "message"),
			    "The requested resource /Services/VA/No was not "
			    "found");
	assert_string_equal(text(o, "more_info"),
			    "https://www.twilio.com/docs/errors/20404");
	assert_int_equal(json_integer_value(json_object_get(o, "code")), 20404);
	assert_int_equal(json_integer_value(json_object_get(o, "status")), 404);
}

TEST(the_examples_paths_have_its_words)
{
	AUTO_JSON json_t *o = trouble("GET", "/otp/nothing", NULL, 404);

	assert_string_equal(text(o, "status"), "failed");
	assert_string_equal(text(o, "message"), "number not found");
}

TEST(a_body_too_large_is_told_in_the_faces_words)
{
	static char body[WEB_BODY_MAX + 2];

	memset(body, ' ', sizeof(body) - 1);
	{
		AUTO_JSON json_t *o =
			trouble("POST", "/v1/account/MA/phlo/x", body, 413);

		assert_non_null(strstr(text(o, "error"), "too large"));
	}
	{
		AUTO_JSON json_t *o = trouble(
			"POST", "/v2/Services/VA/Verifications", body, 413);

		assert_int_equal(json_integer_value(json_object_get(o, "code")),
				 60200);
	}
}

TEST(a_path_that_only_begins_alike_is_ours)
{
	static const char *const paths[] = {"/v1/phlox",   "/v1/accounts",
					    "/v20/x",      "/otps",
					    "/v1/nothing", "/"};
	enum vendor v;

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		assert_false(vendor_of_path(&bench.api, paths[i], &v));
}

TEST(without_a_prefix_no_path_is_the_examples)
{
	const struct api none = {0};
	enum vendor v;

	assert_false(vendor_of_path(&none, "/otp/dispatch_otp", &v));
	assert_true(vendor_of_path(&bench.api, "/otp/dispatch_otp", &v));
	assert_int_equal(v, VENDOR_EXAMPLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_plivo_account_is_ma_and_18_letters_or_digits),
		cmocka_unit_test(a_twilio_account_is_ac_and_32_hex_digits),
		cmocka_unit_test(a_uuid_is_five_groups),
		cmocka_unit_test(
			a_fresh_uuid_is_of_version_4_and_never_the_same),
		cmocka_unit_test(every_error_of_ours_has_words_in_every_face),
		cmocka_unit_test(no_error_has_two_rows_in_a_face),
		cmocka_unit_test(
			plivos_clients_are_never_told_to_send_again_at_once),
		cmocka_unit_test(every_twilio_error_has_a_number),
		cmocka_unit_test(a_code_that_no_face_knows_has_no_row),
		cmocka_unit_test(
			an_unknown_phlo_path_is_not_found_in_plivos_words),
		cmocka_unit_test(a_wrong_method_is_told_in_plivos_words),
		cmocka_unit_test(a_verify_path_has_plivos_words),
		cmocka_unit_test(a_twilio_path_is_named_without_its_version),
		cmocka_unit_test(the_examples_paths_have_its_words),
		cmocka_unit_test(a_body_too_large_is_told_in_the_faces_words),
		cmocka_unit_test(a_path_that_only_begins_alike_is_ours),
		cmocka_unit_test(without_a_prefix_no_path_is_the_examples),
	};

	return cmocka_run_group_tests_name("api/vendor", tests, setup,
					   teardown);
}
