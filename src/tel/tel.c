// SPDX-License-Identifier: Apache-2.0
/*
 * tel.c - from the door to the driver behind it.
 */
#include "tel/tel.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

struct tel {
	const struct tel_driver *driver;
	void *state;
};

struct tel *tel_new(const struct tel_driver *driver, void *state)
{
	struct tel *t = b_zero(1, sizeof(*t));

	t->driver = driver;
	t->state = state;
	return t;
}

void tel_free(struct tel *t)
{
	if (!t)
		return;
	t->driver->free(t->state);
	free(t);
}

const char *tel_name(const struct tel *t)
{
	return t->driver->name;
}

bool tel_serves(const struct tel *t, const char *to)
{
	return t->driver->serves(t->state, to);
}

int tel_dial(struct tel *t, const struct tel_params *params,
	     struct tel_call **out)
{
	struct tel_call *call;
	int err;

	if (!tel_serves(t, params->to))
		return -EHOSTUNREACH;
	err = t->driver->dial(t->state, params, &call);
	if (err)
		return err;
	call->driver = t->driver;
	*out = call;
	return 0;
}

int tel_call_play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	return call->driver->play(call, p, id);
}

void tel_call_stop(struct tel_call *call)
{
	call->driver->stop(call);
}

void tel_call_hang_up(struct tel_call *call)
{
	call->driver->hang_up(call);
}

void tel_call_close(struct tel_call *call)
{
	if (call)
		call->driver->close(call);
}
