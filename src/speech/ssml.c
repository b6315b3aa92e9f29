// SPDX-License-Identifier: Apache-2.0
/*
 * ssml.c - a strict reader of the part of SSML 1.1 that we speak.
 *
 * Not an XML library: the documents are at most SPEECH_TEXT_MAX bytes, most of
 * XML is what we refuse (declarations, CDATA, processing instructions), and an
 * author is owed the line and column of a mistake.  What is not understood is
 * an error, because a prompt that is silently shortened is found by callers.
 *
 * Dropped on purpose, being harmless: the level of <emphasis>, which our
 * voices do not have, and a pitch that a voice cannot change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "speech/ssml_priv.h"
#include "speech/utterance_priv.h"

enum {
	PARAGRAPH_MS = 700, /* behind </p> */
	SENTENCE_MS = 350,  /* behind </s> */
};

int ssml_fail(struct ssml *s, const char *where, const char *what)
{
	int line = 1, column = 1;

	for (const char *p = s->begin; p < where; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	return diag_at(s->d, line, column, "%s", what);
}

int ssml_fail_name(struct ssml *s, const char *where, const char *fmt,
		   struct span name)
{
	char text[DIAG_MESSAGE_BYTES];
	int n = name.n > 40 ? 40 : (int)name.n;
	const char *at = strchr(fmt, '%');

	/* one %, which is the name */
	(void)snprintf(text, sizeof(text), "%.*s%.*s%s", (int)(at - fmt), fmt,
		       n, name.p, at + 1);
	return ssml_fail(s, where, text);
}

/* --- what was collected goes to the utterance ------------------------------- */

static struct ssml_frame *top(struct ssml *s)
{
	return &s->stack[s->depth - 1];
}

int ssml_flush(struct ssml *s, unsigned gap)
{
	struct span text = span_trim(buf_view(&s->text));
	int err = 0;

	if (s->text.err)
		return ssml_fail(s, s->at, "too much text");
	if (text.n > 0)
		err = speech_piece_text(s->u, text, s->said_style, s->fixed,
					gap);
	buf_reset(&s->text);
	if (err)
		(void)ssml_fail(s, s->at, "too much text, or too many pieces");
	return err;
}

/* One character of text, in the style of the innermost element. */
static int say(struct ssml *s, const char *p, size_t n)
{
	struct ssml_frame *f = top(s);
	bool blank = n == 1 && strchr(" \t\r\n", *p);

	if (f->el->kind == SSML_SUB)
		return 0;
	if (s->text.n > 0 &&
	    memcmp(&s->said_style, &f->style, sizeof(f->style)) != 0) {
		int err = blank ? 0 : ssml_flush(s, 0);

		if (err)
			return err;
	}
	if (!blank)
		s->said_style = f->style;
	if (!blank)
		buf_add(&s->text, p, n);
	else if (s->text.n > 0 && s->text.p[s->text.n - 1] != ' ')
		buf_byte(&s->text, ' ');
	return 0;
}

int ssml_say(struct ssml *s, struct span text)
{
	for (size_t i = 0; i < text.n;) {
		size_t n = 1;
		int err;

		while (i + n < text.n &&
		       ((unsigned char)text.p[i + n] & 0xc0) == 0x80)
			n++;
		err = say(s, text.p + i, n);
		if (err)
			return err;
		i += n;
	}
	return 0;
}

/* --- characters ----------------------------------------------------------- */

static size_t put_utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* XML 1.0, Char. */
static bool xml_char(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' ||
	       (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
	       (c >= 0x10000 && c <= 0x10ffff);
}

static int number_of(struct span digits, unsigned base, uint32_t *out)
{
	uint32_t c = 0;

	if (digits.n == 0 || digits.n > 7)
		return -EINVAL;
	for (size_t i = 0; i < digits.n; i++) {
		const char *set = "0123456789abcdefABCDEF";
		const char *at = strchr(set, digits.p[i]);
		unsigned value;

		if (!at || !*at)
			return -EINVAL;
		value = (unsigned)(at - set);
		if (value > 15)
			value -= 6;
		if (value >= base)
			return -EINVAL;
		c = c * base + value;
	}
	*out = c;
	return xml_char(c) ? 0 : -EINVAL;
}

/* "#233" or "#xe9" */
static int read_reference(struct span name, uint32_t *out)
{
	if (span_starts(name, "#x"))
		return number_of(span_make(name.p + 2, name.n - 2), 16, out);
	if (span_starts(name, "#"))
		return number_of(span_make(name.p + 1, name.n - 1), 10, out);
	return -EINVAL;
}

/* "&...;" at s->at: its character, and s->at behind it. */
static int entity(struct ssml *s, char out[4], size_t *n)
{
	static const struct {
		const char *name;
		char c;
	} named[] = {{"amp", '&'},
		     {"lt", '<'},
		     {"gt", '>'},
		     {"quot", '"'},
		     {"apos", '\''}};
	const char *begin = s->at;
	size_t left = (size_t)(s->end - begin);
	const char *semi = memchr(begin, ';', left < 12 ? left : 12);
	struct span name;
	uint32_t c;

	if (!semi)
		return ssml_fail(s, begin,
				 "a & that begins no entity; "
				 "write &amp;");
	name = span_make(begin + 1, (size_t)(semi - begin) - 1);
	s->at = semi + 1;
	for (size_t i = 0; i < COUNT_OF(named); i++) {
		if (!span_is(name, named[i].name))
			continue;
		out[0] = named[i].c;
		*n = 1;
		return 0;
	}
	if (read_reference(name, &c))
		return ssml_fail_name(s, begin, "no such entity: &%;", name);
	*n = put_utf8(c, out);
	return 0;
}

static void skip_blanks(struct ssml *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at))
		s->at++;
}

