// SPDX-License-Identifier: Apache-2.0
/*
 * flows.c - /v1/flows: drafts, versions, publishing.
 *
 * Documents go in and out as they are: the body of a draft, of an export and of
 * an import is the document itself, so that a file can be sent and an answer be
 * kept as one.
 */
#include "api/flows_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETAG_TEXT = SERVICE_FLOW_ETAG_BYTES + 4, VERSION_MAX = 1000000 };

/* --- what is asked ---------------------------------------------------------------- */

/* Members of the ask that come from elsewhere than the body. */
struct asking {
	struct service_flow_ask ask;
	char id[VERIFICATION_ID_BYTES];
	char etag[ETAG_TEXT];
};

/* As clients send it: quoted, weak, or bare. */
static void read_if_match(const struct web_request *r, struct asking *q)
{
	const char *given = web_header(r, "If-Match");
	struct span text;

	if (!given)
		return;
	text = span_trim(span_of(given));
	if (span_starts(text, "W/"))
		text = span_make(text.p + 2, text.n - 2);
	if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
		text = span_make(text.p + 1, text.n - 2);
	(void)snprintf(q->etag, sizeof(q->etag), "%.*s",
		       (int)(text.n < ETAG_TEXT ? text.n : ETAG_TEXT - 1),
		       text.p);
	q->ask.if_match = q->etag;
}

static bool begin(struct web_request *r, struct api *a, struct asking *q)
{
	*q = (struct asking){0};
	if (!api_who(a, r, SERVICE_FLOWS | SERVICE_ADMIN, &q->ask.who))
		return false;
	api_id(r, q->id);
	q->ask.id = q->id;
	read_if_match(r, q);
	return true;
}

static bool no_arguments(struct web_request *r)
{
	static const char *const none[] = {NULL};

	return api_query(r, none);
}

/* A version's number, or "draft".  False: answered. */
static bool read_version(struct web_request *r, const char *text,
			 unsigned *version)
{
	char *end = NULL;
	unsigned long n;

	*version = 0;
	if (strcmp(text, "draft") == 0)
		return true;
	n = strtoul(text, &end, 10);
	if (text[0] >= '1' && text[0] <= '9' && *end == '\0' &&
	    n <= VERSION_MAX) {
		*version = (unsigned)n;
		return true;
	}
	api_bad_field(r, "not_found", NULL, "a version is a number, or draft");
	return false;
}

static bool part_version(struct web_request *r, unsigned part,
			 unsigned *version)
{
	char text[16];

	api_part(r, part, text, sizeof(text));
	return read_version(r, text, version);
}

static bool read_page(struct web_request *r, struct asking *q)
{
	static const char *const known[] = {"limit", "cursor", NULL};
	const char *limit = web_query(r, "limit");
	char *end = NULL;

	if (!api_query(r, known))
		return false;
	q->ask.cursor = web_query(r, "cursor");
	if (!limit)
		return true;
	q->ask.limit = strtoul(limit, &end, 10);
	if (*limit && *end == '\0' && q->ask.limit > 0 &&
	    q->ask.limit <= STORE_PAGE_MAX)
		return true;
	api_bad_field(r, "invalid_field", "limit", "it is 1 to 200");
	return false;
}

/* What needs no more than the flow: its id and, with the document, the body. */
static void ask(struct web_request *r, struct api *a, bool document,
		service_flow_do *what, service_flow_h *done)
{
	struct asking q;

	if (!begin(r, a, &q) || !no_arguments(r))
		return;
	if (document)
		q.ask.document = web_body(r);
	web_defer(r);
	what(a->p.service, &q.ask, done, r);
}

/* ... and a version, which stands behind it in the path. */
static void ask_version(struct web_request *r, struct api *a,
			service_flow_do *what, service_flow_h *done)
{
	struct asking q;

	if (!begin(r, a, &q) || !no_arguments(r) ||
	    !part_version(r, 1, &q.ask.version))
		return;
	web_defer(r);
	what(a->p.service, &q.ask, done, r);
}

/* ... and a page of a list. */
static void ask_page(struct web_request *r, struct api *a,
		     service_flow_do *what, service_flow_h *done)
{
	struct asking q;

	if (!begin(r, a, &q) || !read_page(r, &q))
		return;
	web_defer(r);
	what(a->p.service, &q.ask, done, r);
}

