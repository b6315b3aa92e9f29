// SPDX-License-Identifier: Apache-2.0
/*
 * test_twilio.c - does a client of Twilio's Verify get the answers that it
 * knows?  Forms in, JSON out, over real HTTP; the stock client itself is in
 * tests/faces.
 */
#include "unit/api/twilio_visit.h"

/* --- services --------------------------------------------------------------------------------- */

TEST(a_service_is_made_read_changed_and_removed)
{
	struct api_world *aw = *state;
	char sid[VENDOR_TWILIO_ID_BYTES], account[VENDOR_TWILIO_ID_BYTES];
	const char *path;

	AUTO_JSON json_t *made =
		ask(aw, "POST", "/v2/Services",
		    "FriendlyName=Acme+Shop&CodeLength=7&Psd2Enabled=true",
		    201);
	print(sid, sizeof(sid), "%s", text_of(made, "sid"));
	path = below("/v2/Services", sid);
	AUTO_JSON json_t *changed =
		ask(aw, "POST", path,
		    "TtsName=Acme&DtmfInputRequired=false&Psd2Enabled=False",
		    200);
	AUTO_JSON json_t *read = ask(aw, "GET", path, NULL, 200);

	assert_memory_equal(sid, "VA", 2);
	vendor_twilio_account(aw->api, "shop", account);
	assert_string_equal(text_of(made, "account_sid"), account);
	assert_string_equal(text_of(made, "friendly_name"), "Acme Shop");
	assert_int_equal(
		json_integer_value(json_object_get(made, "code_length")), 7);
	assert_true(json_is_true(json_object_get(made, "psd2_enabled")));
	assert_true(json_is_true(json_object_get(made, "dtmf_input_required")));
	assert_true(json_is_null(json_object_get(made, "tts_name")));
	assert_non_null(strstr(text_of(made, "url"), sid));
	assert_non_null(strstr(text_of(json_object_get(made, "links"),
				       "verification_checks"),
			       "/VerificationCheck"));
	assert_true(json_equal(changed, read));
	assert_string_equal(text_of(read, "tts_name"), "Acme");
	assert_string_equal(text_of(read, "friendly_name"), "Acme Shop");
	assert_true(json_is_false(json_object_get(read, "psd2_enabled")));
	assert_true(
		json_is_false(json_object_get(read, "dtmf_input_required")));

	(void)ask(aw, "DELETE", path, NULL, 204);
	expect(aw, "GET", path, NULL, 404, 20404);
	expect(aw, "DELETE", path, NULL, 404, 20404);
}

TEST(services_are_listed_in_pages)
{
	struct api_world *aw = *state;
	char sid[VENDOR_TWILIO_ID_BYTES];
	const json_t *meta;

	for (int i = 0; i < 3; i++)
		make_service(aw, "FriendlyName=Acme", sid);
	AUTO_JSON json_t *first =
		ask(aw, "GET", "/v2/Services?PageSize=2", NULL, 200);
	AUTO_JSON json_t *second =
		ask(aw, "GET", "/v2/Services?PageSize=2&Page=1", NULL, 200);

	assert_int_equal(json_array_size(json_object_get(first, "services")),
			 2);
	assert_int_equal(json_array_size(json_object_get(second, "services")),
			 1);
	meta = json_object_get(first, "meta");
	assert_string_equal(text_of(meta, "key"), "services");
	assert_non_null(strstr(text_of(meta, "next_page_url"),
			       "/v2/Services?PageSize=2&Page=1"));
	meta = json_object_get(second, "meta");
	assert_true(json_is_null(json_object_get(meta, "next_page_url")));
	assert_non_null(strstr(text_of(meta, "previous_page_url"), "Page=0"));
	expect(aw, "GET", "/v2/Services?PageSize=0", NULL, 400, 60200);
	expect(aw, "GET", "/v2/Services?PageSize=many", NULL, 400, 60200);
}

