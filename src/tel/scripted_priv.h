// SPDX-License-Identifier: Apache-2.0
/*
 * scripted_priv.h - the parts of a scripted telephone: ears (frames to digits),
 * a person (digits to deeds), and the line between them (scripted.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "tel/scripted.h"

/* --- ears.c -------------------------------------------------------------- */

struct tel_ears;

/* A digit in a sound; `joined`: no word and no long pause since the last. */
struct tel_heard {
	char digit;
	bool joined;
	unsigned end_ms; /* when it has been said */
};

/* -EINVAL: a clip without sound, which would be heard in every pause. */
MUST_CHECK int tel_ears_new(const struct tel_ear *ears, size_t count,
			    struct tel_ears **out);
void tel_ears_free(struct tel_ears *e); /* NULL is fine */

/* Every digit of `p`, in order; *out is the caller's (PLAYLIST_ITEMS_MAX at
 * most), NULL when there is none. */
size_t tel_ears_listen(const struct tel_ears *e, const struct playlist *p,
		       struct tel_heard **out);

CLEANUP(tel_ears, tel_ears_free)

/* --- person.c ------------------------------------------------------------ */

enum {
	TEL_PERSON_KEYS_MAX = 12,
	TEL_PERSON_KEY_MS = 350, /* from key to key */
};

/* What the person will do next. */
enum tel_intent {
	TEL_KEEP,    /* whatever was intended before */
	TEL_WAIT,    /* nothing until something is heard */
	TEL_PRESS,   /* tel_person.keys */
	TEL_TYPE,    /* the code: ask tel_person_types() for it */
	TEL_GO_AWAY, /* hang up */
};
struct tel_plan {
	enum tel_intent intent;
	unsigned after_ms;
};

struct tel_person {
	enum tel_script script;
	struct rng *rng;
	unsigned mailbox_keys, mailbox_ms; /* left of them */
	char keys[TEL_PERSON_KEYS_MAX + 1];
	char code[TEL_PERSON_KEYS_MAX + 1]; /* as heard; "" before */
	bool code_is_sure;                  /* it was said more than once */
	bool code_just_said;                /* in what sounds now */
	bool knows_code;                    /* without hearing it (reverse) */
	enum tel_check {
		TEL_CHECK_NONE,
		TEL_CHECK_ASKED,
		TEL_CHECK_DONE
	} check;
	/* To be done as soon as nobody speaks. */
	enum tel_turn { TEL_TURN_NONE, TEL_TURN_TYPE, TEL_TURN_REPEAT } turn;
	unsigned typed, repeated; /* times */
	unsigned types_max;
	int64_t report_at_ms; /* 0: not decided; -1: done */
};

/* Does this script care for what is said? */
bool tel_person_listens(enum tel_script script);

/* Each returns what follows from what just happened. */
struct tel_plan tel_person_answers(struct tel_person *p);
struct tel_plan tel_person_sound_begins(struct tel_person *p,
					const struct playlist *sound,
					int64_t now_ms);
/* The last of its digits was said, played_ms into the sound. */
struct tel_plan tel_person_digits_said(struct tel_person *p,
				       const struct playlist *sound,
				       const struct tel_heard *heard, size_t n);
struct tel_plan tel_person_sound_ends(struct tel_person *p);
struct tel_plan tel_person_keys_pressed(struct tel_person *p);

/* Fill p->keys with the code: `given`, or as heard when that is NULL. */
void tel_person_types(struct tel_person *p, const char *given);
