// SPDX-License-Identifier: Apache-2.0
/*
 * settings.c - the tables, and what begins and ends with them.
 *
 * settings_read.c fills a struct from YAML, settings_text.c writes the tables
 * down, settings_check.c holds what one row alone cannot say.
 */
#include "app/settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings_priv.h"
#include "base/file.h"
#include "base/mem.h"

#define TEXT(p, m, max_, def_, s) \
	{.path = (p),             \
	 .kind = SETTINGS_TEXT,   \
	 .at = AT(m),             \
	 .max = (max_),           \
	 .def = (def_),           \
	 .sentence = (s)},
#define INT(p, m, min_, max_, def_, s) \
	{.path = (p),                  \
	 .kind = SETTINGS_INT,         \
	 .at = AT(m),                  \
	 .min = (min_),                \
	 .max = (max_),                \
	 .def = #def_,                 \
	 .sentence = (s)},
#define BOOL(p, m, def_, s)     \
	{.path = (p),           \
	 .kind = SETTINGS_BOOL, \
	 .at = AT(m),           \
	 .def = #def_,          \
	 .sentence = (s)},

static const struct settings_table trunk_table, route_table;

#define AT(member) offsetof(struct settings, member)
static const struct settings_row settings_rows[] = {
#define ROW(p, kind_, m, max_, def_, s) \
	{.path = (p),                   \
	 .kind = (kind_),               \
	 .at = AT(m),                   \
	 .max = (max_),                 \
	 .def = (def_),                 \
	 .sentence = (s)},
#define LIST(p, m, max, def, s) ROW(p, SETTINGS_LIST, m, max, def, s)
#define MAP(p, m, max, def, s) ROW(p, SETTINGS_MAP, m, max, def, s)
#define MONEY(p, m, def, s) ROW(p, SETTINGS_MONEY, m, 0, def, s)
#define TIME(p, m, def, s) ROW(p, SETTINGS_TIME, m, 0, def, s)
#define WORD(p, m, max_, form_, def_, s) \
	{.path = (p),                    \
	 .kind = SETTINGS_TEXT,          \
	 .at = AT(m),                    \
	 .max = (max_),                  \
	 .form = SETTINGS_##form_,       \
	 .def = (def_),                  \
	 .sentence = (s)},
#define WORDS(p, m, max_, form_, def_, s) \
	{.path = (p),                     \
	 .kind = SETTINGS_LIST,           \
	 .at = AT(m),                     \
	 .max = (max_),                   \
	 .form = SETTINGS_##form_,        \
	 .def = (def_),                   \
	 .sentence = (s)},
#define OBJECTS(p, m, table, max_, s) \
	{.path = (p),                 \
	 .kind = SETTINGS_OBJECTS,    \
	 .at = AT(m),                 \
	 .max = (max_),               \
	 .def = "[]",                 \
	 .items = &table##_table,     \
	 .sentence = (s)},
#define GROUP(p, s) \
	{.path = (p), .kind = SETTINGS_GROUP, .def = "", .sentence = (s)},
#include "app/settings.def"
#undef ROW
#undef LIST
#undef MAP
#undef MONEY
#undef TIME
#undef WORD
#undef WORDS
#undef OBJECTS
#undef GROUP
};
#undef AT

#define WORD(p, m, max_, form_, def_, example_, s) \
	{.path = (p),                              \
	 .kind = SETTINGS_TEXT,                    \
	 .at = AT(m),                              \
	 .max = (max_),                            \
	 .form = SETTINGS_##form_,                 \
	 .def = (def_),                            \
	 .example = (example_),                    \
	 .sentence = (s)},
#define WORDS(p, m, max_, form_, example_, s) \
	{.path = (p),                         \
	 .kind = SETTINGS_LIST,               \
	 .at = AT(m),                         \
	 .max = (max_),                       \
	 .form = SETTINGS_##form_,            \
	 .def = "[]",                         \
	 .example = (example_),               \
	 .sentence = (s)},
