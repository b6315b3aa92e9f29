// SPDX-License-Identifier: Apache-2.0
/*
 * test_built_in.c - the four flows that come with the program, on a telephone
 * that hears: does what is said reach a person, in every language, in time?
 *
 * The scripted phone is given the frames and finds the digits in them, so a
 * flow that passes has said the right digits in the right order.
 */
#include "support/flow_bench.h"
#include "tel/scripted.h"

#define LONG_BRAND "Thirty Characters of Brandname"

enum { TONES = 2, WHOLE_MS = 60000, CAP_MS = 110000 };

static const char *const LANGUAGES[] = {"en", "es", "de"};
static const char *const FLOWS[] = {"speak", "reverse", "keypad", "plain"};

/* What the phone heard, and when it began to. */
static char heard[256];
static size_t heard_count;

static void on_heard(const char *call_id, char digit, void *ctx)
{
	(void)call_id;
	(void)ctx;
	assert_true(heard_count < sizeof(heard) - 1);
	heard[heard_count++] = digit;
	heard[heard_count] = '\0';
}

static enum tel_script the_script;
static const char *to_type;

static int script_of(const char *to, void *ctx)
{
	(void)to;
	(void)ctx;
	return (int)the_script;
}

static const char *what_to_type(const char *call_id, void *ctx)
{
	(void)call_id;
	(void)ctx;
	return to_type;
}

static void plug_in(struct bench *b, const char *language,
		    enum tel_script script)
{
	struct tel_ear ears[10 * TONES];
	struct tel_scripted_params params = {.loop = b->loop,
					     .rng = b->rng,
					     .ears = ears,
					     .ears_count = COUNT_OF(ears),
					     .script = script_of,
					     .heard = on_heard,
					     .types = what_to_type};

	for (size_t i = 0; i < COUNT_OF(ears); i++) {
		ears[i].digit = (char)('0' + i / TONES);
		ears[i].clip = speech_digit(b->speech, language, ears[i].digit,
					    i % TONES == 1);
	}
	heard_count = 0;
	heard[0] = '\0';
	the_script = script;
	assert_int_equal(tel_scripted_new(&params, &b->tel), 0);
}

static int64_t since_answer(const struct bench *b)
{
	for (size_t i = 0; i < b->news_count; i++)
		if (b->news[i].event == EVENT_ANSWERED)
			return clock_mono_ms(b->clock) - b->news[i].at_ms;
	return 0;
}

/* Run the flow to its end; how long the call took. */
static int64_t run(struct bench *b, const char *flow, const char *language,
		   enum tel_script script)
{
	plug_in(b, language, script);
	b->params.language = language;
	bench_built_in(b, flow);
	bench_start(b);
	while (!b->over && clock_mono_ms(b->clock) < 10000000)
		bench_go(b, 20);
	assert_true(b->over);
	return since_answer(b);
}

/* Each test case gets a bench of its own. */
static void in_each(void (*check)(struct bench *b, const char *flow,
				  const char *language))
{
	for (size_t f = 0; f < COUNT_OF(FLOWS); f++) {
		for (size_t l = 0; l < COUNT_OF(LANGUAGES); l++) {
			void *state = NULL;

			to_type = NULL;
			assert_int_equal(bench_setup(&state), 0);
			check(state, FLOWS[f], LANGUAGES[l]);
			assert_int_equal(bench_teardown(&state), 0);
		}
	}
}

static void approve(struct bench *b)
{
	for (size_t i = 0; i < COUNT_OF(b->verify); i++)
		b->verify[i] = CHECK_APPROVED;
}

static bool types(const char *flow)
{
	return strcmp(flow, "keypad") == 0 || strcmp(flow, "reverse") == 0;
}

