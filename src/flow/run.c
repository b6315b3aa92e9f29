// SPDX-License-Identifier: Apache-2.0
/*
 * run.c - one run: from the preparation to over().
 *
 * A run is always in one of five states, and every way through them ends in
 * the last: preparing what will be said, going from node to node, saying last
 * words, hanging up, over.  A node's trigger only takes note; the next step
 * comes from a timer of no time, so no driver runs inside another, and
 * whoever is told that the run is over may free it there.
 *
 * Four things end a run from outside, at any node: the far end hangs up, the
 * deadline of the verification, the belt on time, and a wish of the host's.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "flow/run_priv.h"
#include "media/pump.h"

static void take_step(void *ctx);

static struct timers *timers_of(const struct flow_run *run)
{
	return loop_timers(run->loop);
}

int64_t flow_run_now(const struct flow_run *run)
{
	return clock_mono_ms(loop_clock(run->loop));
}

int64_t flow_run_wall(const struct flow_run *run)
{
	return clock_wall_ms(loop_clock(run->loop));
}

const char *flow_end_text(enum flow_end_reason r)
{
	static const char *const TEXTS[] = {
		[FLOW_HANGUP] = "hangup",
		[FLOW_CALLEE_HANGUP] = "callee_hangup",
		[FLOW_UNCONNECTED] = "unconnected",
		[FLOW_STEP_LIMIT] = "step_limit",
		[FLOW_TIME_LIMIT] = "time_limit",
		[FLOW_FAILED] = "error",
		[FLOW_STOPPED] = "stopped",
		[FLOW_NOT_DIALED] = "not_dialed",
	};

	return TEXTS[r];
}

/* --- states ------------------------------------------------------------------------ */

static void set_state(struct flow_run *run, enum run_state state)
{
	static const unsigned LEGAL[RUN_STATES] = {
		[RUN_PREPARING] = 1 << RUN_GOING | 1 << RUN_OVER,
		[RUN_GOING] = 1 << RUN_LAST_WORDS | 1 << RUN_HANGING_UP |
			      1 << RUN_OVER,
		[RUN_LAST_WORDS] = 1 << RUN_HANGING_UP | 1 << RUN_OVER,
		[RUN_HANGING_UP] = 1 << RUN_OVER,
	};

	assert(LEGAL[run->state] & 1U << state);
	run->state = state;
}

static void step_soon(struct flow_run *run)
{
	timer_set(timers_of(run), &run->step, 0, take_step, run);
}

/* --- nodes -------------------------------------------------------------------------- */

static void leave_node(struct flow_run *run, const char *trigger,
		       const char *to)
{
	if (!run->node)
		return;
	flow_trace_step(run, trigger, to);
	if (run->node_state)
		crypto_wipe(run->node_state, run->node->driver->state_bytes);
	free(run->node_state);
	run->node_state = NULL;
	timer_stop(timers_of(run), &run->wait);
	run->node = NULL;
	run->asking = false;
}

static void enter_node(struct flow_run *run, const struct flow_node *n)
{
	run->node = n;
	run->fired = NULL;
	flow_trace_begin(run);
	if (run->steps++ == run->flow->max_steps) {
		flow_run_end(run, FLOW_STEP_LIMIT);
		return;
	}
	if (n->driver->state_bytes)
		run->node_state = b_zero(1, n->driver->state_bytes);
	n->driver->enter(run);
}

/* Along the edge of the trigger that was fired. */
static void go_on(struct flow_run *run)
{
	const struct flow_node *n = run->node;
	const char *fired = run->fired;
	const struct flow_edge *e = n->edges;

	while (strcmp(e->trigger, fired) != 0)
		e++; /* a driver fires only what it declares */
	if (e->target < 0) {
		flow_run_end(run, FLOW_UNCONNECTED);
		return;
	}
	leave_node(run, fired, e->to);
	enter_node(run, &run->flow->nodes[e->target]);
}

void flow_run_fire(struct flow_run *run, const char *trigger)
{
	if (run->state != RUN_GOING || run->fired)
		return;
	run->fired = trigger;
	timer_stop(timers_of(run), &run->wait);
	step_soon(run);
}

bool flow_run_leads(const struct flow_run *run, const char *trigger)
{
	for (size_t i = 0; i < run->node->edges_count; i++)
		if (strcmp(run->node->edges[i].trigger, trigger) == 0)
			return run->node->edges[i].target >= 0;
	return false;
}

static void waited(void *ctx)
{
	flow_run_happens(ctx, &(struct flow_happening){.what = FLOW_TIMER});
}

