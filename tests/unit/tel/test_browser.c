// SPDX-License-Identifier: Apache-2.0
/*
 * test_browser.c - a page as a telephone, with pages that are made of structs.
 */
#include "tel/browser.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/test.h"

enum { EVENTS_MAX = 512, PAGES = 3, RING_LIMIT_MS = 28000, WAV_MAX = 4 << 20 };

/* A page: what it was told, and the last of each that a test asks for. */
struct fake_page {
	char session[TEL_BROWSER_ID_BYTES];
	char told[EVENTS_MAX][16]; /* names of events */
	size_t count;
	char json[TEL_BROWSER_EVENT_MAX]; /* of the last one */
	char call[TEL_BROWSER_ID_BYTES];  /* of the last one that had one */
};

static struct bench {
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct tel *tel;
	struct tel_browser *phone;
	struct tel_call *call;
	struct tel_event seen[EVENTS_MAX];
	size_t count;
	bool closes;
	struct fake_page pages[PAGES];
} bench;

static void on_event(const struct tel_event *ev, void *ctx)
{
	(void)ctx;
	assert_true(bench.count < EVENTS_MAX);
	bench.seen[bench.count++] = *ev;
	if (bench.closes) {
		tel_call_close(bench.call);
		bench.call = NULL;
	}
}

static void on_send(const char *event, const char *json, void *ctx)
{
	struct fake_page *p = ctx;
	AUTO_JSON json_t *o = NULL;
	const char *call = NULL;
	struct diag d;

	assert_true(p->count < EVENTS_MAX);
	assert_int_equal(js_parse(span_of(json), &o, &d), 0);
	assert_null(strchr(json, '\n'));
	(void)snprintf(p->told[p->count++], sizeof(p->told[0]), "%s", event);
	(void)snprintf(p->json, sizeof(p->json), "%s", json);
	if (js_get_text(o, "call", TEL_BROWSER_ID_BYTES, &call, NULL) == 0 &&
	    call)
		(void)snprintf(p->call, sizeof(p->call), "%s", call);
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.clock = clock_manual(1700000000000);
	bench.loop = loop_new(bench.clock);
	bench.rng = rng_seeded(7);
	assert_int_equal(tel_browser_new(bench.loop, bench.rng, "+1000",
					 &bench.phone, &bench.tel),
			 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tel_call_close(bench.call);
	tel_free(bench.tel);
	loop_advance(bench.loop, 0);
	rng_free(bench.rng);
	loop_free(bench.loop);
	clock_free(bench.clock);
	return 0;
}

static void go(int64_t ms)
{
	loop_advance(bench.loop, ms);
}

static struct fake_page *open_page(size_t i)
{
	struct fake_page *p = &bench.pages[i];

	assert_int_equal(
		tel_browser_attach(bench.phone, on_send, p, p->session), 0);
	go(0);
	return p;
}

static void dial(void)
{
	const struct tel_params params = {.call_id = "call-1",
					  .to = "+1000",
					  .from = "+2000",
					  .language = "en",
					  .ring_ms = RING_LIMIT_MS,
					  .event = on_event};

	assert_int_equal(tel_dial(bench.tel, &params, &bench.call), 0);
	assert_int_equal(bench.count, 0);
	go(0);
}

static int act(const struct fake_page *p, enum tel_browser_act act)
{
	const struct tel_browser_action a = {.act = act};

	return tel_browser_do(bench.phone, p->session, p->call, &a);
}

static int press(const struct fake_page *p, char key, uint32_t play,
		 unsigned at_ms)
{
	const struct tel_browser_action a = {.act = TEL_BROWSER_KEY,
					     .key = key,
					     .play = play,
					     .at_ms = at_ms};

	return tel_browser_do(bench.phone, p->session, p->call, &a);
}

static int say_played(const struct fake_page *p, uint32_t play)
{
	const struct tel_browser_action a = {.act = TEL_BROWSER_PLAYED,
					     .play = play};

	return tel_browser_do(bench.phone, p->session, p->call, &a);
}

/* One page, in a call. */
static struct fake_page *talk(void)
{
	struct fake_page *p = open_page(0);

	dial();
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), 0);
	go(0);
	return p;
}

static struct playlist *sound(unsigned ms, const char *caption)
{
	struct pcm pcm = {b_zero(pcm_samples(ms), 2), pcm_samples(ms)};
	AUTO(clip) *c = NULL;
	struct playlist *p = playlist_new();

