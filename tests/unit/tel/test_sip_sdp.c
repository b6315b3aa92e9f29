// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_sdp.c - offers and answers: is what they say what the pump is told,
 * and is what we say a valid answer?
 */
#include "tel/sip_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

#define SESSION                               \
	"v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\n" \
	"s=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"

static struct pump_far read_well(const char *sdp,
				 enum tsip_sdp_direction *theirs)
{
	struct pump_far far = {0};

	assert_int_equal(tsip_sdp_read(span_of(sdp), &far, theirs), 0);
	return far;
}

static int read_badly(const char *sdp)
{
	struct pump_far far = {.ptime_ms = 42};
	enum tsip_sdp_direction d = TSIP_SDP_INACTIVE;
	int err = tsip_sdp_read(span_of(sdp), &far, &d);

	assert_int_equal(far.ptime_ms, 42);
	return err;
}

static void at(const struct sockaddr_storage *a, const char *host,
	       unsigned port)
{
	const struct sockaddr_in *in4 = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;
	char text[INET6_ADDRSTRLEN];
	bool four = a->ss_family == AF_INET;

	assert_non_null(inet_ntop(a->ss_family,
				  four ? (const void *)&in4->sin_addr
				       : (const void *)&in6->sin6_addr,
				  text, sizeof(text)));
	assert_string_equal(text, host);
	assert_int_equal(ntohs(four ? in4->sin_port : in6->sin6_port), port);
}

/* --- reading ------------------------------------------------------------------ */

TEST(a_plain_answer_is_understood)
{
	enum tsip_sdp_direction d;
	struct pump_far far =
		read_well(SESSION "m=audio 4000 RTP/AVP 8 96\r\n"
				  "a=rtpmap:8 PCMA/8000\r\n"
				  "a=rtpmap:96 telephone-event/8000\r\n"
				  "a=fmtp:96 0-15\r\na=ptime:20\r\n",
			  &d);

	at(&far.rtp, "192.0.2.7", 4000);
	at(&far.rtcp, "192.0.2.7", 4001);
	assert_int_equal(far.codec, G711_PCMA);
	assert_int_equal(far.audio_pt, 8);
	assert_int_equal(far.event_pt, 96);
	assert_int_equal(far.keys, PUMP_KEYS_EVENTS);
	assert_int_equal(far.ptime_ms, 20);
	assert_true(far.send && far.receive);
	assert_int_equal(d, TSIP_SDP_SENDRECV);
}

TEST(the_first_codec_that_we_have_is_meant)
{
	enum tsip_sdp_direction d;

	assert_int_equal(
		read_well(SESSION "m=audio 4 RTP/AVP 9 18 0 8\n", &d).codec,
		G711_PCMU);
	assert_int_equal(read_well(SESSION "m=audio 4 RTP/AVP 97 0\n"
					   "a=rtpmap:97 pcma/8000\n",
				   &d)
				 .audio_pt,
			 97);
}

TEST(a_static_type_that_was_given_another_meaning_is_not_ours)
{
	assert_int_equal(read_badly(SESSION "m=audio 4 RTP/AVP 0\n"
					    "a=rtpmap:0 L16/44100\n"),
			 -ENOTSUP);
}

TEST(no_telephone_event_means_no_keys)
{
	enum tsip_sdp_direction d;
	struct pump_far far = read_well(SESSION "m=audio 4 RTP/AVP 0\r\n", &d);

	assert_int_equal(far.keys, PUMP_KEYS_NONE);
}

TEST(an_address_of_the_media_goes_before_the_session_s)
{
	enum tsip_sdp_direction d;
	struct pump_far far = read_well(SESSION "m=audio 4000 RTP/AVP 0\r\n"
						"c=IN IP6 2001:db8::9\r\n"
						"a=rtcp:5555\r\n",
					&d);

	at(&far.rtp, "2001:db8::9", 4000);
	at(&far.rtcp, "2001:db8::9", 5555);
}

TEST(rtcp_may_go_elsewhere)
{
	enum tsip_sdp_direction d;
	struct pump_far far =
		read_well(SESSION "m=audio 4000 RTP/AVP 0\r\n"
				  "a=rtcp:77 IN IP4 192.0.2.200\r\n",
			  &d);

	at(&far.rtcp, "192.0.2.200", 77);
}

