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

/* Numbers as the network writes them, at any address. */
static inline void media_put16(uint8_t *to, uint16_t n)
{
	to[0] = (uint8_t)(n >> 8);
	to[1] = (uint8_t)n;
}
static inline void media_put32(uint8_t *to, uint32_t n)
{
	media_put16(to, (uint16_t)(n >> 16));
	media_put16(to + 2, (uint16_t)n);
}
static inline uint16_t media_get16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}
static inline uint32_t media_get32(const uint8_t *from)
{
	return (uint32_t)media_get16(from) << 16 | media_get16(from + 2);
}
