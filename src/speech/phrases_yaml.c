// SPDX-License-Identifier: Apache-2.0
/*
 * phrases_yaml.c - read one file of scripts, event by event.
 *
 * Translators edit these files, so what is wrong is said with line and column,
 * and a name that is there twice is an error.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "speech/phrases.h"
#include "speech/phrases_priv.h"
#include "speech/yaml_priv.h"

struct reader {
	struct speech_yaml yaml;
	struct phrases_file *file;
};

static bool good_name(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.")] == '\0';
}

/* A mapping of names to texts. */
static int read_rows(struct reader *r, struct phrases_rows *to, bool slots)
{
	char name[PHRASES_NAME_MAX + 1];
	const char *text = NULL;
	unsigned used;
	int err = speech_yaml_expect(&r->yaml, YAML_MAPPING_START_EVENT,
				     "expected names");

	for (;;) {
		err = err ? err : speech_yaml_next(&r->yaml);
		if (err || r->yaml.event.type == YAML_MAPPING_END_EVENT)
			return err;
		err = speech_yaml_text(&r->yaml, PHRASES_NAME_MAX, &text);
		if (err)
			return err;
		memcpy(name, text, strlen(text) + 1);
		if (!good_name(name))
			return speech_yaml_at(&r->yaml,
					      "a name has a-z, 0-9, _ and .");
		if (phrases_row_find(to, name))
			return speech_yaml_at_name(&r->yaml, name,
						   "is there twice");
		err = speech_yaml_next_text(&r->yaml, PHRASES_TEXT_MAX, &text);
		if (err)
			return err;
		if (phrases_slots(text, &used, r->yaml.d)) {
			char why[DIAG_MESSAGE_BYTES];

			memcpy(why, r->yaml.d->message, sizeof(why));
			return speech_yaml_at_name(&r->yaml, name, why);
		}
		if (used && !slots)
			return speech_yaml_at_name(&r->yaml, name,
						   "has no slots");
		phrases_row_add(to, name, text);
	}
}

static int read_phrases(void *ctx)
{
	struct reader *r = ctx;
	return read_rows(r, &r->file->phrases, true);
}

static int read_purposes(void *ctx)
{
	struct reader *r = ctx;
	return read_rows(r, &r->file->purposes, false);
}

static int read_language(void *ctx)
{
	struct reader *r = ctx;

	return speech_yaml_language(&r->yaml, r->file->language);
}

/* For people: what the language calls itself. */
static int read_name(void *ctx)
{
	struct reader *r = ctx;
	const char *text = NULL;
	int err = speech_yaml_next_text(&r->yaml, PHRASES_NATIVE_BYTES - 1,
					&text);

	if (!err)
		memcpy(r->file->native, text, strlen(text) + 1);
	return err;
}

/* Has somebody who grew up with it listened to it all? */
static int read_review(void *ctx)
{
	struct reader *r = ctx;
	const char *text = NULL;
	int err = speech_yaml_next_text(&r->yaml, PHRASES_NAME_MAX, &text);

	if (err)
		return err;
	r->file->reviewed =
		strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
	if (!r->file->reviewed && strcmp(text, "no") != 0 &&
	    strcmp(text, "false") != 0)
		return speech_yaml_at(&r->yaml, "must be yes or no");
	return 0;
}

static int read_countries(void *ctx)
{
	struct reader *r = ctx;
	struct phrases_file *f = r->file;
	const char *text = NULL;
	int err = speech_yaml_expect(&r->yaml, YAML_SEQUENCE_START_EVENT,
				     "expected [a list]");

	for (;;) {
		err = err ? err : speech_yaml_next(&r->yaml);
		if (err || r->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		err = speech_yaml_text(&r->yaml, PHRASES_NAME_MAX, &text);
		if (err)
			return err;
		if (strlen(text) != 2 ||
		    text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
			return speech_yaml_at(&r->yaml,
					      "a country is two capitals");
		if (f->countries_count == PHRASES_COUNTRIES_MAX)
			return speech_yaml_at(&r->yaml, "too many countries");
		for (size_t i = 0; i < f->countries_count; i++)
			if (strcmp(f->countries[i], text) == 0)
				return speech_yaml_at_name(&r->yaml, text,
							   "is there twice");
		memcpy(f->countries[f->countries_count++], text, 3);
	}
}

static int read_digits(void *ctx)
{
	struct reader *r = ctx;
	const char *text = NULL;
	int err = speech_yaml_expect(&r->yaml, YAML_SEQUENCE_START_EVENT,
				     "expected [a list]");

	for (size_t i = 0; i < 10 && !err; i++) {
		err = speech_yaml_next(&r->yaml);
		if (!err && r->yaml.event.type == YAML_SEQUENCE_END_EVENT)
			return speech_yaml_at(&r->yaml, "digits has ten words");
		if (!err)
			err = speech_yaml_text(&r->yaml, PHRASES_WORD_BYTES - 1,
					       &text);
		if (!err)
			memcpy(r->file->digits[i], text, strlen(text) + 1);
	}
	if (err)
		return err;
	return speech_yaml_expect(&r->yaml, YAML_SEQUENCE_END_EVENT,
				  "digits has ten words");
}

static const struct speech_yaml_key keys[] = {
	{"language", read_language, true},
	{"name", read_name, true},
	{"native_review", read_review, true},
	{"countries", read_countries, false},
	{"digits", read_digits, true},
	{"purposes", read_purposes, true},
	{"phrases", read_phrases, true},
};

int phrases_read(struct span yaml, struct phrases_file **out, struct diag *d)
{
	struct reader r = {0};
	int err;

	if (yaml.n > PHRASES_FILE_MAX)
		return diag_set(d, "is too long");
	err = speech_yaml_begin(&r.yaml, yaml, d);
	if (err)
		return err;
	r.file = b_zero(1, sizeof(*r.file));
	err = speech_yaml_document(&r.yaml, keys, COUNT_OF(keys), &r);
	speech_yaml_end(&r.yaml);
	if (err)
		phrases_file_free(r.file);
	else
		*out = r.file;
	return err;
}
