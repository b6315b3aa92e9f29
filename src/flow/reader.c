// SPDX-License-Identifier: Apache-2.0
/*
 * reader.c - members of a document, each judged where it stands.
 *
 * Unlike the readers of base these never stop: a document is mostly being
 * drawn, and whoever draws it wants every mistake at once, each with a pointer
 * (RFC 6901) to the field that is to be changed.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"

void flow_find(const struct flow_at *at, const char *key, struct flow_what what,
	       const char *fmt, ...)
{
	struct flow_findings *f = at->findings;
	struct flow_at place = key ? flow_at_key(at, key) : *at;
	struct flow_finding *item;
	va_list args;

	if (what.severity == FLOW_ERROR)
		f->errors++;
	if (f->count == FLOW_FINDINGS_MAX) {
		f->cut = true;
		return;
	}
	f->items = b_grow(f->items, f->count + 1, sizeof(*f->items));
	item = &f->items[f->count++];
	memset(item, 0, sizeof(*item));
	item->severity = what.severity;
	item->code = what.code;
	if (at->node)
		memcpy(item->node, at->node->id, sizeof(item->node));
	memcpy(item->path, place.path, sizeof(item->path));
	va_start(args, fmt);
	(void)vsnprintf(item->message, sizeof(item->message), fmt, args);
	va_end(args);
}

/* RFC 6901 3: ~ and / are written ~0 and ~1.  A path that is too long ends
 * where it was still true. */
struct flow_at flow_at_key(const struct flow_at *at, const char *key)
{
	struct flow_at deeper = *at;
	size_t n = strlen(at->path);
	AUTO_BUF(step, FLOW_PATH_BYTES);

	buf_byte(&step, '/');
	for (const char *c = key; *c; c++) {
		if (*c == '~')
			buf_str(&step, "~0");
		else if (*c == '/')
			buf_str(&step, "~1");
		else
			buf_byte(&step, (unsigned char)*c);
	}
	if (!step.err && n + step.n < sizeof(deeper.path))
		memcpy(deeper.path + n, step.p, step.n + 1);
	return deeper;
}

struct flow_at flow_at_index(const struct flow_at *at, size_t i)
{
	char key[24];

	(void)snprintf(key, sizeof(key), "%zu", i);
	return flow_at_key(at, key);
}

struct flow_at flow_at_node(const struct flow_at *root, struct flow_node *n)
{
	struct flow_at nodes = flow_at_key(root, "nodes");
	struct flow_at at = flow_at_index(&nodes, n->index);

	at.node = n;
	return at;
}

void flow_known(const struct flow_at *at, const json_t *o,
		const char *const known[])
{
	union {
		const json_t *ours;
		json_t *theirs; /* jansson's iterator does not write either */
	} same = {.ours = o};

	for (void *i = json_object_iter(same.theirs); i;
	     i = json_object_iter_next(same.theirs, i)) {
		const char *key = json_object_iter_key(i);
		const char *const *k = known;

		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			flow_find(at, key, FLOW_IS_ERROR("unknown_field"),
				  "there is no field \"%.60s\" here", key);
	}
}

/* The member, or NULL with a finding where it must be there. */
static json_t *member(const struct flow_at *at, const json_t *o,
		      const char *key, bool required)
{
	json_t *v = json_object_get(o, key);

	if (!v && required)
		flow_find(at, key, FLOW_IS_ERROR("missing_field"),
			  "\"%s\" is missing", key);
	return v;
}

const char *flow_text(const struct flow_at *at, const json_t *o,
		      const char *key, size_t max, bool required)
{
	const json_t *v = member(at, o, key, required);

	if (!v)
		return NULL;
	if (!json_is_string(v)) {
		flow_find(at, key, FLOW_IS_ERROR("bad_value"), "must be text");
		return NULL;
	}
	if (json_string_length(v) > max) {
		flow_find(at, key, FLOW_IS_ERROR("bad_range"),
			  "must be at most %zu bytes long", max);
		return NULL;
	}
	return json_string_value(v);
}

int64_t flow_int(const struct flow_at *at, const json_t *o, const char *key,
		 struct flow_range range)
{
	const json_t *v = json_object_get(o, key);
	int64_t i;

	if (!v)
		return range.otherwise;
	if (!json_is_integer(v)) {
		flow_find(at, key, FLOW_IS_ERROR("bad_value"),
			  "must be a whole number");
		return range.otherwise;
	}
	i = json_integer_value(v);
	if (i < range.min || i > range.max) {
		flow_find(at, key, FLOW_IS_ERROR("bad_range"),
			  "must be from %" PRId64 " to %" PRId64, range.min,
			  range.max);
		return range.otherwise;
	}
	return i;
}

bool flow_bool(const struct flow_at *at, const json_t *o, const char *key,
	       bool otherwise)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return otherwise;
	if (!json_is_boolean(v)) {
		flow_find(at, key, FLOW_IS_ERROR("bad_value"),
			  "must be true or false");
		return otherwise;
	}
	return json_is_true(v);
}

json_t *flow_object(const struct flow_at *at, const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (v && !json_is_object(v)) {
		flow_find(at, key, FLOW_IS_ERROR("bad_value"),
			  "must be an object");
		return NULL;
	}
	return v;
}

json_t *flow_array(const struct flow_at *at, const json_t *o, const char *key,
		   size_t max)
{
	json_t *v = json_object_get(o, key);

	if (!v)
		return NULL;
	if (!json_is_array(v)) {
		flow_find(at, key, FLOW_IS_ERROR("bad_value"),
			  "must be an array");
		return NULL;
	}
	if (json_array_size(v) > max) {
		flow_find(at, key, FLOW_IS_ERROR("bad_range"),
			  "must have at most %zu elements", max);
		return NULL;
	}
	return v;
}

bool flow_is_name(const char *text)
{
	if (!isalpha((unsigned char)text[0]))
		return false;
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
	return true;
}
