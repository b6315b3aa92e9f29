// SPDX-License-Identifier: Apache-2.0
/*
 * test_pump_press.c - keys that a pump presses: events where the far end takes
 * them (RFC 4733), tones where it does not.
 */
#include "media/pump.h"

#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "unit/media/pump_bench.h"

enum {
	KEY_MS = 100,
	HELD = KEY_MS / CLIP_FRAME_MS, /* packets, the last of them an end */
	ENDS = 3,
	OF_A_KEY = HELD + ENDS - 1,
};

static struct playlist *pressed(const char *keys)
{
	struct playlist *p = playlist_new();

	assert_int_equal(playlist_silence(p, 60), 0);
	for (; *keys; keys++) {
		assert_int_equal(playlist_key(p, *keys, KEY_MS), 0);
		assert_int_equal(playlist_silence(p, KEY_MS), 0);
	}
	return p;
}

static struct call *press(struct bench *b, struct playlist *p, unsigned keys,
			  unsigned ptime_ms)
{
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	far.keys = keys;
	far.ptime_ms = ptime_ms;
	call_connect(c, &far);
	assert_int_equal(pump_stream_play(c->s, p, 7), 0);
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);
	return c;
}

static struct keys_event event_of(const struct bench_packet *p)
{
	struct keys_event e;

	assert_int_equal(p->n, KEYS_EVENT_BYTES);
	assert_int_equal(keys_event_read(span_make(p->sound, p->n), &e), 0);
	return e;
}

/* The seven packets of a key, from `at` on. */
static void is_key(const struct bench_packet *at, char key)
{
	for (size_t i = 0; i < OF_A_KEY; i++) {
		struct keys_event e = event_of(&at[i]);
		size_t ticks = i < HELD ? i + 1 : HELD;

		assert_int_equal(at[i].h.pt, RTP_PT_EVENT);
		assert_int_equal(at[i].h.ts, at[0].h.ts);
		assert_int_equal(at[i].h.ssrc, at[0].h.ssrc);
		assert_int_equal(at[i].h.seq, (uint16_t)(at[0].h.seq + i));
		assert_int_equal(at[i].h.marker, i == 0);
		assert_int_equal(e.event, keys_pad_event(key));
		assert_int_equal(e.duration, ticks * CLIP_FRAME_BYTES);
		assert_int_equal(e.end, i >= HELD - 1);
	}
}

/* The next one of an event, or the last of all. */
static size_t next_event(const struct far *f, size_t at)
{
	while (at < f->count && f->packets[at].h.pt != RTP_PT_EVENT)
		at++;
	return at;
}

static bool stalled(const struct bench *b)
{
	struct pump_figures fig;

	pump_figures(b->pump, &fig);
	return fig.skipped > 0;
}

TEST(each_key_is_held_and_ends_three_times)
{
	static const char keys[] = "1A#0*D";
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = pressed(keys);
	const struct far *f = press(b, p, PUMP_KEYS_EVENTS, 20)->far;
	size_t at = 0;

	for (const char *key = keys; *key; key++, at += OF_A_KEY) {
		at = next_event(f, at);
		assert_true(at > 0 && at + OF_A_KEY < f->count);
		is_key(&f->packets[at], *key);
		/* sound begins anew behind it, in its own time */
		assert_true(f->packets[at + OF_A_KEY].h.marker);
		assert_true(
			far_is_silent(&f->packets[at + OF_A_KEY], G711_PCMU));
		if (stalled(b))
			continue;
		assert_int_equal(f->packets[at].h.ts,
				 f->packets[at - 1].h.ts + CLIP_FRAME_BYTES);
		assert_int_equal(f->packets[at + OF_A_KEY].h.ts,
				 f->packets[at].h.ts +
					 OF_A_KEY * CLIP_FRAME_BYTES);
	}
	assert_int_equal(next_event(f, at), f->count);
}

TEST(a_far_end_hears_each_key_once)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = pressed("11*9#");
	const struct far *f = press(b, p, PUMP_KEYS_EVENTS, 20)->far;
	struct keys heard = {0};
	char text[8] = "";

	for (size_t i = 0; i < f->count; i++) {
		const struct bench_packet *packet = &f->packets[i];
		char key = '\0';

		if (packet->h.pt == RTP_PT_EVENT)
			key = keys_take(&heard, &packet->h,
					span_make(packet->sound, packet->n),
					(int64_t)i * CLIP_FRAME_MS);
		if (key)
			strncat(text, &key, 1);
	}

	assert_string_equal(text, "11*9#");
}

TEST(long_packets_make_way_for_events)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = pressed("27");
	const struct far *f = press(b, p, PUMP_KEYS_EVENTS, 60)->far;
	size_t first = next_event(f, 0), second;

	assert_true(first + OF_A_KEY < f->count);
	second = next_event(f, first + OF_A_KEY);
	assert_true(second + OF_A_KEY <= f->count);

	is_key(&f->packets[first], '2');
	is_key(&f->packets[second], '7');
	assert_int_equal(f->packets[first + OF_A_KEY].n, 3 * CLIP_FRAME_BYTES);
}

TEST(who_takes_no_events_hears_tones)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = pressed("5#05");
	const struct far *f = press(b, p, PUMP_KEYS_NONE, 20)->far;
	AUTO(keys_tones) *ear = keys_tones_new();
	char text[16] = "", some[9];

	for (size_t i = 0; i < f->count; i++) {
		assert_int_equal(f->packets[i].h.pt, RTP_PT_PCMU);
		keys_tones_take(ear, G711_PCMU,
				span_make(f->packets[i].sound, f->packets[i].n),
				some);
		strncat(text, some, sizeof(text) - strlen(text) - 1);
	}

	assert_string_equal(text, "5#05");
	assert_true(far_find(f, p, G711_PCMU) != SIZE_MAX);
}

TEST(a_key_that_is_broken_off_ends_as_well)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = playlist_new();
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);
	size_t at, last;

	assert_int_equal(playlist_key(p, '8', 5000), 0);
	call_connect(c, &far);
	assert_int_equal(pump_stream_play(c->s, p, 1), 0);
	UNTIL(b, next_event(c->far, 0) + 3 < c->far->count);
	pump_stream_stop(c->s);
	UNTIL(b, c->far->packets[c->far->count - 1].h.pt == RTP_PT_PCMU);

	at = next_event(c->far, 0);
	for (last = at; c->far->packets[last].h.pt == RTP_PT_EVENT; last++)
		assert_int_equal(c->far->packets[last].h.ts,
				 c->far->packets[at].h.ts);
	for (size_t i = at; i < last; i++)
		assert_int_equal(event_of(&c->far->packets[i]).end,
				 i + ENDS >= last);
	assert_int_equal(call_told(c, PUMP_PLAYED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_is_held_and_ends_three_times),
		cmocka_unit_test(a_far_end_hears_each_key_once),
		cmocka_unit_test(long_packets_make_way_for_events),
		cmocka_unit_test(who_takes_no_events_hears_tones),
		cmocka_unit_test(a_key_that_is_broken_off_ends_as_well),
	};

	return cmocka_run_group_tests_name("media/pump_press", tests, NULL,
					   NULL);
}
