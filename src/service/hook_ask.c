// SPDX-License-Identifier: Apache-2.0
/*
 * hook_ask.c - the application is asked before its number is called (E7).
 *
 * Once for each dial that the flow wants, not for each route.  The answer is
 * waited for while nothing is committed: the call can still expire, be canceled
 * or go to another node, and then the question is given up.  An answer that
 * comes too late for a dial (A2) is refused by the change that would commit it.
 *
 * What the application says is the end of it: a denied verification has failed,
 * and is not called again.  Its words stand in the event, with longer numbers
 * blotted out.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "service/attempt_priv.h"
#include "service/hook_priv.h"
#include "web/outbound.h"

enum {
	BODY_MAX = 8 << 10,
	ANSWER_MAX = 16 << 10,
	DIGITS_SHOWN = 3, /* in a row, of a reason */
	ABOUT_BYTES = STORE_ID_MAX + 32,
};

/* --- the question ---------------------------------------------------------------- */

static void member(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	if (*value)
		buf_json(b, span_of(value));
	else
		buf_str(b, "null");
}

static size_t number_of(const struct attempt *a)
{
	return a->v.legs_count + (a->state == ATTEMPT_CALLING);
}

static void write_question(const struct attempt *a, struct buf *b)
{
	const struct verification *v = &a->v;

	buf_str(b, "{\"type\":\"call.asked\"");
	member(b, "id", v->id);
	member(b, "to", a->number);
	member(b, "country", v->country);
	member(b, "purpose", v->purpose);
	member(b, "flow", v->flow);
	member(b, "client_ip", v->client_net);
	buf_printf(b, ",\"attempt\":%zu}", number_of(a));
}

/* The same question, asked again after a crash, has the same id; the next one
 * of the call has another. */
static int sign(const struct attempt *a, struct span body,
		struct service_hook_signature *out)
{
	char about[ABOUT_BYTES];

	(void)snprintf(about, sizeof(about), "%s asked %zu", a->lease.id,
		       number_of(a));
	return service_hook_sign(a->sv, a->v.application, about, body, out);
}

/* --- the answer -------------------------------------------------------------------- */

/* People's words, of which no number can be read. */
static void keep_reason(struct attempt *a, const char *text)
{
	size_t digits = 0, n = 0;

	if (!span_utf8(span_of(text)))
		text = "";
	for (const char *c = text; *c && n + 1 < sizeof(a->asking.reason);
	     c++) {
		bool digit = isdigit((unsigned char)*c);

		/* people write blanks and the like between */
		if (digit)
			digits++;
		else if (!strchr(" -().", *c))
			digits = 0;
		a->asking.reason[n] = *c;
		if (digit && digits > DIGITS_SHOWN)
			a->asking.reason[n] = '#';
		n++;
	}
	while (n > 0 && ((unsigned char)a->asking.reason[n - 1] & 0x80))
		n--; /* it may have been cut in the middle of a character */
	a->asking.reason[n] = '\0';
}

enum said { ALLOW, DENY, NONSENSE };

static enum said read_answer(struct attempt *a, struct span text)
{
	AUTO_JSON json_t *o = NULL;
	const char *action = NULL, *reason = "";
	struct diag d = {0};

	if (text.n == 0 || js_parse(text, &o, &d) != 0 || !json_is_object(o))
		return NONSENSE;
	action = json_string_value(json_object_get(o, "action"));
	if (!action)
		return NONSENSE;
	if (strcmp(action, "allow") == 0)
		return ALLOW;
	if (strcmp(action, "deny") != 0)
		return NONSENSE;
	if (json_is_string(json_object_get(o, "reason")))
		reason = json_string_value(json_object_get(o, "reason"));
	keep_reason(a, reason);
	return DENY;
}

static void deny(struct attempt *a, const char *why)
{
	atomic_fetch_add(&a->sv->hooks->figures.denied, 1);
	log_info("call.denied", "id", LOG_S(a->v.id), "why", LOG_S(why), NULL);
	a->asking.denied = true;
	a->dial_no = -EPERM;
	a->routes.done(a->run, -EPERM, 0);
}

static void no_answer(struct attempt *a, const char *why)
{
	struct service_app app = {0};

	atomic_fetch_add(&a->sv->hooks->figures.unanswered, 1);
	log_warn("call.not_answered_for", "id", LOG_S(a->v.id), "why",
		 LOG_S(why), NULL);
	(void)service_app_find(a->sv, a->v.application, &app);
	if (app.ask_deny) {
		keep_reason(a, "the application did not answer");
		deny(a, why);
	} else {
		service_attempt_go_on(a);
	}
}

static void answered(const struct outbound_answer *got, void *ctx)
{
	struct attempt *a = ctx;
	enum said said = NONSENSE;

	a->asking.call = NULL;
	if (got->fault == OUTBOUND_ANSWERED && got->status == 200)
		said = read_answer(a, got->body);
	if (said == ALLOW)
		service_attempt_go_on(a);
	else if (said == DENY)
		deny(a, "application");
	else
		no_answer(a, got->fault == OUTBOUND_ANSWERED
				     ? "nonsense"
				     : outbound_fault_text(got->fault));
}

/* --- asking ------------------------------------------------------------------------ */

static void unasked(void *ctx)
{
	struct attempt *a = ctx;

	no_answer(a, "not_sent");
}

static void send_question(struct attempt *a, const struct service_app *app)
{
	AUTO_BUF(body, BODY_MAX);
	struct service_hook_signature s;
	int err;

	write_question(a, &body);
	err = body.err ? body.err : sign(a, buf_view(&body), &s);
	if (err) {
		timer_set(loop_timers(a->sv->p.line), &a->asking.unasked, 0,
			  unasked, a);
		return;
	}
	outbound_send(
		a->sv->p.outbound,
		&(struct outbound_request){
			.method = "POST",
			.url = app->ask,
			.headers =
				(const struct outbound_header[]){
					{"Content-Type", "application/json"},
					{"webhook-id", s.id},
					{"webhook-timestamp", s.timestamp},
					{"webhook-signature", s.signature},
					{NULL, NULL}},
			.body = buf_view(&body),
			.timeout_ms = app->ask_ms,
			.answer_max = ANSWER_MAX,
		},
		a->sv->p.line, answered, a, &a->asking.call);
	crypto_wipe(body.p, body.n);
}

bool service_attempt_ask(struct attempt *a)
{
	struct service_app app;

	if (!a->sv->p.outbound ||
	    !service_app_find(a->sv, a->v.application, &app) || !app.ask[0])
		return false;
	atomic_fetch_add(&a->sv->hooks->figures.asked, 1);
	send_question(a, &app);
	return true;
}

void service_attempt_ask_no_more(struct attempt *a)
{
	timer_stop(loop_timers(a->sv->p.line), &a->asking.unasked);
	if (a->asking.call)
		outbound_cancel(KEEP(a->asking.call));
}
