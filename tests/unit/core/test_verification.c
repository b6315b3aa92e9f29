// SPDX-License-Identifier: Apache-2.0
/*
 * test_verification.c - the life of one verification: when it may be called,
 * when a check counts, how it ends, and what its number remembers (A2-A5, A7,
 * A8, B4, B5, B8, B10).
 */
#include <stdio.h>
#include <string.h>

#include "core/verification.h"
#include "support/test.h"

#define CODE "482913"

static const int64_t t0 = 1000000, second = 1000, minute = 60000;

static struct verification v;
static struct verification_number n;
static int64_t retry;
static unsigned left;

static struct verification wish(const char *id)
{
	struct verification w = {.ttl_ms = 10 * minute, .epoch = 7};

	(void)snprintf(w.id, sizeof(w.id), "%s", id);
	(void)snprintf(w.purpose, sizeof(w.purpose), "login");
	return w;
}

static int set_up(void **state)
{
	(void)state;
	memset(&n, 0, sizeof(n));
	v = wish("ver_1");
	return verification_create(&v, &n, t0, &retry) != VERIFICATION_FINE;
}

static bool tell_leg(const char *leg, enum outcome_event event, int64_t now)
{
	struct verification_news news = {
		.event = event,
		.leg = leg,
		.route = "main",
		.outcome = event == EVENT_ENDED ? LEG_NO_ANSWER : LEG_NONE,
	};

	return verification_deliver(&v, &n, &news, now);
}

static bool tell(enum outcome_event event, int64_t now)
{
	return tell_leg("call_1", event, now);
}

static bool tell_end(enum outcome_leg outcome, int64_t now)
{
	struct verification_news news = {.event = EVENT_ENDED,
					 .leg = "call_1",
					 .outcome = outcome,
					 .sip_code = 486};

	return verification_deliver(&v, &n, &news, now);
}

/* A call that was answered at `now`. */
static void answer(int64_t now)
{
	assert_int_equal(verification_may_call(&v, now), VERIFICATION_CALL);
	verification_add_leg(&v, "call_1", now);
	assert_true(tell(EVENT_DIALING, now));
	assert_true(tell(EVENT_RINGING, now));
	assert_true(tell(EVENT_ANSWERED, now));
}

/* ... by a person, who was told the code. */
static void deliver(int64_t now)
{
	answer(now);
	assert_true(tell(EVENT_HUMAN, now));
	assert_true(tell(EVENT_SPOKEN, now) ||
		    v.method_allowed == VERIFICATION_BY_KEYPAD);
}

static enum outcome_check check_with(struct verification_attempt a, int64_t now)
{
	if (!a.code)
		a.code = CODE;
	if (!a.expected)
		a.expected = CODE;
	if (!a.epoch)
		a.epoch = 7;
	return verification_check(&v, &n, &a, now, &left);
}

static enum outcome_check check(const char *code, int64_t now)
{
	return check_with((struct verification_attempt){.code = code}, now);
}

static enum outcome_check type(const char *code, int64_t now)
{
	return check_with((struct verification_attempt){.code = code,
							.keypad = true},
			  now);
}

/* Far enough ahead for any wait to be over. */
static int64_t later(int64_t now)
{
	return now + 61 * minute;
}

/* --- create ------------------------------------------------------------------------- */

