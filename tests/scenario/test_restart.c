// SPDX-License-Identifier: Apache-2.0
/*
 * test_restart.c - the process goes away at a bad moment, and comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/world.h"

static bool talks(void *ctx)
{
	struct service_stats s;

	service_stats(((struct world *)ctx)->service, &s);
	return s.calls_now > 0;
}

TEST(a_call_that_was_cut_is_interrupted_and_never_dialled_again)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak"), end;
	char told[512];

	(void)world_until_spoken(w, made.v.id);
	world_kill(w);
	world_start(w);
	end = world_until_ended(w, made.v.id);
	world_pass(w, SECONDS(60));
	world_events(w, made.v.id, told, sizeof(told));

	assert_int_equal(end.v.legs[0].outcome, LEG_INTERRUPTED);
	assert_int_equal(end.v.status, STATUS_PENDING);
	assert_string_equal(told,
			    "verification.created call.dialing call.ringing "
			    "call.answered call.human call.spoken call.ended");
	assert_in_range(end.v.legs[0].ended_ms - end.v.legs[0].answered_ms, 0,
			SECONDS(60));
}

TEST(a_code_that_was_heard_is_good_after_a_restart)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak");
	char code[CODE_BYTES];

	world_code(w, &made.v, code);
	(void)world_until_spoken(w, made.v.id);
	world_kill(w);
	world_start(w);

	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
	assert_int_equal(world_check(w, made.v.id, code).result, CHECK_USED);
}

TEST(an_interrupted_call_may_be_made_again)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak"), end;

	world_until(w, HOURS(1), talks, w);
	world_kill(w);
	world_start(w);
	(void)world_until_ended(w, made.v.id);
	assert_false(world_call(w, made.v.id).refused);
	end = world_until_spoken(w, made.v.id);

	assert_int_equal(end.v.legs_count, 2);
	assert_int_equal(end.v.legs[0].outcome, LEG_INTERRUPTED);
}

TEST(what_was_answered_201_and_not_dialled_is_called)
{
	struct world *w = *state;
	const struct service_create req = {.who = w->who, .to = "+15555550110"};
	struct answer made[3], end;

	for (size_t i = 0; i < COUNT_OF(made); i++)
		made[i] = world_ask_only(w, &req);
	world_kill_now(w);
	world_start(w);

	for (size_t i = 0; i < COUNT_OF(made); i++) {
		end = world_until_ended(w, made[i].v.id);
		assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
	}
}

TEST(what_waited_too_long_meanwhile_is_reported_and_not_called)
{
	struct world *w = *state;
	const struct service_create req = {.who = w->who, .to = "+15555550110"};
	struct answer made = world_ask_only(w, &req), end;

	world_kill_now(w);
	clock_advance(w->clock, SECONDS(540));
	world_start(w);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(end.v.legs[0].outcome, LEG_EXPIRED);
	assert_int_equal(end.v.legs[0].dialed_ms, 0);
}

TEST(an_expiry_outlives_the_process)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550120", "speak"), end;

	(void)world_until_ended(w, made.v.id);
	world_kill(w);
	clock_advance(w->clock, HOURS(2));
	world_start(w);
	end = world_until_over(w, made.v.id);

	assert_int_equal(end.v.status, STATUS_EXPIRED);
}

/* --- the ring and the epoch (A8) ----------------------------------------------------- */

static int start_with(struct world *w, struct diag *d)
{
	const struct service_params params = {
		.line = w->line,
		.store = w->store,
		.ring = w->ring,
		.clock = w->clock,
		.rng = w->rng,
		.node = "one",
		.flows_dir = "/nowhere",
		.rules = &w->rules,
	};
	struct service *none = NULL;
	int err = service_new(&params, &none, d);

	assert_null(none);
	return err;
}

TEST(without_flows_it_does_not_start_and_says_where_it_looked)
{
	struct world *w = *state;
	struct diag d = {0};

	assert_int_not_equal(start_with(w, &d), 0);
	assert_string_equal(d.field, "/nowhere");
}

TEST(another_ring_is_refused_at_the_start)
{
	struct world *w = *state;
	struct keyring *ours = w->ring;
	AUTO_BUF(text, KEYRING_TEXT_MAX);
	struct diag d = {0};

	keyring_make(w->rng, &text);
	assert_int_equal(keyring_parse(buf_view(&text), &w->ring, &d), 0);
	world_kill(w);
	assert_int_equal(world_try_start(w, &d), -EINVAL);
	assert_true(d.message[0] != '\0');
	keyring_free(w->ring);
	w->ring = ours;
}

TEST(a_restored_copy_gets_an_epoch_that_ends_all_codes)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak");
	char code[CODE_BYTES];

	world_code(w, &made.v, code);
	(void)world_until_ended(w, made.v.id);
	w->last_tick = w->told_tick + 1000; /* this machine saw more */
	world_kill(w);
	world_start(w);

	assert_int_equal(world_check(w, made.v.id, code).result, CHECK_EXPIRED);
	assert_true(w->told_tick > w->last_tick);
}

TEST(the_tick_goes_up_and_an_ordinary_restart_keeps_the_codes)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak");
	int64_t first = w->told_tick;
	char code[CODE_BYTES];

	world_code(w, &made.v, code);
	(void)world_until_ended(w, made.v.id);
	assert_true(w->told_tick > first);
	w->last_tick = w->told_tick;
	world_kill(w);
	world_start(w);

	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_call_that_was_cut_is_interrupted_and_never_dialled_again),
		CASE(a_code_that_was_heard_is_good_after_a_restart),
		CASE(an_interrupted_call_may_be_made_again),
		CASE(what_was_answered_201_and_not_dialled_is_called),
		CASE(what_waited_too_long_meanwhile_is_reported_and_not_called),
		CASE(an_expiry_outlives_the_process),
		CASE(without_flows_it_does_not_start_and_says_where_it_looked),
		CASE(another_ring_is_refused_at_the_start),
		CASE(a_restored_copy_gets_an_epoch_that_ends_all_codes),
		CASE(the_tick_goes_up_and_an_ordinary_restart_keeps_the_codes),
	};

	return cmocka_run_group_tests_name("scenario/restart", tests,
					   world_voices, world_no_voices);
}
