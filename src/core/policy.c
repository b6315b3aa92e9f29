// SPDX-License-Identifier: Apache-2.0
/*
 * policy.c - may this number be called, now, for this application (E1-E4)?
 *
 * A row of small rules, asked in order; the first that says no is named.  What
 * will not change goes first (what kind of number, which country), then money,
 * then what passes by itself (quiet hours), so that a caller learns the reason
 * that matters to it.  Counting is not done here: a yes lists what must be
 * reserved, in the same step that writes the record.
 */
#include "core/policy.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HALF_MINUTE_MS = 30 * SECOND_MS,
	TEN_MINUTES_MS = 10 * MINUTE_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	DAY_MIN = 24 * 60,
	ZONE_STEP_MIN = 15, /* offsets from UTC are multiples of it */
	PREFIX_FIRST = 4,   /* digits of the first prefix that is counted */
	PREFIX_CALLS = 8,   /* ... of the one whose calls are held */
	PERCENT = 100,
	WINDOW_BYTES = 24,
};

struct ask {
	const struct policy *p;
	const struct policy_request *r;
	struct policy_answer *out;
};

const char *policy_verdict_code(enum policy_verdict v)
{
	static const char *const codes[] = {
#define X(name, code, field) [POLICY_##name] = (code),
		POLICY_VERDICTS(X)
#undef X
	};

	assert(v < COUNT_OF(codes));
	return codes[v];
}

static void no(struct policy_answer *out, enum policy_verdict verdict,
	       const char *rule, const char *fmt, ...) PRINTF_LIKE(4, 5);

static void no(struct policy_answer *out, enum policy_verdict verdict,
	       const char *rule, const char *fmt, ...)
{
	va_list ap;

	out->verdict = verdict;
	(void)snprintf(out->rule, sizeof(out->rule), "%s", rule);
	va_start(ap, fmt);
	(void)vsnprintf(out->sentence, sizeof(out->sentence), fmt, ap);
	va_end(ap);
}

/* --- the rules ---------------------------------------------------------------- */

static bool is_sandbox(const struct ask *a)
{
	return a->r->number->type == NUMBER_SANDBOX;
}

static void ask_sandbox(const struct ask *a)
{
	if (is_sandbox(a) && !a->p->sandbox)
		no(a->out, POLICY_NUMBER_INVALID, "sandbox",
		   "this is a sandbox number; `sandbox: true` allows them");
	else if (!is_sandbox(a) && a->p->sandbox_only)
		no(a->out, POLICY_COUNTRY, "sandbox_only",
		   "this server was started with --dev and calls the sandbox "
		   "numbers alone");
}

static void ask_type(const struct ask *a)
{
	enum number_type t = a->r->number->type;
	const char *type = number_type_text(t);

	/* of the unknown, ask_price() decides */
	if (t == NUMBER_SANDBOX || t == NUMBER_UNKNOWN || a->p->types[t])
		return;
	no(a->out, POLICY_TYPE, "number_types",
	   "numbers of type %s are not called; add %s to `number_types`", type,
	   type);
}

static void ask_country(const struct ask *a)
{
	const char *region = a->r->number->region;

	if (is_sandbox(a))
		return;
	for (size_t i = 0; i < a->p->countries_count; i++)
		if (strcmp(a->p->countries[i], region) == 0)
			return;
	if (strcmp(region, "ZZ") == 0)
		no(a->out, POLICY_COUNTRY, "countries",
		   "which country of +%u this is, no plan knows; a row in "
		   "`number_overlay` would say it",
		   a->r->number->country_code);
	else
		no(a->out, POLICY_COUNTRY, "countries",
		   "%s is not called; add %s to `countries`", region, region);
}

static bool one_of(const char *purpose, const char *const words[])
{
	for (; *words; words++)
		if (strcmp(*words, purpose) == 0)
			return true;
	return false;
}

