// SPDX-License-Identifier: Apache-2.0
/*
 * test_human_check.c - is there a person?  What people do, and what they must
 * not notice; the mailbox is in test_mailbox.c.
 */
#include "support/flow_bench.h"

static const char NODES[] =
	"{'id':'Begin','type':'human-check','config':{'intro':["
	"'speak.greeting','common.not_you']},'on':{'passed':'Good','suspected':"
	"'Bye','no_input':'Bye','reported':'Bye'}},"
	"{'id':'Good','type':'play','config':{'speech':{'kind':'text','text':"
	"'Welcome.'}},'on':{'completed':'Bye'}}";

/* Answered, the greeting heard, the first digits asked for and heard. */
static void ask_first(struct bench *b, char digits[16])
{
	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_hear(b);
	bench_hear_to_mark(b);
	bench_asked_digits(b, digits);
}

static void ask_again(struct bench *b, char digits[16])
{
	bench_hear(b);
	bench_hear_to_mark(b);
	bench_asked_digits(b, digits);
}

/* Other digits than these, of the same length. */
static void spoil(char *digits)
{
	digits[0] = digits[0] == '1' ? '2' : '1';
}

static void assert_passed(const struct bench *b)
{
	assert_true(b->over);
	assert_true(bench_took(b, "Begin", "passed"));
	assert_true(b->end.human);
	assert_true(bench_has_news(b, EVENT_HUMAN));
	assert_false(bench_has_news(b, EVENT_MACHINE_SUSPECTED));
}

static void assert_suspected(const struct bench *b, const char *trigger)
{
	assert_true(b->over);
	assert_true(bench_took(b, "Begin", trigger));
	assert_false(b->end.human);
	assert_int_equal(b->end.leg, LEG_MACHINE_SUSPECTED);
	assert_true(bench_has_news(b, EVENT_MACHINE_SUSPECTED));
	assert_false(bench_has_news(b, EVENT_HUMAN));
	assert_int_equal(bench_count_said(b, "Welcome."), 0);
	assert_int_equal(bench_count_said(b, "You can ask for another call."),
			 1);
}

TEST(three_digits_from_1_to_8_are_asked_for)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);

	assert_int_equal(strlen(digits), 3);
	assert_int_equal(strspn(digits, "12345678"), 3);
	assert_non_null(strstr(b->plays[0].caption, BENCH_BRAND));
	assert_non_null(strstr(b->plays[0].caption, "press nine"));
	assert_non_null(strstr(b->plays[1].caption, "To hear the code, press"));
}

TEST(the_right_digits_pass)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_go(b, 300);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
	assert_int_equal(bench_count_said(b, "Welcome."), 1);
}

TEST(a_hash_behind_them_is_fine)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_keys(b, digits);
	bench_key(b, '#');
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(star_starts_again)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_keys(b, "88*");
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(the_keys_count_from_the_last_digit_on)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	/* at the mark itself, which is not later than the end of the digit */
	assert_true(bench_last(b)->mark_ms + 100 < bench_last(b)->ms + 1);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(each_key_may_take_nearly_ten_seconds)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	for (const char *k = digits; *k; k++) {
		bench_go(b, 9900);
		bench_key(b, *k);
	}
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(earlier_keys_are_ignored_and_noted)
{
	struct bench *b = *state;
	char digits[16];

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_hear(b);
	bench_asked_digits(b, digits);
	bench_go(b, 500);
	bench_keys(b, digits); /* before they were said */
	bench_go(b, 1000);
	assert_false(bench_has_news(b, EVENT_HUMAN));
	bench_hear_to_mark(b);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
	assert_non_null(strstr(b->trace, "\"early_keys\":3"));
}

TEST(keys_of_the_sound_before_are_early)
{
	struct bench *b = *state;
	char digits[16];
	uint32_t intro;

	bench_call_flow(b, NODES);
	bench_answer(b);
	intro = bench_last(b)->id;
	bench_hear(b);
	bench_asked_digits(b, digits);
	bench_hear_to_mark(b);
	for (const char *k = digits; *k; k++) /* a slow network */
		bench_tell(b, &(struct tel_event){.kind = TEL_KEY,
						  .key = *k,
						  .play_id = intro,
						  .played_ms = 100000});
	bench_go(b, 2000);

	assert_false(bench_has_news(b, EVENT_HUMAN));
}

