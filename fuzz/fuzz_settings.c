// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_settings.c - any text is settings, or one error with its place.
 */
#include <assert.h>

#include "app/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *s = NULL;
	struct diag d = {0};

	if (settings_parse(span_make(data, size), &s, &d) == 0)
		assert(s);
	else
		assert(!s && d.message[0]);
	settings_free(s);
	return 0;
}
