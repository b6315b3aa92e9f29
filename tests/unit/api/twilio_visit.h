// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_visit.h - a client of Twilio's in a world of ours: forms in, JSON out,
 * over real HTTP.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/twilio.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "+15555550110"
#define BUSY "+15555550120"
/* as forms have them */
#define TO_LISTENS "To=%2B15555550110"
#define TO_BUSY "To=%2B15555550120"

enum { PATH_BYTES = 256, BODY_BYTES = 512 };

PRINTF_LIKE(3, 4)
static inline void print(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(out, size, fmt, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < size);
}

/* --- asking -------------------------------------------------------------------------------- */

static inline void ask_as(struct api_world *aw, const char *token,
			  const struct api_ask *what, int status,
			  struct http_answer *out)
{
	char account[VENDOR_TWILIO_ID_BYTES], headers[API_WORLD_HEAD_BYTES];
	struct api_ask ask = *what;

	vendor_twilio_account(aw->api, "shop", account);
	api_world_basic(account, token, "application/x-www-form-urlencoded",
			headers);
	ask.headers = headers;
	api_world_ask_for(aw, &ask, status, out);
}

/* The answer's object; json_decref() it. */
static inline json_t *ask(struct api_world *aw, const char *method,
			  const char *path, const char *body, int status)
{
	const struct api_ask what = {
		.method = method, .path = path, .body = body};
	struct http_answer a;
	json_t *o = NULL;

	ask_as(aw, aw->verify, &what, status, &a);
	if (status != 204)
		assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	return o;
}

static inline const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static inline void expect(struct api_world *aw, const char *method,
			  const char *path, const char *body, int status,
			  int code)
{
	AUTO_JSON json_t *o = ask(aw, method, path, body, status);
	char info[64];

	if (!code)
		return;
	print(info, sizeof(info), "https://www.twilio.com/docs/errors/%d",
	      code);
	if (json_integer_value(json_object_get(o, "code")) != code) {
		AUTO_FREE char *text = js_text(o);

		fail_msg("%s %s %s: %s", method, path, body ? body : "", text);
	}
	assert_int_equal(json_integer_value(json_object_get(o, "status")),
			 status);
	assert_string_equal(text_of(o, "more_info"), info);
}

static inline void make_service(struct api_world *aw, const char *form,
				char sid[VENDOR_TWILIO_ID_BYTES])
{
	AUTO_JSON json_t *o = ask(aw, "POST", "/v2/Services", form, 201);

	print(sid, VENDOR_TWILIO_ID_BYTES, "%s", text_of(o, "sid"));
}

struct visit {
	struct api_world *aw;
	char service[VENDOR_TWILIO_ID_BYTES];
	char verifications[PATH_BYTES], check[PATH_BYTES], limits[PATH_BYTES];
};

static inline struct visit visit(struct api_world *aw, const char *form)
{
	struct visit v = {.aw = aw};

	make_service(aw, form, v.service);
	print(v.verifications, PATH_BYTES, "/v2/Services/%s/Verifications",
	      v.service);
	print(v.check, PATH_BYTES, "/v2/Services/%s/VerificationCheck",
	      v.service);
	print(v.limits, PATH_BYTES, "/v2/Services/%s/RateLimits", v.service);
	return v;
}

static inline const char *below(const char *path, const char *rest)
{
	static char out[2][PATH_BYTES];
	static unsigned n;
	char *to = out[n++ % 2];

	print(to, PATH_BYTES, "%s/%s", path, rest);
	return to;
}

/* What the world knows it by. */
static inline void find_id(struct api_world *aw, const char *to,
			   char id[VERIFICATION_ID_BYTES])
{
	struct http_answer a;
	char body[128];
	AUTO_JSON json_t *o = NULL;

	print(body, sizeof(body), "{\"to\":\"%s\"}", to);
	api_world_post(aw, "/v1/verifications/search", body, 200, &a);
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	print(id, VERIFICATION_ID_BYTES, "%s",
	      text_of(json_array_get(json_object_get(o, "items"), 0), "id"));
}

/* Started, called, spoken: its code. */
static inline void start(const struct visit *v, const char *form,
			 const char *to, char code[CODE_BYTES])
{
	char id[VERIFICATION_ID_BYTES];

	expect(v->aw, "POST", v->verifications, form, 201, 0);
	find_id(v->aw, to, id);
	(void)world_until_spoken(v->aw->w, id);
	api_world_code(v->aw, id, code);
}

static inline void check_is(const struct visit *v, const char *form,
			    const char *status, bool valid)
{
	AUTO_JSON json_t *o = ask(v->aw, "POST", v->check, form, 200);

	assert_string_equal(text_of(o, "status"), status);
	assert_int_equal(json_is_true(json_object_get(o, "valid")), valid);
}

static inline const char *with_code(const char *form, const char *code)
{
	static char out[BODY_BYTES];

	print(out, sizeof(out), "%s&Code=%s", form, code);
	return out;
}

static inline const char *wrong(const char *code)
{
	static char out[CODE_BYTES];

	print(out, sizeof(out), "%s", code);
	out[0] = (char)(out[0] == '9' ? '0' : out[0] + 1);
	return out;
}
