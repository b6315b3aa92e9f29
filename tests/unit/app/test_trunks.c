// SPDX-License-Identifier: Apache-2.0
/*
 * test_trunks.c - trunks and routes as people write them, and what is said to
 * those who write them wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "base/buf.h"
#include "support/test.h"

static struct settings *parsed(const char *yaml)
{
	struct settings *s = NULL;
	struct diag d = {0};
	int err = settings_parse(span_of(yaml), &s, &d);

	if (err)
		fail_msg("%d:%d: %s: %s", d.line, d.column, d.field, d.message);
	return s;
}

static void refused(const char *yaml, const char *expected)
{
	struct settings *s = NULL;
	struct diag d = {0};
	char text[1024];

	assert_int_equal(settings_parse(span_of(yaml), &s, &d), -EINVAL);
	assert_null(s);

	diag_text(&d, "f", text, sizeof(text));
	assert_string_equal(text, expected);
}

#define ONE "trunks:\n  - name: main\n    uri: sip:192.0.2.10\n"

/* ONE with one more line, line 4, whose value begins in column `at`. */
static void refused_in_one(const char *line, int at, const char *expected)
{
	char yaml[512], text[512];

	(void)snprintf(yaml, sizeof(yaml), ONE "    %s\n", line);
	(void)snprintf(text, sizeof(text), "f:4:%d: trunks.%s", at, expected);
	refused(yaml, text);
}

TEST(a_trunk_is_read_with_all_that_it_has)
{
	AUTO(settings) *s =
		parsed("trunks:\n"
		       "  - name: main\n"
		       "    uri: sip:127.0.0.1:5080;transport=tcp\n"
		       "    user: alice\n"
		       "    password_file: etc/main.password\n"
		       "    outbound_proxy: \"proxy.example.net:5070\"\n"
		       "    from: [\"+15671234567\", \"+15671234568\"]\n"
		       "    from_user: acme\n"
		       "    from_domain: example.net\n"
		       "    number_format: national\n"
		       "    country_code: 49\n"
		       "    national_prefix: 0\n"
		       "    prefix: \"99#\"\n"
		       "    pai: true\n"
		       "    privacy: true\n"
		       "    redirects: follow\n"
		       "    sources: [192.0.2.0/28]\n"
		       "    media_networks: [127.0.0.0/8, \"2001:db8::/32\"]\n"
		       "    srtp: off\n"
		       "    codec: pcmu\n"
		       "    keys: [tones, info]\n"
		       "    calls_per_second: 20\n"
		       "    max_calls: 1000\n"
		       "    ping_s: 0\n"
		       "  - {name: second, uri: \"sip:[2001:db8::1]\"}\n"
		       "routes:\n"
		       "  - {prefix: \"+49\", trunks: [second, main]}\n"
		       "  - prefix: +\n"
		       "    trunks: [main]\n");
	const struct settings_trunk *t = settings_trunk(s, 0);

	assert_int_equal(s->trunks.count, 2);
	assert_string_equal(t->name, "main");
	assert_string_equal(t->uri, "sip:127.0.0.1:5080;transport=tcp");
	assert_string_equal(t->user, "alice");
	assert_string_equal(t->password_file, "etc/main.password");
	assert_string_equal(t->outbound_proxy, "proxy.example.net:5070");
	assert_int_equal(t->from.count, 2);
	assert_string_equal(t->from.items[1], "+15671234568");
	assert_string_equal(t->from_user, "acme");
	assert_string_equal(t->from_domain, "example.net");
	assert_int_equal(t->number_format, SETTINGS_FORMAT_NATIONAL);
	assert_string_equal(t->country_code, "49");
	assert_string_equal(t->national_prefix, "0");
	assert_string_equal(t->prefix, "99#");
	assert_true(t->pai);
	assert_true(t->privacy);
	assert_int_equal(t->redirects, 1);
	assert_int_equal(t->sources.count, 1);
	assert_int_equal(t->media_networks.count, 2);
	assert_int_equal(t->codec, 0);
	assert_int_equal(t->keys, SETTINGS_KEYS_TONES | SETTINGS_KEYS_INFO);
	assert_int_equal(t->calls_per_second, 20);
	assert_int_equal(t->max_calls, 1000);
	assert_int_equal(t->ping_s, 0);
	assert_string_equal(settings_trunk(s, 1)->name, "second");
}

