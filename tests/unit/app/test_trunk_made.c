// SPDX-License-Identifier: Apache-2.0
/*
 * test_trunk_made.c - what settings become: trunks with their passwords,
 * routes, and the words for what trunks answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/trunk_words.h"
#include "app/trunks.h"
#include "support/test.h"

#define ONE "trunks:\n  - name: main\n    uri: sip:192.0.2.10:5070\n"
#define VARIABLE "VOICEOTP_TRUNK_MAIN_PASSWORD"

struct made {
	struct settings *s;
	struct app_trunks *t;
	struct diag d;
	int err;
};

static struct made made_of(const char *yaml)
{
	struct made m = {0};

	if (settings_parse(span_of(yaml), &m.s, &m.d))
		fail_msg("%s: %s", m.d.field, m.d.message);
	m.err = app_trunks_new(m.s, &m.t, &m.d);
	return m;
}

static void drop(struct made *m)
{
	app_trunks_free(m->t);
	settings_free(m->s);
}

/* A trunk whose password is in a file of this text and mode. */
static struct made with_file(const char *text, mode_t mode)
{
	char path[] = "password-XXXXXX", yaml[256];
	int fd = mkstemp(path);
	struct made m;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
	(void)snprintf(yaml, sizeof(yaml),
		       ONE "    user: alice\n    password_file: %s\n", path);
	m = made_of(yaml);
	(void)unlink(path);
	return m;
}

TEST(a_trunk_is_taken_over_as_it_was_said)
{
	struct made m =
		made_of("from: \"+15671230000\"\n" ONE
			"    from: [\"+15671234567\", \"+15671234568\"]\n"
			"    number_format: national\n"
			"    country_code: 49\n"
			"    sources: [192.0.2.0/28]\n"
			"    media_networks: [198.51.100.0/24, 203.0.113.1]\n"
			"    codec: pcmu\n"
			"    keys: [tones, info]\n"
			"    redirects: follow\n"
			"    ping_s: 7\n");
	const struct tel_sip_trunk *t;

	assert_int_equal(m.err, 0);
	t = m.t->trunks;

	assert_int_equal(m.t->count, 1);
	assert_string_equal(t->name, "main");
	assert_string_equal(t->host, "192.0.2.10");
	assert_int_equal(t->port, 5070);
	assert_int_equal(t->transport, TEL_SIP_UDP);
	assert_int_equal(t->from_count, 2);
	assert_string_equal(t->from[1], "+15671234568");
	assert_int_equal(t->format, TEL_SIP_NATIONAL);
	assert_int_equal(t->sources.count, 1);
	assert_int_equal(t->media.count, 2);
	assert_int_equal(t->codec, G711_PCMU);
	assert_int_equal(t->keys, PUMP_KEYS_TONES);
	assert_true(t->info_keys);
	assert_int_equal(t->redirects, TEL_SIP_FOLLOW_REDIRECTS);
	assert_int_equal(t->ping_ms, 7000);
	assert_string_equal(t->password, "");
	drop(&m);
}

TEST(the_usual_caller_id_stands_in_for_a_trunks_own)
{
	struct made m = made_of("from: \"+15671230000\"\n" ONE);

	assert_int_equal(m.err, 0);
	assert_int_equal(m.t->trunks->from_count, 1);
	assert_string_equal(m.t->trunks->from[0], "+15671230000");
	drop(&m);

	m = made_of(ONE);

	assert_int_equal(m.t->trunks->from_count, 0);
	drop(&m);
}

TEST(a_password_is_the_first_line_of_its_file)
{
	static const char *const texts[] = {"pass word", "pass word\n",
					    "pass word\r\n",
					    "pass word\nanother line\n"};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct made m = with_file(texts[i], 0600);

		assert_int_equal(m.err, 0);
		assert_string_equal(m.t->trunks->password, "pass word");
		drop(&m);
	}
}

TEST(a_file_that_others_may_read_is_refused)
{
	struct made m = with_file("pass", 0640);

	assert_int_equal(m.err, -EINVAL);
	assert_null(m.t);
	assert_string_equal(m.d.field, "trunks.password_file");
	assert_non_null(strstr(m.d.message, "chmod 600"));
	assert_int_equal(m.d.line, 2);
	assert_int_equal(m.d.column, 5);
	drop(&m);
}

TEST(a_file_without_a_password_is_refused)
{
	struct made m = with_file("\npass\n", 0600);

	assert_int_equal(m.err, -EINVAL);
	assert_non_null(strstr(m.d.message, "its first line is empty"));
	drop(&m);

	m = made_of(ONE "    user: a\n    password_file: not-there\n");

	assert_int_equal(m.err, -EINVAL);
	assert_non_null(strstr(m.d.message, "No such file"));
	drop(&m);
}

