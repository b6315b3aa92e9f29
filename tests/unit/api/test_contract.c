// SPDX-License-Identifier: Apache-2.0
/*
 * test_contract.c - does the real server answer as docs/openapi.yaml says?
 *
 * Each answer is held against the file, and at the end everything that the file
 * lists must have been seen.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api_priv.h"
#include "base/json.h"
#include "base/mem.h"
#include "media/pump.h"
#include "support/api_world.h"
#include "support/contract.h"
#include "support/receiver.h"
#include "support/test.h"

#define LISTENS "+15555550110"
#define TYPES "+15555550111"
#define BUSY "+15555550120"
#define REAL "+14155552671" /* US, held by the counters */
#define ROUTED "+18085550123"
#define ABROAD "+4915123456789"
#define ALL "/v1/verifications"

static struct contract *contract;

static int open_all(void **state)
{
	contract = contract_open();
	return world_voices(state);
}

static int close_all(void **state)
{
	contract_free(contract);
	return world_no_voices(state);
}

static char *without_query(const char *path)
{
	return b_strndup(path, strcspn(path, "?"));
}

/* Asks, and holds the answer against the contract. */
static void ask(struct api_world *aw, const struct api_ask *what, int status,
		struct http_answer *out)
{
	AUTO_FREE char *path = without_query(what->path);
	const char *type;

	api_world_ask_for(aw, what, status, out);
	assert_string_equal(http_header(out, "Cache-Control"), "no-store");
	assert_string_equal(http_header(out, "X-Content-Type-Options"),
			    "nosniff");
	assert_non_null(http_header(out, "X-Request-Id"));
	if (strcmp(path, "/readyz") != 0)
		assert_int_equal(status == 429 || status == 503,
				 http_header(out, "Retry-After") != NULL);
	assert_int_equal(status == 401,
			 http_header(out, "WWW-Authenticate") != NULL);
	type = http_header(out, "Content-Type");
	contract_hold(contract, what->method, path, status, type,
		      buf_view(&out->body));
}

/* The same, for who wants the code of the problem alone ("" for no problem). */
static void expect(struct api_world *aw, const struct api_ask *what, int status,
		   const char *code)
{
	struct http_answer a;

	ask(aw, what, status, &a);
	if (*code)
		assert_string_equal(api_world_text(&a, "code"), code);
	http_answer_free(&a);
}

static void post(struct api_world *aw, const char *path, const char *body,
		 int status, const char *code)
{
	expect(aw,
	       &(struct api_ask){.method = "POST",
				 .path = path,
				 .token = aw->verify,
				 .body = body},
	       status, code);
}

static void get(struct api_world *aw, const char *path, int status,
		const char *code)
{
	expect(aw,
	       &(struct api_ask){
		       .method = "GET", .path = path, .token = aw->verify},
	       status, code);
}

/* --- what every path has --------------------------------------------------------- */

static const struct {
	const char *method, *path, *body;
} guarded[] = {
	{"POST", ALL, "{\"to\":\"" LISTENS "\"}"},
	{"GET", ALL, NULL},
	{"POST", ALL "/search", "{\"to\":\"" LISTENS "\"}"},
	{"GET", ALL "/ver_x", NULL},
	{"POST", ALL "/ver_x/check", "{\"code\":\"123456\"}"},
	{"POST", ALL "/ver_x/cancel", NULL},
	{"POST", ALL "/ver_x/call", NULL},
	{"GET", ALL "/ver_x/events", NULL},
	{"GET", ALL "/ver_x/trace", NULL},
	{"GET", ALL "/ver_x/webhooks", NULL},
	{"POST", ALL "/ver_x/webhooks/resend", NULL},
	{"GET", "/v1/webhooks", NULL},
	{"GET", "/v1/trunks", NULL},
	{"GET", "/v1/events", NULL},
	{"POST", "/v1/explain", "{\"to\":\"" LISTENS "\"}"},
};

TEST(nothing_is_done_without_a_key)
{
	struct api_world *aw = *state;
	const char *const bad[] = {
		NULL, "vok_00000000000000000000_00000000000000000000000000000",
		"", aw->verify + 1};

	for (size_t i = 0; i < COUNT_OF(guarded); i++)
		for (size_t k = 0; k < COUNT_OF(bad); k++)
			expect(aw,
			       &(struct api_ask){guarded[i].method,
						 guarded[i].path, bad[k], NULL,
						 guarded[i].body},
			       401, "unauthorized");
}

TEST(a_key_does_what_its_scopes_say)
{
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(guarded); i++) {
		const struct api_ask what = {guarded[i].method, guarded[i].path,
					     aw->check, NULL, guarded[i].body};

		if (strstr(what.path, "/check"))
			expect(aw, &what, 200, "");
		else
			expect(aw, &what, 403, "forbidden");
	}
	for (size_t i = 0; i < COUNT_OF(guarded); i++)
		expect(aw,
		       &(struct api_ask){guarded[i].method, guarded[i].path,
					 aw->flows, NULL, guarded[i].body},
		       403, "forbidden");
}

