// SPDX-License-Identifier: Apache-2.0
/*
 * test_recordings.c - a person's recordings as a voice: are they what is heard,
 * and is what is missing or wrong said before a call finds out?
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "media/pcm.h"
#include "speech/recordings.h"
#include "speech/recordings_priv.h"
#include "speech/speech.h"
#include "speech/utterance_priv.h"
#include "unit/speech/folder.h"

enum { FINDINGS = 64, TEXT = 4096 };

static const char scripts[] =
	"language: en\nname: English\nnative_review: no\n"
	"digits: [zero, one, two, three, four, five, six, seven, eight, "
	"nine]\n"
	"purposes: {login: sign-in, other: check}\n"
	"phrases:\n"
	"  a.greeting: \"Hello. This is {brand}, with the {purpose} code.\"\n"
	"  a.code: \"Your code is: {code}.\"\n"
	"  a.bye: \"Goodbye.\"\n"
	"  key.star: star\n";

#define HEAD "language: en\nname: Somebody\n"
#define DIGITS                                                      \
	"digits: [d0.wav, d1.wav, d2.wav, d3.wav, d4.wav, d5.wav, " \
	"d6.wav, d7.wav, d8.wav, d9.wav]\n"
#define PHRASES                                                    \
	"phrases:\n  a.greeting.login: [p0.wav, p1.wav]\n"         \
	"  a.greeting.other: [p0.wav, p2.wav]\n  a.code: p3.wav\n" \
	"  a.bye: p4.wav\n"
#define TEXTS "texts: {Acme: p5.wav}\n"

static struct folder folder;
static struct phrases *ph;

static struct {
	char what[FINDINGS][256];
	size_t n;
} found;

static void finding(const char *what, void *ctx)
{
	(void)ctx;
	if (found.n < FINDINGS)
		(void)snprintf(found.what[found.n], sizeof(found.what[0]), "%s",
			       what);
	found.n++;
}

/* A tone of so many ms, so loud (of 32767) and so high. */
static void tone(const char *name, unsigned ms, int peak, int hz)
{
	AUTO_BUF(wav, 1 << 20);
	struct pcm p = {.count = pcm_samples(ms)};
	char path[FOLDER_PROGRAM];

	p.samples = calloc(p.count, sizeof(*p.samples));
	assert_non_null(p.samples);
	for (size_t i = 0; i < p.count; i++)
		p.samples[i] =
			(int16_t)(peak * sin(2 * M_PI * hz * (double)i / 8000));
	wav_write(&wav, p.samples, p.count);
	pcm_free(&p);
	(void)snprintf(path, sizeof(path), "%s/%s", folder.path, name);
	assert_int_equal(file_write(path, wav.p, wav.n, 0600), 0);
}

static void manifest(const char *text)
{
	char path[FOLDER_PROGRAM];

	(void)snprintf(path, sizeof(path), "%s/voice.yaml", folder.path);
	assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
}

/* Ten digits of 300 ms and six phrases of 400, 500, ... ms. */
static int setup(void **state)
{
	struct diag d = {0};
	char name[16];

	(void)state;
	folder_make(&folder);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "d%d.wav", i);
		tone(name, 300, 8000, 300 + 50 * i);
	}
	for (int i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "p%d.wav", i);
		tone(name, 400 + 100 * (unsigned)i, 8000, 1000);
	}
	ph = phrases_new();
	return phrases_parse(span_of(scripts), "en", ph, &d);
}

static int teardown(void **state)
{
	(void)state;
	phrases_free(ph);
	folder_remove(folder.path);
	return 0;
}

static int look(const char *text, struct diag *d)
{
	const struct speech_params params = {.phrases = ph};

	found.n = 0;
	manifest(text);
	return speech_recordings_check(&params, folder.path, finding, NULL, d);
}

/* Nobody but the recordings can speak. */
static struct speech *open_speech(const char *flite)
{
	char spec[FOLDER_PROGRAM];
	const struct speech_choice choices[] = {{"en", spec}, {0}};
	const struct speech_params params = {.choices = choices,
					     .phrases = ph,
					     .flite = flite,
					     .espeak_ng = "/nonexistent"};
	struct speech *sp = NULL;
	struct diag d = {0};

	(void)snprintf(spec, sizeof(spec), "recordings:%s", folder.path);
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	return sp;
}

TEST(what_is_heard_is_the_recordings)
{
	AUTO(speech) *sp = NULL;
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL;
	const struct utterance_values v = {
		.brand = "Acme", .purpose = "login", .code = "12"};
	struct diag d = {0};

	manifest(HEAD DIGITS PHRASES TEXTS);
	sp = open_speech("/nonexistent");
	if (speech_open(sp, "en", &d))
		fail_msg("%s", d.message);
	assert_int_equal(utterance_phrase(u, ph, "a.greeting", &v, &d), 0);
	if (speech_say(sp, u, &list, &d))
		fail_msg("%s", d.message);

	/* "Hello. This is", "Acme,", "with the sign-in code." */
	assert_int_equal(u->count, 3);
	assert_int_equal(clip_ms(u->pieces[0].clip), 400);
	assert_int_equal(clip_ms(u->pieces[1].clip), 900);
	assert_int_equal(clip_ms(u->pieces[2].clip), 500);
	assert_int_equal(clip_ms(speech_digit(sp, "en", '4', false)), 300);
	assert_ptr_not_equal(speech_digit(sp, "en", '4', false),
			     speech_digit(sp, "en", '5', false));
}

