// SPDX-License-Identifier: Apache-2.0
/*
 * phlo.c - flows, run the way Plivo's clients run a PHLO.
 *
 * A PHLO's id is a flow's: a published one of the application, or one of those
 * that come with the program.  A run is answered at once, and its call goes on
 * by itself; it is a verification like any other, held by the same guard.  What
 * is told of a run is what became of its calls: nobody checks a code here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/vendor.h"
#include "base/crypto.h"
#include "base/json.h"
#include "service/flows.h"

#define LABEL "plivo.phlo" /* of runs: what else there is, is none */

enum { NUMBER_TEXT_BYTES = NUMBER_TEXT_MAX + 2, ON_BYTES = 40 };

struct running {
	struct web_request *r;
	char flow[VERIFICATION_FLOW_BYTES];
	char account[VENDOR_PLIVO_ID_BYTES];
};

/* --- what it is --------------------------------------------------------------- */

/* As theirs: 2018-11-03 19:32:33.240504+00:00 */
static void created_on(int64_t ms, char out[ON_BYTES])
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	(void)gmtime_r(&s, &tm);
	n = strftime(out, ON_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(out + n, ON_BYTES - n, ".%03d000+00:00",
		       (int)(ms % 1000));
}

static void shown(const struct service_refusal *no,
		  const struct service_flow_answer *a, void *ctx)
{
	struct web_request *r = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char id[VENDOR_UUID_BYTES], on[ON_BYTES];

	if (no) {
		vendor_refuse(r, VENDOR_PHLO, no);
		return;
	}
	if (!a->head->built_in && a->head->published == 0) {
		vendor_problem(r, VENDOR_PHLO, "not_found", NULL, NULL);
		return;
	}
	vendor_uuid_new(id);
	created_on(a->head->created_ms, on);
	buf_printf(&b, "{\"api_id\":\"%s\"", id);
	api_write_text(&b, "phlo_id", a->head->id);
	api_write_text(&b, "name", a->head->name);
	api_write_text(&b, "created_on", on);
	buf_byte(&b, '}');
	api_answer_json(r, 200, &b);
}

void phlo_get(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	char id[VERIFICATION_FLOW_BYTES];
	struct service_flow_ask ask = {.id = id};

	if (!vendor_who(a, r, VENDOR_PHLO, (struct span){0}, SERVICE_VERIFY,
			&ask.who))
		return;
	api_part(r, 0, id, sizeof(id));
	web_defer(r);
	service_flow_read(a->p.service, &ask, shown, r);
}

/* --- a run ---------------------------------------------------------------------- */

/* Clients know a parameter by its name alone. */
static void refuse_run(struct web_request *r, const struct service_refusal *no)
{
	static const char ours[] = "params.";
	struct service_refusal theirs = *no;

	if (strncmp(no->field, ours, sizeof(ours) - 1) == 0)
		(void)snprintf(theirs.field, sizeof(theirs.field), "%s",
			       no->field + sizeof(ours) - 1);
	vendor_refuse(r, VENDOR_PHLO, &theirs);
}

static void ran(const struct service_refusal *no,
		const struct service_view *view, void *ctx)
{
	const struct running *run = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char id[VENDOR_UUID_BYTES];

	if (!view) {
		refuse_run(run->r, no);
		return;
	}
	vendor_uuid(view->v->id, id);
	buf_printf(&b, "{\"api_id\":\"%s\",\"phlo_run_id\":\"%s\"", id, id);
	api_write_text(&b, "phlo_id", run->flow);
	api_write_text(&b, "message", "the flow runs, its call is on the way");
	buf_str(&b, ",\"resource_uri\":");
	{
		AUTO_BUF(uri, API_ANSWER_MAX);

		buf_printf(&uri, "/Account/%s/Phlo/%s/", run->account,
			   run->flow);
		buf_json(&b, buf_view(&uri));
	}
	buf_byte(&b, '}');
	api_answer_json(run->r, 201, &b);
}

static bool number(struct web_request *r, const json_t *body, const char *name,
		   char out[NUMBER_TEXT_BYTES])
{
	if (vendor_text(body, name, out, NUMBER_TEXT_BYTES))
		return true;
	vendor_problem(r, VENDOR_PHLO, "invalid_field", name,
		       "a phone number is expected");
	return false;
}

/* Ruby's +15671234567 is a number, and comes without its plus. */
static void add_plus(char text[NUMBER_TEXT_BYTES])
{
	size_t n = strlen(text);

	if (n == 0 || !strchr("0123456789(", text[0]) ||
	    n + 2 > NUMBER_TEXT_BYTES)
		return; /* "+", or none */
	memmove(text + 1, text, n + 1);
	text[0] = '+';
}

/* May hold a code. */
static void forget(json_t *body, char *text)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
	{
		union {
			const char *theirs;
			char *ours; /* nobody else has it: vendor_body() */
		} held = {.theirs = json_string_value(value)};

		if (held.ours)
			crypto_wipe(held.ours, json_string_length(value));
	}
	json_decref(body);
	if (text)
		crypto_wipe(text, strlen(text));
	free(text);
}

