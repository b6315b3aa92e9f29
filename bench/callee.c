// SPDX-License-Identifier: Apache-2.0
/*
 * callee.c - SIP as little as it takes to be called.
 *
 * An answer is made of the request's own lines, so nothing has to be kept but
 * which slot a call has: the To tag says it.  Only an INVITE that comes again
 * must be known by its Call-ID, and a 200 is sent again until its ACK comes
 * (RFC 3261 13.3.1.4).
 */
#include "bench/callee.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/net.h"
#include "bench/callee_priv.h"

enum {
	BATCH = 32,
	DATAGRAM = 4096,
	CONTROL = 128,
	ID_BYTES = 128,
	T1_MS = 500,
	T2_MS = 4000,
	LOOK_MS = 50, /* for 200s without ACK */
	LOOK_US = LOOK_MS * 1000,
	FIFO = 1,
	RECEIVE_BYTES = 32 << 20, /* what waits while others have the core */
};

/* --- for all who measure ------------------------------------------------------- */

void bench_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

void bench_hurry(int priority)
{
	const struct sched_param p = {.sched_priority = priority};

	(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
}

void bench_alone(void)
{
	const struct sched_param p = {.sched_priority = FIFO};

	(void)sched_setscheduler(0, SCHED_RR, &p);
}

int64_t bench_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void bench_wait_ms(int64_t ms)
{
	const struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

void *bench_shared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* --- a request ------------------------------------------------------------------ */

struct request {
	struct span all, method, uri, call_id, from, to, cseq, body;
	struct span vias[8];
	size_t vias_count;
	struct sockaddr_in source;
	int64_t wall_ns;
};

static bool is_name(struct span s, const char *name, const char *brief)
{
	return (s.n == strlen(name) && strncasecmp(s.p, name, s.n) == 0) ||
	       (brief && s.n == 1 && strncasecmp(s.p, brief, 1) == 0);
}

static void take_header(struct request *r, struct span line)
{
	struct span value = line, name;

	if (!span_cut(&value, ':', &name))
		return;
	name = span_trim(name);
	value = span_trim(value);
	if (is_name(name, "Via", "v")) {
		if (r->vias_count < sizeof(r->vias) / sizeof(r->vias[0]))
			r->vias[r->vias_count++] = value;
	} else if (is_name(name, "Call-ID", "i")) {
		r->call_id = value;
	} else if (is_name(name, "From", "f")) {
		r->from = value;
	} else if (is_name(name, "To", "t")) {
		r->to = value;
	} else if (is_name(name, "CSeq", NULL)) {
		r->cseq = value;
	}
}

/* False: no request, or one without what every request has. */
static bool read_request(struct span bytes, struct request *r)
{
	struct span rest = bytes, line;

	r->all = bytes;
	if (!span_cut(&rest, '\n', &line))
		return false;
	line = span_trim(line);
	(void)span_cut(&line, ' ', &r->method);
	if (!span_cut(&line, ' ', &r->uri) || span_is(r->method, "SIP/2.0"))
		return false;
	while (span_cut(&rest, '\n', &line)) {
		line = span_trim(line);
		if (line.n == 0)
			break;
		take_header(r, line);
	}
	r->body = rest;
	return r->call_id.n > 0 && r->call_id.n < ID_BYTES && r->to.n > 0 &&
	       r->from.n > 0 && r->cseq.n > 0 && r->vias_count > 0;
}

/* The text behind `label` up to the first of `ends`. */
static bool behind(struct span s, const char *label, const char *ends,
		   char *out, size_t size)
{
	const char *at = s.n ? memmem(s.p, s.n, label, strlen(label)) : NULL;
	size_t n = 0;

	if (!at)
		return false;
	at += strlen(label);
	while (at + n < s.p + s.n && !strchr(ends, at[n]) && n < size - 1)
		n++;
	memcpy(out, at, n);
	out[n] = '\0';
	return true;
}

/* Where its SDP wants to hear. */
static bool far_of(struct span sdp, struct sockaddr_in *out)
{
	char host[48] = "", port[8] = "", text[64];
	struct sockaddr_storage a;

	if (!behind(sdp, "c=IN IP4 ", "\r\n/ ", host, sizeof(host)) ||
	    !behind(sdp, "m=audio ", " /\r\n", port, sizeof(port)))
		return false;
	(void)snprintf(text, sizeof(text), "%s:%s", host, port);
	if (net_address(text, 0, &a) != 0 || a.ss_family != AF_INET)
		return false;
	memcpy(out, &a, sizeof(*out));
	return true;
}

/* --- answers ----------------------------------------------------------------------- */

static int64_t ms(int64_t n)
{
	return n * 1000000;
}

/* A 200 without its ACK. */
struct unheard {
	char *text; /* NULL: there is none */
	size_t n;
	struct sockaddr_in to;
	int64_t due_ns;
	unsigned wait_ms;
};

struct callee_sip {
	struct callee_world *w;
	struct unheard *unheard; /* of each slot */
	int64_t looked_ns;
	struct map *ids;            /* Call-ID -> slot + 1 */
	char (*id_of)[ID_BYTES];    /* of each slot */
	uint32_t next;              /* slot to be tried first */
	struct sockaddr_in contact; /* ours */
};

static void write_reply(const struct callee_sip *c, const struct request *r,
			const char *status, long slot, const char *body,
			struct buf *out)
{
	buf_printf(out, "SIP/2.0 %s\r\n", status);
	for (size_t i = 0; i < r->vias_count; i++)
		buf_printf(out, "Via: %.*s\r\n", (int)r->vias[i].n,
			   r->vias[i].p);
	buf_printf(out, "From: %.*s\r\nTo: %.*s", (int)r->from.n, r->from.p,
		   (int)r->to.n, r->to.p);
	if (slot >= 0 && !memmem(r->to.p, r->to.n, ";tag=", 5))
		buf_printf(out, ";tag=slot%ld", slot);
	buf_printf(out, "\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n",
		   (int)r->call_id.n, r->call_id.p, (int)r->cseq.n, r->cseq.p);
	if (body)
		buf_printf(out,
			   "Contact: <sip:callee@127.0.0.1:%u>\r\n"
			   "Content-Type: application/sdp\r\n",
			   ntohs(c->contact.sin_port));
	buf_printf(out, "Content-Length: %zu\r\n\r\n%s",
		   body ? strlen(body) : 0, body ? body : "");
}

static void send_text(const struct callee_sip *c, const struct sockaddr_in *to,
		      const char *text, size_t n)
{
	(void)sendto(c->w->sip, text, n, 0, (const struct sockaddr *)to,
		     sizeof(*to));
}

static void reply(const struct callee_sip *c, const struct request *r,
		  const char *status, long slot)
{
	AUTO_BUF(b, DATAGRAM);

	write_reply(c, r, status, slot, NULL, &b);
	send_text(c, &r->source, buf_view(&b).p, buf_view(&b).n);
}

static void heard(struct callee_sip *c, long slot)
{
	free(c->unheard[slot].text);
	c->unheard[slot].text = NULL;
}

/* The 200 with what it says, now and until it was heard. */
static void accept_call(struct callee_sip *c, const struct request *r,
			long slot, const char *sdp)
{
	struct unheard *u = &c->unheard[slot];
	AUTO_BUF(b, DATAGRAM);

	write_reply(c, r, "200 OK", slot, sdp, &b);
	heard(c, slot);
	*u = (struct unheard){
		.text = b_copy(buf_view(&b).p, buf_view(&b).n),
		.n = buf_view(&b).n,
		.to = r->source,
		.due_ns = bench_ns(CLOCK_MONOTONIC) + ms(T1_MS),
		.wait_ms = T1_MS,
	};
	send_text(c, &u->to, u->text, u->n);
}

static void say_again(struct callee_sip *c)
{
	int64_t now_ns = bench_ns(CLOCK_MONOTONIC);

	if (now_ns - c->looked_ns < ms(LOOK_MS))
		return;
	c->looked_ns = now_ns;
	for (long slot = 0; slot < CALLEE_SLOTS; slot++) {
		struct unheard *u = &c->unheard[slot];

		if (!u->text || now_ns < u->due_ns)
			continue;
		send_text(c, &u->to, u->text, u->n);
		u->wait_ms = u->wait_ms * 2 < T2_MS ? u->wait_ms * 2 : T2_MS;
		u->due_ns = now_ns + ms(u->wait_ms);
	}
}

static void sdp_of(long slot, char out[512])
{
	struct in_addr ip = {htonl(CALLEE_NET + (uint32_t)slot)};
	char host[INET_ADDRSTRLEN] = "";
	struct sockaddr_storage a;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = ip};
	char text[NET_TEXT_BYTES];

	memset(&a, 0, sizeof(a));
	memcpy(&a, &in, sizeof(in));
	net_host(&a, text);
	(void)snprintf(host, sizeof(host), "%.15s", text);
	(void)snprintf(out, 512,
		       "v=0\r\no=- %ld 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\n"
		       "t=0 0\r\nm=audio %d RTP/AVP 0 8 101\r\n"
		       "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
		       "a=rtpmap:101 telephone-event/8000\r\n"
		       "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
		       slot, host, host, CALLEE_RTP_PORT);
}

static long slot_of(const struct request *r)
{
	char text[12];
	char *end;
	long slot;

	if (!behind(r->to, ";tag=slot", ";> \r\n", text, sizeof(text)))
		return -1;
	slot = strtol(text, &end, 10);
	return *end || slot < 0 || slot >= CALLEE_SLOTS ? -1 : slot;
}

/* A slot that nobody has; -1: all are taken. */
static long take_slot(struct callee_sip *c, const char *id)
{
	for (uint32_t n = 0; n < CALLEE_SLOTS; n++) {
		uint32_t at = c->next++ % CALLEE_SLOTS;
		struct callee_slot *s = &c->w->slots[at];

		if (atomic_load(&s->live))
			continue;
		if (c->id_of[at][0])
			(void)map_remove(c->ids, c->id_of[at]);
		(void)snprintf(c->id_of[at], ID_BYTES, "%s", id);
		(void)map_put(c->ids, id, s);
		atomic_store(&s->ack_ns, 0);
		atomic_store(&s->first_ns, 0);
		atomic_store(&s->told, false);
		return (long)at;
	}
	return -1;
}

static void keep(struct callee_sip *c, const struct request *r)
{
	struct callee_figures *f = c->w->figures;
	uint32_t i = atomic_load(&f->asked);

	if (!atomic_load(&f->keeps) || i >= CALLEE_ASKED_MAX)
		return;
	(void)behind(r->uri, "sip:", "@;>", f->asks[i].to, CALLEE_NUMBER_BYTES);
	f->asks[i].wall_ns = r->wall_ns;
	atomic_store(&f->asked, i + 1);
}

static void on_invite(struct callee_sip *c, const struct request *r)
{
	int refuse = atomic_load(&c->w->figures->refuse);
	char id[ID_BYTES], sdp[512], status[32];
	const struct callee_slot *known;
	struct sockaddr_in far;
	bool again;
	long slot;

	(void)snprintf(id, sizeof(id), "%.*s", (int)r->call_id.n, r->call_id.p);
	known = map_get(c->ids, id);
	slot = known ? known - c->w->slots : -1;
	again = slot >= 0;
	atomic_fetch_add(
		again ? &c->w->figures->repeated : &c->w->figures->invites, 1);
	if (!again) {
		keep(c, r);
		slot = take_slot(c, id);
	}
	if (slot < 0 || refuse || !far_of(r->body, &far)) {
		(void)snprintf(status, sizeof(status), "%d Refused",
			       refuse ? refuse : 488);
		reply(c, r, status, slot < 0 ? 0 : slot);
		return;
	}
	c->w->slots[slot].far = far;
	atomic_store_explicit(&c->w->slots[slot].live, true,
			      memory_order_release);
	sdp_of(slot, sdp);
	reply(c, r, "100 Trying", -1);
	reply(c, r, "180 Ringing", slot);
	accept_call(c, r, slot, sdp);
}

static void on_ack(struct callee_sip *c, const struct request *r)
{
	long slot = slot_of(r);
	struct callee_slot *s;

	atomic_fetch_add(&c->w->figures->acks, 1);
	if (slot < 0)
		return;
	heard(c, slot);
	s = &c->w->slots[slot];
	if (!atomic_load(&s->live) || atomic_load(&s->ack_ns))
		return;
	atomic_store(&s->ack_ns, r->wall_ns);
	callee_silence(c->w, s);
	callee_say(c->w, s);
}

static void on_bye(struct callee_sip *c, const struct request *r)
{
	long slot = slot_of(r);

	reply(c, r, "200 OK", slot);
	if (slot < 0 || !atomic_exchange(&c->w->slots[slot].live, false))
		return; /* it came again */
	heard(c, slot);
	atomic_fetch_add(&c->w->figures->byes, 1);
}

static void on_request(struct callee_sip *c, const struct request *r)
{
	if (span_is(r->method, "INVITE")) {
		on_invite(c, r);
	} else if (span_is(r->method, "ACK")) {
		on_ack(c, r);
	} else if (span_is(r->method, "BYE")) {
		on_bye(c, r);
	} else if (span_is(r->method, "CANCEL")) {
		/* every INVITE had its final answer at once */
		atomic_fetch_add(&c->w->figures->cancels, 1);
		reply(c, r, "200 OK", -1);
	} else {
		reply(c, r, "200 OK", 0);
	}
}

static void serve(struct callee_sip *c)
{
	static char bytes[BATCH][DATAGRAM], control[BATCH][CONTROL];
	static struct request from[BATCH];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){bytes[i], DATAGRAM};
		from[i] = (struct request){0};
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i].source,
			.msg_namelen = sizeof(from[i].source),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = CONTROL,
		};
	}
	n = recvmmsg(c->w->sip, msgs, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < n; i++) {
		struct request *r = &from[i];

		r->wall_ns = callee_stamp(&msgs[i].msg_hdr);
		if (read_request(span_make(bytes[i], msgs[i].msg_len), r))
			on_request(c, r);
		else
			atomic_fetch_add(&c->w->figures->strange, 1);
	}
}

