// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_names.c - the thread that looks names up: are its answers told from
 * the loop, once, and does it end when it should?
 */
#include <pthread.h>
#include <string.h>

#include "support/test.h"
#include "tel/sip_priv.h"

enum { PATIENCE_MS = 10 * 1000 };

static struct loop *loop;
static struct clock *test_clock;
static struct tsip_names *names;

/* What the lookup waits for, and who waits for the lookup. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool held;
	unsigned begun, over;
} door = {.lock = PTHREAD_MUTEX_INITIALIZER,
	  .changed = PTHREAD_COND_INITIALIZER};

static int look_up(const char *host, sa_family_t family,
		   struct sockaddr_storage *out, int max, void *ctx)
{
	(void)family;
	(void)ctx;
	(void)pthread_mutex_lock(&door.lock);
	door.begun++;
	(void)pthread_cond_broadcast(&door.changed);
	while (door.held)
		(void)pthread_cond_wait(&door.changed, &door.lock);
	door.over++;
	(void)pthread_cond_broadcast(&door.changed);
	(void)pthread_mutex_unlock(&door.lock);
	return max > 0 && !net_address(host, 0, out) ? 1 : 0;
}

static void hold(bool held)
{
	(void)pthread_mutex_lock(&door.lock);
	door.held = held;
	(void)pthread_cond_broadcast(&door.changed);
	(void)pthread_mutex_unlock(&door.lock);
}

static void wait_for(const unsigned *what, unsigned n)
{
	(void)pthread_mutex_lock(&door.lock);
	while (*what < n)
		(void)pthread_cond_wait(&door.changed, &door.lock);
	(void)pthread_mutex_unlock(&door.lock);
}

static int open_names(void **state)
{
	(void)state;
	door.held = false;
	door.begun = door.over = 0;
	test_clock = clock_manual(0);
	loop = loop_new(test_clock);
	return tsip_names_new(loop, look_up, NULL, &names);
}

static int close_names(void **state)
{
	(void)state;
	tsip_names_free(names);
	loop_free(loop);
	clock_free(test_clock);
	return 0;
}

struct told {
	unsigned times;
	int count;
	char first[NET_TEXT_BYTES];
};

static void on_told(const struct sockaddr_storage *found, int count, void *ctx)
{
	struct told *t = ctx;

	t->times++;
	t->count = count;
	if (count > 0)
		net_host(&found[0], t->first);
}

static void until_told(const struct told *t)
{
	int64_t since = clock_mono_ms(clock_real());

	while (t->times == 0) {
		(void)loop_turn(loop);
		if (clock_mono_ms(clock_real()) - since > PATIENCE_MS)
			fail_msg("nothing was told");
	}
}

TEST(each_question_is_answered_once_from_the_loop)
{
	struct told one = {0}, two = {0}, none = {0};

	tsip_names_ask(names, "192.0.2.1", AF_INET, on_told, &one);
	tsip_names_ask(names, "nowhere", AF_INET, on_told, &none);
	tsip_names_ask(names, "192.0.2.2", AF_INET, on_told, &two);
	wait_for(&door.over, 3);
	assert_int_equal(one.times, 0);
	until_told(&two);

	assert_int_equal(one.times, 1);
	assert_string_equal(one.first, "192.0.2.1");
	assert_int_equal(none.times, 1);
	assert_int_equal(none.count, 0);
	assert_int_equal(two.times, 1);
	assert_string_equal(two.first, "192.0.2.2");
}

TEST(what_was_answered_but_not_told_is_forgotten_at_the_end)
{
	struct told one = {0}, two = {0};

	tsip_names_ask(names, "192.0.2.1", AF_INET, on_told, &one);
	tsip_names_ask(names, "192.0.2.2", AF_INET, on_told, &two);
	wait_for(&door.begun, 2);
	tsip_names_free(names);
	names = NULL;

	assert_false(loop_turn(loop));
	assert_int_equal(one.times + two.times, 0);
}

TEST(a_lookup_that_does_not_return_holds_nobody_up_for_long)
{
	int64_t since = clock_mono_ms(clock_real());
	struct told one = {0}, two = {0};

	hold(true);
	tsip_names_ask(names, "192.0.2.1", AF_INET, on_told, &one);
	tsip_names_ask(names, "192.0.2.2", AF_INET, on_told, &two);
	wait_for(&door.begun, 1);
	tsip_names_free(names);
	names = NULL;
	assert_in_range(clock_mono_ms(clock_real()) - since,
			TSIP_NAMES_END_S * 1000, PATIENCE_MS);

	/* it comes back to nobody */
	hold(false);
	wait_for(&door.over, 1);
	assert_false(loop_turn(loop));
	assert_int_equal(one.times + two.times, 0);
}

TEST(the_system_is_asked_where_nobody_else_is_named)
{
	struct told one = {0};

	tsip_names_free(names);
	assert_int_equal(tsip_names_new(loop, NULL, NULL, &names), 0);
	tsip_names_ask(names, "localhost", AF_INET, on_told, &one);
	until_told(&one);

	assert_true(one.count >= 1);
	assert_string_equal(one.first, "127.0.0.1");
}

#define ON(test) cmocka_unit_test_setup_teardown(test, open_names, close_names)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(each_question_is_answered_once_from_the_loop),
		ON(what_was_answered_but_not_told_is_forgotten_at_the_end),
		ON(a_lookup_that_does_not_return_holds_nobody_up_for_long),
		ON(the_system_is_asked_where_nobody_else_is_named),
	};

	return cmocka_run_group_tests_name("tel/sip_names", tests, NULL, NULL);
}
