// SPDX-License-Identifier: Apache-2.0
/*
 * http_body.c - the JSON that an http node sends, and the JSON that it gets.
 *
 * A body is written once as pieces: JSON that stays as it is, and texts with
 * references.  Such a text is filled in first and quoted then, so no value can
 * end the text that it stands in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/http_priv.h"
#include "flow/run_priv.h"

enum {
	SHOWN_MAX = 120, /* bytes of a value in a trace */
	SHOWN_VALUES = 16,
};

struct piece {
	const char *literal;        /* JSON as it is; NULL: */
	struct flow_template *text; /* ... to be filled in and quoted */
};

struct flow_body {
	struct piece *pieces;
	size_t count;
};

/* --- sending ---------------------------------------------------------------------- */

struct writer {
	struct flow *flow;
	struct buf literal; /* since the last template */
	struct piece *pieces;
	size_t count;
};

static struct piece *add_piece(struct writer *w)
{
	w->pieces = b_grow(w->pieces, w->count + 1, sizeof(*w->pieces));
	memset(&w->pieces[w->count], 0, sizeof(*w->pieces));
	return &w->pieces[w->count++];
}

static void flush(struct writer *w)
{
	const char *text;

	if (w->literal.n == 0)
		return;
	text = flow_keep_text(w->flow, w->literal.p);
	add_piece(w)->literal = text;
	w->literal.n = 0; /* its limit is for all of it: see is_too_large() */
}

static void add_text(const struct flow_at *at, const json_t *v,
		     struct writer *w)
{
	struct flow_template *t;

	if (!strstr(json_string_value(v), "{{")) {
		buf_json(&w->literal, span_make(json_string_value(v),
						json_string_length(v)));
		return;
	}
	t = flow_template_here(at, json_string_value(v), FLOW_PLACE_PLAIN);
	if (!t)
		return;
	flush(w);
	add_piece(w)->text = t;
}

static void add_value(const struct flow_at *at, const json_t *v,
		      struct writer *w);

static void add_array(const struct flow_at *at, const json_t *v,
		      struct writer *w)
{
	buf_byte(&w->literal, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct flow_at here = flow_at_index(at, i);

		if (i > 0)
			buf_byte(&w->literal, ',');
		add_value(&here, json_array_get(v, i), w);
	}
	buf_byte(&w->literal, ']');
}

static void add_object(const struct flow_at *at, const json_t *v,
		       struct writer *w)
{
	union {
		const json_t *ours;
		json_t *theirs; /* jansson's iterator does not write either */
	} same = {.ours = v};
	bool first = true;

	buf_byte(&w->literal, '{');
	for (void *i = json_object_iter(same.theirs); i;
	     i = json_object_iter_next(same.theirs, i)) {
		const char *key = json_object_iter_key(i);
		struct flow_at here = flow_at_key(at, key);

		if (!first)
			buf_byte(&w->literal, ',');
		first = false;
		buf_json(&w->literal, span_of(key));
		buf_byte(&w->literal, ':');
		add_value(&here, json_object_iter_value(i), w);
	}
	buf_byte(&w->literal, '}');
}

/* As deep as a document may be: JS_DEPTH_MAX. */
static void add_value(const struct flow_at *at, const json_t *v,
		      struct writer *w)
{
	char *text;

	if (json_is_string(v)) {
		add_text(at, v, w);
	} else if (json_is_array(v)) {
		add_array(at, v, w);
	} else if (json_is_object(v)) {
		add_object(at, v, w);
	} else {
		text = json_dumps(v, JSON_ENCODE_ANY);
		buf_str(&w->literal, text ? text : "null");
		free(text);
	}
}

