// SPDX-License-Identifier: Apache-2.0
/*
 * test_guard.c - somebody wants our calls to cost money, and to keep others
 * out (E1 to E4), against the whole service.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/powercut.h"
#include "support/world.h"

enum {
	ATTACK = 10000,
	WAVES = 5,     /* of it, one an hour */
	HANDFUL = 250, /* requests at once */
	CENT = PRICES_UNIT / 100,
	CAP_CALL = PRICES_UNIT,
	CAP_APP_HOUR = 2 * PRICES_UNIT,
	CAP_HOUR = 20 * PRICES_UNIT,
	CAP_DAY = 60 * PRICES_UNIT,
	RESERVED = 20, /* percent */
	RULES = 16,
	QUIET_FROM = 22 * 60,
	QUIET_TO = 8 * 60,
};

#define VICTIM "+37129123456"

static const char price_list[] = "prefix,price,currency\n"
				 "1,0.01,EUR\n"
				 "371,0.90,EUR\n"
				 "37129,1.50,EUR\n"
				 "37126,1.20,EUR\n"
				 "44,0.02,EUR\n";

struct guard {
	struct world *w;
	struct powercut *pc;
	struct prices *prices;
	struct service_rules next; /* for a reload */
	struct answer *answers;
	size_t count;
	char rules[RULES][POLICY_RULE_BYTES]; /* that were named */
	size_t rules_count;
};

static int setup(void **state)
{
	struct guard *g = b_zero(1, sizeof(*g));
	struct diag d = {0};

	g->pc = powercut_new(); /* a disk whose syncs take no time */
	g->w = world_new_on("powercut");
	g->answers = b_zero(HANDFUL, sizeof(*g->answers));
	assert_int_equal(
		prices_parse(span_of(price_list), "EUR", &g->prices, &d), 0);
	assert_int_equal(policy_allow(&g->w->rules.policy, "LV", &d), 0);
	g->w->others = TEL_SCRIPT_SILENT;
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct guard *g = *state;

	world_free(g->w);
	powercut_free(g->pc);
	prices_free(g->prices);
	free(g->answers);
	free(g);
	return 0;
}

static void set_caps(struct guard *g)
{
	struct policy *p = &g->w->rules.policy;

	g->w->rules.prices = g->prices;
	p->prices = g->prices;
	p->cap_hour = CAP_HOUR;
	p->cap_day = CAP_DAY;
	p->reserved_percent = RESERVED;
}

static struct answer ask_to(struct guard *g, const char *to)
{
	return world_create(g->w, to, "speak");
}

static void assert_refused(const struct answer *a, const char *code,
			   const char *rule)
{
	assert_true(a->refused);
	assert_string_equal(a->no.code, code);
	assert_string_equal(a->no.rule, rule);
}

/* --- the attack (E4) --------------------------------------------------------------- */

struct counting {
	int64_t used;
	bool done;
};

static void counted(int err, const int64_t *used, size_t count, void *ctx)
{
	struct counting *c = ctx;

	assert_int_equal(err, 0);
	assert_int_equal(count, 1);
	c->used = used[0];
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
}

static bool was_counted(void *ctx)
{
	return __atomic_load_n(&((struct counting *)ctx)->done,
			       __ATOMIC_ACQUIRE);
}

/* What is reserved of all money in the window that is now. */
static int64_t reserved(struct guard *g, const char *rule)
{
	struct number n = {.e164 = VICTIM, .region = "LV", .valid = true};
	const struct policy_request r = {
		.number = &n,
		.application = "shop",
		.number_hash = "0",
		.approved_lately = true,
		.now = clock_wall_ms(g->w->clock),
	};
	struct policy_answer all;
	struct counting c = {0};

	policy_ask(&g->w->rules.policy, &r, &all);
	for (size_t i = 0; i < all.counters_count; i++) {
		const struct policy_counter *p = &all.counters[i];
		const struct store_counter sc = {.name = p->name,
						 .amount = p->amount,
						 .limit = p->limit,
						 .window_ms = p->window_ms};

		if (strcmp(p->rule, rule) != 0)
			continue;
		assert_int_equal(store_count(g->w->store, &sc, 1, counted, &c),
				 0);
		world_turn(g->w, was_counted, &c);
		return c.used;
	}
	fail_msg("no counter %s", rule);
	return 0;
}

