// SPDX-License-Identifier: Apache-2.0
/*
 * yaml.c - see yaml_priv.h.
 */
#include "speech/yaml_priv.h"

#include <errno.h>
#include <string.h>

enum { KEY_MAX = 48 };

int speech_yaml_begin(struct speech_yaml *y, struct span text, struct diag *d)
{
	memset(y, 0, sizeof(*y));
	y->d = d;
	if (!yaml_parser_initialize(&y->parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y->parser, (const unsigned char *)text.p,
				     text.n);
	return 0;
}

void speech_yaml_end(struct speech_yaml *y)
{
	if (y->have)
		yaml_event_delete(&y->event);
	yaml_parser_delete(&y->parser);
}

/* Where the current event begins; libyaml counts from 0. */
int speech_yaml_at(struct speech_yaml *y, const char *what)
{
	return diag_at(y->d, (int)y->event.start_mark.line + 1,
		       (int)y->event.start_mark.column + 1, "%s", what);
}

int speech_yaml_at_name(struct speech_yaml *y, const char *name,
			const char *what)
{
	return diag_at(y->d, (int)y->event.start_mark.line + 1,
		       (int)y->event.start_mark.column + 1, "%s: %s", name,
		       what);
}

int speech_yaml_next(struct speech_yaml *y)
{
	if (y->have)
		yaml_event_delete(&y->event);
	y->have = false;
	if (!yaml_parser_parse(&y->parser, &y->event))
		return diag_at(y->d, (int)y->parser.problem_mark.line + 1,
			       (int)y->parser.problem_mark.column + 1, "%s",
			       y->parser.problem ? y->parser.problem
						 : "not YAML");
	y->have = true;
	return 0;
}

int speech_yaml_expect(struct speech_yaml *y, yaml_event_type_t type,
		       const char *what)
{
	int err = speech_yaml_next(y);

	if (err)
		return err;
	return y->event.type == type ? 0 : speech_yaml_at(y, what);
}

int speech_yaml_text(struct speech_yaml *y, size_t max, const char **out)
{
	const char *text = (const char *)y->event.data.scalar.value;
	size_t n = y->event.data.scalar.length;

	if (y->event.type != YAML_SCALAR_EVENT)
		return speech_yaml_at(y, "expected a text");
	if (y->event.data.scalar.anchor || y->event.data.scalar.tag)
		return speech_yaml_at(y,
				      "anchors and tags have no meaning here");
	if (n == 0)
		return speech_yaml_at(y, "is empty");
	if (n > max)
		return speech_yaml_at(y, "is too long");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			return speech_yaml_at(y, "has a control character");
	*out = text;
	return 0;
}

int speech_yaml_next_text(struct speech_yaml *y, size_t max, const char **out)
{
	int err = speech_yaml_next(y);

	return err ? err : speech_yaml_text(y, max, out);
}

int speech_yaml_language(struct speech_yaml *y,
			 char out[SPEECH_YAML_LANGUAGE_BYTES])
{
	const char *text = NULL;
	int err = speech_yaml_next_text(y, KEY_MAX, &text);
	size_t n = err ? 0 : strlen(text);

	if (err)
		return err;
	if (n < 2 || n >= SPEECH_YAML_LANGUAGE_BYTES ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz")])
		return speech_yaml_at(y, "a language is two or three letters");
	memcpy(out, text, n + 1);
	return 0;
}

static int read_key(struct speech_yaml *y, const struct speech_yaml_key *keys,
		    size_t n, unsigned *seen, void *ctx)
{
	const char *name = "";
	int err = speech_yaml_text(y, KEY_MAX, &name);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (*seen & 1U << i)
			return speech_yaml_at_name(y, name, "is there twice");
		*seen |= 1U << i;
		return keys[i].read(ctx);
	}
	return speech_yaml_at_name(y, name, "no such key");
}

static int read_mapping(struct speech_yaml *y,
			const struct speech_yaml_key *keys, size_t n,
			unsigned *seen, void *ctx)
{
	int err = speech_yaml_expect(y, YAML_MAPPING_START_EVENT,
				     "expected `key: value`");

	while (!err) {
		err = speech_yaml_next(y);
		if (!err && y->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (!err)
			err = read_key(y, keys, n, seen, ctx);
	}
	return err;
}

int speech_yaml_document(struct speech_yaml *y,
			 const struct speech_yaml_key *keys, size_t n,
			 void *ctx)
{
	unsigned seen = 0;
	int err = speech_yaml_expect(y, YAML_STREAM_START_EVENT, "not YAML");

	if (!err)
		err = speech_yaml_expect(y, YAML_DOCUMENT_START_EVENT,
					 "is empty");
	if (!err)
		err = read_mapping(y, keys, n, &seen, ctx);
	if (!err)
		err = speech_yaml_expect(y, YAML_DOCUMENT_END_EVENT,
					 "expected the end");
	if (!err)
		err = speech_yaml_expect(y, YAML_STREAM_END_EVENT,
					 "a second document");
	for (size_t i = 0; i < n && !err; i++)
		if (keys[i].required && !(seen & 1U << i))
			err = diag_set(y->d, "%s: is missing", keys[i].name);
	return err;
}