TEST(routes_are_read_in_their_order)
{
	AUTO(settings) *s =
		parsed("trunks:\n"
		       "  - {name: main, uri: \"sip:192.0.2.10\"}\n"
		       "  - {name: second, uri: \"sip:192.0.2.11\"}\n"
		       "routes:\n"
		       "  - {prefix: \"+49\", trunks: [second, main]}\n"
		       "  - prefix: +\n"
		       "    trunks: [main]\n");

	assert_int_equal(s->routes.count, 2);
	assert_string_equal(settings_route(s, 0)->prefix, "+49");
	assert_string_equal(settings_route(s, 0)->trunks.items[0], "second");
	assert_string_equal(settings_route(s, 1)->prefix, "+");
}

TEST(what_a_trunk_leaves_out_has_its_default)
{
	AUTO(settings) *s = parsed(ONE);
	const struct settings_trunk *t = settings_trunk(s, 0);

	assert_string_equal(t->user, "");
	assert_int_equal(t->from.count, 0);
	assert_int_equal(t->number_format, SETTINGS_FORMAT_E164);
	assert_int_equal(t->redirects, 0);
	assert_int_equal(t->codec, 1);
	assert_int_equal(t->keys, SETTINGS_KEYS_EVENTS);
	assert_int_equal(t->calls_per_second, 10);
	assert_int_equal(t->ping_s, 30);
	assert_string_equal(s->sip_listen, "127.0.0.1:5060");
	assert_string_equal(s->rtp_ports, "16384-16639");
	assert_int_equal(s->routes.count, 0);
}

/* The lines of the printed defaults from "# NAME:" to the blank one, without
 * their "# ". */
static void uncommented(const char *text, const char *name, struct buf *out)
{
	char begin[32];
	const char *at;

	(void)snprintf(begin, sizeof(begin), "\n# %s:\n", name);
	at = strstr(text, begin);
	assert_non_null(at);
	for (at++; *at == '#'; at += strcspn(at, "\n") + 1)
		buf_add(out, at + 2, strcspn(at + 2, "\n") + 1);
}

TEST(the_worked_example_becomes_settings_without_its_hashes)
{
	AUTO_BUF(text, 256 << 10);
	AUTO_BUF(yaml, 64 << 10);
	AUTO(settings) *s = NULL;
	struct diag d = {0};
	char said[1024];

	settings_defaults(&text);
	uncommented(text.p, "trunks", &yaml);
	uncommented(text.p, "routes", &yaml);
	if (settings_parse(buf_view(&yaml), &s, &d)) {
		diag_text(&d, "example", said, sizeof(said));
		fail_msg("%s\n%s", said, yaml.p);
	}

	assert_int_equal(s->trunks.count, 1);
	assert_string_equal(settings_trunk(s, 0)->name, "main");
	assert_int_equal(settings_trunk(s, 0)->from.count, 1);
	assert_int_equal(settings_trunk(s, 0)->ping_s, 30);
	assert_int_equal(s->routes.count, 1);
	assert_string_equal(settings_route(s, 0)->trunks.items[0], "main");
}

TEST(every_member_is_in_the_manual)
{
	AUTO_BUF(text, 256 << 10);

	settings_manual(&text);

#define ROW(path) assert_non_null(strstr(text.p, ".It Cm " path "\n"));
#define WORD(path, member, max, form, def, example, sentence) ROW(path)
#define WORDS(path, member, max, form, example, sentence) ROW(path)
#define INT(path, member, min, max, def, sentence) ROW(path)
#define BOOL(path, member, def, sentence) ROW(path)
#define CHOICE(path, member, words, def, sentence) ROW(path)
#define CHOICES(path, member, words, def, sentence) ROW(path)
#include "app/route.def"
#include "app/trunk.def"
	assert_non_null(strstr(text.p, "(one of e164, plus, national; "
				       "default: e164)"));
}

TEST(trunks_are_a_list_of_mappings)
{
	refused("trunks: main\n", "f:1:9: trunks: must be a list of mappings: "
				  "- name: value");
	refused("trunks: {name: main}\n",
		"f:1:9: trunks: must be a list of mappings: - name: value");
	refused("trunks: [main]\n", "f:1:10: trunks: each item must be a "
				    "mapping: name: value");
	refused("trunks: [{}]\n", "f:1:10: trunks.name: must be set");
	refused("trunks: [{name: a}]\n", "f:1:10: trunks.uri: must be set");
	refused("trunks: [{name: a, name: b}]\n",
		"f:1:20: trunks.name: is set twice");
	refused("trunks: [{name: a}, *b]\n",
		"f:1:21: not well-formed YAML: found undefined alias");
}

