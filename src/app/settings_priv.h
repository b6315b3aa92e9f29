// SPDX-License-Identifier: Apache-2.0
/*
 * settings_priv.h - the tables as data, and who does what with them.
 */
#pragma once

#include <stddef.h>

#include "app/settings.h"

enum settings_kind {
	SETTINGS_TEXT,
	SETTINGS_INT,
	SETTINGS_BOOL,
	SETTINGS_LIST,
	SETTINGS_MAP,
	SETTINGS_MONEY,
	SETTINGS_TIME,
	SETTINGS_CHOICE,
	SETTINGS_CHOICES,
	SETTINGS_OBJECTS,
	SETTINGS_GROUP,
};

/* What a text must look like, and each item of a list. */
enum settings_form {
	SETTINGS_ANY,
	SETTINGS_NAME,
	SETTINGS_URI,
	SETTINGS_PEER, /* HOST or HOST:PORT */
	SETTINGS_DOMAIN,
	SETTINGS_USER,
	SETTINGS_NUMBER, /* E.164 */
	SETTINGS_PREFIX, /* "+" and digits */
	SETTINGS_DIGITS,
	SETTINGS_DIAL, /* what a keypad has, and "+" */
	SETTINGS_NETWORK,
	SETTINGS_PATH, /* of a URL: "/otp" */
	SETTINGS_SRTP,
	SETTINGS_SIP_LISTEN,
	SETTINGS_SIP_ADVERTISE,
	SETTINGS_RTP_LISTEN,
	SETTINGS_RTP_ADVERTISE,
	SETTINGS_PORTS,
	SETTINGS_PUBLIC_URL,
	SETTINGS_REACHED, /* a host's name, an address, a network */
	SETTINGS_FORMS
};

struct settings_table;
struct settings_row {
	const char *path;
	enum settings_kind kind;
	enum settings_form form;
	size_t at; /* in the struct of its table */
	int64_t min, max;
	const char *def, *sentence;
	const char *words;                  /* of a CHOICE: "a|b|c" */
	const char *example;                /* "": the default is one */
	const struct settings_table *items; /* of OBJECTS */
};

/* The rows of one struct: the settings, a trunk, a route. */
struct settings_table {
	const struct settings_row *rows;
	size_t count;
	size_t bytes;              /* of the struct */
	size_t line_at, column_at; /* in it, where it comes in lists */
};
extern const struct settings_table settings_table;

/* NULL: there is no such row in this table. */
const struct settings_row *settings_row(const struct settings_table *t,
					const char *path);
/* Every row at its default, over zeroes. */
void settings_table_begin(const struct settings_table *t, void *to);
void settings_table_end(const struct settings_table *t, void *to);

/* settings_value.c: one value; `to` is the struct of the row's table. */
int settings_value(const struct settings_row *r, void *to, struct span text,
		   struct diag *d);
/* The index of a word among r->words; -ENOENT. */
int settings_word(const struct settings_row *r, struct span text);
void settings_list_clear(struct settings_list *l);
void settings_map_clear(struct settings_map *m);
void settings_objects_clear(const struct settings_row *r,
			    struct settings_objects *o);

/* settings_form.c: -EINVAL, and d says under `field` what is wrong. */
int settings_form(enum settings_form form, const char *field, struct span text,
		  struct diag *d);

/* settings_read.c: YAML over what is there. */
int settings_read(struct settings *s, struct span yaml, struct diag *d);

/* settings_check.c: rules over several settings. */
int settings_check(const struct settings *s, struct diag *d);
