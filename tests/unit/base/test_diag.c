// SPDX-License-Identifier: Apache-2.0
/*
 * test_diag.c - does an error say where, which field, and what?
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "base/span.h"

static void assert_diag(const struct diag *d, const char *file,
			const char *text)
{
	char got[600];

	diag_text(d, file, got, sizeof(got));
	assert_string_equal(got, text);
}

TEST(all_parts_are_told)
{
	struct diag d = {0};

	assert_int_equal(diag_field(&d, "listen", "not an address"), -EINVAL);
	assert_int_equal(diag_at(&d, 3, 7, "not %s", "an address"), -EINVAL);

	assert_diag(&d, "settings.yaml",
		    "settings.yaml:3:7: listen: not an address");
}

TEST(absent_parts_are_not_told)
{
	struct diag d = {0};

	assert_int_equal(diag_set(&d, "no"), -EINVAL);
	assert_diag(&d, NULL, "no");
	assert_diag(&d, "f", "f: no");
	assert_int_equal(diag_at(&d, 3, 0, "no"), -EINVAL);
	assert_diag(&d, "f", "f:3: no");
	assert_diag(&d, "", "3: no");
	d.line = 0;
	assert_int_equal(diag_field(&d, "a.b", "no %d", 5), -EINVAL);
	assert_diag(&d, NULL, "a.b: no 5");
}

TEST(nobody_need_listen)
{
	assert_int_equal(diag_set(NULL, "x"), -EINVAL);
	assert_int_equal(diag_at(NULL, 1, 1, "x"), -EINVAL);
	assert_int_equal(diag_field(NULL, "f", "x"), -EINVAL);
}

TEST(long_texts_are_cut_between_characters)
{
	char many[1000];
	struct diag d = {0};
	char out[10];

	/* an odd byte in front, so that the limit falls into a character */
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? '\xc3' : '\xa9';
	many[0] = 'a';
	many[sizeof(many) - 1] = '\0';

	assert_int_equal(diag_field(&d, many, "%s", many), -EINVAL);
	assert_true(span_utf8(span_of(d.field)));
	assert_true(span_utf8(span_of(d.message)));
	assert_true(strlen(d.message) >= DIAG_MESSAGE_BYTES - 2);
	diag_text(&d, "x", out, sizeof(out));
	assert_true(span_utf8(span_of(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts_are_told),
		cmocka_unit_test(absent_parts_are_not_told),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(long_texts_are_cut_between_characters),
	};

	return cmocka_run_group_tests_name("base/diag", tests, NULL, NULL);
}
