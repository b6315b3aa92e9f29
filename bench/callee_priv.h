// SPDX-License-Identifier: Apache-2.0
/*
 * callee_priv.h - what the callee's two threads share: slots, one a call.
 */
#pragma once

#include <netinet/in.h>

#include "bench/callee.h"

/* Which slot a packet is for: the last bits of 127.64.0.0/17. */
enum { CALLEE_NET = 0x7f400000 };

struct callee_slot {
	atomic_bool live;
	_Atomic int64_t ack_ns, first_ns; /* arrivals, wall clock */
	atomic_bool told;                 /* the silence between them */
	struct sockaddr_in far;           /* of its SDP; behind `live` */
};

struct callee_world {
	struct callee_figures *figures;
	struct callee_slot slots[CALLEE_SLOTS];
	int sip, rtp, rtcp;
};

/* The thread that listens; never returns. */
void *callee_listen(void *world);
/* Both times of a slot are known, perhaps: count the silence, once. */
void callee_silence(struct callee_world *w, struct callee_slot *s);
/* What a phone sends first: it opens ways through networks. */
void callee_say(const struct callee_world *w, const struct callee_slot *s);

/* The kernel's receive time of a message; 0: it gave none. */
struct msghdr;
int64_t callee_stamp(struct msghdr *m);
