// SPDX-License-Identifier: Apache-2.0
/*
 * tap.h - somebody who sits at the telephone and notes every dial.
 *
 * What a record says of a call is the service's word; this is what was dialled
 * in truth, over all lives of a process.  The line thread's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/number.h"
#include "core/verification.h"
#include "tel/tel.h"

struct tap;

struct tap_dial {
	char call_id[VERIFICATION_ID_BYTES], to[NUMBER_BYTES];
	int64_t wall_ms;
};

struct tap *tap_new(struct clock *clock); /* borrowed */
void tap_free(struct tap *t);             /* after its telephones */
/* A telephone that dials with `inner`, which it takes over; what was noted at
 * another one before stays. */
struct tel *tap_put(struct tap *t, struct tel *inner);

size_t tap_count(const struct tap *t);
const struct tap_dial *tap_dial(const struct tap *t, size_t i);
/* How often this call was dialled. */
unsigned tap_dials_of(const struct tap *t, const char *call_id);
