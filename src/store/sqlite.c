// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite.c - the embedded driver: one file, one process, three threads.
 *
 * The batch thread commits whatever queued while it was busy as one
 * transaction, so the price of making it durable is shared by all who wait
 * and nobody waits for company.  Reads have a connection of their own, so a
 * long list never holds up a change.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

/* Pages that a connection keeps.  What all changes have in common must fit; what
 * is read is somewhere else each time, and the kernel keeps it as well; a
 * checkpoint keeps nothing. */
enum { CACHE_KIB = 8 << 10, READ_CACHE_KIB = 2 << 10, CKPT_CACHE_KIB = 64 };

/* --- inboxes -------------------------------------------------------------- */

static void inbox_init(struct store_inbox *in)
{
	(void)pthread_mutex_init(&in->lock, NULL);
	(void)pthread_cond_init(&in->filled, NULL);
	ll_init(&in->ops);
}

static void inbox_free(struct store_inbox *in)
{
	(void)pthread_mutex_destroy(&in->lock);
	(void)pthread_cond_destroy(&in->filled);
}

static void inbox_close(struct store_inbox *in)
{
	(void)pthread_mutex_lock(&in->lock);
	in->closed = true;
	(void)pthread_cond_signal(&in->filled);
	(void)pthread_mutex_unlock(&in->lock);
}

static int inbox_put(struct store_inbox *in, struct store_op *op,
		     atomic_uint_fast64_t *waiting)
{
	bool wake = false;
	int err = 0;

	(void)pthread_mutex_lock(&in->lock);
	if (in->closed) {
		err = -ESHUTDOWN;
	} else if (atomic_load(waiting) >= STORE_WAITING_MAX) {
		err = -EAGAIN;
	} else {
		atomic_fetch_add(waiting, 1);
		ll_append(&in->ops, &op->link);
		wake = in->sleeping;
		in->sleeping = false;
	}
	(void)pthread_mutex_unlock(&in->lock);
	if (wake)
		(void)pthread_cond_signal(&in->filled);
	return err;
}

bool store_inbox_take(struct store_inbox *in, struct link *to)
{
	bool any;

	(void)pthread_mutex_lock(&in->lock);
	while (ll_empty(&in->ops) && !in->closed) {
		in->sleeping = true;
		(void)pthread_cond_wait(&in->filled, &in->lock);
	}
	in->sleeping = false;
	any = !ll_empty(&in->ops);
	ll_splice(to, &in->ops);
	(void)pthread_mutex_unlock(&in->lock);
	return any;
}

/* --- the file --------------------------------------------------------------- */

/* "path?vfs=name" */
static int read_where(struct store_lite *s, const char *where, struct diag *d)
{
	size_t n = strcspn(where, "?");
	const char *rest = where + n;

	if (n == 0 || n > STORE_SQL_PATH_MAX)
		return diag_set(d, "sqlite: no path, or a very long one");
	if (*rest && strncmp(rest, "?vfs=", 5) != 0)
		return diag_set(d, "sqlite: \"%s\" is not an option", rest);
	s->path = b_strndup(where, n);
	if (*rest)
		s->vfs = b_strdup(rest + 5);
	return 0;
}

/* A file beside the database, because closing any descriptor of the database
 * itself would drop the locks that sqlite holds on it (POSIX). */
static int lock_file(struct store_lite *s, struct diag *d)
{
	char name[STORE_SQL_PATH_MAX + 8];
	int err;

	(void)snprintf(name, sizeof(name), "%s-lock", s->path);
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd >= 0 && flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	err = errno;
	if (s->lock_fd >= 0 && err == EWOULDBLOCK) {
		(void)diag_set(d, "%s is in use by another program", s->path);
		return -EBUSY;
	}
	(void)diag_set(d, "%s: %s", name, strerrordesc_np(err));
	return -err;
}

/* The database is as private as its lock: sqlite would make it by the umask,
 * and gives its log the same mode. */
static int make_private(const struct store_lite *s, struct diag *d)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err = errno;

	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	(void)diag_set(d, "%s: %s", s->path, strerrordesc_np(err));
	return -err;
}

/* A guest finds the file; others lay claim to it, and make it. */
static int claim_file(struct store_lite *s, struct diag *d)
{
	int err;

	if (!s->guest) {
		err = lock_file(s, d);
		return err ? err : make_private(s, d);
	}
	if (access(s->path, R_OK | W_OK) == 0)
		return 0;
	err = errno;
	(void)diag_set(d, "%s: %s", s->path, strerrordesc_np(err));
	return -err;
}

