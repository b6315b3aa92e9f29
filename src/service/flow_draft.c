// SPDX-License-Identifier: Apache-2.0
/*
 * flow_draft.c - a flow is made, and its draft saved.
 *
 * A draft may have errors; they are counted for whoever looks at it.  Whoever
 * saves says which draft was changed: where it is another by now, nothing is
 * written, and the answer tells what differs.  The draft before the last one is
 * kept for that, so that two who edit at once can be told apart.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/flows_priv.h"

enum { AT_FLOW, AT_DRAFT, AT_BEFORE };

static const char empty_flow[] =
	"{\"format\":\"voiceflow/1\",\"name\":\"Untitled\",\"start\":\"Start\","
	"\"nodes\":[{\"id\":\"Start\",\"type\":\"start\",\"config\":{"
	"\"params\":"
	"[{\"name\":\"to\",\"required\":true}]},\"on\":{}}]}";

/* --- writing -------------------------------------------------------------------- */

static void put(struct store_tx *tx, size_t key, const char *text)
{
	store_tx_put(tx, key, span_of(text), NULL);
}

static int apply_add(struct store_tx *tx, void *ctx)
{
	struct service_flow_request *q = ctx;

	service_flow_record_write(tx, AT_FLOW, &q->r);
	put(tx, AT_DRAFT, q->text);
	return 0;
}

static int apply_save(struct store_tx *tx, void *ctx)
{
	struct service_flow_request *q = ctx;
	int err = service_flow_still(tx, q);

	if (err)
		return err;
	service_flow_record_write(tx, AT_FLOW, &q->r);
	put(tx, AT_DRAFT, q->text);
	if (strcmp(q->before, q->text) != 0)
		put(tx, AT_BEFORE, q->before);
	return 0;
}

/* The document as it is kept.  False: refused. */
static bool make_text(struct service_flow_request *q)
{
	q->text = flow_canonical(q->document);
	if (strlen(q->text) <= FLOW_DOCUMENT_MAX)
		return true;
	service_refuse(&q->no, "body_too_large", "",
		       "a document has at most %d bytes in canonical form",
		       FLOW_DOCUMENT_MAX);
	return false;
}

void service_flow_before_key(const char *id, char out[SERVICE_FLOW_KEY_BYTES])
{
	(void)snprintf(out, SERVICE_FLOW_KEY_BYTES, "%s:before", id);
}

int service_flow_save_text(struct service_flow_request *q)
{
	char before[SERVICE_FLOW_KEY_BYTES];
	const struct store_key keys[] = {
		[AT_FLOW] = {SERVICE_KIND_FLOW, q->r.head.id},
		[AT_DRAFT] = {SERVICE_KIND_FLOW_DRAFT, q->r.head.id},
		[AT_BEFORE] = {SERVICE_KIND_FLOW_DRAFT, before},
	};

	service_flow_before_key(q->r.head.id, before);
	(void)snprintf(q->was, sizeof(q->was), "%s", q->r.head.etag);
	q->had_versions = q->r.head.versions;
	service_flow_describe(q, q->text);
	return service_flow_change(q, keys, COUNT_OF(keys), apply_save);
}

/* --- a new one ---------------------------------------------------------------------- */

static bool has_room(struct service_flow_request *q)
{
	const struct store_query query = {.kind = SERVICE_KIND_FLOW,
					  .owner = q->ask.who.application};
	struct service_found *found = NULL;
	size_t count = 0;
	int err = service_wait_list(q->sv->p.store, &query, &found, &count);

	service_found_free(found, count);
	if (err) {
		service_flow_fail(q, err);
		return false;
	}
	if (count < SERVICE_FLOWS_MAX)
		return true;
	service_refuse(&q->no, "conflict", "",
		       "an application has at most %d flows",
		       SERVICE_FLOWS_MAX);
	return false;
}

static bool name_it(struct service_flow_request *q)
{
	const char *name = q->ask.name;

	if (!name)
		return true;
	if (!*name || strlen(name) > FLOW_NAME_MAX ||
	    !span_utf8(span_of(name))) {
		service_refuse(&q->no, "invalid_field", "name",
			       "a name has 1 to %d bytes", FLOW_NAME_MAX);
		return false;
	}
	(void)json_object_set_new(q->document, "name", json_string(name));
	return true;
}

static void add(struct service_flow_request *q)
{
	struct service_flow_head *h = &q->r.head;
	const struct store_key keys[] = {
		[AT_FLOW] = {SERVICE_KIND_FLOW, h->id},
		[AT_DRAFT] = {SERVICE_KIND_FLOW_DRAFT, h->id},
	};
	int err;

	if (!name_it(q) || !make_text(q) || !has_room(q))
		return;
	service_flow_id_make(q->sv, "flw_", h->id);
	(void)snprintf(q->r.application, sizeof(q->r.application), "%s",
		       q->ask.who.application);
	service_flow_describe(q, q->text);
	h->created_ms = h->updated_ms;
	err = service_flow_change(q, keys, COUNT_OF(keys), apply_add);
	if (err) {
		service_flow_fail(q, err);
		return;
	}
	q->a.head = h;
	q->a.document = q->text;
}

