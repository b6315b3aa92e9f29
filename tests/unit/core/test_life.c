// SPDX-License-Identifier: Apache-2.0
/*
 * test_life.c - what holds for every verification, whatever happens to it in
 * whatever order: hundreds of thousands of random steps, some of them sensible.
 *
 * Several verifications of one number live beside each other; after each step
 * every promise is looked at again.  Each record goes through its stored form
 * now and then, as it would between two requests.
 */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "core/verification.h"
#include "support/test.h"

#define CODE "482913"

enum { STEPS = 400000, SLOTS = 4, EPOCH = 3 };

static const int64_t minute = INT64_C(60000);

/* What the test itself knows about one verification. */
struct watched {
	struct verification v;
	bool used;        /* the slot holds one */
	bool human, told; /* a person came past the check; code was spoken */
	unsigned approvals, wrong, dials[VERIFICATION_LEGS_MAX];
};

static struct world {
	struct rng *rng;
	struct watched slot[SLOTS];
	struct verification_number n;
	int64_t now;
	unsigned serial;
	/* by purpose, as counted here */
	unsigned in_row[3];
	unsigned approved, failed, expired, canceled, reported, waited;
} w;

static const char *const purposes[] = {"login", "payment", "signup"};

static unsigned below(unsigned n)
{
	return rng_below(w.rng, n);
}

static unsigned purpose_of(const struct verification *v)
{
	for (unsigned i = 0; i < COUNT_OF(purposes); i++)
		if (strcmp(v->purpose, purposes[i]) == 0)
			return i;
	fail();
	return 0;
}

/* --- steps ---------------------------------------------------------------------- */

static void create(struct watched *x)
{
	struct verification v = {
		.ttl_ms = (60 + (int64_t)below(541)) * 1000,
		.wrong_max = 1 + below(10),
		.method_allowed = (enum verification_method)below(3),
		.epoch = EPOCH,
	};
	unsigned purpose = below(COUNT_OF(purposes));
	enum verification_refusal no;
	int64_t retry = -1;

	if (x->used && x->v.status == STATUS_PENDING)
		return;
	(void)snprintf(v.id, sizeof(v.id), "ver_%u", w.serial++);
	(void)snprintf(v.purpose, sizeof(v.purpose), "%s", purposes[purpose]);
	no = verification_create(&v, &w.n, w.now, &retry);
	assert_int_equal(no == VERIFICATION_STOPPED,
			 w.in_row[purpose] >= VERIFICATION_HARD_STOP);
	assert_true(retry >= 0);
	if (no == VERIFICATION_FINE)
		*x = (struct watched){.v = v, .used = true};
}

static void call(struct watched *x)
{
	char id[VERIFICATION_ID_BYTES];

	if (verification_may_call(&x->v, w.now) != VERIFICATION_CALL)
		return;
	(void)snprintf(id, sizeof(id), "call_%zu", x->v.legs_count);
	verification_add_leg(&x->v, id, w.now);
}

/* What a phone would tell next of the last leg. */
static enum outcome_event usual(const struct verification *v)
{
	const struct verification_leg *leg = v->legs;

	if (v->legs_count > 0)
		leg += v->legs_count - 1;
	if (leg->state == VERIFICATION_LEG_QUEUED)
		return EVENT_DIALING;
	if (leg->state == VERIFICATION_LEG_DIALING)
		return below(2) ? EVENT_RINGING : EVENT_ANSWERED;
	if (leg->state == VERIFICATION_LEG_RINGING)
		return EVENT_ANSWERED;
	return leg->human ? EVENT_SPOKEN : EVENT_HUMAN;
}

static void tell(struct watched *x)
{
	struct verification_news news = {
		.event = below(6) ? usual(&x->v)
				  : (enum outcome_event)below(EVENT_COUNT),
		.outcome = (enum outcome_leg)below(LEG_COUNT),
		.sip_code = (int)below(1200),
		.route = "main",
	};
	size_t at = x->v.legs_count ? x->v.legs_count - 1 - !below(4) : 0;
	struct verification before = x->v;
	char id[VERIFICATION_ID_BYTES];

	(void)snprintf(id, sizeof(id), "call_%zu", at);
	news.leg = id;
	if (news.event == EVENT_REPORTED && below(10))
		return;
	if (!verification_deliver(&x->v, &w.n, &news, w.now)) {
		assert_memory_equal(&before, &x->v, sizeof(before));
		return;
	}
	assert_true(at < x->v.legs_count);
	if (news.event == EVENT_DIALING) {
		assert_int_equal(before.status, STATUS_PENDING);
		assert_true(w.now < before.expires_ms);
		assert_int_equal(++x->dials[at], 1);
	}
	if (news.event == EVENT_HUMAN && before.status == STATUS_PENDING)
		x->human = true;
	if (news.event == EVENT_SPOKEN && before.status == STATUS_PENDING) {
		assert_true(x->v.legs[at].human);
		x->told = true;
	}
}

