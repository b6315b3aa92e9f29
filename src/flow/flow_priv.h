// SPDX-License-Identifier: Apache-2.0
/*
 * flow_priv.h - a flow as it stands in memory, and what its parts share while a
 * document is read.
 *
 * Reading, checking and running see the same structs: a document is read into
 * a struct flow even when it is wrong, because the checker wants to say all
 * that is wrong with it; only one without errors is ever handed out.
 *
 * Everything that belongs to a flow is kept with flow_keep() and goes with it.
 */
#pragma once

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/flow.h"

enum {
	FLOW_PATH_BYTES = sizeof(((struct flow_finding *)0)->path),
	FLOW_TEXT_MAX = 4000,     /* bytes of a text or SSML in a document */
	FLOW_WORD_MAX = 256,      /* bytes of any other text */
	FLOW_PARTS_MAX = 64,      /* of one template */
	FLOW_FILTERS_MAX = 4,     /* of one reference */
	FLOW_SLOT_NAME_MAX = 200, /* "Start.http.params.<name>" */
	FLOW_SCRIPT_MAX = 6,      /* lines of one script */
	FLOW_OPTIONS_MAX = 4,     /* of one line */
	FLOW_TTS_MAX = 600,       /* characters in one speech: about 45 s */
	FLOW_TTS_LONG = 280,
	FLOW_STEPS_DEFAULT = 100,
	FLOW_SECONDS_DEFAULT = 110, /* B6 */
};

/* --- values ------------------------------------------------------------------- */

/* How a value may be shown in a trace. */
enum flow_show {
	FLOW_SHOW_TEXT,   /* as it is, long runs of digits blanked */
	FLOW_SHOW_NUMBER, /* a phone number: the middle blanked */
	FLOW_SHOW_DIGITS, /* "[6 digits]" */
	FLOW_SHOW_SECRET, /* "[secret]" */
};

/* One thing that a template may name: "Start.http.params.to", "Ask.digits",
 * "vars.x", "verification.id".  The name is the whole path. */
struct flow_slot {
	char *name;
	char *sample; /* what the checker puts in its place */
	bool secret;
	bool early; /* known before anything is dialled */
	bool used;  /* some template names it */
	enum flow_show show;
};

/* The slots that every flow has, first and in this order. */
enum flow_given {
	FLOW_GIVEN_ID,
	FLOW_GIVEN_TO,
	FLOW_GIVEN_FROM,
	FLOW_GIVEN_LOCALE,
	FLOW_GIVEN_ATTEMPT,
	FLOW_GIVEN_PURPOSE,
	FLOW_GIVEN_BRAND,
	FLOW_GIVEN_AMOUNT,
	FLOW_GIVEN_PAYEE,
	FLOW_GIVEN_CALLBACK,
	FLOW_GIVEN_CODE_LENGTH,
	FLOW_GIVEN_CODE, /* from the host, when it is spoken */
	FLOW_GIVEN_CALL_ID,
	FLOW_GIVEN_CALL_LANGUAGE,
	FLOW_GIVEN_FLOW_NAME,
	FLOW_GIVEN_FLOW_VERSION,
	FLOW_GIVEN_COUNT
};

/* --- templates ------------------------------------------------------------------ */

/* Where a template stands decides what it may hold. */
enum flow_place {
	FLOW_PLACE_PLAIN,  /* no secret */
	FLOW_PLACE_TEXT,   /* for a voice: no secret */
	FLOW_PLACE_SSML,   /* for a voice: a secret only within say-as */
	FLOW_PLACE_URL,    /* values are percent-encoded: no secret */
	FLOW_PLACE_VERIFY, /* may hold a secret */
};

enum flow_filter {
	FLOW_FILTER_DIGITS,
	FLOW_FILTER_SPACED,
	FLOW_FILTER_UPPER,
	FLOW_FILTER_LOWER,
	FLOW_FILTER_DEFAULT,
};

/* Literal text, or a reference. */
struct flow_part {
	char *literal; /* NULL: a reference */
	char *path;
	int slot; /* flow_compile() finds it; -1: nothing of that name */
	enum flow_filter filters[FLOW_FILTERS_MAX];
	size_t filters_count;
	char *fallback; /* of default:"...", or NULL */
};

