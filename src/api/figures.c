// SPDX-License-Identifier: Apache-2.0
/*
 * figures.c - health and metrics: is it well, and how much does it do?
 *
 * No secret and nothing of a person is in them, so they need no key.
 */
#include <stdio.h>

#include "api/api_priv.h"
#include "service/hooks.h"
#include "web/outbound.h"

void api_healthz(struct web_request *r, void *ctx)
{
	(void)ctx;
	api_answer_text(r, 200, "application/json",
			span_of("{\"status\":\"alive\"}"));
}

void api_readyz(struct web_request *r, void *ctx)
{
	const struct api *a = ctx;
	struct service_stats s;

	service_stats(a->p.service, &s);
	if (s.ready)
		api_answer_text(r, 200, "application/json",
				span_of("{\"status\":\"ready\"}"));
	else
		api_answer_text(r, 503, "application/json",
				span_of("{\"status\":\"not_ready\"}"));
}

/* --- metrics (the Prometheus text format) ------------------------------------------ */

static void head(struct buf *b, const char *name, const char *type,
		 const char *help)
{
	buf_printf(b, "# HELP voiceotp_%s %s\n# TYPE voiceotp_%s %s\n", name,
		   help, name, type);
}

static void one(struct buf *b, const char *name, const char *type,
		const char *help, uint64_t value)
{
	head(b, name, type, help);
	buf_printf(b, "voiceotp_%s %llu\n", name, (unsigned long long)value);
}

static void labelled(struct buf *b, const char *name, const char *label,
		     const char *text, uint64_t value)
{
	buf_printf(b, "voiceotp_%s{%s=\"%s\"} %llu\n", name, label, text,
		   (unsigned long long)value);
}

static void write_service(struct buf *b, const struct service_stats *s)
{
	one(b, "verifications_created_total", "counter",
	    "Verifications that were answered 201.", s->created);
	one(b, "verifications_refused_total", "counter",
	    "Creates that a rule refused.", s->refused);
	head(b, "verifications_ended_total", "counter",
	     "Verifications by how they ended.");
	for (int i = STATUS_PENDING + 1; i < STATUS_REPORTED; i++)
		labelled(b, "verifications_ended_total", "status",
			 outcome_status_text((enum outcome_status)i),
			 s->statuses[i]);
	labelled(b, "verifications_ended_total", "status", "reported",
		 s->statuses[STATUS_REPORTED]);
	head(b, "checks_total", "counter", "Checks by their result.");
	for (int i = 0; i < CHECK_COUNT; i++)
		labelled(b, "checks_total", "result",
			 outcome_check_text((enum outcome_check)i),
			 s->checks[i]);
	head(b, "calls_total", "counter", "Calls by how they ended.");
	for (int i = LEG_NONE + 1; i < LEG_COUNT; i++)
		labelled(b, "calls_total", "outcome",
			 outcome_leg_text((enum outcome_leg)i), s->legs[i]);
	one(b, "calls", "gauge", "Calls now.", s->calls_now);
	one(b, "calls_queued", "gauge", "Attempts of this node that wait.",
	    s->queued_now);
	one(b, "timers", "gauge", "Timers that run for calls and signalling.",
	    s->timers);
	head(b, "call_setup_seconds", "summary",
	     "From the queued call to its dial.");
	buf_printf(b,
		   "voiceotp_call_setup_seconds_sum %.3f\n"
		   "voiceotp_call_setup_seconds_count %llu\n",
		   (double)s->setup_ms_sum / 1000.0,
		   (unsigned long long)s->setup_count);
	one(b, "ready", "gauge", "1 when calls can be made.", s->ready);
}

/* A figure of each trunk. */
static void each_trunk(struct buf *b, const char *name,
		       const struct service_trunk *trunks, size_t count,
		       uint64_t (*value)(const struct service_trunk *t))
{
	for (size_t i = 0; i < count; i++)
		labelled(b, name, "trunk", trunks[i].name, value(&trunks[i]));
}

static uint64_t calls_of(const struct service_trunk *t)
{
	return t->calls;
}

static uint64_t waiting_of(const struct service_trunk *t)
{
	return t->waiting;
}

static uint64_t dials_of(const struct service_trunk *t)
{
	return t->dials;
}

static uint64_t faults_of(const struct service_trunk *t)
{
	return t->faults;
}

static uint64_t failures_of(const struct service_trunk *t)
{
	return t->failures;
}

static void write_states(struct buf *b, const struct service_trunk *trunks,
			 size_t count)
{
	head(b, "trunk_state", "gauge", "1 for the state that a trunk is in.");
	for (size_t i = 0; i < count; i++)
		for (int s = TEL_UP; s <= TEL_DOWN; s++)
			buf_printf(b,
				   "voiceotp_trunk_state{trunk=\"%s\","
				   "state=\"%s\"} %d\n",
				   trunks[i].name,
				   service_trunk_text((enum tel_state)s),
				   (int)trunks[i].state == s);
}

