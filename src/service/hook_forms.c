// SPDX-License-Identifier: Apache-2.0
/*
 * hook_forms.c - the ways of telling; and ours, which is Standard Webhooks.
 *
 * A verification keeps its form as its place in this list: add at the end,
 * never in between.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/hook_priv.h"

static const struct service_hook_form *const forms[] = {
	&service_hook_standard,
	&service_hook_plivo,
	&service_hook_plivo_get,
};

const struct service_hook_form *service_hook_form_find(const char *name)
{
	if (!name || !*name)
		return &service_hook_standard;
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (strcmp(forms[i]->name, name) == 0)
			return forms[i];
	return NULL;
}

const struct service_hook_form *service_hook_form_of(
	const struct verification *v)
{
	return v->hook > 0 && v->hook <= COUNT_OF(forms) ? forms[v->hook - 1]
							 : NULL;
}

unsigned service_hook_form_number(const struct service_hook_form *form)
{
	for (unsigned n = 0; n < COUNT_OF(forms); n++)
		if (forms[n] == form)
			return n + 1;
	return 0;
}

void service_hook_header(struct service_hook_message *m, const char *name,
			 const char *value)
{
	if (m->headers_count == SERVICE_HOOK_HEADERS_MAX)
		return;
	m->headers[m->headers_count].name = name;
	(void)snprintf(m->headers[m->headers_count++].value,
		       sizeof(m->headers[0].value), "%s", value);
}

/* --- standard ---------------------------------------------------------------------- */

/* Seconds, then minutes, then hours; the last fills a day up. */
static const int64_t pauses_ms[] = {
	5000, 300000, 1800000, 7200000, 18000000, 36000000, 23095000,
};

static bool tells(const char *type)
{
	(void)type;
	return true;
}

static int make(const struct service_hook_event *e,
		struct service_hook_message *out)
{
	struct service_hook_signature s;
	char when[CLOCK_TEXT_BYTES];

	clock_text(e->time_ms, when);
	buf_str(&out->body, "{\"type\":");
	buf_json(&out->body, span_of(e->type));
	buf_printf(&out->body, ",\"timestamp\":\"%s\",\"data\":", when);
	buf_span(&out->body, e->json);
	buf_byte(&out->body, '}');
	if (out->body.err)
		return out->body.err;
	service_hook_sign_with(e->secrets, e->id, e->now_ms,
			       buf_view(&out->body), &s);
	service_hook_header(out, "Content-Type", "application/json");
	service_hook_header(out, "webhook-id", s.id);
	service_hook_header(out, "webhook-timestamp", s.timestamp);
	service_hook_header(out, "webhook-signature", s.signature);
	return 0;
}

const struct service_hook_form service_hook_standard = {
	.name = "standard",
	.tells = tells,
	.make = make,
	.pauses_ms = pauses_ms,
	.pauses_count = COUNT_OF(pauses_ms),
};