TEST(a_body_of_64_kib_is_too_large)
{
	struct api_world *aw = *state;
	char *large = b_zero(1, WEB_BODY_MAX + 2);

	memset(large, ' ', WEB_BODY_MAX + 1);
	for (size_t i = 0; i < COUNT_OF(guarded); i++)
		if (strcmp(guarded[i].method, "POST") == 0)
			post(aw, guarded[i].path, large, 413, "body_too_large");
	free(large);
}

TEST(a_body_that_is_no_json_is_told_where)
{
	static const char *const bad[] = {
		"{",
		"[]",
		"\"text\"",
		"{\"to\":\"\xff\"}",
		"{\"a\":1,\"a\":1}",
		"{\"to\":\"\\u0000\"}",
		"[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]"};
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(guarded); i++)
		for (size_t k = 0; k < COUNT_OF(bad); k++)
			if (strcmp(guarded[i].method, "POST") == 0)
				post(aw, guarded[i].path, bad[k], 400,
				     "invalid_json");
}

TEST(a_field_that_is_not_known_is_refused)
{
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(guarded); i++)
		if (strcmp(guarded[i].method, "POST") == 0)
			post(aw, guarded[i].path,
			     "{\"to\":\"" LISTENS "\",\"code\":\"1\","
			     "\"nonsense\":1}",
			     400, "unknown_field");
}

/* --- webhooks ------------------------------------------------------------------------ */

TEST(a_webhook_that_may_not_be_asked_is_refused)
{
	struct api_world *aw = *state;
	struct http_answer a;

	api_world_post(aw, ALL,
		       "{\"to\":\"" LISTENS
		       "\",\"webhook\":\"http://10.0.0.1/\"}",
		       400, &a);
	assert_string_equal(api_world_text(&a, "field"), "webhook");
	http_answer_free(&a);
}

static bool was_told(void *ctx)
{
	const struct api_world *aw = ctx;

	return receiver_told(aw->w->outbound, NULL, "call.ended") > 0;
}

TEST(what_was_told_is_shown_and_told_once_more)
{
	struct api_world *aw = *state;
	struct http_answer a;
	char path[128], again[160];
	size_t before;

	api_world_post(aw, ALL,
		       "{\"to\":\"" BUSY
		       "\",\"webhook\":\"https://shop.example/\"}",
		       201, &a);
	(void)snprintf(path, sizeof(path), ALL "/%s/webhooks",
		       api_world_text(&a, "id"));
	(void)snprintf(again, sizeof(again), "%s/resend", path);
	http_answer_free(&a);
	world_until(aw->w, MINUTES(1), was_told, aw);
	world_pass(aw->w, SECONDS(3));
	before = aw->w->outbound->count;

	ask(aw,
	    &(struct api_ask){
		    .method = "GET", .path = path, .token = aw->verify},
	    200, &a);
	assert_string_equal(api_world_text(&a, "state"), "told");
	assert_string_equal(api_world_text(&a, "url"), "https://shop.example/");
	http_answer_free(&a);
	get(aw, "/v1/webhooks?state=told&limit=1", 200, "");
	get(aw, "/v1/webhooks?state=nonsense", 400, "invalid_field");
	get(aw, "/v1/webhooks?cursor=nonsense", 400, "invalid_field");
	get(aw, "/v1/webhooks?nonsense=1", 400, "unknown_field");
	get(aw, ALL "/ver_x/webhooks", 404, "not_found");
	post(aw, again, "{\"event\":\"nonsense\"}", 400, "invalid_field");
	post(aw, again, "{}", 202, "");
	world_pass(aw->w, SECONDS(3));
	assert_int_equal(aw->w->outbound->count, before);
	post(aw, ALL "/ver_x/webhooks/resend", "", 404, "not_found");
}

/* --- create ------------------------------------------------------------------------- */

TEST(a_create_answers_what_was_made)
{
	struct api_world *aw = *state;
	struct http_answer a;
	const struct api_ask what = {
		.method = "POST",
		.path = ALL,
		.token = aw->verify,
		.body = "{\"to\":\"1 555 555 0110\",\"locale\":\"en-US\","
			"\"purpose\":\"signup\",\"code_length\":8,"
			"\"flow_version\":1,\"params\":{},"
			"\"ttl_s\":120,\"client_ip\":\"2001:db8::1\","
			"\"metadata\":{\"order\":\"4711\",\"\\u00e4\":\"\"}}"};
	AUTO_JSON json_t *o = NULL;

	ask(aw, &what, 201, &a);

	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	assert_string_equal(api_world_text(&a, "to"), LISTENS);
	assert_string_equal(api_world_text(&a, "status"), "pending");
	assert_string_equal(api_world_text(&a, "attempts_left"), "5");
	assert_string_equal(api_world_text(&a, "code"), "");
	assert_int_equal(json_array_size(json_object_get(o, "calls")), 0);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(o, "metadata"), "order")),
			    "4711");
	http_answer_free(&a);
}