struct flow_template {
	struct flow_part *parts;
	size_t count;
	enum flow_place place;
	int into;    /* the variable that it is set to; -1: none */
	size_t node; /* where it stands: index, and pointer into the document */
	char path[FLOW_PATH_BYTES];
	/* found by flow_compile() */
	bool early; /* all that it names is known before the dial */
	bool holds_secret;
	bool bad; /* there is a finding about it */
};

/* The value of a slot, or NULL where it was never set. */
typedef const char *flow_value_h(const void *ctx, int slot);

/* --- speech ---------------------------------------------------------------------- */

enum flow_line_kind { FLOW_LINE_TEXT, FLOW_LINE_SSML, FLOW_LINE_PHRASE };

/*
 * One thing to say, as a document writes it.  A phrase may have others beside
 * it: the first that speaks of nothing which the verification lacks (amount,
 * payee, call-back number) is said, and if there is none, nothing.
 */
struct flow_line {
	enum flow_line_kind kind;
	struct flow_template *text;            /* TEXT, SSML */
	const char *options[FLOW_OPTIONS_MAX]; /* PHRASE */
	size_t options_count;
	const char *voice;                   /* NULL: the language's */
	bool may_have_digits, may_have_code; /* slots that its node fills */
	size_t node;
	char path[FLOW_PATH_BYTES];
};

/* Lines, said one after the other. */
struct flow_script {
	const struct flow_line *lines[FLOW_SCRIPT_MAX];
	size_t count;
};

/* --- nodes ------------------------------------------------------------------------ */

struct flow_driver;

struct flow_edge {
	const char *trigger;
	char *to;   /* NULL: not connected */
	int target; /* index of the node; -1: none */
};

struct flow_node {
	char id[FLOW_NAME_MAX + 1];
	const struct flow_driver *driver; /* NULL: the type is unknown */
	size_t index;
	void *config; /* the driver's */
	struct flow_edge *edges;
	size_t edges_count;
	int *sets; /* slots that it sets; its gives first, in their order */
	size_t sets_count;
};

struct flow {
	atomic_uint refs;
	char *name, *language; /* language NULL: the call's */
	unsigned max_steps, max_call_seconds;
	struct flow_node *nodes;
	size_t nodes_count, start;
	struct flow_slot *slots;
	size_t slots_count;
	struct flow_template **templates;
	size_t templates_count;
	struct flow_line **lines;
	size_t lines_count;
	bool says_code, asks_code, has_check;
	void **kept;
	size_t kept_count;
};

/* Memory that goes with the flow. */
void *flow_keep(struct flow *f, void *p);
char *flow_keep_text(struct flow *f, const char *text);

/* --- reading ---------------------------------------------------------------------- */

/* A place in the document that is read.  Copied to go deeper. */
struct flow_at {
	struct flow *flow;
	struct flow_findings *findings;
	const struct flow_world *world; /* never NULL */
	struct flow_node *node;         /* NULL outside of nodes */
	char path[FLOW_PATH_BYTES];
};

struct flow_what {
	enum flow_severity severity;
	const char *code;
};
#define FLOW_IS_ERROR(code) ((struct flow_what){FLOW_ERROR, (code)})
#define FLOW_IS_WARNING(code) ((struct flow_what){FLOW_WARNING, (code)})
#define FLOW_IS_INFO(code) ((struct flow_what){FLOW_INFO, (code)})

