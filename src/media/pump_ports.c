// SPDX-License-Identifier: Apache-2.0
/*
 * pump_ports.c - sockets, and which one a stream gets.
 *
 * Streams share a few ports, as one socket for each costs half as much again.
 * What a source that no SDP named sends can only be told apart by port: so a
 * stream gets a port on which everybody's source is known, a further one is
 * opened while there is none, and only then are ports shared by unknowns (who
 * are heard from where their SDP says, and from nowhere else).
 */
#include "media/pump_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* --- addresses ----------------------------------------------------------------- */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

void pump_addr_heard(const struct sockaddr_storage *from, struct pump_addr *out)
{
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		memcpy(out->ip, mapped, sizeof(mapped));
		memcpy(out->ip + sizeof(mapped), &in->sin_addr, 4);
		out->port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in = (const void *)from;

		memcpy(out->ip, &in->sin6_addr, sizeof(out->ip));
		out->port = ntohs(in->sin6_port);
	}
}

static bool is_v4(const struct pump_addr *a)
{
	return memcmp(a->ip, mapped, sizeof(mapped)) == 0;
}

bool pump_addr_from(const struct pump_ports *ports,
		    const struct sockaddr_storage *a, struct pump_addr *out)
{
	if (a->ss_family != AF_INET && a->ss_family != AF_INET6) {
		memset(out, 0, sizeof(*out)); /* none: nothing is sent there */
		return true;
	}
	pump_addr_heard(a, out);
	if (is_v4(out) ? out->ip[12] >= 224 : out->ip[0] == 0xff)
		return false; /* a group is nobody's ear */
	return ports->any_family || is_v4(out) == (ports->family == AF_INET);
}

socklen_t pump_addr_to(const struct pump_ports *ports,
		       const struct pump_addr *a, struct sockaddr_storage *out)
{
	if (ports->family == AF_INET) {
		struct sockaddr_in *in = (void *)out;

		*in = (struct sockaddr_in){.sin_family = AF_INET,
					   .sin_port = htons(a->port)};
		memcpy(&in->sin_addr, a->ip + sizeof(mapped), 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (void *)out;

	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
				     .sin6_port = htons(a->port)};
	memcpy(&in6->sin6_addr, a->ip, sizeof(a->ip));
	return sizeof(*in6);
}

bool pump_addr_same_host(const struct pump_addr *a, const struct pump_addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool pump_addr_equal(const struct pump_addr *a, const struct pump_addr *b)
{
	return a->port == b->port && pump_addr_same_host(a, b);
}

/* --- sockets -------------------------------------------------------------------- */

static void widen(int fd)
{
	int bytes = PUMP_SOCKET_BYTES, on = 1, whole = IP_PMTUDISC_PROBE;

	/* the kernel gives as much of it as it allows */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	/* never in fragments: a packet that may be one needs an IP identifier,
	 * and the kernel spends a twelfth of a packet on choosing it */
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole,
			 sizeof(whole));
}

static int open_one(const struct pump_ports *ports, unsigned number, int *out)
{
	struct sockaddr_storage at = ports->listen;
	int off = 0, err, fd;

	fd = socket(ports->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	if (ports->any_family)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
				 sizeof(off));
	widen(fd);
	net_set_port(&at, number);
	if (bind(fd, (struct sockaddr *)&at, net_len(&at))) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

/* What epoll gives back says which socket: no memory needs to be shared. */
static int watch(struct pump_ports *ports, int fd, uint64_t which)
{
	struct epoll_event ev = {.events = EPOLLIN,
				 .data.u64 = (uint64_t)fd << 32 | which};

	return epoll_ctl(ports->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int open_pair(struct pump_ports *ports, unsigned number)
{
	unsigned i = atomic_load(&ports->count);
	struct pump_port *port = &ports->at[i];
	int err;

	port->rtp = port->rtcp = -1;
	err = open_one(ports, number, &port->rtp);
	if (!err)
		err = open_one(ports, number + 1, &port->rtcp);
	if (!err)
		err = watch(ports, port->rtp, i << 1 | PUMP_RTP);
	if (!err)
		err = watch(ports, port->rtcp, i << 1 | PUMP_RTCP);
	if (err) {
		if (port->rtp >= 0)
			(void)close(port->rtp);
		if (port->rtcp >= 0)
			(void)close(port->rtcp);
		return err;
	}
	port->number = number;
	atomic_store(&ports->count, i + 1);
	return 0;
}

int pump_ports_open(struct pump_ports *ports, const struct pump_params *params,
		    struct diag *d)
{
	char text[NET_TEXT_BYTES];
	int err;

	ports->epoll = -1;
	if (net_address(params->listen, 0, &ports->listen))
		return diag_set(d, "%s: not an address", params->listen);
	ports->family = ports->listen.ss_family;
	ports->any_family =
		ports->family == AF_INET6 && net_is_any(&ports->listen);
	ports->next = params->port_min + params->port_min % 2;
	ports->end = params->port_max;
	if (params->port_min == 0 || params->port_max > 65535 ||
	    ports->next >= ports->end)
		return diag_set(d, "%u to %u: no even port with one above it",
				params->port_min, params->port_max);

	ports->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ports->epoll < 0)
		return -errno;
	while (ports->next < ports->end &&
	       atomic_load(&ports->count) < PUMP_PORTS_FIRST) {
		err = open_pair(ports, ports->next);
		if (err) {
			net_host(&ports->listen, text);
			(void)diag_set(d, "UDP ports %u and %u of %s: %s",
				       ports->next, ports->next + 1, text,
				       strerrordesc_np(-err));
			return err;
		}
		ports->next += 2;
	}
	return 0;
}

void pump_ports_close(struct pump_ports *ports)
{
	for (unsigned i = 0; i < atomic_load(&ports->count); i++) {
		(void)close(ports->at[i].rtp);
		(void)close(ports->at[i].rtcp);
	}
	if (ports->epoll >= 0)
		(void)close(ports->epoll);
}

/* --- choosing -------------------------------------------------------------------- */

/* How little this port suits a stream of unknown source; 0: entirely. */
static unsigned unfit(struct pump_port *port, int64_t now_ms)
{
	return 2 * atomic_load(&port->unplaced) +
	       (atomic_load(&port->rests_until_ms) > now_ms);
}

/* Those in use by others are passed over: the first ones were all ours. */
static bool open_more(struct pump_ports *ports)
{
	while (ports->next < ports->end &&
	       atomic_load(&ports->count) < PUMP_PORTS_MAX) {
		int err = open_pair(ports, ports->next);

		if (err && err != -EADDRINUSE)
			return false; /* no more sockets: share */
		ports->next += 2;
		if (!err)
			return true;
	}
	return false;
}

unsigned pump_ports_pick(struct pump_ports *ports, int64_t now_ms)
{
	unsigned count = atomic_load(&ports->count), best = 0;
	unsigned least = UINT32_MAX, fewest = UINT32_MAX;

	for (unsigned n = 0; n < count; n++) {
		unsigned i = (ports->turn + n) % count;
		unsigned u = unfit(&ports->at[i], now_ms);

		if (u < least ||
		    (u == least && ports->at[i].streams < fewest)) {
			best = i;
			least = u;
			fewest = ports->at[i].streams;
		}
	}
	if (least > 0 && open_more(ports))
		best = atomic_load(&ports->count) - 1;
	ports->turn = best + 1;
	return best;
}
