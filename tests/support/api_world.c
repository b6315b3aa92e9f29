// SPDX-License-Identifier: Apache-2.0
/*
 * api_world.c - a whole service behind its real HTTP interface.
 */
#include "support/api_world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/receiver.h"

enum { PATIENCE = 20 };

static void add_key(struct api_world *aw, const char *application,
		    unsigned scopes, char token[SERVICE_TOKEN_BYTES])
{
	const struct service_admin admin = {aw->w->store, aw->w->ring,
					    aw->w->clock, aw->w->rng};
	char name[16]; /* two of a name may live */
	const struct service_key_new key = {
		.application = application, .name = name, .scopes = scopes};
	AUTO_FREE char *text = NULL;
	AUTO_JSON json_t *o = NULL;
	const char *made = NULL, *id = NULL;
	struct diag d = {0};

	(void)snprintf(name, sizeof(name), "test %u", scopes);
	if (service_key_add(&admin, &key, &text, &d))
		fail_msg("%s", d.message);
	assert_int_equal(js_parse(span_of(text), &o, &d), 0);
	assert_int_equal(
		js_get_text(o, "token", SERVICE_TOKEN_BYTES - 1, &made, &d), 0);
	(void)snprintf(token, SERVICE_TOKEN_BYTES, "%s", made);
	if (token == aw->verify) {
		assert_int_equal(js_get_text(o, "id",
					     VERIFICATION_APP_BYTES - 1, &id,
					     &d),
				 0);
		(void)snprintf(aw->verify_id, sizeof(aw->verify_id), "%s", id);
	}
}

static void add_app(struct api_world *aw, const char *name)
{
	const struct service_admin admin = {aw->w->store, aw->w->ring,
					    aw->w->clock, aw->w->rng};
	AUTO_FREE char *text = NULL;
	struct diag d = {0};

	if (service_app_add(&admin, name, &text, &d))
		fail_msg("%s", d.message);
}

static void open_api(struct api_world *aw)
{
	const struct api_params api = {.example = &aw->example,
				       .service = aw->w->service,
				       .store = aw->w->store,
				       .clock = aw->w->clock,
				       .rng = aw->w->rng};
	struct web_params web = {.listen = "127.0.0.1:0",
				 .threads = 2,
				 .trouble = api_trouble,
				 .clock = aw->real_web ? clock_real()
						       : aw->w->clock};
	struct diag d = {0};

	aw->example = (struct api_example){.prefix = "/otp",
					   .application = "shop",
					   .flow = "speak",
					   .from = &aw->example_from};
	assert_int_equal(api_new(&api, &aw->api, &d), 0);
	web.ctx = aw->api;
	web.routes = api_routes(aw->api);
	assert_int_equal(web_start(&web, &aw->web, &d), 0);
	api_attach(aw->api, aw->web);
	aw->port = web_port(aw->web);
}

static int set_up(void **state, bool real_web)
{
	struct api_world *aw = b_zero(1, sizeof(*aw));

	aw->real_web = real_web;
	aw->w = world_new();
	/* requests come on several threads, which the seeded one is not for */
	aw->rng = aw->w->rng;
	aw->w->rng = rng_system();
	add_app(aw, "shop");
	add_app(aw, "other");
	add_key(aw, "shop", SERVICE_VERIFY, aw->verify);
	add_key(aw, "shop", SERVICE_CHECK, aw->check);
	add_key(aw, "shop", SERVICE_FLOWS, aw->flows);
	add_key(aw, "shop", SERVICE_VERIFY | SERVICE_ADMIN, aw->admin);
	add_key(aw, "other", SERVICE_VERIFY | SERVICE_CHECK, aw->other);
	aw->trunks = trunks_new(aw->w);
	(void)trunks_add(aw->trunks, "main", NULL);
	trunks_route(aw->trunks, API_WORLD_TRUNK);
	aw->w->outbound = receiver_new(aw->w->clock);
	world_start(aw->w);
	open_api(aw);
	*state = aw;
	return 0;
}

int api_world_setup(void **state)
{
	return set_up(state, false);
}

int api_world_setup_timed(void **state)
{
	return set_up(state, true);
}

