// SPDX-License-Identifier: Apache-2.0
/*
 * attempt_priv.h - one call that this node holds: from its lease to its end.
 *
 * What happens on the line becomes steps.  Steps are written in the order in
 * which they happened, a few in one change and one change at a time, so the
 * record never runs ahead of the call nor backwards.  Everything here is the
 * line thread's, but `pair` and the flying steps, which are the store's while a
 * change is under way.
 */
#pragma once

#include "service/flow_web_priv.h"
#include "service/hooks.h"
#include "service/service_priv.h"

enum attempt_step_kind {
	ATTEMPT_DIAL,   /* about to dial: may it? */
	ATTEMPT_NEWS,   /* the phone says */
	ATTEMPT_VERIFY, /* digits of the keypad */
	ATTEMPT_END,    /* no more of this attempt */
	ATTEMPT_RETURN, /* not dialled, and another time may be better */
};

enum { ATTEMPT_STEPS_MAX = 3 }; /* in one change: events have a limit there */

struct attempt_step {
	struct link link;
	enum attempt_step_kind kind;
	enum outcome_event event; /* NEWS */
	enum outcome_leg leg;     /* NEWS that it ended, END */
	int sip_code, q850;
	bool early_media;
	struct verification_media media; /* NEWS that it ended */
	char *trace;                     /* the same; owned, or NULL */
	const char *route;               /* NEWS: what it goes by; static */
	char *run;                       /* END: what the run did; owned */
	int64_t not_before_ms;           /* RETURN */
	const char *denied; /* END: by the application, in these words */
	char digits[SERVICE_GIVEN_MAX];      /* VERIFY */
	char call_id[VERIFICATION_ID_BYTES]; /* DIAL: of a further leg */
	bool further;                        /* DIAL: it took that id */
	bool another; /* DIAL: for a route's fault (B10) */
	flow_answer_h *done;
	int result;
	int64_t detail;
};

struct attempt {
	struct link link; /* of sv->attempts */
	struct service *sv;
	struct store_lease lease;
	struct verification v; /* as of the last change that was committed */
	struct flow_run *run;
	struct service_flow *flow; /* the version of the record, to its end */
	bool finding;              /* it is being brought */
	struct service_web web;    /* what its http node asks */
	const struct service_tel *tel; /* of the leg, or what it waits for */
	struct attempt_routes {
		struct service_routes found; /* when the run first asked */
		size_t at;                   /* the one of `tel` */
		unsigned tried, full; /* bits: dialled by now; not this time */
		bool again;           /* the next dial is for a fault */
		bool once;            /* OUTCOME_ONCE was used */
		flow_answer_h *done;  /* waits for the place */
		struct tel_place place;
		enum { ATTEMPT_APART, ATTEMPT_IN_LINE, ATTEMPT_ON_LINE } counts;
	} routes;
	struct attempt_asking {             /* the application, before a dial */
		struct outbound_call *call; /* NULL: no question is out */
		struct timer unasked;
		bool denied;
		char reason[SERVICE_ASK_REASON_BYTES];
	} asking;
	char number[NUMBER_BYTES];
	struct flow_end_note {
		enum flow_end_reason reason;
		enum outcome_leg leg;
		char *trace; /* until it is a step's */
	} end;
	enum attempt_state {
		ATTEMPT_FETCHING, /* the record is being read */
		ATTEMPT_WAITING,  /* not dialled */
		ATTEMPT_CALLING,
		ATTEMPT_ENDING, /* the run is over: to be written down */
		ATTEMPT_GONE,   /* nothing more is written */
	} state;
	int dial_no; /* what the last question to dial was answered */
	bool told;   /* that the verification ended elsewhere */
	enum outcome_status settled; /* with this; PENDING: not heard of */

	struct link waiting, flying; /* steps */
	bool busy;                   /* a change is under way */
	struct service_pair pair;
	struct service_box *rules; /* of the change */
	struct policy_answer answer;
	bool missing, foreign, landed_end;
	enum outcome_status was;
	struct store_result result;
	struct post post;

	int64_t lease_until_ms; /* monotonic */
	struct timer renew, retry, late;
	struct attempt_renewal *renewal; /* under way, or NULL */
};

/* commit.c */
struct attempt_step *service_attempt_step(struct attempt *a,
					  enum attempt_step_kind kind);
/* Write what waits, unless a change is under way. */
void service_attempt_write(struct attempt *a);

/* dial.c: the flow's host, where it dials. */
void service_attempt_may_dial(void *ctx, struct flow_run *run,
			      flow_answer_h *done);
bool service_attempt_another(void *ctx, const struct flow_news *how);
int service_attempt_dial(void *ctx, const struct tel_params *params,
			 const char *route, struct tel_call **out);
void service_attempt_go_on(struct attempt *a); /* it was asked, and may */
/* No call any more, and no wish for one: the place is free. */
void service_attempt_leave(struct attempt *a);

/* hook_ask.c.  False: nobody is asked. */
bool service_attempt_ask(struct attempt *a);
void service_attempt_ask_no_more(struct attempt *a); /* no question is fine */

/* trace.c: as it is kept, without whole numbers; free() it. */
char *service_trace_mask(const char *text, const struct verification *v,
			 const char *number);
/* The same for what a run did. */
void service_run_add(struct store_tx *tx, size_t key, const struct service *sv,
		     const struct verification *v, const char *leg,
		     const char *trace);
/* Inside apply: behind what is there of the same verification. */
void service_trace_add(struct store_tx *tx, size_t key,
		       const struct service *sv, const struct verification *v,
		       const char *leg, const char *text);

/* deliver.c: a change has come back.  The steps are those it wrote. */
void service_attempt_landed(struct attempt *a, struct link *steps);
/* The lease is another's, or the store has been away for too long. */
void service_attempt_lost(struct attempt *a);
void service_attempt_close(struct attempt *a); /* freed when nothing is out */
