// SPDX-License-Identifier: Apache-2.0
/*
 * list.h - a ring of links inside the things that it strings together.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *prev, *next;
};

/* The struct around a link. */
#define ll_entry(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* NOLINTBEGIN(bugprone-macro-parentheses): `at` is what they declare */
#define ll_each(at, head) \
	for (struct link *at = (head)->next; at != (head); at = at->next)
#define ll_each_safe(at, head)                                      \
	for (struct link *at = (head)->next, *at##_next = at->next; \
	     at != (head); at = at##_next, at##_next = at->next)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void ll_init(struct link *head)
{
	head->prev = head->next = head;
}

static inline bool ll_empty(const struct link *head)
{
	return head->next == head;
}

static inline void ll_append(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Taking out what is in no list is fine, as long as it was ll_init()ed. */
static inline void ll_remove(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	ll_init(l);
}

static inline struct link *ll_first(const struct link *head)
{
	return ll_empty(head) ? NULL : head->next;
}

/* Everything in `from` goes to the end of `to`; `from` is empty. */
static inline void ll_splice(struct link *to, struct link *from)
{
	if (ll_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	ll_init(from);
}
