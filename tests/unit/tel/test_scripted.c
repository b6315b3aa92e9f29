// SPDX-License-Identifier: Apache-2.0
/*
 * test_scripted.c - does a scripted person hear what is played, and do what the
 * script says, when it says so?
 *
 * The digits are tones of our own, which begin with silence like real ones.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "support/test.h"
#include "tel/scripted.h"

enum {
	START_MS = 1000000, /* of a manual clock */
	DIGIT_MS = 400,
	GAP_MS = 500,   /* behind a digit */
	GROUP_MS = 400, /* more, behind three */
	EVENTS_MAX = 256,
	RING_LIMIT_MS = 28000,
};

struct seen {
	struct tel_event ev;
	int64_t at_ms; /* since the dial */
};

/* One telephone, one call on it, and what came of it. */
static struct bench {
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct clip *digits[10], *fallen[10], *word;
	struct tel *tel;
	struct tel_call *call;
	struct seen seen[EVENTS_MAX];
	size_t count;
	char keys[EVENTS_MAX];
	char heard[EVENTS_MAX];
	size_t heard_count;
	enum tel_script script;
	const char *types;
	enum tel_event_kind close_at; /* close the call in this event */
	bool closes;
} bench;

static struct clip *tone(double hertz, unsigned ms, const char *caption)
{
	struct pcm pcm = {b_zero(pcm_samples(ms), 2), pcm_samples(ms)};
	struct clip *c;

	/* 100 ms of silence first: all of them begin alike */
	for (size_t i = pcm_samples(100); i < pcm.count; i++) {
		double t = (double)i / PCM_RATE;

		pcm.samples[i] = (int16_t)lrint(8000 * sin(6.28 * hertz * t));
	}
	c = clip_new(&pcm, caption);
	pcm_free(&pcm);
	return c;
}

static void on_event(const struct tel_event *ev, void *ctx)
{
	struct seen *s = &bench.seen[bench.count++];

	(void)ctx;
	assert_true(bench.count < EVENTS_MAX);
	s->ev = *ev;
	s->at_ms = clock_mono_ms(bench.clock) - START_MS;
	if (ev->kind == TEL_KEY)
		bench.keys[strlen(bench.keys)] = ev->key;
	if (bench.closes && ev->kind == bench.close_at) {
		tel_call_close(bench.call);
		bench.call = NULL;
	}
}

static void on_heard(const char *call_id, char digit, void *ctx)
{
	(void)ctx;
	assert_string_equal(call_id, "call-1");
	bench.heard[bench.heard_count++] = digit;
}

static int the_script(const char *to, void *ctx)
{
	(void)ctx;
	return strcmp(to, "+1000") == 0 ? (int)bench.script : -1;
}

static const char *what_to_type(const char *call_id, void *ctx)
{
	(void)ctx;
	assert_string_equal(call_id, "call-1");
	return bench.types;
}