TEST(only_the_answer_to_a_reverse_create_holds_a_code)
{
	struct api_world *aw = *state;
	struct http_answer made, read;
	char path[128];
	const struct api_ask what = {.method = "POST",
				     .path = ALL,
				     .token = aw->verify,
				     .body = "{\"to\":\"" LISTENS
					     "\",\"flow\":\"reverse\"}"};

	ask(aw, &what, 201, &made);
	assert_int_equal(strlen(api_world_text(&made, "code")), 6);

	(void)snprintf(path, sizeof(path), ALL "/%s",
		       api_world_text(&made, "id"));
	ask(aw,
	    &(struct api_ask){
		    .method = "GET", .path = path, .token = aw->verify},
	    200, &read);
	assert_string_equal(api_world_text(&read, "code"), "");
	http_answer_free(&made);
	http_answer_free(&read);
}

TEST(a_field_that_cannot_be_is_named)
{
	static const struct {
		const char *body, *code, *field;
	} bad[] = {
		{"{}", "missing_field", "to"},
		{"{\"to\":null}", "invalid_field", "to"},
		{"{\"to\":15555550110}", "invalid_field", "to"},
		{"{\"to\":\"+15555550110\",\"ttl_s\":59}", "invalid_field",
		 "ttl_s"},
		{"{\"to\":\"+15555550110\",\"ttl_s\":601}", "invalid_field",
		 "ttl_s"},
		{"{\"to\":\"+15555550110\",\"ttl_s\":1e2}", "invalid_field",
		 "ttl_s"},
		{"{\"to\":\"+15555550110\",\"code_length\":11}",
		 "invalid_field", "code_length"},
		{"{\"to\":\"+15555550110\",\"code_length\":4}", "invalid_field",
		 "code_length"},
		{"{\"to\":\"+15555550110\",\"purpose\":\"Log In\"}",
		 "invalid_field", "purpose"},
		{"{\"to\":\"+15555550110\",\"locale\":\"e\\u00f1\"}",
		 "invalid_field", "locale"},
		{"{\"to\":\"+15555550110\",\"currency\":\"EURO\"}",
		 "invalid_field", "currency"},
		{"{\"to\":\"+15555550110\",\"amount\":\"-1\"}", "invalid_field",
		 "amount"},
		{"{\"to\":\"+15555550110\",\"client_ip\":\"localhost\"}",
		 "invalid_field", "client_ip"},
		{"{\"to\":\"+15555550110\",\"metadata\":[]}", "invalid_field",
		 "metadata"},
		{"{\"to\":\"+15555550110\",\"metadata\":{\"a\":1}}",
		 "invalid_field", "metadata"},
		{"{\"to\":\"+15555550110\",\"code\":\"482913\"}",
		 "unknown_field", "code"},
		{"{\"to\":\"+15555550110\",\"params\":[]}", "invalid_field",
		 "params"},
		{"{\"to\":\"+15555550110\",\"params\":{\"otp\":1}}",
		 "invalid_field", "params.otp"},
		{"{\"to\":\"+15555550110\",\"flow_version\":0}",
		 "invalid_field", "flow_version"},
		{"{\"to\":\"+15555550110\",\"brand\":"
		 "\"0123456789012345678901234567890\"}",
		 "invalid_field", "brand"},
	};
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct http_answer a;
		const struct api_ask what = {.method = "POST",
					     .path = ALL,
					     .token = aw->verify,
					     .body = bad[i].body};

		ask(aw, &what, 400, &a);
		assert_string_equal(api_world_text(&a, "code"), bad[i].code);
		assert_string_equal(api_world_text(&a, "field"), bad[i].field);
		http_answer_free(&a);
	}
}

TEST(a_number_that_is_not_called_names_the_rule)
{
	struct api_world *aw = *state;

	post(aw, ALL, "{\"to\":\"not a number\"}", 422, "number_invalid");
	post(aw, ALL, "{\"to\":\"" ABROAD "\"}", 422, "country_not_allowed");
	post(aw, ALL, "{\"to\":\"+19005550199\"}", 422,
	     "number_type_not_allowed");
	post(aw, ALL, "{\"to\":\"" LISTENS "\",\"flow\":\"song\"}", 422,
	     "flow_not_published");
	post(aw, ALL, "{\"to\":\"" LISTENS "\",\"flow_version\":2}", 422,
	     "flow_not_published");
	post(aw, ALL,
	     "{\"to\":\"" LISTENS
	     "\",\"flow\":\"keypad\",\"purpose\":\"login\"}",
	     400, "invalid_field");
}

