// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_conn.c - one connection: how it is set, its statements, its kinds.
 *
 * synchronous=FULL, because a commit is acknowledged and NORMAL loses the last
 * of them in a power cut, among them counts of wrong guesses.
 * secure_delete=ON, so that erased numbers and sealed codes do not stay on
 * free pages; it costs nothing measurable here (12.3 against 12.4 us for a new
 * record, 9.8 against 9.7 for a changed one, batches of 64), because what is
 * overwritten is on pages that are written anyway.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_priv.h"

enum {
	BUSY_MS = 2000,
};

static const char *const texts[] = {
#define S(name, text) [SQL_##name] = (text),
#include "store/sqlite_sql.def"
#undef S
};

int store_conn_err(const struct store_conn *c, int rc)
{
	int os = c->h ? sqlite3_system_errno(c->h) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		return os == ENOSPC || os == EDQUOT ? -ENOSPC : -EIO;
	default:
		return -EIO;
	}
}

int store_conn_refuse(const struct store_conn *c, int rc, struct diag *d)
{
	int err = store_conn_err(c, rc);

	switch (rc & 0xff) {
	case SQLITE_NOTADB:
		return diag_set(d, "this file is not a database");
	case SQLITE_FULL:
		(void)diag_set(d, "the disk is full");
		return err;
	case SQLITE_BUSY:
		(void)diag_set(d, "the store is in use by another program");
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		(void)diag_set(d, "no permission to write the store: %s",
			       sqlite3_errmsg(c->h));
		return -EACCES;
	default:
		(void)diag_set(d, "the store cannot be opened: %s",
			       sqlite3_errmsg(c->h));
		return err;
	}
}

static int set(struct store_conn *c, const char *sql)
{
	return sqlite3_exec(c->h, sql, NULL, NULL, NULL);
}

int store_conn_open(const struct store_lite *s, struct store_conn *c,
		    int cache_kib, struct diag *d)
{
	char sql[64];
	int rc = sqlite3_open_v2(s->path, &c->h,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					 SQLITE_OPEN_NOMUTEX |
					 SQLITE_OPEN_EXRESCODE,
				 store_lite_vfs(s->vfs));

	if (rc == SQLITE_OK) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%d",
			       cache_kib);
		(void)sqlite3_busy_timeout(c->h, BUSY_MS);
		rc = set(c, sql);
	}
	if (rc == SQLITE_OK)
		rc = set(c, "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
			    "PRAGMA wal_autocheckpoint=0;"
			    "PRAGMA temp_store=MEMORY;"
			    "PRAGMA trusted_schema=OFF");
	if (rc == SQLITE_OK)
		return 0;
	return store_conn_refuse(c, rc, d);
}

void store_conn_close(struct store_conn *c)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		(void)sqlite3_finalize(c->st[i]);
	for (size_t i = 0; i < STORE_SQL_MASKS; i++)
		(void)sqlite3_finalize(c->update[i]);
	(void)sqlite3_close_v2(c->h);
	memset(c, 0, sizeof(*c));
}

sqlite3_stmt *store_conn_use(struct store_conn *c, enum store_sql which)
{
	if (!c->st[which])
		(void)sqlite3_prepare_v3(c->h, texts[which], -1,
					 SQLITE_PREPARE_PERSISTENT,
					 &c->st[which], NULL);
	return c->st[which];
}

int store_conn_step(const struct store_conn *c, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st), err;

	if (rc == SQLITE_ROW)
		return 1;
	err = store_conn_err(c, rc);
	(void)sqlite3_reset(st);
	return err;
}

int store_conn_run(const struct store_conn *c, sqlite3_stmt *st)
{
	int n;

	do
		n = store_conn_step(c, st);
	while (n > 0);
	return n;
}

void store_conn_bind_text(sqlite3_stmt *st, int at, const char *s)
{
	if (s && *s)
		(void)sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(st, at);
}

const char *store_conn_text(sqlite3_stmt *st, int column)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	return s ? (const char *)s : "";
}

/* --- kinds ---------------------------------------------------------------- */

static int known_kind(const struct store_conn *c, const char *name)
{
	for (size_t i = 0; i < c->kinds; i++)
		if (strcmp(c->kind[i], name) == 0)
			return (int)i + 1;
	return 0;
}

/* Numbers are given without gaps, so a kind's place is its number. */
static int learn_kinds(struct store_conn *c)
{
	sqlite3_stmt *st = store_conn_use(c, SQL_KIND_LIST);
	int n;

	(void)sqlite3_bind_int(st, 1, (int)c->kinds);
	while ((n = store_conn_step(c, st)) > 0) {
		if (c->kinds == STORE_SQL_KINDS_MAX)
			continue;
		(void)snprintf(c->kind[c->kinds++], sizeof(c->kind[0]), "%s",
			       store_conn_text(st, 1));
	}
	return n;
}

int store_conn_kind(struct store_conn *c, const char *name)
{
	int n = known_kind(c, name);
	int err;

	if (n > 0)
		return n;
	err = learn_kinds(c);
	return err ? err : known_kind(c, name);
}

int store_conn_kind_add(struct store_conn *c, const char *name)
{
	int n = store_conn_kind(c, name);
	sqlite3_stmt *st;
	int err;

	if (n != 0)
		return n;
	if (c->kinds == STORE_SQL_KINDS_MAX)
		return -E2BIG;
	st = store_conn_use(c, SQL_KIND_ADD);
	(void)sqlite3_bind_int(st, 1, (int)c->kinds + 1);
	store_conn_bind_text(st, 2, name);
	err = store_conn_run(c, st);
	if (err)
		return err;
	(void)snprintf(c->kind[c->kinds++], sizeof(c->kind[0]), "%s", name);
	return (int)c->kinds;
}
