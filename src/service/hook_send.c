// SPDX-License-Identifier: Apache-2.0
/*
 * hook_send.c - one verification's events are told, one after the other.
 *
 * Its row in the queue is leased, the next event behind the cursor is read and
 * sent; what became of it is written under the fence of the lease, and the lease
 * goes on with the same change, so a crash repeats the event that was under way
 * and no other.  When nothing is left the row goes back to rest.  An event may
 * have come between the last look and that change, and found the row leased; so
 * there is one more look behind it.
 *
 * The row is given up when the verification is over, no call of it is left, and
 * a look after that was known has found nothing: then no event can come.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/hook_priv.h"
#include "web/outbound.h"

enum { AT_VERIFICATION, AT_HOOK };

/* What was found, told, and is to be written down. */
enum outcome {
	NOTHING_LEFT,
	TRIED,
	NO_ADDRESS,
	TOO_EARLY, /* a pause, or no place: until not_before_ms */
	NO_EVENT,  /* that was asked for once more: its time is over */
};

struct telling {
	struct link link;
	struct service *sv;
	struct store_lease lease;
	char id[VERIFICATION_ID_BYTES];
	struct verification v;
	struct hook h;
	const struct service_hook_form *form;
	/* the event */
	struct service_hook_try try;
	int64_t time_ms;
	char *json; /* NULL: there is none */
	size_t json_n;
	bool again; /* it is told once more */
	char passed
		[STORE_CURSOR_BYTES]; /* events that the form does not tell */

	enum outcome outcome;
	int64_t not_before_ms;
	bool last_look; /* nothing was left after its end was known */
	bool looked;    /* what the change makes of it: apply may run again */
	bool goes_on, looks_again, there;
	struct hook_place place;
	struct outbound_call *call;
	int err;
	struct post post;
};

static void find_next(struct telling *t);

static bool is_cut(const struct telling *t)
{
	return atomic_load(&t->sv->ended);
}

/* --- the end -------------------------------------------------------------------- */

static void forget_event(struct telling *t)
{
	free(t->json);
	t->json = NULL;
}

static void end(struct telling *t)
{
	struct service *sv = t->sv;

	service_hook_place_drop(sv->hooks, &t->place);
	forget_event(t);
	verification_free(&t->v);
	ll_remove(&t->link);
	free(t);
	service_hooks_unused(sv, 1);
}

/* --- writing it down -------------------------------------------------------------- */

static void rest(struct store_tx *tx, struct telling *t, int64_t until_ms)
{
	store_tx_push(tx, &(struct store_push){
				  .lane = STORE_HOOKS,
				  .id = t->lease.id,
				  .ref = t->lease.ref,
				  .not_before_ms = until_ms,
			  });
	t->goes_on = false;
}

/* The same lease, for as long again. */
static void hold(struct store_tx *tx, struct telling *t)
{
	store_tx_push(tx, &(struct store_push){
				  .lane = STORE_HOOKS,
				  .id = t->lease.id,
				  .ref = t->lease.ref,
				  .not_before_ms = store_tx_now(tx),
				  .lease_ms = SERVICE_HOOK_LEASE_MS,
			  });
	t->goes_on = true;
}

static void drop_again(struct hook *h)
{
	h->again_failures = 0;
	if (h->again_count == 0)
		return;
	h->again_count--;
	memmove(h->again, h->again + 1, h->again_count * sizeof(h->again[0]));
}

static void told(struct hook *h, const struct telling *t)
{
	if (t->again) {
		drop_again(h);
		return;
	}
	memcpy(h->cursor, t->try.event, sizeof(h->cursor));
	h->state = SERVICE_HOOK_TOLD;
	h->failures = 0;
	h->next_ms = 0;
}

static void give_up(struct hook *h, const struct telling *t,
		    enum service_hook_state how)
{
	if (t->form->goes_on && how == SERVICE_HOOK_FAILED) {
		told(h, t);
		return;
	}
	h->state = how;
	h->next_ms = 0;
}

