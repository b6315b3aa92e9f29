// SPDX-License-Identifier: Apache-2.0
/*
 * test_server.c - requests as they come: whole, in pieces, too large, wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"
#include "unit/web/fixture.h"

enum { SMALL_BODY_MAX = 32, KEPT_BYTES = 1500, KEPT_ANSWER_BYTES = 800 };

static struct fixture f;

static void on_hello(struct web_request *r, void *ctx)
{
	(void)ctx;
	fixture_say(r, 200, "hello");
}

static void on_echo(struct web_request *r, void *ctx)
{
	struct span body = web_body(r);

	(void)ctx;
	web_answer(r, &(struct web_answer){.status = 201, .body = body});
}

static void add_argument(const char *name, const char *value, void *ctx)
{
	buf_printf(ctx, " %s=%s", name, value);
}

static void on_ask(struct web_request *r, void *ctx)
{
	AUTO_BUF(said, 4096);
	const char *header = web_header(r, "x-thing");
	const char *query = web_query(r, "q");

	(void)ctx;
	buf_printf(&said,
		   "%s %s [%.*s] header=%s q=%s peer=%s all:", web_method(r),
		   web_path(r), (int)web_part(r, 0).n, web_part(r, 0).p,
		   header ? header : "-", query ? query : "-", web_peer(r));
	web_query_each(r, add_argument, &said);
	web_answer(r, &(struct web_answer){
			      .status = 200,
			      .type = "text/plain",
			      .body = buf_view(&said),
			      .headers = (const struct web_header_out[]){
				      {"X-One", "1"}, {"X-Two", "2"}, {0}}});
}

static void on_large(struct web_request *r, void *ctx)
{
	char *p = b_zero(1, 1 << 20);

	(void)ctx;
	memset(p, 'x', 1 << 20);
	web_answer(r, &(struct web_answer){.status = 200,
					   .owned = p,
					   .body = span_make(p, 1 << 20)});
}

/* What a handler keeps fills the request's own memory, and more. */
static void on_keep(struct web_request *r, void *ctx)
{
	char *all = web_alloc(r, KEPT_BYTES), *more = web_alloc(r, KEPT_BYTES);

	(void)ctx;
	memset(all, 'a', KEPT_BYTES);
	memset(more, 'b', KEPT_BYTES);
	web_answer(r, &(struct web_answer){
			      .status = 200,
			      .type = "text/plain",
			      .body = span_make(more, KEPT_ANSWER_BYTES)});
}

/* In the memory of an earlier request of the connection: what is left? */
static const char *left;

static void on_leave(struct web_request *r, void *ctx)
{
	char *secret = web_alloc(r, sizeof("482913"));

	(void)ctx;
	memcpy(secret, "482913", sizeof("482913"));
	left = secret;
	fixture_say(r, 200, "left");
}

static void on_look(struct web_request *r, void *ctx)
{
	bool wiped = true;

	(void)ctx;
	for (size_t i = 0; i < sizeof("482913"); i++)
		wiped = wiped && left[i] == '\0';
	fixture_say(r, 200, wiped ? "nothing" : "something");
}

static const struct web_route routes[] = {
	{"GET", "/hello", on_hello, .slash = false},
	{"GET", "/keep", on_keep, .slash = false},
	{"GET", "/leave", on_leave, .slash = false},
	{"GET", "/x", on_look, .slash = false},
	{"POST", "/echo", on_echo, .slash = false},
	{"POST", "/small", on_echo, .body_max = SMALL_BODY_MAX},
	{"GET", "/ask/{}", on_ask, .slash = false},
	{"PUT", "/ask/{}", on_ask, .slash = false},
	{"DELETE", "/ask/{}", on_ask, .slash = true},
	{"GET", "/large", on_large, .slash = false},
	{0},
};

