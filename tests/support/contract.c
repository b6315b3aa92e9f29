// SPDX-License-Identifier: Apache-2.0
/*
 * contract.c - docs/openapi.yaml, as a judge of real answers.
 */
#include "support/contract.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "support/test.h"
#include "support/yaml.h"

enum { WHERE_MAX = 512, WHY_MAX = 1024, DEPTH_MAX = 32 };

struct contract {
	json_t *doc;
	json_t *held; /* "POST /v1/x 201": true */
};

/* Where we are in a value, and what is wrong there. */
struct judging {
	const struct contract *c;
	char where[WHERE_MAX], why[WHY_MAX];
	unsigned depth;
};

static bool wrong(struct judging *j, const char *what, const char *text)
{
	(void)snprintf(j->why, sizeof(j->why), "at %s/: %s%s", j->where, what,
		       text ? text : "");
	return false;
}

/* "#/components/schemas/Name" */
static json_t *follow(const struct contract *c, const char *ref)
{
	json_t *at = c->doc;
	struct span rest = span_of(ref), part;

	assert_true(span_starts(rest, "#/"));
	rest = span_make(rest.p + 2, rest.n - 2);
	while (span_cut(&rest, '/', &part)) {
		AUTO_FREE char *name = b_strndup(part.p, part.n);

		at = json_object_get(at, name);
		if (!at)
			fail_msg("%s leads nowhere", ref);
	}
	return at;
}

static json_t *deref(const struct contract *c, json_t *o)
{
	const char *ref = json_string_value(json_object_get(o, "$ref"));

	return ref ? follow(c, ref) : o;
}

/* --- schemas ------------------------------------------------------------------ */

static bool judge(struct judging *j, json_t *schema, json_t *v);

static bool judge_at(struct judging *j, const char *name, json_t *schema,
		     json_t *v)
{
	size_t n = strlen(j->where);
	bool good;

	(void)snprintf(j->where + n, sizeof(j->where) - n, "/%s", name);
	good = judge(j, schema, v);
	j->where[n] = '\0';
	return good;
}

static bool is_type(const char *type, json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return strcmp(type, "object") == 0;
	case JSON_ARRAY:
		return strcmp(type, "array") == 0;
	case JSON_STRING:
		return strcmp(type, "string") == 0;
	case JSON_INTEGER:
		return strcmp(type, "integer") == 0 ||
		       strcmp(type, "number") == 0;
	case JSON_REAL:
		return strcmp(type, "number") == 0;
	case JSON_TRUE:
	case JSON_FALSE:
		return strcmp(type, "boolean") == 0;
	case JSON_NULL:
		return strcmp(type, "null") == 0;
	}
	return false;
}

static bool on_type(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	json_t *one;
	size_t i;

	(void)schema;
	if (json_is_string(arg))
		return is_type(json_string_value(arg), v) ||
		       wrong(j, "it is no ", json_string_value(arg));
	json_array_foreach(arg, i, one) if (is_type(json_string_value(one),
						    v)) return true;
	return wrong(j, "it is of another type", NULL);
}

static bool on_enum(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	json_t *one;
	size_t i;

	(void)schema;
	json_array_foreach(arg, i, one) if (json_equal(one, v)) return true;
	return wrong(j,
		     "it is none of the listed values: ", json_string_value(v));
}

static bool on_const(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	(void)schema;
	return json_equal(arg, v) || wrong(j, "it is another value", NULL);
}

static bool on_required(struct judging *j, json_t *arg, json_t *schema,
			json_t *v)
{
	json_t *name;
	size_t i;

	(void)schema;
	json_array_foreach(arg, i, name) if (
		json_is_object(v) &&
		!json_object_get(v,
				 json_string_value(
					 name))) return wrong(j, "there is no ",
							      json_string_value(
								      name));
	return true;
}

static bool on_properties(struct judging *j, json_t *arg, json_t *schema,
			  json_t *v)
{
	const char *name;
	json_t *of, *value;

	(void)schema;
	json_object_foreach(arg, name, of)
	{
		value = json_object_get(v, name);
		if (value && !judge_at(j, name, of, value))
			return false;
	}
	return true;
}

static bool on_additional(struct judging *j, json_t *arg, json_t *schema,
			  json_t *v)
{
	json_t *known = json_object_get(schema, "properties");
	const char *name;
	json_t *value;

	json_object_foreach(v, name, value)
	{
		if (json_object_get(known, name))
			continue;
		if (json_is_false(arg))
			return wrong(j, "not in the contract: ", name);
		if (!judge_at(j, name, arg, value))
			return false;
	}
	return true;
}

