// SPDX-License-Identifier: Apache-2.0
/*
 * attr.h - the few compiler promises this code base leans on.
 */
#pragma once

#include <stdlib.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * AUTO(store) *st = NULL;  closes st with store_close() at end of scope,
 * because store.h said CLEANUP(store, store_close).
 * KEEP(st) hands it onward instead: yields the pointer, leaves NULL behind.
 */
#define CLEANUP(type, fn)                                   \
	static inline void type##_cleanup_(struct type **p) \
	{                                                   \
		fn(*p);                                     \
	}
#define AUTO(type) __attribute__((cleanup(type##_cleanup_))) struct type
#define AUTO_FREE __attribute__((cleanup(free_cleanup_)))
#define KEEP(p)                          \
	__extension__({                  \
		__auto_type kept_ = (p); \
		(p) = NULL;              \
		kept_;                   \
	})

static inline void free_cleanup_(void *p)
{
	free(*(void **)p);
}
