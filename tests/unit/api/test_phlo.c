// SPDX-License-Identifier: Apache-2.0
/*
 * test_phlo.c - does a client of Plivo's PHLO get the answers that it knows?
 *
 * Paths, headers and bodies are as each of Plivo's clients was seen to send
 * them; the stock client for Node itself is in tests/faces.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vendor.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "+15555550110"

enum { PATH_BYTES = 256, DOCUMENT_MAX = 64 << 10 };

/* --- asking ---------------------------------------------------------------------- */

struct visit {
	struct api_world *aw;
	char account[VENDOR_PLIVO_ID_BYTES], flow[VERIFICATION_FLOW_BYTES],
		run[VENDOR_UUID_BYTES];
};

/* As a client does: how it writes a path and a body is its own. */
struct form {
	const char *method, *path; /* %a account, %f flow, %r run */
	const char *body, *type;   /* NULL: application/json */
};

static void path_of(const struct visit *v, const char *form,
		    char out[PATH_BYTES])
{
	struct buf b = {.max = PATH_BYTES - 1};

	for (; *form; form++) {
		if (*form != '%')
			buf_byte(&b, (unsigned char)*form);
		else if (*++form == 'a')
			buf_str(&b, v->account);
		else
			buf_str(&b, *form == 'f' ? v->flow : v->run);
	}
	assert_int_equal(b.err, 0);
	(void)snprintf(out, PATH_BYTES, "%s", b.p);
	buf_free(&b);
}

static json_t *ask_as(const struct visit *v, const char *name,
		      const char *token, const struct form *f, int status)
{
	char path[PATH_BYTES], headers[API_WORLD_HEAD_BYTES];
	struct api_ask what = {.method = f->method, .body = f->body};
	struct http_answer a;
	json_t *o = NULL;

	path_of(v, f->path, path);
	api_world_basic(name, token, f->type ? f->type : "application/json",
			headers);
	what.path = path;
	what.headers = headers;
	api_world_ask_for(v->aw, &what, status, &a);
	assert_string_equal(http_header(&a, "Content-Type"),
			    "application/json");
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	return o;
}

static json_t *ask(const struct visit *v, const struct form *f, int status)
{
	return ask_as(v, v->account, v->aw->verify, f, status);
}

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

static void refused(const struct visit *v, const struct form *f, int status,
		    const char *error)
{
	AUTO_JSON json_t *o = ask(v, f, status);

	if (!strstr(text(o, "error"), error))
		fail_msg("%s, not %s", text(o, "error"), error);
	assert_int_equal(strlen(text(o, "api_id")), VENDOR_UUID_BYTES - 1);
}

static struct visit visit(struct api_world *aw, const char *flow)
{
	struct visit v = {.aw = aw};

	vendor_plivo_account(aw->api, "shop", v.account);
	(void)snprintf(v.flow, sizeof(v.flow), "%s", flow);
	return v;
}

/* The id, wherever it stands in the answer. */
static const char *flow_of(const struct http_answer *a)
{
	static char id[VERIFICATION_FLOW_BYTES];
	AUTO_JSON json_t *o = NULL;
	const json_t *head;

	assert_int_equal(js_parse(buf_view(&a->body), &o, NULL), 0);
	head = json_object_get(o, "flow");
	(void)snprintf(id, sizeof(id), "%s", text(head ? head : o, "id"));
	return id;
}

/* The original example's drawing, imported. */
static struct visit visit_example(struct api_world *aw)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	struct visit v = visit(aw, "");
	char path[4096];
	AUTO_BUF(drawing, DOCUMENT_MAX);
	struct http_answer a;
	struct api_ask ask = {.method = "POST",
			      .path = "/v1/flows/import",
			      .token = aw->flows};

	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/phlo/%s",
		       source ? source : ".", "voice-otp.json");
	assert_int_equal(file_read(path, &drawing), 0);
	ask.body = drawing.p;
	api_world_ask(aw, &ask, &a);
	assert_int_equal(a.status, 201);
	(void)snprintf(v.flow, sizeof(v.flow), "%s", flow_of(&a));
	http_answer_free(&a);
	return v;
}

