// SPDX-License-Identifier: Apache-2.0
/*
 * twilio.h - Verify v2 of Twilio, for the channel `call`: what its files share.
 *
 * Requests are forms, answers are JSON, ids are two letters and 32 hex digits.
 * A service, its rate limits and their buckets are documents of the
 * application; verifications and attempts are ours under other names.
 */
#pragma once

#include "api/vendor.h"
#include "service/profiles.h"

enum {
	TWILIO_NAME_CHARACTERS = 32, /* of a service */
	TWILIO_NAME_BYTES = 4 * TWILIO_NAME_CHARACTERS + 1,
	TWILIO_BASE_BYTES = 256,   /* "https://voice.example" */
	TWILIO_NUMBER_BYTES = 48,  /* as it is written in a request */
	TWILIO_AMOUNT_BYTES = 40,  /* "39.99 EUR" and the like */
	TWILIO_FILTER_BYTES = 640, /* of a list's address */
	TWILIO_TOKEN_BYTES = 256,
	TWILIO_PAGE = 50, /* items of a page, unless PageSize says more */
	TWILIO_PAGE_MAX = STORE_PAGE_MAX,
	TWILIO_SUMMARY_PAGES = 250, /* of TWILIO_PAGE_MAX, to be counted */
	TWILIO_SENDS = 5,           /* calls of one verification */
	TWILIO_LIMITS_MAX = 10,     /* of a service */
	TWILIO_BUCKETS_MAX = SERVICE_LIMITS_MAX, /* of a rate limit */
};

#define TWILIO_SERVICE "twilio.service"
#define TWILIO_LIMIT "twilio.limit"   /* its parent is the service */
#define TWILIO_BUCKET "twilio.bucket" /* so is its, for one look finds all */

/* --- one request on its way (twilio.c) -------------------------------------------- */

/* First in what a handler keeps of its request. */
struct twilio_ask {
	struct api *a;
	struct web_request *r;
	struct service_who who;
	json_t *body; /* a form's texts */
	struct service_refusal no;
	size_t size;
	char base[TWILIO_BASE_BYTES];
	char account[VENDOR_TWILIO_ID_BYTES];
	char service[VENDOR_TWILIO_ID_BYTES]; /* of the path; "" */
};

/* `size` bytes, zeroed, that begin with an ask.  NULL: answered. */
void *twilio_ask_new(struct api *a, struct web_request *r, size_t size);
/* These end it.  refuse: with q->no. */
void twilio_refuse(struct twilio_ask *q);
void twilio_answer(struct twilio_ask *q, unsigned status, struct buf *b);
void twilio_answer_nothing(struct twilio_ask *q); /* 204 */

/* What is wrong, into q->no; false for the caller to return. */
bool twilio_no(struct twilio_ask *q, const char *code, const char *field,
	       const char *detail);

/* A part of the path as an id of that kind; false: not found. */
bool twilio_sid(struct twilio_ask *q, unsigned part, const char letters[2],
		char out[VENDOR_TWILIO_ID_BYTES]);
/* The id that stands for a name, the same for the same. */
void twilio_sid_of(const struct twilio_ask *q, const char letters[2],
		   const char *kind, const char *name,
		   char out[VENDOR_TWILIO_ID_BYTES]);
void twilio_sid_new(const char letters[2], char out[VENDOR_TWILIO_ID_BYTES]);

/* Members of the form.  Absent leaves *out alone (a text: ""); false: q->no. */
bool twilio_text(struct twilio_ask *q, const char *name, char *out,
		 size_t size);
bool twilio_bool(struct twilio_ask *q, const char *name, bool *out);
bool twilio_int(struct twilio_ask *q, const char *name, int64_t least,
		int64_t most, int64_t *out);
bool twilio_given(const struct twilio_ask *q, const char *name);
/* Features that this server has not; false where one was asked for. */
bool twilio_lacks(struct twilio_ask *q, const char *const names[]);

