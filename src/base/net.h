// SPDX-License-Identifier: Apache-2.0
/*
 * net.h - addresses and networks as people write them.
 *
 * An address is a struct sockaddr_storage of AF_INET or AF_INET6; an IPv4
 * address mapped into IPv6 (RFC 4291 2.5.5.2) is taken for the IPv4 one.
 * Nothing here resolves a name or blocks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/diag.h"

enum {
	NET_TEXT_BYTES = 64, /* "[2001:db8::1]:65535" and NUL */
	NET_LIST_MAX = 64,
};

/* --- addresses ---------------------------------------------------------------- */

/* "192.0.2.1:5060", "[2001:db8::1]:5060", or without a port: `port` then.
 * -EINVAL: neither. */
MUST_CHECK int net_address(const char *text, unsigned port,
			   struct sockaddr_storage *out);
void net_text(const struct sockaddr_storage *a, char out[NET_TEXT_BYTES]);
/* The address without its port. */
void net_host(const struct sockaddr_storage *a, char out[NET_TEXT_BYTES]);
unsigned net_port(const struct sockaddr_storage *a);
void net_set_port(struct sockaddr_storage *a, unsigned port);
socklen_t net_len(const struct sockaddr_storage *a);
bool net_equal(const struct sockaddr_storage *a,
	       const struct sockaddr_storage *b);
bool net_same_host(const struct sockaddr_storage *a,
		   const struct sockaddr_storage *b);
bool net_is_any(const struct sockaddr_storage *a);

/* --- networks ------------------------------------------------------------------- */

struct net {
	sa_family_t family;
	uint8_t bytes[16];
	unsigned bits;
};
struct net_list {
	struct net nets[NET_LIST_MAX];
	size_t count;
};

/* "192.0.2.0/24", "2001:db8::/32", or one address.  -EINVAL: d says why, also
 * that bits are set behind the prefix. */
MUST_CHECK int net_parse(const char *text, struct net *out, struct diag *d);
/* -E2BIG past NET_LIST_MAX. */
MUST_CHECK int net_list_add(struct net_list *l, const struct net *n);
bool net_has(const struct net *n, const struct sockaddr_storage *a);
bool net_list_has(const struct net_list *l, const struct sockaddr_storage *a);
