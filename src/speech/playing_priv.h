// SPDX-License-Identifier: Apache-2.0
/*
 * playing_priv.h - clips and the silences between them.
 */
#pragma once

#include "base/attr.h"
#include "media/playlist.h"
#include "speech/speech.h"

/* Append all of u.  -EAGAIN: it is not prepared. */
MUST_CHECK int speech_playing(struct speech *sp, const struct utterance *u,
			      struct playlist *to);

/* Digits to the group that begins at digit `at` of n: threes, and no digit
 * alone. */
size_t speech_group(size_t n, size_t at);
