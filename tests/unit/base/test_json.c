// SPDX-License-Identifier: Apache-2.0
/*
 * test_json.c - is bad JSON refused, and is the place named?
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define BYTES(s) span_make(s, sizeof(s) - 1)

static json_t *parsed(const char *text)
{
	struct diag d = {0};
	json_t *o = NULL;

	if (js_parse(span_of(text), &o, &d))
		fail_msg("%d:%d: %s", d.line, d.column, d.message);
	return o;
}

static void assert_refused(struct span text, int line, int column,
			   const char *message)
{
	json_t *const untouched = (json_t *)(void *)&line;
	json_t *o = untouched;
	struct diag d = {0};

	assert_int_equal(js_parse(text, &o, &d), -EINVAL);
	assert_ptr_equal(o, untouched);
	assert_int_equal(d.line, line);
	assert_int_equal(d.column, column);
	if (!strstr(d.message, message))
		fail_msg("said: %s", d.message);
	assert_int_equal(js_parse(text, &o, NULL), -EINVAL);
}

static void assert_same_text(const char *from, const char *to)
{
	AUTO_JSON json_t *o = parsed(from);
	AUTO_FREE char *text = js_text(o);

	assert_string_equal(text, to);
}

TEST(any_one_value_is_a_document)
{
	assert_same_text(" { \"b\" : [1, true,null], \"a\": \"\\u00e9\" } \n",
			 "{\"a\":\"\xc3\xa9\",\"b\":[1,true,null]}");
	assert_same_text("7", "7");
	assert_same_text("\"x\"", "\"x\"");
	assert_same_text("null", "null");
}

TEST(errors_are_placed)
{
	assert_refused(BYTES("{\n  \"a\": 1,\n  \"b\" 2\n}"), 3, 7, "':'");
	assert_refused(BYTES("[1, 2"), 1, 5, "']'");
	assert_refused(BYTES("{\"a\": 1} x"), 1, 10, "end of file");
	assert_refused(BYTES("[\"\xc3\xa9\", x]"), 1, 7, "invalid token");
}

TEST(nothing_is_not_a_value)
{
	struct diag d = {0};
	json_t *o = NULL;

	assert_int_equal(js_parse(span_of(NULL), &o, &d), -EINVAL);
	assert_int_equal(d.line, 1);
	assert_int_equal(d.column, 1);
	assert_true(d.message[0] != '\0');
	assert_int_equal(js_parse(span_of("  "), &o, &d), -EINVAL);
}

TEST(a_key_may_not_come_twice)
{
	assert_refused(BYTES("{\"a\": 1,\n \"a\": 2}"), 2, 4, "duplicate");
}

TEST(numbers_that_cannot_be_held_are_refused)
{
	assert_refused(BYTES("[92233720368547758080]"), 1, 21, "too big");
	assert_refused(BYTES("[1e999]"), 1, 6, "overflow");
	assert_refused(BYTES("[01]"), 1, 2, "invalid token");
	assert_refused(BYTES("[NaN]"), 1, 4, "invalid token");
}

TEST(text_that_is_no_utf8_is_refused_where_it_is)
{
	assert_refused(BYTES("[\n \"\xc3\xa9\xff\"]"), 2, 4, "UTF-8");
	assert_refused(BYTES("[\"\xed\xa0\x80\"]"), 1, 3, "UTF-8");
	assert_refused(BYTES("[\"\xe2\x82"), 1, 3, "UTF-8");
	assert_refused(BYTES("[1]\0"), 1, 4, "UTF-8");
}

TEST(escapes_cannot_smuggle_nul_or_half_characters)
{
	json_t *o = NULL;

	assert_int_equal(js_parse(BYTES("[\"\\u0000\"]"), &o, NULL), -EINVAL);
	assert_int_equal(js_parse(BYTES("[\"\\ud800\"]"), &o, NULL), -EINVAL);
	assert_int_equal(js_parse(BYTES("{\"\\u0000\":1}"), &o, NULL), -EINVAL);
	assert_null(o);
}

TEST(sixteen_deep_is_fine_and_seventeen_is_not)
{
	assert_same_text("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
			 "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]");
	assert_refused(BYTES("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), 1, 17,
		       "deep");
	assert_refused(BYTES("[[[[[[[[[[[[[[[[\n{}]]]]]]]]]]]]]]]]"), 2, 1,
		       "deep");
}

TEST(depth_bombs_are_refused_before_parsing)
{
	enum { MANY = 1000000 };
	AUTO_FREE char *bomb = b_zero(1, MANY + 1);

	memset(bomb, '[', MANY);
	assert_refused(span_make(bomb, MANY), 1, 17, "deep");
	for (size_t i = 0; i < MANY; i++)
		bomb[i] = "{\"a\":"[i % 5];
	assert_refused(span_make(bomb, MANY), 1, 81, "deep");
}

TEST(brackets_in_texts_are_no_depth)
{
	assert_same_text("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[\\\\\", 1]",
			 "[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[\\\\\",1]");
	assert_same_text("[[1],[2],[3],[4],[5],[6],[7],[8],[9],[1],[2],[3],"
			 "[4],[5],[6],[7],[8],[9]]",
			 "[[1],[2],[3],[4],[5],[6],[7],[8],[9],[1],[2],[3],"
			 "[4],[5],[6],[7],[8],[9]]");
}

TEST(members_come_in_their_types)
{
	AUTO_JSON json_t *o = parsed("{\"t\":\"hi\",\"i\":-5,\"b\":true,"
				     "\"o\":{},\"a\":[]}");
	json_t *object = NULL, *array = NULL;
	const char *text = NULL;
	bool flag = false;
	int64_t n = 0;

	assert_int_equal(js_get_text(o, "t", 2, &text, NULL), 0);
	assert_string_equal(text, "hi");
	assert_int_equal(js_get_int(o, "i", -5, 5, &n, NULL), 0);
	assert_int_equal(n, -5);
	assert_int_equal(js_get_bool(o, "b", &flag, NULL), 0);
	assert_true(flag);
	assert_int_equal(js_get_object(o, "o", &object, NULL), 0);
	assert_true(json_is_object(object));
	assert_int_equal(js_get_array(o, "a", &array, NULL), 0);
	assert_true(json_is_array(array));
}

TEST(absent_members_leave_the_default)
{
	AUTO_JSON json_t *o = parsed("{}");
	json_t *object = NULL, *array = NULL;
	const char *text = "default";
	bool flag = true;
	int64_t n = 42;

	assert_int_equal(js_get_text(o, "x", 9, &text, NULL), 0);
	assert_int_equal(js_get_int(o, "x", 0, 1, &n, NULL), 0);
	assert_int_equal(js_get_bool(o, "x", &flag, NULL), 0);
	assert_int_equal(js_get_object(o, "x", &object, NULL), 0);
	assert_int_equal(js_get_array(o, "x", &array, NULL), 0);
	assert_string_equal(text, "default");
	assert_int_equal(n, 42);
	assert_true(flag);
	assert_null(object);
	assert_null(array);
}

TEST(wrong_types_name_the_field)
{
	AUTO_JSON json_t *o = parsed("{\"n\":null,\"r\":5.0,\"s\":\"5\"}");
	const char *text = NULL;
	json_t *any = NULL;
	struct diag d = {0};
	int64_t n = 0;
	bool flag = false;

	assert_int_equal(js_get_text(o, "n", 9, &text, &d), -EINVAL);
	assert_string_equal(d.field, "n");
	assert_int_equal(js_get_int(o, "r", 0, 9, &n, &d), -EINVAL);
	assert_string_equal(d.field, "r");
	assert_int_equal(js_get_int(o, "s", 0, 9, &n, &d), -EINVAL);
	assert_string_equal(d.field, "s");
	assert_int_equal(js_get_bool(o, "n", &flag, &d), -EINVAL);
	assert_string_equal(d.message, "must be true or false");
	assert_int_equal(js_get_object(o, "n", &any, &d), -EINVAL);
	assert_int_equal(js_get_array(o, "s", &any, &d), -EINVAL);
	assert_null(any);
}

TEST(limits_of_members_are_kept)
{
	AUTO_JSON json_t *o = parsed("{\"s\":\"\xc3\xa9\",\"i\":10}");
	const char *text = NULL;
	struct diag d = {0};
	int64_t n = 0;

	assert_int_equal(js_get_text(o, "s", 1, &text, &d), -EINVAL);
	assert_string_equal(d.message, "must be at most 1 bytes long");
	assert_int_equal(js_get_int(o, "i", 11, 12, &n, &d), -EINVAL);
	assert_int_equal(js_get_int(o, "i", 1, 9, &n, &d), -EINVAL);
	assert_string_equal(d.message, "must be from 1 to 9");
	assert_null(text);
	assert_int_equal(n, 0);
}

TEST(the_first_unknown_key_is_found)
{
	static const char *const known[] = {"a", "b", NULL};
	AUTO_JSON json_t *good = parsed("{\"b\":1,\"a\":2}");
	AUTO_JSON json_t *bad = parsed("{\"b\":1,\"z\":2,\"y\":3}");

	assert_null(js_unknown(good, known));
	assert_string_equal(js_unknown(bad, known), "z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_value_is_a_document),
		cmocka_unit_test(errors_are_placed),
		cmocka_unit_test(nothing_is_not_a_value),
		cmocka_unit_test(a_key_may_not_come_twice),
		cmocka_unit_test(numbers_that_cannot_be_held_are_refused),
		cmocka_unit_test(text_that_is_no_utf8_is_refused_where_it_is),
		cmocka_unit_test(escapes_cannot_smuggle_nul_or_half_characters),
		cmocka_unit_test(sixteen_deep_is_fine_and_seventeen_is_not),
		cmocka_unit_test(depth_bombs_are_refused_before_parsing),
		cmocka_unit_test(brackets_in_texts_are_no_depth),
		cmocka_unit_test(members_come_in_their_types),
		cmocka_unit_test(absent_members_leave_the_default),
		cmocka_unit_test(wrong_types_name_the_field),
		cmocka_unit_test(limits_of_members_are_kept),
		cmocka_unit_test(the_first_unknown_key_is_found),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
