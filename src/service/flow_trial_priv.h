// SPDX-License-Identifier: Apache-2.0
/*
 * flow_trial_priv.h - a flow that is tried: what a try in an instant
 * (flow_test.c) and one in real time (flow_live.c) have in common, and where
 * both write down what they did (flow_runs.c).
 *
 * A trial belongs to the thread of its loop.  Nothing but its run's id leads
 * from it to what is kept of it, so either may go before the other.
 */
#pragma once

#include "service/flow_web_priv.h"
#include "service/flows_priv.h"
#include "tel/scripted.h"

enum { SERVICE_TRIAL_CODE = 6 }; /* digits */

struct service_trial {
	struct service *sv;
	struct service_flow_test *want;  /* its request's, or its own, as are */
	char *owned[SERVICE_FLOW_TEXTS]; /* ... its texts, if there are any */
	size_t owned_count;
	char run_id[SERVICE_RUN_ID_BYTES];
	struct flow *flow;
	struct service_box *rules;
	struct loop *loop;
	struct tel *script; /* the person that is played; or NULL */
	struct tel *tel;    /* what rings: borrowed */
	unsigned *voicing;  /* NULL, or what flow_params wants */
	struct flow_run *run;
	struct service_web web;
	json_t *params, *http;
	/* The run is over; it may be freed here. */
	void (*over)(struct service_trial *t, const struct flow_end *end);
	struct tel_script_fault fault;
	char code[CODE_BYTES];
	unsigned wrong;
	/* the keys: which entry is typed, and how much of it was */
	size_t entry, typed;
	tel_event_h *event;
	void *event_ctx;
	/* an answer that comes from the loop */
	flow_answer_h *answer;
	int result;
	int64_t detail;
	struct timer soon, http_soon;
	struct flow_http_answer given;
	char *given_text;
	flow_http_h *http_done;
	/* flow_live.c's */
	struct link link;
	struct post post;
};

/* --- flow_trial.c ---------------------------------------------------------------- */

/* What a request wants, read: flow, parameters, samples.  False: refused. */
bool service_trial_read(struct service_trial *t,
			struct service_flow_request *q);
/* With sv, want, loop, run_id and over set.  `tel` NULL: a person is played.
 * Errors as flow_run_start()'s. */
MUST_CHECK int service_trial_start(struct service_trial *t, struct tel *tel,
				   struct diag *d);
/* Ends what goes on, and no over() any more.  The voices may still be at work:
 * the telephone goes with service_trial_end(). */
void service_trial_stop(struct service_trial *t);
void service_trial_end(struct service_trial *t); /* what it points to */

/* --- flow_live.c --------------------------------------------------------------------- */

/* The page in the browser; NULL: there is none.  Any thread. */
struct tel *service_live_page(const struct service *sv);
/* In real time, on the line; takes the trial over.  Any thread. */
void service_live_start(struct service_trial *t);
/* Any thread: it is cut, if it goes on. */
void service_live_cut(struct service *sv, const char *run_id);
/* The line's: they say goodbye.  And the end: the line stands. */
void service_lives_stop(struct service *sv);
void service_lives_cut(struct service *sv);

/* --- flow_runs.c ----------------------------------------------------------------------- */

struct service_runs; /* what is known of them; any thread */

struct service_runs *service_runs_new(void);
void service_runs_free(struct service_runs *runs);
/* A run begins: fills in its id.  -EAGAIN: too many go on in real time. */
MUST_CHECK int service_runs_add(struct service *sv, const char *application,
				struct service_run *r);
/* What is said of a run that was forgotten is forgotten, too. */
void service_runs_step(struct service *sv, const char *id, const char *json);
void service_runs_over(struct service *sv, const char *id,
		       const struct flow_end *end);
void service_runs_failed(struct service *sv, const char *id, const char *why);
void service_runs_drop(struct service *sv, const char *id);
bool service_runs_has(struct service *sv, const char *id);
/* A copy, for the answer to a test.  -ENOENT. */
MUST_CHECK int service_runs_copy(struct service *sv, const char *id,
				 struct service_run *out);
/* The flow is gone: its runs end, and are forgotten. */
void service_runs_drop_flow(struct service *sv, const char *flow);
