// SPDX-License-Identifier: Apache-2.0
/*
 * number.c - is this a number, whose, of what kind (E1)?
 *
 * The text is read here, strictly, so that the library only ever sees "+" and
 * digits: what it would make of letters, extensions or other scripts never
 * matters.  What it knows is then corrected by two tables of ours: the codes
 * that belong to no country, and the overlay for plans that are newer than it.
 */
#include "core/number.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/number_priv.h"
#include "core/rows_priv.h"

enum {
	DIGITS_MAX = 15, /* E.164 */
	UTC_LEAST = -12 * 60,
	UTC_MOST = 14 * 60,
	REGION_SHIFT = 8,
	OVERLAY_FILE_MAX = 1 << 20,
};

static const char sandbox_prefix[] = "1555555";

/* --- types ------------------------------------------------------------------ */

static const char *const types[] = {
#define X(name, text) [NUMBER_##name] = (text),
	NUMBER_TYPES(X)
#undef X
};

const char *number_type_text(enum number_type t)
{
	assert(t < COUNT_OF(types));
	return types[t];
}

static int type_parse(struct span text, enum number_type *out)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (span_is(text, types[i])) {
			*out = (enum number_type)i;
			return 0;
		}
	return -EINVAL;
}

int number_type_parse(const char *text, enum number_type *out)
{
	return type_parse(span_of(text), out);
}

/* --- regions ---------------------------------------------------------------- */

static const struct zone {
	char region[NUMBER_REGION_BYTES];
	short least, most;
	const char *name;
} zones[] = {
#define ZONE(region, least, most, name) {region, least, most, name},
#include "core/number_zones.def"
#undef ZONE
};

static const struct zone *zone_of(struct span region)
{
	for (size_t i = 0; i < COUNT_OF(zones); i++)
		if (span_is(region, zones[i].region))
			return &zones[i];
	return NULL;
}

bool number_is_region(struct span text)
{
	return zone_of(text) || span_is(text, "001");
}

static void set_zone(struct number *n)
{
	const struct zone *z = zone_of(span_of(n->region));

	(void)snprintf(n->zone, sizeof(n->zone), "%s", z ? z->name : "");
}

void number_offsets(const char *region, int *least, int *most)
{
	const struct zone *z = zone_of(span_of(region));

	*least = z ? z->least : UTC_LEAST;
	*most = z ? z->most : UTC_MOST;
}

/* --- the overlay ------------------------------------------------------------ */

struct number_plan {
	struct core_table table; /* value: place in zones, and type */
};

static int read_row(struct number_plan *p, const struct core_line *l,
		    struct diag *d)
{
	const struct zone *z;
	enum number_type type;

	if (l->count != 3)
		return diag_at(d, l->number, l->cells[0].column,
			       "not `prefix,region,type`");
	z = zone_of(l->cells[1].text);
	if (!z)
		return diag_at(d, l->number, l->cells[1].column,
			       "not a region of two capital letters, like US");
	if (type_parse(l->cells[2].text, &type) || type == NUMBER_SANDBOX)
		return diag_at(d, l->number, l->cells[2].column,
			       "not a type of number, like "
			       "fixed_line_or_mobile");
	return core_table_add(&p->table, l,
			      (int64_t)(z - zones) << REGION_SHIFT | type,
			      NUMBER_OVERLAY_MAX, d);
}

static bool is_header(const struct core_line *l)
{
	return l->count == 3 && span_is(l->cells[0].text, "prefix") &&
	       span_is(l->cells[1].text, "region") &&
	       span_is(l->cells[2].text, "type");
}

int number_plan_parse(struct span csv, struct number_plan **out, struct diag *d)
{
	AUTO(number_plan) *p = NULL;
	struct core_line l = {.rest = csv};
	bool first = true;
	int err;

	if (csv.n > OVERLAY_FILE_MAX)
		return diag_at(d, 0, 0, "larger than %d bytes",
			       OVERLAY_FILE_MAX);
	p = b_zero(1, sizeof(*p));
	while ((err = core_line_next(&l, d)) > 0) {
		err = first && is_header(&l) ? 0 : read_row(p, &l, d);
		if (err)
			return err;
		first = false;
	}
	if (err == 0)
		err = core_table_seal(&p->table, d);
	if (err)
		return err;
	*out = KEEP(p);
	return 0;
}

void number_plan_free(struct number_plan *p)
{
	if (!p)
		return;
	core_table_free(&p->table);
	free(p);
}

