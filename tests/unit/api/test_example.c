// SPDX-License-Identifier: Apache-2.0
/*
 * test_example.c - do the original example's two endpoints answer as they did,
 * and no more than they may?
 */
#include <stdio.h>
#include <string.h>

#include "api/vendor.h"
#include "base/json.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "15555550110"
#define DISPATCH "/otp/dispatch_otp"
#define VERIFY "/otp/verify_otp"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

/* This machine may ask without a key, until a test says otherwise. */
static void let(struct api_world *aw, bool us)
{
	struct net here;

	aw->example_from.count = 0;
	assert_int_equal(
		net_parse(us ? "127.0.0.0/8" : "192.0.2.0/24", &here, NULL), 0);
	assert_int_equal(net_list_add(&aw->example_from, &here), 0);
}

static void asks(struct api_world *aw, const struct api_ask *ask, int status,
		 const char *how, const char *message)
{
	struct http_answer a;

	api_world_ask(aw, ask, &a);
	if (a.status != status)
		fail_msg("%s %s answered %d: %.*s", ask->method, ask->path,
			 a.status, (int)a.body.n, a.body.p);
	assert_string_equal(api_world_text(&a, "status"), how);
	if (!strstr(api_world_text(&a, "message"), message))
		fail_msg("%s, not %s", api_world_text(&a, "message"), message);
	http_answer_free(&a);
}

static void get(struct api_world *aw, const char *path, int status,
		const char *how, const char *message)
{
	asks(aw, &(struct api_ask){.method = "GET", .path = path}, status, how,
	     message);
}

/* The newest verification of the application, by our own API. */
static void newest(struct api_world *aw, char id[VERIFICATION_ID_BYTES])
{
	const struct api_ask ask = {.method = "GET",
				    .path = "/v1/verifications?limit=1",
				    .token = aw->verify};
	struct http_answer a;
	AUTO_JSON json_t *o = NULL;

	api_world_ask(aw, &ask, &a);
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	(void)snprintf(
		id, VERIFICATION_ID_BYTES, "%s",
		json_string_value(json_object_get(
			json_array_get(json_object_get(o, "items"), 0), "id")));
	http_answer_free(&a);
}

static void hear(struct api_world *aw, char code[CODE_BYTES])
{
	char id[VERIFICATION_ID_BYTES];

	newest(aw, id);
	(void)world_until_spoken(aw->w, id);
	api_world_code(aw, id, code);
}

TEST(the_walk_of_the_example_ends_in_its_three_outcomes)
{
	struct api_world *aw = *state;
	char code[CODE_BYTES], right[128], wrong[128];

	let(aw, true);
	get(aw, VERIFY "?number=" LISTENS "&otp=123456", 404, "failed",
	    "number not found");
	get(aw, DISPATCH "?destination_number=%2B" LISTENS, 200, "success",
	    "verification initiated");
	hear(aw, code);
	(void)snprintf(right, sizeof(right),
		       VERIFY "?destination_number=" LISTENS "&otp=%s", code);
	code[0] = code[0] == '9' ? '0' : '9';
	(void)snprintf(wrong, sizeof(wrong),
		       VERIFY "?dst_number=+" LISTENS "&otp=%s", code);

	get(aw, wrong, 422, "rejected", "number not verified");
	get(aw, right, 200, "success", "number verified");
	get(aw, right, 404, "failed", "number not found");
}

TEST(forms_and_json_are_as_good_as_a_query)
{
	struct api_world *aw = *state;

	let(aw, true);
	asks(aw,
	     &(struct api_ask){.method = "POST",
			       .path = DISPATCH "/",
			       .headers = FORM,
			       .body = "dst_number=%2B" LISTENS},
	     200, "success", "");
	asks(aw,
	     &(struct api_ask){.method = "POST",
			       .path = VERIFY,
			       .body = "{\"number\":" LISTENS ",\"otp\":1}"},
	     422, "rejected", "");
}

TEST(a_missing_code_is_never_approved)
{
	struct api_world *aw = *state;

	let(aw, true);
	get(aw, DISPATCH "?number=" LISTENS, 200, "success", "");
	get(aw, VERIFY "?number=" LISTENS, 400, "failed", "otp is missing");
	get(aw, VERIFY "?number=" LISTENS "&otp=", 400, "failed", "otp is mis");
	asks(aw,
	     &(struct api_ask){.method = "POST",
			       .path = VERIFY,
			       .body = "{\"number\":" LISTENS ",\"otp\":null}"},
	     400, "failed", "otp is missing");
}

TEST(a_missing_number_is_told)
{
	struct api_world *aw = *state;

	let(aw, true);
	get(aw, DISPATCH, 400, "failed", "destination_number is missing");
	get(aw, VERIFY "?otp=123456", 400, "failed",
	    "destination_number is missing");
}

TEST(whoever_is_not_listed_needs_a_key)
{
	struct api_world *aw = *state;
	struct api_ask ask = {.method = "GET",
			      .path = DISPATCH "?number=" LISTENS};

	let(aw, false);
	asks(aw, &ask, 401, "failed", "no key");
	ask.path = DISPATCH "?number=" LISTENS "&token=vok_x";
	asks(aw, &ask, 401, "failed", "no key");
	ask.token = "nobodys";
	asks(aw, &ask, 401, "failed", "no key");
	ask.token = aw->check;
	asks(aw, &ask, 403, "failed", "scope");
	ask.token = aw->verify;
	asks(aw, &ask, 200, "success", "verification initiated");
}

TEST(a_wrong_key_does_not_fall_back_on_the_address)
{
	struct api_world *aw = *state;

	let(aw, true);
	asks(aw,
	     &(struct api_ask){.method = "GET",
			       .path = DISPATCH "?number=" LISTENS,
			       .token = "nobodys"},
	     401, "failed", "no key");
}

TEST(a_key_of_another_application_finds_nothing_here)
{
	struct api_world *aw = *state;

	let(aw, true);
	get(aw, DISPATCH "?number=" LISTENS, 200, "success", "");
	asks(aw,
	     &(struct api_ask){.method = "GET",
			       .path = VERIFY "?number=" LISTENS "&otp=123456",
			       .token = aw->other},
	     404, "failed", "number not found");
}

TEST(a_head_rings_nobody)
{
	struct api_world *aw = *state;
	const struct api_ask ask = {.method = "HEAD",
				    .path = DISPATCH "?number=" LISTENS};
	struct http_answer a;

	let(aw, true);
	api_world_ask(aw, &ask, &a);

	assert_int_equal(a.status, 405);
	http_answer_free(&a);
	get(aw, VERIFY "?number=" LISTENS "&otp=123456", 404, "failed",
	    "number not found");
}

#define EXAMPLE_TEST(name)                                     \
	cmocka_unit_test_setup_teardown(name, api_world_setup, \
					api_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXAMPLE_TEST(
			the_walk_of_the_example_ends_in_its_three_outcomes),
		EXAMPLE_TEST(forms_and_json_are_as_good_as_a_query),
		EXAMPLE_TEST(a_missing_code_is_never_approved),
		EXAMPLE_TEST(a_missing_number_is_told),
		EXAMPLE_TEST(whoever_is_not_listed_needs_a_key),
		EXAMPLE_TEST(a_wrong_key_does_not_fall_back_on_the_address),
		EXAMPLE_TEST(a_key_of_another_application_finds_nothing_here),
		EXAMPLE_TEST(a_head_rings_nobody),
	};

	return cmocka_run_group_tests_name("api/example", tests, world_voices,
					   world_no_voices);
}
