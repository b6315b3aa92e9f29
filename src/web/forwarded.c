// SPDX-License-Identifier: Apache-2.0
/*
 * forwarded.c - the headers of proxies, and the walk through them.
 *
 * The left part of a line may come from the client, who would like the rest to
 * be read as something else: an opened quote that swallows what the proxy adds.
 * So a line that is not well-formed to its end says nothing at all.
 */
#include "web/forwarded.h"

#include <string.h>
#include <strings.h>

/* --- hops ----------------------------------------------------------------------- */

static void push(struct web_hops *h, const struct web_hop *hop)
{
	if (h->count == WEB_HOPS_MAX) {
		memmove(h->items, h->items + 1,
			(WEB_HOPS_MAX - 1) * sizeof(h->items[0]));
		/* what was before it is lost: nobody walks past here */
		h->items[0] = (struct web_hop){0};
		h->count--;
	}
	h->items[h->count++] = *hop;
}

static bool is_port(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-",
				       s.p[i]))
			return false;
	return s.n > 0;
}

/* RFC 7239 6: an address, perhaps with a port, which may be a made-up one. */
static bool read_node(struct span s, struct sockaddr_storage *out)
{
	struct span rest = s, host;
	char text[NET_TEXT_BYTES];

	if (span_starts(s, "[")) {
		if (!memchr(s.p, ']', s.n))
			return false;
		rest = span_make(s.p + 1, s.n - 1);
		(void)span_cut(&rest, ']', &host);
		if (!memchr(host.p, ':', host.n) ||
		    (rest.n > 0 && rest.p[0] != ':'))
			return false;
		rest = rest.n ? span_make(rest.p + 1, rest.n - 1)
			      : (struct span){0};
	} else {
		(void)span_cut(&rest, ':', &host);
		if (rest.p && memchr(rest.p, ':', rest.n)) {
			host = s; /* IPv6 without brackets */
			rest = (struct span){0};
		}
	}
	if ((rest.p && !is_port(rest)) || host.n == 0 ||
	    host.n >= sizeof(text) || memchr(host.p, '\0', host.n))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return text[0] != '[' && net_address(text, 0, out) == 0;
}

