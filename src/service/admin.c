// SPDX-License-Identifier: Apache-2.0
/*
 * admin.c - the operator's side: applications and keys.
 *
 * Each change stands beside an event of the audit topic, and raises the version
 * that servers look at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "service/admin_priv.h"

enum {
	SECRET_TEXT = 43,  /* 256 random bits */
	NAME_RANDOM = 20,  /* letters and digits of a key's id */
	LIVE_KEYS_MAX = 2, /* of one name: the old and the new (D5) */
	NAME_HASH = 16,
	SLOT_BYTES = VERIFICATION_APP_BYTES + 4 * NAME_HASH + 4,
};

int service_admin_failed(struct diag *d, int err)
{
	if (!d || d->message[0])
		return err;
	(void)diag_set(d, "the store cannot be used: %s",
		       strerrordesc_np(-err));
	return err;
}

void service_audit(struct store_tx *tx, const char *what, const char *about)
{
	AUTO_BUF(json, SERVICE_EVENT_BYTES);
	char when[CLOCK_TEXT_BYTES];

	clock_text(store_tx_now(tx), when);
	buf_str(&json, "{\"what\":");
	buf_json(&json, span_of(what));
	buf_str(&json, ",\"about\":");
	buf_json(&json, span_of(about));
	buf_str(&json, ",\"time\":");
	buf_json(&json, span_of(when));
	buf_byte(&json, '}');
	store_tx_event(tx, SERVICE_AUDIT_TOPIC, NULL, what, buf_view(&json));
}

/* --- applications --------------------------------------------------------------- */

