// SPDX-License-Identifier: Apache-2.0
/*
 * hook_plivo.c - telling as Plivo's Verify does: a form by POST or a query by
 * GET, signed with the account's token, tried again after one, two and four
 * minutes.
 *
 * It is told what a call does, and that a session has expired; that one was
 * verified is what whoever validated it knows already.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "service/hook_priv.h"
#include "service/plivo_sign.h"

enum {
	NONCE_DIGITS = 20,
	UUID_BYTES = 37,
	VALUE_BYTES = 64,
	FIELDS = 9,
	ENCODED_MAX = 4 << 10,
};

static const int64_t pauses_ms[] = {60000, 120000, 240000};

static const struct {
	const char *type, *channel;
} told[] = {
	{"call.ringing", "ringing"},
	{"call.answered", "in-progress"},
	{"call.ended", "completed"},
	{"verification.expired", "completed"},
};

static const char *channel_status(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(told); i++)
		if (strcmp(told[i].type, type) == 0)
			return told[i].channel;
	return NULL;
}

static bool tells(const char *type)
{
	return channel_status(type) != NULL;
}

/* --- what is told ------------------------------------------------------------------- */

struct message {
	char session[UUID_BYTES], attempt[UUID_BYTES], sequence[VALUE_BYTES],
		when[VALUE_BYTES], error[VALUE_BYTES];
	struct plivo_pair fields[FIELDS];
};

static void write_uuid(const char *id, char out[UUID_BYTES])
{
	char s[SERVICE_SHORT_BYTES];

	service_short_id(id, s);
	(void)snprintf(out, UUID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", s, s + 8,
		       s + 12, s + 16, s + 20);
}

/* Which of its calls the event is about: the newest where it names none. */
static size_t leg_of(const struct service_hook_event *e)
{
	const struct verification *v = e->view->v;
	AUTO_JSON json_t *o = NULL;
	const char *id = NULL;
	struct diag d;

	if (js_parse(e->json, &o, &d) == 0)
		id = json_string_value(
			json_object_get(json_object_get(o, "call"), "id"));
	for (size_t i = 0; i < v->legs_count && id; i++)
		if (strcmp(v->legs[i].id, id) == 0)
			return i;
	return v->legs_count > 0 ? v->legs_count - 1 : 0;
}

static void write_time(int64_t ms, char out[VALUE_BYTES])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(out, VALUE_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
}

static void fill(const struct service_hook_event *e, struct message *m)
{
	const struct verification *v = e->view->v;
	size_t at = leg_of(e);
	bool over = strcmp(e->type, "verification.expired") == 0;

	write_uuid(v->id, m->session);
	m->attempt[0] = m->error[0] = '\0';
	if (v->legs_count > 0) {
		write_uuid(v->legs[at].id, m->attempt);
		if (!over && v->legs[at].state == VERIFICATION_LEG_ENDED &&
		    v->legs[at].outcome != LEG_ANSWERED)
			(void)snprintf(m->error, sizeof(m->error), "%s",
				       outcome_leg_text(v->legs[at].outcome));
	}
	(void)snprintf(m->sequence, sizeof(m->sequence), "%zu", at + 1);
	write_time(v->created_ms, m->when);
	memcpy(m->fields,
	       (struct plivo_pair[FIELDS]){
		       {"AttemptSequence", m->sequence},
		       {"AttemptUUID", m->attempt},
		       {"Channel", "voice"},
		       {"ChannelErrorCode", m->error},
		       {"ChannelStatus", channel_status(e->type)},
		       {"Recipient",
			e->view->to[0] == '+' ? e->view->to + 1 : e->view->to},
		       {"RequestTime", m->when},
		       {"SessionStatus", over ? "expired" : "in-progress"},
		       {"SessionUUID", m->session},
	       },
	       sizeof(m->fields));
}

/* Everything but letters and digits as %XX. */
static void add_encoded(struct buf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_')
			buf_byte(b, c);
		else
			buf_printf(b, "%%%02X", c);
	}
}

static void add_form(struct buf *b, const struct message *m)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (i > 0)
			buf_byte(b, '&');
		buf_str(b, m->fields[i].name);
		buf_byte(b, '=');
		add_encoded(b, m->fields[i].value);
	}
}

