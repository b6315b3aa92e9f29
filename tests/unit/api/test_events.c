// SPDX-License-Identifier: Apache-2.0
/*
 * test_events.c - is everything told, once, in order, to who may hear it?
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api_priv.h"
#include "base/mem.h"
#include "support/api_world.h"
#include "support/contract.h"
#include "support/test.h"

#define LISTENS "+15555550110"
#define BUSY "+15555550120"

enum {
	HISTORY = 3000,
	FILLER = 900,
	STREAM_MAX = 8 << 20,
	STREAM_HUGE = 64 << 20,
	STEP_BYTES = 16 << 10, /* as large as one may be */
	STEPS = 8192,
};

static int open_stream(struct api_world *aw, const char *token,
		       const char *path, const char *last)
{
	AUTO_BUF(head, 8192);
	AUTO_BUF(line, 256);
	const struct api_ask ask = {.method = "GET",
				    .path = path,
				    .token = token,
				    .headers = line.p};
	struct api_ask full = ask;
	int fd;

	if (last) {
		buf_printf(&line, "Last-Event-ID: %s\r\n", last);
		full.headers = line.p;
	}
	fd = api_world_send(aw, &full);
	api_world_await(aw, fd);
	http_read_until(fd, "\r\n\r\n", &head);
	if (!strstr(head.p, "HTTP/1.1 200"))
		fail_msg("%s", head.p);
	return fd;
}

static const char *events_of(const char *id)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "/v1/verifications/%s/events", id);
	return path;
}

/* The value of the n-th line that begins with `field`, from 0; "" if there are
 * not so many. */
static void value_of(const struct buf *b, const char *field, unsigned n,
		     char *out, size_t size)
{
	const char *at = strstr(b->p, field);

	for (; at && n > 0; n--)
		at = strstr(at + 1, field);
	at = at ? at + strlen(field) : "";
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
}

TEST(what_happens_to_one_is_told_in_order_and_as_the_contract_says)
{
	static const char *const expected[] = {"verification.created",
					       "call.dialing", "call.ringing",
					       "call.answered", "call.human"};
	struct api_world *aw = *state;
	struct contract *c = contract_open();
	char id[VERIFICATION_ID_BYTES], text[1024];
	AUTO_BUF(got, STREAM_MAX);
	const char *at;
	int fd;

	api_world_create(aw, LISTENS, "speak", id);
	fd = open_stream(aw, aw->verify, events_of(id), NULL);
	(void)world_until_ended(aw->w, id);
	http_read_chunks_until(fd, "event: call.ended\n", &got);
	http_read_chunks_until(fd, "\"outcome\":\"answered\"}}\n\n", &got);

	for (unsigned i = 0; i < COUNT_OF(expected); i++) {
		value_of(&got, "event: ", i, text, sizeof(text));
		assert_string_equal(text, expected[i]);
	}
	for (at = got.p; (at = strstr(at, "data: ")); at++)
		contract_hold_schema(c, "Event",
				     span_make(at + 6, strcspn(at + 6, "\n")));
	assert_null(strstr(got.p, "555555")); /* no number, F1 */
	assert_null(strstr(got.p, "run.step"));
	contract_free(c);
	(void)close(fd);
}

/* Each step is as the contract says, and has no id; how many there are. */
static unsigned hold_steps(struct contract *c, const struct buf *got)
{
	const char *mark = "event: run.step\ndata: ";
	const char *at = got->p;
	unsigned n = 0;

	for (; (at = strstr(at, mark)) != NULL; n++) {
		assert_true(at >= got->p + 2);
		assert_memory_equal(at - 2, "\n\n", 2);
		at += strlen(mark);
		contract_hold_schema(c, "RunEvent",
				     span_make(at, strcspn(at, "\n")));
	}
	return n;
}

TEST(steps_are_told_to_who_asks_for_them)
{
	static const char *const paths[] = {"/v1/events?steps=true",
					    "?steps=true"};
	struct api_world *aw = *state;
	struct contract *c = contract_open();
	char id[VERIFICATION_ID_BYTES], code[CODE_BYTES], path[160];
	int fds[COUNT_OF(paths)];

	fds[0] = open_stream(aw, aw->verify, paths[0], NULL);
	world_settle(aw->w); /* whoever opens it is done with that */
	api_world_create(aw, LISTENS, "speak", id);
	(void)snprintf(path, sizeof(path), "%s%s", events_of(id), paths[1]);
	fds[1] = open_stream(aw, aw->verify, path, NULL);
	world_settle(aw->w);
	(void)world_until_ended(aw->w, id);
	api_world_code(aw, id, code);

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		AUTO_BUF(got, STREAM_MAX);

		http_read_chunks_until(fds[i], "event: call.ended\n", &got);
		http_read_chunks_until(fds[i], "\"answered\"}}\n\n", &got);
		assert_true(hold_steps(c, &got) > (i == 0 ? 3 : 1));
		assert_non_null(strstr(got.p, id));
		assert_null(strstr(got.p, code));
		assert_null(strstr(got.p, &LISTENS[1]));
		(void)close(fds[i]);
	}
	contract_free(c);
}

