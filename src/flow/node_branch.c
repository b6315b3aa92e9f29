// SPDX-License-Identifier: Apache-2.0
/*
 * node_branch.c - which way, by comparing values.
 *
 * The first case that is true wins.  Whether "10" is more than "9" depends on
 * what they are, so each case says if it compares texts or numbers; a text that
 * is no number makes its case false.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/run_priv.h"

enum op {
	EQUALS,
	NOT_EQUALS,
	LESS,
	LESS_OR_EQUAL,
	MORE,
	MORE_OR_EQUAL,
	CONTAINS,
	STARTS_WITH,
	OPS,
	TEXT_ONLY = CONTAINS, /* from here on */
};

static const char *const OP_TEXTS[OPS] = {
	[EQUALS] = "equals",     [NOT_EQUALS] = "not_equals",
	[LESS] = "less",         [LESS_OR_EQUAL] = "less_or_equal",
	[MORE] = "more",         [MORE_OR_EQUAL] = "more_or_equal",
	[CONTAINS] = "contains", [STARTS_WITH] = "starts_with",
};

struct one_case {
	const char *name;
	struct flow_template *left, *right;
	enum op op;
	bool numbers;
};

struct config {
	struct one_case cases[FLOW_CASES_MAX];
	size_t count;
};

static bool is_taken(const struct flow_node *n, const char *name)
{
	for (size_t i = 0; i < n->edges_count; i++)
		if (strcmp(n->edges[i].trigger, name) == 0)
			return true;
	return strcmp(name, "otherwise") == 0;
}

static void parse_op(const struct flow_at *at, const json_t *o,
		     struct one_case *c)
{
	const char *op = flow_text(at, o, "op", FLOW_WORD_MAX, true);
	const char *as = flow_text(at, o, "as", FLOW_WORD_MAX, false);
	size_t i = 0;

	if (as && strcmp(as, "text") != 0 && strcmp(as, "number") != 0)
		flow_find(at, "as", FLOW_IS_ERROR("bad_value"),
			  "must be text or number");
	c->numbers = as && strcmp(as, "number") == 0;
	while (op && i < OPS && strcmp(OP_TEXTS[i], op) != 0)
		i++;
	if (i == OPS)
		flow_find(at, "op", FLOW_IS_ERROR("bad_value"),
			  "must be equals, not_equals, less, less_or_equal, "
			  "more, more_or_equal, contains or starts_with");
	else if (c->numbers && i >= TEXT_ONLY)
		flow_find(at, "op", FLOW_IS_ERROR("bad_value"),
			  "numbers do not have \"%s\"", op);
	else
		c->op = (enum op)i;
}

static void parse_case(const struct flow_at *at, const json_t *o,
		       struct config *config)
{
	static const char *const KNOWN[] = {"name",  "left", "op",
					    "right", "as",   NULL};
	struct one_case *c = &config->cases[config->count];
	const char *name;

	if (!json_is_object(o)) {
		flow_find(at, NULL, FLOW_IS_ERROR("bad_value"),
			  "must be an object");
		return;
	}
	flow_known(at, o, KNOWN);
	name = flow_text(at, o, "name", FLOW_NAME_MAX, true);
	c->left = flow_template_at(at, o, "left", FLOW_PLACE_PLAIN, true);
	c->right = flow_template_at(at, o, "right", FLOW_PLACE_PLAIN, true);
	parse_op(at, o, c);
	if (!name)
		return;
	if (!flow_is_name(name) || is_taken(at->node, name)) {
		flow_find(at, "name", FLOW_IS_ERROR("bad_value"),
			  "must be letters, digits, - and _, a letter first, "
			  "and no other's");
		return;
	}
	c->name = flow_edge_add(at->flow, at->node, name)->trigger;
	config->count++;
}

static void parse(const struct flow_at *at, const json_t *config)
{
	static const char *const KNOWN[] = {"cases", NULL};
	struct config *c = flow_keep(at->flow, b_zero(1, sizeof(*c)));
	const json_t *cases = flow_array(at, config, "cases", FLOW_CASES_MAX);
	struct flow_at list = flow_at_key(at, "cases");

	at->node->config = c;
	flow_known(at, config, KNOWN);
	if (!json_object_get(config, "cases"))
		flow_find(at, "cases", FLOW_IS_ERROR("missing_field"),
			  "\"cases\" is missing");
	for (size_t i = 0; i < json_array_size(cases); i++) {
		struct flow_at element = flow_at_index(&list, i);

		parse_case(&element, json_array_get(cases, i), c);
	}
	(void)flow_edge_add(at->flow, at->node, "otherwise");
}

/* A decimal number and nothing else. */
static bool number(const char *text, double *out)
{
	char *end;

	if (!*text || strspn(text, "+-0123456789.") != strlen(text))
		return false;
	errno = 0;
	*out = strtod(text, &end);
	return !*end && !errno;
}

static bool by_order(enum op op, int order)
{
	switch (op) {
	case EQUALS:
		return order == 0;
	case NOT_EQUALS:
		return order != 0;
	case LESS:
		return order < 0;
	case LESS_OR_EQUAL:
		return order <= 0;
	case MORE:
		return order > 0;
	case MORE_OR_EQUAL:
		return order >= 0;
	case CONTAINS:
	case STARTS_WITH:
	case OPS:
		break;
	}
	return false;
}

static bool compare(const struct one_case *c, const char *left,
		    const char *right)
{
	double a, b;

	if (c->numbers)
		return number(left, &a) && number(right, &b) &&
		       by_order(c->op, (a > b) - (a < b));
	if (c->op == CONTAINS)
		return strstr(left, right) != NULL;
	if (c->op == STARTS_WITH)
		return strncmp(left, right, strlen(right)) == 0;
	return by_order(c->op, strcmp(left, right));
}

/* Negative: a value is too long. */
static int is_true(struct flow_run *run, const struct one_case *c)
{
	AUTO_BUF(left, FLOW_VALUE_MAX);
	AUTO_BUF(right, FLOW_VALUE_MAX);
	int err = flow_run_expand(run, c->left, &left);

	if (!err)
		err = flow_run_expand(run, c->right, &right);
	return err ? err : compare(c, left.p, right.p);
}

static void enter(struct flow_run *run)
{
	const struct config *c = flow_run_config(run);
	const char *name = "otherwise";

	for (size_t i = 0; i < c->count; i++) {
		int yes = is_true(run, &c->cases[i]);

		if (yes < 0) {
			flow_run_end(run, FLOW_FAILED);
			return;
		}
		if (yes) {
			name = c->cases[i].name;
			break;
		}
	}
	flow_run_give(run, 0, name);
	flow_run_out(run, "case", name, FLOW_SHOW_TEXT);
	flow_run_fire(run, name);
}

const struct flow_driver flow_branch = {
	.type = "branch",
	.gives = (const struct flow_gives[]){{"case", "otherwise", NULL},
					     {NULL, NULL, NULL}},
	.parse = parse,
	.enter = enter,
};
