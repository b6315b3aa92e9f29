// SPDX-License-Identifier: Apache-2.0
/*
 * conformance_counters.c - windows, holds, and all of them or none.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "unit/store/conformance_priv.h"

static const struct store_counter three_an_hour = {
	.name = "n:1", .amount = 1, .limit = 3, .window_ms = HOUR};

static struct store_counter line(const char *holder)
{
	return (struct store_counter){.name = "lines",
				      .amount = 1,
				      .limit = 2,
				      .holder = holder,
				      .ttl_ms = 10 * MINUTE};
}

static int reserve(struct fixture *f, const struct store_counter *c)
{
	return bl_reserve(f->st, c, 1).err;
}

static int hold(struct fixture *f, const char *holder)
{
	struct store_counter c = line(holder);

	return reserve(f, &c);
}

PROMISE(a_counter_takes_up_to_its_limit)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(reserve(f, &three_an_hour), 0);

	assert_int_equal(reserve(f, &three_an_hour), -EDQUOT);
	assert_int_equal(bl_used(f->st, &three_an_hour), 3);
}

PROMISE(a_refusal_names_the_counter_and_when_it_has_room)
{
	const struct store_counter c[] = {
		{.name = "wide", .amount = 1, .limit = 99, .window_ms = DAY},
		{.name = "tight", .amount = 2, .limit = 3, .window_ms = HOUR},
	};
	struct store_result r;

	clock_advance(f->clock, 20 * MINUTE);
	assert_int_equal(bl_reserve(f->st, c, 2).err, 0);
	r = bl_reserve(f->st, c, 2);

	assert_int_equal(r.err, -EDQUOT);
	assert_int_equal(r.counter, 1);
	assert_string_equal(r.counter_name, "tight");
	assert_int_equal(r.retry_ms, 40 * MINUTE);
}

PROMISE(all_counters_are_taken_or_none)
{
	const struct store_counter c[] = {
		{.name = "a", .amount = 5, .limit = 99, .window_ms = HOUR},
		{.name = "b", .amount = 1, .limit = 0, .window_ms = HOUR},
		{.name = "c", .amount = 5, .limit = 99, .window_ms = HOUR},
	};

	assert_int_equal(bl_reserve(f->st, c, 3).err, -EDQUOT);

	assert_int_equal(bl_used(f->st, &c[0]), 0);
	assert_int_equal(bl_used(f->st, &c[2]), 0);
}

PROMISE(two_claims_on_one_counter_see_each_other)
{
	const struct store_counter c[] = {
		{.name = "a", .amount = 2, .limit = 3, .window_ms = HOUR},
		{.name = "a", .amount = 2, .limit = 3, .window_ms = HOUR},
	};
	struct store_result r = bl_reserve(f->st, c, 2);

	assert_int_equal(r.err, -EDQUOT);
	assert_int_equal(r.counter, 1);
	assert_int_equal(bl_used(f->st, &c[0]), 0);
}

PROMISE(windows_are_aligned_to_the_epoch)
{
	clock_advance(f->clock, HOUR - 1); /* the last of this window */
	for (int i = 0; i < 3; i++)
		assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(reserve(f, &three_an_hour), -EDQUOT);

	clock_advance(f->clock, 1);
	assert_int_equal(bl_used(f->st, &three_an_hour), 0);
	assert_int_equal(reserve(f, &three_an_hour), 0);
}

PROMISE(the_same_name_in_another_window_is_another_counter)
{
	struct store_counter day = three_an_hour;

	day.window_ms = DAY;
	assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(reserve(f, &day), 0);
	assert_int_equal(reserve(f, &day), 0);

	assert_int_equal(bl_used(f->st, &three_an_hour), 1);
	assert_int_equal(bl_used(f->st, &day), 2);
}

enum { STEP = 10 * 1000, STEPS = 299 };

