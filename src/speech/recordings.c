// SPDX-License-Identifier: Apache-2.0
/*
 * recordings.c - recordings as a voice.
 *
 * All files are read and looked at when the voice is opened: a call cannot find
 * out half way that its next sentence was never recorded.  A phrase has one
 * file for each run of text between its slots, cut where utterance_phrase()
 * cuts it; so what a voice is given is found among them by its text alone.
 */
#include "speech/recordings.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "speech/recordings_priv.h"
#include "speech/sound_priv.h"

enum {
	PATH_BYTES = 4096,
	WAV_MAX = 8 << 20,
	WHAT_BYTES = 640,
	SHORTEST_MS = 100,
	DIGIT_MS_MAX = 2000,
	PHRASE_MS_MAX = 30000,
	CLIPPED_MAX = 20, /* samples at full scale */
	FULL = 32767,
	STAMP_BYTES = 8,
};
static const double softest_rms = -42, loudest_rms = -6; /* dBFS */
static const double softest_peak = -30;

/* A text and its sound. */
struct recording {
	char *text;
	struct pcm pcm;
};

struct speech_recordings {
	struct recordings_manifest *m;
	struct pcm digits[2][10];
	struct recording *said; /* of the scripts, and texts */
	size_t count;
	struct voice fallback;
	uint8_t stamp[CRYPTO_HASH_BYTES]; /* of all that was read */
};

/* What is being opened or checked. */
struct look {
	struct speech_recordings *r;
	const struct speech_params *params;
	char folder[PATH_BYTES];
	size_t missing, wrong;
	char first[WHAT_BYTES]; /* the first that is missing or wrong */
	speech_finding_h *found;
	void *ctx;
};

static void find_fault(struct look *l, bool missing, const char *what)
{
	if (l->missing + l->wrong == 0)
		(void)snprintf(l->first, sizeof(l->first), "%s", what);
	if (missing)
		l->missing++;
	else
		l->wrong++;
	if (l->found)
		l->found(what, l->ctx);
}

/* --- files -------------------------------------------------------------------- */

static void stamp(struct speech_recordings *r, const void *p, size_t n)
{
	uint8_t both[2 * CRYPTO_HASH_BYTES];

	memcpy(both, r->stamp, CRYPTO_HASH_BYTES);
	crypto_sha256(p, n, both + CRYPTO_HASH_BYTES);
	crypto_sha256(both, sizeof(both), r->stamp);
}

static double decibel(double amplitude)
{
	return amplitude > 0 ? 20 * log10(amplitude / FULL) : -200;
}

/* NULL: it is as it should be. */
static const char *fault_of(const struct pcm *p, unsigned most_ms)
{
	size_t clipped = 0;
	double sum = 0;
	int peak = 0;

	for (size_t i = 0; i < p->count; i++) {
		int v = abs(p->samples[i]);

		sum += (double)v * v;
		peak = v > peak ? v : peak;
		clipped += v >= FULL - 1;
	}
	if (p->count < pcm_samples(SHORTEST_MS))
		return "is too short";
	if (p->count > pcm_samples(most_ms))
		return "is too long";
	if (decibel(peak) < softest_peak ||
	    decibel(sqrt(sum / (double)p->count)) < softest_rms)
		return "is too soft";
	if (clipped > CLIPPED_MAX ||
	    decibel(sqrt(sum / (double)p->count)) > loudest_rms)
		return "is too loud";
	return NULL;
}

/* Into *out, empty where it cannot be. */
static void load(struct look *l, const char *file, unsigned most_ms,
		 struct pcm *out)
{
	AUTO_BUF(bytes, WAV_MAX);
	char path[PATH_BYTES + RECORDINGS_PATH_MAX], what[WHAT_BYTES];
	const char *fault = NULL;
	int err;

	(void)snprintf(path, sizeof(path), "%s/%s", l->folder, file);
	err = file_read(path, &bytes);
	if (err)
		fault = strerrordesc_np(-err);
	else if (wav_read(buf_view(&bytes), out))
		fault = "is no WAV file of 16 bit PCM";
	else
		fault = fault_of(out, most_ms);
	if (!err)
		stamp(l->r, bytes.p, bytes.n);
	if (!fault)
		return;
	pcm_free(out);
	(void)snprintf(what, sizeof(what), "%.300s: %s", file, fault);
	find_fault(l, false, what);
}

