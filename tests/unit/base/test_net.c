// SPDX-License-Identifier: Apache-2.0
/*
 * test_net.c - are addresses and networks read as people write them?
 */
#include "base/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "support/test.h"

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage a;

	assert_int_equal(net_address(text, 5060, &a), 0);
	return a;
}

static struct net network(const char *text)
{
	struct diag d = {0};
	struct net n;

	if (net_parse(text, &n, &d) != 0)
		fail_msg("%s: %s", text, d.message);
	return n;
}

static void assert_text(const char *text, const char *expected)
{
	struct sockaddr_storage a = address(text);
	char out[NET_TEXT_BYTES];

	net_text(&a, out);
	assert_string_equal(out, expected);
}

TEST(an_address_is_read_with_and_without_a_port)
{
	assert_text("192.0.2.1", "192.0.2.1:5060");
	assert_text("192.0.2.1:7", "192.0.2.1:7");
	assert_text("192.0.2.1:0", "192.0.2.1:0");
	assert_text("[2001:db8::1]:65535", "[2001:db8::1]:65535");
	assert_text("[2001:db8::1]", "[2001:db8::1]:5060");
	assert_text("2001:db8::1", "[2001:db8::1]:5060");
	assert_text("2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:5060");
}

TEST(what_is_no_address_is_refused)
{
	static const char *const wrong[] = {
		"",
		" ",
		"sip.example.com",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1:",
		"192.0.2.1:x",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"192.0.2.1:5060 ",
		"[192.0.2.1]:5060",
		"[2001:db8::1",
		"[2001:db8::1]5060",
		"[2001:db8::1]:",
		"2001:db8::1]:5060",
		"[]:5060",
		":5060",
		"fe80::1%lo",
		"1111:2222:3333:4444:5555:6666:255.255.255.2555",
	};
	struct sockaddr_storage a;

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(net_address(wrong[i], 5060, &a), -EINVAL);
	assert_int_equal(net_address("192.0.2.1", 65536, &a), -EINVAL);
}

TEST(a_mapped_address_is_the_one_it_stands_for)
{
	struct sockaddr_storage four = address("192.0.2.1:7");
	struct sockaddr_storage raw = {0};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
				   .sin6_port = htons(7)};
	struct net n = network("192.0.2.0/24");
	char text[NET_TEXT_BYTES];

	/* as a socket that listens for both gives it */
	memcpy(six.sin6_addr.s6_addr,
	       (uint8_t[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2,
			   1},
	       16);
	memcpy(&raw, &six, sizeof(six));

	net_text(&raw, text);
	assert_string_equal(text, "192.0.2.1:7");
	assert_true(net_equal(&raw, &four));
	assert_true(net_has(&n, &raw));
	assert_int_equal(net_len(&raw), sizeof(struct sockaddr_in6));
	assert_text("[::ffff:192.0.2.1]:7", "192.0.2.1:7");
}

TEST(addresses_differ_by_host_and_by_port)
{
	struct sockaddr_storage a = address("192.0.2.1:7");
	struct sockaddr_storage port = address("192.0.2.1:8");
	struct sockaddr_storage host = address("192.0.2.2:7");
	struct sockaddr_storage six = address("[2001:db8::1]:7");
	struct sockaddr_storage none = {0};

	assert_true(net_equal(&a, &a));
	assert_false(net_equal(&a, &port));
	assert_true(net_same_host(&a, &port));
	assert_false(net_same_host(&a, &host));
	assert_false(net_same_host(&a, &six));
	assert_false(net_equal(&none, &none));
	net_set_port(&port, 7);
	assert_true(net_equal(&a, &port));
	net_set_port(&six, 9);
	assert_int_equal(net_port(&six), 9);
}

