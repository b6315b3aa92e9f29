// SPDX-License-Identifier: Apache-2.0
/*
 * test_given.c - what a caller gives along: a flow's parameters and a code of
 * its own are spoken and checked, and nothing is left of them afterwards (A6).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/secrets.h"
#include "support/world.h"

#define LISTENS "+15555550110"
#define BUSY "+15555550120"
#define SILENT "+12025550110" /* it hears, and presses nothing */
#define SECRET "4951087326"

enum { PATH_BYTES = 512, FILE_MAX = 64 << 20 };

static char folder[PATH_BYTES];

static int setup(void **state)
{
	struct world *w = world_new();

	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	(void)snprintf(folder, sizeof(folder), "%s/tests/fixtures/flows-given",
		       getenv("VOICEOTP_SOURCE"));
	w->flows = folder;
	world_script(w, SILENT, TEL_SCRIPT_SILENT);
	world_start(w);
	*state = w;
	return 0;
}

static struct service_create run(struct world *w, const char *params)
{
	return (struct service_create){.who = w->who,
				       .flow = "tell",
				       .purpose = "signup",
				       .params = params};
}

static struct service_create with_code(struct world *w, const char *to,
				       const char *code)
{
	return (struct service_create){.who = w->who,
				       .to = to,
				       .flow = "speak",
				       .purpose = "login",
				       .code = code};
}

static void assert_refused(struct answer a, const char *code, const char *field)
{
	assert_true(a.refused);
	assert_string_equal(a.no.code, code);
	assert_string_equal(a.no.field, field);
	assert_null(strstr(a.no.detail, SECRET));
}

/* --- parameters ------------------------------------------------------------------ */

