// SPDX-License-Identifier: Apache-2.0
/*
 * check_speech.c - can it be said, and is it short enough?
 *
 * A text with references is judged with samples in their places: the one that
 * the document gives a parameter, else one that is typical of the value.
 */
#include <errno.h>
#include <string.h>

#include "flow/flow_priv.h"

enum { FILLED_MAX = 4 * FLOW_TEXT_MAX };

static const char *sample(const void *ctx, int slot)
{
	const struct flow *f = ctx;

	return slot < 0 ? "" : f->slots[slot].sample;
}

static unsigned count_characters(const struct buf *text)
{
	unsigned n = 0;

	for (size_t i = 0; i < text->n; i++)
		n += ((unsigned char)text->p[i] & 0xc0) != 0x80;
	return n;
}

static void judge_length(const struct flow_at *at, unsigned n)
{
	if (n > FLOW_TTS_MAX)
		flow_find(at, NULL, FLOW_IS_ERROR("tts_too_long"),
			  "%u characters to speak; at most %d", n,
			  FLOW_TTS_MAX);
	else if (n > FLOW_TTS_LONG)
		flow_find(at, NULL, FLOW_IS_WARNING("tts_long"),
			  "%u characters to speak: people stop listening", n);
}

static void check_text(const struct flow_at *at, const struct flow_line *line)
{
	const struct flow *f = at->flow;
	struct flow_expand how = {sample, f};
	AUTO_BUF(text, FILLED_MAX);
	struct diag d = {0};
	unsigned n;
	int err;

	if (line->text->bad)
		return;
	err = flow_template_expand(f, line->text, &how, &text);
	if (err == -ENODATA) {
		flow_find(at, NULL, FLOW_IS_ERROR("secret_leak"),
			  "a secret must be digits to be spoken; its sample is "
			  "not");
		return;
	}
	if (err) {
		flow_find(at, NULL, FLOW_IS_ERROR("tts_too_long"),
			  "too long with its samples filled in");
		return;
	}
	n = count_characters(&text);
	if (line->kind == FLOW_LINE_SSML &&
	    speech_check_ssml(buf_view(&text), &n, &d)) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_ssml"),
			  "line %d, column %d: %.200s", d.line, d.column,
			  d.message);
		return;
	}
	judge_length(at, n);
	if (n <= FLOW_TTS_MAX && text.n > SPEECH_TEXT_MAX)
		flow_find(at, NULL, FLOW_IS_ERROR("tts_too_long"),
			  "%zu bytes; at most %d", text.n, SPEECH_TEXT_MAX);
}

static void check_phrase(const struct flow_at *at, const struct flow_line *line,
			 const char *name)
{
	const char *text = phrases_find(at->world->phrases, "en", name);

	if (!text) {
		flow_find(at, NULL, FLOW_IS_ERROR("unknown_prompt"),
			  "there is no phrase \"%s\"", name);
		return;
	}
	if (strstr(text, "{code}") && !line->may_have_code)
		flow_find(at, NULL, FLOW_IS_ERROR("secret_leak"),
			  "\"%s\" says the code, which speak-code does alone",
			  name);
	if (strstr(text, "{digits}") && !line->may_have_digits)
		flow_find(at, NULL, FLOW_IS_ERROR("bad_value"),
			  "\"%s\" belongs to a human-check", name);
}

void flow_check_speech(const struct flow_at *root)
{
	const struct flow *f = root->flow;

	for (size_t i = 0; i < f->lines_count; i++) {
		const struct flow_line *line = f->lines[i];
		struct flow_at at = *root;

		at.node = &f->nodes[line->node];
		memcpy(at.path, line->path, sizeof(at.path));
		if (line->kind == FLOW_LINE_PHRASE) {
			for (size_t k = 0; k < line->options_count; k++)
				if (root->world->phrases)
					check_phrase(&at, line,
						     line->options[k]);
			continue;
		}
		memcpy(at.path, line->text->path, sizeof(at.path));
		check_text(&at, line);
	}
}
