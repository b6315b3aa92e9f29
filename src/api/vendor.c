// SPDX-License-Identifier: Apache-2.0
/*
 * vendor.c - what the drop-in faces share.
 *
 * Whose words are used is a matter of tables: nothing here knows what a face
 * is for.
 */
#include "api/vendor.h"

#include <assert.h>
#include <string.h>

/* --- errors --------------------------------------------------------------------- */

static const struct vendor_error errors[] = {
#define VENDOR_ERROR(vendor, code, status, number, text) \
	{VENDOR_##vendor, #code, status, number, text},
#define VENDOR_FIELD(vendor, ours, theirs)
#include "api/vendor_errors.def"
#undef VENDOR_ERROR
#undef VENDOR_FIELD
};

static const struct {
	enum vendor vendor;
	const char *ours, *theirs;
} fields[] = {
#define VENDOR_ERROR(vendor, code, status, number, text)
#define VENDOR_FIELD(vendor, ours, theirs) {VENDOR_##vendor, #ours, #theirs},
#include "api/vendor_errors.def"
#undef VENDOR_ERROR
#undef VENDOR_FIELD
};

const struct vendor_error *vendor_error(enum vendor v, const char *code)
{
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].vendor == v && strcmp(errors[i].code, code) == 0)
			return &errors[i];
	return NULL;
}

static const char *their_field(enum vendor v, const char *ours)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].vendor == v && strcmp(fields[i].ours, ours) == 0)
			return fields[i].theirs;
	return ours;
}

/* What a row's text may name. */
struct words {
	const char *field, *detail, *path;
};

static bool fill(struct buf *b, struct span name, const struct words *w)
{
	const char *value = NULL;

	if (span_is(name, "field"))
		value = w->field;
	else if (span_is(name, "detail"))
		value = w->detail;
	else if (span_is(name, "path"))
		value = w->path;
	if (value)
		buf_str(b, value);
	return value != NULL;
}

/* The row's text, filled; what it would say about nothing is left out:
 * "forbidden: {detail}" without a detail is "forbidden". */
static void write_text(struct buf *b, const char *text, const struct words *w)
{
	struct span rest = span_of(text), piece, name;

	while (span_cut(&rest, '{', &piece)) {
		buf_span(b, piece);
		if (span_cut(&rest, '}', &name))
			(void)fill(b, name, w);
	}
	while (b->n > 0 && (b->p[b->n - 1] == ' ' || b->p[b->n - 1] == ':'))
		b->p[--b->n] = '\0';
}

/* Twilio's messages name a resource without the version in front. */
static const char *short_path(const struct web_request *r)
{
	const char *path = web_path(r), *rest = strchr(path + 1, '/');

	return path[1] == 'v' && rest ? rest : path;
}

static void write_error(struct buf *b, const struct vendor_error *row,
			struct span text)
{
	char id[VENDOR_UUID_BYTES];

	switch (row->vendor) {
	case VENDOR_PHLO:
	case VENDOR_PLIVO:
		vendor_uuid_new(id);
		buf_printf(b, "{\"api_id\":\"%s\",\"error\":", id);
		buf_json(b, text);
		break;
	case VENDOR_TWILIO:
		buf_printf(b, "{\"code\":%d,\"message\":", row->number);
		buf_json(b, text);
		buf_printf(b,
			   ",\"more_info\":"
			   "\"https://www.twilio.com/docs/errors/%d\","
			   "\"status\":%u",
			   row->number, row->status);
		break;
	case VENDOR_EXAMPLE:
	case VENDORS:
		buf_str(b, "{\"status\":\"failed\",\"message\":");
		buf_json(b, text);
		break;
	}
	buf_byte(b, '}');
}

/* A code that the face does not know is ours to mend. */
static const struct vendor_error *row_of(enum vendor v, const char *code)
{
	const struct vendor_error *row = vendor_error(v, code);

	if (!row)
		row = vendor_error(v, "internal_error");
	assert(row);
	return row;
}

static void refuse(struct web_request *r, enum vendor v,
		   const struct api_problem *p)
{
	const struct vendor_error *row = row_of(v, p->code);
	const struct words w = {.field = p->field ? their_field(v, p->field)
						  : "",
				.detail = p->detail ? p->detail : "",
				.path = short_path(r)};
	struct buf b = {.max = API_ANSWER_MAX};
	AUTO_BUF(text, API_ANSWER_MAX);

	write_text(&text, row->text, &w);
	write_error(&b, row, buf_view(&text));
	api_answer_trouble(r,
			   &(struct api_trouble_answer){
				   .status = row->status,
				   .code = p->code,
				   .type = "application/json",
				   .challenge = "Basic realm=\"voiceotp\"",
				   .retry_ms = p->retry_ms},
			   &b);
}

void vendor_refuse(struct web_request *r, enum vendor v,
		   const struct service_refusal *no)
{
	refuse(r, v,
	       &(struct api_problem){.code = no->code,
				     .field = no->field,
				     .detail = no->detail,
				     .retry_ms = no->retry_ms});
}

void vendor_problem(struct web_request *r, enum vendor v, const char *code,
		    const char *field, const char *detail)
{
	refuse(r, v,
	       &(struct api_problem){
		       .code = code, .field = field, .detail = detail});
}

/* --- paths ------------------------------------------------------------------------ */

static bool is_below(struct span path, const char *folder)
{
	size_t n = strlen(folder);

	return n > 0 && span_starts(path, folder) &&
	       (path.n == n || path.p[n] == '/');
}

bool vendor_of_path(const struct api *a, const char *path, enum vendor *out)
{
	struct span p = span_of(path);

	if (is_below(p, "/v1/phlo") || is_below(p, "/v1/account"))
		*out = VENDOR_PHLO;
	else if (is_below(p, "/v1/Account"))
		*out = VENDOR_PLIVO;
	else if (is_below(p, "/v2"))
		*out = VENDOR_TWILIO;
	else if (a && a->p.example && is_below(p, a->p.example->prefix))
		*out = VENDOR_EXAMPLE;
	else
		return false;
	return true;
}
