// SPDX-License-Identifier: Apache-2.0
/*
 * bench_store.c - what a durable change costs, on the disk under the current
 * folder.
 *
 * A fixed number of operations is in flight, each asked for again as soon as
 * it is done, on the store's own thread: so the figures are the store's alone.
 * `create` is what a new verification writes, `check` what a wrong guess does.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

#define BEGAN INT64_C(1800000000000)

enum {
	RECORDS = 50000,
	VALUE_BYTES = 300,
	QUEUED = 4,    /* calls that wait in each partition */
	RECENT = 4096, /* checks are of one of so many */
	RUN_MS = 3000,
	SAMPLES = 1 << 20,
	INFLIGHT_MAX = 256,
};

struct bench;

/* One of those in flight. */
struct slot {
	struct bench *bench;
	uint64_t n; /* which record */
	uint64_t seed;
	int64_t began_ns;
};

struct kind {
	const char *name;
	int (*ask)(struct bench *b, struct slot *s);
};

struct bench {
	struct store *st;
	const struct kind *kind;
	struct slot slots[INFLIGHT_MAX];
	atomic_uint_fast64_t made;
	_Atomic int64_t until_ns;
	atomic_int left;
	atomic_size_t samples;
	uint32_t *us;
	pthread_mutex_t lock;
	pthread_cond_t over;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* xorshift64 */
static uint64_t draw(struct slot *s)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return s->seed;
}

/* Partition and id of record n, spread like hashes. */
static unsigned name_record(uint64_t n, char id[64])
{
	uint64_t h = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	h ^= h >> 32;
	(void)snprintf(id, 64, "ver_%02x%016" PRIx64 "%06" PRIx64,
		       (unsigned)(h & 255), h * 31, n & 0xffffff);
	return (unsigned)(h & 255);
}

static void start_one(struct slot *s);

static void finish_one(struct slot *s, int err)
{
	struct bench *b = s->bench;
	int64_t now = now_ns(CLOCK_MONOTONIC);
	size_t i = atomic_fetch_add(&b->samples, 1);

	if (err) {
		(void)fprintf(stderr, "%s: error %d\n", b->kind->name, err);
		abort();
	}
	if (i < SAMPLES)
		b->us[i] = (uint32_t)((now - s->began_ns) / 1000);
	if (now < atomic_load(&b->until_ns)) {
		start_one(s);
		return;
	}
	(void)pthread_mutex_lock(&b->lock);
	if (atomic_fetch_sub(&b->left, 1) == 1)
		(void)pthread_cond_signal(&b->over);
	(void)pthread_mutex_unlock(&b->lock);
}

static void start_one(struct slot *s)
{
	s->began_ns = now_ns(CLOCK_MONOTONIC);
	if (s->bench->kind->ask(s->bench, s)) {
		(void)fprintf(stderr, "%s: refused\n", s->bench->kind->name);
		abort();
	}
}

static void done(const struct store_result *r, void *ctx)
{
	finish_one(ctx, r->err);
}

/* --- one record, read and written back ------------------------------------ */

static int apply_change(struct store_tx *tx, void *ctx)
{
	char value[VALUE_BYTES];
	struct span was;

	(void)ctx;
	memset(value, 'x', sizeof(value));
	if (store_tx_get(tx, 0, &was) && was.n == sizeof(value))
		memcpy(value, was.p, was.n);
	value[0]++;
	store_tx_put(tx, 0, span_make(value, sizeof(value)), NULL);
	return 0;
}

static int ask_change(struct bench *b, struct slot *s)
{
	char id[64];
	unsigned partition = name_record(draw(s) % RECORDS, id);
	const struct store_key key = {"plain", id};

	return store_change(b->st, partition, &key, 1, apply_change, done, s);
}

/* --- a new verification ------------------------------------------------------ */

