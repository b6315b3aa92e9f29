// SPDX-License-Identifier: Apache-2.0
/*
 * utterance_priv.h - an utterance taken apart, as the files of this room see it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"
#include "media/clip.h"
#include "speech/speech.h"

enum {
	/* A voice is given at most this much at once; longer text is cut
	 * where a sentence or a word ends. */
	SPEECH_RUN_MAX = 400,
	SPEECH_PAUSE_MAX = 10000, /* ms */
	SPEECH_DIGITS_MAX = 32,   /* in one row */
};

/* How text is said, beside what is said; zero is "as the voice does". */
struct speech_style {
	int8_t rate;   /* percent faster or slower: -80..100 */
	int8_t pitch;  /* percent higher or lower: -50..50 */
	int8_t volume; /* dB: -40..6, or SPEECH_SILENT */
};
enum { SPEECH_SILENT = -128 };

enum speech_piece_kind {
	SPEECH_PIECE_TEXT,
	SPEECH_PIECE_PAUSE,
	SPEECH_PIECE_DIGITS
};

struct speech_piece {
	enum speech_piece_kind kind;
	bool fixed;
	enum speech_pace pace;
	unsigned ms; /* a pause; behind text, the least gap of its mark-up */
	char language[SPEECH_LANGUAGE_BYTES];
	const char *voice; /* "": the language's own; the utterance's, or the
			      program's */
	char *text;        /* or digits; owned, wiped */
	struct speech_style style;
	struct clip *clip; /* text, once prepared */
};

struct utterance {
	char language[SPEECH_LANGUAGE_BYTES];
	char *voice; /* NULL: each language's own */
	char voice_language[SPEECH_LANGUAGE_BYTES]; /* what it speaks */
	struct speech_piece *pieces; /* a call holds dozens of utterances */
	size_t count, room;          /* ... and most have two or three */
	size_t bytes;                /* of text */
	unsigned characters;
	bool marked;
	size_t mark; /* the mark is before this piece */
};

/* "de-AT" -> "de": what languages are known by here. */
void speech_language_name(const char *language,
			  char out[SPEECH_LANGUAGE_BYTES]);

/* Append text in a style.  `gap`: silence that the mark-up wants behind it. */
MUST_CHECK int speech_piece_text(struct utterance *u, struct span text,
				 struct speech_style style, bool fixed,
				 unsigned gap);
/* Drop what was appended since there were `count` pieces. */
void speech_piece_rewind(struct utterance *u, size_t count);

/* Append what the document says.  Nothing is appended on error. */
MUST_CHECK int ssml_read(struct utterance *u, struct span ssml, bool fixed,
			 struct diag *d);
