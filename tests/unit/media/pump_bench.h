// SPDX-License-Identifier: Apache-2.0
/*
 * pump_bench.h - a pump, its loop, and far ends with sockets of their own, all
 * in one thread that waits in poll().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "media/keys.h"
#include "media/pump.h"
#include "media/rtcp.h"
#include "media/rtp.h"

enum {
	BENCH_CALLS = 256,
	BENCH_EVENTS = 64, /* of a call */
	BENCH_PACKETS = 1024,
	BENCH_REPORTS = 64,
	BENCH_PAYLOAD = 480,
	BENCH_WAIT_MS = 20 * 1000, /* then a test has failed */
};

struct bench_packet {
	struct rtp_header h;
	struct sockaddr_storage from;
	size_t n;
	uint8_t sound[BENCH_PAYLOAD];
	int64_t at_us; /* when the kernel had it, on the steady clock */
};
struct bench_report {
	uint8_t bytes[512];
	size_t n;
	bool muxed;
};

/* A far end: sound on an even port, reports above it. */
struct far {
	int rtp, rtcp;
	struct sockaddr_storage at, rtcp_at;
	struct bench_packet *packets; /* the first ones */
	size_t count;
	struct bench_report reports[BENCH_REPORTS];
	size_t report_count;
	struct rtp_header next; /* what it says next */
};

struct bench_event {
	enum pump_event_kind kind;
	char key;
	uint32_t play_id;
	unsigned played_ms;
	int64_t at_us;
};
/* A call: our stream, and what it told. */
struct call {
	struct bench *b;
	struct pump_stream *s;
	struct far *far;
	struct bench_event events[BENCH_EVENTS];
	size_t count;
	struct pump_stats stats; /* once it was closed */
	bool closed;
};

struct bench {
	const char *host;
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct pump *pump;
	int wake;
	_Atomic int stall_ms; /* the pump stands still when it posts next */
	struct call calls[BENCH_CALLS];
	size_t call_count;
	struct far *fars[BENCH_CALLS];
	size_t far_count;
};

int64_t bench_now_us(void);
bool bench_has(const char *host); /* is there such an address here? */
/* `pairs`: how many ports it may take. */
struct bench *bench_new(const char *host, unsigned streams, unsigned pairs);
void bench_free(struct bench *b); /* its calls too */
CLEANUP(bench, bench_free)

/* Wait for whatever comes first, at most `ms`; take it. */
void bench_step(struct bench *b, int ms);
/* Go on until it is so. */
#define UNTIL(b, it_is_so)                                                     \
	do {                                                                   \
		int64_t end_ = bench_now_us() + (int64_t)BENCH_WAIT_MS * 1000; \
                                                                               \
		while (!(it_is_so)) {                                          \
			assert_true(bench_now_us() < end_);                    \
			bench_step((b), 100);                                  \
		}                                                              \
	} while (0)
/* Go on for so long. */
void bench_for(struct bench *b, int64_t ms);

struct far *far_new(struct bench *b);
struct call *call_new(struct bench *b); /* with a far end, not connected */
/* PCMU, events, 20 ms, both directions, no other networks. */
struct pump_far call_far(const struct call *c);
struct call *call_connected(struct bench *b);
void call_connect(struct call *c, const struct pump_far *far);
void call_close(struct call *c); /* and wait for its end */
size_t call_told(const struct call *c, enum pump_event_kind kind);
size_t bench_told(const struct bench *b, enum pump_event_kind kind);
const struct bench_event *call_event(const struct call *c,
				     enum pump_event_kind kind);
size_t call_keys(const struct call *c, char *out); /* as text */

/* `frames` frames of sound that is like no other. */
struct playlist *bench_playlist(uint32_t seed, size_t frames);
/* Where `p` begins in what came, all of it there, as it was; or SIZE_MAX. */
size_t far_find(const struct far *f, const struct playlist *p,
		enum g711_codec codec);
bool far_is_silent(const struct bench_packet *p, enum g711_codec codec);

/* One packet to the call's port; its header goes on by one. */
void far_say(struct far *f, struct call *to, uint8_t pt, const void *payload,
	     size_t n);
void far_silence(struct far *f, struct call *to); /* a frame of it */
/* The header alone goes on: a packet that is lost. */
void far_lose(struct far *f);
void far_key(struct far *f, struct call *to, char key); /* whole, at once */
/* Send anything from its socket. */
void far_send(int fd, const struct call *to, bool rtcp, const void *p,
	      size_t n);
void far_locked(struct call *c); /* speak until it was heard */
