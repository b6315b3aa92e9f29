// SPDX-License-Identifier: Apache-2.0
/*
 * api_priv.h - what the faces share: who asks, what is in the body, how an
 * answer is written down.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "api/api.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"

enum {
	API_ANSWER_MAX = 1 << 20, /* bytes of one answer */
	API_EVENTS_PAGE = 100,
	API_LIST_DEFAULT = 50,
};

struct api {
	struct api_params p;
	struct web *web; /* set once, before traffic matters */
	pthread_mutex_t followers_lock;
	struct link followers; /* of event streams: events.c */
};

/* --- problems (RFC 9457) ----------------------------------------------------- */

/* `code` is a row of errors.def.  field and rule may be NULL or "". */
struct api_problem {
	const char *code, *field, *rule, *detail;
	int64_t retry_ms;
};
void api_problem(struct web_request *r, const struct api_problem *p);
void api_refuse(struct web_request *r, const struct service_refusal *no);
/* A field of the request is wrong: the code, where, and what. */
void api_bad_field(struct web_request *r, const char *code, const char *field,
		   const char *detail);

/* --- answers ------------------------------------------------------------------- */

/* Hands b's memory over; b is empty afterwards. */
void api_answer_json(struct web_request *r, unsigned status, struct buf *b);
void api_write_view(struct buf *b, const struct service_view *view);
/* ,"name":"2026-..." or null where ms is 0 */
void api_write_time(struct buf *b, const char *name, int64_t ms);
void api_write_text(struct buf *b, const char *name, const char *text);

/* service_done_h's for the plain cases; ctx is the request. */
void api_done_200(const struct service_refusal *no,
		  const struct service_view *view, void *ctx);
void api_done_201(const struct service_refusal *no,
		  const struct service_view *view, void *ctx);
void api_done_202(const struct service_refusal *no,
		  const struct service_view *view, void *ctx);

/* --- requests ------------------------------------------------------------------- */

/* Who asks, if the key has one of `scopes`; otherwise false, and answered. */
bool api_who(struct api *a, struct web_request *r, unsigned scopes,
	     struct service_who *out);
/* The body as an object with no fields but `known` (NULL-ended); otherwise
 * false, and answered. */
bool api_body(struct web_request *r, const char *const known[], json_t **out);
/* An optional text of at most max bytes; otherwise false, and answered. */
bool api_text(struct web_request *r, const json_t *o, const char *name,
	      size_t max, const char **out);
bool api_int(struct web_request *r, const json_t *o, const char *name,
	     int64_t min, int64_t max, int64_t *out);
/* There must be one. */
bool api_required(struct web_request *r, const char *name, const char *value);
/* Part 0 of the path, as an id; what is too long for one is cut, and unknown. */
void api_id(const struct web_request *r, char out[VERIFICATION_ID_BYTES]);
/* No query arguments but `known`; otherwise false, and answered. */
bool api_query(struct web_request *r, const char *const known[]);

/* The body of a create, as a request to the service (texts borrowed from o). */
bool api_read_create(struct web_request *r, const json_t *o,
		     struct service_create *req, char **metadata);

/* --- handlers ---------------------------------------------------------------------- */

web_handler_h api_create, api_read, api_list, api_search, api_check, api_cancel,
	api_call, api_explain, api_events, api_all_events, api_healthz,
	api_readyz, api_metrics;

/* events.c: service_on_event()'s handler; ctx is the api. */
void api_woken(const char *topic, void *ctx);
