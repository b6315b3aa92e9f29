// SPDX-License-Identifier: Apache-2.0
/*
 * bench_api.c - creating, checking and reading, durable before each answer.
 *
 * The wall is libmicrohttpd alone in the same run.  Every create has a number
 * of its own, and every check the right code of one: nothing is answered twice.
 * Each line is the middle one of three runs, by requests per CPU-second.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/load.h"
#include "bench/server.h"
#include "bench/wall.h"

enum {
	RUNS = 3,
	WARM_UP = 2000,
	REQUESTS = 20000, /* of one run */
	LIVE = 200000,    /* records when memory is looked at */
	WALL_REQUESTS = 100000,
	THREADS = 2,
	ID_BYTES = 40,
	CODE_TEXT = 12,
};
static const unsigned conns[] = {64, 256};

static struct {
	struct bench_server server;
	struct {
		char id[ID_BYTES], code[CODE_TEXT];
	} * made;
	size_t made_count, asked;
	unsigned number;
} b;

static void head(struct buf *out, const char *method, const char *path,
		 size_t body_n)
{
	buf_printf(out,
		   "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		   "Authorization: Bearer %s\r\n"
		   "Content-Type: application/json\r\nContent-Length: %zu\r\n"
		   "\r\n",
		   method, path, b.server.token, body_n);
}

/* Another number of New York, San Francisco or Chicago each time. */
static void make_create(unsigned conn, struct buf *out, void *ctx)
{
	static const unsigned areas[] = {212, 415, 312, 646, 628, 773};
	unsigned n = b.number++;
	char body[256];
	int len = snprintf(body, sizeof(body),
			   "{\"to\":\"+1%u%03u%04u\",\"purpose\":\"login\","
			   "\"client_ip\":\"10.%u.%u.%u\"}",
			   areas[n % COUNT_OF(areas)], 200 + n / 7 % 700,
			   n * 7919 % 10000, n >> 16 & 255, n >> 8 & 255,
			   n & 255);

	(void)conn;
	(void)ctx;
	head(out, "POST", "/v1/verifications", (size_t)len);
	buf_add(out, body, (size_t)len);
}

static void make_check(unsigned conn, struct buf *out, void *ctx)
{
	size_t i = b.asked++;
	char path[96], body[64];
	int len = snprintf(body, sizeof(body), "{\"code\":\"%s\"}",
			   b.made[i].code);

	(void)conn;
	(void)ctx;
	(void)snprintf(path, sizeof(path), "/v1/verifications/%s/check",
		       b.made[i].id);
	head(out, "POST", path, (size_t)len);
	buf_add(out, body, (size_t)len);
}

static void make_read(unsigned conn, struct buf *out, void *ctx)
{
	char path[96];

	(void)conn;
	(void)ctx;
	(void)snprintf(path, sizeof(path), "/v1/verifications/%s",
		       b.made[b.asked++ % b.made_count].id);
	head(out, "GET", path, 0);
}

static void make_plain(unsigned conn, struct buf *out, void *ctx)
{
	make_create(conn, out, ctx);
}

static size_t approved;

static void take_check(unsigned conn, int status, struct span body, void *ctx)
{
	(void)conn;
	(void)status;
	(void)ctx;
	approved += memmem(body.p, body.n, "true", 4) != NULL;
}

static void add_code(const char *id, const char *code, void *ctx)
{
	(void)ctx;
	if (b.made_count == LIVE)
		return;
	(void)snprintf(b.made[b.made_count].id, ID_BYTES, "%s", id);
	(void)snprintf(b.made[b.made_count].code, CODE_TEXT, "%s", code);
	b.made_count++;
}

/* --- the wall ---------------------------------------------------------------- */

static void serve_wall(int to)
{
	unsigned port = wall_start(false, THREADS);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(to, &port, sizeof(port)) == sizeof(port))
		(void)pause();
	_exit(1);
}

static int start_wall(struct load_params *params)
{
	int pipes[2], err = 0;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	params->server = fork();
	if (params->server == 0)
		serve_wall(pipes[1]);
	if (read(pipes[0], &params->port, sizeof(params->port)) !=
	    sizeof(params->port))
		err = -EIO;
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	return err;
}

/* --- three runs ---------------------------------------------------------------- */

static int by_rate(const void *x, const void *y)
{
	double a = load_rate(x), c = load_rate(y);

	return (a > c) - (a < c);
}

/* The rate of the middle one, in answers per CPU-second; negative: failed. */
static double measure(const char *name, const struct load_params *params,
		      double wall)
{
	struct load_result r[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		int err = load_run(params, &r[i]);

		if (err) {
			(void)printf("%-22s failed: %d\n", name, err);
			return -1;
		}
	}
	qsort(r, RUNS, sizeof(r[0]), by_rate);
	load_print(name, params, &r[RUNS / 2], wall);
	return load_rate(&r[RUNS / 2]);
}

static void measure_wall(double wall[COUNT_OF(conns)])
{
	struct load_params params = {.requests = WALL_REQUESTS,
				     .make = make_plain};
	int err = start_wall(&params);

	for (size_t i = 0; i < COUNT_OF(conns); i++) {
		params.conns = conns[i];
		wall[i] = err ? 0 : measure("api.wall", &params, 0);
	}
	(void)kill(params.server, SIGKILL);
	(void)waitpid(params.server, NULL, 0);
}

/* With each number of connections. */
static int measure_all(const char *name, struct load_params params,
		       const double wall[COUNT_OF(conns)])
{
	params.port = b.server.port;
	params.server = b.server.pid;
	params.requests = REQUESTS;
	for (size_t i = 0; i < COUNT_OF(conns); i++) {
		params.conns = conns[i];
		if (measure(name, &params, wall[i]) < 0)
			return -EIO;
	}
	return 0;
}

/* --- the server ---------------------------------------------------------------- */

static int create(unsigned requests)
{
	struct load_params params = {.port = b.server.port,
				     .conns = conns[0],
				     .requests = requests,
				     .make = make_create};
	struct load_result r;

	return load_run(&params, &r);
}

static int measure_creates(const double *wall)
{
	unsigned before = b.number;
	int err = create(WARM_UP);

	if (!err)
		err = measure_all("api.create",
				  (struct load_params){.make = make_create},
				  wall);
	if (!err)
		err = create(LIVE - (b.number - before));
	if (!err)
		(void)printf(
			"api.memory             live=%d  rss=%.1fMiB\n", LIVE,
			(double)bench_server_memory(&b.server) / (1 << 20));
	return err;
}

static int run(const double *wall)
{
	int err = measure_creates(wall);

	if (err)
		return err;
	if (bench_server_deliver(&b.server, add_code, NULL) < LIVE)
		(void)printf("api.create             some were not stored\n");
	err = measure_all("api.check",
			  (struct load_params){.make = make_check,
					       .take = take_check},
			  wall);
	if (approved != b.asked)
		(void)printf("api.check              approved only %zu\n",
			     approved);
	b.asked = 0;
	if (!err)
		err = measure_all("api.read",
				  (struct load_params){.make = make_read},
				  wall);
	(void)printf("api.memory             live=%d  rss=%.1fMiB  (at the "
		     "end)\n",
		     LIVE, (double)bench_server_memory(&b.server) / (1 << 20));
	return err;
}

int main(void)
{
	double wall[COUNT_OF(conns)];
	int err;

	measure_wall(wall);
	b.made = b_zero(LIVE, sizeof(*b.made));
	b.number = 1000;
	err = bench_server_start(&b.server);
	if (!err)
		err = run(wall);
	bench_server_stop(&b.server);
	free(b.made);
	return err ? 1 : 0;
}
