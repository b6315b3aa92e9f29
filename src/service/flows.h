// SPDX-License-Identifier: Apache-2.0
/*
 * flows.h - call flows of an application: drafts, versions, tests, runs.
 *
 * A flow has one draft, which may have errors, and versions, which have none
 * and never change.  Only a publish makes a version, and whoever runs a flow
 * without naming a version runs the one that was published last.  A call keeps
 * the version that it began with.  The flows that come with the program belong
 * to nobody: everybody may read and run them, nobody may change them.
 *
 * Handlers as in service.h: once, on a thread of the store's, of this room's
 * or on the line; only to write an answer down.
 */
#pragma once

#include "service/service.h"

enum {
	SERVICE_FLOWS_MAX = 200,          /* of one application */
	SERVICE_FLOW_VERSIONS_MAX = 1000, /* of one flow */
	SERVICE_FLOW_MESSAGE_MAX = 500,   /* bytes of a publish's message */
	SERVICE_FLOW_NAME_BYTES = 4 * FLOW_NAME_MAX + 1,
	SERVICE_FLOW_ETAG_BYTES = 33, /* 32 hex digits, with NUL */
	SERVICE_FLOW_SHA_BYTES = 65,
	SERVICE_FLOW_KEYS_MAX = 16,      /* entries of `keys` of a test */
	SERVICE_FLOW_KEYS_TYPED = 12,    /* ... of so many keys each */
	SERVICE_FLOW_TESTS_WAITING = 32, /* more is "overloaded" */
	/* Runs of tests, in the memory of the node that ran them: of those that
	 * are over, so many of one application and of all, for so long. */
	SERVICE_FLOW_RUNS_KEPT = 32,
	SERVICE_FLOW_RUNS_ALL = 256,
	SERVICE_FLOW_RUN_KEPT_MS = 3600 * 1000,
	SERVICE_FLOW_RUN_WHY_BYTES = 160,
	SERVICE_RUN_ID_BYTES = VERIFICATION_FLOW_BYTES,
};

struct service_flow_head {
	char id[VERIFICATION_FLOW_BYTES]; /* "flw_...", or a built-in's name */
	char name[SERVICE_FLOW_NAME_BYTES];
	bool built_in;
	/* The draft: what it is now, how many errors it has, whether it differs
	 * from what is published. */
	char etag[SERVICE_FLOW_ETAG_BYTES];
	unsigned errors, warnings;
	bool changed;
	unsigned published, versions; /* 0: never published */
	int64_t created_ms, updated_ms, published_ms;
};

struct service_run; /* below */

struct service_flow_version {
	unsigned n;
	char application[VERIFICATION_APP_BYTES];
	char sha256[SERVICE_FLOW_SHA_BYTES]; /* of the canonical text, hex */
	char author[VERIFICATION_APP_BYTES]; /* a key's id */
	char message[SERVICE_FLOW_MESSAGE_MAX + 1];
	int64_t published_ms;
};

/*
 * What a request about a flow is told.  Members that are not its business are
 * NULL or 0; all live until the handler returns.
 */
struct service_flow_answer {
	const struct service_flow_head *head;
	const struct service_flow_head *heads; /* of a list */
	const struct service_flow_version *versions;
	size_t count;         /* of heads or versions */
	const char *next;     /* cursor */
	const char *document; /* canonical text */
	const struct flow_findings *findings;
	const char *changes; /* JSON: of a diff; of a refused save, the
				   * three sides */
	const char *dropped; /* JSON: what an import left out */
	const struct service_run *run; /* of a test */
};
/* `no` is NULL when all is well; with "flow_invalid" the answer has findings,
 * with "precondition_failed" changes, head and document: the draft as it is. */
typedef void service_flow_h(const struct service_refusal *no,
			    const struct service_flow_answer *a, void *ctx);

/* One request for all that can be done; each uses what it needs.  Strings are
 * copied. */
struct service_flow_ask {
	struct service_who who;
	const char *id;
	struct span document;      /* JSON text; empty: none */
	const char *name;          /* of a new one; NULL: the document's */
	const char *if_match;      /* an etag; NULL: none was given */
	const char *message;       /* of a publish */
	unsigned version, against; /* 0: the draft */
	const char *cursor;
	size_t limit;
};
typedef void service_flow_do(struct service *sv,
			     const struct service_flow_ask *ask,
			     service_flow_h *done, void *ctx);

