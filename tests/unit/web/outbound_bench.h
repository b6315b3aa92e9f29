// SPDX-License-Identifier: Apache-2.0
/*
 * outbound_bench.h - a real server on loopback, names that a test makes up, and
 * somebody who asks.
 *
 * Loopback is allowed by network; names resolve to 127.0.0.1 at first.  What
 * goes wrong fails the test.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "unit/web/fixture.h"
#include "web/outbound.h"

enum {
	BENCH_URL_BYTES = 256,
	BENCH_LATER_MAX = 64,
	BENCH_SOON_MS = 200,
};

struct outbound_bench {
	struct outbound *o;
	struct loop *loop;
	int open; /* calls whose done is waited for */
	struct fixture server;
	atomic_int redirected; /* requests that followed a redirect */
	/* Requests to /later, which nobody answers before the test says so. */
	struct {
		pthread_mutex_t lock;
		pthread_cond_t came;
		struct web_request *requests[BENCH_LATER_MAX];
		int count;
	} later;
	/* What each look-up says: the first, the second, ... the last for
	 * ever.  Addresses with commas between; "": none. */
	struct {
		const char *answers[4];
		atomic_int asked;
		/* under later.lock: slow.example waits while it is held */
		bool held;
		pthread_cond_t go;
	} names;
};
extern struct outbound_bench bench;

struct told {
	int times;
	enum outbound_fault fault;
	unsigned status;
	char why[256], type[64], body[1024];
	size_t n;
	int64_t took_ms;
};

/* Around each test. */
int bench_set_up(void **state);
int bench_tear_down(void **state);
/* Another one, with this rule alone; NULL: none. */
void bench_open_outbound(const char *allow);

void bench_wait_for_later(int count);
void bench_answer_later(void);

const char *bench_url_of(const char *host, const char *path); /* static */
struct outbound_call *bench_send_to(const struct outbound_request *r,
				    struct told *t);
void bench_get(const char *url, struct told *t);
void bench_wait_all(void); /* until every call is done */
/* It was told once, with this, and in words where it should be. */
void bench_ends(const struct told *t, enum outbound_fault fault);

/* A listener of one connection, for what no server of ours would do. */
int bench_listen_at(const char *address, unsigned *port);
int bench_take_request(int listener);
