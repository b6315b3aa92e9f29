// SPDX-License-Identifier: Apache-2.0
/*
 * test_pump.c - what a pump sends, when, and what it tells of it.
 */
#include "media/pump_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "unit/media/pump_bench.h"

enum { SOON_MS = 40, LOOSE_MS = 250 };

static int64_t us(int64_t ms)
{
	return ms * 1000;
}

static void assert_steady(const struct far *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct rtp_header *h = &f->packets[i].h;
		const struct rtp_header *first = &f->packets[0].h;

		assert_int_equal(h->ssrc, first->ssrc);
		assert_int_equal(h->seq, (uint16_t)(first->seq + i));
	}
}

/* Machines stall, and then a gap is right: only then. */
static void assert_timed(const struct bench *b, const struct far *f,
			 uint32_t step)
{
	struct pump_figures fig;

	pump_figures(b->pump, &fig);
	if (fig.skipped > 0)
		return;
	for (size_t i = 1; i < f->count; i++) {
		assert_int_equal(f->packets[i].h.ts - f->packets[i - 1].h.ts,
				 step);
		assert_false(f->packets[i].h.marker);
	}
	assert_true(f->packets[0].h.marker);
}

static void plays(const char *host, enum g711_codec codec)
{
	AUTO(bench) *b = bench_new(host, 4, 2);
	AUTO(playlist) *p = bench_playlist(1, 40);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	far.codec = codec;
	far.audio_pt = codec == G711_PCMU ? RTP_PT_PCMU : RTP_PT_PCMA;
	call_connect(c, &far);
	UNTIL(b, c->far->count >= 3);
	assert_int_equal(pump_stream_play(c->s, p, 7), 0);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0 && c->far->count >= 50);

	size_t at = far_find(c->far, p, codec);

	assert_int_equal(call_event(c, PUMP_PLAYED)->play_id, 7);
	assert_true(at >= 3 && at != SIZE_MAX);
	for (size_t i = 0; i < c->far->count; i++) {
		const struct bench_packet *packet = &c->far->packets[i];

		assert_int_equal(packet->h.pt, far.audio_pt);
		assert_int_equal(packet->n, CLIP_FRAME_BYTES);
		assert_int_equal(net_port(&packet->from),
				 pump_stream_port(c->s));
		assert_int_equal(far_is_silent(packet, codec),
				 i < at || i >= at + 40);
	}
	assert_steady(c->far);
	assert_timed(b, c->far, CLIP_FRAME_BYTES);
}

TEST(played_frames_are_the_clips_in_pcmu)
{
	plays("127.0.0.1", G711_PCMU);
}

TEST(played_frames_are_the_clips_in_pcma)
{
	plays("127.0.0.1", G711_PCMA);
}

TEST(the_same_goes_by_ipv6)
{
	if (bench_has("::1"))
		plays("::1", G711_PCMA);
}

TEST(silence_comes_within_40_ms_of_the_answer)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 20, 2);
	int64_t best = INT64_MAX;

	/* one of a few: others use this machine too */
	for (int i = 0; i < 10 && best > us(SOON_MS); i++) {
		struct call *c = call_new(b);
		struct pump_far far = call_far(c);
		int64_t began = bench_now_us();

		call_connect(c, &far);
		UNTIL(b, c->far->count >= 1);
		if (c->far->packets[0].at_us - began < best)
			best = c->far->packets[0].at_us - began;
		assert_true(far_is_silent(&c->far->packets[0], G711_PCMU));
	}

	assert_true(best <= us(SOON_MS));
}

TEST(the_end_of_a_list_is_told_when_it_has_been_heard)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(2, 25);
	struct call *c = call_connected(b);

	assert_int_equal(pump_stream_play(c->s, p, 1), 0);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);

	size_t at = far_find(c->far, p, G711_PCMU);

	assert_true(at != SIZE_MAX);
	int64_t took =
		call_event(c, PUMP_PLAYED)->at_us - c->far->packets[at].at_us;

	assert_true(took > us(480));
	assert_true(took < us(500 + LOOSE_MS));
	assert_int_equal(call_told(c, PUMP_BEGAN), 1);
	assert_int_equal(c->events[0].kind, PUMP_BEGAN);
}