/* The file was ours alone and is so again: whoever held leases is gone. */
static int end_leases(struct store_lite *s, struct diag *d)
{
	int rc = SQLITE_OK;

	if (!s->guest)
		rc = sqlite3_exec(s->writer.h,
				  "UPDATE queue SET due = 0"
				  " WHERE node IS NOT NULL",
				  NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : store_conn_refuse(&s->writer, rc, d);
}

static int open_conns(struct store_lite *s, struct diag *d)
{
	int err = store_conn_open(s, &s->writer, CACHE_KIB, d);

	if (!err)
		err = store_schema_prepare(&s->writer, s->guest, d);
	if (!err)
		err = end_leases(s, d);
	if (!err)
		err = store_conn_open(s, &s->reader, READ_CACHE_KIB, d);
	if (!err)
		err = store_conn_open(s, &s->checkpointer, CKPT_CACHE_KIB, d);
	return err;
}

static int open_file(struct store_lite *s, struct diag *d)
{
	struct diag inner = {0};
	int err = claim_file(s, d);

	if (err)
		return err;
	err = open_conns(s, &inner);
	if (err)
		(void)diag_set(d, "%s: %s", s->path, inner.message);
	return err;
}

/* --- threads ------------------------------------------------------------------ */

static void start(pthread_t *t, void *(*run)(void *), struct store_lite *s,
		  const char *name)
{
	if (pthread_create(t, NULL, run, s) != 0)
		abort();
	(void)pthread_setname_np(*t, name);
}

/* Signals are for the program's own threads. */
static void start_threads(struct store_lite *s)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	start(&s->ckpt_thread, store_lite_checkpoints, s, "store-ckpt");
	start(&s->read_thread, store_lite_reads, s, "store-read");
	start(&s->batch_thread, store_lite_batches, s, "store-batch");
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- the driver ------------------------------------------------------------------ */

static void lite_free(struct store_lite *s)
{
	store_conn_close(&s->checkpointer);
	store_conn_close(&s->reader);
	store_conn_close(&s->writer);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	store_tx_end(&s->tx);
	inbox_free(&s->writes);
	inbox_free(&s->reads);
	(void)pthread_mutex_destroy(&s->ckpt.lock);
	(void)pthread_cond_destroy(&s->ckpt.wanted);
	(void)pthread_cond_destroy(&s->ckpt.done);
	(void)pthread_mutex_destroy(&s->watch_lock);
	free(s->topics);
	free(s->node);
	free(s->path);
	free(s->vfs);
	free(s);
}

static struct store_lite *lite_new(const struct store_params *params)
{
	struct store_lite *s = b_zero(1, sizeof(*s));

	s->base.driver = &store_sqlite;
	s->clock = params->clock;
	s->node = b_strdup(params->node ? params->node : "local");
	s->guest = params->guest;
	s->lock_fd = -1;
	inbox_init(&s->writes);
	inbox_init(&s->reads);
	(void)pthread_mutex_init(&s->ckpt.lock, NULL);
	(void)pthread_cond_init(&s->ckpt.wanted, NULL);
	(void)pthread_cond_init(&s->ckpt.done, NULL);
	(void)pthread_mutex_init(&s->watch_lock, NULL);
	ll_init(&s->backlog);
	atomic_store(&s->healthy, true);
	return s;
}

/* sqlite counts its memory under one lock that all threads share, and nobody
 * asks.  Refused when somebody used sqlite before us, which is fine. */
static void stop_counting(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int lite_open(const struct store_params *params, const char *where,
		     struct store **out, struct diag *d)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store_lite *s = lite_new(params);
	int err = read_where(s, where, d);

	(void)pthread_once(&once, stop_counting);
	if (!err)
		err = open_file(s, d);
	if (err) {
		lite_free(s);
		return err;
	}
	start_threads(s);
	*out = &s->base;
	return 0;
}

static void lite_close(struct store *st)
{
	struct store_lite *s = store_lite_of(st);

	inbox_close(&s->writes);
	inbox_close(&s->reads);
	(void)pthread_join(s->batch_thread, NULL);
	(void)pthread_join(s->read_thread, NULL);
	store_ckpt_stop(&s->ckpt);
	(void)pthread_join(s->ckpt_thread, NULL);
	lite_free(s);
}

static int lite_submit(struct store *st, struct store_op *op)
{
	struct store_lite *s = store_lite_of(st);
	bool read = op->kind >= STORE_OP_GET;

	if (s->guest && op->kind == STORE_OP_LEASE)
		return -EPERM;
	return inbox_put(read ? &s->reads : &s->writes, op, &s->waiting);
}

static void lite_watch(struct store *st, store_watch_h *watch, void *ctx)
{
	struct store_lite *s = store_lite_of(st);

	(void)pthread_mutex_lock(&s->watch_lock);
	s->watch = watch;
	s->watch_ctx = ctx;
	(void)pthread_mutex_unlock(&s->watch_lock);
}

static void lite_stats(const struct store *st, struct store_stats *out)
{
	const struct store_lite *s =
		(const struct store_lite *)(const void *)st;

	*out = (struct store_stats){
		.batches = atomic_load(&s->batches),
		.operations = atomic_load(&s->operations),
		.failures = atomic_load(&s->failures),
		.waiting = atomic_load(&s->waiting),
		.wal_bytes = atomic_load(&s->wal_bytes),
		.healthy = atomic_load(&s->healthy),
	};
}

const struct store_driver store_sqlite = {
	.name = "sqlite",
	.open = lite_open,
	.close = lite_close,
	.submit = lite_submit,
	.watch = lite_watch,
	.stats = lite_stats,
};
