// SPDX-License-Identifier: Apache-2.0
/*
 * g711.h - PCMU and PCMA (ITU-T G.711), one sample a byte.  Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum g711_codec { G711_PCMU, G711_PCMA };

uint8_t g711_encode(enum g711_codec codec, int16_t sample);
int16_t g711_decode(enum g711_codec codec, uint8_t byte);
/* The byte that is silence in this codec. */
uint8_t g711_silence(enum g711_codec codec);
