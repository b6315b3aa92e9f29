// SPDX-License-Identifier: Apache-2.0
/*
 * test_outcomes.c - each sandbox number ends with its own outcome, in each flow.
 */
#include <stdio.h>
#include <string.h>

#include "support/world.h"

enum { SPEAK, REVERSE, KEYPAD, PLAIN, FLOWS };

static const char *const flows[FLOWS] = {"speak", "reverse", "keypad", "plain"};

/* What a number comes to, in each flow; STATUS_COUNT: one or the other. */
static const struct expected {
	const char *to;
	enum outcome_leg leg;
	enum outcome_status status[FLOWS];
} table[] = {
	{"+15555550110",
	 LEG_ANSWERED,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	/* where no code is asked for, the 9 of a code is the key of a report */
	{"+15555550111",
	 LEG_ANSWERED,
	 {STATUS_COUNT, STATUS_APPROVED, STATUS_APPROVED, STATUS_COUNT}},
	{"+15555550120",
	 LEG_BUSY,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	{"+15555550121",
	 LEG_NO_ANSWER,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	{"+15555550122",
	 LEG_DECLINED,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	/* its keys are random: where nothing is checked, a 9 may report */
	{"+15555550123",
	 LEG_MACHINE_SUSPECTED,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_COUNT}},
	{"+15555550124",
	 LEG_ANSWERED,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	{"+15555550125",
	 LEG_HUNG_UP_EARLY,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	{"+15555550126",
	 LEG_ANSWERED,
	 {STATUS_PENDING, STATUS_PENDING, STATUS_PENDING, STATUS_PENDING}},
	{"+15555550127",
	 LEG_REPORTED,
	 {STATUS_REPORTED, STATUS_REPORTED, STATUS_REPORTED, STATUS_REPORTED}},
};

static void number_ends(const struct expected *x, size_t flow)
{
	struct world *w = world_new();
	struct answer made, end;

	world_start(w);
	made = world_create(w, x->to, flows[flow]);
	assert_false(made.refused);
	(void)snprintf(w->types, sizeof(w->types), "%s", made.code);

	end = world_until_ended(w, made.v.id);

	assert_int_equal(end.v.legs_count, 1);
	if (x->status[flow] != STATUS_COUNT) {
		assert_int_equal(end.v.legs[0].outcome, x->leg);
		assert_int_equal(end.v.status, x->status[flow]);
	}
	world_free(w);
}

static void each_number_ends(size_t flow)
{
	for (size_t i = 0; i < COUNT_OF(table); i++)
		number_ends(&table[i], flow);
}

TEST(each_number_ends_as_it_should_in_a_speak_flow)
{
	each_number_ends(SPEAK);
}

TEST(each_number_ends_as_it_should_in_a_reverse_flow)
{
	each_number_ends(REVERSE);
}

TEST(each_number_ends_as_it_should_in_a_keypad_flow)
{
	each_number_ends(KEYPAD);
}

TEST(each_number_ends_as_it_should_in_a_plain_flow)
{
	each_number_ends(PLAIN);
}

TEST(what_happened_is_told_in_order)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550126", "keypad");
	char told[512];

	(void)world_until_ended(w, made.v.id);
	world_events(w, made.v.id, told, sizeof(told));

	assert_string_equal(told,
			    "verification.created call.dialing call.forwarded "
			    "call.ringing call.answered call.human "
			    "call.spoken call.ended");
}

TEST(an_answer_shows_only_what_a_create_promises)
{
	struct world *w = *state;
	struct answer spoken = world_create(w, "+15555550110", "speak");
	struct answer typed = world_create(w, "+15555550111", "reverse");
	char code[CODE_BYTES];

	world_code(w, &typed.v, code);
	assert_string_equal(spoken.code, "");
	assert_string_equal(typed.code, code);
	assert_int_equal(spoken.v.legs_count, 0);
	assert_string_equal(spoken.to, "+15555550110");
	assert_string_equal(world_read(w, typed.v.id).code, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_ends_as_it_should_in_a_speak_flow),
		cmocka_unit_test(
			each_number_ends_as_it_should_in_a_reverse_flow),
		cmocka_unit_test(
			each_number_ends_as_it_should_in_a_keypad_flow),
		cmocka_unit_test(each_number_ends_as_it_should_in_a_plain_flow),
		cmocka_unit_test_setup_teardown(what_happened_is_told_in_order,
						world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_shows_only_what_a_create_promises,
			world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("scenario/outcomes", tests,
					   world_voices, world_no_voices);
}
