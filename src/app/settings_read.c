// SPDX-License-Identifier: Apache-2.0
/*
 * settings_read.c - from YAML to the structs.
 *
 * libyaml gives a tree of nodes with their places; each scalar, list or map
 * that is a row of a table is read by the row's type, and a list of mappings
 * by a table of its own.
 */
#include "app/settings_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"

struct reader {
	yaml_document_t *doc;
	struct diag *d;
};

/* One struct that is being filled. */
struct scope {
	const struct settings_table *table;
	void *to;
	bool *seen; /* of the table's rows */
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

static size_t children(const yaml_node_t *n)
{
	return (size_t)(n->data.sequence.items.top -
			n->data.sequence.items.start);
}

static const yaml_node_t *child(const struct reader *rd, const yaml_node_t *n,
				size_t i)
{
	return yaml_document_get_node(rd->doc, n->data.sequence.items.start[i]);
}

static int too_many(const struct reader *rd, const struct settings_row *r,
		    const yaml_node_t *n)
{
	diag_field(rd->d, r->path, "has more than %lld items",
		   (long long)r->max);
	return at_node(rd->d, n);
}

static int item_text(const struct reader *rd, const struct settings_row *r,
		     const yaml_node_t *n, char **out)
{
	if (n->type != YAML_SCALAR_NODE || scalar(n).n == 0 ||
	    scalar(n).n > SETTINGS_ITEM_MAX || !span_utf8(scalar(n))) {
		diag_field(rd->d, r->path,
			   "each item must be a text of 1 to %d bytes",
			   SETTINGS_ITEM_MAX);
		return at_node(rd->d, n);
	}
	if (settings_form(r->form, r->path, scalar(n), rd->d))
		return at_node(rd->d, n);
	*out = b_strndup(scalar(n).p, scalar(n).n);
	return 0;
}

static int read_list(const struct reader *rd, const struct scope *sc,
		     const struct settings_row *r, const yaml_node_t *n)
{
	struct settings_list *l = (void *)((char *)sc->to + r->at);
	size_t count = children(n);

	if ((int64_t)count > r->max)
		return too_many(rd, r, n);
	settings_list_clear(l);
	l->items = b_zero(count + 1, sizeof(*l->items));
	for (size_t i = 0; i < count; i++) {
		if (item_text(rd, r, child(rd, n, i), &l->items[i]))
			return -EINVAL;
		l->count++;
	}
	return 0;
}

/* A bit for each word. */
static int read_choices(const struct reader *rd, const struct scope *sc,
			const struct settings_row *r, const yaml_node_t *n)
{
	unsigned *bits = (void *)((char *)sc->to + r->at);

	*bits = 0;
	for (size_t i = 0; i < children(n); i++) {
		const yaml_node_t *item = child(rd, n, i);
		int word = item->type == YAML_SCALAR_NODE
				   ? settings_word(r, scalar(item))
				   : -ENOENT;

		if (word < 0) {
			diag_field(rd->d, r->path,
				   "each item must be one of %s", r->words);
			return at_node(rd->d, item);
		}
		*bits |= 1U << (unsigned)word;
	}
	return 0;
}

static int read_map(const struct reader *rd, const struct scope *sc,
		    const struct settings_row *r, const yaml_node_t *n)
{
	struct settings_map *m = (void *)((char *)sc->to + r->at);
	size_t count = (size_t)(n->data.mapping.pairs.top -
				n->data.mapping.pairs.start);

	if ((int64_t)count > r->max) {
		diag_field(rd->d, r->path, "has more than %lld entries",
			   (long long)r->max);
		return at_node(rd->d, n);
	}
	settings_map_clear(m);
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

/* A likely slip: the right name in the wrong group. */
static const char *near(const struct settings_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct settings_row *r = &t->rows[i];
		const char *last = strrchr(r->path, '.');
		const char *inside = r->items ? near(r->items, name) : NULL;

		if (strcmp(last ? last + 1 : r->path, name) == 0)
			return r->path;
		if (inside)
			return inside;
	}
	return NULL;
}

static int unknown(const struct reader *rd, const char *path,
		   const yaml_node_t *k)
{
	const char *dot = strrchr(path, '.');
	const char *meant = near(&settings_table, dot ? dot + 1 : path);

	if (meant)
		diag_field(rd->d, path,
			   "there is no such setting; did you mean %s?", meant);
	else
		diag_field(rd->d, path, "there is no such setting");
	return at_node(rd->d, k);
}

static int read_group(const struct reader *rd, const struct scope *sc,
		      const char *group, const yaml_node_t *n, int depth);

static int read_object(const struct reader *rd, const struct settings_row *r,
		       void *to, const yaml_node_t *n)
{
	const struct settings_table *t = r->items;
	AUTO_FREE bool *seen = b_zero(t->count, sizeof(*seen));
	const struct scope sc = {t, to, seen};

	settings_table_begin(t, to);
	*(int *)(void *)((char *)to + t->line_at) = (int)n->start_mark.line + 1;
	*(int *)(void *)((char *)to + t->column_at) =
		(int)n->start_mark.column + 1;
	if (n->type != YAML_MAPPING_NODE) {
		diag_field(rd->d, r->path,
			   "each item must be a mapping: name: value");
		return at_node(rd->d, n);
	}
	return read_group(rd, &sc, r->path, n, 1);
}

static int read_objects(const struct reader *rd, const struct scope *sc,
			const struct settings_row *r, const yaml_node_t *n)
{
	struct settings_objects *o = (void *)((char *)sc->to + r->at);
	size_t count = children(n);

	if ((int64_t)count > r->max)
		return too_many(rd, r, n);
	settings_objects_clear(r, o);
	o->items = b_zero(count + 1, r->items->bytes);
	for (size_t i = 0; i < count; i++) {
		o->count++;
		if (read_object(rd, r, (char *)o->items + i * r->items->bytes,
				child(rd, n, i)))
			return -EINVAL;
	}
	return 0;
}

static int read_node(const struct reader *rd, const struct scope *sc,
		     const struct settings_row *r, const yaml_node_t *n)
{
	bool sequence = n->type == YAML_SEQUENCE_NODE;

	if (r->kind == SETTINGS_LIST && sequence)
		return read_list(rd, sc, r, n);
	if (r->kind == SETTINGS_CHOICES && sequence)
		return read_choices(rd, sc, r, n);
	if (r->kind == SETTINGS_OBJECTS && sequence)
		return read_objects(rd, sc, r, n);
	if (r->kind == SETTINGS_MAP && n->type == YAML_MAPPING_NODE)
		return read_map(rd, sc, r, n);
	if (n->type == YAML_SCALAR_NODE)
		return settings_value(r, sc->to, scalar(n), rd->d)
			       ? at_node(rd->d, n)
			       : 0;
	diag_field(rd->d, r->path, "must be a single value");
	if (r->kind == SETTINGS_LIST || r->kind == SETTINGS_MAP ||
	    r->kind == SETTINGS_GROUP || r->kind == SETTINGS_CHOICES ||
	    r->kind == SETTINGS_OBJECTS)
		(void)settings_value(r, sc->to, span_of(""), rd->d);
	return at_node(rd->d, n);
}

static int read_entry(const struct reader *rd, const struct scope *sc,
		      const char *path, const yaml_node_pair_t *p, int depth)
{
	const yaml_node_t *key = yaml_document_get_node(rd->doc, p->key);
	const yaml_node_t *value = yaml_document_get_node(rd->doc, p->value);
	const struct settings_row *r = settings_row(sc->table, path);

	if (!r)
		return unknown(rd, path, key);
	if (sc->seen[r - sc->table->rows]) {
		diag_field(rd->d, path, "is set twice");
		return at_node(rd->d, key);
	}
	sc->seen[r - sc->table->rows] = true;
	if (r->kind == SETTINGS_GROUP && value->type == YAML_MAPPING_NODE)
		return read_group(rd, sc, path, value, depth + 1);
	return read_node(rd, sc, r, value);
}

static int read_group(const struct reader *rd, const struct scope *sc,
		      const char *group, const yaml_node_t *n, int depth)
{
	if (depth >= SETTINGS_DEPTH_MAX) {
		diag_field(rd->d, group, "is nested too deep");
		return at_node(rd->d, n);
	}
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     p < n->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(rd->doc, p->key);
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
		if (read_entry(rd, sc, path, p, depth))
			return -EINVAL;
	}
	return 0;
}

static int read_document(const struct reader *rd, const struct scope *sc)
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
	return read_group(rd, sc, "", root, 0);
}

static int yaml_trouble(const yaml_parser_t *p, struct diag *d)
{
	return diag_at(d, (int)p->problem_mark.line + 1,
		       (int)p->problem_mark.column + 1,
		       "not well-formed YAML: %s",
		       p->problem ? p->problem : "unreadable");
}

int settings_read(struct settings *s, struct span yaml, struct diag *d)
{
	yaml_parser_t parser;
	yaml_document_t doc, more;
	const struct reader rd = {.doc = &doc, .d = d};
	AUTO_FREE bool *seen = b_zero(settings_table.count, sizeof(*seen));
	const struct scope sc = {&settings_table, s, seen};
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
	err = read_document(&rd, &sc);
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
