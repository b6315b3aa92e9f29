// SPDX-License-Identifier: Apache-2.0
/*
 * verifications.c - /v1/verifications: create, read, list, search, check,
 * cancel, call again, explain.
 *
 * Each handler reads the request, defers it and asks the service; the answer
 * is written by whoever brings it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/crypto.h"

/* --- create and explain -------------------------------------------------------------- */

static bool idempotency_key(struct web_request *r, const char **out)
{
	const char *key = web_header(r, "Idempotency-Key");

	*out = NULL;
	if (!key)
		return true;
	if (*key && strlen(key) <= SERVICE_IDEMPOTENCY_KEY_MAX &&
	    span_utf8(span_of(key))) {
		*out = key;
		return true;
	}
	api_bad_field(r, "invalid_field", "Idempotency-Key",
		      "it must have 1 to 255 bytes of text");
	return false;
}

void api_create(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_create req = {0};
	uint8_t hash[CRYPTO_HASH_BYTES];
	struct span text = web_body(r);
	struct api_body body;

	if (!api_who(a, r, SERVICE_VERIFY, &req.who) ||
	    !idempotency_key(r, &req.idempotency_key) ||
	    !api_body(r, api_create_fields, &body))
		return;
	api_body_to_create(&body, &req);
	if (req.idempotency_key) {
		crypto_sha256(text.p, text.n, hash);
		req.body_hash = hash;
	}
	web_defer(r);
	service_create(a->p.service, &req, api_done_201, r);
	api_body_free(&body);
}

static void write_rule(struct buf *b, const struct policy_answer *answer)
{
	bool allowed = answer->verdict == POLICY_ALLOWED;

	buf_printf(b, ",\"allowed\":%s", allowed ? "true" : "false");
	if (allowed) {
		buf_str(b, ",\"code\":null,\"rule\":null,\"detail\":null");
		return;
	}
	api_write_text(b, "code", policy_verdict_code(answer->verdict));
	api_write_text(b, "rule", answer->rule);
	api_write_text(b, "detail", answer->sentence);
}

static void write_price(struct buf *b, const struct service_explanation *e)
{
	const struct policy_answer *p = e->answer;

	if (!p->price_known) {
		buf_str(b, ",\"price\":null");
		return;
	}
	buf_printf(b,
		   ",\"price\":{\"per_minute\":\"%lld.%06lld\","
		   "\"call\":\"%lld.%06lld\",\"currency\":\"%s\"}",
		   (long long)(p->price_per_minute / PRICES_UNIT),
		   (long long)(p->price_per_minute % PRICES_UNIT),
		   (long long)(p->price_call / PRICES_UNIT),
		   (long long)(p->price_call % PRICES_UNIT), e->currency);
}

static void explained(const struct service_refusal *no,
		      const struct service_explanation *e, void *ctx)
{
	struct web_request *r = ctx;
	struct buf b = {.max = API_ANSWER_MAX};

	if (!e) {
		api_refuse(r, no);
		return;
	}
	buf_str(&b, "{\"to\":");
	buf_json(&b, span_of(e->number.e164));
	api_write_text(&b, "country", e->number.region);
	api_write_text(&b, "type", number_type_text(e->number.type));
	write_rule(&b, e->answer);
	if (e->route)
		api_write_text(&b, "route", e->route);
	else
		buf_str(&b, ",\"route\":null");
	write_price(&b, e);
	api_write_text(&b, "language", e->language);
	if (e->from && *e->from)
		api_write_text(&b, "from", e->from);
	else
		buf_str(&b, ",\"from\":null");
	if (e->seconds > 0)
		buf_printf(&b, ",\"seconds\":%u}", e->seconds);
	else
		buf_str(&b, ",\"seconds\":null}");
	api_answer_json(r, 200, &b);
}

void api_explain(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_create req = {0};
	struct api_body body;

	if (!api_who(a, r, SERVICE_VERIFY, &req.who) ||
	    !api_body(r, api_create_fields, &body))
		return;
	api_body_to_create(&body, &req);
	web_defer(r);
	service_explain(a->p.service, &req, explained, r);
	api_body_free(&body);
}

/* --- one that is there ----------------------------------------------------------------- */

typedef void one_h(struct service *sv, const struct service_who *who,
		   const char *id, service_done_h *done, void *ctx);

static void on_one(struct web_request *r, struct api *a, one_h *ask,
		   service_done_h *done)
{
	struct service_who who;
	char id[VERIFICATION_ID_BYTES];
	struct api_body nothing;

	if (!api_who(a, r, SERVICE_VERIFY, &who) ||
	    !api_body(r, api_no_fields, &nothing))
		return;
	api_body_free(&nothing);
	api_id(r, id);
	web_defer(r);
	ask(a->p.service, &who, id, done, r);
}

void api_read(struct web_request *r, void *ctx)
{
	on_one(r, ctx, service_read, api_done_200);
}

void api_cancel(struct web_request *r, void *ctx)
{
	on_one(r, ctx, service_cancel, api_done_200);
}

void api_call(struct web_request *r, void *ctx)
{
	on_one(r, ctx, service_call, api_done_202);
}

/* --- check -------------------------------------------------------------------------------- */

struct checking {
	struct web_request *r;
	bool why; /* the key may know why (D4) */
};

