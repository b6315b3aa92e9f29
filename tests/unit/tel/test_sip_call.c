// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_call.c - calls over a trunk, with a far end that says what a test
 * wants: does each end truly, and does none leave anything behind?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "unit/tel/sip_world.h"

enum { PLAY_MS = 200, LONGEST_MS = 15 * 60 * 1000, REDIRECTS_MAX = 3 };

/* --- plain ------------------------------------------------------------------------ */

TEST(a_call_is_answered_played_to_and_hears_a_key)
{
	AUTO(playlist) *p = playlist_new();
	const struct world_event *key;
	struct sip_world w;

	assert_int_equal(playlist_silence(p, PLAY_MS), 0);
	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 100, NULL);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	assert_int_equal(tel_call_play(w.call, p, 7), -ENOTCONN);
	sip_world_pick_up(&w, NULL);
	UNTIL(&w, sip_peer_packets(w.peer) > 2);
	assert_int_equal(tel_call_play(w.call, p, 7), 0);
	UNTIL(&w, sip_world_saw(&w, TEL_PLAYED));
	for (unsigned i = 0; i < 3; i++)
		sip_peer_speak(w.peer);
	sip_peer_press(w.peer, '5');
	UNTIL(&w, sip_world_saw(&w, TEL_KEY));
	tel_call_hang_up(w.call);
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);

	key = sip_world_last(&w, TEL_KEY);
	assert_int_equal(key->ev.key, '5');
	assert_int_equal(key->ev.play_id, 7);
	assert_int_equal(sip_world_saw(&w, TEL_KEY), 1);
	assert_int_equal(sip_world_last(&w, TEL_PLAYED)->ev.play_id, 7);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	assert_true(sip_world_last(&w, TEL_ENDED)->media);
	assert_true(sip_world_last(&w, TEL_ENDED)->stats.sent > 2);
	sip_world_close(&w);
}

TEST(the_invite_says_who_calls_and_offers_sound)
{
	struct sip_world w;
	const char *invite;

	sip_world_begin(&w);
	sip_world_dial(&w);
	invite = sip_peer_last(w.peer, "INVITE ");

	assert_non_null(strstr(invite, "INVITE sip:+4915112345678@127.0.0.1:"));
	assert_non_null(strstr(invite, "From: <sip:+4930123451@127.0.0.1>"));
	assert_non_null(strstr(invite, "Supported: histinfo\r\n"));
	assert_non_null(strstr(invite, "RTP/AVP 0 8 101\r\n"));
	assert_null(strstr(invite, "100rel"));
	sip_world_close(&w);
}

TEST(what_is_advertised_stands_in_the_invite)
{
	const char *invite;
	struct sip_world w;

	sip_world_make(&w);
	w.advertise = "203.0.113.5:5070";
	w.advertise_media = "203.0.113.9";
	sip_world_open(&w);
	sip_world_dial(&w);
	invite = sip_peer_last(w.peer, "INVITE ");
	assert_non_null(strstr(invite, "c=IN IP4 203.0.113.9\r\n"));
	assert_non_null(
		strstr(invite, "Contact: <sip:voiceotp@203.0.113.5:5070>"));
	assert_non_null(strstr(invite, "From: <sip:+4930123451@203.0.113.5>"));
	sip_world_pick_up(&w, NULL);

	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_close(&w);
}

TEST(sound_before_the_answer_is_told_and_never_answered)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_peer_answer(w.peer, &(struct sip_peer_answer){
					.code = 183,
					.tag = "a",
					.sdp = sip_peer_sdp(w.peer, NULL)});
	sip_peer_answer(w.peer, &(struct sip_peer_answer){
					.code = 183,
					.tag = "b",
					.sdp = sip_peer_sdp(w.peer, NULL)});
	UNTIL(&w, sip_world_saw(&w, TEL_EARLY_MEDIA));
	for (unsigned i = 0; i < 40; i++)
		sip_world_turn(&w);
	assert_int_equal(sip_world_saw(&w, TEL_ANSWERED), 0);
	assert_int_equal(sip_peer_packets(w.peer), 0);
	sip_world_pick_up(&w, NULL);
	UNTIL(&w, sip_peer_packets(w.peer) > 0);

	assert_int_equal(sip_world_saw(&w, TEL_EARLY_MEDIA), 1);
	sip_world_close(&w);
}