/* It may be tried again, once more: after a while. */
static void failed(struct hook *h, const struct telling *t, int64_t now)
{
	const struct service_hook_form *form = t->form;
	unsigned n = t->again ? h->again_failures++ : h->failures++;

	h->next_ms = 0;
	if (t->try.status == HTTP_GONE && !t->again) {
		give_up(h, t, SERVICE_HOOK_GONE);
	} else if (t->again && n + 1 >= HOOK_AGAIN_TRIES) {
		drop_again(h);
	} else if (n < form->pauses_count) {
		h->next_ms = now + form->pauses_ms[n];
		if (!t->again)
			h->state = SERVICE_HOOK_WAITING;
	} else {
		give_up(h, t, SERVICE_HOOK_FAILED);
	}
}

static void write_try(struct store_tx *tx, struct telling *t)
{
	struct hook *h = &t->h;

	service_hook_note(h, &t->try);
	if (t->try.told)
		told(h, t);
	else
		failed(h, t, store_tx_now(tx));
	if (h->next_ms)
		rest(tx, t, h->next_ms);
	else
		hold(tx, t);
}

/* Is nothing more to come, ever? */
static bool is_over(const struct verification *v)
{
	return outcome_status_final(v->status) && !service_is_calling(v);
}

static void write_nothing_left(struct store_tx *tx, struct telling *t)
{
	struct hook *h = &t->h;

	if (h->again_count > 0 || (t->last_look && !is_over(&t->v))) {
		t->looked = false;
		hold(tx, t);
	} else if (!is_over(&t->v)) {
		rest(tx, t, store_tx_now(tx) + HOOK_IDLE_MS);
		t->looks_again = !service_hook_ended(h);
	} else if (!t->last_look) {
		t->looked = true;
		hold(tx, t);
	} else {
		h->gone = true;
		store_tx_ack(tx, t->lease.id);
		t->goes_on = false;
	}
}

static void write_outcome(struct store_tx *tx, struct telling *t)
{
	switch (t->outcome) {
	case TRIED:
		write_try(tx, t);
		break;
	case NOTHING_LEFT:
		write_nothing_left(tx, t);
		break;
	case NO_ADDRESS:
		t->h.state = SERVICE_HOOK_OFF;
		hold(tx, t);
		break;
	case TOO_EARLY:
		rest(tx, t, t->not_before_ms);
		break;
	case NO_EVENT:
		drop_again(&t->h);
		hold(tx, t);
		break;
	}
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct telling *t = ctx;
	struct span record;
	int err = 0;

	t->goes_on = t->looks_again = false;
	t->looked = t->last_look;
	store_tx_fence(tx, t->lease.id, t->lease.fence);
	verification_free(&t->v);
	memset(&t->v, 0, sizeof(t->v));
	t->there = store_tx_get(tx, AT_VERIFICATION, &record);
	if (!t->there) { /* erased, or its time is over */
		store_tx_delete(tx, AT_HOOK);
		store_tx_ack(tx, t->lease.id);
		return 0;
	}
	err = verification_unpack(record, &t->v);
	if (!err)
		err = service_hook_get(tx, AT_HOOK, &t->v, &t->h);
	if (err)
		return err;
	if (t->passed[0])
		memcpy(t->h.cursor, t->passed, sizeof(t->h.cursor));
	write_outcome(tx, t);
	if (t->outcome != TOO_EARLY || t->passed[0])
		service_hook_put(tx, AT_HOOK, t->sv, &t->v, &t->h);
	return 0;
}

/* --- one more look ------------------------------------------------------------------ */

static int apply_nudge(struct store_tx *tx, void *ctx)
{
	struct telling *t = ctx;

	service_hook_push(tx, t->id, t->v.application, t->h.row);
	return 0;
}

static void nudged_posted(void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	end(t);
	if (!atomic_load(&sv->ended))
		service_lease_hooks(sv);
	service_out_ended(sv);
}

static void nudged(const struct store_result *r, void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	(void)r; /* at worst it is looked at much later */
	loop_post(sv->p.line, &t->post, nudged_posted, t);
	service_out_came_back(sv);
}

