// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_stray.c - is every leg ended that nobody asked for, and is every
 * request answered as it should be?
 */
#include "unit/tel/sip_bench.h"

static struct bare trunk, other;
static char asked[BENCH_MESSAGE_MAX]; /* the INVITE, as it was heard */

static int open_all(void **state)
{
	(void)state;
	bench_open(NULL);
	bare_open(&trunk, "127.0.0.1", SOCK_DGRAM);
	bare_open(&other, "127.0.0.1", SOCK_DGRAM);
	return 0;
}

static int close_all(void **state)
{
	(void)close(trunk.fd);
	(void)close(other.fd);
	return bench_close(state);
}

static void ring(void)
{
	bench_invite(&trunk, "");
	assert_true(hears(&trunk, "INVITE "));
	memcpy(asked, trunk.text, sizeof(asked));
}

/* A phone answers; it wants to be reached at `b`. */
static void pick_up(const struct bare *b, const char *tag, const char *extra)
{
	char rest[512];

	(void)snprintf(rest, sizeof(rest),
		       "Contact: <sip:phone@127.0.0.1:%u>\r\n%s", b->port,
		       extra);
	bench_answer(&trunk, asked, "200 OK", tag, rest);
}

static void end_call(void)
{
	bench_sess = mem_deref(bench_sess);
	bench_settle();
}

TEST(a_second_phone_that_answers_gets_an_ack_and_a_bye)
{
	ring();
	pick_up(&trunk, "first", "");
	assert_int_equal(bench_answered, 1);
	assert_true(hears(&trunk, "ACK sip:phone@"));
	pick_up(&other, "second", "");

	assert_true(hears(&other, "ACK sip:phone@"));
	assert_non_null(strstr(other.text, ";tag=second\r\n"));
	assert_non_null(strstr(other.text, "CSeq: "));
	assert_true(hears(&other, "BYE sip:phone@"));
	assert_non_null(strstr(other.text, ";tag=second\r\n"));
	bench_answer(&other, other.text, "200 OK", "second", "");
	assert_null(bare_hear(&other));

	/* the call that is meant goes on */
	assert_null(bare_hear(&trunk));
	assert_int_equal(bench_closed, 0);
	end_call();
	assert_true(hears(&trunk, "BYE sip:phone@"));
	assert_non_null(strstr(trunk.text, ";tag=first\r\n"));
}

TEST(an_answer_sent_again_is_acknowledged_again_and_nothing_else)
{
	ring();
	for (int i = 0; i < 3; i++) {
		pick_up(&trunk, "first", "");
		assert_true(hears(&trunk, "ACK "));
		assert_null(bare_hear(&trunk));
	}
	pick_up(&other, "second", "");
	assert_true(hears(&other, "ACK "));
	assert_true(hears(&other, "BYE "));
	for (int i = 0; i < 3; i++) {
		pick_up(&other, "second", "");
		assert_true(hears(&other, "ACK "));
		assert_null(bare_hear(&other));
	}
	end_call();
}

static char account[] = "us", secret[] = "secret";

TEST(a_bye_of_a_stray_leg_that_is_challenged_goes_again_with_credentials)
{
	static const char challenge[] =
		"Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", "
		"algorithm=MD5, qop=\"auth\"\r\n";

	bench.s.trunks[0].conf.user = account;
	bench.s.trunks[0].conf.password = secret;
	ring();
	pick_up(&trunk, "first", "");
	assert_true(hears(&trunk, "ACK "));
	pick_up(&other, "second", "");
	assert_true(hears(&other, "ACK "));
	for (int i = 0; i < 2; i++) {
		assert_true(hears(&other, "BYE "));
		bench_answer(&other, other.text,
			     "407 Proxy Authentication Required", "second",
			     challenge);
	}
	assert_non_null(strstr(other.text,
			       "Proxy-Authorization: Digest username=\"us\""));
	/* a second refusal is the last */
	assert_null(bare_hear(&other));
	end_call();
}

TEST(a_stray_leg_is_reached_over_the_way_it_recorded)
{
	char routes[256];

	ring();
	pick_up(&trunk, "first", "");
	assert_true(hears(&trunk, "ACK "));
	(void)snprintf(routes, sizeof(routes),
		       "Record-Route: <sip:far.example.com;lr>, "
		       "<sip:127.0.0.1:%u;lr>\r\n",
		       other.port);
	bench_answer(&trunk, asked, "200 OK", "second", routes);
	/* no Contact: to whom it was asked for */
	assert_true(hears(&other, "ACK sip:"));
	assert_true(hears(&other, "BYE sip:"));
	bench_answer(&other, other.text, "200 OK", "second", "");

	pick_up(&trunk, "third", routes);
	assert_true(hears(&other, "ACK sip:phone@"));
	assert_true(hears(&other, "BYE sip:phone@"));
	assert_true(strstr(other.text, "Route: <sip:127.0.0.1:") <
		    strstr(other.text, "Route: <sip:far.example.com;lr>"));
	end_call();
}

