// SPDX-License-Identifier: Apache-2.0
/*
 * pump_bench.c - a pump, its loop, and far ends, in one thread.
 */
#include "unit/media/pump_bench.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"

enum {
	PORTS_FROM = 12000, /* below what the kernel gives away by itself */
	PORTS_TO = 31000,
	TRIES = 200,
	SECOND_US = 1000 * 1000,
};

static int64_t read_us(clockid_t which)
{
	struct timespec t;

	assert_int_equal(clock_gettime(which, &t), 0);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

int64_t bench_now_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

static int bound(const char *host, unsigned port)
{
	struct sockaddr_storage at;
	int fd, on = 1, bytes = 4 << 20;

	assert_int_equal(net_address(host, port, &at), 0);
	fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, net_len(&at)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

bool bench_has(const char *host)
{
	int fd = bound(host, 0);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static unsigned some_port(struct bench *b)
{
	return PORTS_FROM + 2 * rng_below(b->rng, (PORTS_TO - PORTS_FROM) / 2);
}

/* By whoever posts while the test waits: that is the pump's thread. */
static void wake(void *ctx)
{
	struct bench *b = ctx;
	uint64_t one = 1;
	int stall = atomic_exchange(&b->stall_ms, 0);

	if (stall > 0)
		(void)poll(NULL, 0, stall);
	assert_int_equal(write(b->wake, &one, sizeof(one)), sizeof(one));
}

struct bench *bench_new(const char *host, unsigned streams, unsigned pairs)
{
	struct bench *b = b_zero(1, sizeof(*b));
	int err = -EADDRINUSE;

	b->host = host;
	b->clock = clock_real();
	b->rng = rng_system();
	b->loop = loop_new(b->clock);
	b->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(b->wake >= 0);
	loop_own(b->loop, wake, b);
	/* others test here too: somewhere there is room */
	for (int i = 0; i < TRIES && err == -EADDRINUSE; i++) {
		unsigned from = some_port(b);
		struct pump_params params = {.listen = host,
					     .port_min = from,
					     .port_max = from + 2 * pairs - 1,
					     .streams_max = streams,
					     .loop = b->loop,
					     .rng = b->rng};
		struct diag d = {0};

		err = pump_new(&params, &b->pump, &d);
	}
	assert_int_equal(err, 0);
	return b;
}

static void far_free(struct far *f)
{
	(void)close(f->rtp);
	(void)close(f->rtcp);
	free(f->packets);
	free(f);
}

void bench_free(struct bench *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->call_count; i++)
		if (b->calls[i].s)
			pump_stream_close(b->calls[i].s);
	pump_free(b->pump);
	loop_free(b->loop);
	for (size_t i = 0; i < b->far_count; i++)
		far_free(b->fars[i]);
	(void)close(b->wake);
	free(b);
}

/* --- far ends ---------------------------------------------------------------------- */

struct far *far_new(struct bench *b)
{
	struct far *f = b_zero(1, sizeof(*f));

	assert_true(b->far_count < BENCH_CALLS);
	f->rtp = f->rtcp = -1;
	for (int i = 0; i < TRIES && f->rtcp < 0; i++) {
		unsigned port = some_port(b);

		f->rtp = bound(b->host, port);
		if (f->rtp < 0)
			continue;
		f->rtcp = bound(b->host, port + 1);
		if (f->rtcp < 0)
			(void)close(f->rtp);
		assert_int_equal(net_address(b->host, port, &f->at), 0);
		assert_int_equal(net_address(b->host, port + 1, &f->rtcp_at),
				 0);
	}
	assert_true(f->rtcp >= 0);
	f->packets = b_zero(BENCH_PACKETS, sizeof(*f->packets));
	rng_fill(b->rng, &f->next.ssrc, sizeof(f->next.ssrc));
	rng_fill(b->rng, &f->next.seq, sizeof(f->next.seq));
	rng_fill(b->rng, &f->next.ts, sizeof(f->next.ts));
	b->fars[b->far_count++] = f;
	return f;
}

static int64_t arrived_us(struct msghdr *m)
{
	int64_t wall = read_us(CLOCK_REALTIME), now = bench_now_us();
	struct timespec t;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return now - (wall - (int64_t)t.tv_sec * SECOND_US -
				      t.tv_nsec / 1000);
		}
	return now;
}

static void keep_report(struct far *f, const uint8_t *p, size_t n, bool muxed)
{
	struct bench_report *r = &f->reports[f->report_count];

	if (f->report_count == BENCH_REPORTS || n > sizeof(r->bytes))
		return;
	memcpy(r->bytes, p, n);
	r->n = n;
	r->muxed = muxed;
	f->report_count++;
}

static void keep_packet(struct far *f, const uint8_t *p, size_t n,
			struct msghdr *m)
{
	struct bench_packet *to = &f->packets[f->count];
	struct span payload;

	if (n > 1 && p[1] >= 192 && p[1] <= 223) {
		keep_report(f, p, n, true);
		return;
	}
	if (f->count == BENCH_PACKETS)
		return;
	assert_int_equal(rtp_read(span_make(p, n), &to->h, &payload), 0);
	assert_true(payload.n <= BENCH_PAYLOAD);
	memcpy(to->sound, payload.p, payload.n);
	memcpy(&to->from, m->msg_name, sizeof(to->from));
	to->n = payload.n;
	to->at_us = arrived_us(m);
	f->count++;
}

static void hear(struct far *f)
{
	uint8_t bytes[2048];
	uint64_t control[16];
	ssize_t n;

	for (;;) {
		struct sockaddr_storage from = {0};
		struct iovec iov = {bytes, sizeof(bytes)};
		struct msghdr m = {.msg_name = &from,
				   .msg_namelen = sizeof(from),
				   .msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};

		n = recvmsg(f->rtp, &m, 0);
		if (n < 0)
			break;
		keep_packet(f, bytes, (size_t)n, &m);
	}
	while ((n = recv(f->rtcp, bytes, sizeof(bytes), 0)) >= 0)
		keep_report(f, bytes, (size_t)n, false);
}

void bench_step(struct bench *b, int ms)
{
	struct pollfd fds[2 * BENCH_CALLS + 1] = {
		{.fd = b->wake, .events = POLLIN}};
	nfds_t n = 1;
	uint64_t ignored;

	for (size_t i = 0; i < b->far_count; i++) {
		fds[n++] = (struct pollfd){.fd = b->fars[i]->rtp,
					   .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = b->fars[i]->rtcp,
					   .events = POLLIN};
	}
	if (loop_rest_begin(b->loop) == 0)
		ms = 0;
	(void)poll(fds, n, ms);
	loop_rest_end(b->loop);
	while (read(b->wake, &ignored, sizeof(ignored)) > 0)
		;
	for (size_t i = 0; i < b->far_count; i++)
		hear(b->fars[i]);
	(void)loop_turn(b->loop);
}

void bench_for(struct bench *b, int64_t ms)
{
	int64_t end = bench_now_us() + ms * 1000;

	for (int64_t now; (now = bench_now_us()) < end;)
		bench_step(b, (int)((end - now) / 1000) + 1);
}

/* --- calls ---------------------------------------------------------------------------- */

static void on_event(const struct pump_event *ev, void *ctx)
{
	struct call *c = ctx;

	assert_false(c->closed);
	assert_true(c->count < BENCH_EVENTS);
	c->events[c->count++] = (struct bench_event){
		.kind = ev->kind,
		.key = ev->key,
		.play_id = ev->play_id,
		.played_ms = ev->played_ms,
		.at_us = bench_now_us(),
	};
	if (ev->kind == PUMP_CLOSED) {
		c->stats = *ev->stats;
		c->closed = true;
		c->s = NULL;
	}
}

/* A machine that is too slow at the moment is not what is tested. */
static bool is_full(struct bench *b)
{
	struct pump_figures fig;

	pump_figures(b->pump, &fig);
	return fig.full;
}

struct call *call_new(struct bench *b)
{
	struct call *c = &b->calls[b->call_count];

	assert_true(b->call_count < BENCH_CALLS);
	memset(c, 0, sizeof(*c));
	c->b = b;
	UNTIL(b, !is_full(b));
	assert_int_equal(pump_stream_new(b->pump, on_event, c, &c->s), 0);
	b->call_count++;
	c->far = far_new(b);
	return c;
}

struct pump_far call_far(const struct call *c)
{
	return (struct pump_far){.rtp = c->far->at,
				 .rtcp = c->far->rtcp_at,
				 .codec = G711_PCMU,
				 .audio_pt = RTP_PT_PCMU,
				 .event_pt = RTP_PT_EVENT,
				 .keys = PUMP_KEYS_EVENTS,
				 .ptime_ms = 20,
				 .send = true,
				 .receive = true};
}

void call_connect(struct call *c, const struct pump_far *far)
{
	assert_int_equal(pump_stream_connect(c->s, far), 0);
}

struct call *call_connected(struct bench *b)
{
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	call_connect(c, &far);
	return c;
}

void call_close(struct call *c)
{
	pump_stream_close(c->s);
	UNTIL(c->b, c->closed);
}

size_t call_told(const struct call *c, enum pump_event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->events[i].kind == kind;
	return n;
}

size_t bench_told(const struct bench *b, enum pump_event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < b->call_count; i++)
		n += call_told(&b->calls[i], kind);
	return n;
}