TEST(a_200_that_comes_again_is_acknowledged_again)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_peer_repeat(w.peer);
	UNTIL(&w, sip_peer_heard(w.peer, "ACK ") == 2);

	assert_int_equal(sip_world_saw(&w, TEL_ANSWERED), 1);
	sip_world_close(&w);
}

TEST(forwarding_is_told_once)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 181, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_FORWARDED));
	sip_world_say(&w, 180, "Diversion: <sip:1@h>;reason=no-answer\r\n");
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_world_pick_up(&w, NULL);
	tel_call_hang_up(w.call);
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);

	assert_int_equal(sip_world_saw(&w, TEL_FORWARDED), 1);
	assert_true(sip_world_last(&w, TEL_ENDED)->forwarded);
	sip_world_close(&w);
}

TEST(a_call_goes_over_tcp_as_well)
{
	const char *invite;
	struct sip_world w;

	sip_world_make(&w);
	sip_peer_use_tcp(w.peer);
	w.conf.port = sip_peer_port(w.peer);
	w.conf.transport = TEL_SIP_TCP;
	sip_world_open(&w);
	sip_world_dial(&w);
	invite = sip_peer_last(w.peer, "INVITE ");
	assert_non_null(strstr(invite, ";transport=tcp SIP/2.0\r\n"));
	assert_non_null(strstr(invite, "\r\nVia: SIP/2.0/TCP "));
	sip_world_say(&w, 180, NULL);
	sip_world_pick_up(&w, NULL);
	UNTIL(&w, sip_peer_packets(w.peer) > 2);
	sip_peer_ask(w.peer, "BYE", NULL, NULL, NULL);

	sip_world_ends(&w, TEL_HUNG_UP, 0, 0);
	assert_non_null(strstr(w.trace, "INVITE sip:"));
	sip_world_close(&w);
}

TEST(a_connection_that_is_refused_is_unreachable)
{
	struct sip_peer *nobody = sip_peer_new();
	struct sip_world w;

	sip_world_make(&w);
	w.conf.port = sip_peer_port(nobody);
	w.conf.transport = TEL_SIP_TCP;
	sip_world_open(&w);
	sip_world_try(&w);

	sip_world_ends(&w, TEL_UNREACHABLE, 408, 0);
	sip_world_close(&w);
	sip_peer_free(nobody);
}

/* --- challenges ---------------------------------------------------------------------- */

#define MD5_NONCE(n) \
	"Digest realm=\"r\", nonce=\"" n "\", algorithm=MD5, qop=\"auth\""
#define SHA_NONCE(n) \
	"Digest realm=\"r\", nonce=\"" n "\", algorithm=SHA-256, qop=\"auth\""

static void begin_with_user(struct sip_world *w)
{
	sip_world_make(w);
	w->conf.user = "joe";
	w->conf.password = "secret";
	sip_world_open(w);
	sip_world_dial(w);
}

