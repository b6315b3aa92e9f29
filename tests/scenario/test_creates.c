// SPDX-License-Identifier: Apache-2.0
/*
 * test_creates.c - what is created once, what is refused, and why.
 */
#include <stdio.h>
#include <string.h>

#include "support/world.h"

enum { PARALLEL = 20 };

static const uint8_t body[CRYPTO_HASH_BYTES] = {1};
static const uint8_t other_body[CRYPTO_HASH_BYTES] = {2};

static struct service_create keyed(struct world *w, const uint8_t *hash)
{
	return (struct service_create){
		.who = w->who,
		.to = "+15555550111",
		.flow = "reverse",
		.idempotency_key = "k-1",
		.body_hash = hash,
	};
}

struct many {
	struct answer answers[PARALLEL];
};

static bool all_done(void *ctx)
{
	struct many *m = ctx;

	for (size_t i = 0; i < PARALLEL; i++)
		if (!__atomic_load_n(&m->answers[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static uint64_t created(struct world *w)
{
	struct service_stats s;

	service_stats(w->service, &s);
	return s.created;
}

/* --- idempotency ---------------------------------------------------------------- */

TEST(the_same_request_twice_has_one_answer)
{
	struct world *w = *state;
	const struct service_create req = keyed(w, body);
	struct answer first = world_ask(w, &req), second;

	(void)world_until_ended(w, first.v.id);
	second = world_ask(w, &req);

	assert_false(second.refused);
	assert_string_equal(first.v.id, second.v.id);
	assert_string_equal(first.code, second.code);
	assert_int_equal(first.v.expires_ms, second.v.expires_ms);
	assert_int_equal(second.v.status, STATUS_PENDING);
	assert_int_equal(second.v.legs_count, 0);
	assert_int_equal(created(w), 1);
}

TEST(another_body_under_the_same_key_is_a_mismatch)
{
	struct world *w = *state;
	const struct service_create req = keyed(w, body);
	const struct service_create other = keyed(w, other_body);

	(void)world_ask(w, &req);

	assert_string_equal(world_ask(w, &other).no.code,
			    "idempotency_mismatch");
}

TEST(the_same_request_at_once_makes_one_record)
{
	struct world *w = *state;
	const struct service_create req = keyed(w, body);
	struct many *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	for (size_t i = 0; i < PARALLEL; i++)
		world_ask_soon(w, &req, &m->answers[i]);
	world_turn(w, all_done, m);

	for (size_t i = 0; i < PARALLEL; i++) {
		assert_false(m->answers[i].refused);
		assert_string_equal(m->answers[i].v.id, m->answers[0].v.id);
		assert_string_equal(m->answers[i].code, m->answers[0].code);
	}
	assert_int_equal(created(w), 1);
	free(m);
}

TEST(a_key_is_forgotten_after_a_day)
{
	struct world *w = *state;
	const struct service_create req = keyed(w, body);
	const struct service_create other = keyed(w, other_body);
	struct answer first = world_ask(w, &req), second;

	(void)world_until_ended(w, first.v.id);
	world_skip(w, HOURS(25));
	second = world_ask(w, &other);

	assert_false(second.refused);
	assert_string_not_equal(first.v.id, second.v.id);
}

TEST(a_refusal_is_not_remembered)
{
	struct world *w = *state;
	struct service_create req = keyed(w, body);
	struct answer a;

	world_script(w, "+12025550110", TEL_SCRIPT_LISTEN);
	req.to = "+12025550110";
	req.idempotency_key = NULL;
	assert_false(world_ask(w, &req).refused);
	req.idempotency_key = "k-2";
	a = world_ask(w, &req);
	assert_string_equal(a.no.code, "rate_limited");
	assert_string_equal(a.no.rule, "limits.number_per_30s");
	assert_true(a.no.retry_ms > 0 && a.no.retry_ms <= SECONDS(30));

	world_pass(w, SECONDS(31));

	assert_false(world_ask(w, &req).refused);
	assert_int_equal(created(w), 2);
}

/* --- refusals -------------------------------------------------------------------------- */

static void assert_refused(struct world *w, const struct service_create *req,
			   const char *code, const char *field)
{
	struct answer a = world_ask(w, req);

	assert_true(a.refused);
	assert_string_equal(a.no.code, code);
	assert_string_equal(a.no.field, field);
	assert_true(a.no.detail[0] != '\0');
}

TEST(each_field_is_held_to_its_form)
{
	struct world *w = *state;
	const struct {
		struct service_create req;
		const char *code, *field;
	} cases[] = {
		{{.to = ""}, "missing_field", "to"},
		{{.to = "12"}, "number_invalid", "to"},
		{{.to = "+4915112345678"}, "country_not_allowed", "to"},
		{{.flow = "nothing"}, "flow_not_published", "flow"},
		{{.purpose = "UPPER"}, "invalid_field", "purpose"},
		{{.locale = "de_\xff"}, "invalid_field", "locale"},
		{{.brand = "0123456789012345678901234567890"},
		 "invalid_field",
		 "brand"},
		{{.brand = "a\nb"}, "invalid_field", "brand"},
		{{.code_length = 5}, "invalid_field", "code_length"},
		{{.code_length = 11}, "invalid_field", "code_length"},
		{{.ttl_ms = 1000}, "invalid_field", "ttl_s"},
		{{.ttl_ms = SECONDS(601)}, "invalid_field", "ttl_s"},
		{{.amount = "ten"}, "invalid_field", "amount"},
		{{.currency = "eur"}, "invalid_field", "currency"},
		{{.webhook = "ftp://x"}, "invalid_field", "webhook"},
		{{.client_ip = "nowhere"}, "invalid_field", "client_ip"},
		{{.metadata = "[1]"}, "invalid_field", "metadata"},
		{{.metadata = "{\"a\":1}"}, "invalid_field", "metadata"},
		{{.flow = "keypad", .purpose = "login"},
		 "invalid_field",
		 "flow"},
		{{.flow = "plain", .purpose = "payment"},
		 "invalid_field",
		 "flow"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct service_create req = cases[i].req;

		req.who = w->who;
		if (!req.to)
			req.to = "+15555550110";
		assert_refused(w, &req, cases[i].code, cases[i].field);
	}
	assert_int_equal(created(w), 0);
}

TEST(a_number_that_no_telephone_rings_is_refused_at_once)
{
	struct world *w = *state;
	const struct service_create req = {.who = w->who, .to = "+12025550123"};

	assert_refused(w, &req, "no_route", "to");
}

TEST(a_fourth_live_code_for_a_number_is_refused)
{
	struct world *w = *state;
	struct answer a;

	world_script(w, "+12025550110", TEL_SCRIPT_BUSY);
	w->rules.policy.number[0].count = 100;
	w->rules.policy.number[1].count = 100;
	for (unsigned i = 0; i < VERIFICATION_LIVE_MAX; i++)
		assert_false(world_create(w, "+12025550110", "speak").refused);
	a = world_create(w, "+12025550110", "speak");

	assert_string_equal(a.no.code, "rate_limited");
	assert_string_equal(a.no.rule, "number.live_codes");
}

TEST(a_sandbox_number_is_not_held_by_its_past)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 2 * VERIFICATION_LIVE_MAX; i++) {
		struct answer a = world_create(w, "+15555550127", "speak");

		assert_false(a.refused);
		(void)world_until_ended(w, a.v.id);
	}
}

TEST(another_caller_id_than_the_trunks_is_replaced_and_warned_of)
{
	struct world *w = *state;
	const struct service_create req = {
		.who = w->who, .to = "+15555550110", .from = "+15005550006"};
	struct answer a = world_ask(w, &req);

	assert_string_equal(a.v.from, "+15671234567");
	assert_true(a.v.warnings & VERIFICATION_WARN_FROM);
}

struct explained {
	bool done, refused;
	enum policy_verdict verdict;
	char rule[POLICY_RULE_BYTES], route[16], language[16];
	unsigned seconds;
};

static void note(const struct service_refusal *no,
		 const struct service_explanation *e, void *ctx)
{
	struct explained *x = ctx;

	x->refused = no != NULL;
	if (e) {
		x->verdict = e->answer->verdict;
		x->seconds = e->seconds;
		(void)snprintf(x->rule, sizeof(x->rule), "%s", e->answer->rule);
		(void)snprintf(x->route, sizeof(x->route), "%s",
			       e->route ? e->route : "");
		(void)snprintf(x->language, sizeof(x->language), "%s",
			       e->language);
	}
	__atomic_store_n(&x->done, true, __ATOMIC_RELEASE);
}

static bool is_explained(void *ctx)
{
	return __atomic_load_n(&((struct explained *)ctx)->done,
			       __ATOMIC_ACQUIRE);
}

TEST(an_explanation_counts_the_time_of_an_extension)
{
	struct world *w = *state;
	struct service_create req = {.who = w->who, .to = "+12025550110"};
	struct explained plain = {0}, behind = {0};

	world_script(w, "+12025550110", TEL_SCRIPT_BUSY);
	service_explain(w->service, &req, note, &plain);
	world_turn(w, is_explained, &plain);
	req.send_digits = "WWWWWWWWW12345"; /* nine seconds and five keys */
	service_explain(w->service, &req, note, &behind);
	world_turn(w, is_explained, &behind);

	assert_int_equal(behind.verdict, POLICY_ALLOWED);
	assert_int_equal(behind.seconds, plain.seconds + 10);
}

TEST(an_explanation_names_what_a_create_would_meet)
{
	struct world *w = *state;
	const struct service_create req = {.who = w->who, .to = "+12025550110"};
	struct explained before = {0}, after = {0};

	world_script(w, "+12025550110", TEL_SCRIPT_BUSY);
	service_explain(w->service, &req, note, &before);
	world_turn(w, is_explained, &before);
	(void)world_ask(w, &req);
	service_explain(w->service, &req, note, &after);
	world_turn(w, is_explained, &after);

	assert_int_equal(before.verdict, POLICY_ALLOWED);
	assert_string_equal(before.route, "script");
	assert_string_equal(before.language, "en");
	assert_in_range(before.seconds, 20, 60);
	assert_int_equal(after.verdict, POLICY_LIMIT);
	assert_string_equal(after.rule, "limits.number_per_30s");
	assert_int_equal(created(w), 1);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_same_request_twice_has_one_answer),
		CASE(another_body_under_the_same_key_is_a_mismatch),
		CASE(the_same_request_at_once_makes_one_record),
		CASE(a_key_is_forgotten_after_a_day),
		CASE(a_refusal_is_not_remembered),
		CASE(each_field_is_held_to_its_form),
		CASE(a_number_that_no_telephone_rings_is_refused_at_once),
		CASE(a_fourth_live_code_for_a_number_is_refused),
		CASE(a_sandbox_number_is_not_held_by_its_past),
		CASE(another_caller_id_than_the_trunks_is_replaced_and_warned_of),
		CASE(an_explanation_counts_the_time_of_an_extension),
		CASE(an_explanation_names_what_a_create_would_meet),
	};

	return cmocka_run_group_tests_name("scenario/creates", tests,
					   world_voices, world_no_voices);
}
