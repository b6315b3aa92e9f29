// SPDX-License-Identifier: Apache-2.0
/*
 * test_keys.c - is each press told once, whatever became of its packets?
 */
#include "media/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/test.h"

enum {
	SSRC = 7,
	FRAME = 160,
	PRESS_PACKETS = 7, /* a marker, three going on, three ends */
	SLOW_MS = 100,     /* between keys of a hand */
};

struct packet {
	struct rtp_header h;
	uint8_t payload[KEYS_EVENT_BYTES];
};

struct ear {
	struct keys keys;
	int64_t now_ms;
	char heard[32];
	size_t count;
};

static struct packet packet(uint32_t ts, char key, unsigned i)
{
	struct packet p = {
		.h = {.marker = i == 0,
		      .pt = RTP_PT_EVENT,
		      .ts = ts,
		      .ssrc = SSRC},
	};
	const struct keys_event e = {
		.event = (uint8_t)keys_key_event(key),
		.end = i >= 4,
		.volume = 10,
		.duration = (uint16_t)((i < 4 ? i + 1 : 4) * FRAME),
	};

	keys_event_write(&e, p.payload);
	return p;
}

static char hear(struct ear *e, const struct packet *p)
{
	char key =
		keys_take(&e->keys, &p->h,
			  span_make(p->payload, sizeof(p->payload)), e->now_ms);

	if (key && e->count < sizeof(e->heard) - 1)
		e->heard[e->count++] = key;
	return key;
}

/* Packets `from` to `to` of a press, and time to the next one. */
static void press(struct ear *e, uint32_t ts, char key, unsigned from,
		  unsigned to)
{
	for (unsigned i = from; i <= to; i++) {
		struct packet p = packet(ts, key, i);

		(void)hear(e, &p);
	}
	e->now_ms += SLOW_MS;
}

TEST(an_event_is_written_and_read_as_the_rfc_draws_it)
{
	const uint8_t expected[] = {11, 0x8a, 0x03, 0x20};
	const struct keys_event e = {
		.event = 11, .end = true, .volume = 10, .duration = 800};
	uint8_t out[KEYS_EVENT_BYTES];
	struct keys_event back;

	keys_event_write(&e, out);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(keys_event_read(span_make(out, 4), &back), 0);

	assert_int_equal(back.event, 11);
	assert_true(back.end);
	assert_int_equal(back.volume, 10);
	assert_int_equal(back.duration, 800);
	assert_int_equal(keys_event_read(span_make(out, 3), &back), -EBADMSG);
}

TEST(only_twelve_events_are_keys)
{
	char all[257] = "";
	size_t n = 0;

	for (unsigned i = 0; i < 256; i++)
		if (keys_event_key((uint8_t)i))
			all[n++] = keys_event_key((uint8_t)i);

	assert_string_equal(all, "0123456789*#");
	for (int i = 0; i < 12; i++)
		assert_int_equal(keys_key_event(all[i]), i);
	assert_int_equal(keys_key_event('A'), -1);
	assert_int_equal(keys_key_event('\0'), -1);
	assert_int_equal(keys_pad_event('7'), 7);
	assert_int_equal(keys_pad_event('A'), 12);
	assert_int_equal(keys_pad_event('D'), 15);
	assert_int_equal(keys_pad_event('a'), -1);
	assert_int_equal(keys_pad_event('\0'), -1);
}

TEST(every_key_is_told_by_its_name)
{
	const char *all = "0123456789*#";
	struct ear e = {0};

	for (unsigned i = 0; i < 12; i++)
		press(&e, i * 8000, all[i], 0, PRESS_PACKETS - 1);

	assert_string_equal(e.heard, all);
	assert_int_equal(e.keys.dropped, 0);
}

TEST(seven_packets_are_one_key_told_with_the_first)
{
	struct ear e = {0};
	struct packet p = packet(1000, '5', 0);

	assert_int_equal(hear(&e, &p), '5');
	press(&e, 1000, '5', 1, PRESS_PACKETS - 1);
	press(&e, 1000, '5', 0, PRESS_PACKETS - 1);

	assert_string_equal(e.heard, "5");
}

TEST(a_lost_marker_loses_no_key)
{
	struct ear e = {0};

	press(&e, 1000, '5', 1, PRESS_PACKETS - 1);
	assert_string_equal(e.heard, "5");
}

TEST(a_lost_start_loses_no_key)
{
	struct ear e = {0};

	press(&e, 1000, '5', 4, PRESS_PACKETS - 1);
	assert_string_equal(e.heard, "5");
}

TEST(a_single_end_is_a_key)
{
	struct ear e = {0};

	press(&e, 1000, '5', 6, 6);
	assert_string_equal(e.heard, "5");
}

