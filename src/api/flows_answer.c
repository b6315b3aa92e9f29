// SPDX-License-Identifier: Apache-2.0
/*
 * flows_answer.c - flows, versions and findings, written down.
 */
#include <stdio.h>
#include <string.h>

#include "api/flows_priv.h"

enum { STATE_BYTES = 80 };

/* In the words that people read: see docs/flows.md. */
static void state_text(const struct service_flow_head *h, char out[STATE_BYTES])
{
	char draft[STATE_BYTES / 2] = "";

	if (h->errors)
		(void)snprintf(draft, sizeof(draft), "draft has %u error%s",
			       h->errors, h->errors == 1 ? "" : "s");
	else if (h->published && h->changed)
		(void)snprintf(draft, sizeof(draft), "unsaved changes");
	if (!h->published)
		(void)snprintf(out, STATE_BYTES, "Draft only%s%s",
			       *draft ? ", " : "", draft);
	else
		(void)snprintf(out, STATE_BYTES, "Published v%u%s%s",
			       h->published, *draft ? ", " : "", draft);
}

void api_write_flow(struct buf *b, const struct service_flow_head *h)
{
	char state[STATE_BYTES];

	state_text(h, state);
	buf_str(b, "{\"id\":");
	buf_json(b, span_of(h->id));
	api_write_text(b, "name", h->name);
	api_write_text(b, "state", state);
	buf_printf(b, ",\"built_in\":%s", h->built_in ? "true" : "false");
	buf_str(b, ",\"draft\":{\"etag\":");
	buf_json(b, span_of(h->etag));
	buf_printf(b, ",\"errors\":%u,\"warnings\":%u,\"changed\":%s}",
		   h->errors, h->warnings, h->changed ? "true" : "false");
	api_write_number_or_null(b, "published_version", h->published);
	buf_printf(b, ",\"versions\":%u", h->versions);
	api_write_time(b, "created_at", h->created_ms);
	api_write_time(b, "updated_at", h->updated_ms);
	api_write_time(b, "published_at", h->published_ms);
	buf_byte(b, '}');
}

void api_write_flow_version(struct buf *b, const struct service_flow_version *v)
{
	buf_printf(b, "{\"version\":%u", v->n);
	api_write_text(b, "sha256", v->sha256);
	api_write_text(b, "author", v->author);
	api_write_text(b, "message", v->message);
	api_write_time(b, "published_at", v->published_ms);
	buf_byte(b, '}');
}

static void write_finding(struct buf *b, const struct flow_finding *f)
{
	static const char *const severities[] = {[FLOW_ERROR] = "error",
						 [FLOW_WARNING] = "warning",
						 [FLOW_INFO] = "info"};

	buf_printf(b, "{\"severity\":\"%s\"", severities[f->severity]);
	api_write_text(b, "code", f->code);
	api_write_text_or_null(b, "node", f->node);
	api_write_text(b, "path", f->path);
	api_write_text(b, "message", f->message);
	buf_byte(b, '}');
}

void api_write_findings(struct buf *b, const struct flow_findings *f)
{
	buf_byte(b, '[');
	for (size_t i = 0; f && i < f->count; i++) {
		if (i > 0)
			buf_byte(b, ',');
		write_finding(b, &f->items[i]);
	}
	buf_byte(b, ']');
}

void api_refuse_flow(struct web_request *r, const struct service_refusal *no,
		     const struct service_flow_answer *a)
{
	struct buf more = {.max = API_ANSWER_MAX};
	struct api_problem p = {.code = no->code,
				.field = no->field,
				.rule = no->rule,
				.detail = no->detail,
				.retry_ms = no->retry_ms};

	if (strcmp(no->code, "flow_invalid") == 0 && a->findings) {
		buf_str(&more, ",\"findings\":");
		api_write_findings(&more, a->findings);
	}
	if (a->changes && a->head) {
		api_write_text(&more, "etag", a->head->etag);
		buf_printf(&more, ",\"changes\":%s", a->changes);
	}
	if (a->changes && a->document) {
		buf_str(&more, ",\"document\":");
		buf_str(&more, a->document);
	}
	if (!more.err && more.n > 0)
		p.more = more.p;
	api_problem(r, &p);
	buf_free(&more);
}
