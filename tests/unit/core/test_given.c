// SPDX-License-Identifier: Apache-2.0
/*
 * test_given.c - what its maker gave is gone when it is over (A6), and live
 * codes know what they belong to, in the order of their making.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/verification.h"
#include "support/test.h"

#define CODE "482913"

static const int64_t t0 = 1000000, minute = 60000;

static struct verification v;
static struct verification_number n;
static int64_t retry;

static struct verification wish(const char *id)
{
	struct verification w = {.ttl_ms = 10 * minute, .epoch = 7};

	(void)snprintf(w.id, sizeof(w.id), "%s", id);
	(void)snprintf(w.purpose, sizeof(w.purpose), "login");
	return w;
}

static int set_up(void **state)
{
	(void)state;
	memset(&n, 0, sizeof(n));
	v = wish("ver_1");
	return verification_create(&v, &n, t0, &retry) != VERIFICATION_FINE;
}

static enum outcome_check check(const char *code)
{
	const struct verification_attempt a = {
		.code = code, .expected = CODE, .epoch = v.epoch};
	unsigned left;

	return verification_check(&v, &n, &a, t0, &left);
}

static void give(struct verification *to)
{
	to->code_given = true;
	to->code_sealed_n = 5;
	memset(to->code_sealed, 0xc0, to->code_sealed_n);
	to->params_n = 3;
	to->params = b_copy("abc", to->params_n);
}

static void assert_gone(const struct verification *of)
{
	static const uint8_t nothing[sizeof(of->code_sealed)];

	assert_true(of->code_given);
	assert_int_equal(of->code_sealed_n, 0);
	assert_memory_equal(of->code_sealed, nothing, sizeof(nothing));
	assert_null(of->params);
	assert_int_equal(of->params_n, 0);
}

TEST(what_was_given_is_gone_however_it_ends)
{
	struct verification w = v;

	give(&v);
	v.deliverable_ms = t0;
	assert_int_equal(check("000000"), CHECK_WRONG);
	assert_int_equal(v.params_n, 3);
	assert_int_equal(check(CODE), CHECK_APPROVED);
	assert_gone(&v);
	assert_int_equal(check(CODE), CHECK_USED);

	v = w;
	give(&v);
	assert_true(verification_cancel(&v, &n, t0));
	assert_gone(&v);

	v = w;
	give(&v);
	assert_true(verification_expire(&v, &n, v.expires_ms));
	assert_gone(&v);
}

TEST(a_copy_has_its_own_of_everything)
{
	struct verification copy;

	give(&v);
	v.metadata = b_strdup("{}");
	copy = verification_copy(&v);
	verification_free(&v);

	assert_string_equal(copy.metadata, "{}");
	assert_memory_equal(copy.params, "abc", 3);
	verification_free(&copy);
}

TEST(the_newest_live_one_is_the_last_whichever_ended)
{
	struct verification two = wish("ver_2"), three = wish("ver_3");

	(void)snprintf(two.label, sizeof(two.label), "VA1");
	(void)verification_create(&two, &n, t0, &retry);
	(void)verification_create(&three, &n, t0, &retry);
	assert_true(verification_cancel(&v, &n, t0));

	assert_int_equal(n.live_count, 2);
	assert_string_equal(n.live[0].id, "ver_2");
	assert_string_equal(n.live[0].label, "VA1");
	assert_string_equal(n.live[1].id, "ver_3");
}

TEST(the_oldest_live_one_gives_way_only_where_there_is_no_room)
{
	struct verification two = wish("ver_2"), three = wish("ver_3");

	(void)verification_create(&two, &n, t0, &retry);
	verification_live_yield(&n);
	assert_int_equal(n.live_count, 2);
	(void)verification_create(&three, &n, t0, &retry);
	verification_live_yield(&n);

	assert_int_equal(n.live_count, 2);
	assert_string_equal(n.live[0].id, "ver_2");
	assert_string_equal(n.live[1].id, "ver_3");
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_given_is_gone_however_it_ends),
		CASE(a_copy_has_its_own_of_everything),
		CASE(the_newest_live_one_is_the_last_whichever_ended),
		CASE(the_oldest_live_one_gives_way_only_where_there_is_no_room),
	};

	return cmocka_run_group_tests_name("core/given", tests, NULL, NULL);
}
