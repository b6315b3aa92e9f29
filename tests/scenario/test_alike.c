// SPDX-License-Identifier: Apache-2.0
/*
 * test_alike.c - a check costs the same work, whatever its answer is (D4).
 *
 * Checks of unknown ids, of others' ids, of expired ones and with wrong codes
 * come in a shuffled order, one at a time; each is timed from the request to
 * its answer, and the medians are compared.  Every unknown id is a new one, as
 * a guesser's are.  A row that is found costs a few microseconds more than one
 * that is not; that nobody can tell on the wire is the interface's promise,
 * held by the test of that name in unit/api.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "support/powercut.h"
#include "support/world.h"

enum kind { UNKNOWN, FOREIGN, EXPIRED, WRONG, KINDS };

enum {
	RECORDS = 180, /* of each kind but the unknown */
	SOAK = 3,      /* times as many */
	ROUNDS = 5,    /* each is checked so often: as long as it is a guess */
	BEST_OF = 3,   /* others share this machine */
	CALL_MS = SECONDS(100),
	TTL_MS = SECONDS(600),
	ID_TAIL_BYTES = 24,
};
#define A_THIRD_MORE 1.33

static const char *const names[KINDS] = {"unknown", "another's", "expired",
					 "wrong"};

struct sample {
	enum kind kind;
	int64_t ns;
};

struct alike {
	struct world *w;
	struct powercut *pc;
	struct rng *dice;
	size_t records;      /* of a kind */
	struct answer *made; /* none of the unknown */
	struct sample *samples;
	size_t count;
	unsigned created;
	/* the check that is under way */
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool done;
	struct timespec at;
	bool refused;
	enum outcome_check result;
};

/* --- records ------------------------------------------------------------------------- */

static struct answer *made_of(struct alike *a, enum kind kind, size_t i)
{
	return &a->made[(size_t)kind * a->records + i];
}

struct asked {
	struct answer *first;
	size_t count;
};

