// SPDX-License-Identifier: Apache-2.0
/*
 * sip_world.c - a telephone with one trunk, and the trunk's far end.
 */
#include "unit/tel/sip_world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/test.h"
#include "tel/sip_priv.h"

enum {
	PORT_FIRST = 20000,
	PORT_SLOTS = 1000,
	PORTS = 16,
	TRIES = 50,
};

static const char *const caller_ids[] = {"+4930123450", "+4930123451"};

int64_t sip_world_real_ms(void)
{
	return clock_mono_ms(clock_real());
}

void sip_world_wait(struct sip_world *w, int64_t since_ms, const char *what)
{
	sip_world_turn(w);
	if (sip_world_real_ms() - since_ms > WORLD_PATIENCE_MS)
		fail_msg("%s never came", what);
}

/* Several test programs may run at once: some ports of theirs are taken. */
static void open_pump(struct sip_world *w)
{
	unsigned slot = (unsigned)getpid() % PORT_SLOTS;
	struct diag d = {0};
	int err = -EADDRINUSE;

	for (unsigned i = 0; i < TRIES && err == -EADDRINUSE; i++, slot++) {
		unsigned at = PORT_FIRST + slot % PORT_SLOTS * PORTS;
		struct pump_params params = {.listen = "127.0.0.1",
					     .port_min = at,
					     .port_max = at + PORTS - 1,
					     .streams_max = 32,
					     .loop = w->loop,
					     .rng = w->rng};

		err = pump_new(&params, &w->pump, &d);
	}
	if (err)
		fail_msg("no pump: %s", d.message);
}

void sip_world_make(struct sip_world *w)
{
	*w = (struct sip_world){.advertise = "", .advertise_media = ""};
	w->clock = clock_manual(1700000000000);
	w->loop = loop_new(w->clock);
	w->rng = rng_seeded(1);
	w->peer = sip_peer_new();
	open_pump(w);
	w->conf = (struct tel_sip_trunk){
		.name = "berlin",
		.host = "127.0.0.1",
		.port = sip_peer_port(w->peer),
		.outbound_proxy = "",
		.user = "",
		.password = "",
		.from = caller_ids,
		.from_count = COUNT_OF(caller_ids),
		.from_user = "",
		.from_domain = "",
		.format = TEL_SIP_PLUS,
		.prefix = "",
		.country_code = "",
		.national_prefix = "",
		.codec = G711_PCMU,
		.keys = PUMP_KEYS_EVENTS,
	};
}

static void on_news(const struct tel_sip_news *news, void *ctx)
{
	struct sip_world *w = ctx;

	assert(w->news_count < WORLD_NEWS_MAX);
	w->news[w->news_count++] = *news;
}

void sip_world_open(struct sip_world *w)
{
	struct diag d = {0};
	struct tel_sip_params params = {.loop = w->loop,
					.rng = w->rng,
					.pump = w->pump,
					.listen = "127.0.0.1:0",
					.advertise = w->advertise,
					.advertise_media = w->advertise_media,
					.media = "127.0.0.1",
					.trunks = &w->conf,
					.trunks_count = 1,
					.news = on_news,
					.ctx = w,
					.lookup = w->lookup,
					.lookup_ctx = w->lookup_ctx};

	int err = -EADDRINUSE;

	/* a port that is free for UDP may be somebody's for TCP */
	for (unsigned i = 0; i < TRIES && err == -EADDRINUSE; i++)
		err = tel_sip_new(&params, &w->sip, &d);
	if (err)
		fail_msg("no telephone: %s %s", d.field, d.message);
	w->tel = tel_sip_tel(w->sip, 0);
}

void sip_world_turn(struct sip_world *w)
{
	(void)tel_sip_turn(w->sip);
	(void)sip_peer_turn(w->peer);
}

void sip_world_advance(struct sip_world *w, int64_t ms)
{
	clock_advance(w->clock, ms);
	sip_world_turn(w);
}

