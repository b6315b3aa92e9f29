// SPDX-License-Identifier: Apache-2.0
/*
 * phrases.c - the scripts in memory, and the rules that they must keep.
 *
 * A call cannot find out half way that its next sentence is missing, so a
 * folder of scripts is taken whole or refused: every language has what English
 * has.  phrases_yaml.c reads the files' outer form.
 */
#include "speech/phrases.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "speech/phrases_priv.h"

#define ENGLISH "en"
#define ENGLISH_ONLY "english."

enum { PATH_BYTES = 4096, ROW_FIRST = 32 };

struct phrases {
	struct phrases_file *files[PHRASES_LANGUAGES_MAX];
	size_t count;
};

static const char *const slot_names[] = {"brand",  "purpose", "digits", "code",
					 "number", "amount",  "payee"};

unsigned phrases_slot(struct span name)
{
	for (unsigned i = 0; i < COUNT_OF(slot_names); i++)
		if (span_is(name, slot_names[i]))
			return 1U << i;
	return 0;
}

int phrases_slots(const char *text, unsigned *slots, struct diag *d)
{
	struct span rest = span_of(text);

	*slots = 0;
	while (rest.n > 0) {
		char c = *rest.p++;
		struct span name;

		rest.n--;
		if (c == '}')
			return diag_set(d, "a } that closes no slot");
		if (c != '{')
			continue;
		if (!memchr(rest.p, '}', rest.n))
			return diag_set(d, "a { that no } closes");
		(void)span_cut(&rest, '}', &name);
		if (!phrases_slot(name))
			return diag_set(d, "no such slot: {%.*s}",
					(int)(name.n > 40 ? 40 : name.n),
					name.p);
		*slots |= phrases_slot(name);
	}
	return 0;
}

/* --- one file ------------------------------------------------------------- */

const char *phrases_row_find(const struct phrases_rows *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->rows[i].name, name) == 0)
			return r->rows[i].text;
	return NULL;
}

void phrases_row_add(struct phrases_rows *r, const char *name, const char *text)
{
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : ROW_FIRST;
		r->rows = b_grow(r->rows, r->room, sizeof(*r->rows));
	}
	r->rows[r->count].name = b_strdup(name);
	r->rows[r->count].text = b_strdup(text);
	r->count++;
}

static void rows_free(struct phrases_rows *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->rows[i].name);
		free(r->rows[i].text);
	}
	free(r->rows);
}

void phrases_file_free(struct phrases_file *f)
{
	if (!f)
		return;
	rows_free(&f->phrases);
	rows_free(&f->purposes);
	free(f);
}

static const struct phrases_file *file_of(const struct phrases *ph,
					  const char *language)
{
	for (size_t i = 0; i < ph->count; i++)
		if (strcmp(ph->files[i]->language, language) == 0)
			return ph->files[i];
	return NULL;
}

static const char *speaker_of(const struct phrases *ph, const char *country)
{
	for (size_t i = 0; i < ph->count; i++) {
		const struct phrases_file *f = ph->files[i];

		for (size_t k = 0; k < f->countries_count; k++)
			if (strcasecmp(f->countries[k], country) == 0)
				return f->language;
	}
	return NULL;
}

/* --- the rules ------------------------------------------------------------ */

static bool english_only(const char *name)
{
	return strncmp(name, ENGLISH_ONLY, strlen(ENGLISH_ONLY)) == 0;
}

static int check_extra(const struct phrases_rows *ours,
		       const struct phrases_rows *theirs, struct diag *d)
{
	for (size_t i = 0; i < ours->count; i++) {
		const char *name = ours->rows[i].name;

		if (english_only(name))
			return diag_set(d, "%s: belongs in en.yaml alone",
					name);
		if (!phrases_row_find(theirs, name))
			return diag_set(d, "%s: en.yaml has no such name",
					name);
	}
	return 0;
}

