// SPDX-License-Identifier: Apache-2.0
/*
 * tx.c - what one change asks for, collected.
 *
 * apply may build values on its own stack, so everything is copied, into
 * blocks that are used again for the next change.  A broken limit is
 * remembered and fails the change as a whole: apply need not check each call.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_priv.h"

enum { BLOCK_BYTES = 64 << 10 };

struct store_block {
	struct store_block *next;
	size_t used, size;
	char bytes[];
};

static struct store_block *block_new(size_t size, struct store_block *next)
{
	struct store_block *b = b_zero(1, sizeof(*b) + size);

	b->size = size;
	b->next = next;
	return b;
}

/* All blocks but the last, which is the ordinary one. */
static void drop_extra(struct store_tx *tx)
{
	struct store_block *b = tx->blocks;

	while (b && b->next) {
		struct store_block *next = b->next;

		free(b);
		b = next;
	}
	tx->blocks = b;
}

void *store_tx_keep(struct store_tx *tx, const void *p, size_t n)
{
	struct store_block *b = tx->blocks;
	size_t room = (n + 7) & ~(size_t)7;
	char *to;

	if (n == 0)
		return NULL;
	if (!b || b->size - b->used < room) {
		b = block_new(room > BLOCK_BYTES ? room : BLOCK_BYTES, b);
		tx->blocks = b;
	}
	to = b->bytes + b->used;
	b->used += room;
	return memcpy(to, p, n);
}

const char *store_tx_keep_text(struct store_tx *tx, const char *s)
{
	return s && *s ? store_tx_keep(tx, s, strlen(s) + 1) : "";
}

void store_tx_begin(struct store_tx *tx, int64_t now_ms, size_t keys)
{
	drop_extra(tx);
	if (tx->blocks)
		tx->blocks->used = 0;
	tx->now_ms = now_ms;
	tx->err = 0;
	tx->keys = keys;
	for (size_t i = 0; i < keys; i++) {
		tx->seen[i].there = false;
		tx->write[i].what = STORE_KEEP;
	}
	tx->events = tx->claims = tx->reserves = tx->moves = 0;
}

void store_tx_end(struct store_tx *tx)
{
	drop_extra(tx);
	free(tx->blocks);
	tx->blocks = NULL;
}

static bool broken(struct store_tx *tx, int err)
{
	if (tx->err == 0)
		tx->err = err;
	return tx->err != 0;
}

/* A text that may be NULL or empty. */
static bool fits(struct store_tx *tx, const char *s, size_t max)
{
	return !s || strnlen(s, max + 1) <= max || !broken(tx, -E2BIG);
}

/* A text that must be there. */
static bool named(struct store_tx *tx, const char *s)
{
	if (!s || !*s)
		return !broken(tx, -EINVAL);
	return fits(tx, s, STORE_ID_MAX);
}

int64_t store_tx_now(const struct store_tx *tx)
{
	return tx->now_ms;
}

bool store_tx_get(const struct store_tx *tx, size_t key, struct span *value)
{
	if (key >= tx->keys || !tx->seen[key].there) {
		*value = (struct span){0};
		return false;
	}
	*value = tx->seen[key].value;
	return true;
}

static bool index_fits(struct store_tx *tx, const struct store_index *x)
{
	if (x->time_ms < 0 || x->expires_ms < 0)
		return !broken(tx, -EINVAL);
	return fits(tx, x->owner, STORE_ID_MAX) &&
	       fits(tx, x->hash, STORE_ID_MAX) &&
	       fits(tx, x->label, STORE_LABEL_MAX) &&
	       fits(tx, x->group, STORE_LABEL_MAX);
}

void store_tx_put(struct store_tx *tx, size_t key, struct span value,
		  const struct store_index *index)
{
	static const struct store_index none;
	const struct store_index *x = index ? index : &none;
	struct store_write *w;

	if (key >= tx->keys) {
		(void)broken(tx, -EINVAL);
		return;
	}
	if (value.n > STORE_VALUE_MAX) {
		(void)broken(tx, -E2BIG);
		return;
	}
	if (!index_fits(tx, x))
		return;
	w = &tx->write[key];
	w->what = STORE_PUT;
	w->value = span_make(store_tx_keep(tx, value.p, value.n), value.n);
	w->index = (struct store_index){
		.time_ms = x->time_ms,
		.owner = store_tx_keep_text(tx, x->owner),
		.hash = store_tx_keep_text(tx, x->hash),
		.label = store_tx_keep_text(tx, x->label),
		.group = store_tx_keep_text(tx, x->group),
		.expires_ms = x->expires_ms,
	};
}

