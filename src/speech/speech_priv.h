// SPDX-License-Identifier: Apache-2.0
/*
 * speech_priv.h - all voices, between the files that make them work: render.c
 * has the thread that makes clips, speech.c what the rest of the program asks.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/loop.h"
#include "speech/cache_priv.h"
#include "speech/speech.h"
#include "speech/utterance_priv.h"
#include "speech/voice_priv.h"

enum {
	SPEECH_OPEN_MAX = PHRASES_LANGUAGES_MAX,
	SPEECH_TONES = 2,
	SPEECH_DIGIT_CLIPS = 10 * SPEECH_TONES,
};

/* Never removed once it is there; filled by the render thread, and read by
 * others once `open`, which the lock guards. */
struct speech_language {
	char name[SPEECH_LANGUAGE_BYTES];
	struct voice voice;
	bool open;
	struct clip *digit[10][SPEECH_TONES]; /* in a row; at its end */
};

/* Something for the render thread to do; `finish` is called once, on that
 * thread, or by speech_free(). */
struct speech_job {
	struct link link;
	const char *language; /* to be opened; NULL: none */
	struct utterance **u; /* to be prepared */
	size_t n;
	size_t texts; /* that wait in it */
	void (*finish)(struct speech_job *job);
	int err;
	struct diag diag;
};

struct speech {
	struct speech_params params; /* strings owned */
	struct speech_choice *choices;
	struct speech_cache *cache;
	struct voice_limits limits;
	pthread_t thread;
	int wake_fd; /* readable: look at the queue */
	int stop_fd; /* readable: end, also in the middle of a child */

	pthread_mutex_t lock; /* guards what follows */
	struct link queue;
	size_t waiting; /* texts in the queue */
	bool stopped;
	struct speech_language languages[SPEECH_OPEN_MAX];
	size_t languages_count;
};

/* The language's place, made if need be; NULL: too many, d says so.  Any
 * thread. */
struct speech_language *speech_language(struct speech *sp, const char *name,
					struct diag *d);
/* Is it there, and open? */
struct speech_language *speech_language_open(struct speech *sp,
					     const char *name);
/* "de-AT" -> "de": what languages are known by here. */
void speech_language_name(const char *language,
			  char out[SPEECH_LANGUAGE_BYTES]);

void speech_piece_key(const struct speech_language *l,
		      const struct speech_piece *p, struct speech_key *out);

MUST_CHECK int speech_render_start(struct speech *sp);
void speech_render_stop(struct speech *sp);
/* -EAGAIN: the queue is full.  The job must stay until finish(). */
MUST_CHECK int speech_render(struct speech *sp, struct speech_job *job);
