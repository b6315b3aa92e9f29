// SPDX-License-Identifier: Apache-2.0
/*
 * test_sends.c - how vendors' clients ask: once more for the same number, by a
 * short id, by number and label, with counters of their own.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/world.h"

#define LISTENS "+15555550110"
#define BUSY "+15555550120"

enum { CROWD = 100, SENDS = 5 };

static struct service_create send_to(const char *to)
{
	return (struct service_create){.to = to,
				       .flow = "speak",
				       .purpose = "login",
				       .label = "VA1",
				       .short_id = true};
}

static struct answer find_short(struct world *w, const char *id)
{
	char short_id[SERVICE_SHORT_BYTES];

	service_short_id(id, short_id);
	assert_int_equal(strlen(short_id), SERVICE_SHORT_BYTES - 1);
	return world_find(w, &(struct service_find){.short_id = short_id});
}

static uint64_t created(struct world *w)
{
	struct service_stats s;

	service_stats(w->service, &s);
	return s.created;
}

/* --- an extension ----------------------------------------------------------------- */

TEST(an_extension_is_dialled_before_anything_is_said)
{
	struct world *w = *state;
	struct service_create req = send_to(LISTENS);
	struct answer made;
	char code[CODE_BYTES];

	req.send_digits = "ww12W*#D";
	made = world_send(w, &req, SENDS);
	assert_false(made.refused);
	(void)world_until_ended(w, made.v.id);
	world_code(w, &made.v, code);

	assert_string_equal(w->keyed, "12*#D ");
	assert_non_null(strstr(w->heard, code));
	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
}

TEST(each_further_call_dials_it_again)
{
	struct world *w = *state;
	struct service_create req = send_to(LISTENS);
	struct answer made;

	req.send_digits = "4";
	made = world_send(w, &req, SENDS);
	(void)world_until_ended(w, made.v.id);
	assert_false(world_call(w, made.v.id).refused);
	(void)world_until_ended(w, made.v.id);

	assert_string_equal(w->keyed, "4 4 ");
}

TEST(another_extension_is_another_verification)
{
	struct world *w = *state;
	struct service_create req = send_to(LISTENS);
	struct answer first, other, again;

	req.send_digits = "12";
	first = world_send(w, &req, SENDS);
	(void)world_until_ended(w, first.v.id);
	req.send_digits = "34";
	other = world_send(w, &req, SENDS);
	(void)world_until_ended(w, other.v.id);
	req.send_digits = "12";
	again = world_send(w, &req, SENDS);
	(void)world_until_ended(w, again.v.id);

	assert_false(other.refused);
	assert_false(other.again);
	assert_string_not_equal(first.v.id, other.v.id);
	assert_true(again.again);
	assert_string_equal(first.v.id, again.v.id);
	assert_string_equal(w->keyed, "12 34 12 ");
	assert_int_equal(created(w), 2);
}

TEST(another_code_that_is_given_is_another_verification)
{
	struct world *w = *state;
	struct service_create req = send_to(LISTENS);
	struct answer first, other, again, any;

	first = world_send(w, &req, SENDS);
	(void)world_until_ended(w, first.v.id);
	req.code = "604213";
	other = world_send(w, &req, SENDS);
	(void)world_until_ended(w, other.v.id);
	again = world_send(w, &req, SENDS);
	(void)world_until_ended(w, again.v.id);
	req.code = NULL; /* as when it was lost: what is live is heard */
	any = world_send(w, &req, SENDS);

	assert_false(other.refused);
	assert_string_not_equal(first.v.id, other.v.id);
	assert_true(again.again);
	assert_string_equal(other.v.id, again.v.id);
	assert_true(any.again);
	assert_string_equal(other.v.id, any.v.id);
	assert_int_equal(created(w), 2);
	assert_int_equal(world_check(w, other.v.id, "604213").result,
			 CHECK_APPROVED);
}

TEST(what_is_no_extension_is_refused_with_the_rule)
{
	static const char *const bad[] = {"ww",
					  "12 3",
					  "1,2",
					  "a",
					  "0123456789012345678901234567890ww",
					  "WWWWWWWWWWWWWWWWWWWW1"};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct service_create req = send_to(LISTENS);
		struct answer made;

		req.send_digits = bad[i];
		made = world_send(w, &req, SENDS);
		assert_true(made.refused);
		assert_string_equal(made.no.code, "invalid_field");
		assert_string_equal(made.no.field, "send_digits");
		assert_non_null(strstr(made.no.detail, "20 seconds"));
	}
}