TEST(silence_is_offered_three_times_with_new_digits)
{
	struct bench *b = *state;
	char one[16], two[16], three[16];
	int64_t first;

	ask_first(b, one);
	first = bench_last(b)->at_ms;
	ask_again(b, two);
	ask_again(b, three);
	assert_true(bench_last(b)->at_ms - first <= 35000);
	bench_finish(b, 30000);

	assert_suspected(b, "no_input");
	assert_string_not_equal(one, two);
	assert_string_not_equal(two, three);
	assert_int_equal(bench_count_said(b, "To hear your code, press"), 2);
	assert_non_null(strstr(b->trace, "\"offers\":3"));
}

TEST(who_was_silent_may_pass_the_third_time)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	ask_again(b, digits);
	ask_again(b, digits);
	bench_go(b, 9000);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(old_digits_are_worth_nothing)
{
	struct bench *b = *state;
	char old[16], digits[16];

	ask_first(b, old);
	ask_again(b, digits);
	bench_keys(b, old);
	bench_go(b, 1000);

	assert_false(bench_has_news(b, EVENT_HUMAN));
}

TEST(a_wrong_answer_gets_one_more_offer)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	spoil(digits);
	bench_keys(b, digits);
	ask_again(b, digits);
	assert_non_null(strstr(bench_last(b)->caption, "That did not match"));
	assert_int_equal(strlen(digits), 5);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(two_wrong_answers_are_suspect)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	spoil(digits);
	bench_keys(b, digits);
	ask_again(b, digits);
	spoil(digits);
	bench_keys(b, digits);
	bench_finish(b, 20000);

	assert_suspected(b, "suspected");
}

TEST(a_wrong_answer_to_the_last_offer_gets_one_more)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	ask_again(b, digits);
	ask_again(b, digits);
	spoil(digits);
	bench_keys(b, digits);
	ask_again(b, digits);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(a_key_too_many_is_a_wrong_answer)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_keys(b, digits);
	bench_go(b, 300);
	bench_key(b, '5');

	assert_false(bench_has_news(b, EVENT_HUMAN));
	assert_non_null(strstr(bench_last(b)->caption, "That did not match"));
}

TEST(noise_in_the_greeting_makes_the_offer_longer)
{
	struct bench *b = *state;
	char digits[16];

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, 500);
	bench_keys(b, "12345");
	ask_again(b, digits);
	assert_int_equal(strlen(digits), 5);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(an_answer_within_noise_is_not_judged)
{
	struct bench *b = *state;
	char digits[16];

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_hear(b);
	bench_asked_digits(b, digits);
	bench_keys(b, "1234");
	bench_hear_to_mark(b);
	bench_keys(b, digits);
	ask_again(b, digits);
	assert_int_equal(strlen(digits), 5);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
}

TEST(a_number_with_a_failed_call_has_five_digits)
{
	struct bench *b = *state;
	char digits[16];

	b->params.human_digits = 5;
	ask_first(b, digits);

	assert_int_equal(strlen(digits), 5);
}

TEST(the_document_says_how_many_digits_and_what_is_said)
{
	struct bench *b = *state;
	char digits[16];

	b->params.human_digits = 0;
	bench_call_flow(b, "{'id':'Begin','type':'human-check','config':{"
			   "'offers':1,'digits':4,'goodbye':[],'ask':"
			   "'check.first_go'},'on':{'passed':'Bye','suspected'"
			   ":'Bye','no_input':'Bye','reported':'Bye'}}");
	bench_answer(b);
	bench_asked_digits(b, digits);
	assert_int_equal(strlen(digits), 4);
	assert_non_null(strstr(bench_last(b)->caption, "To go on, press"));
	bench_finish(b, 30000);

	assert_true(bench_took(b, "Begin", "no_input"));
	assert_int_equal(b->plays_count, 1);
}

