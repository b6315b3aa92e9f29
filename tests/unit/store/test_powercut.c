// SPDX-License-Identifier: Apache-2.0
/*
 * test_powercut.c - what was answered is there after the power failed at any
 * moment, and after the disk was full.
 *
 * Chains of changes run on the store's own thread, each asked for when the one
 * before is done, until the disk gives up.  What was acknowledged is written
 * down here, and compared with what is found after opening again.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/powercut.h"
#include "support/test.h"
#include "unit/store/blocking.h"
#include "unit/store/sqlite_file.h"

#define START ((int64_t)1800000000000)

enum {
	PAIRS = 8,
	THINGS = 4096,
	LEASE_MS = 1000,
	DAY_MS = 86400000,
	SMALL = 40,
	LARGE = 60 << 10,
	FOLDERS = 50,
	CUTS = 5, /* in each folder, one after the other */
	BIG_FOLDERS = 4,
	SOAK = 20, /* times as many */
};

struct world;

/* Two records that are always equal, a counter and a topic that count along. */
struct pair {
	struct world *w;
	unsigned i;
	long wrote, acked;
};

/* Pushes, leases and acks, one after the other. */
struct chain {
	struct world *w;
	unsigned pushing, acking;
	uint64_t fence;
};

struct thing {
	bool pushed, ack_asked, acked;
	uint64_t fence; /* the highest that was told */
};

struct world {
	struct sqlite_file file;
	struct powercut *pc;
	struct clock *clock;
	struct rng *rng;
	struct store *st;
	size_t bytes; /* of a record */
	int budget;   /* operations until the chains stop by themselves */
	int first_err;
	bool torn;
	struct pair pairs[PAIRS];
	struct chain chain;
	struct thing things[THINGS];
	unsigned next_thing;
	pthread_mutex_t lock;
	pthread_cond_t over;
	int running;
	struct bl_leases leases;
	struct bl_events events;
};

/* --- the load: on the store's thread ------------------------------------------ */

static void stop_one(struct world *w, int err)
{
	(void)pthread_mutex_lock(&w->lock);
	if (err && !w->first_err)
		w->first_err = err;
	w->running--;
	(void)pthread_cond_signal(&w->over);
	(void)pthread_mutex_unlock(&w->lock);
}

static bool goes_on(struct world *w, int err)
{
	if (!err && w->budget-- > 0)
		return true;
	stop_one(w, err);
	return false;
}

static long number_at(const struct store_tx *tx, size_t key)
{
	char text[24];
	struct span v;

	if (!store_tx_get(tx, key, &v))
		return 0;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(v.n < 20 ? v.n : 20),
		       v.p);
	return strtol(text, NULL, 10);
}

static struct store_counter counter_of(unsigned i, char name[16])
{
	(void)snprintf(name, 16, "c%u", i);
	return (struct store_counter){.name = name,
				      .amount = 1,
				      .limit = INT64_MAX,
				      .window_ms = DAY_MS};
}

static int apply_pair(struct store_tx *tx, void *ctx)
{
	struct pair *p = ctx;
	char *value = calloc(1, p->w->bytes), name[16], type[24];
	struct store_counter c = counter_of(p->i, name);
	long n = number_at(tx, 0) + 1;

	if (number_at(tx, 1) + 1 != n)
		p->w->torn = true;
	p->wrote = n;
	memset(value, ' ', p->w->bytes);
	(void)snprintf(value, p->w->bytes, "%ld", n);
	(void)snprintf(type, sizeof(type), "%ld", n);
	store_tx_put(tx, 0, span_make(value, p->w->bytes),
		     &(struct store_index){.time_ms = START + n,
					   .owner = name,
					   .label = n % 2 ? "odd" : "even"});
	store_tx_put(tx, 1, span_make(value, p->w->bytes), NULL);
	store_tx_reserve(tx, &c);
	store_tx_event(tx, name, "all", type, span_of("{}"));
	free(value);
	return 0;
}

static void ask_pair(struct pair *p);

static void pair_done(const struct store_result *r, void *ctx)
{
	struct pair *p = ctx;

	if (!r->err)
		p->acked = p->wrote;
	if (goes_on(p->w, r->err))
		ask_pair(p);
}