/* What a person does who goes along to the end. */
static void goes_well(struct bench *b, const char *flow, const char *language)
{
	enum tel_script script =
		types(flow) ? TEL_SCRIPT_TYPE : TEL_SCRIPT_LISTEN;

	if (strcmp(flow, "reverse") == 0)
		to_type = BENCH_CODE;
	approve(b);
	assert_true(run(b, flow, language, script) < WHOLE_MS);

	assert_true(b->end.spoken);
	assert_int_equal(b->end.leg, LEG_ANSWERED);
	assert_int_equal(b->end.human, strcmp(flow, "plain") != 0);
	assert_int_equal(b->verified, types(flow));
	if (types(flow))
		assert_string_equal(b->digits[0], BENCH_CODE);
	if (strcmp(flow, "reverse") != 0)
		assert_non_null(strstr(heard, BENCH_CODE BENCH_CODE));
	else
		assert_null(strstr(heard, BENCH_CODE));
	assert_null(strstr(b->trace, BENCH_CODE));
}

TEST(a_person_gets_through_each_flow_in_each_language)
{
	(void)state;
	in_each(goes_well);
}

/* The same person, who stays on the line to the last word. */
static void to_the_last_word(struct bench *b, const char *flow,
			     const char *language)
{
	char digits[16];

	b->params.language = language;
	/* the longest that there is to say */
	b->params.brand = LONG_BRAND;
	b->params.purpose = "number_change";
	bench_built_in(b, flow);
	approve(b);
	bench_answer(b);
	if (strcmp(flow, "plain") != 0) {
		bench_hear(b);
		bench_asked_digits(b, digits);
		bench_hear_to_mark(b);
		bench_go(b, 1500); /* as people do */
		bench_keys(b, digits);
		bench_hear(b);
	}
	if (types(flow)) {
		if (strcmp(flow, "keypad") == 0)
			bench_hear(b);
		bench_hear_out(b);
		for (const char *k = BENCH_CODE; *k; k++) {
			bench_go(b, 1000);
			bench_key(b, *k);
		}
	}
	bench_finish(b, CAP_MS);

	bench_assert_end(b, FLOW_HANGUP, "End");
	assert_true(b->end.spoken);
	assert_true(since_answer(b) < WHOLE_MS);
}

TEST(unrepeated_each_flow_takes_less_than_a_minute)
{
	(void)state;
	in_each(to_the_last_word);
}

/* Milliseconds of silence before the first sound. */
static unsigned lead_ms(struct playlist *p)
{
	struct playlist_cursor at = {0};
	unsigned ms = 0;
	const uint8_t *frame;

	while ((frame = playlist_next(p, &at, G711_PCMU)) != NULL) {
		for (size_t i = 0; i < CLIP_FRAME_BYTES; i++) {
			int sample = g711_decode(G711_PCMU, frame[i]);

			if (sample > 1000 || sample < -1000)
				return ms + (unsigned)i / 8;
		}
		ms += CLIP_FRAME_MS;
	}
	return ms;
}

static void first_word(struct bench *b, const char *flow, const char *language)
{
	struct playlist *sound;
	unsigned ms;

	b->params.language = language;
	bench_built_in(b, flow);
	bench_answer(b);
	assert_int_equal(b->plays_count, 1);
	sound = bench_sound(b);
	assert_non_null(sound);
	ms = lead_ms(sound);

	assert_in_range(ms, 600, 1500);
	assert_int_equal(since_answer(b), 0);
}

TEST(the_first_word_comes_in_time)
{
	(void)state;
	in_each(first_word);
}

/* Repeats, wrong digits, all the patience there is. */
static void at_its_longest(struct bench *b, const char *flow,
			   const char *language)
{
	char digits[16];

	b->params.language = language;
	b->params.brand = LONG_BRAND;
	bench_built_in(b, flow);
	bench_answer(b);
	if (strcmp(flow, "plain") != 0) {
		for (int i = 0; i < 3; i++)
			bench_hear(b);
		bench_asked_digits(b, digits);
		bench_hear_to_mark(b);
		bench_go(b, 9000);
		bench_keys(b, digits);
	}
	while (!b->over && since_answer(b) < (int64_t)2 * CAP_MS) {
		bench_go(b, 7900);
		if (b->call)
			bench_key(b, types(flow) ? '5' : '2');
	}

	assert_true(b->over);
	assert_true(b->news[b->news_count - 1].event == EVENT_ENDED);
	assert_true(b->news[b->news_count - 1].at_ms -
			    (clock_mono_ms(b->clock) - since_answer(b)) <=
		    CAP_MS);
}

