// SPDX-License-Identifier: Apache-2.0
/*
 * twilio.c - one request of a Twilio client: who asks, what the form says, how
 * it is answered.
 */
#include "api/twilio.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/mem.h"

enum { TEXT_MAX = 2048, HEX_BYTES = 16 };

/* --- beginning and end --------------------------------------------------------------- */

/* A host and a port, and nothing that an address could be bent with. */
static bool is_host(const char *s)
{
	return s && *s &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
			 "QRSTUVWXYZ0123456789.-_:[]") == strlen(s);
}

/* Where the client finds us: what the settings say, or where it did. */
static void find_base(struct twilio_ask *q)
{
	const char *known = q->a->p.public_url;
	const char *host = web_header(q->r, "Host");

	if (known && *known)
		(void)snprintf(q->base, sizeof(q->base), "%s", known);
	else
		(void)snprintf(q->base, sizeof(q->base), "%s://%s",
			       web_is_secure(q->r) ? "https" : "http",
			       is_host(host) ? host : "localhost");
}

void *twilio_ask_new(struct api *a, struct web_request *r, size_t size)
{
	struct service_who who;
	struct twilio_ask *q;
	json_t *body;

	if (!vendor_who(a, r, VENDOR_TWILIO, (struct span){0}, SERVICE_VERIFY,
			&who))
		return NULL;
	body = vendor_body(r, VENDOR_TWILIO, true);
	if (!body)
		return NULL;
	q = b_zero(1, size);
	q->a = a;
	q->r = r;
	q->who = who;
	q->body = body;
	q->size = size;
	find_base(q);
	vendor_twilio_account(a, who.application, q->account);
	return q;
}

static void ask_free(struct twilio_ask *q)
{
	json_decref(q->body);
	crypto_wipe(q, q->size); /* a code may stand in it */
	free(q);
}

/* Refusals of ours that its clients know under several numbers: what the rule
 * begins with, and the row of vendor_errors.def. */
static const struct {
	const char *rule, *code;
} ruled[] = {
	{"sends", "max_sends"},
	{"limits.number_", "max_sends"},
	{"number.live_codes", "busy_number"},
};

static const char *code_of(const struct service_refusal *no)
{
	if (strcmp(no->code, "rate_limited") != 0)
		return no->code;
	for (size_t i = 0; i < COUNT_OF(ruled); i++)
		if (span_starts(span_of(no->rule), ruled[i].rule))
			return ruled[i].code;
	return no->code;
}

void twilio_refuse(struct twilio_ask *q)
{
	q->no.code = code_of(&q->no);
	vendor_refuse(q->r, VENDOR_TWILIO, &q->no);
	ask_free(q);
}

void twilio_answer(struct twilio_ask *q, unsigned status, struct buf *b)
{
	api_answer_json(q->r, status, b);
	ask_free(q);
}

void twilio_answer_nothing(struct twilio_ask *q)
{
	api_answer_text(q->r, 204, NULL, (struct span){0});
	ask_free(q);
}

bool twilio_no(struct twilio_ask *q, const char *code, const char *field,
	       const char *detail)
{
	q->no = (struct service_refusal){.code = code};
	(void)snprintf(q->no.field, sizeof(q->no.field), "%s", field);
	(void)snprintf(q->no.detail, sizeof(q->no.detail), "%s", detail);
	return false;
}

/* --- ids ------------------------------------------------------------------------------ */

bool twilio_sid(struct twilio_ask *q, unsigned part, const char letters[2],
		char out[VENDOR_TWILIO_ID_BYTES])
{
	char digits[SERVICE_SHORT_BYTES];

	if (!vendor_sid_read(letters, web_part(q->r, part), digits))
		return twilio_no(q, "not_found", "", "");
	(void)snprintf(out, VENDOR_TWILIO_ID_BYTES, "%.2s%s", letters, digits);
	return true;
}

