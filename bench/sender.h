// SPDX-License-Identifier: Apache-2.0
/*
 * sender.h - frames by sendmmsg and nothing else: what no pump on top of it
 * can beat.
 *
 * A process of its own sends to the callee, as many streams as asked for and
 * each 20 ms one frame to each, in four parts of 5 ms as the pump does; or,
 * without a clock, as fast as it goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sender_params {
	unsigned streams, ms;
	bool paced;
	int cpu, priority;
};
struct sender_result {
	uint64_t packets;
	double seconds, cpu_seconds;
};
/* 0 or -errno. */
int sender_run(const struct sender_params *p, struct sender_result *out);
