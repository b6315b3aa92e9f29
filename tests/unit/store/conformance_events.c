// SPDX-License-Identifier: Apache-2.0
/*
 * conformance_events.c - what happened, in order, for those who follow.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/store/conformance_priv.h"

struct say {
	const char *topic, *topic2, *type;
	struct span json;
	int times;
};

static int apply_say(struct store_tx *tx, void *ctx)
{
	const struct say *s = ctx;

	for (int i = 0; i < s->times; i++)
		store_tx_event(tx, s->topic, s->topic2, s->type, s->json);
	return 0;
}

static int say_all(struct fixture *f, struct say *s)
{
	if (!s->times)
		s->times = 1;
	if (!s->json.p)
		s->json = span_of("{}");
	return bl_change(f->st,
			 &(struct bl_change){.apply = apply_say, .ctx = s})
		.err;
}

static void say(struct fixture *f, const char *topic, const char *topic2,
		const char *type)
{
	struct say s = {.topic = topic, .topic2 = topic2, .type = type};

	assert_int_equal(say_all(f, &s), 0);
}

/* Types behind the cursor, one after the other; or the error. */
static const char *follow(struct fixture *f, const char *topic,
			  const char *cursor, size_t max)
{
	static char all[STORE_PAGE_MAX * 8];
	size_t n = 0;

	bl_follow(f->st, topic, cursor, max, f->events);
	all[0] = '\0';
	if (f->events->err)
		(void)snprintf(all, sizeof(all), "error %d", f->events->err);
	for (size_t i = 0; i < f->events->count && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      i ? " " : "", f->events->types[i]);
	return all;
}

PROMISE(events_are_followed_in_order)
{
	say(f, "v1", "app", "a");
	clock_advance(f->clock, 5);
	say(f, "v2", "app", "b");
	say(f, "v1", "app", "c");

	assert_string_equal(follow(f, "v1", "", 10), "a c");
	assert_string_equal(follow(f, "v2", "", 10), "b");
	assert_string_equal(follow(f, "app", "", 10), "a b c");
	assert_string_equal(follow(f, "nobody", "", 10), "");
	assert_string_equal(follow(f, "v1", "", 10), "a c");
	assert_int_equal(f->events->times[0], START);
	assert_int_equal(f->events->times[1], START + 5);
	assert_string_equal(f->events->texts[0], "{}");
}

PROMISE(a_cursor_resumes_behind_its_event)
{
	char cursor[STORE_CURSOR_BYTES];

	say(f, "v1", "app", "a");
	say(f, "v1", "app", "b");
	say(f, "v1", "app", "c");
	assert_string_equal(follow(f, "v1", "", 2), "a b");
	(void)snprintf(cursor, sizeof(cursor), "%s", f->events->cursors[1]);

	assert_string_equal(follow(f, "v1", cursor, 2), "c");
	(void)snprintf(cursor, sizeof(cursor), "%s", f->events->cursors[0]);
	assert_string_equal(follow(f, "v1", cursor, 2), "");
	say(f, "v1", NULL, "d");
	assert_string_equal(follow(f, "v1", cursor, 2), "d");
}

PROMISE(an_event_with_one_topic_twice_is_followed_once)
{
	say(f, "v1", "v1", "a");

	assert_string_equal(follow(f, "v1", "", 10), "a");
}

PROMISE(the_end_is_a_place_to_follow_from)
{
	char cursor[STORE_CURSOR_BYTES];

	assert_string_equal(follow(f, "v1", "end", 10), "");
	memcpy(cursor, f->events->cursors[0], sizeof(cursor));
	say(f, "v1", NULL, "a");
	assert_string_equal(follow(f, "v1", cursor, 10), "a");

	assert_string_equal(follow(f, "v1", "end", 10), "");
	assert_int_equal(f->events->count, 1);
	memcpy(cursor, f->events->cursors[0], sizeof(cursor));
	say(f, "v1", NULL, "b");
	assert_string_equal(follow(f, "v1", cursor, 10), "b");
}

