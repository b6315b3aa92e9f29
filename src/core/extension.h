// SPDX-License-Identifier: Apache-2.0
/*
 * extension.h - keys for the switchboard that answers first: "ww1234#".
 *
 * Keys and pauses, in order, sent after the answer and before anything is said.
 */
#pragma once

#include <stdbool.h>

enum {
	NUMBER_EXTENSION_BYTES = 33, /* with NUL */
	NUMBER_EXTENSION_MS_MAX = 20 * 1000,
	/* Q.24 wants 40 ms of each; old switchboards want more */
	NUMBER_KEY_MS = 100,
	NUMBER_KEY_GAP_MS = 100,    /* behind each */
	NUMBER_PAUSE_MS = 500,      /* w */
	NUMBER_LONG_PAUSE_MS = 1000 /* W */
};

/* How long it takes.  0: it is none: another character than 0-9 * # A-D w W, no
 * key at all, too many of them, or too long a time. */
unsigned number_extension_ms(const char *text);
/* Is it one of 0-9 * # A-D? */
bool number_extension_key(char c);
/* How long to wait; 0: it is no pause. */
unsigned number_extension_pause_ms(char c);
