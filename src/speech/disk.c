// SPDX-License-Identifier: Apache-2.0
/*
 * disk.c - keep the cache's folder within its bound.
 *
 * Only files that are named as ours are counted or touched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "speech/cache_priv.h"

enum {
	FILES_MAX = 65536, /* the rest waits for the next time */
	FIRST_ROOM = 64,
	KEY_LETTERS = 2 * CRYPTO_HASH_BYTES,
	NAME_BYTES = 128,
	LEFTOVER_S = 3600, /* what a program that died was writing */
};

struct found {
	char name[NAME_BYTES];
	struct timespec used;
	size_t bytes;
};

struct listing {
	struct found *files;
	size_t count, room, bytes;
};

/* <hash>.clip, or <hash>.clip.<chance> while it is written. */
static bool is_ours(const char *name, bool *whole)
{
	size_t n = strspn(name, "0123456789abcdef");
	size_t suffix = strlen(SPEECH_CACHE_SUFFIX);

	if (n != KEY_LETTERS || strlen(name) >= NAME_BYTES ||
	    strncmp(name + n, SPEECH_CACHE_SUFFIX, suffix) != 0)
		return false;
	*whole = name[n + suffix] == '\0';
	return *whole || name[n + suffix] == '.';
}

static void look_at(struct listing *l, int dir, const char *name)
{
	struct found *f;
	struct stat st;
	bool whole;

	if (!is_ours(name, &whole) || l->count == FILES_MAX ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return;
	if (!whole) {
		if (time(NULL) - st.st_mtim.tv_sec > LEFTOVER_S)
			(void)unlinkat(dir, name, 0);
		return;
	}
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : FIRST_ROOM;
		l->files = b_grow(l->files, l->room, sizeof(*l->files));
	}
	f = &l->files[l->count++];
	memcpy(f->name, name, strlen(name) + 1);
	f->used = st.st_mtim;
	f->bytes = (size_t)st.st_size;
	l->bytes += f->bytes;
}

static int older_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct found *)a)->used;
	const struct timespec *y = &((const struct found *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

size_t speech_disk_tidy(const char *dir, size_t max)
{
	struct listing l = {0};
	DIR *d = opendir(dir);
	const struct dirent *e;

	if (!d)
		return 0;
	/* readdir() is safe: this stream is nobody else's */
	while ((e = readdir(d))) // NOLINT(concurrency-mt-unsafe)
		look_at(&l, dirfd(d), e->d_name);
	if (l.bytes > max)
		qsort(l.files, l.count, sizeof(*l.files), older_first);
	for (size_t i = 0; i < l.count && l.bytes > max; i++)
		if (unlinkat(dirfd(d), l.files[i].name, 0) == 0)
			l.bytes -= l.files[i].bytes;
	(void)closedir(d);
	free(l.files);
	return l.bytes;
}
