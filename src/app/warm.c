// SPDX-License-Identifier: Apache-2.0
/*
 * warm.c - see warm.h.
 */
#include "app/warm.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { SAYINGS_MAX = 400 }; /* of one language: phrases times purposes */

static const char *const purposes[] = {"login", "signup", "payment",
				       "number_change", "other"};

struct app_warm {
	struct speech *sp;
	const struct phrases *ph;
	struct loop *loop;
	char brand[96];
	const char *languages[PHRASES_LANGUAGES_MAX];
	size_t count, at;
	const char *language;                /* the one being said */
	struct utterance *said[SAYINGS_MAX]; /* of it */
	size_t said_count, said_next;
};

/* What differs from call to call is digits, which are clips already, or known
 * to one call alone; a word stands for it. */
static void add(struct app_warm *w, const char *name, const char *purpose)
{
	const struct utterance_values values = {.brand = w->brand,
						.purpose = purpose,
						.digits = "0",
						.code = "0",
						.number = "0",
						.amount = w->brand,
						.payee = w->brand};
	struct utterance *u = utterance_new(w->language);

	if (w->said_count < SAYINGS_MAX &&
	    utterance_phrase(u, w->ph, name, &values, NULL) == 0)
		w->said[w->said_count++] = u;
	else
		utterance_free(u);
}

static void collect(const char *name, const char *text, void *ctx)
{
	struct app_warm *w = ctx;
	size_t n = strstr(text, "{purpose}") ? COUNT_OF(purposes) : 1;

	for (size_t i = 0; i < n; i++)
		add(w, name, purposes[i]);
}

static void forget(struct app_warm *w)
{
	while (w->said_count > 0)
		utterance_free(w->said[--w->said_count]);
	w->said_next = 0;
}

static void next(struct app_warm *w);

static void said(int err, const struct diag *d, void *ctx)
{
	struct app_warm *w = ctx;

	if (err) {
		log_warn("speech.not_warm", "language", LOG_S(w->language),
			 "why", LOG_S(d->message), NULL);
		forget(w);
		return;
	}
	next(w);
}

/* One at a time: a call that comes meanwhile waits for no more than one. */
static void next(struct app_warm *w)
{
	while (w->said_next == w->said_count) {
		forget(w);
		if (w->at == w->count) {
			log_info("speech.warm", NULL);
			return;
		}
		w->language = w->languages[w->at++];
		phrases_each(w->ph, w->language, collect, w);
	}
	if (speech_prepare(w->sp, &w->said[w->said_next++], 1, w->loop, said,
			   w))
		forget(w); /* too much to do: calls come first */
}

struct app_warm *app_warm_new(struct speech *sp, const struct phrases *ph,
			      struct loop *loop, const struct settings *s)
{
	struct app_warm *w = b_zero(1, sizeof(*w));

	w->sp = sp;
	w->ph = ph;
	w->loop = loop;
	(void)snprintf(w->brand, sizeof(w->brand), "%s", s->brand);
	w->count = s->languages.count < PHRASES_LANGUAGES_MAX
			   ? s->languages.count
			   : PHRASES_LANGUAGES_MAX;
	for (size_t i = 0; i < w->count; i++)
		w->languages[i] =
			phrases_language(ph, s->languages.items[i], NULL);
	next(w);
	return w;
}

void app_warm_free(struct app_warm *w)
{
	if (!w)
		return;
	forget(w);
	free(w);
}
