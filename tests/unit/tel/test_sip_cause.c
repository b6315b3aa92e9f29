// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_cause.c - what headers say of an end: is it read, and only that?
 */
#include "tel/sip_text.h"

#include "support/test.h"

static int q850(const char *reason)
{
	return tsip_cause_q850(span_of(reason));
}

TEST(a_q850_cause_is_read)
{
	assert_int_equal(q850("Q.850;cause=16;text=\"Terminated\""), 16);
	assert_int_equal(q850("q.850 ; cause = 1"), 1);
}

TEST(the_q850_one_of_several_reasons_is_read)
{
	assert_int_equal(q850("SIP;cause=480;text=\"a, Q.850;cause=3\", "
			      "Q.850;cause=19"),
			 19);
	assert_int_equal(q850("Q.850;text=\"none\",Q.850;cause=17"), 17);
}

TEST(what_is_no_q850_cause_is_none)
{
	assert_int_equal(q850(NULL), 0);
	assert_int_equal(q850(""), 0);
	assert_int_equal(q850("SIP;cause=486"), 0);
	assert_int_equal(q850("Q.850"), 0);
	assert_int_equal(q850("Q.850;cause="), 0);
	assert_int_equal(q850("Q.850;cause=128"), 0);
	assert_int_equal(q850("Q.850;cause=-1"), 0);
	assert_int_equal(q850("Q.850;text=\"cause=16"), 0);
}

TEST(retry_after_is_seconds_whatever_stands_behind)
{
	assert_int_equal(tsip_cause_retry_ms(span_of("18")), 18000);
	assert_int_equal(tsip_cause_retry_ms(span_of("0")), 0);
	assert_int_equal(tsip_cause_retry_ms(span_of("120 (busy)")), 120000);
	assert_int_equal(tsip_cause_retry_ms(span_of("5;duration=60")), 5000);
}

TEST(a_retry_after_beyond_all_sense_is_a_day)
{
	assert_int_equal(tsip_cause_retry_ms(span_of("99999999999999999999")),
			 86400000);
}

TEST(an_unreadable_retry_after_is_some_rest_and_none_is_none)
{
	assert_int_equal(tsip_cause_retry_ms(span_of("soon")), TSIP_REST_MS);
	assert_int_equal(tsip_cause_retry_ms(span_of("")), TSIP_REST_MS);
	assert_int_equal(tsip_cause_retry_ms(span_of(NULL)), -1);
}

static bool forwarded(const char *history, const char *diversion)
{
	return tsip_cause_forwarded(span_of(history), span_of(diversion));
}

TEST(a_diversion_is_a_forwarding)
{
	assert_true(forwarded(NULL, "<sip:1@h>;reason=unconditional"));
	assert_false(forwarded(NULL, ""));
	assert_false(forwarded(NULL, NULL));
}

TEST(history_that_tells_of_somebody_else_is_a_forwarding)
{
	assert_true(forwarded("<sip:1@h>;index=1, "
			      "<sip:2@h;cause=302>;index=1.1;mp=1",
			      NULL));
	assert_true(
		forwarded("<sip:1@h?Reason=SIP%3Bcause%3D302>;index=1", NULL));
	assert_true(forwarded("\"x, y\" <sip:2@h>;index=1.1;mp=1", NULL));
}

TEST(history_of_mere_steps_is_none)
{
	assert_false(forwarded("<sip:1@h>;index=1", NULL));
	assert_false(
		forwarded("<sip:1@h>;index=1, <sip:1@g>;index=1.1;rc=1", NULL));
	assert_false(forwarded("<sip:1@h>;index=1;np=1;x=\";mp=1\"", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_q850_cause_is_read),
		cmocka_unit_test(the_q850_one_of_several_reasons_is_read),
		cmocka_unit_test(what_is_no_q850_cause_is_none),
		cmocka_unit_test(retry_after_is_seconds_whatever_stands_behind),
		cmocka_unit_test(a_retry_after_beyond_all_sense_is_a_day),
		cmocka_unit_test(
			an_unreadable_retry_after_is_some_rest_and_none_is_none),
		cmocka_unit_test(a_diversion_is_a_forwarding),
		cmocka_unit_test(
			history_that_tells_of_somebody_else_is_a_forwarding),
		cmocka_unit_test(history_of_mere_steps_is_none),
	};

	return cmocka_run_group_tests_name("tel/sip_cause", tests, NULL, NULL);
}
