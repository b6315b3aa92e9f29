// SPDX-License-Identifier: Apache-2.0
/*
 * request.c - who asks, and what for: keys, paths, queries, bodies.
 *
 * Strict: what is not known is refused, so that a slip in a field's name is
 * found on the first try and not in production.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/api_priv.h"
#include "base/crypto.h"
#include "base/mem.h"

/* --- who ------------------------------------------------------------------------- */

enum { BASIC_MAX = 512 };

/* Ordinary base64 with padding (RFC 4648 4), as Basic has it. */
static bool decode_basic(struct span text, char out[BASIC_MAX])
{
	char url[BASIC_MAX];
	size_t n;

	while (text.n > 0 && text.p[text.n - 1] == '=')
		text.n--;
	if (text.n >= sizeof(url))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		url[i] = c == '+' ? '-' : c == '/' ? '_' : c;
	}
	n = text.n * 3 / 4;
	if (crypto_unbase64url(span_make(url, text.n), out, n))
		return false;
	out[n] = 0;
	return strlen(out) == n;
}

static bool by_basic(struct api *a, struct span text, struct service_who *out)
{
	char pair[BASIC_MAX];
	char *colon;
	bool known = false;

	if (decode_basic(text, pair)) {
		colon = strchr(pair, ':');
		if (colon) {
			*colon = 0;
			known = service_authorize(a->p.service, pair,
						  span_of(colon + 1), out);
		}
	}
	crypto_wipe(pair, sizeof(pair));
	return known;
}

static bool known_key(struct api *a, const struct web_request *r,
		      struct service_who *out)
{
	const char *given = web_header(r, "Authorization");

	if (!given)
		return false;
	if (strncasecmp(given, "Bearer ", 7) == 0)
		return service_authorize(a->p.service, NULL,
					 span_trim(span_of(given + 7)), out);
	if (strncasecmp(given, "Basic ", 6) == 0)
		return by_basic(a, span_trim(span_of(given + 6)), out);
	return false;
}

bool api_who(struct api *a, struct web_request *r, unsigned scopes,
	     struct service_who *out)
{
	const struct api_problem unknown = {
		.code = "unauthorized",
		.detail = "send Authorization: Bearer <token>"};
	const struct api_problem forbidden = {
		.code = "forbidden",
		.detail = "the key lacks the scope for it"};

	if (!known_key(a, r, out)) {
		api_problem(r, &unknown);
		return false;
	}
	if (!(out->scopes & scopes)) {
		api_problem(r, &forbidden);
		return false;
	}
	return true;
}

/* --- path and query --------------------------------------------------------------- */

void api_id(const struct web_request *r, char out[VERIFICATION_ID_BYTES])
{
	struct span part = web_part(r, 0);

	if (part.n >= VERIFICATION_ID_BYTES)
		part.n = VERIFICATION_ID_BYTES - 1;
	(void)snprintf(out, VERIFICATION_ID_BYTES, "%.*s", (int)part.n, part.p);
}

struct query {
	const char *const *known;
	char unknown[64];
};

static void look_at(const char *name, const char *value, void *ctx)
{
	struct query *q = ctx;

	(void)value;
	for (const char *const *k = q->known; *k; k++)
		if (strcmp(*k, name) == 0)
			return;
	(void)snprintf(q->unknown, sizeof(q->unknown), "%s",
		       *name ? name : "?");
}

bool api_query(struct web_request *r, const char *const known[])
{
	struct query q = {.known = known};

	web_query_each(r, look_at, &q);
	if (!q.unknown[0])
		return true;
	api_bad_field(r, "unknown_field", q.unknown,
		      "there is no such query argument here");
	return false;
}

/* --- body ------------------------------------------------------------------------- */

