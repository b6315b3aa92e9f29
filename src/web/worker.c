// SPDX-License-Identifier: Apache-2.0
/*
 * worker.c - a thread, its connections, and their deadlines.
 *
 * libmicrohttpd can keep threads of its own, but then each answer from outside
 * costs it a wake-up, and its only timeout is inactivity.  Here the worker polls
 * the daemon itself: all answers that came meanwhile are handed over in one
 * turn with one wake-up (a quarter more requests per second), everything about
 * a connection happens on one thread, and each phase of a connection has a
 * deadline.  The first worker also accepts, and gives each new connection to
 * the worker that has the fewest.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "web/web_priv.h"

enum {
	TURN_EVENTS = 64,
	TURN_ACCEPTS = 64,
	ACCEPT_PAUSE_MS = 100,    /* when the machine is out of descriptors */
	MANUAL_CLOCK_WAIT_MS = 2, /* someone else moves it */
	TURN_MAX_MS = 60000,
	GOODBYE_TURN_MS = 5,
	GOODBYE_MS = 1000, /* for last answers to leave, when stopping */
	/* What a header block may need in a connection's memory, so that more
	 * than WEB_HEADERS_MAX is refused (431) and less is not. */
	CONNECTION_MEMORY = 26 << 10,
	READ_STEP = 4 << 10,
};

static const int64_t phase_ms[WEB_PHASES] = {
	[WEB_RECEIVING] = WEB_REQUEST_MS,
	[WEB_ANSWERING] = WEB_ANSWER_MS,
	[WEB_SENDING] = WEB_ANSWER_MS,
	[WEB_STREAMING] = WEB_PING_MS,
};

/* What an epoll event speaks of; connections have their own address. */
static char wake_mark, daemon_mark, listener_mark;

static _Thread_local struct web_worker *here;

struct web_worker *web_worker_here(void)
{
	return here;
}

/* --- letters ---------------------------------------------------------------- */

struct socket_letter {
	struct web_letter letter;
	int fd;
	struct sockaddr_storage from;
	socklen_t from_n;
};

void web_worker_wake(struct web_worker *w)
{
	uint64_t one = 1;

	/* only fails when the counter is full, which wakes as well */
	if (write(w->wake, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
}

void web_worker_post(struct web_worker *w, struct web_letter *letter)
{
	if (here == w) {
		ll_append(&w->mine, &letter->link);
		return;
	}
	(void)pthread_mutex_lock(&w->lock);
	ll_append(&w->inbox, &letter->link);
	/* under the lock, so that the worker cannot be gone meanwhile */
	if (!w->woken)
		web_worker_wake(w);
	w->woken = true;
	(void)pthread_mutex_unlock(&w->lock);
}

static void adopt(struct web_worker *w, struct socket_letter *l)
{
	w->adopted = false;
	/* closes the socket itself if it cannot be had */
	if (MHD_add_connection(w->daemon, l->fd, (struct sockaddr *)&l->from,
			       l->from_n) != MHD_YES &&
	    !w->adopted)
		atomic_fetch_sub(&w->conns, 1);
	free(l);
}

static void open_letter(struct web_worker *w, struct web_letter *letter)
{
	switch (letter->kind) {
	case WEB_LETTER_ANSWER:
		web_answer_hold(ll_entry(letter, struct web_request, letter));
		break;
	case WEB_LETTER_STREAM:
		web_stream_letter(letter);
		break;
	case WEB_LETTER_SOCKET:
		adopt(w, ll_entry(letter, struct socket_letter, letter));
		break;
	}
}

static void open_letters(struct web_worker *w)
{
	struct link all, *l;

	ll_init(&all);
	(void)pthread_mutex_lock(&w->lock);
	ll_splice(&all, &w->inbox);
	w->woken = false;
	(void)pthread_mutex_unlock(&w->lock);
	ll_splice(&all, &w->mine);
	while ((l = ll_first(&all))) {
		ll_remove(l);
		open_letter(w, ll_entry(l, struct web_letter, link));
	}
}

/* --- connections -------------------------------------------------------------- */

void web_conn_enter(struct web_conn *c, enum web_phase phase)
{
	struct web_worker *w = c->worker;

	ll_remove(&c->link);
	c->phase = phase;
	c->due_ms = w->now_ms + phase_ms[phase];
	ll_append(&w->phases[phase], &c->link);
}

void web_conn_watch(struct web_conn *c, bool on)
{
	struct epoll_event ev = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = c};

	if (on == c->watched)
		return;
	c->watched =
		epoll_ctl(c->worker->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
			  c->fd, &ev) == 0 &&
		on;
}

static void peer_text(const struct sockaddr *from, char out[WEB_PEER_BYTES])
{
	const void *at = &((const struct sockaddr_in *)from)->sin_addr;
	int family = from->sa_family;

	if (family == AF_INET6) {
		const struct in6_addr *six =
			&((const struct sockaddr_in6 *)from)->sin6_addr;

		at = six;
		if (IN6_IS_ADDR_V4MAPPED(six)) {
			at = &six->s6_addr[12];
			family = AF_INET;
		}
	}
	if (!inet_ntop(family, at, out, WEB_PEER_BYTES))
		out[0] = '\0';
}

static struct web_conn *conn_new(struct web_worker *w,
				 struct MHD_Connection *mhd)
{
	struct web_conn *c = b_zero(1, sizeof(*c));
	const union MHD_ConnectionInfo *info;

	c->worker = w;
	c->mhd = mhd;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	c->fd = info->connect_fd;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	peer_text(info->client_addr, c->peer);
	ll_init(&c->link);
	web_conn_enter(c, WEB_RECEIVING);
	return c;
}

static void conn_free(struct web_conn *c)
{
	assert(!c->request);
	web_conn_watch(c, false);
	ll_remove(&c->link);
	if (c->spare)
		web_request_unref(c->spare);
	atomic_fetch_sub(&c->worker->conns, 1);
	free(c);
}

void web_on_connection(void *cls, struct MHD_Connection *mhd,
		       void **socket_context,
		       enum MHD_ConnectionNotificationCode what)
{
	struct web_worker *w = cls;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		w->adopted = true;
		*socket_context = conn_new(w, mhd);
	} else if (*socket_context) {
		conn_free(*socket_context);
		*socket_context = NULL;
	}
}

