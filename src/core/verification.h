// SPDX-License-Identifier: Apache-2.0
/*
 * verification.h - the life of one verification, as pure functions.
 *
 * Records in, records and an outcome out: no socket, no file, no clock; time
 * and randomness are handed in.  Two records change together, in one partition
 * of the store: the verification, and the number's state for one application
 * (failures, pauses, live codes).
 *
 * Times are wall milliseconds.  Nothing here keeps a pointer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"
#include "core/code.h"
#include "core/extension.h"
#include "core/number.h"
#include "core/outcome.h"

enum {
	VERIFICATION_ID_BYTES =
		40, /* "ver_" time, random, partition; with NUL */
	VERIFICATION_APP_BYTES = 40,
	VERIFICATION_FLOW_BYTES = 48,
	VERIFICATION_BRAND_BYTES = 96, /* 30 characters of UTF-8 */
	VERIFICATION_BRAND_CHARACTERS = 30,
	VERIFICATION_PURPOSE_BYTES = 33,
	VERIFICATION_LOCALE_BYTES = 36,
	VERIFICATION_AMOUNT_BYTES = 24,
	VERIFICATION_PAYEE_BYTES = 128,
	VERIFICATION_URL_BYTES = 512,
	VERIFICATION_METADATA_MAX = 8 << 10, /* bytes of its JSON text */
	VERIFICATION_LABEL_BYTES = 48,
	VERIFICATION_PARAMS_MAX = 9 << 10, /* bytes of them, sealed */
	VERIFICATION_HOOK_KEY_MAX = 160,
	VERIFICATION_LEGS_MAX = 6,    /* calls of one verification */
	VERIFICATION_LIVE_MAX = 3,    /* live codes per app and number, A5 */
	VERIFICATION_HARD_STOP = 100, /* failures in a row, A4 */
	VERIFICATION_LIFE_MS = 600 * 1000, /* A2: nothing lives longer */
	VERIFICATION_DIAL_MS = 90 * 1000,  /* A2: left at a dial, or ttl/2 */
	VERIFICATION_WRONG = 5,            /* A4: wrong checks, the default */
	VERIFICATION_WRONG_MAX = 10,
	VERIFICATION_HUMAN = 3,             /* B4: digits of the human check */
	VERIFICATION_HUMAN_MAX = 5,         /* ... after a failed call */
	VERIFICATION_HUMAN_DAYS = 30,       /* ... for so long */
	VERIFICATION_PAUSE_MS = 900 * 1000, /* B8: after a report */
	/* tracked per app and number; one more takes the place of the oldest
	 * and takes over its failures, so that none are forgotten */
	VERIFICATION_PURPOSES_MAX = 8,
};

enum verification_leg_state {
	VERIFICATION_LEG_QUEUED,
	VERIFICATION_LEG_DIALING, /* committed before the dial */
	VERIFICATION_LEG_RINGING,
	VERIFICATION_LEG_ANSWERED,
	VERIFICATION_LEG_ENDED,
};

/* What was counted of a call's sound. */
struct verification_media {
	bool known;
	int64_t sent, received, lost; /* packets; lost of what should come */
	unsigned jitter_us;
	bool far_known; /* what the far end said of ours: */
	int64_t far_lost;
	unsigned far_jitter_us, rtt_us; /* rtt 0: unknown */
};

struct verification_leg {
	char id[VERIFICATION_ID_BYTES]; /* "call_..." */
	char route[32];
	enum verification_leg_state state;
	enum outcome_leg outcome; /* LEG_NONE until it ended */
	int sip_code, q850;
	bool forwarded, human, spoken;
	bool early_media; /* there was sound before an answer */
	int64_t queued_ms, dialed_ms, ringing_ms, answered_ms, ended_ms;
	int64_t price_micro; /* reserved for it */
	bool priced;         /* it ended, and cost: */
	int64_t cost_micro;
	char currency[4];
	struct verification_media media;
};

/* How it may be approved. */
enum verification_method {
	VERIFICATION_BY_API,    /* the code is spoken, and comes by a check */
	VERIFICATION_BY_KEYPAD, /* reverse: only the keypad approves */
	VERIFICATION_BY_CALL,   /* keypad: spoken and typed in the same call */
};

