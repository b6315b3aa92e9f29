// SPDX-License-Identifier: Apache-2.0
/*
 * conformance_queue.c - things to do, each by one node at a time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "unit/store/conformance_priv.h"

#define LEASE_MS (30 * SECOND)

struct step {
	struct store_push push; /* when it has an id */
	const char *fence_id;
	uint64_t fence;
	const char *ack;
	const char *put;
};

static int apply_step(struct store_tx *tx, void *ctx)
{
	const struct step *s = ctx;

	if (s->fence_id)
		store_tx_fence(tx, s->fence_id, s->fence);
	if (s->ack)
		store_tx_ack(tx, s->ack);
	if (s->push.id)
		store_tx_push(tx, &s->push);
	if (s->put)
		store_tx_put(tx, 0, span_of(s->put), NULL);
	return 0;
}

static int step(struct fixture *f, unsigned partition, struct step *s)
{
	static const struct store_key key = {"attempt", "x"};

	return bl_change(f->st, &(struct bl_change){.partition = partition,
						    .keys = &key,
						    .count = 1,
						    .apply = apply_step,
						    .ctx = s})
		.err;
}

static void push(struct fixture *f, const struct store_push *p)
{
	struct step s = {.push = *p};

	assert_int_equal(step(f, 5, &s), 0);
}

static size_t lease(struct fixture *f, enum store_lane lane, size_t max)
{
	bl_lease(f->st, lane, max, LEASE_MS, f->leases);
	assert_int_equal(f->leases->err, 0);
	return f->leases->count;
}

PROMISE(what_was_pushed_is_leased_once)
{
	push(f, &(struct store_push){.id = "a1", .ref = "v1"});

	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
	assert_string_equal(f->leases->leases[0].id, "a1");
	assert_string_equal(f->leases->leases[0].ref, "v1");
	assert_int_equal(f->leases->leases[0].partition, 5);
	assert_int_equal(f->leases->leases[0].fence, 1);
	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
}

PROMISE(a_gentle_push_brings_what_rests_forward_and_never_back)
{
	push(f,
	     &(struct store_push){.id = "h1", .not_before_ms = START + MINUTE});
	push(f, &(struct store_push){.id = "h1",
				     .not_before_ms = START + 2 * MINUTE,
				     .gently = true});
	push(f, &(struct store_push){.id = "h1",
				     .not_before_ms = START + SECOND,
				     .gently = true});

	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
	clock_advance(f->clock, SECOND);
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
}

PROMISE(a_gentle_push_leaves_a_lease_as_it_is)
{
	struct step s = {.fence_id = "h1", .fence = 1, .ack = "h1"};

	push(f, &(struct store_push){.id = "h1", .ref = "v1"});
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
	push(f, &(struct store_push){.id = "h1", .gently = true});

	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
	assert_int_equal(step(f, 5, &s), 0);
	clock_advance(f->clock, LEASE_MS);
	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
}

PROMISE(a_gentle_push_of_what_is_not_queued_queues_it)
{
	push(f, &(struct store_push){.id = "h1",
				     .ref = "v1",
				     .lane = STORE_HOOKS,
				     .gently = true});

	assert_int_equal(lease(f, STORE_HOOKS, 10), 1);
	assert_string_equal(f->leases->leases[0].ref, "v1");
}

PROMISE(lanes_are_leased_apart)
{
	push(f, &(struct store_push){.id = "a1", .lane = STORE_CALLS});
	push(f, &(struct store_push){.id = "t1", .lane = STORE_TIMERS});

	assert_int_equal(lease(f, STORE_TIMERS, 10), 1);
	assert_string_equal(f->leases->leases[0].id, "t1");
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
	assert_string_equal(f->leases->leases[0].id, "a1");
}

PROMISE(nothing_is_leased_before_its_time)
{
	push(f,
	     &(struct store_push){.id = "a1", .not_before_ms = START + MINUTE});

	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
	clock_advance(f->clock, MINUTE - 1);
	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
	clock_advance(f->clock, 1);
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
}

PROMISE(the_longest_due_come_first_and_no_more_than_asked)
{
	push(f, &(struct store_push){.id = "late", .not_before_ms = START - 1});
	push(f,
	     &(struct store_push){.id = "early", .not_before_ms = START - 9});
	push(f, &(struct store_push){.id = "mid", .not_before_ms = START - 5});

	assert_int_equal(lease(f, STORE_CALLS, 2), 2);
	assert_string_equal(f->leases->leases[0].id, "early");
	assert_string_equal(f->leases->leases[1].id, "mid");
	assert_int_equal(lease(f, STORE_CALLS, 2), 1);
	assert_string_equal(f->leases->leases[0].id, "late");
}

PROMISE(a_lease_that_ran_out_goes_to_the_next_with_a_higher_fence)
{
	push(f, &(struct store_push){.id = "a1"});
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);

	clock_advance(f->clock, LEASE_MS - 1);
	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
	clock_advance(f->clock, 1);
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
	assert_int_equal(f->leases->leases[0].fence, 2);
}

