// SPDX-License-Identifier: Apache-2.0
/*
 * body.c - what a request's body says, strictly.
 *
 * Only shapes are looked at here: JSON, known fields, their types and lengths.
 * What the texts mean is the service's to say, once for all faces.  The fields
 * of each request are a table; what is not in it is refused, so that a field of
 * a later version is never silently ignored.
 */
#include "api/body.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/crypto.h"
#include "base/json.h"

enum {
	NUMBER_TEXT = NUMBER_TEXT_MAX,
	CODE_TEXT = 32,
	LOCALE_TEXT = VERIFICATION_LOCALE_BYTES - 1,
	ADDRESS_TEXT = 45,
	AMOUNT_TEXT = VERIFICATION_AMOUNT_BYTES - 1,
	PAYEE_TEXT = VERIFICATION_PAYEE_BYTES - 1,
	CURRENCY_TEXT = 3,
	SECOND_MS = 1000,
};

const struct api_field api_create_fields[] = {
	[API_CREATE_TO] = {.name = "to",
			   .kind = API_TEXT,
			   .required = true,
			   .max = NUMBER_TEXT},
	[API_CREATE_FLOW] = {.name = "flow",
			     .kind = API_TEXT,
			     .max = VERIFICATION_FLOW_BYTES - 1},
	[API_CREATE_LOCALE] = {.name = "locale",
			       .kind = API_TEXT,
			       .max = LOCALE_TEXT},
	[API_CREATE_BRAND] = {.name = "brand",
			      .kind = API_TEXT,
			      .max = VERIFICATION_BRAND_BYTES - 1},
	[API_CREATE_PURPOSE] = {.name = "purpose",
				.kind = API_TEXT,
				.max = VERIFICATION_PURPOSE_BYTES - 1},
	[API_CREATE_FROM] = {.name = "from",
			     .kind = API_TEXT,
			     .max = NUMBER_TEXT},
	[API_CREATE_CODE_LENGTH] = {.name = "code_length",
				    .kind = API_INT,
				    .least = CODE_DIGITS_MIN,
				    .most = CODE_DIGITS_MAX},
	[API_CREATE_TTL_S] = {.name = "ttl_s",
			      .kind = API_INT,
			      .least = 60,
			      .most = 600},
	[API_CREATE_AMOUNT] = {.name = "amount",
			       .kind = API_TEXT,
			       .max = AMOUNT_TEXT},
	[API_CREATE_CURRENCY] = {.name = "currency",
				 .kind = API_TEXT,
				 .max = CURRENCY_TEXT},
	[API_CREATE_PAYEE] = {.name = "payee",
			      .kind = API_TEXT,
			      .max = PAYEE_TEXT},
	[API_CREATE_CLIENT_IP] = {.name = "client_ip",
				  .kind = API_TEXT,
				  .max = ADDRESS_TEXT},
	[API_CREATE_METADATA] = {.name = "metadata", .kind = API_OBJECT},
	[API_CREATE_TRACE] = {.name = "trace", .kind = API_BOOL},
	[API_CREATE_PARAMS] = {.name = "params", .kind = API_OBJECT},
	[API_CREATE_FLOW_VERSION] = {.name = "flow_version",
				     .kind = API_INT,
				     .least = 1,
				     .most = INT32_MAX},
	[API_CREATE_WEBHOOK] = {.name = "webhook",
				.kind = API_TEXT,
				.max = VERIFICATION_URL_BYTES - 1},
	[API_CREATE_SEND_DIGITS] = {.name = "send_digits",
				    .kind = API_TEXT,
				    .max = NUMBER_EXTENSION_BYTES - 1},
	{0},
};

const struct api_field api_check_fields[] = {
	[API_CHECK_CODE] = {.name = "code",
			    .kind = API_TEXT,
			    .required = true,
			    .max = CODE_TEXT},
	[API_CHECK_AMOUNT] = {.name = "amount",
			      .kind = API_TEXT,
			      .max = AMOUNT_TEXT},
	[API_CHECK_CURRENCY] = {.name = "currency",
				.kind = API_TEXT,
				.max = CURRENCY_TEXT},
	[API_CHECK_PAYEE] = {.name = "payee",
			     .kind = API_TEXT,
			     .max = PAYEE_TEXT},
	{0},
};

const struct api_field api_search_fields[] = {
	[API_SEARCH_TO] = {.name = "to",
			   .kind = API_TEXT,
			   .required = true,
			   .max = NUMBER_TEXT},
	[API_SEARCH_LIMIT] = {.name = "limit",
			      .kind = API_INT,
			      .least = 1,
			      .most = STORE_PAGE_MAX},
	[API_SEARCH_CURSOR] = {.name = "cursor",
			       .kind = API_TEXT,
			       .max = STORE_CURSOR_BYTES - 1},
	{0},
};

const struct api_field api_no_fields[] = {{0}};

/* --- reading ----------------------------------------------------------------- */

static int fault(struct api_problem *p, const char *code, const char *field,
		 const struct diag *why)
{
	*p = (struct api_problem){
		.code = code, .field = field, .detail = why->message};
	return -EINVAL;
}

