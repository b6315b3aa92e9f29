// SPDX-License-Identifier: Apache-2.0
/*
 * test_outbound_names.c - does a request go to addresses that may be asked, and
 * to none else?
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/http.h"
#include "support/test.h"
#include "unit/web/outbound_bench.h"

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

	outbound_free(KEEP(bench.o));
	bench_open_outbound(NULL);
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct told t;

		bench.names.answers[0] = addresses[i];
		bench_get(bench_url_of("hooks.example", "/echo"), &t);
		bench_wait_all();
		bench_ends(&t, OUTBOUND_REFUSED);
		assert_non_null(strstr(t.why, "hooks.example: "));
		assert_non_null(strstr(t.why, "is not a public address"));
	}
}

TEST(a_literal_address_is_refused_without_a_look_up)
{
	struct told t;

	outbound_free(KEEP(bench.o));
	bench_open_outbound(NULL);
	bench_get(bench_url_of("2130706433", "/echo"), &t);
	bench_wait_all();

	bench_ends(&t, OUTBOUND_REFUSED);
	assert_string_equal(t.why, "127.0.0.1 is not a public address");
	assert_int_equal(atomic_load(&bench.names.asked), 0);
}

TEST(a_name_may_be_allowed)
{
	struct told t;

	outbound_free(KEEP(bench.o));
	bench_open_outbound("hooks.internal");
	bench_get(bench_url_of("HOOKS.internal", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_ANSWERED);
	bench_get(bench_url_of("other.internal", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_REFUSED);
	bench_get(bench_url_of("127.0.0.1", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_REFUSED);
}

/* The first look-up is of one that may be asked, the next is not: a request
 * goes to the address that was looked at, and looks no second time. */
