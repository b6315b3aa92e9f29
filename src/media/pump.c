// SPDX-License-Identifier: Apache-2.0
/*
 * pump.c - the door: the line's side of a stream.
 *
 * Everything that the line wants becomes an order, and everything that costs
 * memory or can fail happens here: the pump's thread is left with what it can
 * always do.
 */
#include "media/pump.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "media/pump_priv.h"

_Static_assert(PUMP_STREAMS_MAX <= UINT16_MAX, "an index fits");

/* --- the pump ------------------------------------------------------------------- */

static void make_parts(struct pump *p)
{
	unsigned n = p->streams_max;
	uint64_t seed;

	rng_fill(p->rng, &seed, sizeof(seed));
	rng_fill(p->rng, &p->dice, sizeof(p->dice));
	p->dice |= 1; /* xorshift never leaves 0 */
	p->hot = aligned_alloc(sizeof(*p->hot), n * sizeof(*p->hot));
	if (!p->hot)
		abort();
	memset(p->hot, 0, n * sizeof(*p->hot));
	p->streams = b_zero(n, sizeof(struct pump_stream *));
	p->gone = b_zero(PUMP_GONE, sizeof(*p->gone));
	p->free = b_zero(n, sizeof(*p->free));
	while (p->free_count < n) {
		p->free[p->free_count] = (uint16_t)(n - 1 - p->free_count);
		p->free_count++;
	}
	for (unsigned i = 0; i < PUMP_PHASES; i++)
		p->phases[i].members = b_zero(n, sizeof(*p->phases[i].members));
	pump_table_make(&p->table, n, seed);
	p->batch = pump_batch_new(p);
	p->ear = pump_ear_new();
}

/* Signals are for other threads. */
static int start(struct pump *p)
{
	sigset_t all, before;
	int err;

	p->wake = eventfd(0, EFD_CLOEXEC);
	if (p->wake < 0)
		return -errno;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&p->thread, NULL, pump_run, p);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static void free_parts(struct pump *p)
{
	pump_ports_close(&p->ports);
	if (p->wake >= 0)
		(void)close(p->wake);
	pump_batch_free(p->batch);
	pump_ear_free(p->ear);
	pump_table_end(&p->table);
	for (unsigned i = 0; i < PUMP_PHASES; i++)
		free(p->phases[i].members);
	free(p->free);
	free(p->gone);
	free(p->streams);
	free(p->hot);
	free(p);
}

int pump_new(const struct pump_params *params, struct pump **out,
	     struct diag *d)
{
	struct pump *p;
	int err;

	if (params->streams_max == 0 || params->streams_max > PUMP_STREAMS_MAX)
		return diag_set(d, "%u: not 1 to %d calls", params->streams_max,
				PUMP_STREAMS_MAX);
	p = b_zero(1, sizeof(*p));
	p->loop = params->loop;
	p->rng = params->rng;
	p->streams_max = params->streams_max;
	p->priority = params->priority;
	p->lost_ms = PUMP_LOST_MS;
	p->rtcp_ms = PUMP_RTCP_MS;
	p->wake = -1;
	ll_init(&p->all);
	ll_init(&p->post.link);
	err = pump_ports_open(&p->ports, params, d);
	if (!err) {
		make_parts(p);
		err = start(p);
		if (err)
			(void)diag_set(d, "no thread for sound: %s",
				       strerrordesc_np(-err));
	}
	if (err) {
		free_parts(p);
		return err;
	}
	*out = p;
	return 0;
}

static void rouse(struct pump *p)
{
	uint64_t one = 1;

	/* it only sleeps without end when it has said so */
	if (atomic_exchange(&p->idle, false) &&
	    write(p->wake, &one, sizeof(one)) != sizeof(one))
		abort(); /* a counter of one has room */
}

static void free_order(struct pump_order *o)
{
	playlist_unref(o->list);
	if (o->kind == PUMP_CONNECT)
		free(o->way.networks);
	if (o->kind != PUMP_CLOSE) /* that one is its stream's */
		free(o);
}

static void free_stream(struct pump_stream *s)
{
	struct pump *p = s->p;

	ll_remove(&s->link);
	p->ports.at[s->port].streams--;
	p->free[p->free_count++] = s->index;
	atomic_fetch_sub(&p->count, 1);
	keys_tones_free(s->tones);
	free(s);
}

