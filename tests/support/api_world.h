// SPDX-License-Identifier: Apache-2.0
/*
 * api_world.h - a whole service behind its real HTTP interface.
 *
 * The clock is the world's, and so is the line: while an answer is waited for,
 * the test's thread turns the loop and time stands still, until nothing but
 * time seems to be missing.
 */
#pragma once

#include "api/api.h"
#include "support/http.h"
#include "support/trunks.h"
#include "support/world.h"
#include "web/web.h"

#define API_WORLD_TRUNK "+1808"

struct api_world {
	struct api_example example;   /* under "/otp" */
	struct net_list example_from; /* nobody, at first */
	struct world *w;
	struct trunks *trunks; /* one, of the numbers in API_WORLD_TRUNK */
	struct rng *rng;       /* the world's own, for its telephone */
	struct api *api;
	struct web *web;
	unsigned port;
	bool real_web;
	/* tokens of application `shop`, by scope, and one of `other` */
	char verify[SERVICE_TOKEN_BYTES], check[SERVICE_TOKEN_BYTES],
		flows[SERVICE_TOKEN_BYTES], admin[SERVICE_TOKEN_BYTES],
		other[SERVICE_TOKEN_BYTES];
	char verify_id[VERIFICATION_APP_BYTES]; /* key id */
};

int api_world_setup(void **state);
int api_world_setup_timed(void **state); /* HTTP keeps the real time */
int api_world_teardown(void **state);

struct api_ask {
	const char *method, *path;
	const char *token;   /* Bearer; NULL: none */
	const char *headers; /* further lines that end in CRLF; NULL: none */
	const char *body;    /* NULL: none */
};
/* One request on a connection of its own, and its whole answer. */
void api_world_ask(struct api_world *aw, const struct api_ask *ask,
		   struct http_answer *out);
/* The same; another status fails the test. */
void api_world_ask_for(struct api_world *aw, const struct api_ask *ask,
		       int status, struct http_answer *out);
/* Lines of a request: HTTP Basic, and what a body is; both end in CRLF. */
enum { API_WORLD_HEAD_BYTES = 1024 };
void api_world_basic(const char *name, const char *token, const char *type,
		     char out[API_WORLD_HEAD_BYTES]);
/* Sends it and waits for nothing; the connection. */
int api_world_send(struct api_world *aw, const struct api_ask *ask);
/* Turns the loop until there is something to read. */
void api_world_await(struct api_world *aw, int fd);

/* POST with the verify key; asserts the status. */
void api_world_post(struct api_world *aw, const char *path, const char *body,
		    int status, struct http_answer *out);
/* Creates, and writes the id down. */
void api_world_create(struct api_world *aw, const char *to, const char *flow,
		      char id[VERIFICATION_ID_BYTES]);
/* A member of an answer's object, as text, in static memory; "" if absent. */
const char *api_world_text(const struct http_answer *a, const char *name);
/* The code of a verification, as it would be spoken. */
void api_world_code(struct api_world *aw, const char *id, char out[CODE_BYTES]);