TEST(a_name_is_looked_up_once_for_a_request)
{
	unsigned port = bench.server.port;
	int listener, fd;
	struct told t;

	outbound_free(KEEP(bench.o));
	bench_open_outbound("127.0.0.2");
	bench.names.answers[0] = "127.0.0.2";
	bench.names.answers[1] = "127.0.0.1";
	listener = bench_listen_at("127.0.0.2", &port);

	bench_get(bench_url_of("rebind.example", "/echo"), &t);
	fd = bench_take_request(listener);
	http_send(fd, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
	bench_wait_all();
	bench_ends(&t, OUTBOUND_ANSWERED);
	assert_int_equal(t.status, 204);
	assert_int_equal(atomic_load(&bench.names.asked), 1);

	bench_get(bench_url_of("rebind.example", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_REFUSED);
	assert_int_equal(atomic_load(&bench.names.asked), 2);
	(void)close(fd);
	(void)close(listener);
}

/* Even where a connection to the checked address was kept. */
TEST(a_kept_connection_does_not_spare_the_check)
{
	struct told t;

	outbound_free(KEEP(bench.o));
	bench_open_outbound("127.0.0.1");
	bench.names.answers[1] = "127.0.0.2";
	bench_get(bench_url_of("rebind.example", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_ANSWERED);

	bench_get(bench_url_of("rebind.example", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_REFUSED);
}

TEST(a_name_without_an_address_is_told)
{
	struct told t;

	bench.names.answers[0] = "";
	bench_get(bench_url_of("nowhere.example", "/"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_UNRESOLVED);
}

TEST(the_next_address_is_tried_when_the_first_does_not_answer)
{
	struct told t;

	bench.names.answers[0] = "127.0.0.3,127.0.0.4,127.0.0.1";
	bench_get(bench_url_of("hooks.example", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_ANSWERED);

	bench.names.answers[0] = "127.0.0.3,127.0.0.4";
	bench_get(bench_url_of("hooks.example", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_UNREACHABLE);
}

TEST(localhost_is_resolved_by_the_system_and_refused)
{
	struct outbound_params params = {0};
	struct told t;

	outbound_free(KEEP(bench.o));
	assert_int_equal(outbound_new(&params, &bench.o, NULL), 0);
	bench_get(bench_url_of("localhost", "/echo"), &t);
	bench_wait_all();
	bench_ends(&t, OUTBOUND_REFUSED);
}

/* --- names that take their time ------------------------------------------------------ */

static void hold_names(bool held)
{
	(void)pthread_mutex_lock(&bench.later.lock);
	bench.names.held = held;
	(void)pthread_cond_broadcast(&bench.names.go);
	(void)pthread_mutex_unlock(&bench.later.lock);
}

static struct outbound_call *ask_slow(int64_t timeout_ms, struct told *t)
{
	return bench_send_to(
		&(struct outbound_request){.method = "GET",
					   .url = bench_url_of("slow.example",
							       "/echo"),
					   .timeout_ms = timeout_ms},
		t);
}

TEST(a_slow_name_holds_up_no_other_and_is_looked_up_once)
{
	struct told slow[4], quick;

	hold_names(true);
	for (size_t i = 0; i < COUNT_OF(slow); i++)
		(void)ask_slow(0, &slow[i]);
	bench.open -= (int)COUNT_OF(slow);
	bench_get(bench_url_of("quick.example", "/echo"), &quick);
	bench_wait_all();
	bench_ends(&quick, OUTBOUND_ANSWERED);

	bench.open += (int)COUNT_OF(slow);
	hold_names(false);
	bench_wait_all();
	for (size_t i = 0; i < COUNT_OF(slow); i++)
		bench_ends(&slow[i], OUTBOUND_ANSWERED);
	assert_int_equal(atomic_load(&bench.names.asked), 2);
}

TEST(a_name_that_takes_too_long_is_told_in_time)
{
	struct told slow, again;

	hold_names(true);
	(void)ask_slow(BENCH_SOON_MS, &slow);
	bench_wait_all();
	bench_ends(&slow, OUTBOUND_TIMEOUT);
	assert_string_equal(slow.why, "the name was not resolved in time");

	(void)ask_slow(0, &again);
	hold_names(false);
	bench_wait_all();
	bench_ends(&again, OUTBOUND_ANSWERED);
}

TEST(who_gives_up_while_a_name_is_looked_up_hears_nothing)
{
	struct outbound_call *c;
	struct outbound_stats s;
	struct told slow, quick;

	hold_names(true);
	c = ask_slow(0, &slow);
	outbound_cancel(c);
	bench.open--;
	hold_names(false);
	bench_get(bench_url_of("slow.example", "/echo"), &quick);
	bench_wait_all();

	bench_ends(&quick, OUTBOUND_ANSWERED);
	assert_int_equal(slow.times, 0);
	outbound_stats(bench.o, &s);
	assert_int_equal(s.running + s.waiting, 0);
}

/* On a thread of the outbound that ends, while the look-up still waits. */
static void release(const struct outbound_answer *a, void *ctx)
{
	*(enum outbound_fault *)ctx = a->fault;
	hold_names(false);
}

TEST(it_may_end_while_names_are_looked_up)
{
	const struct outbound_request r = {
		.method = "GET", .url = bench_url_of("slow.example", "/echo")};
	struct told slow[OUTBOUND_RUNNING_PER_HOST];
	enum outbound_fault last = OUTBOUND_ANSWERED;

	hold_names(true);
	for (size_t i = 0; i < COUNT_OF(slow); i++)
		(void)bench_send_to(&r, &slow[i]);
	outbound_send(bench.o, &r, NULL, release, &last, NULL);
	outbound_free(KEEP(bench.o));
	bench_wait_all();

	for (size_t i = 0; i < COUNT_OF(slow); i++)
		bench_ends(&slow[i], OUTBOUND_CLOSED);
	assert_int_equal(last, OUTBOUND_CLOSED);
}

/* The system's resolver is left alone with it: it knows nobody's memory. */
TEST(it_ends_without_waiting_for_the_resolver)
{
	const struct outbound_params params = {0};
	struct told t;

	outbound_free(KEEP(bench.o));
	assert_int_equal(outbound_new(&params, &bench.o, NULL), 0);
	bench_get("http://localhost:9/", &t);
	outbound_free(KEEP(bench.o));
	bench_wait_all();

	assert_int_equal(t.times, 1);
	assert_true(t.fault == OUTBOUND_CLOSED || t.fault == OUTBOUND_REFUSED);
}

int main(void)
{
#define OUTBOUND_TEST(name) \
	cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
	const struct CMUnitTest tests[] = {
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
		OUTBOUND_TEST(
			a_slow_name_holds_up_no_other_and_is_looked_up_once),
		OUTBOUND_TEST(a_name_that_takes_too_long_is_told_in_time),
		OUTBOUND_TEST(
			who_gives_up_while_a_name_is_looked_up_hears_nothing),
		OUTBOUND_TEST(it_may_end_while_names_are_looked_up),
		OUTBOUND_TEST(it_ends_without_waiting_for_the_resolver),
	};

	return cmocka_run_group_tests_name("web/outbound_names", tests, NULL,
					   NULL);
}
