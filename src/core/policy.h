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
	bool types[NUMBER_SANDBOX + 1]; /* allowed number types */
	bool sandbox;                   /* the sandbox numbers exist */
	bool sandbox_only;              /* --dev: nothing else is called */
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
};

#define POLICY_VERDICTS(X)                        \
	X(ALLOWED, "", "")                        \
	X(NUMBER_INVALID, "number_invalid", "to") \
	X(TYPE, "number_type_not_allowed", "to")  \
	X(COUNTRY, "country_not_allowed", "to")   \
	X(PURPOSE, "invalid_field", "flow")       \
	X(FORWARDED, "number_blocked", "to")      \
	X(PRICE, "no_route", "to")                \
	X(CAP_CALL, "budget_exhausted", "to")     \
	X(KILLED, "budget_exhausted", "")         \
	X(QUIET, "rate_limited", "to")

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
	int zone_minutes;      /* the number's offset from UTC, minutes */
};

struct policy_counter {
	char name[POLICY_NAME_BYTES]; /* in the store */
	char rule
		[POLICY_RULE_BYTES]; /* "number.per_30s": what a refusal names */
	const char *code;            /* "rate_limited" or "budget_exhausted" */
	int64_t amount, limit, window_ms;
	bool hold; /* concurrent: taken at the dial, released at its end */
};

struct policy_answer {
	enum policy_verdict verdict;
	char rule[POLICY_RULE_BYTES]; /* what said no, or "" */
	char sentence[192]; /* names the setting that would allow it */
	int64_t retry_ms;   /* 0: unknown */
	bool price_known;
	int64_t price_per_minute, price_call; /* micro-units */
	struct policy_counter counters[POLICY_COUNTERS_MAX];
	size_t counters_count;
};

void policy_ask(const struct policy *p, const struct policy_request *r,
		struct policy_answer *out);

/* The counters that a further call of the same verification takes. */
void policy_ask_again(const struct policy *p, const struct policy_request *r,
		      struct policy_answer *out);

/* The defaults of E1-E4: nothing allowed but what they say. */
void policy_defaults(struct policy *p);