TEST(a_proxy_s_md5_challenge_is_answered)
{
	const char *second;
	struct sip_world w;

	begin_with_user(&w);
	sip_world_say(&w, 407, "Proxy-Authenticate: " MD5_NONCE("n1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	second = sip_peer_last(w.peer, "INVITE ");
	sip_world_pick_up(&w, NULL);

	assert_non_null(strstr(second, "\r\nProxy-Authorization: Digest "
				       "username=\"joe\", realm=\"r\", "
				       "nonce=\"n1\""));
	assert_null(strstr(second, "secret"));
	sip_world_close(&w);
}

TEST(sha256_before_md5_is_answered_with_sha256)
{
	struct sip_world w;

	begin_with_user(&w);
	sip_world_say(
		&w, 401,
		"WWW-Authenticate: " SHA_NONCE(
			"s1") "\r\n"
			      "WWW-Authenticate: " MD5_NONCE("m1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);

	assert_non_null(
		strstr(sip_peer_last(w.peer, "INVITE "), "algorithm=SHA-256"));
	sip_world_pick_up(&w, NULL);
	sip_world_close(&w);
}

TEST(a_stale_nonce_is_answered_once_more_and_no_third_time)
{
	struct sip_world w;

	begin_with_user(&w);
	sip_world_say(&w, 401, "WWW-Authenticate: " MD5_NONCE("n1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	sip_world_say(&w, 401,
		      "WWW-Authenticate: " MD5_NONCE("n2") ", stale=true\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 3);
	sip_world_say(&w, 401,
		      "WWW-Authenticate: " MD5_NONCE("n3") ", stale=true\r\n");

	sip_world_ends(&w, TEL_REFUSED, 401, 0);
	sip_world_close(&w);
}

TEST(credentials_that_do_not_help_end_the_call_and_rest_the_trunk)
{
	struct sip_world w;

	begin_with_user(&w);
	sip_world_say(&w, 401, "WWW-Authenticate: " MD5_NONCE("n1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	sip_world_say(&w, 401, "WWW-Authenticate: " MD5_NONCE("n2") "\r\n");

	sip_world_ends(&w, TEL_REFUSED, 401, 0);
	assert_int_equal(tel_state(w.tel), TEL_RESTING);
	assert_int_equal(w.news[0].why, TEL_SIP_UNAUTHORIZED);
	sip_world_close(&w);
}

TEST(a_proxy_and_a_callee_may_both_ask)
{
	const char *third;
	struct sip_world w;

	begin_with_user(&w);
	sip_world_say(&w, 407, "Proxy-Authenticate: " MD5_NONCE("p1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	sip_world_say(&w, 401, "WWW-Authenticate: " MD5_NONCE("w1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 3);
	third = sip_peer_last(w.peer, "INVITE ");

	assert_non_null(strstr(third, "nonce=\"p1\""));
	assert_non_null(strstr(third, "nonce=\"w1\""));
	sip_world_close(&w);
}

TEST(a_bye_answers_the_challenge_of_the_invite_at_once)
{
	struct sip_world w;
	const char *bye;

	begin_with_user(&w);
	sip_world_say(&w, 401, "WWW-Authenticate: " SHA_NONCE("s1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	sip_world_pick_up(&w, NULL);
	tel_call_hang_up(w.call);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE "));
	bye = sip_peer_last(w.peer, "BYE ");

	assert_non_null(strstr(bye, "\r\nAuthorization: Digest "
				    "username=\"joe\", realm=\"r\", "
				    "nonce=\"s1\", uri=\"sip:peer@127.0.0.1:"));
	assert_non_null(strstr(bye, "qop=auth, nc=00000002"));
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	sip_world_close(&w);
}

TEST(a_bye_that_is_challenged_is_sent_again_with_an_answer)
{
	struct sip_world w;

	begin_with_user(&w);
	sip_world_pick_up(&w, NULL);
	sip_peer_be_silent(w.peer, true);
	tel_call_hang_up(w.call);
	UNTIL(&w, sip_peer_heard(w.peer, "BYE ") == 1);
	sip_peer_answer_to(w.peer, "BYE ",
			   &(struct sip_peer_answer){
				   .code = 407,
				   .headers = "Proxy-Authenticate: " MD5_NONCE(
					   "b1") "\r\n"});
	UNTIL(&w, sip_peer_heard(w.peer, "BYE ") == 2);

	assert_non_null(strstr(sip_peer_last(w.peer, "BYE "),
			       "Proxy-Authorization: Digest username=\"joe\""));
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	sip_world_close(&w);
}

/* --- refusals --------------------------------------------------------------------------- */

static void refused_with(int code, const char *headers, int q850)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, code, headers);

	sip_world_ends(&w, TEL_REFUSED, code, q850);
	assert_false(sip_world_last(&w, TEL_ENDED)->media);
	UNTIL(&w, sip_peer_heard(w.peer, "ACK "));
	sip_world_close(&w);
}

TEST(busy_is_busy)
{
	refused_with(486, NULL, 0);
}

TEST(a_404_has_its_cause_where_it_says_one)
{
	refused_with(404, NULL, 0);
	refused_with(404, "Reason: Q.850;cause=1;text=\"unallocated\"\r\n", 1);
	refused_with(404,
		     "Reason: SIP;cause=404\r\n"
		     "Reason: Q.850;cause=20\r\n",
		     20);
}

TEST(a_redirect_is_not_followed)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 302, NULL);

	sip_world_ends(&w, TEL_REFUSED, 302, 0);
	assert_int_equal(sip_peer_heard(w.peer, "INVITE "), 1);
	sip_world_close(&w);
}

TEST(redirects_are_followed_where_the_trunk_allows_it_and_not_for_ever)
{
	char contact[64];
	struct sip_world w;

	sip_world_make(&w);
	w.conf.redirects = TEL_SIP_FOLLOW_REDIRECTS;
	sip_world_open(&w);
	sip_world_dial(&w);
	(void)snprintf(contact, sizeof(contact),
		       "Contact: <sip:other@127.0.0.1:%u>\r\n",
		       sip_peer_port(w.peer));
	for (unsigned n = 1; n <= REDIRECTS_MAX; n++) {
		sip_world_say(&w, 302, contact);
		UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == n + 1);
	}
	sip_world_say(&w, 302, contact);

	sip_world_ends(&w, TEL_REFUSED, 302, 0);
	sip_world_close(&w);
}

TEST(a_503_with_retry_after_rests_the_trunk)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 503, "Retry-After: 20\r\n");
	sip_world_ends(&w, TEL_REFUSED, 503, 0);

	assert_int_equal(tel_state(w.tel), TEL_RESTING);
	assert_int_equal(w.news[0].why, TEL_SIP_ASKED);
	assert_int_equal(w.news[0].rests_ms, 20000);
	sip_world_advance(&w, 20001);
	assert_int_equal(tel_state(w.tel), TEL_UP);
	sip_world_close(&w);
}

TEST(a_503_without_it_does_not)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 503, NULL);
	sip_world_ends(&w, TEL_REFUSED, 503, 0);

	assert_int_equal(tel_state(w.tel), TEL_UP);
	sip_world_close(&w);
}

static void unusable(const char *sdp)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_peer_answer(w.peer,
			&(struct sip_peer_answer){.code = 200, .sdp = sdp});

	sip_world_ends(&w, TEL_REFUSED, 488, 0);
	UNTIL(&w,
	      sip_peer_heard(w.peer, "ACK ") && sip_peer_heard(w.peer, "BYE "));
	assert_int_equal(sip_world_saw(&w, TEL_ANSWERED), 0);
	sip_world_close(&w);
}

TEST(sound_that_we_do_not_have_ends_with_a_bye)
{
	unusable("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 18\r\n");
	unusable("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n");
	unusable("hello");
	unusable(NULL);
}

TEST(an_address_that_we_cannot_reach_is_of_no_use)
{
	unusable("v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 0\r\n");
	unusable("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n");
}

/* --- limits -------------------------------------------------------------------------------- */

TEST(the_ring_limit_cancels)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_world_advance(&w, WORLD_RING_MS - 1);
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_advance(&w, 1);

	sip_world_ends(&w, TEL_NO_ANSWER, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "CANCEL ") &&
			  sip_peer_heard(w.peer, "ACK "));
	sip_world_close(&w);
}