static bool on_items(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	json_t *one;
	size_t i;

	(void)schema;
	json_array_foreach(v, i, one)
	{
		char name[24];

		(void)snprintf(name, sizeof(name), "%zu", i);
		if (!judge_at(j, name, arg, one))
			return false;
	}
	return true;
}

static bool on_any_of(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	json_t *one;
	size_t i;

	(void)schema;
	json_array_foreach(arg, i, one) if (judge(j, one, v)) return true;
	return false; /* why: what the last one said */
}

static bool on_pattern(struct judging *j, json_t *arg, json_t *schema,
		       json_t *v)
{
	regex_t re;
	bool good;

	(void)schema;
	if (!json_is_string(v))
		return true;
	assert_int_equal(regcomp(&re, json_string_value(arg),
				 REG_EXTENDED | REG_NOSUB),
			 0);
	good = regexec(&re, json_string_value(v), 0, NULL, 0) == 0;
	regfree(&re);
	return good || wrong(j, "it is not like ", json_string_value(arg));
}

static bool on_format(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	int64_t ms;

	(void)schema;
	assert_string_equal(json_string_value(arg), "date-time");
	return !json_is_string(v) ||
	       clock_parse(json_string_value(v), &ms) == 0 ||
	       wrong(j, "this is no time: ", json_string_value(v));
}

/* How much of it there is, in the keyword's sense. */
static json_int_t measure(json_t *v)
{
	if (json_is_integer(v))
		return json_integer_value(v);
	if (json_is_string(v))
		return (json_int_t)json_string_length(v);
	if (json_is_array(v))
		return (json_int_t)json_array_size(v);
	return (json_int_t)json_object_size(v);
}

static bool on_most(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	(void)schema;
	return json_is_null(v) || measure(v) <= json_integer_value(arg) ||
	       wrong(j, "it is more than the most", NULL);
}

static bool on_least(struct judging *j, json_t *arg, json_t *schema, json_t *v)
{
	(void)schema;
	return json_is_null(v) || measure(v) >= json_integer_value(arg) ||
	       wrong(j, "it is less than the least", NULL);
}

static const struct keyword {
	const char *name;
	bool (*judge)(struct judging *j, json_t *arg, json_t *schema,
		      json_t *v); /* NULL: prose */
} keywords[] = {
	{"type", on_type},
	{"enum", on_enum},
	{"const", on_const},
	{"required", on_required},
	{"properties", on_properties},
	{"additionalProperties", on_additional},
	{"items", on_items},
	{"anyOf", on_any_of},
	{"pattern", on_pattern},
	{"format", on_format},
	{"maximum", on_most},
	{"maxLength", on_most},
	{"maxItems", on_most},
	{"maxProperties", on_most},
	{"minimum", on_least},
	{"minLength", on_least},
	{"description", NULL},
	{"examples", NULL},
	{"default", NULL},
};

static const struct keyword *find_keyword(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(keywords); i++)
		if (strcmp(keywords[i].name, name) == 0)
			return &keywords[i];
	fail_msg("the contract says %s, which is not understood", name);
	return NULL;
}

static bool judge(struct judging *j, json_t *schema, json_t *v)
{
	const char *name;
	json_t *arg;
	bool good = true;

	schema = deref(j->c, schema);
	assert_true(j->depth++ < DEPTH_MAX);
	json_object_foreach(schema, name, arg)
	{
		const struct keyword *k = find_keyword(name);

		good = good && (!k->judge || k->judge(j, arg, schema, v));
	}
	j->depth--;
	return good;
}

/* --- answers -------------------------------------------------------------------- */

