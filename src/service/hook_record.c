// SPDX-License-Identifier: Apache-2.0
/*
 * hook_record.c - how far somebody was told, as a record.
 *
 * It is written by the first try, not by the create: a verification that nobody
 * has to be told of costs nothing, and the create's change stays small.  Its
 * row in the queue is pushed by every event (event.c).  Since a row that was
 * acked is never used again, one that is told once more later has another.
 */
#include "service/hook_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/hook_priv.h"

enum {
	TAG_APPLICATION = 1,
	TAG_URL,
	TAG_FORM,
	TAG_STATE,
	TAG_CURSOR,
	TAG_FAILURES,
	TAG_CREATED,
	TAG_NEXT,
	TAG_ROW,
	TAG_GONE,
	TAG_AGAIN,
	TAG_AGAIN_FAILURES,
	TAG_TRY,
};
enum {
	TRY_EVENT = 1,
	TRY_TYPE,
	TRY_TIME,
	TRY_TOOK,
	TRY_STATUS,
	TRY_FAULT,
	TRY_TOLD,
	TRY_ID,
};
enum { TRY_MAX = 512 /* bytes of one */ };

const char *service_hook_state_text(enum service_hook_state s)
{
	static const char *const texts[SERVICE_HOOK_STATES] = {
		[SERVICE_HOOK_TOLD] = "told",
		[SERVICE_HOOK_WAITING] = "waiting",
		[SERVICE_HOOK_FAILED] = "failed",
		[SERVICE_HOOK_GONE] = "gone",
		[SERVICE_HOOK_OFF] = "off",
	};

	return texts[s];
}

void service_hook_first(const struct verification *v, struct hook *out)
{
	const struct service_hook_form *form = service_hook_form_of(v);

	memset(out, 0, sizeof(*out));
	(void)snprintf(out->application, sizeof(out->application), "%s",
		       v->application);
	(void)snprintf(out->url, sizeof(out->url), "%s", v->webhook);
	(void)snprintf(out->form, sizeof(out->form), "%s",
		       form ? form->name : "");
	out->state = SERVICE_HOOK_WAITING;
	out->created_ms = v->created_ms;
}

/* --- packing --------------------------------------------------------------------- */

static void pack_try(const struct service_hook_try *t, struct buf *out)
{
	AUTO_BUF(one, TRY_MAX);

	tlv_text(&one, TRY_EVENT, t->event);
	tlv_text(&one, TRY_TYPE, t->type);
	tlv_text(&one, TRY_ID, t->webhook_id);
	tlv_int(&one, TRY_TIME, t->time_ms);
	tlv_int(&one, TRY_TOOK, t->took_ms);
	tlv_int(&one, TRY_STATUS, t->status);
	tlv_text(&one, TRY_FAULT, t->fault);
	tlv_int(&one, TRY_TOLD, t->told);
	tlv_bytes(out, TAG_TRY, one.p, one.n);
}

void service_hook_pack(const struct hook *h, struct buf *out)
{
	tlv_text(out, TAG_APPLICATION, h->application);
	tlv_text(out, TAG_URL, h->url);
	tlv_text(out, TAG_FORM, h->form);
	tlv_int(out, TAG_STATE, (int64_t)h->state);
	tlv_text(out, TAG_CURSOR, h->cursor);
	tlv_int(out, TAG_FAILURES, h->failures);
	tlv_int(out, TAG_CREATED, h->created_ms);
	tlv_int(out, TAG_NEXT, h->next_ms);
	tlv_int(out, TAG_ROW, h->row);
	tlv_int(out, TAG_GONE, h->gone);
	tlv_int(out, TAG_AGAIN_FAILURES, h->again_failures);
	for (size_t i = 0; i < h->again_count; i++)
		tlv_text(out, TAG_AGAIN, h->again[i]);
	for (size_t i = 0; i < h->tries_count; i++)
		pack_try(&h->tries[i], out);
}

static int get_unsigned(const struct tlv *f, int64_t most, unsigned *out)
{
	int64_t n = 0;
	int err = tlv_get_int(f, &n);

	if (!err && (n < 0 || n > most))
		err = -EBADMSG;
	if (!err)
		*out = (unsigned)n;
	return err;
}

static int get_bool(const struct tlv *f, bool *out)
{
	unsigned n = 0;
	int err = get_unsigned(f, 1, &n);

	if (!err)
		*out = n != 0;
	return err;
}

static int try_field(const struct tlv *f, struct service_hook_try *t)
{
	switch (f->tag) {
	case TRY_EVENT:
		return tlv_get_text(f, t->event, sizeof(t->event));
	case TRY_TYPE:
		return tlv_get_text(f, t->type, sizeof(t->type));
	case TRY_ID:
		return tlv_get_text(f, t->webhook_id, sizeof(t->webhook_id));
	case TRY_TIME:
		return tlv_get_int(f, &t->time_ms);
	case TRY_TOOK:
		return tlv_get_int(f, &t->took_ms);
	case TRY_STATUS:
		return get_unsigned(f, UINT16_MAX, &t->status);
	case TRY_FAULT:
		return tlv_get_text(f, t->fault, sizeof(t->fault));
	case TRY_TOLD:
		return get_bool(f, &t->told);
	default:
		return 0;
	}
}

static int unpack_try(struct span record, struct hook *h)
{
	struct service_hook_try *t;
	struct tlv f;
	int n = 0, err = 0;

	if (h->tries_count == SERVICE_HOOK_TRIES_MAX)
		return -EBADMSG;
	t = &h->tries[h->tries_count++];
	while (!err && (n = tlv_next(&record, &f)) > 0)
		err = try_field(&f, t);
	return err ? err : n;
}

