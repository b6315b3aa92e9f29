// SPDX-License-Identifier: Apache-2.0
/*
 * line.c - what a document has said: templates, speech, phrases by name.
 *
 * Every template and every line is listed in its flow, wherever it stands, so
 * that the checker and the preparation before the dial need not know which
 * node types can speak.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"

struct flow_template *flow_template_here(const struct flow_at *at,
					 const char *text,
					 enum flow_place place)
{
	struct flow *f = at->flow;
	struct flow_template *t;
	struct diag d = {0};

	if (strnlen(text, FLOW_TEXT_MAX + 1) > FLOW_TEXT_MAX) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_range"),
			  "must be at most %d bytes long", FLOW_TEXT_MAX);
		return NULL;
	}
	t = flow_template_parse(f, text, &d);
	if (!t) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_template"), "%s",
			  d.message);
		return NULL;
	}
	t->place = place;
	t->into = -1;
	t->node = at->node->index;
	memcpy(t->path, at->path, sizeof(t->path));
	f->templates = b_grow(f->templates, f->templates_count + 1,
			      sizeof(struct flow_template *));
	f->templates[f->templates_count++] = t;
	return t;
}

struct flow_template *flow_template_at(const struct flow_at *at,
				       const json_t *o, const char *key,
				       enum flow_place place, bool required)
{
	const char *text = flow_text(at, o, key, FLOW_TEXT_MAX, required);
	struct flow_at here = flow_at_key(at, key);

	return text ? flow_template_here(&here, text, place) : NULL;
}

static struct flow_line *add_line(const struct flow_at *at,
				  enum flow_line_kind kind)
{
	struct flow *f = at->flow;
	struct flow_line *line = flow_keep(f, b_zero(1, sizeof(*line)));

	line->kind = kind;
	line->node = at->node->index;
	memcpy(line->path, at->path, sizeof(line->path));
	f->lines = b_grow(f->lines, f->lines_count + 1,
			  sizeof(struct flow_line *));
	f->lines[f->lines_count++] = line;
	return line;
}

/* The name of a voice; NULL: the language's. */
static const char *read_voice(const struct flow_at *at, const json_t *speech)
{
	const char *voice =
		flow_text(at, speech, "voice", FLOW_NAME_MAX, false);
	const struct flow_world *w = at->world;
	struct utterance *u;
	struct diag d = {0};
	int err;

	if (!voice)
		return NULL;
	u = utterance_new("en");
	err = utterance_voice(u, voice, &d);
	utterance_free(u);
	if (!err && w->check_voice)
		err = w->check_voice(voice, w->ctx, &d);
	if (err)
		flow_find(at, "voice", FLOW_IS_ERROR("unknown_voice"), "%s",
			  d.message);
	return flow_keep_text(at->flow, voice);
}

static void add_templated(const struct flow_at *at, const json_t *o,
			  const char *key, struct flow_script *out)
{
	bool ssml = strcmp(key, "ssml") == 0;
	struct flow_template *t = flow_template_at(
		at, o, key, ssml ? FLOW_PLACE_SSML : FLOW_PLACE_TEXT, true);
	struct flow_line *line;

	if (!t)
		return;
	line = add_line(at, ssml ? FLOW_LINE_SSML : FLOW_LINE_TEXT);
	line->text = t;
	line->voice = read_voice(at, o);
	out->lines[out->count++] = line;
}

static void add_option(const struct flow_at *at, const json_t *name,
		       struct flow_line *line)
{
	if (!json_is_string(name) ||
	    json_string_length(name) > PHRASES_NAME_MAX)
		flow_find(at, NULL, FLOW_IS_ERROR("bad_value"),
			  "must be the name of a phrase");
	else
		line->options[line->options_count++] =
			flow_keep_text(at->flow, json_string_value(name));
}

static void add_phrase(const struct flow_at *at, const json_t *v,
		       const struct flow_phrase_key *key,
		       struct flow_script *out)
{
	struct flow_line *line = add_line(at, FLOW_LINE_PHRASE);

	line->may_have_digits = key->digits;
	line->may_have_code = key->code;
	out->lines[out->count++] = line;
	if (!json_is_array(v)) {
		add_option(at, v, line);
		return;
	}
	if (json_array_size(v) > FLOW_OPTIONS_MAX) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_range"),
			  "must have at most %d elements", FLOW_OPTIONS_MAX);
		return;
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct flow_at option = flow_at_index(at, i);

		add_option(&option, json_array_get(v, i), line);
	}
}

void flow_phrases_at(const struct flow_at *at, const json_t *o,
		     const struct flow_phrase_key *key, struct flow_script *out)
{
	const json_t *v = json_object_get(o, key->key);
	struct flow_at here = flow_at_key(at, key->key);
	AUTO_JSON json_t *otherwise = NULL;

	memset(out, 0, sizeof(*out));
	if (!v && key->otherwise) {
		otherwise = json_string(key->otherwise);
		v = otherwise;
	}
	if (!v)
		return;
	if (!json_is_array(v)) {
		add_phrase(&here, v, key, out);
		return;
	}
	if (json_array_size(v) > FLOW_SCRIPT_MAX) {
		flow_find(&here, NULL, FLOW_IS_ERROR("bad_range"),
			  "must have at most %d elements", FLOW_SCRIPT_MAX);
		return;
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct flow_at element = flow_at_index(&here, i);

		add_phrase(&element, json_array_get(v, i), key, out);
	}
}

static void read_speech(const struct flow_at *at, const json_t *speech,
			struct flow_script *out)
{
	static const struct {
		const char *kind, *member;
	} KINDS[] = {
		{"text", "text"}, {"ssml", "ssml"}, {"recording", "prompt"}};
	const char *kind = flow_text(at, speech, "kind", FLOW_WORD_MAX, true);
	size_t i = 0;

	if (!kind)
		return;
	while (i < COUNT_OF(KINDS) && strcmp(KINDS[i].kind, kind) != 0)
		i++;
	if (i == COUNT_OF(KINDS)) {
		flow_find(at, "kind", FLOW_IS_ERROR("bad_value"),
			  "must be text, ssml or recording");
		return;
	}
	flow_known(at, speech,
		   (const char *const[]){
			   "kind", KINDS[i].member,
			   strcmp(kind, "recording") != 0 ? "voice" : NULL,
			   NULL});
	if (strcmp(kind, "recording") != 0)
		add_templated(at, speech, KINDS[i].member, out);
	else if (json_object_get(speech, "prompt"))
		flow_phrases_at(at, speech,
				&(struct flow_phrase_key){.key = "prompt"},
				out);
	else
		flow_find(at, "prompt", FLOW_IS_ERROR("missing_field"),
			  "\"prompt\" is missing");
}

void flow_speech_at(const struct flow_at *at, const json_t *o, const char *key,
		    bool required, struct flow_script *out)
{
	json_t *speech = flow_object(at, o, key);
	struct flow_at here = flow_at_key(at, key);

	memset(out, 0, sizeof(*out));
	if (speech)
		read_speech(&here, speech, out);
	else if (required && !json_object_get(o, key))
		flow_find(at, key, FLOW_IS_ERROR("missing_field"),
			  "\"%s\" is missing", key);
}
