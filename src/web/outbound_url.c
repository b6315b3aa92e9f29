// SPDX-License-Identifier: Apache-2.0
/*
 * outbound_url.c - which URLs and which addresses may be asked.
 *
 * The URL is read once, by libcurl, and what it read is what it is given to go
 * to: two readers of one URL can be led to two hosts.  Its reader knows the
 * other spellings of an IPv4 address (127.1, 0x7f000001, 017700000001) and makes
 * them the common one; a spelling that slips through is a name, whose addresses
 * are looked at when it has been resolved.
 *
 * The table is IANA's registries of special-purpose addresses (RFC 6890), less
 * fine where being finer would help nobody.  For IPv6 it is turned around: only
 * 2000::/3 has been given out, so only that can be public.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "web/outbound_priv.h"

enum { LABEL_MAX = 63 };

/* --- addresses ---------------------------------------------------------------------- */

static const struct net not_public[] = {
	{AF_INET, {0}, 8},             /* this network */
	{AF_INET, {10}, 8},            /* private, RFC 1918 */
	{AF_INET, {100, 64}, 10},      /* shared, RFC 6598 */
	{AF_INET, {127}, 8},           /* loopback */
	{AF_INET, {169, 254}, 16},     /* link-local: clouds' metadata */
	{AF_INET, {172, 16}, 12},      /* private */
	{AF_INET, {192, 0, 0}, 24},    /* protocols, RFC 6890 */
	{AF_INET, {192, 0, 2}, 24},    /* documentation, RFC 5737 */
	{AF_INET, {192, 88, 99}, 24},  /* 6to4 relays, RFC 7526 */
	{AF_INET, {192, 168}, 16},     /* private */
	{AF_INET, {198, 18}, 15},      /* benchmarks, RFC 2544 */
	{AF_INET, {198, 51, 100}, 24}, /* documentation */
	{AF_INET, {203, 0, 113}, 24},  /* documentation */
	{AF_INET, {224}, 3},           /* multicast, reserved, broadcast */
	{AF_INET6, {0x20, 0x01}, 23},  /* protocols, Teredo, RFC 2928 */
	{AF_INET6, {0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{AF_INET6, {0x3f, 0xff}, 20},             /* documentation, RFC 9637 */
};
static const struct net given_out = {AF_INET6, {0x20}, 3};

/* IPv4 inside IPv6: where it goes to in the end is the IPv4 address. */
static const struct {
	struct net net;
	size_t at; /* of the four bytes */
} wrappers[] = {
	{{AF_INET6, {0x20, 0x02}, 16}, 2},              /* 6to4, RFC 3056 */
	{{AF_INET6, {0x00, 0x64, 0xff, 0x9b}, 96}, 12}, /* NAT64, RFC 6052 */
};

/* What the address is meant to reach; itself, mostly. */
static struct sockaddr_storage inner(const struct sockaddr_storage *a)
{
	struct sockaddr_storage out = *a;
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six;

	if (a->ss_family != AF_INET6)
		return out;
	memcpy(&six, a, sizeof(six));
	for (size_t i = 0; i < COUNT_OF(wrappers); i++) {
		if (!net_has(&wrappers[i].net, a))
			continue;
		memcpy(&four.sin_addr, six.sin6_addr.s6_addr + wrappers[i].at,
		       sizeof(four.sin_addr));
		memset(&out, 0, sizeof(out));
		memcpy(&out, &four, sizeof(four));
	}
	return out;
}

/* Not mapped either: what net_has() compares is IPv4 then. */
static bool is_six(const struct sockaddr_storage *a)
{
	static const struct net all = {.family = AF_INET6};

	return net_has(&all, a);
}

bool outbound_is_public(const struct sockaddr_storage *a)
{
	struct sockaddr_storage to = inner(a);

	if (is_six(&to) && !net_has(&given_out, &to))
		return false;
	for (size_t i = 0; i < COUNT_OF(not_public); i++)
		if (net_has(&not_public[i], &to))
			return false;
	return to.ss_family == AF_INET || to.ss_family == AF_INET6;
}

/* --- rules ---------------------------------------------------------------------------- */

/* Letters, digits, "-" and "_" in labels; the last one is no number, because
 * then it would be read as an address. */
static bool is_name(struct span s)
{
	struct span rest = s, label = {0};

	if (s.n == 0 || s.n >= OUTBOUND_HOST_BYTES)
		return false;
	while (span_cut(&rest, '.', &label)) {
		if (label.n == 0 || label.n > LABEL_MAX)
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!isalnum((unsigned char)label.p[i]) &&
			    label.p[i] != '-' && label.p[i] != '_')
				return false;
	}
	return !isdigit((unsigned char)label.p[0]);
}

/* In lower case, without the root's dot.  False: too long. */
static bool plain_host(struct span s, char out[OUTBOUND_HOST_BYTES])
{
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n >= OUTBOUND_HOST_BYTES || memchr(s.p, '\0', s.n))
		return false;
	for (size_t i = 0; i < s.n; i++)
		out[i] = (char)tolower((unsigned char)s.p[i]);
	out[s.n] = '\0';
	return true;
}

static int one_rule(struct outbound_rules *rules, const char *text,
		    struct diag *d)
{
	char host[OUTBOUND_HOST_BYTES];
	struct diag why = {0};
	struct net n;

