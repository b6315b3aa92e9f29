// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_checkpoint.c - the log goes into the file, beside the writing.
 *
 * Passive checkpoints run on a thread of their own every few MiB, but under
 * steady load they never quite catch up, so they never let the log begin
 * again.  Once it is long, right after a passive one has left little to do,
 * the batch thread stands still between two batches while a restarting one
 * does the rest.  The log's file is kept and overwritten: syncing blocks that
 * are there is cheaper than syncing a file that grows.
 *
 * A reader of somebody else's that stays can hold this up; the wait for it is
 * bounded, and tried again only after some more has been written.
 */
#include <errno.h>
#include <time.h>

#include "store/sqlite_priv.h"

enum {
	MIB = 1 << 20,
	PASSIVE_BYTES = 16 * MIB, /* between passive checkpoints */
	NEAR_BYTES = 48 * MIB,    /* restart when it is cheap */
	LONG_BYTES = 64 * MIB,    /* restart now */
	AGAIN_BYTES = 16 * MIB,   /* after one that a reader prevented */
	READER_WAIT_MS = 250,
	IDLE_S = 10, /* then the log is emptied, and old secrets with it */
};

void store_ckpt_stop(struct store_ckpt *k)
{
	(void)pthread_mutex_lock(&k->lock);
	k->stop = true;
	(void)pthread_cond_signal(&k->wanted);
	(void)pthread_mutex_unlock(&k->lock);
}

/* --- the batch thread ---------------------------------------------------------- */

static void ask_passive(struct store_ckpt *k)
{
	(void)pthread_mutex_lock(&k->lock);
	if (k->want == CKPT_NONE) {
		k->want = CKPT_PASSIVE;
		(void)pthread_cond_signal(&k->wanted);
	}
	(void)pthread_mutex_unlock(&k->lock);
}

static void wait_restart(struct store_ckpt *k)
{
	(void)pthread_mutex_lock(&k->lock);
	while (k->want != CKPT_NONE)
		(void)pthread_cond_wait(&k->done, &k->lock);
	k->want = CKPT_RESTART;
	atomic_store(&k->quiet, true);
	(void)pthread_cond_signal(&k->wanted);
	while (k->want != CKPT_NONE)
		(void)pthread_cond_wait(&k->done, &k->lock);
	atomic_store(&k->quiet, false);
	(void)pthread_cond_broadcast(&k->done);
	(void)pthread_mutex_unlock(&k->lock);
}

void store_ckpt_let_by(struct store_ckpt *k)
{
	if (!atomic_load(&k->quiet))
		return;
	(void)pthread_mutex_lock(&k->lock);
	while (atomic_load(&k->quiet))
		(void)pthread_cond_wait(&k->done, &k->lock);
	(void)pthread_mutex_unlock(&k->lock);
}

void store_lite_log_grew(struct store_lite *s)
{
	struct store_ckpt *k = &s->ckpt;
	int64_t bytes = (int64_t)atomic_load(&s->wal_bytes);

	if (s->guest)
		return; /* the server's business */
	if (bytes < k->next_restart - AGAIN_BYTES)
		k->next_restart = 0; /* it began again */
	if (bytes < k->next_passive - PASSIVE_BYTES)
		k->next_passive = 0;
	if (bytes >= k->next_restart &&
	    (bytes >= LONG_BYTES || atomic_load(&k->restart_due))) {
		wait_restart(k);
		atomic_store(&k->restart_due, false);
		bytes = (int64_t)atomic_load(&s->wal_bytes);
		k->next_restart = bytes ? bytes + AGAIN_BYTES : 0;
		k->next_passive = bytes + PASSIVE_BYTES;
	} else if (bytes >= PASSIVE_BYTES && bytes >= k->next_passive) {
		k->next_passive = bytes + PASSIVE_BYTES;
		ask_passive(k);
	}
}

/* --- the checkpoint thread -------------------------------------------------------- */

static int checkpoint(struct store_lite *s, int how)
{
	return sqlite3_wal_checkpoint_v2(s->checkpointer.h, NULL, how, NULL,
					 NULL);
}

/* While the batch thread waits, and no new snapshot begins. */
static void restart(struct store_lite *s)
{
	(void)sqlite3_busy_timeout(s->checkpointer.h, READER_WAIT_MS);
	if (checkpoint(s, SQLITE_CHECKPOINT_RESTART) == SQLITE_OK)
		atomic_store(&s->wal_bytes, 0);
}

static void passive(struct store_lite *s)
{
	(void)checkpoint(s, SQLITE_CHECKPOINT_PASSIVE);
	if (atomic_load(&s->wal_bytes) >= NEAR_BYTES)
		atomic_store(&s->ckpt.restart_due, true);
}

/* Nothing was written for a while: leave no old pages in the log.  Without
 * waiting for anybody; a batch that begins just now waits for this. */
static void empty(struct store_lite *s)
{
	(void)sqlite3_busy_timeout(s->checkpointer.h, 0);
	if (checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK)
		atomic_store(&s->wal_bytes, 0);
}

/* Until something is wanted; false: nothing for IDLE_S. */
static bool wait_wanted(struct store_ckpt *k)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	while (k->want == CKPT_NONE && !k->stop)
		if (pthread_cond_clockwait(&k->wanted, &k->lock,
					   CLOCK_MONOTONIC,
					   &until) == ETIMEDOUT)
			return false;
	return true;
}

static void idle(struct store_lite *s, uint64_t *seen)
{
	uint64_t batches = atomic_load(&s->batches);

	if (!s->guest && batches == *seen && atomic_load(&s->wal_bytes) > 0)
		empty(s);
	*seen = batches;
}

void *store_lite_checkpoints(void *ctx)
{
	struct store_lite *s = ctx;
	struct store_ckpt *k = &s->ckpt;
	uint64_t seen = 0;

	(void)pthread_mutex_lock(&k->lock);
	while (!k->stop) {
		bool wanted = wait_wanted(k);
		int want = k->want;

		(void)pthread_mutex_unlock(&k->lock);
		if (!wanted)
			idle(s, &seen);
		else if (want == CKPT_RESTART)
			restart(s);
		else if (want == CKPT_PASSIVE)
			passive(s);
		(void)pthread_mutex_lock(&k->lock);
		if (wanted) {
			k->want = CKPT_NONE;
			(void)pthread_cond_broadcast(&k->done);
		}
	}
	(void)pthread_mutex_unlock(&k->lock);
	return NULL;
}
