// SPDX-License-Identifier: Apache-2.0
/*
 * ssml_priv.h - the reader of SSML between its two files: ssml.c knows XML,
 * ssml_elements.c knows what each element and value means.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/span.h"
#include "speech/utterance_priv.h"

enum {
	SSML_DEPTH_MAX = 16,
	SSML_ATTRIBUTES_MAX = 4,
	SSML_VALUE_BYTES = 256,
};

enum ssml_kind {
	SSML_SPEAK,
	SSML_P,
	SSML_S,
	SSML_BREAK,
	SSML_PROSODY,
	SSML_SAY_AS,
	SSML_SUB,
	SSML_EMPHASIS,
};

struct ssml;
struct ssml_frame;

struct ssml_element {
	const char *name;
	enum ssml_kind kind;
	unsigned not_in;           /* bits of kinds that it does not go into */
	const char *attributes[5]; /* NULL-ended */
	int (*open)(struct ssml *s, struct ssml_frame *f); /* or NULL */
};

struct ssml_attribute {
	struct span name;
	char value[SSML_VALUE_BYTES]; /* entities resolved, terminated */
	size_t n;
	const char *where;
};

struct ssml_frame {
	const struct ssml_element *el;
	const char *where; /* its < */
	struct speech_style style;
	bool spelled; /* say-as: character by character */
};

struct ssml {
	const char *begin, *at, *end;
	struct ssml_frame stack[SSML_DEPTH_MAX];
	size_t depth;
	bool done; /* </speak> was read */
	struct ssml_attribute attribute[SSML_ATTRIBUTES_MAX];
	size_t attributes;
	struct buf text;            /* to be said in said_style */
	char held[SPEECH_TEXT_MAX]; /* inside say-as; no longer than all */
	size_t held_n;
	struct speech_style said_style;
	struct utterance *u;
	bool fixed;
	struct diag *d;
};

/* Both return -EINVAL.  The one % of fmt stands for the name. */
int ssml_fail(struct ssml *s, const char *where, const char *what);
int ssml_fail_name(struct ssml *s, const char *where, const char *fmt,
		   struct span name);

MUST_CHECK int ssml_say(struct ssml *s, struct span text);
MUST_CHECK int ssml_flush(struct ssml *s, unsigned gap);
MUST_CHECK int ssml_close(struct ssml *s);

const struct ssml_element *ssml_element(struct span name); /* or NULL */
bool ssml_knows(const struct ssml_element *el, struct span attribute);
/* What </say-as> does with what was held. */
MUST_CHECK int ssml_said_as(struct ssml *s, struct ssml_frame *f);
