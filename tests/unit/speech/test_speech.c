// SPDX-License-Identifier: Apache-2.0
/*
 * test_speech.c - with the real voices: is what is played what was asked for,
 * is it made once, and is nothing kept that must not be?
 */
#include <errno.h>
#include <pthread.h>

#include "base/crypto.h"
#include "base/random.h"
#include "speech/cache_priv.h"
#include "speech/speech.h"
#include "unit/speech/folder.h"

static struct folder folder;
static char cache[2 * FOLDER_PATH], flite[2 * FOLDER_PATH],
	espeak[2 * FOLDER_PATH];
static struct phrases *ph;

static const struct speech_choice choices[] = {{"en", "flite:rms"}, {0}};

/* The real voices, behind scripts that count how often they spoke. */
static int setup(void **state)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	char text[4 * FOLDER_PATH];
	struct diag d = {0};

	(void)state;
	folder_make(&folder);
	(void)snprintf(cache, sizeof(cache), "%s/cache", folder.path);
	(void)snprintf(text, sizeof(text),
		       "echo >>%s/spoken\nexec flite \"$@\"", folder.path);
	folder_script(&folder, "flite", text, flite);
	(void)snprintf(text, sizeof(text),
		       "echo >>%s/spoken\nexec espeak-ng \"$@\"", folder.path);
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

static size_t times_spoken(void)
{
	char path[2 * FOLDER_PATH];
	AUTO_BUF(b, 1 << 16);

	(void)snprintf(path, sizeof(path), "%s/spoken", folder.path);
	return file_read(path, &b) ? 0 : b.n;
}

static struct speech *open_speech(const char *dir)
{
	const struct speech_params params = {.cache_dir = dir,
					     .choices = choices,
					     .phrases = ph,
					     .flite = flite,
					     .espeak_ng = espeak};
	struct speech *sp = NULL;
	struct diag d = {0};

	assert_int_equal(speech_new(&params, &sp, &d), 0);
	return sp;
}

static void open_language(struct speech *sp, const char *language)
{
	struct diag d = {0};

	if (speech_open(sp, language, &d))
		fail_msg("%s", d.message);
}

static void expect_clip(const struct playlist *list, struct playlist_cursor *at,
			const struct clip *c)
{
	for (size_t i = 0; i < clip_frames(c); i++) {
		const uint8_t *played = playlist_next(list, at, G711_PCMU);

		assert_non_null(played);
		assert_memory_equal(played, clip_frame(c, G711_PCMU, i),
				    CLIP_FRAME_BYTES);
	}
}

/* Frames of the silence behind a digit: clips and silences take turns. */
static size_t skip_silence(const struct playlist *list,
			   struct playlist_cursor *at)
{
	size_t n = 0;

	for (;;) {
		struct playlist_cursor before = *at;
		const uint8_t *frame = playlist_next(list, at, G711_PCMU);

		if (frame && at->item % 2 == 0) {
			*at = before;
			return n;
		}
		if (!frame)
			return n;
		for (size_t i = 0; i < CLIP_FRAME_BYTES; i++)
			assert_int_equal(frame[i], 0xff);
		n++;
	}
}

static void expect_code(struct speech *sp, const char *language,
			const char *code)
{
	AUTO(utterance) *u = utterance_new(language);
	AUTO(playlist) *list = NULL;
	struct playlist_cursor at = {0};

	assert_int_equal(utterance_digits(u, code, SPEECH_NORMAL), 0);
	assert_int_equal(speech_playlist(sp, u, &list), 0);
	for (const char *d = code; *d; d++) {
		struct clip *c = speech_digit(sp, language, *d, d[1] == '\0');

		expect_clip(list, &at, c);
		(void)skip_silence(list, &at);
	}
	assert_null(playlist_next(list, &at, G711_PCMU));
}

static void a_thousand_codes(const char *language)
{
	AUTO(speech) *sp = open_speech(cache);
	AUTO(rng) *r = rng_seeded(7);

	open_language(sp, language);
	for (int i = 0; i < 1000; i++) {
		char code[8];

		(void)snprintf(code, sizeof(code), "%06u",
			       rng_below(r, 1000000));
		expect_code(sp, language, code);
	}
}

TEST(what_is_played_of_a_code_is_its_clips_in_english)
{
	a_thousand_codes("en");
}

TEST(what_is_played_of_a_code_is_its_clips_in_spanish)
{
	a_thousand_codes("es");
}