PROMISE(pushed_with_a_lease_it_is_ours_with_fence_one)
{
	struct step s = {.fence_id = "a1", .fence = 1, .put = "dialing"};

	push(f, &(struct store_push){.id = "a1", .lease_ms = LEASE_MS});

	assert_int_equal(lease(f, STORE_CALLS, 10), 0);
	assert_int_equal(step(f, 5, &s), 0);
	clock_advance(f->clock, LEASE_MS);
	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
	assert_int_equal(f->leases->leases[0].fence, 2);
}

PROMISE(an_old_fence_is_refused_and_changes_nothing)
{
	struct step old = {.fence_id = "a1", .fence = 1, .put = "old"};
	struct step now = {.fence_id = "a1", .fence = 2, .put = "now"};

	push(f, &(struct store_push){.id = "a1"});
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	clock_advance(f->clock, LEASE_MS);
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);

	assert_int_equal(step(f, 5, &old), -ESTALE);
	assert_false(bl_get(f->st, 5, "attempt", "x").there);
	assert_int_equal(step(f, 5, &now), 0);
	assert_string_equal(bl_get(f->st, 5, "attempt", "x").text, "now");
}

PROMISE(a_fence_of_nothing_is_stale)
{
	struct step s = {.fence_id = "a1", .fence = 0, .put = "x"};

	assert_int_equal(step(f, 5, &s), -ESTALE);
	push(f, &(struct store_push){.id = "a1"}); /* there, not leased */
	assert_int_equal(step(f, 5, &s), -ESTALE);
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	s.fence = 1;
	assert_int_equal(step(f, 6, &s), -ESTALE); /* another partition */
	assert_int_equal(step(f, 5, &s), 0);
}

PROMISE(a_lease_that_ran_out_holds_until_somebody_takes_it)
{
	struct step s = {.fence_id = "a1", .fence = 1, .put = "late"};

	push(f, &(struct store_push){.id = "a1"});
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	clock_advance(f->clock, 10 * LEASE_MS);

	assert_int_equal(step(f, 5, &s), 0);
}

PROMISE(a_renewed_lease_lasts_longer)
{
	struct store_lease mine;

	push(f, &(struct store_push){.id = "a1"});
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	mine = f->leases->leases[0];
	clock_advance(f->clock, LEASE_MS - 1);
	assert_int_equal(bl_renew(f->st, &mine, LEASE_MS), 0);

	clock_advance(f->clock, LEASE_MS - 1);
	assert_int_equal(lease(f, STORE_CALLS, 1), 0);
	clock_advance(f->clock, 1);
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
}

PROMISE(renewing_what_another_one_took_is_stale)
{
	struct store_lease mine;

	push(f, &(struct store_push){.id = "a1"});
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	mine = f->leases->leases[0];
	clock_advance(f->clock, LEASE_MS);
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);

	assert_int_equal(bl_renew(f->st, &mine, LEASE_MS), -ESTALE);
	assert_int_equal(bl_renew(f->st, &f->leases->leases[0], LEASE_MS), 0);
}

PROMISE(what_was_acked_is_gone)
{
	struct step done = {.fence_id = "a1", .fence = 1, .ack = "a1"};
	struct store_lease mine;

	push(f, &(struct store_push){.id = "a1"});
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	mine = f->leases->leases[0];
	assert_int_equal(step(f, 5, &done), 0);

	assert_int_equal(bl_renew(f->st, &mine, LEASE_MS), -ESTALE);
	assert_int_equal(step(f, 5, &done), -ESTALE);
	clock_advance(f->clock, DAY);
	assert_int_equal(lease(f, STORE_CALLS, 1), 0);
}

PROMISE(acking_what_is_not_there_is_fine)
{
	struct step s = {.ack = "nobody"};

	assert_int_equal(step(f, 5, &s), 0);
}

PROMISE(pushing_again_puts_it_back_to_rest_and_its_fences_go_on)
{
	struct step again = {.fence_id = "a1",
			     .fence = 1,
			     .push = {.id = "a1",
				      .ref = "v2",
				      .lane = STORE_TIMERS,
				      .not_before_ms = START + MINUTE}};
	struct store_lease mine;

	push(f, &(struct store_push){.id = "a1", .ref = "v1"});
	assert_int_equal(lease(f, STORE_CALLS, 1), 1);
	mine = f->leases->leases[0];
	assert_int_equal(step(f, 5, &again), 0);

	assert_int_equal(bl_renew(f->st, &mine, LEASE_MS), -ESTALE);
	assert_int_equal(lease(f, STORE_TIMERS, 1), 0);
	clock_advance(f->clock, MINUTE);
	assert_int_equal(lease(f, STORE_CALLS, 1), 0);
	assert_int_equal(lease(f, STORE_TIMERS, 1), 1);
	assert_string_equal(f->leases->leases[0].ref, "v2");
	assert_int_equal(f->leases->leases[0].fence, 2);
}

