// SPDX-License-Identifier: Apache-2.0
/*
 * test_full_disk.c - the disk fills up under the service, and is emptied.
 *
 * While it is full, everything that would have to be written is refused with
 * store_unavailable; what was answered before stays true, a call that is under
 * way ends, and when there is room again all goes on without a restart.
 */
#include <stdio.h>
#include <string.h>

#include "support/powercut.h"
#include "support/world.h"

enum {
	ALMOST = 200000, /* bytes until it is full */
	REQUESTS = 200,
	LEASE_AND_MORE_MS = SERVICE_LEASE_MS + SECONDS(10),
};

struct full {
	struct world *w;
	struct powercut *pc;
};

static int setup(void **state)
{
	static struct full f;

	f.pc = powercut_new();
	f.w = world_new_on("powercut");
	world_start(f.w);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct full *f = *state;

	powercut_space(f->pc, -1);
	world_free(f->w);
	powercut_free(f->pc);
	return 0;
}

static bool is_full(const struct answer *a)
{
	return a->refused && strcmp(a->no.code, "store_unavailable") == 0;
}

/* What failed writes leave of the log's file may take a few more. */
static void fill(struct full *f)
{
	unsigned refused = 0;

	powercut_space(f->pc, 0);
	for (unsigned i = 0; i < REQUESTS && refused < 20; i++) {
		struct answer a = world_create(f->w, "+15555550120", "speak");

		refused = is_full(&a) ? refused + 1 : 0;
	}
	assert_int_equal(refused, 20);
}

static bool ready(struct world *w)
{
	struct service_stats s;

	service_stats(w->service, &s);
	return s.ready;
}

/* --- what is asked ------------------------------------------------------------------ */

TEST(a_full_disk_refuses_what_would_be_written_and_says_why)
{
	struct full *f = *state;
	struct answer made = world_create(f->w, "+15555550110", "speak"), a;
	char code[CODE_BYTES];

	world_code(f->w, &made.v, code);
	(void)world_until_ended(f->w, made.v.id);
	fill(f);

	a = world_create(f->w, "+15555550110", "speak");
	assert_true(is_full(&a));
	assert_string_equal(a.no.detail, "the disk is full");
	a = world_check(f->w, made.v.id, code);
	assert_true(is_full(&a));
	a = world_check(f->w, made.v.id, "000000");
	assert_true(is_full(&a));
	a = world_cancel(f->w, made.v.id);
	assert_true(is_full(&a));
	a = world_call(f->w, made.v.id);
	assert_true(is_full(&a));
	assert_false(ready(f->w));

	/* reading needs no room */
	a = world_read(f->w, made.v.id);
	assert_false(a.refused);
	assert_int_equal(a.v.status, STATUS_PENDING);
}

TEST(a_check_that_was_refused_did_not_use_the_code_up)
{
	struct full *f = *state;
	struct answer made = world_create(f->w, "+15555550110", "speak"), a;
	char code[CODE_BYTES];

	world_code(f->w, &made.v, code);
	(void)world_until_ended(f->w, made.v.id);
	fill(f);
	for (unsigned i = 0; i < 20; i++)
		assert_true((a = world_check(f->w, made.v.id, "000000"),
			     is_full(&a)));
	assert_true((a = world_check(f->w, made.v.id, code), is_full(&a)));
	powercut_space(f->pc, -1);

	assert_int_equal(world_check(f->w, made.v.id, code).result,
			 CHECK_APPROVED);
	assert_int_equal(world_check(f->w, made.v.id, code).result, CHECK_USED);
	assert_true(ready(f->w));
}

TEST(an_approval_that_was_answered_outlives_the_full_disk)
{
	struct full *f = *state;
	struct answer made = world_create(f->w, "+15555550110", "speak");
	char code[CODE_BYTES];

	world_code(f->w, &made.v, code);
	(void)world_until_ended(f->w, made.v.id);
	assert_int_equal(world_check(f->w, made.v.id, code).result,
			 CHECK_APPROVED);
	fill(f);
	assert_int_equal(world_read(f->w, made.v.id).v.status, STATUS_APPROVED);
	powercut_after(f->pc, 1); /* and then the power fails, too */
	world_settle(f->w);
	world_cut(f->w);
	powercut_space(f->pc, -1);
	powercut_back(f->pc, f->w->rng);
	world_back(f->w);
	world_start(f->w);

	assert_int_equal(world_read(f->w, made.v.id).v.status, STATUS_APPROVED);
	assert_int_equal(world_check(f->w, made.v.id, code).result, CHECK_USED);
}

/* --- many, until it is full ----------------------------------------------------------- */