static struct span read_name(struct ssml *s)
{
	const char *begin = s->at;

	while (s->at < s->end &&
	       ((*s->at >= 'a' && *s->at <= 'z') ||
		(*s->at >= 'A' && *s->at <= 'Z') || *s->at == '-' ||
		*s->at == ':' || *s->at == '_'))
		s->at++;
	return span_make(begin, (size_t)(s->at - begin));
}

/* --- tags ------------------------------------------------------------------ */

static int read_value(struct ssml *s, struct ssml_attribute *a)
{
	char quote;

	skip_blanks(s);
	if (s->at == s->end || *s->at != '=')
		return ssml_fail_name(s, s->at, "expected =\"...\" behind %",
				      a->name);
	s->at++;
	skip_blanks(s);
	if (s->at == s->end || (*s->at != '"' && *s->at != '\''))
		return ssml_fail(s, s->at, "expected a quoted value");
	quote = *s->at++;
	a->where = s->at;
	while (s->at < s->end && *s->at != quote) {
		char c[4];
		size_t n = 1;
		int err = 0;

		if (*s->at == '<')
			return ssml_fail(s, s->at, "a < in a value");
		if (*s->at == '&')
			err = entity(s, c, &n);
		else
			c[0] = *s->at++;
		if (err)
			return err;
		if (a->n + n >= sizeof(a->value))
			return ssml_fail(s, a->where, "a value is too long");
		memcpy(a->value + a->n, c, n);
		a->n += n;
	}
	if (s->at == s->end)
		return ssml_fail(s, a->where, "a value that does not end");
	s->at++;
	return 0;
}

