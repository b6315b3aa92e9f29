// SPDX-License-Identifier: Apache-2.0
/*
 * test_rtcp.c - are reports written as RFC 3550 draws them, and read no further
 * than they are true?
 */
#include "media/rtcp.h"

#include <errno.h>
#include <string.h>

#include "support/test.h"

enum { US = 0x11223344, THEM = 0x55667788 };

static struct rtcp_report full(void)
{
	return (struct rtcp_report){
		.ssrc = THEM,
		.sends = true,
		.ntp = 0xe900000180000000,
		.rtp_ts = 160,
		.packets = 10,
		.bytes = 1600,
		.has_block = true,
		.block = {.ssrc = US,
			  .fraction = 64,
			  .lost = -3,
			  .highest = 70000,
			  .jitter = 80,
			  .last_sr = 0x00018000,
			  .delay = 65536},
		.cname = "abcd",
		.bye = true,
	};
}

TEST(a_compound_packet_is_written_as_the_rfc_draws_it)
{
	const uint8_t expected[] = {
		0x81, 200,  0,    12,   0x55, 0x66, 0x77, 0x88, /* SR */
		0xe9, 0,    0,    1,    0x80, 0,    0,    0,
		0,    0,    0,    160,                          /* times */
		0,    0,    0,    10,   0,    0,    0x06, 0x40, /* sent */
		0x11, 0x22, 0x33, 0x44, 64,   0xff, 0xff, 0xfd, /* lost */
		0,    1,    0x11, 0x70, 0,    0,    0,    80,   /* highest */
		0,    1,    0x80, 0,    0,    1,    0,    0,    /* last SR */
		0x81, 202,  0,    3,    0x55, 0x66, 0x77, 0x88, /* SDES */
		1,    4,    'a',  'b',  'c',  'd',  0,    0,    /* CNAME */
		0x81, 203,  0,    1,    0x55, 0x66, 0x77, 0x88, /* BYE */
	};
	const struct rtcp_report r = full();
	uint8_t out[RTCP_COMPOUND_MAX];

	assert_int_equal(rtcp_write(&r, out), sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
}

TEST(what_was_written_is_read)
{
	const struct rtcp_report r = full();
	uint8_t out[RTCP_COMPOUND_MAX];
	size_t n = rtcp_write(&r, out);
	struct rtcp_heard heard;

	assert_int_equal(rtcp_read(span_make(out, n), US, &heard), 0);

	assert_int_equal(heard.ssrc, THEM);
	assert_true(heard.sr && heard.bye && heard.has_block);
	assert_true(heard.ntp == r.ntp);
	assert_int_equal(heard.block.lost, -3);
	assert_int_equal(heard.block.fraction, 64);
	assert_int_equal(heard.block.highest, 70000);
	assert_int_equal(heard.block.jitter, 80);
	assert_int_equal(heard.block.last_sr, 0x00018000);
	assert_int_equal(heard.block.delay, 65536);
}

TEST(a_receiver_that_sends_nothing_reports_without_times)
{
	const struct rtcp_report r = {.ssrc = THEM};
	uint8_t out[RTCP_COMPOUND_MAX];
	struct rtcp_heard heard;

	assert_int_equal(rtcp_write(&r, out), 8);
	assert_int_equal(rtcp_read(span_make(out, 8), US, &heard), 0);

	assert_false(heard.sr || heard.bye || heard.has_block);
	assert_int_equal(heard.ssrc, THEM);
}

TEST(a_block_about_somebody_else_is_not_about_us)
{
	const struct rtcp_report r = full();
	uint8_t out[RTCP_COMPOUND_MAX];
	size_t n = rtcp_write(&r, out);
	struct rtcp_heard heard;

	assert_int_equal(rtcp_read(span_make(out, n), US + 1, &heard), 0);
	assert_false(heard.has_block);
}

TEST(a_loss_of_more_than_24_bits_is_said_as_the_most)
{
	struct rtcp_report r = full();
	uint8_t out[RTCP_COMPOUND_MAX];
	struct rtcp_heard heard;
	size_t n;

	r.block.lost = 9000000;
	n = rtcp_write(&r, out);
	assert_int_equal(rtcp_read(span_make(out, n), US, &heard), 0);
	assert_int_equal(heard.block.lost, 0x7fffff);

	r.block.lost = -9000000;
	n = rtcp_write(&r, out);
	assert_int_equal(rtcp_read(span_make(out, n), US, &heard), 0);
	assert_int_equal(heard.block.lost, -0x800000);
}

TEST(every_length_of_name_ends_on_a_word)
{
	char name[RTCP_CNAME_BYTES + 8] = "";
	struct rtcp_report r = {.ssrc = THEM, .cname = name, .bye = true};
	uint8_t out[RTCP_COMPOUND_MAX];
	struct rtcp_heard heard;

	for (size_t i = 0; i < sizeof(name) - 1; i++) {
		size_t n = rtcp_write(&r, out);

		assert_int_equal(n % 4, 0);
		assert_int_equal(rtcp_read(span_make(out, n), US, &heard), 0);
		assert_true(heard.bye);
		name[i] = 'x';
	}
}

TEST(a_packet_cut_anywhere_but_between_parts_is_refused)
{
	const struct rtcp_report r = full();
	uint8_t out[RTCP_COMPOUND_MAX];
	size_t n = rtcp_write(&r, out);
	struct rtcp_heard heard;

	for (size_t cut = 0; cut < n; cut++) {
		bool between = cut == 52 || cut == 68;

		assert_int_equal(rtcp_read(span_make(out, cut), US, &heard),
				 between ? 0 : -EBADMSG);
	}
}

static void assert_bad(const uint8_t *p, size_t n)
{
	struct rtcp_heard heard;

	assert_int_equal(rtcp_read(span_make(p, n), US, &heard), -EBADMSG);
}

TEST(what_does_not_begin_with_a_report_is_refused)
{
	const uint8_t bye[] = {0x81, 203, 0, 1, 0, 0, 0, 5};
	const uint8_t rtp[] = {0x80, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5};
	const uint8_t version[] = {0x40, 201, 0, 1, 0, 0, 0, 5};
	const uint8_t empty[] = {0x80, 201, 0, 0};

	assert_bad(bye, sizeof(bye));
	assert_bad(rtp, sizeof(rtp));
	assert_bad(version, sizeof(version));
	assert_bad(empty, sizeof(empty));
}

TEST(more_blocks_than_bytes_are_refused)
{
	const uint8_t rr[] = {0x82, 201, 0, 1, 0, 0, 0, 5};
	const uint8_t sr[] = {0x80, 200, 0, 1, 0, 0, 0, 5};
	const uint8_t bye[] = {0x80, 201, 0, 1, 0, 0, 0, 5,
			       0x82, 203, 0, 1, 0, 0, 0, 5};

	assert_bad(rr, sizeof(rr));
	assert_bad(sr, sizeof(sr));
	assert_bad(bye, sizeof(bye));
}

TEST(what_matters_not_is_skipped)
{
	const uint8_t p[] = {
		0x80, 201,  0,    1,   0, 0, 0, 5, /* RR */
		0x80, 204,  0,    2,   0, 0, 0, 5, 't', 'e', 's',
		't',  0x81, 205,  0,   2, 0, 0, 0, 5,   0,   0,
		0,    9,    0x81, 203, 0, 1, 0, 0, 0,   5, /* BYE */
	};
	struct rtcp_heard heard;

	assert_int_equal(rtcp_read(span_make(p, sizeof(p)), US, &heard), 0);
	assert_true(heard.bye);
}

TEST(a_bye_of_somebody_else_is_not_theirs)
{
	const uint8_t p[] = {0x80, 201, 0, 1, 0, 0, 0, 5,
			     0x81, 203, 0, 1, 0, 0, 0, 6};
	struct rtcp_heard heard;

	assert_int_equal(rtcp_read(span_make(p, sizeof(p)), US, &heard), 0);
	assert_false(heard.bye);
}

TEST(padding_stands_at_the_end_and_nowhere_else)
{
	uint8_t p[] = {0x80, 201, 0, 1, 0, 0, 0, 5, 0xa1, 203,
		       0,    2,   0, 0, 0, 5, 0, 0, 0,    4};
	struct rtcp_heard heard;

	assert_int_equal(rtcp_read(span_make(p, sizeof(p)), US, &heard), 0);
	assert_true(heard.bye);

	p[19] = 8; /* all of it is padding: whose BYE is it? */
	assert_bad(p, sizeof(p));
	p[19] = 3;
	assert_bad(p, sizeof(p));
	p[19] = 12;
	assert_bad(p, sizeof(p));
	p[19] = 4;
	p[0] = 0xa0;
	assert_bad(p, sizeof(p));
}

TEST(the_clock_of_ntp_began_in_1900)
{
	assert_true(rtcp_ntp(0) == 2208988800ull << 32);
	assert_true(rtcp_ntp(1500000) == (2208988801ull << 32 | 0x80000000));
	assert_true(rtcp_ntp(-500000) == (2208988799ull << 32 | 0x80000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_compound_packet_is_written_as_the_rfc_draws_it),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(
			a_receiver_that_sends_nothing_reports_without_times),
		cmocka_unit_test(a_block_about_somebody_else_is_not_about_us),
		cmocka_unit_test(
			a_loss_of_more_than_24_bits_is_said_as_the_most),
		cmocka_unit_test(every_length_of_name_ends_on_a_word),
		cmocka_unit_test(
			a_packet_cut_anywhere_but_between_parts_is_refused),
		cmocka_unit_test(what_does_not_begin_with_a_report_is_refused),
		cmocka_unit_test(more_blocks_than_bytes_are_refused),
		cmocka_unit_test(what_matters_not_is_skipped),
		cmocka_unit_test(a_bye_of_somebody_else_is_not_theirs),
		cmocka_unit_test(padding_stands_at_the_end_and_nowhere_else),
		cmocka_unit_test(the_clock_of_ntp_began_in_1900),
	};

	return cmocka_run_group_tests_name("media/rtcp", tests, NULL, NULL);
}
