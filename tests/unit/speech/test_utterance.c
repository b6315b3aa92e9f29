// SPDX-License-Identifier: Apache-2.0
/*
 * test_utterance.c - is what may be kept told from what may not, and does a
 * phrase come apart where its slots are?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "speech/playing_priv.h"
#include "speech/utterance_priv.h"
#include "support/test.h"

static const char english[] =
	"language: en\nname: English\nnative_review: no\n"
	"digits: [zero, one, two, three, four, five, six, seven, eight, "
	"nine]\n"
	"purposes: {login: sign-in, other: check}\n"
	"phrases:\n"
	"  a.greeting: \"Hello. This is {brand}, with the {purpose} code.\"\n"
	"  a.code: \"Your code is: {code}. Bye.\"\n"
	"  a.pay: \"{amount} to {payee}\"\n"
	"  a.number: \"Call {number}.\"\n"
	"  a.brands: \"{brand}: add to a {brand} account?\"\n"
	"  english.offer: \"For English, press zero.\"\n";
static const char german[] = "language: de\nname: Deutsch\nnative_review: no\n"
			     "digits: [a, b, c, d, e, f, g, h, i, j]\n"
			     "purposes: {login: Anmeldung, other: Test}\n"
			     "phrases:\n"
			     "  a.greeting: \"Hier ist {brand}, {purpose}.\"\n"
			     "  a.code: \"{code}\"\n"
			     "  a.pay: \"{amount} an {payee}\"\n"
			     "  a.number: \"{number}\"\n"
			     "  a.brands: \"{brand}\"\n";

static struct phrases *scripts(void)
{
	struct phrases *ph = phrases_new();
	struct diag d = {0};

	assert_int_equal(phrases_parse(span_of(english), "en", ph, &d), 0);
	assert_int_equal(phrases_parse(span_of(german), "de", ph, &d), 0);
	return ph;
}

/* Fixed text in quotes, other text in parentheses, digits behind #. */
static void expect(const struct utterance *u, const char *pieces)
{
	AUTO_BUF(b, 4096);

	for (size_t i = 0; i < u->count; i++) {
		const struct speech_piece *p = &u->pieces[i];

		if (i > 0)
			buf_byte(&b, ' ');
		if (p->kind == SPEECH_PIECE_PAUSE)
			buf_printf(&b, "%u", p->ms);
		else if (p->kind == SPEECH_PIECE_DIGITS)
			buf_printf(&b, "#%s", p->text);
		else
			buf_printf(&b, p->fixed ? "'%s'" : "(%s)", p->text);
	}
	assert_string_equal(b.n ? b.p : "", pieces);
}

TEST(text_around_slots_is_fixed_and_what_fills_them_is_not)
{
	AUTO(phrases) *ph = scripts();
	AUTO(utterance) *u = utterance_new("en");
	const struct utterance_values v = {.brand = "Acme", .purpose = "login"};
	struct diag d = {0};

	assert_int_equal(utterance_phrase(u, ph, "a.greeting", &v, &d), 0);

	expect(u, "'Hello. This is' (Acme,) 'with the sign-in code.'");
}

TEST(codes_and_numbers_are_digits)
{
	AUTO(phrases) *ph = scripts();
	AUTO(utterance) *u = utterance_new("en");
	const struct utterance_values v = {.code = "048291",
					   .number = "+1 415-555-0100"};
	struct diag d = {0};

	assert_int_equal(utterance_phrase(u, ph, "a.code", &v, &d), 0);
	assert_int_equal(utterance_phrase(u, ph, "a.number", &v, &d), 0);

	expect(u, "'Your code is:' #048291 'Bye.' 'Call' #14155550100");
}

TEST(slots_side_by_side_and_twice_are_filled)
{
	AUTO(phrases) *ph = scripts();
	AUTO(utterance) *u = utterance_new("en");
	const struct utterance_values v = {
		.brand = "Acme", .amount = "25 euros", .payee = "A & B"};
	struct diag d = {0};

	assert_int_equal(utterance_phrase(u, ph, "a.pay", &v, &d), 0);
	assert_int_equal(utterance_phrase(u, ph, "a.brands", &v, &d), 0);

	expect(u, "(25 euros) 'to' (A & B) (Acme:) 'add to a' (Acme) "
		  "'account?'");
}

TEST(a_word_of_the_applications_is_the_other_purpose)
{
	AUTO(phrases) *ph = scripts();
	AUTO(utterance) *u = utterance_new("de");
	const struct utterance_values v = {.brand = "Acme",
					   .purpose = "parcel"};
	struct diag d = {0};

	assert_int_equal(utterance_phrase(u, ph, "a.greeting", &v, &d), 0);

	expect(u, "'Hier ist' (Acme,) 'Test.'");
}

TEST(the_offer_of_english_is_spoken_by_the_english_voice)
{
	AUTO(phrases) *ph = scripts();
	AUTO(utterance) *u = utterance_new("de");
	struct diag d = {0};

	assert_int_equal(utterance_phrase(u, ph, "english.offer", NULL, &d), 0);

	expect(u, "'For English, press zero.'");
	assert_string_equal(u->pieces[0].language, "en");
}