/* --- again ---------------------------------------------------------------------- */

TEST(a_second_send_calls_again_with_the_same_code)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer first = world_send(w, &req, SENDS), second;
	char code[CODE_BYTES], again[CODE_BYTES];

	(void)world_until_ended(w, first.v.id);
	second = world_send(w, &req, SENDS);

	assert_false(first.refused);
	assert_false(first.again);
	assert_false(second.refused);
	assert_true(second.again);
	assert_string_equal(first.v.id, second.v.id);
	assert_int_equal(second.v.legs_count, 2);
	world_code(w, &first.v, code);
	world_code(w, &second.v, again);
	assert_string_equal(code, again);
	assert_int_equal(created(w), 1);
}

/* A7: the code of one payment is no answer to another. */
TEST(what_is_paid_or_asked_for_is_a_verification_of_its_own)
{
	struct world *w = *state;
	struct service_create req = send_to(BUSY);
	struct answer login = world_send(w, &req, SENDS), ten, twenty, again;

	(void)world_until_ended(w, login.v.id);
	req.purpose = "payment";
	req.amount = "10";
	req.currency = "EUR";
	req.payee = "Shop";
	ten = world_send(w, &req, SENDS);
	(void)world_until_ended(w, ten.v.id);
	req.amount = "20";
	twenty = world_send(w, &req, SENDS);
	(void)world_until_ended(w, twenty.v.id);
	req.amount = "10";
	again = world_send(w, &req, SENDS);

	assert_false(ten.refused);
	assert_false(ten.again);
	assert_string_equal(ten.v.amount, "10");
	assert_string_not_equal(ten.v.id, login.v.id);
	assert_false(twenty.refused);
	assert_false(twenty.again);
	assert_string_equal(twenty.v.amount, "20");
	assert_true(again.again);
	assert_string_equal(again.v.id, ten.v.id);
	assert_int_equal(created(w), 3);
}

TEST(while_a_call_is_under_way_a_send_dials_nothing)
{
	struct world *w = *state;
	const struct service_create req = send_to(LISTENS);
	struct answer first = world_send(w, &req, SENDS), second, third;

	second = world_send(w, &req, SENDS);
	(void)world_until_spoken(w, first.v.id);
	third = world_send(w, &req, SENDS);

	assert_false(second.refused);
	assert_true(second.again);
	assert_false(third.refused);
	assert_true(third.again);
	assert_int_equal(third.v.legs_count, 1);
	assert_int_equal(world_until_ended(w, first.v.id).v.legs_count, 1);
}

TEST(above_its_sends_it_is_refused)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer made = world_send(w, &req, 2), refused;

	(void)world_until_ended(w, made.v.id);
	assert_true(world_send(w, &req, 2).again);
	(void)world_until_ended(w, made.v.id);
	refused = world_send(w, &req, 2);

	assert_true(refused.refused);
	assert_string_equal(refused.no.code, "rate_limited");
	assert_string_equal(refused.no.rule, "sends");
	assert_true(refused.no.retry_ms > 0);
}

TEST(after_an_end_a_send_makes_a_new_one)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer first = world_send(w, &req, SENDS), second;

	(void)world_until_ended(w, first.v.id);
	assert_false(world_cancel(w, first.v.id).refused);
	second = world_send(w, &req, SENDS);

	assert_false(second.refused);
	assert_false(second.again);
	assert_string_not_equal(first.v.id, second.v.id);
}

TEST(with_too_little_time_for_a_call_a_send_makes_a_new_one)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer first = world_send(w, &req, SENDS), second;

	(void)world_until_ended(w, first.v.id);
	world_pass(w, w->rules.ttl_ms - SECONDS(40));
	second = world_send(w, &req, SENDS);

	assert_false(second.refused);
	assert_false(second.again);
	assert_string_not_equal(first.v.id, second.v.id);
	(void)world_until_ended(w, second.v.id);
	assert_string_equal(world_send(w, &req, SENDS).v.id, second.v.id);
}

