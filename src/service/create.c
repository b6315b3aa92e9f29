// SPDX-License-Identifier: Apache-2.0
/*
 * create.c - a new verification: asked for, allowed, stored, queued, answered.
 *
 * One change writes the record, its code's slot, the counters, the queued call
 * and the event, so an answer of 201 is a promise that is already kept.  With
 * an Idempotency-Key a claim goes first: it fixes the id, and the create is
 * "with this id, if absent".  Whoever repeats the request, at once or after a
 * crash, runs the same create on the same id and so gets the same answer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tlv.h"
#include "service/create_priv.h"

enum { CLAIM_HASH = 1, CLAIM_ID, CLAIM_TIME, CLAIM_KEPT };

static void drop_slot(struct create *c)
{
	if (c->slot)
		service_slots_drop(c->sv, 1);
	c->slot = false;
}

void service_create_free(struct create *c)
{
	drop_slot(c);
	service_wish_free(&c->wish);
	service_pair_free(&c->pair);
	free(c);
}

/* --- answers ------------------------------------------------------------------- */

/* The first call, where a vendor's client is told its id. */
static void first_call_as_made(struct verification *v)
{
	struct verification_leg *leg = &v->legs[0], was = *leg;

	*leg = (struct verification_leg){.state = VERIFICATION_LEG_QUEUED,
					 .queued_ms = was.queued_ms,
					 .price_micro = was.price_micro};
	memcpy(leg->id, was.id, sizeof(leg->id));
}

/* As it was when it was made, also for a repeat: D2, the same answer. */
static void as_made(struct verification *v)
{
	v->status = STATUS_PENDING;
	v->legs_count = v->short_id && v->legs_count > 0;
	first_call_as_made(v);
	v->wrong = 0;
	v->approved_by_keypad = false;
	v->ended_ms = v->answered_ms = v->deliverable_ms = 0;
	v->expires_ms = v->created_ms + v->ttl_ms;
}

static void tell(struct create *c, const struct service_refusal *no,
		 const struct service_view *view)
{
	if (c->sent)
		c->sent(no, view, false, c->ctx);
	else
		c->done(no, view, c->ctx);
}

static void answer(struct create *c)
{
	struct verification shown = c->pair.v;
	char code[CODE_BYTES] = "";
	struct service_opened o;

	as_made(&shown);
	service_view_open(c->sv, &shown, c->now, &o);
	if (shown.method_allowed == VERIFICATION_BY_KEYPAD &&
	    service_code(c->sv->p.ring, &shown, code) == 0)
		o.view.code = code;
	tell(c, NULL, &o.view);
	crypto_wipe(code, sizeof(code));
}

void service_create_refuse(struct create *c)
{
	atomic_fetch_add(&c->sv->figures.refused, 1);
	tell(c, &c->no, NULL);
	service_create_free(c);
}

static void refuse_on_line(void *ctx)
{
	service_create_refuse(ctx);
}

/* A handler is never run from inside the request. */
void service_create_refuse_soon(struct create *c)
{
	loop_call(c->sv->p.line, refuse_on_line, c);
}

/* --- the claim ------------------------------------------------------------------- */

static int claim_read(struct span record, struct create_claim *out)
{
	struct tlv f;
	int n = 0, err = 0;

	*out = (struct create_claim){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		switch (f.tag) {
		case CLAIM_HASH:
			err = tlv_get_bytes(&f, out->body, sizeof(out->body));
			break;
		case CLAIM_ID:
			err = tlv_get_text(&f, out->id, sizeof(out->id));
			break;
		case CLAIM_TIME:
			err = tlv_get_int(&f, &out->time_ms);
			break;
		case CLAIM_KEPT:
			err = tlv_get_int(&f, &out->kept);
			break;
		default:
			break;
		}
	return err ? err : n;
}

static void claim_write(struct store_tx *tx, const struct create_claim *c)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	tlv_bytes(&record, CLAIM_HASH, c->body, sizeof(c->body));
	tlv_text(&record, CLAIM_ID, c->id);
	tlv_int(&record, CLAIM_TIME, c->time_ms);
	tlv_int(&record, CLAIM_KEPT, c->kept);
	store_tx_put(tx, 0, buf_view(&record),
		     &(struct store_index){
			     .expires_ms = c->time_ms + SERVICE_IDEMPOTENCY_MS,
		     });
}

