// SPDX-License-Identifier: Apache-2.0
/*
 * test_tlv.c - does a record come back as it went, and never half?
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/attr.h"
#include "base/tlv.h"

#define BYTES(s) span_make(s, sizeof(s) - 1)

static int64_t round_trip(int64_t value)
{
	struct tlv field = {0};
	struct span rest;
	int64_t got = 0;
	AUTO_BUF(b, 64);

	tlv_int(&b, 1, value);
	rest = buf_view(&b);
	assert_int_equal(tlv_next(&rest, &field), 1);
	assert_int_equal(field.tag, 1);
	assert_int_equal(tlv_get_int(&field, &got), 0);
	assert_int_equal(rest.n, 0);
	return got;
}

TEST(numbers_come_back)
{
	static const int64_t some[] = {1,         -1,           63,
				       64,        -64,          -65,
				       1000000,   INT32_MIN,    INT64_MAX,
				       INT64_MIN, 1LL << 62,    -(1LL << 62),
				       8191,      0x7fffffffff, -300};

	for (size_t i = 0; i < COUNT_OF(some); i++)
		assert_true(round_trip(some[i]) == some[i]);
}

TEST(small_numbers_take_three_bytes)
{
	AUTO_BUF(b, 64);

	tlv_int(&b, 9, -3);

	assert_int_equal(b.n, 3);
	assert_memory_equal(b.p, "\x09\x01\x05", 3);
}

TEST(nothing_is_not_written)
{
	AUTO_BUF(b, 64);

	tlv_int(&b, 1, 0);
	tlv_text(&b, 2, "");
	tlv_text(&b, 3, NULL);
	tlv_bytes(&b, 4, "x", 0);

	assert_int_equal(b.n, 0);
}

TEST(unknown_fields_can_be_skipped)
{
	struct tlv field = {0};
	struct span rest;
	char text[8] = "";
	uint8_t raw[3];
	AUTO_BUF(b, 1000);

	tlv_text(&b, 1, "hello");
	tlv_bytes(&b, 255, b.p, 7);
	tlv_bytes(&b, 2, "\0\1\2", 3);
	rest = buf_view(&b);

	assert_int_equal(tlv_next(&rest, &field), 1);
	assert_int_equal(tlv_get_text(&field, text, sizeof(text)), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(tlv_next(&rest, &field), 1);
	assert_int_equal(field.tag, 255);
	assert_int_equal(tlv_next(&rest, &field), 1);
	assert_int_equal(tlv_get_bytes(&field, raw, 3), 0);
	assert_memory_equal(raw, "\0\1\2", 3);
	assert_int_equal(tlv_next(&rest, &field), 0);
}

TEST(long_values_come_back)
{
	char long_text[300], got[301];
	struct tlv field = {0};
	struct span rest;
	AUTO_BUF(b, 1000);

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	tlv_text(&b, 5, long_text);
	rest = buf_view(&b);

	assert_int_equal(tlv_next(&rest, &field), 1);
	assert_int_equal(tlv_get_text(&field, got, sizeof(got)), 0);
	assert_string_equal(got, long_text);
}

TEST(cut_anywhere_is_noticed)
{
	AUTO_BUF(b, 1000);

	tlv_text(&b, 1, "hello");
	for (size_t n = 1; n < b.n; n++) {
		struct span rest = span_make(b.p, n);
		struct tlv field = {.tag = 77};

		assert_int_equal(tlv_next(&rest, &field), -EBADMSG);
		assert_int_equal(field.tag, 77);
		assert_int_equal(rest.n, n);
	}
}

TEST(broken_heads_are_refused)
{
	static const struct span bad[] = {
		{"\x00\x01z", 3},     /* no tag 0 */
		{"\x01\x81\x00z", 4}, /* a longer form of 1 */
		{"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z", 12},
		{"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02z", 12},
		{"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01z", 13},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct span rest = bad[i];
		struct tlv field;

		assert_int_equal(tlv_next(&rest, &field), -EBADMSG);
	}
}

TEST(values_of_the_wrong_kind_are_refused)
{
	struct tlv none = {1, {NULL, 0}}, two = {1, BYTES("\x01\x01")};
	struct tlv open = {1, BYTES("\x80")}, nul = {1, BYTES("a\0b")};
	char text[3] = "";
	int64_t n = 5;

	assert_int_equal(tlv_get_int(&none, &n), -EBADMSG);
	assert_int_equal(tlv_get_int(&two, &n), -EBADMSG);
	assert_int_equal(tlv_get_int(&open, &n), -EBADMSG);
	assert_int_equal(n, 5);
	assert_int_equal(tlv_get_text(&nul, text, 8), -EBADMSG);
	assert_int_equal(tlv_get_text(&two, text, 2), -EBADMSG);
	assert_int_equal(tlv_get_text(&two, text, 3), 0);
	assert_int_equal(tlv_get_bytes(&two, text, 1), -EBADMSG);
	assert_int_equal(tlv_get_bytes(&two, text, 3), -EBADMSG);
	assert_int_equal(tlv_get_bytes(&none, text, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(small_numbers_take_three_bytes),
		cmocka_unit_test(nothing_is_not_written),
		cmocka_unit_test(unknown_fields_can_be_skipped),
		cmocka_unit_test(long_values_come_back),
		cmocka_unit_test(cut_anywhere_is_noticed),
		cmocka_unit_test(broken_heads_are_refused),
		cmocka_unit_test(values_of_the_wrong_kind_are_refused),
	};

	return cmocka_run_group_tests_name("base/tlv", tests, NULL, NULL);
}