TEST(the_flow_says_who_is_called_and_speaks_the_secret_digit_by_digit)
{
	static const struct {
		const char *params, *digits;
	} cases[] = {
		{"{\"to\":\"" LISTENS "\",\"otp\":482913}", "482913"},
		{"{\"to\":15555550110,\"otp\":7}", "7"},
		{"{\"to\":\"15555550110\",\"otp\":\"000042\",\"from\":null}",
		 "000042"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct service_create req = run(w, cases[i].params);
		struct answer made, end;

		w->heard[0] = '\0';
		made = world_ask(w, &req);
		assert_false(made.refused);
		assert_string_equal(made.to, LISTENS);
		assert_true(made.has_params);
		end = world_until_ended(w, made.v.id);

		assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
		assert_string_equal(w->heard, cases[i].digits);
	}
}

TEST(parameters_that_do_not_fit_are_refused_by_name)
{
	static const struct {
		const char *params, *code, *field;
	} cases[] = {
		{NULL, "missing_field", "params.to"},
		{"{}", "missing_field", "params.to"},
		{"{\"to\":\"" LISTENS "\"}", "missing_field", "params.otp"},
		{"{\"to\":null,\"otp\":\"1\"}", "missing_field", "params.to"},
		{"{\"to\":\"" LISTENS "\",\"otp\":\"\"}", "missing_field",
		 "params.otp"},
		{"{\"to\":\"" LISTENS "\",\"otp\":\"" SECRET "1\"}",
		 "invalid_field", "params.otp"},
		{"{\"to\":\"" LISTENS "\",\"otp\":\"x" SECRET "\"}",
		 "invalid_field", "params.otp"},
		{"{\"to\":\"" LISTENS "\",\"otp\":[1]}", "invalid_field",
		 "params.otp"},
		{"{\"to\":\"" LISTENS "\",\"otp\":\"1\",\"x\":\"" SECRET "\"}",
		 "invalid_field", "params.x"},
		{"[]", "invalid_field", "params"},
		{"{\"to\"", "invalid_field", "params"},
		{"{\"to\":\"nobody\",\"otp\":\"1\"}", "number_invalid", "to"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct service_create req = run(w, cases[i].params);

		assert_refused(world_ask(w, &req), cases[i].code,
			       cases[i].field);
	}
}

TEST(the_policy_is_asked_about_the_number_that_the_flow_calls)
{
	struct world *w = *state;
	const struct service_create req =
		run(w, "{\"to\":\"+442079460000\",\"otp\":\"1\"}");

	assert_refused(world_ask(w, &req), "country_not_allowed", "to");
}

TEST(a_number_that_the_flow_would_not_call_is_refused)
{
	struct world *w = *state;
	struct service_create req =
		run(w, "{\"to\":\"" LISTENS "\",\"otp\":\"1\"}");

	req.to = BUSY;
	assert_refused(world_ask(w, &req), "invalid_field", "to");
	req.to = LISTENS;
	assert_false(world_ask(w, &req).refused);
}

TEST(too_many_bytes_of_parameters_are_refused)
{
	struct world *w = *state;
	char text[SERVICE_PARAMS_MAX + 2];
	const struct service_create req = run(w, text);

	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	text[sizeof(text) - 1] = '\0';

	assert_refused(world_ask(w, &req), "invalid_field", "params");
}

TEST(with_parameters_its_own_code_approves_all_the_same)
{
	struct world *w = *state;
	struct service_create req =
		run(w, "{\"pin\":\"31415926\",\"note\":\"\xc3\xa9\"}");
	struct answer made, end;
	char code[CODE_BYTES], both[32];

	req.flow = "both";
	req.to = SILENT;
	made = world_ask(w, &req);
	world_code(w, &made.v, code);
	(void)world_until_spoken(w, made.v.id);

	assert_true(world_read(w, made.v.id).has_params);
	assert_int_equal(world_check(w, made.v.id, "31415926").result,
			 CHECK_WRONG);
	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
	end = world_until_ended(w, made.v.id);
	(void)snprintf(both, sizeof(both), "31415926%s", code);
	assert_non_null(strstr(w->heard, both));
	assert_false(end.has_params);
}

TEST(after_a_crash_the_parameters_are_spoken_by_who_comes_next)
{
	struct world *w = *state;
	const struct service_create req =
		run(w, "{\"to\":\"" LISTENS "\",\"otp\":\"" SECRET "\"}");
	struct answer made = world_ask_only(w, &req), end;

	world_kill_now(w);
	world_start(w);
	assert_true(world_read(w, made.v.id).has_params);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
	assert_string_equal(w->heard, SECRET);
}

TEST(a_second_call_speaks_the_same_parameters)
{
	struct world *w = *state;
	struct service_create req =
		run(w, "{\"to\":\"+12025550111\",\"otp\":\"" SECRET "\"}");
	struct answer made;

	world_script(w, "+12025550111", TEL_SCRIPT_BUSY);
	made = world_ask(w, &req);
	(void)world_until_ended(w, made.v.id);
	w->numbers[w->numbers_count - 1].script = TEL_SCRIPT_LISTEN;
	world_pass(w, SECONDS(31));

	assert_false(world_call(w, made.v.id).refused);
	assert_int_equal(world_until_ended(w, made.v.id).v.legs_count, 2);
	assert_string_equal(w->heard, SECRET);
}

/* --- a version --------------------------------------------------------------------- */

TEST(a_version_that_is_not_there_is_refused)
{
	struct world *w = *state;
	struct service_create req = {.who = w->who, .to = BUSY};

	req.flow_version = 1;
	assert_false(world_ask(w, &req).refused);
	req.flow_version = 2;
	assert_refused(world_ask(w, &req), "flow_not_published", "flow");
}

/* --- a code of the caller's own ------------------------------------------------------ */

TEST(a_code_of_the_callers_own_is_spoken_and_approves_once)
{
	static const char *const codes[] = {"0420", "482913", SECRET};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		const struct service_create req =
			with_code(w, LISTENS, codes[i]);
		struct answer made = world_ask(w, &req);

		w->heard[0] = '\0';
		assert_false(made.refused);
		assert_int_equal(made.v.code_length, strlen(codes[i]));
		(void)world_until_spoken(w, made.v.id);
		assert_non_null(strstr(w->heard, codes[i]));
		assert_int_equal(world_check(w, made.v.id, "111111").result,
				 CHECK_WRONG);
		assert_int_equal(world_check(w, made.v.id, codes[i]).result,
				 CHECK_APPROVED);
		assert_int_equal(world_check(w, made.v.id, codes[i]).result,
				 CHECK_USED);
		assert_int_equal(world_read(w, made.v.id).v.code_sealed_n, 0);
		(void)world_until_ended(w, made.v.id);
	}
}

TEST(a_code_that_is_no_code_is_refused)
{
	static const char *const codes[] = {"042", "12345678901", "48291a",
					    " 482913", "4829\xd9\xa1"};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		const struct service_create req =
			with_code(w, LISTENS, codes[i]);

		assert_refused(world_ask(w, &req), "invalid_field", "code");
	}
}

TEST(a_code_of_the_callers_own_is_bound_to_amount_and_payee)
{
	struct world *w = *state;
	struct service_create req = with_code(w, LISTENS, "482913");
	struct service_check check = {.who = w->who, .code = "482913"};
	struct answer made;

	req.amount = "49.90";
	req.currency = "EUR";
	req.payee = "Acme";
	req.purpose = "payment";
	made = world_ask(w, &req);
	(void)world_until_spoken(w, made.v.id);
	check.id = made.v.id;
	check.payee = "Acme";
	check.amount = "4990";

	assert_int_equal(world_check_as(w, &check).result, CHECK_WRONG);
	check.amount = "49.90";
	assert_int_equal(world_check_as(w, &check).result, CHECK_APPROVED);
}

