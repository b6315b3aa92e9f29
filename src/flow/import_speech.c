// SPDX-License-Identifier: Apache-2.0
/*
 * flow_import_speech.c - what they say, as we say it.
 *
 * Their root element is <Speak voice="Polly.Amy" language="en-GB">, ours is
 * <speak>, and the voice stands beside it.  Elements that no voice here knows
 * are taken away and their text is kept.  A secret that stands in the open is
 * put where alone it may stand: within a say-as that spells it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/import_priv.h"

enum { TAG_MAX = 1000, SPEECH_MAX = 4 * FLOW_TEXT_MAX };

static const char SPELL[] = "<say-as interpret-as=\"digits\">";

struct spoken {
	struct flow_importing *im;
	struct buf out;
	char voice[FLOW_WORD_MAX], language[FLOW_WORD_MAX];
	unsigned spelling; /* say-as elements that are open */
	bool marked_up;    /* there is any markup */
};

/* --- attributes --------------------------------------------------------------------- */

/* name="value" in a tag; false: it has none of the name. */
static bool attribute(struct span tag, const char *name,
		      char out[FLOW_WORD_MAX])
{
	size_t n = strlen(name);

	for (size_t i = 1; i + n + 2 < tag.n; i++) {
		const char *at = tag.p + i, *end;

		if (!isspace((unsigned char)at[-1]) ||
		    strncasecmp(at, name, n) != 0 || at[n] != '=' ||
		    !strchr("\"'", at[n + 1]))
			continue;
		at += n + 1;
		end = memchr(at + 1, *at, tag.n - (size_t)(at + 1 - tag.p));
		if (!end)
			return false;
		(void)snprintf(out, FLOW_WORD_MAX, "%.*s", (int)(end - at - 1),
			       at + 1);
		return true;
	}
	return false;
}

/* --- elements ------------------------------------------------------------------------- */

static bool is_one_of(struct span name, const char *const *list)
{
	for (; *list; list++)
		if (name.n == strlen(*list) &&
		    strncasecmp(name.p, *list, name.n) == 0)
			return true;
	return false;
}

static void add_lower(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_byte(out, (unsigned)tolower((unsigned char)text.p[i]));
}

static void root(struct spoken *s, struct span tag, bool closes)
{
	if (closes)
		return; /* ours is written around the whole */
	(void)attribute(tag, "voice", s->voice);
	(void)attribute(tag, "language", s->language);
}

/* `tag` is without < and >. */
static void element(struct spoken *s, struct span tag)
{
	static const char *const ROOT[] = {"speak", NULL};
	static const char *const KNOWN[] = {"p",       "s",   "break",
					    "prosody", "sub", "emphasis",
					    "say-as",  NULL};
	bool closes = tag.n > 0 && *tag.p == '/';
	struct span name = span_make(tag.p + closes, tag.n - closes);
	size_t n = 0;

	while (n < name.n && !isspace((unsigned char)name.p[n]) &&
	       name.p[n] != '/')
		n++;
	name.n = n;
	s->marked_up = true;
	if (is_one_of(name, ROOT)) {
		root(s, tag, closes);
		return;
	}
	if (!is_one_of(name, KNOWN)) {
		if (!closes)
			flow_import_note(s->im, "dropped", "config",
					 "the element <%.*s>: its text is said",
					 (int)(name.n < 40 ? name.n : 40),
					 name.p);
		return;
	}
	if (name.n == strlen("say-as"))
		s->spelling += closes ? -1U : 1;
	buf_str(&s->out, closes ? "</" : "<");
	add_lower(&s->out, name);
	buf_add(&s->out, name.p + name.n,
		tag.n - (size_t)(name.p + name.n - tag.p));
	buf_byte(&s->out, '>');
}

/* A reference, as it stands with its braces. */
static void reference(struct spoken *s, struct span text)
{
	struct span inner = span_make(text.p + 2, text.n - 4);
	char *copy = b_strndup(text.p, text.n);
	char *ours = flow_import_references(s->im, copy);
	bool wrap = s->spelling == 0 && flow_import_is_secret(s->im, inner);

	if (wrap) {
		s->marked_up = true;
		flow_import_note(s->im, "mapped", "config",
				 "a secret is spoken digit by digit");
	}
	buf_str(&s->out, wrap ? SPELL : "");
	buf_str(&s->out, ours);
	buf_str(&s->out, wrap ? "</say-as>" : "");
	free(ours);
	free(copy);
}

