// SPDX-License-Identifier: Apache-2.0
/*
 * flow_record.c - how flows lie in the store.
 *
 * A flow is a small record with what lists show; its draft and the documents
 * of its versions are records of their own, which hold the canonical text and
 * nothing else, since a document may be as large as a record.  All of a flow
 * lies in one partition, which its id names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tlv.h"
#include "service/flows_priv.h"

_Static_assert((int)FLOW_DOCUMENT_MAX <= (int)STORE_VALUE_MAX,
	       "a document fits a record");

enum {
	ID_LETTERS = 24,
	PREFIX = 4, /* "flw_" */
	RECORD_MAX = 8 << 10,
};
enum {
	FLOW_APPLICATION = 1,
	FLOW_NAME,
	FLOW_ETAG,
	FLOW_ERRORS,
	FLOW_WARNINGS,
	FLOW_PUBLISHED,
	FLOW_VERSIONS,
	FLOW_CREATED,
	FLOW_UPDATED,
	FLOW_PUBLISHED_AT,
	FLOW_DRAFT_SHA,
	FLOW_PUBLISHED_SHA,
	FLOW_ID,
};
enum {
	VERSION_N = 1,
	VERSION_APPLICATION,
	VERSION_SHA,
	VERSION_AUTHOR,
	VERSION_MESSAGE,
	VERSION_TIME,
};

/* --- names ----------------------------------------------------------------------- */

static bool id_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool service_flow_is_own(const char *id)
{
	size_t n = strnlen(id, VERIFICATION_FLOW_BYTES);

	if (n != PREFIX + ID_LETTERS || strncmp(id, "flw_", PREFIX) != 0)
		return false;
	for (size_t i = PREFIX; i < n; i++)
		if (!id_byte(id[i]))
			return false;
	return true;
}

unsigned service_flow_partition(const char *id)
{
	uint8_t hash[CRYPTO_HASH_BYTES];

	crypto_sha256(id, strlen(id), hash);
	return hash[0] % STORE_PARTITIONS;
}

void service_flow_id_make(struct service *sv, const char *prefix,
			  char out[VERIFICATION_FLOW_BYTES])
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t n = strlen(prefix);

	memcpy(out, prefix, n);
	for (size_t i = 0; i < ID_LETTERS; i++)
		out[n + i] = letters[rng_below(sv->p.rng, sizeof(letters) - 1)];
	out[n + ID_LETTERS] = '\0';
}

void service_flow_key(const char *id, unsigned version,
		      char out[SERVICE_FLOW_KEY_BYTES])
{
	(void)snprintf(out, SERVICE_FLOW_KEY_BYTES, "%s:%u", id, version);
}

void service_flow_sha(struct span canonical, char out[SERVICE_FLOW_SHA_BYTES])
{
	uint8_t hash[CRYPTO_HASH_BYTES];

	crypto_sha256(canonical.p, canonical.n, hash);
	crypto_hex(hash, sizeof(hash), out);
}

/* --- a flow ----------------------------------------------------------------------- */

void service_flow_record_write(struct store_tx *tx, size_t key,
			       const struct service_flow_record *r)
{
	const struct service_flow_head *h = &r->head;
	AUTO_BUF(b, RECORD_MAX);

	tlv_text(&b, FLOW_ID, h->id);
	tlv_text(&b, FLOW_APPLICATION, r->application);
	tlv_text(&b, FLOW_NAME, h->name);
	tlv_text(&b, FLOW_ETAG, h->etag);
	tlv_int(&b, FLOW_ERRORS, h->errors);
	tlv_int(&b, FLOW_WARNINGS, h->warnings);
	tlv_int(&b, FLOW_PUBLISHED, h->published);
	tlv_int(&b, FLOW_VERSIONS, h->versions);
	tlv_int(&b, FLOW_CREATED, h->created_ms);
	tlv_int(&b, FLOW_UPDATED, h->updated_ms);
	tlv_int(&b, FLOW_PUBLISHED_AT, h->published_ms);
	tlv_text(&b, FLOW_DRAFT_SHA, r->draft_sha);
	tlv_text(&b, FLOW_PUBLISHED_SHA, r->published_sha);
	store_tx_put(tx, key, buf_view(&b),
		     &(struct store_index){.time_ms = h->created_ms,
					   .owner = r->application});
}

static int read_count(const struct tlv *f, unsigned *out)
{
	int64_t n;
	int err = tlv_get_int(f, &n);

	if (!err)
		*out = (unsigned)n;
	return err;
}

static int read_text(const struct tlv *f, struct service_flow_record *r)
{
	struct service_flow_head *h = &r->head;

	switch (f->tag) {
	case FLOW_ID:
		return tlv_get_text(f, h->id, sizeof(h->id));
	case FLOW_APPLICATION:
		return tlv_get_text(f, r->application, sizeof(r->application));
	case FLOW_NAME:
		return tlv_get_text(f, h->name, sizeof(h->name));
	case FLOW_ETAG:
		return tlv_get_text(f, h->etag, sizeof(h->etag));
	case FLOW_DRAFT_SHA:
		return tlv_get_text(f, r->draft_sha, sizeof(r->draft_sha));
	case FLOW_PUBLISHED_SHA:
		return tlv_get_text(f, r->published_sha,
				    sizeof(r->published_sha));
	default:
		return 0;
	}
}

