// SPDX-License-Identifier: Apache-2.0
/*
 * contract.h - docs/openapi.yaml, as a judge of real answers.
 *
 * As much of OpenAPI 3.1 and JSON Schema as the file uses; a keyword that is
 * not known here fails the test, so that nothing in the file goes unchecked.
 */
#pragma once

#include <jansson.h>

#include "base/span.h"

struct contract;

/* The file, from the source tree. */
struct contract *contract_open(void);
void contract_free(struct contract *c); /* NULL is fine */

/*
 * An answer to `method` on `path` (without its query): is its status listed,
 * and its body as its schema says?  What is wrong fails the test.
 */
void contract_hold(struct contract *c, const char *method, const char *path,
		   int status, const char *type, struct span body);
/* Is a JSON text as a schema of components says? */
void contract_hold_schema(struct contract *c, const char *schema,
			  struct span json);
/* Fails unless every status of every path was held at least once: of those that
 * begin with prefix, or of all others. */
void contract_held_below(const struct contract *c, const char *prefix,
			 bool below);
/* A schema of components. */
json_t *contract_schema(const struct contract *c, const char *name);
