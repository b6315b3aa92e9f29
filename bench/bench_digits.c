// SPDX-License-Identifier: Apache-2.0
/*
 * bench_digits.c - how many codes does a voice get across the telephone?
 *
 * Fifty codes are said as a call says them, our clips at our spacing in
 * mu-law, and written down by a recogniser that has nothing to do with us:
 * Debian's pocketsphinx with the 8 kHz digit model of its test data.  It grew
 * up on Americans, so compare voices of a kind only.  Everything random is
 * seeded: the same clips give the same figures.
 *
 *   bench_digits [voice...]      e.g. bench_digits flite:rms
 *   digits  voice=flite:rms  loss=5  codes=44/50  digits=98.0%
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "speech/speech.h"

#define MODEL "/usr/share/pocketsphinx/test/data/tidigits/"
static const char sounds[] = MODEL "hmm";
static const char words_of_it[] = MODEL "lm/tidigits.dic";
static const char grammar[] = MODEL "lm/tidigits.fsg";

enum {
	CODES = 50,
	CODE_DIGITS = 6,
	HEARD_MAX = 32, /* digits that a recogniser may make of one code */
	LEAD_MS = 300,  /* silence around a code */
	NOISE = 24,     /* of a line: -66 dBFS */
	PATH_BYTES = 512,
	HYPOTHESES_MAX = 1 << 16,
	SOUND_MAX = 1 << 20,
	SEED = 4711,
};

static const char *const voices[] = {
	"flite:rms", "flite:awb",       "flite:kal",       "flite:kal16",
	"flite:slt", "espeak-ng:en-us", "espeak-ng:en-gb",
};

struct run {
	char dir[PATH_BYTES];
	char codes[CODES][CODE_DIGITS + 1];
	unsigned whole, wrong; /* codes; digits */
};

static void path_in(const struct run *r, const char *name, char *out)
{
	(void)snprintf(out, PATH_BYTES, "%.300s/%s", r->dir, name);
}

static void make_codes(struct run *r)
{
	struct rng *rng = rng_seeded(SEED);

	for (size_t i = 0; i < CODES; i++)
		for (size_t k = 0; k < CODE_DIGITS; k++)
			r->codes[i][k] = (char)('0' + rng_below(rng, 10));
	rng_free(rng);
}

/* --- the telephone --------------------------------------------------------- */

static int say_code(struct speech *sp, const char *code, struct playlist **out)
{
	AUTO(utterance) *u = utterance_new("en");
	int err = utterance_pause(u, LEAD_MS);

	if (!err)
		err = utterance_digits(u, code, SPEECH_NORMAL);
	if (!err)
		err = utterance_pause(u, LEAD_MS);
	return err ? err : speech_playlist(sp, u, out);
}

/* What arrives: mu-law, some frames lost, some noise, as 16 bit samples. */
static void transmit(const struct playlist *list, unsigned loss,
		     struct rng *rng, struct buf *out)
{
	struct playlist_cursor at = {0};
	const uint8_t *frame;

	while ((frame = playlist_next(list, &at, G711_PCMU))) {
		bool lost = rng_below(rng, 100) < loss;

		for (size_t i = 0; i < CLIP_FRAME_BYTES; i++) {
			int v = lost ? 0 : g711_decode(G711_PCMU, frame[i]);

			v += (int)rng_below(rng, 2 * NOISE + 1) - NOISE;
			v = v > INT16_MAX   ? INT16_MAX
			    : v < INT16_MIN ? INT16_MIN
					    : v;
			buf_byte(out, (unsigned)v & 0xff);
			buf_byte(out, (unsigned)v >> 8 & 0xff);
		}
	}
}

static int write_codes(const struct run *r, struct speech *sp, unsigned loss)
{
	AUTO_BUF(control, HYPOTHESES_MAX);
	struct rng *rng = rng_seeded(SEED + loss);
	char path[PATH_BYTES];
	int err = 0;

	for (size_t i = 0; i < CODES && !err; i++) {
		AUTO(playlist) *list = NULL;
		AUTO_BUF(sound, SOUND_MAX);
		char name[32];

		err = say_code(sp, r->codes[i], &list);
		if (err)
			break;
		transmit(list, loss, rng, &sound);
		(void)snprintf(name, sizeof(name), "%02zu.raw", i);
		path_in(r, name, path);
		err = file_write(path, sound.p, sound.n, 0600);
		buf_printf(&control, "%02zu\n", i);
	}
	rng_free(rng);
	path_in(r, "control", path);
	return err ? err : file_write(path, control.p, control.n, 0600);
}

/* --- the listener ------------------------------------------------------------ */