TEST(a_service_that_cannot_be_is_refused)
{
	static const struct {
		const char *form;
		int code;
	} bad[] = {
		{"", 60200},
		{"FriendlyName=", 60200},
		{"FriendlyName=123456789012345678901234567890123", 60200},
		{"FriendlyName=Acme&CodeLength=3", 60200},
		{"FriendlyName=Acme&CodeLength=4", 60200}, /* A1 */
		{"FriendlyName=Acme&CodeLength=11", 60200},
		{"FriendlyName=Acme&CodeLength=six", 60200},
		{"FriendlyName=Acme&LookupEnabled=perhaps", 60200},
		{"FriendlyName=Acme&DefaultTemplateSid="
		 "HJ00000000000000000000000"
		 "000000000",
		 60204},
		{"FriendlyName=Acme&Push.IncludeDate=true", 60204},
		{"FriendlyName=%zz", 60200},
	};
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect(aw, "POST", "/v2/Services", bad[i].form, 400,
		       bad[i].code);
}

TEST(what_is_in_no_path_of_ours_is_not_found)
{
	static const char *const paths[] = {
		"/v2/Services/VA0",
		"/v2/Services/VE00000000000000000000000000000000",
		"/v2/Services/VA00000000000000000000000000000000",
		"/v2/Services/VA00000000000000000000000000000000/RateLimits",
		"/v2/Attempts/VL00000000000000000000000000000000",
		"/v2/Templates"};
	struct api_world *aw = *state;

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		expect(aw, "GET", paths[i], NULL, 404, 20404);
}

TEST(who_asks_without_a_key_or_a_scope_learns_only_that)
{
	const struct api_ask what = {
		.method = "GET", .path = "/v2/Services", .body = NULL};
	struct api_world *aw = *state;
	struct http_answer a;

	ask_as(aw, "vok_00000000000000000000_0000000000000000000000000000",
	       &what, 401, &a);
	assert_string_equal(api_world_text(&a, "code"), "20003");
	http_answer_free(&a);
	ask_as(aw, aw->other, &what, 401, &a); /* another's account id */
	assert_string_equal(api_world_text(&a, "code"), "20003");
	http_answer_free(&a);
	ask_as(aw, aw->check, &what, 403, &a);
	http_answer_free(&a);
}

/* --- verifications ------------------------------------------------------------------------------- */

TEST(a_code_is_spoken_and_approved_once)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char code[CODE_BYTES];
	char gone[PATH_BYTES];

	start(&v, TO_LISTENS "&Channel=call&Locale=en", LISTENS, code);
	check_is(&v, with_code(TO_LISTENS, wrong(code)), "pending", false);
	check_is(&v, with_code(TO_LISTENS, code), "approved", true);

	AUTO_JSON json_t *no =
		ask(aw, "POST", v.check, with_code(TO_LISTENS, code), 404);
	print(gone, sizeof(gone), "The requested resource %s was not found",
	      v.check + strlen("/v2"));
	assert_string_equal(text_of(no, "message"), gone);
	assert_int_equal(json_integer_value(json_object_get(no, "code")),
			 20404);
}

TEST(a_verification_has_all_that_its_clients_read)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	const json_t *attempt;

	AUTO_JSON json_t *o =
		ask(aw, "POST", v.verifications,
		    TO_LISTENS "&Channel=call&Tags=%7B%22a%22%3A%22b%22%7D"
			       "&DeviceIp=192.0.2.1&RiskCheck=enable",
		    201);
	AUTO_JSON json_t *read =
		ask(aw, "GET", below(v.verifications, text_of(o, "sid")), NULL,
		    200);
	AUTO_JSON json_t *by_number =
		ask(aw, "GET", below(v.verifications, LISTENS), NULL, 200);
	AUTO_JSON json_t *escaped = ask(
		aw, "GET", below(v.verifications, "%2B15555550110"), NULL, 200);

	assert_memory_equal(text_of(o, "sid"), "VE", 2);
	assert_int_equal(strlen(text_of(o, "sid")), 34);
	assert_string_equal(text_of(o, "service_sid"), v.service);
	assert_string_equal(text_of(o, "to"), LISTENS);
	assert_string_equal(text_of(o, "channel"), "call");
	assert_string_equal(text_of(o, "status"), "pending");
	assert_true(json_is_false(json_object_get(o, "valid")));
	assert_true(json_is_null(json_object_get(o, "amount")));
	assert_int_equal(strlen(text_of(o, "date_created")),
			 strlen("2026-01-31T09:05:07Z"));
	attempt = json_array_get(json_object_get(o, "send_code_attempts"), 0);
	assert_string_equal(text_of(attempt, "channel"), "CALL");
	assert_memory_equal(text_of(attempt, "attempt_sid"), "VL", 2);
	assert_string_equal(text_of(read, "sid"), text_of(o, "sid"));
	assert_true(json_equal(read, by_number));
	assert_true(json_equal(read, escaped));
	expect(aw, "GET", below(v.verifications, "+15555550111"), NULL, 404,
	       20404);
	expect(aw, "GET", below(v.verifications, "+1"), NULL, 404, 20404);
}

