// SPDX-License-Identifier: Apache-2.0
/*
 * test_outbound.c - is a request answered, refused or given up as it should be?
 *
 * Against real servers on loopback, which is allowed by network where a test
 * wants it to be; names are resolved by a handler of the test.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"
#include "unit/web/fixture.h"
#include "web/outbound.h"

enum { URL_BYTES = 256, LATER_MAX = 64, SOON_MS = 200 };

/* --- the server --------------------------------------------------------------------- */

static struct fixture server;
static atomic_int redirected;

/* Requests that nobody answers before the test says so. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct web_request *requests[LATER_MAX];
	int count;
} later = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};

static void on_echo(struct web_request *r, void *ctx)
{
	AUTO_BUF(said, 4096);
	const char *token = web_header(r, "X-Token");
	const char *empty = web_header(r, "X-Empty");
	const char *type = web_header(r, "Content-Type");
	const char *length = web_header(r, "Content-Length");

	(void)ctx;
	buf_printf(&said, "%s %s host=%s token=%s empty=%s type=%s n=%s %.*s",
		   web_method(r), web_path(r), web_header(r, "Host"),
		   token ? token : "-", empty ? "yes" : "no", type ? type : "-",
		   length ? length : "-", (int)web_body(r).n,
		   web_body(r).p ? web_body(r).p : "");
	web_answer(r, &(struct web_answer){.status = 201,
					   .type = "text/plain",
					   .body = buf_view(&said)});
}

static void on_redirect(struct web_request *r, void *ctx)
{
	(void)ctx;
	web_answer(r, &(struct web_answer){
			      .status = 302,
			      .headers = (const struct web_header_out[]){
				      {"Location", "/redirected"}, {0}}});
}

static void on_redirected(struct web_request *r, void *ctx)
{
	(void)ctx;
	atomic_fetch_add(&redirected, 1);
	fixture_say(r, 200, "redirected");
}

static void on_large(struct web_request *r, void *ctx)
{
	char *p = b_zero(1, 4096);

	(void)ctx;
	memset(p, 'x', 4096);
	web_answer(r, &(struct web_answer){
			      .status = 200, .owned = p, .body = {p, 4096}});
}

static void on_later(struct web_request *r, void *ctx)
{
	(void)ctx;
	web_defer(r);
	(void)pthread_mutex_lock(&later.lock);
	assert_true(later.count < LATER_MAX);
	later.requests[later.count++] = r;
	(void)pthread_cond_signal(&later.came);
	(void)pthread_mutex_unlock(&later.lock);
}

static void wait_for_later(int count)
{
	(void)pthread_mutex_lock(&later.lock);
	while (later.count < count)
		(void)pthread_cond_wait(&later.came, &later.lock);
	(void)pthread_mutex_unlock(&later.lock);
}

static void answer_later(void)
{
	(void)pthread_mutex_lock(&later.lock);
	while (later.count > 0)
		fixture_say(later.requests[--later.count], 200, "at last");
	(void)pthread_mutex_unlock(&later.lock);
}

static const struct web_route routes[] = {
	{"GET", "/echo", on_echo, .slash = false},
	{"POST", "/echo", on_echo, .slash = false},
	{"PUT", "/echo", on_echo, .slash = false},
	{"DELETE", "/echo", on_echo, .slash = false},
	{"GET", "/redirect", on_redirect, .slash = false},
	{"GET", "/redirected", on_redirected, .slash = false},
	{"GET", "/large", on_large, .slash = false},
	{"GET", "/later", on_later, .slash = false},
	{0}};

/* --- names ----------------------------------------------------------------------------- */

/* What each look-up says: the first, the second, ... the last for ever. */
static struct {
	const char *answers[4]; /* addresses with commas between; "": none */
	atomic_int asked;
} names;

