// SPDX-License-Identifier: Apache-2.0
/*
 * plivo.c - Plivo's Verify sessions: create and validate.
 *
 * There is one session for a recipient while its code lives: a create in that
 * time is one more call of it, with the same code.  A session is always called,
 * whatever channel the vendor would have taken by default; what asks for text
 * messages by name is refused.  Absent and null are the same, as the vendor's
 * clients send both.
 */
#include "api/plivo.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"

void plivo_app_uuid(const struct api *a, const char *application,
		    char out[VENDOR_UUID_BYTES])
{
	uint8_t alias[VENDOR_ALIAS_BYTES];
	char digits[SERVICE_SHORT_BYTES];

	service_alias(a->p.service, "plivo.app", application, alias);
	crypto_hex(alias, sizeof(alias), digits);
	vendor_uuid_text(digits, out);
}

void plivo_begin(struct buf *b)
{
	char id[VENDOR_UUID_BYTES];

	vendor_uuid_new(id);
	buf_printf(b, "{\"api_id\":\"%s\"", id);
}

/* --- create ----------------------------------------------------------------------- */

struct wish {
	char recipient[PLIVO_TEXT_BYTES], app[PLIVO_TEXT_BYTES],
		channel[PLIVO_TEXT_BYTES], url[PLIVO_TEXT_BYTES],
		method[PLIVO_TEXT_BYTES], locale[PLIVO_TEXT_BYTES],
		brand[PLIVO_TEXT_BYTES], length[PLIVO_TEXT_BYTES],
		otp[PLIVO_TEXT_BYTES];
};

static bool wrong(struct web_request *r, const char *field, const char *why)
{
	vendor_problem(r, VENDOR_PLIVO, "invalid_field", field, why);
	return false;
}

static bool read_texts(struct web_request *r, const json_t *body,
		       struct wish *w)
{
	const struct {
		const char *name;
		char *out;
	} fields[] = {
		{"recipient", w->recipient},
		{"app_uuid", w->app},
		{"channel", w->channel},
		{"url", w->url},
		{"method", w->method},
		{"locale", w->locale},
		{"brand_name", w->brand},
		{"code_length", w->length},
		{"otp", w->otp},
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (!vendor_text(body, fields[i].name, fields[i].out,
				 PLIVO_TEXT_BYTES))
			return wrong(r, fields[i].name,
				     "it must be a text or a number");
	return true;
}

/* en_US is en-US to everybody else. */
static void write_locale(char *locale)
{
	for (; *locale; locale++)
		if (*locale == '_')
			*locale = '-';
}

static bool read_length(struct web_request *r, const struct wish *w,
			unsigned *out)
{
	uint64_t n = 0;

	if (w->length[0] &&
	    (span_uint(span_of(w->length), PLIVO_CODE_MAX, &n) != 0 ||
	     n < PLIVO_CODE_MIN))
		return wrong(r, "code_length", "it must be from 4 to 8");
	*out = (unsigned)n;
	return true;
}

static bool is_ours(struct api *a, struct web_request *r,
		    const struct service_who *who, const struct wish *w)
{
	char app[VENDOR_UUID_BYTES];

	plivo_app_uuid(a, who->application, app);
	if (!w->app[0] || strcasecmp(w->app, app) == 0)
		return true;
	return wrong(r, "app_uuid", "there is no such application");
}

static bool read_callback(struct web_request *r, const struct wish *w,
			  struct service_create *req)
{
	bool get = strcasecmp(w->method, "GET") == 0;

