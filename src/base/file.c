// SPDX-License-Identifier: Apache-2.0
/*
 * file.c - whole small files.
 *
 * Settings, flows and keys are read whole, and replaced so that after a power
 * cut there is either the old file or the new one, never half of one.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/random.h"

enum { CHUNK_BYTES = 16384, SUFFIX_BYTES = 8 };

static int read_all(int fd, struct buf *b)
{
	char chunk[CHUNK_BYTES];

	while (!b->err) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buf_add(b, chunk, (size_t)n);
	}
	return b->err;
}

int file_read(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, b);
	(void)close(fd);
	return err;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return fsync(fd) ? -errno : 0;
}

/* Create `path`, which must not exist, filled and on disk. */
static int write_new(const char *path, const void *p, size_t n, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		      (mode_t)mode);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, p, n);
	if (close(fd) && !err)
		err = -errno;
	if (err)
		(void)unlink(path);
	return err;
}

/* A rename is on disk only once its folder is. */
static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	int fd, err = 0;

	if (slash == path)
		slash++;
	if (slash) {
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	(void)close(fd);
	return err;
}

int file_write(const char *path, const void *p, size_t n, unsigned mode)
{
	uint8_t chance[SUFFIX_BYTES];
	char suffix[2 * SUFFIX_BYTES + 1], beside[PATH_MAX];
	int err, len;

	/* a name that nobody has prepared a link at */
	rng_fill(rng_system(), chance, sizeof(chance));
	crypto_hex(chance, sizeof(chance), suffix);
	len = snprintf(beside, sizeof(beside), "%s.%s", path, suffix);
	if (len < 0 || (size_t)len >= sizeof(beside))
		return -ENAMETOOLONG;
	err = write_new(beside, p, n, mode);
	if (err)
		return err;
	if (rename(beside, path)) {
		err = -errno;
		(void)unlink(beside);
		return err;
	}
	return sync_folder_of(path);
}

static int make_one(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_dir(const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	int err = 0;

	if (n == 0)
		return -ENOENT;
	if (n >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, n + 1);
	for (char *at = part + 1; *at && !err; at++) {
		if (*at != '/' || at[-1] == '/')
			continue;
		*at = '\0';
		err = make_one(part);
		*at = '/';
	}
	return err ? err : make_one(part);
}
