// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_trunk.c - a trunk: are its numbers and headers as it wants them, and
 * does it know whether it is there?
 */
#include <errno.h>
#include <string.h>

#include "support/test.h"
#include "tel/sip_priv.h"
#include "unit/tel/sip_world.h"

enum { PING_MS = 10000 };

/* --- numbers ------------------------------------------------------------------- */

static void number_is(const struct tel_sip_trunk *conf, const char *e164,
		      const char *wanted)
{
	char out[64];

	assert_int_equal(tsip_trunk_number(conf, e164, out, sizeof(out)), 0);
	assert_string_equal(out, wanted);
}

TEST(a_number_stands_as_the_trunk_wants_it)
{
	struct tel_sip_trunk c = {.country_code = "49", .national_prefix = "0"};

	c.format = TEL_SIP_E164;
	number_is(&c, "+4930123", "4930123");
	c.format = TEL_SIP_PLUS;
	number_is(&c, "+4930123", "+4930123");
	c.format = TEL_SIP_NATIONAL;
	number_is(&c, "+4930123", "030123");
	number_is(&c, "+14155550100", "14155550100");
}

TEST(a_prefix_stands_before_a_called_number)
{
	struct tel_sip_trunk c = {.prefix = "77#", .format = TEL_SIP_E164};
	char out[8];

	number_is(&c, "+4930123", "77#4930123");
	assert_int_equal(tsip_trunk_number(&c, "+4930123", out, sizeof(out)),
			 -E2BIG);
}

TEST(only_its_own_caller_ids_may_be_shown)
{
	const char *const from[] = {"+4930123450", "+4930123451"};
	struct tel_sip_trunk c = {.from = from, .from_count = 2};

	assert_true(tel_sip_may_show(&c, "+4930123451"));
	assert_false(tel_sip_may_show(&c, "+4930123459"));
	assert_false(tel_sip_may_show(&c, ""));
	assert_false(tel_sip_may_show(&c, NULL));
}

/* --- words ------------------------------------------------------------------------ */

static struct tsip_trunk_words words_of(struct sip_world *w, const char *from)
{
	struct tsip_trunk_words words;

	assert_int_equal(tsip_trunk_words(&w->sip->trunks[0], "+4915112345678",
					  from, &words),
			 0);
	return words;
}

TEST(a_caller_id_that_is_not_its_own_becomes_the_first)
{
	struct tsip_trunk_words words;
	struct sip_world w;

	sip_world_make(&w);
	w.conf.pai = true;
	sip_world_open(&w);
	words = words_of(&w, "+4999");

	assert_string_equal(words.from, "sip:+4930123450@127.0.0.1");
	assert_non_null(strstr(words.headers,
			       "P-Asserted-Identity: "
			       "<sip:+4930123450@127.0.0.1>\r\n"));
	assert_null(strstr(words.headers, "Privacy"));
	sip_world_close(&w);
}

TEST(privacy_hides_the_caller_id_and_asserts_it)
{
	struct tsip_trunk_words words;
	struct sip_world w;

	sip_world_make(&w);
	w.conf.pai = w.conf.privacy = true;
	sip_world_open(&w);
	words = words_of(&w, "+4930123451");

	assert_string_equal(words.from, "sip:anonymous@anonymous.invalid");
	assert_non_null(strstr(words.headers, "Privacy: id\r\n"));
	assert_non_null(strstr(words.headers, "<sip:+4930123451@"));
	sip_world_close(&w);
}

TEST(an_account_and_a_domain_take_the_caller_id_s_place)
{
	struct tsip_trunk_words words;
	struct sip_world w;

	sip_world_make(&w);
	w.conf.from_user = "joe doe";
	w.conf.from_domain = "sip.example";
	w.conf.prefix = "77#";
	sip_world_open(&w);
	words = words_of(&w, "+4930123451");

	assert_string_equal(words.from, "sip:joe%20doe@sip.example");
	assert_string_equal(words.user, "joe%20doe");
	assert_int_equal(
		strncmp(words.to, "sip:77%23+4915112345678@127.0.0.1:", 34), 0);
	sip_world_close(&w);
}

TEST(an_outbound_proxy_leads_the_way)
{
	char proxy[64];
	struct sip_world w;

	sip_world_make(&w);
	(void)snprintf(proxy, sizeof(proxy), "127.0.0.1:%u",
		       sip_peer_port(w.peer));
	w.conf.outbound_proxy = proxy;
	w.conf.host = "trunk.invalid";
	w.conf.port = 0;
	sip_world_open(&w);
	sip_world_dial(&w);

	assert_non_null(strstr(sip_peer_last(w.peer, "INVITE "),
			       "INVITE sip:+4915112345678@trunk.invalid SIP"));
	assert_non_null(strstr(sip_peer_last(w.peer, "INVITE "),
			       "Route: <sip:127.0.0.1:"));
	sip_world_close(&w);
}

TEST(a_name_is_resolved_and_routed_to)
{
	struct sip_world w;

	sip_world_make(&w);
	w.conf.host = "localhost";
	sip_world_open(&w);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	sip_world_dial(&w);

	assert_non_null(strstr(sip_peer_last(w.peer, "INVITE "),
			       "INVITE sip:+4915112345678@localhost:"));
	assert_non_null(strstr(sip_peer_last(w.peer, "INVITE "),
			       "Route: <sip:127.0.0.1:"));
	sip_world_close(&w);
}

/* --- is it there? -------------------------------------------------------------------- */

