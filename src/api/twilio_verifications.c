// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_verifications.c - /v2/Services/{}/Verifications and VerificationCheck.
 *
 * Its clients start a verification and send it again with the same request; a
 * check names a number or an id.  What is allowed, which code it is and how
 * often it may be tried is decided where every verification is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/twilio.h"

enum {
	CODE_TEXT_BYTES = 32,
	IP_BYTES = 64,
	CHANNEL_BYTES = 16,
	DIGITS_BYTES = 128, /* too long a text is the service's to refuse */
};

struct verifying {
	struct twilio_ask q;
	struct twilio_service s;
	char to[TWILIO_NUMBER_BYTES], sid[SERVICE_SHORT_BYTES];
	char code[CODE_TEXT_BYTES];
	char amount[VERIFICATION_AMOUNT_BYTES], currency[4];
	char payee[VERIFICATION_PAYEE_BYTES];
	char name[TWILIO_NAME_BYTES], locale[VERIFICATION_LOCALE_BYTES];
	char ip[IP_BYTES], send_digits[DIGITS_BYTES];
	/* of a check, what was found: it owns nothing here */
	struct verification v;
	char v_to[NUMBER_BYTES];
};

/* --- an answer ------------------------------------------------------------------------------ */

struct shown {
	const struct verification *v;
	const char *to;
	enum outcome_status status;
	bool check;
};

static int64_t updated(const struct verification *v)
{
	if (v->ended_ms)
		return v->ended_ms;
	return v->legs_count ? twilio_leg_time(&v->legs[v->legs_count - 1])
			     : v->created_ms;
}

static void write_sends(struct buf *b, const struct verification *v)
{
	char sid[VENDOR_TWILIO_ID_BYTES];

	buf_str(b, ",\"send_code_attempts\":[");
	for (size_t i = 0; i < v->legs_count; i++) {
		vendor_sid("VL", v->legs[i].id, sid);
		buf_printf(b, "%s{\"attempt_sid\":\"%s\",\"channel\":\"CALL\"",
			   i > 0 ? "," : "", sid);
		twilio_write_time(b, "time", v->legs[i].queued_ms);
		buf_byte(b, '}');
	}
	buf_byte(b, ']');
}

static void write_amount(struct buf *b, const struct verification *v)
{
	char amount[TWILIO_AMOUNT_BYTES] = "";

	if (v->amount[0])
		twilio_amount_write(v->amount, v->currency, amount);
	api_write_text_or_null(b, "amount", amount);
	api_write_text_or_null(b, "payee", v->payee);
}

static void write_verification(struct buf *b, const struct twilio_ask *q,
			       const struct shown *s)
{
	const struct verification *v = s->v;
	char sid[VENDOR_TWILIO_ID_BYTES];

	vendor_sid("VE", v->id, sid);
	buf_printf(b,
		   "{\"sid\":\"%s\",\"service_sid\":\"%s\","
		   "\"account_sid\":\"%s\"",
		   sid, q->service, q->account);
	api_write_text_or_null(b, "to", s->to);
	api_write_text(b, "channel", "call");
	api_write_text(b, "status", twilio_status(s->status));
	twilio_write_bool(b, "valid", s->status == STATUS_APPROVED);
	write_amount(b, v);
	twilio_write_time(b, "date_created", v->created_ms);
	twilio_write_time(b, "date_updated", updated(v));
	if (s->check) {
		buf_str(b, ",\"sna_attempts_error_codes\":[]}");
		return;
	}
	buf_str(b, ",\"lookup\":{}");
	write_sends(b, v);
	buf_str(b, ",\"sna\":null");
	twilio_write_url(b, q, "url", "/v2/Services/%s/Verifications/%s",
			 q->service, sid);
	buf_byte(b, '}');
}

static void answer(struct verifying *w, unsigned status, const struct shown *s)
{
	struct buf b = {.max = API_ANSWER_MAX};

	write_verification(&b, &w->q, s);
	twilio_answer(&w->q, status, &b);
}

static void answer_view(struct verifying *w, unsigned status,
			const struct service_refusal *no,
			const struct service_view *view)
{
	if (view) {
		answer(w, status,
		       &(struct shown){.v = view->v,
				       .to = view->to,
				       .status = view->v->status});
		return;
	}
	w->q.no = *no;
	twilio_refuse(&w->q);
}