static int look_up(const char *host, struct sockaddr_storage *out, int max,
		   void *ctx)
{
	int i = atomic_fetch_add(&names.asked, 1), n = 0;
	struct span rest, one;

	(void)host;
	(void)ctx;
	while (i > 0 &&
	       (i >= (int)COUNT_OF(names.answers) || !names.answers[i]))
		i--;
	rest = span_of(names.answers[i]);
	while (n < max && rest.n > 0 && span_cut(&rest, ',', &one)) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%.*s", (int)one.n, one.p);
		assert_int_equal(net_address(text, 0, &out[n++]), 0);
	}
	return n;
}

/* --- asking ---------------------------------------------------------------------------- */

static struct outbound *o;
static struct loop *loop;

struct told {
	int times;
	enum outbound_fault fault;
	unsigned status;
	char why[256], type[64], body[1024];
	size_t n;
	int64_t took_ms;
};
static int open_calls; /* the loop stops when none is left */

static void on_done(const struct outbound_answer *a, void *ctx)
{
	struct told *t = ctx;

	t->times++;
	t->fault = a->fault;
	t->status = a->status;
	t->n = a->body.n;
	t->took_ms = a->took_ms;
	(void)snprintf(t->why, sizeof(t->why), "%s", a->why);
	(void)snprintf(t->type, sizeof(t->type), "%s", a->type);
	(void)snprintf(t->body, sizeof(t->body), "%.*s", (int)a->body.n,
		       a->body.p ? a->body.p : "");
	if (--open_calls == 0)
		loop_stop(loop);
}

static const char *url_of(const char *host, const char *path)
{
	static char text[URL_BYTES];

	(void)snprintf(text, sizeof(text), "http://%s:%u%s", host, server.port,
		       path);
	return text;
}

static struct outbound_call *send_to(const struct outbound_request *r,
				     struct told *t)
{
	struct outbound_call *c = NULL;

	*t = (struct told){0};
	open_calls++;
	outbound_send(o, r, loop, on_done, t, &c);
	assert_int_equal(t->times, 0);
	return c;
}

static void get(const char *url, struct told *t)
{
	(void)send_to(&(struct outbound_request){.method = "GET", .url = url},
		      t);
}

/* Until every call is done. */
static void wait_all(void)
{
	if (open_calls > 0)
		loop_run(loop);
}

static void ends(const struct told *t, enum outbound_fault fault)
{
	assert_int_equal(t->times, 1);
	if (t->fault != fault)
		fail_msg("%s (%s), not %s", outbound_fault_text(t->fault),
			 t->why, outbound_fault_text(fault));
	assert_int_equal(t->status != 0, fault == OUTBOUND_ANSWERED);
	assert_int_equal(*t->why == '\0', fault == OUTBOUND_ANSWERED ||
						  fault == OUTBOUND_CLOSED);
}

static void open_outbound(const char *allow)
{
	struct outbound_params params = {.allow = &allow,
					 .allow_count = allow != NULL,
					 .lookup = look_up};
	struct diag d = {0};

	names.answers[0] = "127.0.0.1";
	names.answers[1] = names.answers[2] = NULL;
	atomic_store(&names.asked, 0);
	if (outbound_new(&params, &o, &d))
		fail_msg("%s", d.message);
}

static int set_up(void **state)
{
	(void)state;
	loop = loop_new(clock_real());
	open_calls = 0;
	fixture_start(&server, routes, NULL);
	open_outbound("127.0.0.0/8");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	outbound_free(KEEP(o));
	answer_later();
	fixture_stop(&server);
	loop_free(KEEP(loop));
	return 0;
}

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

	(void)send_to(&(struct outbound_request){.method = "POST",
						 .url = url_of("Hooks.Example",
							       "/echo#part"),
						 .headers = headers,
						 .body = span_of("{\"a\":1}")},
		      &t);
	wait_all();

	ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.status, 201);
	assert_string_equal(t.type, "text/plain");
	(void)snprintf(host, sizeof(host), "hooks.example:%u", server.port);
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
		{"HEAD", NULL, ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct told t;

		(void)send_to(
			&(struct outbound_request){
				.method = cases[i].method,
				.url = url_of("127.0.0.1", "/echo"),
				.body = span_of(cases[i].body)},
			&t);
		wait_all();
		ends(&t, OUTBOUND_ANSWERED);
		assert_int_equal(t.status, 201);
		assert_non_null(strstr(t.body, cases[i].said));
	}
}

