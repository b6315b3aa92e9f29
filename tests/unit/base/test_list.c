// SPDX-License-Identifier: Apache-2.0
/*
 * test_list.c - does the ring stay a ring?
 */
#include "support/test.h"

#include "base/list.h"

struct bead {
	int number;
	struct link link;
};

/* The beads in order, as a decimal number. */
static int sequence(const struct link *head)
{
	int all = 0;

	ll_each (at, head)
		all = all * 10 + ll_entry(at, struct bead, link)->number;
	return all;
}

TEST(links_stay_in_the_order_they_came)
{
	struct bead a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct link head;

	ll_init(&head);
	assert_true(ll_empty(&head));
	assert_null(ll_first(&head));
	ll_append(&head, &a.link);
	ll_append(&head, &b.link);
	ll_append(&head, &c.link);

	assert_int_equal(sequence(&head), 123);
	assert_ptr_equal(ll_first(&head), &a.link);
}

TEST(taking_one_out_twice_is_fine)
{
	struct bead a = {.number = 1}, b = {.number = 2};
	struct link head;

	ll_init(&head);
	ll_append(&head, &a.link);
	ll_append(&head, &b.link);
	ll_remove(&a.link);
	ll_remove(&a.link);

	assert_int_equal(sequence(&head), 2);
}

TEST(each_may_be_taken_out_on_the_way)
{
	struct bead beads[4] = {{.number = 1}, {.number = 2}, {.number = 3}};
	struct link head;

	ll_init(&head);
	for (int i = 0; i < 3; i++)
		ll_append(&head, &beads[i].link);
	ll_each_safe (at, &head)
		ll_remove(at);

	assert_true(ll_empty(&head));
}

TEST(a_splice_empties_the_one_into_the_other)
{
	struct bead a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
	struct link to, from;

	ll_init(&to);
	ll_init(&from);
	ll_splice(&to, &from);
	assert_true(ll_empty(&to));
	ll_append(&to, &a.link);
	ll_append(&from, &b.link);
	ll_append(&from, &c.link);
	ll_splice(&to, &from);

	assert_true(ll_empty(&from));
	assert_int_equal(sequence(&to), 123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_in_the_order_they_came),
		cmocka_unit_test(taking_one_out_twice_is_fine),
		cmocka_unit_test(each_may_be_taken_out_on_the_way),
		cmocka_unit_test(a_splice_empties_the_one_into_the_other),
	};

	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
