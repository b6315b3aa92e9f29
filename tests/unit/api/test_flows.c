// SPDX-License-Identifier: Apache-2.0
/*
 * test_flows.c - flows over HTTP, held against docs/openapi.yaml: drafts that
 * two people edit, versions that stay, and what is told of errors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/json.h"
#include "base/mem.h"
#include "service/flows.h"
#include "support/api_world.h"
#include "support/contract.h"
#include "support/test.h"

#define LISTENS "+15555550110"
#define FLOWS "/v1/flows"
#define GOOD                                                                  \
	"{\"format\":\"voiceflow/1\",\"name\":\"Hello\",\"start\":\"Start\"," \
	"\"nodes\":[{\"id\":\"Start\",\"type\":\"start\",\"config\":{"        \
	"\"params\":[{\"name\":\"to\",\"required\":true,\"sample\":\"+"       \
	"15005550006\"}]},"                                                   \
	"\"on\":{\"api_request\":\"Call\"}},"                                 \
	"{\"id\":\"Call\",\"type\":\"call\","                                 \
	"\"config\":{\"to\":\"{{Start.http.params.to}}\"},"                   \
	"\"on\":{\"answered\":\"Say\"}},"                                     \
	"{\"id\":\"Say\",\"type\":\"speak-code\",\"on\":{\"completed\":"      \
	"\"Bye\",\"reported\":\"Bye\"}},"                                     \
	"{\"id\":\"Bye\",\"type\":\"hangup\"}]}"
#define BAD                                                                 \
	"{\"format\":\"voiceflow/1\",\"name\":\"Bad\",\"start\":\"Start\"," \
	"\"nodes\":[{\"id\":\"Start\",\"type\":\"start\","                  \
	"\"on\":{\"api_request\":\"Nowhere\"}}]}"

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

static void ask(struct api_world *aw, const struct api_ask *what, int status,
		struct http_answer *out)
{
	AUTO_FREE char *path = b_strndup(what->path, strcspn(what->path, "?"));

	api_world_ask_for(aw, what, status, out);
	contract_hold(contract, what->method, path, status,
		      http_header(out, "Content-Type"), buf_view(&out->body));
}

/* For who wants the code of the problem alone ("" for none). */
static void expect(struct api_world *aw, const struct api_ask *what, int status,
		   const char *code)
{
	struct http_answer a;

	ask(aw, what, status, &a);
	if (*code)
		assert_string_equal(api_world_text(&a, "code"), code);
	http_answer_free(&a);
}

static const char *path_of(const char *id, const char *below)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), FLOWS "/%s%s", id, below);
	return path;
}

static struct api_ask say(const struct api_world *aw, const char *method,
			  const char *path, const char *body)
{
	return (struct api_ask){.method = method,
				.path = path,
				.token = aw->flows,
				.body = body};
}

/* A member of a member, as text. */
static void inner(const struct http_answer *a, const char *member,
		  const char *name, char *out, size_t size)
{
	AUTO_JSON json_t *o = json_loadb(a->body.p, a->body.n, 0, NULL);
	const json_t *v = json_object_get(json_object_get(o, member), name);

	if (json_is_integer(v))
		(void)snprintf(out, size, "%lld",
			       (long long)json_integer_value(v));
	else
		(void)snprintf(out, size, "%s",
			       json_is_string(v) ? json_string_value(v) : "");
}

static void add(struct api_world *aw, const char *document,
		char id[VERIFICATION_FLOW_BYTES])
{
	struct http_answer a;
	AUTO_BUF(body, HTTP_MAX);

	buf_printf(&body, "{\"document\":%s}", document);
	{
		const struct api_ask what = say(aw, "POST", FLOWS, body.p);

		ask(aw, &what, 201, &a);
	}
	inner(&a, "flow", "id", id, VERIFICATION_FLOW_BYTES);
	http_answer_free(&a);
}

static void publish(struct api_world *aw, const char *id)
{
	const struct api_ask what = say(aw, "POST", path_of(id, "/publish"),
					"{\"message\":\"as told\"}");

	expect(aw, &what, 200, "");
}

