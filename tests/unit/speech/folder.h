// SPDX-License-Identifier: Apache-2.0
/*
 * folder.h - a folder of the test's own, and programs in it that play a voice.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "support/test.h"

enum { FOLDER_PATH = 256, FOLDER_PROGRAM = 512, FOLDER_FILE = 4096 };

struct folder {
	char path[FOLDER_PATH];
};

static inline void folder_make(struct folder *f)
{
	const char *base = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe)

	(void)snprintf(f->path, sizeof(f->path), "%s/voiceotp-speech-XXXXXX",
		       base ? base : "/tmp");
	assert_non_null(mkdtemp(f->path));
}

/* Names in the folder, and whether each holds `text`. */
static inline size_t folder_count(const char *path, const char *text)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) { // NOLINT(concurrency-mt-unsafe)
		AUTO_BUF(b, 64 << 20);
		AUTO_BUF(file, FOLDER_FILE);

		if (e->d_name[0] == '.')
			continue;
		buf_printf(&file, "%s/%s", path, e->d_name);
		assert_int_equal(file_read(file.p, &b), 0);
		if (!text || (b.n && memmem(b.p, b.n, text, strlen(text))) ||
		    strstr(e->d_name, text))
			n++;
	}
	(void)closedir(d);
	return n;
}

static inline void folder_remove(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) { // NOLINT(concurrency-mt-unsafe)
		AUTO_BUF(file, FOLDER_FILE);

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		buf_printf(&file, "%s/%s", path, e->d_name);
		if (unlink(file.p))
			folder_remove(file.p);
	}
	(void)closedir(d);
	(void)rmdir(path);
}

/* A shell script in the folder; `out` is its path. */
static inline void folder_script(const struct folder *f, const char *name,
				 const char *body, char out[FOLDER_PROGRAM])
{
	AUTO_BUF(b, 4096);

	(void)snprintf(out, FOLDER_PROGRAM, "%s/%s", f->path, name);
	buf_printf(&b, "#!/bin/sh\n%s\n", body);
	assert_int_equal(file_write(out, b.p, b.n, 0700), 0);
}
