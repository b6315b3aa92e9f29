// SPDX-License-Identifier: Apache-2.0
/*
 * phrases.h - the scripts: what is said, per language, in files that a
 * translator can edit (packaging/prompts/<language>.yaml).
 *
 * A file maps a name to a text with slots, and a purpose to the whole phrase
 * that stands for it; en.yaml explains the format and names every phrase.  Every
 * language has every phrase of English with the same slots, or the file is
 * refused; only "english.*" stands in en.yaml alone and is said in English in a
 * call of any language.  Immutable once loaded: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

struct phrases;

enum {
	PHRASES_LANGUAGES_MAX = 64,
	PHRASES_NAME_MAX = 48,  /* bytes */
	PHRASES_TEXT_MAX = 400, /* bytes */
	PHRASES_FILE_MAX = 64 << 10,
};

/* Load every *.yaml of a folder.  d->field is the file's name. */
MUST_CHECK int phrases_load(const char *dir, struct phrases **out,
			    struct diag *d);
/* One file's text (what the fuzzer calls). */
MUST_CHECK int phrases_parse(struct span yaml, const char *language,
			     struct phrases *into, struct diag *d);
struct phrases *phrases_new(void);
void phrases_free(struct phrases *ph); /* NULL is fine */

/* The text of a phrase, or NULL. */
const char *phrases_find(const struct phrases *ph, const char *language,
			 const char *name);
/* Every phrase of a language, in the order of its file. */
typedef void phrases_each_h(const char *name, const char *text, void *ctx);
void phrases_each(const struct phrases *ph, const char *language,
		  phrases_each_h *each, void *ctx);
/* Every purpose of a language. */
void phrases_each_purpose(const struct phrases *ph, const char *language,
			  phrases_each_h *each, void *ctx);
/* "sign-in" for login; for a word of the application's, the phrase "other". */
const char *phrases_purpose(const struct phrases *ph, const char *language,
			    const char *purpose);
/* The word for '0'..'9' as people say it on the phone, or NULL. */
const char *phrases_digit(const struct phrases *ph, const char *language,
			  char digit);
/* What a language calls itself, or NULL; has a native speaker listened? */
const char *phrases_name(const struct phrases *ph, const char *language);
bool phrases_reviewed(const struct phrases *ph, const char *language);
/* Is there such a phrase in English? */
int phrases_has(const struct phrases *ph, const char *name);

/*
 * B3: the best language that we have for a BCP 47 locale ("de-AT" -> "de"),
 * else for a country ("AT" -> "de"), else "en".  Either may be NULL or "".
 */
const char *phrases_language(const struct phrases *ph, const char *locale,
			     const char *country);
size_t phrases_languages(const struct phrases *ph,
			 const char *out[PHRASES_LANGUAGES_MAX]);

CLEANUP(phrases, phrases_free)