/* --- what a form says ------------------------------------------------------------------------- */

static bool read_channel(struct twilio_ask *q)
{
	static const char *const others[] = {"sms",  "email", "whatsapp",
					     "sna",  "auto",  "rcs",
					     "push", "totp"};
	char channel[CHANNEL_BYTES];

	if (!twilio_given(q, "Channel"))
		return twilio_no(q, "missing_field", "Channel", "");
	if (!twilio_text(q, "Channel", channel, sizeof(channel)))
		return false;
	if (strcmp(channel, "call") == 0)
		return true;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (strcmp(channel, others[i]) == 0)
			return twilio_no(q, "no_feature", "Channel",
					 "the one channel here is call");
	return twilio_no(q, "invalid_field", "Channel",
			 "there is no such channel");
}

static bool read_to(struct verifying *w)
{
	if (!twilio_given(&w->q, "To"))
		return twilio_no(&w->q, "missing_field", "To", "");
	return twilio_text(&w->q, "To", w->to, sizeof(w->to));
}

/* Both or none. */
static bool read_payment(struct verifying *w)
{
	bool amount = twilio_given(&w->q, "Amount");
	char text[TWILIO_AMOUNT_BYTES];

	if (amount != twilio_given(&w->q, "Payee"))
		return twilio_no(&w->q, "amount_payee", "", "");
	if (!twilio_text(&w->q, "Payee", w->payee, sizeof(w->payee)) ||
	    !twilio_text(&w->q, "Amount", text, sizeof(text)))
		return false;
	if (!amount ||
	    twilio_amount_read(span_of(text), w->amount, w->currency))
		return true;
	return twilio_no(&w->q, "invalid_field", "Amount",
			 "a decimal number with a currency, such as "
			 "\xe2\x82\xac"
			 "39.99 or 39.99 EUR");
}

/* --- start, and send again ----------------------------------------------------------------------- */

static bool is_custom_code(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n >= CODE_DIGITS_MIN && n <= CODE_DIGITS_MAX && !s[n];
}

static bool read_code(struct verifying *w)
{
	if (!twilio_given(&w->q, "CustomCode"))
		return true;
	if (!w->s.custom_code)
		return twilio_no(&w->q, "no_feature", "CustomCode",
				 "CustomCodeEnabled of the service is false");
	if (!twilio_text(&w->q, "CustomCode", w->code, sizeof(w->code)))
		return false;
	return is_custom_code(w->code) ||
	       twilio_no(&w->q, "invalid_field", "CustomCode",
			 "4 to 10 digits");
}

/* What can be told without the service's own settings. */
static bool read_request(struct verifying *w)
{
	static const char *const lacking[] = {"CustomMessage", "TemplateSid",
					      "TemplateCustomSubstitutions",
					      "ChannelConfiguration", NULL};

	return read_to(w) && read_channel(&w->q) &&
	       twilio_lacks(&w->q, lacking) && read_payment(w) &&
	       twilio_text(&w->q, "CustomFriendlyName", w->name,
			   sizeof(w->name)) &&
	       twilio_text(&w->q, "Locale", w->locale, sizeof(w->locale)) &&
	       twilio_text(&w->q, "DeviceIp", w->ip, sizeof(w->ip)) &&
	       twilio_text(&w->q, "SendDigits", w->send_digits,
			   sizeof(w->send_digits));
}

static bool read_for_service(struct verifying *w)
{
	if (w->s.psd2 && !w->amount[0])
		return twilio_no(&w->q, "amount_payee", "", "");
	return read_code(w);
}

static const char *borrow(const struct twilio_ask *q, const char *name)
{
	const char *text = json_string_value(json_object_get(q->body, name));

	return text ? text : "";
}

static void sent(const struct service_refusal *no,
		 const struct service_view *view, bool again, void *ctx)
{
	struct verifying *w = ctx;
	struct service_refusal theirs;

	(void)again;
	if (!view && strcmp(no->field, "brand") == 0 && !w->name[0]) {
		theirs = *no;
		(void)snprintf(theirs.field, sizeof(theirs.field), "%s",
			       w->s.tts_name[0] ? "TtsName" : "FriendlyName");
		no = &theirs;
	}
	answer_view(w, 201, no, view);
}

/* A payment's code is spoken to somebody who pressed keys, always. */
static const char *flow_of(const struct verifying *w)
{
	return w->s.dtmf || w->amount[0] ? "speak" : "plain";
}

