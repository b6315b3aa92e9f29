// SPDX-License-Identifier: Apache-2.0
/*
 * ear.c - hears the sound of all calls and how late each frame of it is.
 */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/attr.h"
#include "base/mem.h"
#include "bench/callee_priv.h"
#include "media/rtcp.h"
#include "media/rtp.h"

enum {
	BATCH = 128,
	PACKET = 256,
	CONTROL = 128,
	BLOCK = 50, /* frames: the minimum is of one to two blocks */
	TICK_US = 125,
	US_NS = 1000,
	LOOK_MS = 1,
	TURN_MS = 10, /* between looks at who must hear from us */
	REPORT_MS = 5000,
	FIFO = 1,
	SAY_SSRC = 0x5a5a0000,
};

const unsigned callee_late_us[CALLEE_LATES] = {1000, 5000, 10000, 20000};

/* One stream, as it is heard in a slot. */
struct heard {
	uint32_t ssrc, ts;
	uint16_t seq;
	bool begun;
	unsigned in_block;
	int64_t began_ns, least, least_before;
};

struct ear {
	struct callee_world *w;
	struct heard *heard; /* CALLEE_SLOTS */
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint8_t packets[BATCH][PACKET];
	char control[BATCH][CONTROL];
	unsigned next_report;
};

int64_t callee_stamp(struct msghdr *m)
{
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return ts.tv_sec * 1000000000LL + ts.tv_nsec;
	}
	return 0;
}

static uint32_t addressed(struct msghdr *m)
{
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		return ntohl(info.ipi_addr.s_addr);
	}
	return 0;
}

void callee_silence(struct callee_world *w, struct callee_slot *s)
{
	int64_t ack = atomic_load(&s->ack_ns);
	int64_t first = atomic_load(&s->first_ns), apart;
	uint32_t i;

	if (!ack || !first || atomic_exchange(&s->told, true))
		return;
	apart = (first - ack) / US_NS;
	i = atomic_fetch_add(&w->figures->silences, 1);
	w->figures->silence_us[i % CALLEE_SILENCES_MAX] =
		(int32_t)(apart > 0 ? apart : 0);
}

static void begin(struct ear *e, uint32_t slot, const struct rtp_header *h,
		  int64_t now_ns)
{
	struct callee_slot *s = &e->w->slots[slot];

	e->heard[slot] = (struct heard){
		.ssrc = h->ssrc,
		.ts = h->ts,
		.seq = h->seq,
		.begun = true,
		.began_ns = now_ns,
		.least_before = INT64_MAX,
	};
	if (atomic_load(&s->live)) {
		atomic_store(&s->first_ns, now_ns);
		callee_silence(e->w, s);
	}
}

static void count_late(struct callee_figures *f, int64_t late_us)
{
	for (unsigned i = 0; i < CALLEE_LATES; i++)
		if (late_us > callee_late_us[i])
			atomic_fetch_add_explicit(&f->late[i], 1,
						  memory_order_relaxed);
	if (late_us >
	    atomic_load_explicit(&f->late_us_max, memory_order_relaxed))
		atomic_store(&f->late_us_max, late_us);
}

static void measure(struct ear *e, uint32_t slot, const struct rtp_header *h,
		    int64_t now_ns)
{
	struct callee_figures *f = e->w->figures;
	struct heard *s = &e->heard[slot];
	int16_t ahead;
	int64_t apart, least;

	atomic_fetch_add_explicit(&f->frames, 1, memory_order_relaxed);
	if (!s->begun || s->ssrc != h->ssrc) {
		begin(e, slot, h, now_ns);
		return;
	}
	ahead = (int16_t)(h->seq - s->seq);
	if (ahead > 1)
		atomic_fetch_add(&f->lost, (uint64_t)(ahead - 1));
	if (ahead > 0)
		s->seq = h->seq;
	apart = (now_ns - s->began_ns) / US_NS -
		(int64_t)(int32_t)(h->ts - s->ts) * TICK_US;
	if (++s->in_block > BLOCK) {
		s->in_block = 1;
		s->least_before = s->least;
		s->least = apart;
	} else if (apart < s->least) {
		s->least = apart;
	}
	least = s->least < s->least_before ? s->least : s->least_before;
	count_late(f, apart - least);
}

