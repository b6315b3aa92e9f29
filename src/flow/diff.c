// SPDX-License-Identifier: Apache-2.0
/*
 * diff.c - what became of one document in another.
 *
 * Nodes are the same where their ids are; the order in which they stand and the
 * places where they are drawn are told apart from what they do.  A node that is
 * gone and one that is new are the same, renamed, where they do the same.
 * Drafts are compared too, so nothing is taken for granted of either document:
 * what has no id, or one that an earlier node has, is compared by its place.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"

enum { CHANGES_MAX = 2000, PATH_MAX_BYTES = 256 };

struct diff {
	json_t *out;
	const char *node; /* under comparison; NULL: the document */
};

static void add(struct diff *d, const char *kind, const char *path,
		json_t *from, json_t *to)
{
	json_t *change;

	if (json_array_size(d->out) >= CHANGES_MAX)
		return;
	change = json_object();
	json_object_set_new(change, "kind", json_string(kind));
	json_object_set_new(change, "path", json_string(path));
	if (d->node)
		json_object_set_new(change, "node", json_string(d->node));
	if (from)
		json_object_set(change, "from", from);
	if (to)
		json_object_set(change, "to", to);
	json_array_append_new(d->out, change);
}

/* --- values ------------------------------------------------------------------------- */

/* RFC 6901 3.  A path that is too long ends where it was still true. */
static void deeper(char out[PATH_MAX_BYTES], const char *path, const char *key)
{
	AUTO_BUF(step, PATH_MAX_BYTES - 1);

	buf_str(&step, path);
	buf_byte(&step, '/');
	for (; *key; key++) {
		if (*key == '~' || *key == '/')
			buf_str(&step, *key == '~' ? "~0" : "~1");
		else
			buf_byte(&step, (unsigned char)*key);
	}
	(void)snprintf(out, PATH_MAX_BYTES, "%s",
		       step.err || !step.p ? path : step.p);
}

static void compare(struct diff *d, const char *kind, const char *path,
		    json_t *from, json_t *to);

static void compare_objects(struct diff *d, const char *kind, const char *path,
			    json_t *from, json_t *to)
{
	char here[PATH_MAX_BYTES];
	const char *key;
	json_t *v;

	json_object_foreach(from, key, v)
	{
		deeper(here, path, key);
		compare(d, kind, here, v, json_object_get(to, key));
	}
	json_object_foreach(to, key, v)
	{
		deeper(here, path, key);
		if (!json_object_get(from, key))
			compare(d, kind, here, NULL, v);
	}
}

/* At most as deep as a document may be. */
static void compare(struct diff *d, const char *kind, const char *path,
		    json_t *from, json_t *to)
{
	char here[PATH_MAX_BYTES], index[24];

	if (from && to && json_equal(from, to))
		return;
	if (json_is_object(from) && json_is_object(to)) {
		compare_objects(d, kind, path, from, to);
		return;
	}
	if (!json_is_array(from) || !json_is_array(to) ||
	    json_array_size(from) != json_array_size(to)) {
		add(d, kind, path, from, to);
		return;
	}
	for (size_t i = 0; i < json_array_size(to); i++) {
		(void)snprintf(index, sizeof(index), "%zu", i);
		deeper(here, path, index);
		compare(d, kind, here, json_array_get(from, i),
			json_array_get(to, i));
	}
}

/* --- nodes --------------------------------------------------------------------------- */

/* One side's nodes, and what each is in the other: an index, or -1. */
struct side {
	json_t *nodes;
	size_t count;
	int other[FLOW_NODES_MAX];
};

static const char *id_of(const struct side *s, size_t i)
{
	const char *id = json_string_value(
		json_object_get(json_array_get(s->nodes, i), "id"));

	return id ? id : "";
}

static void open_side(struct side *s, const json_t *document)
{
	s->nodes = json_object_get(document, "nodes");
	s->count = json_array_size(s->nodes);
	if (s->count > FLOW_NODES_MAX)
		s->count = FLOW_NODES_MAX;
	for (size_t i = 0; i < s->count; i++)
		s->other[i] = -1;
}

static void pair(struct side *from, size_t i, struct side *to, size_t k)
{
	from->other[i] = (int)k;
	to->other[k] = (int)i;
}

/* Do they do the same?  Their names, and where they are drawn, are no matter. */
static bool are_alike(json_t *a, json_t *b)
{
	static const char *const WHAT[] = {"type", "config", "on"};

	for (size_t i = 0; i < COUNT_OF(WHAT); i++) {
		json_t *x = json_object_get(a, WHAT[i]);
		json_t *y = json_object_get(b, WHAT[i]);

		if ((x || y) && (!x || !y || !json_equal(x, y)))
			return false;
	}
	return true;
}

typedef bool same_h(const struct side *from, size_t i, const struct side *to,
		    size_t k);

