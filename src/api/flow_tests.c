// SPDX-License-Identifier: Apache-2.0
/*
 * flow_tests.c - flows that are tried, and what calls have done.
 */
#include <stdio.h>
#include <string.h>

#include "api/flows_priv.h"
#include "base/json.h"

enum { PARAMS_MAX = SERVICE_PARAMS_MAX };

/* --- POST /v1/flows/{}/test ------------------------------------------------------- */

enum test_field {
	TEST_VERSION,
	TEST_PARAMS,
	TEST_OUTCOME,
	TEST_LOCALE,
	TEST_HTTP,
	TEST_ASK_HTTP,
	TEST_KEYS,
	TEST_PHONE,
	TEST_CLOCK,
};
static const struct api_field test_fields[] = {
	[TEST_VERSION] = {.name = "version",
			  .kind = API_INT,
			  .least = 1,
			  .most = SERVICE_FLOW_VERSIONS_MAX},
	[TEST_PARAMS] = {.name = "params", .kind = API_OBJECT},
	[TEST_OUTCOME] = {.name = "outcome", .kind = API_TEXT, .max = 16},
	[TEST_LOCALE] = {.name = "locale",
			 .kind = API_TEXT,
			 .max = VERIFICATION_LOCALE_BYTES - 1},
	[TEST_HTTP] = {.name = "http", .kind = API_OBJECT},
	[TEST_ASK_HTTP] = {.name = "ask_http", .kind = API_BOOL},
	[TEST_KEYS] = {.name = "keys", .kind = API_ARRAY},
	[TEST_PHONE] = {.name = "phone", .kind = API_TEXT, .max = 16},
	[TEST_CLOCK] = {.name = "clock", .kind = API_TEXT, .max = 16},
	{0},
};

static bool read_outcome(struct web_request *r, const char *text,
			 enum service_flow_outcome *out)
{
	static const char *const words[] = {
		[SERVICE_FLOW_ANSWERED] = "answered",
		[SERVICE_FLOW_NO_ANSWER] = "no_answer",
		[SERVICE_FLOW_BUSY] = "busy",
		[SERVICE_FLOW_FAILS] = "failed",
		[SERVICE_FLOW_MACHINE] = "machine",
	};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (!text || strcmp(words[i], text) == 0) {
			*out = (enum service_flow_outcome)i;
			return true;
		}
	api_bad_field(r, "invalid_field", "outcome",
		      "it is answered, no_answer, busy, failed or machine");
	return false;
}

static bool is_keys(const char *keys)
{
	size_t n = strnlen(keys, SERVICE_FLOW_KEYS_TYPED + 1);

	return n > 0 && n <= SERVICE_FLOW_KEYS_TYPED &&
	       strspn(keys, "0123456789*#") == n;
}

static bool read_keys(struct web_request *r, const json_t *keys,
		      struct service_flow_test *t)
{
	size_t n = json_array_size(keys);

	for (size_t i = 0; i < n && n <= SERVICE_FLOW_KEYS_MAX; i++) {
		t->keys[i] = json_string_value(json_array_get(keys, i));
		if (!t->keys[i] || !is_keys(t->keys[i]))
			break;
		t->keys_count++;
	}
	if (t->keys_count == n)
		return true;
	api_bad_field(r, "invalid_field", "keys",
		      "a list of at most 16 texts of 1 to 12 keys");
	return false;
}

/* Which of two words; `no` (the first) where there is none. */
static bool read_word(struct web_request *r, const char *field,
		      const char *text, const char *const words[2], bool *out)
{
	char detail[64];

	*out = text && strcmp(text, words[1]) == 0;
	if (!text || *out || strcmp(text, words[0]) == 0)
		return true;
	(void)snprintf(detail, sizeof(detail), "it is %s or %s", words[0],
		       words[1]);
	api_bad_field(r, "invalid_field", field, detail);
	return false;
}

static const char *const phones[] = {"scripted", "page"};
static const char *const clocks[] = {"instant", "real"};

static bool read_phone(struct web_request *r, const struct api_body *body,
		       struct service_flow_test *t)
{
	const char *clock = body->at[TEST_CLOCK].text;

	if (!read_word(r, "phone", body->at[TEST_PHONE].text, phones,
		       &t->page) ||
	    !read_word(r, "clock", clock, clocks, &t->real))
		return false;
	if (t->page && clock && !t->real) {
		api_bad_field(r, "invalid_field", "clock",
			      "a page hears in real time");
		return false;
	}
	if (t->page && t->keys_count > 0) {
		api_bad_field(r, "invalid_field", "keys",
			      "who is at the page types");
		return false;
	}
	return true;
}

