// SPDX-License-Identifier: Apache-2.0
/*
 * caller.h - the program's telephone under load, in a process of its own: the
 * line with its SIP, the pump, and calls without a service behind them.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum caller_phase {
	CALLER_STARTS,
	CALLER_READY, /* nothing was dialled yet */
	CALLER_DIALS,
	CALLER_HOLDS, /* all are up */
	CALLER_ENDS,
	CALLER_DONE,
	CALLER_PHASES, /* how many */
};

enum { CALLER_SETUPS_MAX = 1 << 16, CALLER_WHY_BYTES = 128 };

struct caller_params {
	unsigned trunk_port;
	unsigned calls;  /* to be up at once; 0: each hangs up when answered */
	unsigned rate;   /* dialled in a second */
	unsigned for_ms; /* all up for so long; or dialling for so long */
	int cpu, priority;
};

/* Shared with the process. */
struct caller_figures {
	_Atomic int phase; /* of enum caller_phase */
	/* when each began: clock, processor time so far, resident memory */
	int64_t at_ns[CALLER_PHASES], cpu_ns[CALLER_PHASES];
	size_t rss[CALLER_PHASES];
	atomic_bool go; /* set by who measures: dial now */
	_Atomic uint32_t dialled, refused, answered, failed, lost, ended;
	_Atomic uint64_t talked_us; /* all calls' time from answer to end */
	_Atomic uint64_t skipped, strange, phase_us_max;
	int32_t setup_us[CALLER_SETUPS_MAX]; /* dial to answer, `answered` */
	char why[CALLER_WHY_BYTES];          /* it could not start */
	_Atomic int last_code;               /* of a call that failed */
};

struct caller {
	pid_t pid;
	struct caller_figures *figures;
};

/* 0 or -errno; then the figures say how it goes. */
int caller_start(struct caller *c, const struct caller_params *p);
/* False: the phase was not reached in time, or the process has ended. */
bool caller_wait(struct caller *c, enum caller_phase phase, int64_t ms);
void caller_stop(struct caller *c);
