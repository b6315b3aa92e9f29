// SPDX-License-Identifier: Apache-2.0
/*
 * net.c - addresses and networks as people write them.
 *
 * Everything is compared in one form, struct plain below, in which an IPv4
 * address that arrived mapped into IPv6 is an IPv4 address: a socket that
 * listens for both would otherwise miss a trunk whose network is written
 * 192.0.2.0/24.  The zone of a link-local address is left out of it, because
 * neither SDP nor a settings file can say one.
 */
#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

enum {
	V4_BYTES = 4,
	V6_BYTES = 16,
	MAPPED_AT = 12, /* where the IPv4 address stands in a mapped one */
	PORT_MAX = 65535,
	BITS = 8,
};

struct plain {
	sa_family_t family; /* AF_UNSPEC: no address */
	uint8_t bytes[V6_BYTES];
	uint16_t port;
};

static size_t bytes_of(sa_family_t family)
{
	return family == AF_INET ? V4_BYTES : family == AF_INET6 ? V6_BYTES : 0;
}

static bool is_mapped(const uint8_t six[V6_BYTES])
{
	static const uint8_t prefix[MAPPED_AT] = {[10] = 0xff, [11] = 0xff};

	return memcmp(six, prefix, sizeof(prefix)) == 0;
}

static struct plain plain(const struct sockaddr_storage *a)
{
	struct plain p = {.family = AF_UNSPEC};
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (a->ss_family == AF_INET) {
		memcpy(&four, a, sizeof(four));
		p.family = AF_INET;
		p.port = ntohs(four.sin_port);
		memcpy(p.bytes, &four.sin_addr, V4_BYTES);
	} else if (a->ss_family == AF_INET6) {
		memcpy(&six, a, sizeof(six));
		p.family = AF_INET6;
		p.port = ntohs(six.sin6_port);
		memcpy(p.bytes, &six.sin6_addr, V6_BYTES);
		if (is_mapped(p.bytes)) {
			p.family = AF_INET;
			memmove(p.bytes, p.bytes + MAPPED_AT, V4_BYTES);
			memset(p.bytes + V4_BYTES, 0, V6_BYTES - V4_BYTES);
		}
	}
	return p;
}

static void storage(const struct plain *p, struct sockaddr_storage *out)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};

	memset(out, 0, sizeof(*out));
	if (p->family == AF_INET) {
		four.sin_port = htons(p->port);
		memcpy(&four.sin_addr, p->bytes, V4_BYTES);
		memcpy(out, &four, sizeof(four));
	} else {
		six.sin6_port = htons(p->port);
		memcpy(&six.sin6_addr, p->bytes, V6_BYTES);
		memcpy(out, &six, sizeof(six));
	}
}

/* An address alone, IPv4 or IPv6, without port or brackets. */
static int host_read(struct span s, sa_family_t family, uint8_t bytes[V6_BYTES])
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text))
		return -EINVAL;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(bytes, 0, V6_BYTES);
	return inet_pton(family, text, bytes) == 1 ? 0 : -EINVAL;
}

static bool has(struct span s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

static int port_read(struct span s, uint16_t *out)
{
	uint64_t port;

	if (span_uint(s, PORT_MAX, &port) != 0)
		return -EINVAL;
	*out = (uint16_t)port;
	return 0;
}

/* "host", "host:port", "[six]", "[six]:port" into its two parts; *port.p is
 * NULL when there is none. */
static int cut(const char *text, struct span *host, struct span *port,
	       sa_family_t *family)
{
	struct span s = span_of(text), rest = s;

	*port = (struct span){0};
	if (span_starts(s, "[")) {
		rest = span_make(s.p + 1, s.n - 1);
		if (!has(rest, ']'))
			return -EINVAL;
		(void)span_cut(&rest, ']', host);
		*family = AF_INET6;
		if (rest.n == 0)
			return 0;
		if (rest.p[0] != ':')
			return -EINVAL;
		*port = span_make(rest.p + 1, rest.n - 1);
		return 0;
	}
	if (!span_cut(&rest, ':', host))
		return -EINVAL;
	*family = AF_INET;
	if (rest.p && has(rest, ':')) { /* more than one: IPv6, bare */
		*host = s;
		*family = AF_INET6;
		return 0;
	}
	*port = rest;
	return 0;
}

int net_address(const char *text, unsigned port, struct sockaddr_storage *out)
{
	struct span host, port_text;
	struct plain p = {.port = (uint16_t)port};

	if (port > PORT_MAX || cut(text, &host, &port_text, &p.family) != 0 ||
	    host_read(host, p.family, p.bytes) != 0)
		return -EINVAL;
	if (port_text.p && port_read(port_text, &p.port) != 0)
		return -EINVAL;
	storage(&p, out);
	p = plain(out); /* a mapped one becomes what it stands for */
	storage(&p, out);
	return 0;
}

void net_host(const struct sockaddr_storage *a, char out[NET_TEXT_BYTES])
{
	struct plain p = plain(a);

	out[0] = '\0';
	if (p.family != AF_UNSPEC &&
	    !inet_ntop(p.family, p.bytes, out, NET_TEXT_BYTES))
		out[0] = '\0';
}

void net_text(const struct sockaddr_storage *a, char out[NET_TEXT_BYTES])
{
	struct plain p = plain(a);
	char host[NET_TEXT_BYTES];

	net_host(a, host);
	if (p.family == AF_UNSPEC)
		out[0] = '\0';
	else
		(void)snprintf(out, NET_TEXT_BYTES,
			       p.family == AF_INET6 ? "[%.45s]:%u" : "%.45s:%u",
			       host, (unsigned)p.port);
}

unsigned net_port(const struct sockaddr_storage *a)
{
	return plain(a).port;
}

void net_set_port(struct sockaddr_storage *a, unsigned port)
{
	uint16_t be = htons((uint16_t)port);

	if (a->ss_family == AF_INET)
		memcpy((char *)a + offsetof(struct sockaddr_in, sin_port), &be,
		       sizeof(be));
	else if (a->ss_family == AF_INET6)
		memcpy((char *)a + offsetof(struct sockaddr_in6, sin6_port),
		       &be, sizeof(be));
}

socklen_t net_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET    ? sizeof(struct sockaddr_in)
	       : a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					  : 0;
}

