// SPDX-License-Identifier: Apache-2.0
/*
 * browser_priv.h - what the two halves of the page's telephone share: the line
 * (browser.c, the line thread) and the pages (browser_pages.c, any thread).
 *
 * One lock guards all of it.  Events to the owner of a call are told without
 * the lock, because the owner may call back.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "tel/browser.h"

enum page_line {
	PAGE_DIALLED, /* the ringing is on its way */
	PAGE_RINGING,
	PAGE_UP,
	PAGE_ENDING, /* TEL_ENDED is on its way */
	PAGE_ENDED,
	PAGE_LINES
};

/* An open page: a session. */
struct page {
	struct link link;
	struct tel_browser *phone;
	char id[TEL_BROWSER_ID_BYTES];
	tel_browser_send_h *send; /* NULL: lost, may come back */
	void *ctx;
	bool greet; /* it has yet to be told what there is */
	struct timer gone;
};

struct page_sound {
	uint32_t id;
	struct playlist *list;
	int64_t began_ms;
	int64_t over_ms; /* -1: it plays */
};

struct page_call {
	struct tel_call base;
	struct link link;
	struct tel_browser *phone;
	char id[TEL_BROWSER_ID_BYTES];
	char from[TEL_NUMBER_BYTES];
	unsigned ring_ms;
	int64_t rings_until_ms;
	tel_event_h *event;
	void *ctx;
	enum page_line line;
	struct page *owner; /* whoever answered first; NULL before */
	struct tel_event end;
	struct page_sound sounds[TEL_BROWSER_SOUNDS_MAX]; /* a ring */
	size_t sound_count;
	struct page_sound *now; /* NULL: silence */
	int64_t key_second;     /* the keys of this second are counted */
	unsigned key_count;
	struct timer network, ear;
};

/* What a page did, until the line thread acts on it. */
struct page_deed {
	struct tel_browser_action action;
	char call[TEL_BROWSER_ID_BYTES];
	int64_t at_ms;
};

struct tel_browser {
	struct loop *loop;
	struct rng *rng;
	char number[TEL_NUMBER_BYTES];
	pthread_mutex_t lock; /* guards what follows, and pages and calls */
	unsigned refs;        /* the telephone itself, and a post under way */
	bool freed;
	struct link pages, calls;
	size_t page_count, call_count;
	struct page_deed deeds[TEL_BROWSER_ACTIONS_MAX]; /* a ring */
	size_t first_deed, deed_count;
	struct post post;
	bool posted;
};

void tel_browser_lock(struct tel_browser *b);
void tel_browser_unlock(struct tel_browser *b);
void tel_browser_unref(struct tel_browser *b);
int64_t tel_browser_now(const struct tel_browser *b);
void tel_browser_id(struct tel_browser *b, char id[TEL_BROWSER_ID_BYTES]);
struct page_call *tel_browser_find(struct tel_browser *b, const char *call);
struct page_sound *tel_browser_sound_of(struct page_call *c, uint32_t id);

/* --- browser.c; the line thread, with the lock held ---------------------- */

/* A page did this.  True: *ev is to be told to the owner, without the lock. */
bool tel_browser_act(struct page_call *c, const struct page_deed *deed,
		     struct tel_event *ev);
/* The page has been away for too long. */
void tel_browser_lost(struct tel_browser *b, const struct page *p);

/* --- browser_pages.c; the line thread, with the lock held ---------------- */

void tel_browser_free_pages(struct tel_browser *b);
/* To one page, or to all but `but`. */
void tel_browser_ring(struct page_call *c);
void tel_browser_ring_over(struct page_call *c, const struct page *but,
			   const char *why);
void tel_browser_send_play(struct page_call *c);
void tel_browser_send_stop(struct page_call *c);
void tel_browser_send_ended(struct page_call *c, const char *why);