static void open_tel(struct tel_scripted_params params)
{
	struct tel_ear ears[20];

	for (size_t i = 0; i < 10; i++) {
		ears[i] = (struct tel_ear){(char)('0' + i), bench.digits[i]};
		ears[10 + i] =
			(struct tel_ear){(char)('0' + i), bench.fallen[i]};
	}
	params.loop = bench.loop;
	params.rng = bench.rng;
	params.ears = ears;
	params.ears_count = COUNT_OF(ears);
	assert_int_equal(tel_scripted_new(&params, &bench.tel), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.clock = clock_manual(1700000000000);
	bench.loop = loop_new(bench.clock);
	bench.rng = rng_seeded(1);
	for (unsigned i = 0; i < 10; i++) {
		char caption[] = {(char)('0' + i), '\0'};

		bench.digits[i] = tone(300 + 50 * i, DIGIT_MS, caption);
		bench.fallen[i] = tone(1300 + 50 * i, DIGIT_MS, caption);
	}
	bench.word = tone(200, 1000, "word");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tel_call_close(bench.call);
	tel_free(bench.tel);
	for (unsigned i = 0; i < 10; i++) {
		clip_unref(bench.digits[i]);
		clip_unref(bench.fallen[i]);
	}
	clip_unref(bench.word);
	rng_free(bench.rng);
	loop_free(bench.loop);
	clock_free(bench.clock);
	return 0;
}

static void dial_number(const char *to)
{
	const struct tel_params params = {.call_id = "call-1",
					  .to = to,
					  .from = "+2000",
					  .language = "en",
					  .ring_ms = RING_LIMIT_MS,
					  .event = on_event};

	assert_int_equal(tel_dial(bench.tel, &params, &bench.call), 0);
	assert_int_equal(bench.count, 0);
}

static void dial(enum tel_script script)
{
	bench.script = script;
	open_tel((struct tel_scripted_params){.script = the_script,
					      .heard = on_heard,
					      .types = what_to_type});
	dial_number("+1000");
}

static void go(int64_t ms)
{
	loop_advance(bench.loop, ms);
}

/* Until the answer, which a person gives 2 s after the dial. */
static void dial_and_answer(enum tel_script script)
{
	dial(script);
	go(2000);
	assert_int_equal(bench.seen[bench.count - 1].ev.kind, TEL_ANSWERED);
}

static const struct seen *last(void)
{
	assert_true(bench.count > 0);
	return &bench.seen[bench.count - 1];
}

static size_t place_of(enum tel_event_kind kind)
{
	size_t i = 0;

	while (i < bench.count && bench.seen[i].ev.kind != kind)
		i++;
	return i;
}

static bool has(enum tel_event_kind kind)
{
	return place_of(kind) < bench.count;
}

static const struct seen *first_of(enum tel_event_kind kind)
{
	assert_true(has(kind));
	return &bench.seen[place_of(kind)];
}

static void assert_ended(enum tel_cause cause, int64_t at_ms)
{
	assert_int_equal(last()->ev.kind, TEL_ENDED);
	assert_int_equal(last()->ev.cause, cause);
	assert_int_equal(last()->at_ms, at_ms);
}

static void assert_goes_on(void)
{
	assert_false(has(TEL_ENDED));
}

/* --- sounds: w is a word of a second, _ a second of silence, | the mark ---- */

static void say_digit(struct playlist *p, const char *at)
{
	size_t d = (size_t)(*at - '0');
	bool ends = at[1] < '0' || at[1] > '9';

	assert_int_equal(
		playlist_add(p, ends ? bench.fallen[d] : bench.digits[d]), 0);
	if (!ends)
		assert_int_equal(playlist_silence(p, GAP_MS), 0);
}

static struct playlist *sound(const char *text)
{
	struct playlist *p = playlist_new();

	for (const char *at = text; *at; at++) {
		switch (*at) {
		case 'w':
			assert_int_equal(playlist_add(p, bench.word), 0);
			break;
		case '_':
			assert_int_equal(playlist_silence(p, 1000), 0);
			break;
		case ',':
			assert_int_equal(playlist_silence(p, GAP_MS + GROUP_MS),
					 0);
			break;
		case '|':
			playlist_mark(p);
			break;
		default:
			say_digit(p, at);
		}
	}
	return p;
}

/* Start a sound; its length in ms. */
static unsigned play(const char *text, uint32_t id)
{
	AUTO(playlist) *p = sound(text);
	size_t before = bench.count;

	assert_int_equal(tel_call_play(bench.call, p, id), 0);
	assert_int_equal(bench.count, before); /* never from inside */
	return playlist_ms(p);
}

/* Say it all; *how long it took in ms. */
static unsigned say(const char *text, uint32_t id)
{
	unsigned ms = play(text, id);

	go(ms);
	return ms;
}

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

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(it_rings_and_is_answered),
		WITH_BENCH(a_busy_line_is_486),
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
		WITH_BENCH(nine_is_pressed_four_seconds_into_the_greeting),
		WITH_BENCH(nine_waits_for_the_mark),
		WITH_BENCH(a_mailbox_plays_keys_and_hears_nothing),
		WITH_BENCH(a_mailbox_may_have_a_hundred_keys),
		WITH_BENCH(a_call_may_be_closed_in_any_event),
		WITH_BENCH(no_event_follows_a_close),
		WITH_BENCH(a_clip_without_sound_is_no_ear),
	};

	return cmocka_run_group_tests_name("tel/scripted", tests, NULL, NULL);
}
