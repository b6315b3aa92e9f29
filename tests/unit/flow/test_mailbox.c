// SPDX-License-Identifier: Apache-2.0
/*
 * test_mailbox.c - a greeting that holds keys passes the human check at most
 * once in 500 calls (B4).
 *
 * 10,000 calls of each kind of greeting, on a clock of ours and with seeds of
 * ours: what is counted here is counted so on every machine.  The worst kind
 * presses just when it would count; node_human_check.c says why that one
 * passes once in 504, and here it is seen to.
 */
#include "support/flow_bench.h"
#include "tel/scripted.h"

enum {
	CALLS = 10000,
	ONE_IN = 500,        /* B4 */
	REPORTS_ONE_IN = 50, /* ours: a greeting must not cancel for people */
	KEYS_MAX = 100,
	GREETING_MS = 60000,
	CALL_MS = 200000,
};

static struct flow *flow; /* loaded once */

/* A bench for one call, with its own chance. */
static struct bench *begin(uint64_t seed)
{
	void *state = NULL;
	struct bench *b;

	assert_int_equal(bench_setup(&state), 0);
	b = state;
	rng_free(b->rng);
	b->rng = b->params.rng = rng_seeded(seed);
	if (!flow) {
		bench_built_in(b, "speak");
		flow = flow_ref(b->flow);
	} else {
		b->flow = flow_ref(flow);
	}
	return b;
}

/* Did it pass? */
static bool end(struct bench *b)
{
	void *state = b;
	bool passed = bench_has_news(b, EVENT_HUMAN);

	assert_true(passed || !bench_count_said(b, "482 913"));
	assert_int_equal(bench_teardown(&state), 0);
	return passed;
}

static int mailbox(const char *to, void *ctx)
{
	(void)to;
	(void)ctx;
	return TEL_SCRIPT_MAILBOX;
}

TEST(random_keys_at_random_times_do_not_pass)
{
	unsigned passed = 0, reported = 0;

	(void)state;
	for (uint64_t i = 0; i < CALLS; i++) {
		struct bench *b = begin(i);
		struct tel_scripted_params params = {
			.loop = b->loop,
			.rng = b->rng,
			.mailbox_keys = 1 + rng_below(b->rng, KEYS_MAX),
			.mailbox_ms = GREETING_MS,
			.script = mailbox};

		assert_int_equal(tel_scripted_new(&params, &b->tel), 0);
		bench_start(b);
		bench_go(b, CALL_MS);
		assert_true(b->over);
		reported += bench_has_news(b, EVENT_REPORTED);
		passed += end(b);
	}
	print_message("%u of %d passed, %u reported\n", passed, CALLS,
		      reported);

	assert_true(reported <= CALLS / REPORTS_ONE_IN);
	assert_true(passed <= CALLS / ONE_IN);
}

/* n keys of 1 to 8, anywhere in the first minute, in order of time. */
static void press_digits(struct bench *b, unsigned n)
{
	unsigned left_ms = GREETING_MS;

	for (; n > 0 && !b->over; n--) {
		unsigned gap = rng_below(b->rng, 2 * left_ms / n + 1);

		if (gap > left_ms)
			gap = left_ms;
		left_ms -= gap;
		bench_go(b, gap);
		if (b->call)
			bench_key(b, (char)('1' + rng_below(b->rng, 8)));
	}
	bench_go(b, CALL_MS);
}

TEST(random_digits_at_random_times_do_not_pass)
{
	unsigned passed = 0;

	(void)state;
	for (uint64_t i = 0; i < CALLS; i++) {
		struct bench *b = begin(CALLS + i);

		bench_answer(b);
		press_digits(b, 1 + rng_below(b->rng, KEYS_MAX));
		assert_true(b->over);
		passed += end(b);
	}
	print_message("%u of %d passed\n", passed, CALLS);

	assert_true(passed <= CALLS / ONE_IN);
}

/* As many keys as are asked for, right behind the last digit. */
static void press_well_timed(struct bench *b)
{
	char digits[16];

	bench_asked_digits(b, digits);
	if (!*digits || !bench_sounds(b) || bench_has_news(b, EVENT_HUMAN))
		return;
	bench_hear_to_mark(b);
	for (size_t i = strlen(digits); i > 0 && b->call; i--)
		bench_key(b, (char)('1' + rng_below(b->rng, 8)));
}

TEST(the_worst_greeting_passes_as_often_as_computed)
{
	/* 1/512 + 1/32768 of 10,000 is 19.8, with a deviation of 4.4 */
	enum { LEAST = 2, MOST = 38 };
	unsigned passed = 0;

	(void)state;
	for (uint64_t i = 0; i < CALLS; i++) {
		struct bench *b = begin((uint64_t)2 * CALLS + i);
		size_t plays = 1;

		bench_answer(b);
		while (!b->over && !bench_has_news(b, EVENT_HUMAN)) {
			bench_go(b, 500);
			if (b->plays_count > plays)
				press_well_timed(b);
			plays = b->plays_count;
		}
		passed += end(b);
	}
	print_message("%u of %d passed\n", passed, CALLS);

	assert_in_range(passed, LEAST, MOST);
}

static int close_all(void **state)
{
	flow_unref(flow);
	return bench_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_keys_at_random_times_do_not_pass),
		cmocka_unit_test(random_digits_at_random_times_do_not_pass),
		cmocka_unit_test(
			the_worst_greeting_passes_as_often_as_computed),
	};

	return cmocka_run_group_tests_name("flow/mailbox", tests, bench_open,
					   close_all);
}
