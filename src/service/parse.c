// SPDX-License-Identifier: Apache-2.0
/*
 * parse.c - what a create asks for: each field read, limited and defaulted.
 *
 * The faces hand texts over as they came; what they mean is decided here, once,
 * for all faces.  The first thing that is wrong is named with its field.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "core/prices.h"
#include "service/service_priv.h"
#include "web/outbound.h"

enum {
	TTL_MIN_MS = 60 * 1000,
	SECOND_MS = 1000,
	CODE_USUAL_MIN = 6, /* A1: fewer only where a setting says so */
	CURRENCY_LETTERS = 3,
	CLEAR_PREFIX = 6, /* F1 */
	CLEAR_LAST = 4,
};

struct reading {
	struct service *sv;
	const struct service_create *req;
	const struct service_rules *rules;
	struct service_wish *w;
	struct service_refusal *no;
};

static bool bad(const struct reading *r, const char *field, const char *why)
{
	service_refuse(r->no, "invalid_field", field, "%s", why);
	return false;
}

static bool missing(const struct reading *r, const char *field)
{
	service_refuse(r->no, "missing_field", field, "%s must be given",
		       field);
	return false;
}

static bool given(const char *text)
{
	return text && *text;
}

/* --- kinds of text ------------------------------------------------------------- */

static bool word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

static bool is_word(const char *s)
{
	for (; *s; s++)
		if (!word_byte(*s))
			return false;
	return true;
}

static bool is_tag(const char *s) /* BCP 47, roughly */
{
	for (; *s; s++)
		if (!word_byte(*s) && !(*s >= 'A' && *s <= 'Z'))
			return false;
	return true;
}

static bool is_currency(const char *s)
{
	for (size_t i = 0; i < CURRENCY_LETTERS; i++)
		if (s[i] < 'A' || s[i] > 'Z')
			return false;
	return s[CURRENCY_LETTERS] == '\0';
}

