// SPDX-License-Identifier: Apache-2.0
/*
 * conformance_records.c - records and changes: whole or not at all.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/store/conformance_priv.h"

PROMISE(what_was_put_is_read)
{
	struct bl_text r;

	assert_int_equal(bl_put(f->st, 7, "number", "n1", "hello"), 0);
	r = bl_get(f->st, 7, "number", "n1");

	assert_int_equal(r.err, 0);
	assert_true(r.there);
	assert_string_equal(r.text, "hello");
}

PROMISE(what_was_never_put_is_not_there)
{
	struct bl_text r = bl_get(f->st, 7, "number", "n1");

	assert_int_equal(r.err, 0);
	assert_false(r.there);
}

PROMISE(what_was_deleted_is_gone)
{
	assert_int_equal(bl_put(f->st, 7, "number", "n1", "hello"), 0);
	assert_int_equal(bl_delete(f->st, 7, "number", "n1"), 0);

	assert_false(bl_get(f->st, 7, "number", "n1").there);
}

PROMISE(deleting_what_is_not_there_is_fine)
{
	assert_int_equal(bl_delete(f->st, 7, "number", "n1"), 0);
}

PROMISE(partition_kind_and_id_each_tell_records_apart)
{
	assert_int_equal(bl_put(f->st, 1, "a", "x", "1ax"), 0);
	assert_int_equal(bl_put(f->st, 2, "a", "x", "2ax"), 0);
	assert_int_equal(bl_put(f->st, 1, "b", "x", "1bx"), 0);
	assert_int_equal(bl_put(f->st, 1, "a", "y", "1ay"), 0);

	assert_string_equal(bl_get(f->st, 1, "a", "x").text, "1ax");
	assert_string_equal(bl_get(f->st, 2, "a", "x").text, "2ax");
	assert_string_equal(bl_get(f->st, 1, "b", "x").text, "1bx");
	assert_string_equal(bl_get(f->st, 1, "a", "y").text, "1ay");
}

PROMISE(an_empty_value_is_a_record)
{
	struct bl_text r;

	assert_int_equal(bl_put(f->st, 1, "a", "x", "something"), 0);
	assert_int_equal(bl_put(f->st, 1, "a", "x", ""), 0);
	r = bl_get(f->st, 1, "a", "x");

	assert_true(r.there);
	assert_string_equal(r.text, "");
}

/* --- apply ------------------------------------------------------------------ */

/* What apply saw of two keys, and what it shall answer. */
struct both {
	bool there[2];
	char text[2][32];
	int64_t now;
	const char *put[2];
	int answer;
};

static int apply_both(struct store_tx *tx, void *ctx)
{
	struct both *b = ctx;

	b->now = store_tx_now(tx);
	for (size_t i = 0; i < 2; i++) {
		struct span v;

		b->there[i] = store_tx_get(tx, i, &v);
		(void)snprintf(b->text[i], sizeof(b->text[i]), "%.*s", (int)v.n,
			       v.n ? v.p : "");
		if (b->put[i]) {
			char copy[32]; /* gone when apply returns */

			(void)snprintf(copy, sizeof(copy), "%s", b->put[i]);
			store_tx_put(tx, i, span_of(copy), NULL);
		}
	}
	return b->answer;
}

static struct store_result change_both(struct fixture *f, struct both *b)
{
	static const struct store_key keys[] = {{"a", "one"}, {"b", "two"}};

	return bl_change(f->st, &(struct bl_change){.partition = 9,
						    .keys = keys,
						    .count = 2,
						    .apply = apply_both,
						    .ctx = b});
}

PROMISE(apply_sees_the_records_of_its_own_partition)
{
	struct both b = {0};

	assert_int_equal(bl_put(f->st, 9, "b", "two", "mine"), 0);
	assert_int_equal(bl_put(f->st, 8, "a", "one", "not mine"), 0);
	assert_int_equal(change_both(f, &b).err, 0);

	assert_false(b.there[0]);
	assert_true(b.there[1]);
	assert_string_equal(b.text[1], "mine");
	assert_int_equal(b.now, START);
}

PROMISE(a_change_writes_all_of_its_records)
{
	struct both b = {.put = {"1", "2"}};

	assert_int_equal(change_both(f, &b).err, 0);

	assert_string_equal(bl_get(f->st, 9, "a", "one").text, "1");
	assert_string_equal(bl_get(f->st, 9, "b", "two").text, "2");
}