TEST(another_label_is_another_verification)
{
	struct world *w = *state;
	struct service_create req = send_to(BUSY);
	struct answer first = world_send(w, &req, SENDS), second;

	(void)world_until_ended(w, first.v.id);
	req.label = "VA2";
	second = world_send(w, &req, SENDS);

	assert_false(second.again);
	assert_string_not_equal(first.v.id, second.v.id);
	(void)world_until_ended(w, second.v.id);
	req.label = "VA1";
	assert_string_equal(world_send(w, &req, SENDS).v.id, first.v.id);
}

/* --- at once ---------------------------------------------------------------------- */

struct crowd {
	struct answer answers[CROWD];
};

static bool all_done(void *ctx)
{
	struct crowd *c = ctx;

	for (size_t i = 0; i < CROWD; i++)
		if (!__atomic_load_n(&c->answers[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static void assert_one_is_made(struct world *w, const struct service_create *r)
{
	struct crowd *c = b_zero(1, sizeof(*c));
	unsigned made = 0;

	for (size_t i = 0; i < CROWD; i++)
		world_send_soon(w, r, SENDS, &c->answers[i]);
	world_turn(w, all_done, c);
	for (size_t i = 0; i < CROWD; i++) {
		assert_false(c->answers[i].refused);
		assert_string_equal(c->answers[i].v.id, c->answers[0].v.id);
		made += !c->answers[i].again;
	}

	assert_int_equal(made, 1);
	free(c);
}

TEST(a_hundred_sends_at_once_make_one_verification)
{
	struct world *w = *state;
	const struct service_create req = send_to(LISTENS);

	assert_one_is_made(w, &req);
	assert_int_equal(created(w), 1);
}

TEST(a_hundred_sends_behind_an_old_one_make_one_verification)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer old = world_send(w, &req, SENDS);

	(void)world_until_ended(w, old.v.id);
	world_pass(w, w->rules.ttl_ms - SECONDS(40));

	assert_one_is_made(w, &req);
	assert_int_equal(created(w), 2);
}

/* --- finding ------------------------------------------------------------------------ */

TEST(a_short_id_leads_to_its_verification)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer made = world_send(w, &req, SENDS);
	struct answer found = find_short(w, made.v.id);

	assert_false(found.refused);
	assert_string_equal(found.v.id, made.v.id);
	assert_string_equal(found.to, BUSY);
}

TEST(the_short_id_of_each_call_leads_to_its_verification)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer made = world_send(w, &req, SENDS), end;

	assert_int_equal(made.v.legs_count, 1);
	(void)world_until_ended(w, made.v.id);
	(void)world_send(w, &req, SENDS);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(end.v.legs_count, 2);
	assert_string_equal(end.v.legs[0].id, made.v.legs[0].id);
	for (size_t i = 0; i < end.v.legs_count; i++)
		assert_string_equal(find_short(w, end.v.legs[i].id).v.id,
				    made.v.id);
	assert_string_not_equal(end.v.legs[0].id, end.v.legs[1].id);
}

TEST(what_is_no_short_id_of_theirs_is_not_found)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer made = world_send(w, &req, SENDS);
	char short_id[SERVICE_SHORT_BYTES];
	struct service_find by = {.short_id = short_id};

	service_short_id(made.v.id, short_id);
	by.label = "VA2";
	assert_string_equal(world_find(w, &by).no.code, "not_found");
	by.label = NULL;
	short_id[31] = '9'; /* a call that was not made */
	assert_string_equal(world_find(w, &by).no.code, "not_found");
	short_id[0] = 'g';
	assert_string_equal(world_find(w, &by).no.code, "not_found");
	service_short_id(made.v.id, short_id);
	(void)snprintf(w->who.application, sizeof(w->who.application), "else");
	assert_string_equal(world_find(w, &by).no.code, "not_found");
}

TEST(a_native_one_has_no_alias)
{
	struct world *w = *state;
	struct answer made = world_create(w, BUSY, "speak");

	assert_int_equal(made.v.legs_count, 0);
	assert_string_equal(find_short(w, made.v.id).no.code, "not_found");
	assert_string_equal(
		world_find(w, &(struct service_find){.id = made.v.id}).v.id,
		made.v.id);
}