static void read_all(struct spoken *s, const char *text)
{
	bool closes = true; /* a reference may; in vain is looked once */

	while (*text) {
		const char *end = NULL;

		if (strncmp(text, "{{", 2) == 0 && closes) {
			end = strstr(text, "}}");
			closes = end != NULL;
		} else if (*text == '<') {
			end = memchr(text, '>', strnlen(text, TAG_MAX));
		}
		if (!end) {
			buf_byte(&s->out, (unsigned char)*text++);
		} else if (*text == '<') {
			element(s,
				span_make(text + 1, (size_t)(end - text) - 1));
			text = end + 1;
		} else {
			reference(s, span_make(text, (size_t)(end - text) + 2));
			text = end + 2;
		}
	}
}

/* Their text box takes "A & B" as it is. */
static char *with_entities(const char *text)
{
	AUTO_BUF(out, SPEECH_MAX);

	buf_add(&out, "", 0);
	for (; *text; text++) {
		size_t n = 1;

		buf_byte(&out, (unsigned char)*text);
		if (*text != '&')
			continue;
		while (isalnum((unsigned char)text[n]) || text[n] == '#')
			n++;
		if (text[n] != ';' || n == 1)
			buf_str(&out, "amp;");
	}
	return buf_take(&out);
}

/* --- voices ---------------------------------------------------------------------------- */

static void put_voice(struct flow_importing *im, const char *voice,
		      json_t *speech)
{
	if (!*voice)
		return;
	if (strncasecmp(voice, "Polly.", 6) != 0) {
		flow_import_note(
			im, "dropped", "config",
			"the voice \"%.40s\": the language's own speaks",
			voice);
		return;
	}
	json_object_set_new(speech, "voice", json_string(voice));
	flow_import_note(im, "mapped", "config", "the voice is %.40s", voice);
}

/* A document here has one language: the first that is met. */
static void put_language(struct flow_importing *im, const char *language)
{
	const char *is =
		json_string_value(json_object_get(im->document, "language"));

	if (!*language)
		return;
	if (!is)
		json_object_set_new(im->document, "language",
				    json_string(language));
	else if (strcasecmp(is, language) != 0)
		flow_import_note(im, "dropped", "config",
				 "the language %.20s: a flow has one, %.20s",
				 language, is);
}

/* --- prompts ------------------------------------------------------------------------------ */

static const char *or_else(const char *first, const char *second)
{
	return *first ? first : second;
}

static json_t *speech_of(struct spoken *s)
{
	AUTO_BUF(text, SPEECH_MAX);
	json_t *speech = json_object();

	if (s->marked_up) {
		buf_printf(&text, "<speak>%s</speak>", s->out.p);
		json_object_set_new(speech, "kind", json_string("ssml"));
		json_object_set_new(speech, "ssml", json_string(text.p));
	} else {
		json_object_set_new(speech, "kind", json_string("text"));
		json_object_set_new(speech, "text", json_string(s->out.p));
	}
	return speech;
}

json_t *flow_import_speech(struct flow_importing *im, const json_t *config)
{
	const json_t *inner =
		flow_import_get(config, "prompt|speak|speak_text");
	const json_t *from = json_is_object(inner) ? inner : config;
	const char *text =
		or_else(json_is_string(inner) ? json_string_value(inner) : "",
			flow_import_text(from, "text|ssml|speak_text|speak"));
	struct spoken s = {.im = im};
	char *entities;
	json_t *speech;

	if (!*text) {
		if (flow_import_get(from, "url|audio_url"))
			flow_import_note(
				im, "dropped", "config",
				"a sound file cannot be played: write what "
				"it says");
		return NULL;
	}
	(void)snprintf(s.voice, sizeof(s.voice), "%s",
		       flow_import_text(from, "voice"));
	(void)snprintf(s.language, sizeof(s.language), "%s",
		       flow_import_text(from, "language"));
	buf_init(&s.out, SPEECH_MAX);
	buf_add(&s.out, "", 0);
	read_all(&s, text);
	if (s.marked_up && strchr(s.out.p, '&')) {
		entities = with_entities(s.out.p);
		buf_reset(&s.out);
		buf_str(&s.out, entities);
		free(entities);
	}
	if (s.out.err) {
		flow_import_note(im, "dropped", "config",
				 "what it says is too long");
		buf_free(&s.out);
		return NULL;
	}
	speech = speech_of(&s);
	put_voice(im, s.voice, speech);
	put_language(im, s.language);
	buf_free(&s.out);
	return speech;
}