	memset(pcm.samples, 17, pcm.count * 2);
	c = clip_new(&pcm, caption);
	pcm_free(&pcm);
	assert_int_equal(playlist_add(p, c), 0);
	return p;
}

static void play(unsigned ms, uint32_t id)
{
	AUTO(playlist) *p = sound(ms, "words");

	assert_int_equal(tel_call_play(bench.call, p, id), 0);
}

static const struct tel_event *last(void)
{
	assert_true(bench.count > 0);
	return &bench.seen[bench.count - 1];
}

static const char *last_told(const struct fake_page *p)
{
	return p->count > 0 ? p->told[p->count - 1] : "";
}

static unsigned times_told(const struct fake_page *p, const char *event)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += strcmp(p->told[i], event) == 0;
	return n;
}

/* --- ringing ------------------------------------------------------------------ */

TEST(a_call_goes_its_way_from_ring_to_hang_up)
{
	struct fake_page *p = open_page(0);

	dial();
	assert_int_equal(last()->kind, TEL_RINGING);
	assert_string_equal(last_told(p), "ring");
	assert_non_null(strstr(p->json, "\"from\":\"+2000\""));
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), 0);
	assert_int_equal(last()->kind, TEL_RINGING); /* from the loop */
	go(0);
	assert_int_equal(last()->kind, TEL_ANSWERED);

	play(1000, 1);
	assert_string_equal(last_told(p), "play");
	go(600);
	assert_int_equal(press(p, '4', 1, 500), 0);
	go(0);
	assert_int_equal(last()->kind, TEL_KEY);
	assert_int_equal(last()->key, '4');
	assert_int_equal(last()->play_id, 1);
	assert_int_equal(last()->played_ms, 500);
	go(400);
	assert_int_equal(say_played(p, 1), 0);
	go(0);
	assert_int_equal(last()->kind, TEL_PLAYED);
	assert_int_equal(last()->play_id, 1);

	assert_int_equal(act(p, TEL_BROWSER_HANG_UP), 0);
	go(0);
	assert_int_equal(last()->kind, TEL_ENDED);
	assert_int_equal(last()->cause, TEL_HUNG_UP);
	assert_string_equal(last_told(p), "ended");
	assert_int_equal(bench.count, 5);
}

TEST(only_its_number_is_served)
{
	assert_true(tel_serves(bench.tel, "+1000"));
	assert_false(tel_serves(bench.tel, "+10001"));
	assert_string_equal(tel_name(bench.tel), "page");
}

TEST(a_page_that_opens_while_it_rings_still_rings)
{
	struct fake_page *p;

	dial();
	assert_int_equal(last()->kind, TEL_RINGING);
	go(10000);
	p = open_page(0);

	assert_string_equal(p->told[0], "ready");
	assert_string_equal(p->told[1], "ring");
	assert_non_null(strstr(p->json, "\"left_ms\":18000"));
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), 0);
}

TEST(nobody_answers_until_the_ring_limit)
{
	struct fake_page *p = open_page(0);

	dial();
	go(RING_LIMIT_MS - 1);
	assert_int_equal(last()->kind, TEL_RINGING);
	go(1);

	assert_int_equal(last()->kind, TEL_ENDED);
	assert_int_equal(last()->cause, TEL_NO_ANSWER);
	assert_string_equal(last_told(p), "ring_over");
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), -ENOENT);
}

TEST(declining_speaks_of_the_person)
{
	struct fake_page *p = open_page(0);

	dial();
	assert_int_equal(act(p, TEL_BROWSER_DECLINE), 0);
	go(0);

	assert_int_equal(last()->kind, TEL_ENDED);
	assert_int_equal(last()->cause, TEL_REFUSED);
	assert_int_equal(last()->sip_code, 603);
	assert_int_equal(last()->q850, 21);
	assert_string_equal(last_told(p), "ring_over");
}

TEST(the_first_page_to_answer_has_the_call)
{
	struct fake_page *a = open_page(0), *b = open_page(1);

	dial();
	assert_string_equal(last_told(a), "ring");
	assert_string_equal(last_told(b), "ring");
	assert_int_equal(act(b, TEL_BROWSER_ANSWER), 0);
	assert_int_equal(act(a, TEL_BROWSER_ANSWER), -ENOENT);
	assert_int_equal(act(a, TEL_BROWSER_DECLINE), -ENOENT);
	go(0);

	assert_string_equal(last_told(a), "ring_over");
	assert_non_null(strstr(a->json, "\"why\":\"answered\""));
	assert_string_equal(last_told(b), "ring");
	assert_int_equal(last()->kind, TEL_ANSWERED);
	play(1000, 1);
	assert_string_equal(last_told(a), "ring_over");
	assert_string_equal(last_told(b), "play");
}