static int check_slots(const char *name, const char *ours, const char *theirs,
		       struct diag *d)
{
	unsigned a = 0, b = 0;
	int err = phrases_slots(ours, &a, d);

	if (!err)
		err = phrases_slots(theirs, &b, d);
	if (err)
		return err;
	for (unsigned i = 0; i < COUNT_OF(slot_names); i++)
		if (((a ^ b) & 1U << i) != 0)
			return diag_set(d, "%s: {%s} %s", name, slot_names[i],
					a & 1U << i ? "is not in the English"
						    : "is missing");
	return 0;
}

static int check_rows(const struct phrases_rows *ours,
		      const struct phrases_rows *english, struct diag *d)
{
	int err = check_extra(ours, english, d);

	for (size_t i = 0; i < english->count && !err; i++) {
		const char *name = english->rows[i].name;
		const char *text = phrases_row_find(ours, name);

		if (text)
			err = check_slots(name, text, english->rows[i].text, d);
		else if (!english_only(name))
			err = diag_set(d, "%s: is missing", name);
	}
	return err;
}

static int check_countries(const struct phrases *ph,
			   const struct phrases_file *f, struct diag *d)
{
	for (size_t i = 0; i < f->countries_count; i++) {
		const char *other = speaker_of(ph, f->countries[i]);

		if (other)
			return diag_set(d, "countries: %s is in %s.yaml too",
					f->countries[i], other);
	}
	return 0;
}

static int check_file(const struct phrases *ph, const struct phrases_file *f,
		      const char *language, struct diag *d)
{
	const struct phrases_file *english = file_of(ph, ENGLISH);
	int err;

	if (strcmp(f->language, language) != 0)
		return diag_set(d, "language: is %s, the file's name says %s",
				f->language, language);
	if (file_of(ph, language))
		return diag_set(d, "language: %s is there already", language);
	if (ph->count == PHRASES_LANGUAGES_MAX)
		return diag_set(d, "more than %d languages",
				PHRASES_LANGUAGES_MAX);
	if (!phrases_row_find(&f->purposes, "other"))
		return diag_set(d, "purposes: other is missing");
	err = check_countries(ph, f, d);
	if (!err && english)
		err = check_rows(&f->purposes, &english->purposes, d);
	if (!err && english)
		err = check_rows(&f->phrases, &english->phrases, d);
	return err;
}

int phrases_parse(struct span yaml, const char *language, struct phrases *into,
		  struct diag *d)
{
	struct phrases_file *f = NULL;
	struct diag ignored = {0};
	int err = phrases_read(yaml, &f, d ? d : &ignored);

	if (err)
		return err;
	err = check_file(into, f, language, d);
	if (err) {
		phrases_file_free(f);
		return err;
	}
	into->files[into->count++] = f;
	return 0;
}

/* --- a folder ------------------------------------------------------------- */

struct phrases *phrases_new(void)
{
	return b_zero(1, sizeof(struct phrases));
}

void phrases_free(struct phrases *ph)
{
	if (!ph)
		return;
	for (size_t i = 0; i < ph->count; i++)
		phrases_file_free(ph->files[i]);
	free(ph);
}

static int load_file(struct phrases *ph, const char *dir, const char *name,
		     struct diag *d)
{
	AUTO_BUF(text, PHRASES_FILE_MAX);
	char path[PATH_BYTES], language[PHRASES_LANGUAGE_BYTES] = "";
	size_t n = strcspn(name, ".");
	int err;

	(void)snprintf(d->field, sizeof(d->field), "%s", name);
	if (n >= sizeof(language))
		return diag_set(d, "no language has such a long name");
	memcpy(language, name, n);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	err = file_read(path, &text);
	if (err) {
		(void)diag_set(d, "cannot be read: %s",
			       err == -E2BIG ? "too long"
					     : strerrordesc_np(-err));
		return err;
	}
	return phrases_parse(buf_view(&text), language, ph, d);
}

