// SPDX-License-Identifier: Apache-2.0
/*
 * scripted.c - the line to a scripted person.
 *
 * A call has three timers: what the network does next (rings, answers, ends),
 * what is heard next of the sound that plays, and what the hand does next.
 * Each firing does one thing and speaks to the owner last, because the owner
 * may close the call in its handler.
 */
#include "tel/scripted.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "tel/scripted_priv.h"

enum {
	RING_MS = 200,     /* from the dial */
	PICK_UP_MS = 1800, /* from the first ring */
	MAILBOX_MS = 20000,
	LATE_BY_MS = 1000, /* before the ring limit */
	MAILBOX_KEYS = 15,
	MAILBOX_KEYS_MS = 12000,

	SIP_BUSY_HERE = 486,
	SIP_DECLINE = 603,
	Q850_USER_BUSY = 17,
	Q850_CALL_REJECTED = 21,
};

enum line {
	LINE_DIALLING,
	LINE_FORWARDED,
	LINE_RINGING,
	LINE_UP,
	LINE_ENDING, /* TEL_ENDED is on its way */
	LINE_ENDED,
	LINES
};

struct scripted {
	struct tel_scripted_params params;
	struct tel_ears *ears;
};

struct sound {
	struct playlist *list; /* NULL: silence */
	uint32_t id;
	int64_t began_ms;
	unsigned played_ms; /* once it is over */
	struct tel_heard *heard;
	size_t count, next;
	bool keys; /* for a switchboard: the person is not there yet */
};

struct script_call {
	struct tel_call base;
	struct scripted *phone;
	char *id;
	unsigned ring_ms;
	tel_event_h *event;
	void *ctx;
	enum line line;
	struct tel_event end;                 /* what TEL_ENDED will say */
	const struct tel_script_fault *fault; /* NULL: none */
	bool trace;
	struct sound sound;
	struct tel_person person;
	enum tel_intent intent;
	size_t key; /* of person.keys, to be pressed next */
	struct timer network, ear, hand;
};

/* --- which script -------------------------------------------------------- */

