// SPDX-License-Identifier: Apache-2.0
/*
 * test_scripted.c - the line to a scripted person: does it ring, hear what
 * is played, and end when and how it should?
 */
#include <errno.h>
#include <stdio.h>

#include "support/scripted_bench.h"

/* --- the line ----------------------------------------------------------------- */

TEST(it_rings_and_is_answered)
{
	dial(TEL_SCRIPT_LISTEN);
	go(5000);

	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.seen[0].ev.kind, TEL_RINGING);
	assert_int_equal(bench.seen[0].at_ms, 200);
	assert_int_equal(bench.seen[1].ev.kind, TEL_ANSWERED);
	assert_int_equal(bench.seen[1].at_ms, 2000);
}

TEST(a_busy_line_is_486)
{
	dial(TEL_SCRIPT_BUSY);
	go(5000);

	assert_int_equal(bench.count, 1);
	assert_ended(TEL_REFUSED, 200);
	assert_int_equal(last()->ev.sip_code, 486);
}

static const struct tel_script_fault *some_fault(const char *to, void *ctx)
{
	assert_string_equal(to, "+1000");
	return ctx;
}

static void dial_at_fault(struct tel_script_fault *fault)
{
	open_tel((struct tel_scripted_params){
		.script = the_script, .fault = some_fault, .ctx = fault});
	bench.script = TEL_SCRIPT_LISTEN;
	dial_number("+1000");
	go(5000);
}

TEST(a_line_at_fault_ends_before_it_rings)
{
	dial_at_fault(&(struct tel_script_fault){.sip_code = 404, .q850 = 1});

	assert_int_equal(bench.count, 1);
	assert_ended(TEL_REFUSED, 200);
	assert_int_equal(last()->ev.sip_code, 404);
	assert_int_equal(last()->ev.q850, 1);
}

TEST(a_line_that_answers_nothing_is_unreachable)
{
	dial_at_fault(&(struct tel_script_fault){0});

	assert_int_equal(bench.count, 1);
	assert_ended(TEL_UNREACHABLE, 200);
	assert_int_equal(last()->ev.sip_code, 0);
}

TEST(a_fault_may_come_after_it_rang_or_made_a_sound)
{
	dial_at_fault(
		&(struct tel_script_fault){.sip_code = 500, .rings = true});
	assert_int_equal(bench.seen[0].ev.kind, TEL_RINGING);
	assert_ended(TEL_REFUSED, 2000);
}

TEST(nobody_answers_until_the_ring_limit)
{
	dial(TEL_SCRIPT_NO_ANSWER);
	go(60000);

	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.seen[0].ev.kind, TEL_RINGING);
	assert_ended(TEL_NO_ANSWER, 200 + RING_LIMIT_MS);
}

TEST(declining_is_603_with_a_cause_of_the_person)
{
	dial(TEL_SCRIPT_DECLINE);
	go(5000);

	assert_ended(TEL_REFUSED, 2000);
	assert_int_equal(last()->ev.sip_code, 603);
	assert_int_equal(last()->ev.q850, 21);
}

TEST(the_late_one_answers_a_second_before_the_limit)
{
	dial(TEL_SCRIPT_LATE);
	go(60000);

	assert_int_equal(last()->ev.kind, TEL_ANSWERED);
	assert_int_equal(last()->at_ms, 200 + RING_LIMIT_MS - 1000);
}

TEST(a_forwarded_call_says_so_before_it_rings)
{
	dial(TEL_SCRIPT_FORWARDED);
	go(5000);

	assert_int_equal(bench.count, 3);
	assert_int_equal(bench.seen[0].ev.kind, TEL_FORWARDED);
	assert_int_equal(bench.seen[1].ev.kind, TEL_RINGING);
	assert_int_equal(bench.seen[2].ev.kind, TEL_ANSWERED);
}

TEST(hanging_up_early_comes_a_second_after_the_answer)
{
	dial_and_answer(TEL_SCRIPT_HANG_UP);
	play("wwww", 1);
	go(10000);

	assert_ended(TEL_HUNG_UP, 3000);
	assert_false(has(TEL_PLAYED));
}

TEST(our_hanging_up_is_told_from_the_loop)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("wwww", 1);
	tel_call_hang_up(bench.call);
	tel_call_hang_up(bench.call); /* once is enough */
	assert_int_equal(last()->ev.kind, TEL_ANSWERED);
	go(10000);

	assert_int_equal(bench.count, 3);
	assert_ended(TEL_WE_HUNG_UP, 2000);
}

TEST(a_call_that_rings_can_be_taken_back)
{
	dial(TEL_SCRIPT_LISTEN);
	go(500);
	tel_call_hang_up(bench.call);
	go(10000);

	assert_ended(TEL_WE_HUNG_UP, 500);
	assert_false(has(TEL_ANSWERED));
}

