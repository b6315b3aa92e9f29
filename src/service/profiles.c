// SPDX-License-Identifier: Apache-2.0
/*
 * profiles.c - small documents that a face keeps for an application.
 *
 * All of an application's lie in one partition, each kind with a record that
 * counts them, so that a bound holds however many are added at once.  What goes
 * with its parent goes before it: a removal that a crash cut short is begun
 * once more by whoever finds the parent still there.
 */
#include "service/profiles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tlv.h"
#include "service/service_priv.h"

enum {
	PROFILE_ID = 1,
	PROFILE_KIND,
	PROFILE_PARENT,
	PROFILE_JSON,
	PROFILE_CREATED,
	PROFILE_UPDATED,
};
enum { COUNT_PROFILES = 1 };
enum { AT_PROFILE, AT_COUNT };
enum {
	NAME_RAW = 16,
	NAME_BYTES = 2 * NAME_RAW + 1,
	PROFILE_RECORD_MAX = SERVICE_PROFILE_MAX + 512,
	/* of one removal: far more than hang together, so it ends */
	GOES_MAX = 8 * SERVICE_PROFILES_MAX,
};
_Static_assert((int)SERVICE_PROFILE_KIND_BYTES <= (int)STORE_LABEL_MAX + 1,
	       "a kind is a label");

/* --- records -------------------------------------------------------------------- */

static void pack(const struct service_profile *p, struct buf *out)
{
	tlv_text(out, PROFILE_ID, p->id);
	tlv_text(out, PROFILE_KIND, p->kind);
	tlv_text(out, PROFILE_PARENT, p->parent);
	tlv_text(out, PROFILE_JSON, p->json);
	tlv_int(out, PROFILE_CREATED, p->created_ms);
	tlv_int(out, PROFILE_UPDATED, p->updated_ms);
}

static int take(const struct tlv *f, struct service_profile *p, char **json)
{
	switch (f->tag) {
	case PROFILE_ID:
		return tlv_get_text(f, p->id, sizeof(p->id));
	case PROFILE_KIND:
		return tlv_get_text(f, p->kind, sizeof(p->kind));
	case PROFILE_PARENT:
		return tlv_get_text(f, p->parent, sizeof(p->parent));
	case PROFILE_JSON:
		free(*json);
		*json = b_strndup(f->bytes.p, f->bytes.n);
		return 0;
	case PROFILE_CREATED:
		return tlv_get_int(f, &p->created_ms);
	case PROFILE_UPDATED:
		return tlv_get_int(f, &p->updated_ms);
	default:
		return 0;
	}
}

/* p->json is *json then, which is the caller's to free, also after an error. */
static int unpack(struct span record, struct service_profile *p, char **json)
{
	struct tlv f;
	int n = 0, err = 0;

	*p = (struct service_profile){0};
	while (!err && (n = tlv_next(&record, &f)) > 0)
		err = take(&f, p, json);
	p->json = *json ? *json : "";
	return err ? err : n;
}

static int count_read(const struct store_tx *tx, int64_t *count)
{
	struct span record;
	struct tlv f;
	int n;

	*count = 0;
	if (!store_tx_get(tx, AT_COUNT, &record))
		return 0;
	while ((n = tlv_next(&record, &f)) > 0)
		if (f.tag == COUNT_PROFILES && tlv_get_int(&f, count) != 0)
			return -EBADMSG;
	return n;
}

static void count_write(struct store_tx *tx, int64_t count)
{
	AUTO_BUF(record, PROFILE_RECORD_MAX);

	tlv_int(&record, COUNT_PROFILES, count);
	store_tx_put(tx, AT_COUNT, buf_view(&record), NULL);
}

/* A name of any length as one that the store takes. */
static void name_of(const char *application, const char *kind, const char *id,
		    char out[NAME_BYTES])
{
	uint8_t hash[CRYPTO_HASH_BYTES];
	AUTO_BUF(text, PROFILE_RECORD_MAX);

	/* lengths in front, so that no two make one text */
	tlv_text(&text, 1, application);
	tlv_text(&text, 2, kind);
	tlv_text(&text, 3, id);
	crypto_sha256(text.p, text.n, hash);
	crypto_hex(hash, NAME_RAW, out);
}

/* Where the records of one profile are. */
struct at {
	unsigned partition;
	char profile[NAME_BYTES], count[NAME_BYTES];
};