TEST(a_digit_at_the_end_of_a_row_may_be_another_recording)
{
	AUTO(speech) *sp = NULL;
	struct diag d = {0};

	manifest(HEAD DIGITS
		 "digits_last: [p0.wav, p0.wav, p0.wav, p0.wav, p0.wav, "
		 "p0.wav, p0.wav, p0.wav, p0.wav, p0.wav]\n" PHRASES TEXTS);
	sp = open_speech("/nonexistent");
	if (speech_open(sp, "en", &d))
		fail_msg("%s", d.message);

	assert_int_equal(clip_ms(speech_digit(sp, "en", '4', false)), 300);
	assert_int_equal(clip_ms(speech_digit(sp, "en", '4', true)), 400);
}

TEST(what_is_missing_is_listed_and_refused)
{
	AUTO(speech) *sp = NULL;
	struct diag d = {0};

	assert_int_equal(look(HEAD DIGITS TEXTS
			      "phrases: {a.greeting.login: [p0.wav, p1.wav]}\n",
			      &d),
			 -EINVAL);
	assert_int_equal(found.n, 3);
	assert_string_equal(found.what[0],
			    "a.greeting.other: there is no recording of "
			    "\"Hello. This is\" \"with the check code.\"");
	assert_string_equal(
		found.what[1],
		"a.code: there is no recording of \"Your code is:\"");
	assert_non_null(strstr(d.message, "3 missing and 0 wrong, first: "
					  "a.greeting.other"));

	sp = open_speech("flite");
	assert_int_equal(speech_open(sp, "en", &d), -EINVAL);
	assert_false(speech_is_open(sp, "en"));
}

TEST(a_fallback_that_is_named_says_what_is_missing)
{
	AUTO(speech) *sp = NULL;
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL;
	struct diag d = {0};

	assert_int_equal(look(HEAD DIGITS "fallback: flite:slt\n", &d), 0);
	assert_int_equal(found.n, 4);

	sp = open_speech(NULL);
	if (speech_open(sp, "en", &d))
		fail_msg("%s", d.message);
	assert_int_equal(utterance_phrase(u, ph, "a.bye", NULL, &d), 0);
	if (speech_say(sp, u, &list, &d))
		fail_msg("%s", d.message);
	assert_int_equal(clip_ms(speech_digit(sp, "en", '0', false)), 300);
}

TEST(brands_need_a_recording_or_a_fallback)
{
	AUTO(speech) *sp = NULL;
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL;
	struct diag d = {0};

	assert_int_equal(look(HEAD DIGITS PHRASES, &d), -EINVAL);
	assert_non_null(strstr(d.message, "brands are said, too"));

	manifest(HEAD DIGITS PHRASES TEXTS);
	sp = open_speech("/nonexistent");
	assert_int_equal(speech_open(sp, "en", &d), 0);
	assert_int_equal(utterance_text(u, span_of("Initech"), false, &d), 0);
	assert_int_equal(speech_say(sp, u, &list, &d), -EINVAL);
	assert_non_null(strstr(d.message, "was never recorded"));
	assert_null(strstr(d.message, "Initech"));
}

TEST(what_is_wrong_with_a_file_is_said)
{
	static const struct {
		unsigned ms;
		int peak;
		const char *why;
	} rows[] = {
		{60, 8000, "x.wav: is too short"},
		{2100, 8000, "x.wav: is too long"},
		{300, 400, "x.wav: is too soft"},
		{300, 40000, "x.wav: is too loud"},
	};
	static const char text[] =
		HEAD "digits: [x.wav, d1.wav, d2.wav, d3.wav, d4.wav, d5.wav, "
		     "d6.wav, d7.wav, d8.wav, d9.wav]\n" PHRASES TEXTS
		     "fallback: flite:slt\n";
	char path[FOLDER_PROGRAM];
	struct diag d = {0};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* a peak over full scale is cut off */
		tone("x.wav", rows[i].ms,
		     rows[i].peak > 32767 ? 32767 : rows[i].peak, 200);
		assert_int_equal(look(text, &d), -EINVAL);
		assert_int_equal(found.n, 1);
		assert_string_equal(found.what[0], rows[i].why);
	}
	(void)snprintf(path, sizeof(path), "%s/x.wav", folder.path);
	assert_int_equal(file_write(path, "hello", 5, 0600), 0);
	assert_int_equal(look(text, &d), -EINVAL);
	assert_string_equal(found.what[0],
			    "x.wav: is no WAV file of 16 bit PCM");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look(text, &d), -EINVAL);
	assert_string_equal(found.what[0], "x.wav: No such file or directory");
}

