// SPDX-License-Identifier: Apache-2.0
/*
 * hook_read.c - what was told of a verification, and telling it once more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/hook_priv.h"

enum { AT_VERIFICATION, AT_HOOK };

struct reading {
	struct service *sv;
	service_hook_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES], id[VERIFICATION_ID_BYTES];
	char event[STORE_CURSOR_BYTES]; /* "": all that were given up */
	struct service_place place;
	struct verification v;
	struct hook h;
	struct service_refusal no;
	int err;
};

static struct reading *reading_new(struct service *sv,
				   const struct service_who *who,
				   const char *id, service_hook_h *done,
				   void *ctx)
{
	struct reading *r = b_zero(1, sizeof(*r));

	r->sv = sv;
	r->done = done;
	r->ctx = ctx;
	memcpy(r->application, who->application, sizeof(r->application));
	(void)snprintf(r->id, sizeof(r->id), "%s", id ? id : "");
	service_place_find(sv->p.ring, r->application, r->id, &r->place);
	return r;
}

/* --- answers ---------------------------------------------------------------------- */

static void view_of(const char *id, const struct hook *h, const char *url,
		    struct service_hook_view *out)
{
	*out = (struct service_hook_view){
		.id = id,
		.url = url,
		.form = h->form,
		.state = h->state,
		.created_ms = h->created_ms,
		.next_ms = h->next_ms,
		.failures = h->failures,
		.tries = h->tries,
		.tries_count = h->tries_count,
	};
}

static void answer(struct reading *r)
{
	char url[VERIFICATION_URL_BYTES];
	struct service_hook_view view;

	service_hook_url(r->sv, &r->h, url);
	view_of(r->id, &r->h, url, &view);
	r->done(NULL, &view, r->ctx);
	verification_free(&r->v);
	free(r);
}

static void refuse(struct reading *r, int err)
{
	switch (err) {
	case -ENOENT:
		service_refuse(&r->no, "not_found", "",
			       "there is no such verification, or nobody is "
			       "told of it");
		break;
	case -ENODATA:
		service_refuse(&r->no, "invalid_field", "event",
			       "it has no such event");
		break;
	case -EBUSY:
		service_refuse(&r->no, "conflict", "event",
			       "%d events wait to be told once more already",
			       HOOK_AGAIN_MAX);
		break;
	default:
		service_refuse_store(&r->no, err);
	}
	r->done(&r->no, NULL, r->ctx);
	verification_free(&r->v);
	free(r);
}

static void refuse_on_line(void *ctx)
{
	struct reading *r = ctx;

	refuse(r, r->err);
}

static void refuse_soon(struct reading *r, int err)
{
	r->err = err;
	loop_call(r->sv->p.line, refuse_on_line, r);
}

/* --- reading ------------------------------------------------------------------------ */

static void got_hook(int err, const struct store_record *records, size_t n,
		     const char *next, void *ctx)
{
	struct reading *r = ctx;

	(void)next;
	if (!err && n)
		err = service_hook_unpack(records->value, &r->h);
	else if (!err)
		service_hook_first(&r->v, &r->h);
	if (err)
		refuse(r, err);
	else
		answer(r);
}

static void got_verification(int err, const struct store_record *records,
			     size_t n, const char *next, void *ctx)
{
	struct reading *r = ctx;

	(void)next;
	if (!err)
		err = n ? service_hook_owned(records->value, r->application,
					     &r->v)
			: -ENOENT;
	if (!err && !r->v.hook)
		err = -ENOENT;
	if (!err)
		err = store_get(r->sv->p.store, r->place.partition,
				SERVICE_KIND_HOOK, r->id, got_hook, r);
	if (err)
		refuse(r, err);
}

void service_hook_read(struct service *sv, const struct service_who *who,
		       const char *id, service_hook_h *done, void *ctx)
{
	struct reading *r = reading_new(sv, who, id, done, ctx);
	int err = -ENOENT;

	if (r->place.well_formed)
		err = store_get(sv->p.store, r->place.partition,
				SERVICE_KIND_VERIFICATION, r->id,
				got_verification, r);
	if (err)
		refuse_soon(r, err);
}

/* --- once more ------------------------------------------------------------------------ */

static int ask_again(struct hook *h, const char *event)
{
	for (size_t i = 0; i < h->again_count; i++)
		if (strcmp(h->again[i], event) == 0)
			return 0;
	if (h->again_count == HOOK_AGAIN_MAX)
		return -EBUSY;
	memcpy(h->again[h->again_count++], event, STORE_CURSOR_BYTES);
	return 0;
}

static int apply_again(struct store_tx *tx, void *ctx)
{
	struct reading *r = ctx;
	struct hook *h = &r->h;
	struct span record;
	int err;

	verification_free(&r->v);
	memset(&r->v, 0, sizeof(r->v));
	if (!store_tx_get(tx, AT_VERIFICATION, &record))
		return -ENOENT;
	err = service_hook_owned(record, r->application, &r->v);
	if (!err && !r->v.hook)
		err = -ENOENT;
	if (!err)
		err = service_hook_get(tx, AT_HOOK, &r->v, h);
	if (!err && r->event[0])
		err = ask_again(h, r->event);
	if (err)
		return err;
	if (!r->event[0] && h->state != SERVICE_HOOK_TOLD) {
		h->state = SERVICE_HOOK_WAITING;
		h->failures = 0;
	}
	h->next_ms = 0;
	if (h->gone) {
		h->gone = false;
		h->row++;
	}
	service_hook_put(tx, AT_HOOK, r->sv, &r->v, h);
	service_hook_push(tx, r->id, r->application, h->row);
	return 0;
}

