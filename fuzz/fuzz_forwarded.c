// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_forwarded.c - the headers of proxies: whatever the client wrote to the
 * left, a line or an element that our proxy adds is believed, or nobody is.
 *
 * The input is what the client sent: one line, which is read as each header.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "web/forwarded.h"

enum { LINE_MAX = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage a;
	int err = net_address(text, 0, &a);

	assert(!err);
	return a;
}

/* Our proxy wrote the last of it. */
static void check(const struct web_heard *heard, bool certain)
{
	struct sockaddr_storage peer = address("127.0.0.1");
	struct sockaddr_storage client = address("192.0.2.1");
	struct net_list ours = {0};
	struct web_came out;
	struct net n;

	assert(net_parse("127.0.0.1", &n, NULL) == 0);
	assert(net_list_add(&ours, &n) == 0);
	web_came_from(&ours, &peer, true, heard, &out);
	assert(net_same_host(&out.from, &client) ||
	       (!certain && net_same_host(&out.from, &peer)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char forwarded_add[] = ", for=192.0.2.1;proto=https";
	static const char for_add[] = ", 192.0.2.1";
	struct web_heard own = {0}, joined = {0}, older = {0};
	char line[LINE_MAX + sizeof(forwarded_add)];

	if (size > LINE_MAX)
		return 0;
	if (size > 0)
		memcpy(line, data, size);
	/* a line of the proxy's own, behind the client's */
	web_hops_forwarded(&own.forwarded, span_make(line, size));
	web_hops_forwarded(&own.forwarded, span_of(forwarded_add + 2));
	check(&own, true);
	/* the proxy's element in the client's line */
	memcpy(line + size, forwarded_add, sizeof(forwarded_add));
	web_hops_forwarded(&joined.forwarded,
			   span_make(line, size + strlen(forwarded_add)));
	check(&joined, false);
	/* the older ones */
	memcpy(line + size, for_add, sizeof(for_add));
	web_hops_for(&older.fors, span_make(line, size + strlen(for_add)));
	web_hops_proto(&older.protos, span_make(line, size));
	assert(older.protos.count <= WEB_HOPS_MAX);
	check(&older, true);
	return 0;
}
