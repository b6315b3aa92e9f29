// SPDX-License-Identifier: Apache-2.0
/*
 * test_first.c - the shortest way through: create, call, speak, check.
 */
#include <string.h>

#include "support/world.h"

TEST(a_code_that_was_spoken_is_approved_once)
{
	struct world *w = *state;
	struct answer made = world_create(w, "+15555550110", "speak");
	char code[CODE_BYTES];

	assert_false(made.refused);
	(void)world_until_ended(w, made.v.id);
	world_code(w, &made.v, code);

	assert_non_null(strstr(w->heard, code));
	assert_int_equal(world_check(w, made.v.id, code).result,
			 CHECK_APPROVED);
	assert_int_equal(world_check(w, made.v.id, code).result, CHECK_USED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_code_that_was_spoken_is_approved_once, world_setup,
			world_teardown),
	};

	return cmocka_run_group_tests_name("scenario/first", tests,
					   world_voices, world_no_voices);
}
