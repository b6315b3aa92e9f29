// SPDX-License-Identifier: Apache-2.0
/*
 * test_defer.c - answers that come later, from other threads, or never.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"
#include "unit/web/fixture.h"

enum { CLIENTS = 8, ROUNDS = 1500, GRID_MS = 40 };

/* What the handlers have put off, in a queue that any thread may empty. */
struct later {
	struct link link;
	struct web_request *r;
	unsigned number;
};
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct link queue;
	unsigned count;
	bool over;
} put_off = {.lock = PTHREAD_MUTEX_INITIALIZER,
	     .more = PTHREAD_COND_INITIALIZER};

static struct fixture f;

static void put(struct web_request *r)
{
	struct later *l = web_alloc(r, sizeof(*l));
	struct span body = web_body(r);

	l->r = r;
	l->number = body.n ? (unsigned)strtoul(body.p, NULL, 10) : 0;
	ll_init(&l->link);
	web_defer(r);
	(void)pthread_mutex_lock(&put_off.lock);
	ll_append(&put_off.queue, &l->link);
	put_off.count++;
	(void)pthread_cond_broadcast(&put_off.more);
	(void)pthread_mutex_unlock(&put_off.lock);
}

static void on_later(struct web_request *r, void *ctx)
{
	(void)ctx;
	put(r);
}

static void on_self(struct web_request *r, void *ctx)
{
	(void)ctx;
	web_defer(r);
	fixture_say(r, 200, "by myself");
}

static void on_grid(struct web_request *r, void *ctx)
{
	(void)ctx;
	web_defer(r);
	web_answer(r, &(struct web_answer){.status = 200,
					   .body = span_of("on the grid"),
					   .grid_ms = GRID_MS});
}

static const struct web_route routes[] = {
	{"GET", "/grid", on_grid, .slash = false},
	{"POST", "/later", on_later, .slash = false},
	{"GET", "/self", on_self, .slash = false},
	{0},
};

/* The next one that was put off; waits for it. */
static struct later *next(void)
{
	struct later *l = NULL;

	(void)pthread_mutex_lock(&put_off.lock);
	while (ll_empty(&put_off.queue) && !put_off.over)
		(void)pthread_cond_wait(&put_off.more, &put_off.lock);
	if (!ll_empty(&put_off.queue)) {
		l = ll_entry(ll_first(&put_off.queue), struct later, link);
		ll_remove(&l->link);
		put_off.count--;
	}
	(void)pthread_mutex_unlock(&put_off.lock);
	return l;
}

static void answer(struct later *l)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "number %u", l->number);
	web_answer(l->r, &(struct web_answer){.status = 200,
					      .type = "text/plain",
					      .body = span_of(text)});
}

static void *answerer(void *ctx)
{
	struct later *l;

	(void)ctx;
	while ((l = next()))
		answer(l);
	return NULL;
}