PROMISE(partitions_have_queues_of_their_own)
{
	struct step five = {.push = {.id = "a1", .ref = "five"}};
	struct step six = {.push = {.id = "a1", .ref = "six"}};
	struct step gone = {.ack = "a1"};

	assert_int_equal(step(f, 5, &five), 0);
	assert_int_equal(step(f, 6, &six), 0);
	assert_int_equal(step(f, 5, &gone), 0);

	assert_int_equal(lease(f, STORE_CALLS, 10), 1);
	assert_string_equal(f->leases->leases[0].ref, "six");
}

/* --- a crowd of nodes ---------------------------------------------------------- */

enum { NODES = 8, THINGS = 100 };

struct crowd {
	struct store *st;
	atomic_int times[THINGS], wrong;
};

static void *node(void *ctx)
{
	struct crowd *c = ctx;
	struct bl_leases out = {0};

	do {
		bl_lease(c->st, STORE_CALLS, 3, LEASE_MS, &out);
		if (out.err)
			atomic_fetch_add(&c->wrong, 1);
		for (size_t i = 0; i < out.count; i++) {
			const char *id = out.leases[i].id;

			atomic_fetch_add(
				&c->times[(id[1] - '0') * 10 + id[2] - '0'], 1);
		}
	} while (out.count);
	return NULL;
}

PROMISE(a_crowd_of_nodes_leases_each_thing_once)
{
	struct crowd c = {.st = f->st};
	pthread_t t[NODES];

	for (int i = 0; i < THINGS; i++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "a%02d", i);
		push(f, &(struct store_push){.id = id});
	}
	for (int i = 0; i < NODES; i++)
		assert_int_equal(pthread_create(&t[i], NULL, node, &c), 0);
	for (int i = 0; i < NODES; i++)
		(void)pthread_join(t[i], NULL);

	assert_int_equal(atomic_load(&c.wrong), 0);
	for (int i = 0; i < THINGS; i++)
		assert_int_equal(atomic_load(&c.times[i]), 1);
}

/* --- limits --------------------------------------------------------------------- */

static int apply_too_many(struct store_tx *tx, void *ctx)
{
	(void)ctx;
	for (int i = 0; i < STORE_MOVES_MAX + 1; i++)
		store_tx_ack(tx, "a");
	return 0;
}

PROMISE(queue_arguments_that_make_no_sense_are_refused)
{
	struct bl_change many = {.apply = apply_too_many};
	struct step s = {.push = {.id = "a1", .lane = STORE_LANES}};

	assert_int_equal(step(f, 5, &s), -EINVAL);
	s.push = (struct store_push){.id = "a1", .lease_ms = -1};
	assert_int_equal(step(f, 5, &s), -EINVAL);
	s.push = (struct store_push){.id = ""};
	assert_int_equal(step(f, 5, &s), -EINVAL);
	assert_int_equal(bl_change(f->st, &many).err, -E2BIG);
	bl_lease(f->st, STORE_CALLS, 0, LEASE_MS, f->leases);
	assert_int_equal(f->leases->err, -EINVAL);
	bl_lease(f->st, STORE_CALLS, STORE_PAGE_MAX + 1, LEASE_MS, f->leases);
	assert_int_equal(f->leases->err, -EINVAL);
	assert_int_equal(lease(f, STORE_CALLS, 1), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_was_pushed_is_leased_once),
	cmocka_unit_test(lanes_are_leased_apart),
	cmocka_unit_test(
		a_gentle_push_brings_what_rests_forward_and_never_back),
	cmocka_unit_test(a_gentle_push_leaves_a_lease_as_it_is),
	cmocka_unit_test(a_gentle_push_of_what_is_not_queued_queues_it),
	cmocka_unit_test(nothing_is_leased_before_its_time),
	cmocka_unit_test(the_longest_due_come_first_and_no_more_than_asked),
	cmocka_unit_test(
		a_lease_that_ran_out_goes_to_the_next_with_a_higher_fence),
	cmocka_unit_test(pushed_with_a_lease_it_is_ours_with_fence_one),
	cmocka_unit_test(an_old_fence_is_refused_and_changes_nothing),
	cmocka_unit_test(a_fence_of_nothing_is_stale),
	cmocka_unit_test(a_lease_that_ran_out_holds_until_somebody_takes_it),
	cmocka_unit_test(a_renewed_lease_lasts_longer),
	cmocka_unit_test(renewing_what_another_one_took_is_stale),
	cmocka_unit_test(what_was_acked_is_gone),
	cmocka_unit_test(acking_what_is_not_there_is_fine),
	cmocka_unit_test(
		pushing_again_puts_it_back_to_rest_and_its_fences_go_on),
	cmocka_unit_test(partitions_have_queues_of_their_own),
	cmocka_unit_test(a_crowd_of_nodes_leases_each_thing_once),
	cmocka_unit_test(queue_arguments_that_make_no_sense_are_refused),
};
const struct part conformance_queue = PART(tests);