/* B5 */
static void ask_purpose(const struct ask *a)
{
	static const char *const no_keypad[] = {"login", "payment",
						"number_change", NULL};
	static const char *const no_plain[] = {"payment", "number_change",
					       NULL};
	const struct policy_request *r = a->r;
	const char *flow = r->flow ? r->flow : "";
	const char *purpose = r->purpose && *r->purpose ? r->purpose : "login";
	bool keypad = r->keypad_confirms || strcmp(flow, "keypad") == 0;
	bool plain = r->no_human_check || strcmp(flow, "plain") == 0;

	if (keypad && one_of(purpose, no_keypad))
		no(a->out, POLICY_PURPOSE, "flow.keypad",
		   "a keypad flow does not prove who started the session; "
		   "it is refused for %s",
		   purpose);
	else if (plain && one_of(purpose, no_plain))
		no(a->out, POLICY_PURPOSE, "flow.plain",
		   "a flow without a human check is refused for %s", purpose);
	else if (plain && r->machine_suspected)
		no(a->out, POLICY_PURPOSE, "flow.plain",
		   "a machine answered this number lately; a flow without a "
		   "human check is refused");
	else if (r->forwarded_before && (plain || a->p->deny_forwarded))
		no(a->out, POLICY_FORWARDED,
		   a->p->deny_forwarded ? "deny_forwarded" : "flow.plain",
		   "this number forwarded its last call");
}

static void ask_kill(const struct ask *a)
{
	if (a->p->kill_switch)
		no(a->out, POLICY_KILLED, "kill_switch",
		   "no calls are made while `kill_switch` is on");
}

static bool any_cap(const struct policy *p)
{
	return p->cap_call > 0 || p->cap_hour > 0 || p->cap_day > 0 ||
	       p->cap_app_hour > 0 || p->cap_app_day > 0;
}

/* E4: what is not known to be affordable is not called. */
static void ask_price(const struct ask *a)
{
	const struct number *n = a->r->number;
	const struct policy *p = a->p;
	struct policy_answer *out = a->out;

	out->price_known =
		is_sandbox(a) ||
		(p->prices &&
		 prices_per_minute(p->prices, n->e164, &out->price_per_minute,
				   NULL) == 0);
	out->price_call = prices_of(out->price_per_minute, POLICY_CALL_MS);
	if (!out->price_known && (n->type == NUMBER_UNKNOWN || !n->valid))
		no(out, POLICY_NUMBER_INVALID, "prices",
		   "no number plan knows this number; it would be called if a "
		   "row of `prices` covered it");
	else if (!out->price_known && any_cap(p))
		no(out, POLICY_PRICE, "prices",
		   "no row of `prices` covers this number, and a cap is set");
	else if (p->cap_call > 0 && out->price_call > p->cap_call)
		no(out, POLICY_CAP_CALL, "caps.call",
		   "a call to this number may cost more than `caps.call`");
}

static bool in_quiet(const struct policy *p, int64_t minute)
{
	int64_t day = ((minute % DAY_MIN) + DAY_MIN) % DAY_MIN;

	if (p->quiet_from_min < p->quiet_to_min)
		return day >= p->quiet_from_min && day < p->quiet_to_min;
	return day >= p->quiet_from_min || day < p->quiet_to_min;
}

/* Is it quiet anywhere in the number's region? */
static bool quiet_at(const struct ask *a, int64_t utc_minute)
{
	const struct policy_request *r = a->r;
	int least = r->zone_minutes, most = r->zone_minutes;

	if (!r->zone_known)
		number_offsets(r->number->region, &least, &most);
	for (int at = least; at <= most; at += ZONE_STEP_MIN)
		if (in_quiet(a->p, utc_minute + at))
			return true;
	return false;
}

static void ask_quiet(const struct ask *a)
{
	int64_t minute = a->r->now / MINUTE_MS;
	int64_t end;

	if (is_sandbox(a) || a->p->quiet_from_min == a->p->quiet_to_min ||
	    !quiet_at(a, minute))
		return;
	no(a->out, POLICY_QUIET, "quiet_hours",
	   "it is night where this number is: `quiet_hours`");
	for (end = minute + 1; end < minute + DAY_MIN; end++)
		if (!quiet_at(a, end)) {
			a->out->retry_ms = end * MINUTE_MS - a->r->now;
			return;
		}
}

