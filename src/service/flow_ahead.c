// SPDX-License-Identifier: Apache-2.0
/*
 * flow_ahead.c - a request that names a flow which is not in memory.
 *
 * What a create means depends on its flow, and reading a request does not wait.
 * So the flow is looked for first; where it has to be read, the request is
 * copied, and comes again when the flow is there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "service/flows_priv.h"

enum { TEXTS = 19 };

struct ahead {
	struct service *sv;
	struct service_create req;
	char *owned[TEXTS + SERVICE_LIMITS_MAX]; /* its texts */
	size_t owned_count;
	uint8_t body_hash[CRYPTO_HASH_BYTES];
	unsigned sends;
	union {
		service_done_h *create;
		service_explain_h *explain;
		service_sent_h *send;
	} done;
	void *ctx;
	void (*again)(struct ahead *a, const struct service_refusal *no);
};

/* --- a copy --------------------------------------------------------------------- */

static const char *keep(struct ahead *a, const char *text)
{
	char *mine = b_strdup(text);

	if (mine)
		a->owned[a->owned_count++] = mine;
	return mine;
}

static void copy_texts(struct ahead *a)
{
	struct service_create *r = &a->req;
	const char **texts[] = {
		&r->to,           &r->flow,
		&r->locale,       &r->brand,
		&r->purpose,      &r->from,
		&r->amount,       &r->currency,
		&r->payee,        &r->webhook,
		&r->client_ip,    &r->metadata,
		&r->params,       &r->code,
		&r->label,        &r->idempotency_key,
		&r->webhook_form, &r->webhook_key,
		&r->send_digits,
	};

	_Static_assert(COUNT_OF(texts) == TEXTS, "there is room for them");
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = keep(a, *texts[i]);
	for (size_t i = 0; i < r->limits_count && i < SERVICE_LIMITS_MAX; i++)
		r->limits[i].name = keep(a, r->limits[i].name);
}

static struct ahead *copy(struct service *sv, const struct service_create *req)
{
	struct ahead *a = b_zero(1, sizeof(*a));

	a->sv = sv;
	a->req = *req;
	copy_texts(a);
	if (req->body_hash) {
		memcpy(a->body_hash, req->body_hash, sizeof(a->body_hash));
		a->req.body_hash = a->body_hash;
	}
	return a;
}

/* A parameter or a code may be a secret, and so may be what is spoken. */
static void ahead_free(struct ahead *a)
{
	for (size_t i = 0; i < a->owned_count; i++) {
		crypto_wipe(a->owned[i], strlen(a->owned[i]));
		free(a->owned[i]);
	}
	free(a);
}

/* --- waiting --------------------------------------------------------------------- */

static bool has_flow(const struct service_create *req)
{
	return req->flow && service_flow_is_own(req->flow);
}

static struct service_flow_want want_of(const struct service_create *req)
{
	return (struct service_flow_want){.application = req->who.application,
					  .id = req->flow,
					  .version = req->flow_version};
}

static bool is_ahead(struct service *sv, const struct service_create *req)
{
	struct service_flow_want want;
	int why = 0;

	if (!has_flow(req))
		return false;
	want = want_of(req);
	service_flow_unref(service_flow_take(sv, &want, &why));
	return why == -EAGAIN;
}

void service_refuse_flow(struct service_refusal *no, int err)
{
	if (err == -ENOENT)
		service_refuse(no, "flow_not_published", "flow",
			       "there is no published flow of this name");
	else if (err == -EINVAL)
		service_refuse(no, "flow_invalid", "flow",
			       "this version cannot be run here any more");
	else
		service_refuse_store(no, err);
}

static void brought(int err, void *ctx)
{
	struct ahead *a = ctx;
	struct service_refusal no = {.code = ""};

	if (err)
		service_refuse_flow(&no, err);
	a->again(a, err ? &no : NULL);
	ahead_free(a);
}

static void wait_for_it(struct ahead *a,
			void (*again)(struct ahead *a,
				      const struct service_refusal *no))
{
	const struct service_flow_want want = want_of(&a->req);

	a->again = again;
	service_flow_bring(a->sv, &want, brought, a);
}

/* --- who waits ---------------------------------------------------------------------- */

static void create_again(struct ahead *a, const struct service_refusal *no)
{
	if (no)
		a->done.create(no, NULL, a->ctx);
	else
		service_create(a->sv, &a->req, a->done.create, a->ctx);
}

bool service_create_waits(struct service *sv, const struct service_create *req,
			  service_done_h *done, void *ctx)
{
	struct ahead *a;

	if (!is_ahead(sv, req))
		return false;
	a = copy(sv, req);
	a->done.create = done;
	a->ctx = ctx;
	wait_for_it(a, create_again);
	return true;
}

static void explain_again(struct ahead *a, const struct service_refusal *no)
{
	if (no)
		a->done.explain(no, NULL, a->ctx);
	else
		service_explain(a->sv, &a->req, a->done.explain, a->ctx);
}

bool service_explain_waits(struct service *sv, const struct service_create *req,
			   service_explain_h *done, void *ctx)
{
	struct ahead *a;

	if (!is_ahead(sv, req))
		return false;
	a = copy(sv, req);
	a->done.explain = done;
	a->ctx = ctx;
	wait_for_it(a, explain_again);
	return true;
}

static void send_again(struct ahead *a, const struct service_refusal *no)
{
	if (no)
		a->done.send(no, NULL, false, a->ctx);
	else
		service_send(a->sv, &a->req, a->sends, a->done.send, a->ctx);
}

bool service_send_waits(struct service *sv, const struct service_create *req,
			unsigned sends, service_sent_h *done, void *ctx)
{
	struct ahead *a;

	if (!is_ahead(sv, req))
		return false;
	a = copy(sv, req);
	a->done.send = done;
	a->sends = sends;
	a->ctx = ctx;
	wait_for_it(a, send_again);
	return true;
}