/* --- signatures ----------------------------------------------------------------------- */

/* Another for each try, so that no answer to one is good for the next. */
static void make_nonce(const struct service_hook_event *e,
		       char out[NONCE_DIGITS + 1])
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %lld", e->id,
			 (long long)e->now_ms);

	crypto_sha256(text, (size_t)n, hash);
	for (size_t i = 0; i < NONCE_DIGITS; i++)
		out[i] = (char)('0' + hash[i] % 10);
	if (out[0] == '0')
		out[0] = '1';
	out[NONCE_DIGITS] = '\0';
}

/* Clients differ in whether they see a port that is not the scheme's: those of
 * version 3 take one of several signatures. */
static int sign_v3(struct span key, struct plivo_signed what, const char *nonce,
		   char *out, size_t size)
{
	char with[PLIVO_SIGNATURE_BYTES], without[PLIVO_SIGNATURE_BYTES];
	int err = service_plivo_v3(key, &what, nonce, with);

	if (err)
		return err;
	if (!service_plivo_has_port(what.url)) {
		(void)snprintf(out, size, "%s", with);
		return 0;
	}
	what.without_port = true;
	err = service_plivo_v3(key, &what, nonce, without);
	if (!err)
		(void)snprintf(out, size, "%s,%s", with, without);
	return err;
}

static int sign(const struct service_hook_event *e,
		const struct plivo_signed *what,
		struct service_hook_message *out)
{
	char nonce[NONCE_DIGITS + 1], v2[PLIVO_SIGNATURE_BYTES];
	char v3[2 * PLIVO_SIGNATURE_BYTES + 1];
	int err;

	if (e->key.n == 0)
		return -ENOKEY;
	make_nonce(e, nonce);
	err = service_plivo_v2(e->key, what->url, nonce, v2);
	if (!err)
		err = sign_v3(e->key, *what, nonce, v3, sizeof(v3));
	if (err)
		return err;
	service_hook_header(out, "X-Plivo-Signature-V2", v2);
	service_hook_header(out, "X-Plivo-Signature-Ma-V2", v2);
	service_hook_header(out, "X-Plivo-Signature-V2-Nonce", nonce);
	service_hook_header(out, "X-Plivo-Signature-V3", v3);
	service_hook_header(out, "X-Plivo-Signature-Ma-V3", v3);
	service_hook_header(out, "X-Plivo-Signature-V3-Nonce", nonce);
	return 0;
}

/* --- the forms ------------------------------------------------------------------------- */

static int make_post(const struct service_hook_event *e,
		     struct service_hook_message *out)
{
	struct message m;
	const struct plivo_signed what = {.method = "POST",
					  .url = e->url,
					  .form = m.fields,
					  .form_count = FIELDS};

	fill(e, &m);
	add_form(&out->body, &m);
	if (out->body.err)
		return out->body.err;
	service_hook_header(out, "Content-Type",
			    "application/x-www-form-urlencoded");
	return sign(e, &what, out);
}

static int make_get(const struct service_hook_event *e,
		    struct service_hook_message *out)
{
	AUTO_BUF(query, ENCODED_MAX);
	struct message m;
	const struct plivo_signed what = {.method = "GET", .url = out->url};
	int n;

	fill(e, &m);
	add_form(&query, &m);
	if (query.err)
		return query.err;
	n = snprintf(out->url, sizeof(out->url), "%s%c%s", e->url,
		     strchr(e->url, '?') ? '&' : '?', query.p);
	if (n < 0 || (size_t)n >= sizeof(out->url))
		return -E2BIG;
	out->method = "GET";
	return sign(e, &what, out);
}

const struct service_hook_form service_hook_plivo = {
	.name = "plivo",
	.tells = tells,
	.make = make_post,
	.pauses_ms = pauses_ms,
	.pauses_count = COUNT_OF(pauses_ms),
	.goes_on = true,
};

const struct service_hook_form service_hook_plivo_get = {
	.name = "plivo-get",
	.tells = tells,
	.make = make_get,
	.pauses_ms = pauses_ms,
	.pauses_count = COUNT_OF(pauses_ms),
	.goes_on = true,
};
