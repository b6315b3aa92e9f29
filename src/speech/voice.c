// SPDX-License-Identifier: Apache-2.0
/*
 * voice.c - voices by name: which kind one is, what language it is made for,
 * and what speaks where nothing was chosen.
 *
 * How each kind speaks is in the file of the kind: program.c, polly.c,
 * recordings.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "speech/voice_priv.h"

static const struct voice_engine *const engines[] = {
	&voice_flite,
	&voice_espeak,
	&voice_polly,
	&voice_recordings,
};

/* NULL: there is no such kind. */
static const struct voice_engine *engine_of(const char *spec, const char **name)
{
	for (size_t i = 0; i < COUNT_OF(engines); i++) {
		size_t n = strlen(engines[i]->prefix);

		if (strncmp(spec, engines[i]->prefix, n) == 0) {
			*name = spec + n;
			return engines[i];
		}
	}
	return NULL;
}

int voice_check(const char *spec, bool ours, struct diag *d)
{
	const char *name = "";
	const struct voice_engine *e = engine_of(spec, &name);

	if (strlen(spec) >= SPEECH_VOICE_BYTES)
		return diag_set(d, "the name of a voice has at most %d bytes",
				SPEECH_VOICE_BYTES - 1);
	if (!e)
		return diag_set(d,
				"%s: a voice is flite:NAME, espeak-ng:NAME, "
				"Polly.NAME or recordings:FOLDER",
				spec);
	if (!ours && strchr(name, '/'))
		return diag_set(d, "%s: only the settings may name a path",
				spec);
	return e->check(spec, name, d);
}

void voice_escape(struct buf *to, char c)
{
	if (c == '<')
		buf_str(to, "&lt;");
	else if (c == '>')
		buf_str(to, "&gt;");
	else if (c == '&')
		buf_str(to, "&amp;");
	else
		buf_byte(to, (unsigned char)c);
}

void voice_language(const char *spec, const char *wanted,
		    char out[SPEECH_LANGUAGE_BYTES])
{
	const char *name;
	const struct voice_engine *e = engine_of(spec, &name);

	(void)snprintf(out, SPEECH_LANGUAGE_BYTES, "%s", wanted);
	if (e && e->language)
		e->language(name, wanted, out);
}

/* --- which one ---------------------------------------------------------------- */

static const char *chosen(const struct speech_params *params,
			  const char *language)
{
	const struct speech_choice *c = params->choices;

	while (c && c->language && strcmp(c->language, language) != 0)
		c++;
	return c && c->language ? c->voice : NULL;
}

/*
 * What espeak-ng calls a language, where that is not its code.  Its voice `cmn`
 * of version 1.51 reads Mandarin as English letters and numbers; the one that
 * takes Latin letters for pinyin reads the characters as they are read.
 */
static void espeak_choice(const char *language, char out[SPEECH_VOICE_BYTES])
{
	static const char *const names[][2] = {{"pt", "pt-br"},
					       {"zh", "cmn-latn-pinyin"}};
	const char *name = language;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(names[i][0], language) == 0)
			name = names[i][1];
	(void)snprintf(out, SPEECH_VOICE_BYTES, "espeak-ng:%s", name);
}

void voice_choice(const struct speech_params *params, const char *language,
		  char out[SPEECH_VOICE_BYTES])
{
	const char *spec = chosen(params, language);

	if (spec)
		(void)snprintf(out, SPEECH_VOICE_BYTES, "%s", spec);
	else
		espeak_choice(language, out);
}

void voice_local(const struct speech_params *params, const char *language,
		 char out[SPEECH_VOICE_BYTES])
{
	const char *spec = chosen(params, language), *name;
	const struct voice_engine *e = spec ? engine_of(spec, &name) : NULL;

	if (e && !e->remote)
		(void)snprintf(out, SPEECH_VOICE_BYTES, "%s", spec);
	else if (strcmp(language, "en") == 0)
		(void)snprintf(out, SPEECH_VOICE_BYTES, "flite:rms");
	else
		espeak_choice(language, out);
}

/* --- having one ---------------------------------------------------------------- */

int voice_open(const struct speech_params *params, const char *spec,
	       const char *language, struct voice *out, struct diag *d)
{
	int err = voice_check(spec, true, d);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	(void)snprintf(out->spec, sizeof(out->spec), "%s", spec);
	(void)snprintf(out->id, sizeof(out->id), "%s", spec);
	out->engine = engine_of(out->spec, &out->name);
	assert(out->engine); /* voice_check() found it */
	return out->engine->open(out, params, language, d);
}

void voice_close(struct voice *v)
{
	if (v->engine && v->engine->close)
		v->engine->close(v);
	memset(v, 0, sizeof(*v));
}

int voice_say(const struct voice *v, const struct voice_ask *ask,
	      const struct voice_limits *limits, struct pcm *out,
	      struct diag *d)
{
	return v->engine->say(v, ask, limits, out, d);
}