static int unpack_state(const struct tlv *f, struct hook *h)
{
	unsigned n = 0;
	int err = get_unsigned(f, SERVICE_HOOK_STATES - 1, &n);

	if (!err)
		h->state = (enum service_hook_state)n;
	return err;
}

static int unpack_again(const struct tlv *f, struct hook *h)
{
	if (h->again_count == HOOK_AGAIN_MAX)
		return -EBADMSG;
	return tlv_get_text(f, h->again[h->again_count++], STORE_CURSOR_BYTES);
}

static int field(const struct tlv *f, struct hook *h)
{
	switch (f->tag) {
	case TAG_APPLICATION:
		return tlv_get_text(f, h->application, sizeof(h->application));
	case TAG_URL:
		return tlv_get_text(f, h->url, sizeof(h->url));
	case TAG_FORM:
		return tlv_get_text(f, h->form, sizeof(h->form));
	case TAG_STATE:
		return unpack_state(f, h);
	case TAG_CURSOR:
		return tlv_get_text(f, h->cursor, sizeof(h->cursor));
	case TAG_FAILURES:
		return get_unsigned(f, UINT32_MAX, &h->failures);
	case TAG_CREATED:
		return tlv_get_int(f, &h->created_ms);
	case TAG_NEXT:
		return tlv_get_int(f, &h->next_ms);
	case TAG_ROW:
		return get_unsigned(f, UINT32_MAX, &h->row);
	case TAG_GONE:
		return get_bool(f, &h->gone);
	case TAG_AGAIN:
		return unpack_again(f, h);
	case TAG_AGAIN_FAILURES:
		return get_unsigned(f, UINT32_MAX, &h->again_failures);
	case TAG_TRY:
		return unpack_try(f->bytes, h);
	default:
		return 0;
	}
}

int service_hook_unpack(struct span record, struct hook *out)
{
	struct tlv f;
	int n = 0, err = 0;

	memset(out, 0, sizeof(*out));
	while (!err && (n = tlv_next(&record, &f)) > 0)
		err = field(&f, out);
	return err ? err : n;
}

/* --- inside a change ---------------------------------------------------------------- */

int service_hook_get(const struct store_tx *tx, size_t key,
		     const struct verification *v, struct hook *out)
{
	struct span record;

	if (store_tx_get(tx, key, &record))
		return service_hook_unpack(record, out);
	service_hook_first(v, out);
	return 0;
}

void service_hook_put(struct store_tx *tx, size_t key, const struct service *sv,
		      const struct verification *v, const struct hook *h)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	service_hook_pack(h, &record);
	store_tx_put(tx, key, buf_view(&record),
		     &(struct store_index){
			     .time_ms = v->created_ms,
			     .owner = v->application,
			     .hash = v->number_hash,
			     .label = service_hook_state_text(h->state),
			     .expires_ms = v->created_ms +
					   atomic_load(&sv->retention_ms),
		     });
}

void service_hook_row(const char *id, unsigned row, char out[HOOK_ROW_BYTES])
{
	if (row == 0)
		(void)snprintf(out, HOOK_ROW_BYTES, "hook:%s", id);
	else
		(void)snprintf(out, HOOK_ROW_BYTES, "hook:%s:%u", id, row);
}

void service_hook_push(struct store_tx *tx, const char *id,
		       const char *application, unsigned row)
{
	char name[HOOK_ROW_BYTES], ref[STORE_ID_MAX + 1];

	service_hook_row(id, row, name);
	(void)snprintf(ref, sizeof(ref), "%s %s", id, application);
	store_tx_push(tx, &(struct store_push){
				  .lane = STORE_HOOKS,
				  .id = name,
				  .ref = ref,
				  .not_before_ms = store_tx_now(tx),
				  .gently = true,
			  });
}

void service_hook_note(struct hook *h, const struct service_hook_try *t)
{
	if (h->tries_count == SERVICE_HOOK_TRIES_MAX) {
		h->tries_count--;
		memmove(h->tries, h->tries + 1,
			h->tries_count * sizeof(h->tries[0]));
	}
	h->tries[h->tries_count++] = *t;
}

bool service_hook_ended(const struct hook *h)
{
	return h->state != SERVICE_HOOK_TOLD &&
	       h->state != SERVICE_HOOK_WAITING;
}

int service_hook_owned(struct span record, const char *application,
		       struct verification *out)
{
	int err = verification_unpack(record, out);

	if (err || strcmp(out->application, application) == 0)
		return err;
	verification_free(out);
	return -ENOENT;
}

void service_hook_id(const char *about, const char *what,
		     char out[SERVICE_HOOK_ID_BYTES])
{
	enum { HEX = SERVICE_HOOK_ID_BYTES - 5 };
	AUTO_BUF(text, SERVICE_RECORD_MAX);
	uint8_t hash[CRYPTO_HASH_BYTES];
	char hex[2 * CRYPTO_HASH_BYTES + 1];

	/* lengths in front, so that no two pairs make one text */
	tlv_text(&text, 1, about);
	tlv_text(&text, 2, what);
	crypto_sha256(text.p ? text.p : "", text.n, hash);
	crypto_hex(hash, sizeof(hash), hex);
	(void)snprintf(out, SERVICE_HOOK_ID_BYTES, "msg_%.*s", (int)HEX, hex);
}