static void load_digits(struct look *l)
{
	for (size_t i = 0; i < 20; i++) {
		const char *file = l->r->m->digits[i / 10][i % 10];

		if (file)
			load(l, file, DIGIT_MS_MAX,
			     &l->r->digits[i / 10][i % 10]);
	}
}

static void keep(struct look *l, const char *text, const char *file)
{
	struct speech_recordings *r = l->r;
	struct pcm pcm = {0};

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->said[i].text, text) == 0)
			return; /* the same words in two phrases */
	load(l, file, PHRASE_MS_MAX, &pcm);
	if (!pcm.samples)
		return;
	r->said = b_grow(r->said, r->count + 1, sizeof(*r->said));
	r->said[r->count++] =
		(struct recording){.text = b_strdup(text), .pcm = pcm};
}

/* --- phrases ------------------------------------------------------------------ */

static const struct recordings_row *row_of(const struct recordings_rows *rows,
					   const char *name)
{
	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(rows->rows[i].name, name) == 0)
			return &rows->rows[i];
	return NULL;
}

static size_t runs_of(const struct utterance *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->count; i++)
		n += u->pieces[i].kind == SPEECH_PIECE_TEXT &&
		     u->pieces[i].fixed;
	return n;
}

static void say_missing(struct look *l, const char *key,
			const struct utterance *u)
{
	AUTO_BUF(what, WHAT_BYTES);

	buf_printf(&what, "%s: there is no recording of", key);
	for (size_t i = 0; i < u->count; i++)
		if (u->pieces[i].kind == SPEECH_PIECE_TEXT &&
		    u->pieces[i].fixed)
			buf_printf(&what, " \"%s\"", u->pieces[i].text);
	find_fault(l, true, what.p);
}

static void take_runs(struct look *l, const struct recordings_row *row,
		      const struct utterance *u)
{
	size_t n = runs_of(u), at = 0;
	char what[WHAT_BYTES];

	if (row->count != n) {
		(void)snprintf(what, sizeof(what),
			       "%.300s: %zu files for %zu runs of text",
			       row->name, row->count, n);
		find_fault(l, false, what);
		return;
	}
	for (size_t i = 0; i < u->count; i++)
		if (u->pieces[i].kind == SPEECH_PIECE_TEXT &&
		    u->pieces[i].fixed)
			keep(l, u->pieces[i].text, row->files[at++]);
}

/* One phrase, for one purpose where its text has one. */
static void look_for(struct look *l, const char *name, const char *purpose)
{
	const struct utterance_values values = {.brand = "-",
						.purpose = purpose,
						.digits = "0",
						.code = "0",
						.number = "0",
						.amount = "-",
						.payee = "-"};
	const struct recordings_manifest *m = l->r->m;
	AUTO(utterance) *u = utterance_new(m->language);
	const struct recordings_row *row;
	char key[2 * PHRASES_NAME_MAX + 2];

	(void)snprintf(key, sizeof(key), "%s%s%s", name, purpose ? "." : "",
		       purpose ? purpose : "");
	if (utterance_phrase(u, l->params->phrases, name, &values, NULL) ||
	    runs_of(u) == 0)
		return;
	row = row_of(&m->phrases, key);
	if (row)
		take_runs(l, row, u);
	else
		say_missing(l, key, u);
}

struct named {
	struct look *l;
	const char *phrase;
};

static void each_purpose(const char *purpose, const char *text, void *ctx)
{
	struct named *n = ctx;

	(void)text;
	look_for(n->l, n->phrase, purpose);
}

static void each_phrase(const char *name, const char *text, void *ctx)
{
	struct look *l = ctx;
	struct named n = {.l = l, .phrase = name};

	if (strncmp(name, "key.", 4) == 0)
		return; /* a word of texts that are put together elsewhere */
	if (strstr(text, "{purpose}"))
		phrases_each_purpose(l->params->phrases, l->r->m->language,
				     each_purpose, &n);
	else
		look_for(l, name, NULL);
}

