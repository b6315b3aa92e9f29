// SPDX-License-Identifier: Apache-2.0
/*
 * extension.c - what is dialled behind a switchboard.
 *
 * The time is bounded as well as the text: whoever answered is waiting, and the
 * call costs money.
 */
#include "core/extension.h"

#include <stddef.h>
#include <string.h>

bool number_extension_key(char c)
{
	return c && strchr("0123456789*#ABCD", c) != NULL;
}

unsigned number_extension_pause_ms(char c)
{
	if (c == 'w')
		return NUMBER_PAUSE_MS;
	return c == 'W' ? NUMBER_LONG_PAUSE_MS : 0;
}

unsigned number_extension_ms(const char *text)
{
	unsigned ms = 0, keys = 0, pause;
	size_t n = 0;

	for (; text[n]; n++) {
		pause = number_extension_pause_ms(text[n]);
		if (!pause && !number_extension_key(text[n]))
			return 0;
		if (n + 1 == NUMBER_EXTENSION_BYTES)
			return 0;
		keys += !pause;
		ms += pause ? pause : NUMBER_KEY_MS + NUMBER_KEY_GAP_MS;
	}
	return keys > 0 && ms <= NUMBER_EXTENSION_MS_MAX ? ms : 0;
}