TEST(taking_the_call_back_stops_the_ringing)
{
	struct fake_page *p = open_page(0);

	dial();
	tel_call_hang_up(bench.call);
	assert_int_equal(last()->kind, TEL_RINGING);
	go(0);

	assert_int_equal(last()->kind, TEL_ENDED);
	assert_int_equal(last()->cause, TEL_WE_HUNG_UP);
	assert_string_equal(last_told(p), "ring_over");
}

TEST(a_call_closed_while_it_rings_stops_ringing)
{
	struct fake_page *p = open_page(0);

	dial();
	tel_call_close(bench.call);
	bench.call = NULL;
	go(60000);

	assert_string_equal(last_told(p), "ring_over");
	assert_int_equal(bench.count, 1);
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), -ENOENT);
}

/* --- who may do what ------------------------------------------------------------ */

TEST(strangers_and_unknown_calls_are_refused)
{
	struct fake_page *p = talk(), *other = open_page(1);
	struct fake_page stranger = *p, astray = *p;
	AUTO_BUF(wav, WAV_MAX);

	play(1000, 1);
	memcpy(other->call, p->call, sizeof(p->call));
	stranger.session[5] ^= 1;
	astray.call[5] ^= 1;

	assert_int_equal(act(&stranger, TEL_BROWSER_HANG_UP), -ENOENT);
	assert_int_equal(act(&astray, TEL_BROWSER_HANG_UP), -ENOENT);
	assert_int_equal(act(other, TEL_BROWSER_HANG_UP), -ENOENT);
	assert_int_equal(press(other, '9', 1, 0), -ENOENT);
	assert_int_equal(tel_browser_sound(bench.phone, other->session, p->call,
					   1, &wav),
			 -ENOENT);
	stranger.session[0] = '\0';
	assert_int_equal(act(&stranger, TEL_BROWSER_HANG_UP), -ENOENT);
	assert_int_equal(wav.n, 0);
	go(0);
	assert_int_equal(last()->kind, TEL_ANSWERED);
}

TEST(what_is_not_possible_now_is_refused)
{
	struct fake_page *p = open_page(0);

	dial();
	assert_int_equal(press(p, '1', 0, 0), -EINVAL);
	assert_int_equal(say_played(p, 1), -EINVAL);
	assert_int_equal(act(p, TEL_BROWSER_HANG_UP), -EINVAL);
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), 0);
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), -EINVAL);
	go(0);
	assert_int_equal(act(p, TEL_BROWSER_DECLINE), -EINVAL);
	assert_int_equal(press(p, 'A', 0, 0), -EINVAL);
	assert_int_equal(press(p, '\0', 0, 0), -EINVAL);
	assert_int_equal(say_played(p, 1), -EINVAL);
	tel_call_hang_up(bench.call);
	assert_int_equal(press(p, '1', 0, 0), -EINVAL);
	go(0);
	assert_int_equal(press(p, '1', 0, 0), -EINVAL);
}

TEST(ids_are_unlike_each_other)
{
	struct fake_page *a = open_page(0), *b = open_page(1);

	dial();
	assert_int_equal(strspn(a->session, "0123456789abcdef"), 32);
	assert_string_not_equal(a->session, b->session);
	assert_string_equal(a->call, b->call);
	assert_string_not_equal(a->call, a->session);
}

/* --- sounds ------------------------------------------------------------------------ */

TEST(the_sound_is_a_wav_file_for_whoever_is_in_the_call)
{
	struct fake_page *p = talk();
	AUTO_BUF(wav, WAV_MAX);
	struct pcm pcm = {0};

	play(1000, 5);
	assert_int_equal(tel_browser_sound(bench.phone, p->session, p->call, 5,
					   &wav),
			 0);
	assert_int_equal(wav_read(buf_view(&wav), &pcm), 0);
	assert_int_equal(pcm.count, 8000);
	pcm_free(&pcm);
	assert_int_equal(tel_browser_sound(bench.phone, p->session, p->call, 6,
					   &wav),
			 -ENOENT);
}

