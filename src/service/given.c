// SPDX-License-Identifier: Apache-2.0
/*
 * given.c - what a request brings along: a code, a flow's parameters, counters.
 *
 * A code of the caller's own cannot be derived again, and a flow's parameters
 * may hold one, so these alone are kept: sealed, each bound to the id of its
 * verification and to its use, and only as long as that is pending (A6): the
 * step that ends it wipes them (core/verification.c).
 *
 * A counter of a request's own is kept under a keyed hash of its name, since
 * vendors' clients count by what their users are known by.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

enum { NAME_RAW = 16, OWN_NAME_MAX = 1024 };

/* --- sealing --------------------------------------------------------------------- */

int service_given_seal(const struct service *sv, struct service_wish *w)
{
	struct verification *v = &w->v;

	if (!v->code_given)
		return 0;
	return keyring_seal(sv->p.ring, KEYRING_CODE_SEAL, span_of(v->id),
			    span_of(w->code), v->code_sealed,
			    &v->code_sealed_n);
}

/* --- counters --------------------------------------------------------------------- */

static void own_name(const struct service *sv, const char *application,
		     const char *name, struct service_own_limit *out)
{
	uint8_t alias[NAME_RAW];
	char hex[2 * NAME_RAW + 1];
	AUTO_BUF(text, OWN_NAME_MAX + VERIFICATION_APP_BYTES);

	/* no application's name has a blank */
	buf_printf(&text, "%s %s", application, name);
	service_alias(sv, "limit", text.p, alias);
	crypto_hex(alias, sizeof(alias), hex);
	(void)snprintf(out->name, sizeof(out->name), "own:%s", hex);
	(void)snprintf(out->rule, sizeof(out->rule), "%s", name);
}

static bool own_fits(const struct service_limit *l)
{
	return l->name && *l->name &&
	       strnlen(l->name, OWN_NAME_MAX) < OWN_NAME_MAX && l->limit >= 0 &&
	       l->window_ms > 0;
}

bool service_own_read(const struct service *sv,
		      const struct service_create *req, struct service_own *out,
		      struct service_refusal *no)
{
	bool fits = req->limits_count <= SERVICE_LIMITS_MAX;

	for (size_t i = 0; fits && i < req->limits_count; i++)
		fits = own_fits(&req->limits[i]);
	if (!fits) {
		service_refuse(no, "invalid_field", "limits",
			       "at most %d, each with a name and a window",
			       SERVICE_LIMITS_MAX);
		return false;
	}
	for (size_t i = 0; i < req->limits_count; i++) {
		struct service_own_limit *to = &out->at[i];

		own_name(sv, req->who.application, req->limits[i].name, to);
		to->limit = req->limits[i].limit;
		to->window_ms = req->limits[i].window_ms;
	}
	out->count = req->limits_count;
	return true;
}

void service_own_reserve(struct store_tx *tx, const struct service_own *own)
{
	for (size_t i = 0; i < own->count; i++)
		store_tx_reserve(tx, &(struct store_counter){
					     .name = own->at[i].name,
					     .amount = 1,
					     .limit = own->at[i].limit,
					     .window_ms = own->at[i].window_ms,
				     });
}
