// SPDX-License-Identifier: Apache-2.0
/*
 * trunks.h - telephones of a world that stand for trunks: with places, with
 * faults, up or down as the test says.
 */
#pragma once

#include "support/world.h"

enum { TRUNKS_MAX = 4, TRUNK_DIALS_MAX = 64 };

struct trunk {
	struct world *w;
	char name[ROUTING_NAME_BYTES];
	struct tel *tel; /* the world's */
	enum tel_script script;
	bool at_fault; /* then every call of it ends like that: */
	struct tel_script_fault fault;
	enum tel_state state; /* trunk_turns() */
	const struct tel_record *record;
	/* what was dialled, in order */
	unsigned dials;
	char dialled[TRUNK_DIALS_MAX][NUMBER_BYTES];
	int64_t dialled_ms[TRUNK_DIALS_MAX]; /* wall */
};

struct trunks {
	struct world *w;
	struct trunk at[TRUNKS_MAX];
	size_t count;
	struct routing *routing;
};

struct trunks *trunks_new(struct world *w);
void trunks_free(struct trunks *t); /* after the world */

/* Fixtures of a test: *state is a struct trunks whose service does not run yet;
 * the world's number limits are off. */
int trunks_setup(void **state);
int trunks_teardown(void **state);

/* Before trunks_start(): a trunk whose people listen. */
struct trunk *trunks_add(struct trunks *t, const char *name,
			 const struct tel_limits *limits);
/* Numbers of this prefix, over all of them in that order. */
void trunks_route(struct trunks *t, const char *prefix);
void trunks_start(struct trunks *t); /* every number; and the service */

void trunk_faults(struct trunk *t, int sip_code, int q850);
/* The driver's word and the news that go with it. */
void trunk_turns(struct trunk *t, enum tel_state state);