void flow_run_wait(struct flow_run *run, int64_t ms)
{
	timer_set(timers_of(run), &run->wait, ms, waited, run);
}

void flow_run_unwait(struct flow_run *run)
{
	timer_stop(timers_of(run), &run->wait);
}

/* --- the end -------------------------------------------------------------------------- */

static void hang_up(struct flow_run *run);

static void stop_timers(struct flow_run *run)
{
	struct timers *t = timers_of(run);

	timer_stop(t, &run->step);
	timer_stop(t, &run->wait);
	timer_stop(t, &run->mark);
	timer_stop(t, &run->deadline);
	timer_stop(t, &run->cap);
	timer_stop(t, &run->bye);
}

/* What became of a leg that was answered. */
static enum outcome_leg answered_leg(const struct flow_run *run)
{
	const struct flow *f = run->flow;

	if (run->judged != LEG_NONE)
		return run->judged;
	if (run->spoken || !(f->says_code || f->asks_code))
		return LEG_ANSWERED;
	if (run->leg.cause == TEL_UNREACHABLE)
		return LEG_NETWORK_ERROR;
	switch (run->wish) {
	case RUN_LATE:
		return LEG_EXPIRED;
	case RUN_STOPPED:
		return LEG_INTERRUPTED;
	case RUN_SETTLED:
		return LEG_CANCELED;
	case RUN_ON:
		break;
	}
	return run->leg.cause == TEL_HUNG_UP ? LEG_HUNG_UP_EARLY : LEG_ANSWERED;
}

static enum outcome_leg unanswered_leg(const struct flow_run *run)
{
	const struct flow_leg *leg = &run->leg;

	switch (run->wish) {
	case RUN_LATE:
		return LEG_EXPIRED;
	case RUN_STOPPED:
		return LEG_INTERRUPTED;
	case RUN_SETTLED:
		return LEG_CANCELED;
	case RUN_ON:
		break;
	}
	switch (leg->cause) {
	case TEL_NO_ANSWER:
		return LEG_NO_ANSWER;
	case TEL_WE_HUNG_UP:
		return LEG_CANCELED;
	case TEL_HUNG_UP:
	case TEL_REFUSED:
	case TEL_UNREACHABLE:
		break;
	}
	return leg->sip_code ? outcome_of_sip(leg->sip_code, leg->q850)
			     : LEG_NETWORK_ERROR;
}

static struct flow_news news_of(const struct flow_run *run,
				enum outcome_event event, enum outcome_leg leg)
{
	const struct flow_leg *l = &run->leg;

	return (struct flow_news){
		.event = event,
		.leg = leg,
		.cause = l->cause,
		.sip_code = l->sip_code,
		.q850 = l->q850,
		.rang = l->rang,
		.early_media = l->early_media,
	};
}

static void keep_media(const struct pump_stats *from,
		       struct verification_media *to)
{
	*to = (struct verification_media){
		.known = true,
		.sent = (int64_t)from->sent,
		.received = (int64_t)from->received,
		.lost = from->lost > 0 ? from->lost : 0,
		.jitter_us = from->jitter_us,
		.far_known = from->reported,
		.far_lost = from->far_lost > 0 ? from->far_lost : 0,
		.far_jitter_us = from->far_jitter_us,
		.rtt_us = from->rtt_us,
	};
}

static void close_leg(struct flow_run *run)
{
	tel_call_close(run->leg.call);
	run->leg.call = NULL;
}

static void say_over(struct flow_run *run)
{
	struct flow_end *end = &run->end;

	close_leg(run);
	end->human = run->human;
	end->spoken = run->spoken;
	run->trace_text = flow_trace_end(run);
	end->trace = run->trace_text;
	/* the last that is done here: it may free the run */
	run->host->over(run->ctx, end);
}

static void finish(struct flow_run *run)
{
	stop_timers(run);
	flow_run_hush(run);
	leave_node(run, NULL, NULL);
	set_state(run, RUN_OVER);
	step_soon(run);
}

static void nobody_said_ended(void *ctx)
{
	struct flow_run *run = ctx;

	run->leg.ended = true;
	run->end.leg =
		run->leg.answered ? answered_leg(run) : unanswered_leg(run);
	flow_run_news(run, EVENT_ENDED, run->end.leg);
	finish(run);
}

static void hang_up(struct flow_run *run)
{
	flow_run_hush(run);
	if (!run->leg.call || run->leg.ended) {
		finish(run);
		return;
	}
	timer_stop(timers_of(run), &run->deadline);
	timer_stop(timers_of(run), &run->cap);
	set_state(run, RUN_HANGING_UP);
	tel_call_hang_up(run->leg.call);
	timer_set(timers_of(run), &run->bye, FLOW_BYE_MS, nobody_said_ended,
		  run);
}

