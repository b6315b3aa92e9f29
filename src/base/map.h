// SPDX-License-Identifier: Apache-2.0
/*
 * map.h - text to pointer.  One thread; keys are copied, values borrowed.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct map;
typedef void map_each_h(const char *key, void *value, void *ctx);

struct map *map_new(void);
void map_free(struct map *m); /* NULL is fine; the values are not touched */

/* The value; the old value; the old value.  NULL where there is none. */
void *map_get(const struct map *m, const char *key);
void *map_put(struct map *m, const char *key, void *value);
void *map_remove(struct map *m, const char *key);

size_t map_count(const struct map *m);
/* In no order.  The handler may remove the key it is given, and no other. */
void map_each(const struct map *m, map_each_h *each, void *ctx);

CLEANUP(map, map_free)