static bool ready(const struct watched *x)
{
	return x->told ||
	       (x->v.method_allowed == VERIFICATION_BY_KEYPAD && x->human);
}

static void approved(struct watched *x, const struct verification_attempt *a)
{
	assert_int_equal(++x->approvals, 1);
	assert_true(ready(x));
	assert_string_equal(a->code, CODE);
	assert_int_equal(a->epoch, EPOCH);
	assert_true(w.now < x->v.expires_ms);
	assert_true(w.now < x->v.created_ms + VERIFICATION_LIFE_MS);
	if (x->v.method_allowed == VERIFICATION_BY_KEYPAD)
		assert_true(a->keypad);
	if (x->v.method_allowed == VERIFICATION_BY_API)
		assert_false(a->keypad);
	assert_int_equal(x->v.approved_by_keypad, a->keypad);
	w.in_row[purpose_of(&x->v)] = 0;
	w.approved++;
}

static void check(struct watched *x)
{
	struct verification_attempt a = {
		.code = below(4) ? "482914" : CODE,
		.expected = CODE,
		.keypad = below(2),
		.epoch = below(50) ? EPOCH : EPOCH + 1,
	};
	enum outcome_status before = x->v.status;
	unsigned checks = x->v.checks, left = 99;
	enum outcome_check answer =
		verification_check(&x->v, &w.n, &a, w.now, &left);

	assert_int_equal(x->v.checks, checks + 1);
	assert_true(left <= x->v.wrong_max);
	if (x->v.status != STATUS_PENDING)
		assert_int_equal(left, 0);
	if (answer == CHECK_APPROVED)
		approved(x, &a);
	else
		assert_true(before == x->v.status ||
			    x->v.status == STATUS_FAILED ||
			    x->v.status == STATUS_EXPIRED);
	if (answer == CHECK_WRONG) {
		assert_int_equal(before, STATUS_PENDING);
		assert_true(ready(x));
		x->wrong++;
		w.in_row[purpose_of(&x->v)]++;
	}
	if (answer == CHECK_LOCKED)
		w.waited++;
}

/* Through the store and back. */
static void store(struct watched *x)
{
	AUTO_BUF(record, 64 << 10);
	AUTO_BUF(number, 64 << 10);
	struct verification v;
	struct verification_number n;

	verification_pack(&x->v, &record);
	verification_number_pack(&w.n, &number);
	assert_int_equal(verification_unpack(buf_view(&record), &v), 0);
	assert_int_equal(verification_number_unpack(buf_view(&number), &n), 0);
	assert_memory_equal(&v, &x->v, sizeof(v));
	w.n = n;
}

static void pass_time(void)
{
	static const int64_t spans[] = {1, 1000, 10000, 31000, 240000, 1200000};

	w.now += spans[below(below(3) ? 4 : COUNT_OF(spans))];
}

static void one_step(void)
{
	struct watched *x = &w.slot[below(SLOTS)];
	unsigned what = below(100);

	if (what < 5)
		pass_time();
	else if (!x->used || what < 12)
		create(x);
	else if (what < 20)
		call(x);
	else if (what < 70)
		tell(x);
	else if (what < 94)
		check(x);
	else if (what < 95)
		(void)verification_cancel(&x->v, &w.n, w.now);
	else if (what < 97)
		(void)verification_expire(&x->v, &w.n, w.now);
	else
		store(x);
}

/* --- promises ---------------------------------------------------------------------- */

static void ended(const struct watched *x, enum outcome_status before)
{
	assert_int_equal(before, STATUS_PENDING);
	assert_int_equal(x->v.ended_ms, w.now);
	w.failed += x->v.status == STATUS_FAILED;
	w.expired += x->v.status == STATUS_EXPIRED;
	w.canceled += x->v.status == STATUS_CANCELED;
	w.reported += x->v.status == STATUS_REPORTED;
}

