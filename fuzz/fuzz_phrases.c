// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_phrases.c - a file of scripts, as English and as a language that has to
 * keep up with it.
 */
#include "base/attr.h"
#include "speech/phrases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char english[] = "language: en\nname: English\nnative_review: no\n"
			      "digits: [a, b, c, d, e, f, g, h, i, j]\n"
			      "purposes: {login: x, other: y}\n"
			      "phrases: {a.b: \"Hi {brand}\", english.c: z}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(phrases) *first = phrases_new();
	AUTO(phrases) *second = phrases_new();
	struct span yaml = span_make(data, size);
	struct diag d = {0};

	if (phrases_parse(yaml, "en", first, &d) == 0)
		(void)phrases_language(first, "en-US", "US");
	if (phrases_parse(span_of(english), "en", second, &d) == 0 &&
	    phrases_parse(yaml, "de", second, &d) == 0)
		(void)phrases_language(second, "de-AT", "AT");
	return 0;
}