static int sandbox_script(const char *to)
{
	static const struct {
		const char *number;
		enum tel_script script;
	} table[] = {
		{"+15555550110", TEL_SCRIPT_LISTEN},
		{"+15555550111", TEL_SCRIPT_TYPE},
		{"+15555550120", TEL_SCRIPT_BUSY},
		{"+15555550121", TEL_SCRIPT_NO_ANSWER},
		{"+15555550122", TEL_SCRIPT_DECLINE},
		{"+15555550123", TEL_SCRIPT_MAILBOX},
		{"+15555550124", TEL_SCRIPT_LATE},
		{"+15555550125", TEL_SCRIPT_HANG_UP},
		{"+15555550126", TEL_SCRIPT_FORWARDED},
		{"+15555550127", TEL_SCRIPT_REPORT},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (strcmp(to, table[i].number) == 0)
			return (int)table[i].script;
	return -ENOENT;
}

static int script_of(const struct scripted *s, const char *to)
{
	return s->params.script ? s->params.script(to, s->params.ctx)
				: sandbox_script(to);
}

static bool scripted_serves(void *state, const char *to)
{
	int script = script_of(state, to);

	return script >= 0 && script < (int)TEL_SCRIPTS;
}

/* --- small things -------------------------------------------------------- */

static struct timers *timers_of(const struct script_call *c)
{
	return loop_timers(c->phone->params.loop);
}

static int64_t now_ms(const struct script_call *c)
{
	return clock_mono_ms(loop_clock(c->phone->params.loop));
}

static void set_line(struct script_call *c, enum line to)
{
	static const bool allowed[LINES][LINES] = {
		[LINE_DIALLING] = {[LINE_FORWARDED] = true,
				   [LINE_RINGING] = true,
				   [LINE_ENDING] = true},
		[LINE_FORWARDED] =
			{[LINE_RINGING] = true, [LINE_ENDING] = true},
		[LINE_RINGING] = {[LINE_UP] = true, [LINE_ENDING] = true},
		[LINE_UP] = {[LINE_ENDING] = true},
		[LINE_ENDING] = {[LINE_ENDED] = true},
	};

	assert(allowed[c->line][to]);
	c->line = to;
}

/* The last thing that a handler of ours does: the call may be gone after it. */
static void tell(struct script_call *c, const struct tel_event *ev)
{
	c->event(ev, c->ctx);
}

static void tell_kind(struct script_call *c, enum tel_event_kind kind)
{
	tell(c, &(struct tel_event){.kind = kind});
}

static unsigned played_ms(const struct script_call *c)
{
	int64_t ms;

	if (!c->sound.list)
		return c->sound.played_ms;
	ms = now_ms(c) - c->sound.began_ms;
	return ms < (int64_t)playlist_ms(c->sound.list)
		       ? (unsigned)ms
		       : playlist_ms(c->sound.list);
}

static void forget_sound(struct script_call *c)
{
	struct sound *s = &c->sound;

	timer_stop(timers_of(c), &c->ear);
	s->played_ms = played_ms(c);
	playlist_unref(s->list);
	s->list = NULL;
	if (s->heard)
		crypto_wipe(s->heard, s->count * sizeof(*s->heard));
	free(s->heard);
	s->heard = NULL;
	s->count = s->next = 0;
	s->keys = false;
}

static void keys_are_sent(const struct script_call *c)
{
	const struct tel_scripted_params *p = &c->phone->params;
	char keys[PLAYLIST_KEYS_MAX + 1];

	if (!c->sound.keys || !p->keyed)
		return;
	(void)playlist_keys(c->sound.list, keys);
	p->keyed(c->id, keys, p->ctx);
}

static void send_end(void *ctx)
{
	struct script_call *c = ctx;
	const struct tel_scripted_params *p = &c->phone->params;
	const struct tel_params call = {.call_id = c->id, .trace = c->trace};

	set_line(c, LINE_ENDED);
	if (p->record)
		c->end.record = p->record(&call, p->ctx);
	tell(c, &c->end);
}

static void end(struct script_call *c, enum tel_cause cause, int sip_code,
		int q850)
{
	set_line(c, LINE_ENDING);
	timer_stop(timers_of(c), &c->hand);
	forget_sound(c);
	c->end = (struct tel_event){.kind = TEL_ENDED,
				    .cause = cause,
				    .sip_code = sip_code,
				    .q850 = q850};
	timer_set(timers_of(c), &c->network, 0, send_end, c);
}

/* --- the hand ------------------------------------------------------------ */

static void act(void *ctx);

static void set_hand(struct script_call *c, enum tel_intent intent,
		     unsigned after_ms)
{
	c->intent = intent;
	timer_set(timers_of(c), &c->hand, after_ms, act, c);
}

static void follow(struct script_call *c, struct tel_plan next)
{
	switch (next.intent) {
	case TEL_KEEP:
		return;
	case TEL_WAIT:
		timer_stop(timers_of(c), &c->hand);
		return;
	case TEL_PRESS:
	case TEL_TYPE:
	case TEL_GO_AWAY:
		c->key = 0;
		set_hand(c, next.intent, next.after_ms);
		return;
	}
}

static void press(struct script_call *c)
{
	struct tel_event ev = {.kind = TEL_KEY,
			       .key = c->person.keys[c->key++],
			       .play_id = c->sound.id,
			       .played_ms = played_ms(c)};

	if (c->person.keys[c->key] != '\0')
		set_hand(c, TEL_PRESS, TEL_PERSON_KEY_MS);
	else
		follow(c, tel_person_keys_pressed(&c->person));
	tell(c, &ev);
}

/* The code that the owner of this telephone knows for this call, or NULL. */
static const char *given_code(const struct script_call *c)
{
	const struct tel_scripted_params *p = &c->phone->params;

	return p->types ? p->types(c->id, p->ctx) : NULL;
}

static void type(struct script_call *c)
{
	tel_person_types(&c->person, given_code(c));
	c->key = 0;
	if (c->person.keys[0] != '\0')
		press(c);
}

static void act(void *ctx)
{
	struct script_call *c = ctx;

	switch (c->intent) {
	case TEL_PRESS:
		press(c);
		return;
	case TEL_TYPE:
		type(c);
		return;
	case TEL_GO_AWAY:
		end(c, TEL_HUNG_UP, 0, 0);
		return;
	case TEL_KEEP:
	case TEL_WAIT:
		assert(false); /* no timer is set for these */
	}
}

/* --- the ear ------------------------------------------------------------- */

static void hear(void *ctx);

static void sound_is_over(struct script_call *c)
{
	bool keys = c->sound.keys;

	forget_sound(c);
	if (keys)
		return;
	c->person.knows_code = given_code(c) != NULL;
	follow(c, tel_person_sound_ends(&c->person));
}

static void set_ear(struct script_call *c)
{
	const struct sound *s = &c->sound;
	unsigned at_ms = s->next < s->count ? s->heard[s->next].end_ms
					    : playlist_ms(s->list);

	timer_set(timers_of(c), &c->ear, s->began_ms + at_ms - now_ms(c), hear,
		  c);
}

static void hear_digit(struct script_call *c)
{
	const struct tel_scripted_params *p = &c->phone->params;
	struct sound *s = &c->sound;
	char digit = s->heard[s->next++].digit;

	if (s->next == s->count && tel_person_listens(c->person.script))
		follow(c, tel_person_digits_said(&c->person, s->list, s->heard,
						 s->count));
	set_ear(c);
	if (p->heard)
		p->heard(c->id, digit, p->ctx);
}

static void hear(void *ctx)
{
	struct script_call *c = ctx;
	struct tel_event ev = {.kind = TEL_PLAYED, .play_id = c->sound.id};

	if (c->sound.next < c->sound.count) {
		hear_digit(c);
		return;
	}
	keys_are_sent(c);
	sound_is_over(c);
	ev.played_ms = c->sound.played_ms;
	tell(c, &ev);
}

static int scripted_play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	struct script_call *c = (struct script_call *)call;
	struct sound *s = &c->sound;
	char keys[PLAYLIST_KEYS_MAX + 1];

	if (c->line != LINE_UP)
		return -ENOTCONN;
	playlist_ref(p);
	if (s->list)
		sound_is_over(c);
	s->list = p;
	s->id = id;
	s->began_ms = now_ms(c);
	s->keys = playlist_keys(p, keys) > 0;
	if (s->keys) {
		set_ear(c);
		return 0;
	}
	if (c->phone->params.heard || tel_person_listens(c->person.script))
		s->count = tel_ears_listen(c->phone->ears, p, &s->heard);
	if (!c->phone->params.heard && s->count > 0)
		s->next = s->count - 1; /* nobody asks for the others */
	follow(c, tel_person_sound_begins(&c->person, p, s->began_ms));
	set_ear(c);
	return 0;
}