static void publish(struct visit *v)
{
	char path[PATH_BYTES];
	struct http_answer a;
	const struct api_ask ask = {.method = "POST",
				    .path = path,
				    .token = v->aw->flows,
				    .body = "{\"message\":\"first\"}"};

	path_of(v, "/v1/flows/%f/publish", path);
	api_world_ask(v->aw, &ask, &a);
	if (a.status / 100 != 2)
		fail_msg("publish: %d %.*s", a.status, (int)a.body.n, a.body.p);
	http_answer_free(&a);
}

/* --- what each client sends ----------------------------------------------------------- */

#define RUN "/v1/account/%a/phlo/%f"
#define PARAMS(otp)                                     \
	"{\"from\":15671234567,\"to\":\"" LISTENS "\"," \
	"\"otp\":" otp "}"

TEST(every_client_may_ask_what_a_flow_is)
{
	static const struct form forms[] = {
		/* Ruby, Python */
		{"GET", "/v1/phlo/%f/", NULL, NULL},
		/* Node: the id once more, and two bytes of body */
		{"GET", "/v1/phlo/%f/?phlo_id=%f", "\"\"", NULL},
		/* Go, Java, curl */
		{"GET", "/v1/phlo/%f", NULL, NULL},
	};
	struct visit v = visit(*state, "speak");

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		AUTO_JSON json_t *o = ask(&v, &forms[i], 200);

		assert_string_equal(text(o, "phlo_id"), "speak");
		assert_true(*text(o, "name"));
		assert_int_equal(strlen(text(o, "created_on")),
				 strlen("2018-11-03 19:32:33.240504+00:00"));
		assert_int_equal(strlen(text(o, "api_id")), 36);
	}
}

static void runs(struct visit *v, const struct form *f)
{
	AUTO_JSON json_t *o = ask(v, f, 201);
	char uri[PATH_BYTES];

	path_of(v, "/Account/%a/Phlo/%f/", uri);
	assert_string_equal(text(o, "phlo_id"), v->flow);
	assert_string_equal(text(o, "phlo_run_id"), text(o, "api_id"));
	assert_string_equal(text(o, "resource_uri"), uri);
	assert_true(*text(o, "message"));
	assert_int_equal(json_object_size(o), 5);
	(void)snprintf(v->run, sizeof(v->run), "%s", text(o, "phlo_run_id"));
}

TEST(every_client_may_run_the_original_flow)
{
	static const struct form forms[] = {
		/* Ruby: +15671234567 is a number there, and so is the code */
		{"POST", RUN "/", PARAMS("482913"), NULL},
		/* Python */
		{"POST", RUN "/",
		 "{\"from\": \"+15671234567\", \"to\": \"" LISTENS "\", "
		 "\"otp\": \"000042\"}",
		 NULL},
		/* Node, Java: no slash */
		{"POST", RUN, PARAMS("7"), NULL},
		/* a null, and keys that the flow does not know */
		{"POST", RUN,
		 "{\"from\":null,\"to\":15555550110,\"otp\":1,"
		 "\"callback_url\":null,\"more\":[1]}",
		 "application/json;charset=utf-8"},
	};
	struct visit v = visit_example(*state);

	publish(&v);

	for (size_t i = 0; i < COUNT_OF(forms); i++)
		runs(&v, &forms[i]);
}

TEST(a_flow_that_came_with_the_program_runs_too)
{
	struct visit v = visit(*state, "speak");

	runs(&v,
	     &(struct form){"POST", RUN "/", "{\"to\":\"" LISTENS "\"}", NULL});
}

/* --- what became of it ------------------------------------------------------------------ */

/* Java alone asks; others may end a path in a slash. */
static const struct form look = {"GET", "/v1/phlo/%f/runs/%r", NULL,
				 "Accept: */*\r\n"};
static const struct form look_slash = {"GET", "/v1/phlo/%f/runs/%r/", NULL,
				       NULL};

static struct visit visit_run(struct api_world *aw)
{
	struct visit v = visit(aw, "speak");

	runs(&v, &(struct form){"POST", RUN, "{\"to\":\"" LISTENS "\"}", NULL});
	return v;
}

static size_t members(const json_t *o, const char *name)
{
	const json_t *list = json_object_get(o, name);

	assert_true(json_is_array(list));
	return json_array_size(list);
}

