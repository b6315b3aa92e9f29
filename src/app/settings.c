// SPDX-License-Identifier: Apache-2.0
/*
 * settings.c - from YAML to struct settings, and the table the other way.
 *
 * libyaml gives a tree of nodes with their places; each scalar, list or map
 * that is a row of the table is read by the row's type.  The table's own
 * defaults go through the same readers, so a default cannot be of a kind that
 * a file could not say.
 */
#include "app/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/mem.h"
#include "core/prices.h"

enum kind { TEXT, INT, BOOL, LIST, MAP, MONEY, TIME, GROUP };

struct row {
	const char *path;
	enum kind kind;
	size_t at; /* in struct settings */
	int64_t min, max;
	const char *def, *sentence;
};

#define AT(member) offsetof(struct settings, member)

static const struct row table[] = {
#define TEXT(path, member, max, def, s) \
	{path, TEXT, AT(member), 0, max, def, s},
#define INT(path, member, min, max, def, s) \
	{path, INT, AT(member), min, max, #def, s},
#define BOOL(path, member, def, s) {path, BOOL, AT(member), 0, 1, #def, s},
#define LIST(path, member, max, def, s) \
	{path, LIST, AT(member), 0, max, def, s},
#define MAP(path, member, max, def, s) {path, MAP, AT(member), 0, max, def, s},
#define MONEY(path, member, def, s) {path, MONEY, AT(member), 0, 0, def, s},
#define TIME(path, member, def, s) {path, TIME, AT(member), 0, 0, def, s},
#define GROUP(path, s) {path, GROUP, 0, 0, 0, "", s},
#include "app/settings.def"
#undef TEXT
#undef INT
#undef BOOL
#undef LIST
#undef MAP
#undef MONEY
#undef TIME
#undef GROUP
};

static const struct row *find(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (strcmp(table[i].path, path) == 0)
			return &table[i];
	return NULL;
}

/* --- one value ------------------------------------------------------------- */

static void list_free(struct settings_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct settings_list){0};
}

static void map_clear(struct settings_map *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->keys[i]);
		free(m->values[i]);
	}
	free(m->keys);
	free(m->values);
	*m = (struct settings_map){0};
}

static int read_int(const struct row *r, struct span text, int64_t *out,
		    struct diag *d)
{
	uint64_t n = 0;
	int err = span_uint(text, INT64_MAX, &n);

	if (err == -EINVAL)
		return diag_field(d, r->path, "is not a whole number");
	if (err || (int64_t)n < r->min || (int64_t)n > r->max)
		return diag_field(d, r->path, "must be from %lld to %lld",
				  (long long)r->min, (long long)r->max);
	*out = (int64_t)n;
	return 0;
}

static int read_bool(const struct row *r, struct span text, bool *out,
		     struct diag *d)
{
	if (span_is(text, "true"))
		*out = true;
	else if (span_is(text, "false"))
		*out = false;
	else
		return diag_field(d, r->path, "must be true or false");
	return 0;
}

/* "HH:MM" in minutes; "" is -1. */
static int read_time(const struct row *r, struct span text, int *out,
		     struct diag *d)
{
	struct span hours = {0}, rest = text;
	uint64_t h = 0, m = 0;

	if (text.n == 0) {
		*out = -1;
		return 0;
	}
	if (text.n != 5 || text.p[2] != ':' || !span_cut(&rest, ':', &hours) ||
	    span_uint(hours, 23, &h) || span_uint(rest, 59, &m))
		return diag_field(d, r->path,
				  "must be a time of day such as \"22:00\"");
	*out = (int)(h * 60 + m);
	return 0;
}

static int read_money(const struct row *r, struct span text, int64_t *out,
		      struct diag *d)
{
	int64_t micro = 0;

	if (text.n > 0 && prices_amount(text, &micro))
		return diag_field(d, r->path,
				  "must be an amount such as 12.50");
	if (text.n > 0 && micro == 0)
		return diag_field(d, r->path,
				  "must be more than nothing; "
				  "leave it out for no cap");
	*out = micro;
	return 0;
}

static int read_text(const struct row *r, struct span text, char **out,
		     struct diag *d)
{
	if ((int64_t)text.n > r->max)
		return diag_field(d, r->path, "is longer than %lld bytes",
				  (long long)r->max);
	if (!span_utf8(text))
		return diag_field(d, r->path, "is not well-formed UTF-8");
	free(*out);
	*out = b_strndup(text.p, text.n);
	return 0;
}

static int read_scalar(struct settings *s, const struct row *r,
		       struct span text, struct diag *d)
{
	char *at = (char *)s + r->at;

