// SPDX-License-Identifier: Apache-2.0
/*
 * service_priv.h - what the use cases share with each other.
 *
 * Three kinds of thread meet here: whoever asks (web), the store's, the line.
 * What belongs to one of them says so; the rest is atomic, behind a lock that
 * is named with it, or never changes after service_new().
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/timer.h"
#include "service/service.h"

enum {
	SERVICE_POLL_MS = 1000,      /* look for due calls and expiries */
	SERVICE_RETRY_MS = 1000,     /* a write that the store refused */
	SERVICE_BUSY_MS = 3000,      /* no room for a call: back to the queue */
	SERVICE_TICK_MS = 10 * 1000, /* A8 */
	SERVICE_KEYS_POLL_MS = 2000,
	SERVICE_SWEEP_MS = 60 * 1000,
	SERVICE_HOLD_SPARE_MS = 60 * 1000, /* a hold outlives ring and call */
	SERVICE_LEASES_MAX = 64,           /* of the queue, in one go */
	SERVICE_RECORD_MAX = 32 << 10,     /* bytes of one packed record */
	SERVICE_EVENT_BYTES = 1024,        /* of one event's JSON */
	SERVICE_GIVEN_MAX = 32,    /* a longer code than this is wrong anyway */
	SERVICE_REPORT_WEIGHT = 2, /* B8: a report counts as so many calls */
	SERVICE_NUMBER_KEY_BYTES = VERIFICATION_APP_BYTES + 24,
	SERVICE_NODE_BYTES = 64,
	SERVICE_ALIAS_RAW = 16,            /* bytes of what stands for a name */
	SERVICE_HOOK_LEASE_MS = 60 * 1000, /* longer than a request may last */
};

/* Who hears of what an operator did; also tells a service on the same store
 * that its keys may have changed.  No application can have this name. */
#define SERVICE_AUDIT_TOPIC "~audit"
#define SERVICE_KIND_VERIFICATION "verification"
#define SERVICE_KIND_NUMBER "number"
#define SERVICE_KIND_PHONE "phone"
#define SERVICE_KIND_CLAIM "claim"
#define SERVICE_KIND_META "meta"
#define SERVICE_KIND_APP "app"
#define SERVICE_KIND_KEY "key"
#define SERVICE_KIND_NAME "key_name"
#define SERVICE_KIND_DECOY "decoy"
#define SERVICE_KIND_TRACE "trace"
#define SERVICE_KIND_RUNS "runs"
#define SERVICE_KIND_ALIAS "alias"
#define SERVICE_KIND_PROFILE "profile"
#define SERVICE_KIND_PROFILES "profiles"

/* Whoever operates this hears here how its trunks are. */
#define SERVICE_TRUNK_TOPIC "~trunks"

/* --- the whole ---------------------------------------------------------------- */

/* The rules with the number of those who look at them.  A request holds them
 * from its first question to its answer, so that nothing pulls prices or
 * countries away under it. */
struct service_box {
	atomic_uint refs;
	const struct service_rules *rules;
	void (*released)(const struct service_rules *old, void *ctx);
	void *ctx;
};

struct service_figures {
	atomic_uint_fast64_t created, refused, checks[CHECK_COUNT],
		legs[LEG_COUNT], statuses[STATUS_COUNT];
	atomic_uint_fast64_t setup_ms_sum, setup_count;
	atomic_int calling, waiting; /* attempts: dialled; not yet */
};

/* One that can be run: immutable, referenced. */
struct service_flow {
	atomic_uint refs;
	struct flow *flow;
	unsigned version;
	char id[VERIFICATION_FLOW_BYTES];
	char application[VERIFICATION_APP_BYTES]; /* "": the program's own */
	char *text;       /* of the program's own; owned */
	struct link used; /* in memory, by use */
};
struct service_own_flows; /* flow_own_priv.h */

struct service_keys;  /* the authorization table: keys.c */
struct service_hooks; /* who is told what: hook_send.c */

/* Of a telephone, by its place in sv->tels: trunks.c. */
struct service_line {
	atomic_int calls, waiting;
	atomic_uint_fast64_t dials, faults, failures;
	/* under sv->lines_lock: what it said of itself last */
	char why[24];
	int sip_code;
	int64_t since_ms, until_ms;
};

