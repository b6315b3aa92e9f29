// SPDX-License-Identifier: Apache-2.0
/*
 * test_forwarded.c - who asked, when proxies stand between?
 */
#include <stdio.h>
#include <string.h>

#include "support/http.h"
#include "support/test.h"
#include "unit/web/fixture.h"
#include "web/forwarded.h"

/* 127.0.0.1 and 10.0.0.0/8 are ours. */
static struct net_list ours;

static int set_up(void **state)
{
	const char *const texts[] = {"127.0.0.1", "10.0.0.0/8", "fd00::/8"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct net n;

		assert_int_equal(net_parse(texts[i], &n, NULL), 0);
		assert_int_equal(net_list_add(&ours, &n), 0);
	}
	return 0;
}

/* Lines of each header, NULL: none. */
struct lines {
	const char *forwarded, *more, *fors, *protos;
};

static const char *came(struct lines lines, bool tls)
{
	static char text[NET_TEXT_BYTES + 16];
	struct web_heard heard = {0};
	struct sockaddr_storage peer;
	struct web_came out;

	assert_int_equal(net_address("127.0.0.1", 0, &peer), 0);
	if (lines.forwarded)
		web_hops_forwarded(&heard.forwarded, span_of(lines.forwarded));
	if (lines.more)
		web_hops_forwarded(&heard.forwarded, span_of(lines.more));
	if (lines.fors)
		web_hops_for(&heard.fors, span_of(lines.fors));
	if (lines.protos)
		web_hops_proto(&heard.protos, span_of(lines.protos));
	web_came_from(&ours, &peer, tls, &heard, &out);
	net_host(&out.from, text);
	(void)snprintf(text + strlen(text), 8, "%s", out.secure ? " s" : "");
	return text;
}

static void from(struct lines lines, const char *who)
{
	const char *text = came(lines, false);

	if (strcmp(text, who) != 0)
		fail_msg("%s / %s: %s, not %s",
			 lines.forwarded ? lines.forwarded : "",
			 lines.fors ? lines.fors : "", text, who);
}

TEST(a_proxy_that_says_nothing_is_who_asks)
{
	from((struct lines){0}, "127.0.0.1");
	from((struct lines){.forwarded = "", .fors = " , "}, "127.0.0.1");
}

TEST(the_last_that_is_none_of_ours_is_who_asks)
{
	from((struct lines){.fors = "192.0.2.1"}, "192.0.2.1");
	from((struct lines){.fors = "192.0.2.1, 10.1.2.3, 10.0.0.1"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "for=192.0.2.1, for=10.0.0.1"},
	     "192.0.2.1");
}

TEST(what_the_client_wrote_to_the_left_is_not_heard)
{
	from((struct lines){.fors = "198.51.100.9, 192.0.2.1, 10.0.0.1"},
	     "192.0.2.1");
	from((struct lines){.fors = "127.0.0.1, garbage, 192.0.2.1"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "for=198.51.100.9",
			    .more = "for=192.0.2.1"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "for=\"", .more = "for=192.0.2.1"},
	     "192.0.2.1");
}

TEST(all_of_ours_is_the_first_of_them)
{
	from((struct lines){.fors = "10.0.0.2, 10.0.0.1"}, "10.0.0.2");
}

TEST(addresses_come_in_many_clothes)
{
	from((struct lines){.fors = "192.0.2.1:4711"}, "192.0.2.1");
	from((struct lines){.fors = "2001:db8::17"}, "2001:db8::17");
	from((struct lines){.fors = "[2001:db8::17]"}, "2001:db8::17");
	from((struct lines){.fors = "[2001:db8::17]:80"}, "2001:db8::17");
	from((struct lines){.fors = "::ffff:192.0.2.1"}, "192.0.2.1");
	from((struct lines){.forwarded = "For=\"[2001:DB8::17]:4711\""},
	     "2001:db8::17");
	from((struct lines){.forwarded = "for=\"192.0.2.1:_hidden\";by=_x"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "by=10.0.0.1; for=192.0.2.1 ;"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "for=\"192.\\0.2.1\""}, "192.0.2.1");
	from((struct lines){.fors = "::ffff:10.0.0.1, fd00::1"}, "10.0.0.1");
}

TEST(whoever_is_hidden_leaves_the_proxy)
{
	from((struct lines){.forwarded = "for=unknown"}, "127.0.0.1");
	from((struct lines){.forwarded = "for=_hidden"}, "127.0.0.1");
	from((struct lines){.forwarded = "proto=http"}, "127.0.0.1");
	from((struct lines){.fors = "192.0.2.1, unknown"}, "127.0.0.1");
	from((struct lines){.fors = "192.0.2.1, unknown, 10.0.0.1"},
	     "127.0.0.1");
}

