// SPDX-License-Identifier: Apache-2.0
/*
 * numbers.c - the operator's side: unlock, reveal and erase a number.
 *
 * Its verifications are found by its keyed hash.  What is kept of the number
 * itself has a key that follows from hash and application, so it is asked for
 * under each application that there is.  What is done to a number stands in the
 * audit with two of its digits, no more (F1).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "service/admin_priv.h"
#include "service/hook_priv.h"

struct target {
	const struct service_admin *a;
	struct number number;
	char hash[KEYRING_HASH_BYTES];
	char masked[LOG_NUMBER_BYTES];
	struct service_place place;
	bool there; /* the record that was changed last */
};

static int find_target(const struct service_admin *a, const char *text,
		       struct target *t, struct diag *d)
{
	struct span s = span_of(text);

	t->a = a;
	if (!number_sandbox(s, &t->number) &&
	    number_parse(s, NULL, &t->number, d) != NUMBER_OK)
		return -EINVAL;
	keyring_hash_number(a->ring, t->number.e164, t->hash);
	log_number(t->number.e164, t->number.country_code, t->masked);
	service_place_of_hash("", t->hash, &t->place);
	return 0;
}

static int change(struct target *t, unsigned partition,
		  const struct store_key *key, store_apply_h *apply,
		  size_t *done)
{
	int err = service_wait_change(t->a->store, partition, key, 1, apply, t);

	if (!err && t->there)
		++*done;
	return err;
}

/* Every record of a kind that lists find by the number, one change each. */
static int each_listed(struct target *t, const char *kind, store_apply_h *apply,
		       size_t *done)
{
	const struct store_query q = {.kind = kind, .hash = t->hash};
	struct service_found *found;
	size_t count;
	int err = service_wait_list(t->a->store, &q, &found, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count && !err; i++) {
		const struct store_key key = {kind, found[i].id};

		err = change(t, found[i].partition, &key, apply, done);
	}
	service_found_free(found, count);
	return err;
}

/* What one application has of the number. */
static int number_of(struct target *t, const char *owner, store_apply_h *apply,
		     size_t *done)
{
	struct service_place place;
	const struct store_key key = {SERVICE_KIND_NUMBER, place.number_key};

	service_place_of_hash(owner, t->hash, &place);
	return change(t, place.partition, &key, apply, done);
}

/* What each application has of the number. */
static int each_number(struct target *t, store_apply_h *apply, size_t *done)
{
	const struct store_query q = {.kind = SERVICE_KIND_APP};
	struct service_found *apps;
	size_t count;
	int err = service_wait_list(t->a->store, &q, &apps, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count && !err; i++)
		err = number_of(t, apps[i].id, apply, done);
	service_found_free(apps, count);
	return err;
}

static int answer(const struct target *t, const char *what, size_t n,
		  char **json)
{
	AUTO_JSON json_t *o = json_object();

	(void)json_object_set_new(o, "number", json_string(t->masked));
	(void)json_object_set_new(o, what, json_integer((json_int_t)n));
	*json = js_text(o);
	return 0;
}

/* --- unlock ------------------------------------------------------------------------ */

static int apply_unlock(struct store_tx *tx, void *ctx)
{
	struct target *t = ctx;
	struct verification_number n;
	struct span was;
	int err;

	t->there = store_tx_get(tx, 0, &was);
	if (!t->there)
		return 0;
	err = verification_number_unpack(was, &n);
	if (err)
		return err;
	verification_unlock(&n);
	n.blocked = false;
	n.paused_until_ms = 0;
	service_number_write(tx, 0, &n);
	service_audit(tx, "number.unlock", t->masked);
	return 0;
}

int service_number_unlock(const struct service_admin *a, const char *number,
			  char **json, struct diag *d)
{
	struct target t = {0};
	size_t n = 0;
	int err = find_target(a, number, &t, d);

	if (err)
		return err;
	err = each_number(&t, apply_unlock, &n);
	if (err)
		return service_admin_failed(d, err);
	return answer(&t, "unlocked", n, json);
}

/* --- erase --------------------------------------------------------------------------- */

/* Its call and its expiry find nothing any more, and go. */
static int apply_erase(struct store_tx *tx, void *ctx)
{
	struct target *t = ctx;
	struct span was;

	t->there = store_tx_get(tx, 0, &was);
	store_tx_delete(tx, 0);
	return 0;
}

static int apply_note(struct store_tx *tx, void *ctx)
{
	const struct target *t = ctx;

	service_audit(tx, "number.erase", t->masked);
	return 0;
}

static int erase(struct target *t, size_t *erased)
{
	const struct store_key phone = {SERVICE_KIND_PHONE, t->place.phone_key};
	size_t rest = 0;
	int err;

	/* noted first: an erasure that stops half way was begun */
	err = service_wait_change(t->a->store, t->place.partition, NULL, 0,
				  apply_note, t);
	if (!err)
		err = each_listed(t, SERVICE_KIND_VERIFICATION, apply_erase,
				  erased);
	/* behind them: nothing writes these without a verification */
	if (!err)
		err = each_listed(t, SERVICE_KIND_TRACE, apply_erase, &rest);
	if (!err)
		err = each_listed(t, SERVICE_KIND_RUNS, apply_erase, &rest);
	if (!err)
		err = each_listed(t, SERVICE_KIND_HOOK, apply_erase, &rest);
	if (!err)
		err = each_number(t, apply_erase, &rest);
	if (!err)
		err = change(t, t->place.partition, &phone, apply_erase, &rest);
	return err;
}

int service_number_erase(const struct service_admin *a, const char *number,
			 char **json, struct diag *d)
{
	struct target t = {0};
	size_t n = 0;
	int err = find_target(a, number, &t, d);

	if (err)
		return err;
	err = erase(&t, &n);
	if (err)
		return service_admin_failed(d, err);
	return answer(&t, "erased", n, json);
}

/* --- reveal ---------------------------------------------------------------------------- */

struct reveal {
	const struct service_admin *a;
	const char *id;
	char to[NUMBER_BYTES];
};

static int apply_reveal(struct store_tx *tx, void *ctx)
{
	struct reveal *r = ctx;
	struct verification v;
	struct span was;
	int err;

	if (!store_tx_get(tx, 0, &was))
		return -ENOENT;
	err = verification_unpack(was, &v);
	if (err)
		return err;
	err = service_number_open(r->a->ring, &v, r->to);
	verification_free(&v);
	if (!err)
		service_audit(tx, "number.reveal", r->id);
	return err;
}

int service_number_reveal(const struct service_admin *a,
			  const char *verification, char **json, struct diag *d)
{
	struct reveal r = {.a = a, .id = verification};
	const struct store_key key = {SERVICE_KIND_VERIFICATION, verification};
	AUTO_JSON json_t *o = NULL;
	struct service_place place;
	int err = -ENOENT;

	service_place_find(a->ring, "", verification, &place);
	if (place.well_formed)
		err = service_wait_change(a->store, place.partition, &key, 1,
					  apply_reveal, &r);
	if (err == -ENOENT)
		(void)diag_set(d, "there is no such verification");
	else if (err == -EBADMSG || err == -ENOKEY)
		(void)diag_set(d, "the number cannot be opened with this ring");
	if (err)
		return service_admin_failed(d, err);
	o = json_object();
	(void)json_object_set_new(o, "id", json_string(verification));
	(void)json_object_set_new(o, "to", json_string(r.to));
	*json = js_text(o);
	crypto_wipe(r.to, sizeof(r.to));
	return 0;
}
