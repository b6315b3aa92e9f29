// SPDX-License-Identifier: Apache-2.0
/*
 * sip_call.c - a call over a trunk: the driver behind tel.h.
 *
 * A place at the pump is taken before the INVITE leaves, for a call that is
 * answered must be spoken to.  At the end it is given back first, and TEL_ENDED
 * waits for the pump's last figures: they belong into the record.
 *
 * Events are told from libre's handlers and the pump's, which both come from
 * the loop.  An owner may close the call inside of any of them.  Its memory
 * stays until the pump has said its last word about the stream.
 */
#include "tel/sip_call_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "media/playlist.h"

enum {
	PTIME_MS = 20,
	MS_PER_S = 1000,
};

/* --- small things ---------------------------------------------------------------- */

struct timers *tsip_call_timers(const struct tsip_call *c)
{
	return loop_timers(c->trunk->sip->p.loop);
}

int64_t tsip_call_now(const struct tsip_call *c)
{
	return clock_mono_ms(loop_clock(c->trunk->sip->p.loop));
}

void tsip_call_set_state(struct tsip_call *c, enum tsip_call_state to)
{
	static const bool allowed[TSIP_STATES][TSIP_STATES] = {
		[TSIP_DIALLED] = {[TSIP_RINGING] = true,
				  [TSIP_UP] = true,
				  [TSIP_ENDING] = true,
				  [TSIP_CLOSED] = true},
		[TSIP_RINGING] = {[TSIP_UP] = true,
				  [TSIP_ENDING] = true,
				  [TSIP_CLOSED] = true},
		[TSIP_UP] = {[TSIP_ENDING] = true, [TSIP_CLOSED] = true},
		[TSIP_ENDING] = {[TSIP_ENDED] = true, [TSIP_CLOSED] = true},
		[TSIP_ENDED] = {[TSIP_CLOSED] = true},
	};

	assert(allowed[c->state][to]);
	c->state = to;
}

static bool is_over(const struct tsip_call *c)
{
	return c->state >= TSIP_ENDING;
}

bool tsip_call_tell(struct tsip_call *c, const struct tel_event *ev)
{
	c->event(ev, c->ctx);
	return !is_over(c);
}

struct tsip_trace *tsip_call_trace(struct tsip_call *c)
{
	return c->trace;
}

/* --- its end ------------------------------------------------------------------------ */

static void free_call(struct tsip_call *c)
{
	ll_remove(&c->link);
	timer_stop(tsip_call_timers(c), &c->grace);
	c->trunk->sip->call_count--;
	tsip_where_release(c->where);
	tsip_trace_free(c->trace);
	free(c);
}

/* The last event: the owner may close it, and then it is gone. */
static void tell_end(void *ctx)
{
	struct tsip_call *c = ctx;

	timer_stop(tsip_call_timers(c), &c->grace);
	tsip_call_set_state(c, TSIP_ENDED);
	c->record.forwarded = c->forwarded;
	c->record.trace = c->trace ? tsip_trace_text(c->trace) : NULL;
	c->end.record = &c->record;
	c->event(&c->end, c->ctx);
}

void tsip_call_end(struct tsip_call *c, enum tel_cause cause, int sip_code,
		   int q850)
{
	tsip_call_set_state(c, TSIP_ENDING);
	c->end = (struct tel_event){.kind = TEL_ENDED,
				    .cause = cause,
				    .sip_code = sip_code,
				    .q850 = q850};
	timer_stop(tsip_call_timers(c), &c->limit);
	tsip_invite_leave(c);
	pump_stream_close(c->stream);
	timer_set(tsip_call_timers(c), &c->grace, TSIP_STATS_MS, tell_end, c);
}

static void stream_is_gone(struct tsip_call *c, const struct pump_stats *stats)
{
	c->stream = NULL;
	if (c->state == TSIP_CLOSED) {
		free_call(c);
		return;
	}
	if (c->state != TSIP_ENDING)
		return;
	if (stats) {
		c->stats = *stats;
		c->record.media = c->connected ? &c->stats : NULL;
	}
	tell_end(c);
}

/* --- sound ------------------------------------------------------------------------------ */

static void lost(void *ctx)
{
	tsip_call_end(ctx, TEL_UNREACHABLE, 0, 0);
}