static void scripted_stop(struct tel_call *call)
{
	struct script_call *c = (struct script_call *)call;

	if (c->sound.list)
		sound_is_over(c);
}

/* --- the network --------------------------------------------------------- */

static void answer(void *ctx)
{
	struct script_call *c = ctx;

	if (c->person.script == TEL_SCRIPT_DECLINE) {
		end(c, TEL_REFUSED, SIP_DECLINE, Q850_CALL_REJECTED);
		return;
	}
	set_line(c, LINE_UP);
	follow(c, tel_person_answers(&c->person));
	tell_kind(c, TEL_ANSWERED);
}

static void ring_limit(void *ctx)
{
	end(ctx, TEL_NO_ANSWER, 0, 0);
}

/* How long it rings before somebody, or something, takes the call. */
static unsigned rings_for(const struct script_call *c)
{
	unsigned late = c->ring_ms > LATE_BY_MS ? c->ring_ms - LATE_BY_MS : 0;

	switch (c->person.script) {
	case TEL_SCRIPT_LATE:
		return late;
	case TEL_SCRIPT_MAILBOX:
		return late < MAILBOX_MS ? late : MAILBOX_MS;
	case TEL_SCRIPT_NO_ANSWER:
		return UINT_MAX;
	case TEL_SCRIPT_LISTEN:
	case TEL_SCRIPT_TYPE:
	case TEL_SCRIPT_BUSY:
	case TEL_SCRIPT_DECLINE:
	case TEL_SCRIPT_HANG_UP:
	case TEL_SCRIPT_FORWARDED:
	case TEL_SCRIPT_REPORT:
	case TEL_SCRIPT_SILENT:
	case TEL_SCRIPT_WRONG:
	case TEL_SCRIPT_REPEAT:
	case TEL_SCRIPTS:
		break;
	}
	return PICK_UP_MS;
}

