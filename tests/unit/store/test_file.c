// SPDX-License-Identifier: Apache-2.0
/*
 * test_file.c - what is true of the embedded store alone: its file, who may
 * open it, how old ones become new, how long its log gets.
 */
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "support/test.h"
#include "unit/store/blocking.h"
#include "unit/store/schema_1.h"
#include "unit/store/sqlite_file.h"

#define START ((int64_t)1800000000000)

struct fixture {
	struct sqlite_file file;
	struct clock *clock;
	struct diag d;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	sqlite_file_make(&f->file);
	f->clock = clock_manual(START);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sqlite_file_remove(&f->file);
	clock_free(f->clock);
	free(f);
	return 0;
}

static int open_as(struct fixture *f, bool guest, struct store **out)
{
	memset(&f->d, 0, sizeof(f->d));
	return store_open(&(struct store_params){.url = f->file.url,
						 .clock = f->clock,
						 .node = "here",
						 .guest = guest},
			  out, &f->d);
}

static struct store *open_ok(struct fixture *f)
{
	struct store *st = NULL;

	assert_int_equal(open_as(f, false, &st), 0);
	return st;
}

static void refuses(struct fixture *f, int err, const char *because)
{
	struct store *st = NULL;

	assert_int_equal(open_as(f, false, &st), err);
	assert_null(st);
	if (!strstr(f->d.message, because))
		fail_msg("\"%s\" does not say \"%s\"", f->d.message, because);
}

