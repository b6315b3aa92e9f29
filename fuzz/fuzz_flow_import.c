// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_flow_import.c - any text as a drawing from elsewhere: what comes of it
 * is a document that can be written, read, judged and compared.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const json_t *document)
{
	AUTO_FREE char *text = flow_canonical(document);
	struct flow_findings findings;

	(void)!flow_load(span_of(text), NULL, NULL, &findings);
	flow_findings_free(&findings);
}

static void compare(const json_t *document, const json_t *theirs)
{
	AUTO_JSON json_t *same = flow_diff(document, document);
	AUTO_JSON json_t *there = flow_diff(document, theirs);
	AUTO_JSON json_t *back = flow_diff(theirs, document);

	assert(json_array_size(same) == 0);
	assert(json_is_array(there) && json_is_array(back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON json_t *document = NULL;
	AUTO_JSON json_t *report = NULL;
	AUTO_JSON json_t *theirs = NULL;
	struct span text = span_make(data, size);
	struct diag d = {0};
	int err = flow_import(text, &document, &report, &d);

	assert(err == 0 || err == -EINVAL);
	assert((err == 0) == (document != NULL));
	assert((err == 0) == (report != NULL));
	if (err)
		return 0;
	judge(document);
	assert(js_parse(text, &theirs, &d) == 0);
	compare(document, theirs);
	return 0;
}
