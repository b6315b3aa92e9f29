// SPDX-License-Identifier: Apache-2.0
/*
 * test_check.c - the checker on documents: each fixture draws what its name
 * says, and nothing else.
 *
 * A fixture is called <code>.json or <code>.<what>.json; those in good/ draw
 * nothing.  Hints (info) are let pass, except where they are what is asked for.
 */
#include <errno.h>
#include <glob.h>

#include "support/flow_world.h"

static struct phrases *scripts;

static int setup(void **state)
{
	(void)state;
	scripts = test_phrases();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	phrases_free(scripts);
	return 0;
}

static int load(const char *text, size_t n, struct flow **out,
		struct flow_findings *findings)
{
	struct flow_world world = test_world(scripts);

	return flow_load(span_make(text, n), &world, out, findings);
}

static int load_file(const char *path, struct flow **out,
		     struct flow_findings *findings)
{
	size_t n;
	AUTO_FREE char *text = test_read(path, &n);

	return load(text, n, out, findings);
}

static void find_files(const char *pattern, glob_t *out)
{
	char path[TEST_PATH_BYTES];
	int err;

	source_path(path, pattern);
	err = glob(path, 0, NULL, out); // NOLINT(concurrency-mt-unsafe)
	assert_int_equal(err, 0);
}

/* "tests/x/bad_range.limits.json" -> "bad_range" */
static void code_of(const char *path, char code[FLOW_NAME_MAX])
{
	const char *name = strrchr(path, '/') + 1;

	(void)snprintf(code, FLOW_NAME_MAX, "%.*s", (int)strcspn(name, "."),
		       name);
}

static bool is_expected(const struct flow_findings *f, const char *code)
{
	size_t hits = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct flow_finding *item = &f->items[i];

		if (strcmp(item->code, code) == 0)
			hits++;
		else if (item->severity != FLOW_INFO)
			return false;
	}
	return hits > 0;
}

static void show(const char *path, const struct flow_findings *f)
{
	print_error("%s\n", path);
	for (size_t i = 0; i < f->count; i++)
		print_error("  %u %s %s %s: %s\n", f->items[i].severity,
			    f->items[i].code, f->items[i].node,
			    f->items[i].path, f->items[i].message);
}

TEST(each_fixture_draws_exactly_its_code)
{
	glob_t files;
	size_t bad = 0;

	find_files("tests/fixtures/flows/*.json", &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct flow_findings findings;
		struct flow *flow = NULL;
		char code[FLOW_NAME_MAX];

		code_of(files.gl_pathv[i], code);
		(void)load_file(files.gl_pathv[i], &flow, &findings);
		if (!is_expected(&findings, code)) {
			show(files.gl_pathv[i], &findings);
			bad++;
		}
		flow_findings_free(&findings);
		flow_unref(flow);
	}
	assert_true(files.gl_pathc > 50);
	globfree(&files);

	assert_int_equal(bad, 0);
}

/* The codes that the checker's source gives: FLOW_IS_ERROR("bad_value"). */
static void assert_fixtures(const char *file)
{
	size_t n;
	AUTO_FREE char *text = test_read(file, &n);
	const char *at = text;

	while ((at = strstr(at, "FLOW_IS_")) != NULL) {
		char pattern[128];
		glob_t files;
		size_t name = strcspn(at, "(\n");

		at += name;
		if (strncmp(at, "(\"", 2) != 0)
			continue; /* the macro itself */
		at += 2;
		(void)snprintf(pattern, sizeof(pattern),
			       "tests/fixtures/flows/%.*s.json",
			       (int)strcspn(at, "\""), at);
		find_files(pattern, &files);
		assert_true(files.gl_pathc == 1);
		globfree(&files);
	}
}

TEST(each_code_has_a_fixture)
{
	glob_t files;

	find_files("src/flow/*.c", &files);
	assert_true(files.gl_pathc > 20);
	for (size_t i = 0; i < files.gl_pathc; i++)
		assert_fixtures(files.gl_pathv[i]);
	globfree(&files);
}