TEST(only_the_last_sounds_are_kept)
{
	struct fake_page *p = talk();
	AUTO_BUF(wav, WAV_MAX);

	for (uint32_t i = 1; i <= TEL_BROWSER_SOUNDS_MAX + 1; i++)
		play(20, i);
	assert_int_equal(tel_browser_sound(bench.phone, p->session, p->call, 1,
					   &wav),
			 -ENOENT);
	assert_int_equal(tel_browser_sound(bench.phone, p->session, p->call, 2,
					   &wav),
			 0);
}

TEST(captions_come_with_the_sound_and_when_they_are_due)
{
	struct fake_page *p = talk();
	AUTO(playlist) *all = sound(500, "Say \"hi\"");
	AUTO(playlist) *more = sound(500, "then");

	assert_int_equal(playlist_append(all, more), 0);
	assert_int_equal(tel_call_play(bench.call, all, 1), 0);

	assert_non_null(strstr(p->json, "\"captions\":[[0,\"Say \\\"hi\\\"\"],"
					"[500,\" then\"]]}"));
	assert_non_null(strstr(p->json, "\"play\":1,\"ms\":1000,\"at_ms\":0"));
}

TEST(captions_past_the_limit_are_left_out_and_the_event_stays_whole)
{
	struct fake_page *p = talk();
	AUTO(playlist) *all = playlist_new();
	char words[CLIP_CAPTION_MAX];
	AUTO(playlist) *one = NULL;

	memset(words, '"', sizeof(words)); /* doubled in JSON */
	words[sizeof(words) - 1] = '\0';
	one = sound(20, words);
	for (int i = 0; i < 30; i++)
		assert_int_equal(playlist_append(all, one), 0);
	assert_int_equal(tel_call_play(bench.call, all, 1), 0);

	assert_string_equal(last_told(p), "play"); /* and it was JSON */
	assert_in_range(strlen(p->json), 12000, TEL_BROWSER_EVENT_MAX);
}

TEST(nothing_is_played_faster_than_it_takes)
{
	struct fake_page *p = talk();

	play(1000, 1);
	go(300);
	assert_int_equal(press(p, '1', 1, 900), 0);
	go(0);
	assert_int_equal(last()->played_ms, 300);

	assert_int_equal(say_played(p, 1), 0);
	go(699);
	assert_int_equal(last()->kind, TEL_KEY);
	go(1);
	assert_int_equal(last()->kind, TEL_PLAYED);

	go(5000);
	assert_int_equal(press(p, '1', 1, 99999), 0);
	go(0);
	assert_int_equal(last()->played_ms, 1000);
}

TEST(a_key_speaks_of_the_sound_that_the_page_was_playing)
{
	struct fake_page *p = talk();

	assert_int_equal(press(p, '1', 0, 5000), 0);
	go(0);
	assert_int_equal(last()->play_id, 0);
	assert_int_equal(last()->played_ms, 0);

	play(1000, 1);
	go(400);
	play(1000, 2);
	go(200);
	assert_int_equal(press(p, '2', 1, 800), 0); /* it had not stopped */
	go(0);
	assert_int_equal(last()->play_id, 1);
	assert_int_equal(last()->played_ms, 400);
}

TEST(a_page_that_does_not_say_that_a_sound_is_over_is_not_waited_for)
{
	talk();
	play(1000, 1);
	go(1000 + TEL_BROWSER_PLAYED_MS - 1);
	assert_int_equal(last()->kind, TEL_ANSWERED);
	go(1);

	assert_int_equal(last()->kind, TEL_PLAYED);
	assert_int_equal(last()->played_ms, 1000);
}

TEST(what_is_stopped_or_replaced_is_never_over)
{
	struct fake_page *p = talk();

	play(1000, 1);
	go(500);
	play(1000, 2);
	go(500);
	tel_call_stop(bench.call);
	assert_string_equal(last_told(p), "stop");
	tel_call_stop(bench.call);
	assert_int_equal(say_played(p, 1), 0);
	assert_int_equal(say_played(p, 2), 0);
	go(60000);

	assert_int_equal(times_told(p, "stop"), 1);
	assert_int_equal(last()->kind, TEL_ANSWERED);
}