TEST(a_member_that_is_not_there_is_named_with_its_place)
{
	refused_in_one("passwort: x", 5, "passwort: there is no such setting");
	refused_in_one("password: x", 5, "password: there is no such setting");
	refused_in_one("ports: 1-2", 5,
		       "ports: there is no such setting; did you mean "
		       "rtp.ports?");
	refused("user: alice\n", "f:1:1: user: there is no such setting; did "
				 "you mean trunks.user?");
	refused(ONE "routes:\n  - {prefix: +, trunk: [main]}\n",
		"f:5:17: routes.trunk: there is no such setting");
}

TEST(a_uri_is_a_host_with_port_and_transport)
{
	static const struct {
		const char *uri, *why;
	} wrong[] = {
		{"192.0.2.10", "must begin with sip:"},
		{"sip:", "has no host"},
		{"sip:alice@192.0.2.10", "names a user: that is trunks.user "
					 "or trunks.from_user"},
		{"sip:host:0", "has no port from 1 to 65535 behind its colon"},
		{"sip:host:", "has no port from 1 to 65535 behind its colon"},
		{"sip:host:65536",
		 "has no port from 1 to 65535 behind its colon"},
		{"sip:[2001:db8::zz]", "is no IPv6 address in brackets"},
		{"sip:ho st", "has no host"},
		{"sip:host;transport=tls",
		 "transport=tls is not there yet: udp or tcp"},
		{"sips:host", "sips and TLS are not there yet: sip:HOST"},
		{"sip:host;lr", "\";lr\" is unknown; there is ;transport=udp "
				"and ;transport=tcp"},
	};
	char yaml[256], text[256];

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		(void)snprintf(yaml, sizeof(yaml),
			       "trunks: [{name: a, uri: \"%s\"}]\n",
			       wrong[i].uri);
		(void)snprintf(text, sizeof(text), "f:1:25: trunks.uri: %s",
			       wrong[i].why);
		refused(yaml, text);
	}
}

TEST(a_uri_comes_apart)
{
	struct settings_uri u = {0};
	struct diag d = {0};

	assert_int_equal(settings_uri("sip:a.example;transport=tcp", &u, &d),
			 0);
	assert_string_equal(u.host, "a.example");
	assert_int_equal(u.port, 0);
	assert_true(u.tcp);
	assert_int_equal(settings_uri("sip:[2001:db8::1]:5070", &u, &d), 0);
	assert_string_equal(u.host, "2001:db8::1");
	assert_int_equal(u.port, 5070);
	assert_false(u.tcp);
	assert_int_equal(settings_uri("192.0.2.1:5061", &u, &d), 0);
	assert_string_equal(u.host, "192.0.2.1");
	assert_int_equal(u.port, 5061);
}

TEST(each_text_of_a_trunk_has_its_form)
{
	refused("trunks: [{name: a b, uri: \"sip:h\"}]\n",
		"f:1:17: trunks.name: must be letters, digits, - and _");
	refused_in_one("from: [\"567123\"]", 12,
		       "from: must be E.164, such as +15671234567");
	refused_in_one("from: \"+15671234567\"", 11,
		       "from: must be a list: [a, b]");
	refused_in_one("from_domain: a b", 18,
		       "from_domain: must be a domain or an address");
	refused_in_one("from_user: \"a<b\"", 16,
		       "from_user: holds what a SIP user cannot");
	refused_in_one("outbound_proxy: sip:h", 21,
		       "outbound_proxy: must be HOST or HOST:PORT alone");
	refused_in_one("number_format: e.164", 20,
		       "number_format: must be one of e164|plus|national");
	refused_in_one("prefix: 9a", 13, "prefix: must be digits, *, # and +");
	refused_in_one("redirects: true", 16,
		       "redirects: must be one of refuse|follow");
	refused_in_one("codec: opus", 12, "codec: must be one of pcmu|pcma");
	refused_in_one("keys: events", 11,
		       "keys: must be a list of events|tones|info");
	refused_in_one("keys: [events, inband]", 20,
		       "keys: each item must be one of events|tones|info");
	refused_in_one("calls_per_second: fast", 23,
		       "calls_per_second: is not a whole number");
	refused_in_one("max_calls: 99999", 16,
		       "max_calls: must be from 0 to 16384");
}

