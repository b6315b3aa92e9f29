// SPDX-License-Identifier: Apache-2.0
/*
 * test_settings.c - one table, read both ways; every error says where.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "base/buf.h"
#include "base/file.h"
#include "support/test.h"

static struct settings *parsed(const char *yaml)
{
	struct settings *s = NULL;
	struct diag d = {0};
	int err = settings_parse(span_of(yaml), &s, &d);

	if (err)
		fail_msg("%s: %s", d.field, d.message);
	return s;
}

/* What is wrong with a text, as a person reads it. */
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

TEST(an_empty_file_is_the_defaults)
{
	AUTO(settings) *s = parsed("");

	assert_string_equal(s->listen, "127.0.0.1:8080");
	assert_string_equal(s->store, "sqlite:var/voiceotp.db");
	assert_int_equal(s->code_length, 6);
	assert_int_equal(s->limit_number_30s, 1);
	assert_int_equal(s->cap_day, 0);
	assert_int_equal(s->quiet_from, -1);
	assert_true(s->require_client_ip);
	assert_int_equal(s->countries.count, 0);
	assert_int_equal(s->voices.count, 1);
	assert_string_equal(s->voices.keys[0], "en");
	assert_string_equal(s->voices.values[0], "flite:rms");
}

TEST(what_is_set_is_taken)
{
	AUTO(settings) *s =
		parsed("# a comment\n"
		       "brand: Zoë & Söhne\n"
		       "countries: [US, GB]\n"
		       "code: { length: 8, even: true }\n"
		       "caps:\n"
		       "  day: 12.50\n"
		       "quiet_hours: {from: \"22:00\", to: \"07:30\"}\n"
		       "voices: {de: \"espeak-ng:de\"}\n");

	assert_string_equal(s->brand, "Zoë & Söhne");
	assert_int_equal(s->countries.count, 2);
	assert_string_equal(s->countries.items[1], "GB");
	assert_int_equal(s->code_length, 8);
	assert_true(s->code_even);
	assert_int_equal(s->cap_day, 12500000);
	assert_int_equal(s->quiet_from, 22 * 60);
	assert_int_equal(s->quiet_to, 7 * 60 + 30);
	assert_int_equal(s->voices.count, 1);
	assert_string_equal(s->voices.keys[0], "de");
}

TEST(the_printed_defaults_are_the_defaults)
{
	AUTO_BUF(text, 256 << 10);
	AUTO_BUF(again, 256 << 10);
	AUTO(settings) *s = NULL;
	struct diag d = {0};

	settings_defaults(&text);
	assert_int_equal(text.err, 0);
	assert_int_equal(settings_parse(buf_view(&text), &s, &d), 0);

	assert_string_equal(s->listen, "127.0.0.1:8080");
	assert_int_equal(s->voices.count, 1);
	assert_int_equal(s->number_types.count, 5);
	assert_int_equal(s->call_ring_s, 28);
	settings_defaults(&again);
	assert_string_equal(text.p, again.p);
}

TEST(every_row_is_in_the_manual)
{
	AUTO_BUF(text, 256 << 10);

	settings_manual(&text);

#define ROW(path) assert_non_null(strstr(text.p, ".It Cm " path "\n"));
#define TEXT(path, member, max, def, s) ROW(path)
#define INT(path, member, min, max, def, s) ROW(path)
#define BOOL(path, member, def, s) ROW(path)
#define LIST(path, member, max, def, s) ROW(path)
#define MAP(path, member, max, def, s) ROW(path)
#define MONEY(path, member, def, s) ROW(path)
#define TIME(path, member, def, s) ROW(path)
#define WORD(path, member, max, form, def, s) ROW(path)
#define WORDS(path, member, max, form, def, s) ROW(path)
#define OBJECTS(path, member, table, max, s) ROW(path)
#define GROUP(path, s) ROW(path)
#include "app/settings.def"
}

TEST(the_manual_page_holds_the_table)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	AUTO_BUF(page, 1 << 20);
	AUTO_BUF(table, 256 << 10);
	char path[4096];

	assert_non_null(source);
	(void)snprintf(path, sizeof(path), "%s/docs/voiceotp.yaml.5", source);
	assert_int_equal(file_read(path, &page), 0);
	settings_manual(&table);

	assert_non_null(strstr(page.p, table.p));
}

