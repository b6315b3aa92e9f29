// SPDX-License-Identifier: Apache-2.0
/*
 * test_outcomes.c - each sandbox number ends with its own outcome, in each flow.
 */
#include <stdio.h>
#include <string.h>

#include "support/world.h"

/* What a number comes to; a person who presses 9 is the same in every flow. */
static const struct expected {
	const char *to;
	enum outcome_leg leg;
	enum outcome_status speak, reverse, keypad, plain;
} table[] = {
	{"+15555550110", LEG_ANSWERED, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	/* where no code is asked for, its 9 may be a key: STATUS_COUNT, any */
	{"+15555550111", LEG_ANSWERED, STATUS_COUNT, STATUS_APPROVED,
	 STATUS_APPROVED, STATUS_COUNT},
	{"+15555550120", LEG_BUSY, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	{"+15555550121", LEG_NO_ANSWER, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	{"+15555550122", LEG_DECLINED, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	/* its keys are random: where nothing is checked, a 9 may report */
	{"+15555550123", LEG_MACHINE_SUSPECTED, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_COUNT},
	{"+15555550124", LEG_ANSWERED, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	{"+15555550125", LEG_HUNG_UP_EARLY, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	{"+15555550126", LEG_ANSWERED, STATUS_PENDING, STATUS_PENDING,
	 STATUS_PENDING, STATUS_PENDING},
	{"+15555550127", LEG_REPORTED, STATUS_REPORTED, STATUS_REPORTED,
	 STATUS_REPORTED, STATUS_REPORTED},
};

static void each_number_ends(const char *flow, size_t status_at)
{
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		const struct expected *x = &table[i];
		const enum outcome_status *status =
			(const enum outcome_status
				 *)(const void *)((const char *)x + status_at);
		struct world *w = world_new();
		struct answer made, end;

		world_start(w);
		made = world_create(w, x->to, flow);
		assert_false(made.refused);
		(void)snprintf(w->types, sizeof(w->types), "%s", made.code);

		end = world_until_ended(w, made.v.id);

		assert_int_equal(end.v.legs_count, 1);
		if (*status != STATUS_COUNT) {
			assert_int_equal(end.v.legs[0].outcome, x->leg);
			assert_int_equal(end.v.status, *status);
		}
		world_free(w);
	}
}

TEST(in_a_speak_flow)
{
	each_number_ends("speak", offsetof(struct expected, speak));
}

TEST(in_a_reverse_flow)
{
	each_number_ends("reverse", offsetof(struct expected, reverse));
}

TEST(in_a_keypad_flow)
{
	each_number_ends("keypad", offsetof(struct expected, keypad));
}

TEST(in_a_plain_flow)
{
	each_number_ends("plain", offsetof(struct expected, plain));
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
		cmocka_unit_test(in_a_speak_flow),
		cmocka_unit_test(in_a_reverse_flow),
		cmocka_unit_test(in_a_keypad_flow),
		cmocka_unit_test(in_a_plain_flow),
		cmocka_unit_test_setup_teardown(what_happened_is_told_in_order,
						world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_shows_only_what_a_create_promises,
			world_setup, world_teardown),
	};

	return cmocka_run_group_tests_name("scenario/outcomes", tests,
					   world_voices, world_no_voices);
}
