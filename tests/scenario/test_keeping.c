// SPDX-License-Identifier: Apache-2.0
/*
 * test_keeping.c - keys, rules that change, money, draining, and what is
 * thrown away.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "support/world.h"

static struct service_admin admin_of(struct world *w)
{
	return (struct service_admin){w->store, w->ring, w->clock, w->rng};
}

/* A member of a JSON text, copied. */
static void member(const char *json, const char *name, char *out, size_t n)
{
	AUTO_JSON json_t *o = NULL;
	struct diag d;
	const char *text = "";

	assert_int_equal(js_parse(span_of(json), &o, &d), 0);
	assert_int_equal(js_get_text(o, name, n - 1, &text, &d), 0);
	(void)snprintf(out, n, "%s", text);
}

static int add_key(struct world *w, const char *name, unsigned scopes,
		   char token[SERVICE_TOKEN_BYTES], char id[64])
{
	const struct service_admin a = admin_of(w);
	const struct service_key_new key = {
		.application = "shop", .name = name, .scopes = scopes};
	AUTO_FREE char *json = NULL;
	struct diag d = {0};
	int err = service_key_add(&a, &key, &json, &d);

	if (err)
		return err;
	member(json, "token", token, SERVICE_TOKEN_BYTES);
	member(json, "id", id, 64);
	return 0;
}

static void add_app(struct world *w)
{
	const struct service_admin a = admin_of(w);
	AUTO_FREE char *json = NULL;
	struct diag d = {0};

	assert_int_equal(service_app_add(&a, "shop", &json, &d), 0);
}

struct key {
	struct world *w;
	const char *token;
	struct service_who who;
};

static bool opens(void *ctx)
{
	struct key *k = ctx;

	return service_authorize(k->w->service, NULL, span_of(k->token),
				 &k->who);
}

static bool is_shut(void *ctx)
{
	return !opens(ctx);
}

/* --- keys ----------------------------------------------------------------------- */

TEST(a_key_opens_at_once_and_a_revoked_one_no_more)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	char token[SERVICE_TOKEN_BYTES], id[64];
	struct key k = {.w = w, .token = token};
	struct diag d = {0};

	add_app(w);
	assert_int_equal(add_key(w, "web", SERVICE_CHECK, token, id), 0);
	world_turn(w, opens, &k);
	assert_string_equal(k.who.application, "shop");
	assert_string_equal(k.who.key_id, id);
	assert_int_equal(k.who.scopes, SERVICE_CHECK);
	assert_true(service_authorize(w->service, id, span_of(token), &k.who));
	assert_false(service_authorize(w->service, "key_other", span_of(token),
				       &k.who));
	token[30] = token[30] == 'x' ? 'y' : 'x';
	assert_false(opens(&k));
	token[30] = '\0';
	assert_false(opens(&k));

	assert_int_equal(service_key_revoke(&a, id, &d), 0);
	assert_int_equal(add_key(w, "web", SERVICE_CHECK, token, id), 0);
	world_turn(w, opens, &k);
	assert_int_equal(service_key_revoke(&a, id, &d), 0);
	world_turn(w, is_shut, &k);
}

TEST(two_keys_of_a_name_live_at_once_and_a_third_must_wait)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	char token[SERVICE_TOKEN_BYTES], id[64];
	struct diag d = {0};

	add_app(w);
	assert_int_equal(add_key(w, "web", SERVICE_VERIFY, token, id), 0);
	assert_int_equal(add_key(w, "web", SERVICE_VERIFY, token, id), 0);
	assert_int_not_equal(add_key(w, "web", SERVICE_VERIFY, token, id), 0);
	assert_int_equal(add_key(w, "cron", SERVICE_VERIFY, token, id), 0);
	assert_int_equal(service_key_revoke(&a, id, &d), 0);
	assert_int_equal(add_key(w, "cron", SERVICE_VERIFY, token, id), 0);
}

TEST(a_key_ends_at_its_time)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	const struct service_key_new key = {
		.application = "shop",
		.name = "short",
		.scopes = SERVICE_VERIFY,
		.expires_ms = clock_wall_ms(w->clock) + SECONDS(60),
	};
	AUTO_FREE char *json = NULL;
	char token[SERVICE_TOKEN_BYTES];
	struct key k = {.w = w, .token = token};
	struct diag d = {0};

	add_app(w);
	assert_int_equal(service_key_add(&a, &key, &json, &d), 0);
	member(json, "token", token, sizeof(token));
	world_turn(w, opens, &k);
	world_skip(w, SECONDS(61));

	assert_false(opens(&k));
}

