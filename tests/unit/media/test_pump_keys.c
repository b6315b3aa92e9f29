// SPDX-License-Identifier: Apache-2.0
/*
 * test_pump_keys.c - keys through a pump: each once, whatever the network does
 * to its packets, and when it was pressed (C7).
 */
#include "media/pump.h"

#include <math.h>
#include <string.h>

#include "support/test.h"
#include "unit/media/pump_bench.h"

static const char all[] = "0123456789*#";

enum {
	LOSSES = 3,
	SEEDS = 8,
	ROUTES = LOSSES * SEEDS, /* calls at once */
	SCRIPT_MAX = 512,
	PACKET_MAX = RTP_HEADER_BYTES + CLIP_FRAME_BYTES,
	EVENT_PACKETS = 8, /* 5 while it is held, 3 that it has ended */
	BETWEEN = 6,       /* frames of speech between keys */
	AT_ONCE = 4,       /* packets sent for each that comes */
};

/* --- a network that loses, doubles and mixes up ---------------------------------- */

struct script {
	struct {
		uint8_t bytes[PACKET_MAX];
		size_t n;
	} packets[SCRIPT_MAX];
	size_t count, sent;
	char keys[sizeof(all)]; /* of which anything arrives */
};

/* One packet of the true far end: what of it is still there, in which place. */
static void pass(struct script *s, struct rng *r, unsigned percent,
		 const uint8_t *packet, size_t n)
{
	unsigned copies = 1 + (rng_below(r, 100) < percent);

	if (rng_below(r, 100) < percent)
		return;
	for (; copies > 0; copies--) {
		size_t at = s->count++;

		assert_true(at < SCRIPT_MAX);
		memcpy(s->packets[at].bytes, packet, n);
		s->packets[at].n = n;
		/* late: others that were sent after it are in front */
		if (at > 3 && rng_below(r, 100) < percent) {
			size_t other = at - 1 - rng_below(r, 3);
			uint8_t moved[sizeof(s->packets[0])];

			memcpy(moved, &s->packets[at], sizeof(moved));
			memcpy(&s->packets[at], &s->packets[other],
			       sizeof(moved));
			memcpy(&s->packets[other], moved, sizeof(moved));
		}
	}
}

static void speech(struct script *s, struct rng *r, unsigned percent,
		   struct rtp_header *h, unsigned frames)
{
	uint8_t packet[PACKET_MAX];

	for (; frames > 0; frames--) {
		h->pt = RTP_PT_PCMU;
		rtp_write(h, packet);
		memset(packet + RTP_HEADER_BYTES, 0x55, CLIP_FRAME_BYTES);
		pass(s, r, percent, packet, sizeof(packet));
		h->seq++;
		h->ts += CLIP_FRAME_BYTES;
	}
}

static void press(struct script *s, struct rng *r, unsigned percent,
		  struct rtp_header *h, char key)
{
	uint8_t packet[RTP_HEADER_BYTES + KEYS_EVENT_BYTES];
	struct keys_event e = {.event = (uint8_t)keys_key_event(key),
			       .volume = 10};
	size_t before = s->count;

	h->pt = RTP_PT_EVENT;
	for (unsigned i = 0; i < EVENT_PACKETS; i++) {
		e.end = i >= EVENT_PACKETS - 3;
		if (i < EVENT_PACKETS - 2)
			e.duration = (uint16_t)(e.duration + CLIP_FRAME_BYTES);
		rtp_write(h, packet);
		keys_event_write(&e, packet + RTP_HEADER_BYTES);
		pass(s, r, percent, packet, sizeof(packet));
		h->seq++;
	}
	h->ts += e.duration;
	if (s->count > before)
		strncat(s->keys, &key, 1);
}

static void write_script(struct script *s, struct rtp_header *h,
			 unsigned percent, uint32_t seed)
{
	AUTO(rng) *r = rng_seeded(seed);

	/* a source is known once it was heard */
	speech(s, r, 0, h, 5);
	for (const char *key = all; *key; key++) {
		press(s, r, percent, h, *key);
		speech(s, r, percent, h, BETWEEN);
	}
}