/*
 * list       head of each, newest first; built-in ones are on the first page
 * add        a new flow with this document as its draft, or an empty one
 * import     the same of a document that may be a vendor's; never publishes
 * read       head
 * document   of the draft, or of a version
 * save       the draft.  if_match missing: "precondition_required"; another
 *            than it is: "precondition_failed"
 * validate   findings of the document, or of the draft
 * publish    the draft as the next version: head.  if_match is heeded
 * list_versions, restore (a version into the draft), diff (version, against)
 * remove     "conflict" while a verification of it is pending; a call that has
 *            begun meanwhile still finds its version
 */
service_flow_do service_flow_list, service_flow_add, service_flow_import,
	service_flow_read, service_flow_document, service_flow_save,
	service_flow_validate, service_flow_publish, service_flow_list_versions,
	service_flow_restore, service_flow_diff, service_flow_remove;

/* --- tests ---------------------------------------------------------------------- */

enum service_flow_outcome {
	SERVICE_FLOW_ANSWERED,
	SERVICE_FLOW_NO_ANSWER,
	SERVICE_FLOW_BUSY,
	SERVICE_FLOW_FAILS,
	SERVICE_FLOW_MACHINE, /* a mailbox takes the call */
};

/*
 * The same engine against a person that is played, on a clock of its own: the
 * answer has the whole trace.  Or in real time: the answer has the run's id at
 * once, and the run goes on by itself.  No verification is made, nobody is told
 * and no trunk is dialled.
 */
struct service_flow_test {
	struct service_who who;
	const char *id;
	unsigned version;   /* 0: the draft, which must have no errors */
	const char *params; /* JSON text of an object, or NULL; what it lacks
			     * is taken from the samples of Start */
	const char *locale; /* NULL: English */
	/* Anything but an answer is played, whoever was to be rung. */
	enum service_flow_outcome outcome;
	bool real; /* in real time; otherwise as fast as the voices speak */
	bool page; /* the page in the browser rings: in real time, no keys */
	/* Typed, one after the other, whenever nobody speaks; none: the person
	 * types what was heard. */
	const char *keys[SERVICE_FLOW_KEYS_MAX];
	size_t keys_count;
	/* http nodes: really asked, or answered by what is given for a URL (its
	 * text, with or without the query, or "*"): JSON text of
	 * {"<url>": {"status": 200, "body": ..., "timeout": false}}. */
	bool ask_http;
	const char *http;
};
void service_flow_test(struct service *sv, const struct service_flow_test *t,
		       service_flow_h *done, void *ctx);

/* --- runs of tests -------------------------------------------------------------- */

enum service_run_state {
	SERVICE_RUN_GOES,
	SERVICE_RUN_OVER,
	SERVICE_RUN_FAILED, /* it could not be run, or not to its end */
};
struct service_run {
	char id[SERVICE_RUN_ID_BYTES]; /* "run_..." */
	char flow[VERIFICATION_FLOW_BYTES];
	char name[SERVICE_FLOW_NAME_BYTES]; /* the document's */
	unsigned version;                   /* 0: the draft */
	enum service_run_state state;
	bool page, real;
	int64_t began_ms, ended_ms;           /* 0: not yet */
	char why[SERVICE_FLOW_RUN_WHY_BYTES]; /* it failed */
	/* JSON, as the trace of a call; what there is of it until it is over. */
	char *trace;
};
struct service_run_name {
	struct service_who who;
	const char *flow, *id;
};
/* Any thread.  -ENOENT: no such run of theirs, or not any more. */
MUST_CHECK int service_run_read(struct service *sv,
				const struct service_run_name *name,
				struct service_run *out);
void service_run_free(struct service_run *r); /* what it points to */
/* Hangs up, if it goes, and forgets it; *was is what there is of it. */
MUST_CHECK int service_run_remove(struct service *sv,
				  const struct service_run_name *name,
				  struct service_run *was);
/* Its steps behind a cursor ("": all), "run.step", and behind the last of them
 * "run.ended".  done as store_follow()'s, before this returns.  Who hears
 * service_on_event() is woken with the run's id. */
void service_run_events(struct service *sv, const struct service_run_name *name,
			const char *cursor, size_t max, store_events_h *done,
			void *ctx);

/* What the calls of a verification did: {"call","trace"} of each, separated by
 * commas. */
void service_runs(struct service *sv, const struct service_who *who,
		  const char *id, service_said_h *done, void *ctx);