TEST(ringing_is_counted_from_the_first_sign_of_it)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 183, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_EARLY_MEDIA));
	sip_world_advance(&w, WORLD_RING_MS - 1);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_world_advance(&w, 1);

	sip_world_ends(&w, TEL_NO_ANSWER, 0, 0);
	sip_world_close(&w);
}

TEST(an_answer_that_crosses_the_cancel_is_acknowledged_and_ended)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 180, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_RINGING));
	sip_peer_be_silent(w.peer, true);
	tel_call_hang_up(w.call);
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "CANCEL "));
	sip_peer_answer(w.peer, &(struct sip_peer_answer){
					.code = 200,
					.sdp = sip_peer_sdp(w.peer, NULL)});
	UNTIL(&w,
	      sip_peer_heard(w.peer, "ACK ") && sip_peer_heard(w.peer, "BYE "));

	assert_int_equal(sip_world_saw(&w, TEL_ANSWERED), 0);
	sip_world_close(&w);
}

TEST(nothing_is_cancelled_before_a_provisional_answer)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	tel_call_hang_up(w.call);
	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		sip_world_turn(&w);
	assert_int_equal(sip_peer_heard(w.peer, "CANCEL "), 0);
	sip_world_say(&w, 180, NULL);

	UNTIL(&w, sip_peer_heard(w.peer, "CANCEL "));
	sip_world_close(&w);
}