static void run_sql(struct fixture *f, const char *sql)
{
	sqlite3 *h;

	assert_int_equal(sqlite3_open(f->file.path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
}

/* --- whose file it is --------------------------------------------------------- */

TEST(what_was_written_is_there_after_opening_again)
{
	struct fixture *f = *state;
	const struct store_counter c = {
		.name = "n", .amount = 2, .limit = 9, .window_ms = 3600000};
	struct store *st = open_ok(f);

	assert_int_equal(bl_put(st, 3, "number", "n1", "hello"), 0);
	assert_int_equal(bl_reserve(st, &c, 1).err, 0);
	store_close(st);
	st = open_ok(f);

	assert_string_equal(bl_get(st, 3, "number", "n1").text, "hello");
	assert_int_equal(bl_used(st, &c), 2);
	store_close(st);
}

static int apply_push(struct store_tx *tx, void *ctx)
{
	(void)ctx;
	store_tx_push(tx, &(struct store_push){.id = "a1"});
	store_tx_event(tx, "topic", NULL, "pushed", span_of("{}"));
	return 0;
}

TEST(fences_and_event_numbers_go_on_after_opening_again)
{
	struct fixture *f = *state;
	struct bl_leases *l = calloc(1, sizeof(*l));
	struct bl_events *e = calloc(1, sizeof(*e));
	struct bl_change push = {.apply = apply_push};
	struct store *st = open_ok(f);

	assert_int_equal(bl_change(st, &push).err, 0);
	bl_lease(st, STORE_CALLS, 1, 1000, l);
	assert_int_equal(l->leases[0].fence, 1);
	store_close(st);
	clock_advance(f->clock, 1000);
	st = open_ok(f);

	bl_lease(st, STORE_CALLS, 1, 1000, l);
	assert_int_equal(l->leases[0].fence, 2);
	assert_int_equal(bl_change(st, &push).err, 0);
	bl_follow(st, "topic", "", 10, e);
	assert_int_equal(e->count, 2);
	assert_string_not_equal(e->cursors[0], e->cursors[1]);
	store_close(st);
	free(l);
	free(e);
}

TEST(only_the_owner_may_read_the_files)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct stat about;
	char log[128];

	(void)snprintf(log, sizeof(log), "%s-wal", f->file.path);
	assert_int_equal(bl_put(st, 0, "a", "x", "v"), 0);

	assert_int_equal(stat(f->file.path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(stat(log, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	store_close(st);
}

TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
	static const char text[] = "Dear diary, nothing here is a database, "
				   "and it is longer than a header of sqlite, "
				   "which has one hundred bytes.";
	struct fixture *f = *state;
	AUTO_BUF(read, 4096);

	assert_int_equal(file_write(f->file.path, text, sizeof(text), 0600), 0);

	refuses(f, -EINVAL, "not a database");
	assert_int_equal(file_read(f->file.path, &read), 0);
	assert_int_equal(read.n, sizeof(text));
	assert_memory_equal(read.p, text, sizeof(text));
}

TEST(a_database_of_another_program_is_refused)
{
	struct fixture *f = *state;

	run_sql(f, "CREATE TABLE theirs(x)");
	refuses(f, -EINVAL, "another program");
}

TEST(a_newer_schema_is_refused)
{
	struct fixture *f = *state;

	store_close(open_ok(f));
	run_sql(f, "PRAGMA user_version=99");
	refuses(f, -ENOTSUP, "newer version");
}

TEST(a_folder_that_is_not_there_is_refused)
{
	struct fixture *f = *state;

	(void)snprintf(f->file.url, sizeof(f->file.url), "sqlite:%s/no/db",
		       f->file.folder);
	refuses(f, -ENOENT, "No such file");
}

TEST(a_strange_url_is_refused)
{
	struct fixture *f = *state;
	static const char *const urls[] = {
		"", "sqlite", "sqlite:", "sqlite:x?mode=ro", "mysql:x"};

	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		(void)snprintf(f->file.url, sizeof(f->file.url), "%s", urls[i]);
		refuses(f, -EINVAL, "");
		assert_true(f->d.message[0] != '\0');
	}
}

/* --- one process --------------------------------------------------------------- */

TEST(a_second_process_is_refused)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct store *second = NULL;
		int err = open_as(f, false, &second);

		_exit(err == -EBUSY && strstr(f->d.message, "in use") ? 7 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(bl_put(st, 0, "a", "x", "v"), 0);
	store_close(st);
	store_close(open_ok(f));
}

TEST(a_second_store_of_the_same_process_is_refused_and_harms_nobody)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);

	refuses(f, -EBUSY, "in use");
	assert_int_equal(bl_put(st, 0, "a", "x", "v"), 0);
	refuses(f, -EBUSY, "in use");
	store_close(st);
}

TEST(a_guest_works_beside_the_owner_and_each_sees_the_other)
{
	const struct store_counter c = {
		.name = "n", .amount = 1, .limit = 2, .window_ms = 3600000};
	struct fixture *f = *state;
	struct bl_leases *l = calloc(1, sizeof(*l));
	struct bl_events *e = calloc(1, sizeof(*e));
	struct bl_change push = {.apply = apply_push};
	struct store *st = open_ok(f), *guest = NULL;

	assert_int_equal(open_as(f, true, &guest), 0);
	for (int i = 0; i < 3; i++) { /* kinds and events of both, in turns */
		char kind[8];

		(void)snprintf(kind, sizeof(kind), "a%d", i);
		assert_int_equal(bl_put(i % 2 ? st : guest, 0, kind, "x", "v"),
				 0);
		assert_int_equal(bl_change(i % 2 ? guest : st, &push).err, 0);
	}

	assert_true(bl_get(st, 0, "a0", "x").there);
	assert_true(bl_get(guest, 0, "a1", "x").there);
	bl_follow(st, "topic", "", 10, e);
	assert_int_equal(e->count, 3);
	assert_int_equal(bl_reserve(st, &c, 1).err, 0);
	assert_int_equal(bl_reserve(guest, &c, 1).err, 0);
	assert_int_equal(bl_reserve(st, &c, 1).err, -EDQUOT);
	bl_lease(guest, STORE_CALLS, 1, 1000, l);
	assert_int_equal(l->err, -EPERM);
	store_close(guest);
	store_close(st);
	free(l);
	free(e);
}

TEST(a_guest_makes_and_migrates_nothing)
{
	struct fixture *f = *state;
	struct store *guest = NULL;

	assert_int_equal(open_as(f, true, &guest), -ENOENT);
	assert_int_equal(access(f->file.path, F_OK), -1);
	run_sql(f, schema_1);
	assert_int_equal(open_as(f, true, &guest), -ENOTSUP);
	store_close(open_ok(f));
	assert_int_equal(open_as(f, true, &guest), 0);
	store_close(guest);
}

/* --- migration -------------------------------------------------------------------- */

TEST(a_store_of_schema_1_becomes_a_new_one_with_all_that_was_in_it)
{
	struct fixture *f = *state;
	struct bl_events *e = calloc(1, sizeof(*e));
	struct bl_leases *l = calloc(1, sizeof(*l));
	struct bl_page *p = calloc(1, sizeof(*p));
	struct store *st;

	run_sql(f, schema_1);
	st = open_ok(f);

	assert_string_equal(bl_get(st, 3, "application", "app1").text, "first");
	bl_list(st,
		&(struct store_query){
			.kind = "call", .limit = 5, .owner = "app1"},
		p);
	assert_int_equal(p->count, 1);
	assert_string_equal(p->ids[0], "call1");
	bl_follow(st, "call1", "", 10, e);
	assert_int_equal(e->count, 3);
	assert_string_equal(e->types[1], "rang");
	bl_follow(st, "app1", "", 10, e);
	assert_int_equal(e->count, 3);
	bl_lease(st, STORE_CALLS, 1, 1000, l);
	assert_int_equal(l->count, 1);
	assert_int_equal(l->leases[0].fence, 7);
	assert_int_equal(bl_put(st, 0, "new", "x", "v"), 0);
	store_close(st);
	free(e);
	free(l);
	free(p);
}

/* START + 200 s: in the window of 10 minutes that ends at START + 600 s, and in
 * the day that ends at START + 57600 s. */
static const char counters_of_schema_1[] =
	"INSERT INTO counter(ends, name, window, used) VALUES"
	" (1799999400000, 'n:ab:10min', 600000, 8),"
	" (1800000600000, 'n:ab:10min', 600000, 2),"
	" (1800057600000, 'n:ab:day', 86400000, 5),"
	" (1800003600000, 'm:all:hour', 3600000, 700),"
	" (1800003600000, 'p7:1212555:hour', 3600000, 6),"
	" (1800003600000, 'p8:1212555:hour', 3600000, 7),"
	" (1800489600000, 'w:week', 604800000, 9),"
	" (0, 'h:12125551', 0, 1);"
	"INSERT INTO hold(name, holder, amount, expires)"
	" VALUES('h:12125551', 'call1', 1, 1800009900000);";

TEST(counters_of_schema_1_stay_taken_under_their_new_names)
{
	static const struct {
		const char *name;
		int64_t window_ms, used;
	} rows[] = {
		{"n:ab", 600000, 2},        {"n:ab", 86400000, 5},
		{"m:all", 3600000, 700},    {"p:1212555", 3600000, 6},
		{"p:1212555 ", 3600000, 7}, {"w:week", 604800000, 9},
		{"h:12125551", 0, 1},
	};
	const struct store_counter hold = {.name = "h:12125551",
					   .amount = 1,
					   .limit = 1,
					   .holder = "call2",
					   .ttl_ms = 1000};
	struct fixture *f = *state;
	struct store *st;

	run_sql(f, schema_1);
	run_sql(f, counters_of_schema_1);
	clock_advance(f->clock, 200000);
	st = open_ok(f);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct store_counter c = {.name = rows[i].name,
						.amount = 1,
						.limit = rows[i].used,
						.holder = "call1",
						.window_ms = rows[i].window_ms};

		assert_int_equal(bl_used(st, &c), rows[i].used);
		if (c.window_ms)
			assert_int_equal(bl_reserve(st, &c, 1).err, -EDQUOT);
	}
	assert_int_equal(bl_reserve(st, &hold, 1).err, -EDQUOT);
	store_close(st);
}