TEST(directions_of_theirs_say_what_we_may)
{
	static const struct {
		const char *line;
		bool send, receive;
		enum tsip_sdp_direction reply;
	} rows[] = {
		{"a=sendrecv", true, true, TSIP_SDP_SENDRECV},
		{"a=sendonly", false, true, TSIP_SDP_RECVONLY},
		{"a=recvonly", true, false, TSIP_SDP_SENDONLY},
		{"a=inactive", false, false, TSIP_SDP_INACTIVE},
		{"c=IN IP4 0.0.0.0", false, true, TSIP_SDP_RECVONLY},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char sdp[512];
		enum tsip_sdp_direction d;
		struct pump_far far;

		(void)snprintf(sdp, sizeof(sdp),
			       SESSION "m=audio 4 RTP/AVP 0\r\n%s\r\n",
			       rows[i].line);
		far = read_well(sdp, &d);

		assert_int_equal(far.send, rows[i].send);
		assert_int_equal(far.receive, rows[i].receive);
		assert_int_equal(tsip_sdp_reply(d), rows[i].reply);
	}
}

TEST(a_direction_of_the_session_holds_for_its_media)
{
	enum tsip_sdp_direction d;
	struct pump_far far =
		read_well(SESSION "a=sendonly\r\nm=audio 4 RTP/AVP 0\r\n", &d);

	assert_false(far.send);
}

TEST(ptime_is_20_40_or_60)
{
	static const struct {
		const char *line;
		unsigned ms;
	} rows[] = {
		{"a=ptime:40", 40},
		{"a=ptime:30", 20},
		{"a=ptime:10", 20},
		{"a=ptime:200", 60},
		{"a=ptime:20.0", 20},
		{"a=ptime:", 20},
		{"a=ptime:60\r\na=maxptime:40", 40},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char sdp[512];
		enum tsip_sdp_direction d;

		(void)snprintf(sdp, sizeof(sdp),
			       SESSION "m=audio 4 RTP/AVP 0\r\n%s\r\n",
			       rows[i].line);
		assert_int_equal(read_well(sdp, &d).ptime_ms, rows[i].ms);
	}
}

TEST(the_first_audio_that_is_ours_is_taken)
{
	enum tsip_sdp_direction d;
	struct pump_far far = read_well(SESSION "m=video 9 RTP/AVP 31\r\n"
						"m=audio 10 RTP/SAVP 0\r\n"
						"m=audio 0 RTP/AVP 0\r\n"
						"m=audio 12 RTP/AVP 0\r\n",
					&d);

	at(&far.rtp, "192.0.2.7", 12);
}

TEST(what_is_no_sdp_is_refused_as_such)
{
	assert_int_equal(read_badly(""), -EINVAL);
	assert_int_equal(read_badly("hello"), -EINVAL);
	assert_int_equal(read_badly("v=1\r\n"), -EINVAL);
	assert_int_equal(read_badly("v=0\r\n"), -EINVAL);
	assert_int_equal(read_badly(SESSION), -EINVAL);
	assert_int_equal(read_badly(SESSION "m=audio\r\n"), -EINVAL);
	assert_int_equal(read_badly(SESSION "m=audio 70000 RTP/AVP 0\r\n"),
			 -EINVAL);
	assert_int_equal(read_badly(SESSION "m=audio 4\r RTP/AVP 0\r\n"),
			 -EINVAL);
}

TEST(sound_that_we_do_not_have_is_refused_as_such)
{
	assert_int_equal(read_badly(SESSION "m=audio 0 RTP/AVP 0\r\n"),
			 -ENOTSUP);
	assert_int_equal(read_badly(SESSION "m=audio 4 RTP/AVP 18\r\n"),
			 -ENOTSUP);
	assert_int_equal(read_badly(SESSION "m=audio 4 RTP/SAVP 0\r\n"),
			 -ENOTSUP);
	assert_int_equal(read_badly(SESSION "m=audio 4 RTP/AVP 0\r\n"
					    "c=IN IP4 host.example\r\n"),
			 -ENOTSUP);
	assert_int_equal(read_badly(SESSION "m=audio 4 RTP/AVP 0\r\n"
					    "c=IN IP4 224.2.1.1/127\r\n"),
			 -ENOTSUP);
	assert_int_equal(read_badly("v=0\r\nm=audio 4 RTP/AVP 0\r\n"),
			 -ENOTSUP);
}

/* --- writing ------------------------------------------------------------------- */

static const struct tsip_sdp_ours ours = {
	.address = "192.0.2.1",
	.port = 30000,
	.first = G711_PCMU,
	.both = true,
	.ptime_ms = 20,
	.session = 7,
	.version = 8,
	.direction = TSIP_SDP_SENDRECV,
	.events = true,
};

