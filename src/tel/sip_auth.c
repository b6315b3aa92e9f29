// SPDX-License-Identifier: Apache-2.0
/*
 * sip_auth.c - answers to digest challenges, MD5 and SHA-256 (RFC 7616, 8760).
 *
 * libre 1.1.0 knows MD5 alone and fails when SHA-256 stands first in the list,
 * so every challenge of an INVITE is answered here.  What a challenge says is
 * written back as it came: a value that could end a header or a quoted text
 * early makes the challenge one that we cannot answer.
 */
#include "tel/sip_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "tel/sip_priv.h" /* libre's MD5 */

enum {
	HASH_TEXT_BYTES = 2 * CRYPTO_HASH_BYTES + 1,
	HASHED_MAX = 64 << 10, /* a body under auth-int is the longest */
	NC_MAX_TEXT = 9,
};

/* In order of what we like best. */
static const struct algorithm {
	const char *name;
	bool sha256, session;
} algorithms[] = {
	{"SHA-256", true, false},
	{"SHA-256-sess", true, true},
	{"MD5", false, false},
	{"MD5-sess", false, true},
};

static int rank(struct span name)
{
	if (name.n == 0)
		return rank(span_of("MD5"));
	for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
		if (tsip_text_is(name, algorithms[i].name))
			return (int)i;
	}
	return -1;
}