struct service {
	struct service_params p; /* its pointers are borrowed */
	struct service_tel tels[SERVICE_TELS_MAX];
	char node[SERVICE_NODE_BYTES];
	pthread_mutex_t lines_lock;
	struct service_line lines[SERVICE_TELS_MAX];
	struct map *flows; /* id -> struct service_flow */
	struct service_own_flows *own;
	struct verification made_up; /* what an unknown id is checked against */

	pthread_mutex_t rules_lock; /* over the pointer */
	struct service_box *rules;
	atomic_int_fast64_t retention_ms;

	pthread_rwlock_t keys_lock; /* over the pointer */
	struct service_keys *keys;
	int64_t keys_version; /* the line's: of what was loaded */
	bool keys_loading, keys_again;

	atomic_uint epoch;
	atomic_int slots; /* attempts of this node, and those asked for */
	atomic_bool draining, turned_away, ended;
	struct service_figures figures;

	/* Operations of our own that will come back, first to the store's
	 * thread, then to the line. */
	pthread_mutex_t out_lock; /* over these: */
	pthread_cond_t out_none;
	unsigned out_store, out_line;

	void (*woken)(const char *topic, void *ctx);
	void *woken_ctx;
	service_step_h *stepped;
	const atomic_uint *listening;
	void *stepped_ctx;
	struct service_hooks *hooks;

	/* the line's */
	struct link attempts;
	struct timer poll_timer, tick_timer, keys_timer, sweep_timer,
		drain_timer;
	bool leasing[STORE_LANES], lease_again[STORE_LANES];
	bool sweeping, ticking;
	void (*drained)(void *ctx);
	void *drained_ctx;
};

/* service.c */
struct service_box *service_rules_take(struct service *sv);
void service_rules_drop(struct service_box *box); /* NULL is fine */
/* One of rules->max_calls, if there is one; else the call waits in the queue,
 * which is looked at when there is room again. */
bool service_slot_take(struct service *sv);
int service_slots_take(struct service *sv, int n); /* up to n; for that look */
void service_slots_drop(struct service *sv, int n);

/* --- refusals -------------------------------------------------------------------- */

/* refuse.c.  `code` and, through the table of the API, `field` are static. */
void service_refuse(struct service_refusal *no, const char *code,
		    const char *field, const char *fmt, ...) PRINTF_LIKE(4, 5);
void service_refuse_store(struct service_refusal *no, int err);
void service_refuse_create(struct service_refusal *no,
			   enum verification_refusal why, int64_t retry_ms);

/* --- records ---------------------------------------------------------------------- */

/* What is known of a number over all applications. */
struct service_phone {
	bool known;
	int64_t five_digits_until_ms; /* B4 */
	bool forwarded;               /* its last call was (B11) */
};

/* Where the records of one verification are.  The number's key can be told
 * from the id alone: see record.c. */
struct service_place {
	unsigned partition;
	char number_key[SERVICE_NUMBER_KEY_BYTES];
	char phone_key[24];
	bool well_formed;
};
/* `family`: its short id and those of its calls are alike but for four bits. */
void service_id_make(struct service *sv, const char *number_hash, bool family,
		     char out[VERIFICATION_ID_BYTES]);
void service_call_id(struct service *sv, char out[VERIFICATION_ID_BYTES]);
/* Of the next leg, where it follows from v's id; otherwise it stays. */
void service_call_id_of(const struct verification *v,
			char id[VERIFICATION_ID_BYTES]);
/* The verification's short id by its own or a call's: the call's place, 0 for
 * its own.  -EINVAL: it is none. */
MUST_CHECK int service_short_split(const char *short_id,
				   char family[SERVICE_SHORT_BYTES],
				   unsigned *partition, unsigned *leg);
/* Costs the same whatever the id is. */
void service_place_find(const struct keyring *ring, const char *application,
			const char *id, struct service_place *out);
void service_place_of_hash(const char *application, const char *number_hash,
			   struct service_place *out);

/* The records that change together, as one change works on them: keys in the
 * order VERIFICATION, NUMBER, PHONE. */
