// SPDX-License-Identifier: Apache-2.0
/*
 * flow_publish.c - versions: made, restored, and removed with their flow.
 *
 * A version is written together with the flow that points to it, under the
 * condition that the draft is the one that was checked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/flow_trial_priv.h"

enum { AT_FLOW, AT_VERSION, AT_TEXT };

/* --- publish --------------------------------------------------------------------- */

static bool has_message(struct service_flow_request *q)
{
	const char *m = q->ask.message;
	size_t n = m ? strnlen(m, SERVICE_FLOW_MESSAGE_MAX + 1) : 0;

	if (span_trim(span_make(m ? m : "", n)).n == 0) {
		service_refuse(&q->no, "missing_field", "message",
			       "say what has changed: message must be given");
		return false;
	}
	if (n > SERVICE_FLOW_MESSAGE_MAX) {
		service_refuse(&q->no, "invalid_field", "message",
			       "a message has at most %d bytes",
			       SERVICE_FLOW_MESSAGE_MAX);
		return false;
	}
	return true;
}

static bool may_publish(struct service_flow_request *q)
{
	const char *given = q->ask.if_match;

	if (given && strcmp(given, "*") != 0 &&
	    strcmp(given, q->r.head.etag) != 0) {
		service_refuse(&q->no, "precondition_failed", "If-Match",
			       "the draft has changed since");
		return false;
	}
	if (q->r.head.versions < SERVICE_FLOW_VERSIONS_MAX)
		return true;
	service_refuse(&q->no, "conflict", "",
		       "a flow has at most %d versions; go on with a copy",
		       SERVICE_FLOW_VERSIONS_MAX);
	return false;
}

static int apply_publish(struct store_tx *tx, void *ctx)
{
	struct service_flow_request *q = ctx;
	int err = service_flow_still(tx, q);

	if (err)
		return err;
	service_flow_record_write(tx, AT_FLOW, &q->r);
	service_flow_version_write(tx, AT_VERSION, &q->r, &q->version, 0);
	store_tx_put(tx, AT_TEXT, span_of(q->text), NULL);
	return 0;
}

static void fill_version(struct service_flow_request *q)
{
	struct service_flow_head *h = &q->r.head;
	struct service_flow_version *v = &q->version;

	*v = (struct service_flow_version){.n = h->versions + 1};
	service_flow_sha(span_of(q->text), v->sha256);
	(void)snprintf(v->application, sizeof(v->application), "%s",
		       q->r.application);
	(void)snprintf(v->author, sizeof(v->author), "%s", q->ask.who.key_id);
	(void)snprintf(v->message, sizeof(v->message), "%s", q->ask.message);
	v->published_ms = clock_wall_ms(q->sv->p.clock);
	h->published = h->versions = v->n;
	h->published_ms = v->published_ms;
	h->errors = 0;
	h->changed = false;
	memcpy(q->r.published_sha, v->sha256, sizeof(v->sha256));
}

static bool has_no_errors(struct service_flow_request *q)
{
	if (service_flow_check(q, q->text, NULL) == 0)
		return true;
	service_refuse(&q->no, "flow_invalid", "",
		       "the draft has %zu error%s: see findings",
		       q->findings.errors, q->findings.errors == 1 ? "" : "s");
	return false;
}

static int try_publish(struct service_flow_request *q)
{
	char key[SERVICE_FLOW_KEY_BYTES], sha[SERVICE_FLOW_SHA_BYTES];
	const struct store_key keys[] = {
		[AT_FLOW] = {SERVICE_KIND_FLOW, q->r.head.id},
		[AT_VERSION] = {SERVICE_KIND_FLOW_VERSION, key},
		[AT_TEXT] = {SERVICE_KIND_FLOW_TEXT, key},
	};

	if (!service_flow_own(q, true) || !may_publish(q))
		return 0;
	free(q->text);
	q->text = NULL;
	if (!service_flow_text(q, 0, &q->text))
		return 0;
	service_flow_sha(span_of(q->text), sha);
	if (strcmp(sha, q->r.draft_sha) != 0)
		return -EBUSY; /* saved between the two reads */
	if (!has_no_errors(q))
		return 0;
	(void)snprintf(q->was, sizeof(q->was), "%s", q->r.head.etag);
	q->had_versions = q->r.head.versions;
	fill_version(q);
	service_flow_key(q->r.head.id, q->version.n, key);
	return service_flow_change(q, keys, COUNT_OF(keys), apply_publish);
}

static void act_publish(struct service_flow_request *q)
{
	int err = -EBUSY;

	if (!has_message(q))
		return;
	for (int i = 0; err == -EBUSY && i < SERVICE_FLOW_TRIES; i++)
		err = try_publish(q);
	if (err) {
		service_flow_fail(q, err);
	} else if (!q->no.code) {
		service_flow_forget(q->sv, q->r.head.id);
		q->a.versions = &q->version;
		q->a.count = 1;
	}
}

void service_flow_publish(struct service *sv,
			  const struct service_flow_ask *ask,
			  service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_publish, done, ctx);
}

