// SPDX-License-Identifier: Apache-2.0
/*
 * browser_pages.c - the pages of the page's telephone.
 *
 * Web threads come in here.  What they want is looked at under the lock, so
 * that they get an answer, and left in a bounded ring for the line thread,
 * which is woken by the one post that the telephone has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "tel/browser_priv.h"

enum {
	CAPTION_TEXT_MAX = 6 * CLIP_CAPTION_MAX + 64, /* one, as JSON */
	EVENT_TAIL = 16, /* what must still fit behind the captions */
};

/* --- what pages are told: the line thread -------------------------------- */

static void tell_page(const struct page *p, const char *event, const char *json)
{
	if (p && p->send)
		p->send(event, json, p->ctx);
}

static void wipe(struct buf *b)
{
	if (b->p)
		crypto_wipe(b->p, b->cap);
}

static void send_ring(const struct page *p, const struct page_call *c)
{
	AUTO_BUF(json, TEL_BROWSER_EVENT_MAX);
	int64_t left_ms = c->rings_until_ms - tel_browser_now(c->phone);

	buf_printf(&json, "{\"call\":\"%s\",\"from\":", c->id);
	buf_json(&json, span_of(c->from));
	buf_printf(&json, ",\"left_ms\":%lld}", (long long)left_ms);
	tell_page(p, "ring", json.p);
}

void tel_browser_ring(struct page_call *c)
{
	ll_each (at, &c->phone->pages) {
		const struct page *p = ll_entry(at, struct page, link);

		if (!p->greet) /* else it is told when it is greeted */
			send_ring(p, c);
	}
}

static void send_why(const struct page *p, const char *event,
		     const struct page_call *c, const char *why)
{
	AUTO_BUF(json, TEL_BROWSER_EVENT_MAX);

	buf_printf(&json, "{\"call\":\"%s\",\"why\":\"%s\"}", c->id, why);
	tell_page(p, event, json.p);
}

void tel_browser_ring_over(struct page_call *c, const struct page *but,
			   const char *why)
{
	ll_each (at, &c->phone->pages) {
		const struct page *p = ll_entry(at, struct page, link);

		if (p != but)
			send_why(p, "ring_over", c, why);
	}
}

void tel_browser_send_ended(struct page_call *c, const char *why)
{
	send_why(c->owner, "ended", c, why);
}

void tel_browser_send_stop(struct page_call *c)
{
	AUTO_BUF(json, TEL_BROWSER_EVENT_MAX);

	buf_printf(&json, "{\"call\":\"%s\",\"play\":%u}", c->id,
		   (unsigned)c->now->id);
	tell_page(c->owner, "stop", json.p);
}

static void add_caption(unsigned at_ms, const char *text, bool joined,
			void *ctx)
{
	AUTO_BUF(part, CAPTION_TEXT_MAX);
	AUTO_BUF(words, CLIP_CAPTION_MAX + 2);
	struct buf *json = ctx;
	bool first = json->p[json->n - 1] == '[';

	if (!first && !joined)
		buf_byte(&words, ' ');
	buf_str(&words, text);
	buf_printf(&part, "%s[%u,", first ? "" : ",", at_ms);
	buf_json(&part, buf_view(&words));
	buf_byte(&part, ']');
	/* a caption too many is left out: the sound is what counts */
	if (json->n + part.n + EVENT_TAIL < json->max)
		buf_span(json, buf_view(&part));
	wipe(&part);
	wipe(&words);
}

void tel_browser_send_play(struct page_call *c)
{
	AUTO_BUF(json, TEL_BROWSER_EVENT_MAX);
	const struct page_sound *s = c->now;

	buf_printf(&json,
		   "{\"call\":\"%s\",\"play\":%u,\"ms\":%u,\"at_ms\":%lld,"
		   "\"captions\":[",
		   c->id, (unsigned)s->id, playlist_ms(s->list),
		   (long long)(tel_browser_now(c->phone) - s->began_ms));
	playlist_cues(s->list, add_caption, &json);
	buf_str(&json, "]}");
	tell_page(c->owner, "play", json.p);
	wipe(&json);
}