TEST(a_redirect_is_an_answer)
{
	struct told t;

	get(url_of("127.0.0.1", "/redirect"), &t);
	wait_all();

	ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.status, 302);
	assert_int_equal(atomic_load(&redirected), 0);
}

TEST(an_answer_that_is_too_large_is_none)
{
	struct outbound_request r = {.method = "GET",
				     .url = url_of("127.0.0.1", "/large"),
				     .answer_max = 4096};
	struct told t;

	(void)send_to(&r, &t);
	wait_all();
	ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.n, 4096);
	r.answer_max = 4095;
	(void)send_to(&r, &t);
	wait_all();
	ends(&t, OUTBOUND_TOO_LARGE);
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

		(void)send_to(
			&(struct outbound_request){.method = cases[i].method,
						   .url = url_of("127.0.0.1",
								 "/echo"),
						   .headers = headers},
			&t);
		wait_all();
		ends(&t, OUTBOUND_BAD_URL);
		assert_non_null(strstr(t.why, cases[i].why));
	}
}

/* --- addresses ------------------------------------------------------------------------------ */

TEST(a_name_with_an_address_that_is_not_public_is_refused)
{
	const char *const addresses[] = {
		"127.0.0.1",        "10.0.0.1",
		"169.254.169.254",  "192.168.1.1",
		"0.0.0.0",          "::1",
		"::ffff:127.0.0.1", "64:ff9b::127.0.0.1",
		"2002:7f00:1::",    "fe80::1",
		"fd00::1",          "93.184.216.34,127.0.0.1",
		"2606:2800::1,::1"};

	outbound_free(KEEP(o));
	open_outbound(NULL);
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct told t;

		names.answers[0] = addresses[i];
		get(url_of("hooks.example", "/echo"), &t);
		wait_all();
		ends(&t, OUTBOUND_REFUSED);
		assert_non_null(strstr(t.why, "hooks.example: "));
		assert_non_null(strstr(t.why, "is not a public address"));
	}
}

TEST(a_literal_address_is_refused_without_a_look_up)
{
	struct told t;

	outbound_free(KEEP(o));
	open_outbound(NULL);
	get(url_of("2130706433", "/echo"), &t);
	wait_all();

	ends(&t, OUTBOUND_REFUSED);
	assert_string_equal(t.why, "127.0.0.1 is not a public address");
	assert_int_equal(atomic_load(&names.asked), 0);
}