enum {
	SERVICE_AT_VERIFICATION,
	SERVICE_AT_NUMBER,
	SERVICE_AT_PHONE,
	SERVICE_AT_TRACE, /* only where a call's signalling is kept */
	SERVICE_AT_RUNS,  /* only at the end of a run */
};
struct service_pair {
	bool found;
	struct verification v;
	struct verification_number n;
	struct service_phone phone; /* as it was read */
};
void service_pair_free(struct service_pair *p);
/* Inside apply; frees what an earlier run of it left.  -EBADMSG. */
MUST_CHECK int service_pair_read(const struct store_tx *tx, bool phone,
				 struct service_pair *p);
void service_pair_write(struct store_tx *tx, const struct service *sv,
			bool phone, const struct service_pair *p);
void service_number_write(struct store_tx *tx, size_t key,
			  const struct verification_number *n);
MUST_CHECK int service_phone_read(struct span record, struct service_phone *p);

/* The code of a record, or the one that was given with it.  Errors as
 * code_derive()'s; -ENOKEY also for one that is gone. */
MUST_CHECK int service_code(const struct keyring *ring,
			    const struct verification *v, char out[CODE_BYTES]);
MUST_CHECK int service_number_open(const struct keyring *ring,
				   const struct verification *v,
				   char out[NUMBER_BYTES]);
MUST_CHECK int service_number_seal(const struct keyring *ring, const char *e164,
				   struct verification *v);

/* Does a call of it ring or talk now? */
bool service_is_calling(const struct verification *v);

/* Events; leg NULL where it is not about one. */
void service_event(struct store_tx *tx, const struct verification *v,
		   const char *type, const struct verification_leg *leg,
		   int64_t now);
/* The event of a status that was just reached, and no timer any more. */
void service_event_status(struct store_tx *tx, const struct verification *v,
			  int64_t now);
/* The same, where the application would not have it called: in its words. */
void service_event_denied(struct store_tx *tx, const struct verification *v,
			  const char *reason, int64_t now);

struct service_opened {
	struct service_view view;
	char to[NUMBER_BYTES];
};
/* A view with the number opened; v must outlive it. */
void service_view_open(const struct service *sv, const struct verification *v,
		       int64_t now, struct service_opened *out);

/* decoy.c: a pair that stands for the one of an unknown id, in the same
 * partition.  Inside apply, `key` is the place of its first key. */
struct service_decoy_names {
	char verification[16], number[16];
};
void service_decoy_find(unsigned partition, const char *id,
			struct service_decoy_names *out);
void service_decoy_read(const struct store_tx *tx, size_t key,
			const struct service *sv, struct service_pair *p);
void service_decoy_write(struct store_tx *tx, size_t key,
			 const struct service_pair *p);
/* Blocks: lays them out in a new store. */
MUST_CHECK int service_decoys_start(const struct service *sv, struct diag *d);

/* --- policy ------------------------------------------------------------------------- */

/* ask.c: what the policy wants to know of a record that exists. */
struct service_ask {
	struct policy_request request;
	struct number number;
};
void service_ask_of(const struct policy *policy, const struct verification *v,
		    const char *to, struct service_ask *out);
void service_ask_flow(const struct verification *v, struct policy_request *r);
/* The client's address as counters see it: a v4 address, or a v6 network of
 * 64 bits.  -EINVAL: not an address. */
MUST_CHECK int service_client_net(const char *address, char *out, size_t size);
void service_counter(const struct policy_counter *c, const char *holder,
		     int64_t hold_ms, struct store_counter *out);
/* Inside apply.  The call is over, or will never be: its hold is released, and
 * so is the money that was reserved for it and not spent; what it cost is noted
 * in the leg. */
void service_give_back(struct store_tx *tx, const struct service *sv,
		       const struct policy *policy,
		       const struct verification *v,
		       struct verification_leg *leg);
/* Inside apply.  B8: a report counts against who asked. */
void service_count_report(struct store_tx *tx, const struct service *sv,
			  const struct policy *policy,
			  const struct verification *v);
/* Inside apply: reserve the counters that are no holds; or of these the money
 * alone, for a call that rings nobody a second time. */
void service_reserve(struct store_tx *tx, const struct policy_answer *answer);
void service_reserve_money(struct store_tx *tx,
			   const struct policy_answer *answer);