static struct page_call *call_of(const struct tel_browser *b,
				 const struct page *p)
{
	ll_each (at, &b->calls) {
		struct page_call *c = ll_entry(at, struct page_call, link);

		if (c->owner == p &&
		    (c->line == PAGE_RINGING || c->line == PAGE_UP))
			return c;
	}
	return NULL;
}

/* All that a page must know when it comes, or comes back. */
static void greet(struct page *p)
{
	struct tel_browser *b = p->phone;
	struct page_call *own = call_of(b, p);
	AUTO_BUF(json, TEL_BROWSER_EVENT_MAX);

	p->greet = false;
	buf_printf(&json, "{\"page\":\"%s\",\"number\":", p->id);
	buf_json(&json, span_of(b->number));
	buf_str(&json, ",\"call\":");
	if (own)
		buf_printf(&json, "\"%s\"}", own->id);
	else
		buf_str(&json, "null}");
	tell_page(p, "ready", json.p);
	wipe(&json);
	if (own && own->now)
		tel_browser_send_play(own);
	ll_each (at, &b->calls) {
		const struct page_call *c =
			ll_entry(at, struct page_call, link);

		if (c->line == PAGE_RINGING && !c->owner)
			send_ring(p, c);
	}
}

/* --- coming and going ---------------------------------------------------- */

static void forget(struct page *p)
{
	timer_stop(loop_timers(p->phone->loop), &p->gone);
	ll_remove(&p->link);
	p->phone->page_count--;
	crypto_wipe(p, sizeof(*p));
	free(p);
}

static void gone(void *ctx)
{
	struct page *p = ctx;
	struct tel_browser *b = p->phone;

	tel_browser_lock(b);
	if (!p->send) { /* not back this very moment */
		tel_browser_lost(b, p);
		forget(p);
	}
	tel_browser_unlock(b);
}

void tel_browser_free_pages(struct tel_browser *b)
{
	ll_each_safe (at, &b->pages)
		forget(ll_entry(at, struct page, link));
}

static void tend_pages(struct tel_browser *b)
{
	ll_each (at, &b->pages) {
		struct page *p = ll_entry(at, struct page, link);

		if (p->send) {
			timer_stop(loop_timers(b->loop), &p->gone);
			if (p->greet)
				greet(p);
		} else if (!timer_is_set(&p->gone)) {
			timer_set(loop_timers(b->loop), &p->gone,
				  TEL_BROWSER_GRACE_MS, gone, p);
		}
	}
}

/* Act on the oldest deed.  False: there was none. */
static bool do_one(struct tel_browser *b)
{
	struct page_deed deed;
	struct page_call *c;
	struct tel_event ev;

	if (b->deed_count == 0)
		return false;
	deed = b->deeds[b->first_deed];
	crypto_wipe(&b->deeds[b->first_deed], sizeof(deed));
	b->first_deed = (b->first_deed + 1) % TEL_BROWSER_ACTIONS_MAX;
	b->deed_count--;
	c = tel_browser_find(b, deed.call);
	if (c && tel_browser_act(c, &deed, &ev)) {
		tel_browser_unlock(b);
		c->event(&ev, c->ctx);
		tel_browser_lock(b);
	}
	return true;
}

static void work(void *ctx)
{
	struct tel_browser *b = ctx;

	tel_browser_lock(b);
	b->posted = false;
	if (!b->freed)
		tend_pages(b);
	while (!b->freed && do_one(b))
		;
	tel_browser_unlock(b);
	tel_browser_unref(b);
}

/* With the lock held. */
static void wake(struct tel_browser *b)
{
	if (b->posted)
		return;
	b->posted = true;
	b->refs++;
	loop_post(b->loop, &b->post, work, b);
}

/* --- any thread ---------------------------------------------------------- */

static struct page *find_page(const struct tel_browser *b, const char *session)
{
	if (strlen(session) != TEL_BROWSER_ID_BYTES - 1)
		return NULL;
	ll_each (at, &b->pages) {
		struct page *p = ll_entry(at, struct page, link);

		if (crypto_equal(p->id, session, TEL_BROWSER_ID_BYTES))
			return p;
	}
	return NULL;
}

