// SPDX-License-Identifier: Apache-2.0
/*
 * plivo_sign.h - signatures of callbacks as Plivo's clients check them.
 *
 * The key is the account's auth token.  Version 2 covers the address without
 * its query, version 3 the address and every parameter.  No RFC: what the
 * vendor's clients compute decides, not what its pages say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

enum {
	PLIVO_PAIRS_MAX = 64,
	PLIVO_SIGNATURE_BYTES = 45,  /* base64 of 32 bytes, with NUL */
	PLIVO_SIGNED_MAX = 16 << 10, /* bytes that a signature covers */
};

struct plivo_pair {
	const char *name, *value; /* decoded */
};

/* -EINVAL: not an http address.  -E2BIG: PLIVO_SIGNED_MAX, PLIVO_PAIRS_MAX. */
MUST_CHECK int service_plivo_v2(struct span token, const char *url,
				const char *nonce,
				char out[PLIVO_SIGNATURE_BYTES]);

struct plivo_signed {
	const char *method;            /* "GET" or "POST" */
	const char *url;               /* with its query */
	const struct plivo_pair *form; /* of a POST's body */
	size_t form_count;
	bool without_port; /* as clients that drop it see the address */
};
MUST_CHECK int service_plivo_v3(struct span token,
				const struct plivo_signed *what,
				const char *nonce,
				char out[PLIVO_SIGNATURE_BYTES]);
/* Does the address name a port that is not its scheme's?  Then clients differ
 * in what they sign. */
bool service_plivo_has_port(const char *url);
