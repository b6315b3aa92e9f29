// SPDX-License-Identifier: Apache-2.0
/*
 * phone.h - the page that is a telephone, over HTTP.
 *
 * Whoever holds a session hears codes.  A session begins with a one-time token
 * that stands in the fragment of a printed address, and is a cookie after that.
 */
#pragma once

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/random.h"
#include "tel/browser.h"
#include "web/web.h"

struct api_phone;

struct api_phone_params {
	struct tel_browser *browser;
	const char *dir;    /* the page's files */
	const char *origin; /* "http://127.0.0.1:8080": what the page is at */
	struct clock *clock;
	struct rng *rng;
	/* A fresh one-time token, at the start and whenever one was used:
	 * whoever runs the server shows the address with it.  Any thread. */
	void (*link)(const char *token, void *ctx);
	void *ctx;
};

MUST_CHECK int api_phone_new(const struct api_phone_params *params,
			     struct api_phone **out, struct diag *d);
void api_phone_free(struct api_phone *p); /* after web_stop(); NULL is fine */
/* port 0 in `listen`: the origin is known only once the server has started. */
void api_phone_set_origin(struct api_phone *p, const char *origin);

/* Handlers for rows of api_routes(), whose ctx is a struct api: api.c hands
 * these the phone.  p may be NULL (there is none): 404. */
void api_phone_page(struct api_phone *p, struct web_request *r);
void api_phone_session(struct api_phone *p, struct web_request *r);
void api_phone_events(struct api_phone *p, struct web_request *r);
void api_phone_act(struct api_phone *p, struct web_request *r);
void api_phone_sound(struct api_phone *p, struct web_request *r);

CLEANUP(api_phone, api_phone_free)