TEST(keys_and_applications_are_checked_and_listed)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	AUTO_FREE char *json = NULL;
	AUTO_FREE char *keys = NULL;
	AUTO_FREE char *apps = NULL;
	char token[SERVICE_TOKEN_BYTES], id[64];
	struct diag d = {0};

	assert_int_not_equal(add_key(w, "web", SERVICE_VERIFY, token, id), 0);
	assert_int_not_equal(service_app_add(&a, "Shop", &json, &d), 0);
	assert_int_not_equal(service_app_add(&a, "~audit", &json, &d), 0);
	add_app(w);
	assert_int_not_equal(service_app_add(&a, "shop", &json, &d), 0);
	assert_int_not_equal(add_key(w, "web", 0, token, id), 0);
	assert_int_equal(add_key(w, "web", SERVICE_VERIFY, token, id), 0);
	assert_int_equal(service_key_list(&a, "shop", &keys, &d), 0);
	assert_int_equal(service_app_list(&a, &apps, &d), 0);

	assert_non_null(strstr(keys, id));
	assert_null(strstr(keys, token));
	assert_non_null(strstr(apps, "shop"));
}

TEST(brands_are_listed_per_application)
{
	static const char *const brands[] = {"Book Shop"};
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	struct service_create req = {
		.who = w->who, .to = "+15555550110", .brand = "Nobody"};
	AUTO_FREE char *json = NULL;
	struct diag d = {0};

	add_app(w);
	assert_int_equal(service_app_brands(&a, "shop", brands, 1, &json, &d),
			 0);
	world_pass(w, 3000);

	assert_string_equal(world_ask(w, &req).no.field, "brand");
	req.brand = "Book Shop";
	assert_false(world_ask(w, &req).refused);
}

/* --- rules that change ------------------------------------------------------------- */

struct released {
	bool done;
	const struct service_rules *old;
};

static void note_released(const struct service_rules *old, void *ctx)
{
	struct released *r = ctx;

	r->old = old;
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
}

static bool is_released(void *ctx)
{
	return __atomic_load_n(&((struct released *)ctx)->done,
			       __ATOMIC_ACQUIRE);
}

TEST(new_rules_hold_at_once_and_the_old_ones_are_handed_back)
{
	struct world *w = *state;
	struct service_rules new = w->rules;
	struct released r = {0};

	new.policy.kill_switch = true;
	assert_false(world_create(w, "+15555550120", "speak").refused);
	service_reload(w->service, &new, note_released, &r);
	world_turn(w, is_released, &r);

	assert_ptr_equal(r.old, &w->rules);
	assert_string_equal(world_create(w, "+15555550120", "speak").no.code,
			    "budget_exhausted");
	r.done = false;
	service_reload(w->service, &w->rules, note_released, &r);
	world_turn(w, is_released, &r);
	assert_false(world_create(w, "+15555550120", "speak").refused);
}

/* --- money ----------------------------------------------------------------------------- */

TEST(money_is_taken_before_a_call_and_given_back_where_none_was_spent)
{
	static const char csv[] = "prefix,price,currency\n1,0.50,EUR\n";
	struct world *w = *state;
	struct prices *prices = NULL;
	struct diag d = {0};
	struct answer a;

	assert_int_equal(prices_parse(span_of(csv), "EUR", &prices, &d), 0);
	w->rules.prices = prices;
	w->rules.policy.prices = prices;
	w->rules.policy.cap_hour = 1500000; /* one call may cost 1.00 */
	w->rules.policy.reserved_percent = 0;
	world_script(w, "+12025550110", TEL_SCRIPT_LISTEN);
	world_script(w, "+12025550111", TEL_SCRIPT_BUSY);

	a = world_create(w, "+12025550111", "speak");
	assert_false(a.refused);
	assert_string_equal(world_create(w, "+12025550110", "speak").no.rule,
			    "caps.hour");
	(void)world_until_ended(w, a.v.id);
	a = world_create(w, "+12025550110", "speak");
	assert_false(a.refused);
	(void)world_until_ended(w, a.v.id);

	/* 44 s: one begun minute, 0.50 of the 1.00 */
	world_pass(w, SECONDS(31));
	assert_false(world_create(w, "+12025550111", "speak").refused);
	assert_string_equal(world_create(w, "+12025550110", "speak").no.rule,
			    "caps.hour");
	world_skip(w, HOURS(1));
	w->rules.policy.prices = NULL;
	w->rules.policy.cap_hour = 0;
	prices_free(prices);
	w->rules.prices = NULL;
}

