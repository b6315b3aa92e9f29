// SPDX-License-Identifier: Apache-2.0
/*
 * template.c - {{Root.path | filter}}: parsed once, filled in many times.
 *
 * A value is put in as it is and never looked at again, so nothing that comes
 * from outside can name another value.  There are no expressions and no loops:
 * conditions belong in a branch node, where they can be seen.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "flow/flow_priv.h"

static const char *const FILTERS[] = {
	[FLOW_FILTER_DIGITS] = "digits",   [FLOW_FILTER_SPACED] = "spaced",
	[FLOW_FILTER_UPPER] = "upper",     [FLOW_FILTER_LOWER] = "lower",
	[FLOW_FILTER_DEFAULT] = "default",
};

static bool is_path_char(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* "a.b", "a.b.c": no empty part, at least two. */
static bool is_path(struct span s)
{
	bool dotted = false;

	if (s.n == 0 || s.n > FLOW_SLOT_NAME_MAX || s.p[0] == '.' ||
	    s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_path_char(s.p[i]))
			return false;
		if (s.p[i] == '.' && s.p[i - 1] == '.')
			return false;
		dotted = dotted || s.p[i] == '.';
	}
	return dotted;
}

static int parse_default(struct flow *f, struct flow_part *part,
			 struct span text, struct diag *d)
{
	if (text.n < 2 || text.p[0] != '"' || text.p[text.n - 1] != '"' ||
	    memchr(text.p + 1, '"', text.n - 2))
		return diag_set(d, "write default:\"text\"");
	part->fallback = flow_keep(f, b_strndup(text.p + 1, text.n - 2));
	return 0;
}

static int parse_filter(struct flow *f, struct flow_part *part,
			struct span text, struct diag *d)
{
	struct span name = text;
	size_t i = 0;

	if (part->filters_count == FLOW_FILTERS_MAX)
		return diag_set(d, "at most %d filters", FLOW_FILTERS_MAX);
	if (span_starts(text, "default:")) {
		part->filters[part->filters_count++] = FLOW_FILTER_DEFAULT;
		text.p += strlen("default:");
		text.n -= strlen("default:");
		return parse_default(f, part, span_trim(text), d);
	}
	while (i < FLOW_FILTER_DEFAULT && !span_is(name, FILTERS[i]))
		i++;
	if (i == FLOW_FILTER_DEFAULT)
		return diag_set(d, "there is no filter \"%.*s\"",
				(int)(name.n < 40 ? name.n : 40), name.p);
	part->filters[part->filters_count++] = (enum flow_filter)i;
	return 0;
}

/* The next "|" outside of quotes, or the end. */
static size_t bar(struct span s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '|' && !quoted)
			break;
	}
	return i;
}

static int parse_reference(struct flow *f, struct flow_part *part,
			   struct span inner, struct diag *d)
{
	size_t n = bar(inner);
	struct span path = span_trim(span_make(inner.p, n));

	part->slot = -1;
	if (!is_path(path))
		return diag_set(d, "write {{Node.value}}, not {{%.*s}}",
				(int)(path.n < 60 ? path.n : 60), path.p);
	part->path = flow_keep(f, b_strndup(path.p, path.n));
	while (n < inner.n) {
		int err;

		inner = span_make(inner.p + n + 1, inner.n - n - 1);
		n = bar(inner);
		err = parse_filter(f, part, span_trim(span_make(inner.p, n)),
				   d);
		if (err)
			return err;
	}
	return 0;
}

static struct flow_part *add_part(struct flow_template *t)
{
	t->parts = b_grow(t->parts, t->count + 1, sizeof(*t->parts));
	memset(&t->parts[t->count], 0, sizeof(*t->parts));
	return &t->parts[t->count++];
}

static void add_literal(struct flow *f, struct flow_template *t, const char *p,
			size_t n)
{
	if (n > 0)
		add_part(t)->literal = flow_keep(f, b_strndup(p, n));
}

/* The end of a reference: "}}" outside of quotes. */
static const char *closing(const char *p)
{
	bool quoted = false;

	for (; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && p[0] == '}' && p[1] == '}')
			return p;
	}
	return NULL;
}

static int parse(struct flow *f, struct flow_template *t, const char *text,
		 struct diag *d)
{
	const char *open, *close;
	int err;

	while ((open = strstr(text, "{{")) != NULL) {
		add_literal(f, t, text, (size_t)(open - text));
		close = closing(open + 2);
		if (!close)
			return diag_set(d, "\"{{\" is not closed");
		if (t->count >= FLOW_PARTS_MAX)
			return diag_set(d, "more than %d parts",
					FLOW_PARTS_MAX);
		err = parse_reference(
			f, add_part(t),
			span_make(open + 2, (size_t)(close - open - 2)), d);
		if (err)
			return err;
		text = close + 2;
	}
	add_literal(f, t, text, strlen(text));
	return 0;
}

struct flow_template *flow_template_parse(struct flow *f, const char *text,
					  struct diag *d)
{
	struct flow_template *t = flow_keep(f, b_zero(1, sizeof(*t)));
	int err = parse(f, t, text, d);

	if (t->parts)
		(void)flow_keep(f, t->parts);
	return err ? NULL : t;
}

/* --- secrets ----------------------------------------------------------------- */

static const char *last_tag(const char *text)
{
	const char *open = strrchr(text, '<');
	size_t n = strlen(text);

	return open && n > 0 && text[n - 1] == '>' ? open : NULL;
}

