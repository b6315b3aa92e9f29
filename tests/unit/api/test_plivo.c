// SPDX-License-Identifier: Apache-2.0
/*
 * test_plivo.c - does a client of Plivo's Verify get the answers that it knows,
 * and only for what is its own?  The stock client itself is in tests/faces.
 */
#include <stdio.h>
#include <string.h>

#include "api/plivo.h"
#include "base/json.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "+15555550110"

enum { PATH_BYTES = 256, MANY = 20 };

/* --- asking ---------------------------------------------------------------------- */

/* `rest` behind the account's part of the path; the account that asks. */
static json_t *ask_as(struct api_world *aw, const char *application,
		      const char *token, const struct api_ask *what, int status)
{
	char path[PATH_BYTES], headers[API_WORLD_HEAD_BYTES];
	char account[VENDOR_PLIVO_ID_BYTES];
	struct api_ask ask = *what;
	struct http_answer a;
	json_t *o = NULL;

	vendor_plivo_account(aw->api, application, account);
	api_world_basic(account, token, "application/json", headers);
	(void)snprintf(path, sizeof(path), "/v1/Account/%s/Verify/Session/%s",
		       account, what->path);
	ask.path = path;
	ask.headers = headers;
	api_world_ask_for(aw, &ask, status, &a);
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	return o;
}

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

static void start(struct api_world *aw, const char *body,
		  char session[VENDOR_UUID_BYTES])
{
	AUTO_JSON json_t *o = ask_as(
		aw, "shop", aw->verify,
		&(struct api_ask){.method = "POST", .path = "", .body = body},
		202);

	(void)snprintf(session, VENDOR_UUID_BYTES, "%s",
		       text(o, "session_uuid"));
}

static void validate(struct api_world *aw, const char *session,
		     const char *code, int status, const char *says)
{
	char path[PATH_BYTES], body[64];
	const struct api_ask what = {
		.method = "POST", .path = path, .body = body};
	json_t *o;

	(void)snprintf(path, sizeof(path), "%s/", session);
	(void)snprintf(body, sizeof(body), "{\"otp\":\"%s\"}", code);
	o = ask_as(aw, "shop", aw->verify, &what, status);
	if (!strstr(text(o, status == 200 ? "message" : "error"), says))
		fail_msg("%s: %s", code, text(o, "error"));
	json_decref(o);
}

/* The only one of the application. */
static void hear(struct api_world *aw, char code[CODE_BYTES])
{
	const struct api_ask ask = {.method = "GET",
				    .path = "/v1/verifications?limit=1",
				    .token = aw->verify};
	AUTO_JSON json_t *o = NULL;
	struct http_answer a;
	const char *id;

	api_world_ask(aw, &ask, &a);
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	id = text(json_array_get(json_object_get(o, "items"), 0), "id");
	(void)world_until_spoken(aw->w, id);
	api_world_code(aw, id, code);
	http_answer_free(&a);
}

/* --- sessions -------------------------------------------------------------------- */

TEST(a_session_is_validated_once)
{
	struct api_world *aw = *state;
	char session[VENDOR_UUID_BYTES], code[CODE_BYTES], wrong[CODE_BYTES];

	start(aw, "{\"recipient\":15555550110}", session);
	hear(aw, code);
	memcpy(wrong, code, sizeof(wrong));
	wrong[0] = wrong[0] == '9' ? '0' : '9';

	validate(aw, session, wrong, 400, "invalid otp");
	validate(aw, session, code, 200, "validated");
	validate(aw, session, code, 400, "expired or verified");
}

/* The answer may be on its way, and its request over, before whoever asked for
 * it has returned. */
TEST(many_validations_in_a_row_are_each_answered)
{
	struct api_world *aw = *state;
	char session[VENDOR_UUID_BYTES], code[CODE_BYTES];

	start(aw, "{\"recipient\":\"" LISTENS "\"}", session);
	hear(aw, code);
	validate(aw, session, code, 200, "validated");

	for (int i = 0; i < MANY; i++)
		validate(aw, session, code, 400, "expired or verified");
}

TEST(a_session_of_another_application_is_not_there)
{
	struct api_world *aw = *state;
	char session[VENDOR_UUID_BYTES], path[PATH_BYTES];

	start(aw, "{\"recipient\":\"" LISTENS "\"}", session);
	(void)snprintf(path, sizeof(path), "%s/", session);

	json_decref(ask_as(aw, "other", aw->other,
			   &(struct api_ask){.method = "GET", .path = path},
			   404));
	json_decref(ask_as(aw, "other", aw->other,
			   &(struct api_ask){.method = "POST",
					     .path = path,
					     .body = "{\"otp\":\"123456\"}"},
			   404));
	json_decref(ask_as(aw, "shop", aw->verify,
			   &(struct api_ask){.method = "GET", .path = path},
			   200));
}

#define PLIVO_TEST(name)                                       \
	cmocka_unit_test_setup_teardown(name, api_world_setup, \
					api_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLIVO_TEST(a_session_is_validated_once),
		PLIVO_TEST(many_validations_in_a_row_are_each_answered),
		PLIVO_TEST(a_session_of_another_application_is_not_there),
	};

	return cmocka_run_group_tests_name("api/plivo", tests, world_voices,
					   world_no_voices);
}
