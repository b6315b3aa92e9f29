// SPDX-License-Identifier: Apache-2.0
/*
 * settings.h - the settings file: YAML on top of one table (settings.def), and
 * one more for each kind of mapping that comes in lists (trunk.def, route.def).
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
	SETTINGS_HOST_BYTES = 256,
	SETTINGS_PORTS_MIN = 32,   /* of rtp.ports */
	SETTINGS_UNROUTED_MAX = 8, /* trunks without routes */
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
struct settings_objects {
	void *items; /* see settings_trunk() and settings_route() */
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
#define WORD(path, member, max, form, def, sentence) char *member;
#define WORDS(path, member, max, form, def, sentence) \
	struct settings_list member;
#define OBJECTS(path, member, table, max, sentence) \
	struct settings_objects member;
#define GROUP(path, sentence)
#include "app/settings.def"
#undef TEXT
#undef INT
#undef BOOL
#undef LIST
#undef MAP
#undef MONEY
#undef TIME
#undef WORD
#undef WORDS
#undef OBJECTS
#undef GROUP
};

#define WORD(path, member, max, form, def, example, sentence) char *member;
#define WORDS(path, member, max, form, example, sentence) \
	struct settings_list member;
#define INT(path, member, min, max, def, sentence) int64_t member;
#define BOOL(path, member, def, sentence) bool member;
#define CHOICE(path, member, words, def, sentence) unsigned member;
#define CHOICES(path, member, words, def, sentence) unsigned member;
struct settings_trunk {
	int line, column; /* where it begins; 0: not from a file */
#include "app/trunk.def"
};
struct settings_route {
	int line, column;
#include "app/route.def"
};
#undef WORD
#undef WORDS
#undef INT
#undef BOOL
#undef CHOICE
#undef CHOICES

/* The words of a trunk's choices, in their order. */
enum {
	SETTINGS_FORMAT_E164,
	SETTINGS_FORMAT_PLUS,
	SETTINGS_FORMAT_NATIONAL,
};
/* Bits of its `keys`, in the order of its words. */
enum {
	SETTINGS_KEYS_EVENTS = 1,
	SETTINGS_KEYS_TONES = 2,
	SETTINGS_KEYS_INFO = 4,
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

/* i below the list's count. */
const struct settings_trunk *settings_trunk(const struct settings *s, size_t i);
const struct settings_route *settings_route(const struct settings *s, size_t i);
/* Do both say the same of trunks, sip and rtp, or of public_url, trusted_proxies
 * and outbound?  What a reload cannot change. */
bool settings_same_trunks(const struct settings *a, const struct settings *b);
bool settings_same_reach(const struct settings *a, const struct settings *b);

/* A trunk's uri, and an outbound proxy without "sip:", taken apart. */
struct settings_uri {
	char host[SETTINGS_HOST_BYTES]; /* IPv6 without brackets */
	unsigned port;                  /* 0: none was named */
	bool tcp;
};
MUST_CHECK int settings_uri(const char *text, struct settings_uri *out,
			    struct diag *d);
/* "16384-16639" */
MUST_CHECK int settings_ports(const char *text, unsigned *min, unsigned *max,
			      struct diag *d);

/* A settings file with every default and its sentence; the manual's section. */
void settings_defaults(struct buf *out);
void settings_manual(struct buf *out);

CLEANUP(settings, settings_free)
