// SPDX-License-Identifier: Apache-2.0
/*
 * flow.c - the door: a document is loaded, checked and handed out, or not.
 *
 * Checking and loading are one act, so nothing that was not checked can run.
 */
#include "flow/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/flow_priv.h"

const struct flow_driver *const flow_drivers[] = {
	&flow_start,       &flow_call,       &flow_play,   &flow_input,
	&flow_human_check, &flow_speak_code, &flow_verify, &flow_branch,
	&flow_set,         &flow_repeat,     &flow_http,   &flow_hangup,
};
const size_t flow_drivers_count = COUNT_OF(flow_drivers);

static void free_flow(struct flow *f)
{
	for (size_t i = 0; i < f->nodes_count; i++) {
		free(f->nodes[i].edges);
		free(f->nodes[i].sets);
	}
	for (size_t i = 0; i < f->kept_count; i++)
		free(f->kept[i]);
	free(f->nodes);
	free(f->slots);
	free(f->templates);
	free(f->lines);
	free(f->kept);
	free(f);
}

/* By document order, and errors first where two share a place. */
static int compare(const void *a, const void *b)
{
	const struct flow_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	return strcmp(x->path, y->path);
}

static struct flow *read_all(struct span text, const struct flow_world *world,
			     struct flow_findings *findings)
{
	static const struct flow_world nothing;
	struct flow *f = b_zero(1, sizeof(*f));
	struct flow_at root = {.flow = f,
			       .findings = findings,
			       .world = world ? world : &nothing};
	AUTO_JSON json_t *doc = NULL;
	struct diag d = {0};

	atomic_init(&f->refs, 1);
	if (text.n > FLOW_DOCUMENT_MAX) {
		flow_find(&root, NULL, FLOW_IS_ERROR("too_large"),
			  "over %d bytes", FLOW_DOCUMENT_MAX);
		return f;
	}
	if (js_parse(text, &doc, &d)) {
		flow_find(&root, NULL, FLOW_IS_ERROR("not_json"),
			  "line %d, column %d: %.200s", d.line, d.column,
			  d.message);
		return f;
	}
	flow_document(&root, doc);
	flow_compile(&root);
	flow_check(&root);
	flow_check_speech(&root);
	if (findings->count > 1)
		qsort(findings->items, findings->count,
		      sizeof(*findings->items), compare);
	return f;
}

int flow_load(struct span text, const struct flow_world *world,
	      struct flow **out, struct flow_findings *findings)
{
	struct flow *f;

	memset(findings, 0, sizeof(*findings));
	f = read_all(text, world, findings);
	if (findings->errors > 0 || !out) {
		free_flow(f);
		return findings->errors > 0 ? -EINVAL : 0;
	}
	*out = f;
	return 0;
}

void flow_findings_free(struct flow_findings *f)
{
	free(f->items);
	memset(f, 0, sizeof(*f));
}

struct flow *flow_ref(struct flow *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

void flow_unref(struct flow *f)
{
	if (f &&
	    atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
		free_flow(f);
}

const char *flow_name(const struct flow *f)
{
	return f->name;
}

char *flow_canonical(const json_t *document)
{
	char *text = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS |
						  JSON_ENCODE_ANY);
	size_t n;

	if (!text)
		abort(); /* out of memory: js values always have a text */
	n = strlen(text);
	text = b_grow(text, n + 2, 1);
	memcpy(text + n, "\n", 2);
	return text;
}

enum verification_method flow_method(const struct flow *f)
{
	if (!f->asks_code)
		return VERIFICATION_BY_API;
	return f->says_code ? VERIFICATION_BY_CALL : VERIFICATION_BY_KEYPAD;
}

bool flow_has_human_check(const struct flow *f)
{
	return f->has_check;
}
