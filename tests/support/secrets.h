// SPDX-License-Identifier: Apache-2.0
/*
 * secrets.h - what nobody may find, and a search for it.
 *
 * A secret is looked for as it is, with blanks and dashes between its
 * characters or its groups of three, in hex, in base64 at any offset, and,
 * where it is a number, as the bytes of an integer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *s);
/* Of at least eight characters: a shorter one is found by chance. */
void secrets_add(struct secrets *s, const char *what, const char *text);
size_t secrets_count(const struct secrets *s);

/* In how many of its forms the nth secret is in there.  Says what is found. */
unsigned secrets_find(const struct secrets *s, size_t nth, const char *where,
		      struct span hay);
/* Of any secret. */
unsigned secrets_in(const struct secrets *s, const char *where,
		    struct span hay);
/* In the names and bytes of all files of a folder.  *files: how many. */
unsigned secrets_in_folder(const struct secrets *s, const char *folder,
			   unsigned *files);
/* Its forms, one in each call with i = 0, 1, ...; false behind the last. */
bool secrets_form(const struct secrets *s, size_t nth, size_t i,
		  struct span *out);
