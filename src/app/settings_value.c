// SPDX-License-Identifier: Apache-2.0
/*
 * settings_value.c - one value: from its text to its place in a struct.
 *
 * The table's own defaults go through here too, so a default cannot be of a
 * kind that a file could not say.
 */
#include "app/settings_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/prices.h"

void settings_list_clear(struct settings_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct settings_list){0};
}

void settings_map_clear(struct settings_map *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->keys[i]);
		free(m->values[i]);
	}
	free(m->keys);
	free(m->values);
	*m = (struct settings_map){0};
}

void settings_objects_clear(const struct settings_row *r,
			    struct settings_objects *o)
{
	for (size_t i = 0; i < o->count; i++)
		settings_table_end(r->items,
				   (char *)o->items + i * r->items->bytes);
	free(o->items);
	*o = (struct settings_objects){0};
}

static int read_int(const struct settings_row *r, struct span text,
		    int64_t *out, struct diag *d)
{
	uint64_t n = 0;
	int err = span_uint(text, INT64_MAX, &n);

	if (err == -EINVAL)
		return diag_field(d, r->path, "is not a whole number");
	if (err || (int64_t)n < r->min || (int64_t)n > r->max)
		return diag_field(d, r->path, "must be from %lld to %lld",
				  (long long)r->min, (long long)r->max);
	*out = (int64_t)n;
	return 0;
}

static int read_bool(const struct settings_row *r, struct span text, bool *out,
		     struct diag *d)
{
	if (span_is(text, "true"))
		*out = true;
	else if (span_is(text, "false"))
		*out = false;
	else
		return diag_field(d, r->path, "must be true or false");
	return 0;
}

/* "HH:MM" in minutes; "" is -1. */
static int read_time(const struct settings_row *r, struct span text, int *out,
		     struct diag *d)
{
	struct span hours = {0}, rest = text;
	uint64_t h = 0, m = 0;

	if (text.n == 0) {
		*out = -1;
		return 0;
	}
	if (text.n != 5 || text.p[2] != ':' || !span_cut(&rest, ':', &hours) ||
	    span_uint(hours, 23, &h) || span_uint(rest, 59, &m))
		return diag_field(d, r->path,
				  "must be a time of day such as \"22:00\"");
	*out = (int)(h * 60 + m);
	return 0;
}

static int read_money(const struct settings_row *r, struct span text,
		      int64_t *out, struct diag *d)
{
	int64_t micro = 0;

	if (text.n > 0 && prices_amount(text, &micro))
		return diag_field(d, r->path,
				  "must be an amount such as 12.50");
	if (text.n > 0 && micro == 0)
		return diag_field(d, r->path,
				  "must be more than nothing; "
				  "leave it out for no cap");
	*out = micro;
	return 0;
}

static int read_text(const struct settings_row *r, struct span text, char **out,
		     struct diag *d)
{
	if ((int64_t)text.n > r->max)
		return diag_field(d, r->path, "is longer than %lld bytes",
				  (long long)r->max);
	if (!span_utf8(text))
		return diag_field(d, r->path, "is not well-formed UTF-8");
	/* what need not be set may be set to nothing */
	if ((text.n > 0 || *r->def) && settings_form(r->form, r->path, text, d))
		return -EINVAL;
	free(*out);
	*out = b_strndup(text.p, text.n);
	return 0;
}

int settings_word(const struct settings_row *r, struct span text)
{
	struct span rest = span_of(r->words), word;

	for (int i = 0; span_cut(&rest, '|', &word); i++)
		if (word.n == text.n && memcmp(word.p, text.p, text.n) == 0)
			return i;
	return -ENOENT;
}

static int read_choice(const struct settings_row *r, struct span text,
		       unsigned *out, struct diag *d)
{
	int word = settings_word(r, text);

	if (word < 0)
		return diag_field(d, r->path, "must be one of %s", r->words);
	*out = (unsigned)word;
	return 0;
}

int settings_value(const struct settings_row *r, void *to, struct span text,
		   struct diag *d)
{
	void *at = (char *)to + r->at;

	switch (r->kind) {
	case SETTINGS_TEXT:
		return read_text(r, text, at, d);
	case SETTINGS_INT:
		return read_int(r, text, at, d);
	case SETTINGS_BOOL:
		return read_bool(r, text, at, d);
	case SETTINGS_MONEY:
		return read_money(r, text, at, d);
	case SETTINGS_TIME:
		return read_time(r, text, at, d);
	case SETTINGS_CHOICE:
		return read_choice(r, text, at, d);
	case SETTINGS_CHOICES:
		return diag_field(d, r->path, "must be a list of %s", r->words);
	case SETTINGS_LIST:
		return diag_field(d, r->path, "must be a list: [a, b]");
	case SETTINGS_OBJECTS:
		return diag_field(d, r->path,
				  "must be a list of mappings: "
				  "- name: value");
	case SETTINGS_MAP:
	case SETTINGS_GROUP:
		return diag_field(d, r->path,
				  "must be a mapping: {name: value}");
	}
	return -EINVAL;
}