TEST(what_is_asked_for_again_is_sent_again_up_to_five_times)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char id[VERIFICATION_ID_BYTES], sid[VENDOR_TWILIO_ID_BYTES] = "";

	for (int i = 0; i < TWILIO_SENDS; i++) {
		AUTO_JSON json_t *o = ask(aw, "POST", v.verifications,
					  TO_BUSY "&Channel=call", 201);

		if (i > 0)
			assert_string_equal(text_of(o, "sid"), sid);
		print(sid, sizeof(sid), "%s", text_of(o, "sid"));
		find_id(aw, BUSY, id);
		(void)world_until_ended(aw->w, id);
	}
	expect(aw, "POST", v.verifications, TO_BUSY "&Channel=call", 429,
	       60203);
}

TEST(five_wrong_codes_are_the_end)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char code[CODE_BYTES];
	const char *last = "";

	start(&v, TO_LISTENS "&Channel=call", LISTENS, code);
	for (int i = 0; i < VERIFICATION_WRONG; i++) {
		AUTO_JSON json_t *o =
			ask(aw, "POST", v.check,
			    with_code(TO_LISTENS, wrong(code)), 200);

		last = i + 1 < VERIFICATION_WRONG ? "pending"
						  : "max_attempts_reached";
		assert_string_equal(text_of(o, "status"), last);
		if (i == 2) /* A4: the number waits, which is not the end */
			expect(aw, "POST", v.check, with_code(TO_LISTENS, code),
			       429, 20429);
		world_pass(aw->w, SECONDS(i < 2 ? 1 : 30 << (i - 2)));
	}
	expect(aw, "POST", v.check, with_code(TO_LISTENS, code), 429, 60202);
}

TEST(an_old_code_is_not_found)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char code[CODE_BYTES];

	start(&v, TO_LISTENS "&Channel=call", LISTENS, code);
	world_skip(aw->w, MINUTES(11));

	expect(aw, "POST", v.check, with_code(TO_LISTENS, code), 404, 20404);
	expect(aw, "POST", v.check, with_code("To=%2B15555550111", code), 404,
	       20404);
	expect(aw, "POST", v.check,
	       with_code("VerificationSid=VE00000000000000000000000000000000",
			 code),
	       404, 20404);
}

TEST(a_request_that_cannot_be_is_refused)
{
	static const struct {
		const char *form;
		int status, code;
	} bad[] = {
		{"Channel=call", 400, 60200},
		{TO_LISTENS, 400, 60200},
		{"To=nobody&Channel=call", 400, 60200},
		{TO_LISTENS "&Channel=sms", 400, 60204},
		{TO_LISTENS "&Channel=whatsapp", 400, 60204},
		{TO_LISTENS "&Channel=pigeon", 400, 60200},
		{TO_LISTENS "&Channel=call&SendDigits=12-34", 400, 60200},
		{TO_LISTENS "&Channel=call&CustomMessage=hello", 400, 60204},
		{TO_LISTENS "&Channel=call&CustomCode=123456", 400, 60204},
		{TO_LISTENS "&Channel=call&Amount=5", 400, 60206},
		{TO_LISTENS "&Channel=call&Payee=Acme", 400, 60206},
		{TO_LISTENS "&Channel=call&Amount=much&Payee=A", 400, 60200},
		{TO_LISTENS "&Channel=call&Locale=x%20y", 400, 60200},
		{TO_LISTENS "&Channel=call&DeviceIp=here", 400, 60200},
		{TO_LISTENS "&Channel=call&Tags=%5B%5D", 400, 60200},
		{TO_LISTENS "&Channel=call&RateLimits=%5B%5D", 400, 60200},
		{TO_LISTENS "&Channel=call&RateLimits=%7B%22a%22%3A%22b%22%7D",
		 400, 60200},
		{"To=%2B4915123456789&Channel=call", 403, 60605},
	};
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect(aw, "POST", v.verifications, bad[i].form, bad[i].status,
		       bad[i].code);
	expect(aw, "POST", v.check, TO_LISTENS, 400, 60200);
	expect(aw, "POST", v.check, "Code=123456", 400, 60200);
}

