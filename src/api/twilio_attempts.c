// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_attempts.c - /v2/Attempts: each call of a verification that a service
 * of Twilio's clients made.
 *
 * A page is read by verifications, so it may hold a few more calls than were
 * asked for, or fewer, where a filter or another face's verifications take
 * some away; whoever follows next_page_url sees each once.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/twilio.h"

struct attempts {
	struct twilio_ask q;
	struct twilio_page page;
	char to[TWILIO_NUMBER_BYTES], country[8], status[16];
	char service[VENDOR_TWILIO_ID_BYTES];
	char sid[SERVICE_SHORT_BYTES]; /* of the attempt, or verification */
	bool none;                     /* it asks for what there is none of */
	int64_t since_ms, until_ms;
};

/* --- words ---------------------------------------------------------------------------------- */

static const char *const statuses[STATUS_COUNT] = {
	[STATUS_PENDING] = "pending",
	[STATUS_APPROVED] = "approved",
	[STATUS_FAILED] = "max_attempts_reached",
	[STATUS_EXPIRED] = "expired",
	[STATUS_CANCELED] = "canceled",
	[STATUS_REPORTED] = "canceled",
};

const char *twilio_status(enum outcome_status s)
{
	return statuses[s];
}

static const char *const ends[LEG_COUNT] = {
	[LEG_NONE] = "failed",
	[LEG_ANSWERED] = "completed",
	[LEG_BUSY] = "busy",
	[LEG_NO_ANSWER] = "no-answer",
	[LEG_DECLINED] = "busy",
	[LEG_UNALLOCATED] = "failed",
	[LEG_BLOCKED] = "failed",
	[LEG_CONGESTION] = "failed",
	[LEG_NETWORK_ERROR] = "failed",
	[LEG_MACHINE_SUSPECTED] = "completed",
	[LEG_HUNG_UP_EARLY] = "completed",
	[LEG_CANCELED] = "canceled",
	[LEG_REPORTED] = "completed",
	[LEG_EXPIRED] = "canceled",
	[LEG_INTERRUPTED] = "failed",
	[LEG_NOT_CALLED] = "canceled",
};

const char *twilio_call_status(const struct verification_leg *l)
{
	switch (l->state) {
	case VERIFICATION_LEG_QUEUED:
	case VERIFICATION_LEG_DIALING:
		return "queued";
	case VERIFICATION_LEG_RINGING:
		return "ringing";
	case VERIFICATION_LEG_ANSWERED:
		return "in-progress";
	case VERIFICATION_LEG_ENDED:
		break;
	}
	return l->answered_ms ? "completed" : ends[l->outcome];
}

/* --- an answer -------------------------------------------------------------------------------- */

bool twilio_converted(const struct verification *v, size_t i)
{
	size_t last = v->legs_count;

	for (size_t k = 0; k < v->legs_count; k++)
		if (v->legs[k].answered_ms)
			last = k;
	return v->status == STATUS_APPROVED && i == last;
}

int64_t twilio_leg_time(const struct verification_leg *l)
{
	const int64_t times[] = {l->ended_ms, l->answered_ms, l->ringing_ms,
				 l->dialed_ms};

	for (size_t i = 0; i < COUNT_OF(times); i++)
		if (times[i])
			return times[i];
	return l->queued_ms;
}

static void write_price(struct buf *b, const struct verification_leg *l)
{
	buf_str(b, ",\"price\":");
	if (l->priced)
		buf_printf(b, "{\"value\":\"%lld.%06lld\",\"currency\":\"%s\"}",
			   (long long)(l->cost_micro / PRICES_UNIT),
			   (long long)(l->cost_micro % PRICES_UNIT),
			   l->currency);
	else
		buf_str(b, "{\"value\":null,\"currency\":null}");
}