static void etag_of(struct api_world *aw, const char *id, char out[64])
{
	const struct api_ask what = say(aw, "GET", path_of(id, ""), NULL);
	struct http_answer a;

	ask(aw, &what, 200, &a);
	inner(&a, "draft", "etag", out, 64);
	http_answer_free(&a);
}

/* PUT of the draft that was made from the one with this etag. */
static void save(struct api_world *aw, const char *id, const char *etag,
		 const char *document, int status, struct http_answer *out)
{
	char headers[128];
	struct api_ask what = say(aw, "PUT", path_of(id, "/draft"), document);

	(void)snprintf(headers, sizeof(headers), "If-Match: \"%s\"\r\n", etag);
	if (etag)
		what.headers = headers;
	ask(aw, &what, status, out);
}

/* --- who may ------------------------------------------------------------------------ */

static const struct {
	const char *method, *below, *body;
} all[] = {
	{"GET", "", NULL},
	{"DELETE", "", NULL},
	{"GET", "/draft", NULL},
	{"PUT", "/draft", GOOD},
	{"POST", "/validate", NULL},
	{"POST", "/publish", "{\"message\":\"m\"}"},
	{"GET", "/versions", NULL},
	{"POST", "/test", "{}"},
	{"GET", "/versions/1", NULL},
	{"POST", "/versions/1/restore", NULL},
	{"GET", "/versions/1/diff/draft", NULL},
	{"GET", "/export", NULL},
	{"GET", "/runs/run_0", NULL},
	{"DELETE", "/runs/run_0", NULL},
	{"GET", "/runs/run_0/events", NULL},
};
static const struct {
	const char *method, *path, *body;
} whole[] = {
	{"GET", FLOWS, NULL},
	{"POST", FLOWS, "{}"},
	{"POST", FLOWS "/import", GOOD},
	{"POST", FLOWS "/validate", GOOD},
};

TEST(flows_are_for_keys_of_that_scope)
{
	struct api_world *aw = *state;
	const char *const tokens[] = {NULL, aw->verify};

	for (size_t k = 0; k < COUNT_OF(tokens); k++) {
		int status = tokens[k] ? 403 : 401;

		for (size_t i = 0; i < COUNT_OF(all); i++)
			expect(aw,
			       &(struct api_ask){.method = all[i].method,
						 .path = path_of("speak",
								 all[i].below),
						 .token = tokens[k],
						 .body = all[i].body},
			       status,
			       tokens[k] ? "forbidden" : "unauthorized");
		for (size_t i = 0; i < COUNT_OF(whole); i++)
			expect(aw,
			       &(struct api_ask){.method = whole[i].method,
						 .path = whole[i].path,
						 .token = tokens[k],
						 .body = whole[i].body},
			       status,
			       tokens[k] ? "forbidden" : "unauthorized");
	}
}

TEST(what_is_not_there_is_not_found)
{
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct api_ask what = say(
			aw, all[i].method,
			path_of("flw_000000000000000000000000", all[i].below),
			all[i].body);

		what.headers = "If-Match: *\r\n";
		expect(aw, &what, 404, "not_found");
	}
}

TEST(the_program_s_own_flows_are_read_and_stay)
{
	struct api_world *aw = *state;
	struct api_ask what = say(aw, "GET", FLOWS, NULL);
	struct http_answer a;

	ask(aw, &what, 200, &a);
	assert_non_null(strstr(a.body.p, "\"id\":\"speak\""));
	http_answer_free(&a);
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (strstr(all[i].below, "/runs/"))
			continue; /* it has none */
		bool changes = strcmp(all[i].method, "DELETE") == 0 ||
			       strcmp(all[i].method, "PUT") == 0 ||
			       strstr(all[i].below, "publish") ||
			       strstr(all[i].below, "restore");

		what = say(aw, all[i].method, path_of("speak", all[i].below),
			   all[i].body);
		what.headers = "If-Match: *\r\n";
		expect(aw, &what, changes ? 403 : 200,
		       changes ? "forbidden" : "");
	}
}