static void take(struct ear *e, unsigned i)
{
	struct msghdr *m = &e->msgs[i].msg_hdr;
	uint32_t slot = addressed(m) - CALLEE_NET;
	int64_t now_ns = callee_stamp(m);
	struct rtp_header h;
	struct span payload;

	if (slot >= CALLEE_SLOTS || now_ns == 0 ||
	    rtp_read(span_make(e->packets[i], e->msgs[i].msg_len), &h,
		     &payload) != 0)
		atomic_fetch_add(&e->w->figures->strange, 1);
	else if (h.pt == RTP_PT_PCMU || h.pt == RTP_PT_PCMA)
		measure(e, slot, &h, now_ns);
}

/* What has come.  A thread that waits in the socket would be woken by each
 * packet, and the sender would pay for that: it looks by itself now and then,
 * and the kernel has kept the times. */
static void hear(struct ear *e)
{
	int n;

	do {
		for (unsigned i = 0; i < BATCH; i++)
			e->msgs[i].msg_hdr.msg_controllen = CONTROL;
		n = recvmmsg(e->w->rtp, e->msgs, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			take(e, (unsigned)i);
	} while (n == BATCH);
}

/* --- what a phone says -------------------------------------------------------------- */

/* From the address of the slot. */
static void send_from(int fd, uint32_t slot, unsigned up,
		      const struct sockaddr_in *far, void *bytes, size_t n)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control = {0};
	struct in_pktinfo info = {.ipi_spec_dst.s_addr =
					  htonl(CALLEE_NET + slot)};
	struct sockaddr_in to = *far;
	struct iovec iov = {bytes, n};
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	to.sin_port = htons((uint16_t)(ntohs(to.sin_port) + up));
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	(void)sendmsg(fd, &m, MSG_DONTWAIT);
}

void callee_say(const struct callee_world *w, const struct callee_slot *s)
{
	uint32_t slot = (uint32_t)(s - w->slots);
	const struct rtp_header h = {.ssrc = SAY_SSRC + slot,
				     .pt = RTP_PT_PCMU};
	uint8_t packet[RTP_HEADER_BYTES + 160];

	rtp_write(&h, packet);
	memset(packet + RTP_HEADER_BYTES, 0xff,
	       sizeof(packet) - RTP_HEADER_BYTES);
	send_from(w->rtp, slot, 0, &s->far, packet, sizeof(packet));
}

/* A part of the slots at each turn, so that each has its turn in REPORT_MS. */
static void report(struct ear *e)
{
	enum { PART = CALLEE_SLOTS * TURN_MS / REPORT_MS + 1 };
	uint8_t bytes[RTCP_COMPOUND_MAX];
	struct rtcp_report r = {.cname = "callee"};

	for (unsigned n = 0; n < PART; n++) {
		uint32_t slot = e->next_report++ % CALLEE_SLOTS;
		const struct callee_slot *s = &e->w->slots[slot];

		if (!atomic_load_explicit(&s->live, memory_order_acquire))
			continue;
		r.ssrc = SAY_SSRC + slot;
		send_from(e->w->rtcp, slot, 1, &s->far, bytes,
			  rtcp_write(&r, bytes));
	}
	while (recv(e->w->rtcp, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

void *callee_listen(void *world)
{
	struct ear *e = b_zero(1, sizeof(*e));
	int64_t turn_ns = 0;

	e->w = world;
	e->heard = b_zero(CALLEE_SLOTS, sizeof(*e->heard));
	for (unsigned i = 0; i < BATCH; i++) {
		e->iov[i] = (struct iovec){e->packets[i], PACKET};
		e->msgs[i].msg_hdr.msg_iov = &e->iov[i];
		e->msgs[i].msg_hdr.msg_iovlen = 1;
		e->msgs[i].msg_hdr.msg_control = e->control[i];
	}
	bench_hurry(FIFO);
	for (;;) {
		int64_t now_ns = bench_ns(CLOCK_MONOTONIC);

		hear(e);
		bench_wait_ms(LOOK_MS);
		if (now_ns - turn_ns < TURN_MS * 1000000LL)
			continue;
		turn_ns = now_ns;
		report(e);
	}
	return NULL;
}
