// SPDX-License-Identifier: Apache-2.0
/*
 * api.h - the HTTP faces: which paths there are and what answers them.
 *
 * A face maps requests and answers; it holds no rule of its own.  Every error
 * it may give is a row of errors.def.
 */
#pragma once

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/random.h"
#include "service/service.h"
#include "web/web.h"

struct api;
struct outbound;  /* web/outbound.h */
struct api_phone; /* api/phone.h */

/* The two endpoints of the original example; texts are borrowed. */
struct api_example {
	const char *prefix;      /* "/otp" */
	const char *application; /* of who asks without a key */
	const char *flow;
	const struct net_list *from; /* who may ask without a key */
};

struct api_params {
	struct service *service;
	struct store *store; /* for figures */
	struct clock *clock;
	struct rng *rng;
	struct api_phone *phone;   /* NULL: there is no phone page, 404 */
	struct outbound *outbound; /* for figures; NULL: none */
	/* As in struct service_params.  Where it is not known, the request's own
	 * Host is what the client goes by. */
	const char *public_url;
	const struct api_example *example; /* NULL: off; borrowed */
};

MUST_CHECK int api_new(const struct api_params *params, struct api **out,
		       struct diag *d);
void api_free(struct api *a); /* after web_stop(); NULL is fine */

/* For web_start(): routes and trouble, with the api as their ctx. */
const struct web_route *api_routes(const struct api *a);
void api_trouble(struct web_request *r, enum web_trouble t, void *ctx);
/* The server, once it is started: for figures.  Before that they lack it. */
void api_attach(struct api *a, struct web *w);

CLEANUP(api, api_free)