static bool same_host(const struct plain *a, const struct plain *b)
{
	return a->family != AF_UNSPEC && a->family == b->family &&
	       memcmp(a->bytes, b->bytes, bytes_of(a->family)) == 0;
}

bool net_same_host(const struct sockaddr_storage *a,
		   const struct sockaddr_storage *b)
{
	struct plain one = plain(a), other = plain(b);

	return same_host(&one, &other);
}

bool net_equal(const struct sockaddr_storage *a,
	       const struct sockaddr_storage *b)
{
	struct plain one = plain(a), other = plain(b);

	return same_host(&one, &other) && one.port == other.port;
}

bool net_is_any(const struct sockaddr_storage *a)
{
	static const uint8_t zeroes[V6_BYTES];
	struct plain p = plain(a);

	return p.family != AF_UNSPEC &&
	       memcmp(p.bytes, zeroes, bytes_of(p.family)) == 0;
}

/* --- networks ------------------------------------------------------------------- */

/* The first `bits` of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	size_t whole = bits / BITS;
	unsigned left = bits % BITS;
	uint8_t mask = (uint8_t)(0xff00 >> left);

	return memcmp(a, b, whole) == 0 &&
	       (left == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

/* Clear all but the first `bits`. */
static void keep_bits(uint8_t bytes[V6_BYTES], unsigned bits)
{
	for (unsigned i = 0; i < V6_BYTES; i++) {
		unsigned at = i * BITS;

		if (at >= bits)
			bytes[i] = 0;
		else if (bits - at < BITS)
			bytes[i] &= (uint8_t)(0xff00 >> (bits - at));
	}
}

static void unmap(struct net *n)
{
	if (n->family != AF_INET6 || !is_mapped(n->bytes) ||
	    n->bits < MAPPED_AT * BITS)
		return;
	n->family = AF_INET;
	n->bits -= MAPPED_AT * BITS;
	memmove(n->bytes, n->bytes + MAPPED_AT, V4_BYTES);
	memset(n->bytes + V4_BYTES, 0, V6_BYTES - V4_BYTES);
}

static int not_a_network(struct diag *d)
{
	return diag_set(d, "is not a network; write 192.0.2.0/24, "
			   "2001:db8::/32 or one address");
}

int net_parse(const char *text, struct net *out, struct diag *d)
{
	struct span rest = span_of(text), host;
	uint8_t kept[V6_BYTES];
	struct net n = {0};
	uint64_t bits;

	if (!span_cut(&rest, '/', &host))
		return not_a_network(d);
	n.family = has(host, ':') ? AF_INET6 : AF_INET;
	if (host_read(host, n.family, n.bytes) != 0)
		return not_a_network(d);
	n.bits = (unsigned)bytes_of(n.family) * BITS;
	if (rest.p) {
		if (span_uint(rest, n.bits, &bits) != 0)
			return diag_set(d,
					"behind the / belongs a number of "
					"bits from 0 to %u",
					n.bits);
		n.bits = (unsigned)bits;
	}
	memcpy(kept, n.bytes, sizeof(kept));
	keep_bits(kept, n.bits);
	if (memcmp(kept, n.bytes, sizeof(kept)) != 0) {
		char right[INET6_ADDRSTRLEN];

		if (!inet_ntop(n.family, kept, right, sizeof(right)))
			return not_a_network(d);
		return diag_set(d,
				"has bits set behind its prefix; the network "
				"is %s/%u",
				right, n.bits);
	}
	unmap(&n);
	*out = n;
	return 0;
}

int net_list_add(struct net_list *l, const struct net *n)
{
	if (l->count >= NET_LIST_MAX)
		return -E2BIG;
	l->nets[l->count++] = *n;
	return 0;
}

static bool covers(const struct net *n, const struct plain *p)
{
	return p->family != AF_UNSPEC && n->family == p->family &&
	       same_bits(n->bytes, p->bytes, n->bits);
}

bool net_has(const struct net *n, const struct sockaddr_storage *a)
{
	struct plain p = plain(a);

	return covers(n, &p);
}

bool net_list_has(const struct net_list *l, const struct sockaddr_storage *a)
{
	struct plain p = plain(a);

	for (size_t i = 0; i < l->count; i++)
		if (covers(&l->nets[i], &p))
			return true;
	return false;
}