bool flow_run_is_up(const struct flow_run *run)
{
	return run->leg.call && run->leg.answered && !run->leg.ended;
}

/* Take note of why and where, once. */
static bool begin_end(struct flow_run *run, enum flow_end_reason reason)
{
	if (run->state != RUN_PREPARING && run->state != RUN_GOING)
		return false;
	run->end.reason = reason;
	run->end.node = run->node ? run->node->id : "";
	timer_stop(timers_of(run), &run->step);
	leave_node(run, run->fired, NULL);
	return true;
}

void flow_run_end(struct flow_run *run, enum flow_end_reason reason)
{
	if (!begin_end(run, reason))
		return;
	if (reason != FLOW_FAILED || !flow_run_is_up(run)) {
		hang_up(run);
		return;
	}
	set_state(run, RUN_LAST_WORDS);
	flow_talk_own(run, "common.failed");
}

bool flow_run_is_late(const struct flow_run *run)
{
	return run->deadline_ms > 0 && flow_run_wall(run) >= run->deadline_ms;
}

void flow_run_expire(struct flow_run *run)
{
	run->wish = RUN_LATE;
	if (!run->leg.call)
		run->end.leg = LEG_EXPIRED;
	if (run->state == RUN_LAST_WORDS || begin_end(run, FLOW_TIME_LIMIT))
		hang_up(run);
}

static void deadline_is_here(void *ctx)
{
	flow_run_expire(ctx);
}

static void too_long(void *ctx)
{
	struct flow_run *run = ctx;

	if (run->state == RUN_LAST_WORDS)
		hang_up(run);
	else
		flow_run_end(run, FLOW_TIME_LIMIT);
}

void flow_run_stop(struct flow_run *run)
{
	if (run->state != RUN_PREPARING && run->state != RUN_GOING)
		return;
	run->wish = RUN_STOPPED;
	if (!begin_end(run, FLOW_STOPPED))
		return;
	if (!flow_run_is_up(run)) {
		hang_up(run);
		return;
	}
	set_state(run, RUN_LAST_WORDS);
	flow_talk_own(run, "common.interrupted");
}

void flow_run_settle(struct flow_run *run)
{
	if (run->matched)
		return; /* by us: the flow has its own last words */
	if (run->state != RUN_PREPARING && run->state != RUN_GOING)
		return;
	run->wish = RUN_SETTLED;
	if (!begin_end(run, FLOW_STOPPED))
		return;
	if (flow_run_is_up(run) && run->talk)
		set_state(run, RUN_LAST_WORDS); /* what sounds, sounds on */
	else
		hang_up(run);
}

/* --- what happens ------------------------------------------------------------------------ */

void flow_run_happens(struct flow_run *run, const struct flow_happening *ev)
{
	if (run->state == RUN_LAST_WORDS &&
	    (ev->what == FLOW_PLAYED || ev->what == FLOW_UNSAID))
		hang_up(run);
	else if (run->state == RUN_GOING && !run->fired && run->node &&
		 run->node->driver->happens)
		run->node->driver->happens(run, ev);
}

static void key_pressed(struct flow_run *run, const struct tel_event *ev)
{
	int64_t after = ev->play_id == run->play_id
				? (int64_t)ev->played_ms - run->talk_mark_ms
				: INT64_MIN;

	if (after >= 0 && run->talk)
		flow_talk_mark(run);
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_KEY,
						       .key = ev->key,
						       .counts = after >= 0,
						       .after_mark_ms = after});
}

/* Somebody is there, or will be. */
static void listens(struct flow_run *run)
{
	run->leg.answered_ms = flow_run_now(run);
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_TEL,
						       .leg = LEG_ANSWERED});
}

static void answered(struct flow_run *run)
{
	run->leg.answered = true;
	timer_set(timers_of(run), &run->cap,
		  (int64_t)run->flow->max_call_seconds * 1000, too_long, run);
	flow_run_news(run, EVENT_ANSWERED, LEG_ANSWERED);
	if (!flow_extension_send(run))
		listens(run);
}

static void played(struct flow_run *run, uint32_t play_id)
{
	if (flow_extension_sent(run, play_id))
		listens(run);
	else
		flow_talk_played(run, play_id);
}

