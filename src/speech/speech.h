// SPDX-License-Identifier: Apache-2.0
/*
 * speech.h - turn text into sound, once.
 *
 * A voice is a child process (flite, espeak-ng) that reads text on stdin and
 * writes a WAV file on stdout; what it said is resampled, encoded and kept: in
 * memory always, on disk where the text is fixed (part of a script, the same
 * for everybody).  Nothing secret or personal reaches a voice or the disk.
 *
 * An utterance is one thing to say, taken apart into pieces: text for the
 * voice, pauses, digits.  Digits never reach a voice at call time: they are
 * clips that were rendered when the voice was opened (B7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/loop.h"
#include "base/span.h"
#include "media/playlist.h"
#include "speech/phrases.h"

struct speech;    /* all voices and their cache */
struct utterance; /* one thing to say; one owner, one thread at a time */

enum {
	SPEECH_TEXT_MAX = 2000,   /* bytes of text or SSML in one utterance */
	SPEECH_PIECES_MAX = 64,   /* pieces of one utterance */
	SPEECH_RENDER_MS = 10000, /* a voice that takes longer is killed */
	SPEECH_OUTPUT_MAX = 8 << 20,  /* bytes a voice may write for one text */
	SPEECH_MEMORY_MAX = 64 << 20, /* bytes of clips kept in memory */
	SPEECH_DISK_MAX = 256 << 20,  /* bytes of the cache on disk */
	SPEECH_QUEUE_MAX = 1024,      /* texts waiting to be rendered */
	SPEECH_LANGUAGE_BYTES = 16,   /* "en", "es", "de", ... with NUL */
	SPEECH_VOICE_BYTES = 256,     /* "flite:rms", ... with NUL */
};

/* B6.  NORMAL: a digit every 0.9 s, 0.4 s more between groups of three. */
enum speech_pace { SPEECH_NORMAL, SPEECH_SLOW };

/*
 * Amazon Polly: "Polly.<Name>" as a voice.  Whatever is said by one goes to
 * Amazon: scripts, and names and amounts too; never digits of a call.
 */
struct speech_polly {
	const char *region;   /* "eu-west-1" */
	const char *endpoint; /* "https://host[:port]"; NULL: the region's */
	const char *engine;   /* "standard", "neural"; NULL: standard */
	const char *key_id, *secret;
	const char *token; /* of a session; NULL: none */
};

/* Said once each: that a voice cannot be had and another speaks in its place,
 * or that it did not answer just now.  Any thread. */
typedef void speech_warn_h(const char *voice, const char *why, void *ctx);

struct speech_params {
	const char *cache_dir; /* NULL: memory only */
	/* Voice per language, pairs { "en", "flite:rms" }, ended by { NULL };
	 * a language that is not there speaks with "espeak-ng:<language>". */
	const struct speech_choice {
		const char *language, *voice;
	} * choices;
	/* The words for digits; borrowed.  NULL: the voice is given numerals. */
	const struct phrases *phrases;
	struct clock *clock;
	/* Test programs point these elsewhere; NULL: found on PATH. */
	const char *flite, *espeak_ng;
	/* Copied, and wiped in the end.  NULL: no credentials; then a local
	 * voice of the same language speaks in Polly's place. */
	const struct speech_polly *polly;
	/* Where the folders of "recordings:<name>" are; NULL: nowhere. */
	const char *recordings_dir;
	speech_warn_h *warn; /* or NULL */
	void *warn_ctx;
};

/*
 * Start the render thread.  Opening a language renders its digits, so the
 * first speech_open() of one may take seconds when the cache is cold.
 */
MUST_CHECK int speech_new(const struct speech_params *params,
			  struct speech **out, struct diag *d);
void speech_free(struct speech *sp); /* kills what still runs; NULL is fine */

/*
 * Make `language` ready: its voice answers, its ten digits are clips.  Blocks:
 * call it at start-up.  -ENOENT: the program is not installed (d names it);
 * -ETIMEDOUT, -EIO: it hangs or fails (d says so).
 */
