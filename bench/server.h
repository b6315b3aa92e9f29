// SPDX-License-Identifier: Apache-2.0
/*
 * server.h - a whole server in a process of its own, for loads.
 *
 * Everything is as in the program, with a store in a folder of its own and the
 * real clock, but for its telephone: that serves every number and rings for
 * ever, one call at a time, so that what is measured is the interface and not
 * calls.  With a trunk, it is the program's own, and so are the calls.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bench_server {
	/* before it is started: a port of loopback that answers SIP, 0: none */
	unsigned trunk_port;
	bool pinned; /* to `cpu`, and alone there */
	int cpu;

	pid_t pid;
	unsigned port;
	char token[96]; /* of a key of scope verify */
	int commands, answers;
};

/* 0, or -errno after a line on stderr. */
int bench_server_start(struct bench_server *s);
void bench_server_stop(struct bench_server *s);

/* What calls would do later: every code counts from now on.  each() is given
 * ids with their codes.  The number of them, or -errno. */
long bench_server_deliver(struct bench_server *s,
			  void (*each)(const char *id, const char *code,
				       void *ctx),
			  void *ctx);
/* Resident memory, bytes. */
size_t bench_server_memory(const struct bench_server *s);