bool api_body(struct web_request *r, const char *const known[], json_t **out)
{
	AUTO_JSON json_t *o = NULL;
	struct diag d = {0};
	char text[512];
	const char *unknown;

	if (js_parse(web_body(r), &o, &d)) {
		diag_text(&d, NULL, text, sizeof(text));
		api_bad_field(r, "invalid_json", NULL, text);
		return false;
	}
	if (!json_is_object(o)) {
		api_bad_field(r, "invalid_json", NULL,
			      "the body must be an object");
		return false;
	}
	unknown = js_unknown(o, known);
	if (unknown) {
		api_bad_field(r, "unknown_field", unknown,
			      "there is no such field here");
		return false;
	}
	*out = KEEP(o);
	return true;
}

bool api_text(struct web_request *r, const json_t *o, const char *name,
	      size_t max, const char **out)
{
	struct diag d = {0};

	if (js_get_text(o, name, max, out, &d) == 0)
		return true;
	api_bad_field(r, "invalid_field", name, d.message);
	return false;
}

bool api_int(struct web_request *r, const json_t *o, const char *name,
	     int64_t min, int64_t max, int64_t *out)
{
	struct diag d = {0};

	if (js_get_int(o, name, min, max, out, &d) == 0)
		return true;
	api_bad_field(r, "invalid_field", name, d.message);
	return false;
}

bool api_required(struct web_request *r, const char *name, const char *value)
{
	if (value)
		return true;
	api_bad_field(r, "missing_field", name, "it must be there");
	return false;
}

/* --- the body of a create ------------------------------------------------------------ */

static bool read_metadata(struct web_request *r, const json_t *o, char **out)
{
	json_t *m = NULL;
	struct diag d = {0};
	const char *key;
	json_t *value;

	if (js_get_object(o, "metadata", &m, &d)) {
		api_bad_field(r, "invalid_field", "metadata", d.message);
		return false;
	}
	if (!m)
		return true;
	if (json_object_size(m) > SERVICE_METADATA_ITEMS) {
		api_bad_field(r, "invalid_field", "metadata",
			      "it has more than 16 members");
		return false;
	}
	json_object_foreach(m, key, value)
	{
		if (json_is_string(value) &&
		    json_string_length(value) <= SERVICE_METADATA_TEXT &&
		    strlen(key) <= SERVICE_METADATA_TEXT)
			continue;
		api_bad_field(r, "invalid_field", "metadata",
			      "its members are texts of at most 256 bytes");
		return false;
	}
	*out = js_text(m);
	return true;
}

static bool read_texts(struct web_request *r, const json_t *o,
		       struct service_create *req)
{
	const struct {
		const char *name;
		size_t max;
		const char **to;
	} texts[] = {
		{"to", NUMBER_TEXT_MAX, &req->to},
		{"flow", VERIFICATION_FLOW_BYTES - 1, &req->flow},
		{"locale", VERIFICATION_LOCALE_BYTES - 1, &req->locale},
		{"brand", VERIFICATION_BRAND_BYTES - 1, &req->brand},
		{"purpose", VERIFICATION_PURPOSE_BYTES - 1, &req->purpose},
		{"from", NUMBER_TEXT_MAX, &req->from},
		{"amount", VERIFICATION_AMOUNT_BYTES - 1, &req->amount},
		{"currency", 3, &req->currency},
		{"payee", VERIFICATION_PAYEE_BYTES - 1, &req->payee},
		{"client_ip", 63, &req->client_ip},
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (!api_text(r, o, texts[i].name, texts[i].max, texts[i].to))
			return false;
	return api_required(r, "to", req->to);
}

bool api_read_create(struct web_request *r, const json_t *o,
		     struct service_create *req, char **metadata)
{
	int64_t length = 0, ttl_s = 0;

	if (!read_texts(r, o, req) ||
	    !api_int(r, o, "code_length", CODE_DIGITS_MIN, CODE_DIGITS_MAX,
		     &length) ||
	    !api_int(r, o, "ttl_s", 60, 600, &ttl_s) ||
	    !read_metadata(r, o, metadata))
		return false;
	req->code_length = (unsigned)length;
	req->ttl_ms = ttl_s * 1000;
	req->metadata = *metadata;
	return true;
}
