// SPDX-License-Identifier: Apache-2.0
/*
 * document.c - from JSON to nodes: the shape of a document.
 *
 * What a field may hold is judged here and in the drivers; what the drawing as
 * a whole may do is judged in check.c.  Both go on after a finding, so a node
 * of an unknown type still has a name that edges may point to.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"

void *flow_keep(struct flow *f, void *p)
{
	f->kept = b_grow(f->kept, f->kept_count + 1, sizeof(*f->kept));
	f->kept[f->kept_count++] = p;
	return p;
}

char *flow_keep_text(struct flow *f, const char *text)
{
	return flow_keep(f, b_strdup(text));
}

/* --- slots ---------------------------------------------------------------------- */

static int add_slot(struct flow *f, char *name, const char *sample)
{
	struct flow_slot *slot;

	f->slots = b_grow(f->slots, f->slots_count + 1, sizeof(*f->slots));
	slot = &f->slots[f->slots_count];
	memset(slot, 0, sizeof(*slot));
	slot->name = name;
	slot->sample = flow_keep_text(f, sample ? sample : "");
	return (int)f->slots_count++;
}

int flow_slot_add(struct flow *f, const char *root, const char *path,
		  const char *sample)
{
	AUTO_BUF(name, FLOW_SLOT_NAME_MAX + 1);

	buf_printf(&name, "%s.%s", root, path);
	/* a name that is too long can be written, but never referred to */
	return add_slot(f, flow_keep(f, buf_take(&name)), sample);
}

int flow_slot_find(const struct flow *f, const char *name)
{
	for (size_t i = 0; i < f->slots_count; i++)
		if (strcmp(f->slots[i].name, name) == 0)
			return (int)i;
	return -1;
}

void flow_node_sets(struct flow_node *n, int slot)
{
	n->sets = b_grow(n->sets, n->sets_count + 1, sizeof(*n->sets));
	n->sets[n->sets_count++] = slot;
}

static void add_given(struct flow *f)
{
	static const struct {
		const char *name, *sample;
		enum flow_show show;
	} GIVEN[FLOW_GIVEN_COUNT] = {
		[FLOW_GIVEN_ID] = {"verification.id", "ver_00", FLOW_SHOW_TEXT},
		[FLOW_GIVEN_TO] = {"verification.to", "+15005550006",
				   FLOW_SHOW_NUMBER},
		[FLOW_GIVEN_FROM] = {"verification.from", "+15671234567",
				     FLOW_SHOW_NUMBER},
		[FLOW_GIVEN_LOCALE] = {"verification.locale", "en",
				       FLOW_SHOW_TEXT},
		[FLOW_GIVEN_ATTEMPT] = {"verification.attempt", "1",
					FLOW_SHOW_TEXT},
		[FLOW_GIVEN_PURPOSE] = {"verification.purpose", "login",
					FLOW_SHOW_TEXT},
		[FLOW_GIVEN_BRAND] = {"verification.brand", "Acme",
				      FLOW_SHOW_TEXT},
		[FLOW_GIVEN_AMOUNT] = {"verification.amount", "10.00",
				       FLOW_SHOW_TEXT},
		[FLOW_GIVEN_PAYEE] = {"verification.payee", "Shop",
				      FLOW_SHOW_TEXT},
		[FLOW_GIVEN_CALLBACK] = {"verification.callback",
					 "+15671234567", FLOW_SHOW_NUMBER},
		[FLOW_GIVEN_CODE_LENGTH] = {"verification.code_length", "6",
					    FLOW_SHOW_TEXT},
		[FLOW_GIVEN_CODE] = {"verification.code", "000000",
				     FLOW_SHOW_SECRET},
		[FLOW_GIVEN_CALL_ID] = {"call.id", "call_00", FLOW_SHOW_TEXT},
		[FLOW_GIVEN_CALL_LANGUAGE] = {"call.language", "en",
					      FLOW_SHOW_TEXT},
		[FLOW_GIVEN_FLOW_NAME] = {"flow.name", "Flow", FLOW_SHOW_TEXT},
		[FLOW_GIVEN_FLOW_VERSION] = {"flow.version", "1",
					     FLOW_SHOW_TEXT},
	};

	for (size_t i = 0; i < FLOW_GIVEN_COUNT; i++) {
		int slot = add_slot(f, flow_keep_text(f, GIVEN[i].name),
				    GIVEN[i].sample);

		f->slots[slot].early = true;
		f->slots[slot].show = GIVEN[i].show;
		f->slots[slot].secret = GIVEN[i].show == FLOW_SHOW_SECRET;
	}
}

/* --- nodes ----------------------------------------------------------------------- */

static const struct flow_driver *find_driver(const char *type)
{
	for (size_t i = 0; i < flow_drivers_count; i++)
		if (strcmp(flow_drivers[i]->type, type) == 0)
			return flow_drivers[i];
	return NULL;
}

