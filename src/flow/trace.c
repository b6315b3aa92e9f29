// SPDX-License-Identifier: Apache-2.0
/*
 * trace.c - what happened in a run, for people to read later.
 *
 * Redaction happens here, before anything is kept: a trace is stored, shown in
 * a console and sent as events, and none of those may have to remember what was
 * secret.  Text that came from outside is distrusted too: a run of digits in it
 * may be a code that somebody forgot to call secret.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow/run_priv.h"

enum {
	MEMBERS_MAX = 4096, /* bytes of a step's values */
	STEP_MAX = 4 * MEMBERS_MAX,
	TAIL_MAX = 1024,  /* kept free for the end */
	DIGITS_SHOWN = 3, /* more in a row are blanked */
	BETWEEN_MAX = 3,  /* " - ": still the same row */
	NUMBER_MIN = 7,
	NUMBER_HEAD = 5,
	NUMBER_TAIL = 3,
	NUMBER_SHORT = 11, /* shorter numbers show less */
};

/* "+15005550006" -> "+15005...006" with three dots in the middle. */
static void add_number(struct buf *out, const char *digits, size_t n)
{
	size_t head = n < NUMBER_SHORT ? 2 : NUMBER_HEAD;
	size_t tail = n < NUMBER_SHORT ? 2 : NUMBER_TAIL;

	buf_byte(out, '+');
	buf_add(out, digits, head);
	buf_str(out, "\u2022\u2022\u2022");
	buf_add(out, digits + n - tail, tail);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How long the number is that a text begins with, as people write one: "482
 * 913", "+1 (500) 555-0006"; and how many digits it has. */
static size_t row_of(const char *text, size_t *digits)
{
	size_t n = 0;

	*digits = 0;
	for (size_t i = 0; text[i] && i - n <= BETWEEN_MAX; i++) {
		if (is_digit(text[i])) {
			++*digits;
			n = i + 1;
		} else if (n == 0 || !strchr(" -()", text[i])) {
			break;
		}
	}
	return n;
}

/* Numbers and codes in a text that should hold none. */
static void add_text(struct buf *out, const char *text)
{
	while (*text) {
		size_t digits, n = row_of(text, &digits);
		size_t other = strcspn(text, "0123456789");

		if (digits > DIGITS_SHOWN)
			buf_printf(out, "[%zu digits]", digits);
		else
			buf_add(out, text, n);
		if (n == 0)
			buf_add(out, text, other);
		text += n > 0 ? n : other;
	}
}

static bool is_number(const char *text)
{
	const char *digits = text + (*text == '+');
	size_t n = strlen(digits);

	return n >= NUMBER_MIN && strspn(digits, "0123456789") == n;
}

void flow_trace_value(struct buf *b, const char *key, const char *value,
		      enum flow_show show)
{
	AUTO_BUF(shown, MEMBERS_MAX);

	if (show == FLOW_SHOW_SECRET)
		buf_str(&shown, "[secret]");
	else if (show == FLOW_SHOW_DIGITS)
		buf_printf(&shown, "[%zu digits]", strlen(value));
	else if (is_number(value) &&
		 (show == FLOW_SHOW_NUMBER || *value == '+'))
		add_number(&shown, value + (*value == '+'),
			   strlen(value) - (*value == '+'));
	else
		add_text(&shown, value);
	buf_byte(b, b->n > 0 ? ',' : '{');
	buf_json(b, span_of(key));
	buf_byte(b, ':');
	buf_json(b, buf_view(&shown));
}

void flow_run_in(struct flow_run *run, const char *key, const char *value,
		 enum flow_show show)
{
	flow_trace_value(&run->trace.in, key, value, show);
}

void flow_run_out(struct flow_run *run, const char *key, const char *value,
		  enum flow_show show)
{
	flow_trace_value(&run->trace.out, key, value, show);
}

void flow_run_out_int(struct flow_run *run, const char *key, int64_t value)
{
	struct buf *b = &run->trace.out;

	buf_byte(b, b->n > 0 ? ',' : '{');
	buf_json(b, span_of(key));
	buf_printf(b, ":%" PRId64, value);
}

void flow_trace_begin(struct flow_run *run)
{
	struct flow_trace *t = &run->trace;

	if (t->steps.max == 0) {
		buf_init(&t->steps, FLOW_TRACE_MAX - TAIL_MAX);
		buf_init(&t->in, MEMBERS_MAX);
		buf_init(&t->out, MEMBERS_MAX);
		t->began_ms = flow_run_now(run);
	}
	t->step_ms = flow_run_now(run);
	buf_reset(&t->in);
	buf_reset(&t->out);
}

static void add_members(struct buf *b, const char *key,
			const struct buf *members)
{
	if (members->n > 0 && !members->err)
		buf_printf(b, ",\"%s\":%.*s}", key, (int)members->n,
			   members->p);
}

void flow_trace_step(struct flow_run *run, const char *trigger, const char *to)
{
	struct flow_trace *t = &run->trace;
	AUTO_BUF(b, STEP_MAX);

	buf_printf(&b, "{\"n\":%u,\"node\":", ++t->count);
	buf_json(&b, span_of(run->node->id));
	buf_printf(&b, ",\"t_ms\":%" PRId64 ",\"dur_ms\":%" PRId64,
		   t->step_ms - t->began_ms, flow_run_now(run) - t->step_ms);
	if (trigger) {
		buf_str(&b, ",\"trigger\":");
		buf_json(&b, span_of(trigger));
	}
	if (to) {
		buf_str(&b, ",\"to\":");
		buf_json(&b, span_of(to));
	}
	add_members(&b, "in", &t->in);
	add_members(&b, "out", &t->out);
	buf_byte(&b, '}');
	if (!t->cut && t->steps.n + b.n + 1 < t->steps.max) {
		if (t->steps.n > 0)
			buf_byte(&t->steps, ',');
		buf_add(&t->steps, b.p, b.n);
	} else {
		t->cut = true;
	}
	if (run->host->step)
		run->host->step(run->ctx, b.p);
}

char *flow_trace_end(struct flow_run *run)
{
	struct flow_trace *t = &run->trace;
	AUTO_BUF(b, FLOW_TRACE_MAX);

	buf_str(&b, "{\"flow\":");
	buf_json(&b, span_of(run->flow->name));
	buf_str(&b, ",\"mode\":");
	buf_json(&b, span_of(run->mode));
	buf_printf(&b, ",\"outcome\":\"%s\"", outcome_leg_text(run->end.leg));
	buf_printf(&b, ",\"human\":%s,\"spoken\":%s",
		   run->end.human ? "true" : "false",
		   run->end.spoken ? "true" : "false");
	buf_printf(&b, ",\"end\":{\"reason\":\"%s\",\"node\":",
		   flow_end_text(run->end.reason));
	buf_json(&b, span_of(run->end.node));
	buf_printf(&b, "},\"cut\":%s,\"steps\":[", t->cut ? "true" : "false");
	buf_add(&b, t->steps.p ? t->steps.p : "", t->steps.n);
	buf_str(&b, "]}");
	return buf_take(&b);
}

void flow_trace_free(struct flow_trace *t)
{
	buf_free(&t->steps);
	buf_free(&t->in);
	buf_free(&t->out);
}
