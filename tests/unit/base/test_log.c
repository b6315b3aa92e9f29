// SPDX-License-Identifier: Apache-2.0
/*
 * test_log.c - is every line one JSON object, whatever is put in?
 */
#include "support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

static int ends[2];

static int open_pipe(void **state)
{
	(void)state;
	if (pipe(ends)) /* NOLINT(android-cloexec-pipe) */
		return -1;
	log_to(ends[1]);
	log_threshold(LOG_INFO);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	log_to(STDERR_FILENO);
	return close(ends[0]) || (ends[1] >= 0 && close(ends[1]));
}

/* All that was logged so far; the pipe takes no more after it. */
static void read_log(struct buf *b)
{
	char chunk[4096];
	ssize_t n;

	assert_int_equal(close(ends[1]), 0);
	ends[1] = -1;
	while ((n = read(ends[0], chunk, sizeof(chunk))) > 0)
		buf_add(b, chunk, (size_t)n);
	assert_int_equal(b->err, 0);
}

/* The next line of *rest as an object. */
static json_t *next_line(struct span *rest)
{
	struct span line;
	struct diag d = {0};
	json_t *o = NULL;

	assert_true(span_cut(rest, '\n', &line));
	assert_non_null(rest->p); /* there was a line end */
	assert_true(line.n < LOG_LINE_MAX);
	if (js_parse(line, &o, &d))
		fail_msg("%d: %s", d.column, d.message);
	return o;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

TEST(a_line_begins_with_time_level_and_event)
{
	AUTO_BUF(b, 10000);
	AUTO_JSON json_t *o = NULL;
	struct span rest;
	int64_t when = 0;

	log_info("call.ended", "id", LOG_S("v1"), "pdd_ms", LOG_I(-7), NULL);
	read_log(&b);
	rest = buf_view(&b);
	o = next_line(&rest);

	assert_int_equal(rest.n, 0);
	assert_int_equal(clock_parse(text_of(o, "time"), &when), 0);
	assert_true(when > 0);
	assert_non_null(strstr(b.p, "\",\"level\":\"info\",\"event\":"
				    "\"call.ended\",\"id\":\"v1\","
				    "\"pdd_ms\":-7}\n"));
	assert_true(strncmp(b.p, "{\"time\":\"", 9) == 0);
}

TEST(lesser_lines_are_not_written)
{
	AUTO_BUF(b, 10000);

	log_debug("quiet", NULL);
	log_threshold(LOG_ERROR);
	log_warn("quiet", NULL);
	log_error("loud", NULL);
	read_log(&b);

	assert_null(strstr(b.p, "quiet"));
	assert_non_null(strstr(b.p, "\"level\":\"error\",\"event\":\"loud\""));
}

TEST(nothing_in_a_text_can_forge_a_line)
{
	static const char nasty[] = "a\"}\n{\"b\":\"\\\x01\xff";
	AUTO_JSON json_t *o = NULL;
	AUTO_BUF(b, 10000);
	struct span rest;

	log_warn("x", "text", LOG_S(nasty), "none", LOG_S(NULL), NULL);
	read_log(&b);
	rest = buf_view(&b);
	o = next_line(&rest);

	assert_int_equal(rest.n, 0);
	assert_string_equal(text_of(o, "text"),
			    "a\"}\n{\"b\":\"\\\x01\xef\xbf\xbd");
	assert_true(json_is_null(json_object_get(o, "none")));
}

TEST(long_lines_are_cut_and_say_so)
{
	char long_text[3 * LOG_LINE_MAX];
	AUTO_JSON json_t *o = NULL;
	AUTO_BUF(b, 10000);
	struct span rest;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	log_info("big", "before", LOG_I(1), "text", LOG_S(long_text), "after",
		 LOG_I(2), NULL);
	read_log(&b);
	rest = buf_view(&b);
	o = next_line(&rest);

	assert_true(b.n <= LOG_LINE_MAX);
	assert_true(json_is_true(json_object_get(o, "cut")));
	assert_true(strlen(text_of(o, "text")) > 1000);
	assert_int_equal(json_integer_value(json_object_get(o, "before")), 1);
	assert_int_equal(json_integer_value(json_object_get(o, "after")), 2);
}

TEST(too_many_fields_are_cut_too)
{
	char text[1001];
	AUTO_JSON json_t *o = NULL;
	AUTO_BUF(b, 10000);
	struct span rest;

	memset(text, '\n', sizeof(text) - 1); /* two bytes each, escaped */
	text[sizeof(text) - 1] = '\0';
	log_info("big", "a", LOG_S(text), "b", LOG_S(text), "c", LOG_S(text),
		 "d", LOG_S(text), NULL);
	read_log(&b);
	rest = buf_view(&b);
	o = next_line(&rest);

	assert_true(b.n <= LOG_LINE_MAX);
	assert_true(json_is_true(json_object_get(o, "cut")));
	assert_string_equal(text_of(o, "a"), text);
}

static void *chatter(void *name)
{
	for (int i = 0; i < 100; i++)
		log_info("chat", "who", LOG_S(name), "turn", LOG_I(i), NULL);
	return NULL;
}

TEST(lines_of_many_threads_do_not_mix)
{
	char names[3][2] = {"a", "b", "c"};
	pthread_t threads[3];
	AUTO_BUF(b, 1000000);
	struct span rest;

	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chatter,
						names[i]),
				 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	read_log(&b);
	rest = buf_view(&b);
	for (int i = 0; i < 300; i++) {
		AUTO_JSON json_t *o = next_line(&rest);

		assert_string_equal(text_of(o, "event"), "chat");
	}
	assert_int_equal(rest.n, 0);
}

static void assert_masked(const char *number, unsigned code, const char *text)
{
	char got[LOG_NUMBER_BYTES];

	log_number(number, code, got);
	assert_string_equal(got, text);
}

TEST(numbers_show_their_country_and_last_two_digits)
{
	assert_masked("+14155550100", 1, "+1...00");
	assert_masked("+4915112345678", 49, "+49...78");
	assert_masked("+14155550100", 0, "...00");
	assert_masked("+14155550100", 44, "...00");
}

TEST(short_numbers_show_less)
{
	assert_masked("+112345", 1, "+1...");
	assert_masked("+1123456", 1, "+1...56");
	assert_masked("", 1, "...");
	assert_masked(NULL, 1, "...");
}

#define ON_PIPE(test) \
	cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PIPE(a_line_begins_with_time_level_and_event),
		ON_PIPE(lesser_lines_are_not_written),
		ON_PIPE(nothing_in_a_text_can_forge_a_line),
		ON_PIPE(long_lines_are_cut_and_say_so),
		ON_PIPE(too_many_fields_are_cut_too),
		ON_PIPE(lines_of_many_threads_do_not_mix),
		cmocka_unit_test(
			numbers_show_their_country_and_last_two_digits),
		cmocka_unit_test(short_numbers_show_less),
	};

	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
