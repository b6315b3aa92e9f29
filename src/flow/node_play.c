// SPDX-License-Identifier: Apache-2.0
/*
 * node_play.c - say something, once or more often.
 */
#include "base/mem.h"
#include "flow/run_priv.h"

struct config {
	struct flow_script speech;
	unsigned times, gap_ms;
	bool barge_in;
};

struct state {
	unsigned said;
	int64_t began_ms;
};

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"speech", "times", "gap_ms",
					    "barge_in", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));

	at->node->config = c;
	flow_known(at, config, KNOWN);
	flow_speech_at(at, config, "speech", true, &c->speech);
	c->times = (unsigned)flow_int(at, config, "times",
				      (struct flow_range){1, 5, 1});
	c->gap_ms = (unsigned)flow_int(at, config, "gap_ms",
				       (struct flow_range){0, 5000, 500});
	c->barge_in = flow_bool(at, config, "barge_in", false);
}

static void say(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct state *s = flow_run_state(run);
	const struct flow_says says = {.pause_ms = s->said > 0 ? c->gap_ms : 0,
				       .script = &c->speech};

	s->said++;
	flow_run_say(run, &says, 1);
}

static void enter(struct flow_run *run)
{
	struct state *s = flow_run_state(run);

	s->began_ms = flow_run_now(run);
	say(run);
}

static void done(struct flow_run *run)
{
	const struct state *s = flow_run_state(run);

	flow_run_give_int(run, 0, flow_run_now(run) - s->began_ms);
	flow_run_out_int(run, "times", s->said);
	flow_run_fire(run, "completed");
}

static void unsaid(struct flow_run *run)
{
	flow_run_give_int(run, 0, 0);
	if (flow_run_leads(run, "failed"))
		flow_run_fire(run, "failed");
	else
		flow_run_end(run, FLOW_FAILED);
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	const struct config *c = flow_run_config(run);
	const struct state *s = flow_run_state(run);

	if (ev->what == FLOW_UNSAID) {
		unsaid(run);
	} else if (ev->what == FLOW_PLAYED && s->said < c->times) {
		say(run);
	} else if (ev->what == FLOW_PLAYED) {
		done(run);
	} else if (ev->what == FLOW_KEY && c->barge_in && ev->counts) {
		flow_run_hush(run);
		done(run);
	}
}

const struct flow_driver flow_play = {
	.type = "play",
	.triggers = (const char *const[]){"completed", "failed", NULL},
	.optional = (const char *const[]){"failed", NULL},
	.gives = (const struct flow_gives[]){{"duration_ms", "1000", NULL},
					     {NULL, NULL, NULL}},
	.speaks = true,
	.state_bytes = sizeof(struct state),
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
