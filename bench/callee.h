// SPDX-License-Identifier: Apache-2.0
/*
 * callee.h - the far end of any number of calls, in a process of its own.
 *
 * It answers every INVITE on loopback at once and listens to the sound by the
 * kernel's receive time stamps.  Each call has an address of its own out of
 * 127.64.0.0/17, so one socket hears all and knows whose packet it is.
 *
 * A frame is late by its receive time less the schedule of its RTP timestamp,
 * beside the least of the last 50 to 100 frames of its stream.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum {
	CALLEE_SLOTS = 1 << 15,
	CALLEE_RTP_PORT = 61000, /* RTCP is one above */
	CALLEE_NUMBER_BYTES = 20,
	CALLEE_LATES = 4, /* limits of lateness: callee_late_us */
	CALLEE_ASKED_MAX = 1 << 14,
	CALLEE_SILENCES_MAX = 1 << 16,
};

extern const unsigned callee_late_us[CALLEE_LATES]; /* 1, 5, 10 and 20 ms */

/* Shared with the process; everything is counted from its start. */
struct callee_figures {
	_Atomic uint64_t invites, repeated, acks, byes, cancels, strange;
	_Atomic uint64_t frames, lost, late[CALLEE_LATES];
	_Atomic int64_t late_us_max; /* may be set to 0 by who reads it */

	/* from each ACK's arrival to the first packet of sound */
	_Atomic uint32_t silences;
	int32_t silence_us[CALLEE_SILENCES_MAX];

	/* calls that came, while they are kept: to whom and when */
	_Atomic bool keeps;
	_Atomic uint32_t asked;
	struct {
		char to[CALLEE_NUMBER_BYTES];
		int64_t wall_ns;
	} asks[CALLEE_ASKED_MAX];

	_Atomic int refuse; /* a SIP code for every INVITE; 0: answered */
};

struct callee {
	pid_t pid;
	unsigned port; /* of SIP, on 127.0.0.1 */
	struct callee_figures *figures;
};

/* Runs on `cpu`; -1: anywhere.  0 or -errno. */
int callee_start(struct callee *c, int cpu);
void callee_stop(struct callee *c);

/* --- for all who measure ------------------------------------------------------- */

void bench_pin(int cpu); /* this thread and those it makes; -1: nothing */
void bench_hurry(int priority); /* SCHED_FIFO for this thread, if it may */
/* This process and the threads it will make have the core for themselves,
 * whatever else runs on the machine; if it may. */
void bench_alone(void);
int64_t bench_ns(clockid_t clock);
void bench_wait_ms(int64_t ms);
void *bench_shared(size_t n); /* zeroed memory that a fork() shares */