/* --- draining --------------------------------------------------------------------------- */

static void note(void *ctx)
{
	__atomic_store_n((bool *)ctx, true, __ATOMIC_RELEASE);
}

static bool noted(void *ctx)
{
	return __atomic_load_n((bool *)ctx, __ATOMIC_ACQUIRE);
}

TEST(draining_waits_for_calls_and_leaves_the_queue)
{
	struct world *w = *state;
	struct answer talking = world_create(w, "+15555550110", "speak");
	struct answer queued, end;
	bool drained = false;

	(void)world_until_spoken(w, talking.v.id);
	service_drain(w->service, HOURS(1), note, &drained);
	world_pass(w, 1000);
	queued = world_create(w, "+15555550110", "speak");
	assert_false(queued.refused);
	assert_false(drained);
	world_until(w, HOURS(1), noted, &drained);
	end = world_read(w, talking.v.id);
	assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
	end = world_read(w, queued.v.id);
	assert_int_equal(end.v.legs[0].state, VERIFICATION_LEG_QUEUED);

	world_kill(w);
	world_start(w);
	end = world_until_ended(w, queued.v.id);
	assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
}

TEST(draining_says_goodbye_when_its_time_is_up)
{
	struct world *w = *state;
	struct answer a = world_create(w, "+15555550110", "speak"), end;
	bool drained = false;

	(void)world_until_spoken(w, a.v.id);
	service_drain(w->service, 2000, note, &drained);
	world_until(w, SECONDS(30), noted, &drained);
	end = world_read(w, a.v.id);

	assert_int_equal(end.v.legs[0].state, VERIFICATION_LEG_ENDED);
	world_kill(w);
	world_start(w);
}

/* --- keeping and throwing away ------------------------------------------------------------ */

TEST(records_and_events_go_after_the_retention)
{
	struct world *w = *state;
	struct answer a = world_create(w, "+15555550120", "speak");
	char told[512];

	(void)world_until_over(w, a.v.id);
	world_skip(w, DAYS(31));
	for (unsigned i = 0; i < 5; i++)
		world_skip(w, SECONDS(61));
	world_events(w, a.v.id, told, sizeof(told));

	assert_string_equal(world_read(w, a.v.id).no.code, "not_found");
	assert_string_equal(told, "");
}

TEST(an_erased_number_is_gone_and_a_reveal_is_audited)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	struct answer v = world_create(w, "+15555550120", "speak");
	AUTO_FREE char *revealed = NULL;
	AUTO_FREE char *erased = NULL;
	struct diag d = {0};
	char to[NUMBER_BYTES], told[512];

	add_app(w);
	(void)world_until_ended(w, v.v.id);
	assert_int_equal(service_number_reveal(&a, v.v.id, &revealed, &d), 0);
	member(revealed, "to", to, sizeof(to));
	assert_string_equal(to, "+15555550120");

	assert_int_equal(
		service_number_erase(&a, "+1 555 555 0120", &erased, &d), 0);
	assert_string_equal(world_read(w, v.v.id).no.code, "not_found");
	assert_null(strstr(erased, "0120"));
	world_events(w, "~audit", told, sizeof(told));
	assert_string_equal(told, "app.add number.reveal number.erase");
	assert_int_not_equal(service_number_reveal(&a, v.v.id, &revealed, &d),
			     0);
}

TEST(a_number_that_is_erased_while_it_is_called_ends_quietly)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	struct answer v = world_create(w, "+15555550110", "speak");
	AUTO_FREE char *erased = NULL;
	struct service_stats s;
	struct diag d = {0};

	(void)world_until_spoken(w, v.v.id);
	assert_int_equal(service_number_erase(&a, "+15555550110", &erased, &d),
			 0);
	world_pass(w, SECONDS(60));
	service_stats(w->service, &s);

	assert_int_equal(s.calls_now, 0);
}

TEST(a_locked_number_is_unlocked_by_an_operator)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	struct answer v;
	AUTO_FREE char *json = NULL;
	struct diag d = {0};

	add_app(w);
	world_script(w, "+12025550110", TEL_SCRIPT_REPORT);
	v = world_create(w, "+12025550110", "speak");
	(void)world_until_ended(w, v.v.id);
	world_pass(w, SECONDS(31));
	assert_true(world_create(w, "+12025550110", "speak").refused);

	assert_int_equal(service_number_unlock(&a, "+12025550110", &json, &d),
			 0);
	assert_false(world_create(w, "+12025550110", "speak").refused);
}