/* --- what is answered ---------------------------------------------------------------- */

static void answer_with_etag(struct web_request *r, unsigned status,
			     struct buf *b, const char *etag)
{
	char quoted[ETAG_TEXT];

	/* a version has the whole hash, a draft as much of it as marks it */
	(void)snprintf(quoted, sizeof(quoted), "\"%.*s\"",
		       SERVICE_FLOW_ETAG_BYTES - 1, etag);
	api_answer_headed(r, status, b,
			  &(struct web_header_out){"ETag", quoted});
}

static void done_head(const struct service_refusal *no,
		      const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	api_write_flow(&b, a->head);
	answer_with_etag(ctx, 200, &b, a->head->etag);
}

/* The flow, and whatever else the answer has. */
static void write_all(struct buf *b, const struct service_flow_answer *a)
{
	buf_str(b, "{\"flow\":");
	api_write_flow(b, a->head);
	if (a->count > 0) {
		buf_str(b, ",\"version\":");
		api_write_flow_version(b, a->versions);
	}
	if (a->dropped)
		buf_printf(b, ",\"report\":%s", a->dropped);
	buf_str(b, ",\"findings\":");
	api_write_findings(b, a->findings);
	buf_byte(b, '}');
}

static void all(unsigned status, const struct service_refusal *no,
		const struct service_flow_answer *a, struct web_request *r)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(r, no, a);
		return;
	}
	write_all(&b, a);
	answer_with_etag(r, status, &b, a->head->etag);
}

static void done_all(const struct service_refusal *no,
		     const struct service_flow_answer *a, void *ctx)
{
	all(200, no, a, ctx);
}

static void done_made(const struct service_refusal *no,
		      const struct service_flow_answer *a, void *ctx)
{
	all(201, no, a, ctx);
}

static void done_document(const struct service_refusal *no,
			  const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};
	const char *etag;

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	etag = a->count ? a->versions->sha256 : a->head->etag;
	buf_str(&b, a->document);
	answer_with_etag(ctx, 200, &b, etag);
}

/* --- flows ------------------------------------------------------------------------------ */

static void end_list(struct web_request *r, struct buf *b, const char *next)
{
	buf_byte(b, ']');
	api_write_text_or_null(b, "next", next);
	buf_byte(b, '}');
	api_answer_json(r, 200, b);
}

typedef void write_row_h(struct buf *b, const struct service_flow_answer *a,
			 size_t i);

static void done_rows(struct web_request *r, const struct service_refusal *no,
		      const struct service_flow_answer *a, write_row_h *write)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(r, no, a);
		return;
	}
	buf_str(&b, "{\"items\":[");
	for (size_t i = 0; i < a->count; i++) {
		if (i > 0)
			buf_byte(&b, ',');
		write(&b, a, i);
	}
	end_list(r, &b, a->next);
}

static void write_head(struct buf *b, const struct service_flow_answer *a,
		       size_t i)
{
	api_write_flow(b, &a->heads[i]);
}

static void done_list(const struct service_refusal *no,
		      const struct service_flow_answer *a, void *ctx)
{
	done_rows(ctx, no, a, write_head);
}

void api_flows(struct web_request *r, void *ctx)
{
	ask_page(r, ctx, service_flow_list, done_list);
}

void api_flow_add(struct web_request *r, void *ctx)
{
	static const struct api_field fields[] = {
		{.name = "name", .kind = API_TEXT, .max = FLOW_NAME_MAX},
		{.name = "document", .kind = API_OBJECT},
		{0},
	};
	struct api *a = ctx;
	struct api_body body;
	struct asking q;

	if (!begin(r, a, &q) || !no_arguments(r) || !api_body(r, fields, &body))
		return;
	q.ask.name = body.at[0].text;
	q.ask.document = span_of(body.at[1].text);
	web_defer(r);
	service_flow_add(a->p.service, &q.ask, done_made, r);
	api_body_free(&body);
}

void api_flow_import(struct web_request *r, void *ctx)
{
	ask(r, ctx, true, service_flow_import, done_made);
}

void api_flow_read(struct web_request *r, void *ctx)
{
	ask(r, ctx, false, service_flow_read, done_head);
}

static void done_removed(const struct service_refusal *no,
			 const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	buf_str(&b, "{\"id\":");
	buf_json(&b, span_of(a->head->id));
	buf_str(&b, ",\"deleted\":true}");
	api_answer_json(ctx, 200, &b);
}