#define CHOICE(p, m, words_, def_, s) \
	{.path = (p),                 \
	 .kind = SETTINGS_CHOICE,     \
	 .at = AT(m),                 \
	 .words = (words_),           \
	 .def = (def_),               \
	 .sentence = (s)},
#define CHOICES(p, m, words_, def_, s) \
	{.path = (p),                  \
	 .kind = SETTINGS_CHOICES,     \
	 .at = AT(m),                  \
	 .words = (words_),            \
	 .def = (def_),                \
	 .sentence = (s)},

#define AT(member) offsetof(struct settings_trunk, member)
static const struct settings_row trunk_rows[] = {
#include "app/trunk.def"
};
#undef AT
#define AT(member) offsetof(struct settings_route, member)
static const struct settings_row route_rows[] = {
#include "app/route.def"
};
#undef AT

const struct settings_table settings_table = {
	.rows = settings_rows,
	.count = COUNT_OF(settings_rows),
	.bytes = sizeof(struct settings),
};
static const struct settings_table trunk_table = {
	.rows = trunk_rows,
	.count = COUNT_OF(trunk_rows),
	.bytes = sizeof(struct settings_trunk),
	.line_at = offsetof(struct settings_trunk, line),
	.column_at = offsetof(struct settings_trunk, column),
};
static const struct settings_table route_table = {
	.rows = route_rows,
	.count = COUNT_OF(route_rows),
	.bytes = sizeof(struct settings_route),
	.line_at = offsetof(struct settings_route, line),
	.column_at = offsetof(struct settings_route, column),
};

const struct settings_row *settings_row(const struct settings_table *t,
					const char *path)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].path, path) == 0)
			return &t->rows[i];
	return NULL;
}

/* --- beginning and ending ------------------------------------------------------- */

/* "[a, b]" */
static void begin_choices(const struct settings_row *r, unsigned *bits)
{
	struct span rest = span_make(r->def + 1, strlen(r->def) - 2), item;

	while (rest.n > 0 && span_cut(&rest, ',', &item))
		*bits |= 1U << (unsigned)settings_word(r, span_trim(item));
}

void settings_table_begin(const struct settings_table *t, void *to)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct settings_row *r = &t->rows[i];
		struct diag d = {0};

		if (r->kind == SETTINGS_CHOICES)
			begin_choices(r, (void *)((char *)to + r->at));
		else if (r->kind != SETTINGS_LIST && r->kind != SETTINGS_MAP &&
			 r->kind != SETTINGS_OBJECTS &&
			 r->kind != SETTINGS_GROUP &&
			 settings_value(r, to, span_of(r->def), &d))
			abort(); /* our own table */
	}
}

void settings_table_end(const struct settings_table *t, void *to)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct settings_row *r = &t->rows[i];
		void *at = (char *)to + r->at;

		if (r->kind == SETTINGS_TEXT)
			free(*(char **)at);
		else if (r->kind == SETTINGS_LIST)
			settings_list_clear(at);
		else if (r->kind == SETTINGS_MAP)
			settings_map_clear(at);
		else if (r->kind == SETTINGS_OBJECTS)
			settings_objects_clear(r, at);
	}
}

struct settings *settings_new(void)
{
	struct settings *s = b_zero(1, sizeof(*s));

	settings_table_begin(&settings_table, s);
	for (size_t i = 0; i < settings_table.count; i++) {
		const struct settings_row *r = &settings_table.rows[i];
		struct diag d = {0};

		if ((r->kind == SETTINGS_LIST || r->kind == SETTINGS_MAP) &&
		    settings_set(s, r->path, r->def, &d))
			abort();
	}
	return s;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	settings_table_end(&settings_table, s);
	free(s);
}

const struct settings_trunk *settings_trunk(const struct settings *s, size_t i)
{
	const struct settings_trunk *items = s->trunks.items;

	return &items[i];
}

const struct settings_route *settings_route(const struct settings *s, size_t i)
{
	const struct settings_route *items = s->routes.items;

	return &items[i];
}

