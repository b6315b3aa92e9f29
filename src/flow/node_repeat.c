// SPDX-License-Identifier: Apache-2.0
/*
 * node_repeat.c - so many times round, and no more.
 *
 * This and verify's `mismatch` are the only ways back in a flow, and both are
 * counted, so every run ends.
 */
#include "base/mem.h"
#include "flow/run_priv.h"

struct config {
	unsigned max;
};

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"max", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));

	at->node->config = c;
	flow_known(at, config, KNOWN);
	if (!json_object_get(config, "max"))
		flow_find(at, "max", FLOW_IS_ERROR("missing_field"),
			  "\"max\" is missing");
	c->max = (unsigned)flow_int(at, config, "max",
				    (struct flow_range){1, 9, 1});
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	unsigned *count = flow_run_counter(run);
	bool again = *count < c->max;

	if (again)
		++*count;
	flow_run_give_int(run, 0, *count);
	flow_run_out_int(run, "count", *count);
	flow_run_fire(run, again ? "again" : "done");
}

const struct flow_driver flow_repeat = {
	.type = "repeat",
	.triggers = (const char *const[]){"again", "done", NULL},
	.gives = (const struct flow_gives[]){{"count", "1", NULL},
					     {NULL, NULL, NULL}},
	.bounded = "again",
	.parse = parse,
	.enter = enter,
};