/* --- restore ------------------------------------------------------------------------ */

static int try_restore(struct service_flow_request *q)
{
	struct diag d;

	if (!service_flow_own(q, true))
		return 0;
	free(q->before);
	free(q->text);
	json_decref(q->document);
	q->before = q->text = NULL;
	q->document = NULL;
	if (!service_flow_text(q, 0, &q->before) ||
	    !service_flow_text(q, q->ask.version, &q->text))
		return 0;
	if (js_parse(span_of(q->text), &q->document, &d) != 0)
		return -EBADMSG;
	return service_flow_save_text(q);
}

static void act_restore(struct service_flow_request *q)
{
	int err = -EBUSY;

	for (int i = 0; err == -EBUSY && i < SERVICE_FLOW_TRIES; i++)
		err = try_restore(q);
	if (err)
		service_flow_fail(q, err);
	else if (!q->no.code)
		q->a.document = q->text;
}

void service_flow_restore(struct service *sv,
			  const struct service_flow_ask *ask,
			  service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_restore, done, ctx);
}

/* --- remove --------------------------------------------------------------------------- */

static bool names_it(const struct service_found *found, const char *id)
{
	struct verification v = {0};
	bool yes = verification_unpack(found->value, &v) == 0 &&
		   strcmp(v.flow, id) == 0;

	verification_free(&v);
	return yes;
}

/* 0: none is pending; -EEXIST. */
static int look_for_use(struct service_flow_request *q)
{
	struct store_query query = {
		.kind = SERVICE_KIND_VERIFICATION,
		.owner = q->r.application,
		.label = outcome_status_text(STATUS_PENDING),
		.limit = STORE_PAGE_MAX,
	};
	int err = 0;

	do {
		struct service_found *found = NULL;
		size_t count = 0;

		query.cursor = q->next[0] ? q->next : NULL;
		err = service_wait_page(q->sv->p.store, &query, q->next, &found,
					&count);
		for (size_t i = 0; !err && i < count; i++)
			err = names_it(&found[i], q->r.head.id) ? -EEXIST : 0;
		service_found_free(found, count);
	} while (!err && q->next[0]);
	return err;
}

static int apply_remove(struct store_tx *tx, void *ctx)
{
	int err = service_flow_still(tx, ctx);

	if (err)
		return err;
	store_tx_delete(tx, 0);
	store_tx_delete(tx, 1);
	store_tx_delete(tx, 2);
	return 0;
}

static int apply_fade(struct store_tx *tx, void *ctx)
{
	struct service_flow_request *q = ctx;
	int64_t until = store_tx_now(tx) + SERVICE_FLOW_AFTERLIFE_MS;
	struct span text, record;

	if (store_tx_get(tx, 0, &record) &&
	    service_flow_version_read(record, &q->version) == 0)
		service_flow_version_write(tx, 0, &q->r, &q->version, until);
	if (store_tx_get(tx, 1, &text))
		store_tx_put(tx, 1, text,
			     &(struct store_index){.expires_ms = until});
	return 0;
}

/* A call that has begun finds its version for as long as it may live. */
static int fade_versions(struct service_flow_request *q)
{
	char key[SERVICE_FLOW_KEY_BYTES];
	const struct store_key keys[] = {
		{SERVICE_KIND_FLOW_VERSION, key},
		{SERVICE_KIND_FLOW_TEXT, key},
	};
	int err = 0;

	for (unsigned n = 1; !err && n <= q->r.head.versions; n++) {
		service_flow_key(q->r.head.id, n, key);
		err = service_flow_change(q, keys, COUNT_OF(keys), apply_fade);
	}
	return err;
}

static int remove_it(struct service_flow_request *q)
{
	char before[SERVICE_FLOW_KEY_BYTES];
	const struct store_key keys[] = {
		{SERVICE_KIND_FLOW, q->r.head.id},
		{SERVICE_KIND_FLOW_DRAFT, q->r.head.id},
		{SERVICE_KIND_FLOW_DRAFT, before},
	};
	int err = q->r.head.published ? look_for_use(q) : 0;

	if (err)
		return err;
	service_flow_before_key(q->r.head.id, before);
	(void)snprintf(q->was, sizeof(q->was), "%s", q->r.head.etag);
	q->had_versions = q->r.head.versions;
	err = service_flow_change(q, keys, COUNT_OF(keys), apply_remove);
	if (err)
		return err;
	service_flow_forget(q->sv, q->r.head.id);
	service_runs_drop_flow(q->sv, q->r.head.id);
	return fade_versions(q);
}

static void act_remove(struct service_flow_request *q)
{
	int err;

	if (!service_flow_own(q, true))
		return;
	err = remove_it(q);
	if (err == -EEXIST)
		service_refuse(&q->no, "conflict", "",
			       "a verification of this flow is pending");
	else if (err)
		service_flow_fail(q, err);
}

void service_flow_remove(struct service *sv, const struct service_flow_ask *ask,
			 service_flow_h *done, void *ctx)
{
	service_flow_request(sv, ask, act_remove, done, ctx);
}
