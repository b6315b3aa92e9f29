// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_outbound.c - URLs that others wrote: one that is accepted has no user,
 * and a host that is a public address or a name; said again in libcurl's own
 * words, it is accepted and leads to the same.
 */
#include <assert.h>
#include <string.h>

#include "web/outbound_priv.h"

enum { TEXT_MAX = OUTBOUND_URL_MAX + 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct outbound_target *a,
		    const struct outbound_target *b)
{
	return strcmp(a->host, b->host) == 0 && a->port == b->port &&
	       a->literal == b->literal &&
	       (!a->literal || net_equal(&a->address, &b->address));
}

static void leads_to_the_same(const struct outbound_target *t)
{
	struct outbound_target again = {0};
	char *text = NULL;
	CURLUcode code = curl_url_get(t->url, CURLUPART_URL, &text, 0);

	assert(code == CURLUE_OK);
	if (strlen(text) <= OUTBOUND_URL_MAX) { /* escapes make it longer */
		int err = outbound_target_read(text, &again, NULL);

		assert(!err);
		assert(is_same(t, &again));
		outbound_target_free(&again);
	}
	curl_free(text);
}

static void a_url(const char *text)
{
	struct outbound_target t = {0};
	struct diag d = {0};
	int err = outbound_target_read(text, &t, &d);

	if (err) {
		assert(d.message[0] != '\0');
		return;
	}
	assert(t.host[0] != '\0' && t.port > 0);
	assert((outbound_check(NULL, text, &d) == 0) ==
	       (!t.literal || outbound_is_public(&t.address)));
	leads_to_the_same(&t);
	outbound_target_free(&t);
}

static void a_rule(const char *text)
{
	struct outbound_rules rules = {0};
	struct diag d = {0};

	if (outbound_rules_read(&rules, &text, 1, &d) == 0)
		assert(rules.count + rules.nets.count == 1);
	else
		assert(d.message[0] != '\0');
	outbound_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];

	if (size >= sizeof(text))
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	a_url(text);
	a_rule(text);
	return 0;
}