	switch (r->kind) {
	case TEXT:
		return read_text(r, text, (char **)(void *)at, d);
	case INT:
		return read_int(r, text, (int64_t *)(void *)at, d);
	case BOOL:
		return read_bool(r, text, (bool *)(void *)at, d);
	case MONEY:
		return read_money(r, text, (int64_t *)(void *)at, d);
	case TIME:
		return read_time(r, text, (int *)(void *)at, d);
	case LIST:
		return diag_field(d, r->path, "must be a list: [a, b]");
	case MAP:
	case GROUP:
		return diag_field(d, r->path,
				  "must be a mapping: {name: value}");
	}
	return -EINVAL;
}

/* --- the tree --------------------------------------------------------------- */

struct reader {
	yaml_document_t *doc;
	struct settings *s;
	struct diag *d;
	bool seen[COUNT_OF(table)];
};

static int at_node(struct diag *d, const yaml_node_t *n)
{
	if (d) {
		d->line = (int)n->start_mark.line + 1;
		d->column = (int)n->start_mark.column + 1;
	}
	return -EINVAL;
}

static struct span scalar(const yaml_node_t *n)
{
	return span_make(n->data.scalar.value, n->data.scalar.length);
}

static int item_text(struct reader *rd, const struct row *r,
		     const yaml_node_t *n, char **out)
{
	if (n->type != YAML_SCALAR_NODE || scalar(n).n == 0 ||
	    scalar(n).n > SETTINGS_ITEM_MAX || !span_utf8(scalar(n))) {
		diag_field(rd->d, r->path,
			   "each item must be a text of 1 to %d bytes",
			   SETTINGS_ITEM_MAX);
		return at_node(rd->d, n);
	}
	*out = b_strndup(scalar(n).p, scalar(n).n);
	return 0;
}

static int read_list(struct reader *rd, const struct row *r,
		     const yaml_node_t *n)
{
	struct settings_list *l = (void *)((char *)rd->s + r->at);
	size_t count = (size_t)(n->data.sequence.items.top -
				n->data.sequence.items.start);

	if ((int64_t)count > r->max) {
		diag_field(rd->d, r->path, "has more than %lld items",
			   (long long)r->max);
		return at_node(rd->d, n);
	}
	list_free(l);
	l->items = b_zero(count + 1, sizeof(*l->items));
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *item = yaml_document_get_node(
			rd->doc, n->data.sequence.items.start[i]);

		if (item_text(rd, r, item, &l->items[i]))
			return -EINVAL;
		l->count++;
	}
	return 0;
}

static int read_map(struct reader *rd, const struct row *r,
		    const yaml_node_t *n)
{
	struct settings_map *m = (void *)((char *)rd->s + r->at);
	size_t count = (size_t)(n->data.mapping.pairs.top -
				n->data.mapping.pairs.start);

	if ((int64_t)count > r->max) {
		diag_field(rd->d, r->path, "has more than %lld entries",
			   (long long)r->max);
		return at_node(rd->d, n);
	}
	map_clear(m);
	m->keys = b_zero(count + 1, sizeof(*m->keys));
	m->values = b_zero(count + 1, sizeof(*m->values));
	for (size_t i = 0; i < count; i++) {
		const yaml_node_pair_t *p = &n->data.mapping.pairs.start[i];
		const yaml_node_t *k = yaml_document_get_node(rd->doc, p->key);
		const yaml_node_t *v =
			yaml_document_get_node(rd->doc, p->value);
		char *key = NULL, *value = NULL;

		if (item_text(rd, r, k, &key) || item_text(rd, r, v, &value)) {
			free(key);
			return -EINVAL;
		}
		m->keys[m->count] = key;
		m->values[m->count++] = value;
	}
	return 0;
}

static int unknown(struct reader *rd, const char *path, const yaml_node_t *k)
{
	const char *dot = strrchr(path, '.');
	const char *near = NULL;

	/* a likely slip: the right name in the wrong group */
	for (size_t i = 0; i < COUNT_OF(table) && !near; i++) {
		const char *last = strrchr(table[i].path, '.');

		if (strcmp(last ? last + 1 : table[i].path,
			   dot ? dot + 1 : path) == 0)
			near = table[i].path;
	}
	if (near)
		diag_field(rd->d, path,
			   "there is no such setting; did you mean %s?", near);
	else
		diag_field(rd->d, path, "there is no such setting");
	return at_node(rd->d, k);
}

static int read_group(struct reader *rd, const char *group,
		      const yaml_node_t *n, int depth);

