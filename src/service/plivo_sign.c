// SPDX-License-Identifier: Apache-2.0
/*
 * plivo_sign.c - the texts that Plivo's signatures cover.
 */
#include "service/plivo_sign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "web/web.h"

enum { QUERY_BYTES = 4 << 10 };

/* An address taken apart; all lie in its text. */
struct address {
	struct span scheme, host, port, path, query;
};

static int take_apart(const char *url, struct address *out)
{
	struct span rest, authority;
	const char *at = strstr(url, "://");
	size_t n;

	if (!at)
		return -EINVAL;
	out->scheme = span_make(url, (size_t)(at - url));
	if (!span_is(out->scheme, "http") && !span_is(out->scheme, "https"))
		return -EINVAL;
	rest = span_of(at + 3);
	n = strcspn(rest.p, "/?#");
	authority = span_make(rest.p, n);
	rest = span_of(rest.p + n);
	n = strcspn(rest.p, "?#");
	out->path = span_make(rest.p, n);
	out->query = (struct span){0};
	if (rest.p[n] == '?')
		out->query =
			span_make(rest.p + n + 1, strcspn(rest.p + n + 1, "#"));
	/* behind the bracket of an IPv6 address */
	at = memrchr(authority.p, ':', authority.n);
	if (at && memchr(at, ']', authority.n - (size_t)(at - authority.p)))
		at = NULL;
	n = at ? (size_t)(at - authority.p) : authority.n;
	out->host = span_make(authority.p, n);
	out->port = at ? span_make(at, authority.n - n) : (struct span){0};
	return authority.n > 0 ? 0 : -EINVAL;
}

static void add_base(struct buf *b, const struct address *a, bool port)
{
	buf_span(b, a->scheme);
	buf_str(b, "://");
	buf_span(b, a->host);
	if (port)
		buf_span(b, a->port);
	buf_span(b, a->path);
}

bool service_plivo_has_port(const char *url)
{
	struct address a;

	if (take_apart(url, &a) || a.port.n == 0)
		return false;
	return !span_is(a.port, span_is(a.scheme, "https") ? ":443" : ":80");
}

static int finish(struct span token, const struct buf *text,
		  char out[PLIVO_SIGNATURE_BYTES])
{
	uint8_t hash[CRYPTO_HASH_BYTES];

	if (text->err)
		return text->err;
	crypto_hmac_with(token, text->p, text->n, hash);
	crypto_base64(hash, sizeof(hash), out);
	return 0;
}

int service_plivo_v2(struct span token, const char *url, const char *nonce,
		     char out[PLIVO_SIGNATURE_BYTES])
{
	AUTO_BUF(text, PLIVO_SIGNED_MAX);
	struct address a;
	int err = take_apart(url, &a);

	if (err)
		return err;
	add_base(&text, &a, true);
	buf_str(&text, nonce);
	return finish(token, &text, out);
}

/* --- version 3 -------------------------------------------------------------------- */

struct pairs {
	struct plivo_pair at[PLIVO_PAIRS_MAX];
	size_t count;
	struct buf texts; /* of those that were decoded, each with its NUL */
};

static int by_bytes(const void *a, const void *b)
{
	const struct plivo_pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->value, y->value);
}

static int add_pair(struct pairs *p, const char *name, const char *value)
{
	if (p->count == PLIVO_PAIRS_MAX)
		return -E2BIG;
	p->at[p->count++] = (struct plivo_pair){name, value};
	return 0;
}

/* Names and values are kept as places in `texts`, which moves as it grows. */
static int keep_decoded(const char *name, const char *value, void *ctx)
{
	struct pairs *p = ctx;

	buf_add(&p->texts, name, strlen(name) + 1);
	buf_add(&p->texts, value, strlen(value) + 1);
	return p->texts.err;
}

static int add_query(struct pairs *p, struct span query)
{
	int err = query.n > 0 ? web_form(query, keep_decoded, p) : 0;
	const char *at = p->texts.p;
	const char *end = at ? at + p->texts.n : at;

	while (!err && at < end) {
		const char *value = at + strlen(at) + 1;

		err = add_pair(p, at, value);
		at = value + strlen(value) + 1;
	}
	return err;
}

static void add_sorted(struct buf *b, struct pairs *p, const char *between,
		       const char *equals)
{
	qsort(p->at, p->count, sizeof(p->at[0]), by_bytes);
	for (size_t i = 0; i < p->count; i++) {
		buf_str(b, i > 0 ? between : "");
		buf_str(b, p->at[i].name);
		buf_str(b, equals);
		buf_str(b, p->at[i].value);
	}
}

static int add_form(struct pairs *p, const struct plivo_signed *what)
{
	int err = 0;

	for (size_t i = 0; i < what->form_count && !err; i++)
		err = add_pair(p, what->form[i].name, what->form[i].value);
	return err;
}

/* GET: all parameters are one list, with = and &. */
static int write_get(struct buf *b, struct pairs *query,
		     const struct plivo_signed *what)
{
	int err = add_form(query, what);

	if (query->count > 0)
		buf_byte(b, '?');
	add_sorted(b, query, "&", "=");
	return err;
}

/* POST: those of the body stand behind those of the query, with nothing
 * between names and values. */
static int write_post(struct buf *b, struct pairs *query,
		      const struct plivo_signed *what)
{
	struct pairs form = {.count = 0};
	int err = add_form(&form, what);

	if (query->count > 0 || form.count > 0)
		buf_byte(b, '?');
	add_sorted(b, query, "&", "=");
	if (query->count > 0 && form.count > 0)
		buf_byte(b, '.');
	add_sorted(b, &form, "", "");
	return err;
}

int service_plivo_v3(struct span token, const struct plivo_signed *what,
		     const char *nonce, char out[PLIVO_SIGNATURE_BYTES])
{
	AUTO_BUF(text, PLIVO_SIGNED_MAX);
	struct pairs query = {.texts = {.max = QUERY_BYTES}};
	struct address a;
	int err = take_apart(what->url, &a);

	if (!err)
		err = add_query(&query, a.query);
	if (!err) {
		add_base(&text, &a, !what->without_port);
		err = strcmp(what->method, "GET") == 0
			      ? write_get(&text, &query, what)
			      : write_post(&text, &query, what);
	}
	buf_byte(&text, '.');
	buf_str(&text, nonce);
	if (!err)
		err = finish(token, &text, out);
	buf_free(&query.texts);
	return err;
}
