// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_credentials.c - a file of AWS credentials: what is read of it is fit to
 * be sent, and what is wrong with it is said.
 */
#include <assert.h>
#include <string.h>

#include "speech/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct speech_credentials c;
	struct diag d = {0};

	if (speech_credentials_read(span_make(data, size), &c, &d)) {
		assert(d.message[0] != '\0');
		return 0;
	}
	assert(*c.key_id && *c.secret);
	assert(!strpbrk(c.key_id, "\r\n ") && !strpbrk(c.secret, "\r\n ") &&
	       !strpbrk(c.token, "\r\n "));
	return 0;
}
