// SPDX-License-Identifier: Apache-2.0
/*
 * test_checks.c - the right code succeeds once; every other tells nothing.
 */
#include <stdio.h>
#include <string.h>

#include "support/world.h"

enum { PARALLEL = 100 };

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

/* A verification whose code was heard, and its code. */
static struct answer spoken(struct world *w, char code[CODE_BYTES])
{
	struct answer made = world_create(w, "+15555550110", "speak");

	assert_false(made.refused);
	world_code(w, &made.v, code);
	return world_until_ended(w, made.v.id);
}

/* Another code of the same length. */
static void other(const char *code, char wrong[CODE_BYTES])
{
	(void)snprintf(wrong, CODE_BYTES, "%s", code);
	wrong[0] = wrong[0] == '9' ? '0' : '9';
}

TEST(of_a_hundred_at_once_one_succeeds)
{
	struct world *w = *state;
	struct many *m = calloc(1, sizeof(*m));
	char code[CODE_BYTES];
	struct answer v = spoken(w, code);
	size_t approved = 0, used = 0;

	assert_non_null(m);
	for (size_t i = 0; i < PARALLEL; i++)
		world_check_soon(w, v.v.id, code, &m->answers[i]);
	world_turn(w, all_done, m);

	for (size_t i = 0; i < PARALLEL; i++) {
		approved += m->answers[i].result == CHECK_APPROVED;
		used += m->answers[i].result == CHECK_USED;
	}
	assert_int_equal(approved, 1);
	assert_int_equal(used, PARALLEL - 1);
	free(m);
}

TEST(no_check_counts_before_the_code_was_spoken)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak");
	char code[CODE_BYTES];

	world_code(w, &made.v, code);

	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_NOT_DELIVERED);
	assert_int_equal(world_check(w, made.v.id, "000000").left, 5);
}

TEST(waits_between_wrong_codes_grow_and_the_fifth_is_the_last)
{
	struct world *w = *state;
	char code[CODE_BYTES], wrong[CODE_BYTES];
	struct answer v = spoken(w, code), a;
	unsigned wrongs = 0, locked = 0;

	other(code, wrong);
	for (unsigned i = 0; i < 40 && wrongs < 5; i++) {
		a = world_check(w, v.v.id, wrong);
		wrongs += a.result == CHECK_WRONG;
		locked += a.result == CHECK_LOCKED;
		if (a.result == CHECK_LOCKED)
			world_pass(w, SECONDS(20));
	}

	assert_int_equal(wrongs, 5);
	assert_true(locked > 0);
	assert_int_equal(a.status, STATUS_FAILED);
	assert_int_equal(a.left, 0);
	assert_int_equal(world_check(w, v.v.id, code).result, CHECK_LOCKED);
}

TEST(a_code_of_reverse_never_succeeds_over_the_api)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "reverse");

	(void)world_until_ended(w, made.v.id);

	assert_int_equal(world_check(w, made.v.id, made.code).result,
			 CHECK_WRONG);
}

TEST(an_unknown_id_a_crooked_one_and_anothers_are_alike)
{
	struct world *w = *state;
	char code[CODE_BYTES];
	struct answer v = spoken(w, code);
	struct service_check req = {.who = w->who, .id = v.v.id, .code = code};
	char unknown[VERIFICATION_ID_BYTES];

	(void)snprintf(unknown, sizeof(unknown), "%s", v.v.id);
	unknown[12] = unknown[12] == 'A' ? 'B' : 'A';
	(void)snprintf(req.who.application, sizeof(req.who.application),
		       "other");

	assert_int_equal(world_check_as(w, &req).result, CHECK_UNKNOWN);
	assert_int_equal(world_check(w, unknown, code).result, CHECK_UNKNOWN);
	assert_int_equal(world_check(w, "ver_", code).result, CHECK_UNKNOWN);
	assert_int_equal(world_check(w, "", code).result, CHECK_UNKNOWN);
	/* and nothing of it counted */
	assert_int_equal(world_check(w, v.v.id, code).result, CHECK_APPROVED);
}

TEST(what_belongs_to_another_application_is_not_found)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak");

	(void)snprintf(w->who.application, sizeof(w->who.application), "other");

	assert_string_equal(world_read(w, made.v.id).no.code, "not_found");
	assert_string_equal(world_cancel(w, made.v.id).no.code, "not_found");
	assert_string_equal(world_call(w, made.v.id).no.code, "not_found");
}

TEST(another_amount_fails_and_does_not_say_which_part)
{
	struct world *w = *state;
	const struct service_create req = {
		.who = w->who,
		.to = "+15555550110",
		.purpose = "payment",
		.amount = "12.50",
		.currency = "EUR",
		.payee = "Book Shop",
	};
	struct answer made = world_ask(w, &req);
	char code[CODE_BYTES];
	struct service_check check = {.who = w->who,
				      .id = made.v.id,
				      .code = code,
				      .amount = "1250",
				      .payee = "Book Shop"};

	assert_false(made.refused);
	world_code(w, &made.v, code);
	(void)world_until_ended(w, made.v.id);

	assert_int_equal(world_check_as(w, &check).result, CHECK_WRONG);
	check.amount = "12.50";
	assert_int_equal(world_check_as(w, &check).result, CHECK_APPROVED);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(of_a_hundred_at_once_one_succeeds),
		CASE(no_check_counts_before_the_code_was_spoken),
		CASE(waits_between_wrong_codes_grow_and_the_fifth_is_the_last),
		CASE(a_code_of_reverse_never_succeeds_over_the_api),
		CASE(an_unknown_id_a_crooked_one_and_anothers_are_alike),
		CASE(what_belongs_to_another_application_is_not_found),
		CASE(another_amount_fails_and_does_not_say_which_part),
	};

	return cmocka_run_group_tests_name("scenario/checks", tests,
					   world_voices, world_no_voices);
}