/* --- accepting ------------------------------------------------------------------ */

static void listen_to(struct web_worker *w, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &listener_mark};

	if (on == w->accepting)
		return;
	w->accepting = on;
	(void)epoll_ctl(w->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
			w->web->listener, &ev);
}

/* The least busy worker, unless all together have too many. */
static struct web_worker *choose(struct web *web)
{
	struct web_worker *best = NULL;
	unsigned all = 0, least = 0;

	for (unsigned i = 0; i < web->count; i++) {
		unsigned n = atomic_load(&web->workers[i].conns);

		all += n;
		if (!best || n < least) {
			best = &web->workers[i];
			least = n;
		}
	}
	return all < WEB_CONNECTIONS_MAX ? best : NULL;
}

static void welcome(struct web_worker *w, const struct socket_letter *got)
{
	struct web_worker *to = choose(w->web);
	struct socket_letter *l;
	int one = 1;

	if (!to) {
		(void)close(got->fd);
		return;
	}
	(void)setsockopt(got->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l = b_zero(1, sizeof(*l));
	*l = *got;
	l->letter.kind = WEB_LETTER_SOCKET;
	ll_init(&l->letter.link);
	atomic_fetch_add(&to->conns, 1);
	web_worker_post(to, &l->letter);
}

static void accept_some(struct web_worker *w)
{
	for (int i = 0; i < TURN_ACCEPTS; i++) {
		struct socket_letter got = {.from_n = sizeof(got.from)};

		got.fd = accept4(w->web->listener, (struct sockaddr *)&got.from,
				 &got.from_n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (got.fd >= 0) {
			welcome(w, &got);
		} else if (errno == EMFILE || errno == ENFILE ||
			   errno == ENOBUFS || errno == ENOMEM) {
			listen_to(w, false);
			w->accept_again_ms = w->now_ms + ACCEPT_PAUSE_MS;
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void mind_the_door(struct web_worker *w)
{
	if (w->index != 0)
		return;
	if (atomic_load(&w->web->quiet)) {
		if (w->accepting)
			(void)shutdown(w->web->listener, SHUT_RDWR);
		listen_to(w, false);
		w->accept_again_ms = 0;
	} else if (!w->accepting && w->now_ms >= w->accept_again_ms) {
		w->accept_again_ms = 0;
		listen_to(w, true);
	}
}

/* --- deadlines -------------------------------------------------------------------- */

/* A deferred request that nobody has answered: this room does.  False: the
 * answer is on its way here. */
static bool answer_for(struct web_conn *c, enum web_trouble t)
{
	struct web_request *r = c->request;

	if (atomic_exchange(&r->claimed, true))
		return false;
	web_request_trouble(r, t);
	web_answer_resume(r);
	return true;
}

static void overdue(struct web_conn *c)
{
	switch (c->phase) {
	case WEB_RECEIVING:
	case WEB_SENDING:
		/* libmicrohttpd sees it and closes */
		(void)shutdown(c->fd, SHUT_RDWR);
		web_conn_enter(c, c->phase);
		break;
	case WEB_ANSWERING:
		web_conn_enter(c, WEB_ANSWERING);
		(void)answer_for(c, WEB_TIMED_OUT);
		break;
	case WEB_STREAMING:
		web_conn_enter(c, WEB_STREAMING);
		web_stream_ping(c->request->stream);
		break;
	case WEB_PHASES:
		break;
	}
}

static void mind_deadlines(struct web_worker *w)
{
	(void)timers_turn(w->timers);
	for (int i = 0; i < WEB_PHASES; i++) {
		struct link *l;

		while ((l = ll_first(&w->phases[i]))) {
			struct web_conn *c = ll_entry(l, struct web_conn, link);

			if (c->due_ms > w->now_ms)
				break;
			overdue(c);
		}
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int wait_ms(struct web_worker *w, int64_t ms)
{
	MHD_UNSIGNED_LONG_LONG theirs = 0;

	if (!ll_empty(&w->mine))
		return 0;
	if (MHD_get_timeout(w->daemon, &theirs) == MHD_YES)
		ms = sooner(ms, (int64_t)theirs);
	for (int i = 0; i < WEB_PHASES; i++) {
		struct link *l = ll_first(&w->phases[i]);

		if (l)
			ms = sooner(ms,
				    ll_entry(l, struct web_conn, link)->due_ms -
					    w->now_ms);
	}
	if (timers_count(w->timers))
		ms = sooner(ms, timers_wait_ms(w->timers));
	if (w->accept_again_ms)
		ms = sooner(ms, w->accept_again_ms - w->now_ms);
	if (clock_is_manual(w->web->params.clock))
		ms = sooner(ms, MANUAL_CLOCK_WAIT_MS);
	return ms < 0 ? 0 : (int)ms;
}

/* --- the turn ------------------------------------------------------------------------ */

static void drain(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0)
		assert(errno == EAGAIN || errno == EINTR);
}

static void see(struct web_worker *w, const struct epoll_event *ev)
{
	void *what = ev->data.ptr;
	struct web_conn *c = what;

	if (what == &wake_mark)
		drain(w->wake);
	else if (what == &listener_mark)
		accept_some(w);
	else if (what != &daemon_mark && c->request && c->request->stream)
		web_stream_lost(c->request->stream);
}

static void turn(struct web_worker *w, int64_t most_ms)
{
	struct epoll_event ev[TURN_EVENTS];
	int n = epoll_wait(w->epoll, ev, TURN_EVENTS, wait_ms(w, most_ms));

	w->now_ms = clock_mono_ms(w->web->params.clock);
	for (int i = 0; i < n; i++)
		see(w, &ev[i]);
	open_letters(w);
	mind_deadlines(w);
	mind_the_door(w);
	(void)MHD_run(w->daemon);
}

static bool busy(const struct web_worker *w)
{
	return !ll_empty(&w->phases[WEB_SENDING]) ||
	       !ll_empty(&w->phases[WEB_STREAMING]);
}

static void hurry(struct web_worker *w)
{
	ll_each_safe (l, &w->phases[WEB_STREAMING]) {
		struct web_conn *c = ll_entry(l, struct web_conn, link);

		web_stream_lost(c->request->stream);
	}
	ll_each_safe (k, &w->phases[WEB_ANSWERING]) {
		struct web_conn *c = ll_entry(k, struct web_conn, link);

		if (timer_is_set(&c->request->hold))
			web_answer_resume(c->request);
		else
			(void)answer_for(c, WEB_OVERLOADED);
	}
}

/* Nothing may be suspended when the daemon stops, and no letter under way. */
static void say_goodbye(struct web_worker *w)
{
	int64_t until = clock_mono_ms(clock_real()) + GOODBYE_MS;

	do {
		hurry(w);
		turn(w, GOODBYE_TURN_MS);
	} while (!ll_empty(&w->phases[WEB_ANSWERING]) ||
		 (busy(w) && clock_mono_ms(clock_real()) < until));
	hurry(w);
	(void)MHD_run(w->daemon);
}

static void *run(void *ctx)
{
	struct web_worker *w = ctx;

	here = w;
	w->now_ms = clock_mono_ms(w->web->params.clock);
	mind_the_door(w);
	while (!atomic_load(&w->web->stopping))
		turn(w, TURN_MAX_MS);
	say_goodbye(w);
	MHD_stop_daemon(w->daemon);
	w->daemon = NULL;
	here = NULL;
	return NULL;
}

/* --- start and stop -------------------------------------------------------------------- */

static _Thread_local char complaint[DIAG_MESSAGE_BYTES];

/* libmicrohttpd's last words, kept for the error that follows. */
static void complain(void *cls, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
static void complain(void *cls, const char *fmt, va_list ap)
{
	(void)cls;
	(void)vsnprintf(complaint, sizeof(complaint), fmt, ap);
	complaint[strcspn(complaint, "\n")] = '\0';
}

static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static struct MHD_Daemon *start_daemon(struct web_worker *w)
{
	const struct web *web = w->web;
	bool tls = web->params.tls_cert != NULL;
	struct MHD_OptionItem secure[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, web->cert.p},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, web->key.p},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
		{MHD_OPTION_END, 0, NULL},
	};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO |
			 MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0);

	complaint[0] = '\0';
	return MHD_start_daemon(
		flags, 0, NULL, NULL, web_on_request, w,
		MHD_OPTION_EXTERNAL_LOGGER, complain, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, web_on_uri, w,
		MHD_OPTION_NOTIFY_COMPLETED, web_on_completed, w,
		MHD_OPTION_NOTIFY_CONNECTION, web_on_connection, w,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)WEB_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)READ_STEP,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY,
		tls ? secure : &secure[COUNT_OF(secure) - 1], MHD_OPTION_END);
}

static int watch(struct web_worker *w, int fd, void *mark)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = mark};

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int open_all(struct web_worker *w, struct diag *d)
{
	int err = 0;

	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->epoll < 0 || w->wake < 0) {
		err = -errno;
		(void)diag_set(d, "no descriptors left: %s",
			       strerrordesc_np(-err));
		return err;
	}
	w->daemon = start_daemon(w);
	if (!w->daemon) {
		(void)diag_set(d, "the web server does not start: %s",
			       complaint);
		return -EINVAL;
	}
	err = watch(w, w->wake, &wake_mark);
	if (!err)
		err = watch(w,
			    MHD_get_daemon_info(w->daemon,
						MHD_DAEMON_INFO_EPOLL_FD)
				    ->epoll_fd,
			    &daemon_mark);
	return err;
}