static void lay_over(const struct number_plan *plan, struct number *n)
{
	const struct core_prefix *row =
		plan ? core_table_find(&plan->table, n->e164) : NULL;

	if (!row)
		return;
	memcpy(n->region, zones[row->value >> REGION_SHIFT].region,
	       sizeof(n->region));
	n->type = (enum number_type)(row->value & ((1 << REGION_SHIFT) - 1));
	n->valid = n->type != NUMBER_UNKNOWN;
}

/* --- parsing ---------------------------------------------------------------- */

/* "+" and the digits.  A plus stands in front only; too many digits are cut,
 * one too many is kept to be seen. */
static bool read_text(struct span text, char out[DIGITS_MAX + 3])
{
	struct span s = span_trim(text);
	size_t n = 0;

	out[n++] = '+';
	if (s.n > NUMBER_TEXT_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9') {
			if (n < DIGITS_MAX + 2)
				out[n++] = c;
		} else if (c == '\0' || !strchr(i == 0 ? "+(" : " .-()", c)) {
			return false;
		}
	}
	out[n] = '\0';
	return n > 1;
}

/* E.164 codes of no country.  The library files most of them by what they are
 * technically; what matters here is what a call to them costs. */
static void name_international(struct number *n)
{
	static const struct {
		unsigned code;
		enum number_type type;
	} rows[] = {
		{800, NUMBER_TOLL_FREE}, {808, NUMBER_SHARED_COST},
		{870, NUMBER_SATELLITE}, {878, NUMBER_PERSONAL},
		{881, NUMBER_SATELLITE}, {882, NUMBER_SATELLITE},
		{883, NUMBER_SATELLITE}, {888, NUMBER_SATELLITE},
		{979, NUMBER_PREMIUM},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].code == n->country_code)
			n->type = rows[i].type;
}

static enum number_verdict impossible(enum number_lib_verdict v,
				      struct diag *why)
{
	static const char *const sentences[] = {
		[NUMBER_LIB_NO_COUNTRY] = "there is no such country code",
		[NUMBER_LIB_SHORT] = "too short for a number of its country",
		[NUMBER_LIB_LONG] = "too long for a number of its country",
		[NUMBER_LIB_BAD] = "no number of its country has this length",
	};

	(void)diag_set(why, "%s", sentences[v]);
	return NUMBER_IMPOSSIBLE;
}

enum number_verdict number_parse(struct span text,
				 const struct number_plan *plan,
				 struct number *out, struct diag *why)
{
	struct number_lib_answer a;
	char digits[DIGITS_MAX + 3];
	enum number_lib_verdict v;
	struct number n = {0};

	if (!read_text(text, digits)) {
		(void)diag_set(why,
			       "not a phone number: it is written as plus, "
			       "country code and number, in digits");
		return NUMBER_NOT_A_NUMBER;
	}
	if (digits[1] == '0') {
		(void)diag_set(why, "begins with 0: it is written with the "
				    "country code in front, without 00");
		return NUMBER_NOT_A_NUMBER;
	}
	if (strlen(digits) > DIGITS_MAX + 1)
		return impossible(NUMBER_LIB_LONG, why);
	v = number_lib_ask(digits, &a);
	if (v != NUMBER_LIB_OK)
		return impossible(v, why);
	memcpy(n.e164, a.e164, sizeof(n.e164));
	memcpy(n.region, a.region, sizeof(n.region));
	n.country_code = a.country_code;
	n.type = a.type;
	n.valid = a.valid;
	name_international(&n);
	lay_over(plan, &n);
	set_zone(&n);
	*out = n;
	return NUMBER_OK;
}

bool number_sandbox(struct span text, struct number *out)
{
	static const char *const last[] = {
		"0100", "0110", "0111", "0120", "0121", "0122",
		"0123", "0124", "0125", "0126", "0127",
	};
	char digits[DIGITS_MAX + 3];
	size_t n = strlen(sandbox_prefix);
	bool found = false;

	if (!read_text(text, digits) ||
	    strncmp(digits + 1, sandbox_prefix, n) != 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(last); i++)
		found = found || strcmp(digits + 1 + n, last[i]) == 0;
	if (!found)
		return false;
	*out = (struct number){.country_code = 1,
			       .region = "ZZ",
			       .type = NUMBER_SANDBOX,
			       .valid = true};
	(void)snprintf(out->e164, sizeof(out->e164), "%s", digits);
	set_zone(out);
	return true;
}
