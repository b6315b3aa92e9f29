// SPDX-License-Identifier: Apache-2.0
/*
 * test_calls.c - calls that are made again, canceled, settled, too late, too
 * many.
 */
#include <stdio.h>
#include <string.h>

#include "support/world.h"

enum { CROWD = 30 };

static struct verification_leg last_leg(const struct answer *a)
{
	assert_true(a->v.legs_count > 0);
	return a->v.legs[a->v.legs_count - 1];
}

static bool talks(void *ctx)
{
	struct service_stats s;

	service_stats(((struct world *)ctx)->service, &s);
	return s.calls_now > 0;
}

/* --- again ---------------------------------------------------------------------- */

TEST(after_busy_it_is_called_again_with_the_same_code)
{
	struct world *w = *state;
	struct answer made, again, end;
	char code[CODE_BYTES];

	world_script(w, "+12025550110", TEL_SCRIPT_BUSY);
	made = world_create(w, "+12025550110", "speak");
	(void)world_until_ended(w, made.v.id);
	w->numbers[w->numbers_count - 1].script = TEL_SCRIPT_LISTEN;
	world_pass(w, SECONDS(31));

	again = world_call(w, made.v.id);
	end = world_until_spoken(w, made.v.id);

	assert_false(again.refused);
	assert_int_equal(again.v.legs_count, 2);
	assert_int_equal(end.v.legs[0].outcome, LEG_BUSY);
	world_code(w, &made.v, code);
	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
}

TEST(a_call_under_way_a_limit_or_an_end_forbids_another)
{
	struct world *w = *state;
	struct answer made;

	world_script(w, "+12025550110", TEL_SCRIPT_BUSY);
	made = world_create(w, "+12025550110", "speak");
	assert_string_equal(world_call(w, made.v.id).no.code, "conflict");
	(void)world_until_ended(w, made.v.id);
	assert_string_equal(world_call(w, made.v.id).no.code, "rate_limited");
	(void)world_cancel(w, made.v.id);

	assert_string_equal(world_call(w, made.v.id).no.code, "conflict");
}

/* --- endings from outside ------------------------------------------------------------ */

TEST(a_cancel_in_the_middle_ends_the_call)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak"), end;
	char told[512];

	(void)world_until_spoken(w, made.v.id);
	assert_int_equal(world_cancel(w, made.v.id).v.status, STATUS_CANCELED);
	end = world_until_ended(w, made.v.id);
	world_events(w, made.v.id, told, sizeof(told));

	assert_int_equal(end.v.status, STATUS_CANCELED);
	assert_true(last_leg(&end).ended_ms - end.v.ended_ms < SECONDS(15));
	assert_non_null(strstr(told, "verification.canceled call.ended"));
	assert_false(world_cancel(w, made.v.id).refused);
}

TEST(a_cancel_while_it_rings_says_canceled)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550121", "speak"), end;

	world_until(w, HOURS(1), talks, w);
	world_pass(w, 1000);
	(void)world_cancel(w, made.v.id);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(last_leg(&end).outcome, LEG_CANCELED);
}

TEST(a_cancel_before_the_dial_means_no_dial)
{
	struct world *w = *state;
	const struct service_create req = {.who = w->who, .to = "+15555550110"};
	struct answer made = world_ask_only(w, &req), end;

	(void)world_cancel(w, made.v.id);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(last_leg(&end).outcome, LEG_CANCELED);
	assert_int_equal(last_leg(&end).dialed_ms, 0);
}

TEST(an_approval_by_the_api_settles_the_call)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak"), end;
	char code[CODE_BYTES];

	world_code(w, &made.v, code);
	(void)world_until_spoken(w, made.v.id);
	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(end.v.status, STATUS_APPROVED);
	/* what sounds, sounds on: the second time; the menu does not wait */
	assert_true(last_leg(&end).ended_ms - end.v.ended_ms < SECONDS(12));
}

/* --- time ---------------------------------------------------------------------------------- */

TEST(what_nobody_types_expires_and_says_so)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak"), end;
	char told[512], code[CODE_BYTES];

	(void)world_until_ended(w, made.v.id);
	end = world_until_over(w, made.v.id);
	world_events(w, made.v.id, told, sizeof(told));
	world_code(w, &made.v, code);

	assert_int_equal(end.v.status, STATUS_EXPIRED);
	assert_in_range(end.v.ended_ms - end.v.expires_ms, 0, 2000);
	assert_non_null(strstr(told, "call.ended verification.expired"));
	assert_int_equal(world_check(w, made.v.id, code).result, CHECK_EXPIRED);
}