int api_world_teardown(void **state)
{
	struct api_world *aw = *state;
	struct outbound *outbound = aw->w->outbound;

	web_stop(aw->web);
	world_drain(aw->w, 0);
	service_free(aw->w->service);
	aw->w->service = NULL;
	api_free(aw->api);
	world_free(aw->w);
	outbound_free(outbound);
	trunks_free(aw->trunks);
	rng_free(aw->rng);
	free(aw);
	return 0;
}

/* --- asking ------------------------------------------------------------------- */

int api_world_send(struct api_world *aw, const struct api_ask *ask)
{
	AUTO_BUF(text, HTTP_MAX);
	int fd = http_connect(aw->port);

	buf_printf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", ask->method,
		   ask->path);
	if (ask->token)
		buf_printf(&text, "Authorization: Bearer %s\r\n", ask->token);
	if (ask->headers)
		buf_str(&text, ask->headers);
	if (ask->body)
		buf_printf(&text, "Content-Length: %zu\r\n", strlen(ask->body));
	buf_str(&text, "\r\n");
	if (ask->body)
		buf_str(&text, ask->body);
	http_send_bytes(fd, text.p, text.n);
	return fd;
}

void api_world_await(struct api_world *aw, int fd)
{
	int64_t until = clock_mono_ms(clock_real()) + HTTP_WAIT_S * 1000LL;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (unsigned i = 0; poll(&p, 1, 1) == 0; i++) {
		(void)loop_turn(aw->w->line);
		/* what waits for the clock alone */
		if (i > PATIENCE)
			clock_advance(aw->w->clock, 1);
		if (clock_mono_ms(clock_real()) > until)
			fail_msg("%s", "no answer came");
	}
}

void api_world_ask(struct api_world *aw, const struct api_ask *ask,
		   struct http_answer *out)
{
	int fd = api_world_send(aw, ask);

	api_world_await(aw, fd);
	http_read(fd, strcmp(ask->method, "HEAD") == 0, out);
	(void)close(fd);
}

void api_world_ask_for(struct api_world *aw, const struct api_ask *ask,
		       int status, struct http_answer *out)
{
	api_world_ask(aw, ask, out);
	if (out->status != status)
		fail_msg("%s %s %s answered %d: %.*s", ask->method, ask->path,
			 ask->body ? ask->body : "", out->status,
			 (int)out->body.n, out->body.p);
}

void api_world_basic(const char *name, const char *token, const char *type,
		     char out[API_WORLD_HEAD_BYTES])
{
	char pair[256], coded[512];

	(void)snprintf(pair, sizeof(pair), "%s:%s", name, token);
	crypto_base64(pair, strlen(pair), coded);
	(void)snprintf(out, API_WORLD_HEAD_BYTES,
		       "Authorization: Basic %s\r\nContent-Type: %s\r\n", coded,
		       type);
}

void api_world_post(struct api_world *aw, const char *path, const char *body,
		    int status, struct http_answer *out)
{
	const struct api_ask ask = {.method = "POST",
				    .path = path,
				    .token = aw->verify,
				    .body = body};

	api_world_ask_for(aw, &ask, status, out);
}

const char *api_world_text(const struct http_answer *a, const char *name)
{
	static char text[512];
	AUTO_JSON json_t *o = NULL;
	const json_t *v;

	assert_int_equal(js_parse(buf_view(&a->body), &o, NULL), 0);
	v = json_object_get(o, name);
	if (json_is_integer(v))
		(void)snprintf(text, sizeof(text), "%lld",
			       json_integer_value(v));
	else
		(void)snprintf(text, sizeof(text), "%s",
			       json_is_string(v) ? json_string_value(v) : "");
	return text;
}

void api_world_create(struct api_world *aw, const char *to, const char *flow,
		      char id[VERIFICATION_ID_BYTES])
{
	struct http_answer a;
	char body[256];

	(void)snprintf(body, sizeof(body),
		       "{\"to\":\"%s\",\"flow\":\"%s\","
		       "\"purpose\":\"signup\"}",
		       to, flow);
	api_world_post(aw, "/v1/verifications", body, 201, &a);
	(void)snprintf(id, VERIFICATION_ID_BYTES, "%s",
		       api_world_text(&a, "id"));
	http_answer_free(&a);
}

void api_world_code(struct api_world *aw, const char *id, char out[CODE_BYTES])
{
	struct answer a = world_read(aw->w, id);

	assert_false(a.refused);
	world_code(aw->w, &a.v, out);
}
