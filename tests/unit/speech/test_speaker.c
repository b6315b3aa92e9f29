// SPDX-License-Identifier: Apache-2.0
/*
 * test_speaker.c - an utterance with a voice of its own: is it that voice, are
 * its digits, and what is heard when that voice cannot be had?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "media/pcm.h"
#include "speech/speech.h"
#include "speech/utterance_priv.h"
#include "unit/speech/folder.h"

enum { WARNINGS = 8 };

static struct folder folder;
static char flite[FOLDER_PROGRAM], espeak[FOLDER_PROGRAM];
static struct phrases *ph;
static const struct speech_choice choices[] = {{"en", "flite:rms"}, {0}};

/* What speech said of voices; its threads are done when this is read. */
static struct {
	char voice[SPEECH_VOICE_BYTES], why[DIAG_MESSAGE_BYTES];
} warned[WARNINGS];
static size_t warnings;

static void warn(const char *voice, const char *why, void *ctx)
{
	(void)ctx;
	if (warnings < WARNINGS) {
		(void)snprintf(warned[warnings].voice, SPEECH_VOICE_BYTES, "%s",
			       voice);
		(void)snprintf(warned[warnings].why, DIAG_MESSAGE_BYTES, "%s",
			       why);
	}
	warnings++;
}

/* The real voices, behind scripts that write down what each was asked. */
static int setup(void **state)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	char text[4 * FOLDER_PATH];
	struct diag d = {0};

	(void)state;
	folder_make(&folder);
	(void)snprintf(text, sizeof(text),
		       "echo \"flite $2\" >>%s/spoken\n"
		       "[ \"$2\" != kal ] || exit 1\n"
		       "exec flite \"$@\"",
		       folder.path);
	folder_script(&folder, "flite", text, flite);
	(void)snprintf(text, sizeof(text),
		       "echo \"espeak-ng $2\" >>%s/spoken\n"
		       "exec espeak-ng \"$@\"",
		       folder.path);
	folder_script(&folder, "espeak-ng", text, espeak);
	(void)snprintf(text, sizeof(text), "%s/packaging/prompts",
		       source ? source : ".");
	return phrases_load(text, &ph, &d);
}

static int teardown(void **state)
{
	(void)state;
	phrases_free(ph);
	folder_remove(folder.path);
	return 0;
}

/* With another program as espeak-ng; NULL: the real one. */
static struct speech *open_with(struct clock *clock, const char *program)
{
	const struct speech_params params = {.choices = choices,
					     .phrases = ph,
					     .clock = clock,
					     .flite = flite,
					     .espeak_ng =
						     program ? program : espeak,
					     .warn = warn};
	struct speech *sp = NULL;
	struct diag d = {0};

	warnings = 0;
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	return sp;
}

static struct speech *open_speech(struct clock *clock)
{
	return open_with(clock, NULL);
}

/* A program that says the same to everything, quickly. */
static void parrot(char path[FOLDER_PROGRAM])
{
	AUTO_BUF(wav, 1 << 16);
	int16_t samples[PCM_RATE / 10];
	char file[FOLDER_PROGRAM], body[2 * FOLDER_PROGRAM];

	for (size_t i = 0; i < COUNT_OF(samples); i++)
		samples[i] = i % 16 < 8 ? 8000 : -8000;
	wav_write(&wav, samples, COUNT_OF(samples));
	(void)snprintf(file, sizeof(file), "%s/parrot.wav", folder.path);
	assert_int_equal(file_write(file, wav.p, wav.n, 0600), 0);
	(void)snprintf(body, sizeof(body), "exec cat %s", file);
	folder_script(&folder, "parrot", body, path);
}

/* How often a voice was asked since this was asked last. */
static size_t asked(const char *voice)
{
	char path[2 * FOLDER_PATH];
	AUTO_BUF(b, 1 << 16);
	struct span rest, line;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/spoken", folder.path);
	if (file_read(path, &b))
		return 0;
	rest = buf_view(&b);
	while (span_cut(&rest, '\n', &line))
		n += span_is(line, voice);
	(void)unlink(path);
	return n;
}

static struct utterance *by(const char *language, const char *voice)
{
	struct utterance *u = utterance_new(language);
	struct diag d = {0};

