// SPDX-License-Identifier: Apache-2.0
/*
 * send.c - how vendors' clients send again: who asks for a code for a number
 * that has a live one hears that one once more.
 *
 * Which is live stands in the number's record, with what each belongs to.  It
 * is looked at before anything is written, and once more in the change that
 * makes a new one, so that of many requests at once one makes it and the others
 * find it.  What was found may be over when its own record is read: then it is
 * passed, and the number is looked at again.
 */
#include <string.h>

#include "service/create_priv.h"

static void look(struct create *c);

static bool passed(const struct create *c, const char *id)
{
	for (size_t i = 0; i < c->passed_count; i++)
		if (strcmp(c->passed[i], id) == 0)
			return true;
	return false;
}

bool service_send_finds(struct create *c, const struct verification_number *n,
			int64_t now)
{
	c->found[0] = '\0';
	for (size_t i = 0; c->sent && i < n->live_count; i++) {
		const struct verification_live *live = &n->live[i];

		if (live->expires_ms > now &&
		    strcmp(live->label, c->wish.v.label) == 0 &&
		    !passed(c, live->id)) /* the newest is the last */
			memcpy(c->found, live->id, sizeof(c->found));
	}
	return c->found[0] != '\0';
}

static bool is_over(const struct service_refusal *no)
{
	return strcmp(no->code, "conflict") == 0 ||
	       strcmp(no->code, "not_found") == 0;
}

static void called(const struct service_refusal *no,
		   const struct service_view *view, void *ctx)
{
	struct create *c = ctx;

	if (no && no->code && is_over(no) &&
	    c->passed_count < CREATE_PASSED_MAX) {
		memcpy(c->passed[c->passed_count++], c->found,
		       sizeof(c->found));
		look(c);
		return;
	}
	if (!view)
		atomic_fetch_add(&c->sv->figures.refused, 1);
	c->sent(no, view, view != NULL, c->ctx);
	service_create_free(c);
}

void service_send_again(struct create *c)
{
	const struct service_sending again = {.who = &c->who,
					      .id = c->found,
					      .call_id = c->call_id,
					      .sends = c->sends,
					      .wish = &c->wish,
					      .own = &c->wish.own};

	service_call_once_more(c->sv, &again, called, c);
}

static int apply_look(struct store_tx *tx, void *ctx)
{
	struct create *c = ctx;
	struct verification_number n = {0};
	struct span value;
	int err = 0;

	if (store_tx_get(tx, 0, &value))
		err = verification_number_unpack(value, &n);
	(void)service_send_finds(c, &n, store_tx_now(tx));
	return err;
}

static void looked(const struct store_result *r, void *ctx)
{
	struct create *c = ctx;

	if (r->err) {
		service_refuse_store(&c->no, r->err);
		service_create_refuse(c);
	} else if (c->found[0]) {
		service_send_again(c);
	} else {
		service_create_go(c);
	}
}

static void look(struct create *c)
{
	const struct store_key key = {SERVICE_KIND_NUMBER,
				      c->wish.place.number_key};
	int err = store_change(c->sv->p.store, c->wish.place.partition, &key, 1,
			       apply_look, looked, c);

	if (err) {
		service_refuse_store(&c->no, err);
		service_create_refuse_soon(c);
	}
}

void service_send(struct service *sv, const struct service_create *req,
		  unsigned sends, service_sent_h *done, void *ctx)
{
	struct create *c;

	if (service_send_waits(sv, req, sends, done, ctx))
		return;
	c = service_create_new(sv, req, NULL, done, ctx);
	if (!c)
		return;
	c->sends = sends;
	look(c);
}
