// SPDX-License-Identifier: Apache-2.0
/*
 * check.c - what a drawing as a whole may do.
 *
 * Two questions are asked of the graph.  Does every run end: without the edges
 * that something counts (a repeat's `again`, a verify's `mismatch`, which the
 * verification itself limits) there must be no way round.  And what holds at
 * a node on every way to it: a call is up, a person was there, a variable was
 * set.  The second is a forward must-analysis: facts start as "nothing is
 * known to be missing", lose what some way in lacks, and are pushed along the
 * edges until nothing changes.  They only ever lose, so that ends.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"

/* --- does every run end? ---------------------------------------------------------- */

enum colour { WHITE, GREY, BLACK };

struct walk {
	const struct flow_at *root;
	enum colour colours[FLOW_NODES_MAX];
};

static bool is_bounded(const struct flow_node *n, const struct flow_edge *e)
{
	return n->driver && n->driver->bounded &&
	       strcmp(n->driver->bounded, e->trigger) == 0;
}

/* Depth first; at most FLOW_NODES_MAX deep. */
static void look_for_loops(struct walk *w, size_t index)
{
	struct flow_node *n = &w->root->flow->nodes[index];
	struct flow_at at = flow_at_node(w->root, n);
	struct flow_at on = flow_at_key(&at, "on");

	w->colours[index] = GREY;
	for (size_t i = 0; i < n->edges_count; i++) {
		const struct flow_edge *e = &n->edges[i];

		if (e->target < 0 || is_bounded(n, e))
			continue;
		if (w->colours[e->target] == GREY)
			flow_find(&on, e->trigger,
				  FLOW_IS_ERROR("unbounded_loop"),
				  "this leads back to \"%s\", and no repeat or "
				  "verify counts how often",
				  e->to);
		else if (w->colours[e->target] == WHITE)
			look_for_loops(w, (size_t)e->target);
	}
	w->colours[index] = BLACK;
}

static void check_loops(const struct flow_at *root)
{
	struct walk w = {.root = root};

	for (size_t i = 0; i < root->flow->nodes_count; i++)
		if (w.colours[i] == WHITE)
			look_for_loops(&w, i);
}

/* --- what holds at a node ----------------------------------------------------------- */

enum { BITS = 64 };

struct facts {
	bool reached;
	bool may_be_down, may_be_up; /* a call, on some way */
	bool may_be_machine;         /* no human check was passed */
	uint64_t *set;               /* slots set on every way */
};

struct analysis {
	const struct flow_at *root;
	struct facts *facts; /* of each node, as a run enters it */
	size_t words;
};

static bool has_bit(const uint64_t *set, int slot)
{
	return set[slot / BITS] >> (slot % BITS) & 1;
}

static void put_bit(uint64_t *set, int slot)
{
	set[slot / BITS] |= (uint64_t)1 << (slot % BITS);
}

/* What holds behind `e`, into `out`, which has room for the set. */
static void leave(const struct analysis *a, const struct flow_node *n,
		  const struct flow_edge *e, struct facts *out)
{
	const struct facts *in = &a->facts[n->index];
	const struct flow_driver *d = n->driver;
	const struct flow_gives *g = d ? d->gives : NULL;
	uint64_t *set = out->set;

	*out = *in;
	out->set = set;
	memcpy(set, in->set, a->words * sizeof(*set));
	if (!d)
		return;
	if (d->live) {
		out->may_be_up = strcmp(d->live, e->trigger) == 0;
		out->may_be_down = !out->may_be_up;
	}
	if (d->human && strcmp(d->human, e->trigger) == 0)
		out->may_be_machine = false;
	for (size_t i = 0; i < n->sets_count; i++) {
		const char *only = d->open_on;

		if (g && g->name)
			only = (g++)->only_on;
		if (!only || strcmp(only, e->trigger) == 0)
			put_bit(set, n->sets[i]);
	}
}

