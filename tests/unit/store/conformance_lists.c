// SPDX-License-Identifier: Apache-2.0
/*
 * conformance_lists.c - records found by what they were indexed with.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/store/conformance_priv.h"

static void put(struct fixture *f, const char *id,
		const struct store_index *index)
{
	const struct store_key key = {"call", id};

	assert_int_equal(bl_put_indexed(f->st, &key, id, index), 0);
}

/* Ids of the page, one after the other. */
static const char *list(struct fixture *f, const struct store_query *q)
{
	static char all[STORE_PAGE_MAX * (STORE_ID_MAX + 2)];
	struct store_query with = *q;
	size_t n = 0;

	with.kind = q->kind ? q->kind : "call";
	with.limit = q->limit ? q->limit : STORE_PAGE_MAX;
	bl_list(f->st, &with, f->page);
	assert_int_equal(f->page->err, 0);
	all[0] = '\0';
	for (size_t i = 0; i < f->page->count && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      i ? " " : "", f->page->ids[i]);
	return all;
}

PROMISE(a_list_is_newest_first)
{
	put(f, "old", &(struct store_index){.time_ms = START});
	put(f, "new", &(struct store_index){.time_ms = START + 2});
	put(f, "mid", &(struct store_index){.time_ms = START + 1});

	assert_string_equal(list(f, &(struct store_query){0}), "new mid old");
	assert_int_equal(f->page->times[0], START + 2);
	assert_string_equal(f->page->values[0], "new");
	assert_false(f->page->more);
}

PROMISE(what_has_no_index_is_in_no_list)
{
	put(f, "seen", &(struct store_index){.time_ms = START});
	put(f, "unseen", NULL);

	assert_string_equal(list(f, &(struct store_query){0}), "seen");
}

PROMISE(a_list_is_of_one_kind)
{
	const struct store_key other = {"other", "x"};

	put(f, "mine", &(struct store_index){.time_ms = START});
	assert_int_equal(
		bl_put_indexed(f->st, &other, "x",
			       &(struct store_index){.time_ms = START}),
		0);

	assert_string_equal(list(f, &(struct store_query){0}), "mine");
	assert_string_equal(list(f, &(struct store_query){.kind = "other"}),
			    "x");
	assert_string_equal(list(f, &(struct store_query){.kind = "none"}), "");
}

static void put_four(struct fixture *f)
{
	put(f, "1",
	    &(struct store_index){.time_ms = START + 1,
				  .owner = "ann",
				  .hash = "aa",
				  .label = "active",
				  .group = "DE"});
	put(f, "2",
	    &(struct store_index){.time_ms = START + 2,
				  .owner = "ann",
				  .hash = "bb",
				  .label = "done",
				  .group = "FR"});
	put(f, "3",
	    &(struct store_index){.time_ms = START + 3,
				  .owner = "bob",
				  .hash = "aa",
				  .label = "done",
				  .group = "DE"});
	put(f, "4",
	    &(struct store_index){.time_ms = START + 4,
				  .owner = "bob",
				  .hash = "cc",
				  .label = "active",
				  .group = "FR"});
}

PROMISE(a_list_narrows_by_each_index)
{
	put_four(f);

	assert_string_equal(list(f, &(struct store_query){0}), "4 3 2 1");
	assert_string_equal(list(f, &(struct store_query){.owner = "ann"}),
			    "2 1");
	assert_string_equal(list(f, &(struct store_query){.hash = "aa"}),
			    "3 1");
	assert_string_equal(list(f, &(struct store_query){.label = "done"}),
			    "3 2");
	assert_string_equal(list(f, &(struct store_query){.group = "FR"}),
			    "4 2");
	assert_string_equal(list(f, &(struct store_query){.group = "US"}), "");
}

PROMISE(a_list_narrows_by_several_at_once)
{
	put_four(f);

	assert_string_equal(
		list(f, &(struct store_query){.owner = "ann", .label = "done"}),
		"2");
	assert_string_equal(list(f, &(struct store_query){.hash = "aa",
							  .owner = "bob",
							  .group = "DE",
							  .label = "done"}),
			    "3");
	assert_string_equal(list(f, &(struct store_query){.label = "active",
							  .group = "FR"}),
			    "4");
	assert_string_equal(
		list(f, &(struct store_query){.owner = "ann", .hash = "cc"}),
		"");
}

