// SPDX-License-Identifier: Apache-2.0
/*
 * test_pump_rtcp.c - reports of both sides, and ends that are told by their
 * absence.
 */
#include <string.h>
#include <time.h>

#include "media/pump_priv.h"
#include "support/test.h"
#include "unit/media/pump_bench.h"

enum {
	SOON_MS = 100, /* in place of PUMP_RTCP_MS */
	LONG_MS = 15 * SOON_MS,
	MANY = 10,
	CNAME_AT_LEAST = 16,
	SDES = 202,
	LOST_US = 599 * 1000, /* told by the millisecond */
	WATCHED_US = 1500 * 1000,
	TOO_LONG_US = 20 * 1000 * 1000,
};

/* A second for a test is five for a call.  Before any stream is made. */
static struct bench *hurried(int64_t rtcp_ms, int64_t lost_ms)
{
	struct bench *b = bench_new("127.0.0.1", 8, 1);

	b->pump->rtcp_ms = rtcp_ms;
	b->pump->lost_ms = lost_ms;
	return b;
}

static struct rtcp_heard last_report(const struct far *f, uint32_t about)
{
	const struct bench_report *r = &f->reports[f->report_count - 1];
	struct rtcp_heard heard = {0};

	assert_int_equal(rtcp_read(span_make(r->bytes, r->n), about, &heard),
			 0);
	return heard;
}

/* The name that the SDES of a compound packet gives, in `out`. */
static void cname(const struct bench_report *r, char out[256])
{
	size_t at = 0;

	while (at + 8 < r->n && r->bytes[at + 1] != SDES)
		at += 4 *
		      ((size_t)(r->bytes[at + 2] << 8 | r->bytes[at + 3]) + 1);
	assert_true(at + 10 < r->n);
	assert_int_equal(r->bytes[at + 8], 1);
	size_t n = r->bytes[at + 9];

	assert_true(at + 10 + n <= r->n);
	memcpy(out, r->bytes + at + 10, n);
	out[n] = '\0';
}

static void report(struct call *c, const struct rtcp_report *r, bool muxed)
{
	uint8_t packet[RTCP_COMPOUND_MAX];
	size_t n = rtcp_write(r, packet);

	far_send(muxed ? c->far->rtp : c->far->rtcp, c, !muxed, packet, n);
}

static uint64_t ntp_now(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
	return rtcp_ntp((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

TEST(a_report_says_what_was_sent_and_heard)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *c = call_connected(b);
	const struct bench_packet *sent;
	struct rtcp_heard heard;
	char first[256], second[256];
	size_t before;

	far_locked(c);
	for (int i = 0; i < MANY; i++)
		far_silence(c->far, c);
	for (int i = 0; i < MANY; i++)
		far_lose(c->far);
	far_silence(c->far, c);
	before = c->far->report_count;
	UNTIL(b, c->far->report_count >= before + 2 && c->far->count > 10);

	heard = last_report(c->far, c->far->next.ssrc);
	sent = &c->far->packets[c->far->count - 1];
	assert_int_equal(heard.ssrc, sent->h.ssrc);
	assert_true(heard.sr && heard.has_block && !heard.bye);
	assert_int_equal(heard.block.lost, MANY);
	assert_int_equal((uint16_t)heard.block.highest,
			 (uint16_t)(c->far->next.seq - 1));
	assert_int_equal(heard.block.last_sr, 0);
	/* within two seconds: 1900, not 1970 */
	assert_true(ntp_now() - heard.ntp < (uint64_t)2 << 32);
	cname(&c->far->reports[0], first);
	cname(&c->far->reports[c->far->report_count - 1], second);
	assert_string_equal(first, second);
	assert_true(strlen(first) >= CNAME_AT_LEAST);
	assert_false(c->far->reports[0].muxed);
}

TEST(nobody_has_anothers_name)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *one = call_connected(b), *two = call_connected(b);
	char names[2][256];

	UNTIL(b, one->far->report_count > 0 && two->far->report_count > 0);
	cname(&one->far->reports[0], names[0]);
	cname(&two->far->reports[0], names[1]);
	assert_string_not_equal(names[0], names[1]);
}

TEST(reports_come_at_no_fixed_beat_about_so_often)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *c = call_connected(b);

	bench_for(b, LONG_MS);

	/* a stream is looked after each 200 ms */
	assert_true(c->far->report_count >= 3);
	assert_true(c->far->report_count <= 15);
}

TEST(while_held_we_report_as_a_listener)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	far.send = false;
	call_connect(c, &far);
	UNTIL(b, c->far->report_count > 0);
	assert_false(last_report(c->far, 0).sr);
	far.send = true;
	call_connect(c, &far);
	UNTIL(b, last_report(c->far, 0).sr);
}

TEST(the_end_is_said)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);

	UNTIL(b, c->far->count > 3);
	call_close(c);
	UNTIL(b, c->far->report_count > 0);

	assert_true(last_report(c->far, 0).bye);
	assert_int_equal(last_report(c->far, 0).ssrc,
			 c->far->packets[0].h.ssrc);
}

TEST(what_they_report_is_counted)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *c = call_connected(b);
	struct rtcp_report r = {.sends = true, .has_block = true};
	size_t before;

	far_locked(c);
	UNTIL(b, c->far->report_count > 0 && c->far->count > 0);
	r.ssrc = c->far->next.ssrc;
	r.ntp = ntp_now();
	r.block.ssrc = c->far->packets[0].h.ssrc;
	r.block.lost = 7;
	r.block.jitter = 16; /* 2 ms */
	r.block.last_sr = (uint32_t)(last_report(c->far, 0).ntp >> 16);
	report(c, &r, false);
	before = c->far->report_count;
	/* ours names theirs */
	UNTIL(b, c->far->report_count > before &&
			 last_report(c->far, r.ssrc).block.last_sr != 0);
	assert_int_equal(last_report(c->far, r.ssrc).block.last_sr,
			 (uint32_t)(r.ntp >> 16));
	assert_true(last_report(c->far, r.ssrc).block.delay < 65536 * 10);
	call_close(c);

	assert_true(c->stats.reported);
	assert_int_equal(c->stats.far_lost, 7);
	assert_int_equal(c->stats.far_jitter_us, 2000);
	assert_true(c->stats.rtt_us > 0 && c->stats.rtt_us < 5 * 1000 * 1000);
}

