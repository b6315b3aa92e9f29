// SPDX-License-Identifier: Apache-2.0
/*
 * test_places.c - the line in front of a telephone: who gets a place, when, in
 * which order, and what those hear who get none.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/loop.h"
#include "base/mem.h"
#include "support/test.h"
#include "tel/tel.h"

enum { GUESTS = 12 };

static enum tel_state state_now;

static bool serves_all(void *state, const char *to)
{
	(void)state;
	(void)to;
	return true;
}

static enum tel_state tell_state(void *state)
{
	(void)state;
	return state_now;
}

static void free_nothing(void *state)
{
	(void)state;
}

static const struct tel_driver driver = {
	.name = "test",
	.serves = serves_all,
	.state = tell_state,
	.free = free_nothing,
};

struct room;
struct guest {
	struct tel_place place;
	struct room *room;
	int told; /* times */
	int err;
	int64_t at_ms;
	int turn; /* among all that were told */
};
struct room {
	struct clock *clock;
	struct loop *loop;
	struct tel *tel;
	struct guest guests[GUESTS];
	int64_t began_ms;
	int turns;
};

static struct room *open_room(unsigned per_second, unsigned calls)
{
	struct room *r = b_zero(1, sizeof(*r));
	const struct tel_limits limits = {.per_second = per_second,
					  .calls = calls};

	state_now = TEL_UP;
	r->clock = clock_manual(0);
	r->loop = loop_new(r->clock);
	r->tel = tel_new(&driver, NULL);
	tel_limit(r->tel, r->loop, &limits);
	r->began_ms = clock_mono_ms(r->clock);
	return r;
}

static void close_room(struct room *r)
{
	for (size_t i = 0; i < GUESTS; i++)
		tel_place_drop(&r->guests[i].place);
	tel_free(r->tel);
	loop_free(r->loop);
	clock_free(r->clock);
	free(r);
}

static void told(int err, void *ctx)
{
	struct guest *g = ctx;

	g->told++;
	g->err = err;
	g->at_ms = clock_mono_ms(g->room->clock) - g->room->began_ms;
	g->turn = ++g->room->turns;
}

static void ask(struct room *r, size_t guest, int64_t max_wait_ms)
{
	struct guest *g = &r->guests[guest];

	g->room = r;
	tel_place_take(r->tel, &g->place, max_wait_ms, told, g);
}

static void expect(const struct room *r, size_t guest, int err, int64_t at_ms)
{
	const struct guest *g = &r->guests[guest];

	assert_int_equal(g->told, 1);
	assert_int_equal(g->err, err);
	assert_int_equal(g->at_ms, at_ms);
	assert_int_equal(g->place.held, err == 0);
}

TEST(a_free_place_is_given_from_the_loop)
{
	struct room *r = open_room(0, 0);

	ask(r, 0, 0);
	assert_int_equal(r->guests[0].told, 0);
	loop_advance(r->loop, 0);

	expect(r, 0, 0, 0);
	close_room(r);
}

TEST(so_many_a_second_come_one_by_one_in_order)
{
	struct room *r = open_room(5, 0);

	for (size_t i = 0; i < 8; i++)
		ask(r, i, 60000);
	loop_advance(r->loop, 5000);

	for (size_t i = 0; i < 8; i++) {
		expect(r, i, 0, (int64_t)i * 200);
		assert_int_equal(r->guests[i].turn, (int)i + 1);
	}
	close_room(r);
}

TEST(a_rate_that_divides_no_second_is_kept_in_every_second)
{
	struct room *r = open_room(7, 0);

	for (size_t i = 0; i < GUESTS; i++)
		ask(r, i, 60000);
	loop_advance(r->loop, 5000);

	for (size_t i = 0; i < GUESTS; i++)
		assert_int_equal(r->guests[i].err, 0);
	for (size_t i = 7; i < GUESTS; i++)
		assert_true(r->guests[i].at_ms - r->guests[i - 7].at_ms >=
			    1000);
	assert_true(r->guests[7].at_ms <= 1001);
	close_room(r);
}

TEST(several_may_share_a_millisecond)
{
	struct room *r = open_room(3000, 0);

	for (size_t i = 0; i < 9; i++)
		ask(r, i, 60000);
	loop_advance(r->loop, 100);

	for (size_t i = 0; i < 9; i++)
		expect(r, i, 0, (int64_t)i * 334 / 1000);
	close_room(r);
}

TEST(what_was_not_used_is_not_saved)
{
	struct room *r = open_room(5, 0);

	loop_advance(r->loop, 10000);
	ask(r, 0, 1000);
	ask(r, 1, 1000);
	loop_advance(r->loop, 1000);

	expect(r, 0, 0, 10000);
	expect(r, 1, 0, 10200);
	close_room(r);
}