static bool claim_find(struct store_tx *tx, struct create_claim *out)
{
	struct span record;

	return store_tx_get(tx, 0, &record) && claim_read(record, out) == 0 &&
	       out->time_ms + SERVICE_IDEMPOTENCY_MS > store_tx_now(tx);
}

static int claim_change(struct create *c, store_apply_h *apply,
			store_done_h *done)
{
	const struct store_key key = {SERVICE_KIND_CLAIM, c->claim_id};

	return store_change(c->sv->p.store, c->claim_partition, &key, 1, apply,
			    done, c);
}

static int apply_forget(struct store_tx *tx, void *ctx)
{
	struct create *c = ctx;
	struct create_claim now;

	if (claim_find(tx, &now) && strcmp(now.id, c->claim.id) == 0 &&
	    !now.kept)
		store_tx_delete(tx, 0);
	return 0;
}

static int alias_change(struct create *c, store_apply_h *apply,
			store_done_h *done)
{
	const struct store_key key = {SERVICE_KIND_ALIAS, c->alias_id};

	return store_change(c->sv->p.store, c->alias_partition, &key, 1, apply,
			    done, c);
}

/* With a claim, a repeat may make what it leads to. */
static int apply_unname(struct store_tx *tx, void *ctx)
{
	(void)ctx;
	store_tx_delete(tx, 0);
	return 0;
}

/* Best effort: a claim that stays only makes a repeat run this create. */
static void forgotten(const struct store_result *r, void *ctx)
{
	(void)r;
	service_create_refuse(ctx);
}

static void refuse_and_forget(struct create *c)
{
	int err = -ENOENT;

	if (c->claims)
		err = claim_change(c, apply_forget, forgotten);
	else if (c->alias_id[0])
		err = alias_change(c, apply_unname, forgotten);
	if (err)
		service_create_refuse(c);
}

static int apply_keep(struct store_tx *tx, void *ctx)
{
	struct create *c = ctx;
	struct create_claim now;

	if (!claim_find(tx, &now)) {
		now = c->claim;
		now.time_ms = store_tx_now(tx);
	}
	if (strcmp(now.id, c->claim.id) != 0)
		return 0;
	now.kept = 1;
	claim_write(tx, &now);
	return 0;
}

/* --- the record -------------------------------------------------------------------- */

/* A sandbox number is not held by what happened to it before; what is live can
 * still be sent again, as far as there is room. */
static void open_sandbox(struct verification_number *n)
{
	verification_unlock(n);
	n->paused_until_ms = 0;
	verification_live_yield(n);
}

static bool allowed(struct create *c, const struct verification_number *n)
{
	struct service_wish *w = &c->wish;

	if (service_ask_past(n, c->now, &w->ask))
		policy_ask(&w->rules->rules->policy, &w->ask, &w->answer);
	return service_allowed(&w->answer, &c->no);
}

static void write(struct store_tx *tx, struct create *c)
{
	struct verification *v = &c->pair.v;
	struct verification_leg *leg;

	service_call_id_of(v, c->call_id);
	leg = verification_add_leg(v, c->call_id, c->now);
	leg->price_micro = c->wish.answer.price_call;
	service_reserve(tx, &c->wish.answer);
	service_own_reserve(tx, &c->wish.own);
	store_tx_push(tx, &(struct store_push){
				  .lane = STORE_CALLS,
				  .id = leg->id,
				  .ref = v->id,
				  .not_before_ms = c->now,
				  .lease_ms = c->slot ? SERVICE_LEASE_MS : 0,
			  });
	service_timer_push(tx, v);
	service_event(tx, v, outcome_event_text(EVENT_CREATED), NULL, c->now);
	service_pair_write(tx, c->sv, true, &c->pair);
}