TEST(reports_and_sound_may_share_a_port)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);
	struct rtcp_report r = {.has_block = true, .bye = true};

	far.rtcp = far.rtp;
	call_connect(c, &far);
	far_locked(c);
	UNTIL(b, c->far->report_count > 0);
	assert_true(c->far->reports[0].muxed);
	r.ssrc = c->far->next.ssrc;
	r.block.ssrc = c->far->packets[0].h.ssrc;
	report(c, &r, true);
	UNTIL(b, call_told(c, PUMP_LOST) == 1);
	call_close(c);
	assert_true(c->stats.reported);
}

TEST(a_goodbye_is_a_loss_of_media_told_once)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct rtcp_report r = {.bye = true};

	far_locked(c);
	r.ssrc = c->far->next.ssrc;
	report(c, &r, false);
	report(c, &r, false);
	UNTIL(b, call_told(c, PUMP_LOST) == 1);
	bench_for(b, 50);
	assert_int_equal(call_told(c, PUMP_LOST), 1);
}

TEST(a_strangers_reports_say_nothing)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct far *stranger = far_new(b);
	struct rtcp_report r = {.bye = true, .has_block = true};
	uint8_t packet[RTCP_COMPOUND_MAX];
	struct pump_figures fig;

	far_locked(c);
	r.ssrc = c->far->next.ssrc;
	r.block.ssrc = c->far->packets[0].h.ssrc;
	size_t n = rtcp_write(&r, packet);

	far_send(stranger->rtcp, c, true, packet, n);
	far_send(stranger->rtp, c, false, packet, n);
	/* and the true end's with another's SSRC */
	r.ssrc++;
	report(c, &r, false);
	UNTIL(b, (pump_figures(b->pump, &fig), fig.strange == 3));
	call_close(c);

	assert_int_equal(call_told(c, PUMP_LOST), 0);
	assert_false(c->stats.reported);
	assert_int_equal(stranger->report_count, 0);
}

TEST(silence_for_long_is_a_loss_of_media)
{
	AUTO(bench) *b = hurried(PUMP_RTCP_MS, 600);
	int64_t began = bench_now_us();
	struct call *silent = call_connected(b), *held = call_new(b);
	struct call *alive = call_connected(b), *reports = call_connected(b);
	struct pump_far far = call_far(held);
	struct rtcp_report r = {.ssrc = reports->far->next.ssrc};

	far.receive = false;
	call_connect(held, &far);
	/* one still speaks, another still reports */
	while (call_told(silent, PUMP_LOST) == 0 ||
	       bench_now_us() - began < WATCHED_US) {
		assert_true(bench_now_us() - began < TOO_LONG_US);
		far_silence(alive->far, alive);
		report(reports, &r, false);
		bench_step(b, 20);
	}

	assert_true(call_event(silent, PUMP_LOST)->at_us - began > LOST_US);
	assert_int_equal(call_told(silent, PUMP_LOST), 1);
	assert_int_equal(call_told(held, PUMP_LOST), 0);
	assert_int_equal(call_told(alive, PUMP_LOST), 0);
	assert_int_equal(call_told(reports, PUMP_LOST), 0);
	/* hold is over: the time begins anew */
	far.receive = true;
	began = bench_now_us();
	call_connect(held, &far);
	UNTIL(b, call_told(held, PUMP_LOST) == 1);
	assert_true(bench_now_us() - began > LOST_US);
}

TEST(reports_go_beside_a_source_that_was_locked)
{
	AUTO(bench) *b = hurried(SOON_MS, PUMP_LOST_MS);
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);
	struct far *named = far_new(b);
	struct rtcp_report r = {.bye = true};
	struct net_list nets = {.count = 0};
	struct net n;
	size_t before;

	assert_int_equal(net_parse("127.0.0.1", &n, NULL), 0);
	assert_int_equal(net_list_add(&nets, &n), 0);
	far.rtp = named->at;
	far.rtcp = named->rtcp_at;
	far.networks = &nets;
	call_connect(c, &far);
	far_locked(c);
	bench_step(b, 0);
	before = named->report_count;
	UNTIL(b, c->far->report_count >= 2);
	assert_int_equal(named->report_count, before);

	r.ssrc = c->far->next.ssrc;
	report(c, &r, false);
	UNTIL(b, call_told(c, PUMP_LOST) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_says_what_was_sent_and_heard),
		cmocka_unit_test(nobody_has_anothers_name),
		cmocka_unit_test(reports_come_at_no_fixed_beat_about_so_often),
		cmocka_unit_test(while_held_we_report_as_a_listener),
		cmocka_unit_test(the_end_is_said),
		cmocka_unit_test(what_they_report_is_counted),
		cmocka_unit_test(reports_and_sound_may_share_a_port),
		cmocka_unit_test(a_goodbye_is_a_loss_of_media_told_once),
		cmocka_unit_test(a_strangers_reports_say_nothing),
		cmocka_unit_test(silence_for_long_is_a_loss_of_media),
		cmocka_unit_test(reports_go_beside_a_source_that_was_locked),
	};

	return cmocka_run_group_tests_name("media/pump_rtcp", tests, NULL,
					   NULL);
}
