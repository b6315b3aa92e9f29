// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_limits.c - /v2/Services/{}/RateLimits and their Buckets: counters that
 * a service's verifications name, and their CRUD.
 *
 * Both are documents whose parent is the service.  Their ids are made from what
 * must be unique about them, so that of two who make the same at once one is
 * told so.  Counting is the service room's; nothing is counted here.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/twilio.h"
#include "base/crypto.h"
#include "base/json.h"

struct limits {
	struct twilio_ask q;
	struct twilio_page page;
	struct twilio_limit l;
	struct twilio_bucket b;
	/* of the path */
	char limit[VENDOR_TWILIO_ID_BYTES], bucket[VENDOR_TWILIO_ID_BYTES];
	service_profiles_h *next;
	/* those that go with a rate limit, one after the other */
	char doomed[TWILIO_BUCKETS_MAX][VENDOR_TWILIO_ID_BYTES];
	size_t doomed_count;
};

/* --- documents --------------------------------------------------------------------------- */

typedef void write_h(struct service *sv, const struct service_who *who,
		     const struct service_profile *p, service_profiles_h *done,
		     void *ctx);

static void keep(struct limits *w, const char *kind, write_h *write,
		 service_profiles_h *done)
{
	bool of_limit = strcmp(kind, TWILIO_LIMIT) == 0;
	AUTO_JSON json_t *o =
		of_limit ? json_pack("{s:s, s:s}", "unique_name", w->l.unique,
				     "description", w->l.description)
			 : json_pack("{s:s, s:I, s:I}", "rate_limit",
				     w->b.limit, "max", (json_int_t)w->b.max,
				     "interval", (json_int_t)w->b.interval);
	AUTO_FREE char *json = js_text(o);
	struct service_profile p = {.json = json};

	(void)snprintf(p.id, sizeof(p.id), "%s",
		       of_limit ? w->l.sid : w->b.sid);
	(void)snprintf(p.kind, sizeof(p.kind), "%s", kind);
	(void)snprintf(p.parent, sizeof(p.parent), "%s", w->q.service);
	write(w->q.a->p.service, &w->q.who, &p, done, w);
}

/* --- answers ------------------------------------------------------------------------------- */

static void write_limit(struct buf *b, const struct twilio_ask *q,
			const struct twilio_limit *l)
{
	buf_printf(b,
		   "{\"sid\":\"%s\",\"service_sid\":\"%s\","
		   "\"account_sid\":\"%s\"",
		   l->sid, q->service, q->account);
	api_write_text(b, "unique_name", l->unique);
	api_write_text(b, "description", l->description);
	twilio_write_time(b, "date_created", l->created_ms);
	twilio_write_time(b, "date_updated", l->updated_ms);
	twilio_write_url(b, q, "url", "/v2/Services/%s/RateLimits/%s",
			 q->service, l->sid);
	buf_str(b, ",\"links\":{");
	twilio_write_url(b, q, "buckets",
			 "/v2/Services/%s/RateLimits/%s/Buckets", q->service,
			 l->sid);
	buf_str(b, "}}");
}

static void write_bucket(struct buf *b, const struct twilio_ask *q,
			 const struct twilio_bucket *k)
{
	buf_printf(b,
		   "{\"sid\":\"%s\",\"rate_limit_sid\":\"%s\","
		   "\"service_sid\":\"%s\",\"account_sid\":\"%s\","
		   "\"max\":%lld,\"interval\":%lld",
		   k->sid, k->limit, q->service, q->account, (long long)k->max,
		   (long long)k->interval);
	twilio_write_time(b, "date_created", k->created_ms);
	twilio_write_time(b, "date_updated", k->updated_ms);
	twilio_write_url(b, q, "url",
			 "/v2/Services/%s/RateLimits/%s/Buckets/%s", q->service,
			 k->limit, k->sid);
	buf_byte(b, '}');
}

/* There is one of that id; not: there are too many. */
static bool is_taken(const struct service_refusal *no)
{
	return strcmp(no->code, "conflict") == 0 &&
	       strcmp(no->field, "id") == 0;
}

static bool refused(struct limits *w, const struct service_refusal *no,
		    const char *conflict)
{
	if (!no || !no->code || !*no->code)
		return false;
	if (conflict && is_taken(no))
		(void)twilio_no(&w->q, conflict, "", "");
	else
		w->q.no = *no;
	twilio_refuse(&w->q);
	return true;
}

