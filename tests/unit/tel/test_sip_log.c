// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_log.c - does what libre prints become few lines without numbers?
 */
#include "tel/sip_priv.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "support/test.h"

static struct clock *test_clock;
static struct loop *loop;
static int fd;
static char text[1 << 16];

static int open_log(void **state)
{
	(void)state;
	test_clock = clock_manual(0);
	loop = loop_new(test_clock);
	tsip_timer_use(loop);
	fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(fd >= 0);
	log_to(fd);
	tsip_log_catch();
	return 0;
}

static int close_log(void **state)
{
	(void)state;
	tsip_log_release();
	log_to(STDERR_FILENO);
	(void)close(fd);
	tsip_timer_use(NULL);
	loop_free(loop);
	clock_free(test_clock);
	return 0;
}

static const char *logged(void)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static unsigned lines(void)
{
	unsigned n = 0;

	for (const char *at = logged(); (at = strchr(at, '\n')) != NULL; at++)
		n++;
	return n;
}

TEST(what_is_printed_becomes_a_line_of_the_log)
{
	(void)re_fprintf(stderr, "unhandled request: %s\n", "BYE");
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(text, "\"event\":\"sip.library\""));
	assert_non_null(strstr(text, "\"text\":\"unhandled request: BYE\""));
	(void)re_printf("\n");
	assert_int_equal(lines(), 1);
}

TEST(numbers_are_blanked_however_they_are_written)
{
	(void)re_fprintf(stderr, "from %s: INVITE sip:%s@%s:5060\n",
			 "192.0.2.1:5060", "+14155550100", "192.0.2.7");
	(void)re_fprintf(stderr, "tel:+1-(415) 555-0123 %u", 486u);
	assert_non_null(strstr(logged(), "192.0.2.1:5060: INVITE"));
	assert_non_null(strstr(text, "sip:+xxxxxxxxx00@192.0.2.7:5060"));
	assert_non_null(strstr(text, "tel:+x-(xxx) xxx-"));
	assert_null(strstr(text, "555"));
}

TEST(a_flood_is_few_lines_a_minute_and_a_count)
{
	for (int i = 0; i < 1000; i++)
		(void)re_fprintf(stderr, "decode error\n");
	assert_int_equal(lines(), TSIP_LOG_PER_MINUTE);
	clock_advance(test_clock, 60 * 1000L);
	(void)re_fprintf(stderr, "decode error\n");
	assert_int_equal(lines(), TSIP_LOG_PER_MINUTE + 1);
	assert_non_null(strstr(text, "\"dropped\":980"));
}

TEST(what_is_too_long_is_cut)
{
	static char huge[4096];

	memset(huge, 'y', sizeof(huge) - 1);
	(void)re_fprintf(stderr, "from a friend: %s", huge);
	assert_int_equal(lines(), 1);
	assert_true(strlen(text) < 512);
	assert_non_null(strstr(text, "[cut]"));
}

TEST(other_streams_are_left_alone)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	assert_non_null(f);
	assert_int_equal(re_fprintf(f, "%s", "whole 14155550100"), 17);
	(void)fclose(f);
	assert_string_equal(out, "whole 14155550100");
	assert_int_equal(lines(), 0);
	free(out);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, open_log, close_log)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(what_is_printed_becomes_a_line_of_the_log),
		ON(numbers_are_blanked_however_they_are_written),
		ON(a_flood_is_few_lines_a_minute_and_a_count),
		ON(what_is_too_long_is_cut),
		ON(other_streams_are_left_alone),
	};

	return cmocka_run_group_tests_name("tel/sip_log", tests, NULL, NULL);
}
