// SPDX-License-Identifier: Apache-2.0
/*
 * test_person.c - does a scripted person do what the script says, when it
 * says so, knowing only what was heard?
 */
#include "support/scripted_bench.h"

/* --- the human check ---------------------------------------------------------- */

TEST(the_three_digits_are_pressed_after_the_last_was_said)
{
	const int64_t said_ms = 2000 + 1000 + 3 * DIGIT_MS + 2 * GAP_MS;
	const struct seen *s;

	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("w472", 3);
	go(10000);

	assert_string_equal(bench.keys, "472");
	s = first_of(TEL_KEY);
	for (int64_t i = 0; i < 3; i++) {
		assert_int_equal(s[i].ev.kind, TEL_KEY);
		assert_int_equal(s[i].at_ms, said_ms + 700 + i * 350);
		assert_int_equal(s[i].ev.play_id, 3);
		assert_int_equal(s[i].ev.played_ms, said_ms - 2000);
	}
	assert_goes_on();
}

TEST(no_key_comes_before_the_mark)
{
	AUTO(playlist) *p = sound("w472_ww|ww");
	unsigned mark_ms = playlist_mark_ms(p);

	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("w472_ww|ww", 3);
	go(20000);

	assert_string_equal(bench.keys, "472");
	assert_int_equal(first_of(TEL_KEY)->ev.played_ms, mark_ms + 700);
}

TEST(keys_go_on_when_the_first_one_stops_the_sound)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("w472|wwww", 3);
	while (bench.keys[0] == '\0')
		go(10);
	tel_call_stop(bench.call);
	go(2000);

	assert_string_equal(bench.keys, "472");
	assert_int_equal(last()->ev.play_id, 3);
	assert_int_equal(last()->ev.played_ms, first_of(TEL_KEY)->ev.played_ms);
}

TEST(a_new_offer_is_answered_anew)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	say("ww|", 1);
	say("w472|", 2);
	go(3000);
	say("w1358|", 3);
	go(3000);

	assert_string_equal(bench.keys, "4721358");
}

TEST(the_wrong_one_presses_something_else_each_time)
{
	dial_and_answer(TEL_SCRIPT_WRONG);
	say("w172|", 1);
	go(3000);
	say("w472|", 2);
	go(3000);

	assert_string_equal(bench.keys, "272172");
	assert_goes_on();
}

TEST(the_silent_one_presses_nothing)
{
	dial_and_answer(TEL_SCRIPT_SILENT);
	say("w472|", 1);
	go(60000);

	assert_string_equal(bench.keys, "");
	assert_string_equal(bench.heard, "472");
	assert_goes_on();
}

/* --- the code ------------------------------------------------------------------- */

static void pass_the_check(void)
{
	say("ww472|", 1);
	go(2000);
	assert_string_equal(bench.keys, "472");
	memset(bench.keys, 0, sizeof(bench.keys));
}

TEST(the_listener_hears_the_code_out_and_hangs_up)
{
	unsigned ms;

	dial_and_answer(TEL_SCRIPT_LISTEN);
	pass_the_check();
	say("ww", 2);
	ms = say("w482,913_w482,913_", 3);
	assert_int_equal(last()->ev.kind, TEL_PLAYED);
	assert_true(ms > 0);
	go(1000);
	say("w", 4); /* said to somebody who is about to go */
	go(5000);

	assert_string_equal(bench.heard, "472482913482913");
	assert_string_equal(bench.keys, "");
	assert_int_equal(last()->ev.kind, TEL_ENDED);
	assert_int_equal(last()->ev.cause, TEL_HUNG_UP);
}

TEST(the_listener_needs_no_word_between_two_readings)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	say("w4829_4829", 1);
	go(2000);

	assert_string_equal(bench.keys, "");
	assert_int_equal(last()->ev.kind, TEL_ENDED);
}

TEST(three_readings_without_a_check_are_a_code)
{
	dial_and_answer(TEL_SCRIPT_TYPE);
	say("ww482,913w482,913w482,913w", 1);
	go(3250);

	assert_string_equal(bench.keys, "482913");
}

TEST(a_number_to_call_back_is_neither_check_nor_code)
{
	dial_and_answer(TEL_SCRIPT_TYPE);
	say("w1567123,4567_w472|", 1);
	go(4000);

	assert_string_equal(bench.keys, "472");
}

TEST(the_typist_types_the_code_when_all_is_quiet)
{
	dial_and_answer(TEL_SCRIPT_TYPE);
	pass_the_check();
	play("w482,913w482,913", 2);
	while (last()->ev.kind != TEL_PLAYED)
		go(10);
	go(1000);
	assert_string_equal(bench.keys, "");
	say("ww", 3); /* now type it */
	assert_string_equal(bench.keys, "");
	go(1500);
	assert_string_equal(bench.keys, "4");
	go(1750);

	assert_string_equal(bench.keys, "482913");
	assert_goes_on();
}

TEST(the_typist_tries_again_when_asked_again_but_not_for_ever)
{
	dial_and_answer(TEL_SCRIPT_TYPE);
	pass_the_check();
	say("w482,913w482,913", 2);
	for (uint32_t i = 3; i < 9; i++) {
		go(5000);
		say("ww", i);
	}
	go(5000);

	assert_string_equal(bench.keys, "482913482913482913");
}

