// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_amount.c - an amount with a currency, as a caller of a vendor's face
 * writes it: what is read is written so that it is read the same again.
 */
#include <assert.h>
#include <string.h>

#include "api/twilio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(const char *amount, const char *currency)
{
	char again[VERIFICATION_AMOUNT_BYTES], its[4];
	char text[TWILIO_AMOUNT_BYTES];

	twilio_amount_write(amount, currency, text);
	assert(strlen(text) < sizeof(text));
	assert(twilio_amount_read(span_of(text), again, its));
	assert(strcmp(amount, again) == 0);
	assert(strcmp(currency, its) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char amount[VERIFICATION_AMOUNT_BYTES], currency[4];

	if (!twilio_amount_read(span_make(data, size), amount, currency))
		return 0;
	assert(amount[0] && strlen(amount) < sizeof(amount));
	assert(currency[0] == '\0' || strlen(currency) == 3);
	read_back(amount, currency);
	return 0;
}
