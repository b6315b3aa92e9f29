// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_talk.c - a call over a trunk once it is answered: what the far end
 * may do to it, and what it may not.
 */
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "unit/tel/sip_world.h"

/* --- the far end's doing ------------------------------------------------------------------- */

TEST(a_bye_ends_it_with_its_cause)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_peer_ask(w.peer, "BYE", "Reason: Q.850;cause=31\r\n", NULL, NULL);

	sip_world_ends(&w, TEL_HUNG_UP, 0, 31);
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 200"));
	assert_int_equal(sip_peer_heard(w.peer, "BYE "), 0);
	sip_world_close(&w);
}

TEST(a_bye_on_the_heels_of_the_answer_ends_it)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_peer_answer(w.peer, &(struct sip_peer_answer){
					.code = 200,
					.sdp = sip_peer_sdp(w.peer, NULL)});
	sip_peer_ask(w.peer, "BYE", NULL, NULL, NULL);

	sip_world_ends(&w, TEL_HUNG_UP, 0, 0);
	assert_int_equal(sip_world_saw(&w, TEL_ANSWERED), 1);
	sip_world_close(&w);
}

TEST(a_bye_before_the_answer_is_no_end)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_peer_ask(w.peer, "BYE", NULL, NULL, NULL);
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 481"));
	sip_world_pick_up(&w, NULL);

	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_close(&w);
}

static void reinvite(struct sip_world *w, const char *sdp)
{
	unsigned before = sip_peer_heard(w->peer, "SIP/2.0 200");

	sip_peer_ask(w->peer, "INVITE", NULL, sdp ? "application/sdp" : NULL,
		     sdp);
	UNTIL(w, sip_peer_heard(w->peer, "SIP/2.0 200") == before + 1);
}

TEST(it_may_hold_us_and_take_us_back)
{
	const char *answer;
	struct sip_world w;
	unsigned before;

	sip_world_talk(&w);
	UNTIL(&w, sip_peer_packets(w.peer) > 2);
	reinvite(&w, sip_peer_sdp(w.peer, "a=sendonly\r\n"));
	answer = sip_peer_last(w.peer, "SIP/2.0 200");
	assert_non_null(strstr(answer, "a=recvonly\r\n"));
	sip_peer_ack(w.peer, NULL);
	reinvite(&w, sip_peer_sdp(w.peer, "a=sendrecv\r\n"));
	answer = sip_peer_last(w.peer, "SIP/2.0 200");
	assert_non_null(strstr(answer, "a=sendrecv\r\n"));
	sip_peer_ack(w.peer, NULL);
	before = sip_peer_packets(w.peer);
	UNTIL(&w, sip_peer_packets(w.peer) > before + 2);

	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_close(&w);
}

TEST(it_may_hold_us_with_no_address_as_of_old)
{
	struct sip_world w;
	char sdp[512];

	sip_world_talk(&w);
	(void)snprintf(sdp, sizeof(sdp),
		       "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio %u RTP/AVP 0\r\n",
		       sip_peer_rtp_port(w.peer));
	reinvite(&w, sdp);

	assert_non_null(
		strstr(sip_peer_last(w.peer, "SIP/2.0 200"), "a=recvonly\r\n"));
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_close(&w);
}

TEST(another_codec_is_spoken_from_the_re_invite_on)
{
	struct sip_world w;
	char sdp[512];

	sip_world_talk(&w);
	UNTIL(&w, sip_peer_packets(w.peer) > 2 &&
			  sip_peer_payload_type(w.peer) == 0);
	(void)snprintf(sdp, sizeof(sdp),
		       "v=0\r\nc=IN IP4 127.0.0.1\r\n"
		       "m=audio %u RTP/AVP 8\r\n",
		       sip_peer_rtp_port(w.peer));
	reinvite(&w, sdp);
	sip_peer_ack(w.peer, NULL);

	UNTIL(&w, sip_peer_payload_type(w.peer) == 8);
	assert_true(sip_peer_heard_sound(w.peer, 0xd5));
	sip_world_close(&w);
}

