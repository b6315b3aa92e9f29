// SPDX-License-Identifier: Apache-2.0
/*
 * polly_priv.h - Amazon Polly between its files: polly.c has the voices and
 * what is asked and answered, polly_http.c the signed request.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "speech/voice_priv.h"

enum {
	POLLY_CODE_BYTES = 16,      /* "en-GB-WLS" */
	POLLY_ERROR_BYTES = 64,     /* "ThrottlingException" */
	POLLY_ANSWER_MAX = 8 << 10, /* bytes of an error's body */
};

/* Connections that are kept between requests; the render thread's. */
struct speech_polly_line;
struct speech_polly_line *speech_polly_line_new(void);
void speech_polly_line_free(struct speech_polly_line *l); /* NULL is fine */

struct speech_polly_answer {
	long status;
	char type[POLLY_ERROR_BYTES];  /* of the body: "audio/pcm" */
	char error[POLLY_ERROR_BYTES]; /* x-amzn-ErrorType, or "" */
	struct buf body;
};

/*
 * POST body, signed, until `deadline`.  0: there is an answer, of whatever
 * status.  -ETIMEDOUT, -ECANCELED, -EIO: there is none; d says why, and nothing
 * that was sent.
 */
struct speech_polly_question {
	const struct speech_polly *polly;
	const char *body;
	const struct voice_limits *limits;
	int64_t deadline; /* monotonic ms */
};
MUST_CHECK int speech_polly_ask(struct speech_polly_line *l,
				const struct speech_polly_question *q,
				struct speech_polly_answer *out,
				struct diag *d);

/* The language of a voice as Amazon writes it, the one that begins with
 * `wanted` where it has several; NULL: it is not in the table. */
const char *speech_polly_code(const char *name, size_t n, const char *wanted);
