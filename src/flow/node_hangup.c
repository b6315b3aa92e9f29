// SPDX-License-Identifier: Apache-2.0
/*
 * node_hangup.c - the end of a flow.
 */
#include "flow/run_priv.h"

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"reason", NULL};
	const char *reason =
		flow_text(at, config, "reason", FLOW_WORD_MAX, false);

	flow_known(at, config, KNOWN);
	if (reason)
		at->node->config = flow_keep_text(at->flow, reason);
}

static void enter(struct flow_run *run)
{
	const char *reason = flow_run_config(run);

	if (reason)
		flow_run_out(run, "reason", reason, FLOW_SHOW_TEXT);
	flow_run_end(run, FLOW_HANGUP);
}

const struct flow_driver flow_hangup = {
	.type = "hangup",
	.triggers = (const char *const[]){NULL},
	.parse = parse,
	.enter = enter,
};
