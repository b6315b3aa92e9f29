// SPDX-License-Identifier: Apache-2.0
/*
 * polly.c - Amazon Polly as a voice: SynthesizeSpeech, sound as the telephone
 * has it, one text a request.
 *
 * What is said by it goes to Amazon, and so do names and amounts; digits of a
 * call never do (B7).  What Amazon complains of is passed on in one sentence,
 * without what it quotes: a refused signature comes back with all that was
 * signed, the session's token among it.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "speech/polly_priv.h"

enum {
	TRIES = 3,
	FIRST_WAIT_MS = 250, /* behind a try; then twice that */
	NAME_MAX_BYTES = 32,
	SAID_MAX = 200, /* bytes of Amazon's own words */
	SSML_MAX = 8 * SPEECH_TEXT_MAX,
	STATUS_OK = 200,
	STATUS_BUSY = 429,
	STATUS_FAULT = 500,
};

/* --- names -------------------------------------------------------------------- */

/* "Joanna-Neural": the engine may be named behind the voice. */
static const struct {
	const char *suffix, *engine;
} engines[] = {
	{"Standard", "standard"},
	{"Neural", "neural"},
};

static const char *engine_named(const char *name)
{
	const char *dash = strchr(name, '-');

	for (size_t i = 0; dash && i < COUNT_OF(engines); i++)
		if (strcmp(dash + 1, engines[i].suffix) == 0)
			return engines[i].engine;
	return NULL;
}

static int check(const char *spec, const char *name, struct diag *d)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (n == 0 || n > NAME_MAX_BYTES ||
	    (name[n] && (name[n] != '-' || !engine_named(name))))
		return diag_set(d,
				"%s: a voice of Amazon is Polly.NAME, "
				"Polly.NAME-Standard or Polly.NAME-Neural",
				spec);
	return 0;
}

static void language(const char *name, const char *wanted,
		     char out[SPEECH_LANGUAGE_BYTES])
{
	const char *code = speech_polly_code(name, strcspn(name, "-"), wanted);

	if (!code)
		return;
	speech_language_name(code, out);
	if (strcmp(out, "arb") == 0)
		memcpy(out, "ar", sizeof("ar"));
	else if (strcmp(out, "cmn") == 0)
		memcpy(out, "zh", sizeof("zh"));
}

static const char *engine_of(const struct voice *v)
{
	const char *named = engine_named(v->name);

	if (named)
		return named;
	return v->polly->engine ? v->polly->engine : "standard";
}

static int open_voice(struct voice *v, const struct speech_params *params,
		      const char *wanted, struct diag *d)
{
	v->polly = params->polly;
	if (!v->polly) {
		(void)diag_set(d,
			       "%s: there are no credentials of Amazon's; a "
			       "voice of this machine speaks in its place",
			       v->spec);
		return -ENOKEY;
	}
	v->code = speech_polly_code(v->name, strcspn(v->name, "-"), wanted);
	(void)snprintf(v->id, sizeof(v->id), "%s %s", v->spec, engine_of(v));
	v->line = speech_polly_line_new();
	return 0;
}

static void close_voice(struct voice *v)
{
	speech_polly_line_free(v->line);
}

/* --- what is asked ------------------------------------------------------------ */

/* Loudness is ours, in sound.c; a neural voice has no pitch. */
static bool in_ssml(const struct voice *v, const struct voice_ask *ask,
		    struct buf *to)
{
	bool pitch = ask->style.pitch && strcmp(engine_of(v), "standard") == 0;

	if (!ask->style.rate && !pitch)
		return false;
	buf_str(to, "<speak><prosody");
	if (ask->style.rate)
		buf_printf(to, " rate=\"%d%%\"", 100 + ask->style.rate);
	if (pitch)
		buf_printf(to, " pitch=\"%+d%%\"", ask->style.pitch);
	buf_byte(to, '>');
	for (const char *c = ask->text; *c; c++)
		voice_escape(to, *c);
	buf_str(to, "</prosody></speak>");
	return true;
}

static void put(json_t *o, const char *key, const char *text)
{
	(void)json_object_set_new(o, key, json_string(text));
}

/* free() it, wiped. */
static char *request(const struct voice *v, const struct voice_ask *ask)
{
	AUTO_JSON json_t *o = json_object();
	struct buf ssml = {.max = SSML_MAX};
	bool marked = in_ssml(v, ask, &ssml);
	char name[NAME_MAX_BYTES + 1];

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(v->name, "-"),
		       v->name);
	put(o, "OutputFormat", "pcm");
	put(o, "SampleRate", "8000");
	put(o, "VoiceId", name);
	put(o, "Engine", engine_of(v));
	if (v->code)
		put(o, "LanguageCode", v->code);
	put(o, "TextType", marked ? "ssml" : "text");
	put(o, "Text", marked ? ssml.p : ask->text);
	if (ssml.p)
		crypto_wipe(ssml.p, ssml.n);
	buf_free(&ssml);
	return js_text(o);
}