	if (net_parse(text, &n, &why) == 0) {
		if (net_list_add(&rules->nets, &n) == 0)
			return 0;
		return diag_set(d, "%s: there are more than %d networks", text,
				NET_LIST_MAX);
	}
	if (strchr(text, '/'))
		return diag_set(d, "%s %s", text, why.message);
	if (!plain_host(span_of(text), host) || !is_name(span_of(host)))
		return diag_set(d,
				"%s is neither a host's name nor an address "
				"nor a network",
				text);
	rules->names =
		b_grow(rules->names, rules->count + 1, sizeof(*rules->names));
	rules->names[rules->count++] = b_strdup(host);
	return 0;
}

int outbound_rule(const char *text, struct diag *d)
{
	struct outbound_rules rules = {0};
	int err = one_rule(&rules, text, d);

	outbound_rules_free(&rules);
	return err;
}

int outbound_rules_read(struct outbound_rules *rules, const char *const *allow,
			size_t count, struct diag *d)
{
	for (size_t i = 0; i < count; i++) {
		int err = one_rule(rules, allow[i], d);

		if (err)
			return err;
	}
	return 0;
}

void outbound_rules_free(struct outbound_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->names[i]);
	free(rules->names);
	*rules = (struct outbound_rules){0};
}

int outbound_may(const struct outbound_rules *rules, const char *host,
		 const struct sockaddr_storage *a, struct diag *d)
{
	struct sockaddr_storage to = inner(a);
	char text[NET_TEXT_BYTES];

	if (outbound_is_public(a))
		return 0;
	if (rules &&
	    (net_list_has(&rules->nets, a) || net_list_has(&rules->nets, &to)))
		return 0;
	for (size_t i = 0; rules && i < rules->count; i++)
		if (strcmp(rules->names[i], host) == 0)
			return 0;
	net_host(a, text);
	(void)diag_set(d, "%s%s%s is not a public address", host,
		       strcmp(host, text) == 0 ? "" : ": ",
		       strcmp(host, text) == 0 ? "" : text);
	return -EACCES;
}

/* --- URLs -------------------------------------------------------------------------------- */

/* libcurl's reader would take one slash or three for two. */
static bool has_scheme(const char *url)
{
	size_t n = strncasecmp(url, "https://", 8) == 0  ? 8
		   : strncasecmp(url, "http://", 7) == 0 ? 7
							 : 0;

	return n > 0 && url[n] != '/';
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool is = curl_url_get(u, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return is;
}

static int read_port(CURLU *u, unsigned *out, struct diag *d)
{
	char *text = NULL;
	uint64_t port = 0;
	int err = curl_url_get(u, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT);

	if (!err)
		err = span_uint(span_of(text), 65535, &port);
	curl_free(text);
	if (err || port == 0)
		return diag_set(d, "has no port from 1 to 65535");
	*out = (unsigned)port;
	return 0;
}

static int read_host(struct outbound_target *t, struct diag *d)
{
	char *text = NULL;
	struct span host;
	bool fits;

	if (curl_url_get(t->url, CURLUPART_HOST, &text, 0) != CURLUE_OK)
		return diag_set(d, "has no host");
	host = span_of(text);
	if (host.n > 2 && host.p[0] == '[')
		host = span_make(host.p + 1, host.n - 2);
	fits = plain_host(host, t->host);
	curl_free(text);
	if (!fits)
		return diag_set(d, "has a host that is too long");
	t->literal = net_address(t->host, t->port, &t->address) == 0;
	if (!t->literal && !is_name(span_of(t->host)))
		return diag_set(d, "has a host that is no name of letters, "
				   "digits, - and _ (others are written "
				   "xn--...)");
	return 0;
}

static int read_parts(struct outbound_target *t, struct diag *d)
{
	int err;

	if (has_part(t->url, CURLUPART_USER) ||
	    has_part(t->url, CURLUPART_PASSWORD))
		return diag_set(d, "names a user: nobody's secret belongs in "
				   "a URL");
	if (has_part(t->url, CURLUPART_ZONEID))
		return diag_set(d, "names a zone of this machine");
	err = read_port(t->url, &t->port, d);
	return err ? err : read_host(t, d);
}

int outbound_target_read(const char *url, struct outbound_target *out,
			 struct diag *d)
{
	struct outbound_target t = {0};
	int err;

	if (strlen(url) > OUTBOUND_URL_MAX)
		return diag_set(d, "is longer than %d bytes", OUTBOUND_URL_MAX);
	if (!has_scheme(url))
		return diag_set(d, "does not begin with https:// or http://");
	t.url = curl_url();
	if (!t.url)
		return -ENOMEM;
	if (curl_url_set(t.url, CURLUPART_URL, url, 0) != CURLUE_OK)
		err = diag_set(d, "is not a URL");
	else
		err = read_parts(&t, d);
	if (err)
		curl_url_cleanup(t.url);
	else
		*out = t;
	return err;
}

void outbound_target_free(struct outbound_target *t)
{
	curl_url_cleanup(t->url);
	*t = (struct outbound_target){0};
}

int outbound_check(const struct outbound *o, const char *url, struct diag *d)
{
	struct outbound_target t = {0};
	int err = outbound_target_read(url, &t, d);

	if (err)
		return err;
	if (t.literal &&
	    outbound_may(o ? &o->rules : NULL, t.host, &t.address, d))
		err = -EINVAL;
	outbound_target_free(&t);
	return err;
}
