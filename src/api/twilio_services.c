// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_services.c - /v2/Services: what Twilio's clients call a service is a
 * document of the application, and a label on its verifications.
 *
 * It says how its verifications are asked for, within what the settings allow:
 * a service can ask for a shorter code or for no human check, but who may have
 * either is decided where every verification is.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/twilio.h"
#include "base/json.h"

struct services {
	struct twilio_ask q;
	struct twilio_page page;
	struct twilio_service s;
};

static const struct {
	const char *form, *member;
	size_t at;
} flags[] = {
#define FLAG(form, member, field)                                    \
	{                                                            \
		form, member, offsetof(struct twilio_service, field) \
	}
	FLAG("LookupEnabled", "lookup_enabled", lookup),
	FLAG("Psd2Enabled", "psd2_enabled", psd2),
	FLAG("SkipSmsToLandlines", "skip_sms_to_landlines", skip_landlines),
	FLAG("DtmfInputRequired", "dtmf_input_required", dtmf),
	FLAG("DoNotShareWarningEnabled", "do_not_share_warning_enabled",
	     do_not_share),
	FLAG("CustomCodeEnabled", "custom_code_enabled", custom_code),
	FLAG("VerifyEventSubscriptionEnabled",
	     "verify_event_subscription_enabled", events),
#undef FLAG
};

static bool *flag(struct twilio_service *s, size_t i)
{
	return (bool *)(void *)((char *)s + flags[i].at);
}

/* --- the document ------------------------------------------------------------------------ */

static char *to_json(const struct twilio_service *from)
{
	struct twilio_service s = *from;
	AUTO_JSON json_t *o =
		json_pack("{s:s, s:s, s:I}", "friendly_name", s.name,
			  "tts_name", s.tts_name, "code_length",
			  (json_int_t)s.code_length);

	for (size_t i = 0; i < COUNT_OF(flags); i++)
		json_object_set_new(o, flags[i].member,
				    json_boolean(*flag(&s, i)));
	return js_text(o);
}

bool twilio_service_of(const struct service_profile *p,
		       struct twilio_service *out)
{
	AUTO_JSON json_t *o = NULL;
	struct diag d;
	const char *name = "", *tts = "";

	*out = (struct twilio_service){.created_ms = p->created_ms,
				       .updated_ms = p->updated_ms};
	if (js_parse(span_of(p->json), &o, &d) != 0 ||
	    js_get_text(o, "friendly_name", TWILIO_NAME_BYTES - 1, &name, &d) ||
	    js_get_text(o, "tts_name", TWILIO_NAME_BYTES - 1, &tts, &d) ||
	    js_get_int(o, "code_length", CODE_DIGITS_MIN, CODE_DIGITS_MAX,
		       &out->code_length, &d))
		return false;
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (js_get_bool(o, flags[i].member, flag(out, i), &d))
			return false;
	(void)snprintf(out->sid, sizeof(out->sid), "%.*s",
		       (int)sizeof(out->sid) - 1, p->id);
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	(void)snprintf(out->tts_name, sizeof(out->tts_name), "%s", tts);
	return true;
}

/* Bytes of the first `most` characters, without blanks behind them. */
static size_t cut(const char *text, size_t most)
{
	size_t n = 0;

	for (; text[n]; n++)
		if (((unsigned char)text[n] & 0xc0) != 0x80 && most-- == 0)
			break;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	return n;
}

void twilio_brand(const struct twilio_service *s, const char *custom,
		  char out[VERIFICATION_BRAND_BYTES])
{
	const char *name = *custom        ? custom
			   : *s->tts_name ? s->tts_name
					  : s->name;
	size_t n = cut(name, VERIFICATION_BRAND_CHARACTERS);

	if (n >= VERIFICATION_BRAND_BYTES)
		n = 0;
	(void)snprintf(out, VERIFICATION_BRAND_BYTES, "%.*s", (int)n, name);
}

/* --- the answer ----------------------------------------------------------------------------- */

