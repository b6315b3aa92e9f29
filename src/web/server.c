// SPDX-License-Identifier: Apache-2.0
/*
 * server.c - a server as a whole: where it listens, and its workers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "web/web_priv.h"

enum { PEM_MAX = 256 << 10, BACKLOG = 1024, PORT_MAX = 65535 };

/* "127.0.0.1:8080" or "[::1]:8080", numbers only. */
static int parse_listen(const char *text, struct sockaddr_storage *out,
			socklen_t *out_n)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	const char *colon = strrchr(text, ':');
	char host[WEB_PEER_BYTES] = "";
	uint64_t port = 0;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!colon || span_uint(span_of(colon + 1), PORT_MAX, &port) != 0)
		return -EINVAL;
	n = (size_t)(colon - text);
	if (n == 0 || n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		*out_n = sizeof(*six);
		return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1
			       ? 0
			       : -EINVAL;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	*out_n = sizeof(*four);
	return inet_pton(AF_INET, host, &four->sin_addr) == 1 ? 0 : -EINVAL;
}

static int listen_on(struct web *w, const struct sockaddr_storage *at,
		     socklen_t at_n)
{
	int one = 1, zero = 0;
	int fd = socket(at->ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	w->listener = fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (at->ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
				 sizeof(zero));
	if (bind(fd, (const struct sockaddr *)at, at_n) < 0)
		return -errno;
	return listen(fd, BACKLOG) < 0 ? -errno : 0;
}

static const char *in_words(int err)
{
	switch (-err) {
	case EADDRINUSE:
		return "another program listens there already";
	case EACCES:
		return "this user may not (ports below 1024 need a privilege)";
	case EADDRNOTAVAIL:
		return "this machine does not have that address";
	default:
		return strerrordesc_np(-err);
	}
}

static unsigned port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} at = {0};
	socklen_t n = sizeof(at);

	if (getsockname(fd, &at.any, &n) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.six.sin6_port
						  : at.four.sin_port);
}

static int open_listener(struct web *w, struct diag *d)
{
	const char *text = w->params.listen;
	struct sockaddr_storage at;
	socklen_t at_n = 0;
	int err = parse_listen(text, &at, &at_n);

	if (err)
		return diag_field(d, "listen",
				  "%s is not an address and a port, such as "
				  "127.0.0.1:8080 or [::1]:8080",
				  text);
	err = listen_on(w, &at, at_n);
	if (err) {
		(void)diag_field(d, "listen", "cannot listen on %s: %s", text,
				 in_words(err));
		return err;
	}
	w->port = port_of(w->listener);
	return 0;
}

static int read_pem(const char *path, const char *field, struct buf *out,
		    struct diag *d)
{
	int err = file_read(path, out);

	if (err)
		(void)diag_field(d, field, "cannot read %s: %s", path,
				 strerrordesc_np(-err));
	return err;
}

static int read_keys(struct web *w, struct diag *d)
{
	int err;

	if (!w->params.tls_cert)
		return 0;
	if (!w->params.tls_key)
		return diag_field(d, "tls_key", "the certificate has no key");
	err = read_pem(w->params.tls_cert, "tls_cert", &w->cert, d);
	return err ? err : read_pem(w->params.tls_key, "tls_key", &w->key, d);
}

static unsigned thread_count(unsigned wanted)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted)
		return wanted < WEB_THREADS_MAX ? wanted : WEB_THREADS_MAX;
	if (cores < 1)
		return 1;
	return cores < WEB_WORKERS_DEFAULT_MAX ? (unsigned)cores
					       : WEB_WORKERS_DEFAULT_MAX;
}

static void make_workers(struct web *w)
{
	w->count = thread_count(w->params.threads);
	w->workers = b_zero(w->count, sizeof(*w->workers));
	for (unsigned i = 0; i < w->count; i++) {
		struct web_worker *k = &w->workers[i];

		k->web = w;
		k->index = i;
		k->epoll = k->wake = -1;
		k->timers = timers_new(w->params.clock);
		(void)pthread_mutex_init(&k->lock, NULL);
		ll_init(&k->inbox);
		ll_init(&k->mine);
		for (int p = 0; p < WEB_PHASES; p++)
			ll_init(&k->phases[p]);
	}
}

static int start_all(struct web *w, struct diag *d)
{
	int err = web_routes_new(w->params.routes, &w->routes, d);

	if (!err)
		err = read_keys(w, d);
	if (!err)
		err = open_listener(w, d);
	/* the first one accepts, and gives to all: it starts last */
	for (unsigned i = w->count; i > 0 && !err; i--)
		err = web_worker_start(&w->workers[i - 1], d);
	return err;
}

int web_start(const struct web_params *params, struct web **out, struct diag *d)
{
	struct web *w = b_zero(1, sizeof(*w));
	int err;

	w->params = *params;
	if (!w->params.clock)
		w->params.clock = clock_real();
	w->listener = -1;
	buf_init(&w->cert, PEM_MAX);
	buf_init(&w->key, PEM_MAX);
	make_workers(w);
	err = start_all(w, d);
	/* borrowed for the start alone */
	w->params.listen = NULL;
	if (w->params.tls_key)
		crypto_wipe(w->key.p, w->key.n);
	if (err) {
		web_stop(w);
		return err;
	}
	*out = w;
	return 0;
}

void web_quiesce(struct web *w)
{
	atomic_store(&w->quiet, true);
	web_worker_wake(&w->workers[0]);
}

void web_stop(struct web *w)
{
	if (!w)
		return;
	atomic_store(&w->quiet, true);
	atomic_store(&w->stopping, true);
	for (unsigned i = 0; i < w->count; i++)
		web_worker_stop(&w->workers[i]);
	if (w->listener >= 0)
		(void)close(w->listener);
	web_routes_free(w->routes);
	buf_free(&w->cert);
	buf_free(&w->key);
	free(w->workers);
	free(w);
}

unsigned web_port(const struct web *w)
{
	return w->port;
}

void web_stats(const struct web *w, struct web_stats *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < w->count; i++) {
		struct web_worker *k = &w->workers[i];

		out->requests += atomic_load(&k->requests);
		for (size_t c = 0; c < COUNT_OF(out->answers_by_class); c++)
			out->answers_by_class[c] +=
				atomic_load(&k->by_class[c]);
		out->connections += atomic_load(&k->conns);
		out->deferred += atomic_load(&k->deferred);
		out->streams += atomic_load(&k->streams);
	}
}