/* --- the log ------------------------------------------------------------------------ */

enum {
	BIG = 200 << 10,
	ROUNDS = 700, /* about 140 MiB of log */
	LONGEST = (64 + 16) << 20,
};

static int apply_big(struct store_tx *tx, void *ctx)
{
	store_tx_put(tx, 0, span_make(ctx, BIG),
		     &(struct store_index){.time_ms = START});
	return 0;
}

static int64_t log_size(const struct fixture *f)
{
	struct stat about;
	char log[128];

	(void)snprintf(log, sizeof(log), "%s-wal", f->file.path);
	return stat(log, &about) ? 0 : (int64_t)about.st_size;
}

static int64_t write_much(struct fixture *f, struct store *st, int rounds)
{
	char *value = calloc(1, BIG);
	int64_t most = 0;

	for (int i = 0; i < rounds; i++) {
		char id[16];
		const struct store_key key = {"big", id};
		struct bl_change c = {.keys = &key,
				      .count = 1,
				      .apply = apply_big,
				      .ctx = value};

		(void)snprintf(id, sizeof(id), "b%d", i % 40);
		memset(value, i, BIG);
		assert_int_equal(bl_change(st, &c).err, 0);
		if (log_size(f) > most)
			most = log_size(f);
	}
	free(value);
	return most;
}

