// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_json.c - request bodies: what is read is what its table allows, and what
 * is refused is refused in words.
 *
 * The first byte chooses the request.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/body.h"
#include "web/web.h"

static const struct api_field *const tables[] = {
	api_create_fields,
	api_check_fields,
	api_search_fields,
	api_no_fields,
};

static bool text_fits(const struct api_field *f, const char *text)
{
	if (!text)
		return !f->required;
	if (f->kind == API_OBJECT)
		return text[0] == '{';
	return strlen(text) <= f->max && span_utf8(span_of(text));
}

static void look_at(const struct api_field *fields, const struct api_body *b)
{
	for (size_t i = 0; fields[i].name; i++) {
		const struct api_field *f = &fields[i];
		int64_t n = b->at[i].number;

		if (f->kind == API_INT)
			assert(n == 0 || (n >= f->least && n <= f->most));
		else
			assert(text_fits(f, b->at[i].text));
	}
}

/* Only a name that is the empty text is no field to speak of. */
static bool said(const struct api_problem *p)
{
	if (!p->code || !p->detail || !*p->detail)
		return false;
	return strcmp(p->code, "invalid_json") == 0 ||
	       strcmp(p->code, "unknown_field") == 0 || (p->field && *p->field);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct api_field *fields;
	struct service_create req = {0};
	struct api_problem p = {0};
	struct diag why = {0};
	struct api_body b;

	if (size == 0 || size > WEB_BODY_MAX)
		return 0;
	fields = tables[data[0] % COUNT_OF(tables)];
	if (api_body_read(span_make(data + 1, size - 1), fields, &b, &p,
			  &why) != 0)
		assert(said(&p));
	else
		look_at(fields, &b);
	if (fields == api_create_fields)
		api_body_to_create(&b, &req);
	api_body_free(&b);
	return 0;
}