static int read_entry(struct reader *rd, const char *path,
		      const yaml_node_t *key, const yaml_node_t *value,
		      int depth)
{
	const struct row *r = find(path);
	int err;

	if (!r)
		return unknown(rd, path, key);
	if (rd->seen[r - table]) {
		diag_field(rd->d, path, "is set twice");
		return at_node(rd->d, key);
	}
	rd->seen[r - table] = true;
	if (r->kind == GROUP && value->type == YAML_MAPPING_NODE)
		return read_group(rd, path, value, depth + 1);
	if (r->kind == LIST && value->type == YAML_SEQUENCE_NODE)
		return read_list(rd, r, value);
	if (r->kind == MAP && value->type == YAML_MAPPING_NODE)
		return read_map(rd, r, value);
	if (value->type != YAML_SCALAR_NODE) {
		diag_field(rd->d, path, "must be a single value");
		if (r->kind == LIST || r->kind == MAP || r->kind == GROUP)
			(void)read_scalar(rd->s, r, span_of(""), rd->d);
		return at_node(rd->d, value);
	}
	err = read_scalar(rd->s, r, scalar(value), rd->d);
	return err ? at_node(rd->d, value) : 0;
}

static int read_group(struct reader *rd, const char *group,
		      const yaml_node_t *n, int depth)
{
	if (depth >= SETTINGS_DEPTH_MAX) {
		diag_field(rd->d, group, "is nested too deep");
		return at_node(rd->d, n);
	}
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     p < n->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(rd->doc, p->key);
		const yaml_node_t *v =
			yaml_document_get_node(rd->doc, p->value);
		char path[96];

		if (k->type != YAML_SCALAR_NODE || scalar(k).n == 0 ||
		    scalar(k).n > 40 || !span_utf8(scalar(k))) {
			diag_field(rd->d, group,
				   "a setting's name is expected");
			return at_node(rd->d, k);
		}
		(void)snprintf(path, sizeof(path), "%s%s%.*s", group,
			       *group ? "." : "", (int)scalar(k).n,
			       scalar(k).p);
		if (read_entry(rd, path, k, v, depth))
			return -EINVAL;
	}
	return 0;
}

static int read_document(struct reader *rd)
{
	const yaml_node_t *root = yaml_document_get_root_node(rd->doc);

	if (!root)
		return 0; /* nothing but comments */
	if (root->type == YAML_SCALAR_NODE && scalar(root).n == 0)
		return 0;
	if (root->type != YAML_MAPPING_NODE) {
		diag_set(rd->d, "settings are `name: value` lines");
		return at_node(rd->d, root);
	}
	return read_group(rd, "", root, 0);
}

static int yaml_trouble(const yaml_parser_t *p, struct diag *d)
{
	return diag_at(d, (int)p->problem_mark.line + 1,
		       (int)p->problem_mark.column + 1,
		       "not well-formed YAML: %s",
		       p->problem ? p->problem : "unreadable");
}

static int read_text_into(struct settings *s, struct span yaml, struct diag *d)
{
	yaml_parser_t parser;
	yaml_document_t doc, more;
	struct reader rd = {.doc = &doc, .s = s, .d = d};
	int err;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(
		&parser, (const unsigned char *)(yaml.p ? yaml.p : ""), yaml.n);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	if (!yaml_parser_load(&parser, &doc)) {
		err = yaml_trouble(&parser, d);
		yaml_parser_delete(&parser);
		return err;
	}
	err = read_document(&rd);
	yaml_document_delete(&doc);
	if (!err && !yaml_parser_load(&parser, &more)) {
		err = yaml_trouble(&parser, d);
	} else if (!err) {
		const yaml_node_t *root = yaml_document_get_root_node(&more);

		if (root) {
			diag_set(d, "a second document begins here; "
				    "settings are one");
			err = at_node(d, root);
		}
		yaml_document_delete(&more);
	}
	yaml_parser_delete(&parser);
	return err;
}

/* --- rules over several settings ---------------------------------------------- */

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

static int check_brand(const char *field, const char *brand, struct diag *d)
{
	if (characters(brand) > 30)
		return diag_field(d, field, "is longer than 30 characters");
	return 0;
}

static int check_number(const char *field, const char *text, struct diag *d)
{
	size_t n = strlen(text);

	if (n == 0)
		return 0;
	if (text[0] != '+' || n < 8 || n > 16 ||
	    strspn(text + 1, "0123456789") != n - 1)
		return diag_field(d, field,
				  "must be E.164, such as +15671234567");
	return 0;
}

