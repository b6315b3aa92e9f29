// SPDX-License-Identifier: Apache-2.0
/*
 * phrases_yaml.c - read one file of scripts, event by event.
 *
 * Translators edit these files, so what is wrong is said with line and column,
 * and what libyaml would quietly accept (a name twice, an alias, a tag) is an
 * error here.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "speech/phrases.h"
#include "speech/phrases_priv.h"

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool have; /* an event that must be deleted */
	struct phrases_file *file;
	unsigned seen; /* top-level keys */
	struct diag *d;
};

/* Where the current event begins; libyaml counts from 0. */
static int at_event(struct reader *r, const char *what)
{
	return diag_at(r->d, (int)r->event.start_mark.line + 1,
		       (int)r->event.start_mark.column + 1, "%s", what);
}

/* The same, about a name. */
static int at_name(struct reader *r, const char *name, const char *what)
{
	return diag_at(r->d, (int)r->event.start_mark.line + 1,
		       (int)r->event.start_mark.column + 1, "%s: %s", name,
		       what);
}

static int next(struct reader *r)
{
	if (r->have)
		yaml_event_delete(&r->event);
	r->have = false;
	if (!yaml_parser_parse(&r->parser, &r->event))
		return diag_at(r->d, (int)r->parser.problem_mark.line + 1,
			       (int)r->parser.problem_mark.column + 1, "%s",
			       r->parser.problem ? r->parser.problem
						 : "not YAML");
	r->have = true;
	return 0;
}

static int expect(struct reader *r, yaml_event_type_t type, const char *what)
{
	int err = next(r);

	if (err)
		return err;
	return r->event.type == type ? 0 : at_event(r, what);
}

/* The scalar that is the current event, as text of at most max bytes. */
static int scalar(struct reader *r, size_t max, const char **out)
{
	const char *text = (const char *)r->event.data.scalar.value;
	size_t n = r->event.data.scalar.length;

	if (r->event.type != YAML_SCALAR_EVENT)
		return at_event(r, "expected a text");
	if (r->event.data.scalar.anchor || r->event.data.scalar.tag)
		return at_event(r, "anchors and tags have no meaning here");
	if (n == 0)
		return at_event(r, "is empty");
	if (n > max)
		return at_event(r, "is too long");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			return at_event(r, "has a control character");
	*out = text;
	return 0;
}

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
	int err = expect(r, YAML_MAPPING_START_EVENT, "expected names");

	for (;;) {
		err = err ? err : next(r);
		if (err || r->event.type == YAML_MAPPING_END_EVENT)
			return err;
		err = scalar(r, PHRASES_NAME_MAX, &text);
		if (err)
			return err;
		memcpy(name, text, strlen(text) + 1);
		if (!good_name(name))
			return at_event(r, "a name has a-z, 0-9, _ and .");
		if (phrases_row_find(to, name))
			return at_name(r, name, "is there twice");
		err = next(r);
		if (!err)
			err = scalar(r, PHRASES_TEXT_MAX, &text);
		if (err)
			return err;
		if (phrases_slots(text, &used, r->d)) {
			char why[DIAG_MESSAGE_BYTES];

			memcpy(why, r->d->message, sizeof(why));
			return at_name(r, name, why);
		}
		if (used && !slots)
			return at_name(r, name, "has no slots");
		phrases_row_add(to, name, text);
	}
}

static int read_phrases(struct reader *r)
{
	return read_rows(r, &r->file->phrases, true);
}

static int read_purposes(struct reader *r)
{
	return read_rows(r, &r->file->purposes, false);
}