	if (utterance_voice(u, voice, &d))
		fail_msg("%s", d.message);
	return u;
}

static void say(struct speech *sp, struct utterance *u)
{
	AUTO(playlist) *list = NULL;
	struct diag d = {0};

	if (speech_say(sp, u, &list, &d))
		fail_msg("%s", d.message);
	assert_true(playlist_ms(list) > 0);
}

static void text(struct utterance *u, const char *words)
{
	struct diag d = {0};

	assert_int_equal(utterance_text(u, span_of(words), true, &d), 0);
}

TEST(what_is_said_is_said_by_the_utterances_voice)
{
	AUTO(speech) *sp = open_speech(NULL);
	AUTO(utterance) *u = by("en", "flite:slt");

	(void)asked("");
	text(u, "Good day.");
	say(sp, u);

	assert_int_equal(asked("flite slt"), 1);
	assert_int_equal(warnings, 0);
}

TEST(two_voices_are_two_clips_of_one_text)
{
	AUTO(speech) *sp = open_speech(NULL);
	AUTO(utterance) *a = by("en", "flite:slt");
	AUTO(utterance) *b = by("en", "flite:awb");
	AUTO(utterance) *again = by("en", "flite:slt");

	text(a, "Good day.");
	text(b, "Good day.");
	text(again, "Good day.");
	say(sp, a);
	say(sp, b);
	(void)asked("");
	say(sp, again);

	assert_ptr_not_equal(a->pieces[0].clip, b->pieces[0].clip);
	assert_ptr_equal(a->pieces[0].clip, again->pieces[0].clip);
	assert_int_equal(asked("flite slt"), 0);
}

TEST(digits_are_clips_of_the_utterances_voice_rendered_once)
{
	AUTO(speech) *sp = open_speech(NULL);
	AUTO(utterance) *u = by("en", "flite:slt");
	AUTO(utterance) *later = by("en", "flite:slt");
	AUTO(playlist) *list = NULL;

	(void)asked("");
	assert_int_equal(utterance_digits(u, "482913", SPEECH_NORMAL), 0);
	assert_int_equal(speech_playlist(sp, u, &list), -EAGAIN);
	say(sp, u);
	assert_int_equal(asked("flite slt"), 20);
	assert_false(speech_is_open(sp, "en"));

	/* from now on without a voice */
	assert_int_equal(utterance_digits(later, "7", SPEECH_NORMAL), 0);
	assert_int_equal(speech_playlist(sp, later, &list), 0);
	assert_int_equal(asked("flite slt"), 0);
}

TEST(a_voice_reads_in_its_own_language)
{
	AUTO(utterance) *u = by("en", "espeak-ng:pt-br+f3");
	AUTO(utterance) *zh = by("en", "espeak-ng:cmn-latn-pinyin");
	AUTO(utterance) *en = by("de-AT", "flite:rms");

	text(u, "Bom dia.");
	text(zh, "您好.");
	text(en, "Good day.");

	assert_string_equal(u->pieces[0].language, "pt");
	assert_string_equal(zh->pieces[0].language, "zh");
	assert_string_equal(en->pieces[0].language, "en");
}

TEST(a_script_of_another_language_is_said_by_that_languages_voice)
{
	AUTO(utterance) *de = by("de-AT", "flite:slt");
	AUTO(utterance) *en = by("en-GB", "flite:slt");
	const struct utterance_values v = {.code = "12"};
	struct diag d = {0};

	assert_int_equal(utterance_phrase(de, ph, "common.goodbye", &v, &d),
			 -EINVAL); /* de-AT is no file of scripts */
	utterance_free(KEEP(de));
	de = by("de", "flite:slt");
	assert_int_equal(utterance_phrase(de, ph, "speak.code_first", &v, &d),
			 0);
	utterance_free(KEEP(en));
	en = by("en", "flite:slt");
	assert_int_equal(utterance_phrase(en, ph, "speak.code_first", &v, &d),
			 0);
	assert_int_equal(utterance_phrase(en, ph, "english.offer", &v, &d), 0);

	assert_string_equal(de->pieces[0].voice, "");
	assert_string_equal(de->pieces[0].language, "de");
	assert_string_equal(de->pieces[1].voice, "");
	assert_string_equal(en->pieces[0].voice, "flite:slt");
	assert_string_equal(en->pieces[1].voice, "flite:slt");
	assert_string_equal(en->pieces[2].voice, "");
}