static int recognise(const struct run *r, char *hyp)
{
	char control[PATH_BYTES], dir[PATH_BYTES],
		program[] = "pocketsphinx_batch";
	/* clang-format off */
	const char *const args[] = {
		program,
		"-hmm", sounds,
		"-dict", words_of_it,
		"-fsg", grammar,
		"-samprate", "8000",
		"-adcin", "yes",
		"-ctl", control,
		"-cepdir", dir,
		"-cepext", ".raw",
		"-hyp", hyp,
		"-seed", "1",
		"-logfn", "/dev/null",
		NULL};
	/* clang-format on */
	union {
		const char *const *ours;
		char *const *theirs;
	} argv = {.ours = args};
	posix_spawn_file_actions_t fa;
	int status = 0, err;
	pid_t pid = -1;

	path_in(r, "control", control);
	path_in(r, "", dir);
	path_in(r, "heard", hyp);
	err = posix_spawn_file_actions_init(&fa);
	if (!err)
		err = posix_spawn_file_actions_addopen(&fa, 2, "/dev/null",
						       O_WRONLY, 0);
	if (!err)
		err = posix_spawnp(&pid, program, &fa, NULL, argv.theirs,
				   environ);
	(void)posix_spawn_file_actions_destroy(&fa);
	if (err)
		return -err;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* "three one oh (00 -1234)" -> "310" */
static void read_heard(struct span line, char out[HEARD_MAX + 1])
{
	static const char *const words[] = {"zero",  "one",  "two", "three",
					    "four",  "five", "six", "seven",
					    "eight", "nine", "oh"};
	struct span word;
	size_t n = 0;

	while (n < HEARD_MAX && span_cut(&line, ' ', &word)) {
		if (span_starts(word, "("))
			break;
		for (size_t i = 0; i < COUNT_OF(words); i++)
			if (span_is(word, words[i]))
				out[n++] = (char)('0' + i % 10);
	}
	out[n] = '\0';
}

/* Digits that are wrong, missing or too many: Levenshtein's distance. */
static unsigned distance(const char *said, const char *heard)
{
	unsigned row[HEARD_MAX + 1] = {0};
	size_t n = strlen(heard);

	for (size_t k = 0; k <= n; k++)
		row[k] = (unsigned)k;
	for (; *said; said++) {
		unsigned diagonal = row[0]++;

		for (size_t k = 1; k <= n; k++) {
			unsigned best = diagonal + (*said != heard[k - 1]);

			diagonal = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[n];
}

static int listen_to(struct run *r)
{
	AUTO_BUF(heard, HYPOTHESES_MAX);
	char hyp[PATH_BYTES];
	struct span rest, line;
	int err = recognise(r, hyp);

	if (!err)
		err = file_read(hyp, &heard);
	if (err)
		return err;
	rest = buf_view(&heard);
	r->whole = r->wrong = 0;
	for (size_t i = 0; i < CODES && span_cut(&rest, '\n', &line); i++) {
		char digits[HEARD_MAX + 1] = "";
		unsigned wrong;

		read_heard(line, digits);
		wrong = distance(r->codes[i], digits);
		r->wrong += wrong;
		r->whole += wrong == 0;
	}
	return 0;
}

/* --- one voice after another ----------------------------------------------------- */

static int measure(struct run *r, struct speech *sp, const char *voice,
		   unsigned loss)
{
	double digits = CODES * CODE_DIGITS;
	int err = write_codes(r, sp, loss);

	if (!err)
		err = listen_to(r);
	if (err) {
		(void)fprintf(stderr, "%s: %s\n", voice, strerrordesc_np(-err));
		return err;
	}
	(void)printf("digits  voice=%s  loss=%u  codes=%u/%d  digits=%.1f%%\n",
		     voice, loss, r->whole, CODES,
		     100 * (digits - r->wrong) / digits);
	(void)fflush(stdout);
	return 0;
}

static int bench_voice(struct run *r, const struct phrases *ph,
		       const char *voice)
{
	const struct speech_choice choices[] = {{"en", voice}, {0}};
	const struct speech_params params = {.choices = choices, .phrases = ph};
	AUTO(speech) *sp = NULL;
	struct diag d = {0};
	int err = speech_new(&params, &sp, &d);

	if (!err)
		err = speech_open(sp, "en", &d);
	if (err) {
		(void)fprintf(stderr, "%s: %s\n", voice, d.message);
		return err;
	}
	err = measure(r, sp, voice, 0);
	return err ? err : measure(r, sp, voice, 5);
}

static void clean(const struct run *r)
{
	static const char *const names[] = {"control", "heard"};
	char path[PATH_BYTES], name[32];

	for (size_t i = 0; i < CODES; i++) {
		(void)snprintf(name, sizeof(name), "%02zu.raw", i);
		path_in(r, name, path);
		(void)unlink(path);
	}
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		path_in(r, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(r->dir);
}

static int load_phrases(struct phrases **out)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	char path[PATH_BYTES];
	struct diag d = {0};
	int err;

	(void)snprintf(path, sizeof(path), "%.300s/packaging/prompts",
		       source ? source : ".");
	err = phrases_load(path, out, &d);
	if (err)
		(void)fprintf(stderr, "%s: %s\n", path, d.message);
	return err;
}

int main(int argc, char *argv[])
{
	AUTO(phrases) *ph = NULL;
	struct run r = {.dir = "/tmp/voiceotp-digits-XXXXXX"};
	int err = load_phrases(&ph);

	if (err)
		return 1;
	if (!mkdtemp(r.dir))
		return 1;
	make_codes(&r);
	for (int i = 1; i < argc && !err; i++)
		err = bench_voice(&r, ph, argv[i]);
	for (size_t i = 0; i < COUNT_OF(voices) && argc == 1 && !err; i++)
		err = bench_voice(&r, ph, voices[i]);
	clean(&r);
	return err ? 1 : 0;
}