static void look(const struct watched *x)
{
	const struct verification *v = &x->v;
	bool live = false;

	assert_int_equal(x->approvals, v->status == STATUS_APPROVED);
	assert_int_equal(v->wrong, x->wrong);
	assert_true(v->wrong <= v->wrong_max);
	assert_int_equal(v->wrong == v->wrong_max, v->status == STATUS_FAILED);
	assert_true(v->expires_ms <= v->created_ms + VERIFICATION_LIFE_MS);
	assert_true(v->expires_ms >= v->created_ms + v->ttl_ms ||
		    v->expires_ms == v->created_ms + VERIFICATION_LIFE_MS);
	assert_true(!v->deliverable_ms || ready(x));
	for (size_t i = 0; i < w.n.live_count; i++)
		if (strcmp(w.n.live[i].id, v->id) == 0) {
			live = true;
			assert_int_equal(w.n.live[i].expires_ms, v->expires_ms);
		}
	if (v->status != STATUS_PENDING)
		assert_false(live);
	else if (w.now < v->expires_ms)
		assert_true(live);
}

static void look_at_failures(void)
{
	for (unsigned p = 0; p < COUNT_OF(purposes); p++) {
		unsigned in_row = 0;

		for (size_t i = 0; i < w.n.failures_count; i++)
			if (strcmp(w.n.failures[i].purpose, purposes[p]) == 0)
				in_row = w.n.failures[i].in_row;
		assert_int_equal(in_row, w.in_row[p]);
		assert_true(in_row <= VERIFICATION_HARD_STOP);
	}
}

static void live_on(uint64_t seed, unsigned steps)
{
	memset(&w, 0, sizeof(w));
	w.rng = rng_seeded(seed);
	w.now = 1700000000000;
	for (unsigned i = 0; i < steps; i++) {
		enum outcome_status before[SLOTS];
		char id[SLOTS][VERIFICATION_ID_BYTES];

		for (size_t s = 0; s < SLOTS; s++) {
			before[s] = w.slot[s].v.status;
			memcpy(id[s], w.slot[s].v.id, sizeof(id[s]));
		}
		one_step();
		for (size_t s = 0; s < SLOTS; s++) {
			struct watched *x = &w.slot[s];

			if (!x->used)
				continue;
			look(x);
			/* a status never changes twice */
			if (strcmp(id[s], x->v.id) == 0 &&
			    before[s] != x->v.status)
				ended(x, before[s]);
		}
		assert_true(w.n.live_count <= VERIFICATION_LIVE_MAX);
		look_at_failures();
		if (i % 20000 == 0) {
			verification_unlock(&w.n);
			memset(w.in_row, 0, sizeof(w.in_row));
		}
	}
	rng_free(w.rng);
}

TEST(whatever_happens_every_promise_holds)
{
	live_on(1, STEPS);

	/* and all of it did happen */
	assert_true(w.approved > 300);
	assert_true(w.failed > 100);
	assert_true(w.expired > 100);
	assert_true(w.canceled > 100);
	assert_true(w.reported > 20);
	assert_true(w.waited > 1000);
}

TEST(and_from_other_beginnings_too)
{
	for (uint64_t seed = 2; seed < 22; seed++)
		live_on(seed, STEPS / 20);
}

/*
 * The most that a guesser gets out of one number who has somebody at the phone
 * for every call: a hundred guesses in a row, and days for them.
 */
TEST(a_guesser_gets_a_hundred_guesses_and_waits_for_most_of_them)
{
	struct verification_number n = {0};
	int64_t begin = 1700000000000, now = begin, retry;
	unsigned guesses = 0, serial = 0;

	for (;;) {
		struct verification v = {.wrong_max = 10};
		enum verification_refusal no;
		struct verification_news news = {.leg = "call_1"};
		unsigned left = 1;

		(void)snprintf(v.id, sizeof(v.id), "ver_%u", serial++);
		no = verification_create(&v, &n, now, &retry);
		if (no == VERIFICATION_STOPPED)
			break;
		if (no != VERIFICATION_FINE) {
			now += retry;
			continue;
		}
		verification_add_leg(&v, "call_1", now);
		for (int e = EVENT_DIALING; e <= EVENT_SPOKEN; e++) {
			news.event = (enum outcome_event)e;
			assert_true(verification_deliver(&v, &n, &news, now));
		}
		while (v.status == STATUS_PENDING) {
			struct verification_attempt a = {.code = "000000",
							 .expected = CODE};

			if (verification_check(&v, &n, &a, now, &left) ==
			    CHECK_WRONG)
				guesses++;
			now += 1000;
		}
	}

	assert_int_equal(guesses, VERIFICATION_HARD_STOP);
	assert_true(now - begin > 4320 * minute);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_every_promise_holds),
		cmocka_unit_test(and_from_other_beginnings_too),
		cmocka_unit_test(
			a_guesser_gets_a_hundred_guesses_and_waits_for_most_of_them),
	};

	return cmocka_run_group_tests_name("core/life", tests, NULL, NULL);
}