static int check_levels(const struct settings *s, struct diag *d)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};

	for (size_t i = 0; i < COUNT_OF(levels); i++)
		if (strcmp(levels[i], s->log_level) == 0)
			return 0;
	return diag_field(d, "log_level", "must be debug, info, warn or error");
}

static int check_together(struct settings *s, struct diag *d)
{
	int err = check_brand("brand", s->brand, d);

	for (size_t i = 0; !err && i < s->brands.count; i++)
		err = check_brand("brands", s->brands.items[i], d);
	if (!err)
		err = check_number("from", s->from, d);
	if (!err)
		err = check_number("callback", s->callback, d);
	if (!err)
		err = check_levels(s, d);
	if (!err && s->code_length < s->code_min_length)
		err = diag_field(d, "code.length",
				 "is less than code.min_length");
	if (!err && (*s->tls_certificate == 0) != (*s->tls_key == 0))
		err = diag_field(d, "tls",
				 "needs both certificate and key, or neither");
	if (!err && (s->quiet_from < 0) != (s->quiet_to < 0))
		err = diag_field(d, "quiet_hours", "needs both from and to");
	if (!err && strncmp(s->store, "sqlite:", 7) != 0)
		err = diag_field(d, "store", "must be sqlite:PATH");
	return err;
}

/* --- doors ---------------------------------------------------------------------- */

struct settings *settings_new(void)
{
	struct settings *s = b_zero(1, sizeof(*s));

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		const struct row *r = &table[i];
		struct diag d = {0};
		int err = 0;

		if (r->kind == LIST || r->kind == MAP)
			err = settings_set(s, r->path, r->def, &d);
		else if (r->kind != GROUP)
			err = read_scalar(s, r, span_of(r->def), &d);
		if (err)
			abort(); /* our own table */
	}
	return s;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		void *at = (char *)s + table[i].at;

		if (table[i].kind == TEXT)
			free(*(char **)at);
		else if (table[i].kind == LIST)
			list_free(at);
		else if (table[i].kind == MAP)
			map_clear(at);
	}
	free(s);
}

int settings_parse(struct span yaml, struct settings **out, struct diag *d)
{
	AUTO(settings) *s = settings_new();
	int err;

	if (yaml.n > SETTINGS_FILE_MAX)
		return diag_set(d, "is longer than %d bytes",
				SETTINGS_FILE_MAX);
	err = read_text_into(s, yaml, d);
	if (!err)
		err = check_together(s, d);
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
	const struct row *r = find(path);

	if (!r || r->kind == GROUP)
		return diag_field(d, path, "there is no such setting");
	if (r->kind != LIST && r->kind != MAP)
		return read_scalar(s, r, span_of(text), d);
	buf_printf(&line, "%s: %s\n", path, text);
	if (line.err)
		return diag_field(d, path, "is too long");
	return read_text_into(s, buf_view(&line), d);
}

/* --- the table as text --------------------------------------------------------------- */

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

static void value_text(struct buf *out, const struct row *r)
{
	if (r->kind == TEXT || r->kind == TIME || r->kind == MONEY)
		buf_json(out, span_of(r->def));
	else
		buf_str(out, r->def);
}

void settings_defaults(struct buf *out)
{
	buf_str(out, "# Settings of voiceotp, with every default.  What is not "
		     "set has the value\n# shown here.\n");
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		const struct row *r = &table[i];
		const char *dot = strchr(r->path, '.');
		const char *indent = dot ? "  " : "";

		if (!dot)
			buf_byte(out, '\n');
		wrapped(out, indent, r->sentence);
		if (r->kind == INT)
			buf_printf(out, "%s# (%lld to %lld)\n", indent,
				   (long long)r->min, (long long)r->max);
		buf_printf(out, "%s%s:", indent, dot ? dot + 1 : r->path);
		if (r->kind != GROUP) {
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

void settings_manual(struct buf *out)
{
	static const char *const kinds[] = {
		[TEXT] = "text",          [INT] = "whole number",
		[BOOL] = "true or false", [LIST] = "list",
		[MAP] = "mapping",        [MONEY] = "amount",
		[TIME] = "time of day",   [GROUP] = "group",
	};

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		const struct row *r = &table[i];

		buf_printf(out, ".It Cm %s\n", r->path);
		mdoc_text(out, r->sentence);
		if (r->kind == GROUP)
			continue;
		buf_printf(out, "(%s", kinds[r->kind]);
		if (r->kind == INT)
			buf_printf(out, " from %lld to %lld", (long long)r->min,
				   (long long)r->max);
		buf_str(out, "; default: ");
		if (*r->def)
			buf_str(out, r->def);
		else
			buf_str(out, "none");
		buf_str(out, ")\n");
	}
}
