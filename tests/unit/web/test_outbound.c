// SPDX-License-Identifier: Apache-2.0
/*
 * test_outbound.c - is a request answered, or given up, as it should be?
 *
 * Against real servers on loopback.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"
#include "unit/web/outbound_bench.h"

/* --- answers ----------------------------------------------------------------------------- */

TEST(a_request_goes_out_as_it_was_given_and_its_answer_comes_back)
{
	const struct outbound_header headers[] = {{"X-Token", "t 1"},
						  {"X-Empty", ""},
						  {"Content-Type",
						   "application/json"},
						  {0}};
	char host[64];
	struct told t;

	(void)bench_send_to(
		&(struct outbound_request){.method = "POST",
					   .url = bench_url_of("Hooks.Example",
							       "/echo#part"),
					   .headers = headers,
					   .body = span_of("{\"a\":1}")},
		&t);
	bench_wait_all();

	bench_ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.status, 201);
	assert_string_equal(t.type, "text/plain");
	(void)snprintf(host, sizeof(host), "hooks.example:%u",
		       bench.server.port);
	assert_non_null(strcasestr(t.body, host));
	assert_non_null(strstr(t.body, "token=t 1 empty=yes "
				       "type=application/json n=7 {\"a\":1}"));
}

TEST(each_method_has_the_body_that_it_should)
{
	static const struct {
		const char *method, *body, *said;
	} cases[] = {
		{"GET", NULL, "GET /echo "},  {"POST", NULL, "type=- n=0 "},
		{"PUT", "x", "type=- n=1 x"}, {"DELETE", NULL, "type=- n=- "},
		{"HEAD", NULL, ""},           {"HEAD", "x", ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct told t;

		(void)bench_send_to(
			&(struct outbound_request){
				.method = cases[i].method,
				.url = bench_url_of("127.0.0.1", "/echo"),
				.body = span_of(cases[i].body)},
			&t);
		bench_wait_all();
		bench_ends(&t, OUTBOUND_ANSWERED);
		assert_int_equal(t.status, 201);
		assert_non_null(strstr(t.body, cases[i].said));
	}
}

/* Of the environment: nobody asked for it to be heeded here. */
TEST(no_proxy_of_the_environment_is_heeded)
{
	struct told t;

	/* before any thread of the bench could read it */
	(void)setenv("http_proxy", "http://127.0.0.1:9", 1); // NOLINT
	(void)setenv("ALL_PROXY", "http://127.0.0.1:9", 1);  // NOLINT
	bench_get(bench_url_of("hooks.example", "/echo"), &t);
	bench_wait_all();
	(void)unsetenv("http_proxy"); // NOLINT
	(void)unsetenv("ALL_PROXY");  // NOLINT

	bench_ends(&t, OUTBOUND_ANSWERED);
}

TEST(a_redirect_is_an_answer)
{
	struct told t;

	bench_get(bench_url_of("127.0.0.1", "/redirect"), &t);
	bench_wait_all();

	bench_ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.status, 302);
	assert_int_equal(atomic_load(&bench.redirected), 0);
}

TEST(an_answer_that_is_too_large_is_none)
{
	struct outbound_request r = {.method = "GET",
				     .url = bench_url_of("127.0.0.1", "/large"),
				     .answer_max = 4096};
	struct told t;

	(void)bench_send_to(&r, &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.n, 4096);
	r.answer_max = 4095;
	(void)bench_send_to(&r, &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_TOO_LARGE);
	assert_int_equal(t.n, 0);
}