static int is_script(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && e->d_name[0] != '.' &&
	       strcmp(e->d_name + n - 5, ".yaml") == 0 &&
	       strcmp(e->d_name, ENGLISH ".yaml") != 0;
}

int phrases_load(const char *dir, struct phrases **out, struct diag *d)
{
	AUTO(phrases) *ph = phrases_new();
	struct diag ignored = {0};
	struct dirent **names = NULL;
	int n, err;

	if (!d)
		d = &ignored;
	err = load_file(ph, dir, ENGLISH ".yaml", d);
	if (err)
		return err;
	n = scandir(dir, &names, is_script, alphasort);
	if (n < 0) {
		err = -errno;
		(void)diag_field(d, dir, "%s", strerrordesc_np(-err));
		return err;
	}
	for (int i = 0; i < n; i++) {
		if (!err)
			err = load_file(ph, dir, names[i]->d_name, d);
		free(names[i]);
	}
	free(names);
	if (err)
		return err;
	d->field[0] = '\0';
	*out = KEEP(ph);
	return 0;
}

/* --- questions ------------------------------------------------------------ */

const char *phrases_find(const struct phrases *ph, const char *language,
			 const char *name)
{
	const struct phrases_file *f =
		file_of(ph, english_only(name) ? ENGLISH : language);

	return f ? phrases_row_find(&f->phrases, name) : NULL;
}

const char *phrases_purpose(const struct phrases *ph, const char *language,
			    const char *purpose)
{
	const struct phrases_file *f = file_of(ph, language);
	const char *text;

	if (!f)
		return NULL;
	text = phrases_row_find(&f->purposes, purpose);
	return text ? text : phrases_row_find(&f->purposes, "other");
}

void phrases_each(const struct phrases *ph, const char *language,
		  phrases_each_h *each, void *ctx)
{
	const struct phrases_file *f = file_of(ph, language);

	for (size_t i = 0; f && i < f->phrases.count; i++)
		each(f->phrases.rows[i].name, f->phrases.rows[i].text, ctx);
}

void phrases_each_purpose(const struct phrases *ph, const char *language,
			  phrases_each_h *each, void *ctx)
{
	const struct phrases_file *f = file_of(ph, language);

	for (size_t i = 0; f && i < f->purposes.count; i++)
		each(f->purposes.rows[i].name, f->purposes.rows[i].text, ctx);
}

const char *phrases_digit(const struct phrases *ph, const char *language,
			  char digit)
{
	const struct phrases_file *f = file_of(ph, language);

	if (!f || digit < '0' || digit > '9')
		return NULL;
	return f->digits[digit - '0'];
}

const char *phrases_name(const struct phrases *ph, const char *language)
{
	const struct phrases_file *f = file_of(ph, language);

	return f ? f->native : NULL;
}

bool phrases_reviewed(const struct phrases *ph, const char *language)
{
	const struct phrases_file *f = file_of(ph, language);

	return f && f->reviewed;
}

int phrases_has(const struct phrases *ph, const char *name)
{
	return phrases_find(ph, ENGLISH, name) != NULL;
}

const char *phrases_language(const struct phrases *ph, const char *locale,
			     const char *country)
{
	size_t n = locale ? strcspn(locale, "-_") : 0;
	const char *found;

	for (size_t i = 0; i < ph->count && n > 0; i++) {
		const char *have = ph->files[i]->language;

		if (strlen(have) == n && strncasecmp(have, locale, n) == 0)
			return have;
	}
	found = country && *country ? speaker_of(ph, country) : NULL;
	return found ? found : ENGLISH;
}

size_t phrases_languages(const struct phrases *ph,
			 const char *out[PHRASES_LANGUAGES_MAX])
{
	for (size_t i = 0; i < ph->count; i++)
		out[i] = ph->files[i]->language;
	return ph->count;
}
