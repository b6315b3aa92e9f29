// SPDX-License-Identifier: Apache-2.0
/*
 * flow_own_priv.h - what a service holds for the flows of applications: its
 * threads, and what they have read.
 */
#pragma once

#include "service/flows_priv.h"

struct service_flow_threads;
struct service_runs;

/* flow_pool.c.  stop() ends its jobs and its threads. */
struct service_flow_threads *service_flow_threads_new(
	enum service_flow_pool kind, struct diag *d);
void service_flow_threads_stop(struct service_flow_threads *p);
void service_flow_threads_free(struct service_flow_threads *p);

struct service_own_flows {
	struct service_flow_threads *pools[SERVICE_FLOW_POOLS];

	pthread_mutex_t lock; /* over these: */
	struct map *heads;    /* id -> struct head */
	struct map *versions; /* "id:n" -> struct service_flow */
	struct link used;     /* of the versions, the oldest use first */
	/* a head that was asked for before this went up is not kept */
	unsigned long generation;
	struct service_runs *runs; /* of tests: flow_runs.c */
	struct link lives;         /* the line's: flow_live.c */
};
