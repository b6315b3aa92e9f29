// SPDX-License-Identifier: Apache-2.0
/*
 * values.c - what templates find in a run, and what nodes know of it.
 *
 * A value that was never set reads as empty.  All are wiped with the run: they
 * are mostly a person's, and sometimes a code.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "flow/run_priv.h"

static void forget(char *value)
{
	if (value)
		crypto_wipe(value, strlen(value));
	free(value);
}

void flow_run_put(struct flow_run *run, int slot, const char *text)
{
	char *old = run->values[slot];

	run->values[slot] = b_strdup(text); /* it may be the old one's */
	forget(old);
}

void flow_run_give(struct flow_run *run, size_t i, const char *text)
{
	flow_run_put(run, run->node->sets[i], text);
}

void flow_run_give_int(struct flow_run *run, size_t i, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	flow_run_give(run, i, text);
}

static const char *value_of(const void *ctx, int slot)
{
	const struct flow_run *run = ctx;

	if (slot == FLOW_GIVEN_CODE)
		return run->code;
	if (slot == FLOW_GIVEN_CALL_LANGUAGE)
		return run->language;
	return run->values[slot];
}

int flow_run_expand(struct flow_run *run, const struct flow_template *t,
		    struct buf *out)
{
	const struct flow_expand how = {.value = value_of, .ctx = run};
	char *room;

	if (t->holds_secret) {
		/* all of the buffer's memory at once: growing would leave
		 * copies behind */
		room = b_zero(out->max, 1);
		buf_add(out, room, out->max);
		free(room);
		buf_reset(out);
	}
	buf_add(out, "", 0);
	return flow_template_expand(run->flow, t, &how, out);
}

void flow_run_wipe(struct buf *b)
{
	if (b->p)
		crypto_wipe(b->p, b->cap);
	buf_free(b);
}

/* --- values that a template named ------------------------------------------------- */

static size_t fixed_gives(const struct flow_driver *d)
{
	size_t n = 0;

	while (d->gives && d->gives[n].name)
		n++;
	return n;
}

const char *flow_run_open(const struct flow_run *run, size_t i)
{
	const struct flow_node *n = run->node;

	i += fixed_gives(n->driver);
	if (i >= n->sets_count)
		return NULL;
	return run->flow->slots[n->sets[i]].name + strlen(n->id) + 1;
}

void flow_run_give_open(struct flow_run *run, size_t i, const char *text)
{
	flow_run_give(run, fixed_gives(run->node->driver) + i, text);
}

bool flow_run_uses(const struct flow_run *run, size_t i)
{
	return run->flow->slots[run->node->sets[i]].used;
}

/* --- the start's parameters ------------------------------------------------------ */

static const char PARAMS[] = ".http.params.";

const char *flow_param_name(const struct flow *f, size_t slot)
{
	const char *id = f->nodes[f->start].id;
	const char *name = f->slots[slot].name;
	size_t n = strlen(id);

	if (strncmp(name, id, n) != 0 ||
	    strncmp(name + n, PARAMS, strlen(PARAMS)) != 0)
		return NULL;
	return name + n + strlen(PARAMS);
}

static int take_param(struct flow_run *run, size_t slot, const char *name,
		      const json_t *params, struct diag *d)
{
	const char *text = NULL;
	int err = js_get_text(params, name, FLOW_VALUE_MAX, &text, d);

	if (err)
		return err;
	if (text)
		flow_run_put(run, (int)slot, text);
	else if (flow_start_requires(&run->flow->nodes[run->flow->start], name))
		return diag_field(d, name, "this flow requires the parameter");
	return 0;
}

static int take_params(struct flow_run *run, json_t *params, struct diag *d)
{
	const struct flow *f = run->flow;
	AUTO_BUF(slot_name, FLOW_SLOT_NAME_MAX + 1);
	const char *key;
	json_t *v;

	for (size_t i = FLOW_GIVEN_COUNT; i < f->slots_count; i++) {
		const char *name = flow_param_name(f, i);
		int err = name ? take_param(run, i, name, params, d) : 0;

		if (err)
			return err;
	}
	json_object_foreach(params, key, v)
	{
		buf_reset(&slot_name);
		buf_printf(&slot_name, "%s%s%s", f->nodes[f->start].id, PARAMS,
			   key);
		if (slot_name.err || flow_slot_find(f, slot_name.p) < 0)
			return diag_field(d, key,
					  "this flow has no such parameter");
	}
	return 0;
}

