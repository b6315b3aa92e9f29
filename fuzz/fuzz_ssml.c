// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_ssml.c - whatever an author may write, and what becomes of it.
 *
 * What is refused has a place and leaves nothing behind; what is taken stays
 * within the limits of an utterance.
 */
#include <assert.h>

#include "speech/speech.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refused(const struct utterance *u, const struct diag *d,
			  size_t size)
{
	assert(utterance_characters(u) == 0);
	assert(d->message[0] != '\0');
	assert(size > SPEECH_TEXT_MAX || (d->line > 0 && d->column > 0));
}

static void check_taken(const struct utterance *u, struct span ssml)
{
	unsigned characters = 0;

	if (speech_check_ssml(ssml, &characters, NULL))
		abort();
	assert(characters == utterance_characters(u));
	assert(characters <= SPEECH_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(utterance) *u = utterance_new("en");
	struct span ssml = span_make(data, size);
	struct diag d = {0};

	if (utterance_ssml(u, ssml, false, &d))
		check_refused(u, &d, size);
	else
		check_taken(u, ssml);
	return 0;
}