TEST(the_typist_knows_the_code_of_a_reverse_flow)
{
	dial_and_answer(TEL_SCRIPT_TYPE);
	bench.types = "007007";
	pass_the_check();
	say("www", 2);
	go(3250);

	assert_string_equal(bench.keys, "007007");
}

TEST(the_repeater_asks_three_times)
{
	dial_and_answer(TEL_SCRIPT_REPEAT);
	pass_the_check();
	for (uint32_t i = 2; i < 10; i += 2) {
		say("w482,913w482,913", i);
		assert_goes_on();
		say("w", i + 1);
		go(4000);
	}

	assert_string_equal(bench.keys, "121");
	assert_int_equal(last()->ev.cause, TEL_HUNG_UP);
	assert_int_equal(last()->ev.kind, TEL_ENDED);
}

TEST(a_code_said_once_more_is_the_code_again)
{
	(void)state;
	dial_and_answer(TEL_SCRIPT_REPEAT);
	pass_the_check();
	say("w482,913w482,913w", 2);
	for (uint32_t i = 3; i < 6; i++) {
		go(2000);
		say("w482,913w", i);
	}
	go(4000);

	assert_string_equal(bench.keys, "121");
	assert_ended(TEL_HUNG_UP, last()->at_ms);
}

TEST(four_digits_said_once_more_are_no_human_check)
{
	dial_and_answer(TEL_SCRIPT_REPEAT);
	pass_the_check();
	say("w4829_w4829w", 2);
	for (uint32_t i = 3; i < 6; i++) {
		go(2000);
		assert_goes_on();
		say("w4829w", i);
	}
	go(4000);

	assert_string_equal(bench.keys, "121");
	assert_int_equal(last()->ev.kind, TEL_ENDED);
}

TEST(nine_is_pressed_four_seconds_into_the_greeting)
{
	dial_and_answer(TEL_SCRIPT_REPORT);
	play("wwwwwwww", 1);
	go(8000);

	assert_string_equal(bench.keys, "9");
	assert_int_equal(first_of(TEL_KEY)->at_ms, 6000);
}

TEST(nine_waits_for_the_mark)
{
	dial_and_answer(TEL_SCRIPT_REPORT);
	say("w", 1);
	play("wwww|ww", 2);
	go(20000);
	say("www|w", 3);
	go(5000);

	assert_string_equal(bench.keys, "9");
	assert_int_equal(first_of(TEL_KEY)->ev.play_id, 2);
	assert_int_equal(first_of(TEL_KEY)->ev.played_ms, 4700);
}

TEST(a_mailbox_plays_keys_and_hears_nothing)
{
	const struct seen *key;

	dial(TEL_SCRIPT_MAILBOX);
	go(20200);
	assert_int_equal(last()->ev.kind, TEL_ANSWERED);
	say("w472|wwwwwwwww", 1);
	go(60000);

	assert_int_equal(strlen(bench.keys), 15);
	assert_int_equal(strspn(bench.keys, "0123456789*#"), 15);
	key = first_of(TEL_KEY);
	assert_in_range(key->at_ms, 20200, 22200);
	for (size_t i = 0; i < bench.count; i++)
		if (bench.seen[i].ev.kind == TEL_KEY)
			assert_true(bench.seen[i].at_ms <= 32200 + 1600);
	assert_goes_on();
}

TEST(a_mailbox_may_have_a_hundred_keys)
{
	bench.script = TEL_SCRIPT_MAILBOX;
	open_tel((struct tel_scripted_params){.script = the_script,
					      .mailbox_keys = 100,
					      .mailbox_ms = 40000});
	dial_number("+1000");
	go(120000);

	assert_int_equal(strlen(bench.keys), 100);
	assert_in_range(last()->at_ms, 20200 + 20000, 20200 + 42000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(
			the_three_digits_are_pressed_after_the_last_was_said),
		WITH_BENCH(no_key_comes_before_the_mark),
		WITH_BENCH(keys_go_on_when_the_first_one_stops_the_sound),
		WITH_BENCH(a_new_offer_is_answered_anew),
		WITH_BENCH(the_wrong_one_presses_something_else_each_time),
		WITH_BENCH(the_silent_one_presses_nothing),
		WITH_BENCH(the_listener_hears_the_code_out_and_hangs_up),
		WITH_BENCH(the_listener_needs_no_word_between_two_readings),
		WITH_BENCH(three_readings_without_a_check_are_a_code),
		WITH_BENCH(a_number_to_call_back_is_neither_check_nor_code),
		WITH_BENCH(the_typist_types_the_code_when_all_is_quiet),
		WITH_BENCH(
			the_typist_tries_again_when_asked_again_but_not_for_ever),
		WITH_BENCH(the_typist_knows_the_code_of_a_reverse_flow),
		WITH_BENCH(the_repeater_asks_three_times),
		WITH_BENCH(a_code_said_once_more_is_the_code_again),
		WITH_BENCH(four_digits_said_once_more_are_no_human_check),
		WITH_BENCH(nine_is_pressed_four_seconds_into_the_greeting),
		WITH_BENCH(nine_waits_for_the_mark),
		WITH_BENCH(a_mailbox_plays_keys_and_hears_nothing),
		WITH_BENCH(a_mailbox_may_have_a_hundred_keys),
	};

	return cmocka_run_group_tests_name("tel/person", tests, NULL, NULL);
}