struct verification {
	char id[VERIFICATION_ID_BYTES];
	char application[VERIFICATION_APP_BYTES],
		key_id[VERIFICATION_APP_BYTES];
	enum outcome_status status;
	/* the number: sealed, hashed, and what may be clear (F1) */
	uint8_t number_sealed[KEYRING_SEALED_MAX];
	size_t number_sealed_n;
	char number_hash[KEYRING_HASH_BYTES];
	char country[NUMBER_REGION_BYTES], prefix6[8], last4[5];
	bool sandbox;
	unsigned country_code;
	/* the code: what it is derived from */
	char ring_key[KEYRING_ID_BYTES];
	uint8_t nonce[CODE_NONCE_BYTES];
	bool code_even;
	unsigned code_length;
	uint32_t epoch; /* A8: another epoch ends it */
	char purpose[VERIFICATION_PURPOSE_BYTES];
	char amount[VERIFICATION_AMOUNT_BYTES], currency[4];
	char payee[VERIFICATION_PAYEE_BYTES];
	/* What its maker gave, sealed.  Gone when it is over (A6): a code that
	 * was given and is gone is no code. */
	bool code_given;
	uint8_t code_sealed[KEYRING_SEALED_MAX];
	size_t code_sealed_n;
	uint8_t *params; /* of the flow, owned; NULL for none */
	size_t params_n;
	/* what it belongs to, by which it is found again; "" for nothing */
	char label[VERIFICATION_LABEL_BYTES];
	bool short_id; /* its calls' ids follow from its own */
	/* the call */
	char flow[VERIFICATION_FLOW_BYTES];
	unsigned flow_version;
	enum verification_method method_allowed;
	char send_digits[NUMBER_EXTENSION_BYTES]; /* "" for none */
	char from[NUMBER_BYTES], locale[VERIFICATION_LOCALE_BYTES];
	char language[16], brand[VERIFICATION_BRAND_BYTES];
	unsigned human_digits; /* 3, or 5 after a failed call (B4) */
	char webhook[VERIFICATION_URL_BYTES];
	unsigned hook; /* how its events are told: 1 + a form; 0: to nobody */
	/* what they are signed with where the form has it from its maker;
	 * sealed */
	uint8_t hook_key[VERIFICATION_HOOK_KEY_MAX];
	size_t hook_key_n;
	char client_net[64]; /* the client's address, or its /64; "" unknown */
	char *metadata;      /* JSON text, owned; NULL for none */
	/* time */
	int64_t created_ms, expires_ms, ended_ms, answered_ms;
	int64_t ttl_ms;
	int64_t deliverable_ms; /* the code was spoken or asked for; 0: not yet */
	/* checking */
	unsigned wrong, wrong_max;
	unsigned checks; /* that came, whatever they were answered (D4) */
	bool approved_by_keypad;
	struct verification_leg legs[VERIFICATION_LEGS_MAX];
	size_t legs_count;
	unsigned warnings; /* bits of enum verification_warning */
	bool trace;        /* the signalling of its calls is kept */
	/* Calls that its owner asked for, the first among them; what a flow or
	 * another route adds is none of these.  0: an old record. */
	unsigned asked;
};

enum verification_warning {
	VERIFICATION_WARN_FROM =
		1, /* `from` is not the trunk's: default used */
	/* Plain: speaks to whoever answers.  Set it for every flow without a
	 * human check: without it, nothing counts as spoken before EVENT_HUMAN. */
	VERIFICATION_WARN_PLAIN = 2,
	VERIFICATION_WARN_LANGUAGE = 4, /* not the locale's language */
};

void verification_free(struct verification *v); /* what it owns; NULL is fine */
/* With its own of everything. */
struct verification verification_copy(const struct verification *v);

/* Records.  pack never fails; unpack: -EBADMSG, nothing to free then. */
void verification_pack(const struct verification *v, struct buf *out);
MUST_CHECK int verification_unpack(struct span record, struct verification *v);

/* --- the number's state for one application ------------------------------- */

struct verification_failures {
	char purpose[VERIFICATION_PURPOSE_BYTES];
	unsigned in_row;
	int64_t wait_until_ms, last_ms;
};

struct verification_live {
	char id[VERIFICATION_ID_BYTES];
	char label[VERIFICATION_LABEL_BYTES];
	int64_t expires_ms;
};

struct verification_number {
	struct verification_failures failures[VERIFICATION_PURPOSES_MAX];
	size_t failures_count;
	struct verification_live live[VERIFICATION_LIVE_MAX]; /* newest last */
	size_t live_count;
	int64_t paused_until_ms;      /* B8 */
	int64_t five_digits_until_ms; /* B4 */
	int64_t approved_ms;          /* E4: the reserved lane */
	bool blocked;
	bool forwarded; /* its last answered call was forwarded (B11) */
};
/* Of a number that has no record yet, all zero is right.  Records as above. */
void verification_number_pack(const struct verification_number *n,
			      struct buf *out);