static void put_verification(struct store_tx *tx, uint64_t n, int guesses)
{
	char value[VALUE_BYTES], hash[65];

	memset(value, ' ' + guesses, sizeof(value));
	(void)snprintf(hash, sizeof(hash), "%016" PRIx64 "%016" PRIx64,
		       n * UINT64_C(0x9e3779b97f4a7c15), n);
	store_tx_put(tx, 0, span_make(value, sizeof(value)),
		     &(struct store_index){.time_ms = BEGAN + (int64_t)n,
					   .owner = "app_bench",
					   .hash = hash,
					   .label = "queued",
					   .group = "DE",
					   .expires_ms = BEGAN + 86400000});
}

static int apply_create(struct store_tx *tx, void *ctx)
{
	static const char json[] = "{\"type\":\"verification.created\","
				   "\"status\":\"queued\",\"attempt\":1}";
	const struct slot *s = ctx;
	char id[64], number[72], value[120];

	(void)name_record(s->n, id);
	memset(value, 'n', sizeof(value));
	put_verification(tx, s->n, 0);
	store_tx_put(tx, 1, span_make(value, sizeof(value)), NULL);
	store_tx_event(tx, id, "app_bench", "created", span_of(json));
	store_tx_push(tx, &(struct store_push){
				  .id = id, .ref = id, .lease_ms = 30000});
	(void)snprintf(number, sizeof(number), "num:%s", id);
	store_tx_reserve(tx, &(struct store_counter){.name = number,
						     .amount = 1,
						     .limit = 9,
						     .window_ms = 30000});
	store_tx_reserve(tx, &(struct store_counter){.name = number,
						     .amount = 1,
						     .limit = 9,
						     .window_ms = 86400000});
	store_tx_reserve(tx, &(struct store_counter){.name = "key:bench",
						     .amount = 1,
						     .limit = INT64_MAX,
						     .window_ms = 60000});
	return 0;
}

static int ask_create(struct bench *b, struct slot *s)
{
	char id[64];
	unsigned partition;
	const struct store_key keys[] = {{"verification", id}, {"number", id}};

	s->n = atomic_fetch_add(&b->made, 1);
	partition = name_record(s->n, id);
	return store_change(b->st, partition, keys, 2, apply_create, done, s);
}

/* --- a guess at a recent one --------------------------------------------------- */

static int apply_check(struct store_tx *tx, void *ctx)
{
	const struct slot *s = ctx;
	char value[VALUE_BYTES];
	struct span was;

	if (!store_tx_get(tx, 0, &was) || was.n == 0)
		return -1;
	put_verification(tx, s->n, (was.p[0] + 1) % 64);
	if (!store_tx_get(tx, 1, &was) || was.n > sizeof(value))
		return -1;
	memcpy(value, was.p, was.n);
	value[0]++;
	store_tx_put(tx, 1, span_make(value, was.n), NULL);
	return 0;
}

static int ask_check(struct bench *b, struct slot *s)
{
	char id[64];
	unsigned partition;
	const struct store_key keys[] = {{"verification", id}, {"number", id}};
	uint64_t made = atomic_load(&b->made);

	s->n = made - 1 - draw(s) % (made < RECENT ? made : RECENT);
	partition = name_record(s->n, id);
	return store_change(b->st, partition, keys, 2, apply_check, done, s);
}

/* --- reading ---------------------------------------------------------------------- */

static void got(int err, const struct store_record *r, size_t count,
		const char *next, void *ctx)
{
	(void)r;
	(void)next;
	finish_one(ctx, err ? err : count != 1);
}

static int ask_get(struct bench *b, struct slot *s)
{
	char id[64];
	unsigned partition = name_record(draw(s) % RECORDS, id);

	return store_get(b->st, partition, "plain", id, got, s);
}

/* --- running ------------------------------------------------------------------------ */

