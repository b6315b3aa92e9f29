// SPDX-License-Identifier: Apache-2.0
/*
 * pcm.c - samples are given back.
 *
 * Reading and writing them as files is wav.c's.
 */
#include "media/pcm.h"

#include <stdlib.h>

void pcm_free(struct pcm *p)
{
	free(p->samples);
	*p = (struct pcm){0};
}
