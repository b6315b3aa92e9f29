// SPDX-License-Identifier: Apache-2.0
/*
 * node_call.c - dial, and wait for the answer.
 *
 * The host is asked first and commits the attempt before anything leaves this
 * machine.  Only the number that the verification is about is dialled: policy
 * judged that one, and a drawing must not be a way around it.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "core/number.h"
#include "flow/run_priv.h"

enum {
	GIVES_STATUS,
	GIVES_SIP_CODE,
	GIVES_ROUTE,
	GIVES_COUNTRY,
	GIVES_ANSWERED_AT
};

/* Of a leg that ended by a route's fault, while another is being asked for. */
struct state {
	bool again;
	enum outcome_leg leg;
};

struct config {
	struct flow_template *to, *from;
	const char *route;
	unsigned ring_ms;
};

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {
		"to",    "from",           "ring_timeout_s",
		"route", "detect_machine", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));
	const struct flow_world *w = at->world;
	const char *route;

	at->node->config = c;
	flow_known(at, config, KNOWN);
	c->to = flow_template_at(at, config, "to", FLOW_PLACE_PLAIN, true);
	c->from = flow_template_at(at, config, "from", FLOW_PLACE_PLAIN, false);
	c->ring_ms = 1000 * (unsigned)flow_int(at, config, "ring_timeout_s",
					       (struct flow_range){5, 120, 0});
	if (flow_bool(at, config, "detect_machine", false))
		flow_find(at, "detect_machine",
			  FLOW_IS_INFO("no_machine_detection"),
			  "no telephone here can tell, so \"machine\" is never "
			  "fired: a human-check can");
	route = flow_text(at, config, "route", FLOW_NAME_MAX, false);
	c->route = flow_keep_text(at->flow, route ? route : "default");
	if (route && w->has_route && !w->has_route(route, w->ctx))
		flow_find(at, "route", FLOW_IS_ERROR("unknown_route"),
			  "there is no route \"%s\"", route);
}

const struct flow_template *flow_call_to(const struct flow_node *n)
{
	const struct config *c = n->config;

	return c->to;
}

/* A number may come without its plus: it is the same number. */
static bool is_ours(const struct flow_run *run, const char *to)
{
	char number[FLOW_NUMBER_BYTES];

	return flow_number(to, number) &&
	       strcmp(number, flow_run_number(run)) == 0;
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	AUTO_BUF(to, FLOW_VALUE_MAX);

	if (flow_run_expand(run, c->to, &to)) {
		flow_run_end(run, FLOW_FAILED);
		return;
	}
	flow_run_in(run, "to", to.p, FLOW_SHOW_NUMBER);
	if (!is_ours(run, to.p)) {
		flow_run_out(run, "error", "not the verification's number",
			     FLOW_SHOW_TEXT);
		flow_run_refused(run, LEG_NOT_CALLED);
		return;
	}
	flow_run_may_dial(run);
}

/* Whose plan the number is of; a parse is not for nothing, so only where a
 * template asks for it. */
static void give_country(struct flow_run *run)
{
	struct number n;

	if (!flow_run_uses(run, GIVES_COUNTRY))
		return;
	if (number_parse(span_of(flow_run_number(run)), NULL, &n, NULL) ==
	    NUMBER_OK)
		flow_run_give(run, GIVES_COUNTRY, n.region);
}

/* RFC 3339, in UTC. */
static void give_time(struct flow_run *run)
{
	time_t at = (time_t)(flow_run_wall(run) / 1000);
	char text[sizeof("2026-01-01T00:00:00Z")];
	struct tm tm;

	if (gmtime_r(&at, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		flow_run_give(run, GIVES_ANSWERED_AT, text);
}

static void is_over(struct flow_run *run, enum outcome_leg leg)
{
	const struct config *c = flow_run_config(run);

	give_country(run);
	if (leg == LEG_ANSWERED)
		give_time(run);

	flow_run_give(run, GIVES_STATUS, outcome_leg_text(leg));
	flow_run_give_int(run, GIVES_SIP_CODE, flow_run_sip_code(run));
	flow_run_give(run, GIVES_ROUTE, c->route);
	flow_run_out(run, "status", outcome_leg_text(leg), FLOW_SHOW_TEXT);
	flow_run_out_int(run, "sip_code", flow_run_sip_code(run));
	flow_run_out(run, "route", c->route, FLOW_SHOW_TEXT);
	flow_run_fire(run, outcome_leg_trigger(leg));
}

/* B10: unanswered, and perhaps by no fault of the called person. */
static void unanswered(struct flow_run *run, enum outcome_leg leg)
{
	struct state *s = flow_run_state(run);

	s->again = flow_run_another(run);
	s->leg = leg;
	if (s->again)
		flow_run_may_dial(run);
	else
		is_over(run, leg);
}

static void refused(struct flow_run *run, int why)
{
	const struct state *s = flow_run_state(run);

	if (s->again)
		is_over(run, s->leg);
	else
		flow_run_refused(run,
				 why == -ETIME ? LEG_EXPIRED : LEG_NOT_CALLED);
}

static void dial(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	struct flow_dial d = {.to = flow_run_number(run),
			      .route = c->route,
			      .ring_ms = c->ring_ms};
	AUTO_BUF(from, FLOW_VALUE_MAX);
	char number[FLOW_NUMBER_BYTES];
	enum outcome_leg leg;
	int err = c->from ? flow_run_expand(run, c->from, &from) : 0;

	if (!err) {
		d.from = from.n > 0 && flow_number(from.p, number) ? number
								   : from.p;
		err = flow_run_dial(run, &d);
	}
	if (!err)
		return;
	leg = err == -EBUSY ? LEG_CONGESTION : LEG_NETWORK_ERROR;
	flow_run_undialed(run, leg);
	if (err == -EBUSY) /* we have no room: no other route has more */
		is_over(run, leg);
	else
		unanswered(run, leg);
}

static void happens(struct flow_run *run, const struct flow_happening *ev)
{
	if (ev->what == FLOW_TEL && ev->leg == LEG_ANSWERED)
		is_over(run, ev->leg);
	else if (ev->what == FLOW_TEL)
		unanswered(run, ev->leg);
	else if (ev->what == FLOW_ANSWER && ev->result == 0)
		dial(run);
	else if (ev->what == FLOW_ANSWER)
		refused(run, ev->result);
}

const struct flow_driver flow_call = {
	.type = "call",
	.triggers = (const char *const[]){"answered", "machine", "no_answer",
					  "busy", "rejected", "failed", NULL},
	.optional = (const char *const[]){"machine", NULL},
	.gives =
		(const struct flow_gives[]){
			{"status", "answered", NULL},
			{"sip_code", "200", NULL},
			{"route", "default", NULL},
			{"country", "US", NULL},
			{"answered_at", "2026-01-01T00:00:00Z", "answered"},
			{NULL, NULL, NULL}},
	.live = "answered",
	.state_bytes = sizeof(struct state),
	.parse = parse,
	.enter = enter,
	.happens = happens,
};