static void act_add(struct service_flow_request *q)
{
	if (q->ask.document.n == 0)
		q->document = json_loads(empty_flow, 0, NULL);
	else if (!service_flow_given(q))
		return;
	add(q);
}

void service_flow_add(struct service *sv, const struct service_flow_ask *ask,
		      service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_add, done, ctx);
}

static void act_import(struct service_flow_request *q)
{
	AUTO_JSON json_t *report = NULL;
	struct diag d = {0};

	if (!service_flow_given(q))
		return;
	json_decref(q->document);
	q->document = NULL;
	if (flow_import(q->ask.document, &q->document, &report, &d) != 0) {
		service_refuse(&q->no, "invalid_field", "document", "%.200s",
			       d.message);
		return;
	}
	q->dropped = json_dumps(report, JSON_COMPACT);
	q->a.dropped = q->dropped;
	add(q);
}

void service_flow_import(struct service *sv, const struct service_flow_ask *ask,
			 service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_import, done, ctx);
}

/* --- saving -------------------------------------------------------------------------- */

/* The draft that somebody began with: of `etag`, if it is still known. */
static json_t *base_of(struct service_flow_request *q, const char *etag)
{
	char key[SERVICE_FLOW_KEY_BYTES], sha[SERVICE_FLOW_SHA_BYTES];
	struct service_found *found = NULL;
	json_t *base = NULL;
	size_t count = 0;
	int err;

	service_flow_before_key(q->r.head.id, key);
	err = service_wait_get(q->sv->p.store,
			       service_flow_partition(q->r.head.id),
			       SERVICE_KIND_FLOW_DRAFT, key, &found, &count);
	if (!err && count > 0) {
		service_flow_sha(found->value, sha);
		if (strncmp(sha, etag, SERVICE_FLOW_ETAG_BYTES - 1) == 0)
			base = json_loadb(found->value.p, found->value.n, 0,
					  NULL);
	}
	service_found_free(found, count);
	return base;
}

/* What differs, from three sides; from two where the beginning is forgotten. */
static void tell_apart(struct service_flow_request *q)
{
	AUTO_JSON json_t *base = base_of(q, q->ask.if_match);
	AUTO_JSON json_t *theirs = json_loads(q->before, 0, NULL);
	AUTO_JSON json_t *sides = json_object();

	(void)json_object_set_new(sides, "base_known", json_boolean(base));
	if (base) {
		(void)json_object_set_new(sides, "theirs",
					  flow_diff(base, theirs));
		(void)json_object_set_new(sides, "yours",
					  flow_diff(base, q->document));
	}
	(void)json_object_set_new(sides, "between",
				  flow_diff(theirs, q->document));
	q->changes = json_dumps(sides, JSON_COMPACT);
	q->a.changes = q->changes;
	q->a.document = q->before;
}

static bool is_expected(struct service_flow_request *q)
{
	const char *given = q->ask.if_match;

	if (!given) {
		service_refuse(&q->no, "precondition_required", "If-Match",
			       "say which draft this one is made from: send "
			       "its etag");
		return false;
	}
	if (strcmp(given, "*") == 0 || strcmp(given, q->r.head.etag) == 0)
		return true;
	service_refuse(&q->no, "precondition_failed", "If-Match",
		       "the draft has changed since");
	tell_apart(q);
	return false;
}

static int try_save(struct service_flow_request *q)
{
	if (!service_flow_own(q, true))
		return 0;
	free(q->before);
	q->before = NULL;
	if (!service_flow_text(q, 0, &q->before) || !is_expected(q))
		return 0;
	return service_flow_save_text(q);
}

static void act_save(struct service_flow_request *q)
{
	int err = -EBUSY;

	if (!service_flow_given(q) || !make_text(q))
		return;
	for (int i = 0; err == -EBUSY && i < SERVICE_FLOW_TRIES; i++)
		err = try_save(q);
	if (err)
		service_flow_fail(q, err);
	else if (!q->no.code)
		q->a.document = q->text;
}

void service_flow_save(struct service *sv, const struct service_flow_ask *ask,
		       service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_save, done, ctx);
}

/* --- looking at it --------------------------------------------------------------------- */

static void act_validate(struct service_flow_request *q)
{
	bool given = q->ask.document.n > 0;

	if (q->ask.id && !service_flow_own(q, false))
		return;
	if (given && (!service_flow_given(q) || !make_text(q)))
		return;
	if (!given && !service_flow_text(q, q->ask.version, &q->text))
		return;
	/* as it was written: lines and columns are those of its author */
	(void)!service_flow_check(q, q->text, NULL);
}

void service_flow_validate(struct service *sv,
			   const struct service_flow_ask *ask,
			   service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_validate, done, ctx);
}
