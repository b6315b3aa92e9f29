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
/* A refusal, with what an answer has to say about it. */
void api_refuse_flow(struct web_request *r, const struct service_refusal *no,
		     const struct service_flow_answer *a);