PROMISE(a_change_that_refuses_writes_nothing_and_says_why)
{
	struct both b = {.put = {"1", "2"}, .answer = -ENOTUNIQ};

	assert_int_equal(change_both(f, &b).err, -ENOTUNIQ);

	assert_false(bl_get(f->st, 9, "a", "one").there);
	assert_false(bl_get(f->st, 9, "b", "two").there);
}

PROMISE(a_change_that_asks_for_nothing_is_fine)
{
	struct both b = {0};

	assert_int_equal(change_both(f, &b).err, 0);
}

PROMISE(the_last_of_put_and_delete_counts)
{
	assert_int_equal(bl_put(f->st, 0, "a", "x", "1"), 0);
	assert_int_equal(bl_put(f->st, 0, "a", "x", "2"), 0);
	assert_int_equal(bl_delete(f->st, 0, "a", "x"), 0);
	assert_int_equal(bl_put(f->st, 0, "a", "x", "3"), 0);

	assert_string_equal(bl_get(f->st, 0, "a", "x").text, "3");
}

/* --- many at once --------------------------------------------------------------- */

enum { THREADS = 8, EACH = 100 };

static int apply_increment(struct store_tx *tx, void *ctx)
{
	struct span v;
	char text[32];
	long n = 0;

	(void)ctx;
	if (store_tx_get(tx, 0, &v)) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)v.n, v.p);
		n = strtol(text, NULL, 10);
	}
	(void)snprintf(text, sizeof(text), "%ld", n + 1);
	store_tx_put(tx, 0, span_of(text), NULL);
	return 0;
}

/* Submits all at once, so that many meet in one batch. */
struct crowd {
	struct store *st;
	atomic_int left, failed;
	pthread_mutex_t lock;
	pthread_cond_t over;
};

static void one_less(const struct store_result *r, void *ctx)
{
	struct crowd *c = ctx;

	if (r->err)
		atomic_fetch_add(&c->failed, 1);
	(void)pthread_mutex_lock(&c->lock);
	if (atomic_fetch_sub(&c->left, 1) == 1)
		(void)pthread_cond_signal(&c->over);
	(void)pthread_mutex_unlock(&c->lock);
}

static void *crowd_thread(void *ctx)
{
	static const struct store_key key = {"count", "all"};
	struct crowd *c = ctx;

	for (int i = 0; i < EACH; i++)
		if (store_change(c->st, 3, &key, 1, apply_increment, one_less,
				 c))
			abort();
	return NULL;
}

static void crowd_wait(struct crowd *c)
{
	(void)pthread_mutex_lock(&c->lock);
	while (atomic_load(&c->left) > 0)
		(void)pthread_cond_wait(&c->over, &c->lock);
	(void)pthread_mutex_unlock(&c->lock);
}

PROMISE(increments_of_eight_threads_add_up_exactly)
{
	struct crowd c = {.st = f->st, .left = THREADS * EACH};
	pthread_t t[THREADS];

	(void)pthread_mutex_init(&c.lock, NULL);
	(void)pthread_cond_init(&c.over, NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, crowd_thread, &c),
				 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
	crowd_wait(&c);

	assert_int_equal(atomic_load(&c.failed), 0);
	assert_string_equal(bl_get(f->st, 3, "count", "all").text, "800");
}

/* Two changes that are submitted together, of which the first refuses. */
PROMISE(a_refusal_does_not_touch_its_neighbours)
{
	static const struct store_key key = {"count", "all"};
	struct both no = {.put = {"1", "2"}, .answer = -EPERM};
	struct crowd c = {.st = f->st, .left = 2};

	(void)pthread_mutex_init(&c.lock, NULL);
	(void)pthread_cond_init(&c.over, NULL);
	assert_int_equal(store_change(f->st, 3, &key, 1, apply_increment,
				      one_less, &c),
			 0);
	assert_int_equal(change_both(f, &no).err, -EPERM);
	assert_int_equal(store_change(f->st, 3, &key, 1, apply_increment,
				      one_less, &c),
			 0);
	crowd_wait(&c);

	assert_int_equal(atomic_load(&c.failed), 0);
	assert_string_equal(bl_get(f->st, 3, "count", "all").text, "2");
}

/* Each done asks for what it just wrote. */
struct chain {
	struct store *st;
	int64_t written;
	atomic_int left, wrong;
	char text[32];
	pthread_mutex_t lock;
	pthread_cond_t over;
};