/* Note a finding at `at`, or at its member `key` (NULL: itself). */
void flow_find(const struct flow_at *at, const char *key, struct flow_what what,
	       const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The place of a member, or of an element. */
struct flow_at flow_at_key(const struct flow_at *at, const char *key);
struct flow_at flow_at_index(const struct flow_at *at, size_t i);
/* The place where a node stands. */
struct flow_at flow_at_node(const struct flow_at *root, struct flow_node *n);

/* Each notes what is wrong; absent is `missing_field` where it is required. */
void flow_known(const struct flow_at *at, const json_t *o,
		const char *const known[]);
const char *flow_text(const struct flow_at *at, const json_t *o,
		      const char *key, size_t max, bool required);
struct flow_range {
	int64_t min, max, otherwise;
};
int64_t flow_int(const struct flow_at *at, const json_t *o, const char *key,
		 struct flow_range range);
bool flow_bool(const struct flow_at *at, const json_t *o, const char *key,
	       bool otherwise);
json_t *flow_object(const struct flow_at *at, const json_t *o, const char *key);
json_t *flow_array(const struct flow_at *at, const json_t *o, const char *key,
		   size_t max);
/* Letters, digits, - and _, a letter first. */
bool flow_is_name(const char *text);

/* `text` stands at `at`.  NULL: there is a finding. */
struct flow_template *flow_template_here(const struct flow_at *at,
					 const char *text,
					 enum flow_place place);
/* The same for a member. */
struct flow_template *flow_template_at(const struct flow_at *at,
				       const json_t *o, const char *key,
				       enum flow_place place, bool required);
/* A member {"kind": "text" | "ssml" | "recording", ...}; "prompt" of a
 * recording is a list of phrases, as below. */
void flow_speech_at(const struct flow_at *at, const json_t *o, const char *key,
		    bool required, struct flow_script *out);

/* A member that lists phrases: a name, or a list of names, where a list in the
 * place of a name holds options (see struct flow_line). */
struct flow_phrase_key {
	const char *key, *otherwise; /* the name of the default; NULL: none */
	bool digits, code;           /* slots that may be in it */
};
void flow_phrases_at(const struct flow_at *at, const json_t *o,
		     const struct flow_phrase_key *key,
		     struct flow_script *out);

/* A new slot "<root>.<path>"; returns its index. */
int flow_slot_add(struct flow *f, const char *root, const char *path,
		  const char *sample);
int flow_slot_find(const struct flow *f, const char *name); /* -1: none */
void flow_node_sets(struct flow_node *n, int slot);
struct flow_edge *flow_edge_add(struct flow *f, struct flow_node *n,
				const char *trigger);

/* --- the parts, in the order in which they are used -------------------------------- */

void flow_document(const struct flow_at *root, const json_t *doc);
/* Names become indexes: edges, slots of templates. */
void flow_compile(const struct flow_at *root);
void flow_check(const struct flow_at *root); /* the graph */
void flow_check_speech(const struct flow_at *root);

/* template.c */
struct flow_template *flow_template_parse(struct flow *f, const char *text,
					  struct diag *d);
struct flow_expand {
	flow_value_h *value;
	const void *ctx;
};
/* Values are escaped as their place wants it.  -E2BIG: a value over
 * FLOW_VALUE_MAX, or out is full.  -ENODATA: a secret that is no digits in a
 * place for a voice, or dots in a URL that would lead upwards. */
MUST_CHECK int flow_template_expand(const struct flow *f,
				    const struct flow_template *t,
				    const struct flow_expand *how,
				    struct buf *out);
/* Is the reference parts[i] alone within a say-as that spells? */
bool flow_template_is_spelt(const struct flow_template *t, size_t i);

/* --- drivers ------------------------------------------------------------------------ */

struct flow_run;
struct flow_happening;

struct flow_gives {
	const char *name;
	const char *sample;
	const char *only_on; /* the trigger that sets it; NULL: every one */
};

struct flow_driver {
	const char *type;
	const char *const *triggers; /* ended by NULL; NULL: parse makes them */
	const char *const *optional; /* those that may stay unconnected */
	const struct flow_gives *gives; /* ended by a NULL name */
	const char *bounded;            /* the trigger that something counts */
	const char *live;  /* the trigger after which a call is up */
	const char *human; /* the trigger after which a person is there */
	/* It gives whatever templates name behind this ("body."), and the
	 * trigger on which that is set; NULL: nothing. */
	const char *open, *open_on;
	bool is_start, is_end;
	bool speaks;    /* needs a call that was answered */
	bool says_code; /* speaks the code by itself */
	/* Read config (an empty object where the document has none). */
	void (*parse)(const struct flow_at *at, const json_t *config);

	size_t state_bytes; /* of a run in this node, zeroed on enter */
	void (*enter)(struct flow_run *run);
	void (*happens)(struct flow_run *run, const struct flow_happening *ev);
};

/* One for each node type; a new one is a file, a line here, a row there. */
extern const struct flow_driver flow_start, flow_call, flow_play, flow_input,
	flow_human_check, flow_speak_code, flow_verify, flow_branch, flow_set,
	flow_repeat, flow_http, flow_hangup;
extern const struct flow_driver *const flow_drivers[];
extern const size_t flow_drivers_count;