static int start_thread(struct web_worker *w)
{
	sigset_t all, old;
	int err;

	/* signals are for others, and a broken pipe is an errno */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->running = err == 0;
	return err;
}

int web_worker_start(struct web_worker *w, struct diag *d)
{
	int err = open_all(w, d);

	if (err)
		return err;
	err = start_thread(w);
	if (err)
		(void)diag_set(d, "no thread for the web server: %s",
			       strerrordesc_np(-err));
	return err;
}

/* What came after the last turn: connections, and no answers. */
static void throw_away(struct link *letters)
{
	ll_each_safe (l, letters) {
		struct socket_letter *s =
			ll_entry(ll_entry(l, struct web_letter, link),
				 struct socket_letter, letter);

		assert(s->letter.kind == WEB_LETTER_SOCKET);
		(void)close(s->fd);
		free(s);
	}
	ll_init(letters);
}

void web_worker_stop(struct web_worker *w)
{
	if (w->running) {
		web_worker_wake(w);
		(void)pthread_join(w->thread, NULL);
	}
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	/* whoever posted last is out of the lock when we have had it */
	(void)pthread_mutex_lock(&w->lock);
	throw_away(&w->inbox);
	throw_away(&w->mine);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_mutex_destroy(&w->lock);
	timers_free(w->timers);
	if (w->wake >= 0)
		(void)close(w->wake);
	if (w->epoll >= 0)
		(void)close(w->epoll);
}
