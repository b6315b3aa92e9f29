// SPDX-License-Identifier: Apache-2.0
/*
 * powercut.c - a shim over sqlite's own VFS that remembers what was synced.
 */
#include "support/powercut.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

enum { SECTOR = 512, PATH_BYTES = 512 };

struct image {
	bool there;
	char *p;
	int64_t size, room;
};

/* What was done to a file since it was last synced. */
struct step {
	struct link link;
	bool truncation;
	int64_t at, n; /* a truncation is to `at` */
	char bytes[];
};

struct node {
	struct link link;
	char path[PATH_BYTES];
	bool there; /* as programs see it */
	bool fresh; /* made since the last sync: the steps begin from nothing */
	int64_t size; /* as programs see it */
	struct image synced;
	struct link steps;
};

struct powercut {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	pthread_mutex_t lock; /* over everything below */
	struct link nodes;
	uint64_t steps, cut_at;
	bool off;
	int64_t space;
	int open_files;
};

struct file {
	sqlite3_file base;
	struct powercut *pc;
	struct node *node; /* NULL: a temporary file, not modelled */
	sqlite3_file *real;
};

static struct file *file_of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

/* --- images ------------------------------------------------------------------- */

static void image_free(struct image *i)
{
	free(i->p);
	memset(i, 0, sizeof(*i));
}

static void image_resize(struct image *i, int64_t size)
{
	if (size > i->room) {
		i->room = size * 2;
		i->p = b_grow(i->p, (size_t)i->room, 1);
	}
	if (size > i->size)
		memset(i->p + i->size, 0, (size_t)(size - i->size));
	i->size = size;
	i->there = true;
}

static void image_write(struct image *i, int64_t at, const char *p, int64_t n)
{
	if (at + n > i->size)
		image_resize(i, at + n);
	memcpy(i->p + at, p, (size_t)n);
}

static void apply(struct image *i, const struct step *s)
{
	if (s->truncation)
		image_resize(i, s->at);
	else
		image_write(i, s->at, s->bytes, s->n);
}

/* Each sector of a write by itself: it reached the disk, or not. */
static void apply_torn(struct image *i, const struct step *s, struct rng *rng)
{
	for (int64_t at = s->at; at < s->at + s->n;) {
		int64_t end = (at / SECTOR + 1) * SECTOR;

		if (end > s->at + s->n)
			end = s->at + s->n;
		if (rng_below(rng, 2))
			image_write(i, at, s->bytes + (at - s->at), end - at);
		at = end;
	}
}

static void forget_steps(struct node *n)
{
	ll_each_safe (l, &n->steps) {
		ll_remove(l);
		free(ll_entry(l, struct step, link));
	}
}

/* --- nodes ----------------------------------------------------------------------- */

static struct node *node_of(struct powercut *pc, const char *path)
{
	struct node *n;

	ll_each (l, &pc->nodes) {
		n = ll_entry(l, struct node, link);
		if (strcmp(n->path, path) == 0)
			return n;
	}
	n = b_zero(1, sizeof(*n));
	(void)snprintf(n->path, sizeof(n->path), "%s", path);
	ll_init(&n->steps);
	ll_append(&pc->nodes, &n->link);
	return n;
}

static void node_sync(struct node *n)
{
	if (n->fresh)
		n->synced.size = 0;
	n->synced.there = true;
	n->fresh = false;
	ll_each (l, &n->steps)
		apply(&n->synced, ll_entry(l, struct step, link));
	forget_steps(n);
}