MUST_CHECK int verification_number_unpack(struct span record,
					  struct verification_number *n);

/* --- create ---------------------------------------------------------------- */

enum verification_refusal {
	VERIFICATION_FINE,
	VERIFICATION_TOO_MANY_LIVE,
	VERIFICATION_WAITING, /* failures: wait *retry_ms */
	VERIFICATION_STOPPED, /* hard stop: an unlock is needed */
	VERIFICATION_PAUSED,  /* reported: wait *retry_ms */
	VERIFICATION_BLOCKED,
};

/*
 * v comes with everything that the request decides filled in (id, application,
 * number, nonce, purpose, flow, ttl, ...); this sets status, times and
 * human_digits, puts defaults where ttl_ms, code_length or wrong_max are 0, and
 * takes a live slot in n.  A refusal changes nothing of v; *retry_ms is how
 * long from now, 0 where waiting does not help.
 */
enum verification_refusal verification_create(struct verification *v,
					      struct verification_number *n,
					      int64_t now, int64_t *retry_ms);

/* --- check ------------------------------------------------------------------ */

struct verification_attempt {
	const char *code;     /* as given; any text */
	const char *expected; /* derived by the caller; NULL: its key is gone */
	/* As given; NULL for none.  An amount and a payee must be given where
	 * they are bound, a currency need not, but none may differ.  Not looked
	 * at for the keypad: the call spoke them. */
	const char *amount, *currency, *payee;
	bool keypad; /* typed on the phone, not sent by the API */
	uint32_t epoch;
};
/*
 * Every check changes something, whatever it answers (D4).  CHECK_APPROVED at
 * most once in the life of a record.  *left: wrong checks left.  The status may
 * have changed with any answer: also to failed with the last CHECK_WRONG, and
 * to expired.
 */
enum outcome_check verification_check(struct verification *v,
				      struct verification_number *n,
				      const struct verification_attempt *a,
				      int64_t now, unsigned *left);
/* The wait after `in_row` failures: 0 up to 2, then 30 s doubling to 1 h. */
int64_t verification_wait_ms(unsigned in_row);

/* --- the rest of its life --------------------------------------------------- */

/* False: it was over already; nothing changed. */
bool verification_cancel(struct verification *v, struct verification_number *n,
			 int64_t now);
/* The application, asked before a call, said no (E7). */
bool verification_forbid(struct verification *v, struct verification_number *n,
			 int64_t now);
bool verification_expire(struct verification *v, struct verification_number *n,
			 int64_t now); /* false also when it is not yet time:
					* an answer moves expires_ms */
/* The oldest live one gives way to a new one, where there is no room. */
void verification_live_yield(struct verification_number *n);
/* The operator's unlock (A4): failures forgotten. */
void verification_unlock(struct verification_number *n);

enum verification_again {
	VERIFICATION_CALL,
	VERIFICATION_OVER,      /* not pending */
	VERIFICATION_TOO_LATE,  /* under min(90 s, ttl/2) left, A2 */
	VERIFICATION_BUSY,      /* a call is under way */
	VERIFICATION_TOO_OFTEN, /* VERIFICATION_LEGS_MAX */
};
/* May it be called (again) now?  The first call asks too. */
enum verification_again verification_may_call(const struct verification *v,
					      int64_t now);
/* The last moment at which it may be dialled (A2). */
int64_t verification_dial_until(const struct verification *v);
/* Append a leg in state QUEUED; only after VERIFICATION_CALL. */
struct verification_leg *verification_add_leg(struct verification *v,
					      const char *id, int64_t now);

/*
 * What the phone reports.  False: too late or out of order; nothing changed.
 * EVENT_DIALING is refused when the verification is over or has too little time
 * left (A2): then there is no dial.  A verification that ended keeps its status
 * whatever follows, but its legs still learn how they went, and a report still
 * pauses the number.  EVENT_SPOKEN: the code was spoken, or (reverse) asked for.
 */
struct verification_news {
	enum outcome_event
		event;     /* EVENT_DIALING ... EVENT_ENDED, EVENT_REPORTED */
	const char *leg;   /* its id */
	const char *route; /* with EVENT_DIALING */
	/* with EVENT_ENDED */
	enum outcome_leg outcome;
	int sip_code, q850;
	bool early_media;
	const struct verification_media *media; /* NULL: there was none */
};
bool verification_deliver(struct verification *v, struct verification_number *n,
			  const struct verification_news *news, int64_t now);

struct verification_leg *verification_leg_find(struct verification *v,
					       const char *id);
