// SPDX-License-Identifier: Apache-2.0
/*
 * policy_countries.c - the list of countries that are called (E2).
 *
 * Apart from the policy itself because it is data: which regions a word in the
 * settings stands for.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "core/policy.h"

/* Members are written one after the other, two letters each. */
static const struct group {
	const char *name, *members;
} groups[] = {
	{"EU", "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK"},
	{"EEA", "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEISITLILTLULVMTNLNOPLPTROSESISK"},
	{"NANP", "AGAIASBBBMBSCADMDOGDGUJMKNKYLCMPMSPRSXTCTTUSVCVGVI"},
};

static bool allowed(const struct policy *p, const char *region)
{
	for (size_t i = 0; i < p->countries_count; i++)
		if (strcmp(p->countries[i], region) == 0)
			return true;
	return false;
}

static int add(struct policy *p, const char *region, size_t n, struct diag *d)
{
	char text[NUMBER_REGION_BYTES] = "";

	memcpy(text, region, n);
	if (allowed(p, text))
		return 0;
	if (p->countries_count == POLICY_COUNTRIES_MAX)
		return diag_set(d, "more than %d countries",
				POLICY_COUNTRIES_MAX);
	p->countries = b_grow(p->countries, p->countries_count + 1,
			      sizeof(*p->countries));
	memcpy(p->countries[p->countries_count++], text, sizeof(text));
	return 0;
}

int policy_allow(struct policy *p, const char *word, struct diag *d)
{
	size_t n = strlen(word);

	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		if (strcmp(groups[i].name, word) != 0)
			continue;
		for (const char *m = groups[i].members; *m; m += 2) {
			int err = add(p, m, 2, d);

			if (err)
				return err;
		}
		return 0;
	}
	if (n >= NUMBER_REGION_BYTES || !number_is_region(span_of(word)))
		return diag_set(d, "not a country of two capital letters, like "
				   "US, nor EU, EEA or NANP");
	return add(p, word, n, d);
}

void policy_end(struct policy *p)
{
	free(p->countries);
	p->countries = NULL;
	p->countries_count = 0;
}
