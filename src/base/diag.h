// SPDX-License-Identifier: Apache-2.0
/*
 * diag.h - one clear error: where, which field, what is wrong.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

enum { DIAG_FIELD_BYTES = 128, DIAG_MESSAGE_BYTES = 384 };

struct diag {
	int line, column;                 /* 1-based; 0 where there is none */
	char field[DIAG_FIELD_BYTES];     /* dotted name, JSON pointer, or "" */
	char message[DIAG_MESSAGE_BYTES]; /* a sentence without full stop */
};

/* Each returns -EINVAL, so that a parser may `return diag_set(...)`.  d may be
 * NULL.  The field is left alone by diag_set() and diag_at(). */
int diag_set(struct diag *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
int diag_at(struct diag *d, int line, int column, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
int diag_field(struct diag *d, const char *field, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* "settings.yaml:3:7: listen: not an address"; the parts that are there. */
void diag_text(const struct diag *d, const char *file, char *out, size_t n);
