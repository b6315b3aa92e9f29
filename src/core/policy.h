// SPDX-License-Identifier: Apache-2.0
/*
 * policy.h - may this number be called, now, for this application (E1-E4)?
 *
 * Deny by default.  The policy is a plain struct made from the settings, and
 * asking is pure: it says no and names the rule, or it says yes and lists the
 * counters that must be reserved with the record.  Immutable: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "core/number.h"
#include "core/prices.h"

enum {
	POLICY_COUNTERS_MAX = 16,
	POLICY_NAME_BYTES = 96, /* of a counter */
	POLICY_RULE_BYTES = 64,
	POLICY_COUNTRIES_MAX = 300,
	POLICY_CALL_MS = 110 * 1000, /* B6: what one call may cost */
};

/* One windowed limit, from the settings. */
struct policy_limit {
	int64_t count, window_ms; /* count 0: not limited */
};

struct policy {
	char (*countries)
		[NUMBER_REGION_BYTES]; /* allowed; owned by the maker */
	size_t countries_count;
	/* Allowed number types.  NUMBER_UNKNOWN is not asked for here: it is
	 * called where a price row covers the number, whatever the types. */
	bool types[NUMBER_SANDBOX + 1];
	bool sandbox;      /* the sandbox numbers exist */
	bool sandbox_only; /* --dev: nothing else is called */
	bool kill_switch;
	struct policy_limit number[3]; /* 1 in 30 s, 3 in 10 min, 10 a day */
	struct policy_limit client, key, prefix[5] /* of 4..8 digits */,
		country;
	int64_t prefix_calls;        /* concurrent, per prefix of 8 */
	const struct prices *prices; /* NULL: no money rules, no price known */
	int64_t cap_call, cap_hour, cap_day, cap_app_hour,
		cap_app_day; /* micro;
								       0: none */
	unsigned
		reserved_percent; /* of the caps, for numbers approved lately */
	int quiet_from_min,
		quiet_to_min; /* minutes of the local day; equal: off */
	bool deny_forwarded;  /* B11: not only `plain` is refused then */
};

#define POLICY_VERDICTS(X)                                                \
	X(ALLOWED, "", "")                                                \
	X(NUMBER_INVALID, "number_invalid", "to")                         \
	X(TYPE, "number_type_not_allowed", "to")                          \
	X(COUNTRY, "country_not_allowed", "to")                           \
	X(PURPOSE, "invalid_field", "flow")                               \
	X(FORWARDED, "number_blocked", "to")                              \
	X(PRICE, "no_route", "to")                                        \
	X(CAP_CALL, "budget_exhausted", "to")                             \
	X(KILLED, "budget_exhausted", "")                                 \
	X(QUIET, "rate_limited", "to")                                    \
	/* never answered here: a counter is full, says an explanation */ \
	X(LIMIT, "rate_limited", "to")

enum policy_verdict {
#define X(name, code, field) POLICY_##name,
	POLICY_VERDICTS(X)
#undef X
};
const char *policy_verdict_code(enum policy_verdict v); /* of the API's table */

struct policy_request {
	const struct number *number;
	const char *application, *key_id, *number_hash;
	const char *client_net; /* "" when unknown */
	const char *flow, *purpose;
	bool forwarded_before; /* the number forwarded its last call */
	bool approved_lately;  /* within 90 days */
	int64_t now;           /* wall ms */
	/* The number's offset from UTC where the caller knows it; otherwise
	 * quiet hours hold while they hold anywhere in the number's region. */
	bool zone_known;
	int zone_minutes;
	bool machine_suspected; /* five digits are due (B4) */
	/* What a flow is when its name does not say it: without a human check
	 * it is held to the rules of `plain`, and with a code that the same
	 * call's keypad confirms to those of `keypad` (B5). */
	bool no_human_check, keypad_confirms;
};

struct policy_counter {
	char name[POLICY_NAME_BYTES]; /* in the store */
	/* What a refusal names: the setting, "limits.number_per_30s". */
	char rule[POLICY_RULE_BYTES];
	const char *code; /* "rate_limited" or "budget_exhausted" */
	int64_t amount, limit, window_ms;
	bool hold; /* concurrent: taken at the dial, released at its end */
};

struct policy_answer {
	enum policy_verdict verdict;
	char rule[POLICY_RULE_BYTES]; /* what said no, or "" */
	char sentence[192]; /* names the setting that would allow it */
	int64_t retry_ms;   /* from now; 0: unknown */
	bool price_known;
	int64_t price_per_minute, price_call; /* micro-units */
	struct policy_counter counters[POLICY_COUNTERS_MAX];
	size_t counters_count;
};

/* The counters of who asked come last, behind those of policy_ask_again(). */
void policy_ask(const struct policy *p, const struct policy_request *r,
		struct policy_answer *out);

/*
 * The same for a further call of the same verification: it takes the counters
 * of the number, of places and of money, but not those of who asked, which
 * count verifications.
 */
void policy_ask_again(const struct policy *p, const struct policy_request *r,
		      struct policy_answer *out);

/*
 * The defaults of E1-E4: no country, the types that people are called on, the
 * limits of E3, no caps.  Nothing is owned yet.
 */
void policy_defaults(struct policy *p);

/*
 * Allow a region ("US", "001") or a group of them: "EU", "EEA", "NANP" (all
 * that share +1).  p->countries grows; end it with policy_end().  Twice is
 * fine.  -EINVAL with d: neither.
 */
MUST_CHECK int policy_allow(struct policy *p, const char *word, struct diag *d);
void policy_end(struct policy *p); /* the countries; not the prices */