TEST(nothing_is_played_before_the_answer_or_after_the_end)
{
	AUTO(playlist) *p = sound("w");

	dial(TEL_SCRIPT_LISTEN);
	assert_int_equal(tel_call_play(bench.call, p, 1), -ENOTCONN);
	go(2000);
	tel_call_hang_up(bench.call);
	assert_int_equal(tel_call_play(bench.call, p, 1), -ENOTCONN);
	go(1);
	assert_int_equal(tel_call_play(bench.call, p, 1), -ENOTCONN);
	tel_call_stop(bench.call);
}

TEST(only_its_numbers_are_served)
{
	const struct tel_params params = {.to = "+3000", .event = on_event};

	open_tel((struct tel_scripted_params){.script = the_script});
	assert_true(tel_serves(bench.tel, "+1000"));
	assert_false(tel_serves(bench.tel, "+3000"));
	assert_int_equal(tel_dial(bench.tel, &params, &bench.call),
			 -EHOSTUNREACH);
	assert_string_equal(tel_name(bench.tel), "script");
}

TEST(the_sandbox_numbers_are_served_but_the_pages)
{
	open_tel((struct tel_scripted_params){0});

	assert_true(tel_serves(bench.tel, "+15555550110"));
	assert_true(tel_serves(bench.tel, "+15555550111"));
	for (unsigned n = 120; n <= 127; n++) {
		char number[] = "+15555550xxx";

		number[9] = (char)('0' + n / 100);
		number[10] = (char)('0' + n / 10 % 10);
		number[11] = (char)('0' + n % 10);
		assert_true(tel_serves(bench.tel, number));
	}
	assert_false(tel_serves(bench.tel, "+15555550100"));
	assert_false(tel_serves(bench.tel, "+14155550110"));

	dial_number("+15555550120");
	go(200);
	assert_ended(TEL_REFUSED, 200);
}

/* --- listening ----------------------------------------------------------------- */

TEST(a_sound_is_over_when_its_last_frame_was_played)
{
	unsigned ms;

	dial_and_answer(TEL_SCRIPT_SILENT);
	ms = play("w_w", 7);
	go(ms - 1);
	assert_int_equal(last()->ev.kind, TEL_ANSWERED);
	go(1);

	assert_int_equal(last()->ev.kind, TEL_PLAYED);
	assert_int_equal(last()->ev.play_id, 7);
	assert_int_equal(last()->ev.played_ms, ms);
}

TEST(an_empty_sound_is_over_at_once_but_from_the_loop)
{
	dial_and_answer(TEL_SCRIPT_SILENT);
	play("", 7);
	go(0);

	assert_int_equal(last()->ev.kind, TEL_PLAYED);
	assert_int_equal(last()->ev.played_ms, 0);
}

TEST(digits_are_heard_one_by_one_as_they_end)
{
	dial_and_answer(TEL_SCRIPT_SILENT);
	play("w472", 1);
	go(1000 + DIGIT_MS - 1);
	assert_string_equal(bench.heard, "");
	go(1);
	assert_string_equal(bench.heard, "4");
	go(GAP_MS + DIGIT_MS);
	assert_string_equal(bench.heard, "47");
	go(GAP_MS + DIGIT_MS);
	assert_string_equal(bench.heard, "472");
}

TEST(all_digits_are_told_apart)
{
	dial_and_answer(TEL_SCRIPT_SILENT);
	say("0123456789,9876543210,_4_4", 1);

	assert_string_equal(bench.heard, "0123456789987654321044");
}

TEST(what_is_cut_off_is_not_heard)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("w472w", 1);
	go(1000 + 2 * DIGIT_MS + GAP_MS);
	tel_call_stop(bench.call);
	go(20000);

	assert_string_equal(bench.heard, "47");
	assert_string_equal(bench.keys, "");
	assert_false(has(TEL_PLAYED));
}

TEST(what_is_replaced_is_not_heard_to_its_end)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("w472w", 1);
	go(1000 + 2 * DIGIT_MS + GAP_MS);
	say("w358", 2);
	go(5000);

	assert_string_equal(bench.heard, "47358");
	assert_string_equal(bench.keys, "358");
	assert_int_equal(first_of(TEL_PLAYED)->ev.play_id, 2);
}

/* --- closing ---------------------------------------------------------------------- */

static void close_in(enum tel_script script, enum tel_event_kind kind)
{
	bench.closes = true;
	bench.close_at = kind;
	dial(script);
	go(20200); /* even a mailbox has answered */
	if (bench.call && kind != TEL_ENDED)
		say("w472|ww", 1);
	if (bench.call && kind == TEL_ENDED)
		tel_call_hang_up(bench.call);
	go(60000);

	assert_null(bench.call);
	assert_int_equal(last()->ev.kind, kind);
	tel_free(bench.tel);
	bench.tel = NULL;
	bench.count = 0;
	memset(bench.keys, 0, sizeof(bench.keys));
}

