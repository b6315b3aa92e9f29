// SPDX-License-Identifier: Apache-2.0
/*
 * test_diff.c - what became of one document in another, as people say it.
 */
#include <string.h>

#include "base/buf.h"
#include "flow/flow.h"
#include "support/test.h"

static json_t *parsed(const char *text)
{
	AUTO_BUF(quoted, 8 << 10);
	json_t *v = NULL;
	struct diag d = {0};

	buf_str(&quoted, text);
	for (size_t i = 0; i < quoted.n; i++)
		if (quoted.p[i] == '\'')
			quoted.p[i] = '"';
	assert_int_equal(js_parse(buf_view(&quoted), &v, &d), 0);
	return v;
}

static void assert_diff(const char *from, const char *to, const char *expected)
{
	AUTO_JSON json_t *a = parsed(from), *b = parsed(to);
	AUTO_JSON json_t *want = parsed(expected), *is = flow_diff(a, b);
	AUTO_FREE char *text = js_text(is);
	AUTO_FREE char *wanted = js_text(want);

	assert_string_equal(text, wanted);
}

#define A "{'id':'A','type':'play','config':{'times':1},'ui':{'x':0,'y':0}}"
#define B "{'id':'B','type':'hangup'}"

TEST(the_same_has_no_difference)
{
	assert_diff("{'name':'N','nodes':[" A "," B "]}",
		    "{'nodes':[" A "," B "],'name':'N'}", "[]");
}

TEST(a_field_of_a_node_has_changed)
{
	assert_diff("{'nodes':[" A "]}",
		    "{'nodes':[{'id':'A','type':'play','config':{'times':2,"
		    "'gap_ms':5},'ui':{'x':0,'y':0}}]}",
		    "[{'kind':'changed','node':'A','path':"
		    "'/nodes/0/config/times','from':1,'to':2},"
		    "{'kind':'changed','node':'A','path':"
		    "'/nodes/0/config/gap_ms','to':5}]");
}

TEST(an_edge_has_changed_or_gone)
{
	assert_diff("{'nodes':[{'id':'A','on':{'a':'B','b':'C'}}]}",
		    "{'nodes':[{'id':'A','on':{'a':'C'}}]}",
		    "[{'kind':'changed','node':'A','path':'/nodes/0/on/a',"
		    "'from':'B','to':'C'},{'kind':'changed','node':'A','path':"
		    "'/nodes/0/on/b','from':'C'}]");
}

TEST(moved_is_not_changed)
{
	assert_diff("{'nodes':[" A "]}",
		    "{'nodes':[{'id':'A','type':'play','config':{'times':1},"
		    "'ui':{'x':9,'y':0}}]}",
		    "[{'kind':'moved','node':'A','path':'/nodes/0/ui','from':"
		    "{'x':0,'y':0},'to':{'x':9,'y':0}}]");
}

TEST(nodes_come_and_go)
{
	assert_diff("{'nodes':[" A "]}", "{'nodes':[" B "]}",
		    "[{'kind':'removed','node':'A','path':'/nodes/0','from':" A
		    "},{'kind':'added','node':'B','path':'/nodes/0','to':" B
		    "}]");
}

TEST(a_new_name_is_not_a_new_node)
{
	assert_diff("{'nodes':[" A "," B "]}",
		    "{'nodes':[{'id':'Z','type':'play','config':{'times':1},"
		    "'ui':{'x':0,'y':0}}," B "]}",
		    "[{'kind':'renamed','node':'Z','path':'/nodes/0/id','from':"
		    "'A','to':'Z'}]");
}

TEST(order_is_no_change_of_a_node)
{
	assert_diff("{'nodes':[" A "," B "]}", "{'nodes':[" B "," A "]}",
		    "[{'kind':'reordered','path':'/nodes','from':['A','B'],"
		    "'to':['B','A']}]");
}

TEST(fields_of_the_document_have_no_node)
{
	assert_diff("{'name':'N','limits':{'max_steps':1,'a~b/c':1}}",
		    "{'name':'M','limits':{'max_steps':1,'a~b/c':2}}",
		    "[{'kind':'changed','path':'/name','from':'N','to':'M'},"
		    "{'kind':'changed','path':'/limits/a~0b~1c','from':1,'to':"
		    "2}]");
}

TEST(arrays_of_one_length_differ_by_element)
{
	assert_diff("{'nodes':[{'id':'A','config':{'x':[1,2]}}]}",
		    "{'nodes':[{'id':'A','config':{'x':[1,3]}}]}",
		    "[{'kind':'changed','node':'A','path':"
		    "'/nodes/0/config/x/1','from':2,'to':3}]");
	assert_diff("{'nodes':[{'id':'A','config':{'x':[1]}}]}",
		    "{'nodes':[{'id':'A','config':{'x':[1,3]}}]}",
		    "[{'kind':'changed','node':'A','path':'/nodes/0/config/x',"
		    "'from':[1],'to':[1,3]}]");
}

TEST(drafts_may_be_anything)
{
	assert_diff("[]", "1", "[]");
	assert_diff("{'nodes':[1,{'type':'x'},{'id':'A'},{'id':'A'}]}",
		    "{'nodes':[2,{'type':'y'},{'id':'A'},{'id':'A'}]}",
		    "[{'kind':'changed','node':'','path':'/nodes/0','from':1,"
		    "'to':2},{'kind':'changed','node':'','path':"
		    "'/nodes/1/type','from':'x','to':'y'}]");
	assert_diff("{'nodes':{}}", "{'nodes':[" B "]}",
		    "[{'kind':'added','node':'B','path':'/nodes/0','to':" B
		    "}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_has_no_difference),
		cmocka_unit_test(a_field_of_a_node_has_changed),
		cmocka_unit_test(an_edge_has_changed_or_gone),
		cmocka_unit_test(moved_is_not_changed),
		cmocka_unit_test(nodes_come_and_go),
		cmocka_unit_test(a_new_name_is_not_a_new_node),
		cmocka_unit_test(order_is_no_change_of_a_node),
		cmocka_unit_test(fields_of_the_document_have_no_node),
		cmocka_unit_test(arrays_of_one_length_differ_by_element),
		cmocka_unit_test(drafts_may_be_anything),
	};

	return cmocka_run_group_tests_name("flow/diff", tests, NULL, NULL);
}