TEST(an_answer_that_crosses_a_cancel_is_acknowledged_and_ended)
{
	ring();
	bench_answer(&trunk, asked, "180 Ringing", "first", "");
	end_call();
	assert_true(hears(&trunk, "CANCEL "));
	pick_up(&trunk, "first", "");

	assert_true(hears(&trunk, "ACK "));
	assert_true(hears(&trunk, "BYE "));
	bench_answer(&trunk, trunk.text, "200 OK", "first", "");
	pick_up(&trunk, "first", "");
	assert_true(hears(&trunk, "ACK "));
	assert_null(bare_hear(&trunk));
}

TEST(an_answer_after_the_cancel_was_confirmed_is_ended_too)
{
	ring();
	bench_answer(&trunk, asked, "180 Ringing", "first", "");
	end_call();
	assert_true(hears(&trunk, "CANCEL "));
	bench_answer(&trunk, asked, "487 Request Terminated", "first", "");
	assert_true(hears(&trunk, "ACK "));
	loop_advance(bench.loop, 60000);
	while (bare_hear(&trunk))
		;
	pick_up(&other, "second", "");

	assert_true(hears(&other, "ACK "));
	assert_true(hears(&other, "BYE "));
}

TEST(what_is_remembered_of_a_call_is_forgotten_after_it)
{
	ring();
	pick_up(&trunk, "first", "");
	assert_true(hears(&trunk, "ACK "));
	end_call();
	assert_true(hears(&trunk, "BYE "));
	bench_answer(&trunk, trunk.text, "200 OK", "first", "");
	loop_advance(bench.loop, 65000);
	assert_int_equal(timers_count(loop_timers(bench.loop)), 0);
}

/* A 200 to a call that there never was. */
static void flood(unsigned call, unsigned tag)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "SIP/2.0 200 OK\r\n"
			 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKx\r\n"
			 "From: <sip:us@127.0.0.1>;tag=ours\r\n"
			 "To: <sip:phone@127.0.0.1>;tag=t%u\r\n"
			 "Call-ID: %u@flood\r\n"
			 "CSeq: 1 INVITE\r\n"
			 "Contact: <sip:phone@127.0.0.1:%u>\r\n"
			 "Content-Length: 0\r\n\r\n",
			 net_port(&bench.s.laddr), tag, call, trunk.port);

	bare_send(&trunk, text, (size_t)n);
}

static void flood_has_an_end(bool calls)
{
	unsigned heard = 0;

	for (unsigned i = 0; i < TSIP_STRAYS_MAX + 100; i++) {
		flood(calls ? i : 0, calls ? 0 : i);
		heard += hears(&trunk, "ACK ") && hears(&trunk, "BYE ");
	}
	assert_int_equal(heard, TSIP_STRAYS_MAX);
	for (unsigned i = 0; i < 64; i++) {
		loop_advance(bench.loop, 1000);
		while (bare_hear(&trunk))
			;
	}
	assert_int_equal(timers_count(loop_timers(bench.loop)), 0);

	flood(TSIP_STRAYS_MAX, 0);
	assert_true(hears(&trunk, "ACK ") && hears(&trunk, "BYE "));
}

TEST(a_flood_of_answers_is_ended_one_after_the_other)
{
	flood_has_an_end(true);
}

TEST(a_flood_of_legs_of_one_call_is_too)
{
	flood_has_an_end(false);
}

/* --- requests ------------------------------------------------------------------- */

static void begin_call(void)
{
	bench_call.id = "one@bench";
}

TEST(a_call_to_us_is_refused_politely)
{
	bare_say(&trunk, "INVITE sip:us@127.0.0.1", "1 INVITE", "", "");
	assert_true(hears(&trunk, "SIP/2.0 480 "));
	bare_say(&trunk, "ACK sip:us@127.0.0.1", "1 ACK", "any", "");
	assert_null(bare_hear(&trunk));
	assert_int_equal(timers_count(loop_timers(bench.loop)), 0);
}