TEST(a_re_invite_without_an_offer_gets_ours)
{
	struct sip_world w;

	sip_world_talk(&w);
	reinvite(&w, NULL);
	assert_non_null(strstr(sip_peer_last(w.peer, "SIP/2.0 200"),
			       "RTP/AVP 0 8 101\r\n"));
	sip_peer_ack(w.peer, sip_peer_sdp(w.peer, NULL));
	tel_call_hang_up(w.call);

	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	sip_world_close(&w);
}

TEST(a_re_invite_that_we_cannot_take_changes_nothing)
{
	struct sip_world w;
	unsigned before;

	sip_world_talk(&w);
	sip_peer_ask(w.peer, "INVITE", NULL, "application/sdp",
		     "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 18\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 488"));
	before = sip_peer_packets(w.peer);

	UNTIL(&w, sip_peer_packets(w.peer) > before + 2);
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_close(&w);
}

TEST(an_update_with_an_offer_is_answered)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_peer_ask(w.peer, "UPDATE", NULL, "application/sdp",
		     sip_peer_sdp(w.peer, "a=inactive\r\n"));
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 200"));

	assert_non_null(
		strstr(sip_peer_last(w.peer, "SIP/2.0 200"), "a=inactive\r\n"));
	sip_world_close(&w);
}

TEST(a_key_by_info_counts_where_the_trunk_says_so)
{
	struct sip_world w;

	sip_world_make(&w);
	w.conf.info_keys = true;
	sip_world_open(&w);
	sip_world_dial(&w);
	sip_world_pick_up(&w, NULL);
	sip_peer_ask(w.peer, "INFO", NULL, "application/dtmf-relay",
		     "Signal=7\r\nDuration=160\r\n");
	UNTIL(&w, sip_world_saw(&w, TEL_KEY) == 1);
	assert_int_equal(sip_world_last(&w, TEL_KEY)->ev.key, '7');
	sip_peer_ask(w.peer, "INFO", NULL, "application/dtmf", "#");
	UNTIL(&w, sip_world_saw(&w, TEL_KEY) == 2);

	assert_int_equal(sip_world_last(&w, TEL_KEY)->ev.key, '#');
	assert_int_equal(sip_peer_heard(w.peer, "SIP/2.0 200"), 2);
	sip_world_close(&w);
}

TEST(a_key_by_info_is_answered_and_not_heard_where_it_does_not)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_peer_ask(w.peer, "INFO", NULL, "application/dtmf", "1");
	UNTIL(&w, sip_peer_heard(w.peer, "SIP/2.0 200"));

	assert_int_equal(sip_world_saw(&w, TEL_KEY), 0);
	sip_world_close(&w);
}

TEST(a_bye_in_rtcp_without_one_in_sip_is_lost_media)
{
	struct sip_world w;
	char line[64];

	sip_world_begin(&w);
	sip_world_dial(&w);
	(void)snprintf(line, sizeof(line), "a=rtcp:%u\r\n",
		       sip_peer_rtp_port(w.peer));
	sip_world_pick_up(&w, line);
	for (unsigned i = 0; i < 5; i++)
		sip_peer_speak(w.peer);
	UNTIL(&w, sip_peer_packets(w.peer) > 2);
	sip_peer_leave(w.peer);
	for (unsigned i = 0; i < 50; i++)
		sip_world_turn(&w);
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_advance(&w, 2000);

	sip_world_ends(&w, TEL_UNREACHABLE, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	sip_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(a_bye_ends_it_with_its_cause),
		T(a_bye_on_the_heels_of_the_answer_ends_it),
		T(a_bye_before_the_answer_is_no_end),
		T(it_may_hold_us_and_take_us_back),
		T(it_may_hold_us_with_no_address_as_of_old),
		T(another_codec_is_spoken_from_the_re_invite_on),
		T(a_re_invite_without_an_offer_gets_ours),
		T(a_re_invite_that_we_cannot_take_changes_nothing),
		T(an_update_with_an_offer_is_answered),
		T(a_key_by_info_counts_where_the_trunk_says_so),
		T(a_key_by_info_is_answered_and_not_heard_where_it_does_not),
		T(a_bye_in_rtcp_without_one_in_sip_is_lost_media),
	};

	return cmocka_run_group_tests_name("tel/sip_talk", tests, NULL, NULL);
}