static void go_on(struct script *s, struct call *c)
{
	size_t allowed = AT_ONCE * c->far->count;

	while (s->sent < s->count && s->sent < allowed) {
		far_send(c->far->rtp, c, false, s->packets[s->sent].bytes,
			 s->packets[s->sent].n);
		s->sent++;
	}
}

static bool all_sent(struct bench *b, struct script *scripts)
{
	bool all_done = true;

	for (size_t i = 0; i < ROUTES; i++) {
		go_on(&scripts[i], &b->calls[i]);
		all_done = all_done && scripts[i].sent == scripts[i].count;
	}
	return all_done;
}

TEST(each_key_comes_once_through_loss_doubling_and_disorder)
{
	static const unsigned percents[LOSSES] = {10, 20, 40};
	static struct script scripts[ROUTES];
	AUTO(bench) *b = bench_new("127.0.0.1", ROUTES, 4);
	AUTO(playlist) *p = bench_playlist(1, 60);
	char keys[BENCH_EVENTS + 1];
	size_t whole = 0;

	for (size_t i = 0; i < ROUTES; i++) {
		struct call *c = call_connected(b);

		write_script(&scripts[i], &c->far->next, percents[i / SEEDS],
			     (uint32_t)i);
		assert_int_equal(pump_stream_play(c->s, p, 1), 0);
	}
	UNTIL(b, all_sent(b, scripts));
	UNTIL(b, bench_told(b, PUMP_PLAYED) == ROUTES);

	for (size_t i = 0; i < ROUTES; i++) {
		struct call *c = &b->calls[i];

		(void)call_keys(c, keys);
		assert_string_equal(keys, scripts[i].keys);
		whole += strcmp(keys, all) == 0;
		assert_true(far_find(c->far, p, G711_PCMU) != SIZE_MAX);
	}
	/* all eight packets of a key are hardly ever lost */
	assert_true(whole >= ROUTES - 2);
}

/* --- when --------------------------------------------------------------------------- */

TEST(a_key_says_how_much_had_been_played)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(playlist) *p = bench_playlist(2, 100);
	struct call *c = call_connected(b);
	size_t silent;

	far_locked(c);
	assert_int_equal(pump_stream_play(c->s, p, 42), 0);
	UNTIL(b,
	      !far_is_silent(&c->far->packets[c->far->count - 1], G711_PCMU));
	silent = 0;
	while (far_is_silent(&c->far->packets[silent], G711_PCMU))
		silent++;

	for (size_t i = 0; i < 2; i++) {
		const struct bench_event *ev = &c->events[c->count];
		size_t least;

		UNTIL(b, c->far->count > silent + 20 + 30 * i);
		least = c->far->count - silent;
		far_key(c->far, c, '1');
		UNTIL(b, call_told(c, PUMP_KEY) == i + 1);
		bench_step(b, 0);

		/* what had come when it was sent, and when it was told */
		assert_int_equal(ev->kind, PUMP_KEY);
		assert_int_equal(ev->play_id, 42);
		assert_true(ev->played_ms >= least * 20);
		assert_true(ev->played_ms <= (c->far->count - silent) * 20);
	}
	UNTIL(b, call_told(c, PUMP_PLAYED) > 0);
	far_key(c->far, c, '0');
	UNTIL(b, call_told(c, PUMP_KEY) == 3);
	assert_int_equal(c->events[c->count - 1].play_id, 42);
	assert_int_equal(c->events[c->count - 1].played_ms, 100 * 20);
}

TEST(a_key_that_is_the_first_thing_heard_counts)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);

	far_key(c->far, c, '8');
	UNTIL(b, call_told(c, PUMP_KEY) == 1);

	assert_int_equal(call_event(c, PUMP_KEY)->key, '8');
	assert_int_equal(call_event(c, PUMP_KEY)->play_id, 0);
}

