// SPDX-License-Identifier: Apache-2.0
/*
 * import_nodes.c - each kind of node of theirs, and what it is here.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/import_priv.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, NUMBER_MAX = 1000000 };

/* --- values ------------------------------------------------------------------------ */

/* A whole number, also as a text; `otherwise` for none. */
static json_int_t number_of(const json_t *v, json_int_t otherwise)
{
	double is = (double)otherwise;

	if (json_is_string(v) && json_string_length(v) > 0)
		is = strtod(json_string_value(v), NULL);
	else if (json_is_number(v))
		is = json_number_value(v);
	if (!(is > -NUMBER_MAX))
		return -NUMBER_MAX;
	return is < NUMBER_MAX ? (json_int_t)is : NUMBER_MAX;
}

/* Into our range, with a note where that changed it. */
static void put_number(struct flow_importing *im, const json_t *v, json_t *out,
		       const char *key, const struct flow_range *range)
{
	json_int_t is = number_of(v, range->otherwise);
	json_int_t fits = is < range->min ? range->min : is;

	if (!v)
		return;
	fits = fits > range->max ? range->max : fits;
	if (fits != is)
		flow_import_note(im, "mapped", "config",
				 "%s is %" JSON_INTEGER_FORMAT " here", key,
				 fits);
	json_object_set_new(out, key, json_integer(fits));
}

static void put_text(struct flow_importing *im, const json_t *v, json_t *out,
		     const char *key)
{
	char *text;

	if (!json_is_string(v))
		return;
	text = flow_import_references(im, json_string_value(v));
	json_object_set_new(out, key, json_string(text));
	free(text);
}

/* --- start ------------------------------------------------------------------------- */

static bool sounds_secret(const char *name)
{
	static const char NAMES[] = "otp|code|pin|passcode|password|otp_code|"
				    "pin_code|verification_code|one_time_code|"
				    "one_time_password|otpcode";

	return flow_import_is(name, NAMES);
}

/* Whom a call rings is needed, and so is a code. */
static bool is_dialled(const struct flow_importing *im, const char *name)
{
	AUTO_BUF(reference, (size_t)2 * FLOW_NAME_MAX);

	buf_printf(&reference, "http.params.%s}", name);
	for (size_t i = 0; i < im->count; i++) {
		const struct flow_import_node *n = &im->items[i];
		const json_t *config =
			flow_import_get(n->theirs, "config|configuration|data");

		if (n->kind->type && strcmp(n->kind->type, "call") == 0 &&
		    !reference.err &&
		    strstr(flow_import_text(config, "to"), reference.p))
			return true;
	}
	return false;
}

static void add_param(struct flow_importing *im, const char *name,
		      const json_t *v, json_t *params)
{
	const json_t *secret = flow_import_get(v, "secret");
	const char *sample = json_is_string(v)
				     ? json_string_value(v)
				     : flow_import_text(v, "sample|value");
	bool hide = secret ? json_is_true(secret) : sounds_secret(name);

	AUTO_BUF(path, FLOW_SLOT_NAME_MAX);
	json_t *p = json_object();

	json_array_append_new(params, p);
	json_object_set_new(p, "name", json_string(name));
	if (*sample)
		json_object_set_new(p, "sample", json_string(sample));
	if (hide || is_dialled(im, name))
		json_object_set_new(p, "required", json_true());
	if (!hide)
		return;
	json_object_set_new(p, "secret", json_true());
	buf_printf(&path, "%s.http.params.%s", im->node->id, name);
	json_object_set_new(im->secrets, path.p, json_true());
	if (!secret)
		flow_import_note(
			im, "added", "config",
			"\"%.60s\" is a secret: 1 to 10 digits, spoken digit "
			"by digit, erased at the end",
			name);
}

static void start(struct flow_importing *im, const json_t *theirs, json_t *out)
{
	json_t *list =
		flow_import_get(theirs, "params|payload|keys|http_params");
	json_t *params = json_array(), *v;
	const char *key;
	size_t i;

	json_array_foreach(list, i, v)
	{
		key = json_is_string(v) ? json_string_value(v)
					: flow_import_text(v, "name|key");
		add_param(im, key, json_is_object(v) ? v : NULL, params);
	}
	json_object_foreach(list, key, v) add_param(im, key, v, params);
	json_object_set_new(out, "params", params);
}

static const struct flow_import_state start_states[] = {
	{"api_request|http|http_request", {"api_request"}},
	{NULL, {NULL}},
};

/* --- call --------------------------------------------------------------------------- */