static int set_up(void **state)
{
	(void)state;
	fixture_start(&f, routes, clock_manual(0));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void expect(struct http_answer *a, int status, const char *body)
{
	assert_int_equal(a->status, status);
	assert_true(span_is(buf_view(&a->body), body));
	http_answer_free(a);
}

TEST(a_request_is_answered)
{
	struct http_answer a;

	http_ask(f.port, "GET", "/hello", "", NULL, &a);

	assert_string_equal(http_header(&a, "Content-Type"), "text/plain");
	expect(&a, 200, "hello");
}

TEST(a_handler_sees_what_was_asked)
{
	struct http_answer a;

	http_ask(f.port, "GET", "/ask/th%20ing?q=1&other=a%2Fb",
		 "X-Thing: yes\r\n", NULL, &a);

	assert_string_equal(http_header(&a, "X-One"), "1");
	assert_string_equal(http_header(&a, "X-Two"), "2");
	expect(&a, 200,
	       "GET /ask/th ing [th ing] header=yes q=1 peer=127.0.0.1 all: "
	       "q=1 other=a/b");
}

static void asked(const char *method, const char *path, const char *said)
{
	struct http_answer a = {0};

	http_ask(f.port, method, path, "", NULL, &a);
	if (a.status != 200 || !strstr(a.body.p, said))
		fail_msg("%s %s: %d %.*s", method, path, a.status,
			 (int)a.body.n, a.body.p);
	http_answer_free(&a);
}

TEST(a_plus_in_a_path_is_a_plus)
{
	asked("GET", "/ask/+15671234567", " [+15671234567] ");
	asked("GET", "/ask/%2B15671234567", " [+15671234567] ");
	asked("GET", "/ask/%2b1+5?q=a+b%2Bc", " [+1+5] header=- q=a b+c ");
	asked("GET", "/ask/a%20b", " [a b] ");
}

TEST(put_and_delete_are_methods_as_any_other)
{
	asked("PUT", "/ask/it", "PUT /ask/it [it]");
	asked("DELETE", "/ask/it", "DELETE /ask/it [it]");
	asked("DELETE", "/ask/it/", "DELETE /ask/it/ [it]");
}

TEST(a_nul_in_a_url_is_refused)
{
	const char *const urls[] = {"/ask/it%00", "/ask/%00it",
				    "/ask/it?q=1%002"};

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct http_answer a = {0};

		http_ask(f.port, "GET", urls[i], "", NULL, &a);
		assert_int_equal(a.status, 400);
		http_answer_free(&a);
	}
}

TEST(a_connection_serves_many_requests)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	for (int i = 0; i < 100; i++) {
		http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
		http_read(fd, false, &a);
		expect(&a, 200, "hello");
	}
	(void)close(fd);
}

TEST(requests_in_one_packet_are_answered_in_order)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	http_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
		      "5\r\n\r\nfirst"
		      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
		      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
		      "6\r\n\r\nsecond");

	http_read(fd, false, &a);
	expect(&a, 201, "first");
	http_read(fd, false, &a);
	expect(&a, 200, "hello");
	http_read(fd, false, &a);
	expect(&a, 201, "second");
	(void)close(fd);
}

TEST(head_has_the_length_and_no_body)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	http_send(fd, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, true, &a);
	assert_string_equal(http_header(&a, "Content-Length"), "5");
	expect(&a, 200, "");

	http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);
	expect(&a, 200, "hello");
	(void)close(fd);
}

TEST(an_unknown_path_is_404)
{
	struct http_answer a;

	http_ask(f.port, "GET", "/nowhere", "", NULL, &a);
	expect(&a, 404, "trouble 0");
	http_ask(f.port, "POST", "/nowhere", "", "with a body", &a);
	expect(&a, 404, "trouble 0");
}

TEST(another_method_is_405_with_allow)
{
	struct http_answer a;

	http_ask(f.port, "DELETE", "/hello", "", NULL, &a);
	assert_string_equal(http_header(&a, "Allow"), "GET, HEAD");
	expect(&a, 405, "trouble 1");
	http_ask(f.port, "PROPFIND", "/echo", "", "<xml/>", &a);
	assert_string_equal(http_header(&a, "Allow"), "POST");
	expect(&a, 405, "trouble 1");
}

TEST(a_body_up_to_the_limit_is_taken_and_one_byte_more_is_413)
{
	char *body = b_zero(1, WEB_BODY_MAX + 2);
	struct http_answer a;

	memset(body, 'b', WEB_BODY_MAX);
	http_ask(f.port, "POST", "/echo", "", body, &a);
	expect(&a, 201, body);
	body[WEB_BODY_MAX] = 'b';
	http_ask(f.port, "POST", "/echo", "", body, &a);
	expect(&a, 413, "trouble 2");
	free(body);
}