TEST(nothing_plays_before_the_answer_or_after_the_end)
{
	AUTO(playlist) *one = sound(20, "one");
	struct fake_page *p = open_page(0);

	dial();
	assert_int_equal(tel_call_play(bench.call, one, 1), -ENOTCONN);
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), 0);
	assert_int_equal(tel_call_play(bench.call, one, 1), -ENOTCONN);
	go(0);
	assert_int_equal(tel_call_play(bench.call, one, 1), 0);
	tel_call_hang_up(bench.call);
	assert_int_equal(tel_call_play(bench.call, one, 2), -ENOTCONN);
	go(10000);
	assert_int_equal(last()->cause, TEL_WE_HUNG_UP);
	assert_int_equal(times_told(p, "ended"), 1);
}

/* --- pages come and go ----------------------------------------------------------------- */

TEST(a_page_that_goes_away_has_hung_up)
{
	struct fake_page *p = talk();

	tel_browser_detach(bench.phone, p->session, p);
	go(TEL_BROWSER_GRACE_MS - 1);
	assert_int_equal(last()->kind, TEL_ANSWERED);
	go(1);

	assert_int_equal(last()->kind, TEL_ENDED);
	assert_int_equal(last()->cause, TEL_HUNG_UP);
	assert_int_equal(times_told(p, "ended"), 0);
	assert_int_equal(act(p, TEL_BROWSER_HANG_UP), -ENOENT);
}

TEST(a_page_that_comes_back_goes_on)
{
	struct fake_page *p = talk(), *again = &bench.pages[1];

	tel_browser_detach(bench.phone, p->session, p);
	go(2000);
	play(5000, 3); /* which it misses */
	go(1000);
	memcpy(again->session, p->session, sizeof(p->session));
	open_page(1);

	assert_string_equal(again->session, p->session);
	assert_string_equal(again->told[0], "ready");
	assert_string_equal(again->told[1], "play");
	assert_non_null(strstr(again->json, "\"play\":3,\"ms\":5000,"
					    "\"at_ms\":1000"));
	go(60000);
	assert_int_equal(last()->kind, TEL_PLAYED);
	assert_int_equal(press(again, '5', 3, 5000), 0);
}

TEST(the_end_of_a_lost_connection_does_not_cut_the_new_one)
{
	struct fake_page *p = talk(), *again = &bench.pages[1];

	memcpy(again->session, p->session, sizeof(p->session));
	open_page(1); /* before the server knows that the old one is dead */
	tel_browser_detach(bench.phone, p->session, p);
	go(60000);

	assert_int_equal(last()->kind, TEL_ANSWERED);
	play(20, 1);
	assert_string_equal(last_told(again), "play");
}

TEST(a_page_that_comes_back_too_late_is_a_new_one)
{
	struct fake_page *p = talk(), *again = &bench.pages[1];

	tel_browser_detach(bench.phone, p->session, p);
	go(TEL_BROWSER_GRACE_MS);
	memcpy(again->session, p->session, sizeof(p->session));
	open_page(1);

	assert_string_not_equal(again->session, p->session);
	assert_string_equal(last_told(again), "ready");
	assert_non_null(strstr(again->json, "\"call\":null"));
}

TEST(a_page_that_goes_away_while_it_rings_hurts_nobody)
{
	struct fake_page *p = open_page(0), *other;

	dial();
	tel_browser_detach(bench.phone, p->session, p);
	go(10000);
	other = open_page(1);
	assert_int_equal(act(other, TEL_BROWSER_ANSWER), 0);
	go(0);

	assert_int_equal(last()->kind, TEL_ANSWERED);
	assert_string_equal(last_told(p), "ring");
}

TEST(pages_and_calls_have_limits)
{
	const struct tel_params params = {.to = "+1000",
					  .from = "+2000",
					  .ring_ms = 1000,
					  .event = on_event};
	struct tel_call *calls[TEL_BROWSER_CALLS_MAX], *more;
	char session[TEL_BROWSER_ID_BYTES];

	for (size_t i = 0; i < TEL_BROWSER_SESSIONS_MAX; i++) {
		session[0] = '\0';
		assert_int_equal(tel_browser_attach(bench.phone, on_send,
						    &bench.pages[0], session),
				 0);
	}
	session[0] = '\0';
	assert_int_equal(tel_browser_attach(bench.phone, on_send,
					    &bench.pages[0], session),
			 -EBUSY);

	for (size_t i = 0; i < TEL_BROWSER_CALLS_MAX; i++)
		assert_int_equal(tel_dial(bench.tel, &params, &calls[i]), 0);
	assert_int_equal(tel_dial(bench.tel, &params, &more), -EBUSY);
	for (size_t i = 0; i < TEL_BROWSER_CALLS_MAX; i++)
		tel_call_close(calls[i]);
}

