// SPDX-License-Identifier: Apache-2.0
/*
 * powercut.h - a disk for sqlite whose power can fail, and which can be full.
 *
 * Files are the real ones while the power is on.  Beside each stands what
 * would be left of it: what was synced, and in order what was written since.
 * When the power fails, every unsynced write is lost, or kept, or torn at
 * sectors, each by a seeded draw; a file that was never synced may be gone,
 * one that was deleted may be back; shared memory is lost.
 *
 * One disk at a time, as a VFS of sqlite's named "powercut".  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"

struct powercut;

struct powercut *powercut_new(void);     /* registers the VFS */
void powercut_free(struct powercut *pc); /* after all files are closed */

/* The power fails at the n-th write, sync, truncation or deletion from now (1:
 * at the next); 0: not at all. */
void powercut_after(struct powercut *pc, uint64_t n);
bool powercut_is_off(struct powercut *pc);
/* Steps so far, of the kinds that powercut_after() counts. */
uint64_t powercut_steps(struct powercut *pc);

/* Lays out what is left, and the power is on.  All files must be closed.  A
 * power that did not fail yet fails first. */
void powercut_back(struct powercut *pc, struct rng *rng);

/* Files may grow by so many bytes together; -1: no limit. */
void powercut_space(struct powercut *pc, int64_t bytes);