TEST(a_network_that_is_none_is_refused)
{
	struct settings *s = NULL;
	struct diag d = {0};

	assert_int_equal(
		settings_parse(span_of(ONE "    sources: [192.0.2.1/24]\n"), &s,
			       &d),
		-EINVAL);
	assert_string_equal(d.field, "trunks.sources");
	assert_int_equal(d.line, 4);
	assert_int_equal(d.column, 15);
}

TEST(what_is_encrypted_is_not_there_yet)
{
	refused_in_one("srtp: require", 11,
		       "srtp: \"require\" is not there yet: off");
	refused_in_one("srtp: prefer", 11,
		       "srtp: \"prefer\" is not there yet: off");
	refused_in_one("srtp: on", 11, "srtp: must be off");
}

TEST(members_that_contradict_each_other_are_refused)
{
	static const struct {
		const char *line, *why;
	} wrong[] = {
		{"password_file: x", "password_file: needs trunks.user beside "
				     "it"},
		{"number_format: national",
		 "country_code: must be set for number_format national"},
		{"country_code: 49",
		 "number_format: must be national for country_code and "
		 "national_prefix to mean anything"},
		{"keys: []", "keys: must name one way at least"},
	};
	char yaml[512], text[512];

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		(void)snprintf(yaml, sizeof(yaml), ONE "    %s\n",
			       wrong[i].line);
		(void)snprintf(text, sizeof(text), "f:2:5: trunks.%s",
			       wrong[i].why);
		refused(yaml, text);
	}
}

TEST(two_trunks_of_one_name_are_refused)
{
	refused(ONE "  - {name: Main, uri: \"sip:h\"}\n",
		"f:4:5: trunks.name: there is a trunk \"main\" already");
	refused("trunks:\n"
		"  - {name: a-b, uri: \"sip:h\"}\n"
		"  - {name: a_b, uri: \"sip:h\"}\n",
		"f:3:5: trunks.name: there is a trunk \"a-b\" already");
	refused("trunks: [{name: sandbox, uri: \"sip:h\"}]\n",
		"f:1:10: trunks.name: \"sandbox\" is a telephone of our own");
}

TEST(a_route_names_trunks_that_are_there)
{
	refused(ONE "routes: [{prefix: +49, trunks: [main, spare]}]\n",
		"f:4:10: routes.trunks: there is no trunk \"spare\"");
	refused(ONE "routes: [{prefix: +49, trunks: []}]\n",
		"f:4:10: routes.trunks: must name one trunk at least");
	refused(ONE "routes: [{trunks: [main]}]\n",
		"f:4:10: routes.prefix: must be set");
	refused(ONE "routes: [{prefix: 49, trunks: [main]}]\n",
		"f:4:19: routes.prefix: must be \"+\" and the digits that "
		"numbers begin with");
	refused(ONE "routes:\n"
		    "  - {prefix: +, trunks: [main]}\n"
		    "  - {prefix: +, trunks: [main]}\n",
		"f:6:5: routes.prefix: there is a route for \"+\" already");
}

TEST(many_trunks_need_routes)
{
	refused("trunks:\n"
		"  - {name: t1, uri: \"sip:h\"}\n  - {name: t2, uri: "
		"\"sip:h\"}\n"
		"  - {name: t3, uri: \"sip:h\"}\n  - {name: t4, uri: "
		"\"sip:h\"}\n"
		"  - {name: t5, uri: \"sip:h\"}\n  - {name: t6, uri: "
		"\"sip:h\"}\n"
		"  - {name: t7, uri: \"sip:h\"}\n  - {name: t8, uri: "
		"\"sip:h\"}\n"
		"  - {name: t9, uri: \"sip:h\"}\n",
		"f: routes: must say which of more than 8 trunks are asked for "
		"a number");
}