static void read_type(const struct flow_at *at, const json_t *o)
{
	const char *type = flow_text(at, o, "type", FLOW_WORD_MAX, true);

	if (!type)
		return;
	at->node->driver = find_driver(type);
	if (!at->node->driver)
		flow_find(at, "type", FLOW_IS_ERROR("unknown_type"),
			  "this version has no node type \"%.60s\"", type);
}

static void read_id(const struct flow_at *at, const json_t *o)
{
	static const char *const ROOTS[] = {"vars", "verification", "call",
					    "flow"};
	const char *id = flow_text(at, o, "id", FLOW_NAME_MAX, true);

	if (!id)
		return;
	memcpy(at->node->id, id, strlen(id) + 1);
	if (!flow_is_name(id)) {
		flow_find(at, "id", FLOW_IS_ERROR("bad_value"),
			  "must be letters, digits, - and _, a letter first");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(ROOTS); i++)
		if (strcmp(id, ROOTS[i]) == 0)
			flow_find(at, "id", FLOW_IS_ERROR("bad_value"),
				  "\"%s\" is the name of something else", id);
	for (size_t i = 0; i < at->node->index; i++)
		if (strcmp(at->flow->nodes[i].id, id) == 0)
			flow_find(at, "id", FLOW_IS_ERROR("duplicate_id"),
				  "another node is called \"%s\"", id);
}

static void read_ui(const struct flow_at *at, const json_t *o)
{
	const json_t *ui = flow_object(at, o, "ui");
	struct flow_at here = flow_at_key(at, "ui");
	const struct flow_range place = {INT32_MIN, INT32_MAX, 0};

	if (!ui)
		return;
	flow_known(&here, ui, (const char *const[]){"x", "y", NULL});
	(void)flow_int(&here, ui, "x", place);
	(void)flow_int(&here, ui, "y", place);
}

struct flow_edge *flow_edge_add(struct flow *f, struct flow_node *n,
				const char *trigger)
{
	struct flow_edge *e;

	n->edges = b_grow(n->edges, n->edges_count + 1, sizeof(*n->edges));
	e = &n->edges[n->edges_count++];
	*e = (struct flow_edge){.trigger = flow_keep_text(f, trigger),
				.target = -1};
	return e;
}

static void add_triggers(struct flow *f, struct flow_node *n)
{
	const char *const *triggers = n->driver->triggers;

	for (size_t i = 0; triggers && triggers[i]; i++)
		(void)flow_edge_add(f, n, triggers[i]);
}

static void add_gives(struct flow *f, struct flow_node *n)
{
	const struct flow_gives *g = n->driver->gives;

	for (; g && g->name; g++)
		flow_node_sets(n, flow_slot_add(f, n->id, g->name, g->sample));
}

static struct flow_edge *find_edge(struct flow_node *n, const char *trigger)
{
	for (size_t i = 0; i < n->edges_count; i++)
		if (strcmp(n->edges[i].trigger, trigger) == 0)
			return &n->edges[i];
	return NULL;
}

static void read_edges(const struct flow_at *at, const json_t *o)
{
	json_t *on = flow_object(at, o, "on");
	struct flow_at here = flow_at_key(at, "on");
	const char *trigger;
	json_t *to;

	json_object_foreach(on, trigger, to)
	{
		struct flow_edge *edge = find_edge(at->node, trigger);

		if (!json_is_string(to)) {
			flow_find(&here, trigger, FLOW_IS_ERROR("bad_value"),
				  "must be the id of a node");
			continue;
		}
		/* an unknown type has whatever triggers it names */
		if (!edge && !at->node->driver)
			edge = flow_edge_add(at->flow, at->node, trigger);
		if (edge)
			edge->to =
				flow_keep_text(at->flow, json_string_value(to));
		else
			flow_find(&here, trigger,
				  FLOW_IS_ERROR("unknown_trigger"),
				  "a %s node has no trigger \"%.60s\"",
				  at->node->driver->type, trigger);
	}
}

static void read_node(const struct flow_at *root, const json_t *o, size_t index)
{
	static const char *const KNOWN[] = {"id", "type", "config",
					    "on", "ui",   NULL};
	struct flow_node *n = &root->flow->nodes[index];
	struct flow_at at, config_at;
	AUTO_JSON json_t *nothing = json_object();
	json_t *config;

	n->index = index;
	at = flow_at_node(root, n);
	if (!json_is_object(o)) {
		flow_find(&at, NULL, FLOW_IS_ERROR("bad_value"),
			  "must be an object");
		return;
	}
	read_id(&at, o);
	read_type(&at, o);
	flow_known(&at, o, KNOWN);
	read_ui(&at, o);
	config = flow_object(&at, o, "config");
	if (n->driver) {
		add_triggers(root->flow, n);
		add_gives(root->flow, n);
		config_at = flow_at_key(&at, "config");
		n->driver->parse(&config_at, config ? config : nothing);
	}
	read_edges(&at, o);
}