static unsigned partition_of(const char *application)
{
	uint8_t hash[CRYPTO_HASH_BYTES];

	crypto_sha256(application, strlen(application), hash);
	return hash[0];
}

static void find_at(const char *application, const char *kind, const char *id,
		    struct at *out)
{
	out->partition = partition_of(application);
	name_of(application, kind, id, out->profile);
	name_of(application, kind, "", out->count);
}

/* --- a request ---------------------------------------------------------------------- */

/* One that was found, and what belongs to it. */
struct found {
	char kind[SERVICE_PROFILE_KIND_BYTES], id[SERVICE_PROFILE_ID_BYTES];
};

struct profiling {
	struct service *sv;
	service_profiles_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES];
	struct service_profile p; /* asked for; then, as it is */
	char *json;               /* of p, owned */
	char kind[SERVICE_PROFILE_KIND_BYTES], parent[NAME_BYTES];
	bool of_parent;
	struct service_profile *list; /* their texts are owned */
	size_t count;
	/* of a removal: those that go; how many were looked at for children */
	struct found *goes;
	size_t goes_count, looked;
	struct service_refusal no;
};

static struct profiling *profiling_new(struct service *sv,
				       const struct service_who *who,
				       const char *kind, const char *id,
				       service_profiles_h *done)
{
	struct profiling *g = b_zero(1, sizeof(*g));

	g->sv = sv;
	g->done = done;
	memcpy(g->application, who->application, sizeof(g->application));
	(void)snprintf(g->p.kind, sizeof(g->p.kind), "%s", kind);
	(void)snprintf(g->p.id, sizeof(g->p.id), "%s", id ? id : "");
	return g;
}

static void end(struct profiling *g, const struct service_refusal *no,
		const struct service_profile *profiles, size_t count)
{
	g->done(no, profiles, count, g->ctx);
	for (size_t i = 0; i < g->count; i++) {
		union {
			const char *theirs;
			char *ours;
		} text = {.theirs = g->list[i].json};

		free(text.ours);
	}
	free(g->list);
	free(g->goes);
	free(g->json);
	free(g);
}

static void refuse(struct profiling *g, int err)
{
	if (err == -ENOENT)
		service_refuse(&g->no, "not_found", "", "there is no such %s",
			       g->p.kind);
	else if (err == -EEXIST)
		service_refuse(&g->no, "conflict", "id",
			       "this id is taken already");
	else if (err == -EDQUOT)
		service_refuse(&g->no, "conflict", "",
			       "an application has at most %d of them",
			       SERVICE_PROFILES_MAX);
	else
		service_refuse_store(&g->no, err);
	end(g, &g->no, NULL, 0);
}

static void refuse_posted(void *ctx)
{
	struct profiling *g = ctx;

	end(g, &g->no, NULL, 0);
}

/* A handler is never run from inside the request. */
static void refuse_soon(struct profiling *g, int err)
{
	if (err == -EINVAL)
		service_refuse(&g->no, "invalid_field", "",
			       "an id, a kind and at most %d bytes are needed",
			       SERVICE_PROFILE_MAX);
	else
		service_refuse_store(&g->no, err);
	loop_call(g->sv->p.line, refuse_posted, g);
}

static int change(struct profiling *g, const char *kind, const char *id,
		  store_apply_h *apply, store_done_h *done)
{
	struct at at;
	const struct store_key keys[] = {
		[AT_PROFILE] = {SERVICE_KIND_PROFILE, at.profile},
		[AT_COUNT] = {SERVICE_KIND_PROFILES, at.count},
	};

	find_at(g->application, kind, id, &at);
	return store_change(g->sv->p.store, at.partition, keys, COUNT_OF(keys),
			    apply, done, g);
}

/* --- add and change ------------------------------------------------------------------ */

static void put(struct store_tx *tx, const struct profiling *g)
{
	AUTO_BUF(record, PROFILE_RECORD_MAX);
	char parent[NAME_BYTES] = "";

	if (g->p.parent[0])
		name_of(g->application, "", g->p.parent, parent);
	pack(&g->p, &record);
	store_tx_put(tx, AT_PROFILE, buf_view(&record),
		     &(struct store_index){
			     .time_ms = g->p.created_ms,
			     .owner = g->application,
			     .hash = parent,
			     .label = g->p.kind,
		     });
}

