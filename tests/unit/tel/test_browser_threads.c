// SPDX-License-Identifier: Apache-2.0
/*
 * test_browser_threads.c - web threads at a page's telephone while its line is
 * busy; worth most under a thread sanitizer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/attr.h"
#include "base/json.h"
#include "support/test.h"
#include "tel/browser.h"

enum { ROUNDS = 2000, SOUNDS = 500 };

static struct tel_browser *phone;
static char call_id[TEL_BROWSER_ID_BYTES];
static atomic_int sent;
static enum tel_event_kind last_event;

static void on_event(const struct tel_event *ev, void *ctx)
{
	(void)ctx;
	last_event = ev->kind;
}

static void on_send(const char *event, const char *json, void *ctx)
{
	const char *at = strstr(json, "\"call\":\"");

	(void)ctx;
	sent++;
	if (strcmp(event, "ring") == 0 && at)
		memcpy(call_id, at + strlen("\"call\":\""),
		       TEL_BROWSER_ID_BYTES - 1);
}

static void on_stranger_send(const char *event, const char *json, void *ctx)
{
	(void)event;
	(void)json;
	(void)ctx;
	sent++;
}

static void *come_and_go(void *ctx)
{
	const struct tel_browser_action a = {.act = TEL_BROWSER_HANG_UP};

	for (int i = 0; i < ROUNDS; i++) {
		char session[TEL_BROWSER_ID_BYTES] = "";
		AUTO_BUF(wav, 1 << 20);

		/* many are gone but not forgotten yet: no room */
		if (tel_browser_attach(phone, on_stranger_send, ctx, session))
			continue;
		assert_int_not_equal(
			tel_browser_do(phone, session, call_id, &a), 0);
		assert_int_not_equal(
			tel_browser_sound(phone, session, call_id, 1, &wav), 0);
		tel_browser_detach(phone, session, ctx);
	}
	return NULL;
}

static void play(struct tel_call *call, uint32_t id)
{
	AUTO(playlist) *p = playlist_new();

	assert_int_equal(playlist_silence(p, 20), 0);
	assert_int_equal(tel_call_play(call, p, id), 0);
}

TEST(web_threads_come_and_go_while_the_line_works)
{
	AUTO(clock) *clock = clock_manual(1700000000000);
	AUTO(loop) *loop = loop_new(clock);
	const struct tel_params params = {.to = "+1000",
					  .from = "+2000",
					  .ring_ms = 1000,
					  .event = on_event};
	const struct tel_browser_action a = {.act = TEL_BROWSER_ANSWER};
	char session[TEL_BROWSER_ID_BYTES] = "";
	struct tel *tel;
	struct tel_call *call;
	pthread_t threads[2];
	char names[2];

	assert_int_equal(
		tel_browser_new(loop, rng_system(), "+1000", &phone, &tel), 0);
	assert_int_equal(tel_browser_attach(phone, on_send, NULL, session), 0);
	assert_int_equal(tel_dial(tel, &params, &call), 0);
	loop_advance(loop, 0);
	assert_int_equal(tel_browser_do(phone, session, call_id, &a), 0);
	loop_advance(loop, 0);

	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go,
						&names[i]),
				 0);
	for (uint32_t i = 1; i < SOUNDS; i++) {
		play(call, i);
		loop_advance(loop, 20);
	}
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	loop_advance(loop, 0);

	assert_int_equal(last_event, TEL_ANSWERED);
	assert_true(sent >= SOUNDS); /* ready, ring and every sound but one */
	tel_call_close(call);
	tel_free(tel);
	loop_advance(loop, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(web_threads_come_and_go_while_the_line_works),
	};

	return cmocka_run_group_tests_name("tel/browser_threads", tests, NULL,
					   NULL);
}
