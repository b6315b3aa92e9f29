// SPDX-License-Identifier: Apache-2.0
/*
 * service.h - the use cases: create, check, cancel, call again, deliver, keep.
 *
 * Here rooms meet: the policy is asked, records are changed in the store, calls
 * are leased, flows are run on telephones, and what happened is recorded and
 * told.  Requests may come on any thread and never wait; each has a done
 * handler that runs once, on a thread of the store's or on the line, and must
 * only write an answer down.  What it is given lives until it returns.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/span.h"
#include "core/keyring.h"
#include "core/number.h"
#include "core/outcome.h"
#include "core/policy.h"
#include "core/routing.h"
#include "core/verification.h"
#include "flow/flow.h"
#include "speech/speech.h"
#include "store/store.h"
#include "tel/tel.h"

struct outbound; /* web/outbound.h */
struct service;

enum {
	SERVICE_TELS_MAX = 16,
	SERVICE_BRANDS_MAX = 32,
	SERVICE_METADATA_ITEMS = 16,
	SERVICE_METADATA_TEXT = 256, /* bytes of one value */
	SERVICE_TOKEN_BYTES = 80,
	SERVICE_TOKEN_BARE = 66,      /* characters, without its two "_" */
	SERVICE_LEASE_MS = 20 * 1000, /* renewed while a call runs */
	SERVICE_KEYS_MAX = 10000,
	SERVICE_IDEMPOTENCY_MS = 24 * 3600 * 1000,
	SERVICE_IDEMPOTENCY_KEY_MAX = 255, /* bytes */
	SERVICE_LABEL_BYTES = 48,
	SERVICE_SHORT_BYTES = 33,       /* 32 hex digits, with NUL */
	SERVICE_LIMITS_MAX = 4,         /* counters of a request's own */
	SERVICE_PARAMS_MAX = 8 << 10,   /* bytes of their JSON text */
	SERVICE_SECRET_DIGITS_MAX = 10, /* of a secret parameter (A6) */
};

/* --- making one ------------------------------------------------------------- */

/* What may change while it runs (SIGHUP).  Owned by the maker; a service keeps
 * the one that it was given until service_reload() has handed it back. */
struct service_rules {
	struct policy policy;
	struct number_plan *plan;
	struct prices *prices;
	const char *brand, *callback; /* callback: B12, "" for none */
	const char *from;             /* default caller id */
	int64_t ttl_ms;               /* 60..600 s */
	unsigned code_length, min_code_length, wrong_max;
	bool code_even;         /* A9 */
	bool require_client_ip; /* `client_ip` must be given */
	unsigned ring_ms, max_calls;
	int64_t retention_ms;
	const struct routing *routing; /* of trunks; NULL: none is asked */
};

struct service_tel {
	const char *route; /* the name that records show; a trunk's own */
	struct tel *tel;   /* borrowed */
	/* Asked in the order of rules->routing, where no other telephone serves
	 * the number, and with a place: its maker called tel_limit(). */
	bool trunk;
	/* Caller ids that it may show, the usual one first; none: the rules'.
	 * Borrowed. */
	const char *const *from;
	size_t from_count;
};

struct service_params {
	struct loop *line; /* the line thread's; borrowed, as all of these */
	struct store *store;
	struct outbound *outbound; /* NULL: nobody is told or asked (hooks.h) */
	struct speech *speech;
	const struct phrases *phrases;
	const struct keyring *ring;
	struct clock *clock;
	struct rng *rng;
	const char *node;
	const char *flows_dir;          /* the built-in flows: <id>.json */
	const struct service_tel *tels; /* asked in order: tel_serves() */
	size_t tels_count;
	const struct service_rules *rules;
	/* The address by which others reach this server, without a slash
	 * behind it: "https://voice.example"; NULL or "": not known. */
	const char *public_url;
	/* The last tick that this machine saw (A8): behind it, the store is a
	 * restored copy, and gets a new epoch.  tick(ctx) is told the next. */
	int64_t last_tick;
	void (*tick)(int64_t tick, void *ctx);
	void *tick_ctx;
};

/*
 * Loads flows and keys, checks the ring against the store's (A8), reports
 * attempts that were under way as interrupted, starts leasing.  Blocks: call it
 * at start-up, with the line loop not yet running or on another thread.
 */
