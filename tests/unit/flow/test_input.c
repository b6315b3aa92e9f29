// SPDX-License-Identifier: Apache-2.0
/*
 * test_input.c - values, branches, digits from the keypad and what the
 * verification makes of them.
 */
#include <errno.h>

#include "support/flow_bench.h"

/* --- values ------------------------------------------------------------------------------ */

TEST(values_are_set_and_branched_on)
{
	struct bench *b = *state;

	bench_call_flow(
		b,
		"{'id':'Begin','type':'set','config':{'values':{'n':'10',"
		"'s':'{{verification.brand | upper}}'}},'on':{'next':'Num'}},"
		"{'id':'Num','type':'branch','config':{'cases':["
		"{'name':'text','left':'{{vars.n}}','op':'more','right':'9'},"
		"{'name':'num','left':'{{vars.n}}','op':'more','right':'9',"
		"'as':'number'}]},'on':{'num':'Txt','text':'Bye','otherwise':"
		"'Bye'}},"
		"{'id':'Txt','type':'branch','config':{'cases':["
		"{'name':'nan','left':'x','op':'less','right':'9','as':'number'"
		"},{'name':'has','left':'{{vars.s}}','op':'contains','right':"
		"'CM'}]},'on':{'nan':'Bye','has':'Begins','otherwise':'Bye'}},"
		"{'id':'Begins','type':'branch','config':{'cases':["
		"{'name':'no','left':'{{vars.s}}','op':'equals','right':'Acme'"
		"},{'name':'yes','left':'{{vars.s}}','op':'starts_with',"
		"'right':'AC'}]},'on':{'no':'Bye','yes':'Last','otherwise':"
		"'Bye'}}," BENCH_SAY("Last", "Right.", "Bye"));
	bench_answer(b);
	bench_finish(b, 10000);

	assert_true(bench_took(b, "Num", "num"));
	assert_true(bench_took(b, "Txt", "has"));
	assert_true(bench_took(b, "Begins", "yes"));
	assert_int_equal(bench_count_said(b, "Right."), 1);
}

TEST(a_variable_is_rendered_while_the_person_waits)
{
	struct bench *b = *state;

	bench_call_flow(
		b, "{'id':'Begin','type':'input','config':{'max_digits':1,"
		   "'secret':false},'on':{'input':'Say'}},"
		   "{'id':'Say','type':'play','config':{'speech':{'kind':'text"
		   "','text':'You pressed {{Begin.digits}}.'}},'on':{"
		   "'completed':'Bye'}}");
	bench_answer(b);
	bench_key(b, '7');
	bench_await_plays(b, 1);

	assert_int_equal(bench_count_said(b, "You pressed 7."), 1);
}

/* Each op, with what is less, equal and more. */
TEST(each_comparison_compares)
{
	static const struct {
		const char *op, *expected; /* for 1, 2 and 3 against 2 */
	} ops[] = {
		{"equals", "-+-"},   {"not_equals", "+-+"},
		{"less", "+--"},     {"less_or_equal", "++-"},
		{"more", "--+"},     {"more_or_equal", "-++"},
		{"contains", "-+-"}, {"starts_with", "-+-"},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		for (unsigned k = 0; k < 3; k++) {
			AUTO_BUF(nodes, 1024);

			b->params.attempt = 1 + k;
			buf_printf(&nodes,
				   "{'id':'Begin','type':'branch','config':{"
				   "'cases':[{'name':'yes','left':'"
				   "{{verification.attempt}}','op':'%s','right'"
				   ":'2'}]},'on':{'yes':'Yes','otherwise':'Bye'"
				   "}},{'id':'Yes','type':'hangup'}",
				   ops[i].op);
			bench_call_flow(b, nodes.p);
			b->asked = 0;
			b->over = false;
			bench_answer(b);
			bench_finish(b, 100);
			assert_string_equal(b->end.node,
					    ops[i].expected[k] == '+' ? "Yes"
								      : "Bye");
			bench_forget(b);
		}
	}
}

/* --- input -------------------------------------------------------------------------------- */

TEST(digits_are_taken_and_verified)
{
	struct bench *b = *state;

	b->verify[0] = CHECK_APPROVED;
	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_hear_out(b);
	bench_keys(b, "482913");
	bench_finish(b, 10000);

	assert_int_equal(b->verified, 1);
	assert_string_equal(b->digits[0], "482913");
	assert_int_equal(bench_count_said(b, "Good."), 1);
	assert_true(bench_has_news(b, EVENT_SPOKEN)); /* asked for */
	assert_null(strstr(b->trace, "482913"));
	assert_non_null(strstr(b->trace, "[6 digits]"));
}

static void assert_check(struct bench *b, enum outcome_check result,
			 int64_t left, const char *trigger)
{
	b->verify[0] = result;
	b->verify_left[0] = left;
	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "111111");
	bench_finish(b, 10000);

	assert_true(bench_took(b, "Check", trigger));
	assert_int_equal(bench_has_news(b, EVENT_KEY_WRONG),
			 result == CHECK_WRONG);
}

TEST(wrong_digits_are_a_mismatch)
{
	assert_check(*state, CHECK_WRONG, 3, "mismatch");
}

TEST(the_last_wrong_digits_are_too_many)
{
	assert_check(*state, CHECK_WRONG, 0, "too_many");
}

TEST(a_locked_verification_is_too_many)
{
	assert_check(*state, CHECK_LOCKED, 0, "too_many");
}

