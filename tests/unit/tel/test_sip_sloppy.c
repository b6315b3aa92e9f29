// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_sloppy.c - trunks that say what they should not, or lose what they
 * should keep: is each leg that they answered acknowledged, and ended?
 */
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "unit/tel/sip_world.h"

/* --- where requests go ------------------------------------------------------------ */

static void answer(struct sip_world *w, const char *contact,
		   const char *headers)
{
	sip_peer_answer(w->peer, &(struct sip_peer_answer){
					 .code = 200,
					 .contact = contact,
					 .headers = headers,
					 .sdp = sip_peer_sdp(w->peer, NULL)});
}

static void hears_all(const char *contact, const char *headers)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	answer(&w, contact, headers);
	UNTIL(&w, sip_world_saw(&w, TEL_ANSWERED) &&
			  sip_peer_heard(w.peer, "ACK ") == 1);
	tel_call_hang_up(w.call);
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE ") == 1);
	sip_world_close(&w);
}

TEST(who_wants_to_be_reached_where_we_cannot_is_reached_where_it_is)
{
	hears_all("Contact: <sip:peer@gw.example.com>\r\n", NULL);
	hears_all("Contact: <sip:peer@127.0.0.1:5061;transport=tls>\r\n", NULL);
	hears_all("Contact: <sip:peer@127.0.0.1:5061;transport=tcp>\r\n", NULL);
	hears_all("Contact: <sips:peer@127.0.0.1:5061>\r\n", NULL);
	hears_all("Contact: <sip:peer@[::1]:5061>\r\n", NULL);
	hears_all("Contact: <sip:peer@0.0.0.0>\r\n", NULL);
	hears_all("Contact: <tel:+4930123452>\r\n", NULL);
}

TEST(a_proxy_that_recorded_its_name_keeps_its_route_and_gets_our_requests)
{
	struct sip_world w;

	hears_all(NULL, "Record-Route: <sip:edge.example.com;lr>\r\n");
	sip_world_begin(&w);
	sip_world_dial(&w);
	answer(&w, NULL, "Record-Route: <sip:edge.example.com;lr>\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "ACK "));

	assert_non_null(strstr(sip_peer_last(w.peer, "ACK "),
			       "Route: <sip:edge.example.com;lr>\r\n"));
	assert_non_null(
		strstr(sip_peer_last(w.peer, "ACK "), "ACK sip:peer@127.0."));
	sip_world_close(&w);
}

TEST(who_moves_to_a_name_is_still_told_the_end)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_peer_ask(w.peer, "INVITE",
		     "Contact: <sip:moved@gw.example.com>\r\n",
		     "application/sdp", sip_peer_sdp(w.peer, NULL));
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 200"));
	sip_peer_ack(w.peer, NULL);
	tel_call_hang_up(w.call);

	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	sip_world_close(&w);
}

static void ends_at_once(const char *contact)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	answer(&w, contact, NULL);
	sip_world_ends(&w, TEL_REFUSED, 488, 0);

	UNTIL(&w,
	      sip_peer_heard(w.peer, "ACK ") && sip_peer_heard(w.peer, "BYE "));
	assert_int_equal(sip_world_saw(&w, TEL_ANSWERED), 0);
	sip_world_close(&w);
}

TEST(an_answer_that_does_not_say_from_where_is_acknowledged_and_ended)
{
	ends_at_once("");
	ends_at_once("Contact: hello\r\n");
	ends_at_once("Contact: *\r\n");
}

/* --- out of turn -------------------------------------------------------------------- */

