// SPDX-License-Identifier: Apache-2.0
/*
 * request.c - who asks, and of what: keys, paths, queries.
 *
 * What is wrong with a key is not told: an unknown, an expired and a revoked one
 * look the same.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/api_priv.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"

/* --- who ------------------------------------------------------------------------- */

/* Ordinary base64 with padding (RFC 4648 4), as Basic has it. */
static bool decode_basic(struct span text, char out[API_BASIC_BYTES])
{
	char url[API_BASIC_BYTES];
	size_t n;

	while (text.n > 0 && text.p[text.n - 1] == '=')
		text.n--;
	if (text.n >= sizeof(url))
		return false;
	memcpy(url, text.p, text.n);
	for (size_t i = 0; i < text.n; i++) {
		if (url[i] == '+')
			url[i] = '-';
		else if (url[i] == '/')
			url[i] = '_';
	}
	n = text.n * 3 / 4;
	if (crypto_unbase64url(span_make(url, text.n), out, n))
		return false;
	out[n] = 0;
	return strlen(out) == n;
}

bool api_basic(const struct web_request *r, char pair[API_BASIC_BYTES],
	       const char **name, const char **password)
{
	const char *given = web_header(r, "Authorization");
	char *colon;

	pair[0] = 0;
	if (!given || strncasecmp(given, "Basic ", 6) != 0 ||
	    !decode_basic(span_trim(span_of(given + 6)), pair))
		return false;
	colon = strchr(pair, ':');
	if (!colon)
		return false;
	*colon = 0;
	*name = pair;
	*password = colon + 1;
	return true;
}

static bool by_basic(struct api *a, const struct web_request *r,
		     struct service_who *out)
{
	char pair[API_BASIC_BYTES];
	const char *name, *password;
	bool known =
		api_basic(r, pair, &name, &password) &&
		service_authorize(a->p.service, name, span_of(password), out);

	crypto_wipe(pair, sizeof(pair));
	return known;
}

/* For whoever watches over who tries keys. */
void api_unauthorized(const struct web_request *r)
{
	log_info("request.unauthorized", "client", LOG_S(web_client(r)), NULL);
}

bool api_known_key(struct api *a, const struct web_request *r,
		   struct service_who *out)
{
	const char *given = web_header(r, "Authorization");
	bool known = false;

	if (!given)
		return false;
	if (strncasecmp(given, "Bearer ", 7) == 0)
		known = service_authorize(a->p.service, NULL,
					  span_trim(span_of(given + 7)), out);
	else
		known = by_basic(a, r, out);
	if (!known)
		api_unauthorized(r);
	return known;
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

	if (!api_known_key(a, r, out)) {
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

void api_part(const struct web_request *r, unsigned i, char *out, size_t size)
{
	struct span part = web_part(r, i);

	if (part.n >= size)
		part.n = size - 1;
	(void)snprintf(out, size, "%.*s", (int)part.n, part.p);
}

void api_id(const struct web_request *r, char out[VERIFICATION_ID_BYTES])
{
	api_part(r, 0, out, VERIFICATION_ID_BYTES);
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