TEST(a_code_of_the_callers_own_needs_a_service_that_allows_it)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme&CustomCodeEnabled=true");
	char code[CODE_BYTES];

	expect(aw, "POST", v.verifications,
	       TO_LISTENS "&Channel=call&CustomCode=12a4", 400, 60200);
	start(&v, TO_LISTENS "&Channel=call&CustomCode=000042", LISTENS, code);
	check_is(&v, with_code(TO_LISTENS, code), "pending", false);
	check_is(&v, with_code(TO_LISTENS, "000042"), "approved", true);
}

TEST(a_payments_code_is_bound_to_it)
{
	struct api_world *aw = *state;
	struct visit v = visit(
		aw,
		"FriendlyName=Acme&Psd2Enabled=true&DtmfInputRequired=false");
	char code[CODE_BYTES];

	expect(aw, "POST", v.verifications, TO_LISTENS "&Channel=call", 400,
	       60206);
	start(&v,
	      TO_LISTENS "&Channel=call&Amount=%E2%82%AC39.99&Payee=Acme+Inc.",
	      LISTENS, code);
	AUTO_JSON json_t *o =
		ask(aw, "GET", below(v.verifications, LISTENS), NULL, 200);
	assert_string_equal(text_of(o, "amount"), "\xe2\x82\xac"
						  "39.99");
	assert_string_equal(text_of(o, "payee"), "Acme Inc.");
	expect(aw, "POST", v.check, with_code(TO_LISTENS, code), 400, 60206);
	check_is(&v,
		 with_code(TO_LISTENS "&Amount=39.98+EUR&Payee=Acme+Inc.",
			   code),
		 "pending", false);
	check_is(&v,
		 with_code(TO_LISTENS "&Amount=39.99+EUR&Payee=Acme+Inc.",
			   code),
		 "approved", true);
}

TEST(only_the_code_approves_and_a_cancel_cancels_once)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char code[CODE_BYTES];
	const char *path;

	start(&v, TO_LISTENS "&Channel=call", LISTENS, code);
	path = below(v.verifications, LISTENS);
	expect(aw, "POST", path, "Status=approved", 400, 60204);
	expect(aw, "POST", path, "Status=pending", 400, 60200);
	expect(aw, "POST", path, "", 400, 60200);
	AUTO_JSON json_t *o = ask(aw, "POST", path, "Status=canceled", 200);
	assert_string_equal(text_of(o, "status"), "canceled");
	expect(aw, "POST", path, "Status=canceled", 404, 20404);
	expect(aw, "POST", v.check, with_code(TO_LISTENS, code), 404, 20404);
}

TEST(one_service_sees_nothing_of_another)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	struct visit w = visit(aw, "FriendlyName=Beta");
	char code[CODE_BYTES];

	start(&v, TO_LISTENS "&Channel=call", LISTENS, code);

	expect(aw, "POST", w.check, with_code(TO_LISTENS, code), 404, 20404);
	expect(aw, "GET", below(w.verifications, LISTENS), NULL, 404, 20404);
}

/* --- rate limits ------------------------------------------------------------------------------------- */