TEST(a_number_is_called_once_in_30_seconds)
{
	struct api_world *aw = *state;
	struct http_answer a;
	const struct api_ask what = {.method = "POST",
				     .path = ALL,
				     .token = aw->verify,
				     .body = "{\"to\":\"" REAL "\"}"};

	world_script(aw->w, REAL, TEL_SCRIPT_BUSY);
	ask(aw, &what, 201, &a);
	http_answer_free(&a);
	ask(aw, &what, 429, &a);

	assert_string_equal(api_world_text(&a, "code"), "rate_limited");
	assert_true(strtol(http_header(&a, "Retry-After"), NULL, 10) <= 30);
	assert_int_not_equal(strlen(api_world_text(&a, "rule")), 0);
	http_answer_free(&a);
}

TEST(an_idempotency_key_makes_one_of_two)
{
	struct api_world *aw = *state;
	struct http_answer first, second;
	AUTO_BUF(long_key, 1024);
	struct api_ask what = {.method = "POST",
			       .path = ALL,
			       .token = aw->verify,
			       .headers = "Idempotency-Key: order-1\r\n",
			       .body = "{\"to\":\"" LISTENS
				       "\",\"flow\":\"reverse\"}"};

	ask(aw, &what, 201, &first);
	world_pass(aw->w, 5000);
	ask(aw, &what, 201, &second);

	assert_int_equal(first.body.n, second.body.n);
	assert_memory_equal(first.body.p, second.body.p, first.body.n);
	what.body = "{\"to\":\"" LISTENS "\",\"flow\":\"speak\"}";
	expect(aw, &what, 422, "idempotency_mismatch");
	buf_str(&long_key, "Idempotency-Key: ");
	for (int i = 0; i <= SERVICE_IDEMPOTENCY_KEY_MAX; i++)
		buf_byte(&long_key, 'k');
	buf_str(&long_key, "\r\n");
	what.headers = long_key.p;
	expect(aw, &what, 400, "invalid_field");
	http_answer_free(&first);
	http_answer_free(&second);
}

TEST(a_basic_key_is_as_good)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	struct api_world *aw = *state;
	AUTO_BUF(header, 1024);
	char plain[256] = {0};
	size_t n = (size_t)snprintf(plain, sizeof(plain), "%s:%s",
				    aw->verify_id, aw->verify);

	buf_str(&header, "Authorization: Basic ");
	for (size_t i = 0; i < n; i += 3) {
		unsigned bits = (unsigned)(unsigned char)plain[i] << 16 |
				(unsigned)(unsigned char)plain[i + 1] << 8 |
				(unsigned char)plain[i + 2];

		for (size_t k = 0; k < 4; k++)
			buf_byte(&header,
				 i + k > n
					 ? '='
					 : (unsigned char)alphabet
						   [bits >> (18 - 6 * k) & 63]);
	}
	buf_str(&header, "\r\n");

	expect(aw,
	       &(struct api_ask){
		       .method = "GET", .path = ALL, .headers = header.p},
	       200, "");
}

/* --- one that is there ----------------------------------------------------------------- */

static const char *path_of(const char *id, const char *below)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), ALL "/%s%s", id, below);
	return path;
}

static void check(struct api_world *aw, const char *id, const char *code,
		  const char *token, struct http_answer *out)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	ask(aw,
	    &(struct api_ask){.method = "POST",
			      .path = path_of(id, "/check"),
			      .token = token,
			      .body = body},
	    200, out);
}

static void check_says(struct api_world *aw, const char *id, const char *code,
		       const char *reason, const char *left)
{
	struct http_answer a;

	check(aw, id, code, aw->verify, &a);
	assert_string_equal(api_world_text(&a, "reason"), reason);
	assert_string_equal(api_world_text(&a, "attempts_left"), left);
	http_answer_free(&a);
}

TEST(a_code_is_approved_once)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], code[CODE_BYTES];
	struct http_answer a;

	api_world_create(aw, LISTENS, "speak", id);
	check_says(aw, id, "000000", "not_delivered", "5");
	(void)world_until_ended(aw->w, id);
	api_world_code(aw, id, code);
	check_says(aw, id, "not it", "wrong", "4");
	check(aw, id, code, aw->verify, &a);
	assert_true(span_is(buf_view(&a.body),
			    "{\"approved\":true,\"status\":\"approved\"}"));
	http_answer_free(&a);
	check_says(aw, id, code, "used", "0");

	ask(aw,
	    &(struct api_ask){.method = "GET",
			      .path = path_of(id, ""),
			      .token = aw->verify},
	    200, &a);
	assert_string_equal(api_world_text(&a, "status"), "approved");
	assert_string_equal(api_world_text(&a, "method"), "api");
	assert_non_null(strstr(a.body.p, "\"outcome\":\"answered\""));
	http_answer_free(&a);
}

TEST(a_keypad_approves_in_the_call)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	struct http_answer a;

	api_world_create(aw, TYPES, "keypad", id);
	(void)world_until_over(aw->w, id);
	ask(aw,
	    &(struct api_ask){.method = "GET",
			      .path = path_of(id, ""),
			      .token = aw->verify},
	    200, &a);

	assert_string_equal(api_world_text(&a, "status"), "approved");
	assert_string_equal(api_world_text(&a, "method"), "keypad");
	http_answer_free(&a);
	post(aw, path_of(id, "/cancel"), NULL, 409, "conflict");
}