int flow_values_begin(struct flow_run *run, const struct flow_params *p,
		      struct diag *d)
{
	const char *const given[FLOW_GIVEN_COUNT] = {
		[FLOW_GIVEN_ID] = p->verification_id,
		[FLOW_GIVEN_TO] = run->to,
		[FLOW_GIVEN_FROM] = run->from,
		[FLOW_GIVEN_LOCALE] = run->language,
		[FLOW_GIVEN_PURPOSE] = run->purpose,
		[FLOW_GIVEN_BRAND] = run->brand,
		[FLOW_GIVEN_AMOUNT] = run->amount,
		[FLOW_GIVEN_PAYEE] = run->payee,
		[FLOW_GIVEN_CALLBACK] = run->callback,
		[FLOW_GIVEN_CALL_ID] = run->call_id,
		[FLOW_GIVEN_FLOW_NAME] = run->flow->name,
	};
	char number[24];

	run->values = b_zero(run->flow->slots_count, sizeof(char *));
	for (int i = 0; i < FLOW_GIVEN_COUNT; i++)
		flow_run_put(run, i, given[i]);
	(void)snprintf(number, sizeof(number), "%u", p->attempt);
	flow_run_put(run, FLOW_GIVEN_ATTEMPT, number);
	(void)snprintf(number, sizeof(number), "%u", p->version);
	if (p->version > 0)
		flow_run_put(run, FLOW_GIVEN_FLOW_VERSION, number);
	(void)snprintf(number, sizeof(number), "%u", run->code_length);
	flow_run_put(run, FLOW_GIVEN_CODE_LENGTH, number);
	return take_params(run, p->params, d);
}

void flow_run_show_params(struct flow_run *run)
{
	const struct flow *f = run->flow;

	for (size_t i = FLOW_GIVEN_COUNT; i < f->slots_count; i++) {
		const char *name = flow_param_name(f, i);

		if (name && run->values[i])
			flow_run_in(run, name, run->values[i],
				    f->slots[i].show);
	}
}

void flow_values_end(struct flow_run *run)
{
	for (size_t i = 0; run->values && i < run->flow->slots_count; i++)
		forget(run->values[i]);
	free(run->values);
}

/* --- what nodes know ----------------------------------------------------------------- */

const void *flow_run_config(const struct flow_run *run)
{
	return run->node->config;
}

void *flow_run_state(struct flow_run *run)
{
	return run->node_state;
}

unsigned *flow_run_counter(struct flow_run *run)
{
	return &run->counters[run->node->index];
}

bool flow_run_was_spoken(const struct flow_run *run)
{
	return run->spoken;
}

void flow_run_matched(struct flow_run *run)
{
	run->matched = true;
}

unsigned flow_run_code_length(const struct flow_run *run)
{
	return run->code_length;
}

unsigned flow_run_human_digits(const struct flow_run *run)
{
	return run->human_digits;
}

const struct flow_driver *flow_run_driver(const struct flow_run *run)
{
	return run->node->driver;
}

struct rng *flow_run_rng(const struct flow_run *run)
{
	return run->rng;
}

const struct flow *flow_run_flow(const struct flow_run *run)
{
	return run->flow;
}

int flow_run_sip_code(const struct flow_run *run)
{
	return run->leg.sip_code;
}

const char *flow_run_number(const struct flow_run *run)
{
	return run->to;
}

bool flow_run_has_english(const struct flow_run *run)
{
	return strcmp(run->language, "en") != 0 &&
	       speech_is_open(run->speech, "en") &&
	       phrases_find(run->phrases, "en", "english.offer");
}

void flow_run_speak_english(struct flow_run *run)
{
	(void)snprintf(run->language, sizeof(run->language), "en");
}