TEST(a_run_is_known_by_the_id_that_it_was_given)
{
	struct visit v = visit_run(*state);
	AUTO_JSON json_t *o = ask(&v, &look, 200);
	AUTO_JSON json_t *again = ask(&v, &look_slash, 200);

	assert_string_equal(text(o, "phlo_id"), "speak");
	assert_string_equal(text(o, "run_id"), v.run);
	assert_string_equal(text(o, "phlo_run_id"), v.run);
	assert_string_equal(text(again, "run_id"), v.run);
	assert_int_equal(strlen(text(o, "api_id")), VENDOR_UUID_BYTES - 1);
	assert_int_equal(strlen(text(o, "created_on")),
			 strlen("2018-11-03 19:32:33.240504+00:00"));
	assert_true(*text(o, "status"));
	assert_non_null(json_object_get(o, "outcome"));
	assert_int_equal(members(o, "call_uuids"), 1);
	assert_int_equal(members(o, "message_uuids"), 0);
	assert_int_equal(members(o, "recording_ids"), 0);
	assert_int_equal(json_object_size(o), 10);
}

TEST(what_is_no_run_of_this_flow_is_not_found)
{
	struct visit v = visit_run(*state);
	AUTO_JSON json_t *o = ask(&v, &look, 200);
	const char *call = json_string_value(
		json_array_get(json_object_get(o, "call_uuids"), 0));
	const char *const ids[] = {call, "00000000-0000-0000-0000-000000000000",
				   "x",
				   "ver_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct visit other = v;

	(void)snprintf(other.flow, sizeof(other.flow), "plain");
	refused(&other, &look, 404, "not found");
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		other = v;
		(void)snprintf(other.run, sizeof(other.run), "%s", ids[i]);
		refused(&other, &look, 404, "not found");
	}
}

TEST(another_applications_run_is_not_found)
{
	struct visit v = visit_run(*state);

	vendor_plivo_account(v.aw->api, "other", v.account);

	json_decref(ask_as(&v, v.account, v.aw->other, &look, 404));
}

TEST(who_is_not_known_is_told_nothing_of_a_run)
{
	struct visit v = visit_run(*state);

	json_decref(ask_as(&v, v.account, "nobodys", &look, 401));
	json_decref(ask_as(&v, v.account, v.aw->check, &look, 403));
}

/* --- what is refused -------------------------------------------------------------------- */

TEST(no_payload_however_it_is_written_lacks_a_number)
{
	static const char *const bodies[] = {NULL,           "",
					     "\"\"",         "{}",
					     "null",         "{\"to\":null}",
					     "{\"to\":\"\"}"};
	struct visit v = visit(*state, "speak");

	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		refused(&v, &(struct form){"POST", RUN "/", bodies[i], NULL},
			400, "to parameter is missing");
}

TEST(a_parameter_that_is_missing_is_named)
{
	struct visit v = visit_example(*state);

	publish(&v);

	refused(&v,
		&(struct form){"POST", RUN,
			       "{\"from\":1,\"to\":null,\"otp\":482913}", NULL},
		400, "to parameter is missing");
	refused(&v,
		&(struct form){"POST", RUN,
			       "{\"from\":1,\"to\":\"" LISTENS "\"}", NULL},
		400, "otp parameter is missing");
}

TEST(what_is_no_object_is_a_bad_payload)
{
	static const char *const bodies[] = {"[]", "\"x\"", "7", "{", "to=1"};
	struct visit v = visit(*state, "speak");

	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		refused(&v, &(struct form){"POST", RUN, bodies[i], NULL}, 400,
			"payload is not valid JSON");
}

TEST(an_unknown_flow_is_not_found)
{
	struct visit v = visit(*state, "flw_nobodys");

	refused(&v, &(struct form){"GET", "/v1/phlo/%f/", NULL, NULL}, 404,
		"not found");
	refused(&v, &(struct form){"POST", RUN, PARAMS("1"), NULL}, 404,
		"not found");
}

TEST(a_flow_that_was_never_published_is_not_found)
{
	struct visit v = visit_example(*state);

	refused(&v, &(struct form){"GET", "/v1/phlo/%f/", NULL, NULL}, 404,
		"not found");
	refused(&v, &(struct form){"POST", RUN, PARAMS("1"), NULL}, 404,
		"not found");
}

