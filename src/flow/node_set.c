// SPDX-License-Identifier: Apache-2.0
/*
 * node_set.c - give values names of their own.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/run_priv.h"

struct config {
	struct {
		int slot;
		const char *name;
		struct flow_template *value;
	} values[FLOW_VALUES_MAX];
	size_t count;
};

static void parse_value(const struct flow_at *at, const json_t *values,
			const char *name, struct config *c)
{
	struct flow_template *t;
	AUTO_BUF(full, FLOW_SLOT_NAME_MAX);
	int slot;

	if (!flow_is_name(name) ||
	    strnlen(name, FLOW_NAME_MAX + 1) > FLOW_NAME_MAX) {
		flow_find(at, name, FLOW_IS_ERROR("bad_value"),
			  "a name is letters, digits, - and _, a letter first, "
			  "at most %d bytes",
			  FLOW_NAME_MAX);
		return;
	}
	t = flow_template_at(at, values, name, FLOW_PLACE_PLAIN, true);
	if (!t)
		return;
	buf_printf(&full, "vars.%s", name);
	slot = flow_slot_find(at->flow, full.p);
	if (slot < 0)
		slot = flow_slot_add(at->flow, "vars", name, "sample");
	t->into = slot;
	flow_node_sets(at->node, slot);
	c->values[c->count].name = flow_keep_text(at->flow, name);
	c->values[c->count].slot = slot;
	c->values[c->count++].value = t;
}

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"values", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));
	struct flow_at list = flow_at_key(at, "values");
	json_t *values = flow_object(at, config, "values");
	const char *name;
	json_t *v;

	at->node->config = c;
	flow_known(at, config, KNOWN);
	if (!json_object_get(config, "values"))
		flow_find(at, "values", FLOW_IS_ERROR("missing_field"),
			  "\"values\" is missing");
	if (json_object_size(values) > FLOW_VALUES_MAX) {
		flow_find(at, "values", FLOW_IS_ERROR("bad_range"),
			  "must have at most %d members", FLOW_VALUES_MAX);
		return;
	}
	json_object_foreach(values, name, v)
		parse_value(&list, values, name, c);
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);

	for (size_t i = 0; i < c->count; i++) {
		AUTO_BUF(value, FLOW_VALUE_MAX);

		if (flow_run_expand(run, c->values[i].value, &value)) {
			flow_run_end(run, FLOW_FAILED);
			return;
		}
		flow_run_put(run, c->values[i].slot, value.p);
		flow_run_out(run, c->values[i].name, value.p, FLOW_SHOW_TEXT);
	}
	flow_run_fire(run, "next");
}

const struct flow_driver flow_set = {
	.type = "set",
	.triggers = (const char *const[]){"next", NULL},
	.parse = parse,
	.enter = enter,
};
