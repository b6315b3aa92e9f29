// SPDX-License-Identifier: Apache-2.0
/*
 * pump_ring.c - what line and pump hand each other, without a lock.
 *
 * Orders are the line's memory, in a stack that either side takes whole: the
 * pump allocates nothing and frees nothing, it gives them back.  A stream's
 * notes have their space in the stream, for one writer and one reader.
 */
#include "media/pump_priv.h"

void pump_orders_put(pump_orders *to, struct pump_order *o)
{
	struct pump_order *head =
		atomic_load_explicit(to, memory_order_relaxed);

	do {
		o->next = head;
	} while (!atomic_compare_exchange_weak(to, &head, o));
}

struct pump_order *pump_orders_take(pump_orders *from)
{
	struct pump_order *o, *oldest = NULL;

	if (!atomic_load(from))
		return NULL;
	o = atomic_exchange(from, NULL);
	while (o) {
		struct pump_order *next = o->next;

		o->next = oldest;
		oldest = o;
		o = next;
	}
	return oldest;
}

bool pump_notes_put(struct pump_notes *n, const struct pump_note *note)
{
	uint32_t at = atomic_load_explicit(&n->written, memory_order_relaxed);
	uint32_t used =
		at - atomic_load_explicit(&n->read, memory_order_acquire);
	uint32_t room = PUMP_NOTES;

	/* what can come often leaves room for what comes once */
	if (note->kind == PUMP_KEY)
		room -= PUMP_NOTES_RESERVED;
	else if (note->kind == PUMP_PLAYED)
		room -= PUMP_NOTES_RESERVED / 2;
	if (used >= room)
		return false;
	n->at[at % PUMP_NOTES] = *note;
	atomic_store_explicit(&n->written, at + 1, memory_order_release);
	return true;
}

bool pump_notes_take(struct pump_notes *n, struct pump_note *out)
{
	uint32_t at = atomic_load_explicit(&n->read, memory_order_relaxed);

	if (at == atomic_load_explicit(&n->written, memory_order_acquire))
		return false;
	*out = n->at[at % PUMP_NOTES];
	atomic_store_explicit(&n->read, at + 1, memory_order_release);
	return true;
}

void pump_give_back(struct pump *p, struct pump_order *o)
{
	pump_orders_put(&p->back, o);
	p->tell = true;
}

bool pump_tell(struct pump *p, struct pump_stream *s,
	       const struct pump_note *note)
{
	if (!pump_notes_put(&s->notes, note))
		return false;
	p->tell = true;
	/* once in the list is enough: it is emptied whole */
	if (!atomic_exchange(&s->told, true)) {
		struct pump_stream *head =
			atomic_load_explicit(&p->told, memory_order_relaxed);

		do {
			s->told_next = head;
		} while (!atomic_compare_exchange_weak(&p->told, &head, s));
	}
	return true;
}