static bool name_good(const char *name)
{
	size_t n = name ? strnlen(name, VERIFICATION_APP_BYTES) : 0;

	if (n == 0 || n == VERIFICATION_APP_BYTES || name[0] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

struct new_app {
	struct service_app app;
	const char *what;       /* for the audit */
	service_app_set_h *set; /* NULL: it is new */
	void *ctx;
};

static int apply_app(struct store_tx *tx, void *ctx)
{
	struct new_app *n = ctx;
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	struct span was;
	bool there = store_tx_get(tx, 0, &was);
	int err = 0;

	if (there != (n->set != NULL))
		return there ? -EEXIST : -ENOENT;
	if (there)
		err = service_app_unpack(was, &n->app);
	else
		n->app.created_ms = store_tx_now(tx);
	if (err)
		return err;
	if (n->set)
		n->set(tx, &n->app, n->ctx);
	service_app_pack(&n->app, &record);
	store_tx_put(tx, 0, buf_view(&record),
		     &(struct store_index){.time_ms = n->app.created_ms});
	service_version_next(tx, 1);
	service_audit(tx, n->what, n->app.name);
	return 0;
}

static json_t *app_json(const struct service_app *a)
{
	json_t *o = json_object(), *brands = json_array();
	char when[CLOCK_TEXT_BYTES];

	clock_text(a->created_ms, when);
	(void)json_object_set_new(o, "application", json_string(a->name));
	(void)json_object_set_new(o, "created_at", json_string(when));
	for (size_t i = 0; i < a->brands_count; i++)
		(void)json_array_append_new(brands, json_string(a->brands[i]));
	(void)json_object_set_new(o, "brands", brands);
	(void)json_object_set_new(o, "webhook",
				  *a->webhook ? json_string(a->webhook)
					      : json_null());
	(void)json_object_set_new(o, "hook",
				  *a->ask ? json_string(a->ask) : json_null());
	return o;
}

static int put_app(const struct service_admin *a, struct new_app *n,
		   struct diag *d)
{
	const struct store_key keys[] = {{SERVICE_KIND_APP, n->app.name},
					 service_keys_meta};
	int err = service_wait_change(a->store, 0, keys, COUNT_OF(keys),
				      apply_app, n);

	if (err == -EEXIST)
		(void)diag_set(d, "there is an application %s already",
			       n->app.name);
	else if (err == -ENOENT)
		(void)diag_set(d, "there is no application %s", n->app.name);
	return err ? service_admin_failed(d, err) : 0;
}

static int write_app(const struct service_admin *a, struct new_app *n,
		     char **json, struct diag *d)
{
	AUTO_JSON json_t *o = NULL;
	int err = put_app(a, n, d);

	if (err)
		return err;
	o = app_json(&n->app);
	*json = js_text(o);
	return 0;
}

static int name_app(const char *name, struct new_app *n, struct diag *d)
{
	if (!name_good(name))
		return diag_set(d,
				"an application's name is 1 to %d small "
				"letters, digits and hyphens",
				VERIFICATION_APP_BYTES - 1);
	(void)snprintf(n->app.name, sizeof(n->app.name), "%s", name);
	return 0;
}

int service_app_add(const struct service_admin *a, const char *name,
		    char **json, struct diag *d)
{
	struct new_app n = {.what = "app.add"};
	int err = name_app(name, &n, d);

	/* what its webhooks are signed with, wherever they go to */
	(void)snprintf(n.app.secret.key, sizeof(n.app.secret.key), "%s",
		       keyring_maker(a->ring));
	return err ? err : write_app(a, &n, json, d);
}

int service_app_change(const struct service_admin *a, const char *name,
		       const char *what, service_app_set_h *set, void *ctx,
		       struct diag *d)
{
	struct new_app n = {.what = what, .set = set, .ctx = ctx};
	int err = name_app(name, &n, d);

	return err ? err : put_app(a, &n, d);
}

int service_app_read(const struct service_admin *a, const char *name,
		     struct service_app *out, struct diag *d)
{
	struct new_app n = {0};
	struct service_found *found;
	size_t count;
	int err = name_app(name, &n, d);

	if (err)
		return err;
	err = service_wait_get(a->store, 0, SERVICE_KIND_APP, name, &found,
			       &count);
	if (err)
		return service_admin_failed(d, err);
	err = count ? service_app_unpack(found->value, out) : -ENOENT;
	service_found_free(found, count);
	if (err == -ENOENT)
		(void)diag_set(d, "there is no application %s", name);
	return err ? service_admin_failed(d, err) : 0;
}

struct brands {
	size_t count;
	char brands[SERVICE_BRANDS_MAX][VERIFICATION_BRAND_BYTES];
};

static void set_brands(struct store_tx *tx, struct service_app *a, void *ctx)
{
	const struct brands *b = ctx;

	(void)tx;
	a->brands_count = b->count;
	memcpy(a->brands, b->brands, sizeof(a->brands));
}

int service_app_brands(const struct service_admin *a, const char *name,
		       const char *const *brands, size_t count, char **json,
		       struct diag *d)
{
	struct brands b = {.count = count};
	struct new_app n = {.what = "app.brands", .set = set_brands, .ctx = &b};
	int err = name_app(name, &n, d);

	if (err)
		return err;
	if (count > SERVICE_BRANDS_MAX)
		return diag_set(d, "at most %d brands", SERVICE_BRANDS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (strlen(brands[i]) >= sizeof(b.brands[0]) || !*brands[i])
			return diag_set(d, "a brand is 1 to %d characters",
					VERIFICATION_BRAND_CHARACTERS);
		(void)snprintf(b.brands[i], sizeof(b.brands[i]), "%s",
			       brands[i]);
	}
	return write_app(a, &n, json, d);
}

int service_app_list(const struct service_admin *a, char **json, struct diag *d)
{
	const struct store_query q = {.kind = SERVICE_KIND_APP};
	AUTO_JSON json_t *list = json_array();
	struct service_found *found;
	size_t count;
	int err = service_wait_list(a->store, &q, &found, &count);

	if (err)
		return service_admin_failed(d, err);
	for (size_t i = 0; i < count; i++) {
		struct service_app app;

		if (service_app_unpack(found[i].value, &app) == 0)
			(void)json_array_append_new(list, app_json(&app));
	}
	service_found_free(found, count);
	*json = js_text(list);
	return 0;
}

/* --- keys ------------------------------------------------------------------------- */

/* The keys that live under one name: two at most, so that one may take over
 * from the other without a moment between. */
struct slot {
	struct {
		char id[SERVICE_KEY_ID_BYTES];
		int64_t expires_ms;
	} live[LIVE_KEYS_MAX];
	size_t count;
};

enum { SLOT_ID = 1, SLOT_EXPIRES };

static void slot_read(struct span record, int64_t now, struct slot *s)
{
	struct slot all = {0};
	struct tlv f;

	*s = (struct slot){0};
	while (tlv_next(&record, &f) > 0) {
		if (f.tag == SLOT_ID && all.count < LIVE_KEYS_MAX &&
		    tlv_get_text(&f, all.live[all.count].id,
				 SERVICE_KEY_ID_BYTES) == 0)
			all.count++;
		else if (f.tag == SLOT_EXPIRES && all.count > 0 &&
			 tlv_get_int(&f, &all.live[all.count - 1].expires_ms))
			break;
	}
	for (size_t i = 0; i < all.count; i++)
		if (all.live[i].expires_ms == 0 || all.live[i].expires_ms > now)
			s->live[s->count++] = all.live[i];
}

static void slot_write(struct store_tx *tx, size_t key, const struct slot *s)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	for (size_t i = 0; i < s->count; i++) {
		tlv_text(&record, SLOT_ID, s->live[i].id);
		tlv_int(&record, SLOT_EXPIRES, s->live[i].expires_ms);
	}
	store_tx_put(tx, key, buf_view(&record), NULL);
}

static void slot_name(const struct service_key *k, char out[SLOT_BYTES])
{
	char hash[2 * CRYPTO_HASH_BYTES + 1];
	uint8_t raw[CRYPTO_HASH_BYTES];

	/* names are free text: as long as they like, but of one length here */
	crypto_sha256(k->name, strlen(k->name), raw);
	crypto_hex(raw, NAME_HASH, hash);
	(void)snprintf(out, SLOT_BYTES, "%s/%s", k->application, hash);
}

enum { AT_KEY, AT_SLOT, AT_VERSION, AT_APP };

static int apply_key(struct store_tx *tx, void *ctx)
{
	struct service_key *k = ctx;
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	struct slot slot = {0};
	struct span was;

	if (!store_tx_get(tx, AT_APP, &was))
		return -ENOENT;
	if (store_tx_get(tx, AT_SLOT, &was))
		slot_read(was, store_tx_now(tx), &slot);
	if (slot.count == LIVE_KEYS_MAX)
		return -EMLINK;
	memcpy(slot.live[slot.count].id, k->id, SERVICE_KEY_ID_BYTES);
	slot.live[slot.count++].expires_ms = k->expires_ms;
	slot_write(tx, AT_SLOT, &slot);
	k->created_ms = store_tx_now(tx);
	service_key_pack(k, &record);
	store_tx_put(tx, AT_KEY, buf_view(&record),
		     &(struct store_index){.time_ms = k->created_ms,
					   .owner = k->application,
					   .expires_ms = k->expires_ms});
	service_version_next(tx, AT_VERSION);
	service_audit(tx, "key.add", k->id);
	return 0;
}

static void make_name(struct rng *r, char out[SERVICE_KEY_ID_BYTES])
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";

	memcpy(out, "key_", 4);
	for (size_t i = 0; i < NAME_RANDOM; i++)
		out[4 + i] = letters[rng_below(r, sizeof(letters) - 1)];
	out[4 + NAME_RANDOM] = '\0';
}

