// SPDX-License-Identifier: Apache-2.0
/*
 * conformance_priv.h - what the parts of the suite share.
 */
#pragma once

#include "support/test.h"
#include "unit/store/blocking.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START ((int64_t)1800000000000) /* a full hour, and wall time */

/* Each test has a fresh store, and a clock of its own. */
struct fixture {
	struct clock *clock;
	struct store *st;
	struct bl_page *page;
	struct bl_events *events;
	struct bl_leases *leases;
};

/* A test with its fixture `f`, named as a sentence. */
#define PROMISE(name)                           \
	static void name##_(struct fixture *f); \
	static void name(void **state)          \
	{                                       \
		name##_(*state);                \
	}                                       \
	static void name##_(__attribute__((unused)) struct fixture *f)

struct part {
	const struct CMUnitTest *tests;
	size_t count;
};
#define PART(array)                                         \
	{                                                   \
		(array), sizeof(array) / sizeof((array)[0]) \
	}
extern const struct part conformance_records, conformance_lists,
	conformance_counters, conformance_queue, conformance_events;