static void strip(struct http_answer *a)
{
	static const char *const changes[] = {"X-Request-Id: ", "Date: "};

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		char *at = strstr(a->head.p, changes[i]);

		assert_non_null(at);
		at += strlen(changes[i]);
		memset(at, '-', strcspn(at, "\r"));
	}
}

TEST(a_front_end_key_learns_yes_or_no_and_nothing_else)
{
	struct api_world *aw = *state;
	char live[VERIFICATION_ID_BYTES], gone[VERIFICATION_ID_BYTES];
	char code[CODE_BYTES];
	struct http_answer no[5];
	struct http_answer yes;

	api_world_create(aw, LISTENS, "speak", gone);
	(void)world_until_ended(aw->w, gone);
	world_pass(aw->w, WORLD_HOUR_MS / 4);
	api_world_create(aw, LISTENS, "speak", live);
	(void)world_until_ended(aw->w, live);

	check(aw, live, "not it", aw->check, &no[0]);
	check(aw, gone, "000000", aw->check, &no[1]);
	check(aw, "ver_unknown", "000000", aw->check, &no[2]);
	check(aw, "ver_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "000000", aw->check,
	      &no[3]);
	/* another application's: unknown */
	check(aw, live, "000000", aw->other, &no[4]);
	http_answer_free(&no[4]);
	api_world_code(aw, live, code);
	check(aw, live, code, aw->check, &yes);
	check(aw, live, code, aw->check, &no[4]);

	assert_true(span_is(buf_view(&yes.body),
			    "{\"approved\":true,\"status\":\"approved\"}"));
	for (size_t i = 0; i < COUNT_OF(no); i++) {
		assert_true(
			span_is(buf_view(&no[i].body), "{\"approved\":false}"));
		strip(&no[i]);
		assert_string_equal(no[i].head.p, no[0].head.p);
	}
	for (size_t i = 0; i < COUNT_OF(no); i++)
		http_answer_free(&no[i]);
	http_answer_free(&yes);
}

TEST(what_belongs_to_another_application_is_unknown)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	static const struct {
		const char *method, *below;
	} asks[] = {{"GET", ""},
		    {"POST", "/cancel"},
		    {"POST", "/call"},
		    {"GET", "/events"}};
	struct http_answer a;

	api_world_create(aw, BUSY, "speak", id);
	for (size_t i = 0; i < COUNT_OF(asks); i++)
		expect(aw,
		       &(struct api_ask){.method = asks[i].method,
					 .path = path_of(id, asks[i].below),
					 .token = aw->other},
		       404, "not_found");
	for (size_t i = 0; i < COUNT_OF(asks); i++)
		expect(aw,
		       &(struct api_ask){.method = asks[i].method,
					 .path = path_of("ver_none",
							 asks[i].below),
					 .token = aw->verify},
		       404, "not_found");
	check(aw, id, "000000", aw->other, &a);
	assert_string_equal(api_world_text(&a, "reason"), "unknown");
	http_answer_free(&a);
}

TEST(a_cancel_ends_it_once)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	struct http_answer a;

	api_world_create(aw, BUSY, "speak", id);
	ask(aw,
	    &(struct api_ask){.method = "POST",
			      .path = path_of(id, "/cancel"),
			      .token = aw->verify,
			      .body = "{}"},
	    200, &a);
	assert_string_equal(api_world_text(&a, "status"), "canceled");
	http_answer_free(&a);

	/* once more is fine */
	post(aw, path_of(id, "/cancel"), NULL, 200, "");
	post(aw, path_of(id, "/call"), NULL, 409, "conflict");
}

TEST(a_busy_phone_is_called_again)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];

	api_world_create(aw, BUSY, "speak", id);
	(void)world_until_ended(aw->w, id);

	post(aw, path_of(id, "/call"), NULL, 202, "");
}

TEST(calling_again_is_held_by_the_same_limits)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];

	world_script(aw->w, REAL, TEL_SCRIPT_BUSY);
	api_world_create(aw, REAL, "speak", id);
	(void)world_until_ended(aw->w, id);

	post(aw, path_of(id, "/call"), NULL, 429, "rate_limited");
}

/* --- pages -------------------------------------------------------------------------------- */