TEST(a_number_leads_to_the_newest_of_its_label_over_or_not)
{
	struct world *w = *state;
	struct service_create req = send_to(BUSY);
	struct service_find by = {.to = BUSY, .label = "VA1"};
	struct answer first = world_send(w, &req, SENDS), second, other;

	assert_string_equal(world_find(w, &by).v.id, first.v.id);
	(void)world_until_ended(w, first.v.id);
	(void)world_cancel(w, first.v.id);
	assert_string_equal(world_find(w, &by).v.id, first.v.id);
	second = world_send(w, &req, SENDS);
	world_pass(w, SECONDS(1));
	req.label = "VA2";
	other = world_send(w, &req, SENDS);

	assert_string_equal(world_find(w, &by).v.id, second.v.id);
	by.label = "VA2";
	assert_string_equal(world_find(w, &by).v.id, other.v.id);
	by.label = "VA3";
	assert_string_equal(world_find(w, &by).no.code, "not_found");
	by.to = "nonsense";
	assert_string_equal(world_find(w, &by).no.code, "number_invalid");
}

/* --- counters of a request's own ------------------------------------------------------ */

TEST(a_limit_of_the_requests_own_holds_and_is_named)
{
	struct world *w = *state;
	struct service_create req = send_to(BUSY);
	struct answer a;

	req.limits[0] = (struct service_limit){"RK1:10.0.0.1", 2, MINUTES(10)};
	req.limits_count = 1;
	for (int i = 0; i < 2; i++) {
		a = world_send(w, &req, SENDS);
		assert_false(a.refused);
		(void)world_until_ended(w, a.v.id);
	}
	a = world_send(w, &req, SENDS);

	assert_string_equal(a.no.code, "rate_limited");
	assert_string_equal(a.no.rule, "RK1:10.0.0.1");
	assert_true(a.no.retry_ms > 0 && a.no.retry_ms <= MINUTES(10));
	req.limits[0].name = "RK1:10.0.0.2";
	assert_false(world_send(w, &req, SENDS).refused);
}

TEST(what_is_refused_takes_nothing_of_a_limit)
{
	struct world *w = *state;
	struct service_create req = send_to(BUSY);
	struct answer a;

	req.limits[0] = (struct service_limit){"a", 1, MINUTES(10)};
	req.limits[1] = (struct service_limit){"b", 0, MINUTES(10)};
	req.limits_count = 2;
	a = world_send(w, &req, SENDS);
	assert_string_equal(a.no.rule, "b");
	req.limits_count = 1;

	assert_false(world_send(w, &req, SENDS).refused);
}

/* Every limit and cap that there is, with room in each. */
static void limit_all(struct policy *p, const struct prices *prices)
{
	const struct policy_limit some = {100, HOURS(1)};

	for (size_t i = 0; i < COUNT_OF(p->number); i++)
		p->number[i] =
			(struct policy_limit){100, MINUTES(10) + (int64_t)i};
	for (size_t i = 0; i < COUNT_OF(p->prefix); i++)
		p->prefix[i] = some;
	p->client = p->key = p->country = some;
	p->prefix_calls = 100;
	p->prices = prices;
	p->cap_call = p->cap_hour = p->cap_day = p->cap_app_hour =
		p->cap_app_day = INT64_C(1000) * PRICES_UNIT;
}

TEST(beside_every_rule_of_the_policy_there_is_room_for_limits_of_its_own)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct world *w = *state;
	struct service_create req = send_to("+12025550110");
	AUTO(prices) *prices = NULL;
	struct diag d = {0};
	struct answer first, again, third;

	assert_int_equal(
		prices_parse(span_of("prefix,price,currency\n1,0.60,EUR\n"),
			     "EUR", &prices, &d),
		0);
	limit_all(&w->rules.policy, prices);
	world_script(w, req.to, TEL_SCRIPT_BUSY);
	req.client_ip = "192.0.2.1";
	for (size_t i = 0; i < COUNT_OF(names); i++)
		req.limits[i] = (struct service_limit){names[i], 2, HOURS(1)};
	req.limits_count = COUNT_OF(names);
	first = world_send(w, &req, SENDS);
	assert_false(first.refused);
	(void)world_until_ended(w, first.v.id);
	again = world_send(w, &req, SENDS);
	assert_false(again.refused);
	(void)world_until_ended(w, first.v.id);
	third = world_send(w, &req, SENDS);

	assert_true(again.again);
	assert_string_equal(third.no.rule, "a");
	w->rules.policy.prices = NULL;
}

