// SPDX-License-Identifier: Apache-2.0
/*
 * body.h - what a request's body says, strictly: known fields, their types and
 * lengths.  No request is needed to read one.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"
#include "service/service.h"

enum { API_FIELDS_MAX = 24 };

/* `code` is a row of errors.def.  field and rule may be NULL or "". */
struct api_problem {
	const char *code, *field, *rule, *detail;
	int64_t retry_ms;
	const char *more; /* further members, each with a comma; or NULL */
};

/* A field that a body may have; what is in no table is refused. */
struct api_field {
	const char *name;
	enum { API_TEXT, API_INT, API_BOOL, API_OBJECT, API_ARRAY } kind;
	bool required;
	size_t max;          /* bytes of a text */
	int64_t least, most; /* of an integer */
};
extern const struct api_field api_create_fields[], api_check_fields[],
	api_search_fields[], api_resend_fields[],
	api_no_fields[]; /* ended by { NULL } */
enum api_create_field {
	API_CREATE_TO,
	API_CREATE_FLOW,
	API_CREATE_LOCALE,
	API_CREATE_BRAND,
	API_CREATE_PURPOSE,
	API_CREATE_FROM,
	API_CREATE_CODE_LENGTH,
	API_CREATE_TTL_S,
	API_CREATE_AMOUNT,
	API_CREATE_CURRENCY,
	API_CREATE_PAYEE,
	API_CREATE_CLIENT_IP,
	API_CREATE_METADATA,
	API_CREATE_TRACE,
	API_CREATE_PARAMS,
	API_CREATE_FLOW_VERSION,
	API_CREATE_WEBHOOK,
	API_CREATE_SEND_DIGITS,
};
enum api_check_field {
	API_CHECK_CODE,
	API_CHECK_AMOUNT,
	API_CHECK_CURRENCY,
	API_CHECK_PAYEE,
};
enum api_search_field {
	API_SEARCH_TO,
	API_SEARCH_LIMIT,
	API_SEARCH_CURSOR,
};

/* What was read, by the places of the table; texts lie in `root`. */
struct api_body {
	json_t *root;
	struct {
		const char *text; /* NULL: not given */
		int64_t number;   /* 0: not given */
		bool yes;
		char *json; /* of an object, owned */
	} at[API_FIELDS_MAX];
};
/* 0, or -EINVAL: p says what is wrong, in the words of `why`.  An empty text is
 * read as {}.  Free the body either way. */
MUST_CHECK int api_body_read(struct span text, const struct api_field *fields,
			     struct api_body *out, struct api_problem *p,
			     struct diag *why);
void api_body_free(struct api_body *b);

/* A create's body as a request to the service; texts are borrowed from it. */
void api_body_to_create(const struct api_body *b, struct service_create *req);