static void begin_pinging(struct sip_world *w)
{
	sip_world_make(w);
	w->conf.ping_ms = PING_MS;
	sip_world_open(w);
	UNTIL(w, sip_peer_heard(w->peer, "OPTIONS ") == 1);
}

static void answer_ping(struct sip_world *w, int code, const char *headers)
{
	sip_peer_answer_to(w->peer, "OPTIONS ",
			   &(struct sip_peer_answer){.code = code,
						     .headers = headers});
	for (unsigned i = 0; i < 10; i++)
		sip_world_turn(w);
}

static void wait_ping(struct sip_world *w)
{
	for (unsigned s = 0; s < PING_MS / 1000; s++)
		sip_world_advance(w, 1000);
}

TEST(any_answer_to_a_ping_is_a_sign_of_life)
{
	struct sip_world w;

	begin_pinging(&w);
	answer_ping(&w, 404, NULL);
	wait_ping(&w);
	UNTIL(&w, sip_peer_heard(w.peer, "OPTIONS ") == 2);
	answer_ping(&w, 405, NULL);

	assert_int_equal(tel_state(w.tel), TEL_UP);
	assert_int_equal(w.news_count, 0);
	sip_world_close(&w);
}

TEST(a_trunk_that_stays_silent_is_down_until_it_answers)
{
	struct sip_world w;

	begin_pinging(&w);
	wait_ping(&w);
	assert_int_equal(tel_state(w.tel), TEL_UP);
	wait_ping(&w);
	UNTIL(&w, tel_state(w.tel) == TEL_DOWN);
	wait_ping(&w);
	UNTIL(&w, tel_state(w.tel) == TEL_DOWN);
	answer_ping(&w, 200, NULL);

	assert_int_equal(tel_state(w.tel), TEL_UP);
	assert_int_equal(w.news_count, 2);
	assert_int_equal(w.news[0].why, TEL_SIP_SILENT);
	assert_int_equal(w.news[1].why, TEL_SIP_ANSWERS);
	assert_string_equal(w.news[0].trunk, "berlin");
	sip_world_close(&w);
}

TEST(a_ping_s_503_is_no_life_and_with_retry_after_a_rest)
{
	struct sip_world w;

	begin_pinging(&w);
	answer_ping(&w, 503, NULL);
	assert_int_equal(tel_state(w.tel), TEL_UP);
	wait_ping(&w);
	answer_ping(&w, 503, "Retry-After: 100000\r\n");

	assert_int_equal(tel_state(w.tel), TEL_RESTING);
	assert_int_equal(w.news[0].rests_ms, TSIP_REST_MAX_MS);
	wait_ping(&w);
	answer_ping(&w, 200, NULL);
	assert_int_equal(tel_state(w.tel), TEL_RESTING);
	sip_world_close(&w);
}

static int pinged_code = -1, pinged_err = -1;

static void on_pinged(int err, int sip_code, const char *reason,
		      int64_t took_us, void *ctx)
{
	(void)reason;
	(void)ctx;
	assert_true(took_us >= 0);
	pinged_err = err;
	pinged_code = sip_code;
}

TEST(a_ping_on_request_says_what_came)
{
	struct sip_world w;

	sip_world_make(&w);
	sip_world_open(&w);
	tel_sip_ping(w.sip, 0, on_pinged, NULL);
	UNTIL(&w, sip_peer_heard(w.peer, "OPTIONS "));
	answer_ping(&w, 403, NULL);
	UNTIL(&w, pinged_code == 403);
	assert_int_equal(pinged_err, 0);

	tel_sip_ping(w.sip, 0, on_pinged, NULL);
	for (unsigned s = 0; s < 6; s++)
		sip_world_advance(&w, 1000);
	assert_int_equal(pinged_code, 0);
	assert_int_equal(pinged_err, -ETIMEDOUT);
	assert_int_equal(tel_state(w.tel), TEL_UP);
	sip_world_close(&w);
}

TEST(calls_that_get_no_answer_rest_a_trunk_that_is_not_pinged)
{
	struct sip_world w;

	sip_world_make(&w);
	sip_world_open(&w);
	for (unsigned n = 1; n <= TSIP_PING_FAILS; n++) {
		sip_world_dial(&w);
		for (unsigned s = 0; s < 11; s++)
			sip_world_advance(&w, 1000);
		UNTIL(&w, sip_world_saw(&w, TEL_ENDED) == n);
		tel_call_close(w.call);
		w.call = NULL;
	}

	assert_int_equal(tel_state(w.tel), TEL_RESTING);
	assert_int_equal(w.news[0].why, TEL_SIP_SILENT);
	sip_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(a_number_stands_as_the_trunk_wants_it),
		T(a_prefix_stands_before_a_called_number),
		T(only_its_own_caller_ids_may_be_shown),
		T(a_caller_id_that_is_not_its_own_becomes_the_first),
		T(privacy_hides_the_caller_id_and_asserts_it),
		T(an_account_and_a_domain_take_the_caller_id_s_place),
		T(an_outbound_proxy_leads_the_way),
		T(a_name_is_resolved_and_routed_to),
		T(any_answer_to_a_ping_is_a_sign_of_life),
		T(a_trunk_that_stays_silent_is_down_until_it_answers),
		T(a_ping_s_503_is_no_life_and_with_retry_after_a_rest),
		T(a_ping_on_request_says_what_came),
		T(calls_that_get_no_answer_rest_a_trunk_that_is_not_pinged),
	};

	return cmocka_run_group_tests_name("tel/sip_trunk", tests, NULL, NULL);
}
