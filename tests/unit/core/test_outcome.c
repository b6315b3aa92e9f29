// SPDX-License-Identifier: Apache-2.0
/*
 * test_outcome.c - do the words mean what B10 says?
 */
#include "core/outcome.h"
#include "support/test.h"

TEST(every_word_has_a_text_and_only_pending_is_open)
{
	for (int i = 0; i < STATUS_COUNT; i++) {
		enum outcome_status s = (enum outcome_status)i;

		assert_true(outcome_status_text(s)[0] != '\0');
		assert_int_equal(outcome_status_final(s), s != STATUS_PENDING);
		assert_int_equal(outcome_status_event(s)[0] != '\0',
				 s != STATUS_PENDING);
	}
	for (int i = 1; i < LEG_COUNT; i++) {
		assert_true(outcome_leg_text((enum outcome_leg)i)[0] != '\0');
		assert_true(outcome_leg_trigger((enum outcome_leg)i)[0] !=
			    '\0');
	}
	for (int i = 0; i < CHECK_COUNT; i++)
		assert_true(outcome_check_text((enum outcome_check)i)[0]);
	for (int i = 0; i < EVENT_COUNT; i++)
		assert_true(outcome_event_text((enum outcome_event)i)[0]);
}

TEST(a_reported_verification_is_told_as_canceled_with_an_event_of_its_own)
{
	assert_string_equal(outcome_status_text(STATUS_REPORTED), "canceled");
	assert_string_equal(outcome_status_event(STATUS_REPORTED),
			    "verification.reported");
}

/* Records keep them by their place. */
TEST(the_order_of_the_words_is_fixed)
{
	assert_int_equal(STATUS_PENDING, 0);
	assert_int_equal(STATUS_APPROVED, 1);
	assert_int_equal(STATUS_FAILED, 2);
	assert_int_equal(STATUS_EXPIRED, 3);
	assert_int_equal(STATUS_CANCELED, 4);
	assert_int_equal(STATUS_REPORTED, 5);
	assert_int_equal(LEG_NONE, 0);
	assert_int_equal(LEG_BUSY, 2);
	assert_int_equal(LEG_MACHINE_SUSPECTED, 9);
	assert_int_equal(LEG_NOT_CALLED, 15);
}

TEST(a_status_without_a_cause_speaks_for_itself)
{
	static const struct {
		int sip;
		enum outcome_leg leg;
	} cases[] = {
		{486, LEG_BUSY},          {600, LEG_BUSY},
		{480, LEG_NO_ANSWER},     {408, LEG_NO_ANSWER},
		{487, LEG_NO_ANSWER},     {404, LEG_UNALLOCATED},
		{410, LEG_UNALLOCATED},   {484, LEG_UNALLOCATED},
		{604, LEG_UNALLOCATED},   {403, LEG_BLOCKED},
		{603, LEG_BLOCKED},       {607, LEG_BLOCKED},
		{608, LEG_BLOCKED},       {500, LEG_CONGESTION},
		{503, LEG_CONGESTION},    {504, LEG_CONGESTION},
		{0, LEG_NETWORK_ERROR},   {302, LEG_NETWORK_ERROR},
		{401, LEG_NETWORK_ERROR}, {488, LEG_NETWORK_ERROR},
		{606, LEG_NETWORK_ERROR}, {999, LEG_NETWORK_ERROR},
		{200, LEG_ANSWERED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(outcome_of_sip(cases[i].sip, 0), cases[i].leg);
}

TEST(a_cause_that_says_something_goes_before_the_status)
{
	assert_int_equal(outcome_of_sip(603, 21), LEG_DECLINED);
	assert_int_equal(outcome_of_sip(603, 17), LEG_BUSY);
	assert_int_equal(outcome_of_sip(480, 17), LEG_BUSY);
	assert_int_equal(outcome_of_sip(480, 1), LEG_UNALLOCATED);
	assert_int_equal(outcome_of_sip(500, 19), LEG_NO_ANSWER);
	assert_int_equal(outcome_of_sip(404, 3), LEG_NETWORK_ERROR);
	assert_int_equal(outcome_of_sip(486, 34), LEG_CONGESTION);
	assert_int_equal(outcome_of_sip(480, 55), LEG_BLOCKED);
}

TEST(a_cause_that_says_nothing_leaves_it_to_the_status)
{
	static const int nothing[] = {0, 16, 31, 127, 200, -1};

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		assert_int_equal(outcome_of_sip(486, nothing[i]), LEG_BUSY);
		assert_int_equal(outcome_of_sip(603, nothing[i]), LEG_BLOCKED);
	}
}

TEST(any_two_numbers_have_an_outcome_of_an_unanswered_leg)
{
	for (int sip = 300; sip < 720; sip++)
		for (int cause = -1; cause < 140; cause++) {
			enum outcome_leg l = outcome_of_sip(sip, cause);

			assert_in_range(l, LEG_BUSY, LEG_NETWORK_ERROR);
		}
}

TEST(another_route_is_tried_where_the_route_was_at_fault)
{
	assert_int_equal(outcome_another_route(0, 0), OUTCOME_ANOTHER);
	assert_int_equal(outcome_another_route(408, 0), OUTCOME_ANOTHER);
	assert_int_equal(outcome_another_route(500, 0), OUTCOME_ANOTHER);
	assert_int_equal(outcome_another_route(503, 34), OUTCOME_ANOTHER);
	assert_int_equal(outcome_another_route(404, 38), OUTCOME_ANOTHER);
}

TEST(a_refusal_without_a_cause_is_tried_once_more_elsewhere)
{
	assert_int_equal(outcome_another_route(403, 0), OUTCOME_ONCE);
	assert_int_equal(outcome_another_route(404, 0), OUTCOME_ONCE);
	assert_int_equal(outcome_another_route(480, 0), OUTCOME_ONCE);
	assert_int_equal(outcome_another_route(603, 0), OUTCOME_ONCE);
	assert_int_equal(outcome_another_route(404, 16), OUTCOME_STAYS);
}

TEST(no_other_route_is_tried_after_a_word_about_the_person)
{
	assert_int_equal(outcome_another_route(486, 0), OUTCOME_STAYS);
	assert_int_equal(outcome_another_route(600, 0), OUTCOME_STAYS);
	assert_int_equal(outcome_another_route(404, 1), OUTCOME_STAYS);
	assert_int_equal(outcome_another_route(503, 17), OUTCOME_STAYS);
	assert_int_equal(outcome_another_route(480, 19), OUTCOME_STAYS);
	assert_int_equal(outcome_another_route(500, 21), OUTCOME_STAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_word_has_a_text_and_only_pending_is_open),
		cmocka_unit_test(
			a_reported_verification_is_told_as_canceled_with_an_event_of_its_own),
		cmocka_unit_test(the_order_of_the_words_is_fixed),
		cmocka_unit_test(a_status_without_a_cause_speaks_for_itself),
		cmocka_unit_test(
			a_cause_that_says_something_goes_before_the_status),
		cmocka_unit_test(
			a_cause_that_says_nothing_leaves_it_to_the_status),
		cmocka_unit_test(
			any_two_numbers_have_an_outcome_of_an_unanswered_leg),
		cmocka_unit_test(
			another_route_is_tried_where_the_route_was_at_fault),
		cmocka_unit_test(
			a_refusal_without_a_cause_is_tried_once_more_elsewhere),
		cmocka_unit_test(
			no_other_route_is_tried_after_a_word_about_the_person),
	};

	return cmocka_run_group_tests_name("core/outcome", tests, NULL, NULL);
}
