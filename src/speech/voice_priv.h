// SPDX-License-Identifier: Apache-2.0
/*
 * voice_priv.h - what reads text and gives sound: a program, a service, a
 * folder of recordings.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "media/pcm.h"
#include "speech/utterance_priv.h"

enum {
	VOICE_ID_BYTES = SPEECH_VOICE_BYTES + 32,
};

struct speech_polly_line;
struct speech_recordings;

/* Not to be moved once it is open: name points into spec. */
struct voice {
	const struct voice_engine *engine; /* NULL: not open */
	char spec[SPEECH_VOICE_BYTES];
	char id[VOICE_ID_BYTES]; /* what the cache knows its sound by */
	const char *name;        /* in spec, behind the engine's */
	const char *program;     /* found on PATH if without / */
	const struct speech_polly *polly;
	const char *code; /* "en-GB", where Amazon must be told; or NULL */
	struct speech_polly_line *line;       /* owned */
	struct speech_recordings *recordings; /* owned */
};

/* What bounds one run of a child. */
struct voice_limits {
	const struct clock *clock;
	int64_t ms;
	size_t bytes;
	int stop_fd; /* readable: give up, -ECANCELED */
};

/* What is to be said.  A digit is asked for as itself, too: recordings have
 * digits and no words for them. */
struct voice_ask {
	const char *text;
	struct speech_style style;
	char digit; /* '0'..'9'; 0: this is text */
	bool last;  /* with falling tone */
};

/* One kind of voice. */
struct voice_engine {
	const char *prefix;  /* what a spec of its kind begins with */
	const char *package; /* of Debian; NULL: none */
	/* dB that its treble lacks on a telephone, by `make bench`: flite is
	 * dull and gains much, espeak-ng gains nothing */
	int treble;
	/* Far away: it may be silent now and speak again in a minute. */
	bool remote;
	/* Can there be such a name?  -EINVAL with d. */
	int (*check)(const char *spec, const char *name, struct diag *d);
	/* Its own, over `wanted` in out; NULL: it has none that a name tells.
	 */
	void (*language)(const char *name, const char *wanted,
			 char out[SPEECH_LANGUAGE_BYTES]);
	/* Errors as of voice_open(). */
	int (*open)(struct voice *v, const struct speech_params *params,
		    const char *language, struct diag *d);
	void (*close)(struct voice *v); /* or NULL */
	int (*say)(const struct voice *v, const struct voice_ask *ask,
		   const struct voice_limits *limits, struct pcm *out,
		   struct diag *d);
};
extern const struct voice_engine voice_flite, voice_espeak, voice_polly,
	voice_recordings;

/* Can a voice be called so?  `ours`: it stands in the settings, so it may name
 * a folder anywhere.  -EINVAL: d says what is wrong. */
MUST_CHECK int voice_check(const char *spec, bool ours, struct diag *d);

/* One character of a text within XML. */
void voice_escape(struct buf *to, char c);

/* The language that a voice is made for, as the scripts name it; `wanted`
 * where it has none of its own, or that one among several. */
void voice_language(const char *spec, const char *wanted,
		    char out[SPEECH_LANGUAGE_BYTES]);

/* What a language is spoken by: its choice, else "espeak-ng:<language>". */
void voice_choice(const struct speech_params *params, const char *language,
		  char out[SPEECH_VOICE_BYTES]);
/* The same without leaving this machine: a choice of Polly is no choice. */
void voice_local(const struct speech_params *params, const char *language,
		 char out[SPEECH_VOICE_BYTES]);

/*
 * Make a voice ready, for text of a language.  0: end it with voice_close(),
 * also after an error.  -EINVAL: it cannot be; -ENOKEY: it wants credentials;
 * others: it cannot be had.  d says so in each case.
 */
MUST_CHECK int voice_open(const struct speech_params *params, const char *spec,
			  const char *language, struct voice *out,
			  struct diag *d);
void voice_close(struct voice *v); /* zeroes are fine */

/*
 * Say it, blocking.  0: the caller owns out->samples.  -ENOENT: the program is
 * not installed; -ETIMEDOUT: it was killed; -EIO: it failed, or wrote no
 * sound.  d names the voice in each case.
 */
MUST_CHECK int voice_say(const struct voice *v, const struct voice_ask *ask,
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