static void write_data(struct buf *b, const struct service_view *view,
		       const char *verification, size_t i)
{
	const struct verification *v = view->v;
	const struct verification_leg *l = &v->legs[i];

	buf_printf(b, ",\"channel_data\":{\"verification_sid\":\"%s\"",
		   verification);
	api_write_text_or_null(b, "to", view->to);
	api_write_text(b, "status",
		       twilio_converted(v, i)        ? "confirmed"
		       : v->status == STATUS_EXPIRED ? "expired"
						     : "unconfirmed");
	api_write_text(b, "call_status", twilio_call_status(l));
	api_write_number_or_null(b, "error_code", l->q850);
	api_write_text(b, "country", v->country);
	buf_printf(b, ",\"code_length\":%u", v->code_length);
	api_write_text(b, "locale", v->language);
	buf_byte(b, '}');
}

static void write_attempt(struct buf *b, const struct twilio_ask *q,
			  const struct service_view *view, size_t i)
{
	const struct verification *v = view->v;
	char sid[VENDOR_TWILIO_ID_BYTES], verification[VENDOR_TWILIO_ID_BYTES];

	vendor_sid("VL", v->legs[i].id, sid);
	vendor_sid("VE", v->id, verification);
	buf_printf(b,
		   "{\"sid\":\"%s\",\"account_sid\":\"%s\","
		   "\"service_sid\":\"%s\",\"verification_sid\":\"%s\"",
		   sid, q->account, v->label, verification);
	twilio_write_time(b, "date_created", v->legs[i].queued_ms);
	twilio_write_time(b, "date_updated", twilio_leg_time(&v->legs[i]));
	api_write_text(b, "conversion_status",
		       twilio_converted(v, i) ? "converted" : "unconverted");
	api_write_text(b, "channel", "call");
	write_price(b, &v->legs[i]);
	write_data(b, view, verification, i);
	twilio_write_url(b, q, "url", "/v2/Attempts/%s", sid);
	buf_byte(b, '}');
}

/* --- one ----------------------------------------------------------------------------------------- */

static bool is_ours(const struct verification *v)
{
	return span_starts(span_of(v->label), "VA");
}

static void one(const struct service_refusal *no,
		const struct service_view *view, void *ctx)
{
	struct attempts *w = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char id[SERVICE_SHORT_BYTES];

	if (!view) {
		w->q.no = *no;
		twilio_refuse(&w->q);
		return;
	}
	for (size_t i = 0; is_ours(view->v) && i < view->v->legs_count; i++) {
		service_short_id(view->v->legs[i].id, id);
		if (strcmp(id, w->sid) != 0)
			continue;
		write_attempt(&b, &w->q, view, i);
		twilio_answer(&w->q, 200, &b);
		return;
	}
	(void)twilio_no(&w->q, "not_found", "", "");
	twilio_refuse(&w->q);
}

static void find(struct attempts *w, service_done_h *done)
{
	const struct service_find f = {.who = w->q.who, .short_id = w->sid};

	service_find(w->q.a->p.service, &f, done, w);
}