static void note_rule(struct guard *g, const char *rule)
{
	for (size_t i = 0; i < g->rules_count; i++)
		if (strcmp(g->rules[i], rule) == 0)
			return;
	assert_true(g->rules_count < RULES);
	(void)snprintf(g->rules[g->rules_count++], POLICY_RULE_BYTES, "%s",
		       rule);
}

static bool was_named(const struct guard *g, const char *rule)
{
	for (size_t i = 0; i < g->rules_count; i++)
		if (strcmp(g->rules[i], rule) == 0)
			return true;
	return false;
}

static bool all_answered(void *ctx)
{
	struct guard *g = ctx;

	for (size_t i = 0; i < g->count; i++)
		if (!__atomic_load_n(&g->answers[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* Every request from an address of its own, to a number of its own. */
static void ask_nth(struct guard *g, unsigned n, struct answer *a)
{
	static const char *const prefixes[] = {"+3712912", "+3712955",
					       "+3712634", "+3712012"};
	char to[NUMBER_BYTES], from[32];
	const struct service_create req = {
		.who = g->w->who, .to = to, .flow = "speak", .client_ip = from};

	(void)snprintf(to, sizeof(to), "%s%04u", prefixes[n % 4], n / 4);
	(void)snprintf(from, sizeof(from), "10.%u.%u.%u", n >> 16, n >> 8 & 255,
		       n & 255);
	world_ask_soon(g->w, &req, a);
}

static unsigned handful(struct guard *g, unsigned first)
{
	unsigned good = 0;

	memset(g->answers, 0, HANDFUL * sizeof(*g->answers));
	g->count = HANDFUL;
	for (unsigned i = 0; i < HANDFUL; i++)
		ask_nth(g, first + i, &g->answers[i]);
	world_turn(g->w, all_answered, g);
	for (unsigned i = 0; i < HANDFUL; i++) {
		const struct answer *a = &g->answers[i];

		if (!a->refused) {
			good++;
			continue;
		}
		assert_true(strcmp(a->no.code, "budget_exhausted") == 0 ||
			    strcmp(a->no.code, "rate_limited") == 0);
		assert_true(a->no.rule[0] != '\0');
		assert_true(a->no.retry_ms > 0);
		note_rule(g, a->no.rule);
	}
	return good;
}

struct bill {
	struct guard *g;
	unsigned calls;
	int64_t micro;
	char cursor[STORE_CURSOR_BYTES];
	bool more, done;
};

static void add_up(const struct service_refusal *no,
		   const struct service_view *views, size_t count,
		   const char *next, void *ctx)
{
	struct bill *b = ctx;

	assert_null(no);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < views[i].v->legs_count; k++) {
			const struct verification_leg *leg =
				&views[i].v->legs[k];
			int64_t minute = 0;

			if (leg->answered_ms == 0)
				continue;
			assert_int_equal(prices_per_minute(b->g->prices,
							   views[i].to, &minute,
							   NULL),
					 0);
			b->calls++;
			b->micro += prices_of(minute,
					      leg->ended_ms - leg->answered_ms);
		}
	b->more = next != NULL;
	(void)snprintf(b->cursor, sizeof(b->cursor), "%s", next ? next : "");
	__atomic_store_n(&b->done, true, __ATOMIC_RELEASE);
}

static bool page_came(void *ctx)
{
	return __atomic_load_n(&((struct bill *)ctx)->done, __ATOMIC_ACQUIRE);
}

/* What the trunk will charge for all calls since then. */
static struct bill bill_since(struct guard *g, int64_t since_ms)
{
	struct bill b = {.g = g};

	do {
		const struct service_query q = {
			.who = g->w->who,
			.since_ms = since_ms,
			.limit = STORE_PAGE_MAX,
			.cursor = b.cursor[0] ? b.cursor : NULL,
		};

		b.done = false;
		service_list(g->w->service, &q, add_up, &b);
		world_turn(g->w, page_came, &b);
	} while (b.more);
	return b;
}

/* To the next whole window, so that a test does not cross one unawares. */
static void go_to(struct guard *g, int64_t window_ms)
{
	int64_t now = clock_wall_ms(g->w->clock);

	world_skip(g->w, window_ms - now % window_ms + 1);
	world_pass(g->w, 1);
}

static void log_in(struct guard *g)
{
	struct answer made = ask_to(g, VICTIM);
	char code[CODE_BYTES];

	if (made.refused)
		fail_msg("%s: %s", made.no.rule, made.no.detail);
	(void)world_until_spoken(g->w, made.v.id);
	world_code(g->w, &made.v, code);
	assert_int_equal(world_check(g->w, made.v.id, code).result,
			 CHECK_APPROVED);
	(void)world_until_ended(g->w, made.v.id);
}

static unsigned wave(struct guard *g, unsigned first)
{
	unsigned good = 0;

	for (unsigned n = 0; n < ATTACK / WAVES; n += HANDFUL) {
		good += handful(g, first + n);
		assert_true(reserved(g, "caps.hour") <= CAP_HOUR);
		assert_true(reserved(g, "caps.day") <= CAP_DAY);
		world_pass(g->w, SECONDS(10));
	}
	world_pass(g->w, MINUTES(3)); /* the calls have ended */
	return good;
}

TEST(ten_thousand_requests_cost_at_most_the_cap_and_the_victim_logs_in)
{
	struct guard *g = *state;
	int64_t since;
	struct bill b;
	unsigned good = 0;

	world_script(g->w, VICTIM, TEL_SCRIPT_LISTEN);
	set_caps(g);
	world_start(g->w);
	log_in(g); /* some day before */
	go_to(g, DAYS(1));
	since = clock_wall_ms(g->w->clock);
	for (unsigned i = 0; i < WAVES; i++) {
		good += wave(g, i * (ATTACK / WAVES));
		log_in(g);
		go_to(g, HOURS(1));
	}
	b = bill_since(g, since);
	print_message("%d requests, %u allowed, %u calls answered, %.2f of "
		      "%.2f EUR\n",
		      ATTACK, good, b.calls, (double)b.micro / PRICES_UNIT,
		      (double)CAP_DAY / PRICES_UNIT);

	assert_true(b.calls >= WAVES);
	assert_true(b.micro > CAP_DAY / 4); /* it was an attack */
	assert_true(b.micro <= CAP_DAY);
	assert_true(was_named(g, "caps.hour"));
	assert_true(was_named(g, "caps.day"));
}

TEST(without_caps_the_limits_of_places_hold_an_attack_up)
{
	struct guard *g = *state;
	unsigned good = 0;

	world_start(g->w);
	go_to(g, HOURS(1));
	for (unsigned n = 0; n < ATTACK / WAVES; n += HANDFUL)
		good += handful(g, n);

	/* 60 an hour in each of the blocks of eight digits */
	assert_in_range(good, 4, 4 * 6 * 60);
	assert_true(was_named(g, "limits.prefix8_per_hour"));
	for (size_t i = 0; i < g->rules_count; i++)
		assert_int_equal(strncmp(g->rules[i], "limits.", 7), 0);
}

TEST(the_cap_of_one_application_leaves_the_others_theirs)
{
	struct guard *g = *state;
	struct answer a;

	set_caps(g);
	g->w->rules.policy.cap_app_hour = CAP_APP_HOUR;
	world_start(g->w);
	go_to(g, HOURS(1));
	a = ask_to(g, "+37120120001"); /* 1.80 of 1.60 */
	assert_refused(&a, "budget_exhausted", "caps.application_hour");
	g->w->rules.policy.reserved_percent = 0;
	assert_false(ask_to(g, "+37120120001").refused);
	a = ask_to(g, "+37120120002");
	assert_refused(&a, "budget_exhausted", "caps.application_hour");
	assert_true(a.no.retry_ms > 0 && a.no.retry_ms <= HOURS(1));
	(void)snprintf(g->w->who.application, sizeof(g->w->who.application),
		       "other");

	assert_false(ask_to(g, "+37120120002").refused);
}

TEST(money_that_was_not_spent_is_given_back)
{
	struct guard *g = *state;
	struct answer a;

	g->w->others = TEL_SCRIPT_BUSY;
	set_caps(g);
	world_start(g->w);
	go_to(g, DAYS(1));
	a = ask_to(g, "+37129120001");
	assert_int_equal(reserved(g, "caps.hour"), 300 * CENT);
	(void)world_until_ended(g->w, a.v.id);

	assert_int_equal(reserved(g, "caps.hour"), 0);
	assert_int_equal(reserved(g, "caps.day"), 0);
}

/* --- what is not called at all ---------------------------------------------------------- */

static void released(const struct service_rules *old, void *ctx)
{
	(void)old;
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

TEST(the_kill_switch_works_at_the_next_request_and_for_what_waits)
{
	struct guard *g = *state;
	const struct service_create req = {
		.who = g->w->who, .to = "+37120120001", .flow = "speak"};
	struct answer waits, a, end;
	bool gone = false;

	world_start(g->w);
	waits = world_ask_only(g->w, &req);
	assert_false(waits.refused);
	g->next = g->w->rules;
	g->next.policy.kill_switch = true;
	service_reload(g->w->service, &g->next, released, &gone);
	a = ask_to(g, "+37120120002");
	end = world_until_ended(g->w, waits.v.id);

	assert_refused(&a, "budget_exhausted", "kill_switch");
	assert_int_equal(end.v.legs[0].outcome, LEG_NOT_CALLED);
	assert_int_equal(end.v.legs[0].dialed_ms, 0);
	world_turn(g->w, is_true, &gone);

	gone = false;
	g->w->rules.policy.kill_switch = false;
	service_reload(g->w->service, &g->w->rules, released, &gone);
	assert_false(ask_to(g, "+37120120002").refused);
	world_turn(g->w, is_true, &gone);
}

TEST(what_has_no_price_is_not_called_where_a_cap_is_set)
{
	struct guard *g = *state;
	struct diag d = {0};
	struct answer a;

	assert_int_equal(policy_allow(&g->w->rules.policy, "DE", &d), 0);
	world_start(g->w);
	assert_false(ask_to(g, "+4915112345678").refused);
	set_caps(g);
	a = ask_to(g, "+4915112345679");

	assert_refused(&a, "no_route", "prices");
	assert_non_null(strstr(a.no.detail, "`prices`"));
	g->w->rules.policy.cap_call = CAP_CALL;
	a = ask_to(g, "+37129120001");
	assert_refused(&a, "budget_exhausted", "caps.call");
	assert_non_null(strstr(a.no.detail, "`caps.call`"));
}

TEST(a_refusal_names_the_setting_that_would_allow_it)
{
	struct guard *g = *state;
	static const struct {
		const char *to, *code, *rule, *setting;
	} cases[] = {
		{"+4915112345678", "country_not_allowed", "countries",
		 "`countries`"},
		/* the same prefix +1, another country */
		{"+18765551234", "country_not_allowed", "countries",
		 "`countries`"},
		{"+19002345678", "number_type_not_allowed", "number_types",
		 "`number_types`"},
		{"+37190123456", "number_type_not_allowed", "number_types",
		 "`number_types`"},
	};

	world_start(g->w);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct answer a = ask_to(g, cases[i].to);

		print_message("%s: %s\n", cases[i].to, a.no.detail);
		assert_refused(&a, cases[i].code, cases[i].rule);
		assert_non_null(strstr(a.no.detail, cases[i].setting));
	}
}

TEST(quiet_hours_are_those_of_the_called)
{
	struct guard *g = *state;
	struct answer a;

	g->w->rules.policy.quiet_from_min = QUIET_FROM;
	g->w->rules.policy.quiet_to_min = QUIET_TO;
	world_start(g->w);
	go_to(g, DAYS(1)); /* 02:00 or 03:00 in Riga */
	a = ask_to(g, "+37120120001");
	assert_refused(&a, "rate_limited", "quiet_hours");
	assert_non_null(strstr(a.no.detail, "`quiet_hours`"));
	assert_true(a.no.retry_ms > HOURS(4));
	assert_false(ask_to(g, "+15555550110").refused);
	world_skip(g->w, a.no.retry_ms);

	assert_false(ask_to(g, "+37120120001").refused);
}

/* --- counters (E3) ------------------------------------------------------------------------- */

/* Alternately for two applications: the number is one. */
static struct answer ask_as(struct guard *g, unsigned n)
{
	(void)snprintf(g->w->who.application, sizeof(g->w->who.application),
		       "%s", n % 2 ? "other" : "shop");
	return ask_to(g, "+37120120001");
}

static void ask_and_cancel(struct guard *g, unsigned n)
{
	struct answer a = ask_as(g, n);

	if (a.refused)
		fail_msg("%s: %s", a.no.rule, a.no.detail);
	assert_false(world_cancel(g->w, a.v.id).refused);
}

TEST(a_number_is_called_1_in_30_s_3_in_10_min_and_10_a_day_over_all)
{
	struct guard *g = *state;
	struct answer a;
	unsigned n = 0;

	world_start(g->w);
	go_to(g, DAYS(1));
	while (n < 9) {
		ask_and_cancel(g, n++);
		a = ask_as(g, n);
		assert_refused(&a, "rate_limited", "limits.number_per_30s");
		assert_in_range(a.no.retry_ms, 1, SECONDS(30));
		world_skip(g->w, a.no.retry_ms);
		if (n % 3)
			continue;
		a = ask_as(g, n);
		assert_refused(&a, "rate_limited", "limits.number_per_10min");
		assert_in_range(a.no.retry_ms, MINUTES(8), MINUTES(10));
		world_skip(g->w, a.no.retry_ms);
	}
	ask_and_cancel(g, n++);
	world_skip(g->w, SECONDS(30));
	a = ask_as(g, n);

	assert_refused(&a, "rate_limited", "limits.number_per_day");
	assert_true(a.no.retry_ms > HOURS(23) && a.no.retry_ms <= DAYS(1));
	world_skip(g->w, a.no.retry_ms);
	assert_false(ask_as(g, n).refused);
}

static struct answer ask_from(struct guard *g, const char *client)
{
	const struct service_create req = {
		.who = g->w->who, .to = "+15555550120", .client_ip = client};

	return world_ask(g->w, &req);
}

TEST(a_client_asks_5_times_an_hour_and_is_a_network_of_64_bits_in_ipv6)
{
	struct guard *g = *state;
	char from[64];
	struct answer a;

	world_start(g->w);
	go_to(g, HOURS(1));
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(from, sizeof(from), "2001:db8:7:8:%x::%x", i,
			       i + 1);
		assert_false(ask_from(g, from).refused);
		assert_false(ask_from(g, "192.0.2.7").refused);
	}
	a = ask_from(g, "2001:db8:7:8:ffff::1");
	assert_refused(&a, "rate_limited", "limits.client_per_hour");
	assert_in_range(a.no.retry_ms, 1, HOURS(1));
	a = ask_from(g, "192.0.2.7");
	assert_refused(&a, "rate_limited", "limits.client_per_hour");
	a = ask_from(g, "::ffff:192.0.2.7"); /* the same address */
	assert_refused(&a, "rate_limited", "limits.client_per_hour");

	assert_false(ask_from(g, "2001:db8:7:9::1").refused);
	assert_false(ask_from(g, "192.0.2.8").refused);
	world_skip(g->w, a.no.retry_ms);
	assert_false(ask_from(g, "192.0.2.7").refused);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ten_thousand_requests_cost_at_most_the_cap_and_the_victim_logs_in),
		CASE(without_caps_the_limits_of_places_hold_an_attack_up),
		CASE(the_cap_of_one_application_leaves_the_others_theirs),
		CASE(money_that_was_not_spent_is_given_back),
		CASE(the_kill_switch_works_at_the_next_request_and_for_what_waits),
		CASE(what_has_no_price_is_not_called_where_a_cap_is_set),
		CASE(a_refusal_names_the_setting_that_would_allow_it),
		CASE(quiet_hours_are_those_of_the_called),
		CASE(a_number_is_called_1_in_30_s_3_in_10_min_and_10_a_day_over_all),
		CASE(a_client_asks_5_times_an_hour_and_is_a_network_of_64_bits_in_ipv6),
	};

	return cmocka_run_group_tests_name("scenario/guard", tests,
					   world_voices, world_no_voices);
}