TEST(a_route_may_have_a_limit_of_its_own)
{
	struct http_answer a;

	http_ask(f.port, "POST", "/small", "",
		 "012345678901234567890123456789012", &a);

	expect(&a, 413, "trouble 2");
}

static void send_chunks(int fd, size_t size, unsigned count)
{
	char *chunk = b_zero(1, size + 32);
	int n = snprintf(chunk, 32, "%zx\r\n", size);

	memset(chunk + n, 'c', size);
	chunk[(size_t)n + size] = '\r';
	chunk[(size_t)n + size + 1] = '\n';
	http_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n");
	while (count--)
		http_send_bytes(fd, chunk, (size_t)n + size + 2);
	http_send(fd, "0\r\n\r\n");
	free(chunk);
}

TEST(chunks_make_a_body)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	send_chunks(fd, 4, 3);

	http_read(fd, false, &a);
	expect(&a, 201, "cccccccccccc");
	(void)close(fd);
}

TEST(chunks_over_the_limit_are_drained_and_413)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	send_chunks(fd, 10000, 20);
	http_read(fd, false, &a);
	expect(&a, 413, "trouble 2");

	/* and the connection is as good as before */
	http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);
	expect(&a, 200, "hello");
	(void)close(fd);
}

TEST(chunks_without_end_are_cut_off)
{
	int fd = http_connect(f.port);

	send_chunks(fd, 60000, 40);

	assert_true(http_closed(fd));
	(void)close(fd);
}

TEST(a_length_beyond_all_is_refused_before_the_body)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	http_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\n"
		      "Content-Length: 99999999999\r\n\r\n");

	http_read(fd, false, &a);
	expect(&a, 413, "trouble 2");
	assert_true(http_closed(fd));
	(void)close(fd);
}

TEST(who_asks_first_is_told_before_sending)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	http_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\n"
		      "Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n");

	http_read(fd, false, &a);
	expect(&a, 413, "trouble 2");
	(void)close(fd);
}

static int status_with_header_of(size_t n)
{
	AUTO_BUF(request, 64 << 10);
	int fd = http_connect(f.port), status;
	struct http_answer a;

	buf_str(&request, "GET /hello HTTP/1.1\r\nHost: a\r\n");
	while (request.n + 1000 < n)
		buf_printf(&request, "X-%zu: %0985d\r\n", request.n % 10000, 1);
	buf_str(&request, "\r\n");
	http_send_bytes(fd, request.p, request.n);
	http_read(fd, false, &a);
	status = a.status;
	http_answer_free(&a);
	(void)close(fd);
	return status;
}

TEST(a_header_block_of_16_kib_is_taken_and_a_larger_one_is_431)
{
	assert_int_equal(status_with_header_of(WEB_HEADERS_MAX), 200);
	assert_int_equal(status_with_header_of(2L * WEB_HEADERS_MAX), 431);
}

TEST(a_long_url_is_refused)
{
	AUTO_BUF(path, 2L * WEB_URL_MAX);
	struct http_answer a;

	buf_str(&path, "/hello?x=");
	while (path.n <= WEB_URL_MAX)
		buf_byte(&path, 'y');
	http_ask(f.port, "GET", path.p, "", NULL, &a);

	expect(&a, 400, "trouble 5");
}

TEST(nonsense_is_answered_and_disturbs_nobody)
{
	static const char negative[] = "POST /echo HTTP/1.1\r\nHost: a\r\n"
				       "Content-Length: -5\r\n\r\n";
	static const char broken[] = "POST /echo HTTP/1.1\r\nHost: a\r\n"
				     "Transfer-Encoding: chunked\r\n\r\nzz\r\n";
	const char *const nonsense[] = {
		"\r\n\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"GET /hello HTTP/9.9\r\n\r\n",
		"GET /hello HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\x02\x01\xfc\x03\x03",
		negative,
		broken,
	};
	struct http_answer a;

	for (size_t i = 0; i < COUNT_OF(nonsense); i++) {
		int fd = http_connect(f.port);

		http_send(fd, nonsense[i]);
		(void)close(fd);
	}
	http_ask(f.port, "GET", "/hello", "", NULL, &a);
	expect(&a, 200, "hello");
}