TEST(the_same_key_twice_with_lost_ends_is_two_keys)
{
	struct ear e = {0};

	press(&e, 1000, '5', 0, 3);
	press(&e, 2600, '5', 0, 3);
	assert_string_equal(e.heard, "55");
}

TEST(the_same_key_twice_with_a_lost_marker_is_two_keys)
{
	struct ear e = {0};

	press(&e, 1000, '5', 0, 3);
	press(&e, 2600, '5', 1, 6);
	assert_string_equal(e.heard, "55");
}

TEST(two_keys_whose_packets_cross_are_two_keys)
{
	static const unsigned order[][2] = {
		{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0, 4}, {1, 2},
		{1, 4}, {0, 5}, {0, 2}, {1, 5}, {1, 6}, {0, 6},
	};
	struct ear e = {0};

	for (size_t i = 0; i < COUNT_OF(order); i++) {
		struct packet p = packet(order[i][0] ? 2600 : 1000,
					 order[i][0] ? '2' : '1', order[i][1]);

		(void)hear(&e, &p);
	}
	assert_string_equal(e.heard, "12");
}

TEST(a_key_that_comes_after_the_next_is_still_told)
{
	struct ear e = {0};

	press(&e, 2600, '2', 0, 6);
	press(&e, 1000, '1', 0, 6);
	assert_string_equal(e.heard, "21");
}

TEST(a_packet_of_a_key_long_gone_presses_nothing)
{
	struct ear e = {0};

	for (unsigned i = 0; i < 2 * KEYS_KNOWN; i++)
		press(&e, i * 1600, '1', 0, 6);
	e.count = 0;
	for (unsigned i = 0; i < 2 * KEYS_KNOWN; i++)
		press(&e, i * 1600, '1', 5, 6);

	assert_int_equal(e.count, 0);
}

TEST(timestamps_may_wrap_around)
{
	struct ear e = {0};

	for (unsigned i = 0; i < 3 * KEYS_KNOWN; i++) {
		press(&e, (uint32_t)-24000 + i * 1600, '3', 0, 6);
		assert_int_equal(e.count, 1);
		e.count = 0;
	}
}

TEST(a_sender_that_begins_anew_is_heard)
{
	struct ear e = {0};

	for (unsigned i = 0; i < 2 * KEYS_KNOWN; i++)
		press(&e, 0x40000000 + i * 1600, '1', 0, 6);
	e.count = 0;
	press(&e, 1000, '4', 0, 6);

	assert_int_equal(e.count, 1);
	assert_int_equal(e.heard[0], '4');
}

TEST(another_source_with_the_same_timestamp_is_another_key)
{
	struct ear e = {0};
	struct packet p = packet(1000, '5', 0);

	assert_int_equal(hear(&e, &p), '5');
	p.h.ssrc++;
	assert_int_equal(hear(&e, &p), '5');
	p.h.ssrc--;
	assert_int_equal(hear(&e, &p), '\0');
}

TEST(a_key_held_for_long_is_one_key)
{
	struct ear e = {0};
	struct packet p = packet(1000, '5', 0);

	/* 20 s in segments (RFC 4733 2.5.1.3), one packet a second arrives */
	for (unsigned ms = 0; ms < 20000; ms += 1000) {
		unsigned segment = ms * 8 / 0xffff, in = ms * 8 % 0xffff;
		const struct keys_event ev = {.event = 5,
					      .duration = (uint16_t)in};

		p.h.ts = 1000 + segment * 0xffff;
		keys_event_write(&ev, p.payload);
		(void)hear(&e, &p);
		p.h.marker = false;
		e.now_ms += 1000;
		if (in > 0xffff - 8000) { /* its last packet */
			p.payload[2] = p.payload[3] = 0xff;
			(void)hear(&e, &p);
		}
	}
	assert_string_equal(e.heard, "5");
}

/* A sender that loses four of ten packets, in order. */
TEST(of_10000_keys_none_is_told_twice_and_none_unheard)
{
	struct rng *r = rng_seeded(4733);
	struct ear e = {0};
	unsigned told = 0, arrived = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		char key = "0123456789*#"[rng_below(r, 12)];
		unsigned got = 0, heard = 0;

		for (unsigned k = 0; k < PRESS_PACKETS; k++) {
			struct packet p = packet(i * 1600, key, k);
			char name;

			if (rng_below(r, 10) < 4)
				continue;
			got++;
			name = hear(&e, &p);
			assert_true(!name || name == key);
			heard += name != '\0';
		}
		assert_int_equal(heard, got > 0);
		arrived += got > 0;
		told += heard;
		e.now_ms += SLOW_MS;
	}
	rng_free(r);
	assert_int_equal(told, arrived);
	assert_true(told > 9900); /* 0.4^7: 16 of 10,000 had no packet left */
}

