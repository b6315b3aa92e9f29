// SPDX-License-Identifier: Apache-2.0
/*
 * tap.c - a driver that notes a dial, and hands everything on.
 */
#include "support/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct tap {
	struct clock *clock;
	struct tap_dial *dials;
	size_t count, room;
};

struct tapped {
	struct tap *tap;
	struct tel *inner;
};

struct tap *tap_new(struct clock *clock)
{
	struct tap *t = b_zero(1, sizeof(*t));

	t->clock = clock;
	return t;
}

void tap_free(struct tap *t)
{
	if (!t)
		return;
	free(t->dials);
	free(t);
}

struct tap_call {
	struct tel_call base;
	struct tel_call *inner;
};

static void note(struct tap *t, const struct tel_params *params)
{
	struct tap_dial *d;

	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->dials = b_grow(t->dials, t->room, sizeof(*t->dials));
	}
	d = &t->dials[t->count++];
	(void)snprintf(d->call_id, sizeof(d->call_id), "%s", params->call_id);
	(void)snprintf(d->to, sizeof(d->to), "%s", params->to);
	d->wall_ms = clock_wall_ms(t->clock);
}

static int dial(void *state, const struct tel_params *params,
		struct tel_call **out)
{
	struct tapped *at = state;
	struct tap_call *c = b_zero(1, sizeof(*c));
	int err;

	note(at->tap, params);
	err = tel_dial(at->inner, params, &c->inner);
	if (err) {
		free(c);
		return err;
	}
	*out = &c->base;
	return 0;
}

static bool serves(void *state, const char *to)
{
	return tel_serves(((struct tapped *)state)->inner, to);
}

static struct tel_call *inner_of(struct tel_call *call)
{
	return ((struct tap_call *)(void *)call)->inner;
}

static int play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	return tel_call_play(inner_of(call), p, id);
}

static void stop(struct tel_call *call)
{
	tel_call_stop(inner_of(call));
}

static void hang_up(struct tel_call *call)
{
	tel_call_hang_up(inner_of(call));
}

static void close_call(struct tel_call *call)
{
	tel_call_close(inner_of(call));
	free(call);
}

static void free_tapped(void *state)
{
	tel_free(((struct tapped *)state)->inner);
	free(state);
}

static const struct tel_driver driver = {
	.name = "script",
	.dial = dial,
	.serves = serves,
	.play = play,
	.stop = stop,
	.hang_up = hang_up,
	.close = close_call,
	.free = free_tapped,
};

struct tel *tap_put(struct tap *t, struct tel *inner)
{
	struct tapped *at = b_zero(1, sizeof(*at));

	at->tap = t;
	at->inner = inner;
	return tel_new(&driver, at);
}

size_t tap_count(const struct tap *t)
{
	return t->count;
}

const struct tap_dial *tap_dial(const struct tap *t, size_t i)
{
	return &t->dials[i];
}

unsigned tap_dials_of(const struct tap *t, const char *call_id)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += strcmp(t->dials[i].call_id, call_id) == 0;
	return n;
}
