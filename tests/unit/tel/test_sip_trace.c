// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_trace.c - does a trace say all that may be said, and no more?
 */
#include "unit/tel/sip_bench.h"

static struct tsip_trace *t;

static int open_trace(void **state)
{
	(void)state;
	t = tsip_trace_new();
	return 0;
}

static int close_trace(void **state)
{
	(void)state;
	tsip_trace_free(t);
	return 0;
}

static const char *traced(const char *message)
{
	tsip_trace_add(t, true, 0, span_of(message));
	return tsip_trace_text(t);
}

static void says(const char *text, const char *part)
{
	assert_non_null(strstr(text, part));
}

static void is_silent_about(const char *text, const char *part)
{
	assert_null(strstr(text, part));
}

TEST(a_message_is_kept_with_its_time_and_direction)
{
	tsip_trace_add(t, true, 0,
		       span_of("BYE sip:a@b SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n"));
	tsip_trace_add(t, false, 1500,
		       span_of("SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n"));
	assert_string_equal(tsip_trace_text(t),
			    "1970-01-01T00:00:00.000Z sent\n"
			    "BYE sip:a@b SIP/2.0\nCSeq: 1 BYE\n\n"
			    "1970-01-01T00:00:01.500Z received\n"
			    "SIP/2.0 200 OK\nCSeq: 1 BYE\n\n");
}

TEST(numbers_keep_their_last_two_digits_wherever_they_stand)
{
	const char *text = traced(
		"INVITE sip:+14155550100@192.0.2.1:5060;user=phone SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.15:15060;branch=z9hG4bK1234567890\r\n"
		"From: \"+1 (415) 555-0123\" "
		"<sip:4155550123@pbx>;tag=123456789\r\n"
		"t: <tel:+1-415-555-0100>\r\n"
		"P-Asserted-Identity: <sip:00441632960001:secret@x>\r\n"
		"History-Info: <sip:0150;x=y@h>;index=1,"
		"<sip:+14155550199@h?Reason=SIP>\r\n"
		"Diversion: 1.415.555.0142\r\n"
		"Call-ID: 1234567890@192.0.2.15\r\n"
		"CSeq: 12345678 INVITE\r\n\r\n");

	says(text, "INVITE sip:+xxxxxxxxx00@192.0.2.1:5060;user=phone SIP");
	says(text, "192.0.2.15:15060;branch=z9hG4bK1234567890\n");
	says(text, "\"+x (xxx) xxx-xx23\" <sip:xxxxxxxx23@pbx>;tag=123456789");
	says(text, "t: <tel:+x-xxx-xxx-xx00>");
	says(text, "<sip:xxxxxxxxxxxx01:[blanked]@x>");
	says(text, "<sip:xx50;x=y@h>;index=1,<sip:+xxxxxxxxx99@h?Reason=SIP>");
	says(text, "Diversion: x.xxx.xxx.xx42");
	says(text, "Call-ID: 1234567890@192.0.2.15");
	says(text, "CSeq: 12345678 INVITE");
}

TEST(credentials_are_blanked_also_when_folded)
{
	const char *text = traced("REGISTER sip:x SIP/2.0\r\n"
				  "Authorization: Digest username=\"u\",\r\n"
				  "  response=\"0123abcd\"\r\n"
				  "proxy-authorization: Digest nonce=\"n1\"\r\n"
				  "Identity: eyJhbGciOi;info=<x>\r\n"
				  "WWW-Authenticate: Digest realm=\"r\"\r\n"
				  "Max-Forwards: 70\r\n\r\n");

	says(text, "Authorization: [blanked]\n");
	is_silent_about(text, "username");
	is_silent_about(text, "0123abcd");
	is_silent_about(text, "n1");
	is_silent_about(text, "eyJ");
	says(text, "realm=\"r\"");
	says(text, "Max-Forwards: 70\n");
}

TEST(sdp_stays_and_its_keys_do_not)
{
	const char *text = traced(
		"INVITE sip:a@b SIP/2.0\r\n"
		"Content-Type: application/sdp\r\n\r\n"
		"v=0\r\no=- 3724394400 1 IN IP4 192.0.2.1\r\n"
		"s=+14155550100\r\nc=IN IP4 192.0.2.1\r\n"
		"m=audio 16384 RTP/AVP 0 101\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n");

	says(text, "o=- 3724394400 1 IN IP4 192.0.2.1\n");
	says(text, "s=+xxxxxxxxx00\n");
	says(text, "m=audio 16384 RTP/AVP 0 101\n");
	is_silent_about(text, "inline");
}

