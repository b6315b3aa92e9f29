// SPDX-License-Identifier: Apache-2.0
/*
 * params.c - what a run is started with, as its callers write it.
 *
 * They write the same thing in many ways: a code as a number, which has lost
 * its leading zeroes; a phone number without its plus, because their language
 * took it for an integer; null or "" for what they do not have.  Here all of it
 * becomes text, once, so that a run sees one form alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "flow/run_priv.h"

enum {
	SECRET_DIGITS_MAX = 10,
	/* E.164: without the country code there are at least this many */
	NUMBER_DIGITS_MIN = 7,
	NUMBER_DIGITS_MAX = 15,
	REAL_PLACES_MAX = 15, /* what a double holds for sure */
	REAL_BYTES = 48,
};
/* Beyond it a double no longer tells whole numbers apart (2^53). */
static const double REAL_MAX = 9007199254740992.0;

bool flow_param(const struct flow *f, size_t i, struct flow_param *out)
{
	return flow_start_param(f, i, out);
}

/* --- numbers as texts -------------------------------------------------------------- */

/* The shortest decimal without an exponent that is the same number. */
static bool real_text(double real, char out[REAL_BYTES])
{
	if (!(fabs(real) < REAL_MAX))
		return false;
	if (real == 0)
		real = 0; /* it may have been -0 */
	for (int places = 0; places <= REAL_PLACES_MAX; places++) {
		(void)snprintf(out, REAL_BYTES, "%.*f", places, real);
		if (strtod(out, NULL) == real)
			return true;
	}
	return true;
}

bool flow_json_text(const json_t *v, struct buf *out)
{
	char real[REAL_BYTES];

	if (json_is_string(v))
		buf_add(out, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v))
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v) && real_text(json_real_value(v), real))
		buf_str(out, real);
	else
		return false;
	return true;
}

/* --- parameters ------------------------------------------------------------------------ */

static bool is_code(const struct buf *text)
{
	return text->n >= 1 && text->n <= SECRET_DIGITS_MAX &&
	       strspn(text->p, "0123456789") == text->n;
}

static int judge(const struct flow_param *p, const json_t *v, struct buf *text,
		 struct diag *d)
{
	if (v && !json_is_null(v) && !flow_json_text(v, text))
		return diag_field(d, p->name, "must be a text or a number");
	if (text->err)
		return diag_field(d, p->name, "must be at most %d bytes long",
				  FLOW_VALUE_MAX);
	if (text->n == 0 && p->required)
		return diag_field(d, p->name,
				  "this flow requires the "
				  "parameter");
	if (text->n > 0 && p->secret && !is_code(text))
		return diag_field(d, p->name, "must be 1 to %d digits",
				  SECRET_DIGITS_MAX);
	return 0;
}

static int read_one(const struct flow_param *p, const json_t *params,
		    json_t *out, struct diag *d)
{
	struct buf text;
	int err;

	buf_init(&text, FLOW_VALUE_MAX);
	err = judge(p, json_object_get(params, p->name), &text, d);
	if (!err && text.n > 0)
		json_object_set_new(out, p->name, json_stringn(text.p, text.n));
	flow_run_wipe(&text);
	return err;
}

static bool is_param(const struct flow *f, const char *name)
{
	struct flow_param p;

	for (size_t i = 0; flow_param(f, i, &p); i++)
		if (strcmp(p.name, name) == 0)
			return true;
	return false;
}

static int know_all(const struct flow *f, const json_t *params, struct diag *d)
{
	union {
		const json_t *ours;
		json_t *theirs; /* jansson's iterator does not write either */
	} same = {.ours = params};

	for (void *i = json_object_iter(same.theirs); i;
	     i = json_object_iter_next(same.theirs, i))
		if (!is_param(f, json_object_iter_key(i)))
			return diag_field(d, json_object_iter_key(i),
					  "this flow has no such parameter");
	return 0;
}

int flow_params_read(const struct flow *f, const json_t *params, json_t **out,
		     struct diag *d)
{
	AUTO_JSON json_t *texts = json_object();
	struct flow_param p;
	int err;

	if (params && !json_is_object(params))
		return diag_set(d, "the parameters must be an object");
	err = know_all(f, params, d);
	for (size_t i = 0; !err && flow_param(f, i, &p); i++)
		err = read_one(&p, params, texts, d);
	if (!err)
		*out = json_incref(texts);
	return err;
}

/* --- where it will ring ------------------------------------------------------------------ */

/* Between the digits of a number, written for people. */
static bool is_ornament(char c)
{
	return strchr(" -.()/", c) != NULL;
}

bool flow_number(const char *text, char out[FLOW_NUMBER_BYTES])
{
	size_t n = 0;

	while (*text == ' ')
		text++;
	if (*text == '+')
		text++;
	out[n++] = '+';
	for (; *text; text++) {
		if (is_ornament(*text))
			continue;
		if (*text < '0' || *text > '9' || n > NUMBER_DIGITS_MAX)
			return false;
		out[n++] = *text;
	}
	out[n] = '\0';
	return n > NUMBER_DIGITS_MIN && out[1] != '0';
}

/* The call that is nearest to the start; NULL: there is none. */
static const struct flow_node *first_call(const struct flow *f)
{
	bool seen[FLOW_NODES_MAX] = {false};
	size_t queue[FLOW_NODES_MAX], n = 0;

	queue[n++] = f->start;
	seen[f->start] = true;
	for (size_t i = 0; i < n; i++) {
		const struct flow_node *node = &f->nodes[queue[i]];

		if (node->driver == &flow_call)
			return node;
		for (size_t k = 0; k < node->edges_count; k++) {
			int to = node->edges[k].target;

			if (to < 0 || seen[to])
				continue;
			seen[to] = true;
			queue[n++] = (size_t)to;
		}
	}
	return NULL;
}

struct given {
	const struct flow *flow;
	const json_t *params;
};

static const char *param_value(const void *ctx, int slot)
{
	const struct given *g = ctx;
	const char *name = flow_param_name(g->flow, (size_t)slot);

	return name ? json_string_value(json_object_get(g->params, name))
		    : NULL;
}

/* Does it name nothing but parameters? */
static bool is_known(const struct flow *f, const struct flow_template *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!t->parts[i].literal &&
		    !flow_param_name(f, (size_t)t->parts[i].slot))
			return false;
	return true;
}

int flow_destination(const struct flow *f, const json_t *params,
		     struct buf *out, struct diag *d)
{
	const struct given given = {f, params};
	const struct flow_expand how = {.value = param_value, .ctx = &given};
	const struct flow_node *call = first_call(f);
	const struct flow_template *to;
	AUTO_BUF(text, FLOW_VALUE_MAX);
	char number[FLOW_NUMBER_BYTES];
	int err;

	if (!call)
		return diag_set(d, "this flow calls nobody");
	to = flow_call_to(call);
	if (!is_known(f, to))
		return diag_set(d, "whom this flow calls is not known before "
				   "it runs");
	err = flow_template_expand(f, to, &how, &text);
	if (err || text.n == 0)
		return diag_set(d, err ? "the number to call is too long"
				       : "there is no number to call");
	buf_str(out, flow_number(text.p, number) ? number : text.p);
	return out->err ? diag_set(d, "the number to call is too long") : 0;
}