int tel_browser_attach(struct tel_browser *phone, tel_browser_send_h *send,
		       void *ctx, char session[TEL_BROWSER_ID_BYTES])
{
	struct page *p;
	int err = 0;

	tel_browser_lock(phone);
	p = find_page(phone, session);
	if (!p && phone->page_count < TEL_BROWSER_SESSIONS_MAX) {
		p = b_zero(1, sizeof(*p));
		p->phone = phone;
		tel_browser_id(phone, p->id);
		ll_append(&phone->pages, &p->link);
		phone->page_count++;
	}
	if (p) {
		p->send = send;
		p->ctx = ctx;
		p->greet = true;
		memcpy(session, p->id, TEL_BROWSER_ID_BYTES);
		wake(phone);
	} else {
		err = -EBUSY;
	}
	tel_browser_unlock(phone);
	return err;
}

void tel_browser_detach(struct tel_browser *phone, const char *session,
			const void *ctx)
{
	struct page *p;

	tel_browser_lock(phone);
	p = find_page(phone, session);
	if (p && p->send && p->ctx == ctx) {
		p->send = NULL;
		p->ctx = NULL;
		wake(phone);
	}
	tel_browser_unlock(phone);
}

static bool too_many_keys(struct page_call *c)
{
	int64_t second = tel_browser_now(c->phone) / 1000;

	if (second != c->key_second) {
		c->key_second = second;
		c->key_count = 0;
	}
	return c->key_count++ >= TEL_BROWSER_KEYS_A_SECOND;
}

/* Is this deed possible, as things are?  Answering is: the first one has it. */
static int take(struct page_call *c, struct page *p,
		const struct tel_browser_action *action)
{
	if (c->line == PAGE_RINGING && !c->owner) {
		if (action->act == TEL_BROWSER_ANSWER)
			c->owner = p;
		return action->act == TEL_BROWSER_ANSWER ||
				       action->act == TEL_BROWSER_DECLINE
			       ? 0
			       : -EINVAL;
	}
	if (c->owner != p)
		return -ENOENT;
	if (c->line != PAGE_UP && c->line != PAGE_RINGING)
		return -EINVAL;
	switch (action->act) {
	case TEL_BROWSER_HANG_UP:
		return 0;
	case TEL_BROWSER_KEY:
		if (!action->key || !strchr("0123456789*#", action->key))
			return -EINVAL;
		return too_many_keys(c) ? -EAGAIN : 0;
	case TEL_BROWSER_PLAYED:
		return tel_browser_sound_of(c, action->play) ? 0 : -EINVAL;
	case TEL_BROWSER_ANSWER:
	case TEL_BROWSER_DECLINE:
		break;
	}
	return -EINVAL;
}

static void leave_deed(struct tel_browser *b, const struct page_call *c,
		       const struct tel_browser_action *action)
{
	size_t at = (b->first_deed + b->deed_count++) % TEL_BROWSER_ACTIONS_MAX;

	b->deeds[at].action = *action;
	b->deeds[at].at_ms = tel_browser_now(b);
	memcpy(b->deeds[at].call, c->id, TEL_BROWSER_ID_BYTES);
	wake(b);
}

int tel_browser_do(struct tel_browser *phone, const char *session,
		   const char *call, const struct tel_browser_action *action)
{
	struct page_call *c;
	struct page *p;
	int err = -ENOENT;

	tel_browser_lock(phone);
	p = find_page(phone, session);
	c = tel_browser_find(phone, call);
	if (p && c && c->line != PAGE_DIALLED)
		err = phone->deed_count == TEL_BROWSER_ACTIONS_MAX
			      ? -EAGAIN
			      : take(c, p, action);
	if (!err)
		leave_deed(phone, c, action);
	tel_browser_unlock(phone);
	return err;
}

int tel_browser_sound(struct tel_browser *phone, const char *session,
		      const char *call, uint32_t play, struct buf *wav)
{
	AUTO(playlist) *list = NULL;
	struct page_call *c;
	struct page *p;

	tel_browser_lock(phone);
	p = find_page(phone, session);
	c = tel_browser_find(phone, call);
	if (p && c && c->owner == p) {
		const struct page_sound *s = tel_browser_sound_of(c, play);

		list = s ? playlist_ref(s->list) : NULL;
	}
	tel_browser_unlock(phone);
	if (!list)
		return -ENOENT;
	playlist_wav(list, wav);
	return wav->err;
}
