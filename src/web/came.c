// SPDX-License-Identifier: Apache-2.0
/*
 * came.c - who asked, and how: the peer, or whom a proxy of ours names.
 *
 * Settled once, when the headers are there: only then, and only on its worker's
 * thread, may they be looked at.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "web/forwarded.h"
#include "web/web_priv.h"

static enum MHD_Result one_header(void *cls, enum MHD_ValueKind kind,
				  const char *name, const char *value)
{
	struct web_heard *l = cls;
	struct span line = span_of(value ? value : "");

	(void)kind;
	if (strcasecmp(name, "Forwarded") == 0)
		web_hops_forwarded(&l->forwarded, line);
	else if (strcasecmp(name, "X-Forwarded-For") == 0)
		web_hops_for(&l->fors, line);
	else if (strcasecmp(name, "X-Forwarded-Proto") == 0)
		web_hops_proto(&l->protos, line);
	return MHD_YES;
}

static void came_through(struct web_request *r,
			 const struct sockaddr_storage *peer)
{
	struct web_heard heard;
	struct web_came came;
	char from[NET_TEXT_BYTES];

	heard.forwarded.count = heard.fors.count = heard.protos.count = 0;
	(void)MHD_get_connection_values(r->conn->mhd, MHD_HEADER_KIND,
					one_header, &heard);
	web_came_from(r->worker->web->params.proxies, peer, r->secure, &heard,
		      &came);
	net_host(&came.from, from);
	(void)snprintf(r->client, sizeof(r->client), "%.46s", from);
	r->secure = came.secure;
}

void web_request_came(struct web_request *r)
{
	const struct web_params *p = &r->worker->web->params;
	struct sockaddr_storage peer;

	memcpy(r->client, r->peer, sizeof(r->client));
	r->secure = p->tls_cert != NULL;
	if (p->proxies && net_address(r->peer, 0, &peer) == 0 &&
	    net_list_has(p->proxies, &peer))
		came_through(r, &peer);
}
