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
	SPEECH_SPEAKERS_MAX = 192, /* voices times languages */
	SPEECH_TONES = 2,
	SPEECH_DIGIT_CLIPS = 10 * SPEECH_TONES,
	SPEECH_REST_MS = 60 * 1000, /* a voice that failed is left alone */
};

/*
 * A voice and what it speaks.  Never removed once it is there; filled by the
 * render thread, and read by others once `known` (its voice) or `open` (its
 * digits), which the lock guards.
 */
struct speech_speaker {
	char language[SPEECH_LANGUAGE_BYTES];
	char *asked; /* "": the language's own */
	struct voice voice;
	bool known, open;
	struct clip *digit[10][SPEECH_TONES]; /* in a row; at its end */
	/* the render thread's */
	char stand_in[SPEECH_VOICE_BYTES]; /* when it fails; "": none */
	int64_t rest_until;
	bool failing; /* and it was said */
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
	struct speech_polly polly;
	struct speech_cache *cache;
	struct voice_limits limits;
	pthread_t thread;
	int wake_fd; /* readable: look at the queue */
	int stop_fd; /* readable: end, also in the middle of a child */

	pthread_mutex_t lock; /* guards what follows */
	struct link queue;
	size_t waiting; /* texts in the queue */
	bool stopped;
	struct speech_speaker *speakers[SPEECH_SPEAKERS_MAX];
	size_t speakers_count;
};

/* Its place, made if need be; voice "": the language's own.  NULL: too many, d
 * says so.  Any thread. */
struct speech_speaker *speech_speaker(struct speech *sp, const char *language,
				      const char *voice, struct diag *d);
/* Has it been found out what speaks there? */
bool speech_speaker_known(struct speech *sp, const struct speech_speaker *l);
/* Is it there, and open? */
struct speech_speaker *speech_speaker_open(struct speech *sp,
					   const char *language,
					   const char *voice);
/* As speech_digit(), of any voice. */
struct clip *speech_speaker_digit(struct speech *sp,
				  const struct speech_piece *p, char digit,
				  bool last);

void speech_piece_key(const struct speech_speaker *l,
		      const struct speech_piece *p, struct speech_key *out);

MUST_CHECK int speech_render_start(struct speech *sp);
void speech_render_stop(struct speech *sp);
/* -EAGAIN: the queue is full.  The job must stay until finish(). */
MUST_CHECK int speech_render(struct speech *sp, struct speech_job *job);
