// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_gate.c - who is heard, what libre is shown, and how we are called.
 */
#include "unit/tel/sip_bench.h"

static struct bare trunk, stranger;

static int open_plain(void **state)
{
	(void)state;
	bench_open(NULL);
	bare_open(&trunk, "127.0.0.1", SOCK_DGRAM);
	bare_open(&stranger, "127.0.0.2", SOCK_DGRAM);
	return 0;
}

static int open_tcp(void **state)
{
	const struct tel_sip_params p = {.tcp = true};

	(void)state;
	bench_open(&p);
	bare_open(&trunk, "127.0.0.1", SOCK_STREAM);
	bare_open(&stranger, "127.0.0.2", SOCK_STREAM);
	return 0;
}

static int open_named(void **state)
{
	const struct tel_sip_params p = {.advertise = "198.51.100.7:5070"};

	(void)state;
	bench_open(&p);
	bare_open(&trunk, "127.0.0.1", SOCK_DGRAM);
	bare_open(&stranger, "127.0.0.2", SOCK_DGRAM);
	return 0;
}

static int close_all(void **state)
{
	(void)close(trunk.fd);
	(void)close(stranger.fd);
	return bench_close(state);
}

TEST(a_trunk_is_answered)
{
	bare_say(&trunk, "OPTIONS sip:us@127.0.0.1", "1 OPTIONS", "", "");
	assert_true(hears(&trunk, "SIP/2.0 200 "));
}

