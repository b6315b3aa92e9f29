// SPDX-License-Identifier: Apache-2.0
/*
 * example.c - the two endpoints of the original example: dispatch_otp and
 * verify_otp, under a prefix of the operator's choice.
 *
 * They are answered as the example answered, and are what the example was not:
 * the code is ours, it is checked by the mechanism that checks all codes, and
 * a check without a code is no check.  They are the one place where a GET
 * changes something (D8), so they exist only where a setting says so.
 */
#include <stdio.h>
#include <string.h>

#include "api/vendor.h"
#include "base/json.h"

#define LABEL "example"

enum { OTP_BYTES = 32, TO_BYTES = NUMBER_TEXT_MAX + 2, IP_BYTES = 64 };

struct asking {
	struct api *a;
	struct web_request *r;
	struct service_who who;
	char to[TO_BYTES], otp[OTP_BYTES], ip[IP_BYTES];
};

static void say(struct web_request *r, unsigned status, const char *how,
		const char *message)
{
	struct buf b = {.max = API_ANSWER_MAX};

	buf_printf(&b, "{\"status\":\"%s\"", how);
	api_write_text(&b, "message", message);
	buf_byte(&b, '}');
	api_answer_json(r, status, &b);
}

/* --- who ------------------------------------------------------------------------ */

static bool listed(const struct api *a, const struct web_request *r)
{
	const struct api_example *e = a->p.example;
	struct sockaddr_storage at;

	return e->from && net_address(web_client(r), 0, &at) == 0 &&
	       net_list_has(e->from, &at);
}

/* A key, or else one of the addresses that may ask without. */
static bool may_ask(struct asking *q)
{
	if (web_header(q->r, "Authorization")) {
		if (!api_known_key(q->a, q->r, &q->who)) {
			vendor_problem(q->r, VENDOR_EXAMPLE, "unauthorized",
				       NULL, NULL);
			return false;
		}
		if (q->who.scopes & SERVICE_VERIFY)
			return true;
		vendor_problem(q->r, VENDOR_EXAMPLE, "forbidden", NULL,
			       "the key lacks the scope for it");
		return false;
	}
	if (!listed(q->a, q->r)) {
		vendor_problem(q->r, VENDOR_EXAMPLE, "unauthorized", NULL,
			       NULL);
		return false;
	}
	(void)snprintf(q->who.application, sizeof(q->who.application), "%s",
		       q->a->p.example->application);
	(void)snprintf(q->who.key_id, sizeof(q->who.key_id), "%s", LABEL);
	q->who.scopes = SERVICE_VERIFY;
	return true;
}

/* --- parameters ------------------------------------------------------------------- */

/* From the body, or else from the query. */
static bool read_text(const struct asking *q, const json_t *body,
		      const char *name, char *out, size_t size)
{
	const char *given = web_query(q->r, name);

	if (!vendor_text(body, name, out, size) ||
	    (!*out && given && strlen(given) >= size)) {
		vendor_problem(q->r, VENDOR_EXAMPLE, "invalid_field", name,
			       "a text of this length is none");
		return false;
	}
	if (!*out && given)
		(void)snprintf(out, size, "%s", given);
	return true;
}

/* In a query, a plus that was not escaped has become a blank. */
static void mend_plus(char to[TO_BYTES])
{
	size_t n = strlen(to);

	if (to[0] == ' ')
		to[0] = '+';
	else if (to[0] >= '1' && to[0] <= '9' && n + 1 < TO_BYTES) {
		memmove(to + 1, to, n + 1);
		to[0] = '+';
	}
}

static bool read_to(struct asking *q, const json_t *body)
{
	static const char *const names[] = {"destination_number", "dst_number",
					    "number"};

	for (size_t i = 0; i < COUNT_OF(names) && !q->to[0]; i++)
		if (!read_text(q, body, names[i], q->to, sizeof(q->to)))
			return false;
	mend_plus(q->to);
	if (q->to[0])
		return true;
	vendor_problem(q->r, VENDOR_EXAMPLE, "missing_field", "to", NULL);
	return false;
}