TEST(a_check_that_comes_again_is_as_strict_as_it_was)
{
	struct bench *b = *state;
	char digits[16];

	bench_call_flow(b, "{'id':'Begin','type':'human-check','config':{"
			   "'goodbye':[]},'on':{'passed':'Bye','suspected':"
			   "'Again','no_input':'Bye','reported':'Bye'}},"
			   "{'id':'Again','type':'repeat','config':{'max':1},"
			   "'on':{'again':'Begin','done':'Bye'}}");
	bench_answer(b);
	bench_hear_to_mark(b);
	bench_asked_digits(b, digits);
	spoil(digits);
	bench_keys(b, digits);
	ask_again(b, digits);
	spoil(digits);
	bench_keys(b, digits);
	ask_again(b, digits); /* the second check */

	assert_int_equal(strlen(digits), 5);
}

/* --- 9 and 0 --------------------------------------------------------------------- */

static void assert_reported(const struct bench *b)
{
	assert_true(b->over);
	assert_true(bench_has_news(b, EVENT_REPORTED));
	assert_false(bench_has_news(b, EVENT_HUMAN));
	assert_int_equal(b->end.leg, LEG_REPORTED);
}

/* "press nine" has just been said. */
static void invite(struct bench *b)
{
	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, bench_last(b)->mark_ms - 1000);
}

TEST(nine_in_the_greeting_reports)
{
	struct bench *b = *state;

	invite(b);
	bench_key(b, '9');
	bench_finish(b, 3000);

	assert_reported(b);
	assert_true(bench_took(b, "Begin", "reported"));
}

TEST(nine_before_it_was_said_is_remembered)
{
	struct bench *b = *state;

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, 2000);
	bench_key(b, '9');
	bench_go(b, 2000);
	assert_false(b->over);
	bench_hear_out(b);
	bench_finish(b, 1000);

	assert_reported(b);
	assert_int_equal(b->plays_count, 1);
}

TEST(nine_after_the_digits_reports)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_go(b, 3000);
	bench_key(b, '9');
	bench_finish(b, 3000);

	assert_reported(b);
}

TEST(nine_and_the_phone_put_down_reports)
{
	struct bench *b = *state;

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, 5000);
	bench_key(b, '9');
	bench_go(b, 200);
	bench_put_down(b);

	assert_reported(b);
}

TEST(nine_pressed_twice_reports)
{
	struct bench *b = *state;

	invite(b);
	bench_keys(b, "99");
	bench_finish(b, 1000);

	assert_reported(b);
}

TEST(nine_with_other_keys_before_it_must_wait_for_the_digits)
{
	struct bench *b = *state;
	char digits[16];

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, 2000);
	bench_keys(b, "59");
	ask_again(b, digits);
	assert_false(bench_has_news(b, EVENT_REPORTED));
	bench_go(b, 500);
	bench_key(b, '9');
	bench_finish(b, 3000);

	assert_reported(b);
}

TEST(nine_within_an_answer_is_a_wrong_digit)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_key(b, digits[0]);
	bench_go(b, 300);
	bench_key(b, '9');
	bench_go(b, 5000);

	assert_false(bench_has_news(b, EVENT_REPORTED));
}

TEST(nine_among_other_keys_is_no_report)
{
	struct bench *b = *state;

	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, 1000);
	bench_keys(b, "95");
	bench_go(b, 60000);

	assert_false(bench_has_news(b, EVENT_REPORTED));
}

TEST(nine_and_more_after_the_digits_is_a_wrong_answer)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_keys(b, "912");
	bench_go(b, 1000);

	assert_false(bench_has_news(b, EVENT_REPORTED));
	assert_non_null(strstr(bench_last(b)->caption, "That did not match"));
}

TEST(english_is_offered_in_a_call_of_another_language)
{
	struct bench *b = *state;

	b->params.language = "de";
	bench_call_flow(b, NODES);
	bench_answer(b);

	assert_non_null(strstr(b->plays[0].caption, "Guten Tag"));
	assert_non_null(
		strstr(b->plays[0].caption, "For English, press zero."));
}

TEST(english_is_not_offered_in_english)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	bench_key(b, '0');

	assert_int_equal(bench_count_said(b, "For English"), 0);
	assert_false(bench_sounds(b));
}

TEST(zero_goes_on_in_english)
{
	struct bench *b = *state;
	char digits[16];

	b->params.language = "de";
	bench_call_flow(b, NODES);
	bench_answer(b);
	bench_go(b, 3000);
	bench_key(b, '0');
	assert_non_null(strstr(bench_last(b)->caption, "Hello."));
	ask_again(b, digits);
	assert_non_null(
		strstr(bench_last(b)->caption, "To hear the code, press"));
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
	assert_int_equal(bench_count_said(b, "For English"), 1);
}

