// SPDX-License-Identifier: Apache-2.0
/*
 * flows_priv.h - flows as the API shows them.
 */
#pragma once

#include "api/api_priv.h"
#include "service/flows.h"

/* An object; flow_findings as an array. */
void api_write_flow(struct buf *b, const struct service_flow_head *h);
void api_write_flow_version(struct buf *b,
			    const struct service_flow_version *v);
void api_write_findings(struct buf *b, const struct flow_findings *f);
/* Parts 0 and 1 of the path, as a flow and a run of it; the texts are whole
 * names' copies in `n`. */
struct api_run_name {
	struct service_run_name name;
	char flow[VERIFICATION_ID_BYTES], id[SERVICE_RUN_ID_BYTES];
};
/* Who asks, and for what; otherwise false, and answered. */
bool api_run_name(struct api *a, struct web_request *r,
		  struct api_run_name *out);
/* A refusal, with what an answer has to say about it. */
void api_refuse_flow(struct web_request *r, const struct service_refusal *no,
		     const struct service_flow_answer *a);