TEST(rate_limits_and_buckets_are_kept)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char limit[PATH_BYTES], buckets[PATH_BYTES], bucket[PATH_BYTES];

	AUTO_JSON json_t *made =
		ask(aw, "POST", v.limits, "UniqueName=user&Description=x", 201);
	print(limit, sizeof(limit), "%s/%s", v.limits, text_of(made, "sid"));
	print(buckets, sizeof(buckets), "%s/Buckets", limit);
	assert_memory_equal(text_of(made, "sid"), "RK", 2);
	AUTO_JSON json_t *changed =
		ask(aw, "POST", limit, "Description=by+user", 200);
	AUTO_JSON json_t *read = ask(aw, "GET", limit, NULL, 200);
	assert_true(json_equal(changed, read));
	assert_string_equal(text_of(read, "description"), "by user");
	expect(aw, "POST", v.limits, "UniqueName=user", 400, 60208);
	expect(aw, "POST", v.limits, "UniqueName=a+b", 400, 60209);
	expect(aw, "POST", v.limits, "", 400, 60200);

	AUTO_JSON json_t *first =
		ask(aw, "POST", buckets, "Max=4&Interval=60", 201);
	print(bucket, sizeof(bucket), "%s/%s", buckets, text_of(first, "sid"));
	assert_string_equal(text_of(first, "rate_limit_sid"),
			    text_of(made, "sid"));
	expect(aw, "POST", buckets, "Max=5&Interval=60", 400, 60211);
	expect(aw, "POST", buckets, "Max=0&Interval=60", 400, 60200);
	expect(aw, "POST", buckets, "Max=1", 400, 60200);
	AUTO_JSON json_t *moved = ask(aw, "POST", bucket, "Interval=3600", 200);
	assert_int_equal(json_integer_value(json_object_get(moved, "max")), 4);
	/* the id of 60 s is taken by what was that */
	expect(aw, "POST", buckets, "Max=5&Interval=60", 201, 0);
	expect(aw, "POST", bucket, "Interval=60", 400, 60211);
	expect(aw, "POST", buckets, "Max=9&Interval=1", 201, 0);
	expect(aw, "POST", buckets, "Max=9&Interval=2", 201, 0);
	expect(aw, "POST", buckets, "Max=9&Interval=3", 400, 60210);
	AUTO_JSON json_t *all = ask(aw, "GET", buckets, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(all, "buckets")),
			 TWILIO_BUCKETS_MAX);

	(void)ask(aw, "DELETE", bucket, NULL, 204);
	expect(aw, "GET", bucket, NULL, 404, 20404);
	(void)ask(aw, "DELETE", limit, NULL, 204);
	expect(aw, "GET", buckets, NULL, 404, 20404);
	/* none of its buckets is left for the next of its name */
	expect(aw, "POST", v.limits, "UniqueName=user", 201, 0);
	AUTO_JSON json_t *none = ask(aw, "GET", buckets, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(none, "buckets")), 0);
}

TEST(a_service_has_ten_rate_limits_at_most)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char form[64];

	for (int i = 0; i < TWILIO_LIMITS_MAX; i++) {
		print(form, sizeof(form), "UniqueName=n%d", i);
		expect(aw, "POST", v.limits, form, 201, 0);
	}
	expect(aw, "POST", v.limits, "UniqueName=more", 400, 60207);
	AUTO_JSON json_t *all = ask(aw, "GET", v.limits, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(all, "rate_limits")),
			 TWILIO_LIMITS_MAX);
}

TEST(a_rate_limit_counts_by_what_the_caller_names)
{
	struct api_world *aw = *state;
	struct visit v = visit(aw, "FriendlyName=Acme");
	char path[PATH_BYTES];
	const char *ann = TO_BUSY "&Channel=call&RateLimits="
				  "%7B%22user%22%3A%22ann%22%7D";
	const char *ben = "To=%2B15555550121&Channel=call&RateLimits="
			  "%7B%22user%22%3A%22ben%22%7D";

	AUTO_JSON json_t *made =
		ask(aw, "POST", v.limits, "UniqueName=user", 201);
	print(path, sizeof(path), "%s/%s/Buckets", v.limits,
	      text_of(made, "sid"));
	expect(aw, "POST", path, "Max=1&Interval=60", 201, 0);

	expect(aw, "POST", v.verifications, ann, 201, 0);
	expect(aw, "POST", v.verifications,
	       "To=%2B15555550122&Channel=call&RateLimits="
	       "%7B%22user%22%3A%22ann%22%7D",
	       429, 20429);
	expect(aw, "POST", v.verifications, ben, 201, 0);
	world_skip(aw->w, MINUTES(2));
	expect(aw, "POST", v.verifications,
	       "To=%2B15555550122&Channel=call&RateLimits="
	       "%7B%22user%22%3A%22ann%22%7D",
	       201, 0);
}