static void write_trunks(struct buf *b, struct service *sv)
{
	static const struct {
		const char *name, *type, *help;
		uint64_t (*value)(const struct service_trunk *t);
	} figures[] = {
		{"trunk_calls", "gauge", "Calls of a trunk now.", calls_of},
		{"trunk_waiting", "gauge", "Calls that wait for a place on it.",
		 waiting_of},
		{"trunk_dials_total", "counter", "Calls that it was given.",
		 dials_of},
		{"trunk_faults_total", "counter",
		 "Calls that ended by a fault of the route.", faults_of},
		{"trunk_failures_total", "counter",
		 "How often it went down or to rest.", failures_of},
	};
	struct service_trunk trunks[SERVICE_TELS_MAX];
	size_t n = service_trunks(sv, trunks);

	if (n == 0)
		return;
	write_states(b, trunks, n);
	for (size_t i = 0; i < COUNT_OF(figures); i++) {
		head(b, figures[i].name, figures[i].type, figures[i].help);
		each_trunk(b, figures[i].name, trunks, n, figures[i].value);
	}
}

static void write_hooks(struct buf *b, const struct service *sv)
{
	struct service_hook_stats s;

	service_hook_stats(sv, &s);
	one(b, "webhook_events_total", "counter",
	    "Events that a receiver took.", s.told);
	one(b, "webhook_attempts_total", "counter",
	    "Requests that told an event, or tried to.", s.tries);
	one(b, "webhook_failures_total", "counter",
	    "Of these, those that no receiver took.", s.failed);
	head(b, "webhook_ended_total", "counter",
	     "Verifications of which no more is told, by the reason.");
	for (int i = SERVICE_HOOK_FAILED; i < SERVICE_HOOK_STATES; i++)
		labelled(b, "webhook_ended_total", "state",
			 service_hook_state_text((enum service_hook_state)i),
			 s.ends[i]);
	one(b, "webhook_running", "gauge", "Requests under way.", s.running);
	one(b, "call_asked_total", "counter",
	    "Applications asked before a call.", s.asked);
	one(b, "call_denied_total", "counter",
	    "Calls that an application denied.", s.denied);
	one(b, "call_unanswered_total", "counter",
	    "Applications that did not say whether to call.", s.unanswered);
}

static void write_store(struct buf *b, const struct store_stats *s)
{
	one(b, "store_batches_total", "counter", "Commits of the store.",
	    s->batches);
	one(b, "store_operations_total", "counter",
	    "Operations that the store has answered.", s->operations);
	one(b, "store_failures_total", "counter",
	    "Batches that could not be committed.", s->failures);
	one(b, "store_waiting", "gauge", "Operations that wait.", s->waiting);
	one(b, "store_wal_bytes", "gauge", "Size of the write-ahead log.",
	    s->wal_bytes);
	one(b, "store_healthy", "gauge", "1 when the last batch was committed.",
	    s->healthy);
}

static void write_web(struct buf *b, const struct web_stats *s)
{
	static const char *const classes[] = {"",    "1xx", "2xx",
					      "3xx", "4xx", "5xx"};

	one(b, "http_requests_total", "counter", "Requests.", s->requests);
	head(b, "http_answers_total", "counter", "Answers by class of status.");
	for (size_t i = 2; i < COUNT_OF(classes); i++)
		labelled(b, "http_answers_total", "class", classes[i],
			 s->answers_by_class[i]);
	one(b, "http_connections", "gauge", "Connections now.", s->connections);
	one(b, "http_deferred", "gauge", "Requests that wait for an answer.",
	    s->deferred);
	one(b, "http_streams", "gauge", "Event streams now.", s->streams);
}

static void write_outbound(struct buf *b, const struct outbound_stats *s)
{
	one(b, "outbound_requests_total", "counter",
	    "Requests to others: webhooks, and what flows ask.", s->asked);
	head(b, "outbound_ended_total", "counter",
	     "Requests to others by how they ended.");
	labelled(b, "outbound_ended_total", "result", "answered", s->answered);
	labelled(b, "outbound_ended_total", "result", "refused", s->refused);
	labelled(b, "outbound_ended_total", "result", "failed", s->failed);
	one(b, "outbound_waiting", "gauge", "Requests to others that wait.",
	    s->waiting);
	one(b, "outbound_running", "gauge", "Requests to others now.",
	    s->running);
}

void api_metrics(struct web_request *r, void *ctx)
{
	const struct api *a = ctx;
	const struct web *server = atomic_load(&a->web);
	struct service_stats service;
	struct store_stats store;
	struct outbound_stats outbound;
	struct web_stats web;
	AUTO_BUF(b, API_ANSWER_MAX);

	service_stats(a->p.service, &service);
	write_service(&b, &service);
	write_trunks(&b, a->p.service);
	write_hooks(&b, a->p.service);
	store_stats(a->p.store, &store);
	write_store(&b, &store);
	if (server) {
		web_stats(server, &web);
		write_web(&b, &web);
	}
	if (a->p.outbound) {
		outbound_stats(a->p.outbound, &outbound);
		write_outbound(&b, &outbound);
	}
	api_answer_text(r, 200, "text/plain; version=0.0.4; charset=utf-8",
			buf_view(&b));
}