TEST(what_is_played_of_a_code_is_its_clips_in_german)
{
	a_thousand_codes("de");
}

/* Where each clip of a digit begins, in ms. */
static void expect_onsets(struct speech *sp, const char *code,
			  enum speech_pace pace, const unsigned *onsets)
{
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL;
	struct playlist_cursor at = {0};
	size_t frames = 0;

	assert_int_equal(utterance_digits(u, code, pace), 0);
	assert_int_equal(speech_playlist(sp, u, &list), 0);
	for (const char *d = code; *d; d++) {
		struct clip *c = speech_digit(sp, "en", *d, d[1] == '\0');

		assert_int_equal(frames * CLIP_FRAME_MS, *onsets++);
		expect_clip(list, &at, c);
		frames += clip_frames(c) + skip_silence(list, &at);
	}
	assert_int_equal(frames * CLIP_FRAME_MS, playlist_ms(list));
}

TEST(a_digit_begins_every_900_ms_and_groups_400_ms_later)
{
	static const unsigned six[] = {0, 900, 1800, 3100, 4000, 4900};
	static const unsigned slow[] = {0, 1300, 2600, 4500, 5800, 7100};
	static const unsigned five[] = {0, 900, 1800, 3100, 4000};
	AUTO(speech) *sp = open_speech(cache);

	open_language(sp, "en");
	expect_onsets(sp, "482913", SPEECH_NORMAL, six);
	expect_onsets(sp, "777777", SPEECH_NORMAL, six);
	expect_onsets(sp, "000000", SPEECH_SLOW, slow);
	expect_onsets(sp, "48291", SPEECH_NORMAL, five);
}

TEST(the_second_run_renders_nothing)
{
	AUTO(speech) *sp = open_speech(cache);
	size_t before;

	open_language(sp, "en");
	before = times_spoken();
	speech_free(KEEP(sp));
	sp = open_speech(cache);
	open_language(sp, "en");

	assert_int_equal(times_spoken(), before);
}

/* Change a byte in the middle of every file of the cache. */
static void damage_all(void)
{
	DIR *d = opendir(cache);
	const struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d))) { // NOLINT(concurrency-mt-unsafe)
		int fd = openat(dirfd(d), e->d_name, O_RDWR | O_CLOEXEC);
		char byte;

		if (fd < 0)
			continue;
		assert_int_equal(pread(fd, &byte, 1, 100), 1);
		byte = (char)~byte;
		assert_int_equal(pwrite(fd, &byte, 1, 100), 1);
		(void)close(fd);
	}
	(void)closedir(d);
}

TEST(a_damaged_file_is_made_again)
{
	AUTO(speech) *sp = open_speech(cache);
	size_t before, files;

	open_language(sp, "en");
	speech_free(KEEP(sp));
	damage_all();
	before = times_spoken();
	files = folder_count(cache, NULL);
	sp = open_speech(cache);
	open_language(sp, "en");

	assert_int_equal(times_spoken(), before + 20);
	assert_int_equal(folder_count(cache, NULL), files);
	speech_free(KEEP(sp));
	before = times_spoken();
	sp = open_speech(cache);
	open_language(sp, "en");
	assert_int_equal(times_spoken(), before);
}

static void say(struct speech *sp, struct utterance *u, struct playlist **list)
{
	struct diag d = {0};

	if (speech_say(sp, u, list, &d))
		fail_msg("%s", d.message);
}

TEST(fixed_text_is_kept_on_disk_and_other_text_in_memory_only)
{
	AUTO(speech) *sp = open_speech(cache);
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL, *again = NULL;
	const struct utterance_values v = {.brand = "Zanzibar",
					   .purpose = "login"};
	struct diag d = {0};
	size_t files, before;

	open_language(sp, "en");
	files = folder_count(cache, NULL);
	assert_int_equal(utterance_phrase(u, ph, "speak.greeting", &v, &d), 0);
	say(sp, u, &list);

	assert_int_equal(folder_count(cache, NULL), files + 2);
	assert_int_equal(folder_count(cache, "Zanzibar"), 0);
	before = times_spoken();
	utterance_free(KEEP(u));
	u = utterance_new("en");
	assert_int_equal(utterance_phrase(u, ph, "speak.greeting", &v, &d), 0);
	say(sp, u, &again);
	assert_int_equal(times_spoken(), before);
	assert_int_equal(playlist_ms(list), playlist_ms(again));

	/* and it is gone when the program is */
	speech_free(KEEP(sp));
	sp = open_speech(cache);
	utterance_free(KEEP(u));
	playlist_unref(KEEP(list));
	u = utterance_new("en");
	assert_int_equal(utterance_phrase(u, ph, "speak.greeting", &v, &d), 0);
	say(sp, u, &list);
	assert_int_equal(times_spoken(), before + 1);
}