static void not_found(struct limits *w)
{
	(void)twilio_no(&w->q, "not_found", "", "");
	twilio_refuse(&w->q);
}

static void answer_limit(struct limits *w, unsigned status,
			 const struct service_profile *p)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (!twilio_limit_of(p, &w->l)) {
		not_found(w);
		return;
	}
	write_limit(&b, &w->q, &w->l);
	twilio_answer(&w->q, status, &b);
}

static void answer_bucket(struct limits *w, unsigned status,
			  const struct service_profile *p)
{
	struct buf b = {.max = API_ANSWER_MAX};

	if (!twilio_bucket_of(p, &w->b)) {
		not_found(w);
		return;
	}
	write_bucket(&b, &w->q, &w->b);
	twilio_answer(&w->q, status, &b);
}

/* --- what the path names --------------------------------------------------------------------- */

static void go_on(struct limits *w)
{
	if (w->bucket[0])
		service_profile_read(w->q.a->p.service, &w->q.who,
				     TWILIO_BUCKET, w->bucket, w->next, w);
	else
		service_profile_list(w->q.a->p.service, &w->q.who,
				     TWILIO_BUCKET, w->q.service, w->next, w);
}

static void found_limit(const struct service_refusal *no,
			const struct service_profile *p, size_t count,
			void *ctx)
{
	struct limits *w = ctx;

	if (refused(w, no, NULL))
		return;
	if (count == 0 || strcmp(p->parent, w->q.service) != 0 ||
	    !twilio_limit_of(p, &w->l))
		not_found(w);
	else
		go_on(w);
}

static void found_service(const struct service_refusal *no,
			  const struct service_profile *p, size_t count,
			  void *ctx)
{
	struct limits *w = ctx;

	(void)p;
	(void)count;
	if (!refused(w, no, NULL))
		service_profile_list(w->q.a->p.service, &w->q.who, TWILIO_LIMIT,
				     w->q.service, w->next, w);
}

static struct limits *begin(struct web_request *r, void *ctx,
			    service_profiles_h *next)
{
	struct limits *w = twilio_ask_new(ctx, r, sizeof(*w));

	if (!w)
		return NULL;
	w->next = next;
	if (twilio_sid(&w->q, 0, "VA", w->q.service))
		return w;
	twilio_refuse(&w->q);
	return NULL;
}

