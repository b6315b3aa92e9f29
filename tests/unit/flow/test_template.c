// SPDX-License-Identifier: Apache-2.0
/*
 * test_template.c - {{...}}: what is put in, how it is changed, and that nothing
 * which is put in is looked at again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"
#include "support/test.h"

/* A flow with three slots: a.b, a.c (secret), a.d (not set). */
struct bench {
	struct flow flow;
	const char *values[3];
};

static const char *value(const void *ctx, int slot)
{
	const struct bench *b = ctx;

	return b->values[slot];
}

static void begin(struct bench *b, const char *first)
{
	memset(b, 0, sizeof(*b));
	(void)flow_slot_add(&b->flow, "a", "b", "");
	(void)flow_slot_add(&b->flow, "a", "c", "");
	(void)flow_slot_add(&b->flow, "a", "d", "");
	b->flow.slots[1].secret = true;
	b->values[0] = first;
	b->values[1] = "482913";
}

static void end(struct bench *b)
{
	for (size_t i = 0; i < b->flow.kept_count; i++)
		free(b->flow.kept[i]);
	free(b->flow.kept);
	free(b->flow.slots);
}

static struct flow_template *parsed(struct bench *b, const char *text,
				    enum flow_place place)
{
	struct diag d = {0};
	struct flow_template *t = flow_template_parse(&b->flow, text, &d);

	if (!t)
		return NULL;
	t->place = place;
	for (size_t i = 0; i < t->count; i++)
		if (!t->parts[i].literal)
			t->parts[i].slot =
				flow_slot_find(&b->flow, t->parts[i].path);
	return t;
}

static int expand(const char *text, const char *first, enum flow_place place,
		  char out[256])
{
	struct bench b;
	struct flow_template *t;
	struct flow_expand how = {value, &b};
	AUTO_BUF(to, 255);
	int err;

	begin(&b, first);
	t = parsed(&b, text, place);
	assert_non_null(t);
	err = flow_template_expand(&b.flow, t, &how, &to);
	if (!err)
		(void)snprintf(out, 256, "%s", to.p ? to.p : "");
	end(&b);
	return err;
}

static void assert_gives(const char *text, const char *first,
			 const char *expected)
{
	char out[256];

	assert_int_equal(expand(text, first, FLOW_PLACE_PLAIN, out), 0);
	assert_string_equal(out, expected);
}

static bool is_refused(const char *text)
{
	struct bench b;
	bool refused;

	begin(&b, "");
	refused = !parsed(&b, text, FLOW_PLACE_PLAIN);
	end(&b);
	return refused;
}

TEST(text_without_references_is_itself)
{
	assert_gives("Hello } { there", "x", "Hello } { there");
	assert_gives("", "x", "");
}

TEST(references_are_filled_in)
{
	assert_gives("{{a.b}}", "Ada", "Ada");
	assert_gives("Hi {{ a.b }}, {{a.b}}!", "Ada", "Hi Ada, Ada!");
	assert_gives("<{{a.d}}>", "Ada", "<>");
}

TEST(filters_are_applied_in_order)
{
	assert_gives("{{a.b | digits}}", "+1 (500) 55", "150055");
	assert_gives("{{a.b | spaced}}", "4829", "4 8 2 9");
	assert_gives("{{a.b|spaced}}", "\u00fc\u00e4", "\u00fc \u00e4");
	assert_gives("{{a.b | upper}}", "aBc1", "ABC1");
	assert_gives("{{a.b | lower}}", "aBc1", "abc1");
	assert_gives("{{a.b | digits | spaced}}", "a1b2", "1 2");
	assert_gives("{{a.d | default:\"x | }} y\" | upper}}", "", "X | }} Y");
	assert_gives("{{a.b | default:\"no\"}}", "yes", "yes");
	assert_gives("{{a.b | digits | default:\"none\"}}", "abc", "none");
}

TEST(values_are_never_expanded_again)
{
	assert_gives("{{a.b}}", "{{a.c}}", "{{a.c}}");
	assert_gives("{{a.d | default:\"{{a.c\"}}", "", "{{a.c");
}

TEST(values_are_escaped_within_ssml)
{
	char out[256];

	assert_int_equal(expand("<p>{{a.b}}</p>", "<a b='c' d=\"e\">&",
				FLOW_PLACE_SSML, out),
			 0);
	assert_string_equal(out, "<p>&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;"
				 "&amp;</p>");
}

TEST(malformed_references_are_refused)
{
	assert_true(is_refused("{{"));
	assert_true(is_refused("{{a.b"));
	assert_true(is_refused("{{}}"));
	assert_true(is_refused("{{a}}"));
	assert_true(is_refused("{{a.}}"));
	assert_true(is_refused("{{.b}}"));
	assert_true(is_refused("{{a..b}}"));
	assert_true(is_refused("{{a.b c}}"));
	assert_true(is_refused("{{a.b | }}"));
	assert_true(is_refused("{{a.b | shout}}"));
	assert_true(is_refused("{{a.b | default}}"));
	assert_true(is_refused("{{a.b | default:no}}"));
	assert_true(is_refused("{{a.b | default:\"a\"b\"}}"));
	assert_true(is_refused("{{a.b|upper|upper|upper|upper|upper}}"));
}