TEST(garbage_leaves_the_proxy)
{
	const char *const bad[] = {
		"for=192.0.2.1;for=192.0.2.2",
		"for",
		"for=",
		"=192.0.2.1",
		"for=192.0.2.1 x",
		"for=192.0.2.1;x=\"",
		"for=192.0.2.1;x=\"a\"b",
		"for=192.0.2.1;x=\"\\",
		"for =192.0.2.1",
		"for=\"[2001:db8::1\"",
		"for=\"[192.0.2.1]\"",
		"for=\"[2001:db8::1]x\"",
		"for=\"192.0.2.1:\"",
		"for=192.0.2.256",
		"for=\"[fe80::1%25eth0]\"",
		"for=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		from((struct lines){.forwarded = bad[i]}, "127.0.0.1");
}

/* What the client wrote opens a quote that the proxy's own words then lie in. */
TEST(an_opened_quote_does_not_swallow_what_the_proxy_adds)
{
	from((struct lines){.forwarded =
				    "for=198.51.100.9;x=\", for=192.0.2.1"},
	     "127.0.0.1");
	from((struct lines){.forwarded = "for=198.51.100.9;x=\", "
					 "for=\"[2001:db8::1]\""},
	     "127.0.0.1");
}

TEST(two_ways_that_differ_leave_the_proxy)
{
	from((struct lines){.forwarded = "for=198.51.100.9",
			    .fors = "192.0.2.1"},
	     "127.0.0.1");
	from((struct lines){.forwarded = "for=192.0.2.1", .fors = "192.0.2.1"},
	     "192.0.2.1");
}

TEST(a_chain_that_is_too_long_leaves_the_proxy)
{
	char chain[16 * (WEB_HOPS_MAX + 2)] = "192.0.2.1";

	for (int i = 0; i < WEB_HOPS_MAX - 1; i++)
		(void)strncat(chain, ", 10.0.0.1", 11);
	from((struct lines){.fors = chain}, "192.0.2.1");
	(void)strncat(chain, ", 10.0.0.1", 11);
	from((struct lines){.fors = chain}, "127.0.0.1");
}

TEST(the_first_proxy_of_ours_says_whether_it_was_https)
{
	from((struct lines){.forwarded = "for=192.0.2.1;proto=https, "
					 "for=10.0.0.1;proto=http"},
	     "192.0.2.1 s");
	from((struct lines){.forwarded = "for=192.0.2.1;proto=HTTPS"},
	     "192.0.2.1 s");
	from((struct lines){.fors = "192.0.2.1", .protos = "https"},
	     "192.0.2.1 s");
	from((struct lines){.fors = "192.0.2.1, 10.0.0.1", .protos = "https"},
	     "192.0.2.1 s");
	from((struct lines){.fors = "9.9.9.9, 192.0.2.1",
			    .protos = "https, http"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "for=192.0.2.1;proto=https",
			    .protos = "http"},
	     "192.0.2.1");
	from((struct lines){.forwarded = "for=unknown;proto=https"},
	     "127.0.0.1 s");
	assert_string_equal(came((struct lines){.fors = "192.0.2.1"}, true),
			    "192.0.2.1 s");
	assert_string_equal(
		came((struct lines){.fors = "192.0.2.1", .protos = "http"},
		     true),
		"192.0.2.1");
}

/* --- over HTTP ------------------------------------------------------------------- */

static void on_who(struct web_request *r, void *ctx)
{
	char text[96];

	(void)ctx;
	(void)snprintf(text, sizeof(text), "%s %s%s", web_peer(r),
		       web_client(r), web_is_secure(r) ? " s" : "");
	fixture_say(r, 200, text);
}

static const struct web_route routes[] = {
	{"GET", "/who", on_who, .slash = false}, {0}};

static void ask(struct fixture *f, const char *headers, const char *expect)
{
	struct http_answer a = {0};

	http_ask(f->port, "GET", "/who", headers, NULL, &a);
	if (!span_is(buf_view(&a.body), expect))
		fail_msg("%.*s, not %s", (int)a.body.n, a.body.p, expect);
	http_answer_free(&a);
}

TEST(only_proxies_of_ours_are_heard)
{
	struct fixture f = {0};

	fixture_start_behind(&f, routes, &ours);
	ask(&f, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n",
	    "127.0.0.1 192.0.2.1 s");
	ask(&f,
	    "x-forwarded-for: 198.51.100.9\r\n"
	    "X-FORWARDED-FOR: 192.0.2.1\r\n",
	    "127.0.0.1 192.0.2.1");
	ask(&f, "Forwarded: for=192.0.2.1\r\n", "127.0.0.1 192.0.2.1");
	ask(&f, "", "127.0.0.1 127.0.0.1");
	fixture_stop(&f);

	fixture_start_behind(&f, routes, NULL);
	ask(&f,
	    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
	    "Forwarded: for=192.0.2.1;proto=https\r\n",
	    "127.0.0.1 127.0.0.1");
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxy_that_says_nothing_is_who_asks),
		cmocka_unit_test(the_last_that_is_none_of_ours_is_who_asks),
		cmocka_unit_test(
			what_the_client_wrote_to_the_left_is_not_heard),
		cmocka_unit_test(all_of_ours_is_the_first_of_them),
		cmocka_unit_test(addresses_come_in_many_clothes),
		cmocka_unit_test(whoever_is_hidden_leaves_the_proxy),
		cmocka_unit_test(garbage_leaves_the_proxy),
		cmocka_unit_test(
			an_opened_quote_does_not_swallow_what_the_proxy_adds),
		cmocka_unit_test(two_ways_that_differ_leave_the_proxy),
		cmocka_unit_test(a_chain_that_is_too_long_leaves_the_proxy),
		cmocka_unit_test(
			the_first_proxy_of_ours_says_whether_it_was_https),
		cmocka_unit_test(only_proxies_of_ours_are_heard),
	};

	return cmocka_run_group_tests_name("web/forwarded", tests, set_up,
					   NULL);
}
