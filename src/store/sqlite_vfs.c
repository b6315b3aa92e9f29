// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_vfs.c - the log is written in few large pieces.
 *
 * sqlite writes each frame of its log with two system calls, which are most of
 * what a changed page costs.  This stands between it and its own VFS: what is
 * appended to a log gathers here and goes out in one piece, at the latest when
 * sqlite syncs.  Under synchronous=FULL it syncs before it shows a commit to
 * other connections, so nobody looks for what is not there yet; whoever reads
 * through the same handle has it written out first.  All other files are the
 * VFS's below, untouched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

enum {
	PIECE = 124
		<< 10, /* sqlite's own VFS writes less than 128 KiB at once */
	NAME_BYTES = 64,
};

/* One for each name of a VFS below; never unregistered, there are one or two.
 * Tests take theirs away and bring another one with its name, so it is looked
 * up each time that a file is opened or named. */
struct shim {
	sqlite3_vfs vfs;
	char name[NAME_BYTES], below[NAME_BYTES];
	struct shim *next;
};

struct log_file {
	sqlite3_file base;
	sqlite3_file *below; /* behind this struct */
	char *piece;         /* made when something is first written */
	sqlite3_int64 at;    /* where it belongs */
	int n;
};

static struct log_file *log_of(sqlite3_file *f)
{
	return (struct log_file *)(void *)f;
}

/* On failure what was gathered is dropped: the transaction that it is of
 * fails, and the next one writes to the same place. */
static int flush(struct log_file *l)
{
	int n = l->n;

	l->n = 0;
	return n ? l->below->pMethods->xWrite(l->below, l->piece, n, l->at)
		 : SQLITE_OK;
}

static int log_close(sqlite3_file *f)
{
	struct log_file *l = log_of(f);
	int rc = flush(l), closed = l->below->pMethods->xClose(l->below);

	free(l->piece);
	l->piece = NULL;
	return rc ? rc : closed;
}

static int log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct log_file *l = log_of(f);
	int rc = flush(l);

	return rc ? rc : l->below->pMethods->xRead(l->below, p, n, at);
}

static int log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct log_file *l = log_of(f);
	int rc = SQLITE_OK;

	if (l->n && (at != l->at + l->n || n > PIECE - l->n))
		rc = flush(l);
	if (rc)
		return rc;
	if (n > PIECE)
		return l->below->pMethods->xWrite(l->below, p, n, at);
	if (!l->piece)
		l->piece = b_zero(1, PIECE);
	if (l->n == 0)
		l->at = at;
	memcpy(l->piece + l->n, p, (size_t)n);
	l->n += n;
	return SQLITE_OK;
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct log_file *l = log_of(f);
	int rc = flush(l);

	return rc ? rc : l->below->pMethods->xTruncate(l->below, size);
}

static int log_sync(sqlite3_file *f, int flags)
{
	struct log_file *l = log_of(f);
	int rc = flush(l);

	return rc ? rc : l->below->pMethods->xSync(l->below, flags);
}

static int log_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct log_file *l = log_of(f);
	int rc = flush(l);

	return rc ? rc : l->below->pMethods->xFileSize(l->below, size);
}

static int log_lock(sqlite3_file *f, int how)
{
	struct log_file *l = log_of(f);

	return l->below->pMethods->xLock(l->below, how);
}

static int log_unlock(sqlite3_file *f, int how)
{
	struct log_file *l = log_of(f);

	return l->below->pMethods->xUnlock(l->below, how);
}

static int log_reserved(sqlite3_file *f, int *out)
{
	struct log_file *l = log_of(f);

	return l->below->pMethods->xCheckReservedLock(l->below, out);
}

static int log_control(sqlite3_file *f, int op, void *arg)
{
	struct log_file *l = log_of(f);
	int rc = flush(l);

	return rc ? rc : l->below->pMethods->xFileControl(l->below, op, arg);
}

static int log_sector(sqlite3_file *f)
{
	struct log_file *l = log_of(f);

	return l->below->pMethods->xSectorSize(l->below);
}

static int log_traits(sqlite3_file *f)
{
	struct log_file *l = log_of(f);

	return l->below->pMethods->xDeviceCharacteristics(l->below);
}

static const sqlite3_io_methods methods = {
	.iVersion = 1, /* all that sqlite asks of a log */
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_reserved,
	.xFileControl = log_control,
	.xSectorSize = log_sector,
	.xDeviceCharacteristics = log_traits,
};

/* --- the VFS ---------------------------------------------------------------- */

/* There is one: a connection that is open holds on to it. */
static sqlite3_vfs *below(const sqlite3_vfs *vfs)
{
	return sqlite3_vfs_find(((const struct shim *)vfs->pAppData)->below);
}

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f,
		     int flags, int *out_flags)
{
	sqlite3_vfs *down = below(vfs);
	struct log_file *l = log_of(f);
	int rc;

	if (!(flags & SQLITE_OPEN_WAL))
		return down->xOpen(down, path, f, flags, out_flags);
	memset(l, 0, sizeof(*l));
	l->below = (sqlite3_file *)(void *)(l + 1);
	rc = down->xOpen(down, path, l->below, flags, out_flags);
	if (rc == SQLITE_OK)
		l->base.pMethods = &methods;
	return rc;
}

static int shim_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	sqlite3_vfs *down = below(vfs);

	return down->xDelete(down, path, sync);
}

static int shim_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	sqlite3_vfs *down = below(vfs);

	return down->xAccess(down, path, flags, out);
}

static int shim_path(sqlite3_vfs *vfs, const char *path, int n, char *out)
{
	sqlite3_vfs *down = below(vfs);

	return down->xFullPathname(down, path, n, out);
}

/* What is left has to do with no file, so a copy of the one below will do. */
static struct shim *make(sqlite3_vfs *down)
{
	struct shim *s = b_zero(1, sizeof(*s));

	(void)snprintf(s->name, sizeof(s->name), "voiceotp-%s", down->zName);
	(void)snprintf(s->below, sizeof(s->below), "%s", down->zName);
	s->vfs = *down;
	s->vfs.pNext = NULL;
	s->vfs.zName = s->name;
	s->vfs.pAppData = s;
	s->vfs.szOsFile = (int)sizeof(struct log_file) + down->szOsFile;
	s->vfs.xOpen = shim_open;
	s->vfs.xDelete = shim_delete;
	s->vfs.xAccess = shim_access;
	s->vfs.xFullPathname = shim_path;
	(void)sqlite3_vfs_register(&s->vfs, 0);
	return s;
}

const char *store_lite_vfs(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct shim *all;
	sqlite3_vfs *down = sqlite3_vfs_find(name);
	struct shim *s;

	if (!down)
		return name; /* opening says that there is none */
	(void)pthread_mutex_lock(&lock);
	for (s = all; s && strcmp(s->below, down->zName) != 0; s = s->next)
		;
	if (!s) {
		s = make(down);
		s->next = all;
		all = s;
	}
	(void)pthread_mutex_unlock(&lock);
	return s->name;
}