/* What is over makes room for what is current. */
PROMISE(a_name_has_windows_of_many_lengths_and_they_follow_each_other)
{
	struct store_counter c[STORE_WINDOWS_MAX];

	for (int64_t i = 0; i < STORE_WINDOWS_MAX; i++) {
		c[i] = three_an_hour;
		c[i].limit = 1000;
		c[i].window_ms = (i + 1) * MINUTE / 2; /* up to 4 minutes */
	}
	assert_int_equal(bl_reserve(f->st, c, COUNT_OF(c)).err, 0);
	for (int i = 0; i < STEPS; i++) {
		clock_advance(f->clock, STEP);
		assert_int_equal(bl_reserve(f->st, c, COUNT_OF(c)).err, 0);
	}

	for (size_t i = 0; i < COUNT_OF(c); i++)
		assert_int_equal(bl_used(f->st, &c[i]),
				 (START + (int64_t)STEPS * STEP) %
						 c[i].window_ms / STEP +
					 1);
}

PROMISE(more_windows_of_a_name_than_fit_are_refused)
{
	struct store_counter c = three_an_hour;

	for (int64_t i = 0; i < STORE_WINDOWS_MAX; i++) {
		c.window_ms = DAY >> i;
		assert_int_equal(reserve(f, &c), 0);
	}
	c.window_ms = HOUR;
	assert_int_equal(reserve(f, &c), -E2BIG);
	c.name = "another";
	assert_int_equal(reserve(f, &c), 0);
}

PROMISE(windows_that_no_day_is_a_multiple_of_count_as_well)
{
	struct store_counter week = three_an_hour, odd = three_an_hour;

	week.window_ms = 7 * DAY;
	odd.window_ms = 7 * HOUR;
	assert_int_equal(reserve(f, &week), 0);
	assert_int_equal(reserve(f, &odd), 0);
	assert_int_equal(reserve(f, &odd), 0);
	clock_advance(f->clock, 7 * HOUR);

	assert_int_equal(bl_used(f->st, &odd), 0);
	assert_int_equal(bl_used(f->st, &week), 1);
	assert_int_equal(bl_sweep(f->st, 0), 1);
	assert_int_equal(bl_used(f->st, &week), 1);
}

PROMISE(a_release_gives_back)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(bl_release(f->st, &three_an_hour, 1, START), 0);

	assert_int_equal(bl_used(f->st, &three_an_hour), 2);
	assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(reserve(f, &three_an_hour), -EDQUOT);
}

PROMISE(a_release_for_an_old_window_leaves_the_new_one_alone)
{
	assert_int_equal(reserve(f, &three_an_hour), 0);
	clock_advance(f->clock, HOUR);
	assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(bl_release(f->st, &three_an_hour, 1, START), 0);

	assert_int_equal(bl_used(f->st, &three_an_hour), 1);
}