/* More than all buffers on the way hold: a reader that sleeps misses steps, and
 * neither its stream nor its events suffer from that. */
TEST(a_slow_reader_misses_steps_and_no_event)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	AUTO_FREE char *text = b_zero(1, STEP_BYTES + 1);
	AUTO_BUF(got, STREAM_HUGE);
	const struct service_step s = {.application = "shop",
				       .verification = "ver_0",
				       .json = span_make(text, STEP_BYTES)};
	int fd = open_stream(aw, aw->verify, "/v1/events?steps=true", NULL);
	struct pollfd there = {.fd = fd, .events = POLLIN};
	size_t came = 0;

	memset(text, 'x', STEP_BYTES);
	http_read_chunks_until(fd, ":\n\n", &got);
	do /* the stream takes them soon after its head was sent */
		api_follows_step(&s, aw->api->follows);
	while (poll(&there, 1, 1) == 0);
	for (size_t i = 0; i < STEPS; i++)
		api_follows_step(&s, aw->api->follows);
	api_world_create(aw, BUSY, "speak", id);
	http_read_chunks_until(fd, "event: verification.created\n", &got);

	for (const char *at = got.p; (at = strstr(at, "run.step")); at++)
		came++;
	assert_in_range(came, 1, STEPS / 2);
	(void)close(fd);
}

TEST(steps_are_wanted_or_not)
{
	struct api_world *aw = *state;
	const struct api_ask what = {.method = "GET",
				     .path = "/v1/events?steps=some",
				     .token = aw->verify};
	struct http_answer a;

	api_world_ask(aw, &what, &a);

	assert_int_equal(a.status, 400);
	assert_string_equal(api_world_text(&a, "field"), "steps");
	http_answer_free(&a);
}

TEST(steps_of_others_are_not_told)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	AUTO_BUF(got, STREAM_MAX);
	int theirs = open_stream(aw, aw->other, "/v1/events?steps=true", NULL);

	api_world_create(aw, LISTENS, "speak", id);
	(void)world_until_ended(aw->w, id);
	clock_advance(aw->w->clock, WEB_PING_MS + 1);
	http_read_chunks_until(theirs, ": ping", &got);

	assert_null(strstr(got.p, "event:"));
	(void)close(theirs);
}

TEST(who_comes_back_goes_on_where_it_was)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], last[64], first[64];
	AUTO_BUF(got, STREAM_MAX);
	AUTO_BUF(rest, STREAM_MAX);
	int fd;

	api_world_create(aw, BUSY, "speak", id);
	(void)world_until_ended(aw->w, id);
	fd = open_stream(aw, aw->verify, events_of(id), NULL);
	http_read_chunks_until(fd, "\"busy\"", &got);
	(void)close(fd);
	value_of(&got, "id: ", 1, last, sizeof(last));
	fd = open_stream(aw, aw->verify, events_of(id), last);
	http_read_chunks_until(fd, "\"busy\"", &rest);
	(void)close(fd);

	value_of(&got, "id: ", 2, first, sizeof(first));
	value_of(&rest, "id: ", 0, last, sizeof(last));
	assert_string_equal(last, first);
}

TEST(an_application_is_followed_from_now_on)
{
	struct api_world *aw = *state;
	char before[VERIFICATION_ID_BYTES], after[VERIFICATION_ID_BYTES];
	AUTO_BUF(got, STREAM_MAX);
	int fd;

	api_world_create(aw, BUSY, "speak", before);
	(void)world_until_ended(aw->w, before);
	fd = open_stream(aw, aw->verify, "/v1/events", NULL);
	api_world_create(aw, BUSY, "speak", after);
	http_read_chunks_until(fd, after, &got);

	assert_null(strstr(got.p, before));
	assert_non_null(strstr(got.p, "event: verification.created\n"));
	(void)close(fd);
}