TEST(a_request_that_does_not_come_to_its_end_is_cut_off)
{
	int slow[3], fd;
	struct http_answer a;

	for (size_t i = 0; i < COUNT_OF(slow); i++)
		slow[i] = http_connect(f.port);
	http_send(slow[0], "GET /hello HTTP/1.1\r\nHost:");
	http_send(slow[1], "POST /echo HTTP/1.1\r\nHost: a\r\n"
			   "Content-Length: 10\r\n\r\n123");
	/* slow[2] says nothing at all; an answer proves that all were seen */
	fd = http_connect(f.port);
	http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);
	expect(&a, 200, "hello");

	for (int i = 0; i < 10; i++) {
		clock_advance(f.clock, WEB_REQUEST_MS / 4);
		/* dripping does not help */
		http_send(slow[0], "a");
		http_send(slow[1], "4");
		http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
		http_read(fd, false, &a);
		expect(&a, 200, "hello");
	}

	for (size_t i = 0; i < COUNT_OF(slow); i++) {
		assert_true(http_closed(slow[i]));
		(void)close(slow[i]);
	}
	(void)close(fd);
}

TEST(a_reader_that_does_not_read_is_cut_off)
{
	struct web_stats before, after;
	int fd;

	web_stats(f.web, &before);
	fd = http_connect(f.port);
	for (int i = 0; i < 20; i++)
		http_send(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
	do
		web_stats(f.web, &after);
	while (after.answers_by_class[2] == before.answers_by_class[2]);

	do {
		clock_advance(f.clock, WEB_ANSWER_MS / 4);
		web_stats(f.web, &after);
	} while (after.connections > 0);

	assert_true(http_closed(fd));
	(void)close(fd);
}

TEST(an_answer_in_the_handlers_memory_is_sent_whole)
{
	struct http_answer a;

	http_ask(f.port, "GET", "/large", "", NULL, &a);

	assert_int_equal(a.body.n, 1 << 20);
	http_answer_free(&a);
}

TEST(an_answer_behind_what_a_handler_keeps_is_sent_whole)
{
	struct http_answer a;

	for (int i = 0; i < 3; i++) {
		http_ask(f.port, "GET", "/keep", "", NULL, &a);
		assert_int_equal(a.body.n, KEPT_ANSWER_BYTES);
		assert_int_equal(a.body.p[KEPT_ANSWER_BYTES - 1], 'b');
		http_answer_free(&a);
	}
}

TEST(what_a_handler_kept_is_wiped_with_its_request)
{
	int fd = http_connect(f.port);
	struct http_answer a;

	http_send(fd, "GET /leave HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);
	expect(&a, 200, "left");
	http_send(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);
	expect(&a, 200, "nothing");
	(void)close(fd);
}

TEST(what_was_done_is_counted)
{
	struct web_stats before, after;
	struct http_answer a;

	web_stats(f.web, &before);
	http_ask(f.port, "GET", "/hello", "", NULL, &a);
	http_answer_free(&a);
	http_ask(f.port, "GET", "/nowhere", "", NULL, &a);
	http_answer_free(&a);
	web_stats(f.web, &after);

	assert_int_equal(after.requests - before.requests, 2);
	assert_int_equal(after.answers_by_class[2] - before.answers_by_class[2],
			 1);
	assert_int_equal(after.answers_by_class[4] - before.answers_by_class[4],
			 1);
}

TEST(a_port_in_use_is_told_with_its_address)
{
	char listen[32];
	struct web_params params = {
		.listen = listen, .routes = routes, .trouble = fixture_trouble};
	struct web *second = NULL;
	struct diag d = {0};

	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", f.port);
	assert_int_equal(web_start(&params, &second, &d), -EADDRINUSE);

	assert_null(second);
	assert_string_equal(d.field, "listen");
	assert_non_null(strstr(d.message, listen));
	assert_non_null(strstr(d.message, "another program"));
}

TEST(what_is_no_address_is_told)
{
	const char *const bad[] = {"",     "8080",      "localhost:80",
				   ":80",  "127.0.0.1", "127.0.0.1:99999",
				   "[::1", "[::1]:",    "::1:80"};
	struct web_params params = {.routes = routes,
				    .trouble = fixture_trouble};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct web *w = NULL;
		struct diag d = {0};

		params.listen = bad[i];
		assert_int_equal(web_start(&params, &w, &d), -EINVAL);
		assert_string_equal(d.field, "listen");
	}
}

TEST(a_missing_certificate_is_told)
{
	struct web_params params = {.listen = "127.0.0.1:0",
				    .routes = routes,
				    .trouble = fixture_trouble,
				    .tls_cert = "/nonexistent/cert.pem",
				    .tls_key = "/nonexistent/key.pem"};
	struct web *w = NULL;
	struct diag d = {0};

	assert_int_equal(web_start(&params, &w, &d), -ENOENT);
	assert_string_equal(d.field, "tls_cert");
}

TEST(it_listens_on_ipv6_too)
{
	struct web_params params = {.listen = "[::1]:0",
				    .routes = routes,
				    .trouble = fixture_trouble};
	struct web *six = NULL;
	struct diag d = {0};
	struct http_answer a;
	int fd;

	assert_int_equal(web_start(&params, &six, &d), 0);
	fd = http_connect_to("::1", web_port(six));
	http_send(fd, "GET /ask/x HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);

	expect(&a, 200, "GET /ask/x [x] header=- q=- peer=::1 all:");
	(void)close(fd);
	web_stop(six);
}

TEST(a_quiet_server_takes_no_more_connections_and_answers_the_old_ones)
{
	struct fixture mine = {0};
	struct http_answer a;
	int fd;

	fixture_start(&mine, routes, NULL);
	fd = http_connect(mine.port);
	http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);
	expect(&a, 200, "hello");

	web_quiesce(mine.web);
	http_send(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_read(fd, false, &a);

	assert_string_equal(http_header(&a, "Connection"), "close");
	expect(&a, 200, "hello");
	assert_true(http_closed(fd));
	(void)close(fd);
	fixture_stop(&mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_answered),
		cmocka_unit_test(a_handler_sees_what_was_asked),
		cmocka_unit_test(a_plus_in_a_path_is_a_plus),
		cmocka_unit_test(put_and_delete_are_methods_as_any_other),
		cmocka_unit_test(a_nul_in_a_url_is_refused),
		cmocka_unit_test(a_connection_serves_many_requests),
		cmocka_unit_test(requests_in_one_packet_are_answered_in_order),
		cmocka_unit_test(head_has_the_length_and_no_body),
		cmocka_unit_test(an_unknown_path_is_404),
		cmocka_unit_test(another_method_is_405_with_allow),
		cmocka_unit_test(
			a_body_up_to_the_limit_is_taken_and_one_byte_more_is_413),
		cmocka_unit_test(a_route_may_have_a_limit_of_its_own),
		cmocka_unit_test(chunks_make_a_body),
		cmocka_unit_test(chunks_over_the_limit_are_drained_and_413),
		cmocka_unit_test(chunks_without_end_are_cut_off),
		cmocka_unit_test(
			a_length_beyond_all_is_refused_before_the_body),
		cmocka_unit_test(who_asks_first_is_told_before_sending),
		cmocka_unit_test(
			a_header_block_of_16_kib_is_taken_and_a_larger_one_is_431),
		cmocka_unit_test(a_long_url_is_refused),
		cmocka_unit_test(nonsense_is_answered_and_disturbs_nobody),
		cmocka_unit_test(
			a_request_that_does_not_come_to_its_end_is_cut_off),
		cmocka_unit_test(a_reader_that_does_not_read_is_cut_off),
		cmocka_unit_test(
			an_answer_in_the_handlers_memory_is_sent_whole),
		cmocka_unit_test(
			an_answer_behind_what_a_handler_keeps_is_sent_whole),
		cmocka_unit_test(what_a_handler_kept_is_wiped_with_its_request),
		cmocka_unit_test(what_was_done_is_counted),
		cmocka_unit_test(a_port_in_use_is_told_with_its_address),
		cmocka_unit_test(what_is_no_address_is_told),
		cmocka_unit_test(a_missing_certificate_is_told),
		cmocka_unit_test(it_listens_on_ipv6_too),
		cmocka_unit_test(
			a_quiet_server_takes_no_more_connections_and_answers_the_old_ones),
	};

	return cmocka_run_group_tests_name("web/server", tests, set_up,
					   tear_down);
}