TEST(keys_are_not_heard_where_they_were_not_asked_for)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	far.keys = PUMP_KEYS_NONE;
	call_connect(c, &far);
	far_locked(c);
	far_key(c->far, c, '1');
	/* nor while the far end holds us */
	far.keys = PUMP_KEYS_EVENTS;
	far.receive = false;
	call_connect(c, &far);
	bench_for(b, 30);
	far_key(c->far, c, '2');
	bench_for(b, 30);
	far.receive = true;
	call_connect(c, &far);
	bench_for(b, 30);
	far_key(c->far, c, '3');
	UNTIL(b, call_told(c, PUMP_KEY) > 0);

	assert_int_equal(call_told(c, PUMP_KEY), 1);
	assert_int_equal(call_event(c, PUMP_KEY)->key, '3');
}

TEST(so_many_keys_a_second_and_no_more)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);

	far_locked(c);
	for (int i = 0; i < 3 * KEYS_PER_SECOND; i++) {
		far_key(c->far, c, (char)('0' + i % 10));
		far_silence(c->far, c);
	}
	bench_for(b, 300);
	assert_int_equal(call_told(c, PUMP_KEY), KEYS_PER_SECOND);
	bench_for(b, 1000);
	far_key(c->far, c, '#');
	UNTIL(b, call_told(c, PUMP_KEY) == KEYS_PER_SECOND + 1);
}

/* --- in the sound ---------------------------------------------------------------------- */

static void tone(struct call *c, double low, double high, int frames)
{
	uint8_t frame[CLIP_FRAME_BYTES];

	for (int n = 0; n < frames; n++) {
		for (int i = 0; i < CLIP_FRAME_BYTES; i++) {
			double t = (double)(n * CLIP_FRAME_BYTES + i) / RTP_HZ;
			double v = 6000 * (sin(2 * M_PI * low * t) +
					   sin(2 * M_PI * high * t));

			frame[i] = g711_encode(G711_PCMU, (int16_t)v);
		}
		far_say(c->far, c, RTP_PT_PCMU, frame, sizeof(frame));
	}
	for (int n = 0; n < frames; n++)
		far_silence(c->far, c);
}

TEST(tones_are_keys_for_those_who_ask)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 2);
	struct call *c = call_new(b), *deaf = call_connected(b);
	struct pump_far far = call_far(c);

	far.keys = PUMP_KEYS_TONES;
	call_connect(c, &far);
	far_locked(c);
	far_locked(deaf);
	tone(deaf, 770, 1336, 6);
	tone(c, 770, 1336, 6);
	tone(c, 941, 1477, 6);
	far_key(deaf->far, deaf, '0');
	UNTIL(b, call_told(c, PUMP_KEY) == 2 && call_told(deaf, PUMP_KEY) > 0);

	char keys[BENCH_EVENTS + 1];

	(void)call_keys(c, keys);
	assert_string_equal(keys, "5#");
	(void)call_keys(deaf, keys);
	assert_string_equal(keys, "0");
}

TEST(a_far_end_that_sends_both_is_heard_once)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);
	char keys[BENCH_EVENTS + 1];

	far.keys = PUMP_KEYS_EVENTS | PUMP_KEYS_TONES;
	call_connect(c, &far);
	far_locked(c);
	far_key(c->far, c, '5');
	tone(c, 770, 1336, 6);
	far_key(c->far, c, '6');
	tone(c, 770, 1477, 6);
	far_key(c->far, c, '7');
	UNTIL(b, call_told(c, PUMP_KEY) >= 3);
	bench_for(b, 30);

	(void)call_keys(c, keys);
	assert_string_equal(keys, "567");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_key_comes_once_through_loss_doubling_and_disorder),
		cmocka_unit_test(a_key_says_how_much_had_been_played),
		cmocka_unit_test(a_key_that_is_the_first_thing_heard_counts),
		cmocka_unit_test(
			keys_are_not_heard_where_they_were_not_asked_for),
		cmocka_unit_test(so_many_keys_a_second_and_no_more),
		cmocka_unit_test(tones_are_keys_for_those_who_ask),
		cmocka_unit_test(a_far_end_that_sends_both_is_heard_once),
	};

	return cmocka_run_group_tests_name("media/pump_keys", tests, NULL,
					   NULL);
}