static void looked(int err, const struct store_event *events, size_t count,
		   void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	(void)events;
	if (!err && count > 0)
		err = store_change(sv->p.store, t->lease.partition, NULL, 0,
				   apply_nudge, nudged, t);
	else
		err = err ? err : -ENODATA;
	if (err)
		nudged(&(struct store_result){.err = err}, t);
}

static void look_again(struct telling *t)
{
	int err;

	service_out_begin(t->sv);
	err = store_follow(t->sv->p.store, t->id, t->h.cursor, 1, looked, t);
	if (err)
		looked(err, NULL, 0, t);
}

/* --- written -------------------------------------------------------------------------- */

static void count(struct telling *t)
{
	struct service_hooks *all = t->sv->hooks;

	if (t->outcome == TRIED && t->try.told)
		atomic_fetch_add(&all->figures.told, 1);
	else if (t->outcome == TRIED && service_hook_ended(&t->h))
		atomic_fetch_add(&all->figures.ends[t->h.state], 1);
	if (t->outcome == TRIED && !t->try.told)
		log_info("webhook.failed", "id", LOG_S(t->id), "event",
			 LOG_S(t->try.type), "status", LOG_I(t->try.status),
			 "fault", LOG_S(t->try.fault), "state",
			 LOG_S(service_hook_state_text(t->h.state)), NULL);
}

static void written_posted(void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	if (is_cut(t) || t->err || !t->there) {
		/* on any error the lease runs out, and it comes again */
		end(t);
	} else {
		count(t);
		t->passed[0] = '\0';
		t->last_look = t->looked;
		forget_event(t);
		if (t->looks_again) {
			look_again(t);
		} else if (t->goes_on && !atomic_load(&sv->draining)) {
			t->lease.fence++;
			find_next(t);
		} else {
			end(t);
		}
	}
	service_out_ended(sv);
}

static void written(const struct store_result *r, void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	t->err = r->err;
	loop_post(sv->p.line, &t->post, written_posted, t);
	service_out_came_back(sv);
}

static void write_down(struct telling *t, enum outcome how)
{
	const struct store_key keys[] = {
		[AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION, t->id},
		[AT_HOOK] = {SERVICE_KIND_HOOK, t->id},
	};
	int err;

	t->outcome = how;
	service_hook_place_drop(t->sv->hooks, &t->place);
	service_out_begin(t->sv);
	err = store_change(t->sv->p.store, t->lease.partition, keys,
			   COUNT_OF(keys), apply, written, t);
	if (err)
		written(&(struct store_result){.err = err}, t);
}

static void wait_until(struct telling *t, int64_t when_ms)
{
	t->not_before_ms = when_ms;
	write_down(t, TOO_EARLY);
}

/* --- sending ---------------------------------------------------------------------------- */

static void answered(const struct outbound_answer *a, void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	t->call = NULL;
	atomic_fetch_sub(&sv->hooks->figures.running, 1);
	t->try.took_ms = a->took_ms;
	t->try.status = a->status;
	if (a->fault != OUTBOUND_ANSWERED)
		(void)snprintf(t->try.fault, sizeof(t->try.fault), "%s",
			       outbound_fault_text(a->fault));
	t->try.told = a->fault == OUTBOUND_ANSWERED && a->status / 100 == 2;
	if (!t->try.told)
		atomic_fetch_add(&sv->hooks->figures.failed, 1);
	if (a->fault == OUTBOUND_CLOSED)
		end(t); /* that is our end, not the receiver's fault */
	else
		write_down(t, TRIED);
	service_out_ended(sv);
}

static void ask(struct telling *t, const struct service_hook_message *m,
		const char *url)
{
	struct outbound_header headers[SERVICE_HOOK_HEADERS_MAX + 1] = {0};
	const struct outbound_request r = {
		.method = m->method ? m->method : "POST",
		.url = m->url[0] ? m->url : url,
		.headers = headers,
		.body = buf_view(&m->body),
	};
	struct service *sv = t->sv;

	for (size_t i = 0; i < m->headers_count; i++)
		headers[i] =
			(struct outbound_header){.name = m->headers[i].name,
						 .value = m->headers[i].value};
	t->try.time_ms = clock_wall_ms(sv->p.clock);
	atomic_fetch_add(&sv->hooks->figures.tries, 1);
	atomic_fetch_add(&sv->hooks->figures.running, 1);
	service_out_begin(sv);
	service_out_came_back(sv); /* it does not come by the store */
	outbound_send(sv->p.outbound, &r, sv->p.line, answered, t, &t->call);
}