/* True if `into` lost something by it. */
static bool join(const struct analysis *a, struct facts *into,
		 const struct facts *from)
{
	struct facts was = *into;
	bool changed;

	into->reached = true;
	into->may_be_up |= from->may_be_up;
	into->may_be_down |= from->may_be_down;
	into->may_be_machine |= from->may_be_machine;
	changed = !was.reached || was.may_be_up != into->may_be_up ||
		  was.may_be_down != into->may_be_down ||
		  was.may_be_machine != into->may_be_machine;
	for (size_t i = 0; i < a->words; i++) {
		uint64_t both = was.reached ? into->set[i] & from->set[i]
					    : from->set[i];

		changed = changed || both != into->set[i];
		into->set[i] = both;
	}
	return changed;
}

static bool spread(struct analysis *a, struct facts *scratch)
{
	const struct flow *f = a->root->flow;
	bool changed = false;

	for (size_t i = 0; i < f->nodes_count; i++) {
		const struct flow_node *n = &f->nodes[i];

		for (size_t k = 0; a->facts[i].reached && k < n->edges_count;
		     k++) {
			const struct flow_edge *e = &n->edges[k];

			if (e->target < 0)
				continue;
			leave(a, n, e, scratch);
			changed |= join(a, &a->facts[e->target], scratch);
		}
	}
	return changed;
}

static void analyse(struct analysis *a)
{
	const struct flow *f = a->root->flow;
	struct facts scratch = {0};
	uint64_t *bits;

	a->words = f->slots_count / BITS + 1;
	a->facts = b_zero(f->nodes_count, sizeof(*a->facts));
	bits = b_zero(f->nodes_count + 1, a->words * sizeof(*bits));
	for (size_t i = 0; i < f->nodes_count; i++)
		a->facts[i].set = bits + (i + 1) * a->words;
	scratch.set = bits;

	a->facts[f->start].reached = true;
	a->facts[f->start].may_be_down = true;
	a->facts[f->start].may_be_machine = true;
	for (size_t i = 0; i < f->slots_count; i++)
		if (f->slots[i].early)
			put_bit(a->facts[f->start].set, (int)i);
	while (spread(a, &scratch))
		;
}

static void analysis_done(struct analysis *a)
{
	free(a->facts[0].set - a->words); /* where `bits` began */
	free(a->facts);
}

/* --- and what follows ------------------------------------------------------------------ */

