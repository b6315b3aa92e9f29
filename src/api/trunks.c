// SPDX-License-Identifier: Apache-2.0
/*
 * trunks.c - the operator's look at the lines: how the trunks are, and what the
 * calls of one verification signalled.
 */
#include "api/api_priv.h"

/* --- GET /v1/trunks ------------------------------------------------------------ */

static void write_trunk(struct buf *b, const struct service_trunk *t)
{
	buf_str(b, "{\"name\":");
	buf_json(b, span_of(t->name));
	api_write_text(b, "state", service_trunk_text(t->state));
	api_write_text_or_null(b, "why", t->why);
	api_write_number_or_null(b, "sip_code", t->sip_code);
	api_write_time(b, "since", t->since_ms);
	api_write_time(b, "until", t->until_ms);
	buf_printf(b, ",\"calls\":%u,\"waiting\":%u}", t->calls, t->waiting);
}

void api_trunks(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	struct service_trunk trunks[SERVICE_TELS_MAX];
	struct service_who who;
	size_t n;

	if (!api_who(a, r, SERVICE_ADMIN, &who))
		return;
	n = service_trunks(a->p.service, trunks);
	buf_str(&b, "{\"items\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(&b, ',');
		write_trunk(&b, &trunks[i]);
	}
	buf_str(&b, "]}");
	api_answer_json(r, 200, &b);
}

/* --- GET /v1/verifications/{}/trace ---------------------------------------------- */

static void traced(const struct service_refusal *no, const char *text,
		   void *ctx)
{
	struct web_request *r = ctx;

	if (!text)
		api_refuse(r, no);
	else
		api_answer_text(r, 200, "text/plain; charset=utf-8",
				span_of(text));
}

void api_trace(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_who who;
	char id[VERIFICATION_ID_BYTES];

	if (!api_who(a, r, SERVICE_ADMIN, &who))
		return;
	api_id(r, id);
	web_defer(r);
	service_trace(a->p.service, &who, id, traced, r);
}