TEST(what_cannot_be_sent_is_told_in_words)
{
	static const struct {
		struct outbound_header header;
		const char *method, *why;
	} cases[] = {
		{{"X-A", "a\r\nX-B: b"}, "GET", "a header cannot be sent: X-A"},
		{{"X A", "a"}, "GET", "a header cannot be sent"},
		{{"Host", "x"}, "GET", "a header cannot be sent: Host"},
		{{"transfer-encoding", "x"}, "GET", "a header cannot be sent"},
		{{NULL, NULL}, "CONNECT", "there is no method CONNECT"},
		{{NULL, NULL}, "G T", "there is no method G T"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct outbound_header headers[] = {cases[i].header, {0}};
		struct told t;

		(void)bench_send_to(
			&(struct outbound_request){
				.method = cases[i].method,
				.url = bench_url_of("127.0.0.1", "/echo"),
				.headers = headers},
			&t);
		bench_wait_all();
		bench_ends(&t, OUTBOUND_BAD_URL);
		assert_non_null(strstr(t.why, cases[i].why));
	}
}

/* --- servers that do not behave ----------------------------------------------------------------- */

/* What a listener says to one request before it hangs up. */
static void says(const char *text, struct told *t)
{
	unsigned port = 0;
	int listener = bench_listen_at("127.0.0.1", &port), fd;
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	bench_get(url, t);
	fd = bench_take_request(listener);
	http_send(fd, text);
	(void)close(fd);
	(void)close(listener);
	bench_wait_all();
}

TEST(what_breaks_off_or_is_no_http_is_broken)
{
	const char *const texts[] = {
		"",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 103 Early Hints\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nConten",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct told t;

		says(texts[i], &t);
		bench_ends(&t, OUTBOUND_BROKEN);
		assert_int_equal(t.n, 0);
	}
}

TEST(an_answer_may_have_trailers_and_be_announced)
{
	const char *const texts[] = {
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		"Trailer: Server-Timing\r\n\r\n"
		"2\r\nok\r\n0\r\nServer-Timing: db;dur=3\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct told t;

		says(texts[i], &t);
		bench_ends(&t, OUTBOUND_ANSWERED);
		assert_int_equal(t.status, 200);
		assert_string_equal(t.body, "ok");
	}
}

TEST(a_head_without_end_is_broken)
{
	unsigned port = 0;
	int listener = bench_listen_at("127.0.0.1", &port), fd;
	char url[64];
	struct told t;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	bench_get(url, &t);
	fd = bench_take_request(listener);
	http_send(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 2000; i++) /* some of it may meet a closed door */
		if (send(fd, "X-Filler: 0123456789012345678901234567890\r\n",
			 43, MSG_NOSIGNAL) < 0)
			break;
	bench_wait_all();
	bench_ends(&t, OUTBOUND_BROKEN);
	(void)close(fd);
	(void)close(listener);
}

TEST(a_body_without_a_length_is_bounded)
{
	unsigned port = 0;
	int listener = bench_listen_at("127.0.0.1", &port), fd;
	char url[64];
	struct told t;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	(void)bench_send_to(&(struct outbound_request){.method = "GET",
						       .url = url,
						       .answer_max = 8},
			    &t);
	fd = bench_take_request(listener);
	http_send(fd, "HTTP/1.1 200 OK\r\n\r\n0123456789");
	bench_wait_all();
	bench_ends(&t, OUTBOUND_TOO_LARGE);
	(void)close(fd);
	(void)close(listener);
}

TEST(who_does_not_answer_is_waited_for_so_long_and_no_longer)
{
	struct told t;

	(void)bench_send_to(
		&(struct outbound_request){.method = "GET",
					   .url = bench_url_of("127.0.0.1",
							       "/later"),
					   .timeout_ms = BENCH_SOON_MS},
		&t);
	bench_wait_all();

	bench_ends(&t, OUTBOUND_TIMEOUT);
	assert_true(t.took_ms >= BENCH_SOON_MS - 1);
}

TEST(who_does_not_listen_is_unreachable)
{
	unsigned port = 0;
	int listener = bench_listen_at("127.0.0.1", &port);
	char url[64];
	struct told t;

	(void)close(listener);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	bench_get(url, &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_UNREACHABLE);
}

/* --- many ------------------------------------------------------------------------------------------ */

TEST(many_at_once_are_bounded_for_a_host_and_hold_up_no_other)
{
	enum { SLOW = OUTBOUND_RUNNING_PER_HOST + 8 };
	struct told slow[SLOW], other;
	struct outbound_stats s;

	for (int i = 0; i < SLOW; i++)
		bench_get(bench_url_of("slow.example", "/later"), &slow[i]);
	bench_wait_for_later(OUTBOUND_RUNNING_PER_HOST);
	outbound_stats(bench.o, &s);
	assert_int_equal(s.running, OUTBOUND_RUNNING_PER_HOST);
	assert_int_equal(s.waiting, SLOW - OUTBOUND_RUNNING_PER_HOST);

	bench.open -= SLOW;
	bench_get(bench_url_of("quick.example", "/echo"), &other);
	bench_wait_all();
	bench_ends(&other, OUTBOUND_ANSWERED);
	bench.open += SLOW;
	assert_int_equal(bench.later.count, OUTBOUND_RUNNING_PER_HOST);

	bench_answer_later();
	bench_wait_for_later(SLOW - OUTBOUND_RUNNING_PER_HOST);
	bench_answer_later();
	bench_wait_all();
	for (int i = 0; i < SLOW; i++)
		bench_ends(&slow[i], OUTBOUND_ANSWERED);
	outbound_stats(bench.o, &s);
	assert_int_equal(s.running + s.waiting, 0);
	assert_int_equal(s.answered, SLOW + 1);
}

TEST(a_request_whose_turn_does_not_come_in_time_is_told)
{
	struct told slow[OUTBOUND_RUNNING_PER_HOST], last;

	for (size_t i = 0; i < COUNT_OF(slow); i++)
		bench_get(bench_url_of("127.0.0.1", "/later"), &slow[i]);
	bench_wait_for_later(COUNT_OF(slow));
	bench.open -= (int)COUNT_OF(slow);
	(void)bench_send_to(
		&(struct outbound_request){.method = "GET",
					   .url = bench_url_of("127.0.0.1",
							       "/echo"),
					   .timeout_ms = BENCH_SOON_MS},
		&last);
	bench_wait_all();
	bench_ends(&last, OUTBOUND_TIMEOUT);
	assert_string_equal(last.why, "too many requests were before it");
	bench.open += (int)COUNT_OF(slow);
	bench_answer_later();
	bench_wait_all();
}

TEST(more_than_may_wait_are_told_at_once)
{
	static struct told all[OUTBOUND_WAITING_MAX + 64];
	static struct outbound_call *calls[COUNT_OF(all)];
	int full = 0;

	for (size_t i = 0; i < COUNT_OF(all); i++)
		calls[i] = bench_send_to(
			&(struct outbound_request){
				.method = "GET",
				.url = bench_url_of("127.0.0.1", "/later")},
			&all[i]);
	while (loop_turn(bench.loop))
		;
	for (size_t i = 0; i < COUNT_OF(all); i++)
		full += all[i].times && all[i].fault == OUTBOUND_FULL;
	assert_int_equal(full, (int)COUNT_OF(all) - OUTBOUND_WAITING_MAX -
				       OUTBOUND_RUNNING_PER_HOST);
	/* from the last, so that none of them gets a place */
	for (size_t i = COUNT_OF(all); i-- > 0;)
		if (!all[i].times)
			outbound_cancel(calls[i]);
}

TEST(bodies_are_bounded_all_together)
{
	enum { FITS = OUTBOUND_HELD_MAX / OUTBOUND_BODY_MAX };
	static struct told all[FITS], more, again;
	static struct outbound_call *calls[FITS];
	char *body = b_zero(1, OUTBOUND_BODY_MAX);
	struct outbound_request r = {.method = "POST",
				     .url = bench_url_of("127.0.0.1", "/later"),
				     .body = span_make(body,
						       OUTBOUND_BODY_MAX)};

	/* each is held until the loop, which does not turn, knows its end */
	for (size_t i = 0; i < FITS; i++)
		calls[i] = bench_send_to(&r, &all[i]);
	r.body.n = 1;
	(void)bench_send_to(&r, &more);
	for (size_t i = FITS; i-- > 0;)
		outbound_cancel(calls[i]);
	bench.open -= FITS;
	bench_wait_all();
	bench_ends(&more, OUTBOUND_FULL);

	r.url = bench_url_of("127.0.0.1", "/echo");
	(void)bench_send_to(&r, &again);
	bench_wait_all();
	bench_ends(&again, OUTBOUND_ANSWERED);
	free(body);
}

/* --- giving up ----------------------------------------------------------------------------------------- */

TEST(who_gives_up_hears_nothing_more)
{
	struct outbound_call *c;
	struct outbound_stats s;
	struct told t, waits, done;

	c = bench_send_to(
		&(struct outbound_request){.method = "GET",
					   .url = bench_url_of("127.0.0.1",
							       "/later")},
		&t);
	bench_wait_for_later(1);
	outbound_cancel(c);
	/* its place is free again before the next one that needs it ends */
	c = bench_send_to(&(struct outbound_request){.method = "BAD",
						     .url = "nothing"},
			  &done);
	outbound_cancel(c); /* on its way to the loop */
	c = bench_send_to(
		&(struct outbound_request){.method = "GET",
					   .url = bench_url_of("x.example",
							       "/later")},
		&waits);
	outbound_cancel(c);
	outbound_cancel(NULL);
	bench.open = 0;
	bench_answer_later();
	bench_get(bench_url_of("127.0.0.1", "/echo"), &done);
	bench_wait_all();

	bench_ends(&done, OUTBOUND_ANSWERED);
	assert_int_equal(t.times + waits.times, 0);
	outbound_stats(bench.o, &s);
	assert_int_equal(s.running + s.waiting, 0);
}

TEST(what_is_under_way_at_the_end_is_closed)
{
	struct outbound_call *kept;
	struct told t, given_up;

	bench_get(bench_url_of("127.0.0.1", "/later"), &t);
	kept = bench_send_to(
		&(struct outbound_request){.method = "GET",
					   .url = bench_url_of("127.0.0.1",
							       "/later")},
		&given_up);
	bench_wait_for_later(2);
	outbound_free(KEEP(bench.o));
	outbound_cancel(kept);
	bench.open--;
	bench_wait_all();

	bench_ends(&t, OUTBOUND_CLOSED);
	assert_int_equal(given_up.times, 0);
}

static void on_thread(const struct outbound_answer *a, void *ctx)
{
	struct told *t = ctx;

	(void)pthread_mutex_lock(&bench.later.lock);
	t->times++;
	t->fault = a->fault;
	t->status = a->status;
	(void)pthread_cond_signal(&bench.later.came);
	(void)pthread_mutex_unlock(&bench.later.lock);
}

TEST(without_a_loop_it_is_told_on_a_thread)
{
	struct told t = {0}, bad = {0}, last = {0};
	struct outbound_request r = {.method = "GET",
				     .url = bench_url_of("127.0.0.1", "/echo")};

	outbound_send(bench.o, &r, NULL, on_thread, &t, NULL);
	r.method = "BAD";
	outbound_send(bench.o, &r, NULL, on_thread, &bad, NULL);
	(void)pthread_mutex_lock(&bench.later.lock);
	while (!t.times || !bad.times)
		(void)pthread_cond_wait(&bench.later.came, &bench.later.lock);
	(void)pthread_mutex_unlock(&bench.later.lock);
	assert_int_equal(t.status, 201);
	assert_int_equal(bad.fault, OUTBOUND_BAD_URL);

	r.method = "GET";
	r.url = bench_url_of("127.0.0.1", "/later");
	outbound_send(bench.o, &r, NULL, on_thread, &last, NULL);
	outbound_free(KEEP(bench.o));
	assert_int_equal(last.times, 1);
	assert_int_equal(last.fault, OUTBOUND_CLOSED);
}

int main(void)
{
#define OUTBOUND_TEST(name) \
	cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
	const struct CMUnitTest tests[] = {
		OUTBOUND_TEST(
			a_request_goes_out_as_it_was_given_and_its_answer_comes_back),
		OUTBOUND_TEST(each_method_has_the_body_that_it_should),
		OUTBOUND_TEST(no_proxy_of_the_environment_is_heeded),
		OUTBOUND_TEST(a_redirect_is_an_answer),
		OUTBOUND_TEST(an_answer_that_is_too_large_is_none),
		OUTBOUND_TEST(what_cannot_be_sent_is_told_in_words),
		OUTBOUND_TEST(what_breaks_off_or_is_no_http_is_broken),
		OUTBOUND_TEST(an_answer_may_have_trailers_and_be_announced),
		OUTBOUND_TEST(a_head_without_end_is_broken),
		OUTBOUND_TEST(a_body_without_a_length_is_bounded),
		OUTBOUND_TEST(
			who_does_not_answer_is_waited_for_so_long_and_no_longer),
		OUTBOUND_TEST(who_does_not_listen_is_unreachable),
		OUTBOUND_TEST(
			many_at_once_are_bounded_for_a_host_and_hold_up_no_other),
		OUTBOUND_TEST(
			a_request_whose_turn_does_not_come_in_time_is_told),
		OUTBOUND_TEST(more_than_may_wait_are_told_at_once),
		OUTBOUND_TEST(bodies_are_bounded_all_together),
		OUTBOUND_TEST(who_gives_up_hears_nothing_more),
		OUTBOUND_TEST(what_is_under_way_at_the_end_is_closed),
		OUTBOUND_TEST(without_a_loop_it_is_told_on_a_thread),
	};

	return cmocka_run_group_tests_name("web/outbound", tests, NULL, NULL);
}
