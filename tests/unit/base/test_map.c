// SPDX-License-Identifier: Apache-2.0
/*
 * test_map.c - is what was put there found again, also among very many?
 */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"

enum { MANY = 20000 };

TEST(a_key_is_found_by_its_text)
{
	char key[] = "call-1";
	AUTO(map) *m = map_new();
	int one = 1, two = 2;

	assert_null(map_put(m, key, &one));
	key[5] = '2';
	assert_null(map_put(m, key, &two));

	assert_ptr_equal(map_get(m, "call-1"), &one);
	assert_ptr_equal(map_get(m, "call-2"), &two);
	assert_null(map_get(m, "call-"));
	assert_null(map_get(m, ""));
	assert_int_equal(map_count(m), 2);
}

TEST(putting_again_gives_the_old_back)
{
	AUTO(map) *m = map_new();
	int one = 1, two = 2;

	assert_null(map_put(m, "k", &one));
	assert_ptr_equal(map_put(m, "k", &two), &one);
	assert_ptr_equal(map_get(m, "k"), &two);
	assert_int_equal(map_count(m), 1);
}

TEST(removing_gives_the_value_back_once)
{
	AUTO(map) *m = map_new();
	int one = 1;

	assert_null(map_put(m, "k", &one));
	assert_ptr_equal(map_remove(m, "k"), &one);
	assert_null(map_remove(m, "k"));
	assert_null(map_get(m, "k"));
	assert_int_equal(map_count(m), 0);
	map_free(NULL);
}

TEST(very_many_are_all_found)
{
	static int values[MANY];
	AUTO(map) *m = map_new();
	char key[16];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "%x", (unsigned)i * 7919u);
		assert_null(map_put(m, key, &values[i]));
	}
	assert_int_equal(map_count(m), MANY);
	for (int i = 0; i < MANY; i += 2) {
		(void)snprintf(key, sizeof(key), "%x", (unsigned)i * 7919u);
		assert_ptr_equal(map_remove(m, key), &values[i]);
	}
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(key, sizeof(key), "%x", (unsigned)i * 7919u);
		assert_ptr_equal(map_get(m, key), i % 2 ? &values[i] : NULL);
	}
}

struct tour {
	struct map *m;
	unsigned sum;
};

static void add_and_remove(const char *key, void *value, void *ctx)
{
	struct tour *t = ctx;

	t->sum += *(unsigned *)value;
	assert_ptr_equal(map_remove(t->m, key), value);
}

TEST(each_is_met_once_and_may_be_removed)
{
	unsigned values[] = {1, 2, 4, 8};
	AUTO(map) *m = map_new();
	struct tour tour = {.m = m};

	assert_null(map_put(m, "a", &values[0]));
	assert_null(map_put(m, "b", &values[1]));
	assert_null(map_put(m, "c", &values[2]));
	assert_null(map_put(m, "a longer key than eight", &values[3]));
	map_each(m, add_and_remove, &tour);

	assert_int_equal(tour.sum, 15);
	assert_int_equal(map_count(m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_found_by_its_text),
		cmocka_unit_test(putting_again_gives_the_old_back),
		cmocka_unit_test(removing_gives_the_value_back_once),
		cmocka_unit_test(very_many_are_all_found),
		cmocka_unit_test(each_is_met_once_and_may_be_removed),
	};

	return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