TEST(what_was_replaced_or_stopped_has_no_end)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *first = bench_playlist(3, 500);
	AUTO(playlist) *second = bench_playlist(4, 5);
	AUTO(playlist) *third = bench_playlist(5, 500);
	struct call *c = call_connected(b);

	assert_int_equal(pump_stream_play(c->s, first, 1), 0);
	UNTIL(b, c->far->count >= 5);
	assert_int_equal(pump_stream_play(c->s, second, 2), 0);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);
	assert_int_equal(pump_stream_play(c->s, third, 3), 0);
	UNTIL(b,
	      !far_is_silent(&c->far->packets[c->far->count - 1], G711_PCMU));
	pump_stream_stop(c->s);
	UNTIL(b, far_is_silent(&c->far->packets[c->far->count - 1], G711_PCMU));

	assert_int_equal(call_told(c, PUMP_PLAYED), 1);
	assert_int_equal(call_event(c, PUMP_PLAYED)->play_id, 2);
	assert_true(far_find(c->far, second, G711_PCMU) != SIZE_MAX);
}

TEST(the_same_id_twice_ends_twice)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(6, 2);
	struct call *c = call_connected(b);

	for (size_t i = 1; i <= 3; i++) {
		assert_int_equal(pump_stream_play(c->s, p, 9), 0);
		UNTIL(b, call_told(c, PUMP_PLAYED) == i);
	}
}

TEST(an_empty_list_ends_too)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = playlist_new();
	struct call *c = call_connected(b);

	assert_int_equal(pump_stream_play(c->s, p, 5), 0);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);

	assert_int_equal(call_event(c, PUMP_PLAYED)->play_id, 5);
}

TEST(two_frames_in_a_packet_where_that_was_agreed_on)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(7, 10);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	far.ptime_ms = 40;
	call_connect(c, &far);
	assert_int_equal(pump_stream_play(c->s, p, 1), 0);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0 && c->far->count >= 10);

	assert_true(far_find(c->far, p, G711_PCMU) != SIZE_MAX);
	assert_int_equal(c->far->packets[0].n, 2 * CLIP_FRAME_BYTES);
	assert_steady(c->far);
	assert_timed(b, c->far, 2 * CLIP_FRAME_BYTES);
	int64_t took = c->far->packets[9].at_us - c->far->packets[0].at_us;

	assert_true(took > us(360 - LOOSE_MS));
}

TEST(a_held_stream_is_silent_and_goes_on_where_it_was)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(8, 30);
	struct call *c = call_connected(b);
	struct pump_far far = call_far(c);
	size_t before;

	assert_int_equal(pump_stream_play(c->s, p, 1), 0);
	UNTIL(b, c->far->count >= 10);
	far.send = false;
	call_connect(c, &far);
	bench_for(b, 60);
	before = c->far->count;
	bench_for(b, 200);
	assert_int_equal(c->far->count, before);
	far.send = true;
	call_connect(c, &far);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);

	const struct bench_packet *resumed = &c->far->packets[before];
	uint32_t gap = resumed->h.ts - resumed[-1].h.ts;

	assert_true(far_find(c->far, p, G711_PCMU) != SIZE_MAX);
	assert_true(resumed->h.marker);
	assert_true(gap >= 200 * 8 && gap % CLIP_FRAME_BYTES == 0);
	assert_int_equal(resumed->h.seq, (uint16_t)(resumed[-1].h.seq + 1));
}

TEST(an_address_of_zeros_is_a_hold)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	assert_int_equal(net_address("0.0.0.0", 4000, &far.rtp), 0);
	call_connect(c, &far);
	bench_for(b, 100);
	assert_int_equal(call_told(c, PUMP_BEGAN), 0);

	far = call_far(c);
	call_connect(c, &far);
	UNTIL(b, c->far->count > 0);
}

TEST(what_cannot_be_played_to_is_refused)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(9, 1);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	assert_int_equal(pump_stream_play(c->s, p, 1), -ENOTCONN);
	far.ptime_ms = 30;
	assert_int_equal(pump_stream_connect(c->s, &far), -EINVAL);
	far.ptime_ms = 80;
	assert_int_equal(pump_stream_connect(c->s, &far), -EINVAL);
	far.ptime_ms = 20;
	assert_int_equal(net_address("[::1]:4000", 0, &far.rtp), 0);
	assert_int_equal(pump_stream_connect(c->s, &far), -EAFNOSUPPORT);
	assert_int_equal(net_address("239.0.0.1:4000", 0, &far.rtp), 0);
	assert_int_equal(pump_stream_connect(c->s, &far), -EAFNOSUPPORT);
	pump_stream_stop(c->s);
	call_close(c);
}