PROMISE(since_is_included_and_until_is_not)
{
	put_four(f);

	assert_string_equal(
		list(f, &(struct store_query){.since_ms = START + 3}), "4 3");
	assert_string_equal(
		list(f, &(struct store_query){.until_ms = START + 3}), "2 1");
	assert_string_equal(list(f,
				 &(struct store_query){.since_ms = START + 2,
						       .until_ms = START + 4}),
			    "3 2");
	assert_string_equal(list(f,
				 &(struct store_query){.owner = "bob",
						       .until_ms = START + 4}),
			    "3");
}

PROMISE(a_record_is_listed_as_it_was_last_put)
{
	put_four(f);
	put(f, "1",
	    &(struct store_index){
		    .time_ms = START + 9, .owner = "bob", .label = "done"});

	assert_string_equal(list(f, &(struct store_query){0}), "1 4 3 2");
	assert_string_equal(list(f, &(struct store_query){.owner = "ann"}),
			    "2");
	assert_string_equal(list(f, &(struct store_query){.hash = "aa"}), "3");
	assert_string_equal(list(f, &(struct store_query){.label = "done"}),
			    "1 3 2");
}

PROMISE(what_was_deleted_is_in_no_list)
{
	put_four(f);
	assert_int_equal(bl_delete(f->st, 0, "call", "3"), 0);

	assert_string_equal(list(f, &(struct store_query){0}), "4 2 1");
	assert_string_equal(list(f, &(struct store_query){.hash = "aa"}), "1");
}

PROMISE(lists_go_over_all_partitions)
{
	static const struct store_key key = {"call", "x"};
	const struct store_index index = {.time_ms = START};

	put(f, "x", &index);
	for (unsigned p = 1; p < 3; p++) {
		struct bl_text r;

		assert_int_equal(bl_put(f->st, p, "call", "x", "v"), 0);
		r = bl_get(f->st, p, "call", "x");
		assert_true(r.there);
	}
	assert_int_equal(bl_put_indexed(f->st, &key, "v", &index), 0);

	assert_string_equal(list(f, &(struct store_query){0}), "x");
	assert_int_equal(f->page->partitions[0], 0);
}

/* --- pages ---------------------------------------------------------------- */

enum { MANY = 57, PAGE = 10 };

/* Three of each time, so that pages end among equals. */
static void put_many(struct fixture *f)
{
	for (int i = 0; i < MANY; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "r%02d", i);
		put(f, id,
		    &(struct store_index){.time_ms = START + i / 3,
					  .owner = i % 2 ? "odd" : "even"});
	}
}

PROMISE(pages_follow_each_other_without_gap_or_repeat)
{
	char cursor[STORE_CURSOR_BYTES] = "";
	bool seen[MANY] = {0};
	int64_t before = INT64_MAX;
	int total = 0;

	put_many(f);
	do {
		struct store_query q = {.kind = "call",
					.limit = PAGE,
					.cursor = *cursor ? cursor : NULL};

		bl_list(f->st, &q, f->page);
		assert_int_equal(f->page->err, 0);
		for (size_t i = 0; i < f->page->count; i++) {
			int n = (f->page->ids[i][1] - '0') * 10 +
				f->page->ids[i][2] - '0';

			assert_false(seen[n]);
			assert_true(f->page->times[i] <= before);
			seen[n] = true;
			before = f->page->times[i];
			total++;
		}
		(void)snprintf(cursor, sizeof(cursor), "%s", f->page->next);
	} while (f->page->more);

	assert_int_equal(total, MANY);
}

PROMISE(a_full_last_page_has_no_next)
{
	put_four(f);

	assert_string_equal(list(f, &(struct store_query){.limit = 4}),
			    "4 3 2 1");
	assert_false(f->page->more);
	assert_string_equal(list(f, &(struct store_query){.limit = 3}),
			    "4 3 2");
	assert_true(f->page->more);
}

PROMISE(pages_stay_stable_while_others_write)
{
	char cursor[STORE_CURSOR_BYTES];

	put_four(f);
	(void)list(f, &(struct store_query){.limit = 2});
	(void)snprintf(cursor, sizeof(cursor), "%s", f->page->next);
	/* newer ones come, the last one of the page goes, as does another */
	put(f, "5", &(struct store_index){.time_ms = START + 5});
	assert_int_equal(bl_delete(f->st, 0, "call", "3"), 0);
	assert_int_equal(bl_delete(f->st, 0, "call", "1"), 0);

	assert_string_equal(
		list(f, &(struct store_query){.limit = 2, .cursor = cursor}),
		"2");
}