static void counted(struct twilio_ask *q, bool refused,
		    const struct twilio_counter *counters, size_t count)
{
	struct verifying *w = (struct verifying *)(void *)q;
	char brand[VERIFICATION_BRAND_BYTES];
	struct service_create req = {
		.who = q->who,
		.to = w->to,
		.flow = flow_of(w),
		.locale = w->locale,
		.brand = brand,
		.purpose = w->amount[0] ? "payment" : "login",
		.code_length = w->code[0] ? 0 : (unsigned)w->s.code_length,
		.amount = w->amount,
		.currency = w->currency,
		.payee = w->payee,
		.send_digits = w->send_digits,
		.client_ip = w->ip,
		.no_client = true, /* few of their clients send DeviceIp */
		.metadata = borrow(q, "Tags"),
		.code = w->code[0] ? w->code : NULL,
		.label = w->s.sid,
		.short_id = true,
		.limits_count = count,
	};

	if (refused) {
		twilio_refuse(q);
		return;
	}
	for (size_t i = 0; i < count; i++)
		req.limits[i] = (struct service_limit){
			.name = counters[i].name,
			.limit = counters[i].limit,
			.window_ms = counters[i].window_ms};
	twilio_brand(&w->s, w->name, brand);
	service_send(q->a->p.service, &req, TWILIO_SENDS, sent, w);
}

static void start(const struct service_refusal *no,
		  const struct service_profile *p, size_t count, void *ctx)
{
	struct verifying *w = ctx;

	if (count == 0) {
		w->q.no = *no;
		twilio_refuse(&w->q);
	} else if (!twilio_service_of(p, &w->s)) {
		(void)twilio_no(&w->q, "internal_error", "", "");
		twilio_refuse(&w->q);
	} else if (!read_for_service(w)) {
		twilio_refuse(&w->q);
	} else {
		twilio_counters(&w->q, borrow(&w->q, "RateLimits"), counted);
	}
}

static struct verifying *begin(struct web_request *r, void *ctx)
{
	struct verifying *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w || twilio_sid(&w->q, 0, "VA", w->q.service))
		return w;
	twilio_refuse(&w->q);
	return NULL;
}

