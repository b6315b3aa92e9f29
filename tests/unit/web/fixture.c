// SPDX-License-Identifier: Apache-2.0
/*
 * fixture.c - a server with a few plain handlers, for the tests of this room.
 */
#include "unit/web/fixture.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

static const unsigned status_of[] = {
	[WEB_NOT_FOUND] = 404,      [WEB_METHOD_NOT_ALLOWED] = 405,
	[WEB_BODY_TOO_LARGE] = 413, [WEB_TIMED_OUT] = 503,
	[WEB_OVERLOADED] = 503,     [WEB_BAD_REQUEST] = 400,
};

void fixture_say(struct web_request *r, unsigned status, const char *text)
{
	web_answer(r, &(struct web_answer){.status = status,
					   .type = "text/plain",
					   .body = span_of(text)});
}

void fixture_trouble(struct web_request *r, enum web_trouble t, void *ctx)
{
	char text[32];

	(void)ctx;
	(void)snprintf(text, sizeof(text), "trouble %d", (int)t);
	fixture_say(r, status_of[t], text);
}

static void start(struct fixture *f, const struct web_route *routes,
		  const struct net_list *proxies)
{
	struct web_params params = {
		.listen = "127.0.0.1:0",
		.threads = 2,
		.routes = routes,
		.trouble = fixture_trouble,
		.clock = f->clock,
		.ctx = f,
		.proxies = proxies,
	};
	struct diag d = {0};
	int err;

	err = web_start(&params, &f->web, &d);
	if (err)
		fail_msg("%s", d.message);
	f->port = web_port(f->web);
}

void fixture_start(struct fixture *f, const struct web_route *routes,
		   struct clock *clock)
{
	f->clock = clock;
	start(f, routes, NULL);
}

void fixture_start_behind(struct fixture *f, const struct web_route *routes,
			  const struct net_list *proxies)
{
	f->clock = NULL;
	start(f, routes, proxies);
}

void fixture_stop(struct fixture *f)
{
	web_stop(KEEP(f->web));
	clock_free(KEEP(f->clock));
}
