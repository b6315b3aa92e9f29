// SPDX-License-Identifier: Apache-2.0
/*
 * flow.h - call-flow documents: parse, check, compile, run.
 *
 * A document is JSON of format voiceflow/1.  Checking never stops at the first
 * finding; each has a stable code and a JSON pointer.  A flow without errors
 * compiles to an immutable, referenced program; a run of it drives one call at
 * a time through the host's operations and ends with an outcome and a trace.
 * Every run ends: the checker refuses loops that nothing bounds, and steps and
 * seconds are counted as a belt.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/random.h"
#include "core/outcome.h"
#include "core/verification.h"
#include "speech/speech.h"
#include "tel/tel.h"

struct flow;     /* a compiled version; references are atomic */
struct flow_run; /* one run; the line thread's */

enum {
	FLOW_DOCUMENT_MAX = 256 << 10,
	FLOW_NODES_MAX = 100,
	FLOW_NAME_MAX = 64,
	FLOW_PARAMS_MAX = 20,
	FLOW_CASES_MAX = 16,
	FLOW_VALUES_MAX = 16,
	FLOW_STEPS_MAX = 200,   /* the most that limits.max_steps may ask */
	FLOW_SECONDS_MAX = 600, /* ... and limits.max_call_seconds */
	FLOW_TRACE_MAX = 64 << 10,
	FLOW_FINDINGS_MAX = 200,
	FLOW_VALUE_MAX = 1024, /* bytes of one variable at run time */
};

/* --- documents -------------------------------------------------------------- */

enum flow_severity { FLOW_ERROR, FLOW_WARNING, FLOW_INFO };

struct flow_finding {
	enum flow_severity severity;
	const char *code; /* "dangling_edge", ...: static */
	char node[FLOW_NAME_MAX + 1];
	char path[192]; /* JSON pointer into the document */
	char message[256];
};
struct flow_findings {
	struct flow_finding *items; /* owned: flow_findings_free() */
	size_t count, errors;
	bool cut; /* there were more than FLOW_FINDINGS_MAX */
};
void flow_findings_free(struct flow_findings *f);

/* What the checker may ask about the world. */
struct flow_world {
	const struct phrases *phrases; /* prompts that exist */
	bool (*has_voice)(const char *language, void *ctx);
	bool (*has_route)(const char *route, void *ctx);
	/* A voice by its name ("Polly.Amy"), -EINVAL with d.  NULL: any. */
	int (*check_voice)(const char *voice, void *ctx, struct diag *d);
	/* The fixed beginning of an http node's URL.  NULL: any. */
	int (*check_url)(const char *url, void *ctx, struct diag *d);
	void *ctx;
};

/*
 * Check a whole text.  findings is always filled (line and column stand in the
 * message where the text is not JSON).  0 and *out (if out is not NULL) when
 * there is no error; -EINVAL otherwise.  out is ended with flow_unref().
 */
MUST_CHECK int flow_load(struct span text, const struct flow_world *world,
			 struct flow **out, struct flow_findings *findings);
struct flow *flow_ref(struct flow *f);
void flow_unref(struct flow *f); /* NULL is fine */
const char *flow_name(const struct flow *f);
/* Canonical form: keys sorted, nodes in order, two blanks, LF; free() it. */
char *flow_canonical(const json_t *document);
/* How it may approve: does it speak the code, ask for it, or both? */
enum verification_method flow_method(const struct flow *f);
bool flow_has_human_check(const struct flow *f);

/* What its Start takes, i from 0; false: there are no more.  Texts live as long
 * as the flow. */
struct flow_param {
	const char *name, *sample; /* sample: "" for none */
	bool required, secret;
};
bool flow_param(const struct flow *f, size_t i, struct flow_param *out);
/*
 * Are these parameters (an object of texts and numbers, or NULL) what it takes?
 * -EINVAL: d names the one that is missing, unknown, too long or, where it is
 * secret, not 1 to 10 digits.  A number is its plain decimal; null is absent;
 * *out is a new object of texts alone.
 */
MUST_CHECK int flow_params_read(const struct flow *f, const json_t *params,
				json_t **out, struct diag *d);
/* The number that its first call node dials with these parameters, read as
 * above.  -EINVAL: none, or it is not known before the run; d. */
MUST_CHECK int flow_destination(const struct flow *f, const json_t *params,
				struct buf *out, struct diag *d);

/*
 * From elsewhere: voiceflow/1, or an export of PHLO's shape (docs/flows.md).
 * 0: *document is the caller's, in canonical order; it may still have findings.
 * *report is an array of what became of the rest: [{"kind": "mapped",
 * "dropped" or "added", "path": a JSON pointer into `text`, or into the
 * document for what was added, "message": ...}].  -EINVAL: neither; d.
 */
MUST_CHECK int flow_import(struct span text, json_t **document, json_t **report,
			   struct diag *d);

/*
 * What became of `from` in `to`, two documents, whatever is wrong with them: a
 * new array of {"kind", "path", "node", "from", "to"}.  kind is "added",
 * "removed", "renamed" (from, to: ids), "moved" (ui alone), "changed" (a field
 * of a node, or of the document, which has no "node") or "reordered" (of
 * "/nodes").  path is a JSON pointer into `to`, for what was removed into
 * `from`; a field that is absent on one side has no "from", or no "to".
 */
json_t *flow_diff(const json_t *from, const json_t *to);

/* --- running ------------------------------------------------------------------ */

