// SPDX-License-Identifier: Apache-2.0
/*
 * test_flows.c - an application's own flows, with calls that run them: each
 * call ends on the version that it began with, whatever is published meanwhile
 * and wherever it goes on.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "service/flows.h"
#include "support/receiver.h"
#include "support/world.h"

#define LISTENS "+15555550110"

enum { CALLS = 1000, PUBLISHES = 20, AT_A_TIME = CALLS / PUBLISHES };

struct reply {
	bool done, refused;
	char code[40], id[VERIFICATION_FLOW_BYTES];
	unsigned published;
};

struct office {
	struct world *w;
	struct rng *rng; /* the world's own */
	struct reply reply;
	char flow[VERIFICATION_FLOW_BYTES];
	struct answer *answers;
	size_t asked;
	char *runs; /* of the one that was read last; owned */
	bool read;
};

static int setup(void **state)
{
	struct office *o = b_zero(1, sizeof(*o));

	o->w = world_new();
	o->w->rules.max_calls = CALLS;
	o->rng = o->w->rng;
	o->w->rng = rng_system(); /* flows have threads of their own */
	world_start(o->w);
	o->answers = b_zero(CALLS, sizeof(*o->answers));
	*state = o;
	return 0;
}

static int teardown(void **state)
{
	struct office *o = *state;

	world_free(o->w);
	rng_free(o->rng);
	free(o->answers);
	free(o->runs);
	free(o);
	return 0;
}

static int setup_told(void **state)
{
	struct office *o;

	(void)setup(state);
	o = *state;
	world_kill(o->w);
	world_add_app(o->w);
	o->w->outbound = receiver_new(o->w->clock);
	world_start(o->w);
	return 0;
}

static int teardown_told(void **state)
{
	struct outbound *out = ((struct office *)*state)->w->outbound;
	int err = teardown(state);

	outbound_free(out);
	return err;
}

/* --- asking -------------------------------------------------------------------- */

static void replied(const struct service_refusal *no,
		    const struct service_flow_answer *a, void *ctx)
{
	struct reply *r = ctx;

	if (no)
		(void)snprintf(r->code, sizeof(r->code), "%s", no->code);
	if (a->head) {
		(void)snprintf(r->id, sizeof(r->id), "%s", a->head->id);
		r->published = a->head->published;
	}
	r->refused = no != NULL;
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
}

static bool has_reply(void *ctx)
{
	const struct reply *r = ctx;

	return __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
}

static void ask_flows(struct office *o, service_flow_do *what,
		      struct service_flow_ask *ask)
{
	o->reply = (struct reply){0};
	ask->who = o->w->who;
	what(o->w->service, ask, replied, &o->reply);
	world_turn(o->w, has_reply, &o->reply);
	if (o->reply.refused)
		fail_msg("refused: %s", o->reply.code);
}

/* A document whose name says its version. */
static void document(struct buf *b, unsigned version)
{
	buf_printf(b,
		   "{\"format\":\"voiceflow/1\",\"name\":\"v%u\","
		   "\"start\":\"Start\",\"nodes\":[{\"id\":\"Start\","
		   "\"type\":\"start\",\"on\":{\"api_request\":\"Call\"}},"
		   "{\"id\":\"Call\",\"type\":\"call\",\"config\":{"
		   "\"to\":\"{{verification.to}}\"},"
		   "\"on\":{\"answered\":\"Say\"}},"
		   "{\"id\":\"Say\",\"type\":\"speak-code\","
		   "\"on\":{\"completed\":\"Bye\",\"reported\":\"Bye\"}},"
		   "{\"id\":\"Bye\",\"type\":\"hangup\"}]}",
		   version);
}

static void publish(struct office *o, unsigned version)
{
	AUTO_BUF(text, FLOW_DOCUMENT_MAX);

	document(&text, version);
	ask_flows(o, version == 1 ? service_flow_add : service_flow_save,
		  &(struct service_flow_ask){.id = o->flow,
					     .if_match = "*",
					     .document = buf_view(&text)});
	memcpy(o->flow, o->reply.id, sizeof(o->flow));
	ask_flows(o, service_flow_publish,
		  &(struct service_flow_ask){.id = o->flow,
					     .message = "the next one"});
	assert_int_equal(o->reply.published, version);
}

