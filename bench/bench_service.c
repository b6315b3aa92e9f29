// SPDX-License-Identifier: Apache-2.0
/*
 * bench_service.c - creates and checks without HTTP around them: what the use
 * cases and the store cost by themselves, durable, many at once.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "support/world.h"

enum {
	FLIGHT = 64,
	ROUNDS = 40000,
	BOTH = 2 * ROUNDS,
	ID = VERIFICATION_ID_BYTES
};

static struct {
	struct world *w;
	pthread_mutex_t lock;
	pthread_cond_t done;
	size_t out, made;
	char (*ids)[ID];
	char (*codes)[CODE_BYTES];
} b = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void land(void)
{
	(void)pthread_mutex_lock(&b.lock);
	b.out--;
	(void)pthread_cond_signal(&b.done);
	(void)pthread_mutex_unlock(&b.lock);
}

static void start(size_t room)
{
	(void)pthread_mutex_lock(&b.lock);
	while (b.out > room)
		(void)pthread_cond_wait(&b.done, &b.lock);
	b.out++;
	(void)pthread_mutex_unlock(&b.lock);
}

static void wait_for_all(void)
{
	(void)pthread_mutex_lock(&b.lock);
	while (b.out)
		(void)pthread_cond_wait(&b.done, &b.lock);
	(void)pthread_mutex_unlock(&b.lock);
}

static void created(const struct service_refusal *no,
		    const struct service_view *view, void *ctx)
{
	(void)ctx;
	if (no) {
		(void)fprintf(stderr, "%s: %s\n", no->code, no->detail);
		abort();
	}
	memcpy(b.ids[b.made], view->v->id, ID);
	world_code(b.w, view->v, b.codes[b.made]);
	b.made++;
	land();
}

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	(void)no;
	(void)result;
	(void)left;
	(void)status;
	(void)ctx;
	land();
}

static void print(const char *what, double wall_s, double used_s)
{
	(void)printf("service.%s  per_s=%.0f  per_cpu_s=%.0f  us=%.1f\n", what,
		     ROUNDS / wall_s, ROUNDS / used_s, used_s / ROUNDS * 1e6);
}

static void create_all(void)
{
	static const unsigned areas[] = {212, 415, 312, 646, 628, 773};

	for (unsigned n = 0; n < ROUNDS; n++) {
		char to[NUMBER_BYTES];
		const struct service_create req = {.who = b.w->who, .to = to};

		(void)snprintf(to, sizeof(to), "+1%u%03u%04u",
			       areas[n % COUNT_OF(areas)], 200 + n / 7 % 700,
			       n * 7919 % 10000);
		start(FLIGHT);
		service_create(b.w->service, &req, created, NULL);
	}
	wait_for_all();
}

static void check_all(bool known)
{
	for (size_t n = 0; n < ROUNDS; n++) {
		struct service_check req = {
			.who = b.w->who, .id = b.ids[n], .code = b.codes[n]};

		if (!known)
			req.id = "ver_00AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
		start(FLIGHT);
		service_check(b.w->service, &req, checked, NULL);
	}
	wait_for_all();
}

static void measure(const char *what, void (*run)(void))
{
	double cpu = cpu_s();
	int64_t began = clock_mono_ms(clock_real());

	run();
	print(what, (double)(clock_mono_ms(clock_real()) - began) / 1e3,
	      cpu_s() - cpu);
}

static void check_known(void)
{
	check_all(true);
}

static void check_unknown(void)
{
	check_all(false);
}

/* --- what a guesser learns from the time (D4) ------------------------------------ */

enum { TIMINGS = 5000, MIDDLE = TIMINGS / 2 };

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t time_one(const char *id)
{
	const struct service_check req = {
		.who = b.w->who, .id = id, .code = "000000"};
	int64_t began;

	wait_for_all();
	began = now_ns();
	start(0);
	service_check(b.w->service, &req, checked, NULL);
	wait_for_all();
	return now_ns() - began;
}

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *c = y;

	return *a < *c ? -1 : *a > *c;
}

/* How often a random one of `a` takes longer than a random one of `c`. */
static double auc(int64_t *a, int64_t *c)
{
	double sum = 0;
	size_t below = 0;

	qsort(a, TIMINGS, sizeof(*a), ascending);
	qsort(c, TIMINGS, sizeof(*c), ascending);
	for (size_t i = 0; i < TIMINGS; i++) {
		while (below < TIMINGS && c[below] < a[i])
			below++;
		sum += (double)below;
	}
	return sum / TIMINGS / TIMINGS;
}

static void measure_guessing(void)
{
	int64_t *known = b_zero(TIMINGS, sizeof(*known));
	int64_t *unknown = b_zero(TIMINGS, sizeof(*unknown));
	double a;

	for (size_t i = 0; i < TIMINGS; i++) {
		char id[ID];

		memcpy(id, b.ids[i], ID);
		id[10] = id[10] == 'A' ? 'B' : 'A';
		if (i % 2)
			known[i] = time_one(b.ids[i]);
		unknown[i] = time_one(id);
		if (i % 2 == 0)
			known[i] = time_one(b.ids[i]);
	}
	a = auc(known, unknown);
	(void)printf("service.check_auc  %.3f  known_us=%.0f unknown_us=%.0f\n",
		     a < 0.5 ? 1 - a : a, (double)known[MIDDLE] / 1e3,
		     (double)unknown[MIDDLE] / 1e3);
	free(known);
	free(unknown);
}

int main(void)
{
	void *none = NULL;

	(void)world_voices(&none);
	b.ids = b_zero(ROUNDS, sizeof(*b.ids));
	b.codes = b_zero(ROUNDS, sizeof(*b.codes));
	b.w = world_new();
	b.w->others = TEL_SCRIPT_BUSY;
	b.w->rules.max_calls = 0; /* nobody is called */
	for (size_t i = 0; i < COUNT_OF(b.w->rules.policy.prefix); i++)
		b.w->rules.policy.prefix[i].count = ROUNDS;
	b.w->rules.policy.country.count = BOTH;
	b.w->rules.policy.key.count = BOTH;
	world_start(b.w);
	measure("create", create_all);
	measure("check", check_known);
	measure("check_unknown", check_unknown);
	measure_guessing();
	world_free(b.w);
	(void)world_no_voices(&none);
	return 0;
}