static const struct api_field *find(const struct api_field *fields,
				    const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static int check_names(json_t *root, const struct api_field *fields,
		       struct api_problem *p, struct diag *why)
{
	const char *key;
	json_t *value;

	json_object_foreach(root, key, value)
	{
		if (find(fields, key))
			continue;
		(void)diag_field(why, key, "there is no field of this name");
		return fault(p, "unknown_field", why->field, why);
	}
	return 0;
}

static int read_object(const json_t *root, const struct api_field *f,
		       struct api_body *out, size_t i, struct diag *why)
{
	json_t *o = NULL;
	int err = js_get_object(root, f->name, &o, why);

	if (err || !o)
		return err;
	out->at[i].json = json_dumps(o, JSON_COMPACT);
	out->at[i].text = out->at[i].json;
	return 0;
}

static int read_field(const json_t *root, const struct api_field *f,
		      struct api_body *out, size_t i, struct diag *why)
{
	switch (f->kind) {
	case API_TEXT:
		return js_get_text(root, f->name, f->max, &out->at[i].text,
				   why);
	case API_INT:
		return js_get_int(root, f->name, f->least, f->most,
				  &out->at[i].number, why);
	case API_BOOL:
		return js_get_bool(root, f->name, &out->at[i].yes, why);
	case API_OBJECT:
		return read_object(root, f, out, i, why);
	case API_ARRAY: { /* its reader looks into root */
		json_t *array = NULL;

		return js_get_array(root, f->name, &array, why);
	}
	}
	return 0;
}

static int read_fields(const json_t *root, const struct api_field *fields,
		       struct api_body *out, struct api_problem *p,
		       struct diag *why)
{
	for (size_t i = 0; fields[i].name; i++) {
		const struct api_field *f = &fields[i];

		assert(i < API_FIELDS_MAX);
		if (f->required && !json_object_get(root, f->name)) {
			(void)diag_set(why, "%s must be given", f->name);
			return fault(p, "missing_field", f->name, why);
		}
		if (read_field(root, f, out, i, why) != 0)
			return fault(p, "invalid_field", f->name, why);
	}
	return 0;
}

static int parse(struct span text, json_t **root, struct api_problem *p,
		 struct diag *why)
{
	struct diag d = {0};

	if (js_parse(text, root, &d) != 0) {
		(void)diag_set(why, "line %d, column %d: %s", d.line, d.column,
			       d.message);
		return fault(p, "invalid_json", NULL, why);
	}
	if (json_is_object(*root))
		return 0;
	(void)diag_set(why, "the body must be an object");
	return fault(p, "invalid_json", NULL, why);
}

int api_body_read(struct span text, const struct api_field *fields,
		  struct api_body *out, struct api_problem *p, struct diag *why)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = parse(text.n ? text : span_of("{}"), &out->root, p, why);
	if (!err)
		err = check_names(out->root, fields, p, why);
	if (!err)
		err = read_fields(out->root, fields, out, p, why);
	return err;
}

void api_body_free(struct api_body *b)
{
	for (size_t i = 0; i < API_FIELDS_MAX; i++) {
		/* a flow's parameters may be secret */
		if (b->at[i].json)
			crypto_wipe(b->at[i].json, strlen(b->at[i].json));
		free(b->at[i].json);
	}
	json_decref(b->root);
}

bool api_body(struct web_request *r, const struct api_field *fields,
	      struct api_body *out)
{
	struct api_problem p = {0};
	struct diag why = {0};

	if (api_body_read(web_body(r), fields, out, &p, &why) == 0)
		return true;
	api_problem(r, &p); /* its field's name may lie in the body */
	api_body_free(out);
	return false;
}

void api_body_to_create(const struct api_body *b, struct service_create *req)
{
	req->to = b->at[API_CREATE_TO].text;
	req->flow = b->at[API_CREATE_FLOW].text;
	req->locale = b->at[API_CREATE_LOCALE].text;
	req->brand = b->at[API_CREATE_BRAND].text;
	req->purpose = b->at[API_CREATE_PURPOSE].text;
	req->from = b->at[API_CREATE_FROM].text;
	req->code_length = (unsigned)b->at[API_CREATE_CODE_LENGTH].number;
	req->ttl_ms = b->at[API_CREATE_TTL_S].number * SECOND_MS;
	req->amount = b->at[API_CREATE_AMOUNT].text;
	req->currency = b->at[API_CREATE_CURRENCY].text;
	req->payee = b->at[API_CREATE_PAYEE].text;
	req->client_ip = b->at[API_CREATE_CLIENT_IP].text;
	req->metadata = b->at[API_CREATE_METADATA].text;
	req->trace = b->at[API_CREATE_TRACE].yes;
	req->params = b->at[API_CREATE_PARAMS].text;
	req->flow_version = (unsigned)b->at[API_CREATE_FLOW_VERSION].number;
	req->webhook = b->at[API_CREATE_WEBHOOK].text;
	req->send_digits = b->at[API_CREATE_SEND_DIGITS].text;
}