static void write_sid(const char letters[2], const uint8_t bytes[HEX_BYTES],
		      char out[VENDOR_TWILIO_ID_BYTES])
{
	memcpy(out, letters, 2);
	crypto_hex(bytes, HEX_BYTES, out + 2);
}

void twilio_sid_of(const struct twilio_ask *q, const char letters[2],
		   const char *kind, const char *name,
		   char out[VENDOR_TWILIO_ID_BYTES])
{
	uint8_t bytes[HEX_BYTES];

	service_alias(q->a->p.service, kind, name, bytes);
	write_sid(letters, bytes, out);
}

void twilio_sid_new(const char letters[2], char out[VENDOR_TWILIO_ID_BYTES])
{
	uint8_t bytes[HEX_BYTES];

	rng_fill(rng_system(), bytes, sizeof(bytes));
	write_sid(letters, bytes, out);
}

/* --- the form --------------------------------------------------------------------------- */

bool twilio_given(const struct twilio_ask *q, const char *name)
{
	const json_t *value = json_object_get(q->body, name);

	return value && !json_is_null(value) &&
	       !(json_is_string(value) && json_string_length(value) == 0);
}

bool twilio_text(struct twilio_ask *q, const char *name, char *out, size_t size)
{
	if (vendor_text(q->body, name, out, size))
		return true;
	return twilio_no(q, "invalid_field", name,
			 "it is too long, or no text");
}

bool twilio_bool(struct twilio_ask *q, const char *name, bool *out)
{
	const json_t *value = json_object_get(q->body, name);
	char text[8];

	if (json_is_boolean(value)) {
		*out = json_is_true(value);
		return true;
	}
	if (!vendor_text(q->body, name, text, sizeof(text)))
		return twilio_no(q, "invalid_field", name, "true or false");
	if (strcasecmp(text, "true") == 0)
		*out = true;
	else if (strcasecmp(text, "false") == 0)
		*out = false;
	else if (*text)
		return twilio_no(q, "invalid_field", name, "true or false");
	return true;
}

bool twilio_int(struct twilio_ask *q, const char *name, int64_t least,
		int64_t most, int64_t *out)
{
	char text[24], why[96];
	uint64_t n;

	if (!twilio_text(q, name, text, sizeof(text)))
		return false;
	if (!*text)
		return true;
	if (span_uint(span_of(text), (uint64_t)most, &n) == 0 &&
	    (int64_t)n >= least) {
		*out = (int64_t)n;
		return true;
	}
	(void)snprintf(why, sizeof(why), "a number from %lld to %lld",
		       (long long)least, (long long)most);
	return twilio_no(q, "invalid_field", name, why);
}

bool twilio_lacks(struct twilio_ask *q, const char *const names[])
{
	for (; *names; names++)
		if (twilio_given(q, *names))
			return twilio_no(q, "no_feature", *names,
					 "this server speaks codes in calls, "
					 "and has nothing of this kind");
	return true;
}

/* --- members of an answer, each with the comma in front ------------------------------------ */

/* To the second, as its clients are used to. */
void twilio_write_time(struct buf *b, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT_BYTES];

	clock_text(ms, text);
	buf_printf(b, ",\"%s\":\"%.*sZ\"", name, (int)strcspn(text, ".Z"),
		   text);
}

void twilio_write_bool(struct buf *b, const char *name, bool yes)
{
	buf_printf(b, ",\"%s\":%s", name, yes ? "true" : "false");
}

void twilio_write_url(struct buf *b, const struct twilio_ask *q,
		      const char *name, const char *fmt, ...)
{
	char path[TEXT_MAX];
	AUTO_BUF(url, TWILIO_BASE_BYTES + TEXT_MAX);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	buf_printf(&url, "%s%s", q->base, path);
	buf_printf(b, "%s\"%s\":", b->n > 0 && b->p[b->n - 1] == '{' ? "" : ",",
		   name);
	buf_json(b, buf_view(&url));
}
