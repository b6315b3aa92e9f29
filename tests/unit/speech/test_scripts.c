// SPDX-License-Identifier: Apache-2.0
/*
 * test_scripts.c - every phrase of every language, spoken by its voice: is it
 * there, is it sound, and is it neither cut short nor endless?
 *
 * What is fixed stays in the build's cache, so that only what changed is spoken
 * again.  Nobody's ears: what a native speaker would say of it is another
 * matter, and the scripts say whether one has.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "speech/speech.h"
#include "speech/utterance_priv.h"
#include "unit/speech/folder.h"

enum {
	PHRASES_MAX = 128,
	/* of one piece of a script, spoken */
	SHORTEST_MS = 160,
	LONGEST_MS = 20000,
	/* a letter or a syllable: faster is a voice that skips, slower one that
	 * spells */
	FASTEST_MS = 25,
	SLOWEST_MS = 700,
	DIGIT_MS_MIN = 120,
	DIGIT_MS_MAX = 1600,
	LOUD = 500, /* of 32767: mean of what is heard */
};

static const struct speech_choice choices[] = {{"en", "flite:rms"}, {0}};
static struct phrases *ph;
static struct speech *sp;

static int setup(void **state)
{
	// NOLINTBEGIN(concurrency-mt-unsafe)
	const char *source = getenv("VOICEOTP_SOURCE");
	const char *build = getenv("VOICEOTP_BUILD");
	// NOLINTEND(concurrency-mt-unsafe)
	struct speech_params params = {.choices = choices};
	char path[FOLDER_PROGRAM];
	struct diag d = {0};
	int err;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/packaging/prompts",
		       source ? source : ".");
	err = phrases_load(path, &ph, &d);
	if (err)
		return err;
	(void)snprintf(path, sizeof(path), "%s/scripts-cache",
		       build ? build : ".");
	params.cache_dir = path;
	params.phrases = ph;
	return speech_new(&params, &sp, &d);
}

static int teardown(void **state)
{
	(void)state;
	speech_free(sp);
	phrases_free(ph);
	return 0;
}

static double loudness(const struct clip *c)
{
	double sum = 0;
	size_t n = clip_frames(c) * CLIP_FRAME_BYTES;

	for (size_t i = 0; i < clip_frames(c); i++) {
		const uint8_t *frame = clip_frame(c, G711_PCMU, i);

		for (size_t k = 0; k < CLIP_FRAME_BYTES; k++)
			sum += fabs((double)g711_decode(G711_PCMU, frame[k]));
	}
	return n ? sum / (double)n : 0;
}

static void expect_speech(const char *language, const char *name,
			  const struct speech_piece *p)
{
	unsigned letters = 0, ms = clip_ms(p->clip);

	for (const char *c = p->text; *c; c++)
		letters += ((unsigned char)*c & 0xc0) != 0x80;
	if (ms < SHORTEST_MS || ms > LONGEST_MS || ms < letters * FASTEST_MS ||
	    ms > 500 + letters * SLOWEST_MS)
		fail_msg("%s: %s: \"%s\" takes %u ms", language, name, p->text,
			 ms);
	if (loudness(p->clip) < LOUD)
		fail_msg("%s: %s: \"%s\" is too soft", language, name, p->text);
}

struct all {
	const char *language;
	const char *names[PHRASES_MAX];
	struct utterance *said[PHRASES_MAX];
	size_t count;
};

static void collect(const char *name, const char *text, void *ctx)
{
	static const char *const purposes[] = {"login", "signup", "payment",
					       "number_change", "other"};
	struct all *a = ctx;
	/* each purpose somewhere */
	const struct utterance_values values = {
		.brand = "X",
		.purpose = purposes[a->count % COUNT_OF(purposes)],
		.digits = "0",
		.code = "0",
		.number = "0",
		.amount = "X",
		.payee = "X"};
	struct diag d = {0};

	(void)text;
	assert_true(a->count < PHRASES_MAX);
	a->names[a->count] = name;
	a->said[a->count] = utterance_new(a->language);
	if (utterance_phrase(a->said[a->count], ph, name, &values, &d))
		fail_msg("%s: %s", a->language, d.message);
	a->count++;
}

/* What is fixed of a phrase; digits would open the language, and brands are
 * not the script's. */
static struct utterance *fixed_of(const struct utterance *from)
{
	struct utterance *u = utterance_new(from->language);
	struct diag d = {0};

	for (size_t i = 0; i < from->count; i++)
		if (from->pieces[i].kind == SPEECH_PIECE_TEXT &&
		    from->pieces[i].fixed &&
		    utterance_text(u, span_of(from->pieces[i].text), true, &d))
			fail_msg("%s", d.message);
	return u;
}

static void every_phrase_is_speech(const char *language)
{
	struct all a = {.language = language};
	struct diag d = {0};

	phrases_each(ph, language, collect, &a);
	for (size_t i = 0; i < a.count; i++) {
		AUTO(playlist) *list = NULL;
		AUTO(utterance) *u = fixed_of(a.said[i]);

		if (speech_say(sp, u, &list, &d))
			fail_msg("%s: %s: %s", language, a.names[i], d.message);
		for (size_t k = 0; k < u->count; k++)
			expect_speech(language, a.names[i], &u->pieces[k]);
		utterance_free(a.said[i]);
	}
	assert_true(a.count > 40);
}

/* As make_digit() words them; the tone in a row is much the same. */
static void every_digit_is_speech(const char *language)
{
	for (int i = 0; i < 10; i++) {
		AUTO(utterance) *u = utterance_new(language);
		AUTO(playlist) *list = NULL;
		const struct clip *c;
		struct diag d = {0};
		char word[64];

		(void)snprintf(word, sizeof(word), "%s.",
			       phrases_digit(ph, language, (char)('0' + i)));
		assert_int_equal(utterance_text(u, span_of(word), true, &d), 0);
		if (speech_say(sp, u, &list, &d))
			fail_msg("%s: %s: %s", language, word, d.message);
		c = u->pieces[0].clip;
		if (clip_ms(c) < DIGIT_MS_MIN || clip_ms(c) > DIGIT_MS_MAX ||
		    loudness(c) < LOUD)
			fail_msg("%s: %s %u ms, %.0f loud", language, word,
				 clip_ms(c), loudness(c));
	}
}

TEST(every_phrase_and_digit_of_every_language_is_speech)
{
	const char *languages[PHRASES_LANGUAGES_MAX];
	size_t n = phrases_languages(ph, languages);

	assert_true(n >= 13);
	for (size_t i = 0; i < n; i++) {
		every_digit_is_speech(languages[i]);
		every_phrase_is_speech(languages[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_phrase_and_digit_of_every_language_is_speech),
	};

	return cmocka_run_group_tests_name("speech/scripts", tests, setup,
					   teardown);
}