static void ask_pair(struct pair *p)
{
	char left[16], right[16];
	const struct store_key keys[] = {{"left", left}, {"right", right}};
	int err;

	(void)snprintf(left, sizeof(left), "l%u", p->i);
	(void)snprintf(right, sizeof(right), "r%u", p->i);
	err = store_change(p->w->st, p->i, keys, 2, apply_pair, pair_done, p);
	if (err)
		stop_one(p->w, err);
}

static void name_thing(unsigned i, char out[16])
{
	(void)snprintf(out, 16, "q%u", i);
}

static void ask_push(struct chain *c);

static int apply_ack(struct store_tx *tx, void *ctx)
{
	const struct chain *c = ctx;
	char id[16];

	name_thing(c->acking, id);
	store_tx_fence(tx, id, c->fence);
	store_tx_ack(tx, id);
	return 0;
}

static void ack_done(const struct store_result *r, void *ctx)
{
	struct chain *c = ctx;

	if (!r->err)
		c->w->things[c->acking].acked = true;
	if (goes_on(c->w, r->err))
		ask_push(c);
}

/* Every other one is acked; the rest stay leased. */
static void leased(int err, const struct store_lease *leases, size_t count,
		   void *ctx)
{
	struct chain *c = ctx;
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		unsigned n = (unsigned)strtoul(leases[i].id + 1, NULL, 10);

		c->w->things[n].fence = leases[i].fence;
		if (n % 2 || any)
			continue;
		any = true;
		c->acking = n;
		c->fence = leases[i].fence;
	}
	if (!goes_on(c->w, err))
		return;
	if (!any) {
		ask_push(c);
		return;
	}
	c->w->things[c->acking].ack_asked = true;
	err = store_change(c->w->st, 200, NULL, 0, apply_ack, ack_done, c);
	if (err)
		stop_one(c->w, err);
}

static int apply_push(struct store_tx *tx, void *ctx)
{
	const struct chain *c = ctx;
	char id[16];

	name_thing(c->pushing, id);
	store_tx_push(tx, &(struct store_push){.id = id, .ref = "some"});
	return 0;
}

static void push_done(const struct store_result *r, void *ctx)
{
	struct chain *c = ctx;
	int err = r->err;

	if (!err)
		c->w->things[c->pushing].pushed = true;
	if (!goes_on(c->w, err))
		return;
	err = store_lease(c->w->st, STORE_CALLS, 2, LEASE_MS, leased, c);
	if (err)
		stop_one(c->w, err);
}

static void ask_push(struct chain *c)
{
	int err;

	if (c->w->next_thing == THINGS) {
		stop_one(c->w, 0);
		return;
	}
	c->pushing = c->w->next_thing++;
	err = store_change(c->w->st, 200, NULL, 0, apply_push, push_done, c);
	if (err)
		stop_one(c->w, err);
}

/* Until every chain stopped: the power is off, or the budget is spent. */
static void run_load(struct world *w, int budget)
{
	w->budget = budget;
	w->first_err = 0;
	w->running = PAIRS + 1;
	for (unsigned i = 0; i < PAIRS; i++)
		ask_pair(&w->pairs[i]);
	ask_push(&w->chain);
	(void)pthread_mutex_lock(&w->lock);
	while (w->running > 0)
		(void)pthread_cond_wait(&w->over, &w->lock);
	(void)pthread_mutex_unlock(&w->lock);
}

/* --- what is found ---------------------------------------------------------------- */