PROMISE(a_strange_cursor_is_refused)
{
	static const char *const strange[] = {
		"x",
		"e",
		"e-1",
		"e1x",
		"r1.2",
		"e99999999999999999999",
		"e1000000" /* of another store */,
	};

	say(f, "v1", NULL, "a");
	for (size_t i = 0; i < COUNT_OF(strange); i++) {
		bl_follow(f->st, "v1", strange[i], 10, f->events);
		assert_int_equal(f->events->err, -EINVAL);
	}
}

PROMISE(old_events_are_swept_and_their_followers_told)
{
	char first[STORE_CURSOR_BYTES], second[STORE_CURSOR_BYTES];

	say(f, "v1", "app", "a");
	say(f, "v1", "app", "b");
	clock_advance(f->clock, DAY);
	say(f, "v1", "app", "c");
	(void)follow(f, "v1", "", 10);
	(void)snprintf(first, sizeof(first), "%s", f->events->cursors[0]);
	(void)snprintf(second, sizeof(second), "%s", f->events->cursors[1]);

	assert_int_equal(bl_sweep(f->st, 2 * DAY), 0);
	assert_int_equal(bl_sweep(f->st, HOUR), 2);

	assert_string_equal(follow(f, "v1", "", 10), "c");
	assert_string_equal(follow(f, "app", "", 10), "c");
	bl_follow(f->st, "v1", first, 10, f->events);
	assert_int_equal(f->events->err, -ERANGE);
	/* behind this one nothing was lost */
	assert_string_equal(follow(f, "v1", second, 10), "c");
}

PROMISE(numbers_go_on_after_all_events_were_swept)
{
	char cursor[STORE_CURSOR_BYTES];

	say(f, "v1", NULL, "a");
	say(f, "v1", NULL, "b");
	(void)follow(f, "v1", "", 10);
	(void)snprintf(cursor, sizeof(cursor), "%s", f->events->cursors[1]);
	clock_advance(f->clock, DAY);
	assert_int_equal(bl_sweep(f->st, HOUR), 2);

	assert_string_equal(follow(f, "v1", cursor, 10), "");
	say(f, "v1", NULL, "c");
	assert_string_equal(follow(f, "v1", cursor, 10), "c");
}

PROMISE(no_age_keeps_all_events)
{
	say(f, "v1", NULL, "a");
	clock_advance(f->clock, DAY);

	assert_int_equal(bl_sweep(f->st, 0), 0);
	assert_string_equal(follow(f, "v1", "", 10), "a");
}

/* --- watching ------------------------------------------------------------------- */

struct watched {
	pthread_mutex_t lock;
	pthread_cond_t told;
	int count;
	char topics[8][16];
};

static void watch(const char *topic, void *ctx)
{
	struct watched *w = ctx;

	(void)pthread_mutex_lock(&w->lock);
	if (w->count < 8)
		(void)snprintf(w->topics[w->count], sizeof(w->topics[0]), "%s",
			       topic);
	w->count++;
	(void)pthread_cond_signal(&w->told);
	(void)pthread_mutex_unlock(&w->lock);
}

static bool was_told(struct watched *w, const char *topic)
{
	for (int i = 0; i < w->count; i++)
		if (strcmp(w->topics[i], topic) == 0)
			return true;
	return false;
}

