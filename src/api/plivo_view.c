// SPDX-License-Identifier: Apache-2.0
/*
 * plivo_view.c - Plivo's Verify sessions as they are read and listed.
 *
 * Their lists are cut by an offset, ours by a cursor, and ours also hold what
 * is none of this face's.  So pages of ours are read one after the other until
 * a page of theirs is full; a named limit ends the search.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/plivo.h"
#include "core/prices.h"

enum {
	MICRO_DIGITS_DROPPED = 10, /* their money has five places, ours six */
	PAGES_MAX = 100,           /* of ours, read for one of theirs */
	DAY_TEXT = 16,             /* "2026-01-31 09:05" */
};

const char *plivo_status(enum outcome_status s)
{
	switch (s) {
	case STATUS_PENDING:
		return "in-progress";
	case STATUS_APPROVED:
		return "verified";
	case STATUS_FAILED:
	case STATUS_EXPIRED:
	case STATUS_CANCELED:
	case STATUS_REPORTED:
	case STATUS_COUNT:
		break;
	}
	return "expired";
}

/* --- one session ---------------------------------------------------------------- */

static const char *leg_status(const struct verification_leg *l)
{
	switch (l->state) {
	case VERIFICATION_LEG_QUEUED:
		return "queued";
	case VERIFICATION_LEG_DIALING:
	case VERIFICATION_LEG_RINGING:
		return l->early_media ? "early media" : "ringing";
	case VERIFICATION_LEG_ANSWERED:
		return "answer";
	case VERIFICATION_LEG_ENDED:
		break;
	}
	return l->answered_ms ? "answer" : outcome_leg_text(l->outcome);
}

static void write_money(struct buf *b, const char *name, int64_t micro)
{
	int64_t n = micro / MICRO_DIGITS_DROPPED;
	int64_t unit = PRICES_UNIT / MICRO_DIGITS_DROPPED;

	buf_printf(b, ",\"%s\":\"%lld.%05lld\"", name, (long long)(n / unit),
		   (long long)(n % unit));
}

static void write_attempts(struct buf *b, const struct verification *v)
{
	char uuid[VENDOR_UUID_BYTES];

	buf_str(b, ",\"attempt_details\":[");
	for (size_t i = 0; i < v->legs_count; i++) {
		const struct verification_leg *l = &v->legs[i];

		vendor_uuid(l->id, uuid);
		buf_printf(b,
			   "%s{\"channel\":\"voice\",\"attempt_uuid\":\"%s\"",
			   i > 0 ? "," : "", uuid);
		api_write_text(b, "status", leg_status(l));
		api_write_time(b, "time",
			       l->dialed_ms ? l->dialed_ms : l->queued_ms);
		buf_byte(b, '}');
	}
	buf_byte(b, ']');
}

static void write_charges(struct buf *b, const struct verification *v)
{
	char uuid[VENDOR_UUID_BYTES];
	int64_t all = 0;

	for (size_t i = 0; i < v->legs_count; i++)
		all += v->legs[i].cost_micro;
	buf_str(b, ",\"charges\":{\"validation_charge\":\"0.00000\"");
	write_money(b, "total_charge", all);
	buf_str(b, ",\"attempt_charges\":[");
	for (size_t i = 0; i < v->legs_count; i++) {
		vendor_uuid(v->legs[i].id, uuid);
		buf_printf(b,
			   "%s{\"attempt_uuid\":\"%s\",\"channel\":\"voice\"",
			   i > 0 ? "," : "", uuid);
		write_money(b, "charge", v->legs[i].cost_micro);
		buf_byte(b, '}');
	}
	buf_str(b, "]}");
}

/* The members of a session. */
static void write_session(struct buf *b, const struct api *a,
			  const struct service_view *view)
{
	const struct verification *v = view->v;
	char session[VENDOR_UUID_BYTES], app[VENDOR_UUID_BYTES];
	int64_t updated = v->ended_ms;

	for (size_t i = 0; i < v->legs_count && !v->ended_ms; i++)
		updated = v->legs[i].queued_ms;
	vendor_uuid(v->id, session);
	plivo_app_uuid(a, v->application, app);
	buf_printf(b, "\"session_uuid\":\"%s\"", session);
	api_write_text(b, "app_uuid", app);
	api_write_text(b, "alias", v->brand);
	api_write_text(b, "recipient",
		       view->to[0] == '+' ? view->to + 1 : view->to);
	api_write_text(b, "channel", "voice");
	api_write_text_or_null(b, "locale", v->locale);
	api_write_text(b, "status", plivo_status(v->status));
	buf_printf(b, ",\"count\":%zu", v->legs_count);
	api_write_text(b, "requestor_ip", v->client_net);
	api_write_text(b, "destination_country_iso2", v->country);
	buf_str(b, ",\"destination_network\":null");
	write_attempts(b, v);
	write_charges(b, v);
	api_write_time(b, "created_at", v->created_ms);
	api_write_time(b, "updated_at", updated ? updated : v->created_ms);
}

