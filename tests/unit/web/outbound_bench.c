// SPDX-License-Identifier: Apache-2.0
/*
 * outbound_bench.c - a real server on loopback, names that a test makes up, and
 * somebody who asks.
 */
#include "unit/web/outbound_bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"

struct outbound_bench bench = {
	.later = {.lock = PTHREAD_MUTEX_INITIALIZER,
		  .came = PTHREAD_COND_INITIALIZER},
	.names = {.go = PTHREAD_COND_INITIALIZER},
};

/* --- the server --------------------------------------------------------------------- */

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
	atomic_fetch_add(&bench.redirected, 1);
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
	(void)pthread_mutex_lock(&bench.later.lock);
	assert_true(bench.later.count < BENCH_LATER_MAX);
	bench.later.requests[bench.later.count++] = r;
	(void)pthread_cond_signal(&bench.later.came);
	(void)pthread_mutex_unlock(&bench.later.lock);
}

void bench_wait_for_later(int count)
{
	(void)pthread_mutex_lock(&bench.later.lock);
	while (bench.later.count < count)
		(void)pthread_cond_wait(&bench.later.came, &bench.later.lock);
	(void)pthread_mutex_unlock(&bench.later.lock);
}

void bench_answer_later(void)
{
	(void)pthread_mutex_lock(&bench.later.lock);
	while (bench.later.count > 0)
		fixture_say(bench.later.requests[--bench.later.count], 200,
			    "at last");
	(void)pthread_mutex_unlock(&bench.later.lock);
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

static int look_up(const char *host, struct sockaddr_storage *out, int max,
		   void *ctx)
{
	int i = atomic_fetch_add(&bench.names.asked, 1), n = 0;
	struct span rest, one;

	(void)ctx;
	(void)pthread_mutex_lock(&bench.later.lock);
	while (bench.names.held && strcmp(host, "slow.example") == 0)
		(void)pthread_cond_wait(&bench.names.go, &bench.later.lock);
	(void)pthread_mutex_unlock(&bench.later.lock);
	while (i > 0 && (i >= (int)COUNT_OF(bench.names.answers) ||
			 !bench.names.answers[i]))
		i--;
	rest = span_of(bench.names.answers[i]);
	while (n < max && rest.n > 0 && span_cut(&rest, ',', &one)) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%.*s", (int)one.n, one.p);
		assert_int_equal(net_address(text, 0, &out[n++]), 0);
	}
	return n;
}

/* --- asking ---------------------------------------------------------------------------- */

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
	if (--bench.open == 0)
		loop_stop(bench.loop);
}

const char *bench_url_of(const char *host, const char *path)
{
	static char text[BENCH_URL_BYTES];

	(void)snprintf(text, sizeof(text), "http://%s:%u%s", host,
		       bench.server.port, path);
	return text;
}

struct outbound_call *bench_send_to(const struct outbound_request *r,
				    struct told *t)
{
	struct outbound_call *c = NULL;

	*t = (struct told){0};
	bench.open++;
	outbound_send(bench.o, r, bench.loop, on_done, t, &c);
	assert_int_equal(t->times, 0);
	return c;
}

void bench_get(const char *url, struct told *t)
{
	(void)bench_send_to(
		&(struct outbound_request){.method = "GET", .url = url}, t);
}

/* Until every call is done. */
void bench_wait_all(void)
{
	if (bench.open > 0)
		loop_run(bench.loop);
}

void bench_ends(const struct told *t, enum outbound_fault fault)
{
	assert_int_equal(t->times, 1);
	if (t->fault != fault)
		fail_msg("%s (%s), not %s", outbound_fault_text(t->fault),
			 t->why, outbound_fault_text(fault));
	assert_int_equal(t->status != 0, fault == OUTBOUND_ANSWERED);
	assert_int_equal(*t->why == '\0', fault == OUTBOUND_ANSWERED ||
						  fault == OUTBOUND_CLOSED);
}

void bench_open_outbound(const char *allow)
{
	struct outbound_params params = {.allow = &allow,
					 .allow_count = allow != NULL,
					 .lookup = look_up};
	struct diag d = {0};

	bench.names.answers[0] = "127.0.0.1";
	bench.names.answers[1] = bench.names.answers[2] = NULL;
	atomic_store(&bench.names.asked, 0);
	if (outbound_new(&params, &bench.o, &d))
		fail_msg("%s", d.message);
}

int bench_set_up(void **state)
{
	(void)state;
	bench.loop = loop_new(clock_real());
	bench.open = 0;
	fixture_start(&bench.server, routes, NULL);
	bench_open_outbound("127.0.0.0/8");
	return 0;
}

int bench_tear_down(void **state)
{
	(void)state;
	outbound_free(KEEP(bench.o));
	bench_answer_later();
	fixture_stop(&bench.server);
	loop_free(KEEP(bench.loop));
	return 0;
}

/* A listener of one connection, for what no server of ours would do. */
int bench_listen_at(const char *address, unsigned *port)
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

int bench_take_request(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	AUTO_BUF(head, 8192);

	assert_true(fd >= 0);
	http_read_until(fd, "\r\n\r\n", &head);
	return fd;
}
