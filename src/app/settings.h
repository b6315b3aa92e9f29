// SPDX-License-Identifier: Apache-2.0
/*
 * settings.h - the settings file: YAML on top of one table (settings.def).
 *
 * Every error names the line, the column and the setting.  What is not in the
 * file has its default.  Nothing secret is ever a setting: secrets come by
 * file or environment, so the settings may be printed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	SETTINGS_FILE_MAX = 256 << 10,
	SETTINGS_DEPTH_MAX = 4,
	SETTINGS_ITEM_MAX = 255, /* bytes of one item of a list or map */
};

/* Texts are never NULL. */
struct settings_list {
	char **items;
	size_t count;
};
struct settings_map {
	char **keys, **values;
	size_t count;
};

struct settings {
#define TEXT(path, member, max, def, sentence) char *member;
#define INT(path, member, min, max, def, sentence) int64_t member;
#define BOOL(path, member, def, sentence) bool member;
#define LIST(path, member, max, def, sentence) struct settings_list member;
#define MAP(path, member, max, def, sentence) struct settings_map member;
#define MONEY(path, member, def, sentence) int64_t member; /* micro; 0: none */
#define TIME(path, member, def, sentence) int member; /* minutes; -1: none */
#define GROUP(path, sentence)
#include "app/settings.def"
#undef TEXT
#undef INT
#undef BOOL
#undef LIST
#undef MAP
#undef MONEY
#undef TIME
#undef GROUP
};

/* The defaults alone; settings_free() it. */
struct settings *settings_new(void);
void settings_free(struct settings *s); /* NULL is fine */

/* Defaults, then the text over them.  -EINVAL: d says where and what. */
MUST_CHECK int settings_parse(struct span yaml, struct settings **out,
			      struct diag *d);
/* The same from a file; d also says that it is missing or too long. */
MUST_CHECK int settings_load(const char *path, struct settings **out,
			     struct diag *d);
/* Change one setting from its text, as the command line does. */
MUST_CHECK int settings_set(struct settings *s, const char *path,
			    const char *text, struct diag *d);

/* A settings file with every default and its sentence; the manual's section. */
void settings_defaults(struct buf *out);
void settings_manual(struct buf *out);

CLEANUP(settings, settings_free)