MUST_CHECK int service_new(const struct service_params *params,
			   struct service **out, struct diag *d);
/* The old rules may be freed once released(old, ctx) was called. */
void service_reload(struct service *sv, const struct service_rules *rules,
		    void (*released)(const struct service_rules *old,
				     void *ctx),
		    void *ctx);
/* No new calls; runs finish, or say goodbye at the latest after ms.  Any
 * thread.  drained(ctx) comes on the line thread. */
void service_drain(struct service *sv, int64_t ms, void (*drained)(void *ctx),
		   void *ctx);
void service_free(struct service *sv); /* drained, line stopped; NULL is fine */

/* --- who asks ----------------------------------------------------------------- */

enum service_scope {
	SERVICE_CHECK = 1,
	SERVICE_VERIFY = 2,
	SERVICE_FLOWS = 4,
	SERVICE_ADMIN = 8,
};
struct service_who {
	char application[VERIFICATION_APP_BYTES];
	char key_id[VERIFICATION_APP_BYTES];
	unsigned scopes; /* of enum service_scope */
};
/*
 * By token alone ("key_... . secret"), or by key id and token (Basic; key_id
 * NULL for Bearer).  Its two "_" may be left out.  From memory, constant-time in the secret.  False: no such
 * key, expired, revoked.  Any thread.
 */
bool service_authorize(struct service *sv, const char *key_id,
		       struct span token, struct service_who *out);

/* --- answers ------------------------------------------------------------------ */

/* Why not.  `code` is one of the API's (api/errors.def); "" when all is well. */
struct service_refusal {
	const char *code; /* static */
	char field[64], rule[POLICY_RULE_BYTES], detail[256];
	int64_t retry_ms; /* 0: none */
};

struct service_view {
	const struct verification *v;
	const char *to;   /* in clear, for its owner's answer */
	const char *code; /* `reverse`, and only in the answer to a create */
	int64_t now;
};

/* v is NULL when refused. */
typedef void service_done_h(const struct service_refusal *no,
			    const struct service_view *view, void *ctx);

/*
 * What a person at a sandbox number would read in the application: the code of
 * flow `reverse`, which the answer to its create has shown.  The line's; false
 * for every other call and number.
 */
bool service_sandbox_code(struct service *sv, const char *call_id,
			  char out[CODE_BYTES]);

/* --- requests; strings are copied before they return ---------------------------- */

struct service_create {
	struct service_who who;
	const char *to, *flow, *locale, *brand, *purpose, *from;
	/* Keys for a switchboard, "ww1234#" (core/extension.h), sent after the
	 * answer and before anything is said; NULL: none. */
	const char *send_digits;
	unsigned code_length; /* 0: default */
	int64_t ttl_ms;       /* 0: default */
	const char *amount, *currency, *payee, *webhook, *client_ip;
	/* How `webhook` is told (hooks.h); NULL: "standard".  Without `webhook`
	 * it is the application's own, if it has one. */
	const char *webhook_form;
	/* What that form signs with, where it has it from who asks: kept sealed
	 * with the record.  NULL: nothing. */
	const char *webhook_key;
	const char *metadata; /* JSON text of an object of texts, or NULL */
	const char *idempotency_key; /* NULL: none */
	const uint8_t *body_hash;    /* CRYPTO_HASH_BYTES, with the key */
	bool trace; /* keep the signalling of its calls: SERVICE_ADMIN */

	unsigned flow_version; /* 0: the published one */
	/* The flow's parameters, as the JSON text of an object of texts and
	 * numbers, or NULL.  Sealed, and erased at the end (A6).  Where `to` is
	 * NULL, the flow's call node says which of them is called. */
	const char *params;
	/* Parameters that the flow does not take are left out, not refused. */
	bool more_params;
	/* It comes by a face whose requests have no place for the end user's
	 * address: `client_ip` may be missing whatever the rules say.  The
	 * counters of the key hold it. */
	bool no_client;
	/* A code of the caller's own: 4 to 10 digits.  Sealed and erased as
	 * well; NULL: one is derived. */
	const char *code;
	/* What it belongs to within the application: a vendor's service, by
	 * whose name it is found again.  NULL: nothing. */
	const char *label;
	bool short_id; /* service_find() shall find it by its short id */
	/* Counters of the request's own, taken with the others; all or none.
	 * "rate_limited", whose rule is the name. */
	struct service_limit {
		const char *name; /* unique within the application */
		int64_t limit, window_ms;
	} limits[SERVICE_LIMITS_MAX];
	size_t limits_count;
};
/* Answered after the record is durable and the call queued, never before. */
void service_create(struct service *sv, const struct service_create *req,
		    service_done_h *done, void *ctx);