/* --- counters ------------------------------------------------------------------- */

/* As the settings have it: "30s", "10min", "hour", "day". */
static void window_text(int64_t ms, char out[WINDOW_BYTES])
{
	static const struct {
		int64_t ms;
		const char *one, *many;
	} units[] = {{DAY_MS, "day", "d"},
		     {HOUR_MS, "hour", "h"},
		     {MINUTE_MS, "minute", "min"},
		     {SECOND_MS, "second", "s"},
		     {1, "millisecond", "ms"}};
	size_t i = 0;

	while (ms % units[i].ms != 0)
		i++;
	if (ms == units[i].ms)
		(void)snprintf(out, WINDOW_BYTES, "%s", units[i].one);
	else
		(void)snprintf(out, WINDOW_BYTES, "%lld%s",
			       (long long)(ms / units[i].ms), units[i].many);
}

static struct policy_counter *more(const struct ask *a)
{
	struct policy_answer *out = a->out;

	assert(out->counters_count < POLICY_COUNTERS_MAX);
	return &out->counters[out->counters_count++];
}

static void count(const struct ask *a, const struct policy_limit *limit,
		  const char *rule, const char *name)
{
	struct policy_counter *c;
	char window[WINDOW_BYTES];

	if (limit->count <= 0 || limit->window_ms <= 0)
		return;
	window_text(limit->window_ms, window);
	c = more(a);
	*c = (struct policy_counter){
		.code = "rate_limited",
		.amount = 1,
		.limit = limit->count,
		.window_ms = limit->window_ms,
	};
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	(void)snprintf(c->rule, sizeof(c->rule), "limits.%s_per_%s", rule,
		       window);
}

/* The first n digits, or all. */
static void prefix_text(const struct number *n, unsigned digits,
			char out[NUMBER_BYTES])
{
	const char *from = n->e164[0] == '+' ? n->e164 + 1 : n->e164;

	(void)snprintf(out, NUMBER_BYTES, "%.*s", (int)digits, from);
}

static void count_number(const struct ask *a)
{
	char name[POLICY_NAME_BYTES / 2];

	(void)snprintf(name, sizeof(name), "n:%s", a->r->number_hash);
	for (size_t i = 0; i < COUNT_OF(a->p->number); i++)
		count(a, &a->p->number[i], "number", name);
}

static void count_places(const struct ask *a)
{
	char name[POLICY_NAME_BYTES / 2], rule[16], prefix[NUMBER_BYTES];

	for (unsigned i = 0; i < COUNT_OF(a->p->prefix); i++) {
		prefix_text(a->r->number, PREFIX_FIRST + i, prefix);
		/* those of one number lie together in the store, and also
		 * those of a number that is shorter are different */
		(void)snprintf(name, sizeof(name), "p:%-*s",
			       PREFIX_FIRST + (int)i, prefix);
		(void)snprintf(rule, sizeof(rule), "prefix%u",
			       PREFIX_FIRST + i);
		count(a, &a->p->prefix[i], rule, name);
	}
	(void)snprintf(name, sizeof(name), "l:%s", a->r->number->region);
	count(a, &a->p->country, "country", name);
}

static void hold_prefix(const struct ask *a)
{
	struct policy_counter *c;
	char prefix[NUMBER_BYTES];

	if (a->p->prefix_calls <= 0)
		return;
	prefix_text(a->r->number, PREFIX_CALLS, prefix);
	c = more(a);
	*c = (struct policy_counter){
		.rule = "limits.prefix_calls",
		.code = "rate_limited",
		.amount = 1,
		.limit = a->p->prefix_calls,
		.hold = true,
	};
	(void)snprintf(c->name, sizeof(c->name), "h:%s", prefix);
}

