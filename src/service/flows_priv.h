// SPDX-License-Identifier: Apache-2.0
/*
 * flows_priv.h - what the files about an application's own flows share.
 *
 * Work on documents (parsing, checking, comparing, up to 256 KiB each) is for
 * none of the threads that answer, store or speak.  It is done on threads of
 * this room's, which may wait for the store: a request becomes a job, and a job
 * reads from top to bottom.
 */
#pragma once

#include "service/flows.h"
#include "service/service_priv.h"

#define SERVICE_KIND_FLOW "flow"
#define SERVICE_KIND_FLOW_DRAFT "flow_draft"
#define SERVICE_KIND_FLOW_VERSION "flow_version"
#define SERVICE_KIND_FLOW_TEXT "flow_text" /* the document of a version */

enum {
	SERVICE_FLOW_CACHE_MAX = 256,  /* compiled versions in memory */
	SERVICE_FLOW_HEADS_MAX = 4096, /* who points to which version */
	SERVICE_FLOW_FRESH_MS = 1500,  /* ... believed for so long */
	/* a version outlives its flow: a call that has begun reads it */
	SERVICE_FLOW_AFTERLIFE_MS = 3600 * 1000,
	SERVICE_FLOW_KEY_BYTES = VERIFICATION_FLOW_BYTES + 16,
	SERVICE_FLOW_TEXTS = 9 + SERVICE_FLOW_KEYS_MAX,
	SERVICE_FLOW_WIDE_MAX =
		2 * FLOW_DOCUMENT_MAX, /* before it is canonical */
	SERVICE_FLOW_TRIES = 5,        /* when somebody else wrote first */
};

/* --- threads ------------------------------------------------------------------- */

enum service_flow_pool {
	SERVICE_FLOW_DOCUMENTS, /* what the API asks */
	SERVICE_FLOW_FINDS,     /* what a call waits for */
	SERVICE_FLOW_TESTING,   /* tests on a clock of their own */
	SERVICE_FLOW_POOLS
};

/* Lives inside its owner. */
struct service_flow_job {
	struct link link;
	struct service *sv;
	/* Once; not on a loop, so it may wait for the store.  `no`: too many
	 * wait, or it ends: answer "overloaded", and wait for nothing. */
	void (*run)(struct service_flow_job *job, bool no);
};
/* Any thread; run() never comes from inside it. */
void service_flow_submit(enum service_flow_pool pool, struct service *sv,
			 struct service_flow_job *job);

/* --- what is kept in memory ------------------------------------------------------ */

struct service_own_flows; /* of struct service: pools, cache */

MUST_CHECK int service_own_flows_start(struct service *sv, struct diag *d);
/* What waits is told "overloaded".  NULL is fine. */
void service_own_flows_stop(struct service *sv);
void service_own_flows_free(struct service *sv);
/* The next who asks for this flow asks the store. */
void service_flow_forget(struct service *sv, const char *id);

struct service_flow *service_flow_new(const char *id, unsigned version,
				      struct flow *flow);

/* --- records ------------------------------------------------------------------------ */

struct service_flow_record {
	struct service_flow_head head;
	char application[VERIFICATION_APP_BYTES];
	char draft_sha[SERVICE_FLOW_SHA_BYTES];
	char published_sha[SERVICE_FLOW_SHA_BYTES]; /* "": none */
};

bool service_flow_is_own(const char *id); /* of the form "flw_..." */
unsigned service_flow_partition(const char *id);
void service_flow_id_make(struct service *sv, const char *prefix,
			  char out[VERIFICATION_FLOW_BYTES]);
/* Of a version's records. */
void service_flow_key(const char *id, unsigned version,
		      char out[SERVICE_FLOW_KEY_BYTES]);
void service_flow_sha(struct span canonical, char out[SERVICE_FLOW_SHA_BYTES]);

/* Inside apply. */
void service_flow_record_write(struct store_tx *tx, size_t key,
			       const struct service_flow_record *r);
MUST_CHECK int service_flow_record_read(struct span record,
					struct service_flow_record *r);
