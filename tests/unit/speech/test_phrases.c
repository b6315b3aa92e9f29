// SPDX-License-Identifier: Apache-2.0
/*
 * test_phrases.c - are the scripts whole, and is what is wrong with a script
 * said with its place?
 */
#include "speech/phrases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "support/test.h"

static struct phrases *shipped(void)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	struct phrases *ph = NULL;
	struct diag d = {0};
	char dir[4096];

	(void)snprintf(dir, sizeof(dir), "%s/packaging/prompts",
		       source ? source : ".");
	if (phrases_load(dir, &ph, &d))
		fail_msg("%s:%d:%d: %s", d.field, d.line, d.column, d.message);
	return ph;
}

#define HEAD                                                              \
	"language: en\nname: English\nnative_review: no\n"                \
	"digits: [zero, one, two, three, four, five, six, seven, eight, " \
	"nine]\n"
#define PURPOSES "purposes:\n  login: sign-in\n  other: check\n"
#define ENGLISH                                                        \
	HEAD PURPOSES "phrases:\n  a.b: \"Hi {brand}\"\n  english.c: " \
		      "Press zero\n"
#define GERMAN                                                             \
	"language: de\nname: Deutsch\nnative_review: no\n"                 \
	"digits: [\"null\", eins, zwo, drei, vier, fünf, sechs, sieben, " \
	"acht, neun]\ncountries: [DE, AT]\n"                               \
	"purposes:\n  login: Anmeldung\n  other: Test\n"

static int parse(struct phrases *into, const char *language, const char *text,
		 struct diag *d)
{
	return phrases_parse(span_of(text), language, into, d);
}

TEST(the_shipped_scripts_are_whole)
{
	AUTO(phrases) *ph = shipped();
	const char *languages[PHRASES_LANGUAGES_MAX];

	assert_int_equal(phrases_languages(ph, languages), 13);
	assert_true(phrases_has(ph, "speak.greeting"));
	assert_false(phrases_has(ph, "speak.greetings"));
	assert_string_equal(phrases_find(ph, "en", "check.wrong"),
			    "That did not match. Press: {digits}.");
	assert_null(phrases_find(ph, "da", "check.wrong"));
}

TEST(the_offer_of_english_is_english_in_every_language)
{
	AUTO(phrases) *ph = shipped();

	assert_string_equal(phrases_find(ph, "de", "english.offer"),
			    "For English, press zero.");
}

TEST(an_unknown_purpose_is_the_other_one)
{
	AUTO(phrases) *ph = shipped();

	assert_string_equal(phrases_purpose(ph, "en", "login"), "sign-in");
	assert_string_equal(phrases_purpose(ph, "de", "parcel"),
			    "Ihre Bestätigung");
}

TEST(digits_are_said_as_people_say_them_on_the_phone)
{
	AUTO(phrases) *ph = shipped();

	assert_string_equal(phrases_digit(ph, "en", '0'), "zero");
	assert_string_equal(phrases_digit(ph, "de", '2'), "zwo");
	assert_string_equal(phrases_digit(ph, "es", '9'), "nueve");
	assert_null(phrases_digit(ph, "es", 'x'));
	assert_string_equal(phrases_digit(ph, "pt", '6'), "meia");
	assert_string_equal(phrases_digit(ph, "zh", '1'), "幺");
	assert_null(phrases_digit(ph, "da", '1'));
}