/* --- what is answered --------------------------------------------------------- */

static bool throttled(const struct speech_polly_answer *a)
{
	return a->status == STATUS_BUSY || strstr(a->error, "Throttl") ||
	       strstr(a->error, "TooManyRequests");
}

/* Its first line, without what was said and without what opens the account: not
 * even the beginning of that, where it would be cut. */
static void said(const struct voice *v, const struct voice_ask *ask,
		 const char *message, char out[SAID_MAX])
{
	const char *const secrets[] = {v->polly->key_id, v->polly->secret,
				       v->polly->token, ask->text};
	size_t line = strcspn(message, "\n"), n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(secrets); i++)
		if (secrets[i] && *secrets[i] &&
		    memmem(message, line, secrets[i], strlen(secrets[i])))
			return;
	while (n < line && n + 1 < SAID_MAX) {
		char c = message[n];

		if ((unsigned char)c < ' ' || c == 127)
			c = ' ';
		out[n++] = c;
	}
	while (n > 0 && (out[n - 1] == '.' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
}

static int complain(const struct voice *v, const struct voice_ask *ask,
		    const struct speech_polly_answer *a, struct diag *d)
{
	AUTO_JSON json_t *o = NULL;
	const char *message = NULL;
	char words[SAID_MAX] = "";

	if (js_parse(buf_view(&a->body), &o, NULL) == 0) {
		message = json_string_value(json_object_get(o, "message"));
		if (!message)
			message = json_string_value(
				json_object_get(o, "Message"));
	}
	if (message)
		said(v, ask, message, words);
	(void)diag_set(d, "%s: Amazon answered %ld%s%s%s%s", v->spec, a->status,
		       *a->error ? " " : "", a->error, *words ? ": " : "",
		       words);
	return -EIO;
}

static int read_sound(const struct voice *v,
		      const struct speech_polly_answer *a, struct pcm *out,
		      struct diag *d)
{
	const uint8_t *p = (const uint8_t *)a->body.p;
	size_t count = a->body.n / 2;
	const char *wrong = NULL;

	if (strcasecmp(a->type, "audio/pcm") != 0)
		wrong = "is not audio/pcm";
	else if (count == 0 || a->body.n % 2)
		wrong = "is no sound";
	else if (count > pcm_samples(PCM_MS_MAX))
		wrong = "is too long";
	if (wrong) {
		(void)diag_set(d, "%s: what Amazon answered %s", v->spec,
			       wrong);
		return -EIO;
	}
	out->samples = b_zero(count, sizeof(*out->samples));
	out->count = count;
	for (size_t i = 0; i < count; i++)
		out->samples[i] = (int16_t)(p[2 * i] | p[2 * i + 1] << 8);
	return 0;
}

/* --- the whole ----------------------------------------------------------------- */

/* false: there is no time for that, or the program stops. */
static bool wait_a_little(const struct voice_limits *limits, int ms,
			  int64_t deadline)
{
	struct pollfd stop = {.fd = limits->stop_fd, .events = POLLIN};

	if (clock_mono_ms(limits->clock) + ms >= deadline)
		return false;
	return poll(&stop, 1, ms) == 0;
}

static int ask_and_judge(const struct voice *v, const struct voice_ask *ask,
			 const struct voice_limits *limits,
			 struct speech_polly_answer *a, struct diag *d)
{
	char *body = request(v, ask);
	const struct speech_polly_question q = {
		.polly = v->polly,
		.body = body,
		.limits = limits,
		.deadline = clock_mono_ms(limits->clock) + limits->ms};
	int wait = FIRST_WAIT_MS;
	struct diag why = {0};
	int err = 0;

	for (int i = 1; !err; i++, wait *= 2) {
		err = speech_polly_ask(v->line, &q, a, &why);
		if (err)
			(void)diag_set(d, "%s: Amazon %s", v->spec,
				       why.message);
		else if (a->status == STATUS_OK)
			break;
		else if (i == TRIES ||
			 (!throttled(a) && a->status < STATUS_FAULT) ||
			 !wait_a_little(limits, wait, q.deadline))
			err = complain(v, ask, a, d);
	}
	crypto_wipe(body, strlen(body));
	free(body);
	return err;
}

static int say(const struct voice *v, const struct voice_ask *ask,
	       const struct voice_limits *limits, struct pcm *out,
	       struct diag *d)
{
	struct speech_polly_answer a = {.body = {.max = limits->bytes}};
	int err = ask_and_judge(v, ask, limits, &a, d);

	if (!err)
		err = read_sound(v, &a, out, d);
	buf_free(&a.body);
	return err;
}

const struct voice_engine voice_polly = {
	.prefix = "Polly.",
	.remote = true,
	.check = check,
	.language = language,
	.open = open_voice,
	.close = close_voice,
	.say = say,
};
