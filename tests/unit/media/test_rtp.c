// SPDX-License-Identifier: Apache-2.0
/*
 * test_rtp.c - are headers read as RFC 3550 writes them, and packets counted as
 * its appendix does?
 */
#include "media/rtp.h"

#include <errno.h>
#include <string.h>

#include "support/test.h"

enum { SSRC = 0x7eedf00d, FRAME = 160 };

static int read_bytes(const uint8_t *p, size_t n, struct rtp_header *h,
		      size_t *at, size_t *left)
{
	struct span payload = {0};
	int err = rtp_read(span_make(p, n), h, &payload);

	if (err == 0) {
		*at = (size_t)(payload.p - (const char *)p);
		*left = payload.n;
	}
	return err;
}

static void assert_payload(const uint8_t *p, size_t n, size_t at, size_t left)
{
	struct rtp_header h = {0};
	size_t got_at = 0, got_left = 0;

	assert_int_equal(read_bytes(p, n, &h, &got_at, &got_left), 0);
	assert_int_equal(got_at, at);
	assert_int_equal(got_left, left);
}

static void assert_bad(const uint8_t *p, size_t n)
{
	struct rtp_header h = {0};
	size_t at = 0, left = 0;

	assert_int_equal(read_bytes(p, n, &h, &at, &left), -EBADMSG);
}

TEST(a_header_is_written_as_the_rfc_draws_it)
{
	const uint8_t expected[] = {0x80, 0xe5, 0x12, 0x34, 1,    2,
				    3,    4,    0x7e, 0xed, 0xf0, 0x0d};
	const struct rtp_header h = {.marker = true,
				     .pt = RTP_PT_EVENT,
				     .seq = 0x1234,
				     .ts = 0x01020304,
				     .ssrc = SSRC};
	uint8_t out[RTP_HEADER_BYTES];
	struct rtp_header back;
	struct span payload;

	rtp_write(&h, out);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(rtp_read(span_make(out, sizeof(out)), &back, &payload),
			 0);

	assert_true(back.marker);
	assert_int_equal(back.pt, h.pt);
	assert_int_equal(back.seq, h.seq);
	assert_int_equal(back.ts, h.ts);
	assert_int_equal(back.ssrc, h.ssrc);
	assert_int_equal(payload.n, 0);
}

TEST(sources_extension_and_padding_are_skipped)
{
	uint8_t p[40] = {0x80};

	assert_payload(p, 40, 12, 28);
	p[0] = 0x82; /* two CSRCs */
	assert_payload(p, 40, 20, 20);
	p[0] = 0x92; /* and an extension of one word */
	p[23] = 1;
	assert_payload(p, 40, 28, 12);
	p[0] = 0xb2; /* and five bytes of padding */
	p[39] = 5;
	assert_payload(p, 40, 28, 7);
	p[39] = 12; /* nothing but padding */
	assert_payload(p, 40, 28, 0);
}

TEST(a_packet_whose_lengths_lie_is_refused)
{
	uint8_t p[40] = {0x80};

	assert_bad(p, 0);
	assert_bad(p, 11);
	p[0] = 0x40; /* version 1 */
	assert_bad(p, 40);
	p[0] = 0x8f; /* 15 CSRCs: 72 bytes */
	assert_bad(p, 40);
	p[0] = 0x90; /* an extension longer than all */
	p[14] = 0xff;
	p[15] = 0xff;
	assert_bad(p, 40);
	assert_bad(p, 14); /* no room for its length */
	p[0] = 0xa0;       /* padding of none, and of more than there is */
	p[39] = 0;
	assert_bad(p, 40);
	p[39] = 29;
	assert_bad(p, 40);
	assert_bad(p, 12);
}

/* --- counting ------------------------------------------------------------------------ */

/* A packet on time. */
static bool take(struct rtp_source *s, uint16_t seq)
{
	const struct rtp_header h = {
		.seq = seq, .ts = (uint32_t)seq * FRAME, .ssrc = SSRC};

	return rtp_source_take(s, &h, (uint32_t)seq * FRAME + 77);
}

