// SPDX-License-Identifier: Apache-2.0
/*
 * flow_request.c - a request about flows, from its copy to its answer.
 *
 * It runs on a thread that may wait, so it reads what it needs, thinks, and
 * writes under the condition that nobody wrote meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "service/flows_priv.h"

/* --- around it ------------------------------------------------------------------- */

static char *own(struct service_flow_request *q, char *text)
{
	if (text)
		q->owned[q->owned_count++] = text;
	return text;
}

const char *service_flow_keep(struct service_flow_request *q, const char *text)
{
	return own(q, b_strdup(text));
}

static void copy(const struct service_flow_ask *from,
		 struct service_flow_request *q)
{
	struct service_flow_ask *to = &q->ask;

	*to = *from;
	to->id = service_flow_keep(q, from->id);
	to->name = service_flow_keep(q, from->name);
	to->if_match = service_flow_keep(q, from->if_match);
	to->message = service_flow_keep(q, from->message);
	to->cursor = service_flow_keep(q, from->cursor);
	to->document.p = own(q, b_copy(from->document.p, from->document.n));
}

static void request_free(struct service_flow_request *q)
{
	/* a test's parameters may be secret */
	for (size_t i = 0; q->test && i < q->owned_count; i++)
		crypto_wipe(q->owned[i], strlen(q->owned[i]));
	for (size_t i = 0; i < q->owned_count; i++)
		free(q->owned[i]);
	free(q->test);
	json_decref(q->document);
	free(q->text);
	free(q->before);
	free(q->changes);
	free(q->dropped);
	free(q->heads);
	free(q->versions);
	flow_findings_free(&q->findings);
	service_run_free(&q->run);
	free(q);
}

static void run(struct service_flow_job *job, bool no)
{
	struct service_flow_request *q =
		ll_entry(job, struct service_flow_request, job);

	if (no)
		service_refuse(&q->no, "overloaded", "",
			       "too much is asked of flows just now");
	else
		q->act(q);
	q->done(q->no.code ? &q->no : NULL, &q->a, q->ctx);
	request_free(q);
}

struct service_flow_request *service_flow_request_new(
	struct service *sv, const struct service_flow_ask *ask,
	service_flow_h *done, void *ctx)
{
	struct service_flow_request *q = b_zero(1, sizeof(*q));

	q->sv = sv;
	copy(ask, q);
	q->done = done;
	q->ctx = ctx;
	q->job.run = run;
	return q;
}

void service_flow_request(struct service *sv,
			  const struct service_flow_ask *ask,
			  void (*act)(struct service_flow_request *q),
			  service_flow_h *done, void *ctx)
{
	struct service_flow_request *q =
		service_flow_request_new(sv, ask, done, ctx);

	q->act = act;
	service_flow_submit(SERVICE_FLOW_DOCUMENTS, sv, &q->job);
}

void service_flow_fail(struct service_flow_request *q, int err)
{
	if (err == -ENOENT)
		service_refuse(&q->no, "not_found", "",
			       "there is no such flow");
	else if (err == -EBUSY)
		service_refuse(
			&q->no, "conflict", "",
			"somebody else is changing this flow; try again");
	else
		service_refuse_store(&q->no, err);
}

/* --- whose, and what --------------------------------------------------------------- */

static void describe_built_in(const struct service_flow *f,
			      struct service_flow_record *r)
{
	struct service_flow_head *h = &r->head;

	*r = (struct service_flow_record){0};
	(void)snprintf(h->id, sizeof(h->id), "%s", f->id);
	(void)snprintf(h->name, sizeof(h->name), "%s", flow_name(f->flow));
	service_flow_sha(span_of(f->text), r->published_sha);
	(void)snprintf(h->etag, sizeof(h->etag), "%.*s",
		       SERVICE_FLOW_ETAG_BYTES - 1, r->published_sha);
	h->built_in = true;
	h->published = h->versions = f->version;
}

void service_flow_built_in(const struct service_flow *f,
			   struct service_flow_head *out)
{
	struct service_flow_record r;

	describe_built_in(f, &r);
	*out = r.head;
}