void api_flow_remove(struct web_request *r, void *ctx)
{
	ask(r, ctx, false, service_flow_remove, done_removed);
}

/* --- the draft ------------------------------------------------------------------------------ */

void api_flow_draft(struct web_request *r, void *ctx)
{
	ask(r, ctx, false, service_flow_document, done_document);
}

void api_flow_save(struct web_request *r, void *ctx)
{
	ask(r, ctx, true, service_flow_save, done_all);
}

static void done_validate(const struct service_refusal *no,
			  const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	buf_printf(&b, "{\"valid\":%s,\"errors\":%zu,\"cut\":%s,\"findings\":",
		   a->findings->errors ? "false" : "true", a->findings->errors,
		   a->findings->cut ? "true" : "false");
	api_write_findings(&b, a->findings);
	buf_byte(&b, '}');
	api_answer_json(ctx, 200, &b);
}

void api_flow_validate(struct web_request *r, void *ctx)
{
	ask(r, ctx, true, service_flow_validate, done_validate);
}

void api_flow_validate_alone(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct asking q;

	if (!begin(r, a, &q) || !no_arguments(r))
		return;
	q.ask.id = NULL;
	q.ask.document = web_body(r);
	if (q.ask.document.n == 0) {
		api_bad_field(r, "missing_field", "body",
			      "the document is the body");
		return;
	}
	web_defer(r);
	service_flow_validate(a->p.service, &q.ask, done_validate, r);
}

/* --- versions ----------------------------------------------------------------------------------- */

void api_flow_publish(struct web_request *r, void *ctx)
{
	static const struct api_field fields[] = {
		{.name = "message",
		 .kind = API_TEXT,
		 .required = true,
		 .max = SERVICE_FLOW_MESSAGE_MAX},
		{0},
	};
	struct api *a = ctx;
	struct api_body body;
	struct asking q;

	if (!begin(r, a, &q) || !no_arguments(r) || !api_body(r, fields, &body))
		return;
	q.ask.message = body.at[0].text;
	web_defer(r);
	service_flow_publish(a->p.service, &q.ask, done_all, r);
	api_body_free(&body);
}

static void write_version(struct buf *b, const struct service_flow_answer *a,
			  size_t i)
{
	api_write_flow_version(b, &a->versions[i]);
}

static void done_versions(const struct service_refusal *no,
			  const struct service_flow_answer *a, void *ctx)
{
	done_rows(ctx, no, a, write_version);
}

void api_flow_versions(struct web_request *r, void *ctx)
{
	ask_page(r, ctx, service_flow_list_versions, done_versions);
}

static void done_version(const struct service_refusal *no,
			 const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	buf_str(&b, "{\"version\":");
	if (a->count)
		api_write_flow_version(&b, a->versions);
	else
		buf_str(&b, "null"); /* of what came with the program */
	buf_printf(&b, ",\"document\":%s}", a->document);
	api_answer_json(ctx, 200, &b);
}

void api_flow_version(struct web_request *r, void *ctx)
{
	ask_version(r, ctx, service_flow_document, done_version);
}

void api_flow_restore(struct web_request *r, void *ctx)
{
	ask_version(r, ctx, service_flow_restore, done_all);
}

static void done_diff(const struct service_refusal *no,
		      const struct service_flow_answer *a, void *ctx)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (no) {
		api_refuse_flow(ctx, no, a);
		return;
	}
	buf_printf(&b, "{\"changes\":%s}", a->changes);
	api_answer_json(ctx, 200, &b);
}

void api_flow_diff(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct asking q;

	if (!begin(r, a, &q) || !no_arguments(r) ||
	    !part_version(r, 1, &q.ask.version) ||
	    !part_version(r, 2, &q.ask.against))
		return;
	web_defer(r);
	service_flow_diff(a->p.service, &q.ask, done_diff, r);
}

void api_flow_export(struct web_request *r, void *ctx)
{
	static const char *const known[] = {"version", NULL};
	struct api *a = ctx;
	const char *version;
	struct asking q;

	if (!begin(r, a, &q) || !api_query(r, known))
		return;
	version = web_query(r, "version");
	if (version && !read_version(r, version, &q.ask.version))
		return;
	web_defer(r);
	service_flow_document(a->p.service, &q.ask, done_document, r);
}
