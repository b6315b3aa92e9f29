// SPDX-License-Identifier: Apache-2.0
/*
 * file.h - whole small files.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"

/* Append the whole file to b; -E2BIG if over b's limit, else open/read's. */
MUST_CHECK int file_read(const char *path, struct buf *b);
/* Replace atomically: a new file beside it, fsync, rename, fsync of the
 * folder.  `mode` as in open(2). */
MUST_CHECK int file_write(const char *path, const void *p, size_t n,
			  unsigned mode);
/* mkdir -p, mode 0700 for what it makes. */
MUST_CHECK int file_make_dir(const char *path);