static void ended(struct flow_run *run, const struct tel_event *ev)
{
	struct flow_leg *leg = &run->leg;
	struct flow_news news;

	leg->ended = true;
	leg->cause = ev->cause;
	leg->sip_code = ev->sip_code;
	leg->q850 = ev->q850;
	timer_stop(timers_of(run), &run->cap);
	if (run->state == RUN_GOING && run->node && leg->answered &&
	    !leg->keys_id) {
		/* a node may see a meaning in it (9, and the phone is down) */
		flow_run_happens(run,
				 &(struct flow_happening){.what = FLOW_TEL,
							  .leg = LEG_NONE});
	}
	run->end.leg = leg->answered ? answered_leg(run) : unanswered_leg(run);
	news = news_of(run, EVENT_ENDED, run->end.leg);
	if (ev->record && ev->record->media)
		keep_media(ev->record->media, &news.media);
	news.trace = ev->record ? ev->record->trace : NULL;
	run->host->news(run->ctx, &news);
	if (run->state == RUN_GOING && !leg->answered)
		flow_run_happens(run,
				 &(struct flow_happening){.what = FLOW_TEL,
							  .leg = run->end.leg});
	else if (run->state == RUN_GOING)
		flow_run_end(run, FLOW_CALLEE_HANGUP);
	else
		finish(run);
}

static void tel_event(const struct tel_event *ev, void *ctx)
{
	struct flow_run *run = ctx;

	switch (ev->kind) {
	case TEL_RINGING:
		run->leg.rang = true;
		flow_run_news(run, EVENT_RINGING, LEG_NONE);
		return;
	case TEL_FORWARDED:
		flow_run_out(run, "forwarded", "yes", FLOW_SHOW_TEXT);
		flow_run_news(run, EVENT_FORWARDED, LEG_NONE);
		return;
	case TEL_EARLY_MEDIA:
		run->leg.early_media = true;
		return; /* B1: not an answer, whatever sounds there */
	case TEL_ANSWERED:
		answered(run);
		return;
	case TEL_KEY:
		key_pressed(run, ev);
		return;
	case TEL_PLAYED:
		played(run, ev->play_id);
		return;
	case TEL_ENDED:
		ended(run, ev);
		return;
	}
}

/* --- what nodes ask for ------------------------------------------------------------------- */

int flow_run_dial(struct flow_run *run, const struct flow_dial *d)
{
	const struct tel_params params = {
		.call_id = run->call_id,
		.to = d->to,
		.from = d->from && *d->from ? d->from : run->from,
		.language = run->language,
		.ring_ms = d->ring_ms ? d->ring_ms : run->ring_ms,
		.event = tel_event,
		.ctx = run,
	};

	close_leg(run);
	memset(&run->leg, 0, sizeof(run->leg));
	return run->host->dial(run->ctx, &params, d->route, &run->leg.call);
}

void flow_run_undialed(struct flow_run *run, enum outcome_leg leg)
{
	run->leg.cause = TEL_UNREACHABLE;
	run->leg.ended = true;
	run->end.leg = leg;
	flow_run_news(run, EVENT_ENDED, leg);
}

void flow_run_refused(struct flow_run *run, enum outcome_leg leg)
{
	close_leg(run); /* an earlier one */
	run->end.leg = leg;
	flow_run_end(run, FLOW_NOT_DIALED);
}

static void host_answers(struct flow_run *run, int result, int64_t detail)
{
	if (!run->asking)
		return; /* the node that asked is gone */
	run->asking = false;
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_ANSWER,
						       .result = result,
						       .detail = detail});
}

void flow_run_may_dial(struct flow_run *run)
{
	if (run->leg.ended)
		close_leg(run); /* its place may be the one that is needed */
	run->asking = true;
	run->host->may_dial(run->ctx, run, host_answers);
}

bool flow_run_another(struct flow_run *run)
{
	const struct flow_news how = news_of(run, EVENT_ENDED, run->end.leg);

	return run->host->another && run->host->another(run->ctx, &how);
}

void flow_run_verify(struct flow_run *run, const char *digits)
{
	run->asking = true;
	run->host->verify(run->ctx, run, digits, host_answers);
}

static void http_answers(struct flow_run *run, const struct flow_http_answer *a)
{
	if (!run->asking)
		return; /* the node that asked is gone */
	run->asking = false;
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_ANSWER,
						       .http = a});
}

bool flow_run_http(struct flow_run *run, const struct flow_http *ask)
{
	if (!run->host->http)
		return false;
	run->asking = true;
	run->host->http(run->ctx, run, ask, http_answers);
	return true;
}

void flow_run_news(struct flow_run *run, enum outcome_event event,
		   enum outcome_leg leg)
{
	const struct flow_news news = news_of(run, event, leg);