PROMISE(a_cursor_goes_on_in_a_narrowed_list)
{
	char cursor[STORE_CURSOR_BYTES];

	put_many(f);
	(void)list(f, &(struct store_query){.limit = 28, .owner = "odd"});
	assert_false(f->page->more);
	(void)list(f, &(struct store_query){.limit = 20, .owner = "odd"});
	(void)snprintf(cursor, sizeof(cursor), "%s", f->page->next);

	assert_string_equal(list(f, &(struct store_query){.cursor = cursor,
							  .owner = "odd"}),
			    "r15 r13 r11 r09 r07 r05 r03 r01");
}

PROMISE(a_strange_cursor_is_refused)
{
	static const char *const strange[] = {
		"x",   "r",     "r1",
		"r1.", "r.1",   "r1.2.3",
		"e5",  "r-1.2", "r99999999999999999999.1",
	};

	put_four(f);
	for (size_t i = 0; i < COUNT_OF(strange); i++) {
		struct store_query q = {
			.kind = "call", .limit = 1, .cursor = strange[i]};

		bl_list(f->st, &q, f->page);
		assert_int_equal(f->page->err, -EINVAL);
	}
}

PROMISE(a_page_may_be_so_large_and_no_larger)
{
	struct store_query q = {.kind = "call", .limit = STORE_PAGE_MAX + 1};

	bl_list(f->st, &q, f->page);
	assert_int_equal(f->page->err, -EINVAL);
	q.limit = 0;
	bl_list(f->st, &q, f->page);
	assert_int_equal(f->page->err, -EINVAL);
}

/* --- keeping ---------------------------------------------------------------- */

PROMISE(what_expired_is_swept_and_nothing_else)
{
	put(f, "gone",
	    &(struct store_index){.time_ms = START,
				  .expires_ms = START + HOUR});
	put(f, "later",
	    &(struct store_index){.time_ms = START, .expires_ms = START + DAY});
	put(f, "never", &(struct store_index){.time_ms = START});
	assert_int_equal(bl_sweep(f->st, 0), 0);
	assert_true(bl_get(f->st, 0, "call", "gone").there);

	clock_advance(f->clock, 2 * HOUR);
	assert_int_equal(bl_sweep(f->st, 0), 1);

	assert_string_equal(list(f, &(struct store_query){0}), "never later");
	assert_false(bl_get(f->st, 0, "call", "gone").there);
}

PROMISE(an_expiry_that_was_moved_counts_as_moved)
{
	put(f, "x",
	    &(struct store_index){.time_ms = START,
				  .expires_ms = START + HOUR});
	put(f, "x",
	    &(struct store_index){.time_ms = START, .expires_ms = START + DAY});
	put(f, "y",
	    &(struct store_index){.time_ms = START,
				  .expires_ms = START + HOUR});
	put(f, "y", &(struct store_index){.time_ms = START});

	clock_advance(f->clock, 2 * HOUR);
	assert_int_equal(bl_sweep(f->st, 0), 0);
	clock_advance(f->clock, DAY);
	assert_int_equal(bl_sweep(f->st, 0), 1);
	assert_false(bl_get(f->st, 0, "call", "x").there);
	assert_true(bl_get(f->st, 0, "call", "y").there);
}

PROMISE(a_sweep_goes_on_until_all_is_gone)
{
	for (int i = 0; i < 700; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "r%d", i);
		put(f, id, &(struct store_index){.expires_ms = START + 1});
	}
	clock_advance(f->clock, HOUR);

	assert_int_equal(bl_sweep(f->st, 0), 700);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_list_is_newest_first),
	cmocka_unit_test(what_has_no_index_is_in_no_list),
	cmocka_unit_test(a_list_is_of_one_kind),
	cmocka_unit_test(a_list_narrows_by_each_index),
	cmocka_unit_test(a_list_narrows_by_several_at_once),
	cmocka_unit_test(since_is_included_and_until_is_not),
	cmocka_unit_test(a_record_is_listed_as_it_was_last_put),
	cmocka_unit_test(what_was_deleted_is_in_no_list),
	cmocka_unit_test(lists_go_over_all_partitions),
	cmocka_unit_test(pages_follow_each_other_without_gap_or_repeat),
	cmocka_unit_test(a_full_last_page_has_no_next),
	cmocka_unit_test(pages_stay_stable_while_others_write),
	cmocka_unit_test(a_cursor_goes_on_in_a_narrowed_list),
	cmocka_unit_test(a_strange_cursor_is_refused),
	cmocka_unit_test(a_page_may_be_so_large_and_no_larger),
	cmocka_unit_test(what_expired_is_swept_and_nothing_else),
	cmocka_unit_test(an_expiry_that_was_moved_counts_as_moved),
	cmocka_unit_test(a_sweep_goes_on_until_all_is_gone),
};
const struct part conformance_lists = PART(tests);