static int read_attributes(struct ssml *s, const struct ssml_element *el)
{
	s->attributes = 0;
	for (;;) {
		const char *before = s->at;
		struct ssml_attribute *a = &s->attribute[s->attributes];
		int err;

		skip_blanks(s);
		if (s->at == s->end)
			return ssml_fail(s, s->at, "a tag that does not end");
		if (*s->at == '>' || *s->at == '/')
			return 0;
		if (s->at == before)
			return ssml_fail(s, s->at, "expected a blank");
		if (s->attributes == SSML_ATTRIBUTES_MAX)
			return ssml_fail(s, s->at, "too many attributes");
		memset(a, 0, sizeof(*a));
		before = s->at;
		a->name = read_name(s);
		if (a->name.n == 0)
			return ssml_fail(s, s->at, "expected a name");
		for (size_t i = 0; i < s->attributes; i++)
			if (s->attribute[i].name.n == a->name.n &&
			    memcmp(s->attribute[i].name.p, a->name.p,
				   a->name.n) == 0)
				return ssml_fail_name(
					s, before, "% is there twice", a->name);
		if (!ssml_knows(el, a->name))
			return ssml_fail_name(s, before,
					      "no such attribute here: %",
					      a->name);
		err = read_value(s, a);
		if (err)
			return err;
		s->attributes++;
	}
}

static int check_place(struct ssml *s, const struct ssml_element *el,
		       const char *where)
{
	if (s->depth == 0)
		return el->kind == SSML_SPEAK
			       ? 0
			       : ssml_fail(s, where, "expected <speak>");
	if (s->depth == SSML_DEPTH_MAX)
		return ssml_fail(s, where, "nested too deeply");
	for (size_t i = 0; i < s->depth; i++)
		if (el->not_in & 1U << s->stack[i].el->kind)
			return ssml_fail_name(s, where,
					      "does not go inside <%>",
					      span_of(s->stack[i].el->name));
	return 0;
}

static int open_tag(struct ssml *s)
{
	const char *where = s->at++;
	struct span name = read_name(s);
	const struct ssml_element *el = ssml_element(name);
	struct ssml_frame *f;
	int err;

	if (name.n == 0)
		return ssml_fail(s, where,
				 "a < that begins no tag; "
				 "write &lt;");
	if (!el)
		return ssml_fail_name(s, where, "no such element: <%>", name);
	err = check_place(s, el, where);
	if (!err)
		err = read_attributes(s, el);
	if (err)
		return err;
	f = &s->stack[s->depth];
	memset(f, 0, sizeof(*f));
	f->el = el;
	f->where = where;
	if (s->depth > 0)
		f->style = top(s)->style;
	s->depth++;
	err = el->open ? el->open(s, f) : 0;
	if (err)
		return err;
	if (*s->at == '/') {
		s->at++;
		if (s->at == s->end || *s->at != '>')
			return ssml_fail(s, s->at, "expected >");
		s->at++;
		return ssml_close(s);
	}
	s->at++;
	return 0;
}

int ssml_close(struct ssml *s)
{
	struct ssml_frame *f = top(s);
	int err = 0;

	switch (f->el->kind) {
	case SSML_SPEAK:
		err = ssml_flush(s, 0);
		s->done = true;
		break;
	case SSML_P:
		err = ssml_flush(s, PARAGRAPH_MS);
		break;
	case SSML_S:
		err = ssml_flush(s, SENTENCE_MS);
		break;
	case SSML_SAY_AS:
		err = ssml_said_as(s, f);
		break;
	case SSML_BREAK:
	case SSML_PROSODY:
	case SSML_SUB:
	case SSML_EMPHASIS:
		break;
	}
	s->depth--;
	return err;
}

static int close_tag(struct ssml *s)
{
	const char *where = s->at;
	struct span name;

	s->at += 2;
	name = read_name(s);
	skip_blanks(s);
	if (s->at == s->end || *s->at != '>')
		return ssml_fail(s, s->at, "expected >");
	if (s->depth == 0)
		return ssml_fail_name(s, where, "</%> closes nothing", name);
	if (!span_is(name, top(s)->el->name))
		return ssml_fail_name(s, where, "expected </%>",
				      span_of(top(s)->el->name));
	s->at++;
	return ssml_close(s);
}

/* --- the document ------------------------------------------------------------ */