static void ring(void *ctx)
{
	struct script_call *c = ctx;
	unsigned ms = rings_for(c);

	set_line(c, LINE_RINGING);
	if (ms < c->ring_ms)
		timer_set(timers_of(c), &c->network, ms, answer, c);
	else
		timer_set(timers_of(c), &c->network, c->ring_ms, ring_limit, c);
	tell_kind(c, TEL_RINGING);
}

static void fail(void *ctx)
{
	struct script_call *c = ctx;
	const struct tel_script_fault *f = c->fault;

	end(c, f->sip_code ? TEL_REFUSED : TEL_UNREACHABLE, f->sip_code,
	    f->q850);
}

static void reach_fault(struct script_call *c)
{
	const struct tel_script_fault *f = c->fault;

	if (!f->rings && !f->early_media) {
		fail(c);
		return;
	}
	timer_set(timers_of(c), &c->network, PICK_UP_MS, fail, c);
	if (f->rings)
		set_line(c, LINE_RINGING);
	tell_kind(c, f->rings ? TEL_RINGING : TEL_EARLY_MEDIA);
}

static void reach(void *ctx)
{
	struct script_call *c = ctx;

	if (c->fault) {
		reach_fault(c);
		return;
	}
	switch ((int)c->person.script) {
	case TEL_SCRIPT_BUSY:
		end(c, TEL_REFUSED, SIP_BUSY_HERE, Q850_USER_BUSY);
		return;
	case TEL_SCRIPT_FORWARDED:
		set_line(c, LINE_FORWARDED);
		timer_set(timers_of(c), &c->network, 0, ring, c);
		tell_kind(c, TEL_FORWARDED);
		return;
	default:
		ring(c);
	}
}

static int scripted_dial(void *state, const struct tel_params *params,
			 struct tel_call **out)
{
	struct scripted *s = state;
	const struct tel_scripted_params *p = &s->params;
	struct script_call *c = b_zero(1, sizeof(*c));

	c->phone = s;
	c->id = b_strdup(params->call_id);
	c->ring_ms = params->ring_ms;
	c->event = params->event;
	c->ctx = params->ctx;
	c->fault = p->fault ? p->fault(params->to, p->ctx) : NULL;
	c->trace = params->trace;
	c->person.script = (enum tel_script)script_of(s, params->to);
	c->person.rng = p->rng;
	c->person.types_max = p->types_max;
	c->person.mailbox_keys =
		p->mailbox_keys ? p->mailbox_keys : MAILBOX_KEYS;
	c->person.mailbox_ms = p->mailbox_ms ? p->mailbox_ms : MAILBOX_KEYS_MS;
	timer_set(timers_of(c), &c->network, RING_MS, reach, c);
	*out = &c->base;
	return 0;
}

static void scripted_hang_up(struct tel_call *call)
{
	struct script_call *c = (struct script_call *)call;

	if (c->line != LINE_ENDING && c->line != LINE_ENDED)
		end(c, TEL_WE_HUNG_UP, 0, 0);
}

static void scripted_close(struct tel_call *call)
{
	struct script_call *c = (struct script_call *)call;

	timer_stop(timers_of(c), &c->network);
	timer_stop(timers_of(c), &c->hand);
	forget_sound(c);
	free(c->id);
	crypto_wipe(c, sizeof(*c));
	free(c);
}

static void scripted_free(void *state)
{
	struct scripted *s = state;

	tel_ears_free(s->ears);
	free(s);
}

static enum tel_state scripted_state(void *state)
{
	const struct tel_scripted_params *p =
		&((struct scripted *)state)->params;

	return p->state ? p->state(p->ctx) : TEL_UP;
}

static const struct tel_driver scripted_driver = {
	.name = "script",
	.dial = scripted_dial,
	.serves = scripted_serves,
	.state = scripted_state,
	.play = scripted_play,
	.stop = scripted_stop,
	.hang_up = scripted_hang_up,
	.close = scripted_close,
	.free = scripted_free,
};

int tel_scripted_new(const struct tel_scripted_params *params, struct tel **out)
{
	struct scripted *s;
	struct tel_ears *ears;
	int err = tel_ears_new(params->ears, params->ears_count, &ears);

	if (err)
		return err;
	s = b_zero(1, sizeof(*s));
	s->params = *params;
	s->params.ears = NULL; /* theirs; we have our own */
	s->ears = ears;
	*out = tel_new(&scripted_driver, s);
	return 0;
}