MUST_CHECK int speech_open(struct speech *sp, const char *language,
			   struct diag *d);
bool speech_is_open(struct speech *sp, const char *language);

/* The clip of one digit ('0'..'9'), borrowed; `last`: with falling tone where
 * the voice has it.  NULL: the language is not open.  Any thread. */
struct clip *speech_digit(struct speech *sp, const char *language, char digit,
			  bool last);

/* --- utterances --------------------------------------------------------- */

struct utterance *utterance_new(const char *language);
void utterance_free(struct utterance *u); /* wiped; NULL is fine */

/*
 * All of it by another voice than the language's: "Polly.Amy", "flite:slt",
 * "espeak-ng:fr", "recordings:en" (a folder's name, no path).  Before anything
 * is appended.  -EINVAL: d says what is wrong with the name.
 *
 * Text, SSML and digits are then in the voice's own language, where its name
 * tells it; a phrase of another language's script is said by that language's
 * voice.  A voice that cannot be had here (no credentials, no such folder) or
 * does not answer is spoken by the language's own, with one warning.  Its
 * digits must have been prepared once, as text must.
 */
MUST_CHECK int utterance_voice(struct utterance *u, const char *voice,
			       struct diag *d);

/* Each appends.  -E2BIG past a limit; -EINVAL with d (line, column) for SSML
 * that is not well-formed, or has an element or value that we do not speak. */
MUST_CHECK int utterance_text(struct utterance *u, struct span text, bool fixed,
			      struct diag *d);
MUST_CHECK int utterance_ssml(struct utterance *u, struct span ssml, bool fixed,
			      struct diag *d);
MUST_CHECK int utterance_pause(struct utterance *u, unsigned ms);
/* Digits 0-9 only, spaced by B6; a secret may come this way and no other. */
MUST_CHECK int utterance_digits(struct utterance *u, const char *digits,
				enum speech_pace pace);
void utterance_mark(struct utterance *u); /* see playlist_mark() */

/*
 * A phrase of the scripts with its slots filled: {brand}, {purpose}, {digits},
 * {code}, {number}, {amount}, {payee}.  Text between slots is fixed; brand,
 * amount and payee are text that is kept in memory only; digits, code and
 * number are digit clips.  A slot that the values lack: -EINVAL, d names it.
 * A phrase "english.*" is said by the English voice, in any utterance.
 */
struct utterance_values {
	const char *brand, *purpose, *digits, *code, *number, *amount, *payee;
	enum speech_pace pace;
};
MUST_CHECK int utterance_phrase(struct utterance *u, const struct phrases *ph,
				const char *name,
				const struct utterance_values *values,
				struct diag *d);

unsigned utterance_characters(const struct utterance *u); /* to be spoken */

/* Check SSML without saying it; *characters counts what would be spoken. */
MUST_CHECK int speech_check_ssml(struct span ssml, unsigned *characters,
				 struct diag *d);

/* --- sound --------------------------------------------------------------- */

typedef void speech_done_h(int err, const struct diag *d, void *ctx);

/*
 * Render whatever of u[0..n) is not in memory yet and hold it there for them;
 * done(0) runs on `loop` later, never from inside the call.  The utterances
 * must stay until then.  -EAGAIN: the queue is full.  done's err as in
 * speech_open().
 */
MUST_CHECK int speech_prepare(struct speech *sp, struct utterance *const u[],
			      size_t n, struct loop *loop, speech_done_h *done,
			      void *ctx);

/* The sound of a prepared utterance (one of digits and pauses alone needs no
 * preparing).  0: the caller owns *out.  -EAGAIN: prepare it first. */
MUST_CHECK int speech_playlist(struct speech *sp, const struct utterance *u,
			       struct playlist **out);

/* For the command line: prepare and fetch, blocking.  Not on a loop. */
MUST_CHECK int speech_say(struct speech *sp, struct utterance *u,
			  struct playlist **out, struct diag *d);

CLEANUP(speech, speech_free)
CLEANUP(utterance, utterance_free)