bool flow_template_is_spelt(const struct flow_template *t, size_t i)
{
	static const char *const HOWS[] = {"digits", "characters", "spell-out"};
	const char *tag, *how;

	if (i == 0 || i + 1 >= t->count || !t->parts[i - 1].literal ||
	    !t->parts[i + 1].literal)
		return false;
	tag = last_tag(t->parts[i - 1].literal);
	if (!tag || strncmp(tag, "<say-as", 7) != 0 ||
	    strncmp(t->parts[i + 1].literal, "</say-as", 8) != 0)
		return false;
	how = strstr(tag, "interpret-as");
	if (!how)
		return false;
	how += strcspn(how, "\"'");
	if (*how)
		how++;
	for (size_t h = 0; h < COUNT_OF(HOWS); h++)
		if (strncmp(how, HOWS[h], strlen(HOWS[h])) == 0 &&
		    strchr("\"'", how[strlen(HOWS[h])]))
			return true;
	return false;
}

/* --- filling in ---------------------------------------------------------------- */

/* One value on its way; wiped, because it may be anything. */
struct value {
	char p[FLOW_VALUE_MAX + 1];
	size_t n;
};

static int set_value(struct value *v, const char *text)
{
	size_t n = strlen(text);

	if (n > FLOW_VALUE_MAX)
		return -E2BIG;
	memcpy(v->p, text, n + 1);
	v->n = n;
	return 0;
}

static int keep_digits(struct value *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (isdigit((unsigned char)v->p[i]))
			v->p[n++] = v->p[i];
	v->p[n] = '\0';
	v->n = n;
	return 0;
}

/* A blank before each character but the first. */
static int space(struct value *v)
{
	struct value wide = {.n = 0};
	int err = 0;

	for (size_t i = 0; i < v->n && !err; i++) {
		bool first = ((unsigned char)v->p[i] & 0xc0) != 0x80;

		if (wide.n + 2 > FLOW_VALUE_MAX)
			err = -E2BIG;
		if (!err && first && i > 0)
			wide.p[wide.n++] = ' ';
		if (!err)
			wide.p[wide.n++] = v->p[i];
	}
	if (!err)
		*v = wide;
	crypto_wipe(&wide, sizeof(wide));
	return err;
}

static int upper(struct value *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] >= 'a' && v->p[i] <= 'z')
			v->p[i] = (char)(v->p[i] - 'a' + 'A');
	return 0;
}

static int lower(struct value *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] >= 'A' && v->p[i] <= 'Z')
			v->p[i] = (char)(v->p[i] - 'A' + 'a');
	return 0;
}

static int filter(struct value *v, const struct flow_part *part)
{
	static int (*const CHANGE[])(struct value *) = {
		[FLOW_FILTER_DIGITS] = keep_digits,
		[FLOW_FILTER_SPACED] = space,
		[FLOW_FILTER_UPPER] = upper,
		[FLOW_FILTER_LOWER] = lower,
	};
	int err = 0;

	for (size_t i = 0; i < part->filters_count && !err; i++) {
		if (part->filters[i] != FLOW_FILTER_DEFAULT)
			err = CHANGE[part->filters[i]](v);
		else if (v->n == 0)
			err = set_value(v, part->fallback);
	}
	return err;
}

static void add_xml(struct buf *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		switch (*c) {
		case '&':
			buf_str(out, "&amp;");
			break;
		case '<':
			buf_str(out, "&lt;");
			break;
		case '>':
			buf_str(out, "&gt;");
			break;
		case '"':
			buf_str(out, "&quot;");
			break;
		case '\'':
			buf_str(out, "&apos;");
			break;
		default:
			buf_byte(out, (unsigned char)*c);
		}
	}
}

/* RFC 3986 2.3: all but the unreserved, so a value is never a part of the
 * structure. */
static int add_url(struct buf *out, const struct value *v)
{
	if (v->n > 0 && strspn(v->p, ".") == v->n)
		return -ENODATA; /* "..": upwards, also when it is encoded */
	for (size_t i = 0; i < v->n; i++) {
		unsigned char c = (unsigned char)v->p[i];

		if (isalnum(c) || strchr("-._~", c))
			buf_byte(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
	return 0;
}

static int add_value(struct buf *out, const struct value *v,
		     enum flow_place place)
{
	if (place == FLOW_PLACE_URL)
		return add_url(out, v);
	if (place == FLOW_PLACE_SSML)
		add_xml(out, v->p);
	else
		buf_add(out, v->p, v->n);
	return 0;
}

static int fill(const struct flow *f, const struct flow_template *t,
		const struct flow_part *part, const struct flow_expand *how,
		struct buf *out)
{
	const char *text = how->value(how->ctx, part->slot);
	struct value v = {.n = 0};
	int err = set_value(&v, text ? text : "");

	if (!err)
		err = filter(&v, part);
	/* what is spelt digit by digit never reaches a voice; all else would */
	if (!err && t->place == FLOW_PLACE_SSML &&
	    f->slots[part->slot].secret &&
	    (v.n == 0 || strspn(v.p, "0123456789") != v.n))
		err = -ENODATA;
	if (!err)
		err = add_value(out, &v, t->place);
	crypto_wipe(&v, sizeof(v));
	return err;
}

int flow_template_expand(const struct flow *f, const struct flow_template *t,
			 const struct flow_expand *how, struct buf *out)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct flow_part *part = &t->parts[i];
		int err = 0;

		if (part->literal)
			buf_str(out, part->literal);
		else
			err = fill(f, t, part, how, out);
		if (err)
			return err;
	}
	return out->err;
}