struct reading {
	struct web_request *r;
	struct api *a;
};

static void read_done(const struct service_refusal *no,
		      const struct service_view *view, void *ctx)
{
	const struct reading *c = ctx;
	struct buf b = {.max = API_ANSWER_MAX};

	if (!view) {
		vendor_refuse(c->r, VENDOR_PLIVO, no);
		return;
	}
	plivo_begin(&b);
	buf_byte(&b, ',');
	write_session(&b, c->a, view);
	buf_byte(&b, '}');
	api_answer_json(c->r, 200, &b);
}

void plivo_read(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct reading *c = web_alloc(r, sizeof(*c));
	struct service_find find = {.label = PLIVO_LABEL};
	char digits[SERVICE_SHORT_BYTES];

	if (!vendor_who(a, r, VENDOR_PLIVO, web_part(r, 0), SERVICE_VERIFY,
			&find.who))
		return;
	if (!vendor_uuid_read(web_part(r, 1), digits)) {
		vendor_problem(r, VENDOR_PLIVO, "not_found", NULL, NULL);
		return;
	}
	*c = (struct reading){r, a};
	find.short_id = digits;
	web_defer(r);
	service_find(a->p.service, &find, read_done, c);
}

/* --- lists ------------------------------------------------------------------------ */

struct listing {
	struct web_request *r;
	struct api *a;
	struct service_query q;
	char status[24], country[3], brand[VERIFICATION_BRAND_BYTES],
		to[NUMBER_BYTES], cursor[STORE_CURSOR_BYTES];
	bool none; /* a filter that nothing of ours passes */
	size_t limit, offset, seen, written;
	unsigned pages;
	bool more;
	struct buf out;
};

static bool passes(const struct listing *l, const struct verification *v)
{
	return strcmp(v->label, PLIVO_LABEL) == 0 &&
	       (!l->status[0] ||
		strcmp(plivo_status(v->status), l->status) == 0) &&
	       (!l->brand[0] || strcmp(v->brand, l->brand) == 0);
}

static void take(struct listing *l, const struct service_view *view)
{
	if (!passes(l, view->v) || l->seen++ < l->offset)
		return;
	if (l->written == l->limit) {
		l->more = true;
		return;
	}
	if (l->written++ > 0)
		buf_byte(&l->out, ',');
	buf_byte(&l->out, '{');
	write_session(&l->out, l->a, view);
	buf_byte(&l->out, '}');
}

static void write_place(struct buf *b, const char *name, bool there,
			size_t limit, size_t offset)
{
	if (there)
		buf_printf(b, ",\"%s\":\"%s?limit=%zu&offset=%zu\"", name,
			   "Session/", limit, offset);
	else
		buf_printf(b, ",\"%s\":null", name);
}

static void answer_list(struct listing *l)
{
	struct buf b = {.max = API_ANSWER_MAX};

	plivo_begin(&b);
	buf_printf(&b, ",\"meta\":{\"limit\":%zu,\"offset\":%zu", l->limit,
		   l->offset);
	write_place(&b, "next", l->more, l->limit, l->offset + l->limit);
	write_place(&b, "previous", l->offset > 0, l->limit,
		    l->offset > l->limit ? l->offset - l->limit : 0);
	buf_str(&b, "},\"sessions\":");
	if (l->written > 0) {
		buf_byte(&b, '[');
		buf_span(&b, buf_view(&l->out));
		buf_byte(&b, ']');
	} else {
		buf_str(&b, "null");
	}
	buf_byte(&b, '}');
	if (!b.err)
		b.err = l->out.err;
	buf_free(&l->out);
	api_answer_json(l->r, 200, &b);
}

static void listed(const struct service_refusal *no,
		   const struct service_view *views, size_t count,
		   const char *next, void *ctx)
{
	struct listing *l = ctx;

	if (no && no->code && *no->code) {
		buf_free(&l->out);
		vendor_refuse(l->r, VENDOR_PLIVO, no);
		return;
	}
	for (size_t i = 0; i < count && !l->more; i++)
		take(l, &views[i]);
	if (l->more || !next || !*next || ++l->pages == PAGES_MAX) {
		answer_list(l);
		return;
	}
	(void)snprintf(l->cursor, sizeof(l->cursor), "%s", next);
	l->q.cursor = l->cursor;
	service_list(l->a->p.service, &l->q, listed, l);
}

