// SPDX-License-Identifier: Apache-2.0
/*
 * voice_priv.h - a program that reads text and writes sound.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "media/pcm.h"
#include "speech/utterance_priv.h"

enum {
	VOICE_SPEC_BYTES = 64,      /* "flite:rms" */
	VOICE_PROGRAM_BYTES = 4096, /* a path */
};

struct voice {
	const struct voice_engine *engine;
	char spec[VOICE_SPEC_BYTES];
	char program[VOICE_PROGRAM_BYTES]; /* found on PATH if without / */
	const char *name;                  /* in spec, behind the colon */
};

/* "flite:rms" or "espeak-ng:es"; a language without a choice is spoken by
 * "espeak-ng:<language>".  -EINVAL: d says what is wrong with it. */
MUST_CHECK int voice_find(const struct speech_params *params,
			  const char *language, struct voice *out,
			  struct diag *d);

/* dB that its treble is to be raised by. */
int voice_treble(const struct voice *v);

/* What bounds one run of a child. */
struct voice_limits {
	const struct clock *clock;
	int64_t ms;
	size_t bytes;
	int stop_fd; /* readable: give up, -ECANCELED */
};

/*
 * Say text, blocking.  0: the caller owns out->samples.  -ENOENT: the program
 * is not installed; -ETIMEDOUT: it was killed; -EIO: it failed, or wrote no
 * sound.  d names the program in each case.
 */
MUST_CHECK int voice_say(const struct voice *v, const char *text,
			 struct speech_style style,
			 const struct voice_limits *limits, struct pcm *out,
			 struct diag *d);

/*
 * Run a program with `in` on its stdin, and collect its stdout.  Whatever it
 * does, when this returns nothing of it is left: its whole process group is
 * killed and the child is reaped.  Errors as above.
 */
MUST_CHECK int voice_run(const char *const argv[], struct span in,
			 const struct voice_limits *limits, struct buf *out,
			 struct diag *d);
