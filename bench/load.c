// SPDX-License-Identifier: Apache-2.0
/*
 * load.c - a bounded load over keep-alive connections on loopback.
 *
 * Latency is from the write of a request to the last byte of its answer, as
 * the generator sees it, on the same cores as the server: compare it only with
 * another figure of the same run.
 */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

enum { TURN_EVENTS = 64, SECOND_NS = 1000000000, IDLE_MS = 20000 };

struct conn {
	int fd;
	struct buf out, in;
	int64_t sent_ns;
};

struct load {
	const struct load_params *params;
	struct load_result *r;
	struct conn *conns;
	int epoll;
	uint64_t asked;
	uint32_t *took_ns;
};

static int64_t now_ns(clockid_t id)
{
	struct timespec t = {0};

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int connect_to(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int ask(struct load *l, unsigned i)
{
	struct conn *c = &l->conns[i];

	if (l->asked == l->params->requests)
		return 0;
	l->asked++;
	buf_reset(&c->out);
	buf_reset(&c->in);
	l->params->make(i, &c->out, l->params->ctx);
	c->sent_ns = now_ns(CLOCK_MONOTONIC);
	if (send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL) != (ssize_t)c->out.n)
		return -EPIPE;
	return 0;
}

/* The whole answer: 1, with its parts; 0: more must come. */
static int whole(const struct buf *in, int *status, struct span *body)
{
	const char *end, *length;
	size_t head, want;

	if (in->n < 12 || !(end = memmem(in->p, in->n, "\r\n\r\n", 4)))
		return 0;
	head = (size_t)(end - in->p) + 4;
	if (memcmp(in->p, "HTTP/1.1 ", 9) != 0)
		return -EPROTO;
	length = strcasestr(in->p, "\r\nContent-Length:");
	if (!length || length > end)
		return -EPROTO;
	want = strtoul(length + 17, NULL, 10);
	if (in->n < head + want)
		return 0;
	*status = (int)strtol(in->p + 9, NULL, 10);
	*body = span_make(in->p + head, want);
	return 1;
}

static int hear(struct load *l, unsigned i)
{
	struct conn *c = &l->conns[i];
	char piece[16384];
	ssize_t n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT);
	struct span body;
	int status = 0, rc;

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	buf_add(&c->in, piece, (size_t)n);
	if (c->in.err)
		return c->in.err;
	rc = whole(&c->in, &status, &body);
	if (rc <= 0)
		return rc;
	l->took_ns[l->r->answers++] =
		(uint32_t)(now_ns(CLOCK_MONOTONIC) - c->sent_ns);
	if (status >= 100 && status < 600)
		l->r->by_class[status / 100]++;
	if (l->params->take)
		l->params->take(i, status, body, l->params->ctx);
	return ask(l, i);
}

static int turn(struct load *l)
{
	struct epoll_event ev[TURN_EVENTS];
	int n = epoll_wait(l->epoll, ev, TURN_EVENTS, IDLE_MS);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ETIMEDOUT;
	for (int i = 0; i < n; i++) {
		int err = hear(l, ev[i].data.u32);

		if (err)
			return err;
	}
	return 0;
}

static int open_all(struct load *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return -errno;
	for (unsigned i = 0; i < l->params->conns; i++) {
		struct conn *c = &l->conns[i];
		struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i};

		buf_init(&c->out, LOAD_REQUEST_MAX);
		buf_init(&c->in, LOAD_ANSWER_MAX);
		c->fd = connect_to(l->params->port);
		if (c->fd < 0)
			return c->fd;
		if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0)
			return -errno;
	}
	return 0;
}

static void close_all(struct load *l)
{
	for (unsigned i = 0; i < l->params->conns; i++) {
		buf_free(&l->conns[i].out);
		buf_free(&l->conns[i].in);
		if (l->conns[i].fd >= 0)
			(void)close(l->conns[i].fd);
	}
	if (l->epoll >= 0)
		(void)close(l->epoll);
	free(l->conns);
	free(l->took_ns);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The latency that `percent` of the answers stay under. */
static double at_share(const struct load *l, unsigned percent)
{
	uint64_t i = (l->r->answers - 1) * percent / 100;

	return (double)l->took_ns[i] / 1e6;
}

static void sum_up(struct load *l)
{
	struct load_result *r = l->r;

	if (r->answers == 0)
		return;
	qsort(l->took_ns, r->answers, sizeof(*l->took_ns), by_size);
	r->p50_ms = at_share(l, 50);
	r->p99_ms = at_share(l, 99);
}

static int drive(struct load *l)
{
	int err = 0;

	for (unsigned i = 0; i < l->params->conns && !err; i++)
		err = ask(l, i);
	while (!err && l->r->answers < l->params->requests)
		err = turn(l);
	return err;
}

int load_run(const struct load_params *params, struct load_result *out)
{
	struct load l = {.params = params, .r = out, .epoll = -1};
	clockid_t cpu = CLOCK_MONOTONIC;
	int64_t began, cpu_began;
	int err;

	memset(out, 0, sizeof(*out));
	l.conns = b_zero(params->conns, sizeof(*l.conns));
	for (unsigned i = 0; i < params->conns; i++)
		l.conns[i].fd = -1;
	l.took_ns = b_zero(params->requests, sizeof(*l.took_ns));
	err = open_all(&l);
	if (!err && params->server &&
	    clock_getcpuclockid(params->server, &cpu) != 0)
		err = -ESRCH;
	if (!err) {
		began = now_ns(CLOCK_MONOTONIC);
		cpu_began = now_ns(cpu);
		err = drive(&l);
		out->seconds =
			(double)(now_ns(CLOCK_MONOTONIC) - began) / SECOND_NS;
		if (params->server)
			out->cpu_seconds =
				(double)(now_ns(cpu) - cpu_began) / SECOND_NS;
		sum_up(&l);
	}
	close_all(&l);
	return err;
}

double load_rate(const struct load_result *r)
{
	double s = r->cpu_seconds > 0 ? r->cpu_seconds : r->seconds;

	return s > 0 ? (double)r->answers / s : 0;
}

void load_print(const char *name, const struct load_params *params,
		const struct load_result *r, double wall_per_cpu_second)
{
	double s = r->seconds > 0 ? r->seconds : 1;

	(void)printf("%-22s conns=%u  req/s=%.0f  req/cpu-s=%.0f  p50=%.2fms  "
		     "p99=%.2fms",
		     name, params->conns, (double)r->answers / s, load_rate(r),
		     r->p50_ms, r->p99_ms);
	if (wall_per_cpu_second > 0)
		(void)printf("  wall=%.2f", load_rate(r) / wall_per_cpu_second);
	if (r->by_class[2] != r->answers)
		(void)printf("  not-2xx=%llu",
			     (unsigned long long)(r->answers - r->by_class[2]));
	(void)printf("\n");
	(void)fflush(stdout);
}
