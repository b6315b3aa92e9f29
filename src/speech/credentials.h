// SPDX-License-Identifier: Apache-2.0
/*
 * credentials.h - the credentials that open Amazon Polly, as text.
 */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	SPEECH_KEY_BYTES = 132,            /* of an id or a secret, with NUL */
	SPEECH_TOKEN_BYTES = 4096,         /* of a session, with NUL */
	SPEECH_CREDENTIALS_MAX = 64 << 10, /* bytes of a file of them */
};

/* "" where there is none.  crypto_wipe() it. */
struct speech_credentials {
	char key_id[SPEECH_KEY_BYTES], secret[SPEECH_KEY_BYTES];
	char token[SPEECH_TOKEN_BYTES];
};

/*
 * A file as Amazon's own tools write it: `name = value` lines under [default];
 * other sections are others' business.  -EINVAL: d says where and what, never
 * a value.
 */
MUST_CHECK int speech_credentials_read(struct span ini,
				       struct speech_credentials *out,
				       struct diag *d);
/* What stands in each is fit to be sent, and both halves are there. */
MUST_CHECK int speech_credentials_check(const struct speech_credentials *c,
					struct diag *d);