TEST(options_are_answered_inside_and_outside_of_a_call)
{
	bare_say(&trunk, "OPTIONS sip:us@127.0.0.1", "1 OPTIONS", "", "");
	assert_true(hears(&trunk, "SIP/2.0 200 "));
	assert_non_null(strstr(trunk.text, "Allow: INVITE"));
	assert_non_null(strstr(trunk.text, "Accept: application/sdp"));
	bare_say(&trunk, "OPTIONS sip:us@127.0.0.1", "2 OPTIONS", "x", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	begin_call();
	bare_say(&trunk, "OPTIONS sip:us@127.0.0.1", "3 OPTIONS", "x", "");
	assert_true(hears(&trunk, "SIP/2.0 200 "));
}

TEST(requests_that_belong_to_no_call_leave_nothing_behind)
{
	static const char *const methods[] = {"OPTIONS", "BYE",  "CANCEL",
					      "UPDATE",  "INFO", "MESSAGE"};
	char what[64], cseq[32];

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(methods); i++) {
		const char *method = methods[i / 2];

		(void)snprintf(what, sizeof(what), "%s sip:us@127.0.0.1",
			       method);
		(void)snprintf(cseq, sizeof(cseq), "%u %s", i + 1, method);
		bare_say(&trunk, what, cseq, i % 2 ? "any" : "", "");
		assert_true(hears(&trunk, "SIP/2.0 "));
	}
	assert_int_equal(timers_count(loop_timers(bench.loop)), 0);
}

TEST(a_session_refresh_by_update_is_accepted)
{
	begin_call();
	bare_say(&trunk, "UPDATE sip:us@127.0.0.1:5060", "1 UPDATE", "x",
		 "Session-Expires: 1800;refresher=uac\r\n"
		 "Supported: timer\r\nContent-Length: 0\r\n\r\n");
	assert_true(hears(&trunk, "SIP/2.0 200 "));
	assert_non_null(strstr(trunk.text, "Contact: <sip:us@127.0.0.1:5060>"));
	assert_int_equal(bench_call.offers, 0);
}

static const char offer[] = "Content-Type: application/sdp\r\n"
			    "Content-Length: 5\r\n\r\nv=0\r\n";

/* A call of libre's that was answered; further requests come inside of it. */
static void begin_answered_call(void)
{
	ring();
	pick_up(&trunk, "theirs", "");
	assert_true(hears(&trunk, "ACK "));
	/* its Call-ID is libre's; the made-up one takes part in the ACK */
	tsip_stray_sent(&bench.s,
			span_of("ACK sip:x SIP/2.0\r\n"
				"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\n"
				"From: <sip:us@127.0.0.1>;tag=ours\r\n"
				"To: <sip:them@127.0.0.1>;tag=theirs\r\n"
				"Call-ID: one@bench\r\nCSeq: 1 ACK\r\n"
				"Content-Length: 0\r\n\r\n"));
	begin_call();
}

TEST(an_offer_by_update_is_answered_once_the_call_is)
{
	begin_answered_call();
	bare_say(&trunk, "UPDATE sip:us@127.0.0.1", "2 UPDATE", "ours", offer);
	assert_true(hears(&trunk, "SIP/2.0 200 "));
	assert_non_null(strstr(trunk.text, "\r\n\r\nv=0\r\n"));
	assert_int_equal(bench_call.offers, 1);

	/* the same one again is the same transaction */
	bare_say(&trunk, "UPDATE sip:us@127.0.0.1", "2 UPDATE", "ours", offer);
	assert_true(hears(&trunk, "SIP/2.0 200 "));
	assert_int_equal(bench_call.offers, 1);

	bench_call.offer_err = -ENOTSUP;
	bare_say(&trunk, "UPDATE sip:us@127.0.0.1", "3 UPDATE", "ours", offer);
	assert_true(hears(&trunk, "SIP/2.0 488 "));
	end_call();
}

TEST(an_offer_before_the_answer_to_ours_has_to_wait)
{
	begin_call();
	bare_say(&trunk, "UPDATE sip:us@127.0.0.1", "1 UPDATE", "ours", offer);
	assert_true(hears(&trunk, "SIP/2.0 491 "));
	assert_int_equal(bench_call.offers, 0);
}

