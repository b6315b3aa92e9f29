// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_line.c - does the line open, sleep, wake, speak and close?
 */
#include "unit/tel/sip_bench.h"

#include <pthread.h>

static struct tel_sip *make(struct loop *l, const char *listen, bool tcp)
{
	struct tel_sip *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->p.loop = l;
	s->p.listen = listen;
	s->p.tcp = tcp;
	return s;
}

static void end(struct tel_sip *s)
{
	tsip_line_close(s);
	free(s);
}

static int bare_socket(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*a);

	memset(a, 0, sizeof(*a));
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)a, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, &n), 0);
	return fd;
}

TEST(an_address_that_cannot_be_is_refused_by_name)
{
	static const char *const wrong[] = {"nonsense", "0.0.0.0:5060",
					    "[::]:5060", ""};
	AUTO(loop) *l = loop_new(clock_real());

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct tel_sip *s = make(l, wrong[i], false);
		struct diag d = {0};

		assert_int_equal(tsip_line_open(s, &d), -EINVAL);
		assert_string_equal(d.field, "sip.listen");
		end(s);
	}
}

TEST(a_port_that_is_taken_is_an_error_that_names_the_setting)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct sockaddr_in a;
	int fd = bare_socket(&a);
	char listen[64];
	struct tel_sip *s;
	struct diag d = {0};

	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u",
		       (unsigned)ntohs(a.sin_port));
	s = make(l, listen, false);
	assert_int_equal(tsip_line_open(s, &d), -EADDRINUSE);
	assert_string_equal(d.field, "sip.listen");
	assert_non_null(strstr(d.message, listen));
	(void)close(fd);

	/* and nothing of it is left in the way */
	assert_int_equal(tsip_line_open(s, &d), 0);
	end(s);
}

TEST(an_address_of_another_machine_is_an_error_too)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct tel_sip *s = make(l, "192.0.2.1:5060", false);
	struct diag d = {0};

	assert_int_equal(tsip_line_open(s, &d), -EADDRNOTAVAIL);
	assert_string_equal(d.field, "sip.listen");
	end(s);
}

TEST(there_is_one_line_at_a_time)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct tel_sip *s = make(l, "127.0.0.1:0", true);
	struct tel_sip *other = make(l, "127.0.0.1:0", false);
	struct diag d = {0};

	assert_int_equal(tsip_line_open(s, &d), 0);
	assert_true(net_port(&s->laddr) > 0);
	assert_int_equal(tsip_line_open(other, &d), -EBUSY);
	end(other);
	end(s);
}

TEST(it_listens_on_tcp_when_asked)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct tel_sip *s = make(l, "127.0.0.1:0", true);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct diag d = {0};

	assert_int_equal(tsip_line_open(s, &d), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&s->laddr,
				 net_len(&s->laddr)),
			 0);
	(void)close(fd);
	end(s);
}

static void on_answer(int err, const struct sip_msg *msg, void *ctx)
{
	(void)msg;
	*(int *)ctx = err;
}

TEST(requests_are_sent_again_on_the_clock_of_the_loop_and_given_up)
{
	AUTO(clock) *c = clock_manual(0);
	AUTO(loop) *l = loop_new(c);
	struct tel_sip *s = make(l, "127.0.0.1:0", false);
	struct sockaddr_in a;
	int fd = bare_socket(&a), result = -1, heard = 0;
	struct sip_request *req = NULL;
	char uri[64], got[2048];
	struct diag d = {0};

	assert_int_equal(tsip_line_open(s, &d), 0);
	(void)snprintf(uri, sizeof(uri), "sip:x@127.0.0.1:%u",
		       (unsigned)ntohs(a.sin_port));
	assert_int_equal(sip_requestf(&req, s->sip, true, "OPTIONS", uri, NULL,
				      NULL, NULL, on_answer, &result,
				      "Max-Forwards: 70\r\n"
				      "To: <%s>\r\n"
				      "From: <sip:us@127.0.0.1>;tag=1\r\n"
				      "Call-ID: 1\r\n"
				      "CSeq: 1 OPTIONS\r\n"
				      "Content-Length: 0\r\n\r\n",
				      uri),
			 0);
	/* RFC 3261 17.1.2.2: timer E at 0.5, 1.5, 3.5, 7.5 ... s, F at 32 s */
	loop_advance(l, 31999);
	assert_int_equal(result, -1);
	loop_advance(l, 1);

	assert_int_equal(result, ETIMEDOUT);
	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		heard++;
	assert_int_equal(heard, 11);
	assert_memory_equal(got, "OPTIONS sip:x@", 14);
	(void)close(fd);
	end(s);
}