TEST(lists_are_narrowed_and_turned_over)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], path[256];
	struct http_answer a;

	for (int i = 0; i < 3; i++) {
		api_world_create(aw, BUSY, "speak", id);
		world_pass(aw->w, 1000);
	}
	post(aw, path_of(id, "/cancel"), NULL, 200, "");

	get(aw, ALL "?status=pending&country=ZZ&limit=2", 200, "");
	get(aw, ALL "?since=2020-01-01T00:00:00Z&until=2090-01-01T00:00:00Z",
	    200, "");
	ask(aw,
	    &(struct api_ask){.method = "GET",
			      .path = ALL "?limit=1",
			      .token = aw->verify},
	    200, &a);
	(void)snprintf(path, sizeof(path), ALL "?limit=1&cursor=%s",
		       api_world_text(&a, "next"));
	http_answer_free(&a);
	ask(aw,
	    &(struct api_ask){
		    .method = "GET", .path = path, .token = aw->verify},
	    200, &a);
	assert_null(strstr(a.body.p, id)); /* that was on the first page */
	http_answer_free(&a);
	get(aw, ALL "?status=canceled", 200, "");
}

TEST(a_list_s_arguments_are_held_to)
{
	static const struct {
		const char *path, *code;
	} bad[] = {
		{ALL "?status=lost", "invalid_field"},
		{ALL "?country=usa", "invalid_field"},
		{ALL "?since=yesterday", "invalid_field"},
		{ALL "?until=1", "invalid_field"},
		{ALL "?limit=0", "invalid_field"},
		{ALL "?limit=201", "invalid_field"},
		{ALL "?limit=many", "invalid_field"},
		{ALL "?cursor=nonsense", "invalid_field"},
		{ALL "?to=%2B15555550110", "unknown_field"},
	};
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		get(aw, bad[i].path, 400, bad[i].code);
}

TEST(a_number_is_searched_in_the_body)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	struct http_answer a;

	api_world_create(aw, BUSY, "speak", id);
	ask(aw,
	    &(struct api_ask){.method = "POST",
			      .path = ALL "/search",
			      .token = aw->verify,
			      .body = "{\"to\":\"" BUSY "\",\"limit\":5}"},
	    200, &a);
	assert_non_null(strstr(a.body.p, id));
	http_answer_free(&a);
	post(aw, ALL "/search", "{\"to\":\"" LISTENS "\"}", 200, "");
	post(aw, ALL "/search", "{\"to\":\"+1\"}", 422, "number_invalid");
	post(aw, ALL "/search", "{\"to\":\"" BUSY "\",\"limit\":0}", 400,
	     "invalid_field");
}

/* --- the rest -------------------------------------------------------------------------------- */

TEST(explaining_names_the_rule_and_does_nothing)
{
	struct api_world *aw = *state;
	struct http_answer a;

	post(aw, "/v1/explain", "{\"to\":\"" LISTENS "\"}", 200, "");
	ask(aw,
	    &(struct api_ask){.method = "POST",
			      .path = "/v1/explain",
			      .token = aw->verify,
			      .body = "{\"to\":\"" ABROAD "\"}"},
	    200, &a);
	assert_string_equal(api_world_text(&a, "code"), "country_not_allowed");
	assert_non_null(strstr(a.body.p, "\"allowed\":false"));
	http_answer_free(&a);
	post(aw, "/v1/explain", "{\"to\":\"1\"}", 422, "number_invalid");
	ask(aw,
	    &(struct api_ask){
		    .method = "GET", .path = ALL, .token = aw->verify},
	    200, &a);
	assert_true(span_is(buf_view(&a.body), "{\"items\":[],\"next\":null}"));
	http_answer_free(&a);
}

static void open_events(struct api_world *aw, const char *path,
			const char *last, int status)
{
	AUTO_BUF(head, 8192);
	const struct api_ask what = {.method = "GET",
				     .path = path,
				     .token = aw->verify,
				     .headers = last};
	struct http_answer a;
	int fd;

	if (status != 200) {
		ask(aw, &what, status, &a);
		http_answer_free(&a);
		return;
	}
	fd = api_world_send(aw, &what);
	api_world_await(aw, fd);
	http_read_until(fd, "\r\n\r\n", &head);
	assert_non_null(strstr(head.p, "HTTP/1.1 200"));
	assert_non_null(strstr(head.p, "Content-Type: text/event-stream\r\n"));
	contract_hold(contract, "GET", path, 200, "text/event-stream",
		      (struct span){0});
	(void)close(fd);
}

TEST(event_streams_open_or_say_why_not)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];

	api_world_create(aw, BUSY, "speak", id);

	open_events(aw, path_of(id, "/events"), NULL, 200);
	open_events(aw, path_of(id, "/events"), "Last-Event-ID: x\r\n", 400);
	open_events(aw, "/v1/events", NULL, 200);
	open_events(aw, "/v1/events", "Last-Event-ID: x\r\n", 400);
}

TEST(anyone_may_ask_whether_it_is_well)
{
	struct api_world *aw = *state;
	static const char *const paths[] = {"/healthz", "/readyz", "/metrics"};

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		expect(aw, &(struct api_ask){.method = "GET", .path = paths[i]},
		       200, "");
}

/* --- the lines ---------------------------------------------------------------------- */

static void get_as(struct api_world *aw, const char *token, const char *path,
		   int status, struct http_answer *out)
{
	const struct api_ask what = {
		.method = "GET", .path = path, .token = token};

	ask(aw, &what, status, out);
}

