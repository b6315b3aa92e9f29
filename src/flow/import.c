// SPDX-License-Identifier: Apache-2.0
/*
 * import.c - documents from elsewhere become ours.
 *
 * What has no place here is left out and said so: whoever imports a drawing
 * must not have to find by a telephone call what is missing.  The result is a
 * draft like any other and is judged by the checker; it is never refused for
 * what it does, only for being no drawing at all.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/import_priv.h"

enum { NOTES_MAX = 500, ROW_HEIGHT = 120, PLACE_MAX = 1000000 };

static const char END[] = "End";

/* What was cut may have been cut within a character. */
static json_t *clean(char *text)
{
	for (char *c = text; !span_utf8(span_of(text)) && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(text);
}

void flow_import_note(struct flow_importing *im, const char *kind,
		      const char *key, const char *fmt, ...)
{
	AUTO_BUF(path, (size_t)2 * IMPORT_PATH_MAX);
	char message[256];
	json_t *note;
	va_list args;

	if (json_array_size(im->report) >= NOTES_MAX)
		return;
	buf_printf(&path, "%s%s%s", im->path, key ? "/" : "", key ? key : "");
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	note = json_object();
	json_object_set_new(note, "kind", json_string(kind));
	json_object_set_new(note, "path", clean(path.p));
	json_object_set_new(note, "message", clean(message));
	json_array_append_new(im->report, note);
}

/* --- names ----------------------------------------------------------------------- */

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

void flow_import_plain(const char *name, char out[IMPORT_KEY_MAX])
{
	size_t n = 0;

	bool gap = false;

	for (; *name && n + 2 < IMPORT_KEY_MAX; name++) {
		if (!isalnum((unsigned char)*name)) {
			gap = n > 0;
			continue;
		}
		if (gap)
			out[n++] = '_';
		gap = false;
		out[n++] = lower(*name);
	}
	out[n] = '\0';
}

bool flow_import_is(const char *name, const char *names)
{
	struct span rest = span_of(names), one;
	char plain[IMPORT_KEY_MAX];

	flow_import_plain(name, plain);
	while (span_cut(&rest, '|', &one))
		if (span_is(one, plain))
			return true;
	return false;
}

json_t *flow_import_get(const json_t *o, const char *names)
{
	union {
		const json_t *ours;
		json_t *theirs; /* jansson's iterator does not write either */
	} same = {.ours = o};

	for (void *i = json_object_iter(same.theirs); i;
	     i = json_object_iter_next(same.theirs, i))
		if (flow_import_is(json_object_iter_key(i), names) &&
		    !json_is_null(json_object_iter_value(i)))
			return json_object_iter_value(i);
	return NULL;
}

const char *flow_import_text(const json_t *o, const char *names)
{
	const char *text = json_string_value(flow_import_get(o, names));

	return text ? text : "";
}

void flow_import_id(const char *name, char out[FLOW_NAME_MAX + 1])
{
	size_t n = 0;

	if (!isalpha((unsigned char)*name))
		out[n++] = 'N';
	for (; *name && n < FLOW_NAME_MAX; name++)
		out[n++] = isalnum((unsigned char)*name) || *name == '-' ? *name
									 : '_';
	out[n] = '\0';
}

static const struct flow_import_node *find_node(const struct flow_importing *im,
						struct span name)
{
	char text[FLOW_NAME_MAX + 1], id[FLOW_NAME_MAX + 1];

	if (name.n == 0 || name.n > FLOW_NAME_MAX)
		return NULL;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	flow_import_id(text, id);
	for (size_t i = 0; i < im->count; i++)
		if (strcmp(im->items[i].id, id) == 0)
			return &im->items[i];
	return NULL;
}

/* --- references ---------------------------------------------------------------------- */

bool flow_import_is_secret(const struct flow_importing *im,
			   struct span reference)
{
	struct span path, rest = reference;
	char key[FLOW_SLOT_NAME_MAX + 1];

	if (!span_cut(&rest, '|', &path))
		return false;
	path = span_trim(path);
	if (path.n > FLOW_SLOT_NAME_MAX)
		return false;
	memcpy(key, path.p, path.n);
	key[path.n] = '\0';
	return json_object_get(im->secrets, key) != NULL;
}

/* What a node of theirs gives, as ours does; NULL: by the same name. */
static const char *our_value(const struct flow_import_node *n,
			     struct span value)
{
	static const struct {
		const char *type, *theirs, *ours;
	} VALUES[] = {
		{"input", "input", "digits"},
		{"http", "status_code", "status"},
		{"repeat", "current_count", "count"},
		{"call", "from_country", "country"},
		{"call", "answer_time", "answered_at"},
	};

	for (size_t i = 0; i < COUNT_OF(VALUES); i++)
		if (n->kind->type &&
		    strcmp(n->kind->type, VALUES[i].type) == 0 &&
		    span_is(value, VALUES[i].theirs))
			return VALUES[i].ours;
	return NULL;
}

static void add_path(struct flow_importing *im, struct span path,
		     struct buf *out)
{
	struct span rest = path, root;
	const struct flow_import_node *n;
	const char *ours;

	(void)span_cut(&rest, '.', &root);
	n = find_node(im, root);
	if (!n || !rest.p) {
		buf_span(out, path);
		return;
	}
	buf_printf(out, "%s.", n->id);
	ours = our_value(n, rest);
	if (ours)
		buf_str(out, ours);
	else if (n->kind->type && strcmp(n->kind->type, "http") == 0 &&
		 !span_starts(rest, "body.")) {
		buf_str(out, "body.");
		buf_span(out, rest);
	} else {
		buf_span(out, rest);
	}
}

char *flow_import_references(struct flow_importing *im, const char *text)
{
	AUTO_BUF(out, FLOW_DOCUMENT_MAX);
	const char *open, *close;

	buf_add(&out, "", 0);
	while ((open = strstr(text, "{{")) && (close = strstr(open, "}}"))) {
		struct span inner =
			span_make(open + 2, (size_t)(close - open) - 2);
		struct span path, rest = inner;

		buf_add(&out, text, (size_t)(open - text));
		(void)span_cut(&rest, '|', &path);
		buf_str(&out, "{{");
		add_path(im, span_trim(path), &out);
		if (rest.p) {
			buf_str(&out, " |");
			buf_span(&out, rest);
		}
		buf_str(&out, "}}");
		text = close + 2;
	}
	buf_str(&out, text);
	return buf_take(&out);
}

/* --- nodes --------------------------------------------------------------------------- */

static const struct flow_import_kind *find_kind(const json_t *node)
{
	const char *type = flow_import_text(node, "type|node_type|component");
	const struct flow_import_kind *k = flow_import_kinds;

	while (k->theirs && !flow_import_is(type, k->theirs))
		k++;
	return k; /* the last is for what nobody knows */
}

static void read_nodes(struct flow_importing *im, const json_t *nodes)
{
	size_t i;
	json_t *v;

	json_array_foreach(nodes, i, v)
	{
		struct flow_import_node *n = &im->items[im->count];
		const char *name = flow_import_text(v, "name|id");

		(void)snprintf(im->path, sizeof(im->path), "/nodes/%zu", i);
		if (!json_is_object(v) || im->count == FLOW_NODES_MAX) {
			flow_import_note(im, "dropped", NULL,
					 "is no node, or one too many");
			continue;
		}
		flow_import_id(name, n->id);
		n->kind = find_kind(v);
		n->theirs = v;
		im->count++;
		if (strcmp(name, n->id) != 0)
			flow_import_note(im, "mapped", "name",
					 "is called \"%s\" here", n->id);
	}
}

static void note_unread(struct flow_importing *im,
			const struct flow_import_kind *kind, json_t *config)
{
	const char *key;
	json_t *v;

	json_object_foreach(config, key, v)
	{
		AUTO_BUF(place, IMPORT_PATH_MAX);

		if (flow_import_is(key, kind->known) || json_is_null(v) ||
		    json_is_false(v) ||
		    (json_is_string(v) && json_string_length(v) == 0))
			continue;
		buf_printf(&place, "config/%.60s", key);
		flow_import_note(im, "dropped", place.p,
				 "a %s node has nothing of the kind",
				 kind->type);
	}
}

/* Whole, and on the canvas. */
static int place(const json_t *v, int otherwise)
{
	double at = json_number_value(v);

	if (!json_is_number(v) || at < -PLACE_MAX || at > PLACE_MAX)
		return otherwise;
	return (int)at;
}

static json_t *place_of(const json_t *theirs, size_t row)
{
	const json_t *ui = flow_import_get(theirs, "ui|position|coordinates");

	return json_pack(
		"{s:i,s:i}", "x", place(json_object_get(ui, "x"), 0), "y",
		place(json_object_get(ui, "y"), (int)row * ROW_HEIGHT));
}

static void make_node(struct flow_importing *im, struct flow_import_node *n,
		      size_t row)
{
	json_t *theirs =
		flow_import_get(n->theirs, "config|configuration|data");
	json_t *config;

	if (!n->kind->type) {
		flow_import_note(im, "dropped", NULL,
				 "there is no node of type \"%.40s\" here",
				 flow_import_text(n->theirs,
						  "type|node_type|component"));
		return;
	}
	im->node = n;
	n->ours = json_object();
	json_array_append_new(im->nodes, n->ours);
	json_object_set_new(n->ours, "id", json_string(n->id));
	json_object_set_new(n->ours, "type", json_string(n->kind->type));
	json_object_set_new(n->ours, "ui", place_of(n->theirs, row));
	config = json_object();
	if (n->kind->config)
		n->kind->config(im, theirs, config);
	note_unread(im, n->kind, theirs);
	if (json_object_size(config) > 0)
		json_object_set_new(n->ours, "config", config);
	else
		json_decref(config);
}

/* --- states ----------------------------------------------------------------------------- */

static const char *target_of(const json_t *v)
{
	return json_is_string(v) ? json_string_value(v)
				 : flow_import_text(v, "to|next|target|node");
}

static void lead(struct flow_import_node *n, const char *trigger,
		 const char *to)
{
	json_t *on = json_object_get(n->ours, "on");

	if (!on) {
		on = json_object();
		json_object_set_new(n->ours, "on", on);
	}
	json_object_set_new(on, trigger, json_string(to));
}

static void map_state(struct flow_importing *im, struct flow_import_node *n,
		      const char *name, const char *target)
{
	const struct flow_import_node *to = find_node(im, span_of(target));
	const struct flow_import_state *s = n->kind->states;
	AUTO_BUF(key, IMPORT_PATH_MAX);

	buf_printf(&key, "states/%.60s", name);
	if (!*target)
		return;
	if (!to || !to->kind->type) {
		flow_import_note(im, "dropped", key.p,
				 "leads to \"%.64s\", which is not here",
				 target);
		return;
	}
	while (s && s->theirs && !flow_import_is(name, s->theirs))
		s++;
	if (s && s->theirs) {
		for (size_t i = 0; i < COUNT_OF(s->ours) && s->ours[i]; i++)
			lead(n, s->ours[i], to->id);
	} else if (strcmp(n->kind->type, "branch") == 0) {
		char id[FLOW_NAME_MAX + 1];

		flow_import_id(name, id);
		lead(n, id, to->id);
	} else {
		flow_import_note(im, "dropped", key.p,
				 "a %s node has no such trigger",
				 n->kind->type);
	}
}

static void map_states(struct flow_importing *im, struct flow_import_node *n)
{
	json_t *states = flow_import_get(n->theirs, "states|outputs|on");
	const char *name;
	size_t i;
	json_t *v;

	json_object_foreach(states, name, v)
		map_state(im, n, name, target_of(v));
	json_array_foreach(states, i, v) map_state(
		im, n, flow_import_text(v, "name|state"), target_of(v));
}

/* --- where it ended, it hangs up ----------------------------------------------------------- */

static const struct flow_driver *driver_of(const struct flow_import_node *n)
{
	for (size_t i = 0; i < flow_drivers_count; i++)
		if (strcmp(flow_drivers[i]->type, n->kind->type) == 0)
			return flow_drivers[i];
	return NULL;
}

static bool is_optional(const struct flow_driver *d, const char *trigger)
{
	for (const char *const *o = d->optional; o && *o; o++)
		if (strcmp(*o, trigger) == 0)
			return true;
	return false;
}

static bool connect_rest(struct flow_import_node *n)
{
	const struct flow_driver *d = driver_of(n);
	bool any = false;

	for (size_t i = 0; d && d->triggers && d->triggers[i]; i++) {
		const char *trigger = d->triggers[i];
		const json_t *on = json_object_get(n->ours, "on");

		if (json_object_get(on, trigger) || is_optional(d, trigger) ||
		    d->is_start)
			continue;
		lead(n, trigger, END);
		any = true;
	}
	return any;
}

static void add_end(struct flow_importing *im)
{
	bool any = false;

	for (size_t i = 0; i < im->count; i++)
		if (im->items[i].ours && connect_rest(&im->items[i]))
			any = true;
	if (!any || find_node(im, span_of(END)))
		return;
	(void)snprintf(im->path, sizeof(im->path), "/nodes/%zu",
		       json_array_size(im->nodes));
	flow_import_note(im, "added", NULL,
			 "a hangup, where nothing was connected");
	json_array_append_new(im->nodes,
			      json_pack("{s:s,s:s,s:{s:i,s:i}}", "id", END,
					"type", "hangup", "ui", "x", 0, "y",
					(int)im->count * ROW_HEIGHT));
}

/* --- the whole ------------------------------------------------------------------------------- */

static bool is_start(const struct flow_import_node *n)
{
	return n->kind->type && strcmp(n->kind->type, "start") == 0;
}

static void make_nodes(struct flow_importing *im, bool starts)
{
	for (size_t i = 0; i < im->count; i++) {
		struct flow_import_node *n = &im->items[i];

		if (is_start(n) != starts)
			continue;
		(void)snprintf(im->path, sizeof(im->path), "/nodes/%zu", i);
		make_node(im, n, i);
		if (starts)
			json_object_set_new(im->document, "start",
					    json_string(n->id));
	}
}

static void import_all(struct flow_importing *im, const json_t *theirs,
		       const json_t *nodes)
{
	const char *name = flow_import_text(theirs, "name|friendly_name|title");
	char title[FLOW_NAME_MAX + 1];

	(void)snprintf(title, sizeof(title), "%s", *name ? name : "Imported");
	im->document = json_object();
	json_object_set_new(im->document, "format", json_string("voiceflow/1"));
	json_object_set_new(im->document, "name", clean(title));
	im->nodes = json_array();
	json_object_set_new(im->document, "nodes", im->nodes);
	read_nodes(im, nodes);
	/* the start first: it says what is secret */
	make_nodes(im, true);
	make_nodes(im, false);
	for (size_t i = 0; i < im->count; i++) {
		(void)snprintf(im->path, sizeof(im->path), "/nodes/%zu", i);
		if (im->items[i].ours)
			map_states(im, &im->items[i]);
	}
	add_end(im);
}

int flow_import(struct span text, json_t **document, json_t **report,
		struct diag *d)
{
	AUTO_JSON json_t *theirs = NULL;
	struct flow_importing im = {0};
	json_t *inner;
	int err;

	if (text.n > FLOW_DOCUMENT_MAX)
		return diag_set(d, "over %d bytes", FLOW_DOCUMENT_MAX);
	err = js_parse(text, &theirs, d);
	if (err)
		return err;
	inner = flow_import_get(theirs, "phlo|flow");
	if (!json_is_object(inner))
		inner = theirs;
	if (!json_is_array(json_object_get(inner, "nodes")))
		return diag_field(d, "nodes", "a flow has a list of nodes");
	im.report = json_array();
	if (json_object_get(inner, "format")) {
		*document = json_incref(inner);
	} else {
		im.secrets = json_object();
		import_all(&im, inner, json_object_get(inner, "nodes"));
		json_decref(im.secrets);
		*document = im.document;
	}
	*report = im.report;
	return 0;
}