static void free_orders(struct pump_order *o)
{
	while (o) {
		struct pump_order *next = o->next;

		free_order(o);
		o = next;
	}
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	atomic_store(&p->stop, true);
	rouse(p);
	(void)pthread_join(p->thread, NULL);
	loop_unpost(p->loop, &p->post);
	free_orders(pump_orders_take(&p->orders));
	free_orders(pump_orders_take(&p->back));
	ll_each_safe (at, &p->all) {
		struct pump_stream *s = ll_entry(at, struct pump_stream, link);

		/* what it still held when the thread ended */
		if (s->connect)
			free_order(s->connect);
		if (s->playing)
			free_order(s->playing);
		free_stream(s);
	}
	free_parts(p);
}

/* --- what the pump tells ----------------------------------------------------------- */

static void tell(struct pump_stream *s, const struct pump_note *n)
{
	struct pump_event ev = {.kind = n->kind,
				.key = n->key,
				.play_id = n->id,
				.played_ms = n->played_ms};

	if (s->closing)
		return;
	if (n->kind == PUMP_PLAYED) {
		/* it was replaced or stopped while this was on its way */
		if (n->serial != s->serial)
			return;
		s->serial = 0;
	}
	s->event(&ev, s->ctx);
}

static void tell_all(struct pump_stream *s)
{
	struct pump_note n;

	/* what is written from here on stands in the list anew */
	atomic_store(&s->told, false);
	while (pump_notes_take(&s->notes, &n))
		tell(s, &n);
}

static void closed(struct pump_stream *s)
{
	struct pump_stats stats = s->stats;
	struct pump_event ev = {.kind = PUMP_CLOSED, .stats = &stats};
	pump_event_h *event = s->event;
	void *ctx = s->ctx;

	free_stream(s);
	event(&ev, ctx);
}

static void take_turn(void *ctx)
{
	struct pump *p = ctx;
	struct pump_order *back;
	struct pump_stream *s;

	atomic_store(&p->posted, false);
	/* A stream whose end has come back stands in the list of those who have
	 * something to tell by now, if it does at all: in this order neither is
	 * lost nor is a freed one looked at. */
	back = pump_orders_take(&p->back);
	s = atomic_exchange(&p->told, NULL);
	while (s) {
		struct pump_stream *next = s->told_next;

		tell_all(s);
		s = next;
	}
	while (back) {
		struct pump_order *next = back->next;

		if (back->kind == PUMP_CLOSE)
			closed(back->s);
		else
			free_order(back);
		back = next;
	}
}

/* On the pump's thread. */
static void call_line(struct pump *p)
{
	if (!p->tell)
		return;
	p->tell = false;
	if (!atomic_exchange(&p->posted, true))
		loop_post(p->loop, &p->post, take_turn, p);
}

void *pump_run(void *pump)
{
	struct pump *p = pump;

	pump_tick_begin(p);
	while (!atomic_load(&p->stop)) {
		pump_tick(p);
		call_line(p);
	}
	pump_tick_end(p);
	return NULL;
}

/* --- streams ------------------------------------------------------------------------ */

static void make_cname(struct pump *p, char out[RTCP_CNAME_BYTES])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	/* RFC 7022 4.2: 96 random bits and more */
	for (size_t i = 0; i < RTCP_CNAME_BYTES - 1; i++)
		out[i] = letters[rng_below(p->rng, sizeof(letters) - 1)];
	out[RTCP_CNAME_BYTES - 1] = '\0';
}

int pump_stream_new(struct pump *p, pump_event_h *event, void *ctx,
		    struct pump_stream **out)
{
	struct pump_stream *s;
	struct pump_port *port;

	if (p->free_count == 0 || atomic_load(&p->full))
		return -EBUSY;
	s = b_zero(1, sizeof(*s));
	s->p = p;
	s->event = event;
	s->ctx = ctx;
	s->close = (struct pump_order){.s = s, .kind = PUMP_CLOSE};
	s->index = p->free[--p->free_count];
	s->port = (uint16_t)pump_ports_pick(&p->ports, pump_now_us() / 1000);
	port = &p->ports.at[s->port];
	port->streams++;
	atomic_fetch_add(&port->unplaced, 1);
	atomic_fetch_add(&p->count, 1);
	make_cname(p, s->cname);