static bool says(const struct http_answer *a, const char *text)
{
	return memmem(a->body.p, a->body.n, text, strlen(text)) != NULL;
}

/* A call over the trunk, with its signalling; its id. */
static void call_traced(struct api_world *aw, char id[VERIFICATION_ID_BYTES])
{
	static const struct pump_stats media = {
		.sent = 500, .received = 480, .jitter_us = 1250};
	static const struct tel_record record = {
		.media = &media,
		.trace = "INVITE sip:8085550123@example.net SIP/2.0\r\n"};
	const struct api_ask what = {.method = "POST",
				     .path = ALL,
				     .token = aw->admin,
				     .body = "{\"to\":\"" ROUTED
					     "\",\"trace\":true}"};
	struct http_answer a;

	aw->trunks->at[0].record = &record;
	ask(aw, &what, 201, &a);
	(void)snprintf(id, VERIFICATION_ID_BYTES, "%s",
		       api_world_text(&a, "id"));
	http_answer_free(&a);
	(void)world_until_ended(aw->w, id);
}

TEST(a_call_shows_what_was_counted_of_it)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	struct http_answer a;

	call_traced(aw, id);
	get_as(aw, aw->verify, path_of(id, ""), 200, &a);

	assert_true(says(&a, "\"route\":\"main\""));
	assert_true(says(&a, "\"media\":{\"sent\":500,\"received\":480,"
			     "\"lost\":0,\"jitter_ms\":1.250,"
			     "\"far_lost\":null,\"far_jitter_ms\":null,"
			     "\"rtt_ms\":null}"));
	http_answer_free(&a);
}

TEST(a_trace_is_for_those_who_operate_it)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], plain[VERIFICATION_ID_BYTES];
	struct http_answer a;

	call_traced(aw, id);
	api_world_create(aw, BUSY, "speak", plain);

	get_as(aw, aw->admin, path_of(id, "/trace"), 200, &a);
	assert_true(says(&a, "INVITE sip:xxxxxxxx23@example.net"));
	http_answer_free(&a);
	get_as(aw, aw->verify, path_of(id, "/trace"), 403, &a);
	http_answer_free(&a);
	get_as(aw, aw->admin, path_of(plain, "/trace"), 404, &a);
	http_answer_free(&a);
	post(aw, ALL, "{\"to\":\"" ROUTED "\",\"trace\":true}", 403,
	     "forbidden");
	post(aw, ALL, "{\"to\":\"" ROUTED "\",\"trace\":1}", 400,
	     "invalid_field");
}

TEST(what_calls_did_is_told_step_by_step)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	struct http_answer a;

	api_world_create(aw, LISTENS, "speak", id);
	(void)world_until_ended(aw->w, id);
	get_as(aw, aw->verify, path_of(id, "/runs"), 200, &a);
	assert_true(says(&a, "\"node\":\"Call\""));
	http_answer_free(&a);
	get_as(aw, NULL, path_of(id, "/runs"), 401, &a);
	http_answer_free(&a);
	get_as(aw, aw->check, path_of(id, "/runs"), 403, &a);
	http_answer_free(&a);
	get_as(aw, aw->other, path_of(id, "/runs"), 404, &a);
	http_answer_free(&a);
}

TEST(trunks_are_shown_to_those_who_operate_them)
{
	struct api_world *aw = *state;
	struct http_answer a;

	trunk_turns(&aw->trunks->at[0], TEL_DOWN);
	world_settle(aw->w);

	get_as(aw, aw->admin, "/v1/trunks", 200, &a);
	assert_true(says(&a, "{\"name\":\"main\",\"state\":\"down\","
			     "\"why\":\"silent\",\"sip_code\":null"));
	http_answer_free(&a);
	get_as(aw, aw->verify, "/v1/trunks", 403, &a);
	http_answer_free(&a);
	get_as(aw, NULL, "/metrics", 200, &a);
	assert_true(says(&a, "voiceotp_trunk_state{trunk=\"main\","
			     "state=\"down\"} 1\n"));
	assert_true(says(&a, "voiceotp_trunk_failures_total{trunk=\"main\"} "
			     "1\n"));
	http_answer_free(&a);
}

/* From here on no file may grow: the disk is full. */
static void disk_full(bool full)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(a_full_disk_is_503_and_nothing_is_lost)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], there[VERIFICATION_ID_BYTES];

	api_world_create(aw, BUSY, "speak", id);
	api_world_create(aw, BUSY, "speak", there);
	(void)world_until_ended(aw->w, there);

	disk_full(true);
	post(aw, ALL, "{\"to\":\"" BUSY "\"}", 503, "store_unavailable");
	post(aw, path_of(id, "/check"), "{\"code\":\"1\"}", 503,
	     "store_unavailable");
	post(aw, path_of(id, "/cancel"), NULL, 503, "store_unavailable");
	post(aw, path_of(there, "/call"), NULL, 503, "store_unavailable");
	expect(aw, &(struct api_ask){.method = "GET", .path = "/readyz"}, 503,
	       "");
	get(aw, path_of(id, ""), 200, "");
	disk_full(false);

	post(aw, path_of(id, "/cancel"), NULL, 200, "");
	expect(aw, &(struct api_ask){.method = "GET", .path = "/readyz"}, 200,
	       "");
}

