// SPDX-License-Identifier: Apache-2.0
/*
 * node_start.c - where a run begins: what its caller may, and must, hand in.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/run_priv.h"

enum { SAMPLE_MAX = 256 };

struct start {
	struct flow_param params[FLOW_PARAMS_MAX];
	size_t count;
};

/* What the checker puts in its place. */
static const char *typical(const struct flow_param *p)
{
	if (*p->sample)
		return p->sample;
	return p->secret ? "000000" : "sample";
}

static bool is_taken(const struct start *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->params[i].name, name) == 0)
			return true;
	return false;
}

static void parse_param(const struct flow_at *at, const json_t *o,
			struct start *s)
{
	static const char *const KNOWN[] = {"name", "required", "secret",
					    "sample", NULL};
	struct flow_param *p = &s->params[s->count];
	const char *name, *sample;
	struct flow_slot *slot;
	int index;
	AUTO_BUF(path, FLOW_SLOT_NAME_MAX);

	if (!json_is_object(o)) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_value"),
			  "must be an object");
		return;
	}
	flow_known(at, o, KNOWN);
	name = flow_text(at, o, "name", FLOW_NAME_MAX, true);
	if (!name)
		return;
	if (!flow_is_name(name) || is_taken(s, name)) {
		flow_find(at, "name", FLOW_IS_ERROR("bad_value"),
			  "must be letters, digits, - and _, a letter first, "
			  "and no other's");
		return;
	}
	sample = flow_text(at, o, "sample", SAMPLE_MAX, false);
	p->name = flow_keep_text(at->flow, name);
	p->sample = flow_keep_text(at->flow, sample ? sample : "");
	p->required = flow_bool(at, o, "required", false);
	p->secret = flow_bool(at, o, "secret", false);
	s->count++;
	buf_printf(&path, "http.params.%s", name);
	index = flow_slot_add(at->flow, at->node->id, path.p, typical(p));
	slot = &at->flow->slots[index];
	slot->early = true;
	slot->secret = p->secret;
	slot->show = p->secret ? FLOW_SHOW_SECRET : FLOW_SHOW_TEXT;
}

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"params", NULL};
	struct start *s = flow_keep(at->flow, b_zero(1, sizeof(*s)));
	const json_t *params =
		flow_array(at, config, "params", FLOW_PARAMS_MAX);
	struct flow_at list = flow_at_key(at, "params");

	at->node->config = s;
	flow_known(at, config, KNOWN);
	for (size_t i = 0; i < json_array_size(params); i++) {
		struct flow_at param = flow_at_index(&list, i);

		parse_param(&param, json_array_get(params, i), s);
	}
}

bool flow_start_param(const struct flow *f, size_t i, struct flow_param *out)
{
	const struct start *s = f->nodes[f->start].config;

	if (i >= s->count)
		return false;
	*out = s->params[i];
	return true;
}

bool flow_start_requires(const struct flow_node *n, const char *param)
{
	const struct start *s = n->config;

	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->params[i].name, param) == 0)
			return s->params[i].required;
	return false;
}

static void enter(struct flow_run *run)
{
	flow_run_show_params(run);
	flow_run_fire(run, "api_request");
}

const struct flow_driver flow_start = {
	.type = "start",
	.triggers = (const char *const[]){"api_request", NULL},
	.is_start = true,
	.parse = parse,
	.enter = enter,
};