static void chain_write(struct chain *c);

static void chain_end(struct chain *c)
{
	(void)pthread_mutex_lock(&c->lock);
	atomic_store(&c->left, 0);
	(void)pthread_cond_signal(&c->over);
	(void)pthread_mutex_unlock(&c->lock);
}

static void chain_read(int err, const struct store_record *r, size_t count,
		       const char *next, void *ctx)
{
	struct chain *c = ctx;

	(void)next;
	if (err || count != 1 || !span_is(r[0].value, c->text))
		atomic_fetch_add(&c->wrong, 1);
	if (atomic_fetch_sub(&c->left, 1) > 1)
		chain_write(c);
	else
		chain_end(c);
}

static void chain_written(const struct store_result *r, void *ctx)
{
	struct chain *c = ctx;

	if (r->err || store_get(c->st, 1, "a", "x", chain_read, c)) {
		atomic_fetch_add(&c->wrong, 1);
		chain_end(c);
	}
}

static int chain_apply(struct store_tx *tx, void *ctx)
{
	const struct chain *c = ctx;

	store_tx_put(tx, 0, span_of(c->text), NULL);
	return 0;
}

static void chain_write(struct chain *c)
{
	static const struct store_key key = {"a", "x"};

	(void)snprintf(c->text, sizeof(c->text), "%d", atomic_load(&c->left));
	if (store_change(c->st, 1, &key, 1, chain_apply, chain_written, c)) {
		atomic_fetch_add(&c->wrong, 1);
		chain_end(c);
	}
}

PROMISE(a_read_after_done_sees_the_write)
{
	struct chain c = {.st = f->st, .left = 200};

	(void)pthread_mutex_init(&c.lock, NULL);
	(void)pthread_cond_init(&c.over, NULL);
	chain_write(&c);
	(void)pthread_mutex_lock(&c.lock);
	while (atomic_load(&c.left) > 0)
		(void)pthread_cond_wait(&c.over, &c.lock);
	(void)pthread_mutex_unlock(&c.lock);

	assert_int_equal(atomic_load(&c.wrong), 0);
}

/* --- limits ---------------------------------------------------------------------- */

static int apply_size(struct store_tx *tx, void *ctx)
{
	size_t n = *(const size_t *)ctx;
	char *p = calloc(1, n);

	store_tx_put(tx, 0, span_make(p, n), NULL);
	free(p);
	return 0;
}

static int put_size(struct fixture *f, size_t n)
{
	static const struct store_key key = {"a", "big"};

	return bl_change(f->st, &(struct bl_change){.keys = &key,
						    .count = 1,
						    .apply = apply_size,
						    .ctx = &n})
		.err;
}

PROMISE(a_value_may_be_so_large_and_no_larger)
{
	assert_int_equal(put_size(f, STORE_VALUE_MAX + 1), -E2BIG);
	assert_false(bl_get(f->st, 0, "a", "big").there);
	assert_int_equal(put_size(f, STORE_VALUE_MAX), 0);
	assert_true(bl_get(f->st, 0, "a", "big").there);
}

static void make_long(char *to, size_t n)
{
	memset(to, 'x', n);
	to[n] = '\0';
}

PROMISE(an_id_may_be_so_long_and_no_longer)
{
	char id[STORE_ID_MAX + 2];

	make_long(id, STORE_ID_MAX);
	assert_int_equal(bl_put(f->st, 0, "a", id, "v"), 0);
	assert_string_equal(bl_get(f->st, 0, "a", id).text, "v");
	make_long(id, STORE_ID_MAX + 1);
	assert_int_equal(bl_put(f->st, 0, "a", id, "v"), -E2BIG);
	assert_int_equal(bl_get(f->st, 0, "a", id).err, -E2BIG);
	assert_int_equal(bl_put(f->st, 0, "a", "", "v"), -EINVAL);
}

PROMISE(a_kind_may_be_so_long_and_no_longer)
{
	char kind[STORE_KIND_MAX + 2];

	make_long(kind, STORE_KIND_MAX);
	assert_int_equal(bl_put(f->st, 0, kind, "x", "v"), 0);
	assert_string_equal(bl_get(f->st, 0, kind, "x").text, "v");
	make_long(kind, STORE_KIND_MAX + 1);
	assert_int_equal(bl_put(f->st, 0, kind, "x", "v"), -E2BIG);
}

