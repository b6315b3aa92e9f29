// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_number.c - what somebody wants called, and an overlay that lies over it.
 *
 * The first line is the number, what follows is the overlay.
 */
#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "core/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct number *n)
{
	size_t len = strlen(n->e164);

	assert(n->e164[0] == '+' && len > 2 && len < NUMBER_BYTES);
	assert(strspn(n->e164 + 1, "0123456789") == len - 1);
	assert(memchr(n->region, '\0', sizeof(n->region)));
	assert(memchr(n->zone, '\0', sizeof(n->zone)));
	assert(number_type_text(n->type)[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size), text;
	AUTO(number_plan) *plan = NULL;
	struct number n = {0};
	struct diag d = {0};

	if (!span_cut(&rest, '\n', &text))
		return 0;
	if (number_plan_parse(rest, &plan, &d) != 0)
		assert(d.message[0] != '\0' && !plan);
	if (number_sandbox(text, &n))
		look(&n);
	if (number_parse(text, plan, &n, &d) == NUMBER_OK)
		look(&n);
	return 0;
}