static void start(struct api *a, struct running *run,
		  struct service_create *req, const json_t *body)
{
	char to[NUMBER_TEXT_BYTES], from[NUMBER_TEXT_BYTES];

	if (!number(run->r, body, "to", to) ||
	    !number(run->r, body, "from", from))
		return;
	add_plus(to);
	add_plus(from);
	req->flow = run->flow;
	req->to = *to ? to : NULL;
	req->from = *from ? from : NULL;
	web_defer(run->r);
	service_create(a->p.service, req, ran, run);
}

void phlo_run(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct service_create req = {.purpose = "login",
				     .label = LABEL,
				     .short_id = true,
				     .more_params = true,
				     .no_client = true};
	struct running *run;
	json_t *body;
	char *params;

	if (!vendor_who(a, r, VENDOR_PHLO, web_part(r, 0), SERVICE_VERIFY,
			&req.who))
		return;
	body = vendor_body(r, VENDOR_PHLO, false);
	if (!body)
		return;
	run = web_alloc(r, sizeof(*run));
	run->r = r;
	api_part(r, 1, run->flow, sizeof(run->flow));
	vendor_plivo_account(a, req.who.application, run->account);
	params = js_text(body);
	req.params = params;
	start(a, run, &req, body);
	forget(body, params);
}

/* --- what became of a run ---------------------------------------------------------- */

struct looking {
	struct web_request *r;
	char flow[VERIFICATION_FLOW_BYTES], run[SERVICE_SHORT_BYTES];
};

static const char *status_of(const struct verification *v)
{
	const struct verification_leg *last =
		v->legs_count > 0 ? &v->legs[v->legs_count - 1] : NULL;

	if (!last || last->state == VERIFICATION_LEG_QUEUED)
		return v->status == STATUS_PENDING ? "queued" : "completed";
	return last->state == VERIFICATION_LEG_ENDED ? "completed"
						     : "in-progress";
}

/* Of its last call; NULL while none has ended. */
static const struct verification_leg *last_ended(const struct verification *v)
{
	for (size_t i = v->legs_count; i > 0; i--)
		if (v->legs[i - 1].state == VERIFICATION_LEG_ENDED)
			return &v->legs[i - 1];
	return NULL;
}

static void write_run(struct buf *b, const struct verification *v)
{
	const struct verification_leg *leg = last_ended(v);
	char id[VENDOR_UUID_BYTES], on[ON_BYTES];

	vendor_uuid_new(id);
	buf_printf(b, "{\"api_id\":\"%s\"", id);
	vendor_uuid(v->id, id);
	api_write_text(b, "run_id", id);
	api_write_text(b, "phlo_run_id", id);
	api_write_text(b, "phlo_id", v->flow);
	api_write_text(b, "status", status_of(v));
	api_write_text_or_null(b, "outcome",
			       leg ? outcome_leg_text(leg->outcome) : "");
	created_on(v->created_ms, on);
	api_write_text(b, "created_on", on);
	buf_str(b, ",\"call_uuids\":[");
	for (size_t i = 0; i < v->legs_count; i++) {
		vendor_uuid(v->legs[i].id, id);
		buf_printf(b, "%s\"%s\"", i > 0 ? "," : "", id);
	}
	buf_str(b, "],\"message_uuids\":[],\"recording_ids\":[]}");
}

static void looked(const struct service_refusal *no,
		   const struct service_view *view, void *ctx)
{
	const struct looking *l = ctx;
	struct buf b = {.max = API_ANSWER_MAX};
	char id[SERVICE_SHORT_BYTES];

	if (!view) {
		vendor_refuse(l->r, VENDOR_PHLO, no);
		return;
	}
	service_short_id(view->v->id, id);
	/* a call's id leads to its run, and is none; nor is another flow's */
	if (strcmp(id, l->run) != 0 || strcmp(view->v->flow, l->flow) != 0) {
		vendor_problem(l->r, VENDOR_PHLO, "not_found", NULL, NULL);
		return;
	}
	write_run(&b, view->v);
	api_answer_json(l->r, 200, &b);
}

void phlo_read(struct web_request *r, void *ctx)
{
	struct api *a = ctx;
	struct looking *l = web_alloc(r, sizeof(*l));
	struct service_find find = {.label = LABEL};

	if (!vendor_who(a, r, VENDOR_PHLO, (struct span){0}, SERVICE_VERIFY,
			&find.who))
		return;
	if (!vendor_uuid_read(web_part(r, 1), l->run)) {
		vendor_problem(r, VENDOR_PHLO, "not_found", NULL, NULL);
		return;
	}
	l->r = r;
	api_part(r, 0, l->flow, sizeof(l->flow));
	find.short_id = l->run;
	web_defer(r);
	service_find(a->p.service, &find, looked, l);
}
