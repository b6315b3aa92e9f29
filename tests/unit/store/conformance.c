// SPDX-License-Identifier: Apache-2.0
/*
 * conformance.c - the promises of store.h, one test each.
 *
 * Nothing here knows which driver it holds, and the clock is the test's.
 */
#include "unit/store/conformance.h"

#include <stdlib.h>
#include <string.h>

#include "unit/store/conformance_priv.h"

enum { TESTS_MAX = 200 };

static const struct conformance *driver;

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->clock = clock_manual(START);
	f->st = driver->open(f->clock, driver->ctx);
	f->page = calloc(1, sizeof(*f->page));
	f->events = calloc(1, sizeof(*f->events));
	f->leases = calloc(1, sizeof(*f->leases));
	*state = f;
	return f->st ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	driver->close(f->st, driver->ctx);
	clock_free(f->clock);
	free(f->page);
	free(f->events);
	free(f->leases);
	free(f);
	return 0;
}

int conformance_run(const struct conformance *how)
{
	const struct part *const parts[] = {
		&conformance_records,  &conformance_lists,
		&conformance_counters, &conformance_queue,
		&conformance_events,
	};
	struct CMUnitTest tests[TESTS_MAX];
	size_t n = 0;

	for (size_t p = 0; p < COUNT_OF(parts); p++) {
		assert_true(n + parts[p]->count <= TESTS_MAX);
		for (size_t i = 0; i < parts[p]->count; i++) {
			tests[n] = parts[p]->tests[i];
			tests[n].setup_func = setup;
			tests[n++].teardown_func = teardown;
		}
	}
	driver = how;
	return _cmocka_run_group_tests(how->name, tests, n, NULL, NULL);
}
