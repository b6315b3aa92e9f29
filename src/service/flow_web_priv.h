// SPDX-License-Identifier: Apache-2.0
/*
 * flow_web_priv.h - the question of a run to somebody outside.
 */
#pragma once

#include "service/service_priv.h"

enum { SERVICE_WEB_ANSWER_MAX = 256 << 10 }; /* bytes */

/* One question at a time, as a run has one node at a time.  Its owner sets sv
 * and loop. */
struct service_web {
	struct service *sv;
	struct loop *loop;
	struct flow_run *run;
	flow_http_h *done;
	struct outbound_call *call; /* NULL: none is out */
	struct timer unasked;
	unsigned signs; /* questions so far that were signed */
};
struct service_web_name {
	const char *application; /* whose secret signs */
	const char *about;       /* the run: its questions are counted */
};
void service_web_ask(struct service_web *w, const struct service_web_name *name,
		     struct flow_run *run, const struct flow_http *ask,
		     flow_http_h *done);
void service_web_drop(struct service_web *w); /* no done any more */