static bool all_answered(void *ctx)
{
	const struct asked *q = ctx;

	for (size_t i = 0; i < q->count; i++)
		if (!__atomic_load_n(&q->first[i].done, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* Each to a number of its own, where the code is heard to the end. */
static void create(struct alike *a, enum kind kind)
{
	struct asked q = {made_of(a, kind, 0), a->records};
	char to[NUMBER_BYTES];
	const struct service_create req = {
		.who = a->w->who, .to = to, .flow = "speak"};

	for (size_t i = 0; i < a->records; i++) {
		(void)snprintf(to, sizeof(to), "+1202555%04u", a->created++);
		world_ask_soon(a->w, &req, &q.first[i]);
	}
	world_turn(a->w, all_answered, &q);
	for (size_t i = 0; i < a->records; i++)
		assert_false(q.first[i].refused);
}

static void is(struct alike *a, const char *application)
{
	(void)snprintf(a->w->who.application, sizeof(a->w->who.application),
		       "%s", application);
}

static void make_records(struct alike *a)
{
	memset(a->made, 0, KINDS * a->records * sizeof(*a->made));
	create(a, EXPIRED);
	world_pass(a->w, CALL_MS);
	world_skip(a->w, TTL_MS);
	world_pass(a->w, SECONDS(2));
	create(a, WRONG);
	is(a, "other");
	create(a, FOREIGN);
	is(a, "shop");
	world_pass(a->w, CALL_MS);
	for (size_t i = 0; i < a->records; i++) {
		struct answer v = world_read(a->w, made_of(a, WRONG, i)->v.id);

		assert_true(v.v.deliverable_ms > 0);
		v = world_read(a->w, made_of(a, EXPIRED, i)->v.id);
		assert_int_equal(v.v.status, STATUS_EXPIRED);
	}
}

/* --- one check ------------------------------------------------------------------------- */

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	struct alike *a = ctx;

	(void)left;
	(void)status;
	(void)clock_gettime(CLOCK_MONOTONIC, &a->at);
	(void)pthread_mutex_lock(&a->lock);
	a->refused = no != NULL;
	a->result = result;
	a->done = true;
	(void)pthread_cond_signal(&a->come);
	(void)pthread_mutex_unlock(&a->lock);
}

static void unknown_id(struct alike *a, char out[VERIFICATION_ID_BYTES])
{
	uint8_t tail[ID_TAIL_BYTES];
	size_t n;

	rng_fill(a->dice, tail, sizeof(tail));
	n = (size_t)snprintf(out, VERIFICATION_ID_BYTES, "ver_%02x",
			     rng_below(a->dice, STORE_PARTITIONS));
	crypto_base64url(tail, sizeof(tail), out + n);
}

static enum outcome_check check_one(struct alike *a, enum kind kind, size_t i)
{
	char unknown[VERIFICATION_ID_BYTES];
	struct service_check req = {
		.who = a->w->who,
		.id = kind == UNKNOWN ? unknown : made_of(a, kind, i)->v.id,
		.code = "00000", /* never right: they have six digits */
	};
	struct timespec from;

	unknown_id(a, unknown); /* for every kind: it takes time */
	req.who.scopes = SERVICE_CHECK;
	a->done = false;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	service_check(a->w->service, &req, checked, a);
	(void)pthread_mutex_lock(&a->lock);
	while (!a->done)
		(void)pthread_cond_wait(&a->come, &a->lock);
	(void)pthread_mutex_unlock(&a->lock);
	a->samples[a->count++] = (struct sample){
		.kind = kind,
		.ns = (a->at.tv_sec - from.tv_sec) * INT64_C(1000000000) +
		      a->at.tv_nsec - from.tv_nsec,
	};
	return a->result;
}

static void check_all(struct alike *a)
{
	static const enum outcome_check right[KINDS] = {
		[UNKNOWN] = CHECK_UNKNOWN,
		[FOREIGN] = CHECK_UNKNOWN,
		[EXPIRED] = CHECK_EXPIRED,
		[WRONG] = CHECK_WRONG,
	};
	const size_t n = KINDS * a->records;
	size_t *order = b_zero(n, sizeof(*order));

	for (size_t i = 0; i < n; i++) {
		size_t k = rng_below(a->dice, (uint32_t)i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	for (size_t i = 0; i < n; i++) {
		enum kind kind = (enum kind)(order[i] % KINDS);

		assert_int_equal(check_one(a, kind, order[i] / KINDS),
				 right[kind]);
		assert_false(a->refused);
	}
	free(order);
}

/* --- comparing ----------------------------------------------------------------------------- */

static int by_time(const void *x, const void *y)
{
	const struct sample *a = x, *b = y;

	return a->ns < b->ns ? -1 : a->ns > b->ns;
}

static int64_t median(const struct alike *a, enum kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++)
		if (a->samples[i].kind == kind && ++n > a->count / KINDS / 2)
			return a->samples[i].ns;
	return 0;
}

static void run(struct alike *a)
{
	/* what makes a number wait after the third failure passes */
	static const int64_t wait_ms[ROUNDS] = {0, 0, 0, SECONDS(31),
						SECONDS(61)};

	make_records(a);
	a->count = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		if (wait_ms[round])
			world_skip(a->w, wait_ms[round]);
		check_all(a);
	}
	assert_int_equal(a->count, KINDS * a->records * ROUNDS);
	qsort(a->samples, a->count, sizeof(*a->samples), by_time);
}

/* Of the medians: the longest to the shortest. */
static double spread(const struct alike *a)
{
	int64_t least = INT64_MAX, most = 0;

	for (enum kind k = UNKNOWN; k < KINDS; k++) {
		int64_t ns = median(a, k);

		print_message("%s: median %.1f us\n", names[k],
			      (double)ns / 1000);
		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
	}
	return (double)most / (double)least;
}

static void hold_alike(struct alike *a)
{
	double most = A_THIRD_MORE;

	for (unsigned i = 0; i < BEST_OF && most >= A_THIRD_MORE; i++) {
		run(a);
		most = spread(a);
	}
	assert_true(most < A_THIRD_MORE);
}

TEST(on_a_disk_a_wrong_code_is_as_much_work_as_an_unknown_id)
{
	hold_alike(*state);
}

TEST(without_a_disk_to_wait_for_all_checks_are_about_the_same_work)
{
	hold_alike(*state);
}

/* --- around it ------------------------------------------------------------------------------ */

static size_t records(void)
{
	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *soak = getenv("VOICEOTP_SOAK");

	return soak && *soak ? RECORDS * SOAK : RECORDS;
}

static int setup_on(const char *vfs, void **state)
{
	struct alike *a = b_zero(1, sizeof(*a));
	struct policy *p;

	a->pc = powercut_new();
	a->w = world_new_on(vfs);
	a->dice = rng_seeded(11);
	a->records = records();
	a->made = b_zero(KINDS * a->records, sizeof(*a->made));
	a->samples = b_zero(KINDS * a->records * ROUNDS, sizeof(*a->samples));
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->come, NULL);
	a->w->others = TEL_SCRIPT_LISTEN;
	a->w->rules.max_calls = 2 * (unsigned)a->records;
	a->w->rules.wrong_max = VERIFICATION_WRONG_MAX;
	p = &a->w->rules.policy;
	memset(p->number, 0, sizeof(p->number));
	memset(p->prefix, 0, sizeof(p->prefix));
	p->country.count = p->key.count = p->prefix_calls = 0;
	world_start(a->w);
	*state = a;
	return 0;
}

static int setup(void **state)
{
	return setup_on(NULL, state);
}

static int setup_no_syncs(void **state)
{
	return setup_on("powercut", state);
}

static int teardown(void **state)
{
	struct alike *a = *state;

	world_free(a->w);
	powercut_free(a->pc);
	rng_free(a->dice);
	free(a->made);
	free(a->samples);
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_cond_destroy(&a->come);
	free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			on_a_disk_a_wrong_code_is_as_much_work_as_an_unknown_id,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_disk_to_wait_for_all_checks_are_about_the_same_work,
			setup_no_syncs, teardown),
	};

	return cmocka_run_group_tests_name("scenario/alike", tests,
					   world_voices, world_no_voices);
}