/* What belongs to channels that there are none of. */
static const char others[] =
	",\"push\":{\"include_date\":false,\"apn_credential_sid\":null,"
	"\"fcm_credential_sid\":null}"
	",\"totp\":{\"issuer\":null,\"time_step\":30,\"code_length\":6,"
	"\"skew\":1}"
	",\"whatsapp\":{\"msg_service_sid\":null,\"from\":null}"
	",\"passkeys\":{\"relying_party\":null,"
	"\"authenticator_attachment\":null,\"discoverable_credentials\":null,"
	"\"user_verification\":null}"
	",\"default_template_sid\":null";

static void write_service(struct buf *b, const struct twilio_ask *q,
			  const struct twilio_service *from)
{
	struct twilio_service s = *from;

	buf_printf(b, "{\"sid\":\"%s\",\"account_sid\":\"%s\"", s.sid,
		   q->account);
	api_write_text(b, "friendly_name", s.name);
	buf_printf(b, ",\"code_length\":%lld", (long long)s.code_length);
	api_write_text_or_null(b, "tts_name", s.tts_name);
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		twilio_write_bool(b, flags[i].member, *flag(&s, i));
	buf_str(b, others);
	twilio_write_time(b, "date_created", s.created_ms);
	twilio_write_time(b, "date_updated", s.updated_ms);
	twilio_write_url(b, q, "url", "/v2/Services/%s", s.sid);
	buf_str(b, ",\"links\":{");
	twilio_write_url(b, q, "verifications", "/v2/Services/%s/Verifications",
			 s.sid);
	twilio_write_url(b, q, "verification_checks",
			 "/v2/Services/%s/VerificationCheck", s.sid);
	twilio_write_url(b, q, "rate_limits", "/v2/Services/%s/RateLimits",
			 s.sid);
	buf_str(b, "}}");
}

static void answer_one(struct services *w, unsigned status,
		       const struct service_profile *p)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (!twilio_service_of(p, &w->s)) {
		(void)twilio_no(&w->q, "internal_error", "", "");
		twilio_refuse(&w->q);
		return;
	}
	write_service(&b, &w->q, &w->s);
	twilio_answer(&w->q, status, &b);
}

static bool refused(struct services *w, const struct service_refusal *no,
		    size_t count)
{
	if (count > 0)
		return false;
	w->q.no = *no;
	twilio_refuse(&w->q);
	return true;
}

static void made(const struct service_refusal *no,
		 const struct service_profile *p, size_t count, void *ctx)
{
	if (!refused(ctx, no, count))
		answer_one(ctx, 201, p);
}

static void shown(const struct service_refusal *no,
		  const struct service_profile *p, size_t count, void *ctx)
{
	if (!refused(ctx, no, count))
		answer_one(ctx, 200, p);
}

/* --- the form --------------------------------------------------------------------------------- */

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Absent: what it was. */
static bool read_name(struct twilio_ask *q, const char *field, char *name)
{
	char text[TWILIO_NAME_BYTES];

	if (!twilio_given(q, field))
		return true;
	if (!twilio_text(q, field, text, sizeof(text)))
		return false;
	if (characters(text) > TWILIO_NAME_CHARACTERS)
		return twilio_no(q, "invalid_field", field,
				 "at most 32 characters");
	(void)snprintf(name, TWILIO_NAME_BYTES, "%s", text);
	return true;
}

/* A1: told here, where it is asked for, and not only by each verification. */
static bool read_length(struct services *w)
{
	unsigned usual, least;
	char why[96];

	service_code_length(w->q.a->p.service, &usual, &least);
	if (w->s.code_length == 0)
		w->s.code_length = usual;
	if (!twilio_int(&w->q, "CodeLength", CODE_DIGITS_MIN, CODE_DIGITS_MAX,
			&w->s.code_length))
		return false;
	if (!twilio_given(&w->q, "CodeLength") || w->s.code_length >= least)
		return true;
	(void)snprintf(why, sizeof(why),
		       "codes have at least %u digits here, says "
		       "min_code_length of the settings",
		       least);
	return twilio_no(&w->q, "invalid_field", "CodeLength", why);
}