static int read_field(const struct tlv *f, struct service_flow_record *r)
{
	struct service_flow_head *h = &r->head;

	switch (f->tag) {
	case FLOW_ERRORS:
		return read_count(f, &h->errors);
	case FLOW_WARNINGS:
		return read_count(f, &h->warnings);
	case FLOW_PUBLISHED:
		return read_count(f, &h->published);
	case FLOW_VERSIONS:
		return read_count(f, &h->versions);
	case FLOW_CREATED:
		return tlv_get_int(f, &h->created_ms);
	case FLOW_UPDATED:
		return tlv_get_int(f, &h->updated_ms);
	case FLOW_PUBLISHED_AT:
		return tlv_get_int(f, &h->published_ms);
	default:
		return read_text(f, r);
	}
}

int service_flow_record_read(struct span record, struct service_flow_record *r)
{
	struct tlv f;
	int n = 0, err = 0;

	*r = (struct service_flow_record){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		err = read_field(&f, r);
	r->head.changed = strcmp(r->draft_sha, r->published_sha) != 0;
	return err ? err : n;
}

/* --- a version ---------------------------------------------------------------------- */

void service_flow_version_write(struct store_tx *tx, size_t key,
				const struct service_flow_record *r,
				const struct service_flow_version *v,
				int64_t expires_ms)
{
	AUTO_BUF(b, RECORD_MAX);

	tlv_int(&b, VERSION_N, v->n);
	tlv_text(&b, VERSION_APPLICATION, r->application);
	tlv_text(&b, VERSION_SHA, v->sha256);
	tlv_text(&b, VERSION_AUTHOR, v->author);
	tlv_text(&b, VERSION_MESSAGE, v->message);
	tlv_int(&b, VERSION_TIME, v->published_ms);
	store_tx_put(tx, key, buf_view(&b),
		     &(struct store_index){.time_ms = v->published_ms,
					   .owner = r->application,
					   .hash = r->head.id,
					   .expires_ms = expires_ms});
}

int service_flow_version_read(struct span record,
			      struct service_flow_version *v)
{
	struct tlv f;
	int n = 0, err = 0;

	*v = (struct service_flow_version){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		switch (f.tag) {
		case VERSION_N:
			err = read_count(&f, &v->n);
			break;
		case VERSION_APPLICATION:
			err = tlv_get_text(&f, v->application,
					   sizeof(v->application));
			break;
		case VERSION_SHA:
			err = tlv_get_text(&f, v->sha256, sizeof(v->sha256));
			break;
		case VERSION_AUTHOR:
			err = tlv_get_text(&f, v->author, sizeof(v->author));
			break;
		case VERSION_MESSAGE:
			err = tlv_get_text(&f, v->message, sizeof(v->message));
			break;
		case VERSION_TIME:
			err = tlv_get_int(&f, &v->published_ms);
			break;
		default:
			break;
		}
	return err ? err : n;
}

/* --- reading, where one may wait -------------------------------------------------------- */

/* -ENOENT; `out` is copied and the caller's. */
static int load(struct service *sv, const char *flow, const char *kind,
		const char *key, struct service_found **out, size_t *count)
{
	int err = service_wait_get(sv->p.store, service_flow_partition(flow),
				   kind, key, out, count);

	return !err && *count == 0 ? -ENOENT : err;
}

int service_flow_load_record(struct service *sv, const char *id,
			     struct service_flow_record *r)
{
	struct service_found *found = NULL;
	size_t count = 0;
	int err = load(sv, id, SERVICE_KIND_FLOW, id, &found, &count);

	if (!err)
		err = service_flow_record_read(found->value, r);
	service_found_free(found, count);
	return err;
}

int service_flow_load_version(struct service *sv, const char *id,
			      unsigned version, struct service_flow_version *v)
{
	struct service_found *found = NULL;
	char key[SERVICE_FLOW_KEY_BYTES];
	size_t count = 0;
	int err;

	service_flow_key(id, version, key);
	err = load(sv, id, SERVICE_KIND_FLOW_VERSION, key, &found, &count);
	if (!err)
		err = service_flow_version_read(found->value, v);
	service_found_free(found, count);
	return err;
}

int service_flow_load_text(struct service *sv, const char *id, unsigned version,
			   char **text)
{
	const char *kind =
		version ? SERVICE_KIND_FLOW_TEXT : SERVICE_KIND_FLOW_DRAFT;
	struct service_found *found = NULL;
	char key[SERVICE_FLOW_KEY_BYTES];
	size_t count = 0;
	int err;

	service_flow_key(id, version, key);
	err = load(sv, id, kind, version ? key : id, &found, &count);
	if (!err)
		*text = b_strndup(found->value.p, found->value.n);
	service_found_free(found, count);
	return err;
}
