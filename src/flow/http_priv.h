// SPDX-License-Identifier: Apache-2.0
/*
 * http_priv.h - the JSON that an http node sends, and the JSON that it gets.
 */
#pragma once

#include "flow/flow_priv.h"

enum {
	FLOW_BODY_MAX = 32 << 10,   /* bytes of a request's body */
	FLOW_ANSWER_MAX = 64 << 10, /* ... of an answer's, to be read */
	FLOW_OPEN_MAX = 32,         /* values of an answer that are named */
};

/* JSON with templates in its texts. */
struct flow_body;

/* The member, or NULL: it has none. */
struct flow_body *flow_body_at(const struct flow_at *at, const json_t *o,
			       const char *key);
/* -E2BIG: it grew over FLOW_BODY_MAX, or a value did over its own limit. */
MUST_CHECK int flow_body_fill(struct flow_run *run, const struct flow_body *b,
			      struct buf *out);

/* What the flow's templates name of an answer is put into the node's values;
 * what the answer has not, or is no text, number or bool, is not set. */
void flow_body_read(struct flow_run *run, struct span answer);
void flow_body_forget(struct flow_run *run); /* all of them: not set */
