// SPDX-License-Identifier: Apache-2.0
/*
 * answer.c - records as the API shows them.
 *
 * Written straight into a buffer: this is on the path of every request.
 */
#include <string.h>

#include "api/api_priv.h"

void api_answer(struct web_request *r, struct web_answer *a, struct buf *b,
		const char *id, const struct web_header_out *own)
{
	const struct web_header_out headers[] = {
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Request-Id", id},
		own ? *own : (struct web_header_out){0},
		{0},
	};

	a->headers = headers;
	if (b) {
		a->body.n = b->n;
		a->owned = buf_take(b);
		a->body.p = a->owned;
	}
	web_answer(r, a);
	a->headers = NULL; /* they end here */
}

static void answer_json(struct web_request *r, struct web_answer *a,
			struct buf *b, const struct web_header_out *own)
{
	const struct api_problem too_long = {
		.code = "internal_error", .detail = "the answer is too long"};
	char id[API_REQUEST_ID_BYTES];

	if (b->err) {
		buf_free(b);
		api_problem(r, &too_long);
		return;
	}
	a->type = "application/json";
	api_request_id(id);
	api_answer(r, a, b, id, own);
}

void api_answer_json(struct web_request *r, unsigned status, struct buf *b)
{
	api_answer_headed(r, status, b, NULL);
}

void api_answer_headed(struct web_request *r, unsigned status, struct buf *b,
		       const struct web_header_out *own)
{
	struct web_answer a = {.status = status};

	answer_json(r, &a, b, own);
}

void api_answer_on_grid(struct web_request *r, unsigned status, struct buf *b,
			unsigned grid_ms)
{
	struct web_answer a = {.status = status, .grid_ms = grid_ms};

	answer_json(r, &a, b, NULL);
}

void api_answer_text(struct web_request *r, unsigned status, const char *type,
		     struct span text)
{
	struct web_answer a = {.status = status, .type = type, .body = text};
	char id[API_REQUEST_ID_BYTES];

	api_request_id(id);
	api_answer(r, &a, NULL, id, NULL);
}

/* --- members, each with the comma in front --------------------------------------- */

void api_write_text(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json(b, span_of(text));
}

void api_write_text_or_null(struct buf *b, const char *name, const char *text)
{
	if (text && *text)
		api_write_text(b, name, text);
	else
		buf_printf(b, ",\"%s\":null", name);
}