TEST(a_new_one_is_pending_and_has_its_defaults)
{
	struct verification w = {.id = "ver_2"};

	assert_int_equal(verification_create(&w, &n, t0, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(w.status, STATUS_PENDING);
	assert_int_equal(w.created_ms, t0);
	assert_int_equal(w.expires_ms, t0 + 600 * second);
	assert_int_equal(w.wrong_max, 5);
	assert_int_equal(w.code_length, 6);
	assert_int_equal(w.human_digits, 3);
	assert_int_equal(w.deliverable_ms, 0);
}

TEST(a_fourth_live_code_is_refused_until_one_is_over)
{
	struct verification b = wish("ver_2"), c = wish("ver_3"),
			    d = wish("ver_4");

	assert_int_equal(verification_create(&b, &n, t0 + 1, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(verification_create(&c, &n, t0 + 2, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(verification_create(&d, &n, t0 + 3, &retry),
			 VERIFICATION_TOO_MANY_LIVE);
	assert_int_equal(retry, 600 * second - 3);
	assert_int_equal(d.created_ms, 0);

	assert_true(verification_cancel(&b, &n, t0 + 4));
	assert_int_equal(verification_create(&d, &n, t0 + 5, &retry),
			 VERIFICATION_FINE);
}

TEST(every_end_gives_its_slot_back)
{
	assert_int_equal(n.live_count, 1);
	deliver(t0);
	assert_int_equal(check(CODE, t0), CHECK_APPROVED);
	assert_int_equal(n.live_count, 0);
}

TEST(a_slot_whose_time_is_over_is_free_even_if_nobody_said_so)
{
	struct verification a = wish("a"), b = wish("b"), c = wish("c");

	assert_int_equal(verification_create(&a, &n, t0, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(verification_create(&b, &n, t0, &retry),
			 VERIFICATION_FINE);

	assert_int_equal(verification_create(&c, &n, t0 + 600 * second, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(n.live_count, 1);
}

TEST(a_blocked_number_is_refused)
{
	struct verification w = wish("ver_2");

	n.blocked = true;
	assert_int_equal(verification_create(&w, &n, t0, &retry),
			 VERIFICATION_BLOCKED);
}

/* --- time (A2) --------------------------------------------------------------------------- */

TEST(an_answer_gives_the_whole_ttl_again_but_never_over_ten_minutes)
{
	v = wish("ver_9");
	v.ttl_ms = 2 * minute;
	assert_int_equal(verification_create(&v, &n, t0, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(v.expires_ms, t0 + 2 * minute);

	answer(t0 + 50 * second);
	assert_int_equal(v.expires_ms, t0 + 170 * second);
	assert_int_equal(n.live[n.live_count - 1].expires_ms,
			 t0 + 170 * second);
}

TEST(nothing_lives_longer_than_ten_minutes)
{
	answer(t0 + 5 * minute);

	assert_int_equal(v.expires_ms, t0 + 10 * minute);
}

TEST(a_code_ends_at_its_expiry_and_not_before)
{
	deliver(t0);

	assert_false(verification_expire(&v, &n, v.expires_ms - 1));
	assert_int_equal(check("000000", v.expires_ms - 1), CHECK_WRONG);
	assert_int_equal(check(CODE, v.expires_ms), CHECK_EXPIRED);
	assert_int_equal(v.status, STATUS_EXPIRED);
	assert_int_equal(left, 0);
	assert_false(verification_expire(&v, &n, v.expires_ms));
}

TEST(expiry_ends_it_once)
{
	assert_true(verification_expire(&v, &n, v.expires_ms));
	assert_int_equal(v.status, STATUS_EXPIRED);
	assert_int_equal(v.ended_ms, v.expires_ms);
	assert_false(verification_expire(&v, &n, v.expires_ms + 1));
	assert_int_equal(n.live_count, 0);
}

TEST(there_is_no_dial_with_less_than_ninety_seconds_left)
{
	int64_t last = v.expires_ms - 90 * second;

	assert_int_equal(verification_may_call(&v, last), VERIFICATION_CALL);
	assert_int_equal(verification_may_call(&v, last + 1),
			 VERIFICATION_TOO_LATE);
	verification_add_leg(&v, "call_1", last);
	assert_false(tell(EVENT_DIALING, last + 1));
	assert_int_equal(v.legs[0].state, VERIFICATION_LEG_QUEUED);
	assert_true(tell(EVENT_DIALING, last));
}

TEST(a_short_code_may_be_dialled_with_half_its_time_left)
{
	v = wish("ver_9");
	v.ttl_ms = minute;
	assert_int_equal(verification_create(&v, &n, t0, &retry),
			 VERIFICATION_FINE);

	assert_int_equal(verification_may_call(&v, t0 + 30 * second),
			 VERIFICATION_CALL);
	assert_int_equal(verification_may_call(&v, t0 + 30 * second + 1),
			 VERIFICATION_TOO_LATE);
}

/* --- delivery (A4) ------------------------------------------------------------------------- */

TEST(no_check_counts_or_succeeds_before_the_code_was_spoken_to_a_person)
{
	assert_int_equal(check(CODE, t0), CHECK_NOT_DELIVERED);
	answer(t0);
	assert_int_equal(check(CODE, t0), CHECK_NOT_DELIVERED);
	assert_false(tell(EVENT_SPOKEN, t0)); /* to nobody in particular */
	assert_int_equal(check(CODE, t0), CHECK_NOT_DELIVERED);
	assert_true(tell(EVENT_HUMAN, t0));
	for (int i = 0; i < 20; i++)
		assert_int_equal(check("000000", t0), CHECK_NOT_DELIVERED);
	assert_int_equal(v.wrong, 0);
	assert_int_equal(n.failures_count, 0);
	assert_int_equal(left, 5);

	assert_true(tell(EVENT_SPOKEN, t0 + 5));
	assert_int_equal(v.deliverable_ms, t0 + 5);
	assert_int_equal(check(CODE, t0 + 6), CHECK_APPROVED);
}

TEST(plain_speaks_to_whoever_answers)
{
	v.warnings |= VERIFICATION_WARN_PLAIN;
	answer(t0);

	assert_true(tell(EVENT_SPOKEN, t0));
	assert_int_equal(check(CODE, t0), CHECK_APPROVED);
}

TEST(in_reverse_the_code_is_asked_for_once_a_person_is_there)
{
	v.method_allowed = VERIFICATION_BY_KEYPAD;
	answer(t0);
	assert_int_equal(type(CODE, t0), CHECK_NOT_DELIVERED);

	assert_true(tell(EVENT_HUMAN, t0));
	assert_int_equal(type(CODE, t0), CHECK_APPROVED);
	assert_true(v.approved_by_keypad);
}

/* --- checking -------------------------------------------------------------------------------- */

TEST(the_right_code_is_accepted_once)
{
	deliver(t0);

	assert_int_equal(check(CODE, t0 + 1), CHECK_APPROVED);
	assert_int_equal(v.status, STATUS_APPROVED);
	assert_int_equal(v.ended_ms, t0 + 1);
	assert_int_equal(n.approved_ms, t0 + 1);
	assert_false(v.approved_by_keypad);
	for (int i = 0; i < 100; i++)
		assert_int_equal(check(CODE, t0 + 2), CHECK_USED);
	assert_int_equal(check("000000", t0 + 2), CHECK_USED);
}

TEST(only_the_whole_code_is_right)
{
	static const char *const wrong[] = {
		"",        "48291",   "4829130",
		"482914",  "382913",  " 482913",
		"482913 ", "482 913", "\xd9\xa4\x38\x32\x39\x31\x33",
	};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_int_equal(set_up(NULL), 0);
		deliver(t0);
		assert_int_equal(check(wrong[i], t0), CHECK_WRONG);
	}
}

TEST(no_code_at_all_and_endless_text_are_wrong_too)
{
	struct verification_attempt a = {.expected = CODE, .epoch = 7};
	char endless[1024];

	memset(endless, '4', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	memcpy(endless, CODE, 6);
	deliver(t0);

	assert_int_equal(verification_check(&v, &n, &a, t0, &left),
			 CHECK_WRONG);
	assert_int_equal(check(endless, t0), CHECK_WRONG);
}

TEST(the_fifth_wrong_check_is_the_last)
{
	int64_t now = t0;

	v.ttl_ms = 10 * minute;
	deliver(t0);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(check("000000", now), CHECK_WRONG);
		assert_int_equal(left, 5 - i);
		assert_int_equal(v.status,
				 i < 5 ? STATUS_PENDING : STATUS_FAILED);
		now += verification_wait_ms(i);
	}

	assert_int_equal(check(CODE, now), CHECK_LOCKED);
	assert_int_equal(left, 0);
	assert_int_equal(n.live_count, 0);
}

TEST(the_number_of_wrong_checks_can_be_set)
{
	v.wrong_max = 1;
	deliver(t0);

	assert_int_equal(check("000000", t0), CHECK_WRONG);
	assert_int_equal(v.status, STATUS_FAILED);
}

TEST(a_code_of_another_epoch_is_over)
{
	deliver(t0);

	assert_int_equal(check_with((struct verification_attempt){.epoch = 8},
				    t0),
			 CHECK_EXPIRED);
	assert_int_equal(v.status, STATUS_EXPIRED);
	assert_int_equal(check(CODE, t0), CHECK_EXPIRED);
}

TEST(a_code_whose_key_is_gone_is_over)
{
	struct verification_attempt a = {.code = "", .epoch = 7};

	deliver(t0);

	assert_int_equal(verification_check(&v, &n, &a, t0, &left),
			 CHECK_EXPIRED);
	assert_int_equal(v.status, STATUS_EXPIRED);
}

TEST(every_check_changes_the_record_whatever_it_is_answered)
{
	assert_int_equal(check(CODE, t0), CHECK_NOT_DELIVERED);
	assert_int_equal(v.checks, 1);
	deliver(t0);
	assert_int_equal(check("000000", t0), CHECK_WRONG);
	assert_int_equal(check(CODE, t0), CHECK_APPROVED);
	assert_int_equal(check(CODE, t0), CHECK_USED);
	assert_int_equal(v.checks, 4);
}

TEST(after_an_end_a_check_says_how_it_ended)
{
	deliver(t0);
	assert_true(verification_cancel(&v, &n, t0));

	assert_int_equal(check(CODE, t0), CHECK_EXPIRED);
	assert_int_equal(v.status, STATUS_CANCELED);
}

/* --- what is bound (A7) ------------------------------------------------------------------------ */

TEST(an_amount_and_a_payee_that_are_bound_must_be_given_and_right)
{
	static const struct {
		const char *amount, *currency, *payee;
		enum outcome_check answer;
	} cases[] = {
		{NULL, NULL, NULL, CHECK_WRONG},
		{"12.50", NULL, NULL, CHECK_WRONG},
		{NULL, NULL, "Acme", CHECK_WRONG},
		{"12.51", NULL, "Acme", CHECK_WRONG},
		{"12.5", NULL, "Acme", CHECK_WRONG},
		{"12.50", NULL, "Acm", CHECK_WRONG},
		{"12.50", "USD", "Acme", CHECK_WRONG},
		{"12.50", "EUR", "Acme", CHECK_APPROVED},
		{"12.50", "", "Acme", CHECK_APPROVED},
		{"12.50", NULL, "Acme", CHECK_APPROVED},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(set_up(NULL), 0);
		(void)snprintf(v.amount, sizeof(v.amount), "12.50");
		(void)snprintf(v.currency, sizeof(v.currency), "EUR");
		(void)snprintf(v.payee, sizeof(v.payee), "Acme");
		deliver(t0);
		assert_int_equal(check_with(
					 (struct verification_attempt){
						 .amount = cases[i].amount,
						 .currency = cases[i].currency,
						 .payee = cases[i].payee},
					 t0),
				 cases[i].answer);
	}
}

TEST(what_is_not_bound_must_not_be_claimed)
{
	deliver(t0);

	assert_int_equal(
		check_with((struct verification_attempt){.amount = "1"}, t0),
		CHECK_WRONG);
	assert_int_equal(check_with((struct verification_attempt){.payee = "x"},
				    t0),
			 CHECK_WRONG);
}

TEST(a_payee_is_compared_to_its_last_byte)
{
	char other[VERIFICATION_PAYEE_BYTES];

	memset(v.payee, 'x', sizeof(v.payee) - 1);
	memcpy(other, v.payee, sizeof(other));
	other[sizeof(other) - 2] = 'y';
	deliver(t0);

	assert_int_equal(
		check_with((struct verification_attempt){.payee = other}, t0),
		CHECK_WRONG);
	assert_int_equal(
		check_with((struct verification_attempt){.payee = v.payee}, t0),
		CHECK_APPROVED);
}

TEST(the_keypad_does_not_repeat_what_the_call_said)
{
	v.method_allowed = VERIFICATION_BY_CALL;
	(void)snprintf(v.amount, sizeof(v.amount), "12.50");
	deliver(t0);

	assert_int_equal(type(CODE, t0), CHECK_APPROVED);
}

/* --- who may answer (B5) -------------------------------------------------------------------------- */

TEST(in_reverse_only_the_keypad_approves)
{
	v.method_allowed = VERIFICATION_BY_KEYPAD;
	deliver(t0);

	assert_int_equal(check(CODE, t0), CHECK_WRONG);
	assert_int_equal(v.wrong, 1);
	assert_int_equal(left, 4);
	assert_int_equal(type(CODE, t0), CHECK_APPROVED);
}

TEST(a_code_that_is_to_come_by_the_api_is_not_taken_from_the_keypad)
{
	deliver(t0);

	assert_int_equal(type(CODE, t0), CHECK_WRONG);
	assert_int_equal(check(CODE, t0), CHECK_APPROVED);
}

TEST(a_keypad_flow_takes_either)
{
	v.method_allowed = VERIFICATION_BY_CALL;
	deliver(t0);
	assert_int_equal(type(CODE, t0), CHECK_APPROVED);
	assert_true(v.approved_by_keypad);

	assert_int_equal(set_up(NULL), 0);
	v.method_allowed = VERIFICATION_BY_CALL;
	deliver(t0);
	assert_int_equal(check(CODE, t0), CHECK_APPROVED);
	assert_false(v.approved_by_keypad);
}

/* --- failures of a number (A4) --------------------------------------------------------------------- */

TEST(waits_grow_from_half_a_minute_to_an_hour)
{
	static const int64_t seconds[] = {0,   0,   0,   30,   60,   120,
					  240, 480, 960, 1920, 3600, 3600};

	for (unsigned i = 0; i < COUNT_OF(seconds); i++)
		assert_int_equal(verification_wait_ms(i), seconds[i] * second);
	assert_int_equal(verification_wait_ms(100), 3600 * second);
	assert_int_equal(verification_wait_ms(UINT32_MAX), 3600 * second);
}

TEST(during_a_wait_nothing_is_counted_and_nothing_succeeds)
{
	deliver(t0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(check("000000", t0), CHECK_WRONG);

	for (int i = 0; i < 50; i++)
		assert_int_equal(check("000000", t0 + 1), CHECK_LOCKED);
	assert_int_equal(check(CODE, t0 + 30 * second - 1), CHECK_LOCKED);
	assert_int_equal(v.wrong, 3);
	assert_int_equal(left, 2);
	assert_int_equal(check(CODE, t0 + 30 * second), CHECK_APPROVED);
}

TEST(a_new_code_does_not_reset_failures_and_a_success_does)
{
	int64_t now = t0;

	deliver(t0);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(check("000000", now), CHECK_WRONG);
		now += verification_wait_ms(i);
	}
	assert_int_equal(n.failures[0].in_row, 5);

	v = wish("ver_2");
	assert_int_equal(verification_create(&v, &n, now - 1, &retry),
			 VERIFICATION_WAITING);
	assert_int_equal(retry, 1);
	assert_int_equal(verification_create(&v, &n, now, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(n.failures[0].in_row, 5);
	deliver(now);
	assert_int_equal(check("000000", now), CHECK_WRONG);
	assert_int_equal(n.failures[0].in_row, 6);
	now += verification_wait_ms(6);
	assert_int_equal(check(CODE, now), CHECK_APPROVED);
	assert_int_equal(n.failures_count, 0);
}

/* `count` failures, as fast as the waits allow. */
static int64_t fail_often(unsigned count, const char *purpose, int64_t now)
{
	while (count > 0) {
		v = wish("ver_f");
		(void)snprintf(v.purpose, sizeof(v.purpose), "%s", purpose);
		assert_int_equal(verification_create(&v, &n, now, &retry),
				 VERIFICATION_FINE);
		v.wrong_max = 1;
		deliver(now);
		assert_int_equal(check("000000", now), CHECK_WRONG);
		now = later(now);
		count--;
	}
	return now;
}

TEST(a_hundred_failures_in_a_row_stop_until_an_unlock)
{
	struct verification w = wish("ver_2");
	int64_t now = fail_often(99, "login", later(t0));

	assert_int_equal(verification_create(&w, &n, now, &retry),
			 VERIFICATION_FINE);
	verification_cancel(&w, &n, now);
	now = fail_often(1, "login", now);

	w = wish("ver_3");
	assert_int_equal(verification_create(&w, &n, now + 1000 * minute,
					     &retry),
			 VERIFICATION_STOPPED);
	assert_int_equal(retry, 0);
	verification_unlock(&n);
	assert_int_equal(verification_create(&w, &n, now, &retry),
			 VERIFICATION_FINE);
}

TEST(failures_of_one_purpose_do_not_hold_up_another)
{
	struct verification w = wish("ver_2");
	int64_t now = fail_often(3, "payment", later(t0)) - 61 * minute;

	(void)snprintf(w.purpose, sizeof(w.purpose), "payment");
	assert_int_equal(verification_create(&w, &n, now, &retry),
			 VERIFICATION_WAITING);
	(void)snprintf(w.purpose, sizeof(w.purpose), "login");
	assert_int_equal(verification_create(&w, &n, now, &retry),
			 VERIFICATION_FINE);
}

TEST(ever_new_purposes_bring_no_fresh_guesses)
{
	int64_t now = later(t0);
	unsigned most = 0;

	for (unsigned i = 0; i < 200; i++) {
		struct verification w = wish("ver_p");
		enum verification_refusal no;

		(void)snprintf(w.purpose, sizeof(w.purpose), "word_%u", i);
		no = verification_create(&w, &n, now, &retry);
		if (no == VERIFICATION_WAITING) {
			now += retry;
			no = verification_create(&w, &n, now, &retry);
		}
		assert_int_equal(no, VERIFICATION_FINE);
		verification_cancel(&w, &n, now);
		v = wish("ver_q");
		(void)snprintf(v.purpose, sizeof(v.purpose), "word_%u", i);
		assert_int_equal(verification_create(&v, &n, now, &retry),
				 VERIFICATION_FINE);
		v.wrong_max = 1;
		deliver(now);
		assert_int_equal(check("000000", now), CHECK_WRONG);
		now++;
	}
	for (size_t i = 0; i < n.failures_count; i++)
		if (n.failures[i].in_row > most)
			most = n.failures[i].in_row;

	assert_int_equal(n.failures_count, VERIFICATION_PURPOSES_MAX);
	assert_true(most >= 200 / VERIFICATION_PURPOSES_MAX);
	assert_true(now - later(t0) > 720 * minute);
}

/* --- reports and machines (B4, B8) -------------------------------------------------------------------- */

TEST(a_report_cancels_and_pauses_the_number_for_a_quarter_of_an_hour)
{
	struct verification w = wish("ver_2");

	answer(t0);
	assert_true(tell(EVENT_REPORTED, t0));

	assert_int_equal(v.status, STATUS_REPORTED);
	assert_string_equal(outcome_status_text(v.status), "canceled");
	assert_int_equal(n.live_count, 0);
	assert_int_equal(verification_create(&w, &n, t0 + 15 * minute - 1,
					     &retry),
			 VERIFICATION_PAUSED);
	assert_int_equal(retry, 1);
	assert_int_equal(verification_create(&w, &n, t0 + 15 * minute, &retry),
			 VERIFICATION_FINE);
}

TEST(a_report_also_holds_the_other_live_codes)
{
	struct verification first;

	deliver(t0);
	first = v;
	v = wish("ver_2");
	assert_int_equal(verification_create(&v, &n, t0, &retry),
			 VERIFICATION_FINE);
	answer(t0);
	assert_true(tell(EVENT_REPORTED, t0));

	v = first;
	assert_int_equal(check(CODE, t0 + 1), CHECK_LOCKED);
	assert_int_equal(v.status, STATUS_PENDING);
}

TEST(a_report_after_the_approval_changes_no_status_and_still_pauses)
{
	struct verification w = wish("ver_2");

	deliver(t0);
	assert_int_equal(check(CODE, t0), CHECK_APPROVED);
	assert_true(tell(EVENT_REPORTED, t0 + 1));

	assert_int_equal(v.status, STATUS_APPROVED);
	assert_int_equal(verification_create(&w, &n, t0 + 2, &retry),
			 VERIFICATION_PAUSED);
}

TEST(a_suspected_machine_means_five_digits_for_thirty_days_and_no_lock)
{
	const int64_t month = 43200 * minute;
	struct verification w = wish("ver_2");

	answer(t0);
	assert_true(tell(EVENT_MACHINE_SUSPECTED, t0));
	assert_int_equal(v.status, STATUS_PENDING);
	assert_int_equal(verification_create(&w, &n, t0 + 1, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(w.human_digits, 5);
	w = wish("ver_3");
	assert_int_equal(verification_create(&w, &n, t0 + month - 1, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(w.human_digits, 5);
	w = wish("ver_4");
	assert_int_equal(verification_create(&w, &n, t0 + month, &retry),
			 VERIFICATION_FINE);
	assert_int_equal(w.human_digits, 3);
}

TEST(a_leg_that_ended_as_a_machine_counts_as_one)
{
	answer(t0);
	assert_true(tell_end(LEG_MACHINE_SUSPECTED, t0));

	assert_true(n.five_digits_until_ms > t0);
}

/* --- calls ------------------------------------------------------------------------------------------------ */

TEST(one_call_at_a_time_and_six_in_all)
{
	char id[8];

	for (unsigned i = 0; i < VERIFICATION_LEGS_MAX; i++) {
		assert_int_equal(verification_may_call(&v, t0),
				 VERIFICATION_CALL);
		(void)snprintf(id, sizeof(id), "call_%u", i);
		verification_add_leg(&v, id, t0);
		assert_int_equal(verification_may_call(&v, t0),
				 VERIFICATION_BUSY);
		assert_true(tell_leg(id, EVENT_DIALING, t0));
		assert_int_equal(verification_may_call(&v, t0),
				 VERIFICATION_BUSY);
		assert_true(tell_leg(id, EVENT_ENDED, t0));
	}
	assert_int_equal(verification_may_call(&v, t0), VERIFICATION_TOO_OFTEN);
	verification_cancel(&v, &n, t0);
	assert_int_equal(verification_may_call(&v, t0), VERIFICATION_OVER);
}

TEST(after_busy_or_no_answer_it_stays_open)
{
	static const enum outcome_leg ends[] = {LEG_BUSY, LEG_NO_ANSWER,
						LEG_DECLINED, LEG_CONGESTION};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		assert_int_equal(set_up(NULL), 0);
		verification_add_leg(&v, "call_1", t0);
		assert_true(tell(EVENT_DIALING, t0));
		assert_true(tell_end(ends[i], t0 + 5));
		assert_int_equal(v.status, STATUS_PENDING);
		assert_int_equal(v.legs[0].outcome, ends[i]);
		assert_int_equal(v.legs[0].sip_code, 486);
		assert_int_equal(v.legs[0].ended_ms, t0 + 5);
		assert_int_equal(verification_may_call(&v, t0 + 5),
				 VERIFICATION_CALL);
	}
}

TEST(a_leg_is_dialled_once)
{
	verification_add_leg(&v, "call_1", t0);
	assert_true(tell(EVENT_DIALING, t0));
	assert_string_equal(v.legs[0].route, "main");
	assert_false(tell(EVENT_DIALING, t0));
	assert_true(tell(EVENT_ENDED, t0));
	assert_false(tell(EVENT_DIALING, t0));
}

TEST(news_out_of_order_changes_nothing)
{
	static const enum outcome_event events[] = {
		EVENT_RINGING,   EVENT_ANSWERED,  EVENT_HUMAN,
		EVENT_SPOKEN,    EVENT_KEY_WRONG, EVENT_MACHINE_SUSPECTED,
		EVENT_FORWARDED, EVENT_REPORTED,  EVENT_CREATED,
		EVENT_APPROVED,  EVENT_FAILED,    EVENT_EXPIRED,
		EVENT_CANCELED,
	};
	struct verification before;
	struct verification_number number_before = n;

	verification_add_leg(&v, "call_1", t0);
	before = v;
	for (size_t i = 0; i < COUNT_OF(events); i++)
		assert_false(tell(events[i], t0));
	assert_false(tell_leg("call_9", EVENT_DIALING, t0));

	assert_memory_equal(&v, &before, sizeof(v));
	assert_memory_equal(&n, &number_before, sizeof(n));
}

TEST(an_ended_leg_ignores_news)
{
	struct verification before;

	answer(t0);
	assert_true(tell_end(LEG_HUNG_UP_EARLY, t0));
	before = v;
	for (int e = EVENT_DIALING; e <= EVENT_ENDED; e++)
		assert_false(tell((enum outcome_event)e, t0));

	assert_memory_equal(&v, &before, sizeof(v));
}

TEST(a_leg_that_nobody_knows_about_was_interrupted)
{
	verification_add_leg(&v, "call_1", t0);
	assert_true(tell(EVENT_DIALING, t0));
	assert_true(tell_end(LEG_NONE, t0));

	assert_int_equal(v.legs[0].outcome, LEG_INTERRUPTED);
}

TEST(an_end_while_a_leg_is_live_stays_and_the_leg_still_ends)
{
	int64_t expires;

	verification_add_leg(&v, "call_1", t0);
	assert_true(tell(EVENT_DIALING, t0));
	assert_true(verification_cancel(&v, &n, t0));
	expires = v.expires_ms;

	assert_true(tell(EVENT_ANSWERED, t0 + 1));
	assert_true(tell(EVENT_HUMAN, t0 + 1));
	assert_true(tell(EVENT_SPOKEN, t0 + 1));
	assert_int_equal(v.expires_ms, expires);
	assert_int_equal(v.deliverable_ms, 0);
	assert_true(tell_end(LEG_CANCELED, t0 + 2));
	assert_int_equal(v.status, STATUS_CANCELED);
	assert_int_equal(v.legs[0].outcome, LEG_CANCELED);
}

TEST(a_verification_that_is_over_is_not_dialled)
{
	verification_add_leg(&v, "call_1", t0);
	assert_true(verification_cancel(&v, &n, t0));

	assert_false(tell(EVENT_DIALING, t0));
	assert_true(tell_end(LEG_NOT_CALLED, t0));
}

TEST(an_answer_after_the_expiry_does_not_bring_it_back)
{
	int64_t late = v.expires_ms;

	verification_add_leg(&v, "call_1", t0);
	assert_true(tell(EVENT_DIALING, t0));
	assert_true(tell(EVENT_ANSWERED, late));

	assert_int_equal(v.expires_ms, late);
	assert_int_equal(v.answered_ms, 0);
	assert_true(verification_expire(&v, &n, late));
}

TEST(a_forwarded_call_is_remembered_until_one_is_not)
{
	verification_add_leg(&v, "call_1", t0);
	assert_true(tell(EVENT_DIALING, t0));
	assert_true(tell(EVENT_FORWARDED, t0));
	assert_false(tell(EVENT_FORWARDED, t0));
	assert_false(n.forwarded);
	assert_true(tell(EVENT_ANSWERED, t0));
	assert_true(v.legs[0].forwarded);
	assert_true(n.forwarded);
	assert_true(tell(EVENT_ENDED, t0));

	verification_add_leg(&v, "call_2", t0);
	assert_true(tell_leg("call_2", EVENT_DIALING, t0));
	assert_true(tell_leg("call_2", EVENT_ANSWERED, t0));
	assert_false(n.forwarded);
}

TEST(a_cancel_works_once_and_not_after_the_expiry)
{
	assert_false(verification_cancel(&v, &n, v.expires_ms));
	assert_int_equal(v.status, STATUS_PENDING);
	assert_true(verification_cancel(&v, &n, t0));
	assert_false(verification_cancel(&v, &n, t0));
}

TEST(the_same_code_serves_a_second_call)
{
	deliver(t0);
	assert_true(tell_end(LEG_HUNG_UP_EARLY, t0 + 10));
	verification_add_leg(&v, "call_2", t0 + minute);
	assert_true(tell_leg("call_2", EVENT_DIALING, t0 + minute));
	assert_true(tell_leg("call_2", EVENT_ANSWERED, t0 + minute));

	assert_int_equal(v.deliverable_ms, t0);
	assert_int_equal(check(CODE, t0 + minute), CHECK_APPROVED);
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_one_is_pending_and_has_its_defaults),
		CASE(a_fourth_live_code_is_refused_until_one_is_over),
		CASE(every_end_gives_its_slot_back),
		CASE(a_slot_whose_time_is_over_is_free_even_if_nobody_said_so),
		CASE(a_blocked_number_is_refused),
		CASE(an_answer_gives_the_whole_ttl_again_but_never_over_ten_minutes),
		CASE(nothing_lives_longer_than_ten_minutes),
		CASE(a_code_ends_at_its_expiry_and_not_before),
		CASE(expiry_ends_it_once),
		CASE(there_is_no_dial_with_less_than_ninety_seconds_left),
		CASE(a_short_code_may_be_dialled_with_half_its_time_left),
		CASE(no_check_counts_or_succeeds_before_the_code_was_spoken_to_a_person),
		CASE(plain_speaks_to_whoever_answers),
		CASE(in_reverse_the_code_is_asked_for_once_a_person_is_there),
		CASE(the_right_code_is_accepted_once),
		CASE(only_the_whole_code_is_right),
		CASE(no_code_at_all_and_endless_text_are_wrong_too),
		CASE(the_fifth_wrong_check_is_the_last),
		CASE(the_number_of_wrong_checks_can_be_set),
		CASE(a_code_of_another_epoch_is_over),
		CASE(a_code_whose_key_is_gone_is_over),
		CASE(every_check_changes_the_record_whatever_it_is_answered),
		CASE(after_an_end_a_check_says_how_it_ended),
		CASE(an_amount_and_a_payee_that_are_bound_must_be_given_and_right),
		CASE(what_is_not_bound_must_not_be_claimed),
		CASE(a_payee_is_compared_to_its_last_byte),
		CASE(the_keypad_does_not_repeat_what_the_call_said),
		CASE(in_reverse_only_the_keypad_approves),
		CASE(a_code_that_is_to_come_by_the_api_is_not_taken_from_the_keypad),
		CASE(a_keypad_flow_takes_either),
		CASE(waits_grow_from_half_a_minute_to_an_hour),
		CASE(during_a_wait_nothing_is_counted_and_nothing_succeeds),
		CASE(a_new_code_does_not_reset_failures_and_a_success_does),
		CASE(a_hundred_failures_in_a_row_stop_until_an_unlock),
		CASE(failures_of_one_purpose_do_not_hold_up_another),
		CASE(ever_new_purposes_bring_no_fresh_guesses),
		CASE(a_report_cancels_and_pauses_the_number_for_a_quarter_of_an_hour),
		CASE(a_report_also_holds_the_other_live_codes),
		CASE(a_report_after_the_approval_changes_no_status_and_still_pauses),
		CASE(a_suspected_machine_means_five_digits_for_thirty_days_and_no_lock),
		CASE(a_leg_that_ended_as_a_machine_counts_as_one),
		CASE(one_call_at_a_time_and_six_in_all),
		CASE(after_busy_or_no_answer_it_stays_open),
		CASE(a_leg_is_dialled_once),
		CASE(news_out_of_order_changes_nothing),
		CASE(an_ended_leg_ignores_news),
		CASE(a_leg_that_nobody_knows_about_was_interrupted),
		CASE(an_end_while_a_leg_is_live_stays_and_the_leg_still_ends),
		CASE(a_verification_that_is_over_is_not_dialled),
		CASE(an_answer_after_the_expiry_does_not_bring_it_back),
		CASE(a_forwarded_call_is_remembered_until_one_is_not),
		CASE(a_cancel_works_once_and_not_after_the_expiry),
		CASE(the_same_code_serves_a_second_call),
	};

	return cmocka_run_group_tests_name("core/verification", tests, NULL,
					   NULL);
}
