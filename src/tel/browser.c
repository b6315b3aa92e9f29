// SPDX-License-Identifier: Apache-2.0
/*
 * browser.c - the line to a page.
 *
 * Here a call is like any other: it rings, is answered, plays, ends.  How a
 * page learns of it and what it answers is browser_pages.c's.
 */
#include "tel/browser.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "tel/browser_priv.h"

enum {
	SIP_DECLINE = 603,
	Q850_CALL_REJECTED = 21,
};

/* --- small things -------------------------------------------------------- */

void tel_browser_lock(struct tel_browser *b)
{
	int err = pthread_mutex_lock(&b->lock);

	assert(!err);
}

void tel_browser_unlock(struct tel_browser *b)
{
	int err = pthread_mutex_unlock(&b->lock);

	assert(!err);
}

int64_t tel_browser_now(const struct tel_browser *b)
{
	return clock_mono_ms(loop_clock(b->loop));
}

void tel_browser_id(struct tel_browser *b, char id[TEL_BROWSER_ID_BYTES])
{
	uint8_t random[(TEL_BROWSER_ID_BYTES - 1) / 2];

	rng_fill(b->rng, random, sizeof(random));
	crypto_hex(random, sizeof(random), id);
}

static struct timers *timers_of(const struct page_call *c)
{
	return loop_timers(c->phone->loop);
}

static void set_line(struct page_call *c, enum page_line to)
{
	static const bool allowed[PAGE_LINES][PAGE_LINES] = {
		[PAGE_DIALLED] = {[PAGE_RINGING] = true, [PAGE_ENDING] = true},
		[PAGE_RINGING] = {[PAGE_UP] = true, [PAGE_ENDING] = true},
		[PAGE_UP] = {[PAGE_ENDING] = true},
		[PAGE_ENDING] = {[PAGE_ENDED] = true},
	};

	assert(allowed[c->line][to]);
	c->line = to;
}

struct page_call *tel_browser_find(struct tel_browser *b, const char *call)
{
	if (strlen(call) != TEL_BROWSER_ID_BYTES - 1)
		return NULL;
	ll_each (at, &b->calls) {
		struct page_call *c = ll_entry(at, struct page_call, link);

		if (crypto_equal(c->id, call, TEL_BROWSER_ID_BYTES))
			return c;
	}
	return NULL;
}

/* --- sounds -------------------------------------------------------------- */

struct page_sound *tel_browser_sound_of(struct page_call *c, uint32_t id)
{
	size_t kept = c->sound_count < TEL_BROWSER_SOUNDS_MAX
			      ? c->sound_count
			      : TEL_BROWSER_SOUNDS_MAX;

	for (size_t i = 1; i <= kept; i++) {
		struct page_sound *s = &c->sounds[(c->sound_count - i) %
						  TEL_BROWSER_SOUNDS_MAX];

		if (s->id == id)
			return s;
	}
	return NULL;
}

/* How much of a sound can have been played at a time, whatever a page says. */
static unsigned playable_ms(const struct page_sound *s, int64_t now_ms)
{
	int64_t end_ms = s->over_ms >= 0 ? s->over_ms : now_ms;
	int64_t ms = end_ms - s->began_ms;

	return ms < (int64_t)playlist_ms(s->list) ? (unsigned)ms
						  : playlist_ms(s->list);
}

static void sound_over(struct page_call *c)
{
	timer_stop(timers_of(c), &c->ear);
	if (c->now)
		c->now->over_ms = tel_browser_now(c->phone);
	c->now = NULL;
}

/* The current sound is over; *ev says so. */
static void played(struct page_call *c, struct tel_event *ev)
{
	*ev = (struct tel_event){.kind = TEL_PLAYED,
				 .play_id = c->now->id,
				 .played_ms = playlist_ms(c->now->list)};
	sound_over(c);
}

static void sound_ends(void *ctx)
{
	struct page_call *c = ctx;
	struct tel_event ev;

	tel_browser_lock(c->phone);
	played(c, &ev);
	tel_browser_unlock(c->phone);
	c->event(&ev, c->ctx);
}

static void keep_sound(struct page_call *c, struct playlist *p, uint32_t id)
{
	struct page_sound *s =
		&c->sounds[c->sound_count++ % TEL_BROWSER_SOUNDS_MAX];

	playlist_unref(s->list);
	*s = (struct page_sound){.id = id,
				 .list = playlist_ref(p),
				 .began_ms = tel_browser_now(c->phone),
				 .over_ms = -1};
	c->now = s;
}

