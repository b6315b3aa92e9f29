// SPDX-License-Identifier: Apache-2.0
/*
 * conformance.h - what every driver must do, written against the door alone.
 */
#pragma once

#include "store/store.h"

struct conformance {
	const char *name;
	/* A store with nothing in it, and its end. */
	struct store *(*open)(struct clock *clock, void *ctx);
	void (*close)(struct store *st, void *ctx);
	void *ctx;
};

/* Runs the whole suite; the number of tests that failed. */
int conformance_run(const struct conformance *how);
