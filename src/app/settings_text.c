// SPDX-License-Identifier: Apache-2.0
/*
 * settings_text.c - the tables as text: a settings file, and the manual's
 * section.
 */
#include "app/settings_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void wrapped(struct buf *out, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > 0 && column + 1 + word > 76) {
			buf_byte(out, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_printf(out, "%s# ", indent);
			column = strlen(indent) + 2;
		} else {
			buf_byte(out, ' ');
			column++;
		}
		buf_add(out, text, word);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	buf_byte(out, '\n');
}

static bool in_quotes(const struct settings_row *r)
{
	return r->kind == SETTINGS_TEXT || r->kind == SETTINGS_TIME ||
	       r->kind == SETTINGS_MONEY;
}

static void value_text(struct buf *out, const struct settings_row *r)
{
	if (in_quotes(r))
		buf_json(out, span_of(r->def));
	else
		buf_str(out, r->def);
}

static void range(struct buf *out, const char *indent,
		  const struct settings_row *r)
{
	if (r->kind == SETTINGS_INT)
		buf_printf(out, "%s# (%lld to %lld)\n", indent,
			   (long long)r->min, (long long)r->max);
	if (r->words)
		buf_printf(out, "%s# (%s of %s)\n", indent,
			   r->kind == SETTINGS_CHOICE ? "one" : "some",
			   r->words);
}

/* One mapping of a list, as a comment that becomes a setting when "# " is
 * taken from its lines. */
static void worked_example(struct buf *out, const struct settings_row *list)
{
	const struct settings_table *t = list->items;

	buf_printf(out, "# %s:\n", list->path);
	for (size_t i = 0; i < t->count; i++) {
		const struct settings_row *r = &t->rows[i];
		const char *indent = i == 0 ? "#   " : "#     ";

		wrapped(out, indent, r->sentence);
		range(out, indent, r);
		buf_printf(out, "%s%s%s: ", indent, i == 0 ? "- " : "",
			   strrchr(r->path, '.') + 1);
		if (r->example && *r->example)
			buf_str(out, r->example);
		else
			value_text(out, r);
		buf_byte(out, '\n');
	}
}

void settings_defaults(struct buf *out)
{
	buf_str(out, "# Settings of voiceotp, with every default.  What is not "
		     "set has the value\n# shown here.\n");
	for (size_t i = 0; i < settings_table.count; i++) {
		const struct settings_row *r = &settings_table.rows[i];
		const char *dot = strchr(r->path, '.');
		const char *indent = dot ? "  " : "";

		if (!dot)
			buf_byte(out, '\n');
		wrapped(out, indent, r->sentence);
		if (r->kind == SETTINGS_OBJECTS) {
			worked_example(out, r);
			continue;
		}
		range(out, indent, r);
		buf_printf(out, "%s%s:", indent, dot ? dot + 1 : r->path);
		if (r->kind != SETTINGS_GROUP) {
			buf_byte(out, ' ');
			value_text(out, r);
		}
		buf_byte(out, '\n');
	}
}

/* mdoc(7): a new sentence is a new line, and a backslash needs care. */
static void mdoc_text(struct buf *out, const char *s)
{
	size_t column = 0;

	while (*s) {
		size_t word = strcspn(s, " ");

		if (column > 0 && column + 1 + word > 78) {
			buf_byte(out, '\n');
			column = 0;
		}
		if (column > 0)
			buf_byte(out, ' ');
		for (size_t i = 0; i < word; i++)
			buf_str(out, s[i] == '\\' ? "\\e" : (char[]){s[i], 0});
		column += word + 1;
		if (s[word] && s[word - 1] == '.') {
			buf_byte(out, '\n');
			column = 0;
		}
		s += word;
		s += strspn(s, " ");
	}
	buf_byte(out, '\n');
}

/* "(one of a, b; default: a)" */
static void kind_text(struct buf *out, const struct settings_row *r)
{
	static const char *const kinds[] = {
		[SETTINGS_TEXT] = "text",
		[SETTINGS_INT] = "whole number",
		[SETTINGS_BOOL] = "true or false",
		[SETTINGS_LIST] = "list",
		[SETTINGS_MAP] = "mapping",
		[SETTINGS_MONEY] = "amount",
		[SETTINGS_TIME] = "time of day",
		[SETTINGS_CHOICE] = "one of",
		[SETTINGS_CHOICES] = "list of",
		[SETTINGS_OBJECTS] = "list of mappings",
		[SETTINGS_GROUP] = "group",
	};

	buf_printf(out, "(%s", kinds[r->kind]);
	if (r->kind == SETTINGS_INT)
		buf_printf(out, " from %lld to %lld", (long long)r->min,
			   (long long)r->max);
	for (const char *w = r->words ? r->words : ""; *w;) {
		size_t n = strcspn(w, "|");

		buf_printf(out, "%s %.*s", w == r->words ? "" : ",", (int)n, w);
		w += n;
		w += *w == '|';
	}
	buf_printf(out, "; default: %s)\n", *r->def ? r->def : "none");
}

static void manual(struct buf *out, const struct settings_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct settings_row *r = &t->rows[i];

		buf_printf(out, ".It Cm %s\n", r->path);
		mdoc_text(out, r->sentence);
		if (r->kind != SETTINGS_GROUP)
			kind_text(out, r);
		if (r->items)
			manual(out, r->items);
	}
}

void settings_manual(struct buf *out)
{
	manual(out, &settings_table);
}
