// SPDX-License-Identifier: Apache-2.0
/*
 * test_parallel.c - many ask the same thing at the same moment, and one of them
 * gets it.
 *
 * The threads stand in a row, start together and ask without waiting for
 * answers, so that requests meet in the store's queue in every order.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/world.h"

enum {
	THREADS = 16,
	CHECKS = 100, /* of one code, at once */
	ROUNDS = 20,
	CREATES = 96,
	SENDS = 5,
	RACES = 40,
	RACERS = 32,
	CROWD = 600,
};

struct hall;

/* What thread `nth` does, once all are there. */
typedef void part_h(struct hall *h, unsigned nth);

struct hall {
	struct world *w;
	part_h *part;
	pthread_barrier_t start;
	const char *id, *code;
	struct service_create create[2]; /* of two bodies */
	struct answer *answers;
	size_t count;
};

struct one {
	pthread_t thread;
	struct hall *hall;
	unsigned nth;
};

static void *run_one(void *ctx)
{
	struct one *o = ctx;

	(void)pthread_barrier_wait(&o->hall->start);
	o->hall->part(o->hall, o->nth);
	return NULL;
}

static bool all_done(void *ctx)
{
	struct hall *h = ctx;

	for (size_t i = 0; i < h->count; i++)
		if (!__atomic_load_n(&h->answers[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* All threads do their part at once; then every answer is waited for. */
static void together(struct hall *h, part_h *part)
{
	struct one ones[THREADS];

	h->part = part;
	memset(h->answers, 0, h->count * sizeof(*h->answers));
	assert_int_equal(pthread_barrier_init(&h->start, NULL, THREADS), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		ones[i] = (struct one){.hall = h, .nth = i};
		assert_int_equal(pthread_create(&ones[i].thread, NULL, run_one,
						&ones[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(ones[i].thread, NULL), 0);
	(void)pthread_barrier_destroy(&h->start);
	world_turn(h->w, all_done, h);
}

static int setup(void **state)
{
	struct hall *h = b_zero(1, sizeof(*h));

	h->w = world_new();
	rng_free(h->w->rng);
	h->w->rng = rng_system(); /* the seeded one is for one thread */
	world_kill_now(h->w);
	world_start(h->w);
	h->answers = b_zero(CROWD, sizeof(*h->answers));
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct hall *h = *state;

	world_free(h->w);
	free(h->answers);
	free(h);
	return 0;
}

static unsigned answers_of(const struct hall *h, enum outcome_check result)
{
	unsigned n = 0;

	for (size_t i = 0; i < h->count; i++)
		n += !h->answers[i].refused && h->answers[i].result == result;
	return n;
}

/* A verification whose code was heard. */
static struct answer heard(struct hall *h, char code[CODE_BYTES])
{
	struct answer made = world_create(h->w, "+15555550110", "speak");

	assert_false(made.refused);
	world_code(h->w, &made.v, code);
	return world_until_spoken(h->w, made.v.id);
}

/* --- checks (A3) -------------------------------------------------------------------- */

static void check_right(struct hall *h, unsigned nth)
{
	for (size_t i = nth; i < h->count; i += THREADS)
		world_check_soon(h->w, h->id, h->code, &h->answers[i]);
}

TEST(of_a_hundred_right_checks_at_once_one_succeeds)
{
	struct hall *h = *state;
	char code[CODE_BYTES];

	h->count = CHECKS;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct answer v = heard(h, code);

		h->id = v.v.id;
		h->code = code;
		together(h, check_right);

		assert_int_equal(answers_of(h, CHECK_APPROVED), 1);
		assert_int_equal(answers_of(h, CHECK_USED), CHECKS - 1);
	}
}

static void check_wrong(struct hall *h, unsigned nth)
{
	for (size_t i = nth; i < h->count; i += THREADS)
		world_check_soon(h->w, h->id, "0", &h->answers[i]);
}

TEST(a_hundred_wrong_checks_at_once_are_a_handful_of_guesses)
{
	struct hall *h = *state;
	char code[CODE_BYTES];
	struct answer v = heard(h, code);

	h->count = CHECKS;
	h->id = v.v.id;
	together(h, check_wrong);

	/* the third failure in a row makes the number wait */
	assert_int_equal(answers_of(h, CHECK_WRONG), 3);
	assert_int_equal(answers_of(h, CHECK_LOCKED), CHECKS - 3);
	assert_int_equal(answers_of(h, CHECK_APPROVED), 0);
	assert_int_equal(world_read(h->w, v.v.id).v.wrong, 3);
}

/* --- creates (D2) ------------------------------------------------------------------- */

static void create_same(struct hall *h, unsigned nth)
{
	for (size_t i = nth; i < h->count; i += THREADS)
		world_ask_soon(h->w, &h->create[0], &h->answers[i]);
}

static void create_either(struct hall *h, unsigned nth)
{
	for (size_t i = nth; i < h->count; i += THREADS)
		world_ask_soon(h->w, &h->create[(nth + i / THREADS) % 2],
			       &h->answers[i]);
}

static void fill_creates(struct hall *h, const char *key)
{
	static const uint8_t bodies[2][CRYPTO_HASH_BYTES] = {{1}, {2}};

	for (size_t i = 0; i < 2; i++)
		h->create[i] = (struct service_create){
			.who = h->w->who,
			.to = "+15555550120",
			.flow = "reverse",
			.idempotency_key = key,
			.body_hash = bodies[i],
		};
	h->count = CREATES;
}

static uint64_t created(struct hall *h)
{
	struct service_stats s;

	service_stats(h->w->service, &s);
	return s.created;
}

TEST(the_same_create_from_many_threads_is_one_verification_and_one_call)
{
	struct hall *h = *state;
	char key[16], told[512];

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct answer end;

		(void)snprintf(key, sizeof(key), "order-%u", round);
		fill_creates(h, key);
		together(h, create_same);

		for (size_t i = 0; i < h->count; i++) {
			assert_false(h->answers[i].refused);
			assert_string_equal(h->answers[i].v.id,
					    h->answers[0].v.id);
			assert_string_equal(h->answers[i].code,
					    h->answers[0].code);
			assert_int_equal(h->answers[i].v.expires_ms,
					 h->answers[0].v.expires_ms);
		}
		assert_int_equal(created(h), round + 1);
		end = world_until_ended(h->w, h->answers[0].v.id);
		assert_int_equal(end.v.legs_count, 1);
		world_events(h->w, end.v.id, told, sizeof(told));
		assert_string_equal(
			told, "verification.created call.dialing call.ended");
	}
}

static void send(struct hall *h, unsigned nth)
{
	for (size_t i = nth; i < h->count; i += THREADS)
		world_send_soon(h->w, &h->create[0], SENDS, &h->answers[i]);
}

TEST(sends_of_one_label_from_many_threads_are_one_verification_and_one_call)
{
	struct hall *h = *state;
	char label[16];

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned made = 0;

		(void)snprintf(label, sizeof(label), "VA%u", round);
		fill_creates(h, NULL);
		h->create[0].label = label;
		h->create[0].short_id = true;
		together(h, send);

		for (size_t i = 0; i < h->count; i++) {
			assert_false(h->answers[i].refused);
			assert_string_equal(h->answers[i].v.id,
					    h->answers[0].v.id);
			made += !h->answers[i].again;
		}
		assert_int_equal(made, 1);
		assert_int_equal(created(h), round + 1);
		assert_int_equal(world_until_ended(h->w, h->answers[0].v.id)
					 .v.legs_count,
				 1);
	}
}

TEST(of_two_bodies_under_one_key_at_once_one_is_made)
{
	struct hall *h = *state;
	char key[16];

	for (unsigned round = 0; round < ROUNDS; round++) {
		const char *id = NULL;
		unsigned good = 0;

		(void)snprintf(key, sizeof(key), "either-%u", round);
		fill_creates(h, key);
		together(h, create_either);
		for (size_t i = 0; i < h->count; i++) {
			const struct answer *a = &h->answers[i];

			if (a->refused) {
				assert_string_equal(a->no.code,
						    "idempotency_mismatch");
				continue;
			}
			good++;
			id = id ? id : a->v.id;
			assert_string_equal(a->v.id, id);
		}
		assert_int_equal(good, CREATES / 2);
		assert_int_equal(created(h), round + 1);
		(void)world_cancel(h->w, id);
	}
}

/* --- check or cancel ------------------------------------------------------------------ */

static void check_or_cancel(struct hall *h, unsigned nth)
{
	for (size_t i = nth; i < h->count; i += THREADS)
		if (i % 2)
			world_check_soon(h->w, h->id, h->code, &h->answers[i]);
		else
			world_cancel_soon(h->w, h->id, &h->answers[i]);
}

static void assert_one_won(struct hall *h, enum outcome_status status)
{
	bool approved = status == STATUS_APPROVED;
	unsigned wins = 0, canceled = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct answer *a = &h->answers[i];

		if (i % 2) {
			wins += a->result == CHECK_APPROVED;
			assert_int_not_equal(a->result, CHECK_WRONG);
		} else if (!a->refused) {
			canceled++;
			assert_int_equal(a->v.status, STATUS_CANCELED);
		} else {
			assert_string_equal(a->no.code, "conflict");
		}
	}
	assert_int_equal(wins, approved ? 1 : 0);
	assert_int_equal(canceled, approved ? 0 : RACERS / 2);
}

TEST(a_check_and_a_cancel_at_once_have_one_winner)
{
	struct hall *h = *state;
	unsigned approved = 0;
	char code[CODE_BYTES], told[512];

	h->count = RACERS;
	for (unsigned race = 0; race < RACES; race++) {
		struct answer v = heard(h, code), end;

		h->id = v.v.id;
		h->code = code;
		together(h, check_or_cancel);

		end = world_until_ended(h->w, v.v.id);
		assert_one_won(h, end.v.status);
		approved += end.v.status == STATUS_APPROVED;
		world_events(h->w, v.v.id, told, sizeof(told));
		assert_int_equal(!strstr(told, "verification.approved"),
				 !!strstr(told, "verification.canceled"));
	}
	print_message("%u of %d were approved\n", approved, RACES);
}

/* --- calls ------------------------------------------------------------------------------ */

static bool all_ended(void *ctx)
{
	struct hall *h = ctx;
	struct service_stats s;
	uint64_t ended = 0;

	service_stats(h->w->service, &s);
	for (size_t i = 0; i < LEG_COUNT; i++)
		ended += s.legs[i];
	return ended == h->count;
}

TEST(a_crowd_with_words_that_are_new_is_called_to_the_last)
{
	struct hall *h = *state;
	struct service_create req = {.who = h->w->who,
				     .to = "+15555550120",
				     .flow = "keypad",
				     .purpose = "signup",
				     .brand = "Newcomers"};
	struct service_stats s;

	h->w->rules.max_calls = CROWD;
	h->count = CROWD;
	for (size_t i = 0; i < CROWD; i++)
		world_ask_soon(h->w, &req, &h->answers[i]);
	world_until(h->w, HOURS(1), all_ended, h);
	service_stats(h->w->service, &s);

	assert_int_equal(s.legs[LEG_BUSY], CROWD);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(of_a_hundred_right_checks_at_once_one_succeeds),
		CASE(a_hundred_wrong_checks_at_once_are_a_handful_of_guesses),
		CASE(the_same_create_from_many_threads_is_one_verification_and_one_call),
		CASE(sends_of_one_label_from_many_threads_are_one_verification_and_one_call),
		CASE(of_two_bodies_under_one_key_at_once_one_is_made),
		CASE(a_check_and_a_cancel_at_once_have_one_winner),
		CASE(a_crowd_with_words_that_are_new_is_called_to_the_last),
	};

	return cmocka_run_group_tests_name("scenario/parallel", tests,
					   world_voices, world_no_voices);
}
