// SPDX-License-Identifier: Apache-2.0
/*
 * number.h - is this a number, whose, of what kind (E1)?
 *
 * libphonenumber knows the plans; an overlay of ours lies over it, because
 * plans age.  A parse costs about 20 us and does not scale over threads.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	NUMBER_BYTES = 20,       /* "+" and up to 15 digits, with NUL */
	NUMBER_REGION_BYTES = 4, /* ISO 3166 alpha-2, "001" for none, "ZZ" */
	NUMBER_TEXT_MAX = 40,
	NUMBER_OVERLAY_MAX = 4096, /* rows */
	NUMBER_ZONE_BYTES = 40,
};

#define NUMBER_TYPES(X)                            \
	X(FIXED, "fixed_line")                     \
	X(MOBILE, "mobile")                        \
	X(FIXED_OR_MOBILE, "fixed_line_or_mobile") \
	X(TOLL_FREE, "toll_free")                  \
	X(PREMIUM, "premium_rate")                 \
	X(SHARED_COST, "shared_cost")              \
	X(VOIP, "voip")                            \
	X(PERSONAL, "personal")                    \
	X(PAGER, "pager")                          \
	X(UAN, "uan")                              \
	X(VOICEMAIL, "voicemail")                  \
	X(SATELLITE, "satellite")                  \
	X(UNKNOWN, "unknown")                      \
	X(SANDBOX, "sandbox")

enum number_type {
#define X(name, text) NUMBER_##name,
	NUMBER_TYPES(X)
#undef X
};
const char *number_type_text(enum number_type t);
MUST_CHECK int number_type_parse(const char *text, enum number_type *out);

struct number {
	char e164[NUMBER_BYTES];
	unsigned country_code;
	char region[NUMBER_REGION_BYTES];
	enum number_type type;
	bool valid; /* false: possible by length, but no plan knows it */
	char zone
		[NUMBER_ZONE_BYTES]; /* IANA time zone, the first; "" unknown */
};

/*
 * The overlay, CSV: `prefix,region,type` with digits without plus, for example
 * `1947,US,fixed_line_or_mobile`.  The longest match wins over the library.
 * Immutable: any thread.
 */
struct number_plan;
MUST_CHECK int number_plan_parse(struct span csv, struct number_plan **out,
				 struct diag *d);
void number_plan_free(struct number_plan *p); /* NULL is fine */

enum number_verdict {
	NUMBER_OK,
	NUMBER_NOT_A_NUMBER, /* not E.164 at all */
	NUMBER_IMPOSSIBLE,   /* too long, too short, no such country */
};

/*
 * `text` is E.164 with plus, or its digits alone; spaces, dots, hyphens and
 * parentheses between them are passed over.  plan may be NULL.  `why` (at
 * least 160 bytes) says what is wrong.
 */
enum number_verdict number_parse(struct span text,
				 const struct number_plan *plan,
				 struct number *out, struct diag *why);

/* The sandbox: +1 555 555 0100 and so on.  True if `text` is one of them; out
 * is then filled with region "ZZ" and type NUMBER_SANDBOX. */
bool number_sandbox(struct span text, struct number *out);

CLEANUP(number_plan, number_plan_free)
