// SPDX-License-Identifier: Apache-2.0
/*
 * utterance.c - one thing to say, taken apart into pieces.
 *
 * What goes to a voice, and so perhaps to the cache, is decided here: text
 * between slots is fixed, what fills a slot is not, and digits never reach a
 * voice at all.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "speech/utterance_priv.h"
#include "speech/voice_priv.h"

enum { ROOM_STEP = 3 };

#define ENGLISH "en"
#define ENGLISH_ONLY "english."

struct utterance *utterance_new(const char *language)
{
	struct utterance *u = b_zero(1, sizeof(*u));

	(void)snprintf(u->language, sizeof(u->language), "%s", language);
	return u;
}

static void clear_piece(struct speech_piece *p)
{
	clip_unref(p->clip);
	if (p->text)
		crypto_wipe(p->text, strlen(p->text));
	free(p->text);
	crypto_wipe(p, sizeof(*p));
}

void utterance_free(struct utterance *u)
{
	if (!u)
		return;
	speech_piece_rewind(u, 0);
	free(u->pieces);
	free(u->voice);
	free(u);
}

int utterance_voice(struct utterance *u, const char *voice, struct diag *d)
{
	char language[SPEECH_LANGUAGE_BYTES];
	int err = voice_check(voice, false, d);

	assert(u->count == 0);
	if (err)
		return err;
	free(u->voice);
	u->voice = b_strdup(voice);
	speech_language_name(u->language, language);
	voice_language(voice, language, u->voice_language);
	return 0;
}

static unsigned characters_of(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void speech_piece_rewind(struct utterance *u, size_t count)
{
	while (u->count > count) {
		struct speech_piece *p = &u->pieces[--u->count];

		if (p->text) {
			u->bytes -= strlen(p->text);
			u->characters -= characters_of(p->text);
		}
		clear_piece(p);
	}
}

static struct speech_piece *add(struct utterance *u,
				enum speech_piece_kind kind, char *text)
{
	struct speech_piece *p;

	if (u->count == u->room) {
		u->room += ROOM_STEP;
		u->pieces = b_grow(u->pieces, u->room, sizeof(*u->pieces));
	}
	p = &u->pieces[u->count++];
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	memcpy(p->language, u->voice ? u->voice_language : u->language,
	       sizeof(p->language));
	p->voice = u->voice ? u->voice : "";
	p->text = text;
	if (text) {
		u->bytes += strlen(text);
		u->characters += characters_of(text);
	}
	return p;
}

static bool room_for(const struct utterance *u, size_t pieces, size_t bytes)
{
	return pieces <= SPEECH_PIECES_MAX - u->count &&
	       bytes <= SPEECH_TEXT_MAX - u->bytes;
}

/* --- text ----------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is there anything in it that a voice could say? */
static bool sayable(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= '0' && c <= '9') ||
		    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c >= 0x80 ||
		    strchr("+*#%&@$", c))
			return true;
	}
	return false;
}

/* How much of text is said at once: to the end of a sentence if that is not
 * too far, else of a word, else of a character. */