static int apply_create(struct store_tx *tx, void *ctx)
{
	struct create *c = ctx;
	struct service_pair *p = &c->pair;
	enum verification_refusal why;
	int64_t retry_ms = 0;
	int err = service_pair_read(tx, true, p);

	c->now = store_tx_now(tx);
	c->repeat = p->found;
	if (err || p->found)
		return err;
	if (service_send_finds(c, &p->n, c->now))
		return -EALREADY;
	if (c->wish.v.sandbox)
		open_sandbox(&p->n);
	if (!allowed(c, &p->n))
		return -EPERM;
	p->v = verification_copy(&c->wish.v);
	why = verification_create(&p->v, &p->n, c->now, &retry_ms);
	if (why != VERIFICATION_FINE) {
		service_refuse_create(&c->no, why, retry_ms);
		return -EPERM;
	}
	write(tx, c);
	return 0;
}

static void start_call(struct create *c)
{
	struct store_lease lease = {.partition = c->wish.place.partition,
				    .fence = 1};

	memcpy(lease.id, c->call_id, sizeof(c->call_id));
	memcpy(lease.ref, c->pair.v.id, sizeof(c->pair.v.id));
	c->slot = false;
	service_deliver(c->sv, &lease, &c->pair.v);
}

static void finish(struct create *c)
{
	answer(c);
	if (!c->repeat && c->slot)
		start_call(c);
	service_create_free(c);
}

static void kept(const struct store_result *r, void *ctx)
{
	(void)r; /* the record is there, whatever became of the claim */
	finish(ctx);
}

static void created(const struct store_result *r, void *ctx)
{
	struct create *c = ctx;

	if (r->err == -EALREADY) { /* somebody else was first: send.c */
		drop_slot(c);
		service_send_again(c);
		return;
	}
	if (r->err == -EDQUOT)
		service_refuse_counter(&c->no, &c->wish.answer, &c->wish.own,
				       r);
	else if (r->err && r->err != -EPERM)
		service_refuse_store(&c->no, r->err);
	if (r->err) {
		refuse_and_forget(c);
		return;
	}
	if (!c->repeat)
		atomic_fetch_add(&c->sv->figures.created, 1);
	if (c->repeat || !c->duplicate ||
	    claim_change(c, apply_keep, kept) != 0)
		finish(c);
}

static void submit(struct create *c)
{
	struct verification *v = &c->wish.v;
	const struct store_key keys[] = {
		[SERVICE_AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION, v->id},
		[SERVICE_AT_NUMBER] = {SERVICE_KIND_NUMBER,
				       c->wish.place.number_key},
		[SERVICE_AT_PHONE] = {SERVICE_KIND_PHONE,
				      c->wish.place.phone_key},
	};
	int err = service_number_seal(c->sv->p.ring, c->wish.number.e164, v);

	if (!err)
		err = service_given_seal(c->sv, &c->wish);
	c->slot = service_slot_take(c->sv);
	if (!err)
		err = store_change(c->sv->p.store, c->wish.place.partition,
				   keys, COUNT_OF(keys), apply_create, created,
				   c);
	if (err) {
		service_refuse_store(&c->no, err);
		service_create_refuse_soon(c);
	}
}

/* --- the alias before it ----------------------------------------------------------------- */

static int apply_alias(struct store_tx *tx, void *ctx)
{
	struct create *c = ctx;

	service_alias_write(tx, c->sv, c->wish.v.id);
	return 0;
}

static void named(const struct store_result *r, void *ctx)
{
	struct create *c = ctx;

	if (r->err == 0) {
		submit(c);
		return;
	}
	service_refuse_store(&c->no, r->err);
	service_create_refuse(c);
}

/* Where it is found by its short id, what leads to it is there first: after a
 * crash in between it leads to nothing, and nobody was told of it. */
static void name_it(struct create *c)
{
	char short_id[SERVICE_SHORT_BYTES];
	unsigned leg;
	int err;

	if (!c->wish.v.short_id) {
		submit(c);
		return;
	}
	service_short_id(c->wish.v.id, short_id);
	err = service_short_split(short_id, c->alias_id, &c->alias_partition,
				  &leg);
	if (!err)
		err = alias_change(c, apply_alias, named);
	if (err) {
		service_refuse_store(&c->no, err);
		service_create_refuse_soon(c);
	}
}

/* --- the claim first ------------------------------------------------------------------ */

