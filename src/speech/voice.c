// SPDX-License-Identifier: Apache-2.0
/*
 * voice.c - the programs that speak: flite for English, espeak-ng for the rest.
 *
 * Text goes in on stdin, never in argv, where every user of the machine could
 * read it.  Both programs are asked for plain sound only: rate and pitch are
 * options of the process, and what espeak-ng would take for mark-up is escaped.
 */
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

struct voice_engine {
	const char *name, *package;
	const char *const *names; /* NULL: the program knows */
	/* dB that its treble lacks on a telephone, by `make bench`: flite is
	 * dull and gains much, espeak-ng gains nothing */
	int treble;
	void (*arguments)(const struct voice *v, struct speech_style style,
			  struct command *c);
	void (*text)(struct buf *to, const char *text);
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
	for (; *text; text++) {
		if (*text == '<')
			buf_str(to, "&lt;");
		else if (*text == '>')
			buf_str(to, "&gt;");
		else if (*text == '&')
			buf_str(to, "&amp;");
		else if (strchr("[]", *text))
			buf_byte(to, ' '); /* [[...]] would be phonemes */
		else
			buf_byte(to, (unsigned char)*text);
	}
	buf_byte(to, '\n');
}

static const struct voice_engine engines[] = {
	{
		.name = "flite",
		.package = "flite",
		.names = flite_names,
		.treble = 9,
		.arguments = flite_arguments,
		.text = flite_text,
	},
	{
		.name = "espeak-ng",
		.package = "espeak-ng",
		.arguments = espeak_arguments,
		.text = espeak_text,
	},
};

/* --- finding one, and letting it speak ------------------------------------------ */

static int check_name(const struct voice *v, struct diag *d)
{
	AUTO_BUF(all, DIAG_MESSAGE_BYTES);

	if (!*v->name || strlen(v->name) > 32 || *v->name == '-' ||
	    v->name[strspn(v->name, "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_+")])
		return diag_set(d, "%s: not the name of a voice", v->spec);
	if (!v->engine->names)
		return 0;
	for (const char *const *n = v->engine->names; *n; n++) {
		if (strcmp(*n, v->name) == 0)
			return 0;
		buf_printf(&all, " %s", *n);
	}
	return diag_set(d, "%s: %s has the voices%s", v->spec, v->engine->name,
			all.p);
}

static int parse_spec(const struct speech_params *params, struct voice *v,
		      struct diag *d)
{
	size_t n = strcspn(v->spec, ":");

	for (size_t i = 0; i < COUNT_OF(engines); i++) {
		const struct voice_engine *e = &engines[i];
		const char *program;

		if (strlen(e->name) != n || memcmp(e->name, v->spec, n) != 0 ||
		    v->spec[n] != ':')
			continue;
		v->engine = e;
		v->name = v->spec + n + 1;
		program = i == 0 ? params->flite : params->espeak_ng;
		(void)snprintf(v->program, sizeof(v->program), "%s",
			       program ? program : e->name);
		return check_name(v, d);
	}
	return diag_set(d, "%s: a voice is flite:NAME or espeak-ng:NAME",
			v->spec);
}

int voice_find(const struct speech_params *params, const char *language,
	       struct voice *out, struct diag *d)
{
	const struct speech_choice *c = params->choices;

	memset(out, 0, sizeof(*out));
	while (c && c->language && strcmp(c->language, language) != 0)
		c++;
	if (c && c->language)
		(void)snprintf(out->spec, sizeof(out->spec), "%s", c->voice);
	else
		(void)snprintf(out->spec, sizeof(out->spec), "espeak-ng:%s",
			       language);
	return parse_spec(params, out, d);
}

int voice_treble(const struct voice *v)
{
	return v->engine->treble;
}

int voice_say(const struct voice *v, const char *text,
	      struct speech_style style, const struct voice_limits *limits,
	      struct pcm *out, struct diag *d)
{
	AUTO_BUF(in, TEXT_BYTES);
	AUTO_BUF(wav, SPEECH_OUTPUT_MAX);
	struct command c = {0};
	int err;

	v->engine->arguments(v, style, &c);
	v->engine->text(&in, text);
	if (in.err)
		return in.err;
	err = voice_run(c.argv, buf_view(&in), limits, &wav, d);
	if (err == -ENOENT) {
		(void)diag_set(d,
			       "%s: is not installed (Debian: apt-get "
			       "install %s)",
			       v->program, v->engine->package);
		return err;
	}
	if (err)
		return err;
	err = wav_read(buf_view(&wav), out);
	if (err)
		(void)diag_set(d, "%s: %s", v->program,
			       err == -E2BIG ? "spoke for too long"
					     : "wrote no sound");
	return err ? -EIO : 0;
}