static size_t run_length(struct span text)
{
	size_t sentence = 0, word = 0, cut = SPEECH_RUN_MAX;

	if (text.n <= SPEECH_RUN_MAX)
		return text.n;
	for (size_t i = 1; i < SPEECH_RUN_MAX; i++) {
		if (!is_blank(text.p[i]))
			continue;
		word = i;
		if (strchr(".!?", text.p[i - 1]))
			sentence = i;
	}
	if (sentence)
		return sentence;
	if (word)
		return word;
	while (((unsigned char)text.p[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

/* White space and control characters become single blanks. */
static char *tidy(struct span text)
{
	char *to = b_zero(text.n + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c > ' ' && c != 127)
			to[n++] = (char)c;
		else if (n > 0 && to[n - 1] != ' ')
			to[n++] = ' ';
	}
	while (n > 0 && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
	return to;
}

int speech_piece_text(struct utterance *u, struct span text,
		      struct speech_style style, bool fixed, unsigned gap)
{
	size_t before = u->count;
	struct speech_piece *p = NULL;

	text = span_trim(text);
	while (text.n > 0) {
		size_t n = run_length(text);
		struct span run = span_trim(span_make(text.p, n));

		text = span_trim(span_make(text.p + n, text.n - n));
		if (!sayable(run))
			continue;
		if (!room_for(u, 1, run.n)) {
			speech_piece_rewind(u, before);
			return -E2BIG;
		}
		p = add(u, SPEECH_PIECE_TEXT, tidy(run));
		p->fixed = fixed;
		p->style = style;
	}
	if (p)
		p->ms = gap;
	return 0;
}

int utterance_text(struct utterance *u, struct span text, bool fixed,
		   struct diag *d)
{
	int err;

	if (!span_utf8(text))
		return diag_set(d, "the text is not UTF-8");
	err = speech_piece_text(u, text, (struct speech_style){0}, fixed, 0);
	if (err)
		(void)diag_set(d, "more than %d bytes or %d pieces to say",
			       SPEECH_TEXT_MAX, SPEECH_PIECES_MAX);
	return err;
}

int utterance_ssml(struct utterance *u, struct span ssml, bool fixed,
		   struct diag *d)
{
	return ssml_read(u, ssml, fixed, d);
}

int speech_check_ssml(struct span ssml, unsigned *characters, struct diag *d)
{
	AUTO(utterance) *u = utterance_new("");
	int err = ssml_read(u, ssml, false, d);

	if (!err)
		*characters = u->characters;
	return err;
}

/* --- pauses, digits, the mark ------------------------------------------------ */

int utterance_pause(struct utterance *u, unsigned ms)
{
	if (!room_for(u, 1, 0) || ms > SPEECH_PAUSE_MAX)
		return -E2BIG;
	add(u, SPEECH_PIECE_PAUSE, NULL)->ms = ms;
	return 0;
}

int utterance_digits(struct utterance *u, const char *digits,
		     enum speech_pace pace)
{
	size_t n = strlen(digits);

	if (n == 0 || digits[strspn(digits, "0123456789")])
		return -EINVAL;
	if (n > SPEECH_DIGITS_MAX || !room_for(u, 1, n))
		return -E2BIG;
	add(u, SPEECH_PIECE_DIGITS, b_strdup(digits))->pace = pace;
	return 0;
}

void utterance_mark(struct utterance *u)
{
	u->marked = true;
	u->mark = u->count;
}

unsigned utterance_characters(const struct utterance *u)
{
	return u->characters;
}

/* --- phrases -------------------------------------------------------------- */

struct filler {
	struct utterance *u;
	const struct phrases *ph;
	const char *name, *language;
	const struct utterance_values *values;
	struct buf run; /* fixed text, not yet appended */
	struct diag *d;
};

static int too_long(const struct filler *f)
{
	(void)diag_field(f->d, f->name, "more than can be said at once");
	return -E2BIG;
}

static int flush(struct filler *f)
{
	int err = f->run.err;

	if (!err)
		err = speech_piece_text(f->u, buf_view(&f->run),
					(struct speech_style){0}, true, 0);
	buf_reset(&f->run);
	return err ? too_long(f) : 0;
}

/* Phone numbers come with a plus and blanks, which are not said. */
static int fill_digits(struct filler *f, const char *value, struct span *rest)
{
	char digits[SPEECH_DIGITS_MAX + 1];
	size_t n = 0;
	int err;

	for (; *value; value++) {
		if (strchr("+ -.()/", *value))
			continue;
		if (n == SPEECH_DIGITS_MAX)
			return too_long(f);
		digits[n++] = *value;
	}
	digits[n] = '\0';
	/* the tone of the last digit is its punctuation */
	while (rest->n > 0 && strchr(".,;:!?", *rest->p)) {
		rest->p++;
		rest->n--;
	}
	err = flush(f);
	if (!err)
		err = utterance_digits(f->u, digits, f->values->pace);
	crypto_wipe(digits, sizeof(digits));
	if (err == -E2BIG)
		return too_long(f);
	if (err)
		(void)diag_field(f->d, f->name, "a value that is no digits");
	return err;
}

/* The punctuation behind the slot goes with its text: it shapes the voice. */
static int fill_text(struct filler *f, const char *value, struct span *rest)
{
	AUTO_BUF(text, SPEECH_TEXT_MAX);
	int err;

	buf_str(&text, value);
	while (rest->n > 0 && strchr(".,;:!?", *rest->p)) {
		buf_byte(&text, (unsigned char)*rest->p++);
		rest->n--;
	}
	err = flush(f);
	if (err)
		return err;
	if (!span_utf8(buf_view(&text)))
		return diag_field(f->d, f->name, "a value that is not UTF-8");
	if (text.err || speech_piece_text(f->u, buf_view(&text),
					  (struct speech_style){0}, false, 0))
		return too_long(f);
	return 0;
}

static int fill_purpose(struct filler *f, const char *purpose)
{
	const char *text = phrases_purpose(f->ph, f->language, purpose);

	buf_str(&f->run, text ? text : purpose);
	return 0;
}

static int fill_slot(struct filler *f, struct span slot, struct span *rest)
{
	const struct utterance_values *v = f->values;
	const struct {
		const char *name, *value;
		enum { TEXT, PURPOSE, DIGITS } kind;
	} slots[] = {
		{"brand", v->brand, TEXT},     {"purpose", v->purpose, PURPOSE},
		{"digits", v->digits, DIGITS}, {"code", v->code, DIGITS},
		{"number", v->number, DIGITS}, {"amount", v->amount, TEXT},
		{"payee", v->payee, TEXT},
	};

	for (size_t i = 0; i < COUNT_OF(slots); i++) {
		if (!span_is(slot, slots[i].name))
			continue;
		if (!slots[i].value || !*slots[i].value)
			break;
		switch (slots[i].kind) {
		case TEXT:
			return fill_text(f, slots[i].value, rest);
		case PURPOSE:
			return fill_purpose(f, slots[i].value);
		case DIGITS:
			return fill_digits(f, slots[i].value, rest);
		}
	}
	return diag_field(f->d, f->name, "no value for {%.*s}", (int)slot.n,
			  slot.p);
}

static int fill(struct filler *f, struct span text)
{
	struct span before, slot;
	int err = 0;

	/* the braces were matched when the scripts were loaded */
	while (!err && span_cut(&text, '{', &before)) {
		buf_span(&f->run, before);
		if (!text.p || !span_cut(&text, '}', &slot))
			break;
		if (!text.p)
			text = span_make("", 0);
		err = fill_slot(f, slot, &text);
	}
	return err ? err : flush(f);
}

static bool by_its_voice(const struct utterance *u, bool english)
{
	char language[SPEECH_LANGUAGE_BYTES];

	speech_language_name(u->language, language);
	return u->voice && !english && strcmp(u->voice_language, language) == 0;
}

int utterance_phrase(struct utterance *u, const struct phrases *ph,
		     const char *name, const struct utterance_values *values,
		     struct diag *d)
{
	static const struct utterance_values none;
	bool english = strncmp(name, ENGLISH_ONLY, strlen(ENGLISH_ONLY)) == 0;
	struct filler f = {.u = u,
			   .ph = ph,
			   .name = name,
			   .language = english ? ENGLISH : u->language,
			   .values = values ? values : &none,
			   .run = {.max = SPEECH_TEXT_MAX},
			   .d = d};
	const char *text = phrases_find(ph, f.language, name);
	size_t before = u->count;
	int err;

	if (!text)
		return diag_field(d, name, "no such phrase in %s", f.language);
	err = fill(&f, span_of(text));
	buf_free(&f.run);
	if (err) {
		speech_piece_rewind(u, before);
		return err;
	}
	/* a voice of another language cannot read this one's script */
	for (size_t i = before; i < u->count && !by_its_voice(u, english);
	     i++) {
		struct speech_piece *p = &u->pieces[i];

		(void)snprintf(p->language, sizeof(p->language), "%s",
			       f.language);
		p->voice = "";
	}
	return 0;
}