static int read_language(struct reader *r)
{
	const char *text = NULL;
	int err = next(r);

	if (!err)
		err = scalar(r, PHRASES_LANGUAGE_BYTES - 1, &text);
	if (err)
		return err;
	if (strlen(text) < 2 || strlen(text) > 3 ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz")])
		return at_event(r, "a language is two or three letters");
	memcpy(r->file->language, text, strlen(text) + 1);
	return 0;
}

/* For people: what the language calls itself. */
static int read_name(struct reader *r)
{
	const char *text = NULL;
	int err = next(r);

	if (!err)
		err = scalar(r, PHRASES_NATIVE_BYTES - 1, &text);
	if (!err)
		memcpy(r->file->native, text, strlen(text) + 1);
	return err;
}

/* Has somebody who grew up with it listened to it all? */
static int read_review(struct reader *r)
{
	const char *text = NULL;
	int err = next(r);

	if (!err)
		err = scalar(r, PHRASES_NAME_MAX, &text);
	if (err)
		return err;
	r->file->reviewed =
		strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
	if (!r->file->reviewed && strcmp(text, "no") != 0 &&
	    strcmp(text, "false") != 0)
		return at_event(r, "must be yes or no");
	return 0;
}

static int read_countries(struct reader *r)
{
	struct phrases_file *f = r->file;
	const char *text = NULL;
	int err = expect(r, YAML_SEQUENCE_START_EVENT, "expected [a list]");

	for (;;) {
		err = err ? err : next(r);
		if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		err = scalar(r, PHRASES_NAME_MAX, &text);
		if (err)
			return err;
		if (strlen(text) != 2 ||
		    text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
			return at_event(r, "a country is two capitals");
		if (f->countries_count == PHRASES_COUNTRIES_MAX)
			return at_event(r, "too many countries");
		for (size_t i = 0; i < f->countries_count; i++)
			if (strcmp(f->countries[i], text) == 0)
				return at_name(r, text, "is there twice");
		memcpy(f->countries[f->countries_count++], text, 3);
	}
}

static int read_digits(struct reader *r)
{
	const char *text = NULL;
	int err = expect(r, YAML_SEQUENCE_START_EVENT, "expected [a list]");

	for (size_t i = 0; i < 10 && !err; i++) {
		err = next(r);
		if (!err && r->event.type == YAML_SEQUENCE_END_EVENT)
			return at_event(r, "digits has ten words");
		if (!err)
			err = scalar(r, PHRASES_WORD_BYTES - 1, &text);
		if (!err)
			memcpy(r->file->digits[i], text, strlen(text) + 1);
	}
	if (err)
		return err;
	return expect(r, YAML_SEQUENCE_END_EVENT, "digits has ten words");
}

static const struct key {
	const char *name;
	int (*read)(struct reader *r);
	bool required;
} keys[] = {
	{"language", read_language, true},
	{"name", read_name, true},
	{"native_review", read_review, true},
	{"countries", read_countries, false},
	{"digits", read_digits, true},
	{"purposes", read_purposes, true},
	{"phrases", read_phrases, true},
};

static int read_key(struct reader *r)
{
	const char *name = "";
	int err = scalar(r, PHRASES_NAME_MAX, &name);

	if (err)
		return err;
	for (unsigned i = 0; i < COUNT_OF(keys); i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (r->seen & 1U << i)
			return at_name(r, name, "is there twice");
		r->seen |= 1U << i;
		return keys[i].read(r);
	}
	return at_name(r, name, "no such key");
}

static int read_document(struct reader *r)
{
	int err = expect(r, YAML_STREAM_START_EVENT, "not YAML");

	if (!err)
		err = expect(r, YAML_DOCUMENT_START_EVENT, "is empty");
	if (!err)
		err = expect(r, YAML_MAPPING_START_EVENT,
			     "expected `key: value`");
	while (!err) {
		err = next(r);
		if (!err && r->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (!err)
			err = read_key(r);
	}
	if (!err)
		err = expect(r, YAML_DOCUMENT_END_EVENT, "expected the end");
	if (!err)
		err = expect(r, YAML_STREAM_END_EVENT, "a second document");
	if (err)
		return err;
	for (unsigned i = 0; i < COUNT_OF(keys); i++)
		if (keys[i].required && !(r->seen & 1U << i))
			return diag_set(r->d, "%s: is missing", keys[i].name);
	return 0;
}

int phrases_read(struct span yaml, struct phrases_file **out, struct diag *d)
{
	struct reader r = {.d = d};
	int err;

	if (yaml.n > PHRASES_FILE_MAX)
		return diag_set(d, "is too long");
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	r.file = b_zero(1, sizeof(*r.file));
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml.p,
				     yaml.n);
	err = read_document(&r);
	if (r.have)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (err)
		phrases_file_free(r.file);
	else
		*out = r.file;
	return err;
}