static void check_pair(struct world *w, struct pair *p)
{
	char id[16], name[16], last[24];
	struct store_counter c = counter_of(p->i, name);
	struct bl_text left, right;
	long n;

	(void)snprintf(id, sizeof(id), "l%u", p->i);
	left = bl_get(w->st, p->i, "left", id);
	(void)snprintf(id, sizeof(id), "r%u", p->i);
	right = bl_get(w->st, p->i, "right", id);
	assert_int_equal(left.err, 0);
	assert_int_equal(right.err, 0);
	assert_int_equal(left.there, right.there);
	n = strtol(left.text, NULL, 10);

	assert_int_equal(strtol(right.text, NULL, 10), n);
	assert_in_range(n, p->acked, p->acked + 1);
	assert_int_equal(bl_used(w->st, &c), n);
	(void)snprintf(last, sizeof(last), "%ld", n);
	w->events.count = 0;
	bl_follow(w->st, name, "", STORE_PAGE_MAX, &w->events);
	assert_int_equal(w->events.err, 0);
	if (n > 0 && n <= STORE_PAGE_MAX) {
		assert_int_equal(w->events.count, n);
		assert_string_equal(w->events.types[n - 1], last);
	}
	p->acked = n;
}

static void check_things(struct world *w)
{
	bool seen[THINGS] = {0};

	clock_advance(w->clock, LEASE_MS);
	do {
		bl_lease(w->st, STORE_CALLS, STORE_PAGE_MAX, LEASE_MS,
			 &w->leases);
		assert_int_equal(w->leases.err, 0);
		for (size_t i = 0; i < w->leases.count; i++) {
			const struct store_lease *l = &w->leases.leases[i];
			unsigned n = (unsigned)strtoul(l->id + 1, NULL, 10);

			assert_false(seen[n]);
			seen[n] = true;
			assert_true(l->fence > w->things[n].fence);
			w->things[n].fence = l->fence;
		}
	} while (w->leases.count);
	for (unsigned i = 0; i < w->next_thing; i++) {
		struct thing *t = &w->things[i];

		if (t->acked)
			assert_false(seen[i]);
		else if (t->pushed && !t->ack_asked)
			assert_true(seen[i]);
		t->pushed = seen[i];
		t->acked = t->ack_asked = !seen[i];
	}
}

static void check_all(struct world *w)
{
	assert_false(w->torn);
	for (unsigned i = 0; i < PAIRS; i++)
		check_pair(w, &w->pairs[i]);
	check_things(w);
}

/* --- worlds ------------------------------------------------------------------------ */

static int open_world(struct world *w, struct diag *d)
{
	w->st = NULL;
	return store_open(&(struct store_params){.url = w->file.url,
						 .clock = w->clock,
						 .node = "here"},
			  &w->st, d);
}

static struct world *world_new(uint64_t seed, size_t bytes)
{
	struct world *w = calloc(1, sizeof(*w));

	sqlite_file_make(&w->file);
	(void)snprintf(w->file.url, sizeof(w->file.url),
		       "sqlite:%s?vfs=powercut", w->file.path);
	w->pc = powercut_new();
	w->clock = clock_manual(START);
	w->rng = rng_seeded(seed);
	w->bytes = bytes;
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->over, NULL);
	for (unsigned i = 0; i < PAIRS; i++)
		w->pairs[i] = (struct pair){.w = w, .i = i};
	w->chain.w = w;
	return w;
}

static void world_free(struct world *w)
{
	store_close(w->st);
	powercut_free(w->pc);
	sqlite_file_remove(&w->file);
	rng_free(w->rng);
	clock_free(w->clock);
	free(w);
}

/* One cut, at a drawn step: while opening, under load, or while closing. */
static void cut_once(struct world *w, uint32_t steps, int budget)
{
	struct diag d = {0};

	powercut_after(w->pc, 1 + rng_below(w->rng, steps));
	if (open_world(w, &d) == 0) {
		run_load(w, budget);
		if (w->first_err)
			assert_int_equal(w->first_err, -EIO);
		store_close(w->st);
		w->st = NULL;
	}
	powercut_back(w->pc, w->rng);
	assert_int_equal(open_world(w, &d), 0);
	check_all(w);
	store_close(w->st);
	w->st = NULL;
}

static int folders(int usual)
{
	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *soak = getenv("VOICEOTP_SOAK");

	return soak && *soak ? usual * SOAK : usual;
}

TEST(what_was_answered_survives_power_cuts_at_any_moment)
{
	(void)state;
	for (int seed = 0; seed < folders(FOLDERS); seed++) {
		struct world *w = world_new(1000 + (uint64_t)seed, SMALL);

		print_message("seed %d\n", seed);
		for (int cut = 0; cut < CUTS; cut++)
			cut_once(w, 1200, 300);
		world_free(w);
	}
}