static bool is_phrase(const struct look *l, const char *key)
{
	const struct phrases *ph = l->params->phrases;
	char name[PHRASES_NAME_MAX + 1];
	const char *dot = strrchr(key, '.');

	if (strlen(key) > PHRASES_NAME_MAX)
		return false;
	if (phrases_find(ph, l->r->m->language, key))
		return true;
	(void)snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - key) : 0,
		       key);
	return phrases_find(ph, l->r->m->language, name) != NULL;
}

static void look_at_phrases(struct look *l)
{
	const struct recordings_manifest *m = l->r->m;
	char what[WHAT_BYTES];

	if (!l->params->phrases)
		return;
	phrases_each(l->params->phrases, m->language, each_phrase, l);
	for (size_t i = 0; i < m->phrases.count; i++) {
		if (is_phrase(l, m->phrases.rows[i].name))
			continue;
		(void)snprintf(what, sizeof(what),
			       "%.300s: the scripts have no such phrase",
			       m->phrases.rows[i].name);
		find_fault(l, false, what);
	}
}

/* A name, without the punctuation that the script puts behind it. */
static void look_at_texts(struct look *l)
{
	const struct recordings_rows *t = &l->r->m->texts;

	for (size_t i = 0; i < t->count; i++)
		keep(l, t->rows[i].name, t->rows[i].files[0]);
}

/* --- the whole ---------------------------------------------------------------- */

/* Where the manifest of a name or path is; its folder into `dir`. */
static int place_of(const struct speech_params *params, const char *name,
		    char path[PATH_BYTES], char dir[PATH_BYTES], struct diag *d)
{
	static const char *const ends[] = {"/voice.yaml", ".yaml", ""};
	char base[PATH_BYTES - 16], *slash;
	struct stat st;

	if (!strchr(name, '/') && !params->recordings_dir) {
		(void)diag_set(d,
			       "recordings:%s: no folder of recordings is "
			       "known",
			       name);
		return -ENOENT;
	}
	(void)snprintf(base, sizeof(base), "%s%s%s",
		       strchr(name, '/') ? "" : params->recordings_dir,
		       strchr(name, '/') ? "" : "/", name);
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		(void)snprintf(path, PATH_BYTES, "%s%s", base, ends[i]);
		if (stat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		(void)snprintf(dir, PATH_BYTES, "%s", path);
		slash = strrchr(dir, '/');
		if (slash)
			*slash = '\0';
		return 0;
	}
	(void)diag_set(d,
		       "recordings:%s: there is no %s/voice.yaml and no "
		       "%s.yaml",
		       name, base, base);
	return -ENOENT;
}

static int read_manifest(struct look *l, const char *name, struct diag *d)
{
	AUTO_BUF(text, RECORDINGS_FILE_MAX);
	char path[PATH_BYTES], dir[PATH_BYTES];
	struct diag why = {0};
	const char *folder;
	int err = place_of(l->params, name, path, dir, d);

	if (err)
		return err;
	err = file_read(path, &text);
	if (err) {
		(void)diag_set(d, "%s: %s", path, strerrordesc_np(-err));
		return err;
	}
	err = speech_manifest_read(buf_view(&text), &l->r->m, &why);
	if (err) {
		char where[DIAG_MESSAGE_BYTES];

		diag_text(&why, path, where, sizeof(where));
		return diag_set(d, "%s", where);
	}
	stamp(l->r, text.p, text.n);
	folder = l->r->m->folder;
	if (folder && *folder == '/')
		(void)snprintf(l->folder, sizeof(l->folder), "%s", folder);
	else
		(void)snprintf(l->folder, sizeof(l->folder), "%.2048s%s%.1024s",
			       dir, folder ? "/" : "", folder ? folder : "");
	return 0;
}

static int judge(const struct look *l, const char *name, struct diag *d)
{
	const struct recordings_manifest *m = l->r->m;

	if (l->wrong > 0 || (l->missing > 0 && !m->fallback))
		return diag_set(d,
				"recordings:%s: %zu missing and %zu wrong, "
				"first: %.200s (`voiceotp voice check` lists "
				"them)",
				name, l->missing, l->wrong, l->first);
	if (!m->fallback && m->texts.count == 0)
		return diag_set(d,
				"recordings:%s: brands are said, too: record "
				"them under `texts`, or name a fallback",
				name);
	return 0;
}