TEST(a_place_beyond_the_count_waits_until_one_is_dropped)
{
	struct room *r = open_room(0, 2);

	for (size_t i = 0; i < 4; i++)
		ask(r, i, 60000);
	loop_advance(r->loop, 3000);
	assert_int_equal(r->guests[2].told, 0);
	tel_place_drop(&r->guests[0].place);
	assert_int_equal(r->guests[2].told, 0);
	loop_advance(r->loop, 500);

	expect(r, 1, 0, 0);
	expect(r, 2, 0, 3000);
	assert_int_equal(r->guests[3].told, 0);
	close_room(r);
}

TEST(who_waits_too_long_is_told_so_and_the_others_go_on)
{
	struct room *r = open_room(0, 1);

	ask(r, 0, 0);
	ask(r, 1, 2000);
	ask(r, 2, 60000);
	loop_advance(r->loop, 5000);
	expect(r, 1, -ETIME, 2000);
	tel_place_drop(&r->guests[0].place);
	loop_advance(r->loop, 0);

	expect(r, 2, 0, 5000);
	close_room(r);
}

TEST(what_the_schedule_cannot_give_in_time_is_refused_at_once)
{
	struct room *r = open_room(1, 0);

	for (size_t i = 0; i < 5; i++)
		ask(r, i, 3000);
	assert_int_equal(r->guests[4].told, 0);
	loop_advance(r->loop, 0);
	expect(r, 4, -ETIME, 0);
	loop_advance(r->loop, 10000);

	for (size_t i = 0; i < 4; i++)
		expect(r, i, 0, (int64_t)i * 1000);
	close_room(r);
}

TEST(nobody_waits_for_a_telephone_that_is_down)
{
	struct room *r = open_room(5, 5);

	state_now = TEL_RESTING;
	ask(r, 0, 60000);
	assert_int_equal(r->guests[0].told, 0);
	loop_advance(r->loop, 0);

	expect(r, 0, -EHOSTUNREACH, 0);
	close_room(r);
}

TEST(those_who_wait_hear_that_it_went_down)
{
	struct room *r = open_room(1, 0);

	for (size_t i = 0; i < 4; i++)
		ask(r, i, 60000);
	loop_advance(r->loop, 1500);
	state_now = TEL_DOWN;
	tel_state_changed(r->tel);
	assert_int_equal(r->guests[2].told, 0);
	loop_advance(r->loop, 0);

	expect(r, 0, 0, 0);
	expect(r, 1, 0, 1000);
	expect(r, 2, -EHOSTUNREACH, 1500);
	expect(r, 3, -EHOSTUNREACH, 1500);
	close_room(r);
}

TEST(a_place_given_in_the_moment_it_went_down_is_none)
{
	struct room *r = open_room(0, 1);

	ask(r, 0, 60000);
	state_now = TEL_DOWN;
	tel_state_changed(r->tel);
	loop_advance(r->loop, 0);
	expect(r, 0, -EHOSTUNREACH, 0);
	state_now = TEL_UP;
	ask(r, 1, 0);
	loop_advance(r->loop, 0);

	expect(r, 1, 0, 0);
	close_room(r);
}

TEST(who_leaves_the_line_hears_nothing_and_holds_up_nobody)
{
	struct room *r = open_room(0, 1);

	for (size_t i = 0; i < 3; i++)
		ask(r, i, 60000);
	loop_advance(r->loop, 100);
	tel_place_drop(&r->guests[1].place);
	tel_place_drop(&r->guests[1].place);
	tel_place_drop(&r->guests[0].place);
	loop_advance(r->loop, 100);

	assert_int_equal(r->guests[1].told, 0);
	expect(r, 2, 0, 100);
	close_room(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_place_is_given_from_the_loop),
		cmocka_unit_test(so_many_a_second_come_one_by_one_in_order),
		cmocka_unit_test(
			a_rate_that_divides_no_second_is_kept_in_every_second),
		cmocka_unit_test(several_may_share_a_millisecond),
		cmocka_unit_test(what_was_not_used_is_not_saved),
		cmocka_unit_test(
			a_place_beyond_the_count_waits_until_one_is_dropped),
		cmocka_unit_test(
			who_waits_too_long_is_told_so_and_the_others_go_on),
		cmocka_unit_test(
			what_the_schedule_cannot_give_in_time_is_refused_at_once),
		cmocka_unit_test(nobody_waits_for_a_telephone_that_is_down),
		cmocka_unit_test(those_who_wait_hear_that_it_went_down),
		cmocka_unit_test(
			a_place_given_in_the_moment_it_went_down_is_none),
		cmocka_unit_test(
			who_leaves_the_line_hears_nothing_and_holds_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