PROMISE(a_watcher_is_told_of_each_topic_after_the_commit)
{
	struct watched w = {0};
	struct say refused = {.topic = "no", .type = "a", .times = 99};

	(void)pthread_mutex_init(&w.lock, NULL);
	(void)pthread_cond_init(&w.told, NULL);
	store_watch(f->st, watch, &w);
	assert_int_equal(say_all(f, &refused), -E2BIG);
	say(f, "v1", "app", "a");
	(void)pthread_mutex_lock(&w.lock);
	while (w.count < 2)
		(void)pthread_cond_wait(&w.told, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	store_watch(f->st, NULL, NULL);

	assert_int_equal(w.count, 2);
	assert_true(was_told(&w, "v1"));
	assert_true(was_told(&w, "app"));
	assert_string_equal(follow(f, "v1", "", 10), "a");
}

struct held {
	struct store *st;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool in, off, go;
	atomic_bool left;
	bool left_before; /* store_watch() returned */
};

static void set(struct held *h, bool *what)
{
	(void)pthread_mutex_lock(&h->lock);
	*what = true;
	(void)pthread_cond_broadcast(&h->changed);
	(void)pthread_mutex_unlock(&h->lock);
}

static void await(struct held *h, const bool *what)
{
	(void)pthread_mutex_lock(&h->lock);
	while (!*what)
		(void)pthread_cond_wait(&h->changed, &h->lock);
	(void)pthread_mutex_unlock(&h->lock);
}

static void hold(const char *topic, void *ctx)
{
	struct held *h = ctx;

	(void)topic;
	set(h, &h->in);
	await(h, &h->go);
	atomic_store(&h->left, true);
}

static void *take_away(void *ctx)
{
	struct held *h = ctx;

	set(h, &h->off);
	store_watch(h->st, NULL, NULL);
	h->left_before = atomic_load(&h->left);
	return NULL;
}

/* Whoever took a watcher away may free what it looks at. */
PROMISE(a_watcher_that_was_taken_away_is_not_at_work_any_more)
{
	struct held h = {.st = f->st};
	pthread_t thread;

	(void)pthread_mutex_init(&h.lock, NULL);
	(void)pthread_cond_init(&h.changed, NULL);
	store_watch(f->st, hold, &h);
	say(f, "v1", NULL, "a");
	await(&h, &h.in);
	assert_int_equal(pthread_create(&thread, NULL, take_away, &h), 0);
	await(&h, &h.off);
	(void)sched_yield();
	set(&h, &h.go);
	(void)pthread_join(thread, NULL);

	assert_true(h.left_before);
	(void)pthread_mutex_destroy(&h.lock);
	(void)pthread_cond_destroy(&h.changed);
}

/* --- limits ---------------------------------------------------------------------- */

PROMISE(events_over_a_limit_fail_the_change)
{
	char text[STORE_EVENT_MAX + 1], name[STORE_ID_MAX + 2];
	struct say s;

	memset(text, ' ', sizeof(text));
	memset(name, 'x', sizeof(name));
	name[STORE_ID_MAX + 1] = '\0';
	s = (struct say){.topic = "v1", .type = "a", .times = 9};
	assert_int_equal(say_all(f, &s), -E2BIG);
	s = (struct say){.topic = name, .type = "a"};
	assert_int_equal(say_all(f, &s), -E2BIG);
	s = (struct say){.topic = "", .type = "a"};
	assert_int_equal(say_all(f, &s), -EINVAL);
	s = (struct say){.topic = "v1",
			 .type = "a",
			 .json = span_make(text, sizeof(text))};
	assert_int_equal(say_all(f, &s), -E2BIG);
	assert_string_equal(follow(f, "v1", "", 10), "");
	s = (struct say){.topic = "v1",
			 .type = "a",
			 .json = span_make(text, STORE_EVENT_MAX)};
	assert_int_equal(say_all(f, &s), 0);
	assert_string_equal(follow(f, "v1", "", 10), "a");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(events_are_followed_in_order),
	cmocka_unit_test(a_cursor_resumes_behind_its_event),
	cmocka_unit_test(an_event_with_one_topic_twice_is_followed_once),
	cmocka_unit_test(the_end_is_a_place_to_follow_from),
	cmocka_unit_test(a_strange_cursor_is_refused),
	cmocka_unit_test(old_events_are_swept_and_their_followers_told),
	cmocka_unit_test(numbers_go_on_after_all_events_were_swept),
	cmocka_unit_test(no_age_keeps_all_events),
	cmocka_unit_test(a_watcher_is_told_of_each_topic_after_the_commit),
	cmocka_unit_test(a_watcher_that_was_taken_away_is_not_at_work_any_more),
	cmocka_unit_test(events_over_a_limit_fail_the_change),
};
const struct part conformance_events = PART(tests);