TEST(a_challenge_after_ringing_does_not_begin_the_silence_anew)
{
	struct sip_world w;

	sip_world_make(&w);
	w.conf.user = "us";
	w.conf.password = "secret";
	sip_world_open(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_world_advance(&w, WORLD_RING_MS - 1);
	sip_world_say(&w, 407,
		      "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", "
		      "qop=\"auth\"\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	sip_world_say(&w, 180, NULL);
	for (unsigned i = 0; i < 20; i++)
		sip_world_turn(&w);
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_advance(&w, 1);

	sip_world_ends(&w, TEL_NO_ANSWER, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "CANCEL "));
	sip_world_close(&w);
}

TEST(an_offer_that_crosses_our_bye_finds_no_call_and_a_bye_is_fine)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_peer_be_silent(w.peer, true);
	tel_call_hang_up(w.call);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	sip_peer_ask(w.peer, "INVITE", NULL, "application/sdp",
		     sip_peer_sdp(w.peer, NULL));
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 481"));
	sip_peer_ask(w.peer, "BYE", NULL, NULL, NULL);
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 200"));

	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	sip_world_close(&w);
}

TEST(a_call_is_open_until_the_far_end_knows_its_end)
{
	struct sip_world w;

	sip_world_talk(&w);
	assert_int_equal(tel_sip_unsaid(w.sip), 1);
	sip_peer_be_silent(w.peer, true);
	tel_call_hang_up(w.call);
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	tel_call_close(w.call);
	w.call = NULL;
	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	assert_int_equal(tel_sip_unsaid(w.sip), 1);
	sip_peer_be_silent(w.peer, false);
	sip_world_advance(&w, 500);

	UNTIL(&w, tel_sip_unsaid(w.sip) == 0);
	sip_world_close(&w);
}

TEST(a_cancelled_call_is_open_until_its_invite_is_over)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	tel_call_close(w.call);
	w.call = NULL;
	for (unsigned i = 0; i < 20; i++)
		sip_world_turn(&w);
	assert_int_equal(tel_sip_unsaid(w.sip), 1);
	sip_world_say(&w, 180, NULL);

	UNTIL(&w, tel_sip_unsaid(w.sip) == 0);
	assert_int_equal(sip_peer_heard(w.peer, "CANCEL "), 1);
	sip_world_close(&w);
}

/* --- connections ---------------------------------------------------------------------- */

static void begin_tcp(struct sip_world *w)
{
	sip_world_make(w);
	sip_peer_use_tcp(w->peer);
	w->conf.port = sip_peer_port(w->peer);
	w->conf.transport = TEL_SIP_TCP;
	sip_world_open(w);
	sip_world_dial(w);
}

TEST(a_connection_that_is_lost_in_a_call_is_made_anew_for_its_end)
{
	struct sip_world w;

	begin_tcp(&w);
	sip_world_pick_up(&w, NULL);
	sip_peer_drop(w.peer);
	for (unsigned i = 0; i < 20; i++)
		sip_world_turn(&w);
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	tel_call_hang_up(w.call);

	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	sip_world_close(&w);
}

TEST(a_connection_that_is_lost_while_it_rings_is_made_anew_for_the_cancel)
{
	struct sip_world w;

	begin_tcp(&w);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_peer_drop(w.peer);
	for (unsigned i = 0; i < 20; i++)
		sip_world_turn(&w);
	tel_call_hang_up(w.call);

	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "CANCEL "));
	sip_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(who_wants_to_be_reached_where_we_cannot_is_reached_where_it_is),
		T(a_proxy_that_recorded_its_name_keeps_its_route_and_gets_our_requests),
		T(who_moves_to_a_name_is_still_told_the_end),
		T(an_answer_that_does_not_say_from_where_is_acknowledged_and_ended),
		T(a_challenge_after_ringing_does_not_begin_the_silence_anew),
		T(an_offer_that_crosses_our_bye_finds_no_call_and_a_bye_is_fine),
		T(a_call_is_open_until_the_far_end_knows_its_end),
		T(a_cancelled_call_is_open_until_its_invite_is_over),
		T(a_connection_that_is_lost_in_a_call_is_made_anew_for_its_end),
		T(a_connection_that_is_lost_while_it_rings_is_made_anew_for_the_cancel),
	};

	return cmocka_run_group_tests_name("tel/sip_sloppy", tests, NULL, NULL);
}
