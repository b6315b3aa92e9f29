// SPDX-License-Identifier: Apache-2.0
/*
 * hook_priv.h - what the parts of the hooks share.
 */
#pragma once

#include "base/tlv.h"
#include "service/hook_record.h"
#include "service/service_priv.h"

enum {
	HOOK_BUSY_MS = 100, /* its receiver has enough: come back then, */
	HOOK_BUSY_MAX_MS = 60 * 1000,  /* ... or later, where many do */
	HOOK_DRAIN_MS = 2000,          /* for what is under way */
	HOOK_IDLE_MS = 15 * 60 * 1000, /* looked at without a reason */
	HOOK_AGAIN_TRIES = 3,
	HOOK_ROW_BYTES = STORE_ID_MAX + 1,
	HTTP_GONE = 410,
};

#define SERVICE_KIND_HOOK "hook"

/* --- hook_record.c ------------------------------------------------------------ */

/* Of a verification that nobody was told of yet. */
void service_hook_first(const struct verification *v, struct hook *out);
/* Inside apply.  The first where there is none. */
MUST_CHECK int service_hook_get(const struct store_tx *tx, size_t key,
				const struct verification *v, struct hook *out);
void service_hook_put(struct store_tx *tx, size_t key, const struct service *sv,
		      const struct verification *v, const struct hook *h);
/* The name of its row in the queue. */
void service_hook_row(const char *id, unsigned row, char out[HOOK_ROW_BYTES]);
/* Inside apply: its row comes up now. */
void service_hook_push(struct store_tx *tx, const char *id,
		       const char *application, unsigned row);
void service_hook_note(struct hook *h, const struct service_hook_try *t);
bool service_hook_ended(const struct hook *h); /* it is not told by itself */
/* Of what is told, about what: the same texts, the same id. */
void service_hook_id(const char *about, const char *what,
		     char out[SERVICE_HOOK_ID_BYTES]);
/* The address as it is now; "" where there is none. */
void service_hook_url(struct service *sv, const struct hook *h,
		      char out[VERIFICATION_URL_BYTES]);
/* Where its events are: it exists, and is this application's.  -ENOENT. */
MUST_CHECK int service_hook_owned(struct span record, const char *application,
				  struct verification *out);

/* --- hook_forms.c: in verifications, a form is 1 + its place ------------------- */

const struct service_hook_form *service_hook_form_of(
	const struct verification *v);
unsigned service_hook_form_number(const struct service_hook_form *form);

/* --- hook_crowd.c: the line's -------------------------------------------------- */

/* A place among those who are told at one host, and for one application. */
struct hook_crowd;
struct hook_place {
	struct hook_crowd *host, *application;
};
/* 0, or how long to wait before asking again. */
int64_t service_hook_place_take(struct service_hooks *all,
				const char *application, const char *url,
				struct hook_place *out);
void service_hook_place_drop(struct service_hooks *all, struct hook_place *p);

/* --- hook_send.c ----------------------------------------------------------------- */

struct service_hooks {
	/* the line's */
	struct link tellings;
	struct map *crowds;
	bool turned_away;  /* there was no room for more */
	struct timer busy; /* somebody was sent away: look again */
	struct timer last; /* of a drain: requests are given up */
	int running;       /* leased, and asked for */

	atomic_bool used;   /* there has been something to tell */
	atomic_bool kicked; /* a look is on its way already */
	struct {
		atomic_uint_fast64_t told, tries, failed,
			ends[SERVICE_HOOK_STATES], asked, denied, unanswered,
			running;
	} figures;
};

/* The queue is looked at then, if not sooner. */
void service_hooks_look_in(struct service *sv, int64_t ms);

/* --- hook_sign.c ------------------------------------------------------------------ */

/* -ENOKEY: the ring lacks its key. */
MUST_CHECK int service_hook_secret(const struct keyring *ring,
				   const char *application,
				   const struct service_app_secret *s,
				   uint8_t out[CRYPTO_KEY_BYTES]);
void service_hook_secret_text(const uint8_t raw[CRYPTO_KEY_BYTES],
			      char out[SERVICE_HOOK_SECRET_BYTES]);
void service_hook_sign_with(const struct service_hook_secrets *s,
			    const char *id, int64_t now_ms, struct span body,
			    struct service_hook_signature *out);