/* --- the file itself ---------------------------------------------------------------------------- */

static void hold_fields(const char *schema, const struct api_field *fields)
{
	const json_t *s = contract_schema(contract, schema);
	const json_t *properties = json_object_get(s, "properties");
	const json_t *required = json_object_get(s, "required"), *name;
	size_t n = 0, needed = 0, i;

	for (; fields[n].name; n++) {
		assert_non_null(json_object_get(properties, fields[n].name));
		needed += fields[n].required;
	}
	assert_int_equal(n, json_object_size(properties));
	assert_int_equal(needed, json_array_size(required));
	json_array_foreach(
		required, i,
		name) for (n = 0; fields[n].name;
			   n++) if (strcmp(fields[n].name,
					   json_string_value(name)) == 0)
		assert_true(fields[n].required);
}

TEST(the_fields_of_requests_are_those_of_the_contract)
{
	hold_fields("Create", api_create_fields);
	hold_fields("Check", api_check_fields);
	hold_fields("Search", api_search_fields);
}

TEST(the_codes_of_the_contract_are_in_the_table)
{
	static const char *const table[] = {
#define ERROR(code, status, title) #code,
#include "api/errors.def"
#undef ERROR
	};
	const json_t *codes =
		json_object_get(contract_schema(contract, "Code"), "enum");
	const json_t *code;
	size_t i;

	json_array_foreach(codes, i, code)
	{
		bool found = false;

		for (size_t k = 0; k < COUNT_OF(table); k++)
			found |= strcmp(table[k], json_string_value(code)) == 0;
		assert_true(found);
	}
}

TEST(everything_in_the_contract_was_seen)
{
	/* those are held in test_flows.c */
	contract_held_below(contract, "/v1/flows", false);
}

#define IN_A_WORLD(name)                                       \
	cmocka_unit_test_setup_teardown(name, api_world_setup, \
					api_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(nothing_is_done_without_a_key),
		IN_A_WORLD(a_key_does_what_its_scopes_say),
		IN_A_WORLD(a_body_of_64_kib_is_too_large),
		IN_A_WORLD(a_body_that_is_no_json_is_told_where),
		IN_A_WORLD(a_field_that_is_not_known_is_refused),
		IN_A_WORLD(a_webhook_that_may_not_be_asked_is_refused),
		IN_A_WORLD(what_was_told_is_shown_and_told_once_more),
		IN_A_WORLD(a_create_answers_what_was_made),
		IN_A_WORLD(only_the_answer_to_a_reverse_create_holds_a_code),
		IN_A_WORLD(a_field_that_cannot_be_is_named),
		IN_A_WORLD(a_number_that_is_not_called_names_the_rule),
		IN_A_WORLD(a_number_is_called_once_in_30_seconds),
		IN_A_WORLD(an_idempotency_key_makes_one_of_two),
		IN_A_WORLD(a_basic_key_is_as_good),
		IN_A_WORLD(a_code_is_approved_once),
		IN_A_WORLD(a_keypad_approves_in_the_call),
		IN_A_WORLD(a_front_end_key_learns_yes_or_no_and_nothing_else),
		IN_A_WORLD(what_belongs_to_another_application_is_unknown),
		IN_A_WORLD(a_cancel_ends_it_once),
		IN_A_WORLD(a_busy_phone_is_called_again),
		IN_A_WORLD(calling_again_is_held_by_the_same_limits),
		IN_A_WORLD(lists_are_narrowed_and_turned_over),
		IN_A_WORLD(a_list_s_arguments_are_held_to),
		IN_A_WORLD(a_number_is_searched_in_the_body),
		IN_A_WORLD(explaining_names_the_rule_and_does_nothing),
		IN_A_WORLD(event_streams_open_or_say_why_not),
		IN_A_WORLD(anyone_may_ask_whether_it_is_well),
		IN_A_WORLD(a_call_shows_what_was_counted_of_it),
		IN_A_WORLD(a_trace_is_for_those_who_operate_it),
		IN_A_WORLD(what_calls_did_is_told_step_by_step),
		IN_A_WORLD(trunks_are_shown_to_those_who_operate_them),
		IN_A_WORLD(a_full_disk_is_503_and_nothing_is_lost),
		cmocka_unit_test(
			the_fields_of_requests_are_those_of_the_contract),
		cmocka_unit_test(the_codes_of_the_contract_are_in_the_table),
		cmocka_unit_test(everything_in_the_contract_was_seen),
	};

	return cmocka_run_group_tests_name("api/contract", tests, open_all,
					   close_all);
}
