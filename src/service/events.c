// SPDX-License-Identifier: Apache-2.0
/*
 * events.c - what happened to one verification, or to all of an application;
 * and the steps of flows, which nobody keeps.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

enum { STEP_EVENT_MAX = FLOW_TRACE_MAX + 1024 };

struct following {
	struct service *sv;
	store_events_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES], id[VERIFICATION_ID_BYTES];
	char cursor[STORE_CURSOR_BYTES];
	size_t max;
	int err;
};

static void fail(struct following *f, int err)
{
	f->done(err, NULL, 0, f->ctx);
	free(f);
}

static void fail_posted(void *ctx)
{
	struct following *f = ctx;

	fail(f, f->err);
}

static void fail_soon(struct following *f, int err)
{
	f->err = err;
	loop_call(f->sv->p.line, fail_posted, f);
}

static void follow(struct following *f, const char *topic)
{
	int err = store_follow(f->sv->p.store, topic, f->cursor, f->max,
			       f->done, f->ctx);

	if (err)
		fail_soon(f, err);
	else
		free(f);
}

/* Is it theirs? */
static void found(int err, const struct store_record *records, size_t count,
		  const char *next, void *ctx)
{
	struct following *f = ctx;
	struct verification v = {0};

	(void)next;
	if (!err)
		err = count ? verification_unpack(records->value, &v) : -ENOENT;
	if (!err && strcmp(v.application, f->application) != 0)
		err = -ENOENT;
	verification_free(&v);
	if (err)
		fail(f, err);
	else
		follow(f, f->id);
}

void service_events(struct service *sv, const struct service_follow *req,
		    store_events_h *done, void *ctx)
{
	struct following *f = b_zero(1, sizeof(*f));
	struct service_place place;
	int err;

	f->sv = sv;
	f->done = done;
	f->ctx = ctx;
	f->max = req->max;
	memcpy(f->application, req->who.application, sizeof(f->application));
	(void)snprintf(f->cursor, sizeof(f->cursor), "%s",
		       req->cursor ? req->cursor : "");
	if (!req->id) {
		follow(f, f->application);
		return;
	}
	service_place_find(sv->p.ring, f->application, req->id, &place);
	(void)snprintf(f->id, sizeof(f->id), "%s", req->id);
	err = place.well_formed
		      ? store_get(sv->p.store, place.partition,
				  SERVICE_KIND_VERIFICATION, f->id, found, f)
		      : -ENOENT;
	if (err)
		fail_soon(f, err);
}

/* --- steps ----------------------------------------------------------------------- */

void service_on_step(struct service *sv, service_step_h *told,
		     const atomic_uint *listening, void *ctx)
{
	sv->stepped_ctx = ctx;
	sv->listening = listening;
	sv->stepped = told;
}

void service_step_tell(struct service *sv, const struct verification *v,
		       const char *call_id, const char *json)
{
	AUTO_BUF(b, STEP_EVENT_MAX);
	char when[CLOCK_TEXT_BYTES];

	if (!sv->stepped || atomic_load(sv->listening) == 0)
		return;
	clock_text(clock_wall_ms(sv->p.clock), when);
	buf_printf(&b, "{\"id\":\"%s\",\"type\":\"run.step\"", v->id);
	buf_printf(&b, ",\"time\":\"%s\",\"flow\":", when);
	buf_json(&b, span_of(v->flow));
	buf_printf(&b, ",\"version\":%u,\"call\":{\"id\":\"%s\"}",
		   v->flow_version, call_id);
	buf_printf(&b, ",\"step\":%s}", json);
	if (b.err)
		return;
	sv->stepped(&(struct service_step){.application = v->application,
					   .verification = v->id,
					   .json = buf_view(&b)},
		    sv->stepped_ctx);
}
