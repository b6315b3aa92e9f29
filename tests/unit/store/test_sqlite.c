// SPDX-License-Identifier: Apache-2.0
/*
 * test_sqlite.c - the embedded store against the suite.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/store/conformance.h"
#include "unit/store/sqlite_file.h"

static struct store *open_fresh(struct clock *clock, void *ctx)
{
	struct sqlite_file *file = ctx;

	sqlite_file_make(file);
	return sqlite_file_open(file, clock);
}

static void close_and_remove(struct store *st, void *ctx)
{
	store_close(st);
	sqlite_file_remove(ctx);
}

int main(void)
{
	struct sqlite_file file;

	return conformance_run(&(struct conformance){
		.name = "store/sqlite",
		.open = open_fresh,
		.close = close_and_remove,
		.ctx = &file,
	});
}