/* --- runs ------------------------------------------------------------------------- */

static void write_run(struct buf *b, const struct service_run *run)
{
	static const char *const states[] = {
		[SERVICE_RUN_GOES] = "running",
		[SERVICE_RUN_OVER] = "ended",
		[SERVICE_RUN_FAILED] = "failed",
	};

	buf_str(b, "{\"id\":");
	buf_json(b, span_of(run->id));
	api_write_text(b, "flow", run->flow);
	api_write_number_or_null(b, "version", run->version);
	api_write_text(b, "state", states[run->state]);
	api_write_text(b, "phone", phones[run->page]);
	api_write_text(b, "clock", clocks[run->real]);
	api_write_time(b, "started_at", run->began_ms);
	api_write_time(b, "ended_at", run->ended_ms);
	api_write_text_or_null(b, "why", run->why);
	buf_printf(b, ",\"run\":%s}", run->trace);
}

bool api_run_name(struct api *a, struct web_request *r,
		  struct api_run_name *out)
{
	struct span id = web_part(r, 1);

	if (!api_who(a, r, SERVICE_FLOWS | SERVICE_ADMIN, &out->name.who))
		return false;
	api_id(r, out->flow);
	(void)snprintf(out->id, sizeof(out->id), "%.*s", (int)id.n, id.p);
	out->name.flow = out->flow;
	out->name.id = out->id;
	return true;
}

static void answer_run(struct web_request *r, int err, struct service_run *run)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (err) {
		api_bad_field(r, "not_found", NULL,
			      "there is no such run, or not any more");
		return;
	}
	write_run(&b, run);
	service_run_free(run);
	api_answer_json(r, 200, &b);
}

void api_run_read(struct web_request *r, void *ctx)
{
	static const char *const none[] = {NULL};
	struct service_run run = {0};
	struct api_run_name n;
	struct api *a = ctx;

	if (!api_run_name(a, r, &n) || !api_query(r, none))
		return;
	answer_run(r, service_run_read(a->p.service, &n.name, &run), &run);
}

void api_run_remove(struct web_request *r, void *ctx)
{
	struct service_run was = {0};
	struct api_run_name n;
	struct api *a = ctx;

	if (!api_run_name(a, r, &n))
		return;
	answer_run(r, service_run_remove(a->p.service, &n.name, &was), &was);
}

/* --- what became of a test ----------------------------------------------------------- */

static void tested(const struct service_refusal *no,
		   const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	write_run(&b, a->run);
	api_answer_json(ctx, a->run->real ? 202 : 200, &b);
}

void api_flow_test(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_flow_test t = {0};
	char id[VERIFICATION_ID_BYTES];
	struct api_body body;

	if (!api_who(a, r, SERVICE_FLOWS | SERVICE_ADMIN, &t.who) ||
	    !api_body(r, test_fields, &body))
		return;
	api_id(r, id);
	t.id = id;
	t.version = (unsigned)body.at[TEST_VERSION].number;
	t.params = body.at[TEST_PARAMS].text;
	t.locale = body.at[TEST_LOCALE].text;
	t.http = body.at[TEST_HTTP].text;
	t.ask_http = body.at[TEST_ASK_HTTP].yes;
	if (read_outcome(r, body.at[TEST_OUTCOME].text, &t.outcome) &&
	    read_keys(r, json_object_get(body.root, "keys"), &t) &&
	    read_phone(r, &body, &t)) {
		web_defer(r);
		service_flow_test(a->p.service, &t, tested, r);
	}
	api_body_free(&body);
}

/* --- GET /v1/verifications/{}/runs -------------------------------------------------- */

static void runs(const struct service_refusal *no, const char *text, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (!text) {
		api_refuse(ctx, no);
		return;
	}
	buf_printf(&b, "{\"items\":[%s]}", text);
	api_answer_json(ctx, 200, &b);
}

void api_runs(struct web_request *r, void *ctx)
{
	static const char *const none[] = {NULL};
	struct api *a = ctx;
	struct service_who who;
	char id[VERIFICATION_ID_BYTES];

	if (!api_who(a, r, SERVICE_VERIFY | SERVICE_FLOWS | SERVICE_ADMIN,
		     &who) ||
	    !api_query(r, none))
		return;
	api_id(r, id);
	web_defer(r);
	service_runs(a->p.service, &who, id, runs, r);
}