	/* nobody else looks at it before it is connected */
	struct pump_hot *h = &p->hot[s->index];

	memset(h, 0, sizeof(*h));
	rng_fill(p->rng, &h->ssrc, sizeof(h->ssrc));
	rng_fill(p->rng, &h->ts, sizeof(h->ts));
	rng_fill(p->rng, &h->seq, sizeof(h->seq));
	ll_append(&p->all, &s->link);
	*out = s;
	return 0;
}

unsigned pump_stream_port(const struct pump_stream *s)
{
	return s->p->ports.at[s->port].number;
}

static struct pump_order *order(struct pump_stream *s, int kind)
{
	struct pump_order *o = b_zero(1, sizeof(*o));

	o->s = s;
	o->kind = kind;
	return o;
}

static void send_order(struct pump_order *o)
{
	struct pump *p = o->s->p;

	pump_orders_put(&p->orders, o);
	rouse(p);
}

/* The way there, or -EAFNOSUPPORT. */
static int find_way(struct pump *p, const struct pump_far *far,
		    struct pump_way *w)
{
	if (!pump_addr_from(&p->ports, &far->rtp, &w->rtp) ||
	    !pump_addr_from(&p->ports, &far->rtcp, &w->rtcp))
		return -EAFNOSUPPORT;
	w->codec = far->codec;
	w->audio_pt = far->audio_pt;
	w->event_pt = far->event_pt;
	w->frames = (uint8_t)(far->ptime_ms / CLIP_FRAME_MS);
	w->keys = far->keys;
	/* RFC 2543's hold is an address of zeros */
	w->send = far->send && w->rtp.port != 0 &&
		  far->rtp.ss_family != AF_UNSPEC && !net_is_any(&far->rtp);
	w->receive = far->receive;
	w->mux = w->rtp.port != 0 && pump_addr_equal(&w->rtp, &w->rtcp);
	return 0;
}

int pump_stream_connect(struct pump_stream *s, const struct pump_far *far)
{
	struct pump_way way = {.frames = 0};
	struct pump_order *o;
	int err;

	if (s->closing || far->ptime_ms % CLIP_FRAME_MS != 0 ||
	    far->ptime_ms < CLIP_FRAME_MS ||
	    far->ptime_ms > PUMP_FRAMES_MAX * CLIP_FRAME_MS)
		return -EINVAL;
	err = find_way(s->p, far, &way);
	if (err)
		return err;
	if (far->networks && far->networks->count > 0)
		way.networks = b_copy(far->networks, sizeof(*far->networks));
	if (far->keys & PUMP_KEYS_TONES && !s->tones)
		s->tones = keys_tones_new();
	o = order(s, PUMP_CONNECT);
	o->way = way;
	s->connected = true;
	send_order(o);
	return 0;
}

int pump_stream_play(struct pump_stream *s, struct playlist *list, uint32_t id)
{
	struct pump *p = s->p;
	struct pump_order *o;

	if (!s->connected || s->closing)
		return -ENOTCONN;
	o = order(s, PUMP_PLAY);
	o->list = playlist_ref(list);
	o->id = id;
	if (++p->serial == 0)
		p->serial = 1; /* 0 is nothing */
	o->serial = s->serial = p->serial;
	send_order(o);
	return 0;
}

void pump_stream_stop(struct pump_stream *s)
{
	if (!s->connected || s->closing)
		return;
	s->serial = 0;
	send_order(order(s, PUMP_STOP));
}

void pump_stream_close(struct pump_stream *s)
{
	if (s->closing)
		return;
	s->closing = true;
	send_order(&s->close);
}

/* --- figures -------------------------------------------------------------------------- */

void pump_figures(const struct pump *p, struct pump_figures *out)
{
	*out = (struct pump_figures){
		.packets_sent = atomic_load(&p->packets_sent),
		.packets_received = atomic_load(&p->packets_received),
		.strange = atomic_load(&p->strange),
		.late_5ms = atomic_load(&p->late_5ms),
		.skipped = atomic_load(&p->skipped),
		.streams = atomic_load(&p->count),
		.ports = atomic_load(&p->ports.count),
		.phase_us_max = atomic_load(&p->phase_us_max),
		.full = atomic_load(&p->full),
		.realtime = atomic_load(&p->realtime),
	};
}