TEST(nobody_presses_faster_than_fifteen_keys_a_second)
{
	struct fake_page *p = talk();
	int err = 0;

	for (int i = 0; i < TEL_BROWSER_KEYS_A_SECOND; i++)
		assert_int_equal(press(p, '1', 0, 0), 0);
	assert_int_equal(press(p, '1', 0, 0), -EAGAIN);
	go(1000);
	assert_int_equal(press(p, '1', 0, 0), 0);
	for (int i = 0; i < 2 * TEL_BROWSER_ACTIONS_MAX && !err; i++)
		err = act(p, TEL_BROWSER_HANG_UP);
	assert_int_equal(err, -EAGAIN);
	go(0);

	assert_int_equal(last()->kind, TEL_ENDED);
	assert_int_equal(bench.count, 2 + TEL_BROWSER_KEYS_A_SECOND + 1 + 1);
}

TEST(a_call_may_be_closed_in_any_event)
{
	struct fake_page *p = open_page(0);

	bench.closes = true;
	dial(); /* closed in TEL_RINGING */
	assert_null(bench.call);
	go(60000);
	assert_int_equal(bench.count, 1);

	bench.closes = false;
	bench.count = 0;
	dial();
	bench.closes = true;
	assert_int_equal(act(p, TEL_BROWSER_ANSWER), 0);
	assert_int_equal(press(p, '1', 0, 0), 0);
	assert_int_equal(act(p, TEL_BROWSER_HANG_UP), 0);
	go(60000); /* closed in TEL_ANSWERED */

	assert_null(bench.call);
	assert_int_equal(bench.count, 2);
	assert_string_equal(last_told(p), "ended");
}

TEST(a_page_may_be_going_when_the_telephone_is_freed)
{
	struct fake_page *p = open_page(0);

	tel_browser_detach(bench.phone, p->session, p); /* a post is left */
	tel_free(bench.tel);
	bench.tel = NULL;
	go(0);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_call_goes_its_way_from_ring_to_hang_up),
		WITH_BENCH(only_its_number_is_served),
		WITH_BENCH(a_page_that_opens_while_it_rings_still_rings),
		WITH_BENCH(nobody_answers_until_the_ring_limit),
		WITH_BENCH(declining_speaks_of_the_person),
		WITH_BENCH(the_first_page_to_answer_has_the_call),
		WITH_BENCH(taking_the_call_back_stops_the_ringing),
		WITH_BENCH(a_call_closed_while_it_rings_stops_ringing),
		WITH_BENCH(strangers_and_unknown_calls_are_refused),
		WITH_BENCH(what_is_not_possible_now_is_refused),
		WITH_BENCH(ids_are_unlike_each_other),
		WITH_BENCH(the_sound_is_a_wav_file_for_whoever_is_in_the_call),
		WITH_BENCH(only_the_last_sounds_are_kept),
		WITH_BENCH(captions_come_with_the_sound_and_when_they_are_due),
		WITH_BENCH(
			captions_past_the_limit_are_left_out_and_the_event_stays_whole),
		WITH_BENCH(nothing_is_played_faster_than_it_takes),
		WITH_BENCH(a_key_speaks_of_the_sound_that_the_page_was_playing),
		WITH_BENCH(
			a_page_that_does_not_say_that_a_sound_is_over_is_not_waited_for),
		WITH_BENCH(what_is_stopped_or_replaced_is_never_over),
		WITH_BENCH(nothing_plays_before_the_answer_or_after_the_end),
		WITH_BENCH(a_page_that_goes_away_has_hung_up),
		WITH_BENCH(a_page_that_comes_back_goes_on),
		WITH_BENCH(
			the_end_of_a_lost_connection_does_not_cut_the_new_one),
		WITH_BENCH(a_page_that_comes_back_too_late_is_a_new_one),
		WITH_BENCH(a_page_that_goes_away_while_it_rings_hurts_nobody),
		WITH_BENCH(pages_and_calls_have_limits),
		WITH_BENCH(nobody_presses_faster_than_fifteen_keys_a_second),
		WITH_BENCH(a_call_may_be_closed_in_any_event),
		WITH_BENCH(a_page_may_be_going_when_the_telephone_is_freed),
	};

	return cmocka_run_group_tests_name("tel/browser", tests, NULL, NULL);
}
