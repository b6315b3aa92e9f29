// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_manifest.c - a manifest of recordings: what is read names ten digits and
 * no file outside of its folder.
 */
#include <assert.h>
#include <string.h>

#include "speech/recordings_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct recordings_rows *r)
{
	for (size_t i = 0; i < r->count; i++) {
		assert(r->rows[i].count > 0);
		for (size_t k = 0; k < r->rows[i].count; k++)
			assert(*r->rows[i].files[k] != '/' &&
			       !strstr(r->rows[i].files[k], ".."));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recordings_manifest *m = NULL;
	struct diag d = {0};

	if (speech_manifest_read(span_make(data, size), &m, &d)) {
		assert(d.message[0] != '\0');
		return 0;
	}
	assert(*m->language && m->name);
	for (size_t i = 0; i < 10; i++)
		assert(m->digits[0][i]);
	look_at(&m->phrases);
	look_at(&m->texts);
	speech_manifest_free(m);
	return 0;
}
