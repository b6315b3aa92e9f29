// SPDX-License-Identifier: Apache-2.0
/*
 * test_stream.c - answers that go on: events, pings, and readers who leave.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"
#include "unit/web/fixture.h"

enum { EVENTS = 2000, LONG_EVENT = 4000 };

static struct fixture f;
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct web_stream *stream;
	struct web_request *request;
	int closed;
} here = {.lock = PTHREAD_MUTEX_INITIALIZER,
	  .changed = PTHREAD_COND_INITIALIZER};

static void on_closed(void *ctx)
{
	(void)ctx;
	(void)pthread_mutex_lock(&here.lock);
	here.closed++;
	(void)pthread_cond_broadcast(&here.changed);
	(void)pthread_mutex_unlock(&here.lock);
}

static int closed_count(void)
{
	int n;

	(void)pthread_mutex_lock(&here.lock);
	n = here.closed;
	(void)pthread_mutex_unlock(&here.lock);
	return n;
}

static void open_stream(struct web_request *r)
{
	struct web_stream *s = NULL;

	assert_int_equal(
		web_stream_open(r,
				(const struct web_header_out[]){
					{"Cache-Control", "no-store"}, {0}},
				on_closed, NULL, &s),
		0);
	(void)pthread_mutex_lock(&here.lock);
	here.stream = s;
	(void)pthread_cond_broadcast(&here.changed);
	(void)pthread_mutex_unlock(&here.lock);
}

static void on_events(struct web_request *r, void *ctx)
{
	(void)ctx;
	open_stream(r);
}

static void on_deferred(struct web_request *r, void *ctx)
{
	(void)ctx;
	web_defer(r);
	(void)pthread_mutex_lock(&here.lock);
	here.request = r;
	(void)pthread_cond_broadcast(&here.changed);
	(void)pthread_mutex_unlock(&here.lock);
}

static void on_closed_at_once(struct web_request *r, void *ctx)
{
	struct web_stream *s = NULL;

	(void)ctx;
	assert_int_equal(web_stream_open(r, NULL, on_closed, NULL, &s), 0);
	web_stream_event(s, NULL, NULL, span_of("only this"));
	web_stream_close(s);
}

static const struct web_route routes[] = {
	{"GET", "/events", on_events, .slash = false},
	{"GET", "/deferred", on_deferred, .slash = false},
	{"GET", "/short", on_closed_at_once, .slash = false},
	{0},
};

static int set_up(void **state)
{
	(void)state;
	here.stream = NULL;
	here.request = NULL;
	here.closed = 0;
	fixture_start(&f, routes, clock_manual(0));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	web_stream_close(here.stream);
	fixture_stop(&f);
	return 0;
}

static void await_closed(void)
{
	(void)pthread_mutex_lock(&here.lock);
	while (here.closed == 0)
		(void)pthread_cond_wait(&here.changed, &here.lock);
	(void)pthread_mutex_unlock(&here.lock);
}

static int open_by_client(const char *path)
{
	char request[128];
	int fd = http_connect(f.port);

	(void)snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	http_send(fd, request);
	(void)pthread_mutex_lock(&here.lock);
	while (!here.stream && !here.request)
		(void)pthread_cond_wait(&here.changed, &here.lock);
	(void)pthread_mutex_unlock(&here.lock);
	return fd;
}

TEST(events_arrive_as_they_are_written)
{
	AUTO_BUF(got, 64 << 10);
	int fd = open_by_client("/events");

	http_read_until(fd, "\r\n\r\n", &got);
	assert_non_null(strstr(got.p, "HTTP/1.1 200"));
	assert_non_null(strstr(got.p, "Content-Type: text/event-stream"));
	assert_non_null(strstr(got.p, "Cache-Control: no-store"));
	http_read_until(fd, ":\n\n", &got);

	web_stream_event(here.stream, "17", "call.ended", span_of("{\"a\":1}"));
	http_read_until(fd, "id: 17\nevent: call.ended\ndata: {\"a\":1}\n\n",
			&got);
	web_stream_event(here.stream, NULL, NULL, span_of("x"));
	http_read_until(fd, "data: x\n\n", &got);
	(void)close(fd);
}

TEST(a_stream_may_answer_a_deferred_request)
{
	AUTO_BUF(got, 64 << 10);
	int fd = open_by_client("/deferred");

	open_stream(here.request);
	web_stream_event(here.stream, NULL, NULL, span_of("late"));

	http_read_until(fd, "data: late\n\n", &got);
	(void)close(fd);
}

TEST(a_closed_stream_ends_behind_what_was_written)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	http_send(fd, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);

	assert_int_equal(a.status, 200);
	assert_true(span_is(buf_view(&a.body), ":\n\ndata: only this\n\n"));
	assert_int_equal(closed_count(), 0);
	http_answer_free(&a);
	(void)close(fd);
}

TEST(an_idle_stream_is_pinged)
{
	AUTO_BUF(got, 64 << 10);
	int fd = open_by_client("/events");

	http_read_until(fd, ":\n\n", &got);
	clock_advance(f.clock, WEB_PING_MS + 1);
	http_read_until(fd, ": ping\n\n", &got);
	clock_advance(f.clock, WEB_PING_MS + 1);
	http_read_until(fd, ": ping\n\n", &got);
	(void)close(fd);
}

static int64_t cpu_us(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL +
	       u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

TEST(an_idle_stream_burns_no_processor)
{
	AUTO_BUF(got, 64 << 10);
	struct fixture mine = {0};
	int fd;
	int64_t before, began = clock_mono_ms(clock_real());
	char c;

	fixture_start(&mine, routes, NULL);
	fd = http_connect(mine.port);
	http_send(fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read_until(fd, ":\n\n", &got);
	http_read_until(fd, "\r\n", &got);
	before = cpu_us();
	/* the kernel waits for us: nothing comes */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO,
			 &(struct timeval){.tv_usec = 300000},
			 sizeof(struct timeval));
	assert_int_equal(recv(fd, &c, 1, 0), -1);

	assert_true(clock_mono_ms(clock_real()) - began >= 250);
	assert_true(cpu_us() - before < 100000);
	(void)close(fd);
	await_closed();
	web_stream_close(KEEP(here.stream));
	fixture_stop(&mine);
}