	run->host->news(run->ctx, &news);
}

void flow_run_judge(struct flow_run *run, enum outcome_leg leg)
{
	run->judged = leg;
	flow_run_news(run,
		      leg == LEG_REPORTED ? EVENT_REPORTED
					  : EVENT_MACHINE_SUSPECTED,
		      leg);
}

void flow_run_human(struct flow_run *run)
{
	run->human = true;
	flow_run_news(run, EVENT_HUMAN, LEG_NONE);
}

void flow_run_spoken(struct flow_run *run)
{
	if (run->spoken)
		return;
	run->spoken = true;
	flow_run_news(run, EVENT_SPOKEN, LEG_NONE);
}

/* --- steps ---------------------------------------------------------------------------------- */

static void take_step(void *ctx)
{
	struct flow_run *run = ctx;

	if (run->state == RUN_OVER)
		say_over(run);
	else if (run->fired)
		go_on(run);
	else
		enter_node(run, &run->flow->nodes[run->flow->start]);
}

static void prepared(int err, const struct diag *d, void *ctx)
{
	struct flow_prep *p = ctx;
	struct flow_run *run = p->run;

	(void)d;
	flow_talk_back(p);
	if (!run) {
		flow_talk_forget(&p);
		return;
	}
	if (run->state != RUN_PREPARING)
		return;
	if (err) {
		flow_run_end(run, FLOW_FAILED);
		return;
	}
	set_state(run, RUN_GOING);
	step_soon(run);
}

/* --- start and free ---------------------------------------------------------------------------- */

static void copy(struct flow_run *run, const struct flow_params *p)
{
	run->flow = flow_ref(p->flow);
	run->host = p->host;
	run->ctx = p->ctx;
	run->loop = p->loop;
	run->rng = p->rng;
	run->speech = p->speech;
	run->phrases = p->phrases;
	run->call_id = b_strdup(p->call_id ? p->call_id : "");
	run->to = b_strdup(p->to ? p->to : "");
	run->from = b_strdup(p->from ? p->from : "");
	run->purpose = b_strdup(p->purpose ? p->purpose : "");
	run->brand = b_strdup(p->brand ? p->brand : "");
	run->amount = b_strdup(p->amount);
	run->payee = b_strdup(p->payee);
	run->callback = b_strdup(p->callback);
	run->mode = b_strdup(p->mode ? p->mode : "live");
	(void)snprintf(run->language, sizeof(run->language), "%s",
		       p->language && *p->language ? p->language : "en");
	run->code_length = p->code_length < CODE_DIGITS_MAX ? p->code_length
							    : CODE_DIGITS_MAX;
	run->human_digits = p->human_digits;
	(void)snprintf(run->send_digits, sizeof(run->send_digits), "%s",
		       p->send_digits ? p->send_digits : "");
	run->ring_ms = p->ring_ms;
	run->deadline_ms = p->deadline_ms;
	run->counters = b_zero(run->flow->nodes_count, sizeof(unsigned));
	run->end.leg = LEG_NOT_CALLED;
	run->end.node = "";
}

int flow_run_start(const struct flow_params *params, struct flow_run **out,
		   struct diag *d)
{
	struct flow_run *run = b_zero(1, sizeof(*run));
	int err;

	run->voicing = params->voicing;
	copy(run, params);
	err = flow_values_begin(run, params, d);
	if (!err)
		err = flow_talk_prepare(run, prepared, d);
	if (err) {
		flow_run_free(run);
		return err;
	}
	if (run->deadline_ms > 0)
		timer_set(timers_of(run), &run->deadline,
			  run->deadline_ms - flow_run_wall(run),
			  deadline_is_here, run);
	flow_trace_begin(run);
	*out = run;
	return 0;
}

void flow_run_free(struct flow_run *run)
{
	if (!run)
		return;
	stop_timers(run);
	close_leg(run);
	playlist_unref(run->talk);
	flow_talk_forget(&run->saying);
	flow_talk_forget(&run->fixed);
	if (run->node_state)
		crypto_wipe(run->node_state, run->node->driver->state_bytes);
	free(run->node_state);
	flow_values_end(run);
	flow_trace_free(&run->trace);
	flow_unref(run->flow);
	free(run->call_id);
	free(run->to);
	free(run->from);
	free(run->purpose);
	free(run->brand);
	free(run->amount);
	free(run->payee);
	free(run->callback);
	free(run->mode);
	free(run->counters);
	free(run->trace_text);
	crypto_wipe(run, sizeof(*run));
	free(run);
}