/* --- drafts ----------------------------------------------------------------------------- */

TEST(a_draft_may_have_errors_and_is_not_published_with_them)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES], state_text[80];
	struct api_ask what;
	struct http_answer a;

	add(aw, BAD, id);
	what = say(aw, "GET", path_of(id, ""), NULL);
	ask(aw, &what, 200, &a);
	(void)snprintf(state_text, sizeof(state_text), "%s",
		       api_world_text(&a, "state"));
	http_answer_free(&a);
	what = say(aw, "POST", FLOWS "/validate", BAD);
	ask(aw, &what, 200, &a);
	assert_non_null(strstr(a.body.p, "\"valid\":false"));
	http_answer_free(&a);
	what = say(aw, "POST", path_of(id, "/publish"),
		   "{\"message\":\"too early\"}");
	ask(aw, &what, 422, &a);

	assert_string_equal(state_text, "Draft only, draft has 1 error");
	assert_string_equal(api_world_text(&a, "code"), "flow_invalid");
	assert_non_null(strstr(a.body.p, "\"code\":\"dangling_edge\""));
	assert_non_null(
		strstr(a.body.p, "\"path\":\"/nodes/0/on/api_request\""));
	http_answer_free(&a);
}

TEST(two_who_edit_at_once_are_told_apart)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES], etag[64];
	struct http_answer a;

	add(aw, GOOD, id);
	etag_of(aw, id, etag);
	save(aw, id, etag, BAD, 200, &a);
	http_answer_free(&a);
	save(aw, id, etag, GOOD, 412, &a);

	assert_string_equal(api_world_text(&a, "code"), "precondition_failed");
	assert_non_null(strstr(a.body.p, "\"base_known\":true"));
	assert_non_null(strstr(a.body.p, "\"theirs\":[{"));
	assert_non_null(strstr(a.body.p, "\"yours\":[]"));
	http_answer_free(&a);
}

TEST(a_save_says_what_it_was_made_from)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES];
	struct api_ask what;

	add(aw, GOOD, id);
	what = say(aw, "PUT", path_of(id, "/draft"), GOOD);

	expect(aw, &what, 428, "precondition_required");
}

TEST(a_document_that_is_none_is_refused)
{
	struct api_world *aw = *state;
	AUTO_FREE char *large = b_zero(1, 2 * FLOW_DOCUMENT_MAX + 2);
	char id[VERIFICATION_FLOW_BYTES];
	static const char *const bad[] = {"{", "[]", "{\"a\":1,\"a\":2}"};
	struct api_ask what;

	memset(large, ' ', 2 * FLOW_DOCUMENT_MAX + 1);
	add(aw, GOOD, id);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		what = say(aw, "PUT", path_of(id, "/draft"), bad[i]);
		what.headers = "If-Match: *\r\n";
		expect(aw, &what, 400, "invalid_json");
		what = say(aw, "POST", path_of(id, "/validate"), bad[i]);
		expect(aw, &what, 400, "invalid_json");
		what = say(aw, "POST", FLOWS "/validate", bad[i]);
		expect(aw, &what, 400, "invalid_json");
		what = say(aw, "POST", FLOWS "/import", bad[i]);
		expect(aw, &what, 400, "invalid_json");
		what = say(aw, "POST", FLOWS, bad[i]);
		expect(aw, &what, 400, "invalid_json");
	}
	what = say(aw, "PUT", path_of(id, "/draft"), large);
	expect(aw, &what, 413, "body_too_large");
	what = say(aw, "POST", FLOWS, large);
	expect(aw, &what, 413, "body_too_large");
	what = say(aw, "POST", path_of(id, "/publish"), "{}");
	expect(aw, &what, 400, "missing_field");
	what = say(aw, "GET", path_of(id, "/versions?limit=0"), NULL);
	expect(aw, &what, 400, "invalid_field");
	what = say(aw, "GET", FLOWS "?cursor=nonsense", NULL);
	expect(aw, &what, 400, "invalid_field");
	what = say(aw, "GET", path_of(id, "/export?nothing=1"), NULL);
	expect(aw, &what, 400, "unknown_field");
}

