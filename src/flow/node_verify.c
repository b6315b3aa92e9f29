// SPDX-License-Identifier: Apache-2.0
/*
 * node_verify.c - are these digits the code?
 *
 * The verification answers, with limits of its own: no drawing can make them
 * wider.
 */
#include "base/mem.h"
#include "core/outcome.h"
#include "flow/run_priv.h"

struct config {
	struct flow_template *input;
};

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"input", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));

	at->node->config = c;
	flow_known(at, config, KNOWN);
	c->input =
		flow_template_at(at, config, "input", FLOW_PLACE_VERIFY, true);
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct buf digits;
	int err;

	buf_init(&digits, FLOW_VALUE_MAX);
	err = flow_run_expand(run, c->input, &digits);
	if (err) {
		flow_run_end(run, FLOW_FAILED);
	} else {
		flow_run_in(run, "input", digits.p, FLOW_SHOW_DIGITS);
		flow_run_verify(run, digits.p);
	}
	flow_run_wipe(&digits);
}

static const char *trigger_of(enum outcome_check result, int64_t left)
{
	switch (result) {
	case CHECK_APPROVED:
		return "match";
	case CHECK_WRONG:
	case CHECK_NOT_DELIVERED:
		return left > 0 ? "mismatch" : "too_many";
	case CHECK_LOCKED:
		return "too_many";
	case CHECK_EXPIRED:
	case CHECK_USED:
	case CHECK_UNKNOWN:
	case CHECK_COUNT:
		break;
	}
	return "expired";
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	enum outcome_check result;

	if (ev->what != FLOW_ANSWER)
		return;
	if (ev->result < 0) {
		flow_run_end(run, FLOW_FAILED);
		return;
	}
	result = (enum outcome_check)ev->result;
	if (result == CHECK_APPROVED)
		flow_run_matched(run);
	else if (result == CHECK_WRONG)
		flow_run_news(run, EVENT_KEY_WRONG, LEG_NONE);
	flow_run_give_int(run, 0, ev->detail);
	flow_run_out_int(run, "attempts_left", ev->detail);
	flow_run_fire(run, trigger_of(result, ev->detail));
}

const struct flow_driver flow_verify = {
	.type = "verify",
	.triggers = (const char *const[]){"match", "mismatch", "expired",
					  "too_many", NULL},
	.gives = (const struct flow_gives[]){{"attempts_left", "4", NULL},
					     {NULL, NULL, NULL}},
	.bounded = "mismatch",
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
