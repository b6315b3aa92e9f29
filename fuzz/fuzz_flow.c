// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_flow.c - any text as a flow: it is judged, and what is judged well is
 * judged the same in its canonical form.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_voice(const char *language, void *ctx)
{
	(void)ctx;
	return language[0] == 'e';
}

static const struct flow_world world = {.has_voice = has_voice};

static void check_canonical(struct span text, size_t findings)
{
	struct flow_findings again;
	AUTO_JSON json_t *doc = NULL;
	struct diag d;

	assert(js_parse(text, &doc, &d) == 0);
	AUTO_FREE char *canonical = flow_canonical(doc);
	struct span canon = span_of(canonical);

	if (canon.n > FLOW_DOCUMENT_MAX)
		return; /* two blanks a level may be too many */
	assert(flow_load(canon, &world, NULL, &again) == 0);
	assert(again.count == findings);
	flow_findings_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_findings findings;
	struct flow *flow = NULL;
	struct span text = span_make(data, size);
	int err = flow_load(text, &world, &flow, &findings);

	assert(err == 0 || err == -EINVAL);
	assert((err == 0) == (findings.errors == 0));
	assert((err == 0) == (flow != NULL));
	assert(findings.count <= FLOW_FINDINGS_MAX);
	if (flow) {
		(void)flow_method(flow);
		assert(strlen(flow_name(flow)) <= FLOW_NAME_MAX);
		check_canonical(text, findings.count);
	}
	flow_unref(flow);
	flow_findings_free(&findings);
	return 0;
}
