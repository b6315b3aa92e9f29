// SPDX-License-Identifier: Apache-2.0
/*
 * manifest.c - read what a folder of recordings says of itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "speech/phrases_priv.h"
#include "speech/recordings_priv.h"
#include "speech/yaml_priv.h"

struct reader {
	struct speech_yaml yaml;
	struct recordings_manifest *m;
};

static int copy_text(struct reader *r, size_t max, char **out)
{
	const char *text = NULL;
	int err = speech_yaml_text(&r->yaml, max, &text);

	if (!err)
		*out = b_strdup(text);
	return err;
}

static int next_text(struct reader *r, size_t max, char **out)
{
	int err = speech_yaml_next(&r->yaml);

	return err ? err : copy_text(r, max, out);
}

/* A file's name never leaves the folder. */
static int copy_file(struct reader *r, char **out)
{
	const char *text = NULL;
	int err = speech_yaml_text(&r->yaml, RECORDINGS_PATH_MAX, &text);

	if (err)
		return err;
	if (*text == '/' || strstr(text, ".."))
		return speech_yaml_at(&r->yaml, "a file lies in the folder");
	*out = b_strdup(text);
	return 0;
}

static int read_language(void *ctx)
{
	struct reader *r = ctx;

	return speech_yaml_language(&r->yaml, r->m->language);
}

static int read_name(void *ctx)
{
	struct reader *r = ctx;

	return next_text(r, PHRASES_TEXT_MAX, &r->m->name);
}

static int read_folder(void *ctx)
{
	struct reader *r = ctx;

	return next_text(r, RECORDINGS_PATH_MAX, &r->m->folder);
}

static int read_fallback(void *ctx)
{
	struct reader *r = ctx;
	struct diag why = {0};
	int err = next_text(r, SPEECH_VOICE_BYTES - 1, &r->m->fallback);

	if (err)
		return err;
	if (strncmp(r->m->fallback, voice_recordings.prefix,
		    strlen(voice_recordings.prefix)) == 0)
		return speech_yaml_at(&r->yaml,
				      "must be a voice that can say anything");
	if (voice_check(r->m->fallback, false, &why))
		return speech_yaml_at(&r->yaml, why.message);
	return 0;
}

static int read_ten(struct reader *r, char *to[10])
{
	int err = speech_yaml_expect(&r->yaml, YAML_SEQUENCE_START_EVENT,
				     "expected [a list]");

	for (size_t i = 0; i < 10 && !err; i++) {
		err = speech_yaml_next(&r->yaml);
		if (!err && r->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			return speech_yaml_at(&r->yaml, "there are ten digits");
		if (!err)
			err = copy_file(r, &to[i]);
	}
	return err ? err
		   : speech_yaml_expect(&r->yaml, YAML_SEQUENCE_END_EVENT,
					"there are ten digits");
}

static int read_digits(void *ctx)
{
	struct reader *r = ctx;

	return read_ten(r, r->m->digits[0]);
}

static int read_digits_last(void *ctx)
{
	struct reader *r = ctx;

	return read_ten(r, r->m->digits[1]);
}

/* One file, or a list of them. */
static int read_files(struct reader *r, struct recordings_row *row)
{
	int err = speech_yaml_next(&r->yaml);

	if (err)
		return err;
	if (r->yaml.event.type != YAML_SEQUENCE_START_EVENT) {
		row->count = 1;
		return copy_file(r, &row->files[0]);
	}
	for (;;) {
		err = speech_yaml_next(&r->yaml);
		if (err || r->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (row->count == RECORDINGS_PARTS_MAX)
			return speech_yaml_at(&r->yaml, "too many files");
		err = copy_file(r, &row->files[row->count]);
		if (err)
			return err;
		row->count++;
	}
	if (!err && row->count == 0)
		err = speech_yaml_at(&r->yaml, "is empty");
	return err;
}

static int read_row(struct reader *r, struct recordings_rows *to)
{
	struct recordings_row *row;
	char *name = NULL;
	int err = copy_text(r, PHRASES_TEXT_MAX, &name);

	if (err)
		return err;
	for (size_t i = 0; i < to->count && !err; i++)
		if (strcmp(to->rows[i].name, name) == 0)
			err = speech_yaml_at_name(&r->yaml, name,
						  "is there twice");
	if (!err && to->count == RECORDINGS_ROWS_MAX)
		err = speech_yaml_at(&r->yaml, "too many names");
	if (err) {
		free(name);
		return err;
	}
	to->rows = b_grow(to->rows, to->count + 1, sizeof(*to->rows));
	row = &to->rows[to->count++];
	*row = (struct recordings_row){
		.name = name,
		.line = (int)r->yaml.event.start_mark.line + 1,
		.column = (int)r->yaml.event.start_mark.column + 1};
	return read_files(r, row);
}

static int read_rows(struct reader *r, struct recordings_rows *to)
{
	int err = speech_yaml_expect(&r->yaml, YAML_MAPPING_START_EVENT,
				     "expected `name: file`");

	while (!err) {
		err = speech_yaml_next(&r->yaml);
		if (err || r->yaml.event.type == YAML_MAPPING_END_EVENT)
			break;
		err = read_row(r, to);
	}
	return err;
}

static int read_phrases(void *ctx)
{
	struct reader *r = ctx;

	return read_rows(r, &r->m->phrases);
}

static int read_texts(void *ctx)
{
	struct reader *r = ctx;

	return read_rows(r, &r->m->texts);
}

static const struct speech_yaml_key keys[] = {
	{"language", read_language, true},
	{"name", read_name, true},
	{"folder", read_folder, false},
	{"fallback", read_fallback, false},
	{"digits", read_digits, true},
	{"digits_last", read_digits_last, false},
	{"phrases", read_phrases, false},
	{"texts", read_texts, false},
};

int speech_manifest_read(struct span yaml, struct recordings_manifest **out,
			 struct diag *d)
{
	struct reader r = {0};
	int err;

	if (yaml.n > RECORDINGS_FILE_MAX)
		return diag_set(d, "is too long");
	err = speech_yaml_begin(&r.yaml, yaml, d);
	if (err)
		return err;
	r.m = b_zero(1, sizeof(*r.m));
	err = speech_yaml_document(&r.yaml, keys, COUNT_OF(keys), &r);
	speech_yaml_end(&r.yaml);
	if (err)
		speech_manifest_free(r.m);
	else
		*out = r.m;
	return err;
}

static void free_rows(struct recordings_rows *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->rows[i].name);
		for (size_t k = 0; k < RECORDINGS_PARTS_MAX; k++)
			free(r->rows[i].files[k]);
	}
	free(r->rows);
}

void speech_manifest_free(struct recordings_manifest *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < 20; i++)
		free(m->digits[i / 10][i % 10]);
	free_rows(&m->phrases);
	free_rows(&m->texts);
	free(m->name);
	free(m->folder);
	free(m->fallback);
	free(m);
}
