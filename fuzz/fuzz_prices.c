// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_prices.c - a price file from a carrier.
 *
 * What was read must price numbers within its bounds, and every refusal must
 * have its sentence.
 */
#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "core/prices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct prices *p, const char *number)
{
	const char *prefix = NULL;
	int64_t micro = -1;

	if (prices_per_minute(p, number, &micro, &prefix) != 0)
		return;
	assert(micro >= 0 && prices_of(micro, 110000) >= micro);
	assert(strncmp(number + 1, prefix, strlen(prefix)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(prices) *p = NULL;
	struct diag d = {0};
	int64_t micro;

	(void)!prices_amount(span_make(data, size), &micro);
	if (prices_parse(span_make(data, size), "USD", &p, &d) != 0) {
		assert(d.message[0] != '\0' && !p);
		return 0;
	}
	assert(strcmp(prices_currency(p), "USD") == 0);
	ask(p, "+14155550100");
	ask(p, "+442079460000");
	ask(p, "+999999999999999");
	return 0;
}