static int make(struct telling *t, const char *url,
		struct service_hook_message *m)
{
	struct service_hook_secrets secrets;
	struct service_opened opened;
	struct service_hook_event e = {
		.id = t->try.webhook_id,
		.type = t->try.type,
		.json = span_make(t->json, t->json_n),
		.time_ms = t->time_ms,
		.now_ms = clock_wall_ms(t->sv->p.clock),
		.url = url,
		.view = &opened.view,
		.secrets = &secrets,
	};
	AUTO_BUF(key, VERIFICATION_HOOK_KEY_MAX);
	int err = service_hook_secrets(t->sv, t->v.application, &secrets);

	if (err)
		return err;
	err = service_hook_key_open(t->sv->p.ring, &t->v, &key);
	e.key = buf_view(&key);
	service_view_open(t->sv, &t->v, e.now_ms, &opened);
	if (!err)
		err = t->form->make(&e, m);
	if (key.p)
		crypto_wipe(key.p, key.cap);
	service_hook_secrets_wipe(&secrets);
	crypto_wipe(opened.to, sizeof(opened.to));
	return err;
}

static void tell(struct telling *t)
{
	struct service_hook_message m = {
		.body = {.max = SERVICE_HOOK_BODY_MAX}};
	char url[VERIFICATION_URL_BYTES];
	int64_t wait_ms;
	int err;

	service_hook_url(t->sv, &t->h, url);
	if (!url[0]) {
		write_down(t, NO_ADDRESS);
		return;
	}
	wait_ms = service_hook_place_take(t->sv->hooks, t->v.application, url,
					  &t->place);
	if (wait_ms) {
		service_hooks_look_in(t->sv, wait_ms);
		wait_until(t, clock_wall_ms(t->sv->p.clock) + wait_ms);
		return;
	}
	err = make(t, url, &m);
	if (err) {
		log_error("webhook.not_made", "id", LOG_S(t->id), "errno",
			  LOG_I(-err), NULL);
		(void)snprintf(t->try.fault, sizeof(t->try.fault), "not_made");
		t->try.time_ms = clock_wall_ms(t->sv->p.clock);
		write_down(t, TRIED);
	} else {
		ask(t, &m, url);
	}
	buf_free(&m.body);
}

/* --- the next event ------------------------------------------------------------------------ */

/* On the store's thread, as all up to found_posted(). */
static void keep_event(struct telling *t, const struct store_event *e)
{
	forget_event(t);
	memset(&t->try, 0, sizeof(t->try));
	memcpy(t->try.event, e->cursor, sizeof(t->try.event));
	(void)snprintf(t->try.type, sizeof(t->try.type), "%s", e->type);
	service_hook_id(t->id, e->cursor, t->try.webhook_id);
	t->time_ms = e->time_ms;
	t->json = b_strndup(e->json.p, e->json.n);
	t->json_n = e->json.n;
}

static void found_posted(void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	if (is_cut(t) || atomic_load(&sv->draining) ||
	    (t->err && t->err != -ENODATA)) {
		end(t);
	} else if (t->err == -ENODATA) {
		write_down(t, t->again ? NO_EVENT : NOTHING_LEFT);
	} else if (!t->again && !t->form->tells(t->try.type)) {
		memcpy(t->passed, t->try.event, sizeof(t->passed));
		memcpy(t->h.cursor, t->try.event, sizeof(t->h.cursor));
		find_next(t);
	} else {
		tell(t);
	}
	service_out_ended(sv);
}

static void found(int err, const struct store_event *events, size_t n,
		  void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	t->err = err ? err : -ENODATA;
	for (size_t i = 0; !err && i < n; i++) {
		if (t->again && strcmp(events[i].cursor, t->h.again[0]) != 0)
			continue;
		keep_event(t, &events[i]);
		t->err = 0;
		break;
	}
	loop_post(sv->p.line, &t->post, found_posted, t);
	service_out_came_back(sv);
}

