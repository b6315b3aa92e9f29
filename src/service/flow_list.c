// SPDX-License-Identifier: Apache-2.0
/*
 * flow_list.c - flows, versions and documents, for whom they belong to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "service/flows_priv.h"

enum { LIST_DEFAULT = 50 };

/* --- flows ----------------------------------------------------------------------- */

struct heads {
	struct service_flow_head *at;
	size_t count;
};

static void add_built_in(const char *key, void *value, void *ctx)
{
	struct heads *h = ctx;

	(void)key;
	service_flow_built_in(value, &h->at[h->count++]);
}

static int by_id(const void *a, const void *b)
{
	const struct service_flow_head *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int read_page(struct service_flow_request *q, struct store_query *query,
		     struct service_found **found, size_t *count)
{
	size_t limit = q->ask.limit ? q->ask.limit : LIST_DEFAULT;

	query->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
	query->cursor = q->ask.cursor;
	return service_wait_page(q->sv->p.store, query, q->next, found, count);
}

static void bad_page(struct service_flow_request *q, int err)
{
	if (err == -EINVAL)
		service_refuse(&q->no, "invalid_field", "cursor",
			       "it is not one of ours");
	else
		service_flow_fail(q, err);
}

static void act_list(struct service_flow_request *q)
{
	struct store_query query = {.kind = SERVICE_KIND_FLOW,
				    .owner = q->ask.who.application};
	struct service_found *found = NULL;
	struct heads h = {0};
	size_t count = 0;
	int err = read_page(q, &query, &found, &count);

	if (err) {
		bad_page(q, err);
		return;
	}
	h.at = q->heads =
		b_zero(count + map_count(q->sv->flows) + 1, sizeof(*h.at));
	if (!q->ask.cursor) {
		map_each(q->sv->flows, add_built_in, &h);
		qsort(h.at, h.count, sizeof(*h.at), by_id);
	}
	for (size_t i = 0; i < count; i++) {
		struct service_flow_record r;

		if (service_flow_record_read(found[i].value, &r) == 0)
			h.at[h.count++] = r.head;
	}
	service_found_free(found, count);
	q->a.heads = h.at;
	q->a.count = h.count;
	q->a.next = q->next[0] ? q->next : NULL;
}

void service_flow_list(struct service *sv, const struct service_flow_ask *ask,
		       service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_list, done, ctx);
}

/* --- one ---------------------------------------------------------------------------- */

static void act_read(struct service_flow_request *q)
{
	(void)!service_flow_own(q, false);
}

void service_flow_read(struct service *sv, const struct service_flow_ask *ask,
		       service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_read, done, ctx);
}

static void read_version(struct service_flow_request *q)
{
	int err = service_flow_load_version(q->sv, q->r.head.id, q->ask.version,
					    &q->version);

	if (err) {
		service_flow_fail(q, err);
		return;
	}
	q->a.versions = &q->version;
	q->a.count = 1;
}

/* The draft's etag is of what is shown: both are read until they fit. */
static void act_document(struct service_flow_request *q)
{
	char sha[SERVICE_FLOW_SHA_BYTES];

	for (int i = 0; i < SERVICE_FLOW_TRIES; i++) {
		free(q->text);
		q->text = NULL;
		if (!service_flow_own(q, false) ||
		    !service_flow_text(q, q->ask.version, &q->text))
			return;
		q->a.document = q->text;
		service_flow_sha(span_of(q->text), sha);
		if (q->ask.version || q->r.head.built_in ||
		    strcmp(sha, q->r.draft_sha) == 0)
			break;
	}
	if (q->ask.version && !q->r.head.built_in)
		read_version(q);
}

void service_flow_document(struct service *sv,
			   const struct service_flow_ask *ask,
			   service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_document, done, ctx);
}

/* --- versions ------------------------------------------------------------------------- */

static void act_versions(struct service_flow_request *q)
{
	struct store_query query = {.kind = SERVICE_KIND_FLOW_VERSION,
				    .hash = q->ask.id};
	struct service_found *found = NULL;
	size_t count = 0;
	int err;

	if (!service_flow_own(q, false))
		return;
	err = read_page(q, &query, &found, &count);
	if (err) {
		bad_page(q, err);
		return;
	}
	q->versions = b_zero(count + 1, sizeof(*q->versions));
	q->a.versions = q->versions;
	for (size_t i = 0; i < count; i++)
		if (service_flow_version_read(found[i].value,
					      &q->versions[q->a.count]) == 0)
			q->a.count++;
	service_found_free(found, count);
	q->a.next = q->next[0] ? q->next : NULL;
}

void service_flow_list_versions(struct service *sv,
				const struct service_flow_ask *ask,
				service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_versions, done, ctx);
}

static void act_diff(struct service_flow_request *q)
{
	AUTO_JSON json_t *from = NULL;
	AUTO_JSON json_t *to = NULL;
	AUTO_JSON json_t *changes = NULL;
	struct diag d;

	if (!service_flow_own(q, false) ||
	    !service_flow_text(q, q->ask.version, &q->before) ||
	    !service_flow_text(q, q->ask.against, &q->text))
		return;
	if (js_parse(span_of(q->before), &from, &d) != 0 ||
	    js_parse(span_of(q->text), &to, &d) != 0) {
		service_flow_fail(q, -EBADMSG);
		return;
	}
	changes = flow_diff(from, to);
	q->changes = json_dumps(changes, JSON_COMPACT);
	q->a.changes = q->changes;
}

void service_flow_diff(struct service *sv, const struct service_flow_ask *ask,
		       service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_diff, done, ctx);
}
