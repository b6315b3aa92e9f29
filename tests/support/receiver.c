// SPDX-License-Identifier: Apache-2.0
/*
 * receiver.c - whoever is told, without a net.
 */
#include "support/receiver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "support/test.h"

struct outbound_call {
	struct outbound *o;
	struct loop *loop;
	struct timer timer;
	struct receiver_hit *hit;
	outbound_done_h *done;
	void *ctx;
	int64_t since_ms, took_ms;
	const char *body;
};

struct outbound *receiver_new(struct clock *clock)
{
	struct outbound *o = b_zero(1, sizeof(*o));

	o->clock = clock;
	return o;
}

void outbound_free(struct outbound *o)
{
	for (size_t i = 0; o && i < o->count; i++)
		free(o->hits[i].body);
	free(o);
}

int outbound_check(const struct outbound *o, const char *url, struct diag *d)
{
	(void)o;
	if (strstr(url, "//10.") || strstr(url, "//private"))
		return diag_set(d, "this address is not public");
	return 0;
}

const char *outbound_fault_text(enum outbound_fault f)
{
	return f == OUTBOUND_TIMEOUT ? "timeout"
				     : (f == OUTBOUND_CLOSED ? "closed" : "");
}

void outbound_stats(const struct outbound *o, struct outbound_stats *out)
{
	*out = (struct outbound_stats){.asked = o->count,
				       .running = o->running};
}

static void text_of(const char *from, char out[RECEIVER_TEXT])
{
	(void)snprintf(out, RECEIVER_TEXT, "%s", from ? from : "");
}

static void read_body(struct receiver_hit *hit)
{
	AUTO_JSON json_t *o = NULL;
	struct diag d = {0};
	const char *about;

	if (js_parse(span_of(hit->body), &o, &d) != 0)
		return;
	text_of(json_string_value(json_object_get(o, "type")), hit->type);
	about = json_string_value(json_object_get(o, "id"));
	if (!about)
		about = json_string_value(
			json_object_get(json_object_get(o, "data"), "id"));
	(void)snprintf(hit->about, sizeof(hit->about), "%s",
		       about ? about : "");
}

static struct receiver_hit *note(struct outbound *o,
				 const struct outbound_request *r)
{
	struct receiver_hit *hit = &o->hits[o->count++];

	assert_true(o->count < RECEIVER_HITS_MAX);
	text_of(r->url, hit->url);
	for (const struct outbound_header *h = r->headers; h && h->name; h++)
		if (strcmp(h->name, "webhook-id") == 0)
			text_of(h->value, hit->id);
		else if (strcmp(h->name, "webhook-timestamp") == 0)
			text_of(h->value, hit->timestamp);
		else if (strcmp(h->name, "webhook-signature") == 0)
			text_of(h->value, hit->signature);
	hit->body = b_strndup(r->body.p, r->body.n);
	hit->at_ms = clock_wall_ms(o->clock);
	read_body(hit);
	return hit;
}

static void fire(void *ctx)
{
	struct outbound_call *c = ctx;
	struct outbound_answer a = {
		.fault = c->hit->status ? OUTBOUND_ANSWERED : OUTBOUND_TIMEOUT,
		.why = "",
		.status = c->hit->status,
		.type = "application/json",
		.body = span_of(c->body),
		.took_ms = clock_mono_ms(c->o->clock) - c->since_ms,
	};

	c->o->running--;
	c->hit->over = true;
	c->done(&a, c->ctx);
	free(c);
}

void outbound_send(struct outbound *o, const struct outbound_request *r,
		   struct loop *loop, outbound_done_h *done, void *ctx,
		   struct outbound_call **out)
{
	struct outbound_call *c = b_zero(1, sizeof(*c));
	int64_t limit = r->timeout_ms ? r->timeout_ms : OUTBOUND_MS;

	c->o = o;
	c->loop = loop;
	c->done = done;
	c->ctx = ctx;
	c->since_ms = clock_mono_ms(o->clock);
	c->hit = note(o, r);
	c->hit->status = o->says ? o->says(c->hit, &c->body, o->ctx) : 204;
	if (++o->running > o->most)
		o->most = o->running;
	timer_set(loop_timers(loop), &c->timer, c->hit->status ? 1 : limit,
		  fire, c);
	if (out)
		*out = c;
}

void outbound_cancel(struct outbound_call *c)
{
	if (!c)
		return;
	timer_stop(loop_timers(c->loop), &c->timer);
	c->o->running--;
	c->hit->over = true;
	c->hit->status = 0;
	free(c);
}

static bool is_told(const struct receiver_hit *hit, const char *about,
		    const char *type)
{
	return hit->over && hit->status / 100 == 2 &&
	       (!about || strcmp(hit->about, about) == 0) &&
	       (!type || strcmp(hit->type, type) == 0);
}

size_t receiver_told(const struct outbound *o, const char *about,
		     const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < o->count; i++)
		n += is_told(&o->hits[i], about, type);
	return n;
}

static bool is_first(const struct outbound *o, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (is_told(&o->hits[i], o->hits[at].about, NULL) &&
		    strcmp(o->hits[i].id, o->hits[at].id) == 0)
			return false;
	return true;
}

size_t receiver_events(const struct outbound *o, const char *about)
{
	size_t n = 0;

	for (size_t i = 0; i < o->count; i++)
		n += is_told(&o->hits[i], about, NULL) && is_first(o, i);
	return n;
}

void receiver_types(const struct outbound *o, const char *about, char *out,
		    size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < o->count; i++)
		if (is_told(&o->hits[i], about, NULL) && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s",
					      n ? " " : "", o->hits[i].type);
}