struct flow_body *flow_body_at(const struct flow_at *at, const json_t *o,
			       const char *key)
{
	const json_t *v = json_object_get(o, key);
	struct flow_at here = flow_at_key(at, key);
	struct writer w = {.flow = at->flow};
	struct flow_body *b;
	size_t fixed = 0;

	if (!v)
		return NULL;
	buf_init(&w.literal, FLOW_BODY_MAX);
	add_value(&here, v, &w);
	flush(&w);
	for (size_t i = 0; i < w.count; i++)
		if (w.pieces[i].literal)
			fixed += strlen(w.pieces[i].literal);
	if (w.literal.err || fixed > FLOW_BODY_MAX)
		flow_find(at, key, FLOW_IS_ERROR("bad_range"),
			  "must be at most %d bytes long", FLOW_BODY_MAX);
	buf_free(&w.literal);
	b = flow_keep(at->flow, b_zero(1, sizeof(*b)));
	b->pieces = w.pieces ? flow_keep(at->flow, w.pieces) : NULL;
	b->count = w.count;
	return b;
}

int flow_body_fill(struct flow_run *run, const struct flow_body *b,
		   struct buf *out)
{
	int err = 0;

	for (size_t i = 0; i < b->count && !err; i++) {
		AUTO_BUF(text, FLOW_BODY_MAX);

		if (b->pieces[i].literal) {
			buf_str(out, b->pieces[i].literal);
			continue;
		}
		err = flow_run_expand(run, b->pieces[i].text, &text);
		if (!err)
			buf_json(out, buf_view(&text));
	}
	return err ? err : out->err;
}

/* --- answers ------------------------------------------------------------------------ */

/* "items.0.name" */
static const json_t *walk(const json_t *v, const char *path)
{
	char key[FLOW_SLOT_NAME_MAX + 1];

	while (v && *path) {
		size_t n = strcspn(path, ".");
		uint64_t index;

		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		path += n + (path[n] == '.');
		if (!json_is_array(v))
			v = json_object_get(v, key);
		else if (span_uint(span_of(key), UINT32_MAX, &index) == 0)
			v = json_array_get(v, (size_t)index);
		else
			v = NULL;
	}
	return v;
}

/* False: it is not one value, or too long for one. */
static bool text_of(const json_t *v, struct buf *out)
{
	buf_add(out, "", 0);
	if (json_is_boolean(v))
		buf_str(out, json_is_true(v) ? "true" : "false");
	else if (!v || !flow_json_text(v, out))
		return false;
	return !out->err;
}

/* In a trace a long value ends where a character ends. */
static void show(struct flow_run *run, const char *key, struct buf *text)
{
	size_t n = text->n;

	if (n > SHOWN_MAX) {
		n = SHOWN_MAX;
		while (n > 0 && ((unsigned char)text->p[n] & 0xc0) == 0x80)
			n--;
		text->p[n] = '\0';
	}
	flow_run_out(run, key, text->p, FLOW_SHOW_TEXT);
}

static void take(struct flow_run *run, const json_t *answer)
{
	const struct flow_driver *d = flow_run_driver(run);
	size_t shown = 0;
	const char *path;

	for (size_t i = 0; (path = flow_run_open(run, i)) != NULL; i++) {
		AUTO_BUF(text, FLOW_VALUE_MAX);
		const json_t *v = walk(answer, path + strlen(d->open));
		bool set = text_of(v, &text);

		flow_run_give_open(run, i, set ? text.p : NULL);
		if (set && shown++ < SHOWN_VALUES)
			show(run, path, &text);
	}
}

void flow_body_forget(struct flow_run *run)
{
	take(run, NULL);
}

void flow_body_read(struct flow_run *run, struct span answer)
{
	AUTO_JSON json_t *v = NULL;
	struct diag d = {0};

	if (answer.n > FLOW_ANSWER_MAX)
		flow_run_out(run, "body", "too large", FLOW_SHOW_TEXT);
	else if (answer.n > 0 && js_parse(answer, &v, &d))
		flow_run_out(run, "body", "not JSON", FLOW_SHOW_TEXT);
	take(run, v);
}
