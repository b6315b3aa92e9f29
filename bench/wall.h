// SPDX-License-Identifier: Apache-2.0
/*
 * wall.h - libmicrohttpd alone: what no server on top of it can beat.
 *
 * It answers every request with a short JSON text, at once, or suspended and
 * answered by another thread, as a server with a store must.
 */
#pragma once

#include <stdbool.h>

#include "base/list.h"

/* The text, which must not change while it runs. */
extern char wall_answer[];

/* The port, or 0.  A suspending one needs wall_serve() beside it. */
unsigned wall_start(bool suspends, unsigned threads);
/* Answers what is suspended, for ever. */
void wall_serve(void);

/* The hand-over to the thread that answers; one for a process.  take() gives
 * all that waits, and waits for some. */
void wall_put(struct link *l);
void wall_take(struct link *all);