TEST(nobody_hears_of_another_application)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	AUTO_BUF(got, STREAM_MAX);
	AUTO_BUF(ours, STREAM_MAX);
	int theirs = open_stream(aw, aw->other, "/v1/events", NULL);
	int own = open_stream(aw, aw->verify, "/v1/events", NULL);

	api_world_create(aw, BUSY, "speak", id);
	http_read_chunks_until(own, id, &ours);
	clock_advance(aw->w->clock, WEB_PING_MS + 1);
	http_read_chunks_until(theirs, ": ping", &got);

	assert_null(strstr(got.p, "event:"));
	(void)close(theirs);
	(void)close(own);
}

static int add_history(struct store_tx *tx, void *ctx)
{
	int *next = ctx;

	for (int i = 0; i < STORE_EVENTS_MAX; i++) {
		AUTO_BUF(json, STORE_EVENT_MAX);

		buf_printf(&json, "{\"n\":%d,\"filler\":\"%0*d\"}", *next + i,
			   FILLER, 1);
		store_tx_event(tx, "shop", NULL, "history", buf_view(&json));
	}
	return 0;
}

struct step {
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool done;
	unsigned removed;
};

static void stepped(const struct store_result *r, void *ctx)
{
	(void)r;
	(void)ctx;
}

static void step_done(const struct store_result *r, void *ctx)
{
	struct step *s = ctx;

	assert_int_equal(r->err, 0);
	(void)pthread_mutex_lock(&s->lock);
	s->removed = r->counter;
	s->done = true;
	(void)pthread_cond_signal(&s->come);
	(void)pthread_mutex_unlock(&s->lock);
}

static void wait_step(struct step *s)
{
	(void)pthread_mutex_lock(&s->lock);
	while (!s->done)
		(void)pthread_cond_wait(&s->come, &s->lock);
	(void)pthread_mutex_unlock(&s->lock);
}

static int nothing(struct store_tx *tx, void *ctx)
{
	(void)tx;
	(void)ctx;
	return 0;
}

static void make_history(struct api_world *aw, int *next)
{
	const struct store_key key = {"meta", "history"};
	struct step s = {.lock = PTHREAD_MUTEX_INITIALIZER,
			 .come = PTHREAD_COND_INITIALIZER};

	for (size_t i = 0; i < HISTORY; i += STORE_EVENTS_MAX) {
		next[i] = (int)i;
		assert_int_equal(store_change(aw->w->store, 0, &key, 1,
					      add_history, stepped, &next[i]),
				 0);
	}
	assert_int_equal(store_change(aw->w->store, 0, &key, 1, nothing,
				      step_done, &s),
			 0);
	wait_step(&s);
}

TEST(a_history_longer_than_any_buffer_is_told_whole)
{
	struct api_world *aw = *state;
	int *next = b_zero(HISTORY, sizeof(*next));
	AUTO_BUF(got, STREAM_MAX);
	const char *at;
	int n = 0, fd;

	make_history(aw, next);
	fd = open_stream(aw, aw->verify, "/v1/events", "e0");
	http_read_chunks_until(fd, "\"n\":2999,", &got);

	assert_true(got.n > 2UL * WEB_STREAM_BUFFER_MAX);
	for (at = got.p; (at = strstr(at, "\"n\":")); at++, n++)
		assert_int_equal(strtol(at + 4, NULL, 10), n);
	assert_int_equal(n, HISTORY);
	free(next);
	(void)close(fd);
}

static void forget_events(struct api_world *aw)
{
	struct step s = {.lock = PTHREAD_MUTEX_INITIALIZER,
			 .come = PTHREAD_COND_INITIALIZER};

	do {
		s.done = false;
		assert_int_equal(store_sweep(aw->w->store, WORLD_HOUR_MS,
					     step_done, &s),
				 0);
		wait_step(&s);
	} while (s.removed > 0);
}

TEST(who_comes_back_too_late_is_told_that_something_is_missing)
{
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], last[64];
	AUTO_BUF(first, STREAM_MAX);
	AUTO_BUF(got, STREAM_MAX);
	int fd = open_stream(aw, aw->verify, "/v1/events", NULL);

	api_world_create(aw, BUSY, "speak", id);
	http_read_chunks_until(fd, "event: verification.created", &first);
	(void)close(fd);
	(void)world_until_ended(aw->w, id);
	value_of(&first, "id: ", 0, last, sizeof(last));
	world_pass(aw->w, 3 * (int64_t)WORLD_HOUR_MS);
	forget_events(aw);
	api_world_create(aw, BUSY, "speak", id);
	fd = open_stream(aw, aw->verify, "/v1/events", last);
	http_read_chunks_until(fd, id, &got);

	assert_non_null(strstr(got.p, "event: reset\ndata: {}\n\n"));
	assert_true(strstr(got.p, "event: reset") <
		    strstr(got.p, "verification.created"));
	(void)close(fd);
}

