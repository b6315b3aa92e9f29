// SPDX-License-Identifier: Apache-2.0
/*
 * test_access.c - applications and keys as records; refusals in words.
 */
#include <errno.h>
#include <string.h>

#include "service/service_priv.h"
#include "support/test.h"

TEST(a_key_comes_back_as_it_was_packed)
{
	const struct service_key in = {
		.id = "key_abc",
		.application = "shop",
		.name = "web \"server\"",
		.scopes = SERVICE_CHECK | SERVICE_ADMIN,
		.created_ms = 5,
		.expires_ms = 7,
		.hash = {1, 2, 3},
	};
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	struct service_key out;

	service_key_pack(&in, &record);
	assert_int_equal(service_key_unpack(buf_view(&record), &out), 0);

	assert_memory_equal(&in, &out, sizeof(in));
}

TEST(an_application_comes_back_with_its_brands)
{
	const struct service_app in = {.name = "shop",
				       .created_ms = 5,
				       .brands_count = 2,
				       .brands = {"Book Shop", "Wein & Co"}};
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	struct service_app out;

	service_app_pack(&in, &record);
	assert_int_equal(service_app_unpack(buf_view(&record), &out), 0);

	assert_int_equal(out.brands_count, 2);
	assert_string_equal(out.brands[1], "Wein & Co");
}

TEST(a_record_that_is_cut_short_is_refused)
{
	const struct service_key in = {.id = "key_abc", .name = "web"};
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	struct service_key out;

	service_key_pack(&in, &record);

	assert_int_equal(service_key_unpack(span_make(record.p, record.n - 1),
					    &out),
			 -EBADMSG);
}

TEST(a_store_that_is_full_or_away_says_so)
{
	struct service_refusal no;

	service_refuse_store(&no, -ENOSPC);
	assert_string_equal(no.code, "store_unavailable");
	assert_string_equal(no.detail, "the disk is full");
	service_refuse_store(&no, -EIO);
	assert_string_equal(no.code, "store_unavailable");
	service_refuse_store(&no, -EAGAIN);
	assert_string_equal(no.code, "overloaded");
}

TEST(each_reason_of_a_number_has_its_rule)
{
	struct service_refusal no;

	service_refuse_create(&no, VERIFICATION_PAUSED, 1234);
	assert_string_equal(no.rule, "number.reported");
	assert_int_equal(no.retry_ms, 1234);
	service_refuse_create(&no, VERIFICATION_STOPPED, 0);
	assert_string_equal(no.code, "number_blocked");
	service_refuse_create(&no, VERIFICATION_WAITING, 99);
	assert_string_equal(no.rule, "number.failures");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_comes_back_as_it_was_packed),
		cmocka_unit_test(an_application_comes_back_with_its_brands),
		cmocka_unit_test(a_record_that_is_cut_short_is_refused),
		cmocka_unit_test(a_store_that_is_full_or_away_says_so),
		cmocka_unit_test(each_reason_of_a_number_has_its_rule),
	};

	return cmocka_run_group_tests_name("service/access", tests, NULL, NULL);
}
