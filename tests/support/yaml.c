// SPDX-License-Identifier: Apache-2.0
/*
 * yaml.c - a YAML file as JSON values.
 *
 * libyaml's documents are walked by node numbers.  A plain scalar is null, a
 * boolean or an integer where it looks like one, as YAML 1.2's core schema
 * says; what is quoted is a text.
 */
#include "support/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "support/test.h"

static json_t *value_of(yaml_document_t *doc, int number);

static json_t *scalar(const yaml_node_t *n)
{
	const char *text = (const char *)n->data.scalar.value;
	char *end;
	long long i;

	if (n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_string(text);
	if (!*text || strcmp(text, "null") == 0)
		return json_null();
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	i = strtoll(text, &end, 10);
	return *end ? json_string(text) : json_integer(i);
}

static json_t *mapping(yaml_document_t *doc, const yaml_node_t *n)
{
	json_t *o = json_object();

	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start;
	     p < n->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(doc, p->key);
		const char *name = (const char *)key->data.scalar.value;

		if (json_object_get(o, name))
			fail_msg("%s stands twice", name);
		(void)json_object_set_new(o, name, value_of(doc, p->value));
	}
	return o;
}

static json_t *sequence(yaml_document_t *doc, const yaml_node_t *n)
{
	json_t *a = json_array();

	for (const yaml_node_item_t *i = n->data.sequence.items.start;
	     i < n->data.sequence.items.top; i++)
		(void)json_array_append_new(a, value_of(doc, *i));
	return a;
}

static json_t *value_of(yaml_document_t *doc, int number)
{
	const yaml_node_t *n = yaml_document_get_node(doc, number);

	switch (n->type) {
	case YAML_SCALAR_NODE:
		return scalar(n);
	case YAML_SEQUENCE_NODE:
		return sequence(doc, n);
	case YAML_MAPPING_NODE:
		return mapping(doc, n);
	case YAML_NO_NODE:
		break;
	}
	return json_null();
}

json_t *yaml_json(const char *path)
{
	FILE *f = fopen(path, "rbe");
	yaml_parser_t parser;
	yaml_document_t doc;
	json_t *root;

	assert_non_null(f);
	assert_int_equal(yaml_parser_initialize(&parser), 1);
	yaml_parser_set_input_file(&parser, f);
	if (!yaml_parser_load(&parser, &doc))
		fail_msg("%s:%zu: %s", path, parser.problem_mark.line + 1,
			 parser.problem);
	root = value_of(&doc, 1);
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	(void)fclose(f);
	return root;
}