/* Counters of a request's own: given.c.  Inside apply, behind the others. */
struct service_own {
	struct service_own_limit {
		char name[POLICY_NAME_BYTES]; /* in the store */
		char rule[POLICY_RULE_BYTES];
		int64_t limit, window_ms;
	} at[SERVICE_LIMITS_MAX];
	size_t count;
};
void service_own_reserve(struct store_tx *tx, const struct service_own *own);
/* The refusal for -EDQUOT. */
void service_refuse_counter(struct service_refusal *no,
			    const struct policy_answer *answer,
			    const struct service_own *own,
			    const struct store_result *r);
/* What the number's own past has to do with it.  True: the request changed. */
bool service_ask_past(const struct verification_number *n, int64_t now,
		      struct policy_request *r);

/* flows.c */
MUST_CHECK int service_flows_load(struct service *sv, struct diag *d);
void service_flows_free(struct service *sv);

/* flow_find.c */
struct service_flow *service_flow_ref(struct service_flow *f);
void service_flow_unref(struct service_flow *f); /* NULL is fine */
struct service_flow_want {
	const char *application, *id;
	unsigned version; /* 0: the published one */
	bool begun;       /* a call has begun with it */
};
/* Referenced, if it is in memory.  NULL: -ENOENT, there is none that may be
 * run; -EAGAIN: it is to be brought.  Any thread. */
struct service_flow *service_flow_take(struct service *sv,
				       const struct service_flow_want *w,
				       int *why);
/* done() comes on a thread of this room's, never from inside: 0: it is in
 * memory now, take it there; -ENOENT: as above; -EINVAL: it cannot be run here
 * any more; others are the store's. */
typedef void service_brought_h(int err, void *ctx);
void service_flow_bring(struct service *sv, const struct service_flow_want *w,
			service_brought_h *done, void *ctx);
void service_refuse_flow(struct service_refusal *no, int err);

/* flow_ahead.c: a request whose flow is not in memory comes again, with a copy
 * of itself, when it is.  True: it waits, or was answered. */
bool service_create_waits(struct service *sv, const struct service_create *req,
			  service_done_h *done, void *ctx);
bool service_explain_waits(struct service *sv, const struct service_create *req,
			   service_explain_h *done, void *ctx);
bool service_send_waits(struct service *sv, const struct service_create *req,
			unsigned sends, service_sent_h *done, void *ctx);

/* --- create and what is like it ------------------------------------------------------ */

/* What a create asks for, read: parse.c.  The strings are copied. */
struct service_wish {
	struct service_box *rules;
	struct number number;
	struct verification v; /* everything that the request decides */
	struct policy_request ask;
	struct policy_answer answer;
	struct service_flow *flow; /* referenced */
	struct service_place place;
	char code[CODE_BYTES]; /* given; wiped with the rest */
	json_t *params;        /* of the flow, texts alone; wiped as well */
	char *hook_key;        /* given, or NULL; the same */
	struct service_own own;
};
/* False: refused. */
bool service_wish_read(struct service *sv, const struct service_create *req,
		       struct service_wish *out, struct service_refusal *no);
/* False: the policy's no, in words. */
bool service_allowed(const struct policy_answer *answer,
		     struct service_refusal *no);
void service_wish_free(struct service_wish *w);

/* read.c: what a number is searched by.  False: `to` is none. */
bool service_number_hash(struct service *sv, const char *to,
			 char out[KEYRING_HASH_BYTES],
			 struct service_refusal *no);

/* find.c: inside apply, the record of a short id; its key is the first. */
void service_alias_write(struct store_tx *tx, const struct service *sv,
			 const char *id);

/* given.c: what was given is sealed into w->v, whose id is known by now. */
MUST_CHECK int service_given_seal(const struct service *sv,
				  struct service_wish *w);
/* What its callbacks are signed with; nothing where it has none of its own. */
MUST_CHECK int service_hook_key_open(const struct keyring *ring,
				     const struct verification *v,
				     struct buf *out);
/* The parameters of a record, *out NULL where it has none; forget them before
 * they are freed. */
MUST_CHECK int service_params_open(const struct keyring *ring,
				   const struct verification *v, json_t **out);
void service_params_forget(json_t *params); /* wiped; NULL is fine */
/* As flow_params_read() does it; false: refused, by the parameter's name. */
bool service_params_read(const struct flow *f, const json_t *o, json_t **out,
			 struct service_refusal *no);
/* False: refused. */
bool service_own_read(const struct service *sv,
		      const struct service_create *req, struct service_own *out,
		      struct service_refusal *no);

