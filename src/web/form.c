// SPDX-License-Identifier: Apache-2.0
/*
 * form.c - the body of a form: application/x-www-form-urlencoded.
 *
 * Read whole before any of it is told, so that nobody acts on the first half
 * of what turns out to be none.  Lenient where browsers are (a pair without
 * "=", empty pairs, bytes that need not have been escaped) and nowhere else: an
 * escape that is none could be read in two ways by two readers.
 */
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "web/web.h"

struct pair {
	const char *name, *value;
};

struct form {
	char *text; /* decoded, each piece terminated */
	size_t n, size;
	struct pair pairs[WEB_FORM_MAX];
	size_t count;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == '\x7f';
}

/* One name or value, behind what is there. */
static int decode(struct form *f, struct span s, const char **out)
{
	size_t begin = f->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (is_control(c))
			return -EINVAL;
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		f->text[f->n++] = c;
	}
	if (!span_utf8(span_make(f->text + begin, f->n - begin)))
		return -EINVAL;
	f->text[f->n++] = '\0';
	*out = f->text + begin;
	return 0;
}

static int read_all(struct form *f, struct span text)
{
	struct span one, name;

	while (span_cut(&text, '&', &one)) {
		struct pair *p = &f->pairs[f->count];
		int err;

		if (one.n == 0)
			continue;
		if (f->count == WEB_FORM_MAX)
			return -E2BIG;
		(void)span_cut(&one, '=', &name);
		err = decode(f, name, &p->name);
		if (!err)
			err = decode(f, one, &p->value);
		if (err)
			return err;
		f->count++;
	}
	return 0;
}

int web_form(struct span text, web_pair_h *each, void *ctx)
{
	/* a pair is no longer than its text, and two NULs */
	struct form f = {.size = text.n + 2 * (size_t)WEB_FORM_MAX};
	int err;

	f.text = b_zero(1, f.size);
	err = read_all(&f, text);
	for (size_t i = 0; i < f.count && !err; i++)
		err = each(f.pairs[i].name, f.pairs[i].value, ctx);
	/* codes come in forms */
	crypto_wipe(f.text, f.size);
	free(f.text);
	return err;
}
