// SPDX-License-Identifier: Apache-2.0
/*
 * vendor_ask.c - who asks a drop-in face, and what for.
 *
 * Bodies are read the way vendors' clients are known to write them, which is
 * more loosely than our own API.
 */
#include "api/vendor.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/json.h"

enum { EXACT_MAX = 15 /* digits of a whole number that a double holds */ };

/* --- who ------------------------------------------------------------------------ */

/* The names that its clients may give to who asks. */
static bool is_account(const struct api *a, enum vendor v, struct span given,
		       const struct service_who *who)
{
	char plivo[VENDOR_PLIVO_ID_BYTES], twilio[VENDOR_TWILIO_ID_BYTES];

	if (span_is(given, who->key_id))
		return true;
	if (v == VENDOR_TWILIO) {
		vendor_twilio_account(a, who->application, twilio);
		return span_is(given, twilio);
	}
	vendor_plivo_account(a, who->application, plivo);
	return span_is(given, plivo);
}

static bool known(struct api *a, struct web_request *r, enum vendor v,
		  struct service_who *out)
{
	char pair[API_BASIC_BYTES];
	const char *name, *token;
	bool good =
		api_basic(r, pair, &name, &token) &&
		service_authorize(a->p.service, NULL, span_of(token), out) &&
		is_account(a, v, span_of(name), out);

	crypto_wipe(pair, sizeof(pair));
	return good;
}

bool vendor_who(struct api *a, struct web_request *r, enum vendor v,
		struct span account, unsigned scopes, struct service_who *out)
{
	if (!known(a, r, v, out)) {
		if (web_header(r, "Authorization"))
			api_unauthorized(r);
		vendor_problem(r, v, "unauthorized", NULL, NULL);
		return false;
	}
	if (account.n > 0 && !is_account(a, v, account, out)) {
		vendor_problem(r, v, "not_found", NULL, NULL);
		return false;
	}
	if (!(out->scopes & scopes)) {
		vendor_problem(r, v, "forbidden", NULL,
			       "the key lacks the scope for it");
		return false;
	}
	return true;
}

/* --- bodies ----------------------------------------------------------------------- */

static int add_pair(const char *name, const char *value, void *ctx)
{
	json_t *o = ctx;

	/* not refused where it is no text of JSON's: web_form() saw to that */
	return json_object_set_new(o, name, json_string(value)) ? -EINVAL : 0;
}

static json_t *read_form(struct span text, const char **why)
{
	json_t *o = json_object();
	int err = web_form(text, add_pair, o);

	if (!err)
		return o;
	*why = err == -E2BIG ? "the form has too many fields"
			     : "the body is no form";
	json_decref(o);
	return NULL;
}

/* What stands for no payload at all: Node's client writes the text "". */
static bool is_nothing(const json_t *root)
{
	return json_is_null(root) ||
	       (json_is_string(root) && json_string_length(root) == 0);
}

static json_t *read_json(struct span text, struct diag *d, const char **why)
{
	json_t *root = NULL;

	if (span_trim(text).n == 0)
		return json_object();
	if (js_parse(text, &root, d) != 0) {
		*why = d->message;
		return NULL;
	}
	if (json_is_object(root))
		return root;
	if (is_nothing(root)) {
		json_decref(root);
		return json_object();
	}
	json_decref(root);
	*why = "the body must be an object";
	return NULL;
}

static bool is_form(const struct web_request *r)
{
	static const char type[] = "application/x-www-form-urlencoded";
	const char *given = web_header(r, "Content-Type");

	return given && strncasecmp(given, type, sizeof(type) - 1) == 0;
}

json_t *vendor_body(struct web_request *r, enum vendor v, bool form)
{
	struct diag d = {0};
	const char *why = NULL;
	json_t *body = form && is_form(r) ? read_form(web_body(r), &why)
					  : read_json(web_body(r), &d, &why);

	if (!body)
		vendor_problem(r, v, "invalid_json", NULL, why);
	return body;
}

/* A whole number that somebody's JSON wrote as 4.0 or 1e3. */
static bool whole(double x, char *out, size_t size)
{
	if (!(fabs(x) < pow(10, EXACT_MAX)) || floor(x) != x)
		return false;
	return (size_t)snprintf(out, size, "%.0f", x) < size;
}

bool vendor_text(const json_t *body, const char *name, char *out, size_t size)
{
	const json_t *value = json_object_get(body, name);

	out[0] = '\0';
	if (!value || json_is_null(value))
		return true;
	if (json_is_integer(value))
		return (size_t)snprintf(out, size, "%lld",
					(long long)json_integer_value(value)) <
		       size;
	if (json_is_real(value))
		return whole(json_real_value(value), out, size);
	if (!json_is_string(value) || json_string_length(value) >= size)
		return false;
	memcpy(out, json_string_value(value), json_string_length(value) + 1);
	return true;
}