TEST(what_was_answered_while_it_filled_up_is_there_and_is_called)
{
	struct full *f = *state;
	static struct answer made[REQUESTS];
	size_t good = 0, refused = 0;

	powercut_space(f->pc, ALMOST);
	for (size_t i = 0; i < REQUESTS && refused < 20; i++) {
		made[good] = world_create(f->w, "+15555550120", "speak");
		if (made[good].refused) {
			assert_true(is_full(&made[good]));
			refused++;
		} else {
			good++;
		}
	}
	assert_true(good > 0);
	assert_int_equal(refused, 20);
	world_pass(f->w, SECONDS(5));
	for (size_t i = 0; i < good; i++)
		assert_false(world_read(f->w, made[i].v.id).refused);

	powercut_space(f->pc, -1);
	for (size_t i = 0; i < good; i++) {
		struct answer end = world_until_ended(f->w, made[i].v.id);

		assert_true(end.v.legs[0].outcome == LEG_BUSY ||
			    end.v.legs[0].outcome == LEG_INTERRUPTED);
	}
	assert_true(ready(f->w));
}

TEST(a_repeat_after_it_was_full_makes_one_record)
{
	struct full *f = *state;
	static const uint8_t body[CRYPTO_HASH_BYTES] = {7};
	const struct service_create req = {.who = f->w->who,
					   .to = "+15555550120",
					   .idempotency_key = "order-7",
					   .body_hash = body};
	struct answer a, b;

	fill(f);
	a = world_ask(f->w, &req);
	assert_true(is_full(&a));
	powercut_space(f->pc, -1);
	a = world_ask(f->w, &req);
	b = world_ask(f->w, &req);

	assert_false(a.refused);
	assert_string_equal(a.v.id, b.v.id);
}

/* --- the call under way ---------------------------------------------------------------- */

static bool talks(void *ctx)
{
	struct service_stats s;

	service_stats(((struct world *)ctx)->service, &s);
	return s.calls_now > 0;
}

static bool all_quiet(void *ctx)
{
	struct service_stats s;

	service_stats(((struct world *)ctx)->service, &s);
	return s.calls_now == 0 && s.queued_now == 0;
}

TEST(a_call_under_way_ends_and_is_written_down_when_there_is_room)
{
	struct full *f = *state;
	struct answer made = world_create(f->w, "+15555550110", "speak"), end;
	char code[CODE_BYTES];

	world_code(f->w, &made.v, code);
	(void)world_until_spoken(f->w, made.v.id);
	fill(f);
	world_pass(f->w, SECONDS(5));
	powercut_space(f->pc, -1);
	end = world_until_ended(f->w, made.v.id);

	/* it was full for less than a lease: nothing of it is lost */
	assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
	assert_int_equal(world_check(f->w, made.v.id, code).result,
			 CHECK_APPROVED);
}

TEST(a_call_that_a_full_disk_outlived_ends_and_is_told_as_interrupted)
{
	struct full *f = *state;
	struct answer made = world_create(f->w, "+15555550110", "speak"), end;
	int64_t began;

	world_until(f->w, HOURS(1), talks, f->w);
	began = clock_wall_ms(f->w->clock);
	fill(f);
	/* nobody is kept on a line of which nothing is known any more */
	world_until(f->w, SECONDS(200), all_quiet, f->w);
	assert_true(clock_wall_ms(f->w->clock) - began < SECONDS(150));
	world_pass(f->w, LEASE_AND_MORE_MS);
	powercut_space(f->pc, -1);
	end = world_until_ended(f->w, made.v.id);

	assert_int_equal(end.v.legs[0].outcome, LEG_INTERRUPTED);
	assert_int_equal(end.v.legs_count, 1);
	/* and it may be called again, without a restart */
	assert_false(world_call(f->w, made.v.id).refused);
	end = world_until_spoken(f->w, made.v.id);
	assert_int_equal(end.v.legs_count, 2);
}

TEST(no_call_begins_while_its_dial_cannot_be_written_down)
{
	struct full *f = *state;
	const struct service_create req = {.who = f->w->who,
					   .to = "+15555550110"};
	struct answer made = world_ask_only(f->w, &req), end;

	powercut_space(f->pc, 0);
	while (!is_full(&(struct answer){0})) { /* take what was left */
		struct answer a = world_ask_only(f->w, &req);

		if (is_full(&a))
			break;
	}
	world_pass(f->w, SECONDS(10));
	assert_true(world_read(f->w, made.v.id).v.legs[0].dialed_ms == 0);
	powercut_space(f->pc, -1);
	end = world_until_ended(f->w, made.v.id);

	assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_full_disk_refuses_what_would_be_written_and_says_why),
		CASE(a_check_that_was_refused_did_not_use_the_code_up),
		CASE(an_approval_that_was_answered_outlives_the_full_disk),
		CASE(what_was_answered_while_it_filled_up_is_there_and_is_called),
		CASE(a_repeat_after_it_was_full_makes_one_record),
		CASE(a_call_under_way_ends_and_is_written_down_when_there_is_room),
		CASE(a_call_that_a_full_disk_outlived_ends_and_is_told_as_interrupted),
		CASE(no_call_begins_while_its_dial_cannot_be_written_down),
	};

	return cmocka_run_group_tests_name("scenario/full_disk", tests,
					   world_voices, world_no_voices);
}