/* trunks.c: the telephones that ring `to`, in the order of asking.  Either no
 * trunk is among them or they all are.  Any thread. */
struct service_routes {
	const struct service_tel *at[SERVICE_TELS_MAX];
	size_t count;
};
void service_routes_find(const struct service *sv,
			 const struct service_rules *rules, const char *to,
			 struct service_routes *out);
struct service_line *service_line_of(struct service *sv,
				     const struct service_tel *tel);
void service_lines_start(struct service *sv);

/* check.c: the change of a check, for both ways that a code may come; what is
 * expected, and the epoch, are filled in here. */
enum outcome_check service_check_run(struct store_tx *tx,
				     const struct service *sv,
				     struct service_pair *p,
				     const struct verification_attempt *given,
				     unsigned *left);
/* A status was reached, and is durable: counted and logged.  Any thread. */
void service_reached(struct service *sv, const struct verification *v);

/* --- calls ---------------------------------------------------------------------------- */

/* deliver.c.  A call that this node holds already, from the store's thread:
 * v is moved, with what it owns.  Takes over a slot. */
void service_deliver(struct service *sv, const struct store_lease *lease,
		     struct verification *v);
/* Any thread: the verification ended while its call goes on. */
void service_settle(struct service *sv, const char *verification,
		    enum outcome_status status);
void service_attempts_stop(struct service *sv);   /* the line's: say goodbye */
void service_attempts_return(struct service *sv); /* those not dialled */
/* The end: calls are cut, then (nothing is out any more) all is freed. */
void service_attempts_cut(struct service *sv);
void service_attempts_free(struct service *sv);

/* hook_send.c.  The line's, but for woken(), which runs on the store's thread
 * after something happened. */
void service_hooks_start(struct service *sv);
/* How, if at all, a verification is told: v->hook.  Any thread; false: there is
 * no such form. */
bool service_hook_wanted(struct service *sv, const struct service_create *req,
			 struct verification *v);
void service_hooks_woken(struct service *sv, const char *topic);
int service_hooks_room(struct service *sv); /* how many more; they are taken */
void service_hooks_unused(struct service *sv, int n);
void service_hooks_tell(struct service *sv, const struct store_lease *lease);
void service_hooks_drain(struct service *sv); /* what is out has a moment */
void service_hooks_stop(struct service *sv);  /* requests are given up */
void service_hooks_free(struct service *sv);

/* lease.c: the line's, from time to time and when there is room again. */
void service_lease_round(struct service *sv);
void service_lease_soon(struct service *sv); /* any thread */
void service_lease_hooks(struct service *sv);

/* expire.c */
void service_expire(struct service *sv, const struct store_lease *lease);
/* Inside apply: (re)set the timer of a record that is pending. */
void service_timer_push(struct store_tx *tx, const struct verification *v);

/* events.c: a step of a call's flow, of which the flow said `json`.  The
 * line's. */
void service_step_tell(struct service *sv, const struct verification *v,
		       const char *call_id, const char *json);

/* keep.c: the ring and the epoch of the store (A8). */
MUST_CHECK int service_meta_start(struct service *sv, struct diag *d);
/* The line's: ticks, sweeps, looks for new keys and for what is due. */
void service_keep_start(struct service *sv);
void service_keep_stop(struct service *sv);

/* service.c: begin() before an operation is submitted; came_back() on the
 * store's thread, the last that is done there; ended() on the line. */
void service_out_begin(struct service *sv);
void service_out_came_back(struct service *sv);
void service_out_ended(struct service *sv);

/* One's own verification by its id: what cancel and call again have in common
 * (errand.c).  apply and done get it as their ctx. */
struct service_errand {
	struct service *sv;
	struct service_box *rules;
	service_done_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES], id[VERIFICATION_ID_BYTES];
	struct service_pair pair;
	struct service_refusal no;
	struct policy_answer answer;
	struct store_result result;
	int64_t now;
	char call_id[VERIFICATION_ID_BYTES];
	bool slot;
	unsigned partition;
	/* again.c, for service_send(): */
	bool sending, dials;
	unsigned sends;
	const struct service_wish *wish; /* what is asked for; NULL: any */
	struct service_own own;
};
struct service_errand *service_errand_new(struct service *sv,
					  const struct service_who *who,
					  const char *id, service_done_h *done,
					  void *ctx);
