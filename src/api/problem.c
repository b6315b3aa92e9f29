// SPDX-License-Identifier: Apache-2.0
/*
 * problem.c - errors as application/problem+json (RFC 9457), from one table.
 */
#include <stdio.h>
#include <string.h>

#include "api/api_priv.h"
#include "api/vendor.h"
#include "base/log.h"

enum { RETRY_BYTES = 24 };

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

static void write_problem(struct buf *b, const struct row *row,
			  const struct api_problem *p)
{
	buf_printf(b, "{\"type\":\"urn:voiceotp:problem:%s\",\"title\":",
		   row->code);
	buf_json(b, span_of(row->title));
	buf_printf(b, ",\"status\":%u,\"code\":\"%s\"", row->status, row->code);
	api_write_text(b, "detail", some(p->detail) ? p->detail : row->title);
	if (some(p->field))
		api_write_text(b, "field", p->field);
	if (some(p->rule))
		api_write_text(b, "rule", p->rule);
	if (p->more)
		buf_str(b, p->more);
	buf_byte(b, '}');
}

void api_request_id(char out[API_REQUEST_ID_BYTES])
{
	static atomic_uint_fast32_t count;
	static _Atomic uint32_t run; /* tells one run of the program apart */
	uint32_t mark = atomic_load_explicit(&run, memory_order_relaxed);

	if (mark == 0) {
		rng_fill(rng_system(), &mark, sizeof(mark));
		mark |= 1;
		atomic_store(&run, mark);
	}
	(void)snprintf(out, API_REQUEST_ID_BYTES, "req_%08x%08x", mark,
		       (unsigned)atomic_fetch_add(&count, 1));
}

/* The header that goes with a status, if there is one. */
static void own_header(const struct api_trouble_answer *t,
		       struct web_header_out *out, char retry[RETRY_BYTES])
{
	int64_t s = t->retry_ms > 0 ? (t->retry_ms + 999) / 1000 : API_RETRY_S;

	if (t->status == 401)
		*out = (struct web_header_out){"WWW-Authenticate",
					       t->challenge};
	if (t->status == 429 || t->status == 503) {
		(void)snprintf(retry, RETRY_BYTES, "%lld", (long long)s);
		*out = (struct web_header_out){"Retry-After", retry};
	}
}

void api_answer_trouble(struct web_request *r,
			const struct api_trouble_answer *t, struct buf *b)
{
	char id[API_REQUEST_ID_BYTES], retry[RETRY_BYTES];
	struct web_header_out own = {0};
	struct web_answer answer = {.status = t->status, .type = t->type};

	api_request_id(id);
	own_header(t, &own, retry);
	if (t->status >= 500)
		log_warn("request.failed", "request", LOG_S(id), "code",
			 LOG_S(t->code), NULL);
	api_answer(r, &answer, b, id, &own);
}

void api_problem(struct web_request *r, const struct api_problem *p)
{
	const struct row *row = find(p->code);
	struct buf b = {.max = API_ANSWER_MAX};

	write_problem(&b, row, p);
	api_answer_trouble(r,
			   &(struct api_trouble_answer){
				   .status = row->status,
				   .code = p->code,
				   .type = "application/problem+json",
				   .challenge = "Bearer realm=\"voiceotp\"",
				   .retry_ms = p->retry_ms},
			   &b);
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
		[WEB_BAD_REQUEST] = "invalid_field",
	};
	static const char *const details[] = {
		[WEB_NOT_FOUND] = "there is nothing at this path",
		[WEB_METHOD_NOT_ALLOWED] = "see the Allow header",
		[WEB_BODY_TOO_LARGE] =
			"the body has more bytes than this path takes",
		[WEB_TIMED_OUT] = "no answer came in time; ask again",
		[WEB_OVERLOADED] = "the server has too much to do, or stops",
		[WEB_BAD_REQUEST] = "an address may have 4096 bytes",
	};
	const struct api_problem p = {
		.code = codes[t],
		.field = t == WEB_BAD_REQUEST ? "url" : NULL,
		.detail = details[t],
	};

	enum vendor v;

	if (vendor_of_path(ctx, web_path(r), &v))
		vendor_problem(r, v, p.code, p.field, p.detail);
	else
		api_problem(r, &p);
}
