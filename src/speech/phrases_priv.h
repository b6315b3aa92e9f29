// SPDX-License-Identifier: Apache-2.0
/*
 * phrases_priv.h - one file of scripts, as its reader hands it on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	PHRASES_LANGUAGE_BYTES = 16,
	PHRASES_NATIVE_BYTES = 64,
	PHRASES_WORD_BYTES = 32, /* a digit's word, with NUL */
	PHRASES_COUNTRIES_MAX = 64,
};

struct phrases_rows {
	struct phrases_row {
		char *name, *text;
	} * rows;
	size_t count, room;
};

struct phrases_file {
	char language[PHRASES_LANGUAGE_BYTES];
	char native[PHRASES_NATIVE_BYTES]; /* "Deutsch" */
	bool reviewed;
	char countries[PHRASES_COUNTRIES_MAX][3];
	size_t countries_count;
	char digits[10][PHRASES_WORD_BYTES];
	struct phrases_rows purposes, phrases;
};

/* Everything that can be said about a file alone has been checked. */
MUST_CHECK int phrases_read(struct span yaml, struct phrases_file **out,
			    struct diag *d);
void phrases_file_free(struct phrases_file *f); /* NULL is fine */

const char *phrases_row_find(const struct phrases_rows *r, const char *name);
void phrases_row_add(struct phrases_rows *r, const char *name,
		     const char *text);

/* The bit of a slot, 0 if there is none of that name. */
unsigned phrases_slot(struct span name);
/* The bits of all slots of a text. */
MUST_CHECK int phrases_slots(const char *text, unsigned *slots, struct diag *d);