/* ,"name":"2026-01-31T09:05:07Z" */
void twilio_write_time(struct buf *b, const char *name, int64_t ms);
void twilio_write_bool(struct buf *b, const char *name, bool yes);
/* ,"url":"<base>/v2/..."; the first of an object has no comma */
void twilio_write_url(struct buf *b, const struct twilio_ask *q,
		      const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* --- amounts (twilio_amount.c) ------------------------------------------------------ */

/* What a caller writes ("€39.99", "39.99 EUR", "39.99") as an amount and a
 * currency, "" where none is named.  False: it is no amount. */
bool twilio_amount_read(struct span text,
			char amount[VERIFICATION_AMOUNT_BYTES],
			char currency[4]);
/* And back, as a caller would write it. */
void twilio_amount_write(const char *amount, const char *currency,
			 char out[TWILIO_AMOUNT_BYTES]);

/* --- pages (twilio_page.c) ------------------------------------------------------------ */

struct twilio_page {
	size_t size;
	unsigned number;
	char token[TWILIO_TOKEN_BYTES];
	char filters[TWILIO_FILTER_BYTES]; /* "&Country=US", encoded */
};
/* From the query, while the handler runs.  false: q->no. */
bool twilio_page_read(struct twilio_ask *q, struct twilio_page *out);
/* A query argument, "" if absent, which further pages have as well. */
bool twilio_page_filter(struct twilio_ask *q, struct twilio_page *p,
			const char *name, char *out, size_t size);
/* The same with a text that came under another name; NULL: absent. */
struct twilio_filter {
	const char *name, *text;
};
bool twilio_page_keep(struct twilio_ask *q, struct twilio_page *p,
		      const struct twilio_filter *f, char *out, size_t size);
/* The same, of a time; left alone where it is absent. */
bool twilio_page_time(struct twilio_ask *q, struct twilio_page *p,
		      const char *name, int64_t *out);
/* ,"meta":{...}  `path` is the list's, from "/v2" on; next: NULL for none, ""
 * where the page's number says enough. */
void twilio_write_meta(struct buf *b, const struct twilio_ask *q,
		       const struct twilio_page *p, const char *key,
		       const char *path, const char *next);
/* Which of `count` items are on the page; the next page's token. */
const char *twilio_page_of(const struct twilio_page *p, size_t count,
			   size_t *from, size_t *until);

/* --- services (twilio_services.c) ------------------------------------------------------ */

struct twilio_service {
	char sid[VENDOR_TWILIO_ID_BYTES];
	char name[TWILIO_NAME_BYTES], tts_name[TWILIO_NAME_BYTES];
	int64_t code_length;
	bool lookup, psd2, skip_landlines, dtmf, do_not_share, custom_code,
		events;
	int64_t created_ms, updated_ms;
};
/* false: it is none of ours, or damaged. */
bool twilio_service_of(const struct service_profile *p,
		       struct twilio_service *out);
/* The name that a call says. */
void twilio_brand(const struct twilio_service *s, const char *custom,
		  char out[VERIFICATION_BRAND_BYTES]);

/* --- rate limits (twilio_limits.c, twilio_counters.c) ------------------------------------- */

enum {
	TWILIO_UNIQUE_BYTES = 65,
	TWILIO_DESCRIPTION_BYTES = 257,
	TWILIO_BUCKET_MAX = 1000000,
	TWILIO_BUCKET_INTERVAL_MAX = 7 * 24 * 3600, /* seconds */
};
struct twilio_limit {
	char sid[VENDOR_TWILIO_ID_BYTES];
	char unique[TWILIO_UNIQUE_BYTES];
	char description[TWILIO_DESCRIPTION_BYTES];
	int64_t created_ms, updated_ms;
};
struct twilio_bucket {
	char sid[VENDOR_TWILIO_ID_BYTES], limit[VENDOR_TWILIO_ID_BYTES];
	int64_t max, interval;
	int64_t created_ms, updated_ms;
};
/* false: it is none of ours, or damaged. */
bool twilio_limit_of(const struct service_profile *p, struct twilio_limit *out);
bool twilio_bucket_of(const struct service_profile *p,
		      struct twilio_bucket *out);

/*
 * The counters that `text` (RateLimits of a verification, the JSON text of an
 * object) names in q->service, to done().  refused: q->no.
 */
struct twilio_counter {
	char name[POLICY_RULE_BYTES];
	int64_t limit, window_ms;
};
typedef void twilio_counters_h(struct twilio_ask *q, bool refused,
			       const struct twilio_counter *counters,
			       size_t count);
void twilio_counters(struct twilio_ask *q, const char *text,
		     twilio_counters_h *done);

/* --- attempts (twilio_attempts.c) ---------------------------------------------------------- */

/* What Twilio calls a state of ours. */
const char *twilio_status(enum outcome_status s);
const char *twilio_call_status(const struct verification_leg *l);
/* Was it this call that did it?  The last one that was answered. */
bool twilio_converted(const struct verification *v, size_t i);
/* When it last changed. */
int64_t twilio_leg_time(const struct verification_leg *l);

/* --- handlers ----------------------------------------------------------------------------- */

web_handler_h twilio_services_add, twilio_services_list, twilio_service_get,
	twilio_service_change, twilio_service_remove, twilio_limits_add,
	twilio_limits_list, twilio_limit_get, twilio_limit_change,
	twilio_limit_remove, twilio_buckets_add, twilio_buckets_list,
	twilio_bucket_get, twilio_bucket_change, twilio_bucket_remove,
	twilio_verifications_add, twilio_verification_get,
	twilio_verification_change, twilio_check, twilio_attempts_list,
	twilio_attempt_get, twilio_attempts_summary;
