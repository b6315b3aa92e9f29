// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_hook.c - the record of who was told, as a damaged store would give it.
 *
 * What was believed must be writable, and be the same when it is read again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "service/hook_record.h"

enum { RECORD_MAX = 32 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

static void read_back(const struct hook *h, struct hook *back)
{
	AUTO_BUF(once, RECORD_MAX);
	AUTO_BUF(again, RECORD_MAX);

	service_hook_pack(h, &once);
	assert(once.err == 0);
	assert(service_hook_unpack(buf_view(&once), back) == 0);
	service_hook_pack(back, &again);
	assert(same(&once, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hook *h = b_zero(1, sizeof(*h)), *back = b_zero(1, sizeof(*h));

	if (service_hook_unpack(span_make(data, size), h) == 0) {
		assert(h->tries_count <= SERVICE_HOOK_TRIES_MAX);
		read_back(h, back);
	}
	free(h);
	free(back);
	return 0;
}