int settings_parse(struct span yaml, struct settings **out, struct diag *d)
{
	AUTO(settings) *s = settings_new();
	int err;

	if (yaml.n > SETTINGS_FILE_MAX)
		return diag_set(d, "is longer than %d bytes",
				SETTINGS_FILE_MAX);
	err = settings_read(s, yaml, d);
	if (!err)
		err = settings_check(s, d);
	if (!err)
		*out = KEEP(s);
	return err;
}

int settings_load(const char *path, struct settings **out, struct diag *d)
{
	AUTO_BUF(text, SETTINGS_FILE_MAX);
	int err = file_read(path, &text);

	if (err == -E2BIG)
		return diag_set(d, "is longer than %d bytes",
				SETTINGS_FILE_MAX);
	if (err) {
		char why[64];

		(void)diag_set(d, "cannot be read: %s",
			       strerror_r(-err, why, sizeof(why)));
		return err;
	}
	return settings_parse(buf_view(&text), out, d);
}

int settings_set(struct settings *s, const char *path, const char *text,
		 struct diag *d)
{
	AUTO_BUF(line, SETTINGS_FILE_MAX);
	const struct settings_row *r = settings_row(&settings_table, path);

	if (!r || r->kind == SETTINGS_GROUP)
		return diag_field(d, path, "there is no such setting");
	if (r->kind != SETTINGS_LIST && r->kind != SETTINGS_MAP &&
	    r->kind != SETTINGS_OBJECTS)
		return settings_value(r, s, span_of(text), d);
	buf_printf(&line, "%s: %s\n", path, text);
	if (line.err)
		return diag_field(d, path, "is too long");
	return settings_read(s, buf_view(&line), d);
}

/* --- what a reload cannot change --------------------------------------------------- */

static bool same_list(const struct settings_list *a,
		      const struct settings_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static bool same_row(const struct settings_row *r, const void *a,
		     const void *b);

static bool same_rows(const struct settings_table *t, const void *a,
		      const void *b)
{
	for (size_t i = 0; i < t->count; i++)
		if (!same_row(&t->rows[i], a, b))
			return false;
	return true;
}

static bool same_objects(const struct settings_row *r,
			 const struct settings_objects *a,
			 const struct settings_objects *b)
{
	const char *left = a->items, *right = b->items;

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_rows(r->items, left + i * r->items->bytes,
			       right + i * r->items->bytes))
			return false;
	return true;
}

static bool same_row(const struct settings_row *r, const void *a, const void *b)
{
	const void *left = (const char *)a + r->at;
	const void *right = (const char *)b + r->at;

	switch (r->kind) {
	case SETTINGS_TEXT:
		return strcmp(*(char *const *)left, *(char *const *)right) == 0;
	case SETTINGS_INT:
		return *(const int64_t *)left == *(const int64_t *)right;
	case SETTINGS_BOOL:
		return *(const bool *)left == *(const bool *)right;
	case SETTINGS_LIST:
		return same_list(left, right);
	case SETTINGS_CHOICE:
	case SETTINGS_CHOICES:
		return *(const unsigned *)left == *(const unsigned *)right;
	case SETTINGS_OBJECTS:
		return same_objects(r, left, right);
	case SETTINGS_MAP:
	case SETTINGS_MONEY:
	case SETTINGS_TIME:
	case SETTINGS_GROUP:
		break;
	}
	return true; /* none of those has one of these */
}

static bool same_named(const struct settings *a, const struct settings *b,
		       const char *const *paths, size_t count)
{
	for (size_t i = 0; i < settings_table.count; i++) {
		const struct settings_row *r = &settings_table.rows[i];

		for (size_t p = 0; p < count; p++)
			if (span_starts(span_of(r->path), paths[p]) &&
			    !same_row(r, a, b))
				return false;
	}
	return true;
}

bool settings_same_trunks(const struct settings *a, const struct settings *b)
{
	static const char *const paths[] = {"trunks", "sip.", "rtp."};

	return same_named(a, b, paths, COUNT_OF(paths));
}

bool settings_same_reach(const struct settings *a, const struct settings *b)
{
	static const char *const paths[] = {"public_url", "trusted_proxies",
					    "outbound.", "example."};

	return same_named(a, b, paths, COUNT_OF(paths));
}