TEST(no_answer_at_all_is_unreachable)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	for (unsigned s = 0; s < 10; s++)
		sip_world_advance(&w, 1000);

	sip_world_ends(&w, TEL_UNREACHABLE, 408, 0);
	assert_int_equal(tel_state(w.tel), TEL_UP);
	sip_world_close(&w);
}

TEST(a_network_that_tries_for_ever_is_unreachable)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_say(&w, 100, NULL);
	for (unsigned i = 0; i < 20; i++)
		sip_world_turn(&w);
	sip_world_advance(&w, 39000);
	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
	sip_world_advance(&w, 1000);

	sip_world_ends(&w, TEL_UNREACHABLE, 408, 0);
	UNTIL(&w, sip_peer_heard(w.peer, "CANCEL "));
	sip_world_close(&w);
}

TEST(no_call_is_longer_than_the_longest)
{
	struct sip_world w;

	sip_world_talk(&w);
	sip_world_advance(&w, LONGEST_MS);

	sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	sip_world_close(&w);
}

/* --- records --------------------------------------------------------------------------------- */

TEST(the_trace_spans_both_invites_of_a_challenge)
{
	const char *at;
	struct sip_world w;

	begin_with_user(&w);
	sip_world_say(&w, 407, "Proxy-Authenticate: " MD5_NONCE("n1") "\r\n");
	UNTIL(&w, sip_peer_heard(w.peer, "INVITE ") == 2);
	sip_world_say(&w, 486, NULL);
	sip_world_ends(&w, TEL_REFUSED, 486, 0);

	assert_non_null(w.trace);
	at = strstr(w.trace, "INVITE sip:");
	assert_non_null(at);
	assert_non_null(strstr(at + 1, "INVITE sip:"));
	assert_non_null(strstr(w.trace, "SIP/2.0 407"));
	assert_non_null(strstr(w.trace, "SIP/2.0 486"));
	assert_null(strstr(w.trace, "15112345678"));
	assert_null(strstr(w.trace, "cnonce="));
	sip_world_close(&w);
}

/* --- closing at any time ------------------------------------------------------------------------ */