static void read_nodes(const struct flow_at *root, const json_t *doc)
{
	json_t *nodes = flow_array(root, doc, "nodes", FLOW_NODES_MAX);
	struct flow *f = root->flow;

	if (!json_object_get(doc, "nodes"))
		flow_find(root, "nodes", FLOW_IS_ERROR("missing_field"),
			  "\"nodes\" is missing");
	f->nodes_count = json_array_size(nodes);
	f->nodes = b_zero(f->nodes_count + 1, sizeof(*f->nodes));
	for (size_t i = 0; i < f->nodes_count; i++)
		read_node(root, json_array_get(nodes, i), i);
}

/* --- the document ------------------------------------------------------------------- */

static void read_limits(const struct flow_at *root, const json_t *doc)
{
	json_t *limits = flow_object(root, doc, "limits");
	struct flow_at at = flow_at_key(root, "limits");

	root->flow->max_steps = FLOW_STEPS_DEFAULT;
	root->flow->max_call_seconds = FLOW_SECONDS_DEFAULT;
	if (!limits)
		return;
	flow_known(&at, limits,
		   (const char *const[]){"max_steps", "max_call_seconds",
					 NULL});
	root->flow->max_steps = (unsigned)flow_int(
		&at, limits, "max_steps",
		(struct flow_range){1, FLOW_STEPS_MAX, FLOW_STEPS_DEFAULT});
	root->flow->max_call_seconds = (unsigned)flow_int(
		&at, limits, "max_call_seconds",
		(struct flow_range){1, FLOW_SECONDS_MAX, FLOW_SECONDS_DEFAULT});
}

/* "en-US" speaks with the voice for "en". */
static void read_language(const struct flow_at *root, const json_t *doc)
{
	const char *text = flow_text(root, doc, "language",
				     SPEECH_LANGUAGE_BYTES - 1, false);
	const struct flow_world *w = root->world;
	char *language;

	if (!text)
		return;
	language = flow_keep_text(root->flow, text);
	language[strcspn(language, "-")] = '\0';
	root->flow->language = language;
	if (w->has_voice && !w->has_voice(language, w->ctx))
		flow_find(root, "language", FLOW_IS_ERROR("unknown_voice"),
			  "there is no voice for \"%s\"", language);
}

static void read_start(const struct flow_at *root, const json_t *doc)
{
	const char *id = flow_text(root, doc, "start", FLOW_NAME_MAX, true);
	struct flow *f = root->flow;
	const json_t *nodes = json_object_get(doc, "nodes");
	size_t starts = 0;
	bool named = false;

	if (f->nodes_count == 0 &&
	    (!json_is_array(nodes) || json_array_size(nodes) > 0))
		return; /* there is a finding about the nodes already */

	for (size_t i = 0; i < f->nodes_count; i++) {
		struct flow_node *n = &f->nodes[i];
		struct flow_at at = flow_at_node(root, n);

		if (!n->driver || !n->driver->is_start)
			continue;
		if (starts++ > 0)
			flow_find(&at, NULL, FLOW_IS_ERROR("many_starts"),
				  "a flow has one start node");
		if (id && strcmp(n->id, id) == 0) {
			f->start = i;
			named = true;
		}
	}
	if (starts == 0)
		flow_find(root, "nodes", FLOW_IS_ERROR("no_start"),
			  "there is no start node");
	else if (id && !named)
		flow_find(root, "start", FLOW_IS_ERROR("no_start"),
			  "there is no start node called \"%s\"", id);
}

void flow_document(const struct flow_at *root, const json_t *doc)
{
	static const char *const KNOWN[] = {
		"format", "name", "language", "start", "nodes", "limits", NULL};
	const char *format, *name;

	add_given(root->flow);
	if (!json_is_object(doc)) {
		flow_find(root, NULL, FLOW_IS_ERROR("bad_value"),
			  "a flow is a JSON object");
		return;
	}
	flow_known(root, doc, KNOWN);
	format = flow_text(root, doc, "format", FLOW_WORD_MAX, true);
	if (format && strcmp(format, "voiceflow/1") != 0)
		flow_find(root, "format", FLOW_IS_ERROR("bad_format"),
			  "must be \"voiceflow/1\"");
	name = flow_text(root, doc, "name", FLOW_NAME_MAX, true);
	root->flow->name = flow_keep_text(root->flow, name ? name : "");
	read_limits(root, doc);
	read_language(root, doc);
	read_nodes(root, doc);
	read_start(root, doc);
}
