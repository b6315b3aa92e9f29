// SPDX-License-Identifier: Apache-2.0
/*
 * vendor.h - what the drop-in faces share: whose account it is, what stands in
 * the body, how a refusal of ours is said in a vendor's own terms.
 *
 * A face maps requests and answers and holds no rule of its own.  How errors
 * are worded is data: vendor_errors.def has a row for every code of errors.def
 * that a face can meet.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "api/account.h"
#include "api/api_priv.h"

enum vendor {
	VENDOR_PHLO,    /* run a flow: {"api_id", "error"} */
	VENDOR_PLIVO,   /* Verify sessions: the same shape */
	VENDOR_TWILIO,  /* Verify v2: {"code", "message", "more_info", ...} */
	VENDOR_EXAMPLE, /* the two endpoints: {"status", "message"} */
	VENDORS
};

/* --- ids ------------------------------------------------------------------------ */

/* The application's account, as the vendor's clients want it to look. */
void vendor_plivo_account(const struct api *a, const char *application,
			  char out[VENDOR_PLIVO_ID_BYTES]);
void vendor_twilio_account(const struct api *a, const char *application,
			   char out[VENDOR_TWILIO_ID_BYTES]);
/* An id of ours ("ver_...", "call_...") as a UUID, or as letters and hex. */
void vendor_uuid(const char *id, char out[VENDOR_UUID_BYTES]);
void vendor_sid(const char letters[2], const char *id,
		char out[VENDOR_TWILIO_ID_BYTES]);
/* ... and back to what service_find() takes; false: it is none. */
bool vendor_uuid_read(struct span text, char out[SERVICE_SHORT_BYTES]);
bool vendor_sid_read(const char letters[2], struct span text,
		     char out[SERVICE_SHORT_BYTES]);

/* --- requests -------------------------------------------------------------------- */

/*
 * HTTP Basic: the account's id (or a key's own) and a live token of that
 * application with one of `scopes`.  `account` is the id in the path, empty
 * where there is none; another than the one that asks is not found.  False:
 * answered in the vendor's words.
 */
bool vendor_who(struct api *a, struct web_request *r, enum vendor v,
		struct span account, unsigned scopes, struct service_who *out);

/*
 * The body as an object, empty where there is nothing: JSON (also "", null and
 * a body that is the JSON text ""), or, where `form` allows it and the
 * Content-Type says so, a form, whose values are texts, the last of a name.
 * Query arguments of a GET are not in it.  NULL: answered.
 */
json_t *vendor_body(struct web_request *r, enum vendor v, bool form);
/* A member as text: a number is its plain decimal, null and "" are absent (out
 * is then "").  false: it is something else, or too long. */
bool vendor_text(const json_t *body, const char *name, char *out, size_t size);

/* --- answers ---------------------------------------------------------------------- */

/* One row of vendor_errors.def. */
struct vendor_error {
	enum vendor vendor;
	const char *code; /* of errors.def, or of the face's own */
	unsigned status;  /* HTTP */
	int number;       /* the vendor's; 0: it has none */
	const char *text; /* the vendor's words: {field}, {detail}, {path} */
};
/* NULL: it has none. */
const struct vendor_error *vendor_error(enum vendor v, const char *code);
void vendor_refuse(struct web_request *r, enum vendor v,
		   const struct service_refusal *no);
/* The same with a code and words alone; field is one of ours or the vendor's,
 * field and detail may be NULL. */
void vendor_problem(struct web_request *r, enum vendor v, const char *code,
		    const char *field, const char *detail);
/* Whose words a path wants: for api_trouble().  False: ours. */
bool vendor_of_path(const struct api *a, const char *path, enum vendor *out);

/* --- faces that are one file --------------------------------------------------------- */

web_handler_h phlo_get, phlo_run, phlo_read, example_dispatch, example_verify;
