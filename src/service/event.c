// SPDX-License-Identifier: Apache-2.0
/*
 * event.c - what happened, as applications are told it.
 *
 * An event is one line of JSON, appended in the change that made it true, so
 * there is none without its cause and none is lost.  It holds ids and words of
 * the outcome table: no number, no code.
 */
#include <string.h>

#include "service/hook_priv.h"

static void field(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json(b, span_of(value));
}

static void leg_fields(struct buf *b, const struct verification_leg *leg)
{
	buf_str(b, ",\"call\":{\"id\":");
	buf_json(b, span_of(leg->id));
	if (leg->route[0])
		field(b, "route", leg->route);
	if (leg->outcome != LEG_NONE)
		field(b, "outcome", outcome_leg_text(leg->outcome));
	if (leg->sip_code)
		buf_printf(b, ",\"sip_code\":%d", leg->sip_code);
	if (leg->q850)
		buf_printf(b, ",\"q850\":%d", leg->q850);
	buf_byte(b, '}');
}

static void event(struct store_tx *tx, const struct verification *v,
		  const char *type, const struct verification_leg *leg,
		  const char *reason, int64_t now)
{
	AUTO_BUF(json, SERVICE_EVENT_BYTES);
	char when[CLOCK_TEXT_BYTES];

	clock_text(now, when);
	buf_str(&json, "{\"id\":");
	buf_json(&json, span_of(v->id));
	field(&json, "type", type);
	field(&json, "time", when);
	field(&json, "status", outcome_status_text(v->status));
	field(&json, "flow", v->flow);
	field(&json, "purpose", v->purpose);
	field(&json, "country", v->country);
	if (leg)
		leg_fields(&json, leg);
	if (reason) {
		field(&json, "why", "denied");
		field(&json, "reason", reason);
	}
	buf_byte(&json, '}');
	store_tx_event(tx, v->id, v->application, type, buf_view(&json));
	if (v->hook)
		service_hook_push(tx, v->id, v->application, 0);
}

void service_event(struct store_tx *tx, const struct verification *v,
		   const char *type, const struct verification_leg *leg,
		   int64_t now)
{
	event(tx, v, type, leg, NULL, now);
}

void service_event_denied(struct store_tx *tx, const struct verification *v,
			  const char *reason, int64_t now)
{
	event(tx, v, outcome_status_event(v->status), NULL, reason, now);
	store_tx_ack(tx, v->id); /* its expiry */
}

void service_event_status(struct store_tx *tx, const struct verification *v,
			  int64_t now)
{
	service_event(tx, v, outcome_status_event(v->status), NULL, now);
	store_tx_ack(tx, v->id); /* its expiry */
}
