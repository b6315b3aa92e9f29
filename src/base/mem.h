// SPDX-License-Identifier: Apache-2.0
/*
 * mem.h - memory that is there, or the program is not.
 *
 * Sizes that come from outside meet a named limit before they get here.
 * What is returned ends with free().  The prefix is b_ because libre, which
 * is linked into the same program, owns mem_.
 */
#pragma once

#include <stddef.h>

void *b_zero(size_t count, size_t size);          /* zeroed */
void *b_grow(void *p, size_t count, size_t size); /* realloc; p may be NULL */
void *b_copy(const void *p, size_t n);            /* NULL when n is 0 */
char *b_strdup(const char *s);                    /* NULL gives NULL */
char *b_strndup(const char *s, size_t n);         /* always terminated */