TEST(a_phrase_is_heard_whole_with_its_caption)
{
	AUTO(speech) *sp = open_speech(cache);
	AUTO(utterance) *u = utterance_new("de");
	AUTO(playlist) *list = NULL;
	AUTO_BUF(caption, 1024);
	const struct utterance_values v = {.code = "482913"};
	struct diag d = {0};

	assert_int_equal(utterance_pause(u, 800), 0);
	assert_int_equal(utterance_phrase(u, ph, "speak.code_first", &v, &d),
			 0);
	utterance_mark(u);
	assert_int_equal(utterance_phrase(u, ph, "english.offer", &v, &d), 0);
	say(sp, u, &list);

	playlist_caption(list, &caption);
	assert_string_equal(caption.p,
			    "Ihr Code ist: 482 913 For English, press zero.");
	assert_true(playlist_mark_ms(list) > 800 + 4900);
	assert_true(playlist_mark_ms(list) + 1000 < playlist_ms(list));
}

TEST(a_language_that_is_not_open_has_no_digits)
{
	AUTO(speech) *sp = open_speech(cache);
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL;

	assert_int_equal(utterance_digits(u, "1", SPEECH_NORMAL), 0);
	assert_false(speech_is_open(sp, "en"));
	assert_null(speech_digit(sp, "en", '1', false));
	assert_int_equal(speech_playlist(sp, u, &list), -EAGAIN);

	open_language(sp, "en-US");
	assert_true(speech_is_open(sp, "en"));
	assert_non_null(speech_digit(sp, "EN-gb", '1', false));
	assert_null(speech_digit(sp, "en", 'x', false));
	assert_int_equal(speech_playlist(sp, u, &list), 0);
}

/* --- preparing on a loop -------------------------------------------------------- */

struct heard {
	struct loop *loop;
	bool told;
	int err;
	char why[DIAG_MESSAGE_BYTES];
};

static void told(int err, const struct diag *d, void *ctx)
{
	struct heard *h = ctx;

	h->told = true;
	h->err = err;
	(void)snprintf(h->why, sizeof(h->why), "%s", d->message);
	loop_stop(h->loop);
}

TEST(prepare_says_on_the_loop_when_all_is_there)
{
	AUTO(speech) *sp = open_speech(cache);
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *a = utterance_new("en");
	AUTO(utterance) *b = utterance_new("es");
	AUTO(playlist) *list = NULL;
	struct utterance *both[] = {a, b};
	struct heard h = {.loop = l};
	struct diag d = {0};

	assert_int_equal(utterance_text(a, span_of("Good day"), false, &d), 0);
	assert_int_equal(utterance_digits(b, "12", SPEECH_NORMAL), 0);
	assert_int_equal(speech_playlist(sp, a, &list), -EAGAIN);
	assert_int_equal(speech_prepare(sp, both, 2, l, told, &h), 0);
	assert_false(h.told);
	loop_run(l);

	assert_true(h.told);
	assert_int_equal(h.err, 0);
	assert_int_equal(speech_playlist(sp, a, &list), 0);
	playlist_unref(KEEP(list));
	assert_int_equal(speech_playlist(sp, b, &list), 0);
}

TEST(what_is_in_memory_is_told_without_the_render_thread)
{
	AUTO(speech) *sp = open_speech(cache);
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *u = utterance_new("en");
	struct utterance *one[] = {u};
	struct heard h = {.loop = l};

	open_language(sp, "en");
	assert_int_equal(utterance_digits(u, "12", SPEECH_NORMAL), 0);
	assert_int_equal(speech_prepare(sp, one, 1, l, told, &h), 0);
	assert_false(h.told);

	assert_true(loop_turn(l));
	assert_true(h.told);
	assert_int_equal(h.err, 0);
}

TEST(prepared_utterances_outlive_what_the_cache_forgets)
{
	AUTO(speech) *sp = open_speech(NULL);
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *list = NULL, *later = NULL;
	struct diag d = {0};

	assert_int_equal(utterance_text(u, span_of("Good day"), false, &d), 0);
	say(sp, u, &list);
	speech_free(KEEP(sp)); /* forgets everything */
	sp = open_speech(NULL);

	assert_int_equal(speech_playlist(sp, u, &later), 0);
	assert_int_equal(playlist_ms(later), playlist_ms(list));
}