TEST(who_made_an_sdp_may_be_a_number)
{
	const char *text =
		traced("SIP/2.0 200 OK\r\n"
		       "Content-Type: application/sdp\r\n\r\n"
		       "v=0\r\no=+4915112345678 3724394400 1 IN IP4 h\r\n");

	says(text, "o=+xxxxxxxxxxx78 3724394400 1 IN IP4 h\n");
}

TEST(other_bodies_and_keys_by_info_are_blanked)
{
	const char *text = traced("INFO sip:a@b SIP/2.0\r\n"
				  "Content-Type: application/dtmf-relay\r\n\r\n"
				  "Signal=5\r\nDuration=160\r\n");

	says(text, "INFO sip:a@b SIP/2.0\n");
	says(text, "dtmf-relay\n\n[blanked]\n");
	is_silent_about(text, "Signal");

	tsip_trace_add(t, true, 0,
		       span_of("INFO sip:a@b SIP/2.0\r\n"
			       "Accept: application/sdp\r\n"
			       "Content-Type: application/sdp\r\n\r\n"
			       "Signal=6\r\n"));
	is_silent_about(tsip_trace_text(t), "Signal");
	tsip_trace_add(t, true, 0,
		       span_of("BYE sip:a@b SIP/2.0\r\n"
			       "Accept: application/sdp\r\n\r\nSignal=7\r\n"));
	is_silent_about(tsip_trace_text(t), "Signal");
}

TEST(a_trace_ends_at_its_limit_and_says_so)
{
	char message[2048];

	(void)snprintf(message, sizeof(message),
		       "BYE sip:a@b SIP/2.0\r\nX: %*s",
		       (int)sizeof(message) - 25, "x");
	for (int i = 0; i < 100; i++)
		tsip_trace_add(t, true, i, span_of(message));
	assert_true(strlen(tsip_trace_text(t)) <= TEL_SIP_TRACE_MAX);
	assert_true(strlen(tsip_trace_text(t)) >
		    TEL_SIP_TRACE_MAX - 2 * sizeof(message));
	says(tsip_trace_text(t), "[the rest was cut]\n");
}

TEST(half_a_message_is_no_trouble)
{
	static const char whole[] =
		"INVITE sip:+14155550100@h SIP/2.0\r\nFrom: "
		"<sip:1234@h>;tag=\r\n"
		" folded\r\nno colon\r\nContent-Type: application/sdp\r\n\r\n"
		"v=0\r\nk=";

	assert_string_equal(tsip_trace_text(t), "");
	for (size_t n = 0; n < sizeof(whole); n++)
		tsip_trace_add(t, true, 0, span_make(whole, n));
	tsip_trace_free(NULL);
}

TEST(messages_find_the_trace_of_their_call)
{
	struct bare trunk;

	bench_open(NULL);
	bare_open(&trunk, "127.0.0.1", SOCK_DGRAM);
	bench_call.id = "one@bench";
	bench_call.trace = tsip_trace_new();
	bare_say(&trunk, "OPTIONS sip:us@127.0.0.1", "1 OPTIONS", "x", "");

	says(tsip_trace_text(bench_call.trace), " received\nOPTIONS sip:us@");
	says(tsip_trace_text(bench_call.trace), " sent\nSIP/2.0 200 OK\n");
	(void)close(trunk.fd);
	(void)bench_close(NULL);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, open_trace, close_trace)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(a_message_is_kept_with_its_time_and_direction),
		ON(numbers_keep_their_last_two_digits_wherever_they_stand),
		ON(credentials_are_blanked_also_when_folded),
		ON(sdp_stays_and_its_keys_do_not),
		ON(who_made_an_sdp_may_be_a_number),
		ON(other_bodies_and_keys_by_info_are_blanked),
		ON(a_trace_ends_at_its_limit_and_says_so),
		ON(half_a_message_is_no_trouble),
		cmocka_unit_test(messages_find_the_trace_of_their_call),
	};

	return cmocka_run_group_tests_name("tel/sip_trace", tests, NULL, NULL);
}