struct reading {
	struct store *st;
	atomic_bool stop;
};

/* Somebody reads at every moment. */
static void *read_on(void *ctx)
{
	struct reading *r = ctx;
	struct bl_page *p = calloc(1, sizeof(*p));

	while (!atomic_load(&r->stop))
		bl_list(r->st, &(struct store_query){.kind = "big", .limit = 9},
			p);
	free(p);
	return NULL;
}

TEST(the_log_stays_short_while_others_read)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct reading r = {.st = st};
	pthread_t t[2];
	int64_t most;

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_on, &r), 0);
	most = write_much(f, st, ROUNDS);
	atomic_store(&r.stop, true);
	for (int i = 0; i < 2; i++)
		(void)pthread_join(t[i], NULL);

	assert_true(most > 0);
	assert_true(most <= LONGEST);
	store_close(st);
}

TEST(a_foreign_reader_that_stays_stops_nobody_and_the_log_recovers)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct store_stats stats;
	sqlite3 *h;

	assert_int_equal(bl_put(st, 0, "a", "x", "v"), 0);
	assert_int_equal(sqlite3_open(f->file.path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "BEGIN; SELECT count(*) FROM record",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_true(write_much(f, st, ROUNDS / 2) > 64 << 20);
	assert_int_equal(sqlite3_close(h), SQLITE_OK);
	(void)write_much(f, st, ROUNDS / 4);

	store_stats(st, &stats);
	assert_true(stats.wal_bytes <= LONGEST);
	assert_true(stats.healthy);
	store_close(st);
}

static bool file_has(const char *path, const char *secret)
{
	AUTO_BUF(read, 64 << 20);

	assert_int_equal(file_read(path, &read), 0);
	return memmem(read.p, read.n, secret, strlen(secret)) != NULL;
}

TEST(what_was_overwritten_or_deleted_is_not_in_the_file)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);

	assert_int_equal(bl_put(st, 0, "a", "x", "+4915112345678"), 0);
	assert_int_equal(bl_put(st, 0, "a", "y", "+4917112345678"), 0);
	assert_int_equal(bl_put(st, 0, "a", "z", "kept"), 0);
	store_close(st);
	assert_true(file_has(f->file.path, "+4915112345678"));
	st = open_ok(f);
	assert_int_equal(bl_put(st, 0, "a", "x", "short"), 0);
	assert_int_equal(bl_delete(st, 0, "a", "y"), 0);
	store_close(st);

	assert_false(file_has(f->file.path, "+4915112345678"));
	assert_false(file_has(f->file.path, "+4917112345678"));
	assert_true(file_has(f->file.path, "kept"));
}

/* --- lists that have far to go --------------------------------------------------- */

enum { FAR = 5000, RARE = 1000 };

static int apply_many(struct store_tx *tx, void *ctx)
{
	int first = *(const int *)ctx;

	for (int i = 0; i < STORE_KEYS_MAX; i++)
		store_tx_put(tx, (size_t)i, span_of("v"),
			     &(struct store_index){.time_ms = START + first + i,
						   .group = (first + i) % RARE
								    ? "DE"
								    : "US"});
	return 0;
}