/* Who asks with a key is a server, and may say for whom. */
static bool read_ip(struct asking *q, const json_t *body)
{
	if (strcmp(q->who.key_id, LABEL) != 0 &&
	    !read_text(q, body, "client_ip", q->ip, sizeof(q->ip)))
		return false;
	if (!q->ip[0])
		(void)snprintf(q->ip, sizeof(q->ip), "%s", web_client(q->r));
	return true;
}

static bool read_all(struct asking *q)
{
	bool post = strcmp(web_method(q->r), "POST") == 0;
	AUTO_JSON json_t *body =
		post ? vendor_body(q->r, VENDOR_EXAMPLE, true) : json_object();

	return body && read_to(q, body) && read_ip(q, body) &&
	       read_text(q, body, "otp", q->otp, sizeof(q->otp));
}

static struct asking *begin(struct web_request *r, void *ctx)
{
	struct asking *q = web_alloc(r, sizeof(*q));

	q->a = ctx;
	q->r = r;
	/* HEAD comes to the handler of GET, too, and must not ring a phone */
	if (strcmp(web_method(r), "HEAD") == 0) {
		vendor_problem(r, VENDOR_EXAMPLE, "method_not_allowed", NULL,
			       NULL);
		return NULL;
	}
	return may_ask(q) && read_all(q) ? q : NULL;
}

/* --- dispatch_otp ------------------------------------------------------------------- */

static void dispatched(const struct service_refusal *no,
		       const struct service_view *view, void *ctx)
{
	if (view)
		say(ctx, 200, "success", "verification initiated");
	else
		vendor_refuse(ctx, VENDOR_EXAMPLE, no);
}

void example_dispatch(struct web_request *r, void *ctx)
{
	struct asking *q = begin(r, ctx);
	struct service_create req = {0};

	if (!q)
		return;
	req.who = q->who;
	req.to = q->to;
	req.flow = q->a->p.example->flow;
	req.client_ip = q->ip;
	req.label = LABEL;
	web_defer(r);
	service_create(q->a->p.service, &req, dispatched, r);
}

/* --- verify_otp ------------------------------------------------------------------------ */

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	struct web_request *r = ctx;

	(void)left;
	(void)status;
	if (no && no->code && *no->code) {
		vendor_refuse(r, VENDOR_EXAMPLE, no);
		return;
	}
	switch (result) {
	case CHECK_APPROVED:
		say(r, 200, "success", "codes match, number verified");
		return;
	case CHECK_WRONG:
	case CHECK_LOCKED:
	case CHECK_NOT_DELIVERED:
		say(r, 422, "rejected",
		    "codes do not match, number not verified");
		return;
	case CHECK_EXPIRED:
	case CHECK_USED:
	case CHECK_UNKNOWN:
	case CHECK_COUNT:
		break;
	}
	vendor_problem(r, VENDOR_EXAMPLE, "not_found", NULL, NULL);
}

static void found(const struct service_refusal *no,
		  const struct service_view *view, void *ctx)
{
	struct asking *q = ctx;
	struct service_check req = {.code = q->otp};

	if (!view) {
		vendor_refuse(q->r, VENDOR_EXAMPLE, no);
		return;
	}
	req.who = q->who;
	req.id = view->v->id;
	service_check(q->a->p.service, &req, checked, q->r);
}

void example_verify(struct web_request *r, void *ctx)
{
	struct asking *q = begin(r, ctx);
	struct service_find req = {.label = LABEL};

	if (!q)
		return;
	if (!q->otp[0]) {
		vendor_problem(r, VENDOR_EXAMPLE, "missing_field", "otp", NULL);
		return;
	}
	req.who = q->who;
	req.to = q->to;
	web_defer(r);
	service_find(q->a->p.service, &req, found, q);
}
