// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_record.c - records as a damaged store would give them.
 *
 * What was believed must be writable, and be the same when it is read again;
 * and the life that goes on from it must hold its own bounds.
 */
#include <assert.h>
#include <string.h>

#include "core/verification.h"

enum { RECORD_MAX = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever state it is in, it takes a check and an end. */
static void live(struct verification *v)
{
	struct verification_attempt a = {
		.code = "1", .expected = "2", .epoch = v->epoch};
	struct verification_number n = {0};
	unsigned left;

	(void)verification_check(v, &n, &a, v->created_ms, &left);
	assert(left <= v->wrong_max);
	(void)verification_may_call(v, v->created_ms);
	(void)verification_expire(v, &n, v->expires_ms);
	assert(v->status != STATUS_PENDING);
}

static void verification(struct span record)
{
	AUTO_BUF(b, RECORD_MAX);
	AUTO_BUF(again, RECORD_MAX);
	struct verification v, w;

	if (verification_unpack(record, &v) != 0)
		return;
	verification_pack(&v, &b);
	assert(b.err == 0);
	assert(verification_unpack(buf_view(&b), &w) == 0);
	verification_pack(&w, &again);
	assert(b.n == again.n && memcmp(b.p, again.p, b.n) == 0);
	live(&v);
	verification_free(&v);
	verification_free(&w);
}

static void number(struct span record)
{
	AUTO_BUF(b, RECORD_MAX);
	struct verification v = {.id = "ver_1"};
	struct verification_number n, m;
	int64_t retry;

	if (verification_number_unpack(record, &n) != 0)
		return;
	verification_number_pack(&n, &b);
	assert(b.err == 0);
	assert(verification_number_unpack(buf_view(&b), &m) == 0);
	(void)verification_create(&v, &n, 1700000000000, &retry);
	assert(n.live_count <= VERIFICATION_LIVE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	verification(span_make(data, size));
	number(span_make(data, size));
	return 0;
}