static void call(struct flow_importing *im, const json_t *theirs, json_t *out)
{
	static const struct flow_range RING = {5, 120, 30};
	json_t *to = flow_import_get(theirs, "to");

	if (json_is_array(to)) {
		flow_import_note(im, "dropped", "config/to",
				 "one number is called: the first");
		to = json_array_get(to, 0);
	}
	put_text(im, flow_import_get(theirs, "from"), out, "from");
	put_text(im, to, out, "to");
	put_number(im, flow_import_get(theirs, "ring_timeout|ring_timeout_s"),
		   out, "ring_timeout_s", &RING);
}

static const struct flow_import_state call_states[] = {
	{"answered", {"answered"}},
	{"no_answer", {"no_answer"}},
	{"busy_rejected|busy_or_rejected", {"busy", "rejected"}},
	{"busy", {"busy"}},
	{"rejected", {"rejected"}},
	{"failed", {"failed"}},
	{"voicemail|machine|machine_detected", {"machine"}},
	{NULL, {NULL}},
};

/* --- what is said, and typed ----------------------------------------------------------- */

#define PROMPT_KEYS                                                          \
	"prompt|speak|speak_text|text|voice|language|ssml|amazon_polly|url|" \
	"type"

static void play(struct flow_importing *im, const json_t *theirs, json_t *out)
{
	static const struct flow_range TIMES = {1, 5, 1};
	json_t *speech = flow_import_speech(im, theirs);

	if (speech)
		json_object_set_new(out, "speech", speech);
	put_number(im, flow_import_get(theirs, "loop|times"), out, "times",
		   &TIMES);
}

static const struct flow_import_state play_states[] = {
	{"prompt_completed|completed", {"completed"}},
	{NULL, {NULL}},
};

static void input(struct flow_importing *im, const json_t *theirs, json_t *out)
{
	static const struct flow_range DIGITS = {1, 32, 32};
	static const struct flow_range TRIES = {1, 5, 1};
	const json_t *wait = flow_import_get(theirs, "input_timeout|timeout");
	json_t *speech = flow_import_speech(im, theirs);

	put_number(im, flow_import_get(theirs, "max_input_size|max_digits"),
		   out, "max_digits", &DIGITS);
	if (!json_object_get(out, "max_digits"))
		json_object_set_new(out, "max_digits",
				    json_integer(DIGITS.max));
	put_number(im, flow_import_get(theirs, "tries|retries"), out, "tries",
		   &TRIES);
	if (wait) {
		json_int_t ms = number_of(wait, 5) * SECOND_MS;

		ms = ms < SECOND_MS ? SECOND_MS : ms;
		ms = ms > MINUTE_MS ? MINUTE_MS : ms;
		json_object_set_new(out, "first_digit_timeout_ms",
				    json_integer(ms));
		json_object_set_new(out, "inter_digit_timeout_ms",
				    json_integer(ms));
	}
	if (strcmp(flow_import_text(theirs, "finish_key|finish_on_key"), "#") ==
	    0)
		json_object_set_new(out, "finish_key", json_string("#"));
	if (speech)
		json_object_set_new(out, "prompt", speech);
}

static const struct flow_import_state input_states[] = {
	{"successful_input|successful_inputs|successful_input_s|input",
	 {"input"}},
	{"no_input", {"no_input"}},
	{NULL, {NULL}},
};

/* --- branch ------------------------------------------------------------------------------ */

static void put_op(struct flow_importing *im, const char *theirs, json_t *out)
{
	static const struct {
		const char *theirs, *ours;
		bool number;
	} OPS[] = {
		{"equal_to|equals|equal|is", "equals", false},
		{"not_equal_to|not_equals|not_equal|is_not", "not_equals",
		 false},
		{"contains", "contains", false},
		{"starts_with", "starts_with", false},
		{"greater_than|more", "more", true},
		{"greater_than_or_equal_to|greater_than_or_equal",
		 "more_or_equal", true},
		{"less_than|less", "less", true},
		{"less_than_or_equal_to|less_than_or_equal", "less_or_equal",
		 true},
	};

	for (size_t i = 0; i < COUNT_OF(OPS); i++) {
		if (!flow_import_is(theirs, OPS[i].theirs))
			continue;
		json_object_set_new(out, "op", json_string(OPS[i].ours));
		if (OPS[i].number)
			json_object_set_new(out, "as", json_string("number"));
		return;
	}
	json_object_set_new(out, "op", json_string("equals"));
	flow_import_note(
		im, "mapped", "config",
		"there is no operation \"%.40s\": it compares for equality",
		theirs);
}

/* The trigger of a case, as its state is called. */
static void put_name(const char *name, size_t i, json_t *out)
{
	char text[FLOW_NAME_MAX + 1];

	if (*name)
		flow_import_id(name, text);
	else
		(void)snprintf(text, sizeof(text), "Condition%zu", i + 1);
	json_object_set_new(out, "name", json_string(text));
}