TEST(no_call_is_longer_than_its_cap)
{
	(void)state;
	in_each(at_its_longest);
}

/* B4: three offers within 35 s, whatever the language and the brand. */
static void offers_fit(struct bench *b, const char *flow, const char *language)
{
	if (strcmp(flow, "plain") == 0)
		return;
	b->params.language = language;
	b->params.brand = LONG_BRAND;
	b->params.human_digits = 5;
	bench_built_in(b, flow);
	bench_answer(b);
	bench_finish(b, CAP_MS);

	assert_int_equal(b->plays_count, 5); /* intro, offers, goodbye */
	assert_true(b->plays[3].at_ms - b->plays[1].at_ms <= 35000);
	assert_int_equal(b->end.leg, LEG_MACHINE_SUSPECTED);
}

TEST(three_offers_fit_into_35_seconds)
{
	(void)state;
	in_each(offers_fit);
}

static void assert_ends(struct bench *b, const char *flow,
			enum tel_script script, enum outcome_leg leg)
{
	(void)run(b, flow, "en", script);

	assert_string_equal(outcome_leg_text(b->end.leg),
			    outcome_leg_text(leg));
}

TEST(a_busy_phone_is_busy)
{
	struct bench *b = *state;

	assert_ends(b, "speak", TEL_SCRIPT_BUSY, LEG_BUSY);
	assert_int_equal(heard_count, 0);
}

TEST(a_phone_that_nobody_takes_is_no_answer)
{
	assert_ends(*state, "speak", TEL_SCRIPT_NO_ANSWER, LEG_NO_ANSWER);
}

TEST(a_call_that_is_declined_is_declined)
{
	assert_ends(*state, "speak", TEL_SCRIPT_DECLINE, LEG_DECLINED);
}

TEST(a_mailbox_is_suspected)
{
	struct bench *b = *state;

	assert_ends(b, "speak", TEL_SCRIPT_MAILBOX, LEG_MACHINE_SUSPECTED);
	assert_null(strstr(heard, BENCH_CODE));
	assert_false(b->end.spoken);
}

TEST(a_silent_phone_is_suspected)
{
	struct bench *b = *state;

	assert_ends(b, "speak", TEL_SCRIPT_SILENT, LEG_MACHINE_SUSPECTED);
	assert_true(bench_took(b, "Check", "no_input"));
}

TEST(wrong_answers_are_suspected)
{
	struct bench *b = *state;

	assert_ends(b, "speak", TEL_SCRIPT_WRONG, LEG_MACHINE_SUSPECTED);
	assert_true(bench_took(b, "Check", "suspected"));
}

TEST(who_answers_late_gets_the_code)
{
	assert_ends(*state, "speak", TEL_SCRIPT_LATE, LEG_ANSWERED);
}

TEST(who_hangs_up_early_hung_up_early)
{
	assert_ends(*state, "speak", TEL_SCRIPT_HANG_UP, LEG_HUNG_UP_EARLY);
}

TEST(a_forwarded_call_is_told_and_goes_on)
{
	struct bench *b = *state;

	assert_ends(b, "speak", TEL_SCRIPT_FORWARDED, LEG_ANSWERED);
	assert_true(bench_has_news(b, EVENT_FORWARDED));
}

TEST(who_presses_nine_reports)
{
	struct bench *b = *state;

	assert_ends(b, "speak", TEL_SCRIPT_REPORT, LEG_REPORTED);
	assert_true(bench_has_news(b, EVENT_REPORTED));
	assert_null(strstr(heard, BENCH_CODE));
}

