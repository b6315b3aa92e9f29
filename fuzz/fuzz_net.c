// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_net.c - addresses and networks as people write them: what is accepted
 * is written back and read the same, and a network holds its own address.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/net.h"

enum { TEXT_MAX = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reads_as(const char *text, unsigned port,
		     const struct sockaddr_storage *a)
{
	struct sockaddr_storage again;

	assert(net_address(text, port, &again) == 0);
	assert(net_equal(a, &again) && net_port(a) == net_port(&again));
	assert(net_len(a) == net_len(&again));
	net_set_port(&again, net_port(a) ^ 1);
	assert(!net_equal(a, &again) && net_same_host(a, &again));
}

static void an_address(const char *text)
{
	char written[NET_TEXT_BYTES], host[NET_TEXT_BYTES];
	struct sockaddr_storage a;

	if (net_address(text, 5060, &a) != 0)
		return;
	net_text(&a, written);
	net_host(&a, host);
	reads_as(written, 1, &a);
	reads_as(host, net_port(&a), &a);
}

static void a_network(const char *text)
{
	struct sockaddr_storage a;
	char bare[TEXT_MAX];
	struct diag d = {0};
	struct net n;

	if (net_parse(text, &n, &d) != 0) {
		assert(d.message[0] != '\0');
		return;
	}
	assert(n.bits <= (n.family == AF_INET ? 32 : 128));
	(void)snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(text, "/"),
		       text);
	assert(net_address(bare, 1, &a) == 0);
	assert(net_has(&n, &a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];

	if (size >= sizeof(text))
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	an_address(text);
	a_network(text);
	return 0;
}
