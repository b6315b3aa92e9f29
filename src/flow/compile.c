// SPDX-License-Identifier: Apache-2.0
/*
 * compile.c - names become indexes.
 *
 * After this a run compares no texts but triggers.  What a name does not lead
 * to is a finding here, because here it is noticed.
 */
#include <string.h>

#include "flow/http_priv.h"

static int find_node(const struct flow *f, const char *id)
{
	for (size_t i = 0; i < f->nodes_count; i++)
		if (strcmp(f->nodes[i].id, id) == 0)
			return (int)i;
	return -1;
}

static void connect(const struct flow_at *root, struct flow_node *n)
{
	struct flow_at at = flow_at_node(root, n);
	struct flow_at on = flow_at_key(&at, "on");
	const struct flow_driver *to;

	for (size_t i = 0; i < n->edges_count; i++) {
		struct flow_edge *e = &n->edges[i];

		if (!e->to)
			continue;
		e->target = find_node(root->flow, e->to);
		if (e->target < 0) {
			flow_find(&on, e->trigger,
				  FLOW_IS_ERROR("dangling_edge"),
				  "there is no node \"%.64s\"", e->to);
			continue;
		}
		to = root->flow->nodes[e->target].driver;
		if (to && to->is_start) {
			e->target = -1;
			flow_find(&on, e->trigger,
				  FLOW_IS_ERROR("edge_to_start"),
				  "nothing leads back to the start");
		}
	}
}

/* The place of a template or a line, for findings. */
static struct flow_at place(const struct flow_at *root, size_t node,
			    const char path[FLOW_PATH_BYTES])
{
	struct flow_at at = *root;

	at.node = &root->flow->nodes[node];
	memcpy(at.path, path, sizeof(at.path));
	return at;
}

static bool only_digits_filter(const struct flow_part *part)
{
	for (size_t i = 0; i < part->filters_count; i++)
		if (part->filters[i] != FLOW_FILTER_DIGITS)
			return false;
	return true;
}

/* A secret may be compared, or be spelt digit by digit; nothing else. */
static void judge_secret(const struct flow_at *at, struct flow_template *t,
			 size_t i)
{
	const struct flow_part *part = &t->parts[i];

	if (t->place == FLOW_PLACE_VERIFY)
		return;
	if (t->place != FLOW_PLACE_SSML || !flow_template_is_spelt(t, i)) {
		t->bad = true;
		flow_find(at, NULL, FLOW_IS_ERROR("secret_leak"),
			  "\"%.80s\" is secret: it is spoken only alone within "
			  "<say-as interpret-as=\"digits\">, or verified",
			  part->path);
	} else if (!only_digits_filter(part)) {
		t->bad = true;
		flow_find(at, NULL, FLOW_IS_ERROR("bad_template"),
			  "a secret takes no filter but digits");
	}
}

/* The node of which `path` names something that it is open for; NULL: none. */
static struct flow_node *open_node(const struct flow *f, const char *path)
{
	for (size_t i = 0; i < f->nodes_count; i++) {
		struct flow_node *n = &f->nodes[i];
		size_t id = strlen(n->id);

		if (n->driver && n->driver->open &&
		    strncmp(n->id, path, id) == 0 && path[id] == '.' &&
		    span_starts(span_of(path + id + 1), n->driver->open))
			return n;
	}
	return NULL;
}

/* A new slot for what such a node will give. */
static int open_slot(const struct flow_at *at, const char *path)
{
	struct flow *f = at->flow;
	struct flow_node *n = open_node(f, path);
	size_t more = 0;
	int slot;

	if (!n) {
		flow_find(at, NULL, FLOW_IS_ERROR("unknown_variable"),
			  "nothing gives \"%.80s\"", path);
		return -1;
	}
	for (const struct flow_gives *g = n->driver->gives; g && g->name; g++)
		more++;
	if (n->sets_count - more >= FLOW_OPEN_MAX) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_range"),
			  "more than %d values of \"%s\" are named",
			  FLOW_OPEN_MAX, n->id);
		return -1;
	}
	/* a sample that can be said in every way */
	slot = flow_slot_add(f, n->id, path + strlen(n->id) + 1, "1");
	flow_node_sets(n, slot);
	return slot;
}

static void find_slots(const struct flow_at *root, struct flow_template *t)
{
	struct flow_at at = place(root, t->node, t->path);
	struct flow *f = root->flow;

	t->early = true;
	for (size_t i = 0; i < t->count; i++) {
		struct flow_part *part = &t->parts[i];

		if (part->literal)
			continue;
		part->slot = flow_slot_find(f, part->path);
		if (part->slot < 0)
			part->slot = open_slot(&at, part->path);
		if (part->slot < 0) {
			t->bad = true;
			continue;
		}
		f->slots[part->slot].used = true;
		t->early = t->early && f->slots[part->slot].early;
	}
}

/* Keys that were typed, and variables, can be what is verified. */
static bool may_be_code(const struct flow_slot *slot)
{
	return slot->show == FLOW_SHOW_DIGITS ||
	       span_starts(span_of(slot->name), "vars.");
}

static bool spread_secrecy(struct flow *f, const struct flow_template *t)
{
	bool changed = false;

	if (t->place != FLOW_PLACE_VERIFY &&
	    (t->into < 0 || !f->slots[t->into].secret))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		struct flow_slot *slot;

		if (t->parts[i].literal || t->parts[i].slot < 0)
			continue;
		slot = &f->slots[t->parts[i].slot];
		if (slot->secret || !may_be_code(slot))
			continue;
		slot->secret = changed = true;
	}
	return changed;
}

/* What is verified is the code, whatever a drawing calls it, and so is what it
 * was made of. */
static void derive_secrets(struct flow *f)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < f->templates_count; i++)
			changed |= spread_secrecy(f, f->templates[i]);
	}
}

static void judge(const struct flow_at *root, struct flow_template *t)
{
	struct flow_at at = place(root, t->node, t->path);
	struct flow *f = root->flow;

	for (size_t i = 0; i < t->count; i++) {
		const struct flow_part *part = &t->parts[i];

		if (part->literal || part->slot < 0 ||
		    !f->slots[part->slot].secret)
			continue;
		t->holds_secret = true;
		if (part->slot == FLOW_GIVEN_CODE &&
		    t->place == FLOW_PLACE_SSML)
			f->says_code = true;
		judge_secret(&at, t, i);
	}
}

static void sum_up(struct flow *f)
{
	for (size_t i = 0; i < f->nodes_count; i++) {
		const struct flow_driver *d = f->nodes[i].driver;

		if (!d)
			continue;
		f->says_code = f->says_code || d->says_code;
		f->asks_code = f->asks_code || d == &flow_verify;
		f->has_check = f->has_check || d->human;
	}
}

void flow_compile(const struct flow_at *root)
{
	struct flow *f = root->flow;

	for (size_t i = 0; i < f->nodes_count; i++)
		connect(root, &f->nodes[i]);
	for (size_t i = 0; i < f->templates_count; i++)
		find_slots(root, f->templates[i]);
	derive_secrets(f);
	for (size_t i = 0; i < f->templates_count; i++)
		judge(root, f->templates[i]);
	sum_up(f);
}