/* The same with packets doubled, and late by up to five. */
TEST(doubled_and_reordered_packets_press_each_key_once)
{
	enum { KEYS = 2000, ALL = KEYS * PRESS_PACKETS, REACH = 5 };
	struct rng *r = rng_seeded(1);
	uint32_t *order = calloc(ALL, sizeof(*order));
	unsigned char *told = calloc(KEYS, 1);
	struct ear e = {0};

	assert_non_null(order);
	assert_non_null(told);
	for (uint32_t i = 0; i < ALL; i++)
		order[i] = i;
	for (uint32_t i = 0; i + REACH < ALL; i++) {
		uint32_t k = i + rng_below(r, REACH + 1), kept = order[i];

		order[i] = order[k];
		order[k] = kept;
	}
	for (uint32_t i = 0; i < ALL; i++) {
		uint32_t key = order[i] / PRESS_PACKETS;
		struct packet p = packet(key * 1600, "0123456789*#"[key % 12],
					 order[i] % PRESS_PACKETS);

		e.now_ms = (int64_t)i * SLOW_MS / PRESS_PACKETS;
		for (unsigned twice = 0; twice <= rng_below(r, 2); twice++)
			if (hear(&e, &p))
				told[key]++;
	}
	for (uint32_t i = 0; i < KEYS; i++)
		assert_int_equal(told[i], 1);
	free(order);
	free(told);
	rng_free(r);
}

TEST(more_keys_than_a_hand_can_press_are_dropped)
{
	struct ear e = {0};

	for (unsigned i = 0; i < 40; i++) {
		struct packet p = packet(i * 200, '1', 0);

		e.now_ms = (int64_t)i * 25; /* 40 a second */
		(void)hear(&e, &p);
	}
	assert_int_equal(e.count, KEYS_PER_SECOND);
	assert_int_equal(e.keys.dropped, 40 - KEYS_PER_SECOND);

	/* a dropped one does not come back with the next second */
	e.now_ms = 1000;
	press(&e, 39 * 200, '1', 1, 6);
	assert_int_equal(e.count, KEYS_PER_SECOND);
	press(&e, 40 * 200, '1', 0, 6);
	assert_int_equal(e.count, KEYS_PER_SECOND + 1);
}

TEST(events_that_are_no_keys_press_nothing)
{
	struct ear e = {0};
	struct packet p = packet(1000, '1', 0);

	for (unsigned event = 12; event < 256; event++) {
		p.h.ts += 1600;
		p.payload[0] = (uint8_t)event;
		assert_int_equal(hear(&e, &p), '\0');
	}
	assert_int_equal(e.keys.dropped, 256 - 12);
}

TEST(bytes_that_are_no_event_press_nothing)
{
	struct keys k = {0};
	const struct rtp_header h = {.ts = 1};

	assert_int_equal(keys_take(&k, &h, span_make("\1\2\3", 3), 0), '\0');
	assert_int_equal(keys_take(&k, &h, span_make(NULL, 0), 0), '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_event_is_written_and_read_as_the_rfc_draws_it),
		cmocka_unit_test(only_twelve_events_are_keys),
		cmocka_unit_test(every_key_is_told_by_its_name),
		cmocka_unit_test(seven_packets_are_one_key_told_with_the_first),
		cmocka_unit_test(a_lost_marker_loses_no_key),
		cmocka_unit_test(a_lost_start_loses_no_key),
		cmocka_unit_test(a_single_end_is_a_key),
		cmocka_unit_test(the_same_key_twice_with_lost_ends_is_two_keys),
		cmocka_unit_test(
			the_same_key_twice_with_a_lost_marker_is_two_keys),
		cmocka_unit_test(two_keys_whose_packets_cross_are_two_keys),
		cmocka_unit_test(a_key_that_comes_after_the_next_is_still_told),
		cmocka_unit_test(a_packet_of_a_key_long_gone_presses_nothing),
		cmocka_unit_test(timestamps_may_wrap_around),
		cmocka_unit_test(a_sender_that_begins_anew_is_heard),
		cmocka_unit_test(
			another_source_with_the_same_timestamp_is_another_key),
		cmocka_unit_test(a_key_held_for_long_is_one_key),
		cmocka_unit_test(
			of_10000_keys_none_is_told_twice_and_none_unheard),
		cmocka_unit_test(
			doubled_and_reordered_packets_press_each_key_once),
		cmocka_unit_test(more_keys_than_a_hand_can_press_are_dropped),
		cmocka_unit_test(events_that_are_no_keys_press_nothing),
		cmocka_unit_test(bytes_that_are_no_event_press_nothing),
	};

	return cmocka_run_group_tests_name("media/keys", tests, NULL, NULL);
}