static int skip_comment(struct ssml *s)
{
	const char *begin = s->at;
	const char *end =
		memmem(begin + 4, (size_t)(s->end - begin) - 4, "-->", 3);

	if (!end)
		return ssml_fail(s, begin, "a comment that does not end");
	s->at = end + 3;
	return 0;
}

static int read_text(struct ssml *s)
{
	char c[4] = "";
	size_t n = 1;
	const char *where = s->at;
	int err = 0;

	if (*s->at == '&') {
		err = entity(s, c, &n);
	} else {
		do
			c[n - 1] = *s->at++;
		while (s->at < s->end &&
		       ((unsigned char)*s->at & 0xc0) == 0x80 && ++n <= 4);
	}
	if (err)
		return err;
	if (s->depth == 0 || top(s)->el->kind == SSML_BREAK) {
		if (n == 1 && strchr(" \t\r\n", c[0]))
			return 0;
		return ssml_fail(s, where,
				 s->depth  ? "<break> has no text"
				 : s->done ? "text behind </speak>"
					   : "expected <speak>");
	}
	if (top(s)->el->kind == SSML_SAY_AS) {
		memcpy(s->held + s->held_n, c, n);
		s->held_n += n;
		return 0;
	}
	return say(s, c, n);
}

static int read_markup(struct ssml *s)
{
	struct span rest = span_make(s->at, (size_t)(s->end - s->at));

	if (span_starts(rest, "<!--"))
		return skip_comment(s);
	if (span_starts(rest, "<!"))
		return ssml_fail(s, s->at,
				 "declarations and CDATA are not "
				 "understood");
	if (span_starts(rest, "<?"))
		return ssml_fail(s, s->at,
				 "processing instructions are not understood");
	if (span_starts(rest, "</"))
		return close_tag(s);
	if (s->done)
		return ssml_fail(s, s->at, "an element behind </speak>");
	return open_tag(s);
}

static int check_characters(struct ssml *s)
{
	struct span all = span_make(s->begin, (size_t)(s->end - s->begin));

	if (!span_utf8(all))
		return diag_at(s->d, 1, 1, "is not UTF-8");
	for (const char *p = s->begin; p < s->end; p++)
		if ((unsigned char)*p < ' ' && !strchr("\t\r\n", *p))
			return ssml_fail(s, p, "a control character");
	return 0;
}

static int read_document(struct ssml *s)
{
	static const char prolog[] = "<?xml ";
	int err = check_characters(s);

	if (err)
		return err;
	if (span_starts(span_make(s->at, (size_t)(s->end - s->at)), prolog)) {
		const char *end =
			memmem(s->at, (size_t)(s->end - s->at), "?>", 2);

		if (!end)
			return ssml_fail(s, s->at, "<?xml that does not end");
		s->at = end + 2;
	}
	while (s->at < s->end && !err)
		err = *s->at == '<' ? read_markup(s) : read_text(s);
	if (err)
		return err;
	if (s->depth > 0)
		return ssml_fail_name(s, top(s)->where, "<%> is not closed",
				      span_of(top(s)->el->name));
	if (!s->done)
		return ssml_fail(s, s->at, "expected <speak>");
	return 0;
}

int ssml_read(struct utterance *u, struct span ssml, bool fixed, struct diag *d)
{
	struct ssml s = {.begin = ssml.p,
			 .at = ssml.p,
			 .end = ssml.p + ssml.n,
			 .u = u,
			 .fixed = fixed,
			 .d = d,
			 .text = {.max = SPEECH_TEXT_MAX}};
	size_t before = u->count;
	int err;

	if (ssml.n > SPEECH_TEXT_MAX) {
		(void)diag_set(d, "more than %d bytes", SPEECH_TEXT_MAX);
		return -E2BIG;
	}
	err = read_document(&s);
	buf_free(&s.text);
	crypto_wipe(&s, sizeof(s)); /* what was held may have been a code */
	if (err)
		speech_piece_rewind(u, before);
	return err;
}