/* Does "/v1/x/abc" fit "/v1/x/{id}"? */
static bool path_fits(const char *pattern, const char *path)
{
	while (*pattern && *path) {
		if (*pattern == '{') {
			pattern += strcspn(pattern, "}") + 1;
			path += strcspn(path, "/");
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*pattern && !*path;
}

/* Literal paths win over those with holes. */
static const char *find_path(const struct contract *c, const char *path)
{
	json_t *paths = json_object_get(c->doc, "paths"), *item;
	const char *pattern, *found = NULL;

	if (json_object_get(paths, path))
		return path;
	json_object_foreach(paths, pattern, item) if (path_fits(pattern, path))
		found = pattern;
	if (!found)
		fail_msg("%s is not in the contract", path);
	return found;
}

static void lower(const char *text, char out[16])
{
	size_t i;

	for (i = 0; text[i] && i < 15; i++)
		out[i] = (char)(text[i] | 0x20);
	out[i] = '\0';
}

static json_t *find_response(const struct contract *c, const char *pattern,
			     const char *method, int status)
{
	json_t *at = json_object_get(c->doc, "paths");
	char name[16], number[8];

	lower(method, name);
	(void)snprintf(number, sizeof(number), "%d", status);
	at = json_object_get(json_object_get(at, pattern), name);
	at = json_object_get(json_object_get(at, "responses"), number);
	if (!at)
		fail_msg("%s %s answered %d, which is not in the contract",
			 method, pattern, status);
	return deref(c, at);
}

static void hold(const struct contract *c, json_t *schema, struct span body,
		 const char *what)
{
	struct judging j = {.c = c};
	json_error_t err;
	json_t *v = json_loadb(body.p, body.n, JSON_DECODE_ANY, &err);

	if (!v)
		fail_msg("%s: not JSON: %s", what, err.text);
	if (!judge(&j, schema, v))
		fail_msg("%s: %s\n%.*s", what, j.why, (int)body.n, body.p);
	json_decref(v);
}

/* The schema of a content type; fails if the type is not listed. */
static json_t *find_schema(json_t *response, const char *type, const char *what)
{
	json_t *content = json_object_get(response, "content");
	AUTO_FREE char *plain = b_strndup(type, strcspn(type, ";"));
	json_t *of = json_object_get(content, plain);

	if (!of)
		fail_msg("%s: %s is not in the contract", what, type);
	return json_object_get(of, "schema");
}

void contract_hold(struct contract *c, const char *method, const char *path,
		   int status, const char *type, struct span body)
{
	const char *pattern = find_path(c, path);
	json_t *response = find_response(c, pattern, method, status);
	char what[WHERE_MAX];
	json_t *schema;

	(void)snprintf(what, sizeof(what), "%s %s %d", method, pattern, status);
	assert_non_null(type);
	schema = find_schema(response, type, what);
	if (schema)
		hold(c, schema, body, what);
	(void)json_object_set_new(c->held, what, json_true());
}

void contract_hold_schema(struct contract *c, const char *schema,
			  struct span json)
{
	hold(c, contract_schema(c, schema), json, schema);
}

json_t *contract_schema(const struct contract *c, const char *name)
{
	json_t *all = json_object_get(json_object_get(c->doc, "components"),
				      "schemas");
	json_t *schema = json_object_get(all, name);

	assert_non_null(schema);
	return schema;
}

static size_t count_missing(const struct contract *c, const char *path,
			    const char *method, json_t *responses)
{
	const char *status;
	json_t *response;
	size_t missing = 0;

	json_object_foreach(responses, status, response)
	{
		char what[WHERE_MAX];
		size_t n = 0;

		for (; method[n]; n++)
			what[n] = (char)(method[n] & ~0x20);
		(void)snprintf(what + n, sizeof(what) - n, " %s %s", path,
			       status);
		if (json_object_get(c->held, what))
			continue;
		print_error("never seen: %s\n", what);
		missing++;
	}
	return missing;
}

void contract_held_below(const struct contract *c, const char *prefix,
			 bool below)
{
	json_t *item, *operation;
	const char *path, *method;
	size_t missing = 0;

	json_object_foreach(json_object_get(c->doc, "paths"), path, item)
	{
		if ((strncmp(path, prefix, strlen(prefix)) == 0) != below)
			continue;
		json_object_foreach(item, method, operation) missing +=
			count_missing(c, path, method,
				      json_object_get(operation, "responses"));
	}
	assert_int_equal(missing, 0);
}

struct contract *contract_open(void)
{
	const char *root = getenv("VOICEOTP_SOURCE"); /* NOLINT: one thread */
	struct contract *c = b_zero(1, sizeof(*c));
	char path[WHERE_MAX];

	assert_non_null(root);
	(void)snprintf(path, sizeof(path), "%s/docs/openapi.yaml", root);
	c->doc = yaml_json(path);
	c->held = json_object();
	return c;
}

void contract_free(struct contract *c)
{
	if (!c)
		return;
	json_decref(c->doc);
	json_decref(c->held);
	free(c);
}
