// SPDX-License-Identifier: Apache-2.0
/*
 * find.c - verifications by what vendors' clients know of them: a short id, or
 * a number and what it belongs to.
 *
 * A short id is too short to say where its record is (record.c), so an alias
 * stands in a partition that it does say: the id, under the short one.  It is
 * written before its verification, which therefore is never without; one that
 * leads to nothing is swept with what is as old.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tlv.h"
#include "service/service_priv.h"

enum { ALIAS_ID = 1 };
enum { FIND_PAGE = 50 };

/* --- names in vendors' ids ---------------------------------------------------------- */

static void name_alias(const struct keyring *ring, const char *kind,
		       const char *name, uint8_t out[SERVICE_ALIAS_RAW])
{
	AUTO_BUF(text, SERVICE_RECORD_MAX);
	uint8_t hash[CRYPTO_HASH_BYTES];

	/* lengths in front, so that no two pairs make one text */
	tlv_text(&text, 1, "voiceotp 1 alias");
	tlv_text(&text, 2, kind);
	tlv_text(&text, 3, name);
	crypto_hmac(keyring_key(ring, NULL, KEYRING_TOKEN), text.p, text.n,
		    hash);
	memcpy(out, hash, SERVICE_ALIAS_RAW);
}

void service_alias(const struct service *sv, const char *kind, const char *name,
		   uint8_t out[16])
{
	name_alias(sv->p.ring, kind, name, out);
}

void service_admin_alias(const struct service_admin *a, const char *kind,
			 const char *name, uint8_t out[16])
{
	name_alias(a->ring, kind, name, out);
}

/* --- the alias of an id -------------------------------------------------------------- */

void service_alias_write(struct store_tx *tx, const struct service *sv,
			 const char *id)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	tlv_text(&record, ALIAS_ID, id);
	store_tx_put(tx, 0, buf_view(&record),
		     &(struct store_index){
			     .expires_ms = store_tx_now(tx) +
					   VERIFICATION_LIFE_MS +
					   atomic_load(&sv->retention_ms),
		     });
}

static int alias_read(struct span record, char id[VERIFICATION_ID_BYTES])
{
	struct tlv f;
	int n;

	id[0] = '\0';
	while ((n = tlv_next(&record, &f)) > 0)
		if (f.tag == ALIAS_ID &&
		    tlv_get_text(&f, id, VERIFICATION_ID_BYTES) != 0)
			return -EBADMSG;
	return n;
}

/* --- finding ---------------------------------------------------------------------------- */

struct finding {
	struct service *sv;
	service_done_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES];
	char label[VERIFICATION_LABEL_BYTES];
	bool labelled;
	char call[SERVICE_SHORT_BYTES]; /* the call that was asked by; "" */
	char hash[KEYRING_HASH_BYTES];  /* of the number, or "" */
	struct service_refusal no;
};

static void refuse(struct finding *f, int err)
{
	if (err == -ENOENT)
		service_refuse(&f->no, "not_found", "",
			       "there is no such verification");
	else if (err)
		service_refuse_store(&f->no, err);
	f->done(&f->no, NULL, f->ctx);
	free(f);
}

static bool has_call(const struct finding *f, const struct verification *v)
{
	char id[SERVICE_SHORT_BYTES];

	if (!f->call[0])
		return true;
	for (size_t i = 0; i < v->legs_count; i++) {
		service_short_id(v->legs[i].id, id);
		if (strcmp(id, f->call) == 0)
			return true;
	}
	return false;
}

static bool is_theirs(const struct finding *f, const struct verification *v)
{
	return strcmp(v->application, f->application) == 0 &&
	       (!f->labelled || strcmp(v->label, f->label) == 0) &&
	       has_call(f, v);
}