void twilio_verifications_add(struct web_request *r, void *ctx)
{
	struct verifying *w = begin(r, ctx);

	if (!w)
		return;
	if (!read_request(w)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_read(w->q.a->p.service, &w->q.who, TWILIO_SERVICE,
			     w->q.service, start, w);
}

/* --- one that is there ------------------------------------------------------------------------------ */

/* What a number or an id names within the service. */
static void find(struct verifying *w, service_done_h *done)
{
	const struct service_find f = {
		.who = w->q.who,
		.short_id = w->sid[0] ? w->sid : NULL,
		.to = w->sid[0] ? NULL : w->to,
		.label = w->q.service,
	};

	service_find(w->q.a->p.service, &f, done, w);
}

/* "VE..." or "+14155552671" of the path. */
static bool read_which(struct verifying *w)
{
	struct span part = web_part(w->q.r, 1);

	if (vendor_sid_read("VE", part, w->sid))
		return true;
	if (part.n >= sizeof(w->to) || !span_starts(part, "+"))
		return twilio_no(&w->q, "not_found", "", "");
	(void)snprintf(w->to, sizeof(w->to), "%.*s", (int)part.n, part.p);
	return true;
}

/* True: refused, and answered.  What is no number names nothing. */
static bool missing(struct verifying *w, const struct service_refusal *no,
		    const struct service_view *view)
{
	if (view)
		return false;
	w->q.no = *no;
	if (strcmp(no->code, "number_invalid") == 0)
		(void)twilio_no(&w->q, "not_found", "", "");
	twilio_refuse(&w->q);
	return true;
}

static void shown(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	if (!missing(ctx, no, view))
		answer_view(ctx, 200, no, view);
}

void twilio_verification_get(struct web_request *r, void *ctx)
{
	struct verifying *w = begin(r, ctx);

	if (!w)
		return;
	if (!read_which(w)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	find(w, shown);
}

/* One that is over is gone, for its clients. */
static void canceled(const struct service_refusal *no,
		     const struct service_view *view, void *ctx)
{
	struct verifying *w = ctx;

	if (!view && strcmp(no->code, "conflict") == 0) {
		(void)twilio_no(&w->q, "not_found", "", "");
		twilio_refuse(&w->q);
		return;
	}
	answer_view(w, 200, no, view);
}

static void cancel(const struct service_refusal *no,
		   const struct service_view *view, void *ctx)
{
	struct verifying *w = ctx;

	if (missing(w, no, view))
		return;
	if (view->v->status != STATUS_PENDING) {
		(void)twilio_no(&w->q, "not_found", "", "");
		twilio_refuse(&w->q);
	} else {
		service_cancel(w->q.a->p.service, &w->q.who, view->v->id,
			       canceled, w);
	}
}

static bool read_status(struct twilio_ask *q)
{
	char status[CHANNEL_BYTES];

	if (!twilio_given(q, "Status"))
		return twilio_no(q, "missing_field", "Status", "");
	if (!twilio_text(q, "Status", status, sizeof(status)))
		return false;
	if (strcmp(status, "canceled") == 0)
		return true;
	if (strcmp(status, "approved") == 0)
		return twilio_no(q, "no_feature", "Status",
				 "only the code approves a verification here");
	return twilio_no(q, "invalid_field", "Status", "canceled");
}

void twilio_verification_change(struct web_request *r, void *ctx)
{
	struct verifying *w = begin(r, ctx);

	if (!w)
		return;
	if (!read_which(w) || !read_status(&w->q)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	find(w, cancel);
}

/* --- check -------------------------------------------------------------------------------------------- */

/* What an answer of ours is, that is not yes and not plainly no. */
static const char *trouble(enum outcome_check result,
			   enum outcome_status status)
{
	switch (result) {
	case CHECK_APPROVED:
	case CHECK_WRONG:
	case CHECK_NOT_DELIVERED:
		return NULL;
	case CHECK_LOCKED:
		/* the number waits, or all tries are used up */
		return status == STATUS_FAILED ? "max_checks" : "rate_limited";
	case CHECK_EXPIRED:
	case CHECK_USED:
	case CHECK_UNKNOWN:
	case CHECK_COUNT:
		break;
	}
	return "not_found";
}

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	struct verifying *w = ctx;
	const char *code = trouble(result, status);

	(void)left;
	if (no && no->code && *no->code) {
		w->q.no = *no;
		twilio_refuse(&w->q);
	} else if (code) {
		(void)twilio_no(&w->q, code, "",
				"too many wrong codes for this number lately");
		twilio_refuse(&w->q);
	} else {
		w->v.ended_ms = status == STATUS_PENDING
					? 0
					: clock_wall_ms(w->q.a->p.clock);
		answer(w, 200,
		       &(struct shown){.v = &w->v,
				       .to = w->v_to,
				       .status = status,
				       .check = true});
	}
}

static void check(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	struct verifying *w = ctx;
	struct service_check req = {.who = w->q.who, .code = w->code};

	if (missing(w, no, view))
		return;
	w->v = *view->v;
	w->v.metadata = NULL;
	(void)snprintf(w->v_to, sizeof(w->v_to), "%s",
		       view->to ? view->to : "");
	if (w->v.amount[0] && !w->amount[0]) {
		(void)twilio_no(&w->q, "amount_payee", "", "");
		twilio_refuse(&w->q);
		return;
	}
	req.id = w->v.id;
	req.amount = w->amount;
	req.currency = w->currency;
	req.payee = w->payee;
	service_check(w->q.a->p.service, &req, checked, w);
}

static bool read_check(struct verifying *w)
{
	char sid[VENDOR_TWILIO_ID_BYTES];

	if (!twilio_given(&w->q, "Code"))
		return twilio_no(&w->q, "missing_field", "Code", "");
	if (!twilio_text(&w->q, "Code", w->code, sizeof(w->code)) ||
	    !read_payment(w))
		return false;
	if (!twilio_given(&w->q, "VerificationSid"))
		return read_to(w);
	if (!vendor_text(w->q.body, "VerificationSid", sid, sizeof(sid)) ||
	    !vendor_sid_read("VE", span_of(sid), w->sid))
		return twilio_no(&w->q, "not_found", "", "");
	return true;
}

void twilio_check(struct web_request *r, void *ctx)
{
	struct verifying *w = begin(r, ctx);

	if (!w)
		return;
	if (!read_check(w)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	find(w, check);
}