TEST(many_follow_one_and_leave_when_they_like)
{
	enum { READERS = 40 };
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES];
	struct web_stats s;
	int fds[READERS];

	api_world_create(aw, BUSY, "speak", id);
	for (size_t i = 0; i < READERS; i++)
		fds[i] = open_stream(aw, aw->verify, events_of(id), NULL);
	for (size_t i = 0; i < READERS; i += 2)
		(void)close(fds[i]);
	(void)world_until_ended(aw->w, id);
	for (size_t i = 1; i < READERS; i += 2) {
		AUTO_BUF(got, STREAM_MAX);

		http_read_chunks_until(fds[i], "\"busy\"", &got);
		(void)close(fds[i]);
	}

	do
		web_stats(aw->web, &s);
	while (s.streams > 0);
}

TEST(a_stop_ends_streams_that_are_open)
{
	struct api_world *aw = *state;
	AUTO_BUF(got, STREAM_MAX);
	int fd = open_stream(aw, aw->verify, "/v1/events", NULL);

	http_read_chunks_until(fd, ":\n\n", &got);
	web_stop(aw->web);
	aw->web = NULL;

	assert_true(http_closed(fd));
	(void)close(fd);
}

/* --- two at once ---------------------------------------------------------------- */

TEST(two_creates_with_one_key_at_once_make_one)
{
	struct api_world *aw = *state;
	const struct api_ask ask = {.method = "POST",
				    .path = "/v1/verifications",
				    .token = aw->verify,
				    .headers = "Idempotency-Key: twice\r\n",
				    .body = "{\"to\":\"" BUSY "\"}"};
	struct http_answer a[8];
	int fds[8];

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = api_world_send(aw, &ask);
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		api_world_await(aw, fds[i]);
		http_read(fds[i], false, &a[i]);
		assert_int_equal(a[i].status, 201);
		assert_int_equal(a[i].body.n, a[0].body.n);
		assert_memory_equal(a[i].body.p, a[0].body.p, a[0].body.n);
		(void)close(fds[i]);
	}

	for (size_t i = 0; i < COUNT_OF(a); i++)
		http_answer_free(&a[i]);
}

TEST(a_hundred_right_checks_at_once_give_one_success)
{
	enum { CHECKS = 100 };
	struct api_world *aw = *state;
	char id[VERIFICATION_ID_BYTES], code[CODE_BYTES], path[128], body[64];
	const struct api_ask ask = {.method = "POST",
				    .path = path,
				    .token = aw->verify,
				    .body = body};
	int fds[CHECKS];
	unsigned yes = 0;

	api_world_create(aw, LISTENS, "speak", id);
	(void)world_until_ended(aw->w, id);
	api_world_code(aw, id, code);
	(void)snprintf(path, sizeof(path), "/v1/verifications/%s/check", id);
	(void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
	for (size_t i = 0; i < CHECKS; i++)
		fds[i] = api_world_send(aw, &ask);
	for (size_t i = 0; i < CHECKS; i++) {
		struct http_answer a;

		api_world_await(aw, fds[i]);
		http_read(fds[i], false, &a);
		assert_int_equal(a.status, 200);
		yes += strstr(a.body.p, "\"approved\":true") != NULL;
		http_answer_free(&a);
		(void)close(fds[i]);
	}

	assert_int_equal(yes, 1);
}

#define IN_A_WORLD(name)                                       \
	cmocka_unit_test_setup_teardown(name, api_world_setup, \
					api_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(
			what_happens_to_one_is_told_in_order_and_as_the_contract_says),
		IN_A_WORLD(steps_are_told_to_who_asks_for_them),
		IN_A_WORLD(a_slow_reader_misses_steps_and_no_event),
		IN_A_WORLD(steps_are_wanted_or_not),
		IN_A_WORLD(steps_of_others_are_not_told),
		IN_A_WORLD(who_comes_back_goes_on_where_it_was),
		IN_A_WORLD(an_application_is_followed_from_now_on),
		IN_A_WORLD(nobody_hears_of_another_application),
		IN_A_WORLD(a_history_longer_than_any_buffer_is_told_whole),
		IN_A_WORLD(
			who_comes_back_too_late_is_told_that_something_is_missing),
		IN_A_WORLD(many_follow_one_and_leave_when_they_like),
		IN_A_WORLD(a_stop_ends_streams_that_are_open),
		IN_A_WORLD(two_creates_with_one_key_at_once_make_one),
		IN_A_WORLD(a_hundred_right_checks_at_once_give_one_success),
	};

	return cmocka_run_group_tests_name("api/events", tests, world_voices,
					   world_no_voices);
}
