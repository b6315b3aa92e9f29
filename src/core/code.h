// SPDX-License-Identifier: Apache-2.0
/*
 * code.h - the one-time code: derived, never stored (A1, A6, A7).
 *
 * HMAC over everything that the code is bound to gives a stream of bytes, from
 * which uniform digits are drawn by rejection.  Any node with the ring can
 * speak it and check it; a copy of the database holds no codes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/keyring.h"

enum {
	CODE_DIGITS_MAX = 10,
	CODE_DIGITS_MIN = 4, /* below 6 only where a setting says so */
	CODE_BYTES = CODE_DIGITS_MAX + 1,
	CODE_NONCE_BYTES = 16,
};

/* Texts may be NULL or "" where there is none; each is length-prefixed, so no
 * two different bindings are the same bytes. */
struct code_binding {
	const char *key_id; /* of the ring */
	const char *application, *verification;
	const uint8_t *nonce; /* CODE_NONCE_BYTES */
	const char *number, *purpose;
	const char *amount, *currency, *payee;
};

/*
 * `even`: no two adjacent digits are equal (A9), for one digit more.
 * -ENOKEY: the ring has no such key.  -EINVAL: length out of range.  Wipe `out`
 * after use.
 */
MUST_CHECK int code_derive(const struct keyring *ring,
			   const struct code_binding *b, unsigned length,
			   bool even, char out[CODE_BYTES]);

/*
 * Digits of `length` drawn from a source: the human check's, B4.  Each is from
 * 1 to 8, all equally likely and independent: 8^3 = 512 triples is what a
 * recorded greeting is up against, and a rule about neighbours would leave 392.
 */
struct rng;
void code_human(struct rng *r, unsigned length, char *out);