const struct bench_event *call_event(const struct call *c,
				     enum pump_event_kind kind)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->events[i].kind == kind)
			return &c->events[i];
	return NULL;
}

size_t call_keys(const struct call *c, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->events[i].kind == PUMP_KEY)
			out[n++] = c->events[i].key;
	out[n] = '\0';
	return n;
}

/* --- sound ------------------------------------------------------------------------------ */

struct playlist *bench_playlist(uint32_t seed, size_t frames)
{
	AUTO(rng) *r = rng_seeded(seed);
	struct playlist *p = playlist_new();
	struct pcm pcm = {.count = frames * CLIP_FRAME_BYTES};

	pcm.samples = b_zero(pcm.count + 1, sizeof(*pcm.samples));
	rng_fill(r, pcm.samples, pcm.count * sizeof(*pcm.samples));
	AUTO(clip) *c = clip_new(&pcm, "noise");

	pcm_free(&pcm);
	assert_int_equal(playlist_add(p, c), 0);
	return p;
}

bool far_is_silent(const struct bench_packet *p, enum g711_codec codec)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->sound[i] != g711_silence(codec))
			return false;
	return p->n > 0;
}

/* Packets from `at` on hold the list, to its last frame. */
static bool holds(const struct far *f, size_t at, const struct playlist *p,
		  enum g711_codec codec)
{
	struct playlist_cursor cursor = {0};
	const uint8_t *frame;
	size_t byte = 0;