static void on_pump(const struct pump_event *ev, void *ctx)
{
	struct tsip_call *c = ctx;

	if (ev->kind == PUMP_CLOSED) {
		stream_is_gone(c, ev->stats);
		return;
	}
	if (c->state != TSIP_UP)
		return;
	switch (ev->kind) {
	case PUMP_PLAYED:
		(void)tsip_call_tell(
			c, &(struct tel_event){.kind = TEL_PLAYED,
					       .play_id = ev->play_id,
					       .played_ms = ev->played_ms});
		break;
	case PUMP_KEY:
		(void)tsip_call_tell(
			c, &(struct tel_event){.kind = TEL_KEY,
					       .key = ev->key,
					       .play_id = ev->play_id,
					       .played_ms = ev->played_ms});
		break;
	case PUMP_LOST:
		if (!timer_is_set(&c->grace))
			timer_set(tsip_call_timers(c), &c->grace, TSIP_LOST_MS,
				  lost, c);
		break;
	case PUMP_BEGAN:
	case PUMP_HEARD:
	case PUMP_CLOSED:
		break;
	}
}

static void sound_over(struct tsip_call *c)
{
	int64_t now_ms = tsip_call_now(c);

	if (c->play_over_ms > now_ms)
		c->play_over_ms = now_ms;
}

static int call_play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	struct tsip_call *c = (struct tsip_call *)call;
	int err;

	if (c->state != TSIP_UP)
		return -ENOTCONN;
	err = pump_stream_play(c->stream, p, id);
	if (err)
		return err;
	c->play_id = id;
	c->play_began_ms = tsip_call_now(c);
	c->play_over_ms = c->play_began_ms + playlist_ms(p);
	return 0;
}

static void call_stop(struct tel_call *call)
{
	struct tsip_call *c = (struct tsip_call *)call;

	if (c->state != TSIP_UP)
		return;
	sound_over(c);
	pump_stream_stop(c->stream);
}

/* --- keys by INFO --------------------------------------------------------------------------- */

/* "Signal=5" of application/dtmf-relay, "5" of application/dtmf. */
static char signal_of(const struct sip_msg *msg)
{
	static const char keys[] = "0123456789*#*#";
	static const char *const words[] = {"0", "1", "2",  "3", "4",
					    "5", "6", "7",  "8", "9",
					    "*", "#", "10", "11"};
	struct span rest = span_make(mbuf_buf(msg->mb), mbuf_get_left(msg->mb));
	struct span line, name;

	if (msg_ctype_cmp(&msg->ctyp, "application", "dtmf-relay")) {
		for (name = (struct span){0}; span_cut(&rest, '\n', &line);) {
			if (span_cut(&line, '=', &name) &&
			    tsip_text_is(span_trim(name), "Signal"))
				break;
			line = (struct span){0};
		}
	} else if (msg_ctype_cmp(&msg->ctyp, "application", "dtmf")) {
		line = rest;
	} else {
		return '\0';
	}
	line = span_trim(line);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (span_is(line, words[i]))
			return keys[i];
	}
	return '\0';
}

static bool too_many(struct tsip_call *c, int64_t now_ms)
{
	if (now_ms - c->info_second_ms >= MS_PER_S) {
		c->info_second_ms = now_ms;
		c->info_keys = 0;
	}
	return c->info_keys++ >= TSIP_INFO_KEYS_PER_SECOND;
}

void tsip_call_info(struct tsip_call *c, const struct sip_msg *msg)
{
	int64_t now_ms = tsip_call_now(c);
	int64_t until_ms = now_ms < c->play_over_ms ? now_ms : c->play_over_ms;
	char key;

	if (c->state != TSIP_UP || !c->trunk->conf.info_keys)
		return;
	key = signal_of(msg);
	if (!key || too_many(c, now_ms))
		return;
	(void)tsip_call_tell(
		c,
		&(struct tel_event){
			.kind = TEL_KEY,
			.key = key,
			.play_id = c->play_id,
			.played_ms = (unsigned)(until_ms - c->play_began_ms)});
}

/* --- offers and answers ---------------------------------------------------------------------- */

static struct tsip_sdp_ours ours(const struct tsip_call *c)
{
	const struct tel_sip_params *p = &c->trunk->sip->p;
	bool other = p->advertise_media && p->advertise_media[0];

	return (struct tsip_sdp_ours){
		.address = other ? p->advertise_media : p->media,
		.port = pump_stream_port(c->stream),
		.first = c->trunk->conf.codec,
		.both = true,
		.ptime_ms = PTIME_MS,
		.session = c->sdp_session,
		.version = c->sdp_version,
		.direction = TSIP_SDP_SENDRECV,
		.events = (c->trunk->conf.keys & PUMP_KEYS_EVENTS) != 0,
	};
}

int tsip_call_write(struct tsip_call *c, char *out, size_t size)
{
	struct tsip_sdp_ours o = ours(c);

	return tsip_sdp_write(&o, out, size);
}

int tsip_call_read(const struct tsip_call *c, struct span sdp,
		   struct pump_far *far, enum tsip_sdp_direction *theirs)
{
	unsigned wanted = c->trunk->conf.keys;
	struct pump_far new;
	int err = tsip_sdp_read(sdp, &new, theirs);

