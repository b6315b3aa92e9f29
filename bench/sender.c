// SPDX-License-Identifier: Apache-2.0
/*
 * sender.c - frames by sendmmsg and nothing else.
 */
#include "bench/sender.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/callee_priv.h"
#include "media/rtp.h"

enum {
	BATCH = 256,
	FRAME = 160,
	PACKET = RTP_HEADER_BYTES + FRAME,
	FRAMES = 1000, /* of sound, as many clips would have */
	PHASES = 4,
	PHASE_NS = 5 * 1000 * 1000,
	SECOND_NS = 1000000000,
	SEND_BYTES = 4 << 20,
};

struct sender {
	const struct sender_params *p;
	int fd;
	uint8_t (*sound)[FRAME];
	struct stream {
		struct sockaddr_in to;
		uint32_t ts;
		uint16_t seq;
	} * streams;
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint8_t packets[BATCH][PACKET];
	uint64_t sent;
	uint32_t ssrc; /* of the first; others than those of the last run */
};

static void fill(struct sender *s, unsigned at, unsigned stream)
{
	struct stream *st = &s->streams[stream];
	const struct rtp_header h = {
		.seq = st->seq++, .ts = st->ts, .ssrc = s->ssrc + stream};

	st->ts += FRAME;
	rtp_write(&h, s->packets[at]);
	memcpy(s->packets[at] + RTP_HEADER_BYTES,
	       s->sound[(stream + st->seq) % FRAMES], FRAME);
	s->msgs[at].msg_hdr.msg_name = &st->to;
}

static void send_batch(struct sender *s, unsigned n)
{
	for (unsigned at = 0; at < n;) {
		int done = sendmmsg(s->fd, s->msgs + at, n - at, 0);

		if (done <= 0)
			return;
		s->sent += (unsigned)done;
		at += (unsigned)done;
	}
}

static void send_phase(struct sender *s, unsigned phase)
{
	unsigned n = 0;

	for (unsigned i = phase; i < s->p->streams; i += PHASES) {
		fill(s, n++, i);
		if (n < BATCH)
			continue;
		send_batch(s, n);
		n = 0;
	}
	send_batch(s, n);
}

static void send_all(struct sender *s)
{
	struct timespec next;
	int64_t end = bench_ns(CLOCK_MONOTONIC) + s->p->ms * 1000000LL;
	unsigned phase = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	while (bench_ns(CLOCK_MONOTONIC) < end) {
		send_phase(s, phase++ % PHASES);
		if (!s->p->paced)
			continue;
		next.tv_nsec += PHASE_NS;
		if (next.tv_nsec >= SECOND_NS) {
			next.tv_nsec -= SECOND_NS;
			next.tv_sec++;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next,
				      NULL);
	}
}

static void prepare(struct sender *s)
{
	int bytes = SEND_BYTES, whole = IP_PMTUDISC_PROBE;

	(void)setsockopt(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole,
			 sizeof(whole));
	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	s->sound = b_zero(FRAMES, sizeof(*s->sound));
	s->streams = b_zero(s->p->streams, sizeof(*s->streams));
	for (unsigned i = 0; i < s->p->streams; i++)
		s->streams[i].to = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = htons(CALLEE_RTP_PORT),
			.sin_addr.s_addr =
				htonl(CALLEE_NET + i % CALLEE_SLOTS)};
	for (unsigned i = 0; i < BATCH; i++) {
		s->iov[i] = (struct iovec){s->packets[i], PACKET};
		s->msgs[i].msg_hdr = (struct msghdr){
			.msg_namelen = sizeof(struct sockaddr_in),
			.msg_iov = &s->iov[i],
			.msg_iovlen = 1,
		};
	}
}

_Noreturn static void run(const struct sender_params *p,
			  struct sender_result *out)
{
	struct sender *s = b_zero(1, sizeof(*s));
	int64_t began, cpu;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	bench_pin(p->cpu);
	if (p->priority)
		bench_hurry(p->priority);
	s->p = p;
	s->ssrc = (uint32_t)bench_ns(CLOCK_MONOTONIC);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	prepare(s);
	began = bench_ns(CLOCK_MONOTONIC);
	cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID);
	send_all(s);
	out->cpu_seconds =
		(double)(bench_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / SECOND_NS;
	out->seconds = (double)(bench_ns(CLOCK_MONOTONIC) - began) / SECOND_NS;
	out->packets = s->sent;
	_exit(0);
}

int sender_run(const struct sender_params *p, struct sender_result *out)
{
	struct sender_result *shared = bench_shared(sizeof(*shared));
	pid_t pid = fork();

	if (pid == 0)
		run(p, shared);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return -EIO;
	*out = *shared;
	return out->packets > 0 ? 0 : -EIO;
}