static void make_token(const struct service_admin *a, const char *id,
		       char out[SERVICE_TOKEN_BYTES])
{
	/* nothing else: some clients send no other characters */
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789";
	char text[SECRET_TEXT + 1];

	for (size_t i = 0; i < SECRET_TEXT; i++)
		text[i] = letters[rng_below(a->rng, sizeof(letters) - 1)];
	text[SECRET_TEXT] = '\0';
	(void)snprintf(out, SERVICE_TOKEN_BYTES, "vok_%.20s_%.43s", id + 4,
		       text);
	crypto_wipe(text, sizeof(text));
}

static json_t *scopes_json(unsigned scopes)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{SERVICE_CHECK, "check"},
		     {SERVICE_VERIFY, "verify"},
		     {SERVICE_FLOWS, "flows"},
		     {SERVICE_ADMIN, "admin"}};
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (scopes & names[i].bit)
			(void)json_array_append_new(list,
						    json_string(names[i].name));
	return list;
}

static json_t *key_json(const struct service_key *k)
{
	json_t *o = json_object();
	char when[CLOCK_TEXT_BYTES];

	(void)json_object_set_new(o, "id", json_string(k->id));
	(void)json_object_set_new(o, "application",
				  json_string(k->application));
	(void)json_object_set_new(o, "name", json_string(k->name));
	(void)json_object_set_new(o, "scopes", scopes_json(k->scopes));
	clock_text(k->created_ms, when);
	(void)json_object_set_new(o, "created_at", json_string(when));
	clock_text(k->expires_ms, when);
	(void)json_object_set_new(o, "expires_at",
				  k->expires_ms ? json_string(when)
						: json_null());
	return o;
}

static int check_key(const struct service_key_new *key, struct diag *d)
{
	const char *name = key->name ? key->name : "";

	if (!name_good(key->application))
		return diag_set(d, "there is no such application");
	if (strnlen(name, sizeof(((struct service_key *)0)->name)) ==
		    sizeof(((struct service_key *)0)->name) ||
	    !span_utf8(span_of(name)))
		return diag_set(d, "a key's name is at most 63 bytes of UTF-8");
	if (key->scopes == 0 ||
	    key->scopes & ~(unsigned)(SERVICE_CHECK | SERVICE_VERIFY |
				      SERVICE_FLOWS | SERVICE_ADMIN))
		return diag_set(d, "a key has one scope at least");
	return 0;
}

