// SPDX-License-Identifier: Apache-2.0
/*
 * load.h - a bounded load over keep-alive connections on loopback.
 *
 * One thread, one epoll; each connection has one request under way.  The maker
 * is asked for the next request of a connection; the taker sees each answer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/span.h"

enum { LOAD_REQUEST_MAX = 8 << 10, LOAD_ANSWER_MAX = 64 << 10 };

struct load_params {
	unsigned port, conns;
	uint64_t requests; /* in all */
	pid_t server;      /* whose CPU time is counted; 0: nobody's */
	/* Append a whole request for this connection. */
	void (*make)(unsigned conn, struct buf *out, void *ctx);
	/* May be NULL. */
	void (*take)(unsigned conn, int status, struct span body, void *ctx);
	void *ctx;
};

struct load_result {
	uint64_t answers, by_class[6];
	double seconds, cpu_seconds;
	double p50_ms, p99_ms;
};

/* 0, or what a system call said.  -EPROTO: an answer that is no answer. */
int load_run(const struct load_params *params, struct load_result *out);

/* One line: "name  conns=64  req/s=...".  wall 0: no ratio. */
void load_print(const char *name, const struct load_params *params,
		const struct load_result *r, double wall_per_cpu_second);

/* Requests per CPU-second, or per second where no CPU was counted. */
double load_rate(const struct load_result *r);
