// SPDX-License-Identifier: Apache-2.0
/*
 * access.c - applications and their keys, as records.
 *
 * They are few and live in partition 0, with a version that goes up with every
 * change, so a server can ask cheaply whether it has to read them again.  A
 * token is kept as a keyed hash: who has the store cannot use it.
 */
#include <errno.h>
#include <string.h>

#include "base/tlv.h"
#include "service/service_priv.h"

enum {
	KEY_ID = 1,
	KEY_APPLICATION,
	KEY_NAME,
	KEY_SCOPES,
	KEY_CREATED,
	KEY_EXPIRES,
	KEY_HASH,
};
enum {
	APP_NAME = 1,
	APP_CREATED,
	APP_BRAND,
	APP_WEBHOOK = 10,
	APP_SECRET,
	APP_SECRET_KEY,
	APP_OLD_SECRET,
	APP_OLD_SECRET_KEY,
	APP_OLD_UNTIL,
	APP_ASK,
	APP_ASK_MS,
	APP_ASK_DENY,
};
enum { VERSION = 1 };

const struct store_key service_keys_meta = {SERVICE_KIND_META, "keys"};

void service_token_hash(const struct keyring *ring, struct span token,
			uint8_t out[CRYPTO_HASH_BYTES])
{
	crypto_hmac(keyring_key(ring, NULL, KEYRING_TOKEN), token.p, token.n,
		    out);
}

void service_key_pack(const struct service_key *k, struct buf *out)
{
	tlv_text(out, KEY_ID, k->id);
	tlv_text(out, KEY_APPLICATION, k->application);
	tlv_text(out, KEY_NAME, k->name);
	tlv_int(out, KEY_SCOPES, k->scopes);
	tlv_int(out, KEY_CREATED, k->created_ms);
	tlv_int(out, KEY_EXPIRES, k->expires_ms);
	tlv_bytes(out, KEY_HASH, k->hash, sizeof(k->hash));
}

static int key_field(const struct tlv *f, struct service_key *k)
{
	int64_t scopes = 0;
	int err = 0;

	switch (f->tag) {
	case KEY_ID:
		return tlv_get_text(f, k->id, sizeof(k->id));
	case KEY_APPLICATION:
		return tlv_get_text(f, k->application, sizeof(k->application));
	case KEY_NAME:
		return tlv_get_text(f, k->name, sizeof(k->name));
	case KEY_SCOPES:
		err = tlv_get_int(f, &scopes);
		k->scopes = (unsigned)scopes;
		return err;
	case KEY_CREATED:
		return tlv_get_int(f, &k->created_ms);
	case KEY_EXPIRES:
		return tlv_get_int(f, &k->expires_ms);
	case KEY_HASH:
		return tlv_get_bytes(f, k->hash, sizeof(k->hash));
	default:
		return 0;
	}
}

int service_key_unpack(struct span record, struct service_key *k)
{
	struct tlv f;
	int n = 0, err = 0;

	*k = (struct service_key){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		err = key_field(&f, k);
	return err ? err : n;
}

void service_app_pack(const struct service_app *a, struct buf *out)
{
	tlv_text(out, APP_NAME, a->name);
	tlv_int(out, APP_CREATED, a->created_ms);
	for (size_t i = 0; i < a->brands_count; i++)
		tlv_text(out, APP_BRAND, a->brands[i]);
	tlv_text(out, APP_WEBHOOK, a->webhook);
	tlv_int(out, APP_SECRET, a->secret.generation);
	tlv_text(out, APP_SECRET_KEY, a->secret.key);
	tlv_int(out, APP_OLD_SECRET, a->old_secret.generation);
	tlv_text(out, APP_OLD_SECRET_KEY, a->old_secret.key);
	tlv_int(out, APP_OLD_UNTIL, a->old_until_ms);
	tlv_text(out, APP_ASK, a->ask);
	tlv_int(out, APP_ASK_MS, a->ask_ms);
	tlv_int(out, APP_ASK_DENY, a->ask_deny);
}

static int app_brand(const struct tlv *f, struct service_app *a)
{
	if (a->brands_count == SERVICE_BRANDS_MAX)
		return -EBADMSG;
	return tlv_get_text(f, a->brands[a->brands_count++],
			    sizeof(a->brands[0]));
}

static int app_count(const struct tlv *f, unsigned *out)
{
	int64_t n = 0;
	int err = tlv_get_int(f, &n);

	*out = (unsigned)n;
	return err;
}

static int app_hook(const struct tlv *f, struct service_app *a)
{
	unsigned deny = 0;
	int err = 0;

	switch (f->tag) {
	case APP_WEBHOOK:
		return tlv_get_text(f, a->webhook, sizeof(a->webhook));
	case APP_SECRET:
		return app_count(f, &a->secret.generation);
	case APP_SECRET_KEY:
		return tlv_get_text(f, a->secret.key, sizeof(a->secret.key));
	case APP_OLD_SECRET:
		return app_count(f, &a->old_secret.generation);
	case APP_OLD_SECRET_KEY:
		return tlv_get_text(f, a->old_secret.key,
				    sizeof(a->old_secret.key));
	case APP_OLD_UNTIL:
		return tlv_get_int(f, &a->old_until_ms);
	case APP_ASK:
		return tlv_get_text(f, a->ask, sizeof(a->ask));
	case APP_ASK_MS:
		return tlv_get_int(f, &a->ask_ms);
	case APP_ASK_DENY:
		err = app_count(f, &deny);
		a->ask_deny = deny != 0;
		return err;
	default:
		return 0;
	}
}

static int app_field(const struct tlv *f, struct service_app *a)
{
	switch (f->tag) {
	case APP_NAME:
		return tlv_get_text(f, a->name, sizeof(a->name));
	case APP_CREATED:
		return tlv_get_int(f, &a->created_ms);
	case APP_BRAND:
		return app_brand(f, a);
	default:
		return app_hook(f, a);
	}
}

int service_app_unpack(struct span record, struct service_app *a)
{
	struct tlv f;
	int n = 0, err = 0;

	*a = (struct service_app){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		err = app_field(&f, a);
	return err ? err : n;
}

int service_version_read(struct span record, int64_t *version)
{
	struct tlv f;
	int n = 0, err = 0;

	*version = 0;
	while (!err && (n = tlv_next(&record, &f)) > 0)
		if (f.tag == VERSION)
			err = tlv_get_int(&f, version);
	return err ? err : n;
}

void service_version_next(struct store_tx *tx, size_t key)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	struct span was;
	int64_t version = 0;

	if (store_tx_get(tx, key, &was) &&
	    service_version_read(was, &version) != 0)
		version = 0;
	tlv_int(&record, VERSION, version + 1);
	store_tx_put(tx, key, buf_view(&record), NULL);
}