TEST(a_stranger_gets_nothing_whatever_it_sends)
{
	static const char *const asks[][2] = {
		{"OPTIONS sip:us@127.0.0.1", "1 OPTIONS"},
		{"INVITE sip:us@127.0.0.1", "2 INVITE"},
		{"NONSENSE sip:us@127.0.0.1", "3 NONSENSE"},
		{"BYE sip:us@127.0.0.1", "4 BYE"},
		{"SIP/2.0 200 OK", "5 INVITE"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		bare_say(&stranger, asks[i][0], asks[i][1], "", "");
		bare_say(&stranger, asks[i][0], asks[i][1], "tag", "");
	}
	bare_send(&stranger, "\0\1\0\0\x21\x12\xa4\x42twelve bytes", 20);
	assert_null(bare_hear(&stranger));
	assert_null(bare_hear(&trunk));
	assert_int_equal(tsip_gate_heard(), 0);
	/* and nobody waits for it */
	assert_int_equal(timers_count(loop_timers(bench.loop)), 0);
}

TEST(what_is_not_sip_ends_at_the_gate)
{
	static char huge[TSIP_DATAGRAM_MAX + 100];

	bare_send(&trunk, "\r\n\r\n", 4);
	bare_send(&trunk, "GET / HTTP/1.1\r\n\r\n", 18);
	bare_send(&trunk, "\0\1\0\0\x21\x12\xa4\x42twelve bytes", 20);
	(void)snprintf(huge, sizeof(huge),
		       "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\nX: %*s",
		       (int)sizeof(huge) - 40, "x");
	bare_send(&trunk, huge, sizeof(huge));
	assert_null(bare_hear(&trunk));
}

TEST(the_first_line_tells_sip_from_the_rest)
{
	assert_true(tsip_gate_is_sip(span_of("SIP/2.0 200 OK\r\n")));
	assert_true(tsip_gate_is_sip(span_of("BYE sip:a SIP/2.0\r\n")));
	assert_true(tsip_gate_is_sip(span_of("BYE sip:a SIP/2.0\n")));
	assert_false(tsip_gate_is_sip(span_of("BYE sip:a SIP/2.0")));
	assert_false(tsip_gate_is_sip(span_of("SIP/2.0\r\n")));
	assert_false(tsip_gate_is_sip(span_of("BYE sip:a SIP/3.0\r\n")));
	assert_false(tsip_gate_is_sip(span_of("\r\n\r\n")));
	assert_false(tsip_gate_is_sip(span_of("")));
}

TEST(an_answer_is_never_led_elsewhere_by_maddr)
{
	char ask[1024];
	int n = snprintf(ask, sizeof(ask),
			 "OPTIONS sip:us@127.0.0.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK1;"
			 "maddr=127.0.0.2\r\n"
			 "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"
			 "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
			 "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
			 stranger.port);

	bare_send(&trunk, ask, (size_t)n);
	assert_null(bare_hear(&stranger));
	assert_null(bare_hear(&trunk));
}

static void connect_to_line(const struct bare *b)
{
	assert_int_equal(connect(b->fd, (struct sockaddr *)&bench.s.laddr,
				 net_len(&bench.s.laddr)),
			 0);
	bench_settle();
}

TEST(a_connection_of_a_stranger_is_closed_unheard)
{
	struct pollfd p = {.fd = stranger.fd, .events = POLLIN};
	char byte;

	connect_to_line(&stranger);
	(void)send(stranger.fd, "OPTIONS sip:us SIP/2.0\r\n", 24, MSG_NOSIGNAL);
	assert_int_equal(poll(&p, 1, BENCH_PATIENCE_MS), 1);
	assert_true(recv(stranger.fd, &byte, 1, 0) <= 0);
	assert_int_equal(tsip_gate_heard(), 0);
}

TEST(a_connection_of_a_trunk_is_answered)
{
	static const char ask[] =
		"OPTIONS sip:us@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1;rport\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"
		"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
	struct pollfd p = {.fd = trunk.fd, .events = POLLIN};

	connect_to_line(&trunk);
	assert_int_equal(send(trunk.fd, ask, sizeof(ask) - 1, 0),
			 sizeof(ask) - 1);
	bench_settle();
	assert_int_equal(poll(&p, 1, BENCH_PATIENCE_MS), 1);
	assert_true(hears(&trunk, "SIP/2.0 200 "));
}

TEST(a_redirect_is_not_followed_and_its_true_status_is_told)
{
	char contact[64];

	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE sip:them@"));
	(void)snprintf(contact, sizeof(contact),
		       "Contact: <sip:x@127.0.0.2:%u>\r\n", stranger.port);
	bench_answer(&trunk, trunk.text, "302 Moved Temporarily", "them",
		     contact);

	assert_int_equal(bench_closed, 302);
	assert_true(hears(&trunk, "ACK "));
	assert_null(bare_hear(&stranger));
}

TEST(a_redirect_is_followed_where_the_trunk_allows_it)
{
	char contact[64];

	bench.s.trunks[0].conf.redirects = TEL_SIP_FOLLOW_REDIRECTS;
	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE sip:them@"));
	(void)snprintf(contact, sizeof(contact),
		       "Contact: <sip:x@127.0.0.2:%u>\r\n", stranger.port);
	bench_answer(&trunk, trunk.text, "302 Moved Temporarily", "them",
		     contact);

	assert_int_equal(bench_closed, 0);
	assert_true(hears(&trunk, "ACK "));
	assert_true(hears(&stranger, "INVITE sip:x@127.0.0.2"));
	bench_sess = mem_deref(bench_sess);
}

TEST(other_refusals_keep_their_status)
{
	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE "));
	bench_answer(&trunk, trunk.text, "486 Busy Here", "them", "");
	assert_int_equal(bench_closed, 486);
}

TEST(a_status_that_no_one_has_is_dropped)
{
	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE "));
	bench_answer(&trunk, trunk.text, "702 Disguised", "them", "");
	bench_answer(&trunk, trunk.text, "002 Early", "them", "");
	assert_int_equal(bench_closed, 0);
	bench_sess = mem_deref(bench_sess);
}

TEST(an_answer_to_what_another_sent_is_dropped)
{
	char text[4096], *via;

	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE "));
	(void)bench_answer_text(trunk.text, "486 Busy Here", "them", "", text,
				sizeof(text));
	via = strstr(text, "UDP 127.0.0.1");
	assert_non_null(via);
	via[12] = '3';
	bare_send(&trunk, text, strlen(text));
	assert_int_equal(bench_closed, 0);
	via[12] = '1';
	bare_send(&trunk, text, strlen(text));
	assert_int_equal(bench_closed, 486);
}

TEST(a_redirect_over_tcp_is_not_followed_either)
{
	struct pollfd p = {.fd = trunk.fd, .events = POLLIN};
	char text[4096];
	int n;

	assert_int_equal(listen(trunk.fd, 1), 0);
	bench_invite(&trunk, ";transport=tcp");
	assert_int_equal(poll(&p, 1, BENCH_PATIENCE_MS), 1);
	n = accept(trunk.fd, NULL, NULL);
	assert_true(n >= 0);
	(void)close(trunk.fd);
	p.fd = trunk.fd = n;
	while (poll(&p, 1, 0) == 0)
		bench_settle();
	assert_true(hears(&trunk, "INVITE "));
	n = bench_answer_text(trunk.text, "301 Moved", "them",
			      "Contact: <sip:x@127.0.0.2>\r\n", text,
			      sizeof(text));
	assert_int_equal(send(trunk.fd, text, (size_t)n, 0), n);
	while (!bench_closed)
		bench_settle();

	assert_int_equal(bench_closed, 301);
}

TEST(what_leaves_carries_the_advertised_name)
{
	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE "));
	assert_non_null(strstr(trunk.text,
			       "Via: SIP/2.0/UDP 198.51.100.7:5070;branch="));
	assert_non_null(strstr(trunk.text, ";rport\r\n"));
	assert_non_null(strstr(trunk.text, "<sip:us@198.51.100.7:5070"));
	assert_null(strstr(trunk.text, "127.0.0.1:5060"));
	bench_answer(&trunk, trunk.text, "200 OK", "them",
		     "Contact: <sip:them@127.0.0.1>\r\n");
	assert_int_equal(bench_answered, 1);
	bench_sess = mem_deref(bench_sess);
}

TEST(a_name_that_is_none_is_an_error_of_the_setting)
{
	static const char *const wrong[] = {"no such host", "[::1]:5060",
					    "999.1.1.1:x"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct diag d = {.message = ""};

		bench.s.p.advertise = wrong[i];
		assert_int_equal(tsip_gate_name(&bench.s, &d), -EINVAL);
		assert_string_equal(d.field, "sip.advertise");
	}
	bench.s.p.advertise = "localhost";
	assert_int_equal(tsip_gate_name(&bench.s, NULL), 0);
}

TEST(trunks_at_one_address_are_told_apart_by_their_ports)
{
	struct tsip_where where = {.count = 1};
	struct sockaddr_storage from;

	bench.s.trunks_count = 2;
	bench.s.trunks[1] = bench.s.trunks[0];
	bench.s.trunks[1].where = &where;
	assert_int_equal(net_address("127.0.0.1:5080", 0, &where.at[0]), 0);
	assert_int_equal(net_address("127.0.0.1:5080", 0, &from), 0);
	assert_ptr_equal(tsip_gate_trunk(&bench.s, &from), &bench.s.trunks[1]);
	net_set_port(&from, 1);
	assert_ptr_equal(tsip_gate_trunk(&bench.s, &from), &bench.s.trunks[0]);
	assert_int_equal(net_address("127.0.0.9:5080", 0, &from), 0);
	assert_null(tsip_gate_trunk(&bench.s, &from));
	bench.s.trunks[1].where = NULL;
}

#define ON(test, how) cmocka_unit_test_setup_teardown(test, how, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(a_trunk_is_answered, open_plain),
		ON(a_stranger_gets_nothing_whatever_it_sends, open_plain),
		ON(what_is_not_sip_ends_at_the_gate, open_plain),
		cmocka_unit_test(the_first_line_tells_sip_from_the_rest),
		ON(an_answer_is_never_led_elsewhere_by_maddr, open_plain),
		ON(a_connection_of_a_stranger_is_closed_unheard, open_tcp),
		ON(a_connection_of_a_trunk_is_answered, open_tcp),
		ON(a_redirect_is_not_followed_and_its_true_status_is_told,
		   open_plain),
		ON(a_redirect_is_followed_where_the_trunk_allows_it,
		   open_plain),
		ON(other_refusals_keep_their_status, open_plain),
		ON(a_status_that_no_one_has_is_dropped, open_plain),
		ON(an_answer_to_what_another_sent_is_dropped, open_plain),
		ON(a_redirect_over_tcp_is_not_followed_either, open_tcp),
		ON(what_leaves_carries_the_advertised_name, open_named),
		ON(a_name_that_is_none_is_an_error_of_the_setting, open_plain),
		ON(trunks_at_one_address_are_told_apart_by_their_ports,
		   open_plain),
	};

	return cmocka_run_group_tests_name("tel/sip_gate", tests, NULL, NULL);
}