	while ((frame = playlist_next(p, &cursor, codec))) {
		if (at == f->count || memcmp(f->packets[at].sound + byte, frame,
					     CLIP_FRAME_BYTES) != 0)
			return false;
		byte += CLIP_FRAME_BYTES;
		if (byte == f->packets[at].n) {
			at++;
			byte = 0;
		}
	}
	return true;
}

size_t far_find(const struct far *f, const struct playlist *p,
		enum g711_codec codec)
{
	for (size_t i = 0; i < f->count; i++)
		if (holds(f, i, p, codec))
			return i;
	return SIZE_MAX;
}

/* --- speaking --------------------------------------------------------------------------- */

void far_send(int fd, const struct call *to, bool rtcp, const void *p, size_t n)
{
	struct sockaddr_storage at;
	unsigned port = pump_stream_port(to->s) + rtcp;

	assert_int_equal(net_address(to->b->host, port, &at), 0);
	assert_int_equal(
		sendto(fd, p, n, 0, (struct sockaddr *)&at, net_len(&at)), n);
}

void far_say(struct far *f, struct call *to, uint8_t pt, const void *payload,
	     size_t n)
{
	uint8_t packet[RTP_HEADER_BYTES + BENCH_PAYLOAD];

	f->next.pt = pt;
	rtp_write(&f->next, packet);
	memcpy(packet + RTP_HEADER_BYTES, payload, n);
	far_send(f->rtp, to, false, packet, RTP_HEADER_BYTES + n);
	far_lose(f);
}

void far_lose(struct far *f)
{
	f->next.seq++;
	f->next.ts += CLIP_FRAME_BYTES;
}

void far_silence(struct far *f, struct call *to)
{
	uint8_t frame[CLIP_FRAME_BYTES];

	memset(frame, g711_silence(G711_PCMU), sizeof(frame));
	far_say(f, to, RTP_PT_PCMU, frame, sizeof(frame));
}

void far_key(struct far *f, struct call *to, char key)
{
	uint32_t ts = f->next.ts;
	int event = keys_key_event(key);

	assert_true(event >= 0);
	for (unsigned i = 1; i <= 6; i++) {
		struct keys_event e = {
			.event = (uint8_t)event,
			.end = i > 3,
			.volume = 10,
			.duration = (uint16_t)(160 * (i < 4 ? i : 4))};
		uint8_t payload[KEYS_EVENT_BYTES];

		keys_event_write(&e, payload);
		f->next.ts = ts;
		far_say(f, to, RTP_PT_EVENT, payload, sizeof(payload));
	}
}

void far_locked(struct call *c)
{
	int64_t end = bench_now_us() + (int64_t)BENCH_WAIT_MS * 1000;

	while (call_told(c, PUMP_HEARD) == 0) {
		assert_true(bench_now_us() < end);
		far_silence(c->far, c);
		bench_step(c->b, 10);
	}
}
