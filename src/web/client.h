// SPDX-License-Identifier: Apache-2.0
/*
 * client.h - HTTP out, one request at a time, blocking: for the command line.
 *
 * Not for the server's threads.  No redirects are followed, and only http and
 * https are spoken.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	WEB_CLIENT_BODY_MAX = 4 << 20,
	WEB_CLIENT_CONNECT_MS = 5000,
};

struct web_ask {
	const char *method, *url;
	const char *token; /* Bearer; NULL: none */
	const char *json;  /* body; NULL: none */
	long timeout_ms;   /* the whole request; 0: none (an event stream) */
	/* Given each line of the answer as it comes, when the status is 200;
	 * not 0 ends the request early, and that is no error.  May be NULL. */
	int (*line)(struct span line, void *ctx);
	void *ctx;
};

/*
 * 0: there was an answer; *status and *body (what was not given to line())
 * say which.  Otherwise d says in words what did not work: refused, timed out,
 * not an address.
 */
MUST_CHECK int web_fetch(const struct web_ask *ask, long *status,
			 struct buf *body, struct diag *d);