TEST(a_template_has_a_limit_of_parts)
{
	AUTO_BUF(b, 4096);

	for (int i = 0; i <= FLOW_PARTS_MAX; i++)
		buf_str(&b, "{{a.b}}");
	assert_true(is_refused(b.p));
}

TEST(values_in_a_url_are_percent_encoded)
{
	char out[256];

	assert_int_equal(expand("https://h/{{a.b}}/x", "a/b?c=d e#\u00e9",
				FLOW_PLACE_URL, out),
			 0);
	assert_string_equal(out, "https://h/a%2Fb%3Fc%3Dd%20e%23%C3%A9/x");
	assert_int_equal(expand("https://h/{{a.b}}", "A-z_0.9~", FLOW_PLACE_URL,
				out),
			 0);
	assert_string_equal(out, "https://h/A-z_0.9~");
	assert_int_equal(expand("https://h/{{a.b}}/x", "..", FLOW_PLACE_URL,
				out),
			 -ENODATA);
}

TEST(a_value_that_is_too_long_is_refused)
{
	AUTO_BUF(b, (size_t)2 * FLOW_VALUE_MAX);
	char out[256];

	for (int i = 0; i <= FLOW_VALUE_MAX; i++)
		buf_byte(&b, 'x');
	assert_int_equal(expand("{{a.b}}", b.p, FLOW_PLACE_PLAIN, out), -E2BIG);
	b.p[FLOW_VALUE_MAX / 2 + 1] = '\0';
	assert_int_equal(expand("{{a.b | spaced}}", b.p, FLOW_PLACE_PLAIN, out),
			 -E2BIG);
}

TEST(a_secret_reaches_speech_as_digits_or_not_at_all)
{
	struct bench b;
	struct flow_template *t;
	struct flow_expand how = {value, &b};
	AUTO_BUF(to, 255);

	begin(&b, "");
	t = parsed(&b, "<say-as interpret-as=\"digits\">{{a.c}}</say-as>",
		   FLOW_PLACE_SSML);
	assert_int_equal(flow_template_expand(&b.flow, t, &how, &to), 0);
	b.values[1] = "swordfish";
	assert_int_equal(flow_template_expand(&b.flow, t, &how, &to), -ENODATA);
	b.values[1] = "";
	assert_int_equal(flow_template_expand(&b.flow, t, &how, &to), -ENODATA);
	end(&b);
}

static bool is_spelt(const char *text)
{
	struct bench b;
	struct flow_template *t;
	bool yes = false;

	begin(&b, "");
	t = parsed(&b, text, FLOW_PLACE_SSML);
	for (size_t i = 0; i < t->count; i++)
		yes |= !t->parts[i].literal && flow_template_is_spelt(t, i);
	end(&b);
	return yes;
}

TEST(only_a_whole_say_as_spells)
{
	assert_true(is_spelt("<say-as interpret-as=\"digits\">{{a.c}}"
			     "</say-as>"));
	assert_true(is_spelt("x<say-as interpret-as='spell-out'>{{a.c}}"
			     "</say-as>y"));
	assert_false(is_spelt("<say-as interpret-as=\"cardinal\">{{a.c}}"
			      "</say-as>"));
	assert_false(is_spelt("<say-as interpret-as=\"digitsx\">{{a.c}}"
			      "</say-as>"));
	assert_false(is_spelt("<say-as interpret-as=\"digits\">1{{a.c}}"
			      "</say-as>"));
	assert_false(is_spelt("<say-as interpret-as=\"digits\">{{a.c}}1"
			      "</say-as>"));
	assert_false(is_spelt("<say-as interpret-as=\"digits\"><p>{{a.c}}"
			      "</say-as>"));
	assert_false(is_spelt("{{a.c}}"));
}

TEST(names_are_letters_first)
{
	assert_true(flow_is_name("Ask-2_b"));
	assert_false(flow_is_name(""));
	assert_false(flow_is_name("2b"));
	assert_false(flow_is_name("a b"));
	assert_false(flow_is_name("a.b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_without_references_is_itself),
		cmocka_unit_test(references_are_filled_in),
		cmocka_unit_test(filters_are_applied_in_order),
		cmocka_unit_test(values_are_never_expanded_again),
		cmocka_unit_test(values_in_a_url_are_percent_encoded),
		cmocka_unit_test(values_are_escaped_within_ssml),
		cmocka_unit_test(malformed_references_are_refused),
		cmocka_unit_test(a_template_has_a_limit_of_parts),
		cmocka_unit_test(a_value_that_is_too_long_is_refused),
		cmocka_unit_test(
			a_secret_reaches_speech_as_digits_or_not_at_all),
		cmocka_unit_test(only_a_whole_say_as_spells),
		cmocka_unit_test(names_are_letters_first),
	};

	return cmocka_run_group_tests_name("flow/template", tests, NULL, NULL);
}