TEST(two_hundred_at_once_are_each_told_their_own)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 200, 16);
	struct playlist *p[200];

	for (uint32_t i = 0; i < 200; i++) {
		struct call *c = call_connected(b);

		p[i] = bench_playlist(100 + i, 20 + i % 7);
		assert_int_equal(pump_stream_play(c->s, p[i], i), 0);
	}
	UNTIL(b, bench_told(b, PUMP_PLAYED) == 200);

	for (uint32_t i = 0; i < 200; i++) {
		struct call *c = &b->calls[i];

		assert_true(far_find(c->far, p[i], G711_PCMU) != SIZE_MAX);
		assert_int_equal(call_event(c, PUMP_PLAYED)->play_id, i);
		assert_steady(c->far);
		playlist_unref(p[i]);
	}
}

TEST(an_end_is_told_once_whenever_it_comes)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 64, 4);
	AUTO(playlist) *p = bench_playlist(10, 3);

	for (int i = 0; i < 64; i++) {
		struct call *c = i % 8 == 7 ? call_new(b) : call_connected(b);

		if (i % 2)
			(void)!pump_stream_play(c->s, p, 1);
		if (i % 4 == 3)
			pump_stream_stop(c->s);
		if (i % 3)
			bench_step(b, i % 5);
		pump_stream_close(c->s);
		pump_stream_close(c->s);
		assert_int_equal(pump_stream_play(c->s, p, 1), -ENOTCONN);
	}
	UNTIL(b, bench_told(b, PUMP_CLOSED) == 64);

	struct pump_figures fig;

	pump_figures(b->pump, &fig);
	assert_int_equal(fig.streams, 0);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(call_told(&b->calls[i], PUMP_CLOSED), 1);
}

TEST(nothing_is_sent_after_the_end_and_what_was_is_counted)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct pump_figures fig;
	size_t count;

	UNTIL(b, c->far->count >= 10);
	call_close(c);
	bench_step(b, 0);
	count = c->far->count;
	bench_for(b, 100);

	assert_int_equal(c->far->count, count);
	assert_int_equal(c->stats.sent, count);
	assert_int_equal(c->stats.received, 0);
	assert_false(c->stats.reported);
	pump_figures(b->pump, &fig);
	assert_int_equal(fig.packets_sent, count);
}

TEST(what_is_overdue_is_a_pause_and_not_a_heap)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(11, 40);
	struct call *c = call_connected(b);
	struct pump_figures fig;
	size_t late = 0;

	assert_int_equal(pump_stream_play(c->s, p, 1), 0);
	UNTIL(b, c->far->count >= 10);
	/* a key makes the pump post, and then it stands still */
	far_locked(c);
	atomic_store(&b->stall_ms, 300);
	far_key(c->far, c, '1');
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);
	pump_figures(b->pump, &fig);
	call_close(c);

	assert_true(fig.skipped >= 300 / 20 - PUMP_LATE_MS / 20);
	assert_int_equal(c->stats.skipped, fig.skipped);
	assert_true(c->stats.late_us_max <= us(PUMP_LATE_MS + LOOSE_MS));
	/* nothing is missing, and nothing was made up for */
	assert_true(far_find(c->far, p, G711_PCMU) != SIZE_MAX);
	assert_steady(c->far);
	for (size_t i = 1; i < c->far->count; i++) {
		const struct bench_packet *at = &c->far->packets[i];
		uint32_t gap = at->h.ts - at[-1].h.ts;

		assert_int_equal(gap % CLIP_FRAME_BYTES, 0);
		assert_int_equal(at->h.marker, gap > CLIP_FRAME_BYTES);
		late += gap / CLIP_FRAME_BYTES - 1;
	}
	assert_int_equal(late, fig.skipped);
}

TEST(a_pump_that_is_behind_takes_no_more)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct pump_stream *s;
	struct pump_figures fig;

	UNTIL(b, c->far->count > 0);
	call_close(c);
	/* as it is after phases that took more than half their time */
	bench_for(b, 20);
	atomic_store(&b->pump->full, true);
	assert_int_equal(pump_stream_new(b->pump, NULL, NULL, &s), -EBUSY);
	pump_figures(b->pump, &fig);
	assert_true(fig.full);
	assert_int_equal(fig.streams, 0);
	atomic_store(&b->pump->full, false);
}

