// SPDX-License-Identifier: Apache-2.0
/*
 * flow_web.c - what an http node of a run asks of the world outside.
 *
 * By the one way out that this program has, so what a flow's author wrote is
 * resolved once and refused where it leads inside.  `sign` puts the headers of
 * the application's webhooks on it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/flow_web_priv.h"
#include "service/hooks.h"
#include "web/outbound.h"

enum {
	HEADERS = OUTBOUND_HEADERS_MAX,
	OWN_HEADERS = 4,
	ABOUT_BYTES = STORE_ID_MAX + 32
};

static void tell(struct service_web *w, const struct flow_http_answer *a)
{
	flow_http_h *done = w->done;

	w->call = NULL;
	w->done = NULL;
	done(w->run, a);
}

static void answered(const struct outbound_answer *got, void *ctx)
{
	const struct flow_http_answer a = {
		.status = got->fault == OUTBOUND_ANSWERED ? got->status : 0,
		.timeout = got->fault == OUTBOUND_TIMEOUT,
		.unasked = got->fault == OUTBOUND_REFUSED ||
			   got->fault == OUTBOUND_BAD_URL,
		.why = got->fault == OUTBOUND_ANSWERED
			       ? ""
			       : outbound_fault_text(got->fault),
		.body = got->body,
	};

	tell(ctx, &a);
}

static void unasked(void *ctx)
{
	tell(ctx,
	     &(struct flow_http_answer){.unasked = true, .why = "not_sent"});
}

static size_t copy_headers(const struct flow_http *ask,
			   struct outbound_header *out)
{
	size_t n = 0;

	for (const struct flow_http_header *h = ask->headers;
	     h && h->name && n + OWN_HEADERS < HEADERS; h++)
		out[n++] = (struct outbound_header){h->name, h->value};
	if (ask->type && *ask->type && ask->body.n > 0)
		out[n++] = (struct outbound_header){"Content-Type", ask->type};
	return n;
}

/* A receiver may remember ids and refuse what it has seen, so each question has
 * one of its own. */
static int sign(struct service_web *w, const struct service_web_name *name,
		struct span body, struct service_hook_signature *out)
{
	char about[ABOUT_BYTES];

	(void)snprintf(about, sizeof(about), "%s http %u", name->about,
		       ++w->signs);
	return service_hook_sign(w->sv, name->application, about, body, out);
}

static int send_it(struct service_web *w, const struct service_web_name *name,
		   const struct flow_http *ask)
{
	struct outbound_header headers[HEADERS + 1] = {{0}};
	struct service_hook_signature s;
	size_t n = copy_headers(ask, headers);
	int err = 0;

	if (!w->sv->p.outbound)
		return -ENOTCONN;
	if (ask->sign) {
		err = sign(w, name, ask->body, &s);
		headers[n++] = (struct outbound_header){"webhook-id", s.id};
		headers[n++] = (struct outbound_header){"webhook-timestamp",
							s.timestamp};
		headers[n++] = (struct outbound_header){"webhook-signature",
							s.signature};
	}
	if (err)
		return err;
	outbound_send(w->sv->p.outbound,
		      &(struct outbound_request){
			      .method = ask->method,
			      .url = ask->url,
			      .headers = headers,
			      .body = ask->body,
			      .timeout_ms = ask->timeout_ms,
			      .answer_max = SERVICE_WEB_ANSWER_MAX,
		      },
		      w->loop, answered, w, &w->call);
	return 0;
}

void service_web_ask(struct service_web *w, const struct service_web_name *name,
		     struct flow_run *run, const struct flow_http *ask,
		     flow_http_h *done)
{
	service_web_drop(w);
	w->run = run;
	w->done = done;
	if (send_it(w, name, ask) != 0)
		timer_set(loop_timers(w->loop), &w->unasked, 0, unasked, w);
}

void service_web_drop(struct service_web *w)
{
	outbound_cancel(w->call);
	w->call = NULL;
	if (w->loop)
		timer_stop(loop_timers(w->loop), &w->unasked);
	w->done = NULL;
}