static void count_asker(const struct ask *a)
{
	const struct policy_request *r = a->r;
	char name[POLICY_NAME_BYTES];

	if (r->client_net && *r->client_net) {
		(void)snprintf(name, sizeof(name), "c:%.64s", r->client_net);
		count(a, &a->p->client, "client", name);
	}
	if (r->key_id && *r->key_id) {
		(void)snprintf(name, sizeof(name), "k:%.64s", r->key_id);
		count(a, &a->p->key, "key", name);
	}
}

/*
 * A part of every cap is kept for numbers that were approved lately, so that an
 * attack on the money does not keep the customers out.  There is one sum: the
 * others are only stopped earlier.
 */
static void spend(const struct ask *a, int64_t cap, int64_t window_ms,
		  const char *rule, const char *name)
{
	struct policy_counter *c;
	int64_t kept;

	if (cap <= 0 || a->out->price_call == 0)
		return;
	kept = cap / PERCENT * a->p->reserved_percent;
	c = more(a);
	*c = (struct policy_counter){
		.code = "budget_exhausted",
		.amount = a->out->price_call,
		.limit = a->r->approved_lately ? cap : cap - kept,
		.window_ms = window_ms,
	};
	(void)snprintf(c->name, sizeof(c->name), "m:%s", name);
	(void)snprintf(c->rule, sizeof(c->rule), "caps.%s", rule);
}

static void count_money(const struct ask *a)
{
	char name[POLICY_NAME_BYTES / 2];

	spend(a, a->p->cap_hour, HOUR_MS, "hour", "all");
	spend(a, a->p->cap_day, DAY_MS, "day", "all");
	(void)snprintf(name, sizeof(name), "a:%s",
		       a->r->application ? a->r->application : "");
	spend(a, a->p->cap_app_hour, HOUR_MS, "application_hour", name);
	spend(a, a->p->cap_app_day, DAY_MS, "application_day", name);
}

/* --- asking ------------------------------------------------------------------------ */

static bool allowed(const struct ask *a)
{
	static void (*const rules[])(const struct ask *) = {
		ask_sandbox, ask_type,  ask_country, ask_purpose,
		ask_kill,    ask_price, ask_quiet,
	};

	*a->out = (struct policy_answer){.verdict = POLICY_ALLOWED};
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		rules[i](a);
		if (a->out->verdict != POLICY_ALLOWED)
			return false;
	}
	return true;
}

/* A sandbox number is nobody's: nothing is counted for it, nor for its place. */
static void count_call(const struct ask *a)
{
	if (is_sandbox(a))
		return;
	count_number(a);
	count_places(a);
	hold_prefix(a);
	count_money(a);
}

void policy_ask(const struct policy *p, const struct policy_request *r,
		struct policy_answer *out)
{
	struct ask a = {p, r, out};

	if (!allowed(&a))
		return;
	count_call(&a);
	count_asker(&a);
}

void policy_ask_again(const struct policy *p, const struct policy_request *r,
		      struct policy_answer *out)
{
	struct ask a = {p, r, out};

	if (allowed(&a))
		count_call(&a);
}

void policy_defaults(struct policy *p)
{
	*p = (struct policy){
		.types = {[NUMBER_FIXED] = true,
			  [NUMBER_MOBILE] = true,
			  [NUMBER_FIXED_OR_MOBILE] = true,
			  [NUMBER_TOLL_FREE] = true,
			  [NUMBER_VOIP] = true},
		.number = {{1, HALF_MINUTE_MS},
			   {3, TEN_MINUTES_MS},
			   {10, DAY_MS}},
		.client = {5, HOUR_MS},
		.key = {3600, HOUR_MS},
		/* of 4 digits, an area, to 8, a block of some hundred */
		.prefix = {{1000, HOUR_MS},
			   {600, HOUR_MS},
			   {300, HOUR_MS},
			   {120, HOUR_MS},
			   {60, HOUR_MS}},
		.country = {2000, HOUR_MS},
		.prefix_calls = 3,
		.reserved_percent = 20,
	};
}