TEST(an_expired_verification_is_expired)
{
	assert_check(*state, CHECK_EXPIRED, 3, "expired");
}

TEST(a_used_verification_is_expired)
{
	assert_check(*state, CHECK_USED, 3, "expired");
}

TEST(a_check_that_cannot_be_made_fails_with_words)
{
	struct bench *b = *state;

	b->verify_error = -EIO;
	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "111111");
	bench_finish(b, 20000);

	bench_assert_end(b, FLOW_FAILED, "Check");
	assert_int_equal(bench_count_said(b, "something went wrong"), 1);
}

TEST(a_key_ends_the_prompt)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_go(b, 900);
	bench_key(b, '4');

	assert_false(bench_sounds(b));
}

TEST(star_starts_again)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "12*482913");

	assert_string_equal(b->digits[0], "482913");
}

TEST(hash_means_nothing_where_it_finishes_nothing)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "482#913");

	assert_string_equal(b->digits[0], "482913");
}

TEST(a_key_of_a_code_may_take_ten_seconds)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_hear_out(b);
	for (const char *k = "482913"; *k; k++) {
		bench_go(b, 9900);
		bench_key(b, *k);
	}

	assert_string_equal(b->digits[0], "482913");
	assert_int_equal(bench_count_said(b, "Once more."), 0);
}

TEST(silence_is_asked_again_and_then_no_input)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_finish(b, 60000);

	assert_int_equal(bench_count_said(b, "Type it."), 1);
	assert_int_equal(bench_count_said(b, "Once more."), 1);
	assert_true(bench_took(b, "Begin", "no_input"));
	assert_int_equal(b->verified, 0);
}

TEST(too_few_digits_are_asked_for_again)
{
	struct bench *b = *state;

	bench_call_flow(b, BENCH_CODE_INPUT);
	bench_answer(b);
	bench_keys(b, "482");
	bench_go(b, 10100);
	assert_int_equal(bench_count_said(b, "Once more."), 1);
	bench_keys(b, "482913");

	assert_string_equal(b->digits[0], "482913");
}

TEST(a_finish_key_finishes)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'input','config':{'max_digits"
			   "':10,'min_digits':2,'finish_key':'#','secret':"
			   "false},'on':{'input':'Bye','no_input':'Bye'}}");
	bench_answer(b);
	bench_keys(b, "482#");
	bench_go(b, 0);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_non_null(strstr(b->trace, "\"finished_by\":\"#\""));
}

TEST(a_pause_finishes_where_enough_was_typed)
{
	struct bench *b = *state;

	bench_call_flow(b, "{'id':'Begin','type':'input','config':{'max_digits"
			   "':10,'inter_digit_timeout_ms':2000},'on':{'input':"
			   "'Bye','no_input':'Bye'}}");
	bench_answer(b);
	bench_keys(b, "482");
	bench_go(b, 2100);

	bench_assert_end(b, FLOW_HANGUP, "Bye");
	assert_true(bench_took(b, "Begin", "input"));
	assert_non_null(strstr(b->trace, "\"finished_by\":\"timeout\""));
}

TEST(a_warning_is_heard_out_and_keys_are_kept)
{
	struct bench *b = *state;

	bench_call_flow(
		b, "{'id':'Begin','type':'input','config':{'max_digits':'code'"
		   ",'barge_in':false,'prompt':{'kind':'text','text':'Type it."
		   " If somebody told you the digits, hang up now.'}},"
		   "'on':{'input':'Check','no_input':'Bye'}},"
		   "{'id':'Check','type':'verify','config':{'input':"
		   "'{{Begin.digits}}'},'on':{'match':'Bye','mismatch':'Bye',"
		   "'expired':'Bye','too_many':'Bye'}}");
	bench_answer(b);
	bench_go(b, 900);
	bench_keys(b, "482913");
	assert_true(bench_sounds(b));
	assert_int_equal(b->verified, 0);
	bench_hear_out(b);

	assert_true(b->plays[0].whole);
	assert_string_equal(b->digits[0], "482913");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(values_are_set_and_branched_on),
		WITH_BENCH(each_comparison_compares),
		WITH_BENCH(a_variable_is_rendered_while_the_person_waits),
		WITH_BENCH(digits_are_taken_and_verified),
		WITH_BENCH(wrong_digits_are_a_mismatch),
		WITH_BENCH(the_last_wrong_digits_are_too_many),
		WITH_BENCH(a_locked_verification_is_too_many),
		WITH_BENCH(an_expired_verification_is_expired),
		WITH_BENCH(a_used_verification_is_expired),
		WITH_BENCH(a_check_that_cannot_be_made_fails_with_words),
		WITH_BENCH(a_key_ends_the_prompt),
		WITH_BENCH(star_starts_again),
		WITH_BENCH(hash_means_nothing_where_it_finishes_nothing),
		WITH_BENCH(a_key_of_a_code_may_take_ten_seconds),
		WITH_BENCH(silence_is_asked_again_and_then_no_input),
		WITH_BENCH(too_few_digits_are_asked_for_again),
		WITH_BENCH(a_finish_key_finishes),
		WITH_BENCH(a_pause_finishes_where_enough_was_typed),
		WITH_BENCH(a_warning_is_heard_out_and_keys_are_kept),
	};

	return cmocka_run_group_tests_name("flow/input", tests, bench_open,
					   bench_close);
}