TEST(an_offer_has_both_codecs_and_keys)
{
	char out[TSIP_SDP_MAX];

	assert_int_equal(tsip_sdp_write(&ours, out, sizeof(out)), 0);

	assert_string_equal(out, "v=0\r\n"
				 "o=- 7 8 IN IP4 192.0.2.1\r\n"
				 "s=-\r\n"
				 "c=IN IP4 192.0.2.1\r\n"
				 "t=0 0\r\n"
				 "m=audio 30000 RTP/AVP 0 8 101\r\n"
				 "a=rtpmap:0 PCMU/8000\r\n"
				 "a=rtpmap:8 PCMA/8000\r\n"
				 "a=rtpmap:101 telephone-event/8000\r\n"
				 "a=fmtp:101 0-15\r\n"
				 "a=ptime:20\r\n"
				 "a=rtcp:30001\r\n"
				 "a=sendrecv\r\n");
}

TEST(an_offer_of_ours_can_be_read)
{
	struct tsip_sdp_ours o = ours;
	char out[TSIP_SDP_MAX];
	enum tsip_sdp_direction d;
	struct pump_far far;

	o.first = G711_PCMA;
	o.address = "2001:db8::1";
	assert_int_equal(tsip_sdp_write(&o, out, sizeof(out)), 0);
	far = read_well(out, &d);

	at(&far.rtp, "2001:db8::1", 30000);
	at(&far.rtcp, "2001:db8::1", 30001);
	assert_int_equal(far.codec, G711_PCMA);
	assert_int_equal(far.event_pt, 101);
}

TEST(an_answer_has_a_line_for_each_of_theirs)
{
	const char *offer = SESSION "m=video 9 RTP/AVP 31 34\r\n"
				    "m=audio 12 RTP/AVP 18 8 0 98\r\n"
				    "a=rtpmap:98 telephone-event/8000\r\n"
				    "a=sendonly\r\n"
				    "m=audio 14 RTP/AVP 0\r\n"
				    "m=image 20 udptl t38\r\n";
	struct tsip_sdp_ours o = ours;
	enum tsip_sdp_direction d;
	struct pump_far far = read_well(offer, &d);
	char out[TSIP_SDP_MAX];

	o.offer = span_of(offer);
	o.agreed = &far;
	o.direction = tsip_sdp_reply(d);
	assert_int_equal(tsip_sdp_write(&o, out, sizeof(out)), 0);

	assert_non_null(strstr(out, "t=0 0\r\n"
				    "m=video 0 RTP/AVP 31 34\r\n"
				    "m=audio 30000 RTP/AVP 8 98\r\n"
				    "a=rtpmap:8 PCMA/8000\r\n"
				    "a=rtpmap:98 telephone-event/8000\r\n"
				    "a=fmtp:98 0-15\r\n"
				    "a=ptime:20\r\n"
				    "a=rtcp:30001\r\n"
				    "a=recvonly\r\n"
				    "m=audio 0 RTP/AVP 0\r\n"
				    "m=image 0 udptl t38\r\n"));
}

TEST(what_was_not_taken_is_not_answered)
{
	struct pump_far far = {0};
	struct tsip_sdp_ours o = ours;
	char out[TSIP_SDP_MAX] = "untouched";

	o.offer = span_of(SESSION "m=audio 4 RTP/AVP 18\r\n");
	o.agreed = &far;

	assert_int_equal(tsip_sdp_write(&o, out, sizeof(out)), -ENOTSUP);
	assert_string_equal(out, "untouched");
}

TEST(what_does_not_fit_is_refused)
{
	char out[40];

	assert_int_equal(tsip_sdp_write(&ours, out, sizeof(out)), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_answer_is_understood),
		cmocka_unit_test(the_first_codec_that_we_have_is_meant),
		cmocka_unit_test(
			a_static_type_that_was_given_another_meaning_is_not_ours),
		cmocka_unit_test(no_telephone_event_means_no_keys),
		cmocka_unit_test(
			an_address_of_the_media_goes_before_the_session_s),
		cmocka_unit_test(rtcp_may_go_elsewhere),
		cmocka_unit_test(directions_of_theirs_say_what_we_may),
		cmocka_unit_test(
			a_direction_of_the_session_holds_for_its_media),
		cmocka_unit_test(ptime_is_20_40_or_60),
		cmocka_unit_test(the_first_audio_that_is_ours_is_taken),
		cmocka_unit_test(what_is_no_sdp_is_refused_as_such),
		cmocka_unit_test(sound_that_we_do_not_have_is_refused_as_such),
		cmocka_unit_test(an_offer_has_both_codecs_and_keys),
		cmocka_unit_test(an_offer_of_ours_can_be_read),
		cmocka_unit_test(an_answer_has_a_line_for_each_of_theirs),
		cmocka_unit_test(what_was_not_taken_is_not_answered),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("tel/sip_sdp", tests, NULL, NULL);
}