TEST(a_draft_goes_out_as_it_came_in_in_canonical_form)
{
	struct api_world *aw = *state;
	AUTO_JSON json_t *document = json_loads(GOOD, 0, NULL);
	AUTO_FREE char *canonical = flow_canonical(document);
	char id[VERIFICATION_FLOW_BYTES];
	struct api_ask what;
	struct http_answer a;

	add(aw, GOOD, id);
	what = say(aw, "GET", path_of(id, "/draft"), NULL);
	ask(aw, &what, 200, &a);

	assert_true(span_is(buf_view(&a.body), canonical));
	assert_non_null(http_header(&a, "ETag"));
	http_answer_free(&a);
}

TEST(an_import_is_a_draft_with_a_report)
{
	struct api_world *aw = *state;
	struct api_ask what = say(aw, "POST", FLOWS "/import", GOOD);
	struct http_answer a;

	ask(aw, &what, 201, &a);

	assert_non_null(strstr(a.body.p, "\"report\":["));
	assert_non_null(strstr(a.body.p, "\"published_version\":null"));
	http_answer_free(&a);
}

/* --- versions --------------------------------------------------------------------------- */

TEST(a_version_stays_and_is_restored)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES], state_text[80];
	struct api_ask what;
	struct http_answer a;

	add(aw, GOOD, id);
	publish(aw, id);
	save(aw, id, "*", BAD, 200, &a);
	inner(&a, "flow", "state", state_text, sizeof(state_text));
	http_answer_free(&a);
	assert_string_equal(state_text, "Published v1, draft has 1 error");
	what = say(aw, "GET", path_of(id, "/versions/1/diff/draft"), NULL);
	ask(aw, &what, 200, &a);
	assert_non_null(strstr(a.body.p, "\"kind\":\"removed\""));
	http_answer_free(&a);
	what = say(aw, "POST", path_of(id, "/versions/1/restore"), NULL);
	ask(aw, &what, 200, &a);
	inner(&a, "flow", "state", state_text, sizeof(state_text));
	http_answer_free(&a);
	what = say(aw, "GET", path_of(id, "/versions"), NULL);
	ask(aw, &what, 200, &a);

	assert_string_equal(state_text, "Published v1");
	assert_non_null(strstr(a.body.p, "\"message\":\"as told\""));
	http_answer_free(&a);
	what = say(aw, "GET", path_of(id, "/versions/1"), NULL);
	expect(aw, &what, 200, "");
	what = say(aw, "GET", path_of(id, "/export?version=1"), NULL);
	expect(aw, &what, 200, "");
}

TEST(one_text_has_one_etag_as_a_draft_and_as_a_version)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES], draft[64];
	struct api_ask what;
	struct http_answer a;

	add(aw, GOOD, id);
	publish(aw, id);
	what = say(aw, "GET", path_of(id, "/draft"), NULL);
	ask(aw, &what, 200, &a);
	(void)snprintf(draft, sizeof(draft), "%s", http_header(&a, "ETag"));
	http_answer_free(&a);
	what = say(aw, "GET", path_of(id, "/export?version=1"), NULL);
	ask(aw, &what, 200, &a);

	assert_int_equal(strlen(draft), SERVICE_FLOW_ETAG_BYTES - 1 + 2);
	assert_string_equal(http_header(&a, "ETag"), draft);
	http_answer_free(&a);
}

TEST(a_publish_heeds_the_draft_that_was_looked_at)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES];
	struct api_ask what;

	add(aw, GOOD, id);
	what = say(aw, "POST", path_of(id, "/publish"), "{\"message\":\"m\"}");
	what.headers = "If-Match: \"00000000000000000000000000000000\"\r\n";

	expect(aw, &what, 412, "precondition_failed");
}

