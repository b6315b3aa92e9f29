// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_wav.c - whatever a voice may write, and what becomes of it.
 *
 * A file that was read must come back the same from a file that we write.
 */
#include <assert.h>
#include <string.h>

#include "media/pcm.h"

enum { FILE_MAX = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF(b, FILE_MAX);
	struct pcm first = {0}, again = {0};

	if (wav_read(span_make(data, size), &first) != 0)
		return 0;
	assert(first.count <= pcm_samples(PCM_MS_MAX));
	wav_write(&b, first.samples, first.count);
	assert(wav_read(buf_view(&b), &again) == 0);
	assert(again.count == first.count);
	assert(first.count == 0 ||
	       memcmp(first.samples, again.samples, first.count * 2) == 0);
	pcm_free(&first);
	pcm_free(&again);
	return 0;
}
