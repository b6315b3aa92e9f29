// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_schema.c - the tables, and the steps that led to them.
 *
 * A new file walks the same steps as an old one, so there is one truth.  A
 * step never changes once released; each runs in one transaction together
 * with the version it leads to.
 *
 * Records have a rowid, and their key (kind, id, partition) is an index beside
 * it: a row of some hundred bytes inside a WITHOUT ROWID key tree leaves so
 * few keys on a page that a new record cost 22 us instead of 12 and 2.5 pages
 * of log instead of 1.5 (200,000 records, batches of 64).  New rows lie side
 * by side, so the records of the last minutes share their pages.  The rowid is
 * also what makes a place in a list exact when times are equal.
 *
 * How counters lie in their rows, sqlite_tally.c tells.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite_priv.h"

enum { APPLICATION_ID = 0x564f5450 /* "VOTP" */ };

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE meta("
	" name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta(name, value) VALUES('events_gone', 0);"
	"CREATE TABLE kind(n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE record("
	" n INTEGER PRIMARY KEY, partition INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, id TEXT NOT NULL,"
	" time INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" owner TEXT, hash TEXT, label TEXT, grp TEXT, value BLOB);"
	"CREATE UNIQUE INDEX record_key ON record(partition, kind, id);"
	"CREATE INDEX record_time ON record(kind, time) WHERE time > 0;"
	"CREATE INDEX record_owner ON record(kind, owner, time)"
	" WHERE owner IS NOT NULL;"
	"CREATE INDEX record_hash ON record(kind, hash, time)"
	" WHERE hash IS NOT NULL;"
	"CREATE INDEX record_label ON record(kind, label, time)"
	" WHERE label IS NOT NULL;"
	"CREATE INDEX record_expires ON record(expires) WHERE expires > 0;"
	"CREATE TABLE event("
	" seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
	" topic TEXT NOT NULL, topic2 TEXT, type TEXT NOT NULL, json BLOB);"
	"CREATE INDEX event_topic ON event(topic, seq);"
	"CREATE INDEX event_topic2 ON event(topic2, seq)"
	" WHERE topic2 IS NOT NULL;"
	"CREATE TABLE counter("
	" ends INTEGER NOT NULL, name TEXT NOT NULL, window INTEGER NOT NULL,"
	" used INTEGER NOT NULL,"
	" PRIMARY KEY(ends, name, window)) WITHOUT ROWID;"
	"CREATE TABLE hold("
	" name TEXT NOT NULL, holder TEXT NOT NULL, amount INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" PRIMARY KEY(name, holder)) WITHOUT ROWID;"
	"CREATE INDEX hold_expires ON hold(expires);"
	"CREATE TABLE queue("
	" partition INTEGER NOT NULL, id TEXT NOT NULL, ref TEXT,"
	" lane INTEGER NOT NULL, due INTEGER NOT NULL, fence INTEGER NOT NULL,"
	" node TEXT,"
	" PRIMARY KEY(partition, id)) WITHOUT ROWID;"
	"CREATE INDEX queue_due ON queue(lane, due);",
	/* 2: both topics of an event in one narrow tree, in order, instead of
	 * two indexes whose rows have to be merged */
	"CREATE TABLE topic("
	" name TEXT NOT NULL, seq INTEGER NOT NULL,"
	" PRIMARY KEY(name, seq)) WITHOUT ROWID;"
	"INSERT INTO topic(name, seq) SELECT topic, seq FROM event"
	" UNION SELECT topic2, seq FROM event WHERE topic2 IS NOT NULL;"
	"DROP INDEX event_topic;"
	"DROP INDEX event_topic2;",
	/* 3: the id before the partition: ids begin with their time, so what is
	 * new lies together whatever its partition is, and a batch of new
	 * records changes a page or two of these trees instead of one for each
	 * record */
	"DROP INDEX record_key;"
	"CREATE UNIQUE INDEX record_key ON record(kind, id, partition);"
	"CREATE TABLE queue_3("
	" partition INTEGER NOT NULL, id TEXT NOT NULL, ref TEXT,"
	" lane INTEGER NOT NULL, due INTEGER NOT NULL, fence INTEGER NOT NULL,"
	" node TEXT,"
	" PRIMARY KEY(id, partition)) WITHOUT ROWID;"
	"INSERT INTO queue_3(partition, id, ref, lane, due, fence, node)"
	" SELECT partition, id, ref, lane, due, fence, node FROM queue;"
	"DROP TABLE queue;"
	"ALTER TABLE queue_3 RENAME TO queue;"
	"CREATE INDEX queue_due ON queue(lane, due);",
	/* 4: all windows of a name in one row, as in sqlite_tally.c; of those
	 * there may be several of one length, of which one is current.  Names
	 * said their window at the end (":10min"), which would now keep them
	 * apart, and those of a prefix its length in front ("p8:").  And no index of labels: they change, and are asked for
	 * together with what narrows more. */
	"CREATE TABLE counter_4("
	" ends INTEGER NOT NULL, name TEXT NOT NULL, used TEXT NOT NULL,"
	" PRIMARY KEY(ends, name)) WITHOUT ROWID;"
	"INSERT INTO counter_4(ends, name, used)"
	" SELECT CASE WHEN 86400000 % window = 0"
	"  THEN ((ends - 1) / 86400000 + 1) * 86400000 ELSE ends END AS day,"
	"  CASE WHEN stem GLOB 'p[4-8]:*' THEN 'p:' ||"
	"  printf('%-*s', substr(stem, 2, 1), substr(stem, 4))"
	"  ELSE stem END AS named,"
	"  group_concat(window || ' ' || ends || ' ' || used || ' ', '')"
	" FROM (SELECT window, ends, used, substr(name, 1, length(name) -"
	"  CASE WHEN substr(name, -length(suffix)) = suffix"
	"  THEN length(suffix) ELSE 0 END) AS stem"
	" FROM (SELECT name, window, max(ends) AS ends, used, ':' || CASE"
	"  WHEN window = 86400000 THEN 'day'"
	"  WHEN window % 86400000 = 0 THEN (window / 86400000) || 'd'"
	"  WHEN window = 3600000 THEN 'hour'"
	"  WHEN window % 3600000 = 0 THEN (window / 3600000) || 'h'"
	"  WHEN window = 60000 THEN 'minute'"
	"  WHEN window % 60000 = 0 THEN (window / 60000) || 'min'"
	"  WHEN window = 1000 THEN 'second'"
	"  WHEN window % 1000 = 0 THEN (window / 1000) || 's'"
	"  ELSE window || 'ms' END AS suffix"
	" FROM counter GROUP BY name, window))"
	" GROUP BY day, named;"
	"DROP TABLE counter;"
	"ALTER TABLE counter_4 RENAME TO counter;"
	"DROP INDEX record_label;",
};