/* What the disk has once the power is gone. */
static void node_lose(struct node *n, struct rng *rng)
{
	bool survives = rng_below(rng, 2) == 1;

	if (!n->there) {
		/* deleted: the name may be back */
		n->synced.there = n->synced.there && survives;
	} else if (n->fresh && !survives) {
		/* never synced: as if it had not been made */
		n->there = n->synced.there;
	} else {
		if (n->fresh)
			n->synced.size = 0;
		n->synced.there = true;
		ll_each (l, &n->steps) {
			const struct step *s = ll_entry(l, struct step, link);
			uint32_t fate = rng_below(rng, 3);

			if (fate == 1)
				apply(&n->synced, s);
			else if (fate == 2 && !s->truncation)
				apply_torn(&n->synced, s, rng);
		}
	}
	forget_steps(n);
	n->fresh = false;
	n->there = n->synced.there;
	n->size = n->there ? n->synced.size : 0;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* The real file becomes what is left. */
static void node_lay_out(const struct node *n)
{
	int64_t done = 0;
	int fd;

	(void)unlink(n->path);
	if (!n->there)
		return;
	fd = open(n->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0, n->path);
	while (done < n->synced.size) {
		ssize_t k = write(fd, n->synced.p + done,
				  (size_t)(n->synced.size - done));

		must(k > 0, n->path);
		done += k;
	}
	(void)close(fd);
}

/* --- steps: what may be the last ------------------------------------------------- */

/* With the lock held: counts one, and says whether the power went with it. */
static bool goes_off(struct powercut *pc)
{
	if (pc->off)
		return true;
	pc->steps++;
	if (pc->cut_at && pc->steps >= pc->cut_at)
		pc->off = true;
	return pc->off;
}

static void remember(struct node *n, bool truncation, int64_t at, const void *p,
		     int64_t bytes)
{
	struct step *s = b_zero(1, sizeof(*s) + (size_t)bytes);

	s->truncation = truncation;
	s->at = at;
	s->n = bytes;
	if (bytes)
		memcpy(s->bytes, p, (size_t)bytes);
	ll_append(&n->steps, &s->link);
}

static bool is_off(struct powercut *pc)
{
	bool off;

	(void)pthread_mutex_lock(&pc->lock);
	off = pc->off;
	(void)pthread_mutex_unlock(&pc->lock);
	return off;
}

/* --- files -------------------------------------------------------------------------- */

static int file_close(sqlite3_file *f)
{
	struct file *file = file_of(f);

	(void)pthread_mutex_lock(&file->pc->lock);
	file->pc->open_files--;
	(void)pthread_mutex_unlock(&file->pc->lock);
	return file->real->pMethods->xClose(file->real);
}

static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct file *file = file_of(f);

	if (is_off(file->pc))
		return SQLITE_IOERR_READ;
	return file->real->pMethods->xRead(file->real, p, n, at);
}

/* Locked. */
static int note_write(struct file *file, const void *p, int n, int64_t at)
{
	struct powercut *pc = file->pc;
	struct node *node = file->node;
	int64_t grows = at + n - node->size;

	if (pc->off)
		return SQLITE_IOERR_WRITE;
	if (grows > 0 && pc->space >= 0) {
		if (grows > pc->space)
			return SQLITE_FULL;
		pc->space -= grows;
	}
	remember(node, false, at, p, n);
	if (grows > 0)
		node->size = at + n;
	return goes_off(pc) ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct file *file = file_of(f);
	int rc = SQLITE_OK;

	if (file->node) {
		(void)pthread_mutex_lock(&file->pc->lock);
		rc = note_write(file, p, n, at);
		(void)pthread_mutex_unlock(&file->pc->lock);
	}
	return rc ? rc : file->real->pMethods->xWrite(file->real, p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct file *file = file_of(f);
	struct powercut *pc = file->pc;
	bool off = false;

	if (file->node) {
		(void)pthread_mutex_lock(&pc->lock);
		off = pc->off;
		if (!off) {
			remember(file->node, true, size, NULL, 0);
			if (pc->space >= 0 && size < file->node->size)
				pc->space += file->node->size - size;
			file->node->size = size;
			off = goes_off(pc);
		}
		(void)pthread_mutex_unlock(&pc->lock);
	}
	return off ? SQLITE_IOERR_TRUNCATE
		   : file->real->pMethods->xTruncate(file->real, size);
}

/* The real file is not synced: nobody cuts the real power. */
static int file_sync(sqlite3_file *f, int flags)
{
	struct file *file = file_of(f);
	bool off = false;

	(void)flags;
	if (!file->node)
		return SQLITE_OK;
	(void)pthread_mutex_lock(&file->pc->lock);
	off = goes_off(file->pc);
	if (!off)
		node_sync(file->node);
	(void)pthread_mutex_unlock(&file->pc->lock);
	return off ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	struct file *file = file_of(f);

	if (is_off(file->pc))
		return SQLITE_IOERR_FSTAT;
	return file->real->pMethods->xFileSize(file->real, size);
}

static int file_lock(sqlite3_file *f, int how)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xLock(file->real, how);
}

static int file_unlock(sqlite3_file *f, int how)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xUnlock(file->real, how);
}

static int file_reserved(sqlite3_file *f, int *out)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xCheckReservedLock(file->real, out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xFileControl(file->real, op, arg);
}

static int file_sector(sqlite3_file *f)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xSectorSize(file->real);
}

static int file_traits(sqlite3_file *f)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xDeviceCharacteristics(file->real);
}

static int shm_map(sqlite3_file *f, int page, int size, int extend,
		   void volatile **out)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xShmMap(file->real, page, size, extend,
					     out);
}

static int shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xShmLock(file->real, at, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
	struct file *file = file_of(f);

	file->real->pMethods->xShmBarrier(file->real);
}