TEST(zero_after_the_digits_starts_the_offer_again)
{
	struct bench *b = *state;
	char digits[16];

	b->params.language = "de";
	ask_first(b, digits);
	bench_key(b, '0');
	ask_again(b, digits);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_passed(b);
	assert_non_null(strstr(b->trace, "\"offers\":1"));
}

/* --- and its ends ------------------------------------------------------------------- */

TEST(who_hangs_up_in_the_greeting_hung_up_early)
{
	struct bench *b = *state;

	bench_built_in(b, "speak");
	bench_answer(b);
	bench_go(b, 2000);
	bench_put_down(b);

	bench_assert_end(b, FLOW_CALLEE_HANGUP, "Check");
	assert_int_equal(b->end.leg, LEG_HUNG_UP_EARLY);
}

TEST(keys_in_the_goodbye_change_nothing)
{
	struct bench *b = *state;
	char digits[16];

	ask_first(b, digits);
	ask_again(b, digits);
	ask_again(b, digits);
	bench_hear(b);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_suspected(b, "no_input");
}

TEST(the_digits_are_not_in_the_trace)
{
	struct bench *b = *state;
	char digits[16];

	b->params.human_digits = 5;
	ask_first(b, digits);
	bench_keys(b, digits);
	bench_finish(b, 10000);

	assert_null(strstr(b->trace, digits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(three_digits_from_1_to_8_are_asked_for),
		WITH_BENCH(the_right_digits_pass),
		WITH_BENCH(a_hash_behind_them_is_fine),
		WITH_BENCH(star_starts_again),
		WITH_BENCH(the_keys_count_from_the_last_digit_on),
		WITH_BENCH(each_key_may_take_nearly_ten_seconds),
		WITH_BENCH(earlier_keys_are_ignored_and_noted),
		WITH_BENCH(keys_of_the_sound_before_are_early),
		WITH_BENCH(silence_is_offered_three_times_with_new_digits),
		WITH_BENCH(who_was_silent_may_pass_the_third_time),
		WITH_BENCH(old_digits_are_worth_nothing),
		WITH_BENCH(a_wrong_answer_gets_one_more_offer),
		WITH_BENCH(two_wrong_answers_are_suspect),
		WITH_BENCH(a_wrong_answer_to_the_last_offer_gets_one_more),
		WITH_BENCH(a_key_too_many_is_a_wrong_answer),
		WITH_BENCH(noise_in_the_greeting_makes_the_offer_longer),
		WITH_BENCH(an_answer_within_noise_is_not_judged),
		WITH_BENCH(a_number_with_a_failed_call_has_five_digits),
		WITH_BENCH(the_document_says_how_many_digits_and_what_is_said),
		WITH_BENCH(a_check_that_comes_again_is_as_strict_as_it_was),
		WITH_BENCH(nine_in_the_greeting_reports),
		WITH_BENCH(nine_before_it_was_said_is_remembered),
		WITH_BENCH(
			nine_with_other_keys_before_it_must_wait_for_the_digits),
		WITH_BENCH(nine_after_the_digits_reports),
		WITH_BENCH(nine_and_the_phone_put_down_reports),
		WITH_BENCH(nine_pressed_twice_reports),
		WITH_BENCH(nine_within_an_answer_is_a_wrong_digit),
		WITH_BENCH(nine_among_other_keys_is_no_report),
		WITH_BENCH(nine_and_more_after_the_digits_is_a_wrong_answer),
		WITH_BENCH(english_is_offered_in_a_call_of_another_language),
		WITH_BENCH(english_is_not_offered_in_english),
		WITH_BENCH(zero_goes_on_in_english),
		WITH_BENCH(zero_after_the_digits_starts_the_offer_again),
		WITH_BENCH(who_hangs_up_in_the_greeting_hung_up_early),
		WITH_BENCH(keys_in_the_goodbye_change_nothing),
		WITH_BENCH(the_digits_are_not_in_the_trace),
	};

	return cmocka_run_group_tests_name("flow/human_check", tests,
					   bench_open, bench_close);
}