TEST(no_address_has_no_text_and_no_length)
{
	struct sockaddr_storage none = {0};
	char text[NET_TEXT_BYTES];

	net_text(&none, text);
	assert_string_equal(text, "");
	net_host(&none, text);
	assert_string_equal(text, "");
	assert_int_equal(net_len(&none), 0);
	assert_int_equal(net_port(&none), 0);
	assert_false(net_is_any(&none));
}

TEST(any_address_is_known_in_each_family)
{
	struct sockaddr_storage a = address("0.0.0.0:1");
	struct sockaddr_storage b = address("[::]:1");
	struct sockaddr_storage c = address("[::1]:1");

	assert_true(net_is_any(&a));
	assert_true(net_is_any(&b));
	assert_false(net_is_any(&c));
}

static void assert_in(const char *net, const char *text, bool expected)
{
	struct sockaddr_storage a = address(text);
	struct net n = network(net);

	if (net_has(&n, &a) != expected)
		fail_msg("%s in %s", text, net);
}

TEST(a_network_has_what_begins_like_it)
{
	assert_in("192.0.2.0/24", "192.0.2.255", true);
	assert_in("192.0.2.0/24", "192.0.3.0", false);
	assert_in("192.0.2.128/25", "192.0.2.127", false);
	assert_in("192.0.2.128/25", "192.0.2.128", true);
	assert_in("192.0.2.7", "192.0.2.7", true);
	assert_in("192.0.2.7", "192.0.2.6", false);
	assert_in("0.0.0.0/0", "203.0.113.9", true);
	assert_in("0.0.0.0/0", "2001:db8::1", false);
	assert_in("::/0", "2001:db8::1", true);
	assert_in("::/0", "192.0.2.1", false);
	assert_in("2001:db8::/33", "2001:db8:7fff::1", true);
	assert_in("2001:db8::/33", "2001:db8:8000::1", false);
	assert_in("::ffff:192.0.2.0/120", "192.0.2.9", true);
	assert_in("::ffff:192.0.2.0/120", "192.0.3.9", false);
}

static void assert_refused(const char *text, const char *why)
{
	struct diag d = {0};
	struct net n;

	assert_int_equal(net_parse(text, &n, &d), -EINVAL);
	if (!strstr(d.message, why))
		fail_msg("%s: %s", text, d.message);
}

TEST(what_is_no_network_is_refused_in_words)
{
	assert_refused("", "is not a network");
	assert_refused("carrier", "is not a network");
	assert_refused("192.0.2.0/", "from 0 to 32");
	assert_refused("192.0.2.0/33", "from 0 to 32");
	assert_refused("192.0.2.0/24/8", "from 0 to 32");
	assert_refused("2001:db8::/129", "from 0 to 128");
	assert_refused("192.0.2.1/24", "the network is 192.0.2.0/24");
	assert_refused("2001:db8::1/32", "the network is 2001:db8::/32");
}

TEST(a_list_holds_as_many_networks_as_it_says)
{
	struct sockaddr_storage a = address("192.0.2.1");
	struct net n = network("198.51.100.0/24");
	struct net_list l = {0};

	for (size_t i = 0; i < NET_LIST_MAX - 1; i++)
		assert_int_equal(net_list_add(&l, &n), 0);
	assert_false(net_list_has(&l, &a));
	n = network("192.0.2.0/24");
	assert_int_equal(net_list_add(&l, &n), 0);

	assert_true(net_list_has(&l, &a));
	assert_int_equal(net_list_add(&l, &n), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_read_with_and_without_a_port),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_mapped_address_is_the_one_it_stands_for),
		cmocka_unit_test(addresses_differ_by_host_and_by_port),
		cmocka_unit_test(no_address_has_no_text_and_no_length),
		cmocka_unit_test(any_address_is_known_in_each_family),
		cmocka_unit_test(a_network_has_what_begins_like_it),
		cmocka_unit_test(what_is_no_network_is_refused_in_words),
		cmocka_unit_test(a_list_holds_as_many_networks_as_it_says),
	};

	return cmocka_run_group_tests_name("base/net", tests, NULL, NULL);
}