static bool read_form(struct services *w)
{
	static const char *const lacking[] = {"DefaultTemplateSid",
					      "Push.IncludeDate",
					      "Push.ApnCredentialSid",
					      "Push.FcmCredentialSid",
					      "Totp.Issuer",
					      "Totp.TimeStep",
					      "Totp.CodeLength",
					      "Totp.Skew",
					      "Whatsapp.MsgServiceSid",
					      "Whatsapp.From",
					      "Passkeys.RelyingParty.Id",
					      NULL};

	if (!twilio_lacks(&w->q, lacking) ||
	    !read_name(&w->q, "FriendlyName", w->s.name) ||
	    !read_name(&w->q, "TtsName", w->s.tts_name) || !read_length(w))
		return false;
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (!twilio_bool(&w->q, flags[i].form, flag(&w->s, i)))
			return false;
	if (!w->s.name[0])
		return twilio_no(&w->q, "missing_field", "FriendlyName", "");
	return true;
}

typedef void write_h(struct service *sv, const struct service_who *who,
		     const struct service_profile *p, service_profiles_h *done,
		     void *ctx);

static void keep(struct services *w, write_h *write, service_profiles_h *done)
{
	AUTO_FREE char *json = to_json(&w->s);
	struct service_profile p = {.kind = TWILIO_SERVICE, .json = json};

	memcpy(p.id, w->s.sid, sizeof(w->s.sid));
	write(w->q.a->p.service, &w->q.who, &p, done, w);
}

/* --- handlers ----------------------------------------------------------------------------------- */

void twilio_services_add(struct web_request *r, void *ctx)
{
	struct services *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return;
	w->s.dtmf = true;
	if (!read_form(w)) {
		twilio_refuse(&w->q);
		return;
	}
	twilio_sid_new("VA", w->s.sid);
	web_defer(r);
	keep(w, service_profile_add, made);
}

static void listed(const struct service_refusal *no,
		   const struct service_profile *p, size_t count, void *ctx)
{
	struct services *w = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	size_t from, until;
	const char *next;

	if (no && no->code && *no->code) {
		(void)refused(w, no, 0);
		return;
	}
	next = twilio_page_of(&w->page, count, &from, &until);
	buf_str(&b, "{\"services\":[");
	for (size_t i = from; i < until; i++) {
		if (!twilio_service_of(&p[i], &w->s))
			continue;
		if (b.p[b.n - 1] != '[')
			buf_byte(&b, ',');
		write_service(&b, &w->q, &w->s);
	}
	buf_byte(&b, ']');
	twilio_write_meta(&b, &w->q, &w->page, "services", "/v2/Services",
			  next);
	buf_byte(&b, '}');
	twilio_answer(&w->q, 200, &b);
}

void twilio_services_list(struct web_request *r, void *ctx)
{
	struct services *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return;
	if (!twilio_page_read(&w->q, &w->page)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_list(w->q.a->p.service, &w->q.who, TWILIO_SERVICE, NULL,
			     listed, w);
}

/* The service of the path, to `next`. */
static void with_service(struct web_request *r, void *ctx,
			 service_profiles_h *next)
{
	struct services *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return;
	if (!twilio_sid(&w->q, 0, "VA", w->q.service)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_read(w->q.a->p.service, &w->q.who, TWILIO_SERVICE,
			     w->q.service, next, w);
}

void twilio_service_get(struct web_request *r, void *ctx)
{
	with_service(r, ctx, shown);
}

static void change(const struct service_refusal *no,
		   const struct service_profile *p, size_t count, void *ctx)
{
	struct services *w = ctx;

	if (refused(w, no, count))
		return;
	if (!twilio_service_of(p, &w->s)) {
		(void)twilio_no(&w->q, "internal_error", "", "");
		twilio_refuse(&w->q);
	} else if (!read_form(w)) {
		twilio_refuse(&w->q);
	} else {
		keep(w, service_profile_change, shown);
	}
}

void twilio_service_change(struct web_request *r, void *ctx)
{
	with_service(r, ctx, change);
}

static void removed(const struct service_refusal *no,
		    const struct service_profile *p, size_t count, void *ctx)
{
	struct services *w = ctx;

	(void)p;
	(void)count;
	if (no && no->code && *no->code)
		(void)refused(w, no, 0);
	else
		twilio_answer_nothing(&w->q);
}

/* Its rate limits go with it; verifications under way do not need it. */
void twilio_service_remove(struct web_request *r, void *ctx)
{
	struct services *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return;
	if (!twilio_sid(&w->q, 0, "VA", w->q.service)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_remove(w->q.a->p.service, &w->q.who, TWILIO_SERVICE,
			       w->q.service, removed, w);
}
