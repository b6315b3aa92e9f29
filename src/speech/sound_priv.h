// SPDX-License-Identifier: Apache-2.0
/*
 * sound_priv.h - make what a voice said fit for a telephone.
 */
#pragma once

#include "base/attr.h"
#include "media/pcm.h"

/* Trim, brighten by `treble` dB, level and limit in place; volume in dB or
 * SPEECH_SILENT.  -1: there is no sound in it. */
MUST_CHECK int speech_sound_prepare(struct pcm *p, int treble, int volume);
/* Brighten alone, for what another voice has said. */
void speech_sound_brighten(struct pcm *p, int treble);