	if (w->method[0] && !get && strcasecmp(w->method, "POST") != 0)
		return wrong(r, "method", "it must be GET or POST");
	if (!w->url[0])
		return true;
	req->webhook = w->url;
	req->webhook_form = get ? "plivo-get" : "plivo";
	return true;
}

static bool read_wish(struct api *a, struct web_request *r, const json_t *body,
		      struct wish *w, struct service_create *req)
{
	if (!read_texts(r, body, w) || !is_ours(a, r, &req->who, w) ||
	    !read_length(r, w, &req->code_length))
		return false;
	if (!w->recipient[0]) {
		vendor_problem(r, VENDOR_PLIVO, "missing_field", "recipient",
			       NULL);
		return false;
	}
	if (w->channel[0] && strcmp(w->channel, "voice") != 0)
		return wrong(r, "channel", "only voice is served here");
	if (!read_callback(r, w, req))
		return false;
	write_locale(w->locale);
	req->to = w->recipient;
	req->locale = w->locale[0] ? w->locale : NULL;
	req->brand = w->brand[0] ? w->brand : NULL;
	req->code = w->otp[0] ? w->otp : NULL;
	req->label = PLIVO_LABEL;
	req->short_id = true;
	req->no_client = true;
	return true;
}

static void sent(const struct service_refusal *no,
		 const struct service_view *view, bool again, void *ctx)
{
	struct web_request *r = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char uuid[VENDOR_UUID_BYTES];

	(void)again;
	if (!view) {
		vendor_refuse(r, VENDOR_PLIVO, no);
		return;
	}
	vendor_uuid(view->v->id, uuid);
	plivo_begin(&b);
	buf_printf(&b,
		   ",\"message\":\"Session initiated\","
		   "\"session_uuid\":\"%s\"}",
		   uuid);
	api_answer_json(r, 202, &b);
}

void plivo_create(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_create req = {0};
	char pair[API_BASIC_BYTES];
	const char *name;
	struct wish w;
	json_t *body;

	if (!vendor_who(a, r, VENDOR_PLIVO, web_part(r, 0), SERVICE_VERIFY,
			&req.who))
		return;
	/* callbacks are signed with the token of who asked */
	if (!api_basic(r, pair, &name, &req.webhook_key))
		req.webhook_key = NULL;
	body = vendor_body(r, VENDOR_PLIVO, false);
	if (!body) {
		crypto_wipe(pair, sizeof(pair));
		return;
	}
	if (read_wish(a, r, body, &w, &req)) {
		web_defer(r);
		service_send(a->p.service, &req, PLIVO_SENDS, sent, r);
	}
	crypto_wipe(pair, sizeof(pair));
	crypto_wipe(w.otp, sizeof(w.otp));
	json_decref(body);
}

/* --- validate ---------------------------------------------------------------------- */

struct validating {
	struct web_request *r;
	struct api *a;
	struct service_who who;
	char code[PLIVO_TEXT_BYTES], uuid[VENDOR_UUID_BYTES];
};

/* What became of a check, as a row of vendor_errors.def. */
static const char *const whys[CHECK_COUNT] = {
	[CHECK_WRONG] = "wrong_otp",      [CHECK_EXPIRED] = "session_over",
	[CHECK_USED] = "session_over",    [CHECK_UNKNOWN] = "not_found",
	[CHECK_LOCKED] = "too_many_otps", [CHECK_NOT_DELIVERED] = "wrong_otp",
};

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	const struct validating *c = ctx;
	struct buf b = {.max = API_ANSWER_MAX};

	(void)left;
	(void)status;
	if (no && no->code && *no->code) {
		vendor_refuse(c->r, VENDOR_PLIVO, no);
		return;
	}
	if (result != CHECK_APPROVED) {
		vendor_problem(c->r, VENDOR_PLIVO, whys[result], "otp", NULL);
		return;
	}
	plivo_begin(&b);
	buf_printf(&b,
		   ",\"message\":\"session validated successfully.\","
		   "\"session_uuid\":\"%s\"}",
		   c->uuid);
	api_answer_json(c->r, 200, &b);
}

static void found(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	struct validating *c = ctx;
	struct service_check req = {.who = c->who, .code = c->code};

	if (!view) {
		vendor_refuse(c->r, VENDOR_PLIVO, no);
		return;
	}
	req.id = view->v->id;
	vendor_uuid(req.id, c->uuid);
	/* its answer ends the request, and c with it, wiped: perhaps before this
	 * returns */
	service_check(c->a->p.service, &req, checked, c);
}

void plivo_validate(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct validating *c = web_alloc(r, sizeof(*c));
	struct service_find find = {.label = PLIVO_LABEL};
	char digits[SERVICE_SHORT_BYTES];
	json_t *body;
	bool fine;

	if (!vendor_who(a, r, VENDOR_PLIVO, web_part(r, 0), SERVICE_VERIFY,
			&find.who))
		return;
	body = vendor_body(r, VENDOR_PLIVO, false);
	if (!body)
		return;
	fine = vendor_text(body, "otp", c->code, sizeof(c->code));
	json_decref(body);
	if (!fine || !c->code[0]) {
		vendor_problem(r, VENDOR_PLIVO,
			       fine ? "missing_field" : "invalid_field", "otp",
			       fine ? NULL : "it must be a text or a number");
		return;
	}
	if (!vendor_uuid_read(web_part(r, 1), digits)) {
		vendor_problem(r, VENDOR_PLIVO, "not_found", NULL, NULL);
		return;
	}
	c->r = r;
	c->a = a;
	c->who = find.who;
	find.short_id = digits;
	web_defer(r);
	service_find(a->p.service, &find, found, c);
}