TEST(who_wants_it_again_hears_it_five_times)
{
	struct bench *b = *state;
	size_t n = 0;

	assert_ends(b, "speak", TEL_SCRIPT_REPEAT, LEG_ANSWERED);
	for (const char *at = strstr(heard, BENCH_CODE); at;
	     at = strstr(at + 1, BENCH_CODE))
		n++;
	assert_int_equal(n, 5);
}

TEST(wrong_digits_are_tried_three_times)
{
	struct bench *b = *state;

	to_type = "111111";
	assert_ends(b, "reverse", TEL_SCRIPT_TYPE, LEG_ANSWERED);
	to_type = NULL;

	assert_int_equal(b->verified, 3);
	assert_true(bench_took(b, "Tries", "done"));
}

static struct flow *spoken_twice;

/* B7: frames are compared, so what is heard was said by the fixed clips. */
static void hear_one(uint64_t seed, const char *language)
{
	char code[CODE_BYTES], twice[2 * CODE_BYTES];
	void *state = NULL;
	struct bench *b;

	assert_int_equal(bench_setup(&state), 0);
	b = state;
	rng_free(b->rng);
	b->rng = b->params.rng = rng_seeded(seed);
	for (unsigned i = 0; i < b->params.code_length; i++)
		code[i] = (char)('0' + rng_below(b->rng, 10));
	code[b->params.code_length] = '\0';
	(void)snprintf(twice, sizeof(twice), "%s%s", code, code);
	b->code = code;
	plug_in(b, language, TEL_SCRIPT_LISTEN);
	b->params.language = language;
	b->flow = flow_ref(spoken_twice);
	bench_start(b);
	bench_finish(b, WHOLE_MS);

	assert_string_equal(heard, twice);
	assert_int_equal(bench_teardown(&state), 0);
}

TEST(a_thousand_codes_are_heard_in_each_language)
{
	enum { CODES = 1000 };
	struct bench *b = NULL;
	void *own = NULL;

	(void)state;
	assert_int_equal(bench_setup(&own), 0);
	b = own;
	bench_call_flow(b, "{'id':'Begin','type':'speak-code','config':{"
			   "'repeats':0},'on':{'completed':'Bye','reported':"
			   "'Bye'}}");
	spoken_twice = flow_ref(b->flow);
	b->asked = 1; /* it never runs */
	assert_int_equal(bench_teardown(&own), 0);
	for (size_t l = 0; l < COUNT_OF(LANGUAGES); l++)
		for (uint64_t i = 0; i < CODES; i++)
			hear_one(i, LANGUAGES[l]);
	flow_unref(spoken_twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_person_gets_through_each_flow_in_each_language),
		cmocka_unit_test(unrepeated_each_flow_takes_less_than_a_minute),
		cmocka_unit_test(the_first_word_comes_in_time),
		cmocka_unit_test(no_call_is_longer_than_its_cap),
		cmocka_unit_test(three_offers_fit_into_35_seconds),
		cmocka_unit_test(a_thousand_codes_are_heard_in_each_language),
		WITH_BENCH(a_busy_phone_is_busy),
		WITH_BENCH(a_phone_that_nobody_takes_is_no_answer),
		WITH_BENCH(a_call_that_is_declined_is_declined),
		WITH_BENCH(a_mailbox_is_suspected),
		WITH_BENCH(a_silent_phone_is_suspected),
		WITH_BENCH(wrong_answers_are_suspected),
		WITH_BENCH(who_answers_late_gets_the_code),
		WITH_BENCH(who_hangs_up_early_hung_up_early),
		WITH_BENCH(a_forwarded_call_is_told_and_goes_on),
		WITH_BENCH(who_presses_nine_reports),
		WITH_BENCH(who_wants_it_again_hears_it_five_times),
		WITH_BENCH(wrong_digits_are_tried_three_times),
	};

	return cmocka_run_group_tests_name("flow/built_in", tests, bench_open,
					   bench_close);
}