/* The one number that a statement yields; 0 if it yields none. */
static int number_of(struct store_conn *c, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(c->h, sql, -1, &st, NULL);

	*out = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Before anything of ours touches the file: is it ours to touch? */
static int examine(struct store_conn *c, int64_t *version, struct diag *d)
{
	int64_t ours = 0, tables = 0;
	int rc = number_of(c, "PRAGMA application_id", &ours);

	if (rc == SQLITE_OK)
		rc = number_of(c, "PRAGMA user_version", version);
	if (rc == SQLITE_OK)
		rc = number_of(c, "SELECT count(*) FROM sqlite_schema",
			       &tables);
	if (rc != SQLITE_OK)
		return store_conn_refuse(c, rc, d);
	if (ours == 0 && *version == 0 && tables == 0)
		return 0; /* a new file */
	if (ours != APPLICATION_ID)
		return diag_set(d, "this is a database of another program");
	if (*version > (int64_t)COUNT_OF(steps)) {
		(void)diag_set(d,
			       "the store has schema %d, this program knows up "
			       "to %d: it was written by a newer version",
			       (int)*version, (int)COUNT_OF(steps));
		return -ENOTSUP;
	}
	return 0;
}

static int take_step(struct store_conn *c, int64_t version)
{
	char stamp[96];
	int rc = sqlite3_exec(c->h, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	(void)snprintf(stamp, sizeof(stamp),
		       "PRAGMA application_id=%d; PRAGMA user_version=%d;"
		       "COMMIT",
		       APPLICATION_ID, (int)version + 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->h, steps[version], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->h, stamp, NULL, NULL, NULL);
	return rc;
}

int store_schema_prepare(struct store_conn *c, bool guest, struct diag *d)
{
	int64_t version = 0;
	int err = examine(c, &version, d);
	int rc;

	if (err)
		return err;
	if (guest && version < (int64_t)COUNT_OF(steps)) {
		(void)diag_set(d,
			       "the store has schema %d, this program wants "
			       "%d: start the server once, it migrates",
			       (int)version, (int)COUNT_OF(steps));
		return -ENOTSUP;
	}
	if (guest)
		return 0;
	/* A new file is made under a rollback journal.  EXTRA syncs the folder
	 * when that is deleted: were it to come back after a power cut, it
	 * would roll back everything since.  On a file that has both settings
	 * nothing happens. */
	rc = sqlite3_exec(c->h,
			  "PRAGMA synchronous=EXTRA; PRAGMA page_size=4096;"
			  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
			  NULL, NULL, NULL);
	while (rc == SQLITE_OK && version < (int64_t)COUNT_OF(steps))
		rc = take_step(c, version++);
	return rc == SQLITE_OK ? 0 : store_conn_refuse(c, rc, d);
}
