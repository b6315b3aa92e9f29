// SPDX-License-Identifier: Apache-2.0
/*
 * wall.c - libmicrohttpd alone: what no server on top of it can beat.
 */
#include "bench/wall.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

char wall_answer[] = "{\"approved\":true,\"status\":\"approved\"}";

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

void wall_put(struct link *l)
{
	ll_init(l);
	(void)pthread_mutex_lock(&later.lock);
	ll_append(&later.queue, l);
	(void)pthread_cond_signal(&later.more);
	(void)pthread_mutex_unlock(&later.lock);
}

void wall_take(struct link *all)
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
		strlen(wall_answer), wall_answer, MHD_RESPMEM_PERSISTENT);
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
	wall_put(&b->link);
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

unsigned wall_start(bool suspends, unsigned threads)
{
	static bool no = false, yes = true;
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_TURBO,
		0, NULL, NULL, on_bare, suspends ? &yes : &no,
		MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_THREAD_POOL_SIZE, threads,
		MHD_OPTION_NOTIFY_COMPLETED, bare_over, NULL, MHD_OPTION_END);

	return d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port : 0;
}

void wall_serve(void)
{
	for (;;) {
		struct link all, *l;

		wall_take(&all);
		while ((l = ll_first(&all))) {
			struct bare *b = ll_entry(l, struct bare, link);

			ll_remove(l);
			b->answered = true;
			MHD_resume_connection(b->conn);
		}
	}
}