TEST(a_key_by_info_is_heard_once)
{
	static const char key[] = "Content-Type: application/dtmf-relay\r\n"
				  "Content-Length: 10\r\n\r\nSignal=5\r\n";

	begin_call();
	bare_say(&trunk, "INFO sip:us@127.0.0.1", "1 INFO", "x", key);
	assert_true(hears(&trunk, "SIP/2.0 200 "));
	bare_say(&trunk, "INFO sip:us@127.0.0.1", "1 INFO", "x", key);
	assert_true(hears(&trunk, "SIP/2.0 200 "));
	assert_int_equal(bench_call.infos, 1);
}

TEST(a_bye_is_shown_to_its_call_before_libre_has_it)
{
	begin_answered_call();
	bare_say(&trunk, "BYE sip:us@127.0.0.1", "5 BYE", "ours", "");
	assert_int_equal(bench_call.byes, 1);
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	end_call();
}

TEST(a_leg_that_is_not_the_call_is_told_so)
{
	begin_call();
	tsip_stray_sent(&bench.s,
			span_of("ACK sip:x SIP/2.0\r\n"
				"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\n"
				"From: <sip:us@127.0.0.1>;tag=ours\r\n"
				"To: <sip:them@127.0.0.1>;tag=somebody\r\n"
				"Call-ID: one@bench\r\nCSeq: 1 ACK\r\n"
				"Content-Length: 0\r\n\r\n"));
	bare_say(&trunk, "INFO sip:us@127.0.0.1", "1 INFO", "ours", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	bare_say(&trunk, "BYE sip:us@127.0.0.1", "2 BYE", "ours", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	assert_int_equal(bench_call.byes, 0);
	assert_int_equal(bench_call.infos, 0);
}

TEST(what_we_do_not_know_is_refused_as_the_rfc_says)
{
	bare_say(&trunk, "MESSAGE sip:us@127.0.0.1", "1 MESSAGE", "", "");
	assert_true(hears(&trunk, "SIP/2.0 405 "));
	assert_non_null(strstr(trunk.text, "Allow: INVITE"));
	bare_say(&trunk, "NONSENSE sip:us@127.0.0.1", "2 NONSENSE", "x", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	bare_say(&trunk, "BYE sip:us@127.0.0.1", "3 BYE", "x", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	bare_say(&trunk, "INVITE sip:us@127.0.0.1", "4 INVITE", "x", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	bare_say(&trunk, "CANCEL sip:us@127.0.0.1", "5 CANCEL", "", "");
	assert_true(hears(&trunk, "SIP/2.0 481 "));
	begin_call();
	bare_say(&trunk, "REFER sip:us@127.0.0.1", "6 REFER", "x", "");
	assert_true(hears(&trunk, "SIP/2.0 405 "));
	bare_say(&trunk, "ACK sip:us@127.0.0.1", "7 ACK", "", "");
	bare_say(&trunk, "ACK sip:us@127.0.0.1", "7 ACK", "x", "");
	bare_say(&trunk, "SIP/2.0 404 Not Found", "8 INVITE", "x", "");
	bare_say(&trunk, "SIP/2.0 180 Ringing", "9 INVITE", "x", "");
	assert_null(bare_hear(&trunk));
}

#define ON(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(a_second_phone_that_answers_gets_an_ack_and_a_bye),
		ON(an_answer_sent_again_is_acknowledged_again_and_nothing_else),
		ON(a_bye_of_a_stray_leg_that_is_challenged_goes_again_with_credentials),
		ON(a_stray_leg_is_reached_over_the_way_it_recorded),
		ON(an_answer_that_crosses_a_cancel_is_acknowledged_and_ended),
		ON(an_answer_after_the_cancel_was_confirmed_is_ended_too),
		ON(what_is_remembered_of_a_call_is_forgotten_after_it),
		ON(a_flood_of_answers_is_ended_one_after_the_other),
		ON(a_flood_of_legs_of_one_call_is_too),
		ON(a_call_to_us_is_refused_politely),
		ON(options_are_answered_inside_and_outside_of_a_call),
		ON(requests_that_belong_to_no_call_leave_nothing_behind),
		ON(a_session_refresh_by_update_is_accepted),
		ON(an_offer_by_update_is_answered_once_the_call_is),
		ON(an_offer_before_the_answer_to_ours_has_to_wait),
		ON(a_key_by_info_is_heard_once),
		ON(a_bye_is_shown_to_its_call_before_libre_has_it),
		ON(a_leg_that_is_not_the_call_is_told_so),
		ON(what_we_do_not_know_is_refused_as_the_rfc_says),
	};

	return cmocka_run_group_tests_name("tel/sip_stray", tests, NULL, NULL);
}