static bool is_listed(const char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static void check_connected(const struct flow_at *at, const struct flow_node *n)
{
	struct flow_at on = flow_at_key(at, "on");

	for (size_t i = 0; i < n->edges_count; i++) {
		const struct flow_edge *e = &n->edges[i];

		if (e->to)
			continue;
		if (n->driver->is_start)
			flow_find(&on, e->trigger,
				  FLOW_IS_ERROR("unconnected_trigger"),
				  "the start leads nowhere");
		else if (is_listed(n->driver->optional, e->trigger))
			flow_find(&on, e->trigger,
				  FLOW_IS_INFO("optional_trigger"),
				  "not connected: the run ends there");
		else
			flow_find(&on, e->trigger,
				  FLOW_IS_WARNING("unconnected_trigger"),
				  "not connected: the run ends there");
	}
}

static bool says_code(const struct flow *f, const struct flow_node *n)
{
	if (n->driver->says_code)
		return true;
	for (size_t i = 0; i < f->templates_count; i++) {
		const struct flow_template *t = f->templates[i];

		for (size_t k = 0; t->node == n->index && k < t->count; k++)
			if (t->place == FLOW_PLACE_SSML &&
			    !t->parts[k].literal &&
			    t->parts[k].slot == FLOW_GIVEN_CODE)
				return true;
	}
	return false;
}

/* many_starts or duplicate_id says why nothing leads here. */
static bool is_misplaced(const struct flow *f, const struct flow_node *n)
{
	for (size_t i = 0; i < n->index; i++)
		if (strcmp(f->nodes[i].id, n->id) == 0)
			return true;
	return n->driver->is_start;
}

static void check_node(const struct analysis *a, struct flow_node *n)
{
	const struct facts *facts = &a->facts[n->index];
	struct flow_at at = flow_at_node(a->root, n);

	if (!n->driver)
		return;
	check_connected(&at, n);
	if (!facts->reached && is_misplaced(a->root->flow, n))
		return;
	if (!facts->reached) {
		flow_find(&at, NULL, FLOW_IS_WARNING("unreachable"),
			  "nothing leads here");
		return;
	}
	if (n->driver->speaks && facts->may_be_down)
		flow_find(&at, NULL, FLOW_IS_ERROR("no_live_call"),
			  "a run can get here without an answered call");
	if (n->driver->live && facts->may_be_up)
		flow_find(&at, NULL, FLOW_IS_ERROR("call_in_call"),
			  "a run can get here while a call is up");
	if (says_code(a->root->flow, n) && facts->may_be_machine)
		flow_find(&at, NULL, FLOW_IS_WARNING("no_human_check"),
			  "the code is spoken to whoever answers, a mailbox "
			  "too: put a human-check before it");
}

static void check_set(const struct analysis *a, const struct flow_template *t)
{
	const struct facts *facts = &a->facts[t->node];
	struct flow_at at = *a->root;

	at.node = &a->root->flow->nodes[t->node];
	memcpy(at.path, t->path, sizeof(at.path));
	for (size_t i = 0; facts->reached && i < t->count; i++) {
		const struct flow_part *part = &t->parts[i];

		if (part->literal || part->slot < 0 || part->fallback ||
		    has_bit(facts->set, part->slot))
			continue;
		flow_find(&at, NULL, FLOW_IS_WARNING("maybe_unset"),
			  "\"%.80s\" is not set on every way here", part->path);
	}
}

/* Is there a way from `index` to any call? */
static bool leads_to_call(const struct flow *f, size_t index, bool *seen)
{
	const struct flow_node *n = &f->nodes[index];

	if (seen[index])
		return false;
	seen[index] = true;
	if (n->driver && n->driver->live)
		return true;
	for (size_t i = 0; i < n->edges_count; i++)
		if (n->edges[i].target >= 0 &&
		    leads_to_call(f, (size_t)n->edges[i].target, seen))
			return true;
	return false;
}

/* Who is busy or declines was reached; ringing again is a nuisance. */
static void check_redial(const struct flow_at *root, struct flow_node *n)
{
	static const char *const PERSONAL[] = {"busy", "rejected", NULL};
	struct flow_at at = flow_at_node(root, n);
	struct flow_at on = flow_at_key(&at, "on");

	if (!n->driver || !n->driver->live)
		return;
	for (size_t i = 0; i < n->edges_count; i++) {
		const struct flow_edge *e = &n->edges[i];
		bool seen[FLOW_NODES_MAX] = {false};

		if (e->target >= 0 && is_listed(PERSONAL, e->trigger) &&
		    leads_to_call(root->flow, (size_t)e->target, seen))
			flow_find(&on, e->trigger,
				  FLOW_IS_WARNING("redial_declined"),
				  "this dials again after the person was busy "
				  "or declined");
	}
}

void flow_check(const struct flow_at *root)
{
	struct analysis a = {.root = root};
	struct flow *f = root->flow;

	check_loops(root);
	if (f->nodes_count == 0 || !f->nodes[f->start].driver ||
	    !f->nodes[f->start].driver->is_start)
		return; /* no_start says it */
	analyse(&a);
	for (size_t i = 0; i < f->nodes_count; i++)
		check_node(&a, &f->nodes[i]);
	for (size_t i = 0; i < f->templates_count; i++)
		check_set(&a, f->templates[i]);
	for (size_t i = 0; i < f->nodes_count; i++)
		check_redial(root, &f->nodes[i]);
	analysis_done(&a);
}