int service_key_add(const struct service_admin *a,
		    const struct service_key_new *key, char **json,
		    struct diag *d)
{
	struct service_key k = {.scopes = key->scopes,
				.expires_ms = key->expires_ms};
	char token[SERVICE_TOKEN_BYTES], slot[SLOT_BYTES];
	const struct store_key keys[] = {
		[AT_KEY] = {SERVICE_KIND_KEY, k.id},
		[AT_SLOT] = {SERVICE_KIND_NAME, slot},
		[AT_VERSION] = service_keys_meta,
		[AT_APP] = {SERVICE_KIND_APP, k.application},
	};
	AUTO_JSON json_t *o = NULL;
	int err = check_key(key, d);

	if (err)
		return err;
	(void)snprintf(k.application, sizeof(k.application), "%s",
		       key->application);
	(void)snprintf(k.name, sizeof(k.name), "%s",
		       key->name ? key->name : "");
	slot_name(&k, slot);
	make_name(a->rng, k.id);
	make_token(a, k.id, token);
	service_token_hash(a->ring, span_of(token), k.hash);
	err = service_wait_change(a->store, 0, keys, COUNT_OF(keys), apply_key,
				  &k);
	if (err == -ENOENT)
		(void)diag_set(d, "there is no application %s", k.application);
	else if (err == -EMLINK)
		(void)diag_set(d,
			       "%d keys of this name are live: revoke one "
			       "first",
			       LIVE_KEYS_MAX);
	if (!err) {
		o = key_json(&k);
		(void)json_object_set_new(o, "token", json_string(token));
		*json = js_text(o);
	}
	crypto_wipe(token, sizeof(token));
	return err ? service_admin_failed(d, err) : 0;
}

int service_key_list(const struct service_admin *a, const char *application,
		     char **json, struct diag *d)
{
	const struct store_query q = {.kind = SERVICE_KIND_KEY,
				      .owner = application};
	AUTO_JSON json_t *list = json_array();
	struct service_found *found;
	size_t count;
	int err = service_wait_list(a->store, &q, &found, &count);

	if (err)
		return service_admin_failed(d, err);
	for (size_t i = 0; i < count; i++) {
		struct service_key k;

		if (service_key_unpack(found[i].value, &k) == 0)
			(void)json_array_append_new(list, key_json(&k));
	}
	service_found_free(found, count);
	*json = js_text(list);
	return 0;
}

static int apply_revoke(struct store_tx *tx, void *ctx)
{
	const struct service_key *k = ctx;
	struct slot slot = {0}, left = {0};
	struct span was;

	if (!store_tx_get(tx, AT_KEY, &was))
		return -ENOENT;
	if (store_tx_get(tx, AT_SLOT, &was))
		slot_read(was, store_tx_now(tx), &slot);
	for (size_t i = 0; i < slot.count; i++)
		if (strcmp(slot.live[i].id, k->id) != 0)
			left.live[left.count++] = slot.live[i];
	if (left.count)
		slot_write(tx, AT_SLOT, &left);
	else
		store_tx_delete(tx, AT_SLOT);
	store_tx_delete(tx, AT_KEY);
	service_version_next(tx, AT_VERSION);
	service_audit(tx, "key.revoke", k->id);
	return 0;
}

/* The record of a key.  -ENOENT. */
static int find_key(const struct service_admin *a, const char *id,
		    struct service_key *out)
{
	struct service_found *found;
	size_t count;
	int err = service_wait_get(a->store, 0, SERVICE_KIND_KEY, id, &found,
				   &count);

	if (err)
		return err;
	err = count ? service_key_unpack(found->value, out) : -ENOENT;
	service_found_free(found, count);
	return err;
}

int service_key_revoke(const struct service_admin *a, const char *key_id,
		       struct diag *d)
{
	char slot[SLOT_BYTES];
	struct service_key k;
	const struct store_key keys[] = {
		[AT_KEY] = {SERVICE_KIND_KEY, k.id},
		[AT_SLOT] = {SERVICE_KIND_NAME, slot},
		[AT_VERSION] = service_keys_meta,
	};
	int err = -ENOENT;

	if (key_id && *key_id && strlen(key_id) < VERIFICATION_APP_BYTES)
		err = find_key(a, key_id, &k);
	if (!err) {
		slot_name(&k, slot);
		err = service_wait_change(a->store, 0, keys, COUNT_OF(keys),
					  apply_revoke, &k);
	}
	if (err == -ENOENT)
		(void)diag_set(d, "there is no such key");
	return err ? service_admin_failed(d, err) : 0;
}
