// SPDX-License-Identifier: Apache-2.0
/*
 * test_twilio_attempts.c - the calls of Twilio's verifications, listed and counted.
 */
#include "unit/api/twilio_visit.h"

TEST(each_call_is_an_attempt)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char id[VERIFICATION_ID_BYTES], code[CODE_BYTES], path[PATH_BYTES];
	const json_t *one, *data;

	start(&v, TO_LISTENS "&Channel=call", LISTENS, code);
	check_is(&v, with_code(TO_LISTENS, code), "approved", true);
	find_id(aw, LISTENS, id);
	(void)world_until_ended(aw->w, id);
	expect(aw, "POST", v.verifications, TO_BUSY "&Channel=call", 201, 0);
	find_id(aw, BUSY, id);
	(void)world_until_ended(aw->w, id);
	/* one of the native API, which is no attempt of a service */
	api_world_create(aw, "+15555550121", "speak", id);

	AUTO_JSON json_t *all = ask(aw, "GET", "/v2/Attempts", NULL, 200);
	AUTO_JSON json_t *good =
		ask(aw, "GET", "/v2/Attempts?Status=converted", NULL, 200);
	AUTO_JSON json_t *busy =
		ask(aw, "GET", "/v2/Attempts?ChannelData.To=%2B15555550120",
		    NULL, 200);
	AUTO_JSON json_t *sms =
		ask(aw, "GET", "/v2/Attempts?Channel=sms", NULL, 200);

	assert_int_equal(json_array_size(json_object_get(all, "attempts")), 2);
	assert_int_equal(json_array_size(json_object_get(sms, "attempts")), 0);
	one = json_array_get(json_object_get(good, "attempts"), 0);
	data = json_object_get(one, "channel_data");
	assert_string_equal(text_of(one, "conversion_status"), "converted");
	assert_string_equal(text_of(data, "call_status"), "completed");
	assert_string_equal(text_of(data, "status"), "confirmed");
	assert_string_equal(text_of(data, "to"), LISTENS);
	assert_int_equal(json_array_size(json_object_get(good, "attempts")), 1);
	print(path, sizeof(path), "/v2/Attempts/%s", text_of(one, "sid"));
	AUTO_JSON json_t *same = ask(aw, "GET", path, NULL, 200);
	assert_true(json_equal(one, same));
	print(path, sizeof(path), "/v2/Attempts?VerificationSid=%s",
	      text_of(one, "verification_sid"));
	AUTO_JSON json_t *its = ask(aw, "GET", path, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(its, "attempts")), 1);
	one = json_array_get(json_object_get(busy, "attempts"), 0);
	assert_string_equal(text_of(json_object_get(one, "channel_data"),
				    "call_status"),
			    "busy");
	assert_string_equal(text_of(one, "conversion_status"), "unconverted");
	expect(aw, "GET", "/v2/Attempts?Status=perhaps", NULL, 400, 60200);
	expect(aw, "GET", "/v2/Attempts?DateCreatedAfter=soon", NULL, 400,
	       60200);
}

static void summary_is(struct api_world *aw, const char *query, int all,
		       int converted, double percent)
{
	char path[PATH_BYTES];

	print(path, sizeof(path), "/v2/Attempts/Summary%s", query);
	AUTO_JSON json_t *o = ask(aw, "GET", path, NULL, 200);

	assert_int_equal(
		json_integer_value(json_object_get(o, "total_attempts")), all);
	assert_int_equal(
		json_integer_value(json_object_get(o, "total_converted")),
		converted);
	assert_int_equal(
		json_integer_value(json_object_get(o, "total_unconverted")),
		all - converted);
	assert_float_equal(json_number_value(json_object_get(
				   o, "conversion_rate_percentage")),
			   percent, 0.001);
	assert_non_null(strstr(text_of(o, "url"), "/v2/Attempts/Summary"));
}

TEST(attempts_are_counted_by_what_became_of_them)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char id[VERIFICATION_ID_BYTES], code[CODE_BYTES], query[PATH_BYTES];

	summary_is(aw, "", 0, 0, 0);
	start(&v, TO_LISTENS "&Channel=call", LISTENS, code);
	check_is(&v, with_code(TO_LISTENS, code), "approved", true);
	for (int i = 0; i < 2; i++) {
		expect(aw, "POST", v.verifications, TO_BUSY "&Channel=call",
		       201, 0);
		find_id(aw, BUSY, id);
		(void)world_until_ended(aw->w, id);
	}
	/* one of the native API, which is no attempt of a service */
	api_world_create(aw, "+15555550121", "speak", id);

	summary_is(aw, "", 3, 1, 33.33);
	print(query, sizeof(query), "?VerifyServiceSid=%s&Channel=CALL",
	      v.service);
	summary_is(aw, query, 3, 1, 33.33);
	summary_is(aw, "?VerifyServiceSid=VA00000000000000000000000000000000",
		   0, 0, 0);
	summary_is(aw, "?DestinationPrefix=%2B155555501", 3, 1, 33.33);
	summary_is(aw, "?DestinationPrefix=1555555012", 2, 0, 0);
	summary_is(aw, "?DestinationPrefix=49", 0, 0, 0);
	summary_is(aw, "?Channel=sms", 0, 0, 0);
	summary_is(aw, "?DateCreatedBefore=2020-01-31T00%3A00%3A00Z", 0, 0, 0);
	summary_is(aw, "?DateCreatedAfter=2020-01-31T00%3A00%3A00Z", 3, 1,
		   33.33);
	expect(aw, "GET", "/v2/Attempts/Summary?DateCreatedAfter=soon", NULL,
	       400, 60200);
	expect(aw, "GET", "/v2/Attempts/Summary?DestinationPrefix=home", NULL,
	       400, 60200);
}

int main(void)
{
#define IN_WORLD(f) \
	cmocka_unit_test_setup_teardown(f, api_world_setup, api_world_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(each_call_is_an_attempt),
		IN_WORLD(attempts_are_counted_by_what_became_of_them),
	};

	return cmocka_run_group_tests_name("api/twilio_attempts", tests,
					   world_voices, world_no_voices);
}