TEST(a_reader_who_hangs_up_is_noticed_at_once)
{
	AUTO_BUF(got, 64 << 10);
	int fd = open_by_client("/events");
	struct web_stats s;

	http_read_until(fd, ":\n\n", &got);
	(void)close(fd);
	await_closed();

	/* what is written now goes nowhere, and harms nobody */
	web_stream_event(here.stream, NULL, NULL, span_of("lost"));
	do
		web_stats(f.web, &s);
	while (s.connections > 0 || s.streams > 0);
	assert_int_equal(closed_count(), 1);
}

TEST(a_reader_who_is_too_slow_is_closed)
{
	int fd = open_by_client("/events");
	char *data = b_zero(1, LONG_EVENT + 1);
	struct web_stats s;

	memset(data, 'd', LONG_EVENT);
	for (int i = 0; i < EVENTS; i++)
		web_stream_event(here.stream, NULL, NULL, span_of(data));
	await_closed();

	do {
		clock_advance(f.clock, WEB_ANSWER_MS / 4);
		web_stats(f.web, &s);
	} while (s.streams > 0);
	assert_true(http_closed(fd));
	free(data);
	(void)close(fd);
}

static void on_drained(void *ctx)
{
	(void)pthread_mutex_lock(&here.lock);
	(*(int *)ctx)++;
	(void)pthread_cond_broadcast(&here.changed);
	(void)pthread_mutex_unlock(&here.lock);
}

TEST(a_writer_who_waits_for_its_reader_may_write_any_amount)
{
	AUTO_BUF(got, 4 << 20);
	int fd = open_by_client("/events"), drained = 0;
	char *data = b_zero(1, LONG_EVENT + 1);

	memset(data, 'd', LONG_EVENT);
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < WEB_STREAM_BUFFER_MAX / LONG_EVENT / 2; k++)
			web_stream_event(here.stream, NULL, NULL,
					 span_of(data));
		web_stream_event(here.stream, NULL, NULL, span_of("page"));
		web_stream_when_drained(here.stream, on_drained, &drained);
		http_read_until(fd, "page\n\n", &got);
		(void)pthread_mutex_lock(&here.lock);
		while (drained <= i)
			(void)pthread_cond_wait(&here.changed, &here.lock);
		(void)pthread_mutex_unlock(&here.lock);
	}

	assert_int_equal(closed_count(), 0);
	free(data);
	(void)close(fd);
}

static void *writer(void *ctx)
{
	int from = *(int *)ctx;

	for (int i = from; i < from + EVENTS; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "%d", i);
		web_stream_event(here.stream, id, "n", span_of("1"));
	}
	return NULL;
}

TEST(two_writers_lose_nothing)
{
	AUTO_BUF(got, 4 << 20);
	int fd = open_by_client("/events"), from[2] = {0, EVENTS};
	size_t events = 0;
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, writer, &from[i]), 0);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	web_stream_event(here.stream, NULL, NULL, span_of("the last"));
	http_read_until(fd, "the last\n\n", &got);

	for (const char *p = got.p; (p = strstr(p, "event: n\n")); p++)
		events++;
	/* a chunk's edge may cut one in two */
	assert_true(events > 2 * EVENTS - 100);
	(void)close(fd);
}

TEST(a_stop_ends_streams_and_tells_their_owners)
{
	AUTO_BUF(got, 64 << 10);
	int fd = open_by_client("/events");

	http_read_until(fd, ":\n\n", &got);
	web_stop(KEEP(f.web));

	assert_int_equal(closed_count(), 1);
	assert_true(http_closed(fd));
	web_stream_event(here.stream, NULL, NULL, span_of("too late"));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			events_arrive_as_they_are_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_stream_may_answer_a_deferred_request, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_closed_stream_ends_behind_what_was_written, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(an_idle_stream_is_pinged,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_idle_stream_burns_no_processor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_reader_who_hangs_up_is_noticed_at_once, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_reader_who_is_too_slow_is_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_writer_who_waits_for_its_reader_may_write_any_amount,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_writers_lose_nothing,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_stop_ends_streams_and_tells_their_owners, set_up,
			tear_down),
	};

	return cmocka_run_group_tests_name("web/stream", tests, NULL, NULL);
}