TEST(ringing_does_not_eat_the_time_to_type)
{
	struct world *w = *state;
	const struct service_create req = {
		.who = w->who, .to = "+15555550124", .ttl_ms = SECONDS(60)};
	struct answer made = world_ask(w, &req), end;

	end = world_until_over(w, made.v.id);

	assert_true(end.v.answered_ms - end.v.created_ms > SECONDS(20));
	assert_int_equal(end.v.expires_ms, end.v.answered_ms + SECONDS(60));
	assert_in_range(end.v.ended_ms - end.v.expires_ms, 0, 2000);
}

TEST(a_call_that_waited_too_long_is_not_made)
{
	struct world *w = *state;
	const struct service_create req = {
		.who = w->who, .to = "+15555550110", .ttl_ms = SECONDS(60)};
	struct answer made, end;
	char told[512];

	w->rules.max_calls = 0;
	made = world_ask(w, &req);
	assert_false(made.refused);
	world_pass(w, SECONDS(31));
	w->rules.max_calls = 1;
	end = world_until_ended(w, made.v.id);
	world_events(w, made.v.id, told, sizeof(told));

	assert_int_equal(last_leg(&end).outcome, LEG_EXPIRED);
	assert_int_equal(last_leg(&end).dialed_ms, 0);
	assert_null(strstr(told, "call.dialing"));
}

TEST(a_call_that_no_node_has_room_for_is_reported_as_not_made)
{
	struct world *w = *state;
	struct answer made, end;

	w->rules.max_calls = 0;
	made = world_create(w, "+15555550110", "speak");
	end = world_until_over(w, made.v.id);

	assert_int_equal(end.v.status, STATUS_EXPIRED);
	assert_int_equal(last_leg(&end).outcome, LEG_EXPIRED);
	w->rules.max_calls = 1;
}

/* --- many -------------------------------------------------------------------------------------- */

struct crowd {
	struct world *w;
	struct answer answers[CROWD];
	uint64_t most;
};

static bool crowd_ended(void *ctx)
{
	struct crowd *c = ctx;
	struct service_stats s;
	uint64_t ended = 0;

	service_stats(c->w->service, &s);
	if (s.calls_now > c->most)
		c->most = s.calls_now;
	for (size_t i = 0; i < LEG_COUNT; i++)
		ended += s.legs[i];
	return ended == CROWD;
}

TEST(more_calls_than_there_is_room_for_wait_their_turn)
{
	struct world *w = *state;
	struct crowd *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->w = w;
	w->rules.max_calls = 4;
	for (size_t i = 0; i < CROWD; i++)
		assert_false(world_create(w, "+15555550120", "speak").refused);
	world_until(w, HOURS(1), crowd_ended, c);

	assert_in_range(c->most, 1, 4);
	free(c);
}

TEST(a_prefix_has_three_calls_at_once_and_the_fourth_waits)
{
	struct world *w = *state;
	struct answer made[4], end;
	char to[NUMBER_BYTES];
	struct service_stats s;

	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(to, sizeof(to), "+1202555011%u", i);
		world_script(w, to, TEL_SCRIPT_LISTEN);
		made[i] = world_create(w, to, "speak");
		assert_false(made[i].refused);
	}
	world_pass(w, 5000);
	service_stats(w->service, &s);
	assert_int_equal(s.calls_now, 3);
	end = world_until_ended(w, made[3].v.id);

	assert_int_equal(last_leg(&end).outcome, LEG_ANSWERED);
	assert_true(last_leg(&end).dialed_ms - last_leg(&end).queued_ms >
		    SECONDS(20));
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(after_busy_it_is_called_again_with_the_same_code),
		CASE(a_call_under_way_a_limit_or_an_end_forbids_another),
		CASE(a_cancel_in_the_middle_ends_the_call),
		CASE(a_cancel_while_it_rings_says_canceled),
		CASE(a_cancel_before_the_dial_means_no_dial),
		CASE(an_approval_by_the_api_settles_the_call),
		CASE(what_nobody_types_expires_and_says_so),
		CASE(ringing_does_not_eat_the_time_to_type),
		CASE(a_call_that_waited_too_long_is_not_made),
		CASE(a_call_that_no_node_has_room_for_is_reported_as_not_made),
		CASE(more_calls_than_there_is_room_for_wait_their_turn),
		CASE(a_prefix_has_three_calls_at_once_and_the_fourth_waits),
	};

	return cmocka_run_group_tests_name("scenario/calls", tests,
					   world_voices, world_no_voices);
}