void store_tx_delete(struct store_tx *tx, size_t key)
{
	if (key >= tx->keys)
		(void)broken(tx, -EINVAL);
	else
		tx->write[key].what = STORE_DELETE;
}

void store_tx_event(struct store_tx *tx, const char *topic, const char *topic2,
		    const char *type, struct span json)
{
	bool second = topic2 && *topic2;

	if (!named(tx, topic) || !named(tx, type) ||
	    (second && !named(tx, topic2)))
		return;
	if (tx->events == STORE_EVENTS_MAX || json.n > STORE_EVENT_MAX) {
		(void)broken(tx, -E2BIG);
		return;
	}
	if (second && strcmp(topic, topic2) == 0)
		second = false;
	tx->event[tx->events++] = (struct store_append){
		.topic = store_tx_keep_text(tx, topic),
		.topic2 = second ? store_tx_keep_text(tx, topic2) : NULL,
		.type = store_tx_keep_text(tx, type),
		.json = span_make(store_tx_keep(tx, json.p, json.n), json.n),
	};
}

static void claim(struct store_tx *tx, const struct store_claim *c)
{
	struct store_claim *to;

	if (tx->claims == STORE_CLAIMS_MAX) {
		(void)broken(tx, -E2BIG);
		return;
	}
	to = &tx->claim[tx->claims++];
	*to = *c;
	to->counter.name = store_tx_keep_text(tx, c->counter.name);
	to->counter.holder = store_tx_keep_text(tx, c->counter.holder);
}

void store_tx_reserve(struct store_tx *tx, const struct store_counter *c)
{
	bool hold = c->window_ms == 0;

	if (!named(tx, c->name) || (hold && !named(tx, c->holder)))
		return;
	if (c->amount < (hold ? 1 : 0) || c->limit < 0 || c->window_ms < 0 ||
	    (hold && c->ttl_ms <= 0)) {
		(void)broken(tx, -EINVAL);
		return;
	}
	if (tx->reserves == STORE_COUNTERS_MAX) {
		(void)broken(tx, -E2BIG);
		return;
	}
	claim(tx, &(struct store_claim){.counter = *c,
					.place = (unsigned)tx->reserves++});
}

void store_tx_release(struct store_tx *tx, const struct store_counter *c,
		      int64_t at_ms)
{
	bool hold = c->window_ms == 0;

	if (!named(tx, c->name) || (hold && !named(tx, c->holder)))
		return;
	if (c->amount < 0 || c->window_ms < 0 || at_ms < 0) {
		(void)broken(tx, -EINVAL);
		return;
	}
	claim(tx, &(struct store_claim){
			  .counter = *c, .release = true, .at_ms = at_ms});
}

static void move(struct store_tx *tx, const struct store_move *m)
{
	struct store_move *to;

	if (!named(tx, m->push.id))
		return;
	if (tx->moves == STORE_MOVES_MAX) {
		(void)broken(tx, -E2BIG);
		return;
	}
	to = &tx->move[tx->moves++];
	*to = *m;
	to->push.id = store_tx_keep_text(tx, m->push.id);
	to->push.ref = store_tx_keep_text(tx, m->push.ref);
}

/* Once more, gently, is once. */
static bool pushed_gently(const struct store_tx *tx, const char *id)
{
	for (size_t i = 0; id && i < tx->moves; i++)
		if (tx->move[i].what == STORE_PUSH && tx->move[i].push.gently &&
		    strcmp(tx->move[i].push.id, id) == 0)
			return true;
	return false;
}

void store_tx_push(struct store_tx *tx, const struct store_push *push)
{
	if (!fits(tx, push->ref, STORE_ID_MAX))
		return;
	if ((unsigned)push->lane >= STORE_LANES || push->not_before_ms < 0 ||
	    push->lease_ms < 0 || (push->gently && push->lease_ms))
		(void)broken(tx, -EINVAL);
	else if (!push->gently || !pushed_gently(tx, push->id))
		move(tx,
		     &(struct store_move){.what = STORE_PUSH, .push = *push});
}

void store_tx_fence(struct store_tx *tx, const char *id, uint64_t fence)
{
	move(tx, &(struct store_move){
			 .what = STORE_FENCE, .push.id = id, .fence = fence});
}

void store_tx_ack(struct store_tx *tx, const char *id)
{
	move(tx, &(struct store_move){.what = STORE_ACK, .push.id = id});
}