static void create(struct api_world *aw, const char *flow, const char *token,
		   int status, struct http_answer *out)
{
	char body[256];

	(void)snprintf(body, sizeof(body),
		       "{\"to\":\"" LISTENS
		       "\",\"flow\":\"%s\",\"params\":{\"to\":\"" LISTENS
		       "\"}}",
		       flow);
	api_world_ask(aw,
		      &(struct api_ask){.method = "POST",
					.path = "/v1/verifications",
					.token = token,
					.body = body},
		      out);
	if (out->status != status)
		fail_msg("%d: %.*s", out->status, (int)out->body.n,
			 out->body.p);
}

TEST(a_published_flow_is_run_by_its_application_alone)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES], ver[VERIFICATION_ID_BYTES];
	struct http_answer a;
	struct verification v;

	add(aw, GOOD, id);
	create(aw, id, aw->verify, 422, &a);
	assert_string_equal(api_world_text(&a, "code"), "flow_not_published");
	http_answer_free(&a);
	publish(aw, id);
	create(aw, id, aw->other, 422, &a);
	http_answer_free(&a);
	create(aw, id, aw->verify, 201, &a);
	assert_string_equal(api_world_text(&a, "flow_version"), "1");
	(void)snprintf(ver, sizeof(ver), "%s", api_world_text(&a, "id"));
	http_answer_free(&a);
	v = world_until_ended(aw->w, ver).v;

	assert_int_equal(v.legs[0].outcome, LEG_ANSWERED);
	assert_true(v.legs[0].spoken);
}

TEST(a_flow_goes_when_nobody_uses_it)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES], ver[VERIFICATION_ID_BYTES];
	struct api_ask what;
	struct http_answer a;

	add(aw, GOOD, id);
	publish(aw, id);
	create(aw, id, aw->verify, 201, &a);
	(void)snprintf(ver, sizeof(ver), "%s", api_world_text(&a, "id"));
	http_answer_free(&a);
	what = say(aw, "DELETE", path_of(id, ""), NULL);
	expect(aw, &what, 409, "conflict");
	(void)world_cancel(aw->w, ver);
	what = say(aw, "DELETE", path_of(id, ""), NULL);
	expect(aw, &what, 200, "");

	what = say(aw, "GET", path_of(id, ""), NULL);
	expect(aw, &what, 404, "not_found");
	create(aw, id, aw->verify, 422, &a);
	http_answer_free(&a);
}

/* --- tests -------------------------------------------------------------------------------- */

static void try_it(struct api_world *aw, const char *id, const char *body,
		   int status, struct http_answer *out)
{
	const struct api_ask what = say(aw, "POST", path_of(id, "/test"), body);

	ask(aw, &what, status, out);
}

TEST(a_flow_is_tried_without_a_call)
{
	static const struct {
		const char *body, *said;
	} tries[] = {
		{"{}", "\"spoken\":true"},
		{"{\"outcome\":\"busy\"}", "\"outcome\":\"busy\""},
		{"{\"outcome\":\"no_answer\"}", "\"outcome\":\"no_answer\""},
		{"{\"outcome\":\"failed\"}", "\"sip_code\":503"},
		{"{\"outcome\":\"machine\"}", "\"mode\":\"test\""},
	};
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES];
	struct http_answer a;

	add(aw, GOOD, id);
	for (size_t i = 0; i < COUNT_OF(tries); i++) {
		try_it(aw, id, tries[i].body, 200, &a);
		if (!strstr(a.body.p, tries[i].said))
			fail_msg("%s", a.body.p);
		http_answer_free(&a);
	}
	assert_int_equal(aw->w->dials, 0);
}

static const char *run_path(const struct http_answer *a, const char *below)
{
	static char path[256];
	char flow[VERIFICATION_FLOW_BYTES];

	(void)snprintf(flow, sizeof(flow), "%s", api_world_text(a, "flow"));
	(void)snprintf(path, sizeof(path), FLOWS "/%s/runs/%s%s", flow,
		       api_world_text(a, "id"), below);
	return path;
}

static void read_run(struct api_world *aw, const char *method, const char *path,
		     const char *state, struct http_answer *out)
{
	const struct api_ask what = say(aw, method, path, NULL);

	ask(aw, &what, 200, out);
	assert_string_equal(api_world_text(out, "state"), state);
}