static int page_play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	struct page_call *c = (struct page_call *)call;
	int err = -ENOTCONN;

	tel_browser_lock(c->phone);
	if (c->line == PAGE_UP) {
		sound_over(c);
		keep_sound(c, p, id);
		timer_set(timers_of(c), &c->ear,
			  (int64_t)playlist_ms(p) + TEL_BROWSER_PLAYED_MS,
			  sound_ends, c);
		tel_browser_send_play(c);
		err = 0;
	}
	tel_browser_unlock(c->phone);
	return err;
}

static void page_stop(struct tel_call *call)
{
	struct page_call *c = (struct page_call *)call;

	tel_browser_lock(c->phone);
	if (c->now) {
		tel_browser_send_stop(c);
		sound_over(c);
	}
	tel_browser_unlock(c->phone);
}

/* --- the line ------------------------------------------------------------ */

static void send_end(void *ctx)
{
	struct page_call *c = ctx;

	tel_browser_lock(c->phone);
	set_line(c, PAGE_ENDED);
	tel_browser_unlock(c->phone);
	c->event(&c->end, c->ctx);
}

/* Tell the pages that it is over, in a word for them. */
static void dismiss(struct page_call *c, const char *why)
{
	if (c->line == PAGE_RINGING)
		tel_browser_ring_over(c, c->owner, why);
	if (c->owner)
		tel_browser_send_ended(c, why);
	sound_over(c);
}

static void end(struct page_call *c, enum tel_cause cause, const char *why)
{
	dismiss(c, why);
	set_line(c, PAGE_ENDING);
	c->end = (struct tel_event){.kind = TEL_ENDED, .cause = cause};
	if (cause == TEL_REFUSED) {
		c->end.sip_code = SIP_DECLINE;
		c->end.q850 = Q850_CALL_REJECTED;
	}
	timer_set(timers_of(c), &c->network, 0, send_end, c);
}

static void ring_limit(void *ctx)
{
	struct page_call *c = ctx;

	tel_browser_lock(c->phone);
	end(c, TEL_NO_ANSWER, "no_answer");
	tel_browser_unlock(c->phone);
}

static void ring(void *ctx)
{
	struct page_call *c = ctx;

	tel_browser_lock(c->phone);
	set_line(c, PAGE_RINGING);
	c->rings_until_ms = tel_browser_now(c->phone) + c->ring_ms;
	timer_set(timers_of(c), &c->network, c->ring_ms, ring_limit, c);
	tel_browser_ring(c);
	tel_browser_unlock(c->phone);
	c->event(&(struct tel_event){.kind = TEL_RINGING}, c->ctx);
}

static int page_dial(void *state, const struct tel_params *params,
		     struct tel_call **out)
{
	struct tel_browser *b = state;
	struct page_call *c;

	if (b->call_count == TEL_BROWSER_CALLS_MAX)
		return -EBUSY;
	c = b_zero(1, sizeof(*c));
	c->phone = b;
	c->ring_ms = params->ring_ms;
	c->event = params->event;
	c->ctx = params->ctx;
	(void)snprintf(c->from, sizeof(c->from), "%s", params->from);
	tel_browser_lock(b);
	tel_browser_id(b, c->id);
	ll_append(&b->calls, &c->link);
	b->call_count++;
	tel_browser_unlock(b);
	timer_set(timers_of(c), &c->network, 0, ring, c);
	*out = &c->base;
	return 0;
}

static bool page_serves(void *state, const char *to)
{
	const struct tel_browser *b = state;

	return strcmp(b->number, to) == 0;
}

static bool is_over(const struct page_call *c)
{
	return c->line == PAGE_ENDING || c->line == PAGE_ENDED;
}

static void page_hang_up(struct tel_call *call)
{
	struct page_call *c = (struct page_call *)call;

	tel_browser_lock(c->phone);
	if (!is_over(c))
		end(c, TEL_WE_HUNG_UP, "we_hung_up");
	tel_browser_unlock(c->phone);
}

static void page_close(struct tel_call *call)
{
	struct page_call *c = (struct page_call *)call;
	struct tel_browser *b = c->phone;

	tel_browser_lock(b);
	if (!is_over(c))
		dismiss(c, "we_hung_up");
	timer_stop(timers_of(c), &c->network);
	ll_remove(&c->link);
	b->call_count--;
	tel_browser_unlock(b);
	for (size_t i = 0; i < TEL_BROWSER_SOUNDS_MAX; i++)
		playlist_unref(c->sounds[i].list);
	free(c);
}