void service_flow_version_write(struct store_tx *tx, size_t key,
				const struct service_flow_record *r,
				const struct service_flow_version *v,
				int64_t expires_ms);
MUST_CHECK int service_flow_version_read(struct span record,
					 struct service_flow_version *v);

/* Waits.  -ENOENT; text is the caller's. */
MUST_CHECK int service_flow_load_record(struct service *sv, const char *id,
					struct service_flow_record *r);
MUST_CHECK int service_flow_load_text(struct service *sv, const char *id,
				      unsigned version, char **text);
MUST_CHECK int service_flow_load_version(struct service *sv, const char *id,
					 unsigned version,
					 struct service_flow_version *v);

/* What the checker may ask about this server. */
struct flow_world service_flow_world(struct service *sv);

/* --- a request --------------------------------------------------------------------- */

/* flow_request.c: one request of the API, with its copies. */
struct service_flow_request {
	struct service_flow_job job;
	struct service *sv;
	struct service_flow_ask ask;
	char *owned[SERVICE_FLOW_TEXTS]; /* its texts */
	size_t owned_count;
	struct service_flow_test *test; /* owned; or NULL */
	service_flow_h *done;
	void *ctx;
	/* Does it; a refusal where it cannot. */
	void (*act)(struct service_flow_request *q);
	struct service_refusal no; /* code NULL: all is well */
	struct service_flow_answer a;
	/* what the answer points to, and what a change works on */
	struct service_flow_record r;
	json_t *document;        /* that was given, or NULL */
	char *text, *before;     /* canonical; owned */
	char *changes, *dropped; /* owned */
	struct flow_findings findings;
	struct service_flow_head *heads;       /* owned */
	struct service_flow_version *versions; /* owned */
	struct service_flow_version version;
	struct service_run run; /* of a test */
	char next[STORE_CURSOR_BYTES];
	/* what a change expects: service_flow_still() */
	char was[SERVICE_FLOW_ETAG_BYTES];
	unsigned had_versions;
};
/* ->act on a thread of ours, then done, then freed. */
void service_flow_request(struct service *sv,
			  const struct service_flow_ask *ask,
			  void (*act)(struct service_flow_request *q),
			  service_flow_h *done, void *ctx);
/* For who submits it elsewhere; the copy of a text goes with it. */
struct service_flow_request *service_flow_request_new(
	struct service *sv, const struct service_flow_ask *ask,
	service_flow_h *done, void *ctx);
const char *service_flow_keep(struct service_flow_request *q, const char *text);
/* Reads q->r; refuses what is unknown or another's, and where `change` is set
 * what came with the program. */
bool service_flow_own(struct service_flow_request *q, bool change);
/* The canonical text of the draft (0) or of a version.  False: refused. */
bool service_flow_text(struct service_flow_request *q, unsigned version,
		       char **out);
/* q->document from what was given.  False: refused. */
bool service_flow_given(struct service_flow_request *q);
/* Checks a text into q->findings; 0 or -EINVAL. */
int service_flow_check(struct service_flow_request *q, const char *text,
		       struct flow **out);
/* What is said of the document in the record: name, etag, findings. */
void service_flow_describe(struct service_flow_request *q, const char *text);
/* q->text, of q->document, in place of q->before. */
MUST_CHECK int service_flow_save_text(struct service_flow_request *q);
void service_flow_before_key(const char *id, char out[SERVICE_FLOW_KEY_BYTES]);
void service_flow_built_in(const struct service_flow *f,
			   struct service_flow_head *out);
void service_flow_fail(struct service_flow_request *q, int err);
/* A change of the flow's records; -EBUSY: somebody else was faster. */
MUST_CHECK int service_flow_change(struct service_flow_request *q,
				   const struct store_key *keys, size_t count,
				   store_apply_h *apply);
/* Inside apply, the flow being the first key: is it still as it was read? */
MUST_CHECK int service_flow_still(const struct store_tx *tx,
				  const struct service_flow_request *q);
