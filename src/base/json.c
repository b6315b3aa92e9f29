// SPDX-License-Identifier: Apache-2.0
/*
 * json.c - jansson, strictly: limits before parsing, one clear error after.
 *
 * Depth and encoding are judged in one flat pass, because jansson descends by
 * recursion and only then could be told that it should not have.
 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Where we are in the text, as an editor counts it. */
struct place {
	int line, column;
};

static void step(struct place *at, char c)
{
	if (c == '\n') {
		at->line++;
		at->column = 0;
	} else if (((unsigned char)c & 0xc0) != 0x80) {
		at->column++; /* characters, as jansson does, not bytes */
	}
}

static int too_deep(struct span text, struct diag *d)
{
	struct place at = {.line = 1};
	bool quoted = false, escaped = false;
	int depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		step(&at, c);
		if (escaped) {
			escaped = false;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (quoted) {
			escaped = c == '\\';
		} else if (c == '[' || c == '{') {
			if (++depth > JS_DEPTH_MAX)
				return diag_at(d, at.line, at.column,
					       "nested more than %d deep",
					       JS_DEPTH_MAX);
		} else if (c == ']' || c == '}') {
			depth--;
		}
	}
	return 0;
}

/* The longest well-formed front ends before the byte to blame. */
static int bad_utf8(struct span text, struct diag *d)
{
	struct place at = {.line = 1};
	size_t good = 0, n = 1;

	while (good < text.n) {
		size_t left = text.n - good;

		for (n = 1; n <= 4 && n <= left; n++)
			if (span_utf8(span_make(text.p + good, n)))
				break;
		if (n > 4 || n > left)
			break;
		step(&at, text.p[good]);
		good += n;
	}
	return diag_at(d, at.line, at.column + 1, "not well-formed UTF-8");
}

int js_parse(struct span text, json_t **out, struct diag *d)
{
	json_error_t error;
	json_t *o;
	int err;

	if (!span_utf8(text))
		return bad_utf8(text, d);
	err = too_deep(text, d);
	if (err)
		return err;
	o = json_loadb(text.n ? text.p : "", text.n,
		       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!o)
		return diag_at(d, error.line > 0 ? error.line : 1,
			       error.column > 0 ? error.column : 1, "%s",
			       error.text);
	*out = o;
	return 0;
}

int js_get_text(const json_t *o, const char *key, size_t max, const char **out,
		struct diag *d)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return 0;
	if (!json_is_string(v))
		return diag_field(d, key, "must be text");
	if (json_string_length(v) > max)
		return diag_field(d, key, "must be at most %zu bytes long",
				  max);
	*out = json_string_value(v);
	return 0;
}

int js_get_int(const json_t *o, const char *key, int64_t min, int64_t max,
	       int64_t *out, struct diag *d)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return 0;
	if (!json_is_integer(v))
		return diag_field(d, key, "must be a whole number");
	if (json_integer_value(v) < min || json_integer_value(v) > max)
		return diag_field(d, key,
				  "must be from %" PRId64 " to %" PRId64, min,
				  max);
	*out = json_integer_value(v);
	return 0;
}

int js_get_bool(const json_t *o, const char *key, bool *out, struct diag *d)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return diag_field(d, key, "must be true or false");
	*out = json_is_true(v);
	return 0;
}

int js_get_object(const json_t *o, const char *key, json_t **out,
		  struct diag *d)
{
	json_t *v = json_object_get(o, key);

	if (!v)
		return 0;
	if (!json_is_object(v))
		return diag_field(d, key, "must be an object");
	*out = v;
	return 0;
}

int js_get_array(const json_t *o, const char *key, json_t **out, struct diag *d)
{
	json_t *v = json_object_get(o, key);

	if (!v)
		return 0;
	if (!json_is_array(v))
		return diag_field(d, key, "must be an array");
	*out = v;
	return 0;
}

static bool listed(const char *key, const char *const known[])
{
	for (; *known; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

const char *js_unknown(const json_t *o, const char *const known[])
{
	union {
		const json_t *ours;
		json_t *theirs; /* jansson's iterator does not write either */
	} same = {.ours = o};

	for (void *at = json_object_iter(same.theirs); at;
	     at = json_object_iter_next(same.theirs, at)) {
		const char *key = json_object_iter_key(at);

		if (!listed(key, known))
			return key;
	}
	return NULL;
}

char *js_text(const json_t *o)
{
	char *text =
		json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	if (!text)
		abort(); /* out of memory: js values always have a text */
	return text;
}