TEST(the_outside_is_read)
{
	AUTO(settings) *s = NULL;
	struct diag d = {0};
	int err = settings_parse(
		span_of("public_url: https://voice.example:8443/otp\n"
			"trusted_proxies: [127.0.0.1, 10.0.0.0/8, \"::1\"]\n"
			"outbound: {allow: [hooks.internal, "
			"192.168.7.0/24]}\n"),
		&s, &d);

	assert_int_equal(err, 0);
	assert_string_equal(s->public_url, "https://voice.example:8443/otp");
	assert_int_equal(s->trusted_proxies.count, 3);
	assert_string_equal(s->trusted_proxies.items[1], "10.0.0.0/8");
	assert_int_equal(s->outbound_allow.count, 2);
	assert_string_equal(s->outbound_allow.items[0], "hooks.internal");
}

TEST(what_is_wrong_with_the_outside_is_told_with_its_place)
{
	static const char *const urls[][2] = {
		{"voice.example", "must begin with https:// or http://"},
		{"ftp://voice.example", "must begin with https:// or http://"},
		{"https://", "has no host"},
		{"https:///x", "has no host"},
		{"https://Voice.example", "has a host with capitals: a browser "
					  "writes it without"},
		{"https://voice.example:443",
		 "has port 443, which goes without saying"},
		{"https://voice.example:0",
		 "has no port from 1 to 65535 behind its colon"},
		{"https://voice.example/",
		 "must be https://HOST, perhaps with a port and a path, and no "
		 "slash behind it"},
		{"https://voice.example/a?b",
		 "must be https://HOST, perhaps with a port and a path, and no "
		 "slash behind it"},
		{"https://me@voice.example", "has no host"},
	};
	char yaml[256], expected[256];

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		(void)snprintf(yaml, sizeof(yaml), "public_url: %s\n",
			       urls[i][0]);
		(void)snprintf(expected, sizeof(expected),
			       "f:1:13: public_url: %s", urls[i][1]);
		refused(yaml, expected);
	}
	refused("trusted_proxies:\n  - 127.0.0.1\n  - 10.0.0.1/8\n",
		"f:3:5: trusted_proxies: has bits set behind its prefix; the "
		"network is 10.0.0.0/8");
	refused("example:\n  prefix: otp\n",
		"f:2:11: example.prefix: must be a path such as /otp");
	refused("example: {prefix: /v1/otp}\n",
		"f: example.prefix: /v1 is served already");
	refused("trusted_proxies: 127.0.0.1\n",
		"f:1:18: trusted_proxies: must be a list: [a, b]");
	refused("outbound:\n  allow: [10.0.0.0/8, \"http://x.internal\"]\n",
		"f:2:23: outbound.allow: http://x.internal is not a network; "
		"write 192.0.2.0/24, 2001:db8::/32 or one address");
	refused("outbound: {allow: [\"*.internal\"]}\n",
		"f:1:20: outbound.allow: *.internal is neither a host's name "
		"nor an address nor a network");
}

TEST(an_unknown_setting_is_named_with_its_place)
{
	refused("listen: 127.0.0.1:1\nlsten: x\n",
		"f:2:1: lsten: there is no such setting");
	refused("code:\n  len: 6\n",
		"f:2:3: code.len: there is no such setting");
	refused("webhooks:\n  - name: main\n",
		"f:1:1: webhooks: there is no such setting");
}

TEST(a_setting_in_the_wrong_group_is_pointed_at)
{
	refused("ring_s: 20\n", "f:1:1: ring_s: there is no such setting; did "
				"you mean call.ring_s?");
}

TEST(a_value_of_the_wrong_kind_is_refused)
{
	refused("sandbox: yes\n", "f:1:10: sandbox: must be true or false");
	refused("code: {length: six}\n",
		"f:1:16: code.length: is not a whole number");
	refused("code: {length: 11}\n",
		"f:1:16: code.length: must be from 4 to 10");
	refused("countries: US\n", "f:1:12: countries: must be a list: [a, b]");
	refused("brand: [a]\n", "f:1:8: brand: must be a single value");
	refused("code: 6\n", "f:1:7: code: must be a mapping: {name: value}");
	refused("caps: {day: -1}\n",
		"f:1:13: caps.day: must be an amount such as 12.50");
	refused("quiet_hours: {from: \"24:00\", to: \"07:00\"}\n",
		"f:1:21: quiet_hours.from: must be a time of day such as "
		"\"22:00\"");
}