PROMISE(there_are_so_many_partitions)
{
	assert_int_equal(bl_put(f->st, STORE_PARTITIONS - 1, "a", "x", "v"), 0);
	assert_int_equal(bl_put(f->st, STORE_PARTITIONS, "a", "x", "v"),
			 -EINVAL);
	assert_int_equal(bl_get(f->st, STORE_PARTITIONS, "a", "x").err,
			 -EINVAL);
}

static int apply_nothing(struct store_tx *tx, void *ctx)
{
	(void)tx;
	(void)ctx;
	return 0;
}

static int change_keys(struct fixture *f, const struct store_key *keys,
		       size_t count)
{
	return bl_change(f->st, &(struct bl_change){.keys = keys,
						    .count = count,
						    .apply = apply_nothing})
		.err;
}

PROMISE(keys_are_few_and_different)
{
	static const struct store_key keys[] = {
		{"a", "1"}, {"a", "2"}, {"a", "3"}, {"a", "4"},
		{"a", "5"}, {"a", "6"}, {"a", "7"},
	};
	static const struct store_key twice[] = {{"a", "1"}, {"a", "1"}};

	assert_int_equal(change_keys(f, keys, STORE_KEYS_MAX), 0);
	assert_int_equal(change_keys(f, keys, STORE_KEYS_MAX + 1), -E2BIG);
	assert_int_equal(change_keys(f, twice, 2), -EINVAL);
	assert_int_equal(change_keys(f, NULL, 0), 0);
}

static int apply_beyond(struct store_tx *tx, void *ctx)
{
	struct span v;

	(void)ctx;
	assert_false(store_tx_get(tx, 1, &v));
	store_tx_put(tx, 0, span_of("v"), NULL);
	store_tx_put(tx, 1, span_of("v"), NULL);
	return 0;
}

PROMISE(writing_to_a_key_that_was_not_given_fails_the_change)
{
	static const struct store_key key = {"a", "x"};
	struct bl_change c = {.keys = &key, .count = 1, .apply = apply_beyond};

	assert_int_equal(bl_change(f->st, &c).err, -EINVAL);
	assert_false(bl_get(f->st, 0, "a", "x").there);
}

PROMISE(an_index_label_may_be_so_long_and_no_longer)
{
	static const struct store_key key = {"a", "x"};
	char label[STORE_LABEL_MAX + 2];

	make_long(label, STORE_LABEL_MAX + 1);
	assert_int_equal(bl_put_indexed(f->st, &key, "v",
					&(struct store_index){.label = label}),
			 -E2BIG);
	assert_false(bl_get(f->st, 0, "a", "x").there);
	make_long(label, STORE_LABEL_MAX);
	assert_int_equal(bl_put_indexed(f->st, &key, "v",
					&(struct store_index){.label = label}),
			 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_was_put_is_read),
	cmocka_unit_test(what_was_never_put_is_not_there),
	cmocka_unit_test(what_was_deleted_is_gone),
	cmocka_unit_test(deleting_what_is_not_there_is_fine),
	cmocka_unit_test(partition_kind_and_id_each_tell_records_apart),
	cmocka_unit_test(an_empty_value_is_a_record),
	cmocka_unit_test(apply_sees_the_records_of_its_own_partition),
	cmocka_unit_test(a_change_writes_all_of_its_records),
	cmocka_unit_test(a_change_that_refuses_writes_nothing_and_says_why),
	cmocka_unit_test(a_change_that_asks_for_nothing_is_fine),
	cmocka_unit_test(the_last_of_put_and_delete_counts),
	cmocka_unit_test(increments_of_eight_threads_add_up_exactly),
	cmocka_unit_test(a_refusal_does_not_touch_its_neighbours),
	cmocka_unit_test(a_read_after_done_sees_the_write),
	cmocka_unit_test(a_value_may_be_so_large_and_no_larger),
	cmocka_unit_test(an_id_may_be_so_long_and_no_longer),
	cmocka_unit_test(a_kind_may_be_so_long_and_no_longer),
	cmocka_unit_test(there_are_so_many_partitions),
	cmocka_unit_test(keys_are_few_and_different),
	cmocka_unit_test(writing_to_a_key_that_was_not_given_fails_the_change),
	cmocka_unit_test(an_index_label_may_be_so_long_and_no_longer),
};
const struct part conformance_records = PART(tests);
