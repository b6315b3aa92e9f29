// SPDX-License-Identifier: Apache-2.0
/*
 * clock.h - two times: mono_ms for timers, wall_ms for what is stored.
 *
 * Wall time is milliseconds since 1970-01-01T00:00:00Z and never runs
 * backwards within a process, whatever is done to the machine's clock.
 * Tests own a manual clock.  May be read from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct clock;

struct clock *clock_real(void); /* one for the process; never freed */

struct clock *clock_manual(int64_t wall_ms);     /* mono starts at 1,000,000 */
void clock_advance(struct clock *c, int64_t ms); /* manual clocks only */
void clock_free(struct clock *c); /* NULL and the real one are fine */

int64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_ms(const struct clock *c);
int clock_is_manual(const struct clock *c);

/* RFC 3339 in UTC with milliseconds: "2026-01-31T09:05:07.250Z". */
enum { CLOCK_TEXT_BYTES = 32 };
void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_BYTES]);
/* The reverse; also without fraction, and with an offset.  -EINVAL. */
MUST_CHECK int clock_parse(const char *text, int64_t *wall_ms);

CLEANUP(clock, clock_free)