/* True: it was the one, and is answered. */
static bool answer_if(struct finding *f, struct span record, int *err)
{
	struct verification v = {0};
	struct service_opened o;
	bool theirs;

	*err = verification_unpack(record, &v);
	theirs = !*err && is_theirs(f, &v);
	if (theirs) {
		service_view_open(f->sv, &v, clock_wall_ms(f->sv->p.clock), &o);
		f->done(NULL, &o.view, f->ctx);
		free(f);
	}
	verification_free(&v);
	return theirs;
}

static void read_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct finding *f = ctx;

	(void)next;
	if (!err && count > 0 && answer_if(f, records->value, &err))
		return;
	refuse(f, err ? err : -ENOENT);
}

/* -ENOENT: this can be no id. */
static int find_id(struct finding *f, const char *id)
{
	struct service_place place;

	service_place_find(f->sv->p.ring, f->application, id, &place);
	if (!place.well_formed)
		return -ENOENT;
	return store_get(f->sv->p.store, place.partition,
			 SERVICE_KIND_VERIFICATION, id, read_done, f);
}

static void alias_done(int err, const struct store_record *records,
		       size_t count, const char *next, void *ctx)
{
	struct finding *f = ctx;
	char id[VERIFICATION_ID_BYTES];

	(void)next;
	if (!err)
		err = count ? alias_read(records->value, id) : -ENOENT;
	if (!err)
		err = find_id(f, id);
	if (err)
		refuse(f, err);
}

static int find_short(struct finding *f, const char *short_id)
{
	char family[SERVICE_SHORT_BYTES];
	unsigned partition, leg;

	if (service_short_split(short_id, family, &partition, &leg) != 0)
		return -ENOENT;
	if (leg > 0)
		(void)snprintf(f->call, sizeof(f->call), "%s", short_id);
	return store_get(f->sv->p.store, partition, SERVICE_KIND_ALIAS, family,
			 alias_done, f);
}

static int list_from(struct finding *f, const char *cursor);

/* Newest first: the first that is theirs is the one. */
static void list_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct finding *f = ctx;

	for (size_t i = 0; !err && i < count; i++)
		if (answer_if(f, records[i].value, &err))
			return;
	if (!err)
		err = next ? list_from(f, next) : -ENOENT;
	if (err)
		refuse(f, err);
}

static int list_from(struct finding *f, const char *cursor)
{
	const struct store_query q = {.kind = SERVICE_KIND_VERIFICATION,
				      .owner = f->application,
				      .hash = f->hash,
				      .limit = FIND_PAGE,
				      .cursor = cursor};

	return store_list(f->sv->p.store, &q, list_done, f);
}

static void refuse_on_line(void *ctx)
{
	refuse(ctx, 0);
}

/* -EPERM: f->no says why. */
static int find(struct finding *f, const struct service_find *req)
{
	if (req->id)
		return find_id(f, req->id);
	if (req->short_id)
		return find_short(f, req->short_id);
	f->labelled = true;
	if (!service_number_hash(f->sv, req->to ? req->to : "", f->hash,
				 &f->no))
		return -EPERM;
	return list_from(f, NULL);
}

void service_find(struct service *sv, const struct service_find *req,
		  service_done_h *done, void *ctx)
{
	struct finding *f = b_zero(1, sizeof(*f));
	int err = 0;

	f->sv = sv;
	f->done = done;
	f->ctx = ctx;
	memcpy(f->application, req->who.application, sizeof(f->application));
	f->labelled = req->label != NULL;
	if (f->labelled &&
	    strnlen(req->label, sizeof(f->label)) == sizeof(f->label))
		err = -ENOENT; /* nothing has a longer one */
	else if (f->labelled)
		(void)snprintf(f->label, sizeof(f->label), "%s", req->label);
	if (!err)
		err = find(f, req);
	if (err == -ENOENT)
		service_refuse(&f->no, "not_found", "",
			       "there is no such verification");
	else if (err && err != -EPERM)
		service_refuse_store(&f->no, err);
	if (err)
		loop_call(sv->p.line, refuse_on_line, f);
}
