// SPDX-License-Identifier: Apache-2.0
/*
 * api_priv.h - what the faces share: who asks, what is in the body, how an
 * answer is written down.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "api/api.h"
#include "api/body.h"
#include "base/buf.h"

enum {
	API_ANSWER_MAX = 4 << 20, /* bytes: a full page with full metadata */
	API_LIST_DEFAULT = 50,
	API_REQUEST_ID_BYTES = 24,
	API_RETRY_S = 1,   /* Retry-After where nobody knows better */
	API_ALIKE_MS = 25, /* D4: longer than a check takes on most disks */
};

struct api_follows; /* event streams: events.c */

struct api {
	struct api_params p;
	_Atomic(struct web *) web; /* set once the server runs */
	struct api_follows *follows;
	struct web_route *routes; /* all of them, ended by {0} */
	char *example_paths[2];   /* of some of them */
};

/* --- problems (RFC 9457) ----------------------------------------------------- */

void api_problem(struct web_request *r, const struct api_problem *p);
void api_refuse(struct web_request *r, const struct service_refusal *no);
/* A field of the request is wrong: the code, where, and what. */
void api_bad_field(struct web_request *r, const char *code, const char *field,
		   const char *detail);

/* An answer to what went wrong, with the headers that go with its status (5xx
 * is logged by its code); `challenge` is of a 401.  Hands b's memory over. */
struct api_trouble_answer {
	unsigned status;
	const char *code, *type, *challenge;
	int64_t retry_ms; /* 0: nobody knows better than API_RETRY_S */
};
void api_answer_trouble(struct web_request *r,
			const struct api_trouble_answer *t, struct buf *b);

/* What marks an answer, and a log line about it. */
void api_request_id(char out[API_REQUEST_ID_BYTES]);

/* --- answers ------------------------------------------------------------------- */

/* Hands b's memory over; b is empty afterwards. */
void api_answer_json(struct web_request *r, unsigned status, struct buf *b);
/* The same, of a deferred request, at a multiple of grid_ms after it came. */
void api_answer_on_grid(struct web_request *r, unsigned status, struct buf *b,
			unsigned grid_ms);
/* The same with one more header. */
void api_answer_headed(struct web_request *r, unsigned status, struct buf *b,
		       const struct web_header_out *own);
/* Any other text. */
void api_answer_text(struct web_request *r, unsigned status, const char *type,
		     struct span text);
/* With the headers that every answer has, and `own` (NULL: none); `b` is handed
 * over, where it is not NULL.  `id` marks it. */
void api_answer(struct web_request *r, struct web_answer *a, struct buf *b,
		const char *id, const struct web_header_out *own);
void api_write_view(struct buf *b, const struct service_view *view);
/* ,"name":"2026-..." or null where ms is 0 */
void api_write_time(struct buf *b, const char *name, int64_t ms);
void api_write_text(struct buf *b, const char *name, const char *text);
/* ... or null where the text is NULL or "", the number 0 or less. */
void api_write_text_or_null(struct buf *b, const char *name, const char *text);
void api_write_number_or_null(struct buf *b, const char *name, int64_t n);

/* service_done_h's for the plain cases; ctx is the request. */
void api_done_200(const struct service_refusal *no,
		  const struct service_view *view, void *ctx);
void api_done_201(const struct service_refusal *no,
		  const struct service_view *view, void *ctx);
void api_done_202(const struct service_refusal *no,
		  const struct service_view *view, void *ctx);

/* --- requests ------------------------------------------------------------------- */

/* Is there a key, and a live one?  Answers nothing. */
bool api_known_key(struct api *a, const struct web_request *r,
		   struct service_who *out);
/* Who asks, if the key has one of `scopes`; otherwise false, and answered. */
bool api_who(struct api *a, struct web_request *r, unsigned scopes,
	     struct service_who *out);
/* A key was sent that is none: logged. */
void api_unauthorized(const struct web_request *r);
/* Name and password of HTTP Basic, in `pair`, which the caller wipes; false:
 * there is none. */
enum { API_BASIC_BYTES = 512 };
bool api_basic(const struct web_request *r, char pair[API_BASIC_BYTES],
	       const char **name, const char **password);
/* A part of the path as text; what is too long is cut, and so unknown. */
void api_part(const struct web_request *r, unsigned i, char *out, size_t size);
/* Part 0, as an id. */
void api_id(const struct web_request *r, char out[VERIFICATION_ID_BYTES]);
/* No query arguments but `known`; otherwise false, and answered. */
bool api_query(struct web_request *r, const char *const known[]);
/* `limit` of the query, or API_LIST_DEFAULT; otherwise false, and answered. */
bool api_limit(struct web_request *r, size_t *out);

/* --- bodies (body.c, body.h) -------------------------------------------------- */

/* api_body_read() of a request; otherwise false, and answered. */
bool api_body(struct web_request *r, const struct api_field *fields,
	      struct api_body *out);
/* --- handlers ---------------------------------------------------------------------- */

web_handler_h api_create, api_read, api_list, api_search, api_check, api_cancel,
	api_call, api_explain, api_events, api_all_events, api_healthz,
	api_readyz, api_metrics, api_trace, api_trunks, api_hook,
	api_hook_resend, api_hooks;

web_handler_h api_flows, api_flow_add, api_flow_import, api_flow_read,
	api_flow_remove, api_flow_draft, api_flow_save, api_flow_validate,
	api_flow_validate_alone, api_flow_publish, api_flow_versions,
	api_flow_test, api_runs, api_flow_version, api_flow_restore,
	api_flow_diff, api_flow_export, api_run_read, api_run_remove,
	api_run_events;

/* --- events (events.c) ------------------------------------------------------------- */

struct api_follows *api_follows_new(struct service *sv);
/* A service_step_h; ctx is theirs. */
void api_follows_step(const struct service_step *s, void *ctx);
/* After web_stop(): waits for the pages that are still being read. */
void api_follows_free(struct api_follows *all); /* NULL is fine */
