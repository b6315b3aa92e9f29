// SPDX-License-Identifier: Apache-2.0
/*
 * secret.c - the key ring on disk, and the tick beside it.
 *
 * The ring comes from the environment or from a file that only its owner may
 * read.  The tick is how a restored copy of the store is noticed (A8): the
 * store counts, and this file remembers how far it had counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app_priv.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"

#define SECRET_VARIABLE "VOICEOTP_SECRET"

static int unreadable(struct diag *d, const char *what, int err)
{
	char why[96];

	(void)diag_field(d, "secret_file", "%s: %s", what,
			 strerror_r(-err, why, sizeof(why)));
	return err;
}

static void wipe(struct buf *b)
{
	if (b->p)
		crypto_wipe(b->p, b->n);
	buf_free(b);
}

/* The folder that a file is to lie in. */
static int make_place(const char *path)
{
	AUTO_FREE char *dir = b_strdup(path);
	char *slash = strrchr(dir, '/');

	if (!slash || slash == dir)
		return 0;
	*slash = 0;
	return file_make_dir(dir);
}

static int make_ring(const char *path, struct diag *d)
{
	struct buf text = {.max = KEYRING_TEXT_MAX};
	int err;

	keyring_make(rng_system(), &text);
	err = make_place(path);
	if (!err)
		err = file_write(path, text.p, text.n, 0600);
	wipe(&text);
	return err ? unreadable(d, "cannot be made", err) : 0;
}

static int read_ring(const char *path, struct buf *text, struct diag *d)
{
	struct stat st;
	int err;

	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0) {
		(void)diag_field(d, "secret_file",
				 "%s may be read by others: chmod 600 it",
				 path);
		return -EPERM;
	}
	err = file_read(path, text);
	return err ? unreadable(d, path, err) : 0;
}

int app_ring(const struct settings *s, bool make, struct keyring **out,
	     struct diag *d)
{
	/* once, before there are threads */
	const char *given =
		getenv(SECRET_VARIABLE); // NOLINT(concurrency-mt-unsafe)
	struct buf text = {.max = KEYRING_TEXT_MAX};
	struct stat st;
	int err = 0;

	if (given && *given) {
		err = keyring_parse(span_of(given), out, d);
		if (err)
			(void)diag_field(d, SECRET_VARIABLE, "%s",
					 "is not a key ring: `id: hex` lines");
		return err;
	}
	if (make && stat(s->secret_file, &st) != 0 && errno == ENOENT)
		err = make_ring(s->secret_file, d);
	if (!err)
		err = read_ring(s->secret_file, &text, d);
	if (!err)
		err = keyring_parse(buf_view(&text), out, d);
	wipe(&text);
	return err;
}

int app_ring_rotate(const struct settings *s, char *id, size_t n,
		    struct diag *d)
{
	struct buf old = {.max = KEYRING_TEXT_MAX};
	struct buf new = {.max = KEYRING_TEXT_MAX};
	AUTO(keyring) *ring = NULL;
	int err = read_ring(s->secret_file, &old, d);

	if (!err)
		err = keyring_rotate(buf_view(&old), rng_system(), &new, d);
	if (!err)
		err = keyring_parse(buf_view(&new), &ring, d);
	if (!err) {
		err = file_write(s->secret_file, new.p, new.n, 0600);
		if (err)
			(void)unreadable(d, "cannot be replaced", err);
	}
	if (!err)
		(void)snprintf(id, n, "%s", keyring_maker(ring));
	wipe(&old);
	wipe(&new);
	return err;
}

/* --- the tick ------------------------------------------------------------------ */

static void tick_path(const struct settings *s, char out[APP_PATH_MAX + 8])
{
	(void)snprintf(out, APP_PATH_MAX + 8, "%s.tick", s->secret_file);
}

int64_t app_tick_read(const struct settings *s)
{
	char path[APP_PATH_MAX + 8];
	AUTO_BUF(text, 64);
	uint64_t tick = 0;

	tick_path(s, path);
	if (file_read(path, &text) ||
	    span_uint(span_trim(buf_view(&text)), INT64_MAX, &tick))
		return 0;
	return (int64_t)tick;
}

void app_tick_write(const struct settings *s, int64_t tick)
{
	char path[APP_PATH_MAX + 8], text[32];
	int n = snprintf(text, sizeof(text), "%lld\n", (long long)tick);

	tick_path(s, path);
	/* not being able to is no reason to stop: the next one may do */
	if (file_write(path, text, (size_t)n, 0600))
		return;
}