/* store_change() on its records. */
void service_errand_run(struct service_errand *e, store_apply_h *apply,
			store_done_h *done);
/* Reads, and refuses what is unknown or another's with -ENOENT. */
MUST_CHECK int service_errand_read(const struct store_tx *tx,
				   struct service_errand *e);
/* Answers with the view, or with e->no where that has a code; frees it. */
void service_errand_end(struct service_errand *e);
/* again.c: as service_call(), but a call that rings or talks is no refusal.
 * "conflict" and "not_found": this one will not be called any more. */
struct service_sending {
	const struct service_who *who;
	const char *id, *call_id; /* call_id: of the further call */
	unsigned sends;           /* calls in all */
	/* Another telephone, purpose, payment or given code is another
	 * verification.  Stays until done. */
	const struct service_wish *wish;
	const struct service_own *own;
};
void service_call_once_more(struct service *sv,
			    const struct service_sending *req,
			    service_done_h *done, void *ctx);

/* keys.c */
bool service_brand_allowed(struct service *sv, const char *application,
			   const char *brand);
MUST_CHECK int service_keys_load(struct service *sv, struct diag *d);
void service_keys_free(struct service *sv);
void service_keys_look(struct service *sv);    /* the line's: changed? */
void service_keys_changed(struct service *sv); /* any thread: look soon */
struct service_key {
	char id[VERIFICATION_APP_BYTES], application[VERIFICATION_APP_BYTES];
	char name[64];
	unsigned scopes;
	int64_t created_ms, expires_ms;
	uint8_t hash[CRYPTO_HASH_BYTES];
};
void service_key_pack(const struct service_key *k, struct buf *out);
MUST_CHECK int service_key_unpack(struct span record, struct service_key *k);
/* What a webhook's secret is derived from. */
struct service_app_secret {
	unsigned generation;
	char key[KEYRING_ID_BYTES]; /* of the ring; "": its oldest */
};
struct service_app {
	char name[VERIFICATION_APP_BYTES];
	int64_t created_ms;
	char webhook[VERIFICATION_URL_BYTES]; /* "": none */
	struct service_app_secret secret, old_secret;
	int64_t old_until_ms;             /* while both sign */
	char ask[VERIFICATION_URL_BYTES]; /* before a call (E7); "": nobody */
	int64_t ask_ms;
	bool ask_deny;       /* where there is no answer */
	size_t brands_count; /* 0: any brand is fine */
	char brands[SERVICE_BRANDS_MAX][VERIFICATION_BRAND_BYTES];
};
/* A copy.  False: there is no such application. */
bool service_app_find(struct service *sv, const char *application,
		      struct service_app *out);
void service_app_pack(const struct service_app *a, struct buf *out);
MUST_CHECK int service_app_unpack(struct span record, struct service_app *a);
/* The record that goes up with every change of an application or a key. */
extern const struct store_key service_keys_meta;
MUST_CHECK int service_version_read(struct span record, int64_t *version);
void service_version_next(struct store_tx *tx, size_t key);
enum { SERVICE_KEY_ID_BYTES = 25 }; /* "key_", 20 letters and digits, NUL */
void service_token_hash(const struct keyring *ring, struct span token,
			uint8_t out[CRYPTO_HASH_BYTES]);

/* --- waiting: for start-up, commands, threads that may; never on a loop --------------------- */

/* wait.c.  Each returns what done got. */
MUST_CHECK int service_wait_change(struct store *st, unsigned partition,
				   const struct store_key *keys, size_t count,
				   store_apply_h *apply, void *ctx);
struct service_found { /* a record, copied */
	unsigned partition;
	char *id, *bytes; /* owned */
	struct span value;
};
MUST_CHECK int service_wait_list(struct store *st, const struct store_query *q,
				 struct service_found **out, size_t *count);
/* One page; next is "" at the end. */
MUST_CHECK int service_wait_page(struct store *st, const struct store_query *q,
				 char next[STORE_CURSOR_BYTES],
				 struct service_found **out, size_t *count);
MUST_CHECK int service_wait_get(struct store *st, unsigned partition,
				const char *kind, const char *id,
				struct service_found **out, size_t *count);
void service_found_free(struct service_found *f, size_t count);