TEST(the_language_is_the_locales_then_the_countrys_then_english)
{
	static const struct {
		const char *locale, *country, *language;
	} rows[] = {
		{"de-AT", NULL, "de"}, {"de", "ES", "de"},
		{"DE_at", "", "de"},   {"es-419", "DE", "es"},
		{"fr-CH", "CH", "fr"}, {"da", "DK", "en"},
		{NULL, "AT", "de"},    {"", "mx", "es"},
		{NULL, NULL, "en"},    {"", "", "en"},
		{"d", "ES", "es"},     {"deu", "DK", "en"},
		{"-DE", "DK", "en"},   {"en-GB", "DE", "en"},
		{NULL, "FR", "fr"},    {NULL, "BR", "pt"},
		{"pt-PT", NULL, "pt"}, {NULL, "IT", "it"},
		{NULL, "BE", "nl"},    {NULL, "PL", "pl"},
		{NULL, "KZ", "ru"},    {"hi-IN", "IN", "hi"},
		{NULL, "IN", "en"},    {NULL, "TR", "tr"},
		{NULL, "EG", "ar"},    {"zh-Hant-TW", "US", "zh"},
		{NULL, "CN", "zh"},
	};
	AUTO(phrases) *ph = shipped();

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(phrases_language(ph, rows[i].locale,
						     rows[i].country),
				    rows[i].language);
}

TEST(a_script_says_whether_a_native_speaker_has_listened)
{
	AUTO(phrases) *ph = phrases_new();
	const char *yes = "language: en\nname: English\nnative_review: yes\n";
	AUTO_BUF(text, PHRASES_FILE_MAX);
	struct diag d = {0};

	buf_str(&text, yes);
	buf_str(&text, strstr(ENGLISH, "digits"));
	assert_int_equal(parse(ph, "en", text.p, &d), 0);
	assert_int_equal(
		parse(ph, "de", GERMAN "phrases: {a.b: \"{brand}\"}\n", &d), 0);

	assert_true(phrases_reviewed(ph, "en"));
	assert_false(phrases_reviewed(ph, "de"));
	assert_false(phrases_reviewed(ph, "fr"));
	assert_string_equal(phrases_name(ph, "de"), "Deutsch");
	assert_null(phrases_name(ph, "fr"));
}