TEST(packets_in_order_are_all_there)
{
	struct rtp_source s = {0};

	for (uint16_t i = 100; i < 200; i++)
		assert_true(take(&s, i));

	assert_int_equal(s.received, 100);
	assert_int_equal(rtp_source_highest(&s), 199);
	assert_int_equal(rtp_source_lost(&s), 0);
	assert_int_equal(rtp_source_fraction(&s), 0);
	assert_int_equal(s.jitter, 0);
}

TEST(nothing_heard_is_nothing_lost)
{
	struct rtp_source s = {0};

	assert_int_equal(rtp_source_lost(&s), 0);
	assert_int_equal(rtp_source_fraction(&s), 0);
	assert_int_equal(rtp_source_highest(&s), 0);
}

TEST(numbers_that_wrap_around_count_a_cycle)
{
	struct rtp_source s = {0};

	for (uint32_t i = 65500; i < 65536 + 40; i++)
		assert_true(take(&s, (uint16_t)i));

	assert_int_equal(rtp_source_highest(&s), 65536 + 39);
	assert_int_equal(rtp_source_lost(&s), 0);
}

TEST(a_late_packet_from_before_the_wrap_is_no_new_cycle)
{
	struct rtp_source s = {0};

	assert_true(take(&s, 65534));
	assert_true(take(&s, 0));
	assert_true(take(&s, 65535));
	assert_true(take(&s, 1));

	assert_int_equal(rtp_source_highest(&s), 65536 + 1);
	assert_int_equal(rtp_source_lost(&s), 0);
}

TEST(what_is_missing_is_lost)
{
	struct rtp_source s = {0};

	for (uint16_t i = 0; i < 100; i++)
		if (i % 4 != 1)
			assert_true(take(&s, i));

	assert_int_equal(rtp_source_lost(&s), 25);
	assert_int_equal(rtp_source_fraction(&s), 64);
}

TEST(doubled_packets_make_the_loss_negative)
{
	struct rtp_source s = {0};

	for (uint16_t i = 0; i < 10; i++) {
		assert_true(take(&s, i));
		assert_true(take(&s, i));
	}

	assert_int_equal(rtp_source_lost(&s), -10);
	assert_int_equal(rtp_source_fraction(&s), 0);
}

TEST(reordered_packets_are_not_lost)
{
	static const uint16_t order[] = {3, 5, 4, 6, 9, 8, 7, 10};
	struct rtp_source s = {0};

	for (size_t i = 0; i < COUNT_OF(order); i++)
		assert_true(take(&s, order[i]));

	assert_int_equal(rtp_source_highest(&s), 10);
	assert_int_equal(rtp_source_lost(&s), 0);
}

TEST(the_fraction_is_of_the_time_since_the_last_report)
{
	struct rtp_source s = {0};

	for (uint16_t i = 0; i < 100; i++)
		assert_true(take(&s, i));
	assert_int_equal(rtp_source_fraction(&s), 0);
	for (uint16_t i = 100; i < 200; i += 2)
		assert_true(take(&s, i));

	/* 99 were due and 50 came: the last, 199, is not known to be lost */
	assert_int_equal(rtp_source_fraction(&s), 49 * 256 / 99);
	assert_int_equal(rtp_source_fraction(&s), 0);
	assert_int_equal(rtp_source_lost(&s), 49);
}

TEST(a_jump_counts_when_it_is_repeated)
{
	struct rtp_source s = {0};

	assert_true(take(&s, 10));
	assert_true(take(&s, 11));
	assert_false(take(&s, 20000)); /* a stray */
	assert_true(take(&s, 12));
	assert_int_equal(rtp_source_lost(&s), 0);

	assert_false(take(&s, 30000)); /* a sender that began anew */
	assert_true(take(&s, 30001));
	assert_int_equal(rtp_source_highest(&s), 30001);
	assert_int_equal(s.received, 1);
	assert_int_equal(rtp_source_lost(&s), 0);
}

