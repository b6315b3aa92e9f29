// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip.c - the whole SIP telephone: made, pinged, refused, ended.
 */
#include "tel/sip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

static struct clock *test_clock;
static struct loop *loop;

static int open_loop(void **state)
{
	(void)state;
	test_clock = clock_manual(0);
	loop = loop_new(test_clock);
	return 0;
}

static int close_loop(void **state)
{
	(void)state;
	loop_free(loop);
	clock_free(test_clock);
	return 0;
}

static const char *const caller_ids[] = {"+14155550100"};

static struct tel_sip_trunk trunk_at(unsigned port)
{
	return (struct tel_sip_trunk){
		.name = "test",
		.host = "127.0.0.1",
		.port = port,
		.outbound_proxy = "",
		.user = "",
		.password = "",
		.from = caller_ids,
		.from_count = 1,
		.from_user = "",
		.from_domain = "",
		.prefix = "",
		.country_code = "",
		.national_prefix = "",
	};
}

static struct tel_sip_params params(const struct tel_sip_trunk *t, size_t n)
{
	return (struct tel_sip_params){
		.loop = loop,
		.rng = rng_system(),
		.listen = "127.0.0.1:0",
		.media = "127.0.0.1",
		.trunks = t,
		.trunks_count = n,
	};
}

static int trunk_socket(struct sockaddr_in *a)
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

TEST(a_telephone_has_one_tel_for_each_trunk)
{
	const struct tel_sip_trunk trunks[] = {trunk_at(5060), trunk_at(5080)};
	const struct tel_sip_params p = params(trunks, 2);
	AUTO(tel_sip) *s = NULL;
	struct diag d = {.message = ""};

	assert_int_equal(tel_sip_new(&p, &s, &d), 0);
	assert_non_null(tel_sip_tel(s, 0));
	assert_non_null(tel_sip_tel(s, 1));
	assert_ptr_not_equal(tel_sip_tel(s, 0), tel_sip_tel(s, 1));
	assert_null(tel_sip_tel(s, 2));
	assert_int_equal(tel_state(tel_sip_tel(s, 0)), TEL_UP);
}

TEST(one_that_cannot_be_leaves_nothing_behind)
{
	struct tel_sip_trunk t = trunk_at(5060);
	struct tel_sip_params p = params(&t, 1);
	struct tel_sip *s = NULL;
	struct diag d = {.message = ""};

	p.listen = "nonsense";
	assert_int_equal(tel_sip_new(&p, &s, &d), -EINVAL);
	assert_string_equal(d.field, "sip.listen");
	p.listen = "127.0.0.1:0";
	p.advertise = "no such host";
	assert_int_equal(tel_sip_new(&p, &s, &d), -EINVAL);
	assert_string_equal(d.field, "sip.advertise");
	p.advertise = "";
	t.host = "no such host";
	assert_true(tel_sip_new(&p, &s, &d) < 0);
	t.host = "127.0.0.1";
	p.trunks_count = TEL_SIP_TRUNKS_MAX + 1;
	assert_int_equal(tel_sip_new(&p, &s, &d), -E2BIG);
	p.trunks_count = 1;
	assert_null(s);

	assert_int_equal(tel_sip_new(&p, &s, &d), 0);
	tel_sip_free(s);
	tel_sip_free(NULL);
	assert_int_equal(timers_count(loop_timers(loop)), 0);
}

struct pinged {
	unsigned times;
	int err, code;
};

static void on_pinged(int err, int sip_code, const char *reason,
		      int64_t took_us, void *ctx)
{
	struct pinged *p = ctx;

	(void)reason;
	(void)took_us;
	p->times++;
	p->err = err;
	p->code = sip_code;
}

TEST(a_ping_goes_out_and_its_answer_comes_back)
{
	struct sockaddr_in from;
	int fd = trunk_socket(&from);
	const struct tel_sip_trunk t = trunk_at(ntohs(from.sin_port));
	const struct tel_sip_params p = params(&t, 1);
	socklen_t len = sizeof(from);
	struct pinged seen = {0};
	AUTO(tel_sip) *s = NULL;
	char ask[4096], answer[4096];
	struct diag d = {.message = ""};
	ssize_t n;

	assert_int_equal(tel_sip_new(&p, &s, &d), 0);
	tel_sip_ping(s, 0, on_pinged, &seen);
	while (tel_sip_turn(s))
		;
	n = recvfrom(fd, ask, sizeof(ask) - 1, MSG_DONTWAIT,
		     (struct sockaddr *)&from, &len);
	assert_true(n > 0);
	ask[n] = '\0';
	assert_memory_equal(ask, "OPTIONS sip:", 12);

	/* what it asked, as an answer */
	n = snprintf(answer, sizeof(answer), "SIP/2.0 200 OK%s",
		     strstr(ask, "\r\n"));
	assert_int_equal(sendto(fd, answer, (size_t)n, 0,
				(struct sockaddr *)&from, len),
			 n);
	while (tel_sip_turn(s))
		;
	assert_int_equal(seen.times, 1);
	assert_int_equal(seen.err, 0);
	assert_int_equal(seen.code, 200);
	(void)close(fd);
}

TEST(a_ping_that_nobody_answers_says_so_once)
{
	struct sockaddr_in a;
	int fd = trunk_socket(&a);
	const struct tel_sip_trunk t = trunk_at(ntohs(a.sin_port));
	const struct tel_sip_params p = params(&t, 1);
	struct pinged seen = {0};
	AUTO(tel_sip) *s = NULL;
	struct diag d = {.message = ""};

	assert_int_equal(tel_sip_new(&p, &s, &d), 0);
	tel_sip_ping(s, 0, on_pinged, &seen);
	loop_advance(loop, 40000);
	assert_int_equal(seen.times, 1);
	assert_int_equal(seen.code, 0);
	assert_int_not_equal(seen.err, 0);
	(void)close(fd);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(a_telephone_has_one_tel_for_each_trunk),
		ON(one_that_cannot_be_leaves_nothing_behind),
		ON(a_ping_goes_out_and_its_answer_comes_back),
		ON(a_ping_that_nobody_answers_says_so_once),
	};

	return cmocka_run_group_tests_name("tel/sip", tests, NULL, NULL);
}