static size_t count_imperfect(const char *pattern, bool warnings)
{
	glob_t files;
	size_t bad = 0;

	find_files(pattern, &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct flow_findings findings;
		struct flow *flow = NULL;
		bool fine = load_file(files.gl_pathv[i], &flow, &findings) == 0;

		for (size_t k = 0; k < findings.count; k++)
			fine = fine &&
			       (warnings ||
				findings.items[k].severity == FLOW_INFO);
		if (!fine)
			show(files.gl_pathv[i], &findings);
		bad += !fine;
		flow_findings_free(&findings);
		flow_unref(flow);
	}
	globfree(&files);
	return bad;
}

TEST(good_fixtures_draw_nothing)
{
	assert_int_equal(
		count_imperfect("tests/fixtures/flows/good/*.json", false), 0);
}

TEST(the_built_in_flows_have_no_errors)
{
	assert_int_equal(count_imperfect("packaging/flows/*.json", true), 0);
}

static struct flow *built_in(const char *name)
{
	struct flow_findings findings;
	struct flow *flow = NULL;
	char below[64], path[TEST_PATH_BYTES];

	(void)snprintf(below, sizeof(below), "packaging/flows/%s.json", name);
	source_path(path, below);
	assert_int_equal(load_file(path, &flow, &findings), 0);
	flow_findings_free(&findings);
	return flow;
}

TEST(a_flow_says_how_it_may_approve)
{
	AUTO(flow) *speak = built_in("speak");
	AUTO(flow) *reverse = built_in("reverse");
	AUTO(flow) *keypad = built_in("keypad");
	AUTO(flow) *plain = built_in("plain");

	assert_int_equal(flow_method(speak), VERIFICATION_BY_API);
	assert_int_equal(flow_method(reverse), VERIFICATION_BY_KEYPAD);
	assert_int_equal(flow_method(keypad), VERIFICATION_BY_CALL);
	assert_int_equal(flow_method(plain), VERIFICATION_BY_API);
	assert_true(flow_has_human_check(speak));
	assert_false(flow_has_human_check(plain));
	assert_string_equal(flow_name(speak), "Speak");
}

TEST(only_plain_is_warned_about)
{
	struct flow_findings findings;
	char path[TEST_PATH_BYTES];

	source_path(path, "packaging/flows/plain.json");
	assert_int_equal(load_file(path, NULL, &findings), 0);
	assert_true(is_expected(&findings, "no_human_check"));
	flow_findings_free(&findings);

	source_path(path, "packaging/flows/speak.json");
	assert_int_equal(load_file(path, NULL, &findings), 0);
	assert_false(is_expected(&findings, "no_human_check"));
	flow_findings_free(&findings);
}

TEST(a_finding_names_node_and_place)
{
	struct flow_findings findings;
	char path[TEST_PATH_BYTES];

	source_path(path, "tests/fixtures/flows/dangling_edge.json");
	assert_int_equal(load_file(path, NULL, &findings), -EINVAL);

	assert_int_equal(findings.errors, 1);
	assert_string_equal(findings.items[0].node, "Call");
	assert_string_equal(findings.items[0].path, "/nodes/1/on/busy");
	assert_non_null(strstr(findings.items[0].message, "Nowhere"));
	flow_findings_free(&findings);
}

TEST(a_pointer_escapes_what_it_must)
{
	static const char TEXT[] = "{\"a/b~c\": 1}";
	struct flow_findings findings;
	bool found = false;

	assert_int_equal(load(TEXT, strlen(TEXT), NULL, &findings), -EINVAL);

	for (size_t i = 0; i < findings.count; i++)
		found |= strcmp(findings.items[i].path, "/a~1b~0c") == 0;
	assert_true(found);
	flow_findings_free(&findings);
}

TEST(what_is_not_json_says_where)
{
	static const char TEXT[] = "{\n  \"format\": ,\n}";
	struct flow_findings findings;

	assert_int_equal(load(TEXT, strlen(TEXT), NULL, &findings), -EINVAL);

	assert_int_equal(findings.count, 1);
	assert_non_null(strstr(findings.items[0].message, "line 2"));
	flow_findings_free(&findings);
}

TEST(checking_goes_on_after_a_finding)
{
	static const char TEXT[] =
		"{\"format\":\"x\",\"name\":1,\"start\":\"S\",\"nodes\":["
		"{\"id\":\"S\",\"type\":\"start\",\"on\":{\"api_request\":"
		"\"Q\"}},{\"id\":\"P\",\"type\":\"play\",\"config\":{\"times\""
		":9}}]}";
	struct flow_findings findings;

	assert_int_equal(load(TEXT, strlen(TEXT), NULL, &findings), -EINVAL);

	assert_true(findings.errors >= 5);
	flow_findings_free(&findings);
}

