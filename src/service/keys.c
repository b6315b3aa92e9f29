// SPDX-License-Identifier: Apache-2.0
/*
 * keys.c - who asks: the authorization table, in memory.
 *
 * A table never changes; a new one takes its place.  It is read again when its
 * version in the store went up: looked for every few seconds, because a command
 * beside the server may have done it, and at once when the event of such a
 * change passes by in this process.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/service_priv.h"

struct service_keys {
	struct map *keys; /* id -> struct service_key */
	struct map *apps; /* name -> struct service_app */
};

static void free_value(const char *key, void *value, void *ctx)
{
	(void)key;
	(void)ctx;
	free(value);
}

static struct service_keys *table_new(void)
{
	struct service_keys *t = b_zero(1, sizeof(*t));

	t->keys = map_new();
	t->apps = map_new();
	return t;
}

static void table_free(struct service_keys *t)
{
	if (!t)
		return;
	map_each(t->keys, free_value, NULL);
	map_each(t->apps, free_value, NULL);
	map_free(t->keys);
	map_free(t->apps);
	free(t);
}

static void add_key(struct service_keys *t, struct span record)
{
	struct service_key *k = b_zero(1, sizeof(*k));

	if (map_count(t->keys) >= SERVICE_KEYS_MAX ||
	    service_key_unpack(record, k) != 0) {
		free(k);
		return;
	}
	free(map_put(t->keys, k->id, k));
}

static void add_app(struct service_keys *t, struct span record)
{
	struct service_app *a = b_zero(1, sizeof(*a));

	if (service_app_unpack(record, a) != 0) {
		free(a);
		return;
	}
	free(map_put(t->apps, a->name, a));
}

static void swap(struct service *sv, struct service_keys *t)
{
	struct service_keys *old;

	(void)pthread_rwlock_wrlock(&sv->keys_lock);
	old = sv->keys;
	sv->keys = t;
	(void)pthread_rwlock_unlock(&sv->keys_lock);
	table_free(old);
}

/* --- asking ----------------------------------------------------------------------- */

enum { PREFIX = 4, NAME = SERVICE_KEY_ID_BYTES - PREFIX - 1 };

/* "vok<20><43>" is "vok_<20>_<43>": there are clients (Twilio's for Go) that
 * send no token but of letters and digits.  Wipe `out`. */
static struct span whole_token(struct span token, char out[SERVICE_TOKEN_BYTES])
{
	bool bare = token.n == SERVICE_TOKEN_BARE &&
		    span_starts(token, "vok") && token.p[PREFIX - 1] != '_';

	if (!bare)
		return token;
	(void)snprintf(out, SERVICE_TOKEN_BYTES, "vok_%.*s_%.*s", (int)NAME,
		       token.p + PREFIX - 1,
		       (int)(token.n - (PREFIX - 1) - NAME),
		       token.p + PREFIX - 1 + NAME);
	return span_of(out);
}

/* "vok_<20>_<43>" names key "key_<20>". */
static bool id_of_token(struct span token, char out[SERVICE_KEY_ID_BYTES])
{
	if (token.n >= SERVICE_TOKEN_BYTES || token.n < PREFIX + NAME + 2 ||
	    !span_starts(token, "vok_") || token.p[PREFIX + NAME] != '_')
		return false;
	memcpy(out, "key_", PREFIX);
	memcpy(out + PREFIX, token.p + PREFIX, NAME);
	out[PREFIX + NAME] = '\0';
	return true;
}

static bool fits(const struct service_key *k, const uint8_t *hash, int64_t now)
{
	static const uint8_t nothing[CRYPTO_HASH_BYTES];
	bool same =
		crypto_equal(k ? k->hash : nothing, hash, CRYPTO_HASH_BYTES);

	return k && same && (k->expires_ms == 0 || k->expires_ms > now);
}

static bool authorize(struct service *sv, const char *key_id, struct span token,
		      struct service_who *out)
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	char id[SERVICE_KEY_ID_BYTES] = "";
	const struct service_key *k;
	bool good;

	if (!id_of_token(token, id) || (key_id && strcmp(key_id, id) != 0))
		return false;
	service_token_hash(sv->p.ring, token, hash);
	(void)pthread_rwlock_rdlock(&sv->keys_lock);
	k = map_get(sv->keys->keys, id);
	good = fits(k, hash, clock_wall_ms(sv->p.clock));
	if (good) {
		memcpy(out->application, k->application,
		       sizeof(out->application));
		memcpy(out->key_id, k->id, sizeof(out->key_id));
		out->scopes = k->scopes;
	}
	(void)pthread_rwlock_unlock(&sv->keys_lock);
	crypto_wipe(hash, sizeof(hash));
	return good;
}

bool service_authorize(struct service *sv, const char *key_id,
		       struct span token, struct service_who *out)
{
	char whole[SERVICE_TOKEN_BYTES] = "";
	bool good = authorize(sv, key_id, whole_token(token, whole), out);

	crypto_wipe(whole, sizeof(whole));
	return good;
}

static bool listed(const struct service_app *a, const char *brand)
{
	for (size_t i = 0; i < a->brands_count; i++)
		if (strcmp(a->brands[i], brand) == 0)
			return true;
	return a->brands_count == 0;
}

bool service_brand_allowed(struct service *sv, const char *application,
			   const char *brand)
{
	const struct service_app *a;
	bool allowed;

	(void)pthread_rwlock_rdlock(&sv->keys_lock);
	a = map_get(sv->keys->apps, application);
	allowed = !a || listed(a, brand);
	(void)pthread_rwlock_unlock(&sv->keys_lock);
	return allowed;
}

