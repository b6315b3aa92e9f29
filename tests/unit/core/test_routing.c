// SPDX-License-Identifier: Apache-2.0
/*
 * test_routing.c - the longest prefix that matches wins, and only its trunks
 * are asked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/routing.h"
#include "support/test.h"

static const char *const a_b[] = {"a", "b"};
static const char *const b_a[] = {"b", "a"};
static const char *const only_c[] = {"c"};

static void add(struct routing *r, const char *prefix,
		const char *const *trunks, size_t count)
{
	struct diag d = {0};

	if (routing_add(r, prefix, trunks, count, &d))
		fail_msg("%s", d.message);
}

static void refuses(struct routing *r, const char *prefix,
		    const char *const *trunks, size_t count, const char *why)
{
	struct diag d = {0};

	assert_int_equal(routing_add(r, prefix, trunks, count, &d), -EINVAL);
	if (!strstr(d.message, why))
		fail_msg("\"%s\" lacks \"%s\"", d.message, why);
}

TEST(the_longest_prefix_wins_with_its_order)
{
	AUTO(routing) *r = routing_new();
	const char *out[ROUTING_TRUNKS_MAX];

	add(r, "+", a_b, 2);
	add(r, "+49", b_a, 2);
	add(r, "+49170", only_c, 1);

	assert_int_equal(routing_find(r, "+14155550100", out), 2);
	assert_string_equal(out[0], "a");
	assert_string_equal(out[1], "b");
	assert_int_equal(routing_find(r, "+4930123456", out), 2);
	assert_string_equal(out[0], "b");
	assert_int_equal(routing_find(r, "+491701234567", out), 1);
	assert_string_equal(out[0], "c");
	assert_int_equal(routing_find(r, "+4917", out), 2);
}

TEST(where_no_prefix_matches_nothing_serves)
{
	AUTO(routing) *r = routing_new();
	const char *out[ROUTING_TRUNKS_MAX];

	assert_int_equal(routing_find(r, "+14155550100", out), 0);
	add(r, "+49", a_b, 2);

	assert_int_equal(routing_find(r, "+14155550100", out), 0);
	assert_int_equal(routing_find(r, "+4", out), 0);
	assert_int_equal(routing_find(r, "", out), 0);
	assert_int_equal(routing_find(r, "4930123456", out), 0);
}

TEST(a_whole_number_may_be_a_prefix)
{
	AUTO(routing) *r = routing_new();
	const char *out[ROUTING_TRUNKS_MAX];

	add(r, "+491701234567890", only_c, 1);
	add(r, "+", a_b, 2);

	assert_int_equal(routing_find(r, "+491701234567890", out), 1);
	assert_int_equal(routing_find(r, "+49170123456789", out), 2);
}

TEST(what_is_no_row_is_refused_and_named)
{
	static const char *const nine[] = {"1", "2", "3", "4", "5",
					   "6", "7", "8", "9"};
	static const char *const twice[] = {"a", "a"};
	static const char *const empty[] = {""};
	static const char *const longer[] = {
		"a-name-that-is-longer-than-any-may-be"};
	AUTO(routing) *r = routing_new();

	add(r, "+49", a_b, 2);

	refuses(r, "", a_b, 2, "no prefix");
	refuses(r, "49", a_b, 2, "no prefix");
	refuses(r, "+4x", a_b, 2, "no prefix");
	refuses(r, "+12345678901234567", a_b, 2, "no prefix");
	refuses(r, "+49", only_c, 1, "+49 stands twice");
	refuses(r, "+1", a_b, 0, "1 to 8 trunks");
	refuses(r, "+1", nine, 9, "1 to 8 trunks");
	refuses(r, "+1", twice, 2, "\"a\" stands twice");
	refuses(r, "+1", empty, 1, "1 to 31 bytes");
	refuses(r, "+1", longer, 1, "1 to 31 bytes");
}

TEST(the_table_has_an_end)
{
	AUTO(routing) *r = routing_new();
	char prefix[ROUTING_PREFIX_BYTES];

	for (unsigned i = 0; i < ROUTING_ROWS_MAX; i++) {
		(void)snprintf(prefix, sizeof(prefix), "+%u", 1000 + i);
		add(r, prefix, only_c, 1);
	}

	refuses(r, "+9", only_c, 1, "more than 1000");
}

TEST(texts_are_copied)
{
	AUTO(routing) *r = routing_new();
	char name[] = "first", prefix[] = "+44";
	const char *const names[] = {name};
	const char *out[ROUTING_TRUNKS_MAX];

	add(r, prefix, names, 1);
	name[0] = prefix[1] = 'x';

	assert_int_equal(routing_find(r, "+442079460000", out), 1);
	assert_string_equal(out[0], "first");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins_with_its_order),
		cmocka_unit_test(where_no_prefix_matches_nothing_serves),
		cmocka_unit_test(a_whole_number_may_be_a_prefix),
		cmocka_unit_test(what_is_no_row_is_refused_and_named),
		cmocka_unit_test(the_table_has_an_end),
		cmocka_unit_test(texts_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
