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
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
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

static char answer_text[] = "{\"approved\":true,\"status\":\"approved\"}";

/* --- libmicrohttpd alone ------------------------------------------------------ */

struct bare {
	struct link link;
	struct MHD_Connection *conn;
	bool answered;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct link queue;
} later = {.lock = PTHREAD_MUTEX_INITIALIZER,
	   .more = PTHREAD_COND_INITIALIZER,
	   .queue = {&later.queue, &later.queue}};

static void put(struct link *l)
{
	ll_init(l);
	(void)pthread_mutex_lock(&later.lock);
	ll_append(&later.queue, l);
	(void)pthread_cond_signal(&later.more);
	(void)pthread_mutex_unlock(&later.lock);
}

/* All that waits; waits for some. */
static void take(struct link *all)
{
	ll_init(all);
	(void)pthread_mutex_lock(&later.lock);
	while (ll_empty(&later.queue))
		(void)pthread_cond_wait(&later.more, &later.lock);
	ll_splice(all, &later.queue);
	(void)pthread_mutex_unlock(&later.lock);
}

static enum MHD_Result bare_answer(struct MHD_Connection *conn)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		sizeof(answer_text) - 1, answer_text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result rc;

	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	rc = MHD_queue_response(conn, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return rc;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are not ours */
static enum MHD_Result on_bare(void *cls, struct MHD_Connection *conn,
			       const char *url, const char *method,
			       const char *version, const char *upload,
			       size_t *upload_n, void **con_cls)
{
	const bool *suspends = cls;
	struct bare *b = *con_cls;

	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	if (!b) {
		*con_cls = b = b_zero(1, sizeof(*b));
		b->conn = conn;
		return MHD_YES;
	}
	if (*upload_n) {
		*upload_n = 0;
		return MHD_YES;
	}
	if (!*suspends || b->answered)
		return bare_answer(conn);
	MHD_suspend_connection(conn);
	put(&b->link);
	return MHD_YES;
}

static void bare_over(void *cls, struct MHD_Connection *conn, void **con_cls,
		      enum MHD_RequestTerminationCode why)
{
	(void)cls;
	(void)conn;
	(void)why;
	free(*con_cls);
	*con_cls = NULL;
}

static unsigned start_bare(bool *suspends)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_TURBO,
		0, NULL, NULL, on_bare, suspends, MHD_OPTION_SOCK_ADDR, &at,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
		MHD_OPTION_NOTIFY_COMPLETED, bare_over, NULL, MHD_OPTION_END);

	return d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port : 0;
}

static void answer_bare(void)
{
	for (;;) {
		struct link all, *l;

		take(&all);
		while ((l = ll_first(&all))) {
			struct bare *b = ll_entry(l, struct bare, link);

			ll_remove(l);
			b->answered = true;
			MHD_resume_connection(b->conn);
		}
	}
}

/* --- our room -------------------------------------------------------------------- */

struct deferred {
	struct link link;
	struct web_request *r;
};

static void say(struct web_request *r)
{
	web_answer(r, &(struct web_answer){
			      .status = 200,
			      .type = "application/json",
			      .body = span_make(answer_text,
						sizeof(answer_text) - 1)});
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
	put(&d->link);
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
		{"POST", "/v1/verifications/{}/check", NULL, 0}, {0}};
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

		take(&all);
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
	static bool no = false, yes = true;

	switch (kind) {
	case BARE:
		return start_bare(&no);
	case BARE_SUSPENDED:
		return start_bare(&yes);
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
		answer_bare();
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
