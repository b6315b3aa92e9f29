// SPDX-License-Identifier: Apache-2.0
/*
 * test_ask.c - clients as counters see them; what a number's past changes.
 */
#include <errno.h>
#include <string.h>

#include "service/service_priv.h"
#include "support/test.h"

enum { NOW = 1000 };

TEST(a_v6_client_is_its_network_of_64_bits)
{
	static const struct {
		const char *address, *net;
	} cases[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:db8:1:2::9", "2001:db8:1:2::/64"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"::1", "::/64"},
	};
	char net[64];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(service_client_net(cases[i].address, net,
						    sizeof(net)),
				 0);
		assert_string_equal(net, cases[i].net);
	}
}

TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {"",
					  "nowhere",
					  "192.0.2",
					  "1.2.3.4.5",
					  "2001:db8::g",
					  "192.0.2.7/24",
					  "fe80::1%eth0"};
	char net[64];

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(service_client_net(bad[i], net, sizeof(net)),
				 -EINVAL);
}

TEST(a_number_without_a_past_changes_nothing)
{
	const struct verification_number n = {0};
	struct policy_request r = {0};

	assert_false(service_ask_past(&n, NOW, &r));
}

TEST(a_past_is_told_once)
{
	const struct verification_number n = {
		.five_digits_until_ms = NOW + 1,
		.approved_ms = 1,
		.forwarded = true,
	};
	struct policy_request r = {0};

	assert_true(service_ask_past(&n, NOW, &r));
	assert_true(r.forwarded_before && r.machine_suspected &&
		    r.approved_lately);
	assert_false(service_ask_past(&n, NOW, &r));
}

TEST(a_hold_becomes_a_counter_without_a_window)
{
	const struct policy_counter hold = {.name = "h:1",
					    .amount = 1,
					    .limit = 3,
					    .window_ms = 5,
					    .hold = true};
	struct store_counter c;

	service_counter(&hold, "call_1", 1000, &c);

	assert_int_equal(c.window_ms, 0);
	assert_int_equal(c.ttl_ms, 1000);
	assert_string_equal(c.holder, "call_1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_v6_client_is_its_network_of_64_bits),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_number_without_a_past_changes_nothing),
		cmocka_unit_test(a_past_is_told_once),
		cmocka_unit_test(a_hold_becomes_a_counter_without_a_window),
	};

	return cmocka_run_group_tests_name("service/ask", tests, NULL, NULL);
}
