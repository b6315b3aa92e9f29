// SPDX-License-Identifier: Apache-2.0
/*
 * test_loop.c - does everything posted run, once, in order, in its thread?
 */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/loop.h"

enum { THREADS = 4, POSTS = 5000 };

struct bench {
	struct clock *clock;
	struct loop *loop;
	char order[16];
};

static struct bench bench;
static char name_a[] = "a", name_b[] = "b", name_c[] = "c";

static int open_bench(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.clock = clock_manual(0);
	bench.loop = loop_new(bench.clock);
	return 0;
}

static int close_bench(void **state)
{
	(void)state;
	loop_free(bench.loop);
	clock_free(bench.clock);
	return 0;
}

static void note(void *name)
{
	strncat(bench.order, name, 1);
}

TEST(posts_run_in_order_from_the_turn)
{
	struct post a, b;

	loop_post(bench.loop, &a, note, name_a);
	loop_call(bench.loop, note, name_b);
	loop_post(bench.loop, &b, note, name_c);
	assert_string_equal(bench.order, "");
	assert_true(loop_turn(bench.loop));
	assert_string_equal(bench.order, "abc");
	assert_false(loop_turn(bench.loop));
}

TEST(posts_run_before_timers_that_are_due)
{
	struct timer tm = {0};

	timer_set(loop_timers(bench.loop), &tm, 0, note, name_b);
	loop_call(bench.loop, note, name_a);
	assert_true(loop_turn(bench.loop));
	assert_string_equal(bench.order, "ab");
	assert_ptr_equal(loop_clock(bench.loop), bench.clock);
}

static struct post reused;

static void post_again(void *ctx)
{
	note(ctx);
	loop_post(bench.loop, &reused, note, name_b);
}

TEST(a_post_may_be_posted_again_from_its_handler)
{
	loop_post(bench.loop, &reused, post_again, name_a);
	assert_true(loop_turn(bench.loop));
	assert_string_equal(bench.order, "a");
	assert_true(loop_turn(bench.loop));
	assert_string_equal(bench.order, "ab");
}

TEST(what_never_ran_is_given_back)
{
	loop_call(bench.loop, note, name_a);
	loop_call(bench.loop, note, name_b);
	loop_free(NULL);
	/* the leak checker looks at the rest */
	assert_string_equal(bench.order, "");
}

static struct timer beat;
static int64_t beats[8];
static size_t beat_count;

static void on_beat(void *ctx)
{
	beats[beat_count++] = clock_mono_ms(bench.clock);
	timer_set(loop_timers(bench.loop), &beat, 20, on_beat, ctx);
}

TEST(advancing_stops_at_each_timer_in_between)
{
	int64_t start = clock_mono_ms(bench.clock);

	beat_count = 0;
	memset(&beat, 0, sizeof(beat));
	timer_set(loop_timers(bench.loop), &beat, 20, on_beat, NULL);
	loop_advance(bench.loop, 70);

	assert_int_equal(beat_count, 3);
	for (size_t i = 0; i < beat_count; i++)
		assert_int_equal(beats[i] - start, 20 * (int)(i + 1));
	assert_int_equal(clock_mono_ms(bench.clock) - start, 70);
	loop_advance(bench.loop, 10);
	assert_int_equal(beat_count, 4);
}

TEST(advancing_by_nothing_runs_what_is_there)
{
	loop_call(bench.loop, post_again, name_a);
	loop_advance(bench.loop, 0);
	assert_string_equal(bench.order, "ab");
}

/* What the loop's thread has seen of each posting thread. */
struct crowd {
	struct loop *loop;
	unsigned done;
	bool in_order, in_thread;
	pthread_t owner;
};

struct poster {
	struct crowd *crowd;
	struct post posts[POSTS];
	struct step {
		struct poster *poster;
		unsigned number;
	} steps[POSTS];
	unsigned next;
};

static void on_step(void *ctx)
{
	const struct step *step = ctx;
	struct crowd *crowd = step->poster->crowd;

	if (step->number != step->poster->next++)
		crowd->in_order = false;
	if (!pthread_equal(pthread_self(), crowd->owner))
		crowd->in_thread = false;
	if (++crowd->done == THREADS * POSTS)
		loop_stop(crowd->loop);
}

static void *post_many(void *ctx)
{
	struct poster *p = ctx;

	for (unsigned i = 0; i < POSTS; i++) {
		p->steps[i] = (struct step){.poster = p, .number = i};
		if (i % 2)
			loop_post(p->crowd->loop, &p->posts[i], on_step,
				  &p->steps[i]);
		else
			loop_call(p->crowd->loop, on_step, &p->steps[i]);
	}
	return NULL;
}

TEST(threads_post_in_order_and_the_owner_runs_it)
{
	static struct poster posters[THREADS];
	struct crowd crowd = {.in_order = true, .in_thread = true};
	pthread_t threads[THREADS];
	AUTO(loop) *l = loop_new(clock_real());

	crowd.loop = l;
	crowd.owner = pthread_self();
	for (int i = 0; i < THREADS; i++) {
		posters[i].crowd = &crowd;
		assert_int_equal(pthread_create(&threads[i], NULL, post_many,
						&posters[i]),
				 0);
	}
	loop_run(l);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	assert_int_equal(crowd.done, THREADS * POSTS);
	assert_true(crowd.in_order);
	assert_true(crowd.in_thread);
}