/* --- amounts and names ---------------------------------------------------------------------------------- */

TEST(an_amount_is_read_as_people_write_it)
{
	static const struct {
		const char *text, *amount, *currency, *again;
	} good[] = {
		{"39.99", "39.99", "", "39.99"},
		{"\xe2\x82\xac"
		 "39.99",
		 "39.99", "EUR",
		 "\xe2\x82\xac"
		 "39.99"},
		{"39.99 EUR", "39.99", "EUR",
		 "\xe2\x82\xac"
		 "39.99"},
		{"CHF 5", "5", "CHF", "5 CHF"},
		{" R$ 10.50 ", "10.50", "BRL", "R$10.50"},
		{"12z\xc5\x82", "12", "PLN",
		 "z\xc5\x82"
		 "12"},
	};
	static const char *const bad[] = {
		"",      "EUR",       "$",
		"five",  "5 dollars", "1,5",
		"-1",    "$5$",       "EUR5USD",
		"EURO5", "5 EUR EUR", "999999999999999999999999999"};
	char amount[VERIFICATION_AMOUNT_BYTES], currency[4];
	char again[TWILIO_AMOUNT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_true(twilio_amount_read(span_of(good[i].text), amount,
					       currency));
		assert_string_equal(amount, good[i].amount);
		assert_string_equal(currency, good[i].currency);
		twilio_amount_write(amount, currency, again);
		assert_string_equal(again, good[i].again);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (twilio_amount_read(span_of(bad[i]), amount, currency))
			fail_msg("%s is no amount", bad[i]);
}

TEST(a_long_name_is_said_as_far_as_a_brand_goes)
{
	struct twilio_service s = {.name = "Acme"};
	char brand[VERIFICATION_BRAND_BYTES];

	(void)state;
	twilio_brand(&s, "", brand);
	assert_string_equal(brand, "Acme");
	print(s.tts_name, sizeof(s.tts_name), "%s",
	      "The Acme of the whole World 1234");
	twilio_brand(&s, "", brand);
	assert_string_equal(brand, "The Acme of the whole World 12");
	twilio_brand(&s, "Beta", brand);
	assert_string_equal(brand, "Beta");
}

int main(void)
{
#define IN_WORLD(f) \
	cmocka_unit_test_setup_teardown(f, api_world_setup, api_world_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_service_is_made_read_changed_and_removed),
		IN_WORLD(services_are_listed_in_pages),
		IN_WORLD(a_service_that_cannot_be_is_refused),
		IN_WORLD(what_is_in_no_path_of_ours_is_not_found),
		IN_WORLD(who_asks_without_a_key_or_a_scope_learns_only_that),
		IN_WORLD(a_code_is_spoken_and_approved_once),
		IN_WORLD(a_verification_has_all_that_its_clients_read),
		IN_WORLD(
			what_is_asked_for_again_is_sent_again_up_to_five_times),
		IN_WORLD(five_wrong_codes_are_the_end),
		IN_WORLD(an_old_code_is_not_found),
		IN_WORLD(a_request_that_cannot_be_is_refused),
		IN_WORLD(
			a_code_of_the_callers_own_needs_a_service_that_allows_it),
		IN_WORLD(a_payments_code_is_bound_to_it),
		IN_WORLD(only_the_code_approves_and_a_cancel_cancels_once),
		IN_WORLD(one_service_sees_nothing_of_another),
		IN_WORLD(rate_limits_and_buckets_are_kept),
		IN_WORLD(a_service_has_ten_rate_limits_at_most),
		IN_WORLD(a_rate_limit_counts_by_what_the_caller_names),
		cmocka_unit_test(an_amount_is_read_as_people_write_it),
		cmocka_unit_test(a_long_name_is_said_as_far_as_a_brand_goes),
	};

	return cmocka_run_group_tests_name("api/twilio", tests, world_voices,
					   world_no_voices);
}
