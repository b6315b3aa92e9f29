// SPDX-License-Identifier: Apache-2.0
/*
 * test_form.c - is a form read as its sender meant it, or not at all?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "support/test.h"
#include "web/web.h"

enum { SAID_MAX = 8192 };

static int note(const char *name, const char *value, void *ctx)
{
	buf_printf(ctx, "%s[%s]", name, value);
	return 0;
}

static void reads(const char *text, const char *as)
{
	AUTO_BUF(said, SAID_MAX);

	buf_str(&said, "");
	assert_int_equal(web_form(span_of(text), note, &said), 0);
	if (!span_is(buf_view(&said), as))
		fail_msg("%s is read as %.*s", text, (int)said.n, said.p);
}

static void refused(struct span text, int err)
{
	AUTO_BUF(said, SAID_MAX);

	assert_int_equal(web_form(text, note, &said), err);
	assert_int_equal(said.n, 0);
}

TEST(pairs_are_told_in_their_order)
{
	reads("to=%2B15671234567&channel=call",
	      "to[+15671234567]channel[call]");
	reads("a=1&a=2", "a[1]a[2]");
}

TEST(a_plus_is_a_blank_and_an_escaped_one_is_a_plus)
{
	reads("name=A+B%2bC", "name[A B+C]");
	reads("a+b=c", "a b[c]");
}

TEST(what_is_missing_is_empty)
{
	reads("", "");
	reads("&&", "");
	reads("a", "a[]");
	reads("a=", "a[]");
	reads("=b", "[b]");
	reads("a&b&c", "a[]b[]c[]");
	reads("a=b=c", "a[b=c]");
}

TEST(it_speaks_utf_8)
{
	reads("brand=Caf%C3%A9", "brand[Caf\xc3\xa9]");
	reads("brand=Caf\xc3\xa9", "brand[Caf\xc3\xa9]");
	refused(span_of("brand=Caf%E9"), -EINVAL);
	refused(span_of("brand=%C3"), -EINVAL);
	refused(span_of("brand=%ED%A0%80"), -EINVAL);
	/* halves of one letter do not meet over a boundary */
	refused(span_of("a=%C3&%A9=b"), -EINVAL);
}

TEST(what_is_no_form_is_refused_before_any_of_it_is_told)
{
	const char *const bad[] = {"a=1&b=%",    "a=1&b=%4", "a=1&b=%4g",
				   "a=1&b=%g4",  "a=1&b=%%", "a=1&b=\n",
				   "a=1&b=\x7f", "a=1&%=b"};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refused(span_of(bad[i]), -EINVAL);
}

TEST(a_nul_is_refused_in_either_form)
{
	refused(span_of("code=1234%0056"), -EINVAL);
	refused(span_make("a=\0b", 4), -EINVAL);
}

TEST(more_pairs_than_the_limit_are_refused)
{
	AUTO_BUF(text, SAID_MAX);
	AUTO_BUF(said, SAID_MAX);

	for (int i = 0; i < WEB_FORM_MAX; i++)
		buf_str(&text, "a&");
	assert_int_equal(web_form(buf_view(&text), note, &said), 0);
	buf_str(&text, "a");
	refused(buf_view(&text), -E2BIG);
}

static int stop(const char *name, const char *value, void *ctx)
{
	(void)value;
	(*(int *)ctx)++;
	return strcmp(name, "b") == 0 ? -EPERM : 0;
}

TEST(whoever_is_told_may_end_it)
{
	int told = 0;

	assert_int_equal(web_form(span_of("a=1&b=2&c=3"), stop, &told), -EPERM);
	assert_int_equal(told, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_told_in_their_order),
		cmocka_unit_test(
			a_plus_is_a_blank_and_an_escaped_one_is_a_plus),
		cmocka_unit_test(what_is_missing_is_empty),
		cmocka_unit_test(it_speaks_utf_8),
		cmocka_unit_test(
			what_is_no_form_is_refused_before_any_of_it_is_told),
		cmocka_unit_test(a_nul_is_refused_in_either_form),
		cmocka_unit_test(more_pairs_than_the_limit_are_refused),
		cmocka_unit_test(whoever_is_told_may_end_it),
	};

	return cmocka_run_group_tests_name("web/form", tests, NULL, NULL);
}