PROMISE(a_counter_never_falls_below_nothing)
{
	assert_int_equal(reserve(f, &three_an_hour), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(bl_release(f->st, &three_an_hour, 1, START),
				 0);

	assert_int_equal(bl_used(f->st, &three_an_hour), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(reserve(f, &three_an_hour), -EDQUOT);
}

PROMISE(an_amount_that_can_never_fit_has_no_time_to_retry)
{
	const struct store_counter c = {
		.name = "a", .amount = 9, .limit = 3, .window_ms = HOUR};
	struct store_result r = bl_reserve(f->st, &c, 1);

	assert_int_equal(r.err, -EDQUOT);
	assert_int_equal(r.retry_ms, 0);
}

PROMISE(sums_that_overflow_are_over_the_limit)
{
	const struct store_counter c = {.name = "money",
					.amount = INT64_MAX,
					.limit = INT64_MAX,
					.window_ms = HOUR};

	assert_int_equal(reserve(f, &c), 0);
	assert_int_equal(reserve(f, &c), -EDQUOT);
	assert_true(bl_used(f->st, &c) == INT64_MAX);
}

PROMISE(a_hold_counts_until_it_is_released)
{
	struct store_counter first = line("call-1");

	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(hold(f, "call-2"), 0);
	assert_int_equal(hold(f, "call-3"), -EDQUOT);
	assert_int_equal(bl_used(f->st, &first), 2);
	assert_int_equal(bl_release(f->st, &first, 1, START), 0);

	assert_int_equal(bl_used(f->st, &first), 1);
	assert_int_equal(hold(f, "call-3"), 0);
	assert_int_equal(hold(f, "call-4"), -EDQUOT);
}

PROMISE(a_hold_with_the_same_holder_counts_once)
{
	struct store_counter first = line("call-1");

	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(bl_used(f->st, &first), 1);
	assert_int_equal(hold(f, "call-2"), 0);
	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(hold(f, "call-3"), -EDQUOT);

	assert_int_equal(bl_release(f->st, &first, 1, START), 0);
	assert_int_equal(bl_release(f->st, &first, 1, START), 0);
	assert_int_equal(bl_used(f->st, &first), 1);
}

PROMISE(a_hold_that_nobody_releases_runs_out)
{
	struct store_counter first = line("call-1");

	assert_int_equal(hold(f, "call-1"), 0);
	clock_advance(f->clock, 5 * MINUTE);
	assert_int_equal(hold(f, "call-2"), 0);
	clock_advance(f->clock, 5 * MINUTE - 1);
	assert_int_equal(hold(f, "call-3"), -EDQUOT);

	clock_advance(f->clock, 1);
	assert_int_equal(bl_used(f->st, &first), 1);
	assert_int_equal(hold(f, "call-3"), 0);
	assert_int_equal(hold(f, "call-4"), -EDQUOT);
	/* releasing what ran out takes nothing from the others */
	assert_int_equal(bl_release(f->st, &first, 1, START), 0);
	assert_int_equal(hold(f, "call-4"), -EDQUOT);
}

PROMISE(holding_again_extends_a_hold)
{
	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(hold(f, "call-2"), 0);
	clock_advance(f->clock, 9 * MINUTE);
	assert_int_equal(hold(f, "call-1"), 0);

	clock_advance(f->clock, 2 * MINUTE); /* call-2 ran out */
	assert_int_equal(hold(f, "call-3"), 0);
	assert_int_equal(hold(f, "call-4"), -EDQUOT);
}

PROMISE(what_ran_out_is_swept)
{
	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(reserve(f, &three_an_hour), 0);
	assert_int_equal(bl_sweep(f->st, 0), 0);
	clock_advance(f->clock, DAY);

	assert_int_equal(bl_sweep(f->st, 0), 2);
	assert_int_equal(bl_sweep(f->st, 0), 0);
	assert_int_equal(hold(f, "call-2"), 0);
	assert_int_equal(hold(f, "call-3"), 0);
	assert_int_equal(hold(f, "call-4"), -EDQUOT);
}

/* --- together with records --------------------------------------------------- */

static int apply_counted(struct store_tx *tx, void *ctx)
{
	(void)ctx;
	store_tx_put(tx, 0, span_of("v"), NULL);
	store_tx_event(tx, "topic", NULL, "made", span_of("{}"));
	store_tx_reserve(tx, &three_an_hour);
	return 0;
}

PROMISE(a_change_over_a_limit_writes_nothing)
{
	static const struct store_key key = {"a", "x"};
	struct bl_change c = {.keys = &key, .count = 1, .apply = apply_counted};
	struct store_result r;

	for (int i = 0; i < 3; i++)
		assert_int_equal(bl_change(f->st, &c).err, 0);
	assert_int_equal(bl_delete(f->st, 0, "a", "x"), 0);
	r = bl_change(f->st, &c);

	assert_int_equal(r.err, -EDQUOT);
	assert_int_equal(r.counter, 0);
	assert_false(bl_get(f->st, 0, "a", "x").there);
	bl_follow(f->st, "topic", "", 10, f->events);
	assert_int_equal(f->events->count, 3);
}

static int apply_and_refuse(struct store_tx *tx, void *ctx)
{
	(void)ctx;
	store_tx_reserve(tx, &three_an_hour);
	return -EPERM;
}

PROMISE(a_change_that_refuses_takes_no_counter)
{
	struct bl_change c = {.apply = apply_and_refuse};

	assert_int_equal(bl_change(f->st, &c).err, -EPERM);
	assert_int_equal(bl_used(f->st, &three_an_hour), 0);
}

static int apply_swap(struct store_tx *tx, void *ctx)
{
	struct store_counter from = line("call-1"), to = line("call-9");

	(void)ctx;
	store_tx_release(tx, &from, store_tx_now(tx));
	store_tx_reserve(tx, &to);
	return 0;
}

PROMISE(a_change_can_pass_a_hold_on)
{
	struct bl_change c = {.apply = apply_swap};

	assert_int_equal(hold(f, "call-1"), 0);
	assert_int_equal(hold(f, "call-2"), 0);

	assert_int_equal(bl_change(f->st, &c).err, 0);
	assert_int_equal(hold(f, "call-9"), 0);
	assert_int_equal(hold(f, "call-1"), -EDQUOT);
}

/* --- crowds -------------------------------------------------------------------- */

enum { CROWD = 8, EACH = 25, ROOM = 100 };

struct crowd {
	struct store *st;
	atomic_int taken, refused;
};

static void *crowd_thread(void *ctx)
{
	static const struct store_counter c = {
		.name = "crowd", .amount = 1, .limit = ROOM, .window_ms = DAY};
	struct crowd *cr = ctx;

	for (int i = 0; i < EACH; i++) {
		int err = bl_reserve(cr->st, &c, 1).err;

		if (err == 0)
			atomic_fetch_add(&cr->taken, 1);
		else if (err == -EDQUOT)
			atomic_fetch_add(&cr->refused, 1);
	}
	return NULL;
}

PROMISE(a_crowd_takes_exactly_the_limit)
{
	struct crowd cr = {.st = f->st};
	pthread_t t[CROWD];

	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&t[i], NULL, crowd_thread, &cr),
				 0);
	for (int i = 0; i < CROWD; i++)
		(void)pthread_join(t[i], NULL);

	assert_int_equal(atomic_load(&cr.taken), ROOM);
	assert_int_equal(atomic_load(&cr.refused), CROWD * EACH - ROOM);
}