TEST(a_test_is_read_again_and_forgotten)
{
	struct api_world *aw = *state;
	struct http_answer a, b;
	struct api_ask what;

	try_it(aw, "speak", "{\"version\":1}", 200, &a);
	assert_string_equal(api_world_text(&a, "clock"), "instant");
	read_run(aw, "GET", run_path(&a, ""), "ended", &b);
	assert_true(span_is(buf_view(&a.body), b.body.p));
	http_answer_free(&b);
	what = say(aw, "GET", run_path(&a, "/events"), NULL);
	ask(aw, &what, 200, &b);
	assert_non_null(strstr(b.body.p, "event: run.ended\n"));
	http_answer_free(&b);
	read_run(aw, "DELETE", run_path(&a, ""), "ended", &b);
	http_answer_free(&b);

	what = say(aw, "GET", run_path(&a, ""), NULL);
	expect(aw, &what, 404, "not_found");
	http_answer_free(&a);
}

TEST(a_test_in_real_time_is_answered_before_it_is_over)
{
	struct api_world *aw = *state;
	struct http_answer a, b;

	try_it(aw, "speak", "{\"clock\":\"real\"}", 202, &a);
	assert_string_equal(api_world_text(&a, "state"), "running");
	assert_string_equal(api_world_text(&a, "phone"), "scripted");
	read_run(aw, "DELETE", run_path(&a, ""), "failed", &b);

	http_answer_free(&b);
	http_answer_free(&a);
}

/* Five minutes in which nobody says anything. */
#define SLOW                                                                 \
	"{\"format\":\"voiceflow/1\",\"name\":\"Slow\",\"start\":\"Start\"," \
	"\"limits\":{\"max_call_seconds\":600},"                             \
	"\"nodes\":[{\"id\":\"Start\",\"type\":\"start\","                   \
	"\"on\":{\"api_request\":\"Call\"}},"                                \
	"{\"id\":\"Call\",\"type\":\"call\","                                \
	"\"config\":{\"to\":\"{{verification.to}}\"},"                       \
	"\"on\":{\"answered\":\"Wait\"}},"                                   \
	"{\"id\":\"Wait\",\"type\":\"input\",\"config\":{\"max_digits\":1,"  \
	"\"first_digit_timeout_ms\":60000,\"tries\":5},"                     \
	"\"on\":{\"input\":\"Bye\",\"no_input\":\"Bye\"}},"                  \
	"{\"id\":\"Bye\",\"type\":\"hangup\"}]}"

TEST(so_many_tests_go_on_in_real_time)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES];
	struct http_answer a;

	add(aw, SLOW, id);

	for (unsigned i = 0; i < SERVICE_FLOW_TESTS_WAITING; i++) {
		try_it(aw, id, "{\"clock\":\"real\"}", 202, &a);
		http_answer_free(&a);
	}
	try_it(aw, id, "{\"clock\":\"real\"}", 503, &a);

	assert_string_equal(api_world_text(&a, "code"), "overloaded");
	http_answer_free(&a);
}

TEST(a_test_types_what_it_is_told)
{
	struct api_world *aw = *state;
	struct http_answer a;

	try_it(aw, "keypad", "{\"keys\":[\"000000\",\"111111\"]}", 200, &a);

	if (!strstr(a.body.p, "\"trigger\":\"mismatch\"") ||
	    strstr(a.body.p, "111111"))
		fail_msg("%s", a.body.p);
	http_answer_free(&a);
}

TEST(a_person_in_a_test_types_the_code_that_was_heard)
{
	struct api_world *aw = *state;
	struct http_answer a;

	try_it(aw, "keypad", NULL, 200, &a);

	if (!strstr(a.body.p, "\"trigger\":\"match\""))
		fail_msg("%s", a.body.p);
	http_answer_free(&a);
}

