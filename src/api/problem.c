// SPDX-License-Identifier: Apache-2.0
/*
 * problem.c - errors as application/problem+json (RFC 9457), from one table.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_priv.h"

struct row {
	const char *code;
	unsigned status;
	const char *title;
};

static const struct row rows[] = {
#define ERROR(code, status, title) {#code, status, title},
#include "api/errors.def"
#undef ERROR
};

static const struct row *find(const char *code)
{
	const struct row *otherwise = NULL;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strcmp(rows[i].code, code) == 0)
			return &rows[i];
		if (strcmp(rows[i].code, "internal_error") == 0)
			otherwise = &rows[i];
	}
	return otherwise;
}

static bool some(const char *text)
{
	return text && *text;
}

static char *write_problem(const struct row *row, const struct api_problem *p,
			   size_t *n)
{
	struct buf b = {.max = API_ANSWER_MAX};

	buf_printf(&b, "{\"type\":\"urn:voiceotp:problem:%s\",\"title\":",
		   row->code);
	buf_json(&b, span_of(row->title));
	buf_printf(&b, ",\"status\":%u,\"code\":\"%s\"", row->status,
		   row->code);
	api_write_text(&b, "detail", some(p->detail) ? p->detail : row->title);
	if (some(p->field))
		api_write_text(&b, "field", p->field);
	if (some(p->rule))
		api_write_text(&b, "rule", p->rule);
	buf_byte(&b, '}');
	*n = b.n;
	return buf_take(&b);
}

void api_problem(struct web_request *r, const struct api_problem *p)
{
	const struct row *row = find(p->code);
	struct web_header_out headers[4] = {
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
	};
	struct web_answer answer = {.status = row->status,
				    .type = "application/problem+json",
				    .headers = headers};
	char retry[24];
	size_t n = 0;

	if (row->status == 401)
		headers[2] = (struct web_header_out){
			"WWW-Authenticate", "Bearer realm=\"voiceotp\""};
	if (p->retry_ms > 0) {
		(void)snprintf(retry, sizeof(retry), "%lld",
			       (long long)((p->retry_ms + 999) / 1000));
		headers[2] = (struct web_header_out){"Retry-After", retry};
	}
	answer.owned = write_problem(row, p, &n);
	answer.body = span_make(answer.owned, n);
	web_answer(r, &answer);
}

void api_refuse(struct web_request *r, const struct service_refusal *no)
{
	const struct api_problem p = {.code = no->code,
				      .field = no->field,
				      .rule = no->rule,
				      .detail = no->detail,
				      .retry_ms = no->retry_ms};

	api_problem(r, &p);
}

void api_bad_field(struct web_request *r, const char *code, const char *field,
		   const char *detail)
{
	const struct api_problem p = {
		.code = code, .field = field, .detail = detail};

	api_problem(r, &p);
}

/* --- what the server must answer by itself -------------------------------------- */

void api_trouble(struct web_request *r, enum web_trouble t, void *ctx)
{
	static const char *const codes[] = {
		[WEB_NOT_FOUND] = "not_found",
		[WEB_METHOD_NOT_ALLOWED] = "method_not_allowed",
		[WEB_BODY_TOO_LARGE] = "body_too_large",
		[WEB_TIMED_OUT] = "store_unavailable",
		[WEB_OVERLOADED] = "overloaded",
		[WEB_BAD_REQUEST] = "bad_request",
	};
	static const char *const details[] = {
		[WEB_NOT_FOUND] = "there is nothing at this path",
		[WEB_METHOD_NOT_ALLOWED] = "see the Allow header",
		[WEB_BODY_TOO_LARGE] = "a body may have 65536 bytes",
		[WEB_TIMED_OUT] = "no answer came in time; ask again with the "
				  "same Idempotency-Key",
		[WEB_OVERLOADED] = "the server has too much to do, or stops",
		[WEB_BAD_REQUEST] = "the request cannot be read",
	};
	const struct api_problem p = {.code = codes[t], .detail = details[t]};

	(void)ctx;
	api_problem(r, &p);
}
