// SPDX-License-Identifier: Apache-2.0
/*
 * program.c - the programs that speak: flite for English, espeak-ng for the rest.
 *
 * Text goes in on stdin, never in argv, where every user of the machine could
 * read it.  Both programs are asked for plain sound only: rate and pitch are
 * options of the process, and what espeak-ng would take for mark-up is escaped.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "speech/voice_priv.h"

enum {
	ARGUMENTS_MAX = 16,
	NUMBER_BYTES = 48,
	TEXT_BYTES = 4 * SPEECH_TEXT_MAX, /* escaped */
	ESPEAK_WORDS = 150,               /* a minute; its default of 175 is
					     fast for a phone line */
	ESPEAK_PITCH = 50,                /* its default, of 0..99 */
};

struct command {
	const char *argv[ARGUMENTS_MAX];
	size_t n;
	char number[2][NUMBER_BYTES];
};

static void argument(struct command *c, const char *text)
{
	c->argv[c->n++] = text;
}

/* --- flite ------------------------------------------------------------------- */

/* A name that flite does not know it would replace with `kal` in silence. */
static const char *const flite_names[] = {"rms",   "awb", "kal",
					  "kal16", "slt", NULL};

static void flite_arguments(const struct voice *v, struct speech_style style,
			    struct command *c)
{
	int stretch = 100 * 100 / (100 + style.rate);

	argument(c, v->program);
	argument(c, "-voice");
	argument(c, v->name);
	if (style.rate) {
		(void)snprintf(c->number[0], NUMBER_BYTES,
			       "duration_stretch=%d.%02d", stretch / 100,
			       stretch % 100);
		argument(c, "--setf");
		argument(c, c->number[0]);
	}
	argument(c, "-f");
	argument(c, "/dev/stdin");
	argument(c, "-o");
	argument(c, "/dev/stdout");
}

/* Letters of Latin-1 and Latin Extended-A without what flite cannot say. */
static const char plain_c0[] =
	"AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuyty";
static const char plain_100[] =
	"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLl"
	"NnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

static unsigned next_character(const char **p)
{
	unsigned c = (unsigned char)*(*p)++;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fU >> more;
	for (; more > 0 && **p; more--)
		c = c << 6 | ((unsigned char)*(*p)++ & 0x3f);
	return c;
}

static void flite_text(struct buf *to, const char *text)
{
	while (*text) {
		unsigned c = next_character(&text);

		if (c < 0x80)
			buf_byte(to, c);
		else if (c >= 0xc0 && c < 0xc0 + sizeof(plain_c0) - 1)
			buf_byte(to, (unsigned char)plain_c0[c - 0xc0]);
		else if (c >= 0x100 && c < 0x100 + sizeof(plain_100) - 1)
			buf_byte(to, (unsigned char)plain_100[c - 0x100]);
		else if (c == 0x2018 || c == 0x2019)
			buf_byte(to, '\'');
		else if (c == 0x20ac)
			buf_str(to, " euros ");
		else if (c == 0xa3)
			buf_str(to, " pounds ");
		else
			buf_byte(to, ' ');
	}
	buf_byte(to, '\n');
}

/* --- espeak-ng -------------------------------------------------------------- */

static void espeak_arguments(const struct voice *v, struct speech_style style,
			     struct command *c)
{
	argument(c, v->program);
	argument(c, "-v");
	argument(c, v->name);
	argument(c, "-m"); /* so that &lt; is what we mean by it */
	argument(c, "-b");
	argument(c, "1"); /* UTF-8 */
	argument(c, "-s");
	(void)snprintf(c->number[0], NUMBER_BYTES, "%d",
		       ESPEAK_WORDS * (100 + style.rate) / 100);
	argument(c, c->number[0]);
	argument(c, "-p");
	(void)snprintf(c->number[1], NUMBER_BYTES, "%d",
		       ESPEAK_PITCH + style.pitch * 4 / 5);
	argument(c, c->number[1]);
	argument(c, "--stdin");
	argument(c, "--stdout");
}

static void espeak_text(struct buf *to, const char *text)
{
	for (; *text; text++)
		if (strchr("[]", *text))
			buf_byte(to, ' '); /* [[...]] would be phonemes */
		else
			voice_escape(to, *text);
	buf_byte(to, '\n');
}