static int apply_add(struct store_tx *tx, void *ctx)
{
	struct profiling *g = ctx;
	struct span was;
	int64_t count;
	int err;

	if (store_tx_get(tx, AT_PROFILE, &was))
		return -EEXIST;
	err = count_read(tx, &count);
	if (err)
		return err;
	if (count >= SERVICE_PROFILES_MAX)
		return -EDQUOT;
	g->p.created_ms = g->p.updated_ms = store_tx_now(tx);
	put(tx, g);
	count_write(tx, count + 1);
	return 0;
}

/* It stays where it belongs. */
static int apply_change(struct store_tx *tx, void *ctx)
{
	struct profiling *g = ctx;
	struct service_profile old;
	char *json = NULL;
	struct span was;
	int err;

	if (!store_tx_get(tx, AT_PROFILE, &was))
		return -ENOENT;
	err = unpack(was, &old, &json);
	free(json);
	if (err)
		return err;
	memcpy(g->p.parent, old.parent, sizeof(g->p.parent));
	g->p.created_ms = old.created_ms;
	g->p.updated_ms = store_tx_now(tx);
	put(tx, g);
	return 0;
}

static void changed(const struct store_result *r, void *ctx)
{
	struct profiling *g = ctx;

	if (r->err)
		refuse(g, r->err);
	else
		end(g, NULL, &g->p, 1);
}

static bool good(const struct service_profile *p)
{
	return p->id[0] && p->kind[0] && p->json &&
	       strnlen(p->json, SERVICE_PROFILE_MAX + 1) <= SERVICE_PROFILE_MAX;
}

static void write(struct profiling *g, const struct service_profile *p,
		  store_apply_h *apply)
{
	int err = good(p) ? 0 : -EINVAL;

	memcpy(g->p.parent, p->parent, sizeof(g->p.parent));
	if (!err) {
		g->json = b_strdup(p->json);
		g->p.json = g->json;
		err = change(g, p->kind, p->id, apply, changed);
	}
	if (err)
		refuse_soon(g, err);
}

void service_profile_add(struct service *sv, const struct service_who *who,
			 const struct service_profile *p,
			 service_profiles_h *done, void *ctx)
{
	struct profiling *g = profiling_new(sv, who, p->kind, p->id, done);

	g->ctx = ctx;
	write(g, p, apply_add);
}

void service_profile_change(struct service *sv, const struct service_who *who,
			    const struct service_profile *p,
			    service_profiles_h *done, void *ctx)
{
	struct profiling *g = profiling_new(sv, who, p->kind, p->id, done);

	g->ctx = ctx;
	write(g, p, apply_change);
}

/* --- read and list ---------------------------------------------------------------------- */

static int get(struct profiling *g, store_records_h *done)
{
	struct at at;

	find_at(g->application, g->p.kind, g->p.id, &at);
	return store_get(g->sv->p.store, at.partition, SERVICE_KIND_PROFILE,
			 at.profile, done, g);
}

static void read_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct profiling *g = ctx;

	(void)next;
	if (!err && count == 0)
		err = -ENOENT;
	if (!err)
		err = unpack(records->value, &g->p, &g->json);
	if (err)
		refuse(g, err);
	else
		end(g, NULL, &g->p, 1);
}

void service_profile_read(struct service *sv, const struct service_who *who,
			  const char *kind, const char *id,
			  service_profiles_h *done, void *ctx)
{
	struct profiling *g = profiling_new(sv, who, kind, id, done);
	int err;

	g->ctx = ctx;
	err = get(g, read_done);
	if (err)
		refuse_soon(g, err);
}

static int list_from(struct profiling *g, const char *cursor);

static int keep_page(struct profiling *g, const struct store_record *records,
		     size_t count)
{
	int err = 0;

	g->list = b_grow(g->list, g->count + count + 1, sizeof(*g->list));
	for (size_t i = 0; i < count && !err; i++) {
		char *json = NULL;

		err = unpack(records[i].value, &g->list[g->count], &json);
		if (err) {
			free(json);
			continue;
		}
		g->list[g->count++].json = json ? json : b_strdup("");
	}
	return err;
}

static void list_done(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct profiling *g = ctx;

	if (!err)
		err = keep_page(g, records, count);
	if (!err && next) {
		err = list_from(g, next);
		if (!err)
			return;
	}
	if (err)
		refuse(g, err);
	else
		end(g, NULL, g->list, g->count);
}