/* --- what a page did ----------------------------------------------------- */

static bool answer(struct page_call *c, struct tel_event *ev)
{
	if (c->line != PAGE_RINGING)
		return false;
	timer_stop(timers_of(c), &c->network);
	tel_browser_ring_over(c, c->owner, "answered");
	set_line(c, PAGE_UP);
	*ev = (struct tel_event){.kind = TEL_ANSWERED};
	return true;
}

static bool key(struct page_call *c, const struct page_deed *deed,
		struct tel_event *ev)
{
	const struct tel_browser_action *a = &deed->action;
	const struct page_sound *s = tel_browser_sound_of(c, a->play);
	unsigned most_ms = s ? playable_ms(s, deed->at_ms) : 0;

	if (c->line != PAGE_UP)
		return false;
	*ev = (struct tel_event){.kind = TEL_KEY,
				 .key = a->key,
				 .play_id = a->play,
				 .played_ms = a->at_ms < most_ms ? a->at_ms
								 : most_ms};
	return true;
}

static bool page_played(struct page_call *c, uint32_t id, struct tel_event *ev)
{
	int64_t left_ms;

	if (!c->now || c->now->id != id)
		return false;
	left_ms = c->now->began_ms + playlist_ms(c->now->list) -
		  tel_browser_now(c->phone);
	if (left_ms > 0) {
		/* no sound is over before its time */
		timer_set(timers_of(c), &c->ear, left_ms, sound_ends, c);
		return false;
	}
	played(c, ev);
	return true;
}

bool tel_browser_act(struct page_call *c, const struct page_deed *deed,
		     struct tel_event *ev)
{
	switch (deed->action.act) {
	case TEL_BROWSER_ANSWER:
		return answer(c, ev);
	case TEL_BROWSER_DECLINE:
		if (c->line == PAGE_RINGING && !c->owner)
			end(c, TEL_REFUSED, "declined");
		return false;
	case TEL_BROWSER_HANG_UP:
		if (!is_over(c))
			end(c, TEL_HUNG_UP, "hung_up");
		return false;
	case TEL_BROWSER_KEY:
		return key(c, deed, ev);
	case TEL_BROWSER_PLAYED:
		return page_played(c, deed->action.play, ev);
	}
	return false;
}

void tel_browser_lost(struct tel_browser *b, const struct page *p)
{
	ll_each (at, &b->calls) {
		struct page_call *c = ll_entry(at, struct page_call, link);

		if (c->owner != p)
			continue;
		if (!is_over(c))
			end(c, TEL_HUNG_UP, "hung_up");
		c->owner = NULL;
	}
}

/* --- the telephone ------------------------------------------------------- */

void tel_browser_unref(struct tel_browser *b)
{
	unsigned left;

	tel_browser_lock(b);
	left = --b->refs;
	tel_browser_unlock(b);
	if (left > 0)
		return;
	(void)pthread_mutex_destroy(&b->lock);
	crypto_wipe(b, sizeof(*b));
	free(b);
}

static void page_free(void *state)
{
	struct tel_browser *b = state;

	assert(ll_empty(&b->calls));
	tel_browser_lock(b);
	tel_browser_free_pages(b);
	b->freed = true;
	tel_browser_unlock(b);
	tel_browser_unref(b);
}

static const struct tel_driver browser_driver = {
	.name = "page",
	.dial = page_dial,
	.serves = page_serves,
	.play = page_play,
	.stop = page_stop,
	.hang_up = page_hang_up,
	.close = page_close,
	.free = page_free,
};

int tel_browser_new(struct loop *loop, struct rng *rng, const char *number,
		    struct tel_browser **phone, struct tel **out)
{
	struct tel_browser *b;
	int err;

	if (strlen(number) >= TEL_NUMBER_BYTES)
		return -EINVAL;
	b = b_zero(1, sizeof(*b));
	b->loop = loop;
	b->rng = rng;
	b->refs = 1;
	(void)snprintf(b->number, sizeof(b->number), "%s", number);
	ll_init(&b->pages);
	ll_init(&b->calls);
	err = pthread_mutex_init(&b->lock, NULL);
	assert(!err);
	*phone = b;
	*out = tel_new(&browser_driver, b);
	return 0;
}