/* --- the process ------------------------------------------------------------------------ */

static int open_socket(uint32_t host, unsigned port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(host)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1, bytes = RECEIVE_BYTES;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	(void)close(fd);
	return -EADDRINUSE;
}

static int open_sockets(struct callee_world *w, struct sockaddr_in *sip)
{
	const struct timeval turn = {.tv_usec = LOOK_US};
	socklen_t n = sizeof(*sip);

	w->sip = open_socket(INADDR_LOOPBACK, 0);
	w->rtp = open_socket(INADDR_ANY, CALLEE_RTP_PORT);
	w->rtcp = open_socket(INADDR_ANY, CALLEE_RTP_PORT + 1);
	if (w->sip < 0 || w->rtp < 0 || w->rtcp < 0)
		return -EADDRINUSE;
	(void)setsockopt(w->sip, SOL_SOCKET, SO_RCVTIMEO, &turn, sizeof(turn));
	return getsockname(w->sip, (struct sockaddr *)sip, &n) ? -errno : 0;
}

_Noreturn static void run(struct callee_world *w, const struct sockaddr_in *sip,
			  int cpu)
{
	struct callee_sip c = {.w = w, .ids = map_new(), .contact = *sip};
	pthread_t ear;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(cpu);
	c.id_of = b_zero(CALLEE_SLOTS, sizeof(*c.id_of));
	c.unheard = b_zero(CALLEE_SLOTS, sizeof(*c.unheard));
	if (pthread_create(&ear, NULL, callee_listen, w) != 0)
		_exit(1);
	bench_hurry(FIFO);
	for (;;) {
		serve(&c);
		say_again(&c);
	}
}

int callee_start(struct callee *c, int cpu)
{
	struct callee_world *w = b_zero(1, sizeof(*w));
	struct sockaddr_in sip = {0};
	int err = open_sockets(w, &sip);

	if (err)
		return err;
	c->port = ntohs(sip.sin_port);
	c->figures = bench_shared(sizeof(*c->figures));
	w->figures = c->figures;
	c->pid = fork();
	if (c->pid == 0)
		run(w, &sip, cpu);
	(void)close(w->sip);
	(void)close(w->rtp);
	(void)close(w->rtcp);
	free(w);
	return c->pid < 0 ? -errno : 0;
}

void callee_stop(struct callee *c)
{
	if (c->pid <= 0)
		return;
	(void)kill(c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	c->pid = 0;
}
