// SPDX-License-Identifier: Apache-2.0
/*
 * hooks.c - what was told of verifications, and telling it once more.
 */
#include <string.h>

#include "api/api_priv.h"
#include "service/hooks.h"

const struct api_field api_resend_fields[] = {
	{.name = "event", .kind = API_TEXT, .max = STORE_CURSOR_BYTES - 1},
	{0},
};

/* --- answers ---------------------------------------------------------------------- */

static void write_try(struct buf *b, const struct service_hook_try *t)
{
	buf_printf(b, "{\"told\":%s", t->told ? "true" : "false");
	api_write_time(b, "time", t->time_ms);
	api_write_number_or_null(b, "status", t->status);
	api_write_text_or_null(b, "fault", t->fault);
	buf_printf(b, ",\"took_ms\":%lld}", (long long)t->took_ms);
}

static bool is_first(const struct service_hook_view *view, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(view->tries[k].event, view->tries[i].event) == 0)
			return false;
	return true;
}

/* An event with all its tries, where the first of them stands. */
static void write_event(struct buf *b, const struct service_hook_view *view,
			size_t at)
{
	const struct service_hook_try *first = &view->tries[at];
	bool told = false, any = false;

	buf_str(b, "{\"event\":");
	buf_json(b, span_of(first->event));
	api_write_text(b, "type", first->type);
	api_write_text(b, "webhook_id", first->webhook_id);
	buf_str(b, ",\"attempts\":[");
	for (size_t i = at; i < view->tries_count; i++) {
		if (strcmp(view->tries[i].event, first->event) != 0)
			continue;
		if (any)
			buf_byte(b, ',');
		write_try(b, &view->tries[i]);
		told |= view->tries[i].told;
		any = true;
	}
	buf_printf(b, "],\"told\":%s}", told ? "true" : "false");
}

static void write_head(struct buf *b, const struct service_hook_view *view)
{
	buf_str(b, "{\"id\":");
	buf_json(b, span_of(view->id));
	api_write_text(b, "state", service_hook_state_text(view->state));
	api_write_text_or_null(b, "url", view->url);
	api_write_text(b, "form", view->form);
	api_write_time(b, "created_at", view->created_ms);
	api_write_time(b, "next_at", view->next_ms);
	buf_printf(b, ",\"failures\":%u", view->failures);
}

static void answer(unsigned status, const struct service_refusal *no,
		   const struct service_hook_view *view, struct web_request *r)
{
	struct buf b = {.max = API_ANSWER_MAX};
	bool any = false;

	if (!view) {
		api_refuse(r, no);
		return;
	}
	write_head(&b, view);
	buf_str(&b, ",\"items\":[");
	for (size_t i = 0; i < view->tries_count; i++) {
		if (!is_first(view, i))
			continue;
		if (any)
			buf_byte(&b, ',');
		write_event(&b, view, i);
		any = true;
	}
	buf_str(&b, "]}");
	api_answer_json(r, status, &b);
}

/* --- of one verification -------------------------------------------------------------- */

static void was_read(const struct service_refusal *no,
		     const struct service_hook_view *view, void *ctx)
{
	answer(200, no, view, ctx);
}

void api_hook(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_who who;
	char id[VERIFICATION_ID_BYTES];

	if (!api_who(a, r, SERVICE_VERIFY, &who))
		return;
	api_id(r, id);
	web_defer(r);
	service_hook_read(a->p.service, &who, id, was_read, r);
}

static void goes_again(const struct service_refusal *no,
		       const struct service_hook_view *view, void *ctx)
{
	answer(202, no, view, ctx);
}

void api_hook_resend(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_who who;
	char id[VERIFICATION_ID_BYTES];
	struct api_body body;

	if (!api_who(a, r, SERVICE_VERIFY, &who) ||
	    !api_body(r, api_resend_fields, &body))
		return;
	api_id(r, id);
	web_defer(r);
	service_hook_resend(a->p.service, &who, id, body.at[0].text, goes_again,
			    r);
	api_body_free(&body);
}

/* --- of an application ------------------------------------------------------------------ */

static void listed(const struct service_refusal *no,
		   const struct service_hook_view *views, size_t count,
		   const char *next, void *ctx)
{
	struct web_request *r = ctx;
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse(r, no);
		return;
	}
	buf_str(&b, "{\"items\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_byte(&b, ',');
		write_head(&b, &views[i]);
		buf_byte(&b, '}');
	}
	buf_byte(&b, ']');
	api_write_text_or_null(&b, "next", next);
	buf_byte(&b, '}');
	api_answer_json(r, 200, &b);
}

void api_hooks(struct web_request *r, void *ctx)
{
	static const char *const known[] = {"state", "limit", "cursor", NULL};
	struct api *a = ctx;
	struct service_hooks_query q = {0};

	if (!api_who(a, r, SERVICE_VERIFY, &q.who) || !api_query(r, known) ||
	    !api_limit(r, &q.limit))
		return;
	q.state = web_query(r, "state");
	q.cursor = web_query(r, "cursor");
	web_defer(r);
	service_hooks_list(a->p.service, &q, listed, r);
}
