// SPDX-License-Identifier: Apache-2.0
/*
 * media_priv.h - what the files of this room share.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The header of an 8 kHz 16 bit mono WAV file; wav_samples() must follow with
 * `count` samples in all. */
void wav_head(struct buf *b, size_t count);
void wav_samples(struct buf *b, const int16_t *samples, size_t count);