TEST(after_a_crash_the_callers_own_code_still_counts)
{
	struct world *w = *state;
	const struct service_create req = with_code(w, LISTENS, SECRET);
	struct answer made = world_ask_only(w, &req);

	world_kill_now(w);
	world_start(w);
	(void)world_until_spoken(w, made.v.id);

	assert_non_null(strstr(w->heard, SECRET));
	assert_int_equal(world_check(w, made.v.id, SECRET).result,
			 CHECK_APPROVED);
}

TEST(what_expired_is_not_approved_by_its_given_code)
{
	struct world *w = *state;
	const struct service_create req = with_code(w, LISTENS, SECRET);
	struct answer made = world_ask(w, &req), end;

	(void)world_until_ended(w, made.v.id);
	end = world_until_over(w, made.v.id);

	assert_int_equal(end.v.status, STATUS_EXPIRED);
	assert_int_equal(end.v.code_sealed_n, 0);
	assert_int_equal(world_check(w, made.v.id, SECRET).result,
			 CHECK_EXPIRED);
}

/* --- nothing is left -------------------------------------------------------------------- */

/* All files of the store as one text. */
static void read_store(const struct world *w, struct buf *all)
{
	static const char *const names[] = {"store.db", "store.db-wal"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		int err;

		(void)snprintf(path, sizeof(path), "%s/%s", w->dir, names[i]);
		err = file_read(path, all);
		assert_true(err == 0 || err == -ENOENT);
	}
}

/* The record's own bytes, as they lie in the store. */
static bool holds(const struct world *w, const uint8_t *sealed, size_t n)
{
	AUTO_BUF(all, FILE_MAX);

	read_store(w, &all);
	assert_true(all.n > 4096);
	return memmem(all.p, all.n, sealed, n) != NULL;
}

/* Given, spoken, ended as `end` says. */
static struct answer live(struct world *w, int end)
{
	struct service_create req =
		run(w, "{\"pin\":\"" SECRET "\",\"note\":\"a note\"}");
	struct answer made;

	req.flow = "both";
	req.to = SILENT;
	world_skip(w, HOURS(1)); /* so that its number may be called again */
	req.code = "6273958104";
	made = world_ask(w, &req);
	assert_false(made.refused);
	(void)world_until_spoken(w, made.v.id);
	assert_true(holds(w, made.v.code_sealed, made.v.code_sealed_n));
	if (end == STATUS_APPROVED)
		assert_int_equal(world_check(w, made.v.id, req.code).result,
				 CHECK_APPROVED);
	else if (end == STATUS_CANCELED)
		assert_false(world_cancel(w, made.v.id).refused);
	(void)world_until_ended(w, made.v.id);
	assert_int_equal(world_until_over(w, made.v.id).v.status, end);
	return made;
}

TEST(whatever_the_end_neither_plain_nor_sealed_is_left_in_the_store)
{
	static const int ends[] = {STATUS_APPROVED, STATUS_CANCELED,
				   STATUS_EXPIRED};
	struct world *w = *state;
	struct secrets *secrets = secrets_new();
	struct answer made[COUNT_OF(ends)];
	unsigned files;

	secrets_add(secrets, "parameter", SECRET);
	secrets_add(secrets, "code", "6273958104");
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		made[i] = live(w, ends[i]);
	assert_int_equal(secrets_in_folder(secrets, w->dir, &files), 0);
	world_drain(w, 0);
	world_cut(w); /* the database is folded into one file */

	assert_int_equal(secrets_in_folder(secrets, w->dir, &files), 0);
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		assert_false(holds(w, made[i].v.code_sealed,
				   made[i].v.code_sealed_n));
	world_back(w);
	world_start(w);
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		assert_false(world_read(w, made[i].v.id).has_params);
	secrets_free(secrets);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_flow_says_who_is_called_and_speaks_the_secret_digit_by_digit),
		CASE(parameters_that_do_not_fit_are_refused_by_name),
		CASE(the_policy_is_asked_about_the_number_that_the_flow_calls),
		CASE(a_number_that_the_flow_would_not_call_is_refused),
		CASE(too_many_bytes_of_parameters_are_refused),
		CASE(with_parameters_its_own_code_approves_all_the_same),
		CASE(after_a_crash_the_parameters_are_spoken_by_who_comes_next),
		CASE(a_second_call_speaks_the_same_parameters),
		CASE(a_version_that_is_not_there_is_refused),
		CASE(a_code_of_the_callers_own_is_spoken_and_approves_once),
		CASE(a_code_that_is_no_code_is_refused),
		CASE(a_code_of_the_callers_own_is_bound_to_amount_and_payee),
		CASE(after_a_crash_the_callers_own_code_still_counts),
		CASE(what_expired_is_not_approved_by_its_given_code),
		CASE(whatever_the_end_neither_plain_nor_sealed_is_left_in_the_store),
	};

	return cmocka_run_group_tests_name("scenario/given", tests,
					   world_voices, world_no_voices);
}