/* --- limits --------------------------------------------------------------------- */

PROMISE(counters_that_make_no_sense_are_refused)
{
	struct store_counter many[STORE_COUNTERS_MAX + 1];
	struct store_counter c = three_an_hour;
	char name[STORE_ID_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[STORE_ID_MAX + 1] = '\0';
	c.name = name;
	assert_int_equal(reserve(f, &c), -E2BIG);
	c = three_an_hour;
	c.amount = -1;
	assert_int_equal(reserve(f, &c), -EINVAL);
	c = line(NULL);
	assert_int_equal(reserve(f, &c), -EINVAL);
	c = line("call");
	c.ttl_ms = 0;
	assert_int_equal(reserve(f, &c), -EINVAL);
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = three_an_hour;
	assert_int_equal(bl_reserve(f->st, many, COUNT_OF(many)).err, -E2BIG);
	assert_int_equal(bl_used(f->st, &three_an_hour), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_counter_takes_up_to_its_limit),
	cmocka_unit_test(a_refusal_names_the_counter_and_when_it_has_room),
	cmocka_unit_test(all_counters_are_taken_or_none),
	cmocka_unit_test(two_claims_on_one_counter_see_each_other),
	cmocka_unit_test(windows_are_aligned_to_the_epoch),
	cmocka_unit_test(the_same_name_in_another_window_is_another_counter),
	cmocka_unit_test(
		a_name_has_windows_of_many_lengths_and_they_follow_each_other),
	cmocka_unit_test(more_windows_of_a_name_than_fit_are_refused),
	cmocka_unit_test(windows_that_no_day_is_a_multiple_of_count_as_well),
	cmocka_unit_test(a_release_gives_back),
	cmocka_unit_test(a_release_for_an_old_window_leaves_the_new_one_alone),
	cmocka_unit_test(a_counter_never_falls_below_nothing),
	cmocka_unit_test(an_amount_that_can_never_fit_has_no_time_to_retry),
	cmocka_unit_test(sums_that_overflow_are_over_the_limit),
	cmocka_unit_test(a_hold_counts_until_it_is_released),
	cmocka_unit_test(a_hold_with_the_same_holder_counts_once),
	cmocka_unit_test(a_hold_that_nobody_releases_runs_out),
	cmocka_unit_test(holding_again_extends_a_hold),
	cmocka_unit_test(what_ran_out_is_swept),
	cmocka_unit_test(a_change_over_a_limit_writes_nothing),
	cmocka_unit_test(a_change_that_refuses_takes_no_counter),
	cmocka_unit_test(a_change_can_pass_a_hold_on),
	cmocka_unit_test(a_crowd_takes_exactly_the_limit),
	cmocka_unit_test(counters_that_make_no_sense_are_refused),
};
const struct part conformance_counters = PART(tests);