static bool wrong(struct web_request *r, const char *field, const char *why)
{
	vendor_problem(r, VENDOR_PLIVO, "invalid_field", field, why);
	return false;
}

static bool read_count(struct web_request *r, const char *name, size_t least,
		       size_t most, size_t *out)
{
	const char *text = web_query(r, name);
	uint64_t n = *out;

	if (text && *text &&
	    (span_uint(span_of(text), most, &n) != 0 || n < least))
		return wrong(r, name, "it is out of range");
	*out = (size_t)n;
	return true;
}

/* "2026-01-31 09:05", UTC; one of their clients drops the second underscore of
 * session_time__gt. */
static bool read_moment(struct web_request *r, const char *how, int64_t *out)
{
	char name[32], text[CLOCK_TEXT_BYTES];
	const char *given;

	(void)snprintf(name, sizeof(name), "session_time__%s", how);
	given = web_query(r, name);
	if (!given) {
		(void)snprintf(name, sizeof(name), "session_time_%s", how);
		given = web_query(r, name);
	}
	if (!given || !*given)
		return true;
	if (strlen(given) == DAY_TEXT) {
		(void)snprintf(text, sizeof(text), "%.10sT%.5s:00Z", given,
			       given + 11);
		if (clock_parse(text, out) == 0)
			return true;
	}
	return wrong(r, name, "it must be a time such as 2026-01-31 09:05");
}

static bool read_times(struct web_request *r, struct service_query *q)
{
	int64_t after = -1, from = -1, before = -1, to = -1;
	const int64_t minute = INT64_C(60) * 1000;

	if (!read_moment(r, "gt", &after) || !read_moment(r, "gte", &from) ||
	    !read_moment(r, "lt", &before) || !read_moment(r, "lte", &to))
		return false;
	if (from >= 0)
		q->since_ms = from;
	if (after >= 0 && after + minute > q->since_ms)
		q->since_ms = after + minute;
	if (to >= 0)
		q->until_ms = to + minute;
	if (before >= 0 && (!q->until_ms || before < q->until_ms))
		q->until_ms = before;
	return true;
}

static void read_text(struct web_request *r, const char *name, char *out,
		      size_t size)
{
	const char *text = web_query(r, name);

	(void)snprintf(out, size, "%s", text ? text : "");
}

/* What ours cannot be told by is never met. */
static void read_strangers(struct web_request *r, struct listing *l)
{
	static const char *const never[] = {"subaccount", "app_hash"};
	const char *uuid = web_query(r, "app_uuid");
	char app[VENDOR_UUID_BYTES];

	plivo_app_uuid(l->a, l->q.who.application, app);
	l->none = uuid && *uuid && strcasecmp(uuid, app) != 0;
	for (size_t i = 0; i < COUNT_OF(never); i++) {
		const char *text = web_query(r, never[i]);

		l->none = l->none || (text && *text);
	}
}

static bool read_filters(struct web_request *r, struct listing *l)
{
	l->limit = PLIVO_LIST_MAX;
	if (!read_count(r, "limit", 1, PLIVO_LIST_MAX, &l->limit) ||
	    !read_count(r, "offset", 0, PLIVO_OFFSET_MAX, &l->offset) ||
	    !read_times(r, &l->q))
		return false;
	read_text(r, "status", l->status, sizeof(l->status));
	read_text(r, "country", l->country, sizeof(l->country));
	read_text(r, "recipient", l->to, sizeof(l->to));
	read_text(r, "brand_name", l->brand, sizeof(l->brand));
	if (!l->brand[0])
		read_text(r, "alias", l->brand, sizeof(l->brand));
	read_strangers(r, l);
	l->q.country = l->country[0] ? l->country : NULL;
	l->q.to = l->to[0] ? l->to : NULL;
	l->q.limit = STORE_PAGE_MAX;
	return true;
}

void plivo_list(struct web_request *r, void *ctx)
{
	struct listing *l = web_alloc(r, sizeof(*l));

	l->r = r;
	l->a = ctx;
	l->out.max = API_ANSWER_MAX;
	if (!vendor_who(ctx, r, VENDOR_PLIVO, web_part(r, 0), SERVICE_VERIFY,
			&l->q.who) ||
	    !read_filters(r, l))
		return;
	web_defer(r);
	if (l->none)
		answer_list(l);
	else
		service_list(l->a->p.service, &l->q, listed, l);
}
