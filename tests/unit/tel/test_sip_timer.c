// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_timer.c - are libre's timers in our heap, on our clock?
 */
#include "tel/sip_priv.h"

#include <string.h>

#include "support/test.h"

static struct clock *test_clock;
static struct loop *loop;
static char order[16];

static int open_loop(void **state)
{
	(void)state;
	test_clock = clock_manual(0);
	loop = loop_new(test_clock);
	tsip_timer_use(loop);
	order[0] = '\0';
	return 0;
}

static int close_loop(void **state)
{
	(void)state;
	tsip_timer_use(NULL);
	(void)fd_setsize(0);
	loop_free(loop);
	clock_free(test_clock);
	return 0;
}

static char name_a[] = "a", name_b[] = "b";

static void note(void *name)
{
	strncat(order, name, 1);
}

TEST(libre_itself_runs_on_our_heap)
{
	assert_true(tsip_timer_is_ours());
	assert_int_equal(timers_count(loop_timers(loop)), 0);

	tsip_timer_use(NULL);
	assert_false(tsip_timer_is_ours());
}

TEST(timers_fire_in_order_when_they_are_due_and_not_before)
{
	struct tmr a = {0}, b = {0};

	tmr_start(&a, 500, note, name_a);
	tmr_start(&b, 100, note, name_b);
	loop_advance(loop, 99);
	assert_string_equal(order, "");
	loop_advance(loop, 1);
	assert_string_equal(order, "b");
	assert_true(tmr_isrunning(&a));
	assert_false(tmr_isrunning(&b));
	loop_advance(loop, 400);
	assert_string_equal(order, "ba");
	assert_false(tmr_isrunning(&a));
}

TEST(a_timer_set_again_fires_once)
{
	struct tmr a = {0};

	tmr_start(&a, 100, note, name_a);
	tmr_start(&a, 300, note, name_b);
	assert_int_equal(timers_count(loop_timers(loop)), 1);
	loop_advance(loop, 1000);
	assert_string_equal(order, "b");
}

TEST(a_cancelled_timer_leaves_nothing_behind)
{
	struct tmr a = {0};

	tmr_cancel(&a);
	tmr_cancel(NULL);
	tmr_start(&a, 100, note, name_a);
	tmr_cancel(&a);
	tmr_cancel(&a);
	tmr_start(&a, 100, NULL, NULL);
	assert_int_equal(timers_count(loop_timers(loop)), 0);
	loop_advance(loop, 1000);
	assert_string_equal(order, "");
}

static struct tmr again;

static void set_again(void *name)
{
	note(name);
	tmr_start(&again, 10, note, name_b);
}

TEST(a_timer_may_be_set_from_its_handler)
{
	tmr_init(&again);
	tmr_start(&again, 10, set_again, name_a);
	loop_advance(loop, 20);
	assert_string_equal(order, "ab");
}

TEST(what_is_left_is_told_in_milliseconds_of_our_clock)
{
	struct tmr a = {0};
	uint64_t now = tmr_jiffies();

	tmr_start(&a, 32000, note, name_a);
	loop_advance(loop, 2000);
	assert_int_equal(tmr_jiffies(), now + 2000);
	assert_int_equal(tmr_get_expire(&a), 30000);
	tmr_cancel(&a);
	assert_int_equal(tmr_get_expire(&a), 0);
}

TEST(a_turn_runs_posts_and_timers_without_waiting)
{
	struct tmr a = {0}, later = {0};

	tmr_start(&a, 0, note, name_b);
	tmr_start(&later, 3600000, note, name_b);
	loop_call(loop, note, name_a);
	assert_true(tsip_timer_turn());
	assert_string_equal(order, "ab");
	assert_false(tsip_timer_turn());
	tmr_cancel(&later);
}

TEST(without_a_loop_nothing_is_set)
{
	struct tmr a = {0};

	tsip_timer_use(NULL);
	tmr_start(&a, 10, note, name_a);
	assert_false(tmr_isrunning(&a));
	assert_true(tmr_jiffies() > 0);
}

#define ON_LOOP(test) \
	cmocka_unit_test_setup_teardown(test, open_loop, close_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOP(libre_itself_runs_on_our_heap),
		ON_LOOP(timers_fire_in_order_when_they_are_due_and_not_before),
		ON_LOOP(a_timer_set_again_fires_once),
		ON_LOOP(a_cancelled_timer_leaves_nothing_behind),
		ON_LOOP(a_timer_may_be_set_from_its_handler),
		ON_LOOP(what_is_left_is_told_in_milliseconds_of_our_clock),
		ON_LOOP(a_turn_runs_posts_and_timers_without_waiting),
		ON_LOOP(without_a_loop_nothing_is_set),
	};

	return cmocka_run_group_tests_name("tel/sip_timer", tests, NULL, NULL);
}