static void run(struct bench *b, const struct kind *k, size_t inflight,
		int64_t ms)
{
	b->kind = k;
	atomic_store(&b->samples, 0);
	atomic_store(&b->left, (int)inflight);
	atomic_store(&b->until_ns, now_ns(CLOCK_MONOTONIC) + ms * 1000000);
	for (size_t i = 0; i < inflight; i++) {
		b->slots[i].bench = b;
		b->slots[i].seed = UINT64_C(88172645463325252) + i;
		start_one(&b->slots[i]);
	}
	(void)pthread_mutex_lock(&b->lock);
	while (atomic_load(&b->left) > 0)
		(void)pthread_cond_wait(&b->over, &b->lock);
	(void)pthread_mutex_unlock(&b->lock);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void measure(struct bench *b, const struct kind *k, size_t inflight)
{
	int64_t wall = now_ns(CLOCK_MONOTONIC);
	int64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct store_stats before, after;
	uint64_t batches;
	uint32_t p50, p99;
	size_t n, kept;

	store_stats(b->st, &before);
	run(b, k, inflight, RUN_MS);
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	store_stats(b->st, &after);
	n = atomic_load(&b->samples);
	kept = n < SAMPLES ? n : SAMPLES;
	qsort(b->us, kept, sizeof(*b->us), by_size);
	p50 = b->us[kept / 2];
	p99 = b->us[kept * 99 / 100];
	batches = after.batches - before.batches;
	(void)printf("store.%-8s inflight=%zu  %.0f/s  %.0f/cpu-s  %.1f us-cpu"
		     "  p50=%.2fms p99=%.2fms max=%.1fms  batch=%.0f\n",
		     k->name, inflight, (double)n * 1e9 / (double)wall,
		     (double)n * 1e9 / (double)cpu,
		     (double)cpu / 1e3 / (double)n, p50 / 1e3, p99 / 1e3,
		     b->us[kept - 1] / 1e3,
		     batches ? (double)n / (double)batches : 0.0);
	(void)fflush(stdout);
}

/* Every record that the runs read. */
static int ask_fill(struct bench *b, struct slot *s)
{
	char id[64];
	uint64_t n = atomic_fetch_add(&b->made, 1);
	unsigned partition = name_record(n % RECORDS, id);
	const struct store_key key = {"plain", id};

	if (n >= RECORDS)
		atomic_store(&b->until_ns, 0);
	return store_change(b->st, partition, &key, 1, apply_change, done, s);
}

static void remove_folder(const char *folder)
{
	static const char *const names[] = {"store.db", "store.db-wal",
					    "store.db-shm", "store.db-lock"};
	char path[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

/* Every operation, or the one that is named. */
static int run_all(struct bench *b, const char *folder, const char *only)
{
	static const struct kind fill = {"fill", ask_fill};
	static const struct kind kinds[] = {
		{"change", ask_change},
		{"create", ask_create},
		{"check", ask_check},
		{"get", ask_get},
	};
	struct diag d = {0};
	char url[64];

	(void)snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
	if (store_open(&(struct store_params){.url = url,
					      .clock = clock_real(),
					      .node = "bench"},
		       &b->st, &d)) {
		(void)fprintf(stderr, "%s\n", d.message);
		return 1;
	}
	run(b, &fill, INFLIGHT_MAX, INT32_MAX);
	if (only && strcmp(only, "check") == 0)
		run(b, &kinds[1], INFLIGHT_MAX, RUN_MS);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (only && strcmp(only, kinds[i].name) != 0)
			continue;
		measure(b, &kinds[i], 64);
		measure(b, &kinds[i], INFLIGHT_MAX);
	}
	store_close(b->st);
	return 0;
}

/* With an argument, that operation alone. */
int main(int argc, char **argv)
{
	static struct bench b;
	static uint32_t us[SAMPLES];
	char folder[] = "bench-store-XXXXXX";
	int status;

	if (!mkdtemp(folder))
		return 1;
	b.us = us;
	(void)pthread_mutex_init(&b.lock, NULL);
	(void)pthread_cond_init(&b.over, NULL);
	status = run_all(&b, folder, argc > 1 ? argv[1] : NULL);
	remove_folder(folder);
	return status;
}
