// SPDX-License-Identifier: Apache-2.0
/*
 * receiver.h - whoever is told: stands in for the room that asks over the net.
 *
 * It defines what web/outbound.h declares, on the clock of the loop that asks,
 * so that a day of retries takes milliseconds.  Each request is kept, and
 * answered as the test says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "web/outbound.h"

enum { RECEIVER_HITS_MAX = 4096, RECEIVER_TEXT = 256 };

struct receiver_hit {
	char url[RECEIVER_TEXT], id[RECEIVER_TEXT], timestamp[RECEIVER_TEXT],
		signature[RECEIVER_TEXT], type[RECEIVER_TEXT], about[64];
	char *body;
	int64_t at_ms; /* wall */
	unsigned status;
	bool over; /* it was answered, or given up */
};

/* What it says: a status, 0: never anything; and a body if there is one. */
typedef unsigned receiver_h(const struct receiver_hit *hit, const char **body,
			    void *ctx);

struct outbound {
	struct clock *clock;
	receiver_h *says; /* NULL: 204 */
	void *ctx;
	struct receiver_hit hits[RECEIVER_HITS_MAX];
	size_t count;
	unsigned running, most; /* now; at once, so far */
};

struct outbound *receiver_new(struct clock *clock);
/* How many requests were answered 2xx for this event, or (NULL) any, of this
 * verification, or (NULL) any. */
size_t receiver_told(const struct outbound *o, const char *about,
		     const char *type);
/* How many events of a verification were answered 2xx, however often. */
size_t receiver_events(const struct outbound *o, const char *about);
/* The types of what one verification was told with 2xx, one blank between. */
void receiver_types(const struct outbound *o, const char *about, char *out,
		    size_t size);