TEST(a_missing_value_or_phrase_is_named_and_nothing_is_appended)
{
	AUTO(phrases) *ph = scripts();
	AUTO(utterance) *u = utterance_new("en");
	struct diag d = {0};

	assert_int_equal(
		utterance_phrase(u, ph, "a.greeting",
				 &(struct utterance_values){.brand = "Acme"},
				 &d),
		-EINVAL);
	assert_string_equal(d.message, "no value for {purpose}");
	assert_string_equal(d.field, "a.greeting");
	assert_int_equal(utterance_phrase(u, ph, "a.b", NULL, &d), -EINVAL);
	assert_string_equal(d.message, "no such phrase in en");
	assert_int_equal(
		utterance_phrase(u, ph, "a.code",
				 &(struct utterance_values){.code = "12x"}, &d),
		-EINVAL);
	assert_string_equal(d.message, "a value that is no digits");
	assert_int_equal(utterance_characters(u), 0);
	expect(u, "");
}

TEST(digits_are_digits)
{
	AUTO(utterance) *u = utterance_new("en");

	assert_int_equal(utterance_digits(u, "", SPEECH_NORMAL), -EINVAL);
	assert_int_equal(utterance_digits(u, "12 3", SPEECH_NORMAL), -EINVAL);
	assert_int_equal(utterance_digits(u,
					  "012345678901234567890123456789012",
					  SPEECH_NORMAL),
			 -E2BIG);
	assert_int_equal(utterance_digits(u, "0", SPEECH_SLOW), 0);
	assert_int_equal(utterance_characters(u), 1);
}

TEST(long_text_is_cut_where_a_sentence_or_a_word_ends)
{
	AUTO(utterance) *u = utterance_new("en");
	AUTO_BUF(b, SPEECH_TEXT_MAX);
	struct diag d = {0};

	for (int i = 0; i < 30; i++)
		buf_str(&b, "This is one of many sentences. ");
	assert_int_equal(utterance_text(u, buf_view(&b), true, &d), 0);
	assert_int_equal(u->count, 3);
	for (size_t i = 0; i < u->count; i++) {
		size_t n = strlen(u->pieces[i].text);

		assert_true(n <= SPEECH_RUN_MAX);
		assert_int_equal(u->pieces[i].text[n - 1], '.');
	}

	speech_piece_rewind(u, 0);
	buf_reset(&b);
	for (int i = 0; i < 300; i++)
		buf_str(&b, "é");
	assert_int_equal(utterance_text(u, buf_view(&b), true, &d), 0);
	assert_int_equal(u->count, 2);
	assert_true(span_utf8(span_of(u->pieces[0].text)));
	assert_true(span_utf8(span_of(u->pieces[1].text)));
}

TEST(an_utterance_is_limited)
{
	AUTO(utterance) *u = utterance_new("en");
	AUTO_BUF(b, SPEECH_TEXT_MAX);
	struct diag d = {0};

	for (int i = 0; i < SPEECH_TEXT_MAX / 2; i++)
		buf_str(&b, "a ");
	assert_int_equal(utterance_text(u, buf_view(&b), true, &d), 0);
	assert_int_equal(utterance_text(u, span_of("and so on"), true, &d),
			 -E2BIG);
	assert_int_equal(utterance_text(u, span_of("\377"), true, &d), -EINVAL);

	speech_piece_rewind(u, 0);
	for (int i = 0; i < SPEECH_PIECES_MAX; i++)
		assert_int_equal(utterance_pause(u, 20), 0);
	assert_int_equal(utterance_pause(u, 20), -E2BIG);
	assert_int_equal(utterance_text(u, span_of("a"), true, &d), -E2BIG);
	assert_int_equal(utterance_digits(u, "1", SPEECH_NORMAL), -E2BIG);
}

TEST(digits_are_grouped_in_threes_and_none_is_alone)
{
	static const char *const rows[] = {
		"1",   "2",     "3",     "4",     "3 2",     "3 3",
		"3 4", "3 3 2", "3 3 3", "3 3 4", "3 3 3 2",
	};

	for (size_t n = 1; n <= COUNT_OF(rows); n++) {
		AUTO_BUF(b, 64);

		for (size_t at = 0; at < n; at += speech_group(n, at))
			buf_printf(&b, at ? " %zu" : "%zu",
				   speech_group(n, at));
		assert_string_equal(b.p, rows[n - 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			text_around_slots_is_fixed_and_what_fills_them_is_not),
		cmocka_unit_test(codes_and_numbers_are_digits),
		cmocka_unit_test(slots_side_by_side_and_twice_are_filled),
		cmocka_unit_test(
			a_word_of_the_applications_is_the_other_purpose),
		cmocka_unit_test(
			the_offer_of_english_is_spoken_by_the_english_voice),
		cmocka_unit_test(
			a_missing_value_or_phrase_is_named_and_nothing_is_appended),
		cmocka_unit_test(digits_are_digits),
		cmocka_unit_test(
			long_text_is_cut_where_a_sentence_or_a_word_ends),
		cmocka_unit_test(an_utterance_is_limited),
		cmocka_unit_test(
			digits_are_grouped_in_threes_and_none_is_alone),
	};

	return cmocka_run_group_tests_name("speech/utterance", tests, NULL,
					   NULL);
}