TEST(a_name_that_cannot_be_is_refused)
{
	static const struct {
		const char *voice, *why;
	} rows[] = {
		{"", ": a voice is flite:NAME, espeak-ng:NAME, Polly.NAME or "
		     "recordings:FOLDER"},
		{"flite:bob",
		 "flite:bob: flite has the voices rms awb kal kal16 slt"},
		{"espeak-ng:-f/etc/passwd",
		 "espeak-ng:-f/etc/passwd: only the settings may name a path"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		AUTO(utterance) *u = utterance_new("en");
		struct diag d = {0};

		assert_int_equal(utterance_voice(u, rows[i].voice, &d),
				 -EINVAL);
		assert_string_equal(d.message, rows[i].why);
	}
}

TEST(a_voice_that_fails_is_spoken_by_the_languages_own_with_one_warning)
{
	struct clock *c = clock_manual(0);
	AUTO(speech) *sp = open_speech(c);
	AUTO(utterance) *u = by("en", "flite:kal");
	AUTO(utterance) *next = by("en", "flite:kal");
	AUTO(utterance) *later = by("en", "flite:kal");

	(void)asked("");
	text(u, "Good day.");
	assert_int_equal(utterance_digits(u, "12", SPEECH_NORMAL), 0);
	say(sp, u);
	text(next, "Good evening.");
	say(sp, next);

	assert_int_equal(warnings, 1);
	assert_string_equal(warned[0].voice, "flite:kal");
	assert_string_equal(warned[0].why, "flite: exit status 1");
	assert_int_equal(asked("flite kal"), 1); /* then it was left alone */

	/* after a while it is asked again, and still it is one warning */
	clock_advance(c, 60000);
	text(later, "Good night.");
	say(sp, later);
	assert_int_equal(asked("flite kal"), 1);
	assert_int_equal(warnings, 1);
	speech_free(KEEP(sp));
	clock_free(c);
}

TEST(the_clips_of_one_in_anothers_place_are_not_kept_as_its_own)
{
	AUTO(speech) *sp = open_speech(NULL);
	AUTO(utterance) *u = by("en", "flite:kal");
	AUTO(utterance) *own = utterance_new("en");

	text(u, "Good day.");
	text(own, "Good day.");
	say(sp, u);
	say(sp, own);

	assert_ptr_equal(u->pieces[0].clip, own->pieces[0].clip);
}

TEST(more_voices_than_there_is_room_for_are_spoken_by_the_languages_own)
{
	char path[FOLDER_PROGRAM];
	AUTO(speech) *sp = NULL;

	parrot(path);
	sp = open_with(NULL, path);
	for (int i = 0; i < 140; i++) {
		char name[32];
		AUTO(utterance) *u = NULL;

		(void)snprintf(name, sizeof(name), "espeak-ng:en+%d", i);
		u = by("en", name);
		text(u, "Good day.");
		say(sp, u);
	}

	assert_true(warnings > 0);
	assert_string_equal(warned[0].why,
			    "espeak-ng:en+128: more than 128 voices");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_said_by_the_utterances_voice),
		cmocka_unit_test(two_voices_are_two_clips_of_one_text),
		cmocka_unit_test(
			digits_are_clips_of_the_utterances_voice_rendered_once),
		cmocka_unit_test(a_voice_reads_in_its_own_language),
		cmocka_unit_test(
			a_script_of_another_language_is_said_by_that_languages_voice),
		cmocka_unit_test(a_name_that_cannot_be_is_refused),
		cmocka_unit_test(
			a_voice_that_fails_is_spoken_by_the_languages_own_with_one_warning),
		cmocka_unit_test(
			the_clips_of_one_in_anothers_place_are_not_kept_as_its_own),
		cmocka_unit_test(
			more_voices_than_there_is_room_for_are_spoken_by_the_languages_own),
	};

	return cmocka_run_group_tests_name("speech/speaker", tests, setup,
					   teardown);
}