static int set_up(void **state)
{
	(void)state;
	ll_init(&put_off.queue);
	put_off.over = false;
	put_off.count = 0;
	fixture_start(&f, routes, clock_manual(0));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void ask_later(int fd, unsigned number)
{
	char body[16], request[128];
	int n = snprintf(body, sizeof(body), "%u", number);

	(void)snprintf(request, sizeof(request),
		       "POST /later HTTP/1.1\r\nHost: a\r\n"
		       "Content-Length: %d\r\n\r\n%s",
		       n, body);
	http_send(fd, request);
}

static void expect(int fd, int status, const char *body)
{
	struct http_answer a;

	http_read(fd, false, &a);
	assert_int_equal(a.status, status);
	assert_true(span_is(buf_view(&a.body), body));
	http_answer_free(&a);
}

TEST(an_answer_may_come_from_another_thread)
{
	int fd = http_connect(f.port);

	ask_later(fd, 7);
	answer(next());

	expect(fd, 200, "number 7");
	(void)close(fd);
}

TEST(an_answer_may_come_before_the_handler_returned)
{
	int fd = http_connect(f.port);

	for (int i = 0; i < 100; i++) {
		http_send(fd, "GET /self HTTP/1.1\r\nHost: a\r\n\r\n");
		expect(fd, 200, "by myself");
	}
	(void)close(fd);
}

TEST(answers_may_come_in_any_order)
{
	int one = http_connect(f.port), two = http_connect(f.port);
	struct later *first, *second;

	ask_later(one, 1);
	first = next();
	ask_later(two, 2);
	second = next();

	answer(second);
	expect(two, 200, "number 2");
	answer(first);
	expect(one, 200, "number 1");
	(void)close(one);
	(void)close(two);
}

TEST(requests_in_one_packet_wait_for_each_other)
{
	int fd = http_connect(f.port);

	http_send(fd, "POST /later HTTP/1.1\r\nHost: a\r\n"
		      "Content-Length: 1\r\n\r\n1"
		      "GET /self HTTP/1.1\r\nHost: a\r\n\r\n"
		      "POST /later HTTP/1.1\r\nHost: a\r\n"
		      "Content-Length: 1\r\n\r\n2");
	answer(next());
	expect(fd, 200, "number 1");
	expect(fd, 200, "by myself");
	answer(next());

	expect(fd, 200, "number 2");
	(void)close(fd);
}

static void *client(void *ctx)
{
	unsigned base = *(const unsigned *)ctx;
	int fd = http_connect(f.port);

	for (unsigned i = 0; i < ROUNDS; i++) {
		char want[32];

		(void)snprintf(want, sizeof(want), "number %u", base + i);
		ask_later(fd, base + i);
		expect(fd, 200, want);
	}
	(void)close(fd);
	return NULL;
}

TEST(thousands_of_answers_from_two_threads_reach_who_asked)
{
	pthread_t clients[CLIENTS], answerers[2];
	unsigned bases[CLIENTS];
	struct web_stats s;

	for (size_t i = 0; i < COUNT_OF(answerers); i++)
		assert_int_equal(
			pthread_create(&answerers[i], NULL, answerer, NULL), 0);
	for (unsigned i = 0; i < CLIENTS; i++) {
		bases[i] = i * 1000000;
		assert_int_equal(pthread_create(&clients[i], NULL, client,
						&bases[i]),
				 0);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		(void)pthread_join(clients[i], NULL);
	(void)pthread_mutex_lock(&put_off.lock);
	put_off.over = true;
	(void)pthread_cond_broadcast(&put_off.more);
	(void)pthread_mutex_unlock(&put_off.lock);
	for (size_t i = 0; i < COUNT_OF(answerers); i++)
		(void)pthread_join(answerers[i], NULL);

	web_stats(f.web, &s);
	assert_int_equal(s.answers_by_class[2], CLIENTS * ROUNDS);
	assert_int_equal(s.deferred, 0);
}

TEST(who_is_not_answered_in_time_is_told_503_and_a_late_answer_is_dropped)
{
	int fd = http_connect(f.port);
	struct later *l;

	ask_later(fd, 1);
	l = next();
	clock_advance(f.clock, WEB_ANSWER_MS + 1);
	expect(fd, 503, "trouble 3");
	answer(l);

	/* the connection is as good as before */
	ask_later(fd, 2);
	answer(next());
	expect(fd, 200, "number 2");
	(void)close(fd);
}

TEST(a_late_answer_with_memory_of_its_own_is_freed)
{
	int fd = http_connect(f.port);
	struct later *l;

	ask_later(fd, 1);
	l = next();
	clock_advance(f.clock, WEB_ANSWER_MS + 1);
	expect(fd, 503, "trouble 3");
	(void)close(fd);

	web_answer(l->r, &(struct web_answer){.status = 200,
					      .owned = b_strdup("late"),
					      .body = span_of("late")});
}

TEST(who_goes_away_while_it_waits_harms_nobody)
{
	int fd = http_connect(f.port);
	struct web_stats s;
	struct later *l;

	ask_later(fd, 1);
	l = next();
	(void)close(fd);
	answer(l);

	do
		web_stats(f.web, &s);
	while (s.connections > 0);
	assert_int_equal(s.deferred, 0);
}

static bool quiet(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 50) == 0;
}

TEST(an_answer_on_a_grid_leaves_when_its_time_has_come)
{
	int fd = http_connect(f.port);

	for (int i = 0; i < 3; i++) {
		http_send(fd, "GET /grid HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_true(quiet(fd));
		clock_advance(f.clock, GRID_MS - 1);
		assert_true(quiet(fd));
		clock_advance(f.clock, 1);
		expect(fd, 200, "on the grid");
	}
	(void)close(fd);
}

TEST(a_stop_does_not_wait_for_the_grid)
{
	int fd = http_connect(f.port);
	struct web_stats s;

	http_send(fd, "GET /grid HTTP/1.1\r\nHost: a\r\n\r\n");
	do
		web_stats(f.web, &s);
	while (s.deferred == 0);
	web_stop(KEEP(f.web));

	expect(fd, 200, "on the grid");
	(void)close(fd);
}

TEST(a_stop_answers_what_waits_and_a_late_answer_is_dropped)
{
	struct later *late[3];
	int fds[3];

	for (unsigned i = 0; i < 3; i++) {
		fds[i] = http_connect(f.port);
		ask_later(fds[i], i);
		late[i] = next();
	}
	web_stop(KEEP(f.web));

	for (unsigned i = 0; i < 3; i++) {
		expect(fds[i], 503, "trouble 4");
		assert_true(http_closed(fds[i]));
		(void)close(fds[i]);
		answer(late[i]);
	}
}

TEST(a_stop_and_answers_may_cross)
{
	for (int round = 0; round < 30; round++) {
		pthread_t thread;
		int fds[8];

		for (unsigned i = 0; i < 8; i++) {
			fds[i] = http_connect(f.port);
			ask_later(fds[i], i);
		}
		(void)pthread_mutex_lock(&put_off.lock);
		while (put_off.count < 8)
			(void)pthread_cond_wait(&put_off.more, &put_off.lock);
		put_off.over = true;
		(void)pthread_mutex_unlock(&put_off.lock);
		assert_int_equal(pthread_create(&thread, NULL, answerer, NULL),
				 0);
		web_stop(KEEP(f.web));
		(void)pthread_join(thread, NULL);

		for (unsigned i = 0; i < 8; i++) {
			struct http_answer a;

			http_read(fds[i], false, &a);
			assert_true(a.status == 200 || a.status == 503);
			http_answer_free(&a);
			(void)close(fds[i]);
		}
		put_off.over = false;
		fixture_start(&f, routes, f.clock);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_answer_may_come_from_another_thread, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			an_answer_may_come_before_the_handler_returned, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(answers_may_come_in_any_order,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			requests_in_one_packet_wait_for_each_other, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			thousands_of_answers_from_two_threads_reach_who_asked,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_is_not_answered_in_time_is_told_503_and_a_late_answer_is_dropped,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_late_answer_with_memory_of_its_own_is_freed, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			who_goes_away_while_it_waits_harms_nobody, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			an_answer_on_a_grid_leaves_when_its_time_has_come,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_stop_does_not_wait_for_the_grid, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_stop_answers_what_waits_and_a_late_answer_is_dropped,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_and_answers_may_cross,
						set_up, tear_down),
	};

	return cmocka_run_group_tests_name("web/defer", tests, NULL, NULL);
}