/* A line on a thread of its own. */
static void *run(void *ctx)
{
	(void)ctx;
	tsip_timer_run();
	return NULL;
}

struct seen {
	struct loop *loop;
	pthread_t thread;
	struct timer timer;
};

static void on_timer(void *ctx)
{
	struct seen *seen = ctx;

	loop_stop(seen->loop);
}

static void on_post(void *ctx)
{
	struct seen *seen = ctx;

	seen->thread = pthread_self();
	timer_set(loop_timers(seen->loop), &seen->timer, 5, on_timer, seen);
}

TEST(a_post_wakes_the_line_on_its_own_thread_and_a_stop_ends_it)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct tel_sip *s = make(l, "127.0.0.1:0", false);
	struct seen seen = {.loop = l};
	struct diag d = {0};
	pthread_t thread;

	assert_int_equal(tsip_line_open(s, &d), 0);
	assert_int_equal(pthread_create(&thread, NULL, run, NULL), 0);
	loop_call(l, on_post, &seen);
	assert_int_equal(pthread_join(thread, NULL), 0);

	assert_true(pthread_equal(seen.thread, thread));
	end(s);
}

TEST(the_line_hears_its_socket_while_it_sleeps)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct tel_sip *s = make(l, "127.0.0.1:0", false);
	struct sockaddr_in a;
	int fd = bare_socket(&a);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char ask[512], got[2048];
	struct diag d = {0};
	pthread_t thread;
	int n;

	struct net net;

	s->trunks_count = 1;
	assert_int_equal(net_parse("127.0.0.1", &net, NULL), 0);
	assert_int_equal(net_list_add(&s->trunks[0].heard, &net), 0);
	assert_int_equal(tsip_line_open(s, &d), 0);
	assert_int_equal(pthread_create(&thread, NULL, run, NULL), 0);
	n = snprintf(ask, sizeof(ask),
		     "NONSENSE sip:us@127.0.0.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK1;rport\r\n"
		     "From: <sip:x@127.0.0.1>;tag=1\r\n"
		     "To: <sip:us@127.0.0.1>\r\n"
		     "Call-ID: 1\r\n"
		     "CSeq: 1 NONSENSE\r\n"
		     "Max-Forwards: 70\r\n"
		     "Content-Length: 0\r\n\r\n",
		     (unsigned)ntohs(a.sin_port));
	assert_int_equal(sendto(fd, ask, (size_t)n, 0,
				(struct sockaddr *)&s->laddr,
				net_len(&s->laddr)),
			 n);
	assert_int_equal(poll(&p, 1, BENCH_PATIENCE_MS), 1);
	n = (int)recv(fd, got, sizeof(got), 0);
	loop_stop(l);
	assert_int_equal(pthread_join(thread, NULL), 0);

	assert_true(n > 12);
	assert_memory_equal(got, "SIP/2.0 ", 8);
	(void)close(fd);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_cannot_be_is_refused_by_name),
		cmocka_unit_test(
			a_port_that_is_taken_is_an_error_that_names_the_setting),
		cmocka_unit_test(an_address_of_another_machine_is_an_error_too),
		cmocka_unit_test(there_is_one_line_at_a_time),
		cmocka_unit_test(it_listens_on_tcp_when_asked),
		cmocka_unit_test(
			requests_are_sent_again_on_the_clock_of_the_loop_and_given_up),
		cmocka_unit_test(
			a_post_wakes_the_line_on_its_own_thread_and_a_stop_ends_it),
		cmocka_unit_test(the_line_hears_its_socket_while_it_sleeps),
	};

	return cmocka_run_group_tests_name("tel/sip_line", tests, NULL, NULL);
}
