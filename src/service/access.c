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
enum { APP_NAME = 1, APP_CREATED, APP_BRAND };
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
}

int service_app_unpack(struct span record, struct service_app *a)
{
	struct tlv f;
	int n = 0, err = 0;

	*a = (struct service_app){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		switch (f.tag) {
		case APP_NAME:
			err = tlv_get_text(&f, a->name, sizeof(a->name));
			break;
		case APP_CREATED:
			err = tlv_get_int(&f, &a->created_ms);
			break;
		case APP_BRAND:
			err = a->brands_count == SERVICE_BRANDS_MAX
				      ? -EBADMSG
				      : tlv_get_text(
						&f,
						a->brands[a->brands_count++],
						sizeof(a->brands[0]));
			break;
		default:
			break;
		}
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
