// SPDX-License-Identifier: Apache-2.0
/*
 * flow_world.h - what the checker's tests have: our scripts, the voices of
 * their languages, one route; and documents from the fixtures' folder.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "flow/flow.h"
#include "support/test.h"

enum { TEST_PATH_BYTES = 4096 };

static inline void source_path(char out[TEST_PATH_BYTES], const char *below)
{
	const char *root = getenv("VOICEOTP_SOURCE"); /* NOLINT: one thread */

	assert_non_null(root);
	(void)snprintf(out, TEST_PATH_BYTES, "%s/%s", root, below);
}

static inline struct phrases *test_phrases(void)
{
	char path[TEST_PATH_BYTES];
	struct phrases *ph = NULL;
	struct diag d = {0};

	source_path(path, "packaging/prompts");
	assert_int_equal(phrases_load(path, &ph, &d), 0);
	return ph;
}

static inline bool test_has_voice(const char *language, void *ctx)
{
	(void)ctx;
	return strcmp(language, "en") == 0 || strcmp(language, "es") == 0 ||
	       strcmp(language, "de") == 0;
}

static inline bool test_has_route(const char *route, void *ctx)
{
	(void)ctx;
	return strcmp(route, "default") == 0;
}

static inline int test_check_url(const char *url, void *ctx, struct diag *d)
{
	(void)ctx;
	if (strstr(url, "://10."))
		return diag_set(d, "this address may not be asked");
	return 0;
}

static inline struct flow_world test_world(const struct phrases *ph)
{
	return (struct flow_world){.phrases = ph,
				   .has_voice = test_has_voice,
				   .has_route = test_has_route,
				   .check_url = test_check_url};
}

/* The whole file; the caller frees it. */
static inline char *test_read(const char *path, size_t *n)
{
	AUTO_BUF(b, 4 << 20);

	assert_int_equal(file_read(path, &b), 0);
	*n = b.n;
	return buf_take(&b);
}