TEST(a_test_that_cannot_be_is_told_why)
{
	static const struct {
		const char *body, *field;
	} phones[] = {
		{"{\"clock\":\"slow\"}", "clock"},
		{"{\"phone\":\"+15005550006\"}", "phone"},
		{"{\"phone\":\"page\"}", "phone"}, /* there is none */
		{"{\"phone\":\"page\",\"clock\":\"instant\"}", "clock"},
		{"{\"phone\":\"page\",\"keys\":[\"1\"]}", "keys"},
	};
	struct api_world *aw = *state;
	char id[VERIFICATION_FLOW_BYTES];
	struct http_answer a;

	add(aw, BAD, id);
	try_it(aw, id, "{}", 422, &a);
	assert_string_equal(api_world_text(&a, "code"), "flow_invalid");
	http_answer_free(&a);
	try_it(aw, "speak", "{\"outcome\":\"unheard of\"}", 400, &a);
	http_answer_free(&a);
	try_it(aw, "speak", "{\"keys\":[\"abc\"]}", 400, &a);
	http_answer_free(&a);
	for (size_t i = 0; i < COUNT_OF(phones); i++) {
		try_it(aw, "speak", phones[i].body, 400, &a);
		assert_string_equal(api_world_text(&a, "field"),
				    phones[i].field);
		http_answer_free(&a);
	}
	try_it(aw, "speak", "{\"params\":{\"nobody_knows\":\"it\"}}", 400, &a);
	assert_string_equal(api_world_text(&a, "field"), "params.nobody_knows");
	http_answer_free(&a);
	add(aw, GOOD, id);
	try_it(aw, id, "{\"params\":{\"to\":null}}", 400, &a);
	assert_string_equal(api_world_text(&a, "code"), "missing_field");
	assert_string_equal(api_world_text(&a, "field"), "params.to");
	http_answer_free(&a);
}

TEST(an_application_has_so_many_flows)
{
	struct api_world *aw = *state;
	struct api_ask what = say(aw, "POST", FLOWS, "{\"name\":\"One\"}");

	for (unsigned i = 0; i < SERVICE_FLOWS_MAX; i++)
		expect(aw, &what, 201, "");

	expect(aw, &what, 409, "conflict");
}

TEST(everything_about_flows_was_seen)
{
	contract_held_below(contract, FLOWS, true);
}

#define IN_A_WORLD(name)                                       \
	cmocka_unit_test_setup_teardown(name, api_world_setup, \
					api_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(flows_are_for_keys_of_that_scope),
		IN_A_WORLD(what_is_not_there_is_not_found),
		IN_A_WORLD(the_program_s_own_flows_are_read_and_stay),
		IN_A_WORLD(
			a_draft_may_have_errors_and_is_not_published_with_them),
		IN_A_WORLD(two_who_edit_at_once_are_told_apart),
		IN_A_WORLD(a_save_says_what_it_was_made_from),
		IN_A_WORLD(a_document_that_is_none_is_refused),
		IN_A_WORLD(a_draft_goes_out_as_it_came_in_in_canonical_form),
		IN_A_WORLD(an_import_is_a_draft_with_a_report),
		IN_A_WORLD(a_version_stays_and_is_restored),
		IN_A_WORLD(one_text_has_one_etag_as_a_draft_and_as_a_version),
		IN_A_WORLD(a_publish_heeds_the_draft_that_was_looked_at),
		IN_A_WORLD(a_published_flow_is_run_by_its_application_alone),
		IN_A_WORLD(a_flow_goes_when_nobody_uses_it),
		IN_A_WORLD(a_flow_is_tried_without_a_call),
		IN_A_WORLD(a_test_is_read_again_and_forgotten),
		IN_A_WORLD(a_test_in_real_time_is_answered_before_it_is_over),
		IN_A_WORLD(so_many_tests_go_on_in_real_time),
		IN_A_WORLD(a_test_types_what_it_is_told),
		IN_A_WORLD(a_person_in_a_test_types_the_code_that_was_heard),
		IN_A_WORLD(a_test_that_cannot_be_is_told_why),
		IN_A_WORLD(an_application_has_so_many_flows),
		cmocka_unit_test(everything_about_flows_was_seen),
	};

	return cmocka_run_group_tests_name("api/flows", tests, open_all,
					   close_all);
}
