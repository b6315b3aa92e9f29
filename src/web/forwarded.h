// SPDX-License-Identifier: Apache-2.0
/*
 * forwarded.h - who asked, when the request came through proxies.
 *
 * Forwarded (RFC 7239) and the older X-Forwarded-For and -Proto say, from the
 * left to the right, who came to whom; each proxy adds one behind.  So only what
 * a proxy of ours wrote can be believed: the walk begins at the right and ends
 * with the first address that is none of ours.  Everything to the left of it
 * may be anybody's invention.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"
#include "base/span.h"

enum { WEB_HOPS_MAX = 32 }; /* of proxies of ours, one behind the other */

struct web_hop {
	bool known;                   /* `from` is an address */
	struct sockaddr_storage from; /* who came to the proxy */
	enum { WEB_PROTO_NONE, WEB_PROTO_HTTP, WEB_PROTO_HTTPS } proto;
};
/* The last ones, in the order in which they were written. */
struct web_hops {
	struct web_hop items[WEB_HOPS_MAX];
	size_t count;
};

/* What the lines of each header said. */
struct web_heard {
	struct web_hops forwarded, fors, protos;
};

/* One header line each, in their order; what cannot be read is a hop that is
 * not known. */
void web_hops_forwarded(struct web_hops *h, struct span line);
void web_hops_for(struct web_hops *h, struct span line);
void web_hops_proto(struct web_hops *h, struct span line);

struct web_came {
	struct sockaddr_storage
		from; /* the peer, where nothing better is known */
	bool secure;  /* https was spoken to the first proxy of ours */
};

/*
 * The peer is a proxy of ours; `tls`: it spoke https to us.  Where the two ways
 * of saying who asked do not say the same, one of them is not the proxy's: then
 * it is the peer.
 */
void web_came_from(const struct net_list *proxies,
		   const struct sockaddr_storage *peer, bool tls,
		   const struct web_heard *heard, struct web_came *out);