static int list_from(struct profiling *g, const char *cursor)
{
	const struct store_query q = {.kind = SERVICE_KIND_PROFILE,
				      .owner = g->application,
				      .label = g->p.kind,
				      .hash = g->of_parent ? g->parent : NULL,
				      .limit = STORE_PAGE_MAX,
				      .cursor = cursor};

	return store_list(g->sv->p.store, &q, list_done, g);
}

void service_profile_list(struct service *sv, const struct service_who *who,
			  const char *kind, const char *parent,
			  service_profiles_h *done, void *ctx)
{
	struct profiling *g = profiling_new(sv, who, kind, NULL, done);
	int err;

	g->ctx = ctx;
	g->of_parent = parent != NULL;
	if (parent)
		name_of(g->application, "", parent, g->parent);
	err = list_from(g, NULL);
	if (err)
		refuse_soon(g, err);
}

/* --- remove ------------------------------------------------------------------------------- */

static int children_from(struct profiling *g, const char *cursor);

static void goes(struct profiling *g, const struct service_profile *p)
{
	struct found *f;

	g->goes = b_grow(g->goes, g->goes_count + 1, sizeof(*g->goes));
	f = &g->goes[g->goes_count++];
	memcpy(f->kind, p->kind, sizeof(f->kind));
	memcpy(f->id, p->id, sizeof(f->id));
}

static int apply_remove(struct store_tx *tx, void *ctx)
{
	struct span was;
	int64_t count;
	int err = count_read(tx, &count);

	(void)ctx;
	if (err || !store_tx_get(tx, AT_PROFILE, &was))
		return err;
	store_tx_delete(tx, AT_PROFILE);
	count_write(tx, count > 0 ? count - 1 : 0);
	return 0;
}

static void removed(const struct store_result *r, void *ctx);

/* From the last to the first, which is the one that was asked for. */
static void remove_next(struct profiling *g)
{
	const struct found *f;
	int err;

	if (g->goes_count == 0) {
		end(g, NULL, NULL, 0);
		return;
	}
	f = &g->goes[--g->goes_count];
	err = change(g, f->kind, f->id, apply_remove, removed);
	if (err)
		refuse(g, err);
}

static void removed(const struct store_result *r, void *ctx)
{
	struct profiling *g = ctx;

	if (r->err)
		refuse(g, r->err);
	else
		remove_next(g);
}

static bool is_itself(const struct profiling *g,
		      const struct service_profile *p)
{
	const struct found *f = &g->goes[g->looked];

	return strcmp(p->id, f->id) == 0 && strcmp(p->kind, f->kind) == 0;
}

static int keep_children(struct profiling *g,
			 const struct store_record *records, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		struct service_profile p;
		char *json = NULL;

		err = unpack(records[i].value, &p, &json);
		free(json);
		if (!err && g->goes_count < GOES_MAX && !is_itself(g, &p))
			goes(g, &p);
	}
	return err;
}

static void children_done(int err, const struct store_record *records,
			  size_t count, const char *next, void *ctx)
{
	struct profiling *g = ctx;

	if (!err)
		err = keep_children(g, records, count);
	if (!err && !next)
		g->looked++;
	if (!err && g->looked == g->goes_count) {
		remove_next(g);
		return;
	}
	if (!err)
		err = children_from(g, next);
	if (err)
		refuse(g, err);
}

/* Of any kind, of the one that comes next. */
static int children_from(struct profiling *g, const char *cursor)
{
	const struct store_query q = {.kind = SERVICE_KIND_PROFILE,
				      .owner = g->application,
				      .hash = g->parent,
				      .limit = STORE_PAGE_MAX,
				      .cursor = cursor};

	name_of(g->application, "", g->goes[g->looked].id, g->parent);
	return store_list(g->sv->p.store, &q, children_done, g);
}

static void there(int err, const struct store_record *records, size_t count,
		  const char *next, void *ctx)
{
	struct profiling *g = ctx;

	(void)records;
	(void)next;
	if (!err && count == 0)
		err = -ENOENT;
	if (!err) {
		goes(g, &g->p);
		err = children_from(g, NULL);
	}
	if (err)
		refuse(g, err);
}

void service_profile_remove(struct service *sv, const struct service_who *who,
			    const char *kind, const char *id,
			    service_profiles_h *done, void *ctx)
{
	struct profiling *g = profiling_new(sv, who, kind, id, done);
	int err;

	g->ctx = ctx;
	err = get(g, there);
	if (err)
		refuse_soon(g, err);
}