/* Two loops play a ball: each throw must wake a thread that is asleep. */
struct player {
	struct loop *loop;
	struct player *other;
	struct post ball;
	unsigned throws;
};

static void catch_ball(void *ctx)
{
	struct player *p = ctx;

	if (++p->throws > 1000) {
		loop_stop(p->loop);
		loop_stop(p->other->loop);
		return;
	}
	loop_post(p->other->loop, &p->ball, catch_ball, p->other);
}

static void *play(void *ctx)
{
	struct player *p = ctx;

	loop_run(p->loop);
	return NULL;
}

TEST(a_sleeping_loop_is_woken_by_a_post)
{
	AUTO(loop) *here = loop_new(clock_real());
	AUTO(loop) *there = loop_new(clock_real());
	struct player a = {.loop = here}, b = {.loop = there, .other = &a};
	pthread_t thread;

	a.other = &b;
	assert_int_equal(pthread_create(&thread, NULL, play, &b), 0);
	loop_post(here, &b.ball, catch_ball, &a);
	loop_run(here);
	assert_int_equal(pthread_join(thread, NULL), 0);

	assert_int_equal(a.throws, 1001);
	assert_int_equal(b.throws, 1000);
}

static void stop_loop(void *l)
{
	loop_stop(l);
}

TEST(a_real_timer_wakes_the_loop_and_not_early)
{
	AUTO(loop) *l = loop_new(clock_real());
	int64_t start = clock_mono_ms(clock_real());
	struct timer tm = {0};

	timer_set(loop_timers(l), &tm, 5, stop_loop, l);
	loop_run(l);

	assert_true(clock_mono_ms(clock_real()) >= start + 5);
}

TEST(what_was_posted_before_the_stop_still_runs)
{
	AUTO(loop) *l = loop_new(clock_real());
	struct timer tm = {0};

	loop_call(l, note, name_a);
	timer_set(loop_timers(l), &tm, 0, note, name_c);
	loop_stop(l);
	loop_run(l);
	assert_string_equal(bench.order, "a");

	/* and it can be run again */
	loop_call(l, note, name_b);
	timer_set(loop_timers(l), &tm, 1, stop_loop, l);
	loop_run(l);
	assert_string_equal(bench.order, "ab");
}

static void count_wake(void *ctx)
{
	++*(unsigned *)ctx;
}

TEST(an_owner_that_rests_is_woken_once_by_the_first_post)
{
	unsigned wakes = 0;

	loop_own(bench.loop, count_wake, &wakes);
	loop_call(bench.loop, note, name_a);
	assert_int_equal(wakes, 0);
	assert_int_equal(loop_rest_begin(bench.loop), 0);
	(void)loop_turn(bench.loop);

	assert_int_equal(loop_rest_begin(bench.loop), -1);
	loop_call(bench.loop, note, name_b);
	loop_call(bench.loop, note, name_c);
	assert_int_equal(wakes, 1);
	loop_rest_end(bench.loop);
	loop_call(bench.loop, note, name_a);
	assert_int_equal(wakes, 1);
	(void)loop_turn(bench.loop);
	assert_string_equal(bench.order, "abca");
}

TEST(an_owner_rests_until_its_next_timer)
{
	unsigned wakes = 0;
	struct timer tm = {0};

	loop_own(bench.loop, count_wake, &wakes);
	timer_set(loop_timers(bench.loop), &tm, 30, note, name_a);
	assert_int_equal(loop_rest_begin(bench.loop), 30);
	loop_rest_end(bench.loop);
	clock_advance(bench.clock, 30);
	assert_int_equal(loop_rest_begin(bench.loop), 0);
	(void)loop_turn(bench.loop);
	assert_string_equal(bench.order, "a");
}

TEST(a_stop_wakes_the_owner_and_is_told_once)
{
	unsigned wakes = 0;

	loop_own(bench.loop, count_wake, &wakes);
	assert_false(loop_stopped(bench.loop));
	assert_int_equal(loop_rest_begin(bench.loop), -1);
	loop_stop(bench.loop);
	assert_int_equal(wakes, 1);
	assert_int_equal(loop_rest_begin(bench.loop), 0);
	assert_true(loop_stopped(bench.loop));
	assert_false(loop_stopped(bench.loop));
}

#define ON_BENCH(test) \
	cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(posts_run_in_order_from_the_turn),
		ON_BENCH(posts_run_before_timers_that_are_due),
		ON_BENCH(a_post_may_be_posted_again_from_its_handler),
		ON_BENCH(what_never_ran_is_given_back),
		ON_BENCH(advancing_stops_at_each_timer_in_between),
		ON_BENCH(advancing_by_nothing_runs_what_is_there),
		ON_BENCH(threads_post_in_order_and_the_owner_runs_it),
		ON_BENCH(a_sleeping_loop_is_woken_by_a_post),
		ON_BENCH(a_real_timer_wakes_the_loop_and_not_early),
		ON_BENCH(what_was_posted_before_the_stop_still_runs),
		ON_BENCH(an_owner_that_rests_is_woken_once_by_the_first_post),
		ON_BENCH(an_owner_rests_until_its_next_timer),
		ON_BENCH(a_stop_wakes_the_owner_and_is_told_once),
	};

	return cmocka_run_group_tests_name("base/loop", tests, NULL, NULL);
}