void sip_world_close(struct sip_world *w)
{
	tel_call_close(w->call);
	w->call = NULL;
	UNTIL(w, w->sip->call_count == 0);
	tel_free(w->tel);
	tel_sip_free(w->sip);
	pump_free(w->pump);
	sip_peer_free(w->peer);
	loop_free(w->loop);
	rng_free(w->rng);
	clock_free(w->clock);
	free(w->trace);
}

/* --- what came -------------------------------------------------------------------------- */

static void on_event(const struct tel_event *ev, void *ctx)
{
	struct sip_world *w = ctx;
	struct world_event *seen = &w->events[w->count++];

	assert(w->count <= WORLD_EVENTS_MAX);
	*seen = (struct world_event){.ev = *ev};
	seen->ev.record = NULL;
	if (ev->kind == TEL_ENDED) {
		seen->forwarded = ev->record->forwarded;
		seen->media = ev->record->media != NULL;
		if (seen->media)
			seen->stats = *ev->record->media;
		free(w->trace);
		w->trace = b_strdup(ev->record->trace);
	}
	if (ev->kind != w->close_at)
		return;
	if (w->hangs_up) {
		tel_call_hang_up(w->call);
	} else if (w->closes) {
		tel_call_close(w->call);
		w->call = NULL;
	}
}

void sip_world_try(struct sip_world *w)
{
	struct tel_params params = {.call_id = "c1",
				    .to = "+4915112345678",
				    .from = "+4930123451",
				    .language = "en",
				    .ring_ms = WORLD_RING_MS,
				    .trace = true,
				    .event = on_event,
				    .ctx = w};

	assert_int_equal(tel_dial(w->tel, &params, &w->call), 0);
}

void sip_world_dial(struct sip_world *w)
{
	sip_world_try(w);
	UNTIL(w, sip_peer_heard(w->peer, "INVITE ") > 0);
}

unsigned sip_world_saw(const struct sip_world *w, enum tel_event_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->count; i++)
		n += w->events[i].ev.kind == kind;
	return n;
}

const struct world_event *sip_world_last(const struct sip_world *w,
					 enum tel_event_kind kind)
{
	for (size_t i = w->count; i > 0; i--) {
		if (w->events[i - 1].ev.kind == kind)
			return &w->events[i - 1];
	}
	fail_msg("there was no such event");
	return &w->events[0];
}

/* --- what most tests begin and end with ------------------------------------- */

void sip_world_begin(struct sip_world *w)
{
	sip_world_make(w);
	sip_world_open(w);
}

void sip_world_say(struct sip_world *w, int code, const char *headers)
{
	sip_peer_answer(w->peer, &(struct sip_peer_answer){.code = code,
							   .headers = headers});
}

void sip_world_pick_up(struct sip_world *w, const char *lines)
{
	sip_peer_answer(w->peer, &(struct sip_peer_answer){
					 .code = 200,
					 .sdp = sip_peer_sdp(w->peer, lines)});
	UNTIL(w, sip_world_saw(w, TEL_ANSWERED) &&
			 sip_peer_heard(w->peer, "ACK "));
}

/* A world with a call that was answered. */
void sip_world_talk(struct sip_world *w)
{
	sip_world_begin(w);
	sip_world_dial(w);
	sip_world_pick_up(w, NULL);
}

void sip_world_ends(struct sip_world *w, enum tel_cause cause, int code,
		    int q850)
{
	const struct world_event *e;

	UNTIL(w, sip_world_saw(w, TEL_ENDED));
	e = sip_world_last(w, TEL_ENDED);
	assert_int_equal(e->ev.cause, cause);
	assert_int_equal(e->ev.sip_code, code);
	assert_int_equal(e->ev.q850, q850);
	assert_int_equal(sip_world_saw(w, TEL_ENDED), 1);
	assert_int_equal(w->events[w->count - 1].ev.kind, TEL_ENDED);
}
