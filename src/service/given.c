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
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "service/service_priv.h"

enum {
	NAME_RAW = 16,
	OWN_NAME_MAX = 1024,
	PARAM_SHOWN = 48, /* bytes of a parameter's name, in a refusal */
};

/* --- reading ---------------------------------------------------------------------- */

static void param_field(struct service_refusal *no, const char *name)
{
	(void)snprintf(no->field, sizeof(no->field), "params%s%.*s",
		       *name ? "." : "", PARAM_SHOWN, name);
}

/* What it requires, by name; what else is wrong the flow's room says. */
static bool has_required(const struct flow *f, const json_t *o,
			 struct service_refusal *no)
{
	struct flow_param p;

	for (size_t i = 0; flow_param(f, i, &p); i++) {
		const json_t *v = json_object_get(o, p.name);
		bool none = !v || json_is_null(v) ||
			    (json_is_string(v) && !json_string_length(v));

		if (!p.required || !none)
			continue;
		service_refuse(no, "missing_field", "", "%s must be given",
			       p.name);
		param_field(no, p.name);
		return false;
	}
	return true;
}

bool service_params_read(const struct flow *f, const json_t *o, json_t **out,
			 struct service_refusal *no)
{
	struct diag d = {0};

	if (!has_required(f, o, no))
		return false;
	if (flow_params_read(f, o, out, &d) == 0)
		return true;
	service_refuse(no, "invalid_field", "", "%s", d.message);
	param_field(no, d.field);
	return false;
}

/* --- sealing --------------------------------------------------------------------- */

void service_params_forget(json_t *params)
{
	const char *name;
	json_t *value;

	json_object_foreach(params, name, value)
	{
		union {
			const char *theirs;
			char *ours; /* nobody else has it: js_parse() made it */
		} text = {.theirs = json_string_value(value)};

		if (text.ours)
			crypto_wipe(text.ours, json_string_length(value));
		(void)json_integer_set(value, 0);
	}
}

static bool seal_params(const struct service *sv, struct service_wish *w)
{
	AUTO_BUF(sealed, VERIFICATION_PARAMS_MAX);
	struct verification *v = &w->v;
	char *text = js_text(w->params);
	size_t n = strlen(text);

	keyring_seal_text(sv->p.ring, KEYRING_PARAM_SEAL, span_of(v->id),
			  span_make(text, n), &sealed);
	crypto_wipe(text, n);
	free(text);
	free(v->params); /* of a round before: send.c */
	v->params = b_copy(sealed.p, sealed.n);
	v->params_n = sealed.n;
	return !sealed.err;
}

int service_params_open(const struct keyring *ring,
			const struct verification *v, json_t **out)
{
	AUTO_BUF(text, VERIFICATION_PARAMS_MAX);
	struct diag d;
	int err;

	*out = NULL;
	if (!v->params)
		return 0;
	err = keyring_open_text(ring, KEYRING_PARAM_SEAL, span_of(v->id),
				span_make(v->params, v->params_n), &text);
	if (!err)
		err = js_parse(buf_view(&text), out, &d);
	if (text.p)
		crypto_wipe(text.p, text.cap);
	return err;
}

/* Bound to its use as well: it is no parameter. */
static void hook_bound(const struct verification *v, char *out, size_t size)
{
	(void)snprintf(out, size, "%s hook", v->id);
}

static bool seal_hook_key(const struct service *sv, struct service_wish *w)
{
	AUTO_BUF(sealed, VERIFICATION_HOOK_KEY_MAX);
	struct verification *v = &w->v;
	char bound[2 * VERIFICATION_ID_BYTES];

	hook_bound(v, bound, sizeof(bound));
	keyring_seal_text(sv->p.ring, KEYRING_PARAM_SEAL, span_of(bound),
			  span_of(w->hook_key), &sealed);
	if (sealed.err)
		return false;
	memcpy(v->hook_key, sealed.p, sealed.n);
	v->hook_key_n = sealed.n;
	return true;
}

int service_hook_key_open(const struct keyring *ring,
			  const struct verification *v, struct buf *out)
{
	char bound[2 * VERIFICATION_ID_BYTES];

	hook_bound(v, bound, sizeof(bound));
	return v->hook_key_n
		       ? keyring_open_text(
				 ring, KEYRING_PARAM_SEAL, span_of(bound),
				 span_make(v->hook_key, v->hook_key_n), out)
		       : 0;
}

int service_given_seal(const struct service *sv, struct service_wish *w)
{
	struct verification *v = &w->v;

	if (json_object_size(w->params) > 0 && !seal_params(sv, w))
		return -E2BIG;
	if (w->hook_key && !seal_hook_key(sv, w))
		return -E2BIG;
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
