// SPDX-License-Identifier: Apache-2.0
/*
 * test_route.c - is the right handler found?
 */
#include <errno.h>
#include <string.h>

#include "support/test.h"
#include "web/web_priv.h"

static void nothing(struct web_request *r, void *ctx)
{
	(void)r;
	(void)ctx;
}

static const struct web_route routes[] = {
	{"GET", "/", nothing, .slash = false},
	{"GET", "/v1/things/{}", nothing, .slash = false},
	{"POST", "/v1/things", nothing, .slash = false},
	{"GET", "/v1/things", nothing, .slash = false},
	{"POST", "/v1/things/search", nothing, .slash = false},
	{"POST", "/v1/things/{}/part/{}", nothing, .slash = false},
	{0},
};

static const struct web_route *find(const char *method, const char *path,
				    struct web_match *m)
{
	static struct web_routes *r;

	if (!r)
		assert_int_equal(web_routes_new(routes, &r, NULL), 0);
	web_routes_find(r, method, span_of(path), m);
	return m->route;
}

TEST(each_path_and_method_finds_its_own)
{
	struct web_match m;

	assert_ptr_equal(find("GET", "/", &m), &routes[0]);
	assert_ptr_equal(find("GET", "/v1/things/abc", &m), &routes[1]);
	assert_ptr_equal(find("POST", "/v1/things", &m), &routes[2]);
	assert_ptr_equal(find("GET", "/v1/things", &m), &routes[3]);
}

TEST(holes_are_told_in_order)
{
	struct web_match m;

	assert_ptr_equal(find("POST", "/v1/things/a-b/part/17", &m),
			 &routes[5]);

	assert_true(span_is(m.parts[0], "a-b"));
	assert_true(span_is(m.parts[1], "17"));
}

TEST(a_literal_comes_before_a_hole)
{
	struct web_match m;

	assert_ptr_equal(find("POST", "/v1/things/search", &m), &routes[4]);
}

TEST(head_is_answered_by_get)
{
	struct web_match m;

	assert_ptr_equal(find("HEAD", "/v1/things", &m), &routes[3]);
}

TEST(another_method_is_told_what_would_do)
{
	struct web_match m;

	assert_null(find("DELETE", "/v1/things", &m));

	assert_string_equal(m.allow, "POST, GET, HEAD");
}

TEST(an_unknown_path_allows_nothing)
{
	const char *const paths[] = {"",
				     "v1/things",
				     "/v1",
				     "/v1/things/",
				     "/v1//things",
				     "/v2/things",
				     "/v1/things/a/part",
				     "/a/b/c/d/e/f/g/h/i"};
	struct web_match m;

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		assert_null(find("GET", paths[i], &m));
		assert_null(m.allow);
	}
}

/* --- one slash behind it ---------------------------------------------------- */

static const struct web_route slashed[] = {
	{"GET", "/v1/account/{}/phlo/{}", nothing, .slash = true},
	{"POST", "/v1/account/{}/phlo/{}", nothing, .slash = true},
	{"PUT", "/v1/account/{}/phlo/{}", nothing, .slash = false},
	{"GET", "/v1/account/{}", nothing, .slash = false},
	{0},
};

static void find_slashed(const char *method, const char *path,
			 struct web_match *m)
{
	struct web_routes *r = NULL;

	assert_int_equal(web_routes_new(slashed, &r, NULL), 0);
	web_routes_find(r, method, span_of(path), m);
	if (m->allow) /* it goes with the routes */
		m->allow = strcmp(m->allow, "GET, HEAD, POST, PUT") == 0
				   ? "all"
				   : "some";
	web_routes_free(r);
}

TEST(one_slash_behind_a_path_is_as_good_where_a_route_says_so)
{
	struct web_match m;

	find_slashed("POST", "/v1/account/MA1/phlo/7/", &m);

	assert_ptr_equal(m.route, &slashed[1]);
	assert_true(span_is(m.parts[0], "MA1"));
	assert_true(span_is(m.parts[1], "7"));
	find_slashed("HEAD", "/v1/account/MA1/phlo/7/", &m);
	assert_ptr_equal(m.route, &slashed[0]);
	find_slashed("PUT", "/v1/account/MA1/phlo/7", &m);
	assert_ptr_equal(m.route, &slashed[2]);
	assert_string_equal(m.allow, "all");
}

TEST(a_slash_that_no_route_asked_for_finds_nothing)
{
	const char *const paths[] = {"/v1/account/MA1/", "/v1/account/",
				     "/v1/account/MA1/phlo/7//",
				     "/v1/account/MA1/phlo//", "//"};
	struct web_match m;

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		find_slashed("GET", paths[i], &m);
		assert_null(m.allow);
	}
	find_slashed("PUT", "/v1/account/MA1/phlo/7/", &m);
	assert_null(m.route);
	assert_string_equal(m.allow, "some");
}

TEST(a_path_has_room_for_every_method)
{
	const struct web_route all[] = {{"GET", "/x", nothing, .slash = true},
					{"POST", "/x", nothing, .slash = true},
					{"PUT", "/x", nothing, .slash = true},
					{"PATCH", "/x", nothing, .slash = true},
					{"DELETE", "/x", nothing,
					 .slash = true},
					{0}};
	struct web_routes *r = NULL;
	struct web_match m;

	assert_int_equal(web_routes_new(all, &r, NULL), 0);

	for (size_t i = 0; all[i].method; i++) {
		web_routes_find(r, all[i].method, span_of("/x/"), &m);
		assert_ptr_equal(m.route, &all[i]);
		assert_string_equal(m.allow,
				    "GET, HEAD, POST, PUT, PATCH, DELETE");
	}
	web_routes_free(r);
}

TEST(a_pattern_that_cannot_be_is_refused)
{
	const struct web_route bad[] = {
		{"GET", "no/slash", nothing, .slash = false}, {0}};
	const struct web_route twice[] = {
		{"GET", "/a/{}", nothing, .slash = false},
		{"GET", "/a/{}", nothing, .slash = false},
		{0}};
	const struct web_route slashes[] = {
		{"GET", "/a/", nothing, .slash = true}, {0}};
	struct web_routes *r = NULL;
	struct diag d = {0};

	assert_int_equal(web_routes_new(slashes, &r, &d), -EINVAL);
	assert_int_equal(web_routes_new(bad, &r, &d), -EINVAL);
	assert_string_equal(d.message, "not a route: GET no/slash");
	assert_int_equal(web_routes_new(twice, &r, &d), -EINVAL);
	assert_null(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_and_method_finds_its_own),
		cmocka_unit_test(holes_are_told_in_order),
		cmocka_unit_test(a_literal_comes_before_a_hole),
		cmocka_unit_test(head_is_answered_by_get),
		cmocka_unit_test(another_method_is_told_what_would_do),
		cmocka_unit_test(an_unknown_path_allows_nothing),
		cmocka_unit_test(
			one_slash_behind_a_path_is_as_good_where_a_route_says_so),
		cmocka_unit_test(a_slash_that_no_route_asked_for_finds_nothing),
		cmocka_unit_test(a_path_has_room_for_every_method),
		cmocka_unit_test(a_pattern_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests_name("web/route", tests, NULL, NULL);
}
