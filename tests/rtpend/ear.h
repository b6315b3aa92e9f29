// SPDX-License-Identifier: Apache-2.0
/*
 * ear.h - which digits were spoken: by frames that are a clip's, byte for
 * byte, or, in a recording that went through somebody else's decoder, by
 * correlation.
 *
 * The clips come from the speech room with the cache that the server has, so
 * what is compared is what the server was to play.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/pcm.h"
#include "speech/speech.h"

enum {
	EAR_CLIPS = 20,      /* ten digits, each in two tones */
	EAR_FRAMES_MAX = 64, /* of a clip: bits in a word */
	EAR_TABLE = 4096,    /* frames of all clips in both codecs: a third */
	EAR_GUESSES = 64,
	EAR_SAMPLES = 160, /* of a frame */
	EAR_HZ = 8000,
	EAR_QUIET_MS = 1500, /* between two things that are said */
};

/* What all ears know. */
struct ear_clips {
	struct clip *clips[EAR_CLIPS]; /* of the speech: borrowed */
	unsigned audible[EAR_CLIPS];   /* frames that are more than silence */
	struct ear_frame {
		const uint8_t *bytes; /* NULL: free */
		uint8_t clip, at;
	} table[EAR_TABLE];
};
/* -E2BIG: a clip is longer than EAR_FRAMES_MAX. */
MUST_CHECK int ear_learn(struct ear_clips *c, struct speech *sp,
			 const char *language);

enum ear_kind { EAR_DIGIT, EAR_QUIET };
struct ear_heard {
	enum ear_kind kind;
	char digit;
	unsigned at_ms;   /* since the first frame */
	unsigned got, of; /* EAR_DIGIT: frames of it */
};
typedef void ear_heard_h(const struct ear_heard *heard, void *ctx);

/* One pair of ears. */
struct ear {
	const struct ear_clips *known;
	ear_heard_h *heard;
	void *ctx;
	bool begun, talking;
	uint32_t first, newest, loudest; /* timestamps; loudest: last sound */
	struct ear_guess {
		bool used;
		uint8_t clip;
		uint32_t start;
		uint64_t got; /* a bit for each frame */
	} guesses[EAR_GUESSES];
};
/* A frame; in any order, and any number of times. */
void ear_take(struct ear *e, uint32_t ts, const uint8_t frame[EAR_SAMPLES]);

/* The digits in a recording, in order. */
typedef void ear_found_h(char digit, unsigned at_ms, double alike, void *ctx);
void ear_search(const struct ear_clips *c, const struct pcm *p,
		ear_found_h *found, void *ctx);
