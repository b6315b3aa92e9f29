// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_summary.c - /v2/Attempts/Summary: how many calls there were, and how
 * many of them led to an approval.
 *
 * It is counted page by page, as a client would count who lists them all.  That
 * has an end: who asks for more than TWILIO_SUMMARY_PAGES of them is told to
 * ask for a shorter time, not a part of the truth.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/twilio.h"

struct summary {
	struct twilio_ask q;
	struct twilio_page page; /* for its filters alone */
	char country[8], prefix[TWILIO_NUMBER_BYTES];
	char service[VENDOR_TWILIO_ID_BYTES];
	char cursor[STORE_CURSOR_BYTES];
	int64_t since_ms, until_ms;
	unsigned pages;
	uint64_t all, converted;
};

static void answer(struct summary *w)
{
	struct buf b = {.max = API_ANSWER_MAX};
	uint64_t all = w->all, of_10000 = all ? w->converted * 10000 / all : 0;

	buf_printf(&b,
		   "{\"total_attempts\":%llu,\"total_converted\":%llu,"
		   "\"total_unconverted\":%llu,"
		   "\"conversion_rate_percentage\":%llu.%02llu",
		   (unsigned long long)all, (unsigned long long)w->converted,
		   (unsigned long long)(all - w->converted),
		   (unsigned long long)(of_10000 / 100),
		   (unsigned long long)(of_10000 % 100));
	twilio_write_url(&b, &w->q, "url", "/v2/Attempts/Summary");
	buf_byte(&b, '}');
	twilio_answer(&w->q, 200, &b);
}

static bool wanted(const struct summary *w, const struct service_view *view)
{
	const char *label = view->v->label, *to = view->to ? view->to : "";
	const char *prefix = w->prefix;

	if (!span_starts(span_of(label), "VA") ||
	    (w->service[0] && strcmp(w->service, label) != 0))
		return false;
	prefix += *prefix == '+';
	to += *to == '+';
	return strncmp(to, prefix, strlen(prefix)) == 0;
}

static void count(struct summary *w, const struct service_view *view)
{
	const struct verification *v = view->v;

	if (!wanted(w, view))
		return;
	for (size_t i = 0; i < v->legs_count; i++)
		w->converted += twilio_converted(v, i);
	w->all += v->legs_count;
}

static void ask(struct summary *w);

static void listed(const struct service_refusal *no,
		   const struct service_view *views, size_t n, const char *next,
		   void *ctx)
{
	struct summary *w = ctx;

	if (no && no->code && *no->code) {
		w->q.no = *no;
		twilio_refuse(&w->q);
		return;
	}
	for (size_t i = 0; i < n; i++)
		count(w, &views[i]);
	if (!next || !*next) {
		answer(w);
	} else if (++w->pages == TWILIO_SUMMARY_PAGES ||
		   strlen(next) >= sizeof(w->cursor)) {
		(void)twilio_no(&w->q, "invalid_field", "DateCreatedAfter",
				"there are too many to be counted: ask for a "
				"shorter time");
		twilio_refuse(&w->q);
	} else {
		(void)snprintf(w->cursor, sizeof(w->cursor), "%s", next);
		ask(w);
	}
}

static void ask(struct summary *w)
{
	const struct service_query q = {
		.who = w->q.who,
		.country = w->country[0] ? w->country : NULL,
		.cursor = w->cursor[0] ? w->cursor : NULL,
		.since_ms = w->since_ms,
		.until_ms = w->until_ms,
		.limit = STORE_PAGE_MAX,
	};

	service_list(w->q.a->p.service, &q, listed, w);
}

static bool read_prefix(struct summary *w)
{
	size_t n;

	if (!twilio_page_filter(&w->q, &w->page, "DestinationPrefix", w->prefix,
				sizeof(w->prefix)))
		return false;
	n = w->prefix[0] == '+';
	n += strspn(w->prefix + n, "0123456789");
	return !w->prefix[n] ||
	       twilio_no(&w->q, "invalid_field", "DestinationPrefix",
			 "the first digits of numbers");
}

void twilio_attempts_summary(struct web_request *r, void *ctx)
{
	struct summary *w = twilio_ask_new(ctx, r, sizeof(*w));
	char channel[16] = "";

	if (!w)
		return;
	if (!twilio_page_filter(&w->q, &w->page, "VerifyServiceSid", w->service,
				sizeof(w->service)) ||
	    !twilio_page_time(&w->q, &w->page, "DateCreatedAfter",
			      &w->since_ms) ||
	    !twilio_page_time(&w->q, &w->page, "DateCreatedBefore",
			      &w->until_ms) ||
	    !twilio_page_filter(&w->q, &w->page, "Country", w->country,
				sizeof(w->country)) ||
	    !twilio_page_filter(&w->q, &w->page, "Channel", channel,
				sizeof(channel)) ||
	    !read_prefix(w)) {
		twilio_refuse(&w->q);
		return;
	}
	web_defer(r);
	if (*channel && strcasecmp(channel, "call") != 0)
		answer(w);
	else
		ask(w);
}
