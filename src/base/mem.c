// SPDX-License-Identifier: Apache-2.0
/*
 * mem.c - memory that is there, or the program is not.
 *
 * Nobody can do anything sensible about a failed small allocation, and the
 * branches that pretend to are never tested.  abort() says where it was.
 */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void *b_zero(size_t count, size_t size)
{
	/* calloc(0) may give NULL, which here would read as exhaustion */
	return must(count && size ? calloc(count, size) : calloc(1, 1));
}

void *b_grow(void *p, size_t count, size_t size)
{
	/* realloc to 0 would free p */
	return must(count && size ? reallocarray(p, count, size)
				  : realloc(p, 1));
}

void *b_copy(const void *p, size_t n)
{
	return n ? memcpy(must(malloc(n)), p, n) : NULL;
}

char *b_strdup(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

char *b_strndup(const char *s, size_t n)
{
	/* an empty span may have a NULL pointer */
	return must(n ? strndup(s, n) : strdup(""));
}