void api_write_time(struct buf *b, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	if (ms == 0) {
		buf_printf(b, ",\"%s\":null", name);
		return;
	}
	clock_text(ms, text);
	buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

void api_write_number_or_null(struct buf *b, const char *name, int64_t n)
{
	if (n > 0)
		buf_printf(b, ",\"%s\":%lld", name, (long long)n);
	else
		buf_printf(b, ",\"%s\":null", name);
}

/* --- a verification ---------------------------------------------------------------- */

static const char *const leg_states[] = {
	[VERIFICATION_LEG_QUEUED] = "queued",
	[VERIFICATION_LEG_DIALING] = "dialing",
	[VERIFICATION_LEG_RINGING] = "ringing",
	[VERIFICATION_LEG_ANSWERED] = "answered",
	[VERIFICATION_LEG_ENDED] = "ended",
};

/* Post-dial delay: from the dial to the first sign of the far end. */
static int64_t pdd_ms(const struct verification_leg *l)
{
	int64_t heard = l->ringing_ms ? l->ringing_ms : l->answered_ms;

	return heard && l->dialed_ms ? heard - l->dialed_ms : 0;
}

static void write_bool(struct buf *b, const char *name, bool yes)
{
	buf_printf(b, ",\"%s\":%s", name, yes ? "true" : "false");
}

/* Microseconds as milliseconds; null where they are not known. */
static void write_ms(struct buf *b, const char *name, bool known, unsigned us)
{
	if (known)
		buf_printf(b, ",\"%s\":%u.%03u", name, us / 1000, us % 1000);
	else
		buf_printf(b, ",\"%s\":null", name);
}

static void write_media(struct buf *b, const struct verification_media *m)
{
	if (!m->known) {
		buf_str(b, ",\"media\":null");
		return;
	}
	buf_printf(b,
		   ",\"media\":{\"sent\":%lld,\"received\":%lld,\"lost\":%lld",
		   (long long)m->sent, (long long)m->received,
		   (long long)m->lost);
	write_ms(b, "jitter_ms", m->received > 0, m->jitter_us);
	if (m->far_known)
		buf_printf(b, ",\"far_lost\":%lld", (long long)m->far_lost);
	else
		buf_str(b, ",\"far_lost\":null");
	write_ms(b, "far_jitter_ms", m->far_known, m->far_jitter_us);
	write_ms(b, "rtt_ms", m->rtt_us > 0, m->rtt_us);
	buf_byte(b, '}');
}

static void write_cost(struct buf *b, const struct verification_leg *l)
{
	if (!l->priced) {
		buf_str(b, ",\"price\":null,\"currency\":null");
		return;
	}
	buf_printf(b, ",\"price\":\"%lld.%06lld\"",
		   (long long)(l->cost_micro / PRICES_UNIT),
		   (long long)(l->cost_micro % PRICES_UNIT));
	api_write_text_or_null(b, "currency", l->currency);
}

static void write_leg(struct buf *b, const struct verification_leg *l)
{
	buf_str(b, "{\"id\":");
	buf_json(b, span_of(l->id));
	api_write_text_or_null(b, "route", l->route);
	api_write_text(b, "status", leg_states[l->state]);
	api_write_text_or_null(b, "outcome",
			       l->state == VERIFICATION_LEG_ENDED
				       ? outcome_leg_text(l->outcome)
				       : NULL);
	api_write_number_or_null(b, "sip_code", l->sip_code);
	api_write_number_or_null(b, "q850", l->q850);
	write_bool(b, "forwarded", l->forwarded);
	write_bool(b, "early_media", l->early_media);
	api_write_time(b, "dialed_at", l->dialed_ms);
	api_write_time(b, "ringing_at", l->ringing_ms);
	api_write_time(b, "answered_at", l->answered_ms);
	api_write_time(b, "ended_at", l->ended_ms);
	api_write_number_or_null(b, "pdd_ms", pdd_ms(l));
	write_cost(b, l);
	write_media(b, &l->media);
	buf_byte(b, '}');
}

static void write_warnings(struct buf *b, unsigned warnings)
{
	static const struct {
		unsigned bit;
		const char *text;
	} texts[] = {
		{VERIFICATION_WARN_FROM,
		 "from: not one of ours; the default caller id is used"},
		{VERIFICATION_WARN_PLAIN,
		 "flow: speaks the code to whoever answers, mailboxes too"},
		{VERIFICATION_WARN_LANGUAGE,
		 "locale: not a language that is spoken here"},
	};
	bool any = false;

	buf_str(b, ",\"warnings\":[");
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (!(warnings & texts[i].bit))
			continue;
		if (any)
			buf_byte(b, ',');
		buf_json(b, span_of(texts[i].text));
		any = true;
	}
	buf_byte(b, ']');
}

static unsigned attempts_left(const struct verification *v)
{
	if (v->status != STATUS_PENDING || v->wrong >= v->wrong_max)
		return 0;
	return v->wrong_max - v->wrong;
}

/* How the code came back. */
static const char *method(const struct verification *v)
{
	if (v->status != STATUS_APPROVED)
		return NULL;
	return v->approved_by_keypad ? "keypad" : "api";
}

static void write_call(struct buf *b, const struct verification *v)
{
	api_write_text(b, "country", v->country);
	api_write_text(b, "flow", v->flow);
	buf_printf(b, ",\"flow_version\":%u", v->flow_version);
	api_write_text_or_null(b, "from", v->from);
	api_write_text(b, "purpose", v->purpose);
	api_write_text(b, "language", v->language);
}

void api_write_view(struct buf *b, const struct service_view *view)
{
	const struct verification *v = view->v;

	buf_str(b, "{\"id\":");
	buf_json(b, span_of(v->id));
	api_write_text(b, "status", outcome_status_text(v->status));
	api_write_text_or_null(b, "to", view->to);
	write_call(b, v);
	api_write_time(b, "created_at", v->created_ms);
	api_write_time(b, "expires_at", v->expires_ms);
	buf_printf(b, ",\"attempts_left\":%u", attempts_left(v));
	api_write_text_or_null(b, "method", method(v));
	buf_str(b, ",\"calls\":[");
	for (size_t i = 0; i < v->legs_count; i++) {
		if (i > 0)
			buf_byte(b, ',');
		write_leg(b, &v->legs[i]);
	}
	buf_byte(b, ']');
	write_warnings(b, v->warnings);
	if (view->code)
		api_write_text(b, "code", view->code);
	buf_str(b, ",\"metadata\":");
	buf_str(b, v->metadata ? v->metadata : "{}");
	buf_byte(b, '}');
}

/* --- done handlers of the plain cases ------------------------------------------------ */

static void done(unsigned status, const struct service_refusal *no,
		 const struct service_view *view, struct web_request *r)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (!view || !view->v) {
		api_refuse(r, no);
		return;
	}
	api_write_view(&b, view);
	api_answer_json(r, status, &b);
}

void api_done_200(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	done(200, no, view, ctx);
}

void api_done_201(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	done(201, no, view, ctx);
}

void api_done_202(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	done(202, no, view, ctx);
}