TEST(a_phrase_has_as_many_files_as_runs_of_text)
{
	struct diag d = {0};

	assert_int_equal(look(HEAD DIGITS TEXTS
			      "phrases: {a.greeting.login: p0.wav, "
			      "a.byebye: p1.wav}\nfallback: flite:slt\n",
			      &d),
			 -EINVAL);

	assert_string_equal(found.what[0],
			    "a.greeting.login: 1 files for 2 runs of text");
	assert_string_equal(found.what[found.n - 1],
			    "a.byebye: the scripts have no such phrase");
}

TEST(another_recording_is_another_clip)
{
	AUTO(speech) *sp = NULL;
	char cache[FOLDER_PROGRAM], spec[FOLDER_PROGRAM];
	const struct speech_choice choices[] = {{"en", spec}, {0}};
	const struct speech_params params = {
		.choices = choices, .phrases = ph, .cache_dir = cache};
	struct diag d = {0};

	(void)snprintf(cache, sizeof(cache), "%s/cache", folder.path);
	(void)snprintf(spec, sizeof(spec), "recordings:%s", folder.path);
	manifest(HEAD DIGITS PHRASES TEXTS);
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	assert_int_equal(speech_open(sp, "en", &d), 0);
	assert_int_equal(clip_ms(speech_digit(sp, "en", '9', false)), 300);
	speech_free(KEEP(sp));
	tone("d9.wav", 600, 8000, 300);
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	assert_int_equal(speech_open(sp, "en", &d), 0);

	assert_int_equal(clip_ms(speech_digit(sp, "en", '9', false)), 600);
	tone("d9.wav", 300, 8000, 750);
}

TEST(a_manifest_is_checked_with_its_place)
{
	static const struct {
		const char *text, *why;
		int line;
	} rows[] = {
		{"", "is empty", 1},
		{HEAD, "digits: is missing", 0},
		{HEAD "digits: [a.wav]\n", "there are ten digits", 3},
		{HEAD "digits: [/etc/passwd]\n", "a file lies in the folder",
		 3},
		{HEAD DIGITS "texts: {A: ../x.wav}\n",
		 "a file lies in the folder", 4},
		{HEAD DIGITS "fallback: recordings:es\n",
		 "must be a voice that can say anything", 4},
		{HEAD DIGITS "fallback: flite:bob\n",
		 "flite:bob: flite has the voices rms awb kal kal16 slt", 4},
		{HEAD DIGITS "phrases: {a: []}\n", "is empty", 4},
		{HEAD DIGITS "phrases: {a: b, a: c}\n", "a: is there twice", 4},
		{HEAD DIGITS "voice: x\n", "voice: no such key", 4},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct recordings_manifest *m = NULL;
		struct diag d = {0};

		assert_int_equal(speech_manifest_read(span_of(rows[i].text), &m,
						      &d),
				 -EINVAL);
		assert_string_equal(d.message, rows[i].why);
		assert_int_equal(d.line, rows[i].line);
	}
}

TEST(a_folder_that_is_not_there_is_said)
{
	const struct speech_params params = {.recordings_dir = "/nonexistent"};
	struct diag d = {0};

	assert_int_equal(speech_recordings_check(&params, "fr", NULL, NULL, &d),
			 -ENOENT);
	assert_string_equal(d.message, "recordings:fr: there is no "
				       "/nonexistent/fr/voice.yaml and no "
				       "/nonexistent/fr.yaml");
}

/* The digits that Debian has of a person, as the manifest that comes with the
 * program points at them. */
TEST(the_worked_example_speaks)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	char dir[FOLDER_PROGRAM];
	static const struct speech_choice choices[] = {{"en", "recordings:en"},
						       {0}};
	const struct speech_params params = {
		.choices = choices, .phrases = ph, .recordings_dir = dir};
	AUTO(speech) *sp = NULL;
	struct diag d = {0};

	(void)snprintf(dir, sizeof(dir), "%s/packaging/recordings",
		       source ? source : ".");
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	if (speech_open(sp, "en", &d))
		fail_msg("%s", d.message);

	for (int i = 0; i < 10; i++) {
		char digit = (char)('0' + i);
		unsigned ms = clip_ms(speech_digit(sp, "en", digit, true));

		assert_in_range(ms, 200, 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_heard_is_the_recordings),
		cmocka_unit_test(
			a_digit_at_the_end_of_a_row_may_be_another_recording),
		cmocka_unit_test(what_is_missing_is_listed_and_refused),
		cmocka_unit_test(a_fallback_that_is_named_says_what_is_missing),
		cmocka_unit_test(brands_need_a_recording_or_a_fallback),
		cmocka_unit_test(what_is_wrong_with_a_file_is_said),
		cmocka_unit_test(a_phrase_has_as_many_files_as_runs_of_text),
		cmocka_unit_test(another_recording_is_another_clip),
		cmocka_unit_test(a_manifest_is_checked_with_its_place),
		cmocka_unit_test(a_folder_that_is_not_there_is_said),
		cmocka_unit_test(the_worked_example_speaks),
	};

	return cmocka_run_group_tests_name("speech/recordings", tests, setup,
					   teardown);
}
