// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_file.h - a folder of its own for each store under test.
 */
#pragma once

#include "store/store.h"

struct sqlite_file {
	char folder[64], path[96], url[128];
};

void sqlite_file_make(struct sqlite_file *f);
void sqlite_file_remove(struct sqlite_file *f);
/* NULL, with a message on stderr, when it cannot be opened. */
struct store *sqlite_file_open(const struct sqlite_file *f,
			       struct clock *clock);