/* The service's rate limits, to `next`. */
static void of_service(struct web_request *r, void *ctx,
		       service_profiles_h *next)
{
	struct limits *w = begin(r, ctx, next);

	if (!w)
		return;
	if (!twilio_page_read(&w->q, &w->page)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_read(w->q.a->p.service, &w->q.who, TWILIO_SERVICE,
			     w->q.service, found_service, w);
}

/* The rate limit, to `next`. */
static void one_limit(struct web_request *r, void *ctx,
		      service_profiles_h *next)
{
	struct limits *w = begin(r, ctx, next);

	if (!w)
		return;
	if (!twilio_sid(&w->q, 1, "RK", w->limit)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_read(w->q.a->p.service, &w->q.who, TWILIO_LIMIT,
			     w->limit, next, w);
}

/* Its service's buckets, or the one of the path, to `next`, with w->l. */
static void of_limit(struct web_request *r, void *ctx, bool one,
		     service_profiles_h *next)
{
	struct limits *w = begin(r, ctx, next);

	if (!w)
		return;
	if (!twilio_sid(&w->q, 1, "RK", w->limit) ||
	    (one && !twilio_sid(&w->q, 2, "BL", w->bucket)) ||
	    !twilio_page_read(&w->q, &w->page)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_read(w->q.a->p.service, &w->q.who, TWILIO_LIMIT,
			     w->limit, found_limit, w);
}

/* --- rate limits ------------------------------------------------------------------------------- */

static bool is_unique_name(const char *s)
{
	for (const char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-.", *c))
			return false;
	return *s != '\0';
}

static bool read_unique(struct limits *w)
{
	if (!twilio_given(&w->q, "UniqueName"))
		return twilio_no(&w->q, "missing_field", "UniqueName", "");
	if (!vendor_text(w->q.body, "UniqueName", w->l.unique,
			 sizeof(w->l.unique)) ||
	    !is_unique_name(w->l.unique))
		return twilio_no(&w->q, "limit_name", "UniqueName",
				 "1 to 64 letters, digits, _ - .");
	return true;
}

static void limit_made(const struct service_refusal *no,
		       const struct service_profile *p, size_t count, void *ctx)
{
	(void)count;
	if (!refused(ctx, no, "limit_exists"))
		answer_limit(ctx, 201, p);
}

static void limit_add(const struct service_refusal *no,
		      const struct service_profile *p, size_t count, void *ctx)
{
	struct limits *w = ctx;
	char name[VENDOR_TWILIO_ID_BYTES + TWILIO_UNIQUE_BYTES];
	struct twilio_limit other;

	if (refused(w, no, NULL))
		return;
	for (size_t i = 0; i < count; i++)
		if (twilio_limit_of(&p[i], &other) &&
		    strcmp(other.unique, w->l.unique) == 0) {
			(void)twilio_no(&w->q, "limit_exists", "", "");
			twilio_refuse(&w->q);
			return;
		}
	if (count >= TWILIO_LIMITS_MAX) {
		(void)twilio_no(&w->q, "limits_max", "", "");
		twilio_refuse(&w->q);
		return;
	}
	(void)snprintf(name, sizeof(name), "%s/%s", w->q.service, w->l.unique);
	twilio_sid_of(&w->q, "RK", TWILIO_LIMIT, name, w->l.sid);
	keep(w, TWILIO_LIMIT, service_profile_add, limit_made);
}

void twilio_limits_add(struct web_request *r, void *ctx)
{
	struct limits *w = begin(r, ctx, limit_add);

	if (!w)
		return;
	if (!read_unique(w) ||
	    !twilio_text(&w->q, "Description", w->l.description,
			 sizeof(w->l.description))) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	service_profile_read(w->q.a->p.service, &w->q.who, TWILIO_SERVICE,
			     w->q.service, found_service, w);
}

static void limits_shown(const struct service_refusal *no,
			 const struct service_profile *p, size_t count,
			 void *ctx)
{
	struct limits *w = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char path[128];
	size_t from, until;
	const char *next;

	if (refused(w, no, NULL))
		return;
	next = twilio_page_of(&w->page, count, &from, &until);
	buf_str(&b, "{\"rate_limits\":[");
	for (size_t i = from; i < until; i++) {
		if (!twilio_limit_of(&p[i], &w->l))
			continue;
		if (b.p[b.n - 1] != '[')
			buf_byte(&b, ',');
		write_limit(&b, &w->q, &w->l);
	}
	buf_byte(&b, ']');
	(void)snprintf(path, sizeof(path), "/v2/Services/%s/RateLimits",
		       w->q.service);
	twilio_write_meta(&b, &w->q, &w->page, "rate_limits", path, next);
	buf_byte(&b, '}');
	twilio_answer(&w->q, 200, &b);
}

void twilio_limits_list(struct web_request *r, void *ctx)
{
	of_service(r, ctx, limits_shown);
}

static bool is_theirs(struct limits *w, const struct service_refusal *no,
		      const struct service_profile *p, size_t count)
{
	if (refused(w, no, NULL))
		return false;
	if (count > 0 && strcmp(p->parent, w->q.service) == 0 &&
	    twilio_limit_of(p, &w->l))
		return true;
	not_found(w);
	return false;
}

static void limit_shown(const struct service_refusal *no,
			const struct service_profile *p, size_t count,
			void *ctx)
{
	if (is_theirs(ctx, no, p, count))
		answer_limit(ctx, 200, p);
}

void twilio_limit_get(struct web_request *r, void *ctx)
{
	one_limit(r, ctx, limit_shown);
}

static void limit_change(const struct service_refusal *no,
			 const struct service_profile *p, size_t count,
			 void *ctx)
{
	struct limits *w = ctx;

	if (!is_theirs(w, no, p, count))
		return;
	if (twilio_given(&w->q, "Description") &&
	    !twilio_text(&w->q, "Description", w->l.description,
			 sizeof(w->l.description)))
		twilio_refuse(&w->q);
	else
		keep(w, TWILIO_LIMIT, service_profile_change, limit_shown);
}

void twilio_limit_change(struct web_request *r, void *ctx)
{
	one_limit(r, ctx, limit_change);
}

static void removed(const struct service_refusal *no,
		    const struct service_profile *p, size_t count, void *ctx)
{
	struct limits *w = ctx;

	(void)p;
	(void)count;
	if (!refused(w, no, NULL))
		twilio_answer_nothing(&w->q);
}

/* Its buckets first: one that was left would count for its name's next use. */
static void remove_next(const struct service_refusal *no,
			const struct service_profile *p, size_t count,
			void *ctx)
{
	struct limits *w = ctx;

	(void)p;
	(void)count;
	if (no && no->code && *no->code && strcmp(no->code, "not_found") != 0) {
		(void)refused(w, no, NULL);
		return;
	}
	if (w->doomed_count > 0)
		service_profile_remove(w->q.a->p.service, &w->q.who,
				       TWILIO_BUCKET,
				       w->doomed[--w->doomed_count],
				       remove_next, w);
	else
		service_profile_remove(w->q.a->p.service, &w->q.who,
				       TWILIO_LIMIT, w->limit, removed, w);
}

static void limit_remove(const struct service_refusal *no,
			 const struct service_profile *p, size_t count,
			 void *ctx)
{
	struct limits *w = ctx;

	if (refused(w, no, NULL))
		return;
	for (size_t i = 0; i < count; i++)
		if (twilio_bucket_of(&p[i], &w->b) &&
		    strcmp(w->b.limit, w->limit) == 0 &&
		    w->doomed_count < COUNT_OF(w->doomed))
			memcpy(w->doomed[w->doomed_count++], w->b.sid,
			       sizeof(w->b.sid));
	remove_next(NULL, NULL, 0, w);
}

void twilio_limit_remove(struct web_request *r, void *ctx)
{
	of_limit(r, ctx, false, limit_remove);
}

/* --- buckets --------------------------------------------------------------------------------------- */

static bool read_bucket(struct limits *w)
{
	if (!twilio_int(&w->q, "Max", 1, TWILIO_BUCKET_MAX, &w->b.max) ||
	    !twilio_int(&w->q, "Interval", 1, TWILIO_BUCKET_INTERVAL_MAX,
			&w->b.interval))
		return false;
	if (w->b.max == 0)
		return twilio_no(&w->q, "missing_field", "Max", "");
	if (w->b.interval == 0)
		return twilio_no(&w->q, "missing_field", "Interval", "");
	return true;
}

/* How many the rate limit has; *same: another one of this interval. */
static size_t count_buckets(const struct limits *w,
			    const struct service_profile *p, size_t count,
			    bool *same)
{
	struct twilio_bucket other;
	size_t n = 0;

	*same = false;
	for (size_t i = 0; i < count; i++) {
		if (!twilio_bucket_of(&p[i], &other) ||
		    strcmp(other.limit, w->limit) != 0)
			continue;
		n++;
		if (other.interval == w->b.interval &&
		    strcmp(other.sid, w->bucket) != 0)
			*same = true;
	}
	return n;
}

static void bucket_made(const struct service_refusal *no,
			const struct service_profile *p, size_t count,
			void *ctx)
{
	(void)count;
	if (!refused(ctx, no, "bucket_exists"))
		answer_bucket(ctx, 201, p);
}

/* There was such an id.  Has somebody made the same meanwhile?  Or is it that of
 * a bucket that has another interval by now? */
static void bucket_made_meanwhile(const struct service_refusal *no,
				  const struct service_profile *p, size_t count,
				  void *ctx)
{
	struct limits *w = ctx;
	bool same;

	if (refused(w, no, NULL))
		return;
	(void)count_buckets(w, p, count, &same);
	if (same) {
		(void)twilio_no(&w->q, "bucket_exists", "", "");
		twilio_refuse(&w->q);
		return;
	}
	twilio_sid_new("BL", w->b.sid);
	keep(w, TWILIO_BUCKET, service_profile_add, bucket_made);
}

static void bucket_made_first(const struct service_refusal *no,
			      const struct service_profile *p, size_t count,
			      void *ctx)
{
	struct limits *w = ctx;

	if (no && no->code && is_taken(no))
		service_profile_list(w->q.a->p.service, &w->q.who,
				     TWILIO_BUCKET, w->q.service,
				     bucket_made_meanwhile, w);
	else
		bucket_made(no, p, count, ctx);
}

static void bucket_add(const struct service_refusal *no,
		       const struct service_profile *p, size_t count, void *ctx)
{
	struct limits *w = ctx;
	char name[VENDOR_TWILIO_ID_BYTES + 24];
	bool same;
	size_t n;

	if (refused(w, no, NULL))
		return;
	n = count_buckets(w, p, count, &same);
	if (same || n >= TWILIO_BUCKETS_MAX) {
		(void)twilio_no(&w->q, same ? "bucket_exists" : "buckets_max",
				"", "");
		twilio_refuse(&w->q);
		return;
	}
	memcpy(w->b.limit, w->limit, sizeof(w->limit));
	(void)snprintf(name, sizeof(name), "%s/%lld", w->limit,
		       (long long)w->b.interval);
	twilio_sid_of(&w->q, "BL", TWILIO_BUCKET, name, w->b.sid);
	keep(w, TWILIO_BUCKET, service_profile_add, bucket_made_first);
}

static void bucket_add_read(const struct service_refusal *no,
			    const struct service_profile *p, size_t count,
			    void *ctx)
{
	struct limits *w = ctx;

	if (refused(w, no, NULL))
		return;
	if (!read_bucket(w))
		twilio_refuse(&w->q);
	else
		bucket_add(NULL, p, count, w);
}

void twilio_buckets_add(struct web_request *r, void *ctx)
{
	of_limit(r, ctx, false, bucket_add_read);
}

static void buckets_shown(const struct service_refusal *no,
			  const struct service_profile *p, size_t count,
			  void *ctx)
{
	struct limits *w = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char path[160];
	size_t n = 0, from, until;
	bool same;
	const char *next;

	if (refused(w, no, NULL))
		return;
	next = twilio_page_of(&w->page, count_buckets(w, p, count, &same),
			      &from, &until);
	buf_str(&b, "{\"buckets\":[");
	for (size_t i = 0; i < count; i++) {
		if (!twilio_bucket_of(&p[i], &w->b) ||
		    strcmp(w->b.limit, w->limit) != 0)
			continue;
		if (n >= from && n < until) {
			if (n > from)
				buf_byte(&b, ',');
			write_bucket(&b, &w->q, &w->b);
		}
		n++;
	}
	buf_byte(&b, ']');
	(void)snprintf(path, sizeof(path),
		       "/v2/Services/%s/RateLimits/%s/Buckets", w->q.service,
		       w->limit);
	twilio_write_meta(&b, &w->q, &w->page, "buckets", path, next);
	buf_byte(&b, '}');
	twilio_answer(&w->q, 200, &b);
}

void twilio_buckets_list(struct web_request *r, void *ctx)
{
	of_limit(r, ctx, false, buckets_shown);
}

/* False: answered. */
static bool found_bucket(struct limits *w, const struct service_refusal *no,
			 const struct service_profile *p, size_t count)
{
	if (refused(w, no, NULL))
		return false;
	if (count > 0 && twilio_bucket_of(p, &w->b) &&
	    strcmp(w->b.limit, w->limit) == 0)
		return true;
	not_found(w);
	return false;
}

static void bucket_shown(const struct service_refusal *no,
			 const struct service_profile *p, size_t count,
			 void *ctx)
{
	if (found_bucket(ctx, no, p, count))
		answer_bucket(ctx, 200, p);
}

void twilio_bucket_get(struct web_request *r, void *ctx)
{
	of_limit(r, ctx, true, bucket_shown);
}

static void bucket_keep(const struct service_refusal *no,
			const struct service_profile *p, size_t count,
			void *ctx)
{
	struct limits *w = ctx;
	bool same;

	if (refused(w, no, NULL))
		return;
	(void)count_buckets(w, p, count, &same);
	if (same) {
		(void)twilio_no(&w->q, "bucket_exists", "", "");
		twilio_refuse(&w->q);
	} else {
		keep(w, TWILIO_BUCKET, service_profile_change, bucket_shown);
	}
}

static void bucket_change(const struct service_refusal *no,
			  const struct service_profile *p, size_t count,
			  void *ctx)
{
	struct limits *w = ctx;

	if (!found_bucket(w, no, p, count))
		return;
	if (!read_bucket(w)) {
		twilio_refuse(&w->q);
		return;
	}
	service_profile_list(w->q.a->p.service, &w->q.who, TWILIO_BUCKET,
			     w->q.service, bucket_keep, w);
}

void twilio_bucket_change(struct web_request *r, void *ctx)
{
	of_limit(r, ctx, true, bucket_change);
}

static void bucket_remove(const struct service_refusal *no,
			  const struct service_profile *p, size_t count,
			  void *ctx)
{
	struct limits *w = ctx;

	if (found_bucket(w, no, p, count))
		service_profile_remove(w->q.a->p.service, &w->q.who,
				       TWILIO_BUCKET, w->bucket, removed, w);
}

void twilio_bucket_remove(struct web_request *r, void *ctx)
{
	of_limit(r, ctx, true, bucket_remove);
}