static void close_inside(enum tel_event_kind kind, bool hang_up)
{
	struct sip_world w;

	sip_world_begin(&w);
	w.close_at = kind;
	w.closes = !hang_up;
	w.hangs_up = hang_up;
	sip_world_dial(&w);
	sip_world_say(&w, 183, "Diversion: <sip:1@h>\r\n");
	sip_world_say(&w, 180, NULL);
	sip_peer_answer(w.peer, &(struct sip_peer_answer){
					.code = 200,
					.sdp = sip_peer_sdp(w.peer, NULL)});
	UNTIL(&w, sip_world_saw(&w, kind));
	UNTIL(&w, sip_peer_heard(w.peer, "BYE ") ||
			  sip_peer_heard(w.peer, "CANCEL "));

	if (hang_up)
		sip_world_ends(&w, TEL_WE_HUNG_UP, 0, 0);
	else
		assert_int_equal(w.events[w.count - 1].ev.kind, kind);
	sip_world_close(&w);
}

TEST(an_owner_may_close_or_hang_up_inside_any_event)
{
	static const enum tel_event_kind kinds[] = {
		TEL_EARLY_MEDIA, TEL_FORWARDED, TEL_RINGING, TEL_ANSWERED};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		close_inside(kinds[i], false);
		close_inside(kinds[i], true);
	}
}

TEST(an_owner_may_close_inside_the_last_event)
{
	struct sip_world w;

	sip_world_begin(&w);
	w.close_at = TEL_ENDED;
	w.closes = true;
	sip_world_dial(&w);
	sip_world_say(&w, 486, NULL);
	UNTIL(&w, sip_world_saw(&w, TEL_ENDED));

	assert_null(w.call);
	sip_world_close(&w);
}

TEST(a_call_may_be_closed_before_any_answer_and_in_its_end)
{
	struct sip_world w;

	sip_world_begin(&w);
	sip_world_dial(&w);
	sip_world_close(&w);

	sip_world_talk(&w);
	tel_call_hang_up(w.call);
	sip_world_close(&w); /* before TEL_ENDED */

	assert_int_equal(sip_world_saw(&w, TEL_ENDED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(a_call_is_answered_played_to_and_hears_a_key),
		T(the_invite_says_who_calls_and_offers_sound),
		T(what_is_advertised_stands_in_the_invite),
		T(sound_before_the_answer_is_told_and_never_answered),
		T(a_200_that_comes_again_is_acknowledged_again),
		T(forwarding_is_told_once),
		T(a_call_goes_over_tcp_as_well),
		T(a_connection_that_is_refused_is_unreachable),
		T(a_proxy_s_md5_challenge_is_answered),
		T(sha256_before_md5_is_answered_with_sha256),
		T(a_stale_nonce_is_answered_once_more_and_no_third_time),
		T(credentials_that_do_not_help_end_the_call_and_rest_the_trunk),
		T(a_proxy_and_a_callee_may_both_ask),
		T(a_bye_answers_the_challenge_of_the_invite_at_once),
		T(a_bye_that_is_challenged_is_sent_again_with_an_answer),
		T(busy_is_busy),
		T(a_404_has_its_cause_where_it_says_one),
		T(a_redirect_is_not_followed),
		T(redirects_are_followed_where_the_trunk_allows_it_and_not_for_ever),
		T(a_503_with_retry_after_rests_the_trunk),
		T(a_503_without_it_does_not),
		T(sound_that_we_do_not_have_ends_with_a_bye),
		T(an_address_that_we_cannot_reach_is_of_no_use),
		T(the_ring_limit_cancels),
		T(ringing_is_counted_from_the_first_sign_of_it),
		T(an_answer_that_crosses_the_cancel_is_acknowledged_and_ended),
		T(nothing_is_cancelled_before_a_provisional_answer),
		T(no_answer_at_all_is_unreachable),
		T(a_network_that_tries_for_ever_is_unreachable),
		T(no_call_is_longer_than_the_longest),
		T(the_trace_spans_both_invites_of_a_challenge),
		T(an_owner_may_close_or_hang_up_inside_any_event),
		T(an_owner_may_close_inside_the_last_event),
		T(a_call_may_be_closed_before_any_answer_and_in_its_end),
	};

	return cmocka_run_group_tests_name("tel/sip_call", tests, NULL, NULL);
}