TEST(a_name_may_be_allowed)
{
	struct told t;

	outbound_free(KEEP(o));
	open_outbound("hooks.internal");
	get(url_of("HOOKS.internal", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_ANSWERED);
	get(url_of("other.internal", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_REFUSED);
	get(url_of("127.0.0.1", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_REFUSED);
}

/* A listener of one connection, for what no server of ours would do. */
static int listen_at(const char *address, unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	at.sin_port = htons((uint16_t)*port);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static int take_request(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	AUTO_BUF(head, 8192);

	assert_true(fd >= 0);
	http_read_until(fd, "\r\n\r\n", &head);
	return fd;
}

/* The first look-up is of one that may be asked, the next is not: a request
 * goes to the address that was looked at, and looks no second time. */
TEST(a_name_is_looked_up_once_for_a_request)
{
	unsigned port = server.port;
	int listener, fd;
	struct told t;

	outbound_free(KEEP(o));
	open_outbound("127.0.0.2");
	names.answers[0] = "127.0.0.2";
	names.answers[1] = "127.0.0.1";
	listener = listen_at("127.0.0.2", &port);

	get(url_of("rebind.example", "/echo"), &t);
	fd = take_request(listener);
	http_send(fd, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
	wait_all();
	ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.status, 204);
	assert_int_equal(atomic_load(&names.asked), 1);

	get(url_of("rebind.example", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_REFUSED);
	assert_int_equal(atomic_load(&names.asked), 2);
	(void)close(fd);
	(void)close(listener);
}

/* Even where a connection to the checked address was kept. */
TEST(a_kept_connection_does_not_spare_the_check)
{
	struct told t;

	outbound_free(KEEP(o));
	open_outbound("127.0.0.1");
	names.answers[1] = "127.0.0.2";
	get(url_of("rebind.example", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_ANSWERED);

	get(url_of("rebind.example", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_REFUSED);
}

TEST(a_name_without_an_address_is_told)
{
	struct told t;

	names.answers[0] = "";
	get(url_of("nowhere.example", "/"), &t);
	wait_all();
	ends(&t, OUTBOUND_UNRESOLVED);
}

TEST(the_next_address_is_tried_when_the_first_does_not_answer)
{
	struct told t;

	names.answers[0] = "127.0.0.3,127.0.0.4,127.0.0.1";
	get(url_of("hooks.example", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_ANSWERED);

	names.answers[0] = "127.0.0.3,127.0.0.4";
	get(url_of("hooks.example", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_UNREACHABLE);
}

TEST(localhost_is_resolved_by_the_system_and_refused)
{
	struct outbound_params params = {0};
	struct told t;

	outbound_free(KEEP(o));
	assert_int_equal(outbound_new(&params, &o, NULL), 0);
	get(url_of("localhost", "/echo"), &t);
	wait_all();
	ends(&t, OUTBOUND_REFUSED);
}

/* --- servers that do not behave ----------------------------------------------------------------- */

/* What a listener says to one request before it hangs up. */
static void says(const char *text, struct told *t)
{
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port), fd;
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	get(url, t);
	fd = take_request(listener);
	http_send(fd, text);
	(void)close(fd);
	(void)close(listener);
	wait_all();
}

TEST(what_breaks_off_or_is_no_http_is_broken)
{
	const char *const texts[] = {
		"",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/1.1 200 OK\r\nContent-Le",
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct told t;

		says(texts[i], &t);
		ends(&t, OUTBOUND_BROKEN);
		assert_int_equal(t.n, 0);
	}
}

TEST(a_head_without_end_is_broken)
{
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port), fd;
	char url[64];
	struct told t;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	get(url, &t);
	fd = take_request(listener);
	http_send(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 2000; i++) /* some of it may meet a closed door */
		if (send(fd, "X-Filler: 0123456789012345678901234567890\r\n",
			 43, MSG_NOSIGNAL) < 0)
			break;
	wait_all();
	ends(&t, OUTBOUND_BROKEN);
	(void)close(fd);
	(void)close(listener);
}

TEST(a_body_without_a_length_is_bounded)
{
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port), fd;
	char url[64];
	struct told t;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	(void)send_to(&(struct outbound_request){.method = "GET",
						 .url = url,
						 .answer_max = 8},
		      &t);
	fd = take_request(listener);
	http_send(fd, "HTTP/1.1 200 OK\r\n\r\n0123456789");
	wait_all();
	ends(&t, OUTBOUND_TOO_LARGE);
	(void)close(fd);
	(void)close(listener);
}

TEST(who_does_not_answer_is_waited_for_so_long_and_no_longer)
{
	struct told t;

	(void)send_to(
		&(struct outbound_request){.method = "GET",
					   .url = url_of("127.0.0.1", "/later"),
					   .timeout_ms = SOON_MS},
		&t);
	wait_all();

	ends(&t, OUTBOUND_TIMEOUT);
	assert_true(t.took_ms >= SOON_MS - 1);
}

TEST(who_does_not_listen_is_unreachable)
{
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port);
	char url[64];
	struct told t;

	(void)close(listener);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	get(url, &t);
	wait_all();
	ends(&t, OUTBOUND_UNREACHABLE);
}

/* --- many ------------------------------------------------------------------------------------------ */

TEST(many_at_once_are_bounded_for_a_host_and_hold_up_no_other)
{
	enum { SLOW = OUTBOUND_RUNNING_PER_HOST + 8 };
	struct told slow[SLOW], other;
	struct outbound_stats s;

	for (int i = 0; i < SLOW; i++)
		get(url_of("slow.example", "/later"), &slow[i]);
	wait_for_later(OUTBOUND_RUNNING_PER_HOST);
	outbound_stats(o, &s);
	assert_int_equal(s.running, OUTBOUND_RUNNING_PER_HOST);
	assert_int_equal(s.waiting, SLOW - OUTBOUND_RUNNING_PER_HOST);

	open_calls -= SLOW;
	get(url_of("quick.example", "/echo"), &other);
	wait_all();
	ends(&other, OUTBOUND_ANSWERED);
	open_calls += SLOW;
	assert_int_equal(later.count, OUTBOUND_RUNNING_PER_HOST);

	answer_later();
	wait_for_later(SLOW - OUTBOUND_RUNNING_PER_HOST);
	answer_later();
	wait_all();
	for (int i = 0; i < SLOW; i++)
		ends(&slow[i], OUTBOUND_ANSWERED);
	outbound_stats(o, &s);
	assert_int_equal(s.running + s.waiting, 0);
	assert_int_equal(s.answered, SLOW + 1);
}

TEST(a_request_whose_turn_does_not_come_in_time_is_told)
{
	struct told slow[OUTBOUND_RUNNING_PER_HOST], last;

	for (size_t i = 0; i < COUNT_OF(slow); i++)
		get(url_of("127.0.0.1", "/later"), &slow[i]);
	wait_for_later(COUNT_OF(slow));
	open_calls -= (int)COUNT_OF(slow);
	(void)send_to(
		&(struct outbound_request){.method = "GET",
					   .url = url_of("127.0.0.1", "/echo"),
					   .timeout_ms = SOON_MS},
		&last);
	wait_all();
	ends(&last, OUTBOUND_TIMEOUT);
	assert_string_equal(last.why, "too many requests were before it");
	open_calls += (int)COUNT_OF(slow);
	answer_later();
	wait_all();
}

TEST(more_than_may_wait_are_told_at_once)
{
	static struct told all[OUTBOUND_WAITING_MAX + 64];
	static struct outbound_call *calls[COUNT_OF(all)];
	int full = 0;

	for (size_t i = 0; i < COUNT_OF(all); i++)
		calls[i] = send_to(
			&(struct outbound_request){.method = "GET",
						   .url = url_of("127.0.0.1",
								 "/later")},
			&all[i]);
	while (loop_turn(loop))
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

/* --- giving up ----------------------------------------------------------------------------------------- */

TEST(who_gives_up_hears_nothing_more)
{
	struct outbound_call *c;
	struct outbound_stats s;
	struct told t, waits, done;

	c = send_to(&(struct outbound_request){.method = "GET",
					       .url = url_of("127.0.0.1",
							     "/later")},
		    &t);
	wait_for_later(1);
	outbound_cancel(c);
	/* its place is free again before the next one that needs it ends */
	c = send_to(&(struct outbound_request){.method = "BAD",
					       .url = "nothing"},
		    &done);
	outbound_cancel(c); /* on its way to the loop */
	c = send_to(&(struct outbound_request){.method = "GET",
					       .url = url_of("x.example",
							     "/later")},
		    &waits);
	outbound_cancel(c);
	outbound_cancel(NULL);
	open_calls = 0;
	answer_later();
	get(url_of("127.0.0.1", "/echo"), &done);
	wait_all();

	ends(&done, OUTBOUND_ANSWERED);
	assert_int_equal(t.times + waits.times, 0);
	outbound_stats(o, &s);
	assert_int_equal(s.running + s.waiting, 0);
}

TEST(what_is_under_way_at_the_end_is_closed)
{
	struct outbound_call *kept;
	struct told t, given_up;

	get(url_of("127.0.0.1", "/later"), &t);
	kept = send_to(&(struct outbound_request){.method = "GET",
						  .url = url_of("127.0.0.1",
								"/later")},
		       &given_up);
	wait_for_later(2);
	outbound_free(KEEP(o));
	outbound_cancel(kept);
	open_calls--;
	wait_all();

	ends(&t, OUTBOUND_CLOSED);
	assert_int_equal(given_up.times, 0);
}

static void on_thread(const struct outbound_answer *a, void *ctx)
{
	struct told *t = ctx;

	(void)pthread_mutex_lock(&later.lock);
	t->times++;
	t->fault = a->fault;
	t->status = a->status;
	(void)pthread_cond_signal(&later.came);
	(void)pthread_mutex_unlock(&later.lock);
}

TEST(without_a_loop_it_is_told_on_a_thread)
{
	struct told t = {0}, bad = {0}, last = {0};
	struct outbound_request r = {.method = "GET",
				     .url = url_of("127.0.0.1", "/echo")};

	outbound_send(o, &r, NULL, on_thread, &t, NULL);
	r.method = "BAD";
	outbound_send(o, &r, NULL, on_thread, &bad, NULL);
	(void)pthread_mutex_lock(&later.lock);
	while (!t.times || !bad.times)
		(void)pthread_cond_wait(&later.came, &later.lock);
	(void)pthread_mutex_unlock(&later.lock);
	assert_int_equal(t.status, 201);
	assert_int_equal(bad.fault, OUTBOUND_BAD_URL);

	r.method = "GET";
	r.url = url_of("127.0.0.1", "/later");
	outbound_send(o, &r, NULL, on_thread, &last, NULL);
	outbound_free(KEEP(o));
	assert_int_equal(last.times, 1);
	assert_int_equal(last.fault, OUTBOUND_CLOSED);
}

int main(void)
{
#define OUTBOUND_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OUTBOUND_TEST(
			a_request_goes_out_as_it_was_given_and_its_answer_comes_back),
		OUTBOUND_TEST(each_method_has_the_body_that_it_should),
		OUTBOUND_TEST(a_redirect_is_an_answer),
		OUTBOUND_TEST(an_answer_that_is_too_large_is_none),
		OUTBOUND_TEST(what_cannot_be_sent_is_told_in_words),
		OUTBOUND_TEST(
			a_name_with_an_address_that_is_not_public_is_refused),
		OUTBOUND_TEST(a_literal_address_is_refused_without_a_look_up),
		OUTBOUND_TEST(a_name_may_be_allowed),
		OUTBOUND_TEST(a_name_is_looked_up_once_for_a_request),
		OUTBOUND_TEST(a_kept_connection_does_not_spare_the_check),
		OUTBOUND_TEST(a_name_without_an_address_is_told),
		OUTBOUND_TEST(
			the_next_address_is_tried_when_the_first_does_not_answer),
		OUTBOUND_TEST(localhost_is_resolved_by_the_system_and_refused),
		OUTBOUND_TEST(what_breaks_off_or_is_no_http_is_broken),
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
		OUTBOUND_TEST(who_gives_up_hears_nothing_more),
		OUTBOUND_TEST(what_is_under_way_at_the_end_is_closed),
		OUTBOUND_TEST(without_a_loop_it_is_told_on_a_thread),
	};

	return cmocka_run_group_tests_name("web/outbound", tests, NULL, NULL);
}
