// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox.c - what a scripted person has in hand.
 *
 * Flow `reverse` shows its code to the application, and the person types what
 * the application shows.  A sandbox number has no eyes; it is told here, and
 * nobody else can be: the number must be of the sandbox, and the code one that
 * the answer to the create has shown already.
 */
#include "service/service.h"

#include <string.h>

#include "service/attempt_priv.h"

static struct attempt *attempt_of(struct service *sv, const char *call_id)
{
	ll_each (at, &sv->attempts) {
		struct attempt *a = ll_entry(at, struct attempt, link);

		if (a->state == ATTEMPT_CALLING &&
		    strcmp(a->lease.id, call_id) == 0)
			return a;
	}
	return NULL;
}

bool service_sandbox_code(struct service *sv, const char *call_id,
			  char out[CODE_BYTES])
{
	const struct attempt *a = attempt_of(sv, call_id);
	struct number n;

	return a && number_sandbox(span_of(a->number), &n) &&
	       a->v.method_allowed == VERIFICATION_BY_KEYPAD &&
	       service_code(sv->p.ring, &a->v, out) == 0;
}