/* Long enough for checkpoints to run beside the changes. */
TEST(what_was_answered_survives_power_cuts_during_checkpoints)
{
	(void)state;
	for (int seed = 0; seed < folders(BIG_FOLDERS); seed++) {
		struct world *w = world_new(9000 + (uint64_t)seed, LARGE);

		print_message("seed %d\n", seed);
		for (int cut = 0; cut < 3; cut++)
			cut_once(w, 40000, 1500);
		world_free(w);
	}
}

/* --- a full disk ----------------------------------------------------------------------- */

/* What the failed writes left of the log's file may take a few more. */
static void fill_up(struct store *st)
{
	int refused = 0;

	for (int i = 0; i < 2000 && refused < 20; i++) {
		char value[16];
		int err;

		(void)snprintf(value, sizeof(value), "%d", i);
		err = bl_put(st, 0, "big", "x", value);
		assert_true(err == 0 || err == -ENOSPC);
		refused = err ? refused + 1 : 0;
	}
	assert_int_equal(refused, 20);
}

TEST(a_full_disk_is_said_loses_nothing_and_heals)
{
	struct world *w = world_new(1, SMALL);
	struct store_stats stats;
	struct diag d = {0};

	(void)state;
	assert_int_equal(open_world(w, &d), 0);
	run_load(w, 100);
	assert_int_equal(w->first_err, 0);
	powercut_space(w->pc, 100000);
	run_load(w, 100000);

	assert_int_equal(w->first_err, -ENOSPC);
	store_stats(w->st, &stats);
	assert_false(stats.healthy);
	assert_true(stats.failures > 0);
	powercut_space(w->pc, 0);
	fill_up(w->st);
	assert_true(bl_get(w->st, 0, "left", "l0").there);
	/* to look for something due and find nothing proves no room */
	bl_lease(w->st, STORE_TIMERS, 1, LEASE_MS, &w->leases);
	assert_int_equal(w->leases.err, 0);
	store_stats(w->st, &stats);
	assert_false(stats.healthy);

	powercut_space(w->pc, -1);
	assert_int_equal(bl_put(w->st, 0, "big", "x", "v"), 0);
	store_stats(w->st, &stats);
	assert_true(stats.healthy);
	check_all(w);
	run_load(w, 100);
	assert_int_equal(w->first_err, 0);
	store_close(w->st);
	assert_int_equal(open_world(w, &d), 0);
	check_all(w);
	world_free(w);
}

TEST(a_store_on_a_full_disk_says_so)
{
	struct world *w = world_new(1, SMALL);
	struct diag d = {0};

	(void)state;
	powercut_space(w->pc, 0);
	assert_int_equal(open_world(w, &d), -ENOSPC);
	assert_non_null(strstr(d.message, "disk is full"));
	powercut_space(w->pc, -1);
	assert_int_equal(open_world(w, &d), 0);
	world_free(w);
}

TEST(power_that_fails_on_a_full_disk_loses_nothing)
{
	struct diag d = {0};

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct world *w = world_new(5000 + seed, SMALL);

		assert_int_equal(open_world(w, &d), 0);
		powercut_space(w->pc, 20000 + rng_below(w->rng, 400000));
		run_load(w, 2000);
		powercut_after(w->pc, 1);
		store_close(w->st);
		powercut_space(w->pc, -1);
		powercut_back(w->pc, w->rng);
		assert_int_equal(open_world(w, &d), 0);
		check_all(w);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_was_answered_survives_power_cuts_at_any_moment),
		cmocka_unit_test(
			what_was_answered_survives_power_cuts_during_checkpoints),
		cmocka_unit_test(a_full_disk_is_said_loses_nothing_and_heals),
		cmocka_unit_test(a_store_on_a_full_disk_says_so),
		cmocka_unit_test(power_that_fails_on_a_full_disk_loses_nothing),
	};

	return cmocka_run_group_tests_name("store/powercut", tests, NULL, NULL);
}