static int apply_claim(struct store_tx *tx, void *ctx)
{
	struct create *c = ctx;
	struct create_claim now;

	c->duplicate = claim_find(tx, &now);
	if (!c->duplicate) {
		c->claim.time_ms = store_tx_now(tx);
		claim_write(tx, &c->claim);
		return 0;
	}
	if (!crypto_equal(now.body, c->claim.body, sizeof(now.body)))
		return -EEXIST;
	memcpy(c->wish.v.id, now.id, sizeof(now.id));
	return 0;
}

static void claimed(const struct store_result *r, void *ctx)
{
	struct create *c = ctx;

	if (r->err == 0) {
		memcpy(c->claim.id, c->wish.v.id, sizeof(c->claim.id));
		name_it(c);
		return;
	}
	if (r->err == -EEXIST)
		service_refuse(&c->no, "idempotency_mismatch",
			       "Idempotency-Key",
			       "this key was used with another body");
	else
		service_refuse_store(&c->no, r->err);
	service_create_refuse(c);
}

static void claim_name(struct create *c, const struct service_create *req)
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	AUTO_BUF(text, SERVICE_RECORD_MAX);

	/* lengths in front, so that no two keys make one text */
	tlv_text(&text, 1, req->who.application);
	tlv_text(&text, 2, req->who.key_id);
	tlv_text(&text, 3, req->idempotency_key);
	crypto_sha256(text.p, text.n, hash);
	crypto_hex(hash, sizeof(hash), c->claim_id);
	c->claim_partition = hash[0];
	memcpy(c->claim.body, req->body_hash, sizeof(c->claim.body));
	c->claims = true;
}

static bool claim_key_fits(const struct service_create *req,
			   struct service_refusal *no)
{
	size_t n =
		strnlen(req->idempotency_key, SERVICE_IDEMPOTENCY_KEY_MAX + 1);

	if (n > 0 && n <= SERVICE_IDEMPOTENCY_KEY_MAX && req->body_hash)
		return true;
	service_refuse(no, "invalid_field", "Idempotency-Key",
		       "a key has 1 to %d bytes", SERVICE_IDEMPOTENCY_KEY_MAX);
	return false;
}

static bool served(const struct create *c, struct service_refusal *no)
{
	struct service_routes routes;

	service_routes_find(c->sv, c->wish.rules->rules, c->wish.number.e164,
			    &routes);
	if (routes.count > 0)
		return true;
	service_refuse(no, "no_route", "to", "no telephone rings this number");
	return false;
}

/* What can be told without the store. */
static bool may_be(struct create *c, const struct service_create *req)
{
	struct service_wish *w = &c->wish;

	if (req->idempotency_key && !claim_key_fits(req, &c->no))
		return false;
	if (!service_wish_read(c->sv, req, w, &c->no))
		return false;
	policy_ask(&w->rules->rules->policy, &w->ask, &w->answer);
	return service_allowed(&w->answer, &c->no) && served(c, &c->no);
}

struct create *service_create_new(struct service *sv,
				  const struct service_create *req,
				  service_done_h *done, service_sent_h *sent,
				  void *ctx)
{
	struct create *c = b_zero(1, sizeof(*c));

	c->sv = sv;
	c->done = done;
	c->sent = sent;
	c->ctx = ctx;
	c->who = req->who;
	if (!may_be(c, req)) {
		service_create_refuse_soon(c);
		return NULL;
	}
	service_id_make(sv, c->wish.v.number_hash, c->wish.v.short_id,
			c->wish.v.id);
	service_call_id(sv, c->call_id);
	if (req->idempotency_key)
		claim_name(c, req);
	return c;
}

void service_create_go(struct create *c)
{
	int err;

	if (!c->claims) {
		name_it(c);
		return;
	}
	memcpy(c->claim.id, c->wish.v.id, sizeof(c->claim.id));
	err = claim_change(c, apply_claim, claimed);
	if (err) {
		service_refuse_store(&c->no, err);
		service_create_refuse_soon(c);
	}
}

void service_create(struct service *sv, const struct service_create *req,
		    service_done_h *done, void *ctx)
{
	struct create *c;

	if (service_create_waits(sv, req, done, ctx))
		return;
	c = service_create_new(sv, req, done, NULL, ctx);
	if (c)
		service_create_go(c);
}