static void find_next(struct telling *t)
{
	struct store *st = t->sv->p.store;
	int64_t now = clock_wall_ms(t->sv->p.clock);
	int err;

	if (t->h.next_ms > now) {
		wait_until(t, t->h.next_ms);
		return;
	}
	t->again = t->h.again_count > 0;
	if (!t->again && service_hook_ended(&t->h)) {
		write_down(t, NOTHING_LEFT);
		return;
	}
	service_out_begin(t->sv);
	/* one that is told once more is looked for among all: they are few */
	err = t->again ? store_follow(st, t->id, "", STORE_PAGE_MAX, found, t)
		       : store_follow(st, t->id, t->h.cursor, 1, found, t);
	if (err)
		found(err, NULL, 0, t);
}

/* --- beginning -------------------------------------------------------------------------------- */

static void begin(void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	if (is_cut(t) || t->err) {
		end(t);
	} else if (!t->there) {
		write_down(t, NOTHING_LEFT); /* to be forgotten */
	} else {
		t->form = service_hook_form_find(t->h.form);
		if (t->form)
			find_next(t);
		else
			end(t); /* a newer version's */
	}
	service_out_ended(sv);
}

static void got_hook(int err, const struct store_record *records, size_t n,
		     const char *next, void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	(void)next;
	if (!err && n)
		err = service_hook_unpack(records->value, &t->h);
	else if (!err)
		service_hook_first(&t->v, &t->h);
	t->err = err;
	loop_post(sv->p.line, &t->post, begin, t);
	service_out_came_back(sv);
}

static void got_verification(int err, const struct store_record *records,
			     size_t n, const char *next, void *ctx)
{
	struct telling *t = ctx;

	(void)next;
	t->there = n > 0;
	if (!err && n)
		err = verification_unpack(records->value, &t->v);
	if (!err)
		err = store_get(t->sv->p.store, t->lease.partition,
				SERVICE_KIND_HOOK, t->id, got_hook, t);
	if (err)
		got_hook(err, NULL, 0, NULL, t);
}

void service_hooks_tell(struct service *sv, const struct store_lease *lease)
{
	struct telling *t;
	struct span rest_of = span_of(lease->ref), id;
	int err;

	if (atomic_load(&sv->ended)) {
		service_hooks_unused(sv, 1);
		return;
	}
	t = b_zero(1, sizeof(*t));
	t->sv = sv;
	t->lease = *lease;
	(void)span_cut(&rest_of, ' ', &id);
	(void)snprintf(t->id, sizeof(t->id), "%.*s", (int)id.n, id.p);
	ll_append(&sv->hooks->tellings, &t->link);
	atomic_store(&sv->hooks->used, true);
	service_out_begin(sv);
	err = store_get(sv->p.store, lease->partition,
			SERVICE_KIND_VERIFICATION, t->id, got_verification, t);
	if (err)
		got_hook(err, NULL, 0, NULL, t);
}

/* --- the end of all ----------------------------------------------------------------------------- */

static void stop(void *ctx)
{
	service_hooks_stop(ctx);
}

void service_hooks_drain(struct service *sv)
{
	timer_set(loop_timers(sv->p.line), &sv->hooks->last, HOOK_DRAIN_MS,
		  stop, sv);
}

/* Their leases run out, or end with the process: it is tried again then. */
void service_hooks_stop(struct service *sv)
{
	timer_stop(loop_timers(sv->p.line), &sv->hooks->busy);
	timer_stop(loop_timers(sv->p.line), &sv->hooks->last);
	ll_each_safe (at, &sv->hooks->tellings) {
		struct telling *t = ll_entry(at, struct telling, link);

		if (!t->call)
			continue; /* the store's answer brings it back */
		outbound_cancel(KEEP(t->call));
		atomic_fetch_sub(&sv->hooks->figures.running, 1);
		end(t);
		service_out_ended(sv);
	}
}