static void branch(struct flow_importing *im, const json_t *theirs, json_t *out)
{
	json_t *list = flow_import_get(theirs, "conditions|cases");
	json_t *cases = json_array(), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		json_t *left = flow_import_get(v, "variable|left");
		json_t *right = flow_import_get(v, "value|right");
		json_t *c = json_object();
		AUTO_BUF(text, FLOW_VALUE_MAX);

		put_name(flow_import_text(v, "name|state"), i, c);
		put_text(im, left ? left : flow_import_get(theirs, "variable"),
			 c, "left");
		put_op(im, flow_import_text(v, "operation|operator|op"), c);
		if (json_is_number(right)) {
			buf_printf(&text, "%g", json_number_value(right));
			json_object_set_new(c, "right", json_string(text.p));
		} else {
			put_text(im, right, c, "right");
		}
		json_array_append_new(cases, c);
	}
	json_object_set_new(out, "cases", cases);
}

static const struct flow_import_state branch_states[] = {
	{"no_match|otherwise", {"otherwise"}},
	{NULL, {NULL}},
};

/* --- the rest ------------------------------------------------------------------------------ */

static void counter(struct flow_importing *im, const json_t *theirs,
		    json_t *out)
{
	static const struct flow_range MAX = {1, 9, 1};

	put_number(im, flow_import_get(theirs, "max_count|max"), out, "max",
		   &MAX);
}

static const struct flow_import_state counter_states[] = {
	{"count_not_reached|again", {"again"}},
	{"count_reached|done", {"done"}},
	{NULL, {NULL}},
};

/* Texts anywhere in it are templates: with our references. */
static json_t *copy_body(struct flow_importing *im, json_t *v)
{
	const char *key;
	json_t *out, *member;
	size_t i;
	char *text;

	if (json_is_string(v)) {
		text = flow_import_references(im, json_string_value(v));
		out = json_string(text);
		free(text);
		return out;
	}
	if (json_is_object(v)) {
		out = json_object();
		json_object_foreach(v, key, member)
			json_object_set_new(out, key, copy_body(im, member));
		return out;
	}
	if (json_is_array(v)) {
		out = json_array();
		json_array_foreach(v, i, member)
			json_array_append_new(out, copy_body(im, member));
		return out;
	}
	return json_incref(v);
}

/* Upper case, as ours are; false: it is a GET. */
static bool put_method(const json_t *method, json_t *out)
{
	char upper[16];
	size_t n = 0;

	if (!json_is_string(method))
		return true;
	for (const char *c = json_string_value(method);
	     *c && n + 1 < sizeof(upper); c++)
		upper[n++] = (char)toupper((unsigned char)*c);
	upper[n] = '\0';
	json_object_set_new(out, "method", json_string(upper));
	return strcmp(upper, "GET") != 0;
}

static void http(struct flow_importing *im, const json_t *theirs, json_t *out)
{
	json_t *headers = flow_import_get(theirs, "headers");
	json_t *body = flow_import_get(theirs, "body|params");
	bool takes =
		put_method(flow_import_get(theirs, "method|http_method"), out);

	put_text(im, flow_import_get(theirs, "url"), out, "url");
	if (json_is_object(headers))
		json_object_set_new(out, "headers", copy_body(im, headers));
	if (body && takes)
		json_object_set_new(out, "body", copy_body(im, body));
	else if (body)
		flow_import_note(im, "dropped", "config/body",
				 "a GET has no body: write it into the URL");
	if (flow_import_get(theirs, "auth|authentication"))
		flow_import_note(
			im, "dropped", "config/auth",
			"no credentials are taken over: sign the request");
}

static const struct flow_import_state http_states[] = {
	{"success|ok", {"ok"}},
	{"failed|failure", {"client_error", "server_error", "timeout"}},
	{NULL, {NULL}},
};

const struct flow_import_kind flow_import_kinds[] = {
	{"start|trigger", "start", "params|payload|keys|http_params",
	 start_states, start},
	{"initiate_call|call|make_outgoing_call", "call",
	 "from|to|ring_timeout|ring_timeout_s", call_states, call},
	{"play_audio|play|speak|say", "play", PROMPT_KEYS "|loop|times",
	 play_states, play},
	{"get_input|input|gather_input", "input",
	 PROMPT_KEYS "|max_input_size|max_digits|input_timeout|timeout|tries|"
		     "retries|finish_key|finish_on_key",
	 input_states, input},
	{"branch|conditional_branch|branch_conditional|conditional|condition",
	 "branch", "variable|conditions|cases", branch_states, branch},
	{"counter|repeat", "repeat", "max_count|max", counter_states, counter},
	{"http_request|http", "http",
	 "url|method|http_method|headers|body|params|auth|authentication",
	 http_states, http},
	{"hangup|hang_up|end", "hangup", "", NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};