static bool all_answered(void *ctx)
{
	const struct office *o = ctx;

	for (size_t i = 0; i < o->asked; i++)
		if (!__atomic_load_n(&o->answers[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static bool all_ended(void *ctx)
{
	const struct office *o = ctx;
	struct service_stats s;
	uint64_t n = 0;

	service_stats(o->w->service, &s);
	for (size_t i = 0; i < LEG_COUNT; i++)
		n += s.legs[i];
	return n >= o->asked;
}

static bool all_run(void *ctx)
{
	const struct office *o = ctx;
	struct service_stats s;

	service_stats(o->w->service, &s);
	return s.calls_now == o->asked;
}

static void call(struct office *o, size_t n)
{
	const struct service_create req = {
		.who = o->w->who, .to = LISTENS, .flow = o->flow};

	for (size_t i = 0; i < n; i++)
		world_ask_soon(o->w, &req, &o->answers[o->asked++]);
	world_turn(o->w, all_answered, o);
}

static void said(const struct service_refusal *no, const char *text, void *ctx)
{
	struct office *o = ctx;

	(void)no;
	free(o->runs);
	o->runs = b_strdup(text ? text : "");
	__atomic_store_n(&o->read, true, __ATOMIC_RELEASE);
}

static bool was_read(void *ctx)
{
	struct office *o = ctx;

	return __atomic_load_n(&o->read, __ATOMIC_ACQUIRE);
}

static const char *runs_of(struct office *o, const char *id)
{
	o->read = false;
	service_runs(o->w->service, &o->w->who, id, said, o);
	world_turn(o->w, was_read, o);
	return o->runs;
}

/* --- the tests -------------------------------------------------------------------- */

TEST(each_of_a_thousand_calls_ends_on_the_version_that_it_began_with)
{
	struct office *o = *state;

	for (unsigned version = 1; version <= PUBLISHES; version++) {
		publish(o, version);
		call(o, AT_A_TIME);
	}
	world_until(o->w, MINUTES(1), all_run, o);
	publish(o, PUBLISHES + 1);
	world_until(o->w, HOURS(1), all_ended, o);

	for (size_t i = 0; i < CALLS; i++) {
		unsigned version = (unsigned)(i / AT_A_TIME) + 1;
		char name[32];

		assert_false(o->answers[i].refused);
		assert_int_equal(o->answers[i].v.flow_version, version);
		(void)snprintf(name, sizeof(name), "\"flow\":\"v%u\"", version);
		assert_non_null(strstr(runs_of(o, o->answers[i].v.id), name));
	}
}

TEST(a_call_that_is_taken_up_after_a_restart_has_its_version)
{
	struct office *o = *state;
	struct answer a;

	publish(o, 1);
	a = world_ask_only(o->w, &(struct service_create){.who = o->w->who,
							  .to = LISTENS,
							  .flow = o->flow});
	world_kill_now(o->w);
	world_start(o->w);
	publish(o, 2);
	(void)world_until_ended(o->w, a.v.id);

	assert_int_equal(a.v.flow_version, 1);
	assert_non_null(strstr(runs_of(o, a.v.id), "\"flow\":\"v1\""));
	assert_null(strstr(runs_of(o, a.v.id), "\"flow\":\"v2\""));
}

TEST(a_version_may_be_named)
{
	struct office *o = *state;
	struct answer a;

	publish(o, 1);
	publish(o, 2);
	a = world_ask(o->w, &(struct service_create){.who = o->w->who,
						     .to = LISTENS,
						     .flow = o->flow,
						     .flow_version = 1});
	(void)world_until_ended(o->w, a.v.id);

	assert_int_equal(a.v.flow_version, 1);
	assert_non_null(strstr(runs_of(o, a.v.id), "\"flow\":\"v1\""));
	a = world_ask(o->w, &(struct service_create){.who = o->w->who,
						     .to = LISTENS,
						     .flow = o->flow,
						     .flow_version = 3});
	assert_string_equal(a.no.code, "flow_not_published");
}

TEST(what_a_call_did_is_kept_without_its_code)
{
	struct office *o = *state;
	char code[CODE_BYTES];
	struct answer a = world_create(o->w, LISTENS, "speak");

	a = world_until_ended(o->w, a.v.id);
	world_code(o->w, &a.v, code);

	assert_non_null(strstr(runs_of(o, a.v.id), "\"mode\":\"live\""));
	assert_null(strstr(o->runs, code));
	assert_null(strstr(o->runs, LISTENS));
}

static bool is_answered(void *ctx)
{
	const struct answer *a = ctx;

	return __atomic_load_n(&a->done, __ATOMIC_ACQUIRE);
}

/* The flow has to be read first, and whoever asked has gone on by then. */
TEST(what_a_request_brings_is_copied_while_its_flow_is_read)
{
	struct office *o = *state;
	char *key = b_strdup("a key that is gone at once");
	struct service_create req = {.who = o->w->who,
				     .to = LISTENS,
				     .webhook = "https://shop.example/told",
				     .webhook_form = "plivo",
				     .webhook_key = key};
	struct answer a = {0};

	publish(o, 1);
	world_kill(o->w);
	world_start(o->w); /* nothing is in memory */
	req.flow = o->flow;
	world_send_soon(o->w, &req, 3, &a);
	memset(key, 'x', strlen(key));
	free(key);
	world_turn(o->w, is_answered, &a);
	assert_false(a.refused);
	(void)world_until_ended(o->w, a.v.id);
	world_pass(o->w, SECONDS(5));

	assert_true(o->w->outbound->count > 0);
	assert_string_equal(o->w->outbound->hits[0].url, req.webhook);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_of_a_thousand_calls_ends_on_the_version_that_it_began_with),
		CASE(a_call_that_is_taken_up_after_a_restart_has_its_version),
		CASE(a_version_may_be_named),
		CASE(what_a_call_did_is_kept_without_its_code),
		cmocka_unit_test_setup_teardown(
			what_a_request_brings_is_copied_while_its_flow_is_read,
			setup_told, teardown_told),
	};

	return cmocka_run_group_tests_name("scenario/flows", tests,
					   world_voices, world_no_voices);
}