TEST(a_call_may_be_closed_in_any_event)
{
	close_in(TEL_SCRIPT_LISTEN, TEL_RINGING);
	close_in(TEL_SCRIPT_FORWARDED, TEL_FORWARDED);
	close_in(TEL_SCRIPT_LISTEN, TEL_ANSWERED);
	close_in(TEL_SCRIPT_LISTEN, TEL_KEY);
	close_in(TEL_SCRIPT_LISTEN, TEL_PLAYED);
	close_in(TEL_SCRIPT_MAILBOX, TEL_KEY);
	close_in(TEL_SCRIPT_LISTEN, TEL_ENDED);
	close_in(TEL_SCRIPT_BUSY, TEL_ENDED);
	close_in(TEL_SCRIPT_NO_ANSWER, TEL_ENDED);
}

TEST(no_event_follows_a_close)
{
	dial_and_answer(TEL_SCRIPT_LISTEN);
	play("w472|", 1);
	go(100);
	tel_call_hang_up(bench.call);
	tel_call_close(bench.call);
	bench.call = NULL;
	go(60000);

	assert_int_equal(last()->ev.kind, TEL_ANSWERED);
}

static char keyed[PLAYLIST_KEYS_MAX + 1];

static void on_keyed(const char *call_id, const char *keys, void *ctx)
{
	(void)ctx;
	assert_string_equal(call_id, "call-1");
	(void)snprintf(keyed, sizeof(keyed), "%s", keys);
}

TEST(keys_are_for_a_switchboard_and_not_for_the_person)
{
	AUTO(playlist) *p = playlist_new();

	bench.script = TEL_SCRIPT_LISTEN;
	open_tel((struct tel_scripted_params){.script = the_script,
					      .keyed = on_keyed});
	dial_number("+1000");
	go(2000);
	assert_int_equal(playlist_silence(p, 5000), 0);
	assert_int_equal(playlist_key(p, '4', 100), 0);
	assert_int_equal(playlist_key(p, '#', 100), 0);
	assert_int_equal(tel_call_play(bench.call, p, 3), 0);
	go(5180);
	assert_string_equal(keyed, "");
	go(20);

	assert_string_equal(keyed, "4#");
	assert_int_equal(last()->ev.kind, TEL_PLAYED);
	assert_int_equal(last()->ev.play_id, 3);
}

TEST(a_clip_without_sound_is_no_ear)
{
	AUTO(clip) *silence = NULL;
	struct tel_scripted_params params = {.ears_count = 1};
	struct tel_ear ear;
	struct pcm quiet = {b_zero(pcm_samples(100), 2), pcm_samples(100)};

	silence = clip_new(&quiet, "5");
	ear = (struct tel_ear){'5', silence};
	params.ears = &ear;

	assert_int_equal(tel_scripted_new(&params, &bench.tel), -EINVAL);
	pcm_free(&quiet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(it_rings_and_is_answered),
		WITH_BENCH(a_busy_line_is_486),
		WITH_BENCH(a_line_at_fault_ends_before_it_rings),
		WITH_BENCH(a_line_that_answers_nothing_is_unreachable),
		WITH_BENCH(a_fault_may_come_after_it_rang_or_made_a_sound),
		WITH_BENCH(nobody_answers_until_the_ring_limit),
		WITH_BENCH(declining_is_603_with_a_cause_of_the_person),
		WITH_BENCH(the_late_one_answers_a_second_before_the_limit),
		WITH_BENCH(a_forwarded_call_says_so_before_it_rings),
		WITH_BENCH(hanging_up_early_comes_a_second_after_the_answer),
		WITH_BENCH(our_hanging_up_is_told_from_the_loop),
		WITH_BENCH(a_call_that_rings_can_be_taken_back),
		WITH_BENCH(
			nothing_is_played_before_the_answer_or_after_the_end),
		WITH_BENCH(only_its_numbers_are_served),
		WITH_BENCH(the_sandbox_numbers_are_served_but_the_pages),
		WITH_BENCH(a_sound_is_over_when_its_last_frame_was_played),
		WITH_BENCH(an_empty_sound_is_over_at_once_but_from_the_loop),
		WITH_BENCH(digits_are_heard_one_by_one_as_they_end),
		WITH_BENCH(all_digits_are_told_apart),
		WITH_BENCH(what_is_cut_off_is_not_heard),
		WITH_BENCH(what_is_replaced_is_not_heard_to_its_end),
		WITH_BENCH(a_call_may_be_closed_in_any_event),
		WITH_BENCH(no_event_follows_a_close),
		WITH_BENCH(keys_are_for_a_switchboard_and_not_for_the_person),
		WITH_BENCH(a_clip_without_sound_is_no_ear),
	};

	return cmocka_run_group_tests_name("tel/scripted", tests, NULL, NULL);
}