/* Text that is spoken: characters of UTF-8, none of them a control. */
static bool is_speakable(const char *s)
{
	if (!span_utf8(span_of(s)))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool is_decimal(const char *s)
{
	int64_t micro;

	return prices_amount(span_of(s), &micro) == 0;
}

static bool is_url(const char *s)
{
	struct span all = span_of(s);

	for (; *s; s++)
		if (*s <= ' ' || *s == 0x7f)
			return false;
	return span_starts(all, "https://") || span_starts(all, "http://");
}

struct place {
	char *p;
	size_t n;
};
#define PLACE(array) ((struct place){(array), sizeof(array)})

/* Copy `from` to a place of the record, if it is of its kind. */
static bool take(const struct reading *r, const char *field, const char *from,
		 struct place to, bool (*is)(const char *))
{
	size_t n = given(from) ? strnlen(from, to.n) : 0;

	if (n == to.n)
		return bad(r, field, "this text is too long");
	if (n && !is(from))
		return bad(r, field, "this text is not of the right form");
	if (n)
		memcpy(to.p, from, n);
	to.p[n] = '\0';
	return true;
}

/* --- fields ---------------------------------------------------------------------- */

static bool parse_number(const struct reading *r, struct span text)
{
	struct verification *v = &r->w->v;
	struct diag why = {0};

	v->sandbox =
		r->rules->policy.sandbox && number_sandbox(text, &r->w->number);
	if (v->sandbox || number_parse(text, r->rules->plan, &r->w->number,
				       &why) == NUMBER_OK)
		return true;
	service_refuse(r->no, "number_invalid", "to", "%s", why.message);
	return false;
}

/*
 * Who is called: the number that was asked for, or else the one that the flow
 * calls with these parameters.  Where both are known and differ, the call could
 * only fail (flow/node_call.c).
 */
static bool find_number(const struct reading *r)
{
	AUTO_BUF(called, FLOW_VALUE_MAX);
	struct diag why = {0};
	bool known = flow_destination(r->w->flow->flow, r->w->params, &called,
				      &why) == 0;

	if (!given(r->req->to) && !known) {
		service_refuse(r->no, "missing_field", "to", "%s", why.message);
		return false;
	}
	if (!parse_number(r, given(r->req->to) ? span_of(r->req->to)
					       : buf_view(&called)))
		return false;
	if (!known || strcmp(called.p, r->w->number.e164) == 0)
		return true;
	return bad(r, "to",
		   "the flow calls another number with these "
		   "parameters");
}

static bool read_number(const struct reading *r)
{
	struct number *number = &r->w->number;
	struct verification *v = &r->w->v;
	size_t n;

	if (!find_number(r))
		return false;
	keyring_hash_number(r->sv->p.ring, number->e164, v->number_hash);
	service_place_of_hash(r->req->who.application, v->number_hash,
			      &r->w->place);
	(void)snprintf(v->country, sizeof(v->country), "%s", number->region);
	v->country_code = number->country_code;
	n = strlen(number->e164);
	(void)snprintf(v->prefix6, sizeof(v->prefix6), "%.*s", CLEAR_PREFIX,
		       number->e164 + 1);
	(void)snprintf(v->last4, sizeof(v->last4), "%s",
		       number->e164 + (n > CLEAR_LAST ? n - CLEAR_LAST : 0));
	return true;
}

static bool read_flow(const struct reading *r)
{
	const char *id = given(r->req->flow) ? r->req->flow : "speak";
	const struct service_flow_want want = {.application =
						       r->req->who.application,
					       .id = id,
					       .version = r->req->flow_version};
	int why = 0;
	struct service_flow *f = service_flow_take(r->sv, &want, &why);
	struct verification *v = &r->w->v;

	if (!f) {
		service_refuse_flow(r->no, why);
		return false;
	}
	r->w->flow = f;
	(void)snprintf(v->flow, sizeof(v->flow), "%s", f->id);
	v->flow_version = f->version;
	v->method_allowed = flow_method(f->flow);
	if (!flow_has_human_check(f->flow))
		v->warnings |= VERIFICATION_WARN_PLAIN;
	return true;
}

static bool read_words(const struct reading *r)
{
	const struct service_create *q = r->req;
	struct verification *v = &r->w->v;

	return take(r, "purpose", given(q->purpose) ? q->purpose : "login",
		    PLACE(v->purpose), is_word) &&
	       take(r, "locale", q->locale, PLACE(v->locale), is_tag) &&
	       take(r, "amount", q->amount, PLACE(v->amount), is_decimal) &&
	       take(r, "currency", q->currency, PLACE(v->currency),
		    is_currency) &&
	       take(r, "payee", q->payee, PLACE(v->payee), is_speakable) &&
	       take(r, "webhook", q->webhook, PLACE(v->webhook), is_url);
}

static bool read_send_digits(const struct reading *r)
{
	const char *text = r->req->send_digits;
	struct verification *v = &r->w->v;

	if (!given(text))
		return true;
	if (number_extension_ms(text) == 0) {
		service_refuse(r->no, "invalid_field", "send_digits",
			       "1 to %d of the keys 0-9 * # A-D and the pauses "
			       "w (half a second) and W (a second), with a key "
			       "among them and %d seconds long at most",
			       NUMBER_EXTENSION_BYTES - 1,
			       NUMBER_EXTENSION_MS_MAX / SECOND_MS);
		return false;
	}
	(void)snprintf(v->send_digits, sizeof(v->send_digits), "%s", text);
	return true;
}

static bool read_webhook(const struct reading *r)
{
	struct verification *v = &r->w->v;
	struct diag why = {0};

	if (v->webhook[0] &&
	    outbound_check(r->sv->p.outbound, v->webhook, &why) != 0)
		return bad(r, "webhook", why.message);
	if (!service_hook_wanted(r->sv, r->req, v))
		return bad(r, "webhook", "there is no such way of telling");
	if (given(r->req->webhook_key) && v->hook)
		r->w->hook_key = b_strdup(r->req->webhook_key);
	return true;
}

static bool read_brand(const struct reading *r)
{
	const char *brand = r->req->brand;
	struct verification *v = &r->w->v;

	if (!given(brand)) {
		(void)snprintf(v->brand, sizeof(v->brand), "%s",
			       r->rules->brand ? r->rules->brand : "");
		return true;
	}
	if (!take(r, "brand", brand, PLACE(v->brand), is_speakable))
		return false;
	if (characters(brand) > VERIFICATION_BRAND_CHARACTERS)
		return bad(r, "brand", "a brand is at most 30 characters");
	if (!service_brand_allowed(r->sv, r->req->who.application, brand))
		return bad(r, "brand",
			   "this brand is not listed for the application");
	return true;
}

static unsigned least_digits(const struct service_rules *rules)
{
	return rules->min_code_length ? rules->min_code_length : CODE_USUAL_MIN;
}

static bool read_figures(const struct reading *r)
{
	const struct service_rules *rules = r->rules;
	struct verification *v = &r->w->v;
	unsigned least = least_digits(rules);
	int64_t ttl = r->req->ttl_ms ? r->req->ttl_ms : rules->ttl_ms;
	unsigned length =
		r->req->code_length ? r->req->code_length : rules->code_length;

	if (r->req->code_length &&
	    (length < least || length > CODE_DIGITS_MAX)) {
		service_refuse(r->no, "invalid_field", "code_length",
			       "a code has %u to %d digits here", least,
			       CODE_DIGITS_MAX);
		return false;
	}
	if (r->req->ttl_ms && (ttl < TTL_MIN_MS || ttl > VERIFICATION_LIFE_MS))
		return bad(r, "ttl_s", "a code lives 60 to 600 seconds");
	v->ttl_ms = ttl;
	v->code_even = rules->code_even;
	/* A9: what the rule takes from the code, one digit more gives back */
	v->code_length = length && length < CODE_DIGITS_MAX && v->code_even
				 ? length + 1
				 : length;
	v->wrong_max = rules->wrong_max;
	return true;
}

static bool takes(const struct flow *f, const char *name)
{
	struct flow_param p;

	for (size_t i = 0; flow_param(f, i, &p); i++)
		if (strcmp(p.name, name) == 0)
			return true;
	return false;
}

static void drop_others(const struct reading *r, json_t *o)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(o, next, name, value)
	{
		if (!takes(r->w->flow->flow, name))
			(void)json_object_del(o, name);
	}
}

