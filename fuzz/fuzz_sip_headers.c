// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_sip_headers.c - values of headers that a far end wrote: digest
 * challenges, Reason, Retry-After, History-Info, Diversion.
 *
 * Every input is read as each of them.  What is written back into a request
 * must not be able to end its line.
 */
#include "tel/sip_text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_BYTES = 4096, CODES = 128 };

static void answer(const struct tsip_digest *d)
{
	const struct tsip_digest_ask ask = {
		.user = "user",
		.password = "word",
		.method = "INVITE",
		.uri = "sip:1@192.0.2.1",
		.nc = 1,
		.cnonce = "0123456789abcdef",
	};
	char out[ANSWER_BYTES];

	if (tsip_digest_answer(d, &ask, out, sizeof(out)) != 0)
		return;
	for (const char *at = out; *at; at++)
		assert((unsigned char)*at >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span header = span_make(data, size);
	struct tsip_digest d;
	int cause = tsip_cause_q850(header);

	assert(cause >= 0 && cause < CODES);
	assert(tsip_cause_retry_ms(header) >= -1);
	(void)tsip_cause_forwarded(header, (struct span){0});
	(void)tsip_cause_forwarded((struct span){0}, header);
	if (tsip_digest_pick(header, &d) == 0)
		answer(&d);
	return 0;
}