TEST(a_list_of_few_among_many_finds_them_all_in_order)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct bl_page *p = calloc(1, sizeof(*p));

	for (int i = 0; i < FAR; i += STORE_KEYS_MAX) {
		struct store_key keys[STORE_KEYS_MAX];
		char ids[STORE_KEYS_MAX][16];
		struct bl_change c = {.keys = keys,
				      .count = STORE_KEYS_MAX,
				      .apply = apply_many,
				      .ctx = &i};

		for (int k = 0; k < STORE_KEYS_MAX; k++) {
			(void)snprintf(ids[k], sizeof(ids[k]), "r%04d", i + k);
			keys[k] = (struct store_key){"call", ids[k]};
		}
		assert_int_equal(bl_change(st, &c).err, 0);
	}
	bl_list(st,
		&(struct store_query){
			.kind = "call", .limit = 4, .group = "US"},
		p);

	assert_int_equal(p->err, 0);
	assert_int_equal(p->count, 4);
	assert_string_equal(p->ids[0], "r5000");
	assert_string_equal(p->ids[3], "r2000");
	assert_true(p->more);
	store_close(st);
	free(p);
}

/* --- full and closing --------------------------------------------------------------- */

/* Holds the batch thread in a done handler. */
struct gate {
	struct store *st;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool entered, open;
	atomic_int ran, failed;
	int late;
};

static void gate_init(struct gate *g, struct store *st)
{
	memset(g, 0, sizeof(*g));
	g->st = st;
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->moved, NULL);
}

static void enter(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->entered = true;
	(void)pthread_cond_broadcast(&g->moved);
	(void)pthread_mutex_unlock(&g->lock);
}

static void hold_gate(const struct store_result *r, void *ctx)
{
	struct gate *g = ctx;

	(void)r;
	enter(g);
	(void)pthread_mutex_lock(&g->lock);
	while (!g->open)
		(void)pthread_cond_wait(&g->moved, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
}

static void wait_entered(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	while (!g->entered)
		(void)pthread_cond_wait(&g->moved, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
}

static int apply_nothing(struct store_tx *tx, void *ctx)
{
	(void)tx;
	(void)ctx;
	return 0;
}

static void count_done(const struct store_result *r, void *ctx)
{
	struct gate *g = ctx;

	atomic_fetch_add(r->err ? &g->failed : &g->ran, 1);
}

static void open_gate(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->open = true;
	(void)pthread_cond_broadcast(&g->moved);
	(void)pthread_mutex_unlock(&g->lock);
}

enum { HEAVY = 80 }; /* of 200 KiB: twice what a connection keeps in memory */

/* A value of its own for each record. */
struct heavy {
	struct gate *g;
	int i;
};

static int apply_heavy(struct store_tx *tx, void *ctx)
{
	const struct heavy *h = ctx;
	char *value = calloc(1, BIG);

	memset(value, 'a' + h->i % 26, BIG);
	store_tx_put(tx, 0, span_make(value, BIG), NULL);
	free(value);
	return 0;
}

static void heavy_done(const struct store_result *r, void *ctx)
{
	const struct heavy *h = ctx;

	count_done(r, h->g);
}

static void queue_heavy(struct store *st, struct heavy *all, struct gate *g)
{
	for (int i = 0; i < HEAVY; i++) {
		char id[16];
		const struct store_key key = {"heavy", id};

		(void)snprintf(id, sizeof(id), "h%d", i);
		all[i] = (struct heavy){.g = g, .i = i};
		assert_int_equal(store_change(st, 0, &key, 1, apply_heavy,
					      heavy_done, &all[i]),
				 0);
	}
}

TEST(a_batch_larger_than_the_cache_is_written_whole)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct heavy all[HEAVY];
	struct store_stats stats;
	struct gate g;

	gate_init(&g, st);
	assert_int_equal(
		store_change(st, 0, NULL, 0, apply_nothing, hold_gate, &g), 0);
	wait_entered(&g);
	queue_heavy(st, all, &g);
	open_gate(&g);
	assert_int_equal(bl_put(st, 0, "a", "x", "v"), 0);
	store_stats(st, &stats);
	store_close(st);
	assert_int_equal(atomic_load(&g.ran), HEAVY);
	assert_true(stats.batches <= 3);

	st = open_ok(f);
	for (int i = 0; i < HEAVY; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "h%d", i);
		assert_int_equal(bl_get(st, 0, "heavy", id).text[9],
				 'a' + i % 26);
	}
	store_close(st);
}