bool service_flow_own(struct service_flow_request *q, bool change)
{
	const char *id = q->ask.id ? q->ask.id : "";
	const struct service_flow *f = map_get(q->sv->flows, id);
	int err;

	if (f && change) {
		service_refuse(&q->no, "forbidden", "",
			       "the flows of the program stay as they are; "
			       "import a copy");
		return false;
	}
	if (f) {
		describe_built_in(f, &q->r);
		q->a.head = &q->r.head;
		return true;
	}
	err = service_flow_is_own(id)
		      ? service_flow_load_record(q->sv, id, &q->r)
		      : -ENOENT;
	if (!err && strcmp(q->r.application, q->ask.who.application) != 0)
		err = -ENOENT;
	if (err) {
		service_flow_fail(q, err);
		return false;
	}
	q->a.head = &q->r.head;
	return true;
}

bool service_flow_text(struct service_flow_request *q, unsigned version,
		       char **out)
{
	const struct service_flow *f = map_get(q->sv->flows, q->ask.id);
	int err = 0;

	if (f && version <= f->version)
		*out = b_strdup(f->text);
	else if (f || version > q->r.head.versions)
		err = -ENOENT;
	else
		err = service_flow_load_text(q->sv, q->ask.id, version, out);
	if (err == -ENOENT)
		service_refuse(&q->no, "not_found", "",
			       "this flow has no such version");
	else if (err)
		service_flow_fail(q, err);
	return !err;
}

bool service_flow_given(struct service_flow_request *q)
{
	struct diag d = {0};

	if (q->ask.document.n > SERVICE_FLOW_WIDE_MAX) {
		service_refuse(&q->no, "body_too_large", "",
			       "a document has at most %d bytes",
			       FLOW_DOCUMENT_MAX);
		return false;
	}
	if (js_parse(q->ask.document, &q->document, &d) != 0) {
		service_refuse(&q->no, "invalid_json", "",
			       "line %d, column %d: %.150s", d.line, d.column,
			       d.message);
		return false;
	}
	if (!json_is_object(q->document)) {
		service_refuse(&q->no, "invalid_json", "",
			       "a document is an object");
		return false;
	}
	return true;
}

int service_flow_check(struct service_flow_request *q, const char *text,
		       struct flow **out)
{
	const struct flow_world world = service_flow_world(q->sv);

	flow_findings_free(&q->findings);
	q->findings = (struct flow_findings){0};
	q->a.findings = &q->findings;
	return flow_load(span_of(text), &world, out, &q->findings);
}

static void count_findings(struct service_flow_request *q)
{
	struct service_flow_head *h = &q->r.head;

	h->errors = h->warnings = 0;
	for (size_t i = 0; i < q->findings.count; i++) {
		h->errors += q->findings.items[i].severity == FLOW_ERROR;
		h->warnings += q->findings.items[i].severity == FLOW_WARNING;
	}
}

static void take_name(struct service_flow_head *h, const json_t *document)
{
	const char *name = json_string_value(json_object_get(document, "name"));
	size_t n = name ? strnlen(name, sizeof(h->name)) : 0;

	if (n == 0 || n >= sizeof(h->name))
		name = "Untitled";
	(void)snprintf(h->name, sizeof(h->name), "%s", name);
}

void service_flow_describe(struct service_flow_request *q, const char *text)
{
	struct service_flow_record *r = &q->r;

	/* what is wrong is counted; a draft may be wrong */
	(void)!service_flow_check(q, text, NULL);
	count_findings(q);
	take_name(&r->head, q->document);
	service_flow_sha(span_of(text), r->draft_sha);
	(void)snprintf(r->head.etag, sizeof(r->head.etag), "%.*s",
		       SERVICE_FLOW_ETAG_BYTES - 1, r->draft_sha);
	r->head.changed = strcmp(r->draft_sha, r->published_sha) != 0;
	r->head.updated_ms = clock_wall_ms(q->sv->p.clock);
}

/* --- writing ------------------------------------------------------------------------- */

int service_flow_change(struct service_flow_request *q,
			const struct store_key *keys, size_t count,
			store_apply_h *apply)
{
	return service_wait_change(q->sv->p.store,
				   service_flow_partition(q->r.head.id), keys,
				   count, apply, q);
}

int service_flow_still(const struct store_tx *tx,
		       const struct service_flow_request *q)
{
	struct service_flow_record now;
	struct span record;
	int err;

	if (!store_tx_get(tx, 0, &record))
		return -ENOENT;
	err = service_flow_record_read(record, &now);
	if (err)
		return err;
	return strcmp(now.head.etag, q->was) == 0 &&
			       now.head.versions == q->had_versions
		       ? 0
		       : -EBUSY;
}