/*
 * How vendors' clients send again: where the newest verification of this number
 * and label is pending, it is called again (A5: the same code), up to `sends`
 * calls in all ("rate_limited", rule "sends"); otherwise one is made.  While
 * its call rings or talks nothing more is dialled, and that is no refusal.
 */
typedef void service_sent_h(const struct service_refusal *no,
			    const struct service_view *view, bool again,
			    void *ctx);
void service_send(struct service *sv, const struct service_create *req,
		  unsigned sends, service_sent_h *done, void *ctx);

/* By one of: its id; its short id; a number, whose newest verification of this
 * label is meant, over or not.  "not_found". */
struct service_find {
	struct service_who who;
	const char *id, *short_id, *to;
	const char *label; /* NULL: of any, where it is found by id */
};
void service_find(struct service *sv, const struct service_find *req,
		  service_done_h *done, void *ctx);
/* 32 hex digits that stand for an id ("ver_..." or "call_...") where a vendor's
 * ids are no longer than that.  The same id, the same digits. */
void service_short_id(const char *id, char out[SERVICE_SHORT_BYTES]);
/* 16 bytes that stand for a name in vendors' ids, keyed by the ring: the same
 * kind and name, the same bytes.  Any thread. */
void service_alias(const struct service *sv, const char *kind, const char *name,
		   uint8_t out[16]);

void service_read(struct service *sv, const struct service_who *who,
		  const char *id, service_done_h *done, void *ctx);

struct service_check {
	struct service_who who;
	const char *id, *code, *amount, *currency, *payee;
};
typedef void service_checked_h(const struct service_refusal *no,
			       enum outcome_check result, unsigned left,
			       enum outcome_status status, void *ctx);
/* An id that is unknown, or another's, costs what a wrong code costs (D4) and
 * answers CHECK_UNKNOWN. */
void service_check(struct service *sv, const struct service_check *req,
		   service_checked_h *done, void *ctx);

/* What its calls signalled, as text; "not_found" where nothing was kept. */
typedef void service_said_h(const struct service_refusal *no, const char *text,
			    void *ctx);
void service_trace(struct service *sv, const struct service_who *who,
		   const char *id, service_said_h *done, void *ctx);

void service_cancel(struct service *sv, const struct service_who *who,
		    const char *id, service_done_h *done, void *ctx);
void service_call(struct service *sv, const struct service_who *who,
		  const char *id, service_done_h *done, void *ctx);

struct service_query {
	struct service_who who;
	const char *to; /* search by number; NULL: any */
	const char *status, *country, *cursor;
	int64_t since_ms, until_ms;
	size_t limit;
};
typedef void service_page_h(const struct service_refusal *no,
			    const struct service_view *views, size_t count,
			    const char *next, void *ctx);
void service_list(struct service *sv, const struct service_query *q,
		  service_page_h *done, void *ctx);

struct service_explanation {
	struct number number;
	const struct policy_answer *answer;
	const char *language, *from, *route; /* route NULL: none serves it */
	unsigned seconds; /* a call without repeats, about; 0: unknown */
	const char *currency;
};
typedef void service_explain_h(const struct service_refusal *no,
			       const struct service_explanation *e, void *ctx);
/* What a create would meet; changes nothing. */
void service_explain(struct service *sv, const struct service_create *req,
		     service_explain_h *done, void *ctx);

/* Digits of a code: what is usual here, and the fewest that may be asked for
 * (A1).  Any thread. */
void service_code_length(struct service *sv, unsigned *usual, unsigned *least);

/* --- events ---------------------------------------------------------------------- */

struct service_follow {
	struct service_who who;
	const char *id; /* of one verification; NULL: of the application */
	const char *cursor;
	size_t max;
};
/* done as store_follow()'s; -ENOENT: no such verification of theirs. */
void service_events(struct service *sv, const struct service_follow *req,
		    store_events_h *done, void *ctx);