static int shm_unmap(sqlite3_file *f, int remove)
{
	struct file *file = file_of(f);

	return file->real->pMethods->xShmUnmap(file->real, remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* no memory mapping of files */
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

/* --- the VFS ---------------------------------------------------------------------------- */

static struct powercut *pc_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* Locked.  The file is there after this; made by whom, who knows. */
static struct node *note_open(struct powercut *pc, const char *path,
			      bool existed, int64_t size)
{
	struct node *n = node_of(pc, path);

	if (n->there)
		return n;
	n->there = true;
	n->size = existed ? size : 0;
	n->fresh = true;
	forget_steps(n);
	return n;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f,
		    int flags, int *out_flags)
{
	struct powercut *pc = pc_of(vfs);
	struct file *file = file_of(f);
	int existed = 0, rc;

	memset(file, 0, sizeof(*file));
	if (is_off(pc))
		return SQLITE_CANTOPEN;
	file->real = (sqlite3_file *)(void *)(file + 1);
	if (path)
		(void)pc->real->xAccess(pc->real, path, SQLITE_ACCESS_EXISTS,
					&existed);
	rc = pc->real->xOpen(pc->real, path, file->real, flags, out_flags);
	if (rc != SQLITE_OK)
		return rc;
	(void)pthread_mutex_lock(&pc->lock);
	file->base.pMethods = &methods;
	file->pc = pc;
	pc->open_files++;
	if (path) {
		sqlite3_int64 size = 0;

		(void)file->real->pMethods->xFileSize(file->real, &size);
		file->node = note_open(pc, path, existed != 0, size);
	}
	(void)pthread_mutex_unlock(&pc->lock);
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	struct powercut *pc = pc_of(vfs);
	struct node *n;
	bool off;

	(void)pthread_mutex_lock(&pc->lock);
	off = goes_off(pc);
	n = node_of(pc, path);
	if (!off) {
		n->there = false;
		n->fresh = false;
		n->size = 0;
		forget_steps(n);
		if (sync_folder)
			n->synced.there = false;
	}
	(void)pthread_mutex_unlock(&pc->lock);
	return off ? SQLITE_IOERR_DELETE : pc->real->xDelete(pc->real, path, 0);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	struct powercut *pc = pc_of(vfs);

	return is_off(pc) ? SQLITE_IOERR_ACCESS
			  : pc->real->xAccess(pc->real, path, flags, out);
}

static int vfs_path(sqlite3_vfs *vfs, const char *path, int n, char *out)
{
	struct powercut *pc = pc_of(vfs);

	return pc->real->xFullPathname(pc->real, path, n, out);
}

/* --- the door -------------------------------------------------------------------------- */

struct powercut *powercut_new(void)
{
	struct powercut *pc = b_zero(1, sizeof(*pc));

	(void)pthread_mutex_init(&pc->lock, NULL);
	ll_init(&pc->nodes);
	pc->space = -1;
	pc->real = sqlite3_vfs_find(NULL);
	pc->vfs = *pc->real;
	pc->vfs.iVersion = 2;
	pc->vfs.szOsFile = (int)sizeof(struct file) + pc->real->szOsFile;
	pc->vfs.pNext = NULL;
	pc->vfs.zName = "powercut";
	pc->vfs.pAppData = pc;
	pc->vfs.xOpen = vfs_open;
	pc->vfs.xDelete = vfs_delete;
	pc->vfs.xAccess = vfs_access;
	pc->vfs.xFullPathname = vfs_path;
	(void)sqlite3_vfs_register(&pc->vfs, 0);
	return pc;
}

void powercut_free(struct powercut *pc)
{
	if (!pc)
		return;
	assert(pc->open_files == 0);
	(void)sqlite3_vfs_unregister(&pc->vfs);
	ll_each_safe (l, &pc->nodes) {
		struct node *n = ll_entry(l, struct node, link);

		forget_steps(n);
		image_free(&n->synced);
		free(n);
	}
	(void)pthread_mutex_destroy(&pc->lock);
	free(pc);
}

void powercut_after(struct powercut *pc, uint64_t n)
{
	(void)pthread_mutex_lock(&pc->lock);
	pc->cut_at = n ? pc->steps + n : 0;
	(void)pthread_mutex_unlock(&pc->lock);
}

bool powercut_is_off(struct powercut *pc)
{
	return is_off(pc);
}

uint64_t powercut_steps(struct powercut *pc)
{
	uint64_t steps;

	(void)pthread_mutex_lock(&pc->lock);
	steps = pc->steps;
	(void)pthread_mutex_unlock(&pc->lock);
	return steps;
}

void powercut_back(struct powercut *pc, struct rng *rng)
{
	(void)pthread_mutex_lock(&pc->lock);
	assert(pc->open_files == 0);
	ll_each (l, &pc->nodes) {
		struct node *n = ll_entry(l, struct node, link);
		char shm[PATH_BYTES + 8];

		node_lose(n, rng);
		node_lay_out(n);
		(void)snprintf(shm, sizeof(shm), "%s-shm", n->path);
		(void)unlink(shm);
	}
	pc->off = false;
	pc->cut_at = 0;
	(void)pthread_mutex_unlock(&pc->lock);
}

void powercut_space(struct powercut *pc, int64_t bytes)
{
	(void)pthread_mutex_lock(&pc->lock);
	pc->space = bytes;
	(void)pthread_mutex_unlock(&pc->lock);
}