TEST(another_applications_flow_is_not_found)
{
	struct visit v = visit_example(*state);
	const struct form get = {"GET", "/v1/phlo/%f/", NULL, NULL};

	publish(&v);
	vendor_plivo_account(v.aw->api, "other", v.account);

	json_decref(ask_as(&v, v.account, v.aw->other, &get, 404));
}

TEST(who_is_not_known_is_told_so_in_plivos_words)
{
	struct visit v = visit(*state, "speak");
	const struct form get = {"GET", "/v1/phlo/%f/", NULL, NULL};
	const struct form run = {"POST", RUN, "{}", NULL};
	AUTO_JSON json_t *token = ask_as(&v, v.account, "nobodys", &get, 401);
	AUTO_JSON json_t *name =
		ask_as(&v, "MAAAAAAAAAAAAAAAAAAA", v.aw->verify, &run, 401);

	assert_string_equal(text(token, "error"), "authentication failed");
	assert_string_equal(text(name, "error"), "authentication failed");
}

TEST(another_account_in_the_path_is_not_found)
{
	struct visit v = visit(*state, "speak");

	refused(&v,
		&(struct form){"POST",
			       "/v1/account/MAAAAAAAAAAAAAAAAAAA/phlo/%f", "{}",
			       NULL},
		404, "not found");
}

TEST(a_keys_own_id_is_as_good_as_the_account)
{
	struct visit v = visit(*state, "speak");
	const struct form get = {"GET", "/v1/phlo/%f/", NULL, NULL};

	json_decref(ask_as(&v, v.aw->verify_id, v.aw->verify, &get, 200));
}

TEST(a_key_without_the_scope_is_forbidden)
{
	struct visit v = visit(*state, "speak");
	const struct form get = {"GET", "/v1/phlo/%f/", NULL, NULL};

	json_decref(ask_as(&v, v.account, v.aw->check, &get, 403));
}

TEST(a_keypad_flow_proves_too_little_for_a_run)
{
	struct visit v = visit(*state, "keypad");

	refused(&v,
		&(struct form){"POST", RUN, "{\"to\":\"" LISTENS "\"}", NULL},
		400, "flow parameter is invalid");
}

TEST(a_number_that_is_none_is_named)
{
	struct visit v = visit(*state, "speak");

	refused(&v, &(struct form){"POST", RUN, "{\"to\":\"12\"}", NULL}, 400,
		"to parameter is invalid");
	refused(&v, &(struct form){"POST", RUN, "{\"to\":{}}", NULL}, 400,
		"to parameter is invalid");
	refused(&v, &(struct form){"POST", RUN, "{\"to\":-15555550110}", NULL},
		400, "to parameter is invalid");
}

#define PLIVO_TEST(name)                                       \
	cmocka_unit_test_setup_teardown(name, api_world_setup, \
					api_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLIVO_TEST(every_client_may_ask_what_a_flow_is),
		PLIVO_TEST(every_client_may_run_the_original_flow),
		PLIVO_TEST(a_flow_that_came_with_the_program_runs_too),
		PLIVO_TEST(a_run_is_known_by_the_id_that_it_was_given),
		PLIVO_TEST(what_is_no_run_of_this_flow_is_not_found),
		PLIVO_TEST(another_applications_run_is_not_found),
		PLIVO_TEST(who_is_not_known_is_told_nothing_of_a_run),
		PLIVO_TEST(no_payload_however_it_is_written_lacks_a_number),
		PLIVO_TEST(a_parameter_that_is_missing_is_named),
		PLIVO_TEST(what_is_no_object_is_a_bad_payload),
		PLIVO_TEST(an_unknown_flow_is_not_found),
		PLIVO_TEST(a_flow_that_was_never_published_is_not_found),
		PLIVO_TEST(another_applications_flow_is_not_found),
		PLIVO_TEST(who_is_not_known_is_told_so_in_plivos_words),
		PLIVO_TEST(another_account_in_the_path_is_not_found),
		PLIVO_TEST(a_keys_own_id_is_as_good_as_the_account),
		PLIVO_TEST(a_key_without_the_scope_is_forbidden),
		PLIVO_TEST(a_keypad_flow_proves_too_little_for_a_run),
		PLIVO_TEST(a_number_that_is_none_is_named),
	};

	return cmocka_run_group_tests_name("api/phlo", tests, world_voices,
					   world_no_voices);
}