TEST(a_number_that_is_erased_has_no_past)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	struct answer v;
	AUTO_FREE char *json = NULL;
	struct diag d = {0};

	add_app(w);
	world_script(w, "+12025550110", TEL_SCRIPT_REPORT);
	v = world_create(w, "+12025550110", "speak");
	(void)world_until_ended(w, v.v.id);
	world_pass(w, SECONDS(31));
	assert_true(world_create(w, "+12025550110", "speak").refused);

	assert_int_equal(service_number_erase(&a, "+12025550110", &json, &d),
			 0);
	assert_false(world_create(w, "+12025550110", "speak").refused);
}

/* --- lists ------------------------------------------------------------------------------------ */

struct page {
	bool done;
	size_t count;
	char first[VERIFICATION_ID_BYTES], next[STORE_CURSOR_BYTES];
	struct service_refusal no;
};

static void paged(const struct service_refusal *no,
		  const struct service_view *views, size_t count,
		  const char *next, void *ctx)
{
	struct page *p = ctx;

	if (no)
		p->no = *no;
	p->count = count;
	if (count)
		(void)snprintf(p->first, sizeof(p->first), "%s",
			       views[0].v->id);
	(void)snprintf(p->next, sizeof(p->next), "%s", next ? next : "");
	__atomic_store_n(&p->done, true, __ATOMIC_RELEASE);
}

static bool is_paged(void *ctx)
{
	return __atomic_load_n(&((struct page *)ctx)->done, __ATOMIC_ACQUIRE);
}

static struct page list(struct world *w, struct service_query q)
{
	struct page p = {0};

	q.who = w->who;
	service_list(w->service, &q, paged, &p);
	world_turn(w, is_paged, &p);
	return p;
}

TEST(lists_are_paged_narrowed_and_ones_own)
{
	struct world *w = *state;
	struct answer a[3];
	struct page p;

	for (size_t i = 0; i < COUNT_OF(a); i++) {
		a[i] = world_create(w, i ? "+15555550110" : "+15555550120",
				    "speak");
		world_pass(w, 100);
	}
	(void)world_cancel(w, a[1].v.id);

	p = list(w, (struct service_query){.limit = 2});
	assert_int_equal(p.count, 2);
	assert_string_equal(p.first, a[2].v.id);
	p = list(w, (struct service_query){.limit = 2, .cursor = p.next});
	assert_int_equal(p.count, 1);
	assert_string_equal(p.first, a[0].v.id);
	p = list(w, (struct service_query){.status = "canceled"});
	assert_int_equal(p.count, 1);
	assert_string_equal(p.first, a[1].v.id);
	p = list(w, (struct service_query){.to = "+1 (555) 555-0120"});
	assert_int_equal(p.count, 1);
	assert_string_equal(p.first, a[0].v.id);
	p = list(w, (struct service_query){.to = "nobody"});
	assert_string_equal(p.no.code, "number_invalid");
	p = list(w, (struct service_query){.cursor = "what"});
	assert_string_equal(p.no.code, "invalid_field");
	(void)snprintf(w->who.application, sizeof(w->who.application), "other");
	assert_int_equal(list(w, (struct service_query){0}).count, 0);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_key_opens_at_once_and_a_revoked_one_no_more),
		CASE(two_keys_of_a_name_live_at_once_and_a_third_must_wait),
		CASE(a_key_ends_at_its_time),
		CASE(keys_and_applications_are_checked_and_listed),
		CASE(brands_are_listed_per_application),
		CASE(new_rules_hold_at_once_and_the_old_ones_are_handed_back),
		CASE(money_is_taken_before_a_call_and_given_back_where_none_was_spent),
		CASE(draining_waits_for_calls_and_leaves_the_queue),
		CASE(draining_says_goodbye_when_its_time_is_up),
		CASE(records_and_events_go_after_the_retention),
		CASE(an_erased_number_is_gone_and_a_reveal_is_audited),
		CASE(a_number_that_is_erased_while_it_is_called_ends_quietly),
		CASE(a_locked_number_is_unlocked_by_an_operator),
		CASE(a_number_that_is_erased_has_no_past),
		CASE(lists_are_paged_narrowed_and_ones_own),
	};

	return cmocka_run_group_tests_name("scenario/keeping", tests,
					   world_voices, world_no_voices);
}
