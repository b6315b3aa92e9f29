// SPDX-License-Identifier: Apache-2.0
/*
 * read.c - one verification, or a page of them, for whom they belong to.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

/* --- one ------------------------------------------------------------------------ */

struct reading {
	struct service *sv;
	service_done_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES];
	struct service_refusal no;
};

static void refuse(struct reading *r, int err)
{
	if (err == -ENOENT)
		service_refuse(&r->no, "not_found", "",
			       "there is no such verification");
	else
		service_refuse_store(&r->no, err);
	r->done(&r->no, NULL, r->ctx);
	free(r);
}

static void read_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct reading *r = ctx;
	struct verification v = {0};
	struct service_opened o;

	(void)next;
	if (!err)
		err = count ? verification_unpack(records->value, &v) : -ENOENT;
	if (!err && strcmp(v.application, r->application) != 0)
		err = -ENOENT;
	if (err) {
		verification_free(&v);
		refuse(r, err);
		return;
	}
	service_view_open(r->sv, &v, clock_wall_ms(r->sv->p.clock), &o);
	r->done(NULL, &o.view, r->ctx);
	verification_free(&v);
	free(r);
}

static void not_found(void *ctx)
{
	refuse(ctx, -ENOENT);
}

static void no_store(void *ctx)
{
	refuse(ctx, -EAGAIN);
}

void service_read(struct service *sv, const struct service_who *who,
		  const char *id, service_done_h *done, void *ctx)
{
	struct reading *r = b_zero(1, sizeof(*r));
	struct service_place place;

	r->sv = sv;
	r->done = done;
	r->ctx = ctx;
	memcpy(r->application, who->application, sizeof(r->application));
	service_place_find(sv->p.ring, r->application, id ? id : "", &place);
	if (!place.well_formed)
		loop_call(sv->p.line, not_found, r);
	else if (store_get(sv->p.store, place.partition,
			   SERVICE_KIND_VERIFICATION, id, read_done, r) != 0)
		loop_call(sv->p.line, no_store, r);
}

/* --- a page ------------------------------------------------------------------------ */

struct listing {
	struct service *sv;
	service_page_h *done;
	void *ctx;
	struct service_refusal no;
};

static void refuse_page(void *ctx)
{
	struct listing *l = ctx;

	l->done(&l->no, NULL, 0, NULL, l->ctx);
	free(l);
}

struct page {
	struct verification *v;
	struct service_opened *opened;
	struct service_view *views;
	size_t count;
};

static int page_read(struct listing *l, const struct store_record *records,
		     size_t count, struct page *p)
{
	int64_t now = clock_wall_ms(l->sv->p.clock);
	int err = 0;

	p->v = b_zero(count + 1, sizeof(*p->v));
	p->opened = b_zero(count + 1, sizeof(*p->opened));
	p->views = b_zero(count + 1, sizeof(*p->views));
	for (size_t i = 0; i < count && !err; i++) {
		err = verification_unpack(records[i].value, &p->v[i]);
		if (err)
			break;
		service_view_open(l->sv, &p->v[i], now, &p->opened[i]);
		p->views[i] = p->opened[i].view;
		p->count++;
	}
	return err;
}

static void page_free(struct page *p)
{
	for (size_t i = 0; i < p->count; i++)
		verification_free(&p->v[i]);
	free(p->v);
	free(p->opened);
	free(p->views);
}

static void list_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct listing *l = ctx;
	struct page p = {0};

	if (!err)
		err = page_read(l, records, count, &p);
	if (err == -EINVAL)
		service_refuse(&l->no, "invalid_field", "cursor",
			       "this is no cursor of ours");
	else if (err)
		service_refuse_store(&l->no, err);
	if (err) {
		page_free(&p);
		refuse_page(l);
		return;
	}
	l->done(NULL, p.views, p.count, next, l->ctx);
	page_free(&p);
	free(l);
}

bool service_number_hash(struct service *sv, const char *to,
			 char out[KEYRING_HASH_BYTES],
			 struct service_refusal *no)
{
	struct service_box *box = service_rules_take(sv);
	struct diag why = {0};
	struct number n;
	bool good = number_sandbox(span_of(to), &n) ||
		    number_parse(span_of(to), box->rules->plan, &n, &why) ==
			    NUMBER_OK;

	service_rules_drop(box);
	if (good)
		keyring_hash_number(sv->p.ring, n.e164, out);
	else
		service_refuse(no, "number_invalid", "to", "%s", why.message);
	return good;
}

static bool ask_list(struct listing *l, const struct service_query *q)
{
	char hash[KEYRING_HASH_BYTES] = "";
	const struct store_query query = {
		.kind = SERVICE_KIND_VERIFICATION,
		.owner = q->who.application,
		.hash = q->to ? hash : NULL,
		.label = q->status,
		.group = q->country,
		.since_ms = q->since_ms,
		.until_ms = q->until_ms,
		.limit = q->limit ? q->limit : 50,
		.cursor = q->cursor,
	};
	int err;

	if (q->to && !service_number_hash(l->sv, q->to, hash, &l->no))
		return false;
	err = store_list(l->sv->p.store, &query, list_done, l);
	if (err == -EINVAL || err == -E2BIG)
		service_refuse(&l->no, "invalid_field", "limit",
			       "1 to %d items", STORE_PAGE_MAX);
	else if (err)
		service_refuse_store(&l->no, err);
	return !err;
}

void service_list(struct service *sv, const struct service_query *q,
		  service_page_h *done, void *ctx)
{
	struct listing *l = b_zero(1, sizeof(*l));

	l->sv = sv;
	l->done = done;
	l->ctx = ctx;
	if (!ask_list(l, q))
		loop_call(sv->p.line, refuse_page, l);
}
