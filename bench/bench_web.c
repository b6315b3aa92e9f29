// SPDX-License-Identifier: Apache-2.0
/*
 * bench_web.c - what HTTP costs: the wall, and how near our room comes to it.
 *
 * The wall is libmicrohttpd alone, with its own thread pool, answering a short
 * JSON text at once; its second line suspends each request and lets another
 * thread answer, as a server with a store must.  Our room does the same two
 * things.  Each server is a process of its own, so its CPU time can be told
 * from the load's.
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

#include "base/list.h"
#include "base/mem.h"
#include "bench/load.h"
#include "bench/wall.h"
#include "web/web.h"

enum { CONNS = 64, REQUESTS = 200000, WARM_UP = 20000, THREADS = 2 };

static const char request[] =
	"POST /v1/verifications/ver_0123456789abcdefghijklmnopqrstuv/check "
	"HTTP/1.1\r\n"
	"Host: 127.0.0.1:8080\r\n"
	"Authorization: Bearer vok_0123456789abcdefghij_"
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFG\r\n"
	"Content-Type: application/json\r\n"
	"Content-Length: 17\r\n\r\n"
	"{\"code\":\"123456\"}";

/* --- our room -------------------------------------------------------------------- */

struct deferred {
	struct link link;
	struct web_request *r;
};

static void say(struct web_request *r)
{
	web_answer(r, &(struct web_answer){.status = 200,
					   .type = "application/json",
					   .body = span_of(wall_answer)});
}

static void on_direct(struct web_request *r, void *ctx)
{
	(void)ctx;
	say(r);
}

static void on_deferred(struct web_request *r, void *ctx)
{
	struct deferred *d = web_alloc(r, sizeof(*d));

	(void)ctx;
	d->r = r;
	web_defer(r);
	wall_put(&d->link);
}

static void on_trouble(struct web_request *r, enum web_trouble t, void *ctx)
{
	(void)t;
	(void)ctx;
	web_answer(r, &(struct web_answer){.status = 500});
}

static unsigned start_ours(web_handler_h *handler)
{
	static struct web_route routes[] = {
		{"POST", "/v1/verifications/{}/check", NULL, .slash = false},
		{0}};
	const struct web_params params = {.listen = "127.0.0.1:0",
					  .threads = THREADS,
					  .routes = routes,
					  .trouble = on_trouble};
	struct web *w = NULL;
	struct diag d = {0};

	routes[0].handler = handler;
	return web_start(&params, &w, &d) ? 0 : web_port(w);
}

static void answer_ours(void)
{
	for (;;) {
		struct link all, *l;

		wall_take(&all);
		while ((l = ll_first(&all))) {
			struct deferred *d = ll_entry(l, struct deferred, link);

			ll_remove(l);
			say(d->r);
		}
	}
}

/* --- a server in a process of its own ---------------------------------------------- */

enum kind { BARE, BARE_SUSPENDED, OURS, OURS_DEFERRED, KINDS };

static const char *const names[KINDS] = {
	[BARE] = "web.wall",
	[BARE_SUSPENDED] = "web.wall_suspended",
	[OURS] = "web.ours",
	[OURS_DEFERRED] = "web.ours_deferred",
};

static unsigned start(enum kind kind)
{
	switch (kind) {
	case BARE:
	case BARE_SUSPENDED:
		return wall_start(kind == BARE_SUSPENDED, THREADS);
	case OURS:
		return start_ours(on_direct);
	case OURS_DEFERRED:
		return start_ours(on_deferred);
	case KINDS:
		break;
	}
	return 0;
}

static void serve(enum kind kind, int out)
{
	unsigned port;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	port = start(kind);
	if (write(out, &port, sizeof(port)) != sizeof(port) || !port)
		_exit(1);
	if (kind == BARE_SUSPENDED)
		wall_serve();
	else if (kind == OURS_DEFERRED)
		answer_ours();
	else
		(void)pause();
	_exit(0);
}

static void make(unsigned conn, struct buf *out, void *ctx)
{
	(void)conn;
	(void)ctx;
	buf_add(out, request, sizeof(request) - 1);
}

static double measure(enum kind kind, double wall)
{
	struct load_params params = {
		.conns = CONNS, .requests = WARM_UP, .make = make};
	struct load_result r = {0};
	int pipes[2], err;

	if (pipe2(pipes, O_CLOEXEC))
		return 0;
	params.server = fork();
	if (params.server == 0)
		serve(kind, pipes[1]);
	(void)close(pipes[1]);
	err = read(pipes[0], &params.port, sizeof(params.port)) ==
				      sizeof(params.port) &&
			      params.port
		      ? 0
		      : -EIO;
	(void)close(pipes[0]);
	if (!err)
		err = load_run(&params, &r); /* warm */
	params.requests = REQUESTS;
	if (!err)
		err = load_run(&params, &r);
	if (err)
		(void)printf("%-22s failed: %d\n", names[kind], err);
	else
		load_print(names[kind], &params, &r, wall);
	(void)kill(params.server, SIGKILL);
	(void)waitpid(params.server, NULL, 0);
	return err ? 0 : load_rate(&r);
}

int main(void)
{
	double wall = measure(BARE, 0);

	for (int k = BARE_SUSPENDED; k < KINDS; k++)
		(void)measure((enum kind)k, wall);
	return 0;
}