TEST(findings_are_bounded)
{
	AUTO_BUF(b, 64 << 10);
	struct flow_findings findings;

	buf_str(&b, "{\"format\":\"voiceflow/1\"");
	for (int i = 0; i < 2 * FLOW_FINDINGS_MAX; i++)
		buf_printf(&b, ",\"x%d\":1", i);
	buf_byte(&b, '}');
	assert_int_equal(load(b.p, b.n, NULL, &findings), -EINVAL);

	assert_int_equal(findings.count, FLOW_FINDINGS_MAX);
	assert_true(findings.cut);
	assert_true(findings.errors > FLOW_FINDINGS_MAX);
	flow_findings_free(&findings);
}

TEST(the_canonical_form_is_sorted_and_stable)
{
	static const char TEXT[] = "{\"b\":[1,{\"z\":1,\"a\":\"\u00fc\"}],"
				   "\"a\":true}";
	AUTO_JSON json_t *doc = NULL, *again = NULL;
	struct diag d;

	assert_int_equal(js_parse(span_of(TEXT), &doc, &d), 0);
	AUTO_FREE char *text = flow_canonical(doc);
	assert_int_equal(js_parse(span_of(text), &again, &d), 0);
	AUTO_FREE char *twice = flow_canonical(again);

	assert_string_equal(text, "{\n  \"a\": true,\n  \"b\": [\n    1,\n    "
				  "{\n      \"a\": \"\u00fc\",\n      \"z\": 1"
				  "\n    }\n  ]\n}\n");
	assert_string_equal(text, twice);
}

TEST(the_built_in_flows_are_canonical)
{
	glob_t files;

	find_files("packaging/flows/*.json", &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		AUTO_JSON json_t *doc = NULL;
		struct diag d;
		size_t n;
		AUTO_FREE char *text = test_read(files.gl_pathv[i], &n);

		assert_int_equal(js_parse(span_make(text, n), &doc, &d), 0);
		AUTO_FREE char *canonical = flow_canonical(doc);
		assert_string_equal(text, canonical);
	}
	globfree(&files);
}

TEST(references_are_counted)
{
	struct flow *flow = built_in("speak");

	assert_ptr_equal(flow_ref(flow), flow);
	flow_unref(flow);
	assert_string_equal(flow_name(flow), "Speak");
	flow_unref(flow);
	flow_unref(NULL);
}

TEST(without_a_world_only_the_document_is_judged)
{
	static const char TEXT[] =
		"{\"format\":\"voiceflow/1\",\"name\":\"T\",\"start\":\"S\","
		"\"nodes\":[{\"id\":\"S\",\"type\":\"start\",\"on\":{"
		"\"api_request\":\"E\"}},{\"id\":\"E\",\"type\":\"hangup\"}]}";
	struct flow_findings findings;
	AUTO(flow) *flow = NULL;

	assert_int_equal(flow_load(span_of(TEXT), NULL, &flow, &findings), 0);
	flow_findings_free(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fixture_draws_exactly_its_code),
		cmocka_unit_test(each_code_has_a_fixture),
		cmocka_unit_test(good_fixtures_draw_nothing),
		cmocka_unit_test(the_built_in_flows_have_no_errors),
		cmocka_unit_test(a_flow_says_how_it_may_approve),
		cmocka_unit_test(only_plain_is_warned_about),
		cmocka_unit_test(a_finding_names_node_and_place),
		cmocka_unit_test(a_pointer_escapes_what_it_must),
		cmocka_unit_test(what_is_not_json_says_where),
		cmocka_unit_test(checking_goes_on_after_a_finding),
		cmocka_unit_test(findings_are_bounded),
		cmocka_unit_test(the_canonical_form_is_sorted_and_stable),
		cmocka_unit_test(the_built_in_flows_are_canonical),
		cmocka_unit_test(references_are_counted),
		cmocka_unit_test(without_a_world_only_the_document_is_judged),
	};

	return cmocka_run_group_tests_name("flow/check", tests, setup,
					   teardown);
}