TEST(the_environment_comes_before_the_file)
{
	struct made m;

	(void)setenv(VARIABLE, "other", 1); // NOLINT(concurrency-mt-unsafe)
	m = with_file("pass", 0600);
	(void)unsetenv(VARIABLE); // NOLINT(concurrency-mt-unsafe)

	assert_int_equal(m.err, 0);
	assert_string_equal(m.t->trunks->password, "other");
	drop(&m);
}

TEST(a_user_without_a_password_is_told_where_it_goes)
{
	struct made m = made_of(ONE "    user: alice\n");

	assert_int_equal(m.err, -EINVAL);
	assert_string_equal(m.d.field, "trunks.user");
	assert_non_null(strstr(m.d.message, VARIABLE));
	drop(&m);
}

TEST(a_variable_is_named_after_its_trunk)
{
	char name[APP_PASSWORD_VARIABLE_BYTES];

	app_trunks_variable("de-north_2", name);
	assert_string_equal(name, "VOICEOTP_TRUNK_DE_NORTH_2_PASSWORD");

	app_trunks_variable("abcdefghijklmnopqrstuvwxyz01234", name);
	assert_string_equal(name,
			    "VOICEOTP_TRUNK_ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
			    "_PASSWORD");
}

TEST(without_routes_every_trunk_serves_every_number_in_order)
{
	AUTO(routing) *r = NULL;
	struct made m = made_of(ONE "  - {name: spare, uri: \"sip:h\"}\n");
	const char *names[ROUTING_TRUNKS_MAX];

	assert_int_equal(app_trunks_routing(m.s, &r, &m.d), 0);

	assert_int_equal(routing_find(r, "+14155550100", names), 2);
	assert_string_equal(names[0], "main");
	assert_string_equal(names[1], "spare");
	drop(&m);
}

TEST(routes_say_who_is_asked)
{
	AUTO(routing) *r = NULL;
	struct made m =
		made_of(ONE "  - {name: de, uri: \"sip:h\"}\n"
			    "routes:\n"
			    "  - {prefix: \"+49\", trunks: [de, main]}\n"
			    "  - {prefix: \"+1\", trunks: [main]}\n");
	const char *names[ROUTING_TRUNKS_MAX];

	assert_int_equal(app_trunks_routing(m.s, &r, &m.d), 0);

	assert_int_equal(routing_find(r, "+4930123456", names), 2);
	assert_string_equal(names[0], "de");
	assert_int_equal(routing_find(r, "+14155550100", names), 1);
	assert_int_equal(routing_find(r, "+33123456789", names), 0);
	drop(&m);
}

TEST(every_answer_has_a_name_and_a_fault_has_advice)
{
	int before = 0;

#define ANSWER(code, name, sentence)                           \
	assert_true((code) > before);                          \
	before = (code);                                       \
	assert_string_equal(app_trunk_words_name(code), name); \
	assert_string_equal(app_trunk_words_advice(code), sentence);
#include "app/trunk_words.def"
#undef ANSWER

	for (int code = 200; code < 700; code++)
		assert_true(*app_trunk_words_name(code));
	assert_string_equal(app_trunk_words_advice(200), "");
	assert_true(*app_trunk_words_advice(599));
	assert_true(*app_trunk_words_silence(-ECONNREFUSED));
	assert_true(*app_trunk_words_silence(0));
	assert_non_null(
		strstr(app_trunk_words_silence(-ENOENT), "does not resolve"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trunk_is_taken_over_as_it_was_said),
		cmocka_unit_test(
			the_usual_caller_id_stands_in_for_a_trunks_own),
		cmocka_unit_test(a_password_is_the_first_line_of_its_file),
		cmocka_unit_test(a_file_that_others_may_read_is_refused),
		cmocka_unit_test(a_file_without_a_password_is_refused),
		cmocka_unit_test(the_environment_comes_before_the_file),
		cmocka_unit_test(
			a_user_without_a_password_is_told_where_it_goes),
		cmocka_unit_test(a_variable_is_named_after_its_trunk),
		cmocka_unit_test(
			without_routes_every_trunk_serves_every_number_in_order),
		cmocka_unit_test(routes_say_who_is_asked),
		cmocka_unit_test(
			every_answer_has_a_name_and_a_fault_has_advice),
	};

	return cmocka_run_group_tests_name("app/trunk_made", tests, NULL, NULL);
}
