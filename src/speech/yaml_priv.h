// SPDX-License-Identifier: Apache-2.0
/*
 * yaml_priv.h - YAML that people edit, event by event, for the readers of
 * scripts and of recordings.
 *
 * What is wrong is said with line and column, and what libyaml would quietly
 * accept (an alias, a tag) is an error here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

struct speech_yaml {
	yaml_parser_t parser;
	yaml_event_t event;
	bool have; /* an event that must be deleted */
	struct diag *d;
};

/* The text is borrowed until the end. */
MUST_CHECK int speech_yaml_begin(struct speech_yaml *y, struct span text,
				 struct diag *d);
void speech_yaml_end(struct speech_yaml *y);

/* All return -EINVAL, or what went wrong. */
int speech_yaml_at(struct speech_yaml *y, const char *what);
int speech_yaml_at_name(struct speech_yaml *y, const char *name,
			const char *what);
MUST_CHECK int speech_yaml_next(struct speech_yaml *y);
MUST_CHECK int speech_yaml_expect(struct speech_yaml *y, yaml_event_type_t type,
				  const char *what);
/* The scalar that is the current event, as text of 1 to max bytes; borrowed
 * until the next event. */
MUST_CHECK int speech_yaml_text(struct speech_yaml *y, size_t max,
				const char **out);
/* The same of the next event. */
MUST_CHECK int speech_yaml_next_text(struct speech_yaml *y, size_t max,
				     const char **out);
/* The next event as a language, as scripts name it: "en". */
enum { SPEECH_YAML_LANGUAGE_BYTES = 4 };
MUST_CHECK int speech_yaml_language(struct speech_yaml *y,
				    char out[SPEECH_YAML_LANGUAGE_BYTES]);

/* One key of a file's only mapping: reads what stands behind it. */
struct speech_yaml_key {
	const char *name;
	int (*read)(void *ctx);
	bool required;
};
/* The whole document: a mapping of these keys (at most 32), each once. */
MUST_CHECK int speech_yaml_document(struct speech_yaml *y,
				    const struct speech_yaml_key *keys,
				    size_t n, void *ctx);