enum flow_end_reason {
	FLOW_HANGUP,
	FLOW_CALLEE_HANGUP,
	FLOW_UNCONNECTED,
	FLOW_STEP_LIMIT,
	FLOW_TIME_LIMIT,
	FLOW_FAILED,     /* error: speech, memory of a value, ... */
	FLOW_STOPPED,    /* flow_run_stop() */
	FLOW_NOT_DIALED, /* may_dial said no */
};
struct flow_end {
	enum flow_end_reason reason;
	enum outcome_leg leg; /* of the last call */
	bool human;           /* somebody passed the human check */
	bool spoken;          /* the code was spoken or asked for, whole */
	const char *node;     /* where it ended */
	const char *trace;
};

/*
 * What a run asks of the world.  All are called on the line thread.  Those with
 * a done handler answer later, from the loop, once; after over() or
 * flow_run_free() the host must not call it.
 */
typedef void flow_answer_h(struct flow_run *run, int result, int64_t detail);

/* An http node asks. */
struct flow_http {
	const char *method, *url;
	const struct flow_http_header {
		const char *name, *value;
	} * headers; /* ended by { NULL } */
	struct span body;
	const char *type; /* of the body */
	int64_t timeout_ms;
	bool sign; /* with the application's webhook secret */
};
struct flow_http_answer {
	unsigned status; /* 0: there was none, */
	bool timeout;    /* ... in time */
	bool unasked;    /* ... because nobody was asked */
	const char *why; /* in words, for the trace */
	struct span body;
};
typedef void flow_http_h(struct flow_run *run,
			 const struct flow_http_answer *a);

/* What happened on the phone. */
struct flow_news {
	enum outcome_event event;
	enum outcome_leg leg;
	/* EVENT_ENDED */
	enum tel_cause cause;
	int sip_code, q850;
	bool rang, early_media;
	struct verification_media media;
	const char *trace; /* its signalling, lives meanwhile; NULL: none */
};

struct flow_host {
	/*
	 * About to dial `to`: the host commits the attempt first, then says
	 * yes.  result: 0 dial (the host's tel_dial parameters are in `dial`),
	 * -ETIME: past the deadline, -EPERM: refused, -EBUSY: no room.
	 */
	void (*may_dial)(void *ctx, struct flow_run *run, flow_answer_h *done);
	/* Dial; fills route's name.  As tel_dial(). */
	int (*dial)(void *ctx, const struct tel_params *params,
		    const char *route, struct tel_call **out);
	/* For records and events; no answer.  EVENT_DIALING is not among it:
	 * may_dial() was asked before. */
	void (*news)(void *ctx, const struct flow_news *news);
	/*
	 * A leg ended unanswered, as `how` says: shall the same node dial once
	 * more, by another route (B10)?  Then may_dial() is asked, and a no of
	 * it leaves the word to this end.  NULL: never.
	 */
	bool (*another)(void *ctx, const struct flow_news *how);
	/*
	 * Digits typed on the keypad are the code?  result: an enum
	 * outcome_check, detail: attempts left.
	 */
	void (*verify)(void *ctx, struct flow_run *run, const char *digits,
		       flow_answer_h *done);
	/* The code, to be spoken: derived for the call and wiped by the run. */
	int (*code)(void *ctx, char out[CODE_BYTES]);
	/* What `ask` points at lives until it returns.  done once, later, on the
	 * line thread.  NULL: an http node leaves by "client_error". */
	void (*http)(void *ctx, struct flow_run *run,
		     const struct flow_http *ask, flow_http_h *done);
	/* Each step as it ends, already redacted; may be NULL. */
	void (*step)(void *ctx, const char *json);
	/* The run is over; the last call.  `trace` is JSON, redacted. */
	void (*over)(void *ctx, const struct flow_end *end);
};

struct flow_params {
	struct flow *flow; /* referenced */
	const struct flow_host *host;
	void *ctx; /* the host's */
	struct loop *loop;
	struct rng *rng; /* the human check's digits */
	struct speech *speech;
	const struct phrases *phrases;
	/* verification.* and what prompts need; copied */
	const char *verification_id, *call_id, *to, *from, *language, *purpose;
	const char *brand, *amount, *payee, *callback;
	/* What is sent to whatever answers, before anything is said
	 * (core/extension.h); NULL or "": nothing. */
	const char *send_digits;
	unsigned attempt, code_length, human_digits;
	int64_t deadline_ms; /* wall: nothing is spoken after it (B2) */
	unsigned ring_ms;
	json_t *params;   /* Start's parameters: an object of texts; borrowed */
	const char *mode; /* "live" or "test" */
	unsigned version; /* of the flow; 0: it has none */
	/* How much the voices are at work on for it, or NULL.  Also after its
	 * end: the loop must live until this is 0. */
	unsigned *voicing;
};

/*
 * Start a run.  Everything fixed that it will say is rendered first, then it
 * goes on by itself and ends with host->over().  -EINVAL with d: a required
 * parameter is missing (named) or no text.
 */
MUST_CHECK int flow_run_start(const struct flow_params *params,
			      struct flow_run **out, struct diag *d);
/* Say goodbye if that is possible and hang up (a clean stop); over() follows. */
void flow_run_stop(struct flow_run *run);
/* The verification ended elsewhere (approved by API, canceled): hang up when
 * what is being said has been said; over() follows. */
void flow_run_settle(struct flow_run *run);
/* The deadline is here, earlier than was said at the start (an answer moves it,
 * so the host watches it): silence, and hang up; over() follows. */
void flow_run_expire(struct flow_run *run);
void flow_run_free(struct flow_run *run); /* at any time; NULL is fine */

const char *flow_end_text(enum flow_end_reason r);

CLEANUP(flow, flow_unref)
CLEANUP(flow_run, flow_run_free)