void twilio_attempt_get(struct web_request *r, void *ctx)
{
	struct attempts *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return;
	if (!vendor_sid_read("VL", web_part(r, 0), w->sid)) {
		(void)twilio_no(&w->q, "not_found", "", "");
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	find(w, one);
}

/* --- a page ---------------------------------------------------------------------------------------- */

static bool wanted(const struct attempts *w, const struct verification *v,
		   size_t i)
{
	if (!is_ours(v) || (w->service[0] && strcmp(w->service, v->label) != 0))
		return false;
	if (!w->status[0])
		return true;
	return twilio_converted(v, i) == (strcmp(w->status, "converted") == 0);
}

static void answer_page(struct attempts *w, const struct service_view *views,
			size_t count, const char *next)
{
	struct buf b = {.max = API_ANSWER_MAX};

	buf_str(&b, "{\"attempts\":[");
	for (size_t i = 0; i < count; i++)
		for (size_t k = views[i].v->legs_count; k-- > 0;) {
			if (!wanted(w, views[i].v, k))
				continue;
			if (b.p[b.n - 1] != '[')
				buf_byte(&b, ',');
			write_attempt(&b, &w->q, &views[i], k);
		}
	buf_byte(&b, ']');
	twilio_write_meta(&b, &w->q, &w->page, "attempts", "/v2/Attempts",
			  next && *next ? next : NULL);
	buf_byte(&b, '}');
	twilio_answer(&w->q, 200, &b);
}

static void listed(const struct service_refusal *no,
		   const struct service_view *views, size_t count,
		   const char *next, void *ctx)
{
	struct attempts *w = ctx;

	if (no && no->code && *no->code) {
		w->q.no = *no;
		twilio_refuse(&w->q);
		return;
	}
	answer_page(w, views, count, next);
}

/* Of one verification; one that there is none of has no attempts. */
static void listed_one(const struct service_refusal *no,
		       const struct service_view *view, void *ctx)
{
	struct attempts *w = ctx;

	if (view || strcmp(no->code, "not_found") == 0) {
		answer_page(w, view, view ? 1 : 0, NULL);
		return;
	}
	w->q.no = *no;
	twilio_refuse(&w->q);
}

static bool read_sids(struct attempts *w)
{
	char text[64];

	if (!twilio_page_filter(&w->q, &w->page, "VerifyServiceSid", w->service,
				sizeof(w->service)) ||
	    !twilio_page_filter(&w->q, &w->page, "VerificationSid", text,
				sizeof(text)))
		return false;
	if (!*text || vendor_sid_read("VE", span_of(text), w->sid))
		return true;
	return twilio_no(&w->q, "invalid_field", "VerificationSid",
			 "it is no such id");
}

/* The client for Go escapes the dot: in its own form it is no other name. */
static bool read_to(struct attempts *w)
{
	const char *plain = web_query(w->q.r, "ChannelData.To");
	const char *escaped = web_query(w->q.r, "ChannelData\\.To");

	return twilio_page_keep(&w->q, &w->page,
				&(struct twilio_filter){
					.name = "ChannelData.To",
					.text = plain ? plain : escaped,
				},
				w->to, sizeof(w->to));
}

static bool read_words(struct attempts *w)
{
	char channel[16];

	if (!twilio_page_filter(&w->q, &w->page, "Channel", channel,
				sizeof(channel)) ||
	    !twilio_page_filter(&w->q, &w->page, "Status", w->status,
				sizeof(w->status)) ||
	    !twilio_page_filter(&w->q, &w->page, "Country", w->country,
				sizeof(w->country)) ||
	    !read_to(w))
		return false;
	w->none = *channel && strcasecmp(channel, "call") != 0;
	for (char *s = w->status; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	if (!w->status[0] || strcmp(w->status, "converted") == 0 ||
	    strcmp(w->status, "unconverted") == 0)
		return true;
	return twilio_no(&w->q, "invalid_field", "Status",
			 "converted or unconverted");
}

static void list(struct attempts *w)
{
	const struct service_query q = {
		.who = w->q.who,
		.to = w->to[0] ? w->to : NULL,
		.status =
			strcmp(w->status, "converted") == 0 ? "approved" : NULL,
		.country = w->country[0] ? w->country : NULL,
		.cursor = w->page.token[0] ? w->page.token : NULL,
		.since_ms = w->since_ms,
		.until_ms = w->until_ms,
		.limit = w->page.size,
	};

	service_list(w->q.a->p.service, &q, listed, w);
}

void twilio_attempts_list(struct web_request *r, void *ctx)
{
	struct attempts *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return;
	if (!twilio_page_read(&w->q, &w->page) ||
	    !twilio_page_time(&w->q, &w->page, "DateCreatedAfter",
			      &w->since_ms) ||
	    !twilio_page_time(&w->q, &w->page, "DateCreatedBefore",
			      &w->until_ms) ||
	    !read_sids(w) || !read_words(w)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	if (w->none)
		answer_page(w, NULL, 0, NULL);
	else if (w->sid[0])
		find(w, listed_one);
	else
		list(w);
}