static void look(void *ctx)
{
	struct service *sv = ctx;

	if (!atomic_load(&sv->ended))
		service_lease_hooks(sv);
	service_out_ended(sv);
}

static void asked_again(const struct store_result *res, void *ctx)
{
	struct reading *r = ctx;
	struct service *sv = r->sv;

	if (res->err) {
		refuse(r, res->err);
		return;
	}
	service_out_begin(sv);
	answer(r);
	loop_call(sv->p.line, look, sv);
	service_out_came_back(sv);
}

static int change(struct reading *r)
{
	const struct store_key keys[] = {
		[AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION, r->id},
		[AT_HOOK] = {SERVICE_KIND_HOOK, r->id},
	};

	return store_change(r->sv->p.store, r->place.partition, keys,
			    COUNT_OF(keys), apply_again, asked_again, r);
}

static void found_event(int err, const struct store_event *events, size_t n,
			void *ctx)
{
	struct reading *r = ctx;
	bool there = false;

	for (size_t i = 0; !err && i < n; i++)
		there |= strcmp(events[i].cursor, r->event) == 0;
	if (!err)
		err = there ? change(r) : -ENODATA;
	if (err)
		refuse(r, err);
}

/* Whose it is, is seen in the change: an event's id says nothing by itself. */
void service_hook_resend(struct service *sv, const struct service_who *who,
			 const char *id, const char *event,
			 service_hook_h *done, void *ctx)
{
	struct reading *r = reading_new(sv, who, id, done, ctx);
	int err = -ENOENT;

	if (event && strnlen(event, sizeof(r->event)) == sizeof(r->event))
		err = -ENODATA;
	else if (r->place.well_formed && event && *event)
		err = 0;
	else if (r->place.well_formed)
		err = change(r);
	if (!err && event && *event) {
		(void)snprintf(r->event, sizeof(r->event), "%s", event);
		err = store_follow(sv->p.store, r->id, "", STORE_PAGE_MAX,
				   found_event, r);
	}
	if (err)
		refuse_soon(r, err);
}

/* --- a page ------------------------------------------------------------------------------ */

struct listing {
	struct service *sv;
	service_hooks_h *done;
	void *ctx;
	struct service_refusal no;
};

static void refuse_page(void *ctx)
{
	struct listing *l = ctx;

	l->done(&l->no, NULL, 0, NULL, l->ctx);
	free(l);
}

/* What a page points at. */
struct page {
	struct hook *hooks;
	char (*urls)[VERIFICATION_URL_BYTES];
	struct service_hook_view *views;
};

static int page_read(struct listing *l, const struct store_record *records,
		     size_t n, struct page *p)
{
	int err = 0;

	p->hooks = b_zero(n + 1, sizeof(*p->hooks));
	p->urls = b_zero(n + 1, sizeof(*p->urls));
	p->views = b_zero(n + 1, sizeof(*p->views));
	for (size_t i = 0; i < n && !err; i++) {
		err = service_hook_unpack(records[i].value, &p->hooks[i]);
		if (err)
			break;
		service_hook_url(l->sv, &p->hooks[i], p->urls[i]);
		view_of(records[i].id, &p->hooks[i], p->urls[i], &p->views[i]);
	}
	return err;
}

static void listed(int err, const struct store_record *records, size_t n,
		   const char *next, void *ctx)
{
	struct listing *l = ctx;
	struct page p = {0};

	if (!err)
		err = page_read(l, records, n, &p);
	if (err == -EINVAL)
		service_refuse(&l->no, "invalid_field", "cursor",
			       "this is no cursor of ours");
	else if (err)
		service_refuse_store(&l->no, err);
	l->done(err ? &l->no : NULL, err ? NULL : p.views, err ? 0 : n,
		err ? NULL : next, l->ctx);
	free(p.hooks);
	free(p.urls);
	free(p.views);
	free(l);
}

static bool is_state(const char *text)
{
	for (int i = 0; i < SERVICE_HOOK_STATES; i++)
		if (strcmp(service_hook_state_text((enum service_hook_state)i),
			   text) == 0)
			return true;
	return false;
}

void service_hooks_list(struct service *sv, const struct service_hooks_query *q,
			service_hooks_h *done, void *ctx)
{
	struct listing *l = b_zero(1, sizeof(*l));
	const struct store_query query = {
		.kind = SERVICE_KIND_HOOK,
		.owner = q->who.application,
		.label = q->state,
		.limit = q->limit,
		.cursor = q->cursor,
	};
	int err = 0;

	l->sv = sv;
	l->done = done;
	l->ctx = ctx;
	if (q->state && !is_state(q->state)) {
		err = -EDOM;
		service_refuse(&l->no, "invalid_field", "state",
			       "told, waiting, failed, gone or off");
	} else {
		err = store_list(sv->p.store, &query, listed, l);
	}
	if (err == -EINVAL || err == -E2BIG)
		service_refuse(&l->no, "invalid_field", "limit",
			       "1 to %d items", STORE_PAGE_MAX);
	else if (err && err != -EDOM)
		service_refuse_store(&l->no, err);
	if (err)
		loop_call(sv->p.line, refuse_page, l);
}