TEST(what_is_wrong_with_a_file_is_said_with_its_place)
{
	static const struct {
		const char *text;
		int line, column;
		const char *why;
	} rows[] = {
		{"", 1, 1, "is empty"},
		{"- a\n", 1, 1, "expected `key: value`"},
		{"speech: en\n", 1, 1, "speech: no such key"},
		{"language: english\n", 1, 11,
		 "a language is two or three letters"},
		{"native_review: perhaps\n", 1, 16, "must be yes or no"},
		{HEAD "name: again\n", 5, 1, "name: is there twice"},
		{HEAD "digits: [a]\n", 5, 1, "digits: is there twice"},
		{"digits: [a, b]\n", 1, 14, "digits has ten words"},
		{"digits: [a,a,a,a,a,a,a,a,a,a,a]\n", 1, 30,
		 "digits has ten words"},
		{"countries: [DE, DE]\n", 1, 17, "DE: is there twice"},
		{"countries: [Germany]\n", 1, 13, "a country is two capitals"},
		{"phrases:\n  a.b: \"Hi {name}\"\n", 2, 8,
		 "a.b: no such slot: {name}"},
		{"phrases:\n  a.b: \"Hi {brand\"\n", 2, 8,
		 "a.b: a { that no } closes"},
		{"phrases:\n  a.b: \"Hi }\"\n", 2, 8,
		 "a.b: a } that closes no slot"},
		{"phrases:\n  a.b: x\n  a.b: y\n", 3, 3, "a.b: is there twice"},
		{"phrases:\n  a.b: ''\n", 2, 8, "is empty"},
		{"phrases:\n  a.b: [x]\n", 2, 8, "expected a text"},
		{"phrases:\n  a.b: &x y\n", 2, 8,
		 "anchors and tags have no meaning here"},
		{"phrases:\n  A B: y\n", 2, 3, "a name has a-z, 0-9, _ and ."},
		{"phrases:\n  a.b: \"x\\0y\"\n", 2, 8,
		 "has a control character"},
		{"purposes:\n  login: \"{brand}\"\n", 2, 10,
		 "login: has no slots"},
		{"language: en\n", 0, 0, "name: is missing"},
		{HEAD "purposes: {login: x}\nphrases: {}\n", 0, 0,
		 "purposes: other is missing"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(phrases) *ph = phrases_new();
		struct diag d = {0};

		assert_int_equal(parse(ph, "en", rows[i].text, &d), -EINVAL);
		assert_string_equal(d.message, rows[i].why);
		assert_int_equal(d.line, rows[i].line);
		assert_int_equal(d.column, rows[i].column);
	}
}

TEST(broken_yaml_is_said_with_its_place)
{
	AUTO(phrases) *ph = phrases_new();
	struct diag d = {0};

	assert_int_equal(parse(ph, "en", "language: en\nname: [\n", &d),
			 -EINVAL);
	assert_int_equal(d.line, 2);
	assert_true(d.message[0] != '\0');
}

TEST(a_text_over_its_limit_is_refused)
{
	AUTO(phrases) *ph = phrases_new();
	AUTO_BUF(b, PHRASES_FILE_MAX);
	struct diag d = {0};

	buf_str(&b, "phrases:\n  a.b: ");
	for (int i = 0; i <= PHRASES_TEXT_MAX; i++)
		buf_byte(&b, 'x');
	buf_byte(&b, '\n');

	assert_int_equal(phrases_parse(buf_view(&b), "en", ph, &d), -EINVAL);
	assert_string_equal(d.message, "is too long");
	assert_int_equal(d.line, 2);
}

TEST(a_language_must_have_what_english_has)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{GERMAN "phrases: {x.y: Na}\n",
		 "x.y: en.yaml has no such name"},
		{GERMAN "phrases: {}\n", "a.b: is missing"},
		{GERMAN "phrases:\n  a.b: Na\n", "a.b: {brand} is missing"},
		{GERMAN "phrases:\n  a.b: \"{brand} {code}\"\n",
		 "a.b: {code} is not in the English"},
		{GERMAN "phrases:\n  a.b: \"{brand}\"\n  english.c: x\n",
		 "english.c: belongs in en.yaml alone"},
		{ENGLISH, "language: is en, the file's name says de"},
	};
	AUTO(phrases) *ph = phrases_new();
	struct diag d = {0};

	assert_int_equal(parse(ph, "en", ENGLISH, &d), 0);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse(ph, "de", rows[i].text, &d), -EINVAL);
		assert_string_equal(d.message, rows[i].why);
	}
	assert_int_equal(parse(ph, "de",
			       GERMAN "phrases:\n  a.b: \"{brand}\"\n", &d),
			 0);
	assert_int_equal(parse(ph, "en", ENGLISH, &d), -EINVAL);
	assert_string_equal(d.message, "language: en is there already");
}

TEST(a_folder_without_english_is_refused)
{
	struct phrases *ph = NULL;
	struct diag d = {0};

	assert_int_equal(phrases_load("/nonexistent", &ph, &d), -ENOENT);
	assert_string_equal(d.field, "en.yaml");
	assert_null(ph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_scripts_are_whole),
		cmocka_unit_test(
			a_script_says_whether_a_native_speaker_has_listened),
		cmocka_unit_test(
			the_offer_of_english_is_english_in_every_language),
		cmocka_unit_test(an_unknown_purpose_is_the_other_one),
		cmocka_unit_test(
			digits_are_said_as_people_say_them_on_the_phone),
		cmocka_unit_test(
			the_language_is_the_locales_then_the_countrys_then_english),
		cmocka_unit_test(
			what_is_wrong_with_a_file_is_said_with_its_place),
		cmocka_unit_test(broken_yaml_is_said_with_its_place),
		cmocka_unit_test(a_text_over_its_limit_is_refused),
		cmocka_unit_test(a_language_must_have_what_english_has),
		cmocka_unit_test(a_folder_without_english_is_refused),
	};

	return cmocka_run_group_tests_name("speech/phrases", tests, NULL, NULL);
}
