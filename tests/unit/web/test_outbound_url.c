// SPDX-License-Identifier: Apache-2.0
/*
 * test_outbound_url.c - which URLs may be asked, in all their spellings?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "web/outbound_priv.h"

static void fine(const char *url)
{
	struct diag d = {0};

	if (outbound_check(NULL, url, &d) != 0)
		fail_msg("%s: %s", url, d.message);
}

static void refused(const char *url, const char *why)
{
	struct diag d = {0};

	assert_int_equal(outbound_check(NULL, url, &d), -EINVAL);
	if (!strstr(d.message, why))
		fail_msg("%s: %s", url, d.message);
}

TEST(names_and_public_addresses_are_fine)
{
	fine("https://hooks.example/voice?a=b#part");
	fine("HTTP://Hooks.Example:8080");
	fine("https://hooks.example./");
	fine("https://xn--bcher-kva.example/");
	fine("https://93.184.216.34/");
	fine("https://[2606:2800:220:1::1]:8443/");
	fine("https://_x.under_score.example/");
}

static const char *const hosts[] = {
	"127.0.0.1",
	"127.1",
	"127.0.1",
	"2130706433",
	"0x7f000001",
	"0x7F.0.0.1",
	"017700000001",
	"0177.0.0.01",
	"127.000.000.001",
	"%31%32%37.0.0.1",
	"0",
	"0.0.0.0",
	"10.0.0.1",
	"0xa000001",
	"167772161",
	"012.0.0.1",
	"100.64.0.1",
	"169.254.169.254",
	"2852039166",
	"172.16.0.1",
	"172.31.255.255",
	"192.0.0.8",
	"192.0.2.1",
	"192.168.1.1",
	"192.88.99.1",
	"198.18.0.1",
	"198.51.100.7",
	"203.0.113.9",
	"224.0.0.1",
	"239.255.255.250",
	"240.0.0.1",
	"255.255.255.255",
	"[::1]",
	"[::]",
	"[0:0:0:0:0:0:0:1]",
	"[::ffff:127.0.0.1]",
	"[::ffff:7f00:1]",
	"[::FFFF:10.0.0.1]",
	"[::127.0.0.1]",
	"[::ffff:0:127.0.0.1]",
	"[64:ff9b::127.0.0.1]",
	"[64:ff9b::a9fe:a9fe]",
	"[64:ff9b:1::1]",
	"[2002:7f00:1::]",
	"[2002:a9fe:a9fe::1]",
	"[2001::1]",
	"[2001:db8::1]",
	"[3fff::1]",
	"[fe80::1]",
	"[fec0::1]",
	"[fc00::1]",
	"[fd12:3456::1]",
	"[ff02::1]",
	"[100::1]",
	"[5f00::1]",
};

TEST(an_address_that_is_not_public_is_refused_in_every_spelling)
{
	char url[128];

	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		(void)snprintf(url, sizeof(url), "http://%s:8080/x", hosts[i]);
		refused(url, "is not a public address");
	}
}

TEST(a_public_ipv4_address_inside_an_ipv6_one_is_public)
{
	fine("https://[::ffff:93.184.216.34]/");
	fine("https://[64:ff9b::93.184.216.34]/");
	fine("https://[2002:5db8:d822::1]/");
}

TEST(what_is_no_url_of_the_web_is_refused_in_words)
{
	char longer[OUTBOUND_URL_MAX + 32] = "https://hooks.example/";

	memset(longer + strlen(longer), 'a', OUTBOUND_URL_MAX);
	refused(longer, "is longer than 2048 bytes");
	refused("", "does not begin with https://");
	refused("hooks.example/", "does not begin with https://");
	refused("//hooks.example/", "does not begin with https://");
	refused("ftp://hooks.example/", "does not begin with https://");
	refused("file:///etc/passwd", "does not begin with https://");
	refused("gopher://hooks.example/", "does not begin with https://");
	refused(" https://hooks.example/", "does not begin with https://");
	refused("https://", "is not a URL");
	refused("https:///etc/passwd", "does not begin with https://");
	refused("https:/hooks.example/", "does not begin with https://");
	refused("https://hooks.example:0/", "has no port");
	refused("https://hooks.example:65536/", "is not a URL");
	refused("https://hooks.example/a b", "is not a URL");
	refused("https://hooks.example/\r\nHost: x", "is not a URL");
}

TEST(nobody_hides_a_host_behind_a_user)
{
	refused("https://user@hooks.example/", "names a user");
	refused("https://:word@hooks.example/", "names a user");
	refused("https://hooks.example@127.0.0.1/", "names a user");
	refused("https://hooks.example\\@127.0.0.1/", "");
	refused("https://127.0.0.1#@hooks.example/", "not a public address");
	refused("https://127.0.0.1?@hooks.example/", "not a public address");
	refused("https://127.0.0.1\\.hooks.example/", "");
}

TEST(a_host_that_could_be_read_in_two_ways_is_refused)
{
	refused("https://hooks..example/", "has a host that is no name");
	refused("https://.example/", "has a host that is no name");
	refused("https://b\xc3\xbc"
		"cher.example/",
		"has a host that is no");
	refused("https://127.0.0.1.5/", "has a host that is no name");
	refused("https://1.2.3.999/", "has a host that is no name");
	refused("https://0x7f.0.0.0x100/", "has a host that is no name");
	refused("https://hooks.example%00.evil/", "");
	refused("https://hooks%2eexample%2f.evil/", "");
	refused("http://[fe80::1%25eth0]/", "");
}

static void has_rules(const char *const *allow, size_t n,
		      struct outbound_rules *out)
{
	struct diag d = {0};

	*out = (struct outbound_rules){0};
	if (outbound_rules_read(out, allow, n, &d))
		fail_msg("%s", d.message);
}

static bool may(const struct outbound_rules *rules, const char *host,
		const char *address)
{
	struct sockaddr_storage a;

	assert_int_equal(net_address(address, 80, &a), 0);
	return outbound_may(rules, host, &a, NULL) == 0;
}

TEST(what_is_not_public_may_be_allowed_by_name_address_or_network)
{
	const char *const allow[] = {"Hooks.Internal.", "10.1.0.0/16",
				     "127.0.0.1", "fd00::/8"};
	struct outbound_rules rules;

	has_rules(allow, COUNT_OF(allow), &rules);

	assert_true(may(&rules, "hooks.internal", "192.168.1.1"));
	assert_true(may(&rules, "other.internal", "10.1.2.3"));
	assert_true(may(&rules, "other.internal", "::ffff:10.1.2.3"));
	assert_true(may(&rules, "other.internal", "64:ff9b::10.1.2.3"));
	assert_true(may(&rules, "127.0.0.1", "127.0.0.1"));
	assert_true(may(&rules, "other.internal", "fd00::1"));
	assert_false(may(&rules, "other.internal", "192.168.1.1"));
	assert_false(may(&rules, "x.hooks.internal", "192.168.1.1"));
	assert_false(may(&rules, "other.internal", "10.2.0.1"));
	assert_false(may(&rules, "other.internal", "127.0.0.2"));
	outbound_rules_free(&rules);
}

TEST(what_is_no_rule_is_told)
{
	static const struct {
		const char *rule, *why;
	} bad[] = {
		{"10.0.0.1/8", "the network is 10.0.0.0/8"},
		{"http://x", "is not a network"},
		{"", "neither a host's name"},
		{"hooks:80", "neither a host's name"},
		{"a..b", "neither a host's name"},
		{"1.2.3.999", "neither a host's name"},
		{"*.example.org", "neither a host's name"},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct diag d = {0};

		assert_int_equal(outbound_rule(bad[i].rule, &d), -EINVAL);
		if (!strstr(d.message, bad[i].why))
			fail_msg("%s: %s", bad[i].rule, d.message);
	}
	assert_int_equal(outbound_rule("hooks.internal", NULL), 0);
	assert_int_equal(outbound_rule("fd00::/8", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_public_addresses_are_fine),
		cmocka_unit_test(
			an_address_that_is_not_public_is_refused_in_every_spelling),
		cmocka_unit_test(
			a_public_ipv4_address_inside_an_ipv6_one_is_public),
		cmocka_unit_test(what_is_no_url_of_the_web_is_refused_in_words),
		cmocka_unit_test(nobody_hides_a_host_behind_a_user),
		cmocka_unit_test(
			a_host_that_could_be_read_in_two_ways_is_refused),
		cmocka_unit_test(
			what_is_not_public_may_be_allowed_by_name_address_or_network),
		cmocka_unit_test(what_is_no_rule_is_told),
	};

	return cmocka_run_group_tests_name("web/outbound_url", tests, NULL,
					   NULL);
}