TEST(a_full_queue_says_so_at_once)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct store_stats stats;
	struct gate g;
	int queued = 0, err;

	gate_init(&g, st);
	assert_int_equal(
		store_change(st, 0, NULL, 0, apply_nothing, hold_gate, &g), 0);
	wait_entered(&g);
	while ((err = store_change(st, 0, NULL, 0, apply_nothing, count_done,
				   &g)) == 0)
		queued++;
	store_stats(st, &stats);

	assert_int_equal(err, -EAGAIN);
	assert_int_equal(queued, STORE_WAITING_MAX);
	assert_int_equal(stats.waiting, STORE_WAITING_MAX);
	open_gate(&g);
	store_close(st);
	assert_int_equal(atomic_load(&g.ran), queued);
}

/* Runs on the batch thread until the store is closing. */
static void ask_until_shut(const struct store_result *r, void *ctx)
{
	struct gate *g = ctx;

	(void)r;
	enter(g);
	do
		g->late = store_change(g->st, 0, NULL, 0, apply_nothing,
				       count_done, g);
	while (g->late == 0 || g->late == -EAGAIN);
}

TEST(closing_finishes_what_is_queued_and_takes_no_more)
{
	struct fixture *f = *state;
	struct store *st = open_ok(f);
	struct gate g;

	gate_init(&g, st);
	assert_int_equal(store_change(st, 0, NULL, 0, apply_nothing,
				      ask_until_shut, &g),
			 0);
	wait_entered(&g);
	store_close(st);

	assert_int_equal(g.late, -ESHUTDOWN);
	assert_int_equal(atomic_load(&g.failed), 0);
}

TEST(closing_nothing_is_fine)
{
	(void)state;
	store_close(NULL);
}

#define WITH_FILE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(what_was_written_is_there_after_opening_again),
		WITH_FILE(fences_and_event_numbers_go_on_after_opening_again),
		WITH_FILE(only_the_owner_may_read_the_files),
		WITH_FILE(a_file_that_is_no_database_is_refused_and_left_alone),
		WITH_FILE(a_database_of_another_program_is_refused),
		WITH_FILE(a_newer_schema_is_refused),
		WITH_FILE(a_folder_that_is_not_there_is_refused),
		WITH_FILE(a_strange_url_is_refused),
		WITH_FILE(a_second_process_is_refused),
		WITH_FILE(
			a_second_store_of_the_same_process_is_refused_and_harms_nobody),
		WITH_FILE(
			a_guest_works_beside_the_owner_and_each_sees_the_other),
		WITH_FILE(a_guest_makes_and_migrates_nothing),
		WITH_FILE(
			a_store_of_schema_1_becomes_a_new_one_with_all_that_was_in_it),
		WITH_FILE(
			counters_of_schema_1_stay_taken_under_their_new_names),
		WITH_FILE(the_log_stays_short_while_others_read),
		WITH_FILE(
			a_foreign_reader_that_stays_stops_nobody_and_the_log_recovers),
		WITH_FILE(what_was_overwritten_or_deleted_is_not_in_the_file),
		WITH_FILE(a_list_of_few_among_many_finds_them_all_in_order),
		WITH_FILE(a_batch_larger_than_the_cache_is_written_whole),
		WITH_FILE(a_full_queue_says_so_at_once),
		WITH_FILE(closing_finishes_what_is_queued_and_takes_no_more),
		WITH_FILE(closing_nothing_is_fine),
	};

	return cmocka_run_group_tests_name("store/file", tests, NULL, NULL);
}
