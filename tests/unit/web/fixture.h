// SPDX-License-Identifier: Apache-2.0
/*
 * fixture.h - a server with a few plain handlers, for the tests of this room.
 */
#pragma once

#include "base/clock.h"
#include "web/web.h"

struct fixture {
	struct web *web;
	struct clock *clock; /* NULL: the real one */
	unsigned port;
};

/* Starts on a free port; a failure fails the test. */
void fixture_start(struct fixture *f, const struct web_route *routes,
		   struct clock *clock);
/* The same on the real clock, behind these proxies. */
void fixture_start_behind(struct fixture *f, const struct web_route *routes,
			  const struct net_list *proxies);
void fixture_stop(struct fixture *f);

/* Trouble is answered as text: "trouble 2", with its status. */
void fixture_trouble(struct web_request *r, enum web_trouble t, void *ctx);
void fixture_say(struct web_request *r, unsigned status, const char *text);