static bool read_params(const struct reading *r)
{
	AUTO_JSON json_t *o = NULL;
	struct span text = span_of(r->req->params);
	struct diag d;
	bool fits;

	if (text.n > SERVICE_PARAMS_MAX)
		return bad(r, "params", "the parameters are too long");
	if (text.n && (js_parse(text, &o, &d) != 0 || !json_is_object(o)))
		return bad(r, "params", "an object is expected");
	if (r->req->more_params)
		drop_others(r, o);
	fits = service_params_read(r->w->flow->flow, o, &r->w->params, r->no);
	service_params_forget(o);
	return fits;
}

static bool read_client(const struct reading *r)
{
	struct verification *v = &r->w->v;

	if (!given(r->req->client_ip))
		return !r->rules->require_client_ip || r->req->no_client ||
		       v->sandbox || missing(r, "client_ip");
	if (service_client_net(r->req->client_ip, v->client_net,
			       sizeof(v->client_net)) != 0)
		return bad(r, "client_ip", "this is no address");
	return true;
}

static bool item_fits(const json_t *value)
{
	return json_is_string(value) &&
	       json_string_length(value) <= SERVICE_METADATA_TEXT;
}

static bool read_metadata(const struct reading *r)
{
	AUTO_JSON json_t *o = NULL;
	struct span text = span_of(r->req->metadata);
	struct diag d;
	const char *key;
	json_t *value;

	if (text.n == 0)
		return true;
	if (text.n > VERIFICATION_METADATA_MAX)
		return bad(r, "metadata", "the metadata is too long");
	if (js_parse(text, &o, &d) != 0 || !json_is_object(o))
		return bad(r, "metadata", "an object of texts is expected");
	if (json_object_size(o) > SERVICE_METADATA_ITEMS)
		return bad(r, "metadata", "at most 16 texts may be given");
	json_object_foreach(o, key, value) if (!item_fits(value)) return bad(
		r, "metadata", "each value is a text of at most 256 bytes");
	r->w->v.metadata = js_text(o);
	return true;
}

static bool is_code(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n >= CODE_DIGITS_MIN && n <= CODE_DIGITS_MAX && s[n] == '\0';
}

/* A code of the caller's own may be shorter than the settings allow: who made
 * it knows its length already. */
static bool read_code(const struct reading *r)
{
	struct service_wish *w = r->w;

	if (!given(r->req->code))
		return true;
	if (!take(r, "code", r->req->code, PLACE(w->code), is_code))
		return false;
	w->v.code_given = true;
	w->v.code_even = false;
	w->v.code_length = (unsigned)strlen(w->code);
	return true;
}

static bool read_label(const struct reading *r)
{
	r->w->v.short_id = r->req->short_id;
	return take(r, "label", r->req->label, PLACE(r->w->v.label),
		    is_speakable) &&
	       service_own_read(r->sv, r->req, &r->w->own, r->no);
}

static bool read_trace(const struct reading *r)
{
	r->w->v.trace = r->req->trace;
	if (!r->req->trace || r->req->who.scopes & SERVICE_ADMIN)
		return true;
	service_refuse(r->no, "forbidden", "trace",
		       "the key lacks the scope admin for it");
	return false;
}

/* The caller id of `tel` that was asked for, or the one it shows by itself. */
static const char *shown_from(const struct service_tel *tel, const char *asked)
{
	for (size_t i = 0; i < tel->from_count; i++)
		if (strcmp(tel->from[i], asked) == 0)
			return tel->from[i];
	return tel->from[0];
}