TEST(the_end_is_said_even_when_the_pump_goes_at_once)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);

	UNTIL(b, c->far->count > 3);
	pump_stream_close(c->s);
	c->s = NULL;
	pump_free(b->pump);
	b->pump = NULL;
	UNTIL(b, c->far->report_count > 0);
}

TEST(there_are_so_many_streams_and_no_more)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 3, 1);
	struct pump_stream *s;

	for (int i = 0; i < 3; i++)
		(void)call_new(b);
	assert_int_equal(pump_stream_new(b->pump, NULL, NULL, &s), -EBUSY);
	call_close(&b->calls[1]);
	(void)call_connected(b);
	UNTIL(b, b->calls[3].far->count > 0);
}

TEST(a_port_in_use_is_named)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 1, 2);
	struct call *c = call_new(b);
	unsigned taken = pump_stream_port(c->s);
	struct pump_params params = {.listen = "127.0.0.1",
				     .port_min = taken,
				     .port_max = taken + 1,
				     .streams_max = 1,
				     .loop = b->loop,
				     .rng = b->rng};
	struct pump *p = NULL;
	struct diag d = {0};
	char number[8];

	assert_int_equal(pump_new(&params, &p, &d), -EADDRINUSE);
	assert_null(p);
	(void)snprintf(number, sizeof(number), "%u", taken);
	assert_non_null(strstr(d.message, number));
	assert_non_null(strstr(d.message, "127.0.0.1"));
}

TEST(settings_that_make_no_sense_are_refused)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 1, 1);
	struct pump_params params = {.listen = "nowhere",
				     .port_min = 14000,
				     .port_max = 14001,
				     .streams_max = 1,
				     .loop = b->loop,
				     .rng = b->rng};
	struct pump *p = NULL;

	assert_int_equal(pump_new(&params, &p, NULL), -EINVAL);
	params.listen = "127.0.0.1";
	params.port_max = params.port_min; /* no place for RTCP */
	assert_int_equal(pump_new(&params, &p, NULL), -EINVAL);
	params.port_max = 70000;
	assert_int_equal(pump_new(&params, &p, NULL), -EINVAL);
	params.port_max = 14001;
	params.streams_max = 0;
	assert_int_equal(pump_new(&params, &p, NULL), -EINVAL);
	params.streams_max = PUMP_STREAMS_MAX + 1;
	assert_int_equal(pump_new(&params, &p, NULL), -EINVAL);
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(played_frames_are_the_clips_in_pcmu),
		cmocka_unit_test(played_frames_are_the_clips_in_pcma),
		cmocka_unit_test(the_same_goes_by_ipv6),
		cmocka_unit_test(silence_comes_within_40_ms_of_the_answer),
		cmocka_unit_test(
			the_end_of_a_list_is_told_when_it_has_been_heard),
		cmocka_unit_test(what_was_replaced_or_stopped_has_no_end),
		cmocka_unit_test(the_same_id_twice_ends_twice),
		cmocka_unit_test(an_empty_list_ends_too),
		cmocka_unit_test(
			two_frames_in_a_packet_where_that_was_agreed_on),
		cmocka_unit_test(
			a_held_stream_is_silent_and_goes_on_where_it_was),
		cmocka_unit_test(an_address_of_zeros_is_a_hold),
		cmocka_unit_test(what_cannot_be_played_to_is_refused),
		cmocka_unit_test(two_hundred_at_once_are_each_told_their_own),
		cmocka_unit_test(an_end_is_told_once_whenever_it_comes),
		cmocka_unit_test(
			nothing_is_sent_after_the_end_and_what_was_is_counted),
		cmocka_unit_test(what_is_overdue_is_a_pause_and_not_a_heap),
		cmocka_unit_test(a_pump_that_is_behind_takes_no_more),
		cmocka_unit_test(
			the_end_is_said_even_when_the_pump_goes_at_once),
		cmocka_unit_test(there_are_so_many_streams_and_no_more),
		cmocka_unit_test(a_port_in_use_is_named),
		cmocka_unit_test(settings_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests_name("media/pump", tests, NULL, NULL);
}