/* A key that may not know why learns yes or no, alike for every no. */
static void write_check(struct buf *b, const struct checking *c,
			enum outcome_check result, unsigned left,
			enum outcome_status status)
{
	if (result == CHECK_APPROVED) {
		buf_printf(b, "{\"approved\":true,\"status\":\"%s\"}",
			   outcome_status_text(status));
		return;
	}
	buf_str(b, "{\"approved\":false");
	if (c->why)
		buf_printf(b, ",\"reason\":\"%s\",\"attempts_left\":%u",
			   outcome_check_text(result), left);
	buf_byte(b, '}');
}

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	const struct checking *c = ctx;
	struct buf b = {.max = API_ANSWER_MAX};

	if (no && no->code && *no->code) {
		api_refuse(c->r, no);
		return;
	}
	write_check(&b, c, result, left, status);
	/* the work is alike, and what is left of a difference is rounded away:
	 * whether a page was warm must not tell whether there is such an id */
	api_answer_on_grid(c->r, 200, &b, c->why ? 0 : API_ALIKE_MS);
}

void api_check(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_check req = {0};
	char id[VERIFICATION_ID_BYTES];
	struct api_body body;
	struct checking *c;

	if (!api_who(a, r, SERVICE_CHECK | SERVICE_VERIFY, &req.who) ||
	    !api_body(r, api_check_fields, &body))
		return;
	api_id(r, id);
	req.id = id;
	req.code = body.at[API_CHECK_CODE].text;
	req.amount = body.at[API_CHECK_AMOUNT].text;
	req.currency = body.at[API_CHECK_CURRENCY].text;
	req.payee = body.at[API_CHECK_PAYEE].text;
	c = web_alloc(r, sizeof(*c));
	*c = (struct checking){r, (req.who.scopes & SERVICE_VERIFY) != 0};
	web_defer(r);
	service_check(a->p.service, &req, checked, c);
	api_body_free(&body);
}

/* --- lists --------------------------------------------------------------------------------- */

static void listed(const struct service_refusal *no,
		   const struct service_view *views, size_t count,
		   const char *next, void *ctx)
{
	struct web_request *r = ctx;
	struct buf b = {.max = API_ANSWER_MAX};

	if (no && no->code && *no->code) {
		api_refuse(r, no);
		return;
	}
	buf_str(&b, "{\"items\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_byte(&b, ',');
		api_write_view(&b, &views[i]);
	}
	buf_byte(&b, ']');
	if (next && *next)
		api_write_text(&b, "next", next);
	else
		buf_str(&b, ",\"next\":null");
	buf_byte(&b, '}');
	api_answer_json(r, 200, &b);
}

bool api_limit(struct web_request *r, size_t *out)
{
	const char *text = web_query(r, "limit");
	uint64_t n = API_LIST_DEFAULT;

	if (text && (span_uint(span_of(text), STORE_PAGE_MAX, &n) || n == 0)) {
		api_bad_field(r, "invalid_field", "limit",
			      "it must be a number from 1 to 200");
		return false;
	}
	*out = (size_t)n;
	return true;
}

static bool read_time(struct web_request *r, const char *name, int64_t *out)
{
	const char *text = web_query(r, name);

	if (!text || clock_parse(text, out) == 0)
		return true;
	api_bad_field(r, "invalid_field", name,
		      "it must be a time such as 2026-01-31T09:05:07Z");
	return false;
}

static bool read_country(struct web_request *r, const char **out)
{
	const char *text = web_query(r, "country");

	*out = text;
	if (!text || (strlen(text) == 2 && isupper((unsigned char)text[0]) &&
		      isupper((unsigned char)text[1])))
		return true;
	api_bad_field(r, "invalid_field", "country",
		      "it must be two capital letters");
	return false;
}

static bool read_status(struct web_request *r, const char **out)
{
	const char *text = web_query(r, "status");

	*out = text;
	if (!text)
		return true;
	for (int s = 0; s < STATUS_COUNT; s++)
		if (strcmp(outcome_status_text((enum outcome_status)s), text) ==
		    0)
			return true;
	api_bad_field(r, "invalid_field", "status",
		      "it must be pending, approved, failed, expired or "
		      "canceled");
	return false;
}

void api_list(struct web_request *r, void *ctx)
{
	static const char *const known[] = {
		"status", "country", "since", "until", "limit", "cursor", NULL};
	struct api *a = ctx;
	struct service_query q = {0};

	if (!api_who(a, r, SERVICE_VERIFY, &q.who) || !api_query(r, known) ||
	    !api_limit(r, &q.limit) || !read_status(r, &q.status) ||
	    !read_country(r, &q.country) ||
	    !read_time(r, "since", &q.since_ms) ||
	    !read_time(r, "until", &q.until_ms))
		return;
	q.cursor = web_query(r, "cursor");
	web_defer(r);
	service_list(a->p.service, &q, listed, r);
}

/* By number: in the body, because a number never stands in a URL of ours. */
void api_search(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_query q = {.limit = API_LIST_DEFAULT};
	struct api_body body;

	if (!api_who(a, r, SERVICE_VERIFY, &q.who) ||
	    !api_body(r, api_search_fields, &body))
		return;
	q.to = body.at[API_SEARCH_TO].text;
	q.cursor = body.at[API_SEARCH_CURSOR].text;
	if (body.at[API_SEARCH_LIMIT].number)
		q.limit = (size_t)body.at[API_SEARCH_LIMIT].number;
	web_defer(r);
	service_list(a->p.service, &q, listed, r);
	api_body_free(&body);
}