TEST(a_hanging_voice_is_reported_and_the_next_is_heard)
{
	struct clock *c = clock_manual(0);
	struct speech_params params = {
		.choices = choices, .phrases = ph, .clock = c};
	AUTO(speech) *sp = NULL;
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *u = utterance_new("es");
	struct utterance *one[] = {u};
	struct heard h = {.loop = l};
	char path[2 * FOLDER_PATH], body[4 * FOLDER_PATH], fifo[FOLDER_PATH];
	struct diag d = {0};
	int fd;
	char started;

	(void)snprintf(fifo, sizeof(fifo), "%.200s/fifo", folder.path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	(void)snprintf(body, sizeof(body), "echo >%s\nexec tail -f /dev/null",
		       fifo);
	folder_script(&folder, "hanging", body, path);
	params.espeak_ng = path;
	params.flite = flite;
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	assert_int_equal(utterance_text(u, span_of("hola"), false, &d), 0);
	assert_int_equal(speech_prepare(sp, one, 1, l, told, &h), 0);

	fd = open(fifo, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &started, 1), 1); /* it has begun to hang */
	(void)close(fd);
	clock_advance(c, SPEECH_RENDER_MS);
	loop_run(l);

	assert_int_equal(h.err, -ETIMEDOUT);
	assert_string_equal(h.why, "hanging: did not end within 10000 ms");
	open_language(sp, "en");
	speech_free(KEEP(sp));
	clock_free(c);
}

TEST(stopping_kills_what_still_speaks_and_tells_who_waits)
{
	struct speech_params params = {.choices = choices, .phrases = ph};
	struct speech *sp = NULL;
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *u = utterance_new("es");
	AUTO(utterance) *v = utterance_new("es");
	struct utterance *first[] = {u}, *second[] = {v};
	struct heard h = {.loop = l}, k = {.loop = l};
	char path[2 * FOLDER_PATH];
	struct diag d = {0};

	folder_script(&folder, "endless", "exec tail -f /dev/null", path);
	params.espeak_ng = path;
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	assert_int_equal(utterance_text(u, span_of("hola"), false, &d), 0);
	assert_int_equal(utterance_text(v, span_of("adiós"), false, &d), 0);
	assert_int_equal(speech_prepare(sp, first, 1, l, told, &h), 0);
	assert_int_equal(speech_prepare(sp, second, 1, l, told, &k), 0);
	speech_free(sp);
	(void)loop_turn(l);
	(void)loop_turn(l);

	assert_true(h.told && k.told);
	assert_int_equal(h.err, -ECANCELED);
	assert_int_equal(k.err, -ECANCELED);
}

TEST(the_queue_is_bounded)
{
	struct speech_params params = {.choices = choices, .phrases = ph};
	struct speech *sp = NULL;
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *u = utterance_new("es");
	struct utterance *many[SPEECH_QUEUE_MAX + 1];
	struct heard h = {.loop = l};
	char path[2 * FOLDER_PATH];
	struct diag d = {0};

	folder_script(&folder, "endless", "exec tail -f /dev/null", path);
	params.espeak_ng = path;
	assert_int_equal(speech_new(&params, &sp, &d), 0);
	assert_int_equal(utterance_text(u, span_of("hola"), false, &d), 0);
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = u;

	assert_int_equal(speech_prepare(sp, many, COUNT_OF(many), l, told, &h),
			 -EAGAIN);
	assert_int_equal(
		speech_prepare(sp, many, COUNT_OF(many) - 1, l, told, &h), 0);
	speech_free(sp);
	(void)loop_turn(l);
	assert_int_equal(h.err, -ECANCELED);
}

TEST(a_missing_program_is_reported_when_its_language_is_opened)
{
	const struct speech_params params = {
		.choices = choices, .phrases = ph, .espeak_ng = "/nonexistent"};
	AUTO(speech) *sp = NULL;
	struct diag d = {0};

	assert_int_equal(speech_new(&params, &sp, &d), 0);
	assert_int_equal(speech_open(sp, "de", &d), -ENOENT);
	assert_string_equal(d.message, "/nonexistent: is not installed "
				       "(Debian: apt-get install espeak-ng)");
	assert_false(speech_is_open(sp, "de"));
}