static int look(struct look *l, const char *name, struct diag *d)
{
	int err = read_manifest(l, name, d);

	if (err)
		return err;
	load_digits(l);
	look_at_phrases(l);
	look_at_texts(l);
	return judge(l, name, d);
}

static void let_go(struct speech_recordings *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < 20; i++)
		pcm_free(&r->digits[i / 10][i % 10]);
	for (size_t i = 0; i < r->count; i++) {
		free(r->said[i].text);
		pcm_free(&r->said[i].pcm);
	}
	free(r->said);
	voice_close(&r->fallback);
	speech_manifest_free(r->m);
	free(r);
}

int speech_recordings_check(const struct speech_params *params,
			    const char *name, speech_finding_h *found,
			    void *ctx, struct diag *d)
{
	struct look l = {.r = b_zero(1, sizeof(*l.r)),
			 .params = params,
			 .found = found,
			 .ctx = ctx};
	int err = look(&l, name, d);

	let_go(l.r);
	return err;
}

/* --- the voice ---------------------------------------------------------------- */

static int check(const char *spec, const char *name, struct diag *d)
{
	if (!*name || *name == '.' || strstr(name, ".."))
		return diag_set(d, "%s: not the name of a folder", spec);
	return 0;
}

static int open_fallback(struct voice *v, const struct speech_params *params,
			 const char *language, struct diag *d)
{
	struct speech_recordings *r = v->recordings;

	if (!r->m->fallback)
		return 0;
	stamp(r, r->m->fallback, strlen(r->m->fallback));
	return voice_open(params, r->m->fallback, language, &r->fallback, d);
}

static int open_voice(struct voice *v, const struct speech_params *params,
		      const char *language, struct diag *d)
{
	struct look l = {.r = b_zero(1, sizeof(*l.r)), .params = params};
	char hex[2 * STAMP_BYTES + 1];
	int err;

	v->recordings = l.r;
	err = look(&l, v->name, d);
	if (!err && strcmp(l.r->m->language, language) != 0)
		err = diag_set(d, "%s: speaks %s, not %s", v->spec,
			       l.r->m->language, language);
	if (!err)
		err = open_fallback(v, params, language, d);
	crypto_hex(l.r->stamp, STAMP_BYTES, hex);
	/* another recording is another sound */
	(void)snprintf(v->id, sizeof(v->id), "%s %s", v->spec, hex);
	return err;
}

static void close_voice(struct voice *v)
{
	let_go(v->recordings);
}

static void copy(const struct pcm *from, struct pcm *out)
{
	out->samples = b_copy(from->samples, from->count * sizeof(int16_t));
	out->count = from->count;
}

static const struct pcm *find(const struct speech_recordings *r,
			      const struct voice_ask *ask)
{
	size_t n = strlen(ask->text);

	if (ask->digit) {
		size_t i = (size_t)(ask->digit - '0');
		bool last = ask->last && r->digits[1][i].samples;

		return &r->digits[last][i];
	}
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->said[i].text, ask->text) == 0)
			return &r->said[i].pcm;
	while (n > 0 && strchr(".,;:!?", ask->text[n - 1]))
		n--;
	for (size_t i = 0; i < r->count; i++)
		if (span_is(span_make(ask->text, n), r->said[i].text))
			return &r->said[i].pcm;
	return NULL;
}

static int say(const struct voice *v, const struct voice_ask *ask,
	       const struct voice_limits *limits, struct pcm *out,
	       struct diag *d)
{
	const struct speech_recordings *r = v->recordings;
	const struct pcm *pcm;
	int err;

	assert(r); /* it was opened */
	pcm = find(r, ask);
	if (pcm) {
		copy(pcm, out);
		return 0;
	}
	if (!r->fallback.engine)
		return diag_set(d,
				"%s: a text was never recorded, and the "
				"manifest names no fallback",
				v->spec);
	err = voice_say(&r->fallback, ask, limits, out, d);
	if (!err)
		speech_sound_brighten(out, r->fallback.engine->treble);
	return err;
}

const struct voice_engine voice_recordings = {
	.prefix = "recordings:",
	.check = check,
	.open = open_voice,
	.close = close_voice,
	.say = say,
};
