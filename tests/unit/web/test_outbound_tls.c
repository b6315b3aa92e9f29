// SPDX-License-Identifier: Apache-2.0
/*
 * test_outbound_tls.c - is it spoken to nobody but whom the URL names?
 */
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "unit/web/certificate.h"
#include "unit/web/fixture.h"
#include "web/outbound.h"

static void on_hello(struct web_request *r, void *ctx)
{
	(void)ctx;
	fixture_say(r, 200, "hello");
}

static const struct web_route routes[] = {
	{"GET", "/hello", on_hello, .slash = false}, {0}};

static struct web *start_web(const struct certificate *c)
{
	struct web_params params = {.listen = "127.0.0.1:0",
				    .threads = 1,
				    .routes = routes,
				    .trouble = fixture_trouble,
				    .tls_cert = c ? c->cert : NULL,
				    .tls_key = c ? c->key : NULL};
	struct web *w = NULL;
	struct diag d = {0};

	if (web_start(&params, &w, &d))
		fail_msg("%s", d.message);
	return w;
}

static int to_loopback(const char *host, struct sockaddr_storage *out, int max,
		       void *ctx)
{
	(void)host;
	(void)max;
	(void)ctx;
	return net_address("127.0.0.1", 0, out) == 0;
}

struct told {
	struct loop *loop;
	enum outbound_fault fault;
	unsigned status;
	char why[256];
};

static void on_done(const struct outbound_answer *a, void *ctx)
{
	struct told *t = ctx;

	t->fault = a->fault;
	t->status = a->status;
	(void)snprintf(t->why, sizeof(t->why), "%s", a->why);
	loop_stop(t->loop);
}

/* How https://HOST/hello ends, where `ca` is believed. */
static void ask(const struct web *w, const char *host, const char *ca,
		struct told *t)
{
	static const char *const allow[] = {"127.0.0.1"};
	const struct outbound_params params = {.allow = allow,
					       .allow_count = 1,
					       .ca_file = ca,
					       .lookup = to_loopback};
	struct outbound *o = NULL;
	char url[128];

	assert_int_equal(outbound_new(&params, &o, NULL), 0);
	(void)snprintf(url, sizeof(url), "https://%s:%u/hello", host,
		       web_port(w));
	*t = (struct told){.loop = loop_new(clock_real())};
	outbound_send(o,
		      &(struct outbound_request){.method = "GET", .url = url},
		      t->loop, on_done, t, NULL);
	loop_run(t->loop);
	outbound_free(o);
	loop_free(t->loop);
}

TEST(a_host_that_can_prove_its_name_is_spoken_to)
{
	struct certificate c;
	struct web *w;
	struct told t;

	certificate_make(&c, "hooks.example", 1);
	w = start_web(&c);
	ask(w, "hooks.example", c.cert, &t);

	if (t.fault != OUTBOUND_ANSWERED)
		fail_msg("%s", t.why);
	assert_int_equal(t.status, 200);
	web_stop(w);
	certificate_remove(&c);
}

TEST(a_host_that_cannot_is_not)
{
	struct certificate c, other;
	struct web *w;
	struct told t;

	certificate_make(&c, "hooks.example", 1);
	certificate_make(&other, "hooks.example", 1);
	w = start_web(&c);

	ask(w, "other.example", c.cert, &t);
	assert_int_equal(t.fault, OUTBOUND_BAD_TLS);
	ask(w, "127.0.0.1", c.cert, &t);
	assert_int_equal(t.fault, OUTBOUND_BAD_TLS);
	ask(w, "hooks.example", other.cert, &t);
	assert_int_equal(t.fault, OUTBOUND_BAD_TLS);
	ask(w, "hooks.example", NULL, &t); /* the system's */
	assert_int_equal(t.fault, OUTBOUND_BAD_TLS);
	assert_true(*t.why != '\0');
	web_stop(w);
	certificate_remove(&c);
	certificate_remove(&other);
}

TEST(a_certificate_of_yesterday_proves_nothing)
{
	struct certificate c;
	struct web *w;
	struct told t;

	certificate_make(&c, "hooks.example", -1);
	w = start_web(&c);
	ask(w, "hooks.example", c.cert, &t);

	assert_int_equal(t.fault, OUTBOUND_BAD_TLS);
	web_stop(w);
	certificate_remove(&c);
}

TEST(who_speaks_in_clear_is_not_spoken_to)
{
	struct web *w = start_web(NULL);
	struct told t;

	ask(w, "hooks.example", NULL, &t);

	assert_int_equal(t.fault, OUTBOUND_BAD_TLS);
	web_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_that_can_prove_its_name_is_spoken_to),
		cmocka_unit_test(a_host_that_cannot_is_not),
		cmocka_unit_test(a_certificate_of_yesterday_proves_nothing),
		cmocka_unit_test(who_speaks_in_clear_is_not_spoken_to),
	};

	return cmocka_run_group_tests_name("web/outbound_tls", tests, NULL,
					   NULL);
}