static bool read_from(const struct reading *r)
{
	const char *shown = r->rules->from ? r->rules->from : "";
	const char *asked = given(r->req->from) ? r->req->from : "";
	struct verification *v = &r->w->v;
	struct service_routes found;

	service_routes_find(r->sv, r->rules, r->w->number.e164, &found);
	if (found.count > 0 && found.at[0]->from_count > 0)
		shown = shown_from(found.at[0], asked);
	/* E1: only what a trunk allows is shown; the answer warns */
	if (*asked && strcmp(asked, shown) != 0)
		v->warnings |= VERIFICATION_WARN_FROM;
	(void)snprintf(v->from, sizeof(v->from), "%s", shown);
	return true;
}

/* B3 */
static bool choose_language(const struct reading *r)
{
	struct verification *v = &r->w->v;
	const char *language =
		phrases_language(r->sv->p.phrases, v->locale, v->country);

	if (!speech_is_open(r->sv->p.speech, language))
		language = "en";
	(void)snprintf(v->language, sizeof(v->language), "%s", language);
	if (v->locale[0] &&
	    strncasecmp(v->locale, language, strcspn(v->locale, "-_")) != 0)
		v->warnings |= VERIFICATION_WARN_LANGUAGE;
	return true;
}

/* --- the whole --------------------------------------------------------------------- */

static void fill(const struct reading *r)
{
	struct verification *v = &r->w->v;
	const struct service_who *who = &r->req->who;

	(void)snprintf(v->application, sizeof(v->application), "%s",
		       who->application);
	(void)snprintf(v->key_id, sizeof(v->key_id), "%s", who->key_id);
	(void)snprintf(v->ring_key, sizeof(v->ring_key), "%s",
		       keyring_maker(r->sv->p.ring));
	rng_fill(r->sv->p.rng, v->nonce, sizeof(v->nonce));
	v->epoch = atomic_load(&r->sv->epoch);
}

bool service_wish_read(struct service *sv, const struct service_create *req,
		       struct service_wish *out, struct service_refusal *no)
{
	static bool (*const fields[])(const struct reading *) = {
		read_flow,  read_params,     read_number,      read_words,
		read_brand, read_figures,    read_client,      read_metadata,
		read_from,  choose_language, read_trace,       read_code,
		read_label, read_webhook,    read_send_digits,
	};
	struct reading r = {.sv = sv, .req = req, .w = out, .no = no};

	out->rules = service_rules_take(sv);
	r.rules = out->rules->rules;
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (!fields[i](&r))
			return false;
	fill(&r);
	out->ask = (struct policy_request){
		.number = &out->number,
		.application = out->v.application,
		.key_id = out->v.key_id,
		.number_hash = out->v.number_hash,
		.client_net = out->v.client_net,
		.purpose = out->v.purpose,
		.now = clock_wall_ms(sv->p.clock),
	};
	service_ask_flow(&out->v, &out->ask);
	return true;
}

void service_code_length(struct service *sv, unsigned *usual, unsigned *least)
{
	struct service_box *box = service_rules_take(sv);
	unsigned length = box->rules->code_length;

	*least = least_digits(box->rules);
	*usual = length ? length : CODE_USUAL_MIN;
	service_rules_drop(box);
}

static const char *verdict_field(enum policy_verdict v)
{
	static const char *const fields[] = {
#define X(name, code, field) [POLICY_##name] = (field),
		POLICY_VERDICTS(X)
#undef X
	};

	return fields[v];
}

bool service_allowed(const struct policy_answer *answer,
		     struct service_refusal *no)
{
	if (answer->verdict == POLICY_ALLOWED)
		return true;
	service_refuse(no, policy_verdict_code(answer->verdict),
		       verdict_field(answer->verdict), "%s", answer->sentence);
	(void)snprintf(no->rule, sizeof(no->rule), "%s", answer->rule);
	no->retry_ms = answer->retry_ms;
	return false;
}

void service_wish_free(struct service_wish *w)
{
	service_rules_drop(w->rules);
	verification_free(&w->v);
	crypto_wipe(w->code, sizeof(w->code));
	if (w->hook_key)
		crypto_wipe(w->hook_key, strlen(w->hook_key));
	free(w->hook_key);
	w->hook_key = NULL;
	service_params_forget(w->params);
	json_decref(w->params);
	service_flow_unref(w->flow);
	w->flow = NULL;
	w->params = NULL;
	w->rules = NULL;
}
