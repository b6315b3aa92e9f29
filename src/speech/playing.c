// SPDX-License-Identifier: Apache-2.0
/*
 * playing.c - clips and the silences between them (B6).
 *
 * Digits are spaced from beginning to beginning, so that a long one does not
 * push the others; between sentences there is what their punctuation asks for,
 * unless the script says how long the pause is.
 */
#include "speech/playing_priv.h"

#include <errno.h>
#include <string.h>

#include "speech/speech_priv.h"

/* From a digit's beginning to the next one's, and between groups more. */
static const struct {
	unsigned ms, group_ms;
} paces[] = {
	[SPEECH_NORMAL] = {900, 400},
	[SPEECH_SLOW] = {1300, 600},
};

enum {
	DIGIT_GAP_MS = 120, /* at the least, behind a digit */
	GROUP = 3,

	/* silences behind text, by its last character */
	SENTENCE_MS = 340,
	CLAUSE_MS = 180,
	WORD_MS = 60, /* a slot follows */
	/* around digits */
	BEFORE_DIGITS_MS = 360,
	BEHIND_DIGITS_MS = 600,
	/* behind everything: whatever is played next is another sentence */
	END_MS = 200,
};

size_t speech_group(size_t n, size_t at)
{
	size_t left = n - at;

	/* 7 is 3 and 4, 4 is one group: a digit alone would be taken for the
	 * beginning of something else */
	return left == GROUP + 1 ? left : left < GROUP ? left : GROUP;
}

static int play_digits(struct speech *sp, const struct speech_piece *p,
		       struct playlist *to)
{
	size_t n = strlen(p->text), end = speech_group(n, 0);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct clip *c =
			speech_speaker_digit(sp, p, p->text[i], i + 1 == n);
		unsigned next = paces[p->pace].ms, used;

		if (!c)
			return -EAGAIN;
		err = playlist_add(to, c);
		if (err || i + 1 == n)
			break;
		if (i + 1 == end) {
			next += paces[p->pace].group_ms;
			end += speech_group(n, end);
		}
		used = clip_ms(c) + DIGIT_GAP_MS;
		if (next < used)
			next = used;
		err = playlist_silence(to, next - clip_ms(c));
	}
	return err;
}

/* What is behind a sounding piece when nobody said how long to wait. */
static unsigned natural_gap(const struct speech_piece *p,
			    const struct speech_piece *next)
{
	unsigned ms;

	if (!next)
		return END_MS;
	if (p->kind == SPEECH_PIECE_DIGITS)
		return BEHIND_DIGITS_MS;
	if (next->kind == SPEECH_PIECE_DIGITS)
		return BEFORE_DIGITS_MS;
	switch (p->text[strlen(p->text) - 1]) {
	case '.':
	case '!':
	case '?':
		ms = SENTENCE_MS;
		break;
	case ',':
	case ';':
	case ':':
		ms = CLAUSE_MS;
		break;
	default:
		ms = WORD_MS;
		break;
	}
	return p->ms > ms ? p->ms : ms;
}

static int play_piece(struct speech *sp, const struct speech_piece *p,
		      struct playlist *to)
{
	switch (p->kind) {
	case SPEECH_PIECE_PAUSE:
		return playlist_silence(to, p->ms);
	case SPEECH_PIECE_DIGITS:
		return play_digits(sp, p, to);
	case SPEECH_PIECE_TEXT:
		break;
	}
	return p->clip ? playlist_add(to, p->clip) : -EAGAIN;
}

int speech_playing(struct speech *sp, const struct utterance *u,
		   struct playlist *to)
{
	int err = 0;

	for (size_t i = 0; i < u->count && !err; i++) {
		const struct speech_piece *p = &u->pieces[i];
		const struct speech_piece *next =
			i + 1 < u->count ? p + 1 : NULL;

		err = play_piece(sp, p, to);
		if (!err && u->marked && u->mark == i + 1)
			playlist_mark(to);
		if (err || p->kind == SPEECH_PIECE_PAUSE ||
		    (next && next->kind == SPEECH_PIECE_PAUSE))
			continue;
		err = playlist_silence(to, natural_gap(p, next));
	}
	return err;
}