bool service_app_find(struct service *sv, const char *application,
		      struct service_app *out)
{
	const struct service_app *a;

	(void)pthread_rwlock_rdlock(&sv->keys_lock);
	a = map_get(sv->keys->apps, application);
	if (a)
		*out = *a;
	(void)pthread_rwlock_unlock(&sv->keys_lock);
	return a != NULL;
}

/* --- reading them ------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	void (*add)(struct service_keys *t, struct span record);
} kinds[] = {
	{SERVICE_KIND_APP, add_app},
	{SERVICE_KIND_KEY, add_key},
};

static int load_kind(struct service *sv, const struct kind *kind,
		     struct service_keys *t)
{
	const struct store_query q = {.kind = kind->name};
	struct service_found *found;
	size_t count;
	int err = service_wait_list(sv->p.store, &q, &found, &count);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		kind->add(t, found[i].value);
	service_found_free(found, count);
	return 0;
}

static int load_version(struct service *sv)
{
	struct service_found *found;
	size_t count;
	int err = service_wait_get(sv->p.store, 0, service_keys_meta.kind,
				   service_keys_meta.id, &found, &count);

	if (err)
		return err;
	if (count)
		err = service_version_read(found->value, &sv->keys_version);
	service_found_free(found, count);
	return err;
}

int service_keys_load(struct service *sv, struct diag *d)
{
	struct service_keys *t = table_new();
	/* first: what changes meanwhile is then looked for again */
	int err = load_version(sv);

	for (size_t i = 0; !err && i < COUNT_OF(kinds); i++)
		err = load_kind(sv, &kinds[i], t);
	if (err) {
		table_free(t);
		(void)diag_set(d, "the keys cannot be read: %s",
			       strerrordesc_np(-err));
		return err;
	}
	swap(sv, t);
	return 0;
}

void service_keys_free(struct service *sv)
{
	table_free(sv->keys);
	sv->keys = NULL;
}

/* --- reading them again ----------------------------------------------------------------- */

struct look {
	struct service *sv;
	int err;
	int64_t version;
	struct service_keys *table;
	size_t kind; /* of kinds[] */
	char cursor[STORE_CURSOR_BYTES];
	struct post post;
};

static void next_page(struct look *l);

static void look_end(struct look *l)
{
	struct service *sv = l->sv;
	bool again = sv->keys_again;

	if (l->err)
		log_warn("keys.not_read", "errno", LOG_I(-l->err), NULL);
	table_free(l->table);
	free(l);
	sv->keys_loading = sv->keys_again = false;
	if (again && !atomic_load(&sv->ended))
		service_keys_look(sv);
}

static void page_back(void *ctx)
{
	struct look *l = ctx;
	struct service *sv = l->sv;

	if (!l->err && !l->cursor[0])
		l->kind++;
	if (!l->err && l->kind < COUNT_OF(kinds) && !atomic_load(&sv->ended)) {
		next_page(l);
	} else {
		if (!l->err && l->kind == COUNT_OF(kinds)) {
			swap(sv, l->table);
			l->table = NULL;
			sv->keys_version = l->version;
		}
		look_end(l);
	}
	service_out_ended(sv);
}

static void page_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct look *l = ctx;
	struct service *sv = l->sv;

	l->err = err;
	for (size_t i = 0; !err && i < count; i++)
		kinds[l->kind].add(l->table, records[i].value);
	l->cursor[0] = '\0';
	if (!err && next && strlen(next) < sizeof(l->cursor))
		memcpy(l->cursor, next, strlen(next) + 1);
	loop_post(sv->p.line, &l->post, page_back, l);
	service_out_came_back(sv);
}

static void next_page(struct look *l)
{
	const struct store_query q = {
		.kind = kinds[l->kind].name,
		.limit = STORE_PAGE_MAX,
		.cursor = l->cursor[0] ? l->cursor : NULL,
	};
	int err;

	service_out_begin(l->sv);
	err = store_list(l->sv->p.store, &q, page_done, l);
	if (err)
		page_done(err, NULL, 0, NULL, l);
}

static void version_back(void *ctx)
{
	struct look *l = ctx;
	struct service *sv = l->sv;

	if (l->err || l->version == sv->keys_version ||
	    atomic_load(&sv->ended)) {
		look_end(l);
	} else {
		l->table = table_new();
		next_page(l);
	}
	service_out_ended(sv);
}

static void version_done(int err, const struct store_record *records,
			 size_t count, const char *next, void *ctx)
{
	struct look *l = ctx;
	struct service *sv = l->sv;

	(void)next;
	if (!err && count)
		err = service_version_read(records->value, &l->version);
	l->err = err;
	loop_post(sv->p.line, &l->post, version_back, l);
	service_out_came_back(sv);
}

void service_keys_look(struct service *sv)
{
	struct look *l;
	int err;

	if (sv->keys_loading) {
		sv->keys_again = true;
		return;
	}
	sv->keys_loading = true;
	l = b_zero(1, sizeof(*l));
	l->sv = sv;
	service_out_begin(sv);
	err = store_get(sv->p.store, 0, service_keys_meta.kind,
			service_keys_meta.id, version_done, l);
	if (err)
		version_done(err, NULL, 0, NULL, l);
}

static void look_posted(void *ctx)
{
	struct service *sv = ctx;

	if (!atomic_load(&sv->ended))
		service_keys_look(sv);
	service_out_ended(sv);
}

void service_keys_changed(struct service *sv)
{
	service_out_begin(sv);
	service_out_came_back(sv);
	loop_call(sv->p.line, look_posted, sv);
}
