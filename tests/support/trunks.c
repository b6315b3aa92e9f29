// SPDX-License-Identifier: Apache-2.0
/*
 * trunks.c - telephones of a world that stand for trunks.
 */
#include "support/trunks.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static int script_of(const char *to, void *ctx)
{
	(void)to;
	return (int)((struct trunk *)ctx)->script;
}

/* Asked once for each dial. */
static const struct tel_script_fault *fault_of(const char *to, void *ctx)
{
	struct trunk *t = ctx;

	if (t->dials < TRUNK_DIALS_MAX) {
		(void)snprintf(t->dialled[t->dials], NUMBER_BYTES, "%s", to);
		t->dialled_ms[t->dials] = clock_wall_ms(t->w->clock);
	}
	t->dials++;
	return t->at_fault ? &t->fault : NULL;
}

static enum tel_state state_of(void *ctx)
{
	return ((struct trunk *)ctx)->state;
}

static const struct tel_record *record_of(const struct tel_params *call,
					  void *ctx)
{
	(void)call;
	return ((struct trunk *)ctx)->record;
}

struct trunk *trunks_add(struct trunks *t, const char *name,
			 const struct tel_limits *limits)
{
	struct world *w = t->w;
	struct trunk *k = &t->at[t->count++];
	struct tel_scripted_params params = {
		.script = script_of,
		.fault = fault_of,
		.state = state_of,
		.record = record_of,
		.ctx = k,
	};

	assert_true(t->count <= TRUNKS_MAX);
	k->w = w;
	k->script = TEL_SCRIPT_LISTEN;
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	world_open_tel(w, &params, &k->tel);
	tel_limit(k->tel, w->line, limits ? limits : &(struct tel_limits){0});
	w->more[w->more_count++] = (struct service_tel){
		.route = k->name, .tel = k->tel, .trunk = true};
	return k;
}

void trunks_route(struct trunks *t, const char *prefix)
{
	const char *names[TRUNKS_MAX];
	struct diag d = {0};

	for (size_t i = 0; i < t->count; i++)
		names[i] = t->at[i].name;
	assert_int_equal(routing_add(t->routing, prefix, names, t->count, &d),
			 0);
	t->w->rules.routing = t->routing;
}

void trunks_start(struct trunks *t)
{
	trunks_route(t, "+");
	world_start(t->w);
}

static void no_limits(struct policy *p)
{
	for (size_t i = 0; i < COUNT_OF(p->number); i++)
		p->number[i].count = 0;
	for (size_t i = 0; i < COUNT_OF(p->prefix); i++)
		p->prefix[i].count = 0;
	p->prefix_calls = 0;
}

struct trunks *trunks_new(struct world *w)
{
	struct trunks *t = b_zero(1, sizeof(*t));

	t->w = w;
	t->routing = routing_new();
	return t;
}

void trunks_free(struct trunks *t)
{
	routing_free(t->routing);
	free(t);
}

int trunks_setup(void **state)
{
	struct trunks *t = trunks_new(world_new());

	no_limits(&t->w->rules.policy);
	*state = t;
	return 0;
}

int trunks_teardown(void **state)
{
	struct trunks *t = *state;

	world_free(t->w);
	trunks_free(t);
	return 0;
}

void trunk_faults(struct trunk *t, int sip_code, int q850)
{
	t->at_fault = true;
	t->fault =
		(struct tel_script_fault){.sip_code = sip_code, .q850 = q850};
}

void trunk_turns(struct trunk *t, enum tel_state state)
{
	const struct service_trunk_news news = {
		.trunk = t->name,
		.state = state,
		.why = state == TEL_UP ? "answers" : "silent",
	};

	t->state = state;
	tel_state_changed(t->tel);
	service_trunk_news(t->w->service, &news);
}