TEST(a_setting_twice_is_refused)
{
	refused("brand: a\nbrand: b\n", "f:2:1: brand: is set twice");
	refused("code: {length: 6}\ncode: {even: true}\n",
		"f:2:1: code: is set twice");
}

TEST(broken_yaml_has_a_place)
{
	struct settings *s = NULL;
	struct diag d = {0};

	assert_int_equal(settings_parse(span_of("a: [1,\nb: }\n"), &s, &d),
			 -EINVAL);
	assert_int_equal(d.line, 2);
	assert_true(d.column > 0);
	assert_non_null(strstr(d.message, "YAML"));
}

TEST(two_documents_are_refused)
{
	refused("brand: a\n---\nbrand: b\n",
		"f:3:1: a second document begins here; settings are one");
}

TEST(settings_that_contradict_each_other_are_refused)
{
	refused("code: {length: 5}\n",
		"f: code.length: is less than code.min_length");
	refused("tls: {key: k.pem}\n",
		"f: tls: needs both certificate and key, or neither");
	refused("quiet_hours: {from: \"22:00\"}\n",
		"f: quiet_hours: needs both from and to");
	refused("from: 12\n",
		"f:1:7: from: must be E.164, such as +15671234567");
	refused("brand: 1234567890123456789012345678901\n",
		"f: brand: is longer than 30 characters");
	refused("store: redis://127.0.0.1\n", "f: store: must be sqlite:PATH");
	refused("log_level: loud\n",
		"f: log_level: must be debug, info, warn or error");
}

TEST(aliases_and_deep_nesting_do_no_harm)
{
	refused("code: &a {length: *a}\n",
		"f:1:7: code.length: must be a single value");
	refused("code: {x: {y: {z: {}}}}\n",
		"f:1:8: code.x: there is no such setting");
}

TEST(one_setting_can_be_set_by_itself)
{
	AUTO(settings) *s = settings_new();
	struct diag d = {0};

	assert_int_equal(settings_set(s, "sandbox", "true", &d), 0);
	assert_int_equal(settings_set(s, "voices", "{en: x}", &d), 0);
	assert_true(s->sandbox);
	assert_string_equal(s->voices.values[0], "x");

	assert_int_equal(settings_set(s, "nothing", "1", &d), -EINVAL);
	assert_string_equal(d.field, "nothing");
	assert_int_equal(settings_set(s, "code", "1", &d), -EINVAL);
}

TEST(a_missing_file_is_said_in_words)
{
	struct settings *s = NULL;
	struct diag d = {0};

	assert_int_equal(settings_load("does-not-exist.yaml", &s, &d), -ENOENT);
	assert_non_null(strstr(d.message, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_the_defaults),
		cmocka_unit_test(what_is_set_is_taken),
		cmocka_unit_test(the_printed_defaults_are_the_defaults),
		cmocka_unit_test(every_row_is_in_the_manual),
		cmocka_unit_test(the_manual_page_holds_the_table),
		cmocka_unit_test(the_outside_is_read),
		cmocka_unit_test(
			what_is_wrong_with_the_outside_is_told_with_its_place),
		cmocka_unit_test(an_unknown_setting_is_named_with_its_place),
		cmocka_unit_test(a_setting_in_the_wrong_group_is_pointed_at),
		cmocka_unit_test(a_value_of_the_wrong_kind_is_refused),
		cmocka_unit_test(a_setting_twice_is_refused),
		cmocka_unit_test(broken_yaml_has_a_place),
		cmocka_unit_test(two_documents_are_refused),
		cmocka_unit_test(
			settings_that_contradict_each_other_are_refused),
		cmocka_unit_test(aliases_and_deep_nesting_do_no_harm),
		cmocka_unit_test(one_setting_can_be_set_by_itself),
		cmocka_unit_test(a_missing_file_is_said_in_words),
	};

	return cmocka_run_group_tests_name("app/settings", tests, NULL, NULL);
}