	if (err)
		return err;
	if (net_is_any(&new.rtp)) { /* it holds us: where it is stays known */
		if (!c->has_far)
			return -ENOTSUP;
		new.rtp = c->far.rtp;
		new.rtcp = c->far.rtcp;
	}
	new.networks = &c->trunk->conf.media;
	new.keys &= wanted;
	if (new.keys == PUMP_KEYS_NONE)
		new.keys = wanted &PUMP_KEYS_TONES;
	*far = new;
	return 0;
}

int tsip_call_connect(struct tsip_call *c, const struct pump_far *far)
{
	int err = pump_stream_connect(c->stream, far);

	if (err)
		return err;
	c->far = *far;
	c->has_far = c->connected = true;
	return 0;
}

int tsip_call_offer(struct tsip_call *c, struct span sdp, char *out,
		    size_t size)
{
	enum tsip_sdp_direction theirs;
	struct tsip_sdp_ours o;
	struct pump_far far;
	int err;

	if (c->state != TSIP_UP)
		return -ENOTCONN;
	err = tsip_call_read(c, sdp, &far, &theirs);
	if (err)
		return err;
	c->sdp_version++;
	o = ours(c);
	o.offer = sdp;
	o.agreed = &far;
	o.ptime_ms = far.ptime_ms;
	o.direction = tsip_sdp_reply(theirs);
	err = tsip_sdp_write(&o, out, size);
	return err ? err : tsip_call_connect(c, &far);
}

/* --- the driver --------------------------------------------------------------------------------- */

static void call_close(struct tel_call *call)
{
	struct tsip_call *c = (struct tsip_call *)call;
	bool streams = c->stream && !is_over(c);

	timer_stop(tsip_call_timers(c), &c->limit);
	timer_stop(tsip_call_timers(c), &c->grace);
	tsip_call_set_state(c, TSIP_CLOSED);
	tsip_invite_forget(c);
	if (streams)
		pump_stream_close(c->stream);
	if (!c->stream)
		free_call(c);
}

static struct tsip_call *new_call(struct tsip_trunk *t,
				  const struct tel_params *params)
{
	struct tsip_call *c = b_zero(1, sizeof(*c));
	uint32_t session;

	c->trunk = t;
	c->event = params->event;
	c->ctx = params->ctx;
	c->ring_ms = params->ring_ms ? params->ring_ms : TSIP_RING_MS;
	c->trace = params->trace ? tsip_trace_new() : NULL;
	rng_fill(t->sip->p.rng, &session, sizeof(session));
	c->sdp_session = session;
	c->sdp_version = 1;
	ll_append(&t->sip->calls, &c->link);
	t->sip->call_count++;
	return c;
}

static int call_dial(void *state, const struct tel_params *params,
		     struct tel_call **out)
{
	struct tsip_trunk *t = state;
	AUTO_FREE struct tsip_trunk_words *words = b_zero(1, sizeof(*words));
	struct tsip_call *c;
	int err;

	if (!t->where)
		return -EHOSTUNREACH;
	if (t->sip->call_count >= TSIP_CALLS_MAX)
		return -EBUSY;
	err = tsip_trunk_words(t, params->to, params->from, words);
	if (err)
		return -EHOSTUNREACH;
	c = new_call(t, params);
	err = pump_stream_new(t->sip->p.pump, on_pump, c, &c->stream);
	if (!err) {
		c->words = KEEP(words);
		err = tsip_invite(c);
	}
	if (err) {
		call_close(&c->base);
		return err == -EBUSY ? -EBUSY : -EHOSTUNREACH;
	}
	*out = &c->base;
	return 0;
}

static bool call_serves(void *state, const char *to)
{
	(void)state;
	return to[0] == '+'; /* routes say which */
}

static enum tel_state call_state(void *state)
{
	struct tsip_trunk *t = state;

	return atomic_load(&t->state);
}

static void call_hang_up(struct tel_call *call)
{
	struct tsip_call *c = (struct tsip_call *)call;

	if (!is_over(c))
		tsip_call_end(c, TEL_WE_HUNG_UP, 0, 0);
}

static void trunk_free(void *state)
{
	struct tsip_trunk *t = state;

	t->tel = NULL; /* the trunk itself is the line's */
}

void tsip_call_forget(struct tsip_trunk *t)
{
	ll_each_safe (at, &t->sip->calls) {
		struct tsip_call *c = ll_entry(at, struct tsip_call, link);

		if (c->trunk != t)
			continue;
		assert(c->state == TSIP_CLOSED);
		free_call(c);
	}
}

const struct tel_driver tsip_call_driver = {
	.name = "trunk",
	.dial = call_dial,
	.serves = call_serves,
	.state = call_state,
	.play = call_play,
	.stop = call_stop,
	.hang_up = call_hang_up,
	.close = call_close,
	.free = trunk_free,
};