static bool same_id(const struct side *from, size_t i, const struct side *to,
		    size_t k)
{
	return strcmp(id_of(from, i), id_of(to, k)) == 0 &&
	       (*id_of(from, i) || i == k);
}

static bool same_deed(const struct side *from, size_t i, const struct side *to,
		      size_t k)
{
	return are_alike(json_array_get(from->nodes, i),
			 json_array_get(to->nodes, k));
}

static void match(struct side *from, struct side *to, same_h *same)
{
	for (size_t i = 0; i < from->count; i++)
		for (size_t k = 0; from->other[i] < 0 && k < to->count; k++)
			if (to->other[k] < 0 && same(from, i, to, k))
				pair(from, i, to, k);
}

static void path_of(char out[PATH_MAX_BYTES], size_t i)
{
	(void)snprintf(out, PATH_MAX_BYTES, "/nodes/%zu", i);
}

/* A node that is there on both sides. */
static void compare_node(struct diff *d, json_t *from, json_t *to,
			 const char *path)
{
	char here[PATH_MAX_BYTES];
	const char *key;
	json_t *v;

	if (!json_is_object(from) || !json_is_object(to)) {
		compare(d, "changed", path, from, to);
		return;
	}
	json_object_foreach(from, key, v)
	{
		deeper(here, path, key);
		if (strcmp(key, "ui") != 0 && strcmp(key, "id") != 0)
			compare(d, "changed", here, v,
				json_object_get(to, key));
	}
	json_object_foreach(to, key, v)
	{
		deeper(here, path, key);
		if (strcmp(key, "ui") != 0 && strcmp(key, "id") != 0 &&
		    !json_object_get(from, key))
			compare(d, "changed", here, NULL, v);
	}
	from = json_object_get(from, "ui");
	to = json_object_get(to, "ui");
	deeper(here, path, "ui");
	if ((from || to) && (!from || !to || !json_equal(from, to)))
		add(d, "moved", here, from, to);
}

static void compare_pair(struct diff *d, const struct side *from,
			 const struct side *to, size_t k)
{
	size_t i = (size_t)to->other[k];
	json_t *was = json_array_get(from->nodes, i);
	json_t *is = json_array_get(to->nodes, k);
	char path[PATH_MAX_BYTES], id[PATH_MAX_BYTES];

	path_of(path, k);
	d->node = id_of(to, k);
	if (strcmp(id_of(from, i), id_of(to, k)) != 0) {
		deeper(id, path, "id");
		add(d, "renamed", id, json_object_get(was, "id"),
		    json_object_get(is, "id"));
	}
	compare_node(d, was, is, path);
}

/* Do those that are on both sides stand in another order? */
static bool is_reordered(const struct side *to)
{
	int last = -1;

	for (size_t k = 0; k < to->count; k++) {
		if (to->other[k] < 0)
			continue;
		if (to->other[k] < last)
			return true;
		last = to->other[k];
	}
	return false;
}

static json_t *ids_of(const struct side *s)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < s->count; i++)
		json_array_append_new(ids, json_string(id_of(s, i)));
	return ids;
}

static void compare_nodes(struct diff *d, struct side *from, struct side *to)
{
	AUTO_JSON json_t *before = ids_of(from), *after = ids_of(to);
	char path[PATH_MAX_BYTES];

	match(from, to, same_id);
	match(from, to, same_deed);
	for (size_t i = 0; i < from->count; i++) {
		path_of(path, i);
		d->node = id_of(from, i);
		if (from->other[i] < 0)
			add(d, "removed", path, json_array_get(from->nodes, i),
			    NULL);
	}
	for (size_t k = 0; k < to->count; k++) {
		path_of(path, k);
		d->node = id_of(to, k);
		if (to->other[k] < 0)
			add(d, "added", path, NULL,
			    json_array_get(to->nodes, k));
		else
			compare_pair(d, from, to, k);
	}
	d->node = NULL;
	if (is_reordered(to))
		add(d, "reordered", "/nodes", before, after);
}

/* --- documents ------------------------------------------------------------------------- */

/* Everything but the nodes: a new reference. */
static json_t *without_nodes(const json_t *document)
{
	union {
		const json_t *ours;
		json_t *theirs; /* jansson only reads it */
	} same = {.ours = document};
	json_t *rest = json_is_object(document) ? json_object() : NULL;

	if (!rest)
		return json_null();
	json_object_update(rest, same.theirs);
	json_object_del(rest, "nodes");
	return rest;
}

json_t *flow_diff(const json_t *from, const json_t *to)
{
	AUTO_JSON json_t *was = without_nodes(from), *is = without_nodes(to);
	struct diff d = {.out = json_array()};
	struct side before, after;

	compare(&d, "changed", "", was, is);
	open_side(&before, from);
	open_side(&after, to);
	compare_nodes(&d, &before, &after);
	return d.out;
}