/* --- reading ---------------------------------------------------------------------- */

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-.!%*_+`'~", c));
}

/* A parameter's value without its quotes. */
static struct span unquoted(struct span v)
{
	if (v.n < 2 || v.p[0] != '"' || v.p[v.n - 1] != '"')
		return v;
	return span_make(v.p + 1, v.n - 2);
}

static bool is_clean(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f)
			return false;
		if (c == '"')
			return false;
		if (c != '\\')
			continue;
		/* a pair: what is escaped is written back escaped */
		if (++i == s.n || (unsigned char)s.p[i] < ' ')
			return false;
	}
	return true;
}

static void take(struct tsip_digest *d, struct span key, struct span value)
{
	if (tsip_text_is(key, "realm"))
		d->realm = value;
	else if (tsip_text_is(key, "nonce"))
		d->nonce = value;
	else if (tsip_text_is(key, "opaque"))
		d->opaque = value;
	else if (tsip_text_is(key, "algorithm"))
		d->algorithm = value;
	else if (tsip_text_is(key, "qop"))
		d->qop = value;
	else if (tsip_text_is(key, "stale"))
		d->stale = tsip_text_is(value, "true");
}

static bool offers(struct span qops, const char *name)
{
	struct span one;

	while (span_cut(&qops, ',', &one)) {
		if (tsip_text_is(span_trim(one), name))
			return true;
	}
	return false;
}

static bool can_answer(const struct tsip_digest *d)
{
	if (!d->realm.p || d->nonce.n == 0 || rank(d->algorithm) < 0)
		return false;
	if (d->qop.n > 0 && !offers(d->qop, "auth") &&
	    !offers(d->qop, "auth-int"))
		return false;
	return is_clean(d->realm) && is_clean(d->nonce) && is_clean(d->opaque);
}

/* Does `item` begin a challenge of its own ("Digest realm=...")?  Then *item
 * is what is behind the scheme. */
static bool begins(struct span *item, bool *digest)
{
	size_t n = 0, gap;

	while (n < item->n && is_token(item->p[n]))
		n++;
	gap = n;
	while (gap < item->n && (item->p[gap] == ' ' || item->p[gap] == '\t'))
		gap++;
	if (n == 0 || (gap < item->n && (gap == n || item->p[gap] == '=')))
		return false;
	*digest = tsip_text_is(span_make(item->p, n), "Digest");
	*item = span_make(item->p + gap, item->n - gap);
	return true;
}

static void keep_best(const struct tsip_digest *d, bool digest,
		      struct tsip_digest *best, bool *any)
{
	if (!digest || !can_answer(d))
		return;
	if (*any && rank(d->algorithm) >= rank(best->algorithm))
		return;
	*best = *d;
	*any = true;
}

int tsip_digest_pick(struct span header, struct tsip_digest *best)
{
	struct tsip_digest now = {0}, found = {0};
	bool digest = false, any = false;
	struct span item, key;

	while (tsip_text_cut(&header, ',', &item)) {
		bool next;

		if (begins(&item, &next)) {
			keep_best(&now, digest, &found, &any);
			now = (struct tsip_digest){0};
			digest = next;
		}
		if (span_cut(&item, '=', &key) && item.p)
			take(&now, span_trim(key), unquoted(span_trim(item)));
	}
	keep_best(&now, digest, &found, &any);
	if (!any)
		return -ENOENT;
	*best = found;
	return 0;
}

/* --- answering ----------------------------------------------------------------------- */

static void hash(const struct algorithm *a, struct buf *b,
		 char out[HASH_TEXT_BYTES])
{
	uint8_t sum[CRYPTO_HASH_BYTES];
	struct span s = buf_view(b);
	int err = b->err; /* what did not fit spoils all that follows */

	if (a->sha256) {
		crypto_sha256(s.p, s.n, sum);
		crypto_hex(sum, CRYPTO_HASH_BYTES, out);
	} else {
		md5((const uint8_t *)s.p, s.n, sum);
		crypto_hex(sum, MD5_SIZE, out);
	}
	if (b->p)
		crypto_wipe(b->p, b->n);
	buf_reset(b);
	b->err = err;
}

/* RFC 3261 25.1: a quoted-pair stands for the character behind it. */
static void add_unescaped(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		buf_byte(b, (unsigned char)s.p[i]);
	}
}

static void add_quoted(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_byte(b, '\\');
		buf_byte(b, (unsigned char)*s);
	}
}

struct answer {
	const struct algorithm *how;
	const char *qop; /* NULL: as RFC 2069 did */
	char nc[NC_MAX_TEXT];
	char response[HASH_TEXT_BYTES];
};

/* RFC 7616 3.4.2 */
static void hash_a1(const struct tsip_digest *d,
		    const struct tsip_digest_ask *ask, const struct answer *a,
		    struct buf *b, char out[HASH_TEXT_BYTES])
{
	buf_str(b, ask->user);
	buf_byte(b, ':');
	add_unescaped(b, d->realm);
	buf_byte(b, ':');
	buf_str(b, ask->password);
	hash(a->how, b, out);
	if (!a->how->session)
		return;
	buf_printf(b, "%s:", out);
	buf_span(b, d->nonce);
	buf_printf(b, ":%s", ask->cnonce);
	hash(a->how, b, out);
}

/* RFC 7616 3.4.3 */
static void hash_a2(const struct tsip_digest_ask *ask, const struct answer *a,
		    struct buf *b, char out[HASH_TEXT_BYTES])
{
	char body[HASH_TEXT_BYTES] = "";
	bool with_body = a->qop && strcmp(a->qop, "auth-int") == 0;

	if (with_body) {
		buf_span(b, ask->body);
		hash(a->how, b, body);
	}
	buf_printf(b, "%s:%s", ask->method, ask->uri);
	if (with_body)
		buf_printf(b, ":%s", body);
	hash(a->how, b, out);
}

/* RFC 7616 3.4.1 */
static int respond(const struct tsip_digest *d,
		   const struct tsip_digest_ask *ask, struct answer *a)
{
	AUTO_BUF(b, HASHED_MAX);
	char a1[HASH_TEXT_BYTES], a2[HASH_TEXT_BYTES];

	hash_a1(d, ask, a, &b, a1);
	hash_a2(ask, a, &b, a2);
	buf_printf(&b, "%s:", a1);
	buf_span(&b, d->nonce);
	if (a->qop)
		buf_printf(&b, ":%s:%s:%s", a->nc, ask->cnonce, a->qop);
	buf_printf(&b, ":%s", a2);
	hash(a->how, &b, a->response);
	crypto_wipe(a1, sizeof(a1));
	return b.err;
}

static void write_answer(const struct tsip_digest *d,
			 const struct tsip_digest_ask *ask,
			 const struct answer *a, struct buf *b)
{
	buf_str(b, "Digest username=\"");
	add_quoted(b, ask->user);
	buf_str(b, "\", realm=\"");
	buf_span(b, d->realm);
	buf_str(b, "\", nonce=\"");
	buf_span(b, d->nonce);
	buf_printf(b, "\", uri=\"%s\", response=\"%s\"", ask->uri, a->response);
	if (d->algorithm.n > 0)
		buf_printf(b, ", algorithm=%s", a->how->name);
	if (a->qop)
		buf_printf(b, ", qop=%s, nc=%s", a->qop, a->nc);
	if (a->qop || a->how->session)
		buf_printf(b, ", cnonce=\"%s\"", ask->cnonce);
	if (d->opaque.p) {
		buf_str(b, ", opaque=\"");
		buf_span(b, d->opaque);
		buf_byte(b, '"');
	}
}

int tsip_digest_answer(const struct tsip_digest *d,
		       const struct tsip_digest_ask *ask, char *out,
		       size_t size)
{
	struct answer a = {0};
	AUTO_BUF(b, HASHED_MAX);
	int err;

	if (!can_answer(d))
		return -EOPNOTSUPP;
	a.how = &algorithms[rank(d->algorithm)];
	if (d->qop.n > 0)
		a.qop = offers(d->qop, "auth") ? "auth" : "auth-int";
	(void)snprintf(a.nc, sizeof(a.nc), "%08x", ask->nc);
	err = respond(d, ask, &a);
	if (err)
		return err;
	write_answer(d, ask, &a, &b);
	if (b.err || b.n >= size)
		return -E2BIG;
	memcpy(out, b.p, b.n + 1);
	return 0;
}