TEST(a_label_or_a_limit_that_cannot_be_is_refused)
{
	struct world *w = *state;
	struct service_create req = send_to(BUSY);
	char label[SERVICE_LABEL_BYTES + 1];

	memset(label, 'l', sizeof(label));
	label[SERVICE_LABEL_BYTES] = '\0';
	req.label = label;
	assert_string_equal(world_send(w, &req, SENDS).no.field, "label");
	label[SERVICE_LABEL_BYTES - 1] = '\0';
	assert_false(world_send(w, &req, SENDS).refused);
	req.limits[0] = (struct service_limit){"a", 1, 0};
	req.limits_count = 1;
	assert_string_equal(world_send(w, &req, SENDS).no.field, "limits");
	req.limits[0] = (struct service_limit){"", 1, 1};
	assert_string_equal(world_send(w, &req, SENDS).no.field, "limits");
	req.limits_count = SERVICE_LIMITS_MAX + 1;
	assert_string_equal(world_send(w, &req, SENDS).no.field, "limits");
}

TEST(what_expired_with_an_alias_is_swept_with_it)
{
	struct world *w = *state;
	const struct service_create req = send_to(BUSY);
	struct answer made = world_send(w, &req, SENDS);

	(void)world_until_over(w, made.v.id);
	assert_false(find_short(w, made.v.id).refused);
	world_skip(w, w->rules.retention_ms);
	world_pass(w, MINUTES(15));

	assert_string_equal(find_short(w, made.v.id).no.code, "not_found");
	assert_string_equal(world_read(w, made.v.id).no.code, "not_found");
}

/* --- what stands for a name ------------------------------------------------------------ */

TEST(an_alias_of_a_name_is_the_same_each_time_and_for_nothing_else)
{
	struct world *w = *state;
	uint8_t a[16], b[16], c[16], d[16];

	service_alias(w->service, "account", "shop", a);
	service_alias(w->service, "account", "shop", b);
	service_alias(w->service, "service", "shop", c);
	service_alias(w->service, "account", "shoq", d);

	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	assert_memory_not_equal(a, d, sizeof(a));
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_extension_is_dialled_before_anything_is_said),
		CASE(each_further_call_dials_it_again),
		CASE(another_extension_is_another_verification),
		CASE(another_code_that_is_given_is_another_verification),
		CASE(what_is_no_extension_is_refused_with_the_rule),
		CASE(a_second_send_calls_again_with_the_same_code),
		CASE(what_is_paid_or_asked_for_is_a_verification_of_its_own),
		CASE(while_a_call_is_under_way_a_send_dials_nothing),
		CASE(above_its_sends_it_is_refused),
		CASE(after_an_end_a_send_makes_a_new_one),
		CASE(with_too_little_time_for_a_call_a_send_makes_a_new_one),
		CASE(another_label_is_another_verification),
		CASE(a_hundred_sends_at_once_make_one_verification),
		CASE(a_hundred_sends_behind_an_old_one_make_one_verification),
		CASE(a_short_id_leads_to_its_verification),
		CASE(the_short_id_of_each_call_leads_to_its_verification),
		CASE(what_is_no_short_id_of_theirs_is_not_found),
		CASE(a_native_one_has_no_alias),
		CASE(a_number_leads_to_the_newest_of_its_label_over_or_not),
		CASE(a_limit_of_the_requests_own_holds_and_is_named),
		CASE(what_is_refused_takes_nothing_of_a_limit),
		CASE(beside_every_rule_of_the_policy_there_is_room_for_limits_of_its_own),
		CASE(a_label_or_a_limit_that_cannot_be_is_refused),
		CASE(what_expired_with_an_alias_is_swept_with_it),
		CASE(an_alias_of_a_name_is_the_same_each_time_and_for_nothing_else),
	};

	return cmocka_run_group_tests_name("scenario/sends", tests,
					   world_voices, world_no_voices);
}