/* --- names -------------------------------------------------------------------- */

static int check_form(const char *spec, const char *name, struct diag *d)
{
	if (!*name || strlen(name) > 32 || *name == '-' ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789-_+")])
		return diag_set(d, "%s: not the name of a voice", spec);
	return 0;
}

static int flite_check(const char *spec, const char *name, struct diag *d)
{
	AUTO_BUF(all, DIAG_MESSAGE_BYTES);
	int err = check_form(spec, name, d);

	if (err)
		return err;
	for (const char *const *n = flite_names; *n; n++) {
		if (strcmp(*n, name) == 0)
			return 0;
		buf_printf(&all, " %s", *n);
	}
	return diag_set(d, "%s: flite has the voices%s", spec, all.p);
}

static void flite_language(const char *name, const char *wanted,
			   char out[SPEECH_LANGUAGE_BYTES])
{
	(void)name;
	(void)wanted;
	memcpy(out, "en", sizeof("en"));
}

/* "pt-br+f3" -> "pt".  Mandarin has a name of its own here. */
static void espeak_language(const char *name, const char *wanted,
			    char out[SPEECH_LANGUAGE_BYTES])
{
	size_t n = strcspn(name, "-+_");

	(void)wanted;
	if (n >= SPEECH_LANGUAGE_BYTES)
		n = SPEECH_LANGUAGE_BYTES - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	out[n] = '\0';
	if (strcmp(out, "cmn") == 0)
		memcpy(out, "zh", sizeof("zh"));
}

/* --- speaking ----------------------------------------------------------------- */

static int run_program(const struct voice *v, const struct command *c,
		       const struct buf *in, const struct voice_limits *limits,
		       struct pcm *out, struct diag *d)
{
	AUTO_BUF(wav, SPEECH_OUTPUT_MAX);
	int err = in->err;

	if (!err)
		err = voice_run(c->argv, buf_view(in), limits, &wav, d);
	if (err == -ENOENT)
		(void)diag_set(d,
			       "%s: is not installed (Debian: apt-get "
			       "install %s)",
			       v->program, v->engine->package);
	if (err)
		return err;
	err = wav_read(buf_view(&wav), out);
	if (err)
		(void)diag_set(d, "%s: %s", v->program,
			       err == -E2BIG ? "spoke for too long"
					     : "wrote no sound");
	return err ? -EIO : 0;
}

static int flite_open(struct voice *v, const struct speech_params *params,
		      const char *language, struct diag *d)
{
	(void)language;
	(void)d;
	v->program = params->flite ? params->flite : "flite";
	return 0;
}

static int flite_say(const struct voice *v, const struct voice_ask *ask,
		     const struct voice_limits *limits, struct pcm *out,
		     struct diag *d)
{
	AUTO_BUF(in, TEXT_BYTES);
	struct command c = {0};

	flite_arguments(v, ask->style, &c);
	flite_text(&in, ask->text);
	return run_program(v, &c, &in, limits, out, d);
}

static int espeak_open(struct voice *v, const struct speech_params *params,
		       const char *language, struct diag *d)
{
	(void)language;
	(void)d;
	v->program = params->espeak_ng ? params->espeak_ng : "espeak-ng";
	return 0;
}

static int espeak_say(const struct voice *v, const struct voice_ask *ask,
		      const struct voice_limits *limits, struct pcm *out,
		      struct diag *d)
{
	AUTO_BUF(in, TEXT_BYTES);
	struct command c = {0};

	espeak_arguments(v, ask->style, &c);
	espeak_text(&in, ask->text);
	return run_program(v, &c, &in, limits, out, d);
}

const struct voice_engine voice_flite = {
	.prefix = "flite:",
	.package = "flite",
	.treble = 9,
	.check = flite_check,
	.language = flite_language,
	.open = flite_open,
	.say = flite_say,
};

const struct voice_engine voice_espeak = {
	.prefix = "espeak-ng:",
	.package = "espeak-ng",
	.check = check_form,
	.language = espeak_language,
	.open = espeak_open,
	.say = espeak_say,
};
