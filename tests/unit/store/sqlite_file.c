// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_file.c - made under TMPDIR, and removed with what sqlite leaves in it.
 */
#include "unit/store/sqlite_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void sqlite_file_make(struct sqlite_file *f)
{
	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(f->folder, sizeof(f->folder), "%s/voiceotp-store-XXXXXX",
		       tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(f->folder))
		abort();
	(void)snprintf(f->path, sizeof(f->path), "%s/store.db", f->folder);
	(void)snprintf(f->url, sizeof(f->url), "sqlite:%s", f->path);
}

void sqlite_file_remove(struct sqlite_file *f)
{
	static const char *const behind[] = {"", "-journal", "-wal", "-shm",
					     "-lock"};
	char name[128];

	for (size_t i = 0; i < COUNT_OF(behind); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", f->path, behind[i]);
		(void)unlink(name);
	}
	(void)rmdir(f->folder);
}

struct store *sqlite_file_open(const struct sqlite_file *f, struct clock *clock)
{
	struct store *st = NULL;
	struct diag d = {0};

	if (store_open(&(struct store_params){.url = f->url,
					      .clock = clock,
					      .node = "here"},
		       &st, &d))
		(void)fprintf(stderr, "%s\n", d.message);
	return st;
}
