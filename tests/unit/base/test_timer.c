// SPDX-License-Identifier: Apache-2.0
/*
 * test_timer.c - does each timer fire once, in order, and not when stopped?
 */
#include "support/test.h"

#include <string.h>

#include "base/random.h"
#include "base/timer.h"

enum { MANY = 2000 };

struct bench {
	struct clock *clock;
	struct timers *timers;
	char order[16]; /* names in the order they fired */
	struct timer a, b, c;
};

static struct bench bench;

static int open_bench(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.clock = clock_manual(0);
	bench.timers = timers_new(bench.clock);
	return 0;
}

static int close_bench(void **state)
{
	(void)state;
	timers_free(bench.timers);
	clock_free(bench.clock);
	return 0;
}

static void note(void *name)
{
	strncat(bench.order, name, 1);
}

static void set(struct timer *tm, int64_t after_ms, char *name)
{
	timer_set(bench.timers, tm, after_ms, note, name);
}

static size_t turn_after(int64_t ms)
{
	clock_advance(bench.clock, ms);
	return timers_turn(bench.timers);
}

static char name_a[] = "a", name_b[] = "b", name_c[] = "c";

TEST(timers_fire_when_due_and_not_before)
{
	set(&bench.a, 100, name_a);
	assert_true(timer_is_set(&bench.a));
	assert_int_equal(turn_after(99), 0);
	assert_int_equal(turn_after(1), 1);
	assert_false(timer_is_set(&bench.a));
	assert_int_equal(turn_after(1000), 0);
	assert_string_equal(bench.order, "a");
}

TEST(timers_fire_in_the_order_of_their_times)
{
	set(&bench.a, 30, name_a);
	set(&bench.b, 10, name_b);
	set(&bench.c, 20, name_c);
	assert_int_equal(turn_after(50), 3);
	assert_string_equal(bench.order, "bca");
}

TEST(equal_times_fire_in_the_order_they_were_set)
{
	set(&bench.c, 10, name_c);
	set(&bench.a, 10, name_a);
	set(&bench.b, 10, name_b);
	set(&bench.c, 10, name_c);
	assert_int_equal(turn_after(10), 3);
	assert_string_equal(bench.order, "abc");
}

TEST(a_stopped_timer_does_not_fire)
{
	timer_stop(bench.timers, &bench.a);
	set(&bench.a, 10, name_a);
	set(&bench.b, 10, name_b);
	timer_stop(bench.timers, &bench.a);
	timer_stop(bench.timers, &bench.a);
	assert_int_equal(timers_count(bench.timers), 1);
	assert_int_equal(turn_after(10), 1);
	assert_string_equal(bench.order, "b");
}

TEST(setting_again_moves_a_timer)
{
	set(&bench.a, 10, name_a);
	set(&bench.a, 20, name_a);
	assert_int_equal(timers_count(bench.timers), 1);
	assert_int_equal(turn_after(10), 0);
	assert_int_equal(turn_after(10), 1);
}

TEST(the_wait_is_until_the_next_one)
{
	assert_int_equal(timers_wait_ms(bench.timers), -1);
	set(&bench.a, 70, name_a);
	set(&bench.b, 50, name_b);
	assert_int_equal(timers_wait_ms(bench.timers), 50);
	clock_advance(bench.clock, 60);
	assert_int_equal(timers_wait_ms(bench.timers), 0);
}

TEST(odd_times_are_held_at_the_ends)
{
	set(&bench.a, -5, name_a);
	set(&bench.b, INT64_MAX, name_b);
	assert_int_equal(turn_after(0), 1);
	assert_string_equal(bench.order, "a");
	assert_true(timers_wait_ms(bench.timers) > 1000000000);
}

static void stop_others(void *ctx)
{
	note(ctx);
	timer_stop(bench.timers, &bench.b);
	timer_stop(bench.timers, &bench.a);
}

TEST(a_handler_may_stop_one_that_is_due_too)
{
	timer_set(bench.timers, &bench.a, 10, stop_others, name_a);
	set(&bench.b, 10, name_b);
	set(&bench.c, 10, name_c);
	assert_int_equal(turn_after(10), 2);
	assert_string_equal(bench.order, "ac");
}

static void again_at_once(void *ctx)
{
	note(ctx);
	timer_set(bench.timers, &bench.a, 0, again_at_once, ctx);
	timer_set(bench.timers, &bench.b, 0, note, name_b);
}

TEST(what_a_handler_sets_waits_for_the_next_turn)
{
	timer_set(bench.timers, &bench.a, 10, again_at_once, name_a);
	set(&bench.b, 10, name_b);
	set(&bench.c, 10, name_c);
	assert_int_equal(turn_after(10), 2);
	assert_string_equal(bench.order, "ac");
	assert_int_equal(timers_wait_ms(bench.timers), 0);
	/* a again, and again puts b off */
	assert_int_equal(turn_after(0), 1);
	assert_string_equal(bench.order, "aca");
}

struct mass {
	struct timer timers[MANY];
	size_t fired;
};

static void in_order(void *ctx)
{
	struct mass *mass = ctx;

	mass->fired++;
}

/* Against the heap: thousands set, moved and stopped at random. */
TEST(very_many_timers_stay_in_order)
{
	static struct mass mass;
	AUTO(rng) *r = rng_seeded(5);
	size_t left = 0;

	for (int i = 0; i < 5 * MANY; i++) {
		struct timer *tm = &mass.timers[rng_below(r, MANY)];

		if (rng_below(r, 3) == 0)
			timer_stop(bench.timers, tm);
		else
			timer_set(bench.timers, tm, rng_below(r, 5000),
				  in_order, &mass);
	}
	for (int i = 0; i < MANY; i++)
		left += timer_is_set(&mass.timers[i]);
	assert_int_equal(timers_count(bench.timers), left);
	for (int ms = 0; ms <= 5000; ms++) {
		int64_t now = clock_mono_ms(bench.clock);
		size_t due = 0;

		for (int i = 0; i < MANY; i++)
			due += timer_is_set(&mass.timers[i]) &&
			       mass.timers[i].due_ms <= now;
		assert_int_equal(timers_turn(bench.timers), due);
		clock_advance(bench.clock, 1);
	}
	assert_int_equal(mass.fired, left);
	assert_int_equal(timers_count(bench.timers), 0);
}

TEST(running_timers_are_forgotten_with_their_heap)
{
	set(&bench.a, 10, name_a);
	timers_free(bench.timers);
	timers_free(NULL);
	bench.timers = NULL;
	assert_string_equal(bench.order, "");
}

#define ON_BENCH(test) \
	cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(timers_fire_when_due_and_not_before),
		ON_BENCH(timers_fire_in_the_order_of_their_times),
		ON_BENCH(equal_times_fire_in_the_order_they_were_set),
		ON_BENCH(a_stopped_timer_does_not_fire),
		ON_BENCH(setting_again_moves_a_timer),
		ON_BENCH(the_wait_is_until_the_next_one),
		ON_BENCH(odd_times_are_held_at_the_ends),
		ON_BENCH(a_handler_may_stop_one_that_is_due_too),
		ON_BENCH(what_a_handler_sets_waits_for_the_next_turn),
		ON_BENCH(very_many_timers_stay_in_order),
		ON_BENCH(running_timers_are_forgotten_with_their_heap),
	};

	return cmocka_run_group_tests_name("base/timer", tests, NULL, NULL);
}
