// SPDX-License-Identifier: Apache-2.0
/*
 * import_priv.h - a drawing of another make, on its way to voiceflow/1.
 *
 * No vendor says what its export looks like, so what is read here is what its
 * editor shows: nodes with a name, a type, a configuration and states.  Names
 * are compared without regard to case, blanks, hyphens and slashes.
 */
#pragma once

#include "base/buf.h"
#include "flow/flow_priv.h"

enum {
	IMPORT_PATH_MAX = 128,
	IMPORT_KEY_MAX = 64, /* of a name to compare */
};

struct flow_importing;

/* A state of theirs, and the triggers that it stands for here. */
struct flow_import_state {
	const char *theirs, *ours[3];
};

struct flow_import_kind {
	const char *theirs; /* names: "play_audio|play" */
	const char *type;   /* NULL: there is nothing of the kind here */
	const char *known;  /* what config() reads: "to|from" */
	const struct flow_import_state *states; /* ended by NULL */
	/* Fill in `out`, our config. */
	void (*config)(struct flow_importing *im, const json_t *theirs,
		       json_t *out);
};
extern const struct flow_import_kind
	flow_import_kinds[]; /* ended by a NULL name */

struct flow_import_node {
	char id[FLOW_NAME_MAX + 1];
	const struct flow_import_kind *kind;
	json_t *theirs; /* borrowed */
	json_t *ours;   /* borrowed: in `nodes` */
};

struct flow_importing {
	json_t *report, *document, *nodes;
	struct flow_import_node items[FLOW_NODES_MAX];
	size_t count;
	char path[IMPORT_PATH_MAX]; /* of what is under way, in their text */
	json_t *secrets;            /* {"Start.http.params.otp": true} */
	const struct flow_import_node *node; /* under way */
};

/* kind: "mapped", "dropped", "added".  key: below im->path; NULL: itself. */
void flow_import_note(struct flow_importing *im, const char *kind,
		      const char *key, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* "Busy/Rejected" -> "busy_rejected". */
void flow_import_plain(const char *name, char out[IMPORT_KEY_MAX]);
/* A name as an id: blanks are underscores, a letter is first. */
void flow_import_id(const char *name, char out[FLOW_NAME_MAX + 1]);
/* Is `name` one of "a|b|c"? */
bool flow_import_is(const char *name, const char *names);
/* The member that is called so, null being nothing; NULL: there is none. */
json_t *flow_import_get(const json_t *o, const char *names);
const char *flow_import_text(const json_t *o,
			     const char *names); /* "" for none */

/* Its references, as ours are written. */
char *flow_import_references(struct flow_importing *im, const char *text);
/* A reference names a secret? */
bool flow_import_is_secret(const struct flow_importing *im,
			   struct span reference);

/* flow_import_speech.c: a prompt of theirs, as a speech; NULL: it cannot be one. */
json_t *flow_import_speech(struct flow_importing *im, const json_t *config);