static bool same_word(struct span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static void read_proto(struct span s, struct web_hop *hop)
{
	if (same_word(s, "https"))
		hop->proto = WEB_PROTO_HTTPS;
	else if (same_word(s, "http"))
		hop->proto = WEB_PROTO_HTTP;
	else
		hop->proto = WEB_PROTO_NONE;
}

/* --- Forwarded -------------------------------------------------------------------- */

struct reader {
	struct span rest;
	char value[NET_TEXT_BYTES]; /* of the last pair, as far as it fits */
	size_t n;
};

static bool ahead(const struct reader *rd, char c)
{
	return rd->rest.n > 0 && rd->rest.p[0] == c;
}

static char take(struct reader *rd)
{
	char c = rd->rest.p[0];

	rd->rest.p++;
	rd->rest.n--;
	return c;
}

static void skip_blanks(struct reader *rd)
{
	while (ahead(rd, ' ') || ahead(rd, '\t'))
		(void)take(rd);
}

static void keep(struct reader *rd, char c)
{
	if (rd->n < sizeof(rd->value))
		rd->value[rd->n] = c;
	rd->n++;
}

static bool is_word(char c)
{
	return c > ' ' && c < '\x7f' && !strchr("\";,\\=", c);
}

static bool read_quoted(struct reader *rd)
{
	(void)take(rd);
	while (rd->rest.n > 0) {
		char c = take(rd);

		if (c == '"')
			return true;
		if (c == '\\') {
			if (rd->rest.n == 0)
				return false;
			c = take(rd);
		}
		keep(rd, c);
	}
	return false; /* it swallowed what came behind */
}

static bool read_value(struct reader *rd)
{
	rd->n = 0;
	if (ahead(rd, '"'))
		return read_quoted(rd);
	while (rd->rest.n > 0 && is_word(rd->rest.p[0]))
		keep(rd, take(rd));
	return rd->n > 0;
}

/* `name=value`; false: it is none, or the element has it already. */
static bool read_pair(struct reader *rd, struct web_hop *hop, unsigned *seen)
{
	enum { FOR = 1, PROTO = 2 };
	struct span name = span_make(rd->rest.p, 0), value;
	unsigned is = 0;

	while (rd->rest.n > 0 && is_word(rd->rest.p[0])) {
		(void)take(rd);
		name.n++;
	}
	if (name.n == 0 || !ahead(rd, '='))
		return false;
	(void)take(rd);
	if (!read_value(rd))
		return false;
	value = span_make(rd->value, rd->n <= sizeof(rd->value) ? rd->n : 0);
	if (same_word(name, "for")) {
		is = FOR;
		hop->known = read_node(value, &hop->from);
	} else if (same_word(name, "proto")) {
		is = PROTO;
		read_proto(value, hop);
	}
	if (*seen & is)
		return false;
	*seen |= is;
	return true;
}

/* Pairs up to a comma or the end. */
static bool read_element(struct reader *rd, struct web_hop *hop)
{
	unsigned seen = 0;

	for (;;) {
		skip_blanks(rd);
		if (!ahead(rd, ';') && !read_pair(rd, hop, &seen))
			return false;
		skip_blanks(rd);
		if (rd->rest.n == 0 || ahead(rd, ','))
			return true;
		if (take(rd) != ';')
			return false;
		skip_blanks(rd);
		if (rd->rest.n == 0 || ahead(rd, ','))
			return true;
	}
}

void web_hops_forwarded(struct web_hops *h, struct span line)
{
	struct reader rd = {.rest = line};

	for (;;) {
		struct web_hop hop = {0};

		skip_blanks(&rd);
		if (rd.rest.n == 0)
			return;
		if (ahead(&rd, ',')) { /* an empty element (RFC 9110 5.6.1) */
			(void)take(&rd);
			continue;
		}
		if (!read_element(&rd, &hop)) {
			push(h, &(struct web_hop){0});
			return;
		}
		push(h, &hop);
	}
}

/* --- X-Forwarded-* ------------------------------------------------------------------- */

void web_hops_for(struct web_hops *h, struct span line)
{
	struct span one;

	while (span_cut(&line, ',', &one)) {
		struct web_hop hop = {0};

		one = span_trim(one);
		if (one.n == 0)
			continue;
		hop.known = read_node(one, &hop.from);
		push(h, &hop);
	}
}

void web_hops_proto(struct web_hops *h, struct span line)
{
	struct span one;

	while (span_cut(&line, ',', &one)) {
		struct web_hop hop = {0};

		one = span_trim(one);
		if (one.n == 0)
			continue;
		read_proto(one, &hop);
		push(h, &hop);
	}
}

/* --- the walk ----------------------------------------------------------------------------- */

/* From the right to the first that is none of ours; how far from the right.
 * *from stays as it is where nobody knows. */
static size_t walk(const struct net_list *proxies, const struct web_hops *h,
		   struct sockaddr_storage *from)
{
	size_t far = 0;

	while (far < h->count) {
		const struct web_hop *hop = &h->items[h->count - 1 - far];

		if (!hop->known)
			return far;
		if (!net_list_has(proxies, &hop->from) || far + 1 == h->count) {
			*from = hop->from;
			return far;
		}
		far++;
	}
	return 0;
}

static int proto_at(const struct web_hops *h, size_t far)
{
	if (h->count == 0)
		return WEB_PROTO_NONE;
	/* one proxy may speak for all that are before it */
	if (far >= h->count)
		far = h->count - 1;
	return (int)h->items[h->count - 1 - far].proto;
}

void web_came_from(const struct net_list *proxies,
		   const struct sockaddr_storage *peer, bool tls,
		   const struct web_heard *heard, struct web_came *out)
{
	const struct web_hops *forwarded = &heard->forwarded;
	const struct web_hops *fors = &heard->fors;
	struct sockaddr_storage one = *peer, other = *peer;
	int one_proto = proto_at(forwarded, walk(proxies, forwarded, &one));
	int other_proto = proto_at(&heard->protos, walk(proxies, fors, &other));

	out->from = forwarded->count ? one : other;
	if (forwarded->count && fors->count && !net_same_host(&one, &other))
		out->from = *peer;
	if (one_proto == WEB_PROTO_NONE && other_proto == WEB_PROTO_NONE)
		out->secure = tls;
	else
		out->secure = one_proto != WEB_PROTO_HTTP &&
			      other_proto != WEB_PROTO_HTTP;
}