TEST(a_cache_that_cannot_be_made_is_reported)
{
	const struct speech_params params = {.cache_dir = "/proc/nothing/here"};
	struct speech *sp = NULL;
	struct diag d = {0};

	assert_int_equal(speech_new(&params, &sp, &d), -ENOENT);
	assert_string_equal(d.field, "cache_dir");
	assert_null(sp);
}

/* --- the cache's bounds ----------------------------------------------------- */

static struct clip *minute(struct speech_key *key, int i)
{
	struct pcm pcm = {.count = pcm_samples(60000)};
	struct clip *c;
	char text[16];

	pcm.samples = calloc(pcm.count, sizeof(*pcm.samples));
	assert_non_null(pcm.samples);
	c = clip_new(&pcm, "");
	pcm_free(&pcm);
	(void)snprintf(text, sizeof(text), "%d", i);
	speech_cache_key("v", "en", (struct speech_style){0}, text, key);
	return c;
}

TEST(memory_forgets_what_was_not_used_for_longest)
{
	struct speech_cache *c = NULL;
	struct speech_key keys[100];
	struct diag d = {0};
	struct clip *got;

	assert_int_equal(speech_cache_new(NULL, &c, &d), 0);
	for (int i = 0; i < 100; i++) {
		struct clip *clip = minute(&keys[i], i);

		speech_cache_put(c, &keys[i], clip);
		clip_unref(clip);
		clip_unref(speech_cache_get(c, &keys[0])); /* in use */
	}

	got = speech_cache_get(c, &keys[0]);
	assert_non_null(got);
	clip_unref(got);
	assert_null(speech_cache_get(c, &keys[1]));
	got = speech_cache_get(c, &keys[99]);
	assert_non_null(got);
	clip_unref(got);
	speech_cache_free(c);
}

TEST(the_folder_is_kept_within_its_bound)
{
	struct speech_cache *c = NULL;
	char dir[2 * FOLDER_PATH];
	int16_t samples[8000] = {1};
	struct pcm pcm = {samples, 8000};
	const size_t five = 5 * (size_t)(8 + 32 + 4 + 16000 + 32);
	struct diag d = {0};
	struct speech_key key;

	(void)snprintf(dir, sizeof(dir), "%s/bounded", folder.path);
	assert_int_equal(speech_cache_new(dir, &c, &d), 0);
	for (int i = 0; i < 10; i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%d", i);
		speech_cache_key("v", "en", (struct speech_style){0}, text,
				 &key);
		speech_cache_store(c, &key, &pcm);
	}
	speech_cache_free(c);
	assert_int_equal(folder_count(dir, NULL), 10);
	assert_int_equal(speech_disk_tidy(dir, five), five);
	assert_int_equal(folder_count(dir, NULL), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_played_of_a_code_is_its_clips_in_english),
		cmocka_unit_test(
			what_is_played_of_a_code_is_its_clips_in_spanish),
		cmocka_unit_test(
			what_is_played_of_a_code_is_its_clips_in_german),
		cmocka_unit_test(
			a_digit_begins_every_900_ms_and_groups_400_ms_later),
		cmocka_unit_test(the_second_run_renders_nothing),
		cmocka_unit_test(a_damaged_file_is_made_again),
		cmocka_unit_test(
			fixed_text_is_kept_on_disk_and_other_text_in_memory_only),
		cmocka_unit_test(a_phrase_is_heard_whole_with_its_caption),
		cmocka_unit_test(a_language_that_is_not_open_has_no_digits),
		cmocka_unit_test(prepare_says_on_the_loop_when_all_is_there),
		cmocka_unit_test(
			what_is_in_memory_is_told_without_the_render_thread),
		cmocka_unit_test(
			prepared_utterances_outlive_what_the_cache_forgets),
		cmocka_unit_test(
			a_hanging_voice_is_reported_and_the_next_is_heard),
		cmocka_unit_test(
			stopping_kills_what_still_speaks_and_tells_who_waits),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(
			a_missing_program_is_reported_when_its_language_is_opened),
		cmocka_unit_test(a_cache_that_cannot_be_made_is_reported),
		cmocka_unit_test(memory_forgets_what_was_not_used_for_longest),
		cmocka_unit_test(the_folder_is_kept_within_its_bound),
	};

	return cmocka_run_group_tests_name("speech/speech", tests, setup,
					   teardown);
}