TEST(a_gap_below_the_limit_is_loss_and_no_jump)
{
	struct rtp_source s = {0};

	assert_true(take(&s, 0));
	assert_true(take(&s, 2999));
	assert_int_equal(rtp_source_lost(&s), 2998);
	assert_int_equal(rtp_source_fraction(&s), 255);
}

TEST(another_source_counts_from_its_second_packet_on)
{
	struct rtp_source s = {0};
	struct rtp_header h = {.seq = 500, .ssrc = 1};

	assert_true(take(&s, 10));
	assert_false(rtp_source_take(&s, &h, 0));
	assert_true(take(&s, 11));
	h.seq = 501;
	assert_true(rtp_source_take(&s, &h, 0));

	assert_int_equal(s.ssrc, 1);
	assert_int_equal(s.received, 1);
}

/* A.8, with doubles, as the text says it. */
TEST(jitter_is_what_the_appendix_computes)
{
	static const int late[] = {0, 30, -10, 55, 0, 0, 80, 13, -40, 7};
	struct rtp_source s = {0};
	double jitter = 0;
	int last = 0;

	for (uint16_t i = 0; i < 200; i++) {
		int now = late[i % COUNT_OF(late)];
		const struct rtp_header h = {
			.seq = i, .ts = (uint32_t)i * FRAME, .ssrc = SSRC};
		double apart = now > last ? now - last : last - now;

		assert_true(rtp_source_take(
			&s, &h, (uint32_t)(i * FRAME + 5000 + now)));
		if (i > 0)
			jitter += (apart - jitter) / 16;
		last = now;
	}

	assert_true(s.jitter / 16.0 > jitter - 1);
	assert_true(s.jitter / 16.0 < jitter + 1);
}

TEST(a_key_that_is_held_is_no_jitter)
{
	struct rtp_source s = {0};
	struct rtp_header h = {.ssrc = SSRC};

	for (uint32_t i = 0; i < 50; i++) {
		h.seq++;
		assert_true(rtp_source_take(&s, &h, i * FRAME));
	}
	h.seq++;
	h.ts = 50 * FRAME;
	assert_true(rtp_source_take(&s, &h, 50 * FRAME));

	assert_int_equal(s.jitter, 0);
}

TEST(a_clock_that_was_set_anew_is_no_jitter)
{
	struct rtp_source s = {0};
	struct rtp_header h = {.ssrc = SSRC};

	assert_true(rtp_source_take(&s, &h, 0));
	h.seq++;
	h.ts = 0x70000000;
	assert_true(rtp_source_take(&s, &h, FRAME));
	h.seq++;
	h.ts += FRAME;
	assert_true(rtp_source_take(&s, &h, 2 * FRAME));

	assert_int_equal(s.jitter, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_written_as_the_rfc_draws_it),
		cmocka_unit_test(sources_extension_and_padding_are_skipped),
		cmocka_unit_test(a_packet_whose_lengths_lie_is_refused),
		cmocka_unit_test(packets_in_order_are_all_there),
		cmocka_unit_test(nothing_heard_is_nothing_lost),
		cmocka_unit_test(numbers_that_wrap_around_count_a_cycle),
		cmocka_unit_test(
			a_late_packet_from_before_the_wrap_is_no_new_cycle),
		cmocka_unit_test(what_is_missing_is_lost),
		cmocka_unit_test(doubled_packets_make_the_loss_negative),
		cmocka_unit_test(reordered_packets_are_not_lost),
		cmocka_unit_test(
			the_fraction_is_of_the_time_since_the_last_report),
		cmocka_unit_test(a_jump_counts_when_it_is_repeated),
		cmocka_unit_test(a_gap_below_the_limit_is_loss_and_no_jump),
		cmocka_unit_test(
			another_source_counts_from_its_second_packet_on),
		cmocka_unit_test(jitter_is_what_the_appendix_computes),
		cmocka_unit_test(a_key_that_is_held_is_no_jitter),
		cmocka_unit_test(a_clock_that_was_set_anew_is_no_jitter),
	};

	return cmocka_run_group_tests_name("media/rtp", tests, NULL, NULL);
}