/* woken(topic, ctx) whenever a topic (a verification's id, an application's id,
 * a test run's) has something new: on the store's thread, for test runs on the
 * line or a thread of this room's.  One; set before traffic. */
void service_on_event(struct service *sv,
		      void (*woken)(const char *topic, void *ctx), void *ctx);

/* A step of a call's flow as it ends, redacted as the trace is.  It is told
 * here and kept nowhere but in that trace. */
struct service_step {
	const char *application, *verification;
	struct span json; /* the whole event */
};
/* told(step, ctx) on the line, while `listening` is not 0; it must not wait.
 * Whoever listens counts there.  One; set before traffic. */
typedef void service_step_h(const struct service_step *step, void *ctx);
void service_on_step(struct service *sv, service_step_h *told,
		     const atomic_uint *listening, void *ctx);

/* --- the operator's side ----------------------------------------------------------- */

/* Works on a store alone, beside a running server or without one. */
struct service_admin {
	struct store *store;
	const struct keyring *ring;
	struct clock *clock;
	struct rng *rng;
};
/* Each blocks until it is durable: for the command line, and for start-up.
 * Answers are JSON texts (free() them) for people and programs alike. */
MUST_CHECK int service_app_add(const struct service_admin *a, const char *name,
			       char **json, struct diag *d);
MUST_CHECK int service_app_list(const struct service_admin *a, char **json,
				struct diag *d);
/* As service_alias(). */
void service_admin_alias(const struct service_admin *a, const char *kind,
			 const char *name, uint8_t out[16]);
/* E1: the brands that its calls may name besides the settings' own; none: any.
 * They take the place of what was listed before. */
MUST_CHECK int service_app_brands(const struct service_admin *a,
				  const char *name, const char *const *brands,
				  size_t count, char **json, struct diag *d);
struct service_key_new {
	const char *application, *name;
	unsigned scopes;
	int64_t expires_ms; /* 0: never */
};
/* The token stands in the answer, here and never again. */
MUST_CHECK int service_key_add(const struct service_admin *a,
			       const struct service_key_new *key, char **json,
			       struct diag *d);
MUST_CHECK int service_key_list(const struct service_admin *a,
				const char *application, char **json,
				struct diag *d);
MUST_CHECK int service_key_revoke(const struct service_admin *a,
				  const char *key_id, struct diag *d);
/* By number or by verification id; each leaves an audit event. */
MUST_CHECK int service_number_unlock(const struct service_admin *a,
				     const char *number, char **json,
				     struct diag *d);
MUST_CHECK int service_number_reveal(const struct service_admin *a,
				     const char *verification, char **json,
				     struct diag *d);
MUST_CHECK int service_number_erase(const struct service_admin *a,
				    const char *number, char **json,
				    struct diag *d);

/* --- trunks ---------------------------------------------------------------------------- */

/* The line's: a trunk's state has changed.  Logged, counted, kept as an event.
 * `why` is a word of its driver's, for people; rests_ms 0: not known. */
struct service_trunk_news {
	const char *trunk;
	enum tel_state state;
	const char *why;
	int sip_code;
	int64_t rests_ms;
};
void service_trunk_news(struct service *sv,
			const struct service_trunk_news *news);

struct service_trunk {
	const char *name; /* lives as long as the service */
	enum tel_state state;
	char why[24]; /* "" before the first news */
	int sip_code;
	int64_t since_ms, until_ms; /* wall; until 0: not known */
	unsigned calls, waiting;    /* now: dialled; for a place */
	/* All that were dialled; that it answered with a fault of its own; how
	 * often it went down or to rest. */
	uint64_t dials, faults, failures;
};
/* Any thread; how many there are. */
size_t service_trunks(struct service *sv,
		      struct service_trunk out[SERVICE_TELS_MAX]);
const char *service_trunk_text(enum tel_state state); /* "up", ... */

/* --- health and figures -------------------------------------------------------------- */

struct service_stats {
	uint64_t created, refused, checks[CHECK_COUNT], legs[LEG_COUNT],
		statuses[STATUS_COUNT];
	uint64_t calls_now, queued_now;     /* of this node */
	uint64_t timers;                    /* of its line */
	uint64_t setup_ms_sum, setup_count; /* queued to dialing */
	bool ready; /* store well, speech open, a telephone */
};
void service_stats(struct service *sv, struct service_stats *out);

CLEANUP(service, service_free)