TEST(our_side_is_one_address_of_this_machine)
{
	static const char any[] = "must be one address of this machine: "
				  "trunks answer to it, and nobody can answer "
				  "to \"any\"";
	char text[256];

	(void)snprintf(text, sizeof(text), "f:1:15: sip.listen: %s", any);
	refused("sip: {listen: \"0.0.0.0:5060\"}\n", text);
	refused("sip: {listen: \"192.0.2.1\"}\n",
		"f:1:15: sip.listen: must be an address and port, such as "
		"192.0.2.1:5060");
	refused("sip: {listen: \"eth0:5060\"}\n",
		"f:1:15: sip.listen: must be an address and port, such as "
		"192.0.2.1:5060");
	refused("sip: {advertise: sip.example.net}\n",
		"f:1:18: sip.advertise: must be an address and port, such as "
		"192.0.2.1:5060");
	(void)snprintf(text, sizeof(text), "f:1:15: rtp.listen: %s", any);
	refused("rtp: {listen: \"::\"}\n", text);
	refused("rtp: {listen: \"192.0.2.1:16384\"}\n",
		"f:1:15: rtp.listen: must be an address without a port");
	refused("rtp: {advertise: here}\n",
		"f:1:18: rtp.advertise: must be an address without a port, "
		"such as 192.0.2.1");
}

TEST(ports_come_in_pairs)
{
	refused("rtp: {ports: 16384}\n",
		"f:1:14: rtp.ports: must be two ports from 1024 to 65535, "
		"such as 16384-16639");
	refused("rtp: {ports: 16385-16639}\n",
		"f:1:14: rtp.ports: must begin with an even port: RTP is on "
		"even ones, RTCP one above");
	refused("rtp: {ports: 16384-16638}\n",
		"f:1:14: rtp.ports: must end with an odd port: RTP is on even "
		"ones, RTCP one above");
	refused("rtp: {ports: 16384-16387}\n",
		"f:1:14: rtp.ports: must be 32 ports or more");
	refused("rtp: {ports: 16400-16385}\n",
		"f:1:14: rtp.ports: must be 32 ports or more");
	refused("rtp: {ports: 16384-70001}\n",
		"f:1:14: rtp.ports: must be two ports from 1024 to 65535, "
		"such as 16384-16639");
}

TEST(a_change_of_trunks_is_noticed)
{
	static const char *const others[] = {
		"",
		ONE "    from: [\"+15671234567\"]\n",
		ONE "    pai: true\n",
		ONE "    keys: [tones]\n",
		ONE "    ping_s: 31\n",
		ONE "    user: a\n",
		ONE "rtp: {ports: 20000-20063}\n",
		ONE "sip: {advertise: 192.0.2.1}\n",
	};
	AUTO(settings) *one = parsed(ONE);
	AUTO(settings) *same = parsed(
		ONE "brand: Other\nroutes: [{prefix: +, trunks: [main]}]\n");

	assert_true(settings_same_trunks(one, same));
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		AUTO(settings) *other = parsed(others[i]);

		assert_false(settings_same_trunks(one, other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trunk_is_read_with_all_that_it_has),
		cmocka_unit_test(routes_are_read_in_their_order),
		cmocka_unit_test(what_a_trunk_leaves_out_has_its_default),
		cmocka_unit_test(
			the_worked_example_becomes_settings_without_its_hashes),
		cmocka_unit_test(every_member_is_in_the_manual),
		cmocka_unit_test(trunks_are_a_list_of_mappings),
		cmocka_unit_test(
			a_member_that_is_not_there_is_named_with_its_place),
		cmocka_unit_test(a_uri_is_a_host_with_port_and_transport),
		cmocka_unit_test(a_uri_comes_apart),
		cmocka_unit_test(each_text_of_a_trunk_has_its_form),
		cmocka_unit_test(a_network_that_is_none_is_refused),
		cmocka_unit_test(what_is_encrypted_is_not_there_yet),
		cmocka_unit_test(
			members_that_contradict_each_other_are_refused),
		cmocka_unit_test(two_trunks_of_one_name_are_refused),
		cmocka_unit_test(a_route_names_trunks_that_are_there),
		cmocka_unit_test(many_trunks_need_routes),
		cmocka_unit_test(our_side_is_one_address_of_this_machine),
		cmocka_unit_test(ports_come_in_pairs),
		cmocka_unit_test(a_change_of_trunks_is_noticed),
	};

	return cmocka_run_group_tests_name("app/trunks", tests, NULL, NULL);
}
